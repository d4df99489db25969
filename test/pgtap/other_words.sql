-- A status that any policy of a table takes for one of a cancellation is judged
-- for every order of it; the order's own policy goes first.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
SELECT no_plan();

CREATE TABLE orders (id integer PRIMARY KEY, status text, supplier text, paid numeric DEFAULT 500);
CREATE TABLE shipments (id serial, order_id integer REFERENCES orders);
INSERT INTO orders SELECT n, 'placed', CASE WHEN n > 10 THEN 'acme' END FROM generate_series(1, 30) AS n;
INSERT INTO orders VALUES (31, 'canceled', 'acme');
SELECT ordcancel.attach('orders', 'status', policy_by => 'supplier', refund_due => 'paid');
SELECT ordcancel.attach_child('shipments', 'orders', '{order_id}');
SELECT ordcancel.set_policy('orders', requested_status => 'asked', in_progress_status => 'refunding',
                            canceled_status => 'canceled',
                            customer_canceled_status => 'revoked');
SELECT ordcancel.set_rule('orders', 'placed', customer => 'request', merchant => 'cancel');
-- A policy that names only a window; however set_policy makes new ones.
INSERT INTO ordcancel.policy (orders, policy, grace) VALUES ('orders'::regclass, 'acme', '2 hours');

CREATE FUNCTION update_to(status text, id integer, more text DEFAULT '') RETURNS text LANGUAGE sql AS
    $$ SELECT attempt(format('UPDATE orders SET status = %L%s WHERE id = %s', status, more, id)) $$;

-- ----------------------------------------------------- a policy without words
SELECT is(update_to(w, 11), '23514 invalid_policy', format('"%s" is refused', w))
FROM unnest('{asked,refunding,canceled,revoked}'::text[]) AS w;
DO $$
DECLARE
    detail text;
    hint text;
BEGIN
    UPDATE orders SET status = 'canceled' WHERE id = 11;
EXCEPTION WHEN check_violation THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM set_config('test.detail', detail, true), set_config('test.hint', hint, true);
END
$$;
SELECT is(current_setting('test.detail'),
          'Status "canceled" means a cancellation, but policy "acme" has no status for canceled orders.',
          'DETAIL names the policy');
SELECT is(current_setting('test.hint'), 'Call ordcancel.set_policy(..., policy => ''acme'', canceled_status => ...).',
          'HINT says what to do');
SELECT is(update_to('paid', 11), 'ok', 'other statuses are free');
SELECT is(update_to('paid', 31), '23514 order_is_canceled',
          'no way out of a canceled status that is another policy''s');
SELECT is((SELECT count(*) FROM ordcancel.cancel_options('orders', 31) AS o WHERE o.verb = 'cancel_order'
             AND o.outcome = 'already'), 1::bigint, 'it is canceled for cancel_options');
SELECT is(attempt('INSERT INTO shipments (order_id) VALUES (31)'), '23514 order_is_canceled',
          'and for the guard of a child table');
SELECT is(attempt('INSERT INTO shipments (order_id) VALUES (12)'), 'ok', 'which takes rows of others');
SELECT is(attempt(format('INSERT INTO orders VALUES (40, %L, ''acme'')', w)), '23514 cancellation_forbidden',
          format('no order is inserted as "%s"', w)) FROM unnest('{asked,refunding}'::text[]) AS w;
SELECT is(attempt('INSERT INTO orders VALUES (40, ''canceled'', ''acme'')'), 'ok', 'an import of a canceled one is');
SELECT is(attempt('DELETE FROM orders WHERE id = 40'), '23514 cancellation_forbidden', 'and does not go');
SELECT is(attempt('UPDATE orders SET supplier = NULL WHERE id = 40'), 'ok',
          'it may change to the policy whose word it is');

-- ------------------------------------------------------ words of its own differ
SELECT ordcancel.set_policy('orders', policy => 'acme', canceled_status => 'void', requested_status => 'canceled'),
       ordcancel.set_rule('orders', 'placed', policy => 'acme', customer => 'request', merchant => 'cancel');
SELECT is((SELECT order_status FROM ordcancel.request_cancel('orders', 13)), 'canceled',
          'the own word is what the own policy says');
