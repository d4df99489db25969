-- Timers: what sweep() will do next, and when

CREATE FUNCTION ordcancel_internal.reads_plainly(orders oid) RETURNS boolean
    LANGUAGE c STABLE STRICT
    AS 'MODULE_PATHNAME', 'ordcancel_reads_plainly';
COMMENT ON FUNCTION ordcancel_internal.reads_plainly(oid) IS
    'returns whether a view can read the orders of a table without running code of its owner';

-- The orders of a table in a status with a timer, without those that have a live
-- cancellation, the earliest to expire first. Reads them as the owner of the
-- table. expired: only orders that sweep() would cancel now. tolerant: no rows
-- instead of an error. SECURITY DEFINER, because a view runs it as its reader; the
-- view applies may_see().
CREATE FUNCTION ordcancel_internal.expiring(orders regclass, most bigint, expired boolean, tolerant boolean)
    RETURNS TABLE (order_id text, status text, policy text, due_at timestamptz, reason text)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER ROWS 100
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    t ordcancel.order_table;
    -- A status that means a cancellation has no timer.
    timed CONSTANT text[] := ARRAY(
        SELECT DISTINCT r.status FROM ordcancel.rule AS r
        WHERE r.orders = expiring.orders AND r.expire_after IS NOT NULL
          AND NOT EXISTS (SELECT FROM ordcancel_internal.policy_status AS w
                          WHERE w.orders = expiring.orders AND w.status = r.status));
    now CONSTANT timestamptz := (SELECT c.now FROM ordcancel_internal.clock AS c);
    -- An index on the status can be used if its type is one of PostgreSQL's own.
    in_status text;
    since name;
    result json;
BEGIN
    SELECT * INTO t FROM ordcancel.order_table AS o WHERE o.orders = expiring.orders;
    since := coalesce(t.status_since, t.placed_at);
    IF timed = '{}' OR since IS NULL THEN
        RETURN;
    END IF;
    PERFORM ordcancel_internal.check_record_table(t.cancellation_table);
    SELECT CASE WHEN b.oid IN ('text'::regtype, 'varchar'::regtype)
                    THEN format('o.%I OPERATOR(pg_catalog.=) ANY (%L::pg_catalog.text[])', t.status, timed)
                WHEN b.typtype = 'e'
                    THEN format('o.%I::%s OPERATOR(pg_catalog.=) ANY (%L::%s[])', t.status, format_type(b.oid, -1),
                                ARRAY(SELECT e.enumlabel FROM pg_enum AS e
                                      WHERE e.enumtypid = b.oid AND e.enumlabel = ANY (timed)),
                                format_type(b.oid, -1))
                ELSE 'true' END
    INTO in_status
    FROM pg_attribute AS a JOIN pg_type AS b ON b.oid = ordcancel_internal.base_type(a.atttypid)
    WHERE a.attrelid = t.orders AND a.attname = t.status;

    -- An index leads to the records of an order, so the orders are taken one by one,
    -- by the time that their column says, until there are enough.
    result := ordcancel_internal.as_owner(orders, format(
        $q$SELECT pg_catalog.json_agg(x)::pg_catalog.text FROM (
               SELECT o.order_id, o.status, o.policy, o.reason, d.due_at
               FROM (SELECT %1$s, %2$s AS order_id, r.status, r.policy, r.expire_reason AS reason, r.expire_after,
                            o.%3$I::pg_catalog.timestamptz AS since,
                            o.%3$I::pg_catalog.timestamptz OPERATOR(pg_catalog.+) r.expire_after AS about
                     FROM %4$s AS o
                         LEFT JOIN ordcancel.policy AS p ON p.orders OPERATOR(pg_catalog.=) %5$s
                                                        AND p.policy OPERATOR(pg_catalog.=) %6$s
                         JOIN ordcancel.rule AS r ON r.orders OPERATOR(pg_catalog.=) %5$s
                                                 AND r.policy OPERATOR(pg_catalog.=) coalesce(p.policy, 'default')
                                                 AND r.status OPERATOR(pg_catalog.=) %7$s
                     WHERE r.expire_after IS NOT NULL AND r.status OPERATOR(pg_catalog.=) ANY (%8$L::pg_catalog.text[])
                       AND o.%3$I OPERATOR(pg_catalog.<) '292000-01-01' AND %9$s
                     ORDER BY about) AS o
                   CROSS JOIN LATERAL (
                       SELECT EXISTS (SELECT FROM ONLY %10$s AS c
                                      WHERE %11$s
                                        AND (c.state OPERATOR(pg_catalog.=) 'requested'
                                             OR (c.scope OPERATOR(pg_catalog.=) 'order'
                                                 AND c.state OPERATOR(pg_catalog.=)
                                                     ANY (ARRAY['in_progress', 'canceled'])))) AS live,
                              (SELECT CASE WHEN c.state OPERATOR(pg_catalog.=) 'undone' THEN c.closed_at END
                               FROM ONLY %10$s AS c
                               WHERE %11$s AND c.state OPERATOR(pg_catalog.=)
                                               ANY (ARRAY['denied', 'withdrawn', 'undone'])
                               ORDER BY c.cancellation_id DESC LIMIT 1) AS undone_at
                       OFFSET 0) AS k
                   -- An undo lets the time begin again. A day has 24 hours.
                   CROSS JOIN LATERAL (
                       SELECT pg_catalog.timezone('UTC', pg_catalog.timezone('UTC', greatest(o.since, k.undone_at))
                                                         OPERATOR(pg_catalog.+) o.expire_after) AS due_at
                       OFFSET 0) AS d
               WHERE NOT k.live
                 AND (%12$L::pg_catalog.timestamptz IS NULL
                      OR d.due_at OPERATOR(pg_catalog.<) %12$L::pg_catalog.timestamptz)
               ORDER BY o.about LIMIT %13$s) AS x$q$,
        (SELECT string_agg(format('o.%I AS k%s', k, n), ', ' ORDER BY n)
         FROM unnest(t.primary_key) WITH ORDINALITY AS p (k, n)),
        (SELECT CASE count(*) WHEN 1 THEN format('pg_catalog.format(''%%s'', o.%I)', min(k))
                              ELSE format('pg_catalog.format(''%%s'', ROW(%s))',
                                          string_agg(format('o.%I', k), ', ' ORDER BY n)) END
         FROM unnest(t.primary_key) WITH ORDINALITY AS p (k, n)),
        since, ordcancel_internal.orders_source(orders), orders::oid,
        coalesce(ordcancel_internal.column_text(orders, t.policy_by), 'NULL::pg_catalog.text'),
        ordcancel_internal.status_text(orders, t.status), timed, in_status, t.cancellation_table,
        ordcancel_internal.key_join(
            orders, 'c', t.key_columns, 'o',
            ARRAY(SELECT format('k%s', n)::name FROM generate_series(1, cardinality(t.primary_key)) AS n)),
        CASE WHEN expired THEN now END, coalesce(most::text, 'ALL')), t.time_zone)::json;
    RETURN QUERY
        SELECT x.order_id, x.status, x.policy, x.due_at, x.reason
        FROM json_to_recordset(result)
            AS x (order_id text, status text, policy text, due_at timestamptz, reason text)
        ORDER BY x.due_at, x.order_id;
