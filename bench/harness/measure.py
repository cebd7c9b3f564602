# SPDX-License-Identifier: GPL-3.0-or-later
"""Rounds in which every row has its turn, and what is made of them. A machine's speed drifts, so a ratio is always taken
within one round; what is shown is the median over the rounds, and [smallest..largest]."""
import os
import shutil
import statistics
import subprocess

from harness import rows as row_table
from harness.context import Unavailable


def be_urgent():
    """In a child, before exec: before all else that runs, where that is allowed."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except PermissionError:
        pass


def run_program(bench, row, command, before_exec=None):
    """Runs it the row's way, to its end; the figures it prints."""
    folder = bench.folder("run")
    words, variables = row_table.start(bench, row, command, folder)
    done = subprocess.run(words, cwd=folder, env={**os.environ, **variables}, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          preexec_fn=before_exec)
    if done.returncode != 0:
        raise Unavailable(f"{row.label}: {(done.stderr.strip().splitlines() or ['failed'])[-1]}")
    figures = parse_figures(done.stdout)
    figures["folder"] = folder
    return figures


def run_undisturbed(bench, row, command):
    """For profiles of wall time: again, while others took more than 1 % of its time, three times at most."""
    for _ in range(3):
        figures = run_program(bench, row, command, be_urgent)
        if figures["waited_s"] < 0.01 * figures["cpu_s"]:
            return figures
    bench.note(f"{row.label}: other programs ran in more than 1 % of its time, which is in its profile")
    return figures


def parse_figures(text):
    figures = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) == 2:
            try:
                figures[words[0]] = float(words[1])
            except ValueError:
                pass
    return figures


def usable(bench, rows):
    """Those that can be measured; the others are noted."""
    chosen = []
    for row in rows:
        if row.is_peer and not bench.peers and row != row_table.GPROF:
            continue
        reason = row.missing(bench)
        if reason is None:
            chosen.append(row)
        else:
            bench.leave_out(reason)
    return chosen


def interleaved(bench, title, rows, run_one):
    """run_one(row) -> figures. {row: [figures or None of each round]}; rows that fail are noted and left out."""
    results = {row: [] for row in rows}
    for i in range(bench.runs):
        for j in range(len(rows)):
            row = rows[(i + j) % len(rows)]  # nobody is always the first, or behind the same one
            if row not in results:
                continue
            if row.is_heavy and i >= bench.heavy_runs:
                results[row].append(None)
                continue
            bench.progress(f"{title}: round {i + 1} of {bench.runs}, {row.label}")
            try:
                results[row].append(run_one(row))
            except Unavailable as error:
                if row == row_table.BASE:
                    raise
                bench.leave_out(error)
                del results[row]
    bench.progress("")
    shutil.rmtree(bench.scratch / "run", ignore_errors=True)
    return results


def values(results, row, function):
    """function(figures of the row, round number) of each round in which the row ran."""
    return [function(figures, i) for i, figures in enumerate(results[row]) if figures is not None]


def ratios(results, row, base, name):
    return values(results, row, lambda figures, i: figures[name] / results[base][i][name])


def cell(numbers, digits=2):
    """"median [smallest..largest]"; "" of nothing."""
    if not numbers:
        return ""
    if len(numbers) == 1:
        return f"{numbers[0]:.{digits}f}"
    return f"{statistics.median(numbers):.{digits}f} [{min(numbers):.{digits}f}..{max(numbers):.{digits}f}]"


def short(numbers, digits=2):
    return f"{statistics.median(numbers):.{digits}f}" if numbers else ""


def print_table(head, lines):
    """Markdown, aligned, so that it reads well in a terminal, too."""
    table = [head, *lines]
    widths = [max(len(str(line[i])) for line in table) for i in range(len(head))]
    for number, line in enumerate(table):
        print("| " + " | ".join(str(text).ljust(width) for text, width in zip(line, widths)) + " |")
        if number == 0:
            print("|" + "|".join("-" * (width + 2) for width in widths) + "|")
    print()
