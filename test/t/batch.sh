#!/usr/bin/env bash
# A batch beside other sessions: each chunk is committed by itself, others see
# how far it is, nobody who holds an order holds up more than that order, and
# whatever stops it, it goes on from there.
set -u
. "$(dirname "$0")/lib/tap.sh"
. "$here/lib/session.sh"
. "$here/lib/batch.sh"
db=t_batch

own_cluster "$work" && make_small_shop t_batch_shop && fresh_shop
ok 'a shop' || done_testing

# ------------------------------------------------------- seen from another session

close_gate $db 15 && run_beside $db "SELECT pg_sleep(0.1)" "$(batch 'id <= 20')" && until_beside_waits
ok 'a batch is in the middle of its second chunk'
is "$(sql $db -c "SELECT state, total, done, percent, canceled, rate > 0, time_left IS NOT NULL,
		started_at <= updated_at, finished_at, condition, chunk, dry_run, author
	FROM ordcancel.batch_progress")" 'running|20|10|50.0|10|t|t|t||id <= 20|10|f|postgres' \
	'another session sees how far it is'
is "$(statuses 1 10 11 15 20)" 'canceled canceled placed placed placed' 'and its first chunk'
is "$(sql $db -c 'SELECT count(*) FROM shop.orders WHERE id <= 10 OR id > 20' -c 'BEGIN' \
	-c 'SELECT count(*) FROM (SELECT FROM shop.orders WHERE id <= 10 OR id > 20 FOR UPDATE NOWAIT) AS o' 2>&1)" \
	$'20\n20' 'whose orders are not locked any more'
like "$(sql $db -c 'SELECT FROM shop.orders WHERE id = 12 FOR UPDATE NOWAIT' 2>&1)" 'could not obtain lock' \
	'those of the second are'
said=$(resume)
like "$said" 'ERROR:  55006: batch 1 is already running' 'it cannot be resumed meanwhile'
like "$said" 'HINT: .*batch_progress' 'and a hint says where to look'
release
wait "$runner"
like "$(cat "$work/said")" \
	'NOTICE:  00000: batch 1: 20 orders.*NOTICE:  00000: batch 1 done: 20 canceled, 0 in progress' \
	'its client is told the end'
is "$(progress $db)" 'done|20|0|0|0|0|0|0' 'and everybody else'
is "$(sql $db -c "SELECT time_left IS NULL, finished_at IS NOT NULL FROM ordcancel.batch_progress")" 't|t' \
	'it is finished'

fresh_shop
hold $db 'SELECT pg_advisory_lock(1, 10), pg_advisory_lock(1, 15)' && run_beside $db "$(batch true 5)" &&
	until_beside_waits
# its client is told every two seconds
until_true $db "SELECT clock_timestamp() > started_at + '2.1 s' FROM ordcancel.batch_progress"
echo 'SELECT pg_advisory_unlock(1, 10);' >&3
until_true $db 'SELECT done = 10 FROM ordcancel.batch_progress'
ok 'a batch has done ten of thirty in two seconds'
is "$(sql $db -c "SELECT rate <= 5, time_left >= '4s', abs(extract(epoch FROM time_left) - 2 * extract(epoch
		FROM updated_at - started_at)) < 2 FROM ordcancel.batch_progress")" 't|t|t' \
	'how long it will take is told by what it took'
release
wait "$runner"
like "$(cat "$work/said")" \
	'NOTICE:  00000: batch 1: 10 of 30 orders processed \(33%\), [0-9]+ per second, [0-9]+ s left' \
	'also to its client on the way'

# ------------------------------------------------------------ canceled, timed out

for how in cancel timeout; do
	fresh_shop
	close_gate $db 15
	run_beside $db "$([ $how = cancel ] || echo "SET statement_timeout = '3s'")" "$(batch true)" && until_beside_waits
	[ $how = timeout ] || sql $db -c "SELECT pg_cancel_backend($waiting)" >/dev/null
	wait "$runner"
	like "$(cat "$work/said")" \
		"ERROR:  57014: canceling statement due to .*DETAIL:  Batch 1 has processed 10 of 30 orders.*HINT: "\
