#!/bin/sh
# check_ordcancel.sh CHECK [WARNING [CRITICAL]]
#
# A plugin for Nagios, Icinga, Sensu and the like: one line, and exit
# status 0 (OK), 1 (WARNING), 2 (CRITICAL) or 3 (UNKNOWN). psql finds the database
# by PGHOST, PGDATABASE, PGUSER and so on; role.sql creates the role.
#
# CHECK     what is compared                                              default
# requests  seconds for which a request has waited for a decision    259200 604800
# sweep     seconds for which a request has been overdue                 300  1800
# refunds   seconds for which a refund has been due                  259200 604800
# consumers seconds for which an event has not been acknowledged         600  3600
# batches   batches that stopped within a day and were not resumed         1    10
# relay     workers of the relay that are missing                          1     -
# queue     percent of the queue of notifications in use                   5    25
# tables    attached tables that the role may not read                     1     -
# health    problems; reads all orders, so run it once an hour             1     -
usage()
{
	echo "UNKNOWN - usage: check_ordcancel.sh CHECK [WARNING [CRITICAL]]"
	exit 3
}

# Each query returns a value, what it means, and the label and unit of the value.
case ${1:-} in
requests) warning=259200 critical=604800 query="
	SELECT coalesce(extract(epoch FROM max(r.age)), 0),
	       format('requests pending: %s, the oldest for %s', count(*), coalesce(date_trunc('second', max(r.age)), '0')),
	       'oldest', 's'
	FROM ordcancel.pending_requests AS r" ;;
sweep) warning=300 critical=1800 query="
	SELECT coalesce(extract(epoch FROM max(o.since)), 0),
	       format('requests overdue: %s, the first for %s', count(*), coalesce(date_trunc('second', max(o.since)), '0')),
	       'overdue', 's'
	FROM (SELECT r.requested_at + r.age - r.deadline AS since FROM ordcancel.pending_requests AS r
	      WHERE r.overdue) AS o" ;;
refunds) warning=259200 critical=604800 query="
	SELECT coalesce(extract(epoch FROM max(r.age)), 0),
	       format('refunds due: %s, in all %s, the oldest for %s', count(*), coalesce(sum(r.outstanding), 0),
	              coalesce(date_trunc('second', max(r.age)), '0')),
	       'oldest', 's'
	FROM ordcancel.refunds_due AS r" ;;
consumers) warning=600 critical=3600 query="
	SELECT coalesce(extract(epoch FROM max(c.lag)), 0),
	       format('consumers: %s', count(*))
	       || coalesce(', behind: ' || string_agg(format('%s %s events, %s', c.name, c.lag_events,
	                                                     date_trunc('second', c.lag)), '; ' ORDER BY c.lag DESC)
	                                   FILTER (WHERE c.lag IS NOT NULL), ''),
	       'lag', 's'
	FROM ordcancel_monitoring.consumers() AS c" ;;
batches) warning=1 critical=10 query="
	SELECT count(*) FILTER (WHERE b.state <> 'running'),
	       format('batches running: %s', count(*) FILTER (WHERE b.state = 'running'))
	       || coalesce(', not finished: ' || string_agg(format('%s %s at %s of %s orders', b.batch_id, b.state,
	                                                           b.done, b.total) || coalesce(': ' || b.error, ''),
	                                                    '; ' ORDER BY b.batch_id)
	                                         FILTER (WHERE b.state <> 'running'), ''),
	       'stopped', ''
	FROM ordcancel.batch_progress AS b
	WHERE NOT b.dry_run AND (b.state = 'running'
	                         OR b.state <> 'done' AND b.updated_at > now() - interval '1 day')" ;;
relay) warning=1 critical=- query="
	SELECT (w.expected AND w.workers = 0)::integer,
	       CASE WHEN NOT w.expected THEN 'the relay is not used'
	            WHEN w.workers = 0 THEN 'no relay for this database'
	            ELSE 'the relay runs' END,
	       'missing', ''
	FROM (SELECT coalesce(current_setting('ordcancel.notify', true) = 'relay', false) AS expected,
	             (SELECT count(*) FROM pg_stat_activity AS a
	              WHERE a.backend_type = 'ordcancel relay' AND a.datname = current_database()) AS workers) AS w" ;;
queue) warning=5 critical=25 query="
	SELECT round(100 * pg_notification_queue_usage()::numeric, 2),
	       format('%s %% of the queue of notifications is in use',
	              round(100 * pg_notification_queue_usage()::numeric, 2)),
	       'used', '%'" ;;
tables) warning=1 critical=- query="
	SELECT count(*) FILTER (WHERE NOT t.readable),
	       format('%s of %s attached tables are monitored', count(*) FILTER (WHERE t.readable), count(*)),
	       'hidden', ''
	FROM (SELECT has_table_privilege(o.orders, 'SELECT') AND NOT row_security_active(o.orders) AS readable
	      FROM ordcancel.order_table AS o) AS t" ;;
health) warning=1 critical=- query="
	SELECT count(*),
	       format('problems found: %s', count(*))
	       || coalesce(': ' || string_agg(h.problem || coalesce(' of ' || h.orders::text, ''), ', '
	                                      ORDER BY h.problem), ''),
	       'problems', ''
	FROM ordcancel.health AS h" ;;
*) usage ;;
esac
warning=${2:-$warning}
critical=${3:-$critical}
case $warning$critical in *[!-0-9.]*) usage ;; esac

# One word of SQL for a threshold: a number, or NULL for none.
threshold()
{
	case $1 in -) echo NULL ;; *) echo "$1" ;; esac
}

line=$(psql -XAtq -v ON_ERROR_STOP=1 2>&1 <<SQL
SET client_min_messages = error;
SELECT s.state || ' - ' || translate(c.message, E'|\r\n', '/  ') || ' | '
       || c.label || '=' || trim_scale(round(c.value, 2)) || c.unit || ';'
       || coalesce($(threshold "$warning")::text, '') || ';' || coalesce($(threshold "$critical")::text, '')
FROM ($query) AS c (value, message, label, unit)
    CROSS JOIN LATERAL (SELECT CASE WHEN c.value >= $(threshold "$critical")::numeric THEN 'CRITICAL'
                                    WHEN c.value >= $(threshold "$warning")::numeric THEN 'WARNING'
                                    ELSE 'OK' END) AS s (state);
SQL
)
case $line in
'OK - '*) status=0 ;;
'WARNING - '*) status=1 ;;
'CRITICAL - '*) status=2 ;;
*) status=3 line="UNKNOWN - $line" ;;
esac
echo "ORDCANCEL $1 $line" | tr '\n' ' '
echo
exit $status
