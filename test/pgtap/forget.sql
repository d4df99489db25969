-- forget: what persons wrote and are named by is erased from the records of an
-- order, the facts stay, and every call still works.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
\ir include/items.sql
SELECT no_plan();

CREATE ROLE forget_nobody;
CREATE ROLE forget_owner;
CREATE ROLE forget_officer;
CREATE ROLE forget_ann;
CREATE SCHEMA shop AUTHORIZATION forget_owner;
GRANT USAGE ON SCHEMA shop TO PUBLIC;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text, customer name, paid numeric DEFAULT 0);
CREATE TABLE shop.items (id integer PRIMARY KEY, order_id integer, quantity integer, canceled integer DEFAULT 0,
                         price numeric);
ALTER TABLE shop.orders OWNER TO forget_owner;
ALTER TABLE shop.items OWNER TO forget_owner;
INSERT INTO shop.orders SELECT n, 'placed', CASE n % 2 WHEN 1 THEN 'forget_ann' ELSE 'bob' END, 30
FROM generate_series(1, 20) AS n;
INSERT INTO shop.items SELECT n * 10 + i, n, 3, 0, 5 FROM generate_series(1, 20) AS n, generate_series(1, 2) AS i;
SELECT ordcancel.attach('shop.orders', 'status', refund_due => 'paid'),
       ordcancel.set_policy('shop.orders', canceled_status => 'canceled', requested_status => 'asked',
                            in_progress_status => 'refunding'),
       ordcancel.set_rule('shop.orders', 'placed', customer => 'request', merchant => 'cancel', deletable => true),
       ordcancel.set_rule('shop.orders', 'canceled', deletable => true),
       ordcancel.set_rule('shop.orders', 'asked', deletable => true),
       ordcancel.attach_items('shop.items', 'shop.orders', key => '{order_id}', quantity => 'quantity',
                              canceled => 'canceled', amount => '(quantity - canceled) * price');
SET LOCAL ordcancel.clock = '2026-05-05 12:00+00';

-- How often a text is in the records of an order, in any column of any table.
CREATE FUNCTION mentions(word text, id integer) RETURNS bigint LANGUAGE sql AS $$
SELECT count(*) FROM (
    SELECT c::text FROM shop.orders_cancellation AS c WHERE order_key = id::text
    UNION ALL SELECT e::text FROM shop.orders_cancellation_event AS e WHERE order_key = id::text
    UNION ALL SELECT i::text FROM shop.orders_cancellation_item AS i
              WHERE cancellation_id IN (SELECT cancellation_id FROM shop.orders_cancellation WHERE order_key = id::text)
    UNION ALL SELECT s::text FROM ordcancel_internal.skipped_event AS s WHERE order_key = id::text) AS r (text)
WHERE text LIKE '%' || word || '%' $$;
-- The facts of an order's cancellations and events, without persons.
CREATE FUNCTION facts_of(id integer) RETURNS text LANGUAGE sql AS $$
SELECT string_agg(f.text, E'\n' ORDER BY f.text) FROM (
    SELECT (to_jsonb(c) - '{requested_actor,decided_actor,note,decision_note,undo_note,metadata}'::text[])::text
    FROM shop.orders_cancellation AS c WHERE order_key = id::text
    UNION ALL
    SELECT (to_jsonb(e) - '{actor}'::text[])::text FROM shop.orders_cancellation_event AS e
    WHERE order_key = id::text AND type <> 'forgotten'
    UNION ALL
    SELECT (to_jsonb(i) - 'note')::text FROM shop.orders_cancellation_item AS i
    WHERE cancellation_id IN (SELECT cancellation_id FROM shop.orders_cancellation
                              WHERE order_key = id::text)) AS f (text)
$$;

-- ------------------------------------------------------------- what is erased

