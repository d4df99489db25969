#!/usr/bin/env bash
# Orders that expire, in bulk: sweep() cancels them in chunks of 1,000 that it
# commits, whatever goes wrong with one of them, with one table, or halfway.
set -u
. "$(dirname "$0")/lib/tap.sh"
. "$here/lib/session.sh"

db=t_timers

# Prints what psql says of it: warnings and errors.
sweep() # [STATEMENT BEFORE...]
{
	sql $db "$@" -c 'CALL ordcancel.sweep()' 2>&1
}

# Orders 1 to 10,000 have expired; all are placed again.
fill()
{
	sql $db <<-'SQL'
		SET ordcancel.allow_truncate = on;
		TRUNCATE shop.orders;
		INSERT INTO shop.orders (id, placed_at) SELECT n, now() - interval '1 day' FROM generate_series(1, 10000) AS n;
		INSERT INTO shop.orders (id, placed_at) SELECT n, now() FROM generate_series(10001, 10100) AS n;
	SQL
}

count() # CONDITION
{
	sql $db -c "SELECT count(*) FROM shop.orders WHERE $1"
}

own_cluster "$work"
ok 'a cluster'
createdb $db && sql $db <<-'SQL'
	CREATE EXTENSION ordcancel;
	CREATE SCHEMA shop;
	CREATE TABLE shop.orders (id integer PRIMARY KEY, status text NOT NULL DEFAULT 'placed', placed_at timestamptz,
	                          flagged boolean NOT NULL DEFAULT false);
	CREATE INDEX ON shop.orders (status, placed_at);
	SELECT ordcancel.attach('shop.orders', 'status', placed_at => 'placed_at'),
	       ordcancel.set_policy('shop.orders', canceled_status => 'canceled'),
	       ordcancel.set_rule('shop.orders', 'placed', merchant => 'cancel', expire_after => '1 hour',
	                          expire_reason => 'unpaid_expired'),
	       ordcancel.add_block('shop.orders', 'flagged', 'flagged') \g /dev/null
SQL
ok 'orders' || done_testing

# ----------------------------------------------------------------- in bulk
fill
is "$(sweep)" '' '10,000 expired orders'
is "$(count "status = 'canceled' AND id <= 10000") $(count "status = 'placed'")" '10000 100' 'are canceled, no others'
is "$(sql $db -c "SELECT count(*), count(DISTINCT order_id), count(DISTINCT xid), string_agg(DISTINCT reason, ' ')
	FROM shop.orders_cancellation_event")" '10000|10000|10|unpaid_expired' 'once each, in ten transactions'
is "$(sweep)$(sql $db -c 'SELECT count(*) FROM shop.orders_cancellation_event')" 10000 'and not again'

# One transaction, if the caller has one.
fill
is "$(sql $db -c 'BEGIN' -c 'CALL ordcancel.sweep()' -c 'ROLLBACK' 2>&1)$(count "status = 'canceled'")" 0 \
	'in a transaction block it goes with it'
sql $db -c 'BEGIN' -c 'CALL ordcancel.sweep()' -c 'COMMIT'
is "$(sql $db -c 'SELECT count(*), count(DISTINCT xid) > 1 FROM shop.orders_cancellation_event')" '10000|f' \
	'or comes with it'

# -------------------------------------------- whose trouble it is
fill
sql $db <<-'SQL'
	CREATE FUNCTION shop.trouble() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
	    IF NEW.id = 500 THEN
	        RAISE 'not this one';
	    ELSIF NEW.id = 5500 THEN
	        PERFORM pg_advisory_xact_lock(5500);
	    END IF;
	    RETURN NULL;
	END
	$$;
	CREATE TRIGGER trouble AFTER UPDATE ON shop.orders FOR EACH ROW WHEN (NEW.id IN (500, 5500))
	    EXECUTE FUNCTION shop.trouble();
	UPDATE shop.orders SET flagged = true WHERE id BETWEEN 2001 AND 2010;
