-- The record tables are written by ordcancel alone: whoever writes to them
-- directly is refused, a superuser too, through the parents too.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/attempt.sql
SELECT plan(77);

CREATE ROLE records_owner;
CREATE ROLE records_reader;
CREATE SCHEMA shop AUTHORIZATION records_owner;
GRANT USAGE ON SCHEMA shop TO records_reader;
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

SELECT is((SELECT array_agg(pg_get_userbyid(relowner) ORDER BY relname) FROM pg_class
           WHERE oid IN ('shop.orders_cancellation'::regclass, 'shop.orders_cancellation_event'::regclass)),
          '{records_owner,records_owner}', 'the record tables belong to the owner of the orders');

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
CREATE FUNCTION write_to(statement text, orders text) RETURNS text LANGUAGE sql
    AS $$ SELECT replace(replace(statement, '@c', orders || '_cancellation'), '@e', orders || '_cancellation_event') $$;

SELECT is(attempt(write_to(statement, 'shop.orders')), '23514 written_by_ordcancel', 'superuser: ' || statement)
FROM direct_write ORDER BY n;
SELECT is(attempt_as('records_owner', write_to(statement, 'shop.orders')), '23514 written_by_ordcancel',
          'owner: ' || statement)
FROM direct_write ORDER BY n;
SELECT is(attempt_as('records_reader', write_to(statement, 'shop.orders')), '23514 written_by_ordcancel',
          'somebody with all privileges: ' || statement)
FROM direct_write ORDER BY n;
SELECT is(attempt(write_to(statement, 'shop.plain')), '23514 written_by_ordcancel', 'without inheritance: ' || statement)
FROM direct_write WHERE n IN (1, 4, 5, 7, 13, 15, 17) ORDER BY n;
SELECT is(attempt(replace(replace(statement, '@c', 'ordcancel.cancellation'), '@e', 'ordcancel.event')),
          '23514 written_by_ordcancel', 'through the parent: ' || statement)
FROM direct_write WHERE n IN (1, 4, 5, 13, 15, 16) ORDER BY n;
SELECT is(attempt(format('COPY %s FROM PROGRAM %L', t, 'echo 1')), result, 'COPY into ' || t)
FROM (VALUES ('ordcancel.cancellation (cancellation_id)', '23514 written_by_ordcancel'),
             ('ordcancel.event (event_id)', '23514 written_by_ordcancel'),
             ('shop.orders_cancellation (cancellation_id)', '23514 written_by_ordcancel')) AS v (t, result);

-- -------------------------------------------------- while we write ourselves

-- A trigger of the owner's on the record table, during our own write, cannot
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
CREATE TRIGGER zz_suppress BEFORE INSERT ON shop.orders_cancellation_event FOR EACH ROW EXECUTE FUNCTION shop.suppress();
SELECT is(attempt('SELECT ordcancel.cancel_order(''shop.orders'', 2)'), '27000',
          'nor suppress an event: there is neither change nor event then');
SELECT is((SELECT status FROM shop.orders WHERE id = 2), 'placed', 'the order is what it was');
DROP TRIGGER zz_suppress ON shop.orders_cancellation_event;

SELECT is((SELECT count(*) FROM shop.orders_cancellation), 1::bigint, 'no attempt left a cancellation');
SELECT is((SELECT string_agg(type, ' ' ORDER BY event_id) FROM shop.orders_cancellation_event), 'canceled undone',
          'no attempt left or changed an event');
SELECT is(attempt('SELECT ordcancel.cancel_order(''shop.orders'', 2)'), 'ok', 'our own writes go through as ever');

SELECT * FROM finish();
ROLLBACK;
