#!/usr/bin/env bash
# A call that PostgreSQL multiplies is one, and the next statement's is another,
# in whichever way the protocol brings it.
set -u
. "$(dirname "$0")/lib/tap.sh"

db=t_multiplied

fresh_database $db && sql $db <<-SQL
	CREATE EXTENSION ordcancel;
	CREATE TABLE orders (id integer PRIMARY KEY, status text NOT NULL, paid numeric);
	INSERT INTO orders SELECT n, 'placed', 1000 FROM generate_series(1, 9) AS n;
	INSERT INTO orders SELECT n, 'packed' FROM generate_series(11, 19) AS n;
	SELECT ordcancel.attach('orders', 'status', refund_due => 'paid') \g /dev/null
	SELECT ordcancel.set_policy('orders', canceled_status => 'canceled') \g /dev/null
	SELECT ordcancel.set_rule('orders', 'placed', merchant => 'cancel') \g /dev/null
	SELECT ordcancel.set_rule('orders', 'packed', merchant => 'request') \g /dev/null
	SELECT ordcancel.cancel_order('orders', n) FROM generate_series(1, 9) AS n \g /dev/null
SQL
ok 'orders are canceled' || done_testing

bench() # MODE SCRIPT TRANSACTIONS
{
	printf '%s\n' "$2" >"$work/script"
	pgbench -n -M "$1" -f "$work/script" -t "$3" $db >"$work/bench.out" 2>&1 || cat "$work/bench.out"
}

n=0
for mode in simple extended prepared; do
	n=$((n + 1))
	bench $mode "\\set id $n
SELECT (ordcancel.record_refund('orders', :id, 3, 'cash')).*;" 12
	is "$(sql $db -c "SELECT refunded FROM orders_cancellation WHERE order_id = $n")" 36 \
		"$mode: each statement is one refund"
	bench $mode "\\set id $((n + 3))
BEGIN;
SELECT (ordcancel.record_refund('orders', :id, 3, 'cash')).*;
SELECT (ordcancel.record_refund('orders', :id, 3, 'cash')).*;
COMMIT;" 2
	is "$(sql $db -c "SELECT refunded FROM orders_cancellation WHERE order_id = $((n + 3))")" 12 \
		"$mode: also in one transaction"
	bench $mode "\\set id $((n + 10))
SELECT (ordcancel.cancel_order('orders', :id)).*;" 1
	is "$(sql $db -c "SELECT state FROM orders_cancellation WHERE order_id = $((n + 10))")" requested \
		"$mode: who has to ask first asks"
done

# All at once, and as one message with two statements.
sql $db -c "SELECT (ordcancel.record_refund('orders', 7, 3, 'cash')).*; SELECT (ordcancel.record_refund('orders', 7, 3,
		'cash')).*" >"$work/out"
is "$(sql $db -c 'SELECT refunded FROM orders_cancellation WHERE order_id = 7')" 6 \
	'two statements in one message are two'
sql $db >"$work/out" <<-SQL
	BEGIN;
	DECLARE c CURSOR WITH HOLD FOR SELECT (ordcancel.record_refund('orders', 8, 3, 'cash')).*
	FROM generate_series(1, 5);
	FETCH 2 FROM c;
	COMMIT;
	FETCH ALL FROM c;
SQL
is "$(sql $db -c 'SELECT refunded FROM orders_cancellation WHERE order_id = 8')" 3 \
	'a cursor that outlives its transaction is one'

# Transactions of a procedure count their commands anew.
sql $db <<-SQL
	DO \$\$
	DECLARE
		o ordcancel.outcome;
	BEGIN
		FOR i IN 1..5 LOOP
			o := ordcancel.record_refund('orders', 9, 3, 'cash');
			COMMIT;
		END LOOP;
	END \$\$;
SQL
is "$(sql $db -c 'SELECT refunded FROM orders_cancellation WHERE order_id = 9')" 15 \
	'a procedure that commits makes a call each time'
done_testing
