-- Timers: what expires and when, through the same decision as every cancellation.
BEGIN;
SELECT plan(73);
\ir include/helpers.sql
SET LOCAL timezone = 'UTC';
SET LOCAL ordcancel.clock = '2026-05-05 12:00+00';

CREATE SCHEMA shop;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text, placed_at timestamptz, since timestamptz, seller text,
                          due numeric, flagged boolean NOT NULL DEFAULT false);
SELECT ordcancel.attach('shop.orders', 'status', 'placed_at', policy_by => 'seller', refund_due => 'due') \g /dev/null
SELECT ordcancel.set_policy('shop.orders', requested_status => 'asked', in_progress_status => 'refunding',
                            canceled_status => 'canceled', decision_timeout => '1 day', on_timeout => 'deny')
    \g /dev/null
SELECT ordcancel.set_rule('shop.orders', 'placed', customer => 'request') \g /dev/null
SELECT ordcancel.set_rule('shop.orders', 'packed', merchant => 'cancel') \g /dev/null
SELECT ordcancel.add_block('shop.orders', 'flagged', 'flagged', party => 'merchant') \g /dev/null

-- Sweeps at a time, and returns the statuses of some orders.
CREATE FUNCTION statuses(VARIADIC ids integer[]) RETURNS text LANGUAGE sql AS $$
SELECT string_agg(status, ' ' ORDER BY n) FROM unnest(ids) WITH ORDINALITY AS i (id, n) JOIN shop.orders USING (id) $$;
CREATE FUNCTION placed(ids integer[], ago interval) RETURNS void LANGUAGE sql AS $$
INSERT INTO shop.orders (id, status, placed_at, since)
SELECT id, 'placed', current_setting('ordcancel.clock')::timestamptz - ago,
       current_setting('ordcancel.clock')::timestamptz - ago FROM unnest(ids) AS id $$;

-- ------------------------------------------------------------ setting them
SELECT is(ordcancel.set_rule('shop.orders', 'placed', expire_after => '30 minutes', expire_reason => 'unpaid_expired'),
          'shop.orders: policy "default", status "placed": customer request, merchant forbid,'
          ' canceled by the system after 30 minutes (unpaid_expired)', 'the answer says it');
SELECT is(attempt(format('SELECT ordcancel.set_rule(''shop.orders'', ''placed'', expire_reason => %L)', r)), a, d)
FROM (VALUES ('unpaid', 'OC014', 'no such reason'), ('out_of_stock', 'OC014', 'a reason of the merchant'),
             ('other', 'OC014', 'one that requires a note'), ('created_by_mistake', 'ok', 'one of anybody'),
             ('unpaid_expired', 'ok', 'one of the system')) AS v (r, a, d);
SELECT is(attempt('SELECT ordcancel.set_rule(''shop.orders'', ''packed'', expire_reason => ''unpaid_expired'')'),
          'OC014', 'a reason without a time');
SELECT is(attempt('SELECT ordcancel.set_rule(''shop.orders'', ''packed'', expire_after => ''-1 minute'')'), 'OC014',
          'a negative time');
SELECT is(attempt('DELETE FROM ordcancel.reason WHERE code = ''unpaid_expired'''), '23503 reason_in_use',
          'a reason that a rule uses is not deleted');
UPDATE ordcancel.reason SET active = false WHERE code = 'ship_deadline_missed';
SELECT is(attempt('SELECT ordcancel.set_rule(''shop.orders'', ''packed'', expire_after => ''2 days'','
                  ' expire_reason => ''ship_deadline_missed'')'), 'OC014', 'an inactive one cannot be set');
UPDATE ordcancel.reason SET active = true WHERE code = 'ship_deadline_missed';
SELECT is(attempt('SELECT ordcancel.set_rule(''shop.orders'', ''packed'', expire_after => ''2 days'','
                  ' expire_reason => ''ship_deadline_missed'')'), 'ok', 'an active one can');
