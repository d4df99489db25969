-- The owner of an attached table fills it with code and waits for a superuser:
-- whatever the superuser calls, the code runs as the owner, and leaves nothing
-- behind that would run as somebody else.
BEGIN;
SET LOCAL client_min_messages = error;
\ir include/helpers.sql
\ir include/attacks.sql
SELECT plan(141);

CREATE ROLE attack_owner;
CREATE ROLE attack_merchant;
CREATE SCHEMA s AUTHORIZATION attack_owner;
GRANT USAGE ON SCHEMA s TO attack_merchant;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA ordcancel TO attack_owner;
SELECT ordcancel.grant_customer('attack_merchant'), ordcancel.grant_merchant('attack_merchant');

-- Everything that a table can run, in tables that our code treats differently.
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
CREATE FUNCTION s.say_of(text, what text) RETURNS text LANGUAGE plpgsql IMMUTABLE
    AS 'BEGIN PERFORM s.say(what); RETURN $1; END';
CREATE FUNCTION s.constant(what text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN s.say(what); END';
CREATE DOMAIN s.number AS integer CHECK (s.say('check of key') AND VALUE > 0);
CREATE DOMAIN s.word AS text CHECK (s.say('check of status') AND VALUE <> 'bad');
CREATE TABLE s.trap (n integer);
CREATE TABLE s.log (what text);
CREATE FUNCTION s.trapped() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM s.say('deferred trigger ' || NEW.n);
    IF NEW.n < 4 AND current_user = 'attack_owner' THEN
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
    INSERT INTO s.log VALUES (TG_ARGV[0]);
    IF TG_ARGV[1] = 'trap' THEN
        INSERT INTO s.trap VALUES (1);
    END IF;
    RETURN CASE TG_LEVEL WHEN 'ROW' THEN NEW END;
END
$$;
CREATE FUNCTION s.make(kind text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    t text := 's.' || kind;
BEGIN
    EXECUTE format('CREATE TABLE %s (id s.number PRIMARY KEY, status s.word CHECK (s.say(''CHECK'')), total numeric '
                   'DEFAULT 0,'
                   ' made text GENERATED ALWAYS AS (s.say_of(''x'', ''generated column'')) STORED) %s',
                   t, CASE kind WHEN 'parted' THEN 'PARTITION BY RANGE (id)' ELSE '' END);
    IF kind = 'parted' THEN
        EXECUTE format('CREATE TABLE %1$s_1 PARTITION OF %1$s FOR VALUES FROM (1) TO (1000)', t);
    END IF;
    EXECUTE format('CREATE INDEX ON %s (s.say_of(status, ''index expression''))', t);
    EXECUTE format('CREATE INDEX ON %s (status) WHERE s.say_of(status, ''index predicate'') <> ''x''', t);
    EXECUTE format('CREATE TRIGGER fired BEFORE UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION s.fired(''before trigger'')',
                   t);
    EXECUTE format('CREATE TRIGGER fired2 AFTER UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION s.fired(''after trigger'', '
                   '''trap'')', t);
    EXECUTE format('CREATE CONSTRAINT TRIGGER late AFTER UPDATE ON %s DEFERRABLE INITIALLY DEFERRED'
                   ' FOR EACH ROW WHEN (s.constant(''WHEN of a trigger'')) EXECUTE FUNCTION s.fired(''constraint '
                   'trigger'', ''trap'')', t);
    IF kind = 'stated' THEN
        EXECUTE format('CREATE TRIGGER fired3 AFTER UPDATE ON %s REFERENCING NEW TABLE AS n'
                       ' FOR EACH STATEMENT EXECUTE FUNCTION s.fired(''statement trigger'', ''trap'')', t);
    ELSIF kind = 'ruled' THEN
        EXECUTE format('CREATE RULE r AS ON UPDATE TO %s DO ALSO INSERT INTO s.trap SELECT 1 WHERE s.say(''rule'')', t);
    END IF;
    EXECUTE format('INSERT INTO %s (id, status) SELECT n, ''placed'' FROM generate_series(1, 60) AS n', t);
END
$$;
SELECT s.make(kind) FROM unnest('{plain,stated,ruled,parted}'::text[]) AS kind;
GRANT SELECT ON ALL TABLES IN SCHEMA s TO attack_merchant;
RESET ROLE;
SELECT run_by_others('attack_owner');
CREATE TABLE kind (kind text);
INSERT INTO kind VALUES ('plain'), ('stated'), ('ruled'), ('parted');

-- Each of these is said by a superuser, about each of the tables. What stands
-- in braces is the table.
CREATE TABLE step (n integer GENERATED ALWAYS AS IDENTITY, statement text);
INSERT INTO step (statement) VALUES
    ('SELECT ordcancel.attach({}, ''status'', refund_due => ''CASE WHEN s.say(''''refund_due'''') AND '
     's.constant(''''constant'''') THEN total END'')'),
    ('SELECT ordcancel.set_policy({}, canceled_status => ''canceled'', requested_status => ''asked'', decision_timeout '
     '=> ''0'', on_timeout => ''accept'')'),
    ('SELECT ordcancel.set_rule({}, ''placed'', customer => ''request'', merchant => ''cancel'')'),
    ('SELECT ordcancel.add_block({}, ''b'', ''NOT (s.say(''''block'''') AND s.constant(''''constant''''))'')'),
    ('SELECT ordcancel.cancel_order({}, 1)'),
    ('SELECT ordcancel.undo_cancel({}, ''1'')'),
    ('SELECT ordcancel.request_cancel({}, 2)'),
    ('SELECT ordcancel.deny_cancel({}, 2, ''no'')'),
    ('SELECT ordcancel.request_cancel({}, 3)'),
    ('SELECT ordcancel.withdraw_cancel({}, 3)'),
    ('SELECT ordcancel.request_cancel({}, 4)'),
    ('SELECT ordcancel.accept_cancel({}, 4)'),
    ('SELECT ordcancel.override_cancel({}, 5, note => ''so'')'),
    ('SELECT count(*) FROM ordcancel.cancel_options({}, 6)'),
    ('SELECT ordcancel.cancel_orders({}, ''{7,8,9,bad}'')'),
    ('SELECT ordcancel.cancel_orders({}, ARRAY[10, 11], on_error => ''abort'')'),
    ('SELECT ordcancel.request_cancel({}, 12)'),
    ('CALL ordcancel.sweep()'),
    ('CALL ordcancel.cancel_batch({}, ''id < 20'', dry_run => true)'),
    ('SELECT * FROM ordcancel.pending_requests'),
    ('SELECT * FROM ordcancel.refunds_due'),
    ('SELECT * FROM ordcancel.batch_progress, ordcancel.batch_summary, ordcancel.batch_refused'),
    ('SELECT ordcancel.apply_preset({}, ''spryker'')'),
    ('SELECT ordcancel.drop_rule({}, ''new''), ordcancel.drop_block({}, ''b''), ordcancel.guard_partitions({})'),
    ('SELECT ordcancel.make_call_table({})'),
    ('SELECT ordcancel.detach({})');
SELECT is(attempt_with_deferred(replace(statement, '{}', quote_literal('s.' || kind))) || ', others: '
          || run_by_others('attack_owner'),
          'ok, others: nothing', format('%s: %s', kind, left(statement, 60)))
FROM kind, step ORDER BY kind, n;

-- The same for a merchant, where a table is as the owner made it.
SELECT is(attempt(replace(statement, '{}', quote_literal('s.' || kind))), 'ok',
          format('%s again: %s', kind, left(statement, 60)))
FROM kind, step WHERE n <= 4 ORDER BY kind, n;
SELECT run_by_others('-');
SELECT is(attempt_as('attack_merchant', replace(statement, '{}', quote_literal('s.' || kind))) || ', others: '
          || run_by_others('attack_owner'),
          'ok, others: nothing', format('%s, a merchant: %s', kind, statement))
FROM kind, (VALUES (1, 'SELECT ordcancel.cancel_order({}, 31)'), (2, 'SELECT ordcancel.undo_cancel({}, 31)'),
                   (3, 'SELECT ordcancel.cancel_orders({}, ARRAY[32, 33])')) AS v (n, statement) ORDER BY kind, n;

-- That it ran at all.
SELECT ordcancel.cancel_order('s.ruled', 40);
SELECT is(run_by_all(), 'CHECK by attack_owner, WHEN of a trigger by attack_owner, after trigger by attack_owner, '
                     'before trigger by attack_owner, '
          || 'block by attack_owner, check of key by attack_owner, check of status by attack_owner, constant by '
             'attack_owner, '
          || 'constraint trigger by attack_owner, deferred trigger 1 by attack_owner, deferred trigger 2 by '
             'attack_owner, '
          || 'deferred trigger 3 by attack_owner, deferred trigger 4 by attack_owner, generated column by '
             'attack_owner, '
          || 'index expression by attack_owner, index predicate by attack_owner, refund_due by attack_owner, '
          || 'rule by attack_owner', 'all of it ran, as the owner');

-- ------------------------------------------ a superuser's own plain statements

-- Blocks and refund_due run inside our trigger, as the owner.
SET LOCAL ROLE attack_owner;
CREATE TABLE s.bare (id integer PRIMARY KEY, status text, total numeric);
INSERT INTO s.bare SELECT n, 'placed', 0 FROM generate_series(1, 9) AS n;
CREATE TABLE s.shipment (order_id integer);
SELECT ordcancel.attach('s.bare', 'status', refund_due => 'CASE WHEN s.say(''refund_due'') THEN total END'),
       ordcancel.set_policy('s.bare', canceled_status => 'canceled'),
       ordcancel.set_rule('s.bare', 'placed', customer => 'cancel', merchant => 'cancel', deletable => true),
       ordcancel.add_block('s.bare', 'b', 'NOT s.say(''block'')'),
       ordcancel.attach_child('s.shipment', 's.bare', '{order_id}');
RESET ROLE;
SELECT run_by_others('-');
SELECT is(attempt_with_deferred('UPDATE s.bare SET status = ''canceled'' WHERE id < 4'), 'ok', 'a superuser''s UPDATE');
SELECT is(run_by_all(), 'block by attack_owner, refund_due by attack_owner',
          'what our trigger asks is asked as the owner');
SELECT is(attempt_with_deferred('DELETE FROM s.bare WHERE id = 4; INSERT INTO s.bare VALUES (4, ''placed''); '
                  'INSERT INTO s.shipment VALUES (4);'
                  'MERGE INTO s.bare USING (VALUES (5)) AS v (n) ON id = n WHEN MATCHED THEN UPDATE SET status = '
                  '''canceled'''),
          'ok', 'DELETE, INSERT, MERGE, and a row of a child');
SELECT is(run_by_others('attack_owner'), 'nothing', 'nothing of the owner''s as the superuser');
SELECT is(attempt_with_deferred('DROP TABLE s.bare, s.shipment'), 'ok', 'DROP TABLE');
SELECT is(run_by_others('attack_owner'), 'nothing', 'nothing either');

-- The key of the order is read as the owner of the orders, whoever writes the child.
SET LOCAL ROLE attack_owner;
CREATE TABLE s.package (order_id integer);
SELECT ordcancel.attach_child('s.package', 's.plain', '{order_id}');
RESET ROLE;
SELECT run_by_others('-');
SELECT is(attempt_with_deferred('INSERT INTO s.package VALUES (50)') || ', others: ' || run_by_others('attack_owner'),
          'ok, others: nothing',
          'a row of a child, whose order''s key has a check');

SELECT is((SELECT rolsuper FROM pg_roles WHERE rolname = 'attack_owner'), false, 'the owner is no superuser');

SELECT * FROM finish();
ROLLBACK;
