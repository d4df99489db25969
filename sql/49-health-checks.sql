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
CREATE FUNCTION ordcancel_internal.health_of_columns(t ordcancel.order_table) RETURNS SETOF ordcancel.problem
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT t.orders::regclass, 'column_missing',
       format('Column "%s", attached as %s, was renamed or dropped.', w.name, w.what),
       format('SELECT ordcancel.attach(%L, %I => ...) with its new name.', ordcancel_internal.label(t.orders), w.what)
FROM (VALUES ('status', t.status), ('placed_at', t.placed_at), ('policy_by', t.policy_by),
             ('status_since', t.status_since)) AS w (what, name)
WHERE w.name IS NOT NULL
  AND NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = t.orders AND attname = w.name AND NOT attisdropped)
UNION ALL
SELECT t.orders::regclass, 'column_unusable',
       format('Column "%s", attached as %s, is of type %s now.', w.name, w.what, a.atttypid::regtype),
       'It must be a timestamp, with or without time zone, or a date.'
FROM (VALUES ('placed_at', t.placed_at), ('status_since', t.status_since)) AS w (what, name)
    JOIN pg_attribute AS a ON a.attrelid = t.orders AND a.attname = w.name AND NOT a.attisdropped
WHERE ordcancel_internal.base_type(a.atttypid) NOT IN ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype)
UNION ALL
SELECT t.orders::regclass, 'primary_key_changed',
       format('It is now (%s); it was (%s).', coalesce(k.now, 'none'), array_to_string(t.primary_key, ', ')),
       'Restore it; if its columns were only renamed, call ordcancel.attach() again.'
FROM (SELECT (SELECT string_agg(a.attname, ', ' ORDER BY i.n)
              FROM pg_index AS x, unnest(x.indkey::int2[]) WITH ORDINALITY AS i (attnum, n)
                  JOIN pg_attribute AS a ON a.attrelid = t.orders AND a.attnum = i.attnum
              WHERE x.indrelid = t.orders AND x.indisprimary AND i.n <= x.indnkeyatts
                AND a.attnum = i.attnum)) AS k (now)
WHERE k.now IS DISTINCT FROM array_to_string(t.primary_key, ', ')
UNION ALL
SELECT t.orders::regclass, 'not_heap',
       format('%s is stored by access method "%s".', ordcancel_internal.label(n.rel), n.method),
       format('ALTER TABLE %s SET ACCESS METHOD heap;', ordcancel_internal.label(n.rel))
FROM ordcancel_internal.not_heap(t.orders) AS n
UNION ALL
SELECT t.orders::regclass, 'records_missing',
       format('The %s of %s is missing.', r.what, ordcancel_internal.label(t.orders)),
       format('Restore it from a backup, or create a new one: SELECT ordcancel.attach(%L).',
              ordcancel_internal.label(t.orders))
FROM (VALUES ('cancellation table', t.cancellation_table), ('event table', t.event_table)) AS r (what, rel)
WHERE NOT EXISTS (SELECT FROM pg_class WHERE oid = r.rel)
UNION ALL
SELECT t.orders::regclass, 'records_not_owned',
       format('Record table %s belongs to role %s, who can change it.', ordcancel_internal.label(c.oid),
              c.relowner::regrole),
       format('SELECT ordcancel.attach(%L), as a superuser, checks it and takes it over.',
              ordcancel_internal.label(t.orders))
FROM ordcancel_internal.record_table AS r
    CROSS JOIN LATERAL (SELECT ordcancel_internal.find_foreign(r.records) OFFSET 0) AS f (records)
    JOIN pg_class AS c ON c.oid = f.records
WHERE r.orders = t.orders
$$;
COMMENT ON FUNCTION ordcancel_internal.health_of_columns(ordcancel.order_table) IS
    'lists columns, keys and tables without which an attached table does not work';

-- Whether all guards exist and are enabled.
CREATE FUNCTION ordcancel_internal.health_of_guards(t ordcancel.order_table) RETURNS SETOF ordcancel.problem
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT t.orders::regclass, CASE WHEN m.disabled THEN 'guard_disabled' ELSE 'guard_missing' END,
       format('Trigger "%s" %s.', m.guard,
              CASE WHEN m.disabled THEN 'is disabled' ELSE 'is missing, or was modified' END),
       format('SELECT ordcancel.attach(%L) creates it again.', ordcancel_internal.label(t.orders))
FROM ordcancel_internal.missing_guards(t) AS m
UNION ALL
SELECT t.orders::regclass, 'guard_disabled',
       format('Trigger "%s" of partition %s is disabled.', g.tgname, ordcancel_internal.label(g.tgrelid)),
       format('ALTER TABLE %s ENABLE TRIGGER %I;', ordcancel_internal.label(g.tgrelid), g.tgname)