SELECT ordcancel.create_consumer('slow', 'shop.orders');
SELECT ordcancel.request_cancel('shop.orders', 1, 'other', 'I, Erika Muster, moved', 'erika@example', 'key-1'),
       ordcancel.accept_cancel('shop.orders', 1, NULL, 'Erika called', 'clerk anna'),
       ordcancel.record_refund('shop.orders', 1, 30, 'card', 'pay_1', 'clerk anna'),
       ordcancel.undo_cancel('shop.orders', 1, 'Erika changed her mind', 'clerk anna', settled => true),
       ordcancel.request_cancel('shop.orders', 1, NULL, 'again Erika', 'erika@example');
SELECT ordcancel.skip_event('slow', (SELECT min(event_id) FROM shop.orders_cancellation_event), 'Erika is not in CRM');
SELECT ordcancel.cancel_order('shop.orders', 2, 'out_of_stock', 'note of another', 'clerk anna');
CREATE TEMP TABLE before AS SELECT facts_of(1) AS facts;
SELECT is(mentions('rika', 1) || ' ' || mentions('anna', 1), '5 5', 'the records name persons');
SELECT is(outcome_of($$forget('shop.orders', 1, 'request 17', actor => 'privacy officer')$$), 'requested asked',
          'forget answers as the other calls do');
SELECT is(mentions('rika', 1) + mentions('anna', 1), 0::bigint, 'no record of the order names them any more');
SELECT is(facts_of(1), before.facts, 'the facts are as before') FROM before;
SELECT is(events_of(1, 1),
          '{"forgotten asked>asked requested merchant privacy officer {\"note\": \"request 17\"} forget"}',
          'an event records it, and why');
SELECT is((SELECT reason FROM shop.orders_cancellation_event WHERE type = 'forgotten'), NULL, 'without content');
SELECT is(record_of(1), 'requested by customer decided was placed now asked reason note said undo',
          'what is left of the request');
SELECT is(mentions('another', 2) + mentions('anna', 2), 3::bigint, 'another order is as it was');
SELECT is((SELECT array_agg(type || ' ' || coalesce(actor, '-') ORDER BY event_id)
           FROM ordcancel.next_events('slow') WHERE order_key = '1'),
          '{"accepted -","refunded -","canceled -","undone -","requested -","forgotten privacy officer"}',
          'a consumer gets the events in their erased form');
SELECT is((SELECT why FROM ordcancel.skipped_events), NULL, 'why one was set aside is erased');
SELECT results_eq($$SELECT who, what, why FROM ordcancel.timeline('shop.orders', 1) ORDER BY event_id$$,
    $$VALUES ('customer', 'asked to cancel the order', 'other'),
             ('merchant', 'accepted the request; 30 to be refunded', 'other'),
             ('merchant', 'refunded 30 by card (pay_1)', 'other'),
             ('merchant', 'canceled the order, as all was refunded', 'other'),
             ('merchant', 'undid the cancellation', 'other'), ('customer', 'asked to cancel the order', NULL),
             ('privacy officer (merchant)', 'erased notes and names from the records of the order', 'request 17')$$,
    'timeline tells what is left, and that something was erased');
SELECT is(outcome_of($$forget('shop.orders', '1', 'request 18')$$), 'requested asked unchanged',
          'nothing is left to erase');
SELECT is(cardinality(events_of(1)), 7, 'so no event is written');
SELECT is(outcome_of($$forget('shop.orders', 3)$$,
                     'concat_ws('' '', order_id, cancellation_id, state, order_status, changed)'),
          '3 placed f', 'an order without records');
SELECT is(outcome_of($$forget('shop.orders', 2)$$), 'in_progress refunding', 'without a note, by the role');
SELECT is(events_of(2, 1, 'concat_ws('' '', type, actor = current_user, data)'), '{"forgotten t"}',
          'nothing is in its data');

-- Events of a session that logged in as a person.
SELECT is(mentions(session_user, 2) > 0, true, 'the login role stays');
SELECT is(outcome_of($$forget('shop.orders', 2, session_roles => true)$$), 'in_progress refunding',
          'unless it is named');
