#!/usr/bin/env bash
# What doc/monitoring.md has for Prometheus, Nagios, Grafana and psql returns the
# right figures, to the monitoring role alone.
set -u
. "$(dirname "$0")/lib/tap.sh"
. "$here/lib/session.sh"

cd "$here/../.." || exit
db=shop
PATH=$PWD/doc/examples/monitoring:$PATH
export PGDATABASE=$db
# It is noon here whenever the test runs, so an hour ago was today.
PGTZ=NOON$((10#$(date -u +%H) - 12))
export PGTZ

own_cluster "$work" "shared_preload_libraries = 'ordcancel'" && createdb $db &&
	sql $db -f test/t/monitoring/shop.sql >"$work/shop.out" 2>&1 && {
	psql -d shop -f doc/examples/monitoring/role.sql
	psql -d shop -f doc/examples/monitoring/role.sql
} >>"$work/shop.out" 2>&1 && ! grep ERROR "$work/shop.out" | grep -v 'could not extend file'
ok 'a shop, and the role, twice' || {
	sed 's/^/# /' "$work/shop.out"
	done_testing
}

# As the role: with its settings, and no rights but its own.
monitor() # COMMAND [ARGUMENT...]
{
	PGUSER=ordcancel_monitor "$@"
}

queries()
{
	monitor /usr/bin/python3 -B test/t/monitoring/queries.py "$@" 2>&1
}

check() # CHECK [THRESHOLD...]
{
	monitor check_ordcancel.sh "$@" 2>&1
	echo "status $?"
}

# What a page shows of it in the text block after a line.
shown_after() # LINE
{
	line=$1 awk '$0 == ENVIRON["line"] { found = 1 } found && /^```$/ { if (text) exit } text { print }
		found && /^```text$/ { text = 1 }' doc/monitoring.md
}

# Times of day, dates and seconds differ from run to run.
masked()
{
	sed -E 's/[0-9]{2}:[0-9]{2}:[0-9]{2}/00:00:00/g; s/[A-Z][a-z]{2} [0-9]{2} [0-9]{2}:[0-9]{2}/Jan 01 00:00/
		s/=[0-9.]+s;/=0s;/; s/ +$//'
}

like "$(monitor sql $db -c "CREATE TEMP TABLE t ()" 2>&1)" 'read-only transaction' 'the role is read-only'
is "$(monitor sql $db -c "SELECT string_agg(proname, ' ' ORDER BY proname) FROM pg_proc
	WHERE pronamespace = 'ordcancel'::regnamespace AND has_function_privilege(oid, 'EXECUTE')")" \
	'daily_summary health reason_summary' 'and can execute nothing that changes anything'
is "$(monitor sql $db -c 'SELECT count(*) FROM ordcancel.consumers' 2>&1 | grep -c 'permission denied')" 1 \
	'it belongs to no consumer'

# ------------------------------------------------------------------- Prometheus

is "$(queries metrics doc/examples/monitoring/postgres_exporter.yaml)" 'ordcancel_tables_attached{} 2
ordcancel_tables_readable{} 2
ordcancel_requests_pending{orders="shop.orders"} 5
ordcancel_requests_overdue{orders="shop.orders"} 2
ordcancel_requests_oldest_seconds{orders="shop.orders"} 120h
ordcancel_requests_overdue_seconds{orders="shop.orders"} 72h
ordcancel_requests_pending{orders="shop.tickets"} 0
ordcancel_requests_overdue{orders="shop.tickets"} 0
ordcancel_requests_oldest_seconds{orders="shop.tickets"} 0h
ordcancel_requests_overdue_seconds{orders="shop.tickets"} 0h
ordcancel_refunds_due{orders="shop.orders"} 3
ordcancel_refunds_outstanding{orders="shop.orders"} 560
ordcancel_refunds_oldest_seconds{orders="shop.orders"} 96h
ordcancel_refunds_due{orders="shop.tickets"} 0
ordcancel_refunds_outstanding{orders="shop.tickets"} 0
ordcancel_refunds_oldest_seconds{orders="shop.tickets"} 0h
ordcancel_consumer_lag_events{consumer="billing"} 0
ordcancel_consumer_lag_seconds{consumer="billing"} 0h
ordcancel_consumer_skipped_events{consumer="billing"} 0
ordcancel_consumer_lag_events{consumer="mail"} 35
ordcancel_consumer_lag_seconds{consumer="mail"} 120h
ordcancel_consumer_skipped_events{consumer="mail"} 1
ordcancel_today_requested{orders="shop.orders"} 29
ordcancel_today_canceled{orders="shop.orders"} 23
ordcancel_today_in_progress{orders="shop.orders"} 1
ordcancel_today_pending{orders="shop.orders"} 3
ordcancel_today_denied{orders="shop.orders"} 2
ordcancel_today_withdrawn{orders="shop.orders"} 0
ordcancel_today_undone{orders="shop.orders"} 0
ordcancel_today_requested{orders="shop.tickets"} 0
ordcancel_today_canceled{orders="shop.tickets"} 0
ordcancel_today_in_progress{orders="shop.tickets"} 0
ordcancel_today_pending{orders="shop.tickets"} 0
ordcancel_today_denied{orders="shop.tickets"} 0
ordcancel_today_withdrawn{orders="shop.tickets"} 0
ordcancel_today_undone{orders="shop.tickets"} 0
ordcancel_batches_running{orders="shop.orders"} 0
ordcancel_batches_orders_left{orders="shop.orders"} 0
ordcancel_batches_stopped{orders="shop.orders"} 1
ordcancel_batches_running{orders="shop.tickets"} 0
ordcancel_batches_orders_left{orders="shop.tickets"} 0
ordcancel_batches_stopped{orders="shop.tickets"} 0
ordcancel_notify_relay_expected{} 0
ordcancel_notify_relay_workers{} 0
ordcancel_notify_queue_ratio{} 0' 'the queries of postgres_exporter'
is "$(queries metrics doc/examples/monitoring/postgres_exporter_hourly.yaml)" \
	'ordcancel_health_problems{orders="shop.orders",problem="requests_overdue"} 1' 'and the one of every hour'

queries names doc/examples/monitoring/postgres_exporter{,_hourly}.yaml >"$work/names"
is "$(queries alerts doc/examples/monitoring/alerts.yaml | sort -u | comm -13 "$work/names" -)" '' \
	'alerts use only metrics that there are'
is "$(grep '^| `ordcancel_' doc/monitoring.md)" \
	"$(queries table doc/examples/monitoring/postgres_exporter{,_hourly}.yaml)" 'the page lists them as the files do'

# ----------------------------------------------------------------------- Grafana

is "$(queries panels doc/examples/monitoring/grafana.json shop.orders | sed 's/since [^;]*;/since TIME;/')" \
	'$orders: shop.orders shop.tickets
== Pending requests: pending
5
== Overdue requests: overdue
2
== Oldest request: seconds
120h
== Refunds due: due
3
== Outstanding refunds: outstanding
560
== Oldest refund: seconds
96h
== Cancellations per day, by what has become of them: time canceled in_progress pending denied withdrawn undone
TIME|0|0|2|0|0|0
TIME|0|2|0|0|0|0
TIME|23|1|3|2|0|0
== Reasons: reason requested
out_of_stock|22
customer_changed_mind|5
fraud|3
wont_arrive_in_time|2
== Median time to decision: time median
TIME|2h
== Latest cancellations: time order_id state reason requested_actor decided_actor
TIME|54|canceled|out_of_stock|postgres|postgres
TIME|53|canceled|out_of_stock|postgres|postgres
TIME|52|canceled|out_of_stock|postgres|postgres
TIME|51|canceled|out_of_stock|postgres|postgres
== Requests, overdue first: order_id requested_actor reason note age deadline overdue
1|ann|wont_arrive_in_time||120h|TIME|True
2|ann|wont_arrive_in_time||120h|TIME|True
3|bob|customer_changed_mind|Bought it twice|1h|TIME|False
4|bob|customer_changed_mind|Bought it twice|1h|TIME|False
== Refunds due, oldest first: order_id outstanding refund_due decided_actor reason age
21|210|210|anna|out_of_stock|96h
22|220|220|anna|out_of_stock|96h
23|130|230|anna||1h
== Consumers: name orders lag_events lag last_read_at last_ack_at skipped worker
mail|shop.orders|35|120h|TIME||1|
billing||0||TIME|TIME|0|
== Batches: batch_id state done total percent refused time_left started_at error
1|stopped|20|40|50.0|0||TIME|could not extend file
== Health: orders problem detail hint
shop.orders|requests_overdue|Overdue requests: 2, the first since TIME; for example that of order 1.|'"\
CALL ordcancel.sweep() decides them; run it every minute with pg_cron." 'the panels of the dashboard'

# ------------------------------------------------------------------------ Nagios

is "$(check requests 1e9 2>&1 | tail -n 1)" 'status 3' 'a threshold that is no number'
is "$(check everything | tail -n 1)" 'status 3' 'no such check'
is "$(PGPORT=1 check relay | tail -n 1)" 'status 3' 'no server'
like "$(check requests 500000 600000)" \
	'requests OK - requests pending: 5, the oldest for 5 days.* \| oldest=4[0-9.]+s;500000;600000 .status 0$' \
	'requests: OK'
like "$(check requests)" 'requests WARNING - .*status 1$' 'requests: WARNING'
like "$(check requests 3600 86400)" 'requests CRITICAL - .*status 2$' 'requests: CRITICAL'
like "$(check sweep 300000 600000)" \
	'sweep OK - requests overdue: 2, the first for 3 days.* \| overdue=2[0-9.]+s;300000;600000 .status 0$' 'sweep: OK'
like "$(check sweep 300 600000)" 'sweep WARNING - .*status 1$' 'sweep: WARNING'
like "$(check sweep)" 'sweep CRITICAL - .*status 2$' 'sweep: CRITICAL'
like "$(check refunds 400000 -)" \
	'refunds OK - refunds due: 3, in all 560, the oldest for 4 days.* \| oldest=3[0-9.]+s;400000; .status 0$' \
	'refunds: OK'
like "$(check refunds)" 'refunds WARNING - .*status 1$' 'refunds: WARNING'
like "$(check refunds 86400 259200)" 'refunds CRITICAL - .*status 2$' 'refunds: CRITICAL'
like "$(check consumers 500000 600000)" \
	'consumers OK - consumers: 2, behind: mail 35 events, 5 days.* \| lag=4[0-9.]+s;500000;600000 .status 0$' \
	'consumers: OK'
like "$(check consumers 600 600000)" 'consumers WARNING - .*status 1$' 'consumers: WARNING'
like "$(check consumers)" 'consumers CRITICAL - .*status 2$' 'consumers: CRITICAL'
is "$(check batches 2)" \
	'ORDCANCEL batches OK - batches running: 0, not finished: 1 stopped at 20 of 40 orders: could not extend file '\
$'| stopped=1;2;10 \nstatus 0' 'batches: OK'
like "$(check batches)" 'batches WARNING - .*status 1$' 'batches: WARNING'
like "$(check batches 1 1)" 'batches CRITICAL - .*status 2$' 'batches: CRITICAL'
is "$(check queue)" \
	$'ORDCANCEL queue OK - 0.00 % of the queue of notifications is in use | used=0%;5;25 \nstatus 0' 'queue: OK'
like "$(check queue 0 1)" 'queue WARNING - .*status 1$' 'queue: WARNING'
like "$(check queue 0 0)" 'queue CRITICAL - .*status 2$' 'queue: CRITICAL'
is "$(check tables)" \
	$'ORDCANCEL tables OK - 2 of 2 attached tables are monitored | hidden=0;1; \nstatus 0' 'tables: OK'
is "$(check health 2)" \
	$'ORDCANCEL health OK - problems found: 1: requests_overdue of shop.orders | problems=1;2; \nstatus 0' 'health: OK'
like "$(check health)" 'health WARNING - .*status 1$' 'health: WARNING'
like "$(check health 1 1)" 'health CRITICAL - .*status 2$' 'health: CRITICAL'
is "$(check relay)" \
	$'ORDCANCEL relay OK - the relay is not used | missing=0;1; \nstatus 0' 'relay: OK where it is not used'

is "$(monitor bash -c '
	check_ordcancel.sh sweep
	check_ordcancel.sh refunds 86400 259200
' | masked)" "$(shown_after 'check_ordcancel.sh sweep' | masked)" 'the page shows what the checks print'

# ------------------------------------------------------------------------- psql

is "$(monitor psql -Xq -v every=0 <<-'PSQL' 2>&1 | masked
	\i doc/examples/live.sql
PSQL
)" "$(shown_after '\i doc/examples/live.sql' | masked)" 'the page shows what live.sql prints'
[ "$(monitor psql -Xq -v every=0 -f doc/examples/live.sql | wc -L)" -le 120 ]
ok 'in 120 columns'
is "$(monitor psql -XqAt -v every=0 -v rows=2 -v health=off -f doc/examples/live.sql 2>&1 | cut -d '|' -f 1,2)" \
	'health|
requests|5, 2 overdue
|shop.orders 1
|shop.orders 2
|and 3 more
refunds|3, 560 in all
|shop.orders 21
|shop.orders 22
|and 1 more
batches|1, 0 running
|shop.orders #1
consumers|2, 1 behind
|mail
|billing' 'with two rows of each section'
is "$(monitor psql -XqAt <<-'PSQL' 2>&1 | tail -n 1
	\set every 0
	\i doc/examples/live.sql
	\set rows 1
	:live \g
PSQL
)" '|and 1 more||' 'and once more, with one'

: >"$work/live"
PGUSER=ordcancel_monitor psql -Xq -v every=0.1 -f doc/examples/live.sql >"$work/live" 2>&1 &
live=$!
twice()
{
	[ "$(grep -c '(every 0.1s)' "$work/live")" -ge 2 ] && [ "$(grep -c '^ consumers ' "$work/live")" -ge 2 ]
}
wait_for twice
ok 'it goes on until it is interrupted'
kill $live
wait $live

sql $db -c 'CREATE ROLE clerk; GRANT USAGE ON SCHEMA shop TO clerk; GRANT SELECT ON shop.tickets TO clerk'
is "$(sql $db -v every=0 -c 'SET ROLE clerk' -f doc/examples/live.sql 2>&1)" 'health|||not read
requests|0, 0 overdue||
refunds|0, 0 in all||
batches|0, 0 running||
consumers|0, 0 behind||' 'another role sees what it may read'

# A role that may create schemas could have put a function there.
sql $db -c 'ALTER FUNCTION ordcancel_monitoring.consumers() OWNER TO clerk'
is "$(monitor psql -XqAt -v every=0 -v health=off -f doc/examples/live.sql 2>&1 | tail -n 1)" \
	'consumers|0, 0 behind||' 'live.sql calls no function that is not a superuser'\''s'
sql $db -c 'ALTER FUNCTION ordcancel_monitoring.consumers() OWNER TO postgres'

# --------------------------------------------------------- the queries of the page

is "$(queries page doc/monitoring.md)" '== requests are overdue: 2
== orders do not expire: 0
== a refund is late: 3
== a consumer lags: 2
== a batch has stopped: 1
== a batch makes no progress: 0
== a batch makes no progress: 0
== the relay is missing: 0
== the queue of notifications fills: 0
== far more cancellations than usual: 2
== everything is refused with OC014, or `health` reports something: 1
== metrics of a table are missing: 0' 'the queries of the page'

# ------------------------------------------------------------ what happens later

# A batch runs, and waits for an order that somebody has locked.
hold $db 'SELECT FROM shop.orders WHERE id = 80 FOR UPDATE'
sql $db -c "CALL ordcancel.cancel_batch('shop.orders', 'id >= 80', 'out_of_stock')" >"$work/batch" 2>&1 &
batch=$!
until_lock_waits $db transactionid
ok 'a batch waits for an order'
is "$(queries metrics doc/examples/monitoring/postgres_exporter.yaml | grep 'batches_.*orders"')" \
	'ordcancel_batches_running{orders="shop.orders"} 1
ordcancel_batches_orders_left{orders="shop.orders"} 1
ordcancel_batches_stopped{orders="shop.orders"} 1' 'the metrics say so'
like "$(check batches)" 'batches running: 1, not finished: 1 stopped' 'and the check'
like "$(monitor psql -XqAt -v every=0 -v health=off -f doc/examples/live.sql | tr '\n' ' ')" \
	'batches\|2, 1 running\|.* \|shop.orders #1\|[0-9:]+\|STOPPED .* \|shop.orders #2\|[0-9:]+\|running at 20 of 21' \
	'and live.sql'
is "$(queries page doc/monitoring.md | grep 'no progress')" \
	$'== a batch makes no progress: 1\n== a batch makes no progress: 1' \
	'and the page'
release
wait $batch

# When all is decided, everything is quiet.
sql $db <<-'SQL' >"$work/later" 2>&1
	CALL ordcancel.sweep();
	SELECT ordcancel.deny_cancel('shop.orders', order_id, 'No.') FROM ordcancel.pending_requests;
	SELECT ordcancel.record_refund('shop.orders', order_id, outstanding, 'card', order_id) FROM ordcancel.refunds_due;
	DROP TRIGGER full_disk ON shop.orders;
	CALL ordcancel.resume_batch(1);
	SELECT ordcancel.drop_consumer('billing');
	SELECT max(event_id) AS last FROM ordcancel.next_events('mail', 1000) \gset
	SELECT ordcancel.ack('mail', :last);
	SELECT max(event_id) AS last FROM ordcancel.next_events('mail', 1000) \gset
	SELECT ordcancel.ack('mail', :last);
SQL
ok 'all is decided, refunded and read' || sed 's/^/# /' "$work/later"
for name in requests sweep refunds consumers batches health; do
	like "$(check $name)" "^ORDCANCEL $name OK - .*=0s?;.*status 0\$" "$name: OK"
done
is "$(queries metrics doc/examples/monitoring/postgres_exporter.yaml |
	grep -E '(pending|overdue|due|outstanding|in_progress|lag_events|stopped|seconds|running)\{.* [^0]')" '' \
	'no metric says that anything is open'
