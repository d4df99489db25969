-- A plain UPDATE of the status does and records what the function would have,
-- or is refused with 23514 and the condition's name as the constraint's.
BEGIN;
\ir include/helpers.sql
SELECT plan(95);
SET LOCAL timezone = 'UTC';
SET LOCAL ordcancel.clock = '2026-05-05 12:00+00';

CREATE SCHEMA shop;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text, placed_at timestamptz, due numeric, frozen boolean,
                          memo text);
SELECT ordcancel.attach('shop.orders', 'status', 'placed_at', refund_due => 'due');
SELECT ordcancel.set_policy('shop.orders', requested_status => 'asked', in_progress_status => 'refunding',
                            canceled_status => 'canceled',
                            customer_canceled_status => 'returned', grace => '30 minutes', decision_timeout => '1 day',
                            on_timeout => 'accept');
SELECT ordcancel.set_rule('shop.orders', 'placed', customer => 'cancel', customer_late => 'forbid',
                          merchant => 'cancel', hint => 'call us');
SELECT ordcancel.set_rule('shop.orders', 'preparing', customer => 'request', merchant => 'request');
SELECT ordcancel.add_block('shop.orders', 'frozen', 'frozen', 'thaw it');
INSERT INTO shop.orders SELECT n, 'placed', '2026-05-05 11:45+00' FROM generate_series(1, 29) AS n;
INSERT INTO shop.orders SELECT n, 'preparing', '2026-05-05 11:45+00' FROM generate_series(30, 59) AS n;

CREATE ROLE pgtap_shopper;
CREATE ROLE pgtap_clerk;
GRANT USAGE ON SCHEMA shop TO pgtap_shopper, pgtap_clerk;
GRANT SELECT, UPDATE ON shop.orders TO pgtap_shopper, pgtap_clerk;
SELECT ordcancel.grant_customer('pgtap_shopper');
SELECT ordcancel.grant_merchant('pgtap_clerk');

CREATE FUNCTION attempt_by(party text, statement text) RETURNS text
    LANGUAGE sql AS $$
SELECT attempt_as(CASE party WHEN 'customer' THEN 'pgtap_shopper' ELSE 'pgtap_clerk' END, statement) $$;
CREATE FUNCTION last_event(integer) RETURNS text
    LANGUAGE sql AS $$SELECT (events_of($1, 1))[1]$$;
CREATE FUNCTION set_status(party text, integer, text) RETURNS text
    LANGUAGE sql AS $$SELECT attempt_by(party, format('UPDATE shop.orders SET status = %L WHERE id = %s', $3, $2))$$;

-- ------------------------------------------------------- as the functions

SELECT is(set_status('merchant', 1, 'canceled'), 'ok', 'a merchant cancels');
SELECT is(record_of(1), 'canceled by merchant pgtap_clerk decided merchant pgtap_clerk was placed now canceled reason '
                        'note said undo', 'and it is recorded');
SELECT is(last_event(1), 'canceled placed>canceled canceled merchant pgtap_clerk update', 'and told');
SELECT is(set_status('customer', 2, 'returned'), 'ok', 'a customer cancels');
SELECT is(last_event(2), 'canceled placed>returned canceled customer pgtap_shopper update', 'into the status for that');
SELECT is(set_status('customer', 3, 'canceled'), '23514 cancellation_forbidden', 'and into no other');
SELECT is(set_status('merchant', 3, 'returned'), '23514 cancellation_forbidden', 'which is not the merchant''s');
SELECT is(set_status('customer', 30, 'asked'), 'ok', 'a customer asks');
SELECT is(record_of(30), 'requested by customer pgtap_shopper decided was preparing now asked reason note said undo',
          'and it is recorded');
SELECT is((SELECT deadline FROM shop.orders_cancellation WHERE order_id = 30), '2026-05-06 12:00+00',
          'with a deadline');
SELECT is(set_status('customer', 30, 'returned'), '23514 cancellation_forbidden', 'a customer does not decide it');
SELECT is(set_status('customer', 30, 'canceled'), '23514 cancellation_forbidden', 'whatever the word');
SET LOCAL ordcancel.actor = 'carl';
SET LOCAL ordcancel.reason = 'fraud';
SET LOCAL ordcancel.note = 'seen twice';
SELECT is(set_status('merchant', 30, 'canceled'), 'ok', 'a merchant accepts');
SELECT is(record_of(30), 'canceled by customer pgtap_shopper decided merchant carl was preparing now canceled reason '
                         'fraud note said seen twice undo',
          'with actor, reason and note of the settings');
