-- The walk of walk_zaikio.sql, over a status column of :status_type.
\echo # status column: :status_type
SET LOCAL ordcancel.clock = '2026-05-05 12:00+00';
SET LOCAL ordcancel.actor = 'program';
CREATE SCHEMA shop;
-- The orders were placed long ago: the page knows no window.
CREATE TABLE shop.orders (id uuid PRIMARY KEY, status :status_type NOT NULL, supplier text NOT NULL,
                          placed_at timestamptz NOT NULL DEFAULT '2026-01-01');
CREATE TABLE shop.transmissions (order_id uuid NOT NULL REFERENCES shop.orders);
SELECT ordcancel.attach('shop.orders', status => 'status', placed_at => 'placed_at', policy_by => 'supplier');
SELECT ordcancel.apply_preset('shop.orders', 'zaikio');
SELECT ordcancel.attach_child('shop.transmissions', 'shop.orders', key => '{order_id}', refuse_while => '{canceled}');
GRANT USAGE ON SCHEMA shop TO zaikio_consumer, zaikio_supplier;
GRANT SELECT ON shop.orders TO zaikio_consumer, zaikio_supplier;
GRANT SELECT ON shop.orders_cancellation_event TO zaikio_consumer;
SELECT ordcancel.grant_customer('zaikio_consumer'), ordcancel.grant_merchant('zaikio_supplier');

-- "The cancelation policies of the Supplier" are not on the page. The preset has
-- the one that is known, before_production, for all who have none of their own.
-- These two have: strict takes no request, lenient takes them until it ships.
SELECT ordcancel.set_policy('shop.orders', policy => p, canceled_status => 'canceled_by_supplier',
                            customer_canceled_status => 'canceled_by_consumer', undo => 'never')
FROM unnest('{strict,lenient}'::text[]) AS p;
SELECT ordcancel.set_rule('shop.orders', status, customer, customer_late, merchant, deletable, hint, policy => p)
FROM ordcancel.rule, unnest('{strict,lenient}'::text[]) AS p WHERE orders = 'shop.orders'::regclass
    AND policy = 'default';
SELECT ordcancel.set_rule('shop.orders', s, customer => 'forbid', hint => 'Contact the supplier directly.',
                          policy => 'strict')
FROM unnest('{transferred,confirmed}'::text[]) AS s;
SELECT ordcancel.set_rule('shop.orders', 'in_production', customer => 'request', merchant => 'cancel',
                          policy => 'lenient');

INSERT INTO shop.orders SELECT o(n), 'draft', 'acme' FROM generate_series(1, 3) AS n;
INSERT INTO shop.orders SELECT o(n), 'placed', 'acme' FROM generate_series(10, 19) AS n;
INSERT INTO shop.orders SELECT o(n), 'transfer_failed', 'acme' FROM generate_series(20, 23) AS n;
INSERT INTO shop.orders SELECT o(n), 'transferred', 'acme' FROM generate_series(30, 49) AS n;
INSERT INTO shop.orders SELECT o(n), 'confirmed', 'acme' FROM generate_series(50, 59) AS n;
INSERT INTO shop.orders VALUES (o(60), 'in_production', 'acme'), (o(61), 'shipped', 'acme'),
    (o(70), 'placed', 'strict'), (o(71), 'transferred', 'strict'), (o(72), 'confirmed', 'strict'),
                               (o(73), 'in_production', 'strict'),
    (o(80), 'placed', 'lenient'), (o(81), 'transferred', 'lenient'), (o(82), 'confirmed', 'lenient'),
                               (o(83), 'in_production', 'lenient'),
    (o(84), 'shipped', 'lenient'), (o(85), 'in_production', 'lenient'),
    ('ffc75c94-aa79-450a-becc-2e398c079d93', 'placed', 'acme');

-- ------------------------------ Cancelation Methods and when to use them

SELECT is(attempt(format('DELETE FROM shop.orders WHERE id = %L', o(1))), 'ok',
          '"If the order ... is still in draft state, you can simply delete the order"');
