-- Problems of timers; those of their reasons are among the problems of overview()

CREATE FUNCTION ordcancel_internal.health_of_timers(t ordcancel.order_table) RETURNS SETOF ordcancel.problem
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    orders CONSTANT regclass := t.orders;
    late CONSTANT timestamptz := (SELECT c.now - interval '10 minutes' FROM ordcancel_internal.clock AS c);
    untimed bigint;
    found record;
BEGIN
    IF NOT EXISTS (SELECT FROM ordcancel.rule AS r WHERE r.orders = t.orders AND r.expire_after IS NOT NULL) THEN
        RETURN;
    END IF;
    IF coalesce(t.status_since, t.placed_at) IS NOT NULL AND ordcancel_internal.timer_lacks_index(t) THEN
        RETURN NEXT ROW(orders, 'timer_index_missing',
                        'No index leads to the orders that expire: each ordcancel.sweep() reads the whole table.',
                        ordcancel_internal.timer_index_command(t))::ordcancel.problem;
    END IF;
    IF coalesce(t.status_since, t.placed_at) IS NOT NULL THEN
        untimed := ordcancel_internal.timers_without_time(t, NULL, NULL);
    END IF;
    IF untimed > 0 THEN
        RETURN NEXT ROW(orders, 'timer_without_time',
                        format('Orders in a status with a timer whose column "%s" is NULL, so they never expire: %s.',
                               coalesce(t.status_since, t.placed_at), untimed),
                        format('Fill it; or SELECT ordcancel.attach(%L, status_since => ...); with another column.',
                               ordcancel_internal.label(orders)))::ordcancel.problem;
    END IF;
    -- Whether an order can be canceled is asked only of the first ones.
    FOR found IN
        SELECT count(*) AS n, min(x.due_at) FILTER (WHERE b.why IS NULL) AS since,
               (array_agg(x.order_id ORDER BY x.due_at, x.n) FILTER (WHERE b.why IS NULL))[1] AS example,
               count(b.why) AS blocked,
               (array_agg(x.order_id ORDER BY x.due_at, x.n) FILTER (WHERE b.why IS NOT NULL))[1] AS blocked_example,
               (array_agg(b.why ORDER BY x.due_at, x.n) FILTER (WHERE b.why IS NOT NULL))[1] AS why
        FROM ordcancel_internal.expiring(orders, NULL, true, false) WITH ORDINALITY
                 AS x (order_id, status, policy, due_at, reason, n)
            LEFT JOIN LATERAL (SELECT ordcancel_internal.expiry_refusal(orders, x.order_id) AS why
                               WHERE x.n <= 100) AS b ON true
        WHERE x.due_at < late
    LOOP
        IF found.n > found.blocked THEN
            RETURN NEXT ROW(orders, 'timers_overdue',
                            format('Expired orders that are not canceled: %s, the first since %s;'
                                   ' for example order %s.',
                                   found.n - found.blocked, found.since, left(found.example, 80)),
                            'CALL ordcancel.sweep() cancels them;'
                            ' run it every minute with pg_cron.')::ordcancel.problem;
        END IF;
        IF found.blocked > 0 THEN
            RETURN NEXT ROW(orders, 'timers_blocked',
                            format('Expired orders that cannot be canceled: %s, for example order %s (%s).',
                                   found.blocked, left(found.blocked_example, 80), left(found.why, 500)),
                            'Resolve that, or cancel them with ordcancel.override_cancel().')::ordcancel.problem;
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.health_of_timers(ordcancel.order_table) IS
    'lists orders that should have expired, and what keeps sweep() from finding them quickly';
