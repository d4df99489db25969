-- The walk of walk_cafe24.sql, over a status column of :status_type.
\echo # status column: :status_type
SET LOCAL ordcancel.clock = '2026-05-05 12:00+00';
SET LOCAL ordcancel.actor = 'program';
CREATE SCHEMA shop;
-- An order number of Cafe24 is a text. The orders were placed long ago: the page
-- knows no window, only statuses. Points and credits are part of the price
-- and nobody pays them back in money.
CREATE TABLE shop.orders (id text PRIMARY KEY, status :status_type NOT NULL, price numeric NOT NULL,
                          points_and_credits numeric NOT NULL,
                          placed_at timestamptz NOT NULL DEFAULT '2026-01-01');
SELECT ordcancel.attach('shop.orders', status => 'status', placed_at => 'placed_at',
                        refund_due => 'price - points_and_credits');
SELECT ordcancel.apply_preset('shop.orders', 'cafe24');
GRANT USAGE ON SCHEMA shop TO cafe24_customer, cafe24_store, cafe24_programs;
GRANT SELECT ON shop.orders TO cafe24_customer, cafe24_store, cafe24_programs;
GRANT UPDATE ON shop.orders TO cafe24_programs;
SELECT ordcancel.grant_merchant('cafe24_store');
SELECT ordcancel.grant_merchant('cafe24_programs');
-- Nothing was paid for an order that awaits payment.
INSERT INTO shop.orders SELECT 'unpaid' || n, 'awaiting_payment', 0, 0 FROM generate_series(1, 3) AS n;
INSERT INTO shop.orders SELECT 'prep' || n, 'preparing', 100, 20 FROM generate_series(1, 23) AS n;
INSERT INTO shop.orders SELECT 'ready' || n, 'ready', 100, 20 FROM generate_series(1, 2) AS n;
INSERT INTO shop.orders SELECT 'points' || n, 'preparing', 50, 50 FROM generate_series(1, 2) AS n;
INSERT INTO shop.orders VALUES ('zero1', 'preparing', 0, 0), ('transit1', 'in_transit', 100, 20),
    ('delivered1', 'delivered', 100, 20),
    ('bought1', 'purchase_confirmed', 100, 20);

-- ------------------------------------------- When do I need to cancel orders?

-- The page is silent on unpaid orders. The preset: a customer cancels them alone.
SELECT is(answer($$request_cancel('shop.orders', 'unpaid1', 'customer_changed_mind')$$), 'canceled canceled',
          '"When a customer cancels their order before it is delivered": before it is paid, alone');
SELECT is(answer($$cancel_order('shop.orders', 'unpaid2', 'out_of_stock')$$), 'canceled canceled',
          'and by the store with one call');
SELECT is(attempt(format('DELETE FROM shop.orders WHERE id = %L', id)), '23514 cancellation_forbidden',
          'it is canceled, never deleted: ' || id)
FROM unnest('{unpaid3,prep1,ready1,transit1,delivered1}'::text[]) AS id;

SELECT is(answer(format('request_cancel(''shop.orders'', %L, ''customer_changed_mind'')', id)),
          'OC003 | Process the request as a return.',
          '"already in In transit or Delivered, you have to process the request as a return": a customer, ' || id)
FROM unnest('{transit1,delivered1}'::text[]) AS id;
SELECT is(answer(format('cancel_order(''shop.orders'', %L, ''out_of_stock'')', id)),
          'OC003 | Process the request as a return.',
          '"you have to process the request as a return": the store itself, ' || id)
FROM unnest('{transit1,delivered1}'::text[]) AS id;
SELECT is(attempt(format('SET LOCAL ordcancel.reason = ''out_of_stock''; UPDATE shop.orders SET status = ''canceled'' '
                         'WHERE id = %L', id)),
          '23514 cancellation_forbidden',
          '"you have to process the request as a return": a program that writes the status, ' || id)
