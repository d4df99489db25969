#!/usr/bin/env bash
# What happens to nodes: shards move while orders are canceled, a node is added,
# and one is killed. Nothing that was acknowledged may be lost, and no order be
# half canceled.
set -u
. "$(dirname "$0")/cluster.sh"

cluster
ok 'a coordinator and two workers' || done_testing
on 0 >"$work/out" 2>&1 <<-'SQL'
	CREATE SCHEMA big;
	CREATE TABLE big.orders (id bigint PRIMARY KEY, status text NOT NULL DEFAULT 'placed', note text);
	SELECT create_distributed_table('big.orders', 'id', shard_count => 4);
	INSERT INTO big.orders SELECT n FROM generate_series(1, 300000) AS n;
SQL
rules big.orders
ok 'an attached table of 300000 orders' || done_testing

# Cancels orders in the background, half of them by calls and half by updates, and
# notes those that the server acknowledged. Errors do not stop it, only a file.
cancel_from() # FIRST LAST FILE
{
	local id

	rm -f "$work/stop"
	for ((id = $1; id <= $2; id += 2)); do
		[ ! -e "$work/stop" ] || break
		echo "INSERT INTO big.orders_call (order_id, verb) VALUES ($id, 'cancel_order') RETURNING order_id;"
		echo "UPDATE big.orders SET status = 'canceled' WHERE id = $((id + 1)) RETURNING id;"
	done | PGPORT=$first_port psql -XqAt -d shops >"$3" 2>"$3.errors" &
	client=$!
}

# Pairs of orders, in one transaction each.
cancel_pairs() # FIRST LAST FILE
{
	local id

	for ((id = $1; id <= $2; id += 2)); do
		[ ! -e "$work/stop" ] || break
		echo "BEGIN; UPDATE big.orders SET status = 'canceled' WHERE id = $id;"
		echo "INSERT INTO big.orders_call (order_id, verb) VALUES ($((id + 1)), 'cancel_order'); COMMIT;"
		echo "SELECT $id WHERE EXISTS (SELECT FROM big.orders WHERE id = $id AND status = 'canceled');"
	done | PGPORT=$first_port psql -XqAt -d shops >"$3" 2>"$3.errors" &
	client=$!
}

until_lines() # FILE NUMBER
{
	wait_for enough "$@"
}

enough() # FILE NUMBER
{
	[ -e "$1" ] && [ "$(wc -l <"$1")" -ge "$2" ]
}

# Acknowledged, but not canceled.
lost() # FILE
{
	LC_ALL=C comm -23 <(LC_ALL=C sort -u "$1") <(canceled big.orders | LC_ALL=C sort)
}

# ------------------------------------------------------------- shards move

# With the shards of the record tables, which are co-located.
move() # SHARD MODE
{
	local from to

	from=$(on 0 -c "SELECT nodeport FROM pg_dist_placement JOIN pg_dist_node USING (groupid) WHERE shardid = $1")
	to=${3:-$((2 * first_port + 3 - from))}
	on 0 -c "SELECT citus_move_shard_placement($1, 'localhost', $from, 'localhost', $to, shard_transfer_mode => '$2')"
}
shards=($(on 0 -c "SELECT shardid FROM pg_dist_shard WHERE logicalrelid = 'big.orders'::regclass ORDER BY 1"))
cancel_from 1 100000 "$work/one"
until_lines "$work/one" 50
ok 'orders are being canceled'
for n in 0 1 2 3; do
	mode=force_logical
	[ $((n % 2)) = 0 ] || mode=block_writes
	until_lines "$work/one" $((50 * n + 50 + $(wc -l <"$work/one")))
	move "${shards[$n]}" $mode >"$work/out" 2>&1
	ok "shard $n moves meanwhile, with $mode" || sed 's/^/# /' "$work/out"
done
kill -0 $client 2>/dev/null
ok 'all the while'
touch "$work/stop"
wait $client
[ ! -s "$work/one.errors" ]
ok "$(wc -l <"$work/one") were acknowledged and none failed" || head -3 "$work/one.errors" | sed 's/^/# /'
is "$(lost "$work/one" | wc -l)" 0 'none is lost'
is "$(canceled big.orders | wc -l) $(contradictions big.orders)" "$(wc -l <"$work/one") 0 0 0" \
	'status, records and events agree'
