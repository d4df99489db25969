#!/usr/bin/env bash
# Events by logical decoding, with the commands of doc/cdc.md: wal2json and
# pgoutput give every committed event once and in the order of commits, nothing
# that was rolled back, nothing when events are pruned, and the events of tables
# that are attached later. A slot goes on after a restart and after a crash.
set -u
. "$(dirname "$0")/lib/tap.sh"
. "$here/lib/session.sh"

conf=$(cat <<'CONF'
wal_level = logical
max_slot_wal_keep_size = 10GB
CONF
)
own_cluster "$work" "$conf" 'max_prepared_transactions = 5' && createdb shop && sql shop >/dev/null <<'SQL'
CREATE EXTENSION ordcancel;
CREATE SCHEMA shop;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text NOT NULL DEFAULT 'placed', paid numeric);
CREATE TABLE shop.parts (region text, id integer, status text NOT NULL DEFAULT 'placed', PRIMARY KEY (region, id));
INSERT INTO shop.orders SELECT n, 'placed', CASE n WHEN 42 THEN 20 END FROM generate_series(1, 999) AS n;
INSERT INTO shop.parts SELECT 'eu', n FROM generate_series(1, 9) AS n;
SELECT ordcancel.attach('shop.orders', 'status', refund_due => 'paid'), ordcancel.attach('shop.parts', 'status');
CREATE FUNCTION shop.let_cancel(orders regclass) RETURNS text LANGUAGE sql AS $$
SELECT ordcancel.set_policy(orders, canceled_status => 'canceled', requested_status => 'asked')
       || ordcancel.set_rule(orders, 'placed', customer => 'request', merchant => 'cancel') $$;
SELECT shop.let_cancel(t) FROM unnest('{shop.orders,shop.parts}'::regclass[]) AS t;
CREATE ROLE cdc LOGIN REPLICATION;
GRANT EXECUTE ON FUNCTION ordcancel.cloud_event TO cdc;
SQL
ok 'a shop in a cluster with wal_level = logical' || done_testing

cancel() # ORDER...
{
	local id

	for id; do
		sql shop -c "SELECT ordcancel.cancel_order('shop.orders', $id)" >/dev/null || return
	done
}

# Their ids, in their order; of all that are in the table.
written()
{
	sql shop -c "SELECT event_id FROM ordcancel.event ORDER BY 1"
}

# ---------------------------------------------------------------------- wal2json

# The value of a column in each line of a file.
column() # NAME FILE
{
	sed -n "s/.*{\"name\":\"$1\",\"type\":\"[a-z]*\",\"value\":\"\{0,1\}\([^\"}]*\).*/\1/p" "$2"
}

# A file of SQL that is run as the role, and calls psql itself.
as_cdc() # FILE
{
	(cd "$work" && export PGUSER=cdc PGDATABASE=shop PGTZ=UTC && sql shop -f "$1")
}

# What the slot gives now: orders has the keys in their order.
poll()
{
	as_cdc changes.sql >"$work/got" || return
	cat "$work/got" >>"$work/all"
	orders=$(column order_key "$work/got" | paste -sd ' ')
}

# Many sessions at a time, of which some roll back.
concurrent()
{
	local client id sessions=()

	for client in 1 2 3 4; do
		for ((id = client * 100 + 1; id <= client * 100 + 40; id++)); do
			if ((id % 3 == 0)); then
				echo "BEGIN; SELECT ordcancel.cancel_order('shop.orders', $id); ROLLBACK;"
			else
				echo "SELECT ordcancel.request_cancel('shop.orders', $id);"
				echo "BEGIN; SELECT ordcancel.accept_cancel('shop.orders', $id); COMMIT;"
			fi
		done | sql shop -f - >/dev/null &
		sessions+=($!)
	done
	wait "${sessions[@]}"
}

# Events of one order in another order than that of its life.
out_of_order() # FILE
{
	paste <(column order_key "$1") <(column event_id "$1") | awk '$2 <= last[$1] { print } { last[$1] = $2 }'
}

