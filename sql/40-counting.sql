-- Counting orders, so that the configuration functions can report what the rules
-- mean for the existing orders

-- Whether the table is small enough to be counted for a NOTICE. overview() and
-- health() count tables of any size.
CREATE FUNCTION ordcancel_internal.is_small(orders regclass) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT coalesce(sum(pg_relation_size(relid)), 0) <= 128 * 1024 * 1024
FROM unnest(ordcancel_internal.parts(orders)) AS p (relid)
$$;
COMMENT ON FUNCTION ordcancel_internal.is_small(regclass) IS
    'returns whether a table is small enough to be counted along with another call';

-- The statuses to which policies give a meaning. A closed status has it for
-- canceled orders only.
CREATE VIEW ordcancel_internal.policy_status AS
SELECT p.orders, p.policy, w.status, w.meaning, w.rank
FROM ordcancel.policy AS p,
    LATERAL (VALUES (p.requested_status, 'requested', 1), (p.in_progress_status, 'in progress', 2),
                    (p.canceled_status, 'canceled', 3),
                    (CASE WHEN p.customer_canceled_status <> p.canceled_status OR p.canceled_status IS NULL
                          THEN p.customer_canceled_status END, 'canceled', 3)
             UNION ALL
             SELECT s, 'closed', 4 FROM pg_catalog.unnest(p.closed_statuses) AS s) AS w (status, meaning, rank)
WHERE w.status IS NOT NULL;
COMMENT ON VIEW ordcancel_internal.policy_status IS 'statuses that policies use for cancellations';
COMMENT ON COLUMN ordcancel_internal.policy_status.orders IS 'the order table';
COMMENT ON COLUMN ordcancel_internal.policy_status.policy IS 'name of the policy';
COMMENT ON COLUMN ordcancel_internal.policy_status.status IS 'the status';
COMMENT ON COLUMN ordcancel_internal.policy_status.meaning IS 'requested, in progress, canceled or closed';
COMMENT ON COLUMN ordcancel_internal.policy_status.rank IS
    'position for sorting: 1 requested, 2 in progress, 3 canceled, 4 closed';

-- The expression for an order's status, spelled as in the rules: if values of the
-- column may be equal but differ as text, as with citext, it returns the status
-- name of the rules that is equal.
CREATE FUNCTION ordcancel_internal.status_text(orders regclass, status name) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT CASE
           WHEN t.oid = 'numeric'::regtype
                OR (t.typcategory = 'S'
                    AND t.oid NOT IN ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype, 'name'::regtype))
                OR NOT coalesce((SELECT collisdeterministic FROM pg_collation WHERE oid = a.attcollation), true)
               THEN format('coalesce((SELECT pg_catalog.min(w) FROM pg_catalog.unnest(%L::pg_catalog.text[]) AS w'
                           ' WHERE ROW(w::%s%s)::pg_catalog.record OPERATOR(pg_catalog.=)'
                           ' ROW(o.%I)::pg_catalog.record), %s)',
                           ARRAY(SELECT r.status FROM ordcancel.rule AS r WHERE r.orders = status_text.orders
                                 UNION SELECT w.status FROM ordcancel_internal.policy_status AS w
                                 WHERE w.orders = status_text.orders
                                 UNION SELECT unnest(p.reopen_statuses) FROM ordcancel.policy AS p
                                 WHERE p.orders = status_text.orders),
                           format_type(a.atttypid, a.atttypmod),
                           CASE WHEN a.attcollation <> 0 THEN ' COLLATE ' || a.attcollation::regcollation ELSE '' END,
                           status, ordcancel_internal.column_text(orders, status))
           ELSE ordcancel_internal.column_text(orders, status)
       END
FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = ordcancel_internal.base_type(a.atttypid)
WHERE a.attrelid = orders AND a.attname = status
$$;
COMMENT ON FUNCTION ordcancel_internal.status_text(regclass, name) IS
    'returns an SQL expression for the status of order o as rules write it';

-- Raises OC014 if a column that was passed to attach() is missing.
CREATE FUNCTION ordcancel_internal.check_columns(orders regclass, status name, policy_by name) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    missing name;
BEGIN
    SELECT c INTO missing FROM unnest(ARRAY[status, policy_by]) AS c
    WHERE c IS NOT NULL
      AND NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = orders AND attname = c AND NOT attisdropped);
    IF FOUND THEN
        PERFORM ordcancel_internal.invalid(
            format('order table %s no longer has column "%s"', ordcancel_internal.label(orders), missing),
            'The column was renamed or dropped after the table was attached.',
            'Call ordcancel.attach() again with the column''s new name; policies, rules and records are kept.');
    END IF;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.check_columns(regclass, name, name) IS
    'raises OC014 if a column that attach() was given no longer exists';

