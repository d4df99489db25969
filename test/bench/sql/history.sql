-- What ordcancel has on record of :old orders that were canceled long ago, and
-- of 1,000 requests and 1,000 refunds that are open. Nobody but ordcancel may write
-- it, except as a replica.
SET session_replication_role = replica;
CREATE TEMP VIEW old_order AS
SELECT o.id, CASE WHEN o.id <= :old THEN 'canceled' WHEN o.id % 2 = 0 THEN 'requested' ELSE 'in_progress' END AS state,
       o.id <= :old AS done, o.placed_at AS at
FROM shop.orders AS o
WHERE o.id <= :old OR o.id > :n::bigint;

INSERT INTO shop.orders_cancellation (
    cancellation_id, order_key, state, requested_by, requested_actor, decided_by, decided_actor, reason, prior_status,
    policy, refund_due, refunded, requested_at, decided_at, closed_at, order_status, order_id)
SELECT nextval('ordcancel.cancellation_id_seq'), id::text, state, 'customer', 'web', 'customer', 'web',
       'customer_changed_mind', 'placed', 'default', CASE state WHEN 'in_progress' THEN 10 END,
       CASE state WHEN 'in_progress' THEN 0 END, at, CASE WHEN state <> 'requested' THEN at END,
       CASE WHEN done THEN at END, CASE WHEN done THEN 'canceled' ELSE 'placed' END, id
FROM old_order ORDER BY old_order.id;

-- An event whose ID the sequence has reached before it comes is noted as late,
-- one by one.
INSERT INTO shop.orders_cancellation_event (
    event_id, cancellation_id, order_key, type, from_status, to_status, state, party, actor, session_role, reason, at,
    source, xid, cluster, orders, order_id)
SELECT row_number() OVER (ORDER BY cancellation_id), cancellation_id, order_key,
       CASE state WHEN 'in_progress' THEN 'accepted' ELSE state END, prior_status, order_status, state, 'customer',
       'web', 'postgres', reason, requested_at, 'request_cancel', (SELECT pg_current_xact_id()::text::bigint),
       (SELECT system_identifier FROM pg_control_system()), 'shop.orders', order_id
FROM shop.orders_cancellation ORDER BY cancellation_id;
SELECT setval('ordcancel.event_id_seq', max(event_id)) FROM shop.orders_cancellation_event;