'.*CALL ordcancel.resume_batch\(1\)' \
		"$how: it stops, and says how to go on"
	is "$(progress $db)$(sql $db -c "SELECT '', error_sqlstate, error ~ 'canceling statement', finished_at IS NOT NULL,
			time_left FROM ordcancel.batch_progress")" \
		'stopped|10|0|0|0|0|0|0|57014|t|t|' "$how: others see that as well"
	is "$(sql $db -c 'SELECT count(*) FROM (SELECT FROM shop.orders WHERE id <> 15 FOR UPDATE NOWAIT) AS o' 2>&1)" 29 \
		"$how: no lock is left"
	release
	like "$(resume)" 'NOTICE: .*batch 1: 20 orders.*done: 30 canceled' "$how: it goes on"
	is "$(progress $db)|$(nothing_twice)" 'done|30|0|0|0|0|0|0|0' "$how: and does nothing twice"
done

# Between two steps too, while the client is told something: at its first words,
# on the way, and at its last.
mkdir "$work/lib"
"$(pg_config --cc)" -shared -fPIC "-I$(pg_config --includedir-server)" -o "$work/lib/cancel_at.so" \
	"$here/batch/cancel_at.c"
ok 'a library that cancels at a message'
cancel_at() # MESSAGE CALL
{
	sql_verbose $db -c "LOAD '$work/lib/cancel_at'" -c "SET log_min_messages = notice" \
		-c "SET cancel_at.message = '$1'" \
		-c "$2"
}
resumable='ERROR:  57014: canceling statement due to user request.*DETAIL:  Batch 1 has processed [0-9]+ of 30 orders.*'
resumable+='HINT:  To continue, run CALL ordcancel.resume_batch\(1\)'
fresh_shop
like "$(cancel_at 'batch 1: 30 orders' "$(batch true)")" "batch 1: 30 orders.*$resumable" \
	'canceled at its first words it says how to go on'
is "$(progress $db)" 'interrupted|0|0|0|0|0|0|0' 'others see that'
sql $db -c "ALTER TABLE shop.orders RENAME status TO state"
said=$(resume)
like "$said" 'ERROR:  OC014' 'resumed at a wrong time it is an error'
is "$(grep -c 'To continue' <<<"$said")" 0 'which does not say to do so'
sql $db -c "ALTER TABLE shop.orders RENAME state TO status"
like "$(cancel_at 'batch 1: 30 orders' 'CALL ordcancel.resume_batch(1)')" "batch 1: 30 orders.*$resumable" \
	'resumed, and canceled again'
like "$(cancel_at 'batch 1 done' 'CALL ordcancel.resume_batch(1)')" "done: 30 canceled.*$resumable" \
	'canceled at its last words'
like "$(resume)" 'NOTICE: .*batch 1 is already done' 'it is done'
fresh_shop
sql $db -c 'CREATE VIEW shop.slow AS SELECT pg_advisory_lock_shared(1, 99) IS NULL AS late'
sql_verbose $db -c "$(batch true)" >/dev/null # so that there is one
hold $db 'SELECT pg_advisory_lock(1, 99)' && run_beside $db \
	'UPDATE ordcancel.batch SET ended = NULL, condition = $$EXISTS (SELECT FROM shop.slow WHERE NOT late)$$' \
	'CALL ordcancel.resume_batch(1)' && until_beside_waits
sql $db -c "SELECT pg_cancel_backend($waiting)" >/dev/null
wait "$runner"
like "$(cat "$work/said")" 'ERROR:  57014: .*HINT:  To continue, run CALL ordcancel.resume_batch\(1\)' \
	'or while it chooses its orders'
release
like "$(cancel_at 'batch 2: 0 orders to process (dry run)' \
	"CALL ordcancel.cancel_batch('shop.orders', 'false', dry_run => true)")" 'ERROR:  57014: canceling statement' \
	'a dry run can be canceled'
is "$(sql $db -c 'SELECT count(*) FROM ordcancel.batch')" 1 'and leaves nothing to be resumed'

