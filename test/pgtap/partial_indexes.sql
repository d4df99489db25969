-- Partial indexes of orders and records: their conditions are prepared once in a
-- session, unless what they call can change.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
SELECT plan(12);

CREATE SCHEMA shop;
CREATE DOMAIN shop.short AS text CHECK (length(VALUE) < 9);
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text, slot integer);
INSERT INTO shop.orders SELECT n, 'placed', n / 2 FROM generate_series(1, 40) AS n;
SELECT ordcancel.attach('shop.orders', 'status');
SELECT ordcancel.set_policy('shop.orders', canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.orders', 'placed', merchant => 'cancel');

-- One canceled order for each slot.
CREATE UNIQUE INDEX one ON shop.orders (slot) WHERE status = 'canceled';
SELECT is(attempt($$SELECT ordcancel.cancel_order('shop.orders', 2)$$), 'ok', 'the first of a slot');
SELECT is(attempt($$SELECT ordcancel.cancel_order('shop.orders', 3)$$), '23505 one', 'not the second');
SELECT is(attempt($$SELECT ordcancel.cancel_order('shop.orders', 4)$$), 'ok', 'the first of another slot');
DROP INDEX shop.one;
SELECT is(attempt($$SELECT ordcancel.cancel_order('shop.orders', 3)$$), 'ok', 'the index is dropped');
CREATE UNIQUE INDEX one ON shop.orders (slot) WHERE status = 'canceled' AND slot > 5;
SELECT is(attempt($$SELECT ordcancel.cancel_order('shop.orders', 5)$$), 'ok', 'another one has its place');
SELECT is((SELECT string_agg(attempt(format($$SELECT ordcancel.cancel_order('shop.orders', %s)$$, id)), ' ' ORDER BY id)
           FROM generate_series(20, 21) AS id), 'ok 23505 one', 'with another condition');
SELECT is((SELECT array_agg(id ORDER BY id) FROM shop.orders WHERE status = 'canceled' AND slot > 5), '{20}',
          'and finds what it has');

-- A function that is replaced, though it should not be.
CREATE FUNCTION shop.counts(integer) RETURNS boolean LANGUAGE plpgsql IMMUTABLE
    AS 'BEGIN RETURN false; END';
CREATE UNIQUE INDEX called ON shop.orders (slot) WHERE status = 'canceled' AND shop.counts(id);
SELECT ordcancel.cancel_order('shop.orders', 30);
CREATE OR REPLACE FUNCTION shop.counts(integer) RETURNS boolean LANGUAGE plpgsql IMMUTABLE
    AS 'BEGIN RETURN true; END';
DROP INDEX shop.one;
SELECT is((SELECT string_agg(attempt(format($$SELECT ordcancel.cancel_order('shop.orders', %s)$$, id)), ' ' ORDER BY id)
           FROM generate_series(32, 33) AS id), 'ok 23505 called', 'a function is called as it is now');
DROP INDEX shop.called;

-- A domain whose constraints change.
CREATE UNIQUE INDEX typed ON shop.orders (slot) WHERE slot > 16 AND status::shop.short = 'canceled';
SELECT is((SELECT string_agg(attempt(format($$SELECT ordcancel.cancel_order('shop.orders', %s)$$, id)), ' ' ORDER BY id)
           FROM generate_series(34, 35) AS id), 'ok 23505 typed', 'a condition with a domain');
ALTER DOMAIN shop.short ADD CHECK (VALUE <> 'canceled') NOT VALID;
SELECT is(attempt($$SELECT ordcancel.cancel_order('shop.orders', 36)$$), '23514 short_check1',
          'which gets another constraint');
DROP INDEX shop.typed;

-- Of a record table, in a trigger of the order table.
CREATE UNIQUE INDEX ON shop.orders_cancellation (order_id) WHERE state = 'canceled' AND order_id = 40;
CREATE FUNCTION shop.another() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status = 'canceled' AND NEW.id < 40 THEN
        PERFORM ordcancel.cancel_order('shop.orders', NEW.id + 1);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER another AFTER UPDATE ON shop.orders FOR EACH ROW EXECUTE FUNCTION shop.another();
SELECT ordcancel.cancel_order('shop.orders', 37);
SELECT is((SELECT array_agg(order_id ORDER BY order_id) FROM shop.orders_cancellation WHERE order_id > 36),
          '{37,38,39,40}', 'calls within calls');

-- Many conditions, of which not all are kept.
DROP TRIGGER another ON shop.orders;
INSERT INTO shop.orders SELECT n, 'placed', n FROM generate_series(1001, 1200) AS n;
DO $$
BEGIN
    FOR n IN 1001 .. 1200 LOOP
        EXECUTE format('CREATE UNIQUE INDEX passing ON shop.orders ((1)) WHERE status = ''canceled'' AND id >= %s', n);
        PERFORM ordcancel.cancel_order('shop.orders', n);
        DROP INDEX shop.passing;
    END LOOP;
END
$$;
SELECT cmp_ok((SELECT count(*) FROM pg_backend_memory_contexts WHERE name = 'ordcancel index predicate'), '<=',
              100::bigint, 'a session does not keep any number of conditions');

SELECT * FROM finish();
ROLLBACK;