stream()
{
	cd "$work" && export PGUSER=cdc PGDATABASE=shop || return
	pg_recvlogical -d shop --slot bus --start -f - \
		-o format-version=2 -o include-transaction=false -o actions=insert \
		-o add-tables="$(psql -XAt -f event_tables.sql)"
}

wal2json()
{
	# Minor releases since August 2026 know the setting, and want it.
	if is_true shop "EXISTS (SELECT FROM pg_settings WHERE name = 'output_plugin_libraries')"; then
		sql shop >/dev/null <<-'SQL'
			ALTER SYSTEM SET output_plugin_libraries = 'pgoutput', 'test_decoding', 'wal2json';
			SELECT pg_reload_conf();
		SQL
		until_true shop "current_setting('output_plugin_libraries') ~ 'wal2json'"
	fi
	sql shop -U cdc >/dev/null <<-'SQL'
		SELECT pg_create_logical_replication_slot('bus', 'wal2json');
	SQL
	ok 'a slot of a role that has REPLICATION alone' || return
	sql shop -c "SELECT pg_create_logical_replication_slot('cloud', 'wal2json')" >/dev/null
	cat >"$work/event_tables.sql" <<-'SQL'
		SELECT string_agg(regexp_replace(n.nspname, '([ '',.*\\])', '\\\1', 'g') || '.'
		                  || regexp_replace(c.relname, '([ '',.*\\])', '\\\1', 'g'), ',') AS event_tables
		FROM ordcancel.order_table AS t JOIN pg_class AS c ON c.oid = t.event_table
		    JOIN pg_namespace AS n ON n.oid = c.relnamespace
	SQL
	cat >"$work/changes.sql" <<-'SQL'
		\set event_tables `psql -XAt -f event_tables.sql`
		SELECT data
		FROM pg_logical_slot_get_changes('bus', NULL, NULL, 'format-version', '2', 'include-transaction', 'false',
		                                 'actions', 'insert', 'add-tables', :'event_tables');
	SQL
	cat >"$work/cloud_events.sql" <<-'SQL'
		\set event_tables `psql -XAt -f event_tables.sql`
		SELECT ordcancel.cloud_event(jsonb_populate_record(NULL::ordcancel.event, e.event))
		FROM pg_logical_slot_get_changes('bus', NULL, NULL, 'format-version', '2', 'include-transaction', 'false',
		                                 'actions', 'insert', 'add-tables', :'event_tables') AS c,
		    LATERAL (SELECT jsonb_object_agg(v->>'name', CASE v->>'type' WHEN 'jsonb' THEN (v->>'value')::jsonb
		                                                                 ELSE v->'value' END)
		             FROM jsonb_array_elements(c.data::jsonb->'columns') AS v) AS e (event);
	SQL
	sed -i "s/'bus'/'cloud'/" "$work/cloud_events.sql"

	sql shop -c "SET ordcancel.clock = '2026-03-02 10:00+00'" \
		-c "SELECT ordcancel.cancel_order('shop.orders', 42, 'out_of_stock', actor => 'anna')" >/dev/null
	poll
	cat >"$work/shown" <<-'JSON'
		{"action": "I", "schema": "shop", "table": "orders_cancellation_event", "columns": [
		    {"name": "event_id", "type": "bigint", "value": 1},
		    {"name": "cancellation_id", "type": "bigint", "value": 1},
		    {"name": "order_key", "type": "text", "value": "42"},
		    {"name": "type", "type": "text", "value": "accepted"},
		    {"name": "from_status", "type": "text", "value": "placed"},
		    {"name": "to_status", "type": "text", "value": "placed"},
		    {"name": "state", "type": "text", "value": "in_progress"},
		    {"name": "party", "type": "text", "value": "merchant"},
		    {"name": "actor", "type": "text", "value": "anna"},
		    {"name": "session_role", "type": "name", "value": "postgres"},
		    {"name": "reason", "type": "text", "value": "out_of_stock"},
		    {"name": "data", "type": "jsonb", "value": "{\"refund_due\": 20}"},
		    {"name": "at", "type": "timestamp with time zone", "value": "2026-03-02 10:00:00+00"},
		    {"name": "source", "type": "text", "value": "cancel_order"},
		    {"name": "request_key", "type": "text", "value": null},
		    {"name": "xid", "type": "bigint", "value": 785},
		    {"name": "cluster", "type": "bigint", "value": 7412345678901234567},
		    {"name": "orders", "type": "text", "value": "shop.orders"},
		    {"name": "order_id", "type": "integer", "value": 42}]}
	JSON
	# The transaction and the cluster differ.
	sed -i "s/785}/$(column xid "$work/got")}/; s/7412345678901234567}/$(column cluster "$work/got")}/" "$work/shown"
	is "$(sql shop -v got="$(cat "$work/got")" -v shown="$(cat "$work/shown")" \
		<<<"SELECT :'got'::jsonb = :'shown'::jsonb")" t 'the JSON is what is shown' || sed 's/^/# /' "$work/got"

	hold shop "SELECT ordcancel.cancel_order('shop.orders', 10)"
	cancel 11
	release
	cancel 12
	poll
	is "$orders" '11 10 12' 'events come in the order of commits, not in that of their ids'
	is "$(column event_id "$work/got" | paste -sd ' ')" '3 2 4' 'which differs'

	sql shop >/dev/null <<-'SQL'
		SET ordcancel.notify = off;
		BEGIN; SELECT ordcancel.cancel_order('shop.orders', 13); ROLLBACK;
		BEGIN; SELECT ordcancel.cancel_order('shop.orders', 14);
		SAVEPOINT s; SELECT ordcancel.cancel_order('shop.orders', 15); ROLLBACK TO s;
		SELECT ordcancel.cancel_order('shop.orders', 16); COMMIT;
		SELECT ordcancel.cancel_orders('shop.orders', '{17,10,18}');
		BEGIN; SELECT ordcancel.cancel_order('shop.orders', 19); PREPARE TRANSACTION 'nineteen';
		BEGIN; SELECT ordcancel.cancel_order('shop.orders', 20); PREPARE TRANSACTION 'twenty';
		SELECT ordcancel.cancel_order('shop.orders', 21);
		COMMIT PREPARED 'nineteen';
		ROLLBACK PREPARED 'twenty';
	SQL
	poll
	is "$orders" '14 16 17 18 21 19' 'what is rolled back never comes, what is prepared when it is committed'
	poll
	is "$orders" '' 'nothing comes twice'

	concurrent
	sql shop >/dev/null <<-'SQL'
		CALL ordcancel.cancel_batch('shop.orders', 'id BETWEEN 900 AND 999', chunk => 30);
		SELECT ordcancel.record_refund('shop.orders', 42, 20, 'card', 'pay_7');
		SELECT ordcancel.undo_cancel('shop.orders', 42, 'found', settled => true);
		SELECT ordcancel.cancel_order('shop.parts', ROW('eu', 1));
	SQL
	poll
	is "$(wc -l <"$work/got")" $((107 * 2 + 100 + 4)) 'events of concurrent sessions, and of a batch'
	is "$(out_of_order "$work/all")" '' 'those of an order in the order of its life'
	is "$(column event_id "$work/all" | sort -n)" "$(written)" 'each committed event once'

	sql shop >/dev/null <<-'SQL'
		CREATE TABLE shop."Returns, new" (id integer PRIMARY KEY, status text);
		INSERT INTO shop."Returns, new" VALUES (7, 'placed');
		SELECT ordcancel.attach('shop."Returns, new"', 'status'), shop.let_cancel('shop."Returns, new"');
		SELECT ordcancel.cancel_order('shop."Returns, new"', 7);
	SQL
	poll
	is "$orders" 7 'a table that is attached later'

	cancel 22
	pg_ctl -s -w -m fast -l "$work/server.log" restart
	cancel 23
	poll
	is "$orders" '22 23' 'the slot goes on after a restart'
	cancel 24
	pg_ctl -s -w -m immediate stop
	wait_for_server shop
	cancel 25
	poll
	like "$orders" '24 25$' 'and after a crash, from which it may repeat some' || sed 's/^/# /' "$work/server.log"
	is "$(column event_id "$work/all" | sort -nu)" "$(written)" 'still none is missing'

	stream >"$work/stream" 2>"$work/stream.err" &
	cancel 26
	wait_for grep -q '"value":"26"' "$work/stream"
	ok 'pg_recvlogical has them as they are committed' || sed 's/^/# /' "$work/stream.err"
	pkill -P $!
	wait $!
	until_true shop "NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = 'bus' AND active)"
	cat "$work/stream" >>"$work/all"

	as_cdc cloud_events.sql | sort >"$work/cloud"
	sql shop -c 'SELECT ordcancel.cloud_event(e) FROM ordcancel.event AS e' | sort >"$work/wanted"
	[ -s "$work/wanted" ] && diff "$work/wanted" "$work/cloud" >"$work/diff"
	ok 'as CloudEvents they are what the function makes of the table' || sed 's/^/# /' "$work/diff"

	sql shop -f - >"$work/lag" <<-'SQL'
		SELECT slot_name, active, wal_status, pg_size_pretty(pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn))
		FROM pg_replication_slots;
	SQL
	like "$(cat "$work/lag")" 'bus\|f\|reserved' 'how far behind a slot is'
}

