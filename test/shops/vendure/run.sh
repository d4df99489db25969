#!/usr/bin/env bash
# A Vendure server from npm, once without and once with ordcancel, driven through
# its API. doc/shops/vendure.md shows what is set up here.
#
#   run.sh packages         the Debian packages that it needs
#   run.sh install CACHE    installs the npm packages below CACHE, prints where
#   run.sh                  runs the tests on the server that PGHOST and PGPORT lead to;
#                           SHOP_FILES is what install printed. ROUNDS is how often
#                           calls meet in each race; FLOWS, a part of the names of the
#                           flows that are run
# shellcheck disable=SC1091,SC2154
set -u
cd "$(dirname "$0")" || exit

# Below a directory that outlives the tests; they are there already the next time.
install_modules() # CACHE
{
	local modules

	modules=$1/$(cat package.json package-lock.json | sha256sum | cut -c 1-16)
	if [ ! -d "$modules" ]; then
		echo 'setup: installing the npm packages of test/shops/vendure' >&2
		mkdir -p "$1"
		new=$(mktemp -d "$1/new.XXXXXX")
		trap 'rm -rf "$new"' EXIT
		cp package.json package-lock.json "$new"
		(cd "$new" && timeout 400 npm ci --ignore-scripts --no-audit --no-fund --loglevel error >&2) || return
		chmod -R a+rX "$new"
		mv -T "$new" "$modules" 2>/dev/null || [ -d "$modules" ] || return
	fi
	echo "$modules/node_modules"
}

case ${1:-} in
	packages)
		# Where node comes from elsewhere, Debian's npm does not go with it.
		command -v npm >/dev/null || echo nodejs npm
		exit ;;
	install)
		umask 022
		install_modules "$2"
		exit ;;
esac

. ../../t/lib/tap.sh
shop=$PWD
export NODE_PATH=${SHOP_FILES:-} VENDURE_DISABLE_TELEMETRY=true TZ=UTC

# Starts a server; its port comes to be in the file NAME.port.
serve() # NAME DATABASE [OPTION...]
{
	: >"$work/$1.log"
	PGDATABASE=$2 PGUSER=vendure node "$shop/server.js" "${@:3}" >>"$work/$1.log" 2>&1 &
	before_exit "kill $! 2>/dev/null"
	wait_for grep -q '^listening on ' "$work/$1.log" &&
		sed -n 's/^listening on //p' "$work/$1.log" >"$work/$1.port"
}

give_up() # FILE
{
	sed 's/^/# /' "$1"
	done_testing
}

cd "$work" || exit
[ -d "$NODE_PATH/@vendure/core" ] && node -e 'process.exit(Number(parseInt(process.versions.node) < 20))'
ok 'node 20 and the npm packages are there; without them (no npm, no registry?) nothing here can run' || done_testing

# Vendure owns its database, as a role that is nothing else.
roles vendure vendure_merchant
fresh_database vendure_with && fresh_database vendure_without &&
	sql postgres -c 'CREATE ROLE vendure LOGIN' -c 'CREATE ROLE vendure_merchant' \
		-c 'ALTER DATABASE vendure_without OWNER TO vendure' &&
	PGDATABASE=vendure_without PGUSER=vendure node "$shop/server.js" --populate >populate.log 2>&1
ok 'Vendure creates its tables and first data' || give_up populate.log

dropdb vendure_with && createdb -T vendure_without -O vendure vendure_with &&
	sql vendure_with -c 'CREATE EXTENSION ordcancel' -c "SELECT ordcancel.grant_owner('vendure')" >/dev/null &&
	PGUSER=vendure sql vendure_with -f "$shop/setup.sql" >setup.log 2>&1 &&
	sql vendure_with -c 'GRANT SELECT ON public."order" TO vendure_merchant' \
		-c "SELECT ordcancel.grant_merchant(r) FROM unnest('{vendure,vendure_merchant}'::regrole[]) AS r" \
		>>setup.log 2>&1
ok 'ordcancel is set up by the role that owns the tables' || give_up setup.log

plain_dump vendure_with -s >before
serve without vendure_without && serve with vendure_with --plugin --synchronize
ok 'both servers answer' || give_up with.log
is "$(plain_dump vendure_with -s | diff before -)" '' \
	'TypeORM, which brings the tables in line with its entities, changes nothing of ordcancel'
like "$(sql vendure_with -c 'SELECT * FROM ordcancel.health')" '^$' 'health has no problem'

TAP_COUNT=$tap_count node "$shop/tests.js" "$(cat without.port)" vendure_without "$(cat with.port)" vendure_with
