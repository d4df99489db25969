-- The reports on all cancellations: what they count, that a function has the rows
-- of its view, who sees what, and which index a condition uses.
SET client_min_messages = error;
SELECT plan(60);
\ir include/helpers.sql
SET timezone = 'UTC';
SET intervalstyle = 'postgres';
CREATE SCHEMA shop;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text DEFAULT 'placed', due numeric, shopper text);
INSERT INTO shop.orders (id, due, shopper)
SELECT n, CASE WHEN n % 10 = 0 THEN 20 END, CASE WHEN n % 2 = 0 THEN 'summaries_ann' ELSE 'bob' END
FROM generate_series(1, 60) AS n;
CREATE TABLE shop.lines (shop integer, "Line" text, state text DEFAULT 'new', PRIMARY KEY (shop, "Line"));
INSERT INTO shop.lines VALUES (7, 'a,"b'), (7, 'c');
\o /dev/null
SELECT ordcancel.attach('shop.orders', 'status', refund_due => 'due'),
       ordcancel.set_policy('shop.orders', requested_status => 'asked', in_progress_status => 'refunding',
                            canceled_status => 'canceled'),
       ordcancel.set_rule('shop.orders', 'placed', customer => 'request', merchant => 'cancel'),
       ordcancel.attach('shop.lines', 'state', inherit => false),
       ordcancel.set_policy('shop.lines', canceled_status => 'canceled'),
       ordcancel.set_rule('shop.lines', 'new', customer => 'request', merchant => 'cancel');

-- Monday: five requests, two direct cancellations. Tuesday: one of each.
SET ordcancel.clock = '2026-05-04 10:00+00';
SELECT ordcancel.request_cancel('shop.orders', 1, 'other', 'a gift', actor => 'web'),
       ordcancel.request_cancel('shop.orders', 2, 'other', 'cold feet', actor => 'web'),
       ordcancel.request_cancel('shop.orders', 3, 'wont_arrive_in_time', actor => 'web'),
       ordcancel.request_cancel('shop.orders', 4, 'wont_arrive_in_time', actor => 'web'),
       ordcancel.request_cancel('shop.orders', 10, 'created_by_mistake', 'twice', actor => 'web'),
       ordcancel.cancel_order('shop.orders', 5, 'out_of_stock', actor => 'anna'),
       ordcancel.cancel_order('shop.orders', 20, 'out_of_stock', 'none left', actor => 'anna');
SET ordcancel.clock = '2026-05-04 11:00+00';
SELECT ordcancel.accept_cancel('shop.orders', 10, note => 'fine', actor => 'anna');
SET ordcancel.clock = '2026-05-04 13:00+00';
SELECT ordcancel.deny_cancel('shop.orders', 1, 'sent', actor => 'anna');
SET ordcancel.clock = '2026-05-04 23:30+00';
UPDATE shop.orders SET status = 'shipped' WHERE id = 2;
SELECT ordcancel.withdraw_cancel('shop.orders', 3, 'all good', actor => 'web');
SET ordcancel.clock = '2026-05-05 10:00+00';
SELECT ordcancel.record_refund('shop.orders', 10, 5, 'card', 'pay_1', actor => 'till'),
       ordcancel.record_refund('shop.orders', 10, 15, 'card', actor => 'till'),
       ordcancel.undo_cancel('shop.orders', 5, 'found', actor => 'bert'),
       ordcancel.request_cancel('shop.orders', 6, actor => 'web'),
       ordcancel.cancel_order('shop.lines', ROW(7, 'a,"b'), 'fraud', actor => 'anna');
\o
RESET ordcancel.clock;

-- --------------------------------------------------------------- what they count

