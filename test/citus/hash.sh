#!/usr/bin/env bash
# Orders distributed by the hash of their id, over four shards on two nodes.
set -u
. "$(dirname "$0")/cluster.sh"

cluster
ok 'a coordinator and two workers' || done_testing
on 0 >"$work/out" 2>&1 <<-'SQL'
	CREATE SCHEMA big;
	CREATE TABLE big.orders (id bigint PRIMARY KEY, status text NOT NULL DEFAULT 'placed', note text,
	                         paid numeric NOT NULL DEFAULT 0, locked boolean NOT NULL DEFAULT false, canceled_for text);
	SELECT create_distributed_table('big.orders', 'id', shard_count => 4);
	INSERT INTO big.orders
	SELECT n, CASE WHEN n <= 800 THEN 'placed' ELSE 'shipped' END FROM generate_series(1, 1000) AS n;
	CREATE TABLE big.copies (id bigint PRIMARY KEY, status text);
	SELECT create_reference_table('big.copies');
	CREATE TABLE big.shipments (order_id bigint, id bigint, PRIMARY KEY (order_id, id));
	SELECT create_distributed_table('big.shipments', 'order_id', colocate_with => 'big.orders');
SQL
ok 'a table of orders' || sed 's/^/# /' "$work/out"
rules big.orders
ok 'is attached' || done_testing
on 0 >"$work/out" 2>&1 <<-'SQL'
	SELECT ordcancel.attach('big.orders', refund_due => 'paid');
	SELECT ordcancel.set_policy('big.orders', in_progress_status => 'canceling');
	SELECT ordcancel.add_block('big.orders', 'locked', 'locked', hint => 'Unlock it.');
	SELECT ordcancel.also_set('big.orders', 'canceled', 'canceled_for', 'cancellation.reason');
SQL
ok 'with a refund, a block and a column that is set' || sed 's/^/# /' "$work/out"
is "$(error_of on 0 -c "SELECT ordcancel.attach('big.copies', 'status')")" \
	'OC014 big.copies cannot be attached|DETAIL: It is a reference table of Citus.' 'a reference table is refused'
like "$(error_of on 0 -c "SELECT ordcancel.attach_child('big.shipments', 'big.orders')")" \
	'^0A000 attach_child\(\) does not support distributed tables' 'so is a table of shipments'

# ------------------------------------------------------------- plain updates

# An order on each node.
for id in {1..20}; do
	if [ "$(node_of big.orders "$id")" = 1 ]; then here=$id; else there=$id; fi
done
is "$(node_of big.orders "$here")$(node_of big.orders "$there")" 12 'orders on both nodes'
is "$(on 0 -c "UPDATE big.orders SET note = 'x' WHERE id = $here RETURNING note")" x 'an update that changes no status'
is "$(on 0 -c "UPDATE big.orders SET status = 'canceled' WHERE id IN ($here, $there) RETURNING status" | paste -sd ,)" \
	'canceled,canceled' 'one that cancels on two nodes'
is "$(on 0 -c "SELECT count(DISTINCT cancellation_id % 1024) FROM big.orders_cancellation")" 2 \
	'each node gives ids of its own'
forbidden='DETAIL: The rule of policy "default" for status "shipped" forbids it.|HINT: Process it as a return.'
is "$(error_of on 0 -c "UPDATE big.orders SET status = 'canceled' WHERE id IN (101, 102, 103, 104, 105, 900)")" \
	'23514 status of order 900 of big.orders cannot change from "shipped" to "canceled"|'"$forbidden" \
	'one order that is refused'
is "$(on 0 -c "SELECT count(*) FROM big.orders WHERE status = 'canceled'") $(contradictions big.orders)" '2 0 0 0' \
	'undoes the others, on all nodes'
is "$(on 0 -c 'BEGIN' -c "UPDATE big.orders SET status = 'canceled' WHERE id BETWEEN 110 AND 120" -c 'ROLLBACK' \
	-c "SELECT count(*) FROM big.orders_cancellation")" 2 'so does ROLLBACK'
like "$(error_of on 0 -c "INSERT INTO big.orders (id, status) VALUES (2000, 'cancellation_requested')")" '^23514 ' \
	'an INSERT that begins with a request'
like "$(error_of on 0 -c "DELETE FROM big.orders WHERE id = $here")" '^23514 order '"$here"' ' 'a DELETE'
like "$(error_of on 0 -c "DELETE FROM big.orders_cancellation_event")" '^23514 cannot modify record table' \
	'a DELETE of events'

