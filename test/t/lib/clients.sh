# shellcheck shell=bash
# Read by the scripts that run the programs of test/clients.

# Python of Debian, where the packages are. No files are left behind.
python()
{
	timeout 120 /usr/bin/python3 -B "$@"
}

node()
{
	NODE_PATH=$CLIENT_MODULES timeout 120 node "$@"
}

have_modules()
{
	[ -d "${CLIENT_MODULES:-}" ]
	ok 'the npm packages of test/clients are there; without them (no npm, no registry?) nothing here can run' ||
		done_testing
}

# A program in a database of its own, with the shop of test/clients. Its
# assertions are shown; they count as one.
program() # COMMAND FILE
{
	fresh_database "$db" && sql "$db" -f test/clients/shop.sql >/dev/null &&
		PGDATABASE=$db "$1" "test/clients/$2"
	ok "$2"
}
