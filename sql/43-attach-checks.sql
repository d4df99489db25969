-- What can be attached, and what is said about it

-- Raises OC014 unless the table can be attached.
CREATE FUNCTION ordcancel_internal.check_order_table(
    orders regclass, status name, placed_at name, policy_by name, status_since name) RETURNS name[]
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    class pg_class;
    pkey pg_index;
    col record;
    key_columns name[];
    label CONSTANT text := ordcancel_internal.label(orders);
    other record;
BEGIN
    SELECT * INTO class FROM pg_class WHERE oid = orders;
    IF class.relkind NOT IN ('r', 'p') THEN
        PERFORM ordcancel_internal.invalid(format('%s cannot be attached', label), 'It is not a table.',
                                   'Attach the table that the orders are stored in.');
    ELSIF class.relpersistence = 't' THEN
        PERFORM ordcancel_internal.invalid(format('%s cannot be attached', label), 'It is a temporary table.');
    ELSIF class.relnamespace IN ('ordcancel'::regnamespace, 'pg_catalog'::regnamespace) THEN
        PERFORM ordcancel_internal.invalid(format('%s cannot be attached', label), 'It is not a table of orders.');
    ELSIF EXISTS (SELECT FROM ordcancel.order_table AS t
                  WHERE t.orders = ANY (array_remove(ordcancel_internal.parts(check_order_table.orders),
                                                     check_order_table.orders::oid))) THEN
        PERFORM ordcancel_internal.invalid(
            format('%s cannot be attached', label), 'One of its partitions is attached separately.',
            'Detach the partition first; or call ordcancel.replace_table() before it becomes a partition.');
    ELSIF class.relispartition THEN
        PERFORM ordcancel_internal.invalid(format('%s cannot be attached', label), 'It is a partition.',
                                   'Attach the partitioned table.');
    ELSIF class.relkind = 'r' AND EXISTS (SELECT FROM pg_inherits WHERE inhparent = orders OR inhrelid = orders) THEN
        PERFORM ordcancel_internal.invalid(format('%s cannot be attached', label),
                                   'It has child tables or inherits from another table; triggers are not inherited.');
    ELSIF EXISTS (SELECT FROM ordcancel.item_table AS i WHERE i.items = check_order_table.orders) THEN
        PERFORM ordcancel_internal.invalid(format('%s cannot be attached', label),
                                           'It is attached as a table of items.');
    END IF;
    SELECT d.fault INTO other FROM ordcancel_internal.distribution(orders) AS d;
    IF other.fault IS NOT NULL THEN
        PERFORM ordcancel_internal.invalid(format('%s cannot be attached', label), other.fault);
    END IF;
    SELECT * INTO other FROM ordcancel_internal.not_heap(orders) LIMIT 1;
    IF FOUND THEN
        PERFORM ordcancel_internal.invalid(
            format('%s cannot be attached', label),
            format('%s is stored by access method "%s".',
                   CASE WHEN other.rel = orders THEN 'It'
                        ELSE 'Its partition ' || ordcancel_internal.label(other.rel) END,
                   other.method),
            format('ALTER TABLE %s SET ACCESS METHOD heap;', ordcancel_internal.label(other.rel)));
    END IF;

    SELECT * INTO pkey FROM pg_index WHERE indrelid = orders AND indisprimary;
    IF NOT FOUND OR NOT pkey.indimmediate THEN
        PERFORM ordcancel_internal.invalid(format('%s cannot be attached', label),
                                   CASE WHEN FOUND THEN 'Its primary key is deferrable.'
                                        ELSE 'It has no primary key.' END,
                                   'Add a primary key that is not deferrable.');
    END IF;
    key_columns := ARRAY(SELECT a.attname
                         FROM unnest(pkey.indkey::int2[]) WITH ORDINALITY AS k (attnum, n)
                             JOIN pg_attribute AS a ON a.attrelid = orders AND a.attnum = k.attnum
                         WHERE k.n <= pkey.indnkeyatts
                         ORDER BY k.n);

    IF status IS NULL THEN
        PERFORM ordcancel_internal.invalid(
            format('%s cannot be attached', label), 'No status column was specified.',
            format('Pass status => with the name of the column. The columns are %s.',
                   (SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute
                    WHERE attrelid = orders AND attnum > 0 AND NOT attisdropped)));
    END IF;
    FOR col IN
        SELECT w.what, w.name, a.atttypid, a.attgenerated,
               ordcancel_internal.base_type(a.atttypid) AS base, t.typcategory AS category
        FROM (VALUES ('status', status), ('placed_at', placed_at), ('policy_by', policy_by),
                     ('status_since', status_since)) AS w (what, name)
            LEFT JOIN pg_attribute AS a
                ON a.attrelid = orders AND a.attname = w.name AND a.attnum > 0 AND NOT a.attisdropped
            LEFT JOIN pg_type AS t ON t.oid = ordcancel_internal.base_type(a.atttypid)
        WHERE w.name IS NOT NULL
    LOOP
        IF col.atttypid IS NULL THEN
            PERFORM ordcancel_internal.invalid(
                format('%s has no column "%s"', label, col.name), format('It was passed as %s.', col.what),
                ordcancel_internal.choices(
                    col.name::text,
                    ARRAY(SELECT a.attname::text FROM pg_attribute AS a
                          WHERE a.attrelid = orders AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum),
                    'The columns are %s.'));
        ELSIF col.what IN ('placed_at', 'status_since')
              AND col.base NOT IN ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype) THEN
            PERFORM ordcancel_internal.invalid(format('column "%s" of %s cannot be used as %s', col.name, label,
                                              col.what),
                                       format('Its type is %s, not a timestamp or date.', col.atttypid::regtype));
        ELSIF col.what = 'status' AND col.category NOT IN ('S', 'E', 'B', 'Z')
              AND col.base NOT IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'numeric'::regtype) THEN
            PERFORM ordcancel_internal.invalid(format('column "%s" of %s cannot be used as status', col.name, label),
                                       format('Its type is %s, not a text, an enum, a number or a boolean.',
                                              col.atttypid::regtype));
        ELSIF col.what = 'status' AND col.attgenerated <> '' THEN
            PERFORM ordcancel_internal.invalid(format('column "%s" of %s cannot be used as status', col.name, label),
                                       'It is a generated column, so it cannot be set.');
        ELSIF col.what = 'status' AND col.name = ANY (key_columns) THEN
            PERFORM ordcancel_internal.invalid(format('column "%s" of %s cannot be used as status', col.name, label),
                                       'It is part of the primary key, under which cancellations are recorded.');
        ELSIF col.what = 'status' AND col.name = ANY (ordcancel_internal.generated_from(orders, key_columns)) THEN
            PERFORM ordcancel_internal.invalid(format('column "%s" of %s cannot be used as status', col.name, label),
                                       'A column of the primary key, under which cancellations are recorded, is'
                                       ' computed from it.');
        END IF;
    END LOOP;
    RETURN key_columns;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.check_order_table(regclass, name, name, name, name) IS
    'raises OC014 if attach() cannot take a table; returns its key columns';

