-- attach_items and detach_items: which tables can be attached, what that makes,
-- and what is kept.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
SELECT plan(161);

CREATE SCHEMA shop;
CREATE ROLE items_owner;
CREATE ROLE items_other;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text NOT NULL DEFAULT 'placed', paid numeric);
INSERT INTO shop.orders VALUES (1, 'placed', 30), (2, 'placed', 20);
SELECT ordcancel.attach('shop.orders', 'status');
SELECT ordcancel.set_policy('shop.orders', canceled_status => 'canceled');

CREATE FUNCTION columns_of(rel text) RETURNS text LANGUAGE sql AS $$
SELECT string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod), ', ' ORDER BY a.attnum)
FROM pg_attribute AS a WHERE attrelid = rel::regclass AND attnum > 0 AND NOT attisdropped $$;
CREATE FUNCTION triggers_of(rel text) RETURNS text LANGUAGE sql AS $$
SELECT string_agg(tgname || CASE tgenabled WHEN 'O' THEN '' ELSE ' ' || tgenabled::text END, ' '
                  ORDER BY tgname COLLATE "C")
FROM pg_trigger WHERE tgrelid = rel::regclass AND tgname LIKE '%ordcancel%' $$;
CREATE FUNCTION attached(items text) RETURNS text LANGUAGE sql AS $$
SELECT i::text FROM ordcancel.item_table AS i WHERE i.items = $1::regclass $$;
-- The columns of the record table that are not those of its parent.
CREATE FUNCTION own_columns(records text) RETURNS text LANGUAGE sql AS $$
SELECT replace(columns_of(records), columns_of('ordcancel.cancellation_item') || ', ', '') $$;

-- ------------------------------------------------------- what it makes

CREATE TABLE shop.order_items (id integer PRIMARY KEY, order_id integer NOT NULL REFERENCES shop.orders,
                               quantity integer NOT NULL, canceled_quantity integer NOT NULL DEFAULT 0,
                               shipped_quantity integer NOT NULL DEFAULT 0, unit_price numeric(10, 2));
CREATE INDEX ON shop.order_items (order_id);
INSERT INTO shop.order_items VALUES (1, 1, 3, 0, 0, 10), (2, 2, 2, 0, 1, 10);

SELECT is(ordcancel.attach_items(
              'shop.order_items', 'shop.orders', key => '{order_id}', quantity => 'quantity',
              canceled => 'canceled_quantity', fulfilled => 'shipped_quantity',
              amount => 'round((quantity - canceled_quantity) * unit_price, 2)'),
          'shop.order_items: attached as items of shop.orders; primary key: id; key: order_id; quantity: quantity;'
          ' canceled: canceled_quantity; fulfilled: shipped_quantity;'
          ' amount: round((quantity - canceled_quantity) * unit_price, 2);'
          ' records in shop.orders_cancellation_item', 'attach_items says what it made');
SELECT is(attached('shop.order_items'),
          '(shop.orders,shop.order_items,{order_id},{id},{item_id},quantity,canceled_quantity,,,shipped_quantity,'
          '"(order_row.shipped_quantity)::numeric","","round((quantity - canceled_quantity) * unit_price, 2)",'
          '"round((((order_row.quantity - order_row.canceled_quantity))::numeric * order_row.unit_price), 2)","")',
          'and keeps what it was given, with the expressions spelled out');
SELECT is((SELECT o.item_records::text FROM ordcancel.order_table AS o), 'shop.orders_cancellation_item',
          'the order table has a third record table');
SELECT is(columns_of('shop.orders_cancellation_item'),
          'cancellation_id bigint, item_key text, quantity numeric, refund_due numeric, reason text, note text,'
          ' prior_status text, restored numeric, item_id integer',
          'which has the columns of its parent and the key of the item');
SELECT is((SELECT string_agg(pg_get_indexdef(indexrelid), '; ') FROM pg_index
           WHERE indrelid = 'shop.orders_cancellation_item'::regclass),
          'CREATE UNIQUE INDEX orders_cancellation_item_pkey ON shop.orders_cancellation_item USING btree'
          ' (cancellation_id, item_key)', 'and a primary key');
SELECT is((SELECT string_agg(inhparent::regclass::text, ' ') FROM pg_inherits
           WHERE inhrelid = 'shop.orders_cancellation_item'::regclass), 'ordcancel.cancellation_item', 'it inherits');
SELECT is(obj_description('shop.orders_cancellation_item'::regclass, 'pg_class'),
          'items of the cancellations of shop.orders; written by ordcancel alone', 'it has a comment');
SELECT is(col_description('shop.orders_cancellation_item'::regclass, 9), 'key of the item: its column id',
          'the key of the item, too');
SELECT is(triggers_of('shop.orders_cancellation_item'), 'ordcancel_guard_record', 'and its guard');
SELECT is(attempt($$INSERT INTO shop.orders_cancellation_item VALUES (1, '1', 1)$$), '23514 written_by_ordcancel',
          'which refuses writes');
SELECT is(attempt($$DELETE FROM ordcancel.cancellation_item$$), '23514 written_by_ordcancel',
          'through the parent, too');
SELECT is(triggers_of('shop.order_items'), '!ordcancel_guard_item !ordcancel_guard_item_truncate',
          'the items have two triggers');
SELECT is((SELECT string_agg(pg_get_triggerdef(oid), E'\n' ORDER BY tgname) FROM pg_trigger
           WHERE tgrelid = 'shop.order_items'::regclass AND tgname ~ 'ordcancel'),
          'CREATE TRIGGER "!ordcancel_guard_item" AFTER INSERT OR DELETE OR UPDATE ON shop.order_items FOR EACH ROW'
          || E' EXECUTE FUNCTION ordcancel_internal.guard_item()\n'
          || 'CREATE TRIGGER "!ordcancel_guard_item_truncate" BEFORE TRUNCATE ON shop.order_items FOR EACH STATEMENT'
             ' EXECUTE FUNCTION ordcancel_internal.guard_item_truncate()', 'for every row, and TRUNCATE');
