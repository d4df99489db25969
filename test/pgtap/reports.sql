-- The views on what is open: every attached table, only what the reader may
-- see, and at the price of what is open, not of what is closed.
BEGIN;
SELECT plan(35);
SET LOCAL timezone = 'UTC';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL ordcancel.clock = '2026-05-05 12:00+00';

CREATE SCHEMA shop;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text DEFAULT 'preparing', due numeric);
INSERT INTO shop.orders (id, due) SELECT n, CASE WHEN n > 10 THEN 9.50 END FROM generate_series(1, 29) AS n;
SELECT ordcancel.attach('shop.orders', 'status', refund_due => 'due');
SELECT ordcancel.set_policy('shop.orders', requested_status => 'asked', in_progress_status => 'refunding',
                            canceled_status => 'canceled', decision_timeout => '2 hours', on_timeout => 'deny');
SELECT ordcancel.set_rule('shop.orders', 'preparing', customer => 'request', merchant => 'request');
CREATE TABLE shop."Order Lines" (shop integer, "Line" text, state text DEFAULT 'new', PRIMARY KEY (shop, "Line"));
INSERT INTO shop."Order Lines" VALUES (7, 'a,"b'), (7, 'c');
SELECT ordcancel.attach('shop."Order Lines"', 'state');
SELECT ordcancel.set_rule('shop."Order Lines"', 'new', customer => 'request', merchant => 'request');

SELECT is_empty('SELECT * FROM ordcancel.pending_requests', 'nothing pending at first');
SELECT is_empty('SELECT * FROM ordcancel.refunds_due', 'nothing due at first');

-- ------------------------------------------------------------ pending_requests

SELECT is((ordcancel.request_cancel('shop.orders', 1, 'wont_arrive_in_time', 'for a birthday', actor => 'web')).state,
          'requested', 'asked: 1');
SET LOCAL ordcancel.clock = '2026-05-05 13:30+00';
SELECT is((ordcancel.cancel_order('shop.orders', 2, 'out_of_stock', actor => 'anna')).state, 'requested',
          'asked by the merchant: 2');
SELECT is((ordcancel.request_cancel('shop."Order Lines"', ROW(7, 'a,"b'))).state, 'requested', 'asked: a line');
SELECT is((SELECT to_jsonb(p) - 'cancellation_id' FROM ordcancel.pending_requests AS p WHERE order_id = '1'),
          '{"orders": "shop.orders", "order_id": "1", "order_status": "asked",
            "requested_by": "customer", "requested_actor": "web", "reason": "wont_arrive_in_time",
            "note": "for a birthday", "policy": "default", "requested_at": "2026-05-05T12:00:00+00:00",
            "age": "01:30:00", "deadline": "2026-05-05T14:00:00+00:00", "overdue": false,
            "scope": "order"}'::jsonb,
          'all that one needs to decide');
SELECT is((SELECT concat_ws('|', orders, requested_by, requested_actor, reason, age, overdue)
           FROM ordcancel.pending_requests WHERE order_id = '2'),
          'shop.orders|merchant|anna|out_of_stock|00:00:00|f', 'a merchant''s own');
SELECT is((SELECT concat_ws('|', orders, order_id, deadline IS NULL, overdue) FROM ordcancel.pending_requests
           WHERE orders <> 'shop.orders'::regclass),
          'shop."Order Lines"|(7,"a,""b")|t|f', 'without a timeout there is no deadline, and it is never overdue');
SELECT is((SELECT c.order_id FROM shop.orders_cancellation AS c JOIN ordcancel.pending_requests USING (cancellation_id)
           WHERE c.order_id = 1), 1,
          'cancellation_id leads to the record');
SET LOCAL ordcancel.clock = '2026-05-05 13:59:59.999999+00';
SELECT is((SELECT string_agg(order_id, ' ') FROM ordcancel.pending_requests WHERE overdue), NULL,
          'not overdue before the deadline');
SET LOCAL ordcancel.clock = '2026-05-05 14:00+00';
SELECT is((SELECT string_agg(order_id, ' ') FROM ordcancel.pending_requests WHERE overdue), '1',
          'overdue when sweep would decide it');
SELECT ordcancel.set_policy('shop.orders', unset => '{decision_timeout,on_timeout}');
SELECT is((SELECT string_agg(order_id, ' ') FROM ordcancel.pending_requests WHERE overdue OR deadline IS NOT NULL),
          NULL, 'not when sweep would not, as the policy has no deadlines any more');
SELECT ordcancel.set_policy('shop.orders', decision_timeout => '2 hours', on_timeout => 'deny');
SELECT is((SELECT string_agg(order_id, ' ') FROM ordcancel.pending_requests WHERE overdue), '1',
          'with deadlines again, it is');
SET LOCAL ordcancel.clock = '';
SELECT is((SELECT bool_and(age = statement_timestamp() - requested_at) FROM ordcancel.pending_requests), true,
          'by the real time, where none is set');
SELECT is((ordcancel.request_cancel('shop.orders', 3)).state, 'requested', 'asked: 3');
SELECT is((SELECT age >= '0' FROM ordcancel.pending_requests WHERE order_id = '3'), true,
          'and in a long transaction, nothing is younger than it is');
SELECT ordcancel.withdraw_cancel('shop.orders', 3);
SET LOCAL ordcancel.clock = '2026-05-05 14:00+00';
SELECT is((ordcancel.deny_cancel('shop.orders', 1, 'no')).state, 'denied', 'denied: 1');
SELECT is((ordcancel.withdraw_cancel('shop.orders', 2)).state, 'withdrawn', 'withdrawn: 2');
SELECT is((SELECT string_agg(order_id, ' ') FROM ordcancel.pending_requests), '(7,"a,""b")',
          'what is decided pends no more');