SELECT is((SELECT r.expire_reason FROM ordcancel.rule AS r
           WHERE r.status = 'packed' AND ordcancel.set_rule('shop.orders', 'packed', unset => '{expire_after}') <> ''),
          'ship_deadline_missed', 'the time is unset');
SELECT is((SELECT r.expire_reason FROM ordcancel.rule AS r WHERE r.status = 'packed'), NULL, 'and its reason with it');

-- ------------------------------------------------------------ when
SELECT placed('{1}', '30 minutes - 1 microsecond'), placed('{2}', '30 minutes'),
       placed('{3}', '30 minutes 1 microsecond') \g /dev/null
INSERT INTO shop.orders (id, status, placed_at) VALUES (4, 'placed', NULL), (5, 'placed', '-infinity'),
    (6, 'placed', 'infinity'), (7, 'placed', '294276-12-31 00:00+00'), (8, 'packed', '2000-01-01 00:00+00'),
    (9, NULL, '2000-01-01 00:00+00');
CALL ordcancel.sweep();
SELECT is(statuses(1, 2, 3), 'placed placed canceled', 'still in time at exactly 30 minutes, not after them');
SELECT is(statuses(4, 5, 6, 7, 8), 'placed canceled placed placed packed',
          'not without a time; long ago and far away; not in another status');
SELECT results_eq($$SELECT state, requested_by, requested_actor, decided_by, decided_actor, reason, prior_status,
                           closed_at = '2026-05-05 12:00+00' FROM shop.orders_cancellation WHERE order_id = 3$$,
                  $$VALUES ('canceled', 'system', 'sweep', 'system', 'sweep', 'unpaid_expired', 'placed', true)$$,
                  'the record');
SELECT results_eq($$SELECT type, party, actor, source, reason, from_status, to_status, data
                    FROM shop.orders_cancellation_event WHERE order_id = 3$$,
                  $$VALUES ('canceled', 'system', 'sweep', 'sweep', 'unpaid_expired', 'placed', 'canceled',
                            '{"timer": true}'::jsonb)$$, 'the event');
SELECT is((SELECT string_agg(who || ' ' || what, '; ') FROM ordcancel.timeline('shop.orders', 3)),
          'sweep (system) canceled the order, which had been in placed for too long', 'its story');
SELECT ordcancel.request_cancel('shop.orders', 2) \g /dev/null
SELECT is(statuses(2), 'asked', 'the customer''s own rule is unchanged');

-- ------------------------------------------------------------ through the one decision
SET LOCAL ordcancel.clock = '2026-05-05 13:00+00';
SELECT placed('{11,12,13,14,15,16}', '1 hour') \g /dev/null
UPDATE shop.orders SET due = 20 WHERE id = 11;
UPDATE shop.orders SET flagged = true WHERE id = 12;
SELECT ordcancel.request_cancel('shop.orders', 13) \g /dev/null
CALL ordcancel.sweep();
SELECT is(statuses(11, 12, 13, 14), 'refunding placed asked canceled',
          'what was paid is due, a block holds, a request is decided by its own deadline');
SELECT is((SELECT type || data::text FROM shop.orders_cancellation_event WHERE order_id = 11),
          'accepted{"timer": true, "refund_due": 20}', 'the event of a cancellation in progress');
SELECT is((SELECT state FROM ordcancel.record_refund('shop.orders', 11, 20, 'card')), 'canceled',
          'its refund completes it');
SELECT is((SELECT reason FROM shop.orders_cancellation WHERE order_id = 11), 'unpaid_expired', 'with the same reason');
UPDATE shop.orders SET flagged = false WHERE id = 12;
CALL ordcancel.sweep();
SELECT is(statuses(12), 'canceled', 'once the block is gone, it expires');

-- A request that is denied leaves the order to its timer; an undo lets it begin again.
SELECT ordcancel.deny_cancel('shop.orders', 13, 'no'), ordcancel.undo_cancel('shop.orders', 14, 'paid by transfer')
    \g /dev/null
