-- A cancellation, its record and its event are there together or not at all.
-- With commits: what is rolled back here is a transaction of its own.
SELECT plan(35);

CREATE SCHEMA shop;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text);
SELECT ordcancel.attach('shop.orders', 'status');
SELECT ordcancel.set_policy('shop.orders', requested_status => 'asked', canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.orders', 'placed', customer => 'request', merchant => 'cancel');
INSERT INTO shop.orders SELECT n, 'placed' FROM generate_series(1, 20) AS n;
CREATE FUNCTION traces(integer) RETURNS text
    LANGUAGE sql AS $$
SELECT format('%s, %s records, %s events', status,
              (SELECT count(*) FROM shop.orders_cancellation WHERE order_id = $1),
              (SELECT count(*) FROM shop.orders_cancellation_event WHERE order_id = $1))
FROM shop.orders WHERE id = $1 $$;

BEGIN;
SELECT state FROM ordcancel.cancel_order('shop.orders', 1);
ROLLBACK;
SELECT is(traces(1), 'placed, 0 records, 0 events', 'a call that is rolled back leaves nothing');
BEGIN;
UPDATE shop.orders SET status = 'canceled' WHERE id = 1;
ROLLBACK;
SELECT is(traces(1), 'placed, 0 records, 0 events', 'nor does an update');
SELECT is((ordcancel.cancel_order('shop.orders', 1)).changed, true, 'it can be canceled after that');
SELECT is(traces(1), 'canceled, 1 records, 1 events', 'and then it is');

BEGIN;
SELECT state FROM ordcancel.request_cancel('shop.orders', 2);
SAVEPOINT a;
SELECT state FROM ordcancel.accept_cancel('shop.orders', 2);
ROLLBACK TO a;
COMMIT;
SELECT is(traces(2), 'asked, 1 records, 1 events', 'a savepoint takes back what came after it');
BEGIN;
SAVEPOINT a;
SELECT state FROM ordcancel.accept_cancel('shop.orders', 2);
ROLLBACK TO a;
SELECT state FROM ordcancel.withdraw_cancel('shop.orders', 2);
COMMIT;
SELECT is(traces(2), 'placed, 1 records, 2 events', 'and something else may be done then');
SELECT is((SELECT state FROM shop.orders_cancellation WHERE order_id = 2), 'withdrawn', 'which is what is recorded');
BEGIN;
SAVEPOINT a;
UPDATE shop.orders SET status = 'canceled' WHERE id = 3;
ROLLBACK TO a;
UPDATE shop.orders SET status = 'packed' WHERE id = 3;
COMMIT;
SELECT is(traces(3), 'packed, 0 records, 0 events', 'an update that a savepoint took back is forgotten by the next');

-- A refused call leaves what the transaction did before it.
DO $$
BEGIN
    PERFORM ordcancel.cancel_order('shop.orders', 4);
    BEGIN
        PERFORM ordcancel.cancel_order('shop.orders', 5);
        PERFORM ordcancel.cancel_order('shop.orders', 999);
    EXCEPTION WHEN SQLSTATE 'OC002' THEN
        NULL;
    END;
END $$;
SELECT is(traces(4), 'canceled, 1 records, 1 events', 'what was done before a refusal stays when it is caught');
SELECT is(traces(5), 'placed, 0 records, 0 events', 'what was done in the block goes with it');
BEGIN;
SELECT state FROM ordcancel.cancel_order('shop.orders', 6, request_key => 'k6');
ROLLBACK;
SELECT is((ordcancel.cancel_order('shop.orders', 7, request_key => 'k6')).changed, true,
          'a request key that was rolled back is free');

-- Policies too.
BEGIN;
SELECT ordcancel.set_rule('shop.orders', 'placed', merchant => 'forbid');
SAVEPOINT a;
SELECT ordcancel.set_rule('shop.orders', 'placed', merchant => 'cancel');
SELECT state FROM ordcancel.cancel_order('shop.orders', 8);
ROLLBACK TO a;
\set ON_ERROR_STOP off
SELECT state FROM ordcancel.cancel_order('shop.orders', 8);
\set refused :SQLSTATE
\set ON_ERROR_STOP on
ROLLBACK;
SELECT is(:'refused'::text, 'OC003', 'a rule that a savepoint took back does not hold');
SELECT is((ordcancel.cancel_order('shop.orders', 8)).changed, true, 'nor one that the transaction took back');
BEGIN;
SELECT ordcancel.set_policy('shop.orders', canceled_status => 'void');
SELECT order_status AS said FROM ordcancel.cancel_order('shop.orders', 9) \gset
COMMIT;
SELECT is(:'said'::text, 'void', 'a policy holds in the transaction that sets it');
SELECT is(traces(9), 'void, 1 records, 1 events', 'and after it');

-- Several attempts in one transaction, and several orders.
BEGIN;
SELECT state FROM ordcancel.request_cancel('shop.orders', 10);
SELECT state FROM ordcancel.withdraw_cancel('shop.orders', 10);
SELECT state FROM ordcancel.request_cancel('shop.orders', 10);
SELECT state FROM ordcancel.deny_cancel('shop.orders', 10, 'no');
SELECT state FROM ordcancel.cancel_order('shop.orders', 10);
SELECT state FROM ordcancel.undo_cancel('shop.orders', 10);
COMMIT;
SELECT is(traces(10), 'placed, 3 records, 6 events', 'one transaction may do it all');
SELECT results_eq('SELECT type FROM shop.orders_cancellation_event WHERE order_id = 10 ORDER BY event_id',
                  '{requested,withdrawn,requested,denied,canceled,undone}'::text[], 'in its order');
SELECT is((SELECT count(*) FROM ordcancel.cancel_order('shop.orders', 11) AS a,
                ordcancel.cancel_order('shop.orders', 12) AS b), 1::bigint, 'two orders in one statement');
SELECT is((SELECT count(*) FROM (SELECT ordcancel.cancel_order('shop.orders', id) FROM shop.orders
                                 WHERE id BETWEEN 13 AND 16) AS c), 4::bigint, 'or as many as a query finds');
SELECT is(traces(16), 'void, 1 records, 1 events', 'down to the last');
SELECT is((SELECT count(*) FROM ordcancel.cancellation), (SELECT count(*) FROM shop.orders_cancellation),
          'the parent shows them all');

-- Many orders in one call, at every isolation level.
INSERT INTO shop.orders SELECT n, 'placed' FROM generate_series(101, 160) AS n;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) FROM shop.orders;
SELECT string_agg(outcome, ' ') AS first FROM ordcancel.cancel_orders('shop.orders', '{101,102,101}') \gset
SELECT state FROM ordcancel.undo_cancel('shop.orders', 101);
SELECT string_agg(outcome, ' ') AS second FROM ordcancel.cancel_orders('shop.orders', '{101,102,103}') \gset
COMMIT;
SELECT is(:'first' || ', ' || :'second', 'canceled canceled already, canceled already canceled',
          'repeatable read: a transaction sees what it has done');
