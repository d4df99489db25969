-- What setup answers: attach, set_policy and their siblings, overview, and the
-- setup as text.
BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
-- Also whether the error shows what ordcancel does inside.
CREATE FUNCTION error_shown(statement text) RETURNS text LANGUAGE sql
    AS $$ SELECT error_of(statement, 'sqlstate', 'message', 'detail', 'hint', 'internals') $$;
CREATE SCHEMA shop;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text, supplier text, paid numeric, placed_at timestamp);
INSERT INTO shop.orders SELECT i, CASE WHEN i % 5 = 0 THEN 'shipped' ELSE 'placed' END,
                               CASE WHEN i > 10 THEN 'acme' END, 500 FROM generate_series(1, 20) AS i;

-- ------------------------------------------------------------- what they return

SELECT is(ordcancel.attach('shop.orders', 'status', policy_by => 'supplier', refund_due => 'paid'),
          'shop.orders: attached; status: status; policy_by: supplier; refund_due: paid; primary key: id; '
          'records in shop.orders_cancellation and shop.orders_cancellation_event',
          'attach says what it made');
SELECT is(ordcancel.attach('shop.orders'), 'shop.orders: attached again, nothing changed', 'and what not');
SELECT is((SELECT concat_ws(' ', status, policy_by, refund_due) FROM ordcancel.order_table), 'status supplier paid',
          'it keeps what is not named');
SELECT is(ordcancel.attach('shop.orders', placed_at => 'placed_at', refund_scale => 3, plain_updates => false,
                           notify_channel => 'news', notify_payload => 'id'),
          'shop.orders: attached again, placed_at: none -> placed_at; refund_scale: 2 -> 3; '
          'plain_updates: true -> false; notify_channel: ordcancel -> news; notify_payload: full -> id',
          'and changes what is');
SET LOCAL TimeZone = 'Asia/Tokyo';
SET LOCAL search_path = shop, public, pg_temp;
SELECT is(ordcancel.attach('shop.orders'), 'shop.orders: attached again, nothing changed',
          'another session''s time zone and search_path count for nothing');
SELECT alike(ordcancel.attach('shop.orders', unset => '{time_zone,search_path}'),
             'shop.orders: attached again, search_path: % -> shop, public; time_zone: % -> Asia/Tokyo',
             'unless they are asked for');
RESET TimeZone;
RESET search_path;
SELECT is(ordcancel.attach('shop.orders',
                           unset => '{placed_at,refund_scale,plain_updates,notify_channel,notify_payload}'),
          'shop.orders: attached again, placed_at: placed_at -> none; refund_scale: 3 -> 2; plain_updates: false -> '
          'true; notify_channel: news -> ordcancel; notify_payload: id -> full',
          'unset sets back');
SELECT is(ordcancel.set_policy('shop.orders', grace => '1 hour', canceled_status => 'canceled',
                               requested_status => 'asked'),
          'shop.orders: policy "default", grace: none -> 01:00:00; requested_status: none -> asked; '
          'canceled_status: none -> canceled', 'set_policy says what changed');
SELECT is(ordcancel.set_rule('shop.orders', 'placed', customer => 'cancel', customer_late => 'request',
                             merchant => 'cancel'),
          'shop.orders: policy "default", status "placed": customer cancel, later request, merchant cancel',
          'set_rule what the rule is');
SELECT is(ordcancel.add_block('shop.orders', 'big', 'paid > 1000', party => 'customer'),
          'shop.orders: block "big": the customer cannot cancel while paid > 1000', 'add_block too');
SELECT is(ordcancel.set_policy('shop.orders', policy => 'acme', grace => '2 hours'),
          'shop.orders: policy "acme" is new, a copy of "default", grace: 01:00:00 -> 02:00:00',
          'a new policy begins as a copy');
SELECT is((SELECT concat_ws(' ', p.canceled_status, r.status, r.customer_late) FROM ordcancel.policy AS p
               JOIN ordcancel.rule AS r USING (orders, policy) WHERE policy = 'acme'),
          'canceled placed request', 'rules included');
SELECT is(ordcancel.set_policy('shop.orders', policy => 'other', copy_of => 'acme', undo => 'never'),
          'shop.orders: policy "other" is new, a copy of "acme", undo: canceled -> never', 'of another one');
