#!/usr/bin/env bash
# Schema-based sharding: each shop's schema is on one node.
set -u
. "$(dirname "$0")/cluster.sh"

cluster
ok 'a coordinator and two workers' || done_testing
on 0 >/dev/null <<-'SQL'
	CREATE ROLE keeper LOGIN; CREATE ROLE clerk LOGIN; CREATE ROLE shopper LOGIN;
	GRANT CREATE ON DATABASE shops TO keeper;
	SELECT * FROM run_command_on_all_nodes('SELECT ordcancel.grant_owner(''keeper'')');
	SELECT * FROM run_command_on_all_nodes('GRANT USAGE ON SCHEMA ordcancel_internal TO keeper');
	SELECT * FROM run_command_on_all_nodes('SELECT ordcancel.grant_merchant(''clerk'')');
	SELECT * FROM run_command_on_all_nodes('SELECT ordcancel.grant_customer(''shopper'')');
SQL
ok 'roles'
as keeper 0 >"$work/out" 2>&1 <<-'SQL'
	SET citus.enable_schema_based_sharding = on;
	CREATE SCHEMA one; CREATE SCHEMA two;
	CREATE TABLE one.orders (id bigint PRIMARY KEY, status text NOT NULL DEFAULT 'placed', note text);
	CREATE TABLE two.orders (id bigint PRIMARY KEY, status text NOT NULL DEFAULT 'placed', note text);
	INSERT INTO one.orders
	SELECT n, CASE WHEN n <= 80 THEN 'placed' ELSE 'shipped' END FROM generate_series(1, 100) AS n;
	INSERT INTO two.orders SELECT n FROM generate_series(1, 100) AS n;
	GRANT USAGE ON SCHEMA one TO clerk, shopper;
	SELECT ordcancel.attach('one.orders', 'status');
	SELECT ordcancel.set_policy('one.orders', requested_status => 'cancellation_requested',
	                            canceled_status => 'canceled');
	SELECT ordcancel.set_rule('one.orders', 'placed', customer => 'request', merchant => 'cancel'),
	       ordcancel.set_rule('one.orders', 'shipped', hint => 'Process it as a return.');
	SELECT ordcancel.make_call_table('one.orders');
	GRANT SELECT, UPDATE ON one.orders TO clerk; GRANT SELECT ON one.orders TO shopper;
	GRANT INSERT, SELECT ON one.orders_call TO clerk, shopper;
SQL
ok 'the owner of a shop attaches its orders' || sed 's/^/# /' "$work/out"
rules two.orders
ok 'a superuser those of another' || done_testing
one=$(node_of one.orders)
other=$((3 - one))
nodes_of_shop()
{
	for table in orders orders_cancellation orders_cancellation_event orders_call; do
		node_of one.$table
	done | paste -sd ' '
}
[ "$one" != 0 ] && [ "$(nodes_of_shop)" = "$one $one $one $one" ]
ok 'the records and calls of a shop are on its node'

# ------------------------------------------------------------- plain updates

is "$(as clerk 0 -c "UPDATE one.orders SET note = 'x' WHERE id = 1 RETURNING id")" 1 'an update that changes no status'
is "$(as clerk 0 -c "UPDATE one.orders SET status = 'canceled' WHERE id = 1 RETURNING status")" canceled \
	'one that cancels'
is "$(on 0 -c "SELECT order_id, state, requested_actor FROM one.orders_cancellation")" '1|canceled|clerk' 'is recorded'
forbidden='DETAIL: The rule of policy "default" for status "shipped" forbids it.|HINT: Process it as a return.'
is "$(error_of as clerk 0 -c "UPDATE one.orders SET status = 'canceled' WHERE id = 90")" \
	'23514 status of order 90 of one.orders cannot change from "shipped" to "canceled"|'"$forbidden" \
	'one that the rules forbid is refused, with its DETAIL and HINT'
like "$(error_of on 0 -c 'DELETE FROM one.orders WHERE id = 2')" '^23514 order 2 of one.orders cannot be deleted' \
	'a DELETE'
