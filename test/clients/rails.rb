# ActiveRecord: schema.rb, structure.sql, and models of the records.
require "active_record"
require "open3"
require "stringio"

$count = $failed = 0

def equal(got, wanted, name)
  $count += 1
  if got == wanted
    puts "ok #{$count} - #{name}"
  else
    $failed += 1
    puts "not ok #{$count} - #{name}", "# got: #{got.inspect}", "# wanted: #{wanted.inspect}"
  end
end

def connect(database)
  ActiveRecord::Base.establish_connection(adapter: "postgresql", host: ENV["PGHOST"], port: ENV["PGPORT"],
                                          username: ENV["PGUSER"], database: database)
end

def value(sql)
  ActiveRecord::Base.connection.select_value(sql)
end

# Since 7.2 it dumps from a pool.
def schema_rb
  out = StringIO.new
  from_pool = ActiveRecord.version >= Gem::Version.new("7.2")
  ActiveRecord::SchemaDumper.dump(from_pool ? ActiveRecord::Base.connection_pool : ActiveRecord::Base.connection, out)
  out.string
end

def tables_of(schema)
  schema.scan(/create_table "(\w+)"/).flatten
end

# The rules, in a file of their own that is run after db:schema:load.
def setup(record_schema)
  ActiveRecord::Base.connection.execute(<<~SQL)
    SELECT ordcancel.attach('orders', status => 'status', record_schema => #{record_schema ? "'audit'" : "NULL"});
    SELECT ordcancel.set_policy('orders', canceled_status => 'canceled', requested_status => 'asked');
    SELECT ordcancel.set_rule('orders', 'placed', customer => 'request', merchant => 'cancel');
  SQL
end

def cancel(id)
  value("SELECT state FROM ordcancel.cancel_order('orders', #{id})")
rescue ActiveRecord::StatementInvalid => error
  error.cause.result.error_field(PG::PG_DIAG_SQLSTATE)
end

class Order < ActiveRecord::Base
end

class CancellationEvent < ActiveRecord::Base
  self.table_name = "ordcancel.event"
  self.primary_key = "event_id"
  self.inheritance_column = nil     # it has a column "type"

  def readonly?
    true
  end
end

def save(order)
  order.save!
  "saved"
rescue ActiveRecord::StatementInvalid => error      # doc/errors.md
  error.cause.result.error_field(PG::PG_DIAG_CONSTRAINT_NAME)
end

ActiveRecord::Base.logger = nil
from = ENV["PGDATABASE"]
to = "#{from}_to"

# Beside the orders: the record tables are left out by name.
connect(from)
ActiveRecord::Base.connection.execute("CREATE TABLE orders (id int PRIMARY KEY, status text NOT NULL, gift_note text)")
setup(nil)
ActiveRecord::Base.connection.execute("INSERT INTO orders SELECT n, 'placed' FROM generate_series(1, 9) AS n")
equal(tables_of(schema_rb), %w[orders orders_cancellation orders_cancellation_event], "schema.rb has the record tables")
ActiveRecord::SchemaDumper.ignore_tables = [/_cancellation(_event)?\z/]
equal(tables_of(schema_rb), %w[orders], "unless they are ignored")
ActiveRecord::SchemaDumper.ignore_tables = []

equal(cancel(1), "canceled", "a call")
equal(CancellationEvent.where(order_key: "1").pluck(:type), ["canceled"], "a model of the events")
order = Order.find(2)
value("SELECT state FROM ordcancel.cancel_order('orders', 2)")
order.gift_note = "Happy birthday"
equal(save(order), "saved", "a change of another column passes")
order.status_will_change!
equal(save(order), "order_is_canceled", "a stale status is refused")

# In a schema of their own: no tool that looks at public sees them.
value("SELECT ordcancel.detach('orders')")
ActiveRecord::Base.connection.execute("DROP TABLE orders_cancellation, orders_cancellation_event")
setup("audit")
equal(tables_of(schema = schema_rb), %w[orders], "with record_schema they are out of sight")

# database_cleaner and truncate_tables disable every trigger first, the guard of
# TRUNCATE among them: the order table is not theirs.
def clean
  connection = ActiveRecord::Base.connection
  connection.execute("TRUNCATE orders")
  connection.truncate_tables(*connection.tables - ["orders"])
end

value("CREATE TABLE customers (id int PRIMARY KEY)")
value("INSERT INTO customers VALUES (1)")
value("SET ordcancel.allow_truncate = on")
cancel(3)
ActiveRecord::Base.connection.truncate_tables("orders")
equal(value("SELECT count(*) FROM audit.orders_cancellation"), 1,
      "truncate_tables leaves the records of orders that are gone")
value("INSERT INTO orders VALUES (4, 'placed')")
equal(cancel(4), "canceled", "a call")
clean
equal([value("SELECT count(*) FROM customers"), value("SELECT count(*) FROM audit.orders_cancellation")], [0, 0],
      "TRUNCATE by itself empties them")
value("SET ordcancel.allow_truncate = off")

def fresh(database)
  connect("postgres")
  ActiveRecord::Base.connection.execute("DROP DATABASE IF EXISTS #{database}")
  ActiveRecord::Base.connection.execute("CREATE DATABASE #{database}")
end

# db:schema:load: a table without guards, until the setup has run.
fresh(to)
connect(to)
ActiveRecord::Migration.verbose = false
ActiveRecord::Schema.verbose = false
# Since 7.1 schema.rb makes every schema, those of an extension before the extension.
eval(schema.gsub(/^ *create_schema "ordcancel(_internal)?"\n/, ""))
ActiveRecord::Base.connection.execute("CREATE SCHEMA IF NOT EXISTS audit")
ActiveRecord::Base.connection.execute("INSERT INTO orders VALUES (1, 'placed')")
equal(cancel(1), "OC001", "schema.rb has no rules")
setup("audit")
equal(cancel(1), "canceled", "the setup makes them")

# db:structure:load: guards and record tables, but no rules.
structure, = Open3.capture2("pg_dump", "--schema-only", "--no-privileges", "--no-owner", from)
fresh(to)
Open3.capture2("psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-d", to, stdin_data: structure)
connect(to)
ActiveRecord::Base.connection.execute("INSERT INTO orders VALUES (1, 'placed')") rescue nil
equal(cancel(1), "OC001", "structure.sql has none either")
setup("audit")
ActiveRecord::Base.connection.execute("INSERT INTO orders VALUES (1, 'placed') ON CONFLICT DO NOTHING")
equal(cancel(1), "canceled", "the setup makes them")

ActiveRecord::Base.remove_connection
system("dropdb", to)
puts "1..#{$count}"
exit($failed.zero?)
