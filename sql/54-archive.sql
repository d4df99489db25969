-- archive_records and drop_archive

CREATE FUNCTION ordcancel_internal.delete_archived(records regclass, archives regclass[], primary_key name[])
    RETURNS bigint
    LANGUAGE c STRICT
    AS 'MODULE_PATHNAME', 'ordcancel_delete_archived';
COMMENT ON FUNCTION ordcancel_internal.delete_archived(regclass, regclass[], name[]) IS
    'deletes the rows of a record table that some of its archives have; returns how many';

CREATE FUNCTION ordcancel_internal.drop_archive_table(archive regclass) RETURNS void
    LANGUAGE c STRICT
    AS 'MODULE_PATHNAME', 'ordcancel_drop_archive_table';
COMMENT ON FUNCTION ordcancel_internal.drop_archive_table(regclass) IS 'drops an archive';

-- The statuses of canceled orders whose cancellations may be in an archive. A closed
-- status has to be one in every policy: a call that does not know yet that records
-- of this status were archived goes by the order's own policy.
CREATE FUNCTION ordcancel_internal.archivable_statuses(orders regclass) RETURNS text[]
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT ARRAY(SELECT w.status FROM ordcancel_internal.policy_status AS w
             WHERE w.orders = archivable_statuses.orders
             GROUP BY w.status
             HAVING bool_or(w.meaning = 'canceled')
                 OR count(DISTINCT w.policy) FILTER (WHERE w.meaning = 'closed')
                    = (SELECT count(*) FROM ordcancel.policy AS p WHERE p.orders = archivable_statuses.orders))
$$;
COMMENT ON FUNCTION ordcancel_internal.archivable_statuses(regclass) IS
    'lists the statuses of canceled orders whose cancellations may be moved to an archive';

CREATE FUNCTION ordcancel_internal.deleted_by_row(orders regclass) RETURNS boolean
    LANGUAGE c STRICT
    AS 'MODULE_PATHNAME', 'ordcancel_deleted_by_row';
COMMENT ON FUNCTION ordcancel_internal.deleted_by_row(regclass) IS
    'returns whether deleted_when reads the order alone, so that it does not become true without an UPDATE';

-- The cancellations of canceled orders that do not exist, or are deleted. Their
-- status does not tell that they were canceled: it may have changed since, and they
-- may have been deleted before a rule was changed. NULL: any may be one. The orders
-- are read as their owner, whose code deleted_when and expressions of indexes are.
CREATE FUNCTION ordcancel_internal.canceled_and_gone(t ordcancel.order_table) RETURNS bigint[]
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    records CONSTANT regclass := t.cancellation_table;
    owner CONSTANT oid := (SELECT relowner FROM pg_class WHERE oid = t.orders);
BEGIN
    IF NOT has_table_privilege(owner, records, 'SELECT') THEN
        PERFORM ordcancel_internal.invalid(
            format('the owner of %s may not read its records', ordcancel_internal.label(t.orders)), NULL,
            'Call ordcancel.attach() again, which grants it.');
    ELSIF t.deleted_when IS NOT NULL AND NOT ordcancel_internal.deleted_by_row(t.orders)
          OR EXISTS (SELECT FROM pg_class AS c, pg_roles AS r -- records may be hidden from the owner
                     WHERE c.oid = records AND c.relrowsecurity AND r.oid = owner
                       AND NOT (r.rolsuper OR r.rolbypassrls)) THEN
        RETURN NULL;
    END IF;
    RETURN coalesce(ordcancel_internal.as_owner(t.orders, format(
        'SELECT pg_catalog.array_agg(c.cancellation_id)::pg_catalog.text FROM ONLY %s AS c'
        ' WHERE c.scope OPERATOR(pg_catalog.=) ''order'' AND c.state OPERATOR(pg_catalog.=) ''canceled'''
        ' AND NOT EXISTS (SELECT FROM %s AS x WHERE %s)',
        records, ordcancel_internal.orders_source(t.orders),
        ordcancel_internal.key_join(t.orders, 'x', t.primary_key, 'c', t.key_columns))), '{}')::bigint[];
END
$$;
COMMENT ON FUNCTION ordcancel_internal.canceled_and_gone(ordcancel.order_table) IS
    'lists cancellations of orders that do not exist or are deleted; NULL if that cannot be told';

