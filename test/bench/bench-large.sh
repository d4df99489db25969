#!/usr/bin/env bash
# Shows that nothing grows with history: 10,000,000 orders with 5,000,000 old
# cancellations, to 100,000 orders and none. Takes about 5 GB below /tmp and a few
# minutes. make bench-large calls it.
#
#   make bench-large SCALE=small          a smoke run
#   make bench-large WRITE=1              also puts the table into doc/performance.md
# shellcheck disable=SC1091,SC2154
set -u
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/harness.sh"
. "$(dirname "$0")/report.sh"

[ -z "${WRITE:-}" ] || [ "$scale" = full ] || die "WRITE=1 wants full scale"

prepare
{ build && bench_server; } || die "could not make the server"
broken=
# shellcheck disable=SC2034
(. test/bench/parts/large.sh && measure) || broken=' large'
report bench-large