SELECT is((SELECT count(*) FROM ordcancel.health('shop.orders') AS h WHERE h.problem ~ 'item|record'), 0::bigint,
          'nothing is wrong with them');

-- ------------------------------------------------------- called again

SELECT is(ordcancel.attach_items('shop.order_items', 'shop.orders', NULL),
          'shop.order_items: attached again as items of shop.orders, nothing changed', 'called again it keeps all');
SELECT is(ordcancel.attach_items('shop.order_items', 'shop.orders', '{order_id}', fulfilled => 'least(1, quantity)',
                                 unset => '{amount}'),
          'shop.order_items: attached again as items of shop.orders, fulfilled: shipped_quantity -> least(1, quantity);'
          ' amount: round((quantity - canceled_quantity) * unit_price, 2) -> none', 'or changes what it is told');
SELECT is(attached('shop.order_items'),
          '(shop.orders,shop.order_items,{order_id},{id},{item_id},quantity,canceled_quantity,,,"least(1, quantity)",'
          '"(LEAST(1, order_row.quantity))::numeric","",,,)', 'and keeps the rest');
CREATE FUNCTION shop.shipped(shop.order_items) RETURNS integer LANGUAGE sql AS 'SELECT $1.shipped_quantity';
SELECT ordcancel.attach_items('shop.order_items', 'shop.orders', NULL, fulfilled => 'shop.shipped(order_items)');
SELECT is((SELECT i.pinned_fulfilled || ' ' || i.fulfilled_functions FROM ordcancel.item_table AS i),
          '(shop.shipped(order_row.*))::numeric shop.shipped(shop.order_items)',
          'functions are kept by their signatures, and the item is named as its table');
SELECT ordcancel.attach_items('shop.order_items', 'shop.orders', NULL, fulfilled => 'shipped_quantity');
DROP FUNCTION shop.shipped;

SELECT oid::text AS trigger_before FROM pg_trigger WHERE tgname = '!ordcancel_guard_item' \gset
SELECT ordcancel.attach_items('shop.order_items', 'shop.orders', NULL);
SELECT is((SELECT oid::text FROM pg_trigger WHERE tgname = '!ordcancel_guard_item'), :'trigger_before',
          'triggers that are there are left alone');
ALTER TABLE shop.order_items DISABLE TRIGGER "!ordcancel_guard_item";
SELECT ordcancel.attach_items('shop.order_items', 'shop.orders', NULL);
SELECT is(triggers_of('shop.order_items'), '!ordcancel_guard_item !ordcancel_guard_item_truncate',
          'a disabled one is enabled');
DROP TRIGGER "!ordcancel_guard_item" ON shop.order_items;
ALTER TRIGGER "!ordcancel_guard_item_truncate" ON shop.order_items RENAME TO mine;
SELECT ordcancel.attach_items('shop.order_items', 'shop.orders', NULL);
SELECT is(triggers_of('shop.order_items') || (SELECT count(*) FROM pg_trigger WHERE tgname = 'mine'),
          '!ordcancel_guard_item !ordcancel_guard_item_truncate0', 'missing and renamed ones are made again');

-- Columns that were renamed
ALTER TABLE shop.order_items RENAME COLUMN quantity TO ordered;
ALTER TABLE shop.order_items RENAME COLUMN canceled_quantity TO gone;
ALTER TABLE shop.order_items RENAME COLUMN order_id TO belongs_to;
ALTER TABLE shop.order_items RENAME COLUMN id TO line;
SELECT is(error_of($$SELECT ordcancel.attach_items('shop.order_items', 'shop.orders', '{belongs_to}')$$),
          'OC014 | shop.order_items has no column "quantity" | It was passed as quantity. | The columns are line,'
          ' belongs_to, ordered, gone, shipped_quantity, unit_price.', 'a renamed column is missed');
SELECT is(ordcancel.attach_items('shop.order_items', 'shop.orders', '{belongs_to}', 'ordered', 'gone'),
          'shop.order_items: attached again as items of shop.orders, primary key: id -> line;'
          ' key: order_id -> belongs_to; quantity: quantity -> ordered; canceled: canceled_quantity -> gone',
          'and taken with its new name');
SELECT is(own_columns('shop.orders_cancellation_item'), 'item_id integer', 'the record table keeps its own names');
SELECT ok(attached('shop.order_items') LIKE '%{line},{item_id}%', 'as the configuration says');
SELECT is(col_description('shop.orders_cancellation_item'::regclass, 9), 'key of the item: its column line',
          'and the comment');
ALTER TABLE shop.order_items DROP CONSTRAINT order_items_pkey, ADD PRIMARY KEY (belongs_to, line);
SELECT is(error_of($$SELECT ordcancel.attach_items('shop.order_items', 'shop.orders', NULL)$$),
          'OC014 | the primary key of shop.order_items has changed | It was (line) and is now (belongs_to, line);'
          ' canceled items are recorded under the old one. | Restore the primary key.',
          'another primary key is refused');
ALTER TABLE shop.order_items DROP CONSTRAINT order_items_pkey, ADD PRIMARY KEY (line);
ALTER TABLE shop.order_items ALTER COLUMN line TYPE bigint;
SELECT ordcancel.attach_items('shop.order_items', 'shop.orders', NULL);
SELECT is(own_columns('shop.orders_cancellation_item'), 'item_id bigint', 'another type of the key is followed');
ALTER TABLE shop.order_items RENAME COLUMN ordered TO quantity;
ALTER TABLE shop.order_items RENAME COLUMN gone TO canceled_quantity;
ALTER TABLE shop.order_items RENAME COLUMN belongs_to TO order_id;
ALTER TABLE shop.order_items RENAME COLUMN line TO id;
SELECT ordcancel.attach_items('shop.order_items', 'shop.orders', '{order_id}', 'quantity', 'canceled_quantity');

