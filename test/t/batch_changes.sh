#!/usr/bin/env bash
# A batch while its table changes: it stops with an error that says why, and goes
# on when that is mended; and beside other sessions that all want its orders.
set -u
. "$(dirname "$0")/lib/tap.sh"
. "$here/lib/session.sh"
. "$here/lib/batch.sh"
db=t_batch

own_cluster "$work" && make_small_shop t_batch_shop && fresh_shop
ok 'a shop' || done_testing

# ------------------------------------------------------ changes of the table itself

# Between the first chunk and the second: the batch waits at the gate of its
# tenth order while the change waits for the table.
changed_table() # NAME STATEMENT
{
	fresh_shop
	close_gate $db 10 && run_beside $db "$(batch true)" && until_beside_waits
	sql $db -c "$2" >"$work/changed" 2>&1 3>&- &
	changer=$!
	until_true $db "EXISTS (SELECT FROM pg_locks WHERE NOT granted AND locktype = 'relation')"
	release
	wait "$changer" "$runner"
	is "$(cat "$work/changed")" '' "$1: the change gets its turn, and does not wait for the rest"
}

changed_table 'status renamed' 'ALTER TABLE shop.orders RENAME status TO state'
like "$(cat "$work/said")" 'ERROR:  OC014: .*HINT: .*CALL ordcancel.resume_batch\(1\)' 'status renamed: the batch stops'
is "$(progress $db)" 'stopped|10|0|0|0|0|0|0' 'status renamed: after its first chunk'
like "$(resume)" 'ERROR:  OC014' 'status renamed: it cannot go on'
sql $db -c 'ALTER TABLE shop.orders RENAME state TO status'
like "$(resume)" 'done: 30 canceled' 'status renamed: but when it has its name again'
changed_table 'key renamed' 'ALTER TABLE shop.orders RENAME id TO number'
like "$(cat "$work/said")" 'ERROR:  OC014: .*HINT: .*resume_batch\(1\)' 'key renamed: the batch stops'
sql $db -c 'DROP TRIGGER gate ON shop.orders' \
	-c "SELECT ordcancel.attach('shop.orders', 'status', policy_by => 'seller', refund_due => 'paid')" >/dev/null
like "$(resume)" 'done: 30 canceled' 'key renamed: attached again it goes on'
is "$(sql $db -c "SELECT count(*) FROM shop.orders WHERE status = 'canceled'")|$(nothing_twice)" '30|0' \
	'key renamed: all are done, and nothing twice'
changed_table 'table moved' 'ALTER TABLE shop.orders RENAME TO bestellung'
like "$(cat "$work/said")" 'done: 30 canceled' 'table moved: it is the same table'
changed_table 'detached' "SELECT FROM ordcancel.detach('shop.orders')"
like "$(cat "$work/said")" 'ERROR:  OC001: .*HINT: .*CALL ordcancel.resume_batch\(1\)' 'detached: the batch stops'
like "$(resume)" 'ERROR:  OC001' 'detached: it cannot be resumed'
is "$(progress $db)" 'stopped|10|0|0|0|0|0|0' 'detached: what is done is done'
changed_table 'dropped' "SELECT FROM ordcancel.detach('shop.orders'); DROP TABLE shop.orders"
like "$(cat "$work/said")" 'ERROR:  OC001: ' 'dropped: the batch stops'
like "$(resume)" 'ERROR:  OC001: ' 'dropped: that is the end of it'
changed_table 'key of another type' "SELECT FROM ordcancel.detach('shop.orders');
		ALTER TABLE shop.orders ALTER id TYPE bigint;
	ALTER TABLE shop.orders_cancellation ALTER order_id TYPE bigint;
	ALTER TABLE shop.orders_cancellation_event ALTER order_id TYPE bigint;
	SELECT FROM ordcancel.attach('shop.orders', 'status', policy_by => 'seller', refund_due => 'paid'),
	ordcancel.set_policy('shop.orders', requested_status => 'asked', canceled_status => 'canceled'),
	ordcancel.set_rule('shop.orders', 'placed', merchant => 'cancel')"
like "$(cat "$work/said")" 'ERROR:  OC014: .*HINT: .*CALL ordcancel.resume_batch\(1\)' \
	'key of another type: the batch stops'
