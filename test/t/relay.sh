#!/usr/bin/env bash
# ordcancel.notify = relay: a worker announces after the commit. Listeners hear
# each event that is committed, once, and nothing else, whatever becomes of the
# transaction, its savepoints, the worker, its database and the server.
set -u
. "$(dirname "$0")/lib/tap.sh"
. "$here/lib/session.sh"

declare -A listener since
psqls=()
stopped=
waiting=0
ticks=0

# cancel(n) cancels the next n orders. due is what is to be heard of the events.
make_template()
{
	createdb template && sql template >/dev/null <<-'SQL'
		CREATE EXTENSION ordcancel;
		CREATE TABLE orders (id integer PRIMARY KEY, status text NOT NULL DEFAULT 'placed');
		CREATE TABLE parcels (id integer PRIMARY KEY, status text NOT NULL DEFAULT 'placed');
		INSERT INTO orders SELECT generate_series(1, 80000);
		INSERT INTO parcels SELECT generate_series(1, 10);
		SELECT ordcancel.attach('orders', 'status'),
		       ordcancel.attach('parcels', 'status', notify_channel => 'Par "cels" ü');
		SELECT ordcancel.set_policy(t, canceled_status => 'canceled'),
		       ordcancel.set_rule(t, 'placed', customer => 'cancel', merchant => 'cancel')
		FROM unnest('{orders,parcels}'::regclass[]) AS t;
		CREATE SEQUENCE next START 1001;
		CREATE FUNCTION cancel(n bigint) RETURNS bigint LANGUAGE sql AS $$
			SELECT count(*) FROM ordcancel.cancel_orders('orders', (SELECT array_agg(nextval('next'))
		                                                            FROM generate_series(1, n)))
			WHERE outcome = 'canceled'
		$$;
		CREATE TABLE heard (n integer GENERATED ALWAYS AS IDENTITY, pid integer, channel text, payload jsonb,
			event_id bigint GENERATED ALWAYS AS ((payload ->> 'event_id')::bigint) STORED);
		CREATE VIEW due AS
		SELECT event_id, notify_channel AS channel,
		       jsonb_build_object('event_id', event_id, 'orders', 'public.' || e.orders, 'order_id', order_key,
			'type', type, 'from', from_status, 'to', to_status, 'state', state, 'party', party, 'actor', actor,
		                          'reason', reason, 'at', at) AS payload
		FROM (SELECT *, tableoid::regclass::text = 'parcels_cancellation_event' AS small FROM ordcancel.event) AS v,
			LATERAL (SELECT CASE WHEN small THEN 'parcels' ELSE 'orders' END) AS e (orders)
			JOIN ordcancel.order_table AS t ON t.orders = e.orders::regclass;
	SQL
}

# ------------------------------------------------------------- what is heard

# A session that listens from now on, instead of the one that did.
listen() # DATABASE
{
	local fd=${listener[$1]:-}

	if [ -n "$fd" ]; then
		printf '%s\n' '\q' >&"$fd"
		exec {fd}>&-
	fi
	rm -f "$work/listener"
	mkfifo "$work/listener"
	sql "$1" <"$work/listener" >"$work/said.$1" 2>&1 &
	psqls+=($!)
	exec {fd}>"$work/listener"
	listener[$1]=$fd
	since[$1]=$(newest_event "$1")
	echo 'LISTEN ordcancel; LISTEN "Par ""cels"" ü";' >&"$fd"
	wait_for_listener "$1"
}

# Until it has printed what came so far, which psql does after a statement.
wait_for_listener() # DATABASE
{
	((ticks += 1))
	printf 'SELECT \\g /dev/null\n\\echo tick %d\n' $ticks >&"${listener[$1]}" || return
	wait_for listener_has_answered "$1"
}

listener_has_answered() # DATABASE
{
	[ "$(tail -n 1 "$work/said.$1")" = "tick $ticks" ]
}

# The newest event.
newest_event() # DATABASE
{
	sql "$1" -c 'SELECT coalesce(max(event_id), 0) FROM ordcancel.event'
}

# What is in the table heard then is all that the listener has heard.
read_notifications() # DATABASE
{
	wait_for_listener "$1"
	store_notifications "$1" "$work/said.$1"
}

# Committed events that were not heard, announcements of what is not in the
# event table or is another there, and repetitions.
compare_with_events() # DATABASE
{
	read_notifications "$1"
	sql "$1" -c "SELECT format('%s missing, %s untrue, %s twice', count(*) FILTER (WHERE h.n IS NULL),
			count(*) FILTER (WHERE d.event_id IS NULL),
			count(h.n) - count(DISTINCT h.event_id))
		FROM (SELECT * FROM due WHERE event_id > ${since[$1]}) AS d FULL JOIN heard AS h USING (event_id, channel,
		payload)"
}

