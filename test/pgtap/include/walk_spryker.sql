-- The walk of walk_spryker.sql, in the schema of the search_path.

-- The window is a timeout of the state "confirmed": it counts from when the
-- order was confirmed, and before that there is none.
SELECT ordcancel.attach('orders', 'status', placed_at => 'confirmed_at');
SELECT ordcancel.apply_preset('orders', 'spryker');
SELECT format('GRANT USAGE ON SCHEMA %I TO walk_shopper, walk_clerk', current_schema) \gexec
GRANT SELECT, INSERT, UPDATE, DELETE ON orders TO walk_shopper, walk_clerk;
SET LOCAL ordcancel.clock = '2026-05-05 12:00+00';
INSERT INTO orders (id, status, confirmed_at) SELECT n, 'confirmed', '2026-05-05 11:45+00'
FROM generate_series(1, 19) AS n;

-- ------------------------------------------------------------- the page

SELECT is(customer($$request_cancel('orders', 1)$$), 'canceled canceled',
          :'kind' || ': "allow your customers to cancel orders within a defined period"');
SELECT is(story_of(1), 'canceled confirmed>canceled customer',
          :'kind' || ': "avoid doing it manually on your side": nobody else has a part in it');
SELECT is(customer($$request_cancel('orders', 2, 'customer_changed_mind', 'the blue one instead')$$),
          'canceled canceled',
          :'kind' || ': "a customer may change their mind about the color"');
SELECT is(customer($$UPDATE orders SET status = 'canceled' WHERE id = 3$$) || ', ' || status_of(3, 'orders'),
          'ok, canceled',
          :'kind' || ': "they can cancel the order right away", also with a plain update');
SELECT is(customer($$INSERT INTO orders (id, status, item) VALUES (20, 'new', 'the blue one')$$) || ', '
          || button('customer', 'request_cancel', 20),
          'ok, canceled', :'kind' || ': "and re-place it with the desired color": an order like any other');

-- ---------------------------------------------- timeframes and statuses

SELECT is(button('customer', 'request_cancel', 4), 'canceled until 05-05 12:15',
          :'kind' || ': "by default, the time period is 30 minutes"');
SET LOCAL ordcancel.clock = '2026-05-05 12:15+00';
SELECT is(customer($$request_cancel('orders', 4)$$), 'canceled canceled',
          :'kind' || ': at its very end the period is not over');
SET LOCAL ordcancel.clock = '2026-05-05 12:15:00.000001+00';
-- In Spryker it is over when a cron job runs next; here on the microsecond.
SELECT is(customer($$request_cancel('orders', 5)$$), 'OC004',
          :'kind' || ': "a customer can cancel only within a defined time period"');
SELECT is(customer($$UPDATE orders SET status = 'canceled' WHERE id = 5$$), '23514 grace_period_over',
          :'kind' || ': with a plain update too');
SELECT is(button('customer', 'request_cancel', 5), 'none: grace_period_over',
          :'kind' || ': "after the period has passed, the buttons are not available"');
SELECT is(status_of(5, 'orders') || ', events: ' || story_of(5), 'confirmed, events: none',
          :'kind' || ': and the order stays as it is');
SELECT is(button('merchant', 'cancel_order', 5), 'canceled',
          :'kind' || ': the back office has its button still, without an end');
SELECT is(merchant($$cancel_order('orders', 5, 'fraud')$$), 'canceled canceled',
          :'kind' || ': "a Back Office user can skip the cancellation time period"');
SELECT is(merchant($$UPDATE orders SET status = 'canceled' WHERE id = 6$$), 'ok',
          :'kind' || ': with a plain update too');
SELECT is(story_of(6), 'canceled confirmed>canceled merchant',
          :'kind' || ': "on customers'' behalf": the record says who it was');

-- Another way to skip it: the event "skip timeout" by hand.
SET LOCAL ordcancel.clock = '2026-05-05 12:00+00';
SELECT is(merchant($$UPDATE orders SET status = 'waiting' WHERE id = 7$$), 'ok',
          :'kind' || ': the manual event "skip timeout" moves confirmed to waiting');
