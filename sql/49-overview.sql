-- What the rules mean for the existing orders

-- The problem of a status under a policy: why nobody can cancel its orders, or
-- that it is probably misspelled. NULL if there is none.
CREATE FUNCTION ordcancel_internal.status_problem(
    policy text, status text, orders_now bigint, ruled boolean, means text, elsewhere text, can_cancel boolean,
    known boolean, meant text, endless boolean) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT CASE
    WHEN NOT known
        THEN format('The type of the status column no longer has label "%s".', left(status, 80))
    WHEN NOT can_cancel AND (ruled OR orders_now > 0)
        THEN format('Nobody can cancel: policy "%s" has no canceled_status.', left(policy, 80))
    WHEN status IS NULL AND orders_now > 0
        THEN 'Nobody can cancel: these orders have no status.'
    WHEN orders_now > 0 AND NOT ruled AND means IS NULL AND elsewhere IS NOT NULL
        THEN format('Nobody can change it: it means %s in another policy, and nothing in this one.', elsewhere)
    WHEN orders_now > 0 AND NOT ruled AND means IS NULL
        THEN 'Nobody can cancel: no rule.' || coalesce(' Did you mean "' || left(meant, 80) || '"?', '')
    WHEN orders_now = 0 AND meant IS NOT NULL
        THEN format('No order has it. Did you mean "%s"?', left(meant, 80))
    WHEN ruled AND endless
        THEN 'The customer''s window never closes: attach() was called without placed_at.'
END
$$;
COMMENT ON FUNCTION ordcancel_internal.status_problem(
    text, text, bigint, boolean, text, text, boolean, boolean, text, boolean) IS
    'says why nobody can cancel in a status, or that it is misspelled, or returns NULL';

CREATE FUNCTION ordcancel_internal.overview(orders regclass)
    RETURNS TABLE (policy text, status text, orders_now bigint, customer text, customer_late text, merchant text,
                   deletable boolean, expire_after interval, means text, problem text, partly_fulfilled text)
    LANGUAGE sql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
WITH attached AS (
    SELECT t.placed_at, ordcancel_internal.base_type(a.atttypid) AS type,
           (SELECT typtype FROM pg_type WHERE oid = ordcancel_internal.base_type(a.atttypid)) = 'e' AS is_enum
    FROM ordcancel.order_table AS t JOIN pg_attribute AS a ON a.attrelid = t.orders AND a.attname = t.status
    WHERE t.orders = overview.orders
), counted AS MATERIALIZED (
    SELECT c.policy, c.status, c.n FROM ordcancel_internal.counted(orders, true) AS c
), word AS MATERIALIZED (
    SELECT w.policy, w.status, w.meaning, w.rank
    FROM ordcancel_internal.policy_status AS w WHERE w.orders = overview.orders
), cell AS (
    SELECT c.policy, c.status FROM counted AS c
    UNION SELECT r.policy, r.status FROM ordcancel.rule AS r WHERE r.orders = overview.orders
    UNION SELECT w.policy, w.status FROM word AS w
), elsewhere AS MATERIALIZED (
    SELECT DISTINCT ON (w.status) w.status, w.meaning FROM word AS w WHERE w.meaning <> 'closed'
    ORDER BY w.status, w.rank DESC
), line AS MATERIALIZED (
    SELECT c.policy, c.status, coalesce(n.n, 0) AS n, r.status IS NOT NULL AS ruled, r.customer,
           coalesce(r.customer_late, CASE WHEN p.grace IS NOT NULL THEN r.customer END) AS customer_late, r.merchant,
           r.deletable, r.expire_after, r.expire_reason, w.meaning, w.rank, e.meaning AS elsewhere,
           p.canceled_status IS NOT NULL AS can_cancel,
           a.placed_at IS NULL AND p.grace IS NOT NULL
               AND (r.customer <> 'forbid' OR r.customer_late <> 'forbid') AS endless,
           p.partly_fulfilled, 'forbid' <> ANY (ARRAY[r.customer, r.customer_late, r.merchant]) AS allows
    FROM attached AS a, cell AS c
        JOIN ordcancel.policy AS p ON p.orders = overview.orders AND p.policy = c.policy
        LEFT JOIN counted AS n ON n.policy = c.policy AND n.status IS NOT DISTINCT FROM c.status
        LEFT JOIN ordcancel.rule AS r ON r.orders = overview.orders AND r.policy = c.policy AND r.status = c.status
        LEFT JOIN word AS w ON w.policy = c.policy AND w.status = c.status
        LEFT JOIN elsewhere AS e ON e.status = c.status
), lost AS (
    -- Statuses of a policy's orders that the policy does not mention, and statuses that it mentions but no order has.
    SELECT l.policy,
           array_agg(l.status) FILTER (WHERE l.n > 0 AND NOT l.ruled AND l.meaning IS NULL) AS unruled,
           array_agg(l.status) FILTER (WHERE l.rank = 3 OR (l.n = 0 AND l.ruled)) AS unused
    FROM line AS l GROUP BY 1
)
SELECT l.policy, l.status, l.n, l.customer, l.customer_late, l.merchant, l.deletable, l.expire_after, l.meaning,
       coalesce(ordcancel_internal.status_problem(
           l.policy, l.status, l.n, l.ruled, l.meaning, l.elsewhere, l.can_cancel,
           NOT a.is_enum OR l.status IS NULL
               OR EXISTS (SELECT FROM pg_enum WHERE enumtypid = a.type AND enumlabel = l.status),
           ordcancel_internal.closest(left(l.status, 200),
                                      CASE WHEN l.n = 0 THEN lost.unruled
                                           WHEN NOT l.ruled AND l.meaning IS NULL THEN lost.unused END),
           l.endless),
           CASE WHEN l.expire_after IS NOT NULL
                THEN ordcancel_internal.timer_problem(overview.orders, l.expire_reason, l.meaning) END),
       -- Only where it makes a difference.
       CASE WHEN l.allows AND EXISTS (SELECT FROM ordcancel.item_table AS i
                                      WHERE i.orders = overview.orders AND i.fulfilled IS NOT NULL)
            THEN l.partly_fulfilled END
