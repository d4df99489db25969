#!/usr/bin/env bash
# Dumps that are not of everything, or not by or for a superuser: what restores,
# what does not, and how it is set up afterwards. doc/operations.md says it.
set -u
. "$(dirname "$0")/lib/tap.sh"

from=t_parts
to=t_parts_restored

roles parts_owner parts_db_owner
before_exit "drop_database $from; drop_database $to"

dump() # ARGUMENT...
{
	plain_dump $from "$@" >"$work/dump.sql"
}

new_database() # [OWNER]
{
	sql postgres -c "DROP DATABASE IF EXISTS $to" 2>/dev/null
	createdb -O "${1:-postgres}" $to
}

# Restores the dump; errors come to be in $work/errors.
restore()
{
	PGOPTIONS='-c client_min_messages=warning' psql -Xq -v VERBOSITY=terse -d $to \
		-f "$work/dump.sql" >/dev/null 2>"$work/errors"
}

errors()
{
	grep -o 'ERROR:.*' "$work/errors" | sort | uniq -c | sed 's/^ *//'
}

# The SQLSTATE of a statement, or what it returns.
try() # STATEMENT
{
	sql $to -v VERBOSITY=sqlstate -c "$1" 2>&1 | sed 's/^ERROR: *//'
}

attached()
{
	sql $to -c "SELECT string_agg(orders::regclass::text, ' ' ORDER BY orders::regclass::text)
			FROM ordcancel.order_table"
}

no_orphans() # NAME
{
	is "$(sql $to -c "SELECT count(*) FROM (SELECT orders::oid FROM ordcancel.order_table UNION ALL SELECT orders::oid
			FROM ordcancel.policy
		UNION ALL SELECT orders::oid FROM ordcancel.rule UNION ALL SELECT orders::oid FROM ordcancel.block
		UNION ALL SELECT orders::oid FROM ordcancel.also_set
		UNION ALL SELECT child::oid FROM ordcancel.child UNION ALL SELECT items::oid FROM ordcancel.item_table
		UNION ALL SELECT orders::oid FROM ordcancel.policy_change
		UNION ALL SELECT orders::oid FROM ordcancel.item_table) AS t (o)
		WHERE NOT EXISTS (SELECT FROM pg_class WHERE oid = o)")" 0 "$1"
}

sql postgres -c 'CREATE ROLE parts_owner LOGIN' -c 'CREATE ROLE parts_db_owner LOGIN CREATEDB'
fresh_database $from && sql $from <<-'SQL'
	CREATE EXTENSION ordcancel;
	GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA ordcancel TO parts_owner;
	CREATE SCHEMA shop AUTHORIZATION parts_owner;
	CREATE SCHEMA other AUTHORIZATION parts_owner;
	SET ROLE parts_owner;
	CREATE TABLE shop.orders (id integer PRIMARY KEY, status text NOT NULL, paid numeric);
	CREATE TABLE shop.shipments (order_id integer);
	CREATE TABLE shop.items (id integer PRIMARY KEY, order_id integer, n integer, gone integer);
	CREATE INDEX ON shop.items (order_id);
	CREATE TABLE other.orders (shop text, no integer, status text NOT NULL, PRIMARY KEY (shop, no));
	CREATE TABLE other.shipments (order_id integer);
	CREATE TABLE shop.dropped (id integer PRIMARY KEY, status text NOT NULL);
	INSERT INTO shop.orders SELECT n, 'placed' FROM generate_series(1, 20) AS n;
	INSERT INTO other.orders SELECT 'x', n, 'placed' FROM generate_series(1, 20) AS n;
	SELECT ordcancel.attach(t, 'status'),
	       ordcancel.set_policy(t, canceled_status => 'canceled', requested_status => 'asked'),
	       ordcancel.set_rule(t, 'placed', customer => 'request', merchant => 'cancel'),
	       ordcancel.add_block(t, 'never', 'false')
	FROM unnest('{shop.orders,other.orders,shop.dropped}'::regclass[]) AS t \g /dev/null
	SELECT ordcancel.attach_child('shop.shipments', 'shop.orders', '{order_id}'),
	       ordcancel.attach_child('other.shipments', 'shop.orders', '{order_id}'),
	       ordcancel.attach_items('shop.items', 'shop.orders', '{order_id}', 'n', 'gone') \g /dev/null
	SELECT ordcancel.cancel_order('shop.orders', id) FROM generate_series(1, 5) AS id \g /dev/null
	SELECT ordcancel.request_cancel('shop.orders', 6, request_key => 'k6') \g /dev/null
	SELECT ordcancel.cancel_order('other.orders', ROW('x', 1)) \g /dev/null
	DROP TABLE shop.dropped;
