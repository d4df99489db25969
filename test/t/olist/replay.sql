-- The replay: one step, one transaction, by the clock of the data.
CREATE TABLE replay.log (
    step bigint NOT NULL,
    at timestamptz NOT NULL,
    order_id text NOT NULL,
    what text NOT NULL,
    status text NOT NULL,   -- before the attempt, as the next three
    state text,
    late boolean NOT NULL,
    due numeric,
    reason text,
    sqlstate text,          -- NULL: it went through
    condition text,
    hint text,
    left_nothing boolean,   -- of a refused attempt
    outcome ordcancel.outcome
);

-- What the customer was told at first, and when asking again with the same key.
CREATE VIEW replay.retry AS
SELECT a.order_id, b.step AS again, a.outcome AS first_outcome, b.outcome AS again_outcome
FROM replay.log AS a JOIN replay.log AS b USING (order_id, what)
WHERE a.what = 'customer' AND a.step < b.step AND b.at = a.at + interval '30 seconds'
      AND (a.outcome).changed;

CREATE FUNCTION replay.trace(order_id text) RETURNS text
    LANGUAGE sql STABLE
    AS $$
SELECT md5(concat_ws('|',
    (SELECT o::text FROM shop.orders AS o WHERE o.order_id = trace.order_id),
    (SELECT string_agg(concat_ws('|', c::text,
                (SELECT string_agg(e::text, '|' ORDER BY e.event_id) FROM shop.orders_cancellation_event AS e
                 WHERE e.cancellation_id = c.cancellation_id)), '|' ORDER BY c.cancellation_id)
     FROM shop.orders_cancellation AS c WHERE c.order_id = trace.order_id),
    (SELECT count(*) FROM shop.orders_cancellation),
    (SELECT count(*) FROM shop.orders_cancellation_event)))
$$;

-- One attempt, in its role. amount and method are for a refund.
CREATE FUNCTION replay.act(s replay.step, amount numeric DEFAULT NULL, method text DEFAULT NULL,
                           settled boolean DEFAULT false) RETURNS ordcancel.outcome
    LANGUAGE plpgsql
    AS $$
DECLARE
    o ordcancel.outcome;
    role text := CASE WHEN s.what IN ('customer', 'withdraw', 'stranger') THEN 'olist_customer'
                      WHEN s.what = 'override' THEN 'olist_manager'
                      WHEN s.what IN ('merchant', 'accept', 'deny', 'refund', 'undo') THEN 'olist_merchant'
                      ELSE 'olist_app' END;
BEGIN
    PERFORM set_config('shop.customer', CASE s.what WHEN 'stranger' THEN 'nobody' ELSE r.customer_id END, true),
            set_config('ordcancel.actor', role, true)
    FROM olist.orders AS r WHERE r.order_id = s.order_id;
    PERFORM set_config('role', role, true);
    CASE s.what
        WHEN 'customer', 'stranger' THEN
            o := ordcancel.request_cancel('shop.orders', s.order_id, s.reason, s.note, request_key => s.request_key);
        WHEN 'merchant' THEN
            o := ordcancel.cancel_order('shop.orders', s.order_id, s.reason, s.note, request_key => s.request_key);
        WHEN 'override' THEN
            o := ordcancel.override_cancel('shop.orders', s.order_id, s.reason, s.note);
        WHEN 'accept' THEN
            o := ordcancel.accept_cancel('shop.orders', s.order_id, note => s.note);
        WHEN 'deny' THEN
            o := ordcancel.deny_cancel('shop.orders', s.order_id, s.note);
        WHEN 'withdraw' THEN
            o := ordcancel.withdraw_cancel('shop.orders', s.order_id, s.note);
        WHEN 'refund' THEN
            o := ordcancel.record_refund('shop.orders', s.order_id, amount, method);
        WHEN 'undo' THEN
            o := ordcancel.undo_cancel('shop.orders', s.order_id, s.note, settled => settled);
        ELSE
            UPDATE shop.orders AS t
            SET status = coalesce(s.status, t.status),
                approved_at = CASE s.what WHEN 'approved' THEN s.recorded ELSE t.approved_at END,
                shipped_at = CASE s.what WHEN 'shipped' THEN s.recorded ELSE t.shipped_at END,
                delivered_at = CASE s.what WHEN 'delivered' THEN s.recorded ELSE t.delivered_at END
            WHERE t.order_id = s.order_id;
            IF NOT FOUND THEN
                RAISE EXCEPTION 'order % is gone', s.order_id;
            END IF;
    END CASE;
    PERFORM set_config('role', 'none', true);
    RETURN o;
