-- cancel_report: what is open now, parts of orders, and orders placed

CREATE FUNCTION ordcancel_internal.report_requests(orders regclass, records text, clock timestamptz) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    result jsonb;
BEGIN
    -- As in pending_requests: sweep() ignores deadlines if the policy no longer has a decision_timeout.
    EXECUTE format($query$
WITH request AS MATERIALIZED (
    SELECT c.order_id, c.requested_at, c.requested_by, c.requested_actor, c.reason, c.note, c.scope,
           CASE WHEN s.timed THEN c.deadline END AS deadline, coalesce(s.timed AND c.deadline <= $2, false) AS overdue
    FROM (%s) AS c
        LEFT JOIN ordcancel.policy AS p ON p.orders = $1 AND p.policy = c.policy
        LEFT JOIN ordcancel.policy AS d ON d.orders = $1 AND d.policy = 'default'
        CROSS JOIN LATERAL (
            SELECT CASE WHEN p.policy IS NULL THEN d.decision_timeout ELSE p.decision_timeout END IS NOT NULL
        ) AS s (timed)
    WHERE c.state = 'requested'
)
SELECT jsonb_build_object(
    'n', count(*), 'overdue', count(*) FILTER (WHERE r.overdue),
    'oldest', extract(epoch FROM $2 - min(r.requested_at)),
    'rows', (SELECT coalesce(jsonb_agg(to_jsonb(o) ORDER BY o.requested_at, o.order_id COLLATE "C"), '[]')
             FROM (SELECT q.*, w.description, extract(epoch FROM $2 - q.requested_at) AS age
                   FROM request AS q LEFT JOIN ordcancel.reason AS w ON w.code = q.reason
                   ORDER BY q.requested_at, q.order_id COLLATE "C" LIMIT 10) AS o))
FROM request AS r
$query$, records) INTO result USING orders, clock;
    RETURN result;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.report_requests(regclass, text, timestamptz) IS
    'counts the open requests, with the ten oldest';

CREATE FUNCTION ordcancel_internal.report_refunds(records text, clock timestamptz) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    result jsonb;
BEGIN
    EXECUTE format($query$
WITH due AS MATERIALIZED (
    SELECT c.order_id, c.decided_at, c.decided_actor, c.reason, c.scope, c.refund_due,
           coalesce(c.refunded, 0) AS refunded, coalesce(c.refund_due, 0) - coalesce(c.refunded, 0) AS outstanding,
           extract(epoch FROM $1 - c.decided_at) AS age
    FROM (%s) AS c
    WHERE c.state = 'in_progress'
)
SELECT jsonb_build_object(
    'n', count(*), 'outstanding', coalesce(sum(d.outstanding), 0), 'oldest', max(d.age),
    'late', count(*) FILTER (WHERE d.age >= 604800),
    'late_outstanding', coalesce(sum(d.outstanding) FILTER (WHERE d.age >= 604800), 0),
    'ages', (SELECT jsonb_agg(jsonb_build_object('label', b.label, 'n', a.n, 'outstanding', a.outstanding)
                              ORDER BY b.low)
             FROM (VALUES (0, 86400, 'up to 1 day'), (86400, 259200, '1 to 3 days'), (259200, 604800, '3 to 7 days'),
                          (604800, 1209600, '1 to 2 weeks'), (1209600, 2592000, '2 to 4 weeks'),
                          (2592000, NULL, 'more than 30 days')) AS b (low, high, label)
                 CROSS JOIN LATERAL (
                     SELECT count(*), coalesce(sum(outstanding), 0) FROM due
                     WHERE greatest(0, age) >= b.low AND (greatest(0, age) < b.high) IS NOT FALSE
                 ) AS a (n, outstanding)),
    'rows', (SELECT coalesce(jsonb_agg(to_jsonb(o) ORDER BY o.decided_at, o.order_id COLLATE "C"), '[]')
             FROM (SELECT * FROM due ORDER BY decided_at, order_id COLLATE "C" LIMIT 10) AS o))
FROM due AS d
$query$, records) INTO result USING clock;
    RETURN result;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.report_refunds(text, timestamptz) IS
    'adds up the refunds that are due, with the ten oldest';

