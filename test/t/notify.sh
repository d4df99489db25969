#!/usr/bin/env bash
# What listeners hear: one JSON for each event, the same as its row, never too
# long for NOTIFY, on the table's channel, and nothing of what did not happen.
set -u
. "$(dirname "$0")/lib/tap.sh"
. "$here/lib/session.sh"
db=t_notify

# Runs what it reads in a session that listens; the payloads go into the table
# heard, each with its channel.
hear() # CHANNEL...
{
	local channel

	{
		for channel; do echo "LISTEN \"$channel\";"; done
		cat
	} >"$work/session.sql"
	sql $db -f "$work/session.sql" >"$work/session.out" &&
		store_notifications $db "$work/session.out"
}

fresh_database $db && sql $db >/dev/null <<'SQL'
CREATE EXTENSION ordcancel;
CREATE TABLE heard (n integer GENERATED ALWAYS AS IDENTITY, pid integer, channel text, payload text);
CREATE TABLE orders (id integer PRIMARY KEY, status text, due numeric);
INSERT INTO orders SELECT n, CASE WHEN n > 5 THEN 'preparing' ELSE 'placed' END, CASE n WHEN 3 THEN 9.90 END
FROM generate_series(1, 30) AS n;
SELECT ordcancel.attach('orders', 'status', refund_due => 'due');
SELECT ordcancel.set_policy('orders', requested_status => 'asked', in_progress_status => 'refunding',
                            canceled_status => 'canceled');
SELECT ordcancel.set_rule('orders', 'placed', customer => 'cancel', merchant => 'cancel');
SELECT ordcancel.set_rule('orders', 'preparing', customer => 'request', merchant => 'request');
SQL
ok 'a table is attached' || done_testing

# ---------------------------------------------------------------- the payload

hear ordcancel <<'SQL'
SELECT ordcancel.cancel_order('orders', 1, 'out_of_stock', 'the note is secret', 'anna "the" clerk');
SELECT ordcancel.undo_cancel('orders', 1, 'the undo is secret');
UPDATE orders SET status = 'canceled' WHERE id = 2;
SELECT ordcancel.cancel_order('orders', 3);
SELECT ordcancel.record_refund('orders', 3, 4, 'card', 'reference is secret');
SELECT ordcancel.record_refund('orders', 3, 5.90, 'cash');
SELECT ordcancel.request_cancel('orders', 6, actor => '');
SELECT ordcancel.withdraw_cancel('orders', 6);
SELECT ordcancel.request_cancel('orders', 7);
SELECT ordcancel.deny_cancel('orders', 7, 'the denial is secret');
SELECT ordcancel.request_cancel('orders', 8);
UPDATE orders SET status = 'shipped' WHERE id = 8;
SELECT ordcancel.override_cancel('orders', 8, note => 'the override is secret');
SQL
is "$(sql $db -c "SELECT string_agg(payload::jsonb ->> 'type', ' ' ORDER BY n) FROM heard")" \
	'canceled undone canceled accepted refunded refunded canceled '\
'requested withdrawn requested denied requested denied canceled' \
	'every event is announced once, in its order'
is "$(sql $db -c "SELECT DISTINCT (SELECT string_agg(k, ' ' ORDER BY k) FROM jsonb_object_keys(payload::jsonb) AS k)
		FROM heard")" \
	'actor at event_id from order_id orders party reason state to type' 'each with the fields of the contract'