SQL
hold $db 'SELECT FROM shop.orders WHERE id BETWEEN 3001 AND 3003 FOR UPDATE'
ok 'three orders are locked'
said=$(sweep -c "SET statement_timeout = '100s'")
is "$(grep -cE 'WARNING|ERROR' <<<"$said")" 1 'an order that fails and ten that are blocked: one warning'
like "$said" 'WARNING:  could not cancel 11 expired orders of shop.orders' 'with their number'
like "$said" 'Order 500: not this one' 'that names the first ones'
like "$said" 'And 6 more' 'and counts the others'
is "$(count "status = 'placed' AND id <= 10000")" 14 'all others are canceled; nobody waits for those that are locked'
release
sql $db -c 'ALTER TABLE shop.orders DISABLE TRIGGER trouble' -c 'UPDATE shop.orders SET flagged = false WHERE flagged'
is "$(sweep)$(count "status = 'placed' AND id <= 10000")" 0 'the next sweep cancels them'

# An error at the commit belongs to its order.
fill
sql $db <<-'SQL'
	CREATE FUNCTION shop.raise() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'too late'; END $$;
	CREATE CONSTRAINT TRIGGER late AFTER UPDATE ON shop.orders DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
	    WHEN (NEW.id = 700) EXECUTE FUNCTION shop.raise();
SQL
like "$(sweep)" 'WARNING:  could not cancel expired order 700 of shop.orders: too late' 'a deferred trigger that raises'
is "$(count "status = 'placed' AND id <= 10000")" 1 'keeps only its own order'
sql $db -c 'DROP TRIGGER late ON shop.orders'

# A table that does not match its configuration does not stop the others.
sql $db <<-'SQL'
	CREATE TABLE shop.another (id integer PRIMARY KEY, status text, at timestamptz);
	INSERT INTO shop.another VALUES (1, 'placed', '2000-01-01');
	SELECT ordcancel.attach('shop.another', 'status', status_since => 'at'),
	       ordcancel.set_policy('shop.another', canceled_status => 'canceled'),
	       ordcancel.set_rule('shop.another', 'placed', expire_after => '1 hour') \g /dev/null
SQL
sql $db -c 'ALTER TABLE shop.orders RENAME placed_at TO ordered_at'
like "$(sweep)" 'WARNING:  could not look for expired orders of shop.orders with status "placed": .*placed_at' \
	'a table without its column is a warning'
is "$(sql $db -c 'SELECT status FROM shop.another')" canceled 'the other table is swept'
like "$(sql $db -c "SELECT detail FROM ordcancel.health WHERE orders = 'shop.orders'::regclass")" 'placed_at' \
	'and health says so'
is "$(sql $db -c 'SELECT count(*) FROM ordcancel.timers')" 0 'the view does without it'
sql $db -c 'ALTER TABLE shop.orders RENAME ordered_at TO placed_at'

# ----------------------------------------------------------------- at once
fill
pids=()
for i in 1 2 3 4; do
	sweep >"$work/swept.$i" &
	pids+=($!)
done
sql $db -c "SELECT count(*) FROM ordcancel.cancel_orders('shop.orders', ARRAY(SELECT generate_series(4000, 6000)),
	'out_of_stock')" >/dev/null 2>"$work/swept.5" &
pids+=($!)
wait "${pids[@]}"
is "$(cat "$work"/swept.*)" '' 'four sweeps and cancel_orders at once'
sweep
is "$(sql $db -c "SELECT count(*), count(DISTINCT order_id) FROM shop.orders_cancellation_event
	WHERE type = 'canceled' AND order_id <= 10000")" '10000|10000' 'cancel each order once'

# -------------------------------------------------------- a crash halfway
fill
sql $db -c 'ALTER TABLE shop.orders ENABLE TRIGGER trouble' \
	-c 'UPDATE shop.orders SET id = -500 WHERE id = 500' 2>/dev/null
hold $db 'SELECT pg_advisory_xact_lock(5500)'
sweep >"$work/swept.1" 2>&1 &
sweeper=$!
until_lock_waits $db advisory
ok 'a sweep is held up in its sixth chunk'
is "$(count "status = 'canceled'")" "$(sql $db -c 'SELECT count(*) FROM shop.orders_cancellation_event')" \
	'others see the chunks before, orders and records alike'