CREATE FUNCTION ordcancel_internal.report_parts(orders regclass, records text, period jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    items CONSTANT regclass := (SELECT t.item_records FROM ordcancel.order_table AS t
                                WHERE t.orders = report_parts.orders);
    result jsonb;
BEGIN
    IF items IS NULL OR NOT EXISTS (SELECT FROM pg_class WHERE oid = items) THEN
        RETURN '[]';
    END IF;
    PERFORM ordcancel_internal.check_record_table(items);
    EXECUTE format($query$
SELECT coalesce(jsonb_agg(to_jsonb(p) ORDER BY array_position(
           '{canceled,in_progress,requested,denied,withdrawn,undone}', p.state)), '[]')
FROM (SELECT c.state, count(*) AS n, count(DISTINCT c.order_id) AS orders, sum(i.units) AS units,
             sum(i.items) AS items, sum(c.refund_due) AS refund_due
      FROM (%s) AS c
          CROSS JOIN LATERAL (SELECT coalesce(sum(r.quantity), 0), count(*) FROM %s AS r
                              WHERE r.cancellation_id = c.cancellation_id) AS i (units, items)
      WHERE c.requested_at >= $1 AND c.requested_at < $2 AND c.scope = 'items'
      GROUP BY c.state) AS p
$query$, records, items)
    INTO result USING (period ->> 'from')::timestamptz, (period ->> 'reached')::timestamptz;
    RETURN result;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.report_parts(regclass, text, jsonb) IS
    'adds up the cancellations of parts of orders in a period';

-- The orders placed in the period, and in the one before. NULL if placed_at has
-- no index, as counting would then read the whole table, or if the caller does
-- not see all orders.
CREATE FUNCTION ordcancel_internal.report_placed(orders regclass, period jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    placed record;
    bounds text[];
BEGIN
    SELECT a.attname, a.atttypid, t.time_zone INTO placed
    FROM ordcancel.order_table AS t
        JOIN pg_attribute AS a ON a.attrelid = t.orders AND a.attname = t.placed_at AND NOT a.attisdropped
            AND a.atttypid IN ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype)
        JOIN pg_index AS i ON i.indrelid = t.orders AND i.indisvalid AND i.indpred IS NULL AND i.indkey[0] = a.attnum
        JOIN pg_class AS c ON c.oid = i.indexrelid JOIN pg_am AS m ON m.oid = c.relam AND m.amname IN ('btree', 'brin')
    WHERE t.orders = report_placed.orders
    LIMIT 1;
    IF NOT FOUND OR ordcancel_internal.report_hides_rows(orders) THEN
        RETURN NULL;
    END IF;
    -- A placed_at without time zone is in the zone of the attach() call. Both as
    -- text in ISO format, which is what as_owner() reads.
    SELECT array_agg(format('%L::pg_catalog.%s',
                            CASE placed.atttypid WHEN 'timestamptz'::regtype THEN b.at
                                ELSE to_jsonb(b.at::timestamptz AT TIME ZONE placed.time_zone) #>> '{}' END,
                            CASE placed.atttypid WHEN 'timestamptz'::regtype THEN 'timestamptz'
                                WHEN 'timestamp'::regtype THEN 'timestamp' ELSE 'date' END) ORDER BY b.n)
    INTO bounds
    FROM unnest(ARRAY[period ->> 'before', period ->> 'from', period ->> 'reached']) WITH ORDINALITY AS b (at, n);
    RETURN ordcancel_internal.as_owner(
        orders,
        format('SELECT pg_catalog.jsonb_build_object('
               '''before'', (SELECT pg_catalog.count(*) FROM %2$s AS o WHERE o.%1$I OPERATOR(pg_catalog.>=) %3$s'
               ' AND o.%1$I OPERATOR(pg_catalog.<) %4$s),'
               ' ''now'', (SELECT pg_catalog.count(*) FROM %2$s AS o WHERE o.%1$I OPERATOR(pg_catalog.>=) %4$s'
               ' AND o.%1$I OPERATOR(pg_catalog.<) %5$s))::pg_catalog.text',
               placed.attname, orders, bounds[1], bounds[2], bounds[3]))::jsonb;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.report_placed(regclass, jsonb) IS
    'counts the orders placed in a period, if that is cheap';
