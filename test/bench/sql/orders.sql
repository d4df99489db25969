-- The shop: n orders to measure on, and 2,000 more to warm up on and the like.
-- The first are those that were canceled long ago, where old says how many.
\if :{?old}
\else
    \set old 0
\endif
\if :{?partition_by}
\else
    \set partition_by ''
\endif
CREATE EXTENSION ordcancel;
CREATE SCHEMA shop;
CREATE TABLE shop.orders (
    id bigint PRIMARY KEY,
    customer_id bigint NOT NULL,
    status text NOT NULL,
    placed_at timestamptz NOT NULL,
    total numeric(12, 2) NOT NULL,
    address text NOT NULL,
    seen_at timestamptz
) :partition_by;
SELECT format('CREATE TABLE shop.orders_%1$s PARTITION OF shop.orders FOR VALUES WITH (MODULUS 24, REMAINDER %1$s)',
              part)
FROM generate_series(0, 23) AS part
WHERE :'partition_by' <> ''
\gexec
INSERT INTO shop.orders
SELECT n, n * 7919 % 50021, CASE WHEN n <= :old THEN 'canceled' ELSE 'placed' END,
       now() - n % 7200 * interval '1 second', n % 977 + 0.95,
       repeat('x', 60 + (n % 40)::int), NULL
FROM generate_series(1, :n::bigint + 2000) AS n;
CREATE INDEX ON shop.orders (customer_id);

SET client_min_messages = warning;
SELECT ordcancel.attach('shop.orders', status => 'status', placed_at => 'placed_at');
SELECT ordcancel.set_policy('shop.orders', grace => '1 hour', requested_status => 'cancellation_requested',
                            canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.orders', 'placed', customer => 'cancel', customer_late => 'request',
                          merchant => 'cancel');
SELECT ordcancel.set_rule('shop.orders', 'paid', customer => 'request', merchant => 'cancel');
SELECT ordcancel.set_rule('shop.orders', 'preparing', customer => 'request', merchant => 'request');
SELECT ordcancel.set_rule('shop.orders', 'shipped', hint => 'Process it as a return.');
