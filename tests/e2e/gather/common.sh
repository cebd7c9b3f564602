# SPDX-License-Identifier: GPL-3.0-or-later
# Sourced by the tests of gather_profile_stats: files to add up, without a server.
# shellcheck shell=sh
. "${top_srcdir:-.}/tests/lib/e2e.sh"
GATHER=$top_builddir/gather_profile_stats
RUNPROFILE=$top_builddir/runprofile
cd "$scratch" || exit 99

# make_profile FILE METHOD PATH TIME DURATION-US CALLS: handle() calls work() CALLS times, at 10 ns each.
make_profile() {
	mkdir -p "$(dirname "$1")"
	total=$((100 + $6 * 10))
	cat >"$1" <<-END
	# callgrind format
	version: 1
	creator: RunProfileServer 0.1.0
	pid: 4711
	cmd: ./shop
	part: 1
	desc: Method: $2
	desc: Path: $3
	desc: Status: 200
	desc: Duration us: $5
	desc: Time: $4
	positions: line
	event: Wall_ns : Wall time (ns)
	events: Wall_ns
	summary: $total

	ob=(1) ???
	fl=(1) ???
	fn=(1) $2 $3
	0 0
	cob=(2) /bin/shop
	cfi=(2) /src/shop.c
	cfn=(2) handle
	calls=1 10
	0 $total

	ob=(2)
	fl=(2)
	fn=(2)
	10 100
	cob=(2)
	cfi=(2)
	cfn=(3) work
	calls=$6 20
	12 $((total - 100))

	ob=(2)
	fl=(2)
	fn=(3)
	20 $((total - 100))

	totals: $total
	END
}

# calls_of FUNCTION FILE, self_of FUNCTION FILE
calls_of() { "$check_callgrind" --calls "$1" "$2"; }
self_of() { "$check_callgrind" --self "$1" "$2"; }
