-- Carts live in the order table: they are filled, emptied and deleted, with all that belongs to them.
BEGIN;
\ir include/helpers.sql
SELECT plan(22);

CREATE SCHEMA shop;
CREATE TABLE shop.orders (id integer PRIMARY KEY, state text DEFAULT 'AddingItems', deleted_at timestamptz);
CREATE TABLE shop.lines (id integer PRIMARY KEY, order_id integer REFERENCES shop.orders ON DELETE CASCADE,
                         quantity integer, canceled integer NOT NULL DEFAULT 0);
CREATE TABLE shop.payments (id integer PRIMARY KEY, order_id integer REFERENCES shop.orders ON DELETE CASCADE,
                            state text);
CREATE TABLE shop.notes (order_id integer REFERENCES shop.orders ON DELETE SET NULL, note text);
SELECT ordcancel.attach('shop.orders', 'state');
SELECT ordcancel.set_policy('shop.orders', canceled_status => 'Cancelled', requested_status => 'Requested');
SELECT ordcancel.set_rule('shop.orders', 'AddingItems', merchant => 'cancel', deletable => true);
SELECT ordcancel.set_rule('shop.orders', 'PaymentSettled', customer => 'request', merchant => 'cancel');
SELECT ordcancel.attach_items('shop.lines', 'shop.orders', '{order_id}', quantity => 'quantity',
                              canceled => 'canceled');
SELECT ordcancel.attach_child('shop.payments', 'shop.orders', '{order_id}');
SELECT ordcancel.attach_child('shop.notes', 'shop.orders', '{order_id}', refuse_while => '{canceled}');

CREATE FUNCTION shop.cart(id integer) RETURNS void LANGUAGE sql AS $$
INSERT INTO shop.orders VALUES (id);
INSERT INTO shop.lines VALUES (10 * id, id, 2), (10 * id + 1, id, 1);
INSERT INTO shop.payments VALUES (id, id, 'Created');
INSERT INTO shop.notes VALUES (id, 'note ' || id);
$$;
CREATE FUNCTION shop.left_of(id integer) RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', (SELECT count(*) FROM shop.orders AS o WHERE o.id = left_of.id),
                 (SELECT count(*) FROM shop.lines WHERE order_id = left_of.id),
                 (SELECT count(*) FROM shop.payments WHERE order_id = left_of.id),
                 (SELECT count(*) FROM shop.notes WHERE order_id = left_of.id))
$$;
SELECT count(shop.cart(n)) FROM generate_series(1, 8) AS n;

SELECT is(attempt('UPDATE shop.lines SET quantity = 5 WHERE id = 10'), 'ok', 'a line is changed');
SELECT is(attempt('DELETE FROM shop.lines WHERE id = 11'), 'ok', 'a line is removed');
SELECT is(attempt('DELETE FROM shop.orders WHERE id = 1'), 'ok', 'a cart is deleted');
SELECT is(shop.left_of(1), '0 0 0 0', 'with its lines and payments');
SELECT is((SELECT count(*)::integer FROM shop.notes WHERE order_id IS NULL), 1, 'its note remains, without an order');
SELECT is(attempt('INSERT INTO shop.orders VALUES (1)'), 'ok', 'another cart may have its key');
SELECT is(outcome_of($$cancel_items('shop.orders', 2, '[{"item": 20, "quantity": 1}]')$$), 'canceled AddingItems',
          'a unit is canceled');
SELECT alike(attempt('DELETE FROM shop.lines WHERE id = 20'), '23514 %', 'that line stays');
SELECT is(attempt('DELETE FROM shop.orders WHERE id = 2'), 'ok', 'but not if the whole cart is deleted');
SELECT is(shop.left_of(2), '0 0 0 0', 'nothing is left');
UPDATE shop.orders SET state = 'PaymentSettled' WHERE id = 3;
SELECT is(attempt('DELETE FROM shop.orders WHERE id = 3'), '23514 cancellation_forbidden', 'an order is no cart');
SELECT is(shop.left_of(3), '1 2 1 1', 'and everything stays');
SELECT is(attempt('DELETE FROM shop.orders WHERE id IN (4, 3)'), '23514 cancellation_forbidden', 'one of several');
SELECT is(shop.left_of(4), '1 2 1 1', 'keeps all of them');
SELECT is(outcome_of($$cancel_order('shop.orders', 5)$$), 'canceled Cancelled', 'a cart is canceled');
SELECT is(attempt('DELETE FROM shop.orders WHERE id = 5'), '23514 cancellation_forbidden', 'then it is no cart either');

-- Soft deletes: what belongs to the order is left to the shop.
SELECT ordcancel.attach('shop.orders', deleted_when => 'deleted_at IS NOT NULL');
SELECT is(attempt('UPDATE shop.orders SET deleted_at = now() WHERE id = 6'), 'ok', 'a cart is deleted softly');
SELECT is(attempt('DELETE FROM shop.lines WHERE order_id = 6'), 'ok', 'its lines by DELETE');
SELECT is(attempt('INSERT INTO shop.lines VALUES (62, 6, 1)'), 'ok', 'a stale save adds one');
SELECT is(attempt('DELETE FROM shop.orders WHERE id = 6'), 'ok', 'it is purged');
SELECT is(shop.left_of(6), '0 0 0 0', 'with everything that belongs to it');
SELECT is((SELECT string_agg(problem || detail, ', ') FROM ordcancel.health
           WHERE problem NOT IN ('status_problem')), NULL, 'health has nothing to say');
SELECT * FROM finish();
ROLLBACK;
