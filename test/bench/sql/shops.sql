-- A schema for each shop, from number a to b, with an attached table of 20 orders.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS ordcancel;
SELECT format('CREATE SCHEMA shop_%s', i),
       format('CREATE TABLE shop_%s.orders (id bigint PRIMARY KEY, status text NOT NULL, placed_at timestamptz)', i),
       format('INSERT INTO shop_%s.orders SELECT id, ''placed'', now() FROM generate_series(1, 20) AS id', i),
       format('SELECT ordcancel.attach(''shop_%s.orders'', ''status'', placed_at => ''placed_at'')', i),
       format('SELECT ordcancel.set_policy(''shop_%s.orders'', requested_status => ''asked'','
              ' canceled_status => ''canceled'', decision_timeout => ''1 year'', on_timeout => ''deny'')', i),
       format('SELECT ordcancel.set_rule(''shop_%s.orders'', ''placed'', customer => ''request'','
              ' merchant => ''cancel'')', i)
FROM generate_series(:a, :b) AS i \gexec
SELECT ordcancel.cancel_order(format('shop_%s.orders', i)::regclass, 1),
       ordcancel.request_cancel(format('shop_%s.orders', i)::regclass, 2)
FROM generate_series(:a, least(:b, 1)) AS i;
SELECT ordcancel.create_consumer('all'), ordcancel.create_consumer('one', 'shop_1.orders') WHERE :a = 1;
SELECT count(*) FROM ordcancel.next_events('all');
SELECT count(*) FROM ordcancel.next_events('one');