FROM unnest('{transit1,delivered1}'::text[]) AS id;
SET LOCAL ordcancel.reason = '';
SELECT is((SELECT array_agg(party || ' ' || condition || ': ' || hint ORDER BY party)
           FROM ordcancel.cancel_options('shop.orders', 'transit1') WHERE verb IN ('request_cancel', 'cancel_order')),
          ARRAY['customer cancellation_forbidden: Process the request as a return.',
                'merchant cancellation_forbidden: Process the request as a return.'],
          '"you have to process the request as a return": asked beforehand, the same');
-- The page is silent on what comes after Delivered; a status without a rule forbids.
SELECT is(answer($$cancel_order('shop.orders', 'bought1', 'out_of_stock')$$),
          'OC003 | Call ordcancel.set_rule() for the status if it should be allowed.',
          'a confirmed purchase is not canceled either');

SELECT is(answer(format('cancel_order(''shop.orders'', %L, %L)', id, why)), 'in_progress cancellation_in_progress',
          '"unable to ship out products because they are either sold out or defective, or because the selected area is '
          'not available": ' || why)
FROM (VALUES ('prep1', 'out_of_stock'), ('prep2', 'defective_item'), ('ready1', 'area_not_deliverable')) AS v (id, why);
SELECT is(answer(format('request_cancel(''shop.orders'', ''prep3'', %L)', why)),
          'OC006 | See ordcancel.reason for the valid reasons.',
          '"When you are unable to ship out": not for the customer to say, ' || why)
FROM unnest('{out_of_stock,defective_item,area_not_deliverable}'::text[]) AS why;

-- ------------------------------------------------- Requesting cancellations

SELECT is(answer(format('request_cancel(''shop.orders'', %L, ''shipping_delay'', actor => ''ann'')', id)),
          'requested cancellation_requested',
          '"Customers can request to cancel their order before shipment": ' || id)
FROM unnest('{prep3,ready2}'::text[]) AS id;

-- 1) A customer who contacts the store: it cancels in his name, and may say so.
SELECT is(answer($$request_cancel('shop.orders', 'prep4', 'customer_changed_mind', 'by telephone', actor => 'ann')$$)
          || ', '
          || answer($$accept_cancel('shop.orders', 'prep4', actor => 'staff')$$),
          'requested cancellation_requested, in_progress cancellation_in_progress',
          '"Contacting you via the contact information": the store may ask in the customer''s name, and accept');
SELECT is(decision_of('prep4'), 'in_progress asked customer ann decided merchant staff for customer_changed_mind',
          '"Contacting you via the contact information": it is on record '
          'that the customer asked and the store decided');

-- 2) From the My Account menu.
SELECT is(answer($$request_cancel('shop.orders', 'prep5', 'customer_changed_mind', actor => 'ben')$$,
                 'cafe24_customer'), '42501',
          '"You can configure your settings to allow customers to directly place cancellation request": not before it '
          'is allowed');
SELECT ordcancel.grant_customer('cafe24_customer');
SELECT is(answer($$request_cancel('shop.orders', 'prep5', 'customer_changed_mind', actor => 'ben')$$,
                 'cafe24_customer'), 'requested cancellation_requested',
          '"You can configure your settings to allow customers to directly place cancellation request": '
          'and then they do');
REVOKE EXECUTE ON FUNCTION ordcancel.request_cancel(regclass, text, text, text, text, text, jsonb),
                           ordcancel.request_cancel(regclass, anynonarray, text, text, text, text, jsonb)
    FROM cafe24_customer;

-- --------------------------------------------------- Accepting cancellations

SELECT results_eq($$SELECT order_id, requested_by, requested_actor FROM shop.orders_cancellation
                    WHERE state = 'requested' ORDER BY order_id$$,
                  $$VALUES ('prep3', 'customer', 'ann'), ('prep5', 'customer', 'ben'), ('ready2', 'customer', 'ann')$$,
                  '"Search the relevant order in Cancellations": the requests that are open');
SELECT is(status_of('prep3') || ' ' || substring(decision_of('prep3') FROM 'asked (\w+)'),
          'cancellation_requested customer',
          '"are marked as Cancellation requested [Customer]": the status, and who asked');
