#!/usr/bin/env bash
# A batch that is broken off, by a crash, a restart or a terminated session,
# and resumed: its orders, records, events and its own tables end as those of a
# batch that nobody has disturbed.
set -u
. "$(dirname "$0")/lib/tap.sh"
. "$here/lib/session.sh"
. "$here/lib/batch.sh"
db=t_batch
batch="CALL ordcancel.cancel_batch('shop.orders', 'id > 100', 'out_of_stock', 'the supplier is gone', 'anna', 300)"

# The batch's session ends, in the way that is told.
break_off() # kill | terminate | fast
{
	case $1 in
		kill) kill -9 "$waiting" ;;
		terminate) sql $db -c "SELECT pg_terminate_backend($waiting)" >/dev/null ;;
		fast) pg_ctl -s -m fast stop ;;
	esac
	wait "$runner"
	[ "$1" = terminate ] || release 2>/dev/null
	wait_for_server $db
}

# It has done what an undisturbed one does.
ends_as_undisturbed() # NAME
{
	end_state $db >"$work/end"
	is "$(diff "$work/undisturbed" "$work/end" | head -n 20)" '' "$1"
}

own_cluster "$work" 'restart_after_crash = on' && make_shop t_batch_shop && fresh_shop
ok 'a shop' || done_testing

# ----------------------------------------------------------------- undisturbed

like "$(sql_verbose $db -c "$batch")" \
	'NOTICE:  00000: batch 1: 19900 orders.*NOTICE:  00000: batch 1 done: [1-9].*HINT: .*batch_refused' \
	'a batch that nobody disturbs'
end_state $db >"$work/undisturbed"
is "$(sql $db -c "SELECT state, total, done, percent, total = canceled + in_progress + requested + already + refused,
		skipped, waiting,
		finished_at >= updated_at AND updated_at >= started_at, error, rate > 0, time_left
		FROM ordcancel.batch_progress")" \
	'done|19900|19900|100.0|t|0|0|t||t|' 'is done'
is "$(sql $db -c "SELECT count(*) = 19900 FROM shop.orders WHERE id > 100" \
	-c "SELECT bool_and(n > 0) FROM ordcancel.batch_progress,
		unnest(ARRAY[canceled, in_progress, requested, already, refused]) AS n")" $'t\nt' 'all of it has come about'
is "$(sql $db -c "SELECT (SELECT canceled + in_progress + requested FROM ordcancel.batch_progress) = count(*),
		count(*) = count(DISTINCT order_id),
		bool_and(data->>'batch' = '1' AND source = 'cancel_batch' AND party = 'merchant' AND actor = 'anna'
		AND reason = 'out_of_stock')
	FROM shop.orders_cancellation_event WHERE data ? 'batch'")" 't|t|t' 'each change has its event'
is "$(sql $db -c 'SELECT sum(count) FROM ordcancel.batch_summary')|$(sql $db \
	-c 'SELECT count(*) FROM ordcancel.batch_refused')" \
	"19900|$(sql $db -c 'SELECT refused FROM ordcancel.batch_progress')" \
	'the summary counts all, the refused ones are listed'
is "$(sql $db -c "SELECT count(*) FROM shop.orders AS o
		LEFT JOIN ordcancel.batch_refused AS r ON r.order_key = o.id::text
	WHERE o.id > 100 AND (o.status IN ('canceled', 'refunding', 'asked')) = (r.sqlstate IS NOT NULL) AND NOT (flagged
	AND status = 'asked')")" 0 \
	'each order is done or refused'
before=$(sql $db -c 'SELECT count(*) FROM ordcancel.event')
like "$(sql_verbose $db -c 'CALL ordcancel.resume_batch(1)')" 'NOTICE: .*batch 1 is already done' \
	'to resume it is no error'
is "$(sql $db -c 'SELECT count(*) FROM ordcancel.event')" "$before" 'and does nothing'
ends_as_undisturbed 'nor to its tables'

# Somebody asks for the same again: what was asked is confirmed, no more.
sql_verbose $db -c "$batch" >/dev/null
is "$(sql $db -c 'SELECT b.canceled = a.requested - r.n, b.in_progress = r.n, b.requested,
		b.already = a.already + a.canceled + a.in_progress, b.refused = a.refused
	FROM ordcancel.batch_progress AS a, ordcancel.batch_progress AS b,
	     (SELECT count(*) AS n FROM shop.orders_cancellation_event
	     WHERE data->>$$batch$$ = $$2$$ AND type = $$accepted$$) AS r
	WHERE a.batch_id = 1 AND b.batch_id = 2')" 't|t|0|t|t' \
	'a second batch over the same orders confirms what the first has asked'
