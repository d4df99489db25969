#!/usr/bin/env bash
# ActiveRecord beside ordcancel: schema.rb, structure.sql, models of the records.
set -u
. "$(dirname "$0")/lib/tap.sh"
db=t_tools
cd "$here/../.." || exit
before_exit "drop_database ${db}_to"

fresh_database $db && sql $db -f test/clients/tools.sql &&
	PGDATABASE=$db timeout 120 /usr/bin/ruby -W0 test/clients/rails.rb
ok rails.rb
done_testing