SELECT is(statuses(13, 14), 'placed placed', 'a denied one and an undone one');
CALL ordcancel.sweep();
SELECT is(statuses(13, 14), 'canceled placed', 'the undone one is not canceled again at once');
SET LOCAL ordcancel.clock = '2026-05-05 13:30+00';
CALL ordcancel.sweep();
SELECT is(statuses(14), 'placed', 'nor 30 minutes later');
SET LOCAL ordcancel.clock = '2026-05-05 13:30:00.000001+00';
CALL ordcancel.sweep();
SELECT is(statuses(14), 'canceled', 'but after them');

-- ------------------------------------------------------------ policies
SET LOCAL ordcancel.clock = '2026-05-06 12:00+00';
SELECT ordcancel.set_policy('shop.orders', policy => 'slow'),
       ordcancel.set_rule('shop.orders', 'placed', policy => 'slow', expire_after => '10 days',
                          unset => '{expire_reason}'),
       ordcancel.set_policy('shop.orders', policy => 'never'),
       ordcancel.set_rule('shop.orders', 'placed', policy => 'never', unset => '{expire_after}') \g /dev/null
SELECT placed('{21,22,23,24}', '2 days'), placed('{25}', '11 days') \g /dev/null
UPDATE shop.orders SET seller = CASE id WHEN 22 THEN 'slow' WHEN 23 THEN 'never' WHEN 24 THEN 'unknown' ELSE 'slow' END
WHERE id BETWEEN 22 AND 25;
CALL ordcancel.sweep();
SELECT is(statuses(21, 22, 23, 24, 25), 'canceled placed placed canceled canceled',
          'each by its own policy, or by the default');
SELECT is((SELECT string_agg(coalesce(reason, 'none') || ' ' || policy, ', ' ORDER BY order_id)
           FROM shop.orders_cancellation WHERE order_id IN (24, 25)), 'unpaid_expired default, none slow',
          'and with its own reason');
SELECT is(attempt('SELECT ordcancel.set_policy(''shop.orders'', policy => ''slow'', reason_required => true),'
                  ' ordcancel.set_rule(''shop.orders'', ''placed'', policy => ''slow'', expire_after => ''9 days'')'),
          'OC014', 'where a reason is required, the timer needs one');

-- ------------------------------------------------------------ the column that counts
SELECT ordcancel.attach('shop.orders', status_since => 'since') \g /dev/null
SELECT placed('{31,32,33}', '1 hour') \g /dev/null
UPDATE shop.orders SET since = '2026-05-06 11:45+00' WHERE id = 31;
UPDATE shop.orders SET since = NULL WHERE id = 32;
CALL ordcancel.sweep();
SELECT is(statuses(31, 32, 33), 'placed placed canceled', 'status_since counts, not placed_at');

-- Columns without time zone are read in that of attach(), also where clocks change.
SET LOCAL timezone = 'America/New_York';
CREATE TABLE shop.local (id integer PRIMARY KEY, status varchar(20), at timestamp, day date);
INSERT INTO shop.local VALUES (1, 'new', '2026-11-01 00:30', '2026-11-01'),
    (2, 'new', '2026-11-01 01:30', '2026-10-31');
SELECT ordcancel.attach('shop.local', 'status', status_since => 'at'),
       ordcancel.set_policy('shop.local', canceled_status => 'gone'),
       ordcancel.set_rule('shop.local', 'new', expire_after => '1 hour') \g /dev/null
