-- What the configuration functions share.

CREATE FUNCTION ordcancel_internal.caller_search_path() RETURNS text
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_caller_search_path';
COMMENT ON FUNCTION ordcancel_internal.caller_search_path() IS 'search_path of whoever called the configuration function';

CREATE FUNCTION ordcancel_internal.read_status(orders regclass, status text) RETURNS text
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_read_status';
COMMENT ON FUNCTION ordcancel_internal.read_status(regclass, text) IS 'the status as the table''s column writes it; OC014 when it cannot';

CREATE FUNCTION ordcancel_internal.pin_expression(orders regclass, expression text, type regtype, functions boolean)
    RETURNS text
    LANGUAGE c STRICT
    AS 'MODULE_PATHNAME', 'ordcancel_pin_expression';
COMMENT ON FUNCTION ordcancel_internal.pin_expression(regclass, text, regtype, boolean) IS 'the expression over the order row with every name written out, or the functions that it calls, one a line; OC014 unless it is one of that type';

CREATE FUNCTION ordcancel_internal.invalid(message text, detail text DEFAULT NULL, hint text DEFAULT NULL) RETURNS void
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_invalid';
COMMENT ON FUNCTION ordcancel_internal.invalid(text, text, text) IS 'raises OC014, invalid_policy';

CREATE FUNCTION ordcancel_internal.notice(message text, detail text DEFAULT NULL, hint text DEFAULT NULL) RETURNS void
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_notice';
COMMENT ON FUNCTION ordcancel_internal.notice(text, text, text) IS 'tells the caller something';

CREATE FUNCTION ordcancel_internal.closest(word text, words text[]) RETURNS text
    LANGUAGE c IMMUTABLE STRICT
    AS 'MODULE_PATHNAME', 'ordcancel_closest';
COMMENT ON FUNCTION ordcancel_internal.closest(text, text[]) IS 'the one of the words that was probably meant, or NULL';

-- What is said where a word is none of those that there are: the one that was
-- probably meant, and all of them.
CREATE FUNCTION ordcancel_internal.choices(word text, words text[], what text DEFAULT 'It is one of %s.') RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT coalesce('Did you mean "' || ordcancel_internal.closest(left(word, 200), words) || '"? ', '')
       || format(what, left(array_to_string(words, ', '), 1000))
$$;
COMMENT ON FUNCTION ordcancel_internal.choices(text, text[], text) IS 'the HINT for a word that is none of those that there are';

-- The type under domains, however many.
CREATE FUNCTION ordcancel_internal.base_type(type oid) RETURNS regtype
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
WITH RECURSIVE base (b) AS (
    SELECT type
    UNION ALL
    SELECT t.typbasetype FROM base JOIN pg_type AS t ON t.oid = b AND t.typtype = 'd'
)
SELECT b::regtype FROM base JOIN pg_type AS t ON t.oid = b AND t.typtype <> 'd'
$$;
COMMENT ON FUNCTION ordcancel_internal.base_type(oid) IS 'the type under domains';

CREATE FUNCTION ordcancel_internal.check_status(orders regclass, status text) RETURNS text
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    col record;
    labels text[];
BEGIN
    IF status IS NULL THEN
        RETURN NULL;
    END IF;
    SELECT a.attname, t.oid::regtype AS type, t.oid = a.atttypid AS plain INTO col
    FROM ordcancel.order_table AS r
        JOIN pg_attribute AS a ON a.attrelid = r.orders AND a.attname = r.status
        JOIN pg_type AS t ON t.oid = ordcancel_internal.base_type(a.atttypid)
    WHERE r.orders = check_status.orders AND t.typtype = 'e';
    IF NOT FOUND THEN
        RETURN ordcancel_internal.read_status(orders, status);
    END IF;
    -- A label is looked up, not read: PostgreSQL refuses to read one that the
    -- transaction itself has added.
    labels := ARRAY(SELECT enumlabel FROM pg_enum WHERE enumtypid = col.type ORDER BY enumsortorder);
    IF status <> ALL (labels) THEN
        PERFORM ordcancel_internal.invalid(
            format('"%s" is not a status of %s', left(status, 80), ordcancel_internal.label(orders)),
            format('Column "%s" is of type %s, which has no such label.', col.attname, col.type),
            ordcancel_internal.choices(status, labels, 'Its labels are %s.')
            || format(' A new one is added by ALTER TYPE %s ADD VALUE %L.', col.type, left(status, 63)));
    END IF;
    RETURN CASE WHEN col.plain THEN status ELSE ordcancel_internal.read_status(orders, status) END;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.check_status(regclass, text) IS 'the status as the table''s column writes it; OC014 when it cannot';

CREATE FUNCTION ordcancel_internal.check_word(what text, word text, words text[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF word <> ALL (words) THEN
        PERFORM ordcancel_internal.invalid(format('"%s" is not a value of %s', left(word, 80), what),
                                   NULL, ordcancel_internal.choices(word, words));
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
        RAISE EXCEPTION USING
            MESSAGE = coalesce('table ' || ordcancel_internal.label(orders) || ' is not attached to ordcancel', 'order table is null'),
            ERRCODE = 'OC001', HINT = 'Call ordcancel.attach() for the order table first.';
    END IF;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.check_attached(regclass) IS 'OC001 unless the table is attached';

CREATE FUNCTION ordcancel_internal.caller_is_superuser() RETURNS boolean
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_caller_is_superuser';
COMMENT ON FUNCTION ordcancel_internal.caller_is_superuser() IS 'whether whoever called the configuration function is a superuser';

CREATE FUNCTION ordcancel_internal.as_owner(orders regclass, query text, zone text DEFAULT 'UTC') RETURNS text
    LANGUAGE c STRICT
    AS 'MODULE_PATHNAME', 'ordcancel_as_owner';
COMMENT ON FUNCTION ordcancel_internal.as_owner(regclass, text, text) IS 'runs a query as the table''s owner and returns the first column of its first row, a text';

-- A table's name for messages, with its schema, as src/ writes it.
CREATE FUNCTION ordcancel_internal.label(rel regclass) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT coalesce((SELECT format('%I.%I', n.nspname, c.relname)
                 FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = rel),
                rel::text)
$$;
COMMENT ON FUNCTION ordcancel_internal.label(regclass) IS 'schema and name of a table';

-- The expression that reads a column as text the way src/order_key.c does: by
-- the type's output function, not by a cast, which a user may have made.
CREATE FUNCTION ordcancel_internal.column_text(orders regclass, col name) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT format(CASE ordcancel_internal.base_type(a.atttypid)
                  WHEN 'bpchar'::regtype
                      THEN 'CASE WHEN o.%1$I IS NOT NULL THEN pg_catalog.rtrim(pg_catalog.format(''%%s'', o.%1$I), '' '') END'
                  WHEN 'bool'::regtype
                      THEN 'CASE WHEN o.%1$I THEN ''true'' WHEN NOT o.%1$I THEN ''false'' END'
                  ELSE 'CASE WHEN o.%1$I IS NOT NULL THEN pg_catalog.format(''%%s'', o.%1$I) END' END, col)
FROM pg_attribute AS a
WHERE a.attrelid = orders AND a.attname = col
$$;
COMMENT ON FUNCTION ordcancel_internal.column_text(regclass, name) IS 'SQL expression for a column of the table o as text';
