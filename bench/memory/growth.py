# SPDX-License-Identifier: GPL-3.0-or-later
"""Many requests: the memory of server, application and pool, and the server's descriptors, after each tenth; and whether every
request has its file."""
import dataclasses
import os

from harness import builds, measure, rows
from harness.context import Unavailable
from harness.server import Server
from memory.pool import n_descriptors, pool_kib, status_kib

STEPS = 10
SHOWN = (1, 2, 5, 10)


def _take_files(folder):
    """Counts the profiles and deletes them, or a disk would be full of them."""
    n = 0
    for entry in os.scandir(folder):
        if entry.name.endswith(".prof"):
            os.unlink(entry.path)
            n += 1
    return n


def run(bench):
    row = dataclasses.replace(next(row for row in rows.MODES if row.build == "profcc" and not row.options), tool="front")
    each = bench.requests // STEPS
    lines, n_files = [], 0
    print(f"### {each * STEPS:,} requests behind the server, KiB\n")
    try:
        program = builds.compile_program(bench, "handler", row.build, [bench.source / "workloads" / "handler.c"], ["-lmicrohttpd"])
        server = Server(bench, row, program, bench.files_folder(), front=True)
        try:
            for step in range(1, STEPS + 1):
                bench.progress(f"growth: {step * each:,} requests")
                server.load(each)
                n_files += _take_files(server.profiles)
                pid, application = server.process.pid, server.application()
                if step in SHOWN:
                    lines.append([f"{step * each:,}", *(f"{number:,}" for number in (
                        status_kib(pid, "VmRSS"), status_kib(application, "VmRSS"), pool_kib(pid), n_descriptors(pid)))])
        finally:
            server.stop()
        n_files += _take_files(server.profiles)
    except Unavailable as error:
        bench.leave_out(error)
    bench.progress("")
    measure.print_table(["requests", "server RSS", "application RSS", "pool", "server's descriptors"], lines)
    print(f"{n_files:,} profiles of {each * STEPS:,} requests.\n")
    bench.print_notes()