SELECT is(set_status('merchant', 4, 'canceled'), 'ok', 'the same at the beginning');
SELECT is(record_of(4), 'canceled by merchant carl decided merchant carl was placed now canceled reason fraud note '
                        'seen twice said undo', 'of one');
RESET ordcancel.actor;
RESET ordcancel.reason;
RESET ordcancel.note;
SELECT is(set_status('customer', 31, 'asked') || ' ' || set_status('customer', 31, 'preparing'),
          'ok 23514 order_on_hold', 'a customer does not take it back by setting the old status');
SELECT is(last_event(31), 'requested preparing>asked requested customer pgtap_shopper update', 'the request stays');
SELECT is(set_status('merchant', 32, 'asked') || ' ' || set_status('merchant', 32, 'canceled'), 'ok ok',
          'a merchant cancels twice');
SELECT is(record_of(32),
          'canceled by merchant pgtap_clerk decided merchant pgtap_clerk was preparing now canceled reason note said '
          'undo',
          'first asks, then confirms');
SELECT is(set_status('merchant', 33, 'asked') || ' ' || set_status('merchant', 33, 'preparing'),
          'ok 23514 order_on_hold', 'nor does a merchant');
SELECT is(last_event(33), 'requested preparing>asked requested merchant pgtap_clerk update', 'whose request stays too');

-- ------------------------------------------------------- no short cuts

SELECT is(set_status('merchant', 34, 'canceled'), '23514 cancellation_forbidden', 'no jump where the rule says ask');
SELECT is(set_status('customer', 34, 'returned'), '23514 cancellation_forbidden', 'for neither party');
SELECT is(set_status('customer', 5, 'asked'), '23514 cancellation_forbidden', 'no asking where the rule says cancel');
SELECT is(set_status('customer', 34, 'refunding'), '23514 cancellation_forbidden',
          'no refunding of what is not agreed on');
SELECT is(set_status('merchant', 5, 'refunding'), '23514 cancellation_forbidden', 'nor where nothing is due');
SELECT throws_ok($$UPDATE shop.orders SET status = 'canceled' WHERE id = 34$$, '23514',
                 'status of order 34 of shop.orders cannot change from "preparing" to "canceled"',
                 'the message says what was tried');
UPDATE shop.orders SET due = 7 WHERE id IN (6, 35);
SELECT is(set_status('merchant', 6, 'canceled'), '23514 refund_not_settled', 'no jump over the refund');
SELECT is(set_status('merchant', 6, 'refunding'), 'ok', 'but into refunding');
SELECT is(last_event(6), 'accepted placed>refunding in_progress merchant pgtap_clerk {"refund_due": 7} update',
          'which accepts it');
SELECT is(set_status('merchant', 6, 'canceled'), '23514 refund_not_settled', 'no end before the last refund');
SELECT is(set_status('merchant', 6, 'placed'), '23514 order_is_canceled', 'no way back but undo_cancel');
SELECT is(set_status('merchant', 6, 'asked'), '23514 order_is_canceled', 'and no new request');
SELECT is((ordcancel.record_refund('shop.orders', 6, 7, 'cash')).order_status, 'canceled', 'the last refund ends it');
SELECT is(set_status('customer', 35, 'asked') || ' ' || set_status('merchant', 35, 'canceled'),
          'ok 23514 refund_not_settled', 'accepting does not jump over it either');
SELECT is(set_status('merchant', 1, status), '23514 order_is_canceled', 'out of canceled leads no update: ' || status)
FROM unnest('{placed,asked,refunding,returned,shipped,Canceled,""}'::text[]) AS status;
SELECT is(attempt_by('merchant', $$UPDATE shop.orders SET status = NULL WHERE id = 1$$), '23514 order_is_canceled',
          'not even to none');
UPDATE shop.orders SET frozen = true WHERE id = 7;
SELECT is(set_status('merchant', 7, 'canceled'), '23514 cancellation_blocked', 'a block holds for updates');
SELECT is(attempt_by('merchant', $$UPDATE shop.orders SET status = 'canceled', frozen = false WHERE id = 7$$),
          '23514 cancellation_blocked', 'also when they lift it in the same breath');
SELECT is(attempt_by('merchant', $$UPDATE shop.orders SET frozen = false WHERE id = 7$$) || ' '
          || set_status('merchant', 7, 'canceled'), 'ok ok', 'lifted before, it does not');
