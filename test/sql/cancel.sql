-- A shop's first day with ordcancel, as a person would read it.
SET ordcancel.clock = '2026-03-02 10:00:00+00';
SET timezone = 'UTC';
SET client_min_messages = warning;
CREATE SCHEMA shop;
CREATE TABLE shop.orders (id int PRIMARY KEY, status text NOT NULL, placed_at timestamptz, total numeric);
INSERT INTO shop.orders VALUES
    (41, 'placed', '2026-03-02 09:50+00', 20), (42, 'placed', '2026-03-02 09:00+00', 30),
    (43, 'preparing', '2026-03-01 18:00+00', 40), (44, 'shipped', '2026-02-28 12:00+00', 50),
    (45, 'canceled', '2026-02-01 12:00+00', 60);
RESET client_min_messages;

-- statuses without a rule are said, not guessed
SELECT ordcancel.attach('shop.orders', status => 'status', placed_at => 'placed_at');
SELECT ordcancel.set_policy('shop.orders', grace => '30 minutes', requested_status => 'cancellation_requested',
                            canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.orders', 'placed', customer => 'cancel', customer_late => 'request',
                          merchant => 'cancel');
SELECT ordcancel.set_rule('shop.orders', 'preparing', customer => 'request', merchant => 'request');
SELECT ordcancel.set_rule('shop.orders', 'shipped', hint => 'Process it as a return.');
SELECT * FROM ordcancel.unruled_statuses('shop.orders');
\d shop.orders_cancellation
\d shop.orders_cancellation_event

-- within the window the customer cancels; later they ask
SELECT order_id, state, order_status, changed FROM ordcancel.request_cancel('shop.orders', 41, 'created_by_mistake');
SELECT order_id, state, order_status, changed FROM ordcancel.request_cancel('shop.orders', 42, 'wont_arrive_in_time');
SELECT party, verb, allowed, outcome, condition, until FROM ordcancel.cancel_options('shop.orders', 42);

-- a retry changes nothing
SELECT order_id, state, order_status, changed FROM ordcancel.request_cancel('shop.orders', 42, 'wont_arrive_in_time');

-- the merchant decides; a denied order is what it was
SELECT order_id, state, order_status, decided_at
FROM ordcancel.deny_cancel('shop.orders', 42, 'It is on the van.', actor => 'ben');

-- a merchant cancels twice where the rule says request
SELECT order_id, state, order_status FROM ordcancel.cancel_order('shop.orders', 43, 'out_of_stock', actor => 'anna');
SELECT order_id, state, order_status FROM ordcancel.cancel_order('shop.orders', 43, actor => 'ben');

-- too late
SELECT * FROM ordcancel.cancel_order('shop.orders', 44, 'out_of_stock');
UPDATE shop.orders SET status = 'canceled' WHERE id = 44;

-- canceled stays canceled, but for an undo
UPDATE shop.orders SET status = 'shipped' WHERE id = 43;
SELECT order_id, state, order_status FROM ordcancel.undo_cancel('shop.orders', 43, 'The customer wants it after all.');
UPDATE shop.orders SET status = 'shipped' WHERE id = 43;

-- an order that came canceled stays so
UPDATE shop.orders SET status = 'placed' WHERE id = 45;
SELECT order_id, state, order_status, changed FROM ordcancel.cancel_order('shop.orders', 45);

-- a plain update does what the function would have done
SET ordcancel.actor = 'nightly job';
SET ordcancel.reason = 'pricing_error';
UPDATE shop.orders SET status = 'canceled' WHERE id = 42;
RESET ordcancel.actor;
RESET ordcancel.reason;

SELECT order_key, state, requested_by, requested_actor, decided_by, decided_actor, reason, prior_status
FROM ordcancel.cancellation ORDER BY cancellation_id;
SELECT order_key, type, from_status, to_status, party, actor, reason, source FROM ordcancel.event ORDER BY event_id;

-- no other way in
DELETE FROM shop.orders WHERE id = 41;
TRUNCATE shop.orders;
INSERT INTO shop.orders VALUES (46, 'cancellation_requested', now(), 1);
UPDATE shop.orders_cancellation SET state = 'undone';
DELETE FROM ordcancel.event;

-- out from under the rules: the records stay
SELECT ordcancel.detach('shop.orders');
UPDATE shop.orders SET status = 'placed' WHERE id = 45;
SELECT count(*) FROM shop.orders_cancellation;
SELECT count(*) FROM ordcancel.cancellation;
SET client_min_messages = warning;
DROP SCHEMA shop CASCADE;
