-- Statuses to which a canceled order may move on: it remains canceled.
BEGIN;
\ir include/helpers.sql
SELECT plan(65);
SET LOCAL timezone = 'UTC';
SET LOCAL ordcancel.clock = '2026-05-05 12:00+00';

CREATE SCHEMA shop;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text, due numeric, supplier text);
CREATE TABLE shop.shipments (id serial PRIMARY KEY, order_id integer);
SELECT ordcancel.attach('shop.orders', 'status', refund_due => 'due', policy_by => 'supplier');
SELECT ordcancel.set_policy('shop.orders', requested_status => 'asked', in_progress_status => 'refunding',
                            canceled_status => 'canceled', customer_canceled_status => 'withdrawn');
SELECT ordcancel.set_rule('shop.orders', 'placed', customer => 'cancel', merchant => 'cancel');
SELECT ordcancel.set_rule('shop.orders', 'preparing', customer => 'request', merchant => 'cancel');
SELECT ordcancel.set_rule('shop.orders', 'completed');
SELECT ordcancel.attach_child('shop.shipments', 'shop.orders', '{order_id}');

CREATE FUNCTION set_status(id integer, status text) RETURNS text
    LANGUAGE sql AS $$ SELECT attempt(format('UPDATE shop.orders SET status = %L WHERE id = %s', status, id)) $$;

CREATE FUNCTION types_of(id integer) RETURNS text
    LANGUAGE sql AS $$ SELECT array_to_string(events_of(id::text, shown => 'type'), ', ') $$;

-- ------------------------------------------------------- without it
INSERT INTO shop.orders VALUES (1, 'placed'), (2, 'placed');
SELECT is(outcome_of($$cancel_order('shop.orders', 1, 'out_of_stock')$$), 'canceled canceled', 'canceled');
SELECT is(set_status(1, 'archived'), '23514 order_is_canceled', 'by default a canceled order does not move on');

-- ------------------------------------------------------- set_policy
SELECT alike(ordcancel.set_policy('shop.orders', closed_statuses => '{archived,void,archived}'),
            '%closed_statuses: none -> {archived,void}%', 'set_policy says what changed');
SELECT is(attempt(format('SELECT ordcancel.set_policy(''shop.orders'', closed_statuses => %L)', ARRAY[s])), 'OC014',
          'a status cannot be closed that the policy calls ' || s)
FROM unnest('{asked,refunding,canceled,withdrawn}'::text[]) AS s;
SELECT is(attempt($$SELECT ordcancel.set_policy('shop.orders', canceled_status => 'archived')$$), 'OC014',
          'nor does a closed status become the canceled one');
SELECT is(attempt($$SELECT ordcancel.set_policy('shop.orders', reopen_statuses => '{void}')$$), 'OC014',
          'nor a closed one reopen');
SELECT is(attempt($$SELECT ordcancel.set_policy('shop.orders', closed_statuses => '{NULL}')$$), 'OC014', 'nor NULL');

-- ------------------------------------------------------- a canceled order
SELECT is(set_status(1, 'archived'), 'ok', 'a canceled order is archived');
SELECT is(types_of(1), 'canceled', 'there is no event, since nothing happens to the cancellation');
SELECT is((SELECT concat_ws(' ', state, order_status, prior_status) FROM shop.orders_cancellation WHERE order_id = 1),
          'canceled archived placed', 'the record follows');
SELECT is(outcome_of($$cancel_order('shop.orders', 1)$$, 'concat_ws('' '', state, changed, order_status)'),
          'canceled f archived', 'it is already canceled');
SELECT is(outcome_of($$request_cancel('shop.orders', 1)$$, 'concat_ws('' '', state, changed)'), 'canceled f',
          'for the customer, too');
SELECT is((SELECT string_agg(verb || ' ' || outcome, ', ' ORDER BY verb)
           FROM ordcancel.cancel_options('shop.orders', 1) WHERE allowed AND outcome <> 'already'),
          'adjust_refund in_progress, undo_cancel undone',
          'it can be undone, and its amount changed');
