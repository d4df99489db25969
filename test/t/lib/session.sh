# shellcheck shell=bash disable=SC2154
# Read by scripts in which another session holds something. They have $work.

# A session that holds something until it is told to let go.
hold() # DATABASE STATEMENT
{
	rm -f "$work/next"
	mkfifo "$work/next"
	sql "$1" <"$work/next" >"$work/held" 2>&1 &
	holder=$!
	exec 3>"$work/next"
	printf 'BEGIN; %s; SELECT %s;\n' "$2" "'held'" >&3
	wait_for grep -q held "$work/held"
}

let_go() # [STATEMENT BEFORE]
{
	printf '%s\nCOMMIT;\n' "${1:-}" >&3 2>/dev/null
	exec 3>&-
	wait "$holder"
}
