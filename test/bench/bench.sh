#!/usr/bin/env bash
# Measures ordcancel against its peers on a private server. make bench calls it.
#
#   make bench                            every part, about a quarter of an hour
#   make bench TESTS="bulk single"        some (bulk single items timers along setups wire guard
#                                         options tables batch_load events instructions)
#   make bench SCALE=small                a smoke run: do the scripts work? Its
#                                         ratios mean nothing and fail nothing
#   make bench CLOCK=cpu                  time of the processor, where one session
#                                         is measured: for a machine that is busy
#   make bench WRITE=1                    also puts the table into doc/performance.md
# shellcheck disable=SC1090,SC1091,SC2154
set -u
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/harness.sh"
. "$(dirname "$0")/report.sh"

all=(bulk single items timers along setups wire guard options tables batch_load events instructions)

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
	# In a subshell: what a part defines is its own.
	(. "test/bench/parts/$part.sh" && measure) || {
		broken+=" $part"
		tail -n 20 "$work/server.log"
	}
done
report bench