-- The settings of an attached table, one per row, so that a second attach() can
-- report what it changed. Includes NULLs, which may have had a value before.
CREATE FUNCTION ordcancel_internal.attach_text(registered ordcancel.order_table)
    RETURNS TABLE (n bigint, fact text, value text)
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT row_number() OVER (), f.fact, f.value
FROM (VALUES ('status', registered.status::text), ('placed_at', registered.placed_at),
             ('policy_by', registered.policy_by),
             ('refund_due', registered.refund_due), ('refund_scale', registered.refund_scale::text),
             ('refund_due_net', registered.refund_due_net::text),
             ('plain_updates', registered.plain_updates::text), ('notify_channel', registered.notify_channel),
             ('notify_payload', registered.notify_payload), ('inherit', registered.inherit::text),
             ('status_since', registered.status_since), ('deleted_when', registered.deleted_when),
             ('primary key', array_to_string(registered.primary_key, ', ')),
             ('call_key', array_to_string(registered.call_key, ', ')),
             ('search_path', registered.search_path), ('time_zone', registered.time_zone)) AS f (fact, value)
$$;
COMMENT ON FUNCTION ordcancel_internal.attach_text(ordcancel.order_table) IS
    'lists the arguments of attach() that are kept for a table';

-- Reports properties of the table that may be unexpected, but are allowed.
CREATE FUNCTION ordcancel_internal.notice_of_table(orders regclass, records regclass) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    class pg_class;
    label CONSTANT text := ordcancel_internal.label(orders);
