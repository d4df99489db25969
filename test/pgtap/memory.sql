-- A session that makes 100,000 calls keeps no more memory than it had after the
-- first thousand. Not in one transaction: what a transaction frees at its end
-- must be free then.
\ir include/helpers.sql
SET client_min_messages = warning;
SELECT plan(10);

CREATE TABLE orders (id integer PRIMARY KEY, status text, at timestamptz DEFAULT now(), supplier text, due numeric,
                     flag boolean DEFAULT false);
CREATE TABLE pairs (a integer, b text, status text, PRIMARY KEY (a, b));
INSERT INTO orders (id, status) SELECT n, CASE WHEN n > 50 THEN 'shipped' ELSE 'placed' END
FROM generate_series(1, 100) AS n;
INSERT INTO pairs SELECT n, 'x', 'placed' FROM generate_series(1, 100) AS n;
SELECT ordcancel.attach('orders', 'status', placed_at => 'at', policy_by => 'supplier', refund_due => 'due');
SELECT ordcancel.attach('pairs', 'status');
SELECT ordcancel.set_policy(t, canceled_status => 'canceled', requested_status => 'asked', grace => '1 day'),
       ordcancel.set_rule(t, 'placed', customer => 'request', customer_late => 'forbid', merchant => 'cancel')
FROM unnest('{orders,pairs}'::regclass[]) AS t;
SELECT ordcancel.add_block('orders', 'flag', 'flag');

-- What the backend keeps: all of it, ours by name, and how many contexts.
CREATE FUNCTION kept(OUT bytes bigint, OUT contexts bigint, OUT ours bigint) LANGUAGE sql AS $$
SELECT sum(total_bytes), count(*), count(*) FILTER (WHERE name LIKE 'ordcancel%') FROM pg_backend_memory_contexts
$$;

-- Ten calls of each turn; every fiftieth turn ends the transaction.
CREATE PROCEDURE calls(kind text, turns integer) LANGUAGE plpgsql AS $$
DECLARE
    nr integer;
    spell text := repeat('x', 200);
BEGIN
    FOR n IN 1..turns LOOP
        nr := n % 50 + 1;
        CASE kind
            WHEN 'cycles' THEN
                FOR i IN 1..2 LOOP
                    PERFORM ordcancel.cancel_order('orders', nr, 'out_of_stock', 'a note', 'anna');
                    PERFORM ordcancel.undo_cancel('orders', nr);
                    PERFORM ordcancel.request_cancel('pairs', ROW(nr, 'x'), note => spell);
                    PERFORM ordcancel.withdraw_cancel('pairs', format('(%s,x)', nr));
                    PERFORM ordcancel.cancel_order('pairs', ROW(nr, 'x'::varchar));
                    PERFORM ordcancel.undo_cancel('pairs', ROW(nr, 'x'));
                END LOOP;
            WHEN 'refusals' THEN
                FOR i IN 1..10 LOOP
                    BEGIN
                        PERFORM ordcancel.cancel_order('orders', CASE i WHEN 1 THEN 'nonsense' WHEN 2 THEN '99999'
                                                           ELSE (nr + 50)::text END,
                                                       CASE i WHEN 3 THEN 'no such reason' END);
                    EXCEPTION WHEN OTHERS THEN
                        NULL;
                    END;
                END LOOP;
            WHEN 'updates' THEN
                FOR i IN 1..3 LOOP
                    UPDATE orders SET status = 'canceled' WHERE orders.id = nr;
                    PERFORM ordcancel.undo_cancel('orders', nr);
                    UPDATE orders SET flag = NOT flag WHERE orders.id = nr + 50;
                    BEGIN
                        UPDATE orders SET status = 'canceled' WHERE orders.id = nr + 50;
                    EXCEPTION WHEN check_violation THEN
                        NULL;
                    END;
                END LOOP;
            WHEN 'options' THEN
                PERFORM FROM generate_series(1, 5) AS g, ordcancel.cancel_options('orders', g + nr);
                PERFORM FROM generate_series(1, 5) AS g, ordcancel.cancel_options('pairs', format('(%s,x)', g + nr));
            WHEN 'sets' THEN
                PERFORM ordcancel.cancel_orders('orders', ARRAY[nr, nr + 50, 999, nr, NULL], note => spell);
                PERFORM ordcancel.undo_cancel('orders', nr);
                PERFORM ordcancel.cancel_orders('pairs', ARRAY[format('(%s,x)', nr), spell, NULL]);
                PERFORM ordcancel.undo_cancel('pairs', ROW(nr, 'x'));
                BEGIN
                    PERFORM ordcancel.cancel_orders('orders', ARRAY[nr, nr + 50], on_error => 'abort');
                EXCEPTION WHEN OTHERS THEN
                    NULL;
                END;
            WHEN 'rules' THEN
                FOR i IN 1..5 LOOP
                    PERFORM ordcancel.set_rule('orders', 'placed', hint => i::text);
                    PERFORM ordcancel.cancel_order('orders', nr);
                    PERFORM ordcancel.undo_cancel('orders', nr);
                END LOOP;
        END CASE;
        IF n % 50 = 0 THEN
            COMMIT;
        END IF;
    END LOOP;
    COMMIT;
END
$$;
CREATE TABLE measured (kind text, calls integer, before bigint, after bigint, contexts bigint, ours bigint);
CREATE PROCEDURE measure(kind text, warm integer, turns integer, calls integer) LANGUAGE plpgsql AS $$
DECLARE
    a record;
    b record;
BEGIN
    CALL calls(kind, warm);
    COMMIT;
    a := kept();
    CALL calls(kind, turns);
    COMMIT;
    b := kept();
    INSERT INTO measured VALUES (kind, calls, a.bytes, b.bytes, b.contexts - a.contexts, b.ours - a.ours);
    COMMIT;
END
$$;
CALL measure('cycles', 100, 2500, 30000);
CALL measure('refusals', 100, 3000, 30000);
CALL measure('updates', 100, 2000, 24000);
CALL measure('options', 100, 1500, 15000);
CALL measure('rules', 10, 400, 6000);
CALL measure('sets', 100, 1000, 5000);

-- Relation caches, plan caches and the like may still take a page or two.
SELECT cmp_ok(after - before, '<', 200000::bigint, format('%s %s kept %s bytes', calls, kind, after - before))
FROM measured;
SELECT cmp_ok(max(contexts), '<=', 20::bigint, 'no contexts were left behind') FROM measured;
SELECT is(max(ours), 0::bigint, 'none of ours') FROM measured;
SELECT cmp_ok(sum(calls), '>=', 100000::bigint, 'these were 100,000 calls') FROM measured;
SELECT cmp_ok((SELECT count(*) FROM ordcancel.event), '>', 40000::bigint, 'which did something');

SELECT * FROM finish();
