-- Statuses that a merchant's plain UPDATE may give to a canceled order: an undo.
BEGIN;
\ir include/helpers.sql
\ir include/items.sql
SELECT plan(49);
SET LOCAL timezone = 'UTC';
SET LOCAL ordcancel.clock = '2026-05-05 12:00+00';

CREATE SCHEMA shop;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text, due numeric);
SELECT ordcancel.attach('shop.orders', 'status', refund_due => 'due');
SELECT ordcancel.set_policy('shop.orders', requested_status => 'asked', in_progress_status => 'refunding',
                            canceled_status => 'canceled', closed_statuses => '{archived}');
SELECT ordcancel.set_rule('shop.orders', 'placed', customer => 'cancel', merchant => 'cancel');
SELECT ordcancel.set_rule('shop.orders', 'draft', merchant => 'cancel', deletable => true);

CREATE FUNCTION set_status(id integer, status text) RETURNS text
    LANGUAGE sql AS $$ SELECT attempt(format('UPDATE shop.orders SET status = %L WHERE id = %s', status, id)) $$;
CREATE FUNCTION canceled(id integer) RETURNS text
    LANGUAGE sql AS $$ SELECT outcome_of(format('cancel_order(''shop.orders'', %s, ''out_of_stock'')', id)) $$;

-- ------------------------------------------------------- empty by default
INSERT INTO shop.orders SELECT n, 'placed', CASE WHEN n IN (3, 4) THEN 5 ELSE 0 END FROM generate_series(1, 12) AS n;
SELECT is(canceled(1), 'canceled canceled', 'canceled');
SELECT is(set_status(1, 'draft'), '23514 order_is_canceled', 'by default a plain UPDATE does not undo');
SELECT is(attempt(format('SELECT ordcancel.set_policy(''shop.orders'', reopen_statuses => %L)', ARRAY[s])), 'OC014',
          'no status to reopen with: ' || s)
FROM unnest('{asked,refunding,canceled,archived}'::text[]) AS s;
SELECT alike(ordcancel.set_policy('shop.orders', reopen_statuses => '{draft}'), '%reopen_statuses: none -> {draft}%',
             'set_policy says what changed');

-- ------------------------------------------------------- an undo
SELECT is(set_status(1, 'placed'), '23514 order_is_canceled', 'other statuses are refused, the prior one too');
SET LOCAL ordcancel.party = 'customer';
SELECT is(set_status(1, 'draft'), '23514 order_is_canceled', 'the customer does not reopen');
SET LOCAL ordcancel.party = 'merchant';
SET LOCAL ordcancel.actor = 'anna';
SET LOCAL ordcancel.note = 'By mistake.';
SET LOCAL ordcancel.reason = 'no such reason';
SELECT is(set_status(1, 'draft'), 'ok', 'the merchant does');
RESET ordcancel.reason;
RESET ordcancel.note;
SELECT is(status_of(1), 'draft', 'the order has the status of the UPDATE, not the prior one');
SELECT is(record_of(1), 'undone by merchant postgres decided merchant postgres was placed now draft'
                        ' reason out_of_stock note said undo By mistake.', 'the record is undone, with the note');
SELECT is((events_of(1))[2], 'undone canceled>draft undone merchant anna out_of_stock update',
          'and there is its event, with source update');
SELECT is(outcome_of($$undo_cancel('shop.orders', 1)$$), 'undone draft unchanged', 'undo_cancel has nothing to do');
SELECT is(canceled(1), 'canceled canceled', 'the order can be canceled again');
SELECT is(set_status(1, 'draft'), 'ok', 'and reopened again');

-- ------------------------------------------------------- its limits
SELECT is(canceled(2), 'canceled canceled', 'canceled');
SELECT ordcancel.set_policy('shop.orders', undo => 'in_progress');
SELECT is(error_of($$UPDATE shop.orders SET status = 'draft' WHERE id = 2$$),
          '23514 | cancellation of order 2 of shop.orders cannot be undone |'
          ' Policy "default" does not allow undoing a cancellation in state "canceled".', 'the reach of undo holds');
SELECT is(set_status(2, 'draft'), '23514 undo_not_allowed', 'its condition is that of undo_cancel');
SELECT is((SELECT detail FROM ordcancel.health('shop.orders') WHERE problem = 'policy_reopens_nothing'),
          'Policy "default" has reopen_statuses, but undo is "in_progress".', 'health says so');
SELECT ordcancel.set_policy('shop.orders', undo_window => '1 day', unset => '{undo}');
SELECT is((SELECT detail FROM ordcancel.health('shop.orders') WHERE problem = 'policy_reopens_nothing'), NULL,
          'until undo reaches canceled');
