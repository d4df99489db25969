-- Problems of the items of an order table

-- What attach_items() was given and is no longer there. Nothing else can be
-- checked then.
CREATE FUNCTION ordcancel_internal.item_faults(i ordcancel.item_table) RETURNS TABLE (detail text, hint text)
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
WITH it AS (
    SELECT ordcancel_internal.label(i.items) AS items, ordcancel_internal.label(i.orders) AS orders, c.oid, c.relowner
    FROM (SELECT 1) AS one LEFT JOIN pg_class AS c ON c.oid = i.items
)
SELECT format('The table of the items, OID %s, was dropped.', i.items::oid),
       format('SELECT ordcancel.detach_items(%s), as a superuser.', i.items::oid)
FROM it WHERE it.oid IS NULL
UNION ALL
SELECT format('Column "%s" of %s, attached as %s, was renamed or dropped.', w.name, it.items, w.what),
       format('SELECT ordcancel.attach_items(%L, %L, %s) with its new name.', it.items, it.orders,
              CASE w.what WHEN 'key' THEN 'key => ...' ELSE format('NULL, %I => ...', w.what) END)
FROM it, (SELECT 'key', k FROM unnest(i.key_columns) AS k
          UNION ALL VALUES ('quantity', i.quantity), ('canceled', i.canceled), ('status', i.status)) AS w (what, name)
WHERE it.oid IS NOT NULL AND w.name IS NOT NULL
  AND NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = i.items AND attname = w.name AND NOT attisdropped)
UNION ALL
SELECT format('The primary key of %s is now (%s); it was (%s).', it.items, coalesce(k.now, 'none'),
              array_to_string(i.item_key, ', ')),
       format('Restore it; if its columns were only renamed: SELECT ordcancel.attach_items(%L, %L, NULL).', it.items,
              it.orders)
FROM it, (SELECT (SELECT string_agg(a.attname, ', ' ORDER BY n.n)
                  FROM pg_index AS x, unnest(x.indkey::int2[]) WITH ORDINALITY AS n (attnum, n)
                      JOIN pg_attribute AS a ON a.attrelid = i.items AND a.attnum = n.attnum
                  WHERE x.indrelid = i.items AND x.indisprimary AND n.n <= x.indnkeyatts)) AS k (now)
WHERE it.oid IS NOT NULL AND k.now IS DISTINCT FROM array_to_string(i.item_key, ', ')
UNION ALL
SELECT format('%s belongs to %s, and the order table to %s.', it.items, it.relowner::regrole, o.relowner::regrole),
       format('ALTER TABLE %s OWNER TO %s;', it.items, o.relowner::regrole)
FROM it JOIN pg_class AS o ON o.oid = i.orders WHERE it.relowner <> o.relowner
UNION ALL
SELECT format('%s is stored by access method "%s".', ordcancel_internal.label(n.rel), n.method),
       format('ALTER TABLE %s SET ACCESS METHOD heap;', ordcancel_internal.label(n.rel))
FROM it, ordcancel_internal.not_heap(i.items) AS n
UNION ALL
SELECT format('The record table of the items of %s is missing.', it.orders),
       format('Restore it from a backup, or create a new one: SELECT ordcancel.attach_items(%L, %L, NULL).', it.items,
              it.orders)
FROM it JOIN ordcancel.order_table AS t ON t.orders = i.orders
WHERE it.oid IS NOT NULL AND NOT EXISTS (SELECT FROM pg_class WHERE oid = t.item_records)
$$;
COMMENT ON FUNCTION ordcancel_internal.item_faults(ordcancel.item_table) IS
    'lists columns and tables without which attached items do not work';

CREATE FUNCTION ordcancel_internal.health_of_item_guards(i ordcancel.item_table) RETURNS SETOF ordcancel.problem
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT i.orders::regclass, 'items_unguarded',
       format('Trigger "%s" of %s %s.', m.guard, ordcancel_internal.label(i.items),
              CASE WHEN m.disabled THEN 'is disabled' ELSE 'is missing, or was modified' END),
       format('SELECT ordcancel.attach_items(%L, %L, NULL) creates it again.', ordcancel_internal.label(i.items),
              ordcancel_internal.label(i.orders))
