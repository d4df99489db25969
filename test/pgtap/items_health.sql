-- health: what can be wrong with the items of orders, and what it says then.
BEGIN;
SELECT plan(34);
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql

CREATE SCHEMA shop;
CREATE ROLE health_other;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text NOT NULL DEFAULT 'placed', paid numeric);
CREATE TABLE shop.items (order_id bigint, line smallint, n integer, gone integer NOT NULL DEFAULT 0,
                         shipped integer NOT NULL DEFAULT 0, PRIMARY KEY (order_id, line)) PARTITION BY LIST (line);
CREATE TABLE shop.items_1 PARTITION OF shop.items FOR VALUES IN (1);
CREATE TABLE shop.items_2 PARTITION OF shop.items FOR VALUES IN (2);
INSERT INTO shop.orders SELECT i FROM generate_series(1, 5) AS i;
INSERT INTO shop.items SELECT i, l, 3 FROM generate_series(1, 5) AS i, generate_series(1, 2) AS l;
SELECT ordcancel.attach('shop.orders', 'status');
SELECT ordcancel.set_policy('shop.orders', canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.orders', 'placed', customer => 'request', merchant => 'cancel');
SELECT ordcancel.attach_items('shop.items', 'shop.orders', '{order_id}', 'n', 'gone', fulfilled => 'shipped');

CREATE FUNCTION problems() RETURNS text LANGUAGE sql AS $$
SELECT string_agg(problem || ': ' || detail || coalesce(' | ' || hint, ''), E'\n' ORDER BY problem, detail)
FROM ordcancel.health('shop.orders') $$;
-- Writes of which no trigger knows.
CREATE PROCEDURE unseen(statement text) LANGUAGE plpgsql AS $$
BEGIN
    ALTER TABLE shop.items DISABLE TRIGGER ALL;
    ALTER TABLE shop.orders_cancellation DISABLE TRIGGER ALL;
    ALTER TABLE shop.orders_cancellation_item DISABLE TRIGGER ALL;
    EXECUTE statement;
    ALTER TABLE shop.items ENABLE TRIGGER ALL;
    ALTER TABLE shop.orders_cancellation ENABLE TRIGGER ALL;
    ALTER TABLE shop.orders_cancellation_item ENABLE TRIGGER ALL;
END
$$;
CREATE FUNCTION mends(harm text, said text, cure text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE harm;
    RETURN NEXT is(problems(), said, left(harm, 80));
    EXECUTE cure;
    RETURN NEXT is(problems(), NULL, 'and is right again');
END
$$;
SELECT is(problems(), NULL, 'all is well');

SELECT mends('ALTER TABLE shop.items DISABLE TRIGGER "!ordcancel_guard_item_truncate"',
             'items_unguarded: Trigger "!ordcancel_guard_item_truncate" of shop.items is disabled. | SELECT'
             ' ordcancel.attach_items(''shop.items'', ''shop.orders'', NULL) creates it again.',
             'SELECT ordcancel.attach_items(''shop.items'', ''shop.orders'', NULL)');
SELECT mends('DROP TRIGGER "!ordcancel_guard_item" ON shop.items',
             E'items_unguarded: Trigger "!ordcancel_guard_item" of partition shop.items_1 is missing or disabled.'
             ' | SELECT ordcancel.attach_items(''shop.items'', ''shop.orders'', NULL) creates it again.\n'
             'items_unguarded: Trigger "!ordcancel_guard_item" of partition shop.items_2 is missing or disabled.'
             ' | SELECT ordcancel.attach_items(''shop.items'', ''shop.orders'', NULL) creates it again.\n'
             'items_unguarded: Trigger "!ordcancel_guard_item" of shop.items is missing, or was modified.'
             ' | SELECT ordcancel.attach_items(''shop.items'', ''shop.orders'', NULL) creates it again.',
             'SELECT ordcancel.attach_items(''shop.items'', ''shop.orders'', NULL)');
SELECT mends('ALTER TABLE shop.items_1 DISABLE TRIGGER "!ordcancel_guard_item"',
             'items_unguarded: Trigger "!ordcancel_guard_item" of partition shop.items_1 is missing or disabled.'
             ' | SELECT ordcancel.guard_partitions(''shop.orders'');',
             'SELECT ordcancel.guard_partitions(''shop.orders'')');
SELECT mends('CREATE TABLE shop.items_3 PARTITION OF shop.items FOR VALUES IN (3)',
             'items_unguarded: Trigger "!ordcancel_guard_item_truncate" of partition shop.items_3 is missing or'
             ' disabled. | SELECT ordcancel.guard_partitions(''shop.orders'');',
             'SELECT ordcancel.guard_partitions(''shop.orders'')');
SELECT mends('ALTER TABLE shop.orders_cancellation_item DISABLE TRIGGER ALL',
             'records_unguarded: Trigger "ordcancel_guard_record" of shop.orders_cancellation_item is missing or'
             ' disabled. | SELECT ordcancel.attach(''shop.orders'') creates it again.',
             'SELECT ordcancel.attach(''shop.orders'')');
SELECT mends('ALTER TABLE shop.orders_cancellation_item NO INHERIT ordcancel.cancellation_item',
             'records_not_in_views: shop.orders_cancellation_item no longer inherits from ordcancel.cancellation_item.'
             ' | SELECT ordcancel.attach(''shop.orders'') creates it again.',
             'SELECT ordcancel.attach(''shop.orders'')');
SELECT mends('ALTER TABLE shop.items RENAME COLUMN gone TO canceled',
             'items_unusable: Column "gone" of shop.items, attached as canceled, was'
             ' renamed or dropped. | SELECT ordcancel.attach_items(''shop.items'', ''shop.orders'', NULL, canceled'
             ' => ...) with its new name.', 'ALTER TABLE shop.items RENAME COLUMN canceled TO gone');
SELECT mends('ALTER TABLE shop.items RENAME COLUMN order_id TO of_order',
             E'items_unusable: Column "order_id" of shop.items, attached as key, was renamed or dropped. | SELECT'
             ' ordcancel.attach_items(''shop.items'', ''shop.orders'', key => ...) with its new name.\n'
             'items_unusable: The primary key of shop.items is now (of_order, line); it was (order_id, line). | Restore'
             ' it; if its columns were only renamed: SELECT ordcancel.attach_items(''shop.items'', ''shop.orders'','
             ' NULL).',
             'ALTER TABLE shop.items RENAME COLUMN of_order TO order_id');
SELECT mends('ALTER TABLE shop.items RENAME COLUMN shipped TO sent',
             'item_expression_fails: fulfilled is not valid: expression over shop.items cannot be used: shipped.'
             ' | SELECT ordcancel.attach_items(''shop.items'', ''shop.orders'', NULL, fulfilled => ...);',
             'ALTER TABLE shop.items RENAME COLUMN sent TO shipped');
SELECT mends('ALTER TABLE shop.items OWNER TO health_other',
             format('items_unusable: shop.items belongs to health_other, and the order table to %1$I.'
                    ' | ALTER TABLE shop.items OWNER TO %1$I;', current_user),
             'ALTER TABLE shop.items OWNER TO CURRENT_USER');
SELECT mends('DROP TABLE shop.orders_cancellation_item',
             'items_unusable: The record table of the items of shop.orders is missing. | Restore it from a backup, or'
             ' create a new one: SELECT ordcancel.attach_items(''shop.items'', ''shop.orders'', NULL).',
             'SELECT ordcancel.attach_items(''shop.items'', ''shop.orders'', NULL)');

-- ------------------------------------------------------- rows

SELECT mends($$CALL unseen('UPDATE shop.items SET gone = 2, shipped = 2 WHERE order_id = 3 AND line = 2')$$,
             'items_exceed_quantity: Items of shop.items with more units canceled and fulfilled than ordered: 1, for'
             ' example item (3,2). | They were written while the triggers were disabled, or before attach_items();'
             ' correct their quantity.',
             $$CALL unseen('UPDATE shop.items SET gone = 0, shipped = 0 WHERE order_id = 3')$$);
SELECT setval('ordcancel.cancellation_id_seq', 1000);
CALL unseen($$INSERT INTO shop.orders_cancellation (cancellation_id, order_key, state, requested_by, policy,
                                                    requested_at, scope, order_status, order_id)
              VALUES (101, '1', 'canceled', 'merchant', 'default', now(), 'items', 'placed', 1),
                     (102, '1', 'in_progress', 'merchant', 'default', now(), 'items', 'placed', 1),
                     (103, '1', 'undone', 'merchant', 'default', now(), 'items', 'placed', 1)$$);
CALL unseen($$INSERT INTO shop.orders_cancellation_item (cancellation_id, item_key, quantity, order_id, line)
              VALUES (101, '(1,1)', 1, 1, 1), (102, '(1,1)', 1, 1, 1), (102, '(1,2)', 1, 1, 2),
                     (103, '(1,1)', 1, 1, 1)$$);
SELECT is(problems(),
          'item_and_records_differ: Items of shop.items with fewer units canceled than their cancellations say: 2, for'
          ' example item (1,1). | They were written while the triggers were disabled; ordcancel.undo_cancel() ends a'
          ' cancellation.', 'units on record that the items do not have');
CALL unseen('UPDATE shop.items SET gone = 3 - line WHERE order_id = 1');
SELECT is(problems(), NULL, 'and those of ended cancellations do not count');
CALL unseen('UPDATE shop.items SET gone = gone + 1 WHERE order_id = 1');
SELECT is(problems(), NULL, 'nor units that were canceled before');
SELECT ordcancel.set_rule('shop.orders', 'sent');
UPDATE shop.orders SET status = 'sent' WHERE id = 1;
SELECT is(problems(), NULL, 'an order of which items are canceled may move on');
CALL unseen($$INSERT INTO shop.orders_cancellation (cancellation_id, order_key, state, requested_by, policy,
                                                    requested_at, closed_at, order_status, order_id)
              VALUES (104, '2', 'canceled', 'merchant', 'default', now(), now(), 'placed', 2)$$);
SELECT is(problems(), NULL, 'an order that was canceled before its items were attached');
CALL unseen($$INSERT INTO shop.orders_cancellation_item (cancellation_id, item_key, quantity, order_id, line)
              VALUES (104, '(2,1)', 3, 2, 1)$$);
CALL unseen('UPDATE shop.items SET gone = 3 WHERE order_id = 2 AND line = 1');
SELECT is(problems(),
          'items_left: Canceled orders with units that are neither canceled nor fulfilled: 1, for example order 2.'
          ' | Their items were written while the triggers were disabled.',
          'an order that was canceled with units left');
CALL unseen('UPDATE shop.items SET shipped = 3 WHERE order_id = 2 AND line = 2');
SELECT is(problems(), NULL, 'what is fulfilled is not left');

-- A status for each item
ALTER TABLE shop.items ADD COLUMN state character(10) NOT NULL DEFAULT 'open';
SELECT ordcancel.detach_items('shop.items');
SELECT ordcancel.attach_items('shop.items', 'shop.orders', '{order_id}', status => 'state', canceled_status => 'void',
                              fulfilled => 'shipped');
SELECT is(problems(),
          E'item_and_records_differ: Items of shop.items with fewer units canceled than their cancellations say: 3, for'
          ' example item (1,1). | They were written while the triggers were disabled; ordcancel.undo_cancel() ends a'
          ' cancellation.\nitems_exceed_quantity: Items of shop.items with more units canceled and fulfilled than'
          ' ordered: 1, for example item (2,2). | They were written while the triggers were disabled, or before'
          ' attach_items(); correct their quantity.\nitems_left: Canceled orders with units that are neither canceled'
          ' nor fulfilled: 1, for example order 2. | Their items were written while the triggers were disabled.',
          'items that do not have the status');
CALL unseen('UPDATE shop.items SET state = ''void'', shipped = 0 WHERE order_id <= 2');
CALL unseen('UPDATE shop.orders_cancellation_item SET quantity = 1');
CALL unseen('DELETE FROM shop.orders_cancellation_item WHERE cancellation_id = 102');
SELECT is(problems(), NULL, 'and those that do');

SELECT * FROM finish();
ROLLBACK;