EXCEPTION WHEN OTHERS THEN
    IF NOT tolerant THEN
        RAISE;
    END IF;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.expiring(regclass, bigint, boolean, boolean) IS
    'lists the orders of a table that have a timer, the earliest to expire first';

-- How many orders are in a status with a timer, but lack the time from which it
-- counts; NULL: under any policy, in any status.
CREATE FUNCTION ordcancel_internal.timers_without_time(t ordcancel.order_table, policy text, status text) RETURNS bigint
    LANGUAGE sql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT ordcancel_internal.as_owner(t.orders, format(
    $q$SELECT pg_catalog.count(*)::pg_catalog.text
       FROM %1$s AS o LEFT JOIN ordcancel.policy AS p ON p.orders OPERATOR(pg_catalog.=) %2$s
                                                     AND p.policy OPERATOR(pg_catalog.=) %3$s
           JOIN ordcancel.rule AS r ON r.orders OPERATOR(pg_catalog.=) %2$s
                                   AND r.policy OPERATOR(pg_catalog.=) coalesce(p.policy, 'default')
                                   AND r.status OPERATOR(pg_catalog.=) %4$s
       WHERE o.%5$I IS NULL AND r.expire_after IS NOT NULL
         AND r.status OPERATOR(pg_catalog.<>) ALL (%6$L::pg_catalog.text[])
         AND r.policy OPERATOR(pg_catalog.=) coalesce(%7$L, r.policy)
         AND r.status OPERATOR(pg_catalog.=) coalesce(%8$L, r.status)$q$,
    ordcancel_internal.orders_source(t.orders), t.orders::oid,
    coalesce(ordcancel_internal.column_text(t.orders, t.policy_by), 'NULL::pg_catalog.text'),
    ordcancel_internal.status_text(t.orders, t.status), coalesce(t.status_since, t.placed_at),
    ARRAY(SELECT w.status FROM ordcancel_internal.policy_status AS w WHERE w.orders = t.orders),
    policy, status))::bigint
$$;
COMMENT ON FUNCTION ordcancel_internal.timers_without_time(ordcancel.order_table, text, text) IS
    'counts the orders that do not expire because their time is NULL';