SET LOCAL timezone = 'UTC';
-- 01:30 came twice that night; PostgreSQL takes the second one, 06:30 UTC.
SET LOCAL ordcancel.clock = '2026-11-01 05:30+00';
CALL ordcancel.sweep();
SELECT is((SELECT string_agg(status, ' ' ORDER BY id) FROM shop.local), 'new new', 'an hour after 04:30 UTC');
SET LOCAL ordcancel.clock = '2026-11-01 07:30+00';
CALL ordcancel.sweep();
SELECT is((SELECT string_agg(status, ' ' ORDER BY id) FROM shop.local), 'gone new', 'an hour after 06:30 UTC');
SET LOCAL ordcancel.clock = '2026-11-01 07:30:01+00';
CALL ordcancel.sweep();
SELECT is((SELECT string_agg(status, ' ' ORDER BY id) FROM shop.local), 'gone gone', 'and later');
INSERT INTO shop.local VALUES (3, 'new', now(), '2026-11-01'), (4, 'new', now(), '2026-11-02');
SET LOCAL timezone = 'America/New_York';
SELECT ordcancel.attach('shop.local', status_since => 'day') \g /dev/null
SET LOCAL timezone = 'UTC';
SET LOCAL ordcancel.clock = '2026-11-02 06:00+00';
CALL ordcancel.sweep();
SELECT is((SELECT string_agg(status, ' ' ORDER BY id) FROM shop.local), 'gone gone gone new', 'dates begin there, too');

-- An enum, a domain over it, a partitioned table; months.
SET LOCAL ordcancel.clock = '2026-03-31 10:00+00';
CREATE TYPE shop.state AS ENUM ('new', 'gone');
CREATE DOMAIN shop.status AS shop.state;
CREATE TABLE shop.parted (id text, region integer, status shop.status, placed_at timestamptz, PRIMARY KEY (region, id))
    PARTITION BY LIST (region);
CREATE TABLE shop.parted_1 PARTITION OF shop.parted FOR VALUES IN (1);
CREATE TABLE shop.parted_2 PARTITION OF shop.parted FOR VALUES IN (2);
INSERT INTO shop.parted VALUES ('a', 1, 'new', '2026-02-28 09:00+00'), ('b', 2, 'new', '2026-02-28 10:00+00'),
    ('b', 1, 'new', '2026-02-28 09:59:59+00');
SELECT ordcancel.attach('shop.parted', 'status', 'placed_at'),
       ordcancel.set_policy('shop.parted', canceled_status => 'gone'),
       ordcancel.set_rule('shop.parted', 'new', expire_after => '1 month 3 days') \g /dev/null
CALL ordcancel.sweep();
SELECT is((SELECT string_agg(region || id || status, ' ' ORDER BY region, id) FROM shop.parted), '1agone 1bgone 2bnew',
          'partitions, a key of two columns, a domain over an enum, a month');

-- ------------------------------------------------------------ what is due
SET LOCAL ordcancel.clock = '2026-06-01 12:00+00';
DELETE FROM ordcancel.rule WHERE orders = 'shop.local'::regclass OR orders = 'shop.parted'::regclass;
SELECT placed('{41}', '1 hour'), placed('{42}', '5 minutes'), placed('{43}', '10 minutes'), placed('{44,45}', '1 hour')
    \g /dev/null
UPDATE shop.orders SET flagged = true WHERE id = 44;
SELECT ordcancel.request_cancel('shop.orders', 43) \g /dev/null
UPDATE shop.orders SET status = 'delivered' WHERE id = 45 OR id < 40 AND status = 'placed';
CREATE TEMP TABLE due AS SELECT * FROM ordcancel.timers('shop.orders');
SELECT results_eq('SELECT order_id, status, policy, what, due_at, overdue, reason FROM due',
                  $$VALUES ('41', 'placed', 'default', 'expire', '2026-06-01 11:30+00'::timestamptz, true,
                            'unpaid_expired'),
                           ('44', 'placed', 'default', 'expire', '2026-06-01 11:30+00', true, 'unpaid_expired'),
                           ('42', 'placed', 'default', 'expire', '2026-06-01 12:25+00', false, 'unpaid_expired'),
                           ('43', 'asked', 'default', 'request deadline', '2026-06-02 12:00+00', false,
                            'request_timed_out')$$, 'timers() lists what is due, the earliest first');
