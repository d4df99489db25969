-- Whatever a function is given, it answers with an error that says what is
-- wrong, never with an internal one, and changes nothing then.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
SELECT no_plan();

CREATE ROLE bad_input_role;
CREATE TYPE word AS ENUM ('placed', 'preparing', 'shipped', 'asked', 'refunding', 'canceled');
CREATE TABLE orders (id integer PRIMARY KEY, status word, at timestamptz, supplier text, due numeric);
CREATE VIEW a_view AS SELECT * FROM orders;
CREATE MATERIALIZED VIEW a_matview AS SELECT 1 AS id, 'placed'::text AS status;
CREATE SEQUENCE a_sequence;
CREATE TYPE a_type AS (id integer, status text);
CREATE TEMP TABLE a_temp (id integer PRIMARY KEY, status text);
CREATE TABLE plain (id integer PRIMARY KEY, status text);
CREATE TABLE parent (id integer PRIMARY KEY, status text);
CREATE TABLE child () INHERITS (parent);
INSERT INTO orders VALUES (1, 'placed', now(), 's', 0), (2, 'preparing', now(), 's', 0),
    (3, 'placed', now(), 's', 9.90), (4, 'shipped', now(), 's', 0), (5, 'placed', now(), 's', 0);
SELECT ordcancel.attach('orders', 'status', placed_at => 'at', policy_by => 'supplier', refund_due => 'due');
SELECT ordcancel.set_policy('orders', canceled_status => 'canceled', requested_status => 'asked',
                            in_progress_status => 'refunding', grace => '1 day');
SELECT ordcancel.set_rule('orders', 'placed', customer => 'cancel', merchant => 'cancel'),
       ordcancel.set_rule('orders', 'preparing', customer => 'request', merchant => 'request');
SELECT ordcancel.request_cancel('orders', 2), ordcancel.cancel_order('orders', 3), ordcancel.cancel_order('orders', 5);

-- ---------------------------------------------- every function × every argument

-- What an argument is when another one is tried: its default, or this.
CREATE TABLE sane (name text, type regtype, value text);
INSERT INTO sane VALUES ('orders', 'regclass', '''orders'''), ('order_id', 'text', '''1'''),
    ('order_id', 'anynonarray', '1'), ('status', 'name', '''status'''),
    ('status', 'text', '''placed'''), ('note', 'text', '''n'''), ('amount', 'numeric', '1'),
                        ('method', 'text', '''cash'''), ('name', 'text', '''b'''),
    ('condition', 'text', '''false'''), ('policy', 'text', '''default'''), ('verb', 'text', '''cancel_order'''),
                        ('party', 'text', '''merchant'''), ('dry_run', 'boolean', 'true'), ('chunk', 'integer', '10'),
                        ('on_error', 'text', '''skip'''),
    ('order_ids', 'text', '''{1}'''), ('order_ids', 'anyarray', 'ARRAY[1]'), ('role', 'regrole', '''bad_input_role'''),
    ('event', 'ordcancel.event', '(SELECT e FROM ordcancel.event AS e ORDER BY event_id LIMIT 1)');
