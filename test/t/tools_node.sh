#!/usr/bin/env bash
# drizzle-kit, node-pg-migrate and PostGraphile beside ordcancel. doc/tools.md
# shows these commands.
set -u
. "$(dirname "$0")/lib/tap.sh"
. "$here/lib/clients.sh"
db=t_tools
cd "$here/../.." || exit
clients=$PWD/test/clients

have_modules
cp -r "$clients/drizzle" "$clients/migrations" "$work"
ln -s "$CLIENT_MODULES" "$work/node_modules"
cd "$work" || exit

npx()
{
	PGDATABASE=$db DATABASE_URL="postgresql://$PGUSER@/$db?host=$PGHOST&port=$PGPORT" \
		node "$(readlink -f "node_modules/.bin/$1")" "${@:2}" </dev/null 2>&1
}

cancels()
{
	sql $db -c "INSERT INTO orders VALUES (1, 'placed')" \
		-c "SELECT state, changed FROM ordcancel.cancel_order('orders', 1)"
}

# ------------------------------------------------------------ node-pg-migrate

fresh_database $db && sql $db -f "$clients/tools.sql"
npx node-pg-migrate up
is "$(cancels)" 'canceled|t' 'node-pg-migrate: a migration sets the rules up'
npx node-pg-migrate down 2
npx node-pg-migrate up
is "$(cancels)" 'canceled|t' 'migrations go down and up'

# ---------------------------------------------------------------- drizzle-kit

cd drizzle && ln -s "$CLIENT_MODULES" node_modules
sql $db -c 'DROP TABLE pgmigrations'
push=$(npx drizzle-kit push)
like "$push" 'No changes detected' 'drizzle-kit: push does not see records in a schema of their own'
sql $db -c "SELECT ordcancel.detach('orders')" >/dev/null
sql $db -c "SELECT ordcancel.attach('orders', 'status'), ordcancel.set_policy('orders', canceled_status => 'canceled'),
	ordcancel.set_rule('orders', 'placed', merchant => 'cancel')" >/dev/null
push=$(npx drizzle-kit push)
like "$push" 'No changes detected' 'nor those that tablesFilter leaves out'
sed -i '/tablesFilter/d' drizzle.config.js
npx drizzle-kit push
is "$(sql $db -c "SELECT to_regclass('orders_cancellation'), to_regclass('orders_cancellation_event')")" '|' \
	'without it, those that are empty are dropped, and nobody is asked'
is "$(sql $db -c "SELECT ordcancel.attach('orders', 'status')" \
	-c "INSERT INTO orders VALUES (2, 'placed')" -c "SELECT state, changed FROM ordcancel.cancel_order('orders', 2)" |
	tail -n 1)" 'canceled|t' \
	'attach makes them again'
cd "$work" || exit
dropdb $db

# --------------------------------------------------------------- PostGraphile

fresh_database $db && sql $db -f "$clients/shop.sql" -f "$clients/api.sql" >/dev/null &&
	PGDATABASE=$db node "$clients/postgraphile.js"
ok postgraphile.js
done_testing
