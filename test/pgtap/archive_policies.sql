-- Archives of orders whose status no longer has a meaning: policies were changed
-- after archive_records.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
SELECT no_plan();

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

-- A rule that spells the status in another way.
SELECT ordcancel.set_rule('shop.loose', 'CLOSED', merchant => 'cancel'), ordcancel.drop_rule('shop.loose', 'closed');
SELECT is(attempt($$SELECT ordcancel.cancel_order('shop.loose', 1)$$), 'OC013', 'nor with another spelling');

-- Another column, another table, or detached in between: any status may be one.
CREATE FUNCTION statuses_of(orders regclass) RETURNS text LANGUAGE sql AS $$
SELECT archived_statuses::text FROM ordcancel.order_table AS t WHERE t.orders = statuses_of.orders
$$;
SELECT ordcancel.detach('shop.orders');
UPDATE shop.orders SET status = 'placed' WHERE id = 1;
SELECT ordcancel.attach('shop.orders', 'status', refund_due => 'paid');
SELECT is(statuses_of('shop.orders'), '{}', 'attached again, the statuses are not known');
SELECT ordcancel.set_policy('shop.orders', canceled_status => 'void'),
       ordcancel.set_rule('shop.orders', s, merchant => 'cancel') FROM unnest('{closed,canceled,placed}'::text[]) AS s;
SELECT is(attempt(format('SELECT ordcancel.cancel_order(%L, %s)', 'shop.orders', id)),
          CASE id WHEN 1 THEN 'OC013' ELSE 'ok' END, 'as if it were not archived: order ' || id)
FROM generate_series(1, 3) AS id;
SELECT is((SELECT count(*) FROM shop.orders_cancellation), 4::bigint, 'no order is canceled twice after attach()');
SELECT is((SELECT c.changed FROM ordcancel.cancel_order('shop.orders', 5) AS c), true,
          'one that was not can be canceled');
SELECT is(outcome_of($$record_refund('shop.orders', 5, 10, 'cash')$$), 'canceled void', 'and is paid back');
SELECT is(ordcancel.archive_records('shop.orders', '0'), 1::bigint, 'and archived');
SELECT is(statuses_of('shop.orders'), '{}', 'which does not tell what others have');
SELECT ordcancel.attach('shop.loose', plain_updates => true);
SELECT is(statuses_of('shop.loose'), '{canceled,closed}', 'another attach() keeps what is known');
CREATE TABLE shop.columns (id integer PRIMARY KEY, status text, state text DEFAULT 'new', paid numeric DEFAULT 10);
SELECT ordcancel.attach('shop.columns', 'status', refund_due => 'paid'),
       ordcancel.set_policy('shop.columns', canceled_status => 'canceled'),
       ordcancel.set_rule('shop.columns', s, merchant => 'cancel') FROM unnest('{placed,new}'::text[]) AS s;
INSERT INTO shop.columns SELECT n, 'placed' FROM generate_series(1, 4) AS n;
SELECT ordcancel.cancel_order('shop.columns', id), ordcancel.record_refund('shop.columns', id, 10, 'cash')
FROM generate_series(1, 4) AS id;
SELECT ordcancel.archive_records('shop.columns', '0');
SELECT ordcancel.attach('shop.columns', 'state');
SELECT is(attempt($$SELECT ordcancel.cancel_order('shop.columns', 1)$$), 'OC013', 'another status column');
SELECT ordcancel.attach('shop.columns', 'status');
CREATE TABLE shop.mapped (LIKE shop.columns INCLUDING ALL);
INSERT INTO shop.mapped SELECT id, 'new', state, paid FROM shop.columns;
SELECT ordcancel.replace_table('shop.columns', 'shop.mapped');
SELECT is(attempt($$SELECT ordcancel.cancel_order('shop.mapped', 1)$$), 'OC013', 'a table with other statuses');

-- What was changed without guards, while an order was deleted, or is told.
CREATE TABLE shop.past (id integer PRIMARY KEY, status text, gone boolean DEFAULT false, paid numeric DEFAULT 10);
SELECT ordcancel.attach('shop.past', 'status', refund_due => 'paid'),
       ordcancel.set_policy('shop.past', canceled_status => 'canceled'),
       ordcancel.set_rule('shop.past', 'placed', merchant => 'cancel');
