# shellcheck shell=bash disable=SC2154
# Orders in 24 partitions, to the same orders in one table.

# A session plans and caches per relation; the first calls are not measured.
single() # TEMPLATE
{
	fresh "$1" && cost "$n" "SELECT count(ordcancel.cancel_order('shop.orders', id, 'out_of_stock'))
			FROM generate_series($n::bigint + 1, $n + 500) AS id;" \
		"SELECT count(ordcancel.cancel_order('shop.orders', id, 'out_of_stock', NULL, 'anna'))
			FROM generate_series(1::bigint, $n) AS id;"
}

batch() # TEMPLATE
{
	local call="CALL ordcancel.cancel_batch('shop.orders', 'id BETWEEN %s AND %s', 'out_of_stock', NULL, 'anna');"

	# shellcheck disable=SC2059
	fresh "$1" && cost "$n" "$(printf "$call" $((n + 1)) $((n + 500)))" "$(printf "$call" 1 "$n")"
}

bulk() # TEMPLATE
{
	local call="SELECT count(*) FROM ordcancel.cancel_orders('shop.orders', ARRAY(SELECT generate_series(%s::bigint,
			%s)), 'out_of_stock', NULL, 'anna');"

	# shellcheck disable=SC2059
	fresh "$1" && cost "$n" "$(printf "$call" $((n + 1)) $((n + 500)))" "$(printf "$call" 1 "$n")"
}

single_parts() { single parts; }
single_one() { single one; }
batch_parts() { batch parts; }
batch_one() { batch one; }
bulk_parts() { bulk parts; }
bulk_one() { bulk one; }

measure()
{
	n=$(scaled 20000 1000)
	[ "$scale" != full ] || rounds=15 # two that differ little
	template one "$n" orders && template parts "$n" partitioned orders || return
	take single_parts single_one bulk_parts bulk_one batch_parts batch_one || return
	figure "$n single calls over 24 partitions, to those of one table" '<= 1.15' µs 'single_parts / single_one'
	figure "cancel_orders of $n over 24 partitions, to that of one table" '<= 1.25' µs 'bulk_parts / bulk_one'
	figure "a batch of $n over 24 partitions, to that of one table" '<= 1.25' µs 'batch_parts / batch_one'
}