is "$(on 0 -c 'BEGIN' -c "SET LOCAL ordcancel.actor = 'ida'" \
	-c "UPDATE big.orders SET status = 'canceled' WHERE id = 105" -c 'COMMIT' \
	-c 'SELECT requested_actor FROM big.orders_cancellation WHERE order_id = 105')" ida \
	'SET LOCAL ordcancel.actor reaches the node'
like "$(error_of on 0 -c 'BEGIN' -c "SET LOCAL ordcancel.party = 'customer'" \
	-c "UPDATE big.orders SET status = 'canceled' WHERE id = 106")" '^23514 .*only lets the customer request' \
	'so does ordcancel.party'

# --------------------------------------------------------------------- calls

call='INSERT INTO big.orders_call (order_id, verb, reason, note, actor, request_key) VALUES'
answer='RETURNING state, order_status, changed'
is "$(on 0 -c "$call (130, 'cancel_order', 'out_of_stock', NULL, 'anna', 'k') $answer")" 'canceled|canceled|t' 'a call'
is "$(on 0 -c "$call (130, 'cancel_order', 'out_of_stock', NULL, 'anna', 'k') $answer")" 'canceled|canceled|f' \
	'with the same request_key'
is "$(on 0 -c 'SELECT canceled_for FROM big.orders WHERE id = 130')" out_of_stock 'also_set'
is "$(error_of on 0 -c "$call (901, 'cancel_order', NULL, NULL, NULL, NULL)")" \
	'OC003 order 901 of big.orders cannot be canceled by the merchant in status "shipped"|'"$forbidden" \
	'a refusal has its SQLSTATE, DETAIL and HINT'
like "$(error_of on 0 -c "$call (5000, 'cancel_order', NULL, NULL, NULL, NULL)")" '^OC002 ' \
	'an order that does not exist'
is "$(on 0 -c "$call (130, 'undo_cancel', NULL, 'oops', NULL, NULL) $answer")" 'undone|placed|t' 'undo'
is "$(on 0 -c "$call (131, 'cancel_order', NULL, NULL, NULL, NULL), (132, 'cancel_order', NULL, NULL, NULL, NULL),
	(133, 'cancel_order', NULL, NULL, NULL, NULL) RETURNING state" | sort | uniq -c | tr -s ' ')" ' 3 canceled' \
	'calls for orders in several shards in one statement'
on 0 -c "UPDATE big.orders SET paid = 10 WHERE id = 140" -c "UPDATE big.orders SET locked = true WHERE id = 141"
is "$(on 0 -c "$call (140, 'cancel_order', NULL, NULL, NULL, NULL) RETURNING state, order_status, refund_due")" \
	'in_progress|canceling|10' 'a refund is due'
is "$(on 0 -c "INSERT INTO big.orders_call (order_id, verb, amount, method) VALUES (140, 'record_refund', 10, 'cash')
	$answer")" 'canceled|canceled|t' 'and recorded'