-- Record tables that were damaged
ALTER TABLE shop.orders_cancellation_item DISABLE TRIGGER ALL;
ALTER TABLE shop.orders_cancellation_item NO INHERIT ordcancel.cancellation_item;
ALTER TABLE shop.orders_cancellation_item DROP CONSTRAINT orders_cancellation_item_pkey;
SELECT ordcancel.attach('shop.orders');
SELECT is(triggers_of('shop.orders_cancellation_item') || (SELECT count(*) FROM pg_inherits
                                                           WHERE inhrelid = 'shop.orders_cancellation_item'::regclass)
          || (SELECT count(*) FROM pg_index WHERE indrelid = 'shop.orders_cancellation_item'::regclass),
          'ordcancel_guard_record11', 'attach() repairs the record table of items, too');

-- ------------------------------------------------------- partly fulfilled orders

SELECT ordcancel.attach_items('shop.order_items', 'shop.orders', NULL, fulfilled => 'shipped_quantity');
SELECT ordcancel.set_rule('shop.orders', 'placed', merchant => 'cancel');
SELECT ordcancel.set_rule('shop.orders', 'sent');
CREATE FUNCTION partly_fulfilled() RETURNS text LANGUAGE sql AS $$
SELECT string_agg(status || ' ' || coalesce(partly_fulfilled, '-'), ', ' ORDER BY status)
FROM ordcancel.overview('shop.orders') $$;
SELECT is(partly_fulfilled(), 'canceled -, placed refuse, sent -', 'overview() says what happens to them');
SELECT matches(ordcancel.diagram('shop.orders'), 'No order can be canceled as a<br/>whole', 'and so does the diagram');
SELECT is(ordcancel.set_policy('shop.orders', partly_fulfilled => 'rest'),
          'shop.orders: policy "default", partly_fulfilled: refuse -> rest', 'a policy can say otherwise');
SELECT is(partly_fulfilled(), 'canceled -, placed rest, sent -', 'as the overview then does');
SELECT ordcancel.attach_items('shop.order_items', 'shop.orders', NULL, unset => '{fulfilled}');
SELECT is(partly_fulfilled(), 'canceled -, placed -, sent -', 'if anything can be fulfilled');
SELECT ordcancel.drop_rule('shop.orders', 'placed'), ordcancel.drop_rule('shop.orders', 'sent');

-- ------------------------------------------------------- detached and attached again

ALTER TABLE shop.orders_cancellation_item DISABLE TRIGGER ALL;
INSERT INTO shop.orders_cancellation_item VALUES (1, '1', 2, 20, NULL, NULL, NULL, NULL, 1);
ALTER TABLE shop.orders_cancellation_item ENABLE TRIGGER ALL;
SELECT is(ordcancel.detach_items('shop.order_items'),
          'shop.order_items: detached from shop.orders; the records stay in shop.orders_cancellation_item',
          'detach_items says what it did');
SELECT is(triggers_of('shop.order_items'), NULL, 'the triggers are gone');
SELECT is((SELECT count(*) FROM ordcancel.item_table), 0::bigint, 'and the configuration');
SELECT is((SELECT item_records::text FROM ordcancel.order_table), 'shop.orders_cancellation_item',
          'the order table keeps the record table');
SELECT is(attempt('DELETE FROM shop.orders_cancellation_item'), '23514 written_by_ordcancel', 'which stays guarded');
SELECT is(error_of($$SELECT ordcancel.detach_items('shop.order_items')$$),
          'OC001 | table shop.order_items is not attached as a table of items'
          ' | Call ordcancel.attach_items() for it first.', 'a second time there is nothing to detach');
SELECT is(attempt('SELECT ordcancel.detach_items(NULL)'), 'OC001', 'nor of no table');
SELECT is(ordcancel.attach('shop.orders'), 'shop.orders: attached again, nothing changed', 'attach() keeps it');
CREATE TABLE shop.new_items (number bigint PRIMARY KEY, order_id integer, quantity integer, canceled integer);
SELECT is(error_of($$SELECT ordcancel.attach_items('shop.new_items', 'shop.orders', '{order_id}', 'quantity',
                                                   'canceled')$$),
          'OC014 | table shop.orders_cancellation_item exists but is not a record table of shop.orders'
          ' | It has no column "number" bigint.'
          ' | Rename it, or remove what attach() did not create, and attach again.',
          'items with another key cannot use it');
ALTER TABLE shop.new_items RENAME COLUMN number TO id;
SELECT ok(ordcancel.attach_items('shop.new_items', 'shop.orders', '{order_id}', 'quantity', 'canceled')
          LIKE '%records in shop.orders_cancellation_item', 'another table of items with the same key can');
SELECT is((SELECT count(*) FROM shop.orders_cancellation_item), 1::bigint, 'the records are there');
SELECT ordcancel.detach_items('shop.new_items');
SELECT ordcancel.attach_items('shop.order_items', 'shop.orders', '{order_id}', 'quantity', 'canceled_quantity');

SELECT is(ordcancel.detach('shop.orders'),
          'shop.orders: detached; policies dropped: 1, rules: 0, blocks: 0; the records stay in'
          ' shop.orders_cancellation', 'detach() detaches the items, too');
SELECT is((SELECT count(*) FROM ordcancel.item_table), 0::bigint, 'their configuration is gone');
SELECT is(concat(triggers_of('shop.order_items'), triggers_of('shop.orders_cancellation_item'),
                 (SELECT count(*) FROM pg_inherits WHERE inhrelid = 'shop.orders_cancellation_item'::regclass)),
          '0', 'and so are the triggers and the inheritance');
SELECT is(attempt($$SELECT ordcancel.attach_items('shop.order_items', 'shop.orders', '{order_id}', 'quantity',
                                                  'canceled_quantity')$$), 'OC001',
          'without orders there are no items');
SELECT ordcancel.attach('shop.orders', 'status');
SELECT is((SELECT item_records::text FROM ordcancel.order_table), 'shop.orders_cancellation_item',
          'attach() takes the record table up again');
SELECT is(triggers_of('shop.orders_cancellation_item') || (SELECT count(*) FROM ordcancel.cancellation_item),
          'ordcancel_guard_record1', 'with its records');
