#!/usr/bin/env bash
# Deadlines: sweep() called by hand and by pg_cron. Each overdue request is
# decided as its policy says, once, in a transaction of its own, and nothing
# that goes wrong with one order keeps the others waiting.
set -u
. "$(dirname "$0")/lib/tap.sh"
. "$here/lib/session.sh"

db=t_sweep
cron_jobs=0

# Its deadline is a day later, and long over by the real clock.
ask() # ID...
{
	local id

	for id; do
		echo "SET ordcancel.clock = '2024-01-01 00:00:00.000001+00';"
		echo "SELECT ordcancel.request_cancel('shop.orders', $id) \\g /dev/null"
	done | sql $db
}

# Prints what psql says of it: warnings and errors.
sweep() # [STATEMENT BEFORE...]
{
	sql $db "$@" -c 'CALL ordcancel.sweep()' 2>&1
}

# The states of the last cancellations of these orders.
states() # ID...
{
	local IFS=,

	sql $db -c "SELECT string_agg(state, ' ' ORDER BY order_id)
		FROM (SELECT DISTINCT ON (order_id) order_id, state FROM shop.orders_cancellation
		      ORDER BY order_id, cancellation_id DESC) AS c
		WHERE order_id IN ($*)"
}


make_shop() # DATABASE
{
	createdb "$1" && sql "$1" <<-'SQL'
		CREATE EXTENSION ordcancel;
		CREATE SCHEMA shop;
		CREATE TABLE shop.broken (id integer PRIMARY KEY, status text); -- its turn is before the orders'
		CREATE TABLE shop.orders (id integer PRIMARY KEY, status text NOT NULL DEFAULT 'placed', seller text,
		                          paid numeric, flagged boolean NOT NULL DEFAULT false);
		INSERT INTO shop.orders (id) SELECT generate_series(1, 6000);
		SELECT ordcancel.attach('shop.orders', 'status', policy_by => 'seller', refund_due => 'paid') \g /dev/null
		SELECT ordcancel.set_policy('shop.orders', p, requested_status => 'asked', canceled_status => 'canceled',
		                            decision_timeout => '1 day', on_timeout => t),
		       ordcancel.set_rule('shop.orders', 'placed', customer => 'request', merchant => 'cancel', policy => p)
		FROM (VALUES ('default', 'deny'), ('eager', 'accept')) AS v (p, t) \g /dev/null
		SELECT ordcancel.add_block('shop.orders', 'flagged', 'flagged') \g /dev/null
	SQL
}

# pg_cron's newer versions know seconds.
make_job() # HOW
{
	make_shop t_cron && sql t_cron <<-'SQL' && cron_jobs=$((cron_jobs + 1))
		SET ordcancel.clock = '2024-01-01 00:00+00';
		SELECT ordcancel.request_cancel('shop.orders', id) FROM generate_series(1, 3) AS id \g /dev/null
		CREATE EXTENSION pg_cron;
		SELECT regexp_match(extversion, '^(\d+)\.(\d+)')::int[] >= '{1,5}' AS seconds
		FROM pg_extension WHERE extname = 'pg_cron' \gset
		\if :seconds
			SELECT cron.schedule('ordcancel', '2 seconds', 'CALL ordcancel.sweep()') \g /dev/null
		\else
			SELECT cron.schedule('ordcancel', '* * * * *', 'CALL ordcancel.sweep()') \g /dev/null
		\endif
	SQL
	ok "pg_cron has a job ($1)"
}

cron_swept() # HOW
{
	until_true t_cron 'EXISTS (SELECT FROM cron.job_run_details WHERE end_time IS NOT NULL)'
	is "$(sql t_cron -c 'SELECT DISTINCT status FROM cron.job_run_details WHERE end_time IS NOT NULL')" succeeded \
		"pg_cron has called it ($1)"
	is "$(sql t_cron -c "SELECT count(*), count(DISTINCT xid), min(at) > now() - interval '10 minutes'
			FROM ordcancel.event
		WHERE type = 'denied' AND source = 'sweep' AND party = 'system'")" '3|3|t' \
		"each request was denied, in a transaction of its own ($1)"
}

