-- Random sequences of cancellations, refunds, failed refunds, changed amounts and undos: whatever happens in
-- whichever order, no order pays back more than was paid, and the events say
-- what the records say. SET money.seed = '0.1' before it for another sequence.
BEGIN;
SELECT plan(12);
SET LOCAL client_min_messages = warning;
SELECT diag('seed ' || coalesce(current_setting('money.seed', true), '0.42'));
SELECT setseed(coalesce(current_setting('money.seed', true), '0.42')::float8);

CREATE TABLE orders (id integer PRIMARY KEY, status text NOT NULL, paid numeric, shop text);
SELECT ordcancel.attach('orders', 'status', refund_due => 'paid', policy_by => 'shop');
SELECT ordcancel.set_policy('orders', requested_status => 'asked', in_progress_status => 'refunding',
                            canceled_status => 'canceled');
SELECT ordcancel.set_rule('orders', 'placed', customer => 'request', merchant => 'cancel');
-- Every third order is canceled before it is refunded.
SELECT ordcancel.set_policy('orders', policy => 'later', settlement => 'after_canceled');
INSERT INTO orders SELECT n, 'placed', round((random() * 60)::numeric, CASE WHEN n % 5 = 0 THEN 4 ELSE 2 END),
    CASE WHEN n % 3 = 0 THEN 'later' END
FROM generate_series(1, 300) AS n;

-- What was said to record_refund and accepted, by the word of its callers.
CREATE TEMP TABLE said (order_id integer, reference text, method text, amount numeric);
CREATE TEMP TABLE tally (step text, answer text);

CREATE FUNCTION pick(VARIADIC words text[]) RETURNS text LANGUAGE sql VOLATILE
    AS 'SELECT words[1 + floor(random() * cardinality(words))::integer]';

-- What of each cancellation stays with the customer.
CREATE VIEW kept AS
SELECT c.*, CASE WHEN c.state <> 'undone' OR NOT EXISTS (SELECT FROM orders_cancellation_event AS e
                                                         WHERE e.cancellation_id = c.cancellation_id
                                                           AND e.type = 'undone' AND e.data->'settled' = 'true')
                 THEN coalesce(c.refunded, 0) ELSE 0 END AS kept
FROM orders_cancellation AS c;

