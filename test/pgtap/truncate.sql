-- TRUNCATE in a database for tests: it empties orders and records and keeps
-- the rules, where a superuser has said so; else it is refused.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/attempt.sql
SELECT plan(42);

CREATE ROLE truncate_owner;
CREATE ROLE truncate_app;
CREATE SCHEMA shop;
GRANT USAGE, CREATE ON SCHEMA shop TO truncate_owner, truncate_app;
CREATE TABLE shop.customers (id integer PRIMARY KEY);
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text NOT NULL DEFAULT 'placed', customer integer REFERENCES shop.customers);
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
    PERFORM ordcancel.cancel_order(orders::regclass, 1), ordcancel.request_cancel(orders::regclass, 2, request_key => 'k');
END
$$;
-- Orders, cancellations and events of a table.
CREATE FUNCTION counts(orders text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    EXECUTE format('SELECT concat_ws('' '', (SELECT count(*) FROM %1$s), (SELECT count(*) FROM %1$s_cancellation), (SELECT count(*) FROM %1$s_cancellation_event))', orders)
        INTO result;
    RETURN result;
END
$$;
SELECT fill('shop.orders'), fill('shop.plain'), fill('shop.parts');

SELECT is(attempt('TRUNCATE ' || t), '23514 cancellation_forbidden', 'it is refused: ' || t)
FROM unnest('{shop.orders CASCADE,shop.plain,shop.parts,shop.parts_1,"shop.plain, shop.parts",shop.customers CASCADE}'::text[]) AS t;
SELECT is(attempt_as('truncate_owner', 'SET LOCAL ordcancel.allow_truncate = on'), '42501', 'only a superuser allows it');
SELECT is(attempt_as('truncate_app', 'SELECT set_config(''ordcancel.allow_truncate'', ''on'', true)'), '42501', 'in no other way');

SET LOCAL ordcancel.allow_truncate = on;
SELECT is(attempt_as('truncate_app', 'TRUNCATE shop.plain'), '42501', 'it needs the privilege still');
SELECT is(counts('shop.plain'), '15 2 2', 'without it nothing is emptied');
SELECT is(attempt_as('truncate_app', 'TRUNCATE shop.orders_cancellation'), '42501', 'the record tables are not for him');
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
SELECT is((SELECT concat_ws(' ', state, changed, order_status) FROM ordcancel.cancel_order('shop.orders', 1)), 'canceled f canceled', 'which were kept');
SELECT is((SELECT concat_ws(' ', state, changed) FROM ordcancel.cancel_order('shop.orders', 3)), 'canceled t', 'ids go on');

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
CREATE TABLE said AS SELECT attempt('CREATE TEMP TABLE answer AS SELECT * FROM ordcancel.cancel_order(''shop.orders'', 1)') AS how;
SELECT todo('an order whose status is none of a cancellation', 1);
SELECT isnt((SELECT how FROM said) || coalesce((SELECT concat_ws(' ', ':', state, changed, order_status) FROM answer), ''), 'ok: canceled f placed',
            'truncated with the triggers disabled: no order that is placed is said to be canceled');
SELECT finish();
ROLLBACK;
