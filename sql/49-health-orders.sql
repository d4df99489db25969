-- Problems that are looked for among the orders and the records

-- The condition that joins two tables by the key of a third one, using the
-- equality operators of its primary key. The columns are in the order of that key.
CREATE FUNCTION ordcancel_internal.key_join(
    rel regclass, left_table text, left_columns name[], right_table text, right_columns name[]) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT string_agg(format('%I.%I OPERATOR(%I.%s) %I.%I', left_table, k.left_column, n.nspname, e.oprname, right_table,
                         k.right_column), ' AND ' ORDER BY k.n)
FROM unnest(left_columns, right_columns) WITH ORDINALITY AS k (left_column, right_column, n)
    JOIN pg_index AS x ON x.indrelid = rel AND x.indisprimary
    JOIN LATERAL unnest(x.indclass::oid[]) WITH ORDINALITY AS i (class, n) ON i.n = k.n
    JOIN pg_opclass AS p ON p.oid = i.class
    JOIN pg_amop AS m ON m.amopfamily = p.opcfamily AND m.amoplefttype = p.opcintype AND m.amoprighttype = p.opcintype
                         AND m.amopstrategy = 3
    JOIN pg_operator AS e ON e.oid = m.amopopr
    JOIN pg_namespace AS n ON n.oid = e.oprnamespace
$$;
COMMENT ON FUNCTION ordcancel_internal.key_join(regclass, text, name[], text, name[]) IS
    'returns the condition that joins two tables by the key of a table';

-- Inconsistent records and orders, with their number and an example.
CREATE FUNCTION ordcancel_internal.health_of_orders(t ordcancel.order_table) RETURNS SETOF ordcancel.problem
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    found record;
    same_key CONSTANT text := ordcancel_internal.key_join(t.orders, 'c', t.key_columns, 'o', t.primary_key);
    status CONSTANT text := ordcancel_internal.status_text(t.orders, t.status);
    orders CONSTANT regclass := t.orders;
    source CONSTANT text := ordcancel_internal.orders_source(t.orders);
    -- The live cancellations with which the status of the order goes. An order of
    -- which only items are canceled keeps its status, and may move on.
    governs CONSTANT text := '(c.state OPERATOR(pg_catalog.=) ''requested'''
        ' OR (c.scope OPERATOR(pg_catalog.=) ''order'''
        ' AND c.state OPERATOR(pg_catalog.=) ANY (ARRAY[''in_progress'', ''canceled''])))';
BEGIN
    IF NOT has_table_privilege((SELECT relowner FROM pg_class WHERE oid = t.orders),
                               t.cancellation_table, 'SELECT') THEN
        RETURN NEXT ROW(orders, 'records_unreadable', 'The owner of the order table may not read its records.',
                        format('SELECT ordcancel.attach(%L) grants it again.',
                               ordcancel_internal.label(orders)))::ordcancel.problem;
        RETURN;
    END IF;

    -- Live cancellations whose order no longer exists, or has another status than
    -- the cancellation gave it.
    FOR found IN
        SELECT * FROM json_to_recordset(ordcancel_internal.as_owner(orders, format(
            $q$SELECT pg_catalog.json_agg(x)::pg_catalog.text FROM (
                   SELECT d.state, d.status, d.there, pg_catalog.count(*) AS n, pg_catalog.min(d.order_key) AS example
                   FROM (SELECT c.state, c.order_key, c.order_status, %1$s AS status, o.ctid IS NOT NULL AS there
                         FROM ONLY %2$s AS c LEFT JOIN %3$s AS o ON %4$s
                         WHERE %5$s) AS d
                   WHERE CASE WHEN d.there THEN d.status IS DISTINCT FROM d.order_status
                              ELSE d.state OPERATOR(pg_catalog.<>) 'canceled' END
                   GROUP BY 1, 2, 3) AS x$q$, status, t.cancellation_table, source, same_key, governs))::json)
            AS x (state text, status text, there boolean, n bigint, example text)
    LOOP
        IF NOT found.there THEN
            RETURN NEXT ROW(orders, 'order_gone',
                            format('Open cancellations of orders that no longer exist: %s %s,'
                                   ' for example that of order %s.',
                                   found.n, replace(found.state, '_', ' '), left(found.example, 80)),
                            'CALL ordcancel.sweep() denies their requests after the deadline.')::ordcancel.problem;
            CONTINUE;
        END IF;
        -- Not a problem if the status was only renamed, or is a closed one.
        CONTINUE WHEN EXISTS (SELECT FROM ordcancel_internal.policy_status AS w
                              WHERE w.orders = t.orders AND w.status = found.status
                                AND CASE w.meaning WHEN 'closed' THEN 'canceled' ELSE w.meaning END
                                    = replace(found.state, '_', ' '));
        RETURN NEXT ROW(orders, 'order_and_record_differ',
                        format('Orders with status %s whose cancellation is %s: %s, for example order %s.',
                               coalesce('"' || left(found.status, 80) || '"', 'NULL'),
                               replace(found.state, '_', ' '), found.n, left(found.example, 80)),
                        'Their status was written while the triggers were disabled;'
                        ' ordcancel.undo_cancel() ends the cancellation.')::ordcancel.problem;
    END LOOP;

    -- Orders in the status of an open cancellation, but without one.
    FOR found IN
        SELECT * FROM json_to_recordset(ordcancel_internal.as_owner(orders, format(
            $q$SELECT pg_catalog.json_agg(x)::pg_catalog.text FROM (
                   SELECT d.status, pg_catalog.count(*) AS n, pg_catalog.min(d.key) AS example
                   FROM (SELECT %1$s AS status, %6$s AS key FROM %3$s AS o
                         WHERE NOT EXISTS (SELECT FROM ONLY %2$s AS c
                                           WHERE %4$s AND %7$s)) AS d
                   WHERE d.status OPERATOR(pg_catalog.=) ANY (%5$L::pg_catalog.text[])
                   GROUP BY 1) AS x$q$, status, t.cancellation_table, source, same_key,
            ARRAY(SELECT w.status FROM ordcancel_internal.policy_status AS w
                  WHERE w.orders = t.orders AND w.meaning IN ('requested', 'in progress')),
            (SELECT CASE count(*) WHEN 1 THEN format('pg_catalog.format(''%%s'', o.%I)', min(k))
                                  ELSE format('pg_catalog.format(''%%s'', ROW(%s))',
                                              string_agg(format('o.%I', k), ', ' ORDER BY n)) END
             FROM unnest(t.primary_key) WITH ORDINALITY AS p (k, n)), governs))::json)
            AS x (status text, n bigint, example text)
    LOOP
        RETURN NEXT ROW(orders, 'order_without_record',
                        format('Orders with status "%s" that have no cancellation: %s, for example order %s.',
                               left(found.status, 80), found.n, left(found.example, 80)),
                        'Their status was written while the triggers were disabled, or before attach();'
                        || ' set the correct status with an UPDATE.')::ordcancel.problem;
    END LOOP;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.health_of_orders(ordcancel.order_table) IS
    'lists orders and cancellations that disagree';