# Nobody cancels by being slow: the same session may go on with other things.
fresh_shop
close_gate $db 15
is "$(sql_verbose $db -c "SET lock_timeout = '100ms'" -c "$(batch true)" -c '\set ON_ERROR_STOP 0' 2>&1 |
	grep -cE 'ERROR')" \
	0 'an order whose trigger waits too long is no error of the batch'
release
is "$(progress $db)$(sql $db -c "SELECT '', order_key, sqlstate FROM ordcancel.batch_refused")" \
	'done|29|0|0|0|1|0|0|15|55P03' 'it is refused'

# ------------------------------------------------------------- temporary files

# The chosen orders do not fit into memory: whatever becomes of the batch, its
# session has no file left, and room for the next.
fresh_shop
sql $db -c "INSERT INTO shop.orders (id, status) SELECT n, 'shipped' FROM generate_series(31, 20000) AS n" \
	-c 'CREATE VIEW files AS SELECT count(*) FROM pg_ls_tmpdir()'
close_gate $db 15
said=$(sql_verbose $db -c "SET work_mem = '64kB'; SET temp_file_limit = '4MB'" \
	-c "CALL ordcancel.cancel_batch('shop.orders', 'true', dry_run => true)" -c 'TABLE files' \
	-c BEGIN -c "CALL ordcancel.cancel_batch('shop.orders', 'true', dry_run => true)" -c 'TABLE files' -c ROLLBACK \
	-c "DO \$\$ BEGIN CALL ordcancel.cancel_batch('shop.orders', 'true', dry_run => true); RAISE 'afterwards';
	END \$\$" -c 'TABLE files' \
	-c "SET statement_timeout = '500ms'" -c "$(batch true)" -c 'SET statement_timeout = 0' -c 'TABLE files' \
	-c "SET temp_file_limit = '256kB'" -c "CALL ordcancel.cancel_batch('shop.orders', 'true', dry_run => true)" \
	-c 'TABLE files' -c "$(batch true)" -c 'TABLE files' \
	-c 'SHOW temp_file_limit')
is "$(grep -E '^[0-9]' <<<"$said")" $'0\n0\n0\n0\n0\n0\n256kB' 'no temporary file is left, after an error either'
is "$(grep -c 'ERROR:  53400: temporary file size exceeds' <<<"$said")" 2 'the limit itself is an error'
is "$(grep -c 'ERROR:  57014: canceling statement' <<<"$said")" 1 'so is a timeout'
release

# ------------------------------------------------------- orders that others hold

fresh_shop
hold $db 'SELECT FROM shop.orders WHERE id IN (3, 12, 28) FOR UPDATE' && run_beside $db "$(batch true)" &&
	until_beside_waits
ok 'three orders are locked by somebody else: the batch waits'
is "$(sql $db -c "SELECT string_agg(id::text, ' ' ORDER BY id) FROM shop.orders WHERE status = 'placed'")" '3 12 28' \
	'after it has done all others'
is "$(progress $db)" 'running|27|0|0|0|0|0|3' 'it says so'
is "$(sql $db -c "SELECT string_agg(order_key || ' ' || outcome, ', ' ORDER BY order_key::int)
		FROM ordcancel.batch_refused")" '3 waiting, 12 waiting, 28 waiting' \
	'and for which'
is "$(sql $db -c 'SELECT count(*) FROM (SELECT FROM shop.orders
		WHERE id NOT IN (3, 12, 28) FOR UPDATE NOWAIT) AS o' 2>&1)" 27 'it holds no lock on any of them'
release "UPDATE shop.orders SET note = 'x' WHERE id = 3; UPDATE shop.orders SET status = 'shipped'
		WHERE id = 12; SELECT ordcancel.cancel_order('shop.orders', 28);"
wait "$runner"
is "$(progress $db)|$(nothing_twice)" 'done|28|0|0|1|1|0|0|0' 'then it does what is still to be done'
is "$(statuses 3 12 28)$(sql $db -c "SELECT '', order_key, outcome, sqlstate FROM ordcancel.batch_refused")" \
	'canceled shipped canceled|12|refused|OC003' \
	'each by the rules as it is then'

