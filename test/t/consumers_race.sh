#!/usr/bin/env bash
# A transaction that gets its ID and an event ID while next_events() takes a
# horizon: its event is not taken for one that was there before.
set -u
. "$(dirname "$0")/lib/tap.sh"
. "$here/lib/session.sh"

db=t_consumers_race

fresh_database $db && sql $db <<-'SQL'
	CREATE EXTENSION ordcancel;
	CREATE TABLE orders (id integer PRIMARY KEY, status text NOT NULL DEFAULT 'placed');
	INSERT INTO orders SELECT generate_series(1, 3);
	SELECT ordcancel.attach('orders', 'status'), ordcancel.set_policy('orders', canceled_status => 'canceled'),
	       ordcancel.set_rule('orders', 'placed', merchant => 'cancel'),
	       ordcancel.create_consumer('mail', start_at => 'beginning'),
	       ordcancel.cancel_order('orders', 1) \g /dev/null
SQL
ok 'an order is canceled' || done_testing

session_waits() # PID
{
	is_true $db "EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pid = $1
		AND relation = 'ordcancel.event_id_seq'::regclass)"
}

# The reader stops before it reads the sequence.
open_session $db
ask_session 'SELECT pg_backend_pid()'
reader=$said
hold $db 'ALTER SEQUENCE ordcancel.event_id_seq OWNED BY NONE'
printf '%s;\n\\echo done\n' "SELECT string_agg(order_key, ' ') FROM ordcancel.next_events('mail')" >&4
wait_for session_waits "$reader"
ok 'a reader takes a horizon'
kill -STOP "$reader"
before_exit "kill -CONT $reader 2>/dev/null"

# Now another transaction begins; it has its event ID before the reader goes on.
mkfifo "$work/cancel"
sql $db <"$work/cancel" >"$work/canceled" 2>&1 3>&- 4>&- &
canceler=$!
exec 5>"$work/cancel"
cat >&5 <<'SQL'
BEGIN;
SELECT pg_backend_pid();
SELECT state FROM ordcancel.cancel_order('orders', 2);
SQL
wait_for test -s "$work/canceled"
wait_for session_waits "$(cat "$work/canceled")"
release
wait_for grep -q canceled "$work/canceled"
ok 'meanwhile an order is canceled in a transaction that stays open'
kill -CONT "$reader"
wait_for more_answers 1
is "$(tail -n 2 "$work/out" | head -n 1)" 1 'the reader gets the event of before'
ask_session "SELECT ordcancel.ack('mail', 1)"
echo 'COMMIT;' >&5
exec 5>&-
wait $canceler
ask_session "SELECT string_agg(order_key, ' ') FROM ordcancel.next_events('mail')"
is "$said" 2 'and the other one after its commit'
close_session

# attach() reads the ids of a record table, and stops before it moves the sequence;
# others take ids meanwhile.
sql $db <<-'SQL'
	CREATE TABLE others (LIKE orders INCLUDING ALL);
	INSERT INTO others SELECT generate_series(1, 9);
	INSERT INTO orders SELECT generate_series(4, 9);
	SELECT ordcancel.attach('others', 'status'), ordcancel.set_policy('others', canceled_status => 'canceled'),
	       ordcancel.set_rule('others', 'placed', merchant => 'cancel'), ordcancel.cancel_order('others', 1)
	       \g /dev/null
SQL
hold $db 'ALTER SEQUENCE ordcancel.event_id_seq OWNED BY NONE'
sql $db -c "SELECT pg_backend_pid()" -c "SELECT ordcancel.attach('others', 'status')" >"$work/attached" 2>&1 3>&- &
attacher=$!
wait_for test -s "$work/attached"
attaching=$(head -n 1 "$work/attached")
wait_for session_waits "$attaching"
kill -STOP "$attaching"
before_exit "kill -CONT $attaching 2>/dev/null"
release
sql $db -c "SELECT ordcancel.cancel_order('orders', n) FROM generate_series(3, 6) AS n" >/dev/null
kill -CONT "$attaching"
wait $attacher
ok 'attach() of a table whose records are known'
sql $db -c "SELECT ordcancel.cancel_order('others', n) FROM generate_series(5, 6) AS n" >/dev/null
is "$(sql $db -c 'SELECT count(*) = count(DISTINCT event_id) AND max(event_id) <= (SELECT last_value
	FROM ordcancel.event_id_seq) FROM ordcancel.event')" t 'takes back no id'
done_testing
