-- health: all problems of one table, and of all tables

CREATE FUNCTION ordcancel_internal.health_part(orders regclass, part text) RETURNS SETOF ordcancel.problem
    LANGUAGE c STRICT
    AS 'MODULE_PATHNAME', 'ordcancel_health_part';
COMMENT ON FUNCTION ordcancel_internal.health_part(regclass, text) IS
    'returns the problems that a part of health() finds, or, with a NULL problem, the error in it';

CREATE FUNCTION ordcancel_internal.health(orders regclass) RETURNS SETOF ordcancel.problem
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    t ordcancel.order_table;
    part text;
BEGIN
    SELECT * INTO t FROM ordcancel.order_table AS o WHERE o.orders = health.orders;
    RETURN QUERY SELECT * FROM ordcancel_internal.health_of_columns(t);
    IF FOUND THEN
        RETURN;
    END IF;
    -- A check that fails must not prevent the others from being reported. The block
    -- keeps what it returned but none of its locks: the view checks thousands of
    -- tables.
    FOREACH part IN ARRAY ARRAY['guards', 'children', 'records', 'rules', 'refused_statuses', 'orders', 'items',
                                'requests', 'timers', 'calls'] LOOP
        -- Citus cannot join them with the policies.
        CONTINUE WHEN part = 'requests' AND ordcancel_internal.is_distributed(orders);
        BEGIN
            RETURN QUERY
                SELECT health.orders, coalesce(h.problem, 'cannot_be_checked'),
                       CASE WHEN h.problem IS NULL
                            THEN format('Checking its %s failed: %s.', replace(part, 'refused_', ''),
                                        left(h.detail, 500))
                            ELSE h.detail END,
                       CASE WHEN h.problem IS NULL THEN 'Fix that first.' ELSE h.hint END
                FROM ordcancel_internal.health_part(orders, part) AS h;
            RAISE EXCEPTION USING ERRCODE = 'OC999';
        EXCEPTION WHEN SQLSTATE 'OC999' THEN
            NULL;
        END;
    END LOOP;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.health(regclass) IS 'implements ordcancel.health()';

-- The problems of an attached table; no rows if all is well. Reads the orders and
-- their live cancellations, which takes as long as counting them.
--   orders   the attached order table
--   problem  a stable code: guard_disabled, policy_lets_nobody_cancel ...
--   detail   what was found
--   hint     what to do
-- The caller needs SELECT on the whole table. Raises OC001, 42501.
CREATE FUNCTION ordcancel.health(orders regclass) RETURNS SETOF ordcancel.problem
    LANGUAGE c VOLATILE
    AS 'MODULE_PATHNAME', 'ordcancel_reader_gate';
COMMENT ON FUNCTION ordcancel.health(regclass) IS
    E'lists the problems of an attached table; no row if all is well\nRaises OC001, 42501.';

-- The same for all tables on which the caller has SELECT, and problems that do
-- not belong to a table. The caller needs EXECUTE on health(regclass).
-- In a subquery, since PostgreSQL flattens a UNION ALL that is all of a view, barrier or
-- not: cheap functions of the reader would see rows before the conditions do.
CREATE VIEW ordcancel.health WITH (security_barrier) AS
SELECT p.orders, p.problem, p.detail, p.hint
FROM (
SELECT h.orders, h.problem, h.detail, h.hint
FROM ordcancel_internal.readable AS t CROSS JOIN LATERAL ordcancel.health(t.orders) AS h
UNION ALL
SELECT NULL, 'table_dropped',
       pg_catalog.format('A dropped order table, OID %s, is still registered.', t.orders::pg_catalog.oid),
       pg_catalog.format('SELECT ordcancel.detach(%s), as a superuser.', t.orders::pg_catalog.oid)
FROM ordcancel.order_table AS t
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.oid = t.orders)
UNION ALL
SELECT NULL, 'tables_not_shown',
       pg_catalog.format('Attached tables that you may not read, or that row-level security hides from you: %s.',
                         pg_catalog.count(*)),
       'GRANT SELECT on them to the monitoring role.'
FROM ordcancel.order_table AS t
WHERE EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.oid = t.orders)
  AND NOT EXISTS (SELECT FROM ordcancel_internal.readable AS r WHERE r.orders = t.orders)
HAVING pg_catalog.count(*) > 0
UNION ALL
-- A table that was created or renamed to replace an order table.
SELECT NULL, 'table_not_attached',
       pg_catalog.format('Table %I.%I is not attached, but %I.%I contains records of an order table of that name.',
                         n.nspname, c.relname, rn.nspname, r.relname),
       pg_catalog.format('SELECT ordcancel.attach(%L, ...);'
                         ' or ordcancel.replace_table(), if the former order table still exists.',
                         pg_catalog.format('%I.%I', n.nspname, c.relname))