is "$(sql $db -c "
	SELECT count(*) FROM heard AS h, jsonb_to_record(h.payload::jsonb) AS j (event_id bigint, orders regclass,
	order_id text, type text, \"from\" text,
			\"to\" text, state text, party text, actor text, reason text, at timestamptz)
		JOIN orders_cancellation_event AS e USING (event_id)
	WHERE (j.orders, j.order_id, j.type, j.\"from\", j.\"to\", j.state, j.party, j.actor, j.reason, j.at)
		IS NOT DISTINCT FROM ('orders'::regclass, e.order_key, e.type, e.from_status, e.to_status, e.state, e.party,
		e.actor, e.reason, e.at)")" 14 \
	'and the values of its row'
is "$(sql $db -c "SELECT count(*) FROM heard WHERE payload LIKE '%secret%'")" 0 'no note is in it'
is "$(sql $db -c "SELECT DISTINCT jsonb_typeof(payload::jsonb -> 'event_id') || ' '
		|| jsonb_typeof(payload::jsonb -> 'order_id') FROM heard")" 'number string' \
	'event_id is a number, order_id a string'

# ------------------------------------------------------- what did not happen

hear ordcancel <<'SQL'
BEGIN;
SELECT ordcancel.cancel_order('orders', 4);
ROLLBACK;
BEGIN;
SAVEPOINT s;
SELECT ordcancel.cancel_order('orders', 4);
ROLLBACK TO s;
SELECT ordcancel.cancel_order('orders', 5);
COMMIT;
SELECT ordcancel.cancel_order('orders', 5);
\set ON_ERROR_STOP off
SELECT ordcancel.cancel_order('orders', 99);
UPDATE orders SET status = 'placed' WHERE id = 5;
UPDATE orders SET due = 0;
SQL
is "$(sql $db -c "SELECT string_agg(payload::jsonb ->> 'order_id', ' ') FROM heard")" 5 \
	'nothing is announced that was rolled back, refused, or so already'

hear ordcancel <<'SQL'
SET ordcancel.notify = off;
SELECT ordcancel.cancel_order('orders', 1);
SET ordcancel.notify = commit;
SELECT ordcancel.undo_cancel('orders', 1);
SQL
is "$(sql $db -c "SELECT string_agg(payload::jsonb ->> 'type', ' ') FROM heard")" undone \
	'ordcancel.notify = off announces nothing'
is "$(sql $db -c "SELECT string_agg(type, ' ' ORDER BY event_id) FROM orders_cancellation_event WHERE order_id = 1")" \
	'canceled undone canceled undone' 'and the events are there all the same'

hear ordcancel <<'SQL'
UPDATE orders SET status = 'asked' WHERE id > 10;
SQL
is "$(sql $db -c "SELECT count(*), count(DISTINCT payload) FROM heard")" '20|20' \
	'one UPDATE of many orders announces each'

# -------------------------------------------------------------------- channels

channel=$(printf 'Ka"nal %.0s' 1 2 3 4 5 6 7)
sql $db -v channel="$channel" >/dev/null <<'SQL'
CREATE TABLE other (id integer PRIMARY KEY, status text);
INSERT INTO other VALUES (1, 'placed'), (2, 'placed');
SELECT ordcancel.attach('other', 'status', notify_channel => :'channel');
SELECT ordcancel.set_policy('other', canceled_status => 'canceled');
SELECT ordcancel.set_rule('other', 'placed', customer => 'cancel', merchant => 'cancel');
SQL
hear ordcancel "${channel//\"/\"\"}" <<'SQL'
SELECT ordcancel.cancel_order('other', 1);
SELECT ordcancel.cancel_order('orders', 1);
SQL
is "$(sql $db -c "SELECT channel || ': ' || (payload::jsonb ->> 'orders') FROM heard ORDER BY n")" \
	"$(printf '%s: public.other\nordcancel: public.orders' "$channel")" "a table's events go to its own channel"
sql $db -c "SELECT ordcancel.attach('other', unset => '{notify_channel}')" >/dev/null
hear ordcancel "${channel//\"/\"\"}" <<'SQL'
SELECT ordcancel.cancel_order('other', 2);
SQL
is "$(sql $db -c 'SELECT channel FROM heard')" ordcancel 'and to the common one when it has none'

# ------------------------------------------------------------------ very long

sql $db >/dev/null <<'SQL'
CREATE SCHEMA "Schema ""of"" a long name with 'quotes' and ünïcödé, 60 byte";
SET search_path = "Schema ""of"" a long name with 'quotes' and ünïcödé, 60 byte";
CREATE TABLE "A table ""of"" a long name with 'quotes' and ünïcödé, 60 bytes" (id text PRIMARY KEY, status text);
CREATE FUNCTION long() RETURNS regclass LANGUAGE sql
    AS $$ SELECT oid::regclass FROM pg_class WHERE relname LIKE 'A table%' AND relname !~ 'cancellation'
             AND relkind = 'r' $$;
INSERT INTO "A table ""of"" a long name with 'quotes' and ünïcödé, 60 bytes"
SELECT key, status FROM (VALUES (repeat('k', 8000)), (repeat('ü', 8000)), (repeat(E'\x01', 8000)), (repeat('"\', 4000)),
                                (repeat('😀', 4000))) AS k (key),
	(VALUES (1, repeat(E'\x02', 20000)), (2, repeat('é', 20000)), (3, 'placed')) AS s (n, status)
WHERE n = length(key) % 3 + 1;
SELECT ordcancel.attach(long(), 'status');
SELECT ordcancel.set_policy(long(), canceled_status => repeat(E'\x03"', 500));
SQL
ok 'an order table of long names, keys and statuses is attached'
hear ordcancel <<'SQL'
SET search_path = "Schema ""of"" a long name with 'quotes' and ünïcödé, 60 byte";
SELECT count(ordcancel.override_cancel(long(), id, note => 'n', actor => repeat(E'\x1f', 255)))
FROM "A table ""of"" a long name with 'quotes' and ünïcödé, 60 bytes";
SELECT count(ordcancel.undo_cancel(long(), id, actor => repeat('😀', 255)))
FROM "A table ""of"" a long name with 'quotes' and ünïcödé, 60 bytes";
SQL
ok 'its orders are canceled and restored'
is "$(sql $db -c 'SELECT count(*), max(octet_length(payload)) < 8000 FROM heard')" '10|t' \
	'every event is announced, in less than 8,000 bytes'
is "$(sql $db -c "
	SELECT count(*) FROM heard AS h JOIN ordcancel.event AS e ON e.event_id = (h.payload::jsonb ->> 'event_id')::bigint
	WHERE payload::jsonb ->> 'type' = e.type
		AND starts_with(e.order_key, rtrim(payload::jsonb ->> 'order_id', '.'))
		AND starts_with(e.to_status, rtrim(payload::jsonb ->> 'to', '.')) AND starts_with(e.actor,
		rtrim(payload::jsonb ->> 'actor', '.'))")" 10 \
	'what is too long is cut between characters'
is "$(sql $db -c "SELECT count(*) FROM heard WHERE length(payload::jsonb ->> 'order_id') < 50")" 0 \
	'and not further than needed'

done_testing
