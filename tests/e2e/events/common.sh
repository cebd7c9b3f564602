# SPDX-License-Identifier: GPL-3.0-or-later
# Sourced by the tests of events other than time.
# shellcheck shell=sh
RUNPROFILE=$top_builddir/runprofile

# record NAME EVENTS [OPTION...]: runs $scratch/NAME, whose profile (callgrind) is $scratch/NAME.prof.
record() {
	record_name=$1 record_events=$2
	shift 2
	"$RUNPROFILE" record -q --kcachegrind --events="$record_events" -o "$scratch/$record_name.prof" "$@" -- "$scratch/$record_name" >"$scratch/$record_name.out" 2>"$log" ||
		diag "$(cat "$log")"
}

# cost EVENT FUNCTION FILE: "SELF INCLUSIVE", as runprofile top says; "none" without such a function.
cost() {
	"$RUNPROFILE" top --event="$1" --json "$3" | python3 -c '
import json, sys
rows = [row for row in json.load(sys.stdin)["functions"] if row["function"].split("(")[0] == sys.argv[2]]
print(*[row[kind + sys.argv[1]] for row in rows for kind in ("self_", "inclusive_")] or ["none"])' "$1" "$2"
}

events_of() { sed -n 's/^events: //p' "$1"; }
