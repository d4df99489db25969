-- Money after the decision: less is paid back than is due, the refund follows the
-- cancellation, the amount due was wrong, a refund fails.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
SELECT no_plan();
SET LOCAL timezone = 'UTC';
SET LOCAL ordcancel.clock = '2026-05-05 12:00+00';

CREATE SCHEMA shop;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text NOT NULL DEFAULT 'placed', shop text,
                          paid numeric DEFAULT 40);
SELECT ordcancel.attach('shop.orders', 'status', policy_by => 'shop', refund_due => 'paid');
SELECT ordcancel.set_policy('shop.orders', requested_status => 'asked', in_progress_status => 'refunding',
                            canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.orders', 'placed', customer => 'request', merchant => 'cancel');
SELECT ordcancel.set_rule('shop.orders', 'packed', customer => 'request', merchant => 'request');
SELECT ordcancel.set_policy('shop.orders', policy => 'later', settlement => 'after_canceled');
INSERT INTO shop.orders SELECT n, 'placed', CASE WHEN n >= 100 THEN 'later' END FROM generate_series(1, 199) AS n;

CREATE FUNCTION outcome_with_money(call text) RETURNS text LANGUAGE sql AS $$
SELECT outcome_of(call, 'concat_ws('' '', state, order_status, CASE WHEN NOT changed THEN ''unchanged'' END,'
                        ' nullif(concat_ws(''/'', refunded, refund_due), ''''))', 'sqlstate', 'detail') $$;
CREATE FUNCTION event_types(integer) RETURNS text LANGUAGE sql AS $$
SELECT array_to_string(events_of($1, shown => 'type'), ' ') $$;
CREATE FUNCTION data_of(integer, type text) RETURNS jsonb LANGUAGE sql AS $$
SELECT data FROM shop.orders_cancellation_event WHERE order_id = $1 AND type = $2 ORDER BY event_id DESC LIMIT 1 $$;
CREATE FUNCTION cancel(integer, refund numeric DEFAULT NULL) RETURNS text LANGUAGE sql
    AS $$SELECT outcome_with_money(format('cancel_order(%L, %s, refund => %L)', 'shop.orders', $1, refund))$$;
CREATE FUNCTION refund(id integer, amount numeric, method text DEFAULT 'cash', reference text DEFAULT NULL) RETURNS text
    LANGUAGE sql AS $$
SELECT outcome_with_money(format('record_refund(%L, %s, %L, %L, %L)', 'shop.orders', id, amount, method, reference)) $$;
CREATE FUNCTION undo(integer, settled boolean DEFAULT false) RETURNS text LANGUAGE sql AS $$
SELECT outcome_with_money(format('undo_cancel(%L, %s, settled => %L)', 'shop.orders', $1, settled)) $$;
CREATE FUNCTION adjust(integer, due numeric, note text DEFAULT 'late capture') RETURNS text LANGUAGE sql AS $$
SELECT outcome_with_money(format('adjust_refund(%L, %s, %L, %L)', 'shop.orders', $1, due, note)) $$;
CREATE FUNCTION due() RETURNS text LANGUAGE sql AS $$
SELECT string_agg(order_id || ' ' || state || ' ' || outstanding, ', ' ORDER BY order_id::integer)
FROM ordcancel.refunds_due $$;

-- ------------------------------------------------------ the refund argument

SELECT is(cancel(1, 30), 'in_progress refunding 0/30', 'less is due than was paid');
SELECT is(data_of(1, 'accepted'), '{"refund_due": 30, "owed": 40}', 'the event has what the expression said');
SELECT is((SELECT refund_owed FROM shop.orders_cancellation WHERE order_id = 1), 40.0, 'and so has the record');
SELECT is(refund(1, 30.01), 'OC010 | 30 is due, of which 0 is already refunded.', 'no more is refunded');
SELECT is(refund(1, 30), 'canceled canceled 30/30', 'it is complete');
SELECT is(cancel(2, 0), 'canceled canceled 0', 'nothing is due, so it is canceled at once');
SELECT is(data_of(2, 'canceled'), '{"owed": 40}', 'what was kept is in the event');
SELECT is(cancel(3, 40), 'in_progress refunding 0/40', 'all of it');
SELECT is(cancel(3, 10), 'in_progress refunding unchanged 0/40', 'a repeated call changes nothing');
SELECT is(cancel(4, 40.01), 'OC010 | 40 is due.', 'not more than is due');
SELECT is(cancel(4, 40.001), 'in_progress refunding 0/40.00', 'less than a cent more is rounded');
SELECT throws_ok(format('SELECT ordcancel.cancel_order(%L, 5, refund => %L)', 'shop.orders', amount), 'OC010',
                 'amount due must be at least 0 and less than 10^18', 'not an amount: ' || amount)
FROM unnest('{-1,-0.01,NaN,Infinity,-Infinity}'::text[]) AS amount;
SELECT is(status_of(5), 'placed', 'what was refused changed nothing');
UPDATE shop.orders SET status = 'packed' WHERE id IN (6, 7);
SELECT is(cancel(6, 10),
          'OC010 | The call only requests the cancellation, and the amount is fixed when it is accepted.',
          'a request fixes no amount');
SELECT is(cancel(6), 'requested asked', 'the first call asks');
SELECT is(cancel(6, 10), 'in_progress refunding 0/10', 'the second accepts, with an amount');
SELECT outcome_of($$request_cancel('shop.orders', 7)$$);
SELECT is(outcome_with_money($$accept_cancel('shop.orders', 7, refund => 12.5)$$), 'in_progress refunding 0/12.5',
          'accept_cancel takes it too');
SELECT is(outcome_with_money($$override_cancel('shop.orders', 8, note => 'a favor', refund => 12.5)$$),
          'in_progress refunding 0/12.5', 'and override_cancel');
UPDATE shop.orders SET paid = NULL WHERE id = 9;
SELECT is(cancel(9, 1), 'OC010 | 0 is due.', 'nothing was paid');
SELECT is(cancel(9, 0), 'canceled canceled', 'so nothing is due');
SELECT is(undo(1), 'undone placed 30/30', 'undone, and kept');
SELECT is(cancel(1), 'in_progress refunding 0/10', 'what was kept is not due again');
SELECT is(undo(1), 'undone placed 0/10', 'undone again');
SELECT is(cancel(1, 11), 'OC010 | 10 is due.', 'and limits the amount');

-- ------------------------------------------------------------- settlement

SELECT is(cancel(100), 'canceled canceled 0/40', 'canceled at once, the refund follows');
SELECT is(event_types(100), 'canceled', 'one event');
SELECT is(data_of(100, 'canceled'), '{"refund_due": 40}', 'which says what is due');
UPDATE shop.orders SET status = 'canceled' WHERE id = 101;
SELECT is((SELECT state FROM shop.orders_cancellation WHERE order_id = 101), 'canceled', 'a plain update may do it');
SELECT is((SELECT refund_due FROM shop.orders_cancellation WHERE order_id = 101), 40.0, 'with the amount');
SELECT outcome_of($$undo_cancel('shop.orders', 101)$$);
SELECT is(due(), '3 in_progress 40, 4 in_progress 40.00, 6 in_progress 10, 7 in_progress 12.5, 8 in_progress 12.5, '
                 '100 canceled 40', 'refunds_due lists it; of what is undone nothing is due');
SELECT is(refund(100, 15), 'canceled canceled 15/40', 'a part is refunded');
SELECT is(refund(100, 25.01), 'OC010 | 40 is due, of which 15 is already refunded.', 'never more than is due');
SELECT is(refund(100, 25, 'cash', 'c2'), 'canceled canceled 40/40', 'the rest');
SELECT is(refund(100, 25, 'cash', 'c2'), 'canceled canceled unchanged 40/40', 'a repeated call adds nothing');
SELECT is(refund(100, 1), 'OC007 | Its cancellation is in state "canceled".', 'nothing more is due');
SELECT is(event_types(100), 'canceled refunded refunded', 'it was canceled once');
SELECT ok(due() !~ '100 ', 'it is no longer listed');
SELECT is((SELECT concat_ws(' ', count(*), min(refunded)) FROM ordcancel.cancel_order('shop.orders', 102,
                                                                        request_key => 'k')), '1 0', 'a request key');
SELECT is(refund(102, 10), 'canceled canceled 10/40', 'a refund');
SELECT is(outcome_with_money($$cancel_order('shop.orders', 102, request_key => 'k')$$),
          'canceled canceled unchanged 0/40', 'the repeated call has the first outcome');
SELECT is(refund(103, 1), 'OC007', 'what is not canceled has no refund');
SELECT is((ordcancel.decide('cancel_order', 'merchant', merchant => 'cancel', money_due => true,
                            settlement => settlement)).outcome, outcome, settlement)
FROM (VALUES ('before_canceled', 'in_progress'), ('after_canceled', 'canceled')) AS v (settlement, outcome);

-- ------------------------------------------------------------ adjust_refund

SELECT is(adjust(3, 55), 'in_progress refunding 0/55', 'more is due');
SELECT is(data_of(3, 'adjusted'), '{"refund_due": 55, "refund_due_before": 40, "refunded": 0, "note": "late capture"}',
          'the event says what it was, and why');
SELECT is(adjust(3, 55), 'in_progress refunding unchanged 0/55', 'a repeated call changes nothing');
SELECT is(refund(3, 20), 'in_progress refunding 20/55', 'a part is refunded');
SELECT is(adjust(3, 19.99), 'OC010 | 20 is already refunded.', 'not below that');
SELECT is(adjust(3, 30, NULL), 'OC006', 'needs a note');
SELECT is(adjust(3, 30, ' '), 'OC006', 'blanks are none');
SELECT is(adjust(3, amount), 'OC010', 'not an amount: ' || coalesce(amount::text, 'NULL'))
FROM unnest('{-1,NaN,Infinity,NULL,1e18,1e131071,999999999999999999.999}'::numeric[]) AS amount;
SELECT is(adjust(3, 20), 'canceled canceled 20/20', 'as much as is refunded completes it');
SELECT is(event_types(3), 'accepted adjusted refunded adjusted canceled', 'two events');
SELECT is(adjust(3, 25), 'in_progress refunding 20/25', 'more is due of what was complete');
SELECT is((SELECT closed_at FROM shop.orders_cancellation WHERE order_id = 3), NULL, 'it is not closed');
SELECT is(due() ~ '\y3 in_progress 5\y', true, 'it is listed again');
SELECT is(refund(3, 5), 'canceled canceled 25/25', 'and completed again');
SELECT is(adjust(2, 5, 'a favor'), 'in_progress refunding 0/5', 'of a cancellation without a refund');
SELECT is(adjust(100, 44), 'canceled canceled 40/44', 'with settlement after it stays canceled');
SELECT is(due() ~ '100 canceled 4\y', true, 'and is listed');
SELECT is(adjust(100, 40), 'canceled canceled 40/40', 'or not');
SELECT is(adjust(103, 5), 'OC007', 'nothing to adjust');
SELECT outcome_of($$request_cancel('shop.orders', 10)$$);
SELECT is(adjust(10, 5), 'OC007 | Its cancellation is in state "requested".', 'nor of a request');
SELECT is(undo(3), 'undone placed 25/25', 'undone');
SELECT is(adjust(3, 30), 'OC007', 'nor of what is undone');
SELECT is(cancel(3), 'in_progress refunding 0/15', 'what was kept counts');

-- ------------------------------------------------------ a refund that fails

SELECT is(cancel(11), 'in_progress refunding 0/40', 'canceled');
SELECT is(refund(11, 15, 'card', 're_1'), 'in_progress refunding 15/40', 'a refund');
SELECT is(refund(11, 25, 'card', 're_2'), 'canceled canceled 40/40', 'the last one');
SELECT is(refund(11, -25, 'card', 're_2'), 'in_progress refunding 15/40', 'fails: it is due again');
SELECT is(event_types(11), 'accepted refunded refunded canceled refunded', 'one event more');
SELECT is(data_of(11, 'refunded'), '{"amount": -25, "method": "card", "reference": "re_2", "refunded": 15,
                                     "refund_due": 40}', 'with the amount');
SELECT is(refund(11, -25, 'card', 're_2'), 'in_progress refunding unchanged 15/40', 'told again it takes nothing');
SELECT is(refund(11, 25, 'card', 're_2'), 'in_progress refunding unchanged 15/40',
          'the refund that was told late is the one that failed');
SELECT is(refund(11, 25, 'card', 're_3'), 'canceled canceled 40/40', 'paid again');
SELECT is(refund(11, -10, 'card', 're_1'), 'in_progress refunding 30/40', 'a part of one');
SELECT is(refund(11, -6, 'card', 're_1'), 'OC010 | That much is not recorded with reference "re_1" and method "card".',
          'not more than is left of it');
SELECT is(refund(11, -5, 'card', 're_1'), 'in_progress refunding 25/40', 'the rest');
SELECT is(refund(11, -5, 'cash', 're_3'), 'OC010 | That much is not recorded with reference "re_3" and method "cash".',
          'not by another method');
SELECT is(refund(11, -5, 'card', 're_9'), 'OC010 | That much is not recorded with reference "re_9" and method "card".',
          'nor of none');
SELECT is(refund(11, -5, 'card'), 'OC010 | That much is not recorded without a reference by "card".',
          'nor without a reference');
SELECT is(refund(11, -0.001, 'card', 're_3'),
          'OC010 | That much is not recorded with reference "re_3" and method "card".',
          'nor less than a cent');
SELECT is(undo(11), 'OC009 | A refund was made by a method whose refunds must be recaptured or repaid.',
          'the card must be charged again');
SELECT is(refund(11, -25, 'card', 're_3'), 'in_progress refunding 0/40', 'all of it has failed');
SELECT is(undo(11), 'undone placed 0/40', 'nothing to charge');
SELECT is(cancel(11), 'in_progress refunding 0/40', 'all is due');
SELECT is(refund(11, 30, 'cash', 'c1'), 'in_progress refunding 30/40', 'in cash');
SELECT is(undo(11), 'undone placed 30/40', 'undone; the customer has it');
SELECT is(refund(11, -30, 'cash', 'c1'), 'undone placed 0/40', 'but has not: the cash was returned');
SELECT is(event_types(11) ~ 'undone refunded$', true, 'which is an event');
SELECT is(cancel(11), 'in_progress refunding 0/40', 'so all is due');
SELECT is(refund(11, -30, 'cash', 'c1'), 'in_progress refunding unchanged 0/40', 'told again');
SELECT is((SELECT sum(refunded) FROM shop.orders_cancellation WHERE order_id = 11), 0.0,
          'nothing is with the customer');
SELECT is(cancel(104), 'canceled canceled 0/40', 'settlement after');
SELECT is(refund(104, 40, 'card', 're_1'), 'canceled canceled 40/40', 'refunded');
SELECT is(refund(104, -40, 'card', 're_1'), 'canceled canceled 0/40', 'it fails');
SELECT is(due() ~ '104 canceled 40\y', true, 'and is due');
SELECT is((SELECT string_agg(what, '; ' ORDER BY event_id) FROM ordcancel.timeline('shop.orders', '104')),
          'canceled the order; 40 to be refunded; refunded 40 by card (re_1); took back a refund of 40 by card (re_1); '
          '0 of 40 so far', 'the timeline tells it');
SELECT is((SELECT concat_ws(' | ', what, why) FROM ordcancel.timeline('shop.orders', '2') WHERE what ~ 'changed'),
          'changed the amount due from 0 to 5 | a favor', 'and what was adjusted');

-- Refunds without a reference: by their sum in one cancellation.
SELECT is(cancel(33), 'in_progress refunding 0/40', 'canceled');
SELECT is(refund(33, 15, 'bank_transfer'), 'in_progress refunding 15/40', 'a refund without a reference');
SELECT is(refund(33, 20, 'bank_transfer'), 'in_progress refunding 35/40', 'another one');
SELECT is(refund(33, 5, 'cash'), 'canceled canceled 40/40', 'and one by another method');
SELECT is(refund(33, -36, 'bank_transfer'), 'OC010 | That much is not recorded without a reference by "bank_transfer".',
          'no more than all of them fails');
SELECT is(refund(33, -30, 'bank_transfer'), 'in_progress refunding 10/40', 'they fail, as a sum');
SELECT is(data_of(33, 'refunded'),
          '{"amount": -30, "method": "bank_transfer", "refunded": 10, "refund_due": 40}', 'the event');
SELECT is(refund(33, -6, 'bank_transfer'), 'OC010 | That much is not recorded without a reference by "bank_transfer".',
          'and no more than is left');
SELECT is(refund(33, -5, 'cash', 'c1'), 'OC010 | That much is not recorded with reference "c1" and method "cash".',
          'nor with a reference');
SELECT is(refund(33, -5, 'bank_transfer'), 'in_progress refunding 5/40', 'the rest of it');
SELECT is(refund(33, 40, 'bank_transfer'), 'OC010 | 40 is due, of which 5 is already refunded.', 'cash has not failed');
SELECT is(refund(33, 35, 'bank_transfer'), 'canceled canceled 40/40', 'paid again');
SELECT is(undo(33, true), 'undone placed 40/40', 'undone');
UPDATE shop.orders SET paid = 60 WHERE id = 33;
SELECT is(cancel(33), 'in_progress refunding 0/60', 'canceled again');
SELECT is(refund(33, 10, 'bank_transfer'), 'in_progress refunding 10/60', 'a part');
SELECT is(refund(33, -10, 'bank_transfer'), 'in_progress refunding 0/60', 'the newest cancellation is meant');
SELECT is(refund(33, -35, 'bank_transfer'), 'undone refunding 5/40', 'or the one that has as much');
SELECT is(outcome_with_money(format($$record_refund('shop.orders', 33, -1, 'bank_transfer', cancellation_id => %s)$$,
                                    max(cancellation_id))),
          'OC010 | That much is not recorded without a reference by "bank_transfer".', 'or that which is named')
FROM shop.orders_cancellation WHERE order_id = 33;
SELECT is((SELECT sum(refunded) FROM shop.orders_cancellation WHERE order_id = 33), 5.0, 'the cash is left');
SELECT is((SELECT refunded FROM (SELECT (ordcancel.record_refund('shop.orders', 33, 20, 'cash')).*) AS r), 20.0,
          'a call for each column');
SELECT is((SELECT refunded FROM (SELECT (ordcancel.record_refund('shop.orders', 33, -10, 'cash')).*) AS r), 10.0,
          'is one call, that takes back, too');

-- What to do instead.
SELECT is(error_of($$SELECT ordcancel.record_refund('shop.orders', 33, 60, 'cash')$$, 'detail', 'hint'),
          '60 is due, of which 10 is already refunded. | If more is due, call ordcancel.adjust_refund() first.',
          'more than is due');
SELECT is(cancel(34), 'in_progress refunding 0/40', 'canceled');
SELECT is(refund(34, 40, 'card', 're_34'), 'canceled canceled 40/40', 'and complete');
SELECT is((SELECT concat_ws(' | ', allowed, condition, detail, hint) FROM ordcancel.cancel_options('shop.orders', 34)
           WHERE verb = 'record_refund'),
          'f | no_open_cancellation | Its cancellation is in state "canceled". | If a refund has failed, pass a'
          ' negative amount; if more is due, call ordcancel.adjust_refund() first.',
          'cancel_options says what can be recorded');
SELECT is(error_of('DELETE FROM shop.orders WHERE id = ' || id, 'detail', 'hint'), text, 'an order that is not deleted')
FROM (VALUES (33, 'The order has an open cancellation. | Call ordcancel.record_refund() first, or'
                  ' ordcancel.undo_cancel().'),
             (10, 'The order has an open cancellation. | Decide or withdraw the request first.'),
             (104, 'A refund of its cancellation is due. | Call ordcancel.record_refund() first, or'
                   ' ordcancel.undo_cancel().')) AS v (id, text);

-- ------------------- a refund fails after it has lowered what is due of another

SELECT is(cancel(12), 'in_progress refunding 0/40', 'canceled');
SELECT is(refund(12, 30, 'cash', 'c1'), 'in_progress refunding 30/40', 'a part is paid back');
SELECT is(undo(12), 'undone placed 30/40', 'the customer keeps it');
SELECT is(cancel(12, 6), 'in_progress refunding 0/6', 'so less is due, of which a fee is kept');
SELECT is(refund(12, 6, 'cash', 'c2'), 'canceled canceled 6/6', 'and paid');
SELECT is(refund(12, -20, 'cash', 'c1'), 'undone refunding 10/40', 'a part of the first refund fails');
SELECT is((SELECT concat_ws(' ', state, refunded, refund_due, refund_owed, refund_kept) FROM shop.orders_cancellation
           WHERE order_id = 12 AND state <> 'undone'), 'in_progress 6 26 30 10', 'it is due of the present one');
SELECT is(data_of(12, 'adjusted'), '{"refund_due": 26, "refund_due_before": 6, "refunded": 6}', 'which is an event');
SELECT is(due() ~ '\y12 in_progress 20\y', true, 'and in refunds_due');
SELECT is(refund(12, -20, 'cash', 'c1'), 'in_progress refunding unchanged 6/26', 'told again it adds nothing');
SELECT is(refund(12, -10, 'cash', 'c1'), 'undone refunding 0/40', 'the rest fails');
SELECT is(refund(12, 30, 'cash', 'c3'), 'canceled canceled 36/36', 'all but the fee is paid');
SELECT is(event_types(12) ~ 'canceled refunded adjusted refunded adjusted refunded canceled$', true, 'two events each');
SELECT is(cancel(105) || ' ' || refund(105, 40, 'cash', 'c1') || ' ' || undo(105) || ' ' || cancel(105),
          'canceled canceled 0/40 canceled canceled 40/40 undone placed 40/40 canceled canceled 0', 'settlement after');
SELECT is(refund(105, -40, 'cash', 'c1'), 'undone canceled 0/40', 'the order remains canceled');
SELECT is(due() ~ '105 canceled 40\y', true, 'and all is due');
SELECT is(cancel(13) || ' ' || refund(13, 30, 'card', 'c1') || ' ' || undo(13, true) || ' ' || cancel(13),
          'in_progress refunding 0/40 in_progress refunding 30/40 undone placed 30/40 in_progress refunding 0/40',
          'the customer has paid it back');
SELECT is(refund(13, -30, 'card', 'c1'), 'undone refunding 0/40', 'a late report of a failure');
SELECT is((SELECT refund_due FROM shop.orders_cancellation WHERE order_id = 13 AND state <> 'undone'), 40.0,
          'makes no more due than was paid');
UPDATE shop.orders SET paid = 25 WHERE id = 14;
SELECT is(cancel(14) || ' ' || refund(14, 25, 'cash', 'c1') || ' ' || undo(14),
          'in_progress refunding 0/25 canceled canceled 25/25 undone placed 25/25', 'more is kept');
UPDATE shop.orders SET paid = 20 WHERE id = 14;
SELECT is(cancel(14), 'canceled canceled 0', 'than was paid in the end');
SELECT is(refund(14, -5, 'cash', 'c1'), 'undone canceled 20/25', 'what is left is enough');
SELECT is(refund(14, -6, 'cash', 'c1'), 'undone refunding 14/25', 'and then it is not');
SELECT is(due() ~ '\y14 in_progress 6\y', true, 'by six');
SELECT is(cancel(15) || ' ' || refund(15, 40, 'cash', 'c1') || ' ' || undo(15) || ' ' || cancel(15),
          'in_progress refunding 0/40 canceled canceled 40/40 undone placed 40/40 canceled canceled 0', 'kept');
ALTER TABLE shop.orders DISABLE TRIGGER ALL;
UPDATE shop.orders SET status = 'placed' WHERE id = 15;
ALTER TABLE shop.orders ENABLE TRIGGER ALL;
SELECT is(left(refund(15, -40, 'cash', 'c1'), 5), 'OC013', 'the order and its cancellation disagree');
SELECT is(undo(15) || ' ' || refund(15, -40, 'cash', 'c1') || ' ' || cancel(15),
          'undone placed 0 undone placed 0/40 in_progress refunding 0/40', 'once it has ended, nothing is lost');

-- ------------------------- what is due again is not easier to undo than before

SELECT ordcancel.set_policy('shop.orders', policy => 'strict', undo => 'in_progress', undo_window => '1 day');
UPDATE shop.orders SET shop = 'strict' WHERE id IN (30, 31, 32);
SELECT is(cancel(id) || ' ' || refund(id, 40, 'cash', 'r'), 'in_progress refunding 0/40 canceled canceled 40/40',
          'canceled')
FROM generate_series(30, 32) AS id;
SELECT is(adjust(30, 40.01), 'in_progress refunding 40/40.01', 'a cent more is due');
SELECT is(undo(30), 'OC008 | Policy "strict" does not allow undoing a cancellation that has been complete.',
          'what has been canceled stays so');
SELECT is((SELECT bool_or(allowed) FROM ordcancel.cancel_options('shop.orders', 30) WHERE verb = 'undo_cancel'), false,
          'and is no option');
SELECT is((SELECT concat_ws(' ', first_closed_at, closed_at) FROM shop.orders_cancellation WHERE order_id = 30),
          '2026-05-05 12:00:00+00', 'the record has when it was canceled');
SELECT ordcancel.set_policy('shop.orders', policy => 'strict', undo => 'canceled');
SET LOCAL ordcancel.clock = '2026-05-06 11:00+00';
SELECT is(refund(31, -0.01, 'cash', 'r'), 'in_progress refunding 39.99/40', 'a cent comes back');
SELECT is(refund(32, -0.01, 'cash', 'r') || ' ' || refund(32, 0.01, 'cash', 's'),
          'in_progress refunding 39.99/40 canceled canceled 40.00/40', 'and is paid again');
SELECT is((SELECT first_closed_at || ' ' || closed_at FROM shop.orders_cancellation WHERE order_id = 32),
          '2026-05-05 12:00:00+00 2026-05-06 11:00:00+00', 'the record has both times');
SET LOCAL ordcancel.clock = '2026-05-06 12:00:01+00';
SELECT is(left(undo(id), 5), 'OC008', 'the window counts from when it was canceled first')
FROM generate_series(30, 32) AS id;
SET LOCAL ordcancel.clock = '2026-05-06 12:00+00';
SELECT is(undo(31), 'undone placed 39.99/40', 'it is the same');
SET LOCAL ordcancel.clock = '2026-05-05 12:00+00';

-- ---------------------------------------------------------- parts of orders

CREATE TABLE shop.items (id integer PRIMARY KEY, order_id integer NOT NULL, quantity integer NOT NULL,
                         canceled integer NOT NULL DEFAULT 0);
SELECT ordcancel.attach_items('shop.items', 'shop.orders', '{order_id}', 'quantity', 'canceled',
                              amount => '(quantity - canceled) * 10');
INSERT INTO shop.items SELECT 10 * n + i, n, 2 FROM unnest('{20,120}'::integer[]) AS n, generate_series(0, 1) AS i;
CREATE FUNCTION part(id integer, item integer, refund numeric DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
SELECT outcome_with_money(format('cancel_items(''shop.orders'', %s, ''[{"item": %s, "quantity": 1}]'', refund => %L)',
                                 id, 10 * id + item, refund)) $$;
SELECT is(part(20, 0, 7), 'in_progress placed 0/7', 'a part of which three are kept');
SELECT is(part(20, 0, 11), 'OC010 | 10 is due.', 'not more than the item cost');
SELECT is(part(20, 1), 'in_progress placed 0/10', 'another part');
SELECT is(outcome_with_money($$adjust_refund('shop.orders', 20, 8, 'less')$$),
          'OC015 | They are ' || (SELECT string_agg(cancellation_id::text, ', ' ORDER BY cancellation_id)
                                  FROM shop.orders_cancellation WHERE order_id = 20) || '.', 'which one?');
SELECT is(cancel(20), 'in_progress refunding 0/20', 'the rest: what was kept of the part stays kept');
SELECT is(outcome_with_money(format($$record_refund('shop.orders', 20, 7, 'card', 'p1', cancellation_id => %s)$$,
                                    (SELECT min(cancellation_id) FROM shop.orders_cancellation WHERE order_id = 20))),
          'canceled refunding 7/7', 'the first part is refunded');
SELECT is(outcome_with_money(format($$record_refund('shop.orders', 20, 20, 'card', 'p2', cancellation_id => %s)$$,
                                    (SELECT max(cancellation_id) FROM shop.orders_cancellation WHERE order_id = 20))),
          'in_progress refunding 20/20', 'and the order, which waits for the other part');
SELECT is(refund(20, 10, 'card', 'p3'), 'canceled canceled 10/10', 'which completes it');
SELECT is(refund(20, -7, 'card', 'p1'), 'in_progress refunding 0/7', 'a refund of a part fails: both are in progress');
SELECT is((SELECT string_agg(state || ' ' || scope, ', ' ORDER BY cancellation_id) FROM shop.orders_cancellation
           WHERE order_id = 20), 'in_progress items, canceled items, in_progress order', 'and no other');
SELECT is(refund(20, 7, 'card', 'p4'), 'canceled canceled 7/7', 'paid again');
SELECT is(outcome_with_money($$adjust_refund('shop.orders', 20, 23, 'it was too little')$$),
          'in_progress refunding 20/23', 'the order itself is meant');
INSERT INTO shop.items SELECT 210 + i, 21, 2 FROM generate_series(0, 1) AS i;
SELECT is(cancel(21) || ' ' || refund(21, 15, 'cash', 'c1') || ' ' || undo(21),
          'in_progress refunding 0/40 in_progress refunding 15/40 undone placed 15/40', 'the customer keeps 15');
SELECT is(part(21, 0) || ' ' || part(21, 1), 'canceled placed 0 in_progress placed 0/5', 'of two parts five are due');
SELECT is(refund(21, -15, 'cash', 'c1'), 'undone placed 0/40', 'the refund fails');
SELECT is((SELECT string_agg(state || ' ' || refund_due, ', ' ORDER BY cancellation_id) FROM shop.orders_cancellation
           WHERE order_id = 21), 'undone 40, canceled 0, in_progress 20', 'what both lack is due of the newest');
SELECT is(cancel(21), 'in_progress refunding 0/20', 'and the rest with the rest');
SELECT is(part(120, 0), 'canceled placed 0/10', 'with settlement after a part is canceled at once');
SELECT is(cancel(120), 'canceled canceled 0/30', 'and so is the order');
SELECT is(due() ~ '120 canceled 10, 120 canceled 30', true, 'both are due');

SELECT * FROM finish();
ROLLBACK;
