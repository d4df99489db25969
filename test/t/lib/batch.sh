# shellcheck shell=bash
# Read by the scripts about cancel_batch: a shop, and sessions that meet there.
# They read tap.sh and session.sh before, and set db to the database at hand.

# Updates of those orders wait while somebody holds their gate.
add_gate() # DATABASE EVENT CONDITION
{
	sql "$1" <<-SQL
		CREATE FUNCTION shop.gate() RETURNS trigger LANGUAGE plpgsql AS \$\$
		BEGIN
		    PERFORM pg_advisory_xact_lock_shared(1, NEW.id);
		    RETURN NULL;
		END
		\$\$;
		CREATE TRIGGER gate AFTER $2 ON shop.orders FOR EACH ROW WHEN ($3) EXECUTE FUNCTION shop.gate();
	SQL
}

# 20,000 orders of every kind: rules that cancel, ask and forbid, statuses
# without one, two policies, money due, a block, what is asked or canceled
# already. Every fiftieth has a gate that its update has to pass.
make_shop() # DATABASE
{
	createdb "$1" && sql "$1" <<-'SQL' && add_gate "$1" UPDATE 'NEW.id % 50 = 0'
		CREATE EXTENSION ordcancel;
		CREATE SCHEMA shop;
		CREATE TABLE shop.orders (id integer PRIMARY KEY, status text NOT NULL, seller text, paid numeric,
		                          flagged boolean NOT NULL DEFAULT false, note text);
		INSERT INTO shop.orders
		SELECT n, (ARRAY['placed', 'placed', 'placed', 'preparing', 'placed', 'shipped', 'placed', 'lost', 'canceled',
		                 'placed'])[1 + n / 7 % 10],
		       CASE n % 3 WHEN 0 THEN 'picky' WHEN 1 THEN 'unknown' END, CASE n % 13 WHEN 0 THEN n / 100.0 END,
		       n % 17 = 0
		FROM generate_series(1, 20000) AS n;
		SELECT ordcancel.attach('shop.orders', 'status', policy_by => 'seller', refund_due => 'paid') \g /dev/null
		SELECT ordcancel.set_policy('shop.orders', p, requested_status => 'asked', in_progress_status => 'refunding',
		                            canceled_status => 'canceled'),
		       ordcancel.set_rule('shop.orders', 'placed', customer => 'request', merchant => 'cancel', policy => p),
		       ordcancel.set_rule('shop.orders', 'preparing', merchant => 'request', policy => p),
		       ordcancel.set_rule('shop.orders', 'shipped', hint => 'process it as a return', policy => p)
		FROM unnest('{default,picky}'::text[]) AS p \g /dev/null
		SELECT ordcancel.set_rule('shop.orders', 'placed', merchant => 'request', policy => 'picky') \g /dev/null
		SELECT ordcancel.add_block('shop.orders', 'flagged', 'flagged', 'unflag it') \g /dev/null
		SELECT ordcancel.request_cancel('shop.orders', id) FROM shop.orders WHERE id % 29 = 0 AND status = 'placed'
		    AND NOT flagged \g /dev/null
	SQL
}

# Thirty orders that may all be canceled, each of which has a gate.
make_small_shop() # DATABASE
{
	createdb "$1" && sql "$1" <<-'SQL' && add_gate "$1" 'UPDATE OF status' true
		CREATE EXTENSION ordcancel;
		CREATE SCHEMA shop;
		CREATE TABLE shop.orders (id integer PRIMARY KEY, status text NOT NULL DEFAULT 'placed', seller text,
		                          paid numeric, note text);
		INSERT INTO shop.orders (id) SELECT generate_series(1, 30);
		SELECT ordcancel.attach('shop.orders', 'status', policy_by => 'seller', refund_due => 'paid') \g /dev/null
		SELECT ordcancel.set_policy('shop.orders', requested_status => 'asked',
		                            canceled_status => 'canceled') \g /dev/null
		SELECT ordcancel.set_rule('shop.orders', 'placed', customer => 'request', merchant => 'cancel'),
		       ordcancel.set_rule('shop.orders', 'shipped') \g /dev/null
	SQL
}

