#!/usr/bin/env bash
# Settings that are made before the library is loaded, and for databases: what
# is wrong keeps nobody from connecting, and is not taken for something else.
set -u
. "$(dirname "$0")/lib/tap.sh"

db=t_settings
roles settings_shop
fresh_database $db
long=$(printf 'é%.0s' {1..256})

sql $db <<-'SQL' >/dev/null
	CREATE ROLE settings_shop;
	CREATE EXTENSION ordcancel;
	CREATE TABLE orders (id integer PRIMARY KEY, status text);
	SELECT ordcancel.attach('orders', 'status'), ordcancel.set_policy('orders', canceled_status => 'canceled'),
	       ordcancel.set_rule('orders', 'placed', merchant => 'cancel');
	SELECT ordcancel.grant_merchant('settings_shop');
	GRANT SELECT, UPDATE ON orders TO settings_shop;
	INSERT INTO orders SELECT generate_series(1, 20), 'placed';
SQL

# What a new session says to a call and to a plain update, after a statement.
say() # STATEMENT STATEMENT
{
	sql $db -c 'SET ROLE settings_shop' -c "$1" -c "$2" 2>&1 | grep -E 'ERROR|canceled|UPDATE' | head -n 1
}
update="UPDATE orders SET status = 'canceled' WHERE id ="

is "$(say "SET ordcancel.party = 'shopper'" "$update 1")" \
	'ERROR:  invalid value for parameter "ordcancel.party": "shopper"' 'a party that is none makes no merchant'
is "$(say "SET ordcancel.party = 'shopper'" "SELECT state FROM ordcancel.cancel_order('orders', 1)")" \
	'ERROR:  invalid value for parameter "ordcancel.party": "shopper"' 'nor for a call'
like "$(say "SET ordcancel.party = 'customer'" "$update 1")" \
	'ERROR:  status of order 1 of public.orders cannot change' 'a customer is one'
is "$(say "SET ordcancel.actor = '$long'" "SELECT state FROM ordcancel.cancel_order('orders', 1)")" \
	'ERROR:  setting "ordcancel.actor" is too long' 'a name that is too long is no other'
like "$(say "SET ordcancel.reason = '$long'" "$update 1")" '^ERROR:  cancellation reason "éé.* does not exist' \
	'nor is a reason none'

# For the database.
for setting in "ordcancel.party = 'shopper'" "ordcancel.actor = '$long'" "ordcancel.reason = '$long'"; do
	sql $db -c "ALTER DATABASE $db SET $setting" >/dev/null
	is "$(sql $db -c 'SELECT 1')" 1 "one can connect: ${setting:0:30}"
	like "$(say 'SELECT 1' "$update 2")" '^ERROR:  (invalid value|setting|cancellation reason)' \
		'what would go by it is refused'
	is "$(say "RESET ROLE" "SELECT allowed FROM ordcancel.cancel_options('orders', 2)" | grep -c FATAL)" 0 \
		'the session goes on'
	sql $db -c "ALTER DATABASE $db RESET ${setting%% *}" >/dev/null
done
is "$(say 'SELECT 1' "$update 2; SELECT status FROM orders WHERE id = 2")" 'canceled' 'without them all is well'
like "$(sql $db -c "SELECT state FROM ordcancel.cancel_order('orders', 3)" \
	-c "ALTER DATABASE $db SET ordcancel.party = 'shopper'" 2>&1)" \
	'ERROR:  invalid value for parameter "ordcancel.party"' 'a session that knows the setting refuses it at once'
done_testing
