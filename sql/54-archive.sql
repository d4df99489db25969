-- archive_records

CREATE FUNCTION ordcancel_internal.delete_archived(records regclass, archives regclass[], primary_key name[])
    RETURNS bigint
    LANGUAGE c STRICT
    AS 'MODULE_PATHNAME', 'ordcancel_delete_archived';
COMMENT ON FUNCTION ordcancel_internal.delete_archived(regclass, regclass[], name[]) IS
    'deletes the rows of a record table that some of its archives have; returns how many';

-- The archive of a record table for a month, which is created if there is none.
CREATE FUNCTION ordcancel_internal.provide_archive(records regclass, month date) RETURNS regclass
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    base record;
    suffix CONSTANT text := to_char(month, '_YYYY_MM');
    archive regclass := (SELECT min(a.archive::oid) FROM ordcancel_internal.archives(records) AS a
                         WHERE a.month = provide_archive.month);
    label text;
    n integer := 0;
BEGIN
    IF archive IS NOT NULL THEN
        RETURN archive;
    END IF;
    SELECT c.relname, s.nspname INTO base
    FROM pg_class AS c JOIN pg_namespace AS s ON s.oid = c.relnamespace WHERE c.oid = records;
    LOOP
        label := format('%I.%I', base.nspname, ordcancel_internal.record_table_name(
            base.relname, suffix || CASE n WHEN 0 THEN '' ELSE '_' || n END));
        EXIT WHEN to_regclass(label) IS NULL AND to_regtype(label) IS NULL;
        n := n + 1;
    END LOOP;
    EXECUTE format('CREATE TABLE %s () INHERITS (%s)', label, records);
    RETURN label::regclass;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.provide_archive(regclass, date) IS
    'returns the archive of a record table for a month';

-- Copies rows to an archive. Indexes of a new one are created afterwards.
CREATE FUNCTION ordcancel_internal.fill_archive(
    t ordcancel.order_table, records regclass, parent regclass, archive regclass, source text) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    guarded CONSTANT boolean := ordcancel_internal.record_is_guarded(archive) IS NOT NULL;
    filled bigint;
BEGIN
    IF guarded THEN
        EXECUTE format('ALTER TABLE %s DISABLE TRIGGER ordcancel_guard_record', archive);
    END IF;
    EXECUTE (SELECT format('INSERT INTO %s (%s) SELECT %s FROM %s', archive,
                           string_agg(quote_ident(attname), ', ' ORDER BY attnum),
                           string_agg(format('c.%I', attname), ', ' ORDER BY attnum), source)
             FROM pg_attribute WHERE attrelid = records AND attnum > 0 AND NOT attisdropped);
    GET DIAGNOSTICS filled = ROW_COUNT;
    IF guarded THEN
        EXECUTE format('ALTER TABLE %s ENABLE TRIGGER ordcancel_guard_record', archive);
    END IF;
    PERFORM ordcancel_internal.complete_archive(t.orders, archive, parent, t.key_columns);
    RETURN filled;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.fill_archive(ordcancel.order_table, regclass, regclass, regclass, text) IS
    'copies rows of a record table to an archive; returns how many';

-- Copies the cancellations that meet the condition and closed in a month, and the
-- parts of their orders, with their events and items. Their numbers are between two,
-- NULL if there are none: those of a month are mostly adjacent, so that an index
-- leads to them.
CREATE FUNCTION ordcancel_internal.archive_month(
    t ordcancel.order_table, month date, first bigint, last bigint, before timestamptz, condition text, parts text)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    records CONSTANT regclass := t.cancellation_table;
    cancellations regclass := (SELECT min(a.archive::oid) FROM ordcancel_internal.archives(records) AS a
                               WHERE a.month = archive_month.month);
    -- Not with a time zone, whose name may be ambiguous in some settings of DateStyle.
    chosen CONSTANT text := format(
        'ONLY %s AS c WHERE c.cancellation_id BETWEEN %s AND %s AND c.closed_at >= %L::timestamp AT TIME ZONE ''UTC'''
        ' AND c.closed_at < %L::timestamp AT TIME ZONE ''UTC'' AND %s', records, first, last, month::timestamp,
        least(month + interval '1 month', before AT TIME ZONE 'UTC'), condition);
    source text;
    any_rows boolean;
    kind record;
    moved bigint := 0;
