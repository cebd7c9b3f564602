# SPDX-License-Identifier: GPL-3.0-or-later
# How often each function was called, by what `gcov -b -t` prints: "FILE:NAME<TAB>CALLS", FILE without folders.
$0 ~ /^ *-: *0:Source:/ { file = $0; sub(/^ *-: *0:Source:/, "", file); sub(/.*\//, "", file) }
$1 == "function" && $3 == "called" { calls[file ":" $2] += $4 }
END { for (key in calls) if (calls[key] > 0) printf "%s\t%.0f\n", key, calls[key] }
