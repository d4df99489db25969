-- No setting that an ordinary role may change changes what is decided.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
SELECT no_plan();

CREATE ROLE settings_owner;
CREATE ROLE settings_customer;
CREATE SCHEMA shop AUTHORIZATION settings_owner;
CREATE SCHEMA evil AUTHORIZATION settings_customer;
GRANT USAGE ON SCHEMA shop TO settings_customer;
CREATE TABLE shop.orders (
    id integer PRIMARY KEY,
    status text DEFAULT 'placed',
    placed_at timestamp,
    at timestamptz,
    day date,
    raw bytea,
    note text,
    due numeric
);
ALTER TABLE shop.orders OWNER TO settings_owner;
GRANT SELECT, UPDATE ON shop.orders TO settings_customer;
INSERT INTO shop.orders (id, status) VALUES (1, 'shipped'), (2, 'canceled');
-- The clocks of New York went forward in the night to the 8th: a day after noon
-- is 24 hours later, at one. At one it is still open.
INSERT INTO shop.orders (id, placed_at) VALUES (3, '2026-03-07 12:00'), (4, '2026-03-07 11:59:59.999999');
INSERT INTO shop.orders (id, at, day, raw, note) SELECT n, '2026-01-02 23:30+00', '2026-01-02', '\x00ff', 'a\b running'
FROM generate_series(10, 25) AS n;
INSERT INTO shop.orders (id, at) VALUES (30, '2026-01-02 23:30+00');

SET LOCAL TimeZone = 'America/New_York';
SET LOCAL DateStyle = 'ISO, MDY';
SELECT ordcancel.attach('shop.orders', status => 'status', placed_at => 'placed_at',
                        refund_due => 'CASE WHEN id = 30 THEN extract(hour FROM at) - 18 + length(to_char(at, '
                                      '''TZ'')) - 3 END');
SELECT ordcancel.set_policy('shop.orders', grace => '1 day', requested_status => 'asked',
                            canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.orders', 'placed', customer => 'cancel', customer_late => 'forbid');
SELECT ordcancel.grant_customer('settings_customer');

-- Conditions whose text or values some setting could turn round; each is true
-- of one order, when it means what it meant to the owner.
CREATE TABLE condition (id integer, condition text);
INSERT INTO condition VALUES
    (10, 'extract(hour FROM at) = 18'), (11, 'day = ''01/02/2026'''), (12, 'day::text = ''2026-01-02'''),
    (13, 'at::text = ''2026-01-02 18:30:00-05'''), (14, '(0.1::float8 + 0.2::float8)::text = ''0.30000000000000004'''),
    (15, 'raw::text = E''\\x00ff'''), (16, 'note = ''a\b running'''), (17, '(due = NULL) IS NULL'),
    (18, '(''{NULL}''::text[])[1] IS NULL'), (19, '(interval ''26 hours'')::text = ''26:00:00'''),
    (20, 'at = (''2026-01-03 01:30 IST''::text)::timestamptz'), (21, 'at = ''2026-01-03 01:30 IST'''),
    (22, 'to_tsvector(''running'')::text LIKE ''%running%'''), (23, 'day = (''01/02/2026''::text)::date'),
    (24, 'at::date = ''2026-01-02'' AND at < (''2026-01-02 18:31''::text)::timestamptz');
SELECT ordcancel.add_block('shop.orders', 'condition ' || id, format('id = %s AND (%s)', id, condition)) FROM condition;

SELECT set_config('ordcancel.clock', '2026-03-08 13:00-04', true);

-- What is decided of each order, by function and by update.
CREATE FUNCTION decisions() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text := '';
    id integer;
BEGIN
    FOR id IN 1..30 LOOP
        CONTINUE WHEN id BETWEEN 5 AND 9 OR id BETWEEN 26 AND 29;
        result := result || id || ':'
            || public.attempt('SELECT ordcancel.request_cancel(''shop.orders'', ' || id || ')') || ' '
            || CASE WHEN id < 5 THEN public.attempt('UPDATE shop.orders SET status = ' || CASE id
                                                        WHEN 2 THEN '''placed''' ELSE '''canceled''' END
                                                    || ' WHERE id = ' || id) ELSE '' END || ' ';
    END LOOP;
    RETURN result;
