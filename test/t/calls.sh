#!/usr/bin/env bash
# Tables of calls beyond one session: dumps that do not call again, and rows that
# arrive by logical replication and call.
set -u
. "$(dirname "$0")/lib/tap.sh"

own_cluster "$work" 'wal_level = logical' && createdb shop && createdb front && createdb restored && createdb copied
ok 'a cluster' || done_testing

sql shop >"$work/out" <<-'SQL'
	CREATE EXTENSION ordcancel;
	CREATE SCHEMA shop;
	CREATE TABLE shop.orders (id integer PRIMARY KEY, status text NOT NULL DEFAULT 'placed');
	INSERT INTO shop.orders
	SELECT n, CASE WHEN n < 20 THEN 'placed' ELSE 'shipped' END FROM generate_series(1, 30) AS n;
	SELECT ordcancel.attach('shop.orders', 'status');
	SELECT ordcancel.set_policy('shop.orders', canceled_status => 'canceled'),
	       ordcancel.set_rule('shop.orders', 'placed', merchant => 'cancel'),
	       ordcancel.set_rule('shop.orders', 'shipped');
	SELECT ordcancel.make_call_table('shop.orders');
	INSERT INTO shop.orders_call (order_id, verb) VALUES (1, 'cancel_order'), (2, 'cancel_order');
	INSERT INTO shop.orders_call (order_id, verb, note) VALUES (1, 'undo_cancel', 'again');
SQL
ok 'a shop with calls' || done_testing

state() # DATABASE
{
	sql "$1" -c "SELECT string_agg(id::text, ',' ORDER BY id) FROM shop.orders WHERE status = 'canceled'" \
		-c 'SELECT count(*) FROM shop.orders_call' -c 'SELECT count(*) FROM ordcancel.event'
}

# ------------------------------------------------------------------------ dumps

plain_dump shop >"$work/dump.sql"
sql restored -f "$work/dump.sql" >"$work/out" 2>&1
ok 'a dump restores' || sed 's/^/# /' "$work/out"
is "$(state restored)" "$(state shop)" 'and calls nothing'
is "$(sql restored -c "SELECT problem FROM ordcancel.health('shop.orders') WHERE problem ~ 'call'")" '' \
	'health has nothing to say'
is "$(sql restored -c "INSERT INTO shop.orders_call (order_id, verb) VALUES (3, 'cancel_order')
	RETURNING state, call_id")" 'canceled|4' 'calls go on'
plain_dump shop -a -t shop.orders_call >"$work/data.sql"
before=$(state restored)
sql restored -c 'DELETE FROM shop.orders_call WHERE call_id < 4' && sql restored -f "$work/data.sql" >"$work/out" 2>&1
ok 'the data alone, where the trigger is already' || sed 's/^/# /' "$work/out"
is "$(state restored)" "$before" 'neither does'

# ------------------------------------------------- calls of another database

sql front >"$work/out" <<-'SQL'
	CREATE SCHEMA shop;
	CREATE TABLE shop.orders_call (order_id integer, call_id bigint GENERATED ALWAYS AS IDENTITY, verb text,
		reason text,
	                               on_error text DEFAULT 'skip', PRIMARY KEY (order_id, call_id));
	CREATE PUBLICATION calls FOR TABLE shop.orders_call;
	SELECT pg_create_logical_replication_slot('calls', 'pgoutput');
SQL
sql shop -c "CREATE SUBSCRIPTION calls CONNECTION 'host=$work port=5432 dbname=front user=postgres' PUBLICATION calls
	WITH (slot_name = calls, create_slot = false)"
ok 'a table of another database, whose rows are published' || done_testing
sql front -c "INSERT INTO shop.orders_call (order_id, verb, reason)
	VALUES (11, 'cancel_order', 'fraud'), (21, 'cancel_order', NULL), (12, 'cancel_order', NULL)"
until_true shop "(SELECT count(*) FROM shop.orders_call WHERE order_id IN (11, 12, 21)) = 3"
ok 'they arrive' || grep ERROR "$work/server.log" | tail -n 3 | sed 's/^/# /'
is "$(sql shop -c "SELECT order_id, state, sqlstate FROM shop.orders_call WHERE order_id IN (11, 12, 21) ORDER BY 1")" \
	$'11|canceled|\n12|canceled|\n21||OC003' 'and are calls, also the refused one'
is "$(sql shop -c "SELECT c.order_id, c.reason, e.type FROM shop.orders_cancellation AS c
	JOIN shop.orders_cancellation_event AS e USING (cancellation_id) WHERE c.order_id IN (11, 12) ORDER BY 1")" \
	$'11|fraud|canceled\n12||canceled' 'they are recorded'
is "$(sql shop -c 'SELECT count(*) FROM ordcancel.late_event')" 0 'as events of this database'

# ---------------------------------------- a subscriber to orders, records and calls

sql shop -c 'CREATE PUBLICATION shop FOR TABLES IN SCHEMA shop' \
	-c "SELECT pg_create_logical_replication_slot('shop', 'pgoutput')" >"$work/out"
plain_dump shop -s >"$work/schema.sql"
sql copied -f "$work/schema.sql" >"$work/out" 2>&1
sql copied -c "CREATE SUBSCRIPTION shop CONNECTION 'host=$work port=5432 dbname=shop user=postgres' PUBLICATION shop
	WITH (slot_name = shop, create_slot = false)"
ok 'a subscriber to all tables of the schema'
until_true copied "(SELECT count(*) = 0 FROM pg_subscription_rel WHERE srsubstate <> 'r')"
sql shop -c "INSERT INTO shop.orders_call (order_id, verb) VALUES (13, 'cancel_order')"
until_true copied "EXISTS (SELECT FROM shop.orders_call WHERE order_id = 13)"
is "$(state copied)" "$(state shop)" 'has what the publisher has, once'
for db in shop copied; do
	sql $db -c "ALTER SUBSCRIPTION $([ $db = shop ] && echo calls || echo shop) DISABLE"
done
done_testing
