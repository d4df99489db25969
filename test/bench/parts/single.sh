# shellcheck shell=bash disable=SC2154
# Single cancellations inside the server: one call for each order.

calls() # NOTIFY FUNCTION
{
	fresh single && cost "$n" "SET ordcancel.notify = $1; SELECT $2$whole::bigint + 500, 'out_of_stock');" \
		"SELECT count($2id, 'out_of_stock', NULL, 'anna')) FROM generate_series(1::bigint, $n) AS id;"
}

floor() # FUNCTION
{
	fresh single && cost "$n" "SELECT $1($whole + 1, $whole + 10);" "SELECT $1(1, $n);"
}

ours() { calls commit "ordcancel.cancel_order('shop.orders', "; }
ours_silent() { calls off "ordcancel.cancel_order('shop.orders', "; }
peer() { calls commit 'peer.cancel_order('; }
peer_silent() { calls off 'peer.cancel_order('; }
bare() { floor bare.write_each_announced; }
bare_silent() { floor bare.write_each_silent; }

measure()
{
	n=$(scaled 100000 3000)
	whole=$n
	template single "$whole" orders canceled floor peer && take ours peer bare || return
	figure "$n single calls in one statement, to PL/pgSQL" '<= 0.5' µs 'ours / peer'
	figure "$n single calls in one statement, to the bare writes" '<= 1.3' µs 'ours / bare'
	n=$((whole / 4))
	take ours_silent peer_silent bare_silent || return
	figure "$n single calls, no NOTIFY, to PL/pgSQL" '<= 0.5' µs 'ours_silent / peer_silent'
	figure "$n single calls, no NOTIFY, to the bare writes" '<= 1.3' µs 'ours_silent / bare_silent'
}
