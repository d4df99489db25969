# shellcheck shell=bash disable=SC2154
# What may be done to each of many orders, in one query.

answers() # FUNCTION
{
	cost "$n" "SELECT count(*) FROM generate_series(1, 100) AS id, LATERAL $1::bigint) AS a;" \
		"SELECT count(a.outcome), count(a.detail), max(a.until)
		FROM generate_series(1, $n) AS id, LATERAL $1::bigint) AS a;"
}

# Nothing is written, so the rows stay fresh.
options() { answers "ordcancel.cancel_options('shop.orders', id"; }
options_peer() { answers 'peer.cancel_options(id'; }

# Both must say the same, of every order.
same_answers()
{
	local query="SELECT o.id, a.* FROM shop.orders AS o, LATERAL %s AS a WHERE o.id <= $n" differing

	# shellcheck disable=SC2059
	differing=$(sql run -c "SELECT count(*) FROM ($(printf "$query" "ordcancel.cancel_options('shop.orders', o.id)")
		EXCEPT $(printf "$query" 'peer.cancel_options(o.id)')) AS d")
	[ "$differing" = 0 ] || {
		echo "cancel_options and its peer differ in ${differing:-all} rows" >&2
		return 1
	}
}

measure()
{
	n=$(scaled 10000 1000)
	template options "$n" orders canceled mixed peer peer_options && fresh options && same_answers &&
		take options options_peer || return
	figure "cancel_options of $n orders, to PL/pgSQL" '<= 0.3' µs 'options / options_peer'
}