-- One step of one order. References come from a few, so that they repeat.
CREATE FUNCTION step(id integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    what text := pick('cancel', 'agree', 'ask', 'accept', 'refund', 'refund', 'refund', 'refund', 'twice', 'repeat',
                      'spread', 'fail', 'adjust', 'undo', 'undo', 'settle', 'update');
    rest numeric := (SELECT nullif(refund_due - refunded, 0) FROM orders_cancellation
                     WHERE order_id = id AND state IN ('in_progress', 'canceled'));
    amount numeric := coalesce(nullif(round((coalesce(rest, 20) * pick('0.1', '0.5', '1', '1', '1.1')::numeric),
                                            pick('2', '2', '3')::integer), 0), 1);
    method text := pick('cash', 'points', 'cash', 'card', 'voucher');
    reference text := nullif('r' || floor(random() * 9), 'r0');
    past said;
    o ordcancel.outcome;
    answer text;
BEGIN
    BEGIN
        CASE what
            WHEN 'cancel' THEN o := ordcancel.cancel_order('orders', id);
            WHEN 'agree' THEN o := ordcancel.cancel_order('orders', id, refund => round((random() * 40)::numeric, 2));
            -- Not above what was paid: that would be a gift.
            WHEN 'adjust' THEN
                o := ordcancel.adjust_refund(
                    'orders', id,
                    (SELECT least(round((random() * 60)::numeric, 2), round(s.paid, 2) - s.kept) FROM
                         (SELECT orders.paid, coalesce((SELECT sum(k.kept) FROM kept AS k WHERE k.order_id = step.id
                                                          AND k.state = 'undone'), 0) AS kept
                          FROM orders WHERE orders.id = step.id) AS s), 'a note');
            WHEN 'fail' THEN
                SELECT * INTO past FROM said AS s WHERE s.order_id = id AND s.reference IS NOT NULL AND s.amount > 0
                ORDER BY s.reference, s.amount OFFSET floor(random() * 3) LIMIT 1;
                IF FOUND THEN
                    past.amount := -round(past.amount * pick('1', '1', '0.5', '1.2')::numeric, 2);
                    o := ordcancel.record_refund('orders', id, past.amount, past.method, past.reference);
                    IF o.changed THEN
                        INSERT INTO said VALUES (past.*);
                    END IF;
                END IF;
            WHEN 'ask' THEN o := ordcancel.request_cancel('orders', id);
            WHEN 'accept' THEN o := ordcancel.accept_cancel('orders', id);
            WHEN 'undo' THEN o := ordcancel.undo_cancel('orders', id, 'a note');
            WHEN 'settle' THEN o := ordcancel.undo_cancel('orders', id, 'a note', settled => true);
            WHEN 'update' THEN UPDATE orders SET status = pick('canceled', 'refunding') WHERE orders.id = step.id;
            ELSE
                -- What is on record already, under the reference that it has.
                SELECT * INTO past FROM said AS s WHERE s.order_id = id AND s.reference IS NOT NULL
                ORDER BY s.reference, s.amount OFFSET floor(random() * 3) LIMIT 1;
                IF what = 'repeat' AND FOUND THEN
                    amount := past.amount;
                    method := past.method;
                    reference := past.reference;
                END IF;
                IF what = 'spread' THEN
                    SELECT (ordcancel.record_refund('orders', id, amount, method, reference)).* INTO o;
                ELSE
                    o := ordcancel.record_refund('orders', id, amount, method, reference);
                END IF;
                IF o.changed THEN
                    INSERT INTO said VALUES (id, reference, method, amount);
                END IF;
                IF what = 'twice' AND reference IS NOT NULL THEN
                    o := ordcancel.record_refund('orders', id, amount, method, reference);
                    IF o.changed THEN
                        RAISE EXCEPTION 'told twice, it counts twice' USING ERRCODE = 'XX000';
                    END IF;
                END IF;
        END CASE;
        answer := coalesce('changed ' || o.changed, 'done');
    EXCEPTION WHEN SQLSTATE 'OC003' OR SQLSTATE 'OC007' OR SQLSTATE 'OC008' OR SQLSTATE 'OC009' OR SQLSTATE 'OC010'
        OR check_violation THEN
        answer := SQLSTATE;
    END;
    INSERT INTO tally VALUES (what, answer);
END $$;
DO $$
BEGIN
    FOR turn IN 1..16 LOOP
        PERFORM step(id) FROM generate_series(1, 300) AS id;
    END LOOP;
END $$;

SELECT is_empty($$SELECT k.order_id, sum(k.kept), o.paid FROM kept AS k JOIN orders AS o ON o.id = k.order_id
                  GROUP BY 1, 3 HAVING sum(k.kept) > round(o.paid, 2)$$,
                'what is paid back and kept is never more than what was paid');
SELECT is_empty($$SELECT k.order_id FROM kept AS k JOIN orders AS o ON o.id = k.order_id
                  WHERE NOT EXISTS (SELECT FROM orders_cancellation_event AS e WHERE e.order_id = k.order_id
                                      AND (e.type = 'adjusted' OR (e.data->>'amount')::numeric < 0))
                    AND k.refund_owed <> round(o.paid, 2) - (SELECT coalesce(sum(e.kept), 0) FROM kept AS e
                                                             WHERE e.order_id = k.order_id
                                                               AND e.cancellation_id < k.cancellation_id)$$,
                'what is owed is what was paid, less what was kept before');
SELECT is_empty($$SELECT k.order_id FROM kept AS k JOIN orders AS o ON o.id = k.order_id
                  WHERE k.state IN ('in_progress', 'canceled')
                    AND NOT EXISTS (SELECT FROM orders_cancellation_event AS e WHERE e.order_id = k.order_id
                                      AND e.type = 'adjusted' AND e.data ? 'note')
                    AND k.refund_owed <> round(o.paid, 2) - (SELECT coalesce(sum(e.kept), 0) FROM kept AS e
                                                             WHERE e.order_id = k.order_id AND e.state = 'undone')$$,
                'of what is canceled, all that was paid is owed, less what is kept now');
SELECT isnt_empty($$SELECT FROM orders_cancellation_event WHERE type = 'adjusted' AND NOT data ? 'note'$$,
                  'kept refunds have failed');
SELECT is_empty('SELECT * FROM orders_cancellation WHERE refund_due > refund_owed',
                'what is due is at most what is owed');
SELECT is_empty('SELECT * FROM orders_cancellation WHERE refunded > refund_due OR refunded < 0 OR refund_due < 0',
                'refunded is never above what is due');
SELECT is_empty($$SELECT * FROM orders_cancellation 
                  WHERE (state = 'canceled' AND coalesce(refunded, 0) <> refund_due AND order_id % 3 <> 0)
                      OR (state = 'in_progress' AND (refunded >= refund_due OR order_id % 3 = 0))$$,
                'canceled is where they are equal, in progress where they are not');
SELECT is_empty($$SELECT c.cancellation_id FROM orders_cancellation AS c
        LEFT JOIN orders_cancellation_event AS e ON e.cancellation_id = c.cancellation_id AND e.type = 'refunded'
                  GROUP BY c.cancellation_id
HAVING coalesce(max(c.refunded), 0) <> coalesce(sum((e.data->>'amount')::numeric), 0)$$,
    'the record is the sum of its events');
SELECT results_eq($$SELECT order_id, data->>'reference', data->>'method', (data->>'amount')::numeric
                    FROM orders_cancellation_event WHERE type = 'refunded' ORDER BY 1, 2, 3, 4$$,
                  $$SELECT order_id, reference, method, round(amount, 2) FROM said ORDER BY 1, 2, 3, 4$$,
                  'each refund that was accepted is an event, and there is no other');
SELECT is_empty($$SELECT order_id, data->>'reference' FROM orders_cancellation_event
                  WHERE type = 'refunded' AND data ? 'reference' AND (data->>'amount')::numeric > 0
                  GROUP BY 1, 2 HAVING count(*) > 1$$,
                'a reference is that of one refund of the order');
SELECT is_empty($$SELECT o.id FROM orders AS o LEFT JOIN orders_cancellation AS c ON c.order_id = o.id
      AND c.state IN ('requested', 'in_progress', 'canceled')
                  WHERE o.status <> CASE c.state WHEN 'requested' THEN 'asked' WHEN 'in_progress' THEN 'refunding'
    WHEN 'canceled' THEN 'canceled' ELSE 'placed' END
                     OR c.state IS DISTINCT FROM CASE
    WHEN o.status <> 'placed' THEN (SELECT e.state FROM orders_cancellation_event AS e
                                    WHERE e.cancellation_id = c.cancellation_id ORDER BY e.event_id DESC LIMIT 1) END$$,
                'orders, records and events agree');

-- That all of this has happened.
SELECT is_empty($$SELECT * FROM (VALUES ('cancel', 'changed true'), ('accept', 'changed true'),
                                        ('refund', 'changed true'), ('refund', 'OC010'), ('twice', 'changed false'),
                    ('repeat', 'changed false'), ('spread', 'changed true'), ('undo', 'changed true'),
                    ('agree', 'changed true'),
                    ('agree', 'OC010'), ('adjust', 'changed true'), ('adjust', 'OC010'), ('fail', 'changed true'),
                    ('fail', 'OC010'),
('undo', 'OC009'), ('settle', 'changed true'), ('update', 'done'), ('update', '23514')) AS w (step, answer)
                  WHERE (SELECT count(*) FROM tally AS t WHERE t.step = w.step AND t.answer = w.answer)
    < 5$$, 'all of it has happened');
SELECT diag(string_agg(format('%s %s: %s', step, answer, n), ', ' ORDER BY step, answer))
FROM (SELECT step, answer, count(*) AS n FROM tally GROUP BY 1, 2) AS s;
SELECT * FROM finish();
ROLLBACK;
