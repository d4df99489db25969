#!/usr/bin/env bash
# One shop on three clusters, with what Debian ships: a router, and two shards
# that have the orders. Calls are rows that postgres_fdw brings; doc/shards.md
# shows the parts. PL/Proxy, where it is installed, calls the functions.
set -u
. "$(dirname "$0")/lib/tap.sh"

export PGPORT=5432 PGUSER=postgres
at() # CLUSTER [ARGUMENT OF psql...]
{
	PGHOST=$work/$1 sql shop "${@:2}"
}

# What psql says, errors with SQLSTATE, DETAIL and HINT.
said_by() # CLUSTER STATEMENT...
{
	PGHOST=$work/$1 psql -XqAt -v VERBOSITY=verbose -v SHOW_CONTEXT=never -d shop "${@:2}" 2>&1 |
		grep -v '^LOCATION:'
}

# All three at once.
for name in router shard_0 shard_1; do
	mkdir -m 700 "$work/$name"
	before_exit "stop_cluster '$work/$name'"
	(own_cluster "$work/$name" && createdb shop) >"$work/$name.out" 2>&1 &
done
wait
at router -c SELECT && at shard_0 -c SELECT && at shard_1 -c SELECT
ok 'three clusters' || done_testing

# ------------------------------------------------------------------- the shards

cat >"$work/setup.sql" <<-'SQL'
	SELECT ordcancel.attach('shop.orders', 'status', placed_at => 'placed_at', refund_due => 'paid');
	SELECT ordcancel.set_policy('shop.orders', requested_status => 'asked', in_progress_status => 'refunding',
	                            canceled_status => 'canceled'),
	       ordcancel.set_rule('shop.orders', 'placed', customer => 'request', merchant => 'cancel'),
	       ordcancel.set_rule('shop.orders', 'shipped', hint => 'Process it as a return.');
	SELECT ordcancel.make_call_table('shop.orders');
SQL
for n in 0 1; do
	at shard_$n -v node=$((n + 1)) -f - -f "$work/setup.sql" >"$work/shard_$n.out" <<-'SQL'
		ALTER DATABASE shop SET ordcancel.node_id = :node;
		CREATE EXTENSION ordcancel;
		CREATE SCHEMA shop;
		CREATE TABLE shop.orders (id bigint PRIMARY KEY, status text NOT NULL, placed_at timestamptz, paid numeric);
		CREATE ROLE clerk LOGIN;
		SELECT ordcancel.grant_merchant('clerk'), ordcancel.grant_customer('clerk');
		GRANT USAGE ON SCHEMA shop TO clerk;
	SQL
	# The digest of the setup.
	at shard_$n >>"$work/shard_$n.out" <<-'SQL'
		GRANT SELECT, INSERT, UPDATE ON shop.orders TO clerk;
		GRANT SELECT, INSERT ON shop.orders_call TO clerk;
		CREATE VIEW shop.setup AS SELECT ordcancel.setup_digest('shop.orders') AS digest;
		GRANT SELECT ON shop.setup TO clerk;
		GRANT EXECUTE ON FUNCTION ordcancel.setup_digest(regclass) TO clerk;
	SQL
done
is "$(for n in 0 1; do at shard_$n -c "SELECT to_regclass('shop.setup') IS NOT NULL"; done)" $'t\nt' \
	'two shards with their orders and rules' || done_testing

# ------------------------------------------------------------------- the router

