-- A table of calls beside the orders.
SELECT ordcancel.make_call_table('shop.orders');
