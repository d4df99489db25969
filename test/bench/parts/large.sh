# shellcheck shell=bash disable=SC2154
# A long history, on disk.

great=$(scaled 10000000 20000)
history=$(scaled 5000000 10000)
little=$(scaled 100000 5000)
calls=$(scaled 4000 500)

# Of the newest orders, as shops cancel them, each round takes one in so many.
rounds=$(scaled 11 1)
newest=$(scaled 100000 5000)
step=$((newest / calls))

# The empty record tables of the one without history are not vacuumed: nobody
# would, and PostgreSQL would take them to stay empty. Both lie in memory as far
# as they fit, since the disk is not what is measured.
make_shop() # DATABASE ORDERS OLD
{
	as_user createdb "$1" &&
		sql "$1" -v n="$2" -v old="$3" -f test/bench/sql/orders.sql -f test/bench/sql/history.sql >/dev/null &&
		sql "$1" -c 'VACUUM (FREEZE, ANALYZE) shop.orders' || return
	[ "$3" -eq 0 ] || sql "$1" -c 'VACUUM (FREEZE, ANALYZE)' || return
	sql "$1" -c CHECKPOINT -c 'CREATE EXTENSION pg_prewarm' \
		-c "SELECT pg_prewarm(oid) FROM pg_class WHERE relnamespace = 'shop'::regnamespace AND relkind IN ('r',
		'i')" >/dev/null
}

# These databases are too great to be made anew, so each round has orders of
# its own. The commit at the end does not wait for the disk: that is the
# machine's time, and would be most of what is measured.
cancel() # DATABASE ORDERS SIDE
{
	local round=0 first=$(($2 - newest + 1))

	[ ! -e "$work/numbers/$3" ] || round=$(wc -l <"$work/numbers/$3")
	sql "$1" -c CHECKPOINT &&
		cost "$calls" "SET synchronous_commit = off; SELECT ordcancel.cancel_order('shop.orders',
				$((first + step - 1 - round)));" \
			"SELECT count(ordcancel.cancel_order('shop.orders', id, 'out_of_stock', NULL, 'anna'))
			FROM generate_series($((first + round))::bigint, $2, $step) AS id;" "$1"
}

cancel_great() { cancel great "$great" cancel_great; }
cancel_little() { cancel little "$little" cancel_little; }

view() # DATABASE VIEW
{
	cost 100 "SELECT count(v) FROM ordcancel.$2 AS v;" \
		"DO \$\$ BEGIN FOR i IN 1 .. 100 LOOP PERFORM count(v) FROM ordcancel.$2 AS v; END LOOP; END \$\$;" "$1"
}

pending_great() { view great pending_requests; }
pending_little() { view little pending_requests; }
refunds_great() { view great refunds_due; }
refunds_little() { view little refunds_due; }

measure()
{
	sql postgres -c 'ALTER SYSTEM SET fsync = on' -c 'SELECT pg_reload_conf()' >/dev/null &&
		make_shop little "$little" 0 && make_shop great "$great" "$history" || return
	echo "the great database has $(sql great -c "SELECT pg_size_pretty(pg_database_size('great'))")"
	take pending_great pending_little && take refunds_great refunds_little || return
	figure "pending_requests, 1000 rows, with history" '<= 1.15' µs 'pending_great / pending_little'
	figure "refunds_due, 1000 rows, with history" '<= 1.15' µs 'refunds_great / refunds_little'
	take cancel_great cancel_little || return
	figure "a cancellation among $great orders, to $little" '<= 1.15' µs 'cancel_great / cancel_little'
}
