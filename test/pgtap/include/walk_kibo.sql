-- The walk of walk_kibo.sql, over a status column of :status_type.
\echo # status column: :status_type
SET LOCAL ordcancel.clock = '2026-05-05 12:00+00';
SET LOCAL ordcancel.actor = 'program';
CREATE SCHEMA shop;
-- The orders were placed long ago: the page knows no window.
CREATE TABLE shop.orders (id integer PRIMARY KEY CHECK (id >= 1), status :status_type NOT NULL,
                          lines text[] NOT NULL DEFAULT '{shirt,socks}',
                          restrict_cancellation boolean NOT NULL DEFAULT false,
                          submitted timestamptz NOT NULL DEFAULT '2026-01-01');
SELECT ordcancel.attach('shop.orders', status => 'status', placed_at => 'submitted');
SELECT ordcancel.apply_preset('shop.orders', 'kibo');
GRANT USAGE ON SCHEMA shop TO kibo_stranger, kibo_clerk, kibo_supervisor;
GRANT SELECT ON shop.orders TO kibo_stranger, kibo_clerk, kibo_supervisor;
SELECT ordcancel.grant_merchant('kibo_clerk'), ordcancel.grant_merchant('kibo_supervisor');
INSERT INTO shop.orders SELECT n, 'Pending' FROM generate_series(1, 9) AS n;
INSERT INTO shop.orders SELECT n, 'Accepted' FROM generate_series(10, 39) AS n;
INSERT INTO shop.orders SELECT n, 'Processing' FROM generate_series(40, 42) AS n;
INSERT INTO shop.orders VALUES (43, 'Completed'), (44, 'Abandoned'), (1010101, 'Accepted'), (2147483647, 'Accepted');

-- ------------------------------------------------------------ Cancel Order

-- "Deleted" is the page's word for what it then calls canceled; the row stays.
SELECT is(answer($$cancel_order('shop.orders', 10, 'customer_changed_mind')$$), 'canceled Cancelled',
          '"allows for an existing order case to be deleted": the order is canceled');
SELECT is(status_of('10'), 'Cancelled', '"existing order case": the order itself stays');
SELECT is(attempt('DELETE FROM shop.orders WHERE id = ' || id), '23514 cancellation_forbidden',
          '"to be deleted": no order is deleted, ' || id)
FROM unnest('{1,11,41,43}'::int[]) AS id;
-- The page is silent on the order's status. The preset: the store cancels until
-- the order is fulfilled, and shoppers until it is worked on.
SELECT is(answer(format('cancel_order(''shop.orders'', %s, ''created_by_mistake'')', id)), 'canceled Cancelled',
          '"an existing order": before it is fulfilled the store cancels it, ' || id)
FROM unnest('{1,12,40}'::int[]) AS id;
SELECT is(answer(format('request_cancel(''shop.orders'', %s, ''created_by_mistake'')', id)), 'canceled Cancelled',
          '"an existing order": before it is worked on the shopper cancels it, ' || id)
FROM unnest('{2,13}'::int[]) AS id;
SELECT is(answer($$request_cancel('shop.orders', 41, 'created_by_mistake')$$),
          'OC003 | Call ordcancel.cancel_options() to see what is allowed.',
          'and no longer when it is in work');
SELECT is(answer(verb || $$('shop.orders', 43, 'created_by_mistake')$$),
          'OC003 | The order is fulfilled: process it as a return.',
          'nobody cancels an order that is fulfilled: ' || verb)
FROM unnest('{cancel_order,request_cancel}'::text[]) AS verb;
SELECT is(answer($$cancel_order('shop.orders', 44, 'created_by_mistake')$$),
          'OC003 | Call ordcancel.set_rule() for the status if it should be allowed.',
          'nor one that was abandoned, of which no rule speaks');

SELECT is(answer($$cancel_order('shop.orders', 14)$$), 'OC006 | See ordcancel.reason for the valid reasons.',
          '"only requires a valid Order ID and Disposition Reason": without the reason');
