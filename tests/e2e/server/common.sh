# SPDX-License-Identifier: GPL-3.0-or-later
# Sourced after lib/e2e.sh by the tests of the server: its test application, a client without manners, what is
# left behind.
# shellcheck shell=sh

# Everything that is made stays in $scratch, where it is looked for.
TMPDIR=$scratch/tmp
export TMPDIR
mkdir "$TMPDIR"

# programs/server-app.c, as a program.
compile_app() {
	compile server-app "$programs/server-app.c" -O1 -I"$top_srcdir/include" -lmicrohttpd
}

# The same as a module.
compile_module() {
	compile server-app.so "$programs/server-app.c" -O1 -shared -fPIC -I"$top_srcdir/include" -lmicrohttpd
}

compile_client() {
	${CC:-cc} -o "$scratch/server-client" "$programs/server-client.c" || bail_out "server-client.c does not compile"
}

# raw [ACTION [MS]]: sends stdin to the server, byte by byte as it is.
raw() { "$scratch/server-client" "${url##*:}" "$@"; }

# Only the status.
status_of() {
	path=$1
	shift
	curl -sS --max-time 30 -o /dev/null -w '%{http_code}' "$@" "$url$path" 2>/dev/null
}

# The lines of the log that say so. (A line may still be on its way: see wait_for_log.)
count_log() { grep -cE -- "$1" "$log"; }

# wait_for_log PATTERN [N]
wait_for_log() {
	for _ in $(seq 200); do
		[ "$(count_log "$1")" -lt "${2:-1}" ] || return 0
		sleep 0.05
	done
	diag "the log has not ${2:-1} of: $1"
	diag "$(cat "$log")"
	return 1
}

# wait_for FILE PATTERN
wait_for() {
	for _ in $(seq 200); do
		grep -qE -- "$2" "$1" 2>/dev/null && return 0
		sleep 0.05
	done
	diag "$1 has not: $2"
	return 1
}

# Processes that were started from $scratch and are still there (none), except the server under test.
leftover_processes() {
	for _ in $(seq 20); do
		found=$(pgrep -f "$scratch/" | grep -vx "${server_pid:-none}")
		[ -n "$found" ] || return 0
		sleep 0.05
	done
	for pid in $found; do
		tr '\0' ' ' <"/proc/$pid/cmdline" && echo
	done
}

# Temporary files of the server (none).
leftover_files() {
	find "$profiles" "$TMPDIR" -mindepth 1 ! -name '*.prof' ! -type d
}
