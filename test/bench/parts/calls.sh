# shellcheck shell=bash disable=SC2154
# Calls as rows of a table of calls, to the same calls of functions.

columns="(order_id, verb, reason, actor)"
values="'cancel_order', 'out_of_stock', 'anna'"

call_function()
{
	fresh calls && cost "$n" "SELECT ordcancel.cancel_order('shop.orders', $n::bigint + 500, 'out_of_stock');" \
		"SELECT count(ordcancel.cancel_order('shop.orders', id, 'out_of_stock', NULL, 'anna'))
		FROM generate_series(1::bigint, $n) AS id;"
}

call_row()
{
	fresh calls && cost "$n" "INSERT INTO shop.orders_call $columns VALUES ($n::bigint + 500, $values);" \
		"INSERT INTO shop.orders_call $columns SELECT id, $values FROM generate_series(1::bigint, $n) AS id;"
}

set_function()
{
	fresh calls && cost "$n" "SELECT count(*) FROM ordcancel.cancel_orders('shop.orders', ARRAY[$n::bigint + 500]);" \
		"SELECT count(*) FROM ordcancel.cancel_orders('shop.orders', ARRAY(SELECT generate_series(1::bigint, $n)),
			'out_of_stock', NULL, 'anna');"
}

set_row()
{
	fresh calls && cost "$n" "INSERT INTO shop.orders_call (verb, order_ids)
		VALUES ('cancel_orders', ARRAY[($n + 500)::text]);" \
		"INSERT INTO shop.orders_call (verb, order_ids, reason, actor)
		SELECT 'cancel_orders', ARRAY(SELECT generate_series(1, $n)::text), 'out_of_stock', 'anna';"
}

measure()
{
	n=$(scaled 5000 1000)
	rounds=$(scaled 15 1) # short ones
	template calls "$n" orders calls || return
	take call_function call_row set_function set_row || return
	figure "$n single calls as rows, to calls of the function" '<= 1.5' µs 'call_row / call_function'
	figure "an array of $n orders as a row, to a call of cancel_orders" '<= 1.2' µs 'set_row / set_function'
}
