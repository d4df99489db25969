#!/usr/bin/env bash
# Checks the sources against every supported version of PostgreSQL: compiles
# them against its server headers, and runs the whole suite on it. make
# check-versions calls it.
#
#   make check-versions                            all versions
#   make check-versions VERSIONS="15 18"           only these
#   make check-versions TESTS="pgtap:refunds t"    as for make check
#   make check-versions COMPILE_ONLY=1             without the suite
#   make check-versions ASSERTS_ON=17              the one whose server is built with
#                                                  assertions (see check-asserts.sh);
#                                                  empty for none
#   make check-versions CACHE=/srv/ordcancel       where headers and chroots are kept
#   make check-versions RESULTS=/tmp/out           keep outputs and logs there
#   make check-versions MIRROR=http://...          the mirror of Debian to use
#
# A version that is installed here, or that this machine's package sources have,
# is tested here. Any other is tested in a chroot of the Debian release that has
# it, which is made the first time and brought up to date after that. Headers want
# the compiler and the libc that they were made with, so they are no use outside.
set -u
. "$(dirname "$0")/lib.sh"

supported="15 16 17 18 19"
versions=${VERSIONS:-$supported}
asserts_on=${ASSERTS_ON-18}
compile_only=${COMPILE_ONLY:-}
cache=${XDG_CACHE_HOME:-${HOME:-/}/.cache}/ordcancel
[ "$(id -u)" -ne 0 ] || cache=/var/cache/ordcancel
shared_cache=$cache
cache=${CACHE:-$cache}
results=${RESULTS:-}
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
# The lists of a mirror that lags behind are good enough here.
stale_ok=Acquire::Check-Valid-Until=false

table=
passed=0
failed=0
checked=0
job=
ready=

# The Debian release that has this version, when this machine has not. 16 is in
# none.
release_of() # VERSION
{
	case $1 in
		15) echo bookworm ;;
		17) echo trixie ;;
		18) echo sid ;;
		19) echo experimental ;;
	esac
}

# A prerelease is only compiled against.
has_suite() # VERSION
{
	[ -z "$compile_only" ] && [ "$1" -lt 19 ]
}

is_here() # VERSION
{
	[ -d "/usr/lib/postgresql/$1/lib/pgxs" ] ||
		apt-cache policy "postgresql-server-dev-$1" | grep -q '^  Candidate: [0-9]'
}

say()
{
	printf '\n== %s\n' "$*"
}

row() # VERSION WHERE COMPILED SUITE PASSED FAILED SECONDS
{
	local time=

	[ -z "$7" ] || time=$(printf '%d:%02d' $(($7 / 60)) $(($7 % 60)))
	table+=$(printf '%-8s %-20s %-12s %-16s %7s %7s %7s' "${@:1:6}" "$time")$'\n'
}

find_mirror()
{
	# shellcheck disable=SC2016
	apt-get indextargets --format '$(REPO_URI) $(CODENAME)' \
		'Created-By: Packages' 'Origin: Debian' 'Component: main' |
		sed -n 's/ [a-z]*$//p' | head -n 1
}

# Runs where the headers are: here, or in a chroot. Each source by itself, with
# the flags of the Makefile. Optimized, since some warnings come from that.
compile() # HEADERS-OF-THE-SERVER
{
	local flags

	TO_SHOW=1 "$top/test/setup.sh" || return
	unset "${!MAKE@}" MFLAGS
	cd "$top" || return
	flags=$(make -s PG_CONFIG="/usr/lib/postgresql/$(installed_major)/bin/pg_config" \
		WERROR=1 show-CFLAGS) || return
	echo "compiling $(find src -name '*.c' | wc -l) sources for PostgreSQL" \
		"$(sed -n 's/^#define PG_VERSION "\(.*\)"/\1/p' "$1/pg_config.h")"
	# shellcheck disable=SC2086
	find src -name '*.c' -print0 |
		xargs -0 -n 1 -P "$(nproc)" gcc $flags -D_GNU_SOURCE -Isrc -I"$1" -c -o /dev/null &&
		echo "compiled without a warning"
}