SELECT is(answer($$cancel_order('shop.orders', NULL::int, 'created_by_mistake')$$), 'OC002',
          '"only requires a valid Order ID and Disposition Reason": without the order');
SELECT is(attempt($$UPDATE shop.orders SET status = 'Cancelled' WHERE id = 14$$), '23514 invalid_reason',
          '"requires a Disposition Reason": a program that writes the status has to give it too');
SELECT is(attempt($$SET LOCAL ordcancel.reason = 'created_by_mistake'; UPDATE shop.orders SET status = 'Cancelled'
                    WHERE id = 14$$), 'ok',
          '"requires a Disposition Reason": and with it the status may be written');
SET LOCAL ordcancel.reason = '';
SELECT is(decision_of('14'), 'canceled asked merchant program decided merchant program for created_by_mistake',
          'which is recorded as a call is');

SELECT is(answer($$cancel_order('shop.orders', 15, 'customer_changed_mind')$$), 'canceled Cancelled',
          '"this API cancels the entire order"');
SELECT results_eq('SELECT status::text, lines FROM shop.orders WHERE id = 15',
                  $$VALUES ('Cancelled', '{shirt,socks}'::text[])$$,
                  '"this API cancels the entire order": all its lines are as they were');
SELECT is(answer($$cancel_order('shop.orders', 15, 'customer_changed_mind')$$), 'canceled Cancelled unchanged',
          '"this API cancels the entire order": nothing is left for a second call');
SELECT is(steps_of('15'), ARRAY['canceled Accepted>Cancelled merchant program'],
          '"It is a very simple call": one call, one event');
-- The page does not know a request that somebody has to accept.
SELECT is_empty($$SELECT * FROM ordcancel.rule WHERE orders = 'shop.orders'::regclass
                      AND 'request' IN (customer, customer_late, merchant)$$,
                '"It is a very simple call": nobody has to ask first');

SELECT is(answer($$cancel_order('shop.orders', 16, 'customer_changed_mind')$$, 'kibo_stranger'), '42501',
          '"Remember to provide the key for authentication": who has no right to cancel is refused');
SELECT is(answer($$cancel_order('shop.orders', 16, 'customer_changed_mind')$$, 'kibo_clerk'), 'canceled Cancelled',
          '"provide the key for authentication": who has it is not');

-- ------------------------------------------------------------------ Example

SELECT is(answer($$cancel_order('shop.orders', 1010101, 'customer_changed_mind')$$), 'canceled Cancelled',
          '"Order ID – 1010101, Disposition Reason – Customer changed mind"');
SELECT is(decision_of('1010101'), 'canceled asked merchant program decided merchant program for customer_changed_mind',
          '"The example case creates a cancel request": and is on record');

-- ------------------------------------------------------- Required Parameters

SELECT is(answer(format('cancel_order(''shop.orders'', %s, ''created_by_mistake'')', id)), 'OC002',
          '"orderId integer ... The minimum value is 1": there is no order ' || id)
FROM unnest(ARRAY['0', '-1', '999', '''0''', '''A-17''', '''''', '1.5', '99999999999']) AS id;
SELECT is(answer($$cancel_order('shop.orders', 2147483647, 'created_by_mistake')$$), 'canceled Cancelled',
          '"orderId integer": up to the greatest one');
SELECT is(answer($$cancel_order('shop.orders', '17', 'created_by_mistake')$$), 'canceled Cancelled',
          '"orderId integer": also as a driver may send it, as text');

SELECT is(answer(format('cancel_order(''shop.orders'', %s, %L)', id, why)), 'canceled Cancelled',
          '"dispositionReason enum": ' || why)
FROM (SELECT 18 + row_number() OVER () AS id, why
      FROM unnest('{customer_changed_mind,created_by_mistake,can_not_find_item,not_enough_quantity,not_web_sellable,'
                  'on_mannequin_or_display,item_on_reserve,no_inventory}'::text[]) AS why) AS v;