# The jobs come first: a minute passes until they run. One cluster's connect
# as clients do, which is what pg_cron does by default, the other's are workers.
if [ -e "$(pg_config --pkglibdir)/pg_cron.so" ]; then
	mkdir "$work/workers"
	own_cluster "$work/workers" "shared_preload_libraries = 'pg_cron'" "cron.database_name = 't_cron'" \
		'cron.use_background_workers = on' 'max_worker_processes = 20'
	ok 'a cluster with pg_cron' && make_job workers
	own_cluster "$work" "shared_preload_libraries = 'pg_cron'" "cron.database_name = 't_cron'" "cron.host = '$work'"
	ok 'and another' && make_job clients
else
	own_cluster "$work"
	ok 'a cluster'
fi
make_shop $db
ok 'orders' || done_testing

# --------------------------------------------------------------- when, and what

is "$(sweep)" '' 'nothing is overdue: nothing is said'
is "$(sql $db -c 'SELECT count(*) FROM ordcancel.event')" 0 'nor done'
sql $db -c "UPDATE shop.orders SET seller = 'eager' WHERE id IN (2, 3)" \
	-c 'UPDATE shop.orders SET paid = 10 WHERE id = 3'
ask 1 2 3
is "$(sql $db -c 'SELECT DISTINCT deadline = $$2024-01-02 00:00:00.000001+00$$ FROM shop.orders_cancellation')" t \
	'the deadlines'
is "$(sweep -c "SET ordcancel.clock = '2024-01-02 00:00:00+00'")" '' 'a microsecond before them'
is "$(states 1 2 3)" 'requested requested requested' 'nothing is decided'
is "$(sweep -c "SET ordcancel.clock = '2024-01-02 00:00:00.000001+00'")" '' 'exactly at them'
is "$(states 1 2 3)" 'denied canceled in_progress' 'each is decided as its policy says'
is "$(sql $db -c 'SELECT string_agg(status, $$ $$ ORDER BY id) FROM shop.orders WHERE id < 4')" \
	'placed canceled asked' \
	'and the orders have their statuses'
is "$(sql $db -c 'SELECT DISTINCT decided_by, decided_actor, decided_at = deadline FROM shop.orders_cancellation')" \
	'system|sweep|t' 'the records say who it was'
is "$(sql $db -c "SELECT order_id, type, party, actor, source, from_status, to_status
		FROM shop.orders_cancellation_event
	WHERE type <> 'requested' ORDER BY order_id")" \
	$'1|denied|system|sweep|sweep|asked|placed\n2|canceled|system|sweep|sweep|asked|canceled\n'\
$'3|accepted|system|sweep|sweep|asked|asked' \
	'and the events'
is "$(sweep)" '' 'once more'
is "$(sql $db -c 'SELECT count(*) FROM ordcancel.event')" 6 'it finds nothing to do'
ask 4 5
sql $db -c "SELECT ordcancel.withdraw_cancel('shop.orders', 4)" \
	-c "SELECT ordcancel.accept_cancel('shop.orders', 5)" >/dev/null
sweep
is "$(states 4 5)" 'withdrawn canceled' 'what was decided in time stays so'

# ------------------------------------------------------------- whose trouble it is

sql $db <<-'SQL'
	CREATE FUNCTION shop.trouble() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
	    IF NEW.id = 12 AND NEW.status = 'placed' THEN
	        RAISE 'not this one';
	    ELSIF NEW.id = 31 AND NEW.status = 'placed' THEN
	        PERFORM pg_advisory_xact_lock(31);
	    END IF;
	    RETURN NULL;
	END
	$$;
	CREATE TRIGGER trouble AFTER UPDATE ON shop.orders FOR EACH ROW EXECUTE FUNCTION shop.trouble();
SQL
ask 11 12 13
said=$(sweep)
like "$said" 'WARNING:  could not decide overdue request of order 12 of shop.orders: not this one' \
	'an order whose trigger raises is a warning'
