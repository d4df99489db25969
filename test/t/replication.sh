#!/usr/bin/env bash
# Logical replication: configuration that arrives is noticed at once, the rows
# that both sides were made with do not collide, and a subscriber that takes
# over goes on where the publisher stopped.
set -u
. "$(dirname "$0")/lib/tap.sh"
. "$here/lib/session.sh"

db=t_replication

before_exit "stop_cluster '$work/subscriber'"

publisher()
{
	PGHOST=$work sql $db "$@"
}

subscriber()
{
	PGHOST=$work/subscriber sql $db "$@"
}

# All that was committed on the publisher is applied here.
caught_up()
{
	local i there

	there=$(publisher -c 'SELECT pg_current_wal_lsn()')
	for ((i = 0; i < 900; i++)); do
		[ "$(publisher -c "SELECT bool_and(replay_lsn >= '$there') AND count(*) > 0 FROM pg_stat_replication
			WHERE application_name = 'copy'")" = t ] &&
			[ "$(subscriber -c "SELECT count(*) FROM pg_subscription_rel WHERE srsubstate <> 'r'")" = 0 ] && return
		sleep 0.1
	done
	subscriber -c 'SELECT srrelid::regclass, srsubstate FROM pg_subscription_rel ORDER BY 2, 1' | sed 's/^/# /'
	grep -h ERROR "$work/subscriber/server.log" | sort | uniq -c | sed 's/^/# /'
	return 1
}

mkdir -m 700 "$work/subscriber"
(own_cluster "$work/subscriber" 'wal_level = logical' && createdb $db)
ok 'a subscriber' || done_testing
own_cluster "$work" 'wal_level = logical' && createdb $db && publisher <<-'SQL'
	CREATE EXTENSION ordcancel;
	CREATE SCHEMA shop;
	CREATE TABLE shop.orders (id integer PRIMARY KEY, status text NOT NULL DEFAULT 'placed', paid numeric);
	CREATE TABLE shop.parts (region text, id integer, status text NOT NULL, PRIMARY KEY (region, id))
	    PARTITION BY LIST (region);
	CREATE TABLE shop.parts_eu PARTITION OF shop.parts FOR VALUES IN ('eu');
	CREATE TABLE shop.old (id integer PRIMARY KEY, status text);
	INSERT INTO shop.orders SELECT generate_series(1, 20);
	INSERT INTO shop.parts SELECT 'eu', generate_series(1, 9), 'placed';
	SELECT ordcancel.attach('shop.orders', 'status', refund_due => 'paid'),
	       ordcancel.attach('shop.parts', 'status') \g /dev/null
	SELECT ordcancel.set_policy(t, canceled_status => 'canceled', requested_status => 'asked'),
	       ordcancel.set_rule(t, 'placed', customer => 'request', merchant => 'cancel')
	FROM unnest('{shop.orders,shop.parts}'::regclass[]) AS t \g /dev/null
	SELECT ordcancel.cancel_order('shop.orders', id) FROM generate_series(1, 3) AS id \g /dev/null
	SELECT ordcancel.request_cancel('shop.orders', 4, request_key => 'k4') \g /dev/null
	SELECT ordcancel.cancel_order('shop.parts', ROW('eu', 1)) \g /dev/null
	SELECT ordcancel.attach('shop.old', 'status'), ordcancel.detach('shop.old') \g /dev/null
	UPDATE ordcancel.reason SET description = 'tell us' WHERE code = 'other';
	INSERT INTO ordcancel.reason (code, description) VALUES ('moved', 'moved away');
SQL
ok 'a publisher with orders, records and rules' || done_testing

# ------------------------------------------------ everything, by FOR ALL TABLES

