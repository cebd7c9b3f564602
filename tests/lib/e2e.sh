# SPDX-License-Identifier: GPL-3.0-or-later
# Sourced by every end-to-end test that runs the server: TAP output, a scratch
# directory, a server under test, requests, and looks at its profiles.
#
#   . "${top_srcdir:-.}/tests/lib/e2e.sh"
#   plan 3
#   start_server ./app            # sets $url, $profiles, $log; ends with the test
#   get /path >answer
#   wait_for_profiles 1
#   is "$(calls leaf)" 5 "leaf() was called 5 times"
#   done_testing
# shellcheck shell=sh

set -u
top_srcdir=$(cd "${top_srcdir:-.}" && pwd)
top_builddir=$(cd "${top_builddir:-.}" && pwd)
PROFCC=$top_builddir/profcc
RUNPROFILESERVER=$top_builddir/runprofileserver
check_callgrind=$top_builddir/tests/lib/check-callgrind
programs=$top_srcdir/tests/programs
export PROFCC

scratch=$(mktemp -d "${TMPDIR:-/tmp}/rps-test.XXXXXX") || exit 99
profiles=$scratch/profiles
log=$scratch/server.log
mkdir "$profiles"
server_pid=
n_run=0
n_planned=
# Runs the programs of a test that can do without: they are compiled for another machine then (tests/e2e/compile/arm64).
emulator=${RPS_EMULATOR:-}
unset http_proxy HTTP_PROXY all_proxy 2>/dev/null || :

cleanup() {
	status=$?
	trap - EXIT INT TERM
	[ -z "$server_pid" ] || stop_server
	[ -n "${KEEP_SCRATCH:-}" ] || rm -rf "$scratch"
	exit $status
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# ---- TAP ------------------------------------------------------------------------

plan() { n_planned=$1; echo "1..$1"; }
skip_all() { echo "1..0 # SKIP $*"; exit 0; }
bail_out() { echo "Bail out! $*"; [ ! -f "$log" ] || sed 's/^/# /' "$log"; exit 99; }
diag() { printf '%s\n' "$*" | sed 's/^/# /'; }

# ok STATUS DESCRIPTION
ok() {
	n_run=$((n_run + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n_run - $2"
	else
		echo "not ok $n_run - $2"
	fi
}

# is ACTUAL EXPECTED DESCRIPTION
is() {
	if [ "$1" = "$2" ]; then
		ok 0 "$3"
	else
		ok 1 "$3"
		diag "expected: $2"
		diag "     got: $1"
	fi
}

# like TEXT PATTERN DESCRIPTION (grep -E)
like() {
	if printf '%s\n' "$1" | grep -qE -- "$2"; then
		ok 0 "$3"
	else
		ok 1 "$3"
		diag "no match for: $2"
		diag "in: $1"
	fi
}

done_testing() {
	[ "$n_run" = "$n_planned" ] || bail_out "planned $n_planned tests, ran $n_run"
	exit 0
}

# ---- Programs ---------------------------------------------------------------------

# compile OUTPUT SOURCE [FLAG...]: with profcc; the flags come last, as libraries do.
compile() {
	output=$1 source=$2
	shift 2
	"$PROFCC" -g -o "$scratch/$output" "$source" "$@" >"$scratch/compile.log" 2>&1 || {
		diag "$(cat "$scratch/compile.log")"
		bail_out "$source does not compile"
	}
}

# ---- The server ----------------------------------------------------------------------

# start_server [OPTION...] APP [ARG...]: on a free port, profiles in $profiles. Sets $url.
start_server() {
	: >"$log" # the last server's lines would be taken for this one's
	"$RUNPROFILESERVER" --kcachegrind --verbose --prof-path="$profiles" --addrport=127.0.0.1:0 "$@" >"$log" 2>&1 </dev/null &
	server_pid=$!
	for _ in $(seq 150); do
		url=$(sed -n 's/^Profiling server is running at \(http:[^ ]*[^/ ]\)\/*$/\1/p' "$log")
		[ -z "$url" ] || return 0
		kill -0 "$server_pid" 2>/dev/null || { server_pid=; bail_out "the server ended at once"; }
		sleep 0.1
	done
	bail_out "the server does not say where it listens"
}

# Ctrl-C, as a person would; its exit status is in $server_status.
stop_server() {
	kill -INT "$server_pid" 2>/dev/null
	for _ in $(seq 200); do
		kill -0 "$server_pid" 2>/dev/null || break
		sleep 0.05
	done
	kill -KILL "$server_pid" 2>/dev/null
	wait "$server_pid" 2>/dev/null
	server_status=$?
	server_pid=
}

get() {
	path=$1
	shift
	curl -sS --max-time 30 "$@" "$url$path"
}

# ---- Profiles --------------------------------------------------------------------------

n_profiles() { find "$profiles" -name '*.prof' -type f | wc -l; }

# wait_for_profiles N: the files appear just after the answer.
wait_for_profiles() {
	for _ in $(seq 400); do
		[ "$(n_profiles)" -lt "$1" ] || return 0
		sleep 0.05
	done
	diag "only $(n_profiles) of $1 profiles"
	return 1
}

# wait_for_profile NAME: of the request whose file name begins so, for a test that counts or removes files after it.
wait_for_profile() {
	for _ in $(seq 400); do
		[ -z "$(find "$profiles" -name "$1*.prof" -type f)" ] || return 0
		sleep 0.05
	done
	diag "no profile of $1"
	return 1
}

# The profile of the one request whose path field begins so.
profile_of() {
	found=$(find "$profiles" -name "$1*.prof" -type f)
	[ "$(printf '%s\n' "$found" | grep -c .)" = 1 ] || { diag "not one profile for $1: $found"; return 1; }
	printf '%s\n' "$found"
}

# calls FUNCTION FILE: how often it was called, by whomever.
calls() { "$check_callgrind" --calls "$1" "$2"; }

# Every rule a callgrind file obeys, on every file there is; and callgrind_annotate has nothing to say.
all_profiles_valid() {
	find "$profiles" -name '*.prof' -type f >"$scratch/all"
	while read -r file; do
		"$check_callgrind" "$file" >"$scratch/check.log" 2>&1 || { diag "$(cat "$scratch/check.log")"; return 1; }
		if command -v callgrind_annotate >/dev/null; then
			# From /: it would take the working directory off some of the file names only.
			(cd / && callgrind_annotate "$file") >/dev/null 2>"$scratch/annotate.log" || return 1
			[ ! -s "$scratch/annotate.log" ] || { diag "$file: $(cat "$scratch/annotate.log")"; return 1; }
		fi
	done <"$scratch/all"
}
