-- The reports and the sweep with many tables: no table is planned or stays
-- locked, and what is wrong with one of them does not keep the others from view.
SET client_min_messages = error;
SELECT plan(44);
\ir include/helpers.sql
CREATE SCHEMA shop;
\o /dev/null
SELECT format('CREATE TABLE shop.t%s (id integer PRIMARY KEY, status text DEFAULT ''placed'', due numeric)', n),
       format('INSERT INTO shop.t%s (id, due) SELECT id, 5 FROM generate_series(1, 4) AS id', n),
       format('SELECT ordcancel.attach(''shop.t%s'', ''status'', refund_due => ''due'', inherit => %L),'
              ' ordcancel.set_policy(''shop.t%1$s'', canceled_status => ''canceled'', decision_timeout => ''1 day'','
              ' on_timeout => ''deny''),'
              ' ordcancel.set_rule(''shop.t%1$s'', ''placed'', customer => ''request'', merchant => ''cancel'')', n,
              n % 2 = 0)
FROM generate_series(1, 40) AS n \gexec
\o
SELECT ordcancel.request_cancel(format('shop.t%s', n)::regclass, 1, 'other', 'why ' || n),
       ordcancel.cancel_order(format('shop.t%s', n)::regclass, 2)
FROM unnest('{3,4,5,6,7}'::integer[]) AS n \g /dev/null

-- The tables of the shops that this transaction has locked.
CREATE FUNCTION locked() RETURNS text LANGUAGE sql AS $$
SELECT coalesce(string_agg(DISTINCT c.oid::regclass::text, ' '), 'nothing')
FROM pg_locks AS l JOIN pg_class AS c ON c.oid = l.relation
WHERE l.pid = pg_backend_pid() AND c.relnamespace = 'shop'::regnamespace
$$;
CREATE VIEW pending AS
SELECT string_agg(concat_ws(' ', orders, order_id), ', ' ORDER BY orders::text) AS orders
FROM ordcancel.pending_requests;
CREATE VIEW due AS
SELECT string_agg(concat_ws(' ', orders, order_id), ', ' ORDER BY orders::text) AS orders
FROM ordcancel.refunds_due;

-- ------------------------------------------------------------------- all tables

BEGIN;
SELECT is((SELECT orders FROM pending), 'shop.t3 1, shop.t4 1, shop.t5 1, shop.t6 1, shop.t7 1',
          'pending_requests has all tables, also those that do not inherit');
SELECT is((SELECT orders FROM due), 'shop.t3 2, shop.t4 2, shop.t5 2, shop.t6 2, shop.t7 2', 'so has refunds_due');
SELECT is(locked(), 'nothing', 'neither keeps a table locked');
COMMIT;
BEGIN;
CALL ordcancel.sweep();
SELECT is(locked(), 'nothing', 'nor does a sweep that finds nothing to do, in a transaction block');
COMMIT;
SELECT is((SELECT orders FROM pending), 'shop.t3 1, shop.t4 1, shop.t5 1, shop.t6 1, shop.t7 1', 'it has done nothing');

-- -------------------------------------------------------------------- one table

BEGIN;
SELECT is((SELECT string_agg(order_id || ' ' || note, ', ') FROM ordcancel.pending_requests('shop.t3')), '1 why 3',
          'pending_requests of one table');
SELECT is((SELECT string_agg(order_id || ' ' || outstanding, ', ') FROM ordcancel.refunds_due('shop.t3')), '2 5',
          'refunds_due of one table');
SELECT is(locked(), 'nothing', 'nor do these, so that a query may call them for thousands of tables');
COMMIT;
SELECT is((SELECT count(*) FROM ordcancel.pending_requests('shop.t1')), 0::bigint, 'a table without requests');
SELECT results_eq($$SELECT * FROM ordcancel.pending_requests('shop.t4')$$,
                  $$SELECT * FROM ordcancel.pending_requests WHERE orders = 'shop.t4'::regclass$$,
                  'the rows are those of the view');
SELECT results_eq($$SELECT * FROM ordcancel.refunds_due('shop.t4')$$,
                  $$SELECT * FROM ordcancel.refunds_due WHERE orders = 'shop.t4'::regclass$$, 'in both');
BEGIN;
SELECT is((SELECT sum(d.requested) FROM ordcancel.order_table AS t, LATERAL ordcancel.daily_summary(t.orders) AS d),
          10::numeric, 'summaries of all tables, one by one');
