#!/usr/bin/env bash
# Shows ordcancel at work on a private server: runs test/demo/demo.sql in the
# database demo. make demo calls it.
set -u
. "$(dirname "$0")/lib.sh"

# psql prints a notification as one long line; the payload in it is broken where
# an eye can follow.
readable()
{
	sed -u -E '/^Asynchronous notification/ {
		s/^Asynchronous notification "([^"]*)" with payload "(.*)" received.*/\n   event on \1: \2\n/
		s/,"(from|party|at)":/,\n      "\1":/g
	}' | cat -s
}

prepare
{ build && server_up && as_user createdb demo; } || die "could not make the server"
# By stdin, so that errors are not headed by the name of the file.
set -o pipefail
as_user psql -X -q -e -d demo <test/demo/demo.sql 2>&1 | readable
