-- prune_cancellations: old cancellations that nothing needs any more go, with
-- their items and events; what is in effect, was paid back or is unread stays.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
\ir include/items.sql
SELECT no_plan();

CREATE ROLE prune_nobody;
CREATE ROLE prune_janitor;
CREATE ROLE prune_owner;
CREATE SCHEMA shop AUTHORIZATION prune_owner;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text, paid numeric DEFAULT 0);
CREATE TABLE shop.items (id integer PRIMARY KEY, order_id integer, quantity integer, canceled integer DEFAULT 0,
                         price numeric);
CREATE TABLE shop.parts (a integer, b text, status text, PRIMARY KEY (a, b)) PARTITION BY RANGE (a);
CREATE TABLE shop.parts_1 PARTITION OF shop.parts FOR VALUES FROM (0) TO (10);
CREATE TABLE shop.parts_2 PARTITION OF shop.parts FOR VALUES FROM (10) TO (20);
INSERT INTO shop.orders SELECT n, 'placed', CASE WHEN n IN (4, 6, 9, 10, 15, 17) THEN 30 ELSE 0 END
FROM generate_series(1, 20) AS n;
INSERT INTO shop.items SELECT n * 10, n, 3, 0, 5 FROM generate_series(1, 20) AS n;
INSERT INTO shop.parts SELECT n, 'x', 'placed' FROM generate_series(1, 19) AS n;
ALTER TABLE shop.orders OWNER TO prune_owner;
ALTER TABLE shop.items OWNER TO prune_owner;
SELECT ordcancel.attach(t, 'status') FROM unnest('{shop.orders,shop.parts}'::regclass[]) AS t;
SELECT ordcancel.attach('shop.orders', refund_due => 'paid');
SELECT ordcancel.set_policy(t, canceled_status => 'canceled', requested_status => 'asked',
                            in_progress_status => 'refunding'),
       ordcancel.set_rule(t, 'placed', customer => 'request', merchant => 'cancel'),
       ordcancel.set_rule(t, 'canceled', deletable => true)
FROM unnest('{shop.orders,shop.parts}'::regclass[]) AS t;

-- The orders that have cancellations, items or events on record.
CREATE FUNCTION remembered(records text DEFAULT 'shop.orders_cancellation') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    keys text;
BEGIN
    EXECUTE format('SELECT string_agg(DISTINCT order_key, '' '' ORDER BY order_key) FROM %s', records) INTO keys;
    RETURN keys;
END
$$;
CREATE FUNCTION prune(older_than interval DEFAULT '1 year', orders text DEFAULT 'shop.orders') RETURNS bigint
    LANGUAGE sql AS $$ SELECT ordcancel.prune_cancellations(orders::regclass, older_than) $$;
