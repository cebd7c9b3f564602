# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of the suite: where things are, how often to measure, what to remember for the notes and the summary."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile


class Unavailable(Exception):
    """What can't be measured here; the text says what is missing and how to have it."""


def _files_place():
    chosen = os.environ.get("BENCH_FILES", "/dev/shm")
    return chosen if os.access(chosen, os.W_OK) and shutil.disk_usage(chosen).free > 1 << 30 else None


class Bench:
    def __init__(self, options):
        self.source = pathlib.Path(__file__).resolve().parent.parent
        self.build = pathlib.Path(os.environ.get("top_builddir", ".")).resolve()
        self.top = self.source.parent
        self.runs = options.runs
        self.heavy_runs = options.heavy_runs
        self.quick = options.quick
        self.peers = not options.no_peers
        self.requests = options.requests
        self.cache = self.build / "bench" / "cache"
        self.cache.mkdir(parents=True, exist_ok=True)
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="rps-bench-"))
        self.files = pathlib.Path(tempfile.mkdtemp(prefix="rps-bench-", dir=_files_place()))
        self.summary = {}
        self.notes = []
        self.absent = []
        self._help = {}
        for program in "profcc", "runprofile", "runprofileserver":
            if not (self.build / program).exists():
                sys.exit(f"bench: there is no {self.build / program} (run make bench in a build tree)")

    def close(self):
        shutil.rmtree(self.scratch, ignore_errors=True)
        shutil.rmtree(self.files, ignore_errors=True)

    def files_folder(self):
        """An empty folder for tens of thousands of files, ours and the peers' alike: in memory, since a disk's file system is
        slow to create files where many were just deleted, and that is not what is measured."""
        shutil.rmtree(self.files, ignore_errors=True)
        self.files.mkdir()
        return self.files

    def folder(self, name):
        """An empty folder in the scratch one; the last use's contents are gone."""
        path = self.scratch / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        return path

    def leave_out(self, what):
        """What can't be measured, and why; named at the end."""
        if str(what) not in self.absent:
            self.absent.append(str(what))

    def print_absent(self):
        if self.absent:
            print("### Not measured\n")
            print("".join(f"- {text}\n" for text in self.absent))

    def note(self, text):
        """Something to know about the table above."""
        if text not in self.notes:
            self.notes.append(text)

    def print_notes(self):
        for text in self.notes:
            print(f"- {text}")
        if self.notes:
            print()
        self.notes = []

    def progress(self, text):
        if sys.stderr.isatty():
            print(f"\r\033[K{text}"[:120], end="", file=sys.stderr, flush=True)

    def remember(self, row, column, text):
        """A cell of the table at the end."""
        self.summary.setdefault(row.label, {})[column] = text

    def knows(self, command, option):
        """Whether `runprofile record` or `runprofileserver` has the option."""
        if command not in self._help:
            words = {"record": [self.build / "runprofile", "record", "--help"],
                     "server": [self.build / "runprofileserver", "--help"]}[command]
            self._help[command] = subprocess.run(words, capture_output=True, text=True).stdout
        return option.split("=")[0] in self._help[command]
