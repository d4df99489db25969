# shellcheck shell=bash disable=SC2154
# Expired orders: a sweep, to cancel_orders of the same orders.

canceled() # FIRST LAST
{
	echo "SELECT count(*) FROM ordcancel.cancel_orders('shop.orders', ARRAY(SELECT generate_series($1::bigint, $2)),
		'out_of_stock', NULL, 'anna');"
}

expired() # STATEMENT
{
	fresh timers && cost "$n" "$(canceled $((n + 1)) $((n + 10)))" "$1"
}

expired_swept() { expired 'CALL ordcancel.sweep();'; }
expired_canceled() { expired "$(canceled 1 "$n")"; }

measure()
{
	n=$(scaled 10000 1000)
	template timers "$n" orders timers || return
	take expired_swept expired_canceled || return
	figure "$n expired orders by a sweep, to cancel_orders of the same" '<= 1.5' µs 'expired_swept / expired_canceled'
}