sql $db -c 'DROP TRIGGER gate ON shop.orders'
like "$(resume)" 'done: 30 canceled' 'key of another type: it is resumed'
is "$(progress $db)|$(nothing_twice)" 'done|30|0|0|0|0|0|0|0' 'key of another type: nothing is done twice'

changed_table 'extension dropped' 'BEGIN; LOCK TABLE shop.orders; DROP EXTENSION ordcancel CASCADE; COMMIT'
said=$(cat "$work/said")
like "$said" 'ERROR:  42704: extension "ordcancel" was dropped while batch 1 was running.*'\
'DETAIL:  The batch had processed 10 of 30 orders' \
	'extension dropped: the batch stops'
is "$(grep -c WARNING <<<"$said")$(sql $db -c "SELECT count(*) FROM shop.orders WHERE status = 'canceled'")" 010 \
	'extension dropped: and leaves what it has done'
changed_table 'extension made anew' 'BEGIN; LOCK TABLE shop.orders; DROP EXTENSION ordcancel CASCADE;
		CREATE EXTENSION ordcancel; COMMIT'
like "$(cat "$work/said")" 'ERROR:  42704: extension "ordcancel" was dropped' 'extension made anew: it is not the same'

# A change that waits for the table longer than the batch wants to.
fresh_shop
hold $db 'LOCK TABLE shop.orders'
like "$(sql_verbose $db -c "SET lock_timeout = '100ms'" -c "$(batch true)")" 'ERROR:  55P03' \
	'a batch whose table is locked does not begin'
release
is "$(sql $db -c 'SELECT count(*) FROM ordcancel.batch_progress')" 0 'nor is there one'

# ---------------------------------------------------------- resumed at the wrong time

# The second session asks for the batch while it runs, and gets the table when
# that has gone on and is gone.
fresh_shop
sql $db -c "UPDATE shop.orders SET status = 'shipped' WHERE id IN (3, 8)"
close_gate $db 6 && run_beside $db "$(batch true)" && until_beside_waits
sql $db -c 'BEGIN' -c 'LOCK TABLE shop.orders' -c "SELECT pg_terminate_backend($waiting)" \
	-c "DO 'BEGIN WHILE EXISTS (SELECT FROM pg_stat_activity WHERE pid = $waiting)
		LOOP PERFORM pg_sleep(0.01), pg_stat_clear_snapshot(); END LOOP; END'" \
	-c 'COMMIT' >/dev/null 3>&- &
changer=$!
until_true $db "EXISTS (SELECT FROM pg_locks WHERE NOT granted AND locktype = 'relation')"
resume >"$work/resumed" 3>&- &
resumer=$!
second_waits()
{
	! kill -0 $resumer 2>/dev/null || is_true $db \
		"SELECT count(*) >= 2 FROM pg_locks WHERE NOT granted AND locktype = 'relation'"
}
wait_for second_waits
release
wait "$changer" "$runner" "$resumer"
grep -q 55006 "$work/resumed" && resume >"$work/resumed"
like "$(cat "$work/resumed")" 'done: 28 canceled' 'resumed while its last chunk is committed, it goes on after that'
is "$(progress $db)|$(nothing_twice)" 'done|28|0|0|0|2|0|0|0' 'and counts each order once'

# ------------------------------------------------------------------ all at once

# Customers cancel, sellers ship and two batches run over the same orders.
fresh_shop
sql $db <<-'SQL'
	DROP TRIGGER gate ON shop.orders;
	INSERT INTO shop.orders (id) SELECT generate_series(31, 3000);
	CREATE TABLE shop.shipments (order_id integer REFERENCES shop.orders, id serial PRIMARY KEY);
	SELECT ordcancel.attach_child('shop.shipments', 'shop.orders', key => '{order_id}') \g /dev/null
