-- Orders of many tables, in turn.
\set n :n + 1
\set id case when :n <= :each then :behind + :client_id * :each + :n else 1 / 0 end
SELECT state FROM ordcancel.cancel_order(('many.orders_' || :id::bigint % :tables::bigint + 1)::regclass, :id::bigint,
                                         'out_of_stock', actor => 'anna');