has_wal2json=$(find "$(pg_config --pkglibdir)" -name wal2json.so)
if [ -n "$has_wal2json" ]; then
	wal2json
else
	echo '# no wal2json here'
fi

# ---------------------------------------------------------------------- pgoutput

sql shop >/dev/null <<'SQL'
SELECT format('CREATE PUBLICATION cancellation_events FOR TABLE %s WITH (publish = ''insert'')',
              string_agg(event_table::regclass::text, ', '))
FROM ordcancel.order_table \gexec
SQL
is "$(sql shop -c "SELECT string_agg(c.oid::regclass::text, ' ' ORDER BY c.oid) FROM pg_class AS c
	WHERE relname LIKE '%\\_event' AND relkind = 'r' AND relnamespace = 'shop'::regnamespace")" \
	"$(sql shop -c "SELECT string_agg(prrelid::regclass::text, ' ' ORDER BY prrelid) FROM pg_publication_rel")" \
	'a publication of the event tables alone'
sql shop -c "SELECT pg_create_logical_replication_slot('raw', 'pgoutput')" >/dev/null

# How many messages of each kind the slot gives, and for which tables.
messages() # PUBLICATION
{
	sql shop <<-SQL
		SELECT string_agg(format('%s %s', kind, n), ', ' ORDER BY kind)
		FROM (SELECT chr(get_byte(data, 0)) AS kind, count(*) AS n
		      FROM pg_logical_slot_get_binary_changes('raw', NULL, NULL, 'proto_version', '1',
		                                              'publication_names', '$1')
		      GROUP BY 1) AS m
	SQL
}

