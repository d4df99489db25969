-- Requests for parts of an order: asked for, answered, withdrawn, in doubt, too
-- late, and decided by the clock.
BEGIN;
\ir include/helpers.sql
\ir include/items.sql
SELECT plan(120);
SET LOCAL timezone = 'UTC';
SET LOCAL ordcancel.clock = '2026-05-05 12:00+00';

CREATE SCHEMA shop;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text, placed_at timestamptz, flagged boolean DEFAULT false);
CREATE TABLE shop.items (id integer PRIMARY KEY, order_id integer NOT NULL, quantity integer,
                         canceled integer DEFAULT 0, shipped integer NOT NULL DEFAULT 0, price numeric(8,2));
CREATE INDEX ON shop.items (order_id);
SELECT ordcancel.attach('shop.orders', 'status', 'placed_at');
SELECT ordcancel.set_policy('shop.orders', grace => '2 hours', requested_status => 'asked',
                            in_progress_status => 'refunding', canceled_status => 'canceled',
                            customer_canceled_status => 'returned', decision_timeout => '1 day',
                            on_timeout => 'accept');
SELECT ordcancel.set_rule('shop.orders', 'placed', customer => 'cancel', customer_late => 'request',
                          merchant => 'cancel');
SELECT ordcancel.set_rule('shop.orders', 'preparing', customer => 'request', merchant => 'request');
SELECT ordcancel.set_rule('shop.orders', 'packed', customer => 'cancel', customer_late => 'forbid',
    merchant => 'cancel',
                          hint => 'Too late.');
SELECT ordcancel.set_rule('shop.orders', 'shipped', hint => 'Return it.');
SELECT ordcancel.add_block('shop.orders', 'flagged', 'flagged', 'Ask the fraud team.');
SELECT ordcancel.attach_items('shop.items', 'shop.orders', key => '{order_id}', quantity => 'quantity',
                              canceled => 'canceled', fulfilled => 'shipped',
                              amount => '(quantity - canceled) * price');
INSERT INTO shop.orders SELECT n, 'preparing', '2026-05-05 11:00+00' FROM generate_series(1, 60) AS n;
UPDATE shop.orders SET status = 'placed' WHERE id BETWEEN 40 AND 49;
UPDATE shop.orders SET status = 'packed' WHERE id BETWEEN 50 AND 59;
INSERT INTO shop.items SELECT 10 * o.id + i.n, o.id, i.quantity, 0, 0, i.price
FROM shop.orders AS o, (VALUES (1, 5, 10), (2, 2, 0)) AS i (n, quantity, price);

-- ------------------------------------------------------- asked for and accepted

SELECT is(answer_of($$request_cancel_items('shop.orders', 1, '[{"item": 11, "quantity": 2}]', 'customer_changed_mind',
                                           'too many', 'ann')$$),
          'requested preparing', 'a customer asks for a part; the order keeps its status');
SELECT is(units_of(1), '11: 0 of 5, 12: 0 of 2', 'no unit is canceled yet');
SELECT is(items_on_record(1), '11 x 2', 'it is on record which are meant, and no refund is due yet');
SELECT is(events_of(1, NULL, 'concat_ws('' '', type, from_status || ''>'' || to_status, state, party, data)'),
          ARRAY['requested preparing>preparing requested customer {"items": [{"item": 11, "quantity": 2}]}'],
          'the event says so');
SELECT is(answer_of($$request_cancel_items('shop.orders', 1, '[{"item": 11, "quantity": 2}]')$$),
          'requested preparing unchanged', 'the same again changes nothing');
SELECT is(answer_of($$request_cancel_items('shop.orders', 1, '[{"item": "11"}]')$$),
          'OC012', 'the same item without a quantity means all of it, which is another request');
SELECT is(answer_of(call), 'OC012', 'another call while the request is open: ' || call)
FROM unnest(ARRAY[$$request_cancel_items('shop.orders', 1, '[{"item": 11, "quantity": 3}]')$$,
                  $$request_cancel_items('shop.orders', 1, '[{"item": 12}]')$$,
                  $$request_cancel_items('shop.orders', 1, '[{"item": 11, "quantity": 2}, {"item": 12}]')$$,
                  $$cancel_items('shop.orders', 1, '[{"item": 12}]')$$,
                  $$request_cancel('shop.orders', 1)$$, $$cancel_order('shop.orders', 1)$$]) AS call;
SELECT is(answer_of($$accept_cancel('shop.orders', 1, NULL, 'sorry', 'bob')$$), 'in_progress preparing due 20',
          'the merchant accepts');
