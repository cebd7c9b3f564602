# SPDX-License-Identifier: GPL-3.0-or-later
"""W4: CPU time per request in the application, and requests per second. What runs behind runprofileserver writes a file per
request, and is compared with the uninstrumented application behind it; the others are asked directly. Nothing is inlined in
any build, so that all see the same 2,001 calls."""
import dataclasses

from harness import builds, measure, rows
from harness.server import Server

FRONT = dataclasses.replace(rows.BASE, label="uninstrumented, behind the server", tool="front")
FLAGS = ["-fno-inline"]
CALLGRIND = rows.Row("valgrind callgrind --dump-after", "plain", "callgrind", is_heavy=True, is_peer=True)


def _rows():
    direct = [row for row in rows.ROWS if row.tool not in ("record", "perf", "callgrind")]
    behind = [dataclasses.replace(row, tool="front", label=f"{row.label}, a file each") for row in rows.MODES]
    return [*direct, CALLGRIND, FRONT, *behind]


def _missing_option(bench, row):
    return next((option for option in row.options if not bench.knows("server", option)), None)


def run(bench):
    source = [bench.source / "workloads" / "handler.c"]
    chosen = []
    for row in measure.usable(bench, [dataclasses.replace(row, options=()) for row in _rows()]):
        original = next(other for other in _rows() if other.label == row.label)
        missing = _missing_option(bench, original) if original.tool == "front" else None
        if missing:
            bench.leave_out(f"{original.label}: this version has no {missing}")
        else:
            chosen.append(original)

    def run_one(row):
        program = builds.compile_program(bench, "handler", row.build, source, ["-lmicrohttpd"], FLAGS)
        requests = (200 if row.tool == "callgrind" else 1000 if row.is_heavy else 10000) // (2 if bench.quick else 1)
        server = Server(bench, row, program, bench.files_folder(), row.tool == "front")
        try:
            server.load(requests // 10)  # first appearances
            cpu_s = server.cpu_s()
            wall_s = server.load(requests)
            cpu_s = server.cpu_s() - cpu_s
        finally:
            server.stop()
        figures = {"cpu_us": cpu_s * 1e6 / requests, "rps": requests / wall_s, "sent": requests + requests // 10}
        if row.tool == "front":
            figures["files"] = sum(1 for _ in server.profiles.glob("*.prof"))
        if row.tool == "callgrind":
            figures["files"] = sum(1 for _ in server.folder.glob("callgrind.out*"))
        return figures

    results = measure.interleaved(bench, "W4", chosen, run_one)
    _print(bench, results)
    _print_page_time(bench)


def _print(bench, results):
    lines = []
    for row in results:
        base = FRONT if row.tool == "front" and FRONT in results else rows.BASE
        is_base = row == base
        cpu = measure.ratios(results, row, base, "cpu_us")
        slower = measure.values(results, row, lambda f, i: results[base][i]["rps"] / f["rps"])
        rps = measure.values(results, row, lambda f, _: f["rps"])
        files = measure.values(results, row, lambda f, _: f["files"] / f["sent"] if "files" in f else 0)
        lines.append([row.label, measure.cell(measure.values(results, row, lambda f, _: f["cpu_us"]), 1),
                      "1" if is_base else measure.cell(cpu), measure.cell(rps, 0), "1" if is_base else measure.short(slower),
                      measure.short(files, 3) if max(files) > 0 else "-"])
        if not is_base:
            name = dataclasses.replace(row, label=row.label.removesuffix(", a file each"))
            bench.remember(name, "W4 CPU ×", measure.short(cpu))
            bench.remember(name, "W4 req/s ÷", measure.short(slower))
    print(f"### W4: a request of 2,001 calls over HTTP, 4 connections (medians of {bench.runs} runs)\n")
    measure.print_table(["", "CPU us a request", "×", "requests/s", "÷", "files a request"], lines)
    ours = next((row for row in results if row.tool == "front" and row.build == "profcc" and not row.options), None)
    if ours and CALLGRIND in results:
        factor = measure.values(results, CALLGRIND, lambda f, i: results[ours][i]["rps"] / f["rps"])
        print(f"A file per request at {measure.cell(factor, 0)} times callgrind's requests per second.\n")
    bench.print_notes()


def _print_page_time(bench):
    """What the handler takes without a network: what its CPU time per request is made of."""
    program = builds.compile_program(bench, "handler", "plain", [bench.source / "workloads" / "handler.c"], ["-lmicrohttpd"], FLAGS)
    figures = measure.run_program(bench, rows.BASE, [program, "--loop=20000"])
    print(f"The page itself: {figures['page_ns'] / 1000:.1f} us.\n")
