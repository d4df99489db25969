-- Canceling parts of an order with cancel_items: what it does, answers, records
-- and announces, which lists of items it refuses, and who may call it.
BEGIN;
\ir include/helpers.sql
\ir include/items.sql
SELECT plan(175);
SET LOCAL timezone = 'UTC';
SET LOCAL ordcancel.clock = '2026-05-05 12:00+00';

CREATE SCHEMA shop;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text, customer name DEFAULT 'nobody');
CREATE TABLE shop.items (id integer PRIMARY KEY, order_id integer NOT NULL REFERENCES shop.orders, quantity integer,
                         canceled integer DEFAULT 0, shipped integer NOT NULL DEFAULT 0, price numeric(8,2));
CREATE INDEX ON shop.items (order_id);
SELECT ordcancel.attach('shop.orders', 'status');
SELECT ordcancel.set_policy('shop.orders', requested_status => 'asked', in_progress_status => 'refunding',
                            canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.orders', 'placed', customer => 'cancel', merchant => 'cancel');
SELECT ordcancel.set_rule('shop.orders', 'preparing', customer => 'request', merchant => 'request');
SELECT ordcancel.attach_items('shop.items', 'shop.orders', key => '{order_id}', quantity => 'quantity',
                              canceled => 'canceled', fulfilled => 'shipped',
                              amount => '(quantity - canceled) * price');
-- Order n has the items 10 n + 1 (5 units of 10.00), + 2 (3 of 0.99, one of
-- which is shipped) and + 3 (1 of 7.00).
INSERT INTO shop.orders SELECT n, 'placed' FROM generate_series(1, 29) AS n;
INSERT INTO shop.orders SELECT n, 'preparing' FROM generate_series(30, 39) AS n;
INSERT INTO shop.orders VALUES (40, 'shipped'), (41, NULL), (42, 'placed');
INSERT INTO shop.items SELECT 10 * o.id + i.n, o.id, i.quantity, 0, i.shipped, i.price
FROM shop.orders AS o, (VALUES (1, 5, 0, 10), (2, 3, 1, 0.99), (3, 1, 0, 7)) AS i (n, quantity, shipped, price)
WHERE o.id < 42;

-- ------------------------------------------------------- what it does

SELECT results_eq($$SELECT orders, order_id, state, order_status, changed, refund_due, refunded, requested_at,
    decided_at,
                           closed_at
                    FROM ordcancel.cancel_items('shop.orders', 1, '[{"item": 11, "quantity": 2}, {"item": 13}]',
                                                'out_of_stock', 'a note', 'anna')$$,
                  $$VALUES ('shop.orders'::regclass, '1', 'in_progress', 'placed', true, 27.00, 0.0,
                            timestamptz '2026-05-05 12:00+00', timestamptz '2026-05-05 12:00+00',
                            NULL::timestamptz)$$,
                  'a part is canceled, its refund is due');
SELECT is(status_of(1), 'placed', 'the order keeps its status');
SELECT is(units_of(1), '11: 2 of 5, 12: 0 of 3, 13: 1 of 1', 'the units of these items are canceled');
SELECT results_eq('SELECT quantity, canceled, shipped, price FROM shop.items WHERE id = 11',
                  'VALUES (5, 2, 0, 10.00)', 'nothing else of them is changed');
SELECT is((SELECT to_jsonb(c) - 'cancellation_id' FROM shop.orders_cancellation AS c WHERE order_id = 1),
          '{"scope": "items", "order_id": 1, "order_key": "1", "state": "in_progress", "requested_by": "merchant",
            "requested_actor": "anna", "decided_by": "merchant", "decided_actor": "anna", "reason": "out_of_stock",
            "note": "a note", "decision_note": null, "undo_note": null, "prior_status": "placed",
            "policy": "default", "request_key": null, "refund_due": 27.00, "refunded": 0,
            "requested_at": "2026-05-05T12:00:00+00:00", "decided_at": "2026-05-05T12:00:00+00:00",
            "closed_at": null, "deadline": null, "order_status": "placed", "refund_owed": 27.00, "metadata": null,
            "prior_values": null, "refund_kept": null, "first_closed_at": null}'::jsonb,
          'a cancellation of items is on record');
