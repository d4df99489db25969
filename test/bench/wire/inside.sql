-- Orders that a batch is about to cancel, is canceling, or has canceled.
\set id random(1, :behind)
SELECT state FROM ordcancel.cancel_order('shop.orders', :id::bigint, 'out_of_stock', actor => 'anna');
