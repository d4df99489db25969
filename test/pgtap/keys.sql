-- An order may have a key of any type with an equality, of one column or
-- several, and be named by a value of it, a like one, a literal or text.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
SELECT no_plan();

CREATE TYPE colour AS ENUM ('red', 'green');
CREATE DOMAIN green AS colour CHECK (value = 'green');
CREATE TYPE pair AS (a integer, b text);
CREATE DOMAIN positive AS integer CHECK (value > 0);
CREATE DOMAIN code AS text CHECK (value ~ '^[A-Z]');
CREATE DOMAIN short_code AS code CHECK (length(value) < 5);

-- A table with such a key, its one order placed; all of them alike.
CREATE FUNCTION make(name text, columns text, keys text, VARIADIC rows text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TABLE %I (status text, %s, PRIMARY KEY (%s))', name, columns, keys);
    EXECUTE format('INSERT INTO %I VALUES %s', name,
                   (SELECT string_agg(format('(''placed'', %s)', r), ', ') FROM unnest(rows) AS r));
    PERFORM ordcancel.attach(name::regclass, status => 'status');
    PERFORM ordcancel.set_policy(name::regclass, canceled_status => 'canceled');
    PERFORM ordcancel.set_rule(name::regclass, 'placed', customer => 'cancel', merchant => 'cancel');
END
$$;

-- The whole way with one key: literal and value, cancel and undo, a plain
-- update, options, and the key as text.
CREATE FUNCTION works(name text, literal text, value text, shown text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    o ordcancel.outcome;
    n bigint;
    plan text := 'plan_of_' || name;
BEGIN
    EXECUTE format('SELECT * FROM ordcancel.cancel_order(%L, %L)', name, literal) INTO o;
    RETURN NEXT is(o.order_id || ' ' || o.state, shown || ' canceled', name || ': named by a literal');
    EXECUTE format('SELECT * FROM ordcancel.cancel_order(%L, %s)', name, value) INTO o;
    RETURN NEXT is(o.changed::text || ' ' || o.order_id, 'false ' || shown,
                   name || ': named by a value, the same order');
    EXECUTE format('PREPARE %I AS SELECT * FROM ordcancel.undo_cancel($1, $2)', plan);
    EXECUTE format('EXECUTE %I (%L, %L)', plan, name, literal) INTO o;
    RETURN NEXT is(o.state, 'undone', name || ': named by an untyped parameter');
    EXECUTE format('SELECT count(*) FROM ordcancel.cancel_options(%L, %L::text)', name, literal) INTO n;
    RETURN NEXT ok(n > 5, name || ': has options, named by text');
    EXECUTE format('UPDATE %I SET status = ''canceled''', name);
    EXECUTE format('SELECT count(*) FROM %I AS c JOIN %I AS e USING (cancellation_id, order_key)'
                   ' WHERE c.state = ''canceled'' AND c.order_key = %L AND e.type = ''canceled''',
                   name || '_cancellation', name || '_cancellation_event', shown) INTO n;
    RETURN NEXT is(n, 1::bigint, name || ': a plain update is recorded under the same key');
    EXECUTE format('SELECT * FROM ordcancel.undo_cancel(%L, %s)', name, value) INTO o;
    EXECUTE 'DEALLOCATE ' || plan;
    RETURN NEXT is(o.order_status, 'placed', name || ': and undone');
END
$$;

SELECT make('k_int', 'id integer', 'id', '7');
SELECT make('k_bigint', 'id bigint', 'id', '5000000000');
SELECT make('k_smallint', 'id smallint', 'id', '7');
SELECT make('k_uuid', 'id uuid', 'id', '''a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11''');
SELECT make('k_text', 'id text', 'id', '''Ärger, "1" (a) \b''');
SELECT make('k_varchar', 'id varchar(10)', 'id', '''A-1''');
SELECT make('k_char', 'id char(6)', 'id', '''A-1''');
SELECT make('k_numeric', 'id numeric', 'id', '1.50');
SELECT make('k_date', 'id date', 'id', '''2026-03-04''');
SELECT make('k_timestamptz', 'id timestamptz', 'id', '''2026-03-04 05:06:07+00''');
SELECT make('k_float', 'id float8', 'id', '0.1');
SELECT make('k_bytea', 'id bytea', 'id', '''\xdeadbeef''');
SELECT make('k_enum', 'id colour', 'id', '''green''');
SELECT make('k_domain', 'id positive', 'id', '7');
SELECT make('k_green', 'id green', 'id', '''green''');
SELECT make('k_code', 'id code', 'id', '''A-1''');
SELECT make('k_short_code', 'id short_code', 'id', '''A-1''');
SELECT make('k_pair', 'id pair', 'id', 'ROW(7, ''x y'')');
SELECT make('k_inet', 'id inet', 'id', '''10.0.0.1''');
SELECT make('k_interval', 'id interval', 'id', '''1 day''');
SELECT make('k_name', 'id name', 'id', '''n''');
CREATE EXTENSION citext;
SELECT make('k_citext', 'id citext', 'id', '''Abc''');
SELECT make('k_array', 'id integer[]', 'id', '''{1,2}''');
SELECT make('k_two', 'branch text, no integer', 'branch, no', '''north, "N"'', 42');
SELECT make('k_reordered', 'branch text, no integer', 'no, branch', '''north'', 42');
SELECT make('k_three', '"a b" integer, id uuid, "Key" date', '"Key", "a b", id',
            '1, ''a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'', ''2026-03-04''');
SELECT make('k_include', 'id integer, extra text', 'id) INCLUDE (extra', '7, ''x''');
SELECT make('k_taken', 'order_key integer, state text, id integer', 'order_key, state, id', '1, ''s'', 2');

SELECT works(name, literal, value, shown) FROM (VALUES
    ('k_int', '7', '7', '7'), ('k_int', ' 7 ', '7::bigint', '7'), ('k_int', '+7', '7::smallint', '7'),
    ('k_int', '7', '7::numeric', '7'),
    ('k_bigint', '5000000000', '5000000000', '5000000000'), ('k_smallint', '7', '7', '7'),
    ('k_uuid', 'A0EEBC999C0B4EF8BB6D6BB9BD380A11', '''a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11''::uuid',
     'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'),
    ('k_text', 'Ärger, "1" (a) \b', '''Ärger, "1" (a) \b''::varchar', 'Ärger, "1" (a) \b'),
    ('k_varchar', 'A-1', '''A-1''::text', 'A-1'), ('k_char', 'A-1', '''A-1''::char(3)', 'A-1'),
    ('k_char', 'A-1   ', '''A-1''::char(9)', 'A-1'),
    ('k_numeric', '1.5', '1.500', '1.50'), ('k_date', '2026-03-04', 'date ''2026-03-04''', '2026-03-04'),
    ('k_timestamptz', '2026-03-04 05:06:07+00', 'timestamptz ''2026-03-04 06:06:07+01''', '2026-03-04 05:06:07+00'),
    ('k_float', '0.1', '0.1::float8', '0.1'), ('k_bytea', '\xDEADBEEF', '''\xdeadbeef''::bytea', '\xdeadbeef'),
    ('k_enum', 'green', '''green''::colour', 'green'), ('k_green', 'green', '''green''::colour', 'green'),
    ('k_domain', '7', '7::positive', '7'), ('k_domain', '7', '7', '7'),
    ('k_code', 'A-1', '''A-1''::code', 'A-1'), ('k_short_code', 'A-1', '''A-1''::code', 'A-1'),
    ('k_pair', '(7,"x y")', 'ROW(7, ''x y'')::pair', '(7,"x y")'),
    ('k_pair', '(7,"x y")', 'ROW(7, ''x y'')', '(7,"x y")'),
    ('k_inet', '10.0.0.1', 'inet ''10.0.0.1''', '10.0.0.1'), ('k_interval', '24:00:00', 'interval ''1 day''', '1 day'),
    ('k_name', 'n', '''n''::text', 'n'), ('k_citext', 'ABC', '''abC''::citext', 'Abc'),
    ('k_citext', 'abc', '''aBC''::text', 'Abc'), ('k_array', '{1,2}', '''{1,2}''::text', '{1,2}'),
    ('k_two', '("north, ""N""",42)', 'ROW(''north, "N"'', 42)', '("north, ""N""",42)'),
    ('k_two', '("north, ""N""",42)', 'ROW(''north, "N"''::varchar, 42::bigint)', '("north, ""N""",42)'),
    ('k_reordered', '(42,north)', '(42, ''north'')', '(42,north)'),
    ('k_three', '(2026-03-04,1,a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11)',
     'ROW(date ''2026-03-04'', 1, ''a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'')',
     '(2026-03-04,1,a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11)'),
    ('k_include', '7', '7', '7'), ('k_taken', '(1,s,2)', 'ROW(1, ''s'', 2)', '(1,s,2)')) AS v (name, literal, value,
                                                                                               shown);

-- ------------------------------------------------------------- the key's names

SELECT is((SELECT key_columns::text FROM ordcancel.order_table WHERE orders = t::regclass), names,
          'record columns of ' || t)
FROM (VALUES ('k_int', '{order_id}'), ('k_two', '{branch,no}'), ('k_three', '{Key,"a b",order_id}'),
             ('k_taken', '{order_order_key,order_state,order_id}')) AS v (t, names);

-- ------------------------------------------------------------- no key at all

CREATE TABLE attempted (n integer GENERATED ALWAYS AS IDENTITY, call text);
INSERT INTO attempted (call) VALUES
    ('(''k_int'', NULL)'), ('(''k_int'', NULL::integer)'), ('(''k_int'', '''')'), ('(''k_int'', ''seven'')'),
    ('(''k_int'', 8)'), ('(''k_int'', 7.5)'), ('(''k_int'', 99999999999)'), ('(''k_int'', repeat(''7'', 10485760))'),
    ('(''k_int'', true)'), ('(''k_int'', now())'), ('(''k_int'', ROW(7))'), ('(''k_int'', ROW(7, 8))'),
    ('(''k_int'', ''(7)'')'),
    ('(''k_int'', ''{7}'')'), ('(''k_int'', ROW(NULL))'), ('(''k_int'', ROW())'),
    ('(''k_uuid'', 7)'), ('(''k_uuid'', ''no uuid'')'), ('(''k_text'', repeat(''x'', 10485760))'), ('(''k_text'', 7)'),
    ('(''k_varchar'', ''A-1 and much longer'')'), ('(''k_enum'', ''blue'')'), ('(''k_enum'', ''sunday'')'),
    ('(''k_domain'', -7)'), ('(''k_domain'', ''-7'')'), ('(''k_domain'', NULL::positive)'), ('(''k_code'', ''a-1'')'),
    ('(''k_short_code'', ''TOO-LONG'')'), ('(''k_date'', ''2026-02-30'')'), ('(''k_date'', ''today and more'')'),
    ('(''k_numeric'', ''NaN'')'), ('(''k_numeric'', ''1e999999'')'), ('(''k_bytea'', ''\xzz'')'),
    ('(''k_inet'', ''10.0.0.999'')'),
    ('(''k_two'', 42)'), ('(''k_two'', ''north'')'), ('(''k_two'', NULL)'), ('(''k_two'', ROW(''north, "N"'', NULL))'),
    ('(''k_two'', ''("north, ""N""",)'')'), ('(''k_two'', ROW(NULL, NULL))'),
    ('(''k_two'', ROW(''north, "N"'', 42, 1))'),
    ('(''k_two'', ROW(''north, "N"''))'), ('(''k_two'', ''("north, ""N""",42,1)'')'),
    ('(''k_two'', ''(("north",42)'')'),
    ('(''k_two'', ROW(42, ''north, "N"''))'), ('(''k_two'', ROW(''north, "N"'', ''forty''))'),
    ('(''k_two'', ROW(ROW(1), 2))'),
    ('(''k_two'', repeat(''('', 10485760))'), ('(''k_two'', now())'), ('(''k_two'', ROW())'),
    ('(''k_pair'', ''(7)'')'), ('(''k_pair'', ROW(7))'), ('(''k_pair'', ROW(7, ''x y'', 8))'),
    ('(''k_array'', ''{1'')');
SELECT is(attempt('SELECT ordcancel.cancel_order' || call), 'OC002', 'no such order: ' || left(call, 70))
FROM attempted ORDER BY n;
SELECT is(attempt('SELECT * FROM ordcancel.cancel_options' || call), 'OC002',
          'no options of it either: ' || left(call, 70))
FROM attempted WHERE n % 5 = 0 ORDER BY n;
SELECT is((SELECT count(*) FROM ordcancel.cancellation WHERE state = 'canceled'), 0::bigint,
          'nothing was canceled by them');

-- ---------------------------------------------------------- settings of a session

-- order_key is the same text whoever writes it.
CREATE FUNCTION key_under(name text, value text, setting text, setting_value text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    o ordcancel.outcome;
    key text;
BEGIN
    PERFORM set_config(setting, setting_value, true);
    EXECUTE format('SELECT * FROM ordcancel.cancel_order(%L, %s)', name, value) INTO o;
    EXECUTE format('SELECT order_key FROM %I WHERE cancellation_id = $1', name || '_cancellation') INTO key
        USING o.cancellation_id;
    EXECUTE format('SELECT ordcancel.undo_cancel(%L, %s)', name, value);
    RETURN CASE WHEN key = o.order_id THEN key ELSE format('%s, but %s', key, o.order_id) END;
END
$$;
SELECT is(key_under(name, value, setting, v), shown, format('%s is written the same under %s = %s', name, setting, v))
FROM (VALUES ('k_date', 'make_date(2026, 3, 4)', '2026-03-04'),
             ('k_timestamptz', 'make_timestamptz(2026, 3, 4, 5, 6, 7, ''UTC'')', '2026-03-04 05:06:07+00'),
             ('k_float', '0.1::float8', '0.1'), ('k_bytea', 'decode(''deadbeef'', ''hex'')', '\xdeadbeef'),
             ('k_interval', 'make_interval(days => 1)', '1 day'),
             ('k_three', 'ROW(make_date(2026, 3, 4), 1, ''a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11''::uuid)',
              '(2026-03-04,1,a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11)')) AS k (name, value, shown),
    (VALUES ('DateStyle', 'German, DMY'), ('DateStyle', 'SQL, MDY'), ('DateStyle', 'Postgres, DMY'),
            ('TimeZone', 'Asia/Tokyo'),
            ('TimeZone', 'America/St_Johns'), ('bytea_output', 'escape'), ('extra_float_digits', '-10'),
            ('IntervalStyle', 'iso_8601'), ('IntervalStyle', 'sql_standard')) AS s (setting, v);

-- ------------------------------------------------- keys that equal without being the same

SELECT make('k_number', 'id numeric', 'id', '1.0');
SELECT ordcancel.cancel_order('k_number', 1);
SELECT is((SELECT state FROM ordcancel.cancel_order('k_number', '1.000')), 'canceled',
          'a key that equals is the same order');
SELECT is(attempt('UPDATE k_number SET id = 1.00'), '23514 order_has_cancellations',
          'but it stays written as it is in the records');
SELECT is(attempt('UPDATE k_number SET id = 2, status = ''placed'''), '23514 order_has_cancellations',
          'and cannot become another');

SELECT count(*) > 0 AS has_icu FROM pg_collation WHERE collprovider = 'i' \gset
\if :has_icu
CREATE COLLATION caseless (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
SELECT make('k_caseless', 'id text COLLATE caseless', 'id', '''Abc''');
SELECT is((SELECT order_id || ' ' || state FROM ordcancel.cancel_order('k_caseless', 'ABC')), 'Abc canceled',
          'caseless key: named in another case');
SELECT is((SELECT changed FROM ordcancel.cancel_order('k_caseless', 'abc')), false, 'caseless key: and in a third');
SELECT is(attempt('UPDATE k_caseless SET status = ''placed'''), '23514 order_is_canceled',
          'caseless key: canceled is canceled');
SELECT is(attempt('UPDATE k_caseless SET id = ''aBC'', status = ''placed'''), '23514 order_has_cancellations',
          'caseless key: also by another spelling');
\else
SELECT skip('no ICU here', 4);
\endif

-- ------------------------------------------------------------------- no key

CREATE TABLE no_key (id integer, status text);
CREATE TABLE unique_only (id integer UNIQUE NOT NULL, status text);
CREATE TABLE late_key (id integer PRIMARY KEY DEFERRABLE, status text);
CREATE TABLE status_key (id integer, status text, PRIMARY KEY (id, status));
SELECT is(attempt(format('SELECT ordcancel.attach(%L, ''status'')', t)), 'OC014', t || ' is refused')
FROM unnest('{no_key,unique_only,late_key,status_key}'::text[]) AS t;

SELECT * FROM finish();
ROLLBACK;
