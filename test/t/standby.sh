#!/usr/bin/env bash
# A standby reads, and says clearly that it does nothing: a job that calls it
# there must not seem to succeed.
set -u
. "$(dirname "$0")/lib/tap.sh"

db=t_standby

before_exit "stop_cluster '$work/standby'"

# The SQLSTATE of a statement, and how often it has warned.
on_standby() # STATEMENT
{
	PGHOST=$work/standby sql $db -v VERBOSITY=sqlstate -c "$1" 2>&1
}

own_cluster "$work" 'wal_level = replica' && createdb $db && sql $db <<-'SQL'
	CREATE EXTENSION ordcancel;
	CREATE TABLE orders (id integer PRIMARY KEY, status text NOT NULL DEFAULT 'placed');
	INSERT INTO orders SELECT generate_series(1, 3);
	SELECT ordcancel.attach('orders', 'status'),
	       ordcancel.set_policy('orders', canceled_status => 'canceled', decision_timeout => '0', on_timeout => 'deny'),
	       ordcancel.set_rule('orders', 'placed', customer => 'request', merchant => 'cancel') \g /dev/null
	CALL ordcancel.cancel_batch('orders', 'id = 3');
	SELECT ordcancel.request_cancel('orders', id) FROM generate_series(1, 2) AS id \g /dev/null
SQL
ok 'two overdue requests, and a batch' || done_testing
mkdir -m 700 "$work/standby" && pg_basebackup -D "$work/standby/data" -c fast -R --no-sync &&
	echo "unix_socket_directories = '$work/standby'" >>"$work/standby/data/postgresql.conf" &&
	pg_ctl -s -w -D "$work/standby/data" -l "$work/standby/server.log" start
ok 'a standby' || done_testing

is "$(PGHOST=$work/standby sql $db -c 'SELECT pg_is_in_recovery(), count(*) FROM ordcancel.pending_requests
		WHERE overdue')" 't|2' 'it shows them'
is "$(PGHOST=$work/standby sql $db -c "SELECT count(*) > 0 FROM ordcancel.cancel_options('orders', 1) WHERE allowed")" \
	t 'and what may be done'
for statement in 'CALL ordcancel.sweep()' "CALL ordcancel.cancel_batch('orders', 'true')" \
	"CALL ordcancel.cancel_batch('orders', 'true', dry_run => true)" \
	'CALL ordcancel.resume_batch(1)' "SELECT ordcancel.cancel_order('orders', 1)" \
	"SELECT ordcancel.cancel_orders('orders', '{1,2}')" \
	"SELECT ordcancel.deny_cancel('orders', 1, 'no')"; do
	is "$(on_standby "$statement")" 'ERROR:  25006' "$statement"
done
is "$(sql $db -c 'CALL ordcancel.sweep()' 2>&1)$(sql $db \
	-c "SELECT string_agg(state, ' ') FROM orders_cancellation WHERE order_id < 3")" 'denied denied' \
	'the primary decides them'
done_testing
