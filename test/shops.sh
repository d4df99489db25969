#!/usr/bin/env bash
# Runs real shops with ordcancel attached, on a private server. make shops calls
# it.
#
#   make shops                      all of test/shops
#   make shops SHOPS="tryton"       only these
#   make shops KEEP=yes             keeps the build in /var/tmp, as make check does
#   make shops RESULTS=/tmp/out     keep outputs and logs there
#   make shops SHOPS_SECONDS=900    how long all of them may take, once everything
#                                   is built and installed
#
# A shop is test/shops/NAME/run.sh, which is called with
#   packages        prints the Debian packages that it needs, which setup.sh installs
#   install CACHE   installs what does not come from Debian below a directory that
#                   outlives the tests, and prints where; or nothing
#   (nothing)       runs it, as a user who may read the checkout and owns the server
#                   that PGHOST, PGPORT and PGUSER lead to. SHOP_FILES is what
#                   install printed; the shop makes its own databases. Prints TAP.
set -u
. "$(dirname "$0")/lib.sh"

home=${HOME:-/}
cache=${XDG_CACHE_HOME:-$home/.cache}/ordcancel
[ "$(id -u)" -ne 0 ] || cache=/var/cache/ordcancel
seconds=${SHOPS_SECONDS:-900}
passed=0
failed=0
table=

all_shops()
{
	local run

	for run in "$top"/test/shops/*/run.sh; do
		basename "${run%/run.sh}"
	done
}

count() # SHOP PASSED FAILED
{
	table+=$(printf '%-12s %6d %6d' "$@")$'\n'
	passed=$((passed + $2))
	failed=$((failed + $3))
}

# What a shop printed: a run that breaks off has failed what it did not reach, and
# one that prints no plan has failed.
count_tap() # SHOP FILE STATUS
{
	local ok bad planned

	ok=$(grep -cE '^ok |^not ok .*# TODO' "$2")
	bad=$(grep '^not ok ' "$2" | grep -vc '# TODO')
	planned=$(sed -n 's/^1\.\.\([0-9]*\).*/\1/p' "$2" | tail -n 1)
	[ -n "$planned" ] || planned=$((ok + bad + 1))
	[ $((ok + bad)) -ge "$planned" ] || bad=$((planned - ok))
	[ "$3" -eq 0 ] || [ "$bad" -gt 0 ] || bad=1
	count "$1" "$ok" "$bad"
}

run_shop() # SHOP
{
	local out=$work/shop-$1.out files left status

	echo "# $1"
	if ! files=$(HOME=$home "$top/test/shops/$1/run.sh" install "$cache"); then
		echo "not ok - $1 could not be installed"
		count "$1" 0 1
		return
	fi
	server_up
	left=$((until - SECONDS))
	# timeout ends whatever the shop has started, too.
	# shellcheck disable=SC2016
	SHOP_FILES=$files timeout -k 20 $((left > 1 ? left : 1)) \
		bash -c '. test/lib.sh && as_user bash "test/shops/$1/run.sh"' - "$1" \
		</dev/null 9>&- >"$out" 2>&1 &
	running=$!
	tail -q -n +1 -f --pid=$running "$out" &
	wait $running
	status=$?
	wait $!
	running=
	[ $status -ne 124 ] || echo "# $1 was stopped: all shops together may take $seconds s"
	if [ $status -ne 0 ]; then
		echo '--- server log'
		tail -n 30 "$work/server.log"
		echo '---'
	fi
	count_tap "$1" "$out" $status
}

# Of a trap.
# shellcheck disable=SC2317
stop() # STATUS
{
	trap '' INT TERM HUP
	[ -z "$running" ] || kill "$running"
	wait
	exit "$1"
}

finish()
{
	if [ -n "${RESULTS:-}" ]; then
		mkdir -p "$RESULTS"
		cp -r "$work"/*.out "$work/server.log" "$RESULTS" 2>/dev/null
	fi
	echo
	printf '%-12s %6s %6s\n%s\n' '' passed failed "$table"
	echo "$passed passed, $failed failed in $((SECONDS - begun)) s"
	[ -z "$kept" ] || echo "outputs and the server's log: $work"
	[ "$passed" -gt 0 ] && [ "$failed" -eq 0 ]
	exit
}

SHOPS=${SHOPS:-$(all_shops)}
for shop in $SHOPS; do
	[ -x "$top/test/shops/$shop/run.sh" ] || die "no such shop: $shop; there are $(all_shops | xargs)"
	CLIENT_PACKAGES="${CLIENT_PACKAGES:-} $("$top/test/shops/$shop/run.sh" packages | xargs)"
done
export CLIENT_PACKAGES

prepare
running=
trap 'stop 130' INT
trap 'stop 143' TERM HUP
begun=$SECONDS
until=$((begun + seconds))
if ! build; then
	count build 0 1
elif ! server_up; then
	cat "$work/server.log"
	count server 0 1
else
	for shop in $SHOPS; do
		run_shop "$shop"
	done
fi
finish
