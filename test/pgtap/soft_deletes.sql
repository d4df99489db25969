-- Orders that are deleted because attach(deleted_when => ...) is true.
BEGIN;
\ir include/helpers.sql
\ir include/items.sql
SELECT plan(114);
SET LOCAL timezone = 'UTC';
SET LOCAL ordcancel.clock = '2026-05-05 12:00+00';

CREATE SCHEMA shop;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text, due numeric, deleted_at timestamptz, note text);
CREATE TABLE shop.shipments (id serial PRIMARY KEY, order_id integer);
SELECT ordcancel.attach('shop.orders', 'status', refund_due => 'due');
SELECT ordcancel.set_policy('shop.orders', requested_status => 'asked', in_progress_status => 'refunding',
                            canceled_status => 'canceled', decision_timeout => '2 days', on_timeout => 'accept');
SELECT ordcancel.set_rule('shop.orders', 'draft', customer => 'cancel', merchant => 'cancel', deletable => true);
SELECT ordcancel.set_rule('shop.orders', 'placed', customer => 'request', merchant => 'cancel');
SELECT ordcancel.attach_child('shop.shipments', 'shop.orders', '{order_id}');

CREATE FUNCTION shop.delete(id integer, more text DEFAULT '') RETURNS text
    LANGUAGE sql AS $$ SELECT attempt(format('UPDATE shop.orders SET deleted_at = now()%s WHERE id = %s', more, id)) $$;
CREATE FUNCTION shop.restore(id integer, more text DEFAULT '') RETURNS text
    LANGUAGE sql AS $$ SELECT attempt(format('UPDATE shop.orders SET deleted_at = NULL%s WHERE id = %s', more, id)) $$;

-- ------------------------------------------------------- attach
SELECT is(error_of($$SELECT ordcancel.attach('shop.orders', deleted_when => 'orders IS NULL')$$),
          'OC014 | deleted_when of shop.orders cannot use the whole row |'
          ' The columns that it depends on must be known. | Pass these columns instead.', 'not the whole row');
SELECT is(attempt(format('SELECT ordcancel.attach(''shop.orders'', deleted_when => %L)', w)), 'OC014', 'not ' || w)
FROM unnest(ARRAY['removed_at IS NOT NULL', 'deleted_at', 'deleted_at IS NOT NULL; DROP TABLE x', 'note)OR(true',
                  'xmin IS NULL', 'count(*) > 0']) AS w;
SELECT alike(ordcancel.attach('shop.orders', deleted_when => 'deleted_at IS NOT NULL -- really'),
             '%deleted_when: none -> deleted_at IS NOT NULL -- really%', 'a condition over columns');
SELECT alike(pg_get_triggerdef(oid), '%old.deleted_at IS NULL%', 'the guard knows the column')
FROM pg_trigger WHERE tgrelid = 'shop.orders'::regclass AND tgname = '!ordcancel_guard_delete';
SELECT is(attempt('ALTER TABLE shop.orders DROP COLUMN deleted_at'), '2BP01', 'the column cannot be dropped');
SELECT alike(ordcancel.export_setup('shop.orders'), '%deleted_when => ''deleted_at IS NOT NULL -- really''%',
             'exported');
SELECT is((SELECT string_agg(problem, ', ') FROM ordcancel.health WHERE problem ~ 'guard|deleted'), NULL, 'healthy');

-- ------------------------------------------------------- judged as a DELETE
INSERT INTO shop.orders SELECT n, CASE WHEN n <= 5 THEN 'draft' ELSE 'placed' END, 0 FROM generate_series(1, 16) AS n;
SELECT is(shop.delete(1), 'ok', 'an order whose rule is deletable is deleted');
SELECT is(shop.delete(6), '23514 cancellation_forbidden', 'another one is not');
SELECT is(error_of('UPDATE shop.orders SET deleted_at = now() WHERE id = 6'),
          '23514 | order 6 of shop.orders cannot be deleted in status "placed" |'
          ' The rule of policy "default" for status "placed" does not allow deleting it. |'
          ' Orders can be deleted only in a status whose rule has deletable => true.', 'with the message of a DELETE');