SELECT is(status_of(o(1)::text), NULL, '"simply delete the order": it is gone');
SELECT is(answer(format('request_cancel(''shop.orders'', %L)', o(2))),
          'OC003 | The order has not been placed: delete it.',
          '"Order has not been placed yet": there is nothing to cancel');
SELECT is(answer(format('cancel_order(''shop.orders'', %L)', o(2))),
          'OC003 | The order has not been placed: delete it.',
          '"Order has not been placed yet": for nobody');
SELECT is(attempt(format('DELETE FROM shop.orders WHERE id = %L', o(n))), '23514 cancellation_forbidden',
          '"still in draft state": any other order is not deleted, ' || status_of(o(n)::text))
FROM unnest('{10,20,30,50,60,61}'::int[]) AS n;

SELECT is(answer(format('request_cancel(''shop.orders'', %L)', o(n)), 'zaikio_consumer'),
          'canceled canceled_by_consumer',
          '"in case the order ... is still in placed or in transfer_failed state ... you can use the Cancel By '
          'Consumer method": ' || state)
FROM (VALUES (10, 'placed'), (20, 'transfer_failed')) AS v (n, state);
SELECT is(answer(format('request_cancel(''shop.orders'', %L)', o(n)), 'zaikio_consumer'), 'requested ' || state,
          '"already transferred to the Supplier, the only way to cancel the order is to request a cancelation": '
          || state)
FROM (VALUES (30, 'transferred'), (50, 'confirmed')) AS v (n, state);
SELECT is(attempt(format('UPDATE shop.orders SET status = %L WHERE id = %L', to_status, o(n))),
          '23514 cancellation_forbidden',
          '"the only way": a program cannot write ' || to_status || ' past the supplier')
FROM (VALUES (60, 'canceled_by_consumer'), (60, 'canceled_by_supplier')) AS v (n, to_status);

-- acme has no policy of its own, so its orders have the preset's.
SELECT is(answer(format('request_cancel(''shop.orders'', %L)', o(n))), answer,
          '"only possible in certain states depending on the cancelation policies of the supplier": ' || of)
FROM (VALUES (60, 'OC003 | Contact the supplier directly.', 'before production, in production'),
             (61, 'OC003 | Contact the supplier directly.', 'before production, shipped'),
             (71, 'OC003 | Contact the supplier directly.', 'a strict one, transferred'),
             (72, 'OC003 | Contact the supplier directly.', 'a strict one, confirmed'),
             (73, 'OC003 | Contact the supplier directly.', 'a strict one, in production'),
             (81, 'requested transferred', 'a lenient one, transferred'),
             (82, 'requested confirmed', 'a lenient one, confirmed'),
             (83, 'requested in_production', 'a lenient one, in production'),
             (84, 'OC003 | Contact the supplier directly.', 'a lenient one, shipped')) AS v (n, answer, of);
SELECT is(answer(format('request_cancel(''shop.orders'', %L)', o(n))), 'canceled canceled_by_consumer',
          '"not yet received by the Supplier": his policy does not matter yet, ' || n)
FROM unnest('{70,80}'::int[]) AS n;

-- -------------------------------------------------------- Cancel By Consumer

SELECT is(answer($$request_cancel('shop.orders', 'ffc75c94-aa79-450a-becc-2e398c079d93', actor => 'carla')$$,
                 'zaikio_consumer'),
          'canceled canceled_by_consumer', '"will cancel the order with the id: ffc75c94-aa79-450a-becc-2e398c079d93"');
SELECT is(decision_of('ffc75c94-aa79-450a-becc-2e398c079d93'), 'canceled asked customer carla decided customer carla',
          '"cancel_by_consumer": the consumer alone asked and decided');
SELECT is(attempt(format('UPDATE shop.orders SET status = ''transferred'' WHERE id = %L', o(10))),
          '23514 order_is_canceled',
          '"will prevent a transmission of the order to the Supplier": it does not become transferred');
