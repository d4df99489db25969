-- archive_records: old cancellations move to a table for each month. Calls,
-- reports and consumers find them there; drop_archive drops a month.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
\ir include/items.sql
SELECT no_plan();

CREATE ROLE archive_nobody;
CREATE ROLE archive_janitor;
CREATE ROLE archive_owner;
CREATE ROLE archive_analyst;
CREATE SCHEMA shop AUTHORIZATION archive_owner;
CREATE SCHEMA elsewhere AUTHORIZATION archive_owner;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text, paid numeric DEFAULT 0);
CREATE TABLE shop.items (id integer PRIMARY KEY, order_id integer, quantity integer, canceled integer DEFAULT 0,
                         price numeric);
CREATE TABLE shop.parts (a integer, b text, status text, PRIMARY KEY (a, b)) PARTITION BY RANGE (a);
CREATE TABLE shop.parts_1 PARTITION OF shop.parts FOR VALUES FROM (0) TO (100);
INSERT INTO shop.orders
SELECT n, 'placed', CASE WHEN n IN (4, 6, 9, 21, 22, 23) THEN 30 WHEN n IN (27, 28) THEN 15 ELSE 0 END
FROM generate_series(1, 40) AS n;
INSERT INTO shop.items SELECT n * 10, n, 3, 0, 5 FROM generate_series(1, 40) AS n;
INSERT INTO shop.parts SELECT n, 'x', 'placed' FROM generate_series(1, 9) AS n;
ALTER TABLE shop.orders OWNER TO archive_owner;
ALTER TABLE shop.items OWNER TO archive_owner;
SELECT ordcancel.attach(t, 'status') FROM unnest('{shop.orders,shop.parts}'::regclass[]) AS t;
SELECT ordcancel.attach('shop.orders', refund_due => 'paid');
SELECT ordcancel.set_policy(t, canceled_status => 'canceled', requested_status => 'asked',
                            in_progress_status => 'refunding', closed_statuses => '{filed}',
                            reopen_statuses => '{reopened}'),
       ordcancel.set_rule(t, 'placed', customer => 'request', merchant => 'cancel'),
       ordcancel.set_rule(t, 'canceled', deletable => true)
FROM unnest('{shop.orders,shop.parts}'::regclass[]) AS t;

CREATE FUNCTION archive(older_than interval DEFAULT '1 year', orders text DEFAULT 'shop.orders') RETURNS bigint
    LANGUAGE sql AS $$ SELECT ordcancel.archive_records(orders::regclass, older_than) $$;