END
$$;

-- The same, logged, with a look at what a refused one leaves behind. Returns
-- the SQLSTATE of a refusal.
CREATE FUNCTION replay.try(step bigint, s replay.step, amount numeric DEFAULT NULL, method text DEFAULT NULL,
                           settled boolean DEFAULT false) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    l replay.log;
    before text := replay.trace(s.order_id);
BEGIN
    SELECT step, s.at, s.order_id, s.what, o.status, c.state,
           s.at > o.purchased_at::timestamptz + interval '30 minutes',
           CASE WHEN o.approved_at IS NOT NULL THEN o.paid END, s.reason
    INTO l
    FROM shop.orders AS o
        LEFT JOIN shop.orders_cancellation AS c
            ON c.order_id = o.order_id AND c.state IN ('requested', 'in_progress', 'canceled')
    WHERE o.order_id = s.order_id;
    BEGIN
        l.outcome := replay.act(s, amount, method, settled);
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS l.sqlstate = RETURNED_SQLSTATE, l.condition = CONSTRAINT_NAME,
                                l.hint = PG_EXCEPTION_HINT;
        -- What is not a refusal of ours is a failure of the test.
        IF l.sqlstate NOT LIKE 'OC%' AND l.condition NOT IN ('order_is_canceled') THEN
            RAISE;
        END IF;
        l.left_nothing := before = replay.trace(s.order_id);
    END;
    INSERT INTO replay.log VALUES (l.*);
    RETURN l.sqlstate;
END
$$;

CREATE FUNCTION replay.refund(step bigint, s replay.step) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    p record;
    -- some refunds never become complete
    part boolean := replay.chance(s.order_id, 'part') < 0.2
                    AND NOT EXISTS (SELECT FROM replay.canceled AS c WHERE c.order_id = s.order_id);
BEGIN
    FOR p IN
        SELECT amount, CASE method WHEN 'boleto' THEN 'bank_transfer' WHEN 'voucher' THEN 'voucher'
        ELSE 'card' END AS method
        FROM olist.payments WHERE order_id = s.order_id AND amount > 0 ORDER BY seq
    LOOP
        EXIT WHEN replay.try(step, s, CASE WHEN part THEN round(p.amount / 2, 2) ELSE p.amount END,
                             p.method) IS NOT NULL OR part;
    END LOOP;
END
$$;

CREATE PROCEDURE replay.run()
    LANGUAGE plpgsql
    AS $$
DECLARE
    r record;
BEGIN
    FOR r IN
        SELECT s, row_number() OVER (ORDER BY s.at, s.ord, s.order_id, s.what, s.request_key) AS n,
               EXISTS (SELECT FROM replay.asked AS a WHERE a.order_id = (s).order_id)
               OR EXISTS (SELECT FROM replay.canceled AS c WHERE c.order_id = (s).order_id) AS watched
        FROM replay.step AS s ORDER BY n
    LOOP
        PERFORM set_config('ordcancel.clock', (r.s).at::text, false);
        IF NOT r.watched THEN
            PERFORM replay.act(r.s);
        ELSIF (r.s).what = 'refund' THEN
            PERFORM replay.refund(r.n, r.s);
        ELSIF replay.try(r.n, r.s) = 'OC009' THEN
            PERFORM replay.try(r.n, r.s, settled => true);
        END IF;
        COMMIT;
    END LOOP;
    PERFORM set_config('ordcancel.clock', '', false);
END
$$;