SELECT is(customer($$request_cancel('orders', 7)$$), 'OC003 | The time to cancel is over; the order is being exported.',
          :'kind' || ': the order is in another state then, although the 30 minutes are not over');

-- The states. On those that come after "confirmed" the page is silent; the
-- process does not call them cancellable, so the preset forbids them.
INSERT INTO orders (id, status, confirmed_at)
SELECT 10 * tens + n, state:: :type, CASE WHEN n >= 4 THEN timestamptz '2026-05-05 11:45+00' END
FROM states, generate_series(2, 4) AS tens WHERE 10 * tens + n <> 20;
SELECT is(customer(format($$request_cancel('orders', %s)$$, 20 + n)), 'canceled canceled',
          format('%s: a customer may cancel in the state "%s", which is cancellable', :'kind', state))
FROM states WHERE flagged ORDER BY n;
SELECT is(merchant(format($$cancel_order('orders', %s)$$, 30 + n)), 'canceled canceled',
          format('%s: and so may the back office in "%s"', :'kind', state))
FROM states WHERE flagged ORDER BY n;
SELECT is(left(customer(format($$request_cancel('orders', %s)$$, 20 + n)), 5), 'OC003',
          format('%s: a customer may not cancel in "%s", which is not', :'kind', state))
FROM states WHERE NOT flagged ORDER BY n;
SELECT is(left(merchant(format($$cancel_order('orders', %s)$$, 30 + n)), 5), 'OC003',
          format('%s: nor may the back office in "%s"', :'kind', state))
FROM states WHERE NOT flagged ORDER BY n;
SELECT results_eq($$SELECT n FROM states WHERE button('customer', 'request_cancel', 40 + n) NOT LIKE 'none%'
                        ORDER BY n$$,
                  'SELECT n FROM states WHERE flagged ORDER BY n',
                  :'kind' || ': the page shows the button in the cancellable states, and only there');
SELECT is(customer($$request_cancel('orders', 27)$$) || ' ' || merchant($$cancel_order('orders', 38)$$),
          'OC003 | Process it as a return. OC003 | Process it as a return.',
          :'kind' || ': what is shipped or delivered is a return');
SELECT is(merchant($$UPDATE orders SET status = 'canceled' WHERE id = 37$$) || ', ' || status_of(37, 'orders'),
          '23514 cancellation_forbidden | Process it as a return., shipped',
          :'kind' || ': a plain update does not cancel what is shipped');

-- Before "confirmed" the process has no timeout.
SET LOCAL ordcancel.clock = '2026-05-09 12:00+00';
SELECT is(customer($$request_cancel('orders', 43)$$), 'canceled canceled',
          :'kind' || ': an order that is not confirmed may be canceled after days');
-- A shop that counts from when the order was placed instead.
SELECT ordcancel.attach('orders', 'status', placed_at => 'placed_at');
SET LOCAL ordcancel.clock = '2026-05-05 11:30:00.000001+00';
SELECT is(customer($$request_cancel('orders', 41)$$) || ' ' || customer($$request_cancel('orders', 42)$$),
          'OC004 OC004',
          :'kind' || ': counted from placed_at, the 30 minutes end in the other states as well');
SELECT ordcancel.attach('orders', 'status', placed_at => 'confirmed_at');
SET LOCAL ordcancel.clock = '2026-05-05 12:00+00';

-- Items are a table of the shop's, of which the preset cannot know: the shop
-- adds a block.
CREATE TABLE items (order_id integer, state text);
SELECT ordcancel.add_block('orders', 'items', $$EXISTS (
    SELECT FROM items AS i
    WHERE i.order_id = orders.id AND i.state NOT IN ('new', 'payment pending', 'paid', 'confirmed'))$$,
        'An item is on its way.');
INSERT INTO items VALUES (8, 'confirmed'), (8, 'exported'), (9, 'paid'), (9, 'confirmed');
SELECT is(customer($$request_cancel('orders', 8)$$), 'OC005 | An item is on its way.',
          :'kind' || ': "if at least one of the items in an order is in a different state": not to be canceled');