# Everything but one table, which stays here.
pg_dump -s $db -T 'shop.old*' | grep -vE '^\\(un)?restrict ' >"$work/schema.sql"
subscriber -f "$work/schema.sql" >/dev/null
ok 'its schema on the subscriber, without one table'
publisher -c 'CREATE PUBLICATION everything FOR ALL TABLES'
is "$(publisher -c "SELECT count(*) FROM pg_class WHERE relnamespace::regnamespace::text ~ '^(ordcancel|shop)'
		AND relkind = 'r'
	AND oid <> ALL ('{ordcancel.cancellation,ordcancel.event,ordcancel.cancellation_item}'::regclass[])
	AND relreplident <> 'f'
	AND NOT EXISTS (SELECT FROM pg_index WHERE indrelid = pg_class.oid AND indisprimary)")" 0 \
	'every table with rows has a replica identity'
# A table that is published has to be there, so it is left out with its records.
is "$(PGHOST=$work/subscriber psql -Xqd $db -v VERBOSITY=sqlstate \
	-c "CREATE SUBSCRIPTION copy CONNECTION 'host=$work dbname=$db user=postgres' PUBLICATION everything" 2>&1)" \
	'ERROR:  42P01' 'FOR ALL TABLES wants every table'
publisher -c 'DROP TABLE shop.old, shop.old_cancellation, shop.old_cancellation_event' \
	-c "SELECT ordcancel.attach('shop.parts', 'status'), ordcancel.detach('shop.parts')" >/dev/null
is "$(publisher -c 'SELECT count(*) FROM ordcancel_internal.detached')" 2 'one table is detached on the publisher'
subscriber -c "CREATE SUBSCRIPTION copy CONNECTION 'host=$work dbname=$db user=postgres'
	PUBLICATION everything" 2>/dev/null
caught_up
ok 'the first sync comes to its end: no seed collides' || done_testing
is "$(subscriber -c 'SELECT count(*) FROM ordcancel_internal.detached')" 0 'what is known by OIDs stays where it is'
publisher -c "SELECT ordcancel.attach('shop.parts', 'status'), ordcancel.set_policy('shop.parts',
		canceled_status => 'canceled'),
	ordcancel.set_rule('shop.parts', 'placed', merchant => 'cancel')" >/dev/null

content() # HOST
{
	PGHOST=$1 sql $db <<-'SQL' | sort
		SET search_path = '';
		SELECT 'order_table', to_jsonb(t) FROM ordcancel.order_table AS t;
		SELECT 'policy', to_jsonb(t) FROM ordcancel.policy AS t;
		SELECT 'rule', to_jsonb(t) FROM ordcancel.rule AS t;
		SELECT 'policy_change', to_jsonb(t) FROM ordcancel.policy_change AS t;
		SELECT 'reason', to_jsonb(t) FROM ordcancel.reason AS t;
		SELECT 'refund_method', to_jsonb(t) FROM ordcancel.refund_method AS t;
		SELECT 'preset', to_jsonb(t) FROM ordcancel.preset AS t;
		SELECT 'preset_rule', to_jsonb(t) FROM ordcancel.preset_rule AS t;
		SELECT 'preset_reason', to_jsonb(t) FROM ordcancel.preset_reason AS t;
		SELECT 'cancellation', tableoid::regclass, to_jsonb(t) FROM ordcancel.cancellation AS t;
		SELECT 'event', tableoid::regclass, to_jsonb(t) - '{xid,cluster}'::text[] FROM ordcancel.event AS t;
		SELECT 'orders', to_jsonb(t) FROM shop.orders AS t;
		SELECT 'parts', to_jsonb(t) FROM shop.parts AS t;
	SQL
}

same_content() # NAME
{
	caught_up
	content "$work" >"$work/there"
	content "$work/subscriber" >"$work/here"
	[ -s "$work/there" ] && diff "$work/there" "$work/here" >"$work/diff"
	ok "$1" || head -n 20 "$work/diff" | sed 's/^/# /'
}
same_content 'both have the same configuration, records and orders'

publisher -c "UPDATE ordcancel.reason SET active = false WHERE code = 'fraud'" \
	-c "UPDATE ordcancel.refund_method SET on_undo = 'nothing' WHERE code = 'wallet'" \
	-c "DELETE FROM ordcancel.reason WHERE code = 'moved'" \
	-c "SELECT ordcancel.apply_preset('shop.parts', 'kibo')" \
	-c "SELECT ordcancel.cancel_order('shop.orders', 5)" \
	-c "CALL ordcancel.cancel_batch('shop.orders', 'id = 16')" >/dev/null