SELECT is(attempt('SELECT ordcancel.deny_cancel(''orders'', 13, ''no'')'), 'ok', 'so it can be denied');
SELECT is(update_to('revoked', 14), '23514 refund_not_settled', 'another''s word for canceled is judged');
SELECT is(update_to('revoked', 14, ', paid = 0'), '23514 refund_not_settled', 'by the row before the statement');
UPDATE orders SET paid = 0 WHERE id = 14;
SELECT is(update_to('revoked', 14), '23514 cancellation_forbidden', 'and not what the own rules lead to');
SELECT is(update_to('void', 14), 'ok', 'the own word is');
SELECT is(update_to('void', 1), '23514 refund_not_settled', 'it is one for the others, too');
SELECT ordcancel.set_policy('orders', policy => 'acme', unset => '{canceled_status,requested_status}');
SELECT is(update_to('void', 15), 'ok', 'a word that no policy has any more is a status like another');
SELECT is((SELECT state FROM orders_cancellation WHERE order_id = 15), NULL, 'and begins nothing');

-- ------------------------------------------------------- several others differ
INSERT INTO ordcancel.policy (orders, policy, requested_status, in_progress_status)
VALUES ('orders'::regclass, 'p1', 'x', NULL), ('orders'::regclass, 'p2', NULL, 'x');
SELECT is(attempt('INSERT INTO orders VALUES (50, ''x'', ''acme'')'), '23514 cancellation_forbidden',
          'requested and in progress: it takes a cancellation');
INSERT INTO ordcancel.policy (orders, policy, canceled_status) VALUES ('orders'::regclass, 'p3', 'x');
SELECT is(attempt('INSERT INTO orders VALUES (50, ''x'', ''acme'')'), 'ok', 'canceled goes before both');
SELECT is(update_to('placed', 50), '23514 order_is_canceled', 'and is that from then on');
SELECT is(attempt('INSERT INTO orders VALUES (51, ''x'', ''p1'')'), '23514 cancellation_forbidden',
          'the own meaning goes before it');

-- ------------------------------------------- status and policy in one statement
SELECT is(update_to('canceled', 1, ', supplier = ''p3'''), '23514 cancellation_forbidden',
          'a status that the new policy does not call so is refused');
UPDATE orders SET paid = 0 WHERE id IN (1, 2);
SELECT is(update_to('canceled', 1, ', supplier = ''p3'''), '23514 cancellation_forbidden', 'whatever is due');
INSERT INTO ordcancel.policy (orders, policy, canceled_status) VALUES ('orders'::regclass, 'p4', 'canceled');
SELECT is(update_to('canceled', 1, ', supplier = ''p4'''), 'ok', 'a word of both is taken');
SELECT is(update_to('shipped', 2, ', supplier = ''p4'''), 'ok', 'and so is any other status');

-- --------------------------------------------------------- where case folds
CREATE COLLATION folding (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE folded (id integer PRIMARY KEY, status text COLLATE folding, supplier text);
INSERT INTO folded SELECT n, 'Placed', CASE WHEN n > 5 THEN 'acme' END FROM generate_series(1, 10) AS n;
SELECT ordcancel.attach('folded', 'status', policy_by => 'supplier'),
       ordcancel.set_policy('folded', canceled_status => 'Canceled', requested_status => 'Asked'),
       ordcancel.set_rule('folded', 'placed', customer => 'request', merchant => 'cancel');
INSERT INTO ordcancel.policy (orders, policy, canceled_status) VALUES ('folded'::regclass, 'acme', 'VOID'),
    ('folded'::regclass, 'p2', 'canceled');
SELECT ordcancel.set_rule('folded', 'placed', policy => p, merchant => 'cancel') FROM unnest('{acme,p2}'::text[]) AS p;
SELECT is(attempt('UPDATE folded SET status = ''CANCELED'' WHERE id = 6'), '23514 cancellation_forbidden',
          'capitals are the other policy''s word');
SELECT is(attempt('UPDATE folded SET status = ''void'' WHERE id = 6'), '23514 cancellation_forbidden',
          'and the own word is written as the rules write it');
SELECT is((SELECT order_status FROM ordcancel.cancel_order('folded', 6)), 'VOID', 'the own word');
UPDATE folded SET supplier = 'p2' WHERE id = 7;
SELECT is((SELECT order_status FROM ordcancel.cancel_order('folded', 7)), 'canceled', 'of two spellings the own one');
SELECT is(attempt('UPDATE folded SET status = ''placed'' WHERE id = 7'), '23514 order_is_canceled', 'is known as such');
SELECT is(attempt('INSERT INTO folded VALUES (20, ''ASKED'', ''acme'')'), '23514 cancellation_forbidden',
          'no order comes as requested');

SELECT * FROM finish();
ROLLBACK;
