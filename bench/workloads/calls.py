# SPDX-License-Identifier: GPL-3.0-or-later
"""W1: nanoseconds added per pair of hooks, as a ratio to gprof's and to two bare clock reads of the same round."""
from harness import builds, measure, rows

FLAGS = ["-fno-inline", "-fno-optimize-sibling-calls"]  # every call stays a call, in all builds alike


def _against(results, row, other, name):
    """What the row adds to a call, as a multiple of what the other adds."""
    if other not in results:
        return []
    base = results[rows.BASE]
    return measure.values(results, row, lambda f, i: (f[name] - base[i][name]) / max(0.01, results[other][i][name] - base[i][name]))


def run(bench):
    chosen = measure.usable(bench, [row for row in rows.ROWS if row.tool not in ("perf", "gperftools")])
    source = [bench.source / "workloads" / "calls.c"]

    def run_one(row):
        program = builds.compile_program(bench, "calls", row.build, source, flags=FLAGS)
        return measure.run_program(bench, row, [program])

    results = measure.interleaved(bench, "W1", chosen, run_one)
    base = results[rows.BASE]
    lines = []
    for row in results:
        line = [row.label]
        for name in "tiny_ns", "fib_ns":
            if row == rows.BASE:
                line += [measure.cell(measure.values(results, row, lambda f, _: f[name])) + " a call", "", ""]
                continue
            added = measure.values(results, row, lambda f, i: f[name] - base[i][name])
            to_gprof = _against(results, row, rows.GPROF, name)
            to_clocks = measure.values(results, row, lambda f, i: (f[name] - base[i][name]) / base[i]["two_clocks_ns"])
            line += [measure.cell(added, 1), measure.short(to_gprof), measure.short(to_clocks)]
            bench.remember(row, f"W1 {name[:-3]}, ns (÷ gprof)", f"{measure.short(added, 1)} ({measure.short(to_gprof)})")
        lines.append(line)
    print(f"### W1: a call, CPU ns that it takes more (medians of {bench.runs} runs)\n")
    clocks = measure.values(results, rows.BASE, lambda f, _: f["two_clocks_ns"])
    lines.append(["two bare clock reads", measure.cell(clocks, 1), "", "1.00", measure.cell(clocks, 1), "", "1.00"])
    measure.print_table(["", "tiny", "÷ gprof", "÷ 2 clocks", "fib(32)", "÷ gprof", "÷ 2 clocks"], lines)
    if rows.DETACHED in results and rows.EMPTY in results:
        print(f"Without a collector, a call adds {measure.short(_against(results, rows.DETACHED, rows.EMPTY, 'tiny_ns'))} (tiny) and "
              f"{measure.short(_against(results, rows.DETACHED, rows.EMPTY, 'fib_ns'))} (fib) of what an empty hook adds.\n")
    bench.print_notes()