SELECT is(ordcancel.set_policy('shop.orders', policy => 'bare', copy_of => NULL),
          'shop.orders: policy "bare" is new, nothing changed', 'or of none');
SELECT is((SELECT count(*) FROM ordcancel.rule WHERE policy = 'bare'), 0::bigint, 'without rules');
SELECT is(ordcancel.apply_preset('shop.orders', 'zaikio', policy => 'preset'),
          'shop.orders: policy "preset" copied from Zaikio Procurement: 7 rules, 0 new reasons',
          'a preset as a policy');
SELECT is((SELECT canceled_status FROM ordcancel.policy WHERE policy = 'default'), 'canceled',
          'leaves the others alone');
SELECT is(ordcancel.drop_policy('shop.orders', p), true, 'away: ' || p) FROM unnest('{other,bare,preset}'::text[]) AS p;

-- ------------------------------------------------------------------ errors

CREATE TYPE shop.word AS ENUM ('placed', 'shipped', 'canceled');
CREATE TABLE shop.worded (id integer PRIMARY KEY, status shop.word);
SELECT ordcancel.attach('shop.worded', 'status');
SELECT is(error_shown($$SELECT ordcancel.attach('shop.orders', 'statu')$$),
          'OC014 | shop.orders has no column "statu" | It was passed as status. '
          '| Did you mean "status"? The columns are id, status, supplier, paid, placed_at.',
          'a column that is not there');
SELECT is(error_shown($$SELECT ordcancel.set_rule('shop.orders', 'placed', customer => 'cancle')$$),
          'OC014 | "cancle" is not a valid value for customer '
          '| Did you mean "cancel"? Valid values are cancel, request, forbid.', 'a word that is none');
SELECT is(error_shown($$SELECT ordcancel.set_rule('shop.orders', 'placed', customer => 'maybe')$$),
          'OC014 | "maybe" is not a valid value for customer | Valid values are cancel, request, forbid.', 'another');
SELECT is(error_shown($$SELECT ordcancel.set_rule('shop.orders', 'placed', policy => 'acne')$$),
          'OC014 | policy "acne" of shop.orders does not exist '
          '| Did you mean "acme"? Existing policies are default, acme. ordcancel.set_policy() creates a new one.',
          'a policy that is not there');
SELECT is(error_shown($$SELECT ordcancel.set_policy('shop.orders', policy => 'new', copy_of => 'nobody')$$),
          'OC014 | policy "nobody" of shop.orders does not exist '
          '| Existing policies are default, acme. ordcancel.set_policy() creates a new one.', 'nor one to copy');
SELECT is(error_shown($$SELECT ordcancel.set_policy('shop.worded', canceled_status => 'cancelled')$$),
          'OC014 | "cancelled" is not a status of shop.worded '
          '| Column "status" is of type shop.word, which has no such label.'
          || ' | Did you mean "canceled"? Valid labels are placed, shipped, canceled. To add one, use ALTER TYPE '
             'shop.word ADD VALUE ''cancelled''.', 'a label that is not there');
SELECT is(error_shown($$SELECT ordcancel.apply_preset('shop.worded', 'zaiko')$$),
          'OC014 | preset "zaiko" does not exist | Did you mean "zaikio"? The presets are cafe24, evershop, '
          'kibo, medusa, spryker, tryton, vendure, vtex, zaikio.', 'a preset that is not there');
SELECT alike(error_shown($$SELECT ordcancel.apply_preset('shop.worded', 'kibo')$$),
             'OC014 | type shop.word lacks labels of preset "kibo" '
             '| They are: Accepted, Completed, Pending, Processing, Cancelled. '
             '| Add them first: ALTER TYPE shop.word ADD VALUE ''Accepted''; %',
             'all labels that an enum lacks');
SELECT is(error_shown($$SELECT ordcancel.add_block('shop.orders', 'b', 'nowhere = 1')$$),
          'OC014 | expression over shop.orders cannot be used: nowhere = 1 | Column "nowhere" does not exist.',
          'an expression');
SELECT is(error_shown(format('SELECT ordcancel.attach(%L, %L)', t, 'status')),
          'OC014 | column "status" of shop.typed cannot be used as status | Its type is ' || type
          || ', not a text, an enum, a number or a boolean.', type || ' is no status')
