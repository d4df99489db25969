-- Order tables are stored by heap: attach refuses others, and so does a call
-- after the access method of an attached table was changed.
BEGIN;
SELECT plan(14);
CREATE SCHEMA shop;
CREATE FUNCTION shop.other_handler(internal) RETURNS table_am_handler
    LANGUAGE internal AS 'heap_tableam_handler';
CREATE ACCESS METHOD other TYPE TABLE HANDLER shop.other_handler;

CREATE TABLE shop.elsewhere (id integer PRIMARY KEY, status text) USING other;
SELECT throws_ok($$SELECT ordcancel.attach('shop.elsewhere', 'status')$$, 'OC014',
                 'shop.elsewhere cannot be attached', 'attach refuses a table of another access method');

CREATE TABLE shop.parts (id integer PRIMARY KEY, status text) PARTITION BY RANGE (id);
CREATE TABLE shop.parts_1 PARTITION OF shop.parts FOR VALUES FROM (0) TO (100);
CREATE TABLE shop.parts_2 PARTITION OF shop.parts FOR VALUES FROM (100) TO (200) USING other;
SELECT throws_ok($$SELECT ordcancel.attach('shop.parts', 'status')$$, 'OC014',
                 'shop.parts cannot be attached', 'attach refuses a table with such a partition');

CREATE TABLE shop.orders (id integer PRIMARY KEY, status text);
INSERT INTO shop.orders VALUES (1, 'new'), (2, 'new');
SELECT ordcancel.attach('shop.orders', 'status');
SELECT ordcancel.set_policy('shop.orders', canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.orders', 'new', customer => 'cancel', merchant => 'cancel');
SELECT lives_ok($$SELECT ordcancel.cancel_order('shop.orders', 1)$$, 'an order of a heap table is canceled');
SELECT is_empty($$SELECT * FROM ordcancel.health('shop.orders') WHERE problem = 'not_heap'$$, 'health finds nothing');

ALTER TABLE shop.orders SET ACCESS METHOD other;
SELECT throws_ok($$SELECT ordcancel.cancel_order('shop.orders', 2)$$, 'OC014',
                 'order table "orders" is not stored by access method heap', 'a call is refused after a change of it');
SELECT throws_ok($$UPDATE shop.orders SET status = 'canceled' WHERE id = 2$$, 'OC014', NULL,
                 'so is a plain update of the status');
SELECT is((SELECT hint FROM ordcancel.health('shop.orders') WHERE problem = 'not_heap'),
          'ALTER TABLE shop.orders SET ACCESS METHOD heap;', 'health says what to do');
ALTER TABLE shop.orders SET ACCESS METHOD heap;
SELECT is_empty($$SELECT * FROM ordcancel.health('shop.orders') WHERE problem = 'not_heap'$$,
                'health finds nothing again');
SELECT is((SELECT state FROM ordcancel.cancel_order('shop.orders', 2)), 'canceled', 'orders are canceled again');
SELECT is((SELECT count(*)::integer FROM shop.orders_cancellation), 2, 'both are on record');

-- A partition that comes later.
ALTER TABLE shop.parts DETACH PARTITION shop.parts_2;
SELECT ordcancel.attach('shop.parts', 'status') \g /dev/null
SELECT ordcancel.set_policy('shop.parts', canceled_status => 'canceled') \g /dev/null
SELECT ordcancel.set_rule('shop.parts', 'new', merchant => 'cancel') \g /dev/null
ALTER TABLE shop.parts ATTACH PARTITION shop.parts_2 FOR VALUES FROM (100) TO (200);
INSERT INTO shop.parts VALUES (1, 'new');
SELECT throws_ok($$INSERT INTO shop.parts VALUES (101, 'new')$$, 'OC014',
                 'order table "parts_2" is not stored by access method heap', 'it takes no order');
SELECT is((SELECT state FROM ordcancel.cancel_order('shop.parts', 1)), 'canceled', 'other partitions work');
SELECT is((SELECT hint FROM ordcancel.health('shop.parts') WHERE problem = 'not_heap'),
          'ALTER TABLE shop.parts_2 SET ACCESS METHOD heap;', 'health names it');
ALTER TABLE shop.parts_2 SET ACCESS METHOD heap;
SELECT lives_ok($$INSERT INTO shop.parts VALUES (101, 'new')$$, 'and it takes orders once it is stored by heap');

SELECT * FROM finish();
ROLLBACK;