at router -v host_0="$work/shard_0" -v host_1="$work/shard_1" <<-'SQL'
	CREATE EXTENSION postgres_fdw;
	CREATE SERVER shard_0 FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host :'host_0', dbname 'shop');
	CREATE SERVER shard_1 FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host :'host_1', dbname 'shop');
	CREATE USER MAPPING FOR PUBLIC SERVER shard_0 OPTIONS (user 'clerk', password_required 'false');
	CREATE USER MAPPING FOR PUBLIC SERVER shard_1 OPTIONS (user 'clerk', password_required 'false');
	CREATE SCHEMA shop;
	CREATE SCHEMA shard_0;
	CREATE SCHEMA shard_1;
	CREATE TABLE shop.orders (id bigint NOT NULL, status text NOT NULL, placed_at timestamptz, paid numeric)
	    PARTITION BY HASH (id);
	CREATE FOREIGN TABLE shop.orders_0 PARTITION OF shop.orders FOR VALUES WITH (MODULUS 2, REMAINDER 0)
	    SERVER shard_0 OPTIONS (table_name 'orders');
	CREATE FOREIGN TABLE shop.orders_1 PARTITION OF shop.orders FOR VALUES WITH (MODULUS 2, REMAINDER 1)
	    SERVER shard_1 OPTIONS (table_name 'orders');

	IMPORT FOREIGN SCHEMA shop LIMIT TO (orders_call, setup) FROM SERVER shard_0 INTO shard_0
	    OPTIONS (import_not_null 'false');
	IMPORT FOREIGN SCHEMA shop LIMIT TO (orders_call, setup) FROM SERVER shard_1 INTO shard_1
	    OPTIONS (import_not_null 'false');
	CREATE TABLE shop.orders_call (LIKE shard_0.orders_call) PARTITION BY HASH (order_id);
	ALTER TABLE shop.orders_call ATTACH PARTITION shard_0.orders_call FOR VALUES WITH (MODULUS 2, REMAINDER 0);
	ALTER TABLE shop.orders_call ATTACH PARTITION shard_1.orders_call FOR VALUES WITH (MODULUS 2, REMAINDER 1);

	IMPORT FOREIGN SCHEMA ordcancel LIMIT TO (cancellations, pending_requests, refunds_due, reason_summary)
	    FROM SERVER shard_0 INTO shard_0;
	IMPORT FOREIGN SCHEMA ordcancel LIMIT TO (cancellations, pending_requests, refunds_due, reason_summary)
	    FROM SERVER shard_1 INTO shard_1;
	CREATE VIEW shop.cancellations AS
	SELECT 0 AS shard, * FROM shard_0.cancellations UNION ALL SELECT 1, * FROM shard_1.cancellations;
	CREATE VIEW shop.reason_summary AS
	SELECT 0 AS shard, * FROM shard_0.reason_summary UNION ALL SELECT 1, * FROM shard_1.reason_summary;
	CREATE VIEW shop.setup AS SELECT 0 AS shard, * FROM shard_0.setup UNION ALL SELECT 1, * FROM shard_1.setup;
SQL
ok 'a router, with foreign tables as partitions' || done_testing
at router -c "INSERT INTO shop.orders SELECT n, CASE WHEN n % 10 = 0 THEN 'shipped' ELSE 'placed' END, now(),
	CASE WHEN n % 7 = 0 THEN 20 END FROM generate_series(1, 60) AS n"
on_0=$(at shard_0 -c 'SELECT count(*) FROM shop.orders')
on_1=$(at shard_1 -c 'SELECT count(*) FROM shop.orders')
[ "$on_0" -gt 10 ] && [ "$on_1" -gt 10 ] && [ $((on_0 + on_1)) = 60 ]
ok "orders are on both: $on_0 and $on_1" || done_testing
# Orders of each shard that can be canceled.
read -r a0 b0 c0 d0 <<<"$(at shard_0 -c "SELECT string_agg(id::text, ' ' ORDER BY id) FROM shop.orders
	WHERE status = 'placed' AND paid IS NULL")"
d0=${d0%% *}
read -r a1 b1 c1 d1 <<<"$(at shard_1 -c "SELECT string_agg(id::text, ' ' ORDER BY id) FROM shop.orders
	WHERE status = 'placed' AND paid IS NULL")"
d1=${d1%% *}
shipped_0=$(at shard_0 -c "SELECT min(id) FROM shop.orders WHERE status = 'shipped'")
shipped_1=$(at shard_1 -c "SELECT min(id) FROM shop.orders WHERE status = 'shipped'")

status() # ID...
{
	local IFS=,

	at router -c "SELECT string_agg(status, ' ' ORDER BY id) FROM shop.orders WHERE id IN ($*)"
}

# ------------------------------------------------------------------------ calls

is "$(at router -c "INSERT INTO shop.orders_call (order_id, verb, reason, actor)
	VALUES ($a0, 'cancel_order', 'fraud', 'anna')
	RETURNING state, order_status, changed, cancellation_id >> 43, call_id")" 'canceled|canceled|t|1|1' \
	'a call reaches the shard of its order, and its answer the router'
is "$(at shard_0 -c "SELECT reason, requested_actor FROM shop.orders_cancellation")" 'fraud|anna' 'it is recorded there'
is "$(at router -c "INSERT INTO shop.orders_call (order_id, verb) VALUES ($a1, 'request_cancel'), ($b1, 'cancel_order'),
	($b0, 'request_cancel') RETURNING order_id, state")" "$a1|requested
$b1|canceled
$b0|requested" 'calls of one statement go to both'
is "$(at router -c "INSERT INTO shop.orders_call (order_id, verb, note) VALUES ($a1, 'deny_cancel', 'on its way')
	RETURNING state")" denied 'and the decision'
is "$(said_by router -c "INSERT INTO shop.orders_call (order_id, verb) VALUES ($shipped_0, 'cancel_order')")" \
	"$(said_by shard_0 -c "SELECT ordcancel.cancel_order('shop.orders', $shipped_0)")" \
	'a refusal comes with SQLSTATE, DETAIL and HINT'
