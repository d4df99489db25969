-- What is configured counts from the next statement on: in the same
-- transaction, after a savepoint is rolled back, in other sessions; also what
-- a superuser writes by hand, and when the extension goes and comes again.
\ir include/helpers.sql
SET client_min_messages = warning;
SELECT plan(58);

CREATE FUNCTION shop() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ordcancel.attach('orders', status => 'status', policy_by => 'supplier');
    PERFORM ordcancel.set_policy('orders', canceled_status => 'canceled', requested_status => 'asked');
    PERFORM ordcancel.set_rule('orders', 'placed', customer => 'cancel', merchant => 'cancel');
END
$$;
CREATE TABLE orders (id integer PRIMARY KEY, status text, supplier text, flag boolean DEFAULT false);
INSERT INTO orders (id, status) SELECT n, 'placed' FROM generate_series(1, 20) AS n;
SELECT shop();

-- Whether order 1 can be canceled now, by function and by update, without
-- doing it; here and in a session that has asked before.
CREATE FUNCTION now_possible() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    by_function text;
    by_update text;
BEGIN
    BEGIN
        by_function := attempt('SELECT ordcancel.cancel_order(''orders'', 1)');
        RAISE EXCEPTION 'back';
    EXCEPTION WHEN raise_exception THEN
        NULL;
    END;
    BEGIN
        by_update := attempt('UPDATE orders SET status = ''canceled'' WHERE id = 1');
        RAISE EXCEPTION 'back';
    EXCEPTION WHEN raise_exception THEN
        NULL;
    END;
    RETURN by_function || ', ' || by_update;
END
$$;
CREATE EXTENSION dblink;
SELECT dblink_connect('other', format('host=%s port=%s dbname=%s', current_setting('unix_socket_directories'),
                                      current_setting('port'), current_database()));
CREATE FUNCTION there(statement text DEFAULT 'SELECT now_possible()') RETURNS text LANGUAGE sql
    AS $$ SELECT r FROM dblink('other', statement) AS t (r text) $$;

\set yes 'ok, ok'
\set no 'OC003, 23514 cancellation_forbidden'
SELECT is(now_possible(), :'yes', 'possible at first');
SELECT is(there(), :'yes', 'there too');

-- ------------------------------------------------- in the same transaction

BEGIN;
SELECT ordcancel.set_rule('orders', 'placed', merchant => 'forbid');
SELECT is(now_possible(), :'no', 'a rule counts at once');
SELECT is(there(), :'yes', 'elsewhere when it is committed');
SAVEPOINT a;
SELECT ordcancel.set_rule('orders', 'placed', merchant => 'cancel');
SELECT is(now_possible(), :'yes', 'changed back in a savepoint');
SAVEPOINT b;
SELECT ordcancel.drop_rule('orders', 'placed');
SELECT is(now_possible(), :'no', 'dropped in an inner one');
ROLLBACK TO b;
SELECT is(now_possible(), :'yes', 'the inner one rolled back');
RELEASE b;
ROLLBACK TO a;
SELECT is(now_possible(), :'no', 'the outer one rolled back');
COMMIT;
SELECT is(now_possible(), :'no', 'committed');
SELECT is(there(), :'no', 'there too now');
BEGIN;
SELECT ordcancel.set_rule('orders', 'placed', merchant => 'cancel');
SELECT is(now_possible(), :'yes', 'allowed in a transaction');
ROLLBACK;
SELECT is(now_possible(), :'no', 'that is rolled back');
SELECT ordcancel.set_rule('orders', 'placed', merchant => 'cancel');

-- A first use inside of what is rolled back.
BEGIN;
CREATE TABLE passing (id integer PRIMARY KEY, status text);
INSERT INTO passing VALUES (1, 'placed');
SELECT ordcancel.attach('passing', 'status'), ordcancel.set_policy('passing', canceled_status => 'canceled'),
       ordcancel.set_rule('passing', 'placed', merchant => 'cancel');
SELECT is(attempt('SELECT ordcancel.cancel_order(''passing'', 1)'), 'ok',
          'made, attached and canceled in one transaction');
