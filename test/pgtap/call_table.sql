-- A table of calls: a row that is inserted calls the function that it names, and
-- has the answer; its errors are those of the function.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
SELECT no_plan();
SET LOCAL timezone = 'UTC';
SET LOCAL ordcancel.clock = '2026-05-05 12:00+00';

CREATE ROLE call_owner;
CREATE ROLE call_merchant;
CREATE ROLE call_customer;
CREATE ROLE call_stranger;
CREATE SCHEMA shop AUTHORIZATION call_owner;
GRANT USAGE ON SCHEMA shop TO call_merchant, call_customer, call_stranger;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text NOT NULL DEFAULT 'placed', due numeric, customer text);
CREATE TABLE shop.items (id integer PRIMARY KEY, order_id integer NOT NULL REFERENCES shop.orders, quantity integer,
                         canceled integer DEFAULT 0, price numeric);
CREATE TABLE shop.lines (region text, reference integer, status text, PRIMARY KEY (region, reference));
CREATE TABLE shop.tagged (tags text[] PRIMARY KEY, status text);
ALTER TABLE shop.orders OWNER TO call_owner;
ALTER TABLE shop.items OWNER TO call_owner;
ALTER TABLE shop.lines OWNER TO call_owner;
ALTER TABLE shop.tagged OWNER TO call_owner;
INSERT INTO shop.orders SELECT n, CASE WHEN n BETWEEN 20 AND 29 THEN 'preparing' WHEN n BETWEEN 30 AND 39 THEN 'shipped'
                                  ELSE 'placed' END, CASE WHEN n BETWEEN 40 AND 49 THEN 30 END, 'call_customer'
FROM generate_series(1, 60) AS n;
INSERT INTO shop.items SELECT n, 50 + n % 2, 3, 0, 5 FROM generate_series(1, 4) AS n;
INSERT INTO shop.lines SELECT 'eu, "x"', n, 'placed' FROM generate_series(1, 9) AS n;
INSERT INTO shop.tagged VALUES ('{a,"b c"}', 'placed');
SELECT ordcancel.grant_owner('call_owner'), ordcancel.grant_merchant('call_merchant'),
       ordcancel.grant_customer('call_customer') \g /dev/null
GRANT SELECT ON ALL TABLES IN SCHEMA shop TO call_merchant, call_customer;

SET LOCAL ROLE call_owner;
SELECT ordcancel.attach('shop.orders', 'status', refund_due => 'due'), ordcancel.attach('shop.lines', 'status'),
       ordcancel.attach('shop.tagged', 'status') \g /dev/null
SELECT ordcancel.set_policy(t, requested_status => 'asked', in_progress_status => 'refunding',
                            canceled_status => 'canceled'),
       ordcancel.set_rule(t, 'placed', customer => 'cancel', merchant => 'cancel'),
       ordcancel.set_rule(t, 'preparing', customer => 'request', merchant => 'request'),
       ordcancel.set_rule(t, 'shipped', hint => 'Process it as a return.')
FROM unnest('{shop.orders,shop.lines,shop.tagged}'::regclass[]) AS t \g /dev/null
SELECT ordcancel.attach_items('shop.items', 'shop.orders', key => '{order_id}', quantity => 'quantity',
                              canceled => 'canceled', amount => '(quantity - canceled) * price') \g /dev/null
SELECT is(ordcancel.make_call_table('shop.orders')::text, 'shop.orders_call', 'it is made beside the order table');
SELECT is(ordcancel.make_call_table('shop.lines')::text, 'shop.lines_call', 'for a key of several columns too');
SELECT ordcancel.make_call_table('shop.tagged') \g /dev/null
SELECT is(ordcancel.make_call_table('shop.orders')::text, 'shop.orders_call', 'again, it is the same');
SELECT is((SELECT relowner::regrole::text FROM pg_class WHERE oid = 'shop.orders_call'::regclass), 'call_owner',
          'it belongs to the owner of the orders');
SELECT is(pg_get_constraintdef(oid), 'PRIMARY KEY (order_id, call_id)', 'its key begins with that of the order')
FROM pg_constraint WHERE conrelid = 'shop.orders_call'::regclass AND contype = 'p';
SELECT is(pg_get_constraintdef(oid), 'PRIMARY KEY (region, order_reference, call_id)',
          'key columns that have the name of an argument get another one')
