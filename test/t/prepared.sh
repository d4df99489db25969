#!/usr/bin/env bash
# Two-phase commit: PostgreSQL prepares no transaction that has notified, so
# with announcements off cancellations can be part of one, and else the error
# is PostgreSQL's own.
set -u
. "$(dirname "$0")/lib/tap.sh"

db=t_prepared

# Status of the order, states of its cancellations, types of its events.
traces() # ID
{
	sql $db -c "SELECT concat_ws(' ', status,
		(SELECT string_agg(state, ' ' ORDER BY cancellation_id) FROM shop.orders_cancellation WHERE order_id = id),
		(SELECT string_agg(type, ' ' ORDER BY event_id) FROM shop.orders_cancellation_event WHERE order_id = id))
		FROM shop.orders WHERE id = $1"
}

prepare() # ID NAME NOTIFY
{
	sql $db -v VERBOSITY=sqlstate 2>&1 <<-SQL
		SET ordcancel.notify = '$3';
		BEGIN;
		SELECT ordcancel.cancel_order('shop.orders', $1) \g /dev/null
		PREPARE TRANSACTION '$2';
	SQL
}

own_cluster "$work" 'max_prepared_transactions = 5' && createdb $db && sql $db <<-SQL
	CREATE EXTENSION ordcancel;
	CREATE SCHEMA shop;
	CREATE TABLE shop.orders (id integer PRIMARY KEY, status text NOT NULL DEFAULT 'placed');
	INSERT INTO shop.orders SELECT generate_series(1, 5);
	SELECT ordcancel.attach('shop.orders', 'status') \g /dev/null
	SELECT ordcancel.set_policy('shop.orders', canceled_status => 'canceled') \g /dev/null
	SELECT ordcancel.set_rule('shop.orders', 'placed', merchant => 'cancel') \g /dev/null
SQL
ok 'a cluster with prepared transactions' || done_testing

like "$(prepare 1 one commit)" '0A000' 'with announcements a transaction cannot be prepared'
is "$(traces 1)" placed 'nothing is left of it'

is "$(prepare 1 one off)" '' 'without it can'
is "$(prepare 2 two off)" '' 'and another'
is "$(traces 1)" placed 'nobody sees it yet'
like "$(sql $db -v VERBOSITY=sqlstate -c "SET lock_timeout = '100ms'" \
	-c "SELECT ordcancel.cancel_order('shop.orders', 1)" 2>&1)" \
	55P03 'who wants to cancel the same order waits'
is "$(sql $db -c "SELECT (ordcancel.cancel_order('shop.orders', 3)).state")" canceled 'other orders are free'

pg_ctl -s -m immediate stop
pg_ctl -s -w -l "$work/server.log" start
is "$(sql $db -c 'SELECT string_agg(gid, $$ $$ ORDER BY gid) FROM pg_prepared_xacts')" 'one two' \
	'they outlive a breakdown'
sql $db -c "COMMIT PREPARED 'one'"
is "$(traces 1)" 'canceled canceled canceled' 'the order, the record and the event come with the commit'
sql $db -c "ROLLBACK PREPARED 'two'"
is "$(traces 2)" placed 'and are gone with the rollback'
is "$(sql $db -c "SELECT o.state, o.changed FROM ordcancel.cancel_order('shop.orders', 1) AS o")" 'canceled|f' \
	'it is canceled for everybody'
is "$(sql $db -c "SELECT o.state, o.changed FROM ordcancel.cancel_order('shop.orders', 2) AS o")" 'canceled|t' \
	'the other can be canceled again'
done_testing