is "$(grep -cE 'WARNING|ERROR' <<<"$said")" 1 'one, and no error'
is "$(states 11 12 13)" 'denied requested denied' 'the others are decided'
sql $db -c 'ALTER TABLE shop.orders DISABLE TRIGGER trouble'
is "$(sweep)$(states 12)" denied 'and so is it, when nothing raises any more'
sql $db -c 'ALTER TABLE shop.orders ENABLE TRIGGER trouble'

sql $db -c "UPDATE shop.orders SET seller = 'eager' WHERE id BETWEEN 14 AND 16"
ask 14 15 16
sql $db -c 'UPDATE shop.orders SET flagged = true WHERE id = 15'
like "$(sweep)" 'WARNING:  [^W]*blocked' 'a blocked order is a warning'
is "$(states 14 15 16)" 'canceled requested canceled' 'and stays as it is'
sql $db -c 'UPDATE shop.orders SET flagged = false WHERE id = 15'
is "$(sweep)$(states 15)" canceled 'until the block is gone'

ask 17 18 19
hold $db 'SELECT FROM shop.orders WHERE id = 18 FOR UPDATE'
ok 'an order is locked'
is "$(sweep -c "SET statement_timeout = '20s'")" '' 'nobody waits for it'
is "$(states 17 18 19)" 'denied requested denied' 'the others are decided'
release
is "$(sweep)$(states 18)" denied 'and it the next time'

# Neither a table that is broken nor an error at the commit is the others' trouble.
ask 21 22 23
sql $db <<-'SQL'
	INSERT INTO shop.broken VALUES (1, 'placed');
	SELECT ordcancel.attach('shop.broken', 'status'),
	       ordcancel.set_policy('shop.broken', canceled_status => 'canceled', decision_timeout => '0',
	                            on_timeout => 'accept'),
	       ordcancel.set_rule('shop.broken', 'placed', customer => 'request'),
	       ordcancel.request_cancel('shop.broken', 1) \g /dev/null
	ALTER TABLE shop.broken RENAME status TO state;
SQL
like "$(sweep)" 'WARNING:  could not decide overdue requests of shop.broken: .*no longer has column "status"' \
	'a table that is broken is a warning'
is "$(states 21 22 23)" 'denied denied denied' 'the orders of others are decided'
sql $db -c "SELECT ordcancel.detach('shop.broken')" >/dev/null

ask 21 22 23
sql $db <<-'SQL'
	CREATE FUNCTION shop.raise() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'too late'; END $$;
	CREATE CONSTRAINT TRIGGER late AFTER UPDATE ON shop.orders DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
	    WHEN (NEW.id = 21) EXECUTE FUNCTION shop.raise();
SQL
like "$(sweep)" 'WARNING:  .*too late' 'an error at the commit is a warning'
is "$(states 21 22 23)" 'requested denied denied' 'the others are decided'
sql $db -c 'DROP TRIGGER late ON shop.orders'
is "$(sweep)$(states 21)" denied 'and so is it, when nothing raises any more'

# A key that its own type does not take any more.
sql $db <<-'SQL'
	CREATE TABLE shop.armed (x integer);
	CREATE FUNCTION shop.check_code(text) RETURNS boolean LANGUAGE plpgsql AS $$
	BEGIN
	    IF $1 = 'a1' THEN
	        PERFORM 1 / x FROM shop.armed;
	    END IF;
	    RETURN true;
	END
	$$;
	CREATE DOMAIN shop.code AS text CHECK (shop.check_code(VALUE));
	CREATE TABLE shop.coded (id shop.code PRIMARY KEY, status text);
	CREATE TABLE shop.later (id integer PRIMARY KEY, status text);
	INSERT INTO shop.coded VALUES ('a1', 'placed'), ('b2', 'placed');
	INSERT INTO shop.later VALUES (1, 'placed');
	SELECT ordcancel.attach(t, 'status'),
	       ordcancel.set_policy(t, canceled_status => 'canceled', decision_timeout => '0', on_timeout => 'accept'),
	       ordcancel.set_rule(t, 'placed', customer => 'request')
	FROM unnest('{shop.coded,shop.later}'::regclass[]) AS t \g /dev/null
	SELECT ordcancel.request_cancel('shop.coded', 'a1'), ordcancel.request_cancel('shop.coded', 'b2'),
	       ordcancel.request_cancel('shop.later', 1) \g /dev/null
	INSERT INTO shop.armed VALUES (0);
