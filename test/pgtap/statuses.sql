-- The status may be a column of any type that has words, in a table of any
-- shape that changes as tables do.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
SELECT no_plan();

CREATE TYPE state_enum AS ENUM ('placed', 'shipped', 'asked', 'canceled', 'It''s "odd", isn''t it?');
CREATE DOMAIN state_text AS text CHECK (value IN ('placed', 'shipped', 'asked', 'canceled'));
CREATE DOMAIN state_enum_domain AS state_enum CHECK (value <> 'It''s "odd", isn''t it?');
CREATE DOMAIN state_domain_domain AS state_text;

-- ---------------------------------------------------------------- every type

CREATE FUNCTION make(name text, type text, words text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TABLE %I (id integer PRIMARY KEY, status %s)', name, type);
    EXECUTE format('INSERT INTO %I SELECT n, CASE WHEN n <= 5 THEN %L ELSE %L END::%s FROM generate_series(1, 10) AS n',
                   name, words[1], words[2], type);
    EXECUTE format('INSERT INTO %I VALUES (11, NULL)', name);
    PERFORM ordcancel.attach(name::regclass, status => 'status');
    PERFORM ordcancel.set_policy(name::regclass, requested_status => words[3], canceled_status => words[4]);
    PERFORM ordcancel.set_rule(name::regclass, words[1], customer => 'request', merchant => 'cancel');
END
$$;
CREATE FUNCTION works(name text, type text, words text[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    o ordcancel.outcome;
    update_to text := format('UPDATE %I SET status = %%L WHERE id = %%s', name);
BEGIN
    RETURN NEXT is(attempt(format('SELECT make(%L, %L, %L)', name, type, words)), 'ok', type || ': attached');
    IF to_regclass(name) IS NULL THEN
        RETURN;
    END IF;
    o := ordcancel.cancel_order(name::regclass, 1);
    RETURN NEXT is(o.order_status, words[4], type || ': canceled');
    o := ordcancel.undo_cancel(name::regclass, 1);
    RETURN NEXT is(o.order_status, words[1], type || ': undone');
    o := ordcancel.request_cancel(name::regclass, 1);
    RETURN NEXT is(o.order_status, words[3], type || ': requested');
    o := ordcancel.withdraw_cancel(name::regclass, 1);
    RETURN NEXT is(o.order_status, words[1], type || ': withdrawn');
    RETURN NEXT is(attempt(format(update_to, words[4], 2)), 'ok', type || ': a plain update cancels');
    RETURN NEXT is(attempt(format(update_to, words[1], 2)), '23514 order_is_canceled', type || ': and does not revive');
    RETURN NEXT is(attempt(format(update_to, words[4], 6)), '23514 cancellation_forbidden',
                   type || ': nor cancel what has no rule');
    RETURN NEXT is(attempt(format(update_to, words[3], 3)), '23514 cancellation_forbidden',
                   type || ': nor request what may be canceled');
    RETURN NEXT is(attempt(format('SELECT ordcancel.cancel_order(%L, 11)', name)), 'OC003',
                   type || ': an order without a status has no rule');
    RETURN NEXT is(attempt(format('UPDATE %I SET status = %L WHERE id = 11', name, words[4])),
                   '23514 cancellation_forbidden', type || ': nor by an update');
    RETURN NEXT is(attempt(format('UPDATE %I SET status = NULL WHERE id = 2', name)), '23514 order_is_canceled',
                   type || ': the status of what is canceled cannot be lost');
    RETURN NEXT is(attempt(format('UPDATE %I SET status = %L WHERE id = 11', name, words[1])), 'ok',
                   type || ': an order may get its first status');
    o := ordcancel.cancel_order(name::regclass, 11);
    RETURN NEXT is(o.order_status, words[4], type || ': and then be canceled');
    RETURN NEXT is((SELECT string_agg(a.outcome, ' ' ORDER BY a.n)
                    FROM ordcancel.cancel_orders(name::regclass, '{5,7,3,11}') WITH ORDINALITY AS a (i, outcome, c, s,
                                m, n)),
                   'canceled refused canceled already', type || ': several at once');
    RETURN NEXT is(attempt(format('DO $d$ BEGIN ASSERT (SELECT count(*) FROM %1$I WHERE status::text = %2$L AND id IN '
                                  '(3, 5)) = 2; ASSERT (SELECT count(*) FROM %1$I AS o JOIN %3$I AS c ON c.order_id = '
                                  'o.id'
                                  ' WHERE c.order_status = %2$L AND c.prior_status = %4$L AND o.id IN (3, '
                                  '5) AND c.state = ''canceled'') = 2; END $d$', name, words[4],
                                  name || '_cancellation', words[1])), 'ok', type || ': are written and recorded');
END
$$;
SELECT works('s' || row_number() OVER (), type, words) FROM (VALUES
    ('text', '{placed,shipped,asked,canceled}'::text[]), ('varchar(8)', '{placed,shipped,asked,canceled}'),
    ('char(12)', '{placed,shipped,asked,canceled}'), ('char(8)', '{placed,shipped,asked,canceled}'),
    ('name', '{placed,shipped,asked,canceled}'),
    ('state_enum', '{placed,shipped,asked,canceled}'),
    ('state_enum', ARRAY['It''s "odd", isn''t it?', 'shipped', 'asked', 'canceled']),
    ('state_text', '{placed,shipped,asked,canceled}'), ('state_enum_domain', '{placed,shipped,asked,canceled}'),
    ('state_domain_domain', '{placed,shipped,asked,canceled}'), ('integer', '{1,2,3,-4}'), ('smallint', '{1,2,3,4}'),
    ('bigint', '{1,2,3,5000000000}'),
    ('"char"', '{p,s,a,c}'), ('boolean', '{f,t,f,t}')) AS v (type, words)
WHERE type <> 'boolean';

-- What the column cannot hold is no status of it.
SELECT is(attempt(format('SELECT ordcancel.set_rule(%L, %L, merchant => ''cancel'')', t, s)), 'OC014',
          format('"%s" is no status of %s', left(s, 20), t))
FROM (VALUES ('s2', 'longer than eight'), ('s6', 'delivered'), ('s8', 'delivered'), ('s9', 'It''s "odd", isn''t it?'),
             ('s10', 'delivered'),
             ('s11', 'placed'), ('s12', '70000'), ('s11', '')) AS v (t, s);
SELECT is(attempt(format('SELECT ordcancel.set_policy(%L, canceled_status => %L)', t, s)), 'OC014',
          format('nor as canceled_status of %s', t))
FROM (VALUES ('s2', 'longer than eight'), ('s6', 'delivered'), ('s11', 'placed')) AS v (t, s);
SELECT ordcancel.set_rule('s11', '007', merchant => 'cancel');
SELECT ordcancel.set_rule('s3', 'parked    ', merchant => 'cancel');
SELECT is((SELECT array_agg(status ORDER BY status) FROM ordcancel.rule WHERE orders = 's11'::regclass), '{1,7}',
          'a status is kept as the column writes it');
SELECT is((SELECT array_agg(status ORDER BY status) FROM ordcancel.rule WHERE orders = 's3'::regclass),
          '{parked,placed}', 'without the blanks of char(n)');

-- What the application takes for canceled must not be reached past the rules.
CREATE EXTENSION citext;
SELECT works('citexts', 'citext', '{placed,shipped,asked,canceled}');
SELECT is(attempt('UPDATE citexts SET status = ''PLACED'' WHERE id = 2'), '23514 order_is_canceled',
          'citext: canceled is not left in another case');
SELECT is(left(attempt('UPDATE citexts SET status = ''CANCELED'' WHERE id = 6'), 5), '23514',
          'citext: nor entered in another case');
SELECT is(left(attempt('INSERT INTO citexts VALUES (20, ''ASKED'')'), 5), '23514',
          'citext: an order cannot begin so either');
SELECT is(attempt('UPDATE citexts SET status = ''Placed'' WHERE id = 4; SELECT ordcancel.cancel_order(''citexts'', 4)'),
          'ok', 'citext: a rule is for its status in any case');
SELECT works('numbers', 'numeric', '{1,2,3,9}');
SELECT is(left(attempt('UPDATE numbers SET status = 9.00 WHERE id = 6'), 5), '23514', 'numeric: 9.00 is 9');

SELECT count(*) > 0 AS has_icu FROM pg_collation WHERE collprovider = 'i' \gset
\if :has_icu
CREATE COLLATION caseless (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
SELECT make('caseless', 'text COLLATE caseless', '{placed,shipped,asked,canceled}');
SELECT ordcancel.cancel_order('caseless', 1);
SELECT is(attempt('UPDATE caseless SET status = ''PLACED'' WHERE id = 1'), '23514 order_is_canceled',
          'a caseless status cannot be left in another case');
SELECT is(attempt('UPDATE caseless SET status = ''CANCELED'' WHERE id = 1'), '23514 order_is_canceled',
          'nor rewritten in another case');
SELECT is(left(attempt('UPDATE caseless SET status = ''CANCELED'' WHERE id = 6'), 5), '23514',
          'nor entered in another case');
SELECT is(left(attempt('INSERT INTO caseless VALUES (20, ''ASKED'')'), 5), '23514', 'an order cannot begin so either');
\else
SELECT skip('no ICU here', 4);
\endif

-- --------------------------------------------- quoted names, odd columns, identity

CREATE SCHEMA "Sh""op";
CREATE TYPE "Sh""op"."St;ate" AS ENUM ('pla"ced', 'can''celed');
CREATE TABLE "Sh""op"."Or'ders; --" (
    dropped_first integer,
    "o" integer DEFAULT 5,
    "c" integer DEFAULT 6,
    "e" text DEFAULT 'e',
    "Or'ders; --" integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dropped text,
    "the ""status""" "Sh""op"."St;ate" DEFAULT 'pla"ced',
    "when" timestamptz DEFAULT now(),
    "order" text DEFAULT 'x',
    doubled integer GENERATED ALWAYS AS ("o" * 2) STORED,
    "select" numeric DEFAULT 0
);
ALTER TABLE "Sh""op"."Or'ders; --" DROP COLUMN dropped, DROP COLUMN dropped_first;
INSERT INTO "Sh""op"."Or'ders; --" DEFAULT VALUES;
INSERT INTO "Sh""op"."Or'ders; --" DEFAULT VALUES;
INSERT INTO "Sh""op"."Or'ders; --" ("o") VALUES (50);
CREATE FUNCTION odd() RETURNS regclass LANGUAGE sql AS $$ SELECT to_regclass('"Sh""op"."Or''ders; --"') $$;
SELECT is(attempt($$SELECT ordcancel.attach(odd(), status => 'the "status"', placed_at => 'when', policy_by => 'order',
                                            refund_due => '"select" -- due')$$),
          'ok', 'attach with names that need quotes');
SELECT is(attempt($$SELECT ordcancel.set_policy(odd(), policy => 'x', canceled_status => 'can''celed',
                                                grace => '1 day')$$), 'ok', 'a policy');
SELECT is(attempt($$SELECT ordcancel.set_rule(odd(), 'pla"ced', policy => 'x', customer => 'cancel',
                                              merchant => 'cancel')$$), 'ok', 'a rule');
SELECT is(attempt($$SELECT ordcancel.add_block(odd(), 'b"lock', 'doubled = 100 AND "Or''ders; --"."o" = 50 -- yes')$$),
          'ok', 'a block');
SELECT is((SELECT order_status FROM ordcancel.request_cancel(odd(), 1)), 'can''celed', 'the function');
SELECT is(attempt($$UPDATE "Sh""op"."Or'ders; --" SET "the ""status""" = 'can''celed' WHERE "Or'ders; --" = 2$$), 'ok',
          'a plain update');
SELECT is(attempt('SELECT ordcancel.request_cancel(odd(), 3)'), 'OC005', 'the block, with a generated column');
SELECT is((SELECT count(*) FROM "Sh""op"."Or'ders; --_cancellation"), 2::bigint, 'both are recorded');

-- ------------------------------------------------------------------ placed_at

CREATE TABLE placed (id integer PRIMARY KEY, status text DEFAULT 'placed', tz timestamptz, ts timestamp, d date,
                     num integer);
SET LOCAL TimeZone = 'America/New_York';
INSERT INTO placed (id, tz, ts, d) VALUES (1, '2026-03-08 00:30', '2026-03-08 00:30', '2026-03-08'),
    (2, NULL, NULL, NULL), (3, 'infinity', 'infinity', 'infinity'),
    (4, '-infinity', '-infinity', '-infinity');
CREATE FUNCTION late(at text, placed_at name, id integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    SET LOCAL TimeZone = 'America/New_York';
    PERFORM ordcancel.attach('placed', status => 'status', placed_at => placed_at);
    PERFORM ordcancel.set_policy('placed', grace => '1 hour', canceled_status => 'canceled');
    PERFORM ordcancel.set_rule('placed', 'placed', customer => 'cancel', customer_late => 'forbid');
    SET LOCAL TimeZone = 'Asia/Tokyo';
    PERFORM set_config('ordcancel.clock', at, true);
    result := attempt(format('SELECT ordcancel.request_cancel(''placed'', %s)', id));
    IF result = 'ok' THEN
        PERFORM ordcancel.undo_cancel('placed', id);
    END IF;
    RETURN result;
END
$$;
SELECT is(late(at, c, 1), result, format('placed_at of %s, at %s', c, at))
FROM (VALUES ('tz', '2026-03-08 01:30:00-05', 'ok'), ('tz', '2026-03-08 01:30:00.000001-05', 'OC004'),
             ('ts', '2026-03-08 01:30:00-05', 'ok'), ('ts', '2026-03-08 01:30:00.000001-05', 'OC004'),
             ('d', '2026-03-08 01:00:00-05', 'ok'),
             ('d', '2026-03-08 01:00:00.000001-05', 'OC004')) AS v (c, at, result);
SELECT is(late('2026-03-08 12:00Z', c, 2), 'ok', format('open while %s is null', c))
FROM unnest('{tz,ts,d}'::name[]) AS c;
SELECT is(late('2026-03-08 12:00Z', c, 3), 'ok', format('open when %s is infinity', c))
FROM unnest('{tz,ts,d}'::name[]) AS c;
SELECT is(late('2026-03-08 12:00Z', c, 4), 'OC004', format('over when %s is -infinity', c))
FROM unnest('{tz,ts,d}'::name[]) AS c;
SELECT is(attempt('SELECT ordcancel.attach(''placed'', ''status'', placed_at => ''num'')'), 'OC014',
          'an integer is no placed_at');
SELECT set_config('ordcancel.clock', '', true);

SELECT * FROM finish();
ROLLBACK;