SELECT ordcancel.set_policy('shop.orders', canceled_status => 'canceled');
SELECT ok(ordcancel.attach_items('shop.order_items', 'shop.orders', '{order_id}', 'quantity', 'canceled_quantity')
          LIKE '%records in shop.orders_cancellation_item', 'and attach_items() uses it');

-- A dumped schema in a database where nothing is attached
SELECT ordcancel.detach('shop.orders');
ALTER TABLE ordcancel_internal.detached DISABLE TRIGGER ALL;
DELETE FROM ordcancel_internal.detached;
ALTER TABLE ordcancel_internal.detached ENABLE ALWAYS TRIGGER guard_config,
    ENABLE REPLICA TRIGGER skip_replicated;
SELECT ordcancel.attach('shop.orders', 'status');
SELECT is((SELECT item_records FROM ordcancel.order_table), NULL, 'a restored record table is not known');
SELECT ordcancel.attach_items('shop.order_items', 'shop.orders', '{order_id}', 'quantity', 'canceled_quantity');
SELECT is((SELECT count(*) FROM ordcancel.cancellation_item), 1::bigint, 'until attach_items() finds it by its name');
SELECT ordcancel.set_policy('shop.orders', canceled_status => 'canceled');

-- ------------------------------------------------------- what is refused

CREATE TABLE shop.good (id integer PRIMARY KEY, order_id integer, n integer, gone integer, note text, state text,
                        at timestamptz, twice integer GENERATED ALWAYS AS (n * 2) STORED);
CREATE TABLE shop.no_key (id integer, order_id integer, n integer, gone integer);
CREATE TABLE shop.deferred (id integer PRIMARY KEY DEFERRABLE, order_id integer, n integer, gone integer);
CREATE TABLE shop.parent (id integer PRIMARY KEY, order_id integer, n integer, gone integer);
CREATE TABLE shop.inheriting (PRIMARY KEY (id)) INHERITS (shop.parent);
CREATE TABLE shop.divided (id integer, order_id integer, n integer, gone integer, PRIMARY KEY (id, order_id))
    PARTITION BY HASH (order_id);
CREATE TABLE shop.divided_0 PARTITION OF shop.divided FOR VALUES WITH (MODULUS 1, REMAINDER 0);
CREATE TEMP TABLE fleeting (id integer PRIMARY KEY, order_id integer, n integer, gone integer);
CREATE VIEW shop.seen AS SELECT * FROM shop.good;
CREATE TABLE shop.other_orders (id integer PRIMARY KEY, status text);
CREATE TABLE shop.shipments (id integer PRIMARY KEY, order_id integer, n integer, gone integer);
CREATE TABLE shop.foreign_items (id integer PRIMARY KEY, order_id integer, n integer, gone integer);
ALTER TABLE shop.foreign_items OWNER TO items_other;
CREATE TABLE shop.keyed (id integer, order_id integer, n integer, gone integer, PRIMARY KEY (id, gone));
CREATE TYPE shop.line_state AS ENUM ('open', 'shipped', 'canceled');
CREATE TABLE shop.lines (id integer PRIMARY KEY, order_id integer, state shop.line_state, place point);
SELECT ordcancel.attach('shop.other_orders', 'status');
SELECT ordcancel.attach_child('shop.shipments', 'shop.orders', '{order_id}');
SELECT ordcancel.detach_items('shop.order_items');

CREATE FUNCTION refused(items text, arguments text DEFAULT $$'{order_id}', 'n', 'gone'$$,
                        orders text DEFAULT 'shop.orders') RETURNS text LANGUAGE sql AS $$
SELECT replace(error_of(format('SELECT ordcancel.attach_items(%L, %L, %s)', items, orders, arguments)),
               'OC014 | ' || items || ' cannot be attached as items of shop.orders | ', '') $$;
SELECT is(refused(items), error, items) FROM (VALUES
    ('shop.no_key', 'It has no primary key. | Add a primary key that is not deferrable.'),
    ('shop.deferred', 'Its primary key is deferrable. | Add a primary key that is not deferrable.'),
    ('shop.parent', 'It has child tables or inherits from another table; triggers are not inherited.'),
    ('shop.inheriting', 'It has child tables or inherits from another table; triggers are not inherited.'),
    ('shop.divided_0', 'It is a partition. | Attach the partitioned table.'),
    ('shop.seen', 'It is not an ordinary or partitioned table.'),
    ('shop.orders', 'It is the order table itself.'),
    ('shop.other_orders', 'It is attached as an order table.'),
    ('shop.shipments', 'It is attached as a child table. | Call ordcancel.detach_child(''shop.shipments'') first;'
                       ' items are refused for canceled orders, too.'),
    ('shop.foreign_items', 'The two tables have different owners.'),
    ('shop.orders_cancellation', 'It is a record table or a table of the system.'),
    ('shop.orders_cancellation_item', 'It is a record table or a table of the system.'),
    ('shop.other_orders_cancellation_event', 'It is a record table or a table of the system.'),
    ('ordcancel.item_table', 'It is a record table or a table of the system.'),
    ('pg_catalog.pg_class', 'It is a record table or a table of the system.')) AS v (items, error);
SELECT ok(refused('fleeting')
          LIKE 'OC014 | pg_temp%cannot be attached as items of shop.orders | It is a temporary table.',
          'a temporary table');
SELECT is(attempt($$SELECT ordcancel.attach_items(NULL, 'shop.orders', '{order_id}', 'n', 'gone')$$), 'OC001',
          'no items');
SELECT is(attempt($$SELECT ordcancel.attach_items('shop.good', NULL, '{order_id}', 'n', 'gone')$$), 'OC001',
          'no orders');
SELECT is(refused('shop.good', orders => 'shop.parent'),
          'OC001 | table shop.parent is not attached to ordcancel | Call ordcancel.attach() for the order table first.',
          'orders that are not attached');

