#!/usr/bin/env bash
# What orders that fail cost: a set of orders is a subtransaction. One that fails
# uses up a transaction id, one that does not is looked up by other sessions.
# There is about one for each order that fails, and few for all the others.
set -u
. "$(dirname "$0")/lib/tap.sh"

db=t_subtransactions
from=1

array() # FROM TO
{
	echo "SELECT FROM ordcancel.cancel_orders('orders', ARRAY(SELECT generate_series($1, $2)))"
}

batch() # FROM TO
{
	echo "CALL ordcancel.cancel_batch('orders', 'id BETWEEN $1 AND $2')"
}

# Cancels the next so many orders, of which a trigger refuses those whose place
# n among them meets the condition. Of the transaction ids that it uses those
# "ids" are beyond one for each order that fails; canceled orders were written
# under so many of them.
cost() # array|batch NUMBER CONDITION MOST-IDS MOST-KEPT
{
	local to=$((from + $2 - 1)) first last

	sql $db -c "UPDATE orders SET bad = (SELECT $3 FROM (SELECT id - $from + 1) AS x (n))
			WHERE id BETWEEN $from AND $to"
	first=$(sql $db -c 'SELECT pg_current_xact_id()')
	sql $db -c "$("$1" "$from" "$to")"
	last=$(sql $db -c 'SELECT pg_current_xact_id()')
	is "$(sql $db -c "SELECT count(*) FROM orders WHERE id BETWEEN $from AND $to AND (status = 'canceled') = bad")" 0 \
		"$1: $2 orders, those fail of which $3"
	read -r ids kept < <(sql $db -F ' ' \
		-c "SELECT $last - $first - 1 - count(*) FILTER (WHERE bad), count(DISTINCT xmin::text) FILTER (WHERE NOT bad)
		FROM orders WHERE id BETWEEN $from AND $to")
	[ "$ids" -le "$4" ] && [ "$kept" -le "$5" ]
	ok "$1: they use $ids transaction ids, and keep $kept" || echo "# at most $4 and $5 are wanted"
	from=$((to + 1))
}

own_cluster "$work" 'autovacuum = off' && createdb $db && sql $db <<-'SQL'
	CREATE EXTENSION ordcancel;
	CREATE TABLE orders (id integer PRIMARY KEY, status text NOT NULL DEFAULT 'placed', bad boolean);
	INSERT INTO orders SELECT generate_series(1, 40000);
	SELECT ordcancel.attach('orders', 'status'), ordcancel.set_policy('orders', canceled_status => 'canceled'),
	       ordcancel.set_rule('orders', 'placed', merchant => 'cancel') \g /dev/null
	CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not this one'; END $$;
	CREATE TRIGGER refuse AFTER UPDATE ON orders FOR EACH ROW WHEN (NEW.bad AND NEW.status = 'canceled')
	    EXECUTE FUNCTION refuse();
SQL
ok 'orders' || done_testing

# Those of the transaction itself and, of a batch, of two more are among them.
for how in array batch; do
	own=1
	[ $how = array ] || own=3
	cost $how 1000 'false' $((own + 1)) 1
	cost $how 1000 'n = 20' $((own + 2)) 1
	cost $how 1000 'n = 500' $((own + 3)) 2
	cost $how 1000 'n IN (300, 600)' $((own + 5)) 3
	cost $how 1000 'n % 2 = 0' $((own + 34)) 32
	cost $how 1000 'n % 50 = 0' $((own + 24)) 21
	cost $how 1000 'n > 10' $((own + 3)) 1
	cost $how 1000 'true' $((own + 2)) 0
done
cost array 5000 'true' 16 0
cost array 5000 'n % 2 = 0' 180 160
done_testing