CREATE TABLE nasty (type regtype, value text);
INSERT INTO nasty SELECT t::regtype, v FROM (VALUES
    ('text', $$NULL|''|' '|repeat('x', 10485760)|E'\x01\x7f\n'|'%s %n %'|'"; DROP TABLE orders; --'|repeat('é', 300)$$),
    ('text', $$'{4,x,NULL,""}'|'{{1}'|'[1:99]={1}'|'default'|'\'|'('|'NULL'|'1 + '|'$1'|'now()'|'(SELECT 1)'$$),
    ('regrole', $$NULL|0|4294967295|'nobody'|'"'|'pg_monitor'$$),
    ('name', $$NULL|''|'ctid'|'nowhere'|'id'|repeat('x', 10485760)::name|'"'$$),
    ('regclass', $$NULL|0|4294967295|'pg_class'|'pg_authid'|'a_view'|'a_matview'|'a_sequence'|'a_type'|'a_temp'$$),
    ('regclass', $$'plain'|'parent'|'child'|'orders_pkey'|'orders_cancellation'|'ordcancel.event'$$),
    ('regclass', $$'ordcancel.order_table'|'pg_toast.pg_toast_1255'|'information_schema.tables'$$),
    ('anynonarray', $$NULL::integer|NULL::text|-1|9999999999|'x'::name|1.5|now()|true|'{}'::jsonb|ROW(1)|ROW(1, 2)$$),
    ('anynonarray', $$ROW(ROW(1))|''::bytea|'orders'::regclass|B'101'|pg_current_snapshot()|'placed'::word$$),
    ('anynonarray', $$(SELECT o FROM orders AS o WHERE id = 4)$$),
    ('anyarray', $$NULL::integer[]|'{}'::integer[]|ARRAY[NULL]::text[]|ARRAY[-1, 9999999999]|ARRAY['x']::name[]$$),
    ('anyarray', $$ARRAY[1.5]|ARRAY[now()]|ARRAY[true]|ARRAY[[1, 2], [3, 4]]|'[5:6]={1,2}'::integer[]$$),
    ('anyarray', $$ARRAY['{}'::jsonb]|ARRAY[ROW(1), ROW(1, 2)]|ARRAY['']::bytea[]|ARRAY['orders'::regclass]$$),
    ('anyarray', $$ARRAY['placed']::word[]|ARRAY(SELECT o FROM orders AS o)|ARRAY[repeat('x', 10485760)]$$),
    ('anyarray', $$ARRAY[ROW(NULL)]|'1 4'::int2vector|'1 4'::oidvector|ARRAY['1', '', NULL]::cstring[]$$),
    ('anyarray', $$ARRAY['-Infinity', 'NaN']::float8[]|array_fill(4, ARRAY[100, 10])$$),
    ('ordcancel.event', $$NULL|(SELECT e FROM ordcancel.event AS e ORDER BY event_id LIMIT 1)$$),
    ('ordcancel.event', $$jsonb_populate_record(NULL::ordcancel.event, '{"event_id": 1}')$$),
    ('ordcancel.event', $$jsonb_populate_record(NULL::ordcancel.event,
                              '{"event_id": -1, "at": "infinity", "orders": "", "order_key": "", "data": [null]}')$$),
    ('integer', $$NULL|0|-1|2147483647|-2147483648$$),
    ('bigint', $$NULL|0|-1|9223372036854775807|-9223372036854775808$$),
    ('numeric', $$NULL|0|-1|'NaN'|'Infinity'|'-Infinity'|1e1000|1e-1000|0.0000001|9.91$$),
    ('interval', $$NULL|'0'|'-1 day'|'178000000 years'|'-178000000 years'|'1 mon -40 days'$$),
    ('interval', $$'1000 years 1 second'|'2147483647 days'|'1 year -1 year'$$),
    ('boolean', $$NULL|true|false$$),
    ('date', $$NULL|'infinity'|'-infinity'|'5874897-12-31'|'4714-11-24 BC'|'0001-01-01 BC'$$),
    ('timestamptz', $$NULL|'infinity'|'-infinity'|'294276-12-31 23:59:59.999999+00'|'4714-11-24 00:00+00 BC'$$),
    ('name[]', $$NULL|'{}'|'{NULL}'|'{nowhere}'|'{id,id}'|'{{id},{status}}'|'{ctid}'$$),
    ('name[]', $$NULL|'{}'|'{NULL}'|'{nothing}'|'{id,id,id}'|'{{a,b},{c,d}}'$$),
    ('jsonb', $$NULL|'null'|'1'|'{}'|'[]'|'[null]'|'[[]]'|'[{}]'|'[{"item": null}]'|'[{"item": 1, "quantity": -1}]'$$),
    ('text[]', $$NULL|'{}'|'{NULL}'|'{nothing,grace}'|'{{a,b},{c,d}}'|'[5:6]={x,y}'|ARRAY[repeat('x',
            1048576)]$$)) AS n (t, values),
    string_to_table(values, '|') AS v (v);

CREATE TABLE argument AS
SELECT p.oid, p.proname, p.prokind, a.n, a.name, a.type::regtype AS type, p.pronargs,
       coalesce((SELECT s.value FROM sane AS s WHERE s.name = a.name AND s.type = a.type), 'NULL') AS sane
FROM pg_proc AS p,
    LATERAL unnest(p.proargnames[:p.pronargs], p.proargtypes::oid[]) WITH ORDINALITY AS a (name, type, n)
WHERE p.pronamespace = 'ordcancel'::regnamespace AND p.proname !~ '^_' AND p.prorettype <> 'trigger'::regtype;
SELECT is(count(*), 0::bigint, 'there are bad values of every type of argument: '
          || coalesce(string_agg(DISTINCT type::text, ', '), ''))
FROM argument WHERE type NOT IN (SELECT n.type FROM nasty AS n);

CREATE TABLE tried (oid oid, n bigint, value text, result text);
DO $$
DECLARE
    a argument;
    value text;
    call text;
    result text;
BEGIN
    FOR a IN SELECT * FROM argument LOOP
        FOR value IN SELECT v.value FROM nasty AS v WHERE v.type = a.type LOOP
            -- Arguments before it are sane, those after it are as their defaults or sane.
            call := (SELECT string_agg(CASE WHEN b.n = a.n THEN CASE
                                           WHEN a.type IN ('anynonarray'::regtype, 'anyarray'::regtype) THEN value
                                           ELSE format('%s::%s', value, a.type) END
                                            WHEN b.type IN ('anynonarray'::regtype, 'anyarray'::regtype) THEN b.sane
                                            ELSE format('%s::%s', b.sane, b.type) END, ', ' ORDER BY b.n)
                     FROM argument AS b WHERE b.oid = a.oid AND (b.n <= a.n OR b.sane <> 'NULL'
                         OR b.n <= (SELECT pronargs - pronargdefaults FROM pg_proc WHERE oid = a.oid)
                         OR b.n < (SELECT max(c.n) FROM argument AS c WHERE c.oid = a.oid AND c.sane <> 'NULL')));
            BEGIN
                result := attempt(format(CASE a.prokind WHEN 'p' THEN 'CALL ordcancel.%I(%s)'
                                             ELSE 'SELECT * FROM ordcancel.%I(%s)' END, a.proname, call));
                RAISE EXCEPTION 'back';
            EXCEPTION WHEN raise_exception THEN
                NULL;
            END;
            INSERT INTO tried VALUES (a.oid, a.n, value, result);
        END LOOP;
    END LOOP;
END
$$;
SELECT is(string_agg(format('%s: %s', left(t.value, 40), t.result), ', ') FILTER (WHERE t.result IS NOT NULL), NULL,
          format('%s(%s): bad values of %s', a.proname, a.type, a.name))
FROM argument AS a
    LEFT JOIN tried AS t ON t.oid = a.oid AND t.n = a.n
                        AND NOT (a.type = 'name'::regtype AND t.value = '''''' AND t.result = '42601')
                        -- A condition is the caller's SQL; the batch commits.
                        AND NOT (a.proname = 'cancel_batch' AND a.name = 'condition' AND t.result ~ '^42')
                        AND NOT (a.proname ~ '^citus_' AND t.result ~ '^0A000') -- there is no Citus
                        AND NOT (a.proname ~ '_batch$' AND a.name ~ '^(dry_run|batch_id)$' AND t.result ~ '^25001')
                        AND t.result !~ '^(ok|OC0(0[1-9]|1[0-4])|22...|54000|42501|42602|42622|42704|42P01'
                              '|2D000|3F000|23514)'
GROUP BY a.proname, a.oid, a.type, a.name, a.n
ORDER BY a.proname, a.oid, a.n;
SELECT ok(count(*) > 1000, 'that were ' || count(*) || ' calls') FROM tried;

-- -------------------------------------------------------------- some by name

CREATE TABLE expected (n integer GENERATED ALWAYS AS IDENTITY, code text, statement text);
INSERT INTO expected (code, statement)
SELECT 'OC001', format('SELECT * FROM ordcancel.%s(%s, 1%s)', v, t, CASE v WHEN 'record_refund' THEN ', 1, ''cash'''
                           ELSE '' END)
FROM unnest('{request_cancel,cancel_order,override_cancel,withdraw_cancel,accept_cancel,deny_cancel,record_refund,'
            'undo_cancel,cancel_options}'::text[]) AS v,
    string_to_table('NULL,0,4294967295,''pg_class'',''a_view'',''plain'',''orders_pkey'',''orders_cancellation''',
                    ',') AS t;
INSERT INTO expected (code, statement)
SELECT 'OC001', format('SELECT ordcancel.cancel_orders(%s, ''{1}'')', t)
FROM string_to_table('NULL,0,4294967295,''pg_class'',''a_view'',''plain'',''orders_pkey'',''orders_cancellation''',
                     ',') AS t;
INSERT INTO expected (code, statement)
SELECT '22P02', format('SELECT ordcancel.cancel_orders(''orders'', %L)', t)
FROM unnest(ARRAY['', '1', '{1', '{1}}', '{1},', '{{1},2}', '{"1}', '{1,}', '(1)']) AS t;
INSERT INTO expected (code, statement)
SELECT 'OC014', format('SELECT ordcancel.attach(%s, ''status'')', t)
FROM unnest('{''a_view'',''a_matview'',''a_temp'',''parent'',''child'',''a_sequence'',''orders_pkey'','
            '''ordcancel.event'',''pg_class''}'::text[]) AS t;
INSERT INTO expected (code, statement)
SELECT 'OC006', format('SELECT ordcancel.%s', call)
FROM unnest(ARRAY['cancel_order(''orders'', 1, repeat(''x'', 10485760))', 'cancel_order(''orders'', 1, '''')',
                  'cancel_order(''orders'', 1, note => repeat(''x'', 10485760))',
                  'cancel_order(''orders'', 1, note => repeat(''é'', 2001))',
                  'accept_cancel(''orders'', 2, repeat(''x'', 2001))',
                  'accept_cancel(''orders'', 2, note => repeat(''x'', 2001))',
                  'deny_cancel(''orders'', 2, repeat(''x'', 10485760))',
                  'deny_cancel(''orders'', 2, NULL)', 'deny_cancel(''orders'', 2, E'' \n\t'')',
                  'override_cancel(''orders'', 4, note => '' '')', 'undo_cancel(''orders'', 5, repeat(''x'', 2001))',
                  'cancel_order(''orders'', 1, ''other'', repeat(''x'', 256))',
                  'cancel_order(''orders'', 1, ''other'')', 'cancel_order(''orders'', 1, ''unpaid_expired'')']) AS call;
INSERT INTO expected (code, statement)
SELECT '22001', format('SELECT ordcancel.%s', call)
FROM unnest(ARRAY['cancel_order(''orders'', 1, actor => repeat(''x'', 10485760))',
                  'cancel_orders(''orders'', ''{1}'', actor => repeat(''x'', 256))',
                  'cancel_order(''orders'', 1, request_key => repeat(''é'', 256))',
                  'record_refund(''orders'', 3, 1, ''cash'', repeat(''x'', 256))',
                  'undo_cancel(''orders'', 5, actor => repeat(''x'', 256))']) AS call;
INSERT INTO expected (code, statement)
SELECT 'OC010', format('SELECT ordcancel.record_refund(''orders'', 3, %s, %s)', amount, method)
FROM (VALUES ('NULL', '''cash'''), ('0', '''cash'''), ('-1', '''cash'''), ('''NaN''', '''cash'''),
             ('''Infinity''', '''cash'''), ('''-Infinity''', '''cash'''), ('9.91', '''cash'''),
             ('1e100000', '''cash'''),
             ('1', 'NULL'), ('1', ''''''), ('1', '''gold'''), ('1', 'repeat(''x'', 10485760)')) AS v (amount, method);
INSERT INTO expected (code, statement)
SELECT 'OC014', format('SELECT ordcancel.set_policy(''orders'', %s => %s)', span, value)
FROM unnest('{grace,undo_window}'::text[]) AS span,
     unnest(ARRAY['''-1 second''', '''178000000 years''', '''-178000000 years''', '''1 mon -40 days''',
                  '''1000 years 1 second''']) AS value;
INSERT INTO expected (code, statement)
SELECT 'OC014', format('SELECT ordcancel.%s', call)
FROM unnest(ARRAY['set_policy(''orders'', on_progress => ''wait'')', 'set_policy(''orders'', undo => ''always'')',
                  'set_policy(''orders'', decision_timeout => ''1 day'')',
                  'set_policy(''orders'', on_timeout => ''accept'')',
                  'set_policy(''orders'', canceled_status => ''void'')',
                  'set_policy(''orders'', requested_status => ''canceled'')', 'set_policy(''orders'', policy => '''')',
                  'set_policy(''orders'', policy => NULL)',
                  'set_policy(''orders'', unset => ''{orders}'')', 'set_rule(''orders'', NULL)',
                  'set_rule(''orders'', ''nowhere'')', 'set_rule(''orders'', ''placed'', customer => ''maybe'')',
                  'set_rule(''orders'', ''placed'', policy => ''none'')',
                  'drop_policy(''orders'', ''default'')', 'add_block(''orders'', NULL, ''true'')',
                  'add_block(''orders'', '''', ''true'')', 'add_block(''orders'', ''b'', NULL)',
                  'add_block(''orders'', ''b'', ''true'', party => ''nobody'')',
                  'attach(''plain'', NULL)', 'attach(''plain'', ''nowhere'')', 'attach(''plain'', ''id'')',
                  'attach(''plain'', ''status'', placed_at => ''status'')',
                  'attach(''plain'', ''status'', preset => ''none'')',
                  'attach(''plain'', ''status'', notify_channel => '''')',
                  'attach(''plain'', ''status'', notify_channel => repeat(''x'', 64))',
                  'attach(''plain'', ''status'', unset => ''{status}'')', 'attach(''plain'', ''ctid'')']) AS call;
-- Conditions and sums that are no expression over the row.
INSERT INTO expected (code, statement)
SELECT 'OC014', format(call, quote_literal(expression))
FROM unnest(ARRAY['SELECT ordcancel.add_block(''orders'', ''b'', %s)',
                  'SELECT ordcancel.attach(''plain'', ''status'', refund_due => %s)']) AS call,
    unnest(ARRAY['', ' ', '(', '1 +', 'nowhere', 'count(*) > 1', 'sum(id)', 'row_number() OVER ()',
                 'generate_series(1, 2)', '1; SELECT 2', 'true) FROM orders; DELETE FROM orders; SELECT (true', '1, 2',
                 'id AS x', '$2', '(SELECT 1, 2)',
                 '1) LIMIT (0', 'true) WHERE (false', 'ARRAY[1]', '''x''::nosuchtype', 'no_such_function()',
                 'true) UNION SELECT (true', '/* open', '$$', '*', 'orders.*', 'DEFAULT']) AS expression;
SELECT is(attempt(statement), code, left(statement, 120)) FROM expected ORDER BY n;
SELECT is((SELECT string_agg(id || ' ' || status, ', ' ORDER BY id) FROM orders),
          '1 placed, 2 asked, 3 refunding, 4 shipped, 5 canceled', 'nothing changed');
SELECT is((SELECT count(*) FROM ordcancel.event), 3::bigint, 'nothing was recorded');
SELECT is((SELECT count(*) FROM ordcancel.block) + (SELECT count(*) FROM ordcancel.order_table
                                                    WHERE orders <> 'orders'::regclass), 0::bigint,
          'nothing was configured');

-- ---------------------------------------------------- values in the order itself

INSERT INTO orders (id, status, at) VALUES (10, 'placed', 'infinity'), (11, 'placed', '-infinity'),
    (12, 'placed', '294276-12-31 23:59:59.999999+00'), (13, 'placed', '4714-11-24 BC+00');
SELECT ordcancel.set_rule('orders', 'placed', customer_late => 'forbid');
SELECT ordcancel.set_policy('orders', grace => '1000 years', undo_window => '1000 years',
                            decision_timeout => '1000 years', on_timeout => 'accept');
SELECT is(attempt('SELECT ordcancel.request_cancel(''orders'', ' || id || ')'), result, 'placed at ' || at)
FROM (VALUES (10, 'ok'), (11, 'OC004'), (12, 'ok'), (13, 'OC004')) AS v (id, result) JOIN orders USING (id) ORDER BY id;
INSERT INTO orders (id, status, due) VALUES (20, 'placed', 'NaN'), (21, 'placed', 'Infinity'),
    (22, 'placed', '-Infinity'), (23, 'placed', -5);
SELECT is(attempt('SELECT ordcancel.cancel_order(''orders'', ' || id || ')'), 'OC014', 'no refund of ' || due)
FROM orders WHERE id BETWEEN 20 AND 22 ORDER BY id;
SELECT is((SELECT state FROM ordcancel.cancel_order('orders', 23)), 'canceled',
          'nothing to refund of less than nothing');

-- ------------------------------------------------- guards where they do not belong

CREATE TABLE elsewhere (id text PRIMARY KEY, orders text);
INSERT INTO elsewhere VALUES ('1', '2');
CREATE FUNCTION guard_elsewhere(trigger_is text, function text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    EXECUTE format('CREATE TRIGGER t %s EXECUTE FUNCTION ordcancel_internal.%s()', trigger_is, function);
    result := attempt(statement);
    EXECUTE 'DROP TRIGGER t ON elsewhere';
    RETURN result;
END
$$;
SELECT is(guard_elsewhere(t, f, s), code, f || ' ' || t)
FROM (VALUES ('AFTER UPDATE ON elsewhere FOR EACH ROW', 'guard_update', 'UPDATE elsewhere SET id = ''3''', 'OC001'),
             ('BEFORE UPDATE ON elsewhere FOR EACH ROW', 'guard_update', 'UPDATE elsewhere SET id = ''3''', '39P01'),
             ('AFTER UPDATE ON elsewhere FOR EACH STATEMENT', 'guard_update', 'UPDATE elsewhere SET id = ''3''',
              '39P01'), ('AFTER INSERT ON elsewhere FOR EACH ROW', 'guard_insert',
                         'INSERT INTO elsewhere VALUES (''4'')', 'OC001'),
             ('BEFORE INSERT ON elsewhere FOR EACH STATEMENT', 'guard_insert', 'INSERT INTO elsewhere VALUES (''4'')',
              '39P01'), ('AFTER DELETE ON elsewhere FOR EACH ROW', 'guard_delete', 'DELETE FROM elsewhere', 'OC001'),
             ('BEFORE DELETE ON elsewhere FOR EACH ROW', 'guard_delete', 'DELETE FROM elsewhere', '39P01'),
             ('BEFORE INSERT ON elsewhere FOR EACH ROW', 'guard_record', 'INSERT INTO elsewhere VALUES (''4'')',
              '23514 written_by_ordcancel'),
             ('BEFORE TRUNCATE ON elsewhere', 'guard_truncate', 'TRUNCATE elsewhere', '23514 cancellation_forbidden'),
             ('AFTER INSERT ON elsewhere FOR EACH ROW', 'config_changed', 'INSERT INTO elsewhere VALUES (''4'', ''x'')',
              'ok')) AS v (t, f, s, code);
SELECT is(attempt('CREATE TRIGGER t AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION '
                  'ordcancel_internal.guard_update(); INSERT INTO orders VALUES (50, ''shipped'')') ~ '^(39P01|ok)',
          true, 'guard_update on an INSERT of the order table');
SELECT is(attempt('CREATE TRIGGER t AFTER UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION '
                  'ordcancel_internal.guard_delete(); UPDATE orders SET at = at') ~ '^(39P01|23514)', true,
          'guard_delete on an UPDATE of it');

SELECT * FROM finish();
ROLLBACK;
