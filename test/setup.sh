#!/usr/bin/env bash
# Installs what make check and make demo need and this Debian machine lacks,
# for PostgreSQL version PG_MAJOR (else the highest that is here, or that
# Debian has); with TO_SHOW set without what only tests need. Makes, starts and
# stops no cluster.
# shellcheck disable=SC2046
set -eu
. "$(dirname "$0")/lib.sh"

no_main=/etc/postgresql-common/createcluster.d/zz-ordcancel.conf
policy=/usr/sbin/policy-rc.d
made=()
missing=()
logs=()

as_root()
{
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

apt()
{
	local log

	log=$(mktemp)
	logs+=("$log")
	ticking "$log" as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 \
		apt-get "$@" </dev/null && return
	cat "$log" >&2
	return 1
}

# Those of the packages that are not installed.
lacking()
{
	local package

	for package; do
		[ "$(dpkg-query -Wf '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
			echo "$package"
	done
}

packages()
{
	echo gcc make libc6-dev postgresql-common
	echo "postgresql-$1 postgresql-server-dev-$1"
	[ -n "${TO_SHOW:-}" ] ||
		echo "libtap-parser-sourcehandler-pgtap-perl python3-psycopg2 postgresql-$1-pgtap"
	echo "${BENCH_PACKAGES:-} ${CLIENT_PACKAGES:-}"
}

# Not every release has these, and only some tests use them.
extras()
{
	[ -n "${TO_SHOW:-}" ] ||
		apt-cache -n search "^(postgresql-$1-(cron|plproxy|wal2json)|chromium|fonts-dejavu-core)\$" | cut -d ' ' -f 1
}

# The highest version that the package lists have.
offered_major()
{
	apt-cache -n search '^postgresql-server-dev-[0-9]+$' |
		sed 's/^[^0-9]*\([0-9]*\) .*/\1/' | sort -n | tail -n 1
}

root_file()
{
	[ ! -e "$1" ] || return 0
	made+=("$1")
	[ -d "${1%/*}" ] || made+=("${1%/*}")
	as_root mkdir -p "${1%/*}"
	as_root tee "$1" >/dev/null
	as_root chmod 755 "$1"
}

restore()
{
	[ ${#made[@]} -eq 0 ] || as_root rm -df "${made[@]}" || true
	[ ${#logs[@]} -eq 0 ] || rm -f "${logs[@]}"
}

command -v apt-get >/dev/null || {
	echo "setup: not Debian, taking what is here"
	exit 0
}

major=${PG_MAJOR:-$(installed_major)}
if [ -n "$major" ]; then
	mapfile -t missing < <(lacking $(packages "$major") $(extras "$major"))
	[ ${#missing[@]} -gt 0 ] || exit 0
fi
as_root true || die "neither root nor sudo, to install ${missing[*]:-PostgreSQL}"

trap restore EXIT
echo "setup: reading the package lists"
apt update || echo "setup: going on with the old lists"
major=${major:-$(offered_major)}
[ -n "$major" ] || die "no postgresql-server-dev package here"

# Only what is missing is named: an upgrade would restart a cluster.
mapfile -t missing < <(lacking $(packages "$major") $(extras "$major"))
echo "setup: installing ${missing[*]}" | fold -s -w 79

# A new server package would make a cluster named main and start every cluster
# that is down.
root_file "$no_main" <<<'create_main_cluster = false'
root_file "$policy" <<<$'#!/bin/sh\nexit 101'
apt install -y --no-install-recommends "${missing[@]}" ||
	die "could not install ${missing[*]}"