FROM ordcancel_internal.missing_item_guards(i.items) AS m
UNION ALL
SELECT i.orders::regclass, 'items_unguarded',
       format('Trigger "%s" of partition %s is missing or disabled.', g.name, ordcancel_internal.label(p.relid)),
       CASE WHEN t.tgname IS NULL AND g.name = '!ordcancel_guard_item'
            THEN format('SELECT ordcancel.attach_items(%L, %L, NULL) creates it again.',
                        ordcancel_internal.label(i.items), ordcancel_internal.label(i.orders))
            ELSE format('SELECT ordcancel.guard_partitions(%L);', ordcancel_internal.label(i.orders)) END
FROM unnest(ordcancel_internal.parts(i.items)) AS p (relid)
    CROSS JOIN (VALUES ('!ordcancel_guard_item', 'ordcancel_internal.guard_item()'::regprocedure),
                       ('!ordcancel_guard_item_truncate', 'ordcancel_internal.guard_item_truncate()')) AS g (name, proc)
    LEFT JOIN LATERAL (SELECT o.tgname, o.tgenabled FROM pg_trigger AS o
                       WHERE o.tgrelid = p.relid AND o.tgfoid = g.proc OFFSET 0) AS t ON true
WHERE p.relid <> i.items AND coalesce(t.tgenabled, '-') NOT IN ('O', 'A')
$$;
COMMENT ON FUNCTION ordcancel_internal.health_of_item_guards(ordcancel.item_table) IS
    'lists triggers of a table of items that are missing or disabled';

-- Items and records that disagree, with their number and an example.
CREATE FUNCTION ordcancel_internal.health_of_item_rows(t ordcancel.order_table, i ordcancel.item_table)
    RETURNS SETOF ordcancel.problem
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    q record := ordcancel_internal.item_query(i);
    key CONSTANT text := (SELECT CASE count(*) WHEN 1 THEN format('pg_catalog.format(''%%s'', order_row.%I)', min(k))
                                               ELSE format('pg_catalog.format(''%%s'', ROW(%s))',
                                                           string_agg(format('order_row.%I', k), ', ' ORDER BY n)) END
                          FROM unnest(i.item_key) WITH ORDINALITY AS p (k, n));
    record_keys CONSTANT text := (SELECT string_agg(format('i.%I', k), ', ' ORDER BY n)
                                  FROM unnest(i.record_keys) WITH ORDINALITY AS p (k, n));
    label CONSTANT text := ordcancel_internal.label(i.items);
    found record;