SELECT is(answer($$accept_cancel('shop.orders', 'prep3')$$, 'cafe24_customer'), '42501',
          '"Click the Proceed button": it is not the customer who accepts');
SELECT is(answer($$accept_cancel('shop.orders', 'prep3', NULL, 'sorry', 'staff')$$, 'cafe24_store'),
          'in_progress cancellation_in_progress',
          '"Click Accept cancellation request": the store accepts');
SELECT is(decision_of('prep3'), 'in_progress asked customer ann decided merchant staff for shipping_delay',
          '"Click Accept cancellation request": who asked and who decided are two facts');
SELECT is(steps_of('prep3'), ARRAY['requested preparing>cancellation_requested customer ann',
                                    'accepted cancellation_requested>cancellation_in_progress merchant staff '
                                    '{"refund_due": 80}'],
          '"Click Accept cancellation request": each is told');
-- The customer had to give a reason, which stays in the event of the ask; the one
-- that the store enters is the record's from then on.
SELECT is(answer($$cancel_order('shop.orders', 'ready2', 'out_of_stock', actor => 'staff')$$),
          'in_progress cancellation_in_progress',
          '"and enter the reason and refund method": a request is accepted with a reason');
SELECT is(decision_of('ready2'), 'in_progress asked customer ann decided merchant staff for out_of_stock',
          '"and enter the reason": it is the record''s');
SELECT is((SELECT array_agg(party || ' ' || reason ORDER BY event_id) FROM shop.orders_cancellation_event
           WHERE order_id = 'ready2'),
          '{customer shipping_delay,merchant out_of_stock}'::text[], '"and enter the reason": each party''s is told');
-- The page is silent on a request that is refused. The preset: the order goes on
-- where it was, and one that moves on has had its answer.
SELECT is(answer($$deny_cancel('shop.orders', 'prep5', 'It is packed.', 'staff')$$), 'denied preparing',
          'a request that the store rejects leaves the order where it was');
SELECT is(answer($$request_cancel('shop.orders', 'prep6', 'shipping_delay')$$), 'requested cancellation_requested',
          'asked');
UPDATE shop.orders SET status = 'in_transit' WHERE id = 'prep6';
SELECT is(steps_of('prep6', 1),
          ARRAY['denied cancellation_requested>in_transit merchant program {"implicit": true, "moved_to": '
                '"in_transit"}'],
          'an order that is shipped in spite of a request denies it');

SELECT is(answer($$cancel_order('shop.orders', 'prep7', 'pricing_error', actor => 'staff')$$, 'cafe24_store'),
          'in_progress cancellation_in_progress',
          '"orders that need to be canceled due to business-related issues ... Click Cancel": nobody has to ask');
SELECT is(decision_of('prep7'), 'in_progress asked merchant staff decided merchant staff for pricing_error',
          '"due to business-related issues": it is the store that asked and decided');
SELECT is(answer('cancel_order(''shop.orders'', ''prep8'')'), 'OC006 | See ordcancel.reason for the valid reasons.',
          '"Enter the reason": the store has to');
SELECT is(answer('request_cancel(''shop.orders'', ''prep8'')'), 'OC006 | See ordcancel.reason for the valid reasons.',
          '"Enter the reason": the customer has to');
SELECT is(attempt($$UPDATE shop.orders SET status = 'canceled' WHERE id = 'unpaid3'$$), '23514 invalid_reason',
          '"Enter the reason": a program that writes the status has to');
-- The page's reasons, and to whom each belongs; it does not list them. The
-- preset: the four that customers may choose from, and the store's other eight.
SELECT results_eq($$SELECT code, audience FROM ordcancel.reason
                    WHERE code IN ('customer_changed_mind', 'shipping_delay', 'shipping_error', 'area_not_deliverable',
                                   'customs_not_possible', 'poor_packing', 'dissatisfied_with_product',
                                   'differs_from_description', 'defective_item', 'dissatisfied_with_service',
                                   'out_of_stock', 'other') ORDER BY audience, code$$,
                  $$VALUES ('customer_changed_mind', 'any'), ('dissatisfied_with_service', 'any'), ('other', 'any'),
                           ('shipping_delay', 'any'),
                           ('area_not_deliverable', 'merchant'), ('customs_not_possible', 'merchant'),
                  ('defective_item', 'merchant'),
                           ('differs_from_description', 'merchant'), ('dissatisfied_with_product', 'merchant'),
                  ('out_of_stock', 'merchant'),
                           ('poor_packing', 'merchant'), ('shipping_error', 'merchant')$$,
                  '"Enter the reason": all may say four, the store another eight');
