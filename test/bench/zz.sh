#!/usr/bin/env bash
set -u
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/harness.sh"
prepare
build || die "could not build"
. test/bench/parts/instructions.sh
figures_here
PGDATA=$work/single PGPORT=$((PGPORT + 1))
single_cluster || die x
from='FROM generate_series(1::bigint, %s) AS id;'
count() {
echo "$1 single $(instructions "SELECT ordcancel.cancel_order('shop.orders', 2500);" "SELECT count(ordcancel.cancel_order('shop.orders', id, 'out_of_stock', NULL, 'anna')) $from")"
cp $work/tmp/callgrind.out /tmp/callgrind.$1.single
echo "$1 bulk $(instructions \
		"SELECT count(*) FROM ordcancel.cancel_orders('shop.orders', '{2500,2501}'::bigint[], 'out_of_stock', NULL, 'anna');" \
		"SELECT count(*) FROM ordcancel.cancel_orders('shop.orders', ARRAY(SELECT id ${from%;}), 'out_of_stock', NULL, 'anna');")"
cp $work/tmp/callgrind.out /tmp/callgrind.$1.bulk
}
count plain
as_user pg_ctl -s -w start
sql instructions -c "ALTER TABLE shop.orders ADD canceled_at timestamptz, ADD cancel_reason text" -c "SELECT ordcancel.also_set('shop.orders', 'canceled', 'canceled_at', 'cancellation.closed_at'), ordcancel.also_set('shop.orders', 'canceled', 'cancel_reason', 'cancellation.reason')"
as_user pg_ctl -s -w stop
count also
