-- The customer's window: to the microsecond at its end, for each type of
-- placed_at, without an anchor, across a change of the policy or of the clocks,
-- and by the real time, not that of the transaction's start.
\ir include/helpers.sql
SET client_min_messages = warning;
SET timezone = 'UTC';
SELECT plan(197);

-- Late customers ask, so what a call does says which side of the end it was on.
CREATE FUNCTION make_shop(orders regclass, grace interval) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ordcancel.attach(orders, 'status', placed_at => 'placed');
    PERFORM ordcancel.set_policy(orders, canceled_status => 'canceled', grace => grace);
    PERFORM ordcancel.set_rule(orders, 'placed', customer => 'cancel', customer_late => 'request',
                               merchant => 'cancel');
END
$$;

-- A new order placed at that time and asked for at the other: early or late?
-- With 'update' the customer writes the status himself.
CREATE ROLE window_customer;
CREATE FUNCTION asked(orders regclass, placed text, at text, how text DEFAULT 'call') RETURNS text LANGUAGE plpgsql
    AS $$
DECLARE
    nr integer;
    answer text;
BEGIN
    PERFORM set_config('ordcancel.clock', '', true);
    EXECUTE format('INSERT INTO %s (placed) VALUES (%L) RETURNING id', orders, placed) INTO nr;
    PERFORM set_config('ordcancel.clock', at, true);
    IF how = 'call' THEN
        answer := (ordcancel.request_cancel(orders, nr)).state;
    ELSIF how = 'options' THEN
        SELECT o.outcome INTO answer FROM ordcancel.cancel_options(orders, nr) AS o WHERE o.verb = 'request_cancel';
    ELSE
        answer := attempt_as('window_customer',
                             format('UPDATE %s SET status = ''canceled'' WHERE id = %s', orders, nr));
    END IF;
    PERFORM set_config('ordcancel.clock', '', true);
    RETURN CASE answer WHEN 'canceled' THEN 'early' WHEN 'ok' THEN 'early' WHEN 'requested' THEN 'late'
               WHEN '23514 cancellation_forbidden' THEN 'late' ELSE answer END;
END
$$;

-- The end that cancel_options tells.
CREATE FUNCTION told_end(orders regclass, placed text, at text) RETURNS timestamptz LANGUAGE plpgsql AS $$
DECLARE
    nr integer;
    answer timestamptz;
BEGIN
    EXECUTE format('INSERT INTO %s (placed) VALUES (%L) RETURNING id', orders, placed) INTO nr;
    PERFORM set_config('ordcancel.clock', at, true);
    SELECT o.until INTO answer FROM ordcancel.cancel_options(orders, nr) AS o WHERE o.verb = 'request_cancel';
    PERFORM set_config('ordcancel.clock', '', true);
    RETURN answer;
END
$$;

CREATE TABLE tz_orders (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, status text DEFAULT 'placed',
                        placed timestamptz);
CREATE TABLE ts_orders (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, status text DEFAULT 'placed',
                        placed timestamp);
CREATE TABLE day_orders (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, status text DEFAULT 'placed',
                         placed date);
CREATE DOMAIN moment AS timestamptz CHECK (VALUE IS NULL OR VALUE > '-infinity');
CREATE TABLE dom_orders (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, status text DEFAULT 'placed',
                         placed moment);
GRANT SELECT, UPDATE ON tz_orders, ts_orders, day_orders, dom_orders TO window_customer;
SELECT make_shop(t, '30 minutes') FROM unnest('{tz_orders,ts_orders,day_orders,dom_orders}'::regclass[]) AS t;

-- --------------------------------------------------------------------- its end

SELECT is(asked(t, p, (p::timestamptz + '30 minutes' + d)::text, how), wanted,
          format('%s: %s from the end, by %s', t, d, how))
FROM (VALUES ('tz_orders'::regclass, '2026-03-02 09:00:00.000001+00'), ('ts_orders', '2026-03-02 09:00:00.000001'),
             ('day_orders', '2026-03-02'), ('dom_orders', '2026-03-02 09:59:59.999999+00')) AS v (t, p),
     (VALUES ('-1 microsecond'::interval, 'early'), ('0', 'early'), ('1 microsecond', 'late'), ('1 day', 'late'),
             ('-1 year', 'early')) AS w (d, wanted),
     unnest('{call,update,options}'::text[]) AS how;
SELECT is(told_end(t, p, p), p::timestamptz + '30 minutes', format('%s: cancel_options tells the end', t))
FROM (VALUES ('tz_orders'::regclass, '2026-03-02 09:00:00.000001+00'), ('ts_orders', '2026-03-02 09:00:00.000001'),
             ('day_orders', '2026-03-02')) AS v (t, p);

SELECT is(asked(t, NULL, at, how), 'early', format('%s: without an anchor the window is open at %s, by %s', t, at, how))
FROM unnest('{tz_orders,ts_orders,day_orders,dom_orders}'::regclass[]) AS t,
     unnest('{2026-03-02 10:00+00,294276-12-31 23:59:59+00}'::text[]) AS at,
     unnest('{call,update,options}'::text[]) AS how;
