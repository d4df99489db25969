-- 5,000 suppliers with a policy and five rules each.
INSERT INTO ordcancel.policy (orders, policy, canceled_status)
    SELECT 'shop.orders'::regclass, n, 'canceled' FROM generate_series(0, 4999) AS n;
INSERT INTO ordcancel.rule (orders, policy, status, customer, merchant)
    SELECT 'shop.orders'::regclass, n, s, 'cancel', 'cancel'
    FROM generate_series(0, 4999) AS n, unnest('{placed,paid,preparing,packed,shipped}'::text[]) AS s;