SELECT is((events_of(2, NULL, 'type || '':'' || session_role'))[1], 'accepted:', 'then it is empty');
SELECT is(outcome_of($$forget('shop.orders', 2, session_roles => true)$$), 'in_progress refunding unchanged', 'once');

-- Fields of data that the verbs have, and free text among them.
SELECT ordcancel.override_cancel('shop.orders', 4, 'other', 'Erika insists', 'erika');
SELECT ordcancel.forget('shop.orders', 4);
SELECT is((events_of(4, NULL, 'data::text'))[1] ~ '"override": true', true, 'a fact in data stays');

ALTER TABLE ordcancel.cancellation ADD COLUMN IF NOT EXISTS metadata jsonb;
SET LOCAL session_replication_role = replica;
UPDATE shop.orders_cancellation SET metadata = '{"mail": "erika"}' WHERE order_id = 4;
UPDATE shop.orders_cancellation_event
SET data = data || '{"metadata": {"mail": "erika"}, "note": "Erika", "refund_due": 3}'
WHERE order_id = 4 AND type <> 'forgotten';
UPDATE shop.orders_cancellation_event SET data = '["erika"]' WHERE order_id = 2 AND type <> 'forgotten';
RESET session_replication_role;
SELECT is(outcome_of($$forget('shop.orders', 4)$$), 'in_progress refunding', 'metadata is erased');
SELECT is((events_of(4, NULL, '(data - ''items'')::text'))[1], '{"override": true, "refund_due": 3}',
          'and a note in data, but nothing else');
SELECT is(mentions('rika', 4), 0::bigint, 'wherever it was');
SELECT is(outcome_of($$forget('shop.orders', 2)$$), 'in_progress refunding unchanged',
          'data that is no object stays');

-- --------------------------------------------------------------- calls after it

SELECT is(outcome_of($$request_cancel('shop.orders', 1, 'other', 'x', request_key => 'key-1')$$),
          'requested asked unchanged', 'a request key is recognized');
SELECT is(outcome_of($$accept_cancel('shop.orders', 1)$$), 'in_progress refunding', 'a request is accepted');
SELECT is(outcome_of($$record_refund('shop.orders', 1, 30, 'card', 'pay_2')$$), 'canceled canceled',
          'a refund is recorded');
SELECT is(outcome_of($$record_refund('shop.orders', 1, 30, 'card', 'pay_1')$$), 'undone canceled unchanged',
          'a refund of an earlier cancellation is recognized');
SELECT is(outcome_of($$forget('shop.orders', 1)$$), 'canceled canceled', 'what was written since is erased too');
SELECT is(outcome_of($$record_refund('shop.orders', 1, 30, 'card', 'pay_2')$$), 'canceled canceled unchanged',
          'the refund is recognized');
SELECT is(outcome_of($$undo_cancel('shop.orders', 1, 'found', settled => true)$$), 'undone placed', 'and undone');
SELECT ordcancel.request_cancel('shop.orders', 5, 'other', 'Erika'), ordcancel.undo_cancel('shop.orders', 5, 'Erika'),
       ordcancel.forget('shop.orders', 5);
SELECT is(mentions('Erika', 5), 0::bigint, 'a request that was undone');
SELECT is(outcome_of($$undo_cancel('shop.orders', 5, 'again')$$), 'denied placed unchanged',
          'is still known to have been');
SELECT is(outcome_of($$forget('shop.orders', 5)$$), 'denied placed unchanged', 'nothing is left of it');

-- ----------------------------------------------------------------------- parts

SELECT ordcancel.cancel_items('shop.orders', 6, '[{"item": 61, "quantity": 1, "note": "Erika spilled it"}]', 'other',
                              'for Erika', 'anna'),
       ordcancel.cancel_items('shop.orders', 6, '[{"item": 62, "quantity": 1}]', 'other', 'Erika again', 'anna'),
       ordcancel.request_cancel_items('shop.orders', 6, '[{"item": 62, "quantity": 1, "note": "Erika"}]', 'other',
                                      'Erika');
