-- What an application does that knows the rules itself.
\set n :n + 1
\set id case when :n <= :each then :behind + :client_id * :each + :n else 1 / 0 end
BEGIN;
SELECT status FROM bare.orders WHERE id = :id FOR NO KEY UPDATE;
SELECT cancellation_id, state FROM bare.orders_cancellation WHERE order_id = :id ORDER BY cancellation_id DESC LIMIT 1;
INSERT INTO bare.orders_cancellation (
        cancellation_id, order_key, state, requested_by, requested_actor, decided_by, decided_actor, reason,
        prior_status, policy, requested_at, decided_at, closed_at, order_status, order_id)
    VALUES (nextval('bare.cancellation_id_seq'), :id::bigint::text, 'canceled', 'merchant', 'anna', 'merchant', 'anna',
            'out_of_stock', 'placed', 'default', now(), now(), now(), 'canceled', :id)
    RETURNING cancellation_id AS made \gset
INSERT INTO bare.orders_cancellation_event (
        event_id, cancellation_id, order_key, type, from_status, to_status, state, party, actor, session_role,
        reason, at, source, order_id)
    VALUES (nextval('bare.event_id_seq'), :made, :id::bigint::text, 'canceled', 'placed', 'canceled', 'canceled',
            'merchant', 'anna', session_user, 'out_of_stock', now(), 'cancel_order', :id)
    RETURNING event_id AS event \gset
UPDATE bare.orders SET status = 'canceled' WHERE id = :id;
\if :announced
SELECT pg_notify('ordcancel', '{"event_id":' || :event::text || ',"orders":"shop.orders","order_id":"' || :id::text
                 || '","type":"canceled","from":"placed","to":"canceled","state":"canceled","party":"merchant",'
                    '"actor":"anna","reason":"out_of_stock","at":' || to_json(now()) || '}');
\endif
COMMIT;