SELECT is(set_status('merchant', 36, 'shipped') || ' ' || set_status('merchant', 36, 'canceled'),
          'ok 23514 cancellation_forbidden', 'a status without a rule forbids');
SET LOCAL ordcancel.clock = '2026-05-05 12:15:00.000001+00';
SELECT is(set_status('customer', 8, 'returned'), '23514 grace_period_over', 'the window holds for updates');
SELECT is(attempt_by('customer',
              $$UPDATE shop.orders SET status = 'returned', placed_at = '2026-05-05 12:15+00' WHERE id = 8$$),
          '23514 grace_period_over', 'also when they move it in the same breath');
SET LOCAL ordcancel.clock = '2026-05-05 12:15+00';
SELECT is(set_status('customer', 8, 'returned'), 'ok', 'at its very end it is open');

-- ------------------------------------------------------- moving on

SELECT is(set_status('customer', 40, 'asked') || ' ' || set_status('merchant', 40, 'shipped'), 'ok ok',
          'an order may move on with a request open');
SELECT is(record_of(40),
          'denied by customer pgtap_shopper decided merchant pgtap_clerk was preparing now shipped reason note said '
          'undo',
          'which denies the request');
SELECT is(last_event(40),
          'denied asked>shipped denied merchant pgtap_clerk {"implicit": true, "moved_to": "shipped"} update',
          'implicitly');
SELECT is(status_of(40), 'shipped', 'and stays where it moved');
SELECT is(set_status('customer', 41, 'asked') || ' ' || set_status('merchant', 41, 'preparing'),
          'ok 23514 order_on_hold', 'but not back: that is what a stale save of the whole row looks like');
SELECT is(last_event(41), 'requested preparing>asked requested customer pgtap_shopper update',
          'and the customer''s request stays');
SELECT is(set_status('customer', 45, 'asked') || ' '
          || attempt_by('merchant', $$UPDATE shop.orders SET status = 'preparing', memo = 'gift wrap' WHERE id = 45$$)
          || ' ' || attempt_by('merchant', $$UPDATE shop.orders SET memo = 'gift wrap' WHERE id = 45$$),
          'ok 23514 order_on_hold ok', 'whatever else it writes');
SET LOCAL ROLE pgtap_clerk;
SELECT is(error_of($$UPDATE shop.orders SET status = 'preparing' WHERE id = 41$$),
          '23514 | order 41 of shop.orders is on hold | A cancellation request is open, and "preparing" is the status '
          'that the '
          'order had before it.'
          ' | Call ordcancel.withdraw_cancel() or ordcancel.deny_cancel() to end the request. A program that saves '
          'whole rows must read the order again first.',
          'the error says what it looks like, and what to call');
RESET ROLE;
SELECT is((SELECT string_agg(set_status('merchant', id, 'preparing'), ' ') FROM shop.orders WHERE id IN (41, 45)),
          '23514 order_on_hold 23514 order_on_hold', 'again and again');
-- Where the status stays, a save of it changes nothing.
SELECT ordcancel.set_policy('shop.orders', unset => '{requested_status}');
SELECT is((ordcancel.request_cancel('shop.orders', 46)).order_status, 'preparing', 'asked, the status stays');
SELECT is(set_status('merchant', 46, 'preparing') || ' ' || set_status('customer', 46, 'preparing'), 'ok ok',
          'which may be saved by anyone');
SELECT is((SELECT state FROM shop.orders_cancellation WHERE order_id = 46), 'requested', 'and the request stays');
SELECT is(set_status('merchant', 46, 'shipped'), 'ok', 'moving on');
SELECT is((SELECT state FROM shop.orders_cancellation WHERE order_id = 46), 'denied', 'denies it');
SELECT ordcancel.set_policy('shop.orders', requested_status => 'asked');
SELECT is(set_status('customer', 42, 'asked'), 'ok', 'asked before the policy says hold');
SELECT ordcancel.set_policy('shop.orders', on_progress => 'hold');
SELECT is(set_status('merchant', 42, 'shipped'), '23514 order_on_hold', 'held, an order does not move on');
SELECT is(set_status('merchant', 42, 'preparing'), '23514 order_on_hold', 'nor back');
SELECT is(attempt_by('merchant', $$UPDATE shop.orders SET memo = 'x' WHERE id = 42$$), 'ok',
          'other columns may change');
SELECT is(set_status('customer', 42, 'shipped'), '23514 order_on_hold', 'it is held for both parties');
SELECT is(set_status('customer', 42, 'preparing') || ' '
          || attempt_by('customer', $$SELECT ordcancel.withdraw_cancel('shop.orders', 42)$$), '23514 order_on_hold ok',
          'who asked takes it back by withdraw_cancel alone');
