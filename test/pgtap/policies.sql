-- Which policy governs an order, its window, its rules, and what blocks it.
BEGIN;
\ir include/helpers.sql
SELECT plan(58);
SET LOCAL timezone = 'UTC';
SET LOCAL ordcancel.clock = '2026-05-05 12:00+00';

CREATE SCHEMA shop;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text, placed_at timestamptz, supplier integer,
                          invoiced numeric, memo text);
CREATE TABLE shop.invoices (order_id integer, paid boolean);
SET LOCAL search_path = public, shop;
SELECT ordcancel.attach('shop.orders', 'status', 'placed_at', policy_by => 'supplier');
SELECT ordcancel.set_policy('shop.orders', canceled_status => 'canceled', grace => '30 minutes');
SELECT ordcancel.set_rule('shop.orders', 'placed', customer => 'cancel', customer_late => 'request',
                          merchant => 'cancel', hint => 'call us');
SELECT ordcancel.set_rule('shop.orders', 'packed', customer => 'cancel', customer_late => 'forbid',
                          merchant => 'request', hint => 'it is on its way');
SELECT ordcancel.set_rule('shop.orders', 'priced', customer => 'request');


-- ------------------------------------------------------- window

INSERT INTO shop.orders (id, status, placed_at) VALUES
    (1, 'placed', '2026-05-05 11:30+00'), (2, 'placed', '2026-05-05 11:29:59.999999+00'), (3, 'placed', NULL),
    (4, 'packed', '2026-05-05 11:29:59.999999+00'), (5, 'placed', '2026-05-05 13:00+00'), (6, 'placed', '-infinity'),
    (7, 'placed', 'infinity'), (8, 'packed', '2026-05-05 11:00+00'), (9, 'packed', '2026-05-05 11:59+00'),
    (10, 'priced', NULL);
-- An error with its detail and hint.
CREATE FUNCTION outcome_or_why(verb text, id integer) RETURNS text LANGUAGE sql
    AS $$ SELECT outcome_of(format('%I(''shop.orders'', %s)', verb, id), 'concat_ws('' '', state, order_status)',
                            'sqlstate', 'detail', 'hint') $$;
SELECT is(outcome_or_why('request_cancel', 1), 'canceled canceled', 'at the very end of the window it is open');
SELECT is(outcome_or_why('request_cancel', 2), 'requested placed',
          'a microsecond later the rule for late customers holds');
SELECT is(outcome_or_why('request_cancel', 3), 'canceled canceled', 'while placed_at is unknown it is open');
SELECT is(outcome_or_why('request_cancel', 4),
          'OC004 | The customer''s grace period of policy "default" ended at 2026-05-05 11:59:59.999999+00. | it is '
          'on its way',
          'too late says since when');
SELECT is(outcome_or_why('request_cancel', 5), 'canceled canceled', 'before it was placed it is open');
SELECT is(outcome_or_why('request_cancel', 6), 'requested placed', 'placed long ago is late');
SELECT is(outcome_or_why('request_cancel', 7), 'canceled canceled', 'placed in a far future is not');
SELECT is(outcome_or_why('cancel_order', 8), 'requested packed', 'merchants have no window');
SELECT is(outcome_or_why('request_cancel', 9), 'canceled canceled',
          'within the window the customer may do what a merchant has to ask for');
SELECT is(outcome_or_why('cancel_order', 10), 'OC003 | The rule of policy "default" for status "priced" forbids it. '
                                    '| Call ordcancel.cancel_options() to see what is allowed.',
          'what a rule does not name is forbidden');
SELECT ordcancel.set_policy('shop.orders', unset => '{grace}');
INSERT INTO shop.orders (id, status, placed_at) VALUES (11, 'packed', '1999-01-01');
SELECT is(outcome_or_why('request_cancel', 11), 'canceled canceled', 'without a grace the window never closes');
SELECT ordcancel.set_policy('shop.orders', grace => '0');
INSERT INTO shop.orders (id, status, placed_at) VALUES (12, 'packed', '2026-05-05 12:00+00'),
    (13, 'packed', '2026-05-05 11:59:59.999999+00');
SELECT is(outcome_or_why('request_cancel', 12), 'canceled canceled', 'no grace at all leaves the instant');
SELECT is(left(outcome_or_why('request_cancel', 13), 5), 'OC004', 'and no more');