SQL
ok 'two order tables of an owner who is no superuser; a third was dropped' || done_testing

# ------------------------------------------------------------ without a table

dump
new_database
restore
is "$(errors)" '' 'a dump with a table that was dropped restores without an error'
is "$(attached)" 'other.orders shop.orders' 'with the tables that are there'
is "$(sql $to -c "SELECT items || ' ' || item_records
		FROM ordcancel.item_table JOIN ordcancel.order_table USING (orders)")" \
	'shop.items shop.orders_cancellation_item' 'and the items'
is "$(try "SELECT count(*) FROM shop.dropped_cancellation")" 0 'and the records of the one that is not'
is "$(try "SELECT state FROM ordcancel.accept_cancel('shop.orders', 6)")" canceled 'and goes on'

# The order table goes on without its items, or without their records.
dump -T shop.items
new_database
restore
is "$(errors)" '' 'a dump without the items restores'
is "$(attached)" 'other.orders shop.orders' 'the order table is attached'
is "$(sql $to -c 'SELECT count(*) FROM ordcancel.item_table')" 0 'without items'
is "$(try "SELECT state FROM ordcancel.cancel_order('shop.orders', 9)")" canceled 'and goes on'
dump -T shop.orders_cancellation_item
new_database
restore
is "$(errors)" '' 'a dump without the records of the items restores'
is "$(attached)" 'other.orders shop.orders' 'the order table is attached, too'
is "$(try "SELECT problem FROM ordcancel.health('shop.orders')")" items_unusable 'health() says what is missing'
like "$(try "SELECT ordcancel.attach_items('shop.items', 'shop.orders', NULL)")" 'the records were missing' \
	'attach_items'
is "$(try "SELECT count(*) FROM shop.orders_cancellation_item")" 0 'creates it again'
is "$(try "SELECT problem FROM ordcancel.health('shop.orders')")" '' 'and all is well'

for left_out in "-T shop.orders" "-N shop" \
	"-T shop.orders -T shop.orders_cancellation -T shop.orders_cancellation_event" "-T shop.orders_cancellation"; do
	# shellcheck disable=SC2086
	dump $left_out
	new_database
	restore
	is "$(errors)" "" "pg_dump $left_out restores"
	is "$(attached)" other.orders "pg_dump $left_out: the other table is attached"
	no_orphans "pg_dump $left_out: nothing is left of the one that is not there"
	is "$(try "SELECT state, changed FROM ordcancel.cancel_order('other.orders', ROW('x', 2))")$(try \
		"SELECT state, changed FROM ordcancel.cancel_order('other.orders', ROW('x', 1))")" \
		'canceled|tcanceled|f' "pg_dump $left_out: the other table works"
	is "$(try "UPDATE other.orders SET status = 'placed' WHERE no = 1")" 23514 "pg_dump $left_out: its guards hold"
done

# The record tables alone were left out: the order table has its guards, and
# nothing is judged by rules that are not there.
like "$(try "UPDATE shop.orders SET status = 'canceled' WHERE id = 9")" 'OC001|OC014' \
	'without its record table an order table refuses changes'
like "$(try "SELECT ordcancel.attach('shop.orders', 'status'), ordcancel.set_policy('shop.orders',
		canceled_status => 'canceled'),
	ordcancel.set_rule('shop.orders', 'placed', merchant => 'cancel')" | head -n 1)" 'attached' 'until it is attached'
is "$(try "SELECT state, changed FROM ordcancel.cancel_order('shop.orders', 9)")" 'canceled|t' 'then it goes on'

# --------------------------------------------- a schema, into another database

dump -n shop
new_database
sql $to -c 'CREATE EXTENSION ordcancel'
restore
is "$(errors)" '' 'pg_dump -n of one schema restores into a database with the extension'
is "$(attached)" '' 'no rules come with it'
is "$(try "UPDATE shop.orders SET status = 'placed' WHERE id = 1")" OC001 \
	'but the guards, which refuse until it is attached'