SET LOCAL ordcancel.clock = '2026-05-06 12:00:01+00';
SELECT is(set_status(2, 'draft'), '23514 undo_not_allowed', 'so does the window');
SET LOCAL ordcancel.clock = '2026-05-06 12:00+00';
SELECT is(set_status(2, 'draft'), 'ok', 'in which it is reopened');
SELECT ordcancel.set_policy('shop.orders', unset => '{undo_window}');

SELECT is(canceled(3), 'in_progress refunding', 'in progress');
SELECT is(outcome_of($$record_refund('shop.orders', 3, 2, 'card')$$), 'in_progress refunding', 'partly refunded');
SELECT is(error_of($$UPDATE shop.orders SET status = 'draft' WHERE id = 3$$),
          '23514 | refund of order 3 of shop.orders is not settled |'
          ' A refund was made by a method whose refunds must be recaptured or repaid. |'
          ' Recover the refund, then call ordcancel.undo_cancel(..., settled => true).',
              'an unsettled refund prevents it');
SELECT is(canceled(4), 'in_progress refunding', 'in progress');
SELECT is(set_status(4, 'canceled'), '23514 refund_not_settled', 'what is due is not skipped');
SELECT is(set_status(4, 'draft'), 'ok', 'without refunds it is reopened');
SELECT is((events_of(4))[2], 'undone refunding>draft undone merchant anna out_of_stock update', 'and recorded');
SELECT ordcancel.set_policy('shop.orders', undo => 'requested');
SELECT is(canceled(4), 'in_progress refunding', 'again');
SELECT is(set_status(4, 'draft'), '23514 undo_not_allowed', 'beyond the reach of undo it is not');
SELECT ordcancel.set_policy('shop.orders', unset => '{undo}');

-- ------------------------------------------------------- archived, imported, requested
SELECT is(canceled(5), 'canceled canceled', 'canceled');
UPDATE shop.orders SET status = 'archived' WHERE id = 5;
SELECT is(set_status(5, 'draft'), 'ok', 'from a closed status, too');
SELECT is((events_of(5))[2], 'undone archived>draft undone merchant anna out_of_stock update', 'and recorded');
INSERT INTO shop.orders VALUES (20, 'canceled', 0);
SELECT is(set_status(20, 'placed'), '23514 order_is_canceled', 'an order imported as canceled');
SELECT is(set_status(20, 'draft'), 'ok', 'is reopened');
SELECT is((SELECT count(*)::integer FROM shop.orders_cancellation WHERE order_id = 20), 0, 'with nothing to record');
SELECT ordcancel.set_rule('shop.orders', 'preparing', customer => 'request');
INSERT INTO shop.orders VALUES (21, 'preparing', 0);
SELECT is(outcome_of($$request_cancel('shop.orders', 21)$$), 'requested asked', 'a request');
SELECT is(set_status(21, 'draft'), 'ok', 'is denied by a move');
SELECT is((events_of(21))[2], 'denied asked>draft denied merchant anna '
                              '{"implicit": true, "moved_to": "draft"} update', 'not undone');

-- ------------------------------------------------------- plain_updates => false
SELECT ordcancel.attach('shop.orders', plain_updates => false);
SELECT is(canceled(6), 'canceled canceled', 'canceled');
SELECT is(error_of($$UPDATE shop.orders SET status = 'draft' WHERE id = 6$$),
          '23514 | status of order 6 of shop.orders cannot change from "canceled" to "draft" |'
          ' The table was attached with plain_updates => false. | Call a function of ordcancel instead.',
          'plain_updates => false refuses it');
SELECT ordcancel.attach('shop.orders', unset => '{plain_updates}');

-- ------------------------------------------------------- items
CREATE TABLE shop.items (id integer PRIMARY KEY, order_id integer, quantity integer, canceled integer DEFAULT 0,
                         price numeric);
INSERT INTO shop.items VALUES (1, 7, 3, 0, 10), (2, 7, 1, 0, 5);
SELECT ordcancel.attach_items('shop.items', 'shop.orders', '{order_id}', quantity => 'quantity',
                              canceled => 'canceled');
SELECT is(outcome_of($$cancel_items('shop.orders', 7, '[{"item": 1, "quantity": 1}]')$$), 'canceled placed', 'a part');
SELECT is(canceled(7), 'canceled canceled', 'then the rest');
SELECT is(units_of(7), '1: 3 of 3, 2: 1 of 1', 'all units are canceled');
SELECT is(set_status(7, 'draft'), 'ok', 'reopened');
SELECT is(units_of(7), '1: 1 of 3, 2: 0 of 1', 'the units of the order''s cancellation are given back, as undo does');
SELECT is((SELECT string_agg(problem, ', ') FROM ordcancel.health WHERE problem ~ 'differ|record'), NULL,
          'health finds nothing wrong');
SELECT * FROM finish();
ROLLBACK;
