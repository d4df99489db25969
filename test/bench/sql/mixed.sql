-- Orders of every kind. No window closes within the next three minutes.
UPDATE shop.orders SET placed_at = now() - id % 24 * interval '5 minutes' - interval '2 minutes'
WHERE status = 'placed';
UPDATE shop.orders SET status = 'paid' WHERE id % 10 IN (1, 2) AND status = 'placed';
UPDATE shop.orders SET status = 'shipped' WHERE id % 10 IN (3, 4) AND status = 'placed';
UPDATE shop.orders SET status = 'preparing' WHERE id % 10 IN (5, 6) AND status = 'placed';
UPDATE shop.orders SET status = 'lost' WHERE id % 100 = 7 AND status = 'placed';
SELECT count(ordcancel.request_cancel('shop.orders', id)) FROM shop.orders WHERE id % 10 = 6 AND status = 'preparing';
SELECT count(ordcancel.deny_cancel('shop.orders', id, 'no')) FROM shop.orders
WHERE id % 100 = 6 AND status = 'cancellation_requested';
SELECT count(ordcancel.withdraw_cancel('shop.orders', id)) FROM shop.orders
WHERE id % 100 = 16 AND status = 'cancellation_requested';
SELECT count(ordcancel.cancel_order('shop.orders', id)) FROM shop.orders WHERE id % 10 = 8 AND status = 'placed';
SELECT count(ordcancel.undo_cancel('shop.orders', id)) FROM shop.orders WHERE id % 100 = 8 AND status = 'canceled';
SELECT count(ordcancel.cancel_order('shop.orders', id)) FROM shop.orders WHERE id % 100 = 25 AND status = 'preparing';