CREATE FUNCTION drain(name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    WHILE (SELECT ordcancel.ack(name, max(event_id)) FROM ordcancel.next_events(name, 1000)) LOOP
    END LOOP;
END
$$;
CREATE FUNCTION order_is_gone(id integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    ALTER TABLE shop.orders DISABLE TRIGGER USER;
    DELETE FROM shop.orders AS o WHERE o.id = order_is_gone.id;
    ALTER TABLE shop.orders ENABLE TRIGGER USER;
END
$$;

-- ------------------------------------------------------------- what may go

SET LOCAL ordcancel.clock = '2025-01-01 12:00+00';
SELECT ordcancel.request_cancel('shop.orders', 1), ordcancel.deny_cancel('shop.orders', 1, 'no'),
       ordcancel.request_cancel('shop.orders', 2), ordcancel.withdraw_cancel('shop.orders', 2),
       ordcancel.cancel_order('shop.orders', 3), ordcancel.undo_cancel('shop.orders', 3),
       ordcancel.cancel_order('shop.orders', 4), ordcancel.record_refund('shop.orders', 4, 10, 'cash', 'pay_4'),
       ordcancel.undo_cancel('shop.orders', 4),
       ordcancel.request_cancel('shop.orders', 5),
       ordcancel.cancel_order('shop.orders', 6),
       ordcancel.cancel_order('shop.orders', 7),
       ordcancel.cancel_order('shop.orders', 8),
       ordcancel.cancel_order('shop.orders', 9), ordcancel.record_refund('shop.orders', 9, 30, 'cash', 'pay_9'),
       ordcancel.cancel_order('shop.orders', 10), ordcancel.request_cancel('shop.orders', 11),
       ordcancel.cancel_order('shop.orders', 15), ordcancel.record_refund('shop.orders', 15, 10, 'cash', 'pay_15'),
       ordcancel.undo_cancel('shop.orders', 15);
DELETE FROM shop.orders WHERE id IN (8, 9);
SELECT order_is_gone(n) FROM unnest('{10,11,15}'::integer[]) AS n;
SET LOCAL ordcancel.clock = '2026-05-05 12:00+00';
SELECT ordcancel.request_cancel('shop.orders', 12), ordcancel.deny_cancel('shop.orders', 12, 'no');

SELECT is(prune('2 years'), 0::bigint, 'nothing is that old');
SELECT is(prune(), 6::bigint, 'prune_cancellations returns how many it deleted');
SELECT is(remembered(), '10 11 12 4 5 6 7',
          'kept are what is open, in effect or recent, and what was paid back for an order that exists');
SELECT is(remembered('shop.orders_cancellation_event'), '10 11 12 4 5 6 7', 'the events go with them, of refunds too');
SELECT is(prune(), 0::bigint, 'again there is nothing to delete');

-- What stayed is enough for every later call.
SELECT is(outcome_of($$record_refund('shop.orders', 4, 10, 'cash', 'pay_4')$$), 'undone placed unchanged',
          'a refund of an undone cancellation is recognized');
SELECT is(outcome_of($$cancel_order('shop.orders', 4)$$, 'refund_due'), '20',
          'what the customer kept is not due again');
SELECT is(outcome_of($$cancel_order('shop.orders', 7)$$), 'canceled canceled unchanged',
          'a canceled order is canceled');
SELECT is(outcome_of($$undo_cancel('shop.orders', 7)$$), 'undone placed', 'and can be undone');
SELECT is(outcome_of($$accept_cancel('shop.orders', 5)$$), 'canceled canceled', 'a request is accepted');
SELECT is(outcome_of($$request_cancel('shop.orders', 1)$$), 'requested asked', 'an order without records begins anew');

-- What the NOTICE says; t/erasure.sh shows it.
SELECT is((SELECT concat_ws(' ', deleted, in_effect, counted, unread)
           FROM ordcancel_internal.delete_cancellations('shop.orders', '2026-05-05 13:00+00', 9223372036854775807)),
          '2 1 1 0', 'what is kept is counted by the reason');

-- ------------------------------------------------------------------ consumers

SELECT drain(n) FROM (SELECT ordcancel.create_consumer('slow'), 'slow' AS n) AS c;
SELECT ordcancel.create_consumer('others', 'shop.parts');
SELECT ordcancel.request_cancel('shop.orders', n), ordcancel.deny_cancel('shop.orders', n, 'no')
FROM unnest('{13,14,16}'::integer[]) AS n;
SET LOCAL ordcancel.clock = '2028-01-01 12:00+00';
SELECT is(prune(), 0::bigint, 'a consumer has not read the events');
SELECT is(remembered('shop.orders_cancellation_event') ~ '13 14 16', true, 'they are there for it');
SELECT ordcancel.ack('slow', (SELECT max(event_id) FROM ordcancel.next_events('slow') WHERE order_key = '13'));
SELECT is(prune(), 1::bigint, 'of one order it has');
SELECT ordcancel.skip_event('slow', (SELECT max(event_id) FROM shop.orders_cancellation_event WHERE order_key = '16'));
SELECT drain('slow');
SELECT is(prune(), 1::bigint, 'what it has set aside is kept');
SELECT is(remembered() ~ '16' AND remembered() !~ '13|14', true, 'and nothing else');
SELECT ordcancel.drop_consumer('slow');
SELECT is(prune(), 1::bigint, 'a consumer of another table does not count');

-- ----------------------------------------------------------------------- items

SELECT ordcancel.attach_items('shop.items', 'shop.orders', key => '{order_id}', quantity => 'quantity',
                              canceled => 'canceled', amount => '(quantity - canceled) * price');
SELECT ordcancel.cancel_items('shop.orders', 17, '[{"item": 170, "quantity": 1}]');
SELECT ordcancel.undo_cancel('shop.orders', 17);
SELECT ordcancel.cancel_items('shop.orders', 17, '[{"item": 170, "quantity": 2}]');
UPDATE shop.items SET price = 4 WHERE id = 170;
SELECT ordcancel.undo_cancel('shop.orders', 17);
SELECT ordcancel.cancel_items('shop.orders', 17, '[{"item": 170, "quantity": 1}]');
UPDATE shop.items SET price = 3 WHERE id = 170;
SELECT ordcancel.cancel_items('shop.orders', 17, '[{"item": 170, "quantity": 1}]');
SELECT ordcancel.undo_cancel('shop.orders', 17, cancellation_id => cancellation_of(17, 3));
SELECT ordcancel.request_cancel_items('shop.orders', 18, '[{"item": 180}]'),
       ordcancel.withdraw_cancel('shop.orders', 18);
SET LOCAL ordcancel.clock = '2030-01-01 12:00+00';
SELECT is(prune(), 3::bigint, 'parts that were given back as they were taken, and one that was withdrawn');
SELECT is(parts_of(17), 'items undone 4/0, items in_progress 3/0',
          'a part that was given back at another price counts');
SELECT is((SELECT count(*) FROM shop.orders_cancellation_item WHERE cancellation_id NOT IN
           (SELECT cancellation_id FROM shop.orders_cancellation)), 0::bigint, 'no item stays behind');

-- ------------------------------------------------- keys, partitions, many rows

SELECT ordcancel.cancel_order('shop.parts', ROW(n, 'x')) FROM generate_series(1, 19) AS n;
ALTER TABLE shop.parts DETACH PARTITION shop.parts_2;
SET LOCAL ordcancel.clock = '2032-01-01 12:00+00';
SELECT ordcancel.drop_consumer('others');
SELECT is(prune('1 year', 'shop.parts'), 10::bigint, 'the orders of a partition that was detached are gone');
SELECT is((SELECT count(*) FROM shop.parts_cancellation), 9::bigint, 'those of the other one are not');
INSERT INTO shop.orders SELECT n, 'placed' FROM generate_series(1001, 3500) AS n;
SELECT count(*) FROM ordcancel.cancel_orders('shop.orders', ARRAY(SELECT generate_series(1001, 3500)));
DELETE FROM shop.orders WHERE id BETWEEN 2001 AND 3500;
SET LOCAL ordcancel.clock = '2034-01-01 12:00+00';
SELECT is(prune(), 1500::bigint, 'many of them');
SELECT is((SELECT count(*) FROM shop.orders_cancellation WHERE order_id > 1000), 1000::bigint, 'and no others');

-- -------------------------------------------------------------------- who may

SELECT ordcancel.grant_customer('prune_nobody'), ordcancel.grant_merchant('prune_nobody'),
       ordcancel.grant_owner('prune_nobody'), ordcancel.grant_consumer('prune_nobody');
SELECT is(attempt_as('prune_nobody', $$SELECT ordcancel.prune_cancellations('shop.orders', '1 year')$$), '42501',
          'none of the short forms includes it');
GRANT USAGE ON SCHEMA shop TO prune_janitor;
GRANT EXECUTE ON FUNCTION ordcancel.prune_cancellations TO prune_janitor;
SELECT is(attempt_as('prune_janitor', $$SELECT ordcancel.prune_cancellations('shop.orders', '1 year')$$), 'ok',
          'EXECUTE is enough, as for prune_events');
SELECT is(attempt($$DELETE FROM shop.orders_cancellation$$), '23514 written_by_ordcancel',
          'nobody else may delete them');
SELECT is(attempt($$DELETE FROM shop.orders_cancellation_item$$), '23514 written_by_ordcancel', 'nor the items');

-- ---------------------------------------------------------------------- errors

SELECT is(error_of($$SELECT prune(NULL)$$), '22004 | older_than must not be null', 'no age');
SELECT is(error_of($$SELECT ordcancel.prune_cancellations(NULL, '1 year')$$, 'sqlstate'), 'OC001', 'no table');
SELECT is(error_of($$SELECT ordcancel.prune_cancellations('shop.items', '1 year')$$, 'sqlstate'), 'OC001',
          'not attached');
SELECT is((SELECT string_agg(problem || ' ' || detail, ', ') FROM ordcancel.health WHERE problem ~ 'record|status'),
          NULL, 'health has nothing to say about what was pruned');

SELECT * FROM finish();
ROLLBACK;