nothing_missing() # DATABASE
{
	[[ $(compare_with_events "$1") == '0 missing'* ]]
}

# Nothing is missing in the end, and nothing comes after that, for a while.
is_exact() # DATABASE NAME
{
	wait_for nothing_missing "$1"
	sleep 0.2
	is "$(compare_with_events "$1")" '0 missing, 0 untrue, 0 twice' "$2"
}

# Until there are more events.
wait_for_more_events() # DATABASE
{
	until_true "$1" "SELECT max(event_id) > $(newest_event "$1") + 50 FROM ordcancel.event"
}

# Who has announced what came after that event: how many each.
announced_by() # DATABASE EVENT
{
	local relay

	relay=$(relay_of "$1")
	sql "$1" -c "SELECT string_agg(format('%s by %s', n, who), ', ' ORDER BY who)
		FROM (SELECT CASE pid WHEN ${relay:-0} THEN 'relay' ELSE 'session' END, count(*) FROM heard WHERE event_id > $2
		GROUP BY 1) AS h (who, n)"
}

# --------------------------------------------------------------- the workers

# The process that announces for the database; nothing when there is none.
relay_of() # DATABASE
{
	sql postgres -c "SELECT pid FROM pg_stat_activity WHERE backend_type = 'ordcancel relay' AND datname = '$1'
			AND state IS NOT NULL"
}

# Until the database has one; its process id comes to be in relay.
wait_for_relay() # DATABASE
{
	until_true postgres \
		"EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'ordcancel relay' AND datname = '$1'
			AND state IS NOT NULL)" &&
		relay=$(relay_of "$1") && [ -n "$relay" ]
}

# Until it waits for a lock.
wait_for_waiting_relay() # DATABASE
{
	until_true postgres "EXISTS (SELECT FROM pg_locks WHERE pid = $(relay_of "$1") AND NOT granted)"
}

stop_relay() # DATABASE
{
	until_true postgres \
		"EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'ordcancel relay' AND datname = '$1'
			AND state = 'idle')" &&
		relay=$(relay_of "$1") && stopped=$relay && kill -STOP "$relay"
}

continue_relay()
{
	kill -CONT "$stopped"
	stopped=
}

# Until the process relay is no more.
end_relay() # BY
{
	[ "$(sql postgres -c "SELECT pg_$1_backend($relay)")" = t ] || return
	[ -z "$stopped" ] || continue_relay
	until_true postgres "NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $relay)"
}