SQL
said=$(sweep)
like "$said" 'WARNING:  could not decide overdue request of order a1 of shop.coded: .*division by zero' \
	'an order whose key cannot be read is a warning'
is "$(grep -cE 'WARNING|ERROR' <<<"$said")" 1 'one, and no error'
is "$(sql $db -c 'SELECT order_key, state FROM ordcancel.cancellation
		WHERE policy = $$default$$ AND deadline = requested_at ORDER BY 1, 2')" \
	$'1|canceled\na1|requested\nb2|canceled' 'the other orders and the next table are decided'
sql $db -c 'DELETE FROM shop.armed'
is "$(sweep)$(sql $db -c "SELECT state FROM shop.coded_cancellation WHERE order_key = 'a1'")" canceled \
	'and so is it, when it can be read again'

# An order that is gone with its partition: nobody else could end its request.
sql $db <<-'SQL'
	CREATE TABLE shop.parted (id integer PRIMARY KEY, status text) PARTITION BY RANGE (id);
	CREATE TABLE shop.parted_1 PARTITION OF shop.parted FOR VALUES FROM (0) TO (100);
	CREATE TABLE shop.parted_2 PARTITION OF shop.parted FOR VALUES FROM (100) TO (200);
	CREATE TABLE shop.parted_3 PARTITION OF shop.parted FOR VALUES FROM (200) TO (300);
	INSERT INTO shop.parted SELECT n, 'placed' FROM unnest('{1,2,101,201}'::integer[]) AS n;
	SELECT ordcancel.attach('shop.parted', 'status'),
	       ordcancel.set_policy('shop.parted', requested_status => 'asked', canceled_status => 'canceled',
	                            decision_timeout => '1 day', on_timeout => 'accept'),
	       ordcancel.set_rule('shop.parted', 'placed', customer => 'request', merchant => 'cancel') \g /dev/null
	SET ordcancel.clock = '2024-01-01 00:00+00';
	SELECT ordcancel.request_cancel('shop.parted', id) FROM unnest('{1,101,201}'::integer[]) AS id \g /dev/null
	RESET ordcancel.clock;
	SELECT ordcancel.request_cancel('shop.parted', 2) \g /dev/null
	ALTER TABLE shop.parted DETACH PARTITION shop.parted_1;
	DROP TABLE shop.parted_2;
SQL
like "$(sql $db -c "SELECT ordcancel.withdraw_cancel('shop.parted', 1)" 2>&1)" 'order 1 of shop.parted not found' \
	'nobody can withdraw the request of an order that is gone'
hold $db 'SELECT FROM shop.parted WHERE id = 201 FOR UPDATE'
is "$(sweep)$(sweep)" '' 'two sweeps find it'
release
is "$(sql $db -c 'SELECT order_id, overdue FROM ordcancel.pending_requests WHERE orders = $$shop.parted$$::regclass
		ORDER BY order_id::integer')" \
	$'2|f\n201|t' 'it is pending no longer; but one that is only locked is, and one whose time has not come'
is "$(sql $db -c "SELECT c.order_id, c.state, c.decided_by, c.order_status, e.type, e.from_status, e.to_status, e.party,
		e.source, e.data
	FROM shop.parted_cancellation AS c JOIN shop.parted_cancellation_event AS e USING (cancellation_id)
	WHERE c.state <> 'requested' AND e.type <> 'requested' ORDER BY 1")" \
	$'1|denied|system|asked|denied|asked|asked|system|sweep|{"implicit": true, "order_gone": true}
101|denied|system|asked|denied|asked|asked|system|sweep|{"implicit": true, "order_gone": true}' \
	'it was denied, once, and the event says why'
