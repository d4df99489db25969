-- simulate(): what another policy would have decided about the attempts that
-- are on record, by the same decision.
BEGIN;
SELECT plan(53);
\ir include/helpers.sql
SET LOCAL client_min_messages = warning;

CREATE SCHEMA shop;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text DEFAULT 'placed', at timestamp, paid numeric);
INSERT INTO shop.orders (id, at) SELECT n, '2026-05-05 12:00' FROM generate_series(1, 29) AS n;
SET LOCAL timezone = 'Europe/Berlin';
SELECT ordcancel.attach('shop.orders', 'status', placed_at => 'at', refund_due => 'paid');
SET LOCAL timezone = 'UTC';
SELECT ordcancel.set_policy('shop.orders', grace => '30 minutes', requested_status => 'asked',
                            in_progress_status => 'refunding', canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.orders', 'placed', customer => 'cancel', customer_late => 'request',
                          merchant => 'cancel');
SELECT ordcancel.set_rule('shop.orders', 'preparing', customer => 'request', merchant => 'request');

-- One line for each row: was > would_be, attempts, examples.
CREATE FUNCTION simulated(policy text DEFAULT 'default', since timestamptz DEFAULT NULL,
                          orders regclass DEFAULT 'shop.orders') RETURNS text[]
    LANGUAGE sql AS $$
SELECT array_agg(format('%s > %s: %s %s', was, would_be, attempts, examples) ORDER BY was, would_be)
FROM ordcancel.simulate(orders, policy, since) $$;

SELECT is(simulated(), NULL, 'no attempts, no rows');

-- ------------------------------------------------------- by hand
-- The window of every order ends at 12:30 in Berlin, 10:30 UTC.

SET LOCAL ordcancel.clock = '2026-05-05 10:10+00';
SELECT is(outcome_of($$request_cancel('shop.orders', 1)$$), 'canceled canceled', '1: the customer, in time');
UPDATE shop.orders SET paid = 10 WHERE id IN (4, 8, 12);
SELECT is(outcome_of($$request_cancel('shop.orders', 4, 'created_by_mistake')$$), 'in_progress refunding',
          '4: in time, paid');
UPDATE shop.orders SET status = 'preparing' WHERE id IN (6, 7, 8);
SELECT is(outcome_of($$request_cancel('shop.orders', 6)$$), 'requested asked', '6: the customer asks');
SELECT is(outcome_of($$deny_cancel('shop.orders', 6, 'too late')$$), 'denied preparing', '6: denied at once');
SELECT is(outcome_of($$cancel_order('shop.orders', 7, 'out_of_stock')$$), 'requested asked', '7: the merchant asks');
SELECT is(outcome_of($$withdraw_cancel('shop.orders', 7)$$), 'withdrawn preparing', '7: withdrawn');
SELECT is(outcome_of($$request_cancel('shop.orders', 8)$$), 'requested asked', '8: the customer asks');
SELECT is(outcome_of($$accept_cancel('shop.orders', 8, 'pricing_error')$$), 'in_progress refunding',
          '8: accepted at once, with a reason');
UPDATE shop.orders SET status = 'shipped' WHERE id = 9;
SELECT is(outcome_of($$override_cancel('shop.orders', 9, note => 'lost by the carrier')$$), 'canceled canceled',
          '9: against the rules');
SET LOCAL ordcancel.clock = '2026-05-05 10:30+00';
SELECT is(outcome_of($$request_cancel('shop.orders', 2)$$), 'canceled canceled', '2: in the last moment');
SET LOCAL ordcancel.clock = '2026-05-05 10:30:00.000001+00';
SELECT is(outcome_of($$request_cancel('shop.orders', 3)$$), 'requested asked', '3: late');
SELECT is(outcome_of($$cancel_order('shop.orders', 5, 'out_of_stock')$$), 'canceled canceled', '5: the merchant');
SELECT is(outcome_of($$request_cancel('shop.orders', 29)$$), 'requested asked', '29: late');
UPDATE shop.orders SET at = NULL WHERE id = 10;
SELECT is(outcome_of($$request_cancel('shop.orders', 10)$$), 'canceled canceled', '10: without placed_at');

SELECT is(simulated(),
          '{"canceled > canceled: 5 {10,5,2,9,1}", "in_progress > in_progress: 1 {4}",
            "requested > requested: 5 {29,3,8,7,6}"}',
          'under its own policy each attempt leads to what it led to');