SELECT is(answer(format('request_cancel(''shop.orders'', %L, %L, ''so it is'')', id, why)),
          'requested cancellation_requested',
          '"Enter the reason": a customer may say ' || why)
FROM (VALUES ('prep9', 'customer_changed_mind'), ('prep10', 'shipping_delay'), ('prep11', 'dissatisfied_with_service'),
             ('prep12', 'other')) AS v (id, why);
SELECT is(answer(format('request_cancel(''shop.orders'', ''prep8'', %L)', why)),
          'OC006 | See ordcancel.reason for the valid reasons.',
          '"Enter the reason": a customer may not say ' || why)
FROM unnest('{shipping_error,customs_not_possible,poor_packing,dissatisfied_with_product,'
            'differs_from_description}'::text[]) AS why;

-- -------------------------------------------------- Completing cancellations

SELECT is(attempt($$UPDATE shop.orders SET status = 'canceled' WHERE id = 'prep1'$$), '23514 refund_not_settled',
          '"You must fully refund the order": nobody writes Canceled before');
SELECT is(attempt_as('cafe24_programs', $$UPDATE shop.orders SET status = 'preparing' WHERE id = 'prep1'$$),
          '23514 order_is_canceled',
          '"from Cancellation in progress to Canceled": nor any other status');
SELECT is(answer($$record_refund('shop.orders', 'prep1', 79.99, 'card')$$), 'in_progress cancellation_in_progress',
          '"You must fully refund the order": a cent is missing');
SELECT is(answer($$record_refund('shop.orders', 'prep1', 0.02, 'card')$$),
          'OC010 | If more is due, call ordcancel.adjust_refund() first.',
          '"fully refund": not more than that');
SELECT is(answer($$record_refund('shop.orders', 'prep1', 0.01, 'cheque')$$),
          'OC010 | See ordcancel.refund_method for the valid methods.',
          '"the reason and refund method": a method that is none');
SELECT is(answer($$record_refund('shop.orders', 'prep1', 0.01, 'points')$$), 'canceled canceled',
          '"to allow its order status to change from Cancellation in progress to Canceled": '
          'with the last cent it does');
SELECT is((SELECT array_agg(data ->> 'method' ORDER BY event_id) FROM shop.orders_cancellation_event
           WHERE order_id = 'prep1' AND type = 'refunded'), '{card,points}'::text[],
          '"enter the reason and refund method": each refund has its method');

SELECT is(answer($$cancel_order('shop.orders', 'zero1', 'out_of_stock')$$), 'canceled canceled',
          '"Cancellations that do not require refunds will automatically be marked as Canceled": a $0 order');
SELECT is(answer($$cancel_order('shop.orders', 'points1', 'out_of_stock')$$), 'canceled canceled',
          '"orders fully paid in points and/or credits": canceled at once');
SELECT is(answer($$request_cancel('shop.orders', 'points2', 'shipping_delay')$$) || ', '
          || answer($$accept_cancel('shop.orders', 'points2')$$),
          'requested cancellation_requested, canceled canceled',
          '"will automatically be marked as Canceled": when a request is accepted too');

-- ------------------------------------------------------ Undoing cancellations

SELECT is(answer($$undo_cancel('shop.orders', 'prep2', 'They want it after all.', 'staff')$$), 'undone preparing',
          '"undo their cancellation request once it is already in progress"');
SELECT is(answer($$undo_cancel('shop.orders', 'ready1', 'They want it after all.', 'staff')$$), 'undone ready',
          '"undo the cancellation on your end": the order gets the very status that it had');