SELECT is(refused(items, arguments), error, items || ' with ' || arguments) FROM (VALUES
    ('shop.good', 'NULL, ''n'', ''gone''', 'OC014 | key must name a column for each of (id)'),
    ('shop.good', '''{}'', ''n'', ''gone''', 'OC014 | key must name a column for each of (id)'),
    ('shop.good', '''{order_id,id}'', ''n'', ''gone''', 'OC014 | key must name a column for each of (id)'),
    ('shop.good', '''{order}'', ''n'', ''gone''', 'OC014 | shop.good has no column "order"'),
    ('shop.good', '''{note}'', ''n'', ''gone''', 'OC014 | column "note" of shop.good cannot hold the key of shop.orders'
                                                ' | Its type is text, but the type of the key is integer.'),
    ('shop.good', '''{order_id}''', 'It was not specified where canceled units are kept.'
     ' | Pass quantity and canceled, or status and canceled_status; unset => ... removes one that was set before.'),
    ('shop.good', '''{order_id}'', ''n''', 'It was not specified where canceled units are kept.'
     ' | Pass quantity and canceled, or status and canceled_status; unset => ... removes one that was set before.'),
    ('shop.good', '''{order_id}'', canceled => ''gone''', 'canceled was specified without quantity.'
     ' | Pass quantity and canceled, or status and canceled_status; unset => ... removes one that was set before.'),
    ('shop.good', '''{order_id}'', status => ''state''', 'status was specified without canceled_status.'
     ' | Pass quantity and canceled, or status and canceled_status; unset => ... removes one that was set before.'),
    ('shop.good', '''{order_id}'', ''n'', ''gone'', canceled_status => ''x''',
     'canceled_status was specified without status.'
     ' | Pass quantity and canceled, or status and canceled_status; unset => ... removes one that was set before.'),
    ('shop.good', '''{order_id}'', ''n'', ''gone'', status => ''state'', canceled_status => ''x''',
     'Canceled units are kept in a column, or marked by a status, but not both.'
     ' | Pass quantity and canceled, or status and canceled_status; unset => ... removes one that was set before.'),
    ('shop.good', '''{order_id}'', ''number'', ''gone''', 'OC014 | shop.good has no column "number" | It was passed as'
     ' quantity. | The columns are id, order_id, n, gone, note, state, at, twice.'),
    ('shop.good', '''{order_id}'', ''n'', ''ctid''', 'OC014 | shop.good has no column "ctid" | It was passed as'
     ' canceled. | The columns are id, order_id, n, gone, note, state, at, twice.'),
    ('shop.good', '''{order_id}'', ''note'', ''gone''', 'OC014 | column "note" of shop.good cannot be used as quantity'
     ' | Its type is text, not an integer or numeric.'),
    ('shop.good', '''{order_id}'', ''n'', ''at''', 'OC014 | column "at" of shop.good cannot be used as canceled'
     ' | Its type is timestamp with time zone, not an integer or numeric.'),
    ('shop.good', '''{order_id}'', ''n'', ''n''', 'OC014 | column "n" of shop.good cannot be used as canceled'
     ' | It was passed as quantity, too.'),
    ('shop.good', '''{order_id}'', ''n'', ''twice''', 'OC014 | column "twice" of shop.good cannot be used as canceled'
     ' | It is a generated column, so it cannot be set.'),
    ('shop.good', '''{order_id}'', ''n'', ''id''', 'OC014 | column "id" of shop.good cannot be used as canceled'
     ' | It is part of the primary key, under which cancellations are recorded.'),
    ('shop.keyed', '''{order_id}'', ''n'', ''gone''', 'OC014 | column "gone" of shop.keyed cannot be used as canceled'
     ' | It is part of the primary key, under which cancellations are recorded.'),
    ('shop.good', '''{order_id}'', ''n'', ''order_id''', 'OC014 | column "order_id" of shop.good cannot be used as'
     ' canceled | It holds the key of the order.'),
    ('shop.good', '''{order_id}'', status => ''at'', canceled_status => ''x''',
     'OC014 | column "at" of shop.good cannot be used as status | Its type is timestamp with time zone, not a text, an'
     ' enum, a number or a boolean.'),
    ('shop.good', '''{order_id}'', status => ''n'', canceled_status => ''x''',
     'OC014 | "x" is not a status of shop.good | Invalid input syntax for type integer: "x".'),
    ('shop.lines', '''{order_id}'', status => ''place'', canceled_status => ''x''',
     'OC014 | column "place" of shop.lines cannot be used as status | Its type is point, not a text, an'
     ' enum, a number or a boolean.'),
    ('shop.lines', '''{order_id}'', status => ''state'', canceled_status => ''cancelled''',
     'OC014 | "cancelled" is not a status of shop.lines | Column "state" is of type shop.line_state, which has no such'
     ' label. | Did you mean "canceled"? Valid labels are open, shipped, canceled.'
     ' To add one, use ALTER TYPE shop.line_state ADD VALUE ''cancelled''.'),
    ('shop.good', '''{order_id}'', ''n'', ''gone'', fulfilled => ''shipped''',
     'OC014 | expression over shop.good cannot be used: shipped | Column "shipped" does not exist.'),
    ('shop.good', '''{order_id}'', ''n'', ''gone'', fulfilled => ''note''',
     'OC014 | expression over shop.good cannot be used: note | Its type is text, not numeric.'),
    ('shop.good', '''{order_id}'', ''n'', ''gone'', amount => ''sum(n)''',
     'OC014 | expression over shop.good cannot be used: sum(n) | Aggregate functions are not allowed in WHERE.'),
    ('shop.good', '''{order_id}'', ''n'', ''gone'', amount => ''ctid''',
     'OC014 | expression over shop.good cannot be used: ctid | Its type is tid, not numeric.'),
    ('shop.good', '''{order_id}'', ''n'', ''gone'', amount => ''xmin::text::numeric''',
     'OC014 | expression over shop.good cannot be used: xmin::text::numeric | System columns are not available.'),
    ('shop.good', '''{order_id}'', ''n'', ''gone'', unset => ''{key}''',
     'OC014 | "key" is not a valid value for unset | Valid values are quantity, canceled, fulfilled, amount, status,'
     ' canceled_status.')) AS v (items, arguments, error);