SELECT is(set_status('merchant', 42, 'shipped'), 'ok', 'and then it moves on');
SELECT is(set_status('customer', 43, 'asked') || ' ' || set_status('merchant', 43, 'canceled'), 'ok ok',
          'what is held may be accepted');

SELECT is(set_status('customer', 44, 'asked'), 'ok', 'asked');
SELECT ordcancel.set_policy('shop.orders', on_progress => 'deny');
SELECT throws_ok($$SELECT set_config('ordcancel.note', repeat('n', 2001), true)$$, '22023', NULL,
                 'a note that is too long is none');
SELECT set_config('ordcancel.note', repeat('n', 2000), true) IS NULL;
SELECT is(set_status('merchant', 44, 'shipped'), 'ok', 'a note');
RESET ordcancel.note;
SELECT is((SELECT decision_note FROM shop.orders_cancellation WHERE order_id = 44), NULL,
          'is not recorded by moving on');
SELECT ordcancel.set_policy('shop.orders', on_progress => 'hold');

-- ------------------------------------------------------- all or nothing, and nothing twice

CREATE TEMP TABLE events_before AS SELECT count(*) FROM shop.orders_cancellation_event;
SELECT is(attempt_by('merchant', $$UPDATE shop.orders SET status = 'canceled' WHERE id BETWEEN 10 AND 36$$),
          '23514 cancellation_forbidden', 'one refused row refuses the statement');
SELECT is(attempt_by('merchant', $$UPDATE shop.orders SET status = status, memo = 'y'$$), 'ok',
          'a status that stays is no change');
SELECT results_eq('SELECT count(*) FROM shop.orders_cancellation_event', 'SELECT * FROM events_before',
                  'and nothing is recorded');
SELECT is(attempt_by('merchant', $$UPDATE shop.orders SET status = 'canceled' WHERE id BETWEEN 10 AND 12$$), 'ok',
          'many rows at once');
SELECT is((SELECT count(*) FROM shop.orders_cancellation_event WHERE order_id BETWEEN 10 AND 12), 3::bigint,
          'are one event each');

-- ------------------------------------------------------- functions only

SELECT ordcancel.set_policy('shop.orders', on_progress => 'deny');
SELECT is(set_status('customer', 50, 'asked'), 'ok', 'asked while updates would do');
SELECT ordcancel.attach('shop.orders', 'status', 'placed_at', refund_due => 'due', plain_updates => false);
SELECT is(set_status('merchant', 13, 'canceled'), '23514 cancellation_forbidden',
          'with plain_updates off no update cancels');
SELECT is(set_status('customer', 51, 'asked'), '23514 cancellation_forbidden', 'nor asks');
SELECT is(set_status('merchant', 50, 'canceled'), '23514 cancellation_forbidden', 'nor accepts');
SELECT is(set_status('customer', 50, 'preparing'), '23514 order_on_hold', 'nor withdraws');
SELECT is(set_status('merchant', 50, 'shipped'), '23514 cancellation_forbidden', 'nor denies by moving on');
SELECT is(error_of($$UPDATE shop.orders SET status = 'shipped' WHERE id = 50$$),
          '23514 | status of order 50 of shop.orders cannot change from "asked" to "shipped"'
          ' | It would deny the open request, and the table was attached with plain_updates => false. '
          '| Call ordcancel.deny_cancel() first.',
          'and is told what to call');
SELECT is(last_event(50), 'requested preparing>asked requested customer pgtap_shopper update', 'the request is open');
SELECT is(attempt_by('merchant', $$SELECT ordcancel.deny_cancel('shop.orders', 50, 'no')$$) || ' '
          || set_status('merchant', 50, 'shipped'), 'ok ok', 'denied, it moves on');
SELECT is(last_event(50), 'denied asked>preparing denied merchant pgtap_clerk deny_cancel', 'and all is on record');
SELECT is(set_status('merchant', 47, 'shipped') || ' ' || attempt_by('merchant', 'UPDATE shop.orders SET memo = memo'),
          'ok ok', 'what records nothing goes on');
SELECT is(attempt_by('merchant', $$SELECT ordcancel.cancel_order('shop.orders', 13)$$), 'ok',
          'and the functions cancel');
SELECT is(last_event(13), 'canceled placed>canceled canceled merchant pgtap_clerk cancel_order',
          'which the event says');

SELECT * FROM finish();
ROLLBACK;
