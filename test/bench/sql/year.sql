-- What ordcancel has on record of :old cancellations in a year, of shop.orders, and
-- of 1,000 of shop.small. As a replica, as in history.sql.
CREATE TABLE shop.small (LIKE shop.orders INCLUDING ALL);
SET client_min_messages = warning;
SELECT ordcancel.attach('shop.small', 'status', placed_at => 'placed_at');
SET session_replication_role = replica;

CREATE FUNCTION pg_temp.fill(orders text, n bigint, first bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format($sql$
        INSERT INTO %1$s_cancellation (
            cancellation_id, order_key, state, requested_by, requested_actor, decided_by, decided_actor, reason,
            prior_status, policy, refund_due, refunded, requested_at, decided_at, closed_at, order_status, order_id)
        SELECT $2 + i, i::text, s.state, CASE WHEN i %% 3 = 0 THEN 'merchant' ELSE 'customer' END, 'actor ' || i %% 40,
               'merchant', 'actor ' || i %% 7,
               CASE WHEN i %% 5000 = 0 THEN 'fraud' ELSE (ARRAY['customer_changed_mind', 'found_cheaper_price',
                    'out_of_stock', 'pricing_error', 'created_by_mistake', 'other', NULL])[1 + (i %% 7)::integer] END,
               'placed', 'default', CASE WHEN s.state = 'canceled' THEN 20 END,
               CASE WHEN s.state = 'canceled' THEN 20 END, t.at, t.at + w.wait, t.at + w.wait, s.state, i
        FROM generate_series(1, $1) AS i,
            LATERAL (SELECT '2025-01-01'::timestamptz + i * (interval '365 days' / $1)) AS t (at),
            LATERAL (SELECT CASE WHEN i %% 3 > 0 THEN i %% 2880 * interval '1 minute' ELSE '0' END) AS w (wait),
            LATERAL (SELECT (ARRAY['canceled', 'canceled', 'canceled', 'canceled', 'canceled', 'canceled', 'canceled',
                                   'denied', 'withdrawn', 'undone'])[1 + (i %% 10)::integer]) AS s (state)
        ORDER BY t.at$sql$, orders) USING n, first;
    EXECUTE format($sql$
        INSERT INTO %1$s_cancellation_event (
            event_id, cancellation_id, order_key, type, from_status, to_status, state, party, actor, session_role,
            reason, at, source, xid, cluster, orders, order_id)
        SELECT cancellation_id, cancellation_id, order_key, state, prior_status, order_status, state, requested_by,
               requested_actor, 'postgres', reason, requested_at, 'cancel_order',
               (SELECT pg_current_xact_id()::text::bigint), (SELECT system_identifier FROM pg_control_system()), %1$L,
               order_id
        FROM %1$s_cancellation ORDER BY cancellation_id$sql$, orders);
END
$$;
SELECT pg_temp.fill('shop.orders', :old, 0), pg_temp.fill('shop.small', 1000, 1000000000);
SELECT setval('ordcancel.cancellation_id_seq', 2000000000), setval('ordcancel.event_id_seq', 2000000000);
