-- cancel_orders does to each order what cancel_order would, once, and answers
-- with one row for each id in the order of the array.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
SELECT no_plan();

CREATE SCHEMA "the shop";
CREATE TABLE "the shop"."Order" ("Id" integer PRIMARY KEY, "Status" text, supplier text, due numeric, flag boolean,
                                 buyer name DEFAULT 'ann');
INSERT INTO "the shop"."Order" ("Id", "Status") SELECT n, 'placed' FROM generate_series(1, 300) AS n;
SELECT ordcancel.attach('"the shop"."Order"', 'Status', policy_by => 'supplier', refund_due => 'due');
SELECT ordcancel.set_policy('"the shop"."Order"', canceled_status => 'canceled', requested_status => 'asked',
                            in_progress_status => 'refunding');
SELECT ordcancel.set_rule('"the shop"."Order"', 'placed', customer => 'request', merchant => 'cancel'),
       ordcancel.set_rule('"the shop"."Order"', 'preparing', merchant => 'request');
SELECT ordcancel.add_block('"the shop"."Order"', 'flagged', 'flag');

-- What a call answers, "7 refused OC003, 8 canceled", or the SQLSTATE that it
-- raises.
CREATE FUNCTION outcomes_of(arguments text, orders text DEFAULT '"the shop"."Order"') RETURNS text LANGUAGE plpgsql
    AS $$
DECLARE
    answer text;
BEGIN
    EXECUTE format('SELECT string_agg(concat_ws('' '', coalesce(order_id, ''-''), outcome, sqlstate), '', '''
                   ' ORDER BY n) FROM ordcancel.cancel_orders(%L, %s) WITH ORDINALITY'
                   ' AS a (order_id, outcome, cancellation_id, sqlstate, message, n)',
                   orders, arguments) INTO answer;
    RETURN coalesce(answer, 'none');
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END
$$;
-- An order: "canceled: canceled by anna (canceled)", its status, cancellations
-- and events.
CREATE FUNCTION story(order_id integer) RETURNS text LANGUAGE sql AS $$
SELECT format('%s: %s (%s)', o."Status",
              (SELECT string_agg(c.state, ' ' ORDER BY c.cancellation_id) FROM "the shop"."Order_cancellation" AS c
               WHERE c."Id" = o."Id"),
              (SELECT string_agg(e.type, ' ' ORDER BY e.event_id) FROM "the shop"."Order_cancellation_event" AS e
               WHERE e."Id" = o."Id"))
FROM "the shop"."Order" AS o WHERE o."Id" = story.order_id
$$;
CREATE FUNCTION stories(VARIADIC ids integer[]) RETURNS text LANGUAGE sql AS
    $$ SELECT string_agg(story(id), ', ' ORDER BY n) FROM unnest(ids) WITH ORDINALITY AS i (id, n) $$;

-- ------------------------------------------------------------- every outcome

UPDATE "the shop"."Order" SET "Status" = 'preparing' WHERE "Id" = 3;
UPDATE "the shop"."Order" SET "Status" = 'shipped' WHERE "Id" = 5;
UPDATE "the shop"."Order" SET due = 9.90 WHERE "Id" = 2;
UPDATE "the shop"."Order" SET flag = true WHERE "Id" = 6;
UPDATE "the shop"."Order" SET due = 'NaN' WHERE "Id" = 7;
SELECT ordcancel.cancel_order('"the shop"."Order"', 4), ordcancel.request_cancel('"the shop"."Order"', 8);
SELECT is(outcomes_of($$'{9,7,NULL,6,1,999,5,x,4,3,2,8}'$$),
          '9 canceled, 7 refused OC014, - refused OC002, 6 refused OC005, 1 canceled, 999 refused OC002, '
          '5 refused OC003, x refused OC002, 4 already, 3 requested, 2 in_progress, 8 canceled',
          'one row for each id, in the order given');
SELECT is(stories(1, 2, 3, 4, 5, 6, 7, 8),
          'canceled: canceled (canceled), refunding: in_progress (accepted), asked: requested (requested), '
          'canceled: canceled (canceled), shipped:  (), placed:  (), placed:  (), canceled: canceled (requested '
          'canceled)',
          'and so it was done');