is "$(sweep)$(sql $db -c 'SELECT state FROM shop.parted_cancellation WHERE order_id = 201')" canceled \
	'the locked one is decided the next time'
is "$(sql $db -c 'SELECT status FROM shop.parted_1 WHERE id = 1')" asked \
	'the row in the detached partition is not touched'

# ----------------------------------------------------------- one after the other

# What is locked of other tables while an order of one is decided.
sql $db <<-'SQL'
	CREATE TABLE shop.seen (locked text);
	CREATE FUNCTION shop.look() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
	    INSERT INTO shop.seen
	    SELECT string_agg(DISTINCT c.relname, ' ' ORDER BY c.relname) FROM pg_locks AS l
	        JOIN pg_class AS c ON c.oid = l.relation
	    WHERE l.pid = pg_backend_pid() AND c.relkind IN ('r', 'p') AND c.relnamespace = 'shop'::regnamespace;
	    RETURN NULL;
	END
	$$;
	CREATE TRIGGER look AFTER UPDATE ON shop.later FOR EACH ROW EXECUTE FUNCTION shop.look();
	INSERT INTO shop.later VALUES (2, 'placed');
	SELECT ordcancel.request_cancel('shop.later', 2) \g /dev/null
SQL
ask 24
is "$(sweep)$(sql $db -c 'SELECT status FROM shop.later WHERE id = 2')" canceled \
	'an order in one of the tables that come later'
is "$(sql $db -c 'TABLE shop.seen')" 'later later_cancellation later_cancellation_event seen' \
	'nothing of the tables before is locked any more, whether they had overdue requests or not'
sql $db -c 'DROP TRIGGER look ON shop.later'

ask 30 31 32
hold $db 'SELECT pg_advisory_xact_lock(31)'
sweep >"$work/swept" &
sweeper=$!
until_lock_waits $db advisory
ok 'a sweep is held up at the second of three orders'
is "$(states 30 31 32)" 'denied requested requested' 'others see the first decided already'
is "$(sql $db -c "SET statement_timeout = '5s'" -c "UPDATE shop.orders SET seller = 'x' WHERE id IN (30, 32)" 2>&1)" \
	'' \
	'no lock is held on it, nor on the third'
sql $db -c "SELECT pg_cancel_backend($waiting)" >/dev/null
wait $sweeper
like "$(cat "$work/swept")" 'ERROR:  canceling statement due to user request' 'when it is canceled it stops'
is "$(grep -c WARNING "$work/swept")" 0 'that is not taken for the order'\''s trouble'
is "$(states 30 31 32)" 'denied requested requested' 'what it had decided is decided'

sweep >"$work/swept" &
sweeper=$!
until_lock_waits $db advisory
ok 'again'
sql $db -c "SELECT pg_terminate_backend($waiting)" >/dev/null
wait $sweeper
like "$(cat "$work/swept")" 'terminating connection due to administrator command' 'when it is terminated it stops'
like "$(sql $db -c "SET statement_timeout = '300ms'" -c 'CALL ordcancel.sweep()' 2>&1)" \
	'ERROR:  canceling statement due to statement timeout' \
	'so it does when its time is over'
is "$(states 30 31)" 'denied requested' 'the second is as it was'
release
is "$(sweep)$(states 30 31 32)" 'denied denied denied' 'the next one goes on from there'

ask 33 34
is "$(sql $db -c 'BEGIN' -c 'CALL ordcancel.sweep()' \
	-c 'SELECT count(*) FROM ordcancel.event WHERE xid = pg_current_xact_id()::text::bigint' \
	-c 'ROLLBACK' 2>&1)" 2 'in a transaction block it works as well'
is "$(states 33 34)" 'requested requested' 'and goes with it'
is "$(sql $db -c 'BEGIN' -c 'CALL ordcancel.sweep()' -c 'COMMIT' 2>&1)$(states 33 34)" 'denied denied' \
	'or comes with it'
