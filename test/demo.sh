#!/usr/bin/env bash
# Shows ordcancel at work on a private server: runs test/demo/demo.sql in the
# database demo. make demo calls it. On a terminal it waits after each chapter.
set -u
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

# Long messages are folded. On a terminal what is explained is bold, and each
# chapter, whose title is between two rulers, waits for the reader.
pages() # yes | no
{
	local line rulers=0

	while IFS= read -r line; do
		if [ "$1" = yes ] && [[ $line == '-- ======'* ]] && ((rulers++ % 2 == 0 && rulers > 1)); then
			printf -- '\e[2m-- Enter goes on, Ctrl-C ends it \e[0m'
			read -r </dev/tty
			echo
		fi
		case $line in
			'NOTICE: '* | 'WARNING: '* | 'ERROR: '* | 'DETAIL: '* | 'HINT: '*)
				fold -s -w 76 <<<"$line" | sed 's/ *$//; 2,$ s/^/    /'
				;;
			'-- '*) if [ "$1" = yes ]; then printf '\e[1m%s\e[0m\n' "$line"; else echo "$line"; fi ;;
			*) printf '%s\n' "$line" ;;
		esac
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

# Where it is there, Graphviz draws it; what the demo has made goes with it.
picture()
{
	local format=mermaid file

	! command -v dot >/dev/null || format="dot"
	file=$(TMPDIR=/tmp mktemp --suffix=".$format" ordcancel-demo-XXXXXX -t) &&
		as_user psql -XqAt -d demo -c "SELECT ordcancel.diagram('shop.orders', format => '$format')" >"$file" || return
	if [ $format = dot ]; then
		dot -Tsvg "$file" >"${file%.dot}.svg" && rm "$file" &&
			echo "-- The same as a picture for a browser: ${file%.dot}.svg"
	else
		echo "-- The same as a Mermaid chart, for a Markdown page: $file"
	fi
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
