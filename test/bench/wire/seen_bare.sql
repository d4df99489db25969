\set id random(1, :orders)
UPDATE bare.orders SET seen_at = now() WHERE id = :id;
