-- attach and detach: any table of orders that will do, by any name; what will
-- not is refused with OC014 and left as it was.
BEGIN;
SELECT plan(72);
CREATE SCHEMA shop;

-- ------------------------------------------------------- what will not do

CREATE TABLE shop.plain (id integer PRIMARY KEY, status text, placed timestamptz, note text,
                         upper_status text GENERATED ALWAYS AS (upper(note)) STORED);
CREATE TABLE shop.no_key (id integer, status text);
CREATE TABLE shop.unique_only (id integer UNIQUE NOT NULL, status text);
CREATE TABLE shop.deferred (id integer PRIMARY KEY DEFERRABLE, status text);
CREATE TABLE shop.status_in_key (id integer, status text, PRIMARY KEY (id, status));
CREATE TABLE shop.status_of_key (id integer, status text, initial text GENERATED ALWAYS AS (left(status, 1)) STORED,
                                 PRIMARY KEY (id, initial));
CREATE TABLE shop.divided (id integer, status text, region text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE shop.divided_eu PARTITION OF shop.divided FOR VALUES IN ('eu');
CREATE TABLE shop.parent (id integer PRIMARY KEY, status text);
CREATE TABLE shop.child (PRIMARY KEY (id)) INHERITS (shop.parent);
CREATE TEMP TABLE fleeting (id integer PRIMARY KEY, status text);
CREATE VIEW shop.seen AS SELECT * FROM shop.plain;
CREATE MATERIALIZED VIEW shop.frozen AS SELECT * FROM shop.plain;
CREATE SEQUENCE shop.counter;
CREATE FOREIGN DATA WRAPPER pgtap_wrapper;
CREATE SERVER pgtap_server FOREIGN DATA WRAPPER pgtap_wrapper;
CREATE FOREIGN TABLE shop.far (id integer, status text) SERVER pgtap_server;
SELECT throws_ok(format('SELECT ordcancel.attach(%s)', arguments), 'OC014', NULL, 'attach refuses ' || because)
FROM (VALUES ($$'shop.no_key', 'status'$$, 'a table without a primary key'),
             ($$'shop.unique_only', 'status'$$, 'a key that is only unique'),
             ($$'shop.deferred', 'status'$$, 'a key that is checked late'),
             ($$'shop.status_in_key', 'status'$$, 'a status in the key'),
             ($$'shop.status_of_key', 'status'$$, 'a key that is computed from the status'),
             ($$'shop.divided_eu', 'status'$$, 'a partition'),
             ($$'shop.parent', 'status'$$, 'a table that others inherit from'),
             ($$'shop.child', 'status'$$, 'a table that inherits'), ($$'fleeting', 'status'$$, 'a temporary table'),
             ($$'shop.seen', 'status'$$, 'a view'),
             ($$'shop.frozen', 'status'$$, 'a materialized view'), ($$'shop.counter', 'last_value'$$, 'a sequence'),
             ($$'shop.far', 'status'$$, 'a foreign table'),
             ($$'pg_catalog.pg_class', 'relname'$$, 'a catalog'),
             ($$'ordcancel.cancellation', 'state'$$, 'a table of its own'),
             ($$'shop.plain_pkey', 'id'$$, 'an index'),
             ($$'shop.plain', 'state'$$, 'a status column that is not there'),
             ($$'shop.plain', NULL$$, 'no status column'), ($$'shop.plain', 'ctid'$$, 'a system column'),
             ($$'shop.plain', 'upper_status'$$, 'a generated status'),
             ($$'shop.plain', 'status', 'when'$$, 'a placed_at column that is not there'),
             ($$'shop.plain', 'status', 'note'$$, 'a placed_at that is no time'),
             ($$'shop.plain', 'status', policy_by => 'shop'$$, 'a policy_by column that is not there'),
             ($$'shop.plain', 'status', refund_due => 'paid'$$, 'a refund_due of what is not there'),
             ($$'shop.plain', 'status', refund_due => 'placed'$$, 'a refund_due that is no number'),
             ($$'shop.plain', 'status', refund_due => ''$$, 'an empty refund_due'),
             ($$'shop.plain', 'status', refund_due => 'sum(id)'$$, 'a refund_due over many rows'),
             ($$'shop.plain', 'status', refund_due => '1) FROM pg_class; DROP TABLE shop.plain; --'$$,
              'a refund_due that goes its own way'),
             ($$'shop.plain', 'status', notify_channel => ''$$, 'a channel without a name'),
             ($$'shop.plain', 'status', notify_channel => repeat('c', 64)$$, 'a channel whose name is too long'),
             ($$'shop.plain', 'status', unset => '{statuses}'$$, 'to unset what is no argument'),
             ($$'shop.plain', 'status', unset => '{status}'$$, 'to unset the status'),
             ($$'shop.plain', 'status', preset => 'nosuchsystem'$$,
              'a preset that is not there')) AS r (arguments, because);
SELECT throws_ok('SELECT ordcancel.attach(NULL, ''status'')', 'OC001', NULL, 'attach refuses no table at all');
SELECT is((SELECT count(*) FROM ordcancel.order_table), 0::bigint, 'nothing of it is attached');
SELECT hasnt_table('shop'::name, 'plain_cancellation'::name, 'and no tables are left behind');
CREATE FUNCTION guards() RETURNS bigint
    LANGUAGE sql AS $$
SELECT count(*) FROM pg_trigger JOIN pg_proc AS p ON p.oid = tgfoid
WHERE tgrelid = 'shop.plain'::regclass AND p.pronamespace = 'ordcancel_internal'::regnamespace $$;
SELECT is(guards(), 0::bigint, 'nor triggers');

-- ------------------------------------------------------- again, and away

SELECT ordcancel.attach('shop.plain', 'status', 'placed', refund_due => '5.0', notify_channel => 'news');
SELECT ordcancel.set_policy('shop.plain', canceled_status => 'canceled', grace => '1 hour');
SELECT ordcancel.set_rule('shop.plain', 'new', 'cancel', 'forbid', 'cancel');
SELECT ordcancel.add_block('shop.plain', 'stop', $$note = 'stop'$$);
SELECT has_table('shop'::name, 'plain_cancellation'::name, 'attach makes a table of cancellations beside it');
SELECT has_table('shop'::name, 'plain_cancellation_event'::name, 'and one of events');
SELECT col_type_is('shop', 'plain_cancellation', 'order_id', 'integer',
                   'its key is there, by another name where it was id');
SELECT isnt_empty('SELECT FROM ordcancel.order_table WHERE orders = ''shop.plain''::regclass AND refund_due = ''5.0'' '
                  'AND notify_channel = ''news''', 'what it was told is kept');
INSERT INTO shop.plain VALUES (1, 'new', '2000-01-01', ''), (2, 'new', now(), ''), (3, 'new', now(), '');
SELECT cmp_ok(guards(), '>', 0::bigint, 'the table has guards');
CREATE TEMP TABLE guards_before AS SELECT guards();
SELECT throws_ok($$SELECT ordcancel.request_cancel('shop.plain', 1)$$, 'OC004', NULL, 'placed_at counts');
SELECT is((ordcancel.request_cancel('shop.plain', 2)).refund_due, 5.0, 'refund_due counts');
SELECT is(ordcancel.attach('shop.plain', unset => '{placed_at,refund_due,notify_channel}'),
          'shop.plain: attached again, placed_at: placed -> none; refund_due: 5.0 -> none; notify_channel: news -> '
          'ordcancel', 'attached again, it says what it changed');
SELECT is((SELECT concat_ws(' ', status, placed_at, policy_by, refund_due, plain_updates, notify_channel, inherit)
           FROM ordcancel.order_table),
          'status t ordcancel t', 'and it is what it is told now');
SELECT is((ordcancel.request_cancel('shop.plain', 1)).state, 'canceled',
          'placed_at and refund_due count no more, the policy stays');
UPDATE shop.plain SET note = 'stop' WHERE id = 3;
SELECT throws_ok($$SELECT ordcancel.cancel_order('shop.plain', 3)$$, 'OC005', NULL, 'the block stays');
SELECT is((SELECT count(*) FROM shop.plain_cancellation), 2::bigint, 'and the records');
SELECT results_eq('SELECT guards()', 'SELECT * FROM guards_before', 'the guards are not doubled');

SELECT ordcancel.detach('shop.plain');
SELECT is((SELECT count(*) FROM shop.plain_cancellation), 2::bigint, 'detach keeps the records');
SELECT is((SELECT count(*) FROM ordcancel.cancellation), 0::bigint, 'which are the user''s own then');
SELECT lives_ok($$UPDATE shop.plain SET status = 'new' WHERE id = 1$$, 'no guard is left');
SELECT lives_ok($$DELETE FROM shop.plain WHERE id = 3$$, 'of any kind');
SELECT is((SELECT count(*) FROM ordcancel.policy) + (SELECT count(*) FROM ordcancel.rule) + (SELECT count(*)
            FROM ordcancel.block), 0::bigint, 'policies, rules and blocks are gone');
SELECT throws_ok($$SELECT ordcancel.cancel_order('shop.plain', 1)$$, 'OC001', NULL, 'nothing can be canceled');
SELECT throws_ok($$SELECT ordcancel.detach('shop.plain')$$, 'OC001', 'table shop.plain is not attached to ordcancel',
                 'nor detached again');
UPDATE shop.plain SET status = 'canceled' WHERE id = 1;
SELECT ordcancel.attach('shop.plain', 'status');
SELECT ordcancel.set_policy('shop.plain', canceled_status => 'canceled');
SELECT is((SELECT count(*) FROM ordcancel.cancellation), 2::bigint, 'attached anew, it takes its records up');
SELECT is((SELECT state || ' ' || order_status FROM ordcancel.undo_cancel('shop.plain', 1)), 'undone new',
          'and goes on with them');
SELECT throws_ok('UPDATE shop.plain_cancellation SET note = NULL', '23514', NULL, 'which nobody else may write again');
SELECT ordcancel.detach('shop.plain');
ALTER TABLE shop.plain_cancellation DROP COLUMN decision_note;
SELECT throws_ok($$SELECT ordcancel.attach('shop.plain', 'status')$$, 'OC014',
                 'table shop.plain_cancellation exists but is not a record table of shop.plain',
                 'unless they are not what they were');
SELECT ordcancel.attach('shop.divided', 'status', inherit => false);
SELECT is_empty('SELECT FROM pg_inherits WHERE inhparent = ''ordcancel.cancellation''::regclass',
                'without inherit it stands alone');

-- ------------------------------------------------------- by any name

CREATE SCHEMA "My Shop";
CREATE TABLE "My Shop"."order" ("Id" bigint PRIMARY KEY, "Sta tus" text, "Placed""At" date, "select" text,
                                "Due€" numeric);
SELECT ordcancel.attach('"My Shop"."order"', 'Sta tus', 'Placed"At', policy_by => 'select', refund_due => '"Due€" - 1',
                        notify_channel => 'a "b"');
SELECT ordcancel.set_policy('"My Shop"."order"', 'it''s', canceled_status => 'can''t');
SELECT ordcancel.set_rule('"My Shop"."order"', 'a "new" one', 'cancel', policy => 'it''s');
SELECT ordcancel.add_block('"My Shop"."order"', 'a;b', $$"order"."Id" = 3 AND "Sta tus" IS NOT NULL$$);
INSERT INTO "My Shop"."order" SELECT n, 'a "new" one', current_date, 'it''s' FROM generate_series(1, 3) AS n;
SELECT is((SELECT state || ' ' || order_status FROM ordcancel.request_cancel('"My Shop"."order"', 1)),
          'canceled can''t', 'names and statuses of every kind work');
SELECT throws_ok($$SELECT ordcancel.request_cancel('"My Shop"."order"', '3')$$, 'OC005',
                 'cancellation of order 3 of "My Shop"."order" is blocked', 'in conditions and messages too');
SELECT throws_ok($$UPDATE "My Shop"."order" SET "Sta tus" = 'can''t' WHERE "Id" = 3$$, '23514', NULL,
                 'and for plain updates');
SELECT results_eq($$SELECT "Id", order_key, order_status FROM "My Shop".order_cancellation$$,
                  $$VALUES (1::bigint, '1', 'can''t')$$, 'the record has the key by its own name');

SELECT format('CREATE TABLE shop.%I (id integer PRIMARY KEY, status text)', repeat(c, n))
FROM (VALUES ('x', 63), ('ü', 31)) AS v (c, n) \gexec
SELECT ordcancel.attach(format('shop.%I', repeat(c, n))::regclass, 'status')
FROM (VALUES ('x', 63), ('ü', 31)) AS v (c, n);
SELECT set_eq($$SELECT relname::text FROM pg_class WHERE relnamespace = 'shop'::regnamespace AND relkind = 'r'
                    AND relname ~ '^(xx|üü)'$$,
              ARRAY[repeat('x', 63), repeat('x', 50) || '_cancellation', repeat('x', 44) || '_cancellation_event',
                    repeat('ü', 31), repeat('ü', 25) || '_cancellation', repeat('ü', 22) || '_cancellation_event'],
              'long names are shortened within what a name may be');
SELECT format('CREATE TABLE shop.%I (id integer PRIMARY KEY, status text)', repeat('x', 62) || 'y') \gexec
SELECT throws_ok(format($$SELECT ordcancel.attach('shop.%I', 'status')$$, repeat('x', 62) || 'y'), 'OC014', NULL,
                 'and a table does not get another''s records');

-- Key columns that the records have for themselves.
CREATE TABLE shop.colliding (state integer, reason text, order_id uuid, id bigint, order_key date, status text,
                             PRIMARY KEY (state, reason, order_id, id, order_key));
SELECT ordcancel.attach('shop.colliding', 'status');
SELECT ordcancel.set_policy('shop.colliding', canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.colliding', 'new', 'cancel');
INSERT INTO shop.colliding VALUES (1, 'a,"b) \', '00000000-0000-0000-0000-000000000001', 7, '2026-05-05', 'new');
SELECT is((SELECT state || ' ' || order_id
           FROM ordcancel.request_cancel('shop.colliding',
                                         ROW(1, 'a,"b) \'::text, '00000000-0000-0000-0000-000000000001'::uuid,
                                             7::bigint, date '2026-05-05'))),
          'canceled (1,"a,""b) \\",00000000-0000-0000-0000-000000000001,7,2026-05-05)',
          'a key of many columns with names of the record''s own');
SELECT is((SELECT array_agg(attname::text ORDER BY attnum) FROM pg_attribute
           WHERE attrelid = 'shop.colliding_cancellation'::regclass AND attinhcount = 0 AND attnum > 0),
          '{order_state,order_reason,order_id,order_order_id,order_order_key}',
          'is recorded under names that do not collide');
SELECT is((SELECT state || ' ' || changed
           FROM ordcancel.request_cancel('shop.colliding',
                                         $$(1,"a,""b) \\",00000000-0000-0000-0000-000000000001,7,2026-05-05)$$)),
          'canceled false', 'and can be given as text');
SELECT throws_ok($$SELECT ordcancel.request_cancel('shop.colliding', '(1,2)')$$, 'OC002', NULL, 'but not in part');

SELECT * FROM finish();
ROLLBACK;