like "$(error_of on 0 -c "$call (141, 'cancel_order', NULL, NULL, NULL, NULL)")" '^OC005 .*HINT: Unlock it' 'a block'
set=$(on 0 -c "SELECT array_agg(id) FROM big.orders WHERE id BETWEEN 200 AND 300 AND
	get_shard_id_for_distribution_column('big.orders', id) = get_shard_id_for_distribution_column('big.orders', 200)")
is "$(on 0 -c "INSERT INTO big.orders_call (order_id, order_ids, verb) VALUES (200, '$set', 'cancel_orders')
	RETURNING results" | grep -oE '"outcome": "[a-z]+"' | sort | uniq -c | tr -s ' ')" \
	" $(tr ',' '\n' <<<"$set" | wc -l) \"outcome\": \"canceled\"" 'an array of orders of one shard'
like "$(on 0 -c "INSERT INTO big.orders_call (order_id, order_ids, verb)
	VALUES ($here, '{$here,$there}', 'cancel_orders') RETURNING results")" '"already".*"refused".*"0A000"' \
		'one of another shard is refused'
is "$(on 0 -c "SELECT outcome, count(*) FROM ordcancel.citus_cancel_orders('big.orders',
	ARRAY(SELECT n::text FROM generate_series(301, 400) AS n) || '{901,5000}'::text[], 'fraud', actor => 'ben')
	GROUP BY 1 ORDER BY 1")" \
	$'canceled|100\nrefused|2' 'citus_cancel_orders() sends an array to the shards'
node=$(node_of big.orders 401)
is "$(on "$node" -c "SELECT state FROM ordcancel.cancel_order('big.orders', 401)")" canceled \
	'a function where the order is'
like "$(error_of on $((3 - node)) -c "SELECT ordcancel.cancel_order('big.orders', 401)")" '^0A000 ' \
	'elsewhere it is refused'
like "$(error_of on 0 -c "CALL ordcancel.cancel_batch('big.orders', 'id < 10')")" '^0A000 ' 'a batch is refused'
is "$(contradictions big.orders)" '0 0 0' 'status, records and events agree'
is "$(on 0 -c "SELECT count(*) FROM ordcancel.cancellations('big.orders')")" \
	"$(on 0 -c 'SELECT count(*) FROM big.orders_cancellation')" 'the report on the coordinator has all of them'
is "$(on 0 -c "SELECT problem, detail FROM ordcancel.health('big.orders')")" '' 'health has nothing to say'

# A table that only has the name of a shard, where the shard is not.
shard=$(on 0 -c "SELECT min(shard_name) FROM citus_shards WHERE table_name = 'big.orders'::regclass")
on 0 -c "CREATE TABLE $shard (id bigint PRIMARY KEY, status text)" -c "INSERT INTO $shard VALUES (1, 'placed')"
ok "a table named $shard on the coordinator"
like "$(error_of on 0 -c "SELECT ordcancel.cancel_order('$shard', 1)")" '^OC001 ' 'is no shard'

# ---------------------------------------------------- each node's own shards

for node in 1 2; do
	on $node -c "SELECT ordcancel.create_consumer('all', start_at => 'beginning')" >"$work/out"
	on $node -c "SELECT order_key FROM ordcancel.next_events('all', 10000)" | sort >"$work/events$node"
	on 0 -c "WITH e AS MATERIALIZED (SELECT order_id FROM big.orders_cancellation_event)
		SELECT e.order_id FROM e JOIN (SELECT * FROM citus_shards OFFSET 0) AS s
		ON s.table_name = 'big.orders'::regclass
		AND s.shardid = get_shard_id_for_distribution_column('big.orders', e.order_id)
		WHERE nodeport = $((first_port + node))" 2>"$work/out" | sort >"$work/wanted$node"
	[ -s "$work/events$node" ] && cmp -s "$work/events$node" "$work/wanted$node"
	ok "a consumer on node $node gets the events of its shards" || head -3 "$work/out" | sed 's/^/# /'
done
on 0 -c "SELECT ordcancel.set_policy('big.orders', decision_timeout => '1 second', on_timeout => 'accept')" >"$work/out"
on 0 -c "$call (500, 'request_cancel', NULL, NULL, 'eva', NULL), (501, 'request_cancel', NULL, NULL, 'eva', NULL),
	(502, 'request_cancel', NULL, NULL, 'eva', NULL), (503, 'request_cancel', NULL, NULL, 'eva', NULL)"
ok 'requests with a deadline'
until_true_on_0()
{
	on 1 -c 'CALL ordcancel.sweep()' && on 2 -c 'CALL ordcancel.sweep()' &&
		[ "$(on 0 -c "SELECT count(*) FROM big.orders WHERE id BETWEEN 500 AND 503 AND status = 'canceled'")" = 4 ]
}
wait_for until_true_on_0
ok 'sweep() on the nodes decides them'
# Their ids are greater than those of the orders, by which no event may be sought.
for node in 1 2; do
	for _ in 1 2 3; do
		on $node -c "SELECT ordcancel.ack('all', max(event_id)) FROM ordcancel.next_events('all', 10000)" >"$work/out"
	done
done
on 0 -c "$call (510, 'cancel_order', NULL, NULL, 'ann', NULL), (511, 'cancel_order', NULL, NULL, 'ann', NULL),
	(512, 'cancel_order', NULL, NULL, 'ann', NULL), (513, 'cancel_order', NULL, NULL, 'ann', NULL)"
is "$({
	for node in 1 2; do
		on $node -c "SELECT order_key FROM ordcancel.next_events('all', 10000)"
	done
} | sort | tr '\n' ' ')" '510 511 512 513 ' 'a consumer that has acknowledged events gets the next ones'
is "$(contradictions big.orders)" '0 0 0' 'status, records and events agree'
done_testing