# Experimental is not a whole release: its headers go into a chroot of sid.
lent_headers() # VERSION RELEASE
{
	local dir=$cache/headers-$1 apt=$cache/apt-$2 name=postgresql-server-dev-$1 options

	mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$dir"
	echo "deb [signed-by=$keyring] $mirror $2 main" >"$apt/sources.list"
	options=(-q -o Dir::Etc::SourceList="$apt/sources.list" -o Dir::Etc::SourceParts=/dev/null
		-o Dir::State::Lists="$apt/lists" -o Dir::Cache="$apt" -o Acquire::Languages=none
		-o APT::Sandbox::User= -o "$stale_ok")
	apt-get "${options[@]}" update >"$apt/log" 2>&1 ||
		echo "check-versions: going on with the package lists that could be had"
	(cd "$dir" && rm -f ./*.deb && apt-get "${options[@]}" download "$name" >>"$apt/log" 2>&1 &&
		rm -rf usr && dpkg -x "$name"_*.deb .) || {
		tail -n 20 "$apt/log"
		return 1
	}
}

# In a process group of its own, so that all of it can be stopped at once; what
# it prints is kept as well.
run() # LOG COMMAND [ARGUMENT...]
{
	local log=$1

	shift
	set -m
	"$@" </dev/null 2>&1 | tee "$log" &
	job=$(jobs -p %+)
	set +m
	wait $!
	job=
}

# Mounts and processes are in namespaces: they end with the command, whatever
# ends it.
apart() # COMMAND [ARGUMENT...]
{
	unshare --mount --pid --ipc --fork --kill-child -- "$@"
}

# Stands in the namespaces, as their first process: it needs a trap, since a
# first process ignores signals for which it has none.
# shellcheck disable=SC2016
in_chroot='
	trap "exit 130" INT TERM HUP
	root=$1
	shift
	mount -t proc proc "$root/proc" && mount -t tmpfs tmpfs "$root/dev/shm" &&
		mount -t devpts -o newinstance,ptmxmode=666 devpts "$root/dev/pts" &&
		mkdir -p "$root/var/cache/ordcancel" && mount --bind "$SHARED_CACHE" "$root/var/cache/ordcancel" || exit
	env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
		CI="${CI:-}" TESTS="${TESTS:-}" RESULTS="${RESULTS:+/work/results}" PG_MAJOR="$PG_MAJOR" \
		${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
		chroot "$root" "$@"
	exit'

make_chroot() # RELEASE DIRECTORY
{
	say "making a chroot of Debian $1 in $2"
	rm -rf --one-file-system "$2.new"
	apart debootstrap --variant=minbase --include=ca-certificates --keyring="$keyring" \
		"$1" "$2.new" "$mirror" >"$2.log" 2>&1 || {
		tail -n 20 "$2.log"
		return 1
	}
	echo "${stale_ok/=/ };" >"$2.new/etc/apt/apt.conf.d/ordcancel"
	echo force-unsafe-io >"$2.new/etc/dpkg/dpkg.cfg.d/ordcancel"
	mv "$2.new" "$2"
}

# Once for each release.
chroot_ready() # RELEASE
{
	local root=$cache/chroot-$1 lock

	[[ $ready != *" $1 "* ]] || return 0
	exec {lock}>"$root.lock"
	flock -n "$lock" || {
		echo "check-versions: another run is using $root"
		return 1
	}
	[ -d "$root" ] || make_chroot "$1" "$root" || return
	cp -L /etc/hosts /etc/resolv.conf "$root/etc"
	rm -rf --one-file-system "$root"/work "$root"/tmp/* "$root"/var/tmp/ordcancel-build.*
	mkdir -p "$root/work/main" "$root/work/results"
	tar -C "$top" --exclude=./.git -cf - . | tar -C "$root/work/main" --no-same-owner -xf -
	# As lib.sh does: real orders that a test replays where they are at hand.
	if [ -r "$top/../shared/data" ]; then
		mkdir "$root/work/shared"
		cp -r "$top/../shared/data" "$root/work/shared"
	fi
	say "bringing the chroot of Debian $1 up to date"
	run "$work/apt.log" apart bash -c "$in_chroot" apart "$root" \
		sh -c 'dpkg --configure -a; apt-get -q update && apt-get -q -y --no-install-recommends dist-upgrade' \
		>/dev/null
	grep -E '^[0-9]+ upgraded|^E:|^W:' "$work/apt.log"
	ready+=" $1 "
}

# Here, or in the chroot.
run_there() # RELEASE LOG SCRIPT [ARGUMENT...]
{
	local release=$1 log=$2 script=$3

	shift 3
	if [ -n "$release" ]; then
		run "$log" apart bash -c "$in_chroot" apart "$cache/chroot-$release" "/work/main/$script" "$@"
	else
		run "$log" "$top/$script" "$@"
	fi
}

check() # VERSION
{
	local version=$1 release='' where='this machine' log=$work/$1.log headers script=check.sh
	local compiled=FAILED suite='not asked for' ok='' bad='' seconds='' from

	if ! is_here "$version"; then
		release=$(release_of "$version")
		where="Debian $release"
	fi
	if [ "$where" = 'Debian ' ]; then
		say "PostgreSQL $version: not checked: neither this machine nor a Debian release has it"
		row "$version" '-' 'NOT CHECKED' '-' '' '' ''
		[ -z "${VERSIONS:-}" ] || failed=$((failed + 1))
		return
	fi

	export PG_MAJOR=$version RESULTS=${results:+$results/$version}
	headers=/usr/include/postgresql/$version/server
	if [ "$release" = experimental ]; then
		release=sid
		PG_MAJOR=18
	fi
	if [ -n "$release" ] && ! chroot_ready "$release"; then
		row "$version" "$where" 'NO CHROOT' '-' '' '' ''
		failed=$((failed + 1))
		return
	fi
	say "PostgreSQL $version on $where: compiling"
	if [ "$where" = 'Debian experimental' ]; then
		lent_headers "$version" experimental ||
			echo "check-versions: going on with the headers that were fetched before, if any"
		rm -rf "$cache/chroot-$release/work/headers"
		cp -r "$cache/headers-$version" "$cache/chroot-$release/work/headers"
		headers=/work/headers$headers
	fi
	run_there "$release" "$log" test/check-versions.sh compile "$headers"
	if grep -q '^compiled without a warning$' "$log"; then
		compiled=ok
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
	fi

	[ "$where" != 'Debian experimental' ] || suite='headers only'
	if has_suite "$version"; then
		say "PostgreSQL $version on $where: the suite"
		from=$SECONDS
		suite=run
		if [ "$version" = "$asserts_on" ]; then
			suite='with assertions'
			script=check-asserts.sh
		fi
		run_there "$release" "$log" "test/$script"
		# A suite that broke off has no such line.
		read -r ok bad < <(sed -nE 's/^([0-9]+) passed, ([0-9]+) failed$/\1 \2/p' "$log" | tail -n 1)
		if [ -z "$ok" ]; then
			suite='broke off'
			ok=0
			bad=1
		fi
		seconds=$((SECONDS - from))
		passed=$((passed + ok))
		failed=$((failed + bad))
		if [ -n "$RESULTS" ]; then
			mkdir -p "$RESULTS"
			cp "$log" "$RESULTS/check.log"
			[ -z "$release" ] || cp -r "$cache/chroot-$release/work/results/." "$RESULTS"
		fi
	fi
	checked=$((checked + 1))
	row "$version" "$where" "$compiled" "$suite" "$ok" "$bad" "$seconds"
}

stop()
{
	trap '' INT TERM HUP
	if [ -n "$job" ]; then
		kill -TERM -- "-$job" 2>/dev/null
		wait
	fi
	exit "$1"
}

command -v apt-get >/dev/null || die "needs the packages of Debian"
if [ "${1:-}" = compile ]; then
	compile "$2"
	exit
fi
packages=debian-archive-keyring
mirror=${MIRROR:-}
for version in $versions; do
	case " $supported " in *" $version "*) ;; *) die "PostgreSQL $version is not supported: $supported" ;; esac
	is_here "$version" || [ -z "$(release_of "$version")" ] || {
		[ "$(id -u)" -eq 0 ] ||
			die "PostgreSQL $version is tested in a chroot, which only root can make: run it as root," \
				"or name other VERSIONS"
		packages+=" debootstrap"
	}
done
if [[ $packages == *debootstrap ]]; then
	TO_SHOW=1 BENCH_PACKAGES=$packages "$top/test/setup.sh" || exit
	mirror=${mirror:-$(find_mirror)}
	[ -n "$mirror" ] || {
		apt-get -q update
		mirror=$(find_mirror)
	}
	[ -n "$mirror" ] || die "the package sources of this machine name no mirror of Debian: set MIRROR"
fi

mkdir -p "$cache" "$shared_cache"
[ -z "$results" ] || { mkdir -p "$results" && results=$(cd "$results" && pwd) || exit; }
export SHARED_CACHE=$shared_cache
work=$(mktemp -d /tmp/ordcancel-versions.XXXXXX)
trap 'rm -rf "$work"' EXIT
trap 'stop 130' INT
trap 'stop 143' TERM HUP
for version in $versions; do
	check "$version"
done

echo
printf '%-8s %-20s %-12s %-16s %7s %7s %7s\n%s\n' \
	version where compiled suite passed failed time "$table"
echo "$passed passed, $failed failed"
[ "$checked" -gt 0 ] && [ "$failed" -eq 0 ]
