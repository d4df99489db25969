#!/usr/bin/env bash
# What README.md and doc/*.md show is what psql prints. Each file is a session
# of its own in a fresh database: its ```sql blocks are run from top to bottom,
# and a ```text block that comes next holds what the block before it prints.
# A block that shows no output must raise no error.
set -u
. "$(dirname "$0")/lib/tap.sh"

db=t_readme
export PGTZ=UTC PGOPTIONS='-c datestyle=ISO,MDY -c client_min_messages=notice'

drop_roles()
{
	grep -oh 'CREATE ROLE [a-z_]*' README.md doc/*.md | sort -u |
		sed 's/CREATE ROLE \(.*\)/DROP ROLE IF EXISTS \1;/' | sql postgres 2>/dev/null
}

before_exit "drop_database $db; drop_roles"

# Writes each block to DIRECTORY/N.sql and what it shows to N.wanted, and the
# line where it begins to N.line.
split() # FILE DIRECTORY
{
	awk -v dir="$2" '
		/^```/ && in_block { in_block = 0; next }
		/^```sql$/ { n++; out = dir "/" n ".sql"; print NR > (dir "/" n ".line"); in_block = fresh = 1; next }
		/^```text$/ && fresh { out = dir "/" n ".wanted"; printf "" > out; in_block = 1; fresh = 0; next }
		/^```/ { out = "/dev/null"; in_block = 1; fresh = 0; next }
		in_block { print > out; next }
		NF { fresh = 0 }
	' "$1"
}

# What differs from one run to the next, and what editors strip.
normalize()
{
	sed -E 's/[[:blank:]]+$//; s/(server process with PID) [0-9]+/\1 12345/' |
		awk 'NF { while (blank > 0) { print ""; blank-- } print; next } { blank++ }'
}

# What a reader with psql -q sees, block after block.
run() # DIRECTORY COUNT
{
	local n

	for ((n = 1; n <= $2; n++)); do
		cat "$1/$n.sql"
		printf '\\echo ==== %d\n' "$n"
	done | psql -Xq -d $db 2>&1 | awk -v dir="$1" '
		BEGIN { n = 1; out = dir "/" n ".got"; printf "" > out }
		/^==== / { n++; out = dir "/" n ".got"; printf "" > out; next }
		{ print > out }
	'
}

check() # FILE
{
	local file=$1 dir n count at

	dir=$work/$(basename "$file" .md)
	mkdir "$dir"
	split "$file" "$dir"
	count=$(find "$dir" -name '*.sql' | wc -l)
	[ "$count" -gt 0 ] || return 0
	fresh_database $db
	run "$dir" "$count"
	for ((n = 1; n <= count; n++)); do
		at="$file line $(cat "$dir/$n.line")"
		if [ -e "$dir/$n.wanted" ]; then
			is "$(normalize <"$dir/$n.got")" "$(normalize <"$dir/$n.wanted")" "$at prints what is shown"
		else
			! grep -E '^(ERROR|FATAL|WARNING|psql): ' "$dir/$n.got" | sed 's/^/# /' | grep ''
			ok "$at runs"
		fi
	done
	dropdb $db
	drop_roles
}

cd "$here/../.." || exit
drop_roles
for file in README.md doc/*.md doc/shops/medusa.md doc/shops/evershop.md; do
	check "$file"
done
done_testing
