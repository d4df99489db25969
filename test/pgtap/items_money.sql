-- What canceling parts of an order makes due: whatever is canceled in whichever
-- order, the customer gets back what he paid for it, and never more.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
\ir include/items.sql
SELECT plan(115);
SET LOCAL timezone = 'UTC';
SET LOCAL ordcancel.clock = '2026-05-05 12:00+00';

CREATE SCHEMA shop;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text, paid numeric, back numeric NOT NULL DEFAULT 0);
CREATE TABLE shop.items (id integer PRIMARY KEY, order_id integer NOT NULL REFERENCES shop.orders, quantity numeric,
                         canceled numeric DEFAULT 0, shipped numeric DEFAULT 0, price numeric,
                         bulk boolean DEFAULT false);
CREATE INDEX ON shop.items (order_id);
SELECT ordcancel.attach('shop.orders', 'status', refund_due => 'paid');
SELECT ordcancel.set_policy('shop.orders', requested_status => 'asked', in_progress_status => 'refunding',
                            canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.orders', 'placed', customer => 'request', merchant => 'cancel');
-- Three or more of a bulk item cost half.
SELECT ordcancel.attach_items('shop.items', 'shop.orders', '{order_id}', 'quantity', 'canceled', 'shipped',
    '(quantity - canceled) * price * CASE WHEN bulk AND quantity - canceled >= 3 THEN 0.5 ELSE 1 END');
-- Order n has 10 n + 1 (3 of 10.00) and 10 n + 2 (1 of 5.00); with the shipping
-- of 5.00 it was 40.00.
INSERT INTO shop.orders SELECT n, 'placed', 40 FROM generate_series(1, 69) AS n;
INSERT INTO shop.items SELECT 10 * o.id + i.n, o.id, i.quantity, 0, 0, i.price
FROM shop.orders AS o, (VALUES (1, 3, 10.00), (2, 1, 5.00)) AS i (n, quantity, price);
-- What canceling so many units of an order's first or second item makes due:
-- "due 20", or with "canceled" if the part is complete.
CREATE FUNCTION take(id integer, item integer, quantity numeric) RETURNS text
    LANGUAGE sql
    AS $$ SELECT outcome_of(format('cancel_items(''shop.orders'', %s, ''[{"item": %s, "quantity": %s}]'')', id,
                                   10 * id + item, quantity),
                            'concat_ws('' '', trim_scale(refund_due), CASE state WHEN ''canceled'' THEN ''done'' END,'
                            ' CASE order_status WHEN ''refunding'' THEN ''whole'' WHEN ''canceled'' THEN ''whole''
                            END)') $$;
-- The same for several: "1x2" is two units of the first item.
CREATE FUNCTION take_each(id integer, VARIADIC parts text[]) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    part text;
    did text[] := '{}';
BEGIN
    FOREACH part IN ARRAY parts LOOP
        did := did || take(id, split_part(part, 'x', 1)::integer, split_part(part, 'x', 2)::numeric);
    END LOOP;
    RETURN array_to_string(did, ', ');
END
$$;
CREATE FUNCTION refund(id integer, n integer, amount numeric, method text DEFAULT 'cash', reference text DEFAULT NULL)
    RETURNS text
    LANGUAGE sql
    AS $$ SELECT outcome_of(format('record_refund(''shop.orders'', %s, %s, %L, %L, cancellation_id => %s)', id, amount,
                                   method, reference, cancellation_of(id, n)),
                            'concat_ws('' '', state, trim_scale(refunded) || ''/'' || trim_scale(refund_due),'
                            ' CASE WHEN NOT changed THEN ''unchanged'' END)') $$;
CREATE FUNCTION undo(id integer, n integer, settled boolean DEFAULT false) RETURNS text
    LANGUAGE sql
    AS $$ SELECT outcome_of(format('undo_cancel(''shop.orders'', %s, settled => %L, cancellation_id => %s)', id,
    settled,
                                   cancellation_of(id, n)), 'state') $$;

-- ------------------------------------------------------- in any order, all of it

SELECT is(take_each(1, '1x2', '1x1', '2x1'), '20, 10, 10 whole', 'the last part has what else was paid');
SELECT is(take_each(2, '2x1', '1x3'), '5, 35 whole', 'whichever it is');
SELECT is(answer_of($$cancel_order('shop.orders', 3)$$), 'in_progress refunding due 40', 'as canceling it at once');
SELECT is(take(4, 1, 1), '10', 'a part');
SELECT is(answer_of($$cancel_order('shop.orders', 4)$$), 'in_progress refunding due 30', 'and then the order');
SELECT is((SELECT sum(refund_due) FROM shop.orders_cancellation WHERE order_id = n), 40.00, 'are the same sum: ' || n)
FROM generate_series(1, 4) AS n;
SELECT is(items_on_record(4), '41 x 2 due 20, 42 x 1 due 5', 'the items say what their amounts fell by');

-- Not more than was paid.
UPDATE shop.orders SET paid = 25 WHERE id BETWEEN 5 AND 9;
SELECT is(take_each(5, '1x2', '1x1', '2x1'), '20, 5, 0 whole', 'never more than was paid');
SELECT is(parts_of(5), 'items in_progress 20/0, items in_progress 5/0, order in_progress 0/0',
          'the order waits for its parts');
SELECT is(refund(5, 1, 20) || ', ' || refund(5, 2, 5), 'canceled 20/20, canceled 5/5', 'they are refunded');
SELECT is(status_of(5), 'canceled', 'then it is canceled');
UPDATE shop.orders SET paid = 0 WHERE id = 6;
SELECT is(take_each(6, '1x2', '1x1', '2x1'), '0 done, 0 done, 0 done whole', 'nothing was paid');
UPDATE shop.orders SET paid = NULL WHERE id = 7;
SELECT ok(take_each(7, '1x2', '1x1', '2x1') ~ '^0? ?done, 0? ?done, 0? ?done whole$', 'nothing is known of it');
UPDATE shop.orders SET paid = -5 WHERE id = 8;
SELECT is(take_each(8, '1x2', '1x1', '2x1'), '0 done, 0 done, 0 done whole', 'less than nothing was paid');
-- More is paid later, or something is paid back meanwhile.
SELECT is(take(9, 1, 3), '25', 'all that was paid');
UPDATE shop.orders SET paid = 40 WHERE id = 9;
SELECT is(take(9, 2, 1), '15 whole', 'what was paid since is due with the next part');
SELECT is(take(10, 1, 2), '20', 'a part');
UPDATE shop.orders SET paid = 15 WHERE id = 10;
SELECT is(take_each(10, '1x1', '2x1'), '0 done, 0 whole', 'what was paid back otherwise is not due again');

-- ------------------------------------------------------- discounts that are lost

UPDATE shop.items SET bulk = true WHERE id IN (111, 121, 131);
UPDATE shop.orders SET paid = 25 WHERE id IN (11, 12, 13);
SELECT is(take_each(11, '1x1', '1x1', '1x1', '2x1'), '0 done, 5, 10, 10 whole',
          'a part that makes the rest dearer has nothing due, and the next one less');
SELECT is((SELECT sum(refund_due) FROM shop.orders_cancellation WHERE order_id = 11), 25.00, 'in all what was paid');
SELECT is((SELECT string_agg(trim_scale(refund_due)::text, ' ' ORDER BY cancellation_id)
           FROM shop.orders_cancellation_item WHERE item_id = 111), '-5 10 10',
           'the item says what its amount fell by');
SELECT is(take_each(12, '1x1', '2x1', '1x2'), '0 done, 0 done, 25 whole', 'it counts against other items, too');
SELECT is(take(13, 1, 1), '0 done', 'a part without a refund');
SELECT is(undo(13, 1), 'undone', 'is undone');
SELECT is(take_each(13, '1x3', '2x1'), '15, 10 whole', 'then it is as if it had not been');

-- ------------------------------------------------------- undone, and what the customer has kept

SELECT is(take(14, 1, 2), '20', 'a part');
SELECT is(undo(14, 1), 'undone', 'undone before it is refunded');
SELECT is(take_each(14, '1x3', '2x1'), '30, 10 whole', 'all is due again');
SELECT is(take(15, 1, 2), '20', 'a part');
SELECT is(refund(15, 1, 20, 'points'), 'canceled 20/20', 'refunded in points');
SELECT is(undo(15, 1), 'undone', 'and undone; the customer keeps the points');
SELECT is(take_each(15, '1x1', '1x1', '1x1', '2x1'), '0 done, 0 done, 10, 10 whole', 'they count, once');
SELECT is(take(16, 1, 2), '20', 'a part');
SELECT is(refund(16, 1, 7), 'in_progress 7/20', 'refunded in part');
SELECT is(undo(16, 1), 'undone', 'and undone');
SELECT is(take_each(16, '1x3', '2x1'), '23, 10 whole', 'that is subtracted from the next one');
SELECT is(take(17, 1, 2), '20', 'a part');
SELECT is(refund(17, 1, 20, 'card'), 'canceled 20/20', 'refunded by card');
SELECT is(undo(17, 1, true), 'undone', 'and undone after the card was charged again');
SELECT is(take_each(17, '1x3', '2x1'), '30, 10 whole', 'all is due again');
SELECT is(answer_of($$cancel_order('shop.orders', 18)$$), 'in_progress refunding due 40', 'an order');
SELECT is(refund(18, 1, 32), 'in_progress 32/40', 'refunded in part, in cash');
SELECT is(undo(18, 1), 'undone', 'and undone');
SELECT is(take_each(18, '1x3', '2x1'), '0 done, 8 whole', 'that counts for its parts, too');
SELECT is(take_each(19, '1x1', '1x1'), '10, 10', 'two parts');
SELECT is(refund(19, 1, 10), 'canceled 10/10', 'the first one refunded');
SELECT is(undo(19, 1), 'undone', 'and undone');
SELECT is(take(19, 1, 1), '0 done', 'the next one has its refund already');
SELECT is(take_each(19, '1x1', '2x1'), '10, 10 whole', 'the rest has not');
SELECT is((SELECT sum(refund_due) FROM shop.orders_cancellation WHERE order_id = 19 AND state <> 'undone')
          + 10, 40.00, 'in all what was paid');
UPDATE shop.orders SET paid = 25 WHERE id = 20;
SELECT is(take_each(20, '1x2', '1x1'), '20, 5', 'two parts, as much as was paid');
SELECT is(undo(20, 1), 'undone', 'the first one undone');
SELECT is(take_each(20, '1x2', '2x1'), '20, 0 whole', 'it is due again');
-- An undo of the order, with parts before it.
SELECT is(take(21, 1, 1), '10', 'a part');
SELECT is(answer_of($$cancel_order('shop.orders', 21)$$), 'in_progress refunding due 30', 'and the order');
SELECT is(refund(21, 2, 30), 'in_progress 30/30', 'refunded; it waits for the part');
SELECT is(undo(21, 2), 'undone', 'undone');
SELECT is(answer_of($$cancel_order('shop.orders', 21)$$), 'in_progress refunding due 0', 'and canceled again');
SELECT is(refund(21, 1, 10), 'canceled 10/10', 'the part');
SELECT is(status_of(21), 'canceled', 'completes it');

-- ------------------------------------------------------- refunds of several parts

SELECT is(take_each(22, '1x1', '1x2'), '10, 20', 'two parts');
SELECT is(refund(22, 1, 10.01), 'OC010', 'not more than is due for a part');
SELECT is(refund(22, 1, 4, 'card', 're_1'), 'in_progress 4/10', 'a refund with a reference');
SELECT is(refund(22, 1, 4, 'card', 're_1'), 'in_progress 4/10 unchanged', 'repeated');
SELECT is(refund(22, 2, 4, 'card', 're_1'), 'OC010',
          'for another part it is refused: the reference is that of the first one');
SELECT is(refund(22, 2, 5, 'card', 're_1'), 'OC010', 'with another amount it is refused');
SELECT is(refund(22, 2, 4, 'cash', 're_1'), 'OC010', 'and with another method');
SELECT is(outcome_of($$record_refund('shop.orders', 22, 4, 'card', 're_1')$$, 'concat_ws('' '', refunded, changed)'),
          '4 f', 'a retry needs no cancellation_id');
SELECT is(outcome_of($$record_refund('shop.orders', 22, 6, 'card', 're_2')$$), 'OC015', 'a new refund does');
SELECT is(refund(22, 1, 6, 'card', 're_2'), 'canceled 10/10', 'the rest of the first one');
SELECT is(outcome_of($$record_refund('shop.orders', 22, 20, 'card', 're_3')$$), 'canceled placed',
          'then there is only one left');
SELECT is(outcome_of($$record_refund('shop.orders', 22, 20, 'card', 're_3')$$), 'canceled placed unchanged', 'a retry');
SELECT is(refund(22, 1, 1), 'OC007', 'a part that is complete takes no more');
SELECT is(outcome_of($$record_refund('shop.orders', 22, 1, 'cash')$$), 'OC007', 'there is none left');
SELECT is(take(23, 1, 1), '10', 'a part of another order');
SELECT is(outcome_of(format($$record_refund('shop.orders', 23, 1, 'cash', cancellation_id => %s)$$, id)), 'OC007',
          'a cancellation that is not this order''s')
FROM unnest(ARRAY[cancellation_of(22, 1), cancellation_of(1, 1), -1, 0]) AS id;
SELECT is(answer_of($$request_cancel_items('shop.orders', 24, '[{"item": 241}]')$$), 'requested placed', 'a request');
SELECT is(refund(24, 1, 1), 'OC007', 'has nothing due yet');

-- ------------------------------------------------------- rounding

UPDATE shop.items SET price = 0.333, quantity = 3 WHERE id IN (301, 311);
UPDATE shop.orders SET paid = 6 WHERE id IN (30, 31);
SELECT is(take_each(30, '1x1', '1x1', '1x1', '2x1'), '0.33, 0.34, 0.33, 5 whole', 'sums that must be rounded');
SELECT is(take_each(31, '1x3', '2x1'), '1, 5 whole', 'add up to what the whole is');
UPDATE shop.items SET price = 0.004 WHERE id = 321;
SELECT is(take_each(32, '1x1', '1x1', '1x1', '2x1'), '0 done, 0.01, 0 done, 39.99 whole', 'half a cent');
UPDATE shop.items SET price = 1e20, quantity = 3.5 WHERE id = 331;
UPDATE shop.orders SET paid = 1e21 WHERE id = 33;
SELECT is(take_each(33, '1x0.5', '1x3'), '50000000000000000000, 300000000000000000000', 'large sums, of half a unit');
SELECT ordcancel.attach('shop.orders', 'status', refund_scale => 0);
UPDATE shop.items SET price = 33.5 WHERE id = 341;
UPDATE shop.orders SET paid = 106 WHERE id = 34;
SELECT is(take_each(34, '1x1', '1x1', '1x1', '2x1'), '34, 33, 34, 5 whole', 'yen');
SELECT ordcancel.attach('shop.orders', 'status', refund_scale => 3);
UPDATE shop.items SET price = 0.0005 WHERE id = 351;
SELECT is(take_each(35, '1x1', '1x1'), '0.001, 0 done', 'dinars');
SELECT ordcancel.attach('shop.orders', 'status', refund_scale => 2);

-- ------------------------------------------------------- amounts that are none

UPDATE shop.items SET price = NULL WHERE id = 401;
SELECT is(take_each(40, '1x2', '1x1', '2x1'), '0 done, 0 done, 40 whole', 'an amount that is NULL is none');
UPDATE shop.items SET price = price_of FROM (VALUES (411, numeric 'NaN'), (421, numeric 'Infinity')) AS v (i, price_of)
WHERE id = i;
SELECT is(take(n, 1, 1), 'OC014', 'an amount that is not finite: order ' || n) FROM generate_series(41, 42) AS n;
SELECT is(answer_of($$cancel_order('shop.orders', 41)$$), 'OC014', 'for the order, too');
SELECT is(parts_of(41), NULL, 'nothing is recorded');
SELECT is(units_of(41), '411: 0 of 3, 412: 0 of 1', 'nor canceled');
SELECT is(take(41, 2, 1), '5', 'other items of it can be');
UPDATE shop.orders SET paid = 'NaN' WHERE id = 43;
SELECT is(take(43, 1, 1), 'OC014', 'an order of which the paid sum is not finite');
SELECT is(units_of(43), '431: 0 of 3, 432: 0 of 1', 'nothing is canceled');
UPDATE shop.items SET price = -10 WHERE id = 441;
SELECT is(take_each(44, '1x3', '2x1'), '0 done, 40 whole', 'an item that was a rebate');

-- Without an expression of the order.
SELECT ordcancel.attach('shop.orders', 'status', unset => '{refund_due}');
UPDATE shop.items SET bulk = true WHERE id IN (451, 461);
SELECT is(take_each(45, '1x1', '1x2', '2x1'), '0 done, 15, 5 whole', 'the amounts of the items alone');
SELECT is(answer_of($$cancel_order('shop.orders', 46)$$), 'in_progress refunding due 20', 'of the whole order');
SELECT is(take(47, 1, 2), '20', 'a part');
SELECT is(answer_of($$cancel_order('shop.orders', 47)$$), 'in_progress refunding due 15', 'and the rest');
-- Without one of the items.
SELECT ordcancel.attach_items('shop.items', 'shop.orders', '{order_id}', unset => '{amount}');
SELECT ok(take_each(48, '1x1', '1x2', '2x1') ~ '^done, done, done whole$', 'without an amount nothing is due')
WHERE true;
SELECT ordcancel.attach('shop.orders', 'status', refund_due => 'paid');
SELECT is(take_each(49, '1x1', '1x2'), 'done, done', 'nor for a part, if only the order has an expression');
SELECT is(take(49, 2, 1), '40 whole', 'all of which is due with the last one');
SELECT is(items_on_record(49), '492 x 1', 'not for any item');

-- An expression that goes down by itself.
SELECT ordcancel.attach_items('shop.items', 'shop.orders', '{order_id}', amount => '(quantity - canceled) * price');
SELECT ordcancel.attach('shop.orders', 'status', refund_due => 'paid - back', refund_due_net => true);
SELECT is(take(50, 1, 2), '20', 'a part');
UPDATE shop.orders SET back = 20 WHERE id = 50;
SELECT is(refund(50, 1, 20), 'canceled 20/20', 'refunded, and written to the order');
SELECT is(take_each(50, '1x1', '2x1'), '10, 20 whole', 'what the expression says is what is left')
WHERE true;

-- ------------------------------------------------------- asked beforehand

SELECT ordcancel.attach('shop.orders', 'status', refund_due => 'paid', refund_due_net => false);
SELECT is((SELECT trim_scale(refund_due) FROM ordcancel.cancel_options('shop.orders', 51) WHERE verb = 'cancel_order'),
          40.0,
          'cancel_options: what an order would have due');
SELECT is(take(51, 1, 2), '20', 'a part');
SELECT is((SELECT trim_scale(refund_due) FROM ordcancel.cancel_options('shop.orders', 51) WHERE verb = 'cancel_order'),
          20.0,
          'and what is left after a part');
SELECT is((SELECT string_agg(concat_ws(' ', item, cancelable, trim_scale(amount)), ', ' ORDER BY item)
           FROM ordcancel.item_options('shop.orders', 51)), '511 1 10, 512 1 5',
           'item_options: the amounts that are left');

SELECT * FROM finish();
ROLLBACK;