ask 33 34
is "$(sql $db -c "DO 'BEGIN CALL ordcancel.sweep(); END'" 2>&1)$(states 33 34)" 'denied denied' 'or in a DO'
ask 33 34
is "$(sql $db -c "DO 'BEGIN CALL ordcancel.sweep(); EXCEPTION WHEN division_by_zero THEN NULL; END'" 2>&1)$(states 33 \
	34)" \
	'denied denied' 'also where that catches errors'

ask {1001..1400}
pids=()
for i in 1 2 3 4; do
	sweep >"$work/swept.$i" &
	pids+=($!)
done
wait "${pids[@]}"
is "$(cat "$work"/swept.*)" '' 'four sweeps at once'
is "$(sql $db -c "SELECT count(*), count(DISTINCT order_id) FROM shop.orders_cancellation_event
	WHERE order_id > 1000 AND type = 'denied'")" '400|400' 'decide each order once'

# ------------------------------------------------------------------ by whom, at what cost

ask 42
like "$(sql $db -v VERBOSITY=sqlstate -c 'SET default_transaction_read_only = on' -c 'CALL ordcancel.sweep()' 2>&1)" \
	'^ERROR:  25006$' \
	'in a read-only session it is an error'
like "$(sql $db -v VERBOSITY=sqlstate -c 'BEGIN READ ONLY' -c 'CALL ordcancel.sweep()' 2>&1)" '^ERROR:  25006$' \
	'and in a read-only transaction'
is "$(sweep)$(states 42)" denied 'the request waits for another'

sql $db -c 'CREATE ROLE sweeper LOGIN'
ask 41
like "$(sql $db -U sweeper -c 'CALL ordcancel.sweep()' 2>&1)" 'permission denied for procedure sweep' 'not by everybody'
sql $db -c 'GRANT EXECUTE ON PROCEDURE ordcancel.sweep TO sweeper'
is "$(sql $db -U sweeper -c 'CALL ordcancel.sweep()' 2>&1)$(states 41)" denied 'EXECUTE is all that a role needs'
is "$(sql $db -c "SELECT session_role FROM shop.orders_cancellation_event WHERE order_id = 41 AND type = 'denied'")" \
	sweeper \
	'the event tells the role'

# The orders' own trigger looks at what the backend holds meanwhile.
sql $db <<-'SQL'
	CREATE TABLE shop.memory (id serial, bytes bigint);
	CREATE FUNCTION shop.measure() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
	    INSERT INTO shop.memory (bytes) SELECT sum(total_bytes) FROM pg_backend_memory_contexts;
	    RETURN NULL;
	END
	$$;
	DROP TRIGGER trouble ON shop.orders;
	CREATE TRIGGER measure AFTER UPDATE ON shop.orders FOR EACH ROW
	    WHEN (NEW.id % 500 = 0 AND NEW.status = 'placed') EXECUTE FUNCTION shop.measure();
	SET ordcancel.clock = '2024-01-01 00:00+00';
	SELECT count(ordcancel.request_cancel('shop.orders', id)) FROM generate_series(1, 5500) AS id
	WHERE id NOT IN (SELECT order_id FROM shop.orders_cancellation
	                 WHERE state IN ('in_progress', 'canceled')) \g /dev/null
SQL
is "$(sweep)" '' 'more than 5,000 requests'
is "$(sql $db -c "SELECT count(*) FROM shop.orders WHERE status = 'asked'")" 1 \
	'are decided, all but the one that is in progress'
more=$(sql $db -c 'SELECT max(bytes) - min(bytes) FROM shop.memory')
[ "$(sql $db -c 'SELECT count(*) FROM shop.memory')" -ge 10 ] && [ "$more" -lt 1000000 ]
ok "the last of them found $more bytes more in use than the first"

# ----------------------------------------------------------------------- pg_cron

if [ $cron_jobs -eq 2 ]; then
	cron_swept clients
	PGHOST=$work/workers cron_swept workers
else
	echo "ok $((tap_count += 1)) - called by pg_cron # SKIP no pg_cron here"
fi
done_testing