CREATE TEMP TABLE parts AS SELECT facts_of(6) AS facts;
SELECT ordcancel.forget('shop.orders', 6);
SELECT is(mentions('Erika', 6) + mentions('anna', 6), 0::bigint, 'all parts of an order, and their items');
SELECT is(facts_of(6), parts.facts, 'their facts stay') FROM parts;
SELECT is(outcome_of($$accept_cancel('shop.orders', 6)$$), 'in_progress placed', 'a part is accepted');
SELECT is(units_of(6), '61: 1 of 3, 62: 2 of 3', 'with its units');
SELECT is(outcome_of(format($$undo_cancel('shop.orders', 6, 'found', cancellation_id => %s)$$, cancellation_of(6, 1))),
          'undone placed', 'and one undone');
SELECT ordcancel.cancel_items('shop.orders', 7, '[{"item": 71, "quantity": 1}]', 'other', 'Erika');
SELECT ordcancel.detach_items('shop.items');
SELECT is(outcome_of($$forget('shop.orders', 7)$$,
                     'concat_ws('' '', cancellation_id = cancellation_of(7), state, changed)'),
          't in_progress t', 'only a part, and its items detached');
SELECT is(mentions('Erika', 7), 0::bigint, 'erased');

-- --------------------------------------------------------------- deleted orders

SELECT ordcancel.request_cancel('shop.orders', 8, 'other', 'Erika', 'erika');
SELECT ordcancel.withdraw_cancel('shop.orders', 8, 'Erika', 'erika');
DELETE FROM shop.orders WHERE id = 8;
SELECT is(outcome_of($$forget('shop.orders', 8, 'after deletion')$$), 'withdrawn placed', 'an order that is deleted');
SELECT is(mentions('rika', 8), 0::bigint, 'is forgotten too');
SELECT is(outcome_of($$forget('shop.orders', 8)$$), 'withdrawn placed unchanged', 'once');
SELECT is(outcome_of($$forget('shop.orders', 99)$$, 'state', VARIADIC '{error,message}'),
          'OC002 | order 99 of shop.orders not found',
          'one that never was');

-- -------------------------------------------------------------------- who may

SELECT is((SELECT count(*) FROM pg_proc, aclexplode(proacl) WHERE proname = 'forget' AND grantee <> proowner),
          0::bigint, 'nobody may by default');
SELECT ordcancel.grant_customer('forget_nobody'), ordcancel.grant_merchant('forget_nobody'),
       ordcancel.grant_owner('forget_nobody'), ordcancel.grant_analyst('forget_nobody');
GRANT SELECT ON shop.orders TO forget_nobody;
SELECT is(attempt_as('forget_nobody', $$SELECT ordcancel.forget('shop.orders', 9)$$), '42501',
          'none of the short forms includes it');
GRANT EXECUTE ON FUNCTION ordcancel.forget(regclass, text, text, text, boolean),
    ordcancel.forget(regclass, anynonarray, text, text, boolean) TO forget_officer, forget_ann, forget_owner;
SELECT ordcancel.request_cancel('shop.orders', n, 'other', 'Erika', 'erika') FROM generate_series(9, 14) AS n;
SELECT ordcancel.withdraw_cancel('shop.orders', n) FROM generate_series(13, 14) AS n;
DELETE FROM shop.orders WHERE id IN (13, 14);
SELECT is(attempt_as('forget_officer', $$SELECT ordcancel.forget('shop.orders', 9)$$), '42501',
          'EXECUTE alone is not enough');
SELECT is(attempt_as('forget_officer', $$SELECT ordcancel.forget('shop.orders', 13)$$), '42501',
          'for a deleted order neither');