# A commit that waits for a standby that there is not. Its session's process id
# comes to be in waiting.
wait_for_standby() # DATABASE STATEMENTS
{
	sql "$1" -c 'SET synchronous_commit = on' -c "$2" >"$work/standby" 2>&1 &
	psqls+=($!)
	until_true postgres "EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep')" &&
		waiting=$(sql postgres -c "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
}

end_standby_wait()
{
	sql postgres -c "SELECT pg_cancel_backend($waiting)" >/dev/null
	wait "${psqls[-1]}"
}

# -------------------------------------------------------------- without it

own_cluster "$work" "ordcancel.notify = 'relay'" \
	"ordcancel.relay_databases = 'shop, Shop, OTHER, \"My Shop\", hasty, later'" 'TimeZone = UTC' \
	'max_prepared_transactions = 5' 'max_connections = 40' 'restart_after_crash = on' "statement_timeout = '30s'" &&
	before_exit '[ -z "$stopped" ] || kill -CONT "$stopped"'
ok 'a cluster that does not load the library when it starts' && make_template
ok 'a database' || done_testing
for database in shop other 'My Shop' hasty aside; do
	createdb -T template "$database" || break
done
sql hasty -c "ALTER DATABASE hasty SET lock_timeout = '50ms'"
ok 'and some more' || done_testing

is "$(psql -XqAt -d shop -c "LOAD 'ordcancel'" -c 'SHOW ordcancel.notify' 2>&1)" relay \
	'who loads the library is not warned of its settings'
listen shop
sql shop -c 'SELECT pg_backend_pid()' -c 'SELECT FROM cancel(2)' \
	-c "UPDATE orders SET status = 'canceled' WHERE id = 1" | head -n 1 >"$work/pid"
is_exact shop 'what is canceled is announced all the same'
is "$(sql shop -c 'SELECT string_agg(DISTINCT pid::text, $$ $$) FROM heard')" "$(cat "$work/pid")" 'by the session'

# ------------------------------------------------------------------- starting

pg_ctl -s stop
for list in 'a,,b' 'a,' '"a' 'My Shop'; do
	: >"$work/bad.log"
	! pg_ctl -s -w -l "$work/bad.log" -o "-c shared_preload_libraries=ordcancel -c ordcancel.relay_databases='$list'" \
		start 2>/dev/null
	ok "a server does not start with the list $list"
	like "$(cat "$work/bad.log")" "FATAL:  invalid value for parameter \"ordcancel.relay_databases\": \"$list\"" \
		'and says why'
done

# pg_upgrade drops databases, which nobody may be connected to.
workers() # OPTION...
{
	pg_ctl -s -w -l "$work/workers.log" -o "$* -c shared_preload_libraries=ordcancel -c log_min_messages=debug1" \
		start && pg_ctl -s stop
	grep -c 'registering background worker "ordcancel relay' "$work/workers.log"
	rm "$work/workers.log"
}
is "$(workers)|$(workers -b)" '5|0' 'there is no relay while pg_upgrade works'

# A library that does something while a transaction commits, after ordcancel.
"$(pg_config --cc)" -shared -fPIC "-I$(pg_config --includedir-server)" -o "$work/late.so" "$here/relay/late.c"
ok 'a library that cancels orders at the last moment'
cat >>"$PGDATA/postgresql.conf" <<-CONF
	shared_preload_libraries = '$work/late, ordcancel'
	synchronous_standby_names = 'nobody'
	synchronous_commit = local
CONF
sql_log=$(wc -l <"$work/server.log")
pg_ctl -s -w -l "$work/server.log" start
ok 'a cluster that loads it' || done_testing
for database in shop other 'My Shop' hasty; do
	wait_for_relay "$database"
	ok "a relay serves $database"
done
is "$(sql postgres -c "SELECT string_agg(datname, ', ' ORDER BY datname) FROM pg_stat_activity
		WHERE backend_type = 'ordcancel relay'")" \
	'My Shop, hasty, other, shop' 'each has one, and nobody else'
like "$(tail -n "+$sql_log" "$work/server.log")" 'FATAL:  database "later" does not exist' \
	'a database that is not there is in the log'
is "$(psql -XqAt -d aside -c "LOAD 'ordcancel'" -c 'SHOW ordcancel.relay_databases' 2>&1)" \
	'shop, Shop, OTHER, "My Shop", hasty, later' 'nobody is warned'

# -------------------------------------------------------------- who announces

for database in shop other 'My Shop' hasty aside; do
	listen "$database" || break
done
ok 'somebody listens in each database' || done_testing
sql shop -c 'CREATE ROLE clerk LOGIN' -c "SELECT ordcancel.grant_merchant('clerk')" \
	-c 'GRANT SELECT ON orders TO clerk' >/dev/null
wait_for_relay shop
began=$(date +%s%N)
sql shop -U clerk -c "SELECT ordcancel.cancel_order('orders', 111, actor => 'anna')" >/dev/null
while [ "$(compare_with_events shop)" != '0 missing, 0 untrue, 0 twice' ]; do
	[ $(($(date +%s%N) - began)) -lt 10000000000 ] || break
done
took=$((($(date +%s%N) - began) / 1000000))
[ $took -lt 10000 ]
ok "what a session has canceled is heard ${took} ms later, with all the queries here"
is "$(announced_by shop 0)" '1 by relay' 'from the relay'

mark=$(newest_event shop)
sql shop >/dev/null <<-'SQL'
	SELECT cancel(3);
	SELECT ordcancel.cancel_order('parcels', 1);
	UPDATE parcels SET status = 'canceled' WHERE id IN (2, 3);
	UPDATE orders SET status = 'canceled' WHERE id BETWEEN 112 AND 115;
	SELECT ordcancel.undo_cancel('orders', 111);
	CALL ordcancel.cancel_batch('orders', 'id BETWEEN 100 AND 120', chunk => 5);
SQL
is_exact shop 'what functions, updates and batches do is heard'
is "$(announced_by shop "$mark")" '28 by relay' 'all of it from the relay'
is "$(sql shop -c "SELECT string_agg(DISTINCT channel, ', ') FROM heard
		WHERE payload ->> 'orders' = 'public.parcels'")" 'Par "cels" ü' \
	"a table's own channel is kept"
mark=$(newest_event shop)
for ((i = 0; i < 20; i++)); do
	echo "BEGIN; SET LOCAL late.statement = 'SELECT cancel(10)'; SELECT cancel($((i % 2))); COMMIT;"
done | sql shop >/dev/null
is_exact shop 'so is what another library does while the transaction commits'
is "$(announced_by shop "$mark")" '10 by relay, 200 by session' 'by the session, what came too late for the relay'
sql shop -c 'SELECT cancel(1)' >/dev/null
is_exact shop 'and then'
is "$(announced_by shop "$mark")" '11 by relay, 200 by session' 'the relay has as much room as before'
sql shop -c "UPDATE ordcancel.order_table SET notify_channel = '' WHERE orders = 'orders'::regclass"
like "$(sql shop -c "SELECT ordcancel.cancel_order('orders', nextval('next'))" 2>&1)" 'channel name cannot be empty' \
	'what NOTIFY refuses is refused at once'
sql shop -c "UPDATE ordcancel.order_table SET notify_channel = 'ordcancel' WHERE orders = 'orders'::regclass" \
	-c 'SELECT cancel(1)' >/dev/null
is_exact shop 'and does not stop the relay'
is "$(announced_by shop "$mark")" '12 by relay, 200 by session' 'which goes on'
for database in other 'My Shop' hasty; do
	wait_for_relay "$database"
	sql "$database" -c 'SELECT cancel(2)' >/dev/null
	is_exact "$database" "in $database too"
	is "$(announced_by "$database" 0)" '2 by relay' 'from a relay of its own'
done
sql aside -c 'SELECT cancel(2)' >/dev/null
is_exact aside 'and in a database that is not listed'
is "$(announced_by aside 0)" '2 by session' 'from the session itself'
is "$(cat "$work/said.other" "$work/said.aside" | grep -c Asynchronous)" 4 'nobody hears what is of another database'

# The same order at the same time, but for the number of the event.
mark=$(newest_event shop)
sql shop >/dev/null <<-'SQL'
	SET ordcancel.clock = '2026-03-02 10:00:00.25+01';
	SET ordcancel.notify = commit;
	SELECT ordcancel.cancel_order('orders', 200, 'out_of_stock', 'the note', 'anna "the" clerk');
	SELECT ordcancel.undo_cancel('orders', 200);
	SET ordcancel.notify = relay;
	SELECT ordcancel.cancel_order('orders', 200, 'out_of_stock', 'the note', 'anna "the" clerk');
	SET ordcancel.notify = off;
	SELECT ordcancel.undo_cancel('orders', 200);
SQL
are_announced_by() # DATABASE EVENT WHO
{
	read_notifications "$1" && [ "$(announced_by "$1" "$2")" = "$3" ]
}
wait_for are_announced_by shop "$mark" '1 by relay, 2 by session'
grep -o '"event_id":[0-9]*,"orders":"public.orders","order_id":"200","type":"canceled".*}' "$work/said.shop" |
	sed 's/^"event_id":[0-9]*,//' >"$work/payloads"
is "$(wc -l <"$work/payloads")$(uniq "$work/payloads" | wc -l)" 21 \
	'the payload is that of a session which announces by itself, to the byte'
is "$(announced_by shop "$mark")" '1 by relay, 2 by session' 'the setting counts at once, and off is off'

# --------------------------------------------------------- what did not happen

listen shop
mark=$(newest_event shop)
sql shop >/dev/null 2>"$work/errors" <<-'SQL'
	BEGIN; SELECT cancel(2); ROLLBACK;
	BEGIN; SAVEPOINT a; SELECT cancel(1); ROLLBACK TO a; COMMIT;
	BEGIN; SELECT cancel(1); SAVEPOINT a; SELECT cancel(2); ROLLBACK TO a; SELECT cancel(1); COMMIT; -- 2
	-- 1
	BEGIN; SAVEPOINT a; SAVEPOINT b; SELECT cancel(1); RELEASE b; ROLLBACK TO a; SELECT cancel(1); RELEASE a; COMMIT;
	-- 2
	BEGIN; SAVEPOINT a; SELECT cancel(1); SAVEPOINT b; SELECT cancel(1); RELEASE b; SAVEPOINT c; SELECT cancel(1);
	ROLLBACK TO c; COMMIT;
	-- 2
	BEGIN; SAVEPOINT a; SELECT cancel(1); RELEASE a; SAVEPOINT b; SELECT cancel(1); ROLLBACK TO b; SELECT cancel(1);
	COMMIT;
	-- 1
	BEGIN; SAVEPOINT a; SAVEPOINT b; SAVEPOINT c; SELECT cancel(1); RELEASE c; SAVEPOINT d; SELECT cancel(1);
	ROLLBACK TO d; RELEASE b; COMMIT;
	BEGIN; SELECT cancel(1); COMMIT AND CHAIN; SELECT cancel(1); ROLLBACK AND CHAIN; SELECT cancel(1); COMMIT; -- 2
	DO $$
	BEGIN
		PERFORM cancel(1); -- 1
		BEGIN
			PERFORM cancel(1);
			BEGIN
				UPDATE orders SET status = 'canceled' WHERE id = (SELECT nextval('next'));
				RAISE division_by_zero;
			EXCEPTION WHEN division_by_zero THEN
				PERFORM cancel(1);
			END;
			RAISE no_data_found;
		EXCEPTION WHEN no_data_found THEN
			PERFORM cancel(2); -- 2
		END;
		BEGIN
			PERFORM cancel(1); -- 1
			BEGIN
				PERFORM ordcancel.cancel_order('orders', -1);
			EXCEPTION WHEN OTHERS THEN
				NULL;
			END;
		EXCEPTION WHEN division_by_zero THEN
			NULL;
		END;
	END
	$$;
	DO $$
	BEGIN
		FOR n IN 1 .. 10 LOOP
			PERFORM cancel(1); -- 5
			IF n % 2 = 0 THEN COMMIT; ELSE ROLLBACK; END IF;
		END LOOP;
	END
	$$;
	BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT cancel(1) FROM generate_series(1, 3); COMMIT; CLOSE c; -- 3
	CREATE FUNCTION follow() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		IF NEW.id = 301 THEN RAISE 'too late'; END IF;
		PERFORM cancel(1);
		RETURN NULL;
	END
	$$;
	CREATE CONSTRAINT TRIGGER follow AFTER UPDATE ON orders DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
		WHEN (NEW.id IN (300, 301)) EXECUTE FUNCTION follow();
	BEGIN; SELECT ordcancel.cancel_order('orders', 300); COMMIT; -- 2
	\set ON_ERROR_STOP off
	BEGIN; SELECT cancel(1); SELECT ordcancel.cancel_order('orders', 301); COMMIT;
	BEGIN; SELECT cancel(1); SELECT 1 / 0; COMMIT;
	DO 'BEGIN PERFORM cancel(1); RAISE $$raised$$; END';
SQL
is "$(grep -c ERROR "$work/errors")|$(grep -cE 'too late|division by zero|raised' "$work/errors")" '3|3' \
	'transactions and savepoints, some of which are rolled back or fail, at the commit even'
is "$(sql shop -c "SELECT count(*) FROM due WHERE event_id > $mark")" 24 'and some are not'
is_exact shop 'exactly these are heard'
is "$(announced_by shop "$mark")" '24 by relay' 'from the relay'

# What the seed brings about is the same each time.
RANDOM=5
for ((i = 0; i < 80; i++)); do
	depth=0
	echo 'BEGIN;'
	for ((j = 0; j < 14; j++)); do
		case $((RANDOM % (depth ? 8 : 6))) in
			0 | 1) echo 'SELECT cancel(1);' ;;
			2 | 3) echo "SAVEPOINT s$((depth += 1));" ;;
			4) echo "UPDATE orders SET status = 'canceled' WHERE id = (SELECT nextval('next'));" ;;
			5) echo "DO 'BEGIN PERFORM cancel(1); RAISE no_data_found;
				EXCEPTION WHEN no_data_found THEN PERFORM cancel(1); END';" ;;
			6) echo "ROLLBACK TO s$((depth -= RANDOM % depth));" ;;
			7) echo "RELEASE s$((depth -= RANDOM % depth)); --"$((depth -= 1)) ;;
		esac
	done
	((RANDOM % 4)) && echo 'COMMIT;' || echo 'ROLLBACK;'
