-- No setting that an ordinary role may change changes what is decided.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/attempt.sql
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
-- The clocks of New York went forward in the night to the 8th.
INSERT INTO shop.orders (id, placed_at) VALUES (3, '2026-03-07 12:00'), (4, '2026-03-07 11:59:59.999999');
INSERT INTO shop.orders (id, at, day, raw, note) SELECT n, '2026-01-02 23:30+00', '2026-01-02', '\x00ff', 'a\b running'
FROM generate_series(10, 25) AS n;
INSERT INTO shop.orders (id, at) VALUES (30, '2026-01-02 23:30+00');

SET LOCAL TimeZone = 'America/New_York';
SET LOCAL DateStyle = 'ISO, MDY';
SELECT ordcancel.attach('shop.orders', status => 'status', placed_at => 'placed_at',
                        refund_due => 'CASE WHEN id = 30 THEN extract(hour FROM at) - 18 + length(to_char(at, ''TZ'')) - 3 END');
SELECT ordcancel.set_policy('shop.orders', grace => '1 day', requested_status => 'asked', canceled_status => 'canceled');
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
    (22, 'to_tsvector(''running'') @@ to_tsquery(''run'')'), (23, 'day = (''01/02/2026''::text)::date'),
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
            || CASE WHEN id < 5 THEN public.attempt('UPDATE shop.orders SET status = ' || CASE id WHEN 2 THEN '''placed''' ELSE '''canceled''' END || ' WHERE id = ' || id) ELSE '' END || ' ';
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
SELECT is(:'decisions'::text, '1:OC003 23514 cancellation_forbidden 2:ok 23514 order_is_canceled 3:OC004 23514 grace_period_over 4:OC004 23514 grace_period_over '
          || (SELECT string_agg(id || ':OC005  ', '' ORDER BY id) FROM condition) || '25:ok  30:ok  ',
          'this is what is decided');
UPDATE shop.orders SET placed_at = '2026-03-07 13:00' WHERE id = 3;
UPDATE shop.orders SET placed_at = '2026-03-07 12:59:59.999999' WHERE id = 4;

SELECT * FROM finish();
ROLLBACK;
