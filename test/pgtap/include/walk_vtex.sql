-- The walk of walk_vtex.sql, in the schema of the search_path.

-- The grace period counts from the payment's approval.
SELECT ordcancel.attach('orders', 'status', placed_at => 'approved_at');
SELECT ordcancel.apply_preset('orders', 'vtex');
SELECT format('GRANT USAGE ON SCHEMA %I TO walk_shopper, walk_clerk', current_schema) \gexec
GRANT SELECT, INSERT, UPDATE, DELETE ON orders TO walk_shopper, walk_clerk;
SET LOCAL ordcancel.clock = '2026-05-05 12:00+00';
-- Approved at 11:00 all of them: late for the customer.
INSERT INTO orders (id, status, approved_at)
SELECT tens + n, status:: :type, '2026-05-05 11:00+00'
FROM (VALUES (0, 'handling'), (20, 'ready-for-handling'), (40, 'payment-approved')) AS s (tens, status),
     generate_series(1, 19) AS n;

-- ----------------------- "You can cancel an order in three different ways"

SELECT is(merchant($$cancel_order('orders', 41)$$), 'canceled canceled',
          :'kind' || ': "through the Orders module"');
SELECT is(merchant($$cancel_order('orders', 42, 'fraud', 'chargeback', actor => 'erp', request_key => 'receipt-7')$$),
          'canceled canceled',
          :'kind' || ': "through API"');
SELECT is(customer($$request_cancel('orders', 43, 'customer_changed_mind')$$),
          'requested cancellation-requested',
          :'kind' || ': "following the customer''s request"');
SELECT is(merchant($$UPDATE orders SET status = 'canceled' WHERE id = 44$$) || ', ' || status_of(44, 'orders'),
          'ok, canceled',
          :'kind' || ': and through an UPDATE of a program that knows nothing of it');

SELECT is(left(merchant(format($$UPDATE orders SET status = %L WHERE id = 41$$, status)), 23),
          '23514 order_is_canceled',
          format('%s: "once an order is canceled, you cannot change its status" to %s', :'kind', status))
FROM unnest('{payment-approved,ready-for-handling,handling,invoiced,cancellation-requested}'::text[]) AS status;
SELECT is(left(customer($$UPDATE orders SET status = 'handling' WHERE id = 41$$), 23), '23514 order_is_canceled',
          :'kind' || ': nor can the customer');
SELECT is(merchant($$undo_cancel('orders', 41)$$) || ', ' || button('merchant', 'undo_cancel', 41),
          'OC008, none: undo_not_allowed',
          :'kind' || ': there is no undo of it');
SELECT is(left(merchant($$DELETE FROM orders WHERE id = 41$$), 28) || ', ' || status_of(41, 'orders'),
          '23514 cancellation_forbidden, canceled',
          :'kind' || ': nor a deletion; it stays canceled');

INSERT INTO orders (id, status, approved_at) VALUES (61, 'invoiced', '2026-05-05 11:59+00'),
    (62, 'invoiced', '2026-05-05 11:00+00');
SELECT is(merchant($$cancel_order('orders', 61)$$),
          'OC003 | Invoiced orders cannot be canceled: issue a return invoice.',
          :'kind' || ': "orders that have invoiced status can not be canceled"');
SELECT is(customer($$request_cancel('orders', 61)$$),
          'OC003 | Invoiced orders cannot be canceled: issue a return invoice.',
          :'kind' || ': nor by the customer within the grace period');
SELECT is(left(merchant($$UPDATE orders SET status = 'canceled' WHERE id = 62$$), 28) || ', '
          || status_of(62, 'orders'),
          '23514 cancellation_forbidden, invoiced', :'kind' || ': nor by a plain update');

-- Invoices are a table of the shop's, of which the preset cannot know: the
-- shop adds a block.
CREATE TABLE invoices (order_id integer, amount numeric);
SELECT ordcancel.add_block('orders', 'partial invoice',
                           'EXISTS (SELECT FROM invoices AS i WHERE i.order_id = orders.id)',
                           'Change the order instead.');
SELECT is(merchant($$cancel_order('orders', 1)$$), 'requested cancellation-requested',
          :'kind' || ': an order that is asked for');
INSERT INTO invoices VALUES (1, 10), (2, 10), (45, 10);
SELECT is(merchant($$cancel_order('orders', 45)$$), 'OC005 | Change the order instead.',
          :'kind' || ': "orders with partial invoices cannot be canceled"');