FROM line AS l JOIN lost ON lost.policy = l.policy, attached AS a
ORDER BY l.policy <> 'default', l.policy, coalesce(l.rank, 0), l.n DESC, l.status COLLATE "C"
$$;
COMMENT ON FUNCTION ordcancel_internal.overview(regclass) IS 'implements ordcancel.overview()';

-- What the rules of an attached table mean for its orders: a row for each policy
-- and each status of its orders, its rules or its cancellations.
--   orders_now     number of orders; counted by reading the table
--   customer, customer_late, merchant, deletable, expire_after   the rule; NULL if there is none
--   means          requested, in progress or canceled, if the policy uses the status for it; closed: canceled orders
--                  may go on to it
--   problem        what is wrong, or NULL
--   partly_fulfilled  refuse or rest: what canceling such an order does if some of its items are fulfilled; NULL if
--                  no items with fulfilled are attached, or nobody can cancel
-- The caller needs SELECT on the whole table. Raises OC001, 42501.
CREATE FUNCTION ordcancel.overview(orders regclass)
    RETURNS TABLE (policy text, status text, orders_now bigint, customer text, customer_late text, merchant text,
                   deletable boolean, expire_after interval, means text, problem text, partly_fulfilled text)
    LANGUAGE c VOLATILE
    AS 'MODULE_PATHNAME', 'ordcancel_reader_gate';
COMMENT ON FUNCTION ordcancel.overview(regclass) IS
    E'shows what the rules mean for the orders that exist, by policy and status\nRaises OC001, OC014, 42501.';

CREATE FUNCTION ordcancel_internal.unruled_statuses(orders regclass)
    RETURNS TABLE (policy text, status text, order_count bigint)
    LANGUAGE sql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT o.policy, o.status, o.orders_now
FROM ordcancel_internal.overview(unruled_statuses.orders) AS o
WHERE o.orders_now > 0 AND o.customer IS NULL AND o.means IS NULL
ORDER BY 1, 2
$$;
COMMENT ON FUNCTION ordcancel_internal.unruled_statuses(regclass) IS 'implements ordcancel.unruled_statuses()';

-- Statuses of orders without a rule, for each policy that has orders. Statuses
-- that the policy uses for cancellations need no rule. The caller needs SELECT on
-- the whole table. Raises OC001, 42501.
CREATE FUNCTION ordcancel.unruled_statuses(orders regclass)
    RETURNS TABLE (policy text, status text, order_count bigint)
    LANGUAGE c STABLE
    AS 'MODULE_PATHNAME', 'ordcancel_reader_gate';
COMMENT ON FUNCTION ordcancel.unruled_statuses(regclass) IS
    E'lists the statuses of orders for which there is no rule\nRaises OC001, OC014, 42501.';
