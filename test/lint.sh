#!/usr/bin/env bash
# What can be said about the sources without running them. make lint calls it.
# Runs the tools that are here: apt-get install clang-format clang cppcheck
set -u
cd "$(dirname "$0")/.." || exit
. test/lib.sh

pg_config=${PG_CONFIG:-/usr/lib/postgresql/$(installed_major)/bin/pg_config}
status=0

try() # TOOL ARGUMENT...
{
	if command -v "$1" >/dev/null; then
		echo "lint: $1"
		"$@" || status=1
	else
		echo "lint: no $1 here"
	fi
}

try clang-format --dry-run -Werror src/*.[ch] test/t/*/*.c
try cppcheck -q --std=c99 --enable=warning,performance,portability \
	--inline-suppr --error-exitcode=1 src
for file in src/*.c; do
	# What scan-build runs, without its build.
	try clang --analyze --analyzer-output text -Xclang -analyzer-werror \
		-Isrc -I"$("$pg_config" --includedir-server)" "$file"
done
# The script is read in the encoding of whatever database it is for.
echo 'lint: ASCII in sql'
! grep -nP '[^\x00-\x7F]' sql/*.sql || status=1
# Whoever installs it has another compiler, whose new warnings must not stop the build.
echo 'lint: -Werror with WERROR=1, and only then'
for werror in '' 1; do
	flags=$(env -u MAKEFLAGS make -s PG_CONFIG="$pg_config" WERROR=$werror show-CFLAGS)
	[[ $flags == *-Wextra* && ($werror && " $flags " == *' -Werror '* ||
		! $werror && " $flags " != *' -Werror '*) ]] || {
		echo "WERROR=$werror: $flags"
		status=1
	}
done
exit $status
