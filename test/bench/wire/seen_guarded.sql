\set id random(1, :orders)
UPDATE shop.orders SET seen_at = now() WHERE id = :id;
