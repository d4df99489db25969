-- What the owner of an order table wrote (conditions, triggers, casts, checks)
-- runs as that owner: not as the superuser who configures, not as the customer
-- who calls; and a customer cannot put anything of its own in its place.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
SELECT plan(43);

CREATE ROLE code_owner;
CREATE ROLE code_customer;
CREATE SCHEMA shop AUTHORIZATION code_owner;
GRANT USAGE ON SCHEMA shop TO code_customer;
CREATE SCHEMA evil AUTHORIZATION code_customer;
DO $$
DECLARE
    f regprocedure;
BEGIN
    FOR f IN SELECT oid FROM pg_proc
             WHERE pronamespace = 'ordcancel'::regnamespace AND proname !~ '^_|override|sweep' LOOP
        EXECUTE format('GRANT EXECUTE ON ROUTINE %s TO code_owner', f);
    END LOOP;
END
$$;
SELECT ordcancel.grant_customer('code_customer');

-- Who ran what. No role but the expected one may ever stand here.
CREATE TABLE ran (what text, role name DEFAULT current_user);
GRANT INSERT ON ran TO PUBLIC;
CREATE FUNCTION ran() RETURNS text LANGUAGE sql AS $$
WITH gone AS (DELETE FROM ran RETURNING *)
SELECT coalesce(string_agg(DISTINCT what || ' by ' || role, ', ' ORDER BY what || ' by ' || role), 'nothing') FROM gone
$$;
CREATE FUNCTION shop.say(what text) RETURNS void LANGUAGE sql AS 'INSERT INTO public.ran VALUES ($1)';
ALTER FUNCTION shop.say OWNER TO code_owner;

-- ------------------------------------------- a table full of the owner's code

SET LOCAL ROLE code_owner;
SET LOCAL search_path = shop, public;
CREATE TYPE word AS ENUM ('placed', 'shipped', 'canceled', 'asked');
CREATE FUNCTION word_text(word) RETURNS text LANGUAGE plpgsql IMMUTABLE
    AS $$ BEGIN PERFORM shop.say('cast of status'); RETURN 'odd'; END $$;
CREATE CAST (word AS text) WITH FUNCTION word_text(word);
CREATE FUNCTION checked(text) RETURNS boolean LANGUAGE plpgsql
    AS $$ BEGIN PERFORM shop.say('check of status'); RETURN $1 <> 'bad'; END $$;
CREATE DOMAIN status_word AS text CHECK (checked(value));
CREATE FUNCTION checked(integer) RETURNS boolean LANGUAGE plpgsql
    AS $$ BEGIN PERFORM shop.say('check of key'); RETURN $1 > 0; END $$;
CREATE DOMAIN order_no AS integer CHECK (checked(value));
CREATE TYPE pair AS (a status_word);
CREATE FUNCTION is_stopped(integer) RETURNS boolean LANGUAGE plpgsql STABLE
    AS $$ BEGIN PERFORM shop.say('condition'); RETURN EXISTS (SELECT FROM stopped WHERE order_id = $1); END $$;
CREATE FUNCTION due(numeric) RETURNS numeric LANGUAGE plpgsql STABLE
    AS $$ BEGIN PERFORM shop.say('refund_due'); RETURN $1; END $$;
CREATE FUNCTION constant() RETURNS boolean LANGUAGE plpgsql IMMUTABLE
    AS $$ BEGIN PERFORM shop.say('immutable function'); RETURN false; END $$;
CREATE FUNCTION wrote() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN INSERT INTO journal VALUES (NEW.id, NEW.status); PERFORM say('trigger'); RETURN NEW; END $$;
CREATE TABLE stopped (order_id integer);
CREATE TABLE journal (order_id integer, status text);
CREATE TABLE by_enum (id integer PRIMARY KEY, status word);
CREATE TABLE orders (id order_no PRIMARY KEY, status status_word, total numeric, flagged integer DEFAULT 0);
CREATE TRIGGER wrote BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION wrote();
INSERT INTO by_enum VALUES (1, 'placed'), (2, 'placed');
INSERT INTO orders SELECT n, 'placed', 0 FROM generate_series(1, 30) AS n;
INSERT INTO stopped VALUES (20);
GRANT SELECT ON orders, by_enum TO code_customer;
SET LOCAL search_path = public;
RESET ROLE;
SELECT ran();

