-- A table that changes after it was attached: the rules follow, or say clearly
-- what to do; what a superuser breaks ends in an error, not in a crash.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
SELECT plan(88);

CREATE FUNCTION make(name text) RETURNS regclass LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TABLE %I (first text, id integer PRIMARY KEY, status text, at timestamptz DEFAULT now(), '
                   'kind text, flag boolean, due numeric, last text)', name);
    EXECUTE format('INSERT INTO %I (id, status) SELECT n, ''placed'' FROM generate_series(1, 30) AS n', name);
    PERFORM ordcancel.attach(name::regclass, status => 'status', placed_at => 'at', policy_by => 'kind',
                             refund_due => 'due');
    PERFORM ordcancel.set_policy(name::regclass, canceled_status => 'canceled', requested_status => 'asked',
                                 grace => '1 day');
    PERFORM ordcancel.set_rule(name::regclass, 'placed', customer => 'cancel', merchant => 'cancel');
    PERFORM ordcancel.add_block(name::regclass, 'flag', 'flag');
    PERFORM ordcancel.cancel_order(name::regclass, 1);
    RETURN name;
END
$$;
-- The next placed order of the table, by function and by update; then a refusal.
CREATE FUNCTION works(orders text, what text, status text DEFAULT 'status', id text DEFAULT 'id') RETURNS SETOF text
    LANGUAGE plpgsql AS $$
DECLARE
    n integer;
BEGIN
    EXECUTE format('SELECT min(%s) FROM %s WHERE %s = ''placed''', id, orders, status) INTO n;
    RETURN NEXT is(attempt(format('SELECT ordcancel.cancel_order(%L, %s)', orders, n)), 'ok',
                   what || ': an order is canceled');
    RETURN NEXT is(attempt(format('UPDATE %s SET %s = ''canceled'' WHERE %s = %s', orders, status, id, n + 1)), 'ok',
                   what || ': and by an update');
    RETURN NEXT is(attempt(format('UPDATE %s SET %s = ''placed'' WHERE %s = %s', orders, status, id, n)),
                   '23514 order_is_canceled', what || ': and stays so');
END
$$;

-- ------------------------------------------------------------------- columns

SELECT make('t1');
ALTER TABLE t1 DROP COLUMN first;
SELECT works('t1', 'a column before was dropped');
ALTER TABLE t1 ADD COLUMN more text DEFAULT 'x', ADD COLUMN o integer DEFAULT 7;
SELECT works('t1', 'columns were added');
ALTER TABLE t1 DROP COLUMN last, ALTER COLUMN more TYPE varchar(5);
SELECT works('t1', 'a column after was dropped, another changed its type');
UPDATE t1 SET flag = true WHERE id = 20;
SELECT is(attempt('SELECT ordcancel.cancel_order(''t1'', 20)'), 'OC005', 'the block reads its column still');
ALTER TABLE t1 ALTER COLUMN at TYPE timestamp;
SELECT works('t1', 'placed_at became another type');
ALTER TABLE t1 RENAME COLUMN more TO even_more;
SELECT works('t1', 'another column was renamed');
ALTER TABLE t1 RENAME COLUMN at TO was_at;
ALTER TABLE t1 ADD COLUMN at bigint DEFAULT 0;
SELECT is(attempt('SELECT ordcancel.request_cancel(''t1'', 21)'), 'OC014',
          'placed_at is no time any more: a clear error');
SELECT is(attempt('UPDATE t1 SET status = ''canceled'' WHERE id = 21'), 'OC014', 'and nothing passes meanwhile');
ALTER TABLE t1 DROP COLUMN at;
ALTER TABLE t1 RENAME COLUMN was_at TO at;
SELECT works('t1', 'it is one again');
SELECT is(attempt('ALTER TABLE t1 ALTER COLUMN status TYPE varchar(20)'), '0A000',
          'the status cannot change its type under the guard');
SELECT is(attempt('ALTER TABLE t1 DROP COLUMN status'), '2BP01', 'nor be dropped');

