-- What happens to which order, and when. Chance comes from hashes of the
-- order's id, so every run is the same.
CREATE SCHEMA replay;

-- 0 to 1, another number for each salt.
CREATE FUNCTION replay.chance(order_id text, salt text) RETURNS float8
    LANGUAGE sql IMMUTABLE
    RETURN ('x' || substr(md5('olist' || salt || order_id), 1, 8))::bit(32)::bigint / 4294967296.0;

CREATE FUNCTION replay.pick(order_id text, salt text, VARIADIC choices text[]) RETURNS text
    LANGUAGE sql IMMUTABLE
    RETURN choices[1 + floor(replay.chance(order_id, salt) * cardinality(choices))::int];

CREATE TABLE replay.step (
    at timestamptz NOT NULL,
    ord integer NOT NULL,   -- order of steps of the same minute
    order_id text NOT NULL,
    what text NOT NULL,
    status text,            -- of a plain update; NULL: it leaves the status
    recorded timestamp,     -- what a plain update writes into the column of its stage
    reason text,
    note text,
    request_key text
);

-- The recorded life. A time that was recorded after a later stage's changes no
-- status. Where the last status has no time of its own in the data, the order
-- gets there half a day after the last time it has.
WITH life AS (
    SELECT o.order_id, o.status AS final, v.ord, v.what, v.recorded AS at, v.recorded
    FROM olist.orders AS o,
         LATERAL (VALUES (1, 'approved', o.approved_at), (3, 'shipped', o.shipped_at),
                         (4, 'delivered', o.delivered_at)) AS v (ord, what, recorded)
    WHERE v.recorded IS NOT NULL
    UNION ALL
    SELECT o.order_id, o.status, 5, o.status,
           greatest(o.purchased_at, o.approved_at, o.shipped_at, o.delivered_at) + interval '12 hours', NULL
    FROM olist.orders AS o
    WHERE o.status IN ('processing', 'invoiced', 'unavailable')
          OR o.status = 'delivered' AND o.delivered_at IS NULL
)
INSERT INTO replay.step (at, ord, order_id, what, status, recorded)
SELECT at, ord, order_id, what,
       CASE WHEN what = final OR ord > coalesce(max(ord) OVER earlier, 0)
    AND NOT (what = 'delivered' AND final = 'shipped')
            THEN what END,
       recorded
FROM life
WINDOW earlier AS (PARTITION BY order_id ORDER BY at, ord ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING);

CREATE TABLE replay.life AS
SELECT o.order_id, o.purchased_at::timestamptz AS born,
       greatest(o.purchased_at, o.approved_at, o.shipped_at, o.delivered_at)::timestamptz AS ended
FROM olist.orders AS o;

-- Those recorded as canceled: before the parcel left the customer or the
-- merchant cancels, afterwards it takes a manager.
CREATE TABLE replay.canceled AS
SELECT o.order_id, date_trunc('second', l.ended + interval '2 days' * replay.chance(o.order_id, 'canceled')) AS at,
       CASE WHEN o.shipped_at IS NOT NULL THEN 'override'
            ELSE replay.pick(o.order_id, 'canceler', 'customer', 'merchant') END AS way
FROM olist.orders AS o JOIN replay.life AS l USING (order_id)
WHERE o.status = 'canceled';

INSERT INTO replay.step (at, ord, order_id, what, reason, note)
SELECT at, 10, order_id, way, CASE way WHEN 'merchant' THEN 'out_of_stock' ELSE 'customer_changed_mind' END,
       CASE way WHEN 'override' THEN 'lost on the way' END
FROM replay.canceled
UNION ALL
-- where the first call only asked
SELECT at + interval '1 hour', 11, order_id, CASE way WHEN 'customer' THEN 'accept' ELSE way END, NULL, NULL
FROM replay.canceled WHERE way <> 'override'
UNION ALL
SELECT at + interval '1 day', 12, order_id, 'refund', NULL, NULL FROM replay.canceled;

-- The random tenth of the others, asked twice: as customer and as merchant.
-- Early moments are likelier than late ones, because that is when people ask.
CREATE TABLE replay.asked AS
SELECT o.order_id,
       date_trunc('second', l.born + (l.ended + interval '3 days' - l.born)
                  * power(replay.chance(o.order_id, 'customer at'), 3)) AS customer_at,
       date_trunc('second', l.born + (l.ended + interval '3 days' - l.born)
                  * power(replay.chance(o.order_id, 'merchant at'), 2)) AS merchant_at
FROM olist.orders AS o JOIN replay.life AS l USING (order_id)
WHERE o.status <> 'canceled' AND replay.chance(o.order_id, 'asked') < 0.1;

INSERT INTO replay.step (at, ord, order_id, what, reason, request_key)
SELECT customer_at, 10, order_id, 'customer',
       replay.pick(order_id, 'reason', 'customer_changed_mind', 'found_cheaper_price', 'wont_arrive_in_time',
                   'created_by_mistake', NULL, 'other'),
       'ask of ' || order_id
FROM replay.asked;

INSERT INTO replay.step (at, ord, order_id, what, reason, note)
SELECT merchant_at, 10, order_id, 'merchant',
       replay.pick(order_id, 'merchant reason', 'out_of_stock', 'pricing_error', 'fraud', NULL), NULL
FROM replay.asked
UNION ALL
-- a stranger tries somebody else's order
SELECT customer_at - interval '1 minute', 9, order_id, 'stranger', NULL, NULL
FROM replay.asked WHERE replay.chance(order_id, 'stranger') < 0.1
UNION ALL
-- a request is decided, taken back, or left alone until the order moves on
SELECT customer_at + interval '1 day' * replay.chance(order_id, 'decided at'), 11, order_id,
       replay.pick(order_id, 'decision', 'accept', 'deny', 'withdraw'), NULL, 'because'
FROM replay.asked WHERE replay.chance(order_id, 'decided') < 0.7
UNION ALL
-- the second call, where it takes two
SELECT merchant_at + interval '5 hours', 11, order_id, 'merchant', NULL, NULL
FROM replay.asked WHERE replay.chance(order_id, 'again') < 0.5
UNION ALL
SELECT greatest(customer_at, merchant_at) + interval '2 days', 12, order_id, 'refund', NULL, NULL
FROM replay.asked WHERE replay.chance(order_id, 'refund') < 0.8
UNION ALL
SELECT greatest(customer_at, merchant_at) + interval '4 days', 13, order_id, 'undo', NULL, 'they want it after all'
FROM replay.asked WHERE replay.chance(order_id, 'undo') < 0.3;

-- The answer got lost, and the customer asks again with the same key.
INSERT INTO replay.step (at, ord, order_id, what, reason, request_key)
SELECT at + interval '30 seconds', 10, order_id, 'customer', reason, request_key
FROM replay.step
WHERE what = 'customer' AND request_key IS NOT NULL AND replay.chance(order_id, 'retry') < 0.2;

ANALYZE;
