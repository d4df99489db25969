#!/usr/bin/env bash
# Shows ordcancel at work on a private server: runs test/demo/demo.sql in the
# database demo. make demo calls it.
set -u
. "$(dirname "$0")/lib.sh"

prepare
{ build && server_up && as_user createdb demo; } || die "could not make the server"
as_user psql -X -a -v ON_ERROR_STOP=1 -d demo -f test/demo/demo.sql
