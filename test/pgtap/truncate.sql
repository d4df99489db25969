-- TRUNCATE in a database for tests: it empties orders and records and keeps
-- the rules, where a superuser has said so; else it is refused.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
SELECT plan(58);

CREATE ROLE truncate_owner;
CREATE ROLE truncate_app;
CREATE SCHEMA shop;
GRANT USAGE, CREATE ON SCHEMA shop TO truncate_owner, truncate_app;
CREATE TABLE shop.customers (id integer PRIMARY KEY);
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text NOT NULL DEFAULT 'placed',
                          customer integer REFERENCES shop.customers);
CREATE TABLE shop.plain (id integer PRIMARY KEY, status text NOT NULL DEFAULT 'placed');
CREATE TABLE shop.parts (id integer PRIMARY KEY, status text NOT NULL DEFAULT 'placed') PARTITION BY RANGE (id);
CREATE TABLE shop.parts_1 PARTITION OF shop.parts FOR VALUES FROM (1) TO (10);
CREATE TABLE shop.parts_2 PARTITION OF shop.parts FOR VALUES FROM (10) TO (20);
CREATE TABLE shop.shipments (order_id integer REFERENCES shop.orders);
ALTER TABLE shop.orders OWNER TO truncate_owner;
SELECT ordcancel.attach('shop.orders', 'status'), ordcancel.attach('shop.plain', 'status', inherit => false),
       ordcancel.attach('shop.parts', 'status'), ordcancel.attach_child('shop.shipments', 'shop.orders', '{order_id}');
SELECT ordcancel.set_policy(t, canceled_status => 'canceled', requested_status => 'asked'),
       ordcancel.set_rule(t, 'placed', customer => 'request', merchant => 'cancel')
FROM unnest('{shop.orders,shop.plain,shop.parts}'::regclass[]) AS t;
GRANT SELECT, INSERT, TRUNCATE ON shop.orders TO truncate_app;
GRANT SELECT ON shop.plain TO truncate_app;

