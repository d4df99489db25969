#!/usr/bin/env bash
# ActiveRecord beside ordcancel: schema.rb, structure.sql, models of the records.
set -u
here=$(dirname "$0")
. "$here/lib/tap.sh"
db=t_tools
cd "$here/../.." || exit
trap 'dropdb --if-exists ${db}_to; dropdb --if-exists $db' EXIT

fresh_database $db && sql $db -f test/clients/tools.sql &&
	PGDATABASE=$db timeout 120 /usr/bin/ruby -W0 test/clients/rails.rb
ok rails.rb
done_testing
