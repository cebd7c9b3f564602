# SPDX-License-Identifier: GPL-3.0-or-later
# Sourced by the tests of runprofile's commands: profiles to show, and a JSON reader that is not ours.
# shellcheck shell=sh
. "${top_srcdir:-.}/tests/e2e/gather/common.sh"
perl -MJSON::PP -e 1 2>/dev/null || skip_all "perl's JSON::PP is missing (apt-get install perl)"

# json FILE PERL: evaluates PERL with the parsed file in $j.
json() {
	perl -MJSON::PP -e '
		use utf8; binmode STDOUT, ":utf8"; $, = " "; $\ = "\n";
		open my $in, "<", $ARGV[0] or die; local $/; my $j = decode_json(<$in>);
		print eval $ARGV[1]; die $@ if $@' "$1" "$2"
}

# record_figures OUT [ARG...]: tests/programs/figures.c under callgrind.
record_figures() {
	[ -x figures ] || "${CC:-gcc}" -g -O1 -fno-inline -fno-optimize-sibling-calls -o figures "$programs/figures.c" || bail_out "figures.c does not compile"
	out=$1
	shift
	valgrind --tool=callgrind --callgrind-out-file="$out" ./figures "$@" >/dev/null 2>valgrind.log || bail_out "valgrind: $(tail -n 3 valgrind.log)"
}