SELECT is((SELECT array_agg(was ORDER BY n)
           FROM ordcancel.simulate('shop.orders') WITH ORDINALITY AS s (was, a, b, c, n)),
          '{canceled,requested,in_progress}', 'the most attempts come first');
SELECT is(simulated(since => '2026-05-05 10:30+00'),
          '{"canceled > canceled: 3 {10,5,2}", "requested > requested: 2 {29,3}"}', 'since a time');
SELECT is(simulated(since => '2026-05-06 10:30+00'), NULL, 'since then there were none');

-- A draft: no order is under it, and nothing is changed by it.
SELECT ordcancel.set_policy('shop.orders', 'draft', grace => '20 minutes');
SELECT is(simulated('draft'),
          '{"canceled > canceled: 4 {10,5,9,1}", "canceled > requested: 1 {2}",
            "in_progress > in_progress: 1 {4}", "requested > requested: 5 {29,3,8,7,6}"}',
          'a shorter window: 2 would have been late');
SELECT ordcancel.set_policy('shop.orders', 'draft', grace => '1 hour');
SELECT is(simulated('draft'),
          '{"canceled > canceled: 5 {10,5,2,9,1}", "in_progress > in_progress: 1 {4}",
            "requested > canceled: 2 {29,3}", "requested > requested: 3 {8,7,6}"}',
          'a longer one: 3 and 29 would have been in time');
SELECT ordcancel.set_policy('shop.orders', 'draft', grace => '30 minutes');
SELECT ordcancel.set_rule('shop.orders', 'placed', policy => 'draft', customer_late => 'forbid', merchant => 'request');
SELECT ordcancel.set_rule('shop.orders', 'preparing', policy => 'draft', customer => 'cancel', merchant => 'forbid');
SELECT is(simulated('draft'),
          '{"canceled > canceled: 4 {10,2,9,1}", "canceled > requested: 1 {5}", "in_progress > in_progress: 1 {4}",
            "requested > canceled: 1 {6}", "requested > cancellation_forbidden: 1 {7}",
            "requested > grace_period_over: 2 {29,3}", "requested > in_progress: 1 {8}"}',
          'other rules; the refund that was due decides, and an override stays one');
SELECT ordcancel.drop_rule('shop.orders', 'placed', 'draft');
SELECT is(simulated('draft'),
          '{"canceled > canceled: 1 {9}", "canceled > cancellation_forbidden: 4 {10,5,2,1}",
            "in_progress > cancellation_forbidden: 1 {4}", "requested > canceled: 1 {6}",
            "requested > cancellation_forbidden: 3 {29,3,7}", "requested > in_progress: 1 {8}"}',
          'a status without a rule');
SELECT ordcancel.drop_policy('shop.orders', 'draft');
SELECT ordcancel.set_policy('shop.orders', 'draft', reason_required => true);
SELECT is(simulated('draft'),
          '{"canceled > canceled: 1 {5}", "canceled > invalid_reason: 4 {10,2,9,1}",
            "in_progress > in_progress: 1 {4}", "requested > invalid_reason: 4 {29,3,8,6}",
            "requested > requested: 1 {7}"}',
          'a reason is required: that of 8 came later, with its acceptance');
SELECT ordcancel.drop_policy('shop.orders', 'draft');
SELECT ordcancel.set_policy('shop.orders', 'draft', unset => '{canceled_status}');
SELECT is(simulated('draft'),
          '{"canceled > invalid_policy: 5 {10,5,2,9,1}", "in_progress > invalid_policy: 1 {4}",
            "requested > requested: 5 {29,3,8,7,6}"}',
          'a policy that lets nobody cancel');
SELECT ordcancel.drop_policy('shop.orders', 'draft');
SELECT is((SELECT string_agg(concat_ws(' ', id, status), ', ' ORDER BY id) FROM shop.orders WHERE id IN (1, 3, 6)),
          '1 canceled, 3 asked, 6 preparing', 'nothing was changed');

-- What became of an attempt does not matter.
SET LOCAL ordcancel.clock = '2026-05-05 11:00+00';
SELECT ordcancel.accept_cancel('shop.orders', 3);
SELECT ordcancel.record_refund('shop.orders', 4, 10, 'card');
SELECT ordcancel.undo_cancel('shop.orders', 1);
SELECT is(simulated(),
          '{"canceled > canceled: 5 {10,5,2,9,1}", "in_progress > in_progress: 1 {4}",
            "requested > requested: 5 {29,3,8,7,6}"}', 'later steps are not attempts');

