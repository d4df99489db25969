-- Problems of the attached tables, for people and for monitoring

-- A problem of a table. A composite type, so that all functions below return the
-- same columns.
CREATE TYPE ordcancel.problem AS (
    orders regclass,
    problem text,
    detail text,
    hint text
);
COMMENT ON TYPE ordcancel.problem IS 'problem of an attached table: what was found, and what to do';
COMMENT ON COLUMN ordcancel.problem.orders IS 'the order table; NULL for a problem that does not belong to one table';
COMMENT ON COLUMN ordcancel.problem.problem IS 'word for the kind of problem, which does not change';
COMMENT ON COLUMN ordcancel.problem.detail IS 'what was found';
COMMENT ON COLUMN ordcancel.problem.hint IS 'what to do about it; NULL if there is nothing to say';

-- Whether everything that the table was attached with still exists. Otherwise
-- nothing else can be checked.
CREATE FUNCTION ordcancel_internal.health_of_shape(t ordcancel.order_table) RETURNS SETOF ordcancel.problem
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT t.orders::regclass, 'column_missing', format('Column "%s", attached as %s, was renamed or dropped.', w.name, w.what),
       format('SELECT ordcancel.attach(%L, %I => ...) with its new name.', ordcancel_internal.label(t.orders), w.what)
FROM (VALUES ('status', t.status), ('placed_at', t.placed_at), ('policy_by', t.policy_by)) AS w (what, name)
WHERE w.name IS NOT NULL
  AND NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = t.orders AND attname = w.name AND NOT attisdropped)
UNION ALL
SELECT t.orders::regclass, 'column_unusable', format('Column "%s", attached as placed_at, is of type %s now.', t.placed_at, a.atttypid::regtype),
       'It must be a timestamp, with or without time zone, or a date.'
FROM pg_attribute AS a
WHERE a.attrelid = t.orders AND a.attname = t.placed_at AND NOT a.attisdropped
  AND ordcancel_internal.base_type(a.atttypid) NOT IN ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype)
UNION ALL
SELECT t.orders::regclass, 'primary_key_changed',
       format('It is now (%s); it was (%s).', coalesce(k.now, 'none'), array_to_string(t.primary_key, ', ')),
       'Restore it; if its columns were only renamed, call ordcancel.attach() again.'
FROM (SELECT (SELECT string_agg(a.attname, ', ' ORDER BY i.n)
              FROM pg_index AS x, unnest(x.indkey::int2[]) WITH ORDINALITY AS i (attnum, n)
                  JOIN pg_attribute AS a ON a.attrelid = t.orders AND a.attnum = i.attnum
              WHERE x.indrelid = t.orders AND x.indisprimary AND i.n <= x.indnkeyatts AND a.attnum = i.attnum)) AS k (now)
WHERE k.now IS DISTINCT FROM array_to_string(t.primary_key, ', ')
UNION ALL
SELECT t.orders::regclass, 'not_heap',
       format('%s is stored by access method "%s".', ordcancel_internal.label(n.rel), n.method),
       format('ALTER TABLE %s SET ACCESS METHOD heap;', ordcancel_internal.label(n.rel))
FROM ordcancel_internal.not_heap(t.orders) AS n
UNION ALL
SELECT t.orders::regclass, 'records_missing', format('The %s of %s is missing.', r.what, ordcancel_internal.label(t.orders)),
       format('Restore it from a backup, or create a new one: SELECT ordcancel.attach(%L).', ordcancel_internal.label(t.orders))
FROM (VALUES ('cancellation table', t.cancellation_table), ('event table', t.event_table)) AS r (what, rel)
WHERE NOT EXISTS (SELECT FROM pg_class WHERE oid = r.rel)
$$;
COMMENT ON FUNCTION ordcancel_internal.health_of_shape(ordcancel.order_table) IS
    'lists columns, keys and tables without which an attached table does not work';

-- Whether all guards exist and are enabled.
CREATE FUNCTION ordcancel_internal.health_of_guards(t ordcancel.order_table) RETURNS SETOF ordcancel.problem
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
WITH part AS (
    SELECT relid FROM pg_partition_tree(t.orders) UNION SELECT t.orders::regclass
)
SELECT t.orders::regclass, CASE WHEN m.disabled THEN 'guard_disabled' ELSE 'guard_missing' END,
       format('Trigger "%s" %s.', m.guard, CASE WHEN m.disabled THEN 'is disabled' ELSE 'is missing, or was modified' END),
       format('SELECT ordcancel.attach(%L) creates it again.', ordcancel_internal.label(t.orders))
