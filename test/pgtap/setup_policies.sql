-- set_policy, set_rule, add_block and their opposites: what is named changes,
-- the rest stays, and what cannot work is refused with OC014.
BEGIN;
SELECT plan(106);

CREATE SCHEMA shop;
CREATE TYPE shop.status AS ENUM ('new', 'asked', 'refunding', 'canceled', 'returned', 'shipped');
CREATE DOMAIN shop.short AS varchar(6) CHECK (VALUE <> 'bad');
CREATE TABLE shop.orders (id integer PRIMARY KEY, status shop.status, total numeric);
CREATE TABLE shop.short_orders (id integer PRIMARY KEY, status shop.short);
CREATE TABLE shop.number_orders (id integer PRIMARY KEY, status smallint);
CREATE TABLE shop.other (id integer PRIMARY KEY, status text);
SELECT ordcancel.attach(t, 'status') FROM unnest('{shop.orders,shop.short_orders,shop.number_orders}'::regclass[]) AS t;

CREATE FUNCTION policy_of(text DEFAULT 'default') RETURNS text
    LANGUAGE sql AS $$
SELECT concat_ws(' ', grace, requested_status, in_progress_status, canceled_status, customer_canceled_status,
                 on_progress, decision_timeout,
                 on_timeout, undo, undo_window, reason_required, partly_fulfilled) FROM ordcancel.policy
WHERE orders = 'shop.orders'::regclass AND policy = $1 $$;
CREATE FUNCTION rule_of(text, text DEFAULT 'default') RETURNS text
    LANGUAGE sql AS $$
SELECT concat_ws(' ', customer, coalesce(customer_late, '-'), merchant, deletable, hint)
FROM ordcancel.rule WHERE orders = 'shop.orders'::regclass AND status = $1 AND policy = $2 $$;

-- ------------------------------------------------------- set_policy

SELECT is(policy_of(), 'deny canceled f refuse', 'attach makes a policy that does nothing yet');
SELECT ordcancel.set_policy('shop.orders', 'default', '30 minutes', 'asked', 'refunding', 'canceled', 'returned',
                            'hold', '2 days', 'accept', 'requested', '7 days', true, 'rest');
SELECT is(policy_of(), '00:30:00 asked refunding canceled returned hold 2 days accept requested 7 days t rest',
          'set_policy sets everything');
SELECT ordcancel.set_policy('shop.orders', grace => '1 hour');
SELECT is(policy_of(), '01:00:00 asked refunding canceled returned hold 2 days accept requested 7 days t rest',
          'or one thing, and leaves the rest');
SELECT ordcancel.set_policy('shop.orders');
SELECT is(policy_of(), '01:00:00 asked refunding canceled returned hold 2 days accept requested 7 days t rest',
          'or nothing');
SELECT ordcancel.set_policy('shop.orders', unset => '{grace,undo,on_progress}', undo_window => '1 day');
SELECT is(policy_of(), 'asked refunding canceled returned deny 2 days accept canceled 1 day t rest',
          'unset sets back what it names');
SELECT ordcancel.set_policy('shop.orders', unset => '{requested_status,in_progress_status,customer_canceled_status,'
                                                    'decision_timeout,on_timeout,undo_window,reason_required,'
                                                    'partly_fulfilled}');
SELECT is(policy_of(), 'canceled deny canceled f refuse', 'any of it');
SELECT ordcancel.set_policy('shop.orders', 'gold', canceled_status => 'returned');
SELECT is(policy_of('gold') || ', ' || policy_of(), 'returned deny canceled f refuse, canceled deny canceled f refuse',
          'another policy is another');
