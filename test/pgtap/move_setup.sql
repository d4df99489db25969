-- setup_digest() and move_setup(); test/t/move_shop.sh moves a schema between
-- databases.
SET client_min_messages = error;
SELECT plan(27);
\ir include/helpers.sql
BEGIN;
CREATE ROLE move_reader;
CREATE ROLE move_owner;
CREATE SCHEMA shop;
CREATE SCHEMA empty;
GRANT USAGE ON SCHEMA shop TO move_reader, move_owner;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text NOT NULL, paid numeric);
CREATE TABLE shop.other (LIKE shop.orders INCLUDING ALL);
CREATE TABLE shop.unattached (id integer PRIMARY KEY);
INSERT INTO shop.orders SELECT n, 'placed', 5 FROM generate_series(1, 5) AS n;
GRANT SELECT ON shop.orders TO move_reader;
GRANT EXECUTE ON FUNCTION ordcancel.setup_digest, ordcancel.move_setup TO move_reader;

-- ----------------------------------------------------------------- setup_digest

SELECT ordcancel.attach('shop.orders', 'status', refund_due => 'paid'),
       ordcancel.set_policy('shop.orders', canceled_status => 'canceled'),
       ordcancel.set_rule('shop.orders', 'placed', merchant => 'cancel'),
       ordcancel.set_rule('shop.orders', 'packed', hint => 'no') \g /dev/null
SELECT ordcancel.setup_digest('shop.orders') AS digest, ordcancel.export_setup('shop.orders') AS setup \gset
SELECT matches(:'digest'::text, '^[0-9a-f]{64}$', 'a digest');
SELECT is(ordcancel.setup_digest('shop.orders'), :'digest', 'the same again');
SELECT ordcancel.detach('shop.orders') \g /dev/null
-- Another order of the calls, other times, and a rule that was changed on the way.
SELECT ordcancel.attach('shop.orders', 'status'),
       ordcancel.set_rule('shop.orders', 'packed', merchant => 'request', hint => 'no'),
       ordcancel.set_rule('shop.orders', 'placed', merchant => 'cancel'),
       ordcancel.attach('shop.orders', refund_due => 'paid'),
       ordcancel.set_rule('shop.orders', 'packed', merchant => 'forbid'),
       ordcancel.set_policy('shop.orders', canceled_status => 'canceled') \g /dev/null
SELECT is(ordcancel.setup_digest('shop.orders'), :'digest', 'of the same setup, made in another way');
INSERT INTO ordcancel.reason (code) VALUES ('shared');
SELECT is(ordcancel.setup_digest('shop.orders'), :'digest', 'reasons are shared by all tables');
SET intervalstyle = iso_8601;
SET datestyle = german;
SELECT ordcancel.set_policy('shop.orders', grace => '2 hours') \g /dev/null
SELECT ordcancel.setup_digest('shop.orders') AS graced \gset
SELECT isnt(:'graced'::text, :'digest', 'another policy');
RESET intervalstyle;
RESET datestyle;
SELECT is(ordcancel.setup_digest('shop.orders'), :'graced', 'whatever the settings of the session');
SELECT ordcancel.set_policy('shop.orders', unset => '{grace}') \g /dev/null
SELECT is(ordcancel.setup_digest('shop.orders'), :'digest', 'and back');
SELECT is(attempt_as('move_reader', $$SELECT ordcancel.setup_digest('shop.orders')$$), 'ok', 'a reader of the orders');
SELECT is(attempt_as('move_owner', $$SELECT ordcancel.setup_digest('shop.orders')$$), '42501', 'and nobody else');
SELECT is(attempt($$SELECT ordcancel.setup_digest('shop.unattached')$$), 'OC001', 'a table that is not attached');
SELECT is(attempt($$SELECT ordcancel.setup_digest(NULL)$$), 'OC001', 'and none');

-- ------------------------------------------------------------------- move_setup

SELECT is(attempt($$SELECT ordcancel.move_setup(NULL)$$), '22004', 'no schema');
SELECT is(attempt($$SELECT ordcancel.move_setup('nowhere')$$), '3F000', 'one that does not exist');
SELECT is(attempt($$SELECT ordcancel.move_setup('empty')$$), 'OC001', 'one without order tables');
SELECT is(attempt_as('move_reader', $$SELECT ordcancel.move_setup('shop')$$), '42501', 'only superusers move');
SELECT is(attempt_as('move_reader', $$SELECT ordcancel_internal.take_setup('{}')$$), '42501', 'and take');
SELECT is(attempt($$SELECT ordcancel_internal.take_setup('{}')$$), '0A000', 'what another version wrote');
SELECT is(attempt($$SELECT ordcancel_internal.take_setup('x')$$), '22P02', 'and what is no setup');

SELECT ordcancel.cancel_order('shop.orders', 1, 'other', 'it''s a \ note'),
       ordcancel.create_consumer('moved', 'shop.orders') \g /dev/null
SELECT ordcancel.record_refund('shop.orders', 1, 5, 'cash') \g /dev/null
SELECT replace(ordcancel.move_setup('shop'), E'\n', ' ') AS script \gset
SELECT is(attempt(format('SELECT ordcancel_internal.take_setup(%s)',
                         substring(:'script' FROM 'take_setup\((.*?)\);'))), 'OC014',
          'a table that is attached');
-- As in another database: the tables are there, their registration is not.
SELECT ordcancel.drop_consumer('moved') \g /dev/null
DELETE FROM ordcancel.order_table;
DELETE FROM ordcancel.policy;
DELETE FROM ordcancel.rule;
DELETE FROM ordcancel.policy_change;
DELETE FROM ordcancel.reason WHERE code = 'shared';
SELECT is(attempt($$UPDATE shop.orders SET status = 'canceled' WHERE id = 2$$), 'OC001', 'no rules');
SELECT substring(:'script' FROM 'SELECT ordcancel_internal.take_setup.*') AS script \gset
\o /dev/null
:script
\o
SELECT is(ordcancel.setup_digest('shop.orders'), :'digest', 'the setup is back');
SELECT is((SELECT string_agg(code, ' ') FROM ordcancel.reason WHERE NOT seeded), 'shared', 'and the reason');
SELECT is((SELECT count(*) > 3 FROM ordcancel.policy_change), true, 'and the log of changes');
SELECT is((SELECT string_agg(type, ' ' ORDER BY event_id) FROM ordcancel.next_events('moved')),
          'refunded canceled', 'and the consumer, where it was');
SELECT is((SELECT string_agg(who || ' ' || what, ', ') FROM ordcancel.timeline('shop.orders', 1)),
          'postgres (merchant) began to cancel the order; 5 to be refunded, postgres (merchant) refunded 5 by cash, '
          'postgres (merchant) canceled the order, as all was refunded', 'and the records');
SELECT is(attempt($$UPDATE shop.orders SET status = 'canceled' WHERE id = 2$$), '23514 refund_not_settled',
          'rules hold again');
SELECT is((SELECT count(*) FROM ordcancel.health), 0::bigint, 'all is well');
SELECT * FROM finish();
ROLLBACK;
