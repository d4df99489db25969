-- A shop with sixteen weeks of orders and cancellations, for the report in
-- doc/pictures: on Monday morning, the 2nd of November 2026, over the eight weeks
-- before. In the middle of them the policy changes. Made with the functions of
-- ordcancel alone, each at its time, and the same each time.
SET LOCAL timezone = 'Europe/Berlin';
CREATE SCHEMA shop;
CREATE TABLE shop.orders (
    id integer PRIMARY KEY,
    status text NOT NULL DEFAULT 'placed',
    placed_at timestamptz NOT NULL,
    paid numeric(10,2) NOT NULL
);
CREATE TABLE shop.order_items (
    id integer PRIMARY KEY,
    order_id integer NOT NULL REFERENCES shop.orders,
    quantity integer NOT NULL,
    canceled integer NOT NULL DEFAULT 0,
    price numeric(10,2) NOT NULL
);

-- From 0 to 1, the same for the same arguments on every machine.
CREATE FUNCTION shop.dice(n integer, use text) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$
SELECT ('x' || substr(md5(n || use), 1, 7))::bit(28)::integer / 268435456.0
$$;
CREATE FUNCTION shop.pick(n integer, use text, choices text[]) RETURNS text LANGUAGE sql IMMUTABLE AS $$
SELECT choices[1 + floor(shop.dice(n, use) * cardinality(choices))::integer]
$$;

INSERT INTO shop.orders (id, placed_at, paid)
SELECT row_number() OVER (ORDER BY d.day, d.hour, d.n) + 10000, d.day + d.hour * interval '1 hour',
       round(12 + 180 * shop.dice(d.n, 'paid') ^ 2, 2)
FROM (SELECT w.day, k.n, 24 * (1 - shop.dice(k.n, 'hour') ^ 1.6) AS hour
      FROM generate_series(timestamptz '2026-07-13', '2026-11-01', '1 day') AS w (day),
          generate_series(1, 78 + CASE WHEN extract(isodow FROM w.day) IN (1, 7) THEN 20 ELSE 0 END) AS i (i),
          LATERAL (SELECT extract(doy FROM w.day)::integer * 1000 + i.i) AS k (n)) AS d;
INSERT INTO shop.order_items (id, order_id, quantity, price)
SELECT 2 * o.id + i.i, o.id, 1 + (shop.dice(o.id, 'quantity' || i.i) * 2)::integer,
       round(o.paid / 5 * (1 + i.i), 2)
FROM shop.orders AS o, generate_series(0, 1) AS i (i);
ANALYZE shop.orders;
CREATE INDEX ON shop.orders (placed_at);

SET LOCAL ordcancel.clock = '2026-07-01 09:00';
SELECT ordcancel.attach('shop.orders', 'status', placed_at => 'placed_at', refund_due => 'paid');
SELECT ordcancel.set_policy('shop.orders', grace => '30 minutes', requested_status => 'cancellation_requested',
                            in_progress_status => 'refunding', canceled_status => 'canceled',
                            decision_timeout => '3 days', on_timeout => 'deny');
SELECT ordcancel.set_rule('shop.orders', 'placed', customer => 'cancel', customer_late => 'request',
                          merchant => 'cancel');
SELECT ordcancel.set_rule('shop.orders', 'packed', customer => 'request', merchant => 'cancel');
SELECT ordcancel.set_rule('shop.orders', 'shipped', hint => 'Process it as a return.');
SELECT ordcancel.attach_items('shop.order_items', 'shop.orders', key => '{order_id}', quantity => 'quantity',
                              canceled => 'canceled', amount => '(quantity - canceled) * price');

-- Who cancels, how long after the order, and what becomes of it.
CREATE TABLE shop.plan AS
SELECT o.id, o.placed_at, k.kind,
       o.placed_at + CASE k.kind WHEN 'early' THEN interval '25 minutes' * shop.dice(o.id, 'when')
                                 WHEN 'merchant' THEN interval '4 hours' + interval '20 hours' * shop.dice(o.id, 'when')
                                 ELSE interval '35 minutes' + interval '22 hours' * shop.dice(o.id, 'when') ^ 2 END
           AS at,
       -- The merchant decides faster after the change.
       (interval '20 minutes' + interval '50 hours' * shop.dice(o.id, 'decide') ^ 3)
           * CASE WHEN o.placed_at < '2026-10-05' THEN 1 ELSE 0.45 END
           -- The last weekend nobody decides.
           + CASE WHEN o.placed_at > '2026-10-30 12:00' AND shop.dice(o.id, 'weekend') > 0.3 THEN interval '3 days'
                  ELSE '0' END AS waits,
       CASE WHEN k.kind = 'merchant' AND o.placed_at BETWEEN '2026-09-21' AND '2026-10-02' THEN 'out_of_stock'
            WHEN k.kind = 'merchant'
            THEN shop.pick(o.id, 'why', '{out_of_stock,out_of_stock,payment_declined,undeliverable_address,
                                          pricing_error,fraud}')
            ELSE shop.pick(o.id, 'why', '{customer_changed_mind,customer_changed_mind,customer_changed_mind,
                                          created_by_mistake,created_by_mistake,found_cheaper_price,
                                          wont_arrive_in_time,wont_arrive_in_time,wrong_address_or_payment,NULL}')
            END AS reason,
       CASE k.kind WHEN 'merchant' THEN shop.pick(o.id, 'who', '{anna,anna,ben,stock-sync}')
                   ELSE shop.pick(o.id, 'who', '{web,web,app}') END AS actor,
       shop.pick(o.id, 'decider', '{anna,ben,carla}') AS decider,
       shop.dice(o.id, 'outcome') AS outcome, shop.dice(o.id, 'refund') AS refund