CREATE FUNCTION fill(orders text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('INSERT INTO %s (id) SELECT n FROM generate_series(1, 15) AS n', orders);
    PERFORM ordcancel.cancel_order(orders::regclass, 1),
    ordcancel.request_cancel(orders::regclass, 2, request_key => 'k');
END
$$;
-- Orders, cancellations and events of a table.
CREATE FUNCTION counts(orders text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    EXECUTE format('SELECT concat_ws('' '', (SELECT count(*) FROM %1$s), (SELECT count(*) FROM %1$s_cancellation), '
                   '(SELECT count(*) FROM %1$s_cancellation_event))', orders)
        INTO result;
    RETURN result;
END
$$;
SELECT fill('shop.orders'), fill('shop.plain'), fill('shop.parts');

SELECT is(attempt('TRUNCATE ' || t), '23514 cancellation_forbidden', 'it is refused: ' || t)
FROM unnest('{shop.orders CASCADE,shop.plain,shop.parts,shop.parts_1,"shop.plain, shop.parts",'
            'shop.customers CASCADE}'::text[]) AS t;
SELECT is(attempt_as('truncate_owner', 'SET LOCAL ordcancel.allow_truncate = on'), '42501',
          'only a superuser allows it');
SELECT is(attempt_as('truncate_app', 'SELECT set_config(''ordcancel.allow_truncate'', ''on'', true)'), '42501',
          'in no other way');

SET LOCAL ordcancel.allow_truncate = on;
SELECT is(attempt_as('truncate_app', 'TRUNCATE shop.plain'), '42501', 'it needs the privilege still');
SELECT is(counts('shop.plain'), '15 2 2', 'without it nothing is emptied');
SELECT is(attempt_as('truncate_app', 'TRUNCATE shop.orders_cancellation'), '42501',
          'the record tables are not for him');
SELECT is(attempt('TRUNCATE ' || t), '23514 written_by_ordcancel', 'nor for a superuser: ' || t)
FROM unnest('{shop.orders_cancellation,shop.orders_cancellation_event,ordcancel.cancellation}'::text[]) AS t;
SELECT is(attempt('TRUNCATE shop.orders, shop.orders_cancellation CASCADE'), '55006', 'nor along with its orders');
SELECT is(attempt('TRUNCATE shop.orders'), '0A000', 'a foreign key refuses as ever');
SELECT is(counts('shop.orders'), '15 2 2', 'and leaves the records');
SELECT is(attempt('DELETE FROM shop.orders'), '23514 cancellation_forbidden', 'DELETE is as it was');

GRANT ALL ON shop.shipments TO truncate_app;
SELECT is(attempt_as('truncate_app', 'TRUNCATE shop.orders CASCADE'), 'ok', 'an application truncates');
SELECT is(counts('shop.orders'), '0 0 0', 'orders and records are empty');
SELECT is(counts('shop.plain'), '15 2 2', 'those of others are not');
SELECT is(attempt('SELECT fill(''shop.orders'')'), 'ok', 'the same orders come again');
SELECT is(counts('shop.orders'), '15 2 2', 'under the same rules');
SELECT is((SELECT concat_ws(' ', state, changed, order_status) FROM ordcancel.cancel_order('shop.orders', 1)),
          'canceled f canceled', 'which were kept');
SELECT is((SELECT concat_ws(' ', state, changed) FROM ordcancel.cancel_order('shop.orders', 3)), 'canceled t',
          'ids go on');

SELECT is(attempt('TRUNCATE shop.orders, shop.shipments, shop.plain RESTART IDENTITY'), 'ok', 'several at once');
SELECT is(counts('shop.orders') || ' ' || counts('shop.plain'), '0 0 0 0 0 0', 'are empty');
SELECT fill('shop.orders'), fill('shop.plain');
SELECT is(attempt('TRUNCATE shop.customers CASCADE'), 'ok', 'along with what they refer to');
SELECT is(counts('shop.orders') || ' ' || counts('shop.plain'), '0 0 0 15 2 2', 'they are empty, others are not');

-- Partitions: all of them, or none.
SELECT is(attempt('TRUNCATE shop.parts_1'), '23514 cancellation_forbidden', 'a partition alone would leave records');
SELECT is(counts('shop.parts'), '15 2 2', 'nothing is emptied');
SELECT is(attempt('TRUNCATE shop.parts'), 'ok', 'a partitioned table');
SELECT is(counts('shop.parts'), '0 0 0', 'is empty');
INSERT INTO shop.parts SELECT generate_series(1, 15);
SELECT is(attempt('TRUNCATE shop.parts_1'), 'ok', 'a partition without records');
SELECT is(counts('shop.parts'), '6 0 0', 'is empty');

-- Undone with the transaction.
SELECT fill('shop.orders');
SAVEPOINT s;
TRUNCATE shop.orders CASCADE;
ROLLBACK TO s;
SELECT is(counts('shop.orders'), '15 2 2', 'rolled back: all of it is there');
SELECT is((SELECT state FROM ordcancel.accept_cancel('shop.orders', 2)), 'canceled', 'and goes on');
SAVEPOINT s;
SET LOCAL ordcancel.allow_truncate = off;
SELECT is(attempt('TRUNCATE shop.orders CASCADE'), '23514 cancellation_forbidden', 'off: refused again');
ROLLBACK TO s;

-- A trigger of the user's that fails after ours.
CREATE FUNCTION shop.no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''no''; END';
CREATE TRIGGER no BEFORE TRUNCATE ON shop.orders EXECUTE FUNCTION shop.no();
SELECT is(attempt('TRUNCATE shop.orders CASCADE'), 'P0001', 'refused by another');
SELECT is(counts('shop.orders'), '15 2 3', 'the records are there');
SELECT is(attempt('TRUNCATE shop.orders_cancellation'), '23514 written_by_ordcancel', 'and under guard');

-- The way round it: an order that is placed is never said to be canceled.
DROP TRIGGER no ON shop.orders;
SET LOCAL ordcancel.allow_truncate = off;
ALTER TABLE shop.orders DISABLE TRIGGER USER;
TRUNCATE shop.orders CASCADE;
ALTER TABLE shop.orders ENABLE TRIGGER USER;
INSERT INTO shop.orders (id) SELECT generate_series(1, 5);
SELECT is(error_of('SELECT ordcancel.' || call), 'OC013 | order 1 of shop.orders and its cancellation disagree'
          ' | The order has status "placed", but its cancellation is in state "canceled".'
          ' | Its status was changed while the triggers were disabled. Call ordcancel.undo_cancel() to end the '
          'cancellation; the order keeps its status.',
          'no order that is placed is said to be canceled: ' || call)
FROM unnest(ARRAY['cancel_order(''shop.orders'', 1)', 'request_cancel(''shop.orders'', 1)',
                  'override_cancel(''shop.orders'', 1, note => ''n'')',
                  'accept_cancel(''shop.orders'', 1)',
                  'cancel_orders(''shop.orders'', ''{3,1}'', on_error => ''abort'')']) AS call;
SELECT results_eq($$SELECT order_id, outcome, sqlstate FROM ordcancel.cancel_orders('shop.orders', '{1,3}')$$,
                  $$VALUES ('1', 'refused', 'OC013'), ('3', 'canceled', NULL)$$, 'nor among others');
SELECT is(attempt($$UPDATE shop.orders SET status = 'shipped' WHERE id = 1$$), '23514 order_is_canceled',
          'it does not move on');
SELECT results_eq($$SELECT verb, outcome, condition FROM ordcancel.cancel_options('shop.orders', 1)
                    WHERE verb IN ('cancel_order', 'undo_cancel')$$,
                  $$VALUES ('cancel_order', 'refused', 'order_is_canceled'), ('undo_cancel', 'undone', NULL)$$,
                  'cancel_options says so');
-- The way out works whatever the policy says of undoing.
SELECT ordcancel.set_policy('shop.orders', undo => 'never', undo_window => '0');
SELECT is((SELECT concat_ws(' ', state, changed, order_status) FROM ordcancel.undo_cancel('shop.orders', 1)),
          'undone t placed', 'undone, it keeps its status');
SELECT is((SELECT status FROM shop.orders WHERE id = 1), 'placed', 'in the table too');
SELECT is((SELECT concat_ws(' ', state, changed, order_status) FROM ordcancel.cancel_order('shop.orders', 1)),
          'canceled t canceled', 'and can be canceled');
SELECT is(attempt($$SELECT ordcancel.undo_cancel('shop.orders', 1)$$), 'OC008',
          'which cannot be undone, as the policy says');
-- One in progress is not completed by a refund.
SELECT ordcancel.attach('shop.plain', 'status', refund_due => '5', inherit => false);
INSERT INTO shop.plain VALUES (40);
SELECT is((ordcancel.cancel_order('shop.plain', 40)).state, 'in_progress', 'in progress');
SELECT is((ordcancel.record_refund('shop.plain', 40, 2, 'card')).changed, true, 'of which a part is paid back');
ALTER TABLE shop.plain DISABLE TRIGGER USER;
UPDATE shop.plain SET status = 'shipped' WHERE id = 40;
ALTER TABLE shop.plain ENABLE TRIGGER USER;
SELECT is(left(error_of($$SELECT ordcancel.record_refund('shop.plain', 40, 3, 'card')$$), 5), 'OC013',
          'shipped behind its back: no refund cancels it');
SELECT is(attempt($$SELECT ordcancel.undo_cancel('shop.plain', 40)$$), 'OC009', 'the money still has to come back');
SELECT is((SELECT concat_ws(' ', state, order_status) FROM ordcancel.undo_cancel('shop.plain', 40, settled => true)),
          'undone shipped', 'then it is undone');
SELECT finish();
ROLLBACK;
