# shellcheck shell=bash disable=SC2154
# A long history, on disk.

great=$(scaled 10000000 20000)
history=$(scaled 5000000 10000)
little=$(scaled 100000 5000)
calls=$(scaled 9000 500)

# The empty record tables of the one without history are not vacuumed: nobody
# would, and PostgreSQL would take them to stay empty.
make_shop() # DATABASE ORDERS OLD
{
	as_user createdb "$1" &&
		sql "$1" -v n="$2" -v old="$3" -f test/bench/sql/orders.sql -f test/bench/sql/history.sql >/dev/null &&
		sql "$1" -c 'VACUUM (FREEZE, ANALYZE) shop.orders' || return
	[ "$3" -eq 0 ] || sql "$1" -c 'VACUUM (FREEZE, ANALYZE)' || return
	sql "$1" -c CHECKPOINT
}

# Each round has orders of its own, since these databases are too great to be
# made anew.
round() # SIDE
{
	if [ -e "$work/numbers/$1" ]; then wc -l <"$work/numbers/$1"; else echo 0; fi
}

# The one commit at the end does not wait for the disk: that is the machine's
# time, and would be most of what is measured.
cancel() # DATABASE FIRST STEP WARM-UP
{
	sql "$1" -c CHECKPOINT &&
		cost "$calls" "SET synchronous_commit = off; SELECT ordcancel.cancel_order('shop.orders', $4);" \
			"SELECT count(ordcancel.cancel_order('shop.orders', $2 + i * $3, 'out_of_stock', NULL, 'anna'))
			FROM generate_series(0::bigint, $calls - 1) AS i;" "$1"
}

# The newest orders, as shops cancel them.
newest() # DATABASE ORDERS SIDE
{
	local i

	i=$(round "$3")
	cancel "$1" $(($2 - (i + 1) * calls + 1)) 1 $(($2 + 1000 + i))
}

newest_great() { newest great "$great" newest_great; }
newest_little() { newest little "$little" newest_little; }

# Orders all over the table but the newest ones.
spread() # DATABASE FIRST LAST SIDE
{
	local i step=$((($3 - $2) / calls))

	i=$(round "$4")
	cancel "$1" $(($2 + 1 + i)) "$step" $(($3 + 1200 + i))
}

spread_great() { spread great "$history" $((great - rounds * calls)) spread_great; }
spread_little() { spread little 0 $((little - rounds * calls)) spread_little; }

view() # DATABASE VIEW
{
	cost 100 "SELECT count(*) FROM ordcancel.$2;" \
		"DO \$\$ BEGIN FOR i IN 1 .. 100 LOOP PERFORM count(*) FROM ordcancel.$2; END LOOP; END \$\$;" "$1"
}

pending_great() { view great pending_requests; }
pending_little() { view little pending_requests; }
refunds_great() { view great refunds_due; }
refunds_little() { view little refunds_due; }

# Views that this version does not have are left out, and said to be.
report_view() # VIEW SIDE
{
	if [ "$(sql little -c "SELECT to_regclass('ordcancel.$1') IS NULL")" = t ]; then
		echo "no view ordcancel.$1 in this version, left out"
	else
		take "$2_great" "$2_little" &&
			figure "$1, 100 rows, with history" '<= 1.15' µs "$2_great / $2_little"
	fi
}

measure()
{
	sql postgres -c 'ALTER SYSTEM SET fsync = on' -c 'SELECT pg_reload_conf()' >/dev/null &&
		make_shop little "$little" 0 && make_shop great "$great" "$history" || return
	echo "the great database has $(sql great -c "SELECT pg_size_pretty(pg_database_size('great'))")"
	report_view pending_requests pending && report_view refunds_due refunds &&
		take newest_great newest_little && take spread_great spread_little || return
	figure "a cancellation of the newest of $great orders, to $little" '<= 1.15' µs 'newest_great / newest_little'
	figure "the same of orders spread over the whole table" - µs 'spread_great / spread_little'
}