GRANT SELECT (id) ON shop.orders TO forget_officer;
SELECT is(attempt_as('forget_officer', $$SELECT ordcancel.forget('shop.orders', 9)$$), 'ok', 'SELECT on the key is');
SELECT is(attempt_as('forget_officer', $$SELECT ordcancel.forget('shop.orders', 13)$$), 'OC002',
          'but not for a deleted order');
GRANT SELECT ON shop.orders TO forget_officer;
SELECT is(attempt_as('forget_officer', $$SELECT ordcancel.forget('shop.orders', 13)$$), 'ok',
          'for which it takes SELECT on all orders');
ALTER TABLE shop.orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON shop.orders FOR SELECT TO forget_ann, forget_officer USING (customer = current_user);
GRANT SELECT ON shop.orders TO forget_ann;
SELECT is(attempt_as('forget_ann', $$SELECT ordcancel.forget('shop.orders', 10)$$), 'OC002', 'an order that is hidden');
SELECT is(attempt_as('forget_ann', $$SELECT ordcancel.forget('shop.orders', 14)$$), 'OC002',
          'a deleted one, where row security applies');
SELECT is(mentions('rika', 10) > 0 AND mentions('rika', 14) > 0, true, 'are not touched');
SELECT is(attempt_as('forget_ann', $$SELECT ordcancel.forget('shop.orders', 11)$$), 'ok', 'one''s own');
SELECT is(attempt_as('forget_owner', $$SELECT ordcancel.forget('shop.orders', 14)$$), 'ok', 'the owner sees all');
SELECT is(attempt_as('forget_ann', $$SELECT set_config('ordcancel.party', 'customer', true),
                                            ordcancel.forget('shop.orders', 11)$$), '42501',
          'it is the merchant''s call');
SET LOCAL ordcancel.party = '';
ALTER TABLE shop.orders DISABLE ROW LEVEL SECURITY;
SELECT is(attempt_as('forget_officer', $$UPDATE shop.orders_cancellation SET note = NULL$$), '42501',
          'the records are written by no other way');
SELECT is(attempt($$UPDATE shop.orders_cancellation SET note = NULL$$), '23514 written_by_ordcancel',
          'not by a superuser');

-- ------------------------------------------- columns that also_set() has written

-- What an undo or a failed refund needs is kept, of free text only that it was NULL.
CREATE TYPE shop.shelf AS ENUM ('open', 'closed');
CREATE DOMAIN shop.remark AS text;
CREATE TABLE shop.sales (id integer PRIMARY KEY, status text, paid numeric DEFAULT 0, active boolean DEFAULT true,
                         canceled_at timestamptz, days interval DEFAULT '3 days', shelf shop.shelf DEFAULT 'open',
                         canceled_by text, greeting shop.remark DEFAULT 'Dear Erika', tags jsonb DEFAULT '["Erika"]',
                         CHECK ((status = 'canceled') = (canceled_at IS NOT NULL)),
                         CHECK ((status = 'canceled') >= (canceled_by IS NOT NULL)));
INSERT INTO shop.sales (id, status, paid)
SELECT n, 'placed', CASE WHEN n > 4 THEN 40 ELSE 0 END FROM generate_series(1, 6) AS n;
SELECT ordcancel.attach('shop.sales', 'status', refund_due => 'paid'),
       ordcancel.set_policy('shop.sales', canceled_status => 'canceled', in_progress_status => 'refunding',
                            requested_status => 'asked'),
       ordcancel.set_rule('shop.sales', 'placed', customer => 'request', merchant => 'cancel', deletable => true);
SELECT ordcancel.also_set('shop.sales', state, col, value)
FROM (VALUES ('canceled', 'canceled_at', 'cancellation.closed_at'), ('canceled', 'active', 'false'),
             ('canceled', 'days', '''0 days'''), ('canceled', 'shelf', '''closed'''),
             ('canceled', 'canceled_by', '''Erika'''), ('requested', 'greeting', '''Erika, bye'''),
             ('canceled', 'greeting', '''Erika, bye'''), ('canceled', 'tags', '''["Erika"]'''))
    AS s (state, col, value);
