-- Prices and quantities are edited between cancellations: what is undone counts
-- no more, and what is canceled then makes due what it costs then.
BEGIN;
SELECT plan(9);
\ir include/helpers.sql
SET LOCAL client_min_messages = warning;
CREATE SCHEMA shop;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text NOT NULL DEFAULT 'placed');
CREATE TABLE shop.items (id integer PRIMARY KEY, order_id integer NOT NULL REFERENCES shop.orders, quantity integer,
                         canceled integer NOT NULL DEFAULT 0, price numeric);
CREATE TABLE shop.jobs (LIKE shop.orders INCLUDING ALL);
CREATE TABLE shop.tasks (id integer PRIMARY KEY, order_id integer NOT NULL REFERENCES shop.jobs, price numeric,
                         state text NOT NULL DEFAULT 'open');
SELECT ordcancel.attach(t, 'status'), ordcancel.set_policy(t, in_progress_status => 'refunding',
                                                           canceled_status => 'canceled'),
       ordcancel.set_rule(t, 'placed', merchant => 'cancel')
FROM unnest('{shop.orders,shop.jobs}'::regclass[]) AS t \g /dev/null
SELECT ordcancel.attach_items('shop.items', 'shop.orders', '{order_id}', quantity => 'quantity',
                              canceled => 'canceled', amount => '(quantity - canceled) * price'),
       ordcancel.attach_items('shop.tasks', 'shop.jobs', '{order_id}', status => 'state',
                              canceled_status => 'canceled',
                              amount => 'CASE WHEN state = ''canceled'' THEN 0 ELSE price END') \g /dev/null
INSERT INTO shop.orders SELECT generate_series(1, 4);
INSERT INTO shop.items SELECT 10 * n + i, n, 4, 0, 5 FROM generate_series(1, 4) AS n, generate_series(1, 2) AS i;
INSERT INTO shop.jobs VALUES (1);
INSERT INTO shop.tasks VALUES (1, 1, 5), (2, 1, 1);

CREATE FUNCTION due(call text) RETURNS text LANGUAGE sql AS $$ SELECT outcome_of(call, 'refund_due') $$;

SELECT due($$cancel_items('shop.orders', 1, '[{"item": 11, "quantity": 1}]')$$) \g /dev/null
UPDATE shop.items SET price = 3 WHERE id = 11;
SELECT due($$undo_cancel('shop.orders', 1)$$) \g /dev/null
SELECT is(due($$cancel_items('shop.orders', 1, '[{"item": 11}]')$$), '12', 'a lower price after all is undone');
SELECT is(due($$cancel_items('shop.orders', 1, '[{"item": 12, "quantity": 1}]')$$), '5',
          'another item costs what it did');

SELECT due($$cancel_items('shop.orders', 2, '[{"item": 21, "quantity": 1}]')$$) \g /dev/null
UPDATE shop.items SET price = 7 WHERE id = 21;
SELECT due($$undo_cancel('shop.orders', 2)$$) \g /dev/null
SELECT is(due($$cancel_items('shop.orders', 2, '[{"item": 21, "quantity": 1}]')$$), '7', 'a higher price');
SELECT is(due($$cancel_order('shop.orders', 2)$$), '41', 'and the whole order after that');

SELECT due($$cancel_items('shop.orders', 3, '[{"item": 31, "quantity": 1}]')$$) \g /dev/null
UPDATE shop.items SET price = 3 WHERE id = 31;
SELECT is(due($$cancel_items('shop.orders', 3, '[{"item": 31, "quantity": 1}]')$$), '3',
          'what was due at the old price stays due');
UPDATE shop.items SET quantity = 9 WHERE id = 31;
SELECT is(due($$cancel_items('shop.orders', 3, '[{"item": 31}]')$$), '21', 'more units are due when they are canceled');

SELECT due($$cancel_items('shop.orders', 4, '[{"item": 41}]')$$) \g /dev/null
UPDATE shop.items SET price = 100 WHERE id = 42;
SELECT is(due($$cancel_order('shop.orders', 4)$$), '400', 'the rest at its new price');

SELECT due($$cancel_items('shop.jobs', 1, '[{"item": 1}]')$$) \g /dev/null
UPDATE shop.tasks SET price = 2 WHERE id = 1;
SELECT due($$undo_cancel('shop.jobs', 1)$$) \g /dev/null
SELECT is(due($$cancel_items('shop.jobs', 1, '[{"item": 1}]')$$), '2', 'an item that is canceled by its state');
SELECT is(due($$cancel_order('shop.jobs', 1)$$), '1', 'and what is left with it');
SELECT * FROM finish();
ROLLBACK;
