-- cancel_options foretells what the verbs then do: every row of it is tried
-- out, on orders of many kinds, and taken back.
BEGIN;
SELECT plan(25);
SET LOCAL timezone = 'UTC';
SET LOCAL ordcancel.clock = '2026-05-05 12:00+00';

CREATE SCHEMA shop;
CREATE TABLE shop.orders (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, kind text, status text,
                          placed_at timestamptz,
                          policy text, due numeric, block text);
SELECT ordcancel.attach('shop.orders', 'status', 'placed_at', policy_by => 'policy', refund_due => 'due');
SELECT ordcancel.add_block('shop.orders', 'both', $$block = 'both'$$, 'wait');
SELECT ordcancel.add_block('shop.orders', 'customers', $$block = 'customer'$$, party => 'customer');
SELECT ordcancel.add_block('shop.orders', 'merchants', $$block = 'merchant'$$, party => 'merchant');

-- A policy for every reach of undo, with statuses for every rule.
CREATE TEMP TABLE modes AS
SELECT c, l, m, concat_ws('/', c, l, m) AS status
FROM unnest('{forbid,request,cancel}'::text[]) AS c, unnest('{forbid,request,cancel}'::text[]) AS l,
    unnest('{forbid,request,cancel}'::text[]) AS m;
SELECT count(ordcancel.set_policy('shop.orders', policy, grace => '30 minutes', requested_status => 'asked',
                                  in_progress_status => 'refunding',
                            canceled_status => 'canceled', customer_canceled_status => 'returned', undo => policy,
                                  undo_window => '2 days'))
FROM unnest('{never,requested,in_progress,canceled}'::text[]) AS policy;
SELECT ordcancel.set_policy('shop.orders', grace => '30 minutes', canceled_status => 'canceled',
                            decision_timeout => '3 hours', on_timeout => 'accept');
SELECT count(ordcancel.set_rule('shop.orders', status, customer => c, customer_late => l, merchant => m,
                                policy => policy))
FROM modes, unnest('{never,default}'::text[]) AS policy;
SELECT count(ordcancel.set_rule('shop.orders', 'request/request/request', 'request', 'request', 'request',
                                policy => policy))
FROM unnest('{requested,in_progress,canceled}'::text[]) AS policy;
SELECT count(ordcancel.set_rule('shop.orders', 'cancel/cancel/cancel', 'cancel', 'cancel', 'cancel', policy => policy))
FROM unnest('{requested,in_progress,canceled}'::text[]) AS policy;

-- Orders that nobody has canceled.
INSERT INTO shop.orders (kind, status, placed_at, due, policy)
SELECT 'new', status, placed_at, due, policy
FROM (SELECT status FROM modes UNION ALL VALUES ('nowhere'), (NULL)) AS s,
    (VALUES (timestamptz '2026-05-05 11:30+00'), ('2026-05-05 11:29+00'), (NULL)) AS p (placed_at),
    (VALUES (NULL::numeric), (5)) AS d (due), unnest('{never,default}'::text[]) AS policy;
-- Orders whose cancellation is somewhere on its way.
INSERT INTO shop.orders (kind, status, placed_at, due, policy)
SELECT kind, status, '2026-05-05 11:30+00', due, policy
FROM (VALUES ('asked', 'request/request/request', NULL::numeric), ('asked by merchant', 'request/request/request', 5),
             ('denied', 'request/request/request', NULL), ('withdrawn', 'request/request/request', NULL),
             ('accepted', 'request/request/request', 5), ('confirmed', 'request/request/request', NULL),
             ('canceled', 'cancel/cancel/cancel', NULL), ('in progress', 'cancel/cancel/cancel', 5),
             ('refunded by card', 'cancel/cancel/cancel', 5), ('paid back in cash', 'cancel/cancel/cancel', 5),
             ('undone', 'cancel/cancel/cancel', NULL), ('imported', 'canceled', NULL)) AS k (kind, status, due),
    unnest('{never,requested,in_progress,canceled,default}'::text[]) AS policy;
SELECT count(ordcancel.request_cancel('shop.orders', id)) FROM shop.orders
WHERE kind IN ('asked', 'denied', 'withdrawn', 'accepted', 'confirmed');
SELECT count(ordcancel.cancel_order('shop.orders', id)) FROM shop.orders
WHERE kind IN ('asked by merchant', 'canceled', 'in progress', 'refunded by card', 'paid back in cash', 'undone',
               'confirmed');
SELECT count(ordcancel.deny_cancel('shop.orders', id, 'no')) FROM shop.orders WHERE kind = 'denied';
SELECT count(ordcancel.withdraw_cancel('shop.orders', id)) FROM shop.orders WHERE kind = 'withdrawn';
SELECT count(ordcancel.accept_cancel('shop.orders', id)) FROM shop.orders WHERE kind = 'accepted';
SELECT count(ordcancel.record_refund('shop.orders', id, 1, 'card')) FROM shop.orders WHERE kind = 'refunded by card';
SELECT count(ordcancel.record_refund('shop.orders', id, 5, 'cash')) FROM shop.orders WHERE kind = 'paid back in cash';
SELECT count(ordcancel.undo_cancel('shop.orders', id)) FROM shop.orders
WHERE kind = 'undone' AND policy IN ('canceled', 'default');
-- The blocks come last: each of them for some orders of each kind.
UPDATE shop.orders SET block = (ARRAY['both', 'customer', 'merchant', NULL, NULL])[1 + id % 5]
WHERE kind <> 'asked' OR policy <> 'default';

