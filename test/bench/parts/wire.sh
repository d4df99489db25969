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

# The relay of the database that has just been made.
relay_up()
{
	local i

	for ((i = 0; i < 150; i++)); do
		[ "$(sql run -c "SELECT count(*) FROM pg_stat_activity
			WHERE backend_type = 'ordcancel relay' AND datname = 'run'")" = 0 ] || return 0
		sleep 0.1
	done
	echo "no relay" >&2
	return 1
}

# The peers announce in their transactions or not at all: they have no relay.
# Without it both sides wait for the same lock, or disk, and no target is set.
way() # SYNCHRONOUS_COMMIT NOTIFY
{
	local how="8 clients, synchronous_commit = $1" target=-

	announced=$([ "$2" = off ] && echo 0 || echo 1)
	case $2 in
		off) how+=", no NOTIFY" ;;
		relay) how+=", relay" target='>= 2.5' ;;
	esac
	echo 0 >"$work/runs"
	{
		head -n 2 test/bench/wire/ours.sql
		sql wire -c "SELECT bare.statement('id = :id', 'cancel_order', $announced = 1, false) || ';'"
	} >"$work/tmp/bare.sql"
	fresh wire &&
		sql run -c "ALTER DATABASE run SET synchronous_commit = $1" -c "ALTER DATABASE run SET ordcancel.notify = $2" &&
		{ [ "$2" != relay ] || relay_up; } &&
		take ours application bare || return
	figure "$how, to the application" "$target" tps 'ours / application'
	figure "$how, to the bare writes" '>= 0.95' tps 'ours / bare'
}

settings() # LINE...
{
	printf '%s\n' "$@" | as_user tee -a "$PGDATA/postgresql.conf" >/dev/null &&
		as_user pg_ctl -s -w -l "$work/server.log" restart
}

measure()
{
	each=$(scaled 12000 5000)
	template wire $((3 * rounds * 8 * each)) orders canceled floor &&
		settings 'fsync = on' "shared_preload_libraries = 'ordcancel'" "ordcancel.relay_databases = 'run'" &&
		way on relay && way off relay && way on commit && way off commit && way on off && way off off &&
		settings 'fsync = off' "shared_preload_libraries = ''" "ordcancel.relay_databases = ''"
}
