#!/usr/bin/env bash
# Publications, COPY and test databases. doc/tools.md shows these commands.
set -u
. "$(dirname "$0")/lib/tap.sh"
db=shop_test
export PGDATABASE=$db

fresh_database $db && sql $db >/dev/null <<'SQL'
CREATE EXTENSION ordcancel;
CREATE SCHEMA audit;
CREATE SCHEMA shop;
CREATE TABLE shop.orders (id int PRIMARY KEY, status text NOT NULL);
CREATE TABLE shop.returns (LIKE shop.orders INCLUDING ALL);
INSERT INTO shop.orders VALUES (1, 'placed');
SELECT ordcancel.attach('shop.orders', 'status', record_schema => 'audit'),
       ordcancel.set_policy('shop.orders', canceled_status => 'canceled'),
	ordcancel.set_rule('shop.orders', 'placed', merchant => 'cancel');
SELECT ordcancel.cancel_order('shop.orders', 1);
SQL
ok 'a shop'

published() # PUBLICATION
{
	sql $db -c "SELECT string_agg(tablename, ' ' ORDER BY tablename) FROM pg_publication_tables WHERE pubname = '$1'"
}

sql $db 2>/dev/null <<'SQL'
CREATE PUBLICATION events FOR TABLE ordcancel.event;
CREATE PUBLICATION records FOR TABLES IN SCHEMA audit;
SQL
sql $db -c "SELECT ordcancel.attach('shop.returns', 'status', record_schema => 'audit')" >/dev/null
is "$(published events)" 'event orders_cancellation_event' \
	'a publication of the parent leaves out what is attached later'
is "$(published records)" \
	'orders_cancellation orders_cancellation_event returns_cancellation returns_cancellation_event' \
	'one of the schema does not'
sql $db 2>/dev/null <<'SQL'
ALTER PUBLICATION events ADD TABLE audit.returns_cancellation_event;
SQL
is "$(published events)" 'event orders_cancellation_event returns_cancellation_event' 'it is added'

is "$(sql $db -c 'COPY ordcancel.event TO STDOUT')" '' 'COPY of the parent copies nothing'
is "$(sql $db -c 'COPY (SELECT type FROM ordcancel.event) TO STDOUT')" canceled 'COPY of a query does'

psql -qc 'ALTER DATABASE shop_test SET ordcancel.allow_truncate = on'
sql $db -c 'TRUNCATE shop.orders'
ok 'TRUNCATE is allowed in a database for tests'
is "$(sql $db -c 'SELECT count(*) FROM ordcancel.event')" 0 'and empties the records'
done_testing
