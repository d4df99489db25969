#!/usr/bin/env bash
# Installs the npm packages that package-lock.json pins below a directory that
# outlives the tests, and prints where. They are there already the next time.
set -eu
cd "$(dirname "$0")"
cache=$1
modules=$cache/$(cat package.json package-lock.json | sha256sum | cut -c 1-16)
umask 022

if [ ! -d "$modules" ]; then
	echo "setup: installing the npm packages of test/clients" >&2
	mkdir -p "$cache"
	new=$(mktemp -d "$cache/new.XXXXXX")
	trap 'rm -rf "$new"' EXIT
	cp package.json package-lock.json "$new"
	(cd "$new" && timeout 600 npm ci --ignore-scripts --no-audit --no-fund --loglevel error >&2)
	chmod -R a+rX "$new"
	mv -T "$new" "$modules" 2>/dev/null || [ -d "$modules" ]
fi
echo "$modules/node_modules"