is "$(queries metrics doc/examples/monitoring/postgres_exporter_hourly.yaml)" \
	'ordcancel_health_problems{orders="",problem="none"} 0' 'health says that it looked'

# A table that the role may not read, and one of which it would not see all rows.
sql $db <<-'SQL' >"$work/later" 2>&1
	CREATE TABLE shop.secret (id integer PRIMARY KEY, status text);
	SELECT ordcancel.attach('shop.secret', 'status'),
	       ordcancel.set_policy('shop.secret', canceled_status => 'canceled');
	ALTER TABLE shop.tickets ENABLE ROW LEVEL SECURITY;
SQL
is "$(check tables)" \
	$'ORDCANCEL tables WARNING - 1 of 3 attached tables are monitored | hidden=2;1; \nstatus 1' 'tables: WARNING'
is "$(queries metrics doc/examples/monitoring/postgres_exporter.yaml | grep _tables_)" $'ordcancel_tables_attached{} 3
ordcancel_tables_readable{} 1' 'the metrics say that tables are hidden'
is "$(queries metrics doc/examples/monitoring/postgres_exporter.yaml | grep -c 'orders="shop.\(secret\|tickets\)"')" 3 \
	'and count none of them, but batches, which row-level security does not hide'
like "$(check health)" 'problems found: 1: tables_not_shown' 'so does health'

# The relay: expected, but not there; then there.
sql $db -c "ALTER DATABASE $db SET ordcancel.notify = relay"
is "$(check relay)" $'ORDCANCEL relay WARNING - no relay for this database | missing=1;1; \nstatus 1' 'relay: WARNING'
like "$(check relay 1 1)" 'status 2$' 'relay: CRITICAL'
echo "ordcancel.relay_databases = '$db'" >>"$PGDATA/postgresql.conf"
pg_ctl -s -w -l "$work/server.log" restart
until_true $db "EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'ordcancel relay')"
is "$(check relay)" $'ORDCANCEL relay OK - the relay runs | missing=0;1; \nstatus 0' 'relay: OK'
is "$(queries metrics doc/examples/monitoring/postgres_exporter.yaml | grep relay)" 'ordcancel_notify_relay_expected{} 1
ordcancel_notify_relay_workers{} 1' 'the metrics say so'
done_testing
