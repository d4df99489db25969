-- Blocks and refund_due are evaluated when an answer depends on them, and read
-- the columns that they name. Counted by a sequence, and by memory.
\ir include/helpers.sql
SET client_min_messages = warning;
SELECT no_plan();

CREATE SEQUENCE asked;
CREATE FUNCTION ask(answer boolean) RETURNS boolean LANGUAGE sql AS $$ SELECT nextval('asked') > 0 AND answer $$;
CREATE FUNCTION ask_due(due numeric) RETURNS numeric LANGUAGE sql AS $$ SELECT due + 0 * nextval('asked') $$;
-- How often a statement asks, and what came of it.
CREATE FUNCTION asks(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    before bigint := (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM asked);
    result text := attempt(statement);
BEGIN
    RETURN (SELECT CASE WHEN is_called THEN last_value ELSE 0 END - before FROM asked) || ' ' || result;
END
$$;
CREATE FUNCTION by_update(status text, id integer) RETURNS text LANGUAGE sql
    AS $$ SELECT asks(format('UPDATE orders SET status = %L WHERE id = %s', status, id)) $$;
CREATE FUNCTION by_call(verb text, id integer, more text DEFAULT '') RETURNS text LANGUAGE sql
    AS $$ SELECT asks(format('SELECT ordcancel.%I(''orders'', %s%s)', verb, id, more)) $$;

CREATE TABLE orders (id integer PRIMARY KEY, status text, flagged boolean DEFAULT false, due numeric DEFAULT 0,
                     doc text);
INSERT INTO orders (id, status) SELECT n, 'placed' FROM generate_series(1, 60) AS n;
SELECT ordcancel.attach('orders', 'status'),
       ordcancel.set_policy('orders', requested_status => 'asked', in_progress_status => 'refunding',
                            canceled_status => 'canceled'),
       ordcancel.set_rule('orders', 'placed', customer => 'request', merchant => 'cancel'),
       ordcancel.set_rule('orders', 'shipped', customer => 'forbid'),
       ordcancel.set_rule('orders', 'draft', deletable => true);

-- ------------------------------------------------------------------- a block
SELECT ordcancel.add_block('orders', 'flagged', 'ask(flagged)');
SELECT is(by_update('paid', 1), '0 ok', 'a move asks nothing');
SELECT is(by_update('canceled', 1), '0 23514 cancellation_forbidden', 'nor does what no rule allows');
SELECT is(by_update('shipped', 1), '0 ok', 'another move');
SELECT is(by_call('cancel_order', 1), '0 OC003', 'a call that no rule allows');
SELECT is(by_call('cancel_order', 2), '1 ok', 'one that a rule allows asks');
SELECT is(by_call('cancel_order', 2), '0 ok', 'and its repetition does not');
SELECT is(by_call('undo_cancel', 2), '0 ok', 'nor does an undo');
SELECT is(by_update('canceled', 2), '1 ok', 'a plain update that cancels');
SELECT is(by_call('request_cancel', 3), '1 ok', 'a request');
SELECT is(by_call('deny_cancel', 3, ', ''no'''), '0 ok', 'its denial');
SELECT is(by_call('request_cancel', 3), '1 ok', 'another');
SELECT is(by_call('withdraw_cancel', 3), '0 ok', 'which is withdrawn');
SELECT is(by_call('request_cancel', 3), '1 ok', 'and again');
SELECT is(by_call('accept_cancel', 3), '1 ok', 'to accept it asks');
SELECT is(by_call('override_cancel', 4, ', note => ''n'''), '0 ok', 'to override it does not: no block counts');
SELECT is(by_call('cancel_order', 5, ', ''no such reason'''), '1 OC006',
          'a wrong reason is told of only where nothing blocks');
SELECT is(asks('INSERT INTO orders VALUES (100, ''draft''); DELETE FROM orders WHERE id = 100'), '0 ok',
          'what comes and goes');
UPDATE orders SET flagged = true WHERE id IN (6, 7);
SELECT is(by_call('cancel_order', 6, ', ''no such reason'''), '1 OC005', 'a block goes before it');
SELECT is(by_update('canceled', 6), '1 23514 cancellation_blocked', 'a plain update is blocked');
SELECT is(asks('SELECT ordcancel.cancel_orders(''orders'', ''{6,7,8,9,1,2,99}''::int[])'), '4 ok',
          'an array asks for those that a rule allows');
SELECT is((SELECT string_agg(status, ' ' ORDER BY id) FROM orders WHERE id BETWEEN 6 AND 9),
          'placed placed canceled canceled', 'each its own');
SELECT is(asks('SELECT * FROM ordcancel.cancel_options(''orders'', 10)'), '1 ok', 'cancel_options asks once');
SELECT is(asks('SELECT * FROM ordcancel.cancel_options(''orders'', 2)'), '0 ok', 'and not of a canceled one');
CALL ordcancel.cancel_batch('orders', 'id BETWEEN 1 AND 12', dry_run => true);
SELECT is((SELECT string_agg(outcome || ' ' || count, ', ' ORDER BY outcome, count) FROM ordcancel.batch_summary),
          'already 5, canceled 4, refused 1, refused 2', 'a dry run is told the same')
;
-- ------------------------------------------------------------- a sum is due
SELECT ordcancel.drop_block('orders', 'flagged'), ordcancel.attach('orders', 'status', refund_due => 'ask_due(due)');
UPDATE orders SET due = 5 WHERE id > 20;
SELECT is(by_call('request_cancel', 21), '0 ok', 'a request owes nothing yet');
SELECT is(by_call('accept_cancel', 21), '1 ok', 'to accept it does');
SELECT is((SELECT refund_due FROM orders_cancellation WHERE order_id = 21), 5.00, 'and that is on record');
SELECT is(by_call('record_refund', 21, ', 5, ''card'''), '0 ok', 'which is paid back');
SELECT is(by_call('override_cancel', 22, ', note => ''n'''), '1 ok', 'to override it asks');
SELECT is(by_update('canceled', 23), '1 23514 refund_not_settled', 'a plain update that would');
SELECT is(by_update('refunding', 23), '1 ok', 'and one that may');
SELECT is(by_update('canceled', 23), '0 23514 refund_not_settled', 'what is due then stands on record');
SELECT is(by_update('shipped', 24), '0 ok', 'a move does not ask');
SELECT ordcancel.attach('orders', unset => '{refund_due}');

-- ----------------------------------------------------- one that fails fails safe
SELECT ordcancel.add_block('orders', 'broken', '1 / (id % 10) > 5');
SELECT is(by_update('canceled', 30), '0 22012', 'a block that fails lets no update cancel');
SELECT is(by_call('cancel_order', 30), '0 22012', 'nor a call');
SELECT is((SELECT string_agg(sqlstate, ' ') FROM ordcancel.cancel_orders('orders', '{30,40}'::int[])), '22012 22012',
          'nor an array');
SELECT is(by_update('paid', 30), '0 ok', 'and stops nobody else');
SELECT is(by_call('cancel_order', 31), '0 ok', 'nor other orders');
SELECT ordcancel.drop_block('orders', 'broken');

-- -------------------------------------------------------------- what it reads
ALTER TABLE orders DROP COLUMN due, ALTER doc SET STORAGE EXTERNAL, ADD extra text DEFAULT 'more',
    ADD total numeric DEFAULT 7;
SELECT ordcancel.add_block('orders', 'total', 'total <> 7 OR extra <> ''more''');
SELECT is(by_call('cancel_order', 32), '0 ok', 'columns that were added later');
SELECT ordcancel.add_block('orders', 'total', '(SELECT count(*) FROM generate_series(1, 3) AS g WHERE g < orders.total '
                                              'AND (SELECT orders.id > 32)) = 3');
SELECT is(by_call('cancel_order', 33), '0 OC005', 'columns in subqueries');
CREATE FUNCTION whole(orders) RETURNS boolean LANGUAGE sql
    AS $$ SELECT $1.total = 7 AND $1.flagged IS NOT NULL AND $1.extra = 'more' $$;
SELECT ordcancel.add_block('orders', 'total', 'whole(orders)');
SELECT is(by_call('cancel_order', 34), '0 OC005', 'the whole row');
SELECT is(by_update('canceled', 34), '0 23514 cancellation_blocked', 'by a plain update, too');
SELECT ordcancel.add_block('orders', 'total', 'length(doc) > 10');
UPDATE orders SET doc = repeat('x', 200000) WHERE id IN (35, 36);
SELECT is((SELECT string_agg(outcome || coalesce(sqlstate, ''), ' ')
           FROM ordcancel.cancel_orders('orders', '{35,36,37}'::int[])), 'refusedOC005 refusedOC005 canceled',
          'what is stored aside');

CREATE TABLE parts (id integer, region text, status text, flagged boolean, doc text, gone text,
                    PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE parts_b (doc text, region text NOT NULL, flagged boolean, id integer NOT NULL, status text);
ALTER TABLE parts DROP COLUMN gone;
CREATE TABLE parts_a PARTITION OF parts FOR VALUES IN ('a');
ALTER TABLE parts ATTACH PARTITION parts_b FOR VALUES IN ('b');
INSERT INTO parts (id, region, status, flagged) SELECT n, r, 'placed', n % 2 = 0 FROM generate_series(1, 8) AS n,
     unnest('{a,b}'::text[]) AS r;
SELECT ordcancel.attach('parts', 'status'), ordcancel.set_policy('parts', canceled_status => 'canceled'),
       ordcancel.set_rule('parts', 'placed', merchant => 'cancel'),
       ordcancel.add_block('parts', 'flagged', 'ask(flagged)');
SELECT is((SELECT string_agg(coalesce(sqlstate, outcome), ' ')
           FROM ordcancel.cancel_orders('parts', '{"(1,a)","(2,b)","(1,b)","(2,a)"}'::text[])),
          'canceled OC005 canceled OC005', 'rows of partitions, whatever their shape');
SELECT is(asks('UPDATE parts SET status = ''canceled'' WHERE id = 3'), '2 ok', 'and in plain updates');
SELECT is(asks('UPDATE parts SET status = ''canceled'' WHERE id = 4'), '1 23514 cancellation_blocked',
          'which are blocked');
SELECT is((SELECT string_agg(DISTINCT condition, ' ') FROM ordcancel.cancel_options('parts', '(4,b)')
           WHERE verb = 'cancel_order'), 'cancellation_blocked', 'cancel_options of one');

-- ----------------------- what it was read as stays only as long as that holds
CREATE TABLE kept (id integer PRIMARY KEY, status text, flagged boolean, n integer DEFAULT 5);
INSERT INTO kept SELECT n, 'placed', n % 2 = 0 FROM generate_series(1, 40) AS n;
CREATE FUNCTION five() RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 5';
CREATE FUNCTION is_five(n integer) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT n = public.five()';
SELECT ordcancel.attach('kept', 'status'), ordcancel.set_policy('kept', canceled_status => 'canceled'),
       ordcancel.set_rule('kept', 'placed', merchant => 'cancel'),
       ordcancel.add_block('kept', 'b', 'flagged AND public.is_five(n)');
CREATE FUNCTION kept(id integer) RETURNS text LANGUAGE sql
    AS $$ SELECT attempt(format('SELECT ordcancel.cancel_order(''kept'', %s)', id)) $$;
SELECT is(kept(1), 'ok', 'once');
SELECT is(kept(3), 'ok', 'and once more');
SELECT is(kept(2), 'OC005', 'blocked');
CREATE OR REPLACE FUNCTION five() RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 6';
SELECT is(kept(2), 'ok', 'what its function calls is another');
SELECT is(kept(4), 'ok', 'and stays so');
CREATE OR REPLACE FUNCTION is_five(n integer) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT n = 5';
SELECT is(kept(6), 'OC005', 'what it calls is another');
SELECT is(kept(8), 'OC005', 'and stays so');
ALTER TABLE kept ADD early text, ALTER n TYPE bigint;
SELECT is(kept(8), 'OC014', 'what does not fit any more is told of');
DROP FUNCTION is_five;
CREATE FUNCTION is_five(n bigint) RETURNS boolean LANGUAGE plpgsql AS
    $$ BEGIN PERFORM ordcancel.add_block('kept', 'b', 'flagged AND n < 0'),
          ordcancel.set_rule('kept', 'placed', hint => n::text); RETURN n = 5; END $$;
SELECT ordcancel.add_block('kept', 'b', 'flagged AND public.is_five(n)');
SELECT is(kept(8), 'OC005', 'a block that changes itself is asked to its end');
SELECT is(kept(7), 'ok', 'here too');
SELECT is(kept(9), 'ok', 'and has changed then');

-- ------------------------------------------------------------- and how much
SELECT ordcancel.drop_block('orders', 'total');
DELETE FROM ordcancel.block WHERE orders = 'orders'::regclass;
CREATE TABLE large (id integer PRIMARY KEY, status text, flagged boolean DEFAULT false, doc text);
ALTER TABLE large ALTER doc SET STORAGE EXTERNAL;
INSERT INTO large SELECT n, 'placed', false, repeat('x', 1000000) FROM generate_series(1, 60) AS n;
SELECT ordcancel.attach('large', 'status'), ordcancel.set_policy('large', canceled_status => 'canceled'),
       ordcancel.set_rule('large', 'placed', merchant => 'cancel');
-- Asked from within, when all rows are there; and how much was read aside.
CREATE SEQUENCE peak MINVALUE 0;
CREATE FUNCTION look(flag boolean) RETURNS boolean LANGUAGE sql
    AS $$ SELECT setval('peak', greatest((SELECT last_value FROM peak), memory_allocated())) < 0 OR flag $$;
SELECT ordcancel.add_block('large', 'flagged', 'look(flagged)');
SELECT is((SELECT count(*) FROM ordcancel.cancel_orders('large', '{1,2}'::int[])), 2::bigint, 'warm');
SELECT setval('peak', 0);
SELECT memory_allocated() AS before \gset
BEGIN;
SELECT is((SELECT count(*) FROM ordcancel.cancel_orders('large', (SELECT array_agg(n) FROM generate_series(3, 60) AS n))
           WHERE outcome = 'canceled'), 58::bigint, '58 MB of orders');
SELECT cmp_ok(last_value - :before, '<', 5000000::bigint, 'do not come to memory') FROM peak;
SELECT is(pg_stat_get_xact_tuples_fetched(reltoastrelid) + pg_stat_get_xact_tuples_returned(reltoastrelid), 0::bigint,
          'nor is anything of them read') FROM pg_class WHERE oid = 'large'::regclass;
ROLLBACK;
BEGIN;
SELECT is(asks('UPDATE large SET status = ''paid'' WHERE id > 20'), '0 ok', 'plain updates');
SELECT is(asks('UPDATE large SET status = ''canceled'' WHERE id BETWEEN 3 AND 20'), '0 ok', 'that cancel, too');
SELECT is(pg_stat_get_xact_tuples_fetched(reltoastrelid) + pg_stat_get_xact_tuples_returned(reltoastrelid), 0::bigint,
          'read nothing of them') FROM pg_class WHERE oid = 'large'::regclass;
ROLLBACK;
-- Where the block names the large column, a few at a time.
SELECT ordcancel.add_block('large', 'flagged', 'look(flagged OR length(doc) < 0)');
SELECT setval('peak', 0);
SELECT is((SELECT count(*) FROM ordcancel.cancel_orders('large', (SELECT array_agg(n) FROM generate_series(3, 60) AS n))
           WHERE outcome = 'canceled'), 58::bigint, 'named, they are read');
SELECT cmp_ok(last_value - :before, '<', 20000000::bigint, 'not all at once') FROM peak;

SELECT * FROM finish();
