-- An ordinary shop: a table of orders, an application that writes it, customers
-- that see their own orders, merchants.
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET timezone = %L', current_database(), 'America/Sao_Paulo'); END $$;
SET timezone = 'America/Sao_Paulo';

CREATE SCHEMA shop;
CREATE TABLE shop.orders (
    order_id text PRIMARY KEY,
    customer_id text NOT NULL,
    status text NOT NULL DEFAULT 'created',
    purchased_at timestamp NOT NULL,
    approved_at timestamp,
    shipped_at timestamp,
    delivered_at timestamp,
    estimated_delivery_at timestamp,
    paid numeric
);
INSERT INTO shop.orders (order_id, customer_id, purchased_at, estimated_delivery_at, paid)
SELECT o.order_id, o.customer_id, o.purchased_at, o.estimated_delivery_at,
       (SELECT sum(p.amount) FROM olist.payments AS p WHERE p.order_id = o.order_id)
FROM olist.orders AS o;

CREATE ROLE olist_app;
CREATE ROLE olist_customer;
CREATE ROLE olist_merchant;
CREATE ROLE olist_manager IN ROLE olist_merchant;
GRANT USAGE ON SCHEMA shop TO olist_app, olist_customer, olist_merchant;
GRANT SELECT, UPDATE ON shop.orders TO olist_app;
GRANT SELECT ON shop.orders TO olist_customer, olist_merchant;
ALTER TABLE shop.orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY staff ON shop.orders TO olist_app, olist_merchant USING (true);
CREATE POLICY own ON shop.orders TO olist_customer USING (customer_id = current_setting('shop.customer', true));

CREATE EXTENSION ordcancel;
SET client_min_messages = warning;
SELECT ordcancel.attach('shop.orders', status => 'status', placed_at => 'purchased_at',
                        refund_due => 'CASE WHEN approved_at IS NOT NULL THEN paid END');
SELECT ordcancel.set_policy('shop.orders', grace => '30 minutes', requested_status => 'cancellation_requested',
                            in_progress_status => 'cancellation_in_progress', canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.orders', 'created', customer => 'cancel', customer_late => 'request',
                          merchant => 'cancel');
SELECT ordcancel.set_rule('shop.orders', 'approved', customer => 'request', merchant => 'request');
SELECT ordcancel.set_rule('shop.orders', 'processing', customer => 'request', merchant => 'request');
SELECT ordcancel.set_rule('shop.orders', 'invoiced', customer => 'request', merchant => 'request');
SELECT ordcancel.set_rule('shop.orders', 'unavailable', customer => 'cancel', merchant => 'cancel');
SELECT ordcancel.set_rule('shop.orders', 'shipped', customer => 'request', customer_late => 'forbid',
                          hint => 'Refuse the parcel, or process it as a return.');
SELECT ordcancel.set_rule('shop.orders', 'delivered', hint => 'Process it as a return.');
SELECT ordcancel.grant_customer('olist_customer');
SELECT ordcancel.grant_merchant('olist_merchant');
GRANT EXECUTE ON FUNCTION ordcancel.override_cancel(regclass, text, text, text, text, text, jsonb, numeric)
    TO olist_manager;
