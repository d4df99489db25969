#!/usr/bin/env bash
# Replays real orders: each is walked through its own recorded times as plain
# UPDATEs, all of them interleaved as they were. Those recorded as canceled are
# canceled through the functions, and a tenth of the others is asked to cancel
# at a random moment of its life, as customer and as merchant.
#
# The data (CC BY-NC-SA) stays outside the repository.
set -u
. "$(dirname "$0")/lib/tap.sh"

[ -n "${ORDCANCEL_SHARED:-}" ] || skip_all 'ORDCANCEL_SHARED is unset: no orders to replay'
data=$ORDCANCEL_SHARED/data/olist
[ -r "$data/orders.csv" ] || skip_all "no orders in $data"
db=t_olist

roles olist_app olist_customer olist_merchant olist_manager

fresh_database $db &&
	sql $db -f "$here/olist/load.sql" &&
	sql $db -c '\copy olist.orders FROM STDIN (FORMAT csv, HEADER)' <"$data/orders.csv" &&
	sql $db -c '\copy olist.payments FROM STDIN (FORMAT csv, HEADER)' <"$data/order_payments.csv" &&
	sql $db -f "$here/olist/shop.sql" -f "$here/olist/plan.sql" -f "$here/olist/replay.sql" >/dev/null
ok 'the orders are loaded, the table is attached, the replay is planned' || done_testing

# The replaying session listens, so that what it announces can be counted.
sql $db -c 'LISTEN ordcancel' -c 'CALL replay.run()' >"$work/replay.out"
ok 'the replay runs to its end' || done_testing

sql $db -v done="$tap_count" -v announced="$(grep -c '^Asynchronous notification "ordcancel"' "$work/replay.out")" \
	-f "$here/olist/checks.sql" >"$work/checks.out"
status=$?
cat "$work/checks.out"
tap_count=$((tap_count + $(grep -cE '^(not )?ok ' "$work/checks.out")))
tap_failed=$((tap_failed + $(grep -c '^not ok ' "$work/checks.out")))
[ $status -eq 0 ]
ok 'every check was made'
done_testing
