# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows of the tables: a build and a way to run it. A new mode of ours is one more line of ROWS."""
import dataclasses
import os
import shutil

PERF_HERTZ = "1000"


@dataclasses.dataclass(frozen=True)
class Row:
    label: str
    build: str
    tool: str = "alone"
    options: tuple = ()  # of runprofile record and runprofileserver
    is_heavy: bool = False  # ten times slower or more: fewer runs
    is_peer: bool = False

    def missing(self, bench):
        """None, or why the row can't be measured."""
        program, package = PROGRAMS.get(self.tool, (None, None))
        if program is not None and shutil.which(program) is None:
            return f"{self.label}: {program} is not installed (apt-get install {package})"
        if self.tool == "gperftools" and gperftools() is None:
            return f"{self.label}: libprofiler.so is not installed (apt-get install libgoogle-perftools-dev)"
        for option in self.options:
            if not bench.knows("record", option):
                return f"{self.label}: this version has no {option}"
        return None


BASE = Row("uninstrumented", "plain")
GPROF = Row("gprof (-pg)", "pg", is_peer=True)
EMPTY = Row("empty hooks, called", "hooks")
DETACHED = Row("profcc, no collector", "profcc")
MODES = [
    Row("profcc, --no-time", "profcc", "record", ("--no-time",)),
    Row("profcc, default", "profcc", "record"),
    Row("profcc, --exact-time", "profcc", "record", ("--exact-time",)),
    Row("profcc small code, --no-time", "small", "record", ("--no-time",)),
    Row("profcc small code, default", "small", "record"),
    Row("gcc's plain hooks, default", "gcc", "record"),
]
PEERS = [
    Row("uftrace (-pg)", "pg", "uftrace", is_heavy=True, is_peer=True),
    Row("uftrace (-finstrument-functions)", "gcc", "uftrace", is_heavy=True, is_peer=True),
    Row("valgrind callgrind", "plain", "callgrind", is_heavy=True, is_peer=True),
    Row("perf record", "plain", "perf", is_peer=True),
    Row("gperftools", "plain", "gperftools", is_peer=True),
]
ROWS = [BASE, GPROF, EMPTY, DETACHED, *MODES, *PEERS]

PROGRAMS = {
    "uftrace": ("uftrace", "uftrace"),
    "callgrind": ("valgrind", "valgrind"),
    "perf": ("perf", "linux-perf"),
}


def gperftools():
    for folder in "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib", "/usr/local/lib":
        for name in "libprofiler.so", "libprofiler.so.0":
            if os.path.exists(f"{folder}/{name}"):
                return f"{folder}/{name}"
    return None


def start(bench, row, command, folder):
    """The command line and variables that run `command` the row's way; what it writes goes to `folder`."""
    command = [str(word) for word in command]
    if row.tool == "record":
        return [str(bench.build / "runprofile"), "record", "-q", "--kcachegrind", "-o", f"{folder}/run.prof", *row.options, "--", *command], {}
    if row.tool == "uftrace":
        return ["uftrace", "record", "-d", f"{folder}/uftrace", *command], {}
    if row.tool == "callgrind":
        return ["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={folder}/callgrind.out", *command], {}
    if row.tool == "perf":
        return ["perf", "record", "-q", "-e", "cpu-clock", "-F", PERF_HERTZ, "-o", f"{folder}/perf.data", *command], {}
    if row.tool == "gperftools":
        return command, {"LD_PRELOAD": gperftools(), "CPUPROFILE": f"{folder}/cpu.profile"}
    return command, {}
