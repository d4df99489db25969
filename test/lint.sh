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

try clang-format --dry-run -Werror src/*.c src/*/*.[ch] test/t/*/*.c test/bench/*/*.c doc/examples/*.c
try cppcheck -q --std=c99 --enable=warning,performance,portability \
	--inline-suppr --error-exitcode=1 src
for file in src/*.c src/*/*.c; do
	# What scan-build runs, without its build.
	try clang --analyze --analyzer-output text -Xclang -analyzer-werror \
		-Isrc -I"$("$pg_config" --includedir-server)" "$file"
done
# The script is read in the encoding of whatever database it is for.
echo 'lint: ASCII in sql'
! grep -nP '[^\x00-\x7F]' sql/*.sql || status=1
# A file may include headers of its own folder and of those named before it.
layers='base decision config rows notify lifecycle consumer entry'
echo 'lint: includes go down'
awk -v layers="$layers" '
	BEGIN { n = split(layers, name, " "); for (i = 1; i <= n; i++) rank[name[i]] = i }
	match($0, /^#include "[a-z]+\//) {
		to = substr($0, 11, RLENGTH - 11)
		split(FILENAME, path, "/")
		if (to in rank && rank[to] > rank[path[2]]) { print FILENAME ": " $0; bad = 1 }
	}
	END { exit bad }' src/*/*.[ch] || status=1
for folder in src/*/; do
	case " $layers " in *" $(basename "$folder") "*) ;; *) echo "lint: $folder has no layer"; status=1 ;; esac
	[ -e "$folder/README.md" ] || { echo "lint: $folder has no README.md"; status=1; }
done
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
# Rows of tables and outputs that are compared cannot be wrapped.
long_lines()
{
	local file

	git ls-files src sql test '*.md' Makefile | grep -v -e '\.out$' -e '\.csv$' -e 'package-lock' |
		while read -r file; do
		expand -t 4 "$file" | sed '/^```\(text\|mermaid\)$/,/^```$/ s/.*//' | grep -nE '^.{121,}' |
			grep -vE '^[0-9]+:\|' | sed "s,:.*,,; s,^,$file:,"
	done
}
echo 'lint: lines of at most 120 columns'
! (export LC_ALL=C.UTF-8 && long_lines) | grep . || status=1
exit $status