SELECT is((SELECT count(*) FROM ordcancel.order_table AS t, LATERAL ordcancel.cancellations(t.orders)), 10::bigint,
          'their cancellations');
SELECT is((SELECT count(*) FROM ordcancel.order_table AS t, LATERAL ordcancel.timeline(t.orders)), 10::bigint,
          'and what happened to their orders');
SELECT is(locked(), 'nothing', 'without a lock');
SELECT is((SELECT count(*) FROM ordcancel.health), 0::bigint, 'health of all tables');
SELECT is(locked(), 'nothing', 'keeps no lock');
INSERT INTO ordcancel.reason (code) VALUES ('unused');
DELETE FROM ordcancel.reason WHERE code = 'unused';
SELECT is(attempt($$DELETE FROM ordcancel.reason WHERE code = 'other'$$), '23503 reason_in_use',
          'a reason that is in use');
SELECT ordcancel.create_consumer('all tables') \g /dev/null
SELECT ordcancel.rewind_consumer('all tables', now() - interval '1 day'), ordcancel.prune_events('1 day') \g /dev/null
SELECT is(locked(), 'nothing', 'nor does deleting a reason, rewinding a consumer, or pruning where nothing is old');
DO $$ BEGIN PERFORM set_config('ordcancel.clock', (now() + interval '1 year')::text, true); END $$;
SELECT ordcancel.drop_consumer('all tables'), ordcancel.prune_events('1 day') \g /dev/null
SELECT doesnt_match(locked(), 't[128]_', 'only what is pruned is locked');
ROLLBACK;
CREATE TABLE shop.other (id integer PRIMARY KEY);
SELECT is(attempt($$SELECT * FROM ordcancel.pending_requests('shop.other')$$), 'OC001', 'a table that is not attached');
SELECT is(attempt($$SELECT * FROM ordcancel.refunds_due(NULL)$$), 'OC001', 'and none');

-- ------------------------------------------------------------------------ roles

BEGIN;
CREATE ROLE tables_merchant;
CREATE ROLE tables_reader;
SELECT ordcancel.grant_merchant('tables_merchant') \g /dev/null
GRANT USAGE ON SCHEMA shop TO tables_merchant, tables_reader;
GRANT SELECT ON shop.t3, shop.t5 TO tables_merchant, tables_reader;
GRANT SELECT ON pending TO tables_reader;
ALTER TABLE shop.t5 ENABLE ROW LEVEL SECURITY;
SELECT is(attempt_as('tables_merchant', $$SELECT 1 / count(*) FROM ordcancel.pending_requests('shop.t3')$$), 'ok',
          'a merchant with SELECT');
SELECT is(attempt_as('tables_merchant', $$SELECT * FROM ordcancel.pending_requests('shop.t4')$$), '42501',
          'not without');
SELECT is(attempt_as('tables_merchant', $$SELECT 1 / (count(*) = 0)::integer FROM ordcancel.refunds_due('shop.t5')$$),
          'ok', 'and nothing where row security hides the orders');
SELECT is(attempt_as('tables_reader', $$SELECT * FROM ordcancel.pending_requests('shop.t3')$$), '42501',
          'nor without EXECUTE');
SELECT is(attempt_as('tables_reader',
                     $$SELECT * FROM ordcancel_internal.open_cancellations('shop.t3', 'shop.t3_cancellation',
                                                                           'requested')$$), '42501',
          'what the views call cannot be named');
SET LOCAL ROLE tables_reader;
SELECT is((SELECT string_agg(orders::text || ' ' || order_id, ', ') FROM ordcancel.pending_requests), 'shop.t3 1',
          'the view shows the tables that the reader may see');
RESET ROLE;
ALTER VIEW pending OWNER TO tables_merchant;
ALTER TABLE shop.t5 DISABLE ROW LEVEL SECURITY;
REVOKE SELECT ON shop.t3 FROM tables_reader;
SET LOCAL ROLE tables_reader;
SELECT is((SELECT orders FROM pending), 'shop.t5 1', 'also through a view of another role');
RESET ROLE;
ROLLBACK;

-- ------------------------------------------------------------------- snapshots

