-- Timers: orders that sweep() cancels after some time in a status

-- What is wrong with the reason of a timer, as the end of a sentence, or NULL.
CREATE FUNCTION ordcancel_internal.timer_reason_problem(reason text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT CASE WHEN r.code IS NULL THEN 'does not exist'
            WHEN NOT r.active THEN 'is not active'
            WHEN r.audience NOT IN ('system', 'any') THEN format('is for the %s, not for the system', r.audience)
            WHEN r.requires_note THEN 'requires a note, and the system writes none'
            WHEN r.requires_request THEN 'requires a request by the customer' END
FROM (VALUES (reason)) AS v (code) LEFT JOIN ordcancel.reason AS r ON r.code = v.code
WHERE v.code IS NOT NULL
$$;
COMMENT ON FUNCTION ordcancel_internal.timer_reason_problem(text) IS
    'says why a timer cannot use a reason, or returns NULL';

-- Raises OC014 if the timer of a rule cannot be used as it was set.
CREATE FUNCTION ordcancel_internal.check_timer(rule ordcancel.rule) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    problem CONSTANT text := ordcancel_internal.timer_reason_problem(rule.expire_reason);
BEGIN
    IF rule.expire_after IS NULL AND rule.expire_reason IS NOT NULL THEN
        PERFORM ordcancel_internal.invalid('expire_reason needs expire_after');
    END IF;
    IF rule.expire_after IS NOT NULL AND rule.expire_reason IS NULL
       AND (SELECT p.reason_required FROM ordcancel.policy AS p
            WHERE p.orders = rule.orders AND p.policy = rule.policy) THEN
        PERFORM ordcancel_internal.invalid(
            format('expire_after needs an expire_reason: policy "%s" has reason_required', left(rule.policy, 80)));
    END IF;
    IF problem IS NOT NULL THEN
        PERFORM ordcancel_internal.invalid(
            format('reason "%s" cannot be used as expire_reason', left(rule.expire_reason, 80)),
            format('It %s.', problem),
            ordcancel_internal.choices(
                rule.expire_reason,
                ARRAY(SELECT r.code FROM ordcancel.reason AS r
                      WHERE ordcancel_internal.timer_reason_problem(r.code) IS NULL ORDER BY r.audience DESC, r.code)));
    END IF;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.check_timer(ordcancel.rule) IS
    'raises OC014 unless a rule has no timer or one that works';

-- Whether an index leads from the status to the time from which timers count. With
-- another condition than on the status it may not have all orders.
CREATE FUNCTION ordcancel_internal.timer_has_index(t ordcancel.order_table) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT EXISTS (
    SELECT FROM pg_index AS x
        JOIN pg_class AS c ON c.oid = x.indexrelid
        JOIN pg_am AS m ON m.oid = c.relam AND m.amname = 'btree'
        JOIN pg_attribute AS s ON s.attrelid = x.indrelid AND s.attname = t.status
        JOIN pg_attribute AS b ON b.attrelid = x.indrelid AND b.attname = coalesce(t.status_since, t.placed_at)
    WHERE x.indrelid = t.orders AND x.indisvalid
      AND CASE WHEN x.indpred IS NULL THEN x.indkey[0] = s.attnum AND x.indkey[1] = b.attnum
               ELSE (x.indkey[0] = b.attnum OR (x.indkey[0] = s.attnum AND x.indkey[1] = b.attnum))
                    AND strpos(pg_get_expr(x.indpred, x.indrelid), quote_ident(t.status)) > 0 END)
$$;
COMMENT ON FUNCTION ordcancel_internal.timer_has_index(ordcancel.order_table) IS
    'returns whether sweep() finds expired orders by an index';

-- The columns of such an index, for a hint.
CREATE FUNCTION ordcancel_internal.timer_index_command(t ordcancel.order_table) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT format('CREATE INDEX %sON %s (%I, %I);',
              CASE WHEN (SELECT relkind FROM pg_class WHERE oid = t.orders) = 'r' THEN 'CONCURRENTLY ' ELSE '' END,
              ordcancel_internal.label(t.orders), t.status, coalesce(t.status_since, t.placed_at))
$$;
COMMENT ON FUNCTION ordcancel_internal.timer_index_command(ordcancel.order_table) IS
    'returns the command that creates the index by which sweep() finds expired orders';

-- Without an index, sweep() reads the table: up to 8 MB that takes some
-- milliseconds.
CREATE FUNCTION ordcancel_internal.timer_lacks_index(t ordcancel.order_table) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT (SELECT sum(pg_relation_size(p.relid)) FROM unnest(ordcancel_internal.parts(t.orders)) AS p (relid))
       > 8 * 1024 * 1024
       AND NOT ordcancel_internal.timer_has_index(t)
$$;
COMMENT ON FUNCTION ordcancel_internal.timer_lacks_index(ordcancel.order_table) IS
    'returns whether sweep() reads a whole large table to find expired orders';

-- Reports why the timer of a status, or if that is NULL some timer of the policy,
-- never ends, or is expensive.
CREATE FUNCTION ordcancel_internal.notice_of_timers(orders regclass, policy text, status text) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    t ordcancel.order_table;
    untimed bigint;
    means text;
BEGIN
    IF NOT EXISTS (SELECT FROM ordcancel.rule AS r
                   WHERE r.orders = notice_of_timers.orders AND r.policy = notice_of_timers.policy
                     AND r.status = coalesce(notice_of_timers.status, r.status) AND r.expire_after IS NOT NULL) THEN
        RETURN;
    END IF;
    SELECT * INTO t FROM ordcancel.order_table AS o WHERE o.orders = notice_of_timers.orders;
    IF coalesce(t.status_since, t.placed_at) IS NULL THEN
        PERFORM ordcancel_internal.notice(
            format('orders of %s do not expire yet', ordcancel_internal.label(orders)),
            'No column tells since when they have had their status.',
            format('SELECT ordcancel.attach(%L, status_since => ...); or placed_at, to count from the order.',
                   ordcancel_internal.label(orders)));
    ELSIF ordcancel_internal.timer_lacks_index(t) THEN
        PERFORM ordcancel_internal.notice(
            format('no index leads to the expired orders of %s', ordcancel_internal.label(orders)),
            'Each ordcancel.sweep() reads the whole table.', ordcancel_internal.timer_index_command(t));
    ELSIF ordcancel_internal.is_small(orders) THEN
        untimed := ordcancel_internal.timers_without_time(t, policy, status);
        IF untimed > 0 THEN
            PERFORM ordcancel_internal.notice(
                format('orders of %s in a status with a timer do not expire: %s',
                       ordcancel_internal.label(orders), untimed),
                format('Their column "%s" is NULL.', coalesce(t.status_since, t.placed_at)),
                format('SELECT ordcancel.attach(%L, status_since => ...); to count from another column.',
                       ordcancel_internal.label(orders)));
        END IF;
    END IF;
    SELECT w.status, w.meaning INTO status, means
    FROM ordcancel_internal.policy_status AS w JOIN ordcancel.rule AS r USING (orders, status)
    WHERE w.orders = notice_of_timers.orders AND r.policy = notice_of_timers.policy
      AND r.status = coalesce(notice_of_timers.status, r.status) AND r.expire_after IS NOT NULL
    ORDER BY w.rank, w.status LIMIT 1;
    IF FOUND THEN
        PERFORM ordcancel_internal.notice(
            format('the timer of status "%s" of %s never ends', left(status, 80), ordcancel_internal.label(orders)),
            format('The status means %s.', means));
    END IF;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.notice_of_timers(regclass, text, text) IS
    'raises a NOTICE about timers that never end or are expensive';

-- What is wrong with the timer of a rule whose status has the meaning, or NULL.
CREATE FUNCTION ordcancel_internal.timer_problem(orders regclass, reason text, means text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT CASE WHEN means IS NOT NULL THEN format('Its timer never ends: the status means %s.', means)
            WHEN coalesce(t.status_since, t.placed_at) IS NULL
                THEN 'Its timer never ends: attach() was called without status_since and placed_at.'
            ELSE format('The reason of its timer, "%s", %s.', left(reason, 80),
                        ordcancel_internal.timer_reason_problem(reason)) END
FROM ordcancel.order_table AS t
WHERE t.orders = timer_problem.orders
  AND (means IS NOT NULL OR coalesce(t.status_since, t.placed_at) IS NULL
       OR ordcancel_internal.timer_reason_problem(reason) IS NOT NULL)
$$;
COMMENT ON FUNCTION ordcancel_internal.timer_problem(regclass, text, text) IS
    'says why a timer does not work as it should, or returns NULL';

-- Why sweep() could not cancel an expired order, or NULL: a block, for example.
CREATE FUNCTION ordcancel_internal.expiry_refusal(orders regclass, order_id text) RETURNS text
    LANGUAGE c VOLATILE STRICT
    AS 'MODULE_PATHNAME', 'ordcancel_expiry_refusal';
COMMENT ON FUNCTION ordcancel_internal.expiry_refusal(regclass, text) IS
    'returns why sweep() cannot cancel an expired order, or NULL';
