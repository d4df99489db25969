-- What a shop wants to travel along with a cancellation: metadata of every verb.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
SELECT no_plan();
CREATE SCHEMA shop;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text NOT NULL DEFAULT 'placed', paid numeric);
CREATE TABLE shop.items (id integer PRIMARY KEY, order_id integer NOT NULL, quantity integer NOT NULL,
                         canceled integer NOT NULL DEFAULT 0);
SELECT ordcancel.attach('shop.orders', 'status', refund_due => 'paid');
SELECT ordcancel.set_policy('shop.orders', canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.orders', 'placed', customer => 'request', merchant => 'cancel');
SELECT ordcancel.attach_items('shop.items', 'shop.orders', '{order_id}', 'quantity', 'canceled');
INSERT INTO shop.orders SELECT n, 'placed', CASE WHEN n > 10 THEN 40 END FROM generate_series(1, 40) AS n;
INSERT INTO shop.items SELECT n, n, 2 FROM generate_series(1, 40) AS n;

CREATE FUNCTION metadata_of(integer) RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' | ',
    (SELECT string_agg(type || coalesce(' ' || (data->'metadata')::text, ''), ', ' ORDER BY event_id)
     FROM shop.orders_cancellation_event WHERE order_id = $1),
    (SELECT metadata::text FROM shop.orders_cancellation WHERE order_id = $1 ORDER BY cancellation_id DESC LIMIT 1)) $$;

SELECT outcome_of($$cancel_order('shop.orders', 1, metadata => '{"restock": true}')$$);
SELECT is(metadata_of(1), 'canceled {"restock": true} | {"restock": true}', 'cancel_order');
SELECT outcome_of($$undo_cancel('shop.orders', 1, metadata => '{"mail": false}')$$);
SELECT is(metadata_of(1), 'canceled {"restock": true}, undone {"mail": false} | {"mail": false, "restock": true}',
          'undo_cancel: the record has both');
SELECT outcome_of($$cancel_order('shop.orders', 1)$$);
SELECT is((SELECT metadata FROM shop.orders_cancellation WHERE order_id = 1 AND state = 'canceled'), NULL, 'none');
SELECT is((SELECT data ? 'metadata' FROM shop.orders_cancellation_event WHERE order_id = 1
           ORDER BY event_id DESC LIMIT 1), false, 'nor in the event');
SELECT outcome_of($$request_cancel('shop.orders', 2, metadata => '{"a": 1}')$$);
SELECT outcome_of($$withdraw_cancel('shop.orders', 2, metadata => '{"a": 2}')$$);
SELECT is(metadata_of(2), 'requested {"a": 1}, withdrawn {"a": 2} | {"a": 2}', 'request_cancel, withdraw_cancel');
SELECT outcome_of($$request_cancel('shop.orders', 3, metadata => '{"a": 1}')$$);
SELECT outcome_of($$deny_cancel('shop.orders', 3, 'no', metadata => '{"b": [2]}')$$);
SELECT is(metadata_of(3), 'requested {"a": 1}, denied {"b": [2]} | {"a": 1, "b": [2]}', 'deny_cancel');
SELECT outcome_of($$request_cancel('shop.orders', 11, metadata => '{"a": 1}')$$);
SELECT outcome_of($$accept_cancel('shop.orders', 11, metadata => '{"b": 2}')$$);
SELECT outcome_of($$adjust_refund('shop.orders', 11, 30, 'less', metadata => '{"c": 3}')$$);
SELECT outcome_of($$record_refund('shop.orders', 11, 30, 'cash', metadata => '{"d": 4}')$$);
SELECT is(metadata_of(11),
          'requested {"a": 1}, accepted {"b": 2}, adjusted {"c": 3}, refunded {"d": 4}, canceled {"d": 4}'
          ' | {"a": 1, "b": 2, "c": 3, "d": 4}', 'accept_cancel, adjust_refund, record_refund');
SELECT outcome_of($$override_cancel('shop.orders', 4, note => 'now', metadata => '{"a": 1}')$$);
SELECT is(metadata_of(4), 'canceled {"a": 1} | {"a": 1}', 'override_cancel');
SELECT outcome_of($$cancel_items('shop.orders', 5, '[{"item": 5, "quantity": 1}]', metadata => '{"a": 1}')$$);
SELECT is(metadata_of(5), 'items_canceled {"a": 1} | {"a": 1}', 'cancel_items');
SELECT outcome_of($$request_cancel_items('shop.orders', 6, '[{"item": 6, "quantity": 1}]', metadata => '{"a": 1}')$$);
SELECT is(metadata_of(6), 'requested {"a": 1} | {"a": 1}', 'request_cancel_items');
SELECT is((SELECT string_agg(outcome, ' ') FROM ordcancel.cancel_orders('shop.orders', '{7,8}'::integer[],
                                                                        metadata => '{"bulk": "x\"y"}')),
          'canceled canceled', 'many');
SELECT is(metadata_of(id), 'canceled {"bulk": "x\"y"} | {"bulk": "x\"y"}', 'cancel_orders')
FROM unnest('{7,8}'::integer[]) AS id;
SELECT is((SELECT metadata FROM ordcancel.cancellations WHERE orders = 'shop.orders'::regclass AND order_id = '7'),
          '{"bulk": "x\"y"}', 'the view shows it');

SELECT is(outcome_of(format('cancel_order(''shop.orders'', 9, metadata => %L)', value)),
          '22023', 'no object: ' || value)
FROM unnest('{1,"null","[1]","\"a\"",true}'::text[]) AS value;
SELECT is(error_of(format($$SELECT ordcancel.cancel_order('shop.orders', 9, metadata => '{"a": "%s"}')$$,
                          repeat('x', 8184))),
          '22001 | metadata is too long | It has 8193 bytes; the maximum is 8192.', 'too long');
SELECT is(status_of(9), 'placed', 'what was refused changed nothing');
SELECT is(outcome_of(format($$cancel_order('shop.orders', 9, metadata => '{"a": "%s"}')$$, repeat('x', 8183))),
          'canceled canceled', 'the longest');
SELECT is(outcome_of($$cancel_order('shop.orders', 9, metadata => '{"late": 1}')$$), 'canceled canceled unchanged',
          'where nothing changes');
SELECT ok(metadata_of(9) !~ 'late', 'it is not kept');

-- What the calls for one cancellation add up to.
SELECT outcome_of($$cancel_order('shop.orders', 10)$$);
SELECT is((SELECT string_agg(DISTINCT outcome, ', ')
           FROM (SELECT outcome_of(format($m$adjust_refund('shop.orders', 10, %s, 'n', metadata => '{"%s": "%s"}')$m$,
                                          n, n, repeat('x', 8000))) AS outcome
                 FROM generate_series(1, 8) AS n) AS calls), 'in_progress canceled', 'up to 64 kB');
SELECT is(error_of(format($$SELECT ordcancel.adjust_refund('shop.orders', 10, 9, 'n', metadata => '{"9": "%s"}')$$,
                          repeat('x', 8000)), 'sqlstate', 'message'), '22001 | metadata is too long', 'no more');
SELECT is(outcome_of($$adjust_refund('shop.orders', 10, 9, 'n')$$), 'in_progress canceled', 'but without it');

SELECT * FROM finish();
ROLLBACK;