SELECT is(told_end('tz_orders', NULL, '2026-03-02 10:00+00'), NULL, 'and has no end yet');

SELECT is(asked(t, p, '2026-03-02 10:00+00'), wanted, format('%s: placed at %s', t, p))
FROM (VALUES ('tz_orders'::regclass), ('ts_orders'), ('day_orders')) AS v (t),
     (VALUES ('infinity', 'early'), ('-infinity', 'late'), ('2027-01-01', 'early'), ('5000-01-01', 'early'),
             ('0001-01-01 BC', 'late')) AS w (p, wanted);
SELECT is(asked('dom_orders', 'infinity', '2026-03-02 10:00+00'), 'early', 'a domain with infinity');
SELECT is(told_end('tz_orders', 'infinity', '2026-03-02 10:00+00'), NULL, 'a window that begins never has no end');

-- As long as timestamps reach, and not beyond.
SELECT ordcancel.set_policy('tz_orders', grace => '1000 years');
SELECT is(asked('tz_orders', p, '2026-03-02 10:00+00'), 'early', 'a window of 1000 years from ' || p)
FROM unnest('{1026-03-02 10:00+00,294276-12-31 23:59:59+00,infinity}'::text[]) AS p;
SELECT is(asked('tz_orders', '1026-03-02 09:59:59.999999+00', '2026-03-02 10:00+00'), 'late',
          'a microsecond more than that');
SELECT ordcancel.set_policy('tz_orders', grace => '0');
SELECT is(asked('tz_orders', '2026-03-02 10:00+00', at), wanted, 'a window of no time at ' || at)
FROM (VALUES ('2026-03-02 10:00+00', 'early'), ('2026-03-02 10:00:00.000001+00', 'late')) AS v (at, wanted);
SELECT ordcancel.set_policy('tz_orders', grace => '30 minutes');

-- ------------------------------------------------------------------ other clocks