SELECT is(attempt('DELETE FROM shop.orders WHERE id = 6'), '23514 cancellation_forbidden', 'and nor by DELETE');
SELECT is(attempt('UPDATE shop.orders SET note = ''x'' WHERE id = 6'), 'ok', 'other columns are free');
SELECT is(outcome_of($$request_cancel('shop.orders', 7)$$), 'requested asked', 'a request');
SELECT ordcancel.set_rule('shop.orders', 'asked', deletable => true);
SELECT is(shop.delete(7), '23514 cancellation_forbidden', 'with an open request an order is not deleted');
SELECT is(error_of('UPDATE shop.orders SET deleted_at = now() WHERE id = 7', 'detail'),
          'The order has an open cancellation.', 'as it says');

-- ------------------------------------------------------- not found
SELECT is(outcome_of(format(f, 1)), 'OC002', format(f, 1))
FROM unnest(ARRAY['request_cancel(''shop.orders'', %s)', 'cancel_order(''shop.orders'', %s)',
                  'override_cancel(''shop.orders'', %s, note => ''n'')', 'accept_cancel(''shop.orders'', %s)',
                  'deny_cancel(''shop.orders'', %s, ''n'')', 'withdraw_cancel(''shop.orders'', %s)',
                  'record_refund(''shop.orders'', %s, 1, ''card'')', 'undo_cancel(''shop.orders'', %s)']) AS f;
SELECT is(replace(error_of($$SELECT ordcancel.cancel_order('shop.orders', 1)$$), ' 1 ', ' 999 '),
          error_of($$SELECT ordcancel.cancel_order('shop.orders', 999)$$), 'as an order that does not exist');
SELECT is(attempt($$SELECT * FROM ordcancel.cancel_options('shop.orders', 1)$$), 'OC002', 'cancel_options');
SELECT is((SELECT string_agg(concat_ws(' ', order_id, outcome, sqlstate), ', ' ORDER BY order_id)
           FROM ordcancel.cancel_orders('shop.orders', '{1,2}')), '1 refused OC002, 2 canceled', 'cancel_orders');
SELECT is(attempt('INSERT INTO shop.shipments (order_id) VALUES (1)'), 'ok', 'a child does not know it either');
SELECT is((SELECT orders_now::integer FROM ordcancel.overview('shop.orders') WHERE status = 'draft'), 3,
          'overview does not count it');
SELECT is(attempt('UPDATE shop.orders SET status = ''shipped'' WHERE id = 1'), 'ok', 'its status may change');
SELECT is(attempt('UPDATE shop.orders SET status = ''asked'' WHERE id = 1'), 'ok', 'to any other');
SELECT is((SELECT count(*)::integer FROM shop.orders_cancellation WHERE order_id = 1), 0, 'without a record');
SELECT is((SELECT string_agg(problem || detail, ', ') FROM ordcancel.health WHERE problem ~ 'order|status'), NULL,
          'and health has nothing to say');

-- ------------------------------------------------------- restored
SELECT is(shop.restore(1), '23514 cancellation_forbidden', 'it is restored as if it were inserted: not as requested');
SELECT is(shop.restore(1, ', status = ''placed'''), 'ok', 'but as placed');
SELECT is(outcome_of($$request_cancel('shop.orders', 1)$$), 'requested asked', 'and is there again');
SELECT is(shop.delete(2), '23514 cancellation_forbidden', 'a canceled order is not deletable here');
SELECT ordcancel.set_rule('shop.orders', 'canceled', deletable => true);
SELECT is(shop.delete(2), 'ok', 'now it is');
SELECT is(outcome_of($$undo_cancel('shop.orders', 2)$$), 'OC002', 'deleted, it is not undone');
SELECT is((SELECT state FROM shop.orders_cancellation WHERE order_id = 2), 'canceled', 'its record stays');
SELECT is(attempt('UPDATE shop.orders SET status = ''placed'' WHERE id = 2'), 'ok', 'whatever becomes of the status');
SELECT is(shop.restore(2), '23514 order_is_canceled', 'it is not restored as placed');
SELECT is(error_of('UPDATE shop.orders SET deleted_at = NULL WHERE id = 2'),
          '23514 | order 2 of shop.orders is canceled'
          ' | The order was canceled and deleted, and is restored in status "placed".'
          ' | Restore it in status "canceled", then call ordcancel.undo_cancel().', 'which the error calls restored');
