-- What an owner's code may leave behind, or take, in the session of whoever
-- calls; and what records, reports and errors tell to whom.
BEGIN;
SET LOCAL client_min_messages = error;
\ir include/helpers.sql
\ir include/attacks.sql
SELECT plan(35);

CREATE ROLE attack_owner;
CREATE ROLE attack_merchant;
CREATE ROLE attack_updater;
CREATE SCHEMA s AUTHORIZATION attack_owner;
GRANT USAGE ON SCHEMA s TO PUBLIC;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA ordcancel TO attack_owner;
SELECT ordcancel.grant_merchant('attack_merchant'), ordcancel.grant_customer('attack_merchant');

-- ------------------------------------------------ what is left in the session

-- A trigger tries each of these; the order is canceled all the same.
SET LOCAL ROLE attack_owner;
CREATE FUNCTION s.say(what text) RETURNS boolean LANGUAGE plpgsql
    AS 'BEGIN INSERT INTO public.ran VALUES (what); RETURN true; END';
CREATE TABLE s.attack (statement text);
CREATE FUNCTION s.attack() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    a text;
BEGIN
    FOR a IN SELECT statement FROM s.attack LOOP
        BEGIN
            EXECUTE a;
        EXCEPTION WHEN OTHERS THEN
            NULL;
        END;
    END LOOP;
    RETURN NEW;
END
$$;
CREATE TABLE s.orders (id integer PRIMARY KEY, status text, secret text);
CREATE TRIGGER attack BEFORE UPDATE ON s.orders FOR EACH ROW EXECUTE FUNCTION s.attack();
INSERT INTO s.orders SELECT n, 'placed' FROM generate_series(1, 60) AS n;
SELECT ordcancel.attach('s.orders', 'status'),
       ordcancel.set_policy('s.orders', canceled_status => 'canceled'),
       ordcancel.set_rule('s.orders', 'placed', customer => 'cancel', merchant => 'cancel');
GRANT SELECT ON s.orders TO attack_merchant;
INSERT INTO s.attack VALUES
    ('PREPARE p AS SELECT s.say(''prepared'')'),
    ('DECLARE held CURSOR WITH HOLD FOR SELECT s.say(''held'')'),
    ('CREATE TEMP TABLE pg_class (a int)'),
    ('CREATE TEMP VIEW pg_roles AS SELECT s.say(''view'')'),
    ('CREATE TEMP SEQUENCE pg_seq'),
    ('CREATE DOMAIN pg_temp.text AS pg_catalog.text CHECK (s.say(''domain''))'),
    ('CREATE TYPE pg_temp.name AS ENUM (''a'')'),
    ('CREATE TYPE pg_temp.oid AS (a int)'),
    ('CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS ''SELECT 1'''),
    ('LISTEN attack'),
    ('SET search_path = s'), ('SET LOCAL search_path = s'), ('SELECT set_config(''search_path'', ''s'', false)'),
    ('SET ordcancel.actor = ''ceo'''), ('SET ordcancel.clock = ''2001-01-01'''), ('SET ordcancel.reason = ''fraud'''),
    ('SET session_replication_role = replica'), ('SET row_security = off'), ('SET statement_timeout = 1'),
    ('SET ROLE postgres'), ('RESET ROLE'), ('SET SESSION AUTHORIZATION DEFAULT'),
    ('SET TRANSACTION READ ONLY'),
    ('DEALLOCATE ALL'), ('DISCARD ALL'), ('UNLISTEN *'), ('CLOSE ALL');
RESET ROLE;

-- What the session is like, as far as a caller could be made to trip on it.
CREATE FUNCTION session() RETURNS text LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
SELECT concat_ws(' | ', current_user, session_user,
    (SELECT string_agg(name, ',' ORDER BY name) FROM pg_prepared_statements),
    (SELECT string_agg(name, ',' ORDER BY name) FROM pg_cursors WHERE is_holdable),
    (SELECT string_agg(c, ',') FROM pg_listening_channels() AS c),
    (SELECT count(*) FROM pg_class WHERE relnamespace = pg_my_temp_schema()),
    (SELECT count(*) FROM pg_type WHERE typnamespace = pg_my_temp_schema()),
    (SELECT count(*) FROM pg_proc WHERE pronamespace = pg_my_temp_schema()),
    (SELECT md5(string_agg(name || setting, ',' ORDER BY name)) FROM pg_settings
     WHERE name NOT IN ('search_path', 'transaction_isolation')),
    current_setting('ordcancel.actor', true), current_setting('ordcancel.reason', true))
$$;
PREPARE mine AS SELECT 1;
CREATE TABLE before AS SELECT session() AS session, current_setting('search_path') AS path;
GRANT SELECT ON before TO PUBLIC;
SELECT is(attempt_with_deferred(statement), 'ok', statement)
FROM (VALUES ('SELECT ordcancel.cancel_order(''s.orders'', 1)'),
             ('SELECT ordcancel.cancel_orders(''s.orders'', ''{2,3}'')'),
             ('SELECT ordcancel.cancel_orders(''s.orders'', ''{4,5}'', on_error => ''abort'')')) AS v (statement);