FROM (SELECT d.records::pg_catalog.oid FROM ordcancel_internal.detached AS d
      UNION ALL SELECT t.cancellation_table::pg_catalog.oid FROM ordcancel.order_table AS t) AS k (records)
    JOIN pg_catalog.pg_class AS r ON r.oid = k.records AND r.relname LIKE '%\_cancellation'
    JOIN pg_catalog.pg_namespace AS rn ON rn.oid = r.relnamespace
    JOIN pg_catalog.pg_class AS c ON c.relname = pg_catalog.regexp_replace(r.relname, '_cancellation$', '')
                                     AND c.relnamespace = r.relnamespace AND c.relkind IN ('r', 'p')
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE NOT EXISTS (SELECT FROM ordcancel.order_table AS t WHERE t.orders = c.oid)
UNION ALL
SELECT NULL, 'table_not_attached',
       pg_catalog.format('Table %I.%I is not attached, but there are policies for it that were restored or'
                         ' replicated.', n.nspname, c.relname),
       pg_catalog.format('SELECT ordcancel.attach(%L, ...), as a superuser.',
                         pg_catalog.format('%I.%I', n.nspname, c.relname))
FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.oid IN (SELECT p.orders::pg_catalog.oid FROM ordcancel.policy AS p)
  AND NOT EXISTS (SELECT FROM ordcancel.order_table AS t WHERE t.orders = c.oid)
UNION ALL
-- pg_restore --disable-triggers leaves them enabled without ALWAYS.
SELECT NULL, 'configuration_unguarded',
       pg_catalog.format('Trigger "%s" of %I.%I does not fire in replica mode.', g.tgname, n.nspname, c.relname)
           COLLATE pg_catalog."default",
       pg_catalog.format('ALTER TABLE %I.%I ENABLE ALWAYS TRIGGER %I;', n.nspname, c.relname, g.tgname)
           COLLATE pg_catalog."default"
FROM pg_catalog.pg_trigger AS g
    JOIN pg_catalog.pg_class AS c ON c.oid = g.tgrelid
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname IN ('ordcancel', 'ordcancel_internal')
  AND g.tgname IN ('guard_config', 'config_changed', 'config_truncated', 'skip_dropped_tables') AND g.tgenabled <> 'A'
UNION ALL
SELECT NULL, CASE WHEN c.waiting_since < now.an_hour_ago THEN 'consumer_lags' ELSE 'consumer_not_read' END,
       CASE WHEN c.waiting_since < now.an_hour_ago
            THEN pg_catalog.format('Consumer "%s" got events that it has not acknowledged since %s.', c.name,
                                   c.waiting_since)
            ELSE pg_catalog.format('Consumer "%s" has not been read since %s.', c.name,
                                   coalesce(c.polled_at, c.created_at)) END COLLATE pg_catalog."default",
       pg_catalog.format('Start its program; or drop it: SELECT ordcancel.drop_consumer(%L);', c.name)
           COLLATE pg_catalog."default"
FROM ordcancel.consumer AS c, (SELECT k.now - interval '1 hour' FROM ordcancel_internal.clock AS k) AS now (an_hour_ago)
WHERE c.waiting_since < now.an_hour_ago OR coalesce(c.polled_at, c.created_at) < now.an_hour_ago
UNION ALL
SELECT NULL, 'event_trigger_disabled',
       'Event trigger "ordcancel_forget_dropped" does not fire when tables are dropped.',
       'ALTER EVENT TRIGGER ordcancel_forget_dropped ENABLE;'
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_event_trigger
                  WHERE evtname = 'ordcancel_forget_dropped' AND evtenabled IN ('O', 'A'))
) AS p (orders, problem, detail, hint);
COMMENT ON VIEW ordcancel.health IS 'problems of all attached tables that the reader may see; no row if all is well';
COMMENT ON COLUMN ordcancel.health.orders IS 'the order table; NULL for a problem that does not belong to one table';
COMMENT ON COLUMN ordcancel.health.problem IS 'word for the kind of problem, which does not change';
COMMENT ON COLUMN ordcancel.health.detail IS 'what was found';
COMMENT ON COLUMN ordcancel.health.hint IS 'what to do about it; NULL if there is nothing to say';
GRANT SELECT ON ordcancel.health TO PUBLIC;
