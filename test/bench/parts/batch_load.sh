# shellcheck shell=bash disable=SC2154
# Other clients while a batch runs: their throughput, to that beside a plain
# load of the same writes, chunks and pace on copies without triggers; and how
# long those wait who want orders out of the batch's range.

# pgbench takes SIGALRM for the end of -T, and finishes its log.
clients_up() # SCRIPT
{
	rm -f "$work"/tmp/load.*
	# shellcheck disable=SC2016
	as_user bash -c 'echo $$ >"$TMPDIR/clients.pid"; exec "$@"' clients \
		pgbench -n -c 4 -T 3600 -M prepared -l --log-prefix="$work/tmp/load" \
		-D n=0 -D behind="$total" -D each="$each" -f "test/bench/wire/$1.sql" run >"$work/clients.out" 2>&1 &
	clients=$!
	sleep 1
}

clients_down()
{
	kill -ALRM "$(cat "$work/tmp/clients.pid")"
	wait "$clients" || {
		cat "$work/clients.out" >&2
		return 1
	}
}

# The load's beginning, end and seconds, into began, ended and took.
beside() # SCRIPT LOAD
{
	local status

	fresh load || return
	clients_up "$1"
	read -r began ended took < <(sql run -F ' ' <<-SQL
		\o /dev/null
		SELECT clock_timestamp() AS began \gset
		$2
		\o
		SELECT e, b, b - e FROM (SELECT extract(epoch FROM :'began'::timestamptz) AS e,
		                                extract(epoch FROM clock_timestamp()) AS b) AS t;
	SQL
	)
	status=$?
	clients_down && [ "$status" -eq 0 ]
}

throughput()
{
	sql run -c "SELECT count(*) / $took FROM shop.orders_cancellation
		WHERE order_id > $total AND requested_at BETWEEN to_timestamp($began) AND to_timestamp($ended)"
}

# The plain load takes the pace of the batch before it.
batch="CALL ordcancel.cancel_batch('shop.orders', 'id <= %s', 'out_of_stock', NULL, 'anna', %s);"

beside_batch()
{
	# shellcheck disable=SC2059
	beside ours "$(printf "$batch" "$total" "$chunk")" || return
	awk -v took="$took" -v chunks=$((total / chunk)) 'BEGIN { print took / chunks }' >"$work/pace"
	throughput
}

beside_plain()
{
	beside ours "CALL bare.write_in_chunks($total, $chunk, $(cat "$work/pace"));" && throughput
}

# The longest wait in milliseconds: a client's longest call without what a call
# usually takes. Chunks are the transactions with many events; from the first
# row of one to the first of the next it held its locks.
waiting()
{
	# shellcheck disable=SC2059
	beside inside "$(printf "$batch" "$total" "$chunk")" || return
	sql run -c "SELECT 1000 * max(next - began) FROM (
		SELECT extract(epoch FROM min(at)) AS began, lead(extract(epoch
		FROM min(at)), 1, $ended) OVER (ORDER BY min(at)) AS next
		FROM shop.orders_cancellation_event WHERE at >= to_timestamp($began) GROUP BY xid HAVING count(*) > 1) AS c" \
		>>"$work/numbers/longest_chunk"
	cat "$work"/tmp/load.* | awk -v began="$began" -v ended="$ended" '
		{ end = $5 + $6 / 1000000 } end >= began && end - $3 / 1000000 <= ended { print $3 / 1000 }' | summary |
		awk '{ print $3 - $1 }'
}

measure()
{
	total=$(scaled 300000 5000)
	each=$(scaled 75000 5000)
	chunk=$(scaled 1000 500)
	template load $((total + 4 * each)) orders canceled floor || return
	if ! has load cancel_batch; then
		absent "4 clients beside a batch of $total, to beside a plain load" '>= 0.7'
		absent "longest wait of a client for the batch, to its longest chunk" '<= 1'
		return
	fi
	rm -f "$work/numbers/longest_chunk"
	# The first batch only tells its pace.
	beside_batch >/dev/null && take beside_batch beside_plain && take waiting || return
	figure "4 clients beside a batch of $total, to beside a plain load" '>= 0.7' tps 'beside_batch / beside_plain'
	figure "longest wait of a client for the batch, to its longest chunk" '<= 1' ms 'waiting / longest_chunk'
}