SELECT ordcancel.set_policy('shop.orders', undo => 'never');
SELECT is(error_of('UPDATE shop.orders SET deleted_at = NULL WHERE id = 2', 'hint'),
          'Restore it in status "canceled".', 'and which says what is possible');
SELECT ordcancel.set_policy('shop.orders', undo => 'canceled');
SELECT is(shop.restore(2, ', status = ''canceled'''), 'ok', 'but as canceled');
SELECT is(outcome_of($$undo_cancel('shop.orders', 2)$$), 'undone draft', 'and then undone');

-- ------------------------------------------------------- with the status in one UPDATE
SELECT is(shop.delete(3, ', status = ''canceled'''), 'ok', 'canceled and deleted at once: both are allowed');
SELECT is((events_of(3, shown => 'type'))[1], 'canceled', 'it is recorded');
SELECT is(outcome_of($$cancel_order('shop.orders', 3)$$), 'OC002', 'and the order is gone');
SELECT is(shop.delete(8, ', status = ''canceled'''), '23514 cancellation_forbidden',
          'where the status is not deletable, it is not');
SELECT is(status_of(8), 'placed', 'nor is it canceled');
SELECT is(shop.delete(4, ', status = ''shipped'''), 'ok', 'moved and deleted');
SET LOCAL ordcancel.party = 'customer';
UPDATE shop.orders SET due = 5 WHERE id = 5;
SELECT is(shop.delete(5, ', status = ''refunding'''), '23514 cancellation_forbidden',
          'not with a cancellation that remains open');
RESET ordcancel.party;
SELECT is(shop.restore(4, ', status = ''refunding'''), '23514 cancellation_forbidden',
          'nor restored into one');

-- ------------------------------------------------------- imports, purges
SELECT is(attempt($$INSERT INTO shop.orders VALUES (30, 'asked', 0, now())$$), 'ok', 'a deleted order is imported');
SELECT is(attempt($$INSERT INTO shop.orders VALUES (31, 'asked', 0, NULL)$$), '23514 cancellation_forbidden',
          'one that is there is not, in this status');
SELECT is(attempt('DELETE FROM shop.orders WHERE id IN (4, 30)'), 'ok', 'deleted orders are purged');
SELECT is(attempt('DELETE FROM shop.orders WHERE id = 6'), '23514 cancellation_forbidden', 'others are not');
SELECT is(attempt('UPDATE shop.orders SET id = 300 WHERE id = 3'), '23514 order_has_cancellations',
          'the key of a deleted order with cancellations stays');
SELECT alike(attempt('TRUNCATE shop.orders, shop.shipments'), '23514 %', 'there is no TRUNCATE');

-- ------------------------------------------------------- set later
SELECT ordcancel.attach('shop.orders', unset => '{deleted_when}');
SELECT is(outcome_of($$request_cancel('shop.orders', 9)$$), 'requested asked', 'a request');
SELECT is(outcome_of($$request_cancel('shop.orders', 10)$$), 'requested asked', 'another one');
UPDATE shop.orders SET deleted_at = now() WHERE id IN (9, 10);
SELECT unalike(pg_get_triggerdef(oid), '%deleted_at%', 'the guard no longer knows the column')
FROM pg_trigger WHERE tgrelid = 'shop.orders'::regclass AND tgname = '!ordcancel_guard_delete';
SELECT ordcancel.attach('shop.orders', deleted_when => 'deleted_at IS NOT NULL');
SELECT is(outcome_of($$accept_cancel('shop.orders', 9)$$), 'OC002', 'with the condition the order is gone');
SELECT is((SELECT string_agg(problem || ': ' || detail, ', ') FROM ordcancel.health WHERE problem = 'order_gone'),
          'order_gone: Open cancellations of orders that no longer exist: 2 requested, for example that of order 10.',
          'which health says, as of deleted orders');