sql_verbose $db -c "$batch" >/dev/null
is "$(sql $db -c 'SELECT a.canceled, a.in_progress, a.requested, a.refused = b.refused
		FROM ordcancel.batch_progress AS a, ordcancel.batch_progress AS b
	WHERE a.batch_id = 3 AND b.batch_id = 2')" '0|0|0|t' 'a third finds nothing to do'

# ------------------------------------------------ at a gate in the middle of a chunk

for how in kill terminate fast; do
	fresh_shop
	close_gate $db 9250 && run_beside $db "$batch" && until_beside_waits
	ok "$how: a batch is in the middle of a chunk"
	is "$(sql $db -c 'SELECT state, total, done FROM ordcancel.batch_progress')" 'running|19900|9000' \
		"$how: it says how far it is"
	break_off $how
	ok "$how: it is broken off"
	[ $how != terminate ] || release
	is "$(sql $db -c 'SELECT state, total, done, finished_at, error FROM ordcancel.batch_progress')" \
		'interrupted|19900|9000||' \
		"$how: its chunks are done, the last one is not"
	is "$(sql $db -c "SELECT max(order_id) FROM shop.orders_cancellation_event WHERE data ? 'batch'" \
		-c "SELECT count(*) FROM pg_locks WHERE locktype = 'object' AND classid = 'ordcancel.batch'::regclass")" \
		$'9100\n0' \
		"$how: nothing of it is left behind"
	like "$(sql_verbose $db -c 'CALL ordcancel.resume_batch(1)')" 'NOTICE: .*batch 1: 10900 orders.*done' \
		"$how: it is resumed"
	ends_as_undisturbed "$how: and ends as if nothing had been"
done

# ------------------------------------------------------ again and again, anywhere

# It cannot get to its end before it is killed: this order has a gate, and is
# one that becomes "asked".
gated() # STATEMENT
{
	close_gate $db 19950 && run_beside $db "$1"
}

fresh_shop
gated "$batch"
round=0
for from in 1500 4000 8000 11000 15000; do
	until_true $db "SELECT done >= $from FROM ordcancel.batch_progress" &&
		kill -9 "$(sql $db -c "SELECT pid FROM pg_stat_activity WHERE application_name = 'batch'")"
	wait "$runner"
	release 2>/dev/null
	wait_for_server $db
	round=$((round + 1))
	is "$(sql $db -c "SELECT state, done >= $from AND done < total FROM ordcancel.batch_progress")" 'interrupted|t' \
		"kill $round: it was in the middle"
	is "$(sql $db -c "SELECT (SELECT canceled + in_progress + requested FROM ordcancel.batch_progress) = count(*),
			count(*) = count(DISTINCT order_id)
		FROM shop.orders_cancellation_event WHERE data ? 'batch'")" \
		't|t' "kill $round: it knows all that it did"
	gated 'CALL ordcancel.resume_batch(1)'
done
release
wait "$runner"
ends_as_undisturbed 'after five kills it ends as if nothing had been'

# -------------------------------------------------- while it waits for an order

for how in kill terminate; do
	fresh_shop
	hold $db 'SELECT FROM shop.orders WHERE id IN (150, 7007, 19999) FOR UPDATE' && run_beside $db "$batch" &&
		until_beside_waits
	ok "$how: a batch waits for an order"
	is "$(sql $db -c 'SELECT state, total, done, waiting FROM ordcancel.batch_progress' \
		-c 'SELECT order_key, outcome, sqlstate, message FROM ordcancel.batch_refused WHERE outcome = $$waiting$$
		ORDER BY 1')" \
		$'running|19900|19897|3\n150|waiting||\n19999|waiting||\n7007|waiting||' "$how: all others are done"
	break_off $how
	[ $how != terminate ] || release
	is "$(sql $db -c 'SELECT state, total, done, waiting FROM ordcancel.batch_progress')" 'interrupted|19900|19897|3' \
		"$how: it is broken off"
	like "$(sql_verbose $db -c 'CALL ordcancel.resume_batch(1)')" 'NOTICE: .*batch 1: 3 orders.*done' \
		"$how: it is resumed"
	ends_as_undisturbed "$how: and ends as if nothing had been"
done

# Broken off in its first chunk.
fresh_shop
close_gate $db 150 && run_beside $db "$batch" && until_beside_waits
break_off kill
ok 'a batch is killed in its first chunk'
is "$(sql $db -c 'SELECT state, total, done FROM ordcancel.batch_progress')" 'interrupted|19900|0' 'it has done nothing'
sql_verbose $db -c 'SET work_mem = $$64kB$$' -c 'CALL ordcancel.resume_batch(1)' >/dev/null
ends_as_undisturbed 'resumed with little memory it ends as if nothing had been'
done_testing