SELECT is(session(), session, 'nothing is left in a superuser''s session') FROM before;
SELECT is(current_setting('search_path'), path, 'nor a search_path') FROM before;
SELECT is(attempt_as('attack_merchant', 'SELECT ordcancel.cancel_order(''s.orders'', 6)'), 'ok', 'a merchant');
SELECT is(session(), session, 'nor in a merchant''s') FROM before;
SELECT is(current_setting('search_path'), path, 'nor a search_path') FROM before;
SELECT is(run_by_all(), 'nothing', 'nothing of it ran');

-- Without a subtransaction of attempt() around it, and in a savepoint.
SELECT state FROM ordcancel.cancel_order('s.orders', 7);
SAVEPOINT a;
SELECT state FROM ordcancel.cancel_order('s.orders', 8);
RELEASE a;
SELECT is(session(), session, 'nor as a statement of its own') FROM before;

-- A cursor without hold stays to the end of the transaction.
SET LOCAL ROLE attack_owner;
DELETE FROM s.attack;
INSERT INTO s.attack VALUES ('DECLARE left_open CURSOR FOR SELECT s.say(''cursor'')');
RESET ROLE;
SELECT state FROM ordcancel.cancel_order('s.orders', 9);
SELECT todo('PostgreSQL lets any function reach the cursors of its session, see doc/security.md', 1);
SELECT is((SELECT count(*) FROM pg_cursors WHERE name = 'left_open'), 0::bigint,
          'nor a cursor that the caller could fetch from');
CLOSE ALL;

-- SET CONSTRAINTS holds for the rest of the transaction, and for everybody's.
CREATE TABLE own (id integer UNIQUE DEFERRABLE INITIALLY IMMEDIATE);
CREATE TABLE own_late (id integer);
CREATE FUNCTION own_late() RETURNS trigger LANGUAGE plpgsql
    AS 'BEGIN INSERT INTO public.ran VALUES (''the caller''''s own trigger''); RETURN NULL; END';
CREATE CONSTRAINT TRIGGER own_late AFTER INSERT ON own_late DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION own_late();
SET LOCAL ROLE attack_owner;
UPDATE s.attack SET statement = 'SET CONSTRAINTS ALL DEFERRED';
RESET ROLE;
SET CONSTRAINTS ALL IMMEDIATE;   -- statements of our own have fired that trigger as well
SAVEPOINT b;
SELECT state FROM ordcancel.cancel_order('s.orders', 10);
SELECT is(attempt('INSERT INTO own VALUES (1), (1)'), '23505 own_id_key',
          'a constraint of the caller''s is checked when it was');
ROLLBACK TO b;
SET LOCAL ROLE attack_owner;
UPDATE s.attack SET statement = 'SET CONSTRAINTS ALL IMMEDIATE';
RESET ROLE;
SAVEPOINT c;
INSERT INTO own_late VALUES (1);
SELECT state FROM ordcancel.cancel_order('s.orders', 10);
SELECT is(run_by_others('postgres'), 'nothing', 'what the caller has deferred does not run as the owner');
ROLLBACK TO c;

-- ------------------------------------------------------ what the caller has open

CREATE TABLE secret (word text);
INSERT INTO secret SELECT 'word ' || n FROM generate_series(1, 30) AS n;
SET LOCAL ROLE attack_owner;
CREATE FUNCTION s.steal() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    c refcursor;
    r record;
    n text;
BEGIN
    FOR n IN SELECT name FROM pg_catalog.pg_cursors LOOP
        c := n;
        FETCH c INTO r;
        IF r::text LIKE '%word%' THEN
            INSERT INTO public.ran VALUES ('stole ' || r::text);
        END IF;
    END LOOP;
END
$$;
UPDATE s.attack SET statement = 'SELECT s.steal()';
RESET ROLE;
DECLARE mine CURSOR FOR SELECT word FROM secret;
SELECT state FROM ordcancel.cancel_order('s.orders', 11);
SELECT todo('PostgreSQL lets any function reach the cursors of its session, see doc/security.md', 1);
SELECT is(run_by_all(), 'nothing', 'no row of the caller''s cursor is the owner''s to fetch');
CLOSE mine;
DO $$
DECLARE
    r record;
    rows integer := 0;
BEGIN
    FOR r IN SELECT word FROM secret LOOP
        PERFORM ordcancel.cancel_order('s.orders', 30 + rows);
        rows := rows + 1;
    END LOOP;
    INSERT INTO public.ran VALUES ('rows: ' || rows);
END
$$;
SELECT todo('PostgreSQL lets any function reach the cursors of its session, see doc/security.md', 1);
SELECT is(run_by_all(), 'rows: 30 by postgres', 'nor of its loops');
SET LOCAL ROLE attack_owner;
DELETE FROM s.attack;
RESET ROLE;

-- --------------------------------------------------------- what it tells to whom

-- NOTIFY needs no privilege to hear.
SELECT is(attempt('SELECT ordcancel.attach(''s.orders'', ''status'', notify_payload => ''id'')'), 'ok',
          'the payload can be the id alone');
SELECT is((SELECT notify_payload FROM ordcancel.order_table WHERE orders = 's.orders'::regclass), 'id', 'and is noted');

-- With row security a merchant sees order 20 alone.
SET LOCAL ROLE attack_owner;
UPDATE s.orders SET secret = 'x' WHERE id = 21;
ALTER TABLE s.orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON s.orders TO attack_merchant USING (id = 20);
RESET ROLE;
CALL ordcancel.cancel_batch('s.orders', 'id = 21 AND secret = ''x''', 'other', 'a note of the back office', 'bob',
                            dry_run => true);
