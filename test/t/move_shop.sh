#!/usr/bin/env bash
# A schema of order tables moves to another database with pg_dump -n and
# ordcancel.move_setup(): doc/many_shops.md says how.
set -u
. "$(dirname "$0")/lib/tap.sh"

from=t_move_from
to=t_move_to

roles move_owner move_staff move_customer move_reader
before_exit "drop_database $from; drop_database $to"

# What a query returns in both databases, at the same time.
same() # NAME QUERY
{
	local wanted

	wanted=$(at_noon $from "$2")
	[[ -n $wanted && $wanted != *ERROR* ]] || wanted="nothing to compare: $wanted"
	is "$(at_noon $to "$2")" "$wanted" "$1"
}

at_noon() # DATABASE QUERY
{
	sql "$1" -c "SET ordcancel.clock = '2300-01-01 12:00+00'" -c "$2" 2>&1
}

dump()
{
	sql $from -c "SELECT ordcancel.move_setup('shop')" >"$work/setup.sql" &&
		plain_dump $from -n shop -n audit >"$work/schema.sql"
}

restore()
{
	sql $to -f "$work/schema.sql" >"$work/out" 2>"$work/errors"
}

take()
{
	sql $to -1 -f "$work/setup.sql" >"$work/taken" 2>"$work/errors"
}

# The error of the last command that failed, without the file and line.
error()
{
	grep -E 'ERROR|DETAIL|HINT' "$work/errors" | sed 's/^.*ERROR: */ERROR: /; s/:  /: /'
}

# Names for which the digests, the reports and the log of rules are compared.
all_tables="unnest('{shop.orders,shop.parts}'::regclass[]) AS t (orders)"

# ---------------------------------------------------------------- two databases

# The other one first, so that its consumers have positions before all that happens in the shop.
fresh_database $from && fresh_database $to && sql $to -f "$here/move_shop/other.sql" >"$work/out" &&
	sql $from -f "$here/move_shop/shop.sql" >"$work/out"
ok 'a database with a shop, and one with another' || done_testing

like "$(sql $from -c "SELECT ordcancel.move_setup('nowhere')" 2>&1)" 'schema "nowhere" does not exist' \
	'a schema that does not exist'
like "$(sql $from -c "SELECT ordcancel.move_setup('audit')" 2>&1)" 'no table in schema "audit" is attached' \
	'a schema without order tables'
like "$(sql $from -c 'GRANT EXECUTE ON FUNCTION ordcancel.move_setup TO move_owner' -c 'SET ROLE move_owner' \
	-c "SELECT ordcancel.move_setup('shop')" 2>&1)" 'permission denied to move schema "shop"' 'who may not move it'

# -------------------------------------------------------------- what is refused

dump
ok 'the script and the dump'
! take
ok 'without the schema it is refused'
is "$(error)" 'ERROR: order table shop.orders does not exist
HINT: Restore its schema into this database first, with pg_dump -n.' 'with what to do'

restore
ok 'the schema restores without an error' || sed 's/^/# /' "$work/errors"
like "$(sql $to -c "UPDATE shop.orders SET status = 'canceled' WHERE id = 6" 2>&1)" 'shop.orders is not attached' \
	'until the setup arrives, its guards refuse'

sql $to -c 'SET session_replication_role = replica' -c 'DELETE FROM shop.orders_cancellation_event WHERE event_id = 1'
! take
ok 'with another record table it is refused'
like "$(error)" 'record table shop.orders_cancellation_event has other rows than the one that moved
DETAIL: It has [0-9]+ rows, the other one had [0-9]+ when move_setup' 'with the difference'
sql $to -c 'DROP SCHEMA shop, audit CASCADE' && restore &&
	sql $to -c 'ALTER TABLE shop.orders_cancellation ADD COLUMN extra text'
! take
ok 'with another column it is refused'
like "$(error)" 'unexpected, generated or identity column "extra"' 'with the column'
is "$(sql $to -c 'SELECT count(*) FROM ordcancel.order_table' \
	-c 'SELECT count(*) FROM ordcancel.consumer')" $'1\n1' 'and nothing is left of it'
sql $to -c 'DROP SCHEMA shop, audit CASCADE' && restore && sql $to -c "SELECT ordcancel.create_consumer('stock')" \
	>"$work/out"
! take
ok 'a consumer of the same name is refused'
like "$(error)" 'consumer "stock" already exists' 'with its name'
sql $to -c "SELECT ordcancel.drop_consumer('stock')" >"$work/out"

# --------------------------------------------------------------------- the move

take
ok 'the setup arrives' || sed 's/^/# /' "$work/errors"
like "$(cat "$work/taken")" 'shop.orders: moved; policies: 2, rules: 3, digest of the setup: [0-9a-f]{64}' \
	'and it says what it is'
! take
ok 'not twice'
is "$(error)" 'ERROR: shop.orders is already attached
DETAIL: It has rules and records of its own in this database.
HINT: To move another table, drop or rename this one first.' 'as it is attached'

