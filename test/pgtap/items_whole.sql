-- Orders with items that are canceled as a whole, by every way there is: what
-- becomes of their items, what something fulfilled changes, parts that are still
-- due, and what an undo gives back.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
\ir include/items.sql
SELECT plan(131);
SET LOCAL timezone = 'UTC';
SET LOCAL ordcancel.clock = '2026-05-05 12:00+00';

CREATE SCHEMA shop;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text);
CREATE TABLE shop.items (id integer PRIMARY KEY, order_id integer NOT NULL REFERENCES shop.orders ON DELETE CASCADE,
                         quantity integer, canceled integer DEFAULT 0, shipped integer NOT NULL DEFAULT 0,
                         price numeric(8,2));
CREATE INDEX ON shop.items (order_id);
SELECT ordcancel.attach('shop.orders', 'status');
SELECT ordcancel.set_policy('shop.orders', requested_status => 'asked', in_progress_status => 'refunding',
                            canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.orders', 'draft', deletable => true);
SELECT ordcancel.set_rule('shop.orders', 'placed', customer => 'cancel', merchant => 'cancel');
SELECT ordcancel.set_rule('shop.orders', 'preparing', customer => 'request', merchant => 'request');
SELECT ordcancel.attach_items('shop.items', 'shop.orders', key => '{order_id}', quantity => 'quantity',
                              canceled => 'canceled', fulfilled => 'shipped',
                              amount => '(quantity - canceled) * price');
-- Order n has 10 n + 1 (5 units, free) and 10 n + 2 (2 units of 3.00).
INSERT INTO shop.orders SELECT n, 'placed' FROM generate_series(1, 69) AS n;
UPDATE shop.orders SET status = 'preparing' WHERE id BETWEEN 20 AND 29;
INSERT INTO shop.items SELECT 10 * o.id + i.n, o.id, i.quantity, 0, 0, i.price
FROM shop.orders AS o, (VALUES (1, 5, 0), (2, 2, 3)) AS i (n, quantity, price);
CREATE FUNCTION cancel_part(id integer, item integer, quantity integer) RETURNS text
    LANGUAGE sql
    AS $$ SELECT answer_of(format('cancel_items(''shop.orders'', %s, ''[{"item": %s, "quantity": %s}]'')', id, item,
                                  quantity)) $$;

-- ------------------------------------------------------- every way to cancel an order

SELECT is(answer_of($$cancel_order('shop.orders', 1, 'out_of_stock', 'a note')$$), 'in_progress refunding due 6',
          'cancel_order: the amounts of all items are due');
SELECT is(units_of(1), '11: 5 of 5, 12: 2 of 2', 'all units are canceled');
SELECT is(items_on_record(1), '11 x 5 due 0, 12 x 2 due 6', 'and on record');
SELECT is((SELECT data FROM shop.orders_cancellation_event WHERE order_id = 1),
          '{"items": [{"item": 11, "quantity": 5, "refund_due": 0}, {"item": 12, "quantity": 2, "refund_due": '
          '6.00}],
            "refund_due": 6.00}', 'and in the event');
SELECT is(answer_of($$cancel_order('shop.orders', 1)$$), 'in_progress refunding due 6 unchanged', 'once is enough');
SELECT is(answer_of($$record_refund('shop.orders', 1, 6, 'card')$$), 'canceled canceled due 6', 'refunded');
SELECT is(answer_of($$request_cancel('shop.orders', 2)$$), 'in_progress refunding due 6',
          'request_cancel, rule cancel');
SELECT is(units_of(2), '21: 5 of 5, 22: 2 of 2', 'the same');
SELECT is(answer_of($$request_cancel('shop.orders', 20)$$), 'requested asked', 'request_cancel, rule request');
SELECT is(units_of(20), '201: 0 of 5, 202: 0 of 2', 'nothing is canceled yet');
SELECT is(answer_of($$accept_cancel('shop.orders', 20)$$), 'in_progress refunding due 6', 'accept_cancel');
SELECT is(units_of(20) || ', ' || items_on_record(20), '201: 5 of 5, 202: 2 of 2, 201 x 5 due 0, 202 x 2 due 6',
          'all units are canceled');
SELECT is(answer_of($$cancel_order('shop.orders', 21)$$), 'requested asked', 'cancel_order asks');
SELECT is(attempt('UPDATE shop.items SET quantity = 1 WHERE id = 212'), 'ok', 'less is ordered meanwhile');
SELECT is(answer_of($$cancel_order('shop.orders', 21)$$), 'in_progress refunding due 3', 'and confirms');
SELECT is(units_of(21) || ', ' || items_on_record(21), '211: 5 of 5, 212: 1 of 1, 211 x 5 due 0, 212 x 1 due 3',
          'what there is then is canceled');
SELECT is(answer_of($$request_cancel('shop.orders', 22)$$), 'requested asked', 'asked');
SELECT is(answer_of($$deny_cancel('shop.orders', 22, 'no')$$), 'denied preparing', 'and denied');
SELECT is(units_of(22), '221: 0 of 5, 222: 0 of 2', 'no unit is canceled');
UPDATE shop.orders SET status = 'shipped' WHERE id = 3;
SELECT is(answer_of($$override_cancel('shop.orders', 3, note => 'x')$$), 'in_progress refunding due 6',
          'override_cancel');
SELECT is(units_of(3), '31: 5 of 5, 32: 2 of 2', 'the same');
SELECT is(attempt('UPDATE shop.orders SET status = ''canceled'' WHERE id = 4'), '23514 refund_not_settled',
          'a plain update cannot settle what is due');
SELECT is(attempt('UPDATE shop.orders SET status = ''refunding'' WHERE id = 4'), 'ok', 'but begin it');
SELECT is(units_of(4) || ', ' || parts_of(4) || ', ' || items_on_record(4),
          '41: 5 of 5, 42: 2 of 2, order in_progress 6/0, 41 x 5 due 0, 42 x 2 due 6', 'the same');
UPDATE shop.items SET price = 0 WHERE order_id BETWEEN 5 AND 9;
SELECT is(attempt('UPDATE shop.orders SET status = ''canceled'' WHERE id = 5'), 'ok', 'or cancel what is free');
SELECT is(units_of(5) || ', ' || parts_of(5), '51: 5 of 5, 52: 2 of 2, order canceled 0/0', 'the same');
SELECT results_eq($$SELECT order_id, outcome, sqlstate FROM ordcancel.cancel_orders('shop.orders', '{6,999,10}')$$,
                  $$VALUES ('6', 'canceled', NULL), ('999', 'refused', 'OC002'), ('10', 'in_progress', NULL)$$,
                  'cancel_orders');
SELECT is(units_of(6) || ', ' || units_of(10), '61: 5 of 5, 62: 2 of 2, 101: 5 of 5, 102: 2 of 2', 'the same');
SELECT is(items_on_record(10), '101 x 5 due 0, 102 x 2 due 6', 'on record');
SELECT is((SELECT jsonb_array_length(data->'items') FROM shop.orders_cancellation_event WHERE order_id = 10), 2,
          'and in the event');
UPDATE shop.orders SET status = 'shipped' WHERE id = 7;
SELECT is(answer_of($$cancel_order('shop.orders', 7)$$), 'OC003', 'one that is refused');
SELECT is(units_of(7), '71: 0 of 5, 72: 0 of 2', 'keeps its items');
INSERT INTO shop.orders VALUES (70, 'placed');
SELECT is(answer_of($$cancel_order('shop.orders', 70)$$), 'canceled canceled due 0', 'an order without items');
SELECT is(answer_of($$undo_cancel('shop.orders', 70)$$), 'undone placed due 0', 'and back');

-- ------------------------------------------------------- after parts

SELECT is(cancel_part(11, 111, 2) || ', ' || cancel_part(11, 112, 1), 'canceled placed due 0, in_progress placed due 3',
          'two parts, a free one and one of which the refund is due');
SELECT is(answer_of($$cancel_order('shop.orders', 11)$$), 'in_progress refunding due 3', 'the rest of the order');
SELECT is(items_on_record(11), '111 x 3 due 0, 112 x 1 due 3', 'has the units that were left');
SELECT is(parts_of(11), 'items canceled 0/0, items in_progress 3/0, order in_progress 3/0', 'three cancellations');
SELECT is(answer_of($$record_refund('shop.orders', 11, 3, 'card')$$), 'OC015',
          'two of them are due: which one is meant?');
SELECT is(error_of($$SELECT ordcancel.record_refund('shop.orders', 11, 3, 'card')$$, 'detail') ~
          format('%s.*%s', cancellation_of(11, 2), cancellation_of(11, 3)), true, 'the error names both');
SELECT is(answer_of(format($$record_refund('shop.orders', 11, 3, 'card', cancellation_id => %s)$$, cancellation_of(11,
          3))),
          'in_progress refunding due 3', 'the order''s own is refunded, but a part is not');
SELECT is(answer_of($$record_refund('shop.orders', 11, 3, 'card')$$), 'canceled canceled due 3',
          'the last refund, of the part, completes the order');
SELECT is(parts_of(11), 'items canceled 0/0, items canceled 3/3, order canceled 3/3', 'everything is complete');
SELECT is(events_of(11, 3, 'concat_ws('' '', type, from_status || ''>'' || to_status, state)'),
          ARRAY['refunded refunding>refunding in_progress', 'items_canceled refunding>refunding canceled',
                'canceled refunding>canceled canceled'], 'and told');
-- The other way round.
SELECT is(cancel_part(12, 122, 1), 'in_progress placed due 3', 'a part is due');
SELECT is(answer_of($$cancel_items('shop.orders', 12, '[{"item": 121}, {"item": 122}]')$$),
          'in_progress refunding due 3',
          'the last items cancel the order');
SELECT is(answer_of(format($$record_refund('shop.orders', 12, 3, 'card', cancellation_id => %s)$$, cancellation_of(12,
          1))),
          'canceled refunding due 3', 'the part is refunded; the order waits for its own refund');
SELECT is(answer_of($$record_refund('shop.orders', 12, 3, 'card')$$), 'canceled canceled due 3', 'which completes it');
-- Nothing is due for the order itself.
SELECT is(cancel_part(13, 132, 2), 'in_progress placed due 6', 'a part is due');
SELECT is(attempt('UPDATE shop.orders SET status = ''canceled'' WHERE id = 13'), '23514 refund_not_settled',
          'a plain update cannot complete it');
SELECT is(answer_of($$cancel_order('shop.orders', 13)$$), 'in_progress refunding due 0',
          'the rest of the order is free, but waits for the part');
SELECT is(answer_of($$record_refund('shop.orders', 13, 5, 'card', 'r1')$$), 'in_progress refunding due 6',
          'in two sums');
SELECT is(answer_of($$record_refund('shop.orders', 13, 1, 'card', 'r2')$$), 'canceled canceled due 6', 'the last one');
SELECT is(parts_of(13), 'items canceled 6/6, order canceled 0/0', 'completes both');
SELECT is(answer_of($$record_refund('shop.orders', 13, 1, 'card', 'r2')$$), 'canceled canceled due 6 unchanged',
          'a retry of it changes nothing');
-- A part that was refunded before.
SELECT is(cancel_part(14, 142, 2), 'in_progress placed due 6', 'a part is due');
SELECT is(answer_of($$record_refund('shop.orders', 14, 6, 'card')$$), 'canceled placed due 6', 'and refunded');
SELECT is(answer_of($$cancel_order('shop.orders', 14)$$), 'canceled canceled due 0',
          'then the rest is canceled at once');

-- ------------------------------------------------------- something is fulfilled

UPDATE shop.items SET shipped = 1 WHERE id IN (302, 312, 322, 332, 342, 352, 362, 372);
SELECT is(error_of($$SELECT ordcancel.cancel_order('shop.orders', 30)$$, 'sqlstate', 'message'),
          'OC005 | cancellation of order 30 of shop.orders is blocked', 'an order of which something is fulfilled');
SELECT ok(error_of($$SELECT ordcancel.cancel_order('shop.orders', 30)$$) ~* 'partly fulfilled|fulfilled',
          'the error says why');
SELECT is(answer_of($$request_cancel('shop.orders', 30)$$), 'OC005', 'for the customer, too');
SELECT is(attempt('UPDATE shop.orders SET status = ''refunding'' WHERE id = 30'), '23514 cancellation_blocked',
          'and for a plain update');
SELECT results_eq($$SELECT outcome, sqlstate FROM ordcancel.cancel_orders('shop.orders', '{30}')$$,
                  $$VALUES ('refused', 'OC005')$$, 'and for many');
SELECT is(units_of(30) || ', ' || status_of(30), '301: 0 of 5, 302: 0 of 2, placed', 'nothing is canceled');
SELECT is((SELECT condition FROM ordcancel.cancel_options('shop.orders', 30) WHERE verb = 'cancel_order'),
          'cancellation_blocked', 'cancel_options says so');
SELECT ordcancel.set_policy('shop.orders', partly_fulfilled => 'rest');
SELECT is(answer_of($$cancel_order('shop.orders', 30)$$), 'in_progress placed due 3',
          'with partly_fulfilled "rest" it cancels the rest');
SELECT is(units_of(30) || ', ' || parts_of(30), '301: 5 of 5, 302: 1 of 2, items in_progress 3/0', 'as a part');
SELECT is(answer_of($$cancel_order('shop.orders', 30)$$), 'OC016', 'then nothing is left');
SELECT is(answer_of($$request_cancel('shop.orders', 31)$$), 'in_progress placed due 3', 'the customer''s call, too');
SELECT results_eq($$SELECT outcome, sqlstate FROM ordcancel.cancel_orders('shop.orders', '{32}')$$,
                  $$VALUES ('in_progress', NULL)$$, 'and of many');
SELECT is(status_of(32) || ', ' || units_of(32), 'placed, 321: 5 of 5, 322: 1 of 2', 'the order keeps its status');
SELECT is(attempt('UPDATE shop.orders SET status = ''canceled'' WHERE id = 33'), '23514 cancellation_blocked',
          'a plain update to canceled cannot leave the order its status, so it is refused');
SELECT is(units_of(33) || ', ' || status_of(33), '331: 0 of 5, 332: 0 of 2, placed', 'and cancels nothing');
UPDATE shop.orders SET status = 'preparing' WHERE id = 34;
SELECT is(answer_of($$request_cancel('shop.orders', 34)$$), 'requested asked', 'asked for the order');
SELECT is(answer_of($$accept_cancel('shop.orders', 34)$$), 'in_progress preparing due 3',
          'accepted, the rest is canceled');
SELECT is(units_of(34) || ', ' || parts_of(34), '341: 5 of 5, 342: 1 of 2, items in_progress 3/0', 'as a part');
SELECT ordcancel.set_policy('shop.orders', partly_fulfilled => 'refuse');
SELECT is(answer_of($$override_cancel('shop.orders', 35, note => 'x')$$), 'in_progress placed due 3',
          'override cancels the rest without it');
SELECT is(answer_of($$request_cancel('shop.orders', 23)$$), 'requested asked', 'asked');
UPDATE shop.items SET shipped = 1 WHERE id = 231;
SELECT is(answer_of($$accept_cancel('shop.orders', 23)$$), 'OC005', 'and partly fulfilled meanwhile');
SELECT is(answer_of($$deny_cancel('shop.orders', 23, 'too late')$$), 'denied preparing', 'it can be denied');
UPDATE shop.items SET shipped = quantity WHERE order_id = 36;
SELECT is(answer_of($$cancel_order('shop.orders', 36)$$), 'OC005', 'an order of which all is fulfilled');
SELECT ordcancel.set_policy('shop.orders', partly_fulfilled => 'rest');
SELECT is(answer_of($$cancel_order('shop.orders', 36)$$), 'OC016', 'has no rest');
SELECT ordcancel.set_policy('shop.orders', partly_fulfilled => 'refuse');
-- All that is not fulfilled, item by item.
SELECT is(answer_of($$cancel_items('shop.orders', 37, '[{"item": 371}, {"item": 372}]')$$), 'in_progress placed due 3',
          'cancel_items of all that is left is a part if something is fulfilled');
SELECT is(answer_of($$cancel_order('shop.orders', 37)$$), 'OC005', 'the order is not canceled by it');

-- ------------------------------------------------------- undo

SELECT is(cancel_part(40, 401, 2) || ', ' || cancel_part(40, 401, 1), 'canceled placed due 0, canceled placed due 0',
          'two parts');
SELECT is(answer_of($$undo_cancel('shop.orders', 40)$$), 'OC015', 'which one?');
SELECT is(answer_of($$undo_cancel('shop.orders', 40, cancellation_id => 0)$$), 'OC008', 'not one that there is not');
SELECT is(answer_of(format($$undo_cancel('shop.orders', 40, cancellation_id => %s)$$, cancellation_of(1))), 'OC008',
          'nor one of another order');
SELECT is(answer_of(format($$undo_cancel('shop.orders', 40, cancellation_id => %s)$$, cancellation_of(40, 1))),
          'undone placed due 0', 'the first one');
SELECT is(units_of(40), '401: 1 of 5, 402: 0 of 2', 'gives back its units');
SELECT is(answer_of(format($$undo_cancel('shop.orders', 40, cancellation_id => %s)$$, cancellation_of(40, 1))),
          'undone placed due 0 unchanged', 'once');
SELECT is(events_of(40, 1,
          'concat_ws('' '', type, from_status || ''>'' || to_status, (data->''items''->0) - ''refund_due'')'),
          ARRAY['undone placed>placed {"item": 401, "quantity": 2}'], 'as the event says');
SELECT is(answer_of($$undo_cancel('shop.orders', 40)$$), 'undone placed due 0', 'the one that is left needs no number');
SELECT is(units_of(40), '401: 0 of 5, 402: 0 of 2', 'all are back');

SELECT is(cancel_part(41, 411, 2), 'canceled placed due 0', 'a part');
SELECT is(answer_of($$cancel_order('shop.orders', 41)$$), 'in_progress refunding due 6', 'and the rest');
SELECT is(answer_of(format($$undo_cancel('shop.orders', 41, cancellation_id => %s)$$, cancellation_of(41, 1))), 'OC008',
          'a part is not undone while the order is canceled');
SELECT is(answer_of($$undo_cancel('shop.orders', 41)$$), 'undone placed due 6', 'the order is, and needs no number');
SELECT is(units_of(41), '411: 2 of 5, 412: 0 of 2', 'with the units that it took');
SELECT is(answer_of($$undo_cancel('shop.orders', 41)$$), 'undone placed due 0', 'then the part');
SELECT is(units_of(41), '411: 0 of 5, 412: 0 of 2', 'all are back');
SELECT ok(answer_of($$undo_cancel('shop.orders', 41)$$) ~ '^undone placed .*unchanged$', 'there is nothing more');

-- What happened to the item meanwhile.
SELECT is(cancel_part(42, 421, 2), 'canceled placed due 0', 'a part');
UPDATE shop.items SET quantity = 9, shipped = 1 WHERE id = 421;
SELECT is(answer_of($$undo_cancel('shop.orders', 42)$$), 'undone placed due 0', 'of an item that has grown');
SELECT is(units_of(42), '421: 0 of 9, 422: 0 of 2', 'is undone');
SELECT is(answer_of($$cancel_order('shop.orders', 43)$$), 'in_progress refunding due 6', 'an order');
SELECT ordcancel.detach_items('shop.items');
DELETE FROM shop.items WHERE id = 431;
UPDATE shop.items SET canceled = 1 WHERE id = 432;
SELECT ordcancel.attach_items('shop.items', 'shop.orders', '{order_id}', 'quantity', 'canceled', 'shipped',
                              '(quantity - canceled) * price');
SELECT is(answer_of($$undo_cancel('shop.orders', 43)$$), 'undone placed due 6', 'of which an item is gone is undone');
SELECT is(units_of(43), '432: 0 of 2', 'the units of the others are given back, never more than are canceled');
SELECT is(cancel_part(44, 441, 2), 'canceled placed due 0', 'a part');
SELECT ordcancel.detach_items('shop.items');
SELECT is(answer_of($$undo_cancel('shop.orders', 44)$$) ~ '^(undone|OC0)', true,
          'an undo while the items are detached is no internal error');
SELECT ordcancel.attach_items('shop.items', 'shop.orders', '{order_id}', 'quantity', 'canceled', 'shipped',
                              '(quantity - canceled) * price');

-- Refunds, and the policy.
SELECT is(cancel_part(45, 452, 2), 'in_progress placed due 6', 'a part');
SELECT is(answer_of($$record_refund('shop.orders', 45, 6, 'bank_transfer')$$), 'canceled placed due 6', 'refunded');
SELECT is(answer_of($$undo_cancel('shop.orders', 45)$$), 'OC009', 'a refund has to be settled before an undo');
SELECT is(answer_of($$undo_cancel('shop.orders', 45, settled => true)$$), 'undone placed due 6', 'settled');
SELECT is(cancel_part(46, 461, 2), 'canceled placed due 0', 'a part');
SELECT ordcancel.set_policy('shop.orders', undo => 'canceled', undo_window => '1 hour');
SET LOCAL ordcancel.clock = '2026-05-05 13:00:00.000001+00';
SELECT is(answer_of($$undo_cancel('shop.orders', 46)$$), 'OC008', 'undo_window holds for parts');
SET LOCAL ordcancel.clock = '2026-05-05 12:00+00';
SELECT ordcancel.set_policy('shop.orders', undo => 'in_progress', unset => '{undo_window}');
SELECT is(answer_of($$undo_cancel('shop.orders', 46)$$), 'OC008', 'and so does undo');
SELECT ordcancel.set_policy('shop.orders', undo => 'canceled');
SELECT is(units_of(46), '461: 2 of 5, 462: 0 of 2', 'what was refused gave nothing back');

-- ------------------------------------------------------- deleted and imported orders

UPDATE shop.orders SET status = 'draft' WHERE id IN (50, 51);
SELECT is(attempt('DELETE FROM shop.items WHERE order_id = 52'), 'ok', 'items without canceled units may be deleted');
SELECT is(attempt('DELETE FROM shop.orders WHERE id = 50'), 'ok', 'a draft is deleted with its items');
SELECT is((SELECT count(*) FROM shop.items WHERE order_id = 50), 0::bigint, 'by the foreign key');
UPDATE shop.orders SET status = 'placed' WHERE id = 51;
SELECT is(cancel_part(51, 511, 2), 'canceled placed due 0', 'a part');
SELECT is(attempt('DELETE FROM shop.items WHERE id = 511'), '23514 items_not_available', 'its item is kept');
UPDATE shop.orders SET status = 'draft' WHERE id = 51;
SELECT is(attempt('DELETE FROM shop.orders WHERE id = 51'), 'ok', 'unless the order itself may be deleted');
SELECT is((SELECT count(*) FROM shop.items WHERE order_id = 51), 0::bigint, 'with its items');
SELECT is(attempt('DELETE FROM shop.orders WHERE id = 1'), '23514 cancellation_forbidden', 'a canceled order stays');
SELECT is(attempt($$INSERT INTO shop.orders VALUES (80, 'canceled'); INSERT INTO shop.items VALUES (801, 80, 3, 3, 0,
    1),
                                                                                              (802, 80, 3, 0, 0, 1)$$),
          'ok', 'canceled orders are imported with their items');
SELECT is(answer_of($$cancel_order('shop.orders', 80)$$), 'canceled canceled unchanged', 'such an order is canceled');
SELECT is(answer_of($$cancel_items('shop.orders', 80, '[{"item": 802}]')$$), 'OC016', 'nothing of it can be canceled');
SELECT is(answer_of($$undo_cancel('shop.orders', 80)$$), 'OC008', 'nor undone');
SELECT is(attempt('INSERT INTO shop.items VALUES (19, 1, 1, 0, 0, 1)'), '23514 order_is_canceled',
          'an order that was canceled here gets no new item');

SELECT * FROM finish();
ROLLBACK;
