-- Helpers of the configuration functions

CREATE FUNCTION ordcancel_internal.caller_search_path() RETURNS text
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_caller_search_path';
COMMENT ON FUNCTION ordcancel_internal.caller_search_path() IS
    'returns the search_path of the caller of the configuration function';

CREATE FUNCTION ordcancel_internal.read_status(orders regclass, status text) RETURNS text
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_read_status';
COMMENT ON FUNCTION ordcancel_internal.read_status(regclass, text) IS
    'returns a status as the column writes it; raises OC014 if it cannot hold it';

CREATE FUNCTION ordcancel_internal.read_item_status(orders regclass, items regclass, col name, status text)
    RETURNS text
    LANGUAGE c STRICT
    AS 'MODULE_PATHNAME', 'ordcancel_read_item_status';
COMMENT ON FUNCTION ordcancel_internal.read_item_status(regclass, regclass, name, text) IS
    'like read_status, for a column of the items of the order';

CREATE FUNCTION ordcancel_internal.pin_expression(orders regclass, expression text, type regtype, functions boolean)
    RETURNS text
    LANGUAGE c STRICT
    AS 'MODULE_PATHNAME', 'ordcancel_pin_expression';
COMMENT ON FUNCTION ordcancel_internal.pin_expression(regclass, text, regtype, boolean) IS
    'returns an expression over the order with all names spelled out, or the functions that it calls, or raises OC014';

CREATE FUNCTION ordcancel_internal.pin_item_expression(
    orders regclass, items regclass, expression text, type regtype, functions boolean) RETURNS text
    LANGUAGE c STRICT
    AS 'MODULE_PATHNAME', 'ordcancel_pin_item_expression';
COMMENT ON FUNCTION ordcancel_internal.pin_item_expression(regclass, regclass, text, regtype, boolean) IS
    'like pin_expression, for an expression over an item of the order';

CREATE FUNCTION ordcancel_internal.expression_columns(pinned text) RETURNS name[]
    LANGUAGE c IMMUTABLE STRICT
    AS 'MODULE_PATHNAME', 'ordcancel_expression_columns';
COMMENT ON FUNCTION ordcancel_internal.expression_columns(text) IS
    'returns the columns of the order that a pinned expression reads; NULL among them stands for the whole row';
CREATE FUNCTION ordcancel_internal.pin_child_expression(
    orders regclass, child regclass, expression text, search_path text, time_zone text, is_key boolean,
    functions boolean) RETURNS text
    LANGUAGE c STRICT
    AS 'MODULE_PATHNAME', 'ordcancel_pin_child_expression';
COMMENT ON FUNCTION ordcancel_internal.pin_child_expression(
    regclass, regclass, text, text, text, boolean, boolean) IS
    'like pin_expression, for a condition or the key of an order over a row of a child table';
CREATE FUNCTION ordcancel_internal.pin_also_set(orders regclass, "column" name, value text, functions boolean)
    RETURNS text
    LANGUAGE c STRICT
    AS 'MODULE_PATHNAME', 'ordcancel_pin_also_set';
COMMENT ON FUNCTION ordcancel_internal.pin_also_set(regclass, name, text, boolean) IS
    'like pin_expression, for a value of also_set()';

CREATE FUNCTION ordcancel_internal.invalid(message text, detail text DEFAULT NULL, hint text DEFAULT NULL) RETURNS void
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_invalid';
COMMENT ON FUNCTION ordcancel_internal.invalid(text, text, text) IS 'raises OC014, invalid_policy';

CREATE FUNCTION ordcancel_internal.notice(message text, detail text DEFAULT NULL, hint text DEFAULT NULL) RETURNS void
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_notice';
COMMENT ON FUNCTION ordcancel_internal.notice(text, text, text) IS 'raises a NOTICE';

CREATE FUNCTION ordcancel_internal.closest(word text, words text[]) RETURNS text
    LANGUAGE c IMMUTABLE STRICT
    AS 'MODULE_PATHNAME', 'ordcancel_closest';
COMMENT ON FUNCTION ordcancel_internal.closest(text, text[]) IS 'returns the word that was probably meant, or NULL';

-- The hint for an invalid value: the probable intention, and all valid values.
CREATE FUNCTION ordcancel_internal.choices(word text, words text[], what text DEFAULT 'Valid values are %s.')
    RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT coalesce('Did you mean "' || ordcancel_internal.closest(left(word, 200), words) || '"? ', '')
       || format(what, left(array_to_string(words, ', '), 1000))
