-- Whatever else is on an order table, or on its record tables, cancel_orders
-- writes what cancel_order would, and the same triggers fire.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/attempt.sql
SELECT no_plan();

-- A table of that name whose orders may be cancelled: "columns" are what it has
-- beside id and status. Its orders 1 to n are placed.
CREATE FUNCTION make(name text, columns text DEFAULT '', suffix text DEFAULT '', n integer DEFAULT 20) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TABLE %I (id integer, status text%s, PRIMARY KEY (id)) %s', name, columns, suffix);
    IF suffix LIKE 'PARTITION%' THEN
        EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (MINVALUE) TO (10)', name || '_low', name);
        EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (10) TO (MAXVALUE)', name || '_high', name);
    END IF;
    EXECUTE format('INSERT INTO %I (id, status) SELECT i, ''placed'' FROM generate_series(1, %s) AS i', name, n);
    PERFORM ordcancel.attach(name::regclass, 'status');
    PERFORM ordcancel.set_policy(name::regclass, canceled_status => 'canceled', requested_status => 'asked', in_progress_status => 'refunding');
    PERFORM ordcancel.set_rule(name::regclass, 'placed', customer => 'request', merchant => 'cancel');
    PERFORM ordcancel.set_rule(name::regclass, 'preparing', customer => 'request', merchant => 'request');
