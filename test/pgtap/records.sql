-- The record tables are written by ordcancel alone, and belong to it: whoever
-- writes to them directly is refused, a superuser too, through the parents too.
-- The owner of the orders reads them, and may let others read.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
SELECT plan(95);

CREATE ROLE records_owner;
CREATE ROLE records_reader;
CREATE ROLE records_other;
CREATE SCHEMA shop AUTHORIZATION records_owner;
GRANT USAGE ON SCHEMA shop TO records_reader, records_other;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text);
ALTER TABLE shop.orders OWNER TO records_owner;
CREATE TABLE shop.plain (id integer PRIMARY KEY, status text);
INSERT INTO shop.orders VALUES (1, 'placed'), (2, 'placed');
INSERT INTO shop.plain VALUES (1, 'placed');
SELECT ordcancel.attach('shop.orders', status => 'status');
SELECT ordcancel.attach('shop.plain', status => 'status', inherit => false);
SELECT ordcancel.set_policy(t, canceled_status => 'canceled'),
       ordcancel.set_rule(t, 'placed', customer => 'cancel', merchant => 'cancel')
FROM (VALUES ('shop.orders'::regclass), ('shop.plain')) AS v (t);
SELECT ordcancel.cancel_order('shop.orders', 1);
SELECT ordcancel.cancel_order('shop.plain', 1);
GRANT ALL ON shop.orders_cancellation, shop.orders_cancellation_event TO records_reader;

CREATE FUNCTION shop.say(text DEFAULT '') RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE FUNCTION shop.mine() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION write_to(statement text, orders text) RETURNS text LANGUAGE sql
    AS $$ SELECT replace(replace(statement, '@c', orders || '_cancellation'), '@e', orders || '_cancellation_event') $$;
SELECT is((SELECT array_agg(DISTINCT relowner) FROM pg_class
           WHERE oid IN ('shop.orders_cancellation'::regclass, 'shop.orders_cancellation_event'::regclass)),
          (SELECT array_agg(extowner) FROM pg_extension WHERE extname = 'ordcancel'),
          'the record tables belong to the owner of the extension');
SELECT is(attempt_as('records_owner', statement), 'ok', 'the owner of the orders may ' || what)
FROM (VALUES ('SELECT FROM shop.orders_cancellation, shop.orders_cancellation_event', 'read them'),
             ('GRANT SELECT ON shop.orders_cancellation TO records_other', 'let others read')) AS v (statement, what);
SELECT is(attempt_as('records_other', 'SELECT FROM shop.orders_cancellation'), 'ok', 'who can then');
SELECT is(attempt_as('records_owner', write_to(statement, 'shop.orders')), '42501', 'but not: ' || statement)
FROM unnest(ARRAY['ALTER TABLE @c ADD COLUMN mine text DEFAULT shop.say()',
                  'ALTER TABLE @c ADD CHECK (shop.say() = '''')',
                  'ALTER TABLE @e ALTER COLUMN actor TYPE varchar(100)', 'ALTER TABLE @c OWNER TO records_owner',
                  'ALTER TABLE @c RENAME TO mine',
                  'ALTER TABLE @c DISABLE TRIGGER ALL', 'DROP TRIGGER ordcancel_guard_record ON @c',
                  'ALTER TABLE @c ENABLE ROW LEVEL SECURITY',
                  'CREATE TRIGGER mine BEFORE INSERT ON @c FOR EACH ROW EXECUTE FUNCTION shop.mine()',
                  'CREATE RULE mine AS ON INSERT TO @e DO ALSO SELECT shop.say()',
                  'CREATE POLICY mine ON @c USING (shop.say() = '''')',
                  'CREATE INDEX ON @c (shop.say(note))', 'CREATE TABLE shop.mine () INHERITS (@c)',
                  'CREATE TABLE shop.mine (n bigint REFERENCES @c)']) AS statement;

-- ------------------------------------------------------------ direct writes

CREATE TABLE direct_write (n integer GENERATED ALWAYS AS IDENTITY, statement text);
INSERT INTO direct_write (statement) VALUES
    ('UPDATE @c SET state = ''undone'''),
    ('UPDATE @c SET note = NULL WHERE cancellation_id > 0'),
    ('UPDATE @c SET cancellation_id = cancellation_id'),
    ('DELETE FROM @c'),
    ('TRUNCATE @c'),
    ('TRUNCATE @c, @e CASCADE'),
    ('INSERT INTO @c SELECT * FROM @c'),
    ('INSERT INTO @c SELECT * FROM @c ON CONFLICT DO NOTHING'),
    ('INSERT INTO @c SELECT * FROM @c ON CONFLICT (cancellation_id) DO UPDATE SET state = ''undone'''),
    ('MERGE INTO @c AS c USING (VALUES (1)) AS v (i) ON true WHEN MATCHED THEN DELETE'),
    ('MERGE INTO @c AS c USING (VALUES (1)) AS v (i) ON true WHEN MATCHED THEN UPDATE SET state = ''undone'''),
    ('WITH gone AS (DELETE FROM @c RETURNING 1) SELECT count(*) FROM gone'),
    ('UPDATE @e SET type = ''undone'''),
    ('UPDATE @e SET actor = ''somebody else'''),
    ('DELETE FROM @e'),
    ('TRUNCATE @e'),
    ('INSERT INTO @e SELECT * FROM @e'),
    ('MERGE INTO @e AS e USING (VALUES (1)) AS v (i) ON true WHEN MATCHED THEN DELETE');