FROM pg_constraint WHERE conrelid = 'shop.lines_call'::regclass AND contype = 'p';
SELECT is_empty($$SELECT attname FROM pg_attribute
                  WHERE attrelid IN ('shop.orders_call'::regclass, 'shop.lines_call'::regclass) AND attnum > 0
                    AND col_description(attrelid, attnum) IS NULL
                  UNION ALL
                  SELECT 'table' WHERE obj_description('shop.orders_call'::regclass, 'pg_class') IS NULL$$,
                'the table and its columns have comments');
GRANT SELECT, INSERT ON shop.orders_call, shop.lines_call, shop.tagged_call TO call_merchant, call_customer;
RESET ROLE;
GRANT INSERT ON shop.orders_call TO call_stranger;
GRANT SELECT ON shop.orders TO call_stranger;

-- The arguments that the trigger passes are those that the functions have.
SELECT is((SELECT string_agg(c.name, ' ' ORDER BY c.name) FROM ordcancel_internal.call_columns() AS c
           WHERE c.contents LIKE '%argument%' AND c.name <> 'on_error'),
          (SELECT string_agg(DISTINCT a.name, ' ' ORDER BY a.name)
           FROM pg_proc AS p, unnest(p.proargnames[:p.pronargs]) AS a (name)
           WHERE p.pronamespace = 'ordcancel'::regnamespace
             AND (p.prorettype = 'ordcancel.outcome'::regtype OR p.proname = 'cancel_orders')
             AND a.name NOT IN ('orders', 'order_id', 'on_error')), 'there is a column for every argument');
-- Two that no verb takes both lead to the list of those that it takes.
SELECT is(regexp_replace(error_of(format('INSERT INTO shop.orders_call (order_id, verb, %s) VALUES (1, %L, %s)',
                                         CASE WHEN p.proname IN ('forget', 'undo_cancel') THEN 'amount'
                                              ELSE 'session_roles' END, p.proname,
                                         CASE WHEN p.proname IN ('forget', 'undo_cancel') THEN '1' ELSE 'true' END)),
                         '^.* It takes (.*)\.$', '\1'),
          regexp_replace((SELECT string_agg(c.name, ', ' ORDER BY c.n) FROM ordcancel_internal.call_columns() AS c
                          WHERE c.name::text = ANY (p.proargnames[:p.pronargs] || 'on_error'::text)),
                         ', ([^,]*)$', ' and \1'),
          p.proname || ' takes what its function takes')
FROM pg_proc AS p
WHERE p.pronamespace = 'ordcancel'::regnamespace AND p.proargtypes[1] = 'text'::regtype
  AND (p.prorettype = 'ordcancel.outcome'::regtype OR p.proname = 'cancel_orders');

-- ------------------------------------------------------------------ every verb

CREATE FUNCTION call(call jsonb, columns text DEFAULT 'state || '' '' || order_status') RETURNS text
    LANGUAGE plpgsql AS $$
DECLARE
    answer text;
BEGIN
    EXECUTE format('INSERT INTO shop.orders_call (%1$s)'
                   ' SELECT %1$s FROM jsonb_populate_record(NULL::shop.orders_call, $1) RETURNING %2$s',
                       (SELECT string_agg(quote_ident(k), ', ') FROM jsonb_object_keys(call) AS k),
                   columns) USING call INTO answer;
    RETURN answer;
END
$$;
CREATE FUNCTION call_error(call jsonb) RETURNS text LANGUAGE sql AS $$
SELECT error_of(format('SELECT call(%L)', call))
$$;
SET LOCAL ROLE call_merchant;
SELECT is(call('{"order_id": 1, "verb": "cancel_order", "reason": "out_of_stock", "note": "n", "actor": "anna",'
               ' "metadata": {"a": 1}}',
               'concat_ws('' '', order_id, state, order_status, changed, cancellation_id > 0, requested_at,'
               ' called_at)'),
          '1 canceled canceled t t 2026-05-05 12:00:00+00 2026-05-05 12:00:00+00',
          'a row is a call, and has its answer');
RESET ROLE;
SELECT is((SELECT concat_ws(' ', state, reason, note, requested_actor, metadata) FROM shop.orders_cancellation
           WHERE order_id = 1), 'canceled out_of_stock n anna {"a": 1}', 'its arguments reach the record');
