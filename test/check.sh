#!/usr/bin/env bash
# Runs every test against a private server. make check calls it.
#
#   make check                              all tests
#   make check TESTS="regress:attach t"     one pg_regress test, all of t/
#                                           (regress isolation pgtap t)
#   make check TESTS=pgtap:refunds KEEP=    from scratch; with TESTS the build and
#                                           an initialized cluster are kept in
#                                           /var/tmp (make check-clean removes them)
#   make check PG_MAJOR=17                  another of Debian's versions
#   make check PG_CONFIG=/srv/pg/bin/pg_config      a server built by hand
#   make check RESULTS=/tmp/out             keep actual outputs and logs there
# shellcheck disable=SC2046
set -u
. "$(dirname "$0")/lib.sh"

# What the tests of clients and tools need besides. Where node comes from
# elsewhere, Debian's npm does not go with it.
CLIENT_PACKAGES="python3-psycopg python3-sqlalchemy python3-django python3-alembic python3-asyncpg
	ruby-activerecord ruby-pg $(command -v npm >/dev/null || echo nodejs npm)"
export CLIENT_PACKAGES

KEEP=${KEEP-${TESTS:+yes}}

home=${HOME:-/}
modules_cache=${XDG_CACHE_HOME:-$home/.cache}/ordcancel
[ "$(id -u)" -ne 0 ] || modules_cache=/var/cache/ordcancel

table=
passed=0
failed=0
known=

count() # CATEGORY PASSED FAILED
{
	table+=$(printf '%-12s %6d %6d' "$@")$'\n'
	passed=$((passed + $2))
	failed=$((failed + $3))
}

# Of these tests, those that TESTS asks for: into names. No name has blanks.
pick() # CATEGORY NAME...
{
	local category=$1 name

	shift
	names=()
	known+=" $category"
	for name; do
		known+=" $category:$name"
		case " ${TESTS:-$category} " in
			*" $category "* | *" $category:$name "*) names+=("$name") ;;
		esac
	done
	[ ${#names[@]} -gt 0 ] || return
	server_up
	log_from=$(wc -l <"$work/server.log")
}

stems() # DIRECTORY/PATTERN...
{
	local file

	for file; do
		file=${file##*/}
		[ "${file%.*}" = '*' ] || echo "${file%.*}"
	done
}

# What the server had to say since the category began.
server_said()
{
	echo "--- server log"
	tail -n "+$((log_from + 1))" "$work/server.log" | tail -n 30
	echo "---"
}

# One pg_regress or pg_isolation_regress run. A test that was never reached
# because the run broke off has failed.
regress() # CATEGORY MAKE-VARIABLE
{
	local out=$work/$1.out ok

	pick "$1" $(tree_make "show-$2") || return
	tree_make installcheck REGRESS= ISOLATION= "$2=${names[*]}" 2>&1 |
		tee "$out" | grep --line-buffered -E '^(test|ok|not ok) '
	ok=$(grep -cE '^(ok |test .* \.\.\. ok )' "$out")
	count "$1" "$ok" $((${#names[@]} - ok))
	[ "$ok" -lt ${#names[@]} ] || return
	cat regression.diffs output_iso/regression.diffs 2>/dev/null | grep '' || cat "$out"
	rm -f regression.diffs output_iso/regression.diffs
	server_said
}

# Each file in a fresh database. What counts are the assertions.
pgtap()
{
	local name out ok bad planned all_ok=0 all_bad=0

	pick pgtap $(stems test/pgtap/*.sql) || return
	as_user createdb pgtap &&
		as_user psql -Xq -d pgtap -c 'CREATE EXTENSION pgtap' -c 'CREATE EXTENSION ordcancel'
	for name in "${names[@]}"; do
		out=$work/pgtap-$name.out
		bad=0
		: >"$out"
		server_up
		as_user createdb -T pgtap "pgtap_$name" &&
			as_user pg_prove -v -d "pgtap_$name" "test/pgtap/$name.sql" >"$out" 2>&1 ||
			bad=1
		ok=$(grep -cE '^ok |^not ok .*# TODO' "$out")
		if [ $bad -gt 0 ]; then
			# A file that breaks off has failed the rest of its plan, and counts
			# as one failure where it had none.
			planned=$(sed -n 's/^1\.\.\([0-9]*\).*/\1/p' "$out" | tail -n 1)
			bad=$(grep '^not ok ' "$out" | grep -vc '# TODO')
			bad=$((planned - ok > bad ? planned - ok : bad))
			bad=$((bad > 0 ? bad : 1))
			grep -v '^ok ' "$out"
			server_said
		fi
		echo "pgtap $name: $ok passed, $bad failed"
		all_ok=$((all_ok + ok))
		all_bad=$((all_bad + bad))
	done
	count pgtap $all_ok $all_bad
}

# Each script is one test, with the whole server to itself.
whole_cluster()
{
	local name out ok=0 run

	pick t $(stems test/t/*.sh test/t/*.pl) || return
	case " ${names[*]} " in
		*_node\ * | *\ consumer_clients\ *) CLIENT_MODULES=$(HOME=$home test/clients/install.sh "$modules_cache") ;;
	esac
	export CLIENT_MODULES=${CLIENT_MODULES:-}
	for name in "${names[@]}"; do
		out=$work/t-$name.out
		run=(bash "test/t/$name.sh")
		[ -e "test/t/$name.sh" ] || run=(perl "test/t/$name.pl")
		server_up
		if as_user "${run[@]}" >"$out" 2>&1 </dev/null 9>&- &&
			! grep '^ *not ok ' "$out" | grep -qv '# TODO'; then
			ok=$((ok + 1))
			echo "t $name: ok"
		else
			tail -n 60 "$out"
			server_said
			echo "t $name: FAILED"
		fi
	done
	count t $ok $((${#names[@]} - ok))
}

finish()
{
	local word

	for word in ${TESTS:-}; do
		case "${known:- $word} " in *" $word "*) ;; *) count "no $word" 0 1 ;; esac
	done
	if [ -n "${RESULTS:-}" ]; then
		mkdir -p "$RESULTS"
		cp -r "$work"/*.out "$work/server.log" results output_iso "$RESULTS" 2>/dev/null
	fi
	echo
	printf '%-12s %6s %6s\n%s\n' '' passed failed "$table"
	echo "$passed passed, $failed failed"
	[ -z "$kept" ] || echo "outputs and the server's log: $work"
	[ "$passed" -gt 0 ] && [ "$failed" -eq 0 ]
	exit
}

prepare
if ! build; then
	count build 0 1
elif ! server_up; then
	cat "$work/server.log"
	count server 0 1
else
	regress regress REGRESS
	regress isolation ISOLATION
	pgtap
	whole_cluster
fi
finish
