#!/usr/bin/env bash
# The model against the extension, for as long as one likes. make model calls it.
#
#   make model                              100,000 operations from a random seed
#   make model OPERATIONS=1000000 SEED=42
#   make model PG_MAJOR=17                  as make check
set -u
. "$(dirname "$0")/lib.sh"

prepare
build && as_user bash test/t/model.sh
