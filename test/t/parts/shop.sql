-- Three shops with 100 orders of 3 items each. "plain" refuses to cancel an order
-- that is partly fulfilled and pays back what its items cost; "parted" has
-- partitioned items with a key of two columns and fractions of units, cancels
-- the rest, and knows what was paid; "states" cancels items as a whole, by their
-- state.
CREATE EXTENSION ordcancel;
CREATE SCHEMA plain;
CREATE SCHEMA parted;
CREATE SCHEMA states;
CREATE TABLE plain.orders (id integer PRIMARY KEY, status text NOT NULL DEFAULT 'placed', paid numeric);
CREATE TABLE parted.orders (LIKE plain.orders INCLUDING ALL);
CREATE TABLE states.orders (LIKE plain.orders INCLUDING ALL);

-- The keys of items are not in the order of their orders' keys.
CREATE TABLE plain.items (
    id integer PRIMARY KEY,
    order_id integer NOT NULL REFERENCES plain.orders,
    quantity integer NOT NULL,
    canceled integer NOT NULL DEFAULT 0,
    shipped integer NOT NULL DEFAULT 0,
    price numeric NOT NULL
);
CREATE INDEX ON plain.items (order_id);
CREATE TABLE parted.items (
    id integer,
    order_id integer NOT NULL REFERENCES parted.orders,
    quantity numeric NOT NULL,
    canceled numeric NOT NULL DEFAULT 0,
    shipped numeric NOT NULL DEFAULT 0,
    price numeric NOT NULL,
    PRIMARY KEY (id, order_id)
) PARTITION BY HASH (order_id);
CREATE TABLE parted.items_0 PARTITION OF parted.items FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parted.items_1 PARTITION OF parted.items FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE INDEX ON parted.items (order_id);
CREATE TABLE states.items (
    id integer PRIMARY KEY,
    order_id integer NOT NULL REFERENCES states.orders,
    quantity integer NOT NULL,
    shipped integer NOT NULL DEFAULT 0,
    price numeric NOT NULL,
    state text DEFAULT 'open',
    canceled integer NOT NULL GENERATED ALWAYS AS (CASE WHEN state = 'canceled' THEN quantity ELSE 0 END) STORED
);
CREATE INDEX ON states.items (order_id);

-- Orders from which items were deleted or moved away: they may have nothing
-- left without having been canceled.
CREATE TABLE plain.lost (order_id integer);
CREATE TABLE parted.lost (order_id integer);
CREATE TABLE states.lost (order_id integer);

INSERT INTO plain.orders SELECT n, 'placed', 1000 FROM generate_series(1, 100) AS n;
INSERT INTO parted.orders SELECT n, 'placed', 20 + n % 40 FROM generate_series(1, 100) AS n;
INSERT INTO plain.items
SELECT 10000 - n * 37 % 307, n / 3 + 1, 1 + n % 4, 0, 0, 1.5 + n % 9 FROM generate_series(0, 299) AS n;
INSERT INTO states.orders SELECT n, 'placed', 1000 FROM generate_series(1, 100) AS n;
INSERT INTO parted.items SELECT * FROM plain.items;
INSERT INTO states.items SELECT id, order_id, quantity, 0, price FROM plain.items;

SELECT ordcancel.attach('plain.orders', 'status'),
       ordcancel.attach('parted.orders', 'status', refund_due => 'paid'),
       ordcancel.attach('states.orders', 'status') \g /dev/null
SELECT ordcancel.set_policy(t, requested_status => 'asked', in_progress_status => 'refunding',
                            canceled_status => 'canceled', on_progress => 'hold'),
       ordcancel.set_rule(t, 'placed', customer => 'request', merchant => 'cancel')
FROM unnest('{plain.orders,parted.orders,states.orders}'::regclass[]) AS t \g /dev/null
SELECT ordcancel.set_policy('parted.orders', partly_fulfilled => 'rest'),
       ordcancel.set_policy('states.orders', decision_timeout => '1 second', on_timeout => 'accept'),
       ordcancel.attach_items(schema || '.items', schema || '.orders', key => '{order_id}', quantity => 'quantity',
                              canceled => 'canceled', fulfilled => 'shipped',
                              amount => '(quantity - canceled) * price')
FROM unnest('{plain,parted}'::text[]) AS schema \g /dev/null
SELECT ordcancel.attach_items('states.items', 'states.orders', key => '{order_id}', quantity => 'quantity',
                              fulfilled => 'shipped', status => 'state', canceled_status => 'canceled',
                              amount => 'CASE WHEN state = ''canceled'' THEN 0 ELSE quantity * price END') \g /dev/null
CREATE SEQUENCE item_id START 20000;
ANALYZE;
