#!/usr/bin/env bash
# test/t/consumers.sh for as long as one likes. make torture calls it.
#
#   make torture                            each part for a minute
#   make torture TORTURE_SECONDS=600 SEED=42
#   make torture PG_MAJOR=17                as make check
set -u
. "$(dirname "$0")/lib.sh"

export TORTURE_SECONDS=${TORTURE_SECONDS:-60}
prepare
build && as_user bash test/t/consumers.sh