SELECT is(string_agg(concat_ws(' ', order_id, state, requested_by, requested_actor, decided_actor, reason, refund_due,
                               refunded, time_to_decision), ', ' ORDER BY cancellation_id),
          '1 denied customer web anna other 03:00:00, 2 denied customer web postgres other 13:30:00, '
          '3 withdrawn customer web wont_arrive_in_time, '
          '4 requested customer web wont_arrive_in_time, '
          '10 canceled customer web anna created_by_mistake 20 20 01:00:00, '
          '5 undone merchant anna anna out_of_stock, '
          '20 in_progress merchant anna anna out_of_stock 20 0, 6 requested customer web, '
          '(7,"a,""b") canceled merchant anna anna fraud',
          'cancellations has all of them, of all tables')
FROM ordcancel.cancellations;
CREATE FUNCTION days() RETURNS text LANGUAGE sql AS $$
SELECT string_agg(concat_ws(' ', orders, day, requested, canceled, denied, withdrawn, undone, pending, in_progress,
                            median_time_to_decision), ', ' ORDER BY day, orders::text) FROM ordcancel.daily_summary $$;
SELECT is(days(), 'shop.orders 2026-05-04 7 1 2 1 1 1 1 03:00:00, shop.lines 2026-05-05 1 1 0 0 0 0 0, '
                  'shop.orders 2026-05-05 1 0 0 0 0 1 0',
          'daily_summary: what was requested on a day, and what has become of it');
SET timezone = 'Pacific/Auckland';
SELECT is(days(), 'shop.orders 2026-05-04 7 1 2 1 1 1 1 03:00:00, shop.lines 2026-05-05 1 1 0 0 0 0 0, '
                  'shop.orders 2026-05-05 1 0 0 0 0 1 0', 'here the day is the same');
SET timezone = 'Pacific/Kiritimati';
SELECT is(days(), 'shop.orders 2026-05-05 7 1 2 1 1 1 1 03:00:00, shop.lines 2026-05-06 1 1 0 0 0 0 0, '
                  'shop.orders 2026-05-06 1 0 0 0 0 1 0', 'the day is that of the session''s time zone');
SET timezone = 'UTC';
SELECT ok(bool_and(requested = canceled + denied + withdrawn + undone + pending + in_progress), 'the columns add up')
FROM ordcancel.daily_summary;
SELECT is(string_agg(concat_ws(' ', reason, requested, canceled, denied, withdrawn, undone, pending, in_progress,
                               refund_due, refunded, first_requested_at::time), ', ' ORDER BY reason, orders::text),
          'created_by_mistake 1 1 0 0 0 0 0 20 20 10:00:00, fraud 1 1 0 0 0 0 0 10:00:00, '
          'other 2 0 2 0 0 0 0 10:00:00, out_of_stock 2 0 0 0 1 0 1 20 0 10:00:00, '
          'wont_arrive_in_time 2 0 0 1 0 1 0 10:00:00, 1 0 0 0 0 1 0 10:00:00',
          'reason_summary, also of those without a reason')
FROM ordcancel.reason_summary;
SELECT is(description, 'sold out, or not found', 'with the description of the reason')
FROM ordcancel.reason_summary WHERE reason = 'out_of_stock';
SELECT is(string_agg(orders::text, ' ') || count(*), 'shop.lines1', 'a condition on the reason')
FROM ordcancel.reason_summary WHERE reason = 'fraud';

-- ------------------------------------------------------------- of one table each