END
$$;
-- What a call answers: "1 canceled, 2 refused P0001".
CREATE FUNCTION told(name text, ids integer[], on_error text DEFAULT 'skip') RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN (SELECT string_agg(concat_ws(' ', a.order_id, a.outcome, a.sqlstate), ', ' ORDER BY a.n)
            FROM ordcancel.cancel_orders(name::regclass, ids, 'out_of_stock', 'a note', 'anna', on_error) WITH ORDINALITY AS a (order_id, outcome, cancellation_id, sqlstate, message, n));
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END
$$;
-- How many orders are canceled and have one cancellation and one event that say
-- so; -1 where an order and its records disagree.
CREATE FUNCTION done(name text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    n integer;
BEGIN
    EXECUTE format('SELECT CASE WHEN bool_and((o.status = ''canceled'') = (c.n = 1) AND c.n <= 1 AND c.n = e.n) THEN count(*) FILTER (WHERE c.n = 1) ELSE -1 END FROM %I AS o,'
                   ' LATERAL (SELECT count(*) AS n FROM %I AS c WHERE c.order_id = o.id AND c.state = ''canceled'') AS c,'
                   ' LATERAL (SELECT count(*) AS n FROM %I AS e WHERE e.order_id = o.id AND e.type = ''canceled'' AND e.source = ''cancel_orders'') AS e',
                   name, name || '_cancellation', name || '_cancellation_event') INTO n;
    RETURN n;
END
$$;

-- ------------------------------------------------- equal to what cancel_order does

-- Twins: orders of all kinds, cancelled one by one in the one table and by one
-- call in the other.
SELECT make(t, ', placed_at timestamptz, due numeric, flag boolean, supplier text, big text, rest integer GENERATED ALWAYS AS (id * 2) STORED', n => 60) FROM unnest('{one,many}'::text[]) AS t;
DO $$
DECLARE
    t regclass;
    nr integer;
BEGIN
    FOREACH t IN ARRAY '{one,many}'::regclass[] LOOP
        PERFORM ordcancel.attach(t, 'status', placed_at => 'placed_at', policy_by => 'supplier', refund_due => 'due'), ordcancel.add_block(t, 'flagged', 'flag'),
                ordcancel.set_policy(t, decision_timeout => '1 day', on_timeout => 'deny'), ordcancel.set_policy(t, policy => 'other', canceled_status => 'void'),
                ordcancel.set_rule(t, 'placed', policy => 'other', merchant => 'cancel');
        EXECUTE format('UPDATE %s SET placed_at = now(), due = CASE id %% 5 WHEN 1 THEN 9.90 WHEN 2 THEN 0 WHEN 3 THEN -1 END, flag = id %% 7 = 0, supplier = CASE WHEN id %% 4 = 0 THEN ''other'' END, big = repeat(md5(id::text), 1000)', t);
        EXECUTE format('UPDATE %s SET status = CASE id %% 11 WHEN 1 THEN ''preparing'' WHEN 2 THEN ''shipped'' WHEN 3 THEN NULL ELSE status END', t);
        FOR nr IN 41..50 LOOP
            PERFORM attempt(format('SELECT ordcancel.request_cancel(%L, %s, ''wont_arrive_in_time'', ''please'', ''bob'')', t, nr));
        END LOOP;
        PERFORM attempt(format('SELECT ordcancel.cancel_order(%L, 54)', t));
        FOR nr IN 46..50 LOOP
            PERFORM attempt(format('SELECT ordcancel.deny_cancel(%L, %s, ''no'')', t, nr));
        END LOOP;
    END LOOP;
    FOR nr IN 1..65 LOOP
        PERFORM attempt(format('SELECT ordcancel.cancel_order(''one'', %s, ''out_of_stock'', ''a note'', ''anna'')', nr));
    END LOOP;
END
$$;
CREATE TEMP TABLE answered AS SELECT * FROM ordcancel.cancel_orders('many', (SELECT array_agg(i ORDER BY i) FROM generate_series(1, 65) AS i), 'out_of_stock', 'a note', 'anna');
SELECT bag_eq('TABLE many', 'TABLE one', 'the orders are the same');
CREATE FUNCTION rows_of(name text, leave text[]) RETURNS SETOF jsonb LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format('SELECT to_jsonb(r) - $1 FROM %I AS r', name) USING leave;
END
$$;
-- In one transaction now() is the same for all; the clock is not.
SELECT bag_eq($$SELECT rows_of('many_cancellation', '{cancellation_id,requested_at,decided_at,closed_at,deadline}')$$, $$SELECT rows_of('one_cancellation', '{cancellation_id,requested_at,decided_at,closed_at,deadline}')$$, 'the cancellations are the same');
SELECT bag_eq($$SELECT rows_of('many_cancellation_event', '{event_id,cancellation_id,at,source}')$$, $$SELECT rows_of('one_cancellation_event', '{event_id,cancellation_id,at,source}')$$, 'the events are the same');
CREATE FUNCTION times_of(name text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format('SELECT format(''%%s %%s %%s %%s'', order_id, decided_at - requested_at < ''1 min'', closed_at - decided_at < ''1 min'', deadline - requested_at) FROM %I', name);
END
$$;
SELECT bag_eq('SELECT times_of(''many_cancellation'')', 'SELECT times_of(''one_cancellation'')', 'their times are set alike');
SELECT is((SELECT count(DISTINCT outcome || coalesce(sqlstate, '')) FROM answered), 7::bigint, 'there were all kinds: ' || (SELECT string_agg(DISTINCT concat_ws(' ', outcome, sqlstate), ', ') FROM answered));
SELECT is((SELECT string_agg(order_id, ',') FROM answered AS a WHERE (outcome = 'refused') <> (attempt(format('SELECT ordcancel.cancel_order(''one'', %s)', order_id)) <> 'ok')), NULL, 'refused are those that cancel_order refuses');
SELECT is((SELECT count(*) FROM answered AS a JOIN many_cancellation AS c USING (cancellation_id) WHERE a.order_id <> c.order_key OR a.outcome NOT IN (c.state, 'already')), 0::bigint, 'the outcome is the state');
SELECT is((SELECT count(*) FROM many_cancellation_event AS e JOIN many_cancellation AS c USING (cancellation_id) WHERE e.order_id <> c.order_id OR e.xid <> pg_current_xact_id()), 0::bigint, 'each event is of its order''s cancellation');

-- ----------------------------------------------------------- triggers of the user

SELECT make('t', ', note text, n integer DEFAULT 0, seen text', n => 60);
CREATE TABLE log (n integer GENERATED ALWAYS AS IDENTITY, entry text);
CREATE FUNCTION log() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO log (entry) VALUES (format('%s %s %s>%s', TG_NAME, NEW.id, OLD.status, NEW.status));
    RETURN NEW;
END
$$;
-- What was logged since, sorted; and it is forgotten.
CREATE FUNCTION logged(what text) RETURNS text LANGUAGE sql AS $$
WITH d AS (DELETE FROM log WHERE entry LIKE what || '%' RETURNING entry) SELECT coalesce(string_agg(entry, ', ' ORDER BY entry), 'nothing') FROM d
$$;
CREATE TRIGGER before BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION log();
CREATE TRIGGER after AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION log();
CREATE TRIGGER of_status AFTER UPDATE OF status ON t FOR EACH ROW EXECUTE FUNCTION log();
CREATE TRIGGER of_note AFTER UPDATE OF note ON t FOR EACH ROW EXECUTE FUNCTION log();
CREATE TRIGGER when_it AFTER UPDATE ON t FOR EACH ROW WHEN (OLD.status <> NEW.status AND NEW.id = 2) EXECUTE FUNCTION log();
CREATE CONSTRAINT TRIGGER deferred AFTER UPDATE ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION log();
CREATE TRIGGER off AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION log();
ALTER TABLE t DISABLE TRIGGER off;
UPDATE t SET status = 'shipped' WHERE id = 3;
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;
DELETE FROM log;
SELECT is(told('t', '{2,3,1,2}'), '2 canceled, 3 refused OC003, 1 canceled, 2 already', 'with row triggers of the user''s');
SELECT is(logged('deferred'), 'nothing', 'a deferred trigger waits');
SET CONSTRAINTS ALL IMMEDIATE;
SELECT is(logged('deferred'), 'deferred 1 placed>canceled, deferred 2 placed>canceled', 'and fires once for each order');
SELECT is(logged(''), 'after 1 placed>canceled, after 2 placed>canceled, before 1 placed>canceled, before 2 placed>canceled, of_status 1 placed>canceled, of_status 2 placed>canceled, when_it 2 placed>canceled',
          'as do the others, for the orders that are canceled');
DROP TRIGGER of_note ON t; DROP TRIGGER when_it ON t; DROP TRIGGER off ON t; DROP TRIGGER deferred ON t; DROP TRIGGER of_status ON t;

CREATE FUNCTION says_no() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id % 10 = TG_ARGV[0]::integer AND NEW.status = 'canceled' THEN
        RAISE EXCEPTION 'order % says no', NEW.id USING ERRCODE = TG_ARGV[1];
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER fails_before BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION says_no('1', 'P0001');
CREATE TRIGGER fails_after AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION says_no('2', '57014');
SELECT is(told('t', '{11,12,13,14,21,22,23,11}'), '11 refused P0001, 12 refused 57014, 13 canceled, 14 canceled, 21 refused P0001, 22 refused 57014, 23 canceled, 11 refused P0001', 'triggers that raise errors');
SELECT is((SELECT message FROM ordcancel.cancel_orders('t', '{24,21}') WHERE sqlstate IS NOT NULL), 'order 21 says no', 'whose message is told');
SELECT is(logged('after'), 'after 13 placed>canceled, after 14 placed>canceled, after 23 placed>canceled, after 24 placed>canceled', 'what a refused order''s triggers did is undone');
SELECT is(done('t'), 6, 'and no record is left of it');
SELECT is(told('t', '{15,11,16}', 'abort'), 'P0001', 'abort: the trigger''s own error');
SELECT is(done('t'), 6, 'which undoes all');
DELETE FROM log;
DROP TRIGGER fails_before ON t; DROP TRIGGER fails_after ON t;
-- Errors that are not an order's end the call.
CREATE TRIGGER no_space AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION says_no('5', '53100');
SELECT is(told('t', '{26,25,27}'), '53100', 'a full disk is nobody''s refusal');
SELECT is(done('t'), 6, 'and leaves nothing');
DROP TRIGGER no_space ON t;

-- BEFORE triggers that write something else.
CREATE FUNCTION twist() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status = OLD.status THEN
        RETURN NEW;
    END IF;
    CASE NEW.id
        WHEN 31 THEN RETURN NULL;
        WHEN 32 THEN NEW.status := OLD.status;
        WHEN 33 THEN NEW.status := NULL;
        WHEN 34 THEN NEW.id := 1034;
        WHEN 35 THEN NEW.note := repeat('x', 100000);
        WHEN 36 THEN UPDATE t SET n = n + 1 WHERE id = 37;
        WHEN 38 THEN UPDATE t SET n = n + 1 WHERE id = 38;
        WHEN 39 THEN PERFORM ordcancel.cancel_order('t', 40);
        ELSE NEW.n := NEW.n + 1;
    END CASE;
    RETURN NEW;
END
$$;
CREATE TRIGGER twist BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION twist();
SELECT is(told('t', '{31,32,33,34,35,36,37,38,39,40,41}'),
          '31 refused 27000, 32 refused 27000, 33 refused 27000, 34 refused 27000, 35 canceled, 36 canceled, 37 canceled, 38 refused 27000, 39 canceled, 40 canceled, 41 canceled', 'BEFORE triggers that twist');
SELECT is((SELECT array_agg(format('%s %s %s %s', id, status, n, length(note)) ORDER BY id) FROM t WHERE id BETWEEN 31 AND 41),
          '{"31 placed 0 ","32 placed 0 ","33 placed 0 ","34 placed 0 ","35 canceled 0 100000","36 canceled 0 ","37 canceled 2 ","38 placed 0 ","39 canceled 0 ","40 canceled 1 ","41 canceled 1 "}', 'and what they leave');
SELECT is((SELECT array_agg(order_id ORDER BY order_id) FROM t_cancellation_event WHERE order_id > 30), '{35,36,37,39,40,41}', 'each order has one event');
DROP TRIGGER twist ON t;

-- AFTER triggers that go on from there.
CREATE FUNCTION go_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status = 'canceled' AND OLD.status = 'placed' THEN
        CASE NEW.id
            WHEN 42 THEN PERFORM ordcancel.undo_cancel('t', 42);
            WHEN 43 THEN UPDATE t SET status = 'shipped' WHERE id = 43;
            WHEN 44 THEN PERFORM ordcancel.cancel_orders('t', '{44,45,46}');
            WHEN 47 THEN UPDATE t SET note = 'touched' WHERE id IN (47, 48, 49);
            WHEN 49 THEN PERFORM ordcancel.set_rule('t', 'placed', merchant => 'forbid');
            WHEN 51 THEN UPDATE t SET status = 'shipped' WHERE id = 52;
            ELSE NULL;
        END CASE;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER go_on AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION go_on();
SELECT is(told('t', '{42,43,44,45,46}'), '42 undone, 43 refused 23514, 44 canceled, 45 canceled, 46 canceled', 'AFTER triggers that undo, ship, and cancel others of the same call');
SELECT is((SELECT array_agg(status ORDER BY id) FROM t WHERE id BETWEEN 42 AND 46), '{placed,placed,canceled,canceled,canceled}', 'have the last word');
SELECT is((SELECT array_agg(order_id ORDER BY order_id) FROM t_cancellation_event WHERE order_id BETWEEN 43 AND 46), '{44,45,46}', 'and nothing is recorded twice');
SELECT is(told('t', '{47,48}'), '47 canceled, 48 canceled', 'one that touches orders of the same call');
SELECT is((SELECT array_agg(note ORDER BY id) FROM t WHERE id BETWEEN 47 AND 49), '{touched,touched,touched}', 'whose columns are kept');
SELECT is(told('t', '{49}') || told('t', '{50}'), '49 canceled50 refused OC003', 'one that forbids the next');
SELECT ordcancel.set_rule('t', 'placed', merchant => 'cancel');
DROP TRIGGER go_on ON t;

-- Statement triggers and transition tables.
CREATE FUNCTION log_set() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO log (entry) SELECT format('set %s %s>%s', n.id, o.status, n.status) FROM was AS o JOIN now_is AS n USING (id);
    RETURN NULL;
END
$$;
CREATE FUNCTION log_statement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO log (entry) VALUES (TG_NAME);
    RETURN NULL;
END
$$;
DROP TRIGGER before ON t; DROP TRIGGER after ON t;
DELETE FROM log;
CREATE TRIGGER transition AFTER UPDATE ON t REFERENCING OLD TABLE AS was NEW TABLE AS now_is FOR EACH STATEMENT EXECUTE FUNCTION log_set();
SELECT is(told('t', '{54,55,3}'), '54 canceled, 55 canceled, 3 refused OC003', 'with a transition table');
SELECT is(logged(''), 'set 54 placed>canceled, set 55 placed>canceled', 'that has each order once');
DROP TRIGGER transition ON t;
CREATE TRIGGER statement_before BEFORE UPDATE ON t EXECUTE FUNCTION log_statement();
CREATE TRIGGER statement_after AFTER UPDATE ON t EXECUTE FUNCTION log_statement();
SELECT is(told('t', '{56,57}'), '56 canceled, 57 canceled', 'with statement triggers');
SELECT ok(logged('') LIKE 'statement_after, %statement_before%', 'which fire');
DROP TRIGGER statement_before ON t; DROP TRIGGER statement_after ON t;
CREATE RULE also AS ON UPDATE TO t DO ALSO INSERT INTO log (entry) VALUES (format('rule %s %s', NEW.id, NEW.status));
SELECT is(told('t', '{58,3,59}'), '58 canceled, 3 refused OC003, 59 canceled', 'with a rule');
SELECT is(logged('rule'), 'rule 58 canceled, rule 59 canceled', 'that does its part');
CREATE RULE instead AS ON UPDATE TO t WHERE OLD.id = 60 DO INSTEAD NOTHING;
SELECT is(told('t', '{60,53}'), '60 refused 0A000, 53 refused 0A000', 'a rule that may do something else instead is refused, as by cancel_order');
SELECT is(attempt('SELECT ordcancel.cancel_order(''t'', 53)'), '0A000', 'in just that way');
SELECT is((SELECT count(*) FROM t_cancellation WHERE order_id = 60), 0::bigint, 'leaves no record');
DROP RULE also ON t; DROP RULE instead ON t;

-- --------------------------------------------------------- constraints and indexes

CREATE TABLE words (word text PRIMARY KEY);
INSERT INTO words VALUES ('placed'), ('shipped');
SELECT make('c', ', lane integer, code text GENERATED ALWAYS AS (id || '' '' || status) STORED, doc text, gone integer', n => 40);
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
SELECT is(told('c', '{1,2,3,4,5}'), '1 refused 23514, 2 canceled, 3 canceled, 4 refused 23505, 5 canceled', 'a CHECK and a unique index over canceled orders');
SELECT is(done('c'), 3, 'which leave nothing');
SELECT is(told('c', '{6,1,7}', 'abort') || told('c', '{6,7}', 'abort'), '235146 canceled, 7 canceled', 'abort: the same');
SELECT is((SELECT array_agg(code ORDER BY id) FROM c WHERE id < 6), ARRAY['1 placed', '2 canceled', '3 canceled', '4 placed', '5 canceled'], 'a generated column follows');
SELECT is(told('c', '{11,12,13}'), '11 canceled, 12 canceled, 13 canceled', 'orders with large values');
SELECT bag_eq('SELECT id, doc, lane, late FROM c', 'SELECT id, doc, lane, late FROM before_it', 'nothing else changed');
SET LOCAL enable_seqscan = off;
SELECT is((SELECT array_agg(id ORDER BY id) FROM c WHERE status = 'placed' AND id < 15), '{1,4,8,9,10,14}', 'a partial index finds those that are left');
SELECT is((SELECT array_agg(id ORDER BY id) FROM c WHERE upper(status) = 'CANCELED'), '{2,3,5,6,7,11,12,13}', 'an index over an expression those that are done');
SELECT is((SELECT count(*) FROM c WHERE lane = 3 AND status = 'canceled'), 1::bigint, 'and a unique one');
RESET enable_seqscan;
ALTER TABLE c ADD FOREIGN KEY (status) REFERENCES words NOT VALID;
SELECT is(told('c', '{8,9}'), '8 refused 23503, 9 refused 23503', 'a status that a foreign key does not know');
INSERT INTO words VALUES ('canceled');
SELECT is(told('c', '{8,9}'), '8 canceled, 9 canceled', 'and one that it knows');
CREATE UNIQUE INDEX one_of_each ON c (status, (CASE WHEN id BETWEEN 20 AND 22 AND status = 'canceled' THEN 0 ELSE id END));
SELECT is(told('c', '{22,21,20,23}'), '22 refused 23505, 21 refused 23505, 20 canceled, 23 canceled', 'a unique index on the status: the first by key has it');
ALTER TABLE c ADD CONSTRAINT no_two EXCLUDE ((id / 2) WITH =) WHERE (status = 'canceled' AND id BETWEEN 30 AND 35) DEFERRABLE INITIALLY DEFERRED;
SELECT is(told('c', '{30,32}'), '30 canceled, 32 canceled', 'a constraint that waits');
SELECT is(attempt('SET CONSTRAINTS ALL IMMEDIATE'), 'ok', 'and is content');
SET CONSTRAINTS ALL DEFERRED;
SELECT is(attempt('SELECT told(''c'', ''{34,35}''); SET CONSTRAINTS ALL IMMEDIATE'), '23P01 no_two', 'or is not');
SELECT is(told('c', '{34}'), '34 canceled', 'so that one of them may still be canceled');

-- The table itself changes.
ALTER TABLE c RENAME TO "C d";
SELECT is(told('"C d"', '{36,37,1}'), '36 canceled, 37 canceled, 1 refused 23514', 'a table that was renamed');
REINDEX TABLE "C d";
CLUSTER "C d" USING c_pkey;
SELECT is(told('"C d"', '{38,36}'), '38 canceled, 36 already', 'rewritten in between');

-- Updates that stay on their page, and those that cannot.
SELECT make('hot', ', filler text', 'WITH (fillfactor = 50)', 50), make('cold', ', filler text', 'WITH (fillfactor = 100)', 50);
UPDATE cold SET filler = repeat('x', 200);
CREATE INDEX ON cold (status);
SELECT is((SELECT count(*) FROM ordcancel.cancel_orders(t::regclass, (SELECT array_agg(i) FROM generate_series(1, 50) AS i)) AS a WHERE a.outcome = 'canceled'), 50::bigint, t || ': all of them') FROM unnest('{hot,cold}'::text[]) AS t;
SELECT is((SELECT count(*) FROM generate_series(1, 50) AS i JOIN hot ON hot.id = i AND hot.status = 'canceled' JOIN cold ON cold.id = i AND cold.status = 'canceled'), 50::bigint, 'each found by its key');

-- ------------------------------------------------------------------ partitions

SELECT make('p', ', note text', 'PARTITION BY RANGE (id)');
CREATE TRIGGER log_p AFTER UPDATE ON p FOR EACH ROW EXECUTE FUNCTION log();
UPDATE p SET status = 'shipped' WHERE id = 12;
DELETE FROM log;
SELECT is(told('p', '{15,2,12,2,99,3}'), '15 canceled, 2 canceled, 12 refused OC003, 2 already, 99 refused OC002, 3 canceled', 'orders of several partitions');
SELECT is(logged(''), 'log_p 15 placed>canceled, log_p 2 placed>canceled, log_p 3 placed>canceled', 'whose triggers fire');
SELECT is(done('p'), 3, 'and which are recorded');
SELECT is(told('p', '{4,12}', 'abort'), 'OC003', 'abort: partitions');
SELECT is(attempt('SELECT ordcancel.cancel_orders(''p_low'', ''{4}'')'), 'OC001', 'a partition is not an order table');
CREATE TRIGGER fails AFTER UPDATE ON p_low FOR EACH ROW EXECUTE FUNCTION says_no('5', 'P0001');
SELECT is(told('p', '{4,5,6}'), '4 canceled, 5 refused P0001, 6 canceled', 'a trigger of one partition');
SELECT is(done('p'), 5, 'leaves nothing of what it refuses');

-- ------------------------------------------------------- record tables as they are

CREATE FUNCTION newest() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO log (entry) VALUES (format('%s %s %s', TG_NAME, TG_TABLE_NAME, NEW.order_key));
    RETURN NEW;
END
$$;
-- What is done to the record tables, in a table of its own; then two orders.
CREATE FUNCTION changed(n integer, inherit boolean, change text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    t text := 'r' || n;
BEGIN
    PERFORM make(t);
    IF NOT inherit THEN
        EXECUTE format('SELECT ordcancel.detach(%L); DROP TABLE %I, %I; SELECT ordcancel.attach(%1$L, ''status'', inherit => false),'
                       ' ordcancel.set_policy(%1$L, canceled_status => ''canceled''), ordcancel.set_rule(%1$L, ''placed'', merchant => ''cancel'')', t, t || '_cancellation', t || '_cancellation_event');
    END IF;
    PERFORM told(t, '{18}');
    EXECUTE replace(replace(change, '@c', t || '_cancellation'), '@e', t || '_cancellation_event');
    RETURN told(t, '{1,2,1,18}') || coalesce(': ' || nullif(done(t), 3), '');
END
$$;
SELECT is(changed(n, v.inherit, v.change), '1 canceled, 2 canceled, 1 already, 18 already', 'record tables: ' || v.change)
FROM (VALUES (1, true, 'ALTER TABLE @c ADD COLUMN extra text DEFAULT ''extra'''), (2, true, 'ALTER TABLE @e ADD COLUMN at_once timestamptz NOT NULL DEFAULT clock_timestamp()'),
             (3, true, 'CREATE TRIGGER mine BEFORE INSERT ON @c FOR EACH ROW EXECUTE FUNCTION newest()'), (4, true, 'CREATE TRIGGER mine AFTER INSERT ON @e FOR EACH ROW EXECUTE FUNCTION newest()'),
             (5, true, 'CREATE TRIGGER mine AFTER INSERT ON @e EXECUTE FUNCTION log_statement()'), (6, true, 'CREATE INDEX ON @c (requested_actor, note)'),
             (7, true, 'DO $d$ DECLARE i regclass; BEGIN FOR i IN SELECT indexrelid FROM pg_index WHERE indrelid = ''@c''::regclass AND NOT indisunique LOOP EXECUTE ''DROP INDEX '' || i; END LOOP; END $d$'),
             (8, true, 'ALTER TABLE @c ADD COLUMN twice text GENERATED ALWAYS AS (order_key || order_key) STORED'), (9, true, 'ALTER TABLE @e ADD COLUMN nr integer GENERATED ALWAYS AS IDENTITY'),
             (10, true, 'ALTER TABLE @c ADD COLUMN gone integer; ALTER TABLE @c DROP COLUMN gone'), (11, true, 'CREATE RULE r AS ON INSERT TO @e DO ALSO INSERT INTO log (entry) VALUES (''rule '' || NEW.order_key)'),
             (12, true, 'ALTER TABLE @c RENAME TO "the records"; ALTER TABLE "the records" RENAME TO @c'), (13, true, 'ALTER TABLE @c CLUSTER ON @c_pkey; CLUSTER @c; REINDEX TABLE @e'),
             (14, false, 'ALTER TABLE @c ADD COLUMN extra text'), (15, false, 'ALTER TABLE @e ALTER COLUMN actor TYPE varchar(100)'), (16, true, 'ALTER TABLE @c ENABLE ROW LEVEL SECURITY; ALTER TABLE @c FORCE ROW LEVEL SECURITY'),
             (17, true, 'ALTER TABLE @e SET UNLOGGED; ALTER TABLE @e SET LOGGED'), (18, true, 'CREATE TABLE @c_more () INHERITS (@c)')) AS v (n, inherit, change);
SELECT is((SELECT array_agg(extra) FROM r1_cancellation), '{extra,extra,extra}', 'a default is filled in');
SELECT is((SELECT count(DISTINCT nr) FROM r9_cancellation_event), 3::bigint, 'and an identity');
SELECT is((SELECT array_agg(twice ORDER BY order_id) FROM r8_cancellation), '{11,22,1818}', 'and what is generated');
SELECT is(logged('mine r3'), 'mine r3_cancellation 1, mine r3_cancellation 2', 'a BEFORE trigger on the cancellations fires');
SELECT is(logged('mine r4'), 'mine r4_cancellation_event 1, mine r4_cancellation_event 2', 'an AFTER trigger on the events');
SELECT is(logged('rule'), 'rule 1, rule 2', 'a rule');
ALTER TABLE r6_cancellation ADD CHECK (order_id <> 4);
ALTER TABLE r6_cancellation_event ADD CHECK (order_id <> 6);
SELECT is(told('r6', '{3,4,5,6,7}'), '3 canceled, 4 refused 23514, 5 canceled, 6 refused 23514, 7 canceled', 'a CHECK of the records refuses one order');
SELECT is(done('r6'), 6, 'and nothing is left of it');
CREATE TRIGGER fails BEFORE INSERT ON r10_cancellation FOR EACH ROW EXECUTE FUNCTION says_no('4', 'P0001');
SELECT is(told('r10', '{3,4}'), '3 refused 42703, 4 refused 42703', 'a broken trigger on the records refuses all');
SELECT is(done('r10'), 3, 'and nothing is left of them');
SELECT is(attempt('INSERT INTO r1_cancellation SELECT * FROM r2_cancellation'), '23514 written_by_ordcancel', 'nobody else writes them');
SELECT is(attempt('UPDATE r1_cancellation SET note = note'), '23514 written_by_ordcancel', 'to this moment');
DROP TABLE r11_cancellation;
SELECT is(told('r11', '{3,4}'), '3 refused OC014, 4 refused OC014', 'record tables that are gone');
SELECT is((SELECT array_agg(status ORDER BY id) FROM r11 WHERE id IN (3, 4)), '{placed,placed}', 'and without a record no cancellation');
SELECT make('rough', ', due numeric DEFAULT 1.26');
SELECT ordcancel.detach('rough');
DROP TABLE rough_cancellation, rough_cancellation_event;
SELECT ordcancel.attach('rough', 'status', refund_due => 'due', inherit => false), ordcancel.set_policy('rough', canceled_status => 'canceled', in_progress_status => 'refunding'),
       ordcancel.set_rule('rough', 'placed', merchant => 'cancel');
ALTER TABLE rough_cancellation ALTER COLUMN refund_due TYPE numeric(3, 1), ALTER COLUMN requested_at TYPE timestamptz(0);
UPDATE rough SET due = 123.4 WHERE id = 2;
SELECT is(told('rough', '{1,2}'), '1 in_progress, 2 refused 22003', 'columns of the records with another precision');
SELECT is((SELECT array_agg(refund_due::text || to_char(requested_at, '.US')) FROM rough_cancellation), '{1.3.000000}', 'are written with that');

-- ----------------------------------------------------------------- timeouts, sizes

SELECT make('slow');
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
SELECT is(done('slow'), 0, 'and nothing was done');
SELECT is(told('slow', '{1,2}'), '1 canceled, 2 canceled', 'which can be done after it');

-- Large rows: a block looks at all of them together.
SELECT make('large', ', doc text', n => 30);
UPDATE large SET doc = repeat('ä', 5000000);
SELECT ordcancel.add_block('large', 'long', 'length(doc) < 5000000');
SELECT is((SELECT count(*) FROM ordcancel.cancel_orders('large', (SELECT array_agg(id) FROM large)) AS a WHERE a.outcome = 'canceled'), 30::bigint, 'orders of 10 MB each');
SELECT is((SELECT count(*) FROM large WHERE length(doc) = 5000000), 30::bigint, 'which they have still');

-- 20,000 orders, a trigger that refuses one in a hundred.
SELECT make('many_more', n => 20000);
CREATE FUNCTION one_in_a_hundred() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id % 100 = 50 THEN
        RAISE EXCEPTION 'no';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER one_in_a_hundred AFTER UPDATE ON many_more FOR EACH ROW EXECUTE FUNCTION one_in_a_hundred();
CREATE TEMP TABLE answers AS SELECT * FROM ordcancel.cancel_orders('many_more', (SELECT array_agg(id ORDER BY id DESC) FROM many_more)) WITH ORDINALITY;
SELECT is((SELECT string_agg(concat_ws(' ', n, outcome, sqlstate), ', ') FROM (SELECT count(*) AS n, outcome, sqlstate FROM answers GROUP BY 2, 3 ORDER BY 1 DESC) AS a), '19800 canceled, 200 refused P0001', '20,000 orders, of which a trigger refuses 200');
SELECT is((SELECT count(*) FROM answers WHERE order_id::integer <> 20001 - ordinality OR (outcome = 'refused') <> (order_id::integer % 100 = 50)), 0::bigint, 'each row is that of its order');
SELECT is((SELECT array_agg(n) FROM (SELECT count(*) AS n FROM many_more WHERE status = 'canceled' UNION ALL SELECT count(*) FROM many_more_cancellation UNION ALL SELECT count(*) FROM many_more_cancellation_event
                                     UNION ALL SELECT count(DISTINCT o.id) FROM many_more AS o JOIN many_more_cancellation AS c ON c.order_id = o.id JOIN many_more_cancellation_event AS e USING (cancellation_id)
                                               WHERE o.status = 'canceled' AND c.state = 'canceled' AND e.type = 'canceled') AS a),
          '{19800,19800,19800,19800}', 'each of the others is canceled and recorded');

SELECT * FROM finish();
ROLLBACK;