BEGIN
    FOR found IN
        SELECT * FROM json_to_recordset(ordcancel_internal.as_owner(i.items, format(
            $q$SELECT pg_catalog.json_agg(x)::pg_catalog.text FROM (
                   SELECT pg_catalog.count(*) AS n, pg_catalog.min(%1$s) AS example FROM %2$s
                   WHERE %3$s OPERATOR(pg_catalog.+) %4$s OPERATOR(pg_catalog.>) %5$s) AS x$q$,
            key, q.source, q.canceled, q.fulfilled, q.ordered), t.time_zone)::json) AS x (n bigint, example text)
        WHERE n > 0
    LOOP
        RETURN NEXT ROW(t.orders::regclass, 'items_exceed_quantity',
                        format('Items of %s with more units canceled and fulfilled than ordered: %s, for example'
                               ' item %s.', label, found.n, left(found.example, 80)),
                        'They were written while the triggers were disabled, or before attach_items();'
                        ' correct their quantity.')::ordcancel.problem;
    END LOOP;
    -- Units that were canceled before attach_items() have no record.
    FOR found IN
        SELECT * FROM json_to_recordset(ordcancel_internal.as_owner(i.items, format(
            $q$SELECT pg_catalog.json_agg(x)::pg_catalog.text FROM (
                   SELECT pg_catalog.count(*) AS n, pg_catalog.min(%1$s) AS example
                   FROM (SELECT %6$s, pg_catalog.sum(i.quantity) AS units
                         FROM ONLY %7$s AS i JOIN ONLY %8$s AS c
                             ON c.cancellation_id OPERATOR(pg_catalog.=) i.cancellation_id
                         WHERE c.state OPERATOR(pg_catalog.=) ANY (ARRAY['in_progress', 'canceled'])
                         GROUP BY %6$s) AS recorded, %2$s
                   WHERE %9$s AND %3$s OPERATOR(pg_catalog.<) recorded.units) AS x$q$,
            key, q.source, q.canceled, q.fulfilled, q.ordered, record_keys, t.item_records::regclass,
            t.cancellation_table::regclass,
            ordcancel_internal.key_join(i.items, 'recorded', i.record_keys, 'order_row', i.item_key)),
            t.time_zone)::json) AS x (n bigint, example text)
        WHERE n > 0
    LOOP
        RETURN NEXT ROW(t.orders::regclass, 'item_and_records_differ',
                        format('Items of %s with fewer units canceled than their cancellations say: %s, for example'
                               ' item %s.', label, found.n, left(found.example, 80)),
                        'They were written while the triggers were disabled; ordcancel.undo_cancel() ends a'
                        ' cancellation.')::ordcancel.problem;
    END LOOP;
    -- An order that was canceled before attach_items() has no items on record.
    FOR found IN
        SELECT * FROM json_to_recordset(ordcancel_internal.as_owner(i.items, format(
            $q$SELECT pg_catalog.json_agg(x)::pg_catalog.text FROM (
                   SELECT pg_catalog.count(DISTINCT c.cancellation_id) AS n, pg_catalog.min(c.order_key) AS example
                   FROM ONLY %6$s AS c, %2$s
                   WHERE %8$s AND c.scope OPERATOR(pg_catalog.=) 'order'
                     AND c.state OPERATOR(pg_catalog.=) ANY (ARRAY['in_progress', 'canceled'])
                     AND %5$s OPERATOR(pg_catalog.>) (%3$s OPERATOR(pg_catalog.+) %4$s)
                     AND EXISTS (SELECT FROM ONLY %7$s AS i
                                 WHERE i.cancellation_id OPERATOR(pg_catalog.=) c.cancellation_id)) AS x$q$,
            key, q.source, q.canceled, q.fulfilled, q.ordered, t.cancellation_table::regclass,
            t.item_records::regclass,
            ordcancel_internal.key_join(t.orders, 'c', t.key_columns, 'order_row', i.key_columns)),
            t.time_zone)::json) AS x (n bigint, example text)
        WHERE n > 0
    LOOP
        RETURN NEXT ROW(t.orders::regclass, 'items_left',
                        format('Canceled orders with units that are neither canceled nor fulfilled: %s, for example'
                               ' order %s.', found.n, left(found.example, 80)),
                        'Their items were written while the triggers were disabled.')::ordcancel.problem;
    END LOOP;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.health_of_item_rows(ordcancel.order_table, ordcancel.item_table) IS
    'lists items and records that disagree';

CREATE FUNCTION ordcancel_internal.health_of_items(t ordcancel.order_table) RETURNS SETOF ordcancel.problem
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    i ordcancel.item_table;
BEGIN
    SELECT * INTO i FROM ordcancel.item_table AS a WHERE a.orders = t.orders;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    RETURN QUERY
        SELECT t.orders::regclass, 'items_unusable', f.detail, f.hint FROM ordcancel_internal.item_faults(i) AS f;
    IF FOUND THEN
        RETURN;
    END IF;
    RETURN QUERY SELECT * FROM ordcancel_internal.health_of_item_guards(i);
    -- health_of_rules() reports expressions that cannot be used, or would call other
    -- functions and so must not be run; health_of_orders() unreadable records.
    BEGIN
        IF ordcancel_internal.pin_item_expression(i.orders, i.items, i.fulfilled, 'numeric', true)
               IS DISTINCT FROM i.fulfilled_functions THEN
            RETURN;
        END IF;
    EXCEPTION WHEN OTHERS THEN
        RETURN;
    END;
    IF has_table_privilege((SELECT relowner FROM pg_class WHERE oid = i.items), t.item_records, 'SELECT')
       AND has_table_privilege((SELECT relowner FROM pg_class WHERE oid = i.items), t.cancellation_table, 'SELECT') THEN
        RETURN QUERY SELECT * FROM ordcancel_internal.health_of_item_rows(t, i);
    END IF;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.health_of_items(ordcancel.order_table) IS
    'lists problems of the items of orders';
