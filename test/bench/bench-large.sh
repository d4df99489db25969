#!/usr/bin/env bash
# Shows that nothing grows with history: 10,000,000 orders with 5,000,000 old
# cancellations, to 100,000 orders and none; and what the reports cost on a year of
# 1,000,000 cancellations. Takes about 5 GB below /tmp and a few minutes. make
# bench-large calls it.
#
#   make bench-large TESTS=reports        one part (large reports)
#   make bench-large SCALE=small          a smoke run
#   make bench-large WRITE=1              also puts the table into doc/performance.md
# shellcheck disable=SC1091
set -u
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/harness.sh"
. "$(dirname "$0")/report.sh"

measure_parts bench-large large reports