FROM (VALUES ('shop.typed', 'timestamp with time zone'), ('shop.typed', 'jsonb'), ('shop.typed', 'bytea'),
             ('shop.typed', 'text[]')) AS v (t, type),
    LATERAL (SELECT attempt('DROP TABLE IF EXISTS shop.typed'),
                    attempt(format('CREATE TABLE shop.typed (id integer PRIMARY KEY, status %s)', type))) AS made;

-- A label that the transaction itself has added.
ALTER TYPE shop.word ADD VALUE 'asked';
SELECT is(error_shown($$SELECT ordcancel.set_policy('shop.worded', requested_status => 'asked',
                                             canceled_status => 'canceled')$$), 'ok',
'a label of this transaction can be named');
SELECT is(error_shown($$SELECT ordcancel.set_rule('shop.worded', 'asked')$$), 'ok', 'in a rule too');

-- A boolean as status.
CREATE TABLE shop.flagged (id integer PRIMARY KEY, is_canceled boolean NOT NULL DEFAULT false);
INSERT INTO shop.flagged VALUES (1), (2);
SELECT ordcancel.attach('shop.flagged', 'is_canceled');
SELECT ordcancel.set_policy('shop.flagged', canceled_status => 'true');
SELECT ordcancel.set_rule('shop.flagged', 'false', merchant => 'cancel');
SELECT is((SELECT order_status FROM ordcancel.cancel_order('shop.flagged', 1)), 'true', 'a flag is a status');
SELECT is((SELECT string_agg(concat_ws(' ', status, orders_now, merchant, means, problem), ', ')
           FROM ordcancel.overview('shop.flagged')), 'false 1 cancel, true 1 canceled', 'in words');
SELECT is(error_shown('UPDATE shop.flagged SET is_canceled = false WHERE id = 1'), '23514 | order 1 of shop.flagged is '
                                                                            'canceled | Its status cannot change from '
                                                                            '"true" to "false". '
                                                                            '| Call ordcancel.undo_cancel() to undo '
                                                                            'the cancellation.', 'and is guarded');

-- ------------------------------------------------------------------- overview

CREATE FUNCTION lines(orders regclass) RETURNS SETOF text LANGUAGE sql AS $$
SELECT concat_ws(' ', policy, coalesce(status, 'NULL'), orders_now, customer, customer_late, merchant, deletable, means,
                 '| ' || problem) FROM ordcancel.overview($1) $$;
SELECT ordcancel.set_policy('shop.orders', policy => 'acme', requested_status => 'gefragt',
                            canceled_status => 'storniert');
SELECT ordcancel.set_rule('shop.orders', 'shiped', hint => 'x', policy => 'acme');
SELECT results_eq($$SELECT lines('shop.orders')$$, ARRAY[
    'default placed 8 cancel request cancel f '
    '| The customer''s window never closes: attach() was called without placed_at.',
    'default shipped 2 | Nobody can cancel: no rule.',
    'default asked 0 requested',
    'default canceled 0 canceled',
    'acme placed 8 cancel request cancel f '
    '| The customer''s window never closes: attach() was called without placed_at.',
    'acme shipped 2 | Nobody can cancel: no rule. Did you mean "shiped"?',
    'acme shiped 0 forbid forbid forbid f | No order has it. Did you mean "shipped"?',
    'acme gefragt 0 requested',
    'acme storniert 0 canceled'], 'a row for each policy and status');
SELECT ordcancel.set_policy('shop.orders', policy => 'acme', unset => '{canceled_status}');
SELECT is((SELECT string_agg(DISTINCT problem, ', ') FROM ordcancel.overview('shop.orders') WHERE policy = 'acme'),
          'Nobody can cancel: policy "acme" has no canceled_status.', 'a policy that names no canceled_status');
SELECT ordcancel.set_policy('shop.orders', policy => 'acme', canceled_status => 'storniert');
ALTER TABLE shop.orders DISABLE TRIGGER USER;
INSERT INTO shop.orders VALUES (31, NULL, NULL), (32, 'storniert', NULL);
ALTER TABLE shop.orders ENABLE TRIGGER USER;
SELECT is((SELECT string_agg(concat_ws(' ', coalesce(status, 'NULL'), orders_now, problem), ', ')
           FROM ordcancel.overview('shop.orders') WHERE policy = 'default' AND (status = 'storniert') IS NOT FALSE),
          'storniert 1 Nobody can change it: it means canceled in another policy, and nothing in this one., '
          'NULL 1 Nobody can cancel: these orders have no status.',
          'an order without a status, and one in another policy''s');
