-- What a reader of the reports may see: the records of orders on which the reader
-- has SELECT, row by row if row-level security applies.

CREATE FUNCTION ordcancel_internal.tableoid_support(internal) RETURNS internal
    LANGUAGE c STRICT
    AS 'MODULE_PATHNAME', 'ordcancel_tableoid_support';
COMMENT ON FUNCTION ordcancel_internal.tableoid_support(internal) IS
    'planner support: in the scan of one table its tableoid is a constant';

-- They are given the tableoid of a record. LEAKPROOF, so that a condition on the
-- order table is evaluated before the records are read. may_read() and may_see()
-- begin subtransactions, so no plan with them may be parallel.
CREATE FUNCTION ordcancel_internal.orders_of(records oid) RETURNS regclass
    LANGUAGE c STABLE STRICT LEAKPROOF PARALLEL RESTRICTED
    SUPPORT ordcancel_internal.tableoid_support
    AS 'MODULE_PATHNAME', 'ordcancel_orders_of';
COMMENT ON FUNCTION ordcancel_internal.orders_of(oid) IS
    'returns the order table whose records these are, or NULL if it is not attached';

CREATE FUNCTION ordcancel_internal.may_read(records oid) RETURNS boolean
    LANGUAGE c STABLE STRICT
    SUPPORT ordcancel_internal.tableoid_support
    AS 'MODULE_PATHNAME', 'ordcancel_may_read';
COMMENT ON FUNCTION ordcancel_internal.may_read(oid) IS 'returns whether the reader may see any of these records';

CREATE FUNCTION ordcancel_internal.may_see(records oid, order_key text) RETURNS boolean
    LANGUAGE c STABLE STRICT COST 10
    SUPPORT ordcancel_internal.tableoid_support
    AS 'MODULE_PATHNAME', 'ordcancel_may_see';
COMMENT ON FUNCTION ordcancel_internal.may_see(oid, text) IS
    'returns whether the reader may see the records of an order';

CREATE VIEW ordcancel_internal.readable AS
SELECT t.orders::regclass AS orders
FROM ordcancel.order_table AS t
WHERE pg_catalog.has_table_privilege(t.orders, 'SELECT')
  AND NOT pg_catalog.row_security_active(t.orders::pg_catalog.oid);
COMMENT ON VIEW ordcancel_internal.readable IS 'order tables of which the reader may see all orders';
COMMENT ON COLUMN ordcancel_internal.readable.orders IS 'the order table';

CREATE VIEW ordcancel_internal.clock AS
SELECT coalesce(nullif(pg_catalog.current_setting('ordcancel.clock', true), '')::timestamptz,
                pg_catalog.statement_timestamp()) AS now;
COMMENT ON VIEW ordcancel_internal.clock IS 'current time for reports';
COMMENT ON COLUMN ordcancel_internal.clock.now IS 'that of the statement, or ordcancel.clock';

-- Whether a view reads all record tables in one scan of their parents. A constant
-- for the planner.
CREATE FUNCTION ordcancel_internal.reads_at_once_support(internal) RETURNS internal
    LANGUAGE c STRICT
    AS 'MODULE_PATHNAME', 'ordcancel_reads_at_once_support';
COMMENT ON FUNCTION ordcancel_internal.reads_at_once_support(internal) IS
    'planner support: the answer for a whole query';

CREATE FUNCTION ordcancel_internal.reads_at_once() RETURNS boolean
    LANGUAGE c STABLE
    SUPPORT ordcancel_internal.reads_at_once_support
    AS 'MODULE_PATHNAME', 'ordcancel_reads_at_once';
COMMENT ON FUNCTION ordcancel_internal.reads_at_once() IS
    'returns whether there are few enough record tables to lock all of them';

-- The cancellations or events of the tables attached with inherit => false, which the
-- parents of the record tables do not show, and without at_once those of all others,
-- too. kind is a NULL of the parent's row type. Keeps no lock. SECURITY DEFINER,
-- because a view runs it as its reader; the views apply may_see(). A record table that
-- is missing, lacks a column, or belongs to another role is left out; health() reports
-- it.
CREATE FUNCTION ordcancel_internal.apart_records(kind anyelement, at_once boolean)
    RETURNS TABLE (records oid, record anyelement)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    base CONSTANT regclass := (SELECT typrelid FROM pg_type WHERE oid = pg_typeof(kind));
    columns CONSTANT text := (SELECT string_agg(format('r.%I', attname), ', ' ORDER BY attnum)
                              FROM pg_attribute
                              WHERE attrelid = base AND attnum > 0 AND NOT attisdropped);
    child regclass;
BEGIN
    FOR child IN
        SELECT r.records::oid
        FROM ordcancel.order_table AS t
            JOIN ordcancel_internal.record_table AS r ON r.orders = t.orders
        WHERE NOT (t.inherit AND at_once) AND r.parent = base AND ordcancel_internal.is_trusted(r.records)
    LOOP
        BEGIN
            -- Not tableoid: of a distributed table, it would be that of a shard elsewhere.
            RETURN QUERY EXECUTE format('SELECT %s::oid, ROW(%s)::%s FROM %s AS r',
                                        child::oid, columns, pg_typeof(kind), child);
            RAISE EXCEPTION USING ERRCODE = 'OC999';
        EXCEPTION WHEN SQLSTATE 'OC999' OR undefined_column OR undefined_table OR cannot_coerce OR syntax_error THEN
            NULL;
        END;
    END LOOP;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.apart_records(anyelement, boolean) IS
    'returns the records of tables that a view does not read in one scan';

-- The time at which a day begins in the session's time zone. Where clocks are put
-- back at midnight, its first hour occurs twice, and PostgreSQL takes the later one.
CREATE FUNCTION ordcancel_internal.day_begins(day date) RETURNS timestamptz
    LANGUAGE sql STABLE STRICT
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT CASE WHEN isfinite(day) AND (day::timestamptz - interval '1 hour')::date = day
            THEN day::timestamptz - interval '1 hour' ELSE day::timestamptz END
$$;
COMMENT ON FUNCTION ordcancel_internal.day_begins(date) IS 'returns when a day begins in the session''s time zone';

-- The days of the session's time zone on which the two times and those between
-- them are. An estimate of few rows keeps PostgreSQL from compiling a query.
CREATE FUNCTION ordcancel_internal.days(first timestamptz, last timestamptz)
    RETURNS TABLE (day date, begins timestamptz, ends timestamptz)
    LANGUAGE sql STABLE STRICT ROWS 10
    SET search_path = pg_catalog, pg_temp
    AS $$
-- As day_begins(), which to call twice a day would take most of the time.
SELECT b.day::date, CASE WHEN (b.begins - interval '1 hour')::date = b.day::date THEN b.begins - interval '1 hour'
                         ELSE b.begins END,
       CASE WHEN (b.ends - interval '1 hour')::date > b.day::date THEN b.ends - interval '1 hour' ELSE b.ends END
FROM (SELECT d.day, d.day::timestamptz, (d.day + interval '1 day')::timestamptz
      FROM generate_series(first::date::timestamp, last::date::timestamp, interval '1 day') AS d (day)
      OFFSET 0) AS b (day, begins, ends)
$$;
COMMENT ON FUNCTION ordcancel_internal.days(timestamptz, timestamptz) IS
    'returns the days from one time to another, and when each begins and ends';