SELECT is(attempt('DELETE FROM shop.orders WHERE id = 10'), '23514 cancellation_forbidden',
          'with an open request it is not purged');
SELECT is(shop.restore(10), 'ok', 'an order that agrees with its request is restored');
SELECT is(outcome_of($$deny_cancel('shop.orders', 10, 'n')$$), 'denied placed', 'and decided');
SET LOCAL ordcancel.clock = '2026-05-08 12:00+00';
CALL ordcancel.sweep();
SELECT is((SELECT state || ' ' || decided_by FROM shop.orders_cancellation WHERE order_id = 9), 'denied system',
          'sweep denies the request of a deleted order');
SELECT is(status_of(9), 'asked', 'and leaves the order alone');
SELECT is(attempt('DELETE FROM shop.orders WHERE id = 9'), 'ok', 'then it is purged');

-- ------------------------------------------------------- functions
CREATE FUNCTION shop.is_deleted(at timestamptz) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF at = 'infinity' THEN
        RAISE EXCEPTION 'called' USING ERRCODE = 'P0099';
    END IF;
    RETURN at IS NOT NULL;
END $$;
SELECT ordcancel.attach('shop.orders', deleted_when => 'shop.is_deleted(deleted_at)');
SELECT is(shop.delete(11), '23514 cancellation_forbidden', 'the condition may call a function');
SET LOCAL session_replication_role = replica;
UPDATE shop.orders SET deleted_at = 'infinity' WHERE id = 12;
RESET session_replication_role;
SELECT is(attempt('UPDATE shop.orders SET note = ''y'', due = 1 WHERE id = 12'), 'ok',
          'it is not called by an UPDATE of other columns');
SELECT is(attempt('UPDATE shop.orders SET status = ''shipped'' WHERE id = 12'), 'P0099', 'but by one of the status');
SELECT is(attempt('UPDATE shop.orders SET deleted_at = NULL WHERE id = 12'), 'P0099', 'and by one of its columns');
SELECT is(outcome_of($$cancel_order('shop.orders', 12)$$), 'P0099', 'its error is that of the call');
SELECT is((SELECT string_agg(concat_ws(' ', order_id, outcome, sqlstate), ', ' ORDER BY order_id)
           FROM ordcancel.cancel_orders('shop.orders', '{12,13}')), '12 refused P0099, 13 canceled',
          'and of no other order');
CREATE FUNCTION shop.is_deleted(at timestamptz, more text DEFAULT '') RETURNS boolean LANGUAGE sql AS 'SELECT true';
DROP FUNCTION shop.is_deleted(timestamptz);
SELECT is(outcome_of($$cancel_order('shop.orders', 14)$$), 'OC014', 'another function is not called');
SELECT is((SELECT count(*)::integer FROM ordcancel.health WHERE problem = 'deleted_when_fails'), 1, 'health says so');
SELECT is(attempt($$SELECT * FROM ordcancel.overview('shop.orders')$$), 'OC014', 'and nothing is counted');
SELECT ordcancel.attach('shop.orders', deleted_when => 'deleted_at IS NOT NULL');
UPDATE shop.orders SET deleted_at = NULL WHERE id = 12;

-- ------------------------------------------------------- items
CREATE TABLE shop.items (id integer PRIMARY KEY, order_id integer, quantity integer, canceled integer DEFAULT 0);
INSERT INTO shop.orders VALUES (40, 'draft', 0), (41, 'draft', 0);
INSERT INTO shop.items VALUES (1, 40, 3), (2, 41, 3);
SELECT ordcancel.attach_items('shop.items', 'shop.orders', '{order_id}', quantity => 'quantity',
                              canceled => 'canceled');