-- ----------------------------------------------------------------- refunds_due

SELECT is((ordcancel.request_cancel('shop.orders', 11, 'wont_arrive_in_time', actor => 'web')).state, 'requested',
          'asked: 11');
SELECT is((ordcancel.accept_cancel('shop.orders', 11, actor => 'anna')).state, 'in_progress', 'accepted');
SET LOCAL ordcancel.clock = '2026-05-06 15:00+00';
SELECT is((SELECT to_jsonb(r) - 'cancellation_id' FROM ordcancel.refunds_due AS r),
          '{"orders": "shop.orders", "order_id": "11", "order_status": "refunding", "refund_due": 9.50,
            "refunded": 0, "outstanding": 9.50,
            "decided_by": "merchant", "decided_actor": "anna", "reason": "wont_arrive_in_time", "policy": "default",
            "due_since": "2026-05-05T14:00:00+00:00", "age": "1 day 01:00:00", "scope": "order",
            "state": "in_progress"}'::jsonb,
          'all that one needs to pay');
SELECT is((ordcancel.record_refund('shop.orders', 11, 4, 'card')).state, 'in_progress', 'a part is paid');
SELECT is((SELECT concat_ws('|', refund_due, refunded, outstanding) FROM ordcancel.refunds_due), '9.50|4|5.50',
          'less is outstanding');
SELECT is((ordcancel.record_refund('shop.orders', 11, 5.50, 'card')).state, 'canceled', 'the rest');
SELECT is_empty('SELECT * FROM ordcancel.refunds_due', 'what is paid is due no more');

-- ------------------------------------------------------------------- who sees

SELECT ordcancel.request_cancel('shop.orders', 12), ordcancel.accept_cancel('shop.orders', 12),
       ordcancel.request_cancel('shop.orders', 13);
CREATE ROLE reports_analyst;
CREATE FUNCTION seen_by_analyst() RETURNS text
    LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    SET LOCAL ROLE reports_analyst;
    result := concat_ws('|', (SELECT string_agg(order_id, ' ' ORDER BY order_id) FROM ordcancel.pending_requests),
                        (SELECT string_agg(order_id, ' ') FROM ordcancel.refunds_due));
    RESET ROLE;
    RETURN result;
END $$;
SELECT is(seen_by_analyst(), '', 'nothing without SELECT on an order table');
GRANT SELECT ON shop.orders TO reports_analyst;
SELECT is(seen_by_analyst(), '13|12', 'those of the tables that one may read');
ALTER TABLE shop.orders ENABLE ROW LEVEL SECURITY;
SELECT is(seen_by_analyst(), '', 'nothing where row security would hide orders');
CREATE FUNCTION pry(text) RETURNS boolean LANGUAGE plpgsql COST 0.0001
    AS $$ BEGIN RAISE EXCEPTION 'seen: %', $1; END $$;
SET LOCAL ROLE reports_analyst;
SELECT is_empty('SELECT * FROM ordcancel.pending_requests WHERE public.pry(order_id)',
                'not with a cheap function either');
RESET ROLE;
ALTER TABLE shop.orders DISABLE ROW LEVEL SECURITY;
SELECT throws_ok($$DELETE FROM ordcancel.pending_requests$$, '55000', NULL, 'they are for reading');

-- ---------------------------------------------------------------- what it costs

-- 100,000 closed ones; nobody but ordcancel may write them, except as a replica.
SET LOCAL session_replication_role = replica;
INSERT INTO shop.orders_cancellation (cancellation_id, order_key, state, requested_by, policy, requested_at, decided_at,
                                      closed_at, order_id)
SELECT n + 1000000, n::text, 'canceled', 'merchant', 'default', now(), now(), now(), n
FROM generate_series(100000, 199999) AS n;
SET LOCAL session_replication_role = origin;
ANALYZE shop.orders_cancellation;
CREATE FUNCTION reads_of(view text, index regclass) RETURNS text
    LANGUAGE plpgsql AS $$
DECLARE
    scans CONSTANT bigint := pg_stat_get_xact_numscans('shop.orders_cancellation'::regclass);
    rows CONSTANT bigint := pg_stat_get_xact_tuples_fetched(index);
BEGIN
    EXECUTE format('SELECT * FROM ordcancel.%I', view);
    RETURN format('%s by its index, %s scans of the table', pg_stat_get_xact_tuples_fetched(index) - rows,
                  pg_stat_get_xact_numscans('shop.orders_cancellation'::regclass) - scans);
END
$$;
SELECT is(reads_of('pending_requests', 'shop.orders_cancellation_requested_at_idx'),
          '1 by its index, 0 scans of the table', 'pending_requests reads the index on what is asked');
SELECT is(reads_of('refunds_due', 'shop.orders_cancellation_decided_at_idx'),
          '1 by its index, 0 scans of the table', 'refunds_due reads the index on what is in progress');

-- ---------------------------------------------------------- tables that go away

SELECT ordcancel.detach('shop.orders');
SELECT is((SELECT count(*) FROM ordcancel.refunds_due), 0::bigint, 'a detached table is nobody''s work any more');
DROP TABLE shop.orders;
SELECT is((SELECT count(*) FROM ordcancel.pending_requests), 1::bigint, 'nor is a dropped one');

SELECT * FROM finish();
ROLLBACK;
