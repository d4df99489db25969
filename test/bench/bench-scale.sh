#!/usr/bin/env bash
# Shows what many shops on one machine and one shop in many places cost. make
# bench-scale calls it. Takes a few GB below /tmp, and most of an hour.
#
#   make bench-scale                      every part
#   make bench-scale TESTS=partitions     some (partitions archive shops calls capacity)
#   make bench-scale SCALE=small          a smoke run
#   make bench-scale CLOCK=cpu            time of the processor
#   make bench-scale WRITE=1              also puts the table into doc/performance.md
# shellcheck disable=SC1091
set -u
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/harness.sh"
. "$(dirname "$0")/report.sh"

measure_parts bench-scale partitions archive shops calls capacity