SELECT ordcancel.set_policy('shop.orders', 'empty', copy_of => NULL);
SELECT is(policy_of('empty'), 'deny canceled f refuse', 'a policy is made by its name');
SELECT ordcancel.set_policy('shop.orders', requested_status => 'asked');
SELECT ordcancel.set_policy('shop.orders', requested_status => 'refunding', in_progress_status => 'asked');
SELECT is(policy_of(), 'refunding asked canceled deny canceled f refuse', 'statuses may change places');
SELECT ordcancel.set_policy('shop.orders', customer_canceled_status => 'canceled');
SELECT is(policy_of(), 'refunding asked canceled canceled deny canceled f refuse', 'both canceled statuses may be one');
SELECT ordcancel.set_policy('shop.orders', unset => '{requested_status,in_progress_status,customer_canceled_status}');

CREATE TEMP TABLE refused (arguments text, because text);
INSERT INTO refused VALUES
    ($$requested_status => 'lost'$$, 'a status that the enum does not have'),
    ($$canceled_status => 'CANCELED'$$, 'or does not write so'),
    ($$customer_canceled_status => ''$$, 'or an empty one'),
    ($$in_progress_status => repeat('x', 70)$$, 'or one that no enum can have'),
    ($$requested_status => 'canceled'$$, 'one status for requested and canceled'),
    ($$requested_status => 'asked', in_progress_status => 'asked'$$, 'one status for requested and in progress'),
    ($$in_progress_status => 'returned', customer_canceled_status => 'returned'$$,
     'one status for in progress and canceled'),
    ($$on_progress => 'ignore'$$, 'a word that on_progress does not know'),
    ($$on_timeout => 'cancel', decision_timeout => '1 day'$$, 'a word that on_timeout does not know'),
    ($$undo => 'always'$$, 'a word that undo does not know'),
    ($$undo => ''$$, 'an empty word'),
    ($$undo => 'Never'$$, 'a word in other letters'),
    ($$grace => '-1 second'$$, 'a negative grace'),
    ($$undo_window => '-1 day'$$, 'a negative undo window'),
    ($$decision_timeout => '-1 day', on_timeout => 'deny'$$, 'a negative timeout'),
    ($$grace => '1 day -25 hours'$$, 'a grace that is negative in sum'),
    ($$grace => '1001 years'$$, 'a grace beyond all reason'),
    ($$decision_timeout => '1 day'$$, 'a timeout without what to do then'),
    ($$on_timeout => 'deny'$$, 'what to do then without a timeout'),
    ($$unset => '{colour}'$$, 'unset of what there is not'),
    ($$unset => '{policy}'$$, 'unset of the name'),
    ($$unset => '{canceled_status,NULL,colour}'$$, 'unset of something among others'),
    ($$policy => ''$$, 'a policy without a name'),
    ($$policy => NULL$$, 'a policy of no name');
SELECT throws_ok(format('SELECT ordcancel.set_policy(''shop.orders'', %s)', arguments), 'OC014', NULL,
                 'set_policy refuses ' || because) FROM refused;
SELECT is(policy_of(), 'canceled deny canceled f refuse', 'what is refused changes nothing');
SELECT throws_ok($$SELECT ordcancel.set_policy('shop.short_orders', canceled_status => 'too long')$$, 'OC014', NULL,
                 'a status that does not fit the column');
SELECT throws_ok($$SELECT ordcancel.set_policy('shop.short_orders', canceled_status => 'bad')$$, 'OC014', NULL,
                 'a status that its domain refuses');
SELECT throws_ok($$SELECT ordcancel.set_policy('shop.number_orders', canceled_status => 'four')$$, 'OC014', NULL,
                 'a word where statuses are numbers');
SELECT throws_ok($$SELECT ordcancel.set_policy('shop.number_orders', canceled_status => '70000')$$, 'OC014', NULL,
                 'a number that does not fit');
SELECT throws_ok($$SELECT ordcancel.set_policy('shop.number_orders', canceled_status => '4',
                                               requested_status => '04')$$, 'OC014', NULL,
                                                   'one status written in two ways');
