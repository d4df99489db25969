#!/usr/bin/env bash
# Removes what make check TESTS=... has kept for this checkout, and for those that
# are gone. make check-clean calls it.
set -u
. "$(dirname "$0")/lib.sh"

for kept in "$kept_prefix"*; do
	[ -O "$kept/checkout" ] || continue
	checkout=$(cat "$kept/checkout")
	[ "$checkout" = "$top" ] || [ ! -d "$checkout" ] || continue
	(flock -n 9 && rm -rf "$kept") 9>>"$kept/lock" || die "a run uses $kept"
	echo "check-clean: removed $kept"
done