same_content 'changed seeds, reasons of a preset and more records follow'

# ------------------------------------------------------ a warm session notices

PGHOST=$work/subscriber open_session $db
ask_session "SELECT coalesce(string_agg(outcome, ' '), '-') FROM ordcancel.cancel_options('shop.orders', 10)
		WHERE verb = 'cancel_order'"
is "$said" canceled 'a session of the subscriber knows the rules'
publisher -c "SELECT ordcancel.set_rule('shop.orders', 'placed', merchant => 'request')" >/dev/null
caught_up
ask_session "SELECT coalesce(string_agg(outcome, ' '), '-') FROM ordcancel.cancel_options('shop.orders', 10)
		WHERE verb = 'cancel_order'"
is "$said" requested 'and a changed rule, at once'
publisher -c "SELECT ordcancel.set_policy('shop.orders', requested_status => 'on hold',
		reason_required => true)" >/dev/null
caught_up
ask_session "SELECT ordcancel.cancel_order('shop.orders', 10)"
is "$said" 'ERROR:  OC006' 'and a changed policy'
publisher -c "SELECT ordcancel.set_policy('shop.orders', requested_status => 'asked',
		reason_required => false)" >/dev/null
publisher -c "SELECT ordcancel.add_block('shop.orders', 'tenth', 'id = 10')" >/dev/null
caught_up
ask_session "SELECT ordcancel.cancel_order('shop.orders', 10)"
is "$said" 'ERROR:  OC005' 'and a new block'
publisher -c "SELECT ordcancel.drop_block('shop.orders', 'tenth')" >/dev/null

# The same from a session in replica mode, as tools other than the apply worker are.
caught_up
subscriber -c 'SET session_replication_role = replica' \
	-c "UPDATE ordcancel.rule SET merchant = 'forbid' WHERE orders = 'shop.orders'::regclass"
ask_session "SELECT ordcancel.cancel_order('shop.orders', 11)"
is "$said" 'ERROR:  OC003' 'and what is changed with session_replication_role = replica'
publisher -c "SELECT ordcancel.set_rule('shop.orders', 'placed', merchant => 'cancel')" >/dev/null

# ---------------------------------------------------------------------- cutover

same_content 'both are the same before the cutover'
subscriber -c 'ALTER SUBSCRIPTION copy DISABLE' -c 'ALTER SUBSCRIPTION copy SET (slot_name = NONE)' \
	-c 'DROP SUBSCRIPTION copy'
like "$(subscriber -v VERBOSITY=sqlstate -c "SELECT ordcancel.cancel_order('shop.orders', 12)" 2>&1)" 'ERROR:  23505' \
	'sequences do not follow'
subscriber >/dev/null <<-'SQL'
	SELECT format('SELECT setval(''ordcancel.%1$s_seq'', greatest((SELECT last_value FROM ordcancel.%1$s_seq), '
	              '(SELECT max(%1$s) FROM %2$s)))',
	              r.id, r.records)
	FROM ordcancel.order_table,
	    LATERAL (VALUES ('cancellation_id', cancellation_table::regclass),
	                    ('event_id', event_table::regclass)) AS r (id, records) \gexec
	SELECT setval('ordcancel.batch_id_seq', max(batch_id)) FROM ordcancel.batch;
	SELECT setval('ordcancel.batch_order_number_seq', max(number)) FROM ordcancel.batch_order;
SQL
ok 'they are set past what has come'
subscriber -c "CALL ordcancel.cancel_batch('shop.orders', 'id = 15')"
is "$(subscriber -c 'SELECT batch_id, canceled FROM ordcancel.batch_progress ORDER BY 1')" $'1|1\n2|1' \
	'a batch goes on beside one that was replicated'