sql $to -c "SELECT ordcancel.attach('shop.orders', 'status'), ordcancel.set_policy('shop.orders',
		canceled_status => 'canceled', requested_status => 'asked'),
	ordcancel.set_rule('shop.orders', 'placed', customer => 'request', merchant => 'cancel')" >/dev/null
ok 'attach takes the records up'
is "$(try "SELECT state, changed FROM ordcancel.cancel_order('shop.orders', 7)")" 'canceled|t' 'ids pass them'
is "$(try "SELECT state, changed FROM ordcancel.cancel_order('shop.orders', 1)")" 'canceled|f' 'what was canceled is so'
is "$(try "SELECT state, changed FROM ordcancel.request_cancel('shop.orders', 6, request_key => 'k6')")" 'requested|f' \
	'a request key is known'
is "$(try "SELECT state FROM ordcancel.undo_cancel('shop.orders', 1)")" undone 'a cancellation is undone'
is "$(try "SELECT count(*) FROM ordcancel.event")$(try "SELECT count(*) FROM ordcancel.cancellation")" '87' \
	'the views show all of it'

# ----------------------------------------------- by and for who is no superuser

# A dump by the owner of the tables.
sql $from -c "GRANT CREATE ON DATABASE $from TO parts_owner"
PGUSER=parts_owner dump 2>"$work/said"
PGUSER=parts_owner pg_dump -f /dev/null $from 2>"$work/said"
ok 'the owner of the order tables dumps the database' || sed 's/^/# /' "$work/said"
new_database
restore
is "$(errors)" '' 'which a superuser restores'
is "$(attached)" 'other.orders shop.orders' 'with the rules'
is "$(try "SELECT state FROM ordcancel.accept_cancel('shop.orders', 6)")" canceled 'and goes on'

# Restored by the owner of the database, where a superuser has made the extension.
pg_dump -Fc --no-owner --no-privileges -f "$work/dump.custom" $from
restore_as_db_owner()
{
	new_database parts_db_owner
	sql $to -c 'CREATE EXTENSION ordcancel'
	PGUSER=parts_db_owner pg_restore --no-owner --no-privileges -d $to "$work/dump.custom" 2>"$work/errors"
}
# As the owner is told to do it; a superuser has granted EXECUTE.
set_up_anew()
{
	sql $to -c 'GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA ordcancel TO parts_db_owner'
	PGUSER=parts_db_owner sql $to -c "SELECT ordcancel.attach('shop.orders', 'status', inherit => $1),
			ordcancel.set_policy('shop.orders', canceled_status => 'canceled',
		requested_status => 'asked'), ordcancel.set_rule('shop.orders', 'placed', customer => 'request',
		merchant => 'cancel')" >/dev/null
}

restore_as_db_owner
is "$(errors | sed 's/^[0-9]* //; s/relation "\(shop\|other\)\..*" does/relation does/' | sort -u)" \
	'ERROR:  must be owner of extension ordcancel
ERROR:  must be owner of table cancellation
ERROR:  must be owner of table cancellation_item
ERROR:  must be owner of table event
ERROR:  permission denied for schema ordcancel_internal
ERROR:  permission denied for sequence batch_id_seq
ERROR:  permission denied for sequence cancellation_id_seq
ERROR:  permission denied for sequence event_id_seq
ERROR:  permission denied for table also_set
ERROR:  permission denied for table block
ERROR:  permission denied for table child
ERROR:  permission denied for table consumer
ERROR:  permission denied for table item_table
ERROR:  permission denied for table late_event
ERROR:  permission denied for table order_table
ERROR:  permission denied for table policy
ERROR:  permission denied for table policy_change
ERROR:  permission denied for table reason
ERROR:  permission denied for table refund_method
ERROR:  permission denied for table rule
ERROR:  relation does not exist' 'restored by an owner of the database: these errors, and no others'
is "$(try 'SELECT count(*) FROM shop.orders')$(try 'SELECT count(*) FROM other.orders')" 2020 'the orders are there'
is "$(try 'SELECT count(*) FROM shop.orders_cancellation')" 42P01 'the records are not'
is "$(attached)$(try "SELECT count(*) FROM pg_trigger
		WHERE NOT tgisinternal AND tgrelid::regclass::text ~ '^(shop|other)'")" '0' 'nor rules, nor guards'
pg_restore -n shop -t orders_cancellation -t orders_cancellation_event --no-owner -d $to \
	"$work/dump.custom" 2>"$work/errors"
