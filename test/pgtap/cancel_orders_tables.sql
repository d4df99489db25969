-- Whatever constraints, indexes and partitions an order table has, cancel_orders
-- keeps to them. What a superuser has made of its record tables goes along with
-- it, or stops it in a way that can be mended.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
\ir include/cancel_orders.sql
SELECT no_plan();

-- --------------------------------------------------------- constraints and indexes

CREATE TABLE words (word text PRIMARY KEY);
INSERT INTO words VALUES ('placed'), ('shipped');
SELECT make_orders('c', ', lane integer, code text GENERATED ALWAYS AS (id || '' '' || status) STORED, doc text, '
                        'gone integer',
            n => 40);
ALTER TABLE c DROP COLUMN gone, ADD COLUMN late text DEFAULT 'late', ADD CHECK (status <> 'canceled' OR id <> 1);
UPDATE c SET lane = id, doc = (SELECT string_agg(md5(random()::text), '') FROM generate_series(1, 1000)) WHERE id > 10;
UPDATE c SET lane = id WHERE id <= 10;
UPDATE c SET lane = 3 WHERE id = 4;
CREATE UNIQUE INDEX one_canceled_in_a_lane ON c (lane) WHERE status = 'canceled';
CREATE INDEX open_ones ON c (id) WHERE status = 'placed';
CREATE INDEX by_expression ON c (upper(status), id);
CREATE INDEX brin ON c USING brin (status);
CREATE TABLE shipment (id integer REFERENCES c, status text, FOREIGN KEY (id) REFERENCES c);
CREATE TEMP TABLE before_it AS SELECT * FROM c;
SELECT is(outcomes_of('c', '{1,2,3,4,5}'), '1 refused 23514, 2 canceled, 3 canceled, 4 refused 23505, 5 canceled',
          'a CHECK and a unique index over canceled orders');
SELECT is(count_canceled('c'), 3, 'which leave nothing');
SELECT is(outcomes_of('c', '{6,1,7}', 'abort') || outcomes_of('c', '{6,7}', 'abort'), '235146 canceled, 7 canceled',
          'abort: the same');
SELECT is((SELECT array_agg(code ORDER BY id) FROM c WHERE id < 6),
          ARRAY['1 placed', '2 canceled', '3 canceled', '4 placed', '5 canceled'], 'a generated column follows');
SELECT is(outcomes_of('c', '{11,12,13}'), '11 canceled, 12 canceled, 13 canceled', 'orders with large values');
SELECT bag_eq('SELECT id, doc, lane, late FROM c', 'SELECT id, doc, lane, late FROM before_it', 'nothing else changed');
SET LOCAL enable_seqscan = off;
SELECT is((SELECT array_agg(id ORDER BY id) FROM c WHERE status = 'placed' AND id < 15), '{1,4,8,9,10,14}',
          'a partial index finds those that are left');
SELECT is((SELECT array_agg(id ORDER BY id) FROM c WHERE upper(status) = 'CANCELED'), '{2,3,5,6,7,11,12,13}',
          'an index over an expression those that are done');
SELECT is((SELECT count(*) FROM c WHERE lane = 3 AND status = 'canceled'), 1::bigint, 'and a unique one');
RESET enable_seqscan;
ALTER TABLE c ADD FOREIGN KEY (status) REFERENCES words NOT VALID;
SELECT is(outcomes_of('c', '{8,9}'), '8 refused 23503, 9 refused 23503', 'a status that a foreign key does not know');
INSERT INTO words VALUES ('canceled');
SELECT is(outcomes_of('c', '{8,9}'), '8 canceled, 9 canceled', 'and one that it knows');
CREATE UNIQUE INDEX one_of_each ON c (status,
                                      (CASE WHEN id BETWEEN 20 AND 22 AND status = 'canceled' THEN 0 ELSE id END));
SELECT is(outcomes_of('c', '{22,21,20,23}'), '22 refused 23505, 21 refused 23505, 20 canceled, 23 canceled',
          'a unique index on the status: the first by key has it');
ALTER TABLE c ADD CONSTRAINT no_two EXCLUDE ((id / 2) WITH =)
WHERE (status = 'canceled' AND id BETWEEN 30 AND 35) DEFERRABLE INITIALLY DEFERRED;
SELECT is(outcomes_of('c', '{30,32}'), '30 canceled, 32 canceled', 'a constraint that waits');
SELECT is(attempt('SET CONSTRAINTS ALL IMMEDIATE'), 'ok', 'and is content');
SET CONSTRAINTS ALL DEFERRED;
SELECT is(attempt('SELECT outcomes_of(''c'', ''{34,35}''); SET CONSTRAINTS ALL IMMEDIATE'), '23P01 no_two',
          'or is not');
