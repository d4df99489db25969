# shellcheck shell=bash
# Read by every script of test/t: assertions in TAP, SQL, waiting, and clusters
# and databases of the script's own. $work is a directory for its files, $here
# that of the scripts.

tap_count=0
tap_failed=0
here=$(dirname "$0")
work=$(mktemp -d)
at_exit=()

# The commands of before_exit, the last one first. Sessions that are still open
# end then.
# shellcheck disable=SC2046
run_at_exit()
{
	local command

	for command in "${at_exit[@]}"; do
		eval "$command"
	done
	kill $(jobs -p) 2>/dev/null
	wait
	rm -rf "$work"
}
trap run_at_exit EXIT

# What is left is ended or removed when the script ends, however it does.
before_exit() # COMMAND
{
	at_exit=("$1" "${at_exit[@]}")
}

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

# Until a session other than this one waits for a lock of that type; its process
# id comes to be in waiting.
until_lock_waits() # DATABASE TYPE
{
	local who="pg_stat_activity WHERE wait_event_type = 'Lock' AND wait_event = '$2'"

	until_true "$1" "EXISTS (SELECT FROM $who)" && waiting=$(sql "$1" -c "SELECT pid FROM $who")
}

# Until the server takes connections. It is started if it is down.
wait_for_server() # DATABASE
{
	pg_ctl -s status >/dev/null || pg_ctl -s -w -l "${PGDATA%/data}/server.log" start
	wait_for sql "$1" -c 'SELECT' >/dev/null 2>&1
}

stop_cluster() # DIRECTORY
{
	pg_ctl -s -D "$1/data" -m immediate stop 2>/dev/null
}

# A cluster for this script alone, which may break it; it is the one that is
# spoken to from then on. In a subshell: for that subshell.
own_cluster() # DIRECTORY [LINE OF postgresql.conf...]
{
	before_exit "stop_cluster '$1'"
	export PGDATA=$1/data PGHOST=$1 PGPORT=5432 PGUSER=postgres
	initdb -U postgres -A trust -E UTF8 --no-locale --no-sync >"$1/initdb.out" || return
	printf '%s\n' "listen_addresses = ''" "unix_socket_directories = '$1'" \
		'fsync = off' "${@:2}" >>"$PGDATA/postgresql.conf"
	pg_ctl -s -w -l "$1/server.log" start
}

# A database in the cluster that all scripts use.
fresh_database() # DATABASE [OPTION OF createdb...]
{
	before_exit "drop_database '$1'"
	drop_database "$1"
	createdb "${@:2}" "$1"
}

drop_database() # DATABASE
{
	sql postgres -c "DROP DATABASE IF EXISTS $1 WITH (FORCE)" 2>/dev/null
}

# Roles of the script's own, which are made later.
roles() # ROLE...
{
	local IFS=,

	before_exit "sql postgres -c 'DROP ROLE IF EXISTS $*'"
}

# A dump but for what pg_dump itself puts in at random.
plain_dump() # DATABASE [OPTION OF pg_dump...]
{
	pg_dump -d "$@" | grep -vE '^\\(un)?restrict '
}
