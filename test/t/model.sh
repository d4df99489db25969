#!/usr/bin/env bash
# Random operations of eight clients, killed now and then, compared with a
# model of the life of a cancellation: test/model/README.md. SEED repeats the
# operations of a run, OPERATIONS is how many.
set -u -o pipefail
. "$(dirname "$0")/lib/tap.sh"

# Debian's, which has Debian's driver.
python=/usr/bin/python3
"$python" -c 'import psycopg2' || skip_all 'no psycopg2 here'

seed=${SEED:-$RANDOM$RANDOM}
operations=${OPERATIONS:-100000}

own_cluster "$work" "deadlock_timeout = '20ms'" "log_line_prefix = '%e '" 'log_error_verbosity = terse' \
	'log_min_error_statement = panic' 'full_page_writes = off' 'max_wal_size = 4GB' 'checkpoint_timeout = 1h' \
	'jit = off' \
	'autovacuum_naptime = 5s'
ok 'a cluster'
echo "# make model OPERATIONS=$operations SEED=$seed"
PYTHONDONTWRITEBYTECODE=1 PYTHONHASHSEED=0 "$python" "$here/../model/run.py" "$operations" "$seed" \
	"$work/server.log" 2>&1 |
	sed -u 's/^/# /'
ok "the extension did what the model says, seed $seed"
done_testing
