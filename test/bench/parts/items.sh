# shellcheck shell=bash disable=SC2154
# Parts of orders: one line of an order of ten, to an order without items; and
# one article in many orders, to the set-based statement that writes the same.

line()
{
	fresh lines && cost "$n" "SET ordcancel.notify = $1; SELECT ordcancel.cancel_items('shop.orders', id, items)
			FROM shop.call WHERE id = $whole + 400;" \
		"SELECT count(ordcancel.cancel_items('shop.orders', id, items, 'out_of_stock', NULL, 'anna'))
		FROM shop.call WHERE id <= $n;"
}

order()
{
	fresh whole && cost "$n" "SET ordcancel.notify = $1; SELECT ordcancel.cancel_order('shop.orders',
			$whole::bigint + 500);" \
		"SELECT count(ordcancel.cancel_order('shop.orders', id, 'out_of_stock', NULL, 'anna'))
		FROM generate_series(1::bigint, $n) AS id;"
}

line_ours() { line commit; }
order_ours() { order commit; }

call_batch() # FIRST LAST
{
	echo "CALL ordcancel.cancel_batch('shop.order_items', 'sku = 17 AND order_id BETWEEN $1 AND $2', 'out_of_stock',
		NULL, 'anna');"
}

batch_ours()
{
	fresh lines && cost "$n" "SET ordcancel.notify = off; $(call_batch $((whole + 1)) $((whole + 10)))" \
		"$(call_batch 1 "$n")"
}

batch_bare()
{
	local write="SELECT bare.items_statement('sku = 17 AND order_id BETWEEN %s AND %s') \\\\gexec"

	# shellcheck disable=SC2059
	fresh lines && cost "$n" "$(printf "$write" $((whole + 1)) $((whole + 10)))" "$(printf "$write" 1 "$n")"
}

measure()
{
	whole=$(scaled 100000 3000)
	template whole "$whole" orders canceled || return
	if ! has whole cancel_items; then
		absent "one line of an order of ten, to an order without items" '<= 1.3'
		absent "$whole lines by cancel_batch, to one set-based statement" '<= 1.5'
		return
	fi
	template lines "$whole" orders canceled floor items || return
	n=$((whole / 4))
	take line_ours order_ours || return
	figure "one line of an order of ten, to an order without items" '<= 1.3' µs 'line_ours / order_ours'
	n=$whole
	take batch_ours batch_bare || return
	figure "$n lines by cancel_batch, to one set-based statement" '<= 1.5' µs 'batch_ours / batch_bare'
}