SELECT is(outcomes_of('c', '{34}'), '34 canceled', 'so that one of them may still be canceled');

-- The table itself changes.
ALTER TABLE c RENAME TO "C d";
SELECT is(outcomes_of('"C d"', '{36,37,1}'), '36 canceled, 37 canceled, 1 refused 23514', 'a table that was renamed');
REINDEX TABLE "C d";
CLUSTER "C d" USING c_pkey;
SELECT is(outcomes_of('"C d"', '{38,36}'), '38 canceled, 36 already', 'rewritten in between');

-- Updates that stay on their page, and those that cannot.
SELECT make_orders('hot', ', filler text', 'WITH (fillfactor = 50)', 50),
       make_orders('cold', ', filler text', 'WITH (fillfactor = 100)', 50);
UPDATE cold SET filler = repeat('x', 200);
CREATE INDEX ON cold (status);
SELECT is((SELECT count(*)
           FROM ordcancel.cancel_orders(t::regclass, (SELECT array_agg(i) FROM generate_series(1, 50) AS i)) AS a
           WHERE a.outcome = 'canceled'), 50::bigint, t || ': all of them') FROM unnest('{hot,cold}'::text[]) AS t;
SELECT is((SELECT count(*) FROM generate_series(1, 50) AS i JOIN hot ON hot.id = i AND hot.status = 'canceled'
               JOIN cold ON cold.id = i AND cold.status = 'canceled'), 50::bigint, 'each found by its key');

-- What only the system knows of a row: its table and version.
SELECT make_orders('sys', ', g oid GENERATED ALWAYS AS (tableoid) STORED');
ALTER TABLE sys ADD CHECK (tableoid = 'sys'::regclass);
ALTER TABLE sys_cancellation ADD CHECK (tableoid = 'sys_cancellation'::regclass);
ALTER TABLE sys_cancellation_event ADD CHECK (tableoid = 'sys_cancellation_event'::regclass);
CREATE FUNCTION log_system() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO log (entry) VALUES (format('system %s %s %s %s %s', NEW.id, NEW.tableoid::regclass,
                                           OLD.tableoid::regclass, NEW.ctid <> OLD.ctid, NEW.xmin <> OLD.xmin));
    RETURN NEW;
END
$$;
CREATE TRIGGER touch BEFORE UPDATE ON sys FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
CREATE TRIGGER log_system AFTER UPDATE ON sys FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.* AND NEW.tableoid = 'sys'::regclass AND NEW.ctid <> OLD.ctid)
    EXECUTE FUNCTION log_system();
SELECT is(outcomes_of('sys', '{1,2}'), '1 canceled, 2 canceled', 'constraints over tableoid');
SELECT is(outcomes_of('sys', '{3}'), '3 canceled', 'of one order');
SELECT is((SELECT array_agg(DISTINCT g) FROM sys), ARRAY['sys'::regclass::oid], 'a column that is generated from it');
SELECT is(logged('system'), 'system 1 sys sys t t, system 2 sys sys t t, system 3 sys sys t t', 'and triggers see it');

-- Foreign keys that follow the status, and triggers for replicas.
SELECT make_orders('parent');
ALTER TABLE parent ADD UNIQUE (id, status);
CREATE TABLE line (id integer, status text, FOREIGN KEY (id, status) REFERENCES parent (id, status) ON UPDATE CASCADE);
INSERT INTO line SELECT id, status FROM parent;
SELECT is(outcomes_of('parent', '{1,2}'), '1 canceled, 2 canceled', 'a foreign key that refers to the status');
SELECT is((SELECT array_agg(id ORDER BY id) FROM line WHERE status = 'canceled'), '{1,2}', 'cascades');
CREATE TRIGGER ordinary AFTER UPDATE ON parent FOR EACH ROW EXECUTE FUNCTION log();
CREATE TRIGGER always AFTER UPDATE ON parent FOR EACH ROW EXECUTE FUNCTION log();
CREATE TRIGGER replica AFTER UPDATE ON parent FOR EACH ROW EXECUTE FUNCTION log();
ALTER TABLE parent ENABLE ALWAYS TRIGGER always, ENABLE REPLICA TRIGGER replica;
DELETE FROM log;
SELECT is(outcomes_of('parent', '{3}') || ': ' || logged(''),
          '3 canceled: always 3 placed>canceled, ordinary 3 placed>canceled', 'triggers of an ordinary session');
