-- attach_child with refuse_when and key_expression: which rows are refused, and
-- that all others neither lock nor read an order.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
SELECT plan(170);

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
          'state = ''captured'' | (order_row.state = ''captured''::shop.state) | public', 'as the configuration says');
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
SELECT is(attempt('UPDATE shop.payment SET state = ''captured'' WHERE id IN (2, 4)'), 'ok',
          'after undo and withdrawal');
SELECT (ordcancel.cancel_order('shop.orders', 4)).state;

-- Rows that do not meet the condition neither lock nor read the order.
CREATE FUNCTION touched(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    was bigint := pg_stat_get_xact_numscans('shop.orders_pkey'::regclass);
    is_now bigint;
BEGIN
    EXECUTE statement;
    is_now := pg_stat_get_xact_numscans('shop.orders_pkey'::regclass);
    RETURN concat_ws(' ', CASE is_now WHEN was THEN 'not read' ELSE 'read' END,
                     CASE WHEN (SELECT xmax FROM shop.orders WHERE id = 16) = '0' THEN 'not locked' ELSE 'locked' END);
END
$$;
SELECT is(touched(statement), wanted, what)
FROM (VALUES
    ('INSERT INTO shop.payment VALUES (16, 16, ''pending'')', 'not read not locked', 'a new row that does not meet it'),
    ('UPDATE shop.payment SET note = ''y'' WHERE order_id = 16', 'not read not locked', 'another column'),
    ('UPDATE shop.payment SET state = ''authorized'' WHERE order_id = 16', 'not read not locked', 'another state'),
    ('UPDATE shop.payment SET order_id = 17 WHERE id = 16', 'not read not locked', 'another order'),
    ('UPDATE shop.payment SET state = ''captured'' WHERE id = 16', 'read not locked', 'the state in question'),
    ('UPDATE shop.payment SET order_id = 16 WHERE id = 16', 'read locked', 'and another order'),
    ('UPDATE shop.payment SET state = ''captured'' WHERE id = 16', 'not read locked', 'what is true stays so')) AS v (
         statement, wanted, what);

-- Conditions that are more than a column.
CREATE TABLE shop.provider (name text PRIMARY KEY, instant boolean);
INSERT INTO shop.provider VALUES ('now', true), ('later', false);
CREATE TABLE shop.charge (order_id integer, provider text, at timestamptz, body jsonb);
SELECT is(attempt(format($$SELECT ordcancel.attach_child('shop.charge', 'shop.orders', '{order_id}',
                                                         refuse_when => %L)$$, condition)), 'ok',
          'condition ' || condition)
       || E'\n' || is(attempt('INSERT INTO shop.charge VALUES (4, ' || refused || ')'), '23514 order_is_canceled',
                      'is true')
       || E'\n' || is(attempt('INSERT INTO shop.charge VALUES (4, ' || passes || ')'), 'ok', 'is not true')
FROM (VALUES ('charge.at < ''2026-01-01'' -- early', '''x'', ''2025-12-31 12:00+00''', '''x'', ''2026-02-01'''),
             ('body ->> ''state'' = ''paid''', 'NULL, NULL, ''{"state": "paid"}''', 'NULL, NULL, ''{"state": 1}'''),
             ('(SELECT p.instant FROM shop.provider AS p WHERE p.name = charge.provider)', '''now''', '''later'''),
             ('charge IS NOT NULL', '''a'', now(), ''1''', '''a'', now(), NULL'))
         AS v (condition, refused, passes);

-- ---------------------------------------------------------------- key_expression

-- As in Medusa: only a join table knows the order, and it may be written later.
CREATE TABLE shop.fulfillment (id integer PRIMARY KEY, shipped_at timestamptz, note text);
CREATE TABLE shop.order_fulfillment (order_id integer, fulfillment_id integer, gone boolean);
SELECT is(attempt($$SELECT ordcancel.attach_child('shop.fulfillment', 'shop.orders',
    refuse_when => 'shipped_at IS NOT NULL',
    key_expression => '(SELECT j.order_id FROM shop.order_fulfillment AS j WHERE j.fulfillment_id = fulfillment.id'
                      ' AND j.gone IS NOT TRUE)')$$), 'ok', 'a key that a join table has');
INSERT INTO shop.fulfillment VALUES (1), (2), (4), (5), (6);
INSERT INTO shop.order_fulfillment VALUES (1, 1, NULL), (3, 2, false), (4, 4, false), (5, 5, true);
SELECT is(attempt(format('UPDATE shop.fulfillment SET shipped_at = now() WHERE id = %s', id)), wanted, what)
FROM (VALUES (1, 'ok', 'of a free order'), (2, '23514 order_is_canceled', 'of one in progress'),
             (4, '23514 order_is_canceled', 'of a canceled one'), (5, 'ok', 'of none any more'),
             (6, 'ok', 'of none yet')) AS v (id, wanted, what);
SELECT is(attempt('UPDATE shop.fulfillment SET shipped_at = ''2026-01-01'', note = ''again'' WHERE id = 1'), 'ok',
          'shipped again');
SELECT is(attempt($$INSERT INTO shop.order_fulfillment VALUES (4, 6)$$), 'ok', 'the join table is not guarded yet');
SELECT is(attempt('UPDATE shop.fulfillment SET note = ''late'' WHERE id = 6'), 'ok', 'what is shipped stays so');
DELETE FROM shop.order_fulfillment WHERE fulfillment_id = 6;
SELECT is(attempt($$SELECT ordcancel.attach_child('shop.order_fulfillment', 'shop.orders', '{order_id}', refuse_when =>
    '(SELECT f.shipped_at IS NOT NULL FROM shop.fulfillment AS f WHERE f.id = fulfillment_id)')$$), 'ok',
          'the join table is a child, too');
SELECT is(attempt('INSERT INTO shop.order_fulfillment VALUES (4, 6)'), '23514 order_is_canceled',
          'a shipped row is not given to a canceled order');
SELECT is(attempt('INSERT INTO shop.order_fulfillment VALUES (1, 6)'), 'ok', 'but to a free one');
SELECT is(attempt('WITH f AS (INSERT INTO shop.fulfillment VALUES (7, now()) RETURNING id)'
                  ' INSERT INTO shop.order_fulfillment SELECT 4, id FROM f'), '23514 order_is_canceled',
          'both rows in one statement');
INSERT INTO shop.order_fulfillment VALUES (1, 1);
SELECT is(attempt('UPDATE shop.fulfillment SET shipped_at = NULL, note = ''x'' WHERE id = 1'), 'ok',
          'an expression is not evaluated without need');
SELECT is(error_of('UPDATE shop.fulfillment SET shipped_at = now() WHERE id = 1', 'sqlstate', 'message', 'detail',
                   'hint'),
          '21000 | key_expression of guard "default" of child table shop.fulfillment found several orders for a row '
          '| The expression failed with: more than one row returned by a subquery used as an expression. '
          '| It must return one order. Pass the table that joins rows and orders to ordcancel.attach_child() instead.',
          'several orders');

-- Without refuse_when: all new rows, and those whose order changes.
CREATE TABLE shop.letter (id integer, body jsonb, sent boolean);
SELECT is(attempt($$SELECT ordcancel.attach_child('shop.letter', 'shop.orders',
                                                  key_expression => '(body ->> ''order'')::bigint')$$), 'ok',
          'a key in a document');
SELECT is(attempt(statement), wanted, what)
FROM (VALUES
    ('INSERT INTO shop.letter VALUES (1, ''{"order": 4}'')', '23514 order_is_canceled', 'a new row'),
    ('INSERT INTO shop.letter VALUES (1, ''{"order": 1}''), (2, ''{}''), (3, NULL)', 'ok', 'of another order or none'),
    ('UPDATE shop.letter SET body = ''{"order": 4}'' WHERE id = 2', '23514 order_is_canceled', 'a row gets an order'),
    ('UPDATE shop.letter SET body = ''{"order": 1, "x": 2}'' WHERE id = 1', 'ok', 'the order stays'),
    ('UPDATE shop.letter SET sent = true', 'ok', 'another column'),
    ('UPDATE shop.letter SET body = ''{"order": "A"}'' WHERE id = 1', '22P02', 'an error of the expression itself'))
         AS v (statement, wanted, what);

-- Keys of several columns.
CREATE DOMAIN shop.code AS text CHECK (VALUE <> 'no');
CREATE TABLE shop.pairs (shop_id smallint, no shop.code, status text, PRIMARY KEY (shop_id, no));
INSERT INTO shop.pairs SELECT 1, 'X' || n, 'placed' FROM generate_series(1, 4) AS n;
SELECT ordcancel.attach('shop.pairs', 'status');
SELECT ordcancel.set_policy('shop.pairs', canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.pairs', 'placed', merchant => 'cancel');
SELECT (ordcancel.cancel_order('shop.pairs', ROW(1, 'X4'))).state;
CREATE TYPE shop.pair AS (s bigint, no varchar(9));
CREATE TABLE shop.parcel (s integer, no text, open boolean);
CREATE TABLE shop.parcel_of (parcel text, s integer, no text);
INSERT INTO shop.parcel_of VALUES ('a', 1, 'X1'), ('d', 1, 'X4'), ('n', 1, NULL);
SELECT is(attempt(format($$SELECT ordcancel.attach_child('shop.parcel', 'shop.pairs', key_expression => %L)$$, e)),
          'ok', 'key ' || e)
       || E'\n' || is(attempt(format('INSERT INTO shop.parcel VALUES (1, %L)', refused)), '23514 order_is_canceled',
                      'refused')
       || E'\n' || is(attempt(format('INSERT INTO shop.parcel VALUES (1, %L), (NULL, %1$L), (1, NULL)', passes)), 'ok',
                      'passes')
FROM (VALUES ('ROW(s, no)', 'X4', 'X1'), ('ROW(s, no)::shop.pair', 'X4', 'X1'),
             ('(SELECT ROW(o.s, o.no) FROM shop.parcel_of AS o WHERE o.parcel = parcel.no)', 'd', 'a'),
             ('(SELECT ROW(o.s, o.no) FROM shop.parcel_of AS o WHERE o.parcel = parcel.no)', 'd', 'n'))
         AS v (e, refused, passes);
CREATE TABLE shop.int_pairs (a integer, b bigint, status text, PRIMARY KEY (a, b));
INSERT INTO shop.int_pairs VALUES (1, 1, 'placed'), (1, 2, 'placed');
SELECT ordcancel.attach('shop.int_pairs', 'status');
SELECT ordcancel.set_policy('shop.int_pairs', canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.int_pairs', 'placed', merchant => 'cancel');
SELECT (ordcancel.cancel_order('shop.int_pairs', ROW(1, 2))).state;
CREATE TABLE shop.tag (path text);
SELECT is(attempt($$SELECT ordcancel.attach_child('shop.tag', 'shop.int_pairs',
                        key_expression => 'string_to_array(path, ''/'')::integer[]')$$), 'ok', 'an array');
SELECT is(attempt(format('INSERT INTO shop.tag VALUES (%L)', path)), wanted, 'array ' || coalesce(path, 'NULL'))
FROM (VALUES ('1/2', '23514 order_is_canceled'), ('1/1', 'ok'), (NULL, 'ok'), ('1', 'OC014'), ('1/2/3', 'OC014'),
             ('', 'OC014')) AS v (path, wanted);
SELECT is(attempt($$SELECT ordcancel.attach_child('shop.tag', 'shop.int_pairs',
                        key_expression => 'string_to_array(path, ''/'')')$$), 'ok', 'an array of another type');
SELECT is(error_of('INSERT INTO shop.tag VALUES (''1/2'')', 'sqlstate', 'message', 'detail'),
          'OC014 | the key in guard "default" of child table shop.tag cannot be the key of shop.int_pairs '
          '| Its type is text, but the type of column "a" is integer.', 'is seen when a row comes');

-- ------------------------------------------------------------------ several guards

CREATE TABLE shop.invoice (order_id integer, s smallint, no text, state text);
SELECT ordcancel.attach_child('shop.invoice', 'shop.orders', '{order_id}', '{canceled}');
SELECT ordcancel.attach_child('shop.invoice', 'shop.orders', '{order_id}', '{requested}', 'state = ''paid''',
                              name => 'paid');
SELECT ordcancel.attach_child('shop.invoice', 'shop.pairs', '{s,no}', name => 'pairs');
SELECT ordcancel.request_cancel('shop.orders', 2);
CREATE FUNCTION invoices() RETURNS text LANGUAGE sql AS $$
SELECT string_agg(CASE attempt('INSERT INTO shop.invoice VALUES ' || v) WHEN 'ok' THEN 'ok' WHEN '23514 order_on_hold'
                      THEN 'hold' ELSE 'canceled' END, ' ' ORDER BY n)
FROM unnest(ARRAY['(1)', '(4)', '(2)', '(2, NULL, NULL, ''paid'')', '(1, 1, ''X1'')', '(1, 1, ''X4'')',
                  '(NULL, 1, ''X4'')']) WITH ORDINALITY AS r (v, n) $$;
SELECT is(invoices(), 'ok canceled ok hold ok canceled canceled', 'each guard refuses what it should');
SELECT is((SELECT string_agg(name || ' ' || orders, ', ' ORDER BY name) FROM ordcancel.child
           WHERE child = 'shop.invoice'::regclass),
          'default shop.orders, paid shop.orders, pairs shop.pairs', 'three guards');
SELECT is((SELECT string_agg(tgname, ' ' ORDER BY tgname) FROM pg_trigger WHERE tgrelid = 'shop.invoice'::regclass),
          '!ordcancel_guard_child_insert !ordcancel_guard_child_update', 'which share the triggers');
SELECT is(attempt('UPDATE shop.invoice SET state = ''paid'' WHERE order_id = 2'), '23514 order_on_hold', 'an UPDATE');
SELECT is(attempt('UPDATE shop.invoice SET no = ''X4'' WHERE no = ''X1'''), '23514 order_is_canceled',
          'of the key of another guard');
SELECT ordcancel.attach_child('shop.invoice', 'shop.orders', '{order_id}', '{canceled}', 'state = ''paid''',
                              name => 'paid');
SELECT is(invoices(), 'ok canceled ok ok ok canceled canceled', 'one is replaced by its name');
SELECT is(ordcancel.detach_child('shop.invoice', 'none'), false, 'a name that is not there');
SELECT is(ordcancel.detach_child('shop.invoice', 'default'), true, 'one is taken off');
SELECT is(invoices(), 'ok ok ok canceled ok canceled canceled', 'the others stay')
FROM (SELECT (ordcancel.cancel_order('shop.orders', 2)).state) AS c;
SELECT is(ordcancel.detach('shop.pairs') IS NULL, false, 'an order table is detached');
SELECT is((SELECT string_agg(name, ' ') FROM ordcancel.child WHERE child = 'shop.invoice'::regclass), 'paid',
          'with its own guards only');
SELECT is(invoices(), 'ok ok ok canceled ok ok ok', 'that of the other orders stays');
SELECT is(attempt('UPDATE shop.invoice SET state = ''paid'' WHERE order_id = 4'), '23514 order_is_canceled',
          'and works');
SELECT is(ordcancel.detach_child('shop.invoice'), true, 'all are taken off');
SELECT is((SELECT count(*) FROM pg_trigger WHERE tgrelid = 'shop.invoice'::regclass), 0::bigint, 'no trigger is left');
SELECT is((SELECT array_agg(what ORDER BY change_no) FROM ordcancel.policy_change
           WHERE orders = 'shop.orders'::regclass AND what LIKE 'guard %shop.invoice%'),
          ARRAY['guard "default" of child shop.invoice: refuses rows while canceled; the key is (order_id)',
                'guard "paid" of child shop.invoice: refuses rows with (state = ''paid'') while requested; '
                'the key is (order_id)',
                'guard "paid" of child shop.invoice: refuses rows with (state = ''paid'') while canceled; '
                'the key is (order_id)',
                'guard "default" of child shop.invoice: dropped',
                'guard "paid" of child shop.invoice: dropped'], 'all of it is recorded');

-- ----------------------------------------------------------------------- partitions

CREATE TABLE shop.parts (day date, filler text, id integer, state text) PARTITION BY RANGE (day);
CREATE TABLE shop.parts_1 PARTITION OF shop.parts FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE shop.order_part (order_id integer, part integer);
INSERT INTO shop.order_part VALUES (1, 1), (4, 4);
SELECT ordcancel.attach_child('shop.parts', 'shop.orders', refuse_when => 'parts.state = ''sent''',
    key_expression => '(SELECT j.order_id FROM shop.order_part AS j WHERE j.part = parts.id)');
CREATE TABLE shop.parts_2 (id integer, gone text, state text, day date NOT NULL, filler text);
ALTER TABLE shop.parts_2 DROP COLUMN gone;
ALTER TABLE shop.parts ATTACH PARTITION shop.parts_2 FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
SELECT is(attempt(format('INSERT INTO shop.%s (day, id, state) VALUES (%L, 4, ''new''), (%2$L, 1, ''sent'')', t, d)),
          'ok', format('%s: %s', t, d))
       || E'\n' || is(attempt(format('INSERT INTO shop.%s (day, id, state) VALUES (%L, 4, ''sent'')', t, d)),
                      '23514 order_is_canceled', 'a new row')
       || E'\n' || is(attempt(format('UPDATE shop.%s SET state = ''sent''', t)), '23514 order_is_canceled', 'an UPDATE')
FROM (VALUES ('parts', '2026-01-05'), ('parts_1', '2026-01-05'), ('parts', '2026-02-05'), ('parts_2', '2026-02-05'))
         AS v (t, d);
SELECT is(attempt('UPDATE shop.parts SET day = ''2026-02-06'', state = ''sent'' WHERE day = ''2026-01-05'' AND id = 4'),
          '23514 order_is_canceled', 'a row that moves to another partition');
SELECT is(attempt('UPDATE shop.parts SET day = ''2026-02-06'' WHERE day = ''2026-01-05'''), 'ok', 'others move');

-- A change of a guard takes effect at once, and is rolled back.
CREATE FUNCTION sent() RETURNS text LANGUAGE sql AS $$
SELECT attempt('INSERT INTO shop.parts_2 (day, id, state) VALUES (''2026-02-05'', 4, ''sent'')') || ' '
       || attempt('INSERT INTO shop.parts_2 (day, id, state) VALUES (''2026-02-05'', 4, ''gone'')') $$;
SELECT is(sent(), '23514 order_is_canceled ok', 'as it was set');
SAVEPOINT change;
SELECT ordcancel.attach_child('shop.parts', 'shop.orders', '{id}', refuse_when => 'parts.state = ''gone''');
SELECT is(sent(), 'ok 23514 order_is_canceled', 'changed');
ROLLBACK TO change;
SELECT is(sent(), '23514 order_is_canceled ok', 'rolled back');
SAVEPOINT change;
SELECT ordcancel.detach_child('shop.parts');
SELECT is(sent(), 'ok ok', 'detached');
ROLLBACK TO change;
SELECT is(sent(), '23514 order_is_canceled ok', 'rolled back, too');

-- ------------------------------------------------------ what is no longer there

ALTER TABLE shop.payment RENAME state TO condition;
SELECT is(attempt('UPDATE shop.payment SET condition = ''captured'' WHERE id = 4'), 'OC014', 'a renamed column');
SELECT is(error_of('INSERT INTO shop.payment VALUES (77, 1, ''pending'')', 'sqlstate', 'message', 'detail', 'hint'),
          'OC014 | guard "default" of child table shop.payment is no longer valid '
          '| Column order_row.state does not exist. | Set it again with ordcancel.add_block(), ordcancel.also_set(), '
          'ordcancel.attach(), ordcancel.attach_items() or ordcancel.attach_child().', 'what it says');
SELECT is(attempt($$SELECT ordcancel.attach_child('shop.payment', 'shop.orders', '{order_id}',
                                                  refuse_when => 'condition = ''captured''')$$), 'ok',
          'attached again');
SELECT is(attempt('UPDATE shop.payment SET condition = ''captured'' WHERE id = 14'), '23514 order_is_canceled',
          'works');
DROP TRIGGER zz_capture ON shop.payment;
ALTER TABLE shop.payment DROP COLUMN condition;
SELECT is(attempt('INSERT INTO shop.payment VALUES (77, 1)'), 'OC014', 'a dropped column');
SELECT is(attempt('ALTER TABLE shop.payment DROP COLUMN order_id'), '2BP01', 'the key is not dropped');
DROP TABLE shop.order_part;
SELECT is(attempt('UPDATE shop.parts SET state = ''new'''), 'ok', 'a table of the key is not needed');
SELECT is(attempt('UPDATE shop.parts SET state = ''sent'' WHERE id = 1'), 'OC014', 'until it is');

-- ------------------------------------------------------------------------ arguments

SELECT is(error_of(format('SELECT ordcancel.attach_child(''shop.charge'', ''shop.orders'', %s)', arguments), 'sqlstate',
                   'message', 'detail'), wanted, arguments)
FROM (VALUES
    ('NULL', 'OC014 | key must name a column for each of (id)'),
    ('''{order_id}'', key_expression => ''order_id''', 'OC014 | key and key_expression exclude each other'),
    ('''{order_id}'', name => ''''', 'OC014 | the name of a guard must have 1 to 1000 bytes'),
    ('''{order_id}'', name => NULL', 'OC014 | the name of a guard must have 1 to 1000 bytes'),
    ('''{order_id}'', refuse_when => ''order_id''',
     'OC014 | expression over shop.charge cannot be used: order_id | Its type is integer, not boolean.'),
    ('''{order_id}'', refuse_when => ''state = 1''',
     'OC014 | expression over shop.charge cannot be used: state = 1 | Column "state" does not exist.'),
    ('''{order_id}'', refuse_when => ''true) OR (true''', 'OC014 | expression over shop.charge cannot be used: '
     'true) OR (true | Syntax error at or near ")".'),
    ('''{order_id}'', refuse_when => ''count(*) > 1''', 'OC014 | expression over shop.charge cannot be used: '
     'count(*) > 1 | Aggregate functions are not allowed in WHERE.'),
    ('''{order_id}'', refuse_when => ''''', 'OC014 | expression over shop.charge cannot be used:  '
     '| Syntax error at or near ")".'),
    ('key_expression => ''provider''', 'OC014 | key_expression (provider) cannot be the key of shop.orders '
     '| Its type is text, but the type of column "id" is integer.'),
    ('key_expression => ''order_id::numeric''', 'OC014 | key_expression (order_id::numeric) cannot be the key of '
     'shop.orders | Its type is numeric, but the type of column "id" is integer.'),
    ('key_expression => ''ROW(order_id, 1)''', 'OC014 | key_expression (ROW(order_id, 1)) cannot be the key of '
     'shop.orders | It has 2 columns, but the primary key of shop.orders has 1.'),
    ('key_expression => ''charge''', 'OC014 | key_expression (charge) cannot be the key of shop.orders '
     '| Its type is shop.charge, but the type of column "id" is integer.'),
    ('key_expression => ''ctid''', 'OC014 | expression over shop.charge cannot be used: ctid '
     '| System columns are not available.'),
    ('key_expression => ''(SELECT 1, 2)''', 'OC014 | expression over shop.charge cannot be used: (SELECT 1, 2) '
     '| Subquery must return only one column.'),
    ('key_expression => ''generate_series(1, 2)''', 'OC014 | expression over shop.charge cannot be used: '
     'generate_series(1, 2) | Set-returning functions are not allowed in WHERE.')) AS v (arguments, wanted);
SELECT is(error_of($$SELECT ordcancel.attach_child('shop.tag', 'shop.int_pairs', key_expression => '1')$$, 'sqlstate',
                   'message', 'detail'), 'OC014 | key_expression (1) cannot be the key of shop.int_pairs '
          '| It has 1 columns, but the primary key of shop.int_pairs has 2.', 'a number for a key of two columns');
SELECT is(attempt($$SELECT ordcancel.attach_child('shop.tag', 'shop.int_pairs', key_expression => 'NULL::record')$$),
          'ok', 'a row that is NULL');
SELECT is(attempt($$INSERT INTO shop.tag VALUES ('x')$$), 'ok', 'is no order');

-- A row of one column is a key of one column.
CREATE TABLE shop.one (order_id bigint);
SELECT is(attempt($$SELECT ordcancel.attach_child('shop.one', 'shop.orders', key_expression => 'ROW(order_id)')$$),
          'ok', 'a row of one column');
SELECT is(attempt('INSERT INTO shop.one VALUES (1)'), 'ok', 'is the key');
SELECT is(attempt('INSERT INTO shop.one VALUES (4)'), '23514 order_is_canceled', 'of a canceled order');
SELECT is(attempt('INSERT INTO shop.one VALUES (3000000000)'), 'ok', 'which no order has that the key cannot hold');
SELECT ordcancel.detach_child('shop.one', 'shop.orders');
SELECT ordcancel.attach_child('shop.one', 'shop.orders', '{order_id}');
SELECT is(attempt('INSERT INTO shop.one VALUES (-3000000000)'), 'ok', 'nor by a column');

-- Triggers are not inherited.
SELECT is((SELECT detail FROM ordcancel.health('shop.orders') WHERE detail ~ 'inherits'), NULL, 'all is well');
CREATE TABLE shop.one_more () INHERITS (shop.one);
SELECT is((SELECT concat_ws(' | ', problem, detail, hint) FROM ordcancel.health('shop.orders')
           WHERE detail ~ 'inherits'),
          'child_unguarded | Table shop.one_more inherits from child table shop.one, whose triggers it does not have.'
          ' | ALTER TABLE shop.one_more NO INHERIT shop.one; then call attach_child() for it, too.', 'health says so');

SELECT * FROM finish();
ROLLBACK;