SELECT is(merchant($$cancel_order('orders', 2)$$) || '; ' || customer($$request_cancel('orders', 2)$$),
          'OC005 | Change the order instead.; OC005 | Change the order instead.',
          :'kind' || ': nor asked for, by either party');
SELECT is(merchant($$cancel_order('orders', 1)$$), 'OC005 | Change the order instead.',
          :'kind' || ': nor confirmed, when it is invoiced in part after the request');
SELECT is(left(merchant($$UPDATE orders SET status = 'canceled' WHERE id = 45$$), 26), '23514 cancellation_blocked',
          :'kind' || ': nor by a plain update');
SELECT is(button('customer', 'request_cancel', 2) || ', ' || button('merchant', 'cancel_order', 45),
          'none: cancellation_blocked, none: cancellation_blocked', :'kind' || ': neither sees a button for it');
SELECT is(merchant($$UPDATE orders SET items = 'without the socks' WHERE id = 2$$), 'ok',
          :'kind' || ': "if the customer wants to replace or remove items, it is possible to change the order"');

-- ------------------------------ "Cancellation through Orders module"

SELECT is(merchant(format($$cancel_order('orders', %s, 'out_of_stock', actor => 'anna')$$, id)),
          'requested cancellation-requested',
          format('%s: in "%s" the first click: "the status changes to Cancellation requested"', :'kind', status))
FROM (VALUES (3, 'handling'), (21, 'ready-for-handling')) AS o (id, status);
SELECT is(button('merchant', 'cancel_order', 3), 'canceled until 06-04 12:00',
          :'kind' || ': the button is there for the second');
SELECT is(merchant(format($$cancel_order('orders', %s, actor => 'anna')$$, id)), 'canceled canceled',
          format('%s: in "%s" "cancellation must be done twice"', :'kind', status))
FROM (VALUES (3, 'handling'), (21, 'ready-for-handling')) AS o (id, status);
SELECT is(story_of(3), 'requested handling>cancellation-requested merchant out_of_stock'
                        ' / canceled cancellation-requested>canceled merchant out_of_stock',
          :'kind' || ': both clicks are on record');
SELECT is(left(merchant($$UPDATE orders SET status = 'canceled' WHERE id = 4$$), 28), '23514 cancellation_forbidden',
          :'kind' || ': a plain update cannot leave out the first click');
SELECT is(merchant($$UPDATE orders SET status = 'cancellation-requested' WHERE id = 4$$) || ', ' ||
          merchant($$UPDATE orders SET status = 'canceled' WHERE id = 4$$) || ', ' || status_of(4, 'orders'),
          'ok, ok, canceled',
          :'kind' || ': but do both');
SELECT is(merchant($$cancel_order('orders', 43)$$), 'canceled canceled',
          :'kind' || ': "already in Cancellation requested", by the customer: "simply click Cancel again"');
-- On the other statuses the page is silent: the preset takes one click for them.
INSERT INTO orders (id, status)
SELECT 63 + n, status:: :type
FROM unnest('{payment-pending,payment-approved,window-to-cancel}'::text[])
    WITH ORDINALITY AS s (status, n);
SELECT is(merchant(format($$cancel_order('orders', %s)$$, 63 + n)), 'canceled canceled',
          format('%s: in "%s" one click will do', :'kind', status))
FROM unnest('{payment-pending,payment-approved,window-to-cancel}'::text[])
    WITH ORDINALITY AS s (status, n);

SELECT is(merchant($$cancel_order('orders', 5)$$) || '; ' || customer($$request_cancel('orders', 22)$$),
          'requested cancellation-requested; requested cancellation-requested',
          :'kind' || ': asked for by the store and by the customer');
SELECT is(merchant($$UPDATE orders SET status = 'invoiced' WHERE id IN (5, 22)$$) || ', ' || status_of(5, 'orders')
          || ', '
          || status_of(22, 'orders'),
          'ok, invoiced, invoiced', :'kind' || ': "to continue with this order, simply enter the invoice"');
SELECT is(split_part(story_of(22), ' / ', 2),
          'denied cancellation-requested>invoiced merchant {"implicit": true, "moved_to": "invoiced"}',
          :'kind' || ': which denies the request, on record');
SELECT is(left(merchant($$cancel_order('orders', 22)$$), 5), 'OC003',
          :'kind' || ': the second click comes too late then');

-- --------------------------------- "Cancellation through API Rest"

