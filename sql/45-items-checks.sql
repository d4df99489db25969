-- What attach_items() requires of a table of items

-- Raises OC014 unless the rows of a table can be items. Returns its primary key.
CREATE FUNCTION ordcancel_internal.check_item_table(items regclass, orders regclass) RETURNS name[]
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    label CONSTANT text := ordcancel_internal.label(items);
    message CONSTANT text := format('%s cannot be attached as items of %s', label, ordcancel_internal.label(orders));
    class pg_class;
    pkey pg_index;
    other record;
BEGIN
    SELECT * INTO class FROM pg_class WHERE oid = items;
    IF class.relkind NOT IN ('r', 'p') THEN
        PERFORM ordcancel_internal.invalid(message, 'It is not an ordinary or partitioned table.');
    ELSIF class.relnamespace IN ('ordcancel'::regnamespace, 'pg_catalog'::regnamespace)
          OR ordcancel_internal.is_record_table(items) THEN
        PERFORM ordcancel_internal.invalid(message, 'It is a record table or a table of the system.');
    ELSIF class.relpersistence = 't' THEN
        PERFORM ordcancel_internal.invalid(message, 'It is a temporary table.');
    ELSIF class.relispartition THEN
        PERFORM ordcancel_internal.invalid(message, 'It is a partition.', 'Attach the partitioned table.');
    ELSIF class.relkind = 'r' AND EXISTS (SELECT FROM pg_inherits WHERE inhparent = items OR inhrelid = items) THEN
        PERFORM ordcancel_internal.invalid(
            message, 'It has child tables or inherits from another table; triggers are not inherited.');
    ELSIF items = orders THEN
        PERFORM ordcancel_internal.invalid(message, 'It is the order table itself.');
    ELSIF EXISTS (SELECT FROM ordcancel.order_table AS t WHERE t.orders = items) THEN
        PERFORM ordcancel_internal.invalid(message, 'It is attached as an order table.');
    ELSIF EXISTS (SELECT FROM ordcancel.child AS c WHERE c.child = items) THEN
        PERFORM ordcancel_internal.invalid(
            message, 'It is attached as a child table.',
            format('Call ordcancel.detach_child(%L) first; items are refused for canceled orders, too.', label));
    ELSIF class.relowner <> (SELECT relowner FROM pg_class WHERE oid = orders) THEN
        PERFORM ordcancel_internal.invalid(message, 'The two tables have different owners.');
    END IF;
    SELECT i.items, i.orders INTO other
    FROM ordcancel.item_table AS i JOIN pg_class AS c ON c.oid = i.items
    WHERE (i.items = check_item_table.items) <> (i.orders = check_item_table.orders);
    IF FOUND THEN
        PERFORM ordcancel_internal.invalid(
            message, format('%s has the items of %s.', ordcancel_internal.label(other.items),
                            ordcancel_internal.label(other.orders)),
            format('Call ordcancel.detach_items(%L) first; the records are kept.',
                   ordcancel_internal.label(other.items)));
    END IF;
    SELECT * INTO other FROM ordcancel_internal.not_heap(items) LIMIT 1;
    IF FOUND THEN
        PERFORM ordcancel_internal.invalid(
            message, format('%s is stored by access method "%s".', ordcancel_internal.label(other.rel), other.method),
            format('ALTER TABLE %s SET ACCESS METHOD heap;', ordcancel_internal.label(other.rel)));
    END IF;
    SELECT * INTO pkey FROM pg_index WHERE indrelid = items AND indisprimary;
    IF NOT FOUND OR NOT pkey.indimmediate THEN
        PERFORM ordcancel_internal.invalid(message, CASE WHEN FOUND THEN 'Its primary key is deferrable.'
                                                         ELSE 'It has no primary key.' END,
                                           'Add a primary key that is not deferrable.');
    END IF;
    RETURN ARRAY(SELECT a.attname
                 FROM unnest(pkey.indkey::int2[]) WITH ORDINALITY AS k (attnum, n)
                     JOIN pg_attribute AS a ON a.attrelid = items AND a.attnum = k.attnum
                 WHERE k.n <= pkey.indnkeyatts
                 ORDER BY k.n);
END
$$;
COMMENT ON FUNCTION ordcancel_internal.check_item_table(regclass, regclass) IS
    'raises OC014 if attach_items() cannot take a table; returns its key columns';