BEGIN
    FOREACH source IN ARRAY ARRAY[chosen, parts] LOOP
        CONTINUE WHEN source = chosen AND first IS NULL OR source = parts AND (cancellations IS NULL
                                                                              OR t.item_records IS NULL);
        IF source = parts THEN
            source := format(
                'ONLY %s AS c WHERE c.closed_at < %L::timestamp AT TIME ZONE ''UTC'' AND %s'
                ' AND EXISTS (SELECT FROM ONLY %s AS o WHERE o.scope = ''order'' AND o.state = ''canceled'' AND %s)',
                records, before AT TIME ZONE 'UTC', parts, cancellations,
                ordcancel_internal.key_join(t.orders, 'o', t.key_columns, 'c', t.key_columns));
        END IF;
        EXECUTE format('SELECT EXISTS (SELECT FROM %s)', source) INTO any_rows;
        IF any_rows THEN
            cancellations := ordcancel_internal.provide_archive(records, month);
            moved := moved + ordcancel_internal.fill_archive(
                t, records, 'ordcancel.cancellation', cancellations, source);
        END IF;
    END LOOP;
    IF moved = 0 THEN
        RETURN 0;
    END IF;
    EXECUTE format('SELECT min(cancellation_id), max(cancellation_id) FROM ONLY %s', cancellations) INTO first, last;
    FOR kind IN
        SELECT k.parent, r.records::regclass
        FROM ordcancel_internal.record_kinds() AS k
            JOIN ordcancel_internal.record_table AS r ON r.parent = k.parent AND r.orders = t.orders
        WHERE r.records <> t.cancellation_table
    LOOP
        PERFORM ordcancel_internal.fill_archive(
            t, kind.records, kind.parent, ordcancel_internal.provide_archive(kind.records, month),
            format('ONLY %s AS c JOIN ONLY %s AS a ON a.cancellation_id = c.cancellation_id'
                   ' WHERE c.cancellation_id BETWEEN %s AND %s', kind.records, cancellations, first, last));
    END LOOP;
    RETURN moved;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.archive_month(
    ordcancel.order_table, date, bigint, bigint, timestamptz, text, text) IS
    'copies the cancellations that closed in a month to its archive, with their events and items; returns how many';

CREATE FUNCTION ordcancel_internal.archive_records(orders regclass, older_than interval) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    before CONSTANT timestamptz := (SELECT c.now FROM ordcancel_internal.clock AS c) - older_than;
    t ordcancel.order_table;
    movable record;
    months date[];
    firsts bigint[];
    lasts bigint[];
    filled bigint;
    filled_months date[] := '{}';
    moved bigint := 0;
    kept bigint;
