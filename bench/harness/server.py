# SPDX-License-Identifier: GPL-3.0-or-later
"""The web application of W4, run directly, below a tool, or behind runprofileserver: its port, its process, its CPU time."""
import os
import pathlib
import re
import signal
import socket
import subprocess
import time

from harness import builds, measure, rows
from harness.context import Unavailable

TIMEOUT_S = 60


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _children(pid):
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(word) for word in task.read_text().split()]
        except OSError:
            pass
    return found


class Server:
    """`row` runs `program`; with `front`, behind runprofileserver."""

    def __init__(self, bench, row, program, folder, front=False):
        self.bench, self.folder, self.front = bench, folder, front
        self.profiles = folder / "profiles"
        self.log = folder / "log"
        variables = {}
        if front:
            self.profiles.mkdir()
            words = [str(bench.build / "runprofileserver"), "--kcachegrind", f"--prof-path={self.profiles}",
                     "--addrport=127.0.0.1:0", *row.options, "--", str(program), "--port={port}"]
        else:
            self.port = free_port()
            words, variables = rows.start(bench, row, [program, f"--port={self.port}"], folder)
            if row.tool == "callgrind":
                words.insert(-2, "--dump-after=answer")
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(words, cwd=folder, env={**os.environ, **variables}, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise

    def _wait(self):
        end = time.monotonic() + TIMEOUT_S
        while time.monotonic() < end and self.process.poll() is None:
            if self.front:
                match = re.search(r"running at http://[^ ]*:(\d+)", self.log.read_text())
                if match:
                    self.port = int(match[1])
                    return
            else:
                try:
                    socket.create_connection(("127.0.0.1", self.port), 1).close()
                    return
                except OSError:
                    pass
            time.sleep(0.05)
        raise Unavailable(f"the server did not start: {(self.log.read_text().strip().splitlines() or ['no message'])[-1]}")

    def application(self):
        """The process id: the tool's last descendant, or the tool itself (valgrind)."""
        pid = self.process.pid
        while children := _children(pid):
            pid = children[-1]
        return pid

    def cpu_s(self):
        """User and system time of the application, in ns steps: the process's CPU clock, seen from outside."""
        return time.clock_gettime((~self.application() << 3) | 2)

    def load(self, requests, connections=4):
        """Sends that many; wall seconds."""
        program = builds.compile_program(self.bench, "load", "plain", [self.bench.source / "workloads" / "load.c"], ["-pthread"])
        done = subprocess.run([program, str(self.port), "/", str(requests), str(connections)], capture_output=True, text=True)
        figures = measure.parse_figures(done.stdout)
        if done.returncode != 0 or figures["failed"] > 0:
            raise Unavailable(f"{int(figures.get('failed', requests))} of {requests} requests failed")
        return figures["wall_s"]

    def stop(self):
        """Ends the application, then the tool; both may have something to write."""
        if self.process.poll() is None:
            os.kill(self.process.pid if self.front else self.application(), signal.SIGINT)
            try:
                self.process.wait(TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