SELECT is(traces(101) || ', ' || traces(102), 'void, 2 records, 3 events, void, 1 records, 1 events',
          'and so it is recorded');
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT count(*) FROM shop.orders;
SELECT string_agg(outcome, ' ') AS first FROM ordcancel.cancel_orders('shop.orders', '{104,105,104}') \gset
SAVEPOINT a;
SELECT string_agg(outcome, ' ') AS second FROM ordcancel.cancel_orders('shop.orders', '{105,106}') \gset
ROLLBACK TO a;
SELECT string_agg(outcome, ' ') AS third
FROM ordcancel.cancel_orders('shop.orders', '{106,105}', on_error => 'abort') \gset
COMMIT;
SELECT is(:'first' || ', ' || :'second' || ', ' || :'third',
          'canceled canceled already, already canceled, canceled already', 'serializable: the same, with a savepoint');
SELECT is(traces(106), 'void, 1 records, 1 events', 'and so it is recorded');
BEGIN;
SELECT count(*) FROM ordcancel.cancel_orders('shop.orders', '{107,108}');
ROLLBACK;
SELECT is(traces(107) || ', ' || traces(108), 'placed, 0 records, 0 events, placed, 0 records, 0 events',
          'a set that is rolled back leaves nothing');
BEGIN READ ONLY;
\set ON_ERROR_STOP off
SELECT count(*) FROM ordcancel.cancel_orders('shop.orders', '{107,108}');
ROLLBACK;
BEGIN READ ONLY;
SELECT count(*) FROM ordcancel.cancel_orders('shop.orders', '{107}', on_error => 'abort');
\set aborted :SQLSTATE
\set ON_ERROR_STOP on
ROLLBACK;
SELECT is(:'aborted'::text, '25006', 'a read-only transaction cancels nothing');
SELECT is(traces(107), 'placed, 0 records, 0 events', 'and leaves nothing');
-- What waits for the commit takes all of it back.
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'too late'; END $$;
CREATE CONSTRAINT TRIGGER late AFTER UPDATE ON shop.orders DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.id = 110) EXECUTE FUNCTION refuse();
\set ON_ERROR_STOP off
SELECT count(*) FROM ordcancel.cancel_orders('shop.orders', '{109,110}');
\set refused :SQLSTATE
\set ON_ERROR_STOP on
SELECT is(:'refused'::text, 'P0001', 'a deferred trigger refuses the commit');
SELECT is(traces(109) || ', ' || traces(110), 'placed, 0 records, 0 events, placed, 0 records, 0 events',
          'and all that it would have committed');
