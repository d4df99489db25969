# shellcheck shell=bash disable=SC2154
# Events and those who wait for them: what announcing them costs 32 clients that
# wait for the disk, and how soon a consumer hears of them meanwhile.

rounds=$(scaled 9 1)
seconds=$(scaled 3 1)
clients=32

# What the clients of heard() do, and how many channels its consumer listens to.
script=test/bench/wire/ours.sql
channels=0

# What the sides have measured besides what they print.
beside()
{
	echo "$2" >>"$work/numbers/$1"
}

compile()
{
	"$pg_config" --version >/dev/null &&
		cc -O2 -Wall -I"$("$pg_config" --includedir)" -L"$("$pg_config" --libdir)" \
			-o "$work/tmp/consumer" test/bench/events/consumer.c -lpq &&
		cc -O2 -Wall -shared -fPIC -I"$("$pg_config" --includedir-server)" \
			-o "$work/tmp/committed.so" test/bench/events/committed.c
}

# The relay of the database that has just been made.
relay_up()
{
	local i

	for ((i = 0; i < 150; i++)); do
		[ "$(sql run -c "SELECT count(*) FROM pg_stat_activity
			WHERE backend_type = 'ordcancel relay' AND datname = 'run' AND state IS NOT NULL")" = 0 ] || return 0
		sleep 0.1
	done
	echo "no relay" >&2
	return 1
}

settings() # LINE...
{
	printf '%s\n' "$@" | as_user tee -a "$PGDATA/postgresql.conf" >/dev/null &&
		as_user pg_ctl -s -w -l "$work/server.log" restart
}

# Clients that cancel orders of their own, each run those behind the run before
# it. Prints transactions per second.
cancel() # SCRIPT SETTING... [-- ARGUMENT OF PGBENCH...]
{
	local out=$work/clients.out script=$1 options='' runs

	shift
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		options+=" -c $1"
		shift
	done
	shift
	runs=$(cat "$work/runs")
	echo $((runs + 1)) >"$work/runs"
	behind=$((runs * clients * each))
	sql run -c CHECKPOINT || return
	PGOPTIONS=$options as_user pgbench -n -c $clients -j 2 -T "$seconds" -M prepared -D n=0 -D behind=$behind \
		-D each="$each" "$@" -f "$script" run >"$out" 2>&1 || {
		cat "$out" >&2
		return 1
	}
	sed -n 's/^tps = \([0-9.]*\).*/\1/p' "$out"
}

# ------------------------------------------------------------------ throughput

announced() # NOTIFY
{
	cancel test/bench/wire/ours.sql "ordcancel.notify=$1" --
}

off() { announced off; }
commit() { announced commit; }
relay() { announced relay; }

# --------------------------------------------------------------------- latency

# The same with a consumer that waits in LISTEN. What is measured is the time
# from a commit until the consumer has the event's notification in its hands.
#
# A commit takes time, and what "after" it means decides who wins. From its
# beginning, when the client has sent COMMIT, it is all that the announcement
# costs anybody: with "commit" the transaction then waits for NOTIFY's lock
# behind the other clients, with "relay" it waits with them for the disk. From
# its end, when the event is on disk and others can see it, that wait is left
# out: this is only the way of the notification. With the relay that is a process
# longer, and the processors are busier, since more is committed.
heard() # SIDE NOTIFY [ARGUMENT OF PGBENCH...]
{
	local side=$1 notify=$2 consumer tps status

	shift 2
	rm -f "$PGDATA"/committed.*
	PGDATABASE=run as_user timeout 100 "$work/tmp/consumer" listen "$channels" >"$work/heard" &
	consumer=$!
	until_listening && cancel "$script" "ordcancel.notify=$notify" \
		"session_preload_libraries=$work/tmp/committed" -- "$@" >"$work/tps"
	status=$?
	tps=$(cat "$work/tps")
	# The consumer ends when it has heard of all.
	sql run -c "SELECT pg_notify('ordcancel', 'end ' || count(*)) FROM ordcancel.event
		WHERE order_key::bigint > $behind AND order_key::bigint <= $behind + $clients * $each" >/dev/null
	wait "$consumer" && [ "$status" -eq 0 ] || return
	cat "$PGDATA"/committed.* >"$work/committed"
	sql run <<-SQL >"$work/latencies" || return
		CREATE TEMP TABLE heard (event_id bigint, at bigint);
		CREATE TEMP TABLE committed (xid bigint, began bigint, ended bigint);
		\copy heard FROM '$work/heard'
		\copy committed FROM '$work/committed'
		ANALYZE heard, committed;
		SELECT p.name, percentile_cont(p.fraction) WITHIN GROUP (ORDER BY heard.at - CASE b.name WHEN 'began' THEN began
			ELSE ended END), b.name
		FROM heard JOIN ordcancel.event USING (event_id) JOIN committed USING (xid),
			(VALUES ('median', 0.5), ('slow', 0.99)) AS p (name, fraction), (VALUES ('began'), ('ended')) AS b (name)
		GROUP BY 1, p.fraction, 3;
	SQL
	while IFS='|' read -r name value since; do
		beside "${side}_${since}_$name" "$value"
	done <"$work/latencies"
	[ "$(wc -l <"$work/latencies")" = 4 ] && echo "$tps"
}

