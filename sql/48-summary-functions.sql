-- The reports on all cancellations, as functions of one order table
--
-- Each reads in a block that ends with error OC999, which keeps the rows that it
-- returned but none of its locks: a query may call it for thousands of tables. Not
-- OC000, which would stand for all errors that begin with OC.

-- The text of a report's query over the record tables of one order table, with
-- their archives.
-- condition: which cancellations, over alias r. Raises OC014 if a record table is
-- missing or lacks a column.
CREATE FUNCTION ordcancel_internal.report_query(report text, orders regclass, condition text DEFAULT 'true')
    RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    t ordcancel.order_table;
    of_events text;
BEGIN
    SELECT * INTO t FROM ordcancel.order_table AS o WHERE o.orders = report_query.orders;
    of_events := format('%L::oid', t.event_table::oid);
    PERFORM ordcancel_internal.check_cancellations(t.cancellation_table);
    PERFORM ordcancel_internal.check_records(orders);
    IF ordcancel_internal.is_distributed(orders) THEN
        -- Citus would send what follows to the nodes, where it has no meaning.
        RETURN ordcancel_internal.apart_text(
            report, 'true', format('a.records IN (%L::oid, %L::oid)', t.cancellation_table::oid, t.event_table::oid),
            condition);
    END IF;
    RETURN ordcancel_internal.report_text(
        report, format('(SELECT * FROM %s AS r WHERE %s)', t.cancellation_table::regclass, condition),
        t.event_table::regclass::text, format('%L::oid', t.cancellation_table::oid), of_events,
        ordcancel_internal.event_before(t.event_table::regclass::text, of_events, of_events));
END
$$;
COMMENT ON FUNCTION ordcancel_internal.report_query(text, regclass, text) IS
    'returns the text of a report''s query over the records of one order table';

-- A condition on the time of the request, from since up to, but not including,
-- until. NULL: no limit.
CREATE FUNCTION ordcancel_internal.period_condition(since timestamptz, until timestamptz) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
-- Not with a time zone, whose name may be ambiguous in some settings of DateStyle.
SELECT concat_ws(' AND ', 'true',
                 'r.requested_at >= ' || quote_literal(since AT TIME ZONE 'UTC') || '::timestamp AT TIME ZONE ''UTC''',
                 'r.requested_at < ' || quote_literal(until AT TIME ZONE 'UTC') || '::timestamp AT TIME ZONE ''UTC''')
$$;
COMMENT ON FUNCTION ordcancel_internal.period_condition(timestamptz, timestamptz) IS
    'returns a condition on when a cancellation was requested';

CREATE FUNCTION ordcancel_internal.cancellations(
    orders regclass, since timestamptz, until timestamptz, reason text) RETURNS SETOF ordcancel.cancellations
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    BEGIN
        RETURN QUERY EXECUTE ordcancel_internal.report_query(
            'cancellations', orders,
            concat_ws(' AND ', ordcancel_internal.period_condition(since, until),
                      CASE WHEN reason IS NOT NULL THEN format('r.reason = %L', reason) END));
        RAISE EXCEPTION USING ERRCODE = 'OC999';
    EXCEPTION WHEN SQLSTATE 'OC999' THEN
        NULL;
    END;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.cancellations(regclass, timestamptz, timestamptz, text) IS
    'implements ordcancel.cancellations()';

-- The cancellations of an attached table: the rows that the view
-- ordcancel.cancellations has of it. Reads no other table.
--   since, until  requested from since up to, but not including, until; NULL: no
--                 limit
--   reason        with this reason only; NULL: all
-- Raises OC001, OC014, 42501.
CREATE FUNCTION ordcancel.cancellations(
    orders regclass, since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL, reason text DEFAULT NULL)
    RETURNS SETOF ordcancel.cancellations
    LANGUAGE c STABLE
    AS 'MODULE_PATHNAME', 'ordcancel_row_reader_gate';
COMMENT ON FUNCTION ordcancel.cancellations(regclass, timestamptz, timestamptz, text) IS
    E'lists the cancellations of an order table, requested in a period, or for a reason\nRaises OC001, OC014, 42501.';

CREATE FUNCTION ordcancel_internal.reason_summary(orders regclass, since timestamptz, until timestamptz)
    RETURNS SETOF ordcancel.reason_summary
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    BEGIN
        RETURN QUERY EXECUTE ordcancel_internal.report_query(
            'reason_summary', orders, ordcancel_internal.period_condition(since, until));
        RAISE EXCEPTION USING ERRCODE = 'OC999';
    EXCEPTION WHEN SQLSTATE 'OC999' THEN
        NULL;
    END;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.reason_summary(regclass, timestamptz, timestamptz) IS
    'implements ordcancel.reason_summary()';

