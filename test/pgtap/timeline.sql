-- timeline: what happened to an order, told in order; its keys, and its cost.
SET client_min_messages = error;
SELECT plan(28);
\ir include/helpers.sql
SET timezone = 'UTC';
SET intervalstyle = 'postgres';
CREATE SCHEMA shop;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text DEFAULT 'placed', due numeric);
INSERT INTO shop.orders (id, due) SELECT n, CASE WHEN n > 10 THEN 20 END FROM generate_series(1, 20) AS n;
CREATE TABLE shop.items (id integer PRIMARY KEY, order_id integer, quantity integer, canceled integer DEFAULT 0);
INSERT INTO shop.items VALUES (1, 9, 3), (2, 9, 1);
\o /dev/null
SELECT ordcancel.attach('shop.orders', 'status', refund_due => 'due'),
       ordcancel.set_policy('shop.orders', requested_status => 'asked', in_progress_status => 'refunding',
                            canceled_status => 'canceled', decision_timeout => '2 days', on_timeout => 'deny'),
       ordcancel.set_rule('shop.orders', 'placed', customer => 'request', merchant => 'cancel', deletable => true),
       ordcancel.attach_items('shop.items', 'shop.orders', '{order_id}', 'quantity', 'canceled');
\o
-- Who did what to an order, why, and how long it took since the step before.
CREATE FUNCTION story(key integer) RETURNS SETOF text LANGUAGE sql AS $$
SELECT concat_ws(' | ', who || ' ' || what, why, from_status || ' -> ' || to_status, state, took)
FROM ordcancel.timeline('shop.orders', key)
$$;
CREATE FUNCTION clock(text) RETURNS text LANGUAGE sql AS $$ SELECT set_config('ordcancel.clock', $1, false) $$;

-- --------------------------------------------------------------------- stories

SELECT is_empty('SELECT story(1)', 'nothing happened yet');
SELECT clock('2026-05-04 10:00+00') \g /dev/null
SELECT ordcancel.request_cancel('shop.orders', n, 'wont_arrive_in_time', 'for a birthday', actor => 'web')
FROM unnest('{1,2,3,4,5,11}'::integer[]) AS n \g /dev/null
SELECT clock('2026-05-04 12:30+00'), ordcancel.accept_cancel('shop.orders', 1, 'other', 'we agree', actor => 'anna'),
       ordcancel.accept_cancel('shop.orders', 11, note => 'we agree', actor => 'anna'),
       ordcancel.withdraw_cancel('shop.orders', 2, 'found the time', actor => 'web'),
       ordcancel.deny_cancel('shop.orders', 3, 'it is on its way', actor => 'anna') \g /dev/null
SET ordcancel.actor = 'courier';
UPDATE shop.orders SET status = 'shipped' WHERE id = 4;
RESET ordcancel.actor;
SELECT results_eq('SELECT story(1)', $$VALUES
    ('web (customer) asked to cancel the order | wont_arrive_in_time: for a birthday | placed -> asked | requested'),
    ('anna (merchant) accepted the request, and the order was canceled | other: we agree | asked -> canceled | '
     'canceled | 02:30:00')$$, 'accepted, with nothing due');
SELECT is((SELECT story(2) OFFSET 1),
          'web (customer) withdrew the request | wont_arrive_in_time: found the time | asked -> placed | withdrawn | '
          '02:30:00', 'withdrawn');
SELECT is((SELECT story(3) OFFSET 1),
          'anna (merchant) denied the request | wont_arrive_in_time: it is on its way | asked -> placed | denied | '
          '02:30:00', 'denied');
SELECT is((SELECT story(4) OFFSET 1),
          'courier (merchant) moved the order on to shipped, which denied the request | wont_arrive_in_time | '
          'asked -> shipped | denied | 02:30:00', 'denied by moving on');
SELECT clock('2026-05-05 12:30+00'),
       ordcancel.record_refund('shop.orders', 11, 5, 'card', 'pay_1', actor => 'till') \g /dev/null
SELECT clock('2026-05-07 12:30+00'),
       ordcancel.record_refund('shop.orders', 11, 15, 'cash', actor => 'till') \g /dev/null
SELECT clock('2026-05-08 12:30+00'),
       ordcancel.undo_cancel('shop.orders', 11, 'the parcel was found', actor => 'bert', settled => true) \g /dev/null
