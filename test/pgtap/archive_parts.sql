-- Parts of orders are archived with the cancellation of their order: calls find both
-- or none, so that what was paid back for a part is never due again.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
SELECT plan(24);

CREATE SCHEMA shop;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text NOT NULL, paid numeric);
CREATE TABLE shop.items (id integer PRIMARY KEY, order_id integer REFERENCES shop.orders, quantity integer,
                         canceled integer DEFAULT 0, price numeric);
CREATE INDEX ON shop.items (order_id);
INSERT INTO shop.orders SELECT n, 'placed', 30 FROM generate_series(1, 4) AS n;
INSERT INTO shop.items SELECT 10 * o + i, o, i, 0, 10 FROM generate_series(1, 4) AS o, generate_series(1, 2) AS i;
SELECT ordcancel.attach('shop.orders', 'status', refund_due => 'paid'),
       ordcancel.set_policy('shop.orders', canceled_status => 'canceled', settlement => 'after_canceled'),
       ordcancel.set_rule('shop.orders', 'placed', merchant => 'cancel'),
       ordcancel.attach_items('shop.items', 'shop.orders', '{order_id}', quantity => 'quantity',
                              canceled => 'canceled', amount => '(quantity - canceled) * price');

-- Where the cancellations of an order are.
CREATE FUNCTION places(order_id integer) RETURNS text LANGUAGE sql AS $$
SELECT string_agg(concat_ws(' ', c.scope, coalesce(substring(c.tableoid::regclass::text FROM '\d{4}_\d{2}$'),
                                                   'table')), ', ' ORDER BY c.cancellation_id)
FROM shop.orders_cancellation AS c WHERE c.order_id = places.order_id
$$;
CREATE FUNCTION cancel_part(id integer) RETURNS bigint LANGUAGE sql AS $$
SELECT cancellation_id FROM ordcancel.cancel_items('shop.orders', id, format('[{"item": %s1}]', id)::json::jsonb)
$$;

SET LOCAL ordcancel.clock = '2026-01-10 12:00+00';
SELECT is(count(cancel_part(id)), 4::bigint, 'a unit of each order is canceled') FROM generate_series(1, 4) AS id;
SELECT is(count(ordcancel.record_refund('shop.orders', id, 10, 'card', 'part ' || id)), 4::bigint,
          'and paid back') FROM generate_series(1, 4) AS id;
SELECT is(ordcancel.archive_records('shop.orders', '0'), 0::bigint, 'a part is not moved before its order is canceled');

SET LOCAL ordcancel.clock = '2026-05-10 12:00+00';
SELECT is(sum((ordcancel.cancel_order('shop.orders', id)).refund_due), 60::numeric, 'three orders are canceled')
FROM generate_series(1, 3) AS id;
SET LOCAL ordcancel.clock = '2026-06-10 12:00+00';
SELECT is(ordcancel.archive_records('shop.orders', '0'), 0::bigint, 'a refund of each is due');
SELECT is(places(1), 'items table, order table', 'so its part stays, too');
SELECT is((ordcancel.record_refund('shop.orders', 1, 10, 'card', 'part 1')).changed, false,
          'the refund of the part is known');

SELECT ordcancel.record_refund('shop.orders', id, 20, 'card', 'order ' || id) FROM generate_series(1, 2) AS id;
SELECT is(ordcancel.archive_records('shop.orders', '3 weeks'), 4::bigint, 'orders that are paid back are moved');
SELECT is(places(id), 'items 2026_05, order 2026_05', 'with their parts, to the month of the order')
FROM generate_series(1, 2) AS id;
SELECT is(places(3), 'items table, order table', 'another one is not');
SELECT is((SELECT string_agg(DISTINCT tableoid::regclass::text, ', ') FROM shop.orders_cancellation_event
           WHERE order_id = 1), 'shop.orders_cancellation_event_2026_05', 'their events are in that month');
SELECT is((SELECT string_agg(DISTINCT r.tableoid::regclass::text, ', ')
           FROM shop.orders_cancellation_item AS r JOIN shop.orders_cancellation AS c USING (cancellation_id)
           WHERE c.order_id = 1), 'shop.orders_cancellation_item_2026_05', 'and their items');

SELECT is((ordcancel.record_refund('shop.orders', 1, 10, 'card', 'part 1')).changed, false,
          'the refund of the part is still known');
SELECT is((ordcancel.undo_cancel('shop.orders', 1, 'a mistake', settled => true)).state, 'undone', 'undone');
SELECT is(places(1), 'items table, order table', 'both are back');
SELECT is((ordcancel.cancel_order('shop.orders', 1)).refund_due, 20::numeric, 'canceled again, the part is subtracted');
SELECT is(error_of($$SELECT ordcancel.drop_archive('shop.orders', '2026-01-01')$$, 'sqlstate', 'message'),
          '42704 | there is no archive of shop.orders for 2026-01', 'no part is in an archive of its own');

-- An order is moved only if its parts can be.
SELECT ordcancel.adjust_refund('shop.orders', 2, 12, 'damaged', cancellation_id => c.cancellation_id)
FROM shop.orders_cancellation AS c WHERE c.order_id = 2 AND c.scope = 'items';
SELECT is(ordcancel.archive_records('shop.orders', '3 weeks'), 0::bigint, 'the order waits for its part');
SELECT is(places(2), 'items table, order table', 'whose refund is due');
SELECT ordcancel.record_refund('shop.orders', 2, 2, 'card', 'more', cancellation_id => c.cancellation_id)
FROM shop.orders_cancellation AS c WHERE c.order_id = 2 AND c.scope = 'items';
SELECT is(ordcancel.archive_records('shop.orders', '3 weeks') || ' ' || places(2), '2 items 2026_05, order 2026_05',
          'then both are moved');
SELECT ordcancel.record_refund('shop.orders', 2, -2, 'card', 'more', cancellation_id => c.cancellation_id)
FROM shop.orders_cancellation AS c WHERE c.order_id = 2 AND c.scope = 'items';
SELECT is(ordcancel.archive_records('shop.orders', '3 weeks') || ' ' || places(2), '0 items table, order table',
          'a refund that has failed is due again');
SELECT ordcancel.drop_archive('shop.orders', '2026-05-01');
SELECT is(places(2), 'items table, order table', 'so drop_archive() forgets neither');

-- A time zone whose name cannot be read.
SET LOCAL DateStyle = 'SQL, DMY';
SET LOCAL TimeZone = 'ZZZ-3';
SELECT is(attempt($$SELECT ordcancel.archive_records('shop.orders', '3 weeks')$$), 'ok', 'any time zone will do');
SELECT * FROM finish();
ROLLBACK;