SELECT ordcancel.set_policy('shop.number_orders', canceled_status => ' 04 ');
SELECT is((SELECT canceled_status FROM ordcancel.policy WHERE orders = 'shop.number_orders'::regclass), '4',
          'a status is kept as the column writes it');
SELECT throws_ok($$SELECT ordcancel.set_policy('shop.other')$$, 'OC001',
                 'table shop.other is not attached to ordcancel', 'no policy of a table that is not attached');
SELECT throws_ok($$SELECT ordcancel.set_policy(NULL)$$, 'OC001', NULL, 'nor of none');

-- ------------------------------------------------------- set_rule

SELECT ordcancel.set_rule('shop.orders', 'new', 'cancel', 'request', 'request', true, 'call us');
SELECT is(rule_of('new'), 'cancel request request t call us', 'set_rule sets everything');
SELECT ordcancel.set_rule('shop.orders', 'new', merchant => 'cancel');
SELECT is(rule_of('new'), 'cancel request cancel t call us', 'or one thing, and leaves the rest');
SELECT ordcancel.set_rule('shop.orders', 'new', unset => '{customer,customer_late,deletable,hint}');
SELECT is(rule_of('new'), 'forbid - cancel f', 'unset sets back what it names');
SELECT ordcancel.set_rule('shop.orders', 'shipped', hint => 'process it as a return');
SELECT is(rule_of('shipped'), 'forbid - forbid f process it as a return', 'a rule forbids what it does not name');
SELECT ordcancel.set_rule('shop.orders', 'new', 'cancel', policy => 'gold');
SELECT is(rule_of('new', 'gold') || ', ' || rule_of('new'), 'cancel - forbid f, forbid - cancel f',
          'a rule belongs to its policy');
SELECT throws_ok(format('SELECT ordcancel.set_rule(''shop.orders'', %s)', arguments), 'OC014', NULL,
                 'set_rule refuses ' || because)
FROM (VALUES ($$'lost', 'cancel'$$, 'a status that the enum does not have'), ($$NULL$$, 'no status'),
             ($$'new', 'maybe'$$, 'a word of its own for customers'),
             ($$'new', customer_late => 'deny'$$, 'one for late customers'),
             ($$'new', merchant => ''$$, 'one for merchants'),
             ($$'new', unset => '{status}'$$, 'unset of the status'),
             ($$'new', 'cancel', policy => 'silver'$$, 'a policy that is not there'),
             ($$'new', 'cancel', policy => NULL$$, 'no policy')) AS r (arguments, because);
SELECT throws_ok($$SELECT ordcancel.set_rule('shop.other', 'new')$$, 'OC001', NULL,
                 'no rule of a table that is not attached');
SELECT is(rule_of('new'), 'forbid - cancel f', 'what is refused changes nothing');
SELECT is(ordcancel.drop_rule('shop.orders', 'new') || ' ' || ordcancel.drop_rule('shop.orders', 'new'), 'true false',
          'drop_rule says whether there was one');
SELECT is(rule_of('new', 'gold'), 'cancel - forbid f', 'and takes away that of its policy only');
SELECT throws_ok($$SELECT ordcancel.drop_rule('shop.other', 'new')$$, 'OC001', NULL,
                 'drop_rule of a table that is not attached');

-- ------------------------------------------------------- drop_policy

SELECT throws_ok($$SELECT ordcancel.drop_policy('shop.orders', 'default')$$, 'OC014',
                 'policy "default" cannot be dropped', 'default stays');
SELECT is(ordcancel.drop_policy('shop.orders', 'gold') || ' ' || ordcancel.drop_policy('shop.orders', 'gold'),
          'true false', 'drop_policy says whether there was one');
SELECT is(rule_of('new', 'gold'), NULL, 'and takes its rules with it');
SELECT throws_ok($$SELECT ordcancel.drop_policy('shop.other', 'gold')$$, 'OC001', NULL,
                 'drop_policy of a table that is not attached');

