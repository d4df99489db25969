\set ON_ERROR_STOP on
\pset footer off
\pset null -

\echo
\echo '-- ==========================================================================='
\echo '-- An existing shop: 300 orders, and a program that writes them.'
\echo '-- ==========================================================================='
\echo

CREATE SCHEMA shop;
CREATE TABLE shop.orders (
    id        integer PRIMARY KEY,
    customer  text NOT NULL,
    item      text NOT NULL,
    total     numeric(8,2) NOT NULL,
    paid      numeric(8,2) NOT NULL DEFAULT 0,
    status    text NOT NULL DEFAULT 'placed',
    placed_at timestamptz NOT NULL DEFAULT now()
);
\set ECHO none
INSERT INTO shop.orders
SELECT id,
       ('{Mia Novak,Jonas Berg,Aiko Tanaka,Omar Haddad,Lena Fischer,
          Tom Okafor,Ines Costa,Ravi Patel,Zoe Martin,Ben Cohen,
          Eva Lind,Luis Romero}'::text[])[1 + id % 12],
       ('{tea pot,desk lamp,rain coat,chess set,
          backpack,cook book,head phones}'::text[])[1 + id % 7],
       total,
       CASE WHEN ago <= 4 THEN 0 ELSE total END,
       CASE WHEN ago <= 4 THEN 'placed' WHEN ago <= 18 THEN 'preparing'
            WHEN ago <= 74 THEN 'shipped' ELSE 'delivered' END,
       now() - ago * interval '97 minutes'
FROM (SELECT id, 300 - id AS ago, 10 + (id * 37 % 900) / 10.0 AS total
      FROM generate_series(1, 300) AS id) AS o;
\set ECHO queries

SELECT status, count(*), min(id) AS first_id, max(id) AS last_id
FROM shop.orders GROUP BY status ORDER BY last_id;

\echo
\echo '-- ==========================================================================='
\echo '-- The DBA sets it up, once. The table keeps its shape.'
\echo '-- ==========================================================================='
\echo
CREATE EXTENSION ordcancel;

\o /dev/null
SELECT ordcancel.attach('shop.orders', status => 'status',
                        placed_at => 'placed_at', refund_due => 'paid');
\o

\echo
\echo '-- ==========================================================================='
\echo '-- There are no rules yet, so nobody can cancel. Rules are rows in tables.'
\echo '-- ==========================================================================='
\echo

\o /dev/null
SELECT ordcancel.set_policy('shop.orders', grace => '30 minutes',
                            requested_status => 'cancellation_requested',
                            in_progress_status => 'cancellation_in_progress',
                            canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.orders', 'placed', customer => 'cancel',
                          customer_late => 'request', merchant => 'cancel');
SELECT ordcancel.set_rule('shop.orders', 'preparing',
                          customer => 'request', merchant => 'cancel');
SELECT ordcancel.set_rule('shop.orders', status,
                          hint => 'Process it as a return.')
FROM unnest('{shipped,delivered}'::text[]) AS status;
\o

\echo
\echo '-- ==========================================================================='
\echo '-- GRANT decides who may do what. Row-level security limits customers to their'
\echo '-- own orders. Only the warehouse may write to the table, with the program that'
\echo '-- it has always used.'
\echo '-- ==========================================================================='
\echo
CREATE ROLE customer;
CREATE ROLE merchant;
CREATE ROLE warehouse IN ROLE merchant;
GRANT USAGE ON SCHEMA shop TO customer, merchant;
GRANT SELECT ON shop.orders TO customer, merchant;
GRANT UPDATE ON shop.orders TO warehouse;
ALTER TABLE shop.orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY staff ON shop.orders TO merchant USING (true);
CREATE POLICY own ON shop.orders TO customer
    USING (customer = current_setting('shop.customer'));
\o /dev/null
SELECT ordcancel.grant_customer('customer');
SELECT ordcancel.grant_merchant('merchant');
\o

\echo
\echo '-- This session also listens, as other programs of the shop would.'
\echo

