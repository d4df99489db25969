# shellcheck shell=bash disable=SC2154
# What a setup costs that has more than statuses: blocks, money, suppliers and
# large rows, each to the same orders without it.

block="SELECT ordcancel.add_block('shop.orders', 'flagged', 'flagged');"
due="SELECT ordcancel.attach('shop.orders', 'status', placed_at => 'placed_at', refund_due => 'total - total');"
supplier="SELECT ordcancel.attach('shop.orders', 'status', placed_at => 'placed_at', policy_by => 'supplier');"

# A fresh database where the setup has been made.
with() # TEMPLATE SETUP
{
	fresh "$1" && sql run -c "SET client_min_messages = warning;$2" >/dev/null
}

single() # SETUP
{
	with setups "$1" && cost "$n" "SELECT ordcancel.cancel_order('shop.orders', $n + 500);" \
		"SELECT count(ordcancel.cancel_order('shop.orders', id)) FROM generate_series(1::bigint, $n) AS id;"
}

array() # TEMPLATE SETUP [FIRST]
{
	with "$1" "$2" && cost "$n" \
		"SELECT count(*) FROM ordcancel.cancel_orders('shop.orders', ARRAY[$n + 500::bigint]);" \
		"SELECT count(*) FROM ordcancel.cancel_orders('shop.orders', ARRAY(SELECT generate_series(1::bigint, $n)));"
}

update() # TEMPLATE SETUP STATUS
{
	with "$1" "$2" && cost "$n" "UPDATE shop.orders SET status = '$3' WHERE id = $n + 500;" \
		"UPDATE shop.orders SET status = '$3' WHERE id <= $n;"
}

# Of sessions that have done nothing else: the time of the call alone.
first() # TEMPLATE SETUP
{
	local i

	with "$1" "$2" && for ((i = 1; i <= 21; i++)); do
		sql run <<-SQL
			\o /dev/null
			SELECT $clock AS began \gset
			SELECT ordcancel.cancel_order('shop.orders', $i);
			\o
			SELECT $clock - :began;
		SQL
	done | summary | cut -d' ' -f1
}

single_plain() { single ''; }
single_block() { single "$block"; }
single_due() { single "$due"; }
single_supplier() { single "$supplier"; }
array_plain() { array setups ''; }
array_block() { array setups "$block"; }
array_due() { array setups "$due"; }
array_supplier() { array setups "$supplier"; }
array_policies() { array policies "$supplier"; }
cancel_plain() { update setups '' canceled; }
cancel_block() { update setups "$block" canceled; }
large_array_plain() { array large ''; }
large_array_block() { array large "$block"; }
large_paid_plain() { update large '' paid; }
large_paid_block() { update large "$block" paid; }
first_one() { first setups "$supplier"; }
first_policies() { first policies "$supplier"; }

measure()
{
	n=$(scaled 20000 2000)
	template setups "$n" orders canceled setups && template policies "$n" orders canceled setups policies || return
	take single_plain single_block single_due single_supplier && take array_plain array_block array_due array_supplier \
		array_policies &&
		take cancel_plain cancel_block && take first_one first_policies || return
	figure "$n single calls with a block, to without" '<= 2' µs 'single_block / single_plain'
	figure "$n single calls with refund_due" '<= 2' µs 'single_due / single_plain'
	figure "$n single calls with policy_by" '<= 1.25' µs 'single_supplier / single_plain'
	figure "$n plain updates that cancel, with a block" '<= 2' µs 'cancel_block / cancel_plain'
	figure "$n orders by cancel_orders, with a block" '<= 1.25' µs 'array_block / array_plain'
	figure "$n orders by cancel_orders, with refund_due" '<= 1.25' µs 'array_due / array_plain'
	figure "$n orders by cancel_orders, with policy_by" '<= 1.25' µs 'array_supplier / array_plain'
	figure "$n orders of 5000 suppliers, each with a policy" '<= 2' µs 'array_policies / array_plain'
	figure "first call of a session, beside 5000 policies, to beside one" '<= 1.5' µs 'first_policies / first_one'
	n=$(scaled 5000 500)
	as_user dropdb --if-exists policies && large=$n template_large || return
	take large_array_plain large_array_block && take large_paid_plain large_paid_block || return
	figure "$n orders of 20 kB by cancel_orders, with a block" '<= 1.5' µs 'large_array_block / large_array_plain'
	figure "placed to paid, $n orders of 20 kB, with a block" '<= 1.5' µs 'large_paid_block / large_paid_plain'
}

template_large()
{
	as_user createdb large &&
		sql large -v n="$n" -v large="$large" -f test/bench/sql/orders.sql -f test/bench/sql/canceled.sql \
			-f test/bench/sql/setups.sql >/dev/null &&
		sql large -c 'VACUUM (FREEZE, ANALYZE)' -c CHECKPOINT
}
