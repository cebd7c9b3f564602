#!/bin/sh
# SPDX-License-Identifier: MIT
# embed.sh FILE... > views.inc: the files as rows of the C table in views.c.
set -e
for file; do
	echo "{\"$(basename "$file")\","
	sed 's/[\\"]/\\&/g; s/^/	"/; s/$/\\n"/' "$file"
	echo "},"
done
