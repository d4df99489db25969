-- Tables that are dropped, detached, made anew, renamed and attached again:
-- their records are taken up, or kept apart, and nothing of them stays in the
-- way. What needs another database is in t/dump_restore.sh and t/restore.sh.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
SELECT plan(305);

CREATE SCHEMA shop;
CREATE SCHEMA audit;
CREATE ROLE shop_owner;
CREATE ROLE new_owner;
GRANT USAGE, CREATE ON SCHEMA shop, audit TO shop_owner, new_owner;
CREATE TYPE shop.state AS ENUM ('placed', 'asked', 'canceled', 'shipped');
CREATE DOMAIN shop.order_state AS shop.state CHECK (VALUE IS NOT NULL);

-- Tables of several shapes: how each is made, and the key of its nth order.
CREATE TABLE shape (shape text PRIMARY KEY, make text, fill text, key text, inherit boolean DEFAULT true, records name);
INSERT INTO shape VALUES
    ('plain', 'CREATE TABLE shop.orders (id int PRIMARY KEY, status text NOT NULL)',
     'INSERT INTO shop.orders SELECT n, ''placed'' FROM generate_series(1, 9) AS n', '%s', true, NULL),
    ('not inherited', 'CREATE TABLE shop.orders (id uuid PRIMARY KEY, status varchar(20) NOT NULL)',
     'INSERT INTO shop.orders SELECT md5(n::text)::uuid, ''placed'' FROM generate_series(1, 9) AS n',
     'md5(''%s'')::uuid', false, NULL),
    ('composite', 'CREATE TABLE shop.orders (shop text COLLATE "C", no bigint, status text NOT NULL, PRIMARY KEY (no, '
                  'shop))',
     'INSERT INTO shop.orders SELECT ''x'', n, ''placed'' FROM generate_series(1, 9) AS n', 'ROW(%s, ''x'')', true,
     NULL),
    ('partitioned', 'CREATE TABLE shop.orders (id int PRIMARY KEY, status text NOT NULL) PARTITION BY RANGE (id);
      CREATE TABLE shop.orders_1 PARTITION OF shop.orders FOR VALUES FROM (1) TO (5);
      CREATE TABLE shop.orders_2 PARTITION OF shop.orders FOR VALUES FROM (5) TO (50)',
     'INSERT INTO shop.orders SELECT n, ''placed'' FROM generate_series(1, 9) AS n', '%s', true, NULL),
    ('domain over an enum', 'CREATE TABLE shop.orders (id text PRIMARY KEY, status shop.order_state NOT NULL)',
     'INSERT INTO shop.orders SELECT ''k'' || n, ''placed'' FROM generate_series(1, 9) AS n', '''k%s''', true, NULL),
    ('record_schema', 'CREATE TABLE shop.orders (id numeric(8,2) PRIMARY KEY, status text NOT NULL)',
     'INSERT INTO shop.orders SELECT n, ''placed'' FROM generate_series(1, 9) AS n', '%s.00', true, 'audit');

CREATE FUNCTION make(shape) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE $1.make;
    EXECUTE $1.fill;
END
$$;
CREATE FUNCTION setup(inherit boolean DEFAULT true, records name DEFAULT NULL, orders text DEFAULT 'shop.orders')
    RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ordcancel.attach(orders::regclass, 'status', inherit => setup.inherit, record_schema => setup.records);
    PERFORM ordcancel.set_policy(orders::regclass, canceled_status => 'canceled', requested_status => 'asked');
    PERFORM ordcancel.set_rule(orders::regclass, 'placed', customer => 'request', merchant => 'cancel');
END
$$;
CREATE FUNCTION outcome(verb text, key text, arguments text DEFAULT '', orders text DEFAULT 'shop.orders') RETURNS text
    LANGUAGE sql
    AS $$ SELECT outcome_of(format('%s(%L, %s%s)', verb, orders, key, arguments),
                            'concat_ws('' '', state, changed, order_status)', 'sqlstate') $$;