$$;
COMMENT ON FUNCTION ordcancel_internal.choices(text, text[], text) IS
    'returns the HINT for a word that is not one of the allowed ones';

-- The base type of a domain, over any number of levels.
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
COMMENT ON FUNCTION ordcancel_internal.base_type(oid) IS 'returns the type under any domains';

-- Raises OC014 if the column is an enum without such a label. Returns whether the
-- status is already written as the column writes it.
CREATE FUNCTION ordcancel_internal.check_label(rel regclass, col name, status text) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    enum record;
    labels text[];
BEGIN
    SELECT t.oid::regtype AS type, t.oid = a.atttypid AS plain INTO enum
    FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = ordcancel_internal.base_type(a.atttypid)
    WHERE a.attrelid = rel AND a.attname = col AND t.typtype = 'e';
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    -- Look up the label instead of calling the input function, which rejects
    -- labels added by the same transaction.
    labels := ARRAY(SELECT enumlabel FROM pg_enum WHERE enumtypid = enum.type ORDER BY enumsortorder);
    IF status <> ALL (labels) THEN
        PERFORM ordcancel_internal.invalid(
            format('"%s" is not a status of %s', left(status, 80), ordcancel_internal.label(rel)),
            format('Column "%s" is of type %s, which has no such label.', col, enum.type),
            ordcancel_internal.choices(status, labels, 'Valid labels are %s.')
            || format(' To add one, use ALTER TYPE %s ADD VALUE %L.', enum.type, left(status, 63)));
    END IF;
    RETURN enum.plain;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.check_label(regclass, name, text) IS
    'raises OC014 unless a status is a label of the column''s enum, if it is one';

CREATE FUNCTION ordcancel_internal.check_status(orders regclass, status text) RETURNS text
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF status IS NULL
       OR ordcancel_internal.check_label(orders, (SELECT t.status FROM ordcancel.order_table AS t
                                                  WHERE t.orders = check_status.orders), status) THEN
        RETURN status;
    END IF;
    RETURN ordcancel_internal.read_status(orders, status);
END
$$;
COMMENT ON FUNCTION ordcancel_internal.check_status(regclass, text) IS
    'returns a status as the column writes it; raises OC014 if it cannot hold it';