ROLLBACK;
CREATE TABLE passing (id integer PRIMARY KEY, status text);
INSERT INTO passing VALUES (1, 'placed');
SELECT is(attempt('SELECT ordcancel.cancel_order(''passing'', 1)'), 'OC001', 'nothing of it is left');
SELECT is(attempt('UPDATE passing SET status = ''canceled'''), 'ok', 'nor guarded');

-- ----------------------------------------------------- every kind of setting

SELECT ordcancel.set_policy('orders', canceled_status => 'void');
SELECT is(now_possible(), 'ok, ok', 'another canceled_status');
SELECT is((SELECT order_status FROM ordcancel.cancel_order('orders', 2)), 'void', 'which an order is given');
SELECT is(there('SELECT order_status FROM ordcancel.cancel_order(''orders'', 3)'), 'void', 'there too');
SELECT ordcancel.set_policy('orders', canceled_status => 'canceled');
SELECT ordcancel.add_block('orders', 'flag', 'NOT flag');
SELECT is(now_possible(), 'OC005, 23514 cancellation_blocked', 'a block');
SELECT is(there(), 'OC005, 23514 cancellation_blocked', 'there too');
SELECT ordcancel.add_block('orders', 'flag', 'flag');
SELECT is(now_possible(), :'yes', 'the block replaced');
SELECT is(there(), :'yes', 'there too');
SELECT ordcancel.drop_block('orders', 'flag');
SELECT ordcancel.attach('orders', status => 'status', policy_by => 'supplier', plain_updates => false);
SELECT is(now_possible(), 'ok, 23514 cancellation_forbidden', 'attached again without plain updates');
SELECT is(there(), 'ok, 23514 cancellation_forbidden', 'there too');
SELECT ordcancel.attach('orders', unset => '{plain_updates}');
SELECT ordcancel.set_policy('orders', policy => 's', canceled_status => 'canceled', copy_of => NULL);
UPDATE orders SET supplier = 's' WHERE id = 1;
SELECT is(now_possible(), :'no', 'a policy of its own without rules');
SELECT ordcancel.drop_policy('orders', 's');
SELECT is(now_possible(), :'yes', 'dropped: back to default');
UPDATE ordcancel.reason SET active = false WHERE code = 'out_of_stock';
SELECT is(attempt('SELECT ordcancel.cancel_order(''orders'', 1, ''out_of_stock'')'), 'OC006', 'a reason made inactive');
SELECT is(there('SELECT attempt(''SELECT ordcancel.cancel_order(''''orders'''', 1, ''''out_of_stock'''')'')'), 'OC006',
          'there too');
INSERT INTO ordcancel.reason (code, audience) VALUES ('sold', 'merchant');
SELECT is(attempt('SELECT ordcancel.cancel_order(''orders'', 4, ''sold'')'), 'ok', 'a new one');
SELECT is(there('SELECT attempt(''SELECT ordcancel.cancel_order(''''orders'''', 5, ''''sold'''')'')'), 'ok',
          'there too');

-- --------------------------------------------------- by a superuser's own hand

SELECT is(there(), :'yes', 'there it is known');
UPDATE ordcancel.rule SET merchant = 'forbid' WHERE orders = 'orders'::regclass;
SELECT is(now_possible(), :'no', 'UPDATE of the rules');
SELECT is(there(), :'no', 'there too');
UPDATE ordcancel.rule SET merchant = 'cancel' WHERE orders = 'orders'::regclass;
BEGIN;
DELETE FROM ordcancel.rule;
SELECT is(now_possible(), :'no', 'DELETE of them');
ROLLBACK;
SELECT is(now_possible(), :'yes', 'rolled back');
BEGIN;
TRUNCATE ordcancel.rule;
SELECT is(now_possible(), :'no', 'TRUNCATE of them');
ROLLBACK;
SELECT is(now_possible(), :'yes', 'rolled back');
BEGIN;
TRUNCATE ordcancel.policy, ordcancel.block;
SELECT isnt(left(now_possible(), 2), 'XX', 'no policy at all is no internal error');
ROLLBACK;
BEGIN;
TRUNCATE ordcancel.order_table;
SELECT is(now_possible(), 'OC001, OC001', 'guards that nobody knows of hold on');
ROLLBACK;
BEGIN;
TRUNCATE ordcancel.reason;
SELECT is(attempt('SELECT ordcancel.cancel_order(''orders'', 1, ''sold'')'), 'OC006', 'TRUNCATE of the reasons');
ROLLBACK;
SELECT is(there(), :'yes', 'there it is as it was');

