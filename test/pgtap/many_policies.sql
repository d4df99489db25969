-- A session reads the policies that its orders are under, and no others; and
-- reads them again only when they have changed. What is read is counted, by
-- PostgreSQL's own statistics and by memory contexts.
\ir include/helpers.sql
SET client_min_messages = warning;
CREATE TABLE orders (id integer PRIMARY KEY, status text, supplier text);
INSERT INTO orders SELECT n, 'placed', CASE WHEN n > 20 THEN 's' || n - 20 END FROM generate_series(1, 5020) AS n;
SELECT ordcancel.attach('orders', 'status', policy_by => 'supplier');
SELECT ordcancel.set_policy('orders', canceled_status => 'canceled'),
       ordcancel.set_rule('orders', 'placed', merchant => 'cancel');
INSERT INTO ordcancel.policy (orders, policy, canceled_status) SELECT 'orders'::regclass, 's' || n, 'canceled'
FROM generate_series(1, 2000) AS n;
INSERT INTO ordcancel.rule (orders, policy, status, merchant)
    SELECT 'orders'::regclass, 's' || n, s, 'cancel' FROM generate_series(1, 2000) AS n,
     unnest('{placed,x1,x2,x3,x4}'::text[]) AS s;

-- Rows of policies and rules that the transaction has read so far.
CREATE FUNCTION rows_read() RETURNS bigint LANGUAGE sql AS $$
SELECT sum(pg_stat_get_xact_tuples_fetched(t) + pg_stat_get_xact_tuples_returned(t))::bigint
FROM unnest('{ordcancel.policy,ordcancel.rule}'::regclass[]) AS t
$$;
CREATE FUNCTION contexts(kind text) RETURNS bigint LANGUAGE sql AS
    $$ SELECT count(*) FROM pg_backend_memory_contexts AS c WHERE c.name = kind $$;

\connect -
SET client_min_messages = warning;
SELECT no_plan();
BEGIN;
SELECT is(attempt('SELECT ordcancel.cancel_order(''orders'', 1)'), 'ok', 'the first call of a session');
SELECT cmp_ok(rows_read(), '<=', 10::bigint, 'reads its policy');
SELECT is(attempt('UPDATE orders SET status = ''canceled'' WHERE id = 21'), 'ok', 'an order of a supplier');
SELECT cmp_ok(rows_read(), '<=', 25::bigint, 'needs that of the supplier');
SELECT is(attempt('UPDATE orders SET status = ''paid'' WHERE id IN (22, 23)'), 'ok', 'a status that no policy knows');
SELECT cmp_ok(rows_read(), '<=', 50::bigint, 'is looked up, and their policies are');
SELECT is(attempt('INSERT INTO orders VALUES (0, ''placed'')'), 'ok', 'a new order');
SELECT cmp_ok(rows_read(), '<=', 50::bigint, 'of those deletable there is none');
SELECT is(attempt('UPDATE orders SET status = ''packed'' WHERE id = 22'), 'ok', 'one more');
SELECT cmp_ok(rows_read(), '<=', 55::bigint, 'needs nothing but the new status');
COMMIT;

BEGIN;
ANALYZE orders;
SELECT is(attempt('SELECT ordcancel.cancel_order(''orders'', 2)'), 'ok', 'after ANALYZE');
SELECT is(contexts('ordcancel order table'), 1::bigint, 'what is known of the table stays');
SELECT is(contexts('ordcancel policy'), 4::bigint, 'and so do the policies');
SELECT cmp_ok(rows_read(), '<=', 10::bigint, 'the one in use is compared');
SELECT ordcancel.set_rule('orders', 'placed', policy => 's1000', merchant => 'forbid');
SELECT is(attempt('SELECT ordcancel.cancel_order(''orders'', 24)'), 'ok', 'after a change of one supplier''s rules');
SELECT is(attempt('SELECT ordcancel.cancel_order(''orders'', 1020)'), 'OC003', 'his orders are under them');
SELECT is(contexts('ordcancel order table'), 1::bigint, 'and nothing else');
SELECT is(contexts('ordcancel policy'), 6::bigint, 'was read but what was new here');
SELECT ordcancel.set_rule('orders', 'placed', policy => 's1000', merchant => 'cancel');
SELECT is(attempt('SELECT ordcancel.cancel_order(''orders'', 1020)'), 'ok', 'a change of what was read');
SELECT is(contexts('ordcancel policy'), 7::bigint, 'is read, and what was before is kept until the end');
COMMIT;
SELECT is(contexts('ordcancel policy'), 6::bigint, 'which is now');

