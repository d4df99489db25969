\set ON_ERROR_STOP on
\pset footer off
\pset null -

\echo
\echo '-- ==========================================================================='
\echo '-- A shop that exists already: 300 orders, and a program that writes them.'
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
\echo '-- What the DBA does, once. The table stays as it is.'
\echo '-- ==========================================================================='
\echo
CREATE EXTENSION ordcancel;

\o /dev/null
SELECT ordcancel.attach('shop.orders', status => 'status',
                        placed_at => 'placed_at', refund_due => 'paid');
\o

\echo
\echo '-- ==========================================================================='
\echo '-- It has no rules yet, so nobody can cancel anything. The rules are data.'
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
\echo '-- Who may do what is GRANT. Customers see their own orders only, by row'
\echo '-- security. Only the warehouse may write to the table, with the program that'
\echo '-- it always had.'
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
\echo '-- This session also listens, as the shop''s other programs would.'
\echo

LISTEN ordcancel;

\echo
\echo '-- ==========================================================================='
\echo '-- Mia looks at her orders. Before the page shows a button it asks: may she?'
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
\echo '-- The newest is a moment old. She just cancels it.'
\echo '-- ==========================================================================='
\echo

SELECT order_id, state, order_status, changed
FROM ordcancel.request_cancel('shop.orders', 300, 'created_by_mistake',
                              request_key => 'app-7f3a');

\echo
\echo '-- ==========================================================================='
\echo '-- The answer got lost on her phone, so the app sends the call again. No harm,'
\echo '-- and no second event.'
\echo '-- ==========================================================================='
\echo

SELECT order_id, state, order_status, changed
FROM ordcancel.request_cancel('shop.orders', 300, 'created_by_mistake',
                              request_key => 'app-7f3a');

\echo
\echo '-- Somebody else''s order does not exist for her:'
\echo

\set ON_ERROR_STOP off
SELECT state FROM ordcancel.request_cancel('shop.orders', 299);
\set ON_ERROR_STOP on

\echo
\echo '-- ==========================================================================='
\echo '-- The one of yesterday is being packed. She can only ask, the merchant decides.'
\echo '-- ==========================================================================='
\echo

SELECT order_id, state, order_status, changed
FROM ordcancel.request_cancel('shop.orders', 288, 'found_cheaper_price');

\echo
\echo '-- ==========================================================================='
\echo '-- Anna is the merchant, and accepts it.'
\echo '-- ==========================================================================='
\echo

SET ROLE merchant;
SET ordcancel.actor = 'anna';
SELECT order_id, state, order_status, refund_due
FROM ordcancel.accept_cancel('shop.orders', 288);

\echo
\echo '-- ==========================================================================='
\echo '-- It is paid, so it is not over before the money is back. ordcancel moves no'
\echo '-- money; it keeps the account.'
\echo '-- ==========================================================================='
\echo

SELECT order_id, state, order_status, refund_due, refunded
FROM ordcancel.record_refund('shop.orders', 288, 50, 'card',
                             reference => 're_1Nx');

\echo
\echo '-- ==========================================================================='
\echo '-- The second refund completes it, which is an event of its own.'
\echo '-- ==========================================================================='
\echo

SELECT order_id, state, order_status, refund_due, refunded
FROM ordcancel.record_refund('shop.orders', 288, 35.60, 'card',
                             reference => 're_1Ny');

\echo
\echo '-- ==========================================================================='
\echo '-- Jonas asks too.'
\echo '-- ==========================================================================='
\echo

SET ROLE customer;
SET shop.customer = 'Jonas Berg';
SET ordcancel.actor = 'jonas';
SELECT order_id, state, order_status
FROM ordcancel.request_cancel('shop.orders', 289, 'customer_changed_mind');

\echo
\echo '-- ==========================================================================='
\echo '-- Anna denies it. His order gets its old status back.'
\echo '-- ==========================================================================='
\echo

SET ROLE merchant;
SET ordcancel.actor = 'anna';
SELECT order_id, state, order_status
FROM ordcancel.deny_cancel('shop.orders', 289, 'engraved for him');

\echo
\echo '-- ==========================================================================='
\echo '-- Aiko asks.'
\echo '-- ==========================================================================='
\echo

SET ROLE customer;
SET shop.customer = 'Aiko Tanaka';
SET ordcancel.actor = 'aiko';
SELECT order_id, state, order_status
FROM ordcancel.request_cancel('shop.orders', 290, 'wont_arrive_in_time');

\echo
\echo '-- ==========================================================================='
\echo '-- But the warehouse is quicker. Its program knows nothing of ordcancel: it does'
\echo '-- the UPDATE that it always did. The order moves on, so the request is denied,'
\echo '-- and nobody waits for an answer.'
\echo '-- ==========================================================================='
\echo

SET ROLE warehouse;
SET ordcancel.actor = 'scanner 4';
UPDATE shop.orders SET status = 'shipped' WHERE id = 290;

\echo
\echo '-- ==========================================================================='
\echo '-- The other way round, the warehouse cannot ship what is canceled,'
\echo '-- ==========================================================================='
\echo
\set ON_ERROR_STOP off
UPDATE shop.orders SET status = 'shipped' WHERE id = 288;

\echo
\echo '-- nor cancel what the rules do not let it. A program sees a failed constraint:'
\echo

UPDATE shop.orders SET status = 'canceled' WHERE id = 290;
\echo 'SQLSTATE' :LAST_ERROR_SQLSTATE

\echo
\echo '-- ==========================================================================='
\echo '-- The functions say the same, with a code of their own.'
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
\echo '-- She undoes it.'
\echo '-- ==========================================================================='
\echo

SELECT order_id, state, order_status
FROM ordcancel.undo_cancel('shop.orders', 299, 'meant 297');

\echo
\echo '-- ==========================================================================='
\echo '-- Who did what? The same transaction that changed an order wrote it down.'
\echo '-- ==========================================================================='
\echo

\set ECHO none
RESET ROLE;
\set ECHO queries
SELECT order_id AS id, type, to_status, party, actor, data ->> 'amount' AS paid
FROM shop.orders_cancellation_event ORDER BY event_id;

\echo
\echo '-- ==========================================================================='
\echo '-- Nobody can write it otherwise, not even the superuser by mistake.'
\echo '-- ==========================================================================='
\echo

\set ON_ERROR_STOP off
DELETE FROM shop.orders_cancellation_event WHERE actor = 'anna';
\set ON_ERROR_STOP on

\echo
\echo '-- ==========================================================================='
\echo '-- No order is in a status of cancellation without its record.'
\echo '-- ==========================================================================='
\echo

SELECT o.id, o.customer, o.status, c.state, c.requested_by,
       c.requested_actor AS actor, c.refunded
FROM shop.orders AS o LEFT JOIN shop.orders_cancellation AS c
    ON c.order_id = o.id AND c.state IN ('requested', 'in_progress', 'canceled')
WHERE o.status LIKE 'cancel%' ORDER BY o.id;

\echo
\echo '-- ==========================================================================='
\echo '-- Are the rules right? This is what they mean for the orders that are there.'
\echo '-- ==========================================================================='
\echo
SELECT status, orders_now, customer, customer_late, merchant
FROM ordcancel.overview('shop.orders');
SELECT status, problem
FROM ordcancel.overview('shop.orders') WHERE problem IS NOT NULL;

\echo
\echo '-- ==========================================================================='
\echo '-- The rules as a drawing.'
\echo '-- ==========================================================================='
\echo

\pset tuples_only on
\pset format unaligned
SELECT ordcancel.diagram('shop.orders', format => 'text');
\echo