-- The orders that have rows in one table only.
CREATE FUNCTION orders_in(records text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    keys text;
BEGIN
    EXECUTE format('SELECT string_agg(k, '' '' ORDER BY n)'
                   ' FROM (SELECT DISTINCT order_key, order_id FROM ONLY %s) AS d (k, n)', records) INTO keys;
    RETURN keys;
END
$$;
CREATE FUNCTION drain(name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    WHILE (SELECT ordcancel.ack(name, max(event_id)) FROM ordcancel.next_events(name, 1000)) LOOP
    END LOOP;
END
$$;
-- What the readers of records say, wherever these are.
CREATE FUNCTION told() RETURNS text LANGUAGE sql AS $$
SELECT md5(concat((SELECT string_agg(c::text, E'\n' ORDER BY c.orders, c.cancellation_id)
                   FROM ordcancel.cancellations AS c),
                  (SELECT string_agg(c::text, E'\n' ORDER BY c.cancellation_id)
                   FROM ordcancel.cancellations('shop.orders') AS c),
                  (SELECT string_agg(t::text, E'\n' ORDER BY t.event_id) FROM ordcancel.timeline AS t),
                  (SELECT string_agg(t::text, E'\n' ORDER BY t.event_id)
                   FROM ordcancel.timeline('shop.orders', 21) AS t),
                  (SELECT string_agg(s::text, E'\n' ORDER BY s.orders, s.reason) FROM ordcancel.reason_summary AS s),
                  (SELECT string_agg(s::text, E'\n' ORDER BY s.day) FROM ordcancel.daily_summary('shop.orders') AS s),
                  (SELECT string_agg(s::text, E'\n' ORDER BY s::text) FROM ordcancel.simulate('shop.orders') AS s)))
$$;
CREATE FUNCTION options_of(id integer) RETURNS text LANGUAGE sql AS $$
SELECT string_agg(concat_ws(' ', o.verb, o.allowed, o.outcome, o.condition, o.detail), E'\n')
FROM ordcancel.cancel_options('shop.orders', id) AS o
$$;

-- -------------------------------------------------------------- what is moved

SET LOCAL ordcancel.clock = '2025-01-31 23:30+00';
SELECT ordcancel.request_cancel('shop.orders', 1, request_key => 'ask_1'),
       ordcancel.deny_cancel('shop.orders', 1, 'no'),
       ordcancel.request_cancel('shop.orders', 2), ordcancel.withdraw_cancel('shop.orders', 2),
       ordcancel.cancel_order('shop.orders', 3), ordcancel.undo_cancel('shop.orders', 3),
       ordcancel.cancel_order('shop.orders', 4), ordcancel.record_refund('shop.orders', 4, 10, 'cash', 'pay_4'),
       ordcancel.undo_cancel('shop.orders', 4),
       ordcancel.request_cancel('shop.orders', 5),
       ordcancel.cancel_order('shop.orders', 6),
       ordcancel.cancel_order('shop.orders', 7, 'other', 'Mrs Smith called', 'anna', request_key => 'key_7'),
       ordcancel.cancel_order('shop.orders', 8), ordcancel.cancel_order('shop.orders', 10),
       ordcancel.cancel_order('shop.orders', 11), ordcancel.cancel_order('shop.orders', 12),
       ordcancel.cancel_order('shop.orders', 13), ordcancel.cancel_order('shop.orders', 14),
       ordcancel.cancel_order('shop.orders', 9), ordcancel.record_refund('shop.orders', 9, 30, 'cash', 'pay_9');
SET LOCAL ordcancel.clock = '2025-02-01 00:00+00';
SELECT ordcancel.cancel_order('shop.orders', n), ordcancel.record_refund('shop.orders', n, 30, m, 'pay_' || n)
FROM (VALUES (21, 'cash'), (22, 'card'), (23, 'card')) AS v (n, m);
SELECT ordcancel.cancel_order('shop.parts', ROW(n, 'x')) FROM generate_series(1, 3) AS n;
UPDATE shop.orders SET status = 'filed' WHERE id = 12;
SET LOCAL ordcancel.clock = '2026-05-05 12:00+00';
SELECT ordcancel.cancel_order('shop.orders', 19);

CREATE TEMP TABLE before AS SELECT told() AS told, options_of(22) AS options;
SELECT is(archive('2 years'), 0::bigint, 'nothing is that old');
SELECT is((SELECT count(*) FROM pg_inherits WHERE inhparent = 'shop.orders_cancellation'::regclass), 0::bigint,
          'there is no archive without records');
SELECT is(archive(), 14::bigint, 'archive_records returns how many it moved');
SELECT is(orders_in('shop.orders_cancellation'), '4 5 6 19',
          'kept are what is open, due, recent, or was undone with refunds');
SELECT is(orders_in('shop.orders_cancellation_2025_01'), '1 2 3 7 8 9 10 11 12 13 14',
          'one archive for January, in UTC');
SELECT is(orders_in('shop.orders_cancellation_2025_02'), '21 22 23', 'one for February');
SELECT is(orders_in('shop.orders_cancellation_event'), '4 5 6 19', 'the events go with them');
SELECT is(orders_in('shop.orders_cancellation_event_2025_02'), '21 22 23', 'to archives of their own');
SELECT is(archive(), 0::bigint, 'again there is nothing to move');
SELECT is(told(), (SELECT told FROM before), 'reports and the timeline say the same as before');
SELECT is(options_of(22), (SELECT options FROM before), 'and so does cancel_options');
SELECT is(orders_in('shop.orders_cancellation_2025_02'), '21 22 23', 'which moves nothing');
SELECT is((SELECT string_agg(problem || ' ' || detail, ', ') FROM ordcancel.health
           WHERE problem ~ 'record|order|index|sequence'), NULL, 'health has nothing to say');

-- --------------------------------------------------------- calls that find them

SELECT is(outcome_of($$cancel_order('shop.orders', 8)$$), 'canceled canceled unchanged',
          'a canceled order is canceled');
SELECT is((SELECT string_agg(order_id || ' ' || outcome, ', ')
           FROM ordcancel.cancel_orders('shop.orders', '{8,9,12}')),
          '8 already, 9 already, 12 already', 'so are several');
SELECT is(outcome_of($$accept_cancel('shop.orders', 8)$$), 'canceled canceled unchanged', 'and accepted');
SELECT isnt(outcome_of($$cancel_order('shop.orders', 8)$$, 'cancellation_id'), NULL, 'its number is known');
SELECT is(attempt($$UPDATE shop.orders SET status = 'placed' WHERE id = 8$$), '23514 order_is_canceled',
          'it remains canceled');
SELECT is(attempt($$UPDATE shop.orders SET id = 88 WHERE id = 8$$), '23514 order_has_cancellations',
          'and keeps its key');
SELECT is(attempt($$DELETE FROM shop.orders WHERE id = 10$$), 'ok', 'where the rule says so, it may be deleted');
SELECT is(outcome_of($$cancel_order('shop.orders', 7, 'other', 'Mrs Smith called', request_key => 'key_7')$$),
          'canceled canceled unchanged', 'a repeated call is recognized');
SELECT is(outcome_of($$request_cancel('shop.orders', 1, request_key => 'ask_1')$$, 'state'), 'requested',
          'also of a request that was denied');
SELECT is(attempt($$SELECT ordcancel.cancel_order('shop.orders', 20, request_key => 'key_7')$$), 'OC011',
          'the key is not free for another order');
SELECT is(orders_in('shop.orders_cancellation_2025_01'), '1 2 3 7 8 9 11 12 13 14',
          'none of that moved anything but the records of the order that is gone');

-- ------------------------------------------------------- calls that change them

SELECT is(outcome_of($$undo_cancel('shop.orders', 7)$$), 'undone placed', 'a cancellation is undone');
SELECT is(orders_in('shop.orders_cancellation') || ' / ' || orders_in('shop.orders_cancellation_2025_01'),
          '4 5 6 7 10 19 / 1 2 3 8 9 11 12 13 14', 'its record came back');
SELECT is(events_of(7, shown => 'type')::text, '{canceled,undone}', 'with its events');
SELECT is((SELECT count(*) FROM shop.orders_cancellation_event WHERE order_id = 7), 2::bigint, 'each only once');
SELECT is(outcome_of($$cancel_order('shop.orders', 7)$$), 'canceled canceled', 'and the order can be canceled again');
SELECT is(outcome_of($$record_refund('shop.orders', 9, 30, 'cash', 'pay_9')$$), 'canceled canceled unchanged',
          'a repeated refund is recognized');
SELECT is(outcome_of($$record_refund('shop.orders', 21, -10, 'cash', 'pay_21')$$), 'in_progress refunding',
          'a refund that failed makes it due again');
SELECT is(outcome_of($$record_refund('shop.orders', 21, 10, 'cash', 'pay_21b')$$), 'canceled canceled',
          'until it is recorded');
SELECT is(outcome_of($$undo_cancel('shop.orders', 22)$$), 'OC009', 'a refund by card must be settled before an undo');
SELECT is(outcome_of($$undo_cancel('shop.orders', 22, settled => true)$$), 'undone placed', 'or is said to be');
SELECT is(outcome_of($$adjust_refund('shop.orders', 23, 40, 'late capture')$$), 'in_progress refunding',
          'what is due is adjusted');
SELECT is(attempt($$UPDATE shop.orders SET status = 'reopened' WHERE id = 11$$), 'ok', 'a plain update reopens it');
SELECT is(events_of(11, shown => 'type')::text, '{canceled,undone}', 'which is recorded');
SELECT is(attempt($$UPDATE shop.orders SET status = 'filed' WHERE id = 13$$), 'ok', 'another one files it');
SELECT is((SELECT order_status FROM shop.orders_cancellation WHERE order_id = 13), 'filed', 'which is recorded');
SELECT is(outcome_of($$undo_cancel('shop.orders', 12)$$), 'undone placed', 'a filed order is undone');
SELECT is(outcome_of($$request_cancel('shop.orders', 2)$$), 'requested asked',
          'an order that was not canceled begins anew');
SELECT is(archive('-1 day'), 8::bigint, 'what closed again is moved again');
SELECT is(orders_in('shop.orders_cancellation_2026_05'), '7 11 12 19 21', 'to the archive of the month');

-- -------------------------------------------------------------------- forget

SELECT is(outcome_of($$forget('shop.orders', 14, 'ticket 1')$$), 'canceled canceled', 'persons are erased');
SELECT is(outcome_of($$forget('shop.orders', 1, 'ticket 2')$$, 'changed'), 'true', 'also from what has ended');
SELECT is(outcome_of($$forget('shop.orders', 10, 'ticket 3')$$, 'changed'), 'true', 'also of an order that is gone');
SELECT is((SELECT count(*) FROM ordcancel.event WHERE order_key IN ('1', '10', '14') AND orders = 'shop.orders'
           AND actor IS NOT NULL AND type <> 'forgotten'), 0::bigint, 'no name is left');
SELECT is((SELECT count(*) FROM ordcancel.event WHERE order_key IN ('1', '10', '14') AND type = 'forgotten'),
          3::bigint, 'that is recorded');

-- ------------------------------------------------------------------- consumers

SELECT drain(n) FROM (SELECT ordcancel.create_consumer('slow'), 'slow' AS n) AS c;
SELECT ordcancel.cancel_order('shop.orders', n) FROM generate_series(24, 26) AS n;
SET LOCAL ordcancel.clock = '2028-01-01 12:00+00';
SELECT archive();
SELECT is(orders_in('shop.orders_cancellation') ~ '24 25 26', true, 'a consumer has not read the events');
SELECT ordcancel.ack('slow', (SELECT max(event_id) FROM ordcancel.next_events('slow') WHERE order_key = '24'));
SELECT ordcancel.skip_event('slow', (SELECT max(event_id) FROM shop.orders_cancellation_event WHERE order_key = '26'));
SELECT drain('slow');
SELECT archive();
SELECT is(orders_in('shop.orders_cancellation') ~ '26' AND orders_in('shop.orders_cancellation') !~ '24|25', true,
          'what it has read is moved, what it has set aside stays');
SELECT is((SELECT count(*) > 10 FROM (SELECT ordcancel.rewind_consumer('slow', 1) OFFSET 0) AS r,
               LATERAL ordcancel.next_events('slow', 10000)), true,
          'a consumer that is rewound gets them from the archive');
SELECT is((SELECT count(*) FROM ordcancel.next_events('slow', 10000) WHERE order_key = '24'), 1::bigint,
          'each once');
SELECT is(ordcancel.prune_events('1 day'), 0::bigint, 'prune_events leaves them, too, until it has read them');
SELECT is(error_of($$SELECT ordcancel.drop_archive('shop.orders', '2026-05-01')$$, 'sqlstate', 'message', 'detail'),
          '55006 | cannot drop the archive of shop.orders for 2026-05'
          || ' | It has events that a consumer has not acknowledged or has set aside.',
          'which must not be dropped then');
SELECT ordcancel.drop_consumer('slow');

-- ----------------------------------------------------------------------- items

SELECT ordcancel.attach_items('shop.items', 'shop.orders', key => '{order_id}', quantity => 'quantity',
                              canceled => 'canceled', amount => '(quantity - canceled) * price');
SELECT ordcancel.cancel_items('shop.orders', 27, '[{"item": 270, "quantity": 1}]'),
       ordcancel.record_refund('shop.orders', 27, 5, 'cash', 'part_27'),
       ordcancel.cancel_items('shop.orders', 28, '[{"item": 280, "quantity": 1}]'),
       ordcancel.record_refund('shop.orders', 28, 5, 'cash', 'part_28'),
       ordcancel.cancel_order('shop.orders', 28), ordcancel.record_refund('shop.orders', 28, 10, 'cash', 'rest_28');
SET LOCAL ordcancel.clock = '2030-01-01 12:00+00';
SELECT archive();
SELECT is(orders_in('shop.orders_cancellation_2028_01'), '28',
          'parts of an order that is canceled are moved, those of another one are not');
SELECT is((SELECT count(*) FROM shop.orders_cancellation_item_2028_01), 2::bigint, 'with their items');
SELECT is((SELECT count(*) FROM ordcancel.item_options('shop.orders', 28)), 1::bigint, 'item_options lists them');
SELECT is(outcome_of($$cancel_items('shop.orders', 27, '[{"item": 270, "quantity": 2}]')$$, 'refund_due'), '10',
          'the rest is due');
SELECT is(outcome_of($$cancel_items('shop.orders', 28, '[{"item": 280}]')$$), 'OC016',
          'nothing is left of the other');
SELECT is(outcome_of($$undo_cancel('shop.orders', 28)$$), 'undone placed', 'the order is undone');
SELECT is((SELECT canceled FROM shop.items WHERE id = 280), 1, 'its items are given back');
SELECT is(outcome_of($$undo_cancel('shop.orders', 28)$$), 'undone placed', 'and then the part');
SELECT is((SELECT canceled FROM shop.items WHERE id = 280), 0, 'all of them');
SELECT is(parts_of(28), 'items undone 5/5, order undone 10/10', 'the records are complete');

-- ------------------------------------------- keys of several columns, partitions

SELECT is(archive('1 year', 'shop.parts'), 3::bigint, 'of a partitioned table');
SELECT is(outcome_of($$undo_cancel('shop.parts', ROW(2, 'x'))$$), 'undone placed', 'with a key of two columns');

-- ---------------------------------------------------------------------- rights

GRANT USAGE ON SCHEMA shop TO archive_analyst, archive_janitor;
SELECT is((SELECT string_agg(DISTINCT relowner::regrole::text, ' ') FROM pg_class
           WHERE relnamespace = 'shop'::regnamespace AND relname ~ '_2025_01$'), session_user::text,
          'archives belong to the owner of the extension');
SELECT is(attempt_as('archive_owner', 'SELECT FROM shop.orders_cancellation_2025_01'), 'ok',
          'the owner may read them');
SELECT is(attempt_as('archive_owner', 'GRANT SELECT ON shop.orders_cancellation_2025_01 TO archive_analyst'), 'ok',
          'and let others read them');
SELECT is(attempt_as('archive_owner', s), '42501', s)
FROM unnest('{INSERT INTO shop.orders_cancellation_2025_01 SELECT * FROM shop.orders_cancellation,'
            'UPDATE shop.orders_cancellation_event_2025_01 SET actor = NULL,'
            'DELETE FROM shop.orders_cancellation_2025_01,'
            'TRUNCATE shop.orders_cancellation_2025_01,DROP TABLE shop.orders_cancellation_2025_01,'
            'DROP TABLE shop.orders_cancellation_event_2025_01,DROP TABLE shop.orders_cancellation CASCADE,'
            'ALTER TABLE shop.orders_cancellation_2025_01 NO INHERIT shop.orders_cancellation}'::text[]) AS s;
SELECT is(attempt(s), '23514 written_by_ordcancel', s)
FROM unnest('{INSERT INTO shop.orders_cancellation_2025_01 SELECT * FROM shop.orders_cancellation,'
            'UPDATE shop.orders_cancellation_event_2025_01 SET actor = NULL,'
            'DELETE FROM shop.orders_cancellation_2025_01,'
            'TRUNCATE shop.orders_cancellation_item_2028_01}'::text[]) AS s;
SELECT ordcancel.grant_customer('archive_nobody'), ordcancel.grant_merchant('archive_nobody'),
       ordcancel.grant_owner('archive_nobody'), ordcancel.grant_consumer('archive_nobody');
SELECT is(attempt_as('archive_nobody', s), '42501', 'none of the short forms includes ' || s)
FROM unnest(ARRAY[$$SELECT ordcancel.archive_records('shop.orders', '1 year')$$,
                  $$SELECT ordcancel.drop_archive('shop.orders', '2025-01-01')$$]) AS s;
GRANT EXECUTE ON FUNCTION ordcancel.archive_records, ordcancel.drop_archive TO archive_janitor;
SELECT ordcancel.cancel_order('shop.orders', 29);
SET LOCAL ordcancel.clock = '2032-01-01 12:00+00';
SELECT is(attempt_as('archive_janitor', $$SELECT ordcancel.archive_records('shop.orders', '1 year')$$), 'ok',
          'EXECUTE is enough');

-- ------------------------------------------------- detach, attach, record_schema

SELECT is(attempt(format('ALTER TABLE shop.orders_cancellation_2025_01 DISABLE TRIGGER ordcancel_guard_record')), 'ok',
          'a superuser disables a guard');
SELECT matches((SELECT detail FROM ordcancel.health WHERE problem = 'records_unguarded'), 'orders_cancellation_2025_01',
               'health reports it');
SELECT ordcancel.attach('shop.orders');
SELECT is((SELECT count(*) FROM ordcancel.health WHERE problem = 'records_unguarded'), 0::bigint, 'attach corrects it');
ALTER TABLE shop.orders_cancellation_2025_01 RENAME TO old_cancellations;
SELECT matches((SELECT detail FROM ordcancel.health WHERE problem = 'records_not_in_archive'),
               'shop.old_cancellations inherits from shop.orders_cancellation', 'health reports one that was renamed');
ALTER TABLE shop.old_cancellations RENAME TO orders_cancellation_2025_01;
SELECT is((SELECT count(*) FROM ordcancel.health WHERE problem = 'records_not_in_archive'), 0::bigint,
          'until it has its name again');
SELECT ordcancel.detach('shop.orders');
SELECT is((SELECT count(*) FROM pg_trigger WHERE tgname = 'ordcancel_guard_record'
           AND tgrelid::regclass::text ~ '^shop.orders_cancel'), 0::bigint, 'detach drops the guards');
SELECT is(attempt_as('archive_owner', 'DROP TABLE shop.orders_cancellation_2025_01'), '42501',
          'but the records stay');
SELECT ordcancel.attach('shop.orders', 'status', record_schema => 'elsewhere');
SELECT is((SELECT count(*) FROM pg_class WHERE relnamespace = 'elsewhere'::regnamespace AND relkind = 'r'
           AND relname ~ '^orders_cancellation_2025_01'), 1::bigint, 'archives move with the record tables');
SELECT ordcancel.attach('shop.orders', record_schema => 'shop');
SELECT ordcancel.set_policy('shop.orders', canceled_status => 'canceled');
SELECT is(outcome_of($$undo_cancel('shop.orders', 8)$$), 'undone placed', 'attached again, it has its archives');
SELECT is(attempt($$DELETE FROM shop.orders_cancellation_2025_01$$), '23514 written_by_ordcancel', 'guarded');
SELECT ordcancel.detach('shop.orders');
CREATE TABLE shop.orders_cancellation_1999_01 () INHERITS (shop.orders_cancellation);
CREATE TRIGGER mine BEFORE DELETE ON shop.orders_cancellation_1999_01
    EXECUTE FUNCTION suppress_redundant_updates_trigger();
SELECT matches(error_of($$SELECT ordcancel.attach('shop.orders', 'status')$$),
               'is not an archive of shop.orders_cancellation . It has a trigger "mine"',
               'a table of others is refused');
DROP TABLE shop.orders_cancellation_1999_01;
SELECT ordcancel.attach('shop.orders', 'status'), ordcancel.set_policy('shop.orders', canceled_status => 'canceled');

-- ------------------------------------------------------- changes of the tables

ALTER TABLE shop.orders DISABLE TRIGGER USER;
DROP TRIGGER "!ordcancel_guard_delete" ON shop.orders;
ALTER TABLE shop.orders ALTER COLUMN id TYPE bigint;
ALTER TABLE shop.orders ENABLE TRIGGER USER;
SELECT ordcancel.attach('shop.orders', 'status');
SELECT is((SELECT format_type(atttypid, NULL) FROM pg_attribute
           WHERE attrelid = 'shop.orders_cancellation_event_2025_01'::regclass AND attname = 'order_id'), 'bigint',
          'a new type of the key is theirs');
SELECT is(outcome_of($$undo_cancel('shop.orders', 14)$$), 'undone placed', 'and a record is found by it');
CREATE TABLE shop.new_orders (LIKE shop.orders INCLUDING ALL);
INSERT INTO shop.new_orders TABLE shop.orders;
ALTER TABLE shop.new_orders OWNER TO archive_owner;
ALTER TABLE shop.items DISABLE TRIGGER USER;
SELECT ordcancel.replace_table('shop.orders', 'shop.new_orders');
SELECT is(outcome_of($$undo_cancel('shop.new_orders', 21)$$), 'undone placed', 'a table that replaces it finds it too');
SELECT ordcancel.replace_table('shop.new_orders', 'shop.orders');
SELECT is((SELECT string_agg(inhparent::regclass::text, ' ') FROM pg_inherits
           WHERE inhrelid = 'shop.orders_cancellation_2025_01'::regclass), 'shop.orders_cancellation',
          'the record tables have their names again');

-- ---------------------------------------------------------------- drop_archive

CREATE VIEW shop.old AS SELECT FROM shop.orders_cancellation_2025_01;
SELECT is(attempt_as('archive_janitor', $$SELECT ordcancel.drop_archive('shop.orders', '2025-01-15')$$), '2BP01',
          'not while a view reads it');
DROP VIEW shop.old;
SELECT is(attempt_as('archive_janitor', $$SELECT ordcancel.drop_archive('shop.orders', '2025-01-15')$$), 'ok',
          'a month is dropped');
SELECT is((SELECT count(*) FROM pg_class WHERE relnamespace = 'shop'::regnamespace AND relname ~ '2025_01'), 0::bigint,
          'with events and indexes');
SELECT is(outcome_of($$cancel_order('shop.orders', 9)$$), 'canceled canceled unchanged', 'its orders remain canceled');
SELECT is(outcome_of($$undo_cancel('shop.orders', 9)$$), 'OC008', 'but cannot be undone');
SELECT is(error_of($$SELECT ordcancel.drop_archive('shop.orders', '2025-01-15')$$, 'sqlstate', 'message'),
          '42704 | there is no archive of shop.orders for 2025-01', 'it is gone');

-- ------------------------------------------------------------- names and years

CREATE TABLE shop.dated (id integer PRIMARY KEY, status text);
INSERT INTO shop.dated SELECT n, 'placed' FROM generate_series(1, 5) AS n;
SELECT ordcancel.attach('shop.dated', 'status'), ordcancel.set_policy('shop.dated', canceled_status => 'canceled'),
       ordcancel.set_rule('shop.dated', 'placed', merchant => 'cancel');
CREATE TYPE shop.dated_cancellation_2025_03 AS ENUM ('taken');
DO $$
DECLARE
    times text[] := '{0044-03-15 BC,0001-01-01 00:00+00,2025-03-15,9999-12-31 23:59+00,10000-01-01 00:00+00}';
BEGIN
    FOR i IN 1 .. 5 LOOP
        PERFORM set_config('ordcancel.clock', times[i], true), ordcancel.cancel_order('shop.dated', i);
    END LOOP;
    PERFORM set_config('ordcancel.clock', '20000-01-01', true);
END
$$;
SELECT is(ordcancel.archive_records('shop.dated', '0'), 3::bigint, 'those of years that a name can have are moved');
SELECT is(ordcancel.archive_records('shop.dated', '0'), 0::bigint, 'others are not');
SELECT is((SELECT array_agg(a.archive::text ORDER BY a.month)
           FROM ordcancel_internal.archives('shop.dated_cancellation') AS a),
          '{shop.dated_cancellation_0001_01,shop.dated_cancellation_2025_03_1,shop.dated_cancellation_9999_12}',
          'a type has the name of an archive');
SELECT is((SELECT count(*) FROM pg_inherits WHERE inhparent = 'shop.dated_cancellation'::regclass), 3::bigint,
          'no other tables are made');
SELECT set_config('ordcancel.clock', '', true);

-- ------------------------------------------------------- TRUNCATE in test databases

SET LOCAL ordcancel.allow_truncate = on;
TRUNCATE shop.orders, shop.items;
SELECT is((SELECT count(*) FROM shop.orders_cancellation) + (SELECT count(*) FROM shop.orders_cancellation_event),
          0::bigint, 'TRUNCATE empties archives too');
RESET ordcancel.allow_truncate;

-- ---------------------------------------------------------------------- errors

SELECT is(error_of($$SELECT archive(NULL)$$), '22004 | older_than must not be null', 'no age');
SELECT is(error_of($$SELECT ordcancel.archive_records(NULL, '1 year')$$, 'sqlstate'), 'OC001', 'no table');
SELECT is(error_of($$SELECT ordcancel.archive_records('shop.items', '1 year')$$, 'sqlstate'), 'OC001', 'not attached');
SELECT is(error_of($$SELECT ordcancel.drop_archive('shop.orders', NULL)$$), '22004 | month must not be null',
          'no month');
CREATE TABLE shop.alone (id integer PRIMARY KEY, status text);
SELECT ordcancel.attach('shop.alone', 'status', inherit => false);
SELECT is(error_of($$SELECT archive('1 year', 'shop.alone')$$, 'sqlstate', 'message'),
          'OC014 | records of shop.alone cannot be archived', 'without inheritance');
SELECT ordcancel.attach('shop.alone', 'status', inherit => true);
ALTER TABLE shop.alone_cancellation_event ENABLE ROW LEVEL SECURITY;
SELECT is(error_of($$SELECT ordcancel.archive_records('shop.alone', '0')$$, 'sqlstate', 'message', 'detail'),
          'OC014 | records of shop.alone cannot be archived'
          || ' | shop.alone_cancellation_event has row-level security, which its archives would not have.',
          'with row-level security');

SELECT * FROM finish();
ROLLBACK;