is "$(subscriber -c "SELECT state, changed FROM ordcancel.cancel_order('shop.orders', 12)" \
	-c "SELECT state FROM ordcancel.accept_cancel('shop.orders', 4)" \
	-c "SELECT state, changed FROM ordcancel.request_cancel('shop.orders', 4, request_key => 'k4')" \
	-c "SELECT state FROM ordcancel.undo_cancel('shop.orders', 1)" \
	-c "SELECT state FROM ordcancel.cancel_order('shop.parts', ROW('eu', 2), 'other', 'a note')")" \
	$'canceled|t\ncanceled\nrequested|f\nundone\ncanceled' 'cancellations go on where they stood'
is "$(subscriber -c 'SELECT count(*) = count(DISTINCT cancellation_id) FROM ordcancel.cancellation' \
	-c 'SELECT count(*) = count(DISTINCT event_id) FROM ordcancel.event')" $'t\nt' 'with ids of their own'
is "$(subscriber -v VERBOSITY=sqlstate -c "UPDATE shop.orders SET status = 'placed' WHERE id = 2" 2>&1)" \
	'ERROR:  23514' \
	'and the guards hold'
close_session

# --------------------- orders and records alone, to a database with its own rules

publisher -c 'DROP PUBLICATION everything' \
	-c 'CREATE PUBLICATION orders FOR TABLE shop.orders, shop.orders_cancellation, shop.orders_cancellation_event'
PGHOST=$work/subscriber createdb ${db}_2
second()
{
	PGHOST=$work/subscriber sql ${db}_2 "$@"
}
second -c 'CREATE EXTENSION ordcancel' -c 'CREATE SCHEMA shop' >/dev/null
publisher -c "SELECT pg_create_logical_replication_slot('second', 'pgoutput')" >/dev/null
pg_dump -s -n shop -T 'shop.parts*' $db | grep -vE '^\\(un)?restrict |^CREATE SCHEMA' >"$work/schema2.sql"
second -f "$work/schema2.sql" >/dev/null
ok 'the tables on a second subscriber, of a dump of one schema'
second -c "CREATE SUBSCRIPTION copy CONNECTION 'host=$work dbname=$db user=postgres' PUBLICATION orders
	WITH (slot_name = second, create_slot = false, binary = true)"
second_caught_up()
{
	local i

	for ((i = 0; i < 900; i++)); do
		[ "$(second -c "SELECT count(*) FROM pg_subscription_rel WHERE srsubstate <> 'r'" \
			-c 'SELECT count(*) FROM shop.orders_cancellation')" = \
			"$(echo 0; publisher -c 'SELECT count(*) FROM shop.orders_cancellation')" ] && return
		sleep 0.1
	done
	tail -n 20 "$work/subscriber/server.log" | sed 's/^/# /'
	return 1
}
publisher -c "SELECT ordcancel.cancel_order('shop.orders', 13)" >/dev/null
second_caught_up
ok 'the records come in as rows of plain tables'
second -c 'ALTER SUBSCRIPTION copy DISABLE' -c 'ALTER SUBSCRIPTION copy SET (slot_name = NONE)' \
	-c 'DROP SUBSCRIPTION copy'
second -c "SELECT ordcancel.attach('shop.orders', 'status', refund_due => 'paid'), ordcancel.set_policy('shop.orders',
		canceled_status => 'canceled', requested_status => 'asked'),
	ordcancel.set_rule('shop.orders', 'placed', customer => 'request', merchant => 'cancel')" >/dev/null
ok 'attach takes them up after the cutover'
is "$(second -c "SELECT state, changed FROM ordcancel.cancel_order('shop.orders', 14)" \
	-c "SELECT state, changed FROM ordcancel.cancel_order('shop.orders', 13)" \
	-c "SELECT state FROM ordcancel.accept_cancel('shop.orders', 4)" \
	-c "SELECT state FROM ordcancel.undo_cancel('shop.orders', 1)")" \
	$'canceled|t\ncanceled|f\ncanceled\nundone' 'and cancellations go on there too'
done_testing