INSERT INTO shop.past SELECT n, 'placed' FROM generate_series(1, 4) AS n;
SELECT ordcancel.cancel_order('shop.past', id), ordcancel.record_refund('shop.past', id, 10, 'cash')
FROM generate_series(1, 4) AS id;
SELECT ordcancel.archive_records('shop.past', '0');
SAVEPOINT archived;
DROP TRIGGER "!ordcancel_guard_update" ON shop.past;
UPDATE shop.past SET status = 'placed';
SELECT ordcancel.attach('shop.past');
SELECT is(attempt($$SELECT ordcancel.cancel_order('shop.past', 1)$$), 'OC013', 'a guard was dropped');
ROLLBACK TO archived;
ALTER TABLE shop.past DISABLE TRIGGER ALL;
UPDATE shop.past SET status = 'placed';
ALTER TABLE shop.past ENABLE TRIGGER ALL;
SELECT ordcancel.attach('shop.past', unset => '{archived_statuses}');
SELECT is(attempt($$SELECT ordcancel.cancel_order('shop.past', 1)$$), 'OC013', 'guards were disabled, and it is told');
ROLLBACK TO archived;
UPDATE shop.past SET gone = true WHERE id = 1;
SELECT ordcancel.attach('shop.past', deleted_when => 'gone');
UPDATE shop.past SET status = 'placed' WHERE id = 1;
SELECT is(attempt($$UPDATE shop.past SET gone = false WHERE id = 1$$), '23514 order_is_canceled',
          'a deleted order was changed');

-- A label of an enum that is renamed.
CREATE TYPE shop.label AS ENUM ('placed', 'canceled', 'closed');
CREATE TABLE shop.labels (id integer PRIMARY KEY, status shop.label, paid numeric DEFAULT 10);
SELECT ordcancel.attach('shop.labels', 'status', refund_due => 'paid'),
       ordcancel.set_policy('shop.labels', canceled_status => 'canceled', closed_statuses => '{closed}'),
       ordcancel.set_rule('shop.labels', 'placed', merchant => 'cancel');
INSERT INTO shop.labels SELECT n, 'placed' FROM generate_series(1, 4) AS n;
SELECT ordcancel.cancel_order('shop.labels', id), ordcancel.record_refund('shop.labels', id, 10, 'cash')
FROM generate_series(1, 4) AS id;
UPDATE shop.labels SET status = 'closed';
SELECT ordcancel.archive_records('shop.labels', '0');
ALTER TYPE shop.label RENAME VALUE 'closed' TO 'done';
SELECT is(attempt($$UPDATE shop.labels SET status = 'placed' WHERE id = 1$$), '23514 order_is_canceled',
          'a label that was renamed');
SELECT is(attempt($$SELECT ordcancel.cancel_order('shop.labels', 1)$$), 'OC013', 'is not canceled anew');
SELECT ordcancel.set_rule('shop.labels', 'done', deletable => true);
DELETE FROM shop.labels WHERE id = 1;
INSERT INTO shop.labels VALUES (1, 'placed');
SELECT is(attempt($$SELECT ordcancel.cancel_order('shop.labels', 1)$$), 'OC013', 'nor after it was deleted');

-- An order that was deleted while its status allowed it.
INSERT INTO shop.orders VALUES (21, 'placed'), (22, 'placed');
SELECT ordcancel.set_policy('shop.orders', canceled_status => 'canceled', unset => '{closed_statuses}'),
       ordcancel.set_rule('shop.orders', 'canceled', deletable => true);
SELECT ordcancel.cancel_order('shop.orders', id), ordcancel.record_refund('shop.orders', id, 10, 'cash')
FROM generate_series(21, 22) AS id;
DELETE FROM shop.orders WHERE id = 21;
SELECT ordcancel.drop_rule('shop.orders', 'canceled');
SELECT ordcancel.archive_records('shop.orders', '0');
SELECT is((SELECT string_agg(order_id::text, ' ' ORDER BY order_id) FROM ONLY shop.orders_cancellation
           WHERE order_id > 20), '21', 'its record stays');
INSERT INTO shop.orders VALUES (21, 'placed');
SELECT is(attempt($$SELECT ordcancel.cancel_order('shop.orders', 21)$$), 'OC013', 'so its key is not canceled anew');

SELECT * FROM finish();
ROLLBACK;