SELECT is(answer($$undo_cancel('shop.orders', 'zero1', 'They want it after all.', 'staff')$$), 'undone preparing',
          '"or canceled"');
-- The page is silent on a note; the preset keeps one and demands none.
SELECT is((SELECT undo_note FROM shop.orders_cancellation WHERE order_id = 'zero1'), 'They want it after all.',
          'the note of an undo is kept');
SELECT is(steps_of('zero1', 1), ARRAY['undone canceled>preparing merchant staff'], 'and the undo is told');
SELECT is(answer($$undo_cancel('shop.orders', 'points1')$$, 'cafe24_customer'), '42501',
          '"you can simply undo the cancellation on your end": the customer cannot');
SELECT is(attempt($$UPDATE shop.orders SET status = 'preparing' WHERE id = 'points1'$$), '23514 order_is_canceled',
          '"you can simply undo the cancellation": nothing but an undo leads back');
SELECT is(attempt($$INSERT INTO shop.orders VALUES ('again1', 'awaiting_payment', 50, 50)$$), 'ok',
          '"you can ask customers to place a new order": as any other');
SELECT is(answer($$cancel_order('shop.orders', 'zero1', 'out_of_stock')$$), 'canceled canceled',
          'what was undone may be canceled anew');

-- ------------------- Preventing any financial loss when undoing cancellations

SELECT is(answer(format('cancel_order(''shop.orders'', %L, ''out_of_stock'')', id)),
          'in_progress cancellation_in_progress', 'canceled: ' || id)
FROM unnest('{prep20,prep21,prep22,prep23}'::text[]) AS id;
SELECT is(answer(format('record_refund(''shop.orders'', %L, 80, %L)', id, method)), 'canceled canceled',
          'refunded by ' || method)
FROM (VALUES ('prep20', 'bank_transfer'), ('prep21', 'card'), ('prep22', 'points'), ('prep23', 'wallet')) AS v (id,
            method);
SELECT is(answer($$undo_cancel('shop.orders', 'prep20')$$), 'OC009 | Recover the refund, then pass settled => true.',
          '"check that customers pay for the order again if the refund was processed by bank deposit"');
SELECT is(answer($$undo_cancel('shop.orders', 'prep20', 'paid again', settled => true)$$), 'undone preparing',
          '"customers pay for the order again": and then it is undone');
SELECT is(answer(format('undo_cancel(''shop.orders'', %L)', id)),
          'OC009 | Recover the refund, then pass settled => true.',
          '"If the payment was canceled by a payment provider ... recaptured before undoing the cancellation": ' || id)
FROM unnest('{prep21,prep23}'::text[]) AS id;
SELECT is(answer(format('undo_cancel(''shop.orders'', %L, ''recaptured'', settled => true)', id)), 'undone preparing',
          '"the canceled payment can be recaptured": and then it is undone: ' || id)
FROM unnest('{prep21,prep23}'::text[]) AS id;
SELECT is(steps_of('prep21', 1), ARRAY['undone canceled>preparing merchant program {"settled": true}'],
          '"recaptured before undoing": that somebody said so is on record');
SELECT is(answer($$undo_cancel('shop.orders', 'prep22')$$), 'undone preparing',
          'points that were given back are no loss of money');
-- Half of it refunded by bank: what is in progress may need money back too.
SELECT is(answer($$record_refund('shop.orders', 'prep7', 40, 'bank_transfer')$$),
          'in_progress cancellation_in_progress', 'half of it refunded by bank');
SELECT is(answer($$undo_cancel('shop.orders', 'prep7')$$), 'OC009 | Recover the refund, then pass settled => true.',
          '"if the refund was processed by bank deposit": also while it is in progress');

-- --------------------------------------------------- a part of an order

-- The window of an order lists its products, and any of them can be canceled:
-- "select the order you want to cancel". Products that are in transit are a return.
CREATE TABLE shop.products (order_id text REFERENCES shop.orders, line integer, product text, quantity integer NOT NULL,
                            canceled integer NOT NULL DEFAULT 0, in_transit integer NOT NULL DEFAULT 0,
                            unit_price numeric NOT NULL, PRIMARY KEY (order_id, line));
