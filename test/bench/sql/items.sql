-- Ten lines for each order, of different articles, attached as its items; and a
-- copy of the lines without triggers, with the record table of the items, and
-- the set-based statement that writes what a batch over one article writes.
CREATE TABLE shop.order_items (
    id bigint PRIMARY KEY,
    order_id bigint NOT NULL REFERENCES shop.orders,
    sku integer NOT NULL,
    quantity integer NOT NULL,
    canceled_quantity integer NOT NULL DEFAULT 0,
    shipped_quantity integer NOT NULL DEFAULT 0,
    unit_price numeric(12, 2) NOT NULL
);
INSERT INTO shop.order_items
SELECT id * 10 + line, id, 10 + line, 1 + line % 3, 0, 0, (id + line) % 50 + 0.95
FROM shop.orders, generate_series(0, 9) AS line;
CREATE INDEX ON shop.order_items (order_id);
SELECT ordcancel.attach_items('shop.order_items', 'shop.orders', key => '{order_id}', quantity => 'quantity',
    canceled => 'canceled_quantity', fulfilled => 'shipped_quantity');
CREATE TABLE shop.call AS
SELECT id, format('[{"item": %s}]', id * 10 + 3)::jsonb AS items FROM shop.orders;
ALTER TABLE shop.call ADD PRIMARY KEY (id);

-- A plan that is made over empty tables is no use later.
SELECT count(ordcancel.cancel_items('shop.orders', id, items, 'out_of_stock', actor => 'anna'))
FROM shop.call WHERE id BETWEEN :n::bigint + 501 AND :n::bigint + 1000;

CREATE TABLE bare.order_items (LIKE shop.order_items INCLUDING ALL);
CREATE TABLE bare.orders_cancellation_item (LIKE shop.orders_cancellation_item INCLUDING ALL);
INSERT INTO bare.order_items TABLE shop.order_items;
INSERT INTO bare.orders_cancellation_item TABLE shop.orders_cancellation_item;

CREATE FUNCTION bare.items_statement(which text) RETURNS text
    LANGUAGE sql
    AS $$
SELECT format($write$
WITH i AS (
    UPDATE bare.order_items SET canceled_quantity = quantity WHERE %s RETURNING id, order_id, quantity
), n AS (
    SELECT nextval('bare.cancellation_id_seq') AS cancellation_id, order_id::text AS order_key, order_id, id,
           quantity
    FROM i
), c AS (
    INSERT INTO bare.orders_cancellation (
        cancellation_id, order_key, state, requested_by, requested_actor, decided_by, decided_actor, reason,
        prior_status, policy, requested_at, decided_at, closed_at, order_status, scope, order_id)
    SELECT cancellation_id, order_key, 'canceled', 'merchant', 'anna', 'merchant', 'anna', 'out_of_stock', 'placed',
           'default', now(), now(), now(), 'placed', 'items', order_id
    FROM n
), r AS (
    INSERT INTO bare.orders_cancellation_item (cancellation_id, item_key, quantity, item_id)
    SELECT cancellation_id, id::text, quantity, id FROM n
)
    INSERT INTO bare.orders_cancellation_event (
        event_id, cancellation_id, order_key, type, from_status, to_status, state, party, actor, session_role,
        reason, data, at, source, xid, cluster, orders, order_id)
    SELECT nextval('bare.event_id_seq'), cancellation_id, order_key, 'items_canceled', 'placed', 'placed', 'canceled',
           'merchant', 'anna', session_user, 'out_of_stock',
           jsonb_build_object('batch', 1, 'items',
               jsonb_build_array(jsonb_build_object('item', id::text, 'quantity', quantity))),
           now(), 'cancel_batch', (SELECT pg_current_xact_id()::text::bigint), %s, 'shop.orders', order_id
    FROM n
$write$, which, (SELECT system_identifier FROM pg_control_system()))
$$;