is "$(errors)" '' 'a superuser restores the record tables after it'
is "$(try 'SELECT count(*) FROM shop.orders_cancellation')$(try \
	'SELECT count(*) FROM shop.orders_cancellation_event')" 66 'with all rows'
set_up_anew true
ok 'the owner attaches'
is "$(try "SELECT state, changed FROM ordcancel.cancel_order('shop.orders', 7)")$(try \
	"SELECT state FROM ordcancel.undo_cancel('shop.orders', 1)")" 'canceled|tundone' \
	'and all goes on'

sql $from -c "SELECT ordcancel.attach('shop.orders', 'status', inherit => false), ordcancel.attach('other.orders',
		'status', inherit => false)" >/dev/null
pg_dump -Fc --no-owner --no-privileges -f "$work/dump.custom" $from
restore_as_db_owner
is "$(errors | grep 'does not exist' | grep -v dropped)" '' \
	'record tables that do not inherit: they restore for him too'
is "$(try 'SELECT count(*) FROM shop.orders_cancellation')$(try \
	'SELECT count(*) FROM shop.orders_cancellation_event')" 66 'with all rows'
sql $to -c 'GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA ordcancel TO parts_db_owner'
PGUSER=parts_db_owner sql $to -v VERBOSITY=verbose -c "SELECT ordcancel.attach('shop.orders', 'status',
	inherit => false)" >"$work/said" 2>&1
like "$(cat "$work/said")" "OC014.*belongs to role parts_db_owner, who could have forged its rows" \
	'who could have written the records himself may not attach them'
sql $to -c "SELECT ordcancel.attach('shop.orders', 'status', inherit => false)" >/dev/null
ok 'a superuser attaches'
set_up_anew false
ok 'then the owner may, who sets the rules'
is "$(try "SELECT state, changed FROM ordcancel.cancel_order('shop.orders', 7)")$(try \
	"SELECT state FROM ordcancel.undo_cancel('shop.orders', 1)")" 'canceled|tundone' \
	'and all goes on'
sql $from -c "SELECT ordcancel.attach('shop.orders', 'status'), ordcancel.attach('other.orders', 'status')" >/dev/null

# -------------------------------------- one table of a dump, over what is there

pg_dump -Fc -f "$work/dump.custom" $from
new_database
pg_restore -d $to "$work/dump.custom"
pg_restore -n shop -t orders -c -d $to "$work/dump.custom" >"$work/said" 2>&1
ok 'pg_restore -n shop -t orders -c says nothing' || sed 's/^/# /' "$work/said"
is "$(try "SELECT count(*) FROM pg_trigger WHERE tgrelid = 'shop.orders'::regclass AND NOT tgisinternal")$(attached)" \
	'0other.orders' \
	'the table that comes back is another: without guards, and not attached'
is "$(try "UPDATE shop.orders SET status = 'canceled' WHERE id = 9 RETURNING id")$(try \
	"SELECT ordcancel.cancel_order('shop.orders', 8)")" 9OC001 \
	'a plain update passes, functions refuse'
no_orphans 'nothing is left of the old one'
is "$(try 'SELECT count(*) FROM shop.orders_cancellation')" 6 'but the records'
# By itself attach would keep the records of a table that is gone apart.
sql $to -c 'ALTER TABLE shop.orders ADD PRIMARY KEY (id)' \
	-c "DELETE FROM ordcancel_internal.detached WHERE records::regclass::text ~ '^shop.orders_'" \
	-c "SELECT ordcancel.attach('shop.orders', 'status'), ordcancel.set_policy('shop.orders',
	canceled_status => 'canceled', requested_status => 'asked'),
	ordcancel.set_rule('shop.orders', 'placed', customer => 'request', merchant => 'cancel')" >/dev/null
ok 'once it has its key again, and its records are said to be its own, it is attached'
is "$(try "SELECT state, changed FROM ordcancel.cancel_order('shop.orders', 1)")$(try \
	"SELECT state FROM ordcancel.accept_cancel('shop.orders', 6)")" 'canceled|fcanceled' \
	'and all goes on'

# --------------------------------------- data alone, with the triggers disabled