like "$(said_by router -c "INSERT INTO shop.orders_call (order_id, verb) VALUES ($shipped_0, 'cancel_order')")" \
	'ERROR:  OC003: .*DETAIL:  .*HINT:  Process it as a return\.' 'as of a call at the shard'
is "$(at router -c "INSERT INTO shop.orders_call (order_id, verb, on_error)
	SELECT id, 'cancel_order', 'skip' FROM unnest('{$shipped_0,$shipped_1,$c1}'::bigint[]) AS id
	RETURNING order_id, coalesce(sqlstate, state), hint")" "$shipped_0|OC003|Process it as a return.
$shipped_1|OC003|Process it as a return.
$c1|canceled|" 'or is the answer, and the others go on'
is "$(said_by router -c "INSERT INTO shop.orders_call (order_id, verb, refund) VALUES ($c0, 'deny_cancel', 1)" |
	head -n 1)" 'ERROR:  22023: verb deny_cancel does not take refund' 'wrong arguments are errors'
is "$(said_by router -c BEGIN -c "INSERT INTO shop.orders_call (order_id, verb) VALUES ($c0, 'cancel_order'),
	($d1, 'cancel_order') RETURNING state" -c ROLLBACK; status "$c0" "$d1")" $'canceled\ncanceled\nplaced placed' \
	'ROLLBACK at the router undoes the calls of both shards'
is "$(at router -c "UPDATE shop.orders SET status = 'canceled' WHERE id = $c0 RETURNING status"
	said_by router -c "UPDATE shop.orders SET status = 'canceled' WHERE id = $shipped_1" | head -n 1)" \
	"canceled
ERROR:  23514: status of order $shipped_1 of shop.orders cannot change from \"shipped\" to \"canceled\"" \
	'plain updates are under the rules as well'

# A transaction of postgres_fdw is REPEATABLE READ at the shard.
read -r f0 g0 <<<"$(at shard_0 -c "SELECT string_agg(id::text, ' ' ORDER BY id DESC) FROM shop.orders
	WHERE status = 'placed' AND paid IS NOT NULL")"
g0=${g0%% *}
call="INSERT INTO shop.orders_call (order_id, verb, actor) VALUES"
is "$(said_by router -c BEGIN -c "$call ($f0, 'cancel_order', 'a')" \
	-c "\\! PGHOST=$work/shard_0 psql -Xqd shop -c \"UPDATE shop.orders SET paid = 1 WHERE id = $g0\"" \
	-c "$call ($g0, 'cancel_order', 'b')" -c ROLLBACK | head -n 1)" \
	'ERROR:  40001: could not serialize access due to concurrent update' \
	'an order that has changed since the transaction began is a case for a retry'

# ----------------------------------------------------------------------- arrays

# An array for each shard, of its orders.
is "$(at router -v ids="{$d0,$d1,$shipped_0}" <<-'SQL'
	INSERT INTO shop.orders_call (order_id, verb, order_ids, reason)
	SELECT min(id), 'cancel_orders', array_agg(id), 'out_of_stock'
	FROM unnest(:'ids'::bigint[]) AS id
	    JOIN generate_series(0, 1) AS shard ON satisfies_hash_partition('shop.orders_call'::regclass, 2, shard, id)
	GROUP BY shard
	RETURNING (SELECT string_agg(r->>'outcome', ' ' ORDER BY r->>'outcome') FROM jsonb_array_elements(results) AS r);
SQL
)" $'canceled refused\ncanceled' 'an array for each shard, with its rows as JSON'

# ---------------------------------------------------------------------- reports

is "$(at router -c 'SELECT count(*), count(DISTINCT cancellation_id), count(DISTINCT shard) FROM shop.cancellations')" \
	"$(($(at shard_0 -c 'SELECT count(*) FROM ordcancel.cancellations') +
		$(at shard_1 -c 'SELECT count(*) FROM ordcancel.cancellations')))|$(
		at router -c 'SELECT count(*) FROM shop.cancellations')|2" 'a report of all shards, whose ids differ'
is "$(at router -c "SELECT sum(canceled) FROM shop.reason_summary WHERE reason = 'out_of_stock'")" 2 'sums of all'

# ----------------------------------------------------------------- rules of all

is "$(at router -c 'SELECT count(*), count(DISTINCT digest) FROM shop.setup')" '2|1' 'both shards have the same setup'
cat >"$work/change.sql" <<-'SQL'
	SELECT ordcancel.set_rule('shop.orders', 'packed', merchant => 'cancel');
SQL
at shard_0 -f "$work/change.sql" >/dev/null
is "$(at router -c 'SELECT count(*), count(DISTINCT digest) FROM shop.setup')" '2|2' 'a shard that lags is noticed'
at shard_1 -f "$work/change.sql" >/dev/null
is "$(at router -c 'SELECT count(*), count(DISTINCT digest) FROM shop.setup')" '2|1' 'and one that has caught up'

