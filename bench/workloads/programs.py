# SPDX-License-Identifier: GPL-3.0-or-later
"""W2 (a JSON parser), W3 (SQLite) and four threads: a program's CPU time as a multiple of the uninstrumented one's; and
the size of SQLite's code in each build."""
import os
import shutil
import subprocess

from harness import builds, callgrind_file, measure, rows
from harness.context import Unavailable

THREADS_CALLS = 28196620


def _ratio_table(bench, title, column, chosen, run_one, extra=None):
    chosen = measure.usable(bench, chosen)
    results = measure.interleaved(bench, column, chosen, run_one)
    lines = []
    for row in results:
        seconds = measure.values(results, row, lambda f, _: f["cpu_s"])
        factor = measure.ratios(results, row, rows.BASE, "cpu_s")
        more = [extra[1](results[row])] if extra else []
        lines.append([row.label, measure.cell(seconds, 3), measure.cell(factor) if row != rows.BASE else "1", *more])
        if row != rows.BASE:
            bench.remember(row, column, measure.short(factor))
    print(f"### {title} (medians of {bench.runs} runs)\n")
    measure.print_table(["", "CPU s", "× uninstrumented", *(extra[:1] if extra else [])], lines)
    bench.print_notes()


def run_json(bench):
    source = [bench.source / "workloads" / "json.c"]
    text = json_input(bench)

    def run_one(row):
        return measure.run_program(bench, row, [builds.compile_program(bench, "json", row.build, source), text])

    _ratio_table(bench, "W2: JSON parser, 5 MB", "W2 JSON, ×", rows.ROWS, run_one)


def json_input(bench):
    path = bench.scratch / "input.json"
    if not path.exists():
        program = builds.compile_program(bench, "json", "plain", [bench.source / "workloads" / "json.c"])
        subprocess.run([program, "--generate", path], check=True)
    return path


def amalgamation(bench):
    """The folder with sqlite3.c, made from Debian's source package; kept."""
    folder = bench.cache / "sqlite"
    if (folder / "sqlite3.c").exists():
        return folder
    if shutil.which("tclsh") is None:
        raise Unavailable("SQLite: tclsh makes its amalgamation (apt-get install tcl)")
    bench.progress("fetching and configuring SQLite")
    sources = os.environ.get("RPS_SOURCES", str(bench.build / "sources"))
    fetched = subprocess.run([bench.top / "tests" / "lib" / "debian-source", "sqlite3", sources], capture_output=True, text=True)
    if fetched.returncode != 0:
        raise Unavailable(f"SQLite: no sources: {(fetched.stderr.strip().splitlines() or ['?'])[-1]}")
    work = bench.folder("sqlite")
    shutil.copytree(fetched.stdout.strip(), work, dirs_exist_ok=True)
    environment = {key: value for key, value in os.environ.items() if key not in ("CC", "CFLAGS", "MAKEFLAGS", "MFLAGS")}
    for command in ["./configure"], ["make", "sqlite3.c"]:
        made = subprocess.run(command, cwd=work, capture_output=True, text=True, env=environment)
        if made.returncode != 0:
            raise Unavailable(f"SQLite: {command[0]}: {(made.stderr.strip().splitlines() or ['failed'])[-1]}")
    folder.mkdir(exist_ok=True)
    shutil.copy(work / "sqlite3.h", folder)
    shutil.copy(work / "sqlite3.c", folder / "sqlite3.c.part")
    (folder / "sqlite3.c.part").rename(folder / "sqlite3.c")
    return folder


def _sqlite_object(bench, key):
    return builds.compile_object(bench, "sqlite3", key, amalgamation(bench) / "sqlite3.c",
                                 ["-DSQLITE_THREADSAFE=0", "-DSQLITE_OMIT_LOAD_EXTENSION", "-w"])


def run_sqlite(bench):
    folder = amalgamation(bench)

    def run_one(row):
        library = _sqlite_object(bench, row.build)
        program = builds.compile_program(bench, "sqlite", row.build, [bench.source / "workloads" / "sqlite.c"],
                                         ["-lm"], [f"-I{folder}"], [library])
        return measure.run_program(bench, row, [program])

    _ratio_table(bench, "W3: SQLite, 100,000 inserts and selects", "W3 SQLite, ×", rows.ROWS, run_one)


def run_size(bench):
    lines, plain = [], None
    amalgamation(bench)
    for key in "plain", "pg", "gcc", "profcc", "small":
        try:
            path = _sqlite_object(bench, key)
        except Unavailable as error:
            bench.leave_out(error)
            continue
        sections = {}
        for line in subprocess.run(["size", "-A", "-d", path], capture_output=True, text=True, check=True).stdout.splitlines():
            words = line.split()
            if len(words) == 3 and words[1].isdigit() and words[0].startswith((".", "runprofile", "__")):
                sections[words[0]] = int(words[1])
        code = sum(size for name, size in sections.items() if name.startswith(".text"))
        loaded = sum(size for name, size in sections.items() if not name.startswith((".debug", ".comment", ".note")))
        plain = plain or (code, loaded)
        lines.append([builds.BUILDS[key].text, f"{code / 1024:.0f}", f"{code / plain[0]:.2f}", f"{loaded / 1024:.0f}",
                      f"{loaded / plain[1]:.2f}"])
    print("### Size of SQLite, -O2\n")
    measure.print_table(["", "code KiB", "×", "code and data KiB", "×"], lines)
    bench.print_notes()


def _counted(runs):
    counts = sorted({figures["fib"] for figures in runs if figures and "fib" in figures})
    if not counts:
        return ""
    exact = "exactly" if counts == [THREADS_CALLS] else f"{100 * counts[0] / THREADS_CALLS:.1f} %"
    return f"{' or '.join(f'{count:,}' for count in counts)}: {exact}"


def run_threads(bench):
    source = [bench.source / "workloads" / "threads.c"]

    def run_one(row):
        program = builds.compile_program(bench, "threads", row.build, source, ["-pthread"],
                                         ["-fno-inline", "-fno-optimize-sibling-calls"])
        figures = measure.run_program(bench, row, [program])
        if row.tool == "record":
            figures["fib"] = callgrind_file.CallgrindFile(figures["folder"] / "run.prof").calls_of("fib")
        if row.tool == "callgrind":
            figures["fib"] = _callgrind_calls(figures["folder"] / "callgrind.out")
        if row == rows.GPROF and shutil.which("gprof"):
            figures["fib"] = _gprof_calls(program, figures["folder"] / "gmon.out")
        return figures

    chosen = [row for row in rows.ROWS if row.tool not in ("perf", "gperftools", "uftrace")]
    _ratio_table(bench, f"Four threads of fib(32): {THREADS_CALLS:,} calls", "4 threads, ×", chosen, run_one,
                 ("calls of fib in the profile", _counted))


def _callgrind_calls(path):
    profile = callgrind_file.CallgrindFile(path)
    return sum(calls for (_, callee), calls in profile.calls.items() if callee.split("'")[0] == "fib")


def _gprof_calls(program, data):
    """From the call graph: "calls+recursive calls" of the entry of fib."""
    text = subprocess.run(["gprof", "-b", "-q", program, data], capture_output=True, text=True).stdout
    for line in text.splitlines():
        words = line.split()
        if line.startswith("[") and len(words) >= 6 and words[5 if "%" not in words[1] else 6] == "fib":
            return sum(int(part) for part in words[4].split("+"))
    return 0
