#!/usr/bin/env bash
# A dump restores as any other database does, and goes on from there.
set -u
. "$(dirname "$0")/lib/tap.sh"

from=t_dump
to=t_restored

drop_roles()
{
	sql postgres -c 'DROP ROLE IF EXISTS dump_customer, dump_merchant'
}

before_exit "drop_database $from; drop_database $to; drop_roles"


facts() # DATABASE
{
	sql "$1" -f "$here/dump_restore/facts.sql" | sort
}

same() # FILE FILE NAME
{
	diff "$1" "$2" >"$work/diff"
	ok "$3" || head -n 40 "$work/diff" | sed 's/^/# /'
}

restored() # FILE NAME
{
	[ ! -s "$1" ]
	ok "$2" || head -n 20 "$1" | sed 's/^/# /'
}

alive() # HOW
{
	sql $to -v done="$tap_count" -f "$here/dump_restore/alive.sql" >"$work/alive" 2>"$work/errors"
	sed "s/^\(\(not \)\?ok .*\)/\1 ($1)/" "$work/alive"
	tap_count=$((tap_count + $(grep -cE '^(not )?ok ' "$work/alive")))
	tap_failed=$((tap_failed + $(grep -c '^not ok ' "$work/alive")))
	restored "$work/errors" "everything was tried ($1)"
}

drop_roles
fresh_database $from &&
	sql $from -c 'CREATE ROLE dump_customer' -c 'CREATE ROLE dump_merchant' \
		-f "$here/dump_restore/shop.sql" >"$work/out"
ok 'the database to be dumped' || done_testing
facts $from >"$work/facts"
[ -s "$work/facts" ]
ok "$(wc -l <"$work/facts") facts about it" || done_testing
plain_dump $from >"$work/dump.sql"

fresh_database $to
sql $to -f "$work/dump.sql" >/dev/null 2>"$work/errors"
restored "$work/errors" 'a plain dump restores without a word'
facts $to >"$work/facts2"
same "$work/facts" "$work/facts2" 'what was dumped is what is there (plain)'
plain_dump $to >"$work/dump2.sql"
same "$work/dump.sql" "$work/dump2.sql" 'it dumps the same again (plain)'
alive plain

fresh_database $to
pg_dump -Fc -f "$work/dump.custom" $from
pg_restore --exit-on-error -j 2 -d $to "$work/dump.custom" 2>"$work/errors"
restored "$work/errors" 'a custom dump restores, in parallel'
facts $to >"$work/facts2"
same "$work/facts" "$work/facts2" 'what was dumped is what is there (custom)'
alive custom

# --clean into a database that has other orders already.
# PostgreSQL cannot clean partitions with a primary key away.
sql $to -c 'DROP TABLE shop.parts, shop.items'
pg_restore --clean --if-exists --exit-on-error -d $to "$work/dump.custom" 2>"$work/errors"
restored "$work/errors" 'a custom dump replaces what is there'
facts $to >"$work/facts2"
same "$work/facts" "$work/facts2" 'what was dumped is what is there (clean)'

# Schema first, data later, as replicas and migrations are set up.
fresh_database $to
plain_dump $from --schema-only >"$work/schema.sql"
sql $to -f "$work/schema.sql" >/dev/null 2>"$work/errors"
restored "$work/errors" 'a schema restores alone'
is "$(sql $to -c 'SELECT count(*) FROM ordcancel.reason WHERE NOT seeded' \
	-c 'SELECT count(*) FROM ordcancel.order_table')" \
	$'0\n0' 'it has the seeds and no configuration'
plain_dump $from --data-only >"$work/data.sql"
PGOPTIONS='-c session_replication_role=replica' psql -Xqd $to -v ON_ERROR_STOP=1 -1 \
	-f "$work/data.sql" >/dev/null 2>"$work/errors"
restored "$work/errors" 'and its data after it, with session_replication_role = replica'
facts $to >"$work/facts2"
same "$work/facts" "$work/facts2" 'what was dumped is what is there (data only)'
alive 'data only'
done_testing
