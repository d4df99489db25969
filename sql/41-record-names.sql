-- The names of record tables, and finding those that exist

-- The name of a record table: the order table's name with a suffix, truncated to
-- the maximum length of a name.
CREATE FUNCTION ordcancel_internal.record_table_name(base text, suffix text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    WHILE octet_length(base || suffix) > 63 LOOP
        base := left(base, -1);
    END LOOP;
    RETURN base || suffix;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.record_table_name(text, text) IS
    'returns the name of a record table, shortened to 63 bytes';

-- The names of the key columns in record tables with these parents: id becomes
-- order_id, and a name that conflicts with a column of the record gets the prefix
-- order_. Keys of items have the prefix item_ instead.
CREATE FUNCTION ordcancel_internal.record_keys(key_columns name[], parents regclass[], prefix text) RETURNS name[]
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    taken name[] := ARRAY(SELECT attname FROM pg_attribute
                          WHERE attrelid = ANY (parents) AND NOT attisdropped);
    result name[] := '{}';
    wanted name;
    key name;
BEGIN
    FOREACH key IN ARRAY key_columns LOOP
        wanted := CASE key WHEN 'id' THEN prefix || key ELSE key END;
        WHILE wanted = ANY (taken || result) OR (wanted <> key AND wanted = ANY (key_columns)) LOOP
            wanted := prefix || wanted;
        END LOOP;
        result := result || wanted;
    END LOOP;
    RETURN result;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.record_keys(name[], regclass[], text) IS
    'returns the names of the key columns in new record tables';

-- The same for a table that may be attached already. Renamed key columns keep
-- their names in the record tables; a primary key of other columns is rejected.
CREATE FUNCTION ordcancel_internal.known_record_keys(orders regclass, key_columns name[]) RETURNS name[]
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    known ordcancel.order_table;
BEGIN
    SELECT * INTO known FROM ordcancel.order_table AS t WHERE t.orders = known_record_keys.orders;
    IF NOT FOUND THEN
        RETURN ordcancel_internal.record_keys(key_columns, '{ordcancel.cancellation,ordcancel.event}', 'order_');
    ELSIF cardinality(known.primary_key) <> cardinality(key_columns)
          OR EXISTS (SELECT FROM unnest(known.primary_key, key_columns) AS k (was, is_now)
                         JOIN pg_attribute AS a ON a.attrelid = orders AND a.attname = k.was AND NOT a.attisdropped
                     WHERE k.was <> k.is_now) THEN
        PERFORM ordcancel_internal.invalid(
            format('the primary key of %s has changed', orders),
            format('It was (%s) and is now (%s); cancellations are recorded under the old one.',
                   array_to_string(known.primary_key, ', '), array_to_string(key_columns, ', ')),
            'Restore it, or detach the table, rename its record tables and attach it again.');
    END IF;
    RETURN known.key_columns;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.known_record_keys(regclass, name[]) IS
    'returns the names of the key columns in record tables that may exist already';

-- Finds the existing record table of an order table: the registered one, even if
-- it was renamed; otherwise the one of that name, unless it contains the records
-- of another order table. The record table of a dropped order table is renamed
-- to name_1, name_2 and so on.
CREATE FUNCTION ordcancel_internal.find_record_table(
    orders regclass, parent regclass, record_schema name, name text) RETURNS regclass
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    present regclass;
    other oid;
    aside text;
    is_empty boolean;
    n integer := 1;
BEGIN
    present := ordcancel_internal.known_record_table(orders, parent);
    IF present IS NOT NULL THEN
        RETURN present;
    END IF;
    present := to_regclass(format('%I.%I', record_schema, name));
    SELECT o INTO other
    FROM (SELECT r.orders::oid FROM ordcancel_internal.record_table AS r WHERE r.records = present
          UNION ALL
          SELECT d.orders FROM ordcancel_internal.detached AS d WHERE d.records = present) AS x (o)
    WHERE o <> find_record_table.orders;
    IF NOT FOUND THEN
        RETURN present;
    ELSIF EXISTS (SELECT FROM pg_class WHERE oid = other) THEN
        PERFORM ordcancel_internal.invalid(
            format('table %s contains the records of another order table', present),
            format('They belong to %s.', other::regclass),
            format('If %s replaces that table, call ordcancel.replace_table(); otherwise rename'
                   ' one of the order tables, or pass another record_schema.', ordcancel_internal.label(orders)));
    END IF;
    -- Drop an empty one instead: repeated down and up migrations would otherwise
    -- leave ever more of them.
    IF ordcancel_internal.is_trusted(present) THEN
        EXECUTE format('SELECT NOT EXISTS (SELECT FROM ONLY %s)', present) INTO is_empty;
    END IF;
    IF is_empty AND NOT EXISTS (SELECT FROM pg_depend WHERE deptype = 'n'
                                AND ((refclassid = 'pg_class'::regclass AND refobjid = present)
                                     OR (refclassid = 'pg_type'::regclass
                                         AND refobjid IN (SELECT unnest(ARRAY[c.reltype, y.typarray])
                                                          FROM pg_class AS c JOIN pg_type AS y ON y.oid = c.reltype
                                                          WHERE c.oid = present)))) THEN
        DELETE FROM ordcancel_internal.detached AS d WHERE d.records = present;
        EXECUTE format('DROP TABLE %s', present);
        RETURN NULL;
    END IF;
    LOOP
        aside := ordcancel_internal.record_table_name(name, '_' || n);
        EXIT WHEN to_regclass(format('%I.%I', record_schema, aside)) IS NULL;
        n := n + 1;
    END LOOP;
    EXECUTE format('ALTER TABLE %s RENAME TO %I', present, aside);
    RAISE NOTICE 'record table %.% of a dropped order table was renamed to %',
        quote_ident(record_schema), quote_ident(name), quote_ident(aside);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.find_record_table(regclass, regclass, name, text) IS
    'returns the record table of an order table, or NULL';