done >"$work/random.sql"
mark=$(newest_event shop)
is "$(sql shop -f "$work/random.sql" 2>&1 >/dev/null)" '' '80 transactions with random savepoints'
is_exact shop 'what is committed of them is heard'
like "$(announced_by shop "$mark")|$(grep -c ROLLBACK "$work/random.sql")" \
	'^[1-9][0-9][0-9] by relay\|[0-9][0-9][0-9]$' \
	'that is much, and much is not'

# ------------------------------------------------- a commit that fails at last

# Two that read what the other writes; the second of them cannot commit. Its
# fifteen hundred must not go on taking room.
listen shop
mark=$(newest_event shop)
sql shop -c 'CREATE TABLE skew (who text)'
echo "BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT count(*) FROM skew; INSERT INTO skew VALUES ('other');
		COMMIT;" >"$work/other.sql"
cat >"$work/skew.sql" <<-SQL
	BEGIN ISOLATION LEVEL SERIALIZABLE;
	SELECT count(*) FROM skew;
	INSERT INTO skew VALUES ('me');
	SELECT cancel(1500);
	\! psql -XqAt -d shop -f $work/other.sql
	COMMIT;
SQL
for i in 1 2 3; do
	sql shop -f "$work/skew.sql" >"$work/skew.$i" 2>&1