like "$(error_of on 0 -c 'TRUNCATE one.orders')" '^(23514|0A000|OC...) cannot truncate' 'a TRUNCATE'
for statement in 'DELETE FROM' 'TRUNCATE'; do
	like "$(error_of on 0 -c "$statement one.orders_cancellation")" '^23514 cannot modify record table' \
		"$statement records, by a superuser"
done
like "$(error_of as clerk 0 -c 'DELETE FROM one.orders_cancellation')" '^42501 ' 'and by others'

# --------------------------------------------------------------------- calls

call="INSERT INTO one.orders_call (order_id, verb, reason, note, actor, request_key) VALUES"
answer='RETURNING state, order_status, changed'
is "$(as clerk 0 -c "$call (2, 'cancel_order', 'out_of_stock', NULL, 'anna', 'k2') $answer")" 'canceled|canceled|t' \
	'a call cancels'
is "$(as clerk 0 -c "$call (2, 'cancel_order', 'out_of_stock', NULL, 'anna', 'k2') $answer")" 'canceled|canceled|f' \
	'with the same request_key it is the same call'
like "$(error_of as clerk 0 -c "$call (3, 'cancel_order', NULL, NULL, NULL, 'k2')")" '^OC011 ' \
	'another order with that key is refused'
is "$(error_of as clerk 0 -c "$call (90, 'cancel_order', NULL, NULL, NULL, NULL)")" \
	'OC003 order 90 of one.orders cannot be canceled by the merchant in status "shipped"|'"$forbidden" \
	'a refusal has its SQLSTATE, DETAIL and HINT'
is "$(as clerk 0 -c "$call (2, 'undo_cancel', NULL, 'a mistake', NULL, NULL) $answer")" 'undone|placed|t' 'undo'
is "$(as shopper 0 -c "$call (4, 'request_cancel', NULL, NULL, 'eva', NULL) $answer")" \
	'requested|cancellation_requested|t' 'a customer asks'
like "$(error_of as shopper 0 -c "$call (4, 'accept_cancel', NULL, NULL, NULL, NULL)")" '^42501 ' \
	'but may not answer'
is "$(as clerk 0 -c "$call (4, 'accept_cancel', NULL, NULL, NULL, NULL) $answer")" 'canceled|canceled|t' \
	'the merchant accepts'
is "$(as clerk 0 -c "INSERT INTO one.orders_call (order_ids, verb) VALUES ('{5,6,90,5}', 'cancel_orders')
	RETURNING results" | grep -oE '"outcome": "[a-z]+"' | cut -d '"' -f 4 | paste -sd ,)" \
	'canceled,canceled,refused,already' 'an array in one call'
is "$(as clerk 0 -c 'BEGIN' -c "$call (7, 'cancel_order', NULL, NULL, NULL, NULL)" -c 'ROLLBACK' \
	-c 'SELECT status FROM one.orders WHERE id = 7')" placed 'ROLLBACK undoes it'
is "$(as clerk "$one" -c "SELECT state, orders FROM ordcancel.cancel_order('one.orders', 8)")" 'canceled|one.orders' \
	'a function, on the node that has the shop'
is "$(as clerk "$one" -c "SELECT string_agg(outcome, ',')
	FROM ordcancel.cancel_orders('one.orders', '{8,9}'::bigint[])")" \
	'already,canceled' 'and with an array'
for node in 0 "$other"; do
	like "$(error_of as clerk "$node" -c "SELECT ordcancel.cancel_order('one.orders', 10)")" \
		'^0A000 orders of one.orders are distributed, and not on this node\|.*HINT: Insert the call into the table' \
		"on node $node it is refused, with a HINT"
done
is "$(as clerk "$other" -c "$call (10, 'cancel_order', NULL, NULL, NULL, NULL) $answer")" 'canceled|canceled|t' \
	'the table of calls is there on every node'
is "$(contradictions one.orders)" '0 0 0' 'status, records and events agree'
is "$(on 0 -c "SELECT order_id, state FROM ordcancel.cancellations('one.orders') ORDER BY order_id::int LIMIT 2")" \
	$'1|canceled\n2|undone' 'the report on the coordinator has them'
is "$(on 0 -c "SELECT problem, detail FROM ordcancel.health('one.orders')")" '' 'health has nothing to say'