SELECT is(answer(format('cancel_order(''shop.orders'', 30, %L)', why)),
          'OC006 | See ordcancel.reason for the valid reasons.',
          '"dispositionReason enum": not ' || coalesce(quote_literal(why), 'nothing'))
FROM unnest('{bored,Customer_changed_mind,"customer_changed_mind ",Customer changed mind,NULL}'::text[]) AS why;
SELECT is(answer(format('request_cancel(''shop.orders'', 3, %L)', why)),
          'OC006 | See ordcancel.reason for the valid reasons.',
          '"See the schema for the full list of possible values": what the store finds is not for the shopper, ' || why)
FROM unnest('{can_not_find_item,not_enough_quantity,not_web_sellable,on_mannequin_or_display,item_on_reserve,'
            'no_inventory}'::text[]) AS why;

-- ------------------------------------------------------- Optional Parameters

SELECT is(answer(format('cancel_order(''shop.orders'', 30, ''other'', %L)', explanation)),
          'OC006 | Pass a note of 1 to 255 characters.',
          '"If dispositionReason is ''other'', provide an explanation here": ' || what)
FROM (VALUES (NULL, 'none'), ('', 'an empty one'), ('   ', 'blanks')) AS v (explanation, what);
SELECT is(answer($$cancel_order('shop.orders', 30, 'other', 'x')$$), 'canceled Cancelled', '"Minimum length is 1"');
SELECT is(answer($$cancel_order('shop.orders', 31, 'other', repeat('ü', 255))$$), 'canceled Cancelled',
          '"and maximum length is 255"');
SELECT is((SELECT length(note) FROM shop.orders_cancellation WHERE order_id = 31), 255,
          '"maximum length is 255": all of it is kept');
SELECT is(left(answer($$cancel_order('shop.orders', 32, 'other', repeat('x', 256))$$), 5), 'OC006',
          '"maximum length is 255": and not one more');
SELECT is(answer($$request_cancel('shop.orders', 4, 'other', 'My cat ordered it.')$$), 'canceled Cancelled',
          '"to provide an additional explanation": a shopper too');
-- The page says that the explanation is only used with 'other'. The preset does
-- not refuse it with another reason; it is kept as a note.
SELECT is(answer($$cancel_order('shop.orders', 32, 'created_by_mistake', 'twice')$$), 'canceled Cancelled',
          '"only used ... when the Disposition Reason was set to other": with another reason a note does no harm');

-- ---------------------------------------------------------- The Full Request

SELECT is(answer($$cancel_order(orders => 'shop.orders', order_id => 33, reason => 'other',
                                note => 'Customer changed mind')$$), 'canceled Cancelled',
          '"This is the entire request that will cancel the example order"');
SELECT is((SELECT reason || ': ' || note FROM shop.orders_cancellation WHERE order_id = 33),
          'other: Customer changed mind',
          '"Note how the disposition reason is defined"');

SELECT results_eq($$SELECT orders, order_id, state, order_status, changed
                    FROM ordcancel.cancel_order('shop.orders', 34, 'no_inventory')$$,
                  $$VALUES ('shop.orders'::regclass, '34', 'canceled', 'Cancelled', true)$$,
                  '"The returned response ... providing information about the order that was canceled"');
SELECT results_eq($$SELECT o.id, o.status::text FROM ordcancel.cancel_order('shop.orders', 34, 'no_inventory') AS c
                    JOIN shop.orders AS o ON o.id::text = c.order_id AND o.status::text = c.order_status$$,
                  $$VALUES (34, 'Cancelled')$$,
                  '"follows the same structure as the Get Order API": it says what the order itself says');