SELECT state FROM ordcancel.cancel_order('s.orders', 22, 'other', 'about 22');
SET LOCAL ROLE attack_owner;
SELECT ordcancel.set_policy('s.orders', requested_status => 'asked'),
       ordcancel.set_rule('s.orders', 'placed', customer => 'request');
RESET ROLE;
SELECT state FROM ordcancel.request_cancel('s.orders', 23, 'other', 'about 23');
SET LOCAL ROLE attack_merchant;
SELECT is((SELECT count(*) FROM ordcancel.batch_progress WHERE orders = 's.orders'::regclass
           AND coalesce(condition, note, actor, error) IS NOT NULL), 0::bigint,
          'batch_progress keeps condition, note and actor from who does not see all orders');
SELECT is((SELECT count(*) FROM ordcancel.batch_summary WHERE example IS NOT NULL), 0::bigint,
          'batch_summary names no order');
SELECT is((SELECT count(*) FROM ordcancel.batch_refused), 0::bigint, 'batch_refused shows none');
SELECT is((SELECT count(*) FROM ordcancel.pending_requests), 0::bigint, 'nor does pending_requests');
SELECT is(attempt('SELECT * FROM ordcancel.cancellation'), '42501', 'the records themselves are not to be read');
SELECT is(attempt('SELECT * FROM s.orders_cancellation'), '42501', 'nor those of the table');
SELECT is(attempt('SELECT * FROM ordcancel.batch'), '42501', 'nor the batches');
SELECT is(attempt('SELECT ordcancel.cancel_order(''s.orders'', 21)'), 'OC002',
          'an order that is not seen is not found');
SELECT is(attempt('SELECT * FROM ordcancel.cancel_options(''s.orders'', 21)'), 'OC002', 'nor has it options');
SELECT is((SELECT string_agg(outcome || ' ' || sqlstate, ',') FROM ordcancel.cancel_orders('s.orders', '{21,999}')),
          'refused OC002,refused OC002', 'nor is it told from one that is not there');
SELECT is(attempt('SELECT ordcancel.cancel_order(''s.orders'', 20)'), 'ok', 'the one that is seen is canceled');
RESET ROLE;
SELECT is((SELECT count(*) FROM ordcancel.batch_progress WHERE note IS NOT NULL), 1::bigint,
          'who sees all orders sees the note');

-- A refusal names key and status only to who may read them.
SET LOCAL ROLE attack_owner;
ALTER TABLE s.orders DISABLE ROW LEVEL SECURITY;
INSERT INTO s.orders VALUES (77, 'secret_status');
GRANT UPDATE, DELETE ON s.orders TO attack_updater;
GRANT SELECT ON s.attack TO attack_updater;
RESET ROLE;
DELETE FROM s.orders WHERE id = -1;
ALTER TABLE s.orders DISABLE TRIGGER "!ordcancel_guard_delete";
DELETE FROM s.orders WHERE id <> 77;
ALTER TABLE s.orders ENABLE TRIGGER "!ordcancel_guard_delete";
SET LOCAL ROLE attack_updater;
SELECT alike(error_of('UPDATE s.orders SET status = ''canceled'''), '23514%',
             'an UPDATE is refused to one without SELECT');
SELECT unalike(error_of('UPDATE s.orders SET status = ''canceled'''), '%secret_status%', 'without the status');
SELECT unalike(error_of('UPDATE s.orders SET status = ''canceled'''), '%77%', 'and the key');
SELECT unalike(error_of('DELETE FROM s.orders'), '%secret_status%', 'so is a DELETE');
SELECT unalike(error_of('DELETE FROM s.orders'), '%77%', 'without the key');
RESET ROLE;
SELECT alike(error_of('UPDATE s.orders SET status = ''canceled'''), '%77%secret_status%',
             'who may read them is told both');

SELECT * FROM finish();
ROLLBACK;