-- ------------------------------------------------------ by a superuser's hand
SELECT is(attempt('SELECT ordcancel.cancel_order(''orders'', 3001)'), 'ok', 'without a policy the default one');
INSERT INTO ordcancel.policy (orders, policy) VALUES ('orders'::regclass, 's2982');
SELECT is(attempt('SELECT ordcancel.cancel_order(''orders'', 3002)'), 'OC003', 'a policy that was not there');
SELECT is(attempt('SELECT ordcancel.cancel_order(''orders'', 3003)'), 'ok', 'a name that has none');
INSERT INTO ordcancel.policy (orders, policy) VALUES ('orders'::regclass, 's2983');
SELECT ordcancel.undo_cancel('orders', 3003);
SELECT is(attempt('SELECT ordcancel.cancel_order(''orders'', 3003)'), 'OC003', 'until it has');
INSERT INTO ordcancel.rule (orders, policy, status, merchant) VALUES ('orders'::regclass, 's2983', 'placed', 'cancel');
SELECT is(attempt('SELECT ordcancel.cancel_order(''orders'', 3003)'), 'OC014', 'a rule of it');
DELETE FROM ordcancel.policy WHERE policy = 's2983';
SELECT is(attempt('SELECT ordcancel.cancel_order(''orders'', 3003)'), 'ok', 'and none again');

-- A row that comes again under the key of a canceled one.
SELECT ordcancel.set_rule('orders', 'canceled', policy => 's1900', deletable => true);
UPDATE orders SET supplier = 's1900' WHERE id = 24;
SELECT is(attempt('DELETE FROM orders WHERE id = 24'), 'ok', 'a policy may let canceled orders go');
SELECT is(attempt('INSERT INTO orders VALUES (24, ''placed'')'), '23514 order_is_canceled', 'and they stay canceled');

-- ------------------------------------------------------------------ all of them
SELECT is((SELECT count(*)
           FROM ordcancel.cancel_orders('orders', (SELECT array_agg(id) FROM orders WHERE id BETWEEN 31 AND 5020))
           WHERE outcome = 'canceled'), 4986::bigint, 'orders of thousands of suppliers');
SELECT is(attempt('SELECT ordcancel.cancel_order(''orders'', 30)'), 'ok', 'one more');
SELECT cmp_ok(contexts('ordcancel policy'), '<=', 1000::bigint, 'a thousand at most are kept beyond their transaction');
SELECT cmp_ok((SELECT sum(total_bytes)::bigint FROM pg_backend_memory_contexts WHERE name LIKE 'ordcancel polic%'),
              '<=', 5000000::bigint, 'in little memory');

-- -------------------------------------------------------- labels of an enum
CREATE TYPE state AS ENUM ('placed', 'paid', 'canceled');
CREATE TABLE enums (id integer PRIMARY KEY, status state, supplier text);
INSERT INTO enums SELECT n, 'placed', CASE WHEN n > 3 THEN 'a' END FROM generate_series(1, 6) AS n;
SELECT ordcancel.attach('enums', 'status', policy_by => 'supplier'),
       ordcancel.set_policy('enums', canceled_status => 'canceled'),
       ordcancel.set_rule('enums', 'placed', merchant => 'cancel');
INSERT INTO ordcancel.policy (orders, policy, canceled_status) VALUES ('enums'::regclass, 'a', 'canceled');
SELECT ordcancel.set_rule('enums', 'placed', policy => 'a', merchant => 'cancel');
SELECT is(attempt('SELECT ordcancel.cancel_order(''enums'', ' || n || ')'), 'ok', 'before a label is renamed')
FROM unnest('{1,4}'::int[]) AS n;
ALTER TYPE state RENAME VALUE 'canceled' TO 'gone';
SELECT is(attempt('SELECT ordcancel.cancel_order(''enums'', ' || n || ')'), 'OC014', 'both policies know')
FROM unnest('{2,5}'::int[]) AS n;
UPDATE ordcancel.policy SET canceled_status = 'gone' WHERE orders = 'enums'::regclass AND policy = 'a';
SELECT is(attempt('SELECT ordcancel.cancel_order(''enums'', 5)'), 'ok', 'until they are told');
SELECT is(attempt('SELECT ordcancel.cancel_order(''enums'', 2)'), 'OC014', 'each by itself');

SELECT * FROM finish();