done
is "$(cat "$work"/skew.[123] | grep -c 'ERROR:  could not serialize')|$(cat "$work"/skew.[123] |
	grep -c 'during commit attempt')" '3|3' \
	'three transactions fail to be serialized, when they commit'
is "$(sql shop -c "SELECT cancel(3000)")" 3000 'another does what they would have done'
is_exact shop 'that is heard, nothing of the others'
is "$(announced_by shop "$mark")" '3000 by relay' 'and the relay has room for it'
is "$(sql shop -c 'SELECT count(*) FROM (SELECT event_id < lag(event_id) OVER (ORDER BY n) AS back FROM heard) AS h
		WHERE back')" 0 'it keeps their order'

# ------------------------------------------------------------------- prepared

before=$(sql shop -c 'SELECT count(*) FROM due')
said=$(sql shop -v VERBOSITY=verbose -c BEGIN -c 'SELECT cancel(1)' -c "PREPARE TRANSACTION 'p'" 2>&1)
like "$said" 'ERROR:  0A000: cannot prepare a transaction that has events to announce' \
	'a transaction with events cannot be prepared'
like "$said" 'HINT:  .*ordcancel.notify.*off' 'a hint says what to do'
like "$(sql shop -v VERBOSITY=verbose -c BEGIN -c 'SELECT cancel(6000)' -c "PREPARE TRANSACTION 'p'" 2>&1)" \
	'ERROR:  0A000: ' 'nor one with very many'
