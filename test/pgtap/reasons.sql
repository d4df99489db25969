-- Reasons and notes: who may give which, and what has to come with it.
BEGIN;
\ir include/helpers.sql
SELECT plan(66);

CREATE SCHEMA shop;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text);
SELECT ordcancel.attach('shop.orders', 'status');
SELECT ordcancel.set_policy('shop.orders', requested_status => 'asked', canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.orders', 'placed', customer => 'cancel', merchant => 'cancel');
SELECT ordcancel.set_rule('shop.orders', 'preparing', customer => 'request', merchant => 'request');
INSERT INTO shop.orders SELECT n, 'placed' FROM generate_series(1, 39) AS n;
INSERT INTO shop.orders SELECT n, 'preparing' FROM generate_series(40, 69) AS n;
INSERT INTO ordcancel.reason (code, audience, requires_note, requires_request, active) VALUES
    ('old', 'any', false, false, false), ('explained', 'any', true, false, true), ('agreed', 'any', false, true, true),
    ('agreed_by_shop', 'merchant', false, true, true), ('for_shoppers', 'customer', false, false, true);

CREATE FUNCTION note_of(integer) RETURNS text
    LANGUAGE sql AS $$SELECT note FROM shop.orders_cancellation WHERE order_id = $1 ORDER BY cancellation_id DESC
                      LIMIT 1$$;

-- ------------------------------------------------------- reasons

SELECT throws_ok($$SELECT ordcancel.cancel_order('shop.orders', 1, 'bored')$$, 'OC006',
                 'cancellation reason "bored" does not exist', 'a reason that does not exist');
SELECT throws_ok($$SELECT ordcancel.cancel_order('shop.orders', 1, '')$$, 'OC006',
                 'cancellation reason "" does not exist', 'an empty one is not none');
SELECT throws_ok($$SELECT ordcancel.cancel_order('shop.orders', 1, 'FRAUD')$$, 'OC006', NULL,
                 'a code is written as it is');
SELECT throws_ok($$SELECT ordcancel.cancel_order('shop.orders', 1, 'old')$$, 'OC006',
                 'cancellation reason "old" is not active', 'one that is not active');
SELECT throws_ok($$SELECT ordcancel.cancel_order('shop.orders', 1, 'for_shoppers')$$, 'OC006',
                 'cancellation reason "for_shoppers" cannot be used by the merchant',
                 'a customer''s reason given by a merchant');
SELECT throws_ok($$SELECT ordcancel.request_cancel('shop.orders', 1, 'fraud')$$, 'OC006',
                 'cancellation reason "fraud" cannot be used by the customer',
                 'a merchant''s reason given by a customer');
SELECT throws_ok($$SELECT ordcancel.cancel_order('shop.orders', 1, 'unpaid_expired')$$, 'OC006', NULL,
                 'the system''s reason given by a merchant');
SELECT throws_ok($$SELECT ordcancel.request_cancel('shop.orders', 1, 'unpaid_expired')$$, 'OC006', NULL,
                 'the system''s reason given by a customer');
SELECT is((ordcancel.request_cancel('shop.orders', 1, 'for_shoppers')).state, 'canceled',
          'a customer gives a customer''s reason');
SELECT is((ordcancel.cancel_order('shop.orders', 2, 'fraud')).state, 'canceled', 'a merchant gives a merchant''s');
SELECT is((ordcancel.cancel_order('shop.orders', 3, 'customer_changed_mind')).state, 'canceled',
          'a merchant gives anybody''s');
SELECT is((ordcancel.cancel_order('shop.orders', 4)).state, 'canceled', 'a reason is not required by itself');

SELECT throws_ok($$SELECT ordcancel.cancel_order('shop.orders', 5, 'agreed')$$, 'OC006',
                 'cancellation reason "agreed" requires a request by the customer',
                 'a reason for requests, where nobody asked');
SELECT throws_ok($$SELECT ordcancel.override_cancel('shop.orders', 5, 'agreed', 'x')$$, 'OC006', NULL,
                 'the same for an override');
SELECT is((ordcancel.request_cancel('shop.orders', 5, 'agreed')).state, 'canceled', 'the customer may give it');
SELECT is((ordcancel.request_cancel('shop.orders', 40)).state, 'requested', 'and once the customer has asked');
SELECT is((ordcancel.cancel_order('shop.orders', 40, 'agreed_by_shop')).state, 'canceled',
          'the merchant may give it too');
SELECT throws_ok($$SELECT ordcancel.cancel_order('shop.orders', 41, 'agreed')$$, 'OC006', NULL,
                 'the merchant may not ask with it');
SELECT is((ordcancel.cancel_order('shop.orders', 41)).state, 'requested', 'and once the merchant has asked');
SELECT throws_ok($$SELECT ordcancel.cancel_order('shop.orders', 41, 'agreed')$$, 'OC006', NULL,
                 'that was not the customer');

-- ------------------------------------------------------- notes

SELECT throws_ok(format($$SELECT ordcancel.cancel_order('shop.orders', 6, %L, %L)$$, reason, note), 'OC006',
                 format('cancellation reason "%s" requires a note', reason),
                 format('a note has to come with %s: %s', reason, coalesce(to_json(note)::text, 'none')))
FROM unnest('{explained,other}'::text[]) AS reason, unnest(ARRAY[NULL, '', E' \t\n']) AS note;
SELECT is((ordcancel.cancel_order('shop.orders', 6, 'explained', repeat('n', 2000))).state, 'canceled',
          'a note has 2,000 characters');
SELECT throws_ok($$SELECT ordcancel.cancel_order('shop.orders', 7, 'explained', repeat('n', 2001))$$, 'OC006',
                 'note is too long', 'and no more');
SELECT throws_ok($$SELECT ordcancel.cancel_order('shop.orders', 7, 'other', repeat('n', 256))$$, 'OC006',
                 'note is too long', 'that of "other" has 255 at most');
SELECT is((ordcancel.cancel_order('shop.orders', 7, 'other', repeat('ß', 255))).state, 'canceled',
          'characters, not bytes');
SELECT is((ordcancel.cancel_order('shop.orders', 8, 'other', 'n')).state, 'canceled', 'and one at least');
SELECT is(length(note_of(7)), 255, 'the note is kept whole');
SELECT throws_ok($$SELECT ordcancel.cancel_order('shop.orders', 9, note => repeat('n', 2001))$$, 'OC006',
                 'note is too long', 'without a reason 2,000 too');
SELECT is((ordcancel.cancel_order('shop.orders', 9, note => repeat('n', 2000))).state, 'canceled', 'and not fewer');

SELECT is((ordcancel.request_cancel('shop.orders', n)).state, 'requested', 'asked: ' || n)
FROM generate_series(42, 45) AS n;
SELECT throws_ok(format($$SELECT ordcancel.%s('shop.orders', 42, note => repeat('n', 2001))$$, verb), 'OC006',
                 'note is too long', verb || ' takes no longer note either')
FROM unnest('{accept_cancel,deny_cancel,withdraw_cancel,undo_cancel}'::text[]) AS verb;
SELECT throws_ok(format($$SELECT ordcancel.deny_cancel('shop.orders', 42, %L)$$, note), 'OC006',
                 'deny_cancel requires a note', 'a denial needs a note: ' || coalesce(to_json(note)::text, 'none'))
FROM unnest(ARRAY[NULL, '', E' \t\n']) AS note;
SELECT is((ordcancel.deny_cancel('shop.orders', 42, repeat('n', 2000))).state, 'denied', 'the note of a denial');
SELECT is((ordcancel.accept_cancel('shop.orders', 43)).state, 'canceled', 'an acceptance needs none');
SELECT is((ordcancel.withdraw_cancel('shop.orders', 44)).state, 'withdrawn', 'nor does a withdrawal');

-- ------------------------------------------------------- reason_required

SELECT ordcancel.set_policy('shop.orders', reason_required => true);
SELECT throws_ok($$SELECT ordcancel.cancel_order('shop.orders', 10)$$, 'OC006', 'a cancellation reason is required',
                 'a merchant has to give a reason where the policy says so');
SELECT throws_ok($$SELECT ordcancel.request_cancel('shop.orders', 46)$$, 'OC006', 'a cancellation reason is required',
                 'a customer as well');
SELECT throws_ok($$SELECT ordcancel.override_cancel('shop.orders', 10, note => 'x')$$, 'OC006',
                 'a cancellation reason is required', 'and an override');
SELECT is(attempt($$UPDATE shop.orders SET status = 'canceled' WHERE id = 10$$), '23514 invalid_reason',
          'and a plain update');
SET LOCAL ordcancel.reason = 'fraud';
SET LOCAL ordcancel.note = 'third time';
SELECT is(attempt($$UPDATE shop.orders SET status = 'canceled' WHERE id = 10$$), 'ok', 'which finds it in a setting');
SELECT results_eq($$SELECT reason, note FROM shop.orders_cancellation WHERE order_id = 10$$,
                  $$VALUES ('fraud', 'third time')$$, 'with its note');
SET LOCAL ordcancel.reason = 'bored';
SELECT is(attempt($$UPDATE shop.orders SET status = 'canceled' WHERE id = 11$$), '23514 invalid_reason',
          'that reason is judged like any other');
RESET ordcancel.reason;
RESET ordcancel.note;
SELECT is((ordcancel.request_cancel('shop.orders', 46, 'for_shoppers')).state, 'requested', 'asked with a reason');
SELECT is((ordcancel.cancel_order('shop.orders', 46)).state, 'canceled',
          'the reason of the request will do for who confirms it');
SELECT throws_ok($$SELECT ordcancel.cancel_order('shop.orders', 45)$$, 'OC006', 'a cancellation reason is required',
                 'a request without one has to be confirmed with one');
SELECT is((ordcancel.cancel_order('shop.orders', 45, 'fraud')).state, 'canceled', 'as here');

-- ------------------------------------------------------- the list of reasons

SELECT is(attempt($$DELETE FROM ordcancel.reason WHERE code = 'fraud'$$), '23503 reason_in_use',
          'a reason in use cannot be deleted');
SELECT is(attempt($$UPDATE ordcancel.reason SET code = 'swindle' WHERE code = 'fraud'$$), '23503 reason_in_use',
          'nor renamed');
SELECT is(attempt($$DELETE FROM ordcancel.reason WHERE code = 'old'$$), 'ok', 'one that is not in use can');
UPDATE ordcancel.reason SET active = false WHERE code = 'fraud';
SELECT throws_ok($$SELECT ordcancel.cancel_order('shop.orders', 12, 'fraud')$$, 'OC006', NULL,
                 'one that is put out of use is refused from then on');
SELECT is((SELECT seeded FROM ordcancel.reason WHERE code = 'fraud'), false, 'and is the user''s own row now');
INSERT INTO ordcancel.reason (code, description) VALUES ('out_of_stock', 'ausverkauft');
SELECT results_eq($$SELECT description, audience FROM ordcancel.reason WHERE code = 'out_of_stock'$$,
                  $$VALUES ('ausverkauft', 'any')$$, 'a row of one''s own replaces the one that came with it');
SELECT is((ordcancel.request_cancel('shop.orders', 12, 'out_of_stock')).state, 'canceled', 'and holds at once');

SELECT * FROM finish();
ROLLBACK;