BEGIN
    SELECT * INTO class FROM pg_class WHERE oid = orders;
    IF class.relpersistence = 'u' THEN
        PERFORM ordcancel_internal.notice(
            format('%s is unlogged, but its record tables are not', label),
            'After a crash its orders are lost but their cancellations remain.',
            format('ALTER TABLE %s SET LOGGED makes it crash-safe.', label));
    END IF;
    IF EXISTS (SELECT FROM ordcancel.order_table AS t
                   JOIN pg_attribute AS a ON a.attrelid = t.orders AND a.attname = t.policy_by
                   JOIN pg_type AS y ON y.oid = ordcancel_internal.base_type(a.atttypid)
               WHERE t.orders = notice_of_table.orders
                 AND ((y.typcategory = 'S' AND y.typnamespace <> 'pg_catalog'::regnamespace)
                      OR (y.oid = 'numeric'::regtype AND a.atttypmod = -1)
                      OR NOT coalesce((SELECT collisdeterministic FROM pg_collation WHERE oid = a.attcollation),
                                      true))) THEN
        PERFORM ordcancel_internal.notice(
            format('policies of %s are matched by the text of its policy_by column,'
                   ' where equal values may differ as text', label),
            'An order whose policy name is spelled differently is under "default".',
            'Use a generated column such as lower(...), or a type in which equal values have the same text.');
    END IF;
    IF NOT has_schema_privilege(class.relowner, (SELECT relnamespace FROM pg_class WHERE oid = records), 'CREATE') THEN
        PERFORM ordcancel_internal.notice(
            format('record tables of %s are in schema "%s", where its owner may not create tables', label,
                   (SELECT n.nspname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
                    WHERE c.oid = records)),
            NULL, 'attach(record_schema => ...) puts them elsewhere.');
    END IF;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.notice_of_table(regclass, regclass) IS
    'raises a NOTICE about what may surprise in an attached table';

-- The columns from which generated columns among these are computed. Until
-- PostgreSQL 15 the column depends on them, later its expression.
CREATE FUNCTION ordcancel_internal.generated_from(rel regclass, columns name[]) RETURNS name[]
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT coalesce(array_agg(DISTINCT b.attname), '{}')
FROM pg_attribute AS g
    JOIN pg_attrdef AS e ON e.adrelid = g.attrelid AND e.adnum = g.attnum
    JOIN pg_depend AS d ON d.classid = 'pg_class'::regclass AND d.objid = g.attrelid AND d.objsubid = g.attnum
                           OR d.classid = 'pg_attrdef'::regclass AND d.objid = e.oid
    JOIN pg_attribute AS b ON d.refclassid = 'pg_class'::regclass AND b.attrelid = d.refobjid
                              AND b.attnum = d.refobjsubid
WHERE g.attrelid = rel AND b.attrelid = rel AND g.attname = ANY (columns) AND g.attgenerated <> ''
$$;
COMMENT ON FUNCTION ordcancel_internal.generated_from(regclass, name[]) IS
    'returns the columns from which generated columns are computed';

-- Raises OC014 if deleted_when reads the whole row: every column would have to be
-- guarded, and none could be dropped. Also if it reads a column of also_set(), as
-- cancellations would delete orders, and never find them again.
CREATE FUNCTION ordcancel_internal.check_deleted_when(orders regclass, pinned text) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    read_columns name[] := ordcancel_internal.expression_columns(pinned);
    written text;
BEGIN
    IF EXISTS (SELECT FROM unnest(read_columns) AS c WHERE c IS NULL) THEN
        PERFORM ordcancel_internal.invalid(
            format('deleted_when of %s cannot use the whole row', ordcancel_internal.label(orders)),
            'The columns that it depends on must be known.', 'Pass these columns instead.');
    END IF;
    read_columns := read_columns || ordcancel_internal.generated_from(orders, read_columns);
    IF EXISTS (SELECT FROM ordcancel.order_table AS o
               WHERE o.orders = check_deleted_when.orders AND o.status = ANY (read_columns)) THEN
        PERFORM ordcancel_internal.invalid(
            format('deleted_when of %s cannot use the status', ordcancel_internal.label(orders)),
            'A cancellation could delete the order.',
            'What may be done in a status is a matter of its rule; without one nobody can cancel.');
    END IF;
    SELECT min(s."column") INTO written FROM ordcancel.also_set AS s
    WHERE s.orders = check_deleted_when.orders AND s."column" = ANY (read_columns);
    IF written IS NOT NULL THEN
        PERFORM ordcancel_internal.invalid(
            format('also_set() cannot set column "%s" of %s', written, ordcancel_internal.label(orders)),
            'deleted_when depends on it.', 'A cancellation must not delete the order.');
    END IF;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.check_deleted_when(regclass, text) IS
    'raises OC014 if a pinned deleted_when cannot be used';

-- The key is looked up in the index of the primary key, so it has to be the first
-- columns of it.
CREATE FUNCTION ordcancel_internal.check_call_key(orders regclass, call_key name[], primary_key name[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF call_key IS NOT NULL
       AND (cardinality(call_key) NOT BETWEEN 1 AND cardinality(primary_key) - 1
            OR call_key IS DISTINCT FROM primary_key[:cardinality(call_key)]) THEN
        PERFORM ordcancel_internal.invalid(
            format('call_key of %s must be the first columns of its primary key, but not all',
                   ordcancel_internal.label(orders)),
            format('The primary key is (%s).', array_to_string(primary_key, ', ')));
    END IF;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.check_call_key(regclass, name[], name[]) IS
    'raises OC014 if calls cannot name orders by these columns';