CREATE FUNCTION differences(report text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
BEGIN
    EXECUTE format(
        'SELECT count(*) FROM unnest(''{shop.orders,shop.lines}''::regclass[]) AS o (orders), LATERAL ('
        '(SELECT v::text FROM ordcancel.%1$I AS v WHERE v.orders = o.orders'
        ' EXCEPT ALL SELECT f::text FROM ordcancel.%1$I(o.orders) AS f) UNION ALL'
        '(SELECT f::text FROM ordcancel.%1$I(o.orders) AS f'
        ' EXCEPT ALL SELECT v::text FROM ordcancel.%1$I AS v WHERE v.orders = o.orders)) AS d', report) INTO n;
    RETURN n;
END
$$;
SELECT is(differences(report), 0::bigint, report || ' of one table has the rows that its view has of it')
FROM unnest('{cancellations,reason_summary,daily_summary,timeline,pending_requests,refunds_due}'::text[]) AS report;
SELECT is(count(*), 7::bigint, 'a period: from its beginning')
FROM ordcancel.cancellations('shop.orders', '2026-05-04 10:00+00', '2026-05-05 10:00+00');
SELECT is(count(*), 1::bigint, 'up to, but not including, its end')
FROM ordcancel.cancellations('shop.orders', since => '2026-05-05 10:00+00');
SELECT is(string_agg(order_id, ' ' ORDER BY order_id), '5', 'a reason, and a period')
FROM ordcancel.cancellations('shop.orders', until => '2026-05-05', reason => 'out_of_stock') WHERE state = 'undone';
SELECT is(count(*), 0::bigint, 'quotes in a reason are text')
FROM ordcancel.cancellations('shop.orders', reason => $$' OR true --$$);
SELECT is(string_agg(day || ' ' || requested, ', '), '2026-05-05 1', 'days from one on')
FROM ordcancel.daily_summary('shop.orders', '2026-05-05');
SELECT is(string_agg(day || ' ' || requested, ', '), '2026-05-04 7', 'days before one')
FROM ordcancel.daily_summary('shop.orders', until => '2026-05-05');
SELECT is(sum(requested), 1::numeric, 'reasons of a period') FROM ordcancel.reason_summary('shop.orders', '2026-05-05');
SELECT is(attempt(format('SELECT * FROM ordcancel.%I(%s)', report, orders)), 'OC001', report || ' of ' || orders)
FROM unnest('{cancellations,reason_summary,daily_summary,timeline}'::text[]) AS report,
    unnest(ARRAY['NULL', '''pg_class''']) AS orders;

-- The lock of the order table, and of what a function of it reads.
BEGIN;
SELECT count(*) FROM ordcancel.daily_summary('shop.lines') \g /dev/null
SELECT is((SELECT count(*) FROM pg_locks AS l
           WHERE l.pid = pg_backend_pid() AND l.relation::regclass::text LIKE 'shop.orders%'), 0::bigint,
          'a function touches its table alone');
COMMIT;

-- ------------------------------------------------------------------- who sees it

CREATE ROLE summaries_ann;
CREATE ROLE summaries_other;
SELECT ordcancel.grant_analyst('summaries_ann'), ordcancel.grant_analyst('summaries_other') \g /dev/null
GRANT USAGE ON SCHEMA shop TO summaries_ann, summaries_other;
GRANT EXECUTE ON FUNCTION attempt(text) TO PUBLIC;
-- The orders of which the reader sees something, in each of the reports.
CREATE FUNCTION seen(reader name) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    EXECUTE format('SET LOCAL ROLE %I', reader);
    result := concat_ws(
        ' | ', (SELECT string_agg(order_id, ' ' ORDER BY length(order_id), order_id) FROM ordcancel.cancellations),
        (SELECT string_agg(DISTINCT order_id, ' ') FROM ordcancel.timeline),
        (SELECT sum(requested) FROM ordcancel.reason_summary), (SELECT sum(requested) FROM ordcancel.daily_summary),
        (SELECT string_agg(order_id, ' ' ORDER BY order_id) FROM ordcancel.pending_requests),
        (SELECT string_agg(order_id, ' ') FROM ordcancel.refunds_due));
    RESET ROLE;
    RETURN result;
END
$$;
SELECT is(seen('summaries_ann'), '', 'without SELECT on an order table, nothing');
GRANT SELECT ON shop.lines TO summaries_other;
SELECT is(seen('summaries_other'), '(7,"a,""b") | (7,"a,""b") | 1 | 1', 'one table of two');
SELECT is(attempt_as('summaries_other', $$SELECT * FROM ordcancel.cancellations('shop.orders')$$), '42501',
          'the function of a table needs SELECT on it');
SELECT is(attempt_as('summaries_other', $$SELECT * FROM ordcancel.timeline('shop.orders', 1)$$), '42501',
          'so does that of an order');
GRANT SELECT ON shop.orders TO summaries_ann, summaries_other;
SELECT is(seen('summaries_ann'), '1 2 3 4 5 6 10 20 | 1 10 2 20 3 4 5 6 | 8 | 8 | 4 6 | 20', 'all of the orders');
ALTER TABLE shop.orders ENABLE ROW LEVEL SECURITY;
SELECT is(seen('summaries_ann'), '', 'row-level security without a policy: nothing');
CREATE POLICY own ON shop.orders USING (shopper = current_user);
SELECT is(seen('summaries_ann'), '2 4 6 10 20 | 10 2 20 4 6 | 5 | 5 | 4 6 | 20', 'those that row security shows');
SELECT is(seen('summaries_other'), '(7,"a,""b") | (7,"a,""b") | 1 | 1', 'another reader sees others');
SET ROLE summaries_ann;
SELECT is((SELECT string_agg(order_id, ' ' ORDER BY order_id) FROM ordcancel.cancellations('shop.orders')),
          '10 2 20 4 6', 'a function shows no more');
SELECT is((SELECT sum(requested) FROM ordcancel.daily_summary('shop.orders')), 5::numeric, 'nor does one that counts');
SELECT is((SELECT string_agg(order_id, ' ' ORDER BY order_id) FROM ordcancel.pending_requests('shop.orders')),
          '4 6', 'nor one of what is open');
SELECT is((SELECT count(*) FROM ordcancel.timeline('shop.orders', 2)), 2::bigint, 'the life of an own order');
SELECT is((SELECT count(*) FROM ordcancel.timeline('shop.orders', 1)), 0::bigint, 'not that of another''s');
SET row_security = off;
SELECT is(attempt('SELECT * FROM ordcancel.cancellations'), '42501', 'row_security = off shows no more');
RESET row_security;
RESET ROLE;
-- A cheap function of the reader's must not see rows before the view does.
CREATE FUNCTION pry(text) RETURNS boolean LANGUAGE plpgsql COST 0.0001
    AS $$ BEGIN RAISE EXCEPTION 'seen: %', $1; END $$;
REVOKE SELECT ON shop.orders FROM summaries_other;
SET ROLE summaries_other;
SELECT throws_ok(format('SELECT * FROM ordcancel.%I WHERE public.pry(order_id)', report), 'P0001',
                 'seen: (7,"a,""b")', 'a cheap function sees no other order in ' || report)
FROM unnest('{cancellations,timeline}'::text[]) AS report;
RESET ROLE;
-- The owner of a table under FORCE ROW LEVEL SECURITY is a reader like others.
ALTER TABLE shop.orders FORCE ROW LEVEL SECURITY, OWNER TO summaries_ann;
SELECT is(seen('summaries_ann'), '2 4 6 10 20 | 10 2 20 4 6 | 5 | 5 | 4 6 | 20', 'forced on its owner, too');
ALTER TABLE shop.orders NO FORCE ROW LEVEL SECURITY;
SELECT is(seen('summaries_ann'), '1 2 3 4 5 6 10 20 | 1 10 2 20 3 4 5 6 | 8 | 8 | 4 6 | 20', 'else the owner sees all');
ALTER TABLE shop.orders DISABLE ROW LEVEL SECURITY;
-- What cannot be named.
SELECT is(attempt_as('summaries_ann', format('SELECT ordcancel_internal.%s', call)), '42501',
          'the views'' functions cannot be called: ' || call)
FROM unnest(ARRAY['may_see(1::oid, ''1'')', 'apart_records(NULL::ordcancel.cancellation, true)']) AS call;

-- ------------------------------------------------------------- detached, dropped

SELECT ordcancel.detach('shop.lines') \g /dev/null
SELECT is((SELECT count(*) FROM ordcancel.cancellations WHERE order_id LIKE '(%'), 0::bigint,
          'the records of a detached table belong to no order table');

-- ------------------------------------------------------------------ which indexes

CREATE TABLE shop.big (id integer PRIMARY KEY, status text DEFAULT 'placed');
SELECT ordcancel.attach('shop.big', 'status') \g /dev/null
SET session_replication_role = replica;
INSERT INTO shop.big_cancellation (cancellation_id, order_key, state, requested_by, reason, policy, requested_at,
                                   decided_at, closed_at, order_id)
SELECT n + 1000000, n::text, 'canceled', 'merchant', CASE WHEN n % 1000 = 0 THEN 'fraud' ELSE 'out_of_stock' END,
       'default', at, at, at, n
FROM generate_series(1, 40000) AS n, LATERAL (SELECT '2025-01-01'::timestamptz + n * interval '13 minutes') AS t (at);
INSERT INTO shop.big_cancellation_event (event_id, cancellation_id, order_key, type, state, party, session_role, at,
                                         source, xid, cluster, orders, order_id)
SELECT cancellation_id, cancellation_id, order_key, 'canceled', 'canceled', 'merchant', 'postgres', requested_at,
       'cancel_order', 3, 1, 'shop.big', order_id
FROM shop.big_cancellation;
RESET session_replication_role;
ANALYZE shop.big_cancellation, shop.big_cancellation_event;
-- The indexes with which a query reads the records of shop.big, and the rows that
-- it read of them.
CREATE FUNCTION scans(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    plan jsonb;
BEGIN
    EXECUTE 'EXPLAIN (ANALYZE, TIMING off, SUMMARY off, FORMAT json) ' || query INTO plan;
    RETURN (SELECT string_agg(DISTINCT coalesce(node->>'Index Name', node->>'Node Type'), ' ')
            FROM jsonb_path_query(plan, '$.** ? (exists (@."Index Name") || exists (@."Relation Name"))') AS node
            WHERE node->>'Node Type' <> 'Bitmap Heap Scan'
              AND coalesce(node->>'Index Name', node->>'Relation Name') LIKE 'big%'
              AND (node->>'Actual Loops')::integer > 0);
END
$$;
SELECT is(scans($$SELECT * FROM ordcancel.cancellations WHERE requested_at >= '2025-03-01'
                  AND requested_at < '2025-03-02'$$), 'big_cancellation_requested_at_idx1', 'cancellations of a day');
SELECT is(scans($$SELECT * FROM ordcancel.cancellations WHERE reason = 'fraud'$$),
          'big_cancellation_reason_requested_at_idx', 'cancellations of a reason');
SELECT is(scans($$SELECT * FROM ordcancel.cancellations WHERE orders = 'shop.orders'::regclass$$), NULL,
          'cancellations of another table: this one is not read');
SELECT is(scans($$SELECT * FROM ordcancel.daily_summary WHERE day = '2025-03-01'$$),
          'big_cancellation_requested_at_idx1', 'a day of daily_summary');
SELECT is(scans($$SELECT * FROM ordcancel.reason_summary WHERE reason = 'fraud'$$),
          'big_cancellation_reason_requested_at_idx', 'a reason of reason_summary');
SELECT is(scans($$SELECT * FROM ordcancel.reason_summary WHERE orders = 'shop.orders'::regclass$$), NULL,
          'reason_summary of another table');
SELECT matches(scans($$SELECT * FROM ordcancel.timeline WHERE at >= '2025-03-01' AND at < '2025-03-02'$$),
               '^big_cancellation_event_at_idx big_cancellation_event_cancellation_id_idx big_cancellation_pkey$',
               'a day of timeline');
SELECT is(scans($$SELECT * FROM ordcancel.timeline WHERE reason = 'fraud'$$),
          'big_cancellation_event_cancellation_id_idx big_cancellation_reason_requested_at_idx',
          'a reason of timeline');
SELECT is(scans($$SELECT * FROM ordcancel.timeline WHERE orders = 'shop.orders'::regclass$$), NULL,
          'timeline of another table reads none of this one');
SELECT * FROM finish();
