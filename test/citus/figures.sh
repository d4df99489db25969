#!/usr/bin/env bash
# Throughput through the coordinator, as ratios to a bare UPDATE of a table that
# is not attached. The statements take turns, so that what else the machine does
# meets all alike; a figure is the median of the rounds.
set -u
. "$(dirname "$0")/cluster.sh"

cluster
ok 'a coordinator and two workers' || done_testing
rows=${FIGURE_ROWS:-1000000}
rounds=${FIGURE_ROUNDS:-21}
seconds=${FIGURE_SECONDS:-1}
clients=2
protocol=${FIGURE_PROTOCOL:-prepared}
# As a server runs; the tests do without.
for node in 0 1 2; do
	on $node -c "ALTER SYSTEM SET fsync = ${FIGURE_FSYNC:-on}" -c 'SELECT pg_reload_conf()' >"$work/out"
done
on 0 >"$work/out" 2>&1 <<-SQL
	CREATE SCHEMA big;
	CREATE TABLE big.bare (id bigint PRIMARY KEY, status text NOT NULL DEFAULT 'placed', note text);
	CREATE TABLE big.orders (LIKE big.bare INCLUDING ALL);
	SELECT create_distributed_table('big.bare', 'id', shard_count => 4);
	SELECT create_distributed_table('big.orders', 'id', colocate_with => 'big.bare');
	INSERT INTO big.bare SELECT n FROM generate_series(1, $rows) AS n;
	INSERT INTO big.orders SELECT n FROM generate_series(1, $rows) AS n;
SQL
ok "$rows orders" || { sed 's/^/# /' "$work/out"; done_testing; }
rules big.orders
ok "attached" || done_testing
on 0 -c 'VACUUM ANALYZE big.bare' -c 'VACUUM ANALYZE big.orders'

# Statements that cancel take orders that none has taken before: calls the odd
# ones.
statement() # NAME
{
	case $1 in
		bare_note) echo "UPDATE big.bare SET note = 'x' WHERE id = :id" ;;
		bare_status) echo "UPDATE big.bare SET status = 'canceled' WHERE id = :id" ;;
		note) echo "UPDATE big.orders SET note = 'x' WHERE id = :id" ;;
		cancel) echo "UPDATE big.orders SET status = 'canceled' WHERE id = :id" ;;
		call) echo "INSERT INTO big.orders_call (order_id, verb) VALUES (:id, 'cancel_order') RETURNING state" ;;
	esac
}
declare -A begin all sum
names='bare_note note bare_status cancel call'
for name in $names; do
	begin[$name]=0 all[$name]=0
	case $name in
		*note) printf '\\set id random(1, %d)\n' "$rows" ;;
		call) printf '\\set i :i + 1\n\\set id (:i * %d + :client_id) * 2 + 1\n' $clients ;;
		*) printf '\\set i :i + 1\n\\set id (:i * %d + :client_id) * 2 + 2\n' $clients ;;
	esac >"$work/$name.sql"
	echo "$(statement $name);" >>"$work/$name.sql"
done

# Transactions in a turn. No client may have got further than all together.
turn() # NAME
{
	local n

	n=$(PGPORT=$first_port pgbench -n -M "$protocol" -c $clients -j $clients -T "$seconds" -D i="${begin[$1]}" \
		-f "$work/$1.sql" shops 2>"$work/out" | sed -n 's/^number of transactions actually processed: //p')
	begin[$1]=$((begin[$1] + n + 1))
	all[$1]=$((all[$1] + n))
	echo "$n" >>"$work/$1.turns"
}
for name in $names; do
	turn $name # connections, plans
	sum[$name]=-${all[$name]}
	rm "$work/$name.turns"
done
for ((round = 0; round < rounds; round++)); do
	for name in $names; do
		turn $name
	done
done
for name in $names; do
	sum[$name]=$((sum[$name] + all[$name]))
	echo "# $name: $((sum[$name] / (rounds * seconds))) a second"
done
is "$(canceled big.orders | wc -l)" $((all[cancel] + all[call])) 'each statement canceled an order' || done_testing

figure() # NAME BASE LEAST WHAT
{
	local ratio

	ratio=$(paste "$work/$1.turns" "$work/$2.turns" | awk '{ print $1 / $2 }' | sort -n |
		awk '{ r[NR] = $1 } END { printf "%.2f", r[int((NR + 1) / 2)] }')
	awk "BEGIN { exit !($ratio >= $3) }"
	ok "$4: $ratio of a bare UPDATE (at least $3)"
}
figure note bare_note 0.9 'a guarded UPDATE that changes no status'
figure cancel bare_status 0.7 'one that cancels'
figure call bare_status 0.6 'a call'
is "$(contradictions big.orders)" '0 0 0' 'status, records and events agree'
done_testing