CREATE FUNCTION sale(integer) RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', status, active, canceled_at IS NOT NULL, days, shelf, coalesce(canceled_by, '-'), greeting)
FROM shop.sales WHERE id = $1
$$;
CREATE FUNCTION sale_was(text) RETURNS jsonb LANGUAGE sql AS $$
SELECT prior_values FROM shop.sales_cancellation WHERE order_key = $1 ORDER BY cancellation_id DESC LIMIT 1
$$;
SELECT ordcancel.cancel_order('shop.sales', n) FROM generate_series(1, 2) AS n;
SELECT is(outcome_of($$forget('shop.sales', 1)$$), 'canceled canceled', 'an order with columns of also_set');
SELECT is(sale_was('1') - 'canceled_at',
          '{"active": {"prior": "true", "written": "false"}, "days": {"prior": "3 days", "written": "00:00:00"},
            "shelf": {"prior": "open", "written": "closed"}, "canceled_by": {}}',
          'keeps what is no free text, and that one was NULL');
SELECT is(outcome_of($$forget('shop.sales', 1)$$), 'canceled canceled unchanged', 'nothing is left to erase');
SELECT is(outcome_of($$undo_cancel('shop.sales', 1)$$) || ': ' || sale(1),
          'undone placed: placed t f 3 days open - Erika, bye', 'is undone as ever, but for its free text');
SELECT is(outcome_of($$forget('shop.sales', 1)$$), 'undone placed', 'and then needs nothing any more');
SELECT is(sale_was('1'), NULL, 'so all is erased');
ALTER TABLE shop.sales DROP COLUMN tags;
SELECT ordcancel.drop_also_set('shop.sales', 'canceled', 'tags'), ordcancel.forget('shop.sales', 2);
SELECT is(sale_was('2') ? 'tags', false, 'a column that is gone');

SELECT ordcancel.request_cancel('shop.sales', 3), ordcancel.forget('shop.sales', 3);
SELECT is(sale_was('3'), NULL, 'a request that has written only free text');
SELECT is(outcome_of($$withdraw_cancel('shop.sales', 3)$$), 'withdrawn placed', 'is withdrawn');
SELECT ordcancel.request_cancel('shop.sales', 4), ordcancel.forget('shop.sales', 4),
       ordcancel.accept_cancel('shop.sales', 4), ordcancel.forget('shop.sales', 4);
SELECT is(outcome_of($$undo_cancel('shop.sales', 4)$$) || ': ' || sale(4),
          'undone placed: placed t f 3 days open - Erika, bye', 'one that was accepted since');

-- A refund that fails.
SELECT ordcancel.cancel_order('shop.sales', 5), ordcancel.record_refund('shop.sales', 5, 40, 'card', 'pay_1'),
       ordcancel.forget('shop.sales', 5);
SELECT is(outcome_of($$record_refund('shop.sales', 5, -40, 'card', 'pay_1')$$) || ': ' || sale(5),
          'in_progress refunding: refunding t f 3 days open - Erika, bye', 'a refund that fails');
SELECT is(outcome_of($$record_refund('shop.sales', 5, 40, 'card', 'pay_2')$$) || ': ' || sale(5),
          'canceled canceled: canceled f t 00:00:00 closed Erika Erika, bye', 'and is paid again');
SELECT is(outcome_of($$undo_cancel('shop.sales', 5, settled => true)$$) || ': ' || sale(5),
          'undone placed: placed t f 3 days open - Erika, bye', 'and undone');

-- ---------------------------------------------------------------------- errors

