-- What changes under a call, or between two: types, triggers and expressions of
-- the owner that alter the table of items or cancel items themselves.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
SELECT plan(21);

CREATE SCHEMA shop;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text NOT NULL DEFAULT 'placed');
CREATE TABLE shop.items (id integer PRIMARY KEY, order_id integer REFERENCES shop.orders, quantity integer NOT NULL,
                         canceled integer NOT NULL DEFAULT 0, shipped integer NOT NULL DEFAULT 0, price numeric);
CREATE INDEX ON shop.items (order_id);
INSERT INTO shop.orders SELECT n FROM generate_series(1, 9) AS n;
INSERT INTO shop.items SELECT n * 10 + k, n, 3, 0, 0, 10 FROM generate_series(1, 9) AS n, generate_series(1, 3) AS k;
SELECT ordcancel.attach('shop.orders', 'status');
SELECT ordcancel.set_policy('shop.orders', in_progress_status => 'refunding', canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.orders', 'placed', customer => 'request', merchant => 'cancel');
CREATE FUNCTION shop.amount(quantity bigint, canceled bigint, price numeric) RETURNS numeric LANGUAGE plpgsql AS $$
BEGIN
    IF canceled > 0 AND current_setting('my.command', true) <> '' THEN
        EXECUTE current_setting('my.command');
    END IF;
    RETURN (quantity - canceled) * price;
END
$$;
SELECT ordcancel.attach_items('shop.items', 'shop.orders', key => '{order_id}', quantity => 'quantity',
                              canceled => 'canceled', fulfilled => 'shipped',
                              amount => 'shop.amount(quantity, canceled, price)');
CREATE FUNCTION units(n integer) RETURNS text LANGUAGE sql AS $$
SELECT string_agg(canceled::text, ' ' ORDER BY id) FROM shop.items WHERE order_id = n $$;

-- An expression alters the table.
SELECT is(attempt(format($$SET LOCAL my.command = %L;
                           SELECT ordcancel.cancel_items('shop.orders', 1, '[{"item": 11}]')$$, command)),
          '55006', command)
FROM unnest(ARRAY['ALTER TABLE shop.items ALTER canceled TYPE numeric', 'ALTER TABLE shop.items DROP COLUMN canceled',
                  'DROP TABLE shop.items', 'ALTER TABLE shop.items ADD COLUMN more integer']) AS command;
SET LOCAL my.command = '';
SELECT is(units(1), '0 0 0', 'nothing was canceled');
SAVEPOINT detached;
SELECT is(attempt($$SET LOCAL my.command = 'SELECT set_config(''my.command'', '''', true);
                        SELECT ordcancel.detach_items(''shop.items'')';
                    SELECT ordcancel.cancel_items('shop.orders', 1, '[{"item": 11}]')$$), 'ok', 'it may detach it');
SELECT is(units(1) || ', ' || (SELECT string_agg(item_key || ' x ' || quantity, ' ')
                               FROM shop.orders_cancellation_item),
          '3 0 0, 11 x 3', 'then the call is completed as it began');
ROLLBACK TO detached;
SET LOCAL my.command = '';

-- An expression cancels items itself.
SELECT is(attempt($$SET LOCAL my.command = 'SELECT set_config(''my.command'', '''', true);
                        SELECT ordcancel.cancel_items(''shop.orders'', 2, ''[{"item": 22}]'')';
                    SELECT ordcancel.cancel_items('shop.orders', 2, '[{"item": 21}, {"item": 22}]')$$), '27000',
          'units that an expression has canceled are not canceled again');
SET LOCAL my.command = '';
SELECT is(units(2), '0 0 0', 'nothing was canceled');

-- Types change between calls of a session.
SELECT lives_ok($$SELECT ordcancel.cancel_items('shop.orders', 3, '[{"item": 31}]')$$, 'a part');
ALTER TABLE shop.items ALTER canceled TYPE bigint;
SELECT lives_ok($$SELECT ordcancel.cancel_items('shop.orders', 3, '[{"item": 32, "quantity": 1}]')$$,
                'units of another type');
CREATE FUNCTION first_part() RETURNS bigint LANGUAGE sql AS
    'SELECT min(cancellation_id) FROM shop.orders_cancellation WHERE order_id = 3';
ALTER TABLE shop.items ALTER id TYPE text;
SELECT is(attempt($$SELECT ordcancel.undo_cancel('shop.orders', 3, cancellation_id => first_part())$$), 'OC014',
          'a key of another type than that on record');
ALTER TABLE shop.items ALTER id TYPE integer USING id::integer;
SELECT is(units(3), '3 1 0', 'the units are as they were');

-- What is negative is nothing.
UPDATE shop.items SET shipped = -5 WHERE id = 41;
SELECT is((SELECT cancelable FROM ordcancel.item_options('shop.orders', 4) WHERE item = '41'), 3::numeric,
          'fewer than none fulfilled is none');
SELECT is(attempt($$SELECT ordcancel.cancel_items('shop.orders', 4, '[{"item": 41, "quantity": 4}]')$$), 'OC016',
          'no more than was ordered');

-- The columns that count units.
ALTER TABLE shop.items ADD COLUMN other integer NOT NULL DEFAULT 0;
SELECT is(attempt($$SELECT ordcancel.attach_items('shop.items', 'shop.orders', NULL, canceled => 'other')$$), 'OC014',
          'units are not counted in another column while some are canceled');

-- A reference of a refund is that of one cancellation.
SELECT ordcancel.cancel_items('shop.orders', 5, '[{"item": 51}]'), ordcancel.cancel_items('shop.orders', 5,
                                                                                         '[{"item": 52}]');
CREATE FUNCTION nth(n integer) RETURNS bigint LANGUAGE sql AS $$
SELECT cancellation_id FROM shop.orders_cancellation WHERE order_id = 5 ORDER BY 1 OFFSET n - 1 LIMIT 1 $$;
SELECT is(attempt($$SELECT ordcancel.record_refund('shop.orders', 5, 30, 'cash', 'r', cancellation_id => nth(1))$$),
          'ok',
          'a refund');
SELECT is(attempt($$SELECT ordcancel.record_refund('shop.orders', 5, 30, 'cash', 'r', cancellation_id => nth(2))$$),
          'OC010', 'is not taken for that of another part');
SELECT is(attempt($$SELECT ordcancel.record_refund('shop.orders', 5, 30, 'cash', 'r', cancellation_id => nth(1))$$),
          'ok',
          'a retry is');

-- What does not depend on items does not fail if something is wrong with them.
SELECT ordcancel.set_rule('shop.orders', 'sent');
ALTER TABLE shop.items RENAME canceled TO gone;
SELECT is(attempt($$UPDATE shop.orders SET status = 'sent' WHERE id = 6$$), 'ok', 'an order moves on');
SELECT is(attempt($$SELECT ordcancel.cancel_order('shop.orders', 7)$$), 'OC014', 'but cannot be canceled');

SELECT * FROM finish();
ROLLBACK;