SELECT is((SELECT source || ' ' || session_role FROM shop.orders_cancellation_event WHERE order_id = 1),
          'cancel_order ' || session_user, 'the event says which function it was');
SELECT is(call('{"order_id": 1, "verb": "cancel_order"}', 'changed'), 'false', 'a repeated call changes nothing');
SELECT is(call('{"order_id": 1, "verb": "undo_cancel", "note": "back", "settled": true}'), 'undone placed',
          'undo_cancel');
SELECT is(call('{"order_id": 20, "verb": "request_cancel", "request_key": "k"}'), 'requested asked', 'request_cancel');
SELECT is(call('{"order_id": 20, "verb": "request_cancel", "request_key": "k"}', 'changed'), 'false',
          'with a request key');
SELECT is(call('{"order_id": 20, "verb": "deny_cancel", "note": "no"}'), 'denied preparing', 'deny_cancel');
SELECT is(call('{"order_id": 21, "verb": "request_cancel"}'), 'requested asked', 'another request')
UNION ALL SELECT is(call('{"order_id": 21, "verb": "withdraw_cancel"}'), 'withdrawn preparing', 'withdraw_cancel');
SELECT is(call('{"order_id": 22, "verb": "request_cancel"}'), 'requested asked', 'another request')
UNION ALL SELECT is(call('{"order_id": 22, "verb": "accept_cancel", "reason": "fraud"}'), 'canceled canceled',
                    'accept_cancel');
SELECT is(call('{"order_id": 30, "verb": "override_cancel", "note": "recalled"}'), 'canceled canceled',
          'override_cancel');
SELECT is(call('{"order_id": 40, "verb": "cancel_order", "refund": 25}', 'state || '' '' || refund_due'),
          'in_progress 25', 'refund, and the amount due as answer');
SELECT is(call('{"order_id": 40, "verb": "adjust_refund", "refund_due": 28.004, "note": "late"}',
               'state || '' '' || refund_due'), 'in_progress 28.00', 'adjust_refund, whose argument is answered');
SELECT is(call('{"order_id": 40, "verb": "record_refund", "amount": 8, "method": "card", "reference": "r"}',
               'concat_ws('' '', state, refund_due, refunded)'), 'in_progress 28.00 8', 'record_refund');
SELECT is(call(jsonb_build_object('order_id', 40, 'verb', 'record_refund', 'amount', 20, 'method', 'cash',
                                  'cancellation_id', (SELECT cancellation_id FROM shop.orders_cancellation
                                                      WHERE order_id = 40))),
          'canceled canceled', 'of a named cancellation');
SELECT is(call('{"order_id": 50, "verb": "cancel_items", "items": [{"item": 2, "quantity": 1}]}', 'state'),
          'canceled', 'cancel_items');
SELECT is(call('{"order_id": 51, "verb": "request_cancel_items", "items": [{"item": 1}]}', 'state'), 'canceled',
          'request_cancel_items');
SELECT is(call('{"order_id": 1, "verb": "forget", "note": "123", "session_roles": true}', 'changed'), 'true', 'forget');
SELECT is((SELECT count(*) FROM shop.orders_cancellation WHERE order_id = 1 AND note IS NOT NULL), 0::bigint,
          'it forgets');

-- ----------------------------------------------------------------------- arrays

SELECT is(call('{"verb": "cancel_orders", "order_ids": [2, 31, 3, 3], "reason": "fraud"}',
               $q$order_id || (SELECT string_agg(concat_ws(' ', ',', r->>'order_id', r->>'outcome', r->>'sqlstate'), '')
                               FROM jsonb_array_elements(results) AS r) || ' ' || on_error$q$),
          '2, 2 canceled, 31 refused OC003, 3 canceled, 3 already skip',
          'an array: results has the rows of cancel_orders, and the row is that of the first order');
SELECT is(call('{"order_id": 4, "verb": "cancel_orders"}', 'results->0->>''outcome'' || '' '' || order_ids[1]'),
          'canceled 4', 'without an array, that of the row''s order');
SELECT is(call_error('{"verb": "cancel_orders", "order_ids": [5, 32], "on_error": "abort"}') ~ '^OC003', true,
          'abort raises');
