-- EXECUTE on a function says what a role may do, SELECT with row-level security
-- to which orders; nothing else is needed, and nothing else helps.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
SELECT plan(126);

-- ----------------------------------------------------------- as it is installed

CREATE ROLE privileges_nobody;
SELECT is_empty($$SELECT p.oid::regprocedure FROM pg_proc AS p
                  WHERE pronamespace = 'ordcancel'::regnamespace
                    AND (proacl IS NULL OR EXISTS (SELECT FROM aclexplode(proacl) WHERE grantee = 0))$$,
                'no function is executable by PUBLIC');
SELECT is_empty($$SELECT p.oid::regprocedure FROM pg_proc AS p
                  WHERE pronamespace = 'ordcancel'::regnamespace AND prosecdef$$,
                'no function runs as its owner');
SELECT is_empty($$SELECT oid::regclass, p FROM pg_class,
                      unnest('{INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}'::text[]) AS p
                  WHERE relnamespace = 'ordcancel'::regnamespace AND relkind IN ('r', 'p', 'v')
                    AND has_table_privilege('privileges_nobody', oid, p)$$,
                'no table may be written by PUBLIC');
SELECT is_empty($$SELECT oid::regclass FROM pg_class
                  WHERE relnamespace = 'ordcancel'::regnamespace AND relkind = 'S'
                    AND (has_sequence_privilege('privileges_nobody', oid, 'USAGE')
                         OR has_sequence_privilege('privileges_nobody', oid, 'UPDATE'))$$,
                'no sequence may be used by PUBLIC');
SELECT ok(NOT has_schema_privilege('privileges_nobody', 'ordcancel', 'CREATE'), 'nobody may add to the schema');
SELECT ok(has_table_privilege('privileges_nobody', 'ordcancel.' || t, 'SELECT'), t || ' may be read by anyone')
FROM unnest('{order_table,policy,rule,block,policy_change,reason,refund_method}'::text[]) AS t;

-- The C functions that only an owner may call are those that grant_owner() gives.
CREATE ROLE privileges_grantee;
SELECT ordcancel.grant_owner('privileges_grantee') \g /dev/null
SELECT is_empty($$SELECT p.oid::regprocedure FROM pg_proc AS p
                  WHERE pronamespace = 'ordcancel'::regnamespace AND prosrc = 'ordcancel_owner_gate'
                    AND NOT has_function_privilege('privileges_grantee', p.oid, 'EXECUTE')$$,
                'grant_owner leaves out none that an owner needs');

-- ---------------------------------------------------- an owner, not a superuser

CREATE ROLE privileges_owner;
CREATE ROLE privileges_clerk IN ROLE privileges_owner;
CREATE ROLE privileges_stranger;
CREATE ROLE ann;
CREATE ROLE bob;
CREATE ROLE shop_merchant;
CREATE ROLE merchant_member IN ROLE shop_merchant;
CREATE ROLE merchant_outside NOINHERIT IN ROLE shop_merchant;
CREATE SCHEMA shop AUTHORIZATION privileges_owner;
GRANT USAGE ON SCHEMA shop TO PUBLIC;

-- What configures: the same call for the owner and for a stranger.
CREATE TABLE setting (n integer GENERATED ALWAYS AS IDENTITY, statement text);
INSERT INTO setting (statement) VALUES
    ('SELECT ordcancel.attach(''shop.orders'', status => ''status'', refund_due => ''total'')'),
    ('SELECT ordcancel.set_policy(''shop.orders'', canceled_status => ''canceled'', requested_status => ''asked'')'),
    ('SELECT ordcancel.set_rule(''shop.orders'', ''placed'', customer => ''cancel'', merchant => ''cancel'')'),
    ('SELECT ordcancel.set_rule(''shop.orders'', ''preparing'', customer => ''request'', merchant => ''request'')'),
    ('SELECT ordcancel.set_rule(''shop.orders'', ''waiting'', customer => ''request'', merchant => ''cancel'')'),
    ('SELECT ordcancel.drop_rule(''shop.orders'', ''waiting'')'),
    ('SELECT ordcancel.set_policy(''shop.orders'', policy => ''other'')'),
    ('SELECT ordcancel.drop_policy(''shop.orders'', ''other'')'),
    ('SELECT ordcancel.add_block(''shop.orders'', ''invoiced'', ''total > 100'')'),
    ('SELECT ordcancel.drop_block(''shop.orders'', ''invoiced'')'),
    ('SELECT ordcancel.also_set(''shop.orders'', ''canceled'', ''total'', ''0'')'),
    ('SELECT ordcancel.drop_also_set(''shop.orders'', ''canceled'', ''total'')'),
    ('SELECT ordcancel.guard_partitions(''shop.orders'')'),
    ('SELECT ordcancel.make_call_table(''shop.orders'')'),
    ('SELECT * FROM ordcancel.unruled_statuses(''shop.orders'')');
