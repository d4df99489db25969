-- The record tables that attach makes beside an order table

-- A name for a record table: the order table's with a suffix, within what a
-- name may be long.
CREATE FUNCTION ordcancel._record_table_name(base text, suffix text) RETURNS text
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
COMMENT ON FUNCTION ordcancel._record_table_name(text, text) IS 'name of a record table';

-- Names for the key's columns in the record tables: id is order_id there, and
-- a name that the record has for itself gets order_ before it.
CREATE FUNCTION ordcancel._record_keys(key_columns name[]) RETURNS name[]
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    taken name[] := ARRAY(SELECT attname FROM pg_attribute
                          WHERE attrelid IN ('ordcancel.cancellation'::regclass, 'ordcancel.event'::regclass)
                            AND NOT attisdropped);
    result name[] := '{}';
    wanted name;
    key name;
BEGIN
    FOREACH key IN ARRAY key_columns LOOP
        wanted := CASE key WHEN 'id' THEN 'order_id' ELSE key END;
        WHILE wanted = ANY (taken || result) OR (wanted <> key AND wanted = ANY (key_columns)) LOOP
            wanted := 'order_' || wanted;
        END LOOP;
        result := result || wanted;
    END LOOP;
    RETURN result;
END
$$;
COMMENT ON FUNCTION ordcancel._record_keys(name[]) IS 'names of the key''s columns in the record tables';

-- The same for a table that may be attached already. Renamed key columns keep
-- their names in the record tables; another primary key is another order.
CREATE FUNCTION ordcancel._known_record_keys(orders regclass, key_columns name[]) RETURNS name[]
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    known ordcancel.order_table;
BEGIN
    SELECT * INTO known FROM ordcancel.order_table AS t WHERE t.orders = _known_record_keys.orders;
    IF NOT FOUND THEN
        RETURN ordcancel._record_keys(key_columns);
    ELSIF cardinality(known.primary_key) <> cardinality(key_columns)
          OR EXISTS (SELECT FROM unnest(known.primary_key, key_columns) AS k (was, is_now)
                         JOIN pg_attribute AS a ON a.attrelid = orders AND a.attname = k.was AND NOT a.attisdropped
                     WHERE k.was <> k.is_now) THEN
        PERFORM ordcancel._invalid(
            format('the primary key of %s has changed', orders),
            format('It was (%s) and is (%s); cancellations are recorded under what it was.',
                   array_to_string(known.primary_key, ', '), array_to_string(key_columns, ', ')),
            'Restore it, or detach the table, rename its record tables and attach it again.');
    END IF;
    RETURN known.key_columns;
END
$$;
COMMENT ON FUNCTION ordcancel._known_record_keys(regclass, name[]) IS 'names of the key''s columns in record tables that may exist';

-- Makes one record table, or takes the one that an earlier attach left.
CREATE FUNCTION ordcancel._make_record_table(
    orders regclass, parent regclass, suffix text, key_columns name[], record_keys name[], inherit boolean)
    RETURNS regclass
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    base pg_class;
    label text;
    records regclass;
    missing text;
    inherits boolean;
    known boolean;
