-- Three order tables of different kinds, and what there is to compare with.
CREATE EXTENSION ordcancel;
CREATE SCHEMA shop;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text NOT NULL DEFAULT 'placed', paid numeric);
CREATE TABLE shop.parts (region text, id integer, status text NOT NULL DEFAULT 'placed', PRIMARY KEY (region, id))
    PARTITION BY LIST (region);
CREATE TABLE shop.parts_eu PARTITION OF shop.parts FOR VALUES IN ('eu');
CREATE TABLE shop.parts_us PARTITION OF shop.parts FOR VALUES IN ('us');
CREATE TABLE shop.subscriptions (id text PRIMARY KEY, status text NOT NULL DEFAULT 'placed');
INSERT INTO shop.orders SELECT n, 'placed', CASE n % 3 WHEN 0 THEN 7 END FROM generate_series(1, 400) AS n;
INSERT INTO shop.parts SELECT CASE n % 2 WHEN 0 THEN 'eu' ELSE 'us' END, n FROM generate_series(1, 400) AS n;
INSERT INTO shop.subscriptions SELECT 's' || n FROM generate_series(1, 400) AS n;

SELECT ordcancel.attach('shop.orders', 'status', refund_due => 'paid'), ordcancel.attach('shop.parts', 'status'),
       ordcancel.attach('shop.subscriptions', 'status', inherit => false) \g /dev/null
SELECT ordcancel.set_policy(t, canceled_status => 'canceled', requested_status => 'asked'),
       ordcancel.set_rule(t, 'placed', customer => 'request', merchant => 'cancel')
FROM unnest('{shop.orders,shop.parts,shop.subscriptions}'::regclass[]) AS t \g /dev/null

CREATE VIEW shop.events AS
SELECT event_id, orders, order_key, type FROM ordcancel.event
UNION ALL
SELECT event_id, orders, order_key, type FROM shop.subscriptions_cancellation_event;

SELECT ordcancel.create_consumer('everything', start_at => 'beginning'),
       ordcancel.create_consumer('orders', 'shop.orders', start_at => 'beginning'),
       ordcancel.create_consumer('closed', types => '{canceled,undone}', start_at => 'beginning') \g /dev/null