END
$$;
-- The same with one setting changed; NULL when the role cannot change it so.
CREATE FUNCTION decisions_with(setting text, value text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
    done boolean := false;
BEGIN
    SET LOCAL ROLE settings_customer;
    PERFORM set_config(setting, value, true);
    result := public.decisions();
    done := true;
    RAISE EXCEPTION 'back';
EXCEPTION WHEN OTHERS THEN
    RETURN CASE WHEN done THEN result END;
END
$$;

SELECT decisions_with('application_name', 'x') AS decisions \gset
SELECT is(:'decisions'::text,
          '1:OC003 23514 cancellation_forbidden 2:ok 23514 order_is_canceled 3:ok ok 4:OC004 23514 grace_period_over '
          || (SELECT string_agg(id || ':OC005  ', '' ORDER BY id) FROM condition) || '25:ok  30:ok  ',
          'this is what is decided');

-- ------------------------------------------------------------- every setting

CREATE TABLE tried AS
SELECT s.name, v.value
FROM pg_settings AS s,
    LATERAL (SELECT unnest(s.enumvals)
             UNION SELECT unnest('{on,off}'::text[]) WHERE s.vartype = 'bool'
             UNION SELECT unnest(ARRAY[s.min_val, s.max_val]) WHERE s.vartype IN ('integer', 'real')
             UNION SELECT unnest(CASE s.name
                 WHEN 'search_path' THEN ARRAY['', 'evil', 'evil, pg_catalog', 'pg_temp, evil, shop, pg_catalog',
                                               '"$user"', 'nowhere', 'shop']
                 WHEN 'TimeZone' THEN ARRAY['UTC', 'Asia/Tokyo', 'America/Los_Angeles', 'Pacific/Kiritimati', '+12:34',
                                            'XYZ-25']
                 WHEN 'DateStyle' THEN ARRAY['ISO, DMY', 'ISO, YMD', 'German', 'SQL, DMY', 'SQL, MDY', 'Postgres, DMY',
                                             'Postgres, MDY']
                 WHEN 'timezone_abbreviations' THEN ARRAY['India', 'Australia', 'Default']
                 WHEN 'default_text_search_config' THEN ARRAY['english', 'german', 'pg_catalog.simple']
                 WHEN 'client_encoding' THEN ARRAY['LATIN1', 'UTF8', 'SQL_ASCII', 'EUC_JP', 'SJIS']
                 ELSE ARRAY['', '0', 'C', 'POSIX', 'C.UTF-8', 'en_US.utf8', 'ümläut''"', repeat('x', 5000)] END)
             WHERE s.vartype = 'string') AS v (value)
WHERE s.context = 'user' AND v.value IS NOT NULL;
ALTER TABLE tried ADD decisions text;

-- All but what only fills the log or the screen, or ends the session.
UPDATE tried SET decisions = decisions_with(name, value) WHERE name NOT LIKE 'debug_p%'
    AND name NOT IN ('client_min_messages', 'exit_on_error')
    AND name NOT LIKE 'ordcancel.%';
SELECT ok(count(decisions) > 0, 'there are settings that could be tried: ' || count(decisions)) FROM tried;
SELECT is(string_agg(format('%s: %s', left(value, 30), decisions), E'\n' ORDER BY value)
              FILTER (WHERE decisions <> :'decisions'
                        AND NOT (name = 'transaction_read_only' AND decisions LIKE '%25006%')),
          NULL, 'SET ' || name || ' changes nothing: ' || string_agg(quote_literal(left(value, 20)), ', '))
FROM tried WHERE decisions IS NOT NULL
GROUP BY name ORDER BY name;
SELECT is((SELECT array_agg(name ORDER BY name)
           FROM (VALUES ('DateStyle'), ('IntervalStyle'), ('TimeZone'), ('array_nulls'), ('bytea_output'),
              ('extra_float_digits'), ('row_security'), ('search_path'), ('standard_conforming_strings'),
                        ('transform_null_equals')) AS v (name)
           WHERE name NOT IN (SELECT t.name FROM tried AS t WHERE decisions IS NOT NULL)), NULL,
          'those that matter most were among them');

-- Several at once, and in a session that has used the conditions before.
SELECT is(decisions_with('TimeZone', 'Asia/Tokyo'), :'decisions', 'again in the same session');
SET LOCAL TimeZone = 'Asia/Tokyo';
SET LOCAL DateStyle = 'German, DMY';
SET LOCAL IntervalStyle = 'sql_standard';
SET LOCAL bytea_output = 'escape';
SELECT is(decisions_with('extra_float_digits', '-15'), :'decisions', 'several of them at once');
SELECT is(current_setting('TimeZone') || ' ' || current_setting('DateStyle') || ' ' || current_setting('bytea_output'),
          'Asia/Tokyo German, DMY escape', 'the session keeps its own');

-- ------------------------------------------------------------- our own settings

SELECT is(attempt_as('settings_customer', statement), code, statement)
FROM (VALUES ('SET ordcancel.clock = ''2026-01-01''', '42501'), ('SET LOCAL ordcancel.clock = ''''', '42501'),
             ('SET ordcancel.notify = off', '42501'), ('SET SESSION ordcancel.notify = commit', '42501'),
             ('SELECT set_config(''ordcancel.clock'', ''2026-01-01'', true)', '42501'),
             ('RESET ordcancel.clock', '42501'),
             ('SELECT set_config(''ordcancel.notify'', ''off'', false)', '42501'),
             ('ALTER ROLE settings_customer SET ordcancel.clock = ''2026-01-01''', '42501'),
             ('CREATE FUNCTION evil.f() RETURNS void LANGUAGE sql SET ordcancel.clock = ''2026-01-01'' AS ''''',
              '42501'),
             ('UPDATE pg_settings SET setting = ''2026-01-01'' WHERE name = ''ordcancel.clock''', '42501'),
             ('SET ordcancel.unheard_of = 1', '42602'),
             ('SET ordcancel.actor = ''anna''', 'ok'), ('SET ordcancel.reason = ''no such reason''', 'ok'),
             ('SET ordcancel.note = ''n''', 'ok')) AS v (statement, code);
SELECT is(current_setting('ordcancel.clock'), '2026-03-08 13:00-04', 'the clock is what the superuser said');
SET LOCAL ordcancel.reason = 'no such reason';
SELECT is(attempt_as('settings_customer', 'UPDATE shop.orders SET status = ''canceled'' WHERE id = 25'),
          '23514 invalid_reason', 'a reason that is none is refused');
SET LOCAL ordcancel.reason = '';
SELECT is(attempt_as('settings_customer', 'SELECT set_config(''ordcancel.actor'', repeat(''x'', 1000), true)'), '22023',
          'an actor that is too long too');
SELECT is(attempt(format('SET LOCAL ordcancel.clock = %L', v)), '22023', 'no clock: ' || v)
FROM unnest('{no time,now,today 10:00,tomorrow,infinity,-infinity,epoch,10:00,2026-02-30,2026-03-02 10:61,2026-03-02 '
            '10:00 Nowhere/City,300000-01-01," "}'::text[]) AS v;
SELECT is(current_setting('ordcancel.clock'), '2026-03-08 13:00-04', 'it is as it was');
SELECT is(attempt(format('SET LOCAL ordcancel.clock = %L', v)), 'ok', 'a clock: ' || v)
FROM unnest('{2026-03-02,2026-03-02 10:00 Europe/Berlin,2026-03-02T10:00:00.25Z,"2 March 2026 10:00 PST",0044-03-15 '
            'BC,""}'::text[]) AS v;
SELECT is(attempt('SELECT ordcancel.request_cancel(''shop.orders'', 25)'), 'ok', 'without one it is the real time');

-- Before the library is loaded these are names like others: what a role sets
-- them to then must not count. A session of its own is needed for that.
CREATE EXTENSION dblink;
SELECT dblink_connect('fresh', format('host=%s port=%s dbname=%s', current_setting('unix_socket_directories'),
                                      current_setting('port'), current_database()));
CREATE FUNCTION fresh(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN (SELECT string_agg(r, ', ') FROM dblink('fresh', statement) AS t (r text));
END
$$;
SELECT dblink_exec('fresh', statement) FROM unnest(ARRAY[
    'CREATE ROLE settings_early LOGIN', 'SET client_min_messages = error', 'SET ROLE settings_early',
    'SET ordcancel.clock = ''2020-01-01''', 'SET ordcancel.notify = ''off''',
    'RESET ROLE', 'LOAD ''ordcancel''']) AS statement;
SELECT isnt(fresh('SELECT current_setting(''ordcancel.clock'')'), '2020-01-01',
            'a clock that was set before the library came is not taken over');
SELECT is(fresh('SELECT current_setting(''ordcancel.notify'')'), 'commit', 'nor what was set for notify');
SELECT dblink_exec('fresh', 'DROP ROLE settings_early');
SELECT dblink_disconnect('fresh');

SELECT * FROM finish();
ROLLBACK;