fresh_shop
hold $db 'SELECT FROM shop.orders WHERE id IN (3, 12) FOR UPDATE'
said=$(sql_verbose $db -c "SET lock_timeout = '100ms'" -c "$(batch true)")
release
like "$said" 'done: 28 canceled.*2 refused' 'with lock_timeout it does not wait for ever'
is "$(sql $db -c "SELECT string_agg(concat_ws(' ', order_key, outcome, sqlstate), ', ' ORDER BY order_key::int)
		FROM ordcancel.batch_refused")" \
	'3 refused 55P03, 12 refused 55P03' 'the orders are listed'
is "$(sql $db -c "SELECT policy, order_status, outcome, sqlstate, count FROM ordcancel.batch_summary
		WHERE outcome = 'refused'" | sed 's/^.*|refused/refused/')" 'refused|55P03|2' 'and counted'
is "$(sql_verbose $db -c "$(batch true)" | grep -c ERROR)|$(progress $db 2)" '0|done|2|0|0|28|0|0|0' \
	'another batch does them'

# A lock that lets foreign keys be checked is no hindrance.
fresh_shop
hold $db 'SELECT FROM shop.orders WHERE id = 5 FOR KEY SHARE'
like "$(sql_verbose $db -c "SET statement_timeout = '20s'" -c "$(batch 'id < 10')")" 'done: 9 canceled' \
	'an order with a new child is not waited for'
release

# --------------------------------------------------- changed before their turn

# The batch has chosen all, and stands in its first chunk.
changed_meanwhile() # CONDITION STATEMENT
{
	fresh_shop
	close_gate $db 5 && run_beside $db "$(batch "$1")" && until_beside_waits
	ok "condition $1: a batch is in its first chunk"
	sql $db -c "$2" >/dev/null
	release
	wait "$runner"
}

changed_meanwhile "status = 'placed' AND note IS NULL" "UPDATE shop.orders SET note = 'keep' WHERE id IN (15, 16);
	UPDATE shop.orders SET seller = 'x' WHERE id = 17; UPDATE shop.orders SET status = 'shipped' WHERE id = 18;
	UPDATE shop.orders SET note = note WHERE id = 19;
	SELECT ordcancel.cancel_order('shop.orders', 20)"
is "$(progress $db)" 'done|26|0|0|0|0|4|0' 'what does not meet the condition any more is skipped'
is "$(statuses 15 16 17 18 19 20)" 'placed placed canceled shipped canceled canceled' 'what still does is done'
is "$(sql $db -c 'SELECT outcome, sum(count) FROM ordcancel.batch_summary GROUP BY 1 ORDER BY 1')" \
	$'canceled|26\nskipped|4' 'the summary counts both'
changed_meanwhile true "UPDATE shop.orders SET status = 'shipped' WHERE id = 18;
		INSERT INTO shop.orders VALUES (31), (0)"
is "$(progress $db)|$(statuses 0 18 31)" 'done|29|0|0|0|1|0|0|placed shipped placed' \
	'new orders are not meant; rules are asked anew'
changed_meanwhile "10 / id > 0 OR note IS NULL OR 1 / (length(note) - 3) = 7" \
	"UPDATE shop.orders SET note = 'abc' WHERE id = 15"
is "$(progress $db)$(sql $db -c "SELECT '', order_key, sqlstate FROM ordcancel.batch_refused")" \
	'done|29|0|0|0|1|0|0|15|22012' \
	'an order for which the condition raises now is refused'
changed_meanwhile true "SELECT ordcancel.set_rule('shop.orders', 'placed', deletable => true);
	DELETE FROM shop.orders WHERE id = 15; UPDATE shop.orders SET id = 99 WHERE id = 16"
is "$(progress $db)$(sql $db -c "SELECT '', string_agg(order_key || ' ' || sqlstate, ' ')
		FROM ordcancel.batch_refused")|$(statuses 99)" \
	'done|28|0|0|0|2|0|0|15 OC002 16 OC002|placed' 'what is not there any more is listed'
changed_meanwhile true "SELECT ordcancel.drop_rule('shop.orders', 'placed')"
is "$(progress $db)" 'done|10|0|0|0|20|0|0' 'rules hold from the next chunk on'
done_testing