SET LOCAL session_replication_role = replica;
SELECT is(outcomes_of('parent', '{4}') || ': ' || logged(''),
          '4 canceled: always 4 placed>canceled, replica 4 placed>canceled', 'and of a replica');
RESET session_replication_role;

-- The indexes have all rows, and none that are not there.
SELECT count(*) > 0 AS has_amcheck FROM pg_available_extensions WHERE name = 'amcheck' \gset
\if :has_amcheck
CREATE EXTENSION amcheck;
SELECT is(attempt(format('SELECT bt_index_check(%s, true)', i.indexrelid)), 'ok', 'sound: ' || i.indexrelid::regclass)
FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid JOIN pg_am AS a ON a.oid = c.relam
WHERE a.amname = 'btree'
    AND i.indrelid = ANY ('{"\"C d\"",c_cancellation,c_cancellation_event,hot,cold,cold_cancellation,'
                          'cold_cancellation_event,sys,sys_cancellation,parent}'::regclass[]);
SELECT is_empty(format('SELECT * FROM verify_heapam(%L)', t), 'sound: ' || t)
FROM unnest('{"\"C d\"",hot,cold,cold_cancellation,cold_cancellation_event}'::text[]) AS t;
\endif

-- ------------------------------------------------------------------ partitions

SELECT make_orders('p', ', note text', 'PARTITION BY RANGE (id)');
CREATE TRIGGER log_p AFTER UPDATE ON p FOR EACH ROW EXECUTE FUNCTION log();
UPDATE p SET status = 'shipped' WHERE id = 12;
DELETE FROM log;
SELECT is(outcomes_of('p', '{15,2,12,2,99,3}'),
          '15 canceled, 2 canceled, 12 refused OC003, 2 already, 99 refused OC002, 3 canceled',
          'orders of several partitions');
SELECT is(logged(''), 'log_p 15 placed>canceled, log_p 2 placed>canceled, log_p 3 placed>canceled',
          'whose triggers fire');
SELECT is(count_canceled('p'), 3, 'and which are recorded');
SELECT is(outcomes_of('p', '{4,12}', 'abort'), 'OC003', 'abort: partitions');
SELECT is(attempt('SELECT ordcancel.cancel_orders(''p_low'', ''{4}'')'), 'OC001', 'a partition is not an order table');
CREATE TRIGGER fails AFTER UPDATE ON p_low FOR EACH ROW EXECUTE FUNCTION refuse_by_id('5', 'P0001');
SELECT is(outcomes_of('p', '{4,5,6}'), '4 canceled, 5 refused P0001, 6 canceled', 'a trigger of one partition');
SELECT is(count_canceled('p'), 5, 'leaves nothing of what it refuses');

-- ------------------------------------------------------- record tables as they are

CREATE FUNCTION newest() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.log (entry) VALUES (format('%s %s %s', TG_NAME, TG_TABLE_NAME, NEW.order_key));
    RETURN NEW;
END
$$;
-- What is done to the record tables, in a table of its own; then two orders.
CREATE FUNCTION changed(n integer, inherit boolean, change text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    t text := 'r' || n;
BEGIN
    PERFORM make_orders(t);
    IF NOT inherit THEN
        EXECUTE format('SELECT ordcancel.detach(%L); DROP TABLE %I, %I; SELECT ordcancel.attach(%1$L, ''status'', '
                       'inherit => false),'
                       ' ordcancel.set_policy(%1$L, canceled_status => ''canceled''), ordcancel.set_rule(%1$L, '
                       '''placed'', merchant => ''cancel'')', t, t || '_cancellation', t || '_cancellation_event');
    END IF;
    PERFORM outcomes_of(t, '{18}');
    EXECUTE replace(replace(change, '@c', t || '_cancellation'), '@e', t || '_cancellation_event');
    RETURN outcomes_of(t, '{1,2,1,18}') || coalesce(': ' || nullif(count_canceled(t), 3), '');
END
$$;
SELECT is(changed(n, v.inherit, v.change), '1 canceled, 2 canceled, 1 already, 18 already',
          'record tables: ' || v.change)
FROM (VALUES (1, true, 'ALTER TABLE @c ADD COLUMN extra text DEFAULT ''extra'''),
             (3, true, 'CREATE TRIGGER mine BEFORE INSERT ON @c FOR EACH ROW EXECUTE FUNCTION newest()'),
             (4, true, 'CREATE TRIGGER mine AFTER INSERT ON @e FOR EACH ROW EXECUTE FUNCTION newest()'),
             (2, false, 'CREATE INDEX ON @e (actor)'),
             (5, true, 'CREATE TRIGGER mine AFTER INSERT ON @e EXECUTE FUNCTION log_statement()'),
             (6, true, 'CREATE INDEX ON @c (requested_actor, note)'),
             (8, true, 'ALTER TABLE @c ADD COLUMN twice text GENERATED ALWAYS AS (order_key || order_key) STORED'),
             (10, true, 'ALTER TABLE @c ADD COLUMN gone integer; ALTER TABLE @c DROP COLUMN gone'),
             (11, true, 'CREATE RULE r AS ON INSERT TO @e DO ALSO INSERT INTO log (entry) VALUES (''rule '' || '
                        'NEW.order_key)'),
             (12, true, 'ALTER TABLE @c RENAME TO "the records"; ALTER TABLE "the records" RENAME TO @c'),
             (13, true, 'ALTER TABLE @c CLUSTER ON @c_pkey; CLUSTER @c; REINDEX TABLE @e'),
             (14, false, 'ALTER TABLE @c ADD COLUMN extra text'),
             (16, true, 'ALTER TABLE @c ENABLE ROW LEVEL SECURITY; ALTER TABLE @c FORCE ROW LEVEL SECURITY'),
             (17, true, 'ALTER TABLE @e SET UNLOGGED; ALTER TABLE @e SET LOGGED'),
             (18, true, 'CREATE TABLE @c_more () INHERITS (@c)')) AS v (n, inherit, change);