SELECT is(outcomes_of($$'{3}'$$), '3 canceled', 'the second call confirms what the merchant has asked');
SELECT is(outcomes_of($$'{1,2,3,8}'$$), '1 already, 2 already, 3 already, 8 already', 'once more: all is so already');
SELECT is(stories(1, 2, 3),
          'canceled: canceled (canceled), refunding: in_progress (accepted), canceled: canceled (requested canceled)',
          'which changes nothing');
SELECT is((SELECT array_agg(a.cancellation_id ORDER BY n)
           FROM ordcancel.cancel_orders('"the shop"."Order"', '{1,5,2,999,3}') WITH ORDINALITY AS a (i, o,
                       cancellation_id, s, m, n)),
          ARRAY[(SELECT cancellation_id FROM "the shop"."Order_cancellation" WHERE "Id" = 1), NULL,
                (SELECT cancellation_id FROM "the shop"."Order_cancellation" WHERE "Id" = 2),
                NULL, (SELECT cancellation_id FROM "the shop"."Order_cancellation" WHERE "Id" = 3)],
          'each with its cancellation');
SELECT is((SELECT count(*) FROM ordcancel.cancel_orders('"the shop"."Order"', '{1,2,5,999,NULL}') AS a
           WHERE (a.outcome = 'refused') <> (a.sqlstate IS NOT NULL) OR (a.sqlstate IS NULL) <> (a.message IS NULL)),
          0::bigint, 'SQLSTATE and message: just those of a refusal');
SELECT throws_ok(format('SELECT ordcancel.cancel_order(''"the shop"."Order"'', %L)', a.order_id), a.sqlstate, a.message,
                 'cancel_order says the same of order ' || a.order_id)
FROM ordcancel.cancel_orders('"the shop"."Order"', '{5,6,7,999,x}') AS a;
INSERT INTO "the shop"."Order" ("Id", "Status") VALUES (301, 'canceled');
SELECT is((SELECT concat_ws(' ', a.outcome, a.cancellation_id)
           FROM ordcancel.cancel_orders('"the shop"."Order"', '{301}') AS a), 'already',
          'an imported canceled order has no cancellation');

-- ---------------------------------------------------------- reason, note, actor

SELECT is(outcomes_of($$'{11,4,12,5}', 'no such reason'$$),
          '11 refused OC006, 4 already, 12 refused OC006, 5 refused OC003',
          'an unknown reason; the rule comes first');
SELECT is(outcomes_of($$'{11}', 'other'$$), '11 refused OC006', 'a reason that wants a note');
SELECT is(outcomes_of($$'{11}', note => repeat('x', 10485760)$$), '11 refused OC006', 'a note of 10 MB');
SELECT is(outcomes_of($$'{11}', repeat('x', 10485760)$$), '11 refused OC006', 'a reason of 10 MB');
SELECT is(outcomes_of($$'{11}', actor => repeat('x', 10485760)$$), '22001', 'an actor of 10 MB');
SELECT is(outcomes_of($$'{11,12}', 'other', 'too "late"', 'anna'$$), '11 canceled, 12 canceled', 'with all of it');
SELECT is((SELECT array_agg(concat_ws('|', c.reason, c.note, c.requested_by, c.requested_actor, c.decided_by,
                                      c.decided_actor, e.actor, e.reason, e.party, e.source,
                                      e.session_role = session_user, e.data)
                            ORDER BY c."Id")
           FROM "the shop"."Order_cancellation" AS c JOIN "the shop"."Order_cancellation_event" AS e
               USING (cancellation_id) WHERE c."Id" IN (11, 12)),
          array_fill('other|too "late"|merchant|anna|merchant|anna|anna|other|merchant|cancel_orders|t'::text,
                     ARRAY[2]), 'each order has it recorded');
SET LOCAL ordcancel.actor = 'set before';
SELECT is(outcomes_of($$'{13}'$$), '13 canceled', 'with none of it');
SELECT is((SELECT concat_ws('|', reason, note, requested_actor) FROM "the shop"."Order_cancellation" WHERE "Id" = 13),
          'set before', 'the actor is that of the setting then');