SELECT is(attempt(write_to(statement, 'shop.orders')), '23514 written_by_ordcancel', 'superuser: ' || statement)
FROM direct_write ORDER BY n;
SELECT is(attempt_as('records_owner', write_to(statement, 'shop.orders')), '42501', 'owner: ' || statement)
FROM direct_write ORDER BY n;
SELECT is(attempt_as('records_reader', write_to(statement, 'shop.orders')), '23514 written_by_ordcancel',
          'somebody with all privileges: ' || statement)
FROM direct_write ORDER BY n;
SELECT is(attempt(write_to(statement, 'shop.plain')), '23514 written_by_ordcancel',
          'without inheritance: ' || statement)
FROM direct_write WHERE n IN (1, 4, 5, 7, 13, 15, 17) ORDER BY n;
SELECT is(attempt(replace(replace(statement, '@c', 'ordcancel.cancellation'), '@e', 'ordcancel.event')),
          '23514 written_by_ordcancel', 'through the parent: ' || statement)
FROM direct_write WHERE n IN (1, 4, 5, 13, 15, 16) ORDER BY n;
SELECT is(attempt(format('COPY %s FROM PROGRAM %L', t, 'echo 1')), result, 'COPY into ' || t)
FROM (VALUES ('ordcancel.cancellation (cancellation_id)', '23514 written_by_ordcancel'),
             ('ordcancel.event (event_id)', '23514 written_by_ordcancel'),
             ('shop.orders_cancellation (cancellation_id)', '23514 written_by_ordcancel')) AS v (t, result);

-- -------------------------------------------------- while we write ourselves

-- A trigger of a superuser's on the record table, during our own write, cannot
-- write to another record.
SELECT ordcancel.undo_cancel('shop.orders', 1);
CREATE FUNCTION shop.rewrite() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE shop.orders_cancellation SET state = 'canceled' WHERE order_id = 1;
    RETURN NEW;
END
$$;
CREATE TRIGGER a_rewrite BEFORE INSERT ON shop.orders_cancellation FOR EACH ROW EXECUTE FUNCTION shop.rewrite();
SELECT is(attempt('SELECT ordcancel.cancel_order(''shop.orders'', 2)'), '23514 written_by_ordcancel',
          'a trigger on the record table cannot rewrite another order''s record meanwhile');
DROP TRIGGER a_rewrite ON shop.orders_cancellation;

CREATE FUNCTION shop.suppress() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER zz_suppress BEFORE INSERT ON shop.orders_cancellation_event FOR EACH ROW
    EXECUTE FUNCTION shop.suppress();
SELECT is(attempt('SELECT ordcancel.cancel_order(''shop.orders'', 2)'), '27000',
          'nor suppress an event: there is neither change nor event then');
SELECT is((SELECT status FROM shop.orders WHERE id = 2), 'placed', 'the order is what it was');
DROP TRIGGER zz_suppress ON shop.orders_cancellation_event;

SELECT is((SELECT count(*) FROM shop.orders_cancellation), 1::bigint, 'no attempt left a cancellation');
SELECT is((SELECT string_agg(type, ' ' ORDER BY event_id) FROM shop.orders_cancellation_event), 'canceled undone',
          'no attempt left or changed an event');
SELECT is(attempt('SELECT ordcancel.cancel_order(''shop.orders'', 2)'), 'ok', 'our own writes go through as ever');

-- Schema tools of users (schema.rb) know the types of everyday alone.
SELECT is((SELECT string_agg(format('%s.%s %s', attrelid::regclass, attname, atttypid::regtype), ', ')
           FROM pg_attribute WHERE attrelid IN ('shop.orders_cancellation'::regclass,
                                                'shop.orders_cancellation_event'::regclass) AND attnum > 0
               AND atttypid NOT IN ('bigint'::regtype, 'int'::regtype, 'text'::regtype, 'name'::regtype,
                                    'numeric'::regtype, 'timestamptz'::regtype, 'jsonb'::regtype)),
          NULL, 'no column is of a type that few tools know');

SELECT * FROM finish();
ROLLBACK;
