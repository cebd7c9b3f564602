# SPDX-License-Identifier: GPL-3.0-or-later
# Sourced by the checks of `make check-gateways`, after tests/compile/common.sh: the server under test, answers compared
# with those of the plain build asked directly.
# shellcheck shell=sh disable=SC2034

RUNPROFILESERVER=$top_builddir/runprofileserver
profiles=$scratch/profiles
log=$scratch/server.log
server_pid=
plain_pid=
mkdir "$profiles"

stop() { # PID
	[ -z "$1" ] || { kill -INT "$1" && wait "$1"; } 2>/dev/null
}
end_servers() {
	stop "$server_pid"
	# Some end only after one more request; nothing of it is of use.
	[ -z "$plain_pid" ] || kill -KILL "-$plain_pid" 2>/dev/null
	server_pid='' plain_pid=''
}
trap 'status=$?; trap - EXIT; end_servers; [ -n "${KEEP_SCRATCH:-}" ] || rm -rf "$scratch"; exit $status' EXIT

# serve OPTION... APP ARG...: sets $url.
serve() {
	: >"$log"
	rm -rf "$profiles"
	mkdir "$profiles"
	"$RUNPROFILESERVER" --kcachegrind ${noreload---noreload} --prof-path="$profiles" --prof-file='{seq}' --addrport=127.0.0.1:0 "$@" >>"$log" 2>&1 </dev/null &
	server_pid=$!
	for _ in $(seq 200); do
		url=$(sed -n 's/^Profiling server is running at \(http:[^ ]*[^/ ]\)\/*$/\1/p' "$log")
		[ -z "$url" ] || return 0
		kill -0 "$server_pid" 2>/dev/null || break
		sleep 0.1
	done
	diag "$(cat "$log")"
	return 1
}

# plain COMMAND...: in a process group of its own.
plain() {
	setsid "$@" >"$scratch/plain.log" 2>&1 </dev/null &
	plain_pid=$!
}

# What differs from run to run, and what a proxy adds.
# A proxy says the reason in its own words, and its fields in an order of its own.
normalise() {
	awk 'BEGIN { head = 1 } { sub(/\r$/, "") } head && /^$/ { head = 0; close("sort"); print; next }
		head && NR == 1 { print $2; next } head { print | "sort"; next } { print }' "$1" |
		sed -E '/^(Date|Server|X-Profile-Id|Connection|Keep-Alive|Transfer-Encoding|Expires):/Id
		s/[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT/DATE/; /(X[-_]FORWARDED|X[-_]RUNPROFILE|RUNPROFILE_ID)/Id
		/^(REMOTE_PORT|SERVER_PORT|PORT|_|LD_PRELOAD)=/d; s/Thread [0-9]+, Process [0-9]+/THREAD/; s/<code>.*/<code>/; s/Process ID: [0-9]+//
		s/127\.0\.0\.1:[0-9]+/HOST/g; s/(localhost|127\.0\.0\.1)//g'
}

# ask BASE REQUESTS-FILE PREFIX: a line is curl's arguments, the path first.
ask() {
	number=0
	while read -r path arguments; do
		number=$((number + 1))
		# shellcheck disable=SC2086
		curl -sS --max-time 30 -i $arguments "$1$path" >"$3.$number" 2>&1
	done <"$2"
}

wait_for_profiles() { # N
	for _ in $(seq 50); do
		[ "$(find "$profiles" -name '*.prof' | wc -l)" -lt "$1" ] || break
		sleep 0.1
	done
}

# Each answer is that of the plain build; each request has one profile, and each of those the functions named
# "NAME=COUNT" or "NAME".
compare() { # NAME REQUESTS-FILE FUNCTION...
	name=$1 requests=$2
	shift 2
	n=$(wc -l <"$requests")
	different=
	for number in $(seq "$n"); do
		normalise "$scratch/direct.$number" >"$scratch/a"
		normalise "$scratch/through.$number" >"$scratch/b"
		[ -s "$scratch/b" ] && cmp -s "$scratch/a" "$scratch/b" || different="$different $number"
	done
	[ -z "$different" ]
	check $? "$name: $n answers are those of the plain build"
	for number in $different; do diag "$(normalise "$scratch/direct.$number" >"$scratch/a"; normalise "$scratch/through.$number" | diff "$scratch/a" - | head -n 12)"; done
	wait_for_profiles "$n"
	found=$(find "$profiles" -name '*.prof' | wc -l)
	[ "$found" = "$n" ]
	check $? "$name: $found profiles of $n requests"
	wrong=
	for file in "$profiles"/*.prof; do
		for function in "$@"; do
			count=$("$check_callgrind" --calls "${function%%=*}" "$file")
			case $function in
			*=*) [ "$count" = "${function#*=}" ] || wrong="$wrong $(basename "$file"):${function%%=*}=$count" ;;
			*) [ "${count:-0}" -gt 0 ] || wrong="$wrong $(basename "$file"):$function=$count" ;;
			esac
		done
		"$check_callgrind" "$file" >/dev/null 2>&1 || wrong="$wrong $(basename "$file"):format"
	done
	[ -z "$wrong" ]
	check $? "$name: in each profile $*"
	diag "$wrong"
}
