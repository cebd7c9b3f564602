# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory of one request of 10 million calls of 300 functions, in two shapes: a call graph in layers, where every function calls
two others (3,150 contexts, as programs have), and one where any function may call any other, in whose contexts there is no
end: the case for the cap."""
import random
import subprocess
import time

from harness import builds, callgrind_file, measure, rows
from harness.context import Unavailable
from memory.pool import pool_kib, status_kib

N_FUNCTIONS = 300
N_CALLS = 10_000_000
LAYER = 50
POLL_S = 0.002

HEAD = """/* Written by bench/memory/peak.py. */
#include "report.h"
static unsigned int seed = 1, left = %d, depth;
static unsigned int pick(void) __attribute__((no_instrument_function));
static unsigned int pick(void) { seed = seed * 1664525 + 1013904223; return seed >> 16; }
"""


def layers_source():
    """Function i calls two of the next fifty; the last fifty call nothing."""
    chooser = random.Random(1)
    parts = [HEAD % N_CALLS]
    for i in range(N_FUNCTIONS - 1, -1, -1):
        layer = i // LAYER
        callees = chooser.sample(range((layer + 1) * LAYER, (layer + 2) * LAYER), 2) if layer < 5 else []
        calls = " ".join(f"f{callee}();" for callee in callees)
        parts.append(f"static __attribute__((noinline)) void f{i}(void) {{ left--; {calls} __asm__ volatile(\"\"); }}")
    roots = " ".join(f"case {i}: f{i}(); break;" for i in range(LAYER))
    parts.append(f"int main(void) {{ while (left > 64) switch (pick() % {LAYER}) {{ {roots} }} report_cpu(); return 0; }}")
    return "\n".join(parts)


def any_source():
    """Function i calls two times one of eight, anywhere; 14 levels deep."""
    chooser = random.Random(2)
    parts = [HEAD % N_CALLS, *(f"static void f{i}(void);" for i in range(N_FUNCTIONS))]
    for i in range(N_FUNCTIONS):
        cases = " ".join(f"case {n}: f{callee}(); break;" for n, callee in enumerate(chooser.sample(range(N_FUNCTIONS), 8)))
        parts.append(f"static __attribute__((noinline)) void f{i}(void) {{ if (left == 0) return; left--; if (depth == 14) return; depth++;"
                     f" for (int n = 0; n < 2; n++) switch (pick() % 8) {{ {cases} }} depth--; }}")
    parts.append("int main(void) { while (left > 0) f0(); report_cpu(); return 0; }")
    return "\n".join(parts)


def _watch(bench, row, program):
    """Runs it; the largest pool, and the recorder's and the program's peaks."""
    folder = bench.folder("run")
    words, _ = rows.start(bench, row, [program], folder)
    recorder = subprocess.Popen(words, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    figures = {"pool": 0, "recorder": 0, "program": 0}
    while recorder.poll() is None:
        figures["pool"] = max(figures["pool"], pool_kib(recorder.pid))
        figures["recorder"] = max(figures["recorder"], status_kib(recorder.pid, "VmHWM"))
        try:
            with open(f"/proc/{recorder.pid}/task/{recorder.pid}/children") as children:
                for child in children.read().split():
                    own = status_kib(child, "RssAnon") + status_kib(child, "RssFile")
                    figures["program"] = max(figures["program"], own)
        except OSError:
            pass
        time.sleep(POLL_S)
    message = recorder.stderr.read().strip()
    if recorder.returncode != 0:
        raise Unavailable(f"{row.label}: {message}")
    profile = callgrind_file.CallgrindFile(folder / "run.prof")
    figures["calls"] = sum(calls for (_, callee), calls in profile.calls.items() if callee.startswith("f") and callee[1:].isdigit())
    figures["file"] = (folder / "run.prof").stat().st_size // 1024
    figures["lost"] = "; ".join(line for line in profile.description if line.startswith(("Overflow", "Lost", "Unknown contexts", "Note")))
    return figures


def run(bench):
    print(f"### Memory of one request, {N_CALLS:,} calls of {N_FUNCTIONS} functions, KiB (largest seen)\n")
    lines = []
    modes = measure.usable(bench, [row for row in rows.MODES if row.build == "profcc"])
    for shape, source in ("layers", layers_source()), ("any to any", any_source()):
        path = bench.scratch / f"memory-{shape.split()[0]}.c"
        path.write_text(source)
        for row in modes:
            try:
                program = builds.compile_program(bench, f"memory-{shape.split()[0]}", row.build, [path])
                bench.progress(f"memory: {shape}, {row.label}")
                found = _watch(bench, row, program)
            except Unavailable as error:
                bench.leave_out(error)
                continue
            lines.append([shape, row.label, f"{found['pool']:,}", f"{found['recorder']:,}", f"{found['program']:,}",
                          f"{found['calls']:,}", f"{found['file']:,}"])
            if found["lost"]:
                bench.note(f"{shape}, {row.label}: the file says: {found['lost']}")
    bench.progress("")
    measure.print_table(["call graph", "", "pool", "runprofile's peak RSS", "program's own RSS", "calls in the file", "file"], lines)
    bench.print_notes()