SELECT is((SELECT count(*) FROM ordcancel.item_table), 0::bigint, 'none of them was attached');
SELECT is(triggers_of('shop.good'), NULL, 'nor guarded');

SELECT ordcancel.attach_items('shop.order_items', 'shop.orders', '{order_id}', 'quantity', 'canceled_quantity');
SELECT is(refused('shop.good'), 'shop.order_items has the items of shop.orders.'
          ' | Call ordcancel.detach_items(''shop.order_items'') first; the records are kept.',
          'a second table of items of an order table');
SELECT is(refused('shop.order_items', $$'{order_id}', 'quantity', 'canceled_quantity'$$, 'shop.other_orders'),
          'OC014 | shop.order_items cannot be attached as items of shop.other_orders'
          ' | shop.order_items has the items of shop.orders.'
          ' | Call ordcancel.detach_items(''shop.order_items'') first; the records are kept.',
          'a table of items of two order tables');
SELECT is(error_of($$SELECT ordcancel.attach_child('shop.order_items', 'shop.orders', '{order_id}')$$),
          'OC014 | shop.order_items cannot be attached as a child'
          ' | It is attached as a table of items, which are refused for canceled orders already.',
          'items as a child table');
SELECT is(error_of($$SELECT ordcancel.attach('shop.order_items', 'quantity')$$),
          'OC014 | shop.order_items cannot be attached | It is attached as a table of items.', 'items as orders');
SELECT is(attempt($$SELECT ordcancel.attach_child('shop.orders_cancellation_item', 'shop.orders', '{item_id}')$$),
          'OC014', 'the record table of items as a child');

-- ------------------------------------------------------- keys of every kind

-- Several columns, of the item and of the order, with a tenant
CREATE SCHEMA "the shop";
CREATE TABLE "the shop"."Order" (tenant uuid, "No" text, status text, PRIMARY KEY (tenant, "No"));
CREATE TABLE "the shop"."Line" (tenant uuid, "Order" text, "line no" smallint, "How many" numeric(8, 3),
                                "Gone" numeric(8, 3), PRIMARY KEY (tenant, "Order", "line no"));
SELECT ordcancel.attach('"the shop"."Order"', 'status');
SELECT is(ordcancel.attach_items('"the shop"."Line"', '"the shop"."Order"', '{tenant,Order}', 'How many', 'Gone',
                                 fulfilled => '"Line"."How many" - 1', amount => '"How many" * 2'),
          '"the shop"."Line": attached as items of "the shop"."Order"; primary key: tenant, Order, line no;'
          ' key: tenant, Order; quantity: How many; canceled: Gone; fulfilled: "Line"."How many" - 1;'
          ' amount: "How many" * 2; records in "the shop"."Order_cancellation_item"', 'quoted names and three columns');
SELECT is(own_columns('"the shop"."Order_cancellation_item"'), 'tenant uuid, Order text, line no smallint',
          'the key of the item in the record table');
SELECT is(ordcancel.attach_items('"the shop"."Line"', '"the shop"."Order"', NULL),
          '"the shop"."Line": attached again as items of "the shop"."Order", nothing changed', 'again');

-- Names that the record table has already
CREATE TABLE shop.named (id integer PRIMARY KEY, status text);
CREATE TABLE shop.named_items (id integer, quantity integer, item_key integer, note integer, n integer, gone bigint,
                               PRIMARY KEY (id, quantity, item_key, note));
SELECT ordcancel.attach('shop.named', 'status');
SELECT ordcancel.attach_items('shop.named_items', 'shop.named', '{id}', 'n', 'gone');
SELECT is(own_columns('shop.named_cancellation_item'),
          'item_id integer, item_quantity integer, item_item_key integer, item_note integer',
          'names that conflict get a prefix');

-- Domains, uuid, bigint and smallint
CREATE DOMAIN shop.code AS text CHECK (value <> '');
CREATE DOMAIN shop.units AS numeric CHECK (value >= 0);
CREATE DOMAIN shop.few AS shop.units;
CREATE TABLE shop.coded (code shop.code PRIMARY KEY, status text);
CREATE TABLE shop.coded_items (item uuid PRIMARY KEY, code varchar(20) COLLATE "C", ordered shop.few,
                               gone shop.units DEFAULT 0, small smallint, big bigint);
SELECT ordcancel.attach('shop.coded', 'status');
SELECT ordcancel.attach_items('shop.coded_items', 'shop.coded', '{code}', 'ordered', 'gone');
SELECT is(own_columns('shop.coded_cancellation_item'), 'item uuid', 'quantities may be domains, and keys uuid');
SELECT is(ordcancel.attach_items('shop.coded_items', 'shop.coded', NULL, 'small', 'big'),
          'shop.coded_items: attached again as items of shop.coded, quantity: ordered -> small; canceled: gone -> big',
          'or any integer');

-- A status for each line
SELECT is(ordcancel.attach_items('shop.lines', 'shop.other_orders', '{order_id}', status => 'state',
                                 canceled_status => 'canceled', fulfilled => $$(state = 'shipped')::integer$$),
          'shop.lines: attached as items of shop.other_orders; primary key: id; key: order_id; status: state;'
          ' canceled_status: canceled; fulfilled: (state = ''shipped'')::integer;'
          ' records in shop.other_orders_cancellation_item', 'a status that is an enum');
CREATE TABLE shop.flagged (id integer PRIMARY KEY, status text);
CREATE TABLE shop.flagged_items (id integer PRIMARY KEY, order_id integer, gone boolean, code integer,
                                 word character(10), n integer);
SELECT ordcancel.attach('shop.flagged', 'status');
SELECT ordcancel.attach_items('shop.flagged_items', 'shop.flagged', '{order_id}', status => 'gone',
                              canceled_status => 't');
