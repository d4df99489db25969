-- Orders come, go and change along with other rows only as the rules allow:
-- INSERT, COPY, DELETE, TRUNCATE, foreign-key actions.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
SELECT plan(47);

CREATE TABLE orders (id integer PRIMARY KEY, status text, note text);
INSERT INTO orders VALUES (1, 'placed'), (2, 'shipped'), (3, 'placed'), (4, 'placed'), (5, 'draft'), (6, 'archived'),
    (7, NULL), (8, 'draft'), (9, 'draft'), (10, 'draft');
SELECT ordcancel.attach('orders', status => 'status');
SELECT ordcancel.set_policy('orders', requested_status => 'asked', in_progress_status => 'refunding',
                            canceled_status => 'canceled', customer_canceled_status => 'withdrawn');
SELECT ordcancel.set_rule('orders', 'placed', customer => 'request', merchant => 'cancel');
SELECT ordcancel.set_rule('orders', 'draft', customer => 'request', merchant => 'cancel', deletable => true);
SELECT ordcancel.cancel_order('orders', 3);
SELECT ordcancel.request_cancel('orders', 4);
SELECT ordcancel.request_cancel('orders', 8);

-- ------------------------------------------------------------------- INSERT

SELECT is(attempt($$INSERT INTO orders VALUES (20, 'asked')$$), '23514 cancellation_forbidden',
          'an order cannot begin as requested');
SELECT is(attempt($$INSERT INTO orders VALUES (20, 'refunding')$$), '23514 cancellation_forbidden',
          'an order cannot begin as in progress');
SELECT is(attempt($$INSERT INTO orders SELECT 20, 'placed' UNION ALL SELECT 21, 'asked'$$),
          '23514 cancellation_forbidden', 'nor among others');
SELECT is(attempt($$INSERT INTO orders VALUES (20, 'asked') ON CONFLICT DO NOTHING$$), '23514 cancellation_forbidden',
          'nor with ON CONFLICT DO NOTHING');
SELECT is(attempt($$INSERT INTO orders VALUES (1, 'asked') ON CONFLICT (id) DO UPDATE SET note = 'seen'$$), 'ok',
          'what an upsert proposes and does not insert is not judged');
SELECT is(attempt($$MERGE INTO orders AS o USING (VALUES (20, 'asked')) AS v (i, s) ON o.id = v.i
                    WHEN NOT MATCHED THEN INSERT (id, status) VALUES (v.i, v.s)$$), '23514 cancellation_forbidden',
          'nor by MERGE');
SELECT is(attempt(format('INSERT INTO orders VALUES (%s, %L)', n, s)), 'ok', format('an order may begin as %s', s))
FROM (VALUES (30, 'placed'), (31, 'canceled'), (32, 'withdrawn'), (33, 'anything')) AS v (n, s);
SELECT is(attempt('INSERT INTO orders VALUES (34, NULL)'), 'ok', 'an order may begin without a status');
SELECT is(attempt($$UPDATE orders SET status = 'placed' WHERE id = 31$$), '23514 order_is_canceled',
          'an order that came canceled stays so');
SELECT is(attempt($$UPDATE orders SET status = 'placed' WHERE id = 32$$), '23514 order_is_canceled',
          'and one that came canceled by the customer');
SELECT is(attempt($$UPDATE orders SET status = NULL WHERE id = 32$$), '23514 order_is_canceled',
          'it cannot lose its status either');

-- --------------------------------------------------------------------- COPY

SELECT is(attempt($$COPY orders (id, status) FROM PROGRAM 'printf "40\tplaced\n41\tasked\n"'$$),
          '23514 cancellation_forbidden', 'COPY cannot bring in an order as requested');
SELECT is(attempt($$COPY orders (id, status) FROM PROGRAM 'printf "40\tplaced\n42\tcanceled\n"'$$), 'ok',
          'COPY brings in what INSERT may');
SELECT is((SELECT array_agg(id ORDER BY id) FROM orders WHERE id BETWEEN 40 AND 42), '{40,42}', 'and only that');

-- COPY into a table whose trigger changes orders
CREATE TABLE upload (order_id integer, status text);
CREATE FUNCTION upload() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE orders SET status = NEW.status WHERE id = NEW.order_id;
    RETURN NEW;
END
$$;
CREATE TRIGGER upload BEFORE INSERT ON upload FOR EACH ROW EXECUTE FUNCTION upload();
SELECT is(attempt($$COPY upload FROM PROGRAM 'printf "3\tplaced\n"'$$), '23514 order_is_canceled',
          'COPY cannot change an order against the rules through a trigger');

-- ------------------------------------------------------------------- DELETE

SELECT is(attempt('DELETE FROM orders WHERE id = ' || id), '23514 cancellation_forbidden',
          format('an order that is %s cannot be deleted', what))
FROM (VALUES (1, 'placed'), (2, 'shipped'), (3, 'canceled'), (4, 'requested'), (6, 'in a status without a rule'),
      (7, 'without a status'), (8, 'requested while deletable')) AS v (id, what);