-- What to select orders from: the table, without the orders that deleted_when
-- hides. The condition is the owner's, so use it with as_owner() only. Raises
-- OC014 if it would call other functions than when it was set.
CREATE FUNCTION ordcancel_internal.orders_source(orders regclass) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    t ordcancel.order_table;
BEGIN
    SELECT * INTO t FROM ordcancel.order_table AS o
    WHERE o.orders = orders_source.orders AND o.deleted_when IS NOT NULL;
    IF NOT FOUND THEN
        RETURN orders;
    ELSIF t.deleted_when_functions
          IS DISTINCT FROM ordcancel_internal.pin_expression(orders, t.deleted_when, 'boolean', true) THEN
        PERFORM ordcancel_internal.invalid(
            format('deleted_when of %s is no longer valid', ordcancel_internal.label(orders)),
            'It would call functions other than when it was set.', 'Set it again with ordcancel.attach().');
    END IF;
    RETURN format(E'(SELECT order_row.ctid, order_row.* FROM %s AS order_row WHERE (%s\n) IS NOT TRUE)',
                  orders, t.pinned_deleted_when);
END
$$;
COMMENT ON FUNCTION ordcancel_internal.orders_source(regclass) IS
    'returns the FROM item of the orders of a table that are not deleted';

-- The number of orders by policy and status: [{policy, status, n}]. An order
-- whose own policy does not exist is under "default". Raises OC014 if a column
-- is missing.
CREATE FUNCTION ordcancel_internal.count_orders(orders regclass, status name, policy_by name, zone text) RETURNS json
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    PERFORM ordcancel_internal.check_columns(orders, status, policy_by);
    RETURN coalesce(ordcancel_internal.as_owner(orders, format(
        'SELECT pg_catalog.json_agg(c)::pg_catalog.text'
        ' FROM (SELECT coalesce(p.policy, ''default'') AS policy, o.status, pg_catalog.sum(o.n) AS n'
        '       FROM (SELECT %1$s AS policy, %2$s AS status, pg_catalog.count(*) AS n'
        ' FROM %3$s AS o GROUP BY 1, 2) AS o'
        '           LEFT JOIN ordcancel.policy AS p ON p.orders OPERATOR(pg_catalog.=) %4$s'
        '                                          AND p.policy OPERATOR(pg_catalog.=) o.policy'
        '       GROUP BY 1, 2) AS c',
        coalesce(ordcancel_internal.column_text(orders, policy_by), 'NULL::pg_catalog.text'),
        ordcancel_internal.status_text(orders, status), ordcancel_internal.orders_source(orders), orders::oid),
        zone)::json, '[]');
END
$$;
COMMENT ON FUNCTION ordcancel_internal.count_orders(regclass, name, name, text) IS
    'counts the orders by policy and status';

-- The policy name, used by orders but not defined, that is most similar to this
-- one; NULL if there is none.
CREATE FUNCTION ordcancel_internal.misspelled_policy(orders regclass, policy text) RETURNS text
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    RETURN ordcancel_internal.closest(left(policy, 200), ARRAY(
    SELECT n.name
    FROM ordcancel.order_table AS t,
        json_array_elements_text(ordcancel_internal.as_owner(t.orders, format(
            'SELECT pg_catalog.json_agg(DISTINCT %s)::pg_catalog.text FROM %s AS o',
            ordcancel_internal.column_text(t.orders, t.policy_by), t.orders::regclass), t.time_zone)::json) AS n (name)
    WHERE t.orders = misspelled_policy.orders AND t.policy_by IS NOT NULL AND ordcancel_internal.is_small(t.orders)
      AND NOT EXISTS (SELECT FROM ordcancel.policy AS p WHERE p.orders = t.orders AND p.policy = n.name)));
EXCEPTION WHEN OTHERS THEN
    RETURN NULL; -- only informative, so it must not fail
END
$$;
COMMENT ON FUNCTION ordcancel_internal.misspelled_policy(regclass, text) IS
    'returns the name of the policy that was probably meant, or NULL';

-- The same for a NOTICE: NULL if the table is large, or if its owner cannot read
-- it, which must not make the caller fail. Nor is a distributed table counted: the
-- owner would read by a connection of its own, and Citus allows no DDL after that.
CREATE FUNCTION ordcancel_internal.count_orders_if_small(orders regclass, status name, policy_by name, zone text)
    RETURNS json
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF ordcancel_internal.is_small(orders) AND NOT ordcancel_internal.is_distributed(orders) THEN
        RETURN ordcancel_internal.count_orders(orders, status, policy_by, zone);
    END IF;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.count_orders_if_small(regclass, name, name, text) IS
    'counts the orders by policy and status as JSON; NULL if that takes long or the caller may not read them';

-- The same for an attached table, as rows; no rows for a large table, unless
-- always is true.
CREATE FUNCTION ordcancel_internal.counted(orders regclass, always boolean DEFAULT false)
    RETURNS TABLE (policy text, status text, n bigint)
    LANGUAGE sql VOLATILE ROWS 20
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT c.policy, c.status, c.n
FROM ordcancel.order_table AS t,
    json_to_recordset(
        CASE WHEN always THEN ordcancel_internal.count_orders(t.orders, t.status, t.policy_by, t.time_zone)
             ELSE ordcancel_internal.count_orders_if_small(t.orders, t.status, t.policy_by, t.time_zone) END)
        AS c (policy text, status text, n bigint)