SELECT is((SELECT string_agg(concat_ws(' ', policy, status, order_count), ', ')
           FROM ordcancel.unruled_statuses('shop.orders') WHERE policy = 'acme'), 'acme shipped 2',
          'unruled_statuses says the same');

-- Statuses that are equal and differ as text are one.
CREATE EXTENSION citext SCHEMA public;
CREATE COLLATION shop.nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE DOMAIN shop.caseless AS public.citext CHECK (VALUE <> '');
CREATE TABLE shop.folded (id integer PRIMARY KEY, status shop.caseless);
CREATE TABLE shop.collated (id integer PRIMARY KEY, status text COLLATE shop.nocase);
INSERT INTO shop.folded VALUES (1, 'Placed'), (2, 'PLACED'), (3, 'placed'), (4, 'Canceled');
INSERT INTO shop.collated SELECT id, status FROM shop.folded;
SELECT ordcancel.attach(t, 'status'), ordcancel.set_policy(t, canceled_status => 'canceled'),
       ordcancel.set_rule(t, 'placed', merchant => 'cancel')
FROM unnest('{shop.folded,shop.collated}'::regclass[]) AS t;
SELECT is((SELECT string_agg(lines, ', ') FROM lines(t)),
          'default placed 3 forbid cancel f, default canceled 1 canceled', t || ': capitals are one')
FROM unnest('{shop.folded,shop.collated}'::regclass[]) AS t;
SELECT is_empty(format('SELECT * FROM ordcancel.health(%L)', t), t || ': no problem')
FROM unnest('{shop.folded,shop.collated}'::regclass[]) AS t;

-- --------------------------------------------------------------- the setup as text

CREATE TABLE shop.parcel (order_id integer);
SELECT ordcancel.attach_child('shop.parcel', 'shop.orders', key => '{order_id}', refuse_while => '{canceled}');
SET LOCAL search_path = shop, public;
SELECT ordcancel.attach_child('parcel', 'orders', name => 'it''s', refuse_when => 'order_id > 7 -- late',
                              key_expression => '(SELECT p.order_id FROM parcel AS p'
                                                ' WHERE p.order_id = parcel.order_id LIMIT 1)');
SET LOCAL search_path = public;
INSERT INTO ordcancel.reason (code, description) VALUES ('o''clock', 'too late');
CREATE TEMP TABLE exported AS SELECT ordcancel.export_setup('shop.orders') AS setup;
CREATE TEMP TABLE set_up AS
SELECT 't' AS what, (to_jsonb(t) - 'cancellation_table' - 'event_table')::text AS value FROM ordcancel.order_table AS t
WHERE orders = 'shop.orders'::regclass
UNION ALL SELECT 'p', to_jsonb(p)::text FROM ordcancel.policy AS p WHERE orders = 'shop.orders'::regclass
UNION ALL SELECT 'r', to_jsonb(r)::text FROM ordcancel.rule AS r WHERE orders = 'shop.orders'::regclass
UNION ALL SELECT 'b', to_jsonb(b)::text FROM ordcancel.block AS b WHERE orders = 'shop.orders'::regclass
UNION ALL SELECT 'c', to_jsonb(c)::text FROM ordcancel.child AS c WHERE orders = 'shop.orders'::regclass;
SELECT cmp_ok(count(*), '>', 6::bigint, 'there is something set up') FROM set_up;
SELECT ordcancel.detach('shop.orders');
SELECT is(error_shown((SELECT setup FROM exported)), 'ok', 'its setup as text is run');
SELECT set_eq('SELECT * FROM set_up', $$
SELECT 't', (to_jsonb(t) - 'cancellation_table' - 'event_table')::text FROM ordcancel.order_table AS t
WHERE orders = 'shop.orders'::regclass
UNION ALL SELECT 'p', to_jsonb(p)::text FROM ordcancel.policy AS p WHERE orders = 'shop.orders'::regclass
UNION ALL SELECT 'r', to_jsonb(r)::text FROM ordcancel.rule AS r WHERE orders = 'shop.orders'::regclass
UNION ALL SELECT 'b', to_jsonb(b)::text FROM ordcancel.block AS b WHERE orders = 'shop.orders'::regclass
UNION ALL SELECT 'c', to_jsonb(c)::text FROM ordcancel.child AS c
WHERE orders = 'shop.orders'::regclass $$, 'and makes the same');
SELECT is(ordcancel.export_setup('shop.orders'), setup, 'to the letter') FROM exported;

