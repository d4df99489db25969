-- Calls name an order by the id alone, where the primary key has more columns.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
SELECT plan(42);

CREATE SCHEMA shop;
CREATE TABLE shop.orders (id bigint, day date, status text NOT NULL DEFAULT 'placed', PRIMARY KEY (id, day))
    PARTITION BY RANGE (day);
CREATE TABLE shop.orders_1 PARTITION OF shop.orders FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE shop.orders_2 (status text NOT NULL DEFAULT 'placed', day date NOT NULL, id bigint NOT NULL);
ALTER TABLE shop.orders ATTACH PARTITION shop.orders_2 FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
CREATE TABLE shop.orders_3 PARTITION OF shop.orders FOR VALUES FROM ('2026-03-01') TO ('2026-04-01')
    PARTITION BY HASH (id);
CREATE TABLE shop.orders_3a PARTITION OF shop.orders_3 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE shop.orders_3b PARTITION OF shop.orders_3 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO shop.orders SELECT n, ('{2026-01-05,2026-02-05,2026-03-05}'::date[])[n % 3 + 1] FROM generate_series(1,
    30) AS n;
INSERT INTO shop.orders VALUES (40, '2026-01-05'), (40, '2026-02-05');

SELECT is(attempt(format($$SELECT ordcancel.attach('shop.orders', 'status', call_key => %L)$$, k)), 'OC014',
          'refused as call_key: ' || k)
FROM unnest(ARRAY['{}', '{day}', '{id,day}', '{day,id}', '{status}', '{nil}', '{NULL}']) AS k;
SELECT is(attempt($$SELECT ordcancel.attach('shop.orders', 'status', call_key => '{id}')$$), 'ok', 'the first column');
SELECT ordcancel.set_policy('shop.orders', requested_status => 'asked', canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.orders', 'placed', customer => 'request', merchant => 'cancel');

SELECT is(outcome_of($$cancel_order('shop.orders', 1)$$), 'canceled canceled', 'an integer');
SELECT is(outcome_of($$cancel_order('shop.orders', '2')$$), 'canceled canceled', 'a text');
SELECT is(outcome_of($$cancel_order('shop.orders', ROW(3, '2026-01-05'::date))$$), 'canceled canceled', 'a whole key');
SELECT is(outcome_of($$cancel_order('shop.orders', '(4,2026-02-05)')$$), 'canceled canceled', 'as text');
SELECT is((SELECT string_agg(e.order_key, ' ' ORDER BY e.event_id) FROM ordcancel.event AS e),
          '(1,2026-02-05) (2,2026-03-05) (3,2026-01-05) (4,2026-02-05)', 'records have the whole key');
SELECT is(outcome_of($$undo_cancel('shop.orders', 2, 'x')$$), 'undone placed', 'undo_cancel');
SELECT is(outcome_of($$request_cancel('shop.orders', 5)$$), 'requested asked', 'request_cancel');
SELECT is(outcome_of($$deny_cancel('shop.orders', 5, 'no')$$), 'denied placed', 'deny_cancel');
SELECT is((SELECT string_agg(o::text, ' ' ORDER BY o::text) FROM ordcancel.cancel_options('shop.orders', 1) AS o),
          (SELECT string_agg(o::text, ' ' ORDER BY o::text) FROM ordcancel.cancel_options('shop.orders',
              '(1,2026-02-05)') AS o),
          'cancel_options');
SELECT is((SELECT count(*) FROM ordcancel.timeline('shop.orders', 2)), 2::bigint, 'timeline');
SELECT is((SELECT string_agg(concat_ws(' ', order_id, outcome, sqlstate), ', ')
           FROM ordcancel.cancel_orders('shop.orders', '{6,7,6,77,40,"(7,2026-02-05)","(8,2026-03-05)"}'::text[])),
          '6 canceled, 7 canceled, 6 already, 77 refused OC002, 40 refused 21000, 7 already, (8,2026-03-05) canceled',
          'cancel_orders answers with the id that was given');
SELECT is((SELECT string_agg(concat_ws(' ', order_id, outcome), ', ')
           FROM ordcancel.cancel_orders('shop.orders', '{9,10}'::bigint[])), '9 canceled, 10 canceled', 'integers');

SELECT is(attempt($$SELECT ordcancel.cancel_order('shop.orders', 40)$$), '21000', 'an id that two orders have');
SELECT throws_ok($$SELECT ordcancel.cancel_order('shop.orders', 40)$$, '21000',
                 'order id 40 of shop.orders is not unique', 'the error');
SELECT is(outcome_of($$cancel_order('shop.orders', '(40,2026-01-05)')$$), 'canceled canceled',
          'one of them by its key');
SELECT is(attempt(format($$SELECT ordcancel.cancel_order('shop.orders', %s)$$, k)), 'OC002', 'no order: ' || k)
FROM unnest(ARRAY['77', 'NULL::bigint', '''x''', '''(77)''', '''(77,2026-01-05)''', 'ROW(1)', 'ROW(1, 2, 3)', '''''',
                  '1e30']) AS k;

-- A role that sees some orders learns nothing of others.
CREATE ROLE call_key_customer;
GRANT USAGE ON SCHEMA shop TO call_key_customer;
GRANT SELECT ON shop.orders TO call_key_customer;
SELECT ordcancel.grant_customer('call_key_customer');
ALTER TABLE shop.orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON shop.orders FOR SELECT TO call_key_customer USING (id < 20 OR (id = 40 AND day >= '2026-02-01'));
SET LOCAL ROLE call_key_customer;
SELECT is(outcome_of($$request_cancel('shop.orders', 11)$$), 'requested asked', 'an order that the role sees');
SELECT is(attempt($$SELECT ordcancel.request_cancel('shop.orders', 21)$$), 'OC002', 'one that it does not see');
SELECT throws_ok($$SELECT ordcancel.request_cancel('shop.orders', 21)$$, 'OC002',
                 'order 21 of shop.orders not found', 'and does not learn the key of');
SELECT is(outcome_of($$request_cancel('shop.orders', 40)$$), 'requested asked', 'the only one that it sees');
RESET ROLE;

-- Changes.
ALTER TABLE shop.orders RENAME id TO number;
SELECT ok(ordcancel.attach('shop.orders') LIKE '%attached again%', 'a renamed column');
SELECT is((SELECT call_key::text FROM ordcancel.order_table WHERE orders = 'shop.orders'::regclass), '{number}',
          'is renamed there');
SELECT is(outcome_of($$cancel_order('shop.orders', 12)$$), 'canceled canceled', 'works');
SELECT ok(ordcancel.export_setup('shop.orders') LIKE '%call_key => ''{number}''%', 'export_setup');
SELECT ok(ordcancel.attach('shop.orders', unset => '{call_key}') LIKE '%call_key: number -> none%', 'unset');
SELECT is(attempt($$SELECT ordcancel.cancel_order('shop.orders', 13)$$), 'OC002', 'only the whole key');

SELECT * FROM finish();
ROLLBACK;
