# shellcheck shell=bash
# Read by setup.sh, check.sh and demo.sh: which server, and a private one of it.
#
# The tests never use the installed server itself but a copy in a temporary
# directory: PostgreSQL finds its files from where its program lies, so the
# extension is installed into the copy, and a cluster that is already there
# sees nothing of it. initdb and pg_ctl start it, not pg_virtualenv, which
# knows only servers in Debian's place.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=
umask 022

die()
{
	echo "${0##*/}: $*" >&2
	exit 1
}

# Runs it, with what it says in a file. On a terminal the seconds are counted
# meanwhile; a counter ignores Ctrl-C as every job does, so it looks whether
# the script is still there.
ticking() # FILE COMMAND [ARGUMENT...]
{
	local out=$1 from=$SECONDS status=0 counter=

	shift
	if [ -t 1 ]; then
		while sleep 1 && kill -0 $$ 2>/dev/null; do
			printf '\r%4d s' $((SECONDS - from))
		done &
		counter=$!
	fi
	"$@" >"$out" 2>&1 || status=$?
	if [ -n "$counter" ]; then
		kill "$counter" && wait "$counter" || true
		printf '\r      \r'
	fi 2>/dev/null
	return $status
}

# PostgreSQL refuses to run as root.
as_user()
{
	if [ "$(id -u)" -eq 0 ]; then
		setpriv --reuid=postgres --regid=postgres --init-groups -- "$@"
	else
		"$@"
	fi
}

# The highest version that extensions can be built for here, if there is one.
installed_major()
{
	local pgxs

	for pgxs in /usr/lib/postgresql/*/lib/pgxs; do
		[ -d "$pgxs" ] && basename "${pgxs%/lib/pgxs}"
	done | sort -n | tail -n 1
}

# Packages, then the copies: tree/ of the sources, server/ of PostgreSQL.
prepare()
{
	local name from

	"$top/test/setup.sh" || exit
	name=${PG_CONFIG:-/usr/lib/postgresql/${PG_MAJOR:-$(installed_major)}/bin/pg_config}
	pg_config=$(command -v "$name") || die "no such program: $name"

	# Nothing of the caller's settings may lead to another server.
	for name in ${!PG@} ${!MAKE@} MFLAGS; do
		case $name in PG_*) ;; *) unset "$name" ;; esac
	done

	trap cleanup EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	work=$(mktemp -d /tmp/ordcancel.XXXXXX)
	mkdir "$work/tree" "$work/tmp"
	tar -C "$top" --exclude=./.git -cf - . | tar -C "$work/tree" -xf -
	if [ -r "$top/../shared/data" ]; then
		mkdir "$work/shared"
		cp -r "$top/../shared/data" "$work/shared"
		export ORDCANCEL_SHARED=$work/shared
	else
		unset ORDCANCEL_SHARED
	fi
	chmod -R u+w "$work"

	for name in bindir pkglibdir sharedir includedir-server; do
		from=$("$pg_config" "--$name")
		mkdir -p "$work/server$from"
		cp -rs "$from/." "$work/server$from"
	done
	bin=$work/server$("$pg_config" --bindir)
	cp --remove-destination "$("$pg_config" --bindir)"/* "$bin"
	find "$work/server" -name 'ordcancel*' -exec rm -rf {} +
	from=$work/server$("$pg_config" --sharedir)/extension
	[ -e "$from/pgtap.control" ] || [ -n "${TO_SHOW:-}" ] ||
		cp -s /usr/share/postgresql/*/extension/pgtap* "$from"

	[ "$(id -u)" -ne 0 ] || chown -R postgres:postgres "$work"
	cd "$work/tree" || exit
	export PATH=$bin:$PATH HOME=$work TMPDIR=$work/tmp LC_ALL=C.UTF-8
	export PGHOST=$work PGUSER=postgres PGDATABASE=postgres
	export PGDATA=$work/data PGPORT=$((20000 + RANDOM % 10000))
}

tree_make()
{
	as_user make -s PG_CONFIG="$bin/pg_config" WERROR=1 "$@"
}

build()
{
	echo "building for $("$pg_config" --version)"
	tree_make clean && tree_make -O -j"$(nproc)" all && tree_make install >"$work/install.out"
}

# Also brings up again what a test has left down.
server_up()
{
	if [ ! -d "$PGDATA" ]; then
		as_user initdb -U postgres -A trust -E UTF8 --no-locale --no-sync \
			>"$work/initdb.out" || return
		as_user tee -a "$PGDATA/postgresql.conf" >/dev/null <<-CONF
			listen_addresses = ''
			unix_socket_directories = '$work'
			shared_preload_libraries = ''
			max_prepared_transactions = 10
			fsync = off
		CONF
	fi
	as_user pg_ctl status >/dev/null ||
		as_user pg_ctl -s -w -l "$work/server.log" start
}

# Also stops the clusters that a test made for itself.
cleanup()
{
	local pid

	trap '' INT TERM HUP
	[ -n "$work" ] || return
	find "$work" -name postmaster.pid 2>/dev/null | while read -r pid; do
		as_user pg_ctl -s -D "${pid%/*}" -m immediate stop </dev/null
	done
	cd / && rm -rf "$work"
}
