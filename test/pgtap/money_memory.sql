-- What is remembered of a statement's calls goes with the statement: also in
-- PL/pgSQL, whose expressions share one memory for a transaction.
SET client_min_messages = warning;
SELECT plan(6);

CREATE TABLE orders (id integer PRIMARY KEY, status text, due numeric);
INSERT INTO orders SELECT n, 'placed', 10 FROM generate_series(1, 5000) AS n;
SELECT ordcancel.attach('orders', 'status', refund_due => 'due');
SELECT ordcancel.set_policy('orders', canceled_status => 'canceled'), ordcancel.set_rule('orders', 'placed', merchant => 'cancel');

CREATE FUNCTION kept(OUT bytes bigint, OUT ours bigint) LANGUAGE sql AS $$
SELECT coalesce(sum(total_bytes), 0), count(*) FROM pg_backend_memory_contexts WHERE name = 'ordcancel calls'
$$;

-- Two calls a turn, each a statement of its own. What is kept at the end of
-- each transaction, at most, goes to "most".
CREATE TABLE most (bytes bigint, ours bigint);
CREATE PROCEDURE calls(turns integer) LANGUAGE plpgsql AS $$
DECLARE
    o ordcancel.outcome;
BEGIN
    FOR n IN 1..turns LOOP
        o := ordcancel.cancel_order('orders', n % 5000 + 1);
        o := ordcancel.undo_cancel('orders', n % 5000 + 1);
        IF n % 1000 = 0 THEN
            INSERT INTO most SELECT * FROM kept();
            COMMIT;
        END IF;
    END LOOP;
END $$;
CREATE FUNCTION total() RETURNS bigint LANGUAGE sql AS 'SELECT sum(total_bytes) FROM pg_backend_memory_contexts';
CALL calls(1000);
SELECT total() AS before \gset
CALL calls(5000);
SELECT cmp_ok(total() - :before, '<', 200000::bigint, '10,000 calls leave nothing behind');
SELECT is((SELECT count(*) FROM most), 6::bigint, 'in their transactions');
SELECT cmp_ok((SELECT max(ours) FROM most), '<=', 8::bigint, 'a few statements are remembered');
SELECT cmp_ok((SELECT max(bytes) FROM most), '<=', 8 * 8192::bigint, 'in little memory');
SELECT is((SELECT ours FROM kept()), 0::bigint, 'and none after the transaction');

-- A statement over many orders remembers them all, until its end.
SELECT count(*) AS changed FROM (SELECT (ordcancel.cancel_order('orders', id)).* FROM orders) AS s WHERE changed \gset
SELECT is((SELECT :changed || ' ' || ours FROM kept()), '5000 0', 'what a large statement remembered goes with it');
SELECT * FROM finish();
