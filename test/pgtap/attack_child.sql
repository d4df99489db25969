-- A child table whose owner is not that of the orders: whoever writes, the
-- expressions run as the owner of the child, and the key of the order is read as
-- the owner of the orders. Neither gets the rights of the other, or of the writer.
BEGIN;
SET LOCAL client_min_messages = error;
\ir include/helpers.sql
\ir include/attacks.sql
SELECT plan(34);

CREATE ROLE attack_orders;
CREATE ROLE attack_child;
CREATE ROLE attack_both IN ROLE attack_orders, attack_child;
CREATE ROLE attack_writer;
CREATE ROLE attack_other;
CREATE SCHEMA o AUTHORIZATION attack_orders;
CREATE SCHEMA c AUTHORIZATION attack_child;
CREATE SCHEMA w AUTHORIZATION attack_writer;
GRANT USAGE ON SCHEMA o, c TO PUBLIC;
GRANT CREATE ON SCHEMA c TO attack_other;
SELECT ordcancel.grant_owner(r) FROM unnest('{attack_orders,attack_child,attack_both}'::regrole[]) AS r;

-- What each owner's code does with any right that it gets.
CREATE FUNCTION say(what text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.ran VALUES (what);
    IF (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN
        ALTER ROLE attack_child SUPERUSER;
    END IF;
    RETURN true;
END
$$;

SET LOCAL ROLE attack_orders;
CREATE DOMAIN o.number AS integer CHECK (public.say('check of key') AND VALUE > 0);
CREATE TABLE o.orders (id o.number PRIMARY KEY, status text);
INSERT INTO o.orders SELECT n, 'placed' FROM generate_series(1, 9) AS n;
SET LOCAL search_path = o;
SELECT ordcancel.attach('o.orders', 'status'), ordcancel.set_policy('o.orders', canceled_status => 'canceled'),
       ordcancel.set_rule('o.orders', 'placed', merchant => 'cancel');
SET LOCAL search_path = public;
RESET ROLE;
SELECT (ordcancel.cancel_order('o.orders', 4)).state;

SET LOCAL ROLE attack_child;
CREATE TABLE c.payment (id integer, order_id integer, state text);
CREATE TABLE c.shipment (id integer, state text);
CREATE TABLE c.link (shipment integer, order_id integer);
INSERT INTO c.link VALUES (1, 1), (4, 4);
GRANT SELECT, INSERT, UPDATE ON c.payment, c.shipment TO attack_writer, attack_orders;
CREATE TABLE c.trap (n integer);
GRANT INSERT ON c.trap TO PUBLIC;
CREATE FUNCTION c.trapped() RETURNS trigger LANGUAGE plpgsql
    AS 'BEGIN PERFORM public.say(''deferred trigger''); RETURN NULL; END';
CREATE CONSTRAINT TRIGGER trapped AFTER INSERT ON c.trap DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION c.trapped();
CREATE FUNCTION c.is_final(state text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM public.say('condition');
    INSERT INTO c.trap VALUES (1);
    RETURN state = 'final';
END
$$;
CREATE FUNCTION c.order_of(shipment integer) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    PERFORM public.say('key');
    RETURN (SELECT order_id FROM c.link AS l WHERE l.shipment = order_of.shipment);
END
$$;
RESET ROLE;

SELECT run_by_all();

-- --------------------------------------------------------------- who sets it up

SELECT is(attempt_as(role, $$SELECT ordcancel.attach_child('c.payment', 'o.orders', '{order_id}',
                                                           refuse_when => 'c.is_final(state)')$$), wanted,
          'attach_child by ' || role)
FROM (VALUES ('attack_child'::name, '42501'), ('attack_orders', '42501'), ('attack_both', 'ok')) AS v (role, wanted);
SELECT is(attempt_as('attack_both', $$SELECT ordcancel.attach_child('c.shipment', 'o.orders', refuse_when =>
              'c.is_final(state)', key_expression => 'c.order_of(id)')$$), 'ok', 'with a key_expression');
SELECT is(run_by_all(), 'nothing', 'that analyzes the expressions, and runs none');

-- ------------------------------------------------------------------ who runs what

SELECT is(attempt_with_deferred('INSERT INTO c.payment VALUES (1, 1, ''final''), (2, 1, ''new'')'), 'ok',
          'a superuser writes a payment');
SELECT is(run_by_all(), 'check of key by attack_orders, condition by attack_child, deferred trigger by attack_child',
          'each owner''s code runs as that owner');
SELECT is(attempt_with_deferred('INSERT INTO c.shipment VALUES (1, ''final''), (2, ''new'')'), 'ok',
          'a superuser writes a shipment');
SELECT is(run_by_all(), 'check of key by attack_orders, condition by attack_child, deferred trigger by attack_child, '
          'key by attack_child', 'and so does the key');
SELECT is(attempt_as(role, statement), wanted, role || ': ' || statement)
       || E'\n' || is(run_by_all(), runs, 'runs each as its owner')
FROM (VALUES ('attack_writer'::name, 'UPDATE c.payment SET state = ''final''', 'ok',
              'check of key by attack_orders, condition by attack_child, deferred trigger by attack_child'),
             ('attack_writer', 'UPDATE c.payment SET order_id = 4', '23514 order_is_canceled', 'nothing'),
             ('attack_orders', 'UPDATE c.payment SET order_id = 2', 'ok',
              'check of key by attack_orders, condition by attack_child, deferred trigger by attack_child'),
             ('attack_orders', 'INSERT INTO c.shipment VALUES (5, ''final'')', 'ok',
              'condition by attack_child, deferred trigger by attack_child, key by attack_child'))
         AS v (role, statement, wanted, runs);
SELECT is((SELECT bool_or(rolsuper) FROM pg_roles WHERE rolname ~ '^attack'), false, 'nobody became a superuser');

-- What the code may not do, because the writer's session would be left with it.
SET LOCAL ROLE attack_child;
CREATE FUNCTION c.tries(statement text) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN EXECUTE statement; RETURN true; END';
RESET ROLE;
SELECT ordcancel.attach_child('c.payment', 'o.orders', '{order_id}', refuse_when => 'c.tries(state)');
SELECT is(attempt(format('INSERT INTO c.payment VALUES (1, 1, %L)', statement)), '42501', statement)
FROM unnest(ARRAY['SET ROLE postgres', 'RESET ROLE', 'SET SESSION AUTHORIZATION DEFAULT', 'CREATE TEMP TABLE x ()',
                  'ALTER TABLE o.orders DISABLE TRIGGER ALL',
                  'SELECT ordcancel.attach_child(''c.payment'', ''o.orders'', ''{order_id}'')',
                  'UPDATE ordcancel.child SET refuse_when = NULL']) AS statement;
SELECT is(attempt('INSERT INTO c.payment VALUES (1, 1, ''ALTER TABLE c.payment DROP COLUMN state'')'), '55006',
          'nor change the table that is written');
SELECT is(attempt('INSERT INTO c.payment VALUES (1, 1, ''SET search_path = w'')') || current_setting('search_path'),
          'okpublic', 'settings are reset');

-- ---------------------------------------------------------------- names in functions

-- Without a schema, a name in a function means what it meant for attach_child(): not
-- what it means to the writer, or to the owner of the orders.
SET LOCAL ROLE attack_child;
CREATE FUNCTION c.helper(text) RETURNS boolean LANGUAGE sql AS 'SELECT public.say(''helper of the child'')';
CREATE FUNCTION c.asks(state text) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN helper(state); END';
SET LOCAL ROLE attack_orders;
CREATE FUNCTION o.helper(text) RETURNS boolean LANGUAGE sql AS 'SELECT public.say(''helper of the orders'')';
SET LOCAL ROLE attack_writer;
CREATE FUNCTION w.helper(text) RETURNS boolean LANGUAGE sql AS 'SELECT public.say(''helper of the writer'')';
RESET ROLE;
GRANT USAGE ON SCHEMA w TO PUBLIC;
SET LOCAL search_path = c;
SELECT ordcancel.attach_child('c.payment', 'o.orders', '{order_id}', refuse_when => 'asks(state)');
SET LOCAL search_path = w, public;
SELECT public.run_by_all();
SELECT public.is(public.attempt('INSERT INTO c.payment VALUES (1, 1, ''x'')') || ' ' || public.run_by_all(),
                 'ok check of key by attack_orders, helper of the child by attack_child', 'the child''s own function');
SET LOCAL search_path = public;

-- A function with better matching arguments, created later by a role that may
-- create functions in the schema.
SET LOCAL ROLE attack_child;
CREATE FUNCTION c.is_large(bigint) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 > 10';
RESET ROLE;
SELECT ordcancel.attach_child('c.payment', 'o.orders', '{order_id}',
                              refuse_when => 'c.is_large(id) AND c.is_large(99)');
SELECT is(attempt('INSERT INTO c.payment VALUES (11, 4, ''x'')'), '23514 order_is_canceled', 'it is large');
SELECT run_by_all();
SET LOCAL ROLE attack_other;
CREATE FUNCTION c.is_large(integer) RETURNS boolean LANGUAGE plpgsql IMMUTABLE
    AS 'BEGIN PERFORM public.say(''another is_large''); RETURN false; END';
RESET ROLE;
DISCARD PLANS;
SELECT is(attempt('INSERT INTO c.payment VALUES (11, 4, ''x'')') || ' ' || run_by_all(),
          '23514 order_is_canceled nothing', 'is not called');
SELECT is((SELECT string_agg(h.problem || ' | ' || h.detail || ' | ' || h.hint, E'\n')
           FROM ordcancel.health('o.orders') AS h WHERE h.problem LIKE 'child%'),
          'child_expression_fails | refuse_when of guard "default" of c.payment would call functions other than when '
          'it was set: c.is_large(integer). | Review them, and set it again: SELECT '
          'ordcancel.attach_child(''c.payment'', ''o.orders'', key => ''{order_id}'', refuse_when => ...);',
              'as health() says');
SELECT is(run_by_all(), 'nothing', 'which does not run it either');

-- A table that the owner of the child may not read is noticed at once.
SELECT is(error_of($$SELECT ordcancel.attach_child('c.payment', 'o.orders', '{order_id}',
              refuse_when => 'EXISTS (SELECT FROM public.ran WHERE what = state)')$$, 'sqlstate', 'detail'),
          'OC014 | Permission denied for table ran.', 'a table that the owner of the child may not read');
CREATE TEMP TABLE passing (id integer);
SELECT is(attempt($$SELECT ordcancel.attach_child('c.payment', 'o.orders', '{order_id}',
              refuse_when => 'EXISTS (SELECT FROM passing)')$$), 'OC014', 'a temporary table');

SELECT * FROM finish();
ROLLBACK;