SELECT ordcancel.attach_items('shop.products', 'shop.orders', key => '{order_id}', quantity => 'quantity',
                              canceled => 'canceled', fulfilled => 'in_transit',
                              amount => '(quantity - canceled) * unit_price');
INSERT INTO shop.orders SELECT 'part' || n, 'preparing', 100, 20 FROM generate_series(1, 6) AS n;
UPDATE shop.orders SET price = 100, points_and_credits = 100 WHERE id = 'part4';
INSERT INTO shop.products SELECT 'part' || n, line, product, quantity, 0, 0, unit_price
FROM generate_series(1, 6) AS n, (VALUES (1, 'shirt', 2, 30), (2, 'socks', 4, 10)) AS p (line, product, quantity,
    unit_price);
GRANT SELECT ON shop.products TO cafe24_customer;
CREATE FUNCTION shop.products_of(id text) RETURNS text
    LANGUAGE sql
    AS $$ SELECT string_agg(product || ' ' || quantity - canceled, ', ' ORDER BY line) FROM shop.products
          WHERE order_id = id $$;

SELECT ordcancel.grant_customer('cafe24_customer');
SELECT is(answer($$request_cancel_items('shop.orders', 'part1', '[{"item": 1, "quantity": 1}]')$$, 'cafe24_customer'),
          'OC006 | See ordcancel.reason for the valid reasons.', '"Enter the reason": for a product, too');
SELECT is(answer($$request_cancel_items('shop.orders', 'part1', '[{"item": 1, "quantity": 1, "reason":
    "out_of_stock"}]')$$,
                 'cafe24_customer'),
          'OC006 | See ordcancel.reason for the valid reasons.',
          '"When you are unable to ship out": not for the customer to say');
SELECT is(answer($$request_cancel_items('shop.orders', 'part1', '[{"item": 1, "quantity": 1,
                                        "reason": "customer_changed_mind"}]', actor => 'ann')$$, 'cafe24_customer'),
          'requested preparing', '"Customers can request to cancel their order before shipment": one of two shirts');
SELECT is(shop.products_of('part1'), 'shirt 2, socks 4', '"Submitting cancellation requests": nothing is canceled yet');
SELECT is(left(answer($$request_cancel('shop.orders', 'part1', 'customer_changed_mind')$$, 'cafe24_customer'), 5),
          'OC012',
          '"marked as Cancellation requested": one request at a time');
SELECT is(answer($$accept_cancel('shop.orders', 'part1', actor => 'staff')$$, 'cafe24_store'), 'in_progress preparing',
          '"Click Accept cancellation request": the order goes on with the other products');
SELECT is(shop.products_of('part1'), 'shirt 1, socks 4', '"Accept cancellation request": one shirt less');
SELECT is(decision_of('part1'), 'in_progress asked customer ann decided merchant staff for customer_changed_mind',
          '"Enter the reason": it is the record''s');
SELECT is(answer($$record_refund('shop.orders', 'part1', 29.99, 'card')$$), 'in_progress preparing',
          '"You must fully refund": a cent is missing');
SELECT is(answer($$record_refund('shop.orders', 'part1', 0.01, 'card')$$), 'canceled preparing',
          '"You must fully refund": this product, not the order');
SELECT is(answer($$cancel_items('shop.orders', 'part1', '[{"item": 1, "reason": "defective_item"},
                                {"item": 2, "quantity": 1, "reason": "out_of_stock"}]', actor => 'staff')$$,
                                'cafe24_store'),
          'in_progress preparing',
          '"products because they are either sold out or defective": each product has its reason');
SELECT is((SELECT array_agg(concat_ws(' ', i.line, i.quantity, i.reason, trim_scale(i.refund_due)) ORDER BY i.line)
           FROM shop.orders_cancellation_item AS i
           WHERE i.cancellation_id = (SELECT max(cancellation_id) FROM shop.orders_cancellation WHERE order_id =
           'part1')),
          '{1 1 defective_item 30,2 1 out_of_stock 10}'::text[], '"sold out or defective": on record');