FROM shop.orders AS o,
    LATERAL (SELECT shop.dice(o.id, 'kind')
                    / CASE WHEN o.placed_at < '2026-09-07' THEN 0.85
                           WHEN o.placed_at BETWEEN '2026-09-21' AND '2026-10-02' THEN 1.3
                           WHEN extract(isodow FROM o.placed_at) = 1 THEN 1.2 ELSE 1 END) AS r (r),
    LATERAL (SELECT CASE WHEN o.placed_at < '2026-09-07' AND r.r < 0.05
                              OR r.r < CASE WHEN o.placed_at < '2026-10-05' THEN 0.04 ELSE 0.056 END THEN 'early'
                         WHEN r.r BETWEEN 0.06 AND 0.104
                              AND (o.placed_at < '2026-10-05' OR r.r < 0.09) THEN 'late'
                         WHEN r.r BETWEEN 0.12 AND CASE WHEN o.placed_at BETWEEN '2026-09-21' AND '2026-10-02'
                                                        THEN 0.145 ELSE 0.13 END THEN 'merchant'
                         WHEN r.r BETWEEN 0.2 AND 0.205 THEN 'part' END) AS k (kind)
WHERE k.kind IS NOT NULL;

CREATE TABLE shop.step AS
SELECT p.at, p.id,
       CASE p.kind
           WHEN 'merchant' THEN format('cancel_order(''shop.orders'', %s, %L, actor => %L)', p.id, p.reason, p.actor)
           WHEN 'part' THEN format('cancel_items(''shop.orders'', %s, ''[{"item": %s, "quantity": 1}]'','
                                   ' ''out_of_stock'', actor => ''stock-sync'')', p.id, 2 * p.id)
           ELSE format('request_cancel(''shop.orders'', %s, %L, note => %L, actor => %L)', p.id, p.reason,
                       CASE p.reason WHEN 'wont_arrive_in_time' THEN 'Needed before the weekend.' END, p.actor) END
           AS call
FROM shop.plan AS p
UNION ALL
-- Those that wait: accepted, denied, moved on, withdrawn, or nobody answers.
SELECT p.at + p.waits, p.id,
       CASE WHEN p.outcome < 0.62 THEN format('accept_cancel(''shop.orders'', %s, actor => %L)', p.id, p.decider)
            WHEN p.outcome < 0.74
            THEN format('deny_cancel(''shop.orders'', %s, ''Already packed.'', actor => %L)', p.id, p.decider)
            WHEN p.outcome < 0.88 THEN CASE WHEN p.outcome < 0.85 THEN 'shipped' ELSE 'packed' END
            WHEN p.outcome < 0.94 THEN format('withdraw_cancel(''shop.orders'', %s, actor => %L)', p.id, p.actor) END
FROM shop.plan AS p WHERE p.kind = 'late'
UNION ALL
-- Refunds are paid after some days; a few take long.
SELECT p.at + p.waits + interval '3 hours' + interval '8 days' * p.refund ^ 3
       + CASE WHEN p.refund > 0.98 THEN interval '40 days' ELSE '0' END, p.id, 'refund'
FROM shop.plan AS p
UNION ALL
SELECT p.at + p.waits + interval '9 days', p.id,
       format('undo_cancel(''shop.orders'', %s, ''The parcel was found.'', actor => ''anna'', settled => true)', p.id)
FROM shop.plan AS p WHERE p.kind = 'merchant' AND p.outcome > 0.96
UNION ALL
SELECT day + interval '6 hours', 0, 'sweep' FROM generate_series(timestamptz '2026-07-14', '2026-10-31', '1 day') AS day
UNION ALL
SELECT timestamptz '2026-10-05 09:12', 0, 'policy';

SET LOCAL ordcancel.notify = 'off';
DO $$
DECLARE
    s record;
BEGIN
    FOR s IN SELECT * FROM shop.step WHERE at < '2026-11-02 08:00' AND call IS NOT NULL
             ORDER BY at, id, call COLLATE "C" LOOP
        PERFORM set_config('ordcancel.clock', s.at::text, true);
        BEGIN
            IF s.call = 'sweep' THEN
                CALL ordcancel.sweep();
            ELSIF s.call = 'policy' THEN
                PERFORM ordcancel.set_policy('shop.orders', grace => '2 hours', decision_timeout => '2 days');
            ELSIF s.call IN ('shipped', 'packed') THEN
                UPDATE shop.orders SET status = s.call WHERE id = s.id AND status = 'cancellation_requested';
            ELSIF s.call = 'refund' THEN
                PERFORM ordcancel.record_refund('shop.orders', s.id, c.refund_due, 'card', actor => 'payments')
                FROM shop.orders_cancellation AS c WHERE c.order_id = s.id AND c.state = 'in_progress';
            ELSE
                EXECUTE format('SELECT ordcancel.%s', s.call);
            END IF;
        EXCEPTION WHEN SQLSTATE 'OC007' OR SQLSTATE 'OC003' OR SQLSTATE 'OC008' THEN
            NULL; -- what was planned for a request that ended otherwise
        END;
    END LOOP;
END
$$;
SET LOCAL ordcancel.clock = '2026-11-02 08:00';