-- Nothing is set up by what a transaction saw when it began.
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT is(attempt('SELECT ordcancel.attach(''orders'')'), '0A000', 'attach wants READ COMMITTED');
SELECT is(attempt('SELECT ordcancel.set_rule(''orders'', ''x'')'), '0A000', 'so does set_rule');
ROLLBACK;

-- ------------------------------------------------------- tables that are dropped

CREATE TABLE doomed (id integer PRIMARY KEY, status text);
SELECT ordcancel.attach('doomed', 'status');
SELECT ordcancel.set_policy('doomed', canceled_status => 'canceled');
SELECT 'doomed'::regclass::oid AS doomed \gset
SELECT is(attempt('DROP TABLE doomed'), 'ok', 'an attached table can be dropped');
SELECT is(attempt('SELECT ordcancel.cancel_order(' || :doomed || ', 1)'), 'OC001', 'it is not attached then');
SELECT is((SELECT count(*) FROM ordcancel.order_table WHERE orders = :doomed) + (SELECT count(*) FROM ordcancel.policy
            WHERE orders = :doomed), 0::bigint, 'nothing is left in the configuration');
SELECT is(attempt('SELECT ordcancel.detach(' || :doomed || ')'), 'OC001', 'and there is nothing to detach');
CREATE TABLE doomed (id integer PRIMARY KEY, status text);
SELECT is(attempt('SELECT ordcancel.attach(''doomed'', ''status'')'), 'ok', 'a new table of that name can be attached');
SELECT is((SELECT array_agg(relname::text ORDER BY relname) FROM pg_class WHERE relname ~ '^doomed_cancel'
             AND relkind = 'r'),
          '{doomed_cancellation,doomed_cancellation_event}', 'and empty records of the other are none');
INSERT INTO doomed VALUES (1, 'placed');
SELECT ordcancel.set_policy('doomed', canceled_status => 'canceled'),
       ordcancel.set_rule('doomed', 'placed', merchant => 'cancel'), ordcancel.cancel_order('doomed', 1);
DROP TABLE doomed;
CREATE TABLE doomed (id integer PRIMARY KEY, status text);
SELECT is(attempt('SELECT ordcancel.attach(''doomed'', ''status'')'), 'ok', 'once more');
SELECT is((SELECT array_agg(relname::text ORDER BY relname) FROM pg_class WHERE relname ~ '^doomed_cancel'
             AND relkind = 'r'),
          '{doomed_cancellation,doomed_cancellation_1,doomed_cancellation_event,doomed_cancellation_event_1}',
          'and what is recorded is moved aside');

-- --------------------------------------------- the extension goes and comes again

SELECT is(attempt('DROP EXTENSION ordcancel'), '2BP01', 'the extension does not go by itself');
DROP EXTENSION ordcancel CASCADE;
SELECT is(attempt('UPDATE orders SET status = ''free'' WHERE id = 1'), 'ok', 'with CASCADE the guards go');
SELECT is(there('SELECT attempt(''SELECT ordcancel.cancel_order(''''orders'''', 1)'')'), '3F000',
          'there the functions are gone');
CREATE EXTENSION ordcancel;
SELECT is(attempt('SELECT ordcancel.cancel_order(''orders'', 2)'), 'OC001', 'a new one knows nothing');
UPDATE orders SET status = 'placed';
SELECT is(attempt('SELECT shop()'), 'ok', 'attached again in the same session');
SELECT is(now_possible(), :'yes', 'and goes on');
SELECT is(there(), :'yes', 'there too');

SELECT dblink_disconnect('other');
SELECT * FROM finish();
