# shellcheck shell=bash disable=SC2154
# What the guard costs programs that do not cancel.

# Both scripts in one run of pgbench, by turns at random: they see the same
# machine. Prints what the one takes, in microseconds; what the other takes goes
# into a file of its own. The slowest hundredth is the machine's, not ours.
mixed() # FILE
{
	local out=$work/clients.out script

	rm -f "$work"/tmp/seen.*
	as_user pgbench -n -T "$(scaled 8 1)" -M prepared -D orders="$n" -l --log-prefix="$work/tmp/seen" \
		-f test/bench/wire/seen_guarded.sql -f test/bench/wire/seen_bare.sql run >"$out" 2>&1 || {
		cat "$out" >&2
		return 1
	}
	for script in 1 0; do
		awk -v script=$script '$4 == script { print $3 }' "$work"/tmp/seen.* | sort -n |
			awk '{ v[NR] = $1 } END { m = int(NR * 0.99); for (i = 1; i <= m; i++) s += v[i]; print s / m }' |
			if [ $script = 1 ]; then cat >>"$work/numbers/$1"; else cat; fi
	done
}

fsync() # on|off
{
	sql postgres -c "ALTER SYSTEM SET fsync = $1" -c 'SELECT pg_reload_conf()' >/dev/null
}

guarded() { fresh guard && mixed unguarded; }
guarded_disk() { fresh guard && fsync on && mixed unguarded_disk && fsync off; }

update() # SCHEMA CHANGE
{
	fresh guard && cost "$n" "UPDATE $1.orders SET $2 WHERE id BETWEEN $n + 1 AND $n + 10;" \
		"UPDATE $1.orders SET $2 WHERE id <= $n;"
}

seen() { update shop 'seen_at = now()'; }
seen_bare() { update bare 'seen_at = now()'; }
paid() { update shop "status = 'paid'"; }
paid_peer() { update peer "status = 'paid'"; }
paid_bare() { update bare "status = 'paid'"; }

measure()
{
	n=$(scaled 100000 3000)
	template guard "$n" orders canceled floor peer || return
	rm -f "$work"/numbers/unguarded*
	take guarded && take guarded_disk && take seen seen_bare && take paid paid_peer paid_bare || return
	figure "an update that changes no status, over pgbench, fsync = off" - µs 'guarded / unguarded'
	figure "an update that changes no status, over pgbench, fsync = on" '<= 1.02' µs 'guarded_disk / unguarded_disk'
	figure "one such update of $n orders" '<= 1.25' µs 'seen / seen_bare'
	figure "placed to paid, $n orders: extra time, to that of PL/pgSQL" '<= 0.4' µs \
		'(paid - paid_bare) / (paid_peer - paid_bare)'
}