RESET ordcancel.actor;
SELECT ordcancel.set_policy('"the shop"."Order"', reason_required => true);
SELECT is(outcomes_of($$'{14}'$$), '14 refused OC006', 'a reason that is missing');
SELECT ordcancel.set_policy('"the shop"."Order"', reason_required => false);

-- ------------------------------------------------------------------- duplicates

UPDATE "the shop"."Order" SET "Status" = 'preparing' WHERE "Id" IN (22, 23);
SELECT is(outcomes_of($$'{21,22,21,5,22,5,999,999,NULL,NULL,x,x,22}'$$),
          '21 canceled, 22 requested, 21 already, 5 refused OC003, 22 already, 5 refused OC003, 999 refused OC002, '
          '999 refused OC002, - refused OC002, - refused OC002, x refused OC002, x refused OC002, 22 already',
          'an order that is named twice is done once');
SELECT is(stories(21, 22), 'canceled: canceled (canceled), asked: requested (requested)',
          'and what was asked is not confirmed by its second name');
SELECT is(outcomes_of($$ARRAY['23', ' 23', '+23', '0023']$$), '23 requested, 23 already, 23 already, 23 already',
          'also when it is written otherwise');
SELECT is(story(23), 'asked: requested (requested)', 'which is the same order still');
SELECT is((SELECT count(DISTINCT a.cancellation_id)
           FROM ordcancel.cancel_orders('"the shop"."Order"', '{24,24,24}') AS a), 1::bigint,
          'they all have the one cancellation');

-- ------------------------------------------------------------ how ids are given

