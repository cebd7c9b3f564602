# SPDX-License-Identifier: GPL-3.0-or-later
"""Functions of known cost ratios: what a profile says of them against what the uninstrumented program takes, both as
multiples of the long function, which calls nothing, so that a machine of changing speed does no harm."""
import statistics

from harness import builds, callgrind_file, measure, rows

FUNCTIONS = "two_tiny", "four_mixed"
TOLERANCE_SHARE = 0.05
TOLERANCE_NS = 1.0  # a call


def run(bench):
    source = [bench.source / "accuracy" / "known-ratios.c"]
    timed = [row for row in rows.MODES if "--no-time" not in row.options]

    def run_one(row):
        figures = measure.run_undisturbed(bench, row, [builds.compile_program(bench, "known-ratios", row.build, source)])
        if row.tool == "record":
            profile = callgrind_file.CallgrindFile(figures["folder"] / "run.prof", "Wall_ns")
            for name in ("one_long", *FUNCTIONS):
                figures[name] = profile.inclusive_of(name)
        return figures

    results = measure.interleaved(bench, "ratios", [rows.BASE, *measure.usable(bench, timed)], run_one)
    base = results[rows.BASE]
    long_ns = statistics.median(figures["one_long"] for figures in base)
    true = {name: statistics.median(figures[name] / figures["one_long"] for figures in base) for name in FUNCTIONS}
    lines = []
    for row in results:
        line = [row.label]
        for name in FUNCTIONS:
            found = measure.values(results, row, lambda f, _: f[name] / max(1, f["one_long"]))
            error = statistics.median(found) - true[name]
            per_call_ns = error * long_ns / base[0][f"{name}_calls"]
            is_within = abs(error) <= TOLERANCE_SHARE * true[name] or abs(per_call_ns) <= TOLERANCE_NS
            line += [measure.cell(found), "" if row == rows.BASE else f"{100 * error / true[name]:+.1f} %, {per_call_ns:+.2f} ns a call",
                     "" if row == rows.BASE else "yes" if is_within else "no"]
        lines.append(line)
    print("### Known cost ratios, as multiples of one_long, a function that calls nothing "
          f"({long_ns / 1e6:.0f} ms, medians of {bench.runs} runs)\n")
    measure.print_table(["", "two_tiny", "off by", "within", "four_mixed", "off by", "within"], lines)
    print(f"Within: the larger of {100 * TOLERANCE_SHARE:.0f} % and {TOLERANCE_NS:.0f} ns a call.\n")
    bench.print_notes()
