# SPDX-License-Identifier: GPL-3.0-or-later
# Sourced by the tests of profcc. A test prints TAP and also ends with a status of its own. The build tree is
# $top_builddir (else the current directory, where `make check` runs tests), the sources $srcdir.
#
#   ok NAME COMMAND...   runs COMMAND in this shell, one line of TAP
#   record PROGRAM...    runs a program, the recorder's log goes to $dir/log
#   done_testing         the plan, and the exit status

top_builddir=$(cd "${top_builddir:-.}" && pwd)
srcdir=$(cd "${srcdir:-.}" && pwd)
programs=$srcdir/tests/programs
PROFCC=${PROFCC:-$top_builddir/profcc}
PROFCXX=${PROFCXX:-$top_builddir/profc++}
n_tests=0
n_failed=0

dir=$(mktemp -d "${TMPDIR:-/tmp}/profcc-test.XXXXXX") || exit 99
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM

skip_all()
{
	echo "1..0 # SKIP $1"
	exit 77
}

[ -x "$PROFCC" ] || skip_all "no $PROFCC (make it first)"
# The compiler that profcc runs, for comparisons: by its own word, so that the tests need not know the default.
GCC=${PROFCC_CC:-$(sed -n "s/^PROFCC_DEFAULT_CC = //p" "$top_builddir/Makefile")}
GXX=${PROFCC_CXX:-$(sed -n "s/^PROFCC_DEFAULT_CXX = //p" "$top_builddir/Makefile")}
gcc_major=$($GCC -dumpfullversion | sed 's/\..*//')

need_plugin()
{
	[ -f "$top_builddir/plugin/profcc_plugin_$gcc_major.so" ] ||
		skip_all "no plugin for $GCC (install gcc-$gcc_major-plugin-dev and configure again)"
}

# The recorder in place of the runtime: the plugin is tested on its own.
use_recorder()
{
	PROFCC_RUNTIME_DIR=$dir/runtime
	export PROFCC_RUNTIME_DIR
	mkdir "$PROFCC_RUNTIME_DIR" || exit 99
	$GCC -O2 -fPIC -shared -Wl,-soname,librunprofile.so "$programs/plugin-recorder.c" \
		"$top_srcdir/runtime/veneer.S" -o "$PROFCC_RUNTIME_DIR/librunprofile.so" -lpthread &&
		$GCC -O2 -c "$programs/plugin-recorder.c" -o "$dir/recorder.o" &&
		$GCC -c "$top_srcdir/runtime/veneer.S" -o "$dir/veneer.o" &&
		ar cr "$PROFCC_RUNTIME_DIR/librunprofile.a" "$dir/recorder.o" "$dir/veneer.o" &&
		ar cr "$PROFCC_RUNTIME_DIR/librunprofile_wrap.a" || exit 99
}

# A mute command: whatever it prints on stderr is a failure, too.
mute()
{
	"$@" 2>"$dir/stderr" || { cat "$dir/stderr"; return 1; }
	if [ -s "$dir/stderr" ]; then
		cat "$dir/stderr"
		return 1
	fi
}

record()
{
	rm -f "$dir/log"
	# in there, since programs built with -pg or --coverage leave files
	(cd "$dir" && PLUGIN_RECORDER=$dir/log exec "$@" >"$dir/stdout" 2>"$dir/stderr") ||
		{ cat "$dir/stderr"; return 1; }
	[ -s "$dir/log" ] || { echo "no log"; return 1; }
}

calls_of()
{
	awk -v name="$1" '$1 == "call" && $2 == name { n += $3 } END { print n + 0 }' "$dir/log"
}

balanced()
{
	grep -q '^balance unmatched 0 recovered 0 open 0$' "$dir/log" || { grep '^balance' "$dir/log"; return 1; }
}

ok()
{
	name=$1
	shift
	n_tests=$((n_tests + 1))
	if "$@" >"$dir/output" 2>&1; then
		echo "ok $n_tests - $name"
	else
		echo "not ok $n_tests - $name"
		sed 's/^/# /' "$dir/output"
		n_failed=$((n_failed + 1))
	fi
}

done_testing()
{
	echo "1..$n_tests"
	[ $n_failed -eq 0 ]
	exit
}
