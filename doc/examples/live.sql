-- What is open in ordcancel, shown every two seconds until Ctrl-C:
--   \i doc/examples/live.sql
--   \set every 10             before that: every ten seconds; 0: once
--   \set rows 2               before that: two rows of each section, for 24 lines; otherwise five, for 40
--   \set health off           before that: does not read ordcancel.health, which reads all orders
-- Afterwards, or instead:  :live \g    :live \watch 5
-- A reader sees the tables and consumers that its role may see.
\if :{?every} \else \set every 2 \endif
\if :{?rows} \else \set rows 5 \endif
\if :{?health} \else \set health on \endif

-- What health finds takes too long to be read every two seconds.
SELECT :'health'::boolean AND has_function_privilege('ordcancel.health(regclass)', 'EXECUTE') AS live_health \gset
\if :live_health
SELECT format('%s found at %s', count(*), to_char(now(), 'HH24:MI:SS'))
       || coalesce(': ' || string_agg(DISTINCT h.problem, ', '), '') AS live_health
FROM ordcancel.health AS h \gset
\else
\set live_health 'not read'
\endif

-- The consumers that belong to the reader; for the role of doc/examples/monitoring
-- all, by a function that only a superuser can have put there.
SELECT CASE WHEN has_table_privilege('ordcancel.consumers', 'SELECT')
                 AND EXISTS (SELECT FROM pg_proc AS p
                             WHERE p.pronamespace = 'ordcancel_internal'::regnamespace
                               AND p.proname = 'consumer_backlog' AND has_function_privilege(p.oid, 'EXECUTE'))
            THEN 'ordcancel.consumers'
            WHEN EXISTS (SELECT FROM pg_proc AS p
                             JOIN pg_namespace AS n ON n.oid = p.pronamespace
                             JOIN pg_roles AS r ON r.oid = p.proowner AND r.rolsuper
                         WHERE n.nspname = 'ordcancel_monitoring' AND p.proname = 'consumers'
                           AND has_schema_privilege(n.oid, 'USAGE') AND has_function_privilege(p.oid, 'EXECUTE'))
            THEN 'ordcancel_monitoring.consumers()'
            ELSE '(SELECT NULL AS name, 0 AS lag_events, interval ''0'' AS lag, now() AS last_read_at, 0 AS worker'
                 ' WHERE false)' END AS live_consumers \gset

SELECT $live$
WITH
request AS (
    SELECT row_number() OVER (ORDER BY r.overdue DESC, r.deadline, r.requested_at) AS n,
           r.orders::text || ' ' || r.order_id AS which, r.age,
           CASE WHEN r.overdue THEN 'OVERDUE since ' || to_char(r.deadline, 'Mon DD HH24:MI') || '; '
                WHEN r.deadline IS NOT NULL THEN 'until ' || to_char(r.deadline, 'Mon DD HH24:MI') || '; ' ELSE '' END
           || concat_ws(', ', r.requested_actor, r.reason, r.note) AS what,
           r.overdue
    FROM ordcancel.pending_requests AS r),
refund AS (
    SELECT row_number() OVER (ORDER BY r.due_since) AS n,
           r.orders::text || ' ' || r.order_id AS which, r.age,
           r.outstanding || CASE WHEN r.refunded > 0 THEN ' of ' || r.refund_due ELSE '' END || '; '
           || concat_ws(', ', r.decided_actor, r.reason) AS what,
           r.outstanding
    FROM ordcancel.refunds_due AS r),
batch AS (
    SELECT row_number() OVER (ORDER BY b.state = 'running', b.batch_id DESC) AS n,
           b.orders::text || ' #' || b.batch_id AS which, now() - b.started_at AS age,
           CASE WHEN b.state = 'running' THEN 'running' ELSE upper(b.state) END
           || format(' at %s of %s orders', b.done, b.total)
           || CASE WHEN b.state = 'running' THEN format(', %s/s, %s left', b.rate, b.time_left)
                   ELSE coalesce(': ' || b.error, '') END AS what,
           b.state
    FROM ordcancel.batch_progress AS b
    WHERE NOT b.dry_run
      AND (b.state = 'running' OR b.state <> 'done' AND b.updated_at > now() - interval '7 days')),
consumer AS (
    SELECT row_number() OVER (ORDER BY c.lag DESC NULLS LAST, c.name) AS n,
           c.name AS which, c.lag AS age,
           format('%s events behind; read ', c.lag_events)
           || coalesce(date_trunc('second', now() - c.last_read_at) || ' ago', 'never')
           || coalesce(', now by pid ' || c.worker, '') AS what,
           c.lag
    FROM :live_consumers AS c),
line AS (
    SELECT 1 AS section, 0 AS n, 'health' AS open, NULL AS which, NULL::interval AS age,
           :'live_health' AS what
    UNION ALL
    SELECT 2, 0, 'requests', format('%s, %s overdue', count(*), count(*) FILTER (WHERE overdue)), NULL, NULL
    FROM request
    UNION ALL
    SELECT 2, n, NULL, which, age, what FROM request WHERE n <= :rows
    UNION ALL
    SELECT 2, NULL, NULL, format('and %s more', count(*) - :rows), NULL, NULL FROM request HAVING count(*) > :rows
    UNION ALL
    SELECT 3, 0, 'refunds', format('%s, %s in all', count(*), coalesce(sum(outstanding), 0)), NULL, NULL FROM refund
    UNION ALL
    SELECT 3, n, NULL, which, age, what FROM refund WHERE n <= :rows
    UNION ALL
    SELECT 3, NULL, NULL, format('and %s more', count(*) - :rows), NULL, NULL FROM refund HAVING count(*) > :rows
    UNION ALL
    SELECT 4, 0, 'batches', format('%s, %s running', count(*), count(*) FILTER (WHERE state = 'running')), NULL, NULL
    FROM batch
    UNION ALL
    SELECT 4, n, NULL, which, age, what FROM batch WHERE n <= :rows
    UNION ALL
    SELECT 4, NULL, NULL, format('and %s more', count(*) - :rows), NULL, NULL FROM batch HAVING count(*) > :rows
    UNION ALL
    SELECT 5, 0, 'consumers', format('%s, %s behind', count(*), count(lag)), NULL, NULL FROM consumer
    UNION ALL
    SELECT 5, n, NULL, which, age, what FROM consumer WHERE n <= :rows
    UNION ALL
    SELECT 5, NULL, NULL, format('and %s more', count(*) - :rows), NULL, NULL FROM consumer HAVING count(*) > :rows)
SELECT coalesce(l.open, '') AS open, left(l.which, 24) AS which, date_trunc('second', l.age) AS age,
       left(translate(l.what, E'\n\r\t', '   '), 58) AS what
FROM line AS l
ORDER BY l.section, l.n
$live$ AS live \gset

SELECT :'every'::numeric > 0 AS live_again \gset
:live
\if :live_again
\watch :every
\else
\g
\endif