-- ------------------------------------------------------- blocks

SELECT ordcancel.add_block('shop.orders', 'big', 'total > 100', 'ask the boss', 'customer');
SELECT ordcancel.add_block('shop.orders', 'big', 'total > 200');
SELECT results_eq($$SELECT condition, hint, party FROM ordcancel.block$$,
                  $$VALUES ('total > 200', NULL::text, NULL::text)$$, 'a block of the same name is replaced whole');
SELECT throws_ok(format('SELECT ordcancel.add_block(''shop.orders'', ''b'', %L)', condition), 'OC014', NULL,
                 'add_block refuses ' || because)
FROM (VALUES ('', 'nothing'), ('total >', 'half a condition'), ('toatl > 1', 'a column that is not there'),
             ('total', 'what is not true or false'),
             ('true) FROM pg_class; DROP TABLE shop.orders; --', 'a way out of the brackets'),
             ('true); DROP TABLE shop.orders; SELECT (true', 'another statement'),
             ('true) FROM pg_class WHERE (true', 'a FROM'),
             ('true) UNION SELECT (true', 'a UNION'), ('true), (true', 'a second column'), ('true) AS (a', 'a name'),
             ('true, false', 'a row'),
             ('count(*) > 1', 'an aggregate'), ('row_number() OVER () > 1', 'a window function'),
             ('generate_series(1, 2) > 1', 'a set'),
             ('unnest(''{t,f}''::boolean[])', 'an array taken apart'), ('true /* and', 'a comment without an end'),
             ('''', 'a string without an end'),
             ('(DELETE FROM shop.orders RETURNING true)', 'a write'),
             ('EXISTS (WITH d AS (DELETE FROM shop.orders RETURNING 1) SELECT FROM d)', 'a write in a WITH'),
             ('EXISTS (SELECT FROM shop.nowhere)', 'a table that is not there'),
             ('other.total > 1', 'a table that it is not over'),
             ('nosuchfunction(total)', 'a function that is not there'),
             ('total > ''abc''', 'a constant that is no number'),
             ('true) ORDER BY (1', 'an ORDER BY'), ('true) LIMIT (1', 'a LIMIT'),
             ('true) INTO TEMP x FROM (SELECT 1) AS y WHERE (true', 'an INTO')) AS c (condition, because);
SELECT throws_ok(format('SELECT ordcancel.add_block(''shop.orders'', %s)', arguments), 'OC014', NULL,
                 'add_block refuses ' || because)
FROM (VALUES ($$'', 'true'$$, 'an empty name'), ($$NULL, 'true'$$, 'no name'), ($$'b', NULL$$, 'no condition'),
             ($$'b', 'true', party => 'system'$$, 'the system as party')) AS r (arguments, because);
SELECT is((SELECT count(*) FROM ordcancel.block), 1::bigint, 'none of them is there');
SELECT has_table('shop'::name, 'orders'::name, 'and the table still is');
SELECT lives_ok(format('SELECT ordcancel.add_block(''shop.orders'', %L, %L)', condition, condition),
                'add_block takes ' || condition)
FROM unnest(ARRAY['NULL', 'true -- and so on', 'EXISTS (SELECT count(*) FROM shop.other HAVING count(*) > 3)',
                  '(SELECT bool_or(total > id) FROM shop.other)',
                  'total > 1 AND orders.total < 5 OR status = ''new''',
                  $$(((status::text) ~ '^[)]--;'))$$]) AS condition;
SELECT is(ordcancel.drop_block('shop.orders', 'big') || ' ' || ordcancel.drop_block('shop.orders', 'big'), 'true false',
          'drop_block says whether there was one');
SELECT throws_ok($$SELECT ordcancel.drop_block('shop.other', 'big')$$, 'OC001', NULL,
                 'drop_block of a table that is not attached');

SELECT * FROM finish();
ROLLBACK;