SELECT is(outcome_of($$forget(NULL, 1)$$), 'OC001', 'no table');
SELECT is(outcome_of($$forget('shop.items', 1)$$), 'OC001', 'not attached');
SELECT is(outcome_of($$forget('shop.orders', NULL)$$), 'OC002', 'no order');
SELECT is(outcome_of($$forget('shop.orders', 'x')$$), 'OC002', 'no key');
SELECT is(outcome_of($$forget('shop.orders', 12, repeat('x', 2001))$$, 'state', VARIADIC '{sqlstate,message,detail}'),
          'OC006 | note is too long | It has 2001 characters; the maximum is 2000.', 'a long note');
SELECT is(outcome_of($$forget('shop.orders', 12, actor => repeat('x', 256))$$), '22001', 'a long actor');
SELECT is(mentions('rika', 12) > 0, true, 'a call that fails erases nothing');
SELECT is((SELECT count(*) FROM (SELECT (ordcancel.forget('shop.orders', 12)).*) AS o WHERE changed AND order_id = '12'
           AND state = 'requested'), 1::bigint, 'a call that PostgreSQL repeats for each column is one');

-- ------------------------------------------- keys, partitions, other schemas

CREATE SCHEMA audit;
CREATE TABLE shop.parts (a integer, b text, status text, PRIMARY KEY (a, b)) PARTITION BY RANGE (a);
CREATE TABLE shop.parts_1 PARTITION OF shop.parts FOR VALUES FROM (0) TO (10);
CREATE TABLE shop.parts_2 PARTITION OF shop.parts FOR VALUES FROM (10) TO (20);
INSERT INTO shop.parts VALUES (1, 'x', 'placed'), (11, 'x', 'placed');
SELECT ordcancel.attach('shop.parts', 'status', inherit => false, record_schema => 'audit'),
       ordcancel.set_policy('shop.parts', canceled_status => 'canceled'),
       ordcancel.set_rule('shop.parts', 'placed', merchant => 'cancel');
SELECT ordcancel.cancel_order('shop.parts', ROW(n, 'x'), 'other', 'Erika', 'erika')
FROM unnest('{1,11}'::integer[]) AS n;
ALTER TABLE shop.parts DETACH PARTITION shop.parts_2;
SELECT is(outcome_of($$forget('shop.parts', ROW(1, 'x'))$$), 'canceled canceled', 'an order in a partition');
SELECT is(outcome_of($$forget('shop.parts', '(11,x)')$$), 'canceled canceled', 'one in a partition that was detached');
SELECT is((SELECT count(*) FROM audit.parts_cancellation AS c
               JOIN audit.parts_cancellation_event AS e USING (cancellation_id)
           WHERE c::text || e::text LIKE '%rika%'), 0::bigint, 'record tables elsewhere');

-- A trigger on the order that forgets it while its cancellation is written.
CREATE FUNCTION shop.forget_it() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ordcancel.forget('shop.orders', NEW.id);
    RETURN NEW;
END
$$;
CREATE TRIGGER forget_it AFTER UPDATE ON shop.orders FOR EACH ROW EXECUTE FUNCTION shop.forget_it();
SELECT is(outcome_of($$cancel_order('shop.orders', 15, 'other', 'Erika', 'erika')$$), 'in_progress refunding',
          'a trigger');
SELECT is(outcome_of($$record_refund('shop.orders', 15, 30, 'card', 'pay_15', 'erika')$$), 'canceled canceled',
          'erases');
SELECT is(mentions('rika', 15), 0::bigint, 'what was just written');
DROP TRIGGER forget_it ON shop.orders;

-- A consumer of these events alone.
SELECT ordcancel.create_consumer('erasures', 'shop.orders', types => '{forgotten}', start_at => 'beginning');
SELECT is((SELECT string_agg(DISTINCT order_key, ' ' ORDER BY order_key) FROM ordcancel.next_events('erasures')),
          '1 11 12 13 14 15 2 4 5 6 7 8 9', 'a consumer of erasures learns of all of them');
SELECT is((SELECT count(*) FROM ordcancel.health), 0::bigint, 'all is well');

SELECT * FROM finish();
ROLLBACK;