SELECT ok(attached('shop.flagged_items') LIKE '%,gone,true,%', 'a boolean, written as the column writes it');
SELECT ordcancel.attach_items('shop.flagged_items', 'shop.flagged', NULL, status => 'code', canceled_status => '07');
SELECT ok(attached('shop.flagged_items') LIKE '%,code,7,%', 'an integer');
SELECT is(error_of($$SELECT ordcancel.attach_items('shop.flagged_items', 'shop.flagged', NULL, status => 'word')$$),
          'ok', 'the canceled status is kept');
SELECT is(ordcancel.attach_items('shop.flagged_items', 'shop.flagged', NULL, status => 'word', canceled_status => 'x ',
                                 quantity => 'n'),
          'shop.flagged_items: attached again as items of shop.flagged, quantity: none -> n; canceled_status: 7 -> x',
          'character(n), with a quantity');
SELECT is(ordcancel.attach_items('shop.flagged_items', 'shop.flagged', NULL, canceled => 'code',
                                 unset => '{status,canceled_status}'),
          'shop.flagged_items: attached again as items of shop.flagged, canceled: none -> code; status: word -> none;'
          ' canceled_status: x -> none', 'from a status to a quantity');

-- Partitions
CREATE TABLE shop.big (id integer PRIMARY KEY, status text);
SELECT ordcancel.attach('shop.big', 'status');
SELECT ordcancel.attach_items('shop.divided', 'shop.big', '{order_id}', 'n', 'gone');
SELECT is(triggers_of('shop.divided_0'), '!ordcancel_guard_item !ordcancel_guard_item_truncate',
          'partitions are guarded');
