-- Blocks and refund_due mean what they meant when they were set.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
SELECT plan(29);

CREATE ROLE expressions_mallory;
CREATE SCHEMA shop;
GRANT USAGE, CREATE ON SCHEMA shop TO expressions_mallory;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text NOT NULL, total numeric, due date, at timestamptz,
                          note text);
INSERT INTO shop.orders SELECT n, 'placed', 100, '2026-02-01', '2026-02-01 00:30+00', 'x'
FROM generate_series(1, 40) AS n;
SET LOCAL search_path = shop, public;
SELECT ordcancel.attach('orders', 'status'),
       ordcancel.set_policy('orders', canceled_status => 'canceled', in_progress_status => 'refunding'),
       ordcancel.set_rule('orders', 'placed', merchant => 'cancel');
CREATE FUNCTION cancel(id integer) RETURNS text LANGUAGE sql AS
    $$ SELECT public.attempt(format('SELECT ordcancel.cancel_order(''shop.orders'', %s)', id)) $$;
-- Whether a condition blocks order 40, if it may be used.
CREATE FUNCTION blocks(condition text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text := public.attempt(format('SELECT ordcancel.add_block(''shop.orders'', ''b'', %L)', condition));
BEGIN
    IF answer = 'ok' THEN
        SELECT o.condition INTO answer FROM ordcancel.cancel_options('shop.orders', 40) AS o
        WHERE o.party = 'merchant' AND o.verb = 'cancel_order';
        PERFORM ordcancel.drop_block('shop.orders', 'b');
    END IF;
    RETURN coalesce(answer, 'none');
END
$$;

-- -------------------------------- a function that fits better, made afterwards
CREATE FUNCTION present(anyelement) RETURNS boolean LANGUAGE sql AS 'SELECT $1 IS NOT NULL';
CREATE FUNCTION big(numeric, numeric DEFAULT 50) RETURNS boolean LANGUAGE sql AS 'SELECT $1 > $2';
CREATE FUNCTION whole(orders) RETURNS boolean LANGUAGE sql AS 'SELECT $1.total > 50';
SELECT ordcancel.add_block('orders', 'p', 'NOT present(total)'),
       ordcancel.add_block('orders', 'w', 'NOT whole(orders)');
SELECT is((SELECT string_agg(functions, ', ' ORDER BY name) FROM ordcancel.block),
          'shop.present(pg_catalog.anyelement), shop.whole(shop.orders)', 'what a block calls');
SELECT is(cancel(1), 'ok', 'it calls that');
SET LOCAL ROLE expressions_mallory;
CREATE FUNCTION shop.present(numeric) RETURNS boolean LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'I am %', current_user USING ERRCODE = 'P0666'; END $$;
RESET ROLE;
ALTER TABLE orders ALTER note SET DEFAULT '1';   -- it is read anew, as in another session
SELECT is(cancel(2), 'OC014', 'and nothing that fits better by now');
SELECT is(attempt('UPDATE shop.orders SET status = ''canceled'' WHERE id = 2'), 'OC014', 'nor does a plain update');
SELECT is((SELECT sqlstate FROM ordcancel.cancel_orders('shop.orders', '{2}'::integer[])), 'OC014', 'nor an array');
SELECT is(attempt('SELECT * FROM ordcancel.cancel_options(''shop.orders'', 2)'), 'OC014', 'nor cancel_options');
DROP FUNCTION shop.present(numeric);
ALTER TABLE orders ALTER note SET DEFAULT '2';
SELECT is(cancel(2), 'ok', 'without it all is as before');
SELECT ordcancel.drop_block('orders', 'p'), ordcancel.drop_block('orders', 'w');
SELECT ordcancel.attach('orders', 'status', refund_due => 'CASE WHEN present(total) THEN 5 ELSE 0 END');
SELECT is((SELECT refund_due FROM ordcancel.cancel_order('shop.orders', 3)), 5::numeric, 'the same of refund_due');
SET LOCAL ROLE expressions_mallory;
CREATE FUNCTION shop.present(numeric) RETURNS boolean LANGUAGE sql AS 'SELECT false';
RESET ROLE;
ALTER TABLE orders ALTER note SET DEFAULT '3';
SELECT is(cancel(4), 'OC014', 'that pays back less');
DROP FUNCTION shop.present(numeric);
SELECT ordcancel.attach('orders', 'status');
SELECT is(blocks('present(total) AND shop.big(total)'), 'cancellation_blocked', 'polymorphic functions and defaults');
SELECT is(blocks('orders.total > 50 AND (SELECT count(*) FROM orders AS o WHERE o.total = orders.total) > 1'),
          'cancellation_blocked', 'the table by its name, in a subquery of itself');
SELECT is(blocks('whole(orders)'), 'cancellation_blocked', 'the whole row');

-- ----------------------------------------- what cannot be written out is refused
CREATE TYPE ci;
CREATE FUNCTION ci_in(cstring) RETURNS ci LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION ci_out(ci) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE ci (INPUT = ci_in, OUTPUT = ci_out, LIKE = text, CATEGORY = 'S');
CREATE CAST (ci AS text) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (text AS ci) WITHOUT FUNCTION AS ASSIGNMENT;
CREATE FUNCTION ci_eq(ci, ci) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT lower($1::text) = lower($2::text)';
CREATE OPERATOR = (LEFTARG = ci, RIGHTARG = ci, FUNCTION = ci_eq);
ALTER TABLE orders ADD c ci DEFAULT 'ABC';
SELECT is(blocks('c = ''abc'''), 'cancellation_blocked', 'an operator of the type''s own');
SELECT is(blocks('c IN (''abc'', ''x'')'), 'cancellation_blocked', 'in a list');
SELECT is(blocks(condition), 'OC014', condition || ' cannot be written out')
FROM unnest(ARRAY['c IS NOT DISTINCT FROM ''abc''', 'CASE c WHEN ''abc'' THEN true ELSE false END',
                  'NULLIF(c, ''abc'') IS NULL']) AS condition;

-- ------------------------------------------------- columns that older rows lack
ALTER TABLE orders ADD points numeric NOT NULL DEFAULT 30, ADD frozen boolean NOT NULL DEFAULT true,
    ADD n integer DEFAULT 7;
SELECT is(blocks('frozen'), 'cancellation_blocked', 'a column that was added with a default');
SELECT is(blocks('n IS DISTINCT FROM 7'), 'none', 'and one that is what it should be');
SELECT ordcancel.attach('orders', 'status', refund_due => 'total - points');
SELECT is((SELECT state || ' ' || refund_due FROM ordcancel.cancel_order('shop.orders', 5)), 'in_progress 70',
          'in refund_due');
SELECT is(attempt('UPDATE shop.orders SET status = ''canceled'' WHERE id = 6'), '23514 refund_not_settled',
          'in a plain update');
SELECT is((SELECT outcome FROM ordcancel.cancel_orders('shop.orders', '{7}'::integer[])), 'in_progress', 'in an array');
SELECT ordcancel.attach('orders', 'status');

-- --------------------------------------- literals are read as they were written
SET LOCAL datestyle = 'ISO, DMY';
SET LOCAL timezone = 'Asia/Tokyo';
SELECT ordcancel.add_block('orders', 'd', 'due = ''01/02/2026'''),
       ordcancel.add_block('orders', 't', 'at < ''2026-02-01 09:00''');
SELECT matches((SELECT pinned FROM ordcancel.block WHERE name = 'd'), '2026-02-01', 'a date');
SET LOCAL datestyle = 'ISO, MDY';
SET LOCAL timezone = 'UTC';
SELECT is(cancel(8), 'OC005', 'whoever calls, with whatever settings');
SELECT ordcancel.drop_block('orders', 'd');
SELECT is(cancel(8), 'ok', 'and a moment');
SELECT ordcancel.drop_block('orders', 't');

-- ------------------------------------------------------------ names that may go
CREATE TEMP TABLE blk (id integer);
SELECT is(blocks('EXISTS (SELECT FROM blk)'), 'OC014', 'a temporary table would be that of whoever calls');
SELECT is(blocks('ctid IS NOT NULL'), 'OC014', 'a system column');
CREATE TYPE kind AS ENUM ('hold', 'free');
ALTER TABLE orders ADD k kind DEFAULT 'free';
SELECT ordcancel.add_block('orders', 'k', 'k = ''hold''');
SELECT is(cancel(9), 'ok', 'a label');
ALTER TYPE kind RENAME VALUE 'hold' TO 'held';
SELECT is(cancel(10), 'OC014', 'that is renamed');
SELECT * FROM finish();
ROLLBACK;