SELECT results_eq('SELECT order_id FROM ordcancel.timers(''shop.orders'', 2)', '{41,44}'::text[], 'or the first ones');
SELECT bag_eq('SELECT * FROM ordcancel.timers', 'TABLE due', 'the view has the same');
SELECT is(attempt('SELECT * FROM ordcancel.timers(''shop.orders'', -1)'), '22023', 'not fewer than none');
UPDATE shop.orders SET since = since - interval '1 day', placed_at = placed_at - interval '1 day' WHERE id = 44;
SELECT results_eq($$SELECT problem, detail FROM ordcancel.health('shop.orders') WHERE problem ~ 'timer' ORDER BY 1$$,
                  $$VALUES ('timers_blocked', 'Expired orders that cannot be canceled: 1, for example order 44'
                            || ' (cancellation of order 44 of shop.orders is blocked).'),
                           ('timers_overdue', 'Expired orders that are not canceled: 1, the first since'
                            || ' 2026-06-01 11:30:00+00; for example order 41.')$$,
                  'health() reports what is late, an order that can be');
CALL ordcancel.sweep();
SELECT results_eq('SELECT order_id FROM ordcancel.timers(''shop.orders'')', '{44,42,43}'::text[], 'after a sweep');
SELECT results_eq($$SELECT problem FROM ordcancel.health('shop.orders') WHERE problem ~ 'timer'$$,
                  '{timers_blocked}'::text[], 'only the blocked order is late');
UPDATE shop.orders SET flagged = false WHERE id = 44;
CALL ordcancel.sweep();
SELECT results_eq($$SELECT policy, status, expire_after, problem FROM ordcancel.overview('shop.orders')
                    WHERE expire_after IS NOT NULL$$,
                  $$VALUES ('default', 'placed', interval '30 minutes', NULL),
                           ('slow', 'placed', interval '10 days', NULL)$$, 'overview() shows them');

-- Readers of the view see only their orders, and run nothing of an owner.
CREATE ROLE timer_reader;
CREATE ROLE timer_nobody;
GRANT USAGE ON SCHEMA shop TO timer_reader;
GRANT SELECT ON shop.orders TO timer_reader;
GRANT EXECUTE ON FUNCTION ordcancel.timers TO timer_reader, timer_nobody;
GRANT SELECT ON due TO timer_reader;
SELECT placed('{46,47}', '1 minute') \g /dev/null
ALTER TABLE shop.orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY few ON shop.orders TO timer_reader USING (id IN (43, 47));
SET LOCAL ROLE timer_reader;
SELECT results_eq('SELECT order_id FROM ordcancel.timers ORDER BY 1', '{43,47}'::text[], 'by row-level security');
SELECT results_eq('SELECT order_id FROM ordcancel.timers(''shop.orders'', 1)', '{47}'::text[],
                  'in the function too, and the limit counts what is seen');
SET LOCAL ROLE timer_nobody;
SELECT is_empty('SELECT * FROM ordcancel.timers', 'without SELECT nothing');
SELECT is(attempt('SELECT * FROM ordcancel.timers(''shop.orders'')'), '42501', 'nor by the function');
RESET ROLE;

-- The condition of an index calls a function of the owner.
CREATE ROLE timer_owner;
SELECT ordcancel.grant_owner('timer_owner') \g /dev/null
CREATE SCHEMA trap AUTHORIZATION timer_owner;
CREATE TABLE public.ran (role text);
GRANT INSERT ON public.ran TO PUBLIC;
GRANT USAGE ON SCHEMA trap TO timer_reader;
SET LOCAL ROLE timer_owner;
CREATE TABLE trap.orders (id integer PRIMARY KEY, status text, at timestamptz);
CREATE FUNCTION trap.run() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.ran VALUES (current_user);
    RETURN true;
END $$;
CREATE FUNCTION trap.spring(integer) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN trap.run();
END $$;
SELECT ordcancel.attach('trap.orders', 'status', status_since => 'at'),
       ordcancel.set_policy('trap.orders', canceled_status => 'canceled'),
       ordcancel.set_rule('trap.orders', 'placed', expire_after => '1 hour') \g /dev/null