-- Without events, it is the record that tells. It does not say that 9 was an
-- override, nor that 8 was accepted later in the same moment only.
SELECT ordcancel.prune_events('-1 day');
SELECT is((SELECT array_agg(DISTINCT type) FROM shop.orders_cancellation_event), '{refunded}', 'the events are pruned');
SELECT is(simulated(),
          '{"canceled > canceled: 4 {10,5,2,1}", "canceled > cancellation_forbidden: 1 {9}",
            "in_progress > in_progress: 1 {4}", "requested > requested: 5 {29,3,8,7,6}"}',
          'without events the record tells the same, except of an override');

-- Orders that are gone count as in time, and have the rule of their status.
ALTER TABLE shop.orders DISABLE TRIGGER USER;
DELETE FROM shop.orders WHERE id IN (3, 5);
ALTER TABLE shop.orders ENABLE TRIGGER USER;
SELECT is(simulated(since => '2026-05-05 10:30+00'),
          '{"canceled > canceled: 3 {10,5,2}", "requested > canceled: 1 {3}", "requested > requested: 1 {29}"}',
          'an order that is gone counts as within the window');

-- The system's own are not attempts of anybody.
ALTER TABLE shop.orders_cancellation DISABLE TRIGGER USER;
UPDATE shop.orders_cancellation SET requested_by = 'system' WHERE order_key <> '2';
ALTER TABLE shop.orders_cancellation ENABLE TRIGGER USER;
SELECT is(simulated(), '{"canceled > canceled: 1 {2}"}', 'what the system began is left out');

-- ------------------------------------------------------- other tables

-- Two key columns, a domain over an enum, a date, other spellings of a status.
CREATE TYPE shop.region AS ENUM ('north', 'south');
CREATE DOMAIN shop.place AS shop.region;
CREATE COLLATION shop.any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE shop.days (place shop.place, n integer, day date, state text COLLATE shop.any_case, PRIMARY KEY (place, n))
    PARTITION BY LIST (place);
CREATE TABLE shop.days_north PARTITION OF shop.days FOR VALUES IN ('north');
CREATE TABLE shop.days_south PARTITION OF shop.days FOR VALUES IN ('south');
INSERT INTO shop.days VALUES ('north', 1, '2026-05-05', 'NEW'), ('south', 1, '2026-05-04', 'New'),
                             ('south', 2, '2026-05-05', 'new');
SET LOCAL timezone = 'Europe/Berlin';
SELECT ordcancel.attach('shop.days', 'state', placed_at => 'day');
SET LOCAL timezone = 'UTC';
SELECT ordcancel.set_policy('shop.days', canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.days', 'New', customer => 'cancel');
SELECT ordcancel.set_policy('shop.days', 'draft', copy_of => NULL, canceled_status => 'Canceled', grace => '12:00');
SELECT ordcancel.set_rule('shop.days', 'NEW', policy => 'draft', customer => 'request', customer_late => 'forbid');
SET LOCAL ordcancel.clock = '2026-05-05 10:00+00';
SELECT ordcancel.request_cancel('shop.days', k) FROM unnest('{"(north,1)","(south,1)"}'::text[]) AS k;
SET LOCAL ordcancel.clock = '2026-05-05 10:00:01+00';
SELECT ordcancel.request_cancel('shop.days', '(south,2)');
SELECT is(simulated(orders => 'shop.days'), '{"canceled > canceled: 3 {\"(south,2)\",\"(south,1)\",\"(north,1)\"}"}',
          'partitions, a key of two columns');
SELECT is(simulated('draft', orders => 'shop.days'),
          '{"canceled > grace_period_over: 2 {\"(south,2)\",\"(south,1)\"}",
            "canceled > requested: 1 {\"(north,1)\"}"}',
          'a date begins where attach() was called; a status is the same in another spelling');

-- Parts of an order are attempts as well; an order waits for the refund of its part.
CREATE TABLE shop.baskets (id integer PRIMARY KEY, status text DEFAULT 'new');
CREATE TABLE shop.basket_items (basket integer REFERENCES shop.baskets, n integer, units integer DEFAULT 4,
                                canceled integer DEFAULT 0, price numeric, PRIMARY KEY (basket, n));
