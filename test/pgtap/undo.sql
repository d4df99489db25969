-- How far an undo reaches and for how long, and where it leads.
BEGIN;
\ir include/helpers.sql
SELECT plan(41);
SET LOCAL timezone = 'UTC';
SET LOCAL ordcancel.clock = '2026-05-05 12:00+00';

CREATE SCHEMA shop;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text, due numeric);
SELECT ordcancel.attach('shop.orders', 'status', refund_due => 'due');
SELECT ordcancel.set_policy('shop.orders', requested_status => 'asked', in_progress_status => 'refunding',
                            canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.orders', 'placed', customer => 'cancel', merchant => 'cancel');
SELECT ordcancel.set_rule('shop.orders', 'preparing', customer => 'request', merchant => 'request');


CREATE FUNCTION undone(integer) RETURNS text
    LANGUAGE sql AS $$
SELECT outcome_of(format('undo_cancel(''shop.orders'', %s, ''n'', settled => true)', $1),
                  'concat_ws('' '', state, order_status)') $$;
-- ------------------------------------------------------- reach
-- For every reach: an order asked for, one in progress, one canceled.
CREATE FUNCTION reach(undo text) RETURNS text[]
    LANGUAGE plpgsql AS $$
DECLARE
    result text[];
BEGIN
    PERFORM ordcancel.set_policy('shop.orders', undo => undo);
    INSERT INTO shop.orders VALUES (1, 'preparing', NULL), (2, 'placed', 5), (3, 'placed', 0);
    PERFORM ordcancel.request_cancel('shop.orders', id) FROM shop.orders;
    result := ARRAY[undone(1), undone(2), undone(3)];
    RAISE EXCEPTION USING MESSAGE = result::text;
EXCEPTION WHEN raise_exception THEN
    RETURN SQLERRM::text[];
END $$;
SELECT is(reach('never'), '{OC008,OC008,OC008}', 'undo never: not even a request');
SELECT is(reach('requested'), '{denied preparing,OC008,OC008}', 'undo requested: nothing that is agreed on');
SELECT is(reach('in_progress'), '{denied preparing,undone placed,OC008}', 'undo in_progress: not what is done');
SELECT is(reach('canceled'), '{denied preparing,undone placed,undone placed}', 'undo canceled: everything');
SELECT ordcancel.set_policy('shop.orders', undo => 'never');
SELECT ordcancel.set_policy('shop.orders', unset => '{undo}');
INSERT INTO shop.orders VALUES (4, 'placed', NULL);
SELECT is((ordcancel.cancel_order('shop.orders', 4)).state, 'canceled', 'canceled');
SELECT is(undone(4), 'undone placed', 'unset, undo reaches everything again');

-- ------------------------------------------------------- window

SELECT ordcancel.set_policy('shop.orders', undo_window => '2 days');
INSERT INTO shop.orders SELECT n, 'placed', CASE WHEN n = 12 THEN 5 END FROM generate_series(10, 19) AS n;
INSERT INTO shop.orders VALUES (20, 'preparing', NULL);
SELECT is((ordcancel.cancel_order('shop.orders', n)).changed, true, 'canceled: ' || n)
FROM generate_series(10, 12) AS n;
SELECT is((ordcancel.request_cancel('shop.orders', 20)).changed, true, 'asked');
SET LOCAL ordcancel.clock = '2026-05-07 12:00+00';
SELECT is(undone(10), 'undone placed', 'at the very end of the window it can be undone');
SET LOCAL ordcancel.clock = '2026-05-07 12:00:00.000001+00';
SELECT throws_ok($$SELECT ordcancel.undo_cancel('shop.orders', 11)$$, 'OC008',
                 'cancellation of order 11 of shop.orders cannot be undone', 'a microsecond later no more');
SELECT results_eq('SELECT status FROM shop.orders WHERE id = 11', ARRAY['canceled'], 'and it stays canceled');
SELECT is(undone(20), 'denied preparing', 'a request that nobody decided has not closed');
SELECT is((ordcancel.record_refund('shop.orders', 12, 5, 'cash')).state, 'canceled', 'refunded late');
SET LOCAL ordcancel.clock = '2026-05-09 12:00:00.000001+00';
SELECT is(undone(12), 'undone placed', 'the window counts from when it was canceled, not from when it began');
SELECT ordcancel.set_policy('shop.orders', undo_window => '1000 years');
SELECT is(undone(11), 'undone placed', 'a longer window holds for what is canceled already');
SELECT ordcancel.set_policy('shop.orders', undo_window => '0');
SELECT is((ordcancel.cancel_order('shop.orders', 13)).changed, true, 'canceled with no time to regret');
SELECT is(undone(13), 'undone placed', 'at the same instant it can still be undone');
SELECT ordcancel.set_policy('shop.orders', unset => '{undo_window}');
SELECT is((ordcancel.cancel_order('shop.orders', 13)).changed, true, 'canceled again');
SET LOCAL ordcancel.clock = '2046-05-05 12:00+00';
SELECT is(undone(13), 'undone placed', 'without a window there is no limit');
SET LOCAL ordcancel.clock = '2026-05-05 12:00+00';

-- A day has 24 hours, whatever clocks do where the session is.
SET LOCAL timezone = 'Europe/Berlin';
SET LOCAL ordcancel.clock = '2026-03-28 12:00+00';
SELECT ordcancel.set_policy('shop.orders', undo_window => '1 day');
SELECT is((ordcancel.cancel_order('shop.orders', 14)).changed, true, 'canceled the day before clocks change');
SET LOCAL ordcancel.clock = '2026-03-29 12:00+00';
SELECT is(undone(14), 'undone placed', 'a day has 24 hours where clocks go forward');
SELECT ordcancel.set_policy('shop.orders', unset => '{undo_window}');
SET LOCAL timezone = 'UTC';

-- ------------------------------------------------------- what there is to undo

SELECT is(undone(19), 'OC008', 'an order that was never canceled');
INSERT INTO shop.orders VALUES (30, 'canceled', NULL);
SELECT is(undone(30), 'OC008', 'an order that came canceled, without a record of ours');
SELECT is((SELECT state || ' ' || changed FROM ordcancel.cancel_order('shop.orders', 30)), 'canceled false',
          'is canceled already');
SELECT is((SELECT state || ' ' || changed FROM ordcancel.request_cancel('shop.orders', 30)), 'canceled false',
          'for the customer too');
SELECT is((SELECT cancellation_id FROM ordcancel.cancel_order('shop.orders', 30)), NULL,
          'and no cancellation can be named');
INSERT INTO shop.orders VALUES (31, 'preparing', NULL);
SELECT is((ordcancel.request_cancel('shop.orders', 31)).state, 'requested', 'asked');
SELECT is((ordcancel.deny_cancel('shop.orders', 31, 'no')).state, 'denied', 'denied');
SELECT is(undone(31), 'OC008', 'a denial is not undone');
SELECT is((ordcancel.request_cancel('shop.orders', 31)).changed, true, 'it is asked again');

-- A status that the order has no other way to: it is given back all the same.
INSERT INTO shop.orders VALUES (32, 'limbo', NULL), (33, NULL, NULL);
SELECT is((ordcancel.override_cancel('shop.orders', 32, note => 'x')).order_status, 'canceled',
          'canceled from a status without a rule');
SELECT is(undone(32), 'undone limbo', 'it gets it back');
SELECT lives_ok($$SELECT ordcancel.override_cancel('shop.orders', 33, note => 'x')$$,
                'an order without a status can be canceled');
SELECT is(undone(33), 'undone', 'and undone');
SELECT results_eq('SELECT status FROM shop.orders WHERE id = 33', ARRAY[NULL::text], 'it has none again');

-- The policy that governs the order now decides, not the one at that time.
SELECT is((ordcancel.cancel_order('shop.orders', 15, actor => 'a')).changed, true, 'canceled');
SELECT ordcancel.set_policy('shop.orders', undo => 'never');
SELECT is(undone(15), 'OC008', 'a policy holds from when it is set');
SELECT is((SELECT status FROM shop.orders WHERE id = 15), 'canceled', 'also for what is done');
SELECT ordcancel.set_policy('shop.orders', undo => 'canceled', canceled_status => 'cancelled');
SELECT is(undone(15), 'undone placed', 'new words for statuses leave the old cancellations what they are');

SELECT * FROM finish();
ROLLBACK;
