-- A shop on a bad night. Its times are relative to now.
CREATE EXTENSION ordcancel;
CREATE SCHEMA shop;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text NOT NULL, paid numeric);
CREATE TABLE shop.tickets (id integer PRIMARY KEY, status text NOT NULL);
INSERT INTO shop.orders SELECT n, 'placed', CASE WHEN n BETWEEN 21 AND 29 THEN 10 * n ELSE 0 END
FROM generate_series(1, 100) AS n;
INSERT INTO shop.tickets VALUES (1, 'placed');
SELECT ordcancel.attach('shop.orders', 'status', refund_due => 'paid'),
       ordcancel.attach('shop.tickets', 'status') \g /dev/null
SELECT ordcancel.set_policy(t, requested_status => 'asked', canceled_status => 'canceled',
                            decision_timeout => '2 days', on_timeout => 'deny'),
       ordcancel.set_rule(t, 'placed', customer => 'request', merchant => 'cancel')
FROM unnest('{shop.orders,shop.tickets}'::regclass[]) AS t \g /dev/null

-- Consumers: one reads everything, one has not acknowledged anything.
SELECT ordcancel.create_consumer('billing'), ordcancel.create_consumer('mail', 'shop.orders') \g /dev/null

CREATE FUNCTION pg_temp.ago(span interval) RETURNS text LANGUAGE sql
    AS $$ SELECT set_config('ordcancel.clock', (statement_timestamp() - span)::text, false) $$;

-- 40 hours ago: a table on which nothing happens now.
SELECT pg_temp.ago('40 hours') \g /dev/null
SELECT ordcancel.cancel_order('shop.tickets', 1) \g /dev/null
-- Five days ago: requests that sweep() should have decided three days ago.
SELECT pg_temp.ago('5 days') \g /dev/null
SELECT ordcancel.request_cancel('shop.orders', n, 'wont_arrive_in_time', actor => 'ann')
FROM unnest('{1,2}'::integer[]) AS n \g /dev/null
-- A request of an hour ago, which has time.
SELECT pg_temp.ago('1 hour') \g /dev/null
SELECT ordcancel.request_cancel('shop.orders', n, 'customer_changed_mind', 'Bought it twice', actor => 'bob')
FROM unnest('{3,4,5}'::integer[]) AS n \g /dev/null
-- Refunds due: 210 and 220 for four days, and 130 of 230 for an hour.
SELECT pg_temp.ago('4 days') \g /dev/null
SELECT ordcancel.cancel_order('shop.orders', n, 'out_of_stock', actor => 'anna')
FROM unnest('{21,22}'::integer[]) AS n \g /dev/null
SELECT pg_temp.ago('1 hour') \g /dev/null
SELECT ordcancel.cancel_order('shop.orders', 23, actor => 'anna'),
       ordcancel.record_refund('shop.orders', 23, 100, 'card', 'pay_1', actor => 'anna') \g /dev/null
-- Requested two hours ago and denied now.
SELECT pg_temp.ago('2 hours') \g /dev/null
SELECT ordcancel.request_cancel('shop.orders', n, 'customer_changed_mind', actor => 'carl')
FROM unnest('{6,7}'::integer[]) AS n \g /dev/null
RESET ordcancel.clock;
SELECT ordcancel.deny_cancel('shop.orders', n, 'It is packed.', actor => 'anna')
FROM unnest('{6,7}'::integer[]) AS n \g /dev/null
-- Three are canceled.
SELECT ordcancel.cancel_order('shop.orders', n, 'fraud', actor => 'anna')
FROM unnest('{8,9,10}'::integer[]) AS n \g /dev/null

-- A batch that stops after 20 of 40 orders.
CREATE FUNCTION shop.full_disk() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN RAISE 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
CREATE TRIGGER full_disk AFTER UPDATE ON shop.orders FOR EACH ROW WHEN (NEW.id = 55) EXECUTE FUNCTION shop.full_disk();
\set ON_ERROR_STOP off
CALL ordcancel.cancel_batch('shop.orders', 'id > 34 AND id < 75', 'out_of_stock', chunk => 10);
\set ON_ERROR_STOP on

-- The consumer "billing" has read and handled everything; "mail" has set one aside.
SELECT max(event_id) AS last FROM ordcancel.next_events('billing', 1000) \gset
SELECT ordcancel.ack('billing', :last) \g /dev/null
SELECT min(event_id) AS first FROM ordcancel.next_events('mail', 1000) \gset
SELECT ordcancel.skip_event('mail', :first, 'no such address') \g /dev/null