SELECT is(units_of(1), '11: 2 of 5, 12: 0 of 2', 'the units are canceled');
SELECT is(items_on_record(1), '11 x 2 due 20', 'the refund due is on record');
SELECT is(record_of(1), 'in_progress by customer ann decided merchant bob was preparing now preparing reason '
                        'customer_changed_mind note too many said sorry undo', 'and who asked and decided');
SELECT is(events_of(1, 1, 'concat_ws('' '', type, from_status || ''>'' || to_status, state, party, data)'),
          ARRAY['accepted preparing>preparing in_progress merchant {"items": [{"item": 11, "quantity": 2, '
          '"refund_due": '
                '20.00}], "refund_due": 20.00}'], 'the event has the items');
SELECT is(answer_of($$accept_cancel('shop.orders', 1)$$), 'in_progress preparing due 20 unchanged',
          'accepted again changes nothing');
SELECT is(answer_of($$request_cancel_items('shop.orders', 1, '[{"item": 11, "quantity": 2}]')$$), 'requested preparing',
          'after that the same list is a new request');
SELECT is(answer_of($$cancel_items('shop.orders', 1, '[{"item": 11, "quantity": 2}]')$$),
          'in_progress preparing due 20',
          'the merchant confirms it with cancel_items');
SELECT is(record_of(1), 'in_progress by customer postgres decided merchant postgres was preparing now preparing reason'
                        ' note said undo',
          'as the decision on the customer''s request');
SELECT is(units_of(1), '11: 4 of 5, 12: 0 of 2', 'the units are canceled');
SELECT is(answer_of($$request_cancel_items('shop.orders', 1, '[{"item": 11, "quantity": 2}]')$$), 'OC016',
          'one cannot ask for more than is left');
SELECT is(parts_of(1), 'items in_progress 20/0, items in_progress 20/0', 'two parts');

-- A list of several items, in another order and other words.
SELECT is(answer_of($$request_cancel_items('shop.orders', 2, '[{"item": 21, "quantity": 2}, {"item": 22}]')$$),
          'requested preparing', 'two items');
SELECT is(items_on_record(2), '21 x 2, 22 x 2', 'all of an item is a number on record');
SELECT is(answer_of($$request_cancel_items('shop.orders', 2, '[{"item": "22"}, {"item": 21, "quantity": 2.0}]')$$),
          'requested preparing unchanged', 'the same in another order');
SELECT is(answer_of($$cancel_items('shop.orders', 2, '[{"item": 22, "quantity": 2}, {"item": 21, "quantity": 2}]')$$),
          'in_progress preparing due 20', 'is confirmed');

-- ------------------------------------------------------- denied and withdrawn

SELECT is(answer_of($$request_cancel_items('shop.orders', 3, '[{"item": 31}]')$$), 'requested preparing', 'asked');
SELECT is(answer_of($$deny_cancel('shop.orders', 3)$$), 'OC006', 'a denial needs a note');
SELECT is(answer_of($$deny_cancel('shop.orders', 3, 'no')$$), 'denied preparing', 'denied');
SELECT is(answer_of($$deny_cancel('shop.orders', 3, 'no')$$), 'denied preparing unchanged', 'once is enough');
SELECT is(answer_of($$accept_cancel('shop.orders', 3)$$), 'OC007', 'it cannot be accepted any more');
SELECT is(events_of(3, 1, 'concat_ws('' '', type, from_status || ''>'' || to_status, data)'),
          ARRAY['denied preparing>preparing {"items": [{"item": 31, "quantity": 5}]}'], 'the event has the items');
SELECT is(answer_of($$request_cancel_items('shop.orders', 3, '[{"item": 31}]')$$), 'requested preparing',
          'asked again');
SELECT is(answer_of($$withdraw_cancel('shop.orders', 3, 'never mind')$$), 'withdrawn preparing', 'withdrawn');
SELECT is(answer_of($$withdraw_cancel('shop.orders', 3, 'never mind')$$), 'withdrawn preparing unchanged', 'once');
SELECT is(units_of(3) || ', ' || parts_of(3), '31: 0 of 5, 32: 0 of 2, items denied, items withdrawn',
          'neither has canceled anything');
SELECT is(answer_of($$request_cancel_items('shop.orders', 3, '[{"item": 31}]')$$), 'requested preparing',
          'asked again');