CREATE TABLE shop.divided_b (id integer NOT NULL, order_id integer NOT NULL, n integer, gone integer);
ALTER TABLE shop.divided DETACH PARTITION shop.divided_0;
SELECT is(triggers_of('shop.divided_0'), '!ordcancel_guard_item_truncate', 'a detached one keeps only one trigger');
ALTER TABLE shop.divided ATTACH PARTITION shop.divided_b FOR VALUES WITH (MODULUS 1, REMAINDER 0);
SELECT is(triggers_of('shop.divided_b'), '!ordcancel_guard_item', 'PostgreSQL clones one trigger to a new partition');
SELECT is(ordcancel.guard_partitions('shop.big'), 1, 'guard_partitions() adds the other');
SELECT is(triggers_of('shop.divided_b'), '!ordcancel_guard_item !ordcancel_guard_item_truncate', 'to that partition');
SELECT is(ordcancel.guard_partitions('shop.big'), 0, 'once');
SELECT ordcancel.detach_items('shop.divided');
SELECT is(concat(triggers_of('shop.divided'), triggers_of('shop.divided_b')), '', 'detach_items() removes them all');
CREATE FUNCTION shop.of_key(integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE TABLE shop.by_code (id integer, order_id integer, n integer, gone integer, PRIMARY KEY (id, order_id))
    PARTITION BY LIST (order_id);
CREATE TABLE shop.by_code_1 PARTITION OF shop.by_code FOR VALUES IN (1);
SELECT ordcancel.attach_items('shop.by_code', 'shop.big', '{order_id}', 'n', 'gone');
SELECT ok(attached('shop.by_code') IS NOT NULL, 'list partitions');

-- ------------------------------------------------------- owners

SELECT ordcancel.grant_owner('items_owner');
CREATE SCHEMA own AUTHORIZATION items_owner;
SET LOCAL ROLE items_owner;
CREATE TABLE own.orders (id integer PRIMARY KEY, status text);
CREATE TABLE own.items (id integer PRIMARY KEY, order_id integer, n integer, gone integer);
CREATE TABLE own.parts (id integer, order_id integer, n integer, gone integer, PRIMARY KEY (id))
    PARTITION BY HASH (id);
CREATE INDEX ON own.items (order_id);
RESET ROLE;
SELECT is(attempt_as('items_owner', $$SELECT ordcancel.attach('own.orders', 'status')$$), 'ok', 'an owner attaches');
SELECT is(attempt_as('items_owner', $$SELECT ordcancel.attach_items('own.items', 'own.orders', '{order_id}', 'n',
                                                                    'gone')$$), 'ok', 'and the items, too');
SELECT is((SELECT string_agg(relowner::regrole::text, ' ') FROM pg_class WHERE oid = 'own.orders_cancellation_item'
                                                                                     ::regclass),
          (SELECT current_user::text), 'the record table belongs to the extension''s owner');
SELECT ok(has_table_privilege('items_owner', 'own.orders_cancellation_item', 'SELECT WITH GRANT OPTION')
          AND NOT has_table_privilege('items_owner', 'own.orders_cancellation_item',
                                      'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER'),
          'and the owner of the orders may read it');
SELECT is(attempt_as('items_owner', 'DROP TABLE own.orders_cancellation_item'), '42501', 'but not drop it');
SELECT is(attempt_as('items_owner', $$SELECT ordcancel.detach_items('own.items')$$), 'ok', 'an owner detaches them');
SELECT is(attempt_as('items_owner', $$SELECT ordcancel.attach_items('own.parts', 'own.orders', '{order_id}', 'n',
                                                                    'gone')$$), 'ok', 'and attaches others');
SELECT is(attempt_as('items_owner', 'CREATE TABLE own.parts_0 PARTITION OF own.parts'
                                    ' FOR VALUES WITH (MODULUS 1, REMAINDER 0)'), 'ok', 'and adds partitions');
SELECT is(attempt_as('items_owner', $$SELECT ordcancel.attach_items('shop.good', 'own.orders', '{order_id}', 'n',
                                                                    'gone')$$), '42501', 'nobody else''s items');
SELECT is(attempt_as('items_owner', $$SELECT ordcancel.attach_items('own.items', 'shop.orders', '{order_id}', 'n',
                                                                    'gone')$$), '42501', 'nor orders');
SELECT is(attempt_as('items_owner', $$SELECT ordcancel.detach_items('shop.order_items')$$), '42501',
          'nor detaches them');
SELECT is(attempt_as('items_other', $$SELECT ordcancel.attach_items('shop.foreign_items', 'shop.orders', '{order_id}',
                                                                    'n', 'gone')$$), '42501',
          'without a grant nothing');
SELECT is(attempt_as('items_owner', 'INSERT INTO ordcancel.item_table (orders) VALUES (NULL)'), '42501',
          'the configuration is not written by hand');
SELECT is(attempt_as('items_owner', 'SELECT FROM ordcancel.item_table'), 'ok', 'but read');
-- Another owner of the order table
ALTER TABLE own.orders OWNER TO items_other;
SELECT ordcancel.attach('own.orders');
SELECT ok(has_table_privilege('items_other', 'own.orders_cancellation_item', 'SELECT')
          AND NOT has_table_privilege('items_owner', 'own.orders_cancellation_item', 'SELECT'),
          'a new owner of the orders may read them instead of the old one');
SELECT ok(refused('own.parts', 'NULL', 'own.orders') LIKE '%The two tables have different owners.',
          'and has to own the items');

-- ------------------------------------------------------- elsewhere, and alone

CREATE SCHEMA audit;
CREATE TABLE shop.audited (id integer PRIMARY KEY, status text);
CREATE TABLE shop.audited_items (id integer PRIMARY KEY, order_id integer, n integer, gone integer);
SELECT ordcancel.attach('shop.audited', 'status', record_schema => 'audit', inherit => false);
SELECT ok(ordcancel.attach_items('shop.audited_items', 'shop.audited', '{order_id}', 'n', 'gone')
          LIKE '%records in audit.audited_cancellation_item', 'the record table is beside the others');
SELECT is((SELECT count(*) FROM pg_inherits WHERE inhrelid = 'audit.audited_cancellation_item'::regclass), 0::bigint,
          'and does not inherit if they do not');
SELECT is(triggers_of('audit.audited_cancellation_item'), 'ordcancel_guard_record', 'but is guarded');
SELECT ordcancel.attach('shop.audited', record_schema => 'shop', inherit => true);
SELECT is((SELECT item_records::text || (SELECT count(*) FROM pg_inherits WHERE inhrelid = item_records)
           FROM ordcancel.order_table WHERE orders = 'shop.audited'::regclass), 'shop.audited_cancellation_item1',
          'attach() moves it with them');

CREATE TABLE shop.taken (id integer PRIMARY KEY, status text);
CREATE TABLE shop.taken_items (id integer PRIMARY KEY, order_id integer, n integer, gone integer);
CREATE TABLE shop.taken_cancellation_item (cancellation_id integer, note text);
SELECT ordcancel.attach('shop.taken', 'status');
SELECT ok(refused('shop.taken_items', orders => 'shop.taken')
          LIKE 'OC014 | table shop.taken_cancellation_item exists but is not a record table of shop.taken |%',
          'a table that has its name is left alone');
DROP TABLE shop.taken_cancellation_item;
SELECT ordcancel.attach_items('shop.taken_items', 'shop.taken', '{order_id}', 'n', 'gone');

-- ------------------------------------------------------- dropped and replaced

DROP TABLE shop.taken_items;
SELECT is((SELECT count(*) FROM ordcancel.item_table AS i WHERE i.orders = 'shop.taken'::regclass), 0::bigint,
          'dropping the items detaches them');
CREATE TABLE shop.taken_items (id integer PRIMARY KEY, order_id integer, n integer, gone integer);
SELECT ordcancel.attach_items('shop.taken_items', 'shop.taken', '{order_id}', 'n', 'gone');
DROP TABLE shop.taken;
SELECT is((SELECT count(*) FROM ordcancel.item_table AS i WHERE i.items = 'shop.taken_items'::regclass), 0::bigint,
          'and so does dropping the orders');
SELECT is(triggers_of('shop.taken_items'), NULL, 'without a trigger left');
CREATE TABLE shop.taken (id integer PRIMARY KEY, status text);
SELECT ordcancel.attach('shop.taken', 'status');
SELECT is((SELECT item_records FROM ordcancel.order_table AS t WHERE t.orders = 'shop.taken'::regclass), NULL,
          'a new table of that name does not get the records');
SELECT ordcancel.attach_items('shop.taken_items', 'shop.taken', '{order_id}', 'n', 'gone');

CREATE TABLE shop.orders_new (LIKE shop.orders INCLUDING ALL);
SELECT is(error_of($$SELECT ordcancel.replace_table('shop.orders', 'shop.by_code')$$, 'sqlstate', 'detail'),
          'OC014 | It is a child table, a table of items or a record table of an order table.',
          'items do not replace orders');
SELECT ordcancel.replace_table('shop.orders', 'shop.orders_new');
SELECT ok(attached('shop.order_items') LIKE '(shop.orders_new,shop.order_items,%', 'a new order table has the items');
SELECT is((SELECT item_records::text FROM ordcancel.order_table AS t WHERE t.orders = 'shop.orders_new'::regclass),
          'shop.orders_new_cancellation_item', 'and their records');
SELECT is(obj_description('shop.orders_new_cancellation_item'::regclass, 'pg_class'),
          'items of the cancellations of shop.orders_new; written by ordcancel alone', 'which say so');

-- ------------------------------------------------------- exported

SELECT is((SELECT string_agg(line, E'\n') FROM regexp_split_to_table(ordcancel.export_setup('shop.other_orders'), E'\n')
               AS line WHERE line ~ 'items'),
          $$SELECT ordcancel.attach_items('shop.lines', 'shop.other_orders', key => '{order_id}', fulfilled => $$
          || $$'(state = ''shipped'')::integer', status => 'state', canceled_status => 'canceled');$$,
          'the setup of items is exported');
SELECT ordcancel.export_setup('"the shop"."Order"') AS setup \gset
SELECT ordcancel.detach('"the shop"."Order"');
SELECT attached('"the shop"."Line"') IS NULL AS gone \gset
:setup
SELECT ok(:'gone' AND attached('"the shop"."Line"') IS NOT NULL, 'and can be run again');

SELECT * FROM finish();
ROLLBACK;