-- The page knows no way back.
SELECT is(answer($$undo_cancel('shop.orders', 34)$$), 'OC008', 'an order that was canceled stays so');
SELECT is(attempt($$UPDATE shop.orders SET status = 'Accepted' WHERE id = 34$$), '23514 order_is_canceled',
          'whoever writes');

-- A flag of the order which the page does not name: restrictCancellation. Only
-- roles with "Override Order Restrictions" cancel then. It is a block.
SELECT ordcancel.add_block('shop.orders', 'restrictCancellation', 'restrict_cancellation', 'Ask a supervisor.');
UPDATE shop.orders SET restrict_cancellation = true WHERE id IN (5, 35, 36, 43);
SELECT is(answer($$cancel_order('shop.orders', 35, 'no_inventory')$$, 'kibo_clerk'), 'OC005 | Ask a supervisor.',
          'restrictCancellation stops the store');
SELECT is(answer($$request_cancel('shop.orders', 5, 'created_by_mistake')$$), 'OC005 | Ask a supervisor.',
          'restrictCancellation stops the shopper');
SELECT is(attempt($$SET LOCAL ordcancel.reason = 'no_inventory'; UPDATE shop.orders SET status = 'Cancelled'
                    WHERE id = 35$$),
          '23514 cancellation_blocked', 'restrictCancellation stops a program that writes the status');
SET LOCAL ordcancel.reason = '';
SELECT is(answer($$cancel_order('shop.orders', 37, 'no_inventory')$$, 'kibo_clerk'), 'canceled Cancelled',
          'orders without the flag go on as before');
SELECT is(answer($$override_cancel('shop.orders', 35, 'no_inventory', 'I say so.')$$, 'kibo_supervisor'), '42501',
          'a merchant alone may not override it');
GRANT EXECUTE ON FUNCTION ordcancel.override_cancel(regclass, text, text, text, text, text, jsonb, numeric),
                          ordcancel.override_cancel(regclass, anynonarray, text, text, text, text, jsonb, numeric)
    TO kibo_supervisor;
SELECT is(answer($$override_cancel('shop.orders', 35, 'no_inventory')$$, 'kibo_supervisor'),
          'OC006 | Pass a note of 1 to 2000 characters.',
          'who overrides a restriction says why');
SELECT is(answer($$override_cancel('shop.orders', 35, note => 'I say so.')$$, 'kibo_supervisor'),
          'OC006 | See ordcancel.reason for the valid reasons.',
          'and gives the reason all the same');
SELECT is(answer($$override_cancel('shop.orders', 35, 'no_inventory', 'I say so.', actor => 'sue')$$,
                 'kibo_supervisor'), 'canceled Cancelled',
          'who was granted it overrides the restriction');
SELECT is(steps_of('35'), ARRAY['canceled Accepted>Cancelled merchant sue {"override": true}'],
          'that it was overridden, and by whom, is on record');
SELECT is(answer($$override_cancel('shop.orders', 36, 'no_inventory', 'I say so.')$$, 'kibo_clerk'), '42501',
          'who was not granted it does not');
SELECT is(answer($$cancel_order('shop.orders', 36, 'no_inventory')$$, 'kibo_supervisor'), 'OC005 | Ask a supervisor.',
          'and nobody does so by accident, with the ordinary call');
UPDATE shop.orders SET restrict_cancellation = false WHERE id = 36;
SELECT is(answer($$cancel_order('shop.orders', 36, 'no_inventory')$$, 'kibo_clerk'), 'canceled Cancelled',
          'the flag taken off, anybody may');
SELECT is(answer($$override_cancel('shop.orders', 43, 'no_inventory', 'I say so.')$$, 'kibo_supervisor'),
          'canceled Cancelled',
          'an override goes before the rule of the status too');
REVOKE EXECUTE ON FUNCTION ordcancel.override_cancel(regclass, text, text, text, text, text, jsonb, numeric),
                           ordcancel.override_cancel(regclass, anynonarray, text, text, text, text, jsonb, numeric)
FROM kibo_supervisor;

