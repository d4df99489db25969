#!/usr/bin/env bash
# doc/reference.md is what the catalog says: make reference writes its blocks.
# It names nothing that does not exist, and doc/errors.md names every error.
set -u
. "$(dirname "$0")/lib/tap.sh"
cd "$here/../.." || exit

db=t_reference
fresh_database $db
sql $db -c 'CREATE EXTENSION ordcancel' && sql $db -f test/reference/catalog.sql >"$work/catalog.json"
ok 'the catalog can be read'

page() # ACTION DIRECTORY
{
	/usr/bin/python3 -B test/reference/page.py "$1" "$2" <"$work/catalog.json" 2>&1
}

is "$(page check doc)" '' 'the page is as the catalog says'

# What a change of the page, or of the catalog, would be told.
changed() # FILE SED-SCRIPT
{
	rm -rf "$work/copy"
	mkdir "$work/copy"
	cp -r README.md doc "$work/copy"
	sed -i "$2" "$work/copy/doc/$1"
	page check "$work/copy/doc"
}
like "$(changed reference.md 's/DEFAULT 1000/DEFAULT 100/')" 'not what the catalog says' 'a default that is another'
like "$(changed reference.md '/generated: function detach -->/,/end -->/d')" 'lacks a block: function detach' \
	'a function that is missing'
like "$(changed reference.md 's/generated: view refunds_due/generated: view refunds_open/')" 'no view refunds_open' \
	'a view that there is not'
like "$(changed reference.md 's/| `policy_by` | column that/| `policy_of` | column that/')" \
	'attach has no argument policy_of' 'an argument that there is not'
like "$(changed reference.md 's/ordcancel\.health/ordcancel.wealth/')" 'no ordcancel\.wealth' 'a name that there is not'
like "$(changed reference.md 's/`guard_missing`/`guard_lost`/')" 'no problem guard_lost' 'a problem that there is not'
like "$(changed reference.md 's/](#sweep)/](#sweeper)/')" 'links to #sweeper' 'a link that leads nowhere'
like "$(changed errors.md 's/^| OC007 |/| OC077 |/')" 'OC007 no_open_cancellation: errors.md lacks it' \
	'an error that is missing'
like "$(changed errors.md 's/`order_on_hold` |/`order_held` |/')" 'OC012 order_held: there is none' \
	'a condition that there is not'

cp -r README.md doc "$work"
sed -i 's/DEFAULT 1000/DEFAULT 100/' "$work/doc/reference.md"
page write "$work/doc" >"$work/said"
is "$(cat "$work/said"; diff doc/reference.md "$work/doc/reference.md")" '' 'written anew it is what it was'
done_testing
