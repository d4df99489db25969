-- A session remembers no more order tables than ordcancel.cached_tables; others
-- are loaded again when they are used again.
SET client_min_messages = warning;
SELECT plan(15);
\ir include/helpers.sql
\o /dev/null
SELECT format('CREATE SCHEMA shop_%s', i),
       format('CREATE TABLE shop_%s.orders (id integer PRIMARY KEY, status text, due numeric)', i),
       format('INSERT INTO shop_%s.orders SELECT n, ''placed'', 5 FROM generate_series(1, 5) AS n', i),
       format('SELECT ordcancel.attach(''shop_%s.orders'', ''status'', refund_due => ''due'')', i),
       format('SELECT ordcancel.set_policy(''shop_%s.orders'', canceled_status => ''canceled'')', i),
       format('SELECT ordcancel.set_rule(''shop_%s.orders'', ''placed'', merchant => ''cancel'')', i)
FROM generate_series(1, 25) AS i \gexec
\c
SET client_min_messages = warning;
SET ordcancel.cached_tables = 10;
CREATE FUNCTION known() RETURNS bigint LANGUAGE sql AS $$
SELECT count(*) FROM pg_backend_memory_contexts WHERE name = 'ordcancel order table'
$$;
CREATE FUNCTION kept() RETURNS bigint LANGUAGE sql AS $$
SELECT sum(total_bytes)::bigint FROM pg_backend_memory_contexts
$$;
\o
SELECT plan(15) \g /dev/null
SELECT format('SELECT ordcancel.cancel_order(''shop_%s.orders'', 1)', i) FROM generate_series(1, 10) AS i
\o /dev/null
\gexec
\o
SELECT is(known(), 10::bigint, 'ten tables are remembered');
SELECT kept() AS kept \gset
SELECT format('SELECT ordcancel.cancel_order(''shop_%s.orders'', 1)', i) FROM generate_series(11, 25) AS i
\o /dev/null
\gexec
\o
SELECT is(known(), 10::bigint, 'and no more');
SELECT cmp_ok((kept() - :kept) / 15, '<', 40 * 1024::bigint, 'of the others PostgreSQL keeps what plain use needs');

-- shop_1 is forgotten by now.
SELECT is((SELECT state FROM ordcancel.record_refund('shop_1.orders', 1, 5, 'cash')), 'canceled',
          'a table that was forgotten');
SELECT is((SELECT count(*) FROM shop_1.orders WHERE status = 'canceled'), 1::bigint, 'is loaded again');
SELECT is(known(), 10::bigint, 'for another one');
SELECT ordcancel.set_rule('shop_2.orders', 'placed', merchant => 'forbid') \g /dev/null
SELECT is(attempt($$UPDATE shop_2.orders SET status = 'canceled' WHERE id = 3$$), '23514 cancellation_forbidden',
          'with its present rules');

-- While one table is in use, its own code uses all the others.
CREATE FUNCTION cancel_everywhere() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 4..25 LOOP
        PERFORM ordcancel.cancel_order(format('shop_%s.orders', i)::regclass, 2);
    END LOOP;
    RETURN NEW;
END
$$;
UPDATE shop_3.orders SET due = 0 WHERE id IN (2, 3);
CREATE TRIGGER everywhere BEFORE UPDATE ON shop_3.orders FOR EACH ROW WHEN (NEW.id = 2)
    EXECUTE FUNCTION cancel_everywhere();
SELECT is((SELECT string_agg(order_id || ' ' || outcome, ', ' ORDER BY order_id)
           FROM ordcancel.cancel_orders('shop_3.orders', '{2,3}')), '2 canceled, 3 canceled',
          'a call goes on after its table was forgotten');
SELECT is((SELECT count(*) FROM ordcancel.cancellation WHERE order_key = '2'), 23::bigint, 'and so do all the others');
SELECT is(known(), 10::bigint, 'of which ten are remembered in the end');
SELECT is((SELECT count(*) FROM ordcancel.health('shop_3.orders')), 0::bigint, 'nothing is inconsistent');

SET ordcancel.cached_tables = 12;
SELECT format('SELECT ordcancel.cancel_options(''shop_%s.orders'', 5)', i) FROM generate_series(1, 25) AS i
\o /dev/null
\gexec
\o
SELECT is(known(), 12::bigint, 'the setting holds at once');
SET ordcancel.cached_tables = 1;
SELECT is((SELECT count(*) FROM generate_series(1, 25) AS i,
               LATERAL ordcancel.cancel_options(format('shop_%s.orders', i)::regclass, 5) AS o WHERE o.allowed),
                   49::bigint,
          'in one statement');
SELECT is(known(), 1::bigint, 'down to one table');
SELECT is(attempt('SET ordcancel.cached_tables = 0'), '22023', 'but not to none');
SELECT * FROM finish();
