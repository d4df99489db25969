-- The items of an order: what attach_items() says, exactly
\set VERBOSITY default
\set SHOW_CONTEXT never
SET client_min_messages = notice;
CREATE SCHEMA shop;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text NOT NULL);
CREATE TABLE shop.lines (order_id integer, line integer, n numeric, gone numeric, sent numeric, state text,
                         PRIMARY KEY (line, order_id)) PARTITION BY HASH (line);
CREATE TABLE shop.lines_0 PARTITION OF shop.lines FOR VALUES WITH (MODULUS 1, REMAINDER 0);
INSERT INTO shop.lines VALUES (1, 1, 2.5, NULL, 2.5, 'open'), (1, 2, 2, 1, 1.5, 'gone'), (2, 1, 1, 2, NULL, 'open'),
                              (2, 2, NULL, 1, 0, NULL);
SELECT ordcancel.attach('shop.orders', 'status');

-- A missing index, and items of which more is canceled and fulfilled than ordered
SELECT ordcancel.attach_items('shop.lines', 'shop.orders', '{order_id}', 'n', 'gone', fulfilled => 'sent');
CREATE INDEX ON shop.lines (order_id, line);
SELECT ordcancel.attach_items('shop.lines', 'shop.orders', NULL, status => 'state', canceled_status => 'gone',
                              fulfilled => 'CASE WHEN sent > 0 THEN 1 END', unset => '{canceled,quantity}');
-- An expression that fails for some of them is no reason to fail
SELECT ordcancel.attach_items('shop.lines', 'shop.orders', NULL, fulfilled => '1 / sent');
SELECT ordcancel.attach_items('shop.lines', 'shop.orders', NULL, fulfilled => 'sent(lines)');
\d shop.lines
\d shop.orders_cancellation_item

-- Missing and disabled triggers
DROP TRIGGER "!ordcancel_guard_item" ON shop.lines;
ALTER TABLE shop.lines DISABLE TRIGGER "!ordcancel_guard_item_truncate";
SELECT ordcancel.attach_items('shop.lines', 'shop.orders', NULL, fulfilled => 'sent', status => 'state');

-- Dropping the items, and with the orders
DROP TABLE shop.lines;
CREATE TABLE shop.lines (id integer PRIMARY KEY, order_id integer);
SELECT ordcancel.attach_items('shop.lines', 'shop.orders', '{order_id}', 'id', 'id');
DROP TABLE shop.orders_cancellation_item;
CREATE TABLE shop.more_lines (id integer PRIMARY KEY, order_id integer UNIQUE, n smallint, gone smallint);
SELECT ordcancel.attach_items('shop.more_lines', 'shop.orders', '{order_id}', 'n', 'gone');
SELECT ordcancel.detach_items('shop.more_lines');
SELECT ordcancel.attach_items('shop.more_lines', 'shop.orders', '{order_id}', 'n', 'gone');
DROP TABLE shop.orders, shop.more_lines;
SELECT ordcancel.detach_items('shop.lines');

SET client_min_messages = warning;
DROP SCHEMA shop CASCADE;
