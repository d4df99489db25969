\set n :n + 1
\set id case when :n <= :each then :behind + :client_id * :each + :n else 1 / 0 end
SELECT state FROM ordcancel.cancel_order('shop.orders', :id::bigint, 'out_of_stock', actor => 'anna');