SELECT is((SELECT array_agg(extra ORDER BY order_id) FROM r1_cancellation), '{NULL,NULL,extra}',
          'a column that is none of ours is left empty');
SELECT is((SELECT array_agg(twice ORDER BY order_id) FROM r8_cancellation), '{11,22,1818}',
          'but what is generated is there');
SELECT is(logged('mine r3'), 'mine r3_cancellation 1, mine r3_cancellation 2',
          'a BEFORE trigger on the cancellations fires');
SELECT is(logged('mine r4'), 'mine r4_cancellation_event 1, mine r4_cancellation_event 2',
          'an AFTER trigger on the events');
SELECT is(logged('rule') || ', ' || logged('mine'), 'nothing, nothing',
          'what only a statement does is not done: rules and statement triggers');
ALTER TABLE r6_cancellation ADD CHECK (order_id <> 4);
ALTER TABLE r6_cancellation_event ADD CHECK (order_id <> 6);
SELECT is(outcomes_of('r6', '{3,4,5,6,7}'), '3 canceled, 4 refused 23514, 5 canceled, 6 refused 23514, 7 canceled',
          'a CHECK of the records refuses one order');
SELECT is(count_canceled('r6'), 6, 'and nothing is left of it');
CREATE TRIGGER fails BEFORE INSERT ON r10_cancellation FOR EACH ROW EXECUTE FUNCTION refuse_by_id('4', 'P0001');
SELECT is(outcomes_of('r10', '{3,4}'), '3 refused 42703, 4 refused 42703',
          'a broken trigger on the records refuses all');
SELECT is(count_canceled('r10'), 3, 'and nothing is left of them');
SELECT is(attempt('INSERT INTO r1_cancellation SELECT * FROM r2_cancellation'), '23514 written_by_ordcancel',
          'nobody else writes them');
SELECT is(attempt('UPDATE r1_cancellation SET note = note'), '23514 written_by_ordcancel', 'to this moment');
DROP TABLE r11_cancellation;
SELECT is(outcomes_of('r11', '{3,4}'), '3 refused OC014, 4 refused OC014', 'record tables that are gone');
SELECT is((SELECT array_agg(status ORDER BY id) FROM r11 WHERE id IN (3, 4)), '{placed,placed}',
          'and without a record no cancellation');
SELECT make_orders('rough', ', due numeric DEFAULT 1.26');
SELECT ordcancel.detach('rough');
DROP TABLE rough_cancellation, rough_cancellation_event;
SELECT ordcancel.attach('rough', 'status', refund_due => 'due', inherit => false),
       ordcancel.set_policy('rough', canceled_status => 'canceled', in_progress_status => 'refunding'),
       ordcancel.set_rule('rough', 'placed', merchant => 'cancel');
ALTER TABLE rough_cancellation ALTER COLUMN refund_due TYPE numeric(3, 1),
    ALTER COLUMN requested_at TYPE timestamptz(0);
UPDATE rough SET due = 123.4 WHERE id = 2;
SELECT is(outcomes_of('rough', '{1,2}'), '1 refused OC014, 2 refused OC014',
          'columns of the records with another precision');