CREATE FUNCTION nth(shape, n integer) RETURNS text LANGUAGE sql RETURN format($1.key, n);
-- The rows that the configuration has of tables that are not there.
CREATE FUNCTION leftovers() RETURNS bigint LANGUAGE sql AS $$
SELECT count(*) FROM (SELECT orders::oid FROM ordcancel.order_table UNION ALL SELECT orders::oid FROM ordcancel.policy
                      UNION ALL SELECT orders::oid FROM ordcancel.rule
                      UNION ALL SELECT orders::oid FROM ordcancel.policy_change
                      UNION ALL SELECT orders::oid FROM ordcancel.block UNION ALL SELECT orders::oid
                      FROM ordcancel.child UNION ALL SELECT child::oid FROM ordcancel.child UNION ALL
                      SELECT orders::oid FROM ordcancel.item_table UNION ALL SELECT items::oid
                      FROM ordcancel.item_table) AS t (o)
WHERE NOT EXISTS (SELECT FROM pg_class WHERE oid = o)
$$;
CREATE FUNCTION indexes(records text) RETURNS SETOF text LANGUAGE sql AS $$
SELECT regexp_replace(pg_get_indexdef(indexrelid), '^CREATE (UNIQUE )?INDEX .* USING ', '\1') FROM pg_index
WHERE indrelid = records::regclass
$$;
CREATE FUNCTION clear() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    t regclass;
BEGIN
    FOR t IN SELECT oid FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition
             AND relnamespace IN ('shop'::regnamespace, 'audit'::regnamespace) LOOP
        EXECUTE format('DROP TABLE %s CASCADE', t);
    END LOOP;
END
$$;

-- ---------------------------------- records that attach finds, by every shape

CREATE FUNCTION detach_and_attach(s shape) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    t text := s.shape || ': ';
    c text := format('%I.orders_cancellation', coalesce(s.records, 'shop'));
    made text[];
BEGIN
    PERFORM make(s), setup(s.inherit, s.records);
    made := ARRAY(SELECT indexes(c) UNION ALL SELECT indexes(c || '_event') ORDER BY 1);
    PERFORM outcome('cancel_order', nth(s, n)) FROM generate_series(1, 4) AS n;
    PERFORM outcome('request_cancel', nth(s, 5), ', request_key => ''k5''');
    RETURN NEXT is(outcome('request_cancel', nth(s, 5), ', request_key => ''k5'''), 'requested f asked',
                   t || 'an order is requested');

    PERFORM ordcancel.detach('shop.orders');
    -- A new extension, and a database into which the schema alone was restored.
    PERFORM setval('ordcancel.cancellation_id_seq', 1, false), setval('ordcancel.event_id_seq', 1, false);
    PERFORM setup(s.inherit, s.records);
    RETURN NEXT is(outcome('cancel_order', nth(s, 6)), 'canceled t canceled', t || 'ids pass those that are there');
    RETURN NEXT is(outcome('cancel_order', nth(s, 1)), 'canceled f canceled', t || 'what was canceled is so');
    RETURN NEXT is(outcome('undo_cancel', nth(s, 1)), 'undone t placed', t || 'and can be undone');
    RETURN NEXT is(outcome('request_cancel', nth(s, 5), ', request_key => ''k5'''), 'requested f asked',
                   t || 'a request key is known');
    RETURN NEXT is(outcome('accept_cancel', nth(s, 5)), 'canceled t canceled', t || 'an open request is open');

    -- Indexes that a tool has dropped.
    PERFORM ordcancel.detach('shop.orders');
    EXECUTE (SELECT string_agg(format('DROP INDEX %s', indexrelid::regclass), ';') FROM pg_index
             WHERE indrelid IN (c::regclass, (c || '_event')::regclass) AND NOT indisprimary);
    EXECUTE (SELECT string_agg(format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname), ';')
             FROM pg_constraint
             WHERE conrelid IN (c::regclass, (c || '_event')::regclass) AND contype = 'p');
    PERFORM setup(s.inherit, s.records);
    RETURN NEXT is(ARRAY(SELECT indexes(c) UNION ALL SELECT indexes(c || '_event') ORDER BY 1), made,
                   t || 'indexes that are gone are made anew');
    PERFORM setup(s.inherit, s.records);
    RETURN NEXT is(ARRAY(SELECT indexes(c) UNION ALL SELECT indexes(c || '_event') ORDER BY 1), made,
                   t || 'and once each');

    -- Dropped while it is attached by a superuser: the same call mends it.
    EXECUTE (SELECT string_agg(format('DROP INDEX %s', indexrelid::regclass), ';') FROM pg_index
             WHERE indrelid = c::regclass AND NOT indisprimary);
    PERFORM setup(s.inherit, s.records);
    RETURN NEXT is(ARRAY(SELECT indexes(c) UNION ALL SELECT indexes(c || '_event') ORDER BY 1), made,
                   t || 'also under an attached table');
    RETURN NEXT is(outcome('cancel_order', nth(s, 7)), 'canceled t canceled', t || 'which goes on');
    PERFORM clear();
    RETURN NEXT is(leftovers(), 0::bigint, t || 'nothing is left of it');
    RETURN NEXT is((SELECT count(*) FROM ordcancel_internal.detached), 0::bigint, t || 'nor of its records');