SELECT is(attempt(format('INSERT INTO shop.transmissions VALUES (%L)', o(10))), '23514 order_is_canceled',
          '"will prevent a transmission of the order to the Supplier": nor is one begun');
SELECT is(attempt(format('INSERT INTO shop.transmissions VALUES (%L)', o(11))), 'ok',
          '"prevent a transmission": of other orders it is not');
SELECT results_eq(format($$SELECT state, closed_at FROM shop.orders_cancellation WHERE order_id = %L$$, o(10)),
                  $$VALUES ('canceled', timestamptz '2026-05-05 12:00+00')$$,
                  '"you can consider the order as completely canceled"');
SELECT is(answer(format('undo_cancel(''shop.orders'', %L)', o(10))), 'OC008',
          '"completely canceled": there is no way back');
SELECT is(attempt(format('UPDATE shop.orders SET status = ''canceled_by_supplier'' WHERE id = %L', o(10))),
          '23514 order_is_canceled',
          '"completely canceled": nor from one canceled state to the other');
-- The page is silent on suppliers at this stage: they have not got the order.
SELECT is(answer(format('cancel_order(''shop.orders'', %L)', o(n)), 'zaikio_supplier'),
          'OC003 | Call ordcancel.cancel_options() to see what is allowed.',
          '"not yet received by the Supplier": he cannot cancel it, ' || n)
FROM unnest('{11,21}'::int[]) AS n;

-- -------------------------------------------------------- Request Cancelation

SELECT is(answer(format('request_cancel(''shop.orders'', %L, actor => ''carla'')', o(31)), 'zaikio_consumer'),
          'requested transferred',
          '"you can not directly cancel the order anymore, but rather have to request": the order stays where it is');
SELECT is(answer(format('request_cancel(''shop.orders'', %L)', o(31)), 'zaikio_consumer'),
          'requested transferred unchanged',
          '"request a cancelation": once is enough');
SELECT is(answer(format('accept_cancel(''shop.orders'', %L)', o(31)), 'zaikio_consumer'), '42501',
          '"request a cancelation of the order from the Supplier": the consumer does not accept it');
SELECT is(answer(format('accept_cancel(''shop.orders'', %L, actor => ''sven'')', o(31)), 'zaikio_supplier'),
          'canceled canceled_by_supplier',
          '"If the supplier accepts your request ..., the order will be moved into the canceled_by_supplier state"');
SELECT is(decision_of(o(31)::text), 'canceled asked customer carla decided merchant sven',
          '"If the supplier accepts your request": who asked and who accepted are on record');
SELECT is(attempt(format('UPDATE shop.orders SET status = ''canceled_by_supplier'' WHERE id = %L', o(30))), 'ok',
          '"will be moved into the canceled_by_supplier state": a supplier''s program that moves it has accepted');
SELECT is(attempt(format('UPDATE shop.orders SET status = ''canceled_by_consumer'' WHERE id = %L', o(50))),
          '23514 cancellation_forbidden',
          '"canceled_by_supplier state": what was requested does not become canceled_by_consumer');
-- The page is silent on a supplier who was not asked. The preset: he cancels with
-- one call what he could be asked to cancel.
SELECT is(answer(format('cancel_order(''shop.orders'', %L, actor => ''sven'')', o(n)), 'zaikio_supplier'),
          'canceled canceled_by_supplier',
          'a supplier who cannot deliver cancels without being asked: ' || n)
FROM unnest('{32,52}'::int[]) AS n;

SELECT is(answer(format('request_cancel(''shop.orders'', %L, actor => ''carla'')', o(33))), 'requested transferred',
          'asked');
UPDATE shop.orders SET status = 'confirmed' WHERE id = o(33);
SELECT is(status_of(o(33)::text), 'confirmed', '"Otherwise it will move further throughout the regular states"');

-- ----------------------------------------------------------------------- FAQ

SELECT is(steps_of(o(33)::text, 1),
          ARRAY['denied transferred>confirmed merchant program {"implicit": true, "moved_to": "confirmed"}'],
          '"What happens if my cancelation request will be denied? ... you will see the order move further": that this '
          'was a denial is on record');