-- What sweep() will do next. Of the orders that expire, it shows the 1,000 of each
-- table that expire first. security_barrier, as for the other reports.
CREATE VIEW ordcancel.timers WITH (security_barrier) AS
SELECT r.orders, r.order_id, r.order_status AS status, r.policy, 'request deadline' AS what, r.deadline AS due_at,
       r.overdue, coalesce(r.reason, 'request_timed_out') AS reason
FROM ordcancel.pending_requests AS r
WHERE r.deadline IS NOT NULL
UNION ALL
SELECT t.orders::regclass, x.order_id, x.status, x.policy, 'expire', x.due_at, x.due_at < n.now, x.reason
FROM ordcancel_internal.clock AS n
    CROSS JOIN ordcancel.order_table AS t
    CROSS JOIN LATERAL ordcancel_internal.expiring(
        t.orders, CASE WHEN (SELECT c.relrowsecurity FROM pg_catalog.pg_class AS c WHERE c.oid = t.orders) THEN NULL
                       ELSE 1000 END, false, true) AS x
WHERE EXISTS (SELECT FROM ordcancel.rule AS u WHERE u.orders = t.orders AND u.expire_after IS NOT NULL)
  AND ordcancel_internal.may_read(t.cancellation_table::pg_catalog.oid)
  AND ordcancel_internal.reads_plainly(t.orders::pg_catalog.oid)
  -- deleted_when is code of the owner, unless it is made of PostgreSQL's own functions.
  AND coalesce(t.deleted_when_functions, '') = '' AND coalesce(t.pinned_deleted_when, '') !~* '\yselect\y'
  AND ordcancel_internal.may_see(t.cancellation_table::pg_catalog.oid, x.order_id)
ORDER BY due_at, orders, order_id;
COMMENT ON VIEW ordcancel.timers IS 'what sweep() will do next: decide requests, cancel orders that expire';
COMMENT ON COLUMN ordcancel.timers.orders IS 'the order table';
COMMENT ON COLUMN ordcancel.timers.order_id IS 'key of the order as text';
COMMENT ON COLUMN ordcancel.timers.status IS 'status of the order';
COMMENT ON COLUMN ordcancel.timers.policy IS 'name of the policy that governs it';
COMMENT ON COLUMN ordcancel.timers.what IS 'expire: the order is canceled; request deadline: its request is decided';
COMMENT ON COLUMN ordcancel.timers.due_at IS 'when: expire after this time, request deadline at it';
COMMENT ON COLUMN ordcancel.timers.overdue IS 'whether sweep() would do it now';
COMMENT ON COLUMN ordcancel.timers.reason IS 'reason that the cancellation will have; NULL: none';
GRANT SELECT ON ordcancel.timers TO PUBLIC;

CREATE FUNCTION ordcancel_internal.timers(orders regclass, max_rows integer) RETURNS SETOF ordcancel.timers
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF max_rows < 0 THEN
        RAISE EXCEPTION 'max_rows cannot be %', max_rows USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN QUERY
        SELECT u.*
        FROM (SELECT r.orders, r.order_id, r.order_status AS status, r.policy, 'request deadline' AS what,
                     r.deadline AS due_at, r.overdue, coalesce(r.reason, 'request_timed_out') AS reason
              FROM ordcancel_internal.pending_requests(timers.orders) AS r
              WHERE r.deadline IS NOT NULL
              UNION ALL
              SELECT t.orders::regclass, x.order_id, x.status, x.policy, 'expire', x.due_at, x.due_at < n.now, x.reason
              FROM ordcancel_internal.clock AS n
                  CROSS JOIN ordcancel.order_table AS t
                  CROSS JOIN LATERAL ordcancel_internal.expiring(
                      t.orders, CASE WHEN (SELECT c.relrowsecurity FROM pg_class AS c WHERE c.oid = t.orders) THEN NULL
                                     ELSE max_rows END, false, false) AS x
              WHERE t.orders = timers.orders
                AND ordcancel_internal.may_see(t.cancellation_table::oid, x.order_id)) AS u
        ORDER BY u.due_at, u.order_id LIMIT max_rows;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.timers(regclass, integer) IS 'implements ordcancel.timers()';

-- What sweep() will do next to the orders of an attached table, the earliest
-- first, at most max_rows (NULL: all). Unlike the view ordcancel.timers, it also
-- shows tables the reading of which runs code of their owner, as that owner.
-- Raises OC001, OC014, 22023, 42501.
CREATE FUNCTION ordcancel.timers(orders regclass, max_rows integer DEFAULT 1000) RETURNS SETOF ordcancel.timers
    LANGUAGE c VOLATILE ROWS 100
    AS 'MODULE_PATHNAME', 'ordcancel_row_reader_gate';
COMMENT ON FUNCTION ordcancel.timers(regclass, integer) IS
    E'lists what sweep() will do next to the orders of a table, the earliest first\n'
    'Raises OC001, OC014, 22023, 42501.';