SELECT results_eq($$SELECT i.item_key, i.quantity, i.refund_due, i.reason, i.note, i.prior_status, i.item_id
                    FROM shop.orders_cancellation_item AS i ORDER BY item_id$$,
                  $$VALUES ('11', 2::numeric, 20.00, NULL::text, NULL::text, NULL::text, 11),
                        ('13', 1, 7.00, NULL, NULL, NULL, 13)$$,
                  'with the units and the refund due of each item');
SELECT is((SELECT count(*) FROM ordcancel.cancellation_item), 2::bigint, 'which the parent table shows, too');
SELECT results_eq($$SELECT type, from_status, to_status, state, party, actor, reason, source, data - 'items'
                    FROM shop.orders_cancellation_event WHERE order_id = 1$$,
                  $$VALUES ('accepted', 'placed', 'placed', 'in_progress', 'merchant', 'anna', 'out_of_stock',
                            'cancel_items', '{"refund_due": 27.00}'::jsonb)$$,
                  'accepted is the event of a part whose refund is due');
SELECT is((SELECT data->'items' FROM shop.orders_cancellation_event WHERE order_id = 1),
          '[{"item": 11, "quantity": 2, "refund_due": 20.00}, {"item": 13, "quantity": 1, "refund_due": 7.00}]',
          'it says what was canceled');
SELECT is(answer_of($$record_refund('shop.orders', 1, 27, 'card')$$), 'canceled placed due 27',
          'the last refund completes the part, not the order');
SELECT is(events_of(1, 2, 'concat_ws('' '', type, from_status || ''>'' || to_status, state)'),
          ARRAY['refunded placed>placed in_progress', 'items_canceled placed>placed canceled'],
          'both are recorded');
SELECT is((SELECT closed_at::time FROM shop.orders_cancellation WHERE order_id = 1), '12:00', 'it is closed');

SELECT is(answer_of($$cancel_items('shop.orders', 1, '[{"item": 11}]')$$), 'in_progress placed due 30',
          'without a quantity, what is left is canceled');
SELECT is(units_of(1), '11: 5 of 5, 12: 0 of 3, 13: 1 of 1', 'all of it');
SELECT is(answer_of($$cancel_items('shop.orders', 1, '[{"item": 12}]')$$), 'in_progress placed due 1.98',
          'without a quantity, what is fulfilled is not canceled');
SELECT is(units_of(1), '11: 5 of 5, 12: 2 of 3, 13: 1 of 1', 'only what is left');
SELECT is(parts_of(1), 'items canceled 27/27, items in_progress 30/0, items in_progress 1.98/0',
          'an order may have several parts canceled');
SELECT is(status_of(1), 'placed', 'an order of which something is fulfilled stays');

UPDATE shop.items SET price = NULL WHERE order_id = 2;
SELECT is(answer_of($$cancel_items('shop.orders', 2, '[{"item": 21}]')$$), 'canceled placed due 0',
          'where nothing is due, the part is canceled at once');
SELECT is(events_of(2, NULL, 'concat_ws('' '', type, from_status || ''>'' || to_status, state, data)'),
          ARRAY['items_canceled placed>placed canceled {"items": [{"item": 21, "quantity": 5, "refund_due": 0}]}'],
          'items_canceled is its event');
SELECT is((SELECT string_agg(DISTINCT scope, ' ') FROM ordcancel.cancellation), 'items',
          'the parent table tells them apart');

-- All of an order that nothing was shipped of.
UPDATE shop.items SET shipped = 0 WHERE order_id IN (3, 4, 5);
SELECT is(answer_of($$cancel_items('shop.orders', 3, '[{"item": 31}, {"item": 32}, {"item": 33}]', 'out_of_stock')$$),
          'in_progress refunding due 59.97', 'if nothing would be left, the order is canceled');