-- The caller's time zone and style of dates move nothing.
CREATE FUNCTION abroad(zone text, style text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text;
BEGIN
    PERFORM set_config('timezone', zone, true), set_config('datestyle', style, true);
    answer := concat_ws(' ',
        asked('tz_orders', '2026-03-02 09:00+00', '2026-03-02 09:30+00'),
                        asked('tz_orders', '2026-03-02 09:00+00', '2026-03-02 09:30:00.000001+00'),
        asked('ts_orders', '2026-03-02 09:00', '2026-03-02 09:30+00'),
                        asked('ts_orders', '2026-03-02 09:00', '2026-03-02 09:30:00.000001+00'),
        asked('day_orders', '2026-03-02', '2026-03-02 00:30+00'),
                        asked('day_orders', '2026-03-02', '2026-03-02 00:30:00.000001+00'));
    PERFORM set_config('timezone', 'UTC', true), set_config('datestyle', 'ISO, MDY', true);
    RETURN answer;
END
$$;
SELECT is(abroad(zone, style), 'early late early late early late', format('asked in %s, with dates as %s', zone, style))
FROM (VALUES ('Asia/Kathmandu', 'ISO, DMY'), ('America/Los_Angeles', 'German'), ('Pacific/Kiritimati', 'SQL, DMY'),
             ('UTC', 'Postgres')) AS v (zone, style);

-- A timestamp without a time zone is read in that of attach. A day of grace has
-- 24 hours, also where the clocks are changed in between.
SET timezone = 'Europe/Berlin';
CREATE TABLE berlin_ts (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, status text DEFAULT 'placed',
                        placed timestamp);
CREATE TABLE berlin_day (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, status text DEFAULT 'placed',
                         placed date);
CREATE TABLE berlin_tz (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, status text DEFAULT 'placed',
                        placed timestamptz);
GRANT SELECT, UPDATE ON berlin_ts, berlin_day, berlin_tz TO window_customer;
SELECT make_shop(t, '1 day') FROM unnest('{berlin_ts,berlin_day,berlin_tz}'::regclass[]) AS t;
CREATE TABLE change (t regclass, placed text, ends timestamptz, what text);
INSERT INTO change VALUES
    ('berlin_ts', '2026-03-28 12:00', '2026-03-29 13:00+02', 'a day from noon before the clocks go forward'),
    ('berlin_day', '2026-03-29', '2026-03-30 01:00+02', 'a day from midnight of the day when they do'),
    ('berlin_tz', '2026-03-28 12:00+01', '2026-03-29 13:00+02', 'a day with the zone'),
    ('berlin_ts', '2026-10-24 12:00', '2026-10-25 11:00+01', 'a day from noon before they go back'),
    ('berlin_day', '2026-10-25', '2026-10-25 23:00+01', 'a day from midnight of the day when they do'),
    ('berlin_tz', '2026-10-24 12:00+02', '2026-10-25 11:00+01', 'a day with the zone'),
    ('berlin_ts', '2026-03-29 02:30', '2026-03-30 03:30+02', 'a time that there is not'),
    ('berlin_ts', '2026-10-25 02:30', '2026-10-26 02:30+01', 'a time that there is twice');
SELECT is(asked(t, placed, ends::text, how), 'early', format('%s, asked in %s by %s: its end', what, zone, how))
       || E'\n' || is(asked(t, placed, (ends + '1 microsecond')::text, how), 'late', 'and past it')
FROM change, unnest('{call,update}'::text[]) AS how, LATERAL (SELECT set_config('timezone', z, false) AS zone
     FROM unnest('{Europe/Berlin,America/New_York}'::text[]) AS z) AS s;
SET timezone = 'Europe/Berlin';
SELECT ordcancel.set_policy(t, grace => '1 month') FROM unnest('{berlin_ts,berlin_tz}'::regclass[]) AS t;
SELECT is(told_end('berlin_ts', '2026-01-31 12:00', '2026-02-01 12:00+01'),
          told_end('berlin_tz', '2026-01-31 12:00+01', '2026-02-01 12:00+01'),
          'a month is as long from either type');
SET timezone = 'UTC';

-- ------------------------------------------------------------- a change of policy

CREATE FUNCTION open_again(nr integer) RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', o.outcome, o.until) FROM ordcancel.cancel_options('tz_orders', nr) AS o
WHERE o.verb = 'request_cancel' $$;
INSERT INTO tz_orders (placed) SELECT '2026-03-02 09:00+00' FROM generate_series(1, 6);
SELECT max(id) - 5 AS nr FROM tz_orders \gset
SET ordcancel.clock = '2026-03-02 09:45+00';
SELECT is(open_again(:nr), 'requested', 'an order is late');
SELECT ordcancel.set_policy('tz_orders', grace => '45 minutes');
SELECT is(open_again(:nr), 'canceled 2026-03-02 09:45:00+00', 'a longer window opens it again, to the new end');
SELECT ordcancel.set_policy('tz_orders', grace => '44 minutes 59.999999 seconds');
SELECT is(open_again(:nr), 'requested', 'a shorter one closes it');
SELECT is((ordcancel.request_cancel('tz_orders', :nr)).state, 'requested', 'so the customer asks');
SELECT ordcancel.set_policy('tz_orders', grace => '2 hours');
SELECT is((ordcancel.request_cancel('tz_orders', :nr)).state, 'requested',
          'what was asked for then is not canceled by a longer window');
SELECT is((ordcancel.request_cancel('tz_orders', :nr + 1)).state, 'canceled', 'what is asked for now is');
SELECT ordcancel.set_policy('tz_orders', unset => '{grace}');
SELECT is(open_again(:nr + 2), 'canceled', 'without a grace there is no end');
BEGIN;
SAVEPOINT s;
SELECT ordcancel.set_policy('tz_orders', grace => '1 minute');
SELECT is(open_again(:nr + 2), 'requested', 'a change counts at once');
ROLLBACK TO s;
SELECT is(open_again(:nr + 2), 'canceled', 'and not, once it is rolled back');
ROLLBACK;
UPDATE tz_orders SET placed = '2026-03-02 09:40+00' WHERE id = :nr + 3;
SELECT ordcancel.set_policy('tz_orders', grace => '5 minutes');
SELECT is(open_again(:nr + 3), 'canceled 2026-03-02 09:45:00+00', 'the anchor may move');
SELECT is((ordcancel.request_cancel('tz_orders', :nr + 3)).state, 'canceled', 'and the window with it');
RESET ordcancel.clock;

-- -------------------------------------------------------- a long transaction

-- Opened before the end, a transaction does not keep the window open: neither
-- its now() nor its snapshot is what counts.
SELECT ordcancel.set_policy('tz_orders', grace => '1 second');
INSERT INTO tz_orders (placed) SELECT clock_timestamp() FROM generate_series(1, 4);
SELECT max(id) - 3 AS nr FROM tz_orders \gset
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT is((ordcancel.request_cancel('tz_orders', :nr)).state, 'canceled', 'in the window the customer cancels');
SELECT ok(now() <= (SELECT placed + '1 second' FROM tz_orders WHERE id = :nr + 1),
          'a transaction begins in the window');
SELECT pg_sleep(1.1);
SELECT is((ordcancel.request_cancel('tz_orders', :nr + 1)).state, 'requested',
          'its customer is late when the window has closed meanwhile');
SELECT is(attempt_as('window_customer', format('UPDATE tz_orders SET status = ''canceled'' WHERE id = %s', :nr + 2)),
          '23514 cancellation_forbidden',
          'also with an update');
SELECT is((SELECT o.outcome FROM ordcancel.cancel_options('tz_orders', :nr + 3) AS o WHERE o.verb = 'request_cancel'),
          'requested', 'cancel_options says so');
SELECT ok((SELECT requested_at > placed + '1 second' AND requested_at > now() FROM tz_orders_cancellation
               JOIN tz_orders ON id = order_id WHERE id = :nr + 1),
          'and that is what is recorded');
COMMIT;

DROP OWNED BY window_customer;
DROP ROLE window_customer;

SELECT * FROM finish();