like "$(sql shop -c BEGIN -c 'SAVEPOINT s' -c 'SELECT cancel(1)' -c 'RELEASE s' -c "PREPARE TRANSACTION 'p'" 2>&1)" \
	'events to announce' \
	'nor one whose savepoint is released'
like "$(sql shop -c BEGIN -c 'UPDATE orders SET id = id WHERE id = 300' -c "PREPARE TRANSACTION 'p'" 2>&1)" \
	'events to announce' \
	'nor one whose deferred trigger makes some'
is "$(sql shop -c 'SELECT count(*) FROM pg_prepared_xacts' -c 'SELECT count(*) FROM due')" "0"$'\n'"$before" \
	'nothing is left of them'
said=$(sql shop 2>&1 >/dev/null <<-'SQL'
	BEGIN; UPDATE orders SET id = id WHERE id = 1; PREPARE TRANSACTION 'none';
	BEGIN; SAVEPOINT s; SELECT cancel(2); ROLLBACK TO s; PREPARE TRANSACTION 'undone';
	BEGIN; SET LOCAL ordcancel.notify = off; SELECT cancel(1); PREPARE TRANSACTION 'silent';
	SELECT cancel(1);
	COMMIT PREPARED 'none'; COMMIT PREPARED 'undone'; ROLLBACK PREPARED 'silent';
	SELECT cancel(1);
SQL
)
is "$said" '' 'one that has nothing to announce can, and its session goes on'
is_exact shop 'what is committed beside it is heard'

# ------------------------------------------------------------- many, and large

mark=$(newest_event shop)
echo "SELECT ordcancel.cancel_order('orders', nextval('next'));" >"$work/single"
echo "UPDATE orders SET status = 'canceled' WHERE id = (SELECT nextval('next'));" >"$work/update"
printf '%s\n' 'BEGIN;' 'SELECT cancel(1);' 'SAVEPOINT a;' 'SELECT cancel(1);' 'ROLLBACK TO a;' 'SELECT cancel(1);' \
	'COMMIT;' >"$work/savepoint"
printf '%s\n' 'BEGIN;' 'SELECT cancel(2);' 'ROLLBACK;' >"$work/rollback"
mix=(-n -c 8 -f "$work/single@4" -f "$work/update@3" -f "$work/savepoint@2" -f "$work/rollback@1")
pgbench "${mix[@]}" -t 400 shop >"$work/pgbench.out" 2>&1
like "$(cat "$work/pgbench.out")" 'processed: 3200/3200' 'eight sessions at once'
is_exact shop 'each event of theirs is heard once'
like "$(announced_by shop "$mark")" '^[23][0-9][0-9][0-9] by relay$' 'all from the relay'

listen shop
mark=$(newest_event shop)
is "$(sql shop -c 'SELECT cancel(5200)')" 5200 'one transaction with more than the relay has room for'
is_exact shop 'each event of it is heard once'
like "$(announced_by shop "$mark")" ' by session' 'from the session, what has no room'
mark=$(newest_event shop)
is "$(sql shop <<<"BEGIN; SELECT cancel(100) \\g /dev/null
	SAVEPOINT s; SELECT cancel(5200); ROLLBACK TO s; SELECT cancel(100) \\g /dev/null
	COMMIT;")" 5200 'one that undoes that many'