cancel 50 51
sql shop >/dev/null <<'SQL'
BEGIN; SELECT ordcancel.cancel_order('shop.orders', 52); ROLLBACK;
SELECT ordcancel.cancel_order('shop.parts', ROW('eu', 2));
UPDATE shop.orders SET paid = 1 WHERE id = 60;
SQL
is "$(messages cancellation_events)" 'B 3, C 3, I 3, R 2' 'inserts of events, nothing else'

# An archive: a server without the extension.
mkdir -m 700 "$work/archive"
before_exit "stop_cluster '$work/archive'"
(own_cluster "$work/archive" 'wal_level = logical' && createdb archive)
archive()
{
	PGHOST=$work/archive sql archive "$@"
}
sql shop <<'SQL'
GRANT USAGE ON SCHEMA shop TO cdc;
GRANT SELECT ON shop.orders_cancellation_event, shop.parts_cancellation_event TO cdc;
SQL
cat >"$work/archive.sql" <<'SQL'
SELECT format('CREATE SCHEMA IF NOT EXISTS %I; CREATE TABLE IF NOT EXISTS %s (%s, PRIMARY KEY (event_id));',
              n.nspname, c.oid::regclass,
              (SELECT string_agg(format('%I %s', attname, format_type(atttypid, atttypmod)), ', ' ORDER BY attnum)
               FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped))
FROM ordcancel.order_table AS t JOIN pg_class AS c ON c.oid = t.event_table
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
SQL
sql shop -c 'DROP TABLE IF EXISTS shop."Returns, new", shop."Returns, new_cancellation",
	shop."Returns, new_cancellation_event"'
