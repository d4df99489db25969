# shellcheck shell=bash disable=SC2154
# Read by the scripts beside it: a coordinator, node 0, and workers.
. "$(dirname "$0")/../t/lib/tap.sh"

export PGUSER=postgres PGDATABASE=shops PGHOST=$work
first_port=$((20000 + RANDOM % 9000))

start_node() # NUMBER
{
	pg_ctl -s -w -D "$work/$1" -l "$work/$1.log" start
}

kill_node() # NUMBER
{
	pg_ctl -s -D "$work/$1" -m immediate stop
}

make_node() # NUMBER
{
	before_exit "pg_ctl -s -D '$work/$1' -m immediate stop 2>/dev/null"
	initdb -D "$work/$1" -A trust -E UTF8 --no-locale --no-sync >"$work/initdb.out" &&
		cat >>"$work/$1/postgresql.conf" <<-CONF && start_node "$1" &&
			listen_addresses = 'localhost'
			port = $((first_port + $1))
			unix_socket_directories = '$work'
			shared_preload_libraries = 'citus'
			max_prepared_transactions = 100
			max_connections = 60
			wal_level = logical
			fsync = off
			jit = off
			citus.node_conninfo = 'sslmode=disable'
			citus.enable_statistics_collection = off
			citus.propagate_set_commands = local
		CONF
		PGPORT=$((first_port + $1)) createdb shops &&
		on "$1" -c 'CREATE EXTENSION citus'
}

# psql on a node.
on() # NUMBER [ARGUMENT...]
{
	local node=$1

	shift
	PGPORT=$((first_port + node)) sql shops "$@"
}

# The same as another role.
as() # ROLE NUMBER [ARGUMENT...]
{
	local role=$1

	shift
	PGUSER=$role on "$@"
}

add_node() # NUMBER
{
	on 0 -c "SELECT citus_add_node('localhost', $((first_port + $1)))" >/dev/null
}

# What an error says, in one line: SQLSTATE, message, DETAIL, HINT.
error_of() # COMMAND [ARGUMENT...]
{
	"$@" -v VERBOSITY=verbose 2>&1 >/dev/null |
		sed -nE 's/.*ERROR: +([0-9A-Z]{5}): +(.*)/\1 \2/p; s/^(DETAIL|HINT): +(.*)/\1: \2/p' | paste -sd '|'
}

cluster()
{
	local node

	for node in 0 1 2; do
		make_node $node || return
	done
	on 0 -c "SELECT citus_set_coordinator_host('localhost', $first_port)" >/dev/null &&
		add_node 1 && add_node 2 && on 0 -c 'CREATE EXTENSION ordcancel'
}

# The node that has a shard of the table: of an order, or the only one.
node_of() # TABLE [ORDER]
{
	on 0 -c "SELECT nodeport - $first_port FROM citus_shards
		WHERE table_name = '$1'::regclass AND ('${2-}' = '' OR
		      shardid = get_shard_id_for_distribution_column('$1', '${2:-0}'::bigint))"
}

# Rules for a table of orders, and its table of calls.
rules() # TABLE
{
	on 0 >/dev/null <<-SQL
		SELECT ordcancel.attach('$1', 'status');
		SELECT ordcancel.set_policy('$1', requested_status => 'cancellation_requested', canceled_status => 'canceled');
		SELECT ordcancel.set_rule('$1', 'placed', customer => 'request', merchant => 'cancel'),
		       ordcancel.set_rule('$1', 'shipped', hint => 'Process it as a return.');
		SELECT ordcancel.make_call_table('$1');
	SQL
}

# What cannot be: orders whose status and record disagree, cancellations without
# their event, or orders with two cancellations in effect.
contradictions() # TABLE
{
	on 0 -c "SELECT count(*) FROM $1 AS o LEFT JOIN $1_cancellation AS c ON c.order_id = o.id AND c.state = 'canceled'
		WHERE (o.status = 'canceled') <> (c.order_id IS NOT NULL)" \
		-c "SELECT count(*) FROM $1_cancellation AS c LEFT JOIN $1_cancellation_event AS e
		ON e.order_id = c.order_id AND e.cancellation_id = c.cancellation_id AND e.type = 'canceled'
		WHERE c.state = 'canceled' AND e.event_id IS NULL" \
		-c "SELECT count(*) FROM (SELECT order_id FROM $1_cancellation WHERE state = 'canceled'
		GROUP BY order_id HAVING count(*) > 1) AS x" | paste -sd ' '
}

canceled() # TABLE
{
	on 0 -c "SELECT id FROM $1 WHERE status = 'canceled' ORDER BY id"
}