SELECT is(answer_of($$undo_cancel('shop.orders', 3, 'no')$$), 'denied preparing', 'an undo of a request denies it');
SELECT is(answer_of($$request_cancel('shop.orders', 3)$$), 'requested asked', 'then the whole order may be asked for');
SELECT is(answer_of($$request_cancel_items('shop.orders', 3, '[{"item": 31}]')$$), 'OC012',
          'but no part of it meanwhile');
SELECT is(answer_of($$cancel_items('shop.orders', 3, '[{"item": 31}]')$$), 'OC012', 'not by the merchant either');

-- ------------------------------------------------------- a rule "request" for the merchant

SELECT is(answer_of($$cancel_items('shop.orders', 4, '[{"item": 41, "quantity": 1}]')$$), 'requested preparing',
          'the merchant''s first call asks');
SELECT is(units_of(4), '41: 0 of 5, 42: 0 of 2', 'and cancels nothing');
SELECT is(answer_of($$cancel_items('shop.orders', 4, '[{"item": 41, "quantity": 2}]')$$), 'OC012',
          'another call does not confirm it');
SELECT is(answer_of($$request_cancel_items('shop.orders', 4, '[{"item": 41, "quantity": 1}]')$$),
          'requested preparing unchanged', 'nor does the customer''s');
SELECT is(answer_of($$cancel_items('shop.orders', 4, '[{"item": 41, "quantity": 1}]')$$),
          'in_progress preparing due 10',
          'the second one does');
SELECT is((SELECT count(*) FROM (SELECT (ordcancel.cancel_items('shop.orders', 5,
          '[{"item": 51, "quantity": 1}]')).*) AS o
           WHERE state = 'requested'), 1::bigint, 'a call that PostgreSQL repeats asks');
SELECT is(parts_of(5) || ', ' || units_of(5), 'items requested, 51: 0 of 5, 52: 0 of 2', 'and does not confirm itself');
SELECT is(answer_of($$cancel_items('shop.orders', 6, '[{"item": 61}]', request_key => 'k')$$), 'requested preparing',
          'with a request key');
SELECT is(answer_of($$cancel_items('shop.orders', 6, '[{"item": 61}]', request_key => 'k')$$),
          'requested preparing unchanged', 'a retry does not confirm it');
SELECT is(units_of(6), '61: 0 of 5, 62: 0 of 2', 'nothing is canceled');

-- ------------------------------------------------------- the order moves on

SELECT is(answer_of(format($$request_cancel_items('shop.orders', %s, '[{"item": %s1}]')$$, id, id)),
          'requested preparing',
          'asked') FROM generate_series(7, 9) AS id;
UPDATE shop.orders SET placed_at = '2026-05-05 11:30+00' WHERE id = 7;
SELECT is(parts_of(7), 'items requested', 'an update that does not change the status leaves it open');
UPDATE shop.orders SET status = 'shipped' WHERE id = 7;
SELECT is(parts_of(7), 'items denied', 'an order that moves on denies it');
SELECT is(events_of(7, 1, 'concat_ws('' '', type, from_status || ''>'' || to_status, data - ''items'')'),
          ARRAY['denied preparing>shipped {"implicit": true, "moved_to": "shipped"}'], 'the event says so');
SELECT is(units_of(7), '71: 0 of 5, 72: 0 of 2', 'no unit was canceled');
SELECT ordcancel.set_policy('shop.orders', on_progress => 'hold');
SELECT is(attempt('UPDATE shop.orders SET status = ''shipped'' WHERE id = 8'), '23514 order_on_hold', 'or it waits');
SELECT is(attempt('UPDATE shop.items SET shipped = 1 WHERE id = 81'), 'ok',
          'units that are fulfilled meanwhile are not refused');
SELECT is(answer_of($$accept_cancel('shop.orders', 8)$$), 'OC016', 'but then not all that was asked for is there');
SELECT is(parts_of(8) || ', ' || units_of(8), 'items requested, 81: 0 of 5, 82: 0 of 2', 'it stays open');
SELECT is(answer_of($$cancel_items('shop.orders', 8, '[{"item": 81, "quantity": 4}]')$$), 'OC012',
          'what is left is not what was asked for');
SELECT is(answer_of($$deny_cancel('shop.orders', 8, 'one is gone')$$), 'denied preparing', 'it can be denied');
SELECT is(attempt('UPDATE shop.orders SET status = ''shipped'' WHERE id = 8'), 'ok', 'then the order may move on');
SELECT ordcancel.set_policy('shop.orders', on_progress => 'deny');
DELETE FROM shop.items WHERE id = 91;
SELECT is(answer_of($$accept_cancel('shop.orders', 9)$$), 'OC016', 'an item that was deleted meanwhile');
SELECT is(answer_of($$deny_cancel('shop.orders', 9, 'gone')$$), 'denied preparing', 'can be denied');