SELECT is(answer($$cancel_items('shop.orders', 'part1', '[{"item": 2, "reason": "out_of_stock"}]')$$, 'cafe24_store'),
          'in_progress cancellation_in_progress', '"Click Cancel": without any product left, the order itself');
SELECT is((SELECT array_agg(trim_scale(refund_due) ORDER BY cancellation_id) FROM shop.orders_cancellation
           WHERE order_id = 'part1'), '{30,40,10}'::numeric[],
          '"fully paid in points and/or credits": those 20 are not paid back in money');
SELECT is(left(answer($$record_refund('shop.orders', 'part1', 10, 'card')$$), 5), 'OC015',
          '"You must fully refund the order": of which of the two?');
SELECT is(answer(format('record_refund(''shop.orders'', ''part1'', %s, ''card'', cancellation_id => %s)', refund_due,
                        cancellation_id)),
          CASE n WHEN 1 THEN 'canceled cancellation_in_progress' ELSE 'canceled canceled' END,
          '"to allow its order status to change from Cancellation in progress to Canceled": refund ' || n)
FROM (SELECT row_number() OVER (ORDER BY cancellation_id) AS n, refund_due,
    cancellation_id FROM shop.orders_cancellation
      WHERE order_id = 'part1' AND state = 'in_progress' ORDER BY cancellation_id) AS c;

UPDATE shop.products SET in_transit = 1 WHERE order_id IN ('part2', 'part3') AND line = 1;
SELECT is(answer($$cancel_items('shop.orders', 'part2', '[{"item": 1, "quantity": 2}]', 'out_of_stock')$$),
          'OC016 | Call ordcancel.item_options() to see what can be canceled.',
          '"already in In transit ..., you have to process the request as a return": a shirt that is');
SELECT is(answer($$cancel_items('shop.orders', 'part2', '[{"item": 1}]', 'out_of_stock')$$), 'in_progress preparing',
          '"before it is delivered": the other shirt is not');
SELECT is(shop.products_of('part2'), 'shirt 1, socks 4', '"before it is delivered": one of two');
SELECT is(left(answer($$cancel_order('shop.orders', 'part3', 'out_of_stock')$$), 5), 'OC005',
          '"already in In transit": nor is an order canceled of which something is');
SELECT ordcancel.set_policy('shop.orders', partly_fulfilled => 'rest');
SELECT is(answer($$cancel_order('shop.orders', 'part3', 'out_of_stock')$$), 'in_progress preparing',
          '"already in In transit": unless only the rest is meant');
SELECT is(shop.products_of('part3'), 'shirt 1, socks 0', '"process the request as a return": that is what is left');

SELECT is(answer($$cancel_items('shop.orders', 'part4', '[{"item": 2}]', 'out_of_stock')$$), 'canceled preparing',
          '"Cancellations that do not require refunds will automatically be marked as Canceled": paid in points');
SELECT is(answer($$undo_cancel('shop.orders', 'part4', 'They want it after all.', 'staff')$$), 'undone preparing',
          '"undo their cancellation": of a product');
SELECT is(shop.products_of('part4'), 'shirt 2, socks 4',
          '"When they want to buy the same products again": they are back');
SELECT is(answer($$cancel_items('shop.orders', 'part5', '[{"item": 2}]', 'out_of_stock')$$), 'in_progress preparing',
          'canceled');
SELECT is(answer($$record_refund('shop.orders', 'part5', 40, 'bank_transfer')$$), 'canceled preparing',
          'refunded by bank');
SELECT is(answer($$undo_cancel('shop.orders', 'part5')$$), 'OC009 | Recover the refund, then pass settled => true.',
          '"check that customers pay for the order again if the refund was processed by bank deposit": for products, '
          'too');
UPDATE shop.orders SET status = 'in_transit' WHERE id = 'part6';
SELECT is(answer($$cancel_items('shop.orders', 'part6', '[{"item": 2}]', 'out_of_stock')$$),
          'OC003 | Process the request as a return.',
          '"already in In transit or Delivered, you have to process the request as a return": any product of it');
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA ordcancel FROM cafe24_customer;
