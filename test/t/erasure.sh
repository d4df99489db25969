#!/usr/bin/env bash
# What was forgotten is not in a dump either, nor comes back with it. What
# listeners hear of it, and what prune_cancellations says.
set -u
. "$(dirname "$0")/lib/tap.sh"

from=t_erasure
to=t_erased

prune() # AGE
{
	sql $to -c 'SET client_min_messages = notice' -c "SELECT ordcancel.prune_cancellations('orders', '$1')" 2>&1
}

before_exit "drop_database $from; drop_database $to"

fresh_database $from && sql $from >/dev/null <<'SQL'
CREATE EXTENSION ordcancel;
CREATE TABLE orders (id integer PRIMARY KEY, status text);
INSERT INTO orders SELECT n, 'placed' FROM generate_series(1, 9) AS n;
SELECT ordcancel.attach('orders', 'status'),
	ordcancel.set_policy('orders', canceled_status => 'canceled', requested_status => 'asked'),
	ordcancel.set_rule('orders', 'placed', customer => 'request', merchant => 'cancel'),
	ordcancel.set_rule('orders', 'canceled', deletable => true);
SELECT ordcancel.create_consumer('mail', start_at => 'beginning'),
	ordcancel.request_cancel('orders', 1, NULL, 'Erika moved', 'erika', 'key'),
	ordcancel.cancel_order('orders', 2, NULL, 'for Erika', 'erika'),
	ordcancel.cancel_order('orders', 3), ordcancel.request_cancel('orders', 4),
	ordcancel.deny_cancel('orders', 4, 'no');
DELETE FROM orders WHERE id = 2;
SQL
ok 'a shop' || done_testing

heard=$(sql $from -c 'LISTEN ordcancel' -c "SELECT changed FROM ordcancel.forget('orders', 1, 'request 17')" 2>&1)
like "$heard" '"type":"forgotten","from":"asked","to":"asked","state":"requested"' 'listeners hear of it'
sql $from -c "SELECT ordcancel.forget('orders', 2)" >/dev/null
ok 'a deleted order is forgotten'
plain_dump $from >"$work/dump.sql"
is "$(grep -ci erika "$work/dump.sql")" 0 'the dump does not name her'

fresh_database $to
sql $to -f "$work/dump.sql" >/dev/null 2>"$work/errors"
is "$(cat "$work/errors")" '' 'it restores'
is "$(sql $to -c "SELECT state, changed FROM ordcancel.forget('orders', 1)")" 'requested|f' 'nothing is left to erase'
is "$(sql $to -c "SELECT state, changed FROM ordcancel.request_cancel('orders', 1, request_key => 'key')")" \
	'requested|f' 'a repeated call is recognized'
is "$(sql $to -c "SELECT state, changed FROM ordcancel.accept_cancel('orders', 1, note => 'for Erika')")" 'canceled|t' \
	'and the request accepted'
is "$(sql $to -c "SELECT state, changed FROM ordcancel.forget('orders', 1)")" 'canceled|t' 'what is new is erased'

# Consumers are restored with their positions: nothing was read yet.
said=$(prune '-1 hour')
like "$said" 'NOTICE:  4 old cancellations of public.orders were kept' 'unread events keep them'
like "$said" 'In effect on an order that exists: 2\. .* count: 0\. .* not acknowledged: 2\.' 'it says why'
sql $to -c "SELECT ordcancel.ack('mail', max(event_id)) FROM ordcancel.next_events('mail')" >/dev/null
said=$(prune '-1 hour')
like "$said" '2$' 'then they go'
like "$said" 'In effect on an order that exists: 2\. .*: 0\. .*: 0\.' 'but for those in effect'
sql $to -c 'UPDATE orders SET status = status' -c "SELECT ordcancel.undo_cancel('orders', 3)" >/dev/null
said=$(prune '1 year')
is "$said" 0 'it says nothing if nothing that old is there'
done_testing