SELECT is(status_of(5), 'placed', 'and cancels none');
SELECT is(call_error('{"verb": "cancel_orders", "order_ids": []}'), '22023 | order_ids names no order', 'no order');
SELECT is(attempt($$INSERT INTO shop.orders_call (verb) VALUES ('cancel_orders')$$), '23502', 'nor without array');
SELECT is(call_error('{"verb": "cancel_orders", "order_ids": ["x"]}') ~ '^22P02', true, 'a key that is none');

SET LOCAL ROLE call_merchant;
INSERT INTO shop.lines_call (region, order_reference, verb) VALUES ('eu, "x"', 1, 'cancel_order'),
    ('eu, "x"', 2, 'cancel_order');
INSERT INTO shop.lines_call (verb, order_ids)
VALUES ('cancel_orders', ARRAY[ROW('eu, "x"', 3)::text, ROW('eu, "x"', 4)::text]);
INSERT INTO shop.lines_call (region, order_reference, verb) VALUES ('eu, "x"', 5, 'cancel_orders');
INSERT INTO shop.tagged_call (order_id, verb) VALUES ('{a,"b c"}', 'cancel_order');
RESET ROLE;
SELECT is((SELECT string_agg(reference::text, ',' ORDER BY reference) FROM shop.lines WHERE status = 'canceled'),
          '1,2,3,4,5', 'keys of several columns');
SELECT is((SELECT string_agg(order_reference::text, ',' ORDER BY call_id) FROM shop.lines_call), '1,2,3,5',
          'also from the first of an array');
SELECT is((SELECT status FROM shop.tagged), 'canceled', 'and a key that is an array');

-- ----------------------------------------------------------------------- errors

SELECT is(call_error('{"order_id": 33, "verb": "cancel_order"}'),
          error_of($$SELECT ordcancel.cancel_order('shop.orders', 33)$$), 'an error is that of the function');
CREATE FUNCTION context_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    context text;
BEGIN
    EXECUTE statement;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS context = PG_EXCEPTION_CONTEXT;
    RETURN context;
END
$$;
SELECT is(context_of($$INSERT INTO shop.orders_call (order_id, verb) VALUES (33, 'cancel_order')$$),
          E'SQL statement "INSERT INTO shop.orders_call (order_id, verb) VALUES (33, \'cancel_order\')"\n'
          || 'PL/pgSQL function context_of(text) line 5 at EXECUTE', 'how it was called is no part of its CONTEXT');
SELECT is(call_error('{"order_id": 33, "verb": "cancel_order"}') ~ '\| Process it as a return\.$', true,
          'with its hint');
SELECT is(call_error('{"order_id": 33, "verb": "cancel"}'), '22023 | unknown verb "cancel" | The verbs are '
          'accept_cancel, adjust_refund, cancel_items, cancel_order, cancel_orders, deny_cancel, forget, '
          'override_cancel, '
          'record_refund, request_cancel, request_cancel_items, undo_cancel and withdraw_cancel.',
          'an unknown verb; the hint lists them');
SELECT is(attempt('INSERT INTO shop.orders_call (order_id) VALUES (6)'), '22023', 'no verb');
SELECT is(call_error('{"order_id": 6, "verb": "deny_cancel", "refund": 1}'), '22023 | verb deny_cancel does not take '
          'refund | It takes note, actor, metadata and on_error.', 'an argument that the verb does not take');
SELECT is(call_error('{"order_id": 6, "verb": "cancel_order", "order_ids": [7]}') ~ 'does not take order_ids', true,
          'order_ids are for cancel_orders');
SELECT is(call_error('{"order_id": 6, "verb": "cancel_order", "state": "canceled"}'),
          '22023 | column "state" of a call is a part of the answer | Leave it out.', 'an answer is no argument');
SELECT is(call_error('{"order_id": 6, "verb": "cancel_order", "on_error": "stop"}') ~ '^22023', true, 'on_error');
SELECT is(call('{"order_id": 34, "verb": "cancel_order", "on_error": "skip"}',
               'concat_ws('' '', sqlstate, changed, state, message IS NOT NULL, detail IS NOT NULL, hint)'),
          'OC003 f t t Process it as a return.', 'on_error skip answers with the error');
WITH made AS (INSERT INTO shop.orders_call (order_id, verb, on_error)
              SELECT n, 'cancel_order', 'skip' FROM unnest('{6,7,8,35}'::integer[]) AS n
              RETURNING order_id, coalesce(sqlstate, state) AS answer)
