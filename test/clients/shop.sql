-- The shop that the clients of this directory work on, in a fresh database.
CREATE EXTENSION ordcancel;
CREATE SCHEMA shop;
CREATE TABLE shop.orders (
    id integer PRIMARY KEY,
    status text NOT NULL DEFAULT 'placed',
    gift_note text
);
INSERT INTO shop.orders SELECT n, CASE WHEN n > 20 THEN 'shipped' ELSE 'placed' END FROM generate_series(1, 30) AS n;
SELECT ordcancel.attach('shop.orders', 'status'),
       ordcancel.set_policy('shop.orders', canceled_status => 'canceled', requested_status => 'cancellation_requested'),
       ordcancel.set_rule('shop.orders', 'placed', customer => 'request', merchant => 'cancel'),
       ordcancel.set_rule('shop.orders', 'shipped', hint => 'Process it as a return.');