# ------------------------------------------------------------- a shop moves

before=$(on 0 -c 'SELECT count(*), max(cancellation_id) FROM one.orders_cancellation')
move()
{
	on 0 -c "SELECT citus_schema_move('one', 'localhost', $((first_port + $1)),
		shard_transfer_mode => 'block_writes')" >/dev/null
}
move "$other" 2>"$work/out"
ok 'citus_schema_move' || sed 's/^/# /' "$work/out"
is "$(nodes_of_shop)" "$other $other $other $other" 'moves the shop with its records and calls'
is "$(on 0 -c 'SELECT count(*), max(cancellation_id) FROM one.orders_cancellation')" "$before" 'all of them'
is "$(as clerk 0 -c "$call (11, 'cancel_order', NULL, NULL, NULL, NULL) $answer")" 'canceled|canceled|t' \
	'calls go on there'
is "$(as clerk 0 -c "$call (2, 'cancel_order', NULL, NULL, NULL, NULL) $answer")" 'canceled|canceled|t' \
	'an order that was canceled and restored before is canceled again'
is "$(as clerk 0 -c "$call (2, 'undo_cancel', NULL, 'again', NULL, NULL) $answer")" 'undone|placed|t' 'and restored'
is "$(error_of as clerk 0 -c "UPDATE one.orders SET status = 'canceled' WHERE id = 90" | cut -c1-5)" 23514 \
	'updates are guarded there'
move "$one" 2>"$work/out"
ok 'it moves back' || sed 's/^/# /' "$work/out"
is "$(as clerk 0 -c "$call (2, 'cancel_order', NULL, NULL, NULL, NULL) $answer")" 'canceled|canceled|t' \
	'the order is canceled once more'
is "$(on 0 -c "SELECT string_agg(state, ',' ORDER BY cancellation_id)
	FROM one.orders_cancellation WHERE order_id = 2")" \
	'undone,undone,canceled' 'with ids that rise, whichever node gave them'
is "$(as clerk "$one" -c "SELECT state FROM ordcancel.undo_cancel('one.orders', 2, 'enough')")" undone \
	'a function on its node finds it'
is "$(contradictions one.orders)" '0 0 0' 'status, records and events agree'

# ------------------------------------------------------------------ set-up

is "$(on 0 -c "SELECT ordcancel.set_rule('one.orders', 'shipped', merchant => 'cancel')" >/dev/null &&
	as clerk 0 -c "$call (90, 'cancel_order', NULL, NULL, NULL, NULL) $answer")" 'canceled|canceled|t' \
	'a changed rule is in force on the node at once'
on 0 -c "INSERT INTO ordcancel.reason (code) VALUES ('flood')" -c 'SELECT ordcancel.citus_publish()' >"$work/out"
ok 'a new reason is published'
is "$(as clerk 0 -c "$call (91, 'cancel_order', 'flood', NULL, NULL, NULL) $answer")" 'canceled|canceled|t' \
	'and can be given'
is "$(error_of on "$one" -c "SELECT ordcancel.set_rule('one.orders', 'shipped', merchant => 'forbid')" | cut -c1-52)" \
	'0A000 distributed order tables are set up on the coo' 'rules are set on the coordinator alone'
like "$(error_of as keeper 0 -c 'SELECT ordcancel.citus_publish()')" '^42501 ' 'others may not publish'
on 0 -c "SELECT ordcancel.attach('one.orders')" >"$work/out" 2>&1
ok 'attach again' || sed 's/^/# /' "$work/out"
on 0 -c "SELECT ordcancel.detach('one.orders')" >"$work/out" 2>&1
ok 'detach' || sed 's/^/# /' "$work/out"
is "$(on 0 -c "UPDATE one.orders SET status = 'canceled' WHERE id = 92 RETURNING status")" canceled 'ends the rules'
is "$(on "$one" -c "SELECT count(*) FROM ordcancel.order_table WHERE orders = 'one.orders'::regclass")" 0 \
	'on the node, too'
is "$(on 0 -c "UPDATE two.orders SET status = 'canceled' WHERE id = 1 RETURNING status")$(contradictions two.orders)" \
	'canceled0 0 0' 'not those of the other shop'
done_testing
