-- The database to which the shop moves: it has orders of its own, with numbers
-- of records that the other one has, too.
CREATE EXTENSION ordcancel;
CREATE SCHEMA other;
CREATE TABLE other.orders (id integer PRIMARY KEY, status text NOT NULL);
INSERT INTO other.orders SELECT n, 'paid' FROM generate_series(1, 3) AS n;
SELECT ordcancel.attach('other.orders', 'status'),
       ordcancel.set_policy('other.orders', canceled_status => 'canceled'),
       ordcancel.set_rule('other.orders', 'paid', merchant => 'cancel');
SELECT ordcancel.cancel_order('other.orders', 1);
SELECT ordcancel.create_consumer('everything');
