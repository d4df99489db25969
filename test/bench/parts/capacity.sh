# shellcheck shell=bash disable=SC2154
# What doc/scale.md reckons with: bytes of records, bytes of WAL, transaction IDs
# and time of the processor for a cancellation in a transaction of its own, to an
# UPDATE of the status in a shop without ordcancel.

declare -A amount=(
	[cpu]="split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::numeric / 1000"
	[wal]="pg_current_wal_lsn() - '0/0'::pg_lsn"
	[xid]='pg_snapshot_xmax(pg_current_snapshot())::text::numeric'
	[bytes]="(SELECT sum(pg_total_relation_size(r)) FROM unnest(ARRAY['shop.orders_cancellation',
		'shop.orders_cancellation_event']::regclass[]) AS r)"
)

# Runs the statement for each order, and prints what it took per order.
each() # TEMPLATE WHAT STATEMENT
{
	local what=${amount[$2]}

	fresh "$1" || return
	{
		echo '\o /dev/null'
		# shellcheck disable=SC2046,SC2059
		printf "$3;\n" $(seq $((n + 1)) $((n + 100)))
		echo "SELECT $what AS before \\gset"
		# shellcheck disable=SC2046,SC2059
		printf "$3;\n" $(seq 1 "$n")
		echo '\o'
		echo "SELECT ($what - :before) / $n;"
	} >"$work/capacity.sql"
	sql run -f "$work/capacity.sql"
}

call() # WHAT
{
	each attached "$1" "SELECT ordcancel.cancel_order('shop.orders', %s::bigint, 'out_of_stock', NULL, 'anna')"
}

update() # WHAT
{
	each plain "$1" "UPDATE shop.orders SET status = 'canceled' WHERE id = %s"
}

call_bytes() { call bytes; }
order_bytes() { sql attached -c "SELECT pg_total_relation_size('shop.orders') / count(*)::numeric FROM shop.orders"; }
call_wal() { call wal; }
update_wal() { update wal; }
call_xid() { call xid; }
update_xid() { update xid; }
call_cpu() { call cpu; }
update_cpu() { update cpu; }

measure()
{
	n=$(scaled 20000 500)
	template attached "$n" orders && template plain "$n" orders detached || return
	take call_bytes order_bytes call_wal update_wal call_xid update_xid call_cpu update_cpu || return
	figure 'records and indexes of a cancellation, to an order with its indexes' - B 'call_bytes / order_bytes'
	figure 'WAL of a cancellation, to that of an UPDATE without ordcancel' - B 'call_wal / update_wal'
	figure 'transaction IDs of a cancellation, to those of an UPDATE' - '' 'call_xid / update_xid'
	figure 'time of the processor for a cancellation, to that of an UPDATE' - µs 'call_cpu / update_cpu'
}
