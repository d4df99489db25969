-- health: each thing that can be wrong is a row that says what to do, and where
-- all is well there is none.
BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql

CREATE SCHEMA shop;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text, supplier text, paid numeric, note text);
INSERT INTO shop.orders SELECT i, 'placed', NULL, 0, NULL FROM generate_series(1, 20) AS i;
CREATE TABLE shop.parcel (order_id integer);
SELECT ordcancel.attach('shop.orders', 'status', policy_by => 'supplier', refund_due => 'paid');
SELECT ordcancel.set_policy('shop.orders', requested_status => 'asked', in_progress_status => 'refunding',
                            canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.orders', 'placed', customer => 'request', merchant => 'cancel');
SELECT ordcancel.attach_child('shop.parcel', 'shop.orders', key => '{order_id}');
SELECT ordcancel.request_cancel('shop.orders', 1), ordcancel.cancel_order('shop.orders', 2);
UPDATE shop.orders SET paid = 5 WHERE id = 3;
SELECT ordcancel.cancel_order('shop.orders', 3);

CREATE FUNCTION problems() RETURNS text LANGUAGE sql AS $$
SELECT string_agg(DISTINCT problem, ', ' ORDER BY problem) FROM ordcancel.health('shop.orders') $$;
-- What is said of a problem, and what is left of it once its hint was followed.
CREATE FUNCTION said(wanted text) RETURNS text LANGUAGE sql AS $$
SELECT string_agg(detail || ' | ' || hint, '; ' ORDER BY detail) FROM ordcancel.health('shop.orders')
WHERE problem = wanted $$;
SELECT is(problems(), NULL, 'all is well');
SELECT is_empty('SELECT * FROM ordcancel.health', 'in the view, too');

-- What it says, and that doing so mends it.
CREATE FUNCTION mends(harm text, problem text, detail text, cure text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE harm;
    RETURN NEXT is(problems(), problem, problem || ' by ' || left(harm, 80));
    IF detail IS NOT NULL THEN
        RETURN NEXT is(said(problem), detail, 'is explained');
    END IF;
    RETURN NEXT is((SELECT count(*) FROM ordcancel.health AS h WHERE h.orders = 'shop.orders'::regclass) > 0, true,
                   'and is in the view');
    IF cure <> '' THEN
        EXECUTE cure;
        RETURN NEXT is(problems(), NULL, 'and what it says mends it');
    END IF;
END
$$;
SELECT mends('ALTER TABLE shop.orders DISABLE TRIGGER "!ordcancel_guard_update"', 'guard_disabled',
             'Trigger "!ordcancel_guard_update" is disabled. | SELECT ordcancel.attach(''shop.orders'') creates it '
             'again.', 'SELECT ordcancel.attach(''shop.orders'')');
SELECT mends('DROP TRIGGER "!ordcancel_guard_truncate" ON shop.orders', 'guard_missing',
             'Trigger "!ordcancel_guard_truncate" is missing, or was modified. '
             '| SELECT ordcancel.attach(''shop.orders'') creates it again.',
             'SELECT ordcancel.attach(''shop.orders'')');
SELECT mends('ALTER TABLE shop.orders_cancellation_event DISABLE TRIGGER ALL', 'records_unguarded',
             'Trigger "ordcancel_guard_record" of shop.orders_cancellation_event is missing or disabled. '
             '| SELECT ordcancel.attach(''shop.orders'') creates it again.',
             'SELECT ordcancel.attach(''shop.orders'')');
SELECT mends('DROP INDEX shop.orders_cancellation_order_id_idx', 'index_missing',
             'shop.orders_cancellation has no index UNIQUE (order_id) WHERE ((state = ''requested''::text) OR '
             '((scope = ''order''::text) AND (state = ANY (ARRAY[''in_progress''::text, ''canceled''::text])))).'
             || ' | SELECT ordcancel.attach(''shop.orders'') creates it again.',
             'SELECT ordcancel.attach(''shop.orders'')');
SELECT mends('ALTER TABLE shop.orders_cancellation NO INHERIT ordcancel.cancellation', 'records_not_in_views',
             'shop.orders_cancellation no longer inherits from ordcancel.cancellation. '
             '| SELECT ordcancel.attach(''shop.orders'') creates it again.',
             'SELECT ordcancel.attach(''shop.orders'')');
SELECT max(event_id) AS highest FROM shop.orders_cancellation_event \gset
SELECT mends('SELECT setval(''ordcancel.event_id_seq'', 1)', 'sequence_behind',
             format('Sequence ordcancel.event_id_seq is at 1, but shop.orders_cancellation_event contains %s. '
                    '| SELECT ordcancel.attach(''shop.orders'') corrects it.',
                    :highest), 'SELECT ordcancel.attach(''shop.orders'')');
SELECT mends('DROP TRIGGER "!ordcancel_guard_child_insert" ON shop.parcel', 'child_unguarded',
             'Triggers of child table shop.parcel are missing or disabled. '
             '| SELECT ordcancel.attach_child(''shop.parcel'', ''shop.orders'', key => ''{order_id}'') creates them '
             'again.',
             'SELECT ordcancel.attach_child(''shop.parcel'', ''shop.orders'', key => ''{order_id}'')');
CREATE FUNCTION shop.idle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
SELECT mends('CREATE TRIGGER "!early" AFTER UPDATE ON shop.orders FOR EACH ROW EXECUTE FUNCTION shop.idle()',
             'trigger_fires_first',
             'Trigger "!early" of shop.orders fires before the guard and may update the order before its first change '
             'is checked.'
             || ' | ALTER TRIGGER "!early" ON shop.orders RENAME TO ..., with a name that sorts after '
                '"!ordcancel_guard_update".',
             'ALTER TRIGGER "!early" ON shop.orders RENAME TO late');
SELECT mends('CREATE TABLE shop.old_orders () INHERITS (shop.orders)', 'rows_without_rules',
             'Table shop.old_orders inherits from it: queries return its rows, but no rules apply to them. '
             '| ALTER TABLE shop.old_orders NO INHERIT shop.orders; use partitions instead.',
             'ALTER TABLE shop.old_orders NO INHERIT shop.orders');
SELECT mends('ALTER TRIGGER "!ordcancel_guard_insert" ON shop.orders RENAME TO zzz', 'guard_missing, guard_renamed',
             NULL, 'SELECT ordcancel.attach(''shop.orders'')');
SELECT is((SELECT count(*) FROM pg_trigger WHERE tgrelid = 'shop.orders'::regclass AND tgname = 'zzz'), 0::bigint,
          'a guard that was renamed does not stay beside the new one');
ALTER TABLE shop.orders ADD CONSTRAINT known CHECK (status IN ('placed', 'shipped', 'asked', 'refunding', 'canceled'));
SELECT is(problems(), NULL, 'a constraint that knows the words');
SELECT mends('SELECT ordcancel.set_policy(''shop.orders'', customer_canceled_status => ''left'')', 'status_refused',
             'Constraint "known" does not allow status "left", which a policy uses. '
             '| Change the constraint to allow it, or call ordcancel.set_policy(''shop.orders'', ...) with another '
             'status.',
             'SELECT ordcancel.set_policy(''shop.orders'', unset => ''{customer_canceled_status}'')');
ALTER TABLE shop.orders DROP CONSTRAINT known;
ALTER TABLE shop.orders ADD at timestamptz;
SELECT ordcancel.attach('shop.orders', placed_at => 'at');
SELECT mends('ALTER TABLE shop.orders ALTER at TYPE text', 'column_unusable',
             'Column "at", attached as placed_at, is of type text now. '
             '| It must be a timestamp, with or without time zone, or a date.',
             'SELECT ordcancel.attach(''shop.orders'', unset => ''{placed_at}'')');
SELECT mends('ALTER TABLE shop.parcel RENAME order_id TO of_order', 'child_unusable',
             'Child table shop.parcel no longer has column "order_id". '
             '| SELECT ordcancel.attach_child(''shop.parcel'', ''shop.orders'', key => ...) with its new name.',
             'SELECT ordcancel.attach_child(''shop.parcel'', ''shop.orders'', key => ''{of_order}'')');
ALTER TABLE shop.parcel ADD state text, ADD box integer;
CREATE TABLE shop.box (id integer, order_id integer);
SELECT ordcancel.attach_child('shop.parcel', 'shop.orders', '{of_order}', '{canceled}', 'state = ''sent''',
                              name => 'sent');
SELECT mends('ALTER TABLE shop.parcel RENAME state TO sent', 'child_expression_fails',
             'refuse_when of guard "sent" of shop.parcel is not valid: expression over shop.parcel cannot be used: '
             'state = ''sent''. | SELECT ordcancel.attach_child(''shop.parcel'', ''shop.orders'', key => '
             '''{of_order}'', refuse_while => ''{canceled}'', refuse_when => ..., name => ''sent'');',
             'SELECT ordcancel.attach_child(''shop.parcel'', ''shop.orders'', ''{of_order}'', ''{canceled}'', '
             '''sent = ''''sent'''''', name => ''sent'')');
SELECT mends('DROP TRIGGER "!ordcancel_guard_child_update" ON shop.parcel', 'child_unguarded', NULL,
             'SELECT ordcancel.attach_child(''shop.parcel'', ''shop.orders'', key => ''{of_order}'')');
SELECT ordcancel.attach_child('shop.parcel', 'shop.orders', name => 'box',
                              key_expression => '(SELECT b.order_id FROM shop.box AS b WHERE b.id = parcel.box)');
SELECT mends('DROP TABLE shop.box', 'child_expression_fails',
             'key_expression of guard "box" of shop.parcel is not valid: expression over shop.parcel cannot be used: '
             '(SELECT b.order_id FROM shop.box AS b WHERE b.id = parcel.box). | SELECT ordcancel.attach_child('
             '''shop.parcel'', ''shop.orders'', key_expression => ..., name => ''box'');',
             'SELECT ordcancel.detach_child(''shop.parcel'', ''box''), '
              'ordcancel.detach_child(''shop.parcel'', ''sent'')');
SELECT mends('SELECT ordcancel.set_policy(''shop.orders'', unset => ''{canceled_status}'')',
             'policy_lets_nobody_cancel',
             'Policy "default" has no canceled_status. | SELECT ordcancel.set_policy(''shop.orders'', '
             'policy => ''default'', canceled_status => ...);',
             'SELECT ordcancel.set_policy(''shop.orders'', canceled_status => ''canceled'')');
SELECT mends('SELECT ordcancel.set_policy(''shop.orders'', policy => ''s'', canceled_status => ''canceled'', '
             'copy_of => NULL)', 'policy_without_rules',
             'No rule of policy "s" allows anybody to cancel or to request it. '
             '| SELECT ordcancel.set_rule(''shop.orders'', policy => ''s'', ...);',
             'SELECT ordcancel.drop_policy(''shop.orders'', ''s'')');
SELECT mends('UPDATE shop.orders SET status = ''shipped'' WHERE id > 15', 'status_problem',
             'Policy "default", status "shipped", orders now: 5. Nobody can cancel: no rule. '
             '| SELECT ordcancel.set_rule(''shop.orders'', ''shipped'', policy => ''default'', ...);'
             || ' without more arguments it states that nobody may cancel in that status.',
             'SELECT ordcancel.set_rule(''shop.orders'', ''shipped'', hint => ''Process it as a return.'')');
CREATE FUNCTION shop.odd(integer) RETURNS boolean LANGUAGE sql AS 'SELECT false';
SELECT ordcancel.add_block('shop.orders', 'odd', 'shop.odd(id)', 'Ask.', 'customer');
SELECT mends('DROP FUNCTION shop.odd', 'block_fails',
             'Block "odd" is not valid: expression over shop.orders cannot be used: shop.odd(id). '
             '| SELECT ordcancel.add_block(''shop.orders'', ''odd'', ..., hint => ''Ask.'', party => ''customer'');',
             'SELECT ordcancel.drop_block(''shop.orders'', ''odd'')');
SELECT mends('ALTER TABLE shop.orders RENAME paid TO payed', 'refund_due_fails',
             'refund_due is not valid: expression over shop.orders cannot be used: paid. '
             '| SELECT ordcancel.attach(''shop.orders'', refund_due => ...);',
             'SELECT ordcancel.attach(''shop.orders'', refund_due => ''payed'')');
SELECT mends('ALTER TABLE shop.orders RENAME status TO state', 'column_missing',
             'Column "status", attached as status, was renamed or dropped. '
             '| SELECT ordcancel.attach(''shop.orders'', status => ...) with its new name.',
             'SELECT ordcancel.attach(''shop.orders'', status => ''state'')');
SELECT mends('ALTER TABLE shop.orders DROP CONSTRAINT orders_pkey', 'primary_key_changed',
             'It is now (none); it was (id). | Restore it; if its columns were only renamed, call ordcancel.attach() '
             'again.',
             'ALTER TABLE shop.orders ADD PRIMARY KEY (id)');
REVOKE ALL ON shop.orders_cancellation FROM PUBLIC;

-- Orders and records.
ALTER TABLE shop.orders DISABLE TRIGGER USER;
SELECT mends('UPDATE shop.orders SET state = ''placed'' WHERE id = 2; ALTER TABLE shop.orders ENABLE TRIGGER USER',
             'order_and_record_differ',
             'Orders with status "placed" whose cancellation is canceled: 1, for example order 2.'
             || ' | Their status was written while the triggers were disabled; ordcancel.undo_cancel() ends the '
                'cancellation.', 'SELECT ordcancel.undo_cancel(''shop.orders'', 2)');
ALTER TABLE shop.orders DISABLE TRIGGER USER;
SELECT mends('UPDATE shop.orders SET state = ''asked'' WHERE id = 7; ALTER TABLE shop.orders ENABLE TRIGGER USER',
             'order_without_record',
             'Orders with status "asked" that have no cancellation: 1, for example order 7.'
             || ' | Their status was written while the triggers were disabled, or before attach(); set the correct '
                'status with an UPDATE.',
             'UPDATE shop.orders SET state = ''placed'' WHERE id = 7');
ALTER TABLE shop.orders DISABLE TRIGGER USER;
SELECT mends('DELETE FROM shop.orders WHERE id = 1; ALTER TABLE shop.orders ENABLE TRIGGER USER', 'order_gone',
             'Open cancellations of orders that no longer exist: 1 requested, for example that of order 1. '
             '| CALL ordcancel.sweep() denies their requests after the deadline.', '');
ALTER TABLE shop.orders DISABLE TRIGGER USER;
INSERT INTO shop.orders VALUES (1, 'asked');
ALTER TABLE shop.orders ENABLE TRIGGER USER;
SELECT is(problems(), NULL, 'all is well again');

SELECT mends('SELECT ordcancel.set_policy(''shop.orders'', grace => ''1 hour'')', 'window_never_closes',
             'Policy "default" has a grace, but attach() was called without placed_at. '
             '| SELECT ordcancel.attach(''shop.orders'', placed_at => ...);',
             'SELECT ordcancel.set_policy(''shop.orders'', unset => ''{grace}'')');
UPDATE shop.orders SET supplier = 'acme' WHERE id = 10;
SELECT mends('SELECT ordcancel.set_policy(''shop.orders'', policy => ''amce'')', 'policy_without_orders',
             'Policy "amce" applies to no order, but orders have "acme". '
             '| Is it misspelled? SELECT ordcancel.set_policy(''shop.orders'', policy => ''acme'', '
             'copy_of => ''amce''); and drop the other one.',
             'SELECT ordcancel.set_policy(''shop.orders'', policy => ''acme'', copy_of => ''amce''), '
             'ordcancel.drop_policy(''shop.orders'', ''amce'')');

-- Overdue requests, and such that nothing decides.
SELECT ordcancel.set_policy('shop.orders', decision_timeout => '1 day', on_timeout => 'accept');
SET LOCAL ordcancel.clock = '2026-03-02 10:00+00';
SELECT ordcancel.request_cancel('shop.orders', 8), ordcancel.request_cancel('shop.orders', 9);
SELECT is(problems(), NULL, 'a request that waits is none');
SET LOCAL ordcancel.clock = '2026-03-03 10:00:01+00';
SET LOCAL timezone = 'UTC';
SELECT is(said('requests_overdue'),
          'Overdue requests: 2, the first since 2026-03-03 10:00:00+00; for example that of order 8.'
          || ' | CALL ordcancel.sweep() decides them; run it every minute with pg_cron.',
          'one that should have been decided is');
SELECT ordcancel.add_block('shop.orders', 'note', 'note IS NOT NULL');
UPDATE shop.orders SET note = 'keep' WHERE id = 8;
SELECT is(said('requests_blocked'),
          'Overdue requests that cannot be accepted because of a block: 1, for example that of order 8.'
          || ' | Resolve the block, or deny them with ordcancel.deny_cancel().', 'one that is blocked is another');
SELECT is(problems(), 'requests_blocked, requests_overdue', 'both');
RESET ordcancel.clock;
SELECT ordcancel.deny_cancel('shop.orders', 8, 'no'), ordcancel.deny_cancel('shop.orders', 9, 'no');
SELECT is(problems(), NULL, 'all is well again');

-- Partitions.
CREATE TABLE shop.parts (id integer PRIMARY KEY, status text) PARTITION BY RANGE (id);
CREATE TABLE shop.part1 PARTITION OF shop.parts FOR VALUES FROM (0) TO (10);
SELECT ordcancel.attach('shop.parts', 'status'), ordcancel.set_policy('shop.parts', canceled_status => 'canceled'),
       ordcancel.set_rule('shop.parts', 'placed', merchant => 'cancel');
SELECT is_empty($$SELECT * FROM ordcancel.health('shop.parts')$$, 'a partitioned table is well');
CREATE TABLE shop.part2 PARTITION OF shop.parts FOR VALUES FROM (10) TO (20);
SELECT results_eq($$SELECT problem || ': ' || detail || ' | ' || hint FROM ordcancel.health('shop.parts')$$,
    ARRAY['partition_unguarded: Partition shop.part2 is not guarded against TRUNCATE. '
          '| SELECT ordcancel.guard_partitions(''shop.parts'');'], 'a new partition');
SELECT ordcancel.guard_partitions('shop.parts');
ALTER TABLE shop.part2 DISABLE TRIGGER "!ordcancel_guard_insert";
SELECT ordcancel.attach('shop.parts');
SELECT is_empty($$SELECT * FROM ordcancel.health('shop.parts')$$, 'attach enables a guard of a partition');
ALTER TABLE shop.part2 DISABLE TRIGGER "!ordcancel_guard_update";
SELECT results_eq($$SELECT problem || ': ' || detail || ' | ' || hint FROM ordcancel.health('shop.parts')$$,
    ARRAY['guard_disabled: Trigger "!ordcancel_guard_update" of partition shop.part2 is disabled. '
          '| ALTER TABLE shop.part2 ENABLE TRIGGER "!ordcancel_guard_update";'], 'a guard of a partition');

-- What is not of one table.
ALTER TABLE ordcancel.rule ENABLE TRIGGER config_changed;
ALTER EVENT TRIGGER ordcancel_forget_dropped DISABLE;
CREATE TABLE shop.brief (id integer PRIMARY KEY, status text);
SELECT ordcancel.attach('shop.brief', 'status');
SELECT 'shop.brief'::regclass::oid AS brief \gset
DROP TABLE shop.brief;
SELECT results_eq($$SELECT problem || ': ' || detail || ' | ' || hint FROM ordcancel.health
                  WHERE orders IS NULL ORDER BY 1$$, ARRAY[
    'configuration_unguarded: Trigger "config_changed" of ordcancel.rule does not fire in replica mode. '
    '| ALTER TABLE ordcancel.rule ENABLE ALWAYS TRIGGER config_changed;',
    'event_trigger_disabled: Event trigger "ordcancel_forget_dropped" does not fire when tables are dropped. '
    '| ALTER EVENT TRIGGER ordcancel_forget_dropped ENABLE;',
    format('table_dropped: A dropped order table, OID %s, is still registered. '
           '| SELECT ordcancel.detach(%s), as a superuser.', :brief, :brief)], 'what is not of one table');
SELECT ordcancel.detach(:brief);
ALTER EVENT TRIGGER ordcancel_forget_dropped ENABLE;
ALTER TABLE ordcancel.rule ENABLE ALWAYS TRIGGER config_changed;
SELECT is((SELECT count(*) FROM ordcancel.health WHERE orders IS NULL), 0::bigint, 'and what it says mends it');

-- Tables in the place of others.
CREATE TABLE shop.swapped (id integer PRIMARY KEY, status text);
SELECT ordcancel.attach('shop.swapped', 'status'), ordcancel.set_policy('shop.swapped', canceled_status => 'canceled'),
       ordcancel.set_rule('shop.swapped', 'placed', merchant => 'cancel');
INSERT INTO shop.swapped VALUES (1, 'placed');
UPDATE shop.swapped SET status = 'canceled';
CREATE TABLE shop.swapped_new (id integer PRIMARY KEY, status text);
ALTER TABLE shop.swapped RENAME TO swapped_old;
ALTER TABLE shop.swapped_new RENAME TO swapped;
SELECT results_eq($$SELECT problem || ': ' || detail || ' | ' || hint FROM ordcancel.health WHERE orders IS NULL$$,
                  ARRAY[
    'table_not_attached: Table shop.swapped is not attached, but shop.swapped_cancellation contains records of an '
    'order table of that name.'
    || ' | SELECT ordcancel.attach(''shop.swapped'', ...); or ordcancel.replace_table(), if the former order table '
       'still exists.'], 'a table in the place of another');
INSERT INTO shop.swapped VALUES (1, 'canceled');
SELECT ordcancel.replace_table('shop.swapped_old', 'shop.swapped');
SELECT is_empty('SELECT * FROM ordcancel.health WHERE orders IS NULL', 'that takes its place');
DROP TABLE shop.swapped;
SELECT is_empty('SELECT * FROM ordcancel.health WHERE orders IS NULL', 'a table that is gone is none');
CREATE TABLE shop.swapped (id integer PRIMARY KEY, status text);
SELECT results_eq($$SELECT problem FROM ordcancel.health WHERE orders IS NULL$$, ARRAY['table_not_attached'],
                  'but one that was made anew');
SELECT ordcancel.attach('shop.swapped', 'status');
SELECT is_empty('SELECT * FROM ordcancel.health WHERE orders IS NULL', 'until it is attached');
SELECT ordcancel.detach('shop.swapped');
DROP TABLE shop.swapped;

-- What it says can be pasted, whatever a table is called.
CREATE TABLE shop."o'); x" (id integer PRIMARY KEY, status text);
SELECT ordcancel.attach('shop."o''); x"', 'status');
INSERT INTO shop."o'); x" VALUES (1, 'placed');
ALTER TABLE shop."o'); x" RENAME TO gone;
CREATE TABLE shop."o'); x" (id integer PRIMARY KEY, status text);
SELECT alike((SELECT hint FROM ordcancel.health WHERE problem = 'table_not_attached'),
             $$SELECT ordcancel.attach('shop."o''); x"', ...);%$$, 'a quote in a name stays in the literal');
SELECT ordcancel.detach('shop.gone');
DROP TABLE shop.gone, shop."o'); x";

-- Keys and statuses of other types.
CREATE DOMAIN shop.code AS varchar(10) CHECK (VALUE <> 'no');
CREATE TYPE shop.state AS ENUM ('placed', 'canceled');
CREATE TABLE shop.keyed (a shop.code, b uuid, c timestamptz, status shop.state, PRIMARY KEY (a, c, b));
INSERT INTO shop.keyed VALUES ('x', gen_random_uuid(), now(), 'placed');
SELECT ordcancel.attach('shop.keyed', 'status'), ordcancel.set_policy('shop.keyed', canceled_status => 'canceled'),
       ordcancel.set_rule('shop.keyed', 'placed', merchant => 'cancel');
UPDATE shop.keyed SET status = 'canceled';
SELECT is_empty($$SELECT * FROM ordcancel.health('shop.keyed')$$, 'a key of three columns');
ALTER TABLE shop.keyed DISABLE TRIGGER USER;
UPDATE shop.keyed SET status = 'placed';
ALTER TABLE shop.keyed ENABLE TRIGGER USER;
SELECT results_eq($$SELECT problem FROM ordcancel.health('shop.keyed')$$, ARRAY['order_and_record_differ'],
                  'is joined by');

-- What cannot be looked at keeps nothing else from being told.
CREATE ROLE health_owner;
CREATE TABLE shop.hidden (id integer PRIMARY KEY, status text);
SELECT ordcancel.attach('shop.hidden', 'status'), ordcancel.set_policy('shop.hidden', canceled_status => 'canceled'),
       ordcancel.set_rule('shop.hidden', 'placed', merchant => 'cancel');
ALTER TABLE shop.hidden OWNER TO health_owner;
REVOKE ALL ON shop.hidden FROM health_owner;
ALTER TABLE shop.orders DISABLE TRIGGER "!ordcancel_guard_update";
SELECT results_eq('SELECT DISTINCT orders::text, problem FROM ordcancel.health WHERE orders::text IN (''shop.orders'', '
                  '''shop.hidden'') ORDER BY 1, 2', $$
    VALUES ('shop.hidden', 'cannot_be_checked'), ('shop.hidden', 'records_unreadable'),
           ('shop.orders', 'guard_disabled')$$, 'a table that its owner cannot read');
SELECT is(attempt('SELECT ordcancel.set_rule(''shop.hidden'', ''x'', merchant => ''cancel'')'), 'ok',
          'its rules can be set');
SELECT is(attempt('SELECT ordcancel.attach(''shop.hidden'')'), 'ok', 'and it can be attached');
ALTER TABLE shop.orders ENABLE TRIGGER "!ordcancel_guard_update";
ALTER TABLE shop.hidden OWNER TO CURRENT_USER;
SELECT ordcancel.detach('shop.hidden');
DROP TABLE shop.hidden;

-- An owner's function that fails in a way that no handler catches.
CREATE TABLE shop.nasty (id integer PRIMARY KEY, status text, gone boolean);
INSERT INTO shop.nasty VALUES (1, 'placed', false);
CREATE FUNCTION shop.stop(boolean) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('shop.stop', true) = 'assert' THEN ASSERT false, 'never'; END IF;
    IF current_setting('shop.stop', true) = 'cancel' THEN
        RAISE 'canceling statement due to user request' USING ERRCODE = '57014';
    END IF;
    IF current_setting('shop.stop', true) = 'wait' THEN PERFORM pg_sleep(600); END IF;
    RETURN $1;
END $$;
SELECT ordcancel.attach('shop.nasty', 'status', deleted_when => 'shop.stop(gone)');
SELECT ordcancel.set_policy('shop.nasty', canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.nasty', 'placed', merchant => 'cancel');
SELECT is_empty($$SELECT * FROM ordcancel.health WHERE orders = 'shop.nasty'::regclass$$, 'a function of the owner');
SET LOCAL shop.stop = 'cancel';
SELECT is(detail, 'Checking its rules failed: canceling statement due to user request.', 'which fails')
FROM ordcancel.health WHERE orders = 'shop.nasty'::regclass AND detail ~ 'rules';
SET LOCAL shop.stop = 'assert';
SELECT is(detail, 'Checking its rules failed: never.', 'or asserts')
FROM ordcancel.health WHERE orders = 'shop.nasty'::regclass AND detail ~ 'rules';
SET LOCAL shop.stop = 'wait';
SET LOCAL statement_timeout = '100ms';
CREATE FUNCTION canceled_health() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM * FROM ordcancel.health;
    RETURN 'not canceled';
EXCEPTION WHEN query_canceled THEN
    RETURN SQLERRM;
END $$;
SELECT is(canceled_health(), 'canceling statement due to statement timeout', 'a query that is canceled ends');
SET LOCAL statement_timeout = 0;
SET LOCAL shop.stop = '';
DROP TABLE shop.nasty;

-- Who may read.
CREATE ROLE health_reader;
GRANT USAGE ON SCHEMA shop TO health_reader;
SET LOCAL ROLE health_reader;
SELECT is(attempt('SELECT * FROM ordcancel.health'), '42501', 'the view wants EXECUTE on the function');
RESET ROLE;
GRANT EXECUTE ON FUNCTION ordcancel.health(regclass) TO health_reader;
SET LOCAL ROLE health_reader;
SELECT is(attempt('SELECT * FROM ordcancel.health'), 'ok', 'and then shows');
SELECT results_eq('SELECT problem || detail FROM ordcancel.health',
                  ARRAY['tables_not_shownAttached tables that you may not read, or that row-level security '
                        'hides from you: 3.'], 'nothing of tables that one may not read, but how many there are');
SELECT is(attempt('SELECT * FROM ordcancel.health(''shop.keyed'')'), '42501', 'nor does the function');
RESET ROLE;
GRANT SELECT ON shop.keyed TO health_reader;
SET LOCAL ROLE health_reader;
SELECT results_eq($$SELECT problem FROM ordcancel.health WHERE orders IS NOT NULL$$, ARRAY['order_and_record_differ'],
                  'of one that one may read, all');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