same 'the digests are equal' "SELECT ordcancel.setup_digest(orders) FROM $all_tables"
same 'so are the calls that make the setup' "SELECT ordcancel.export_setup(orders) FROM $all_tables"
same 'the log of changes' "SELECT c.orders, c.change_no, c.changed_at, c.changed_by, c.what FROM ordcancel.policy_change
	AS c JOIN $all_tables ON t.orders = c.orders ORDER BY c.orders::text, c.change_no"
for report in cancellations timeline reason_summary pending_requests refunds_due; do
	same "report $report" "SELECT r.* FROM $all_tables, LATERAL ordcancel.$report(t.orders) AS r ORDER BY r.*::text"
done
same 'the timers' "SELECT r.* FROM $all_tables, LATERAL ordcancel.timers(t.orders) AS r ORDER BY r.*::text"
same 'what customers can do' "SELECT o.id, v.* FROM shop.orders AS o,
	LATERAL ordcancel.cancel_options('shop.orders', o.id) AS v ORDER BY o.id, v.party, v.verb"
is "$(sql $to -c 'SELECT orders, problem, detail FROM ordcancel.health')" '' 'health has nothing to say'
is "$(sql $to -c "SELECT relowner::regrole FROM pg_class WHERE oid = 'shop.orders_cancellation'::regclass")" postgres \
	'the records belong to the owner of the extension'

# ------------------------------------------------------------------- life there

# ROLE STATEMENT
as()
{
	sql $to -c "SET ROLE $1" -c "$2" 2>&1
}

is "$(as move_staff "SELECT state, changed FROM ordcancel.undo_cancel('shop.orders', 2, 'The parcel was found.')" &&
	sql $to -c 'SELECT status, canceled_at IS NULL FROM shop.orders WHERE id = 2')" $'undone|t\npaid|t' \
	'an order that was canceled before is undone, with its column'
like "$(as move_owner "UPDATE shop.orders SET status = 'canceled' WHERE id = 5")" 'cannot change from "shipped"' \
	'a plain UPDATE is refused as before'
like "$(as move_owner "INSERT INTO shop.shipments VALUES (3)")" 'order 3 of shop.orders is on hold' \
	'and a row of a child table'
is "$(as move_customer "SELECT state FROM ordcancel.request_cancel('shop.orders', 6)")" requested \
	'a customer has the right to request'
like "$(as move_customer "SELECT state FROM ordcancel.cancel_order('shop.orders', 7)")" 'permission denied' \
	'and no other right'
is "$(as move_staff "SELECT count(*) FROM ordcancel.cancel_items('shop.parts', ROW('x', 1), '[{\"item\": 12}]')")" 1 \
	'staff cancel an item'
is "$(sql $to -c "SELECT string_agg(order_key, ' ' ORDER BY cancellation_id) FROM ordcancel.cancellation
	WHERE cancellation_id > 5" -c "SELECT count(*) FROM (SELECT FROM ordcancel.event WHERE event_id > 1
	GROUP BY event_id HAVING count(*) > 1) AS twice")" $'6 (x,1)\n0' 'new records have numbers of their own'

# Nothing is lost, nothing that was acknowledged comes again.
is "$(as move_reader "SELECT string_agg(order_key || ' ' || type, ', ' ORDER BY event_id)
	FROM ordcancel.next_events('stock')")" '3 requested, 4 canceled, 2 undone, 6 requested' \
	'a consumer goes on after its last acknowledgement'
is "$(sql $to -c "SELECT string_agg(format('%s %s', order_id, why), ', ') FROM ordcancel.skipped_events
	WHERE consumer = 'slow'")" '1 poison' 'what a consumer has set aside stays so'
is "$(as move_reader "SELECT string_agg(order_key || ' ' || type, ', ' ORDER BY event_id)
	FROM ordcancel.next_events('slow')")" '2 canceled, 3 requested, 4 canceled, 2 undone, 6 requested' \
	'one that had not acknowledged anything gets all the others'
is "$(sql $to -c "SELECT ordcancel.ack('slow', max(event_id)) FROM ordcancel.next_events('slow')" \
	-c "SELECT count(*) FROM ordcancel.next_events('slow')")" $'t\n0' 'and acknowledges them'
is "$(sql $to -c "SELECT string_agg(orders || ' ' || order_key, ', ') FROM ordcancel.next_events('everything')")" \
	'shop.orders 2, shop.orders 6, shop.parts (x,1)' \
	'a consumer of all tables there gets what happens there, not what happened before'

# ------------------------------------------------------------------ what is left

sql $from -c "SELECT ordcancel.drop_consumer(name) FROM ordcancel.consumer WHERE orders IS NOT NULL" \
	-c 'DROP SCHEMA shop, audit CASCADE' >"$work/out" 2>&1
ok 'the schema is dropped in the first database'
is "$(sql $from -c 'SELECT count(*) FROM ordcancel.order_table' -c 'SELECT count(*) FROM ordcancel.policy_change' \
	-c "SELECT count(*) FROM ordcancel.next_events('everything')")" $'0\n0\n0' 'nothing of it is left there'
done_testing