SELECT is(outcomes_of(v.ids), v.answer, 'ids as ' || v.ids)
FROM (VALUES ('''{}''', 'none'), ('''{}''::integer[]', 'none'), ('NULL', 'none'), ('NULL::bigint[]', 'none'),
             ('ARRAY[NULL::integer]', '- refused OC002'),
             ('ARRAY[31]', '31 canceled'), ('ARRAY[32]::bigint[]', '32 canceled'),
             ('ARRAY[33]::smallint[]', '33 canceled'), ('ARRAY[34.0]', '34.0 refused OC002'),
             ('ARRAY[35]::numeric[]', '35 canceled'), ('''{36}''::text[]', '36 canceled'),
             ('''{37}''::varchar[]', '37 canceled'), ('''{38}''::name[]', '38 canceled'),
             ('ARRAY[''39'']::char(5)[]', '39 canceled'), ('''{40}''::text', '40 canceled'),
             ('''{41}''::varchar', '41 canceled'), ('''40 41 42''::int2vector', '40 already, 41 already, 42 canceled'),
             ('''{{43,44},{45,46}}''', '43 canceled, 44 canceled, 45 canceled, 46 canceled'),
             ('ARRAY[[43], [47]]', '43 already, 47 canceled'),
             ('''[7:8]={48,49}''', '48 canceled, 49 canceled'), ('''{" 50 ", "51"}''', '50 canceled, 51 canceled'),
             ('ARRAY['' 52 '']', '52 canceled'),
             ('''{52''', '22P02'), ('''52''', '22P02'), ('''''', '22P02'), ('''{52}}''', '22P02'),
             ('''{{52},53}''', '22P02'), ('''{52,,53}''', '22P02'),
             ('repeat(''{'', 10485760)', '54000'),
             ('ARRAY[''x'', '''', E''\n'', ''9999999999'', ''null'']', 'x refused OC002,  refused OC002, ' || E'\n'
              || ' refused OC002, 9999999999 refused OC002, null refused OC002'),
             ('ARRAY[9999999999, 53]', '9999999999 refused OC002, 53 canceled'), ('ARRAY[true]', 't refused OC002'),
             ('ARRAY[now()]::date[]', to_char(now(), 'YYYY-MM-DD') || ' refused OC002'),
             ('ARRAY[ROW(54)]', '(54) refused OC002'), ('ARRAY[ROW(54, 55)]', '(54,55) refused OC002'),
             ('ARRAY[''{}''::jsonb]', '{} refused OC002'), ('54', '42883'),
             ('''{}''::jsonb', '42883')) AS v (ids, answer);
SELECT is((SELECT concat_ws(' ', length(a.order_id), a.outcome, a.sqlstate, length(a.message) < 500)
           FROM ordcancel.cancel_orders('"the shop"."Order"', ARRAY[repeat('7', 10485760)]) AS a),
          '10485760 refused OC002 t', 'an id of 10 MB is told as it was given, with a short message');
CREATE DOMAIN ids AS integer[] CHECK (array_length(value, 1) > 1);
SELECT is(outcomes_of('''{55,56}''::ids'), '55 canceled, 56 canceled', 'a domain over arrays');
PREPARE untyped AS SELECT count(*) FROM ordcancel.cancel_orders('"the shop"."Order"', $1) AS a
WHERE a.outcome = 'canceled';
PREPARE typed (bigint[]) AS SELECT count(*) FROM ordcancel.cancel_orders('"the shop"."Order"', $1) AS a
WHERE a.outcome = 'canceled';
EXECUTE untyped('{57,58}') \gset untyped_
EXECUTE typed('{59,60}') \gset typed_
SELECT is(ARRAY[:untyped_count, :typed_count], '{2,2}', 'parameters with and without a type');

-- --------------------------------------------------------------- keys of all types

CREATE TYPE colour AS ENUM ('red', 'green');
CREATE DOMAIN code AS text CHECK (value ~ '^[A-Z]');
CREATE EXTENSION citext;
CREATE FUNCTION make(name text, columns text, keys text, VARIADIC rows text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TABLE %I (status text, %s, PRIMARY KEY (%s))', name, columns, keys);
    EXECUTE format('INSERT INTO %I VALUES %s', name,
                   (SELECT string_agg(format('(''placed'', %s)', r), ', ') FROM unnest(rows) AS r));
    PERFORM ordcancel.attach(name::regclass, 'status'),
    ordcancel.set_policy(name::regclass, canceled_status => 'canceled', requested_status => 'asked'),
            ordcancel.set_rule(name::regclass, 'placed', merchant => 'request');
END
$$;
SELECT make('k_bigint', 'id bigint', 'id', '5000000000', '7'),
       make('k_uuid', 'id uuid', 'id', '''a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'''),
       make('k_text', 'id text', 'id', '''Ärger, "1" {a} \b''', '''NULL''', ''''''),
       make('k_char', 'id char(6)', 'id', '''A-1'''),
       make('k_numeric', 'id numeric', 'id', '1.50', '2'), make('k_enum', 'id colour', 'id', '''green''', '''red'''),
       make('k_code', 'id code', 'id', '''A''', '''B'''),
       make('k_citext', 'id citext', 'id', '''Abc'''), make('k_array', 'id integer[]', 'id', '''{1,2}'''),
       make('k_date', 'id date', 'id', '''2026-03-04'''),
       make('k_two', 'branch text, no integer', 'branch, no', '''north, "N"'', 42', '''s'', 42', '''s'', 43'),
       make('k_reordered', 'branch text, no integer', 'no, branch', '''s'', 42');
SELECT is(outcomes_of(v.ids, v.orders), v.answer, v.orders || ': ids as ' || v.ids)
FROM (VALUES ('k_bigint', 'ARRAY[7, 7]', '7 requested, 7 already'),
             ('k_bigint', 'ARRAY[5000000000, 5000000001]', '5000000000 requested, 5000000001 refused OC002'),
             ('k_uuid', '''{A0EEBC999C0B4EF8BB6D6BB9BD380A11,a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11,no uuid}''',
              'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11 requested, a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11 already, '
              'no uuid refused OC002'),
             ('k_uuid', 'ARRAY[''a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11''::uuid]',
              'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11 canceled'),
             ('k_text', 'ARRAY[''Ärger, "1" {a} \b'', ''NULL'', '''', NULL, '' '']',
              'Ärger, "1" {a} \b requested, NULL requested,  requested, - refused OC002,   refused OC002'),
             ('k_text', '''{"NULL",NULL,""}''', 'NULL canceled, - refused OC002,  canceled'),
             ('k_text', 'ARRAY[repeat(''x'', 3000000), repeat(''x'', 3000000)]',
              repeat('x', 3000000) || ' refused OC002, ' || repeat('x', 3000000) || ' refused OC002'),
             ('k_char', 'ARRAY[''A-1'', ''A-1   '']', 'A-1 requested, A-1 already'),
             ('k_numeric', 'ARRAY[1.5, 1.50, 1.500, 2.00, 2]',
              '1.50 requested, 1.50 already, 1.50 already, 2 requested, 2 already'),
             ('k_numeric', '''{2,2.0,NaN}''', '2 canceled, 2 already, NaN refused OC002'),
             ('k_enum', '''{green,red,blue,green}''::text[]',
              'green requested, red requested, blue refused OC002, green already'),
             ('k_enum', '''{red,NULL}''::colour[]', 'red canceled, - refused OC002'),
             ('k_code', '''{A,a,B}''', 'A requested, a refused OC002, B requested'),
             ('k_code', '''{A}''::code[]', 'A canceled'),
             ('k_citext', '''{ABC,abc,Abc}''', 'Abc requested, Abc already, Abc already'),
             ('k_array', '''{"{1,2}","{ 1,2}","{2}"}''', '{1,2} requested, {1,2} already, {2} refused OC002'),
             ('k_date', 'ARRAY[''4 March 2026'', ''2026-03-04'', ''2026-02-30'']',
              '2026-03-04 requested, 2026-03-04 already, 2026-02-30 refused OC002'),
             ('k_two', 'ARRAY[ROW(''s'', 42), ROW(''s'', 44), ROW(''s'', 43), ROW(''s'', 42)]',
              '(s,42) requested, (s,44) refused OC002, (s,43) requested, (s,42) already'),
             ('k_two', $$'{"(s,42)","(\"north, \"\"N\"\"\",42)","(s,)","(s,42,1)",s,NULL}'$$,
              '(s,42) canceled, ("north, ""N""",42) requested, (s,) refused OC002, (s,42,1) refused OC002, '
              's refused OC002, - refused OC002'),
             ('k_two', 'ARRAY[ROW(''s'', NULL), ROW(NULL, NULL), ROW(43, ''s'')]',
              '(s,) refused OC002, (,) refused OC002, (43,s) refused OC002'),
             ('k_two', 'ARRAY[42]', '42 refused OC002'),
             ('k_reordered', 'ARRAY[ROW(42, ''s''::text), (42, ''s'')]',
              '(42,s) requested, (42,s) already')) AS v (orders, ids, answer);
SELECT is((SELECT string_agg(order_key || ' ' || state, ', ' ORDER BY cancellation_id) FROM k_numeric_cancellation),
          '1.50 requested, 2 canceled', 'the key is recorded as the order has it');

-- --------------------------------------------------------------------- on_error

SELECT is(outcomes_of('''{61,62}'', on_error => ' || word), '22023', 'on_error ' || word)
FROM unnest(ARRAY['NULL', '''''', '''Abort''', '''skip ''', 'repeat(''x'', 10485760)', '''continue''']) AS word;
UPDATE "the shop"."Order" SET "Status" = 'preparing' WHERE "Id" = 63;
SELECT is(outcomes_of(format('%L, on_error => ''abort''', ids)), code, 'abort: ' || ids)
FROM (VALUES ('{61,5,62}', 'OC003'), ('{61,6}', 'OC005'), ('{61,7}', 'OC014'), ('{61,999}', 'OC002'),
             ('{x,61}', 'OC002'), ('{61,NULL}', 'OC002'), ('{999,61}', 'OC002')) AS v (ids, code);
SELECT is(outcomes_of($$'{61,62}', 'no such reason', on_error => 'abort'$$), 'OC006', 'abort: a bad reason');
SELECT is(stories(61, 62, 63), 'placed:  (), placed:  (), preparing:  ()', 'nothing was done to any');
SELECT is(outcomes_of($$'{62,63,61,62,4}', on_error => 'abort'$$),
          '62 canceled, 63 requested, 61 canceled, 62 already, 4 already', 'abort, and nothing is wrong: all of them');
SELECT is(outcomes_of($$'{}', on_error => 'abort'$$), 'none', 'abort: none');
SELECT throws_ok($$SELECT ordcancel.cancel_orders('"the shop"."Order"', '{5}', on_error => 'abort')$$, 'OC003',
                 'order 5 of "the shop"."Order" cannot be canceled by the merchant in status "shipped"',
                 'abort raises just what cancel_order does');

-- -------------------------------------------------------------- no order table

SELECT is(outcomes_of('''{1}''', orders), 'OC001', coalesce(orders, 'NULL') || ' is not attached')
FROM unnest(ARRAY[NULL, '0', '4294967295', 'pg_class', 'attempted', 'k_two_cancellation', 'k_two_pkey',
                  'ordcancel.event']) AS orders
WHERE orders IS DISTINCT FROM 'attempted';
SELECT is(attempt('SELECT ordcancel.cancel_orders(NULL, ''{1}'')'), 'OC001', 'nor NULL');

-- --------------------------------------------------- where a function may stand

SELECT is((SELECT count(*) FROM (SELECT ordcancel.cancel_orders('"the shop"."Order"', '{71,72,71}')) AS a), 3::bigint,
          'in the list of a SELECT');
SELECT is((WITH done AS (SELECT * FROM ordcancel.cancel_orders('"the shop"."Order"', '{73,74}'))
           SELECT string_agg(d.outcome || ' ' || o."Status", ', ' ORDER BY d.order_id)
           FROM done AS d JOIN "the shop"."Order" AS o ON o."Id"::text = d.order_id),
          'canceled placed, canceled placed', 'in a CTE, whose statement sees what was before it');
SELECT is((SELECT string_agg(a.order_id || ' ' || a.outcome, ', ' ORDER BY g) FROM generate_series(75, 77) AS g,
                LATERAL ordcancel.cancel_orders('"the shop"."Order"', ARRAY[g, 75]) AS a WHERE a.order_id = g::text
             AND a.outcome <> 'already'),
          '75 canceled, 76 canceled, 77 canceled', 'LATERAL, once for each row');
SELECT is((SELECT count(*)
           FROM ordcancel.cancel_orders('"the shop"."Order"',
                                        (SELECT array_agg("Id") FROM "the shop"."Order"
                                         WHERE "Id" BETWEEN 78 AND 80)) AS a WHERE a.outcome = 'canceled'), 3::bigint,
          'the ids from a query');
SELECT is((SELECT count(*) FROM ordcancel.cancel_orders('"the shop"."Order"', '{81,82,83}') AS a LIMIT 1), 3::bigint,
          'all are done');
PREPARE few AS SELECT a.order_id FROM ordcancel.cancel_orders('"the shop"."Order"', '{84,85,86}') AS a LIMIT 1;
EXECUTE few;
SELECT is(stories(84, 85, 86),
          'canceled: canceled (canceled), canceled: canceled (canceled), canceled: canceled (canceled)',
          'also where a LIMIT looks at the first alone');
CREATE FUNCTION in_plpgsql() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    a record;
BEGIN
    FOR a IN SELECT * FROM ordcancel.cancel_orders('"the shop"."Order"', '{87,5}') LOOP
        RETURN NEXT concat_ws(' ', a.order_id, a.outcome,
                              (SELECT "Status" FROM "the shop"."Order" WHERE "Id"::text = a.order_id));
    END LOOP;
    BEGIN
        PERFORM ordcancel.cancel_orders('"the shop"."Order"', '{88,5}', on_error => 'abort');
    EXCEPTION WHEN SQLSTATE 'OC003' THEN
        RETURN NEXT story(88);
    END;
    BEGIN
        PERFORM ordcancel.cancel_orders('"the shop"."Order"', '{89}');
        RAISE EXCEPTION 'back';
    EXCEPTION WHEN raise_exception THEN
        RETURN NEXT story(89);
    END;
END
$$;
SELECT is((SELECT array_agg(t) FROM in_plpgsql() AS t),
          '{87 canceled canceled,5 refused shipped,placed:  (),placed:  ()}', 'in PL/pgSQL, with blocks that catch');
DECLARE answers CURSOR FOR SELECT a.order_id FROM ordcancel.cancel_orders('"the shop"."Order"', '{91,92}') AS a;
FETCH 1 FROM answers;
CLOSE answers;
SELECT is(stories(91, 92), 'canceled: canceled (canceled), canceled: canceled (canceled)', 'by a cursor');
SELECT is(attempt($$UPDATE "the shop"."Order"
                        SET supplier = (SELECT min(a.outcome)
                                        FROM ordcancel.cancel_orders('"the shop"."Order"', ARRAY["Id"]) AS a)
WHERE "Id" = 93$$), '27000',
          'in an UPDATE of the very order');
SELECT is(story(93), 'placed:  ()', 'which is not done by halves');
SELECT is((SELECT string_agg(b.order_id || ' ' || b.outcome, ', ' ORDER BY b.order_id)
           FROM ordcancel.cancel_orders('"the shop"."Order"',
                                        (SELECT array_agg(a.order_id)
                                         FROM ordcancel.cancel_orders('"the shop"."Order"', '{94,95}') AS a)) AS b),
          '94 already, 95 already', 'one call within another');

-- -------------------------------------------------------------------- transactions

SAVEPOINT a;
SELECT is(outcomes_of('ARRAY[101, 102]'), '101 canceled, 102 canceled', 'in a savepoint');
ROLLBACK TO a;
SELECT is(stories(101, 102), 'placed:  (), placed:  ()', 'which takes it back');
SELECT is(outcomes_of('ARRAY[101, 102]'), '101 canceled, 102 canceled', 'and it may be done after that');
SAVEPOINT a;
SELECT is(outcomes_of('ARRAY[103, 5, 104]'), '103 canceled, 5 refused OC003, 104 canceled', 'a savepoint');
SAVEPOINT b;
SELECT is(outcomes_of('ARRAY[105]'), '105 canceled', 'in a savepoint');
RELEASE b;
ROLLBACK TO a;
SELECT is(stories(103, 104, 105), 'placed:  (), placed:  (), placed:  ()', 'takes all of it back');
SELECT is((SELECT count(*) FROM ordcancel.event AS e WHERE e.order_key::text IN ('103', '104', '105')), 0::bigint,
          'events too');

-- Rules that change in between count at once.
SELECT ordcancel.set_rule('"the shop"."Order"', 'placed', merchant => 'forbid');
SELECT is(outcomes_of('ARRAY[106]'), '106 refused OC003', 'a rule that has just been set');
SELECT ordcancel.set_policy('"the shop"."Order"', canceled_status => 'void'),
       ordcancel.set_rule('"the shop"."Order"', 'placed', merchant => 'cancel');
SELECT is(outcomes_of('ARRAY[106]'), '106 canceled', 'and another one');
SELECT is(story(106), 'void: canceled (canceled)', 'with another status');
SAVEPOINT a;
SELECT ordcancel.set_policy('"the shop"."Order"', canceled_status => 'lost');
SELECT is(outcomes_of('ARRAY[107]'), '107 canceled', 'a status of a savepoint');
ROLLBACK TO a;
SELECT is(outcomes_of('ARRAY[107]'), '107 canceled', 'that is taken back');
SELECT is(story(107), 'void: canceled (canceled)', 'is not written any more');
SELECT ordcancel.detach('"the shop"."Order"');
SELECT is(outcomes_of('ARRAY[108]'), 'OC001', 'a table that was detached');
SELECT ordcancel.attach('"the shop"."Order"', 'Status');
SELECT is(outcomes_of('ARRAY[108, 106]'), '108 refused OC003, 106 already',
          'attached again: no rules yet, but the records');
SELECT ordcancel.set_policy('"the shop"."Order"', canceled_status => 'canceled'),
       ordcancel.set_rule('"the shop"."Order"', 'placed', merchant => 'cancel');
SELECT is(outcomes_of('ARRAY[108, 7]'), '108 canceled, 7 canceled', 'with rules');

-- ---------------------------------------------------------------- privileges

CREATE ROLE orders_clerk;
CREATE ROLE orders_shopper;
CREATE ROLE orders_granted;
SELECT ordcancel.grant_merchant('orders_clerk'), ordcancel.grant_customer('orders_shopper');
GRANT USAGE ON SCHEMA "the shop" TO PUBLIC;
GRANT SELECT ON "the shop"."Order" TO orders_clerk, orders_shopper;
GRANT USAGE ON SCHEMA ordcancel TO orders_granted;
UPDATE "the shop"."Order" SET buyer = 'bob' WHERE "Id" % 2 = 0;
CREATE FUNCTION outcomes_as(role name, arguments text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text;
BEGIN
    EXECUTE format('SET LOCAL ROLE %I', role);
    answer := outcomes_of(arguments);
    RESET ROLE;
    RETURN answer;
END
$$;
SELECT is(outcomes_as('orders_shopper', 'ARRAY[121]'), '42501', 'a customer may not');
SELECT is(outcomes_as('orders_shopper', '''{121}'''), '42501', 'nor with a literal');
SELECT is(outcomes_as('orders_clerk', '''{121,122}'''), '121 canceled, 122 canceled', 'a merchant may');
ALTER TABLE "the shop"."Order" ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON "the shop"."Order" TO orders_clerk, orders_granted USING (buyer = 'ann');
SELECT is(outcomes_as('orders_clerk', 'ARRAY[124, 123, 999, 125, 126, 5, 121, 122]'),
          '124 refused OC002, 123 canceled, '
                                                                                  '999 refused OC002, 125 canceled, '
                                                                                  '126 refused OC002, 5 refused OC003, '
                                                                                  '121 already, 122 refused OC002',
          'row security hides orders');
SELECT is(stories(123, 124), 'canceled: canceled (canceled), placed:  ()', 'which stay as they are');
SET LOCAL ROLE orders_clerk;
SELECT is((SELECT count(DISTINCT (a.outcome, a.cancellation_id, a.sqlstate, replace(a.message, a.order_id, '')))
           FROM ordcancel.cancel_orders('"the shop"."Order"', '{122,124,999}') AS a), 1::bigint,
          'and are told as if they were not there');
RESET ROLE;
SELECT is(outcomes_as('orders_clerk', 'ARRAY[124, 127], on_error => ''abort'''), 'OC002', 'abort: a hidden order');
SELECT is(story(127), 'placed:  ()', 'stops all');
GRANT EXECUTE ON FUNCTION ordcancel.cancel_orders(regclass, anyarray, text, text, text, text, jsonb) TO orders_granted;
GRANT SELECT ("Id", buyer) ON "the shop"."Order" TO orders_granted;
SELECT is(outcomes_as('orders_granted', 'ARRAY[127, 128]'), '127 canceled, 128 refused OC002',
          'EXECUTE and SELECT on the key are enough');
SELECT is(outcomes_as('orders_granted', '''{129}'''), '42501', 'of that function alone');
SELECT is((SELECT requested_by || ' ' || requested_actor FROM "the shop"."Order_cancellation" WHERE "Id" = 127),
          'merchant orders_granted', 'who acts is recorded');
REVOKE SELECT ("Id", buyer) ON "the shop"."Order" FROM orders_granted;
SELECT ok(outcomes_as('orders_granted', 'ARRAY[129]') IN ('42501', '129 refused 42501'),
          'EXECUTE without SELECT is refused');
SELECT is(story(129), 'placed:  ()', 'and changes nothing');
SELECT is(attempt_as('orders_clerk', statement), '42501', 'no other right comes with it: ' || statement)
FROM unnest(ARRAY['UPDATE "the shop"."Order" SET flag = flag',
                  'SELECT FROM "the shop"."Order_cancellation"']) AS statement;

SELECT * FROM finish();
ROLLBACK;