BEGIN
    IF older_than IS NULL THEN
        RAISE EXCEPTION 'older_than must not be null' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    -- What an older snapshot shows of orders may have changed.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'archive_records() needs isolation level READ COMMITTED'
            USING ERRCODE = 'feature_not_supported';
    END IF;
    SELECT * INTO t FROM ordcancel.order_table AS o WHERE o.orders = archive_records.orders;
    IF NOT t.inherit THEN
        PERFORM ordcancel_internal.invalid(
            format('records of %s cannot be archived', ordcancel_internal.label(orders)),
            'It was attached with inherit => false, and archives are inheriting tables.');
    END IF;
    PERFORM ordcancel_internal.report_query('timeline', orders); -- raises OC014 if one is missing
    PERFORM ordcancel_internal.invalid(
        format('records of %s cannot be archived', ordcancel_internal.label(t.orders)),
        format('%s has row-level security, which its archives would not have.', ordcancel_internal.label(c.oid)))
    FROM ordcancel_internal.record_table AS r JOIN pg_class AS c ON c.oid = r.records
    WHERE r.orders = t.orders AND c.relrowsecurity;
    SELECT * INTO movable FROM ordcancel_internal.archivable(t, before);
    -- Names of archives have years of four digits.
    EXECUTE format('SELECT array_agg(m.month), array_agg(m.first), array_agg(m.last)'
                   ' FROM (SELECT date_trunc(''month'', c.closed_at AT TIME ZONE ''UTC'')::date,'
                   ' min(c.cancellation_id), max(c.cancellation_id) FROM ONLY %s AS c'
                   ' WHERE c.closed_at < least($1, make_timestamp(10000, 1, 1, 0, 0, 0) AT TIME ZONE ''UTC'')'
                   ' AND c.closed_at >= make_timestamp(1, 1, 1, 0, 0, 0) AT TIME ZONE ''UTC'' GROUP BY 1 ORDER BY 1)'
                   ' AS m (month, first, last)',
                   t.cancellation_table::regclass) INTO months, firsts, lasts USING before;
    -- Parts that could not be moved when their orders were.
    IF t.item_records IS NOT NULL THEN
        months := months || ARRAY(SELECT DISTINCT a.month FROM ordcancel_internal.archives(t.cancellation_table) AS a
                                  WHERE (a.month = ANY (months)) IS NOT TRUE ORDER BY a.month);
    END IF;
    FOR i IN 1 .. coalesce(cardinality(months), 0) LOOP
        filled := ordcancel_internal.archive_month(
            t, months[i], firsts[i], lasts[i], before, movable.condition, movable.parts);
        IF filled > 0 THEN
            filled_months := filled_months || months[i];
            moved := moved + filled;
        END IF;
    END LOOP;
    -- All at once: each DELETE reads the whole table.
    PERFORM ordcancel_internal.delete_archived(
        r.records::regclass,
        ARRAY(SELECT a.archive FROM ordcancel_internal.archives(r.records::regclass) AS a
              WHERE a.month = ANY (filled_months)), k.primary_key)
    FROM ordcancel_internal.record_kinds() AS k
        JOIN ordcancel_internal.record_table AS r ON r.parent = k.parent AND r.orders = t.orders;
    IF moved > 0 THEN
        UPDATE ordcancel.order_table AS o
        SET archived_statuses = n.statuses
        FROM (SELECT array_agg(DISTINCT s COLLATE "C" ORDER BY s COLLATE "C")
              FROM unnest(t.archived_statuses || ordcancel_internal.archivable_statuses(orders)) AS s)
            AS n (statuses)
        WHERE o.orders = t.orders AND o.archived_statuses IS DISTINCT FROM n.statuses
          AND o.archived_statuses IS DISTINCT FROM '{}';
    END IF;
    EXECUTE format('SELECT count(*) FROM ONLY %s AS c WHERE c.closed_at < $1', t.cancellation_table::regclass)
        INTO kept USING before;
    IF kept > 0 THEN
        PERFORM ordcancel_internal.notice(
            format(CASE kept WHEN 1 THEN '%s old cancellation of %s was not moved'
                             ELSE '%s old cancellations of %s were not moved' END,
                   kept, ordcancel_internal.label(orders)),
            'They are of deleted orders or of items of an order that is not canceled, have refunds or amounts that'
            ' count, or events that a consumer has not acknowledged.');
    END IF;
    RETURN moved;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.archive_records(regclass, interval) IS
    'does the work of ordcancel.archive_records()';

-- Moves cancellations that closed longer ago than that, with their items and all
-- of their events, to the archive of the month in which they closed: those that
-- were denied, withdrawn or undone, and those of canceled orders; parts of canceled
-- orders to that of the order. Calls that change policies of the table wait. Kept are those
-- of items while the order itself is not canceled; those that were undone with
-- refunds or amounts that count; any whose refund is still due, or one of whose
-- events a consumer has not acknowledged or has set aside. A NOTICE says how many
-- were kept. Returns how many were moved. Raises OC001, OC014, 0A000.
CREATE FUNCTION ordcancel.archive_records(orders regclass, older_than interval) RETURNS bigint
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_archive_records';
COMMENT ON FUNCTION ordcancel.archive_records(regclass, interval) IS
    E'moves old cancellations that are closed to archives, one for each month, with their events; returns how many'
    '\nRaises OC001, OC014, 0A000, 22004, 42501.';