SELECT is(attempt('INSERT INTO shop.shipments (order_id) VALUES (1)'), '23514 order_is_canceled', 'nothing is shipped');
SELECT is((SELECT string_agg(problem, ', ') FROM ordcancel.health WHERE detail LIKE '%archived%'), NULL,
          'health finds nothing wrong');
SELECT is((SELECT concat_ws(' ', orders_now, means, problem) FROM ordcancel.overview('shop.orders')
           WHERE status = 'archived'), '1 closed', 'overview knows the status');
SELECT is(set_status(1, 'void'), 'ok', 'from one closed status to another');
SELECT is(set_status(1, 'withdrawn'), '23514 order_is_canceled', 'not back to a canceled status it did not have');
SELECT is(set_status(1, 'canceled'), 'ok', 'back to the one it had');
SELECT is(set_status(1, 'archived'), 'ok', 'and archived again');
SELECT is(error_of($$UPDATE shop.orders SET status = 'placed' WHERE id = 1$$),
          '23514 | order 1 of shop.orders is canceled | Its status cannot change from "archived" to "placed". |'
          ' Call ordcancel.undo_cancel() to undo the cancellation.', 'an ordinary status is refused');
SELECT is(set_status(1, 'asked'), '23514 order_is_canceled', 'and that of a request');
SELECT is(outcome_of($$undo_cancel('shop.orders', 1)$$), 'undone placed', 'undo gives the prior status back');
SELECT is(types_of(1), 'canceled, undone', 'with its event');
SELECT is((SELECT concat_ws(' ', from_status, to_status) FROM shop.orders_cancellation_event
           WHERE order_id = 1 AND type = 'undone'), 'archived placed', 'which has both statuses');

SET LOCAL ordcancel.party = 'customer';
SELECT is(outcome_of($$request_cancel('shop.orders', 2)$$), 'canceled withdrawn', 'canceled by the customer');
SELECT is(set_status(2, 'archived'), 'ok', 'archiving is no matter of party');
SELECT is(set_status(2, 'canceled'), '23514 order_is_canceled', 'what the customer canceled');
SELECT is(set_status(2, 'withdrawn'), 'ok', 'goes back to the customer''s status');
RESET ordcancel.party;

-- ------------------------------------------------------- other orders
INSERT INTO shop.orders VALUES (3, 'completed', 0), (4, 'placed', 5), (5, 'preparing', 0), (6, 'canceled', 0),
    (7, 'placed', 0);
SELECT is(set_status(3, 'archived'), 'ok', 'a completed order is archived as well');
SELECT is(outcome_of($$cancel_order('shop.orders', 3)$$), 'OC003', 'that does not make it canceled');
SELECT is(set_status(3, 'completed'), 'ok', 'and it may come back');
SELECT is(outcome_of($$cancel_order('shop.orders', 4)$$), 'in_progress refunding', 'one in progress');
SELECT is(set_status(4, 'archived'), '23514 order_is_canceled', 'is not archived before it is refunded');
SELECT is(outcome_of($$record_refund('shop.orders', 4, 5, 'card')$$), 'canceled canceled', 'but');
SELECT is(set_status(4, 'archived'), 'ok', 'afterwards');
SELECT is(outcome_of($$undo_cancel('shop.orders', 4)$$), 'OC009', 'a refund must be settled before an undo');
SELECT is(outcome_of($$undo_cancel('shop.orders', 4, settled => true)$$), 'undone placed', 'as always');
SELECT is(outcome_of($$request_cancel('shop.orders', 5)$$), 'requested asked', 'a request');
SELECT is(set_status(5, 'archived'), 'ok', 'is denied when the order is archived');
SELECT is(types_of(5), 'requested, denied', 'as by any move');
SELECT is(set_status(6, 'archived'), 'ok', 'an order imported as canceled is archived');
SELECT is((SELECT count(*)::integer FROM shop.orders_cancellation WHERE order_id = 6), 0, 'without a record');
SELECT is(set_status(6, 'placed'), 'ok', 'then nothing tells that it was canceled');