sql shop -f "$work/archive.sql" | archive && archive -c "CREATE SUBSCRIPTION cancellation_events
	CONNECTION 'host=$work dbname=shop user=cdc' PUBLICATION cancellation_events" 2>/dev/null
ok 'an archive subscribes to it, as the role that decodes' || done_testing

content()
{
	sed "s/.*/SELECT to_jsonb(e) FROM & AS e;/" <<<"$event_tables" | "$1" -f - | sort
}

shop()
{
	sql shop "$@"
}

archived()
{
	[ "$(content shop)" = "$(content archive)" ]
}

event_tables=$'shop.orders_cancellation_event\nshop.parts_cancellation_event'
cancel 53
wait_for archived
ok 'it has the events of before and of after' || grep -h ERROR "$work/archive/server.log" | sed 's/^/# /'

# With the record tables of a new table published in the transaction that
# attaches it, no event can come before.
sql shop -c 'CREATE TABLE shop.returns (id integer PRIMARY KEY, status text)' \
	-c "INSERT INTO shop.returns SELECT n, 'placed' FROM generate_series(1, 9) AS n"
messages cancellation_events >/dev/null
sql shop >/dev/null <<'SQL'
BEGIN;
SELECT ordcancel.attach('shop.returns', 'status');
ALTER PUBLICATION cancellation_events ADD TABLE shop.returns_cancellation_event;
COMMIT;
GRANT SELECT ON shop.returns_cancellation_event TO cdc;
SQL
sql shop -c "SELECT shop.let_cancel('shop.returns'), ordcancel.cancel_order('shop.returns', 1)" >/dev/null
is "$(messages cancellation_events)" 'B 1, C 1, I 1, R 1' 'the events of a table that is attached later'
sql shop -f "$work/archive.sql" | archive && archive <<'SQL'
ALTER SUBSCRIPTION cancellation_events REFRESH PUBLICATION;
SQL
sql shop -c "SELECT ordcancel.cancel_order('shop.returns', 2)" >/dev/null
event_tables+=$'\nshop.returns_cancellation_event'
wait_for archived
ok 'the archive gets those from before its refresh, too' || grep -h ERROR "$work/archive/server.log" | sed 's/^/# /'

content shop >"$work/before"
messages cancellation_events >/dev/null
sql shop <<'SQL'
SET session_replication_role = replica;
DELETE FROM shop.orders_cancellation_event WHERE event_id <= (SELECT max(event_id) - 3 FROM ordcancel.event);
TRUNCATE shop.parts_cancellation_event;
SQL
cancel 54
is "$(messages cancellation_events)" 'B 1, C 1, I 1, R 1' 'nothing is published of events that are pruned'
if [ -n "$has_wal2json" ]; then
	poll
	like "$orders" ' 54$' 'wal2json gives the next event'
	! grep -v '"action":"I"' "$work/got"
	ok 'and nothing of those either'
fi
content shop >"$work/left"
wait_for eval 'archive -c "SELECT FROM shop.orders_cancellation_event WHERE order_id = 54" | grep -q .'
content archive >"$work/kept"
is "$(sort -u "$work/before" "$work/left" | diff - "$work/kept")" '' 'the archive keeps them'

# A schema of their own for the record tables: new ones join by themselves.
sql shop >/dev/null <<'SQL'
CREATE SCHEMA audit;
CREATE PUBLICATION audit_events FOR TABLES IN SCHEMA audit WITH (publish = 'insert');
SQL
sql shop >/dev/null <<'SQL'
CREATE TABLE shop.tickets (id integer PRIMARY KEY, status text);
INSERT INTO shop.tickets VALUES (1, 'placed');
SELECT ordcancel.attach('shop.tickets', 'status', record_schema => 'audit'), shop.let_cancel('shop.tickets');
SELECT ordcancel.cancel_order('shop.tickets', 1);
SQL
is "$(messages audit_events)" 'B 1, C 1, I 2, R 2' 'in a schema for records a new table is published by itself'
if [ -n "$has_wal2json" ]; then
	echo "SELECT 'audit.*'" >"$work/event_tables.sql"
	poll
	is "$(sed 's/.*"table":"\([a-z_]*\)".*/\1/' "$work/got" | sort | paste -sd ' ')" \
		'tickets_cancellation tickets_cancellation_event' 'and wal2json finds it by the schema'
