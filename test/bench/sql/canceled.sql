-- 1,000 cancellations: a plan that is made over empty tables is no use later.
SELECT count(ordcancel.cancel_order('shop.orders', id, 'out_of_stock', actor => 'anna'))
FROM generate_series(:n::bigint + 1001, :n::bigint + 2000) AS id;
