-- attach_child: what a child table's rows are refused for, whichever way they
-- come, and what can be attached by whom.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
SELECT plan(114);

CREATE SCHEMA shop;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text NOT NULL DEFAULT 'placed', due numeric, customer name);
INSERT INTO shop.orders (id, due) SELECT n, CASE WHEN n IN (3, 13) THEN 10 END FROM generate_series(1, 20) AS n;
SELECT ordcancel.attach('shop.orders', 'status', refund_due => 'due');
SELECT ordcancel.set_policy('shop.orders', canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.orders', 'placed', customer => 'request', merchant => 'cancel');

-- Order 1 is free, 2 requested, 3 in progress, 4 canceled, 6 denied, 7 withdrawn,
-- 8 undone, and 25 was imported as canceled; the statuses of 2 and 3 stay.
CREATE PROCEDURE states() LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ordcancel.request_cancel('shop.orders', id) FROM unnest('{2,6,7}'::integer[]) AS id;
    PERFORM ordcancel.cancel_order('shop.orders', id) FROM unnest('{3,4,8}'::integer[]) AS id;
    PERFORM ordcancel.deny_cancel('shop.orders', 6, 'no');
    PERFORM ordcancel.withdraw_cancel('shop.orders', 7);
    PERFORM ordcancel.undo_cancel('shop.orders', 8);
END
$$;
CALL states();
INSERT INTO shop.orders VALUES (25, 'canceled');
SELECT is((SELECT string_agg(c.state, ' ' ORDER BY order_id) FROM shop.orders_cancellation AS c),
          'requested in_progress canceled denied withdrawn undone', 'orders in every state');

-- --------------------------------------------------------- which states refuse

CREATE TABLE shop.shipments (no integer GENERATED ALWAYS AS IDENTITY, order_id integer REFERENCES shop.orders,
                             weight integer);
CREATE FUNCTION error_shown(statement text) RETURNS text LANGUAGE sql
    AS $$ SELECT error_of(statement, 'message', 'detail', 'hint', 'table') $$;
CREATE FUNCTION ship(id integer) RETURNS text LANGUAGE sql
    AS $$ SELECT attempt(format('INSERT INTO shop.shipments (order_id) VALUES (%s)', id)) $$;
CREATE FUNCTION shipped() RETURNS text LANGUAGE sql AS $$
SELECT string_agg(CASE ship(id) WHEN 'ok' THEN 'ok' WHEN '23514 order_on_hold' THEN 'hold'
                      WHEN '23514 order_is_canceled' THEN 'canceled' ELSE ship(id) END, ' ' ORDER BY n)
FROM unnest('{1,2,3,4,25,6,7,8}'::integer[]) WITH ORDINALITY AS o (id, n) $$;

SELECT is(shipped(), 'ok ok ok ok ok ok ok ok', 'without attach_child every order is shipped');
SELECT lives_ok($$SELECT ordcancel.attach_child('shop.shipments', 'shop.orders', '{order_id}')$$, 'attached');
SELECT is(shipped(), 'ok hold canceled canceled canceled ok ok ok', 'none that is being canceled, in whichever way');
SELECT is((SELECT concat_ws(' ', child, orders, name, key_columns, refuse_requested, refuse_in_progress,
                            refuse_canceled, refuse_when, key_expression) FROM ordcancel.child),
          'shop.shipments shop.orders default {order_id} t t t',
          'as the configuration says');
SELECT lives_ok(format($$SELECT ordcancel.attach_child('shop.shipments', 'shop.orders', '{order_id}', %L)$$,
                       refuse_while), 'refuse while ' || refuse_while)
       || E'\n' || is(shipped(), wanted, 'is what it does')
FROM (VALUES ('{requested}', 'ok hold ok ok ok ok ok ok'),
             ('{in_progress}', 'ok ok canceled ok ok ok ok ok'),
             ('{canceled}', 'ok ok ok canceled canceled ok ok ok'),
             ('{canceled,requested,canceled}', 'ok hold ok canceled canceled ok ok ok'),
             ('{in_progress,canceled}', 'ok ok canceled canceled canceled ok ok ok'),
             ('{requested,in_progress,canceled}', 'ok hold canceled canceled canceled ok ok ok')) AS v (refuse_while,
                                                                                                        wanted);
SELECT is((SELECT count(*) FROM pg_trigger WHERE tgrelid = 'shop.shipments'::regclass AND tgname LIKE '!ordcancel%'),
          2::bigint,
          'the triggers are there once');

SELECT is(error_shown(format('INSERT INTO shop.shipments (order_id) VALUES (%s)', id)), wanted,
          'what is said of order ' || id)
FROM (VALUES (2, 'order 2 of shop.orders is on hold '
                 '| Table "shipments" does not accept rows for an order whose cancellation is in state "requested". '
                 '| Accept or deny the request first. | shipments'),
             (3, 'cancellation of order 3 of shop.orders is in progress '
                 '| Table "shipments" does not accept rows for an order whose cancellation is in state "in_progress". '
                 '| Call ordcancel.undo_cancel() to undo the cancellation. | shipments'),
             (4, 'order 4 of shop.orders is canceled '
                 '| Table "shipments" does not accept rows for an order whose cancellation is in state "canceled". '
                 '| Call ordcancel.undo_cancel() to undo the cancellation. | shipments')) AS v (id, wanted);

-- ------------------------------------------------------------------ the ways in

SELECT is(attempt(statement), wanted, what)
FROM (VALUES
    ('INSERT INTO shop.shipments (order_id) VALUES (1), (6), (4)', '23514 order_is_canceled',
     'one of many rows refuses them all'),
    ('INSERT INTO shop.shipments (order_id) SELECT id FROM shop.orders WHERE id < 3 ORDER BY id', '23514 order_on_hold',
     'of a SELECT as well'),
    ('INSERT INTO shop.shipments (order_id) VALUES (NULL)', 'ok', 'a row of no order is none of our business'),
    ('INSERT INTO shop.shipments (order_id) VALUES (999)', '23503 shipments_order_id_fkey',
     'that an order is there is for the foreign key to say'),
    ('UPDATE shop.shipments SET order_id = 4 WHERE order_id = 1', '23514 order_is_canceled',
     'an UPDATE that gives a row to such an order is refused'),
    ('UPDATE shop.shipments SET order_id = 2 WHERE order_id IS NULL', '23514 order_on_hold',
     'also one that belonged to none'),
    ('UPDATE shop.shipments SET order_id = 1 WHERE order_id = 4', 'ok', 'one that takes it away is not'),
    ('UPDATE shop.shipments SET order_id = NULL WHERE order_id = 2', 'ok', 'nor one to none'),
    ('UPDATE shop.shipments SET weight = 3', 'ok', 'other columns may change'),
    ('UPDATE shop.shipments SET order_id = order_id', 'ok', 'and the key to what it is'),
    ('DELETE FROM shop.shipments WHERE order_id = 3', 'ok', 'rows may go'),
    ('WITH w AS (INSERT INTO shop.orders (id) VALUES (30) RETURNING id) INSERT INTO shop.shipments (order_id) SELECT '
     'id FROM w', 'ok',
     'an order and its shipment at once'),
    ('MERGE INTO shop.shipments AS s USING (VALUES (4)) AS v (id) ON s.order_id = v.id AND s.no < 0 WHEN NOT MATCHED '
     'THEN INSERT (order_id) VALUES (v.id)',
     '23514 order_is_canceled', 'MERGE'),
    ('TRUNCATE shop.shipments', 'ok', 'TRUNCATE')) AS v (statement, wanted, what);
CREATE FUNCTION before_insert() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.order_id := 4; RETURN NEW; END $$;
CREATE TRIGGER aside BEFORE INSERT ON shop.shipments FOR EACH ROW WHEN (NEW.weight = 77)
    EXECUTE FUNCTION before_insert();
SELECT is(attempt('INSERT INTO shop.shipments (order_id, weight) VALUES (1, 77)'), '23514 order_is_canceled',
          'what a BEFORE trigger makes of it counts');
SELECT is(attempt('COPY shop.shipments (order_id) FROM PROGRAM ''printf "1\n4\n"'''), '23514 order_is_canceled',
          'COPY is refused');
COPY shop.shipments (order_id) FROM stdin;
1
6
\.
SELECT is((SELECT string_agg(order_id::text, ' ') FROM shop.shipments), '1 6', 'COPY for other orders is not');

-- In one transaction each sees what the other did.
SELECT is(ship(10), 'ok', 'an order is shipped');
SELECT is(attempt($$SELECT ordcancel.cancel_order('shop.orders', 10)$$), 'ok',
          'that alone keeps nobody from canceling it');
SELECT is(ship(10), '23514 order_is_canceled', 'but then no more');
SELECT is(attempt($$SELECT ordcancel.undo_cancel('shop.orders', 10)$$) || ' ' || ship(10), 'ok ok',
          'unless it is undone');
SELECT ordcancel.add_block('shop.orders', 'shipped',
                           'EXISTS (SELECT FROM shop.shipments AS s WHERE s.order_id = orders.id)');
SELECT is(attempt($$SELECT ordcancel.cancel_order('shop.orders', 10)$$), 'OC005', 'a block keeps a shipped order');
SELECT ordcancel.drop_block('shop.orders', 'shipped');
SELECT is(attempt($$DO 'BEGIN INSERT INTO shop.shipments (order_id) VALUES (11);
                               PERFORM ordcancel.cancel_order(''shop.orders'', 11);
                               INSERT INTO shop.shipments (order_id) VALUES (11); END'$$),
          '23514 order_is_canceled', 'all in one statement');
SELECT is((SELECT status FROM shop.orders WHERE id = 11), 'placed', 'which comes as a whole or not at all');

-- The writer of a shipment needs no right on the orders, nor sees them.
CREATE ROLE child_clerk;
GRANT USAGE ON SCHEMA shop TO child_clerk;
GRANT INSERT ON shop.shipments TO child_clerk;
ALTER TABLE shop.orders ENABLE ROW LEVEL SECURITY;
SELECT is(attempt_as('child_clerk', 'INSERT INTO shop.shipments (order_id) VALUES (1)'), 'ok',
          'a clerk ships without any right to the orders');
SELECT is(attempt_as('child_clerk', 'INSERT INTO shop.shipments (order_id) VALUES (4)'), '23514 order_is_canceled',
          'and is refused like all');
ALTER TABLE shop.orders DISABLE ROW LEVEL SECURITY;

-- ---------------------------------------------------------------- keys and tables

-- The key's type may be another one, of as many columns as the orders' have.
CREATE TABLE shop.other (big bigint, small smallint, word text, padded char(5), tag varchar(8));
INSERT INTO shop.orders (id) VALUES (70000);
SELECT is(attempt(format('SELECT ordcancel.attach_child(''shop.other'', ''shop.orders'', %L)', array[col])), 'ok',
          'a key of type ' || t)
       || E'\n' || is(attempt(format('INSERT INTO shop.other (%I) VALUES (4)', col)), '23514 order_is_canceled',
                      'finds the order')
       || E'\n' || is(attempt(format('INSERT INTO shop.other (%I) VALUES (1)', col)), 'ok', 'and others')
       || E'\n' || is(attempt(format('UPDATE shop.other SET %I = 4 WHERE %1$I = 1::text::%s', col, t)),
                      '23514 order_is_canceled', 'also by an UPDATE')
FROM (VALUES ('big', 'bigint'), ('small', 'smallint')) AS v (col, t);

CREATE DOMAIN shop.code AS text;
CREATE TABLE shop.pairs (shop_id smallint, "The no" shop.code, status text, PRIMARY KEY ("The no", shop_id));
INSERT INTO shop.pairs SELECT 1, 'X' || n, 'placed' FROM generate_series(1, 4) AS n;
SELECT ordcancel.attach('shop.pairs', 'status');
SELECT ordcancel.set_policy('shop.pairs', canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.pairs', 'placed', merchant => 'cancel');
SELECT (ordcancel.cancel_order('shop.pairs', ROW('X4', 1))).state;
CREATE TABLE shop."Invoice" ("Shop" integer, "No" text, PRIMARY KEY ("Shop", "No"));
SELECT is(attempt($$SELECT ordcancel.attach_child('shop."Invoice"', 'shop.pairs', '{No,Shop}')$$), 'ok',
          'a key of two columns, in the order of the primary key');
SELECT is(attempt($$INSERT INTO shop."Invoice" VALUES (1, 'X4')$$), '23514 order_is_canceled', 'finds the order');
SELECT is(attempt($$INSERT INTO shop."Invoice" VALUES (2, 'X4'), (1, 'X1')$$), 'ok', 'and no other');
SELECT is(attempt($$UPDATE shop."Invoice" SET "Shop" = 1 WHERE "No" = 'X4'$$), '23514 order_is_canceled',
          'one column of it changes');
CREATE TABLE shop.loose (no text, shop_id smallint);
SELECT is(attempt($$SELECT ordcancel.attach_child('shop.loose', 'shop.pairs', '{no,shop_id}')$$), 'ok',
          'a key whose parts may be null');
SELECT is(attempt($$INSERT INTO shop.loose VALUES ('X4', NULL), (NULL, 1), (NULL, NULL)$$), 'ok',
          'with a part of it NULL it is no order''s');
SELECT is(attempt($$UPDATE shop.loose SET no = 'X4', shop_id = 1 WHERE no IS NULL AND shop_id IS NULL$$),
          '23514 order_is_canceled', 'until all are there');

-- Partitioned tables on both sides.
CREATE TABLE shop.parts (region text, id integer, status text DEFAULT 'placed', PRIMARY KEY (region, id))
    PARTITION BY LIST (region);
CREATE TABLE shop.parts_eu PARTITION OF shop.parts FOR VALUES IN ('eu');
INSERT INTO shop.parts VALUES ('eu', 1), ('eu', 2);
SELECT ordcancel.attach('shop.parts', 'status');
SELECT ordcancel.set_policy('shop.parts', canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.parts', 'placed', merchant => 'cancel');
CREATE TABLE shop.captures (day date, filler text, region text, order_id integer) PARTITION BY RANGE (day);
CREATE TABLE shop.captures_1 PARTITION OF shop.captures FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
SELECT is(attempt($$SELECT ordcancel.attach_child('shop.captures', 'shop.parts', '{region,order_id}')$$), 'ok',
          'a partitioned child');
CREATE TABLE shop.captures_2 (order_id integer, gone text, region text, day date NOT NULL, filler text);
ALTER TABLE shop.captures_2 DROP COLUMN gone;
ALTER TABLE shop.captures ATTACH PARTITION shop.captures_2 FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
SELECT (ordcancel.cancel_order('shop.parts', ROW('eu', 2))).state;
SELECT is(attempt(format('INSERT INTO shop.%s (day, region, order_id) VALUES (%L, ''eu'', 2)', t, d)),
          '23514 order_is_canceled', format('%s is guarded', t))
FROM (VALUES ('captures', '2026-01-05'), ('captures_1', '2026-01-05'), ('captures', '2026-02-05'),
             ('captures_2', '2026-02-05')) AS v (t, d);
SELECT is(attempt($$INSERT INTO shop.captures (day, region, order_id) VALUES ('2026-01-05', 'eu', 1),
                        ('2026-02-05', 'eu', 1)$$), 'ok', 'and open for other orders');
SELECT is(attempt($$UPDATE shop.captures SET order_id = 2$$), '23514 order_is_canceled', 'an UPDATE in a partition');
SELECT is(attempt($$UPDATE shop.captures SET day = '2026-02-06' WHERE day = '2026-01-05'$$), 'ok',
          'a row moves to another partition');
SELECT is(attempt($$SELECT ordcancel.attach_child('shop.captures_1', 'shop.parts', '{region,order_id}')$$), 'OC014',
          'a partition is not attached by itself');

-- A column renamed or dropped: said, not guessed.
ALTER TABLE shop.other RENAME small TO tiny;
SELECT is(attempt('INSERT INTO shop.other (tiny) VALUES (1)'), 'OC014', 'a renamed column stops the writers');
SELECT is(attempt($$SELECT ordcancel.attach_child('shop.other', 'shop.orders', '{tiny}')$$), 'ok',
          'until attach_child is called again');
SELECT is(attempt('INSERT INTO shop.other (tiny) VALUES (4)'), '23514 order_is_canceled', 'then it is guarded again');
SELECT is(attempt('ALTER TABLE shop.other DROP COLUMN tiny'), '2BP01', 'it cannot be dropped');

-- ------------------------------------------------------------- arguments and rights

CREATE VIEW shop.a_view AS SELECT * FROM shop.shipments;
CREATE TEMP TABLE a_temp (order_id integer);
CREATE TABLE shop.ancestor (order_id integer);
CREATE TABLE shop.heir () INHERITS (shop.ancestor);
SELECT is(attempt(format('SELECT ordcancel.attach_child(%s)', arguments)), wanted, 'attach_child refuses ' || what)
FROM (VALUES
    ($$'shop.shipments', 'shop.orders', '{nothing}'$$, 'OC014', 'a column that is not there'),
    ($$'shop.shipments', 'shop.orders', '{ctid}'$$, 'OC014', 'a system column'),
    ($$'shop.shipments', 'shop.orders', '{}'$$, 'OC014', 'no column'),
    ($$'shop.shipments', 'shop.orders', NULL$$, 'OC014', 'NULL for columns'),
    ($$'shop.shipments', 'shop.orders', '{NULL}'$$, 'OC014', 'NULL for a column'),
    ($$'shop.shipments', 'shop.orders', '{order_id,no}'$$, 'OC014', 'more columns than the key has'),
    ($$'shop.loose', 'shop.pairs', '{no}'$$, 'OC014', 'fewer columns than the key has'),
    ($$'shop.shipments', 'shop.orders', '{order_id}', '{}'$$, 'OC014', 'no state'),
    ($$'shop.shipments', 'shop.orders', '{order_id}', NULL$$, 'OC014', 'NULL for states'),
    ($$'shop.shipments', 'shop.orders', '{order_id}', '{NULL}'$$, 'OC014', 'NULL for a state'),
    ($$'shop.shipments', 'shop.orders', '{order_id}', '{canceled,NULL}'$$, 'OC014', 'NULL among states'),
    ($$'shop.shipments', 'shop.orders', '{order_id}', '{denied}'$$, 'OC014', 'a state that has ended'),
    ($$'shop.shipments', 'shop.orders', '{order_id}', '{Canceled}'$$, 'OC014', 'a word in other letters'),
    ($$'shop.shipments', 'shop.loose', '{order_id}'$$, 'OC001', 'a table that is not attached'),
    ($$'shop.shipments', NULL, '{order_id}'$$, 'OC001', 'NULL for the orders'),
    ($$NULL, 'shop.orders', '{order_id}'$$, 'OC001', 'NULL for the child'),
    ($$'shop.orders', 'shop.orders', '{id}'$$, 'OC014', 'the orders as their own child'),
    ($$'shop.orders_cancellation', 'shop.orders', '{order_id}'$$, 'OC014', 'a table of records'),
    ($$'shop.orders_cancellation_event', 'shop.orders', '{order_id}'$$, 'OC014', 'a table of events'),
    ($$'shop.a_view', 'shop.orders', '{order_id}'$$, 'OC014', 'a view'),
    ($$'a_temp', 'shop.orders', '{order_id}'$$, 'OC014', 'a temporary table'),
    ($$'shop.heir', 'shop.orders', '{order_id}'$$, 'OC014', 'a table that inherits'),
    ($$'shop.ancestor', 'shop.orders', '{order_id}'$$, 'OC014', 'one that is inherited from')) AS v (arguments, wanted,
                                                                                                     what);

CREATE ROLE child_orders;
CREATE ROLE child_ships;
CREATE ROLE child_both IN ROLE child_orders, child_ships;
GRANT USAGE ON SCHEMA shop TO child_orders, child_ships;
GRANT EXECUTE ON FUNCTION ordcancel.attach_child, ordcancel.detach_child, ordcancel.detach TO child_orders, child_ships;
ALTER TABLE shop.orders OWNER TO child_orders;
ALTER TABLE shop.shipments OWNER TO child_ships;
SELECT is(attempt_as(role,
                     $$SELECT ordcancel.attach_child('shop.shipments', 'shop.orders', '{order_id}', '{canceled}')$$),
          wanted, what)
FROM (VALUES ('child_clerk'::name, '42501', 'attach_child needs EXECUTE'),
             ('child_orders', '42501', 'the orders'' owner does not own the child'),
             ('child_ships', '42501', 'the child''s owner does not own the orders'),
             ('child_both', 'ok', 'a member of both does')) AS v (role, wanted, what);
SELECT is(ship(3) || ' ' || ship(4), 'ok 23514 order_is_canceled', 'and has replaced what was said before');
SELECT is(attempt_as('child_orders', $$SELECT ordcancel.detach_child('shop.shipments')$$), '42501',
          'detach_child is for the child''s owner');
SELECT is(attempt_as('child_orders', 'INSERT INTO ordcancel.child '
                                     'VALUES (''shop.loose'', ''shop.orders'', ''{no}'', true, true, true)'),
          '42501', 'nobody writes the configuration himself');

-- -------------------------------------------------------------------------- the end

SELECT is(ordcancel.detach_child('shop.loose') || ' ' || ordcancel.detach_child('shop.loose'), 'true false',
          'detach_child says whether there was one');
SELECT is(attempt($$INSERT INTO shop.loose VALUES ('X4', 1)$$), 'ok', 'then rows come in');
SELECT is(attempt_as('child_ships', $$SELECT ordcancel.detach_child('shop.shipments')$$), 'ok',
          'the child''s owner may take the guard off');
SELECT is(ship(4), 'ok', 'then canceled orders are shipped');
SELECT is(attempt('SELECT ordcancel.detach_child(NULL)'), 'OC001', 'detach_child of nothing');
SELECT is(ordcancel.detach_child('shop.captures'), true, 'that of a partitioned child');
SELECT is((SELECT count(*) FROM pg_trigger WHERE tgname LIKE '!ordcancel_guard_child%'
             AND tgrelid::regclass::text ~ 'captures'), 0::bigint, 'goes from its partitions');
SELECT ordcancel.attach_child('shop.loose', 'shop.pairs', '{no,shop_id}');
SELECT ordcancel.detach('shop.pairs');
SELECT is((SELECT count(*) FROM ordcancel.child WHERE orders = 'shop.pairs'::regclass), 0::bigint,
          'detach takes the guards of the children along');
SELECT is(attempt($$INSERT INTO shop."Invoice" VALUES (1, 'X4')$$) || ' '
          || attempt($$INSERT INTO shop.loose VALUES ('X4', 1)$$), 'ok ok', 'and their rows come in');

SELECT * FROM finish();
ROLLBACK;
