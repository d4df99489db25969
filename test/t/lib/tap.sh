# shellcheck shell=bash
# Read by the scripts of test/t: assertions in TAP, and one's own databases.

tap_count=0
tap_failed=0

# The result of the command before it decides.
ok() # NAME
{
	local status=$?

	tap_count=$((tap_count + 1))
	if [ $status -eq 0 ]; then
		echo "ok $tap_count - $1"
	else
		[[ $1 == *'# TODO'* ]] || tap_failed=$((tap_failed + 1))
		echo "not ok $tap_count - $1"
	fi
	return $status
}

is() # GOT WANTED NAME
{
	[ "$1" = "$2" ]
	ok "$3" || {
		printf 'got:\n%s\nwanted:\n%s\n' "$1" "$2" | sed 's/^/# /'
		return 1
	}
}

like() # GOT PATTERN NAME
{
	[[ $1 =~ $2 ]]
	ok "$3" || printf 'got:\n%s\nwanted:\n%s\n' "$1" "$2" | sed 's/^/# /'
}

# Until the command succeeds. How long that takes depends on what else the
# machine has to do; after two minutes it will not come.
wait_for() # COMMAND [ARGUMENT...]
{
	local end=$((SECONDS + 120))

	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.02
	done
}

skip_all() # WHY
{
	echo "1..0 # SKIP $1"
	exit 0
}

done_testing()
{
	echo "1..$tap_count"
	exit $((tap_failed > 0))
}

# psql that says only what is asked, and stops at the first error.
sql() # DATABASE [ARGUMENT...]
{
	local database=$1

	shift
	PGOPTIONS='-c client_min_messages=warning' psql -XqAt -v ON_ERROR_STOP=1 -d "$database" "$@"
}

is_true() # DATABASE QUERY
{
	[ "$(sql "$1" -c "SELECT ($2)" 2>/dev/null)" = t ]
}

until_true() # DATABASE QUERY
{
	wait_for is_true "$@"
}

# The server takes connections, again perhaps.
answers() # DATABASE
{
	wait_for sql "$1" -c 'SELECT' >/dev/null 2>&1
}

# A cluster of one's own, to be broken; it is the one that is spoken to from
# then on.
own_cluster() # DIRECTORY [LINE OF postgresql.conf...]
{
	export PGDATA=$1/data PGHOST=$1 PGPORT=5432 PGUSER=postgres
	initdb -U postgres -A trust -E UTF8 --no-locale --no-sync >"$1/initdb.out" || return
	printf '%s\n' "listen_addresses = ''" "unix_socket_directories = '$1'" \
		'fsync = off' "${@:2}" >>"$PGDATA/postgresql.conf"
	pg_ctl -s -w -l "$1/server.log" start
}

fresh_database() # DATABASE
{
	sql postgres -c "DROP DATABASE IF EXISTS $1" 2>/dev/null
	createdb "$1"
}
