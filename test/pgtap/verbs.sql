-- Every arrow of a cancellation's life, by the function that takes it: what it
-- returns, what the order and the cancellation look like then, what is told.
BEGIN;
\ir include/helpers.sql
SELECT plan(40);
SET LOCAL timezone = 'UTC';
SET LOCAL ordcancel.clock = '2026-05-05 12:00+00';
SET LOCAL ordcancel.actor = 'till 4';

CREATE SCHEMA shop;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text, placed_at timestamptz, due numeric);
SELECT ordcancel.attach('shop.orders', 'status', 'placed_at', refund_due => 'due');
SELECT ordcancel.set_policy('shop.orders', requested_status => 'asked', in_progress_status => 'refunding',
                            canceled_status => 'canceled', customer_canceled_status => 'returned');
SELECT ordcancel.set_rule('shop.orders', 'placed', customer => 'cancel', merchant => 'cancel');
SELECT ordcancel.set_rule('shop.orders', 'preparing', customer => 'request', merchant => 'request');
SELECT ordcancel.set_rule('shop.orders', 'shipped', hint => 'process it as a return');
CREATE FUNCTION outcome_with_times(call text) RETURNS text
    LANGUAGE sql AS $$
SELECT outcome_of(call, 'concat_ws('' '', state, order_status, CASE WHEN changed THEN ''changed'' ELSE ''unchanged'' '
                        'END,'
                        ' refund_due, refunded, ''asked'', requested_at::time, ''decided'', decided_at::time,'
                        ' ''closed'', closed_at::time)') $$;

-- none → requested → canceled
INSERT INTO shop.orders SELECT n, 'preparing', '2026-05-05 11:00+00', NULL FROM generate_series(1, 9) AS n;
SELECT is(outcome_with_times($$request_cancel('shop.orders', 1, 'found_cheaper_price', 'sorry', 'anna')$$),
          'requested asked changed asked 12:00:00 decided closed', 'a customer asks where the rule says request');
SELECT is(record_of(1), 'requested by customer anna decided was preparing now asked reason found_cheaper_price note '
                        'sorry said undo',
          'the request is recorded as it was made');
SET LOCAL ordcancel.clock = '2026-05-05 12:05+00';
SELECT is(outcome_with_times($$accept_cancel('shop.orders', 1, NULL, 'never mind', 'bert')$$),
          'canceled canceled changed asked 12:00:00 decided 12:05:00 closed 12:05:00',
          'a merchant accepts the request');
SELECT is(record_of(1), 'canceled by customer anna decided merchant bert was preparing now canceled reason '
                        'found_cheaper_price note sorry said never mind undo',
          'the acceptance is recorded beside the request');
SELECT is(events_of(1), ARRAY['requested preparing>asked requested customer anna found_cheaper_price request_cancel',
                              'canceled asked>canceled canceled merchant bert found_cheaper_price accept_cancel'],
          'asking and accepting are told once each');
SELECT results_eq('SELECT status FROM shop.orders WHERE id = 1', ARRAY['canceled'], 'the order is canceled');

SELECT is(outcome_with_times($$request_cancel('shop.orders', 2)$$) || ' / '
          || outcome_with_times($$cancel_order('shop.orders', 2, 'out_of_stock', 'gone')$$),
          'requested asked changed asked 12:05:00 decided closed / canceled canceled changed asked 12:05:00 decided '
          '12:05:00 closed 12:05:00',
          'cancel_order of a merchant confirms what the customer asked for');
SELECT is(record_of(2), 'canceled by customer till 4 decided merchant till 4 was preparing now canceled reason '
                        'out_of_stock note said gone undo',
          'the confirming merchant gives the reason that the customer did not');

-- requested → withdrawn, denied
SELECT is(outcome_with_times($$request_cancel('shop.orders', 3)$$) || ' / '
          || outcome_with_times($$withdraw_cancel('shop.orders', 3, 'changed my mind', 'anna')$$),
          'requested asked changed asked 12:05:00 decided closed / withdrawn preparing changed asked 12:05:00 decided '
          'closed 12:05:00',
          'who asked takes it back, and the order is as before');