WHERE t.orders = counted.orders
$$;
COMMENT ON FUNCTION ordcancel_internal.counted(regclass, boolean) IS
    'counts the orders of an attached table by policy and status, if that does not take long or always';

-- Statuses and their counts, for a message.
CREATE FUNCTION ordcancel_internal.list_statuses(statuses text[], counts bigint[]) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT left(string_agg(CASE WHEN s IS NULL THEN format('no status (%s)', n)
                            ELSE format('"%s" (%s)', left(s, 80), n) END,
                       ', ' ORDER BY n DESC, s COLLATE "C"), 2000)
FROM unnest(statuses, counts) AS c (s, n)
$$;
COMMENT ON FUNCTION ordcancel_internal.list_statuses(text[], bigint[]) IS
    'lists statuses and their counts for a message';

-- Reports statuses of orders without a rule. counts is the result of
-- count_orders(), or NULL if the table is too large.
CREATE FUNCTION ordcancel_internal.notice_of_unruled_statuses(orders regclass, counts json) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    statuses text;
BEGIN
    IF counts IS NULL THEN
        PERFORM ordcancel_internal.notice(
            format('orders of %s were not counted', ordcancel_internal.label(orders)),
            CASE WHEN ordcancel_internal.is_distributed(orders) THEN 'The table is distributed.'
                 ELSE 'The table is large, or its owner cannot read it.' END,
            'ordcancel.overview() counts them, and shows which of their statuses have no rule.');
        RETURN;
    END IF;
    SELECT ordcancel_internal.list_statuses(array_agg(s.status), array_agg(s.n)) INTO statuses
    FROM (SELECT c.status, sum(c.n)::bigint AS n
          FROM json_to_recordset(counts) AS c (policy text, status text, n bigint)
          WHERE NOT EXISTS (SELECT FROM ordcancel.rule AS r
                            WHERE r.orders = notice_of_unruled_statuses.orders AND r.policy = c.policy
                              AND r.status = c.status)
            AND NOT EXISTS (SELECT FROM ordcancel_internal.policy_status AS w
                            WHERE w.orders = notice_of_unruled_statuses.orders AND w.policy = c.policy
                              AND w.status = c.status)
          GROUP BY 1) AS s;
    IF statuses IS NOT NULL THEN
        PERFORM ordcancel_internal.notice(
            format('orders of %s have statuses without a rule: %s', ordcancel_internal.label(orders), statuses),
            NULL, 'Nobody can cancel an order in such a status; ordcancel.overview() shows all of them.');
    END IF;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.notice_of_unruled_statuses(regclass, json) IS
    'raises a NOTICE about statuses of orders without a rule';

-- The CHECK constraint on only the status column that rejects a status, or NULL.
-- Evaluated as the table's owner, since it may call the owner's functions.
CREATE FUNCTION ordcancel_internal.violated_check(orders regclass, status name, word text) RETURNS name
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    constr record;
BEGIN
    FOR constr IN
        SELECT c.conname, pg_get_expr(c.conbin, c.conrelid) AS expression, format_type(a.atttypid, a.atttypmod) AS type,
               CASE WHEN a.attcollation <> 0 THEN ' COLLATE ' || a.attcollation::regcollation ELSE '' END AS collation
        FROM pg_constraint AS c JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attname = status
        WHERE c.conrelid = orders AND c.contype = 'c' AND c.convalidated AND c.conkey = ARRAY[a.attnum]
        ORDER BY c.conname
    LOOP
        IF ordcancel_internal.as_owner(
               orders,
               format('SELECT ((%s) IS FALSE)::pg_catalog.text FROM (SELECT CAST(%L AS %s)%s AS %I) AS o',
                      constr.expression, word, constr.type, constr.collation, status)) = 'true' THEN
            RETURN constr.conname;
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.violated_check(regclass, name, text) IS
    'returns the CHECK constraint that refuses a status, or NULL';

CREATE FUNCTION ordcancel_internal.notice_of_check(orders regclass, word text) RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    violated name;
BEGIN
    SELECT ordcancel_internal.violated_check(t.orders, t.status, word) INTO violated
    FROM ordcancel.order_table AS t WHERE t.orders = notice_of_check.orders;
    IF violated IS NOT NULL THEN
        PERFORM ordcancel_internal.notice(
            format('constraint "%s" of %s does not allow status "%s"',
                   violated, ordcancel_internal.label(orders), left(word, 80)),
            NULL, 'Change the constraint to allow it, or use another status.');
    END IF;
EXCEPTION WHEN OTHERS THEN
    NULL; -- only informative, so it must not fail
END
$$;
COMMENT ON FUNCTION ordcancel_internal.notice_of_check(regclass, text) IS
    'raises a NOTICE if a CHECK constraint refuses a status';