CREATE FUNCTION ordcancel_internal.check_word(what text, word text, words text[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF word <> ALL (words) THEN
        PERFORM ordcancel_internal.invalid(format('"%s" is not a valid value for %s', left(word, 80), what),
                                   NULL, ordcancel_internal.choices(word, words));
    END IF;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.check_word(text, text, text[]) IS
    'raises OC014 unless a word is NULL or one of the allowed ones';

CREATE FUNCTION ordcancel_internal.check_span(what text, span interval) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    -- The upper bound prevents timestamp overflows.
    IF span < interval '0' OR span > interval '1000 years' THEN
        PERFORM ordcancel_internal.invalid(format('%s cannot be %s', what, span),
                                   'It must be between 0 and 1000 years.');
    END IF;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.check_span(text, interval) IS
    'raises OC014 unless an interval is NULL or between 0 and 1000 years';

CREATE FUNCTION ordcancel_internal.check_attached(orders regclass) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM ordcancel.order_table AS t WHERE t.orders = check_attached.orders) THEN
        RAISE EXCEPTION USING
            MESSAGE = coalesce('table ' || ordcancel_internal.label(orders) || ' is not attached to ordcancel',
                               'order table is null'),
            ERRCODE = 'OC001', HINT = 'Call ordcancel.attach() for the order table first.';
    END IF;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.check_attached(regclass) IS 'raises OC001 unless the table is attached';

CREATE FUNCTION ordcancel_internal.caller_role() RETURNS name
    LANGUAGE c STABLE
    AS 'MODULE_PATHNAME', 'ordcancel_caller_role';
COMMENT ON FUNCTION ordcancel_internal.caller_role() IS
    'returns the role that called the function of the extension that is running';

-- A policy with its rules, to be compared with what it was before a call; NULL if
-- it does not exist.
CREATE FUNCTION ordcancel_internal.rules_text(orders regclass, policy text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT concat(p, (SELECT string_agg(r::text, E'\n' ORDER BY r.status COLLATE "C") FROM ordcancel.rule AS r
                  WHERE r.orders = p.orders AND r.policy = p.policy))
FROM ordcancel.policy AS p WHERE p.orders = rules_text.orders AND p.policy = rules_text.policy
$$;
COMMENT ON FUNCTION ordcancel_internal.rules_text(regclass, text) IS 'returns a policy and its rules as one text';

-- The end of every function that changes the rules of a table: if it has changed
-- something, this is recorded. Returns what the function returns.
CREATE FUNCTION ordcancel_internal.record_change(orders regclass, policy text, what text, changed boolean) RETURNS text
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF changed THEN
        INSERT INTO ordcancel.policy_change (orders, change_no, changed_at, changed_by, policy, what)
        VALUES (orders,
                coalesce((SELECT max(c.change_no) FROM ordcancel.policy_change AS c
                          WHERE c.orders = record_change.orders), 0) + 1,
                (SELECT c.now FROM ordcancel_internal.clock AS c), ordcancel_internal.caller_role(), policy,
                left(what, 1000));
    END IF;
    PERFORM ordcancel_internal.citus_follow(orders);
    RETURN format('%s: %s', ordcancel_internal.label(orders), what);
END
$$;
COMMENT ON FUNCTION ordcancel_internal.record_change(regclass, text, text, boolean) IS
    'records a change of the rules, and returns its text with the label of the table';

CREATE FUNCTION ordcancel_internal.caller_is_superuser() RETURNS boolean
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_caller_is_superuser';
COMMENT ON FUNCTION ordcancel_internal.caller_is_superuser() IS
    'returns whether the caller of the configuration function is a superuser';

CREATE FUNCTION ordcancel_internal.as_owner(orders regclass, query text, zone text DEFAULT 'UTC') RETURNS text
    LANGUAGE c STRICT
    AS 'MODULE_PATHNAME', 'ordcancel_as_owner';
COMMENT ON FUNCTION ordcancel_internal.as_owner(regclass, text, text) IS
    'runs a query as the owner of a table, and returns the first column of its first row';

-- A table's name for messages, with its schema, as the C code writes it.
CREATE FUNCTION ordcancel_internal.label(rel regclass) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT coalesce((SELECT format('%I.%I', n.nspname, c.relname)
                 FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = rel),
                rel::text)
$$;
COMMENT ON FUNCTION ordcancel_internal.label(regclass) IS 'returns the qualified name of a table';

-- The expression that reads a column as text, as the C code does: with the
-- type's output function, not with a cast, which may be user-defined.
CREATE FUNCTION ordcancel_internal.column_text(orders regclass, col name) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT format(CASE ordcancel_internal.base_type(a.atttypid)
                  WHEN 'bpchar'::regtype
                      THEN 'CASE WHEN o.%1$I IS NOT NULL'
                           ' THEN pg_catalog.rtrim(pg_catalog.format(''%%s'', o.%1$I), '' '') END'
                  WHEN 'bool'::regtype
                      THEN 'CASE WHEN o.%1$I THEN ''true'' WHEN NOT o.%1$I THEN ''false'' END'
                  ELSE 'CASE WHEN o.%1$I IS NOT NULL THEN pg_catalog.format(''%%s'', o.%1$I) END' END, col)
FROM pg_attribute AS a
WHERE a.attrelid = orders AND a.attname = col
$$;
COMMENT ON FUNCTION ordcancel_internal.column_text(regclass, name) IS
    'returns an SQL expression for a column of table o as text';

-- A table and its partitions. An array, so that the catalogs are searched by
-- index: from a function PostgreSQL expects so many rows that it would read them
-- in whole, which takes the longer the more tables there are.
CREATE FUNCTION ordcancel_internal.parts(rel regclass) RETURNS oid[]
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT ARRAY(SELECT relid::oid FROM pg_partition_tree(rel) UNION SELECT rel::oid)
$$;
COMMENT ON FUNCTION ordcancel_internal.parts(regclass) IS 'returns the OIDs of a table and of its partitions';

-- The table, or those of its partitions, that are stored by another access
-- method than heap: C reads row versions as heap stores them.
CREATE FUNCTION ordcancel_internal.not_heap(orders regclass) RETURNS TABLE (rel regclass, method name)
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT c.oid::regclass, m.amname
FROM pg_class AS c JOIN pg_am AS m ON m.oid = c.relam
WHERE c.oid = ANY (ordcancel_internal.parts(orders)) AND c.relkind = 'r'
  AND m.amhandler <> 'pg_catalog.heap_tableam_handler'::regproc
ORDER BY c.oid
$$;
COMMENT ON FUNCTION ordcancel_internal.not_heap(regclass) IS
    'returns the table and those of its partitions that use another access method than heap';
