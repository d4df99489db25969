#!/usr/bin/env bash
# The views of everything on record, with few tables and with more than the server
# can lock: the same rows, and then no table stays locked.
set -u
. "$(dirname "$0")/lib/tap.sh"

db=t_many_views
views='cancellations reason_summary daily_summary timeline'

# Up to 40 tables of cancellations are read in one scan.
own_cluster "$work" 'max_locks_per_transaction = 10' 'max_connections = 300' || exit

make_shops() # FIRST LAST
{
	sql $db -v first="$1" -v last="$2" -o /dev/null <<-'SQL'
		SELECT format('CREATE TABLE shop.t%s (id integer PRIMARY KEY, status text DEFAULT ''placed'', due numeric,'
		              ' who name DEFAULT ''views_ann'')', n),
		       format('INSERT INTO shop.t%s (id, due) SELECT id, 5 FROM generate_series(1, 4) AS id', n),
		       format('SELECT ordcancel.attach(''shop.t%s'', ''status'', refund_due => ''due'', inherit => %L),'
		              ' ordcancel.set_policy(''shop.t%1$s'', canceled_status => ''canceled''),'
		              ' ordcancel.set_rule(''shop.t%1$s'', ''placed'', customer => ''request'','
		              ' merchant => ''cancel'')', n, n % 5 > 0),
		       format('SELECT ordcancel.request_cancel(''shop.t%s'', 1, ''other'', ''why %1$s''),'
		              ' ordcancel.deny_cancel(''shop.t%1$s'', 1, note => ''no''),'
		              ' ordcancel.cancel_order(''shop.t%1$s'', 2),'
		              ' ordcancel.undo_cancel(''shop.t%1$s'', 2), ordcancel.cancel_order(''shop.t%1$s'', 3)', n)
		FROM generate_series(:first, :last) AS n \gexec
	SQL
}

# The rows of a view about the first tables.
rows() # VIEW ROLE [CONDITION]
{
	sql $db -c "SET ROLE $2" -c "SELECT v FROM ordcancel.$1 AS v WHERE orders::text ~ '^shop.t[0-9]$'
		AND ${3:-true} ORDER BY v::text"
}

# How many tables and indexes of the shops a transaction keeps locked.
locked() # VIEW
{
	sql $db -c BEGIN -c "SELECT count(*) FROM ordcancel.$1" -c "SELECT count(DISTINCT c.oid)
		FROM pg_locks AS l JOIN pg_class AS c ON c.oid = l.relation
		WHERE l.pid = pg_backend_pid() AND c.relnamespace = 'shop'::regnamespace" | tail -n 1
}

fresh_database $db && sql $db -c 'CREATE EXTENSION ordcancel' -c 'CREATE SCHEMA shop' -c 'CREATE ROLE views_ann' \
	-c 'GRANT USAGE ON SCHEMA ordcancel, shop TO views_ann' && make_shops 1 9 && sql $db -o /dev/null <<-'SQL'
	GRANT SELECT ON shop.t1, shop.t2, shop.t5, shop.t6 TO views_ann;
	ALTER TABLE shop.t2 ENABLE ROW LEVEL SECURITY;
	CREATE POLICY p ON shop.t2 USING (who = current_user AND id < 3);
	SELECT ordcancel.archive_records('shop.t3', '-1 day');
	SELECT ordcancel.detach('shop.t4');
SQL
ok 'nine tables, one with an archive, one detached' || done_testing

for view in $views; do
	for role in postgres views_ann; do
		rows "$view" $role >"$work/$view.$role"
	done
	rows "$view" postgres "orders = 'shop.t3'::regclass" >"$work/$view.t3"
	[ -s "$work/$view.views_ann" ] && [ "$(locked "$view")" -gt 20 ]
	ok "$view is one scan of all record tables"
done
is "$(wc -l <"$work/cancellations.postgres") $(wc -l <"$work/cancellations.views_ann")" '24 11' \
	'it shows the orders that the reader may see'

sql $db -c "SELECT id, data FROM ordcancel.cloud_events WHERE source ~ '/shop.t[0-9]$' ORDER BY id" >"$work/events"
[ -s "$work/events" ] && [ "$(locked debezium_outbox)" -gt 20 ]
ok 'so are cloud_events and debezium_outbox'
is "$(wc -l <"$work/events")" "$(sql $db -c "SELECT count(*) FROM ordcancel.timeline
	WHERE orders IN (SELECT t.orders::regclass FROM ordcancel.order_table AS t WHERE inherit)")" \
	'which have the events of archives, too'

# Plans made with few tables, while there are many.
mkfifo "$work/in"
sql $db <"$work/in" >"$work/out" 2>&1 &
session=$!
exec 5>"$work/in"
for view in $views; do
	echo "PREPARE $view AS SELECT count(*) FROM ordcancel.$view WHERE orders::text ~ '^shop.t[0-9]$';"
	for ((i = 0; i < 6; i++)); do
		echo "EXECUTE $view;"
	done
done >&5
echo "\\! touch '$work/prepared'" >&5
for ((i = 0; i < 600; i++)); do [ -e "$work/prepared" ] && break || sleep 0.1; done
make_shops 10 60
ok 'more tables than can be locked at once' || done_testing
for view in $views; do
	echo "EXECUTE $view;"
done >&5
exec 5>&-
wait $session
for view in $views; do
	wc -l <"$work/$view.postgres"
done >"$work/counts"
is "$(tail -n 4 "$work/out")" "$(cat "$work/counts")" 'prepared statements show the same'

for view in $views; do
	is "$(locked "$view")" 0 "$view locks no table"
	for role in postgres views_ann; do
		is "$(rows "$view" $role | diff - "$work/$view.$role" | head -n 5)" '' "and shows $role the same"
	done
	is "$(rows "$view" postgres "orders = 'shop.t3'::regclass" | diff - "$work/$view.t3" | head -n 5)" '' \
		'and of one table'
	is "$(sql $db -c "SELECT count(*), count(DISTINCT orders) FROM ordcancel.$view")" \
		"$(sql $db -c "SELECT count(*), count(DISTINCT f.orders)
			FROM ordcancel.order_table AS t, LATERAL ordcancel.$view(t.orders) AS f")" \
		'and of all as many as the functions of one table'
done

is "$(locked cloud_events) $(locked debezium_outbox)" '0 0' 'cloud_events and debezium_outbox lock none'
is "$(sql $db -c "SELECT id, data FROM ordcancel.cloud_events WHERE source ~ '/shop.t[0-9]$' ORDER BY id" |
	diff - "$work/events" | head -n 5)" '' 'and have the same events'

# Back below the limit.
sql $db -o /dev/null -c "SELECT ordcancel.detach(format('shop.t%s', n)::regclass) FROM generate_series(10, 60) AS n"
for view in $views; do
	is "$(rows "$view" postgres | diff - "$work/$view.postgres" | head -n 5)" '' "$view with few tables again"
	[ "$(locked "$view")" -gt 20 ]
	ok 'in one scan'
done
done_testing