INSERT INTO trap.orders VALUES (1, 'placed', '2026-06-01 11:30+00');
CREATE INDEX ON trap.orders (at) WHERE trap.spring(1);
GRANT SELECT ON trap.orders TO timer_reader;
RESET ROLE;
TRUNCATE public.ran;
SET LOCAL ROLE timer_reader;
SELECT is((SELECT count(*) FROM ordcancel.timers WHERE orders = 'trap.orders'::regclass), 0::bigint,
          'the view leaves out a table whose index calls a function of its owner');
RESET ROLE;
SELECT is_empty('TABLE public.ran', 'and runs nothing of it');
SET LOCAL ROLE timer_reader;
SELECT is((SELECT count(*) FROM ordcancel.timers('trap.orders')), 1::bigint, 'by its name it is read');
RESET ROLE;
SELECT is_empty($$SELECT * FROM public.ran WHERE role <> 'timer_owner'$$, 'nothing of the owner runs as its reader');
DROP SCHEMA trap CASCADE;

-- ------------------------------------------------------------ types of the status
CREATE COLLATION shop.ignores_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
-- How many timers() lists, and the status after a sweep.
CREATE FUNCTION typed(type text, inserted text, was text, canceled text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    listed bigint;
    status text;
BEGIN
    EXECUTE format('CREATE TABLE shop.typed (id integer PRIMARY KEY, status %s, at timestamptz)', type);
    EXECUTE format('INSERT INTO shop.typed VALUES (1, %L, ''2026-01-01 00:00+00'')', inserted);
    PERFORM ordcancel.attach('shop.typed', 'status', status_since => 'at'),
            ordcancel.set_policy('shop.typed', canceled_status => canceled),
            ordcancel.set_rule('shop.typed', was, expire_after => '1 hour');
    SELECT count(*) INTO listed FROM ordcancel.timers('shop.typed') AS t WHERE t.overdue AND t.status = was;
    CALL ordcancel.sweep();
    SELECT t.status::text INTO status FROM shop.typed AS t;
    PERFORM ordcancel.detach('shop.typed');
    DROP TABLE shop.typed, shop.typed_cancellation, shop.typed_cancellation_event;
    RETURN listed || ' ' || status;
END
$$;
SELECT is(typed(t, i, w, c), '1 ' || r, 'a status of type ' || t)
FROM (VALUES ('char(10)', 'placed', 'placed', 'gone', 'gone'), ('smallint', '1', '1', '9', '9'),
             ('boolean', 'false', 'false', 'true', 'true'), ('numeric(5,1)', '1.0', '1.0', '9.0', '9.0'),
             ('text COLLATE shop.ignores_case', 'Placed', 'placed', 'gone', 'gone')) AS v (t, i, w, c, r);

-- ------------------------------------------------------------ a large table
CREATE TABLE shop.big (id integer PRIMARY KEY, status text, at timestamptz, words text);
INSERT INTO shop.big SELECT n, 'placed', '2026-06-01 12:00+00', repeat('x', 900) FROM generate_series(1, 10000) AS n;
ANALYZE shop.big;
SELECT ordcancel.attach('shop.big', 'status', status_since => 'at'),
       ordcancel.set_policy('shop.big', canceled_status => 'canceled'),
       ordcancel.set_rule('shop.big', 'placed', merchant => 'cancel', expire_after => '1 hour') \g /dev/null
CREATE FUNCTION index_missing() RETURNS text LANGUAGE sql AS $$
SELECT hint FROM ordcancel.health('shop.big') WHERE problem = 'timer_index_missing' $$;
SELECT is(index_missing(), 'CREATE INDEX CONCURRENTLY ON shop.big (status, at);', 'an index is missing');
CREATE INDEX other ON shop.big (at);
SELECT is(index_missing() IS NULL, false, 'one of the time alone is not enough');
CREATE INDEX part ON shop.big (at) WHERE status = 'placed';
SELECT is(index_missing(), NULL, 'a partial one is');
DROP INDEX shop.part, shop.other;
CREATE INDEX whole ON shop.big (status, at);
SELECT is(index_missing(), NULL, 'and one of both');
SELECT seq_scan AS before FROM pg_stat_xact_user_tables WHERE relid = 'shop.big'::regclass \gset
UPDATE shop.big SET at = '2026-05-01 12:00+00' WHERE id = 77;
CALL ordcancel.sweep();
SELECT is((SELECT string_agg(id::text, ' ') FROM shop.big WHERE status = 'canceled'), '77', 'one order expires');
SELECT is((SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relid = 'shop.big'::regclass), :before::bigint,
          'which is found by the index');

-- ------------------------------------------------------------ what cannot work
CREATE TABLE shop.plain (id integer PRIMARY KEY, status text);
INSERT INTO shop.plain VALUES (1, 'placed');
SELECT ordcancel.attach('shop.plain', 'status'),
       ordcancel.set_policy('shop.plain', canceled_status => 'canceled') \g /dev/null
SELECT is(attempt('SELECT ordcancel.set_rule(''shop.plain'', ''placed'', merchant => ''cancel'','
                  ' expire_after => ''1 hour'')'), 'ok', 'without a column a timer can be set');
SELECT is((SELECT problem FROM ordcancel.overview('shop.plain') WHERE status = 'placed'),
          'Its timer never ends: attach() was called without status_since and placed_at.', 'but never ends');
CALL ordcancel.sweep();
SELECT is((SELECT status FROM shop.plain), 'placed', 'nothing expires');
CREATE TABLE shop.carts (id integer PRIMARY KEY, status text, placed_at timestamptz, gone boolean DEFAULT false);
INSERT INTO shop.carts VALUES (1, 'cart', NULL), (2, 'cart', now()), (3, 'placed', NULL);
INSERT INTO shop.carts VALUES (4, 'cart', NULL, true);
SELECT ordcancel.attach('shop.carts', 'status', placed_at => 'placed_at', deleted_when => 'gone'),
       ordcancel.set_policy('shop.carts', canceled_status => 'canceled'),
       ordcancel.set_rule('shop.carts', 'placed', merchant => 'cancel'),
       ordcancel.set_rule('shop.carts', 'cart', merchant => 'cancel', expire_after => '30 days') \g /dev/null
SELECT results_eq($$SELECT problem, detail, hint FROM ordcancel.health('shop.carts')$$,
    $$VALUES ('timer_without_time', 'Orders in a status with a timer whose column "placed_at" is NULL, so they never'
              || ' expire: 1.', 'Fill it; or SELECT ordcancel.attach(''shop.carts'', status_since => ...); with another'
              || ' column.')$$, 'a time that is NULL');
UPDATE shop.carts SET placed_at = now() WHERE id = 1;
SELECT is_empty($$SELECT * FROM ordcancel.health('shop.carts')$$, 'is filled');
UPDATE shop.carts SET placed_at = NULL WHERE id = 1;
SELECT ordcancel.attach('shop.carts', policy_by => 'status'),
       ordcancel.set_policy('shop.carts', policy => 'cart', copy_of => NULL, canceled_status => 'canceled'),
       ordcancel.set_rule('shop.carts', 'cart', policy => 'cart', merchant => 'cancel') \g /dev/null
SELECT is_empty($$SELECT * FROM ordcancel.health('shop.carts') WHERE problem ~ 'timer'$$, 'nor under another policy');
UPDATE ordcancel.reason SET active = false WHERE code = 'unpaid_expired';
SELECT is((SELECT problem FROM ordcancel.overview('shop.orders') WHERE policy = 'default' AND status = 'placed'),
          'The reason of its timer, "unpaid_expired", is not active.', 'a reason that went');
SELECT ok(ordcancel.export_setup('shop.orders') ~ 'expire_after => ''00:30:00''', 'export_setup() has the timer');
SELECT ok(ordcancel.diagram('shop.orders') ~ 'system cancels after', 'diagram() shows it');
SELECT * FROM finish();
ROLLBACK;