BEGIN;
DECLARE earlier CURSOR FOR SELECT orders FROM pending;
SELECT ordcancel.request_cancel('shop.t8', 1) \g /dev/null
FETCH earlier \gset
SELECT is(:'orders'::text, 'shop.t3 1, shop.t4 1, shop.t5 1, shop.t6 1, shop.t7 1',
          'a cursor sees what was when it began');
SELECT alike((SELECT orders FROM pending), '%shop.t8 1', 'a new statement sees the new request');
ROLLBACK;
WITH asked AS (SELECT ordcancel.request_cancel('shop.t8', 2))
SELECT is((SELECT p.orders FROM pending AS p, asked), 'shop.t3 1, shop.t4 1, shop.t5 1, shop.t6 1, shop.t7 1',
          'a statement does not see its own request');
SELECT ordcancel.withdraw_cancel('shop.t8', 2) \g /dev/null

-- A note that is stored out of line, and is read after the table is dropped.
SELECT string_agg(md5(n::text), '') AS note FROM generate_series(1, 62) AS n \gset
SELECT ordcancel.request_cancel('shop.t9', 1, 'wont_arrive_in_time', :'note') \g /dev/null
SELECT ok(pg_relation_size((SELECT reltoastrelid FROM pg_class WHERE oid = 'shop.t9_cancellation'::regclass)) > 0,
          'a note is stored out of line');
BEGIN;
CREATE FUNCTION drop_records() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    SET LOCAL session_replication_role = replica;
    DROP TABLE shop.t9_cancellation;
    RETURN 'dropped';
END
$$;
SELECT is((SELECT count(*) FROM (SELECT note, CASE WHEN drop_records() IS NOT NULL THEN md5(note) END AS hash
                                 FROM ordcancel.pending_requests WHERE orders = 'shop.t9'::regclass) AS n
           WHERE hash = md5(:'note')), 1::bigint, 'it is complete, whatever happens to the table then');
ROLLBACK;
SELECT ordcancel.withdraw_cancel('shop.t9', 1) \g /dev/null

-- -------------------------------------------------------------- broken records

SET session_replication_role = replica; -- the event trigger does not fire
DROP INDEX shop.t3_cancellation_requested_at_idx;
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'shop.t4_cancellation_requested_at_idx'::regclass;
DROP INDEX shop.t6_cancellation_requested_at_idx;
CREATE INDEX ON shop.t6_cancellation USING hash (cancellation_id) WHERE state = 'requested';
SELECT is((SELECT orders FROM pending), 'shop.t3 1, shop.t4 1, shop.t5 1, shop.t6 1, shop.t7 1',
          'an index that is missing, invalid or of another kind');
SELECT ordcancel.attach('shop.t3') \g /dev/null
REINDEX INDEX shop.t3_cancellation_requested_at_idx;
SELECT is((SELECT orders FROM pending), 'shop.t3 1, shop.t4 1, shop.t5 1, shop.t6 1, shop.t7 1', 'a new index');
ALTER TABLE shop.t5_cancellation DROP COLUMN note;
DROP TABLE shop.t7_cancellation;
SELECT is((SELECT orders FROM pending), 'shop.t3 1, shop.t4 1, shop.t6 1',
          'a record table that lacks a column, or is gone, does not keep the others from view');
SELECT is((SELECT orders FROM due), 'shop.t3 2, shop.t4 2, shop.t6 2', 'in both views');
RESET session_replication_role;
SELECT is(attempt($$SELECT * FROM ordcancel.pending_requests('shop.t5')$$), 'OC014',
          'asked for itself, the table is an error');
SELECT is(attempt($$SELECT * FROM ordcancel.refunds_due('shop.t7')$$), 'OC014', 'so is the one that is gone');
SELECT ok(count(*) > 0, 'which health reports') FROM ordcancel.health('shop.t7') WHERE problem = 'records_missing';
SELECT is((SELECT order_id FROM ordcancel.pending_requests('shop.t3')), '1', 'the others have theirs');

-- A sweep decides what is overdue, in all of them that work.
SET ordcancel.clock = '2126-01-01 00:00+00';
CALL ordcancel.sweep();
SELECT is((SELECT orders FROM pending), NULL, 'a sweep decides the requests of all tables');
SELECT is((SELECT string_agg(order_key || ' ' || state, ', ') FROM shop.t3_cancellation WHERE order_id = 1),
          '1 denied', 'as their policy says');
SELECT * FROM finish();
