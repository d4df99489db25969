#!/usr/bin/env bash
# No event is lost: clients cancel and workers read while workers are killed,
# the server breaks down, a standby is promoted, a dump is restored into a new
# cluster, and a logical replica takes over. Then what the workers have logged
# is compared with the event tables.
#
# SEED repeats the random choices, though not how they meet; TORTURE_SECONDS is
# how long each part lasts at least (make torture).
set -u
. "$(dirname "$0")/lib/tap.sh"

# Debian's, which has Debian's driver.
python=/usr/bin/python3
"$python" -c 'import psycopg2' || skip_all 'no psycopg2 here'

db=t_consumers
export DATABASE=$db SEED=${SEED:-$RANDOM$RANDOM}
export CONTROL=$work/control LOGS=$work/logs PYTHONDONTWRITEBYTECODE=1
seconds=${TORTURE_SECONDS:-0}
events_each=${TORTURE_EVENTS:-250}
generation=0

# The servers: one and its standby two, three for the dump, four for the
# replica. The variables of the one that is used are set.
at() # SERVER
{
	export PGDATA=$work/$1/data PGHOST=$work/$1
}

# Clients and workers go there with their next connection.
go_to() # SERVER
{
	at "$1"
	echo "$generation $work/$1" >"$CONTROL/new"
	mv "$CONTROL/new" "$CONTROL/server"
}

new_server() # SERVER
{
	own_cluster "$work/$1" 'wal_level = logical' 'max_prepared_transactions = 20' 'deadlock_timeout = 100ms' \
		'wal_retrieve_retry_interval = 50ms' 'max_worker_processes = 16' 'max_logical_replication_workers = 12' \
		'max_sync_workers_per_subscription = 8' 'jit = off' "log_line_prefix = '%m [%p] %a '" \
		'log_min_error_statement = panic'
}

events()
{
	sql $db -c 'SELECT count(*) FROM shop.events' 2>/dev/null || echo 0
}

# More often only keeps the machine from working.
enough_events()
{
	sleep 0.1
	[ "$(events)" -ge "$goal" ]
}

# Until clients have made so many more.
work_on() # [NUMBER]
{
	local goal end=$((SECONDS + seconds))

	while
		goal=$(($(events) + ${1:-$events_each}))
		wait_for enough_events || return
		[ $SECONDS -lt $end ]
	do :; done
}

pause_clients()
{
	touch "$CONTROL/pause.clients"
	until_true $db "NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name LIKE 'client %')
		AND NOT EXISTS (SELECT FROM pg_prepared_xacts)"
}

pause_workers()
{
	touch "$CONTROL/pause.workers"
	until_true $db "NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name LIKE 'worker/%')"
}

resume()
{
	rm -f "$CONTROL"/pause.*
}

nothing_waits()
{
	until_true $db '(SELECT sum(lag_events) = 0 FROM ordcancel.consumers)'
}

# ---------------------------------------------------------------- the servers

for directory in control logs one two three four; do
	mkdir -m 700 "$work/$directory"
	before_exit "stop_cluster '$work/$directory'"
done
later=()
for name in three four; do
	(new_server $name && createdb $db) >"$work/$name/out" 2>&1 &
	later+=($!)
done
new_server one && createdb $db && sql $db -f "$here/consumers/shop.sql"
ok "a server after $SECONDS s" || done_testing
# Far more transaction IDs than another cluster has had.
sql $db <<-'SQL'
	CREATE TABLE used (n integer);
	DO $$BEGIN FOR n IN 1..20000 LOOP
	    BEGIN INSERT INTO used VALUES (1); EXCEPTION WHEN division_by_zero THEN NULL; END;
	END LOOP; END$$;
	DROP TABLE used;
SQL
pg_basebackup -D "$work/two/data" -c fast -R --no-sync &&
	echo "unix_socket_directories = '$work/two'" >>"$work/two/data/postgresql.conf" &&
	pg_ctl -s -w -D "$work/two/data" -l "$work/two/server.log" start
ok "a standby after $SECONDS s" || done_testing
sql $db -c "ALTER SYSTEM SET synchronous_standby_names = '*'" -c 'SELECT pg_reload_conf()' >/dev/null

# ---------------------------------------------------------------- one server