SELECT is(string_agg(order_id || ' ' || answer, ', ' ORDER BY order_id), '6 canceled, 7 canceled, 8 canceled, 35 OC003',
          'many calls in one statement') FROM made;
-- Each row is a call of its own, equal or not.
SELECT call('{"order_id": 41, "verb": "cancel_order"}') \g /dev/null
INSERT INTO shop.orders_call (order_id, verb, amount, method) VALUES (41, 'record_refund', 5, 'cash'),
    (41, 'record_refund', 5, 'cash');
SELECT is((SELECT refunded FROM shop.orders_cancellation WHERE order_id = 41), 10::numeric, 'equal rows are two calls');
SAVEPOINT before;
SELECT call('{"order_id": 9, "verb": "cancel_order"}') \g /dev/null
ROLLBACK TO before;
SELECT is(status_of(9) || (SELECT count(*) FROM shop.orders_call WHERE order_id = 9), 'placed0',
          'a call is undone with its transaction');

-- ------------------------------------------------------------------- privileges

SELECT is(attempt_as('call_stranger', $$INSERT INTO shop.orders_call (order_id, verb) VALUES (9, 'cancel_order')$$),
          '42501', 'INSERT alone is not enough');
SELECT is(attempt_as('call_customer', $$INSERT INTO shop.orders_call (order_id, verb) VALUES (9, 'cancel_order')$$),
          '42501', 'a customer does not have the merchant''s functions');
SELECT is(attempt_as('call_customer', $$INSERT INTO shop.orders_call (order_id, verb) VALUES (9, 'request_cancel')$$),
          'ok', 'but those of customers');
ALTER TABLE shop.orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON shop.orders TO call_customer USING (id > 10);
SELECT is(attempt_as('call_customer', $$INSERT INTO shop.orders_call (order_id, verb) VALUES (10, 'request_cancel')$$),
          'OC002', 'for orders that they see');
ALTER TABLE shop.orders DISABLE ROW LEVEL SECURITY;
SELECT is(attempt_as('call_stranger', $$SELECT ordcancel.make_call_table('shop.orders')$$), '42501',
          'only the owner makes the table');

-- ---------------------------------------------------------- calls that were made

SELECT is(attempt('UPDATE shop.orders_call SET note = ''x'' WHERE order_id = 1'), '23514 call_is_made',
          'calls are not updated');
SELECT is(attempt_as('call_owner', 'DELETE FROM shop.orders_call WHERE order_id = 1'), 'ok',
          'they are deleted, by the owner');
SELECT is(attempt_as('call_merchant', 'DELETE FROM shop.orders_call WHERE order_id = 2'), '42501', 'not by others');
SELECT is(attempt_as('call_merchant',
                     $$INSERT INTO shop.orders_call (order_id, verb, called_at) VALUES (11, 'cancel_order', now())$$),
          '42501', 'others do not invent calls');
CREATE TEMP TABLE dump AS SELECT * FROM shop.orders_call;
GRANT SELECT ON dump TO call_owner;
CREATE TEMP VIEW records AS SELECT count(*) FROM shop.orders_cancellation_event;
CREATE TEMP TABLE before AS SELECT * FROM records;
DELETE FROM shop.orders_call;
SELECT is(attempt_as('call_owner', 'INSERT INTO shop.orders_call SELECT * FROM dump'), 'ok', 'they are restored');
SELECT is((SELECT count FROM records), (SELECT count FROM before), 'without calling again');
SELECT set_eq('TABLE shop.orders_call', 'TABLE dump', 'as they were');
SET LOCAL session_replication_role = replica;
SELECT is(call('{"order_id": 12, "verb": "cancel_order"}'), 'canceled canceled', 'what is replicated calls as well');
SET LOCAL session_replication_role = origin;
SELECT is(call('{"order_id": 13, "verb": "cancel_order", "call_id": null}', '(call_id > 0)::text'), 'true',
          'a foreign table sends a null value for the number');

-- -------------------------------------------------------------- health and setup

CREATE FUNCTION problems() RETURNS text LANGUAGE sql AS $$
SELECT string_agg(problem, ' ' ORDER BY problem) FROM ordcancel.health('shop.orders') WHERE problem LIKE 'call%'
$$;
SELECT is(problems(), NULL, 'all is well');
SELECT is(ordcancel.export_setup('shop.orders') ~ E'\nSELECT ordcancel.make_call_table\\(''shop.orders''\\);\n', true,
          'export_setup has it');