LISTEN ordcancel;

\echo
\echo '-- ==========================================================================='
\echo '-- Mia looks at her orders. The page asks whether to show a cancel button.'
\echo '-- ==========================================================================='
\echo

SET ROLE customer;
SET shop.customer = 'Mia Novak';
SET ordcancel.actor = 'mia';
SELECT o.id, o.item, o.status, c.outcome, c.until::time(0), c.hint
FROM shop.orders AS o, ordcancel.cancel_options('shop.orders', o.id) AS c
WHERE c.verb = 'request_cancel' ORDER BY o.id DESC LIMIT 4;

\echo
\echo '-- ==========================================================================='
\echo '-- The newest order was placed a moment ago. She can simply cancel it.'
\echo '-- ==========================================================================='
\echo

SELECT order_id, state, order_status, changed
FROM ordcancel.request_cancel('shop.orders', 300, 'created_by_mistake',
                              request_key => 'app-7f3a');

\echo
\echo '-- ==========================================================================='
\echo '-- Her phone lost the connection, so the app repeats the call. Nothing changes,'
\echo '-- and there is no second event.'
\echo '-- ==========================================================================='
\echo

SELECT order_id, state, order_status, changed
FROM ordcancel.request_cancel('shop.orders', 300, 'created_by_mistake',
                              request_key => 'app-7f3a');

\echo
\echo '-- For her, orders of other customers do not exist:'
\echo

\set ON_ERROR_STOP off
SELECT state FROM ordcancel.request_cancel('shop.orders', 299);
\set ON_ERROR_STOP on

\echo
\echo '-- ==========================================================================='
\echo '-- Yesterday''s order is being packed. She can only request; the merchant decides.'
\echo '-- ==========================================================================='
\echo

SELECT order_id, state, order_status, changed
FROM ordcancel.request_cancel('shop.orders', 288, 'found_cheaper_price');

\echo
\echo '-- ==========================================================================='
\echo '-- Anna, the merchant, accepts the request.'
\echo '-- ==========================================================================='
\echo

SET ROLE merchant;
SET ordcancel.actor = 'anna';
SELECT order_id, state, order_status, refund_due
FROM ordcancel.accept_cancel('shop.orders', 288);

\echo
\echo '-- ==========================================================================='
\echo '-- The order was paid, so the cancellation waits for the refund. ordcancel moves'
\echo '-- no money; it keeps track of it.'
\echo '-- ==========================================================================='
\echo

SELECT order_id, state, order_status, refund_due, refunded
FROM ordcancel.record_refund('shop.orders', 288, 50, 'card',
                             reference => 're_1Nx');

\echo
\echo '-- ==========================================================================='
\echo '-- The second refund completes the cancellation, which is a separate event.'
\echo '-- ==========================================================================='
\echo

SELECT order_id, state, order_status, refund_due, refunded
FROM ordcancel.record_refund('shop.orders', 288, 35.60, 'card',
                             reference => 're_1Ny');

\echo
\echo '-- ==========================================================================='
\echo '-- Jonas requests a cancellation, too.'
\echo '-- ==========================================================================='
\echo

SET ROLE customer;
SET shop.customer = 'Jonas Berg';
SET ordcancel.actor = 'jonas';
SELECT order_id, state, order_status
FROM ordcancel.request_cancel('shop.orders', 289, 'customer_changed_mind');

\echo
\echo '-- ==========================================================================='
\echo '-- Anna denies it. The order gets its previous status back.'
\echo '-- ==========================================================================='
\echo

SET ROLE merchant;
SET ordcancel.actor = 'anna';
SELECT order_id, state, order_status
FROM ordcancel.deny_cancel('shop.orders', 289, 'engraved for him');

\echo
\echo '-- ==========================================================================='
\echo '-- Aiko requests a cancellation.'
\echo '-- ==========================================================================='
\echo

SET ROLE customer;
SET shop.customer = 'Aiko Tanaka';
SET ordcancel.actor = 'aiko';
SELECT order_id, state, order_status
FROM ordcancel.request_cancel('shop.orders', 290, 'wont_arrive_in_time');