END
$$;
SELECT detach_and_attach(s) FROM shape AS s;

-- Whatever is dropped first.
SELECT make(s), setup() FROM shape AS s WHERE shape = 'plain';
DROP TABLE shop.orders_cancellation_event, shop.orders_cancellation;
DROP TABLE shop.orders;
SELECT is((SELECT count(*) FROM ordcancel_internal.detached), 0::bigint, 'nothing is left if the records went first');

-- ------------------------------------------- dropped, made anew, attached again

CREATE FUNCTION drop_and_create(s shape, how text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    t text := s.shape || ', ' || how || ': ';
    c text := format('%I.orders_cancellation', coalesce(s.records, 'shop'));
BEGIN
    PERFORM make(s), setup(s.inherit, s.records);
    PERFORM outcome('cancel_order', nth(s, 1)), outcome('request_cancel', nth(s, 2), ', request_key => ''k''');
    IF how = 'detached first' THEN
        PERFORM ordcancel.detach('shop.orders');
    END IF;
    EXECUTE 'DROP TABLE shop.orders';
    RETURN NEXT is(leftovers(), 0::bigint, t || 'no configuration is left');
    RETURN NEXT ok(to_regclass(c) IS NOT NULL, t || 'the records stay');
    PERFORM make(s);
    RETURN NEXT is(attempt(format('SELECT setup(%L, %L)', s.inherit, s.records)), 'ok',
                   t || 'the new table is attached');
    RETURN NEXT is(outcome('cancel_order', nth(s, 1)), 'canceled t canceled',
                   t || 'it does not inherit what the old one has');
    RETURN NEXT is(outcome('request_cancel', nth(s, 2), ', request_key => ''k'''), 'requested t asked',
                   t || 'nor its request keys');
    RETURN NEXT ok(to_regclass(c || '_1') IS NOT NULL AND to_regclass(c || '_event_1') IS NOT NULL,
                   t || 'the old records are beside it');
    EXECUTE 'DROP TABLE shop.orders';
    PERFORM make(s), setup(s.inherit, s.records);
    RETURN NEXT ok(to_regclass(c || '_2') IS NOT NULL, t || 'and so once more');
    RETURN NEXT is(outcome('cancel_order', nth(s, 1)), 'canceled t canceled', t || 'which works again');
    PERFORM clear();
END
$$;
SELECT drop_and_create(s, how) FROM shape AS s, unnest('{detached first,attached}'::text[]) AS how;

-- Record tables that somebody holds on to as they were are not another's.
SELECT make(s), setup() FROM shape AS s WHERE shape = 'plain';
SELECT outcome('cancel_order', '1');
ALTER TABLE shop.orders RENAME TO orders_old;
CREATE TABLE shop.orders (id int PRIMARY KEY, status text NOT NULL);
INSERT INTO shop.orders SELECT n, 'placed' FROM generate_series(1, 9) AS n;
SELECT is(attempt('SELECT setup()'), 'OC014',
          'a table that takes the name of one that is attached: its records are not taken');
SELECT is(attempt('SELECT setup(records => ''audit'')'), 'ok', 'record_schema is a way');
SELECT is(outcome('cancel_order', '1'), 'canceled t canceled', 'the new one has records of its own');
SELECT is(outcome('cancel_order', '1', orders => 'shop.orders_old'), 'canceled f canceled',
          'the renamed one keeps its');
SELECT clear();

-- A swap by rename, as migrations that build a new table beside the old one do it.
SELECT make(s), setup() FROM shape AS s WHERE shape = 'plain';
SELECT outcome('cancel_order', '1');
CREATE TABLE shop.orders_new (LIKE shop.orders INCLUDING ALL);
INSERT INTO shop.orders_new SELECT * FROM shop.orders;
ALTER TABLE shop.orders RENAME TO orders_old;
ALTER TABLE shop.orders_new RENAME TO orders;
DROP TABLE shop.orders_old;
SELECT is(leftovers(), 0::bigint, 'swapped: nothing is left of the old table');
SELECT is(attempt('SELECT setup()'), 'ok', 'swapped: the new one is attached');
SELECT is(outcome('cancel_order', '2'), 'canceled t canceled', 'swapped: and canceled from');
SELECT clear();

-- ------------------------------- DROP SCHEMA, DROP OWNED, DROP TABLE of several

CREATE SCHEMA gone;
CREATE TABLE gone.orders (id int PRIMARY KEY, status text NOT NULL);
CREATE TABLE gone.shipments (order_id int);
CREATE TABLE shop.shipments (order_id int);
CREATE TABLE shop.orders (id int PRIMARY KEY, status text NOT NULL);
SELECT setup(orders => 'gone.orders'), setup();
SELECT ordcancel.attach_child('gone.shipments', 'gone.orders', '{order_id}');
SELECT ordcancel.attach_child('shop.shipments', 'gone.orders', '{order_id}');
SELECT ordcancel.add_block('gone.orders', 'b', 'true');
CREATE TABLE gone.items (id int PRIMARY KEY, order_id int, n int, gone int);
CREATE TABLE shop.items (id int PRIMARY KEY, order_id int, n int, gone int);
SELECT ordcancel.attach_items('shop.items', 'gone.orders', '{order_id}', 'n', 'gone');
SELECT ordcancel.attach_items('gone.items', 'shop.orders', '{order_id}', 'n', 'gone');
DROP SCHEMA gone CASCADE;
SELECT is(leftovers(), 0::bigint, 'DROP SCHEMA CASCADE: nothing is left');
SELECT is((SELECT count(*) FROM ordcancel.order_table), 1::bigint,
          'DROP SCHEMA CASCADE: another table is attached still');
SELECT is(attempt('INSERT INTO shop.shipments VALUES (1)'), 'ok', 'a child of what is gone is free');
SELECT is((SELECT count(*) FROM ordcancel.item_table), 0::bigint, 'DROP SCHEMA CASCADE: no items are attached');
SELECT is(attempt('TRUNCATE shop.items'), 'ok', 'items of what is gone are free');
DROP TABLE shop.items;
SELECT is((SELECT count(*) FROM ordcancel.cancellation), 0::bigint, 'the records went with the schema');
SELECT clear();

CREATE SCHEMA owned AUTHORIZATION shop_owner;
CREATE TABLE owned.orders (id int PRIMARY KEY, status text NOT NULL);
ALTER TABLE owned.orders OWNER TO shop_owner;
INSERT INTO owned.orders VALUES (1, 'placed');
SELECT setup(orders => 'owned.orders', records => 'audit');
SELECT outcome('cancel_order', '1', orders => 'owned.orders');
DROP OWNED BY shop_owner CASCADE;
SELECT is(leftovers(), 0::bigint, 'DROP OWNED: nothing is left');
SELECT is((SELECT count(*) FROM audit.orders_cancellation), 1::bigint,
          'DROP OWNED: the records are the extension owner''s, and stay');
GRANT USAGE, CREATE ON SCHEMA shop, audit TO shop_owner;
SELECT clear();

-- The owner of the schema may drop every table in it, in PostgreSQL; so
-- migration tools drop what is not in their model.
CREATE SCHEMA model AUTHORIZATION shop_owner;
CREATE TABLE model.orders (id int PRIMARY KEY, status text NOT NULL);
ALTER TABLE model.orders OWNER TO shop_owner;
INSERT INTO model.orders VALUES (1, 'placed'), (2, 'placed');
SELECT setup(orders => 'model.orders');
SELECT outcome('cancel_order', '1', orders => 'model.orders');
SELECT is(attempt_as('shop_owner', s), '42501', 'the owner of the schema: ' || s)
FROM unnest('{DROP TABLE model.orders_cancellation,DROP TABLE model.orders_cancellation_event CASCADE,"DROP TABLE '
            'model.orders_cancellation, model.orders_cancellation_event"}'::text[]) AS s;
SELECT is(outcome('cancel_order', '2', orders => 'model.orders')
          || outcome('cancel_order', '1', orders => 'model.orders'),
          'canceled t canceledcanceled f canceled', 'records go on');
SELECT is(attempt_as('shop_owner', 'CREATE TABLE model.x (); DROP TABLE model.x'), 'ok', 'he drops other tables');
SELECT ordcancel.detach('model.orders');
SELECT is(attempt_as('shop_owner', 'DROP TABLE model.orders_cancellation'), '42501',
          'not even those of a table that is detached');
SELECT setup(orders => 'model.orders');
SELECT is(attempt_as('shop_owner', 'DROP SCHEMA model CASCADE'), 'ok', 'and the whole schema');
SELECT is(leftovers(), 0::bigint, 'of which nothing is left');

-- Record tables that are dropped with it, and alone.
SELECT make(s), setup() FROM shape AS s WHERE shape = 'composite';
SELECT outcome('cancel_order', 'ROW(1, ''x'')');
DROP TABLE shop.orders, shop.orders_cancellation, shop.orders_cancellation_event;
SELECT is(leftovers(), 0::bigint, 'dropped with its records: nothing is left');
SELECT make(s), setup() FROM shape AS s WHERE shape = 'composite';
SELECT is(outcome('cancel_order', 'ROW(1, ''x'')'), 'canceled t canceled', 'and the next begins at the beginning');
SELECT is((SELECT array_agg(relname::text ORDER BY relname) FROM pg_class WHERE relnamespace = 'shop'::regnamespace
             AND relkind = 'r' AND relname ~ '_cancellation'),
          '{orders_cancellation,orders_cancellation_event}', 'with no old records beside it');
DROP TABLE shop.orders_cancellation;
SELECT matches(outcome('cancel_order', 'ROW(2, ''x'')'), '^(OC014|55000|42P01)$',
               'a superuser drops the records of an attached table: a clear error');
SELECT is(attempt('UPDATE shop.orders SET status = ''canceled'' WHERE no = 3'), 'OC014',
          'and nothing passes meanwhile');
SELECT is(attempt('SELECT setup()'), 'ok', 'attach makes them anew');
SELECT is(outcome('cancel_order', 'ROW(2, ''x'')'), 'canceled t canceled', 'and it goes on');
SELECT clear();

-- ------------------------------------------ DROP EXTENSION, CREATE EXTENSION

SELECT make(s), setup() FROM shape AS s WHERE shape = 'plain';
SELECT outcome('cancel_order', n::text) FROM generate_series(1, 5) AS n;
SELECT ordcancel.detach('shop.orders');
DROP EXTENSION ordcancel;
CREATE EXTENSION ordcancel;
SELECT is(attempt('SELECT setup()'), 'ok', 'a new extension takes the records up');
SELECT is(outcome('cancel_order', '6'), 'canceled t canceled', 'and ids pass them');
SELECT is(outcome('cancel_order', '5'), 'canceled f canceled', 'they count');

-- A canceled status that is renamed and told again.
SELECT ordcancel.detach('shop.orders');
UPDATE shop.orders SET status = 'cancelled' WHERE status = 'canceled';
SELECT ordcancel.attach('shop.orders', 'status'), ordcancel.set_policy('shop.orders', canceled_status => 'cancelled'),
       ordcancel.set_rule('shop.orders', 'placed', merchant => 'cancel');
SELECT is(outcome('undo_cancel', '5'), 'undone t placed', 'an undo of a status that was renamed sets the old status');
SELECT is((SELECT status FROM shop.orders WHERE id = 5), 'placed', 'in the order too');
SELECT is(outcome('cancel_order', '5'), 'canceled t cancelled', 'which can be canceled again');
SELECT clear();

-- Dropped with CASCADE while a table is attached: its guards go, its orders stay.
SELECT make(s), setup(false) FROM shape AS s WHERE shape = 'plain';
SELECT outcome('cancel_order', '1');
DROP EXTENSION ordcancel CASCADE;
CREATE EXTENSION ordcancel;
SELECT is((SELECT count(*) FROM shop.orders), 9::bigint, 'DROP EXTENSION CASCADE leaves the orders');
SELECT is((SELECT count(*) FROM pg_trigger WHERE tgrelid = 'shop.orders'::regclass AND NOT tgisinternal), 0::bigint,
          'without guards');
SELECT is(attempt('SELECT setup(false)'), 'ok', 'they can be attached again');
SELECT is(outcome('cancel_order', '1'), 'canceled f canceled', 'records that do not inherit have outlived it');
SELECT clear();

-- --------------------------------------------------------- enum labels, renamed

SELECT make(s), setup() FROM shape AS s WHERE shape = 'domain over an enum';
SELECT outcome('cancel_order', '''k1''');
ALTER TYPE shop.state RENAME VALUE 'canceled' TO 'cancelled';
SELECT is(attempt('UPDATE shop.orders SET status = ''cancelled'' WHERE id = ''k2'''), 'OC014',
          'a renamed label: no update passes');
SELECT is(attempt('UPDATE shop.orders SET status = ''placed'' WHERE id = ''k1'''), 'OC014',
          'a renamed label: nor out of it');
SELECT is(outcome('cancel_order', '''k2'''), 'OC014', 'a renamed label: no function');
SELECT is(outcome('undo_cancel', '''k1'''), 'OC014', 'a renamed label: no undo');
SELECT is(attempt('SELECT ordcancel.set_policy(''shop.orders'', canceled_status => ''cancelled'')'), 'ok',
          'it is told');
SELECT is(outcome('cancel_order', '''k2'''), 'canceled t cancelled', 'and goes on');
SELECT is(outcome('undo_cancel', '''k1'''), 'undone t placed', 'what was canceled under the old label is undone');
ALTER TYPE shop.state RENAME VALUE 'placed' TO 'new';
SELECT is(outcome('cancel_order', '''k3'''), 'OC014', 'a renamed label of a rule: no function');
SELECT is(attempt('UPDATE shop.orders SET status = ''cancelled'' WHERE id = ''k3'''), 'OC014',
          'a renamed label of a rule: no update');
SELECT ordcancel.set_rule('shop.orders', 'new', customer => 'request', merchant => 'cancel'),
       ordcancel.drop_rule('shop.orders', 'placed');
SELECT is(outcome('cancel_order', '''k3'''), 'canceled t cancelled', 'it is told: it goes on');
SELECT clear();

-- --------------------------------------------------------------- a new owner

SELECT make(s), setup() FROM shape AS s WHERE shape = 'plain';
SELECT is((SELECT array_agg(DISTINCT relowner = (SELECT extowner FROM pg_extension WHERE extname = 'ordcancel'))
           FROM pg_class
           WHERE oid IN ('shop.orders_cancellation'::regclass, 'shop.orders_cancellation_event'::regclass)),
          '{t}', 'record tables belong to the extension''s owner');
ALTER TABLE shop.orders OWNER TO shop_owner;
SELECT is(concat_ws(',', outcome('cancel_order', '1'), outcome('undo_cancel', '1'),
                    outcome('request_cancel', '2', ', request_key => ''k'''),
                    outcome('request_cancel', '2', ', request_key => ''k'''), outcome('accept_cancel', '2')),
          'canceled t canceled,undone t placed,requested t asked,requested f asked,canceled t canceled',
          'another owner: all goes on');
ALTER TABLE shop.orders OWNER TO new_owner;
SELECT is(concat_ws(',', outcome('cancel_order', '3'), outcome('undo_cancel', '3'),
                    outcome('request_cancel', '4', ', request_key => ''l'''),
                    outcome('request_cancel', '4', ', request_key => ''l'''), outcome('accept_cancel', '4')),
          'canceled t canceled,undone t placed,requested t asked,requested f asked,canceled t canceled',
          'and another: all goes on');
SELECT is(attempt_as('new_owner', 'UPDATE shop.orders SET status = ''asked'' WHERE id = 6'), 'ok',
          'a plain update by the new owner counts');
GRANT EXECUTE ON FUNCTION ordcancel.attach TO new_owner;
SELECT is(attempt_as('new_owner', 'SELECT count(*) FROM shop.orders_cancellation'), '42501',
          'he does not read the records yet');
SELECT is(attempt_as('new_owner', 'SELECT ordcancel.attach(''shop.orders'', ''status'')'), 'ok',
          'he attaches it once more');
SELECT is(attempt_as('new_owner', 'SELECT count(*) FROM shop.orders_cancellation'), 'ok', 'then he does');

-- What the owner of the orders may do to the records: read, and let read.
CREATE ROLE reader;
GRANT USAGE ON SCHEMA shop TO reader;
CREATE FUNCTION shop.touched() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
SELECT is(attempt_as('new_owner', replace(w.statement, '@', r)), w.wanted,
          format('the owner of the orders, %s: %s', r, w.statement))
FROM unnest('{shop.orders_cancellation,shop.orders_cancellation_event}'::text[]) AS r, (VALUES
    ('SELECT * FROM @', 'ok'),
    ('GRANT SELECT ON @ TO reader', 'ok'),
    ('REVOKE SELECT ON @ FROM reader', 'ok'),
    ('CREATE VIEW shop.v AS SELECT * FROM @; DROP VIEW shop.v', 'ok'),
    ('ALTER TABLE @ ADD COLUMN x int', '42501'),
    ('ALTER TABLE @ DISABLE TRIGGER ALL', '42501'),
    ('ALTER TABLE @ ENABLE ROW LEVEL SECURITY', '42501'),
    ('ALTER TABLE @ ADD CHECK (false)', '42501'),
    ('ALTER TABLE @ OWNER TO new_owner', '42501'),
    ('ALTER TABLE @ RENAME TO x', '42501'),
    ('ALTER TABLE @ SET SCHEMA audit', '42501'),
    ('ALTER TABLE @ NO INHERIT ordcancel.event', '42501'),
    ('DROP TABLE @', '42501'),
    ('CREATE INDEX ON @ ((order_key || ''''))', '42501'),
    ('CREATE TRIGGER t AFTER INSERT ON @ EXECUTE FUNCTION shop.touched()', '42501'),
    ('CREATE RULE r AS ON INSERT TO @ DO NOTHING', '42501'),
    ('CREATE POLICY p ON @', '42501'),
    ('CREATE TABLE shop.c () INHERITS (@)', '42501'),
    ('COMMENT ON TABLE @ IS ''mine''', '42501'),
    ('CREATE STATISTICS shop.s ON order_key, state FROM @', '42501'),
    ('TRUNCATE @', '42501'),
    ('DELETE FROM @', '42501'),
    ('UPDATE @ SET state = state', '42501'),
    ('INSERT INTO @ SELECT * FROM @', '42501'),
    ('LOCK TABLE @ IN EXCLUSIVE MODE', '42501'),
    ('CLUSTER @', '42501')) AS w (statement, wanted);
SELECT is(attempt_as('new_owner', format('CREATE TABLE shop.refers (c bigint REFERENCES %s)', r)), '42501',
          'he refers to it by no foreign key: ' || r)
FROM unnest('{shop.orders_cancellation,shop.orders_cancellation_event}'::text[]) AS r;
SELECT is(has_table_privilege('new_owner', 'shop.orders_cancellation', p), wanted, 'privilege ' || p)
FROM (VALUES ('SELECT WITH GRANT OPTION', true), ('INSERT', false), ('UPDATE', false), ('DELETE', false),
             ('TRUNCATE', false), ('REFERENCES', false), ('TRIGGER', false)) AS v (p, wanted);
-- GRANT of what he has not is a warning in PostgreSQL; what counts is that nobody got it.
SELECT attempt_as('new_owner', 'GRANT ALL ON shop.orders_cancellation TO reader') \g /dev/null
SELECT is((SELECT string_agg(privilege_type, ',' ORDER BY privilege_type) FROM pg_class AS c, aclexplode(relacl) AS a
           WHERE c.oid = 'shop.orders_cancellation'::regclass AND a.grantee = 'reader'::regrole), 'SELECT',
          'what he gives away is SELECT');

-- What was given while it was another's table is taken back with it.
SELECT ordcancel.detach('shop.orders');
ALTER TABLE shop.orders_cancellation OWNER TO new_owner;
GRANT ALL ON shop.orders_cancellation TO reader, PUBLIC;
SELECT setup();
SELECT is((SELECT string_agg(DISTINCT privilege_type, ',') FROM pg_class AS c, aclexplode(relacl) AS a
           WHERE c.oid = 'shop.orders_cancellation'::regclass AND a.grantee <> c.relowner), 'SELECT',
          'taken up again: nobody but its owner has more than SELECT');
SELECT is((SELECT pg_get_userbyid(relowner) = current_user::text FROM pg_class
           WHERE oid = 'shop.orders_cancellation'::regclass), true, 'which is the extension''s');
SELECT clear();

-- -------------------------------------------- which cancellation is the live one

SELECT make(s), setup() FROM shape AS s WHERE shape = 'plain';
SELECT setval('ordcancel.cancellation_id_seq', 1000);
SELECT is(outcome('cancel_order', '3') || ',' || outcome('undo_cancel', '3'), 'canceled t canceled,undone t placed',
          'a cancellation with a great id has ended');
SELECT setval('ordcancel.cancellation_id_seq', 500);
SELECT is(outcome('cancel_order', '3'), 'canceled t canceled', 'one with a smaller id is live');
SELECT is(outcome('cancel_order', '3'), 'canceled f canceled', 'it is seen');
SELECT is(attempt('UPDATE shop.orders SET status = ''shipped'' WHERE id = 3'), '23514 order_is_canceled',
          'by the guard too');
SELECT is((SELECT outcome FROM ordcancel.cancel_orders('shop.orders', '{3}')), 'already', 'and in bulk');
SELECT is(outcome('undo_cancel', '3'), 'undone t placed', 'and undone');
SELECT setval('ordcancel.cancellation_id_seq', 300);
SELECT is(outcome('request_cancel', '3') || ',' || outcome('deny_cancel', '3', ', ''no'''),
          'requested t asked,denied t placed', 'requested and denied with a smaller one yet');
SELECT clear();

-- ------------------------------------------------------- distributed by Citus

SELECT make(s), setup() FROM shape AS s WHERE shape = 'plain';
CREATE TABLE shop.other (id int PRIMARY KEY, status text NOT NULL);
SET LOCAL allow_system_table_mods = on;
CREATE TABLE pg_catalog.pg_dist_partition (logicalrelid regclass NOT NULL, partmethod "char" NOT NULL DEFAULT 'h');
RESET allow_system_table_mods;
SELECT is(attempt('SELECT setup(orders => ''shop.other'')'), 'ok',
          'beside Citus a table of one''s own can be attached');
INSERT INTO pg_catalog.pg_dist_partition VALUES ('shop.orders'), ('shop.other');
-- Citus tells every session when it distributes a table.
ALTER TABLE shop.orders SET (fillfactor = 90);
ALTER TABLE shop.other SET (fillfactor = 90);
SELECT is(outcome('cancel_order', '1'), 'OC014', 'distributed after it was attached: no call answers');
SELECT is(attempt('UPDATE shop.orders SET status = ''canceled'' WHERE id = 1'), 'OC014', 'no update passes');
SELECT is(attempt('INSERT INTO shop.orders VALUES (77, ''placed'')'), 'OC014', 'nothing comes in unjudged');
SELECT is(attempt('SELECT ordcancel.detach(''shop.orders'')'), 'ok', 'it can be detached');
SELECT is(attempt('SELECT setup()'), 'OC014', 'and not attached');
DELETE FROM pg_catalog.pg_dist_partition;
SELECT is(attempt('SELECT setup()'), 'ok', 'undistributed: it can');
SELECT is(outcome('cancel_order', '1'), 'canceled t canceled', 'and works');

SELECT finish();
ROLLBACK;
