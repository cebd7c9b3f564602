# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads as much of a callgrind file as the benchmarks need: self costs, calls and inclusive costs by function name.
Code of its own, so that the project's reader is not taken at its own word."""
import collections
import re

from harness.context import Unavailable

SPEC = re.compile(r"(c?fn)=(?:\((\d+)\))?\s*(.*)")
COSTS = re.compile(r"(?:[+*-]?\d+|\*|0x[0-9a-f]+)\s+([\d ]+)$")


class CallgrindFile:
    def __init__(self, path, event=None):
        self.self_cost = collections.Counter()  # name
        self.calls = collections.Counter()  # (caller, callee)
        self.inclusive = collections.Counter()  # (caller, callee)
        self.description = []
        self.total = 0
        self.events = []
        self._names = {}
        with open(path, errors="replace") as file:
            self._read(file, event)
        if not self.events:
            raise Unavailable(f"{path}: not a callgrind file")
        if event is not None and event not in self.events:
            raise Unavailable(f"{path}: has no {event}, but {' '.join(self.events)}")

    def _name(self, number, text):
        if number is None:
            return text
        if text:
            self._names[number] = text
        return self._names[number]

    def _read(self, file, event):
        column, function, callee, pending = 0, None, None, None
        for line in file:
            line = line.rstrip("\n")
            if line.startswith("desc:"):
                self.description.append(line[5:].strip())
            elif line.startswith("events:"):
                self.events = line.split()[1:]
                column = self.events.index(event) if event in self.events else 0
            elif match := SPEC.match(line):
                name = self._name(match[2], match[3])
                if match[1] == "fn":
                    function = name
                else:
                    callee = name
            elif line.startswith("calls="):
                pending = int(line[6:].split()[0])
            elif function is not None and (match := COSTS.match(line)):
                costs = match[1].split()
                cost = int(costs[column]) if column < len(costs) else 0
                if pending is not None:
                    self.calls[function, callee] += pending
                    self.inclusive[function, callee] += cost
                    pending = None
                else:
                    self.self_cost[function] += cost
                    self.total += cost

    def calls_of(self, name):
        return sum(calls for (_, callee), calls in self.calls.items() if callee == name)

    def inclusive_of(self, name):
        return sum(cost for (_, callee), cost in self.inclusive.items() if callee == name)