\echo
\echo '-- ==========================================================================='
\echo '-- But the warehouse is faster. Its program knows nothing about ordcancel: it runs'
\echo '-- the same UPDATE as always. The order moves on, so the request is denied, and'
\echo '-- nobody waits for a decision.'
\echo '-- ==========================================================================='
\echo

SET ROLE warehouse;
SET ordcancel.actor = 'scanner 4';
UPDATE shop.orders SET status = 'shipped' WHERE id = 290;

\echo
\echo '-- ==========================================================================='
\echo '-- Conversely, the warehouse cannot ship a canceled order,'
\echo '-- ==========================================================================='
\echo
\set ON_ERROR_STOP off
UPDATE shop.orders SET status = 'shipped' WHERE id = 288;

\echo
\echo '-- nor cancel against the rules. The program sees a check violation:'
\echo

UPDATE shop.orders SET status = 'canceled' WHERE id = 290;
\echo 'SQLSTATE' :LAST_ERROR_SQLSTATE

\echo
\echo '-- ==========================================================================='
\echo '-- The functions report the same, with an SQLSTATE of ordcancel.'
\echo '-- ==========================================================================='
\echo

SET ROLE merchant;
SELECT state FROM ordcancel.cancel_order('shop.orders', 290, 'out_of_stock');
\echo 'SQLSTATE' :LAST_ERROR_SQLSTATE
\set ON_ERROR_STOP on

\echo
\echo '-- ==========================================================================='
\echo '-- Anna cancels the wrong order.'
\echo '-- ==========================================================================='
\echo

SET ordcancel.actor = 'anna';
SELECT order_id, state, order_status
FROM ordcancel.cancel_order('shop.orders', 299, 'out_of_stock');
\echo
\echo '-- ==========================================================================='
\echo '-- She undoes the cancellation.'
\echo '-- ==========================================================================='
\echo

SELECT order_id, state, order_status
FROM ordcancel.undo_cancel('shop.orders', 299, 'meant 297');

\echo
\echo '-- ==========================================================================='
\echo '-- Who did what? Each event was recorded in the transaction of the change.'
\echo '-- ==========================================================================='
\echo

\set ECHO none
RESET ROLE;
\set ECHO queries
SELECT order_id AS id, type, to_status, party, actor, data ->> 'amount' AS paid
FROM shop.orders_cancellation_event ORDER BY event_id;

\echo
\echo '-- ==========================================================================='
\echo '-- Nobody else can write the events, not even a superuser by mistake.'
\echo '-- ==========================================================================='
\echo

\set ON_ERROR_STOP off
DELETE FROM shop.orders_cancellation_event WHERE actor = 'anna';
\set ON_ERROR_STOP on

\echo
\echo '-- ==========================================================================='
\echo '-- Every order with a cancellation status has a record of it.'
\echo '-- ==========================================================================='
\echo

SELECT o.id, o.customer, o.status, c.state, c.requested_by,
       c.requested_actor AS actor, c.refunded
FROM shop.orders AS o LEFT JOIN shop.orders_cancellation AS c
    ON c.order_id = o.id AND c.state IN ('requested', 'in_progress', 'canceled')
WHERE o.status LIKE 'cancel%' ORDER BY o.id;

\echo
\echo '-- ==========================================================================='
\echo '-- Are the rules right? This is what they mean for the existing orders.'
\echo '-- ==========================================================================='
\echo
SELECT status, orders_now, customer, customer_late, merchant
FROM ordcancel.overview('shop.orders');
SELECT status, problem
FROM ordcancel.overview('shop.orders') WHERE problem IS NOT NULL;

\echo
\echo '-- ==========================================================================='
\echo '-- The rules as a diagram.'
\echo '-- ==========================================================================='
\echo

\pset tuples_only on
\pset format unaligned
SELECT ordcancel.diagram('shop.orders', format => 'text');
\echo