SELECT is(outcome_of($$cancel_items('shop.orders', 40, '[{"item": 1, "quantity": 1}]')$$), 'canceled draft', 'a part');
SELECT is(shop.delete(40), 'ok', 'the order is deleted');
SELECT is(outcome_of($$cancel_items('shop.orders', 40, '[{"item": 1, "quantity": 1}]')$$), 'OC002', 'no more items');
SELECT is(attempt($$SELECT * FROM ordcancel.item_options('shop.orders', 40)$$), 'OC002', 'nor options');
SELECT is(attempt('DELETE FROM shop.items WHERE order_id = 40'), 'ok', 'its items are deleted with it');
SELECT is(shop.restore(40), 'ok', 'the part does not prevent restoring it');
SELECT is(outcome_of($$cancel_items('shop.orders', 41, '[{"item": 2, "quantity": 3}]')$$), 'canceled canceled',
          'all of another order');
SELECT is(shop.delete(41), 'ok', 'deleted');
SELECT ordcancel.detach_items('shop.items');

-- ------------------------------------------------------- partitions, several columns, null
CREATE TABLE shop.parts (region text, id integer, status text, gone boolean, kind text, PRIMARY KEY (region, id))
    PARTITION BY LIST (region);
CREATE TABLE shop.parts_eu (kind text, gone boolean, id integer NOT NULL, status text, region text NOT NULL);
ALTER TABLE shop.parts ATTACH PARTITION shop.parts_eu FOR VALUES IN ('eu');
SELECT ordcancel.attach('shop.parts', 'status', deleted_when => 'gone AND kind <> ''test''');
SELECT ordcancel.set_policy('shop.parts', canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.parts', 'placed', merchant => 'cancel');
INSERT INTO shop.parts VALUES ('eu', 1, 'placed', false, 'web'), ('eu', 2, 'placed', NULL, 'test'),
    ('eu', 3, 'placed', true, 'web');
SELECT is(attempt('UPDATE shop.parts SET gone = true WHERE id = 1'), '23514 cancellation_forbidden', 'in a partition');
SELECT is(attempt('UPDATE shop.parts_eu SET gone = true WHERE id = 1'), '23514 cancellation_forbidden',
          'also by its own name');
SELECT is(attempt('UPDATE shop.parts SET gone = true WHERE id = 2'), 'ok', 'a condition that is not true');
SELECT is(attempt('UPDATE shop.parts SET kind = ''web'' WHERE id = 2'), '23514 cancellation_forbidden',
          'its other column makes it true');
SELECT is(outcome_of($$cancel_order('shop.parts', ROW('eu', 2))$$), 'canceled canceled', 'found');
SELECT is(outcome_of($$cancel_order('shop.parts', ROW('eu', 3))$$), 'OC002', 'not found');
SELECT is((SELECT string_agg(problem || detail, ', ') FROM ordcancel.health('shop.parts')), NULL, 'healthy');

-- ------------------------------------------------------- replaced
CREATE TABLE shop.orders_new (LIKE shop.orders INCLUDING ALL);
INSERT INTO shop.orders_new SELECT * FROM shop.orders;
SELECT ordcancel.detach_child('shop.shipments');
SELECT ordcancel.replace_table('shop.orders', 'shop.orders_new');
SELECT is((SELECT pinned_deleted_when FROM ordcancel.order_table WHERE orders = 'shop.orders_new'::regclass),
          '(order_row.deleted_at IS NOT NULL)', 'replace_table takes the condition along');
SELECT is(outcome_of($$cancel_order('shop.orders_new', 41)$$), 'OC002', 'and applies it');
-- ------------------------------------------------------- cancellations do not delete
CREATE TABLE shop.gone (id integer PRIMARY KEY, status text, due numeric, flag boolean,
                        gone boolean GENERATED ALWAYS AS (coalesce(flag, false)) STORED,
                        over boolean GENERATED ALWAYS AS (status = 'canceled') STORED);
SELECT ordcancel.attach('shop.gone', 'status', deleted_when => 'gone');
SELECT is(error_of($$SELECT ordcancel.also_set('shop.gone', 'canceled', 'flag', 'true')$$, 'sqlstate', 'message',
                   'detail'),
          'OC014 | also_set() cannot set column "flag" of shop.gone | deleted_when depends on it.',
          'a generated column counts');
SELECT is(error_of(format($$SELECT ordcancel.attach('shop.gone', deleted_when => %L)$$, w), 'sqlstate', 'message'),
          'OC014 | deleted_when of shop.gone cannot use the status', w)
FROM unnest(ARRAY['status = ''canceled''', 'gone OR "over"']) AS w;
DROP TABLE shop.gone;

CREATE TABLE shop.whole (id integer PRIMARY KEY, status text, due numeric, deleted_at timestamptz, note text);
CREATE TABLE shop.split (odd text, LIKE shop.whole, PRIMARY KEY (id)) PARTITION BY HASH (id);
ALTER TABLE shop.split DROP COLUMN odd;
CREATE TABLE shop.split_0 (LIKE shop.whole);
ALTER TABLE shop.split ATTACH PARTITION shop.split_0 FOR VALUES WITH (MODULUS 1, REMAINDER 0);
CREATE TABLE shop.slow (LIKE shop.whole INCLUDING INDEXES);
CREATE FUNCTION shop.nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER nothing AFTER UPDATE ON shop.slow FOR EACH STATEMENT EXECUTE FUNCTION shop.nothing();
CREATE FUNCTION shop.delete_canceled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status IN ('refunding', 'canceled') AND NEW.id % 2 = 0 THEN NEW.deleted_at := now(); END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION shop.delete_noted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.note = 'asked' AND NEW.deleted_at IS NULL THEN
        EXECUTE format('UPDATE shop.%I SET deleted_at = now() WHERE id = %s', TG_ARGV[0], NEW.id);
    END IF;
    RETURN NULL;
END $$;
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY '{whole,split,slow}'::text[] LOOP
        PERFORM ordcancel.attach(('shop.' || t)::regclass, 'status', refund_due => 'due',
                                 deleted_when => 'deleted_at IS NOT NULL');
        PERFORM ordcancel.set_policy(('shop.' || t)::regclass, in_progress_status => 'refunding',
                                     canceled_status => 'canceled');
        PERFORM ordcancel.set_rule(('shop.' || t)::regclass, 'placed', customer => 'request', merchant => 'cancel');
        PERFORM ordcancel.also_set(('shop.' || t)::regclass, 'requested', 'note', '''asked''');
        EXECUTE format('INSERT INTO shop.%I (id, status, due) SELECT n, ''placed'', 40 FROM generate_series(1, 9) AS n',
                       t);
        EXECUTE format('CREATE TRIGGER b BEFORE UPDATE ON shop.%I'
                       ' FOR EACH ROW EXECUTE FUNCTION shop.delete_canceled()', t);
        EXECUTE format('CREATE TRIGGER z AFTER UPDATE ON shop.%I'
                       ' FOR EACH ROW EXECUTE FUNCTION shop.delete_noted(%L)', t, t);
    END LOOP;
END $$;
SELECT is(error_of(format('SELECT ordcancel.cancel_order(''shop.%s'', 2)', t), 'sqlstate', 'message', 'detail'),
          format('27000 | could not change status of order 2 of shop.%s to "refunding"'
                 ' | The row was written with deleted_when true.', t), 'a trigger deletes what is canceled: ' || t)
FROM unnest('{whole,split,slow}'::text[]) AS t;
SELECT is((SELECT string_agg(concat_ws(' ', order_id, outcome, sqlstate), ', ' ORDER BY order_id)
           FROM ordcancel.cancel_orders(('shop.' || t)::regclass, '{1,2,3}'::integer[])),
          '1 in_progress, 2 refused 27000, 3 in_progress', 'not others in bulk: ' || t)
FROM unnest('{whole,split,slow}'::text[]) AS t;
SELECT is(attempt(format('SELECT ordcancel.request_cancel(''shop.%s'', 5)', t)), '23514 cancellation_forbidden',
          'a trigger deletes what is requested: ' || t)
FROM unnest('{whole,split,slow}'::text[]) AS t;
SELECT is((SELECT count(*)::integer FROM shop.whole WHERE deleted_at IS NOT NULL), 0, 'none is deleted');

SELECT * FROM finish();
ROLLBACK;
