-- Roles with rights over all of a database, or parts of it, get nobody else's
-- through ordcancel: members of the predefined roles, who owns the schema, who
-- owned tables that attach then takes for record tables.
BEGIN;
SET LOCAL client_min_messages = error;
\ir include/helpers.sql
\ir include/attacks.sql
SELECT plan(73);

CREATE ROLE attack_owner;
CREATE ROLE attack_writer;
CREATE ROLE attack_reader;
CREATE ROLE attack_other;
GRANT pg_write_all_data TO attack_writer;
GRANT pg_read_all_data, pg_monitor, pg_signal_backend, pg_read_all_settings TO attack_reader;
CREATE SCHEMA s AUTHORIZATION attack_owner;
CREATE SCHEMA other AUTHORIZATION attack_other;
GRANT USAGE ON SCHEMA s TO PUBLIC;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA ordcancel TO attack_owner;

SET LOCAL ROLE attack_owner;
CREATE FUNCTION s.say(what text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.ran VALUES (what);
    RETURN true;
END
$$;
CREATE FUNCTION s.constant(what text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN s.say(what); END';
CREATE TABLE s.orders (id integer PRIMARY KEY, status text);
INSERT INTO s.orders SELECT n, 'placed' FROM generate_series(1, 20) AS n;
SELECT ordcancel.attach('s.orders', 'status'), ordcancel.set_policy('s.orders', canceled_status => 'canceled'),
       ordcancel.set_rule('s.orders', 'placed', customer => 'request', merchant => 'cancel'),
       ordcancel.cancel_order('s.orders', 1, note => 'secret');
RESET ROLE;

-- ---------------------------------------------------------- pg_write_all_data

-- The configuration and the records are not data of anybody's.
SELECT is(attempt_as('attack_writer', statement), '23514 written_by_ordcancel', statement)
FROM (VALUES ('INSERT INTO ordcancel.block VALUES (''s.orders''::regclass, ''x'', ''s.say(''''block'''')'')'),
             ('UPDATE ordcancel.order_table SET refund_due = ''s.say(1)'''), ('DELETE FROM ordcancel.order_table'),
             ('UPDATE ordcancel.policy SET grace = NULL'), ('UPDATE ordcancel.rule SET merchant = ''cancel'''),
             ('DELETE FROM ordcancel.rule'), ('UPDATE ordcancel.policy_change SET what = ''nothing'''),
             ('DELETE FROM ordcancel.policy_change'),
             ('INSERT INTO ordcancel.child SELECT orders, orders, ''{id}'', true, true, '
              'true FROM ordcancel.order_table'),
             ('INSERT INTO ordcancel.item_table (orders, items, key_columns, item_key, record_keys, amount)'
              ' SELECT orders, orders, ''{id}'', ''{id}'', ''{id}'', ''s.say(1)'' FROM ordcancel.order_table'),
             ('UPDATE ordcancel.item_table SET fulfilled = ''s.say(1)'''),
             ('UPDATE ordcancel.cancellation_item SET quantity = 1'),
             ('UPDATE ordcancel.reason SET audience = ''any'''), ('DELETE FROM ordcancel.refund_method'),
             ('INSERT INTO ordcancel.reason AS r (code) VALUES (''other'') ON CONFLICT (code) DO UPDATE SET active = '
              'false'),
             ('INSERT INTO ordcancel.batch (orders, condition, chunk, dry_run, author, search_path) VALUES '
              '(''s.orders''::regclass, ''true'', 1, false, ''postgres'', ''public'')'),
             ('UPDATE ordcancel.batch SET condition = ''true'''), ('INSERT INTO ordcancel.batch_group DEFAULT VALUES'),
             ('DELETE FROM ordcancel.batch_order'),
             ('UPDATE ordcancel.cancellation SET note = NULL'), ('DELETE FROM ordcancel.event'),
             ('INSERT INTO s.orders_cancellation DEFAULT VALUES'), ('UPDATE s.orders_cancellation SET note = NULL'),
             ('DELETE FROM s.orders_cancellation_event'),
             ('INSERT INTO ordcancel.preset (preset, description, canceled_status) VALUES (''mine'', ''x'', '
              '''canceled'')'),
             ('UPDATE ordcancel.preset_rule SET customer = ''cancel'', merchant = ''cancel'''),
             ('DELETE FROM ordcancel.preset_reason')) AS v (statement);
SELECT isnt(attempt_as('attack_writer', statement), 'ok', statement)
FROM (VALUES ('INSERT INTO ordcancel_internal.detached VALUES (''s.orders'', 1)'),
             ('DELETE FROM ordcancel_internal.detached'),
             ('TRUNCATE ordcancel.rule'), ('TRUNCATE s.orders_cancellation')) AS v (statement);
SELECT is(attempt_as('attack_writer', 'UPDATE s.orders SET status = ''canceled'' WHERE id = 2'), '42501',
          'it cannot read the key');
SELECT is(attempt_as('attack_writer', 'INSERT INTO s.orders VALUES (100, ''placed'')'), 'ok',
          'orders are data, and may be written');
SELECT is(attempt_as('attack_writer', 'UPDATE s.orders SET status = ''canceled'''), '23514 cancellation_forbidden',
          'within the rules for a customer');
SELECT is(attempt('SELECT ordcancel.cancel_order(''s.orders'', 3)'), 'ok', 'cancelling goes on');

-- Only who was granted it writes reasons.
GRANT INSERT ON ordcancel.reason TO attack_other;
SELECT is(attempt_as('attack_other', 'INSERT INTO ordcancel.reason (code) VALUES (''mine'')'), 'ok',
          'a role with INSERT on reason');
SELECT is(attempt_as('attack_other', 'UPDATE ordcancel.reason SET active = false'), '42501', 'and no more');

-- ------------------------------------- pg_read_all_data, pg_monitor and so on

SELECT is(attempt_as('attack_reader', statement), '42501', statement)
FROM (VALUES ('SELECT ordcancel_internal.as_owner(''s.orders'', ''SELECT current_user::text'')'),
             ('SELECT ordcancel_internal.pin_expression(''s.orders'', ''true'', ''boolean'', false)'),
             ('SELECT ordcancel_internal.set_rule(''s.orders'', ''placed'', ''cancel'', NULL, NULL, NULL, NULL, '
              '''default'', ''{}'', NULL, NULL)'),
             ('SELECT ordcancel_internal.detach(''s.orders'')'),
             ('SELECT ordcancel_internal.drop_guards(''s.orders'', ''.*'')'),
             ('SELECT ordcancel.cancel_order(''s.orders'', 4)'), ('CALL ordcancel.sweep()'),
             ('UPDATE s.orders SET status = ''canceled'''),
             ('CREATE TRIGGER t BEFORE INSERT ON s.orders FOR EACH ROW EXECUTE FUNCTION '
              'ordcancel_internal.guard_insert()')) AS v (statement);
SELECT is(attempt_as('attack_other', 'SELECT ordcancel.attach(''s.orders'', ''status'')'), '42501',
          'nothing without EXECUTE');
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA ordcancel TO attack_other;
SELECT is(attempt_as('attack_other', statement), '42501', 'with EXECUTE on everything: ' || statement)
FROM (VALUES ('SELECT ordcancel.attach(''s.orders'', ''status'')'), ('SELECT ordcancel.detach(''s.orders'')'),
             ('SELECT ordcancel.add_block(''s.orders'', ''x'', ''true'')'),
             ('SELECT ordcancel.cancel_orders(''s.orders'', ''{4}'')'),
             ('SELECT * FROM ordcancel.unruled_statuses(''s.orders'')'),
             ('CALL ordcancel.cancel_batch(''s.orders'', ''true'', dry_run => true)')) AS v (statement);
SELECT is(attempt_as('attack_other', 'SELECT ordcancel.cancel_order(''s.orders'', 4)'), '42501', 'and without SELECT');

-- ---------------------------------------------------- record tables made before

-- A table that attach takes for its record table becomes the extension
-- owner's, so nothing of the former owner's may be in it.
SET LOCAL ROLE attack_owner;
CREATE FUNCTION s.as_record(name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TABLE s.%s (id integer PRIMARY KEY, status text)', name);
    EXECUTE format('CREATE TABLE s.%s_cancellation (LIKE s.orders_cancellation)', name);
END
$$;
SELECT s.as_record(n) FROM unnest('{honest,stats,unlogged,granted}'::text[]) AS n;
SELECT is(attempt('SELECT ordcancel.attach(''s.honest'', ''status'')'), 'OC014',
          'a table that an owner has made as attach would have is not taken up for him');
CREATE STATISTICS s.st ON (s.constant('statistics') AND state = 'x'), state FROM s.stats_cancellation;
RESET ROLE;
SELECT is(attempt('SELECT ordcancel.attach(''s.honest'', ''status'')'), 'ok', 'but for a superuser');
SELECT run_by_all();
SELECT is(attempt('SELECT ordcancel.attach(''s.stats'', ''status'')'), 'OC014',
          'extended statistics keep it from it');
SELECT is(run_by_others('attack_owner'), 'nothing', 'their expressions do not run as the extension''s owner');
SELECT attempt('ANALYZE s.stats_cancellation'), attempt('SELECT * FROM ordcancel.pending_requests') \g /dev/null
SELECT is(run_by_others('attack_owner'), 'nothing', 'nor as who analyzes, or reads the views');
SET LOCAL ROLE attack_owner;
ALTER TABLE s.unlogged_cancellation SET UNLOGGED;
RESET ROLE;
SELECT is(attempt('SELECT ordcancel.attach(''s.unlogged'', ''status'')'), 'OC014',
          'an unlogged table is no record table');
SET LOCAL ROLE attack_owner;
GRANT REFERENCES (cancellation_id), UPDATE (state) ON s.granted_cancellation TO attack_other;
RESET ROLE;
SELECT is(attempt('SELECT ordcancel.attach(''s.granted'', ''status'')'), 'ok', 'a table with privileges of columns');
SET LOCAL ROLE attack_owner;
SELECT is((SELECT count(*) FROM pg_attribute WHERE attrelid = 's.granted_cancellation'::regclass
             AND attacl IS NOT NULL), 0::bigint,
          'which are taken back');
CREATE TABLE s.temp (id integer PRIMARY KEY, status text);
CREATE TEMP TABLE makes_the_schema ();
SELECT isnt(attempt('SELECT ordcancel.attach(''s.temp'', ''status'', record_schema => (SELECT nspname FROM '
                    'pg_namespace WHERE oid = pg_my_temp_schema()))'),
            'ok', 'records do not go with the session');
RESET ROLE;

-- Records that belong to no order table any more are not for the next who comes.
CREATE SCHEMA old;
GRANT USAGE, CREATE ON SCHEMA old TO attack_owner;
CREATE TABLE old.shop (id integer PRIMARY KEY, status text);
INSERT INTO old.shop VALUES (1, 'placed');
SELECT ordcancel.attach('old.shop', 'status'), ordcancel.set_policy('old.shop', canceled_status => 'canceled'),
       ordcancel.set_rule('old.shop', 'placed', merchant => 'cancel'),
       ordcancel.cancel_order('old.shop', 1, note => 'secret'),
       ordcancel.detach('old.shop');
DELETE FROM ordcancel_internal.detached;   -- as after DROP EXTENSION, or in another database
SET LOCAL ROLE attack_owner;
CREATE TABLE s.shop (id integer PRIMARY KEY, status text);
SELECT isnt(attempt('SELECT ordcancel.attach(''s.shop'', ''status'', record_schema => ''old'')'), 'ok',
            'somebody else''s records are not taken up');
SELECT is(attempt('SELECT * FROM old.shop_cancellation'), '42501', 'nor read');

-- The owner of the schema is not that of the records.
SELECT isnt(attempt(statement), 'ok', statement)
FROM (VALUES ('ALTER TABLE s.orders_cancellation ADD CHECK (s.say(''x''))'),
             ('CREATE INDEX ON s.orders_cancellation (state)'),
             ('CREATE STATISTICS s.own ON (s.say(note)), state FROM s.orders_cancellation'),
             ('CREATE TRIGGER t BEFORE INSERT ON s.orders_cancellation FOR EACH ROW EXECUTE FUNCTION s.t()'),
             ('CREATE TABLE s.heir () INHERITS (s.orders_cancellation)'),
             ('DROP TABLE s.orders_cancellation_event')) AS v (statement);
SELECT is(attempt('SELECT * FROM s.orders_cancellation'), 'ok', 'the owner of the orders reads them');
SELECT is(attempt('GRANT SELECT ON s.orders_cancellation TO attack_other'), 'ok', 'and lets others read them');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
