# SPDX-License-Identifier: GPL-3.0-or-later
"""Time shares: half the sum of absolute differences between the self-time shares in a profile of ours and those that a
sampling profiler finds in the uninstrumented program (0 %: the same; 100 %: nothing in common)."""
import collections
import re
import shutil
import statistics
import subprocess

from harness import builds, callgrind_file, measure, rows
from harness.context import Unavailable
from workloads.programs import json_input

HERTZ = "10000"
LIBRARIES = "(libraries)"
CALLGRIND = rows.Row("valgrind callgrind, instructions", "noinline", "callgrind", is_heavy=True, is_peer=True)


def plain_name(symbol):
    """Without what the compiler appended to a function that it made of another."""
    return re.sub(r"\.(constprop|part|isra|cold|lto_priv)\b.*", "", symbol)


def own_functions(program):
    """The names of the functions that the program defines itself; all others are libraries to both sides."""
    text = subprocess.run(["nm", "--defined-only", program], capture_output=True, text=True, check=True).stdout
    return {plain_name(words[2]) for words in map(str.split, text.splitlines()) if len(words) == 3 and words[1] in "tT"}


def shares_of(costs, functions):
    grouped = collections.Counter()
    for name, cost in costs.items():
        grouped[name if name in functions else LIBRARIES] += cost
    total = sum(grouped.values())
    return {name: cost / total for name, cost in grouped.items()}


def distance(left, right):
    return sum(abs(left.get(name, 0) - right.get(name, 0)) for name in left.keys() | right.keys()) / 2


def sample(bench, command, functions):
    """Shares by perf's cpu-clock. What the kernel did for a function (page faults) is the function's, as in ours: the
    innermost frame outside the kernel counts, which needs no frame pointers."""
    folder = bench.folder("run")
    recorded = subprocess.run(["perf", "record", "-q", "-e", "cpu-clock", "-F", HERTZ, "-g", "-o",
                               f"{folder}/perf.data", *map(str, command)], cwd=folder, capture_output=True, text=True)
    if recorded.returncode != 0:
        raise Unavailable(f"perf does not work here: {(recorded.stderr.strip().splitlines() or ['?'])[-1]}")
    script = subprocess.run(["perf", "script", "-i", f"{folder}/perf.data", "-F", "ip,sym,dso"], cwd=folder,
                            capture_output=True, text=True)
    counts = collections.Counter()
    for stack in script.stdout.split("\n\n"):
        for line in stack.splitlines():
            match = re.match(r"\s*[0-9a-f]+ (.*) \((.*)\)$", line)
            if match and "[" not in match[2]:
                own = match[2].endswith("/" + command[0].name)
                counts[plain_name(match[1]) if own else LIBRARIES] += 1
                break
    if sum(counts.values()) < 100:
        raise Unavailable("perf took no samples here")
    return shares_of(counts, functions)


def profile_shares(row, figures, functions):
    if row.tool == "callgrind":
        costs = callgrind_file.CallgrindFile(figures["folder"] / "callgrind.out").self_cost
        merged = collections.Counter()
        for name, cost in costs.items():
            merged[plain_name(name.split("'")[0])] += cost
        return shares_of(merged, functions)
    return shares_of(callgrind_file.CallgrindFile(figures["folder"] / "run.prof", "Wall_ns").self_cost, functions)


def _rows():
    timed = [row for row in rows.MODES if "--no-time" not in row.options and row.build != "gcc"]
    return [*timed, CALLGRIND]


def measure_program(bench, name, source, arguments):
    """{row: [distance of each round]}, the sampler's distance to itself, and the shares themselves."""
    reference = builds.compile_program(bench, name, "noinline", source)
    functions = own_functions(reference)
    samples, profiles = [], collections.defaultdict(list)
    chosen = measure.usable(bench, _rows())

    def run_one(row):
        if row.tool == "alone":
            samples.append(sample(bench, [reference, *arguments], functions))
            return {}
        program = builds.compile_program(bench, name, row.build, source, flags=["-fno-inline"])
        figures = measure.run_undisturbed(bench, row, [program, *arguments])
        profiles[row].append(profile_shares(row, figures, functions))
        return figures

    measure.interleaved(bench, f"shares, {name}", [rows.BASE, *chosen], run_one)
    if not samples:
        raise Unavailable("perf took no samples here")
    mean = {key: statistics.mean(one.get(key, 0) for one in samples) for key in set().union(*samples)}
    noise = [distance(one, mean) for one in samples]
    return {row: [distance(one, mean) for one in profiles[row]] for row in chosen if profiles[row]}, noise, mean, profiles


def run(bench):
    if shutil.which("perf") is None:
        raise Unavailable("shares: perf is not installed (apt-get install linux-perf)")
    tables, details = {}, {}
    for name, source, arguments in (
            ("json", [bench.source / "workloads" / "json.c"], [json_input(bench), "5"]),
            ("steps", [bench.source / "accuracy" / "steps.c"], [])):
        try:
            found, noise, mean, profiles = measure_program(bench, name, source, arguments)
        except Unavailable as error:
            bench.leave_out(f"shares, {name}: {error}")
            continue
        tables[name] = {"perf against the mean of its runs": noise, **{row.label: found[row] for row in found}}
        details[name] = (mean, profiles)
    print(f"### Time shares against perf's cpu-clock, half the sum of absolute differences in % (medians of {bench.runs} runs)\n")
    labels = list(dict.fromkeys(label for table in tables.values() for label in table))
    measure.print_table(["", *({"json": "W2, JSON", "steps": "functions above 100 ns"}[name] for name in tables)],
                        [[label, *(measure.cell([100 * d for d in table.get(label, [])], 1) for table in tables.values())]
                         for label in labels])
    for name, (mean, profiles) in details.items():
        _print_largest(name, mean, profiles)
    bench.print_notes()


def _print_largest(name, mean, profiles):
    """Which functions make the difference."""
    print(f"The largest shares of {name}, in %:\n")
    means = {row: {key: statistics.mean(one.get(key, 0) for one in runs) for key in set().union(*runs)}
             for row, runs in profiles.items() if runs}
    largest = sorted(mean, key=mean.get, reverse=True)[:10]
    for function in sorted(set().union(*means.values()), key=lambda f: -max(m.get(f, 0) for m in means.values()))[:6]:
        if function not in largest:
            largest.append(function)
    measure.print_table(["", "perf", *(row.label for row in means)],
                        [[function, f"{100 * mean.get(function, 0):.1f}",
                          *(f"{100 * one.get(function, 0):.1f}" for one in means.values())] for function in largest])