SELECT is(record_of(3), 'withdrawn by customer till 4 decided was preparing now preparing reason note said changed my '
                        'mind undo',
          'a withdrawn request was decided by nobody');
SELECT is(events_of(3), ARRAY['requested preparing>asked requested customer till 4 request_cancel',
                              'withdrawn asked>preparing withdrawn customer anna withdraw_cancel'],
          'the withdrawal is told');

SELECT is(outcome_with_times($$request_cancel('shop.orders', 4)$$) || ' / '
          || outcome_with_times($$deny_cancel('shop.orders', 4, 'packed already', 'bert')$$),
          'requested asked changed asked 12:05:00 decided closed / denied preparing changed asked 12:05:00 decided '
          '12:05:00 closed 12:05:00',
          'a merchant denies, and the order is as before');
SELECT is(record_of(4), 'denied by customer till 4 decided merchant bert was preparing now preparing reason note said '
                        'packed already undo',
          'the denial is recorded with its note');
SELECT is(events_of(4), ARRAY['requested preparing>asked requested customer till 4 request_cancel',
                              'denied asked>preparing denied merchant bert deny_cancel'], 'the denial is told');
SELECT is(outcome_with_times($$request_cancel('shop.orders', 4)$$),
          'requested asked changed asked 12:05:00 decided closed',
          'after a denial the customer may ask again');
SELECT results_eq('SELECT state FROM shop.orders_cancellation WHERE order_id = 4 ORDER BY cancellation_id',
                  ARRAY['denied', 'requested'], 'each attempt has a record of its own');

-- a merchant asks first: cancel twice
SELECT is(outcome_with_times($$cancel_order('shop.orders', 5, 'fraud', actor => 'bert')$$) || ' / ' || record_of(5),
          'requested asked changed asked 12:05:00 decided closed / requested by merchant bert decided was preparing '
          'now asked reason fraud note said undo',
          'the first cancel_order of a merchant asks where the rule says request');
SELECT is(outcome_with_times($$cancel_order('shop.orders', 5, actor => 'carl')$$) || ' / ' || record_of(5),
          'canceled canceled changed asked 12:05:00 decided 12:05:00 closed 12:05:00'
          ' / canceled by merchant bert decided merchant carl was preparing now canceled reason fraud note said undo',
          'the second confirms');
SELECT is(events_of(5), ARRAY['requested preparing>asked requested merchant bert fraud cancel_order',
                              'canceled asked>canceled canceled merchant carl fraud cancel_order'],
          'both calls of a merchant are told');
SELECT is(outcome_with_times($$cancel_order('shop.orders', 6)$$) || ' / '
          || outcome_with_times($$withdraw_cancel('shop.orders', 6)$$),
          'requested asked changed asked 12:05:00 decided closed / withdrawn preparing changed asked 12:05:00 decided '
          'closed 12:05:00',
          'a merchant takes its own request back');
SELECT is(outcome_with_times($$cancel_order('shop.orders', 7)$$) || ' / '
          || outcome_with_times($$accept_cancel('shop.orders', 7)$$),
          'requested asked changed asked 12:05:00 decided closed / canceled canceled changed asked 12:05:00 decided '
          '12:05:00 closed 12:05:00',
          'a merchant''s request can be accepted');
DO $$BEGIN PERFORM ordcancel.cancel_order('shop.orders', 8); END$$;
SELECT throws_ok($$SELECT ordcancel.deny_cancel('shop.orders', 8, 'no')$$, 'OC003',
                 'cancellation request of order 8 of shop.orders cannot be denied by the merchant',
                 'a merchant withdraws its own request, it does not deny it');

