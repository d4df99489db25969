-- The orders 1 to n have expired.
UPDATE shop.orders SET placed_at = placed_at - interval '2 days' WHERE id <= :n;
CREATE INDEX ON shop.orders (status, placed_at);
SELECT ordcancel.set_rule('shop.orders', 'placed', expire_after => '1 day', expire_reason => 'unpaid_expired');
