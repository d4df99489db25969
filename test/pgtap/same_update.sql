-- An UPDATE cannot change what its change of status is judged by: not the
-- window, a block, the money due, the policy or the key in the same breath.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
SELECT plan(39);

CREATE ROLE same_update_customer;
CREATE TABLE orders (
    id integer,
    branch text,
    status text,
    placed_at timestamptz,
    flagged boolean NOT NULL DEFAULT false,
    total numeric NOT NULL DEFAULT 0,
    supplier text,
    PRIMARY KEY (id, branch)
);
GRANT SELECT, UPDATE ON orders TO same_update_customer;
INSERT INTO orders VALUES
    (1, 'n', 'placed', now() - interval '2 hours', false, 0, 'quick'),
    (2, 'n', 'placed', now(), true, 0, 'quick'),
    (3, 'n', 'placed', now(), false, 5, 'quick'),
    (4, 'n', 'shipped', now(), false, 0, 'strict'),
    (5, 'n', 'placed', now(), false, 0, 'strict'),
    (6, 'n', 'placed', now(), false, 0, 'quick'),
    (7, 'n', 'void', now(), false, 0, 'quick'),
    (8, 'n', 'canceled', now(), false, 0, 'quick'),
    (9, 'n', 'placed', now(), false, 0, 'quick'),
    (10, 'n', 'placed', now(), false, 0, 'quick');
SELECT ordcancel.attach('orders', status => 'status', placed_at => 'placed_at', policy_by => 'supplier',
                        refund_due => 'total');
SELECT ordcancel.set_policy('orders', policy => 'quick', grace => '1 hour', canceled_status => 'canceled',
                            requested_status => 'asked');
SELECT ordcancel.set_policy('orders', policy => 'strict', canceled_status => 'void'),
       ordcancel.set_policy('orders', policy => 'slow', canceled_status => 'canceled'),
       ordcancel.set_policy('orders', policy => 'odd', requested_status => 'void');
SELECT ordcancel.set_rule('orders', 'placed', customer => 'cancel', customer_late => 'forbid', merchant => 'cancel',
                          policy => 'quick');
SELECT ordcancel.set_rule('orders', 'shipped', customer => 'cancel', merchant => 'cancel', policy => 'quick');
SELECT ordcancel.set_rule('orders', 'placed', customer => 'forbid', policy => 'strict');
SELECT ordcancel.add_block('orders', 'flagged', 'flagged');

CREATE FUNCTION customer(statement text) RETURNS text LANGUAGE sql
    AS $$ SELECT attempt_as('same_update_customer', statement) $$;

-- ------------------------------------------------------- window, block, money

SELECT is(customer($$UPDATE orders SET status = 'canceled' WHERE id = 1$$), '23514 grace_period_over',
          'the customer is late');
SELECT is(customer($$UPDATE orders SET placed_at = now(), status = 'canceled' WHERE id = 1$$),
          '23514 grace_period_over', 'a new placed_at in the same UPDATE does not open the window again');
SELECT is(customer($$UPDATE orders SET placed_at = NULL, status = 'canceled' WHERE id = 1$$),
          '23514 grace_period_over', 'nor does none');
SELECT is(customer($$UPDATE orders SET flagged = false, status = 'canceled' WHERE id = 2$$),
          '23514 cancellation_blocked', 'a block cannot be taken away in the same UPDATE');
SELECT is(customer($$UPDATE orders SET flagged = NULL, status = 'canceled' WHERE id = 6$$), '23502',
          'other constraints hold besides');
SELECT is(customer($$UPDATE orders SET total = 0, status = 'canceled' WHERE id = 3$$), '23514 refund_not_settled',
          'money due cannot be waived in the same UPDATE');
SELECT is(customer($$UPDATE orders SET total = NULL, flagged = true, status = 'canceled' WHERE id = 3$$), '23502',
          'nor unknown');
SELECT is(customer($$UPDATE orders SET flagged = true, status = 'canceled' WHERE id = 6$$), 'ok',
          'what the UPDATE makes of the block is judged by the row before it');
SELECT is((SELECT state FROM orders_cancellation WHERE order_id = 6), 'canceled', 'and recorded');

-- ------------------------------------------------------------------- policy

SELECT is(customer($$UPDATE orders SET supplier = 'quick', status = 'void' WHERE id = 5$$),
          '23514 cancellation_forbidden', 'a friendlier policy in the same UPDATE does not count');
SELECT is(customer($$UPDATE orders SET supplier = 'quick', status = 'canceled' WHERE id = 5$$),
          '23514 cancellation_forbidden', 'nor with the word of the friendlier one');
SELECT is(customer($$UPDATE orders SET supplier = NULL, status = 'canceled' WHERE id = 4$$),
          '23514 cancellation_forbidden', 'a word that neither policy has is another''s, and no status like another');
SELECT is(customer($$UPDATE orders SET supplier = 'strict', status = 'void' WHERE id = 9$$),
          '23514 cancellation_forbidden', 'another policy''s word for canceled is not what the order''s own allows');
SELECT is(customer($$UPDATE orders SET supplier = 'strict', status = 'canceled' WHERE id = 9$$),
          '23514 cancellation_forbidden', 'nor the own word what the order would be left with under the other');
SELECT is(customer($$UPDATE orders SET supplier = 'slow', status = 'canceled' WHERE id = 9$$), 'ok',
          'a word of both is');
SELECT is((SELECT policy || ' ' || state FROM orders_cancellation WHERE order_id = 9), 'quick canceled',
          'and the policy before the UPDATE governed it');