BEGIN
    SELECT * INTO base FROM pg_class WHERE oid = orders;
    label := base.relnamespace::regnamespace::text || '.'
             || quote_ident(ordcancel._record_table_name(base.relname, suffix));
    -- One that is known already stays, whatever it or the order table is
    -- called by now.
    SELECT c.oid INTO records
    FROM ordcancel.order_table AS t
        JOIN pg_class AS c ON c.oid = CASE parent WHEN 'ordcancel.event'::regclass THEN t.event_table
                                                  ELSE t.cancellation_table END
    WHERE t.orders = _make_record_table.orders;
    known := FOUND;
    IF NOT known THEN
        records := to_regclass(label);
    END IF;

    IF records IS NULL THEN
        EXECUTE format(
            CASE WHEN inherit THEN 'CREATE TABLE %1$s (%2$s) INHERITS (%3$s)'
                 ELSE 'CREATE TABLE %1$s (LIKE %3$s INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING COMMENTS, %2$s)' END,
            label,
            (SELECT string_agg(format('%I %s%s NOT NULL', k.record_key, format_type(a.atttypid, a.atttypmod),
                                      CASE WHEN a.attcollation <> 0 AND a.attcollation <> t.typcollation
                                           THEN ' COLLATE ' || a.attcollation::regcollation ELSE '' END),
                               ', ' ORDER BY k.n)
             FROM unnest(key_columns, record_keys) WITH ORDINALITY AS k (key, record_key, n)
                 JOIN pg_attribute AS a ON a.attrelid = orders AND a.attname = k.key
                 JOIN pg_type AS t ON t.oid = a.atttypid),
            parent);
        EXECUTE format('ALTER TABLE %s OWNER TO %I', label, pg_get_userbyid(base.relowner));
        EXECUTE format('COMMENT ON TABLE %s IS %L', label,
                       format('%s of %s; written by ordcancel alone', ltrim(suffix, '_'), orders));
        RETURN label::regclass;
    END IF;

    -- The order table may have been given to another owner.
    IF known THEN
        EXECUTE format('ALTER TABLE %s OWNER TO %I', records, pg_get_userbyid(base.relowner));
    END IF;

    -- A table of that name is ours when it has all of our columns.
    SELECT string_agg(format('"%s" %s', w.attname, format_type(w.atttypid, w.atttypmod)), ', ') INTO missing
    FROM (SELECT attname, atttypid, atttypmod FROM pg_attribute
          WHERE attrelid = parent AND attnum > 0 AND NOT attisdropped
          UNION ALL
          SELECT k.record_key, a.atttypid, a.atttypmod
          FROM unnest(key_columns, record_keys) AS k (key, record_key)
              JOIN pg_attribute AS a ON a.attrelid = orders AND a.attname = k.key) AS w
    WHERE NOT EXISTS (SELECT FROM pg_attribute AS a
                      WHERE a.attrelid = records AND a.attname = w.attname AND NOT a.attisdropped
                        AND a.atttypid = w.atttypid AND a.atttypmod = w.atttypmod);
    IF EXISTS (SELECT FROM ordcancel.order_table AS t
               WHERE t.orders <> _make_record_table.orders AND records IN (t.cancellation_table, t.event_table)) THEN
        PERFORM ordcancel._invalid(format('table %s has the records of another order table', records),
                                   'Long names were shortened to the same one.', 'Rename one of the order tables.');
    ELSIF missing IS NOT NULL OR (SELECT relkind <> 'r' OR relowner <> base.relowner FROM pg_class WHERE oid = records) THEN
        PERFORM ordcancel._invalid(
            format('table %s exists and is not a record table of %s', records, orders),
            CASE WHEN missing IS NULL THEN 'It is not a table of the same owner.'
                 ELSE format('It has no column %s.', missing) END,
            'Rename it, or drop it, and attach again.');
    END IF;

    inherits := EXISTS (SELECT FROM pg_inherits WHERE inhrelid = records AND inhparent = parent);
    IF inherits <> inherit THEN
        EXECUTE format('ALTER TABLE %s %s %s', records,
                       CASE WHEN inherit THEN 'INHERIT' ELSE 'NO INHERIT' END, parent);
    END IF;
    PERFORM ordcancel._drop_guards(records, 'guard_record');
    RETURN records;
END
$$;
COMMENT ON FUNCTION ordcancel._make_record_table(regclass, regclass, text, name[], name[], boolean) IS 'makes a record table beside an order table';

CREATE FUNCTION ordcancel._guard_record_table(records regclass) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER ordcancel_guard_record BEFORE INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW'
                   ' EXECUTE FUNCTION ordcancel.guard_record()', records);
    EXECUTE format('CREATE TRIGGER ordcancel_guard_record_truncate BEFORE TRUNCATE ON %s FOR EACH STATEMENT'
                   ' EXECUTE FUNCTION ordcancel.guard_record()', records);
END
$$;
COMMENT ON FUNCTION ordcancel._guard_record_table(regclass) IS 'puts our triggers on a record table';

CREATE FUNCTION ordcancel._make_record_tables(
    orders regclass, key_columns name[], record_keys name[], inherit boolean,
    OUT cancellation_table regclass, OUT event_table regclass)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    keys text := (SELECT string_agg(quote_ident(k), ', ' ORDER BY n)
                  FROM unnest(record_keys) WITH ORDINALITY AS r (k, n));
BEGIN
    cancellation_table := ordcancel._make_record_table(orders, 'ordcancel.cancellation', '_cancellation',
                                                       key_columns, record_keys, inherit);
    event_table := ordcancel._make_record_table(orders, 'ordcancel.event', '_cancellation_event',
                                                key_columns, record_keys, inherit);

    IF NOT EXISTS (SELECT FROM pg_index WHERE indrelid = cancellation_table) THEN
        EXECUTE format('ALTER TABLE %s ADD PRIMARY KEY (cancellation_id)', cancellation_table);
        -- At most one live cancellation of an order.
        EXECUTE format('CREATE UNIQUE INDEX ON %s (%s) WHERE state IN (''requested'', ''in_progress'', ''canceled'')',
                       cancellation_table, keys);
        EXECUTE format('CREATE INDEX ON %s (%s, cancellation_id)', cancellation_table, keys);
        -- Open ones stay few; reports on them must not cost what the closed ones do.
        EXECUTE format('CREATE INDEX ON %s (requested_at) WHERE state = ''requested''', cancellation_table);
        EXECUTE format('CREATE INDEX ON %s (decided_at) WHERE state = ''in_progress''', cancellation_table);
    END IF;
    IF NOT EXISTS (SELECT FROM pg_index WHERE indrelid = event_table) THEN
        EXECUTE format('ALTER TABLE %s ADD PRIMARY KEY (event_id)', event_table);
        EXECUTE format('CREATE INDEX ON %s (cancellation_id)', event_table);
        EXECUTE format('CREATE UNIQUE INDEX ON %s (request_key) WHERE request_key IS NOT NULL', event_table);
    END IF;
    PERFORM ordcancel._guard_record_table(cancellation_table);
    PERFORM ordcancel._guard_record_table(event_table);
END
$$;
COMMENT ON FUNCTION ordcancel._make_record_tables(regclass, name[], name[], boolean) IS 'makes the two record tables';