is_exact shop 'nothing is heard of them'
is "$(announced_by shop "$mark")" '200 by relay' 'and all of the others, from the relay'

# ----------------------------------------------------------------- no room

listen shop
stop_relay shop
ok 'the relay is stopped'
mark=$(newest_event shop)
is "$(sql shop -c 'SELECT cancel(3000)')" 3000 'three thousand orders are canceled meanwhile'
middle=$(newest_event shop)
is "$(sql shop -c 'SELECT cancel(3000)')" 3000 'and three thousand more'
for n in 1000 500 500 200 200 100 50 30 20 10 5 2 1; do
	echo "SELECT cancel($n);"
done | sql shop >/dev/null
pgbench "${mix[@]}" -t 10 shop >"$work/pgbench.out" 2>&1
like "$(cat "$work/pgbench.out")" 'processed: 80/80' 'others go on, to the last byte of room'
read_notifications shop
is "$(sql shop -c "SELECT count(*) FILTER (WHERE event_id <= $middle),
		count(*) FILTER (WHERE event_id > $middle) >= 3000 FROM heard WHERE event_id > $mark")" '0|t' \
	'what found no room is heard already'
continue_relay
is_exact shop 'the others when it goes on'
is "$(sql shop -c "SELECT DISTINCT pid FROM heard WHERE event_id > $mark AND event_id <= $middle")" "$relay" \
	'from the relay'
mark=$(newest_event shop)
sql shop -c 'SELECT cancel(3000)' >/dev/null
is_exact shop 'there is room again'
is "$(announced_by shop "$mark")" '3000 by relay' 'for as many'

# ------------------------------------------------------------ NOTIFY's lock

listen shop
sql shop -c 'CREATE TABLE written (t text)'
wait_for_standby shop 'SELECT cancel(1)'
ok 'a transaction with events waits at its commit, for a standby' || cat "$work/standby"
sql shop -c 'SELECT cancel(1)' >/dev/null
wait_for are_announced_by shop 0 '1 by relay'
is "$(sql shop -c 'SELECT event_id FROM heard')" "$(newest_event shop)" \
	'it is not announced before it is committed; another one is meanwhile'
end_standby_wait
is_exact shop 'but then'

mark=$(newest_event shop)
hasty=$(relay_of hasty)
wait_for_standby shop "BEGIN; INSERT INTO written VALUES ('x'); NOTIFY elsewhere; COMMIT"
ok 'a commit that has notified waits' || cat "$work/standby"
like "$(sql shop -c "SET ordcancel.notify = commit; SET lock_timeout = '200ms'" -c 'SELECT cancel(1)' 2>&1)" \
	'lock timeout' \
	'no session can commit that announces by itself'
is "$(sql shop -c "SET lock_timeout = '200ms'" -c 'SELECT cancel(1)' 2>&1)" 1 'with the relay it can'
wait_for_waiting_relay shop
ok 'it is the relay that waits'
is "$(sql shop -c "SET lock_timeout = '200ms'" -c 'SELECT cancel(100)' 2>&1)" 100 'so the next one can'
sql hasty -c 'SELECT cancel(1)' >/dev/null
sql 'My Shop' -c 'SELECT cancel(5)' >/dev/null
wait_for_waiting_relay 'My Shop'
ok 'so does that of another database'
wait_for_relay 'My Shop' && end_relay terminate
ok 'which is terminated, and gone'
until_true postgres "SELECT clock_timestamp() > waitstart + '200ms' FROM pg_locks WHERE pid = $hasty AND NOT granted"
is "$(relay_of hasty)" "$hasty" 'that of a database with a short lock_timeout is still there'
end_standby_wait
is_exact shop 'all is heard when the lock is free'
is "$(announced_by shop "$mark")" '101 by relay' 'from the relay'

# ----------------------------------------------------- no worker for a while

mark=$(newest_event 'My Shop')
sql 'My Shop' -c 'SELECT cancel(3)' >/dev/null
is "$(compare_with_events 'My Shop')|$(announced_by 'My Shop' "$mark")" '5 missing, 0 untrue, 0 twice|3 by session' \
	'without a relay the sessions announce'

