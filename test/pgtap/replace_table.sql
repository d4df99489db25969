-- Another table in the place of an order table: rules and records follow.
BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql

CREATE ROLE replace_owner;
CREATE ROLE replace_other;
SELECT ordcancel.grant_owner('replace_owner'), ordcancel.grant_owner('replace_other');
CREATE SCHEMA shop AUTHORIZATION replace_owner;
GRANT ALL ON SCHEMA shop TO replace_other;
SET LOCAL ROLE replace_owner;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text, supplier text, paid numeric, flagged boolean);
INSERT INTO shop.orders SELECT i, 'placed', 'acme', 10, false FROM generate_series(1, 5) AS i;
CREATE TABLE shop.parcel (order_id integer);
SELECT ordcancel.attach('shop.orders', 'status', policy_by => 'supplier', refund_due => 'orders.paid');
SELECT ordcancel.set_policy('shop.orders', requested_status => 'asked', in_progress_status => 'refunding',
                            canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.orders', 'placed', customer => 'request', merchant => 'cancel');
SELECT ordcancel.set_policy('shop.orders', policy => 'acme', undo => 'never');
SELECT ordcancel.add_block('shop.orders', 'flag', 'orders.flagged');
SELECT ordcancel.attach_child('shop.parcel', 'shop.orders', key => '{order_id}');
RESET ROLE;
SELECT ordcancel.cancel_order('shop.orders', 1), ordcancel.request_cancel('shop.orders', 2);
SET LOCAL ROLE replace_owner;

CREATE TABLE shop.orders_new (paid numeric(12, 2), flagged boolean, supplier text, status text, id integer PRIMARY KEY,
                              memo text);
INSERT INTO shop.orders_new SELECT paid, flagged, supplier, status, id FROM shop.orders;
CREATE TABLE shop.keyed (LIKE shop.orders_new, PRIMARY KEY (id, supplier));
CREATE TABLE shop.bigger (LIKE shop.orders_new, PRIMARY KEY (id));
ALTER TABLE shop.bigger ALTER id TYPE bigint;
CREATE TABLE shop.fewer (id integer PRIMARY KEY, status text, supplier text, paid numeric);
CREATE TABLE shop.statusless (id integer PRIMARY KEY, supplier text, paid numeric, flagged boolean);
RESET ROLE;
CREATE TABLE shop.others (LIKE shop.orders_new, PRIMARY KEY (id));
ALTER TABLE shop.others OWNER TO replace_other;

-- What will not do.
SET LOCAL ROLE replace_owner;
SELECT is(attempt(format('SELECT ordcancel.replace_table(%L, %L)', was, is_now)), code, was || ' by ' || is_now || ': '
          || code)
FROM (VALUES ('shop.orders', 'shop.keyed', 'OC014'), ('shop.orders', 'shop.bigger', 'OC014'),
             ('shop.orders', 'shop.statusless', 'OC014'),
             ('shop.orders', 'shop.fewer', 'OC014'), ('shop.orders', 'shop.orders', 'OC014'),
             ('shop.orders', 'shop.others', '42501'),
             ('shop.orders_new', 'shop.orders', 'OC001'), ('shop.orders', 'pg_catalog.pg_class', '42501'),
             ('shop.orders', 'shop.orders_cancellation', '42501')) AS v (was, is_now, code);
RESET ROLE;
SELECT is(attempt('SELECT ordcancel.replace_table(''shop.orders'', ''shop.others'')'), 'OC014',
          'nor by another owner''s, as a superuser');
SELECT is(attempt('SELECT ordcancel.replace_table(''shop.orders'', NULL)'), 'OC001', 'nor by none');
SELECT is((SELECT string_agg(orders::regclass::text, ', ') FROM ordcancel.order_table), 'shop.orders',
          'nothing has changed');

-- The swap.
SET LOCAL ROLE replace_owner;
ALTER TABLE shop.orders RENAME TO orders_old;
ALTER TABLE shop.orders_new RENAME TO orders;
SELECT is(ordcancel.replace_table('shop.orders_old', 'shop.orders'),
          'shop.orders: replaces shop.orders_old, with its rules and the records in shop.orders_cancellation',
          'a new table takes its place');
RESET ROLE;
SELECT is_empty('SELECT * FROM ordcancel.health', 'all is well');
SELECT is((SELECT string_agg(DISTINCT orders::regclass::text, ', ')
           FROM (SELECT orders FROM ordcancel.order_table UNION SELECT orders FROM ordcancel.policy UNION SELECT orders
                 FROM ordcancel.rule
                 UNION SELECT orders FROM ordcancel.block UNION SELECT orders FROM ordcancel.child
                 UNION SELECT orders FROM ordcancel.also_set
                 UNION SELECT orders FROM ordcancel.item_table UNION SELECT orders FROM ordcancel.policy_change) AS t),
          'shop.orders', 'all is the new one''s');
SELECT is((SELECT state || ' ' || changed FROM ordcancel.cancel_order('shop.orders', 1)), 'in_progress false',
          'what was canceled is');
SELECT is((SELECT state FROM ordcancel.record_refund('shop.orders', 1, 10, 'cash')), 'canceled', 'and goes on');
SELECT is((SELECT state FROM ordcancel.withdraw_cancel('shop.orders', 2)), 'withdrawn', 'what was asked too');
UPDATE shop.orders SET flagged = true WHERE id = 3;
SELECT is(attempt('SELECT ordcancel.cancel_order(''shop.orders'', 3)'), 'OC005',
          'the block is read from the new table');
SELECT is((SELECT refund_due FROM ordcancel.cancel_order('shop.orders', 4)), 10.00, 'and the refund');
SELECT is(attempt('UPDATE shop.orders SET status = ''canceled'' WHERE id = 5'), '23514 refund_not_settled',
          'it is guarded');
SELECT is(attempt('INSERT INTO shop.parcel VALUES (4)'), '23514 order_is_canceled', 'its children, too');
SELECT is(attempt('UPDATE shop.orders_old SET status = ''canceled'' WHERE id = 5'), 'ok',
          'the old one is under no rule');
SELECT is(attempt('DROP TABLE shop.orders_old'), 'ok', 'and can go');
SELECT is((SELECT count(*) FROM shop.orders_cancellation), 3::bigint, 'the records stay');
SELECT is((SELECT policy FROM ordcancel.order_table AS t JOIN ordcancel.policy AS p USING (orders)
           WHERE p.policy = 'acme'), 'acme', 'and the policies');

-- Into another schema, and a key of another type.
CREATE SCHEMA elsewhere AUTHORIZATION replace_owner;
SET LOCAL ROLE replace_owner;
CREATE TABLE elsewhere.bought (LIKE shop.orders, PRIMARY KEY (id));
CREATE TABLE elsewhere.typed (id uuid PRIMARY KEY, status text, supplier text, paid numeric, flagged boolean);
SELECT is(attempt('SELECT ordcancel.replace_table(''shop.orders'', ''elsewhere.typed'')'), 'OC014',
          'a key of another type, in another schema');
SELECT is(attempt('SELECT ordcancel.replace_table(''shop.orders'', ''shop.parcel'')'), 'OC014', 'a child of it');
ALTER TABLE shop.orders RENAME TO gone;
ALTER TABLE elsewhere.bought RENAME TO orders;
RESET ROLE;
SELECT is(attempt('SELECT ordcancel.replace_table(''shop.gone'', ''elsewhere.orders'')'), 'ok', 'another schema');
SELECT is_empty('SELECT * FROM ordcancel.health WHERE problem <> ''order_gone''', 'all is well there');
SELECT ordcancel.detach('elsewhere.orders'), ordcancel.attach('elsewhere.orders', 'status');
SELECT is((SELECT cancellation_table::text FROM ordcancel.order_table), 'shop.orders_cancellation',
          'detached and attached again it has its records');

SELECT * FROM finish();
ROLLBACK;
