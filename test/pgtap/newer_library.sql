-- A library that is newer or older than the SQL script finds the columns of
-- results by name, and refuses those of another type.
BEGIN;
SELECT plan(9);
\ir include/helpers.sql
CREATE SCHEMA shop;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text);
INSERT INTO shop.orders SELECT n, 'new' FROM generate_series(1, 9) AS n;
SELECT ordcancel.attach('shop.orders', 'status') \g /dev/null
SELECT ordcancel.set_policy('shop.orders', canceled_status => 'canceled') \g /dev/null
SELECT ordcancel.set_rule('shop.orders', 'new', merchant => 'cancel') \g /dev/null

ALTER TYPE ordcancel.outcome DROP ATTRIBUTE closed_at;
SELECT is((SELECT state FROM ordcancel.cancel_order('shop.orders', 1)), 'canceled', 'an outcome with a column less');
ALTER TYPE ordcancel.outcome ADD ATTRIBUTE reason text;
SELECT matches((SELECT o FROM ordcancel.cancel_order('shop.orders', 2) AS o)::text,
               '^\(shop.orders,2,.*canceled.*,\)$', 'with one more');
ALTER TYPE ordcancel.outcome DROP ATTRIBUTE state, ADD ATTRIBUTE state text;
SELECT is((SELECT state FROM ordcancel.cancel_order('shop.orders', 3)), 'canceled', 'with one at another place');
SELECT is((SELECT decided_at IS NOT NULL AND reason IS NULL FROM ordcancel.cancel_order('shop.orders', 4)), true,
          'the others are where they belong');

SAVEPOINT other_type;
ALTER TYPE ordcancel.outcome ALTER ATTRIBUTE cancellation_id TYPE text;
SELECT is(error_of($$SELECT ordcancel.cancel_order('shop.orders', 5)$$),
          '55000 | column "cancellation_id" of the result has type text instead of bigint'
          ' | The SQL objects of extension "ordcancel" do not match its library.'
          ' | Run ALTER EXTENSION ordcancel UPDATE.', 'one of another type is refused');
SELECT is(status_of(5), 'new', 'and nothing is done');
ROLLBACK TO other_type;

ALTER EXTENSION ordcancel DROP FUNCTION ordcancel.cancel_orders(regclass, anyarray, text, text, text, text, jsonb);
DROP FUNCTION ordcancel.cancel_orders(regclass, anyarray, text, text, text, text, jsonb);
CREATE FUNCTION ordcancel.cancel_orders(orders regclass, order_ids anyarray, reason text DEFAULT NULL,
                                        note text DEFAULT NULL, actor text DEFAULT NULL, on_error text DEFAULT 'skip')
    RETURNS TABLE (outcome text, later integer, order_id text, message text)
    LANGUAGE c AS 'ordcancel', 'ordcancel_cancel_orders';
SELECT results_eq($$SELECT outcome, later, order_id, message
                    FROM ordcancel.cancel_orders('shop.orders', '{6,77}'::int[])$$,
                  $$VALUES ('canceled', NULL::integer, '6', NULL), ('refused', NULL, '77',
                                                                  'order 77 of shop.orders not found')$$,
                  'rows of a set too');
SELECT is((SELECT count(*) FROM ordcancel.cancel_options('shop.orders', 7)), 10::bigint, 'cancel_options goes on');
SELECT is((SELECT outcome FROM ordcancel.decide('cancel_order', 'merchant', merchant => 'cancel')), 'canceled',
          'and so does decide');

SELECT * FROM finish();
ROLLBACK;