-- Raises OC014 unless it is clear where canceled units are kept.
CREATE FUNCTION ordcancel_internal.check_item_columns(t ordcancel.item_table) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    label CONSTANT text := ordcancel_internal.label(t.items);
    detail CONSTANT text := CASE
        WHEN t.canceled IS NOT NULL AND t.status IS NOT NULL
            THEN 'Canceled units are kept in a column, or marked by a status, but not both.'
        WHEN t.canceled IS NOT NULL AND t.quantity IS NULL THEN 'canceled was specified without quantity.'
        WHEN t.status IS NOT NULL AND t.canceled_status IS NULL THEN 'status was specified without canceled_status.'
        WHEN t.status IS NULL AND t.canceled_status IS NOT NULL THEN 'canceled_status was specified without status.'
        WHEN t.canceled IS NULL AND t.status IS NULL THEN 'It was not specified where canceled units are kept.' END;
    problem text;
    col record;
BEGIN
    IF detail IS NOT NULL THEN
        PERFORM ordcancel_internal.invalid(
            format('%s cannot be attached as items of %s', label, ordcancel_internal.label(t.orders)), detail,
            'Pass quantity and canceled, or status and canceled_status; unset => ... removes one that was set before.');
    END IF;
    FOR col IN
        SELECT w.what, w.name, a.atttypid, a.attgenerated,
               ordcancel_internal.base_type(a.atttypid) AS base, y.typcategory AS category
        FROM (VALUES (1, 'quantity', t.quantity), (2, 'canceled', t.canceled), (3, 'status', t.status))
                 AS w (n, what, name)
            LEFT JOIN pg_attribute AS a
                ON a.attrelid = t.items AND a.attname = w.name AND a.attnum > 0 AND NOT a.attisdropped
            LEFT JOIN pg_type AS y ON y.oid = ordcancel_internal.base_type(a.atttypid)
        WHERE w.name IS NOT NULL
        ORDER BY w.n
    LOOP
        IF col.atttypid IS NULL THEN
            PERFORM ordcancel_internal.invalid(
                format('%s has no column "%s"', label, col.name), format('It was passed as %s.', col.what),
                ordcancel_internal.choices(
                    col.name::text,
                    ARRAY(SELECT a.attname::text FROM pg_attribute AS a
                          WHERE a.attrelid = t.items AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum),
                    'The columns are %s.'));
        END IF;
        problem := CASE
            WHEN col.what <> 'status' AND col.base NOT IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype,
                                                           'numeric'::regtype)
                THEN format('Its type is %s, not an integer or numeric.', col.atttypid::regtype)
            WHEN col.what = 'status' AND col.category NOT IN ('S', 'E', 'B', 'Z')
                 AND col.base NOT IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'numeric'::regtype)
                THEN format('Its type is %s, not a text, an enum, a number or a boolean.', col.atttypid::regtype)
            WHEN col.what = 'quantity' THEN NULL
            WHEN col.attgenerated <> '' THEN 'It is a generated column, so it cannot be set.'
            WHEN col.name = ANY (t.item_key)
                THEN 'It is part of the primary key, under which cancellations are recorded.'
            WHEN col.name = ANY (t.key_columns) THEN 'It holds the key of the order.'
            WHEN col.name = t.quantity THEN 'It was passed as quantity, too.' END;
        IF problem IS NOT NULL THEN
            PERFORM ordcancel_internal.invalid(
                format('column "%s" of %s cannot be used as %s', col.name, label, col.what), problem);
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.check_item_columns(ordcancel.item_table) IS
    'raises OC014 if attach_items() cannot use the columns that it was given';

-- The names of the item's key columns in the record table. If the items are
-- attached already, renamed key columns keep their names there.
CREATE FUNCTION ordcancel_internal.item_record_keys(was ordcancel.item_table, items regclass, item_key name[])
    RETURNS name[]
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF was.items IS NULL OR was.items <> items THEN
        RETURN ordcancel_internal.record_keys(item_key, '{ordcancel.cancellation_item}', 'item_');
    ELSIF cardinality(was.item_key) <> cardinality(item_key)
          OR EXISTS (SELECT FROM unnest(was.item_key, item_key) AS k (was, is_now)
                         JOIN pg_attribute AS a ON a.attrelid = items AND a.attname = k.was AND NOT a.attisdropped
                     WHERE k.was <> k.is_now) THEN
        PERFORM ordcancel_internal.invalid(
            format('the primary key of %s has changed', ordcancel_internal.label(items)),
            format('It was (%s) and is now (%s); canceled items are recorded under the old one.',
                   array_to_string(was.item_key, ', '), array_to_string(item_key, ', ')),
            'Restore the primary key.');
    END IF;
    RETURN was.record_keys;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.item_record_keys(ordcancel.item_table, regclass, name[]) IS
    'returns the names of the item''s key columns in the record table, which may exist already';

