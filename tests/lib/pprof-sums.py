#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
# pprof-sums.py FILE: what a pprof file says, decoded by code that shares nothing with ours (nor with protobuf's):
#   total TYPE/UNIT SUM
#   self FUNCTION VALUE...                 sums over the samples whose leaf it is
#   call CALLER CALLEE LINE VALUE          calls/count of the samples that end in this call
#   label KEY VALUE, comment TEXT, mapping FILE, function NAME FILE LINE, time NS, duration NS, default TYPE
# and exits 1 where a rule of the format is broken.
import collections
import gzip
import sys


def fields(data):
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
        elif key & 7 == 2:
            size = varint()
            assert at + size <= len(data), 'cut off'
            yield key >> 3, data[at:at + size]
            at += size
        else:
            raise AssertionError('wire type %d' % (key & 7))


def numbers(value):
    """A repeated number, packed or not."""
    if isinstance(value, int):
        return [value]
    result, number, shift = [], 0, 0
    for byte in value:
        number |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            result.append(number)
            number = shift = 0
    return result


def message(data):
    result = collections.defaultdict(list)
    for number, value in fields(data):
        result[number].append(value)
    return result


def one(m, number, default=0):
    return m[number][-1] if m[number] else default


with open(sys.argv[1], 'rb') as file:
    profile = message(gzip.decompress(file.read()))
texts = [text.decode() for text in profile[6]]
assert texts[0] == '', 'text 0 is not empty'
types = ['%s/%s' % (texts[one(t, 1)], texts[one(t, 2)]) for t in map(message, profile[1])]
mappings = {one(m, 1): texts[one(m, 5)] for m in map(message, profile[3])}
functions = {one(f, 1): (texts[one(f, 2)], texts[one(f, 4)], one(f, 5)) for f in map(message, profile[5])}
locations = {}
for location in map(message, profile[4]):
    lines = [(functions[one(line, 1)][0], one(line, 2)) for line in map(message, location[4])]
    assert len(lines) == 1 and one(location, 1) not in locations
    assert one(location, 2) == 0 or one(location, 2) in mappings
    locations[one(location, 1)] = lines[0]
assert 0 not in mappings and 0 not in functions and 0 not in locations, 'an id is 0'
assert types[0] == 'calls/count', 'the count is not at index 0'

totals = [0] * len(types)
selfs = collections.defaultdict(lambda: [0] * len(types))
calls = collections.Counter()
labels = set()
for sample in map(message, profile[2]):
    stack = [locations[i] for part in sample[1] for i in numbers(part)]
    values = [v for part in sample[2] for v in numbers(part)]
    assert len(values) == len(types) and stack
    for i, value in enumerate(values):
        totals[i] += value
        selfs[stack[0][0]][i] += value
    if len(stack) > 1:
        calls[stack[1][0], stack[0][0], stack[1][1]] += values[0]
    labels |= {(texts[one(label, 1)], texts[one(label, 2)]) for label in map(message, sample[3])}
for name, total in zip(types, totals):
    print('total', name, total)
for name, values in sorted(selfs.items()):
    print('self', name, *values)
for (caller, callee, line), count in sorted(calls.items()):
    if count:
        print('call', caller, callee, line, count)
for label in sorted(labels):
    print('label', *label)
for comment in (n for part in profile[13] for n in numbers(part)):
    print('comment', texts[comment])
for mapping in mappings.values():
    print('mapping', mapping)
for function in sorted(functions.values()):
    print('function', *function)
print('time', one(profile, 9))
print('duration', one(profile, 10))
print('default', texts[one(profile, 14)])
