#!/usr/bin/env bash
# Shows what many shops on one machine and one shop in many places cost. make
# bench-scale calls it. Takes a few GB below /tmp, and most of an hour.
#
#   make bench-scale                      every part
#   make bench-scale TESTS=partitions     some (partitions archive shops calls capacity)
#   make bench-scale SCALE=small          a smoke run
#   make bench-scale CLOCK=cpu            time of the processor
#   make bench-scale WRITE=1              also puts the table into doc/performance.md
# shellcheck disable=SC1090,SC1091,SC2154
set -u
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/harness.sh"
. "$(dirname "$0")/report.sh"

all=(partitions archive shops calls capacity)

wanted=()
read -ra wanted <<<"${TESTS:-${all[*]}}"
for part in "${wanted[@]}"; do
	[[ " ${all[*]} " == *" $part "* ]] || die "no part $part; there are: ${all[*]}"
done
[ -z "${WRITE:-}" ] || [ "$scale/${wanted[*]}" = "full/${all[*]}" ] ||
	die "WRITE=1 wants the whole suite at full scale"

prepare
{ build && bench_server; } || die "could not make the server"
broken=
for part in "${wanted[@]}"; do
	echo "--- $part"
	(. "test/bench/parts/$part.sh" && measure) || {
		broken+=" $part"
		tail -n 20 "$work/server.log"
	}
done
report bench-scale