# All that a batch leaves behind but ids and times.
end_state() # DATABASE
{
	sql "$1" <<-'SQL'
		SELECT 'order', * FROM shop.orders ORDER BY id;
		SELECT 'cancellation', order_id, order_key, state, requested_by, requested_actor, decided_by, decided_actor,
		       reason, note, decision_note,
		       prior_status, policy, refund_due, refunded, requested_at IS NULL, decided_at IS NULL, closed_at IS NULL
		FROM shop.orders_cancellation ORDER BY order_id, cancellation_id;
		SELECT 'event', e.order_id, e.type, e.from_status, e.to_status, e.state, e.party, e.actor, e.session_role,
		       e.reason, e.data, e.source,
		       e.order_id = c.order_id
		FROM shop.orders_cancellation_event AS e JOIN shop.orders_cancellation AS c USING (cancellation_id)
		ORDER BY e.order_id, e.event_id;
		SELECT 'events', count(*) FROM ordcancel.event;
		SELECT 'progress', batch_id, orders, state, total, done, percent, canceled, in_progress, requested, already,
		       refused, skipped, waiting,
		       finished_at IS NOT NULL, error, error_sqlstate, condition, reason, note, actor, chunk, dry_run, author
		FROM ordcancel.batch_progress ORDER BY 2;
		SELECT 'refused', batch_id, order_key, outcome, sqlstate, message FROM ordcancel.batch_refused ORDER BY 2, 3;
		SELECT 'summary', batch_id, policy, order_status, outcome, sqlstate, count, hint, example
		FROM ordcancel.batch_summary
		ORDER BY 2, 3, 4, 5, 6, 8;
	SQL
}

# What psql says, errors with their SQLSTATE.
sql_verbose() # DATABASE ARGUMENT...
{
	local database=$1

	shift
	psql -XqAt -v VERBOSITY=verbose -d "$database" "$@" 2>&1 | grep -vE '^LOCATION:'
}

# Runs statements in a session beside this one; what it says is in $work/said.
run_beside() # DATABASE STATEMENT...
{
	local database=$1 statement commands=()

	shift
	for statement; do
		commands+=(-c "$statement")
	done
	: >"$work/said"
	PGAPPNAME=batch psql -XqAt -v VERBOSITY=verbose -d "$database" "${commands[@]}" >"$work/said" 2>&1 3>&- &
	runner=$!
	beside=$database
}

# Until that session waits for a lock; its process id comes to be in waiting.
until_beside_waits()
{
	local who="pg_stat_activity WHERE application_name = 'batch' AND wait_event_type = 'Lock'"

	until_true "$beside" "EXISTS (SELECT FROM $who)" || return
	waiting=$(sql "$beside" -c "SELECT pid FROM $who")
}

close_gate() # DATABASE ORDER
{
	hold "$1" "SELECT pg_advisory_xact_lock(1, $2)"
}

# The state and counters of a batch.
progress() # DATABASE [BATCH]
{
	sql "$1" -c "SELECT state, canceled, in_progress, requested, already, refused, skipped, waiting
		FROM ordcancel.batch_progress WHERE batch_id = ${2:-1}"
}

# A copy of the shop as it was; $db is its name.
fresh_shop()
{
	sql postgres -c "DROP DATABASE IF EXISTS $db WITH (FORCE)" && createdb -T t_batch_shop "$db"
}

# The statement of a batch over the small shop.
batch() # CONDITION [CHUNK]
{
	echo "CALL ordcancel.cancel_batch('shop.orders', \$c\$$1\$c\$, chunk => ${2:-10})"
}

statuses() # ID...
{
	local IFS=,

	sql $db -c "SELECT string_agg(status, ' ' ORDER BY id) FROM shop.orders WHERE id IN ($*)"
}

# Orders that have more than one event of the kind, which none may have.
nothing_twice()
{
	sql $db -c "SELECT count(*) FROM (SELECT FROM shop.orders_cancellation_event GROUP BY order_id, type
			HAVING count(*) > 1) AS e"
}

resume()
{
	sql_verbose $db -c 'CALL ordcancel.resume_batch(1)'
}
