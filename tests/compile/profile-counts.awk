# SPDX-License-Identifier: GPL-3.0-or-later
# How often each function was called, summed over callgrind files: "FILE:NAME<TAB>CALLS", FILE without folders. Functions
# without a source file are left out. A reader of its own, and so is that of gcov's files: neither trusts our writer.
#
#   awk -f profile-counts.awk FILE...

# "(3) name" declares, "(3)" refers.
function name_of(table, text,    id) {
	id = text
	sub(/\).*/, ")", id)
	if (text != id)
		known[table, id] = substr(text, length(id) + 2)
	return known[table, id]
}

FNR == 1 { split("", known); file = function_name = callee = callee_file = "" }
/^(fl|fi|fe)=/ { name_of("file", substr($0, 4)); next }
/^(cfi|cfl)=/ { callee_file = name_of("file", substr($0, 5)); next }
/^fn=/ { name_of("function", substr($0, 4)); next }
/^cfn=/ { callee = name_of("function", substr($0, 5)); next }
/^calls=/ {
	split(substr($0, 7), number, " ")
	if (callee_file != "" && callee_file != "???") {
		sub(/.*\//, "", callee_file)
		# Equal names of several files are told apart by a suffix.
		sub(/ \[[^\]]*\]$/, "", callee)
		calls[callee_file ":" callee] += number[1]
	}
}
END { for (key in calls) printf "%s\t%.0f\n", key, calls[key] }