-- Conditions, over alias c, for cancellations that may be in an archive. Later calls
-- do not need them, or find them there: those of orders that are canceled, which
-- archive_may_have() in src/rows/archive.c tells by the status of the order. The
-- others that later calls use stay, as prune_cancellations() says.
--   condition  for cancellations other than parts of canceled orders; those of orders only if all parts follow
--   parts      for parts that may be in the archive in which their order's is: calls find both, or none
CREATE FUNCTION ordcancel_internal.archivable(
    t ordcancel.order_table, before timestamptz, OUT condition text, OUT parts text)
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    settled CONSTANT bigint := ordcancel_internal.settled_event(t.orders);
    statuses CONSTANT text[] := ordcancel_internal.archivable_statuses(t.orders);
    events CONSTANT regclass := t.event_table;
    gone CONSTANT bigint[] := ordcancel_internal.canceled_and_gone(t);
    refunded CONSTANT text := 'coalesce(c.refund_due <= coalesce(c.refunded, 0), true)';
    awaited bigint[] := '{}';
    read text := 'true';
    parts_follow text := 'true';
BEGIN
    -- Events that a consumer has not acknowledged, or has set aside.
    IF settled < 9223372036854775807 THEN
        EXECUTE format('SELECT ARRAY(SELECT DISTINCT e.cancellation_id FROM ONLY %1$s AS e'
                       ' WHERE e.event_id IN (SELECT l.event_id FROM ordcancel.late_event AS l UNION ALL'
                       ' SELECT unnest(s.skipped) FROM ordcancel.consumer AS s))', events) INTO awaited;
        read := format('NOT EXISTS (SELECT FROM ONLY %s AS e'
                       ' WHERE e.cancellation_id = c.cancellation_id AND e.event_id > %s)'
                       ' AND c.cancellation_id <> ALL (%L::bigint[])', events, settled, awaited);
    END IF;
    parts := format('c.scope = ''items'' AND c.state = ''canceled'' AND %s AND %s', refunded, read);
    IF t.item_records IS NOT NULL THEN
        parts_follow := format('NOT coalesce((SELECT true FROM ONLY %1$s AS o WHERE %2$s AND o.scope = ''items'''
                               ' AND o.state = ''canceled'''
                               ' AND (o.closed_at >= %3$L::timestamp AT TIME ZONE ''UTC'' OR NOT EXISTS'
                               ' (SELECT FROM ONLY %1$s AS c WHERE c.cancellation_id = o.cancellation_id AND %4$s))'
                               ' LIMIT 1), false)',
                               t.cancellation_table::regclass,
                               ordcancel_internal.key_join(t.orders, 'o', t.key_columns, 'c', t.key_columns),
                               before AT TIME ZONE 'UTC', parts);
    END IF;
    -- In this order: what is in a subquery is needed of few. The subqueries are not EXISTS, for which PostgreSQL would
    -- read whole tables for each month.
    condition := format(
        $q$CASE c.state WHEN 'denied' THEN true WHEN 'withdrawn' THEN true
               WHEN 'undone' THEN NOT (coalesce(c.refunded > 0, false)
                   OR coalesce((SELECT true FROM ONLY %1$s AS e
                                WHERE e.cancellation_id = c.cancellation_id AND e.type = 'refunded' LIMIT 1),
                               false)%2$s)
               WHEN 'canceled' THEN c.scope = 'order' AND %3$s AND c.order_status = ANY (%4$L::text[])
                   AND c.cancellation_id <> ALL (%5$L::bigint[]) AND %7$s
               ELSE false END AND %6$s$q$,
        events,
        CASE WHEN t.item_records IS NOT NULL
             THEN format(' OR coalesce((SELECT true FROM ONLY %s AS i WHERE i.cancellation_id = c.cancellation_id'
                         ' AND i.refund_due IS DISTINCT FROM i.restored LIMIT 1), false)',
                         t.item_records::regclass)
             ELSE '' END,
        refunded, statuses, gone, read, parts_follow);
END
$$;
COMMENT ON FUNCTION ordcancel_internal.archivable(ordcancel.order_table, timestamptz) IS
    'returns the conditions for cancellations that may be moved to an archive';

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
    PERFORM ordcancel_internal.lock_archives(o.cancellation_table::regclass, true)
    FROM ordcancel.order_table AS o WHERE o.orders = archive_records.orders;
    SELECT * INTO t FROM ordcancel.order_table AS o WHERE o.orders = archive_records.orders;
    IF NOT t.inherit THEN
        PERFORM ordcancel_internal.invalid(
            format('records of %s cannot be archived', ordcancel_internal.label(orders)),
            'It was attached with inherit => false, and archives are inheriting tables.');
    END IF;
    PERFORM ordcancel_internal.report_query('timeline', orders); -- raises OC014 if one is missing
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
            'They are of deleted orders or of items of an order that is not canceled, have refunds or amounts that count,'
            ' or events that a consumer has not acknowledged.');
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
    AS 'MODULE_PATHNAME', 'ordcancel_prune_cancellations';