DROP TRIGGER late ON shop.orders;
SET ordcancel.notify = off;
BEGIN;
SELECT count(*) FROM ordcancel.cancel_orders('shop.orders', '{109,110}');
SHOW max_prepared_transactions \gset
SELECT :max_prepared_transactions > 0 AS may_prepare \gset
\if :may_prepare
PREPARE TRANSACTION 'many';
SELECT is(traces(109), 'placed, 0 records, 0 events', 'prepared: not done yet');
COMMIT PREPARED 'many';
\else
COMMIT;
SELECT pass('no prepared transactions here');
\endif
RESET ordcancel.notify;
SELECT is(traces(109) || ', ' || traces(110), 'void, 1 records, 1 events, void, 1 records, 1 events', 'and then done');
-- Each call of a procedure's loop may be committed.
CREATE PROCEDURE in_chunks() LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 111..120 LOOP
        PERFORM ordcancel.cancel_orders('shop.orders', ARRAY[i, i + 10, 9999]);
        IF i % 2 = 0 THEN
            COMMIT;
        ELSE
            ROLLBACK;
        END IF;
    END LOOP;
END
$$;
CALL in_chunks();
SELECT is((SELECT array_agg(id ORDER BY id) FROM shop.orders WHERE id BETWEEN 111 AND 130 AND status = 'void'),
          '{112,114,116,118,120,122,124,126,128,130}', 'between commits and rollbacks of a procedure');
SELECT is((SELECT count(*) FROM shop.orders_cancellation AS c JOIN shop.orders AS o ON o.id = c.order_id
           WHERE c.state = 'canceled' AND o.status <> 'void' AND o.id > 100), 0::bigint,
          'and no record is of what was rolled back');
-- One answer of many orders, cut off.
BEGIN;
DECLARE answers CURSOR FOR SELECT *
FROM ordcancel.cancel_orders('shop.orders', (SELECT array_agg(n) FROM generate_series(141, 160) AS n));
FETCH 3 FROM answers;
COMMIT;
SELECT is((SELECT count(*) FROM shop.orders WHERE id BETWEEN 141 AND 160 AND status = 'void'), 20::bigint,
          'a cursor that fetches three answers has done all');

SELECT * FROM finish();