-- ---------------------------------------------- only part of the order

-- "Use the Assign Order API and its appropriate item assignment configuration to
-- cancel only part of the order." Each item has a disposition reason of its own.
CREATE TABLE shop.order_items (id integer PRIMARY KEY, order_id integer NOT NULL REFERENCES shop.orders, sku text,
                               quantity integer NOT NULL DEFAULT 1, canceled integer NOT NULL DEFAULT 0,
                               fulfilled integer NOT NULL DEFAULT 0);
CREATE INDEX ON shop.order_items (order_id);
SELECT ordcancel.attach_items('shop.order_items', 'shop.orders', key => '{order_id}', quantity => 'quantity',
                              canceled => 'canceled', fulfilled => 'fulfilled');
INSERT INTO shop.orders SELECT n, 'Accepted' FROM generate_series(100, 109) AS n;
UPDATE shop.orders SET status = 'Processing' WHERE id = 108;
UPDATE shop.orders SET status = 'Completed' WHERE id = 109;
INSERT INTO shop.order_items SELECT 100 * o + i, o, 'sku' || i, 2 FROM generate_series(100, 109) AS o,
    generate_series(1, 9) AS i;

SELECT is(answer($$cancel_items('shop.orders', 100, '[{"item": 10001, "reason": "no_inventory"}]')$$),
          'canceled Accepted',
          '"to cancel only part of the order": the order goes on');
SELECT is((SELECT string_agg(canceled::text, '' ORDER BY id) FROM shop.order_items WHERE order_id = 100), '200000000',
          '"only part of the order": one item of nine');
SELECT is(answer(format($$cancel_items('shop.orders', 101, '[{"item": 1010%s, "quantity": 1, "reason": "%s"}]')$$, n,
          why)),
          'canceled Accepted', '"dispositionReason enum", of an item: ' || why)
FROM unnest('{customer_changed_mind,created_by_mistake,can_not_find_item,not_enough_quantity,not_web_sellable,'
            'on_mannequin_or_display,item_on_reserve,no_inventory}'::text[]) WITH ORDINALITY AS v (why, n);
SELECT is((SELECT string_agg(reason,
          ',' ORDER BY item_id) FROM shop.orders_cancellation_item WHERE item_id BETWEEN 10101
               AND 10109), 'customer_changed_mind,created_by_mistake,can_not_find_item,not_enough_quantity,'
          'not_web_sellable,on_mannequin_or_display,item_on_reserve,no_inventory',
          '"See the schema for the full list of possible values": all on record');
