#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
# kcachegrind-compare.py DUMP TOP-JSON: KCacheGrind's loader against `runprofile top --json`: the self costs and counts
# of all functions. Functions of one name are added up: KCacheGrind's names have what tells them apart in brackets.
import collections
import json
import re
import sys

theirs, ours = collections.Counter(), collections.Counter()
for line in open(sys.argv[1], errors='replace'):
    kind, *rest = line.rstrip('\n').split('\t')
    if kind == 'function':
        name = re.sub(r' \[[^]]*\]$', '', rest[0])
        theirs[name, 'self'] += int(rest[1])
        theirs[name, 'calls'] += int(rest[2])
with open(sys.argv[2], errors='replace') as file:
    top = json.load(file)
event = 'self_' + next(iter(top['totals']))
for function in top['functions']:
    name = re.sub(r' \[[^]]*\]$', '', function['function'])
    ours[name, 'self'] += function[event]
    ours[name, 'calls'] += function['calls']
different = [(key, theirs[key], ours[key]) for key in sorted(set(theirs) | set(ours)) if theirs[key] != ours[key]]
for key, a, b in different[:10]:
    print('# %s of %s: %d for KCacheGrind, %d for us' % (key[1], key[0], a, b))
print('%d functions, %d calls, %d in all' % (len({name for name, _ in ours}), sum(v for k, v in ours.items() if k[1] == 'calls'), sum(v for k, v in ours.items() if k[1] == 'self')))
sys.exit(bool(different))
