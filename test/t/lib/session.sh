# shellcheck shell=bash disable=SC2154
# Read by scripts that need more than one session at a time.

# A session that is gone must not end the script.
trap '' PIPE

# A session that holds something until it is told to release it.
hold() # DATABASE STATEMENT
{
	rm -f "$work/next" "$work/held"
	mkfifo "$work/next"
	sql "$1" <"$work/next" >"$work/held" 2>&1 &
	holder=$!
	exec 3>"$work/next"
	printf 'BEGIN; %s; SELECT %s;\n' "$2" "'held'" >&3
	wait_for grep -q held "$work/held"
}

# The session commits, and ends.
release() # [STATEMENT BEFORE]
{
	printf '%s\nCOMMIT;\n' "${1:-}" >&3 2>/dev/null
	exec 3>&-
	wait "$holder"
}

# A session that stays open, with all that it has cached.
open_session() # DATABASE
{
	rm -f "$work/in"
	mkfifo "$work/in"
	: >"$work/out"
	sql "$1" -v VERBOSITY=sqlstate -v ON_ERROR_STOP=0 <"$work/in" >"$work/out" 2>&1 &
	session=$!
	exec 4>"$work/in"
}

# Runs a statement in it; the last line of its answer comes to be in said.
ask_session() # STATEMENT
{
	local answered

	answered=$(grep -c '^done$' "$work/out")
	printf '%s;\n\\echo done\n' "$1" >&4
	wait_for more_answers "$answered"
	said=$(grep -v '^done$' "$work/out" | tail -n 1)
}

more_answers() # NUMBER
{
	[ "$(grep -c '^done$' "$work/out")" -gt "$1" ]
}

close_session()
{
	exec 4>&-
	wait "$session"
}

# Puts the notifications that psql printed into the table heard, in their order.
store_notifications() # DATABASE FILE
{
	local what='Asynchronous notification "\(.*\)" with payload "\({.*}\)"' \
		from='received from server process with PID \([0-9]*\)\.'

	sed -n "s/^$what $from\$/\\3\\x01\\1\\x01\\2/p" "$2" >"$work/heard"
	sql "$1" -c 'TRUNCATE heard RESTART IDENTITY' -c "\\copy heard (pid, channel, payload) FROM '$work/heard' \
(FORMAT csv, DELIMITER E'\\x01', QUOTE E'\\x02')"
}
