# shellcheck shell=bash disable=SC2154
# What is written along with a cancellation: two columns of also_set() and
# metadata, to the same calls without them.

metadata="'{\"restock\": true, \"notify\": false, \"channel\": \"web\"}'"

single() # TEMPLATE ARGUMENTS
{
	local call="ordcancel.cancel_order('shop.orders', %s, 'out_of_stock', NULL, 'anna'$2)"

	# shellcheck disable=SC2059
	fresh "$1" && cost "$n" "SELECT $(printf "$call" "$n::bigint + 500");" \
		"SELECT count($(printf "$call" id)) FROM generate_series(1::bigint, $n) AS id;"
}

bulk() # TEMPLATE ARGUMENTS
{
	local call="SELECT count(*) FROM ordcancel.cancel_orders('shop.orders', ARRAY(SELECT generate_series(%s::bigint,
			%s)), 'out_of_stock', NULL, 'anna'$2);"

	# shellcheck disable=SC2059
	fresh "$1" && cost "$n" "$(printf "$call" $((n + 1)) $((n + 10)))" "$(printf "$call" 1 "$n")"
}

single_with() { single along ", metadata => $metadata"; }
single_without() { single plain ''; }
bulk_with() { bulk along ", metadata => $metadata"; }
bulk_without() { bulk plain ''; }

measure()
{
	n=$(scaled 20000 1000)
	[ "$scale" != full ] || rounds=15 # two that differ little
	template plain "$n" orders along_columns && template along "$n" orders along_columns along || return
	take single_with single_without bulk_with bulk_without || return
	figure "$n single calls with two columns and metadata, to those without" '<= 1.1' µs 'single_with / single_without'
	figure "cancel_orders of $n with two columns and metadata, to that without" '<= 1.1' µs 'bulk_with / bulk_without'
}