FROM ordcancel_internal.missing_guards(t) AS m
UNION ALL
SELECT t.orders::regclass, 'guard_disabled',
       format('Trigger "%s" of partition %s is disabled.', g.tgname, ordcancel_internal.label(p.relid)),
       format('ALTER TABLE %s ENABLE TRIGGER %I;', ordcancel_internal.label(p.relid), g.tgname)
FROM part AS p
    JOIN pg_trigger AS g ON g.tgrelid = p.relid
    JOIN pg_proc AS f ON f.oid = g.tgfoid AND f.pronamespace = 'ordcancel_internal'::regnamespace
WHERE p.relid <> t.orders AND f.proname ~ '^guard_' AND g.tgenabled NOT IN ('O', 'A')
UNION ALL
SELECT t.orders::regclass, 'guard_renamed', format('Trigger "%s" of ordcancel was renamed.', s.name),
       format('SELECT ordcancel.attach(%L) restores its name.', ordcancel_internal.label(t.orders))
FROM ordcancel_internal.stray_guards(t) AS s (name)
UNION ALL
SELECT t.orders::regclass, 'partition_unguarded', format('Partition %s is not guarded against TRUNCATE.', ordcancel_internal.label(p.relid)),
       format('SELECT ordcancel.guard_partitions(%L);', ordcancel_internal.label(t.orders))
FROM part AS p
WHERE p.relid <> t.orders
  AND NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = p.relid
                                           AND tgfoid = 'ordcancel_internal.guard_truncate()'::regprocedure)
UNION ALL
-- Triggers for the same event fire in byte order of their names.
SELECT t.orders::regclass, 'trigger_fires_first',
       format('Trigger "%s" of %s fires before the guard and may update the order before its first change is checked.',
              g.tgname, ordcancel_internal.label(g.tgrelid)),
       format('ALTER TRIGGER %I ON %s RENAME TO ..., with a name that sorts after "!ordcancel_guard_update".', g.tgname,
              ordcancel_internal.label(g.tgrelid))
FROM part AS p JOIN pg_trigger AS g ON g.tgrelid = p.relid
WHERE NOT g.tgisinternal AND g.tgparentid = 0 AND g.tgname < '!ordcancel_guard_update' AND g.tgname !~ '^!ordcancel_guard_'
  AND g.tgtype::integer & 67 = 1 AND g.tgtype::integer & 16 <> 0 -- AFTER, ROW, UPDATE
UNION ALL
SELECT t.orders::regclass, 'child_unguarded',
       format('Triggers of child table %s are missing or disabled.', ordcancel_internal.label(c.child)),
       format('SELECT ordcancel.attach_child(%L, %L, key => %L) creates them again.', ordcancel_internal.label(c.child),
              ordcancel_internal.label(t.orders), c.key_columns)
FROM ordcancel.child AS c
WHERE c.orders = t.orders
  AND EXISTS (SELECT FROM (SELECT relid FROM pg_partition_tree(c.child) UNION SELECT c.child::regclass) AS p
              WHERE 2 > (SELECT count(*) FROM pg_trigger AS g
                         WHERE g.tgrelid = p.relid AND g.tgfoid = 'ordcancel_internal.guard_child()'::regprocedure
                           AND g.tgenabled IN ('O', 'A')))
UNION ALL
SELECT t.orders::regclass, 'child_unusable', format('Child table %s no longer has column "%s".',
                                                   ordcancel_internal.label(c.child), k.name),
       format('SELECT ordcancel.attach_child(%L, %L, key => ...) with its new name.', ordcancel_internal.label(c.child),
              ordcancel_internal.label(t.orders))
FROM ordcancel.child AS c, unnest(c.key_columns) AS k (name)
WHERE c.orders = t.orders
  AND NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.child AND attname = k.name AND NOT attisdropped)
UNION ALL
SELECT t.orders::regclass, 'rows_without_rules',
       format('Table %s inherits from it: queries return its rows, but no rules apply to them.', ordcancel_internal.label(i.inhrelid)),
       format('ALTER TABLE %s NO INHERIT %s; use partitions instead.', ordcancel_internal.label(i.inhrelid),
              ordcancel_internal.label(t.orders))
FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
WHERE i.inhparent = t.orders AND NOT c.relispartition
UNION ALL
SELECT t.orders::regclass, 'not_logged', 'It is unlogged: after a crash its orders are lost but their cancellations remain.',
       format('ALTER TABLE %s SET LOGGED;', ordcancel_internal.label(t.orders))
