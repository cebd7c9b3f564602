# SPDX-License-Identifier: GPL-3.0-or-later
# Sourced by the checks of `make check-compile`: where things are, a scratch folder, and the count of results.
#
#   check STATUS TEXT    one result, as a line of TAP
#   diag TEXT            lines that explain the one before
#   skip_rest TEXT       ends the check: nothing more can be said, and why
#   finish               the plan, "N passed, N failed", the exit status
#
# KEEP_SCRATCH=1 keeps the scratch folder; RPS_SOURCES says where fetched sources are kept ($top_builddir/sources).
# shellcheck shell=sh disable=SC2034

set -u
export LC_ALL=C
top_srcdir=$(cd "${top_srcdir:-$(dirname "$0")/../..}" && pwd)
top_builddir=$(cd "${top_builddir:-.}" && pwd)
here=$top_srcdir/tests/compile
PROFCC=${PROFCC:-$top_builddir/profcc}
PROFCXX=${PROFCXX:-$top_builddir/profc++}
runprofile=$top_builddir/runprofile
check_callgrind=$top_builddir/tests/lib/check-callgrind
sources=${RPS_SOURCES:-$top_builddir/sources}
check_name=$(basename "$0")
n_passed=0
n_failed=0
unset MAKEFLAGS MAKELEVEL MFLAGS CFLAGS CXXFLAGS LDFLAGS CPPFLAGS LIBS PROFCC_FLAGS

skip_rest() {
	echo "1..$((n_passed + n_failed)) # SKIP $*"
	exit 77
}

for program in "$PROFCC" "$PROFCXX" "$runprofile" "$check_callgrind"; do
	[ -x "$program" ] || { echo "Bail out! there is no $program (run make check-compile in a build tree)"; exit 99; }
done
# The compiler profcc runs: the one to compare with.
GCC=$(sed -n 's/^PROFCC_DEFAULT_CC = //p' "$top_builddir/Makefile")
GXX=$(sed -n 's/^PROFCC_DEFAULT_CXX = //p' "$top_builddir/Makefile")

scratch=$(mktemp -d "${TMPDIR:-/tmp}/rps-$check_name.XXXXXX") || exit 99
cleanup() {
	status=$?
	trap - EXIT
	[ -n "${KEEP_SCRATCH:-}" ] || rm -rf "$scratch"
	exit $status
}
trap cleanup EXIT
trap 'exit 130' HUP INT TERM

diag() { [ -z "$*" ] || printf '%s\n' "$*" | sed 's/^/# /'; }

check() {
	if [ "$1" -eq 0 ]; then
		n_passed=$((n_passed + 1))
		echo "ok $((n_passed + n_failed)) - $2"
	else
		n_failed=$((n_failed + 1))
		echo "not ok $((n_passed + n_failed)) - $2"
	fi
}

finish() {
	echo "1..$((n_passed + n_failed))"
	echo "# $check_name: $n_passed passed, $n_failed failed"
	[ "$n_failed" -eq 0 ]
	exit
}

# need PROGRAM PACKAGE
need() {
	command -v "$1" >/dev/null || skip_rest "needs $1 (apt-get install $2, or tests/compile/install-packages)"
}

# fetch PACKAGE [--patched]: sets $fetched to a Debian source package's folder, which is not to be written to.
fetch() {
	fetched=$("$top_srcdir/tests/lib/debian-source" ${2:-} "$1" "$sources" 2>"$scratch/fetch.log") || {
		diag "the source package $1 can't be had: $(cat "$scratch/fetch.log")"
		return 1
	}
}

now_ms() { date +%s%3N; }
