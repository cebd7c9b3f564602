#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints name-template-cases.h: what Python itself makes of format specifications.

The table is kept in the tree, so that the test needs no Python; after a change here run
    tests/unit/name-template-cases.py > tests/unit/name-template-cases.h
Left out are what file names can't hold and the type that is not supported (c)."""

import itertools
import random

NUMBERS = [0, 7, 42, 999, 1000, 1234, 1234567, 12345678901, 2**64 - 1]
TEXTS = ["", "a", "GET", "shop.cart", "a=1", "h\u00e4\u00dflich", "\u65e5\u672c\u8a9e"]
FILLS = ["", "<", ">", "=", "^", "x<", "0>", "_^", "0=", "0<", "\u00e4>", " =", "-^", "=="]
SIGNS = ["", "+", "-", " "]
WIDTHS = ["", "0", "1", "6", "06", "010", "9", "08", "15", "012", "33", "041"]
GROUPS = ["", ",", "_", ",_", "_,", ",,"]
PRECISIONS = ["", ".0", ".2", ".", ".5", ".100"]
NUMBER_TYPES = ["", "d", "n", "x", "X", "o", "b", "s", "q", "dd"]
FRACTION_TYPES = ["e", "E", "f", "F", "g", "G", "%"]
TEXT_TYPES = ["", "s", "d", "ss"]


def expected(value, spec):
    try:
        return format(value, spec)
    except ValueError:
        return None


def quote(text):
    if text is None:
        return "NULL"
    out = ""
    for byte in text.encode():
        out += chr(byte) if 0x20 <= byte < 0x7F and byte not in b'"\\' else "\\%03o" % byte
    return '"' + out + '"'


def cases():
    chance = random.Random(1)
    specs = set()
    for fill, width, kind in itertools.product(FILLS, WIDTHS, NUMBER_TYPES[:7]):
        specs.add((fill + width + kind, True))
    for fill, width, group, kind in itertools.product(["", "0=", "<", "x="], WIDTHS[2:], [",", "_"], ["", "x", "b"]):
        specs.add((fill + width + group + kind, True))
    while len(specs) < 1800:
        number = chance.random() < 0.7
        specs.add((chance.choice(FILLS) + chance.choice(SIGNS) + chance.choice(["", "", "#", "z"])
                   + chance.choice(WIDTHS) + chance.choice(GROUPS if chance.random() < 0.6 else [""])
                   + chance.choice(PRECISIONS if chance.random() < (0.2 if number else 0.7) else [""])
                   + chance.choice(NUMBER_TYPES if number else TEXT_TYPES), number))
    for kind, precision in itertools.product(FRACTION_TYPES, PRECISIONS + [".1", ".20"]):
        specs.update((chance.choice(FILLS) + chance.choice(SIGNS) + chance.choice(["", "#", "z", "z#"])
                      + chance.choice(WIDTHS) + chance.choice(GROUPS[:3]) + precision + kind, True) for _ in range(6))
    for spec, number in sorted(specs):
        value = chance.choice(NUMBERS if number else TEXTS)
        yield spec, value, expected(value, spec)


print("/* SPDX-License-Identifier: GPL-3.0-or-later */")
print("/* Made by name-template-cases.py from Python's own format(): don't edit. */")
for spec, value, result in cases():
    if isinstance(value, int):
        print("{ %s, NULL, %du, %s }," % (quote(spec), value, quote(result)))
    else:
        print("{ %s, %s, 0, %s }," % (quote(spec), quote(value), quote(result)))
