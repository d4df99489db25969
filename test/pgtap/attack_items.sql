-- The owner of a table of items fills it with code and waits for a superuser, as
-- in attack_owner.sql: the code runs as the owner. And what a customer and a role
-- that writes items try.
BEGIN;
SET LOCAL client_min_messages = error;
\ir include/helpers.sql
\ir include/attacks.sql
SELECT plan(114);

CREATE ROLE attack_owner;
CREATE ROLE attack_merchant;
CREATE ROLE attack_writer;
CREATE SCHEMA s AUTHORIZATION attack_owner;
GRANT USAGE ON SCHEMA s TO attack_merchant, attack_writer;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA ordcancel TO attack_owner;
SELECT ordcancel.grant_customer('attack_merchant'), ordcancel.grant_merchant('attack_merchant');

SET LOCAL ROLE attack_owner;
CREATE FUNCTION s.say(what text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.ran VALUES (what);
    IF (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN
        ALTER ROLE attack_owner SUPERUSER;
    END IF;
    RETURN true;
END
$$;
CREATE FUNCTION s.say_of(integer, what text) RETURNS integer LANGUAGE plpgsql IMMUTABLE
    AS 'BEGIN PERFORM s.say(what); RETURN $1; END';
CREATE DOMAIN s.number AS integer CHECK (s.say('check of key') AND VALUE > 0);
CREATE DOMAIN s.units AS integer CHECK (s.say('check of units') AND VALUE >= 0);
CREATE TABLE s.trap (n integer);
CREATE FUNCTION s.trapped() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM s.say('deferred trigger ' || NEW.n);
    IF NEW.n < 3 AND current_user = 'attack_owner' THEN
        SET CONSTRAINTS ALL DEFERRED;
        INSERT INTO s.trap VALUES (NEW.n + 1);
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER trapped AFTER INSERT ON s.trap DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION s.trapped();
CREATE FUNCTION s.fired() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM s.say(TG_ARGV[0]);
    IF TG_ARGV[1] = 'trap' THEN
        INSERT INTO s.trap VALUES (1);
    END IF;
    RETURN CASE TG_LEVEL WHEN 'ROW' THEN NEW END;
END
$$;
CREATE FUNCTION s.make(kind text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    t text := 's.' || kind || '_item';
BEGIN
    EXECUTE format('CREATE TABLE s.%s (id integer PRIMARY KEY, status text)', kind);
    EXECUTE format('CREATE TABLE %s (id s.number PRIMARY KEY, order_id s.number, quantity s.units, canceled s.units'
                   ' DEFAULT 0 CHECK (s.say(''CHECK'')), made integer GENERATED ALWAYS AS'
                   ' (s.say_of(canceled, ''generated column'')) STORED) %s',
                   t, CASE kind WHEN 'parted' THEN 'PARTITION BY RANGE (id)' ELSE '' END);
    IF kind = 'parted' THEN
        EXECUTE format('CREATE TABLE %1$s_1 PARTITION OF %1$s FOR VALUES FROM (1) TO (1000)', t);
    END IF;
    IF kind <> 'plain' THEN
        EXECUTE format('CREATE INDEX ON %s (order_id)', t);
    END IF;
    EXECUTE format('CREATE INDEX ON %s (s.say_of(canceled, ''index expression''))', t);
    EXECUTE format('CREATE TRIGGER fired BEFORE UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION s.fired(''before trigger'')',
                   t);
    EXECUTE format('CREATE TRIGGER fired2 AFTER UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION s.fired(''after trigger'', '
                   '''trap'')', t);
    EXECUTE format('CREATE CONSTRAINT TRIGGER late AFTER UPDATE ON %s DEFERRABLE INITIALLY DEFERRED'
                   ' FOR EACH ROW EXECUTE FUNCTION s.fired(''constraint trigger'', ''trap'')', t);
    IF kind = 'stated' THEN
        EXECUTE format('CREATE TRIGGER fired3 AFTER UPDATE ON %s REFERENCING NEW TABLE AS n'
                       ' FOR EACH STATEMENT EXECUTE FUNCTION s.fired(''statement trigger'', ''trap'')', t);
    END IF;
    EXECUTE format('INSERT INTO s.%s SELECT n, ''placed'' FROM generate_series(1, 20) AS n', kind);
    EXECUTE format('INSERT INTO %s (id, order_id, quantity) SELECT 10 * o + i, o, 3 FROM generate_series(1, 20) AS o,'
                   ' generate_series(1, 2) AS i', t);
END
$$;
SELECT s.make(kind) FROM unnest('{plain,stated,parted}'::text[]) AS kind;
GRANT SELECT ON s.plain, s.stated, s.parted TO attack_merchant;
RESET ROLE;
SELECT run_by_others('attack_owner');
CREATE TABLE kind (kind text);
INSERT INTO kind VALUES ('plain'), ('stated'), ('parted');

-- Each of these is said by a superuser, about each of the tables. What stands
-- in braces is the order table, or begins the name of its items.
CREATE TABLE step (n integer GENERATED ALWAYS AS IDENTITY, statement text);
INSERT INTO step (statement) VALUES
    ('SELECT ordcancel.attach(''{}'', ''status''),'
     ' ordcancel.set_policy(''{}'', canceled_status => ''canceled'', requested_status => ''asked'','
     ' in_progress_status => ''refunding'', decision_timeout => ''0'', on_timeout => ''accept''),'
     ' ordcancel.set_rule(''{}'', ''placed'', customer => ''request'', merchant => ''cancel'')'),
    ('SELECT ordcancel.attach_items(''{}_item'', ''{}'', ''{order_id}'', ''quantity'', ''canceled'','
     ' fulfilled => ''CASE WHEN s.say(''''fulfilled'''') THEN 0 END'','
     ' amount => ''CASE WHEN s.say(''''amount'''') THEN quantity - canceled END'')'),
    ('SELECT ordcancel.cancel_items(''{}'', 1, ''[{"item": 11, "quantity": 2}, {"item": "12"}]'')'),
    ('SELECT ordcancel.record_refund(''{}'', 1, 5, ''cash'')'),
    ('SELECT ordcancel.undo_cancel(''{}'', ''1'')'),
    ('SELECT ordcancel.request_cancel_items(''{}'', 2, ''[{"item": 21}]'')'),
    ('SELECT ordcancel.request_cancel_items(''{}'', 2, ''[{"item": 21}]'')'),
    ('SELECT ordcancel.deny_cancel(''{}'', 2, ''no'')'),
    ('SELECT ordcancel.request_cancel_items(''{}'', 3, ''[{"item": 31}]'')'),
    ('SELECT ordcancel.accept_cancel(''{}'', 3)'),
    ('SELECT ordcancel.cancel_items(''{}'', 4, ''[{"item": 41}, {"item": 42}]'')'),
    ('SELECT ordcancel.cancel_order(''{}'', 5)'),
    ('SELECT ordcancel.undo_cancel(''{}'', 5)'),
    ('UPDATE {} SET status = ''refunding'' WHERE id = 6'),
    ('SELECT ordcancel.cancel_orders(''{}'', ARRAY[7, 8])'),
    ('SELECT ordcancel.request_cancel_items(''{}'', 9, ''[{"item": 91}]'')'),
    ('CALL ordcancel.sweep()'),
    ('SELECT count(*) FROM ordcancel.item_options(''{}'', 10), ordcancel.cancel_options(''{}'', 10)'),
    ('SELECT ordcancel.attach_items(''{}_item'', ''{}'', ''{order_id}'')'),
    ('SELECT ordcancel.detach_items(''{}_item'')'),
    ('SELECT ordcancel.attach_items(''{}_item'', ''{}'', ''{order_id}'', ''quantity'', ''canceled'','
     ' fulfilled => ''CASE WHEN s.say(''''fulfilled'''') THEN 0 END'')');
SELECT is(attempt_with_deferred(replace(statement, '{}',
          's.' || kind)) || ', others: ' || run_by_others('attack_owner'),
          'ok, others: nothing', format('%s: %s', kind, left(statement, 60)))
FROM kind, step ORDER BY kind, n;
SELECT is(attempt_as('attack_merchant', replace(statement, '{}', 's.' || kind)) || ', others: '
          || run_by_others('attack_owner'), 'ok, others: nothing', format('%s, a merchant: %s', kind, left(statement,
          60)))
FROM kind, (VALUES (1, 'SELECT ordcancel.cancel_items(''{}'', 11, ''[{"item": 111}]'')'),
                   (2, 'SELECT ordcancel.undo_cancel(''{}'', 11)'),
                   (3, 'SELECT ordcancel.item_options(''{}'', 11)'),
                   (4, 'SELECT ordcancel.cancel_order(''{}'', 12)')) AS v (n, statement) ORDER BY kind, n;
SELECT run_by_others('-');
SELECT ordcancel.cancel_items('s.stated', 13, '[{"item": 131, "quantity": 1}]');
SELECT is(run_by_all(), 'CHECK by attack_owner, after trigger by attack_owner, before trigger by attack_owner, '
                        'check of key by attack_owner, check of units by attack_owner, constraint trigger by '
                        'attack_owner, deferred trigger 1 by attack_owner, deferred trigger 2 by attack_owner, '
                        'deferred trigger 3 by attack_owner, fulfilled by attack_owner, generated column by '
                        'attack_owner, index expression by attack_owner, statement trigger by attack_owner',
          'all of it ran, as the owner');

-- ------------------------------------------------------- who writes items

-- What the guard asks, it asks as the owner.
SET LOCAL ROLE attack_owner;
CREATE TABLE s.bare (id integer PRIMARY KEY, status text);
CREATE TABLE s.bare_item (id integer PRIMARY KEY, order_id integer, quantity integer, canceled integer DEFAULT 0);
SELECT ordcancel.attach('s.bare', 'status'), ordcancel.set_policy('s.bare', canceled_status => 'canceled'),
       ordcancel.set_rule('s.bare', 'placed', merchant => 'cancel'),
       ordcancel.attach_items('s.bare_item', 's.bare', '{order_id}', 'quantity', 'canceled',
                              fulfilled => 'CASE WHEN s.say(''fulfilled'') THEN 0 END');
INSERT INTO s.bare SELECT n, 'placed' FROM generate_series(1, 9) AS n;
INSERT INTO s.bare_item SELECT n, n, 3 FROM generate_series(1, 9) AS n;
GRANT SELECT, INSERT, UPDATE, DELETE ON s.bare_item TO attack_writer;
SELECT ordcancel.cancel_items('s.bare', 1, '[{"item": 1, "quantity": 1}]');
RESET ROLE;
SELECT run_by_others('-');
SELECT is(attempt('UPDATE s.bare_item SET quantity = 5 WHERE id < 4; INSERT INTO s.bare_item VALUES (10, 9, 1);'
                  ' DELETE FROM s.bare_item WHERE id = 9'), 'ok', 'a superuser writes items');
SELECT is(run_by_all(), 'fulfilled by attack_owner', 'what the guard asks is asked as the owner');
SELECT is(attempt_as('attack_writer', statement), error, 'a writer: ' || statement)
FROM (VALUES ('UPDATE s.bare_item SET quantity = 9 WHERE id = 2', 'ok'),
             ('INSERT INTO s.bare_item VALUES (11, 3, 1)', 'ok'),
             ('INSERT INTO s.bare_item VALUES (12, 1, 1)', 'ok'),
             ('DELETE FROM s.bare_item WHERE id = 11', 'ok'),
             ('UPDATE s.bare_item SET canceled = 2 WHERE id = 1', '23514 items_not_available'),
             ('DELETE FROM s.bare_item WHERE id = 1', '23514 items_not_available'),
             ('SELECT FROM s.bare', '42501'), ('SELECT FROM s.bare_cancellation_item', '42501'))
         AS v (statement, error);
SELECT is(run_by_others('attack_owner'), 'nothing', 'nor as the writer');

-- The owner cannot do what ordcancel alone may, either, and not from within.
CREATE FUNCTION s.inside() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE TG_ARGV[0];
    RETURN NEW;
END
$$;
GRANT EXECUTE ON FUNCTION s.inside() TO attack_owner;
-- A trigger fires only at the first level, so that it does not call itself.
CREATE FUNCTION try_inside(timing text, statement text, name text DEFAULT 'inside') RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    result text;
BEGIN
    EXECUTE format('CREATE TRIGGER %I %s UPDATE ON s.bare_item %s EXECUTE FUNCTION s.inside(%L)', name,
                   split_part(timing, ' ', 1), 'FOR EACH ' || split_part(timing, ' ', 2)
                   || ' WHEN (pg_trigger_depth() < 1)', statement);
    result := attempt_as('attack_owner', 'SELECT ordcancel.cancel_items(''s.bare'', 4, ''[{"item": 4, "quantity":
    1}]'')');
    EXECUTE format('DROP TRIGGER %I ON s.bare_item', name);
    RETURN result;
END
$$;
SELECT matches(try_inside(timing, statement, name), '^(27000|23514 items_not_available)$', format('%s "%s": %s',
    timing, name, statement))
FROM unnest('{BEFORE ROW,AFTER ROW,BEFORE STATEMENT,AFTER STATEMENT}'::text[]) AS timing,
     unnest(ARRAY['UPDATE s.bare_item SET canceled = 3 WHERE id = 4',
     'UPDATE s.bare_item SET canceled = 3 WHERE id = 5',
                  'DELETE FROM s.bare_item WHERE id = 1']) AS statement,
     unnest('{inside," inside"}'::name[]) AS name;
SELECT is((SELECT string_agg(id || ' ' || canceled, ', ' ORDER BY id) FROM s.bare_item WHERE id IN (1, 4, 5)),
          '1 1, 4 0, 5 0', 'nothing of it was done');
SELECT is((SELECT count(*) FROM s.bare_cancellation), 1::bigint, 'nor recorded');

SELECT is((SELECT rolsuper FROM pg_roles WHERE rolname = 'attack_owner'), false, 'the owner is no superuser');

SELECT * FROM finish();
ROLLBACK;