# pg_dump puts ENABLE TRIGGER ALL after it, which knows no ENABLE ALWAYS.
firing="SELECT string_agg(concat_ws(' ', tgrelid::regclass, tgname, tgenabled), ', ' ORDER BY tgrelid::regclass::text,
		tgname)
	FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = tgrelid
	WHERE NOT tgisinternal AND relnamespace::regnamespace::text ~ '^ordcancel'"
dump -s
new_database
restore
dump --data-only --disable-triggers
restore
is "$(errors)" '' 'data alone, with the triggers disabled'
[ "$(sql $to -c "$firing")" != "$(sql $from -c "$firing")" ]
ok 'leaves triggers of the configuration that replication does not fire'
is "$(try "SELECT state, changed FROM ordcancel.cancel_order('shop.orders', 7)")$(try \
	"SELECT state FROM ordcancel.accept_cancel('shop.orders', 6)")" 'canceled|tcanceled' \
	'all else goes on'
is "$(try "INSERT INTO ordcancel.reason (code) SELECT code FROM ordcancel.reason WHERE NOT seeded
		UNION ALL VALUES ('a'), ('a')")" 23505 'what is there is not replaced'
sql $to <<-'SQL'
	SELECT format('ALTER TABLE %s ENABLE %s TRIGGER %I', tgrelid::regclass,
	              CASE WHEN tgname IN ('replace_replicated', 'position_arrived') THEN 'REPLICA' ELSE 'ALWAYS' END,
	              tgname)
	FROM pg_trigger
	WHERE tgrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'ordcancel'::regnamespace)
	    AND tgname IN ('guard_config', 'config_changed', 'config_truncated', 'skip_dropped_tables',
	                   'replace_replicated', 'position_arrived') \gexec
SQL
is "$(sql $to -c "$firing")" "$(sql $from -c "$firing")" 'they are set right again'

# ------------------------------------------------------------------- pg_upgrade

bindir=$(pg_config --bindir)
mkdir -m 700 "$work/old" "$work/new"
pg_dump $from >"$work/dump.sql"
facts="SELECT orders::regclass, cancellation_table::regclass, event_table::regclass FROM ordcancel.order_table
		ORDER BY 1; SELECT * FROM ordcancel.rule ORDER BY orders::regclass::text;
	SELECT * FROM shop.orders_cancellation ORDER BY 1; SELECT records::regclass, orders FROM ordcancel_internal.detached
	ORDER BY 1; $firing"
(
	own_cluster "$work/new" && pg_ctl -s -w -m fast stop
	own_cluster "$work/old" && sql postgres -c 'CREATE ROLE parts_owner LOGIN' && createdb $to &&
		sql $to -f "$work/dump.sql" >/dev/null && sql $to -c 'VACUUM' &&
		sql $to -c "SELECT ordcancel.detach('other.orders')" >/dev/null && sql $to -c "$facts" >"$work/facts" &&
		pg_ctl -s -w -m fast stop
	cd "$work" && pg_upgrade -b "$bindir" -B "$bindir" -d "$work/old/data" -D "$work/new/data" -U postgres \
	-s "$work" >"$work/said" 2>&1
)
ok 'pg_upgrade' || tail -n 30 "$work/said" | sed 's/^/# /'
(
	export PGDATA=$work/new/data PGHOST=$work/new PGPORT=5432
	pg_ctl -s -w -l "$work/new/server.log" start
	sql $to -c "$facts" >"$work/facts2"
	sql $to -c "SELECT state, changed FROM ordcancel.cancel_order('shop.orders', 7)" \
	-c "SELECT state FROM ordcancel.accept_cancel('shop.orders', 6)" \
		-c "SELECT ordcancel.attach('other.orders', 'status'), ordcancel.set_policy('other.orders',
		canceled_status => 'canceled'),
			ordcancel.set_rule('other.orders', 'placed', merchant => 'cancel')" \
		-c "SELECT state, changed FROM ordcancel.cancel_order('other.orders', ROW('x', 1))" \
		-c "SELECT state, changed FROM ordcancel.cancel_order('other.orders', ROW('x', 2))" >"$work/said" 2>&1
	pg_ctl -s -w -m fast stop
)
diff "$work/facts" "$work/facts2" >"$work/diff" && [ -s "$work/facts" ]
ok 'what was there is there' || sed 's/^/# /' "$work/diff"
is "$(sed 's/.*: attached.*/attached/' "$work/said")" $'canceled|t\ncanceled\nattached\ncanceled|f\ncanceled|t' \
	'and all goes on'
done_testing