-- Overdue requests, and those that a block prevents from being accepted.
CREATE FUNCTION ordcancel_internal.health_of_requests(t ordcancel.order_table) RETURNS SETOF ordcancel.problem
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    found record;
    orders CONSTANT regclass := t.orders;
BEGIN
    FOR found IN EXECUTE format(
        $q$SELECT count(*) AS n, min(c.deadline) AS since, min(c.order_key) AS example, count(b.hint) AS blocked,
                  min(c.order_key) FILTER (WHERE b.blocked) AS blocked_example, min(b.detail) AS detail
           FROM ONLY %s AS c
               JOIN LATERAL (SELECT q.decision_timeout, q.on_timeout FROM ordcancel.policy AS q
                                  WHERE q.orders = $2 AND q.policy IN (c.policy, 'default')
                                  ORDER BY q.policy = 'default' AND c.policy <> 'default' LIMIT 1) AS p
                   ON p.decision_timeout IS NOT NULL
               LEFT JOIN LATERAL (SELECT true AS blocked, coalesce(v.hint, '') AS hint, v.detail
                                  FROM ordcancel.cancel_options($2, c.order_key) AS v
                                  WHERE p.on_timeout = 'accept' AND v.verb = 'accept_cancel'
                                    AND v.condition = 'cancellation_blocked') AS b ON true
           WHERE c.state = 'requested' AND c.deadline < $1$q$, t.cancellation_table)
        USING coalesce(nullif(current_setting('ordcancel.clock', true), '')::timestamptz, statement_timestamp()), orders
    LOOP
        IF found.n > found.blocked THEN
            RETURN NEXT ROW(orders, 'requests_overdue',
                            format('Overdue requests: %s, the first since %s; for example that of order %s.',
                                   found.n - found.blocked, found.since, left(found.example, 80)),
                            'CALL ordcancel.sweep() decides them;'
                            ' run it every minute with pg_cron.')::ordcancel.problem;
        END IF;
        IF found.blocked > 0 THEN
            RETURN NEXT ROW(orders, 'requests_blocked',
                            format('Overdue requests that cannot be accepted because of a block: %s,'
                                   ' for example that of order %s.',
                                   found.blocked, left(found.blocked_example, 80)),
                            'Resolve the block, or deny them with ordcancel.deny_cancel().')::ordcancel.problem;
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.health_of_requests(ordcancel.order_table) IS
    'lists requests that should have been decided';

-- Statuses of the policies that a CHECK constraint on only the status column
-- rejects.
CREATE FUNCTION ordcancel_internal.health_of_refused_statuses(t ordcancel.order_table) RETURNS SETOF ordcancel.problem
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    word text;
    violated text;
BEGIN
    FOR word IN
        SELECT DISTINCT w.status FROM ordcancel_internal.policy_status AS w WHERE w.orders = t.orders LIMIT 100
    LOOP
        violated := ordcancel_internal.violated_check(t.orders, t.status, word);
        CONTINUE WHEN violated IS NULL;
        RETURN NEXT ROW(t.orders::regclass, 'status_refused',
                        format('Constraint "%s" does not allow status "%s", which a policy uses.',
                               violated, left(word, 80)),
                        format('Change the constraint to allow it,'
                               ' or call ordcancel.set_policy(%L, ...) with another status.',
                               ordcancel_internal.label(t.orders)))::ordcancel.problem;
    END LOOP;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.health_of_refused_statuses(ordcancel.order_table) IS
    'lists statuses of policies that a CHECK constraint refuses';
