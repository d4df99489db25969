#!/usr/bin/env bash
# Counts the instructions of single calls, and fails when they are more than 3
# percent above those recorded in test/bench/instructions.txt. make
# bench-instructions calls it.
#
#   make bench-instructions WRITE=1       records them, for this major version
#                                         of PostgreSQL and kind of processor
# shellcheck disable=SC1090,SC1091,SC2154
set -u
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/harness.sh"

# The lines of other versions and processors stay.
record()
{
	local page=$top/$recorded cpu

	cpu=$(uname -m)
	{
		awk -v major="${version%%.*}" -v cpu="$cpu" '!($4 == cpu && $3 ~ "^" major "[.]")' "$recorded"
		sed "s/\$/ $version $cpu/" "$work/instructions"
	} >"$work/recorded" && cat "$work/recorded" >"$page" && echo "recorded in $recorded"
}

export BENCH_PACKAGES=valgrind
prepare
build || die "could not build"
. test/bench/parts/instructions.sh
command -v valgrind >/dev/null || die "no valgrind here"
figures_here
measure || die "could not count"

[ -z "${WRITE:-}" ] || record
[ -n "${WRITE:-}" ] || ! grep -q 'MISSED$' "$work/figures"
