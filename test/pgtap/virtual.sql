-- Every fact of an order is the fact: a generated column is what SQL shows of
-- it, also where C reads the row. Since PostgreSQL 18 it may be virtual.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
SELECT current_setting('server_version_num')::int >= 180000 AS has_virtual \gset
\if :has_virtual
\set kind VIRTUAL
\else
\set kind STORED
\endif
SELECT plan(24);

CREATE FUNCTION make(name text, kind text, part text) RETURNS regclass LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TABLE %1$I (id integer PRIMARY KEY, status text NOT NULL, paid numeric, placed date, '
                   'supplier text,'
                   ' due numeric GENERATED ALWAYS AS (paid - 5) %2$s, locked boolean GENERATED ALWAYS AS (paid > 1000) '
                   '%2$s,'
                   ' opened date GENERATED ALWAYS AS (placed) %2$s, policy text GENERATED ALWAYS AS (lower(supplier)) '
                   '%2$s) %3$s',
                   name, kind, part);
    IF part <> '' THEN
        EXECUTE format('CREATE TABLE %I PARTITION OF %I DEFAULT', name || '_part', name);
    END IF;
    EXECUTE format('INSERT INTO %I (id, status, paid, placed, supplier)'
                   ' SELECT n, ''placed'', CASE WHEN n > 20 THEN 2000 ELSE 45 END, ''2026-03-01'', ''ACME'' FROM '
                   'generate_series(1, 30) AS n', name);
    PERFORM ordcancel.attach(name, 'status', placed_at => 'opened', policy_by => 'policy', refund_due => 'due');
    PERFORM ordcancel.set_policy(name, policy => p, grace => '1 day', canceled_status => 'canceled',
                                 in_progress_status => 'refunding'),
            ordcancel.set_rule(name, 'placed', customer => 'cancel', customer_late => 'forbid', merchant => 'cancel',
                               policy => p)
    FROM unnest('{default,acme}'::text[]) AS p;
    PERFORM ordcancel.set_policy(name, policy => 'acme', undo => 'never');
    PERFORM ordcancel.add_block(name, 'locked', 'locked');
    RETURN name;
END
$$;
SELECT make('plain', :'kind', ''), make('parted', :'kind', 'PARTITION BY RANGE (id)');
SET LOCAL ordcancel.clock = '2026-03-05 12:00+00';
CREATE TABLE t (name text);
INSERT INTO t VALUES ('plain'), ('parted');

SELECT is((SELECT state || ' ' || refund_due FROM ordcancel.cancel_order(name::regclass, 1)), 'in_progress 40',
          name || ': what is due is what the column says') FROM t;
SELECT is(attempt(format('SELECT ordcancel.cancel_order(%L, 21)', name)), 'OC005', name || ': a block over a column')
FROM t;
SELECT is(attempt(format('SELECT ordcancel.request_cancel(%L, 2)', name)), 'OC004',
          name || ': a window counts from a column') FROM t;
SELECT is(attempt(format('SELECT ordcancel.undo_cancel(%L, 1)', name)), 'OC008', name || ': a column names the policy')
FROM t;
SELECT is(attempt(format('UPDATE %I SET status = ''canceled'' WHERE id = 3', name)), '23514 refund_not_settled',
          name || ': a plain update knows what is due') FROM t;
SELECT is(attempt(format('UPDATE %I SET status = ''refunding'' WHERE id = 22', name)), '23514 cancellation_blocked',
          name || ': and what blocks') FROM t;
SELECT is(attempt(format('UPDATE %I SET status = ''refunding'' WHERE id = 4', name)), 'ok',
          name || ': and what does not') FROM t;
SELECT is((SELECT string_agg(outcome || coalesce(' ' || sqlstate, ''), ', ')
           FROM ordcancel.cancel_orders(name::regclass, '{5,23}'::integer[])),
          'in_progress, refused OC005', name || ': arrays') FROM t;
SELECT is((SELECT condition FROM ordcancel.cancel_options(name::regclass, 24) WHERE party = 'merchant'
             AND verb = 'cancel_order'),
          'cancellation_blocked', name || ': cancel_options') FROM t;
SELECT is(attempt(format('UPDATE %I SET supplier = ''other'' WHERE id = 4', name)), 'ok',
          name || ': another policy with the same words') FROM t;
SELECT ordcancel.set_policy(name::regclass, policy => 'acme', in_progress_status => 'paying back',
                            requested_status => 'refunding') FROM t;
SELECT is(attempt(format('UPDATE %I SET supplier = ''ACME'' WHERE id = 4', name)), '23514 cancellation_forbidden',
          name || ': and one with others') FROM t;
SELECT is((SELECT string_agg(id || ' ' || status, ', ' ORDER BY id)
           FROM (SELECT * FROM plain WHERE id IN (1, 3, 5, 21) ORDER BY id) AS o),
          '1 refunding, 3 placed, 5 refunding, 21 placed', 'orders are what they should be');
SELECT is((SELECT string_agg(id || ' ' || due, ', ' ORDER BY id) FROM plain WHERE id IN (1, 5)), '1 40, 5 40',
          'and the columns as before');
SELECT * FROM finish();
ROLLBACK;
