#!/usr/bin/env bash
# Records of two databases meet in a third one, by logical replication: their ids
# differ by ordcancel.node_id, which is turned on while the first one works.
set -u
. "$(dirname "$0")/lib/tap.sh"
. "$here/lib/session.sh"

one()
{
	PGHOST=$work/one sql shop "$@"
}

two()
{
	PGHOST=$work/two sql shop "$@"
}

reports()
{
	PGHOST=$work/two sql reports "$@"
}

setup="CREATE EXTENSION ordcancel;
	CREATE SCHEMA shop;
	CREATE TABLE shop.orders (id integer PRIMARY KEY, status text NOT NULL);
	SELECT ordcancel.attach('shop.orders', 'status');
	SELECT ordcancel.set_policy('shop.orders', canceled_status => 'canceled'),
	       ordcancel.set_rule('shop.orders', 'placed', merchant => 'cancel');"

mkdir -m 700 "$work/one" "$work/two"
before_exit "stop_cluster '$work/one'"
before_exit "stop_cluster '$work/two'"
(own_cluster "$work/one" 'wal_level = logical' && createdb shop && sql shop -c "$setup" \
	-c "INSERT INTO shop.orders SELECT n, 'placed' FROM generate_series(1, 200) AS n") >"$work/answers"
ok 'a cluster' || done_testing
(own_cluster "$work/two" 'wal_level = logical' && createdb shop && createdb reports && sql shop -c "$setup" \
	-c "INSERT INTO shop.orders SELECT n, 'placed' FROM generate_series(201, 400) AS n" && sql reports -c "$setup") \
	>"$work/answers"
ok 'and another one, with a database for reports' || done_testing
export PGPORT=5432 PGUSER=postgres

# ------------------------------------------- turned on while a consumer reads

nodes="string_agg(DISTINCT (cancellation_id >> 43)::text, ',')"
one -c "SELECT ordcancel.create_consumer('c')" -c "SELECT ordcancel.cancel_order('shop.orders', 1)" >"$work/answers"
PGHOST=$work/one open_session shop
ask_session "SELECT state FROM ordcancel.cancel_order('shop.orders', 2)"
ask_session "BEGIN; SELECT state FROM ordcancel.cancel_order('shop.orders', 3)"
one -c 'ALTER DATABASE shop SET ordcancel.node_id = 1'
# Every session that is new finds the sequence below its node.
for n in 4 5 6 7 8 9 10 11; do
	one -c "SELECT ordcancel.cancel_order('shop.orders', id) FROM generate_series($n * 10, $n * 10 + 9) AS id" \
		>"$work/answers" 2>&1 &
	runners+=($!)
done
wait "${runners[@]}"
is "$(one -c "SELECT count(*), count(DISTINCT cancellation_id), string_agg(DISTINCT (cancellation_id >> 43)::text, ',')
	FROM shop.orders_cancellation WHERE order_id >= 40")" '80|80|1' 'sessions that begin at once share the numbers'
is "$(one -c "SELECT string_agg(order_key, ',' ORDER BY event_id) ~ '^1,2,' AND count(*) = 82
	FROM ordcancel.next_events('c', 1000)")" t 'a consumer gets all, but for the transaction that is open'
ask_session "COMMIT"
ask_session "SELECT state || ' ' || (cancellation_id >> 43) FROM ordcancel.cancel_order('shop.orders', 12)"
is "$said" 'canceled 1' 'a session from before takes numbers of the node'
close_session
one -c "SELECT ordcancel.ack('c', max(event_id)) FROM ordcancel.event WHERE order_key NOT IN ('3', '12')" \
	>"$work/answers"
is "$(one -c "SELECT string_agg(order_key, ',' ORDER BY event_id) FROM ordcancel.next_events('c', 1000)")" '3,12' \
	'then the consumer gets these two, the lower id first'
