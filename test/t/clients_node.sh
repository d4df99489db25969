#!/usr/bin/env bash
# Clients in JavaScript: a call, a refusal, a stale save, LISTEN.
set -u
here=$(dirname "$0")
. "$here/lib/tap.sh"
. "$here/lib/clients.sh"
db=t_clients
cd "$here/../.." || exit
trap 'dropdb --if-exists $db' EXIT

have_modules
for name in node_postgres typeorm sequelize mikro_orm; do
	program node "$name.js"
done
done_testing