is "$(on 0 -c "SELECT 2 * count(*) FROM big.orders_call WHERE state = 'canceled'")" "$(wc -l <"$work/one")" \
	'the calls have their answers'

# ------------------------------------------------------------ a node is added

make_node 3 && add_node 3
ok 'a third worker'
# Citus copies the reference table, whose trigger does not fire then.
on 0 -c 'SELECT replicate_reference_tables()' >"$work/out"
move "${shards[0]}" block_writes $((first_port + 3)) >"$work/out" 2>&1
ok 'a shard moves there' || sed 's/^/# /' "$work/out"
for id in {100001..100040}; do
	[ "$(node_of big.orders $id)" = 3 ] && there=$id
done
like "$(error_of on 0 -c "UPDATE big.orders SET status = 'canceled' WHERE id = $there")" '^OC001 ' \
	'without configuration nothing is written there unguarded'
on 0 -c 'SELECT ordcancel.citus_publish()' >"$work/out" 2>&1
ok 'citus_publish()' || sed 's/^/# /' "$work/out"
is "$(on 0 -c "UPDATE big.orders SET status = 'canceled' WHERE id = $there RETURNING status")" canceled 'then it works'
is "$(on 0 -c "INSERT INTO big.orders_call (order_id, verb, note) VALUES ($there, 'undo_cancel', 'no')
	RETURNING state")" undone 'calls, too'
is "$(on 0 -c "SELECT count(DISTINCT cancellation_id % 1024), count(DISTINCT cancellation_id) = count(*)
	FROM big.orders_cancellation")" '3|t' 'with ids of its own'
is "$(on 3 -c "SELECT count(*) FROM ordcancel.policy_change")" 0 'the log of changes stays on the coordinator'

# ------------------------------------------------------------ one is killed

is_up()
{
	on 0 -c 'SELECT count(*) FROM big.orders' >/dev/null 2>&1
}
cancel_from 110001 200000 "$work/two"
single=$client
cancel_pairs 200001 300000 "$work/pairs"
until_lines "$work/two" 50 && until_lines "$work/pairs" 20
ok 'orders are being canceled, in pairs over the nodes, too'
for victim in 1 2; do
	errors=$(wc -l <"$work/two.errors")
	kill_node $victim
	until_lines "$work/two.errors" $((errors + 1)) # it is missed
	start_node $victim
	wait_for is_up
	ok "worker $victim is killed and comes back"
done
touch "$work/stop"
wait $single $client
on 0 -c 'SELECT recover_prepared_transactions()' >"$work/out"
until_recovered()
{
	[ "$(for node in 1 2 3; do on $node -c 'SELECT count(*) FROM pg_prepared_xacts'; done | paste -sd +)" = 0+0+0 ] || {
		on 0 -c 'SELECT recover_prepared_transactions()' >/dev/null
		return 1
	}
}
wait_for until_recovered
ok 'prepared transactions are recovered'
[ -s "$work/two.errors" ]
ok "$(cat "$work/two" "$work/pairs" | wc -l) were acknowledged, others failed"
is "$(lost "$work/two" | wc -l) $(lost "$work/pairs" | wc -l)" '0 0' 'none of them is lost'
is "$(on 0 -c "SELECT count(*) FROM (SELECT (id - 1) / 2 FROM big.orders WHERE id > 200000
	GROUP BY 1 HAVING count(*) FILTER (WHERE status = 'canceled') = 1) AS x")" 0 'no pair is half canceled'
is "$(contradictions big.orders)" '0 0 0' 'status, records and events agree'
is "$(on 0 -c "SELECT count(*) FROM big.orders_call AS c JOIN big.orders AS o ON o.id = c.order_id
	WHERE c.state = 'canceled' AND c.order_id <> $there AND o.status <> 'canceled'")" 0 'no call says what is not so'
done_testing