SELECT is(attempt('DELETE FROM orders'), '23514 cancellation_forbidden', 'nor all of them');
SELECT is(attempt('WITH gone AS (DELETE FROM orders WHERE id = 3 RETURNING id) INSERT INTO orders SELECT id + 100, '
                  '''placed'' FROM gone'),
          '23514 cancellation_forbidden', 'nor deleted and inserted in one statement');
SELECT is(attempt('MERGE INTO orders AS o USING (VALUES (1)) AS v (i) ON o.id = v.i WHEN MATCHED THEN DELETE'),
          '23514 cancellation_forbidden', 'nor by MERGE');
SELECT is(attempt('DELETE FROM orders WHERE id = 5'), 'ok', 'a draft can be deleted');
SELECT is(attempt($$UPDATE orders SET status = 'draft' WHERE id = 3$$), '23514 order_is_canceled',
          'what is canceled cannot be made a draft first');

-- Where even that is deletable, a new order of the same key is not the old one.
SELECT ordcancel.set_rule('orders', 'canceled', deletable => true);
SELECT is(attempt($$DELETE FROM orders WHERE id = 3; INSERT INTO orders VALUES (3, 'placed')$$),
          '23514 order_is_canceled',
          'what is canceled does not come to life by DELETE and INSERT');
SELECT ordcancel.set_rule('orders', 'canceled', deletable => false);

-- A status that was deletable when the statement began is what counts, not
-- what a trigger says of the row later.
CREATE FUNCTION no_delete() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER no_delete BEFORE DELETE ON orders FOR EACH ROW WHEN (OLD.note = 'keep') EXECUTE FUNCTION no_delete();
UPDATE orders SET note = 'keep' WHERE id = 1;
SELECT is(attempt('DELETE FROM orders WHERE id = 1'), 'ok', 'a delete that a trigger suppresses is none');
SELECT is((SELECT status FROM orders WHERE id = 1), 'placed', 'the order is still there');

-- ----------------------------------------------------------------- TRUNCATE

CREATE TABLE customer (id integer PRIMARY KEY);
INSERT INTO customer VALUES (1);
CREATE TABLE account_order (id integer PRIMARY KEY, customer integer REFERENCES customer, status text);
SELECT ordcancel.attach('account_order', status => 'status');
SELECT is(attempt('TRUNCATE orders'), '23514 cancellation_forbidden', 'orders cannot be truncated');
SELECT is(attempt('TRUNCATE orders RESTART IDENTITY CASCADE'), '23514 cancellation_forbidden', 'nor with CASCADE');
SELECT is(attempt('TRUNCATE customer CASCADE'), '23514 cancellation_forbidden',
          'nor along with a table that they refer to');
SELECT is(attempt('TRUNCATE upload, orders'), '23514 cancellation_forbidden', 'nor along with others');

-- ------------------------------------------------------ foreign-key actions

CREATE TABLE order_status (code text PRIMARY KEY);
INSERT INTO order_status VALUES ('placed'), ('shipped'), ('draft'), ('asked'), ('canceled'), ('refunding');
CREATE TABLE cascading (
    id integer PRIMARY KEY,
    status text DEFAULT 'canceled' REFERENCES order_status ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE TABLE defaulting (
    id integer PRIMARY KEY,
    status text DEFAULT 'canceled' REFERENCES order_status ON UPDATE SET DEFAULT ON DELETE SET DEFAULT
);
CREATE TABLE nulling (
    id integer PRIMARY KEY,
    status text REFERENCES order_status ON UPDATE SET NULL ON DELETE SET NULL
);
CREATE FUNCTION with_one(tables text[], status text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY tables LOOP
        EXECUTE format('INSERT INTO %I VALUES (1, %L)', name, status);
        PERFORM ordcancel.attach(name::regclass, status => 'status');
        PERFORM ordcancel.set_policy(name::regclass, canceled_status => 'canceled', requested_status => 'asked');
        PERFORM ordcancel.set_rule(name::regclass, 'placed', merchant => 'cancel', customer => 'cancel');
    END LOOP;
END
$$;
SELECT with_one('{cascading}', 'shipped');
SELECT is(attempt($$DELETE FROM order_status WHERE code = 'canceled'; UPDATE order_status SET code = 'canceled'
                    WHERE code = 'shipped'$$),
          '23514 cancellation_forbidden', 'ON UPDATE CASCADE cannot cancel against the rules');
SELECT is(attempt($$DELETE FROM order_status WHERE code = 'shipped'$$), '23514 cancellation_forbidden',
          'ON DELETE CASCADE cannot delete an order');
SELECT is(attempt($$UPDATE order_status SET code = 'sent' WHERE code = 'shipped'$$), 'ok',
          'ON UPDATE CASCADE may rename an ordinary status');
SELECT is((SELECT status FROM cascading), 'sent', 'the order has it then');
UPDATE order_status SET code = 'shipped' WHERE code = 'sent';
DROP TABLE cascading CASCADE;

SELECT with_one('{defaulting}', 'shipped');
SELECT is(attempt($$DELETE FROM order_status WHERE code = 'shipped'$$), '23514 cancellation_forbidden',
          'ON DELETE SET DEFAULT cannot cancel against the rules');
SELECT is(attempt($$UPDATE order_status SET code = 'sent' WHERE code = 'shipped'$$), '23514 cancellation_forbidden',
          'nor ON UPDATE SET DEFAULT');
UPDATE defaulting SET status = 'placed';
SELECT is(attempt($$DELETE FROM order_status WHERE code = 'placed'$$), 'ok',
          'ON DELETE SET DEFAULT may cancel within them');
SELECT is((SELECT state || ' ' || prior_status FROM defaulting_cancellation), 'canceled placed', 'which is recorded');
DROP TABLE defaulting CASCADE;

INSERT INTO order_status VALUES ('placed');
SELECT with_one('{nulling}', 'placed');
UPDATE nulling SET status = 'canceled';
SELECT is(attempt($$DELETE FROM order_status WHERE code = 'canceled'$$), '23514 order_is_canceled',
          'ON DELETE SET NULL cannot take the status of what is canceled');
SELECT is(attempt($$UPDATE order_status SET code = 'sent' WHERE code = 'canceled'$$), '23514 order_is_canceled',
          'nor ON UPDATE SET NULL');

SELECT * FROM finish();
ROLLBACK;