SELECT is(merchant($$cancel_order('orders', 42, 'fraud', 'chargeback', actor => 'erp', request_key => 'receipt-7')$$),
          'canceled canceled unchanged',
          :'kind' || ': "through your ERP": a call that is repeated changes nothing');
SELECT is(merchant($$cancel_order('orders', 6, actor => 'erp', request_key => 'receipt-8')$$) || '; ' ||
          merchant($$cancel_order('orders', 6, actor => 'erp', request_key => 'receipt-8')$$),
          'requested cancellation-requested; requested cancellation-requested unchanged',
          :'kind' || ': nor is a call that is repeated taken for the second click');
SELECT results_eq('SELECT requested_actor, reason, note, request_key FROM orders_cancellation WHERE order_id = 42',
                  $$VALUES ('erp', 'fraud', 'chargeback', 'receipt-7')$$,
                  :'kind' || ': requestedByUser, reason and receipt are on record');

-- --------------------------- "Cancellation requested by the customer"

INSERT INTO orders (id, status, approved_at)
SELECT 70 + n, status:: :type, '2026-05-05 11:45+00'
FROM unnest('{payment-approved,window-to-cancel,ready-for-handling,handling}'::text[])
    WITH ORDINALITY AS s (status, n);
SELECT is(button('customer', 'request_cancel', 71), 'canceled until 05-05 12:15',
          :'kind' || ': "through the My orders screen", by default for 30 minutes');
SELECT is(customer(format($$request_cancel('orders', %s)$$, 70 + n)), 'canceled canceled',
          format('%s: "within the grace period the store does not need to approve", in %s', :'kind', status))
FROM unnest('{payment-approved,window-to-cancel,ready-for-handling,handling}'::text[])
    WITH ORDINALITY AS s (status, n);
SELECT is(story_of(74), 'canceled handling>canceled customer', :'kind' || ': the store has no part in it');
INSERT INTO orders (id, status, approved_at) VALUES (75, 'window-to-cancel', '2026-05-05 11:30+00'),
    (76, 'window-to-cancel', '2026-05-05 11:29:59.999999+00'), (77, 'payment-pending', NULL),
                                                    (78, 'window-to-cancel', '2026-05-05 11:00+00');
SELECT is(customer($$request_cancel('orders', 75)$$), 'canceled canceled',
          :'kind' || ': "before or during" it: at its very end it is open');
SELECT is(customer($$request_cancel('orders', 76)$$), 'requested cancellation-requested',
          :'kind' || ': "after the grace period the store must confirm the cancellation request"');
INSERT INTO orders (id, status, approved_at)
SELECT 80 + n, status:: :type, '2026-05-05 11:00+00'
FROM unnest('{payment-pending,payment-approved,window-to-cancel,ready-for-handling,handling}'::text[])
    WITH ORDINALITY AS s (status, n);
SELECT is(customer(format($$request_cancel('orders', %s)$$, 80 + n)), 'requested cancellation-requested',
          format('%s: in "%s" too', :'kind', status))
FROM unnest('{payment-pending,payment-approved,window-to-cancel,ready-for-handling,handling}'::text[])
    WITH ORDINALITY AS s (status, n);
SELECT is(left(customer($$UPDATE orders SET status = 'canceled' WHERE id = 76$$), 28) || ', '
          || status_of(76, 'orders'),
          '23514 cancellation_forbidden, cancellation-requested', :'kind' || ': the customer cannot confirm it');
SELECT is(merchant($$accept_cancel('orders', 76)$$), 'canceled canceled', :'kind' || ': the store confirms it');
-- It starts at payment approval; until then it is before it.
SELECT is(button('customer', 'request_cancel', 77), 'canceled',
          :'kind' || ': "starts at payment approval": before it there is no end yet');
SELECT is(merchant($$UPDATE orders SET status = 'payment-approved', approved_at = '2026-05-05 12:00+00' WHERE id = 77$$)
          || ', ' ||
          button('customer', 'request_cancel', 77), 'ok, canceled until 05-05 12:30',
          :'kind' || ': approved, it has');
SELECT ordcancel.set_policy('orders', grace => '2 hours');
SELECT is(button('customer', 'request_cancel', 78), 'canceled until 05-05 13:00',
          :'kind' || ': the grace period "is configurable"');
