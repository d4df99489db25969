#!/usr/bin/env bash
# Fills the generated blocks of doc/reference.md from the catalog of a private
# server, and says what else is wrong with the page. make reference calls it;
# make check tells when the page is not what the catalog says.
set -u
. "$(dirname "$0")/lib.sh"

export TO_SHOW=yes BENCH_PACKAGES=python3
prepare
{ build && server_up && as_user createdb reference; } || die "could not make the server"
as_user psql -Xq -d reference -c 'CREATE EXTENSION ordcancel' &&
	as_user psql -XqAt -v ON_ERROR_STOP=1 -d reference -f test/reference/catalog.sql >"$work/catalog.json" ||
	die "could not read the catalog"
/usr/bin/python3 -B "$top/test/reference/page.py" write "$top/doc" <"$work/catalog.json" || exit
echo "doc/reference.md"
