-- cancel_batch and resume_batch: what they take, where they may be called, and
-- what they do and foretell for orders of every kind.
\ir include/batch.sql
SELECT plan(117);

CREATE SCHEMA shop;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text, supplier text, due numeric, flag boolean,
                          buyer text DEFAULT 'ann',
                          "The Note" text, placed_at timestamptz DEFAULT '2020-01-01');
INSERT INTO shop.orders (id, status) SELECT n, 'placed' FROM generate_series(1, 2000) AS n;
SELECT ordcancel.attach('shop.orders', 'status', placed_at => 'placed_at', policy_by => 'supplier',
                        refund_due => 'due');
SELECT ordcancel.set_policy('shop.orders', p, canceled_status => 'canceled', requested_status => 'asked',
                            in_progress_status => 'refunding', grace => '1 hour'),
       ordcancel.set_rule('shop.orders', 'placed', customer => 'request', merchant => 'cancel', policy => p),
       ordcancel.set_rule('shop.orders', 'preparing', merchant => 'request', policy => p),
       ordcancel.set_rule('shop.orders', 'shipped', hint => 'process it as a return', policy => p)
FROM unnest('{default,picky}'::text[]) AS p;
SELECT ordcancel.add_block('shop.orders', 'flagged', 'flag', 'unflag it');

-- All that stands in the tables.
CREATE FUNCTION standing() RETURNS text LANGUAGE sql AS $$
SELECT md5(concat((SELECT string_agg(concat(o, o.ctid, o.xmin, o.xmax), ',' ORDER BY o.id) FROM shop.orders AS o),
                  (SELECT count(*) FROM shop.orders_cancellation),
                  (SELECT count(*) FROM shop.orders_cancellation_event)))
$$;

-- -------------------------------------------------------------------- arguments

SELECT throws_ok('CALL ordcancel.cancel_batch(' || arguments || ', dry_run => true)', state, NULL,
                 'refused: ' || left(arguments, 100))