SELECT is(customer($$UPDATE orders SET status = 'placed' WHERE id = 9$$), '23514 order_is_canceled',
          'an order that was canceled under one policy stays so under another');
SELECT is(customer($$UPDATE orders SET supplier = 'odd' WHERE id = 7$$), '23514 cancellation_forbidden',
          'an order does not cease to be canceled because another policy reads its status so');
SELECT is(customer($$UPDATE orders SET supplier = 'nobody' WHERE id = 8; UPDATE orders SET status = 'placed'
                     WHERE id = 8$$),
          '23514 order_is_canceled', 'an order that came canceled does not come to life through another policy');
SELECT is(customer($$UPDATE orders SET supplier = 'nobody', status = 'placed' WHERE id = 8$$),
          '23514 order_is_canceled', 'nor in one UPDATE');
SELECT is(customer($$UPDATE orders SET supplier = 'strict' WHERE id = 10$$), 'ok',
          'otherwise an order may change to another policy');

-- ---------------------------------------------------------------------- key

SELECT is(customer($$UPDATE orders SET id = 100 WHERE id = 10$$), 'ok',
          'an order without cancellations may change its key');
SELECT is(customer($$UPDATE orders SET id = 60 WHERE id = 6$$), '23514 order_has_cancellations',
          'one with a cancellation keeps it');
SELECT is(customer($$UPDATE orders SET branch = 's' WHERE id = 6$$), '23514 order_has_cancellations',
          'every column of it');
SELECT is(customer($$UPDATE orders SET id = 60, status = 'placed' WHERE id = 6$$), '23514 order_has_cancellations',
          'also together with its status');
SELECT is(customer($$UPDATE orders SET id = 40, status = 'placed', supplier = 'quick' WHERE id = 8$$),
          '23514 order_is_canceled', 'a new key is no way out of a status that it came with');
SELECT is(customer($$UPDATE orders SET id = 50, status = 'void' WHERE id = 5$$), '23514 cancellation_forbidden',
          'nor into one');
SELECT ordcancel.cancel_order('orders', ROW(3, 'n'));
SELECT ordcancel.undo_cancel('orders', ROW(3, 'n'));
SELECT is(customer($$UPDATE orders SET id = 30 WHERE id = 3$$), '23514 order_has_cancellations',
          'cancellations that have ended hold the key too');

-- Both at once, within the rules: whichever way it goes, the cancellation
-- must be found under the key that the order has.
INSERT INTO orders VALUES (70, 'n', 'placed', now(), false, 0, 'quick');
DO $do$ BEGIN PERFORM attempt($$UPDATE orders SET id = 71, status = 'canceled' WHERE id = 70$$); END $do$;
SELECT is((SELECT count(*) FROM orders_cancellation AS c WHERE NOT EXISTS
              (SELECT FROM orders AS o WHERE (o.id, o.branch) = (c.order_id, c.branch))), 0::bigint,
          'no cancellation is without its order');
SELECT is((SELECT count(*) FROM orders AS o WHERE status = 'canceled' AND id IN (70, 71) AND NOT EXISTS
              (SELECT FROM orders_cancellation AS c WHERE (o.id, o.branch) = (c.order_id, c.branch))), 0::bigint,
          'no order was canceled without a cancellation');

-- ------------------------------------------------------- a rule changed just now

INSERT INTO orders SELECT n, 'n', 'placed', now(), false, 0, 'quick' FROM generate_series(80, 89) AS n;
PREPARE cancel (integer) AS UPDATE orders SET status = 'canceled' WHERE id = $1;
SELECT is(customer('EXECUTE cancel(80)'), 'ok', 'what the rule allows goes through');
SELECT ordcancel.set_rule('orders', 'placed', customer => 'forbid', policy => 'quick');
SELECT is(customer('EXECUTE cancel(81)'), '23514 cancellation_forbidden', 'what it forbids from now on does not');
SAVEPOINT rules;
SELECT ordcancel.set_rule('orders', 'placed', customer => 'cancel', policy => 'quick');
SELECT is(customer('EXECUTE cancel(81)'), 'ok', 'allowed again');
ROLLBACK TO rules;
SELECT is(customer('EXECUTE cancel(81)'), '23514 cancellation_forbidden', 'a rule that was rolled back is forgotten');
SELECT ordcancel.drop_rule('orders', 'placed', 'quick');
SELECT is(customer('EXECUTE cancel(82)'), '23514 cancellation_forbidden', 'a rule that is dropped allows nothing');
SELECT ordcancel.set_rule('orders', 'placed', customer => 'cancel', policy => 'quick');
SELECT ordcancel.add_block('orders', 'stop', 'true');
SELECT is(customer('EXECUTE cancel(83)'), '23514 cancellation_blocked', 'a new block blocks');
SELECT ordcancel.drop_block('orders', 'stop');
SELECT is(customer('EXECUTE cancel(83)'), 'ok', 'a dropped one does not');
SELECT ordcancel.drop_policy('orders', 'slow');
SELECT ordcancel.set_policy('orders', policy => 'quick', canceled_status => 'annulled');
SELECT is(customer('EXECUTE cancel(84)'), 'ok', 'a word that is not the policy''s any more is a status like another');
SELECT is(customer($$UPDATE orders SET status = 'annulled' WHERE id = 85$$), 'ok',
          'the new word is the one that cancels');

SELECT * FROM finish();
ROLLBACK;