SELECT is(decision_of(o(33)::text), 'denied asked customer carla decided merchant program',
          '"does not accept your request": it is denied, and by whom');
SELECT is(answer(format('accept_cancel(''shop.orders'', %L)', o(33))), 'OC007',
          '"does not accept your request": it cannot be accepted afterwards');
SELECT is(answer(format('deny_cancel(''shop.orders'', %L, ''Too late.'')', o(51))), 'OC007',
          'nothing to deny where nothing was asked');
SELECT is(answer(format('deny_cancel(''shop.orders'', %L, ''It is on the machine.'', ''sven'')', o(50)),
                 'zaikio_supplier'), 'denied confirmed',
          'the page knows no other denial; a supplier may also say it');
-- The page is silent on asking once more. The preset: as long as the policy allows.
SELECT is(answer(format('request_cancel(''shop.orders'', %L)', o(33))), 'requested confirmed',
          'who was denied may ask again in the next state');
UPDATE shop.orders SET status = 'in_production' WHERE id = o(33);
SELECT is(answer(format('request_cancel(''shop.orders'', %L)', o(33))), 'OC003 | Contact the supplier directly.',
          '"If you still want to cancel the order in such cases, you will need to directly contact the Supplier"');
SELECT is((SELECT array_agg(state ORDER BY cancellation_id) FROM shop.orders_cancellation WHERE order_id = o(33)),
          '{denied,denied}'::text[],
          '"my cancelation request": each of them is on record');

SELECT is((SELECT condition || ': ' || hint FROM ordcancel.cancel_options('shop.orders', o(n))
           WHERE verb = 'request_cancel'),
          'cancellation_forbidden: Contact the supplier directly.',
          '"prevented by the cancelation policy of the Supplier, your best chance will be to directly contact the '
          'Supplier": ' || status_of(o(n)::text))
FROM unnest('{60,61,71,72,73,84}'::int[]) AS n;
-- What the two agree on by telephone, the supplier cannot enter where his own
-- policy forbids it; that takes somebody who was granted override_cancel.
SELECT is(answer(format('cancel_order(''shop.orders'', %L)', o(n)), 'zaikio_supplier'),
          'OC003 | Contact the supplier directly.',
          '"directly contact the Supplier": he does not cancel by the ordinary call: ' || status_of(o(n)::text))
FROM unnest('{60,61}'::int[]) AS n;
SELECT is(answer(format('override_cancel(''shop.orders'', %L, note => ''agreed by telephone'', actor => ''sven'')',
                        o(60))), 'canceled canceled_by_supplier',
          '"directly contact the Supplier": what was agreed on is entered as an override');
SELECT is(steps_of(o(60)::text, 1),
          ARRAY['canceled in_production>canceled_by_supplier merchant sven {"override": true}'], 'which is on record');

SELECT is(answer(format('accept_cancel(''shop.orders'', %L, actor => ''sven'')', o(83))),
          'canceled canceled_by_supplier', 'accepted');
SET LOCAL ROLE zaikio_consumer;
SELECT results_eq(format($$SELECT type, to_status, party, actor FROM shop.orders_cancellation_event
                           WHERE order_id = %L ORDER BY event_id$$, o(83)),
                  $$VALUES ('requested', 'in_production', 'customer', 'program'),
                        ('canceled', 'canceled_by_supplier', 'merchant', 'sven')$$,
                  '"How do I know if a cancelation request was accepted?": the consumer reads the event');
RESET ROLE;
SELECT is((SELECT array_agg(DISTINCT type ORDER BY type) FROM shop.orders_cancellation_event
           WHERE order_id IN (o(33), o(83))), '{canceled,denied,requested}'::text[],
          '"How do I know": accepted and denied are different events');
SELECT is((SELECT notify_channel FROM ordcancel.order_table WHERE orders = 'shop.orders'::regclass), 'ordcancel',
          '"the tracking order changes section": who listens is told of each');
