/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A good callgrind file, and every way to break a rule of the format: for the checker of the tests and for runprofile
 * validate, which share no code and must refuse the same. Included once a test program. */
#ifndef RPS_TESTS_BROKEN_CALLGRIND_H
#define RPS_TESTS_BROKEN_CALLGRIND_H

/* clang-format off */
static const char whole_file[] =
    "# callgrind format\n"
    "version: 1\n"
    "creator: somebody\n"
    "pid: 4711\n"
    "cmd: ./shop -p 80\n"
    "part: 1\n"
    "desc: Id: 00c0ffee\n"
    "desc: URL: /cart\\nx: y\n"
    "positions: line\n"
    "event: Wall_ns : Wall time (ns)\n"
    "events: Wall_ns Lost\n"
    "summary: 1000 3\n"
    "\n"
    "ob=(1) ???\n"
    "fl=(1) ???\n"
    "fn=(1) GET /cart\n"
    "0 5 0\n"
    "cob=(2) /bin/shop\n"
    "cfi=(2) /src/cart.c\n"
    "cfn=(4) total\n"
    "calls=1 40\n"
    "0 995 3\n"
    "\n"
    "ob=(1)\n"
    "fl=(1)\n"
    "fn=(2) mystery\n"
    "0 90 0\n"
    "\n"
    "ob=(2)\n"
    "fl=(2)\n"
    "fn=(3) price\n"
    "80 605 3\n"
    "cob=(2)\n"
    "cfi=(2)\n"
    "cfn=(3)\n"
    "calls=7 80\n"
    "88 0 0\n"
    "cob=(2)\n"
    "cfi=(2)\n"
    "cfn=(4)\n"
    "calls=2 40\n"
    "89 0 0\n"
    "\n"
    "ob=(2)\n"
    "fl=(2)\n"
    "fn=(4)\n"
    "40 300 0\n"
    "cob=(1)\n"
    "cfi=(1)\n"
    "cfn=(2)\n"
    "calls=3 0\n"
    "0 90 0\n"
    "cob=(2)\n"
    "cfi=(2)\n"
    "cfn=(3)\n"
    "calls=12 80\n"
    "47 600 2\n"
    "fi=(3) /src/cart.inc\n"
    "12 0 0\n"
    "cob=(2)\n"
    "cfi=(2)\n"
    "cfn=(3)\n"
    "calls=1 80\n"
    "12 5 1\n"
    "\n"
    "totals: 1000 3\n";
/* clang-format on */

/* `bad` in place of the first `good`, and what tests/lib/check-callgrind says. */
static const struct {
	const char *good, *bad, *said;
} broken[] = {
    {"# callgrind format\n", "#callgrind format\n", ":1: rule 1"},
    {"# callgrind format\n", "", ":1: rule 1"},
    {"pid: 4711\ncmd: ./shop -p 80\n", "cmd: ./shop -p 80\npid: 4711\n", ":5: rule 2"},
    {"part: 1\n", "", "rule 2: \"part: \" is missing"},
    {"positions: line\n", "positions: instr line\n", "rule 2: positions"},
    {"desc: Id: 00c0ffee\n", "desc: Id\n", "rule 2: desc"},
    {"events: Wall_ns Lost\nsummary: 1000 3\n", "summary: 1000 3\nevents: Wall_ns Lost\n", "rule 2"},
    {"summary: 1000 3\n", "summary: 1000 3\nevents: Wall_ns Lost\n", "rule 3"},
    {"\ntotals: 1000 3\n", "\ntotals: 1000 3\nfl=(1)\n", "rule 2: something stands behind"},
    {"fn=(3) price\n", "fn=(3) total\n", "rule 4: two functions"},
    {"cfi=(2)\ncfn=(4)\n", "cfi=(1)\ncfn=(4)\n", "rule 4: total has another file"},
    {"cob=(2)\ncfi=(2)\ncfn=(4)\n", "cfi=(2)\ncfn=(4)\n", "rule 5"},
    {"cob=(2)\ncfi=(2)\ncfn=(4)\n", "cob=(2)\ncfn=(4)\n", "rule 5"},
    {"cob=(2)\ncfi=(2)\ncfn=(4)\n", "cob=(2)\ncfi=(2)\n", "rule 5"},
    {"ob=(1)\nfl=(1)\nfn=(2)", "fl=(1)\nob=(1)\nfn=(2)", "rule 6"},
    {"ob=(1)\nfl=(1)\nfn=(2)", "fn=(2)", "rule 6"},
    {"calls=2 40\n89 0 0\n", "calls=2 40\n\nob=(2)\n", "rule 7"},
    {"calls=2 40\n", "calls=0 40\n", "rule 21"},
    {"calls=2 40\n", "calls=2\n", "rule 12"},
    {"0 90 0\n\nob", "0 90.5 0\n\nob", "rule 12"},
    {"0 90 0\n\nob", "0 -90 0\n\nob", "rule 11"},
    {"0 90 0\n\nob", "0 90\n\nob", "rule 12"},
    {"0 90 0\n\nob", "0 90 0 0\n\nob", "rule 11"},
    {"0 90 0\n\nob", "+0 90 0\n\nob", "rule 3"},
    {"0 90 0\n\nob", "0 18446744073709551616 0\n\nob", "rule 11: beyond 64 bits"},
    {"0 90 0\n\nob", "0  90 0\n\nob", "rule 12"},
    {"0 90 0\n\nob", "0\t90 0\n\nob", "rule 12: byte 09"},
    {"fl=(1) ???\n", "fl=(1) \n", "rule 12"},
    {"fl=(1) ???\n", "fl=(1) (2) x\n", "rule 12"},
    {"fn=(2) mystery", "fn=(9) mystery", "rule 13: function (2) was not declared"},
    {"fn=(3)\n", "fn=(3) price\n", "rule 13: function (3) is declared twice"},
    {"fl=(2)\n", "fl=/src/cart.c\n", "rule 13: file name is not compressed"},
    {"fi=(3) ", "fi=(4) ", "rule 13: file ids are not dense"},
    {"fi=(3) ", "fi=(4194305) ", "rule 13: file id 4194305 can't be dense"},
    {"fi=(3) /src/cart.inc", "fi=(3) cart.inc", "rule 14"},
    {"event: Wall_ns : ", "event: Wall-ns : ", "rule 15"},
    {"events: Wall_ns Lost", "events: Wall_ns 2nd", "rule 15"},
    {"summary: 1000 3", "summary: 1001 3", "rule 9"},
    {"totals: 1000 3", "totals: 1000 2", "rule 9"},
    {"80 605 3\n", "80 606 3\n", "rule 9: Wall_ns: self costs make 1001"},
    {"0 995 3\n", "0 994 3\n", "rule 9: Wall_ns: the root"},
    {"88 0 0\n", "88 1 0\n", "rule 10: price calls itself"},
    {"89 0 0\n", "89 6 0\n", "rule 10: Wall_ns: what goes into total"},
    {"0 90 0\ncob", "0 89 0\ncob", "rule 8: Wall_ns: 89 go into mystery"},
    {"totals: 1000 3\n", "totals: 1000 3", "cut off"},
    {"\ntotals: 1000 3\n", "\n", "rule 9: the file ends"},
};

#endif