CREATE ROLE pgtap_shopper;
CREATE ROLE pgtap_clerk;
GRANT USAGE ON SCHEMA shop TO pgtap_shopper, pgtap_clerk;
GRANT SELECT ON shop.orders TO pgtap_shopper, pgtap_clerk;
SELECT ordcancel.grant_customer('pgtap_shopper');
SELECT ordcancel.grant_merchant('pgtap_clerk');
GRANT EXECUTE ON FUNCTION ordcancel.override_cancel(regclass, text, text, text, text, text, jsonb, numeric)
    TO pgtap_clerk;

-- ------------------------------------------------------- trying it out

CREATE FUNCTION condition_of(state text) RETURNS text
    LANGUAGE sql IMMUTABLE
    RETURN CASE state WHEN 'OC003' THEN 'cancellation_forbidden' WHEN 'OC004' THEN 'grace_period_over'
                      WHEN 'OC005' THEN 'cancellation_blocked' WHEN 'OC007' THEN 'no_open_cancellation'
                      WHEN 'OC008' THEN 'undo_not_allowed' WHEN 'OC009' THEN 'refund_not_settled' ELSE state END;
-- Calls the verb as the party, answers as cancel_options does, takes it back.
CREATE FUNCTION happens(party text, verb text, id integer) RETURNS text
    LANGUAGE plpgsql AS $$
DECLARE
    said text;
BEGIN
    EXECUTE 'SET LOCAL ROLE ' || CASE party WHEN 'customer' THEN 'pgtap_shopper' ELSE 'pgtap_clerk' END;
    EXECUTE format('SELECT CASE WHEN changed THEN concat_ws('' '', state, CASE WHEN state IN (''in_progress'', '
                   '''canceled'')%s THEN refund_due END)'
                   ' ELSE ''already'' END FROM ordcancel.%I(''shop.orders'', ''%s''%s)',
                   CASE verb WHEN 'adjust_refund' THEN ' AND false' ELSE '' END, verb, id,
                   CASE verb WHEN 'record_refund' THEN ', 1, ''cash'''
                             WHEN 'adjust_refund' THEN ', 999, note => ''late'''
                             WHEN 'deny_cancel' THEN ', note => ''no'''
                             WHEN 'override_cancel' THEN ', note => ''no'''
                       WHEN 'undo_cancel' THEN ', note => ''no'', settled => true' ELSE '' END) INTO said;
    RAISE EXCEPTION USING ERRCODE = 'UNDO1', MESSAGE = said;
EXCEPTION
    WHEN SQLSTATE 'UNDO1' THEN RETURN SQLERRM;
    WHEN OTHERS THEN RETURN 'refused ' || condition_of(SQLSTATE);
END $$;
CREATE TEMP TABLE foretold AS
SELECT o.*, p.*, concat_ws(' ', p.outcome, CASE WHEN NOT p.allowed THEN p.condition END, p.refund_due) AS says,
       happens(p.party, p.verb, o.id) AS happens
FROM shop.orders AS o, ordcancel.cancel_options('shop.orders', o.id) AS p;
ANALYZE foretold;

SELECT is((SELECT count(*) FROM foretold), (SELECT count(*) * 10 FROM shop.orders), 'every order has ten options');
SELECT cmp_ok((SELECT count(*) FROM shop.orders), '>', 400::bigint, 'the orders are many');
SELECT set_eq('SELECT DISTINCT party, verb FROM foretold',
                  $$VALUES ('customer', 'request_cancel'), ('customer', 'withdraw_cancel'),
                           ('merchant', 'accept_cancel'),
                           ('merchant', 'cancel_order'), ('merchant', 'deny_cancel'), ('merchant', 'override_cancel'),
                           ('merchant', 'record_refund'), ('merchant', 'adjust_refund'),
                           ('merchant', 'undo_cancel'),
                  ('merchant', 'withdraw_cancel')$$,
                  'one for each party and verb');
SELECT is_empty(format($$SELECT kind, status, placed_at, policy, due, block, party, verb, says, happens FROM foretold
                         WHERE verb = %L AND says <> happens LIMIT 5$$, verb),
                         'what is said of ' || verb || ' is what happens')