-- Parts of a query over the items, which are its table order_row: the units of an
-- item as SQL expressions, and the FROM item.
CREATE FUNCTION ordcancel_internal.item_query(
    t ordcancel.item_table, OUT ordered text, OUT canceled text, OUT fulfilled text, OUT source text)
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT q.ordered,
       CASE WHEN t.canceled IS NOT NULL
            THEN format('coalesce(order_row.%I::pg_catalog.numeric, 0)', t.canceled)
            ELSE format('CASE WHEN (%s) OPERATOR(pg_catalog.=) %L THEN %s ELSE 0 END',
                        ordcancel_internal.column_text(t.items, t.status), t.canceled_status, q.ordered) END,
       coalesce('coalesce((' || coalesce(t.pinned_fulfilled, t.fulfilled) || ')::pg_catalog.numeric, 0)', '0'),
       format('%s AS order_row', t.items)
       -- column_text() reads the column from a table o.
       || CASE WHEN t.status IS NULL THEN ''
               ELSE format(', LATERAL (SELECT order_row.%1$I) AS o (%1$I)', t.status) END
FROM (SELECT coalesce('coalesce(order_row.' || quote_ident(t.quantity) || '::pg_catalog.numeric, 0)', '1'))
         AS q (ordered)
$$;
COMMENT ON FUNCTION ordcancel_internal.item_query(ordcancel.item_table) IS
    'returns SQL for the units of items, for a query over them';

-- Reports items that are canceled or fulfilled beyond their quantity. It must not
-- fail, and does not count large tables.
CREATE FUNCTION ordcancel_internal.notice_of_items(t ordcancel.item_table) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    over bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_index AS x JOIN pg_class AS c ON c.oid = x.indexrelid
                       JOIN pg_am AS m ON m.oid = c.relam AND m.amname = 'btree'
                   WHERE x.indrelid = t.items AND x.indisvalid AND x.indpred IS NULL
                     AND t.key_columns <@ ARRAY(SELECT a.attname
                                                FROM unnest(x.indkey::int2[]) WITH ORDINALITY AS k (attnum, n)
                                                    JOIN pg_attribute AS a ON a.attrelid = t.items
                                                                              AND a.attnum = k.attnum
                                                WHERE k.n <= cardinality(t.key_columns))) THEN
        PERFORM ordcancel_internal.notice(
            format('%s has no index by which the items of an order are found', ordcancel_internal.label(t.items)),
            'Every cancellation reads the whole table.',
            format('CREATE INDEX ON %s (%s);', ordcancel_internal.label(t.items),
                   (SELECT string_agg(quote_ident(k), ', ' ORDER BY n)
                    FROM unnest(t.key_columns) WITH ORDINALITY AS c (k, n))));
    END IF;
    IF NOT ordcancel_internal.is_small(t.items) THEN
        RETURN;
    END IF;
    BEGIN
        SELECT ordcancel_internal.as_owner(t.items, format(
                   'SELECT pg_catalog.count(*)::pg_catalog.text FROM %s'
                   ' WHERE %s OPERATOR(pg_catalog.+) %s OPERATOR(pg_catalog.>) %s',
                   q.source, q.canceled, q.fulfilled, q.ordered), o.time_zone)
        INTO over
        FROM ordcancel_internal.item_query(t) AS q, ordcancel.order_table AS o WHERE o.orders = t.orders;
    EXCEPTION WHEN OTHERS THEN
        RETURN;
    END;
    IF over > 0 THEN
        PERFORM ordcancel_internal.notice(
            format('items of %s have more units canceled and fulfilled than ordered: %s',
                   ordcancel_internal.label(t.items), over),
            'Updates of such items are refused until that is corrected.');
    END IF;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.notice_of_items(ordcancel.item_table) IS
    'raises a NOTICE about what is wrong with the items that exist';
