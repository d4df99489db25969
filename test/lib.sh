# shellcheck shell=bash
# Read by the scripts beside it: which server, and a private one of it.
#
# The tests never use the installed server itself but a copy in a temporary
# directory: PostgreSQL finds its files from where its program lies, so the
# extension is installed into the copy, and a cluster that is already there
# sees nothing of it. initdb and pg_ctl start it, not pg_virtualenv, which
# knows only servers in Debian's place.
#
# With KEEP set the copy, the build and an initialized cluster are kept for the
# next run. Each run still starts a new copy of that cluster and stops it at the
# end, so it finds nothing that an earlier run has left, and no server has an old
# library loaded.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=
kept=
kept_prefix=/var/tmp/ordcancel-check-$(id -u)-
clean_first=
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

find_pg_config()
{
	command -v "${PG_CONFIG:-/usr/lib/postgresql/${PG_MAJOR:-$(installed_major)}/bin/pg_config}"
}

# What the kept copy of a server depends on. If any of it changes, the copy is
# made anew.
kept_stamp()
{
	"$pg_config" --version
	stat -Lc %Y "$("$pg_config" --bindir)/postgres"
	cksum <"$top/test/lib.sh"
	cksum <"$top/test/setup.sh"
	echo "${CLIENT_PACKAGES:-}"
}

# With KEEP set, the directory that this user's runs for this checkout and
# server share, locked, in kept. Fails if there is none or it is not usable yet.
take_kept()
{
	[ -n "${KEEP:-}" ] && pg_config=$(find_pg_config) && command -v flock >/dev/null || return
	kept=$kept_prefix$(echo "$top $pg_config" | cksum | cut -d ' ' -f 1)
	mkdir "$kept" 2>/dev/null || { [ -d "$kept" ] && [ ! -L "$kept" ] && [ -O "$kept" ]; } ||
		die "$kept belongs to another user"
	exec 9>>"$kept/lock"
	if ! flock -n 9; then
		echo "another run uses $kept: starting from scratch"
		exec 9>&-
		kept=
		return 1
	fi
	stop_clusters "$kept/work"
	echo "$top" >"$kept/checkout"
	[ "$(cat "$kept/stamp" 2>/dev/null)" != "$(kept_stamp)" ] || return 0
	rm -rf "$kept/work" "$kept/stamp"
	return 1
}

# A copy of the installed server, without ordcancel.
copy_server()
{
	local name from

	for name in bindir pkglibdir sharedir includedir-server; do
		from=$("$pg_config" "--$name")
		mkdir -p "$work/server$from"
		cp -rs "$from/." "$work/server$from"
	done
	cp --remove-destination "$("$pg_config" --bindir)"/* "$bin"
	find "$work/server" -name 'ordcancel*' -exec rm -rf {} +
	from=$work/server$("$pg_config" --sharedir)/extension
	[ -e "$from/pgtap.control" ] || [ -n "${TO_SHOW:-}" ] ||
		cp -s /usr/share/postgresql/*/extension/pgtap* "$from"
}

# Brings the files of the checkout into tree/, those that are new or differ, so
# that make builds no more than it has to. Contents are compared, not times.
copy_sources()
{
	touch "$work/sources"
	(cd "$top" && find . \( -name .git -o -name '*.o' -o -name '*.bc' -o -name '*.so' -o -path './ordcancel--*' \
		-o -path './tmp_check*' -o -path ./results -o -path ./output_iso -o -path ./log -o -path './regression.*' \) \
		-prune -o -type f -print0 | xargs -0 sha1sum | LC_ALL=C sort) >"$work/sources.new"
	# Nothing else would link the library anew without it.
	LC_ALL=C join -v 1 -j 2 <(LC_ALL=C sort -k 2 "$work/sources") <(LC_ALL=C sort -k 2 "$work/sources.new") |
		grep -q '^\./src/' && clean_first=yes
	LC_ALL=C comm -23 "$work/sources" "$work/sources.new" | cut -c 43- | (cd "$work/tree" && xargs -rd '\n' rm -f)
	LC_ALL=C comm -13 "$work/sources" "$work/sources.new" | cut -c 43- |
		tar -C "$top" -cf - -T - | tar -C "$work/tree" -xmf - --no-same-owner --no-same-permissions
	mv "$work/sources.new" "$work/sources"
}

