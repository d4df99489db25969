-- What the guard on tables of items refuses and lets through, whoever writes and
-- however: units are canceled by ordcancel alone, and those that are canceled or
-- fulfilled stay accounted for.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
\ir include/items.sql
SELECT plan(155);
SET LOCAL timezone = 'UTC';
SET LOCAL ordcancel.clock = '2026-05-05 12:00+00';

CREATE SCHEMA shop;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text);
CREATE TABLE shop.items (id integer PRIMARY KEY, order_id integer, quantity integer, canceled integer DEFAULT 0,
                         shipped integer DEFAULT 0, note text);
CREATE INDEX ON shop.items (order_id);
INSERT INTO shop.orders SELECT n, 'placed' FROM generate_series(1, 29) AS n;
-- Item 10 n + 1 of order n has 5 units, 10 n + 2 has 3. Of item 11 two are
-- canceled; of item 12 two are shipped.
INSERT INTO shop.items SELECT 10 * o.id + i.n, o.id, i.quantity
FROM shop.orders AS o, (VALUES (1, 5), (2, 3)) AS i (n, quantity);
UPDATE shop.items SET shipped = 2 WHERE id = 12;
-- Rows that are wrong before the items are attached.
INSERT INTO shop.items VALUES (91, NULL, 5, 3, 0), (81, 8, 5, 3, 4), (82, 8, 5, 7, 0), (83, 8, NULL, 1, 0),
    (84, 777, 5, 3, 0) ON CONFLICT (id) DO UPDATE SET order_id = excluded.order_id, quantity = excluded.quantity,
    canceled = excluded.canceled, shipped = excluded.shipped;