FROM (SELECT DISTINCT verb FROM foretold ORDER BY verb) AS v;
SELECT is_empty($$SELECT id, party, verb, allowed, outcome, condition, detail FROM foretold
                  WHERE allowed IS DISTINCT FROM (outcome <> 'refused')
                      OR (NOT allowed AND (condition IS NULL OR coalesce(detail, '') = ''))
                     OR (allowed AND concat(condition, detail, hint) <> ''
                           AND (verb, outcome, condition) <> ('undo_cancel', 'undone', 'refund_not_settled')) LIMIT 5$$,
                'what is refused says why, what is allowed does not');
SELECT set_eq($$SELECT DISTINCT says FROM foretold$$,
              ARRAY['already', 'canceled', 'denied', 'in_progress 5', 'in_progress', 'requested', 'undone', 'withdrawn',
                    'refused cancellation_blocked', 'refused cancellation_forbidden', 'refused grace_period_over',
                    'refused no_open_cancellation', 'refused undo_not_allowed'],
              'every answer occurs');
SELECT is_empty($$SELECT id FROM foretold WHERE condition = 'cancellation_blocked'
                    AND (block IS NULL OR detail NOT LIKE '%"' || CASE block WHEN 'both' THEN 'both'
                             ELSE block || 's' END || '"%'
                         OR hint IS DISTINCT FROM CASE block WHEN 'both' THEN 'wait' END) LIMIT 5$$,
                'a block is named, with its hint');

-- ------------------------------------------------------- until
-- The same answer at that instant, another one a microsecond later.
CREATE FUNCTION says_at(at timestamptz, id integer, of_party text, of_verb text) RETURNS text
    LANGUAGE plpgsql STRICT AS $$
DECLARE
    says text;
BEGIN
    PERFORM set_config('ordcancel.clock', at::text, true);
    SELECT outcome INTO says FROM ordcancel.cancel_options('shop.orders', id) WHERE party = of_party AND verb = of_verb;
    PERFORM set_config('ordcancel.clock', '2026-05-05 12:00+00', true);
    RETURN says;
END $$;
CREATE TEMP TABLE later AS
SELECT f.*, says_at(until, id, party, verb) AS says_then,
       says_at(until + interval '1 microsecond', id, party, verb) AS says_after,
    says_at('2126-05-05 12:00+00', id, party, verb) AS says_at_last
FROM foretold AS f WHERE policy <> 'default' OR kind = 'new';
SELECT cmp_ok((SELECT count(*) FROM later WHERE until IS NOT NULL), '>', 10::bigint, 'many answers have an end');
SELECT is_empty('SELECT kind, status, placed_at, policy, party, verb, outcome, until, says_then FROM later WHERE '
                'says_then <> outcome LIMIT 5',
                'until that instant the answer is the same');
SELECT is_empty('SELECT kind, status, placed_at, policy, party, verb, outcome, until, says_after FROM later WHERE '
                'says_after = outcome LIMIT 5',
                'after it, it is another');
SELECT is_empty('SELECT kind, status, placed_at, policy, party, verb, outcome, says_at_last FROM later WHERE until IS '
                'NULL AND says_at_last <> outcome LIMIT 5',
                'an answer without an end stays');
SELECT set_eq($$SELECT DISTINCT verb, until FROM foretold WHERE kind = 'asked' AND policy = 'default' AND allowed
      AND outcome <> 'already'
                    AND verb IN ('withdraw_cancel', 'accept_cancel', 'deny_cancel')$$,
                  $$VALUES ('accept_cancel', timestamptz '2026-05-05 15:00+00'), ('deny_cancel', '2026-05-05 15:00+00'),
                        ('withdraw_cancel', '2026-05-05 15:00+00')$$,
                  'what is asked can be decided until its deadline');
SELECT set_eq($$SELECT DISTINCT verb, until FROM foretold WHERE kind = 'asked' AND policy = 'default' AND allowed
      AND outcome <> 'already'
                    AND verb NOT IN ('withdraw_cancel', 'accept_cancel', 'deny_cancel')$$,
                  $$VALUES ('cancel_order', timestamptz '2026-05-05 15:00+00'),
                        ('override_cancel', '2026-05-05 15:00+00'), ('undo_cancel', '2026-05-05 15:00+00')$$,
                  'whatever the function');

-- ------------------------------------------------------- looking changes nothing

CREATE TEMP TABLE before AS SELECT (SELECT count(*) FROM shop.orders_cancellation_event),
                                   (SELECT max(xmin::text) FROM shop.orders);
SELECT isnt_empty($$SELECT * FROM ordcancel.cancel_options('shop.orders', 1)$$, 'a look');
SELECT results_eq('SELECT (SELECT count(*) FROM shop.orders_cancellation_event), (SELECT max(xmin::text) FROM '
                  'shop.orders)', 'SELECT * FROM before', 'writes nothing');
SELECT throws_ok($$SELECT * FROM ordcancel.cancel_options('shop.orders', 0)$$, 'OC002', NULL,
                 'an order that is not there has no options');
SELECT throws_ok($$SELECT * FROM ordcancel.cancel_options('pg_class', 1)$$, 'OC001', NULL,
                 'nor has a table that is not attached');

SELECT * FROM finish();
ROLLBACK;