ALTER TABLE rough_cancellation ALTER COLUMN refund_due TYPE numeric, ALTER COLUMN requested_at TYPE timestamptz;
SELECT is(outcomes_of('rough', '{1,2}'), '1 in_progress, 2 in_progress', 'are as they were again');
SELECT make_orders('bare');
CREATE FUNCTION drop_indexes(records regclass) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    i regclass;
BEGIN
    FOR i IN SELECT indexrelid FROM pg_index WHERE indrelid = records AND NOT indisprimary LOOP
        EXECUTE 'DROP INDEX ' || i;
    END LOOP;
END
$$;
SELECT drop_indexes('bare_cancellation');
SELECT is(outcomes_of('bare', '{1,2}'), '1 refused OC014, 2 refused OC014', 'indexes of the records that are gone');
SELECT is(count_canceled('bare'), 0, 'without which nothing is canceled');
SELECT ordcancel.attach('bare', 'status');
SELECT is(outcomes_of('bare', '{1,2}'), '1 canceled, 2 canceled', 'attach makes them again');

-- ----------------------------------------------------------------- timeouts, sizes

SELECT make_orders('slow');
CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id = 7 THEN
        PERFORM pg_sleep(60);
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER slow BEFORE UPDATE ON slow FOR EACH ROW EXECUTE FUNCTION slow();
SAVEPOINT a;
SET LOCAL statement_timeout = '300ms';
\set ON_ERROR_STOP off
SELECT count(*) FROM ordcancel.cancel_orders('slow', '{1,2,3,7,8}');
\set ended :SQLSTATE
ROLLBACK TO a;
SET LOCAL statement_timeout = '300ms';
SELECT count(*) FROM ordcancel.cancel_orders('slow', '{1,2,3,7,8}', on_error => 'abort');
\set aborted :SQLSTATE
\set ON_ERROR_STOP on
ROLLBACK TO a;
SELECT is(:'ended' || ' ' || :'aborted', '57014 57014', 'a timeout ends the call');
SELECT is(count_canceled('slow'), 0, 'and nothing was done');
SELECT is(outcomes_of('slow', '{1,2}'), '1 canceled, 2 canceled', 'which can be done after it');

-- Large rows: a block looks at all of them together.
SELECT make_orders('large', ', doc text', n => 15);
UPDATE large SET doc = repeat('ä', 5000000);
SELECT ordcancel.add_block('large', 'long', 'length(doc) < 5000000');
SELECT is((SELECT count(*) FROM ordcancel.cancel_orders('large', (SELECT array_agg(id) FROM large)) AS a
           WHERE a.outcome = 'canceled'), 15::bigint, 'orders of 10 MB each');
SELECT is((SELECT count(*) FROM large WHERE length(doc) = 5000000), 15::bigint, 'which they have still');

-- 20,000 orders, a trigger that refuses one in a hundred.
SELECT make_orders('many_more', n => 20000);
CREATE FUNCTION one_in_a_hundred() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id % 100 = 50 THEN
        RAISE EXCEPTION 'no';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER one_in_a_hundred AFTER UPDATE ON many_more FOR EACH ROW EXECUTE FUNCTION one_in_a_hundred();
CREATE TEMP TABLE answers AS SELECT *
FROM ordcancel.cancel_orders('many_more', (SELECT array_agg(id ORDER BY id DESC) FROM many_more)) WITH ORDINALITY;
SELECT is((SELECT string_agg(concat_ws(' ', n, outcome, sqlstate), ', ')
           FROM (SELECT count(*) AS n, outcome, sqlstate FROM answers GROUP BY 2, 3 ORDER BY 1 DESC) AS a),
          '19800 canceled, 200 refused P0001', '20,000 orders, of which a trigger refuses 200');
SELECT is((SELECT count(*) FROM answers WHERE order_id::integer <> 20001 - ordinality
             OR (outcome = 'refused') <> (order_id::integer % 100 = 50)), 0::bigint, 'each row is that of its order');
SELECT is((SELECT array_agg(n) FROM (SELECT count(*) AS n FROM many_more WHERE status = 'canceled'
                                     UNION ALL SELECT count(*) FROM many_more_cancellation UNION ALL SELECT count(*)
                                     FROM many_more_cancellation_event
                                     UNION ALL SELECT count(DISTINCT o.id) FROM many_more AS o
                                         JOIN many_more_cancellation AS c ON c.order_id = o.id
                                         JOIN many_more_cancellation_event AS e USING (cancellation_id)
                                               WHERE o.status = 'canceled' AND c.state = 'canceled'
                                       AND e.type = 'canceled') AS a),
          '{19800,19800,19800,19800}', 'each of the others is canceled and recorded');

SELECT * FROM finish();
ROLLBACK;