-- ------------------------------------------------------- the clock decides

SELECT is(answer_of(format($$request_cancel_items('shop.orders', %s, '[{"item": %s1, "quantity": 4}]')$$, id, id)),
          'requested preparing', 'asked') FROM generate_series(10, 13) AS id;
SELECT is((SELECT deadline FROM shop.orders_cancellation WHERE order_id = 10), '2026-05-06 12:00+00', 'a deadline');
UPDATE shop.items SET shipped = 2 WHERE id = 111;
UPDATE shop.orders SET flagged = true WHERE id = 12;
DELETE FROM shop.items WHERE id = 131;
SELECT lives_ok('CALL ordcancel.sweep()', 'before the deadline');
SELECT is(parts_of(10), 'items requested', 'nothing is decided');
SET LOCAL ordcancel.clock = '2026-05-06 12:00+00';
SELECT lives_ok('CALL ordcancel.sweep()', 'at the deadline');
SELECT is(parts_of(10) || ', ' || units_of(10), 'items in_progress 40/0, 101: 4 of 5, 102: 0 of 2', 'it is accepted');
SELECT is(record_of(10), 'in_progress by customer postgres decided system sweep was preparing now preparing reason'
                         ' request_timed_out note said undo', 'by the system');
SELECT isnt(substring(parts_of(11), 'requested|in_progress|canceled'), 'in_progress',
            'units that are gone are not canceled');
SELECT is(units_of(11), '111: 0 of 5, 112: 0 of 2', 'not even those that are left');
SELECT is(units_of(12), '121: 0 of 5, 122: 0 of 2', 'a blocked one is not accepted');
SELECT isnt(parts_of(13), 'items in_progress 40/0', 'an item that is gone is not canceled');
SELECT lives_ok('CALL ordcancel.sweep()', 'a second sweep does no harm');
SELECT is(units_of(10), '101: 4 of 5, 102: 0 of 2', 'and cancels nothing twice');
SELECT ordcancel.set_policy('shop.orders', on_timeout => 'deny');
SELECT is(answer_of($$request_cancel_items('shop.orders', 14, '[{"item": 141}]')$$), 'requested preparing', 'asked');
SET LOCAL ordcancel.clock = '2026-05-07 12:00+00';
SELECT lives_ok('CALL ordcancel.sweep()', 'at its deadline');
SELECT is(parts_of(14) || ', ' || units_of(14), 'items denied, 141: 0 of 5, 142: 0 of 2', 'it is denied');
SET LOCAL ordcancel.clock = '2026-05-05 12:00+00';

-- ------------------------------------------------------- windows and blocks

SET LOCAL ordcancel.clock = '2026-05-05 13:00+00';
SELECT is(answer_of($$request_cancel_items('shop.orders', 40, '[{"item": 402}]')$$), 'canceled placed due 0',
          'within the window a customer cancels');
SELECT is(record_of(40),
          'canceled by customer postgres decided customer postgres was placed now placed reason note said'
                         ' undo', 'alone');
SELECT is(answer_of($$request_cancel_items('shop.orders', 50, '[{"item": 502}]')$$), 'canceled packed due 0',
          'at its very end, too');
SET LOCAL ordcancel.clock = '2026-05-05 13:00:00.000001+00';
SELECT is(answer_of($$request_cancel_items('shop.orders', 41, '[{"item": 412}]')$$), 'requested placed',
          'then he asks');
SELECT is(answer_of($$request_cancel_items('shop.orders', 51, '[{"item": 512}]')$$), 'OC004', 'or is refused');
SELECT is(answer_of($$cancel_items('shop.orders', 51, '[{"item": 512}]')$$), 'canceled packed due 0',
          'the merchant has no window');
SET LOCAL ordcancel.clock = '2026-05-05 12:00+00';
UPDATE shop.orders SET flagged = true WHERE id IN (42, 43);
SELECT is(answer_of($$request_cancel_items('shop.orders', 42, '[{"item": 421}]')$$), 'OC005',
          'a block stops the customer');
