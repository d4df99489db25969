#!/usr/bin/env bash
# Calls every function of ordcancel with odd arguments, beside sessions that
# change the same tables. Whatever a user does, the answer is an error with a
# meaning: no crash, no internal error (XX000), nothing left behind. make fuzz
# calls it.
#
#   make fuzz                         about three minutes
#   make fuzz CALLS=100000            longer, in ROUNDS databases, one after another
#   make fuzz SEED=17                 what that seed did; sessions run side by side,
#                                     so not every outcome comes again
#   make fuzz SEED=17 ROUND=2 SESSIONS=1       one round of it, one session
#   make fuzz RESULTS=/tmp/out        keeps the statements of each session, and the log
#   make fuzz SMITH=0                 without sqlsmith
#   make fuzz PG_CONFIG=/var/tmp/postgresql-asserts-15/bin/pg_config
#                                     with assertions, see make check-asserts
#
# Debian's sqlsmith, when it is installed, comes last; so does gdb tell where a
# crash was.
set -u
. "$(dirname "$0")/lib.sh"

seed=${SEED:-$RANDOM}
smith=${SMITH:-300}

prepare
{ build && server_up; } || die "could not make the server"
mkdir "$work/fuzz"
[ "$(id -u)" -ne 0 ] || chown postgres:postgres "$work/fuzz"
as_user tee -a "$PGDATA/postgresql.conf" >/dev/null <<-CONF
	shared_buffers = 32MB
	max_connections = 30
	logging_collector = on
	log_destination = jsonlog
	log_directory = '$work/fuzz'
	log_filename = 'fuzz.log'
	log_timezone = UTC
	log_rotation_age = 0
	log_rotation_size = 0
	log_error_verbosity = verbose
	log_min_messages = warning
	track_activity_query_size = 16kB
	deadlock_timeout = 20ms
	autovacuum_naptime = 1s
	shared_preload_libraries = 'ordcancel'
	ordcancel.relay_databases = 'fuzz_0, fuzz_1'
CONF
ulimit -c unlimited
as_user pg_ctl -s -w -l "$work/server.log" restart || {
	cat "$work/server.log" "$work"/fuzz/*
	die "could not restart the server"
}

command -v sqlsmith >/dev/null || {
	echo "no sqlsmith here: skipped"
	smith=0
}
echo "seed $seed"
# Debian's: it has the package.
as_user /usr/bin/python3 test/fuzz/fuzz.py --seed "$seed" --calls "${CALLS:-7000}" --rounds "${ROUNDS:-4}" \
	${ROUND:+--only "$ROUND"} --sessions "${SESSIONS:-3}" --smith "$smith" --directory "$work/fuzz" \
	--sources src --postgres "$bin/postgres"
status=$?
if [ -n "${RESULTS:-}" ]; then
	mkdir -p "$RESULTS"
	cp "$work"/fuzz/* "$RESULTS"
fi
exit $status
