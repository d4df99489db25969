-- The money: what is due is settled when the cancellation is agreed on, the
-- last refund completes it, and an undo asks for what must come back.
BEGIN;
\ir include/helpers.sql
SELECT plan(64);
SET LOCAL timezone = 'UTC';
SET LOCAL ordcancel.clock = '2026-05-05 12:00+00';

CREATE SCHEMA shop;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text, paid numeric(12,2), points numeric(12,2));
SELECT ordcancel.attach('shop.orders', 'status', refund_due => 'paid - points');
SELECT ordcancel.set_policy('shop.orders', requested_status => 'asked', in_progress_status => 'refunding',
                            canceled_status => 'canceled', customer_canceled_status => 'returned');
SELECT ordcancel.set_rule('shop.orders', 'placed', customer => 'cancel', merchant => 'cancel');
SELECT ordcancel.set_rule('shop.orders', 'preparing', customer => 'request', merchant => 'request');
INSERT INTO shop.orders SELECT n, 'placed', 100, 20 FROM generate_series(1, 29) AS n;
INSERT INTO shop.orders SELECT n, 'preparing', 100, 20 FROM generate_series(30, 39) AS n;


CREATE FUNCTION outcome_with_money(call text) RETURNS text
    LANGUAGE sql AS $$
SELECT outcome_of(call, 'format(''%s %s due %s refunded %s closed %s'', state, order_status, refund_due, refunded,'
                        ' closed_at::time)') $$;
CREATE FUNCTION last_events(integer, integer) RETURNS text[]
    LANGUAGE sql AS $$
SELECT events_of($1, $2, 'concat_ws('' '', type, from_status || ''>'' || to_status, state)') $$;

-- ------------------------------------------------------- what is due

SELECT is(outcome_with_money($$cancel_order('shop.orders', 1)$$), 'in_progress refunding due 80.00 refunded 0 closed ',
          'the expression says what is due');
SELECT is(last_events(1, 9), ARRAY['accepted placed>refunding in_progress'],
          'what is agreed on but not refunded is told as accepted');
SELECT is((SELECT data FROM shop.orders_cancellation_event WHERE order_id = 1), '{"refund_due": 80.00}',
          'with what is due');
UPDATE shop.orders SET points = 100 WHERE id = 2;
UPDATE shop.orders SET points = 120 WHERE id = 3;
UPDATE shop.orders SET points = NULL WHERE id = 4;
SELECT is(outcome_with_money($$cancel_order('shop.orders', 2)$$),
          'canceled canceled due 0.00 refunded  closed 12:00:00',
          'nothing due: canceled at once');
SELECT is(outcome_with_money($$cancel_order('shop.orders', 3)$$), 'canceled canceled due 0 refunded  closed 12:00:00',
          'less than nothing due: the same, and nothing is what is recorded');
SELECT is(outcome_with_money($$cancel_order('shop.orders', 4)$$), 'canceled canceled due  refunded  closed 12:00:00',
          'due unknown: the same');
SELECT is(outcome_with_money($$request_cancel('shop.orders', 30)$$), 'requested asked due  refunded  closed ',
          'a request owes nothing yet');
UPDATE shop.orders SET paid = 60 WHERE id = 30;
SELECT is(outcome_with_money($$accept_cancel('shop.orders', 30)$$),
          'in_progress refunding due 40.00 refunded 0 closed ',
          'what is due is what it is on acceptance');
UPDATE shop.orders SET paid = 600 WHERE id = 30;
SELECT is(outcome_with_money($$accept_cancel('shop.orders', 30)$$),
          'in_progress refunding due 40.00 refunded 0 closed ',
          'and stays so, whatever the order says later');

-- ------------------------------------------------------- refunding

SET LOCAL ordcancel.clock = '2026-05-05 13:00+00';
SELECT is(outcome_with_money($$record_refund('shop.orders', 1, 30, 'card', 'ch_1', 'anna')$$),
          'in_progress refunding due 80.00 refunded 30 closed ', 'a part of it is refunded');
