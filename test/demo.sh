#!/usr/bin/env bash
# Shows ordcancel at work on a private server: runs test/demo/demo.sql in the
# database demo. make demo calls it. On a terminal it waits after each chapter.
set -u
to=${TMPDIR:-/tmp}
. "$(dirname "$0")/lib.sh"

export TO_SHOW=yes

# psql prints a notification as one long line; the payload in it is broken where
# an eye can follow.
readable()
{
	sed -u -E '/^Asynchronous notification/ {
		s/^Asynchronous notification "([^"]*)" with payload "(.*)" received.*/\n   event on \1: \2\n/
		s/,"(order_id|from|state|reason)":/,\n      "\1":/g
	}' | cat -s
}

# Keys that were pressed meanwhile are for nobody.
drain()
{
	while read -r -t 0.1 </dev/tty; do :; done
}

# Long lines are folded. On a terminal what is explained is bold, and each
# chapter, whose title is between two rulers, waits for the reader. None is
# longer than 23 lines, so that its title is still to be seen then.
pages() # yes | no
{
	local line rulers=0 title='' indent

	while IFS= read -r line; do
		if [ "$1" = yes ] && [[ $line == '-- ======'* ]] && ((rulers++ % 2 == 0)); then
			if [ -z "$title" ]; then
				drain
			else
				printf -- '\e[2m-- %s: Enter goes on \e[0m' "$title"
				read -r </dev/tty
			fi
			title=
		elif [ "$1" = yes ] && ((rulers % 2 == 1)) && [ -z "$title" ]; then
			title=${line#-- }
			title=${title%%[.,:?]*}
		fi
		indent=
		case $line in
			'NOTICE: '* | 'WARNING: '* | 'ERROR: '* | 'DETAIL: '* | 'HINT: '*) indent='    ' ;;
			'  |-- '*) indent='  |   ' ;;
			'  `-- '*) indent='      ' ;;
		esac
		if [ -n "$indent" ]; then
			fold -s -w 76 <<<"$line" | sed "s/ *\$//; 2,\$ s/^/$indent/"
		elif [ "$1" = yes ] && [[ $line == '-- '* ]]; then
			printf '\e[1m%s\e[0m\n' "$line"
		else
			printf '%s\n' "$line"
		fi
	done
}

try() # WHAT COMMAND [ARGUMENT...]
{
	local from=$SECONDS

	echo "demo: $1"
	shift
	ticking "$work/demo.out" "$@" && return
	cat "$work/demo.out" >&2
	die "that took $((SECONDS - from)) s and failed"
}

# LLVM's bitcode would compile everything once more.
compile()
{
	as_user make -s PG_CONFIG="$bin/pg_config" with_llvm=no clean &&
		as_user make -s PG_CONFIG="$bin/pg_config" with_llvm=no -O -j"$(nproc)" all &&
		as_user make -s PG_CONFIG="$bin/pg_config" with_llvm=no install
}

start()
{
	server_up && as_user createdb demo
}

# Graphviz draws it, where it is there. One file for each user, which the next
# demo replaces; mv follows no link that somebody else has put in its place.
picture()
{
	local suffix=mmd what='as a Mermaid chart, for a Markdown page' new

	! command -v dot >/dev/null || suffix=svg what='as a picture for a browser'
	new=$(mktemp -p "$to" .ordcancel-demo-XXXXXX) || return
	to+=/ordcancel-demo-$(id -un).$suffix
	if draw $suffix >"$new" && chmod 644 "$new" && mv -fT "$new" "$to"; then
		printf -- '-- The same %s:\n--   %s\n' "$what" "$to"
	else
		rm -f "$new"
	fi
}

draw() # svg | mmd
{
	if [ "$1" = svg ]; then
		ask "SELECT ordcancel.diagram('shop.orders', format => 'dot')" | dot -Tsvg
	else
		ask "SELECT ordcancel.diagram('shop.orders')"
	fi
}

ask()
{
	as_user psql -XqAt -d demo -c "$1"
}

echo "demo: a private PostgreSQL in /tmp; what is installed stays as it is"
prepare
try "compiling ordcancel for $("$pg_config" --version)" compile
try "starting the private server" start
# By stdin, so that errors are not headed by the name of the file.
terminal=no
[ ! -t 1 ] || ! (: </dev/tty) 2>/dev/null || terminal=yes
set -o pipefail
as_user psql -X -q -e -d demo <test/demo/demo.sql 2>&1 | readable | pages $terminal || exit
picture
echo "-- README.md says how to go on."
