-- Somebody may create in a schema of the owner's search_path: no operator,
-- function, type, cast or collation of theirs takes the place of what was
-- meant, and nothing of theirs runs as the owner, or as who calls.
BEGIN;
SET LOCAL client_min_messages = error;
\ir include/helpers.sql
\ir include/attacks.sql
SELECT plan(29);

CREATE ROLE attack_owner;
CREATE ROLE attack_creator;
CREATE SCHEMA s AUTHORIZATION attack_owner;
CREATE SCHEMA shared;
GRANT USAGE, CREATE ON SCHEMA shared TO PUBLIC;
GRANT USAGE ON SCHEMA s TO PUBLIC;
GRANT CREATE ON SCHEMA public TO attack_creator;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO attack_creator', current_database()); END $$;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA ordcancel TO attack_owner;
SELECT ordcancel.grant_customer('attack_creator');

-- A shop of the owner's, and one of a superuser's, with shared on the path.
CREATE FUNCTION make(what text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TABLE s.%1$I (id integer PRIMARY KEY, status text, total numeric, paid numeric,
                                         flag varchar(9), day date);
                    INSERT INTO s.%1$I SELECT n, ''placed'', 100, 200, ''stop'', now()::date
                    FROM generate_series(1, 30) AS n;
                    GRANT SELECT ON s.%1$I TO PUBLIC;', what);
END
$$;
SET LOCAL ROLE attack_owner;
SET LOCAL search_path = "$user", shared, s, public;
SELECT public.make('orders');
CREATE FUNCTION s.limit_of(text) RETURNS numeric LANGUAGE sql STABLE AS 'SELECT 100.0';
CREATE TYPE s.kind AS ENUM ('stop', 'go');
SELECT ordcancel.attach('s.orders', 'status', refund_due => 'paid - total'),
       ordcancel.set_policy('s.orders', canceled_status => 'canceled'),
       ordcancel.set_rule('s.orders', 'placed', customer => 'cancel', merchant => 'cancel'),
       ordcancel.add_block('s.orders', 'big', 'paid > 100 AND id > 10'),
       ordcancel.add_block('s.orders', 'flag',
                           'flag = ''stop'' AND upper(flag) LIKE ''S%'' AND id IN (6, 7) AND id BETWEEN 5 AND 9'),
       ordcancel.add_block('s.orders', 'limit', 'limit_of(flag) < paid AND id = 5'),
       ordcancel.add_block('s.orders', 'kind', 'flag::kind = ''stop'' AND id = 4'),
       ordcancel.add_block('s.orders', 'set',
                           'id = 3 AND (flag, id) IS DISTINCT FROM (''x'', 0) AND flag COLLATE "C" < ''t'''
                           ' AND coalesce(nullif(flag, ''''), ''x'') = ANY (ARRAY[''stop''])');
RESET ROLE;
SET LOCAL search_path = "$user", shared, s, public;
SELECT public.make('owned');
SELECT ordcancel.attach('s.owned', 'status', refund_due => 'paid - total'),
       ordcancel.set_policy('s.owned', canceled_status => 'canceled', requested_status => 'asked',
                            decision_timeout => '0', on_timeout => 'accept'),
       ordcancel.set_rule('s.owned', 'placed', customer => 'cancel', merchant => 'cancel'),
       ordcancel.add_block('s.owned', 'big', 'paid > 100 AND id > 10');
SET LOCAL search_path = public;

-- Everything that could be a better match, in each schema that will do.
SET LOCAL ROLE attack_creator;
CREATE SCHEMA attack_owner;
GRANT USAGE ON SCHEMA attack_owner TO PUBLIC;
CREATE FUNCTION public.plant(schema text) RETURNS void LANGUAGE plpgsql AS $plant$
DECLARE
    op text;
    l text;
    r text;
BEGIN
    FOREACH op IN ARRAY '{=,<>,<,>,<=,>=,~~,-}'::text[] LOOP
        FOR l, r IN VALUES ('numeric', 'integer'), ('numeric', 'numeric'), ('integer', 'integer'), ('text', 'text'),
                           ('varchar', 'text'), ('varchar', 'varchar'), ('text', 'varchar'), ('regclass', 'integer'),
                           ('regclass', 'oid'), ('oid', 'integer'), ('regclass', 'regclass'), ('record', 'record'),
                           ('s.kind', 's.kind'), ('varchar', 'unknown_text'), ('name', 'text'), ('bigint', 'integer'),
                           ('ordcancel.order_table.orders%TYPE', 'integer'),
                           ('ordcancel.order_table.orders%TYPE', 'regclass'),
                           ('ordcancel.order_table.orders%TYPE', 'ordcancel.order_table.orders%TYPE'),
                           ('ordcancel.order_table.orders%TYPE', 'oid') LOOP
            BEGIN
                EXECUTE format('CREATE FUNCTION %1$s.%2$I(a %3$s, b %4$s) RETURNS %5$s LANGUAGE plpgsql AS'
                               ' $f$ BEGIN INSERT INTO public.ran VALUES (%6$L); RETURN NULL; END $f$;'
                               'CREATE OPERATOR %1$s.%7$s (LEFTARG = %3$s, RIGHTARG = %4$s, FUNCTION = %1$s.%2$I)',
                               schema, 'op' || md5(op || l || r), l, r, CASE op WHEN '-' THEN 'numeric'
                                   ELSE 'boolean' END,
                               format('operator %s (%s, %s)', op, l, r), op);
            EXCEPTION WHEN undefined_object OR feature_not_supported OR invalid_function_definition
                OR duplicate_function THEN
                NULL;
            END;
        END LOOP;
    END LOOP;
    FOREACH op IN ARRAY '{upper,lower,limit_of,format,string_agg,coalesce_of,count,now,rtrim,numeric,text}'::text[] LOOP
        FOR l IN VALUES ('varchar'), ('text'), ('integer'), ('numeric'), ('name') LOOP
            EXECUTE format('CREATE FUNCTION %1$s.%2$I(a %3$s) RETURNS numeric LANGUAGE plpgsql AS'
                           ' $f$ BEGIN INSERT INTO public.ran VALUES (%4$L); RETURN 0; END $f$',
                           schema, op, l, format('function %s(%s)', op, l));
        END LOOP;
    END LOOP;
    EXECUTE format('CREATE TYPE %s.kind AS ENUM (''go'', ''stop'')', schema);
    EXECUTE format('CREATE DOMAIN %s.numeric AS pg_catalog.numeric', schema);
    EXECUTE format('CREATE COLLATION %s."C" (provider = libc, locale = ''POSIX'')', schema);
    EXECUTE format('CREATE TABLE %1$s.orders (a int); CREATE TABLE %1$s.rule (a int); CREATE TABLE %1$s.pg_class (a '
                   'int)', schema);
END
$plant$;
SELECT plant(schema) FROM unnest('{shared,public,attack_owner}'::text[]) AS schema;
RESET ROLE;
SELECT cmp_ok((SELECT count(*) FROM pg_operator WHERE oprowner = 'attack_creator'::regrole), '>', 300::bigint,
              'the traps are set');
SELECT run_by_all();

-- What the conditions meant when they were given.
CREATE FUNCTION call(path text, statement text) RETURNS text LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM set_config('search_path', path, true);
    EXECUTE statement;
    RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END
$$;
CREATE TABLE path (path text);
GRANT SELECT ON path TO PUBLIC;
INSERT INTO path VALUES ('"$user", shared, s, public'), ('shared, pg_catalog, public');
SELECT is(call(path, format('SELECT ordcancel.cancel_order(%L, %L)', t, id)), 'OC005',
          format('the block holds for %s %s, by a superuser', t, id))
FROM path, (VALUES ('s.orders', 11), ('s.orders', 3), ('s.orders', 4), ('s.orders', 5), ('s.orders', 6),
                   ('s.owned', 11)) AS v (t, id);
SELECT is(run_by_all(), 'nothing', 'nothing of the creator''s ran');
SET LOCAL ROLE attack_creator;
SELECT is(public.call(path, 'SELECT ordcancel.request_cancel(''s.orders'', ''11'')'), 'OC005', 'by the creator')
FROM public.path;
RESET ROLE;
SELECT is(run_by_all(), 'nothing', 'nothing ran again');
SELECT is((SELECT state || ' ' || refund_due FROM ordcancel.cancel_order('s.orders', 1)), 'in_progress 100',
          'refund_due is what it was');
SELECT is(run_by_all(), 'nothing', 'and nothing ran');

-- Setting things up reads tables, too.
SELECT is(call('"$user", shared, s, public', statement), 'ok', statement)
FROM (VALUES ('SELECT ordcancel.attach(''s.owned'', ''status'', refund_due => ''paid - 100::numeric'')'),
             ('SELECT ordcancel.set_policy(''s.owned'', grace => ''1 day'')'),
             ('SELECT * FROM ordcancel.unruled_statuses(''s.owned'')'),
             ('SELECT ordcancel.apply_preset(''s.owned'', ''vtex'')'),
             ('CALL ordcancel.sweep()'),
             ('SELECT ordcancel.cancel_options(''s.owned'', 2), ordcancel.cancel_orders(''s.owned'', ''{2}'')'),
             ('SELECT ordcancel.detach(''s.owned'')')) AS v (statement);
SELECT is(run_by_all(), 'nothing', 'nothing of the creator''s ran, but in the text that the caller gave');
SET LOCAL search_path = "$user", shared, s, public;
SET LOCAL ROLE attack_owner;
SELECT ordcancel.attach('s.orders', 'status');
RESET ROLE;
SET LOCAL search_path = public;
SELECT is(run_by_all(), 'nothing', 'nor when the owner attaches it anew');
SELECT is((SELECT rolsuper FROM pg_roles WHERE rolname = 'attack_creator'), false, 'the creator is no superuser');

SELECT * FROM finish();
ROLLBACK;