committed=$(count "status = 'canceled'")
[ "$committed" -ge 4000 ] && [ "$committed" -lt 10000 ]
ok "$committed orders are canceled by then"
pg_ctl -s -m immediate stop
wait $sweeper
exec 3>&-
wait "$holder" 2>/dev/null
pg_ctl -s -w -l "$work/restart.log" start
ok 'the server crashes'
is "$(count "status = 'canceled'") $(sql $db -c 'SELECT count(*) FROM shop.orders_cancellation_event')" \
	"$committed $committed" 'what was committed is there'
sweep >"$work/swept.1"
is "$(sql $db -c "SELECT count(*), count(DISTINCT order_id) FROM shop.orders_cancellation_event
	WHERE type = 'canceled'") $(count "status = 'placed' AND id BETWEEN 1 AND 10000 AND id <> 500")" \
	"$(count "status = 'canceled'")|$(count "status = 'canceled'") 0" 'the next sweep cancels the rest, once each'

# ------------------------------------------------- by whom, and what it keeps
fill
sql $db -c 'ALTER TABLE shop.orders DISABLE TRIGGER trouble' -c 'CREATE ROLE sweeper LOGIN' \
	-c 'GRANT EXECUTE ON PROCEDURE ordcancel.sweep TO sweeper'
is "$(sql $db -U sweeper -c 'CALL ordcancel.sweep()' 2>&1)$(count "status = 'canceled'")" 10000 \
	'EXECUTE is all that a role needs'

# ------------------------------------------------------- settings that do nothing
is "$(sql $db -c 'SET client_min_messages = notice' \
	-c "INSERT INTO shop.orders (id, status) VALUES (20001, 'cart')" \
	-c "DO \$\$ BEGIN
		PERFORM ordcancel.set_rule('shop.orders', 'cart', merchant => 'cancel', expire_after => '30 days');
		PERFORM ordcancel.set_rule('shop.orders', 'canceled', expire_after => '1 hour');
		PERFORM ordcancel.set_policy('shop.orders', undo => 'never', reopen_statuses => '{cart}');
		PERFORM ordcancel.set_policy('shop.orders', unset => '{undo}', reopen_statuses => '{}');
	END \$\$" 2>&1 | sed -n 's/^NOTICE:  //p; s/^DETAIL:  /- /p')" \
	'orders of shop.orders in a status with a timer do not expire: 1
- Their column "placed_at" is NULL.
the timer of status "canceled" of shop.orders never ends
- The status means canceled.
canceled orders under policy "default" of shop.orders cannot be reopened
- Reopening is an undo, and undo is "never".' 'NOTICEs say why nothing will expire, or be reopened'

# Tables with nothing due, most of them without timers: no locks stay, none is opened without a timer.
sql $db <<-'SQL'
	CREATE SCHEMA many;
	SELECT format('CREATE TABLE many.t%s (id integer PRIMARY KEY, status text, at timestamptz)', n)
	FROM generate_series(1, 30) AS n \gexec
	SELECT ordcancel.attach(format('many.t%s', n)::regclass, 'status', status_since => 'at'),
	       ordcancel.set_policy(format('many.t%s', n)::regclass, canceled_status => 'canceled'),
	       ordcancel.set_rule(format('many.t%s', n)::regclass, 'placed', merchant => 'cancel',
	                          expire_after => CASE WHEN n = 30 THEN interval '1 hour' END)
	FROM generate_series(1, 30) AS n \g /dev/null
SQL
is "$(sql $db -c 'BEGIN' -c 'CALL ordcancel.sweep()' \
	-c "SELECT string_agg(DISTINCT c.relname, ' ') FROM pg_locks AS l JOIN pg_class AS c ON c.oid = l.relation
	    WHERE l.pid = pg_backend_pid() AND c.relkind = 'r' AND c.relnamespace = 'many'::regnamespace" \
	-c 'ROLLBACK' 2>&1)" t30 'of 30 tables only the one with a timer is looked at'
done_testing