DO $$
DECLARE
    f regprocedure;
BEGIN
    FOR f IN SELECT oid FROM pg_proc
             WHERE pronamespace = 'ordcancel'::regnamespace
               AND proname IN ('attach', 'detach', 'set_policy', 'set_rule', 'drop_rule', 'drop_policy', 'add_block',
                               'drop_block', 'also_set', 'drop_also_set', 'guard_partitions', 'make_call_table',
                               'unruled_statuses') LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO privileges_owner, privileges_stranger', f);
    END LOOP;
END
$$;

SET LOCAL ROLE privileges_owner;
CREATE TABLE shop.orders (id integer PRIMARY KEY, customer name, status text, total numeric DEFAULT 0);
INSERT INTO shop.orders (id, customer, status)
SELECT n, CASE WHEN n % 2 = 1 THEN 'ann' ELSE 'bob' END, CASE WHEN n < 40 THEN 'placed' ELSE 'preparing' END
FROM generate_series(1, 80) AS n;
ALTER TABLE shop.orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON shop.orders TO ann, bob USING (customer = current_user) WITH CHECK (true);
CREATE POLICY all_of_them ON shop.orders TO shop_merchant, merchant_outside USING (id < 1000);
GRANT SELECT ON shop.orders TO ann, bob, shop_merchant, merchant_outside;
RESET ROLE;
SELECT ordcancel.grant_customer('ann');
SELECT ordcancel.grant_customer('bob');
SELECT ordcancel.grant_merchant('shop_merchant');

SELECT is(attempt_as('privileges_stranger', statement), '42501', 'refused to a stranger: ' || statement)
FROM setting WHERE statement NOT LIKE '%unruled%' ORDER BY n;
SELECT is(attempt_as('privileges_nobody', statement), '42501', 'refused to nobody: ' || statement)
FROM setting ORDER BY n;
SELECT is(attempt_as(CASE WHEN n % 2 = 1 THEN 'privileges_owner'::name ELSE 'privileges_clerk' END, statement), 'ok',
          'done for the owner and for a member of it: ' || statement)
FROM setting ORDER BY n;
SELECT is(attempt_as('privileges_stranger', 'SELECT ordcancel.detach(''shop.orders'')'), '42501',
          'a stranger cannot detach');
SELECT is(attempt_as('privileges_owner', statement), '42501', 'nor does the owner write the configuration itself: '
          || statement)
