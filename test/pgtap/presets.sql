-- apply_preset: what the presets hold, what they write, and what they leave.
-- That they reproduce their systems is for the walk-throughs.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
SELECT plan(130);

-- ---------------------------------------------------------------- the rows as data

SELECT is((SELECT string_agg(preset, ' ' ORDER BY preset COLLATE "C") FROM ordcancel.preset),
          'cafe24 evershop kibo medusa spryker tryton vendure vtex zaikio', 'the presets');

-- The tables of presets have no checks of their own: rows of theirs have to
-- pass those of the tables that they are copied to.
CREATE FUNCTION fits(target text, source text, columns text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    con record;
BEGIN
    EXECUTE format('CREATE TEMP TABLE fitted (LIKE ordcancel.%I INCLUDING CONSTRAINTS INCLUDING DEFAULTS)', target);
    BEGIN
        EXECUTE format('INSERT INTO fitted (%1$s) SELECT %2$s FROM ordcancel.%3$I', columns,
                       replace(columns, 'orders', '0::regclass'), source);
        RETURN NEXT pass(format('rows of %s satisfy what %s checks', source, target));
    EXCEPTION WHEN OTHERS THEN
        RETURN NEXT fail(format('rows of %s satisfy what %s checks: %s', source, target, SQLERRM));
    END;
    DROP TABLE fitted;
END
$$;
SELECT fits('policy', 'preset', 'orders, grace, requested_status, in_progress_status, canceled_status, '
                                'customer_canceled_status, on_progress,'
            ' decision_timeout, on_timeout, undo, undo_window, reason_required, partly_fulfilled, settlement,'
            ' closed_statuses, reopen_statuses');
SELECT fits('rule', 'preset_rule', 'orders, status, customer, customer_late, merchant, deletable, hint,'
            ' expire_after, expire_reason');
SELECT fits('reason', 'preset_reason', 'code, description, audience, requires_note, requires_request, note_max');
SELECT is((SELECT count(*) FROM information_schema.columns AS a WHERE table_schema = 'ordcancel' AND table_name = target
             AND column_name <> ALL (own)
           AND NOT EXISTS (SELECT FROM information_schema.columns AS b WHERE b.table_schema = 'ordcancel'
                             AND b.table_name = source
                           AND (b.column_name, b.data_type, b.is_nullable) = (a.column_name, a.data_type,
                                       a.is_nullable))),
          (target = 'policy')::int::bigint, format('%s has the columns of %s', source, target))
FROM (VALUES ('preset', 'policy', '{orders,policy}'::text[]), ('preset_rule', 'rule', '{orders,policy}'),
             ('preset_reason', 'reason', '{active,seeded}')) AS v (source, target, own);
SELECT is_empty('SELECT * FROM ordcancel.preset_rule AS r WHERE NOT EXISTS (SELECT FROM ordcancel.preset AS p WHERE '
                'p.preset = r.preset)', 'no rule without a preset');
SELECT is_empty('SELECT * FROM ordcancel.preset_reason AS r WHERE NOT EXISTS (SELECT FROM ordcancel.preset AS p WHERE '
                'p.preset = r.preset)', 'no reason without a preset');
SELECT is_empty('SELECT * FROM ordcancel.preset AS p WHERE NOT EXISTS (SELECT FROM ordcancel.preset_rule AS r WHERE '
                'r.preset = p.preset)', 'no preset without rules');
SELECT is_empty('SELECT * FROM ordcancel.preset WHERE (decision_timeout IS NULL) <> (on_timeout IS NULL)',
                'a timeout comes with what happens then');
SELECT is_empty($$SELECT preset FROM ordcancel.preset_rule JOIN ordcancel.preset USING (preset)
                  WHERE requested_status IS NULL AND grace IS NULL
                      AND customer_late IS NOT NULL$$, 'nobody is late where no window closes');
SELECT is_empty($$SELECT preset, status FROM ordcancel.preset_rule JOIN ordcancel.preset USING (preset)
                  WHERE status IN (requested_status, in_progress_status, canceled_status, customer_canceled_status)
                      AND NOT deletable$$,
                      'statuses of a cancellation need no rule, unless they are deleted');
SELECT is_empty($$SELECT preset, status FROM ordcancel.preset_rule WHERE customer = 'forbid' AND merchant = 'forbid'
                      AND hint IS NULL$$,
                'a rule that forbids all says what to do instead');
SELECT is_empty($$SELECT code FROM ordcancel.preset_reason JOIN ordcancel.reason USING (code)$$,
                'a preset''s reason is not one that comes filled');
CREATE ROLE presets_nobody;
SELECT is(attempt_as('presets_nobody', 'SELECT FROM ordcancel.' || t), 'ok', 'anybody may read ' || t)
       || E'\n' || is(attempt_as('presets_nobody', 'DELETE FROM ordcancel.' || t), '42501', 'nobody may write ' || t)
FROM unnest('{preset,preset_rule,preset_reason}'::text[]) AS t;

-- ------------------------------------------------------------ on tables of all kinds

-- For each preset a table with text statuses and one with an enum of exactly
-- those that it speaks of.
CREATE FUNCTION statuses(text) RETURNS SETOF text LANGUAGE sql AS $$
SELECT status FROM ordcancel.preset_rule WHERE preset = $1
UNION
SELECT s FROM ordcancel.preset AS p,
     unnest(ARRAY[requested_status, in_progress_status, canceled_status, customer_canceled_status]
            || closed_statuses || reopen_statuses) AS s
WHERE p.preset = $1 AND s IS NOT NULL $$;
CREATE SCHEMA shop;
SELECT format('CREATE TABLE shop.%1$s_text (id integer PRIMARY KEY, status text);
               CREATE TYPE shop.%1$s AS ENUM (%2$s);
               CREATE TABLE shop.%1$s_enum (id integer PRIMARY KEY, status shop.%1$s);', preset,
              (SELECT string_agg(quote_literal(s), ', ') FROM statuses(preset) AS s)) FROM ordcancel.preset \gexec

-- What is configured, but for the table's name.
CREATE FUNCTION configured(orders regclass) RETURNS SETOF text LANGUAGE sql AS $$
SELECT 'policy ' || (to_jsonb(p) - 'orders')::text FROM ordcancel.policy AS p WHERE p.orders = $1
UNION ALL SELECT 'rule ' || (to_jsonb(r) - 'orders')::text FROM ordcancel.rule AS r WHERE r.orders = $1
UNION ALL SELECT 'reason ' || to_jsonb(r)::text FROM ordcancel.reason AS r $$;
CREATE FUNCTION wanted(text) RETURNS SETOF text LANGUAGE sql AS $$
SELECT 'policy ' || (to_jsonb(p) - 'preset' - 'description' || '{"policy": "default"}')::text FROM ordcancel.preset AS p
WHERE p.preset = $1
UNION ALL SELECT 'rule ' || (to_jsonb(r) - 'preset' || '{"policy": "default"}')::text FROM ordcancel.preset_rule AS r
WHERE r.preset = $1 $$;

SELECT ordcancel.attach(format('shop.%s_%s', preset, kind)::regclass, 'status') FROM ordcancel.preset,
     unnest('{text,enum}'::text[]) AS kind;
SELECT lives_ok(format('SELECT ordcancel.apply_preset(''shop.%1$s_%2$s'', %1$L)', preset, kind),
                format('%s on %s statuses', preset, kind))
FROM ordcancel.preset, unnest('{text,enum}'::text[]) AS kind ORDER BY preset, kind;
SELECT set_eq(format('SELECT * FROM configured(''shop.%s_%s'') AS c WHERE c !~ ''^reason''', preset, kind),
              format('SELECT * FROM wanted(%L)', preset),
              format('%s on %s statuses is its policy and its rules', preset, kind))
FROM ordcancel.preset, unnest('{text,enum}'::text[]) AS kind ORDER BY preset, kind;
SELECT is((SELECT count(*) FROM ordcancel.preset_reason AS p
               JOIN ordcancel.reason AS r USING (code, description, audience, requires_note, requires_request, note_max)
           WHERE r.active AND NOT r.seeded), (SELECT count(DISTINCT code) FROM ordcancel.preset_reason),
          'their reasons are there, as the users'' own');
SELECT is_empty(format('SELECT * FROM ordcancel.unruled_statuses(''shop.%s_enum'')', preset),
                format('%s leaves out no status of its own', preset)) FROM ordcancel.preset;
SELECT format('INSERT INTO shop.%1$s_enum SELECT row_number() OVER (), s::shop.%1$s FROM statuses(%1$L) AS s
               WHERE s NOT IN (SELECT unnest(ARRAY[requested_status, in_progress_status]) FROM ordcancel.preset
                               WHERE preset = %1$L AND requested_status IS NOT NULL)', preset)
FROM ordcancel.preset WHERE requested_status IS NULL \gexec
SELECT is_empty(format('SELECT * FROM ordcancel.unruled_statuses(''shop.%s_enum'')', preset),
                format('%s leaves out no status of its orders', preset))
FROM ordcancel.preset WHERE requested_status IS NULL;

-- Twice is once.
CREATE TEMP TABLE before AS SELECT preset, c FROM ordcancel.preset, configured(format('shop.%s_text', preset)) AS c;
SELECT ordcancel.apply_preset(format('shop.%s_text', preset)::regclass, preset) FROM ordcancel.preset;
SELECT bag_eq(format('SELECT * FROM configured(''shop.%s_text'')', preset),
              format('SELECT c FROM before WHERE preset = %L', preset), preset || ' twice is what it was once')
FROM ordcancel.preset;

-- By attach.
CREATE TABLE shop.fresh (id integer PRIMARY KEY, status text, placed timestamptz);
SELECT lives_ok($$SELECT ordcancel.attach('shop.fresh', 'status', 'placed', preset => 'vtex')$$,
                'attach takes a preset');
SELECT set_eq($$SELECT * FROM configured('shop.fresh') AS c WHERE c !~ '^reason'$$, $$SELECT * FROM wanted('vtex')$$,
              'and applies it');
SELECT lives_ok($$SELECT ordcancel.attach('shop.fresh', 'status', 'placed')$$, 'attach without a preset');
SELECT set_eq($$SELECT * FROM configured('shop.fresh') AS c WHERE c !~ '^reason'$$, $$SELECT * FROM wanted('vtex')$$,
              'leaves what was applied');
SELECT is(attempt($$SELECT ordcancel.attach('shop.fresh', 'status', preset => 'nosuch')$$), 'OC014',
          'attach with a preset that there is not');
SELECT is((SELECT placed_at FROM ordcancel.order_table WHERE orders = 'shop.fresh'::regclass), 'placed',
          'changes nothing');

-- ------------------------------------------------------------- what stays, what goes

CREATE TABLE shop.own (id integer PRIMARY KEY, status text, seller text);
SELECT ordcancel.attach('shop.own', 'status', policy_by => 'seller');
SELECT ordcancel.set_policy('shop.own', grace => '9 days', requested_status => 'mine',
                            in_progress_status => 'refunding', canceled_status => 'gone',
                            customer_canceled_status => 'left', on_progress => 'hold', decision_timeout => '1 day',
                            on_timeout => 'deny', undo => 'requested',
                            undo_window => '1 day', reason_required => false, partly_fulfilled => 'rest');
SELECT ordcancel.set_policy('shop.own', 'acme', canceled_status => 'void', grace => '1 day');
SELECT ordcancel.set_rule('shop.own', 'packed', customer => 'request', hint => 'mine');
SELECT ordcancel.set_rule('shop.own', 'Pending', customer => 'request', customer_late => 'forbid',
                          merchant => 'request', deletable => true, hint => 'mine');
SELECT ordcancel.set_rule('shop.own', 'Pending', merchant => 'request', policy => 'acme');
SELECT ordcancel.add_block('shop.own', 'b', 'id = 7');
CREATE TEMP TABLE own_before AS SELECT c FROM configured('shop.own') AS c
WHERE c ~ '^policy.*acme|^rule.*(acme|packed)';
SELECT ordcancel.apply_preset('shop.own', 'kibo');
SELECT set_eq($$SELECT * FROM configured('shop.own') AS c WHERE c !~ '^reason'$$,
              $$SELECT * FROM wanted('kibo') UNION ALL SELECT c FROM own_before$$,
              'own rules for other statuses and other policies stay; those that the preset speaks of are as it says');
SELECT is((SELECT count(*) FROM own_before), 3::bigint, 'three of them');
SELECT is((SELECT condition FROM ordcancel.block WHERE orders = 'shop.own'::regclass), 'id = 7', 'blocks stay');
SELECT ordcancel.apply_preset('shop.own', 'zaikio');
SELECT set_eq($$SELECT * FROM configured('shop.own') AS c WHERE c ~ '^policy.*default'$$,
              $$SELECT * FROM wanted('zaikio') AS c WHERE c ~ '^policy'$$,
              'another preset leaves nothing of the one before in the policy');
SELECT is((SELECT count(*) FROM ordcancel.rule WHERE orders = 'shop.own'::regclass AND policy = 'default'),
          1::bigint + 4 + 7, 'its rules come beside the others');

-- Reasons that are there already are the users' own words.
DELETE FROM ordcancel.reason WHERE code IN ('no_inventory', 'shipping_delay', 'poor_packing');
INSERT INTO ordcancel.reason (code, description, audience, active, requires_note, note_max)
VALUES ('no_inventory', 'mine', 'any', false, true, 7);
SELECT ordcancel.apply_preset('shop.own', 'kibo');
SELECT is((SELECT row(description, audience, active, requires_note, note_max)::text FROM ordcancel.reason
           WHERE code = 'no_inventory'), '(mine,any,f,t,7)', 'a reason that is there already stays as it is');
SELECT is((SELECT count(*) FROM ordcancel.reason WHERE code IN ('shipping_delay', 'poor_packing')), 0::bigint,
          'reasons of other presets do not come');
SELECT is((SELECT count(*) FROM ordcancel.reason WHERE seeded), 16::bigint, 'the seeds are what they were');

-- It is in force at once.
INSERT INTO shop.own VALUES (1, 'Pending'), (2, 'Processing');
SELECT is(attempt(statement), wanted, what)
FROM (VALUES ($$SELECT ordcancel.cancel_order('shop.own', 1)$$, 'OC006', 'the preset wants a reason'),
             ($$SELECT ordcancel.cancel_order('shop.own', 1, 'can_not_find_item')$$, 'ok', 'which is one of its own'),
             ($$SELECT ordcancel.request_cancel('shop.own', 2, 'customer_changed_mind')$$, 'OC003', 'its rule forbids'),
             ($$SELECT ordcancel.undo_cancel('shop.own', 1)$$, 'OC008', 'its undo does')) AS v (statement, wanted,
                                                                                                what);
SELECT is((SELECT status FROM shop.own WHERE id = 1), 'Cancelled', 'the order has its status');

-- ------------------------------------------------------------------ what cannot work

CREATE FUNCTION unchanged(statement text, wanted text, what text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    DROP TABLE IF EXISTS pg_temp.was;
    CREATE TEMP TABLE was AS SELECT 'p' || to_jsonb(p)::text AS c FROM ordcancel.policy AS p
    UNION ALL SELECT 'r' || to_jsonb(r)::text FROM ordcancel.rule AS r
        UNION ALL SELECT 's' || to_jsonb(s)::text FROM ordcancel.reason AS s;
    RETURN NEXT is(attempt(statement), wanted, what);
    RETURN NEXT bag_eq($q$SELECT 'p' || to_jsonb(p)::text FROM ordcancel.policy AS p
        UNION ALL SELECT 'r' || to_jsonb(r)::text FROM ordcancel.rule AS r
                          UNION ALL SELECT 's' || to_jsonb(s)::text
    FROM ordcancel.reason AS s$q$, 'SELECT c FROM was', 'nothing has changed');
END
$$;
DELETE FROM ordcancel.reason WHERE code ~ '^(not_|item_|customs|area)';
CREATE TYPE shop.few AS ENUM ('awaiting_payment', 'preparing', 'ready', 'in_transit', 'cancellation_requested',
                              'cancellation_in_progress', 'canceled', 'paid');
CREATE TABLE shop.few_orders (id integer PRIMARY KEY, status shop.few);
CREATE TABLE shop.short_orders (id integer PRIMARY KEY, status varchar(9));
CREATE TABLE shop.number_orders (id integer PRIMARY KEY, status integer);
CREATE TABLE shop.unattached (id integer PRIMARY KEY, status text);
SELECT ordcancel.attach(t, 'status')
FROM unnest('{shop.few_orders,shop.short_orders,shop.number_orders}'::regclass[]) AS t;
SELECT ordcancel.set_policy('shop.few_orders', canceled_status => 'canceled', grace => '3 days');
SELECT ordcancel.set_rule('shop.few_orders', 'paid', merchant => 'cancel');
SELECT unchanged(format('SELECT ordcancel.apply_preset(%s)', arguments), wanted, what)
FROM (VALUES ($$'shop.few_orders', 'cafe24'$$, 'OC014', 'an enum that lacks a status of a rule'),
             ($$'shop.few_orders', 'vtex'$$, 'OC014', 'an enum that lacks statuses of the policy'),
             ($$'shop.short_orders', 'kibo'$$, 'OC014', 'a status that does not fit the column'),
             ($$'shop.number_orders', 'spryker'$$, 'OC014', 'statuses that are numbers'),
             ($$'shop.few_orders', 'nosuch'$$, 'OC014', 'a preset that there is not'),
             ($$'shop.few_orders', 'VTEX'$$, 'OC014', 'one in other letters'),
             ($$'shop.few_orders', ''$$, 'OC014', 'one without a name'),
             ($$'shop.few_orders', NULL$$, 'OC014', 'no preset'),
             ($$'shop.unattached', 'vtex'$$, 'OC001', 'a table that is not attached'),
             ($$NULL, 'vtex'$$, 'OC001', 'no table')) AS v (arguments, wanted, what);
SELECT throws_ok($$SELECT ordcancel.apply_preset('shop.own', 'nosuch')$$, 'OC014', 'preset "nosuch" does not exist',
                 'the message names it');
CREATE TABLE shop.late (id integer PRIMARY KEY, status shop.few);
SELECT unchanged($$SELECT ordcancel.attach('shop.late', 'status', preset => 'cafe24')$$, 'OC014',
                 'attach with a preset that does not fit');
SELECT hasnt_table('shop'::name, 'late_cancellation'::name, 'leaves the table as it was');

CREATE ROLE presets_owner;
CREATE ROLE presets_stranger;
GRANT USAGE ON SCHEMA shop TO presets_owner, presets_stranger;
ALTER TABLE shop.fresh OWNER TO presets_owner;
GRANT EXECUTE ON FUNCTION ordcancel.apply_preset TO presets_owner, presets_stranger;
SELECT is(attempt_as('presets_stranger', $$SELECT ordcancel.apply_preset('shop.fresh', 'cafe24')$$), '42501',
          'for another''s table');
SELECT is(attempt_as('presets_nobody', $$SELECT ordcancel.apply_preset('shop.fresh', 'cafe24')$$), '42501',
          'for want of EXECUTE');
SELECT is(attempt_as('presets_owner', $$SELECT ordcancel.apply_preset('shop.fresh', 'cafe24')$$), 'ok',
          'the owner needs no right to the reasons');
SELECT is((SELECT count(*) FROM ordcancel.reason WHERE code ~ '^(customs|area)'), 2::bigint,
          'which come with the preset');

SELECT * FROM finish();
ROLLBACK;