is "$(one -c "SELECT $nodes FROM shop.orders_cancellation")" '0,1' 'the database has ids of both'
two -c 'ALTER DATABASE shop SET ordcancel.node_id = 2'
two -c "SELECT ordcancel.cancel_order('shop.orders', id) FROM generate_series(201, 205) AS id" >"$work/answers"
is "$(two -c "SELECT $nodes, max(cancellation_id & 255) FROM shop.orders_cancellation")" '2|5' \
	'the other one those of its node'

# ------------------------------------------------------------- reports of both

# The highest number, so that what arrives is below it.
reports -c 'ALTER DATABASE reports SET ordcancel.node_id = 1023'
reports -c "SELECT ordcancel.create_consumer('all')" >"$work/answers"
for node in one two; do
	$node -c 'CREATE PUBLICATION records FOR TABLES IN SCHEMA shop' \
		-c "SELECT pg_create_logical_replication_slot('reports', 'pgoutput')" >"$work/answers"
	reports -c "CREATE SUBSCRIPTION $node CONNECTION 'host=$work/$node port=5432 dbname=shop user=postgres'
		PUBLICATION records WITH (slot_name = reports, create_slot = false)" 2>"$work/answers"
done
ok 'a database for reports subscribes to both' || done_testing
before_exit 'reports -c "ALTER SUBSCRIPTION one DISABLE" -c "ALTER SUBSCRIPTION two DISABLE" 2>/dev/null'

arrived() # CANCELLATIONS
{
	until_true reports "(SELECT count(*) = $1 FROM shop.orders_cancellation)
		AND (SELECT count(*) = $1 FROM shop.orders_cancellation_event)
		AND (SELECT count(*) = $1 FROM shop.orders WHERE status = 'canceled')"
}
# until_true speaks to the cluster at hand.
export PGHOST=$work/two
arrived 89
ok 'their records arrive' || tail -n 5 "$work/two/server.log" | sed 's/^/# /'
is "$(reports -c "SELECT string_agg(n, ' ' ORDER BY n) FROM (SELECT cancellation_id >> 43 || ':' || count(*) AS n
	FROM ordcancel.cancellations GROUP BY cancellation_id >> 43) AS c")" '0:3 1:81 2:5' 'without colliding'
is "$(reports -c "SELECT sum(canceled) FROM ordcancel.daily_summary('shop.orders')")" 89 'reports count them'
is "$(reports -c "SELECT problem FROM ordcancel.health('shop.orders')")" '' 'health has nothing to say'
read_all="SELECT count(*) FROM ordcancel.next_events('all', 1000)"
acknowledge="SELECT ordcancel.ack('all', max(event_id)) FROM ordcancel.next_events('all', 1000)"
is "$(reports -c "$read_all")" 89 'a consumer there gets all events'
reports -c "$acknowledge" -c "$read_all" >"$work/answers"
is "$(tail -n 1 "$work/answers")" 0 'once'
one -c "SELECT ordcancel.cancel_order('shop.orders', 13)" >"$work/answers"
two -c "SELECT ordcancel.cancel_order('shop.orders', 213)" >"$work/answers"
arrived 91
is "$(reports -c "SELECT string_agg(order_key, ',' ORDER BY event_id) FROM ordcancel.next_events('all', 1000)")" \
	'13,213' 'then those that are new, though their ids are lower than its position'
is "$(reports -c 'SELECT count(*) = 91 FROM ordcancel.late_event')" t 'which are noted'
reports -c "$acknowledge" -c "SELECT ordcancel.prune_events('0')" >"$work/answers"
is "$(reports -c 'SELECT count(*) FROM ordcancel.late_event' -c 'SELECT count(*) FROM ordcancel.event')" $'0\n0' \
	'and pruned'

# A dump keeps the numbers, also where the setting is not restored.
createdb restored
PGHOST=$work/one plain_dump shop >"$work/dump.sql"
sql restored -f "$work/dump.sql" >"$work/answers" 2>&1
is "$(sql restored -c "SELECT cancellation_id >> 43 FROM ordcancel.cancel_order('shop.orders', 20)")" 1 \
	'a dump that is restored goes on with its numbers'
done_testing