# Packages, then the copies: tree/ of the sources, server/ of PostgreSQL.
prepare()
{
	local name ready=

	if take_kept; then
		ready=yes
	else
		"$top/test/setup.sh" || exit
	fi
	pg_config=$(find_pg_config) || die "no such program: ${PG_CONFIG:-pg_config of PostgreSQL ${PG_MAJOR:-}}"

	# Nothing of the caller's settings may lead to another server.
	for name in ${!PG@} ${!MAKE@} MFLAGS; do
		case $name in PG_*) ;; *) unset "$name" ;; esac
	done

	trap cleanup EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	if [ -n "$kept" ]; then
		work=$kept/work
		rm -rf "$work"/{data,tmp,shared,tree/results,tree/output_iso,*.out,server.log}
	else
		work=$(mktemp -d /tmp/ordcancel.XXXXXX)
	fi
	bin=$work/server$("$pg_config" --bindir)
	# What of libpq is not in the copy.
	LIBPQ_FLAGS="-I$("$pg_config" --includedir) -L$("$pg_config" --libdir) -Wl,-rpath,$("$pg_config" --libdir)"
	export LIBPQ_FLAGS
	mkdir -p "$work/tree" "$work/tmp"
	[ -n "$ready" ] || copy_server
	copy_sources
	if [ -r "$top/../shared/data" ]; then
		mkdir "$work/shared"
		cp -r "$top/../shared/data" "$work/shared"
		export ORDCANCEL_SHARED=$work/shared
	else
		unset ORDCANCEL_SHARED
	fi
	chmod -R u+w "$work/tree" "$work/tmp" ${ORDCANCEL_SHARED:+"$work/shared"}
	[ "$(id -u)" -ne 0 ] || chown -R postgres:postgres "$work"
	[ -z "$kept" ] || kept_stamp >"$kept/stamp"

	cd "$work/tree" || exit
	export PATH=$bin:$PATH HOME=$work TMPDIR=$work/tmp LC_ALL=C.UTF-8
	export PGHOST=$work PGUSER=postgres PGDATABASE=postgres
	export PGDATA=$work/data PGPORT=$((20000 + RANDOM % 10000))
}

# LLVM's bitcode, which no test needs, would compile every file once more.
tree_make()
{
	as_user make -s PG_CONFIG="$bin/pg_config" WERROR=1 ${kept:+with_llvm=no} "$@"
}

build()
{
	echo "building for $("$pg_config" --version)"
	if [ -n "$clean_first" ]; then
		tree_make clean || return
	fi
	tree_make -O -j"$(nproc)" all && tree_make install >"$work/install.out"
}

# Also brings up again what a test has left down.
server_up()
{
	if [ ! -d "$PGDATA" ] && [ -d "$work/initialized" ]; then
		as_user cp -r "$work/initialized" "$PGDATA"
	elif [ ! -d "$PGDATA" ]; then
		as_user initdb -U postgres -A trust -E UTF8 --no-locale --no-sync \
			>"$work/initdb.out" || return
		as_user tee -a "$PGDATA/postgresql.conf" >/dev/null <<-CONF
			listen_addresses = ''
			unix_socket_directories = '$work'
			shared_preload_libraries = ''
			max_prepared_transactions = 10
			fsync = off
		CONF
		[ -z "$kept" ] || as_user cp -r "$PGDATA" "$work/initialized"
	fi
	# The server must not hold the lock of the kept directory.
	as_user pg_ctl status >/dev/null ||
		as_user pg_ctl -s -w -l "$work/server.log" start 9>&-
}

# Those whose data directories are below it.
stop_clusters() # DIRECTORY
{
	local pid

	find "$1" -name postmaster.pid 2>/dev/null | while read -r pid; do
		as_user "$("$pg_config" --bindir)/pg_ctl" -s -D "${pid%/*}" -m immediate stop </dev/null
	done
}

# Also stops the clusters that a test made for itself.
cleanup()
{
	trap '' INT TERM HUP
	[ -n "$work" ] || return
	stop_clusters "$work"
	cd / || return
	if [ -n "$kept" ]; then
		rm -rf "$work/data" "$work/tmp"
	else
		rm -rf "$work"
	fi
}
