#!/usr/bin/env bash
# Order tables that Citus distributes: a coordinator and two workers, later a
# third, of a private copy of the server. Without a Citus for it there is nothing
# to test.
#
#   make citus
#   make citus CITUS="schemas nodes"    some parts: schemas hash nodes figures
#   make citus PG_CONFIG=/usr/lib/postgresql/15/bin/pg_config
set -u
. "$(dirname "$0")/lib.sh"

config=$(find_pg_config) || die "no PostgreSQL to build for"
if [ ! -e "$("$config" --pkglibdir)/citus.so" ] ||
	[ ! -e "$("$config" --sharedir)/extension/citus.control" ]; then
	echo "skipped: there is no Citus for $("$config" --version)"
	exit 0
fi
prepare
build || exit
failed=0
for part in ${CITUS:-schemas hash nodes figures}; do
	echo "# $part"
	as_user bash "test/citus/$part.sh" || failed=1
done
exit $failed