FROM pg_trigger AS g
    JOIN pg_proc AS f ON f.oid = g.tgfoid AND f.pronamespace = 'ordcancel_internal'::regnamespace
WHERE g.tgrelid = ANY (ordcancel_internal.parts(t.orders))
    AND g.tgrelid <> t.orders AND f.proname ~ '^guard_' AND g.tgenabled NOT IN ('O', 'A')
UNION ALL
SELECT t.orders::regclass, 'guard_renamed', format('Trigger "%s" of ordcancel was renamed.', s.name),
       format('SELECT ordcancel.attach(%L) restores its name.', ordcancel_internal.label(t.orders))
FROM ordcancel_internal.renamed_guards(t) AS s (name)
UNION ALL
SELECT t.orders::regclass, 'partition_unguarded',
       format('Partition %s is not guarded against TRUNCATE.', ordcancel_internal.label(p.relid)),
       format('SELECT ordcancel.guard_partitions(%L);', ordcancel_internal.label(t.orders))
FROM unnest(ordcancel_internal.parts(t.orders)) AS p (relid)
WHERE p.relid <> t.orders
  AND p.relid <> ALL (ARRAY(SELECT g.tgrelid FROM pg_trigger AS g
                            WHERE g.tgrelid = ANY (ordcancel_internal.parts(t.orders))
                              AND g.tgfoid = 'ordcancel_internal.guard_truncate()'::regprocedure))
UNION ALL
-- Triggers for the same event fire in byte order of their names.
SELECT t.orders::regclass, 'trigger_fires_first',
       format('Trigger "%s" of %s fires before the guard and may update the order before its first change is checked.',
              g.tgname, ordcancel_internal.label(g.tgrelid)),
       format('ALTER TRIGGER %I ON %s RENAME TO ..., with a name that sorts after "!ordcancel_guard_update".', g.tgname,
              ordcancel_internal.label(g.tgrelid))
FROM pg_trigger AS g
WHERE g.tgrelid = ANY (ordcancel_internal.parts(t.orders)) AND NOT g.tgisinternal AND g.tgparentid = 0
  AND g.tgname < '!ordcancel_guard_update' AND g.tgname !~ '^!ordcancel_guard_'
  AND g.tgtype::integer & 67 = 1 AND g.tgtype::integer & 16 <> 0 -- AFTER, ROW, UPDATE
UNION ALL
SELECT t.orders::regclass, 'rows_without_rules',
       format('Table %s inherits from it: queries return its rows, but no rules apply to them.',
              ordcancel_internal.label(i.inhrelid)),
       format('ALTER TABLE %s NO INHERIT %s; use partitions instead.', ordcancel_internal.label(i.inhrelid),
              ordcancel_internal.label(t.orders))
FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
WHERE i.inhparent = t.orders AND NOT c.relispartition
UNION ALL
SELECT t.orders::regclass, 'not_logged',
       'It is unlogged: after a crash its orders are lost but their cancellations remain.',
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
        SELECT c.oid, k.parent, k.numbered
        FROM ordcancel_internal.record_kinds() AS k
            JOIN ordcancel_internal.record_table AS r ON r.parent = k.parent AND r.orders = t.orders
            JOIN pg_class AS c ON c.oid = r.records
    LOOP
        IF ordcancel_internal.record_is_guarded(records) IS NOT TRUE THEN
            RETURN NEXT ROW(t.orders::regclass, 'records_unguarded',
                            format('Trigger "ordcancel_guard_record" of %s is missing or disabled.',
                                   ordcancel_internal.label(records)),
                            again)::ordcancel.problem;
        ELSIF ordcancel_internal.stamps_arrivals(records) IS FALSE THEN
            RETURN NEXT ROW(t.orders::regclass, 'records_unguarded',
                            format('Trigger "ordcancel_event_arrived" of %s is missing or does not fire in replica'
                                   ' mode.', ordcancel_internal.label(records)),
                            again)::ordcancel.problem;
        END IF;
        lacking := format('(%s)', (SELECT string_agg(quote_ident(k), ', ' ORDER BY n)
                                   FROM unnest(ordcancel_internal.record_primary_key(t.orders, parent, t.key_columns))
                                       WITH ORDINALITY AS p (k, n)));
        IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = records AND contype = 'p' AND NOT condeferrable
                       AND pg_get_constraintdef(oid) = 'PRIMARY KEY ' || lacking) THEN
            RETURN NEXT ROW(t.orders::regclass, 'index_missing',
                            format('%s has no primary key %s.', ordcancel_internal.label(records), lacking),
                            again)::ordcancel.problem;
        END IF;
        FOREACH lacking IN ARRAY
            ordcancel_internal.missing_indexes(records, ordcancel_internal.record_indexes(
                parent, t.key_columns, ordcancel_internal.is_distributed_by_hash(t.orders)))
        LOOP
            RETURN NEXT ROW(t.orders::regclass, 'index_missing',
                            format('%s has no index %s.', ordcancel_internal.label(records), lacking),
                            again)::ordcancel.problem;
        END LOOP;
        IF t.inherit AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = records AND inhparent = parent) THEN
            RETURN NEXT ROW(t.orders::regclass, 'records_not_in_views',
                            format('%s no longer inherits from %s.', ordcancel_internal.label(records), parent),
                            again)::ordcancel.problem;
        END IF;
        RETURN QUERY SELECT t.orders::regclass, p.problem, p.detail, again
                     FROM ordcancel_internal.archives(records) AS a,
                         LATERAL ordcancel_internal.archive_faults(a.archive, parent, t.key_columns) AS p;
        RETURN QUERY
            SELECT t.orders::regclass, 'records_not_in_archive',
                   format('%s inherits from %s, but its name does not end with a month: reports read its rows, calls do'
                          ' not.', ordcancel_internal.label(i.inhrelid), ordcancel_internal.label(records)),
                   format('ALTER TABLE %s RENAME TO ..., with the former name of the archive, or NO INHERIT %s.',
                          ordcancel_internal.label(i.inhrelid), ordcancel_internal.label(records))
            FROM pg_inherits AS i
            WHERE i.inhparent = records
              AND NOT EXISTS (SELECT FROM ordcancel_internal.archives(records) AS a WHERE a.archive = i.inhrelid);
        CONTINUE WHEN id IS NULL OR ordcancel_internal.is_distributed(records);
        EXECUTE format('SELECT last_value FROM ordcancel.%I', id || '_seq') INTO last;
        -- Of the ids of this node: records of others may have come by replication.
        -- Also of the archives.
        EXECUTE format('SELECT max(%1$I) FROM %2$s WHERE %1$I >= $1 << 43 AND %1$I < ($1 + 1) << 43', id, records)
            INTO highest USING ordcancel_internal.node_of(last);
        IF highest > last THEN
            RETURN NEXT ROW(t.orders::regclass, 'sequence_behind',
                            format('Sequence ordcancel.%s is at %s, but %s contains %s.', id || '_seq', last,
                                   ordcancel_internal.label(records), highest),
                            format('SELECT ordcancel.attach(%L) corrects it.',
                                   ordcancel_internal.label(t.orders)))::ordcancel.problem;
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
               CASE WHEN p.canceled_status IS NULL
                        THEN format('Policy "%s" has no canceled_status.', left(p.policy, 80))
                    ELSE format('No rule of policy "%s" allows anybody to cancel or to request it.',
                                left(p.policy, 80)) END,
               format(CASE WHEN p.canceled_status IS NULL
                               THEN 'SELECT ordcancel.set_policy(%L, policy => %L, canceled_status => ...);'
                           ELSE 'SELECT ordcancel.set_rule(%L, policy => %L, ...);' END,
                      ordcancel_internal.label(t.orders), p.policy)
        FROM ordcancel.policy AS p
        WHERE p.orders = t.orders
          AND (p.canceled_status IS NULL
               OR NOT EXISTS (SELECT FROM ordcancel.rule AS r
                              WHERE r.orders = t.orders AND r.policy = p.policy
                                AND 'forbid' <> ANY (ARRAY[r.customer, r.customer_late, r.merchant])));
    BEGIN
        RETURN QUERY
            SELECT t.orders::regclass, 'status_problem',
                   format('Policy "%s", status %s, orders now: %s. %s', left(o.policy, 80),
                          coalesce('"' || left(o.status, 80) || '"', 'NULL'), o.orders_now, o.problem),
                   CASE WHEN o.customer IS NULL AND o.means IS NULL AND o.status IS NOT NULL
                        THEN format('SELECT ordcancel.set_rule(%L, %L, policy => %L, ...);'
                                    ' without more arguments it states that nobody may cancel in that status.',
                                    ordcancel_internal.label(t.orders), o.status, o.policy)
                        ELSE format('SELECT * FROM ordcancel.overview(%L);', ordcancel_internal.label(t.orders)) END
            FROM ordcancel_internal.overview(t.orders) AS o
            WHERE o.problem IS NOT NULL AND o.problem NOT LIKE 'The customer''s window %'
              AND EXISTS (SELECT FROM ordcancel.policy AS p
                          WHERE p.orders = t.orders AND p.policy = o.policy AND p.canceled_status IS NOT NULL);
    EXCEPTION WHEN SQLSTATE 'OC014' THEN
        NULL; -- deleted_when is not valid, see below
    END;
    RETURN QUERY
        SELECT t.orders::regclass, 'window_never_closes',
               format('Policy "%s" has a grace, but attach() was called without placed_at.', left(p.policy, 80)),
               format('SELECT ordcancel.attach(%L, placed_at => ...);', ordcancel_internal.label(t.orders))
        FROM ordcancel.policy AS p
        WHERE p.orders = t.orders AND p.grace IS NOT NULL AND t.placed_at IS NULL;
    RETURN QUERY
        SELECT t.orders::regclass, 'policy_reopens_nothing',
               format('Policy "%s" has reopen_statuses, but undo is "%s".', left(p.policy, 80), p.undo),
               format('SELECT ordcancel.set_policy(%L, policy => %L, undo => ''canceled'');'
                      ' or reopen_statuses => ''{}''.', ordcancel_internal.label(t.orders), p.policy)
        FROM ordcancel.policy AS p
        WHERE p.orders = t.orders AND p.reopen_statuses <> '{}' AND p.undo <> 'canceled';
    RETURN QUERY
        SELECT t.orders::regclass, 'policy_without_orders',
               format('Policy "%s" applies to no order, but orders have "%s".', left(p.policy, 80), left(m.meant, 80)),
               format('Is it misspelled? SELECT ordcancel.set_policy(%L, policy => %L, copy_of => %L);'
                      ' and drop the other one.',
                      ordcancel_internal.label(t.orders), m.meant, p.policy)
        FROM ordcancel.policy AS p,
            LATERAL ordcancel_internal.misspelled_policy(t.orders, p.policy) AS m (meant)
        WHERE p.orders = t.orders AND p.policy <> 'default' AND m.meant IS NOT NULL
          AND (SELECT count(*) FROM ordcancel.policy AS n WHERE n.orders = t.orders) <= 100
          AND NOT EXISTS (SELECT FROM ordcancel_internal.counted(t.orders) AS c WHERE c.policy = p.policy);
    FOR e IN
        SELECT 'block_fails' AS problem, format('Block "%s"', left(b.name, 80)) AS what, b.condition AS expression,
               NULL::regclass AS items, 'boolean'::regtype AS type, b.functions,
               format('ordcancel.add_block(%L, %L, ...%s%s);', ordcancel_internal.label(t.orders), b.name,
                      ', hint => ' || quote_literal(b.hint), ', party => ' || quote_literal(b.party)) AS again,
               NULL::name AS also_set
        FROM ordcancel.block AS b WHERE b.orders = t.orders
        UNION ALL
        SELECT 'also_set_fails', format('The value of column "%s" for state "%s"', s."column", s.state), s.value,
               NULL::regclass, NULL, s.functions,
               format('ordcancel.also_set(%L, %L, %L, ...); or drop_also_set().', ordcancel_internal.label(t.orders),
                      s.state, s."column"), s."column"
        FROM ordcancel.also_set AS s WHERE s.orders = t.orders
        UNION ALL
        SELECT 'refund_due_fails', 'refund_due', t.refund_due, NULL::regclass, 'numeric', t.refund_due_functions,
               format('ordcancel.attach(%L, refund_due => ...);', ordcancel_internal.label(t.orders)), NULL
        WHERE t.refund_due IS NOT NULL
        UNION ALL
        SELECT 'deleted_when_fails', 'deleted_when', t.deleted_when, NULL::regclass, 'boolean',
               t.deleted_when_functions,
               format('ordcancel.attach(%L, deleted_when => ...);', ordcancel_internal.label(t.orders)), NULL
        WHERE t.deleted_when IS NOT NULL
        UNION ALL
        SELECT 'item_expression_fails', x.what, x.expression, i.items::regclass, 'numeric', x.functions,
               format('ordcancel.attach_items(%L, %L, NULL, %s => ...);', ordcancel_internal.label(i.items),
                      ordcancel_internal.label(t.orders), x.what), NULL
        FROM ordcancel.item_table AS i
            CROSS JOIN LATERAL (VALUES ('fulfilled', i.fulfilled, i.fulfilled_functions),
                                       ('amount', i.amount, i.amount_functions)) AS x (what, expression, functions)
        WHERE i.orders = t.orders AND x.expression IS NOT NULL AND EXISTS (SELECT FROM pg_class WHERE oid = i.items)
    LOOP
        BEGIN
            now_calls := CASE WHEN e.also_set IS NOT NULL
                THEN ordcancel_internal.pin_also_set(t.orders, e.also_set, e.expression, true)
                WHEN e.items IS NULL
                THEN ordcancel_internal.pin_expression(t.orders, e.expression, e.type, true)
                ELSE ordcancel_internal.pin_item_expression(t.orders, e.items, e.expression, e.type, true) END;
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