SQL
one_by_one() # STATEMENT ID...
{
	local id

	for id in "${@:2}"; do
		echo "${1//:id/$id};"
	done | PGOPTIONS='-c client_min_messages=error' psql -Xqd $db -o /dev/null
}
pids=()
n=0
for order in "seq 3000 -3 1" "shuf -i 1-3000 -n 1000 --random-source=/bin/ls"; do
	mapfile -t ids < <($order)
	for statement in "INSERT INTO shop.shipments VALUES (:id)" "SELECT ordcancel.cancel_order('shop.orders', :id)" \
		"UPDATE shop.orders SET status = 'shipped' WHERE id = :id"; do
		n=$((n + 1))
		# The sellers begin at the other end, where nobody has canceled yet.
		[[ $statement != UPDATE* ]] || mapfile -t ids < <(printf '%s\n' "${ids[@]}" | tac)
		one_by_one "$statement" "${ids[@]}" >"$work/out.$n" 2>&1 &
		pids+=($!)
	done
done
until_true $db "EXISTS (SELECT FROM shop.orders WHERE status = 'shipped')"
for run in 1 2; do
	sql_verbose $db -c "$(batch 'id > 0' 100)" >"$work/batch.$run" &
	pids+=($!)
done
wait "${pids[@]}"
is "$(grep -c ' done: ' "$work/batch.1" "$work/batch.2" | sed 's/.*://' | xargs)" '1 1' \
	'two batches at once, and six others beside them: both end'
is "$(cat "$work"/out.[1-6] "$work"/batch.* | grep -c deadlock)$(sql $db \
	-c 'SELECT count(*) FROM ordcancel.batch_refused WHERE sqlstate IN ($$40P01$$, $$40001$$, $$55P03$$)')" 00 \
	'nobody has run into a deadlock'
is "$(sql $db -c 'SELECT bool_and(canceled + already + refused + skipped = 3000), sum(waiting)
		FROM ordcancel.batch_progress')" 't|0' 'each batch has seen every order'
is "$(sql $db -c "SELECT count(*) FROM shop.orders AS o LEFT JOIN (SELECT order_id, count(*) AS n
		FROM shop.orders_cancellation GROUP BY 1) AS c ON c.order_id = o.id
		LEFT JOIN (SELECT order_id, count(*) AS n FROM shop.orders_cancellation_event
		GROUP BY 1) AS e ON e.order_id = o.id
	WHERE CASE o.status WHEN 'canceled' THEN c.n = 1 AND e.n = 1 WHEN 'shipped' THEN c.n IS NULL AND e.n IS NULL
	ELSE false END IS NOT TRUE")" 0 \
	'each order is canceled once, or shipped'
is "$(sql $db -c "SELECT count(*) > 0 FROM shop.orders WHERE status = 'shipped'" \
	-c "SELECT count(*) > 0 FROM shop.shipments" \
	-c "SELECT sum(canceled) = (SELECT count(*) FROM shop.orders_cancellation_event WHERE source = 'cancel_batch')
	FROM ordcancel.batch_progress")" $'t\nt\nt' \
	'the batches have counted their own'

# The orders' own trigger looks at what the backend holds meanwhile.
fresh_shop
sql $db <<-'SQL'
	DROP TRIGGER gate ON shop.orders;
	INSERT INTO shop.orders (id) SELECT generate_series(31, 3000);
	INSERT INTO shop.orders (id, status) SELECT n, 'shipped' FROM generate_series(3001, 4000) AS n;
	CREATE TABLE shop.memory (id serial, bytes bigint);
	CREATE FUNCTION shop.measure() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
	    INSERT INTO shop.memory (bytes) SELECT sum(total_bytes) FROM pg_backend_memory_contexts;
	    RETURN NULL;
	END
	$$;
	CREATE TRIGGER measure AFTER UPDATE ON shop.orders FOR EACH ROW WHEN (NEW.id % 250 = 0)
	    EXECUTE FUNCTION shop.measure();
SQL
sql_verbose $db -c "$(batch true 1)" >/dev/null
is "$(progress $db)" 'done|3000|0|0|0|1000|0|0' 'four thousand chunks of one order'
more=$(sql $db -c 'SELECT max(bytes) - min(bytes) FROM shop.memory WHERE id > 1')
[ "$(sql $db -c 'SELECT count(*) FROM shop.memory')" -eq 12 ] && [ "$more" -lt 200000 ]
ok "the last of them found $more bytes more in use than the second"
done_testing
