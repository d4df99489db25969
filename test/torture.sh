#!/usr/bin/env bash
# test/t/consumers.sh and parts.sh for as long as one likes. make torture calls it.
#
#   make torture                            each part for a minute
#   make torture TORTURE_SECONDS=600 SEED=42
#   make torture TORTURE=parts              one of them
#   make torture PG_MAJOR=17                as make check
set -u
. "$(dirname "$0")/lib.sh"

export TORTURE_SECONDS=${TORTURE_SECONDS:-60}
export PARTS_SECONDS=${PARTS_SECONDS:-$TORTURE_SECONDS}
prepare
build || exit
failed=0
for name in ${TORTURE:-consumers parts}; do
	as_user bash "test/t/$name.sh" || failed=1
done
exit $failed
