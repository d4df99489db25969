-- The role that the exporter, check_ordcancel.sh, Grafana and live.sql connect as.
-- Run this as a superuser in each database with ordcancel, and again after
-- another table was attached. How the role authenticates is up to pg_hba.conf.
SELECT 'CREATE ROLE ordcancel_monitor LOGIN'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'ordcancel_monitor') \gexec
ALTER ROLE ordcancel_monitor CONNECTION LIMIT 20;
ALTER ROLE ordcancel_monitor SET default_transaction_read_only = on;
ALTER ROLE ordcancel_monitor SET lock_timeout = '1s';
-- Compiling these queries takes much longer than running them.
ALTER ROLE ordcancel_monitor SET jit = off;

-- Other roles do not see in pg_stat_activity whether the relay runs.
GRANT pg_monitor TO ordcancel_monitor;

-- Reports show the cancellations of the orders that their reader may read.
SELECT format('GRANT USAGE ON SCHEMA %I TO ordcancel_monitor', n.nspname),
       format('GRANT SELECT ON %s TO ordcancel_monitor', c.oid::regclass)
FROM ordcancel.order_table AS t
    JOIN pg_class AS c ON c.oid = t.orders
    JOIN pg_namespace AS n ON n.oid = c.relnamespace \gexec
GRANT EXECUTE ON FUNCTION ordcancel.health(regclass), ordcancel.daily_summary(regclass, date, date),
    ordcancel.reason_summary(regclass, timestamptz, timestamptz) TO ordcancel_monitor;

-- ordcancel.consumers shows a consumer only to members of its owner, who may also
-- read and skip its events. This shows all of them, and lets nobody do that.
BEGIN;
CREATE SCHEMA IF NOT EXISTS ordcancel_monitoring;
-- A former owner could replace what is in it.
ALTER SCHEMA ordcancel_monitoring OWNER TO CURRENT_USER;
GRANT USAGE ON SCHEMA ordcancel_monitoring TO ordcancel_monitor;
DROP FUNCTION IF EXISTS ordcancel_monitoring.consumers();
CREATE FUNCTION ordcancel_monitoring.consumers()
    RETURNS TABLE (name text, orders text, lag_events bigint, lag interval, last_read_at timestamptz,
                   last_ack_at timestamptz, worker integer, skipped integer)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT c.name, c.orders::text, c.lag_events, c.lag, c.last_read_at, c.last_ack_at, c.worker,
       (SELECT cardinality(p.skipped) FROM ordcancel.consumer AS p WHERE p.name = c.name)
FROM ordcancel.consumers AS c
$$;
REVOKE ALL ON FUNCTION ordcancel_monitoring.consumers() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ordcancel_monitoring.consumers() TO ordcancel_monitor;
COMMIT;