FROM unnest(ARRAY['UPDATE ordcancel.rule SET merchant = ''cancel''', 'DELETE FROM ordcancel.order_table',
                  'INSERT INTO ordcancel.reason (code) VALUES (''mine'')',
                  'SELECT ordcancel_internal.set_rule(''shop.orders'', ''x'', NULL, NULL, NULL, NULL, NULL, '
                  '''default'', ''{}'')',
                  'SELECT ordcancel_internal.caller_search_path()']) AS statement;

-- ------------------------------------------------------------------- the verbs

CREATE TABLE verb (name text, arguments text, customer boolean);
INSERT INTO verb VALUES ('request_cancel', '', true), ('withdraw_cancel', '', true), ('cancel_options', '', true),
    ('cancel_order', '', false), ('cancel_orders', '', false), ('accept_cancel', '', false),
                        ('deny_cancel', ', ''no''', false),
    ('record_refund', ', 1, ''cash''', false), ('undo_cancel', '', false),
                        ('override_cancel', ', note => ''x''', false);
CREATE FUNCTION call(role name, verb verb, id integer) RETURNS text LANGUAGE sql
    AS $$ SELECT attempt_as(role, format('SELECT ordcancel.%I(''shop.orders'', %s%s)', verb.name,
                                      CASE WHEN verb.name = 'cancel_orders'
                                          THEN format('ARRAY[%s], on_error => ''abort''', id) ELSE id::text END,
                                      verb.arguments)) $$;
CREATE FUNCTION call(role name, verb text, id integer) RETURNS text LANGUAGE sql
    AS $$ SELECT call(role, v, id) FROM verb AS v WHERE name = verb $$;

SELECT is(call('privileges_nobody', v, 1), '42501', format('%s needs EXECUTE', name)) FROM verb AS v;
SELECT is(call('ann', v, 1), '42501', format('%s is not a customer''s', name)) FROM verb AS v WHERE NOT customer;
SELECT is(call('ann', v, 2), 'OC002', format('%s finds nobody else''s order', name)) FROM verb AS v WHERE customer;
SELECT is(call('ann', v, 9999), 'OC002', format('%s finds no order that is not there', name)) FROM verb AS v
WHERE customer;
SELECT is(call('ann', 'request_cancel', 1), 'ok', 'a customer cancels her own order');
SELECT is(call('ann', 'request_cancel', 41), 'ok', 'asks for another');
SELECT is(call('bob', 'withdraw_cancel', 41), 'OC002', 'nobody else can withdraw that');
SELECT is(call('shop_merchant', 'request_cancel', 43), '42501', 'request_cancel is not the merchant''s');
SELECT is(call('shop_merchant', 'override_cancel', 43), '42501', 'nor override_cancel, unless granted');
SELECT is(call('merchant_member', 'cancel_order', 2), 'ok', 'members of the merchant act for it');
SELECT is(call('merchant_outside', 'cancel_order', 4), '42501', 'not those who do not inherit');
SELECT is(call('shop_merchant', 'accept_cancel', 41), 'ok', 'the merchant accepts');
SELECT is(call('shop_merchant', 'cancel_order', 42), 'ok', 'asks, where the rule says so');
SELECT is(call('bob', 'withdraw_cancel', 42), 'OC003', 'the customer cannot withdraw what the merchant asked');
INSERT INTO shop.orders VALUES (1001, 'ann', 'placed');
SELECT is(call('shop_merchant', 'cancel_order', 1001), 'OC002', 'row security holds for the merchant too');
SELECT is(call('shop_merchant', 'cancel_orders', 1001), 'OC002', 'in a set too');
SELECT is((SELECT array_agg(status) FROM shop.orders WHERE id = 1001), '{placed}', 'and the order stays');

SELECT is(replace(error_as('ann', 'SELECT ordcancel.request_cancel(''shop.orders'', 4)', 'message', 'detail', 'hint'),
                  'order 4 ', 'order 9999 '),
          error_as('ann', 'SELECT ordcancel.request_cancel(''shop.orders'', 9999)', 'message', 'detail', 'hint'),
          'somebody else''s order reads like one that is not there');
SELECT is(attempt_as('bob', $$SELECT ordcancel.request_cancel('shop.orders', 6, request_key => 'basket')$$), 'ok',
          'a request key of one customer');
SELECT unalike(error_as('ann', $$SELECT ordcancel.request_cancel('shop.orders', 5, request_key => 'basket')$$,
                        'message', 'detail', 'hint'),
               '%order 6%', 'does not tell another one the order');

-- ------------------------------------------------- SELECT, and no other right

SELECT is(attempt_as('ann', statement), '42501', 'a customer needs no right for it, and has none: ' || statement)
FROM unnest(ARRAY['UPDATE shop.orders SET status = ''canceled''', 'SELECT FROM shop.orders FOR UPDATE',
                  'SELECT FROM shop.orders_cancellation', 'SELECT FROM shop.orders_cancellation_event',
                  'SELECT FROM ordcancel.cancellation', 'SELECT nextval(''ordcancel.event_id_seq'')']) AS statement;
GRANT EXECUTE ON FUNCTION ordcancel.request_cancel(regclass, anynonarray, text, text, text, text, jsonb)
    TO privileges_nobody;
SELECT is(call('privileges_nobody', 'request_cancel', 7), '42501', 'EXECUTE without SELECT is refused');
GRANT SELECT (status) ON shop.orders TO privileges_nobody;
SELECT is(call('privileges_nobody', 'request_cancel', 7), '42501', 'also with SELECT on other columns than the key');
GRANT SELECT (id) ON shop.orders TO privileges_nobody;
SELECT is(call('privileges_nobody', 'request_cancel', 7), 'OC002',
          'SELECT on the key is enough, where row security shows the row');
CREATE POLICY seven ON shop.orders TO privileges_nobody USING (id = 7);
SELECT is(call('privileges_nobody', 'request_cancel', 7), 'ok', 'a policy shows it');
SELECT is(call('privileges_nobody', 'request_cancel', 8), 'OC002', 'and no other');
REVOKE EXECUTE ON FUNCTION ordcancel.request_cancel(regclass, anynonarray, text, text, text, text, jsonb)
FROM privileges_nobody;
SELECT is(call('privileges_nobody', 'request_cancel', 7), '42501', 'a REVOKE takes effect at once');
SET LOCAL row_security = off;
SELECT is(call('ann', 'request_cancel', 8), '42501', 'row_security = off shows nothing more');
SELECT is(call('ann', 'request_cancel', 9), '42501', 'nor less: it is an error');
SET LOCAL row_security = on;

ALTER TABLE shop.orders FORCE ROW LEVEL SECURITY;
GRANT EXECUTE ON FUNCTION ordcancel.request_cancel(regclass, anynonarray, text, text, text, text, jsonb)
    TO privileges_owner;
SELECT is(call('privileges_owner', 'request_cancel', 11), 'OC002', 'forced row security hides orders from their owner');
SELECT is(call('ann', 'request_cancel', 11), 'ok', 'not from the customer, and our writes are not stopped by it');
ALTER TABLE shop.orders NO FORCE ROW LEVEL SECURITY;

CREATE FUNCTION shop.cancel_for_me(id integer) RETURNS text LANGUAGE sql SECURITY DEFINER
    AS 'SELECT state FROM ordcancel.cancel_order(''shop.orders'', id)';
ALTER FUNCTION shop.cancel_for_me OWNER TO shop_merchant;
SELECT is(attempt_as('privileges_stranger', 'SELECT shop.cancel_for_me(12)'), 'ok',
          'a SECURITY DEFINER wrapper lends its owner''s rights');
SELECT is((SELECT requested_by || ' ' || requested_actor FROM shop.orders_cancellation WHERE order_id = 12),
          'merchant shop_merchant', 'and acts for it');

-- --------------------------------------------------- whose a plain update is

GRANT UPDATE ON shop.orders TO ann, shop_merchant, merchant_outside;
SELECT is(attempt_as(role, format('UPDATE shop.orders SET status = %L WHERE id = %s', new_status, id)), result, what)
FROM (VALUES ('ann'::name, 21, 'canceled', 'ok', 'a customer''s update cancels'),
             ('shop_merchant', 22, 'canceled', 'ok', 'and a merchant''s'),
             ('merchant_member', 23, 'canceled', 'ok', 'and a member''s'),
             ('merchant_outside', 24, 'canceled', 'ok', 'and that of one who does not inherit'),
             ('ann', 51, 'canceled', '23514 cancellation_forbidden',
              'but not where a customer has to ask')) AS v (role, id, new_status, result, what);
SELECT is((SELECT array_agg(requested_by ORDER BY order_id) FROM shop.orders_cancellation
           WHERE order_id BETWEEN 21 AND 24),
          '{customer,merchant,merchant,customer}', 'each for the party that its role may act for');

SELECT * FROM finish();
ROLLBACK;