SELECT is(answer($$cancel_items('shop.orders', 102, '[{"item": 10201, "reason": "can_not_find_item"},
                   {"item": 10202, "quantity": 1, "reason": "not_enough_quantity"},
                   {"item": 10203, "reason": "other", "note": "The cat sat on it."}]')$$), 'canceled Accepted',
          '"dispositionReason", "dispositionOtherReason": of several items at once');
SELECT is((SELECT string_agg(concat_ws(' ', item_id, quantity, reason, note), ', ' ORDER BY item_id)
           FROM shop.orders_cancellation_item WHERE item_id BETWEEN 10201 AND 10209),
          '10201 2 can_not_find_item, 10202 1 not_enough_quantity, 10203 2 other The cat sat on it.',
          '"Note how the disposition reason is defined": for each');
SELECT is(left(answer(format($$cancel_items('shop.orders', 103, %L)$$, items)), 5), 'OC006', what)
FROM (VALUES ('[{"item": 10301}]', '"only requires a valid Order ID and Disposition Reason": an item without one'),
             ('[{"item": 10301, "reason": "no_inventory"}, {"item": 10302}]',
             '"Disposition Reason": one of two without'),
             ('[{"item": 10301, "reason": "bored"}]', '"dispositionReason enum": not bored'),
             ('[{"item": 10301, "reason": "other"}]',
             '"If dispositionReason is ''other'', provide an explanation here"'),
             ('[{"item": 10301, "reason": "other", "note": ""}]', '"Minimum length is 1"'),
             ('[{"item": 10301, "reason": "other", "note": "' || repeat('x', 256) || '"}]', '"maximum length is 255"'))
         AS v (items, what);
SELECT is(answer($$cancel_items('shop.orders', 103, '[{"item": 10301, "reason": "other", "note": "x"}]')$$),
          'canceled Accepted', '"Minimum length is 1", of an item');
SELECT is(answer(format($$cancel_items('shop.orders', 104, '[{"item": %s}]', 'no_inventory')$$, item)),
          'OC016 | Call ordcancel.item_options() to see what can be canceled.',
          '"only part of the order": not an item of another, ' || item)
FROM unnest('{10301,0}'::int[]) AS item;
SELECT is(answer($$request_cancel_items('shop.orders', 104, '[{"item": 10401}]', 'created_by_mistake')$$),
          'canceled Accepted',
          '"an existing order": before it is worked on, the shopper cancels an item');
SELECT is(answer($$request_cancel_items('shop.orders', 104, '[{"item": 10402, "reason": "no_inventory"}]',
                                        'created_by_mistake')$$),
          'OC006 | See ordcancel.reason for the valid reasons.',
          'what the store finds is not for the shopper, of an item neither');
SELECT is(answer($$request_cancel_items('shop.orders', 108, '[{"item": 10801}]', 'created_by_mistake')$$),
          'OC003 | Call ordcancel.cancel_options() to see what is allowed.', 'and no longer when it is in work');
SELECT is(answer($$cancel_items('shop.orders', 108, '[{"item": 10801}]', 'no_inventory')$$, 'kibo_clerk'),
          'canceled Processing', 'which the store still does');
SELECT is(answer($$cancel_items('shop.orders', 108, '[{"item": 10802}]', 'no_inventory')$$, 'kibo_stranger'), '42501',
          '"Remember to provide the key for authentication"');
SELECT is(answer($$cancel_items('shop.orders', 109, '[{"item": 10901}]', 'no_inventory')$$),
          'OC003 | The order is fulfilled: process it as a return.',
          'nobody cancels items of an order that is fulfilled');
UPDATE shop.order_items SET fulfilled = 1 WHERE id = 10803;
SELECT is(left(answer($$cancel_order('shop.orders', 108, 'no_inventory')$$), 5), 'OC005',
          '"this API cancels the entire order": not one of which something is fulfilled');
SELECT is(answer($$cancel_order('shop.orders', 104, 'no_inventory')$$), 'canceled Cancelled',
          '"this API cancels the entire order"');
SELECT is((SELECT bool_and(canceled = quantity) FROM shop.order_items WHERE order_id = 104), true,
          '"this API cancels the entire order": all that was left of its items');
SELECT is(answer($$cancel_items('shop.orders', 105, (SELECT jsonb_agg(jsonb_build_object('item', id, 'reason',
    'no_inventory'))
                                                     FROM shop.order_items WHERE order_id = 105))$$),
                                                     'canceled Cancelled',
          '"only part of the order": all parts are the order');
SELECT is(decision_of('105'), 'canceled asked merchant program decided merchant program for no_inventory',
          '"dispositionReason": of which the first one is that of the order');
SELECT is(answer($$undo_cancel('shop.orders', 103)$$), 'OC008', 'an item that was canceled stays so');
SELECT is(attempt('UPDATE shop.order_items SET canceled = 0 WHERE id = 10301'), '23514 items_not_available',
          'whoever writes');
UPDATE shop.orders SET restrict_cancellation = true WHERE id = 106;
SELECT is(answer($$cancel_items('shop.orders', 106, '[{"item": 10601}]', 'no_inventory')$$, 'kibo_clerk'),
          'OC005 | Ask a supervisor.', 'restrictCancellation stops the store, of an item too');