-- none → canceled
INSERT INTO shop.orders SELECT n, 'placed', '2026-05-05 11:00+00', NULL FROM generate_series(11, 19) AS n;
SELECT is(outcome_with_times($$request_cancel('shop.orders', 11, actor => 'anna')$$),
          'canceled returned changed asked 12:05:00 decided 12:05:00 closed 12:05:00',
          'a customer cancels at once, into the status for that');
SELECT is(record_of(11),
          'canceled by customer anna decided customer anna was placed now returned reason note said undo',
          'who cancels at once has asked and decided');
SELECT is(events_of(11), ARRAY['canceled placed>returned canceled customer anna request_cancel'],
          'cancelling at once is one event');
SELECT is(outcome_with_times($$cancel_order('shop.orders', 12, 'other', 'the van broke down', 'bert')$$),
          'canceled canceled changed asked 12:05:00 decided 12:05:00 closed 12:05:00', 'a merchant cancels at once');
SELECT is(events_of(12), ARRAY['canceled placed>canceled canceled merchant bert other cancel_order'],
          'the reason is told, the note is not');

-- → undone
SELECT is(outcome_with_times($$undo_cancel('shop.orders', 12, 'the van runs', 'dora')$$),
          'undone placed changed asked 12:05:00 decided 12:05:00 closed 12:05:00', 'a cancellation is undone');
SELECT is(record_of(12), 'undone by merchant bert decided merchant bert was placed now placed reason other note the '
                         'van broke down said undo the van runs',
          'the undo leaves who asked and decided');
SELECT is((events_of(12))[2], 'undone canceled>placed undone merchant dora other undo_cancel', 'the undo is told');
SELECT is(outcome_with_times($$cancel_order('shop.orders', 12)$$),
          'canceled canceled changed asked 12:05:00 decided 12:05:00 closed 12:05:00',
          'after an undo the order can be canceled again');
SELECT is(outcome_with_times($$undo_cancel('shop.orders', 8, 'mistake')$$),
          'withdrawn preparing changed asked 12:05:00 decided closed 12:05:00',
          'undoing a request withdraws it');
SELECT is((events_of(8))[2], 'withdrawn asked>preparing withdrawn merchant till 4 undo_cancel',
          'and is told as a withdrawal');

-- in spite of the rules
INSERT INTO shop.orders VALUES (21, 'shipped', '2026-05-05 11:00+00', NULL), (22, 'nowhere', NULL, 5);
SELECT throws_ok($$SELECT ordcancel.cancel_order('shop.orders', 21)$$, 'OC003',
                 'order 21 of shop.orders cannot be canceled by the merchant in status "shipped"',
                 'what the rule forbids is refused');
SELECT throws_ok($$SELECT ordcancel.request_cancel('shop.orders', 22)$$, 'OC003',
                 'order 22 of shop.orders cannot be canceled by the customer in status "nowhere"',
                 'a status without a rule is forbidden');
SELECT is(outcome_with_times($$override_cancel('shop.orders', 21, 'fraud', 'police', 'eva')$$),
          'canceled canceled changed asked 12:05:00 decided 12:05:00 closed 12:05:00',
          'override_cancel cancels in spite of the rule');
SELECT is(events_of(21),
          ARRAY['canceled shipped>canceled canceled merchant eva fraud {"override": true} override_cancel'],
          'and the event says that it was one');
SELECT throws_ok($$SELECT ordcancel.override_cancel('shop.orders', 22, 'fraud', '  ')$$, 'OC006', NULL,
                 'an override needs a note');
SELECT is(outcome_with_times($$override_cancel('shop.orders', 22, note => 'police')$$),
          'in_progress refunding changed 5 0 asked 12:05:00 decided 12:05:00 closed',
          'an override does not pass over the refund');
SELECT is((events_of(22))[1],
          'accepted nowhere>refunding in_progress merchant till 4 {"override": true, "refund_due": 5} override_cancel',
          'and is told as accepted');

SELECT * FROM finish();
ROLLBACK;