until_listening()
{
	local i

	for ((i = 0; i < 100; i++)); do
		[ "$(sql run -c "SELECT count(*) FROM pg_stat_activity WHERE datname = 'run' AND state = 'idle'
			AND query = 'LISTEN ordcancel'")" = 0 ] || return 0
		sleep 0.1
	done
	return 1
}

full_commit() { heard full_commit commit; }
full_relay() { heard full_relay relay; }
even_commit() { heard even_commit commit -R "$rate"; }
even_relay() { heard even_relay relay -R "$rate"; }

latency() # SIDES LOAD TARGET TARGET-AFTER
{
	take "$1_commit" "$1_relay" || return
	figure "$2, from COMMIT to the consumer, median" "$3" µs "$1_relay_began_median / $1_commit_began_median"
	figure "$2, from COMMIT to the consumer, 99th percentile" "$3" µs "$1_relay_began_slow / $1_commit_began_slow"
	figure "$2, after the commit, median" "$4" µs "$1_relay_ended_median / $1_commit_ended_median"
	figure "$2, after the commit, 99th percentile" "$4" µs "$1_relay_ended_slow / $1_commit_ended_slow"
}

announcing()
{
	each=$(scaled 1500 1000)
	template events $((4 * rounds * clients * each)) orders canceled && fresh events || return
	settings 'fsync = on' "shared_preload_libraries = 'ordcancel'" "ordcancel.relay_databases = 'run'" &&
		echo 0 >"$work/runs" && relay_up && take off commit relay || return
	figure "$clients clients, the relay to no NOTIFY" '>= 0.95' tps 'relay / off'
	figure "$clients clients, NOTIFY to no NOTIFY" - tps 'commit / off'
	rate=$(awk -v c="$(middle commit)" 'BEGIN { print int(c / 2) }')
	rm -f "$work"/numbers/{full,even}_*
	fresh events && echo 0 >"$work/runs" && relay_up &&
		latency full "$clients clients" '<= 1' '<= 1' &&
		figure "$clients clients and a consumer, relay to commit" - tps 'full_relay / full_commit' &&
		latency even "the same load, half of what NOTIFY can" - -
}

# --------------------------------------------------------------------- backlog

consumer() # DATABASE ARGUMENT...
{
	PGDATABASE=$1 as_user "$work/tmp/consumer" "${@:2}"
}

# Databases with events that were not read yet, and with none.
make_backlog()
{
	local i

	as_user dropdb --if-exists events
	template none 4000 orders canceled && template full $((waiting + 2000)) orders canceled || return
	for ((i = 0; i < 10; i++)); do
		sql full -c 'SET ordcancel.notify = off' -c "SELECT count(*) FROM ordcancel.cancel_orders('shop.orders',
			ARRAY(SELECT generate_series($i::bigint * $waiting / 10 + 1, ($i::bigint + 1) * $waiting / 10)))" >/dev/null
	done
	sql full -c "CREATE SEQUENCE next START $((waiting + 1))" -c 'VACUUM (FREEZE, ANALYZE)' &&
		sql none -c 'CREATE SEQUENCE next' -c CHECKPOINT
}

drain()
{
	sql full -c "SELECT ordcancel.create_consumer('drain', start_at => 'beginning')" >/dev/null &&
		consumer full drain drain 10000 &&
		sql full -c "SELECT ordcancel.drop_consumer('drain')" >/dev/null
}

copy()
{
	consumer full copy 'SELECT * FROM shop.orders_cancellation_event ORDER BY event_id'
}

# Both consumers have acknowledged all that there is.
poll_none() { consumer none time "$polls" '' "SELECT * FROM ordcancel.next_events('poll')" ''; }
poll_full() { consumer full time "$polls" '' "SELECT * FROM ordcancel.next_events('poll')" ''; }

# Each poll finds the event of a cancellation that was made just before it.
poll_one() # DATABASE
{
	consumer "$1" time "$polls" \
		"SELECT ordcancel.cancel_order('shop.orders', nextval('next'), 'out_of_stock')" \
		"SELECT * FROM ordcancel.next_events('poll')" \
		"SELECT ordcancel.ack('poll', (SELECT last_value FROM ordcancel.event_id_seq))"
}

poll_one_none() { poll_one none; }
poll_one_full() { poll_one full; }

