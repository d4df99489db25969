# shellcheck shell=bash disable=SC2154
# Single cancellations over the wire: 8 clients with prepared statements, and
# commits that reach the disk where synchronous_commit is on.

# Transactions per second. Each run has orders of its own behind those of the
# runs before it; a client that runs out of them divides by zero.
clients() # SCRIPT
{
	local out=$work/clients.out runs

	runs=$(cat "$work/runs")
	echo $((runs + 1)) >"$work/runs"
	sql run -c CHECKPOINT || return
	as_user pgbench -n -c 8 -j 2 -T "$(scaled 3 1)" -M prepared -D n=0 -D behind=$((runs * 8 * each)) -D each="$each" \
		-D announced="$announced" -f "$1" run >"$out" 2>&1 || {
		cat "$out" >&2
		return 1
	}
	sed -n 's/^tps = \([0-9.]*\).*/\1/p' "$out"
}

ours() { clients test/bench/wire/ours.sql; }
application() { clients test/bench/wire/application.sql; }
bare() { clients "$work/tmp/bare.sql"; }

way() # SYNCHRONOUS_COMMIT NOTIFY
{
	local how="8 clients, synchronous_commit = $1"

	announced=$([ "$2" = off ] && echo 0 || echo 1)
	[ "$2" != off ] || how+=", no NOTIFY"
	echo 0 >"$work/runs"
	{
		head -n 2 test/bench/wire/ours.sql
		sql wire -c "SELECT bare.statement('id = :id', 'cancel_order', $announced = 1, false) || ';'"
	} >"$work/tmp/bare.sql"
	fresh wire &&
		sql run -c "ALTER DATABASE run SET synchronous_commit = $1" -c "ALTER DATABASE run SET ordcancel.notify = $2" &&
		take ours application bare || return
	figure "$how, to the application" '>= 2.5' tps 'ours / application'
	figure "$how, to the bare writes" '>= 0.95' tps 'ours / bare'
}

measure()
{
	each=$(scaled 12000 5000)
	template wire $((3 * rounds * 8 * each)) orders canceled floor &&
		sql postgres -c "ALTER SYSTEM SET fsync = on" -c "SELECT pg_reload_conf()" >/dev/null &&
		way on commit && way off commit && way on off && way off off &&
		sql postgres -c "ALTER SYSTEM RESET fsync" -c "SELECT pg_reload_conf()" >/dev/null
}