SAVEPOINT changed;
ALTER TABLE shop.orders_call DISABLE TRIGGER ordcancel_run_call;
SELECT is(problems(), 'call_trigger_missing', 'a disabled trigger is a problem');
SELECT is(attempt($$INSERT INTO shop.orders_call (order_id, verb) VALUES (14, 'cancel_order')$$), '23502',
          'and no call is lost silently');
SELECT ordcancel.make_call_table('shop.orders') \g /dev/null
SELECT is(problems(), NULL, 'make_call_table creates it again');
ROLLBACK TO changed;
ALTER TABLE shop.orders_call ALTER COLUMN refund TYPE text;
SELECT is(problems(), 'call_table_unusable', 'so is another type of a column');
SELECT is(attempt($$INSERT INTO shop.orders_call (order_id, verb) VALUES (14, 'cancel_order')$$), 'OC014',
          'it is refused');
SELECT is(attempt($$SELECT ordcancel.make_call_table('shop.orders')$$), 'OC014', 'here too');
ROLLBACK TO changed;
ALTER TABLE shop.orders_call DROP COLUMN session_roles, DROP COLUMN hint, ADD COLUMN batch text DEFAULT 'b7';
SELECT is(problems(), NULL, 'columns may be dropped and added');
SELECT is(call('{"order_id": 14, "verb": "cancel_order"}', 'state || batch'), 'canceledb7', 'and calls work');
ALTER TABLE shop.orders_call DROP COLUMN verb;
SELECT is(problems(), 'call_table_unusable', 'but not all');
ROLLBACK TO changed;
ALTER TABLE shop.orders_call ALTER COLUMN order_id TYPE bigint;
SELECT is(problems(), 'call_table_unusable', 'nor the type of the key');
SELECT is(call('{"order_id": 14, "verb": "cancel_order"}', 'state'), 'canceled', 'which works nevertheless');
ROLLBACK TO changed;
ALTER TABLE shop.orders_call RENAME TO requests;
SELECT is(problems(), NULL, 'it may be renamed');
INSERT INTO shop.requests (order_id, verb) VALUES (15, 'cancel_order');
SELECT is(status_of(15), 'canceled', 'and works');
DROP TABLE shop.requests;
SELECT is(problems(), NULL, 'or dropped');
SELECT is(ordcancel.export_setup('shop.orders') ~ 'make_call_table', false, 'then it is no part of the setup');
CREATE TABLE shop.orders_call (order_id integer, verb text);
SELECT is(error_of($$SELECT ordcancel.make_call_table('shop.orders')$$)
          ~ '^OC014 \| table shop.orders_call exists but cannot be the table of calls of shop.orders \| It has ', true,
          'another table of the name is not taken');
ROLLBACK TO changed;
SET LOCAL ROLE call_owner;
SELECT is(ordcancel.detach('shop.orders') ~ ' stay in shop.orders_cancellation, the calls in shop.orders_call$',
          true, 'detach leaves the table');
SELECT is(attempt($$INSERT INTO shop.orders_call (order_id, verb) VALUES (14, 'cancel_order')$$), '23502',
          'which takes no calls then');
SELECT ordcancel.attach('shop.orders', 'status') \g /dev/null
SELECT is(ordcancel.make_call_table('shop.orders')::text, 'shop.orders_call', 'it is taken up again');
RESET ROLE;
SELECT is((SELECT count(*) FROM shop.orders_call), (SELECT count(*) FROM dump) + 2, 'with its rows');
ALTER TABLE shop.lines OWNER TO call_merchant;
GRANT CREATE ON SCHEMA shop TO call_merchant;
SELECT ordcancel.attach('shop.lines', 'status'), ordcancel.make_call_table('shop.lines') \g /dev/null
SELECT is((SELECT relowner::regrole::text FROM pg_class WHERE oid = 'shop.lines_call'::regclass), 'call_merchant',
          'it goes to a new owner of the orders');
DROP TABLE shop.lines;
SELECT is(attempt($$INSERT INTO shop.lines_call (region, order_reference, verb) VALUES ('x', 1, 'cancel_order')$$),
          'OC001', 'without order table there are no calls');

SELECT * FROM finish();
ROLLBACK;