-- The other date types, read in the zone where the table was attached.
SET LOCAL timezone = 'Asia/Tokyo';
CREATE TABLE shop.local_orders (id integer PRIMARY KEY, status text, placed timestamp);
CREATE TABLE shop.daily_orders (id integer PRIMARY KEY, status text, placed date);
SELECT ordcancel.attach(t, 'status', 'placed') FROM unnest('{shop.local_orders,shop.daily_orders}'::regclass[]) AS t;
SELECT ordcancel.set_policy(t, canceled_status => 'canceled', grace => '1 day')
FROM unnest('{shop.local_orders,shop.daily_orders}'::regclass[]) AS t;
SELECT ordcancel.set_rule(t, 'new', customer => 'cancel', customer_late => 'forbid')
FROM unnest('{shop.local_orders,shop.daily_orders}'::regclass[]) AS t;
SET LOCAL timezone = 'UTC';
SET LOCAL ordcancel.clock = '2026-05-05 12:00+09';
INSERT INTO shop.local_orders VALUES (1, 'new', '2026-05-04 12:00'), (2, 'new', '2026-05-04 11:59:59.999999');
SELECT is((ordcancel.request_cancel('shop.local_orders', 1)).state, 'canceled',
          'a time without zone is one where the table was attached');
SELECT throws_ok($$SELECT ordcancel.request_cancel('shop.local_orders', 2)$$, 'OC004', NULL, 'to the microsecond');
SET LOCAL ordcancel.clock = '2026-05-06 00:00+09';
INSERT INTO shop.daily_orders VALUES (1, 'new', '2026-05-05'), (2, 'new', '2026-05-04');
SELECT is((ordcancel.request_cancel('shop.daily_orders', 1)).state, 'canceled', 'a date is its first instant there');
SELECT throws_ok($$SELECT ordcancel.request_cancel('shop.daily_orders', 2)$$, 'OC004', NULL,
                 'and the day before is over');
SET LOCAL ordcancel.clock = '2026-05-05 12:00+00';

-- ------------------------------------------------------- policy_by

SELECT ordcancel.set_policy('shop.orders', '7', canceled_status => 'gone', requested_status => 'asked',
                            copy_of => NULL);
SELECT ordcancel.set_rule('shop.orders', 'placed', customer => 'request', policy => '7');
INSERT INTO shop.orders (id, status, supplier) VALUES (20, 'placed', 7), (21, 'placed', 8), (22, 'placed', NULL),
    (23, 'packed', 7), (24, 'placed', 7), (25, 'placed', 7), (26, 'placed', 7);
SELECT is(outcome_or_why('request_cancel', 20), 'requested asked', 'the column names the order''s policy');
SELECT is(outcome_or_why('request_cancel', 21), 'canceled canceled', 'a name without a policy means default');
SELECT is(outcome_or_why('request_cancel', 22), 'canceled canceled', 'and so does none');
SELECT is(outcome_or_why('request_cancel', 23),
          'OC003 | Policy "7" has no rule for status "packed". | Call ordcancel.set_rule() '
                                      'for the status if it should be allowed.',
          'a policy of its own does not borrow rules');
SELECT is(outcome_or_why('accept_cancel', 20), 'canceled gone', 'each has its own words');
SELECT results_eq('SELECT order_id, policy FROM shop.orders_cancellation WHERE order_id IN (20, 21) ORDER BY 1',
                  $$VALUES (20, '7'), (21, 'default')$$, 'the policy is on record');
SELECT is(outcome_or_why('request_cancel', 24), 'requested asked', 'asked under one policy');
SELECT lives_ok('UPDATE shop.orders SET supplier = 8 WHERE id = 24',
                'it may change to one that does not know its status: the word of one is a word for all');
UPDATE shop.orders SET supplier = 7 WHERE id = 24;
UPDATE shop.orders SET supplier = 8 WHERE id = 25;
SELECT is(outcome_or_why('request_cancel', 25), 'canceled canceled',
          'in a status that means the same under both it does');
SELECT throws_ok($$UPDATE shop.orders SET supplier = 7, status = 'gone' WHERE id = 21$$, '23514', NULL,
                 'a new policy does not make a way out of canceled');
SELECT is(ordcancel.drop_policy('shop.orders', '7'), true, 'the policy is dropped');
SELECT is(outcome_or_why('request_cancel', 26), 'canceled canceled', 'and default governs its orders');

-- ------------------------------------------------------- blocks

INSERT INTO shop.orders (id, status, invoiced, memo) SELECT n, 'placed', 0, '' FROM generate_series(30, 59) AS n;
SELECT ordcancel.add_block('shop.orders', 'invoice',
                           $$EXISTS (SELECT FROM invoices AS i WHERE i.order_id = orders.id AND i.paid) -- a paid one$$,
                           'refund the invoice');
INSERT INTO shop.invoices VALUES (30, true), (31, false), (32, NULL);
SELECT is(outcome_or_why(verb, 30), 'OC005 | Block "invoice" applies to the order. | refund the invoice',
          'a block holds for ' || verb)
