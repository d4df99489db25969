-- What the configuration functions share.

CREATE FUNCTION ordcancel_internal.caller_search_path() RETURNS text
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_caller_search_path';
COMMENT ON FUNCTION ordcancel_internal.caller_search_path() IS 'search_path of whoever called the configuration function';

CREATE FUNCTION ordcancel_internal.check_status(orders regclass, status text) RETURNS text
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_check_status';
COMMENT ON FUNCTION ordcancel_internal.check_status(regclass, text) IS 'the status as the table''s column writes it; OC014 when it cannot';

CREATE FUNCTION ordcancel_internal.pin_expression(orders regclass, expression text, type regtype, functions boolean)
    RETURNS text
    LANGUAGE c STRICT
    AS 'MODULE_PATHNAME', 'ordcancel_pin_expression';
COMMENT ON FUNCTION ordcancel_internal.pin_expression(regclass, text, regtype, boolean) IS 'the expression over the order row with every name written out, or the functions that it calls, one a line; OC014 unless it is one of that type';

CREATE FUNCTION ordcancel_internal.invalid(message text, detail text DEFAULT NULL, hint text DEFAULT NULL) RETURNS void
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_invalid';
COMMENT ON FUNCTION ordcancel_internal.invalid(text, text, text) IS 'raises OC014, invalid_policy';

CREATE FUNCTION ordcancel_internal.check_word(what text, word text, words text[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF word <> ALL (words) THEN
        PERFORM ordcancel_internal.invalid(format('"%s" is not a value of %s', left(word, 80), what),
                                   NULL, format('It is one of %s.', array_to_string(words, ', ')));
    END IF;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.check_word(text, text, text[]) IS 'OC014 unless the word is one of the words, or NULL';

CREATE FUNCTION ordcancel_internal.check_span(what text, span interval) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    -- The upper bound keeps every sum within the range of timestamps.
    IF span < interval '0' OR span > interval '1000 years' THEN
        PERFORM ordcancel_internal.invalid(format('%s cannot be %s', what, span),
                                   'It has to be between 0 and 1000 years.');
    END IF;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.check_span(text, interval) IS 'OC014 unless the interval is sensible, or NULL';

CREATE FUNCTION ordcancel_internal.check_attached(orders regclass) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM ordcancel.order_table AS t WHERE t.orders = check_attached.orders) THEN
        RAISE EXCEPTION 'table % is not attached to ordcancel',
                coalesce((SELECT format('%I.%I', n.nspname, c.relname)
                          FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = orders), orders::text)
            USING ERRCODE = 'OC001', HINT = 'Call ordcancel.attach() for the order table first.';
    END IF;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.check_attached(regclass) IS 'OC001 unless the table is attached';

CREATE FUNCTION ordcancel_internal.as_owner(orders regclass, query text) RETURNS text
    LANGUAGE c STRICT
    AS 'MODULE_PATHNAME', 'ordcancel_as_owner';
COMMENT ON FUNCTION ordcancel_internal.as_owner(regclass, text) IS 'runs a query as the table''s owner and returns the first column of its first row, a text';

-- The expression that reads a column as text the way src/order_key.c does: by
-- the type's output function, not by a cast, which a user may have made.
CREATE FUNCTION ordcancel_internal.column_text(orders regclass, col name) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT format(CASE WHEN 'bpchar'::regtype IN (t.oid, t.typbasetype)
                   THEN 'CASE WHEN o.%1$I IS NOT NULL THEN pg_catalog.rtrim(pg_catalog.format(''%%s'', o.%1$I), '' '') END'
                   ELSE 'CASE WHEN o.%1$I IS NOT NULL THEN pg_catalog.format(''%%s'', o.%1$I) END' END, col)
FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
WHERE a.attrelid = orders AND a.attname = col
$$;
COMMENT ON FUNCTION ordcancel_internal.column_text(regclass, name) IS 'SQL expression for a column of the table o as text';