SELECT is(units_of(3), '31: 5 of 5, 32: 3 of 3, 33: 1 of 1', 'with all its units');
SELECT is(events_of(3, NULL, 'concat_ws('' '', type, from_status || ''>'' || to_status, state, data->>''items'')'),
          ARRAY['accepted placed>refunding in_progress [{"item": 31, "quantity": 5, "refund_due": 50.00},'
                ' {"item": 32, "quantity": 3, "refund_due": 2.97}, {"item": 33, "quantity": 1, "refund_due": '
                '7.00}]'],
          'and the event of an order that has its items');
SELECT is(answer_of($$record_refund('shop.orders', 3, 59.97, 'card')$$), 'canceled canceled due 59.97',
          'then it is canceled');
SELECT is(parts_of(3), 'order canceled 59.97/59.97', 'as one cancellation of the order');
SELECT is(answer_of($$cancel_items('shop.orders', 3, '[{"item": 31}]')$$), 'OC016',
          'nothing more of it can be canceled');

-- ------------------------------------------------------- how items and orders are named

SELECT is(answer_of(format('cancel_items(''shop.orders'', %s, ''[{"item": %s, "quantity": %s}]'')', id, item,
          quantity)),
          'in_progress placed due 10', concat_ws(' ', 'order', id, 'item', item, 'quantity', quantity))
