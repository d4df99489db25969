-- Archives of orders whose status no longer has a meaning: policies were changed
-- after archive_records.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
SELECT plan(17);

CREATE SCHEMA shop;
CREATE EXTENSION citext;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text, tenant text DEFAULT 'acme', paid numeric DEFAULT 10);
CREATE TABLE shop.loose (id integer PRIMARY KEY, status citext, paid numeric DEFAULT 10);
CREATE FUNCTION set_up() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ordcancel.set_policy(t, canceled_status => 'canceled', closed_statuses => '{closed}'),
            ordcancel.set_rule(t, 'placed', merchant => 'cancel')
    FROM unnest('{shop.orders,shop.loose}'::regclass[]) AS t;
END
$$;
SELECT ordcancel.attach('shop.orders', 'status', refund_due => 'paid', policy_by => 'tenant'),
       ordcancel.attach('shop.loose', 'status', refund_due => 'paid'), set_up();
INSERT INTO shop.orders SELECT n, 'placed' FROM generate_series(1, 6) AS n;
INSERT INTO shop.loose SELECT n, 'placed' FROM generate_series(1, 6) AS n;
SELECT ordcancel.cancel_order(t, id), ordcancel.record_refund(t, id, 10, 'cash')
FROM unnest('{shop.orders,shop.loose}'::regclass[]) AS t, generate_series(1, 4) AS id;
UPDATE shop.orders SET status = 'closed' WHERE id IN (1, 2);
UPDATE shop.loose SET status = 'Closed' WHERE id IN (1, 2);
SELECT is((SELECT archived_statuses FROM ordcancel.order_table WHERE orders = 'shop.orders'::regclass), NULL,
          'nothing is archived');
SELECT is(ordcancel.archive_records('shop.orders', '0') + ordcancel.archive_records('shop.loose', '0'), 8::bigint,
          'eight cancellations are archived');
SELECT is((SELECT archived_statuses FROM ordcancel.order_table WHERE orders = 'shop.orders'::regclass),
          '{canceled,closed}', 'their statuses are noted');

-- Orders that cancel_order() cancels anew.
CREATE FUNCTION canceled_anew(orders text) RETURNS text LANGUAGE sql AS $$
SELECT string_agg(id::text, ' ' ORDER BY id)
FROM generate_series(1, 4) AS id, LATERAL ordcancel.cancel_order(orders::regclass, id) AS c WHERE c.changed
$$;

-- A policy of their own takes the meaning from both statuses.
SELECT ordcancel.set_policy('shop.orders', 'acme', copy_of => NULL, canceled_status => 'void'),
       ordcancel.set_rule('shop.orders', s, merchant => 'cancel', policy => 'acme')
FROM unnest('{closed,canceled}'::text[]) AS s;
SELECT is(canceled_anew('shop.orders'), NULL, 'no order is canceled twice');
SELECT is((SELECT count(*) FROM ordcancel.cancel_orders('shop.orders', '{1,2,3,4}'::integer[]) AS o
           WHERE o.outcome IN ('canceled', 'in_progress')), 0::bigint, 'nor in bulk');
SELECT is((SELECT count(*) FROM shop.orders_cancellation), 4::bigint, 'each has one cancellation');
SELECT is(ordcancel.drop_policy('shop.orders', 'acme'), true, 'the policy is dropped');

-- The policy renames its statuses.
SELECT ordcancel.set_policy(t, canceled_status => 'void', unset => '{closed_statuses}'),
       ordcancel.set_rule(t, s, merchant => 'cancel')
FROM unnest('{shop.orders,shop.loose}'::regclass[]) AS t, unnest('{closed,canceled}'::text[]) AS s;
SELECT is(canceled_anew(t), NULL, 'no order is canceled twice after a rename, ' || t)
FROM unnest('{shop.orders,shop.loose}'::text[]) AS t;
SELECT is((SELECT count(*) FROM ordcancel.cancellation), 8::bigint, 'each has one cancellation');

-- Detached and attached again: the archives are read for what they have.
SELECT ordcancel.detach('shop.orders');
SELECT ordcancel.attach('shop.orders', 'status', refund_due => 'paid');
SELECT is((SELECT archived_statuses FROM ordcancel.order_table WHERE orders = 'shop.orders'::regclass),
          '{canceled,closed}', 'attach finds the statuses in the archives');
SELECT ordcancel.set_policy('shop.orders', canceled_status => 'void'),
       ordcancel.set_rule('shop.orders', s, merchant => 'cancel') FROM unnest('{closed,canceled,placed}'::text[]) AS s;
SELECT is(canceled_anew('shop.orders'), NULL, 'no order is canceled twice after attach()');
SELECT is((SELECT c.changed FROM ordcancel.cancel_order('shop.orders', 5) AS c), true,
          'one that was not can be canceled');
SELECT is(outcome_of($$record_refund('shop.orders', 5, 10, 'cash')$$), 'canceled void', 'and is paid back');
SELECT is(ordcancel.archive_records('shop.orders', '0'), 1::bigint, 'and archived');
SELECT is((SELECT archived_statuses FROM ordcancel.order_table WHERE orders = 'shop.orders'::regclass),
          '{canceled,closed,void}', 'with its status');
SELECT ordcancel.attach('shop.orders', plain_updates => true);
SELECT is((SELECT archived_statuses FROM ordcancel.order_table WHERE orders = 'shop.orders'::regclass),
          '{canceled,closed,void}', 'which another attach() keeps');

SELECT * FROM finish();
ROLLBACK;
