-- The key or the status of an attached table gets another type: in one
-- transaction, by its owner, and records and rules are kept.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
SELECT plan(40);

CREATE ROLE migration_owner;
CREATE SCHEMA shop AUTHORIZATION migration_owner;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA ordcancel TO migration_owner;
CREATE TYPE shop.state AS ENUM ('placed', 'asked', 'canceled');
GRANT ALL ON TYPE shop.state TO migration_owner;

CREATE FUNCTION make(name text, columns text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TABLE shop.%I (%s, status text NOT NULL DEFAULT ''placed'', seller text)', name, columns);
    EXECUTE format('ALTER TABLE shop.%I OWNER TO migration_owner', name);
    EXECUTE format('SET LOCAL ROLE migration_owner');
    PERFORM ordcancel.attach(('shop.' || name)::regclass, 'status', policy_by => 'seller');
    PERFORM ordcancel.set_policy(('shop.' || name)::regclass, canceled_status => 'canceled',
                                 requested_status => 'asked');
    PERFORM ordcancel.set_rule(('shop.' || name)::regclass, 'placed', customer => 'request', merchant => 'cancel');
    RESET ROLE;
END
$$;
CREATE FUNCTION outcome(verb text, orders text, key text, arguments text DEFAULT '') RETURNS text
    LANGUAGE sql
    AS $$ SELECT outcome_of(format('%s(%L, %s%s)', verb, orders, key, arguments),
                            'concat_ws('' '', state, changed, order_status)', 'sqlstate') $$;
CREATE FUNCTION types(orders text) RETURNS text LANGUAGE sql AS $$
SELECT string_agg(DISTINCT format_type(atttypid, atttypmod), ', ') FROM pg_attribute
WHERE attrelid IN ((orders || '_cancellation')::regclass, (orders || '_cancellation_event')::regclass) AND attnum > 0
    AND attname IN ('order_id', 'no')
$$;
-- What doc/operations.md says, as the owner: the guard that holds the columns
-- goes, the type changes, attach is called as before.
CREATE FUNCTION alter_type(orders text, alteration text) RETURNS text LANGUAGE sql AS $$
SELECT attempt_as('migration_owner', format('DROP TRIGGER "!ordcancel_guard_delete" ON %1$s; ALTER TABLE %1$s %2$s; '
                                            'SELECT ordcancel.attach(%1$L, ''status'', policy_by => ''seller'')',
                                            orders, alteration))
$$;

-- ----------------------------------------------------------------- of the key

SELECT make('orders', 'id integer PRIMARY KEY');
INSERT INTO shop.orders SELECT generate_series(1, 20);
SELECT ordcancel.add_block('shop.orders', 'tenth', 'id = 10 AND status = ''placed''');
SELECT outcome('cancel_order', 'shop.orders', '1'),
       outcome('request_cancel', 'shop.orders', '2', ', request_key => ''k''');
SELECT is(attempt_as('migration_owner', 'ALTER TABLE shop.orders ALTER id TYPE bigint'), '0A000',
          'the guard refuses another type of the key');
SELECT is(alter_type('shop.orders', 'ALTER id TYPE bigint'), 'ok', 'integer becomes bigint');
SELECT is(types('shop.orders'), 'bigint', 'in the records too');
SELECT is(outcome('cancel_order', 'shop.orders', '1'), 'canceled f canceled', 'what was canceled is so');
SELECT is(outcome('request_cancel', 'shop.orders', '2', ', request_key => ''k'''), 'requested f asked',
          'a request key is known');
SELECT is(outcome('accept_cancel', 'shop.orders', '2'), 'canceled t canceled', 'an open request is open');
SELECT is(outcome('undo_cancel', 'shop.orders', '1'), 'undone t placed', 'a cancellation is undone');
INSERT INTO shop.orders VALUES (3000000000);
SELECT is(outcome('cancel_order', 'shop.orders', '3000000000'), 'canceled t canceled',
          'keys of the new type are recorded');
SELECT is(attempt('SELECT ordcancel.cancel_order(''shop.orders'', 10)'), 'OC005', 'a block holds');
SELECT is((SELECT string_agg(tgname, ' ' ORDER BY tgname) FROM pg_trigger WHERE tgrelid = 'shop.orders'::regclass
             AND NOT tgisinternal),
          '!ordcancel_guard_delete !ordcancel_guard_insert !ordcancel_guard_truncate !ordcancel_guard_update',
          'all guards are there');
SELECT ordcancel.drop_block('shop.orders', 'tenth');
SELECT is(alter_type('shop.orders', 'ALTER id TYPE text'), 'ok', 'bigint becomes text');
SELECT is(outcome('cancel_order', 'shop.orders', '''3000000000'''), 'canceled f canceled', 'what was canceled is so');
SELECT is(alter_type('shop.orders', 'ALTER id TYPE varchar(40)'), 'ok', 'text becomes varchar(40)');
SELECT is(types('shop.orders'), 'character varying(40)', 'in the records too');
SELECT is(outcome('cancel_order', 'shop.orders', '''5'''), 'canceled t canceled', 'and goes on');

SELECT make('several', 'region text, no integer, PRIMARY KEY (no, region)');
INSERT INTO shop.several SELECT 'eu', generate_series(1, 5);
SELECT outcome('cancel_order', 'shop.several', 'ROW(1, ''eu'')');
SELECT is(alter_type('shop.several', 'ALTER no TYPE numeric(12,0)'), 'ok', 'one column of several');
SELECT is(outcome('cancel_order', 'shop.several', 'ROW(1, ''eu'')'), 'canceled f canceled', 'what was canceled is so');
SELECT is(outcome('cancel_order', 'shop.several', 'ROW(2, ''eu'')'), 'canceled t canceled', 'and goes on');

-- What PostgreSQL does not cast by itself, and types whose code is the owner's:
-- then the owner of the extension alters the record tables.
CREATE DOMAIN shop.code AS uuid;
GRANT ALL ON TYPE shop.code TO migration_owner;
SELECT make('codes', 'id text PRIMARY KEY');
INSERT INTO shop.codes SELECT md5(n::text)::uuid::text FROM generate_series(1, 9) AS n;
SELECT outcome('cancel_order', 'shop.codes', 'md5(''1'')::uuid::text');
SELECT is(alter_type('shop.codes', 'ALTER id TYPE uuid USING id::uuid'), 'OC014',
          'text becomes uuid: attach refuses, and all of it is undone');
SELECT is(outcome('cancel_order', 'shop.codes', 'md5(''1'')::uuid::text'), 'canceled f canceled', 'it is as it was');
SELECT is(alter_type('shop.codes', 'ALTER id TYPE shop.code USING id::uuid'), 'OC014', 'so it is with a domain');
DROP TRIGGER "!ordcancel_guard_delete" ON shop.codes;
ALTER TABLE shop.codes ALTER id TYPE shop.code USING id::uuid;
ALTER TABLE shop.codes_cancellation ALTER order_id TYPE shop.code USING order_id::uuid;
ALTER TABLE shop.codes_cancellation_event ALTER order_id TYPE shop.code USING order_id::uuid;
SELECT is(attempt_as('migration_owner', 'SELECT ordcancel.attach(''shop.codes'', ''status'', policy_by => ''seller'')'),
          'ok', 'once they are altered it attaches');
SELECT is(outcome('cancel_order', 'shop.codes', 'md5(''1'')::uuid'), 'canceled f canceled', 'what was canceled is so');
SELECT is(outcome('cancel_order', 'shop.codes', 'md5(''2'')::uuid'), 'canceled t canceled', 'and goes on');

-- -------------------------------------------------------------- of the status

SELECT make('statuses', 'id integer PRIMARY KEY');
INSERT INTO shop.statuses SELECT generate_series(1, 20);
SELECT ordcancel.add_block('shop.statuses', 'tenth', 'id = 10 AND status = ''placed''');
SELECT outcome('cancel_order', 'shop.statuses', '1'), outcome('request_cancel', 'shop.statuses', '2');
SELECT is(alter_type('shop.statuses', 'ALTER status TYPE varchar(20)'), 'ok', 'text becomes varchar');
SELECT is(outcome('cancel_order', 'shop.statuses', '3'), 'canceled t canceled', 'and goes on');
SELECT is(attempt('SELECT ordcancel.cancel_order(''shop.statuses'', 10)'), 'OC005', 'a block holds');
SELECT is(alter_type('shop.statuses',
                     'ALTER status DROP DEFAULT, ALTER status TYPE shop.state USING status::shop.state'), 'ok',
          'varchar becomes an enum');
SELECT is(attempt('SELECT ordcancel.cancel_order(''shop.statuses'', 10)'), 'OC014',
          'a block that compares the status is to be told again');
SELECT is(attempt('UPDATE shop.statuses SET status = ''canceled'' WHERE id = 10'), 'OC014', 'to plain updates too');
SELECT is(attempt('SELECT ordcancel.add_block(''shop.statuses'', ''tenth'', ''id = 10 AND status = ''''placed'''''')'),
          'ok', 'it is told');
SELECT is(attempt('SELECT ordcancel.cancel_order(''shop.statuses'', 10)'), 'OC005', 'and holds');
SELECT is(outcome('cancel_order', 'shop.statuses', '1'), 'canceled f canceled', 'what was canceled is so');
SELECT is(outcome('accept_cancel', 'shop.statuses', '2'), 'canceled t canceled', 'an open request is open');
SELECT is(outcome('undo_cancel', 'shop.statuses', '1'), 'undone t placed', 'a cancellation is undone');
SELECT is(outcome('cancel_order', 'shop.statuses', '4'), 'canceled t canceled', 'and goes on');
SELECT is(attempt('UPDATE shop.statuses SET status = ''placed'' WHERE id = 4'), '23514 order_is_canceled',
          'the guards hold');
SELECT is((SELECT count(*) FROM ordcancel.rule WHERE orders = 'shop.statuses'::regclass), 1::bigint,
          'rules were kept all along');

-- Left half done it lets nothing pass.
DROP TRIGGER "!ordcancel_guard_delete" ON shop.orders;
ALTER TABLE shop.orders ALTER id TYPE bigint USING id::bigint;
SELECT matches(attempt('SELECT ordcancel.cancel_order(''shop.orders'', 7)'), '^OC014',
               'a key whose records have another type: a clear error');
SELECT is(attempt('UPDATE shop.orders SET status = ''canceled'' WHERE id = 8'), 'OC014', 'and nothing passes');
SELECT finish();
ROLLBACK;
