-- drop_archive

CREATE FUNCTION ordcancel_internal.drop_archive_table(archive regclass) RETURNS void
    LANGUAGE c STRICT
    AS 'MODULE_PATHNAME', 'ordcancel_drop_archive_table';
COMMENT ON FUNCTION ordcancel_internal.drop_archive_table(regclass) IS 'drops an archive';

-- Locks tables that others read together, in any order, and the order table, as
-- attach() does: whoever waits for one of them holds none of the others. Returns
-- false if one of them was dropped meanwhile.
CREATE FUNCTION ordcancel_internal.lock_to_drop(orders text, archives text[]) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    tables CONSTANT text[] := orders || archives;
    modes CONSTANT text[] := ARRAY['SHARE UPDATE EXCLUSIVE']
                             || array_fill('ACCESS EXCLUSIVE'::text, ARRAY[cardinality(archives)]);
    awaited integer := 1;
    tried integer;
BEGIN
    LOOP
        tried := NULL;
        BEGIN
            EXECUTE format('LOCK TABLE ONLY %s IN %s MODE', tables[awaited], modes[awaited]);
            FOR i IN 1 .. cardinality(tables) LOOP
                tried := i;
                EXECUTE format('LOCK TABLE ONLY %s IN %s MODE NOWAIT', tables[i], modes[i]);
            END LOOP;
            RETURN true;
        EXCEPTION
            WHEN undefined_table THEN
                RETURN false;
            WHEN lock_not_available THEN
                IF tried IS NULL THEN -- because of lock_timeout
                    RAISE;
                END IF;
                awaited := tried;
        END;
    END LOOP;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.lock_to_drop(text, text[]) IS
    'locks archives in ACCESS EXCLUSIVE mode, without waiting for one while another is locked';

CREATE FUNCTION ordcancel_internal.drop_archive(orders regclass, month date) RETURNS text
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    first CONSTANT date := date_trunc('month', month)::date;
    settled bigint;
    t ordcancel.order_table;
    archives regclass[];
    locked regclass[];
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
    LOOP
        PERFORM ordcancel_internal.check_attached(orders);
        PERFORM ordcancel_internal.hold_archives(orders);
        PERFORM ordcancel_internal.check_records(orders);
        SELECT * INTO t FROM ordcancel.order_table AS o WHERE o.orders = drop_archive.orders;
        archives := ARRAY(SELECT a.archive
                          FROM ordcancel_internal.record_table AS r,
                              LATERAL ordcancel_internal.archives(r.records::regclass) AS a
                          WHERE r.orders = t.orders AND a.month = first);
        IF archives = '{}' THEN
            RAISE EXCEPTION 'there is no archive of % for %', ordcancel_internal.label(orders),
                to_char(first, 'YYYY-MM')
                USING ERRCODE = 'undefined_object';
        END IF;
        EXIT WHEN archives = locked;
        IF ordcancel_internal.lock_to_drop(orders::text, archives::text[]) THEN
            locked := archives;
        END IF;
    END LOOP;
    settled := ordcancel_internal.settled_event(orders);
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
    AS 'MODULE_PATHNAME', 'ordcancel_drop_archive';
COMMENT ON FUNCTION ordcancel.drop_archive(regclass, date) IS
    E'drops the archive of a month, with the cancellations that closed in it'
    '\nRaises OC001, OC014, 0A000, 22004, 2BP01, 42501, 42704, 55006.';
