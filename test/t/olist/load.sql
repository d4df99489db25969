-- The files as they are.
CREATE SCHEMA olist;
CREATE TABLE olist.orders (
    order_id text PRIMARY KEY,
    customer_id text NOT NULL,
    status text NOT NULL,
    purchased_at timestamp NOT NULL,
    approved_at timestamp,
    shipped_at timestamp,
    delivered_at timestamp,
    estimated_delivery_at timestamp
);
CREATE TABLE olist.payments (
    order_id text NOT NULL,
    seq integer NOT NULL,
    method text NOT NULL,
    installments integer NOT NULL,
    amount numeric NOT NULL,
    PRIMARY KEY (order_id, seq)
);
