-- Where settlement, also_set, soft deletes and timers meet.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
SELECT plan(20);
SET LOCAL timezone = 'UTC';
SET LOCAL ordcancel.clock = '2026-05-05 12:00+00';
CREATE SCHEMA shop;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text NOT NULL DEFAULT 'placed', paid numeric DEFAULT 40,
                          deleted_at timestamptz, since timestamptz DEFAULT '2026-05-05 11:00+00',
                              canceled_at timestamptz,
                          CHECK ((status = 'canceled') = (canceled_at IS NOT NULL)));
SELECT ordcancel.attach('shop.orders', 'status', refund_due => 'paid', deleted_when => 'deleted_at IS NOT NULL',
                        status_since => 'since');
SELECT ordcancel.set_policy('shop.orders', in_progress_status => 'refunding', canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.orders', 'placed', merchant => 'cancel', deletable => true, expire_after => '1 day'),
       ordcancel.set_rule('shop.orders', 'canceled', deletable => true);
SELECT ordcancel.also_set('shop.orders', 'canceled', 'canceled_at', 'cancellation.closed_at');
INSERT INTO shop.orders SELECT generate_series(1, 9);

-- A completed cancellation that is in progress again gives back what "canceled" set.
SELECT outcome_of($$cancel_order('shop.orders', 1)$$);
SELECT is(outcome_of($$record_refund('shop.orders', 1, 40, 'card', 'r1')$$), 'canceled canceled', 'refunded');
SELECT is(outcome_of($$record_refund('shop.orders', 1, -40, 'card', 'r1')$$), 'in_progress refunding', 'it fails');
SELECT is((SELECT canceled_at FROM shop.orders WHERE id = 1), NULL, 'it is not canceled');
SELECT is(outcome_of($$record_refund('shop.orders', 1, 40, 'card', 'r2')$$), 'canceled canceled', 'paid again');
SELECT is((SELECT canceled_at FROM shop.orders WHERE id = 1), '2026-05-05 12:00+00', 'it is');
SELECT is(outcome_of($$adjust_refund('shop.orders', 1, 50, 'late')$$), 'in_progress refunding', 'adjusted');
SELECT is(outcome_of($$undo_cancel('shop.orders', 1, settled => true)$$), 'undone placed', 'and undone');
SELECT is((SELECT canceled_at FROM shop.orders WHERE id = 1), NULL, 'as before');
SELECT is_empty('SELECT * FROM ordcancel.health(''shop.orders'')', 'all is well');

-- A canceled order is not deleted while a refund is due.
SELECT ordcancel.set_policy('shop.orders', settlement => 'after_canceled');
SELECT outcome_of($$cancel_order('shop.orders', 2)$$);
SELECT is(error_of('DELETE FROM shop.orders WHERE id = 2', 'sqlstate', 'detail'),
          '23514 | A refund of its cancellation is due.', 'not by DELETE');
SELECT is(attempt('UPDATE shop.orders SET deleted_at = now() WHERE id = 2'), '23514 cancellation_forbidden',
          'nor softly');
SELECT outcome_of($$record_refund('shop.orders', 2, 40, 'cash')$$);
SELECT is(attempt('UPDATE shop.orders SET deleted_at = now() WHERE id = 2'), 'ok', 'refunded, it is');
SELECT is((SELECT count(*) FROM ordcancel.refunds_due), 0::bigint, 'nothing is due');

-- A deleted order does not expire.
SELECT is(attempt('UPDATE shop.orders SET deleted_at = now() WHERE id = 3'), 'ok', 'an order is deleted');
SET LOCAL ordcancel.clock = '2026-05-09 12:00+00';
SELECT is((SELECT string_agg(order_id, ' ' ORDER BY order_id) FROM ordcancel.timers WHERE overdue), '1 4 5 6 7 8 9',
          'timers does not show it');
SELECT is((SELECT count(*) FROM ordcancel.timers('shop.orders')), 7::bigint, 'nor does the function');
CALL ordcancel.sweep();
SELECT is((SELECT count(*) FROM ordcancel.timers), 0::bigint, 'the others are canceled');
SELECT is(status_of(3), 'placed', 'it is not');
SELECT is((SELECT xmax::text FROM shop.orders WHERE id = 3), '0', 'nor even locked');
SELECT is_empty('SELECT * FROM ordcancel.health(''shop.orders'')', 'and all is well');

SELECT * FROM finish();
ROLLBACK;