FROM (VALUES ('6', '61', '1'), ('''6''', '"61"', '"1"'), ('6::bigint', '" 61"', '1.0'), ('6::smallint', '"061"', '1e0'),
             ('''6''::text', '"+61"', '"1.00"')) AS v (id, item, quantity);
SELECT is(units_of(6), '61: 5 of 5, 62: 0 of 3, 63: 0 of 1', 'each of these canceled one unit');
PREPARE by_driver(text, jsonb) AS SELECT state FROM ordcancel.cancel_items('shop.orders', $1, $2);
SELECT is(attempt($$EXECUTE by_driver('7', '[{"item": 71, "quantity": null, "reason": null, "note": null}]')$$), 'ok',
          'a driver binds both; null members are as if they were not given');
SELECT is(units_of(7), '71: 5 of 5, 72: 0 of 3, 73: 0 of 1', 'that is, all');

-- ------------------------------------------------------- retries

SELECT is(answer_of($$cancel_items('shop.orders', 8, '[{"item": 81, "quantity": 1}]', request_key => 'k')$$),
          'in_progress placed due 10', 'with a request key');
SELECT is(answer_of($$cancel_items('shop.orders', 8, '[{"item": 81, "quantity": 1}]', request_key => 'k')$$),
          'in_progress placed due 10 unchanged', 'a repeated call returns the first outcome');
SELECT is(answer_of($$cancel_items('shop.orders', 8, '[{"item": 81, "quantity": 1}]', request_key => 'other')$$),
          'in_progress placed due 10', 'another key is another call');
SELECT is(answer_of($$cancel_items('shop.orders', 9, '[{"item": 91}]', request_key => 'k')$$), 'OC011',
          'the same key for another order is refused');
SELECT is(answer_of($$cancel_order('shop.orders', 8, request_key => 'k')$$), 'OC011', 'and for another function');
SELECT is(units_of(8), '81: 2 of 5, 82: 0 of 3, 83: 0 of 1', 'two calls, two units');
SELECT is(answer_of($$undo_cancel('shop.orders', 8, cancellation_id => cancellation_of(8, 1))$$),
          'undone placed due 10', 'the first one is undone');
SELECT is(answer_of($$cancel_items('shop.orders', 8, '[{"item": 81, "quantity": 1}]', request_key => 'k')$$),
          'in_progress placed due 10 unchanged', 'a late retry of it returns the first outcome all the same');
SELECT is(units_of(8), '81: 1 of 5, 82: 0 of 3, 83: 0 of 1', 'and cancels nothing');

SELECT is((SELECT concat_ws(' ', state, changed, refund_due) FROM (
               SELECT (ordcancel.cancel_items('shop.orders', 9, '[{"item": 91, "quantity": 1}]')).*) AS o),
          'in_progress t 10.00', 'PostgreSQL evaluates the function once for each column');
SELECT is(units_of(9), '91: 1 of 5, 92: 0 of 3, 93: 0 of 1', 'which cancels one unit');
SELECT is(parts_of(9), 'items in_progress 10/0', 'and is one cancellation');
SELECT is((SELECT count(DISTINCT (o.c).cancellation_id) FROM (
               SELECT ordcancel.cancel_items('shop.orders', 9, format('[{"item": 91, "quantity": %s}]', n)::jsonb) AS c
               FROM generate_series(1, 2) AS n OFFSET 0) AS o), 2::bigint,
          'two calls of one statement with other items are two');
SELECT is(units_of(9), '91: 4 of 5, 92: 0 of 3, 93: 0 of 1', 'with the units of both');

-- ------------------------------------------------------- reasons

SELECT is(answer_of($$cancel_items('shop.orders', 10, '[{"item": 101, "quantity": 1, "reason": "defective_item"},
                                                        {"item": 103, "reason": "other", "note": "lost"}]',
                                   'out_of_stock', 'all of it')$$),
          'in_progress placed due 17', 'each item may have a reason of its own');
SELECT is(items_on_record(10), '101 x 1 due 10 defective_item, 103 x 1 due 7 other lost', 'it is on record');
SELECT is((SELECT concat_ws(' ', reason, note) FROM shop.orders_cancellation WHERE order_id = 10),
          'out_of_stock all of it', 'the reason of the cancellation, too');
SELECT is((SELECT data->'items' FROM shop.orders_cancellation_event WHERE order_id = 10),
          '[{"item": 101, "quantity": 1, "refund_due": 10.00, "reason": "defective_item"},
            {"item": 103, "quantity": 1, "refund_due": 7.00, "reason": "other"}]',
          'events have the reasons, but not the notes');
SELECT is(answer_of($$cancel_items('shop.orders', 11, '[{"item": 111, "quantity": 1, "reason": "defective_item"},
                                                        {"item": 113, "reason": "out_of_stock"}]')$$),
          'in_progress placed due 17', 'if all items have one, the call needs none');
SELECT is((SELECT reason FROM shop.orders_cancellation WHERE order_id = 11), 'defective_item',
          'the first one''s is that of the cancellation');
SELECT is(answer_of($$cancel_items('shop.orders', 12, '[{"item": 121, "quantity": 1, "reason": "defective_item"},
                                                        {"item": 123}]')$$),
          'in_progress placed due 17', 'one without, where no reason is required');
SELECT is((SELECT reason FROM shop.orders_cancellation WHERE order_id = 12), NULL, 'is one without');
SELECT ordcancel.set_policy('shop.orders', reason_required => true);
SELECT is(answer_of(format($$cancel_items('shop.orders', 13, %L, %L, %L)$$, items, reason, note)), answer, what)
FROM (VALUES ('[{"item": 131}]', NULL, NULL, 'OC006', 'a required reason is missing'),
             ('[{"item": 131, "reason": "defective_item"}, {"item": 133}]', NULL, NULL, 'OC006',
              'a required reason is missing for one item'),
             ('[{"item": 131, "reason": "no_such"}]', NULL, NULL, 'OC006', 'a reason that does not exist'),
             ('[{"item": 131, "reason": ""}]', NULL, NULL, 'OC006', 'an empty reason'),
             ('[{"item": 131, "reason": "no_such"}]', 'out_of_stock', NULL, 'OC006',
              'a reason of an item that does not exist, with a good one of the call'),
             ('[{"item": 131, "reason": "other"}]', NULL, NULL, 'OC006', 'other needs a note'),
             ('[{"item": 131, "reason": "other", "note": "  "}]', NULL, NULL, 'OC006', 'which is not blank'),
             ('[{"item": 131, "note": "lost"}]', 'other', NULL, 'OC006', 'nor only an item''s'),
             ('[{"item": 131, "reason": "other", "note": "' || repeat('x', 256) || '"}]', NULL, NULL, 'OC006',
              'nor too long'),
             ('[{"item": 131, "reason": "unpaid_expired"}]', NULL, NULL, 'OC006', 'a reason of the system'),
             ('[{"item": 131, "note": "' || repeat('x', 2001) || '"}]', 'out_of_stock', NULL, 'OC006',
              'a note that is too long'),
             ('[{"item": 131, "quantity": 1, "reason": "other", "note": "' || repeat('x', 255) || '"}]', NULL, NULL,
              'in_progress placed due 10', 'a note that is just short enough'),
             ('[{"item": 131, "quantity": 1, "reason": "other"}]', NULL, 'lost', 'in_progress placed due 10',
              'the note of the call is that of the item'),
             ('[{"item": 131, "quantity": 1, "note": "this one"}]', 'out_of_stock', NULL, 'in_progress placed due 10',
              'an item may have a note alone')) AS v (items, reason, note, answer, what);
SELECT is(items_on_record(13), '131 x 1 due 10 this one', 'which is on record');
SELECT is(units_of(13), '131: 3 of 5, 132: 0 of 3, 133: 0 of 1', 'what was refused has changed nothing');
SELECT ordcancel.set_policy('shop.orders', reason_required => false);

-- ------------------------------------------------------- what is refused

-- Where the rows are: any write moves one or adds one.
CREATE FUNCTION fingerprint() RETURNS text
    LANGUAGE sql AS $$
SELECT concat((SELECT string_agg(ctid::text, '' ORDER BY id) FROM shop.items WHERE order_id = 20),
              (SELECT string_agg(ctid::text, '' ORDER BY id) FROM shop.orders WHERE id = 20),
              (SELECT count(*) FROM shop.orders_cancellation WHERE order_id = 20),
              (SELECT count(*) FROM shop.orders_cancellation_event WHERE order_id = 20)) $$;
CREATE TEMP TABLE before AS SELECT fingerprint();
SELECT is(error_of(format($$SELECT ordcancel.cancel_items('shop.orders', 20, %L)$$, items), 'sqlstate', 'message'),
          '22023 | invalid list of items', 'not a list of items: ' || coalesce(left(items, 60), 'NULL'))
FROM unnest(ARRAY[NULL, '[]', '{}', 'null', '1', 'true', '"201"', '{"item": 201}', '[201]', '["201"]', '[null]',
                  '[[201]]', '[[]]', '[{}]', '[{"quantity": 1}]', '[{"id": 201}]', '[{"item": 201, "qty": 1}]',
                  '[{"item": 201, "Quantity": 1}]', '[{"item": 201}, 202]', '[{"item": 201}, {"item": 201}]',
                  '[{"item": 201, "quantity": 1}, {"item": "201", "quantity": 2}]',
                  '[{"item": 201, "quantity": true}]', '[{"item": 201, "quantity": [1]}]',
                  '[{"item": 201, "quantity": {}}]', '[{"item": 201, "quantity": "two"}]',
                  '[{"item": 201, "quantity": ""}]', '[{"item": 201, "reason": 1}]', '[{"item": 201, "note": []}]',
                  '[{"item": 201, "reason": {"code": "other"}}]']) AS items;
SELECT is(error_of(format($$SELECT ordcancel.cancel_items('shop.orders', 20, %L)$$, items), 'sqlstate', 'message'),
          'OC016 | items of order 20 of shop.orders cannot be canceled', 'not available: ' || left(items, 60))
FROM unnest(ARRAY['[{"item": 0}]', '[{"item": 211}]', '[{"item": -201}]', '[{"item": 99999999999999999999}]',
                  '[{"item": "x"}]', '[{"item": ""}]', '[{"item": null}]', '[{"item": true}]', '[{"item": 201.5}]',
                  '[{"item": "NULL"}]', '[{"item": "NaN"}]', '[{"item": [201, 1]}]', '[{"item": []}]',
                  '[{"item": {"id": 201}}]', '[{"item": "201; DROP TABLE shop.items"}]',
                  '[{"item": 201, "quantity": 0}]', '[{"item": 201, "quantity": -1}]',
                  '[{"item": 201, "quantity": 6}]', '[{"item": 201, "quantity": 0.5}]',
                  '[{"item": 201, "quantity": 1.000001}]', '[{"item": 201, "quantity": "NaN"}]',
                  '[{"item": 201, "quantity": "Infinity"}]', '[{"item": 201, "quantity": "-Infinity"}]',
                  '[{"item": 201, "quantity": 1e1000}]', '[{"item": 201, "quantity": 1e-1000}]',
                  '[{"item": 201, "quantity": 4294967297}]', '[{"item": 202, "quantity": 3}]',
                  '[{"item": 201}, {"item": 211}]', '[{"item": 201}, {"item": 203, "quantity": 2}]']) AS items;
SELECT is(error_of($$SELECT ordcancel.cancel_items('shop.orders', 20, '[{"item": 202, "quantity": 3}]')$$),
          'OC016 | items of order 20 of shop.orders cannot be canceled | Of item 202, 3 are ordered, 1 fulfilled and 0'
          ' canceled; 3 cannot be canceled. | Call ordcancel.item_options() to see what can be canceled.',
          'the error says what could be');
SELECT is(fingerprint(), (SELECT * FROM before), 'none of them has changed anything');
SELECT is(answer_of($$cancel_items('shop.orders', 20, '[{"item": 202}]')$$), 'in_progress placed due 1.98', 'canceled');
SELECT is(answer_of($$cancel_items('shop.orders', 20, '[{"item": 202}]')$$), 'OC016', 'nothing is left of it');
SELECT is(answer_of($$cancel_items('shop.orders', 20, '[{"item": 202, "quantity": 1}]')$$), 'OC016',
          'what is fulfilled cannot be canceled');
UPDATE shop.items SET shipped = 5 WHERE id = 201;
SELECT is(answer_of($$cancel_items('shop.orders', 20, '[{"item": 201}]')$$), 'OC016', 'nor if all of it is');
INSERT INTO shop.items VALUES (209, 20, 0, 0, 0, 1), (208, 20, NULL, NULL, 0, 1);
SELECT is(answer_of(format('cancel_items(''shop.orders'', 20, ''[{"item": %s}]'')', item)), 'OC016',
          'an item of no units: ' || item)
FROM unnest('{208,209}'::int[]) AS item;
SELECT is(answer_of($$cancel_items('shop.orders', 40, '[{"item": 401}]')$$), 'OC003', 'the rule of the order applies');
SELECT is(answer_of($$cancel_items('shop.orders', 41, '[{"item": 411}]')$$), 'OC003', 'a status that is NULL has none');
SELECT is(answer_of($$cancel_items('shop.orders', 42, '[{"item": 421}]')$$), 'OC016', 'an order without items');
SELECT is(answer_of($$cancel_items('shop.orders', 99, '[{"item": 421}]')$$), 'OC002', 'there is no such order');
SELECT is(answer_of($$cancel_items('shop.orders', NULL::int, '[{"item": 1}]')$$), 'OC002', 'no order');
SELECT is(answer_of($$cancel_items(NULL, 1, '[{"item": 11}]')$$), 'OC001', 'no table');
SELECT is(answer_of($$cancel_items('shop.items', 11, '[{"item": 11}]')$$), 'OC001', 'the items are not orders');
CREATE TABLE shop.plain (id integer PRIMARY KEY, status text);
INSERT INTO shop.plain VALUES (1, 'placed');
SELECT ordcancel.attach('shop.plain', 'status');
SELECT is(answer_of($$cancel_items('shop.plain', 1, '[{"item": 11}]')$$), 'OC014', 'a table without items');

-- ------------------------------------------------------- who may

CREATE ROLE parts_shopper;
CREATE ROLE parts_clerk;
CREATE ROLE parts_stranger;
GRANT USAGE ON SCHEMA shop TO parts_shopper, parts_clerk, parts_stranger;
GRANT SELECT ON shop.orders TO parts_shopper, parts_clerk, parts_stranger;
SELECT ordcancel.grant_customer('parts_shopper');
SELECT ordcancel.grant_merchant('parts_clerk');
SELECT is((SELECT count(*) FROM pg_proc WHERE pronamespace = 'ordcancel'::regnamespace
               AND proname IN ('cancel_items', 'request_cancel_items', 'item_options')
               AND has_function_privilege('public', oid, 'EXECUTE')), 0::bigint, 'PUBLIC may call none of them');
SELECT is(answer_as(role, format('%s(''shop.orders'', %s, ''[{"item": %s1, "quantity": 1}]'')', function, id, id)),
          answer, concat_ws(' ', role, function))
FROM (VALUES ('parts_stranger', 'cancel_items', 21, '42501'), ('parts_stranger', 'request_cancel_items', 21, '42501'),
             ('parts_shopper', 'cancel_items', 21, '42501'),
             ('parts_shopper', 'request_cancel_items', 21, 'in_progress placed due 10'),
             ('parts_clerk', 'cancel_items', 22, 'in_progress placed due 10'),
             ('parts_clerk', 'request_cancel_items', 23, '42501')) AS v (role, function, id, answer);
SELECT is((SELECT string_agg(concat_ws(' ', order_id, requested_by, requested_actor), ', ' ORDER BY order_id)
           FROM shop.orders_cancellation WHERE order_id BETWEEN 21 AND 23),
          '21 customer parts_shopper, 22 merchant parts_clerk', 'it is recorded who did it');
SELECT is(attempt_as('parts_shopper', $$SELECT * FROM ordcancel.item_options('shop.orders', 21)$$), 'ok',
          'a customer may ask for the options');
SELECT is(attempt_as('parts_stranger', $$SELECT * FROM ordcancel.item_options('shop.orders', 21)$$), '42501',
          'a stranger may not');
-- Neither needs a right on the items, nor gets one.
SELECT is(attempt_as(role, statement), '42501', role || ': ' || statement)
FROM unnest('{parts_shopper,parts_clerk}'::name[]) AS role,
     unnest(ARRAY['SELECT FROM shop.items', 'UPDATE shop.items SET canceled = 5',
                  'SELECT FROM shop.orders_cancellation_item', 'DELETE FROM shop.orders_cancellation_item'])
         AS statement;
ALTER TABLE shop.orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON shop.orders USING (customer = current_user);
UPDATE shop.orders SET customer = 'parts_shopper' WHERE id = 24;
SELECT is(error_as('parts_shopper', statement, 'sqlstate', 'detail'), 'OC002', 'somebody else''s order: ' || statement)
FROM unnest(ARRAY[$$SELECT ordcancel.request_cancel_items('shop.orders', 25, '[{"item": 251}]')$$,
                  $$SELECT ordcancel.request_cancel_items('shop.orders', 25, '[{"item": 241}]')$$,
                  $$SELECT ordcancel.request_cancel_items('shop.orders', 25, '[{"item": 1}]')$$,
                  $$SELECT ordcancel.item_options('shop.orders', 25)$$,
                  $$SELECT ordcancel.request_cancel_items('shop.orders', 999, '[{"item": 251}]')$$]) AS statement;
SELECT is(error_as('parts_shopper', $$SELECT ordcancel.request_cancel_items('shop.orders', 24, '[{"item": 251}]')$$,
                   'sqlstate', 'detail'),
          'OC016 | The order has no item 251.', 'an item of somebody else''s order is unknown');
SELECT is(answer_as('parts_shopper', $$request_cancel_items('shop.orders', 24, '[{"item": 241}]')$$),
          'in_progress placed due 50', 'one''s own is not');

-- ------------------------------------------------------- several at once, and notifications

SELECT is((SELECT count(DISTINCT o.cancellation_id) FROM shop.orders AS s,
               LATERAL ordcancel.cancel_items('shop.orders', s.id, format('[{"item": %s1, "quantity": 1}]',
               s.id)::jsonb)
                   AS o WHERE s.id BETWEEN 26 AND 29), 4::bigint, 'one query may cancel items of many orders');
SELECT is(attempt($$DO 'BEGIN PERFORM ordcancel.cancel_items(''shop.orders'', 26, ''[{"item": 261, "quantity": 1}]'');
                        RAISE division_by_zero; END'$$), '22012', 'what is rolled back');
SELECT is(units_of(26) || ' ' || parts_of(26), '261: 1 of 5, 262: 0 of 3, 263: 0 of 1 items in_progress 10/0',
          'has canceled nothing');

SELECT * FROM finish();
ROLLBACK;