go_to one
"$python" "$here/consumers/clients.py" >"$work/clients.out" 2>&1 &
clients=$!
"$python" "$here/consumers/workers.py" >"$work/workers.out" 2>&1 &
workers=$!
echo "# SEED=$SEED"
work_on
ok "eight clients cancel, $(events) events after $SECONDS s"
pg_ctl -s -m immediate stop
pg_ctl -s -w -l "$work/one/server.log" start
work_on
ok "the server broke down, $(events) events after $SECONDS s"
pg_ctl -s -m immediate stop
pg_ctl -s -w -D "$work/two/data" promote
go_to two
work_on
ok "the standby is promoted, $(events) events after $SECONDS s"
sql $db -c 'SELECT event_id FROM shop.events' >"$work/before"
sql $db -c "SELECT ordcancel.create_consumer('late')" >/dev/null
sql $db -c 'SELECT event_id FROM shop.events' >"$work/after"
work_on

# ---------------------------------------------------------------- a dump

# At that time events wait, and there were open transactions when they were
# read last; but for one consumer, which is in the middle of a batch.
stop_working()
{
	pause_workers
	"$python" "$here/consumers/workers.py" drain late
	work_on 50
	pause_clients
	"$python" "$here/consumers/workers.py" begin late
}

stop_working
ok 'workers stop, then clients'
pg_dump $db >"$work/dump.sql"
next_xid=$(sql $db -c 'SELECT pg_current_xact_id()')
pg_ctl -s -m fast stop
wait "${later[@]}"
generation=1
go_to three
sql $db -f "$work/dump.sql" >/dev/null
ok 'a dump is restored into a new cluster' || done_testing
[ "$(sql $db -c 'SELECT pg_current_xact_id()')" -lt "$next_xid" ]
ok 'which has had fewer transactions'
resume
work_on
ok "there they go on, $(events) events after $SECONDS s"

# ---------------------------------------------------------------- a logical replica

on_replica()
{
	PGHOST=$work/four sql $db "$@"
}

is_copied()
{
	[ "$(on_replica -c "SELECT count(*) FILTER (WHERE srsubstate <> 'r') = 0 AND count(*) > 0
		FROM pg_subscription_rel")" = t ]
}

pg_dump -s $db >"$work/schema.sql"
on_replica -f "$work/schema.sql" >/dev/null
sql $db -c 'CREATE PUBLICATION everything FOR ALL TABLES'
on_replica -c "CREATE SUBSCRIPTION copy CONNECTION 'host=$work/three dbname=$db user=postgres'
	PUBLICATION everything" 2>/dev/null
wait_for is_copied
ok 'a logical replica' || grep -h ERROR "$work/four/server.log" | sort | uniq -c | sed 's/^/# /'
work_on
stop_working
until_true $db "(SELECT replay_lsn >= '$(sql $db -c 'SELECT pg_current_wal_lsn()')' FROM pg_stat_replication)"
ok 'has got everything'
on_replica -c 'ALTER SUBSCRIPTION copy DISABLE' -c 'ALTER SUBSCRIPTION copy SET (slot_name = NONE)' \
	-c 'DROP SUBSCRIPTION copy'
pg_ctl -s -m immediate stop
# As doc/operations.md says.
on_replica >/dev/null <<-'SQL'
	SELECT format('SELECT setval(''ordcancel.%1$s_seq'', greatest((SELECT last_value FROM ordcancel.%1$s_seq), '
	              '(SELECT max(%1$s) FROM %2$s)))', r.id, r.records)
	FROM ordcancel.order_table,
	    LATERAL (VALUES ('cancellation_id', cancellation_table::regclass), ('event_id', event_table::regclass))
	        AS r (id, records) \gexec
SQL
generation=2
go_to four
resume
work_on
ok "and takes over, $(events) events after $SECONDS s"

# ---------------------------------------------------------------- the end

pause_clients
nothing_waits
ok 'everything is read in the end' ||
	sql $db -c 'SELECT name, lag_events, worker FROM ordcancel.consumers' | sed 's/^/# /'
touch "$CONTROL/stop"
wait $clients $workers
sed 's/^/# /' "$work/clients.out" "$work/workers.out"
is "$(cat "$CONTROL/wrong" 2>/dev/null)" '' 'no client and no worker had an error that it should not have'
sql $db -F ' ' -c 'SELECT event_id, orders, type, order_key FROM shop.events' >"$work/events"

compare() # CONSUMER FILTER [FILE...]
{
	is "$("$python" "$here/consumers/compare.py" "$work/events" "$LOGS/$1" "${@:2}" 2>"$work/counts")" '' \
		"consumer $1 got every event that it asked for, each order's in their order"
	sed 's/^/# /' "$work/counts"
}

compare everything all
compare orders shop.orders
compare closed canceled,undone
compare late all "$work/before" "$work/after"
# To find out why: who had what at the end, and the last that it was told.
[ $tap_failed -eq 0 ] || {
	sql $db -c 'SELECT * FROM ordcancel.consumer' | sed 's/^/# /'
	tail -n 40 "$LOGS/late" | sed 's/^/# /'
}
done_testing