COMMENT ON FUNCTION ordcancel.archive_records(regclass, interval) IS
    E'moves old cancellations that are closed to archives, one for each month, with their events; returns how many'
    '\nRaises OC001, OC014, 0A000, 22004, 42501.';

CREATE FUNCTION ordcancel_internal.drop_archive(orders regclass, month date) RETURNS text
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    first CONSTANT date := date_trunc('month', month)::date;
    settled bigint;
    t ordcancel.order_table;
    archives regclass[];
    archive regclass;
    unread boolean;
    closed bigint;
BEGIN
    IF month IS NULL THEN
        RAISE EXCEPTION 'month must not be null' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    -- An older snapshot may not show which events a consumer is to read again.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'drop_archive() needs isolation level READ COMMITTED'
            USING ERRCODE = 'feature_not_supported';
    END IF;
    SELECT * INTO t FROM ordcancel.order_table AS o WHERE o.orders = drop_archive.orders;
    PERFORM ordcancel_internal.lock_archives(t.cancellation_table::regclass, true);
    settled := ordcancel_internal.settled_event(orders);
    archives := ARRAY(SELECT a.archive
                      FROM ordcancel_internal.record_table AS r,
                          LATERAL ordcancel_internal.archives(r.records::regclass) AS a
                      WHERE r.orders = t.orders AND a.month = first);
    IF archives = '{}' THEN
        RAISE EXCEPTION 'there is no archive of % for %', ordcancel_internal.label(orders), to_char(first, 'YYYY-MM')
            USING ERRCODE = 'undefined_object';
    END IF;
    FOR archive IN SELECT a.archive FROM ordcancel_internal.archives(t.event_table) AS a WHERE a.month = first LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM ONLY %1$s AS e WHERE e.event_id > $1)'
                       ' OR EXISTS (SELECT FROM ordcancel.late_event AS l JOIN ONLY %1$s AS e USING (event_id))'
                       ' OR EXISTS (SELECT FROM ordcancel.consumer AS s, unnest(s.skipped) AS k (event_id)'
                       ' JOIN ONLY %1$s AS e USING (event_id))', archive) INTO unread USING settled;
        IF unread THEN
            RAISE EXCEPTION 'cannot drop the archive of % for %', ordcancel_internal.label(orders),
                to_char(first, 'YYYY-MM')
                USING ERRCODE = 'object_in_use',
                      DETAIL = 'It has events that a consumer has not acknowledged or has set aside.',
                      HINT = 'SELECT * FROM ordcancel.consumers; shows how far they are.';
        END IF;
    END LOOP;
    FOR archive IN
        SELECT a.archive FROM ordcancel_internal.archives(t.cancellation_table) AS a WHERE a.month = first
    LOOP
        EXECUTE format('SELECT count(*) FROM ONLY %s AS c WHERE c.scope = ''order'' AND c.state = ''canceled'''
                       ' AND NOT EXISTS (SELECT FROM ordcancel_internal.policy_status AS w WHERE w.orders = %s'
                       ' AND w.meaning = ''canceled'' AND w.status = c.order_status)', archive, t.orders::oid)
            INTO closed;
        IF closed > 0 THEN
            PERFORM ordcancel_internal.notice(
                format('nothing says any more that orders of %s were canceled: %s', ordcancel_internal.label(orders),
                       closed),
                'Their status was closed, or was a canceled one that no policy has any more.',
                'If one of them comes into a status in which it may be canceled, its refund is due again.');
        END IF;
    END LOOP;
    FOREACH archive IN ARRAY archives LOOP
        PERFORM ordcancel_internal.drop_archive_table(archive);
    END LOOP;
    RETURN format('%s: archive of %s dropped', ordcancel_internal.label(orders), to_char(first, 'YYYY-MM'));
END
$$;
COMMENT ON FUNCTION ordcancel_internal.drop_archive(regclass, date) IS 'does the work of ordcancel.drop_archive()';

-- Drops the archive of a month, with all records in it. Orders with a canceled
-- status stay canceled, as those that were canceled before attach(): they cannot be
-- undone any more, and their refunds are not known. Nothing says any more that
-- orders with a closed status were canceled; a NOTICE counts them. Refused while a consumer has
-- not acknowledged one of its events, or has set one aside.
--   month  any day of the month, in UTC, in which the cancellations closed
-- Returns what it did. Raises OC001, OC014, 0A000, 55006.
CREATE FUNCTION ordcancel.drop_archive(orders regclass, month date) RETURNS text
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_prune_cancellations';
COMMENT ON FUNCTION ordcancel.drop_archive(regclass, date) IS
    E'drops the archive of a month, with the cancellations that closed in it'
    '\nRaises OC001, OC014, 0A000, 22004, 42501, 42704, 55006.';
