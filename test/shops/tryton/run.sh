#!/usr/bin/env bash
# Tryton (Debian's packages) with ordcancel attached to its sales: the tests of its
# own modules, without and with it, and a scenario. test/shops.sh calls it.
set -u
case ${1:-} in
	packages)
		echo tryton-modules-sale tryton-proteus python3-psycopg2
		# Their tests cancel, revive and delete sales; the tests of the module sale do not.
		echo tryton-modules-sale-payment tryton-modules-account-payment-clearing
		echo tryton-modules-sale-stock-quantity tryton-modules-stock-supply
		exit
		;;
	install) exit ;;
esac
. "$(dirname "$0")/../../t/lib/tap.sh"

# The assertions of another program as one's own. It has failed if it printed no plan.
absorb() # FILE
{
	local line planned=

	while IFS= read -r line; do
		case $line in
			'ok '[0-9]*)
				true
				ok "${line#ok * - }"
				;;
			'not ok '[0-9]*)
				line=${line#not ok * - }
				false
				ok "$line"
				;;
			1..*) planned=yes ;;
			'#'*) printf '%s\n' "$line" ;;
			*) printf '# %s\n' "$line" ;;
		esac
	done <"$1"
	[ -n "$planned" ]
	ok "${1##*/} ran to its end"
}

# Each in a process of its own, with a database of its own name.
module_tests() # DATABASE NAME MODULES [OPTION...]
{
	# shellcheck disable=SC2086
	DB_NAME=shop_tryton_$1 $python "$here/module_tests.py" "$2" "$work/$1-$2.json" "${@:4}" $3 \
		>"$work/$1-$2" 2>"$work/$1-$2.err" || sed 's/^/# /' "$work/$1-$2.err" >>"$work/$1-$2"
}

# What the databases had in them, as SQL sees the lines of JSON.
figures() # FILE SELECT-LIST
{
	{
		echo 'CREATE TEMP TABLE figures (f jsonb);'
		echo '\copy figures FROM pstdin'
		cat "$1"
		echo '\.'
		echo "SELECT $2 FROM figures;"
	} | sql postgres 2>&1
}

# The names of the tests that have passed.
passed() # FILE
{
	sed -n 's/^ok [0-9]* - [a-z]*: //p' "$1" | sort
}

python='/usr/bin/python3 -B -W ignore'
# What Tryton keeps of a database whose modules are activated: most of the time goes
# into that.
export TRYTOND_DATABASE_URI=postgresql://tryton@ DB_CACHE=${DB_CACHE:-$work/cache}
unset TRYTOND_CONFIG
# It has no egg-info, by which Tryton finds modules that are not in its directory.
mkdir -p "$work/python/ordcancel_sale.egg-info" "$DB_CACHE"
cp -r doc/examples/tryton/ordcancel_sale "$work/python"
printf '[trytond.modules]\nordcancel_sale = ordcancel_sale\n' >"$work/python/ordcancel_sale.egg-info/entry_points.txt"
printf 'Metadata-Version: 1.0\nName: ordcancel_sale\nVersion: 6.0.0\n' >"$work/python/ordcancel_sale.egg-info/PKG-INFO"
export PYTHONPATH=$work/python

roles tryton
for name in a b c ''; do
	before_exit "drop_database 'shop_tryton${name:+_$name}'"
done
createuser -d tryton
ok 'there is a role for Tryton, which makes its databases' || done_testing
export PGUSER=tryton

# Two at a time; those of a module share what DB_CACHE has of it.
cancelers='sale_payment:scenario sale_stock_quantity:scenario'
(
	module_tests b without "$cancelers"
	module_tests b with "$cancelers" --attach "$here/attach.sql"
) &
module_tests a without sale
module_tests a with sale --attach "$here/attach.sql"
module_tests c with sale:scenario_sale_rst --attach "$here/forbid.sql"
# shellcheck disable=SC2086
DB_NAME=shop_tryton $python "$here/scenario.py" >"$work/scenario" 2>&1
wait
export PGUSER=postgres

absorb "$work/a-without"
absorb "$work/a-with"
is "$(passed "$work/a-with")" "$(passed "$work/a-without")" 'what the module sale can do it can do with ordcancel'
is "$(figures "$work/a-with.json" "count(*), bool_and(f->>'attached' = '1'), sum((f->>'sales')::int) > 0,
	bool_and(f->>'health' IS NULL)")" '5|t|t|t' 'it was attached in each of the five databases, and healthy'

absorb "$work/b-without"
absorb "$work/b-with"
is "$(figures "$work/b-with.json" "count(*), bool_and(f->>'attached' = '1'), sum((f->>'canceled')::int) > 1,
	sum((f->>'deleted')::int) > 1, bool_and(f->>'health' IS NULL)")" '2|t|t|t|t' \
	'sales that its modules cancel, and delete, are on record'
is "$(figures "$work/b-with.json" "sum((f->>'undone')::int)")" 1 'one is revived'

grep -q '^not ok 1 - with: scenario_sale_rst' "$work/c-with" && grep -q 'Nobody confirms a sale here' "$work/c-with"
ok 'a rule that forbids what a test does makes it fail' || sed 's/^/# /' "$work/c-with"

absorb "$work/scenario"

/usr/bin/python3 -B - <<'PY'
import pathlib
import re


def bare(text):
    return "".join(line.strip() + "\n" for line in text.splitlines() if line.strip())


run = [bare(path.read_text()) for path in pathlib.Path("test/shops/tryton").glob("*.*")]
missing = [block for block in re.findall(r"^```sql\n(.*?)^```$", pathlib.Path("doc/shops/tryton.md").read_text(),
                                         re.M | re.S) if not any(bare(block) in text for text in run)]
print("".join(re.sub("^", "# ", block, flags=re.M) for block in missing), end="")
raise SystemExit(len(missing) > 0)
PY
ok 'the SQL of doc/shops/tryton.md is what was run'
done_testing