# --------------------------------------------------------------------- PL/Proxy

if [ "$(at router -c "SELECT count(*) FROM pg_available_extensions WHERE name = 'plproxy'")" = 1 ]; then
	at router -v p0="host=$work/shard_0 dbname=shop" -v p1="host=$work/shard_1 dbname=shop" <<-'SQL'
		CREATE EXTENSION plproxy;
		CREATE SERVER shards FOREIGN DATA WRAPPER plproxy OPTIONS (p0 :'p0', p1 :'p1');
		CREATE USER MAPPING FOR PUBLIC SERVER shards OPTIONS (user 'clerk');
		CREATE FUNCTION shop.shard_of(id bigint) RETURNS integer LANGUAGE sql STABLE AS $$
		SELECT CASE WHEN satisfies_hash_partition('shop.orders'::regclass, 2, 0, id) THEN 0 ELSE 1 END
		$$;
		CREATE FUNCTION shop.cancel_order(id bigint, reason text DEFAULT NULL, note text DEFAULT NULL,
		                                  actor text DEFAULT NULL, OUT state text, OUT order_status text,
		                                  OUT changed boolean)
		LANGUAGE plproxy AS $$
		    CLUSTER 'shards';
		    RUN ON shop.shard_of(id);
		    SELECT state, order_status, changed FROM ordcancel.cancel_order('shop.orders', id, reason, note, actor);
		$$;
		CREATE FUNCTION shop.cancel_orders(ids bigint[], reason text DEFAULT NULL,
		                                   OUT order_id text, OUT outcome text, OUT sqlstate text, OUT message text)
		RETURNS SETOF record LANGUAGE plproxy AS $$
		    CLUSTER 'shards';
		    SPLIT ids;
		    RUN ON shop.shard_of(ids);
		    SELECT order_id, outcome, sqlstate, message FROM ordcancel.cancel_orders('shop.orders', ids, reason);
		$$;
		CREATE FUNCTION shop.digests(OUT digest text) RETURNS SETOF text LANGUAGE plproxy AS $$
		    CLUSTER 'shards';
		    RUN ON ALL;
		    SELECT digest FROM shop.setup;
		$$;
	SQL
	ok 'functions of PL/Proxy'
	h0=$(at shard_0 -c "SELECT min(id) FROM shop.orders WHERE status = 'placed' AND paid IS NOT NULL")
	h1=$(at shard_1 -c "SELECT min(id) FROM shop.orders WHERE status = 'placed' AND paid IS NOT NULL")
	is "$(at router -c "SELECT state, order_status, changed FROM shop.cancel_order($h0, 'fraud')")" \
		'in_progress|refunding|t' 'a call reaches the shard of its order'
	is "$(at router -c "SELECT order_id, outcome, sqlstate FROM shop.cancel_orders('{$h0,$h1,$shipped_1}')
		ORDER BY outcome")" "$h0|already|
$h1|in_progress|
$shipped_1|refused|OC003" 'an array is split'
	refusal=$(said_by router -c "SELECT shop.cancel_order($shipped_1)")
	like "$refusal" 'OC003' 'a refusal has its SQLSTATE'
	like "$refusal" 'HINT:  Remote hint: Process it as a return\.' 'and its hint'
	is "$(at router -c 'SELECT count(*), count(DISTINCT d) FROM shop.digests() AS d')" '2|1' 'one answer of each shard'
else
	true
	ok 'PL/Proxy # SKIP it is not installed (package postgresql-NN-plproxy)'
fi

# -------------------------------------------------------------- a shard is down

e0=$(at shard_0 -c "SELECT max(id) FROM shop.orders WHERE status = 'placed'")
e1=$(at shard_1 -c "SELECT max(id) FROM shop.orders WHERE status = 'placed'")
pg_ctl -s -D "$work/shard_1/data" -m immediate stop
like "$(said_by router -c "INSERT INTO shop.orders_call (order_id, verb) VALUES ($e1, 'cancel_order')")" \
	'ERROR:  08001: could not connect to server "shard_1"' 'a shard that is down: a clear error'
is "$(at router -c "INSERT INTO shop.orders_call (order_id, verb) VALUES ($e0, 'request_cancel') RETURNING state")" \
	requested 'orders of the other one go on'
like "$(said_by router -c 'SELECT count(*) FROM shop.cancellations')" 'ERROR:  08001: ' 'a report of all needs all'
is "$(at router -c 'SELECT count(*) > 0 FROM shard_0.cancellations')" t 'that of the other one does not'
pg_ctl -s -w -D "$work/shard_1/data" -l "$work/shard_1/server.log" start
is "$(at router -c "INSERT INTO shop.orders_call (order_id, verb) VALUES ($e1, 'request_cancel') RETURNING state")" \
	requested 'it is up again, and goes on'
done_testing
