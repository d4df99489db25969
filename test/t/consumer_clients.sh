#!/usr/bin/env bash
# The consumers of doc/examples handle every committed event once, those of an
# order in their order, whatever is lost: the connection, the server, the
# program itself, the primary. Each has its own database, and all of them run at
# the same time.
set -u
. "$(dirname "$0")/lib/tap.sh"
. "$here/lib/clients.sh"
. "$here/lib/session.sh"
cd "$here/../.." || exit

clients=(c python asyncio node)
declare -A pids=()
declare -A source=([c]=consumer.c [python]=consumer.py [asyncio]=consumer_async.py [node]=consumer.js)

# shellcheck disable=SC2016
before_exit 'kill -9 "${pids[@]}" 2>/dev/null'
before_exit "stop_cluster '$work/b'"

# The programs, made to look for events every so many seconds if they are not
# notified.
# shellcheck disable=SC2086
programs() # SECONDS
{
	mkdir "$work/$1" && cp doc/examples/consumer* "$work/$1" &&
		sed -E -i "s/(POLL_SECONDS =|POLL_MS) 5/\\1 $1/" "$work/$1"/* &&
		[ "$(grep -hcE "POLL_SECONDS = $1\\b|POLL_MS ${1}000\\b" "$work/$1"/* | tr -d '\n')" = 1111 ] &&
		cc -Wall -Wextra -Werror -O2 -o "$work/$1/consumer" "$work/$1/consumer.c" $LIBPQ_FLAGS -lpq
}

start() # SECONDS
{
	local client command directory=$work/$1

	for client in "${clients[@]}"; do
		case $client in
			c) command=("$directory/consumer") ;;
			node) command=(env NODE_PATH="$CLIENT_MODULES" node "$directory/consumer.js") ;;
			*) command=(/usr/bin/python3 -B "$directory/${source[$client]}") ;;
		esac
		: >"$work/$client.out"
		PGHOST=$work/a,$work/b PGUSER=mailer PGAPPNAME=consumer PGDATABASE=t_$client "${command[@]}" \
			>"$work/$client.out" 2>&1 3>&- 4>&- &
		pids[$client]=$!
	done
}

ended() # CLIENT
{
	! kill -0 "${pids[$1]}" 2>/dev/null
}

# All of them end by themselves, with status 0. They would wait longer for an
# event than this does.
all_end()
{
	local client status=0

	for client in "${clients[@]}"; do
		if ! wait_for ended "$client" || ! wait "${pids[$client]}"; then
			echo "# $client:" && sed 's/^/# /' "$work/$client.out"
			status=1
		fi
	done
	return $status
}

kill_all()
{
	kill -9 "${pids[@]}"
	wait "${pids[@]}" 2>/dev/null
}

all_said() # PATTERN
{
	local client

	for client in "${clients[@]}"; do
		wait_for grep -qE "$1" "$work/$client.out" || {
			echo "# $client did not say $1:" && sed 's/^/# /' "$work/$client.out"
			return 1
		}
	done
}

# Cancels, restores and cancels again, in one transaction each, and not in one
# that is rolled back.
cancel() # ORDER...
{
	local order

	for order; do
		printf '%s\n' "SELECT ordcancel.cancel_order('shop.orders', $order) \\g /dev/null" \
			"SELECT ordcancel.undo_cancel('shop.orders', $order, 'Packed already.') \\g /dev/null" \
			BEGIN\; "SELECT ordcancel.cancel_order('shop.orders', $order) \\g /dev/null" ROLLBACK\; \
			"SELECT ordcancel.cancel_order('shop.orders', $order) \\g /dev/null"
	done
}

in_all() # [ARGUMENT OF psql...]
{
	local client

	for client in "${clients[@]}"; do
		sql "t_$client" "$@" || return
	done
}

cancel_in_all() # ORDER...
{
	local client

	for client in "${clients[@]}"; do
		cancel "$@" | sql "t_$client" || return
	done
}

all_handled()
{
	local client

	for client in "${clients[@]}"; do
		until_true "t_$client" 'NOT EXISTS (SELECT event_id FROM ordcancel.event
			EXCEPT SELECT event_id FROM shop.mail_queue)' || {
			echo "# $client:" && tail -n 20 "$work/$client.out" | sed 's/^/# /'
			return 1
		}
	done
}

# So many orders with four digits, and the standby knows.
many_handled() # NUMBER
{
	local client

	for client in "${clients[@]}"; do
		PGHOST=$work/b until_true "t_$client" "(SELECT count(DISTINCT order_key) FROM shop.mail_queue
			WHERE length(order_key) = 4) >= $1" || return
	done
}

# A batch cannot be handled until release_batches.
stop_batches()
{
	local client

	for client in "${clients[@]}"; do
		sql "t_$client" -c 'BEGIN' -c 'LOCK TABLE shop.mail_queue IN SHARE MODE' -c "PREPARE TRANSACTION '$client'"
	done
}

release_batches()
{
	local client

	for client in "${clients[@]}"; do
		sql "t_$client" -c "ROLLBACK PREPARED '$client'"
	done
}

# Until each is in the middle of a batch, in a session that was not there before.
all_in_batch()
{
	until_true postgres "(SELECT count(*) FROM pg_stat_activity WHERE application_name = 'consumer'
		AND wait_event_type = 'Lock' AND pid <> ALL ('{$sessions}')) = ${#clients[@]}" || return
	sessions=$(sql postgres -c "SELECT string_agg(pid::text, ',') FROM pg_stat_activity
		WHERE application_name = 'consumer'")
}

all_idle()
{
	until_true postgres "(SELECT count(*) FROM pg_stat_activity WHERE application_name = 'consumer'
		AND state = 'idle' AND query LIKE 'COMMIT%') = ${#clients[@]}"
}

terminate()
{
	sql postgres -c "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'consumer'"
}

# Handled more than once, handled but not acknowledged with that, handled but
# never committed, committed but not handled, handled before an earlier event of
# the order.
check() # NAME
{
	is "$(in_all -c 'SELECT count(*) - count(DISTINCT event_id) FROM shop.handled' \
		-c 'SELECT count(*) FROM shop.handled WHERE acked IS NOT TRUE' \
		-c 'SELECT count(*) FROM (SELECT event_id FROM shop.handled EXCEPT SELECT event_id FROM ordcancel.event) AS e' \
		-c 'SELECT count(*) FROM (SELECT event_id FROM ordcancel.event EXCEPT SELECT event_id FROM shop.handled) AS e' \
		-c 'SELECT count(*) FROM (SELECT event_id < max(event_id) OVER (PARTITION BY order_key ORDER BY n) AS wrong
			FROM shop.handled) AS e WHERE wrong' | tr '\n' ' ')" "$(printf '0 0 0 0 0 %.0s' "${clients[@]}")" "$1"
}

# ------------------------------------------------------------------- a cluster

have_modules
programs 1 && programs 600
ok 'the programs' || done_testing

sessions=0
mkdir "$work/a" && own_cluster "$work/a" 'max_prepared_transactions = 10' && createdb template && sql template <<-SQL
	CREATE EXTENSION ordcancel;
	CREATE ROLE mailer LOGIN;
	SELECT ordcancel.grant_consumer('mailer') \\g /dev/null
	CREATE SCHEMA shop;
	GRANT USAGE, CREATE ON SCHEMA shop TO mailer;
	CREATE TABLE shop.orders (id integer PRIMARY KEY, status text NOT NULL DEFAULT 'placed');
	GRANT SELECT ON shop.orders TO mailer;
	INSERT INTO shop.orders SELECT generate_series(1, 5000);
	SELECT ordcancel.attach('shop.orders', 'status') \\g /dev/null
	SELECT ordcancel.set_policy('shop.orders', canceled_status => 'canceled') \\g /dev/null
	SELECT ordcancel.set_rule('shop.orders', 'placed', customer => 'cancel', merchant => 'cancel') \\g /dev/null
	-- What mail_queue is given, whether or not it is there already, and whether that is acknowledged when it is
	-- committed. To acknowledge it again is false.
	CREATE TABLE shop.handled (n bigint GENERATED ALWAYS AS IDENTITY, event_id bigint, order_key text, acked boolean);
	CREATE INDEX ON shop.handled (event_id);
	GRANT SELECT, INSERT, UPDATE ON shop.handled TO mailer;
	CREATE FUNCTION shop.handle() RETURNS trigger LANGUAGE plpgsql AS \$\$
	BEGIN
	    INSERT INTO shop.handled (event_id, order_key) VALUES (NEW.event_id, NEW.order_key);
	    RETURN NEW;
	END
	\$\$;
	CREATE FUNCTION shop.commit() RETURNS trigger LANGUAGE plpgsql AS \$\$
	BEGIN
	    UPDATE shop.handled SET acked = NOT ordcancel.ack('mail', NEW.event_id) WHERE event_id = NEW.event_id;
	    RETURN NULL;
	END
	\$\$;
SQL
ok 'a shop' || done_testing
for client in "${clients[@]}"; do
	# As the program's first lines say.
	createdb -T template "t_$client" && {
		grep -oE "(CREATE TABLE shop\.|SELECT ordcancel\.create_consumer).*;" "doc/examples/${source[$client]}"
		echo 'CREATE TRIGGER handle BEFORE INSERT ON shop.mail_queue FOR EACH ROW EXECUTE FUNCTION shop.handle();'
		echo 'CREATE CONSTRAINT TRIGGER commit AFTER INSERT ON shop.mail_queue DEFERRABLE INITIALLY DEFERRED
		      FOR EACH ROW EXECUTE FUNCTION shop.commit()'
	} | sql "t_$client" -U mailer >/dev/null
	ok "$client: the table and the consumer" || done_testing
done
mkdir -m 700 "$work/b" && pg_basebackup -D "$work/b/data" -c fast -R --no-sync &&
	echo "unix_socket_directories = '$work/b'" >>"$work/b/data/postgresql.conf" &&
	pg_ctl -s -w -D "$work/b/data" -l "$work/b/server.log" start
ok 'a standby' || done_testing

# -------------------------------------------------------------- before and now

cancel_in_all {1..40}
start 600
all_handled
ok 'the events from before they started'
for order in 151 152 153; do
	cancel_in_all $order && all_handled
	ok "order $order is canceled, restored and canceled while they wait"
done
is "$(PGDATABASE=t_python /usr/bin/python3 -B doc/examples/shop.py 154 out_of_stock)" 'canceled True' 'shop.py cancels'
like "$(PGDATABASE=t_node NODE_PATH=$CLIENT_MODULES node doc/examples/shop.js 154)" "state: 'canceled'" \
	'shop.js cancels'

# A transaction that began first does the second thing to an order.
for client in "${clients[@]}"; do
	open_session "t_$client"
	ask_session 'BEGIN; SELECT pg_current_xact_id()'
	sql "t_$client" -c "SELECT ordcancel.cancel_order('shop.orders', 155)" >/dev/null
	ask_session "SELECT ordcancel.undo_cancel('shop.orders', 155, 'Packed already.'); COMMIT"
	close_session
done
all_handled
ok 'an older transaction follows a younger one'
check 'so far each event once, in its order'

# ------------------------------------------------------------- what can be lost

all_idle
ok 'they wait'
is "$(terminate)" 4 'and lose their connections'
cancel_in_all 161 && all_handled
ok 'they connect again'

stop_batches
cancel_in_all 162 && all_in_batch
ok 'they are in the middle of a batch'
is "$(terminate)" 4 'and lose their connections'
all_in_batch
ok 'they connect again, and handle the batch again'
pg_ctl -s -m immediate stop
pg_ctl -s -w -l "$work/a/server.log" start
all_in_batch
ok 'so they do after a crash of the server'
kill_all
start 1
until_true postgres "(SELECT count(*) FROM pg_stat_activity WHERE application_name = 'consumer'
	AND pid <> ALL ('{$sessions}') AND state = 'idle' AND query LIKE 'COMMIT%') = ${#clients[@]}"
ok 'they are killed; others find that the batch is being handled'
release_batches
in_all -c "SET ordcancel.notify = off; SELECT ordcancel.cancel_order('shop.orders', 163)" >/dev/null
all_handled
ok 'nobody tells them when it is free, they look themselves'
check 'each event once, in its order'

stop_batches
sessions=0
in_all -c "SELECT ordcancel.cancel_order('shop.orders', 164)" >/dev/null && all_in_batch
ok 'they are in the middle of a batch again'
kill -TERM "${pids[@]}"
release_batches
all_end
ok 'SIGTERM ends them, with status 0'
is "$(in_all -c "SELECT count(*) FROM shop.mail_queue WHERE order_key = '164'" | tr '\n' ' ')" '1 1 1 1 ' \
	'after the batch in hand'

# ------------------------------------------------------------------- a failover

start 600
cancel {1001..5000} >"$work/cancel.sql"
for client in "${clients[@]}"; do
	sql "t_$client" -f "$work/cancel.sql" 2>/dev/null &
done
many_handled 10
kill_all
start 600
many_handled 30
ok 'they are killed and started again while orders are canceled'
pg_ctl -s -m immediate stop
all_said 'read-only|standby'
ok 'the primary is gone, and they do not use a standby'
export PGHOST=$work/b PGDATA=$work/b/data
pg_ctl -s -w promote && all_handled
ok 'when it is promoted they go on with it'
cancel_in_all 165 && all_handled
ok 'and with what happens there'
check 'each event once, in its order'

in_all -c "ALTER TABLE shop.mail_queue ADD CHECK (order_key <> '166')" \
	-c "SELECT ordcancel.cancel_order('shop.orders', 166), ordcancel.cancel_order('shop.orders', 167)" >/dev/null
all_said '^event [0-9]+ failed'
ok 'an event that cannot be handled stops them'
in_all -c "SELECT ordcancel.skip_event('mail', event_id, 'no address') FROM ordcancel.event
	WHERE order_key = '166'" >/dev/null
for client in "${clients[@]}"; do
	until_true "t_$client" "EXISTS (SELECT FROM shop.mail_queue WHERE order_key = '167')"
done
ok 'until it is set aside'

# ---------------------------------------------------------------------- an end

all_idle
kill -INT "${pids[@]}"
all_end
ok 'Ctrl-C ends them while they wait, with status 0'
pg_ctl -s -m immediate stop
start 600
all_said 'server running|ENOENT'
ok 'no server answers'
kill -INT "${pids[@]}"
all_end
ok 'Ctrl-C ends them between two attempts'
done_testing
