-- attach_child with refuse_when and key_expression: which rows are refused, and
-- that all others neither lock nor read an order.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
SELECT plan(96);

CREATE SCHEMA shop;
CREATE TYPE shop.state AS ENUM ('pending', 'authorized', 'captured', 'refunded');
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text NOT NULL DEFAULT 'placed', due numeric);
INSERT INTO shop.orders (id, due) SELECT n, CASE WHEN n = 3 THEN 10 END FROM generate_series(1, 20) AS n;
SELECT ordcancel.attach('shop.orders', 'status', refund_due => 'due');
SELECT ordcancel.set_policy('shop.orders', canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.orders', 'placed', customer => 'request', merchant => 'cancel');
CREATE TABLE shop.payment (id integer PRIMARY KEY, order_id integer, state shop.state, note text);
INSERT INTO shop.payment SELECT n, n, 'authorized' FROM generate_series(1, 9) AS n;

-- Order 1 is free, 2 requested, 3 in progress, 4 canceled; 5 was captured first.
UPDATE shop.payment SET state = 'captured' WHERE id = 5;
SELECT ordcancel.request_cancel('shop.orders', 2);
SELECT ordcancel.cancel_order('shop.orders', id) FROM unnest('{3,4,5}'::integer[]) AS id;

-- ------------------------------------------------------------------ refuse_when

SELECT is(attempt($$SELECT ordcancel.attach_child('shop.payment', 'shop.orders', '{order_id}',
                                                  refuse_when => 'state = ''captured''')$$), 'ok', 'attached');
SELECT is((SELECT concat_ws(' | ', refuse_when, pinned_refuse_when, key_expression, search_path) FROM ordcancel.child),
          'state = ''captured'' | order_row.state = ''captured''::shop.state | public', 'as the configuration says');
SELECT is(attempt(format('UPDATE shop.payment SET state = ''captured'' WHERE id = %s', id)), wanted,
          format('an authorized payment of order %s is captured', id))
FROM (VALUES (1, 'ok'), (2, '23514 order_on_hold'), (3, '23514 order_is_canceled'), (4, '23514 order_is_canceled'))
         AS v (id, wanted);
SELECT is(error_of('UPDATE shop.payment SET state = ''captured'' WHERE id = 4', 'message', 'detail', 'hint', 'table'),
          'order 4 of shop.orders is canceled '
          '| Table "payment" does not accept rows with (state = ''captured'') for an order whose cancellation is in '
          'state "canceled". | Call ordcancel.undo_cancel() to undo the cancellation. | payment', 'what it says');
SELECT is(attempt(statement), wanted, what)
FROM (VALUES
    ('INSERT INTO shop.payment VALUES (14, 4, ''authorized'')', 'ok', 'a row that does not meet the condition comes'),
    ('INSERT INTO shop.payment VALUES (15, 4, ''captured'')', '23514 order_is_canceled', 'one that does is refused'),
    ('INSERT INTO shop.payment VALUES (15, 1, ''captured'')', 'ok', 'unless its order is free'),
    ('UPDATE shop.payment SET order_id = 4 WHERE id = 15', '23514 order_is_canceled',
     'a row that meets it is not given to a canceled order'),
    ('UPDATE shop.payment SET order_id = 4 WHERE id = 6', 'ok', 'one that does not may be'),
    ('UPDATE shop.payment SET state = ''captured'' WHERE id = 6', '23514 order_is_canceled',
     'but then begins to meet it'),
    ('UPDATE shop.payment SET order_id = 1, state = ''captured'' WHERE id = 6', 'ok',
     'of two changes, the new order counts'),
    ('UPDATE shop.payment SET order_id = 4, state = ''captured'' WHERE id = 7', '23514 order_is_canceled',
     'also the other way round'),
    ('UPDATE shop.payment SET (id, order_id, state, note) = (id, order_id, state, note) WHERE id = 5', 'ok',
     'a stale save of all columns of a row that met it already passes'),
    ('UPDATE shop.payment SET note = ''x''', 'ok', 'and so do other columns of any row'),
    ('UPDATE shop.payment SET state = ''refunded'' WHERE id = 5', 'ok', 'a row that ceases to meet it'),
    ('UPDATE shop.payment SET state = ''captured'' WHERE id = 5', '23514 order_is_canceled', 'and does so again'),
    ('UPDATE shop.payment SET state = NULL WHERE id IN (3, 4)', 'ok', 'NULL is not true'),
    ('UPDATE shop.payment SET state = ''captured'' WHERE id IN (3, 4) AND state IS NULL', '23514 order_is_canceled',
     'nor was it before'),
    ('UPDATE shop.payment SET state = ''captured'' WHERE id IN (1, 8, 9, 4)', '23514 order_is_canceled',
     'one of many rows refuses the statement'),
    ('UPDATE shop.payment SET state = ''captured'' WHERE id IN (1, 8, 9)', 'ok', 'rows of free orders'),
    ('UPDATE shop.payment SET order_id = NULL, state = ''captured'' WHERE id = 4', 'ok', 'a row of no order'),
    ('UPDATE shop.payment SET order_id = 4 WHERE id = 4', '23514 order_is_canceled', 'until it gets one'),
    ('UPDATE shop.payment SET order_id = 999 WHERE id = 4', 'ok', 'an order that does not exist'),
    ('UPDATE shop.payment SET order_id = 4, state = ''authorized'' WHERE id = 4', 'ok', 'back'),
    ('INSERT INTO shop.payment VALUES (4, 4, ''captured'') ON CONFLICT (id) DO UPDATE SET state = excluded.state',
     '23514 order_is_canceled', 'ON CONFLICT DO UPDATE'),
    ('INSERT INTO shop.payment VALUES (4, 4, ''captured'') ON CONFLICT (id) DO NOTHING', 'ok', 'DO NOTHING'),
    ('MERGE INTO shop.payment AS p USING (VALUES (4)) AS v (id) ON p.id = v.id'
     ' WHEN MATCHED THEN UPDATE SET state = ''captured''', '23514 order_is_canceled', 'MERGE that updates'),
    ('MERGE INTO shop.payment AS p USING (VALUES (99)) AS v (id) ON p.id = v.id'
     ' WHEN NOT MATCHED THEN INSERT VALUES (99, 4, ''captured'')', '23514 order_is_canceled', 'MERGE that inserts'),
    ('COPY shop.payment FROM PROGRAM ''printf "90\t4\tcaptured\tx\n"''', '23514 order_is_canceled', 'COPY'),
    ('COPY shop.payment FROM PROGRAM ''printf "90\t4\tpending\tx\n"''', 'ok', 'COPY of another'),
    ('WITH p AS (UPDATE shop.payment SET state = ''captured'' WHERE order_id = 10)'
     ' UPDATE shop.orders SET status = ''canceled'' WHERE id = 10', 'ok', 'no payment of the order')) AS v (statement,
                                                                                                       wanted, what);
INSERT INTO shop.payment VALUES (11, 11, 'authorized'), (12, 12, 'authorized');
SELECT is(attempt('WITH p AS (UPDATE shop.payment SET state = ''captured'' WHERE id = 11)'
                  ' UPDATE shop.orders SET status = ''canceled'' WHERE id = 11'), '23514 order_is_canceled',
          'a capture and a cancellation in one statement');

-- What triggers make of a row.
CREATE FUNCTION shop.capture() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.state := 'captured'; RETURN NEW; END $$;
CREATE TRIGGER zz_capture BEFORE INSERT OR UPDATE ON shop.payment FOR EACH ROW WHEN (NEW.note = 'capture')
    EXECUTE FUNCTION shop.capture();
SELECT is(attempt('UPDATE shop.payment SET note = ''capture'' WHERE id = 4'), '23514 order_is_canceled',
          'a BEFORE trigger that makes the condition true');
SELECT is(attempt('UPDATE shop.payment SET note = ''capture'' WHERE id = 12'), 'ok', 'for another order');
CREATE FUNCTION shop.after_note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    UPDATE shop.payment SET state = 'captured' WHERE id = NEW.id; RETURN NULL; END $$;
CREATE TRIGGER zz_after AFTER UPDATE ON shop.payment FOR EACH ROW WHEN (NEW.note = 'after' AND OLD.note <> 'after')
    EXECUTE FUNCTION shop.after_note();
SELECT is(attempt('UPDATE shop.payment SET note = ''after'' WHERE id = 4'), '23514 order_is_canceled',
          'an AFTER trigger that updates the row');

-- Undo makes it possible; withdrawing a request, too.
SELECT ordcancel.undo_cancel('shop.orders', 4);
SELECT ordcancel.withdraw_cancel('shop.orders', 2);
SELECT is(attempt('UPDATE shop.payment SET state = ''captured'' WHERE id IN (2, 4)'), 'ok', 'after undo and withdrawal');
SELECT (ordcancel.cancel_order('shop.orders', 4)).state;

-- An UPDATE of a row that does not meet the condition takes no lock on the order
-- table; one that does takes that of a FOR NO KEY UPDATE.
CREATE FUNCTION order_locks() RETURNS bigint LANGUAGE sql AS $$
SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND relation = 'shop.orders'::regclass AND mode = 'RowShareLock' $$;
COMMIT;
BEGIN;
SELECT ordcancel.detach('shop.orders') WHERE false;
UPDATE shop.payment SET note = 'y';
UPDATE shop.payment SET state = 'refunded' WHERE id = 4;
INSERT INTO shop.payment VALUES (40, 4, 'pending');
SELECT is(order_locks(), 0::bigint, 'rows that do not meet the condition lock no order');
UPDATE shop.payment SET state = 'captured' WHERE id = 1 AND state = 'captured';
SELECT is(order_locks(), 0::bigint, 'nor does one that met it before');
UPDATE shop.payment SET state = 'captured' WHERE id = 15;
UPDATE shop.payment SET order_id = 12 WHERE id = 15;
SELECT is(order_locks(), 1::bigint, 'one that is given to another order does');
