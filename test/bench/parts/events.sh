# shellcheck shell=bash disable=SC2154
# Events and those who wait for them: what announcing them costs 32 clients that
# wait for the disk, and how soon a consumer hears of them meanwhile.

rounds=$(scaled 11 1)
seconds=$(scaled 3 1)
clients=32

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
	PGDATABASE=run as_user "$work/tmp/consumer" listen >"$work/heard" &
	consumer=$!
	until_listening && cancel test/bench/wire/ours.sql "ordcancel.notify=$notify" \
		"session_preload_libraries=$work/tmp/committed" -- "$@" >"$work/tps"
	status=$?
	tps=$(cat "$work/tps")
	# The consumer ends when it has heard of all.
	sql run -c "SELECT pg_notify('ordcancel', 'end ' || count(*)) FROM shop.orders_cancellation_event
		WHERE order_id > $behind AND order_id <= $behind + $clients * $each" >/dev/null
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
		FROM heard JOIN shop.orders_cancellation_event USING (event_id) JOIN committed USING (xid),
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
		latency even "the same load, half of what commit can" '<= 1' -
}

measure()
{
	compile && announcing
}