FROM pg_class WHERE oid = t.orders AND relpersistence = 'u'
$$;
COMMENT ON FUNCTION ordcancel_internal.health_of_guards(ordcancel.order_table) IS
    'lists triggers that are missing, disabled or renamed';

-- Whether the record tables are complete.
CREATE FUNCTION ordcancel_internal.health_of_records(t ordcancel.order_table) RETURNS SETOF ordcancel.problem
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    again CONSTANT text := format('SELECT ordcancel.attach(%L) creates it again.', ordcancel_internal.label(t.orders));
    records regclass;
    parent regclass;
    id name;
    lacking text;
    highest bigint;
    last bigint;
BEGIN
    FOR records, parent, id IN
        VALUES (t.cancellation_table::regclass, 'ordcancel.cancellation'::regclass, 'cancellation_id'::name),
               (t.event_table::regclass, 'ordcancel.event'::regclass, 'event_id'::name)
    LOOP
        IF ordcancel_internal.record_is_guarded(records) IS NOT TRUE THEN
            RETURN NEXT ROW(t.orders::regclass, 'records_unguarded',
                            format('Trigger "ordcancel_guard_record" of %s is missing or disabled.', ordcancel_internal.label(records)),
                            again)::ordcancel.problem;
        END IF;
        FOREACH lacking IN ARRAY ordcancel_internal.missing_indexes(records, ordcancel_internal.record_indexes(parent, t.key_columns)) LOOP
            RETURN NEXT ROW(t.orders::regclass, 'index_missing',
                            format('%s has no index %s.', ordcancel_internal.label(records), lacking), again)::ordcancel.problem;
        END LOOP;
        IF t.inherit AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = records AND inhparent = parent) THEN
            RETURN NEXT ROW(t.orders::regclass, 'records_not_in_views',
                            format('%s no longer inherits from %s.', ordcancel_internal.label(records), parent),
                            again)::ordcancel.problem;
        END IF;
        EXECUTE format('SELECT max(%I) FROM ONLY %s', id, records) INTO highest;
        EXECUTE format('SELECT last_value FROM ordcancel.%I', id || '_seq') INTO last;
        IF highest > last THEN
            RETURN NEXT ROW(t.orders::regclass, 'sequence_behind',
                            format('Sequence ordcancel.%s is at %s, but %s contains %s.', id || '_seq', last,
                                   ordcancel_internal.label(records), highest),
                            format('SELECT ordcancel.attach(%L) corrects it.', ordcancel_internal.label(t.orders)))::ordcancel.problem;
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.health_of_records(ordcancel.order_table) IS 'lists what record tables lack';

-- Rules that let nobody cancel, and expressions that cannot be used.
CREATE FUNCTION ordcancel_internal.health_of_rules(t ordcancel.order_table) RETURNS SETOF ordcancel.problem
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    e record;
    now_calls text;
