#!/usr/bin/env bash
# Clients in JavaScript: a call, a refusal, a stale save, LISTEN.
set -u
. "$(dirname "$0")/lib/tap.sh"
. "$here/lib/clients.sh"
db=t_clients
cd "$here/../.." || exit

have_modules
for name in node_postgres typeorm sequelize mikro_orm; do
	program node "$name.js"
done
done_testing