fi

# ------------------------------------------------------------------- CloudEvents

# The events of a dump are the same; those that are written after it are not,
# though they have the same numbers.
pg_dump -Fc --no-publications -f "$work/shop.dump" shop
PGHOST=$work/archive sql postgres -c 'CREATE ROLE cdc'
sql shop -c 'SELECT id FROM ordcancel.cloud_events ORDER BY 1' >"$work/ids"
cancel 70
new_event()
{
	sql "$1" -c "SELECT event_id, ordcancel.cloud_event(e)->>'id' FROM ordcancel.event AS e WHERE order_key = '70'"
}
first=$(new_event shop)
for host in "$work" "$work/archive"; do
	PGHOST=$host createdb restored && PGHOST=$host pg_restore -d restored "$work/shop.dump"
	is "$(PGHOST=$host sql restored -c 'SELECT id FROM ordcancel.cloud_events ORDER BY 1')" "$(cat "$work/ids")" \
		'a dump has the same ids'
	PGHOST=$host sql restored -c "SELECT ordcancel.cancel_order('shop.orders', 70)" >/dev/null
	second=$(PGHOST=$host new_event restored)
	is "${second%|*}" "${first%|*}" 'an event that is new there has the same number'
	[ "$second" != "$first" ]
	ok 'and another id'
done

# ---------------------------------------------------------------------- Debezium

# It does not run here: what the configuration names has to exist, and to have a
# type that the router accepts.
cat >"$work/debezium.properties" <<'PROPERTIES'
connector.class=io.debezium.connector.postgresql.PostgresConnector
database.hostname=db.example.com
database.dbname=shop
database.user=cdc
topic.prefix=shop
plugin.name=pgoutput
slot.name=debezium
publication.name=cancellation_events
publication.autocreate.mode=disabled
table.include.list=shop[.].*_cancellation_event
heartbeat.interval.ms=60000
key.converter=org.apache.kafka.connect.storage.StringConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
value.converter.schemas.enable=false
transforms=outbox
transforms.outbox.type=io.debezium.transforms.outbox.EventRouter
transforms.outbox.table.field.event.id=event_id
transforms.outbox.table.field.event.key=order_key
transforms.outbox.table.field.event.payload=data
transforms.outbox.table.expand.json.payload=true
transforms.outbox.table.fields.additional.placement=type:header,cancellation_id:envelope,\
    from_status:envelope:from,to_status:envelope:to,state:envelope,party:envelope,actor:envelope,\
    reason:envelope,at:envelope
transforms.outbox.route.by.field=orders
transforms.outbox.route.topic.replacement=cancellations.${routedByValue}
PROPERTIES

property()
{
	sed ':join; /\\$/ { N; s/\\\n *//; b join }' "$work/debezium.properties" | sed -n "s/^$1=//p"
}
type_of() # COLUMN
{
	sql shop -c "SELECT format('%s %s', atttypid::regtype, CASE WHEN attnotnull THEN 'not null' END)
		FROM pg_attribute WHERE attrelid = 'shop.parts_cancellation_event'::regclass AND attname = '$1'"
}
router=transforms.outbox
is "$(for name in table.field.event.id table.field.event.key route.by.field table.field.event.payload; do
	type_of "$(property "$router.$name")"
done)" $'bigint not null\ntext not null\ntext not null\njsonb ' 'the columns for the router of Debezium'
for column in $(property "$router.table.fields.additional.placement" | sed 's/:[^,]*//g; s/,/ /g'); do
	[ -n "$(type_of "$column")" ]
	ok "column $column, for messages" || true
done
is "$(sql shop -c "SELECT count(*) FROM pg_publication_tables
	WHERE pubname = '$(property publication.name)'
	  AND format('%s.%s', schemaname, tablename) !~ '^$(property table.include.list)\$'")" 0 \
	'all that is published is included'
done_testing