CREATE FUNCTION renamed(old name, new name, named text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE t1 RENAME COLUMN %I TO %I', old, new);
    RETURN NEXT is(attempt('SELECT ordcancel.cancel_order(''t1'', 21)'), 'OC014', old || ' renamed: a clear error');
    RETURN NEXT is(attempt(format('UPDATE t1 SET %I = ''canceled'' WHERE id = 21', CASE old WHEN 'status' THEN new
                                      ELSE 'status' END)), 'OC014',
                   old || ' renamed: nothing passes meanwhile');
    RETURN NEXT is(attempt('INSERT INTO t1 (id) VALUES (99)'), 'OC014', old || ' renamed: nothing comes in');
    RETURN NEXT is(attempt(format('SELECT ordcancel.attach(''t1'', %s)', named)), 'ok',
                   old || ' renamed: attached again');
END
$$;
SELECT renamed('status', 'state',
               'status => ''state'', placed_at => ''at'', policy_by => ''kind'', refund_due => ''due''');
SELECT works('t1', 'status renamed', 'state');
ALTER TABLE t1 RENAME COLUMN state TO status;
SELECT ordcancel.attach('t1', status => 'status', placed_at => 'at', policy_by => 'kind', refund_due => 'due');
SELECT renamed('at', 'placed',
               'status => ''status'', placed_at => ''placed'', policy_by => ''kind'', refund_due => ''due''');
SELECT renamed('kind', 'policy',
               'status => ''status'', placed_at => ''placed'', policy_by => ''policy'', refund_due => ''due''');
SELECT is((SELECT changed FROM ordcancel.cancel_order('t1', 1)), false, 'the records are the same all along');
ALTER TABLE t1 RENAME COLUMN due TO to_refund;
SELECT is(attempt('SELECT ordcancel.cancel_order(''t1'', 25)'), 'OC014',
          'a column of refund_due renamed: a clear error');
SELECT ordcancel.attach('t1', status => 'status', placed_at => 'placed', policy_by => 'policy',
                        refund_due => 'to_refund');
SELECT works('t1', 'refund_due mended');
ALTER TABLE t1 RENAME COLUMN flag TO flags;
SELECT is(attempt('SELECT ordcancel.cancel_order(''t1'', 25)'), 'OC014', 'a column of a block renamed: a clear error');
ALTER TABLE t1 RENAME COLUMN flags TO flag;
ALTER TABLE t1 RENAME COLUMN id TO number;
SELECT is(attempt('SELECT ordcancel.cancel_order(''t1'', 26)'), 'OC014', 'the key renamed: a clear error');
SELECT is(attempt('UPDATE t1 SET status = ''canceled'' WHERE number = 26'), 'OC014',
          'the key renamed: nothing passes meanwhile');
SELECT ordcancel.attach('t1', status => 'status', placed_at => 'placed', policy_by => 'policy',
                        refund_due => 'to_refund');
SELECT is((SELECT changed FROM ordcancel.cancel_order('t1', 1)), false,
          'the key renamed: attached again, the records are the same');
SELECT works('t1', 'the key renamed', 'status', 'number');

-- ----------------------------------------------------------- table, schema, key

SELECT make('t2');
ALTER TABLE t2 RENAME TO "T 2";
SELECT works('"T 2"', 'the table renamed');
CREATE SCHEMA moved;
ALTER TABLE "T 2" SET SCHEMA moved;
SELECT works('moved."T 2"', 'the table moved');
ALTER SCHEMA moved RENAME TO "moved on";
SELECT works('"moved on"."T 2"', 'its schema renamed');
ALTER TABLE t2_cancellation RENAME TO c2;
ALTER TABLE t2_cancellation_event SET SCHEMA "moved on";
SELECT works('"moved on"."T 2"', 'the record tables renamed and moved');
SELECT is(attempt($$SELECT ordcancel.attach('"moved on"."T 2"', status => 'status', placed_at => 'at',
                                            policy_by => 'kind', refund_due => 'due')$$), 'ok', 'attached again');
SELECT is((SELECT changed FROM ordcancel.cancel_order('"moved on"."T 2"', 1)), false, 'with the records that it had');
SELECT works('"moved on"."T 2"', 'attached again');

SELECT make('t3');
ALTER TABLE t3 DROP CONSTRAINT t3_pkey;
SELECT is(attempt('SELECT ordcancel.cancel_order(''t3'', 2)'), 'OC014', 'no primary key any more');
SELECT is(attempt('UPDATE t3 SET status = ''shipped'' WHERE id = 2'), 'OC014', 'nor plain updates without it');
ALTER TABLE t3 ADD COLUMN other integer;
UPDATE t3 SET other = 31 - id;
ALTER TABLE t3 ADD PRIMARY KEY (other);
SELECT is(attempt('SELECT ordcancel.cancel_order(''t3'', 2)'), 'OC014',
          'another primary key does not pass for the first');
ALTER TABLE t3 DROP CONSTRAINT t3_pkey, ADD PRIMARY KEY (id, other);
SELECT is(attempt('SELECT ordcancel.cancel_order(''t3'', ''(2,29)'')'), 'OC014', 'nor a wider one');
ALTER TABLE t3 DROP CONSTRAINT t3_pkey, ADD CONSTRAINT again PRIMARY KEY (id);
SELECT works('t3', 'the primary key restored');

-- ------------------------------------------------------------------- the owner

CREATE ROLE changes_first;
CREATE ROLE changes_second;
GRANT CREATE ON SCHEMA public TO changes_first, changes_second;
SELECT make('t4');
SELECT ordcancel.detach('t4');
DROP TABLE t4_cancellation, t4_cancellation_event;
ALTER TABLE t4 OWNER TO changes_first;
UPDATE t4 SET status = 'placed';
SELECT ordcancel.attach('t4', status => 'status'), ordcancel.set_policy('t4', canceled_status => 'canceled'),
    ordcancel.set_rule('t4', 'placed', merchant => 'cancel');
SELECT works('t4', 'a table of another owner');
ALTER TABLE t4 OWNER TO changes_second;
SELECT isnt(attempt('SELECT ordcancel.cancel_order(''t4'', 20)'), 'XX000', 'a table given to a new owner');
ALTER TABLE t4_cancellation OWNER TO changes_second;
ALTER TABLE t4_cancellation_event OWNER TO changes_second;
SELECT is(attempt('SELECT ordcancel.cancel_order(''t4'', 20)'), 'OC014', 'the record tables too');
SELECT ordcancel.attach('t4');
SELECT works('t4', 'attached again by a superuser');

-- --------------------------------------------------------- what a superuser breaks

CREATE TABLE broken (n integer GENERATED ALWAYS AS IDENTITY, statement text, call text, update text);
INSERT INTO broken (statement) VALUES
    ('DROP TABLE t5_cancellation'), ('DROP TABLE t5_cancellation_event'),
    ('DROP TABLE t5_cancellation, t5_cancellation_event'),
    ('ALTER TABLE t5_cancellation NO INHERIT ordcancel.cancellation; ALTER TABLE t5_cancellation ALTER COLUMN note '
     'TYPE integer USING 7'),
    ('ALTER TABLE t5_cancellation NO INHERIT ordcancel.cancellation; ALTER TABLE t5_cancellation DROP COLUMN note '
     'CASCADE'),
    ('ALTER TABLE t5_cancellation NO INHERIT ordcancel.cancellation; ALTER TABLE t5_cancellation ALTER COLUMN '
     'cancellation_id TYPE text'),
    ('ALTER TABLE t5_cancellation NO INHERIT ordcancel.cancellation; ALTER TABLE t5_cancellation ALTER COLUMN '
     'requested_at TYPE text'),
    ('ALTER TABLE t5_cancellation NO INHERIT ordcancel.cancellation; ALTER TABLE t5_cancellation ALTER COLUMN '
     'refund_due TYPE float8'),
    ('ALTER TABLE t5_cancellation ALTER COLUMN order_id TYPE text'),
    ('ALTER TABLE t5_cancellation RENAME COLUMN order_id TO nr'),
    ('ALTER TABLE t5_cancellation_event NO INHERIT ordcancel.event; ALTER TABLE t5_cancellation_event ALTER COLUMN '
     'event_id TYPE text'),
    ('ALTER TABLE t5_cancellation_event NO INHERIT ordcancel.event; ALTER TABLE t5_cancellation_event ALTER COLUMN at '
     'TYPE text'),
    ('ALTER TABLE t5_cancellation ADD CHECK (false) NOT VALID');
SELECT make('t5');
DO $$
DECLARE
    b record;
BEGIN
    FOR b IN SELECT * FROM broken LOOP
        BEGIN
            EXECUTE b.statement;
            b.call := attempt('SELECT ordcancel.cancel_order(''t5'', 1), ordcancel.cancel_order(''t5'', 5)');
            b.update := attempt('UPDATE t5 SET status = ''canceled'' WHERE id = 6');
            RAISE EXCEPTION 'back';
        EXCEPTION WHEN raise_exception THEN
            NULL;
        END;
        UPDATE broken SET call = b.call, update = b.update WHERE n = b.n;
    END LOOP;
END
$$;
SELECT is_empty($$SELECT * FROM broken WHERE call LIKE 'XX%' OR update LIKE 'XX%' OR call IS NULL$$,
                'record tables that a superuser broke cause no internal error');
DROP TABLE t5_cancellation, t5_cancellation_event;
SELECT is(attempt('SELECT ordcancel.attach(''t5'', status => ''status'')'), 'ok',
          'attach makes record tables that were dropped');
UPDATE t5 SET status = 'ready' WHERE status = 'placed';
SELECT ordcancel.set_rule('t5', 'ready', merchant => 'cancel');
SELECT is(attempt('SELECT ordcancel.cancel_order(''t5'', 7)'), 'ok', 'and goes on');

-- One table that is broken does not keep the deadlines of others waiting.
SELECT make('t6'), make('t7'), make('t8');
SELECT ordcancel.set_policy(t, decision_timeout => '1 hour', on_timeout => 'accept'),
    ordcancel.set_rule(t, 'placed', customer => 'request') FROM unnest('{t6,t7,t8}'::regclass[]) AS t;
SET LOCAL ordcancel.clock = '2026-01-01';
SELECT ordcancel.request_cancel(t, 2) FROM unnest('{t6,t7,t8}'::regclass[]) AS t;
RESET ordcancel.clock;
ALTER TABLE t6 RENAME COLUMN status TO state;
DROP TABLE t7_cancellation;
SET LOCAL client_min_messages = error;
SELECT is(attempt('CALL ordcancel.sweep()'), 'ok', 'sweep goes on past broken tables');
SELECT is((SELECT status FROM t8 WHERE id = 2), 'canceled', 'to those that are not');
SELECT is((SELECT state FROM t6 WHERE id = 2), 'asked', 'which wait until they are mended');

SELECT * FROM finish();
ROLLBACK;