SELECT ordcancel.attach('shop.orders', 'status');
SELECT ordcancel.set_policy('shop.orders', requested_status => 'asked', canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.orders', 'draft', deletable => true);
SELECT ordcancel.set_rule('shop.orders', 'placed', customer => 'request', merchant => 'cancel');
SELECT ordcancel.attach_items('shop.items', 'shop.orders', '{order_id}', 'quantity', 'canceled', 'shipped');
CREATE ROLE parts_writer;
GRANT USAGE ON SCHEMA shop TO parts_writer;
GRANT SELECT, INSERT, UPDATE, DELETE ON shop.items TO parts_writer;
SELECT is(outcome_of($$cancel_items('shop.orders', 1, '[{"item": 11, "quantity": 2}]')$$), 'canceled placed', 'a part');
SELECT is(outcome_of($$cancel_order('shop.orders', 2)$$), 'canceled canceled', 'an order');
SELECT is(outcome_of($$request_cancel('shop.orders', 3)$$), 'requested asked', 'a request for an order');
SELECT is(outcome_of($$request_cancel_items('shop.orders', 4, '[{"item": 41}]')$$), 'requested placed',
          'and one for a part');
-- Runs a statement and takes back what it did: a guard of one must not be in the
-- way of the next.
CREATE FUNCTION try(statement text, role name DEFAULT 'parts_writer') RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    result text;
BEGIN
    BEGIN
        result := attempt_as(role, statement);
        RAISE EXCEPTION 'take it back' USING ERRCODE = 'P0999';
    EXCEPTION WHEN SQLSTATE 'P0999' THEN
        RETURN result;
    END;
END
$$;
\set refused '''23514 items_not_available'''

-- ------------------------------------------------------- refused

SELECT is(try(statement), :refused, statement)
FROM unnest(ARRAY[
    'UPDATE shop.items SET canceled = 1 WHERE id = 51',
    'UPDATE shop.items SET canceled = canceled + 1 WHERE id = 11',
    'UPDATE shop.items SET canceled = canceled - 1 WHERE id = 11',
    'UPDATE shop.items SET canceled = 0 WHERE id = 11',
    'UPDATE shop.items SET canceled = NULL WHERE id = 11',
    'UPDATE shop.items SET canceled = -1 WHERE id = 51',
    'UPDATE shop.items SET canceled = 5, quantity = 10 WHERE id = 51',
    'UPDATE shop.items SET quantity = 1 WHERE id = 11',
    'UPDATE shop.items SET quantity = 0 WHERE id = 11',
    'UPDATE shop.items SET quantity = NULL WHERE id = 11',
    'UPDATE shop.items SET quantity = -1 WHERE id = 51',
    'UPDATE shop.items SET quantity = 1 WHERE id = 12',
    'UPDATE shop.items SET shipped = 4 WHERE id = 11',
    'UPDATE shop.items SET shipped = 6 WHERE id = 51',
    'UPDATE shop.items SET shipped = 4, quantity = 3 WHERE id = 51',
    'UPDATE shop.items SET order_id = 5 WHERE id = 11',
    'UPDATE shop.items SET order_id = NULL WHERE id = 11',
    'UPDATE shop.items SET order_id = 777 WHERE id = 11',
    'UPDATE shop.items SET id = 999 WHERE id = 11',
    'DELETE FROM shop.items WHERE id = 11',
    'DELETE FROM shop.items WHERE id = 21',
    'DELETE FROM shop.items',
    'INSERT INTO shop.items VALUES (999, 5, 3, 1)',
    'INSERT INTO shop.items VALUES (999, 5, 3, 0, 4)',
    'INSERT INTO shop.items VALUES (999, 5, NULL, 0, 1)',
    'INSERT INTO shop.items VALUES (999, 5, -1)',
    'INSERT INTO shop.items VALUES (999, 5, 3, -1)',
    'INSERT INTO shop.items VALUES (51, 5, 5, 2) ON CONFLICT (id) DO UPDATE SET canceled = excluded.canceled',
    'INSERT INTO shop.items VALUES (11, 1, 1) ON CONFLICT (id) DO UPDATE SET quantity = excluded.quantity',
    'MERGE INTO shop.items AS i USING (VALUES (51)) AS v (id) ON i.id = v.id WHEN MATCHED THEN UPDATE SET canceled = 1',
    'MERGE INTO shop.items AS i USING (VALUES (11)) AS v (id) ON i.id = v.id WHEN MATCHED THEN DELETE',
    'MERGE INTO shop.items AS i USING (VALUES (999)) AS v (id) ON i.id = v.id'
    ' WHEN NOT MATCHED THEN INSERT VALUES (999, 5, 3, 2)',
    'WITH w AS (UPDATE shop.items SET canceled = 1 WHERE id = 51 RETURNING 1) SELECT count(*) FROM w',
    'UPDATE shop.items AS i SET canceled = i.quantity FROM shop.items AS j WHERE i.id = j.id AND i.id = 51'])
    AS statement;
SELECT is(try('UPDATE shop.items SET canceled = 1 WHERE id = 51', 'postgres'), :refused, 'nor by a superuser');
SELECT is(try('SET LOCAL ordcancel.party = ''customer''; UPDATE shop.items SET canceled = 1 WHERE id = 51'), :refused,
          'nor as the customer');
SELECT is(try('TRUNCATE shop.items', 'postgres'), :refused, 'TRUNCATE');
SELECT is(try('TRUNCATE shop.orders, shop.items', 'postgres') ~ '^23514 ', true, 'with the orders');
SELECT is(try('SET LOCAL ordcancel.allow_truncate = on; TRUNCATE shop.items', 'postgres'), 'ok',
          'unless it is allowed');
-- To orders that are being canceled.
SELECT is(try(format('INSERT INTO shop.items VALUES (999, %L, 3)', id)), error, 'a new item of an order that ' || what)
FROM (VALUES (2, '23514 order_is_canceled', 'is canceled'), (3, '23514 order_on_hold', 'is asked for'),
             (4, 'ok', 'has a part asked for'), (1, 'ok', 'has a part canceled'), (5, 'ok', 'is as it was'),
             (777, 'ok', 'there is not'), (NULL, 'ok', 'is none')) AS v (id, error, what);
SELECT is(try('UPDATE shop.items SET order_id = 2 WHERE id = 51'), '23514 order_is_canceled',
          'an item is not moved to a canceled order');
SELECT is(try('UPDATE shop.items SET order_id = 6 WHERE id = 51'), 'ok', 'but to another one');
SELECT is(try('UPDATE shop.items SET quantity = 9 WHERE id = 21'), '23514 order_is_canceled',
          'nor does it get more units');
SELECT is(try('UPDATE shop.items SET quantity = 9 WHERE id = 31'), '23514 order_on_hold', 'nor one that is asked for');
SELECT is(error_of('UPDATE shop.items SET canceled = 1 WHERE id = 51', 'message', 'detail', 'hint', 'table',
          'internals'),
          'item 51 of shop.items cannot be changed | Its canceled units would change from 0 to 1, and only ordcancel '
          'may'
          ' change them. | Call ordcancel.cancel_items() or ordcancel.undo_cancel(). | items',
          'the error says what, and what to do');
SELECT is(error_of('UPDATE shop.items SET quantity = 1 WHERE id = 12', 'detail'),
          '1 units would be ordered, but 2 fulfilled and 0 canceled.', 'and how many there are');
-- A role that may not read the orders is not told about them.
SELECT is(error_as('parts_writer', statement, 'error', 'message', 'detail'),
          constraint_name || ' | operation on an order of shop.orders is not allowed', 'not told why: ' || statement)
FROM (VALUES ('INSERT INTO shop.items VALUES (999, 2, 3)', '23514 order_is_canceled'),
             ('INSERT INTO shop.items VALUES (999, 3, 3)', '23514 order_on_hold'),
             ('UPDATE shop.items SET quantity = 1 WHERE id = 11', '23514 items_not_available'),
             ('UPDATE shop.items SET canceled = 1 WHERE id = 51', '23514 items_not_available'),
             ('DELETE FROM shop.items WHERE id = 11', '23514 items_not_available')) AS v (statement, constraint_name);

-- ------------------------------------------------------- let through

SELECT is(try(statement), 'ok', statement)
FROM unnest(ARRAY[
    'UPDATE shop.items SET note = ''x''',
    'UPDATE shop.items SET id = id, order_id = order_id, quantity = quantity, canceled = canceled, shipped = shipped',
    'UPDATE shop.items SET quantity = 2 WHERE id = 11',
    'UPDATE shop.items SET quantity = 100 WHERE id = 11',
    'UPDATE shop.items SET shipped = 3 WHERE id = 11',
    'UPDATE shop.items SET shipped = 5 WHERE id = 51',
    'UPDATE shop.items SET shipped = 9, quantity = 9 WHERE id = 51',
    'UPDATE shop.items SET shipped = 0 WHERE id = 12',
    'UPDATE shop.items SET shipped = NULL WHERE id = 12',
    'UPDATE shop.items SET shipped = -1 WHERE id = 51',
    'UPDATE shop.items SET canceled = NULL WHERE id = 51',
    'UPDATE shop.items SET quantity = 0 WHERE id = 51',
    'UPDATE shop.items SET quantity = NULL WHERE id = 51',
    'UPDATE shop.items SET quantity = 5 WHERE id = 21',
    'UPDATE shop.items SET quantity = 2 WHERE id = 31',
    'UPDATE shop.items SET quantity = 9 WHERE order_id IN (1, 4)',
    'UPDATE shop.items SET id = 999, order_id = 6 WHERE id = 51',
    'DELETE FROM shop.items WHERE id = 51',
    'DELETE FROM shop.items WHERE id = 12',
    'DELETE FROM shop.items WHERE id = 31',
    'INSERT INTO shop.items VALUES (999, 5, 3, 0, 3)',
    'INSERT INTO shop.items VALUES (999, 5, 3, NULL, NULL)',
    'INSERT INTO shop.items VALUES (11, 1, 9) ON CONFLICT (id) DO UPDATE SET quantity = excluded.quantity',
    'INSERT INTO shop.items VALUES (11, 1, 9) ON CONFLICT DO NOTHING',
    'MERGE INTO shop.items AS i USING (VALUES (11)) AS v (id) ON i.id = v.id WHEN MATCHED THEN UPDATE SET note = ''x''',
    'SELECT FROM shop.items FOR UPDATE'])
    AS statement;
-- An ORM that saves the whole row as it was read: stale, or not.
PREPARE save(integer, integer, integer, integer, integer, text) AS
    UPDATE shop.items SET order_id = $2, quantity = $3, canceled = $4, shipped = $5, note = $6 WHERE id = $1;
SELECT is(try('EXECUTE save(11, 1, 5, 2, 0, ''x'')'), 'ok', 'a whole row, as it is');
SELECT is(try('EXECUTE save(11, 1, 5, 0, 0, ''x'')'), :refused, 'a whole row, as it was before two were canceled');
SELECT is(try('EXECUTE save(11, 1, 5, 2, 3, ''x'')'), 'ok', 'a whole row, with what is shipped now');

-- COPY.
CREATE TABLE shop.staging (LIKE shop.items INCLUDING DEFAULTS);
COPY shop.items (id, order_id, quantity) FROM stdin;
951	5	3
\.
SELECT is(units_of(5), '51: 0 of 5, 52: 0 of 3, 951: 0 of 3', 'COPY of items');
SELECT is(try($$COPY shop.items (id, order_id, quantity, canceled) FROM PROGRAM 'printf "952\t5\t3\t1\n"'$$,
          'postgres'),
          :refused, 'not of canceled units');
SELECT is(try($$COPY shop.items (id, order_id, quantity) FROM PROGRAM 'printf "952\t5\t3\n953\t2\t3\n"'$$, 'postgres'),
          '23514 order_is_canceled', 'nor of items of a canceled order');

-- ------------------------------------------------------- rows that were wrong before

SELECT is(try(statement), error, statement)
FROM (VALUES ('UPDATE shop.items SET note = ''x'' WHERE id IN (81, 82, 83, 84, 91)', 'ok'),
             ('UPDATE shop.items SET quantity = 6 WHERE id = 81', 'ok'),
             ('UPDATE shop.items SET quantity = 4 WHERE id = 81', '23514 items_not_available'),
             ('UPDATE shop.items SET shipped = 3 WHERE id = 81', 'ok'),
             ('UPDATE shop.items SET shipped = 5 WHERE id = 81', '23514 items_not_available'),
             ('UPDATE shop.items SET quantity = 7 WHERE id = 82', 'ok'),
             ('UPDATE shop.items SET quantity = 1 WHERE id = 83', 'ok'),
             ('UPDATE shop.items SET canceled = 1 WHERE id = 81', '23514 items_not_available'),
             ('DELETE FROM shop.items WHERE id = 81', '23514 items_not_available'),
             ('DELETE FROM shop.items WHERE id = 84', 'ok'),
             ('DELETE FROM shop.items WHERE id = 91', 'ok')) AS v (statement, error);
SELECT is(outcome_of('cancel_items(''shop.orders'', 8, ''[{"item": 81}]'')'), 'OC016',
          'nothing is left of such an item');

-- ------------------------------------------------------- deleted with the order

UPDATE shop.orders SET status = 'draft' WHERE id IN (1, 9);
ALTER TABLE shop.items ADD CONSTRAINT of_order FOREIGN KEY (order_id) REFERENCES shop.orders ON DELETE CASCADE NOT
    VALID;
SELECT is(try('DELETE FROM shop.orders WHERE id = 1', 'postgres'), 'ok', 'a deletable order takes its items with it');
ALTER TABLE shop.items DROP CONSTRAINT of_order,
    ADD CONSTRAINT of_order FOREIGN KEY (order_id) REFERENCES shop.orders ON DELETE SET NULL NOT VALID;
SELECT is(try('DELETE FROM shop.orders WHERE id = 9', 'postgres'), 'ok', 'or leaves them without an order');
ALTER TABLE shop.items DROP CONSTRAINT of_order,
    ADD CONSTRAINT of_order FOREIGN KEY (order_id) REFERENCES shop.orders ON UPDATE CASCADE NOT VALID;
SELECT is(try('UPDATE shop.orders SET id = 900 WHERE id = 9', 'postgres') IN ('ok', '23514 cancellation_forbidden'),
          true,
          'a new key of an order without parts');
ALTER TABLE shop.items DROP CONSTRAINT of_order;
SELECT is(try('DELETE FROM shop.items WHERE order_id = 1; DELETE FROM shop.orders WHERE id = 1', 'postgres'), :refused,
          'items first is refused');
SELECT is(try('DELETE FROM shop.orders WHERE id = 1; DELETE FROM shop.items WHERE order_id = 1', 'postgres'), 'ok',
          'the order first is not');

-- ------------------------------------------------------- partitions

CREATE TABLE shop.invoices (id integer PRIMARY KEY, status text);
SELECT ordcancel.attach('shop.invoices', 'status');
SELECT ordcancel.set_policy('shop.invoices', canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.invoices', 'placed', merchant => 'cancel');
INSERT INTO shop.invoices SELECT n, 'placed' FROM generate_series(1, 29) AS n;
CREATE TABLE shop.lines (order_id integer, line integer, quantity integer, canceled integer DEFAULT 0, region text,
                         PRIMARY KEY (order_id, line, region)) PARTITION BY LIST (region);
CREATE TABLE shop.lines_eu PARTITION OF shop.lines FOR VALUES IN ('eu');
CREATE TABLE shop.lines_us PARTITION OF shop.lines FOR VALUES IN ('us');
SELECT ordcancel.attach_items('shop.lines', 'shop.invoices', '{order_id}', 'quantity', 'canceled');
INSERT INTO shop.lines VALUES (20, 1, 5, 0, 'eu'), (20, 2, 5, 0, 'us'), (21, 1, 1, 0, 'eu');
SELECT is(outcome_of($$cancel_order('shop.invoices', 2)$$), 'canceled canceled', 'an order');
SELECT is(outcome_of($$cancel_items('shop.invoices', 20, '[{"item": [20, 1, "eu"], "quantity": 2}]')$$),
          'canceled placed',
          'a part of a partitioned table of items');
SELECT is(try(statement, 'postgres'), error, statement)
FROM (VALUES ('UPDATE shop.lines SET canceled = 3 WHERE line = 1', '23514 items_not_available'),
             ('UPDATE shop.lines_eu SET canceled = 3 WHERE line = 1', '23514 items_not_available'),
             ('UPDATE shop.lines SET region = ''us'' WHERE (order_id, line) = (20, 1)', '23514 items_not_available'),
             ('UPDATE shop.lines SET region = ''eu'' WHERE (order_id, line) = (20, 2)', 'ok'),
             ('UPDATE shop.lines SET quantity = 9 WHERE (order_id, line) = (20, 1)', 'ok'),
             ('DELETE FROM shop.lines_eu WHERE order_id = 20', '23514 items_not_available'),
             ('DELETE FROM shop.lines_us', 'ok'),
             ('INSERT INTO shop.lines_us VALUES (21, 2, 5, 1, ''us'')', '23514 items_not_available'),
             ('INSERT INTO shop.lines_us VALUES (2, 2, 5, 0, ''us'')', '23514 order_is_canceled'),
             ('TRUNCATE shop.lines_eu', '23514 items_not_available'),
             ('TRUNCATE shop.lines', '23514 items_not_available')) AS v (statement, error);

-- ------------------------------------------------------- items with a status

CREATE TABLE shop.bookings (id integer PRIMARY KEY, status text);
SELECT ordcancel.attach('shop.bookings', 'status');
SELECT ordcancel.set_policy('shop.bookings', canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.bookings', 'placed', merchant => 'cancel');
INSERT INTO shop.bookings SELECT n, 'placed' FROM generate_series(1, 29) AS n;
CREATE TYPE shop.line_status AS ENUM ('open', 'shipped', 'void');
CREATE TABLE shop.seats (id integer PRIMARY KEY, order_id integer, status shop.line_status DEFAULT 'open',
    quantity integer
                         DEFAULT 1);
SELECT ordcancel.attach_items('shop.seats', 'shop.bookings', '{order_id}', status => 'status',
    canceled_status => 'void',
                              fulfilled => 'CASE status WHEN ''shipped'' THEN 1 ELSE 0 END');
INSERT INTO shop.seats SELECT n, 22, 'open' FROM generate_series(1, 4) AS n;
INSERT INTO shop.seats VALUES (5, 22, 'shipped'), (6, 22, NULL);
SELECT is(outcome_of($$cancel_items('shop.bookings', 22, '[{"item": 1}, {"item": 6, "quantity": 1}]')$$),
          'canceled placed',
          'items are canceled by their status');
SELECT results_eq('SELECT id, status::text FROM shop.seats ORDER BY id',
                  $$VALUES (1, 'void'), (2, 'open'), (3, 'open'), (4, 'open'), (5, 'shipped'), (6, 'void')$$,
                  'it is written');
SELECT is((SELECT string_agg(concat_ws(' ', item_id, quantity, prior_status), ', ' ORDER BY item_id)
           FROM shop.bookings_cancellation_item WHERE cancellation_id = cancellation_of(22,
           orders => 'shop.bookings')), '1 1 open, 6 1',
          'the statuses that they had are on record');
SELECT is(try(statement, 'postgres'), error, statement)
FROM (VALUES ('UPDATE shop.seats SET status = ''void'' WHERE id = 2', '23514 items_not_available'),
             ('UPDATE shop.seats SET status = ''open'' WHERE id = 1', '23514 items_not_available'),
             ('UPDATE shop.seats SET status = ''shipped'' WHERE id = 1', '23514 items_not_available'),
             ('UPDATE shop.seats SET status = NULL WHERE id = 1', '23514 items_not_available'),
             ('UPDATE shop.seats SET status = ''shipped'' WHERE id = 2', 'ok'),
             ('UPDATE shop.seats SET status = ''open'' WHERE id = 5', 'ok'),
             ('UPDATE shop.seats SET status = status, quantity = 2', 'ok'),
             ('DELETE FROM shop.seats WHERE id = 1', '23514 items_not_available'),
             ('DELETE FROM shop.seats WHERE id = 5', 'ok'),
             ('UPDATE shop.seats SET order_id = 23 WHERE id = 1', '23514 items_not_available'),
             ('INSERT INTO shop.seats VALUES (9, 22, ''void'')', '23514 items_not_available'),
             ('INSERT INTO shop.seats VALUES (9, 22, ''shipped'')', 'ok')) AS v (statement, error);
SELECT is(outcome_of(format($$cancel_items('shop.bookings', 22, '[{"item": %s}]')$$, item)), 'OC016', what)
FROM (VALUES ('5', 'a shipped item'), ('1', 'a canceled one'), ('2, "quantity": 0.5', 'half of one'),
             ('2, "quantity": 2', 'two of one')) AS v (item, what);
SELECT is(outcome_of($$undo_cancel('shop.bookings', 22)$$), 'undone placed', 'an undo');
SELECT results_eq('SELECT id, status::text FROM shop.seats WHERE id IN (1, 6) ORDER BY id',
                  $$VALUES (1, 'open'), (6, NULL)$$, 'gives each its status back');
SELECT ordcancel.attach_items('shop.seats', 'shop.bookings', '{order_id}', quantity => 'quantity', fulfilled =>
                              'CASE status WHEN ''shipped'' THEN quantity ELSE 0 END');
UPDATE shop.seats SET quantity = 3 WHERE id IN (2, 3);
SELECT is(outcome_of($$cancel_items('shop.bookings', 22, '[{"item": 2, "quantity": 1}]')$$), 'OC016',
          'with a quantity, not a part of it');
SELECT is(outcome_of($$cancel_items('shop.bookings', 22, '[{"item": 2}, {"item": 3, "quantity": 3}]')$$),
          'canceled placed',
          'but the whole of it');
SELECT is(try('UPDATE shop.seats SET quantity = 2 WHERE id = 2', 'postgres'), :refused,
          'its quantity does not change any more');
INSERT INTO shop.seats VALUES (7, 23, 'open', 3), (8, 23, 'open', 0);
SELECT is(outcome_of($$cancel_items('shop.bookings', 23, '[{"item": 7}]')$$), 'canceled canceled', 'canceled');
SELECT is(try('UPDATE shop.seats SET quantity = 0 WHERE id = 7', 'postgres'), :refused, 'its quantity stays');
SELECT is(try(statement, 'postgres'), :refused, 'with no units, too: ' || statement)
FROM unnest(ARRAY['UPDATE shop.seats SET status = ''open'' WHERE id = 7',
                  'UPDATE shop.seats SET status = ''open'', quantity = 3 WHERE id = 7',
                  'UPDATE shop.seats SET status = ''void'' WHERE id = 8',
                  'UPDATE shop.seats SET status = ''void'', quantity = 3 WHERE id = 8',
                  'UPDATE shop.seats SET quantity = NULL WHERE id = 7; UPDATE shop.seats SET status = NULL WHERE id = '
                  '7',
                  'INSERT INTO shop.seats VALUES (9, 24, ''void'', 0)']) AS statement;

SELECT * FROM finish();
ROLLBACK;