CREATE TABLE shop.carts (id integer PRIMARY KEY, status text, placed_at timestamptz);
INSERT INTO ordcancel.reason (code, description) VALUES ('cart''s\end', 'it''s \ left');
INSERT INTO ordcancel.refund_method (code, on_undo) VALUES ('zloty', 'repay');
SELECT ordcancel.attach('shop.carts', 'status', placed_at => 'placed_at'),
       ordcancel.set_policy('shop.carts', canceled_status => 'canceled'),
       ordcancel.set_rule('shop.carts', 'cart', expire_after => '1 day', expire_reason => 'cart''s\end');
CREATE TEMP TABLE carts AS SELECT ordcancel.export_setup('shop.carts') AS setup;
SELECT ordcancel.detach('shop.carts');
DELETE FROM ordcancel.reason WHERE code = 'cart''s\end';
DELETE FROM ordcancel.refund_method WHERE code = 'zloty';
SELECT is(error_shown((SELECT setup FROM carts)), 'ok', 'a timer with a reason of the shop''s own');
SELECT is((SELECT concat_ws(' ', r.expire_reason, t.description, t.audience, m.on_undo)
           FROM ordcancel.rule AS r JOIN ordcancel.reason AS t ON t.code = r.expire_reason,
                ordcancel.refund_method AS m WHERE r.orders = 'shop.carts'::regclass AND m.code = 'zloty'),
          'cart''s\end it''s \ left any repay', 'both are written');

-- --------------------------------------------------------------------- roles

CREATE ROLE overview_owner;
CREATE ROLE overview_reader;
CREATE SCHEMA owned AUTHORIZATION overview_owner;
GRANT USAGE ON SCHEMA owned TO overview_reader;
SELECT alike(ordcancel.grant_owner('overview_owner'), 'overview_owner may execute attach, %',
             'grant_owner says what it granted');
SELECT is(error_shown($$SELECT ordcancel.grant_owner('overview_nobody')$$),
          '42704 | role "overview_nobody" does not exist',
          'to a role that is there');
SET LOCAL ROLE overview_owner;
CREATE TABLE owned.orders (id integer PRIMARY KEY, status text);
SELECT is(error_shown(call), 'ok', left(call, 60)) FROM unnest(ARRAY[
    $$SELECT ordcancel.attach('owned.orders', 'status')$$,
    $$SELECT ordcancel.set_policy('owned.orders', canceled_status => 'canceled')$$,
    $$SELECT ordcancel.set_rule('owned.orders', 'placed', merchant => 'cancel')$$,
    $$SELECT ordcancel.add_block('owned.orders', 'b', 'id = 1')$$,
    $$SELECT ordcancel.apply_preset('owned.orders', 'kibo', policy => 'k')$$,
    $$SELECT * FROM ordcancel.overview('owned.orders')$$,
    $$SELECT * FROM ordcancel.health('owned.orders')$$, $$SELECT ordcancel.export_setup('owned.orders')$$]) AS call;
SELECT is(error_shown(ordcancel.export_setup('owned.orders')), 'ok', 'and runs what that returns');
SELECT alike(error_shown($$SELECT ordcancel.attach('shop.orders', 'status')$$), '42501%', 'of its own tables');
SELECT alike(error_shown($$SELECT * FROM ordcancel.overview('shop.orders')$$), '42501%', 'or such as it may read');
RESET ROLE;
GRANT EXECUTE ON FUNCTION ordcancel.overview TO overview_reader;
SET LOCAL ROLE overview_reader;
SELECT is(error_shown($$SELECT * FROM ordcancel.overview('owned.orders')$$),
          '42501 | permission denied for table orders',
          'a reader needs SELECT');
RESET ROLE;
GRANT SELECT ON owned.orders TO overview_reader;
SET LOCAL ROLE overview_reader;
SELECT is(error_shown($$SELECT * FROM ordcancel.overview('owned.orders')$$), 'ok', 'and no more');
RESET ROLE;
ALTER TABLE owned.orders ENABLE ROW LEVEL SECURITY;
SET LOCAL ROLE overview_reader;
SELECT is(error_shown($$SELECT * FROM ordcancel.overview('owned.orders')$$),
          '42501 | permission denied for table orders',
          'of all rows');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