stop_relay other
ok 'the relay of another database is stopped'
is "$(sql other -c 'SELECT cancel(5)')" 5 'five orders are canceled meanwhile'
end_relay terminate
ok 'it is terminated when it goes on, and gone'
is "$(compare_with_events other)" '5 missing, 0 untrue, 0 twice' 'before it has announced them'
sql postgres -c 'DROP DATABASE other WITH (FORCE)' && createdb -T template other
ok 'the database is dropped, and made anew'
listen other
createdb -T template later
ok 'and a database is made that was listed before'
listen later

# They come back meanwhile; that of the shop ends, and ends again.
listen shop
pgbench "${mix[@]}" -R 300 -T 8 shop >"$work/pgbench.out" 2>&1 &
loader=$!
for how in terminate cancel; do
	wait_for_more_events shop && wait_for_relay shop && end_relay $how
	ok "$how: the relay of the shop is gone in the middle of work"
done
wait $loader
ok 'its sessions have not noticed' || cat "$work/pgbench.out"

wait_for_relay 'My Shop'
ok 'the first one is back'
is_exact 'My Shop' 'and has announced what was waiting'
is "$(sql 'My Shop' -c "SELECT count(*) FROM heard WHERE pid = $relay")" 5 'itself'
wait_for_relay later
ok 'the new database is served'
sql later -c 'SELECT cancel(2)' >/dev/null
is_exact later 'its events are heard'
is "$(announced_by later 0)" '2 by relay' 'from its relay'
wait_for_relay other
ok 'and that of the same name'
sql other -c 'SELECT cancel(2)' >/dev/null
is_exact other 'its events are heard, nothing of the old one'
is "$(announced_by other 0)" '2 by relay' 'from its relay'
wait_for_relay hasty
is_exact hasty 'where lock_timeout is short all is heard as well'
wait_for_relay shop
ok 'that of the shop is back'
is_exact shop 'all that was done meanwhile is heard'
# On a busy machine not all of the eight sessions have their turn without a relay.
is "$(sql shop -c 'SELECT count(DISTINCT pid) >= 3 FROM heard')" t 'from the relays, and from sessions between them'

# ------------------------------------------------------------------ settings

like "$(sql shop -U clerk -c 'SET ordcancel.notify = off' 2>&1)" \
	'permission denied to set parameter "ordcancel.notify"' 'not every role may say how'
like "$(sql shop -U clerk -c 'ALTER ROLE clerk SET ordcancel.notify = off' 2>&1)" \
	'permission denied to set parameter "ordcancel.notify"' 'nor for later'
like "$(sql shop -c "SET ordcancel.relay_databases = ''" 2>&1)" 'cannot be changed without restarting' \
	'the list of databases stands'
like "$(sql postgres -c "ALTER SYSTEM SET ordcancel.relay_databases = 'shop,,'" 2>&1)" \
	'invalid value for parameter "ordcancel.relay_databases": "shop,,"' \
	'a list with which the server would not start is refused'
like "$(sql postgres -c 'ALTER SYSTEM SET ordcancel.relay_databases = shop, "My Shop"' 2>&1)" \
	'takes only one argument' 'it is one text'
sql postgres -c "ALTER SYSTEM SET ordcancel.relay_databases = 'aside'" -c 'SELECT FROM pg_reload_conf()'
until_true postgres "(SELECT pending_restart FROM pg_settings WHERE name = 'ordcancel.relay_databases')"
ok 'until the server is started again'
is "$(relay_of aside)|$(sql postgres -c 'SHOW ordcancel.relay_databases')" \
	'|shop, Shop, OTHER, "My Shop", hasty, later' 'a reload does not change it'
sql postgres -c "ALTER SYSTEM RESET ordcancel.relay_databases"

# ------------------------------------------------------------------- the end

wait_for_relay shop
pgbench "${mix[@]}" -T 5 shop >"$work/pgbench.out" 2>&1 &
loader=$!
wait_for_more_events shop
kill -9 "$relay"
wait $loader
like "$(cat "$work/pgbench.out")" 'crash of another server process' 'the relay is killed in the middle of work'
killed=$relay
wait_for_relay shop
[ "$relay" != "$killed" ]
ok 'the server recovers, with a relay'
listen shop
is "$(sql shop -c 'SELECT cancel(3000)')" 3000 'orders are canceled'
is_exact shop 'that is heard, nothing of before'
is "$(announced_by shop 0)" '3000 by relay' 'from the relay, which has room for it'
printf '%s\n' '\q' >&"${listener[shop]}"
pg_ctl -s -w -t 20 -m smart stop
ok 'a server that is stopped does not wait for it'
is "$(grep -cE 'terminated by signal|PANIC|TRAP' "$work/server.log")|$(grep -c 'terminated by signal 9' \
	"$work/server.log")" '1|1' \
	'no other process has broken down'
done_testing
