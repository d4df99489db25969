#!/usr/bin/env bash
# Clients in Python: a call, a refusal, a stale save, LISTEN.
set -u
. "$(dirname "$0")/lib/tap.sh"
. "$here/lib/clients.sh"
db=t_clients
cd "$here/../.." || exit

for name in psycopg3 sqlalchemy_orm django_orm asyncpg_casts; do
	program python "$name.py"
done
done_testing