-- Counts per reason of the cancellations of an attached table that were requested
-- from since up to, but not including, until (NULL: no limit). Without a period,
-- these are the rows that the view ordcancel.reason_summary has of it. Reads no
-- other table. Raises OC001, OC014, 42501.
CREATE FUNCTION ordcancel.reason_summary(
    orders regclass, since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
    RETURNS SETOF ordcancel.reason_summary
    LANGUAGE c STABLE ROWS 20
    AS 'MODULE_PATHNAME', 'ordcancel_row_reader_gate';
COMMENT ON FUNCTION ordcancel.reason_summary(regclass, timestamptz, timestamptz) IS
    E'counts the cancellations of an order table by reason\nRaises OC001, OC014, 42501.';

CREATE FUNCTION ordcancel_internal.daily_summary(orders regclass, since date, until date)
    RETURNS SETOF ordcancel.daily_summary
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    BEGIN
        RETURN QUERY EXECUTE ordcancel_internal.report_query(
            'daily_summary', orders,
            ordcancel_internal.period_condition(ordcancel_internal.day_begins(since),
                                                ordcancel_internal.day_begins(until)));
        RAISE EXCEPTION USING ERRCODE = 'OC999';
    EXCEPTION WHEN SQLSTATE 'OC999' THEN
        NULL;
    END;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.daily_summary(regclass, date, date) IS 'implements ordcancel.daily_summary()';

-- The same per day of the session's time zone, from since up to, but not
-- including, until: the rows that the view ordcancel.daily_summary has of the
-- table. Raises OC001, OC014, 42501.
CREATE FUNCTION ordcancel.daily_summary(orders regclass, since date DEFAULT NULL, until date DEFAULT NULL)
    RETURNS SETOF ordcancel.daily_summary
    LANGUAGE c STABLE ROWS 100
    AS 'MODULE_PATHNAME', 'ordcancel_row_reader_gate';
COMMENT ON FUNCTION ordcancel.daily_summary(regclass, date, date) IS
    E'counts the cancellations of an order table by day\nRaises OC001, OC014, 42501.';

CREATE FUNCTION ordcancel_internal.timeline(orders regclass) RETURNS SETOF ordcancel.timeline
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    BEGIN
        RETURN QUERY EXECUTE ordcancel_internal.report_query('timeline', orders);
        RAISE EXCEPTION USING ERRCODE = 'OC999';
    EXCEPTION WHEN SQLSTATE 'OC999' THEN
        NULL;
    END;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.timeline(regclass) IS 'implements ordcancel.timeline() of a table';

-- The events of all orders of an attached table: the rows that the view
-- ordcancel.timeline has of it. Reads no other table. Raises OC001, OC014, 42501.
CREATE FUNCTION ordcancel.timeline(orders regclass) RETURNS SETOF ordcancel.timeline
    LANGUAGE c STABLE
    AS 'MODULE_PATHNAME', 'ordcancel_row_reader_gate';
COMMENT ON FUNCTION ordcancel.timeline(regclass) IS
    E'tells what happened to the orders of a table, or to one order\nRaises OC001, OC002, OC014, 42501.';

-- order_id: the numbers of the order's cancellations, which the C function found.
CREATE FUNCTION ordcancel_internal.timeline(orders regclass, order_id text) RETURNS SETOF ordcancel.timeline
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    BEGIN
        RETURN QUERY EXECUTE ordcancel_internal.report_query(
            'timeline', orders, format('r.cancellation_id IN (%s)', order_id)) || ' ORDER BY event_id';
        RAISE EXCEPTION USING ERRCODE = 'OC999';
    EXCEPTION WHEN SQLSTATE 'OC999' THEN
        NULL;
    END;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.timeline(regclass, text) IS 'implements ordcancel.timeline() of an order';

-- What happened to one order, in order: who did what, why, the status of the order
-- before and after, and how long it took since the step before. No rows if it was
-- never requested to cancel it. An order that was deleted keeps its history.
-- Raises OC001, OC002 (the id cannot be one of the table), OC014, 42501.
CREATE FUNCTION ordcancel.timeline(orders regclass, order_id text) RETURNS SETOF ordcancel.timeline
    LANGUAGE c STABLE ROWS 10
    AS 'MODULE_PATHNAME', 'ordcancel_timeline';
COMMENT ON FUNCTION ordcancel.timeline(regclass, text) IS
    E'tells what happened to the orders of a table, or to one order\nRaises OC001, OC002, OC014, 42501.';
CREATE FUNCTION ordcancel.timeline(orders regclass, order_id anynonarray) RETURNS SETOF ordcancel.timeline
    LANGUAGE c STABLE ROWS 10
    AS 'MODULE_PATHNAME', 'ordcancel_timeline';
COMMENT ON FUNCTION ordcancel.timeline(regclass, anynonarray) IS
    E'tells what happened to the orders of a table, or to one order\nRaises OC001, OC002, OC014, 42501.';

-- The batches of an attached table: the rows that the view
-- ordcancel.batch_progress has of it, by the rights of the caller.
CREATE FUNCTION ordcancel.batch_progress(orders regclass) RETURNS SETOF ordcancel.batch_progress
    LANGUAGE sql STABLE ROWS 10
    SET search_path = pg_catalog, pg_temp
    AS $$ SELECT * FROM ordcancel.batch_progress AS b WHERE b.orders = batch_progress.orders $$;
COMMENT ON FUNCTION ordcancel.batch_progress(regclass) IS E'lists the batches of an order table\nRaises 42501.';
