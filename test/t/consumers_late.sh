#!/usr/bin/env bash
# Events that replication inserts after the sequence has passed their ids: a
# consumer that is behind them gets them, also when it is moved to another
# database, and they are not pruned before.
set -u
. "$(dirname "$0")/lib/tap.sh"
. "$here/lib/session.sh"

db=t_consumers_late
copy=t_consumers_late_copy
behind=t_consumers_late_behind
before_exit "drop_database $copy"
before_exit "drop_database $behind"

fresh_database $db && sql $db <<-'SQL'
	CREATE EXTENSION ordcancel;
	CREATE TABLE orders (id integer PRIMARY KEY, status text NOT NULL DEFAULT 'placed');
	INSERT INTO orders SELECT generate_series(1, 9);
	SELECT ordcancel.attach('orders', 'status'), ordcancel.set_policy('orders', canceled_status => 'canceled'),
	       ordcancel.set_rule('orders', 'placed', merchant => 'cancel'), ordcancel.create_consumer('mail'),
	       ordcancel.create_consumer('moved'), ordcancel.cancel_order('orders', 1), nextval('ordcancel.event_id_seq')
	       \g /dev/null
SQL
ok 'an order is canceled, and an id left out'

drain() # DATABASE CONSUMER
{
	sql "$1" -c "SELECT string_agg(order_key, ' '), ordcancel.ack('$2', max(event_id)) FROM ordcancel.next_events('$2')"
}
arrive() # ID ORDER
{
	sql $db -c "SET session_replication_role = replica" -c "INSERT INTO orders_cancellation_event (event_id,
		cancellation_id, order_key, type, state, party, session_role, at, source, xid, cluster, orders, order_id)
		VALUES ($1, 1, '$2', 'requested', 'requested', 'customer', 'web', '2001-01-01', 'request_cancel', 5, 7,
			'orders', $2)"
}

sql $db -c "SELECT ordcancel.cancel_order('orders', 3)" >/dev/null
is "$(drain $db mail) $(drain $db moved)" '1 3|t 1 3|t' 'two consumers have read what was there'
arrive 2 2
is "$(sql $db -c "SELECT xid > 5 AND cluster = (SELECT system_identifier FROM pg_control_system())
	FROM orders_cancellation_event WHERE event_id = 2")" t 'a replicated event has the transaction that inserted it'
sql $db -c "SELECT ordcancel.prune_events('1 year')" >/dev/null
is "$(drain $db mail)" '2|t' 'a consumer gets it, though it has a lower id, and is not pruned before'
is "$(drain $db mail)" '|f' 'once'
createdb $copy && pg_dump $db | sql $copy >/dev/null
is "$(drain $copy moved)" '2 3|t' 'one that had not read it gets it in a restored dump, with what came after it'
is "$(sql $db -c "SELECT ordcancel.prune_events('1 year')")" 0 'what that one has not read is not pruned'
is "$(drain $db moved)" '2|t' 'it gets it here as well'
is "$(sql $db -c "SELECT ordcancel.prune_events('1 year')" -c 'SELECT count(*) FROM ordcancel.late_event')" '1
0' 'then it is pruned'
is "$(sql $db 2>&1 <<-'SQL'
	\set VERBOSITY sqlstate
	BEGIN;
	SELECT ordcancel.cancel_order('orders', 4), ordcancel.rewind_consumer('mail', 1) \g /dev/null
	SELECT ordcancel.ack('mail', max(event_id)) FROM ordcancel.next_events('mail');
	SET LOCAL session_replication_role = replica;
	INSERT INTO orders_cancellation_event (event_id, cancellation_id, order_key, type, state, party, session_role, at,
		source, xid, cluster, orders, order_id) VALUES (2, 1, '2', 'requested', 'requested', 'customer', 'web',
		'2001-01-01', 'request_cancel', 5, 7, 'orders', 2);
SQL
)" 't
ERROR:  0A000' 'a transaction that has read events cannot insert such'

# Ids that were rolled back come again in a copy whose sequence is behind the
# position of a consumer: as after logical replication, of max(event_id).
sql $db -c "SELECT ordcancel.create_consumer('ahead')" -c "SELECT ordcancel.cancel_order('orders', 5)" \
	-c "SELECT nextval('ordcancel.event_id_seq') FROM generate_series(1, 9)" >/dev/null
is "$(drain $db ahead)" '5|t' 'a consumer has read all; some ids were rolled back'
createdb $behind && pg_dump $db | sql $behind >/dev/null
sql $behind -c "SELECT setval('ordcancel.event_id_seq', max(event_id)) FROM ordcancel.event" >/dev/null
hold $behind "SELECT ordcancel.cancel_order('orders', 6)"
is "$(drain $behind ahead)" '|f' 'in a copy it takes its position while a transaction is open'
release
is "$(drain $behind ahead)" '6|t' 'and gets its event, whose id was taken before'
is "$(drain $behind ahead)" '|f' 'once, and no other event again'

# Replication that brings the position moves the sequence. Otherwise events with
# these ids that are committed before the consumer reads would be lost.
drop_database $behind && createdb $behind && pg_dump $db | sql $behind >/dev/null
sql $behind -c "SELECT setval('ordcancel.event_id_seq', max(event_id)) FROM ordcancel.event" >/dev/null
is "$(sql $behind -c 'SET session_replication_role = replica' \
	-c "UPDATE ordcancel.consumer SET passed = passed WHERE name = 'ahead'" \
	-c "SELECT last_value = passed[1] FROM ordcancel.event_id_seq, ordcancel.consumer WHERE name = 'ahead'")" t \
	'replication of a position keeps new ids above it'
sql $behind -c "SELECT ordcancel.cancel_order('orders', 6)" >/dev/null
is "$(drain $behind ahead)" '6|t' 'so the consumer gets what was done before it reads'

# A physical copy that was promoted has the identifier of the cluster from which
# positions come by replication, but not its transactions.
sql $behind -c 'SET session_replication_role = replica' \
	-c "UPDATE ordcancel.consumer SET passed = ARRAY[passed[1], passed[2] + 9999, passed[3] + 9999, passed[4], 0]
		WHERE name = 'ahead'"
sql $behind -c "SELECT ordcancel.cancel_order('orders', 7)" >/dev/null
is "$(drain $behind ahead)" '7|t' 'a position beyond the transactions of the cluster is one of another cluster'
done_testing