SELECT is(merchant($$cancel_order('orders', 8)$$), 'OC005 | An item is on its way.',
          :'kind' || ': not by the back office either');
SELECT is(button('customer', 'request_cancel', 8), 'none: cancellation_blocked',
          :'kind' || ': "the buttons are not available"');
SELECT is(customer($$request_cancel('orders', 9)$$), 'canceled canceled',
          :'kind' || ': "only if all the included items are in the states that are defined as cancellable"');

SELECT ordcancel.set_policy('orders', grace => '2 hours');
SELECT ordcancel.set_rule('orders', 'waiting', customer => 'cancel');
SET LOCAL ordcancel.clock = '2026-05-05 13:45+00';
SELECT is(customer($$request_cancel('orders', 10)$$) || '; ' || customer($$request_cancel('orders', 45)$$),
          'canceled canceled; canceled canceled',
          :'kind' || ': "a developer can configure different order states to be cancellable and change the time '
                     'period"');
SELECT ordcancel.apply_preset('orders', 'spryker');
SELECT is(customer($$request_cancel('orders', 11)$$) || '; ' || button('customer', 'request_cancel', 7),
          'OC004; none: cancellation_forbidden', :'kind' || ': the preset applied again is as it was');
SET LOCAL ordcancel.clock = '2026-05-05 12:00+00';

-- "Ensure that the refunded state always goes before the cancelled state". The
-- preset has no state "refunded": the order stays where it is meanwhile.
SELECT ordcancel.attach('orders', 'status', placed_at => 'confirmed_at', refund_due => 'paid');
UPDATE orders SET paid = 50 WHERE id = 12;
SELECT is(customer($$request_cancel('orders', 12)$$), 'in_progress confirmed',
          :'kind' || ': "refunded always goes before cancelled": paid for, it is not canceled at once');
SELECT is(left(merchant($$UPDATE orders SET status = 'canceled' WHERE id = 12$$), 24), '23514 refund_not_settled',
          :'kind' || ': nor by a plain update');
SELECT is(left(merchant($$UPDATE orders SET status = 'exported' WHERE id = 12$$), 23), '23514 order_is_canceled',
          :'kind' || ': nor does it go on to the warehouse');
SELECT is(merchant($$record_refund('orders', 12, 50, 'card')$$), 'canceled canceled',
          :'kind' || ': refunded, it is canceled');
SELECT is(left(merchant($$record_refund('orders', 12, 50, 'card')$$), 5), 'OC007',
          :'kind' || ': and not refunded again');

-- ---------------------------------------------------- what is not there

-- The process writes "cancelled", the pages "canceled": so does the preset.
SELECT is(merchant($$undo_cancel('orders', 1)$$) || ', ' || button('merchant', 'undo_cancel', 1),
          'OC008, none: undo_not_allowed',
          :'kind' || ': no undo');
SELECT is(left(merchant(format($$UPDATE orders SET status = %L WHERE id = 1$$, state)), 23), '23514 order_is_canceled',
          format('%s: no transition leads from canceled to "%s"', :'kind', state))
FROM states WHERE n IN (1, 4, 7) ORDER BY n;
SELECT is(customer($$request_cancel('orders', 1)$$) || '; ' || merchant($$cancel_order('orders', 1)$$),
          'canceled canceled unchanged; canceled canceled unchanged',
          :'kind' || ': canceled again, nothing changes');
SELECT is(story_of(1), 'canceled confirmed>canceled customer', :'kind' || ': and nothing is told');
SELECT is(merchant($$accept_cancel('orders', 14)$$) || ' ' || merchant($$deny_cancel('orders', 14, 'no')$$) || ' ' ||
          customer($$withdraw_cancel('orders', 14)$$), 'OC007 OC007 OC007',
          :'kind' || ': no request and no approval: nothing to accept, to deny, to withdraw');
-- On deleting the page is silent; the preset keeps every order.
SELECT is(left(merchant($$DELETE FROM orders WHERE id = 14$$), 28) || ', '
          || left(merchant($$DELETE FROM orders WHERE id = 1$$), 28),
          '23514 cancellation_forbidden, 23514 cancellation_forbidden', :'kind' || ': no order is deleted');