-- ------------------------------------------------------- policies
SELECT ordcancel.set_policy('shop.orders', policy => 'acme', unset => '{closed_statuses}');
SELECT is(outcome_of($$cancel_order('shop.orders', 7)$$), 'canceled canceled', 'canceled');
UPDATE shop.orders SET status = 'archived' WHERE id = 7;
SELECT is(attempt($$UPDATE shop.orders SET supplier = 'acme' WHERE id = 7$$), 'ok',
          'the policy of an archived order changes');
SELECT is(outcome_of($$cancel_order('shop.orders', 7)$$, 'concat_ws('' '', state, changed)'), 'canceled f',
          'to one without the status: the order remains canceled');
SELECT is(set_status(7, 'canceled'), '23514 order_is_canceled', 'and stays where it is');
UPDATE shop.orders SET supplier = NULL WHERE id = 7;
SELECT ordcancel.set_policy('shop.orders', unset => '{closed_statuses}');
SELECT is(outcome_of($$cancel_order('shop.orders', 7)$$, 'concat_ws('' '', state, changed)'), 'canceled f',
          'so it does if the setting is taken back');
SELECT is((SELECT string_agg(problem, ', ') FROM ordcancel.health WHERE problem = 'order_and_record_differ'), NULL,
          'which health does not take for a difference');
SELECT ordcancel.set_policy('shop.orders', closed_statuses => '{archived}');

-- ------------------------------------------------------- deleted and inserted again
SELECT ordcancel.set_rule('shop.orders', 'archived', deletable => true);
SELECT is(attempt('DELETE FROM shop.orders WHERE id = 7'), 'ok', 'an archived order is deleted');
SELECT is(attempt($$INSERT INTO shop.orders VALUES (7, 'placed')$$), '23514 order_is_canceled',
          'and not inserted again as placed');
SELECT is(attempt($$INSERT INTO shop.orders VALUES (7, 'void')$$), '23514 order_is_canceled',
          'nor with another status');
SELECT ordcancel.set_policy('shop.orders', closed_statuses => '{archived,void}');
SELECT is(attempt($$INSERT INTO shop.orders VALUES (7, 'void')$$), 'ok', 'but with a closed one, as from a backup');
SELECT is((SELECT order_status FROM shop.orders_cancellation WHERE order_id = 7), 'void', 'and the record follows');

-- ------------------------------------------------------- plain_updates, triggers, export
SELECT ordcancel.attach('shop.orders', plain_updates => false);
INSERT INTO shop.orders VALUES (8, 'placed'), (9, 'placed');
SELECT is(outcome_of($$cancel_order('shop.orders', 8)$$), 'canceled canceled', 'canceled by the function');
SELECT is(set_status(8, 'archived'), 'ok', 'archiving neither begins nor ends a cancellation');
CREATE FUNCTION shop.archive() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE shop.orders SET status = 'archived' WHERE id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER archive AFTER UPDATE ON shop.orders FOR EACH ROW WHEN (NEW.status = 'canceled')
    EXECUTE FUNCTION shop.archive();
SELECT is(outcome_of($$cancel_order('shop.orders', 9)$$), 'canceled archived', 'a trigger archives what is canceled');
SELECT is((SELECT order_status FROM shop.orders_cancellation WHERE order_id = 9), 'archived', 'and the record says so');
SELECT alike(ordcancel.export_setup('shop.orders'), '%closed_statuses => ''{archived,void}''%', 'export_setup has it');
SELECT is(error_of(format($$SELECT ordcancel.set_policy('shop.orders', %s => (SELECT array_agg('s' || n)
                                   FROM generate_series(1, 101) AS n))$$, a), 'sqlstate', 'message'),
          'OC014 | closed_statuses and reopen_statuses cannot have more than 100 statuses each', 'too many ' || a)
FROM unnest('{closed_statuses,reopen_statuses}'::text[]) AS a;
SELECT * FROM finish();
ROLLBACK;
