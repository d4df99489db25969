-- Archives of orders that are deleted, and ids in archives.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
SELECT plan(18);

CREATE SCHEMA shop;
-- A canceled order that is deleted, and whose key comes again.
CREATE TABLE shop.again (id integer PRIMARY KEY, status text, paid numeric, gone boolean);
SELECT ordcancel.attach('shop.again', 'status', refund_due => 'paid');
SELECT ordcancel.set_policy('shop.again', canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.again', 'placed', merchant => 'cancel');
INSERT INTO shop.again SELECT i, 'placed', 10 FROM generate_series(1, 4) AS i;
SELECT outcome_of(format($$cancel_order('shop.again', %s)$$, id)),
       outcome_of(format($$record_refund('shop.again', %s, 10, 'cash', 'r')$$, id)) FROM shop.again;
SELECT is(ordcancel.archive_records('shop.again', '0'), 4::bigint, 'four are archived');
SELECT ordcancel.attach('shop.again', 'status', deleted_when => 'gone');
SELECT ordcancel.set_rule('shop.again', 'canceled', deletable => true);
DELETE FROM shop.again WHERE id = 1;
UPDATE shop.again SET gone = true WHERE id = 2;
SELECT is(attempt($$INSERT INTO shop.again VALUES (1, 'placed', 10)$$), '23514 order_is_canceled',
          'the key of one that was deleted');
SELECT is(attempt($$UPDATE shop.again SET gone = false, status = 'placed' WHERE id = 2$$), '23514 order_is_canceled',
          'and one that was deleted softly');
SELECT is((SELECT string_agg(order_id::text, ' ' ORDER BY order_id) FROM ONLY shop.again_cancellation), '1 2',
          'their records are back');
SELECT is(attempt($$SELECT ordcancel.forget('shop.again', 1)$$), 'ok', 'and can be erased');
SELECT is(ordcancel.archive_records('shop.again', '0'), 0::bigint, 'they are not moved again');

-- One that was deleted softly while a rule allowed it, and whose status is not guarded since.
INSERT INTO shop.again VALUES (9, 'placed', 10);
SELECT outcome_of($$cancel_order('shop.again', 9)$$), outcome_of($$record_refund('shop.again', 9, 10, 'cash', 'r')$$);
UPDATE shop.again SET gone = true WHERE id = 9;
SELECT ordcancel.set_rule('shop.again', 'canceled', deletable => false);
SELECT is(ordcancel.archive_records('shop.again', '0'), 0::bigint, 'is not moved, either');
UPDATE shop.again SET status = 'placed' WHERE id = 9;
SELECT is(attempt($$UPDATE shop.again SET gone = false WHERE id = 9$$), '23514 order_is_canceled',
          'and does not come back as another');

-- Orders that are not deleted are moved, unless they could become so without an UPDATE.
INSERT INTO shop.again SELECT i, 'placed', 10 FROM generate_series(10, 11) AS i;
SELECT outcome_of(format($$cancel_order('shop.again', %s)$$, id)),
       outcome_of(format($$record_refund('shop.again', %s, 10, 'cash', 'r')$$, id))
FROM generate_series(10, 11) AS id;
SELECT ordcancel.attach('shop.again', 'status', deleted_when => 'gone OR now() > ''2999-01-01''');
SELECT is(ordcancel.archive_records('shop.again', '0'), 0::bigint, 'deleted_when reads the clock');
CREATE TABLE shop.hidden (id integer);
SELECT ordcancel.attach('shop.again', 'status', deleted_when => 'gone OR id IN (SELECT h.id FROM shop.hidden AS h)');
SELECT is(ordcancel.archive_records('shop.again', '0'), 0::bigint, 'or another table');
CREATE FUNCTION shop.is_gone(boolean) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT $1';
SELECT ordcancel.attach('shop.again', 'status', deleted_when => 'shop.is_gone(gone)');
SELECT is(ordcancel.archive_records('shop.again', '0'), 0::bigint, 'or calls a function');
SELECT ordcancel.attach('shop.again', 'status', deleted_when => 'gone IS TRUE');
SELECT is(ordcancel.archive_records('shop.again', '0'), 2::bigint, 'the order alone');
SELECT is((SELECT string_agg(order_id::text, ' ' ORDER BY order_id) FROM ONLY shop.again_cancellation), '1 2 9',
          'records of deleted orders stay');
SELECT is(error_of($$UPDATE shop.again SET gone = true WHERE id = 10$$, 'sqlstate'), '23514',
          'an order whose record is moved is guarded');

-- Ids in archives are taken; those of another table do not use up the numbers.
SELECT ordcancel.detach('shop.again');
SELECT setval('ordcancel.cancellation_id_seq', 1), setval('ordcancel.event_id_seq', 1);
SELECT ordcancel.attach('shop.again', 'status', refund_due => 'paid');
SELECT is((SELECT last_value FROM ordcancel.cancellation_id_seq)
          >= (SELECT max(cancellation_id) FROM shop.again_cancellation)
          AND (SELECT last_value FROM ordcancel.event_id_seq)
              >= (SELECT max(event_id) FROM shop.again_cancellation_event),
          true, 'sequences move past ids in archives');
CREATE TABLE shop.greedy (id integer PRIMARY KEY, status text);
SELECT ordcancel.attach('shop.greedy', 'status', inherit => false);
SELECT ordcancel.detach('shop.greedy');
SET LOCAL session_replication_role = replica;
INSERT INTO shop.greedy_cancellation (cancellation_id, order_key, state, requested_by, policy, requested_at, order_id)
VALUES ((1::bigint << 43) - 1, '1', 'denied', 'customer', 'default', now(), 1);
RESET session_replication_role;
SELECT is(attempt($$SELECT ordcancel.attach('shop.greedy', 'status', inherit => false)$$), 'OC014',
          'a record with the last number of a node');

-- Where a sequence is past the half, tables with numbers that it gave are attached as before.
CREATE TABLE shop.late (id integer PRIMARY KEY, status text);
INSERT INTO shop.late VALUES (1, 'placed');
SELECT ordcancel.attach('shop.late', 'status'), ordcancel.set_policy('shop.late', canceled_status => 'canceled'),
       ordcancel.set_rule('shop.late', 'placed', merchant => 'cancel');
SELECT setval('ordcancel.cancellation_id_seq', (1::bigint << 42) + 1), setval('ordcancel.event_id_seq',
                                                                              (1::bigint << 42) + 1);
SELECT is(outcome_of($$cancel_order('shop.late', 1)$$), 'canceled canceled', 'a late number');
SELECT is(attempt($$SELECT ordcancel.attach('shop.late', 'status')$$), 'ok', 'attached again');

SELECT * FROM finish();
ROLLBACK;
