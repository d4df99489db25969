#!/usr/bin/env bash
# Runs every test against a PostgreSQL that checks itself: its assertions are on
# and freed memory is overwritten, so what only happens to go well elsewhere
# breaks here. make check-asserts calls it.
#
#   make check-asserts                             builds the server when it is
#                                                  not there yet, 5 to 8 minutes
#   make check-asserts TESTS="pgtap:refunds"       as for make check
#   make check-asserts ASSERTS=/srv/pg-asserts     where the server is kept
#   make check-asserts BUILD_ONLY=1                the server only; then for example
#   make fuzz PG_CONFIG=/var/tmp/postgresql-asserts-15/bin/pg_config
#
# It is built from Debian's source package, of PostgreSQL PG_MAJOR. Of /etc/apt
# it reads the sources, and changes nothing.
set -u
. "$(dirname "$0")/lib.sh"

# User postgres has to be able to read it, so not in a home. No name that begins
# with ordcancel: lib.sh leaves those out of its copy.
major=${PG_MAJOR:-15}
prefix=${ASSERTS:-/var/tmp/postgresql-asserts-$major}

# A change of these builds it anew.
configuration="postgresql-$major --enable-cassert --enable-debug --with-icu --without-readline CFLAGS=-O1"
extensions()
{
	grep -rhoE 'CREATE EXTENSION [a-z_]+' "$top/test" | sed 's/.* //' | sort -u
}

# The newest version that can be had: a mirror may lack what its lists name.
fetch()
{
	local from options version

	mkdir -p apt/sources apt/lists/partial apt/cache/archives/partial
	for from in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
		[ ! -r "$from" ] ||
			sed 's/^Types:.*/Types: deb-src/; s/^deb /deb-src /' "$from" >"apt/sources/${from##*/}"
	done
	options=(-q -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$PWD/apt/sources"
		-o Dir::State::Lists="$PWD/apt/lists" -o Dir::Cache="$PWD/apt/cache" -o APT::Sandbox::User=)
	apt-get "${options[@]}" update ||
		echo "check-asserts: going on with the package lists that could be had"
	for version in $(apt-cache "${options[@]}" showsrc --only-source "postgresql-$major" |
		sed -n 's/^Version: //p' | sort -Vr); do
		! apt-get "${options[@]}" source --download-only "postgresql-$major=$version" || return 0
	done
	return 1
}

make_server()
{
	local name

	fetch && dpkg-source --no-check -x postgresql-*.dsc source && cd source || return
	./configure --prefix="$prefix" --enable-cassert --enable-debug --with-icu \
		--without-readline CFLAGS='-O1 -fno-omit-frame-pointer' &&
		make -j"$(nproc)" all && make install || return
	for name in $(extensions); do
		[ ! -d "contrib/$name" ] || make -C "contrib/$name" install || return
	done
}

if [ "$(cat "$prefix/built" 2>/dev/null)" != "$configuration $(extensions | xargs)" ]; then
	[ ! -e "$prefix" ] || { [ -O "$prefix" ] && [ -e "$prefix/bin/postgres" ]; } ||
		die "$prefix is something else"
	BENCH_PACKAGES="dpkg-dev bzip2 xz-utils perl bison flex libicu-dev pkg-config zlib1g-dev" \
		"$top/test/setup.sh" || exit
	work=$(mktemp -d /var/tmp/ordcancel-build.XXXXXX)
	trap 'rm -rf "$work"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	echo "check-asserts: building PostgreSQL $major with assertions in $prefix"
	rm -rf "$prefix"
	# In a subshell: nothing of the caller's make goes into the build.
	(cd "$work" && unset "${!MAKE@}" MFLAGS && make_server) >"$work/log" 2>&1 || {
		tail -n 40 "$work/log"
		die "could not build PostgreSQL"
	}
	echo "$configuration $(extensions | xargs)" >"$prefix/built"
	rm -rf "$work"
	trap - EXIT
fi
[ -z "${BUILD_ONLY:-}" ] || exit 0
PG_CONFIG=$prefix/bin/pg_config exec "$top/test/check.sh"