INSERT INTO shop.baskets VALUES (1), (2), (3);
INSERT INTO shop.basket_items (basket, n, price) VALUES (1, 1, 5), (2, 1, 0), (3, 1, 5), (3, 2, 0);
SELECT ordcancel.attach('shop.baskets', 'status');
SELECT ordcancel.attach_items('shop.basket_items', 'shop.baskets', key => '{basket}', quantity => 'units',
                              canceled => 'canceled', amount => 'price * (units - canceled)');
SELECT ordcancel.set_policy('shop.baskets', canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.baskets', 'new', customer => 'request', merchant => 'cancel');
SELECT is(outcome_of(call), answer, call)
FROM (VALUES (1, $$cancel_items('shop.baskets', 1, '[{"item": "(1,1)", "quantity": 1}]')$$, 'in_progress new'),
             (2, $$request_cancel_items('shop.baskets', 2, '[{"item": "(2,1)", "quantity": 1}]')$$, 'requested new'),
             (3, $$cancel_items('shop.baskets', 3, '[{"item": "(3,1)", "quantity": 4}]')$$, 'in_progress new'),
             (4, $$cancel_order('shop.baskets', 3)$$, 'in_progress new')) AS v (n, call, answer);
SELECT is(simulated(orders => 'shop.baskets'),
          '{"in_progress > in_progress: 3 {3,3,1}", "requested > requested: 1 {2}"}', 'parts of orders');


-- ------------------------------------------------------- nothing changed

-- Whatever was tried, it is decided alike again if nothing has changed since.
CREATE TABLE shop.many (id integer PRIMARY KEY, status text, at timestamptz, due numeric);
SELECT setseed(0.15);
INSERT INTO shop.many
SELECT n, (ARRAY['new', 'paid', 'packed', 'sent', NULL])[1 + floor(random() * 5)],
       CASE WHEN random() < 0.9 THEN '2026-05-05'::timestamptz + random() * interval '2 hours' END,
       CASE WHEN random() < 0.5 THEN floor(random() * 20) END
FROM generate_series(1, 600) AS n;
SELECT ordcancel.attach('shop.many', 'status', placed_at => 'at', refund_due => 'due');
SELECT ordcancel.set_policy('shop.many', grace => '45 minutes', requested_status => 'asked',
                            canceled_status => 'canceled', customer_canceled_status => 'returned');
SELECT ordcancel.set_rule('shop.many', s.status, customer => m[1 + floor(random() * 3)::int],
                          customer_late => m[1 + floor(random() * 3)::int], merchant => m[1 + floor(random() * 3)::int])
FROM unnest('{new,paid,packed}'::text[]) AS s (status), (VALUES ('{cancel,request,forbid}'::text[])) AS v (m);
CREATE TEMP TABLE tried (id integer, answer text);
DO $$
BEGIN
    FOR id IN 1..600 LOOP
        PERFORM set_config('ordcancel.clock',
                           ('2026-05-05'::timestamptz + random() * interval '3 hours')::text, true);
        INSERT INTO tried SELECT id, outcome_of(format(
            (ARRAY['request_cancel(%L, %s)', 'cancel_order(%L, %s, ''out_of_stock'')',
                   'request_cancel(%L, %s, ''fraud'')', 'override_cancel(%L, %s, note => ''n'')']
            )[1 + floor(random() * 4)], 'shop.many', id), 'state');
    END LOOP;
END
$$;
UPDATE shop.many SET status = 'sent' WHERE status = 'asked' AND id % 2 = 0; -- denies the request
SELECT cmp_ok(count(DISTINCT answer), '>=', 5::bigint, 'all kinds of answers') FROM tried;
SELECT bag_eq('SELECT was, would_be, attempts FROM ordcancel.simulate(''shop.many'')',
              'SELECT answer, answer AS would_be, count(*) FROM tried WHERE answer ~ ''^[a-z_]+$'' GROUP BY 1',
              'was is what was answered, and would be so again');

-- ------------------------------------------------------- errors and rights

SELECT is(error_of($$SELECT ordcancel.simulate('shop.orders', 'drafd')$$),
          'OC014 | policy "drafd" of shop.orders does not exist | Existing policies are default.'
          ' ordcancel.set_policy() creates a new one.', 'a policy that does not exist');
SELECT is(error_of($$SELECT ordcancel.simulate('shop.orders', NULL)$$, 'sqlstate'), 'OC014', 'no policy');
SELECT is(error_of($$SELECT ordcancel.simulate('pg_class')$$, 'sqlstate'), 'OC001', 'a table that is not attached');
SELECT is(error_of($$SELECT ordcancel.simulate(NULL)$$, 'sqlstate'), 'OC001', 'no table');
CREATE ROLE simulate_reader;
GRANT USAGE ON SCHEMA shop TO simulate_reader;
SELECT is(attempt_as('simulate_reader', $$SELECT ordcancel.simulate('shop.orders')$$), '42501', 'needs EXECUTE');
SELECT ordcancel.grant_merchant('simulate_reader');
SELECT is(error_as('simulate_reader', $$SELECT ordcancel.simulate('shop.orders')$$),
          '42501 | permission denied for table orders', 'needs SELECT on the order table');
GRANT SELECT ON shop.orders TO simulate_reader;
SELECT is(attempt_as('simulate_reader', $$SELECT ordcancel.simulate('shop.orders')$$), 'ok', 'and no more');
ALTER TABLE shop.orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY even ON shop.orders USING (id % 2 = 0);
SET LOCAL ROLE simulate_reader;
SELECT is((SELECT bool_and(e::integer % 2 = 0) AND count(*) > 0
           FROM ordcancel.simulate('shop.orders') AS s, unnest(s.examples) AS e), true,
          'attempts of the orders that row-level security shows');
RESET ROLE;
ALTER TABLE shop.orders DISABLE ROW LEVEL SECURITY;

-- Code of the table's owner runs as the owner, that of an index too.
CREATE ROLE simulate_owner;
GRANT CREATE, USAGE ON SCHEMA shop TO simulate_owner;
SELECT ordcancel.grant_owner('simulate_owner');
SET LOCAL ROLE simulate_owner;
CREATE FUNCTION shop.spy(integer) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE
    AS $$
BEGIN
    IF current_user <> 'simulate_owner' THEN
        RAISE EXCEPTION 'ran as %', current_user;
    END IF;
    RETURN true;
END
$$;
CREATE TABLE shop.own (id integer PRIMARY KEY, status text, at timestamptz);
CREATE INDEX spied ON shop.own (id) WHERE shop.spy(1);
INSERT INTO shop.own VALUES (1, 'new', '2026-05-05 10:00+00');
SELECT ordcancel.attach('shop.own', 'status', placed_at => 'at');
SELECT ordcancel.set_policy('shop.own', grace => '1 hour', canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.own', 'new', customer => 'cancel', customer_late => 'request');
RESET ROLE;
SET LOCAL ordcancel.clock = '2026-05-05 11:01+00';
SELECT is(outcome_of($$request_cancel('shop.own', 1)$$), 'requested new', 'late');
ALTER INDEX shop.spied SET (fillfactor = 90); -- whoever plans a query now evaluates its predicate
SELECT is(simulated(orders => 'shop.own'), '{"requested > requested: 1 {1}"}', 'orders are read as their owner');

-- What was due is what it was then, whatever adjust_refund() has made of it.
CREATE TABLE shop.paid (id integer PRIMARY KEY, status text DEFAULT 'placed', paid numeric);
INSERT INTO shop.paid (id, paid) VALUES (1, 0), (2, 40), (3, 40), (4, 0);
SELECT ordcancel.attach('shop.paid', 'status', refund_due => 'paid');
SELECT ordcancel.set_policy('shop.paid', in_progress_status => 'refunding', canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.paid', 'placed', merchant => 'cancel');
SELECT outcome_of(format($$cancel_order('shop.paid', %s)$$, id)) FROM shop.paid WHERE id < 3;
SELECT ordcancel.set_policy('shop.paid', settlement => 'after_canceled');
SELECT outcome_of(format($$cancel_order('shop.paid', %s)$$, id)) FROM shop.paid WHERE id > 2;
SELECT ordcancel.set_policy('shop.paid', settlement => 'before_canceled');
SELECT is(simulated(orders => 'shop.paid'),
          '{"canceled > canceled: 2 {4,1}","canceled > in_progress: 1 {3}","in_progress > in_progress: 1 {2}"}',
          'as they were decided, but for the settlement');
SELECT is((SELECT count(*) FROM shop.paid, LATERAL ordcancel.adjust_refund('shop.paid', id, 7 - paid / 10, 'late')),
          4::bigint, 'all are adjusted');
SELECT is(simulated(orders => 'shop.paid'),
          '{"canceled > canceled: 2 {4,1}","canceled > in_progress: 1 {3}","in_progress > in_progress: 1 {2}"}',
          'that changes nothing');

SELECT * FROM finish();
ROLLBACK;