FROM unnest('{request_cancel,cancel_order}'::text[]) AS verb;
SELECT is(outcome_or_why('cancel_order', 31), 'canceled canceled', 'where its condition is false it does not');
SELECT is(outcome_or_why('cancel_order', 32), 'canceled canceled', 'nor where it is unknown');
UPDATE shop.invoices SET paid = false WHERE order_id = 30;
SELECT is(outcome_or_why('cancel_order', 30), 'canceled canceled', 'and no more when it has become false');
SELECT ordcancel.add_block('shop.orders', 'for customers', $$memo = 'c' /* any */$$, party => 'customer');
SELECT ordcancel.add_block('shop.orders', 'for merchants', $$memo = 'm'$$, party => 'merchant');
UPDATE shop.orders SET memo = 'c' WHERE id IN (33, 34);
UPDATE shop.orders SET memo = 'm' WHERE id IN (35, 36);
SELECT is(outcome_or_why('request_cancel', 33), 'OC005 | Block "for customers" applies to the order.',
          'a block for customers stops them');
SELECT is(outcome_or_why('cancel_order', 34), 'canceled canceled', 'and not merchants');
SELECT is(outcome_or_why('cancel_order', 35), 'OC005 | Block "for merchants" applies to the order.',
          'a block for merchants stops them');
SELECT is(outcome_or_why('request_cancel', 36), 'canceled canceled', 'and not customers');
SELECT is((ordcancel.override_cancel('shop.orders', 35, note => 'x')).state, 'canceled', 'an override is above blocks');

-- A request outlives a block, but nobody can agree to it meanwhile.
INSERT INTO shop.orders (id, status) VALUES (60, 'priced'), (61, 'priced'), (62, 'priced'), (63, 'priced');
SELECT is(outcome_or_why('request_cancel', n), 'requested priced', 'asked: ' || n) FROM generate_series(60, 63) AS n;
INSERT INTO shop.invoices SELECT n, true FROM generate_series(60, 63) AS n;
SELECT is(left(outcome_or_why('accept_cancel', 60), 5), 'OC005', 'what is blocked cannot be accepted');
SELECT is(left(outcome_or_why('cancel_order', 60), 5), 'OC005', 'nor confirmed');
SELECT is(outcome_or_why('request_cancel', 60), 'requested priced', 'asking again is still what is so');
SELECT is((ordcancel.deny_cancel('shop.orders', 61, 'no')).state, 'denied', 'it can be denied');
SELECT is(outcome_or_why('withdraw_cancel', 62), 'withdrawn priced', 'withdrawn');
SELECT is((ordcancel.undo_cancel('shop.orders', 63, 'no')).state, 'denied', 'and undone');

-- What the conditions see.
SELECT ordcancel.add_block('shop.orders', 'invoice', 'invoiced / 2 > 10', 'first the accountant');
UPDATE shop.orders SET invoiced = 30 WHERE id IN (40, 60);
SELECT is(outcome_or_why('cancel_order', 40), 'OC005 | Block "invoice" applies to the order. | first the accountant',
          'a block of the same name is replaced');
UPDATE shop.orders SET invoiced = 0 WHERE id = 60;
SELECT is(outcome_or_why('accept_cancel', 60), 'canceled canceled', 'what it was is forgotten');
SELECT ordcancel.add_block('shop.orders', 'odd', $$(10 / (invoiced - 1)) > 100 OR memo LIKE '%;''"--%'$$);
UPDATE shop.orders SET memo = $$a;'"--b$$ WHERE id = 41;
SELECT is(outcome_or_why('cancel_order', 41), 'OC005 | Block "odd" applies to the order.',
          'quotes and comments in strings are nothing else');
UPDATE shop.orders SET invoiced = 1 WHERE id = 42;
SELECT throws_ok($$SELECT ordcancel.cancel_order('shop.orders', 42)$$, '22012', NULL,
                 'a condition that fails refuses the call with its own error');
SELECT results_eq('SELECT status FROM shop.orders WHERE id = 42', ARRAY['placed'], 'and leaves the order');
SELECT is(ordcancel.drop_block('shop.orders', 'odd'), true, 'a block is dropped');
SELECT is(outcome_or_why('cancel_order', 42), 'canceled canceled', 'and holds no more');
SET LOCAL search_path = public;
SELECT ordcancel.add_block('shop.orders', 'clock', $$now() > '2000-01-01' AND orders.memo = current_user$$);
UPDATE shop.orders SET memo = current_user WHERE id = 43;
SELECT is(left(outcome_or_why('cancel_order', 43), 20), 'OC005 | Block "clock', 'functions may be called');
CREATE FUNCTION shop.is_frozen(shop.orders) RETURNS boolean LANGUAGE sql RETURN $1.memo = 'frozen';
SELECT ordcancel.add_block('shop.orders', 'clock', 'is_frozen(orders)');
UPDATE shop.orders SET memo = 'frozen' WHERE id = 44;
SELECT is(left(outcome_or_why('cancel_order', 44), 20), 'OC005 | Block "clock',
          'of the whole row too, found by the path of attach');

SELECT * FROM finish();
ROLLBACK;