BEGIN
    RETURN QUERY
        SELECT t.orders::regclass, 'policy_lets_nobody_cancel', 'There is no policy "default".',
               format('SELECT ordcancel.set_policy(%L, canceled_status => ...);', ordcancel_internal.label(t.orders))
        WHERE NOT EXISTS (SELECT FROM ordcancel.policy AS p WHERE p.orders = t.orders AND p.policy = 'default');
    RETURN QUERY
        SELECT t.orders::regclass,
               CASE WHEN p.canceled_status IS NULL THEN 'policy_lets_nobody_cancel' ELSE 'policy_without_rules' END,
               CASE WHEN p.canceled_status IS NULL THEN format('Policy "%s" has no canceled_status.', left(p.policy, 80))
                    ELSE format('No rule of policy "%s" allows anybody to cancel or to request it.', left(p.policy, 80)) END,
               format(CASE WHEN p.canceled_status IS NULL THEN 'SELECT ordcancel.set_policy(%L, policy => %L, canceled_status => ...);'
                           ELSE 'SELECT ordcancel.set_rule(%L, policy => %L, ...);' END,
                      ordcancel_internal.label(t.orders), p.policy)
        FROM ordcancel.policy AS p
        WHERE p.orders = t.orders
          AND (p.canceled_status IS NULL
               OR NOT EXISTS (SELECT FROM ordcancel.rule AS r
                              WHERE r.orders = t.orders AND r.policy = p.policy
                                AND 'forbid' <> ANY (ARRAY[r.customer, r.customer_late, r.merchant])));
    RETURN QUERY
        SELECT t.orders::regclass, 'status_problem',
               format('Policy "%s", status %s, orders now: %s. %s', left(o.policy, 80), coalesce('"' || left(o.status, 80) || '"', 'NULL'),
                      o.orders_now, o.problem),
               CASE WHEN o.customer IS NULL AND o.means IS NULL AND o.status IS NOT NULL
                    THEN format('SELECT ordcancel.set_rule(%L, %L, policy => %L, ...); without more arguments it states that'
                                ' nobody may cancel in that status.', ordcancel_internal.label(t.orders), o.status, o.policy)
                    ELSE format('SELECT * FROM ordcancel.overview(%L);', ordcancel_internal.label(t.orders)) END
        FROM ordcancel_internal.overview(t.orders) AS o
        WHERE o.problem IS NOT NULL AND o.problem NOT LIKE 'The customer''s window %'
          AND EXISTS (SELECT FROM ordcancel.policy AS p
                      WHERE p.orders = t.orders AND p.policy = o.policy AND p.canceled_status IS NOT NULL);
    RETURN QUERY
        SELECT t.orders::regclass, 'window_never_closes',
               format('Policy "%s" has a grace, but attach() was called without placed_at.', left(p.policy, 80)),
               format('SELECT ordcancel.attach(%L, placed_at => ...);', ordcancel_internal.label(t.orders))
        FROM ordcancel.policy AS p
        WHERE p.orders = t.orders AND p.grace IS NOT NULL AND t.placed_at IS NULL;
    RETURN QUERY
        SELECT t.orders::regclass, 'policy_without_orders',
               format('Policy "%s" applies to no order, but orders have "%s".', left(p.policy, 80), left(m.meant, 80)),
               format('Is it misspelled? SELECT ordcancel.set_policy(%L, policy => %L, copy_of => %L); and drop the other one.',
                      ordcancel_internal.label(t.orders), m.meant, p.policy)
        FROM ordcancel.policy AS p,
            LATERAL ordcancel_internal.misspelled_policy(t.orders, p.policy) AS m (meant)
        WHERE p.orders = t.orders AND p.policy <> 'default' AND m.meant IS NOT NULL
          AND (SELECT count(*) FROM ordcancel.policy AS n WHERE n.orders = t.orders) <= 100
          AND NOT EXISTS (SELECT FROM ordcancel_internal.counted(t.orders) AS c WHERE c.policy = p.policy);
    FOR e IN
        SELECT 'block_fails' AS problem, format('Block "%s"', left(b.name, 80)) AS what, b.condition AS expression,
               'boolean'::regtype AS type, b.functions,
               format('ordcancel.add_block(%L, %L, ...%s%s);', ordcancel_internal.label(t.orders), b.name,
                      ', hint => ' || quote_literal(b.hint), ', party => ' || quote_literal(b.party)) AS again
        FROM ordcancel.block AS b WHERE b.orders = t.orders
        UNION ALL
        SELECT 'refund_due_fails', 'refund_due', t.refund_due, 'numeric', t.refund_due_functions,
               format('ordcancel.attach(%L, refund_due => ...);', ordcancel_internal.label(t.orders))
        WHERE t.refund_due IS NOT NULL
    LOOP
        BEGIN
            now_calls := ordcancel_internal.pin_expression(t.orders, e.expression, e.type, true);
            CONTINUE WHEN now_calls IS NOT DISTINCT FROM e.functions;
            RETURN NEXT ROW(t.orders::regclass, e.problem,
                            format('%s would call functions other than when it was set: %s.', e.what,
                                   left(replace(now_calls, E'\n', ', '), 500)),
                            format('Review them, and set it again: SELECT %s', e.again))::ordcancel.problem;
        EXCEPTION WHEN OTHERS THEN
            RETURN NEXT ROW(t.orders::regclass, e.problem, format('%s is not valid: %s.', e.what, left(SQLERRM, 500)),
                            format('SELECT %s', e.again))::ordcancel.problem;
        END;
    END LOOP;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.health_of_rules(ordcancel.order_table) IS
    'lists rules under which nobody can cancel, and expressions that fail';

