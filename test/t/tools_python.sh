#!/usr/bin/env bash
# Alembic and Django beside ordcancel: what they see of it, migrations down and
# up, tests that empty tables. doc/tools.md shows these commands.
set -u
. "$(dirname "$0")/lib/tap.sh"
. "$here/lib/clients.sh"
db=t_tools
cd "$here/../.." || exit

before_exit "drop_database test_$db; drop_database shop_template; sql postgres -c 'DROP ROLE IF EXISTS shop_test'"
before_exit "sql postgres -c \"UPDATE pg_database SET datistemplate = false WHERE datname = 'shop_template'\""
before_exit "drop_database $db"

cancels()
{
	sql $db -c "INSERT INTO orders VALUES (1, 'placed')" \
		-c "SELECT state, changed FROM ordcancel.cancel_order('orders', 1)"
}

records()
{
	sql $db -c "SELECT string_agg(tablename, ' ' ORDER BY tablename) FROM pg_tables
		WHERE schemaname NOT IN ('ordcancel', 'ordcancel_internal') AND tablename ~ '_cancellation'"
}

# -------------------------------------------------------------------- Alembic

alembic()
{
	PGDATABASE=$db python -m alembic -c "$work/alembic/alembic.ini" "$@"
}

cp -r test/clients/alembic "$work"
printf '[alembic]\nscript_location = %s\n' "$work/alembic" >"$work/alembic/alembic.ini"
fresh_database $db && sql $db -f test/clients/tools.sql
alembic upgrade head
is "$(cancels)" 'canceled|t' 'Alembic: a migration sets the rules up'
alembic revision --autogenerate -m check --rev-id 3
is "$(grep -c '^    pass$' "$work/alembic/versions/3_check.py")" 2 'autogenerate finds nothing to do'
sed -i 's/include_object=include_object/include_object=None/' "$work/alembic/env.py"
rm "$work/alembic/versions/3_check.py"
alembic revision --autogenerate -m check --rev-id 3
is "$(grep -c "op.drop_table('orders_cancellation" "$work/alembic/versions/3_check.py")" 2 \
	'without include_object it would drop the records'
rm "$work/alembic/versions/3_check.py"
alembic downgrade base
alembic upgrade head
is "$(cancels)" 'canceled|t' 'migrations go down and up'
is "$(records)" 'orders_cancellation orders_cancellation_1 orders_cancellation_event orders_cancellation_event_1' \
	'and the records of the table that was dropped are kept aside'
dropdb $db

# --------------------------------------------------------------------- Django

django()
{
	PYTHONPATH=test/clients/django DJANGO_SETTINGS_MODULE=settings PGDATABASE=$db python -m django "$@"
}

sql postgres -f test/clients/django_template.sql >/dev/null && createdb -T shop_template -O shop_test $db
ok 'Django: a template database'
django migrate
is "$(cancels)" 'canceled|t' 'a migration sets the rules up'
django makemigrations --check --dry-run
ok 'makemigrations finds nothing to do'
is "$(django inspectdb | grep -c '^class .*ancellation')" 0 'inspectdb does not see the records'
sql $db -c "SET ordcancel.allow_truncate = on; TRUNCATE orders"
django migrate shop zero && django migrate
is "$(cancels)" 'canceled|t' 'migrations go down and up'
django test
ok 'tests with and without commits'
done_testing