-- Once by the owner, once by a superuser.
CREATE TABLE step (n integer GENERATED ALWAYS AS IDENTITY, statement text);
INSERT INTO step (statement) VALUES
    ('SELECT ordcancel.attach(''shop.by_enum'', ''status'')'),
    ('SELECT ordcancel.set_policy(''shop.by_enum'', canceled_status => ''canceled'')'),
    ('SELECT ordcancel.set_rule(''shop.by_enum'', ''placed'', merchant => ''cancel'')'),
    ('SELECT ordcancel.attach(''shop.orders'', ''status'', refund_due => ''shop.due(total)'')'),
    ('SELECT ordcancel.attach(''shop.orders'', ''status'', refund_due => ''CASE WHEN constant() THEN '
     'length((''''(x)''''::pair).a) ELSE due(total) END'')'),
    ('SELECT ordcancel.set_policy(''shop.orders'', requested_status => ''asked'', canceled_status => ''canceled'')'),
    ('SELECT ordcancel.set_rule(''shop.orders'', ''placed'', customer => ''cancel'', merchant => ''cancel'')'),
    ('SELECT ordcancel.add_block(''shop.orders'', ''stopped'', ''is_stopped(id) OR constant()'')'),
    ('SELECT ordcancel.add_block(''shop.orders'', ''flagged'', ''flagged = 1'')');
SET LOCAL search_path = shop, public;
SELECT is(attempt_as('code_owner', statement), 'ok', 'the owner: ' || statement) FROM step ORDER BY n;
SELECT is((SELECT count(*) FROM ran WHERE role <> 'code_owner'), 0::bigint, 'nothing ran as another');
SELECT ran();
SELECT is(attempt(statement), 'ok', 'a superuser: ' || statement) FROM step ORDER BY n;
SELECT is((SELECT count(*) FROM ran WHERE role <> 'code_owner'), 0::bigint,
          'nothing of the owner''s ran as the superuser');
SET LOCAL search_path = public;
SELECT ran();

-- ---------------------------------------------------------------- the verbs

SELECT is(attempt_as('code_customer', 'SELECT ordcancel.request_cancel(''shop.orders'', 1)'), 'ok', 'a customer calls');
SELECT is(ran(), 'check of key by code_owner, check of status by code_owner, condition by code_owner, '
                 'immutable function by code_owner, refund_due by code_owner, trigger by code_owner',
          'everything of the owner''s ran as the owner');
SELECT is(attempt('SELECT ordcancel.cancel_order(''shop.orders'', ''2'')'), 'ok', 'a superuser calls');
SELECT is(ran(), 'check of key by code_owner, check of status by code_owner, condition by code_owner, '
                 'immutable function by code_owner, refund_due by code_owner, trigger by code_owner',
          'and nothing ran as the superuser');
SELECT is(attempt_as('code_customer', 'SELECT * FROM ordcancel.cancel_options(''shop.orders'', ''3'')'), 'ok',
          'cancel_options');
SELECT unalike(ran(), '%code_customer%', 'the same there');
SELECT is((SELECT array_agg(order_id) FROM shop.journal), '{1,2}', 'the owner''s trigger wrote where the owner meant');

-- ------------------------------------------------------- a customer who hijacks

SET LOCAL ROLE code_customer;
CREATE TABLE evil.stopped (order_id integer);
CREATE TABLE evil.journal (order_id integer, status text);
CREATE TEMP TABLE stopped (order_id integer);
CREATE TEMP TABLE journal (order_id integer, status text);
CREATE FUNCTION evil.say(text) RETURNS void LANGUAGE sql AS 'INSERT INTO public.ran VALUES (''hijacked'')';
CREATE FUNCTION evil.is_stopped(integer) RETURNS boolean LANGUAGE sql AS 'SELECT false';
CREATE FUNCTION evil.constant() RETURNS boolean LANGUAGE sql AS 'SELECT false';
CREATE FUNCTION evil.due(numeric) RETURNS numeric LANGUAGE sql AS 'SELECT 0.0';
CREATE FUNCTION evil.never(integer, integer) RETURNS boolean LANGUAGE plpgsql
    AS $$ BEGIN INSERT INTO public.ran VALUES ('hijacked'); RETURN false; END $$;
