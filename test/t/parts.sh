#!/usr/bin/env bash
# Parts of orders under load: eight clients in all isolation levels cancel,
# request, accept, deny, withdraw, refund and undo items and orders, ship, edit,
# insert, delete and move items. What must hold is looked at meanwhile and in
# the end: parts/invariants.py.
#
# SEED repeats the random choices, though not how they meet; PARTS_SECONDS is how
# long it lasts (make torture).
set -u -o pipefail
. "$(dirname "$0")/lib/tap.sh"

# Debian's, which has Debian's driver.
python=/usr/bin/python3
"$python" -c 'import psycopg2' || skip_all 'no psycopg2 here'

seed=${SEED:-$RANDOM$RANDOM}

own_cluster "$work" "deadlock_timeout = '50ms'" "log_line_prefix = '%e %a '" 'log_min_error_statement = panic' \
	'jit = off' "client_min_messages = 'error'" && createdb t_parts && sql t_parts -f "$here/parts/shop.sql"
ok 'two shops' || done_testing
echo "# make check TESTS=t:parts SEED=$seed PARTS_SECONDS=${PARTS_SECONDS:-15}"
PGDATABASE=t_parts PYTHONDONTWRITEBYTECODE=1 PYTHONHASHSEED=0 "$python" "$here/parts/clients.py" "$seed" \
	"${PARTS_SECONDS:-15}" 2>&1 | sed -u 's/^/# /'
ok "all that must hold does, seed $seed"
is "$(grep -E '^(XX|40P01|58|53|57P0[123]) |PANIC|FATAL|TRAP|terminated by signal' "$work/server.log" |
	grep -v 'terminating .* due to administrator' | sort | uniq -c)" '' 'no deadlock, no internal error, no crash'
done_testing
