-- DROP EXTENSION is refused while a table is attached, and clean afterwards.
SET client_min_messages = warning;
CREATE SCHEMA shop;
CREATE TABLE shop.orders (id int PRIMARY KEY, status text NOT NULL);
SELECT ordcancel.attach('shop.orders', status => 'status');
\set VERBOSITY terse
DROP EXTENSION ordcancel;
\set VERBOSITY default
SELECT ordcancel.detach('shop.orders');
DROP EXTENSION ordcancel;
SELECT relname FROM pg_class WHERE relnamespace = 'shop'::regnamespace AND relkind = 'r' ORDER BY 1;
SELECT count(*) FROM pg_proc WHERE prosrc LIKE 'ordcancel%';
SET client_min_messages = warning;
DROP SCHEMA shop CASCADE;

-- once more in the same session
CREATE EXTENSION ordcancel;
CREATE SCHEMA shop;
CREATE TABLE shop.orders (id int PRIMARY KEY, status text NOT NULL);
INSERT INTO shop.orders VALUES (1, 'placed');
SELECT ordcancel.attach('shop.orders', status => 'status');
SELECT ordcancel.set_policy('shop.orders', canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.orders', 'placed', merchant => 'cancel');
SELECT state FROM ordcancel.cancel_order('shop.orders', 1, 'fraud');
SELECT ordcancel.detach('shop.orders');
SET client_min_messages = warning;
DROP SCHEMA shop CASCADE;