CREATE OPERATOR evil.= (LEFTARG = integer, RIGHTARG = integer, FUNCTION = evil.never);
GRANT ALL ON evil.stopped, evil.journal, pg_temp.stopped, pg_temp.journal TO PUBLIC;
GRANT USAGE ON SCHEMA evil TO PUBLIC;
RESET ROLE;
SET LOCAL search_path = shop, public, pg_temp;
UPDATE shop.orders SET flagged = 1 WHERE id = 21;
DELETE FROM shop.journal WHERE order_id = 21;
SET LOCAL search_path = public;
SELECT ran();
CREATE FUNCTION hijack(path text, id integer) RETURNS text LANGUAGE sql SET search_path = public AS $$
SELECT attempt_as('code_customer',
                  format('SET LOCAL search_path = %s; SELECT ordcancel.request_cancel(''shop.orders'', %s)', path, id))
$$;
SELECT is(hijack(path, 20), 'OC005', format('the owner''s table is read with search_path %s', path))
FROM unnest(ARRAY['evil, pg_catalog', 'pg_temp, evil, pg_catalog, shop', '''''', 'shop, public', 'nowhere']) AS path;
SELECT is(hijack('evil, pg_catalog', 21), 'OC005', 'operators are the owner''s');
SELECT is(hijack('pg_temp, evil, pg_catalog', 10), 'ok', 'what the rules allow goes through');
SET LOCAL search_path = public;
SELECT is((SELECT count(*) FROM ran WHERE what = 'hijacked' OR role <> 'code_owner'), 0::bigint,
          'nothing of the customer''s ran');
SELECT is((SELECT count(*) FROM shop.journal WHERE order_id = 10), 1::bigint, 'the trigger wrote the owner''s table');
SELECT is((SELECT count(*) FROM evil.journal) + (SELECT count(*) FROM pg_temp.journal), 0::bigint, 'and no other');
SELECT ran();

-- ------------------------------------------- an owner whose code does more

-- A check that sets the search_path of whoever is to go on, and tries for more.
SET LOCAL ROLE code_owner;
CREATE FUNCTION shop.try(statement text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    PERFORM shop.say('got ' || statement);
EXCEPTION WHEN OTHERS THEN
    PERFORM shop.say('refused ' || SQLSTATE);
END
$$;
CREATE FUNCTION shop.checked2(text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM shop.try('SET ROLE postgres'), shop.try('RESET ROLE'), shop.try('SET SESSION AUTHORIZATION DEFAULT');
    PERFORM set_config('search_path', 'shop, pg_catalog', false);
    RETURN true;
END
$$;
CREATE DOMAIN shop.word2 AS text CHECK (shop.checked2(value));
CREATE FUNCTION shop.texteq2(text, text) RETURNS boolean LANGUAGE plpgsql
    AS $$ BEGIN PERFORM shop.say('operator'); RETURN pg_catalog.texteq($1, $2); END $$;
CREATE OPERATOR shop.= (LEFTARG = text, RIGHTARG = text, FUNCTION = shop.texteq2);
CREATE TABLE shop.second (id integer PRIMARY KEY, status shop.word2);
INSERT INTO shop.second VALUES (1, 'placed'), (2, 'placed');
GRANT SELECT ON shop.second TO code_customer;
SET LOCAL search_path = public;
DELETE FROM public.ran;
RESET ROLE;
SELECT ran();
SELECT is(attempt('SELECT ordcancel.attach(''shop.second'', ''status'')'), 'ok', 'a superuser attaches it');
SELECT is(attempt('SELECT ordcancel.set_policy(''shop.second'', requested_status => ''asked'', canceled_status => '
                  '''canceled'')'),
          'ok', 'and sets its policy');
SELECT is(attempt('SELECT ordcancel.set_rule(''shop.second'', ''placed'', customer => ''cancel'', merchant => '
                  '''cancel'')'), 'ok',
          'and a rule');
SELECT is(attempt('SELECT ordcancel.cancel_order(''shop.second'', 1)'), 'ok', 'and cancels an order');
SELECT is(ran(), 'refused 42501 by code_owner',
          'roles are out of reach, and no operator of the owner''s ran as the superuser');
SELECT is(current_setting('search_path'), 'public', 'the search_path is what it was');

SELECT * FROM finish();
ROLLBACK;