SELECT ordcancel.apply_preset('orders', 'vtex');
-- A status that the preset does not name: the shop's page for developers says
-- that an incomplete order cannot be canceled.
INSERT INTO orders (id, status) VALUES (79, 'incomplete');
SELECT is(left(customer($$request_cancel('orders', 79)$$), 5) || ' '
          || left(merchant($$cancel_order('orders', 79)$$), 5), 'OC003 OC003',
          :'kind' || ': an incomplete order cannot be canceled');

-- --------------------------- the linked pages: denying, and no answer

SELECT is(customer($$request_cancel('orders', 7, 'wont_arrive_in_time')$$) || '; '
          || customer($$request_cancel('orders', 23)$$),
          'requested cancellation-requested; requested cancellation-requested',
          :'kind' || ': two requests');
SELECT is(merchant($$deny_cancel('orders', 7, NULL)$$) || '; ' || merchant($$deny_cancel('orders', 7, '  ')$$),
          'OC006 | Pass a note of 1 to 2000 characters.; OC006 | Pass a note of 1 to 2000 characters.',
          :'kind' || ': a denial without a reason is refused');
SELECT is(merchant($$deny_cancel('orders', 7, 'It is on the van.')$$) || '; '
          || merchant($$deny_cancel('orders', 23, 'It is packed.')$$),
          'denied handling; denied ready-for-handling',
          :'kind' || ': denied, the order has the status that it had before');
SELECT is(merchant($$cancel_order('orders', 8)$$) || '; ' || left(merchant($$deny_cancel('orders', 8, 'no')$$), 5),
          'requested cancellation-requested; OC003',
          :'kind' || ': the store does not deny its own request');
SELECT is(merchant($$undo_cancel('orders', 8)$$), 'OC008', :'kind' || ': nor undoes it');
SELECT is(left(merchant($$deny_cancel('orders', 9, 'no')$$), 5), 'OC007',
          :'kind' || ': there is nothing to deny where nobody asked');
SELECT is(customer($$request_cancel('orders', 7, 'found_cheaper_price')$$), 'requested cancellation-requested',
          :'kind' || ': denied, the customer may ask again');
SELECT results_eq('SELECT state, reason, requested_actor, decision_note FROM orders_cancellation WHERE order_id = 7 '
                  'ORDER BY cancellation_id',
                  $$VALUES ('denied', 'wont_arrive_in_time', 'walk_shopper', 'It is on the van.'),
                        ('requested', 'found_cheaper_price', 'walk_shopper', NULL)$$,
                  :'kind' || ': every request is on record, with its denial');
-- On taking a request back the page is silent; here who asked may.
SELECT is(customer($$withdraw_cancel('orders', 7)$$), 'withdrawn handling',
          :'kind' || ': the customer takes the request back');

SELECT is(customer($$request_cancel('orders', 10)$$) || '; ' || customer($$request_cancel('orders', 24)$$),
          'requested cancellation-requested; requested cancellation-requested',
          :'kind' || ': two more, of 5 May, 12:00');
INSERT INTO invoices VALUES (24, 10);
SET LOCAL ordcancel.clock = '2026-06-04 11:59:59.999999+00';
CALL ordcancel.sweep();
SELECT is(status_of(10, 'orders'), 'cancellation-requested',
          :'kind' || ': for 30 days nothing becomes of a request that nobody answers');
SET LOCAL ordcancel.clock = '2026-06-04 12:00+00';
-- What is blocked is a warning.
SET LOCAL client_min_messages = error;
CALL ordcancel.sweep();
SELECT is(status_of(10, 'orders'), 'canceled', :'kind' || ': after 30 days without an answer it is canceled');
SELECT is(split_part(story_of(10), ' / ', 2), 'canceled cancellation-requested>canceled system request_timed_out',
          :'kind' || ': by the system, on record');
SELECT is(status_of(8, 'orders'), 'canceled', :'kind' || ': so is what the store asked for itself');
SELECT is(status_of(24, 'orders'), 'cancellation-requested', :'kind' || ': not what is invoiced in part since');
SELECT is(status_of(7, 'orders') || ', ' || status_of(22, 'orders'), 'handling, invoiced',
          :'kind' || ': nor what was withdrawn or denied');
CALL ordcancel.sweep();
SET LOCAL client_min_messages = warning;
SELECT is(split_part(story_of(10), ' / ', 3) || left(merchant($$UPDATE orders SET status = 'handling' WHERE id = 10$$),
                                                      23), '23514 order_is_canceled',
          :'kind' || ': what the system has canceled is canceled once, and stays so');