backlog()
{
	waiting=$(scaled 1000000 20000)
	polls=$(scaled 150 50)
	rounds=$(scaled 5 1)
	make_backlog && take drain copy || return
	figure "a backlog of $waiting by next_events and ack, to COPY" '>= 0.3' rows/s 'drain / copy'
	for db in full none; do
		sql $db -c "SELECT ordcancel.create_consumer('poll', start_at => 'beginning')" >/dev/null &&
			consumer $db drain poll 10000 >/dev/null || return
	done
	take poll_full poll_none && take poll_one_full poll_one_none || return
	figure "a poll that finds nothing, after $waiting acknowledged events, to after none" '<= 1.15' µs \
		'poll_full / poll_none'
	figure "a poll that finds an event, after $waiting acknowledged events, to after none" '<= 1.15' µs \
		'poll_one_full / poll_one_none'
}

# ----------------------------------------------------------------- many tables

# Order n of table n % tables + 1.
make_tables()
{
	as_user dropdb --if-exists none && as_user dropdb --if-exists full && as_user createdb many &&
		sql many -v tables="$tables" -v n="$orders" -f test/bench/sql/channels.sql >/dev/null &&
		sql many -c 'VACUUM (FREEZE, ANALYZE)' -c CHECKPOINT
}

# Ten events are waiting, each in another table.
read_next() { consumer run time "$polls" '' "SELECT * FROM ordcancel.next_events('many')" ''; }

read_parent()
{
	consumer run time "$parent_polls" '' \
		"SELECT * FROM ordcancel.event WHERE event_id > $seen ORDER BY event_id LIMIT 10" ''
}

# Held at the end of a transaction that has read them; one lock is that of
# pg_locks itself.
locks() # QUERY
{
	sql run <<-SQL
		BEGIN;
		SELECT count(*) FROM ($1) AS e \g /dev/null
		SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid();
		COMMIT;
	SQL
}

locks_next() { locks "SELECT * FROM ordcancel.next_events('many')"; }
locks_parent() { locks "SELECT * FROM ordcancel.event WHERE event_id > $seen ORDER BY event_id LIMIT 10"; }

reading_tables()
{
	fresh many && echo 0 >"$work/runs" && relay_up || return
	seen=$(sql run -c 'SELECT last_value FROM ordcancel.event_id_seq')
	sql run -c "SELECT ordcancel.create_consumer('many')" >/dev/null &&
		sql run -c "SELECT ordcancel.cancel_order(('many.orders_' || n * ($tables / 10))::regclass,
			$orders + n * ($tables / 10) - 1) FROM generate_series(1, 10) AS n" >/dev/null || return
	take read_next read_parent && take locks_next locks_parent || return
	figure "10 events of $tables tables by next_events, to the parent table" '<= 0.02' µs 'read_next / read_parent'
	figure "the locks that it holds then, to the parent table" - locks 'locks_next / locks_parent'
	echo "locks held: $(middle locks_next) after next_events, $(middle locks_parent) after the parent table"
}

# What a client does.
many() # NOTIFY
{
	cancel test/bench/wire/many.sql "ordcancel.notify=$1" -- -D tables="$tables"
}

# The relay's part of a processor.
relay_ms()
{
	local pid

	pid=$(sql run -c "SELECT pid FROM pg_stat_activity WHERE backend_type = 'ordcancel relay' AND datname = 'run'") &&
		awk -v tick="$(getconf CLK_TCK)" '{ print ($14 + $15) * 1000 / tick }' "/proc/$pid/stat"
}

many_off() { many off; }
many_commit() { many commit; }

many_relay()
{
	local before

	before=$(relay_ms) && many relay && beside relay_share "$(awk -v ms="$(relay_ms)" -v before="$before" \
		-v s="$seconds" 'BEGIN { print (ms - before) / s / 10 }')"
}

heard_many_commit() { heard heard_many_commit commit -D tables="$tables"; }
heard_many_relay() { heard heard_many_relay relay -D tables="$tables"; }

many_tables()
{
	tables=$(scaled 1000 50)
	polls=$(scaled 50 5)
	parent_polls=$(scaled 5 2)
	seconds=$(scaled 5 1)
	each=$(scaled 1500 400)
	orders=$((5 * rounds * clients * each))
	rm -f "$work"/numbers/{heard_many,relay_share}*
	make_tables && reading_tables || return
	sql postgres -c 'ALTER SYSTEM SET fsync = on' -c 'SELECT pg_reload_conf()' >/dev/null &&
		take many_off many_commit many_relay || return
	figure "$clients clients on $tables tables with channels of their own, the relay to no NOTIFY" - tps \
		'many_relay / many_off'
	figure "the same, NOTIFY to no NOTIFY" - tps 'many_commit / many_off'
	echo "of one processor, the relay takes $(middle relay_share) percent"
	script=test/bench/wire/many.sql channels=$tables
	take heard_many_commit heard_many_relay || return
	figure "the same, from COMMIT to a consumer that listens to all, median" - µs \
		'heard_many_relay_began_median / heard_many_commit_began_median'
	figure "the same, from COMMIT to a consumer that listens to all, 99th percentile" - µs \
		'heard_many_relay_began_slow / heard_many_commit_began_slow'
}

measure()
{
	compile && announcing && settings 'fsync = off' 'max_locks_per_transaction = 512' && backlog && many_tables
}
