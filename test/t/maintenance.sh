#!/usr/bin/env bash
# What keeps tables in shape: VACUUM FULL, CLUSTER, REINDEX, pg_repack where it
# is there; and settings of a database for tests.
set -u
. "$(dirname "$0")/lib/tap.sh"
. "$here/lib/session.sh"

db=t_maintenance

roles maintenance_app

fresh_database $db && sql $db <<-'SQL'
	CREATE EXTENSION ordcancel;
	CREATE SCHEMA shop;
	CREATE TABLE shop.orders (id integer PRIMARY KEY, status text NOT NULL DEFAULT 'placed', seller text, flag boolean);
	CREATE INDEX ON shop.orders (seller);
	INSERT INTO shop.orders (id) SELECT generate_series(1, 300);
	SELECT ordcancel.attach('shop.orders', 'status', policy_by => 'seller'),
	       ordcancel.set_policy('shop.orders', canceled_status => 'canceled', requested_status => 'asked'),
	       ordcancel.set_rule('shop.orders', 'placed', customer => 'request', merchant => 'cancel'),
	       ordcancel.add_block('shop.orders', 'flag', 'flag') \g /dev/null
	SELECT ordcancel.cancel_order('shop.orders', id) FROM generate_series(1, 50) AS id \g /dev/null
	SELECT ordcancel.request_cancel('shop.orders', id, request_key => 'k' || id)
	FROM generate_series(51, 100) AS id \g /dev/null
SQL
ok 'orders, some of them canceled' || done_testing
guards="SELECT string_agg(concat_ws(' ', tgrelid::regclass, tgname, tgenabled), ', ' ORDER BY tgrelid::regclass::text,
		tgname)
	FROM pg_trigger WHERE NOT tgisinternal AND tgrelid::regclass::text ~ '^shop'"
indexes="SELECT string_agg(d, ', ' ORDER BY d) FROM (SELECT regexp_replace(pg_get_indexdef(indexrelid), 'INDEX \S+ ',
		'') FROM pg_index
	WHERE indrelid::regclass::text ~ '^shop') AS i (d)"
guarded=$(sql $db -c "$guards" -c "$indexes")

open_session $db

next=100
# After it a warm session and a new one cancel, ask, undo, and are refused.
works() # WHAT
{
	next=$((next + 2))
	ask_session "SELECT concat_ws(' ', state, changed) FROM ordcancel.cancel_order('shop.orders', $next)"
	is "$said" 'canceled t' "$1: a warm session cancels"
	ask_session "SELECT state FROM ordcancel.undo_cancel('shop.orders', $next)"
	is "$said" undone "$1: and undoes"
	ask_session "UPDATE shop.orders SET status = 'placed' WHERE id = 1"
	is "$said" 'ERROR:  23514' "$1: is refused"
	is "$(sql $db -c "UPDATE shop.orders SET status = 'canceled' WHERE id = $next + 1" \
		-c "SELECT state, changed FROM ordcancel.cancel_order('shop.orders', $next + 1)" \
		-c "SELECT state, changed FROM ordcancel.request_cancel('shop.orders', 60, request_key => 'k60')")" \
		$'canceled|f\nrequested|f' "$1: plain updates are recorded"
	is "$(sql $db -c "$guards" -c "$indexes")" "$guarded" "$1: guards and indexes are as they were"
}
works 'nothing'
for relation in shop.orders shop.orders_cancellation shop.orders_cancellation_event; do
	sql $db -c "VACUUM FULL $relation"
	ok "VACUUM FULL $relation"
	sql $db -c "CLUSTER $relation USING ${relation#*.}_pkey" -c "ALTER TABLE $relation SET WITHOUT CLUSTER"
	ok "CLUSTER $relation"
	works "$relation rewritten"
	sql $db -c "REINDEX TABLE CONCURRENTLY $relation"
	ok "REINDEX CONCURRENTLY $relation"
	works "$relation reindexed"
done

if command -v pg_repack >/dev/null && sql $db -c 'CREATE EXTENSION pg_repack' 2>/dev/null; then
	# Meanwhile orders are canceled, one after another.
	for ((i = 200; i < 300; i++)); do
		echo "SELECT ordcancel.cancel_order('shop.orders', $i);"
	done | sql $db >"$work/canceled" 2>&1 &
	canceling=$!
	for relation in shop.orders shop.orders_cancellation shop.orders_cancellation_event; do
		pg_repack -d $db -t $relation >"$work/out" 2>&1 && ! grep -q 'ERROR\|WARNING' "$work/out"
		ok "pg_repack $relation" || sed 's/^/# /' "$work/out"
		works "$relation repacked"
	done
	wait "$canceling"
	is "$(sql $db -c "SELECT count(*) FROM shop.orders JOIN shop.orders_cancellation AS c ON order_id = id
			JOIN shop.orders_cancellation_event AS e USING (cancellation_id)
		WHERE id BETWEEN 200 AND 299 AND status = 'canceled' AND c.state = 'canceled' AND e.type = 'canceled'")" 100 \
		'what was canceled meanwhile is there, order and record'
	sql $db -c 'DROP EXTENSION pg_repack'
fi

# ------------------------------------------------------ a database for tests

sql $db -c 'CREATE ROLE maintenance_app LOGIN' -c 'GRANT USAGE ON SCHEMA shop TO maintenance_app' \
	-c 'GRANT ALL ON shop.orders TO maintenance_app'
is "$(psql -Xqd $db -U maintenance_app -v VERBOSITY=sqlstate -c 'TRUNCATE shop.orders' 2>&1)" 'ERROR:  23514' \
	'TRUNCATE is refused'
sql $db -c "ALTER DATABASE $db SET ordcancel.allow_truncate = on"
is "$(psql -XqAtd $db -U maintenance_app -c 'TRUNCATE shop.orders' 2>&1)$(sql $db \
	-c 'SELECT count(*) FROM shop.orders_cancellation' \
	-c 'SELECT count(*) FROM shop.orders' -c 'SELECT count(*) FROM ordcancel.rule')" $'0\n0\n1' \
	'ALTER DATABASE SET: it empties orders and records'
sql $db -c "INSERT INTO shop.orders (id) VALUES (1)"
is "$(sql $db -c "SELECT state, changed FROM ordcancel.cancel_order('shop.orders', 1)")" 'canceled|t' \
	'and rules hold for the next test'
done_testing