FROM (VALUES ('''shop.orders'', NULL', '22023'), ('''shop.orders'', ''''', '42601'),
             ('''shop.orders'', '' ''', '42601'), ('''shop.orders'', ''-- all''', '42601'),
             ('''shop.orders'', ''id = 1; DELETE FROM shop.orders''', NULL),
             ('''shop.orders'', ''true); DELETE FROM shop.orders; SELECT (true''', NULL),
             ('''shop.orders'', ''flag) OR (id = 1''', NULL), ('''shop.orders'', ''true) ORDER BY (1''', NULL),
             ('''shop.orders'', ''true /*''', '42601'),
             ('''shop.orders'', ''true FOR UPDATE''', '42601'),
             ('''shop.orders'', ''true UNION SELECT 1, NULL, NULL''', NULL), ('''shop.orders'', ''true AS x''', NULL),
             ('''shop.orders'', ''''''x''', '42601'),
             ('''shop.orders'', ''id''', '42804'), ('''shop.orders'', ''id = 1, id = 2''', '22023'),
             ('''shop.orders'', ''orders''', '42804'), ('''shop.orders'', ''no_column = 1''', '42703'),
             ('''shop.orders'', ''count(*) > 0''', '42803'), ('''shop.orders'', ''row_number() OVER () = 1''', '42P20'),
             ('''shop.orders'', ''generate_series(1, 2) > 1''', '0A000'),
             ('''shop.orders'', ''id = $1''', '42P02'), ('''shop.orders'', ''other.id = 1''', '42P01'),
             ('''shop.orders'', ''1 / (id - 7) > 0''', '22012'), ('''shop.orders'', ''id = ''''x''''''', '22P02'),
             ('NULL, ''true''', 'OC001'), ('''pg_class'', ''true''', 'OC001'),
             ('''shop.orders_cancellation'', ''true''', 'OC001'), ('0, ''true''', 'OC001'),
             ('''shop.orders'', ''true'', chunk => NULL', '22023'), ('''shop.orders'', ''true'', chunk => 0', '22023'),
             ('''shop.orders'', ''true'', chunk => -1', '22023'),
             ('''shop.orders'', ''true'', chunk => 100001', '22023'),
             ('''shop.orders'', ''true'', ''no such reason''', 'OC006'),
             ('''shop.orders'', ''true'', actor => repeat(''x'', 256)', '22001')) AS v (arguments, state);
SELECT is((SELECT count(*) FROM ordcancel.batch), 0::bigint, 'none of them has become a batch');
SELECT throws_ok('CALL ordcancel.resume_batch(' || v || ')', '25001', NULL, 'resume_batch in a function: ' || v)
FROM unnest('{0,1}'::text[]) AS v;
CALL ordcancel.resume_batch(NULL);
SELECT is_text(:'SQLSTATE', '22004', 'resume_batch of NULL');
CALL ordcancel.resume_batch(4711);
SELECT is_text(:'SQLSTATE', '42704', 'of a batch that there is not');
CALL ordcancel.cancel_batch('shop.orders', 'false', 'no such reason');
SELECT is_text(:'SQLSTATE', 'OC006', 'an unknown reason is found before the first order');
CALL ordcancel.cancel_batch('shop.orders', 'no_column');
SELECT is_text(:'SQLSTATE', '42703', 'and so is a condition that is none');
CALL ordcancel.cancel_batch('shop.orders', '1 / (id - 7) > 0');
SELECT is_text(:'SQLSTATE', '22012', 'or that raises for an order');
SELECT is((SELECT count(*) FROM ordcancel.batch), 0::bigint, 'none of them has become a batch');
SELECT is((SELECT count(*) FROM shop.orders WHERE status = 'placed'), 2000::bigint, 'nor done anything');

-- ---------------------------------------------------------- where it may be called

CREATE FUNCTION call_it() RETURNS void LANGUAGE plpgsql
    AS $$ BEGIN CALL ordcancel.cancel_batch('shop.orders', 'id <= 2'); END $$;
CREATE PROCEDURE call_it_too() LANGUAGE plpgsql
    AS $$ BEGIN CALL ordcancel.cancel_batch('shop.orders', 'id <= 2', chunk => 1); END $$;
CREATE PROCEDURE call_it_as_owner() LANGUAGE plpgsql SECURITY DEFINER
    AS $$ BEGIN CALL ordcancel.cancel_batch('shop.orders', 'id <= 2'); END $$;
SELECT call_it();
SELECT is_text(:'SQLSTATE', '25001', 'not from a function');
CALL call_it_as_owner();
SELECT is_text(:'SQLSTATE', '25001', 'not from a SECURITY DEFINER procedure');
BEGIN;
CALL ordcancel.cancel_batch('shop.orders', 'id <= 2');
\set state :SQLSTATE
ROLLBACK;
SELECT is_text(:'state', '25001', 'not in a transaction block');
SELECT 1 \; CALL ordcancel.cancel_batch('shop.orders', 'id <= 2') \; SELECT 2;
SELECT is_text(:'SQLSTATE', '25001', 'not in the middle of a query string');
DO $$ BEGIN CALL ordcancel.cancel_batch('shop.orders', 'id <= 2'); EXCEPTION WHEN division_by_zero THEN NULL; END $$;
SELECT is_text(:'SQLSTATE', '25001', 'not where errors are caught');
SELECT is((SELECT count(*) FROM ordcancel.batch), 0::bigint, 'none of them has become a batch');
SELECT is((SELECT count(*) FROM pg_locks WHERE locktype = 'object' AND classid = 'ordcancel.batch'::regclass),
          0::bigint, 'nor left a lock');
CALL ordcancel.cancel_batch('shop.orders', 'id <= 2');
SELECT is(batch_outcome(), 'done: 2 canceled', 'by itself');
DO $$ BEGIN FOR i IN 3 .. 4 LOOP CALL ordcancel.cancel_batch('shop.orders', 'id = ' || i); END LOOP; END $$;
SELECT is((SELECT array_agg(status ORDER BY id) FROM shop.orders WHERE id <= 5),
          '{canceled,canceled,canceled,canceled,placed}', 'in a DO');
DO $$ DECLARE i integer; BEGIN FOR i IN SELECT n
     FROM generate_series(5, 6) AS n LOOP CALL ordcancel.cancel_batch('shop.orders', 'id = ' || i); END LOOP; END $$;
SELECT is((SELECT string_agg(status, ' ' ORDER BY id) FROM shop.orders WHERE id IN (5, 6)), 'canceled canceled',
          'while a cursor is open');
CALL call_it_too();
SELECT is(batch_outcome(), 'done: 2 already', 'from a procedure');
SELECT ordcancel.cancel_batch('shop.orders', 'true');
SELECT is_text(:'SQLSTATE', '42809', 'it is no function');
BEGIN READ ONLY;
CALL ordcancel.cancel_batch('shop.orders', 'true', dry_run => true);
\set state :SQLSTATE
ROLLBACK;
SELECT is_text(:'state', '25006', 'its records are written');

-- ------------------------------------------------------------------- every outcome

UPDATE shop.orders SET status = 'preparing' WHERE id BETWEEN 20 AND 24;
UPDATE shop.orders SET status = 'shipped' WHERE id BETWEEN 30 AND 34;
UPDATE shop.orders SET status = 'lost', supplier = 'picky' WHERE id BETWEEN 35 AND 36;
UPDATE shop.orders SET due = 9.90 WHERE id BETWEEN 40 AND 42;
UPDATE shop.orders SET due = 'NaN' WHERE id = 43;
UPDATE shop.orders SET flag = true WHERE id BETWEEN 50 AND 53;
UPDATE shop.orders SET supplier = 'picky' WHERE id BETWEEN 60 AND 64;
UPDATE shop.orders SET placed_at = now() WHERE id = 65;
SELECT ordcancel.request_cancel('shop.orders', id) FROM generate_series(70, 72) AS id;
SELECT ordcancel.cancel_order('shop.orders', id) FROM generate_series(80, 81) AS id;
UPDATE shop.orders SET status = NULL WHERE id = 90;

SELECT standing() AS standing \gset
BEGIN;
CALL ordcancel.cancel_batch('shop.orders', 'id BETWEEN 11 AND 100', 'out_of_stock', chunk => 7, dry_run => true);
\set state :SQLSTATE
SELECT (SELECT array_agg(DISTINCT mode) FROM pg_locks WHERE relation = 'shop.orders'::regclass
          AND pid = pg_backend_pid()) AS modes,
       (SELECT count(*) FROM pg_locks WHERE locktype = 'tuple' AND pid = pg_backend_pid()) AS tuples,
       batch_outcome() AS told,
       standing() AS standing_then \gset
COMMIT;
SELECT is_text(:'state', '00000', 'a dry run in a transaction block');
SELECT is_text(:'modes', '{AccessShareLock}', 'it locks the table as any query does');
SELECT is_text(:'tuples', '0', 'and no row');
SELECT is_text(:'standing_then', :'standing', 'and changes nothing');
SELECT is(standing(), :'standing', 'nor did it afterwards');
SELECT is_text(:'told', 'done: 67 canceled, 3 in progress, 5 requested, 2 already, 13 refused',
            'it says what would come of the orders');
SELECT is((SELECT format('%s %s %s %s', total, done, percent, dry_run) FROM ordcancel.batch_progress
           WHERE batch_id = last_batch()), '90 90 100.0 t', 'of all of them');
CREATE TABLE foreseen AS SELECT policy, order_status, outcome, sqlstate, count, hint, example
FROM ordcancel.batch_summary WHERE batch_id = last_batch();
CREATE TABLE foreseen_orders AS SELECT order_key, outcome, sqlstate, message FROM ordcancel.batch_refused
WHERE batch_id = last_batch();
CALL ordcancel.resume_batch(last_batch());
SELECT is_text(:'SQLSTATE', '00000', 'there is nothing to resume of it');
SELECT is(standing(), :'standing', 'which changes nothing either');
SELECT set_eq('SELECT policy, order_status, outcome, sqlstate, count, hint FROM foreseen WHERE sqlstate IS DISTINCT '
              'FROM ''OC014''',
$$VALUES ('default', 'placed', 'canceled', NULL, 59::bigint, NULL), ('picky', 'placed', 'canceled', NULL, 5, NULL),
         ('default', 'asked', 'canceled', NULL, 3, NULL),
         ('default', 'placed', 'in_progress', NULL, 3, NULL), ('default', 'preparing', 'requested', NULL, 5, NULL),
('default', 'canceled', 'already', NULL, 2, NULL),
         ('default', 'shipped', 'refused', 'OC003', 5, 'process it as a return'),
('picky', 'lost', 'refused', 'OC003', 2, 'Call ordcancel.set_rule() for the status if it should be allowed.'),
         ('default', NULL, 'refused', 'OC003', 1, 'Call ordcancel.set_rule() for the status if it should be allowed.'),
         ('default', 'placed', 'refused', 'OC005', 4, 'unflag it')$$,
             'by policy and status, with the hints of rules and blocks');
SELECT is((SELECT string_agg(concat_ws('|', outcome, count, hint), ', ') FROM foreseen WHERE sqlstate = 'OC014'),
          'refused|1', 'and what is wrong with an order itself');
SELECT is((SELECT count(*) FROM shop.orders_cancellation_event WHERE source = 'cancel_batch'
             AND data->>'batch' = last_batch()::text), 0::bigint, 'and leaves no event');

CALL ordcancel.cancel_batch('shop.orders', 'id BETWEEN 11 AND 100', 'out_of_stock', 'gone', 'anna', 7);
SELECT is_text(batch_outcome(), :'told', 'the batch itself comes to what the dry run has said');
SELECT set_eq(format('SELECT policy, order_status, outcome, sqlstate, count, hint, example FROM '
                     'ordcancel.batch_summary WHERE batch_id = %s', last_batch()),
              'SELECT * FROM foreseen', 'in every group');
SELECT set_eq(format('SELECT order_key, outcome, sqlstate, message FROM ordcancel.batch_refused WHERE batch_id = %s',
                     last_batch()),
              'SELECT * FROM foreseen_orders', 'and for every order that is refused');
SELECT is((SELECT string_agg(DISTINCT concat_ws('|', party, actor, reason, source, data - 'refund_due', session_role),
                             ', ') FROM shop.orders_cancellation_event
           WHERE data ? 'batch' AND data->>'batch' = last_batch()::text),
          format('merchant|anna|out_of_stock|cancel_batch|{"batch": %s}|postgres', last_batch()),
          'the events have its number');
SELECT is((SELECT string_agg(DISTINCT concat_ws('|', c.reason, coalesce(c.note, c.decision_note), c.decided_actor),
                             ', ') FROM shop.orders_cancellation AS c
           WHERE c.order_id BETWEEN 11 AND 72 AND c.state <> 'requested'), 'out_of_stock|gone|anna',
          'the records what was said');
SELECT is((SELECT count(*) FROM ordcancel.batch_refused AS r WHERE batch_id = last_batch()
           AND (SELECT message FROM ordcancel.cancel_orders('shop.orders', ARRAY[r.order_key],
                                                            'out_of_stock')) IS DISTINCT FROM r.message), 0::bigint,
          'cancel_orders says the same of them');
CALL ordcancel.cancel_batch('shop.orders', 'id BETWEEN 11 AND 100', 'out_of_stock', 'gone', 'anna', 7);
SELECT is(batch_outcome(), 'done: 5 canceled, 72 already, 13 refused',
          'a second one confirms what the merchant has asked, and does no more');
CALL ordcancel.cancel_batch('shop.orders', 'id BETWEEN 11 AND 100', 'out_of_stock', 'gone', 'anna', 7);
SELECT is(batch_outcome(), 'done: 77 already, 13 refused', 'a third does nothing');
SELECT is((SELECT max(n) FROM (SELECT count(*) AS n FROM shop.orders_cancellation_event GROUP BY order_id, type) AS e),
          1::bigint, 'nothing was done twice');
CALL ordcancel.cancel_batch('shop.orders', 'id IN (101, 102)', 'other');
SELECT is_text(:'SQLSTATE', 'OC006', 'a reason that wants a note');
CALL ordcancel.cancel_batch('shop.orders', 'id IN (101, 102)', note => repeat('x', 2001));
SELECT is_text(:'SQLSTATE', 'OC006', 'a note that is too long');
CALL ordcancel.cancel_batch('shop.orders', 'false', note => ' ');
SELECT is((SELECT note FROM ordcancel.batch ORDER BY batch_id DESC LIMIT 1), NULL, 'a note of blanks is none');
CALL ordcancel.cancel_batch('shop.orders', 'id IN (101, 102)', 'no_such_reason');
SELECT is_text(:'SQLSTATE', 'OC006', 'a reason that does not exist');
SET ordcancel.actor = 'set before';
CALL ordcancel.cancel_batch('shop.orders', 'id = 103');
RESET ordcancel.actor;
SELECT is((SELECT requested_actor FROM shop.orders_cancellation WHERE order_id = 103), 'set before',
          'the actor of the setting');
CALL ordcancel.cancel_batch('shop.orders', 'false');
SELECT is(batch_outcome(), 'done', 'no order at all');
SELECT is((SELECT format('%s %s %s', total, done, percent) FROM ordcancel.batch_progress WHERE batch_id = last_batch()),
          '0 0 ', 'is no percent of none');

-- ------------------------------------------------------------------- conditions

CREATE TABLE shop.wanted AS SELECT n AS order_id FROM generate_series(110, 112) AS n;
CREATE TYPE shop.kind AS ENUM ('a');
UPDATE shop.orders SET "The Note" = 'it''s "here"' WHERE id = 120;
SELECT is(count_chosen('shop.orders', condition), orders, 'condition: ' || translate(condition, E'\n', ' '))
FROM (VALUES ('id IN (SELECT order_id FROM shop.wanted)', 3::bigint),
             ('EXISTS (SELECT FROM shop.wanted AS w WHERE w.order_id = id)', 3),
             ('EXISTS (SELECT FROM shop.wanted WHERE order_id = orders.id)', 3), ('(SELECT orders.id = 110)', 1),
             ('"orders"."The Note" IS NOT NULL', 1),
             ($$"The Note" = 'it''s "here"'$$, 1), ('id = 110 -- and no more', 1),
             (E'id = 110 OR -- one\n id = 111', 2), ('id = 110 /* one */', 1),
             ('true AND NULL', 0), ('NULL', 0), ('''t''', 2000), ('id = 110 OR id = 111', 2),
             ('(id = 110) OR (id = 111)', 2), ('CASE WHEN id = 110 THEN 1 / (id - 111) < 0 END', 1),
             ('orders IS NULL', 0), ('(orders).id = 110', 1),
             ('orders.ctid = orders.ctid AND orders.tableoid = ''shop.orders''::regclass AND id < 3', 2),
             ('id = ANY (ARRAY[110, 111])', 2), ($$status = $c$placed$c$ AND id = 121$$, 1),
             ('id % 1000 = 0', 2)) AS v (condition, orders);
CREATE SCHEMA "odd schema";
CREATE TABLE "odd schema"."a ""table"".x" ("select" integer PRIMARY KEY, "a ""table"".x" text DEFAULT 'placed');
INSERT INTO "odd schema"."a ""table"".x" VALUES (1), (2), (3);
SELECT ordcancel.attach('"odd schema"."a ""table"".x"', 'a "table".x'),
       ordcancel.set_policy('"odd schema"."a ""table"".x"', canceled_status => 'canceled', requested_status => 'asked'),
       ordcancel.set_rule('"odd schema"."a ""table"".x"', 'placed', merchant => 'cancel');
CALL ordcancel.cancel_batch('"odd schema"."a ""table"".x"',
                            '"a ""table"".x"."select" > 1 AND "a ""table"".x"."a ""table"".x" = ''placed''');
SELECT is(batch_outcome(), 'done: 2 canceled', 'names that have to be quoted');

-- The condition is asked for the search_path that its author had.
CREATE SCHEMA other;
CREATE FUNCTION shop.meant(id integer) RETURNS boolean LANGUAGE sql AS 'SELECT id = 130';
CREATE FUNCTION other.meant(id integer) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE TRIGGER disk AFTER UPDATE ON shop.orders FOR EACH ROW EXECUTE FUNCTION write_to_disk('id');
INSERT INTO full_disk VALUES ('130');
SET search_path = shop, public;
CALL ordcancel.cancel_batch('orders', 'meant(id)');
\set state :LAST_ERROR_SQLSTATE
SET search_path = other, public;
DELETE FROM full_disk;
SELECT is_text(:'state', '53100', 'an error that is none of the order''s own stops the batch');
SELECT is(batch_outcome(), 'stopped', 'it says so');
SELECT is((SELECT concat_ws('|', error, error_sqlstate, finished_at IS NOT NULL) FROM ordcancel.batch_progress
           WHERE batch_id = last_batch()), 'the disk is full|53100|t', 'and why');
SELECT last_batch() AS stopped \gset
CALL ordcancel.resume_batch(:stopped);
SELECT is(batch_outcome(), 'done: 1 canceled', 'resumed with another search_path it means the same');
SELECT is(current_setting('search_path'), 'other, public', 'which is left as it was');
SELECT is((SELECT concat_ws('|', error, error_sqlstate) FROM ordcancel.batch_progress WHERE batch_id = last_batch()),
          '', 'and is done');
RESET search_path;

-- Settings that write numbers and dates in another way.
CREATE TABLE days (at timestamptz, n float8, status text DEFAULT 'placed', PRIMARY KEY (at, n));
INSERT INTO days SELECT '2026-01-05 12:00+00'::timestamptz + i * interval '25 hours', i / 3.0
FROM generate_series(1, 12) AS i;
SELECT ordcancel.attach('days', 'status'),
       ordcancel.set_policy('days', canceled_status => 'canceled', requested_status => 'asked'),
       ordcancel.set_rule('days', 'placed', merchant => 'cancel');
CREATE TRIGGER disk AFTER UPDATE ON days FOR EACH ROW EXECUTE FUNCTION write_to_disk('n');
INSERT INTO full_disk VALUES ('2');
SET DateStyle = 'SQL, DMY'; SET TimeZone = 'Asia/Tokyo'; SET extra_float_digits = -10;
CALL ordcancel.cancel_batch('days', 'true', chunk => 1);
DELETE FROM full_disk;
SET DateStyle = 'Postgres, MDY'; SET TimeZone = 'America/New_York';
SELECT is(batch_outcome(), 'stopped: 5 canceled', 'a batch over dates and fractions');
SELECT last_batch() AS stopped \gset
CALL ordcancel.resume_batch(:stopped);
SELECT is(batch_outcome(), 'done: 12 canceled', 'is resumed where it stood under other settings');
RESET DateStyle; RESET TimeZone; RESET extra_float_digits;

SET work_mem = '64kB';
CALL ordcancel.cancel_batch('shop.orders', 'id > 1000', chunk => 100);
RESET work_mem;
SELECT is(batch_outcome(), 'done: 1000 canceled', 'more orders than fit into work_mem');
SET default_transaction_isolation = 'serializable';
CALL ordcancel.cancel_batch('shop.orders', 'id BETWEEN 900 AND 1000', chunk => 10);
RESET default_transaction_isolation;
SELECT is(batch_outcome(), 'done: 101 canceled', 'serializable transactions');

SELECT * FROM finish();
