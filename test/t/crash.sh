#!/usr/bin/env bash
# A server that breaks down in the middle of cancellations: afterwards each is
# there wholly, the order's status, the record and the events, or not at all,
# and none that was committed is missing.
set -u
. "$(dirname "$0")/lib/tap.sh"

db=t_crash
# A session that is gone must not take the script along.
trap '' PIPE
rounds=3
clients=4

# How many orders there are in each consistent condition; others are shown.
conditions()
{
	sql $db -c "SELECT string_agg(format('%s %s', n, what), ', ' ORDER BY what)
		FROM (SELECT what, count(*) AS n
		      FROM (SELECT CASE concat_ws('|', o.status, c.states, e.history)
		                       WHEN 'placed' THEN 'untouched'
		                       WHEN 'canceled|canceled|canceled' THEN 'canceled'
		                       WHEN 'canceled|canceled|requested canceled' THEN 'canceled'
		                       WHEN 'canceled|canceled|accepted refunded refunded canceled' THEN 'canceled'
		                       ELSE concat_ws('|', 'order ' || o.id, o.status, c.states, e.history) END AS what
		            FROM shop.orders AS o
		                LEFT JOIN (SELECT order_id, string_agg(state, ' ' ORDER BY cancellation_id) AS states
		                           FROM shop.orders_cancellation GROUP BY 1) AS c ON c.order_id = o.id
		                LEFT JOIN (SELECT order_id, string_agg(type, ' ' ORDER BY event_id) AS history
		                           FROM shop.orders_cancellation_event GROUP BY 1) AS e ON e.order_id = o.id) AS w
		      GROUP BY 1) AS g"
}

# Cancels an order in one transaction, in the way that its number says, and
# prints the number once that is committed.
cancel() # ID...
{
	local id

	for id; do
		case $((id % 4)) in
			0) echo "SELECT ordcancel.cancel_order('shop.orders', $id) \\g /dev/null" ;;
			1) echo "UPDATE shop.orders SET status = 'canceled' WHERE id = $id;" ;;
			2) echo "BEGIN;
				SELECT ordcancel.request_cancel('shop.orders', $id) \\g /dev/null
				SELECT ordcancel.accept_cancel('shop.orders', $id) \\g /dev/null
				COMMIT;" ;;
			3) echo "BEGIN;
				SELECT ordcancel.cancel_order('shop.orders', $id) \\g /dev/null
				SELECT ordcancel.record_refund('shop.orders', $id, 3, 'card') \\g /dev/null
				SELECT ordcancel.record_refund('shop.orders', $id, 4, 'card') \\g /dev/null
				COMMIT;" ;;
		esac
		echo "\\echo $id"
	done
}

# The line after that of order 20.
backend_said()
{
	backend=$(grep -A 1 '^20$' "$work/session" | sed -n 2p)
	[ -n "$backend" ]
}

# A session in the middle of a transaction that cancels orders 11 to 20. Its
# process id comes to be in backend.
open_transaction()
{
	# Held open, the session waits for what is next until the server is gone.
	rm -f "$work/next"
	mkfifo "$work/next"
	sql $db <"$work/next" >"$work/session" 2>/dev/null &
	session=$!
	exec 3>"$work/next"
	{
		echo 'BEGIN;'
		cancel {11..20} | grep -vE '^[[:space:]]*(BEGIN|COMMIT);'
		echo 'SELECT pg_backend_pid();'
	} >&3
	wait_for backend_said
}

# The session finds out.
session_ends()
{
	echo 'COMMIT;' >&3 2>/dev/null
	exec 3>&-
	wait "$session"
}

own_cluster "$work" 'restart_after_crash = on' && createdb $db && sql $db <<-SQL
	CREATE EXTENSION ordcancel;
	CREATE SCHEMA shop;
	CREATE TABLE shop.orders (id integer PRIMARY KEY, status text NOT NULL DEFAULT 'placed', paid numeric);
	INSERT INTO shop.orders SELECT id, 'placed', CASE id % 4 WHEN 3 THEN 7 END FROM generate_series(1, 40000) AS id;
	SELECT ordcancel.attach('shop.orders', 'status', refund_due => 'paid') \g /dev/null
	SELECT ordcancel.set_policy('shop.orders', canceled_status => 'canceled') \g /dev/null
	SELECT ordcancel.set_rule('shop.orders', 'placed', customer => 'request', merchant => 'cancel') \g /dev/null
SQL
ok 'a cluster to be broken' || done_testing

is "$(cancel {1..10} | sql $db | wc -l)" 10 'ten cancellations are committed'
before=$(conditions)
is "$before" '10 canceled, 39990 untouched' 'they are there'

open_transaction
ok 'a transaction is in the middle of ten more'
kill -9 "$backend"
session_ends
wait_for_server $db
ok 'its backend is killed, the server recovers'
is "$(conditions)" "$before" 'the ten are there, nothing of the others'

open_transaction
ok 'again'
pg_ctl -s -m immediate stop
session_ends
pg_ctl -s -w -l "$work/server.log" start
ok 'the server is stopped at once, and started'
is "$(conditions)" "$before" 'the ten are there, nothing of the others'
is "$(cancel {11..20} | sql $db | wc -l)" 10 'nothing hinders the others from being canceled now'

have_printed() # NUMBER
{
	[ "$(cat "$work"/done.$round.* | wc -l)" -ge "$1" ]
}

# Many at work, each committing one cancellation after the other. What psql has
# printed was committed.
for ((round = 1; round <= rounds; round++)); do
	pids=()
	for ((client = 1; client <= clients; client++)); do
		start=$((round * 10000 + client * 2000))
		cancel $(seq $start $((start + 1999))) |
			sql $db >"$work/done.$round.$client" 2>/dev/null &
		pids+=($!)
	done
	# Not before they are in the middle of it.
	wait_for have_printed $((round * 100))
	if ((round % 2)); then
		kill -9 "$(sql $db -c "SELECT pid FROM pg_stat_activity
				WHERE datname = '$db' AND pid <> pg_backend_pid() LIMIT 1")"
	else
		pg_ctl -s -m immediate stop
	fi
	wait "${pids[@]}"
	pg_ctl -s status >/dev/null || pg_ctl -s -w -l "$work/server.log" start
	wait_for_server $db
	ok "round $round: the server is back"
	printed=$(cat "$work"/done.$round.* | wc -l)
	[ "$printed" -gt 0 ] && [ "$printed" -lt $((clients * 2000)) ]
	ok "round $round: it broke after $printed commits of $((clients * 2000))"
	like "$(conditions)" '^[0-9]+ canceled, [0-9]+ untouched$' \
		"round $round: each order is canceled wholly or not at all"
	is "$(cat "$work"/done.$round.* | sql $db -c 'CREATE TEMPORARY TABLE done (id integer)' \
		-c '\copy done FROM pstdin' \
		-c "SELECT count(*) FROM done JOIN shop.orders USING (id) WHERE status <> 'canceled'")" 0 \
		"round $round: what was committed is there"
done

is "$(sql $db -c 'SELECT count(*) - count(DISTINCT cancellation_id) FROM ordcancel.cancellation' \
	-c 'SELECT count(*) - count(DISTINCT event_id) FROM ordcancel.event')" $'0\n0' 'no id was given twice'
done_testing