SELECT is(last_events(1, 1), ARRAY['refunded refunding>refunding in_progress'], 'each refund is told');
SELECT results_eq($$SELECT actor, party, source, data FROM shop.orders_cancellation_event
                    WHERE order_id = 1 ORDER BY event_id DESC LIMIT 1$$,
                  $$VALUES ('anna', 'merchant', 'record_refund',
                            '{"amount": 30, "method": "card", "reference": "ch_1", "refunded": 30, "refund_due": '
                            '80.00}'::jsonb)$$,
                  'with amount, method and reference');
SELECT throws_ok($$SELECT ordcancel.record_refund('shop.orders', 1, 50.01, 'card')$$, 'OC010',
                 'refund of order 1 of shop.orders exceeds the amount due', 'never more than is due');
SELECT throws_ok(format($$SELECT ordcancel.record_refund('shop.orders', 1, %s, 'card')$$, amount), 'OC010',
                 'refund amount must be a positive number',
                 'not an amount: ' || amount)
FROM unnest('{0,"NULL",''NaN'',''Infinity'',''-Infinity''}'::text[]) AS amount;
SELECT throws_ok(format($$SELECT ordcancel.record_refund('shop.orders', 1, 5, %L)$$, method), 'OC010', NULL,
                 'not a method: ' || coalesce(method, 'NULL'))
FROM unnest('{cheque,Card,"",NULL}'::text[]) AS method;
SELECT throws_ok($$SELECT ordcancel.record_refund('shop.orders', 1, 5, 'card', repeat('x', 256))$$, '22001', NULL,
                 'a reference has 255 characters at most');
SELECT is((SELECT refunded FROM shop.orders_cancellation WHERE order_id = 1), 30.0, 'what was refused adds nothing');
SELECT is(outcome_with_money($$record_refund('shop.orders', 1, 49.99, 'points')$$),
          'in_progress refunding due 80.00 refunded 79.99 closed ', 'one cent is missing');
SELECT is(outcome_with_money($$record_refund('shop.orders', 1, 0.01, 'cash')$$),
          'canceled canceled due 80.00 refunded 80.00 closed 13:00:00', 'the last refund completes it');
SELECT is(last_events(1, 2), ARRAY['refunded refunding>refunding in_progress', 'canceled refunding>canceled canceled'],
          'the last refund is told, then that it is canceled');
SELECT results_eq($$SELECT decided_at::time, closed_at::time FROM shop.orders_cancellation WHERE order_id = 1$$,
                  $$VALUES (time '12:00', time '13:00')$$, 'it was decided before, and closes now');
SELECT throws_ok($$SELECT ordcancel.record_refund('shop.orders', 1, 1, 'cash')$$, 'OC007',
                 'order 1 of shop.orders has no open cancellation',
                 'after that no refund is taken');
SELECT throws_ok(format($$SELECT ordcancel.record_refund('shop.orders', %s, 1, 'cash')$$, id), 'OC007', NULL,
                 'no refund without a cancellation in progress: ' || id)
FROM unnest('{2,5}'::int[]) AS id;
SELECT is(outcome_with_money($$request_cancel('shop.orders', 31)$$), 'requested asked due  refunded  closed ', 'asked');
SELECT throws_ok($$SELECT ordcancel.record_refund('shop.orders', 31, 1, 'cash')$$, 'OC007', NULL,
                 'no refund before it is accepted');
INSERT INTO ordcancel.refund_method (code, on_undo) VALUES ('cheque', 'repay');
SELECT is(outcome_with_money($$record_refund('shop.orders', 30, 40, 'cheque')$$),
          'canceled canceled due 40.00 refunded 40 closed 13:00:00',
          'a method of one''s own, and all at once');

-- Whose cancellation it was decides the status, also at the end.
SELECT is(outcome_with_money($$request_cancel('shop.orders', 5)$$),
          'in_progress refunding due 80.00 refunded 0 closed ',
          'a customer cancels at once');
