# shellcheck shell=bash disable=SC2154
# The instructions of one call, counted by callgrind: the same on a machine
# that is busy. A backend without a server runs a statement that makes 1 call
# and one that makes 1,001 calls; the difference is that of 1,000 calls.

single_cluster()
{
	bulk=
	server_up && template instructions 2000 orders canceled || return
	! has instructions cancel_orders || bulk=yes
	as_user pg_ctl -s -w stop
}

# Each statement goes to that backend as one line, which is where it takes it to
# end.
instructions() # WARM-UP STATEMENT-WITH-%s
{
	local calls count counts=() log=$work/tmp/callgrind.log data=$work/single.run
	local warm_up=${1//[$'\n\t']/ } statement=${2//[$'\n\t']/ }

	for calls in 1 1001; do
		rm -rf "$data"
		as_user cp -r "$work/single" "$data"
		# shellcheck disable=SC2059
		printf "$warm_up\n$statement\n" "$calls" | as_user valgrind --tool=callgrind --log-file="$log" \
			--callgrind-out-file="$work/tmp/callgrind.out" \
			postgres --single -F -D "$data" -c jit=off -c log_checkpoints=off instructions >"$work/single.out" 2>&1
		count=$(sed -n 's/.*Collected *: *\([0-9]*\).*/\1/p' "$log")
		if [ -z "$count" ] || grep -E 'ERROR|FATAL' "$work/single.out" >&2; then
			cat "$log" "$work/single.out" >&2
			return 1
		fi
		counts+=("$count")
	done
	echo $(((counts[1] - counts[0]) / 1000))
}

# One line for each figure: its name and the count.
count_instructions()
{
	local from='FROM generate_series(1::bigint, %s) AS id;'
	local warm="SELECT ordcancel.cancel_order('shop.orders', 2500);"

	PGDATA=$work/single PGPORT=$((PGPORT + 1)) single_cluster || return
	echo "cancel_order $(instructions "$warm" \
		"SELECT count(ordcancel.cancel_order('shop.orders', id, 'out_of_stock', NULL, 'anna')) $from")"
	[ -z "$bulk" ] || echo "order_of_cancel_orders $(instructions \
		"SELECT count(*) FROM ordcancel.cancel_orders('shop.orders', '{2500,2501}'::bigint[], 'out_of_stock', NULL,
		'anna');" \
		"SELECT count(*) FROM ordcancel.cancel_orders('shop.orders', ARRAY(SELECT id ${from%;}), 'out_of_stock', NULL,
		'anna');")"
	echo "plain_update $(instructions "UPDATE shop.orders SET status = 'paid' WHERE id = 2500;" \
		"UPDATE shop.orders SET status = 'paid' WHERE id <= %s;")"
	echo "cancel_options $(instructions "SELECT ordcancel.cancel_options('shop.orders', 2500);" \
		"SELECT count(*) ${from%;}, LATERAL ordcancel.cancel_options('shop.orders', id);")"
}

recorded=test/bench/instructions.txt

# What is recorded of a figure for this major version and kind of processor:
# count, version.
on_record() # FIGURE
{
	awk -v figure="$1" -v major="${version%%.*}" -v cpu="$(uname -m)" '
		$1 == figure && $4 == cpu && $3 ~ "^" major "[.]" { print $2, $3 }' "$recorded"
}

# Rows of the table: to what is recorded.
measure()
{
	local name count old from verdict

	command -v valgrind >/dev/null || {
		echo "no valgrind here: make bench-instructions installs it"
		return 0
	}
	version=$("$bin/postgres" --version | sed 's/[^0-9]*\([0-9.]*\).*/\1/')
	count_instructions >"$work/instructions" || return
	while read -r name count; do
		[ -n "$count" ] || return
		read -r old from < <(on_record "$name")
		if [ -z "$old" ]; then
			row "instructions of one $name" "$count" - - - '<= 1.03' 'not recorded'
			continue
		fi
		verdict=$(awk -v a="$count" -v b="$old" 'BEGIN { print (a > 1.03 * b ? "MISSED" : "pass") }')
		row "instructions of one $name, to those recorded on $from" "$count" "$old" \
			"$(awk -v a="$count" -v b="$old" 'BEGIN { printf "%.3f", a / b }')" - '<= 1.03' "$verdict"
	done <"$work/instructions"
}
