-- What is remembered of a statement's calls goes with the statement: also in
-- PL/pgSQL, whose expressions share one memory for a transaction.
SET client_min_messages = warning;
SET ordcancel.notify = 'off'; -- what is to be announced is kept until the commit
\ir include/helpers.sql
SELECT plan(5);

CREATE TABLE orders (id integer PRIMARY KEY, status text, due numeric);
INSERT INTO orders SELECT n, 'placed', 10 FROM generate_series(1, 5000) AS n;
SELECT ordcancel.attach('orders', 'status', refund_due => 'due');
SELECT ordcancel.set_policy('orders', canceled_status => 'canceled'),
       ordcancel.set_rule('orders', 'placed', merchant => 'cancel');


-- Two calls a turn, each a statement of its own. "growth" is how much memory
-- the later nine tenths of a transaction took.
CREATE TABLE growth (bytes bigint);
CREATE PROCEDURE calls(turns integer) LANGUAGE plpgsql AS $$
DECLARE
    o ordcancel.outcome;
    early bigint;
BEGIN
    FOR n IN 1..turns LOOP
        o := ordcancel.cancel_order('orders', n % 5000 + 1);
        o := ordcancel.undo_cancel('orders', n % 5000 + 1);
        IF n % 1000 = 100 THEN
            early := memory_allocated();
        ELSIF n % 1000 = 0 THEN
            INSERT INTO growth VALUES (memory_allocated() - early);
            COMMIT;
        END IF;
    END LOOP;
END $$;
CALL calls(1000);
SELECT memory_allocated() AS before \gset
CALL calls(5000);
-- What is left is of the plans that PostgreSQL makes once.
SELECT cmp_ok(memory_allocated() - :before, '<', 200000::bigint, '10,000 calls leave nothing behind');
SELECT is((SELECT count(*) FROM growth), 6::bigint, 'in their transactions');
SELECT cmp_ok((SELECT max(bytes) FROM growth), '<', 400000::bigint, 'nor do those of a transaction');

-- A statement over many orders remembers them all, until its end.
SELECT count(*) AS changed, memory_allocated() AS during
FROM (SELECT (ordcancel.cancel_order('orders', id)).* FROM orders) AS s
WHERE changed \gset
SELECT is(:changed, 5000, 'a call for each order of a statement');
SELECT cmp_ok(memory_allocated() - :before, '<', 1000000::bigint, 'what it remembered goes with it');
SELECT * FROM finish();