SELECT is(outcome_with_money($$record_refund('shop.orders', 5, 80, 'card')$$),
          'canceled returned due 80.00 refunded 80 closed 13:00:00',
          'and ends in the status for that');
SELECT is(outcome_with_money($$accept_cancel('shop.orders', 31)$$),
          'in_progress refunding due 80.00 refunded 0 closed ',
          'accepted by the merchant');
SELECT is(outcome_with_money($$record_refund('shop.orders', 31, 80, 'card')$$),
          'canceled canceled due 80.00 refunded 80 closed 13:00:00',
          'ends in the common one');

-- ------------------------------------------------------- and back again

CREATE FUNCTION refunded_by(integer, VARIADIC methods text[]) RETURNS text
    LANGUAGE plpgsql AS $$
DECLARE
    method text;
BEGIN
    PERFORM ordcancel.cancel_order('shop.orders', $1);
    FOREACH method IN ARRAY methods LOOP
        PERFORM ordcancel.record_refund('shop.orders', $1, 10, method);
    END LOOP;
    RETURN (SELECT state FROM shop.orders_cancellation WHERE order_id = $1);
END $$;
CREATE TEMP TABLE methods AS
SELECT row_number() OVER (ORDER BY code) + 5 AS id, code, on_undo FROM ordcancel.refund_method;
SELECT is((SELECT string_agg(code || ' ' || on_undo, ', ' ORDER BY code) FROM methods WHERE code <> 'cheque'),
          'bank_transfer repay, card recapture, cash nothing, points nothing, store_credit nothing, voucher nothing, '
          'wallet recapture',
          'the methods that come with it');
SELECT is(refunded_by(id::int, code), 'in_progress', 'refunded by ' || code) FROM methods;
SELECT throws_ok(format($$SELECT ordcancel.undo_cancel('shop.orders', %s)$$, id), 'OC009',
                 format('refund of order %s of shop.orders is not settled', id),
                 code || ' has to be settled before an undo')
FROM methods WHERE on_undo <> 'nothing' ORDER BY id;
SELECT is(outcome_with_money(format($$undo_cancel('shop.orders', %s)$$, id)),
          'undone placed due 80.00 refunded 10 closed 13:00:00',
          code || ' needs nothing')
FROM methods WHERE on_undo = 'nothing' ORDER BY id;
SELECT is(refunded_by(20, 'card', 'cash'), 'in_progress', 'refunded by card and cash');
SELECT throws_ok($$SELECT ordcancel.undo_cancel('shop.orders', 20)$$, 'OC009', NULL,
                 'one refund that has to be settled is enough');
SELECT throws_ok($$SELECT ordcancel.undo_cancel('shop.orders', 20, settled => NULL)$$, 'OC009', NULL,
                 'NULL does not say that it is');
SELECT is(outcome_with_money($$undo_cancel('shop.orders', 20, settled => true)$$),
          'undone placed due 80.00 refunded 20 closed 13:00:00', 'settled, it is undone');
SELECT is((SELECT data FROM shop.orders_cancellation_event WHERE order_id = 20 AND type = 'undone'),
          '{"settled": true}', 'and told so');
SELECT is(outcome_with_money($$cancel_order('shop.orders', 20)$$), 'in_progress refunding due 80.00 refunded 0 closed ',
          'what has come back is due again');
SELECT is(outcome_with_money($$undo_cancel('shop.orders', 20)$$), 'undone placed due 80.00 refunded 0 closed 13:00:00',
          'and has nothing to settle');
SELECT throws_ok($$SELECT ordcancel.undo_cancel('shop.orders', 5)$$, 'OC009', NULL,
                 'a complete one is not undone before it is settled');
SELECT is(outcome_with_money($$undo_cancel('shop.orders', 5, settled => true)$$),
          'undone placed due 80.00 refunded 80 closed 13:00:00', 'and then it is');

SELECT * FROM finish();
ROLLBACK;