-- The condition that joins the records of a table, c, with its orders, o, using
-- the equality operators of the primary key.
CREATE FUNCTION ordcancel_internal.key_join(t ordcancel.order_table) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT string_agg(format('c.%I OPERATOR(%I.%s) o.%I', k.record_key, n.nspname, e.oprname, k.key), ' AND ')
FROM unnest(t.key_columns, t.primary_key) AS k (record_key, key)
    JOIN pg_attribute AS a ON a.attrelid = t.orders AND a.attname = k.key
    JOIN pg_index AS x ON x.indrelid = t.orders AND x.indisprimary
    JOIN LATERAL unnest(x.indkey::int2[], x.indclass::oid[]) AS i (attnum, class) ON i.attnum = a.attnum
    JOIN pg_opclass AS p ON p.oid = i.class
    JOIN pg_amop AS m ON m.amopfamily = p.opcfamily AND m.amoplefttype = p.opcintype AND m.amoprighttype = p.opcintype
                         AND m.amopstrategy = 3
    JOIN pg_operator AS e ON e.oid = m.amopopr
    JOIN pg_namespace AS n ON n.oid = e.oprnamespace
$$;
COMMENT ON FUNCTION ordcancel_internal.key_join(ordcancel.order_table) IS
    'returns the condition that joins the cancellations c with the orders o';

-- Inconsistent records and orders, with their number and an example.
CREATE FUNCTION ordcancel_internal.health_of_orders(t ordcancel.order_table) RETURNS SETOF ordcancel.problem
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    found record;
    same_key CONSTANT text := ordcancel_internal.key_join(t);
    status CONSTANT text := ordcancel_internal.status_text(t.orders, t.status);
    orders CONSTANT regclass := t.orders;