CALL ordcancel.sweep();
SELECT results_eq('SELECT story(11)', $$VALUES
    ('web (customer) asked to cancel the order | wont_arrive_in_time: for a birthday | placed -> asked | requested'),
    ('anna (merchant) accepted the request; 20 to be refunded | wont_arrive_in_time: we agree | asked -> refunding | '
     'in_progress | 02:30:00'),
    ('till (merchant) refunded 5 by card (pay_1); 5 of 20 so far | wont_arrive_in_time | refunding -> refunding | '
     'in_progress | 1 day'),
    ('till (merchant) refunded 15 by cash | wont_arrive_in_time | refunding -> refunding | in_progress | 2 days'),
    ('till (merchant) canceled the order, as all was refunded | wont_arrive_in_time | refunding -> canceled | '
     'canceled | 00:00:00'),
    ('bert (merchant) undid the cancellation | wont_arrive_in_time: the parcel was found | canceled -> placed | '
     'undone | 1 day')$$, 'refunded in two parts, and undone');
SELECT is((SELECT story(5) OFFSET 1),
          'sweep (system) denied the request, which nobody had answered in time | '
          'request_timed_out | asked -> placed | denied | 4 days 02:30:00', 'nobody answered');
SELECT ordcancel.cancel_order('shop.orders', 6, 'out_of_stock', 'none left', actor => 'anna'),
       ordcancel.cancel_order('shop.orders', 12, 'out_of_stock', 'none left', actor => 'anna'),
       ordcancel.override_cancel('shop.orders', 4, 'fraud', 'stop it', actor => 'boss') \g /dev/null
SELECT is((SELECT story(6)), 'anna (merchant) canceled the order | out_of_stock: none left | placed -> canceled | '
                             'canceled', 'at once');
SELECT is((SELECT story(12)),
          'anna (merchant) began to cancel the order; 20 to be refunded | out_of_stock: none left | '
          'placed -> refunding | in_progress', 'at once, with a refund');
SELECT is((SELECT story(4) OFFSET 2), 'boss (merchant) canceled the order, in spite of the rules | fraud: stop it | '
                                      'shipped -> canceled | canceled', 'in spite of the rules');
UPDATE shop.orders SET status = 'canceled' WHERE id = 7;
SELECT is((SELECT story(7)), 'postgres (merchant) canceled the order | placed -> canceled | canceled', 'by an UPDATE');
SELECT ordcancel.request_cancel('shop.orders', 8, actor => 'web') \g /dev/null
SELECT ordcancel.cancel_items('shop.orders', 9, '[{"item": 1, "quantity": 2}, {"item": 2}]', 'out_of_stock',
                              actor => 'anna') \g /dev/null
SELECT is((SELECT story(9)), 'anna (merchant) canceled 2 of item 1, 1 of item 2 | out_of_stock | placed -> placed | '
                             'canceled', 'a part of the order');
SELECT results_eq($$SELECT event_id FROM ordcancel.timeline('shop.orders', 11)$$,
                  $$SELECT event_id FROM shop.orders_cancellation_event WHERE order_id = 11 ORDER BY event_id$$,
                  'in the order of the events');
SELECT is((SELECT count(*) FROM ordcancel.timeline WHERE orders = 'shop.orders'::regclass),
          (SELECT count(*) FROM shop.orders_cancellation_event), 'the view has all events');
SELECT is((SELECT string_agg(what, '; ' ORDER BY event_id) FROM ordcancel.timeline WHERE order_id = '2'),
          'asked to cancel the order; withdrew the request', 'of one order, too');
DELETE FROM shop.orders WHERE id = 2;
SELECT is((SELECT count(*) FROM ordcancel.timeline('shop.orders', 2)), 2::bigint, 'a deleted order keeps its history');

-- ------------------------------------------------------------------------ keys

SELECT is((SELECT count(*) FROM ordcancel.timeline('shop.orders', '11')), 6::bigint, 'a key as text');
SELECT is((SELECT count(*) FROM ordcancel.timeline('shop.orders', 11::numeric)), 6::bigint, 'and as another type');
SELECT is(attempt($$SELECT * FROM ordcancel.timeline('shop.orders', 'x; DROP TABLE shop.orders')$$), 'OC002',
          'what cannot be a key');