SELECT is(answer_of($$cancel_items('shop.orders', 42, '[{"item": 421}]')$$), 'OC005', 'and the merchant');
UPDATE shop.orders SET flagged = false WHERE id = 42;
SELECT is(answer_of($$request_cancel_items('shop.orders', 15, '[{"item": 151}]')$$), 'requested preparing', 'asked');
UPDATE shop.orders SET flagged = true WHERE id = 15;
SELECT is(answer_of($$accept_cancel('shop.orders', 15)$$), 'OC005', 'a block that came meanwhile stops the answer');
SELECT is(answer_of($$cancel_items('shop.orders', 15, '[{"item": 151}]')$$), 'OC005', 'in whichever way');
SELECT is(answer_of($$deny_cancel('shop.orders', 15, 'no')$$), 'denied preparing', 'a denial it does not stop');
UPDATE shop.orders SET status = 'shipped' WHERE id = 16;
SELECT is(answer_of($$request_cancel_items('shop.orders', 16, '[{"item": 161}]')$$), 'OC003', 'a rule that forbids');
-- An item that there is not, of an order that forbids it: nothing of the items is told.
SELECT is(answer_of($$request_cancel_items('shop.orders', 16, '[{"item": 999}]')$$), 'OC003', 'comes before the items');

-- ------------------------------------------------------- the last unit

SELECT is(answer_of($$request_cancel_items('shop.orders', 17, '[{"item": 171}, {"item": 172}]', actor => 'ann')$$),
          'requested preparing', 'a customer asks for all items: a part until it is accepted');
SELECT is(answer_of($$accept_cancel('shop.orders', 17, actor => 'bob')$$), 'in_progress refunding due 50',
          'accepted, the order is canceled');
SELECT is(parts_of(17) || ', ' || units_of(17), 'order in_progress 50/0, 171: 5 of 5, 172: 2 of 2', 'with all units');
SELECT is(answer_of($$record_refund('shop.orders', 17, 50, 'cash')$$), 'canceled canceled due 50',
          'the merchant agreed, so it is not the customer''s own status');
SELECT is(answer_of($$undo_cancel('shop.orders', 17)$$), 'undone preparing due 50', 'undone');
SELECT is(units_of(17), '171: 0 of 5, 172: 0 of 2', 'all units are back');
SELECT is(answer_of($$request_cancel_items('shop.orders', 44, '[{"item": 441}, {"item": 442}]')$$),
          'in_progress refunding due 50', 'a customer who cancels all items cancels the order');
SELECT is(answer_of($$record_refund('shop.orders', 44, 50, 'cash')$$), 'canceled returned due 50',
          'in the status for that');
SELECT is(answer_of($$request_cancel_items('shop.orders', 18, '[{"item": 181}, {"item": 182}]')$$),
          'requested preparing',
          'asked for all items');
UPDATE shop.items SET quantity = 6 WHERE id = 181;
SELECT is(answer_of($$accept_cancel('shop.orders', 18)$$), 'in_progress preparing due 50',
          'one more was ordered meanwhile, so it is a part');
INSERT INTO shop.items VALUES (199, 19, 1, 0, 0, 1);
SELECT is(answer_of($$request_cancel_items('shop.orders', 19, '[{"item": 191}, {"item": 192}]')$$),
          'requested preparing',
          'asked for all items but one');
DELETE FROM shop.items WHERE id = 199;
SELECT is(answer_of($$accept_cancel('shop.orders', 19)$$), 'in_progress refunding due 50',
          'the other one was deleted meanwhile, so it is the order');

-- ------------------------------------------------------- the items are detached

SELECT is(answer_of($$request_cancel_items('shop.orders', 20, '[{"item": 201}]')$$), 'requested preparing', 'asked');
SELECT is(answer_of($$request_cancel_items('shop.orders', 21, '[{"item": 211}]')$$), 'requested preparing', 'asked');
SELECT ordcancel.detach_items('shop.items');
SELECT is(answer_of($$accept_cancel('shop.orders', 20)$$), 'OC014',
          'what was asked for cannot be canceled while no items are attached');
SELECT is(answer_of($$deny_cancel('shop.orders', 20, 'no')$$), 'denied preparing', 'it can be denied');
SELECT is(answer_of($$cancel_items('shop.orders', 21, '[{"item": 211}]')$$), 'OC014', 'nor can it be confirmed');
SELECT ordcancel.attach_items('shop.items', 'shop.orders', '{order_id}', 'quantity', 'canceled', 'shipped',
                              '(quantity - canceled) * price');
SELECT is(answer_of($$accept_cancel('shop.orders', 21)$$), 'in_progress preparing due 50', 'attached again, it can be');

SELECT * FROM finish();
ROLLBACK;