BEGIN
    IF NOT has_table_privilege((SELECT relowner FROM pg_class WHERE oid = t.orders), t.cancellation_table, 'SELECT') THEN
        RETURN NEXT ROW(orders, 'records_unreadable', 'The owner of the order table may not read its records.',
                        format('SELECT ordcancel.attach(%L) grants it again.', ordcancel_internal.label(orders)))::ordcancel.problem;
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
                         WHERE c.state OPERATOR(pg_catalog.=) ANY (ARRAY['requested', 'in_progress', 'canceled'])) AS d
                   WHERE CASE WHEN d.there THEN d.status IS DISTINCT FROM d.order_status
                              ELSE d.state OPERATOR(pg_catalog.<>) 'canceled' END
                   GROUP BY 1, 2, 3) AS x$q$, status, t.cancellation_table, orders, same_key))::json)
            AS x (state text, status text, there boolean, n bigint, example text)
    LOOP
        IF NOT found.there THEN
            RETURN NEXT ROW(orders, 'order_gone',
                            format('Open cancellations of orders that no longer exist: %s %s, for example that of order %s.', found.n,
                                   replace(found.state, '_', ' '), left(found.example, 80)),
                            'CALL ordcancel.sweep() denies their requests after the deadline.')::ordcancel.problem;
            CONTINUE;
        END IF;
        -- Not a problem if the status was only renamed.
        CONTINUE WHEN EXISTS (SELECT FROM ordcancel_internal.word AS w
                              WHERE w.orders = t.orders AND w.status = found.status
                                AND w.meaning = replace(found.state, '_', ' '));
        RETURN NEXT ROW(orders, 'order_and_record_differ',
                        format('Orders with status %s whose cancellation is %s: %s, for example order %s.',
                               coalesce('"' || left(found.status, 80) || '"', 'NULL'), replace(found.state, '_', ' '), found.n,
                               left(found.example, 80)),
                        'Their status was written while the triggers were disabled; ordcancel.undo_cancel() ends the cancellation.')::ordcancel.problem;
    END LOOP;

    -- Orders in the status of an open cancellation, but without one.
    FOR found IN
        SELECT * FROM json_to_recordset(ordcancel_internal.as_owner(orders, format(
            $q$SELECT pg_catalog.json_agg(x)::pg_catalog.text FROM (
                   SELECT d.status, pg_catalog.count(*) AS n, pg_catalog.min(d.key) AS example
                   FROM (SELECT %1$s AS status, %6$s AS key FROM %3$s AS o
                         WHERE NOT EXISTS (SELECT FROM ONLY %2$s AS c
                                           WHERE %4$s AND c.state OPERATOR(pg_catalog.=)
                                                          ANY (ARRAY['requested', 'in_progress', 'canceled']))) AS d
                   WHERE d.status OPERATOR(pg_catalog.=) ANY (%5$L::pg_catalog.text[])
                   GROUP BY 1) AS x$q$, status, t.cancellation_table, orders, same_key,
            ARRAY(SELECT w.status FROM ordcancel_internal.word AS w WHERE w.orders = t.orders AND w.meaning <> 'canceled'),
            (SELECT CASE count(*) WHEN 1 THEN format('pg_catalog.format(''%%s'', o.%I)', min(k))
                                  ELSE format('pg_catalog.format(''%%s'', ROW(%s))', string_agg(format('o.%I', k), ', ' ORDER BY n)) END
             FROM unnest(t.primary_key) WITH ORDINALITY AS p (k, n))))::json)
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
                                  ORDER BY q.policy = 'default' AND c.policy <> 'default' LIMIT 1) AS p ON p.decision_timeout IS NOT NULL
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
                            'CALL ordcancel.sweep() decides them; run it every minute with pg_cron.')::ordcancel.problem;
        END IF;
        IF found.blocked > 0 THEN
            RETURN NEXT ROW(orders, 'requests_blocked',
                            format('Overdue requests that cannot be accepted because of a block: %s, for example that of order %s.',
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
CREATE FUNCTION ordcancel_internal.health_of_words(t ordcancel.order_table) RETURNS SETOF ordcancel.problem
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    word text;
    violated text;
BEGIN
    FOR word IN SELECT DISTINCT w.status FROM ordcancel_internal.word AS w WHERE w.orders = t.orders LIMIT 100 LOOP
        violated := ordcancel_internal.violated_check(t.orders, t.status, word);
        CONTINUE WHEN violated IS NULL;
        RETURN NEXT ROW(t.orders::regclass, 'status_refused',
                        format('Constraint "%s" does not allow status "%s", which a policy uses.', violated, left(word, 80)),
                        format('Change the constraint to allow it, or call ordcancel.set_policy(%L, ...) with another status.',
                               ordcancel_internal.label(t.orders)))::ordcancel.problem;
    END LOOP;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.health_of_words(ordcancel.order_table) IS
    'lists statuses of policies that a CHECK constraint refuses';

CREATE FUNCTION ordcancel_internal.health(orders regclass) RETURNS SETOF ordcancel.problem
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    t ordcancel.order_table;
    part name;
BEGIN
    SELECT * INTO t FROM ordcancel.order_table AS o WHERE o.orders = health.orders;
    RETURN QUERY SELECT * FROM ordcancel_internal.health_of_shape(t);
    IF FOUND THEN
        RETURN;
    END IF;
    -- A check that fails must not prevent the others from being reported.
    FOREACH part IN ARRAY ARRAY['guards', 'records', 'rules', 'words', 'orders', 'requests'] LOOP
        BEGIN
            RETURN QUERY EXECUTE format('SELECT * FROM ordcancel_internal.health_of_%I($1)', part) USING t;
        EXCEPTION WHEN OTHERS THEN
            RETURN NEXT ROW(orders, 'cannot_be_checked',
                            format('Checking its %s failed: %s.', CASE part WHEN 'words' THEN 'statuses' ELSE part END, left(SQLERRM, 500)),
                            'Fix that first.')::ordcancel.problem;
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
CREATE VIEW ordcancel.health WITH (security_barrier) AS
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
       pg_catalog.format('Attached tables that you may not read, or that row-level security hides from you: %s.', pg_catalog.count(*)),
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
       pg_catalog.format('SELECT ordcancel.attach(%L, ...); or ordcancel.replace_table(), if the former order table still exists.',
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
  AND g.tgname IN ('guard_config', 'config_changed', 'config_truncated', 'skip_missing') AND g.tgenabled <> 'A'
UNION ALL
SELECT NULL, 'event_trigger_disabled', 'Event trigger "ordcancel_forget_dropped" does not fire when tables are dropped.',
       'ALTER EVENT TRIGGER ordcancel_forget_dropped ENABLE;'
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_event_trigger
                  WHERE evtname = 'ordcancel_forget_dropped' AND evtenabled IN ('O', 'A'));
COMMENT ON VIEW ordcancel.health IS 'problems of all attached tables that the reader may see; no row if all is well';
COMMENT ON COLUMN ordcancel.health.orders IS 'the order table; NULL for a problem that does not belong to one table';
COMMENT ON COLUMN ordcancel.health.problem IS 'word for the kind of problem, which does not change';
COMMENT ON COLUMN ordcancel.health.detail IS 'what was found';
COMMENT ON COLUMN ordcancel.health.hint IS 'what to do about it; NULL if there is nothing to say';
GRANT SELECT ON ordcancel.health TO PUBLIC;