SELECT is(attempt($$SELECT * FROM ordcancel.timeline('shop.orders', NULL::text)$$), 'OC002', 'and none');
-- A check of a domain is code of the owner, and must not run as the extension's.
CREATE FUNCTION shop.checked(text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    RETURN current_user = 'timeline_owner' OR current_setting('shop.trusted', true) = 'on';
END $$;
CREATE DOMAIN shop.code AS character(5) CHECK (shop.checked(VALUE::text));
CREATE TABLE shop.coded (shop shop.code, day timestamptz, status text DEFAULT 'placed', PRIMARY KEY (shop, day));
SET shop.trusted = 'on';
INSERT INTO shop.coded VALUES ('ab''\c', '2026-05-06 07:08:09.123456+00'), ('ab', '2026-05-06 07:08:09.123456+00');
\o /dev/null
SELECT ordcancel.attach('shop.coded', 'status'),
       ordcancel.set_policy('shop.coded', canceled_status => 'canceled'),
       ordcancel.set_rule('shop.coded', 'placed', merchant => 'cancel');
SELECT ordcancel.cancel_order('shop.coded', ROW('ab''\c', '2026-05-06 07:08:09.123456+00'::timestamptz));
\o
SET DateStyle = 'SQL, DMY';
SET timezone = 'Asia/Kolkata';
SELECT is((SELECT count(*)
           FROM ordcancel.timeline('shop.coded', ROW('ab''\c', '2026-05-06 07:08:09.123456+00'::timestamptz))),
          1::bigint, 'a key of two columns, whose text depends on settings');
SELECT is((SELECT count(*)
           FROM ordcancel.timeline('shop.coded', ROW('ab', '2026-05-06 07:08:09.123456+00'::timestamptz))),
          0::bigint, 'not that of another order');
RESET DateStyle;
SET timezone = 'UTC';
CREATE ROLE timeline_reader;
CREATE ROLE timeline_owner;
ALTER TABLE shop.coded OWNER TO timeline_owner;
GRANT USAGE ON SCHEMA shop TO timeline_owner;
GRANT USAGE ON SCHEMA shop TO timeline_reader;
GRANT SELECT ON shop.coded TO timeline_reader;
ALTER TABLE shop.coded ENABLE ROW LEVEL SECURITY;
CREATE POLICY all_rows ON shop.coded USING (true);
RESET shop.trusted;
SET ROLE timeline_reader;
SELECT is((SELECT count(*) FROM ordcancel.timeline), 0::bigint, 'in the view its domain is not checked at all');
RESET ROLE;
SELECT ordcancel.grant_analyst('timeline_reader') \g /dev/null
SET ROLE timeline_reader;
SELECT is((SELECT count(*)
           FROM ordcancel.timeline('shop.coded', '("ab''\\c","2026-05-06 07:08:09.123456+00")'::text)),
          1::bigint, 'in the function of an order, as the owner of the table');
SELECT is((SELECT count(*) FROM ordcancel.cancellations('shop.coded')), 1::bigint, 'and of a table');
RESET ROLE;

-- ------------------------------------------------------------------------- cost

CREATE FUNCTION reads() RETURNS bigint LANGUAGE sql AS $$
SELECT sum(pg_stat_get_xact_tuples_returned(c.oid) + pg_stat_get_xact_tuples_fetched(c.oid))::bigint
FROM pg_class AS c WHERE c.relname LIKE 'orders_cancellation%'
$$;
CREATE FUNCTION rows_read(key integer) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    before CONSTANT bigint := reads();
BEGIN
    PERFORM FROM ordcancel.timeline('shop.orders', key);
    RETURN reads() - before;
END $$;
SELECT rows_read(11) AS alone \gset
SET session_replication_role = replica;
INSERT INTO shop.orders_cancellation (cancellation_id, order_key, state, requested_by, policy, requested_at, decided_at,
                                      closed_at, order_id)
SELECT n, n::text, 'canceled', 'merchant', 'default', now(), now(), now(), n FROM generate_series(1000, 60999) AS n;
INSERT INTO shop.orders_cancellation_event (event_id, cancellation_id, order_key, type, state, party, session_role, at,
                                            source, xid, cluster, orders, order_id)
SELECT n, n, n::text, 'canceled', 'canceled', 'merchant', 'postgres', now(), 'cancel_order', 3, 1, 'shop.orders', n
FROM generate_series(1000, 60999) AS n;
RESET session_replication_role;
ANALYZE shop.orders_cancellation, shop.orders_cancellation_event;
SELECT cmp_ok(rows_read(11), '<=', 2 * :alone::bigint, '60,000 cancellations of other orders are not read');
SELECT is((SELECT count(*) FROM ordcancel.timeline('shop.orders', 11)), 6::bigint, 'by the same rows');
SELECT cmp_ok(:alone, '<', 100, 'and few are read at all');
SELECT * FROM finish();
