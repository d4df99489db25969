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
# shellcheck disable=SC1091
set -u
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/harness.sh"
. "$(dirname "$0")/report.sh"

measure_parts bench bulk single items timers along setups wire guard options tables batch_load events instructions
