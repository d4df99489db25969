-- The script that CREATE EXTENSION runs, and what stands in the catalogs then.
BEGIN;
SET LOCAL client_min_messages = error;
\ir include/helpers.sql
SELECT plan(31);

CREATE VIEW functions AS
SELECT p.*, n.nspname, l.lanname FROM pg_proc AS p
    JOIN pg_namespace AS n ON n.oid = p.pronamespace JOIN pg_language AS l ON l.oid = p.prolang
WHERE n.nspname IN ('ordcancel', 'ordcancel_internal');

-- ------------------------------------------------------------------ privileges

SELECT is((SELECT string_agg(f.oid::regprocedure::text, ', ') FROM functions AS f,
                aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) AS a
           WHERE a.grantee <> f.proowner
             AND f.proname NOT IN ('open_cancellations', 'any_open_cancellations', 'orders_of', 'may_read', 'may_see',
                                 'apart_records', 'days', 'reads_at_once', 'reads_plainly',
                                 'expiring')), NULL,
          'no function is executable by anybody else, but for what the reports call');
SELECT is((SELECT string_agg(a.grantee::regrole::text, ', ') FROM pg_namespace AS n,
                aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) AS a
           WHERE n.nspname = 'ordcancel_internal' AND a.grantee <> n.nspowner), NULL,
          'nobody has USAGE on ordcancel_internal');
SELECT is((SELECT string_agg(a.privilege_type, ', ') FROM pg_namespace AS n, aclexplode(n.nspacl) AS a
           WHERE n.nspname = 'ordcancel' AND a.grantee <> n.nspowner), 'USAGE',
          'everybody has USAGE on ordcancel, and no more');
SELECT is((SELECT string_agg(DISTINCT a.privilege_type, ', ') FROM pg_class AS c
               JOIN pg_namespace AS n ON n.oid = c.relnamespace,
                  aclexplode(coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char",
                                                           c.relowner))) AS a
           WHERE n.nspname IN ('ordcancel', 'ordcancel_internal') AND a.grantee <> c.relowner), 'SELECT',
          'relations are read at most');
SELECT is((SELECT string_agg(c.relname, ', ') FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
           WHERE n.nspname = 'ordcancel_internal' AND c.relacl IS NOT NULL), NULL,
          'those of ordcancel_internal not even that');
SELECT is((SELECT string_agg(c.relname, ', ' ORDER BY c.relname) FROM pg_class AS c
               JOIN pg_namespace AS n ON n.oid = c.relnamespace
           WHERE n.nspname = 'ordcancel' AND c.relkind = 'r' AND c.relacl IS NULL),
          'batch, batch_group, batch_order, cancellation, cancellation_item, event',
          'what is about single orders is not read by everybody');

-- ------------------------------------------------------------------- functions

SELECT is((SELECT string_agg(oid::regprocedure::text, ', ') FROM functions
           WHERE prosecdef AND proconfig IS DISTINCT FROM '{"search_path=pg_catalog, pg_temp"}'), NULL,
          'every SECURITY DEFINER function has a search_path of its own');
SELECT is((SELECT string_agg(oid::regprocedure::text, ', ') FROM functions
           WHERE lanname NOT IN ('c', 'internal') AND proconfig IS DISTINCT FROM '{"search_path=pg_catalog, pg_temp"}'),
          NULL,
          'so has every function in PL/pgSQL or SQL');
SELECT is((SELECT string_agg(oid::regprocedure::text, ', ') FROM functions
           WHERE lanname NOT IN ('c', 'internal', 'sql', 'plpgsql')), NULL, 'there is no other language');
SELECT is((SELECT string_agg(DISTINCT proname, ' ' ORDER BY proname) FROM functions WHERE nspname = 'ordcancel'),
          'accept_cancel ack add_block adjust_refund also_set apply_preset archive_records attach attach_child '
          || 'attach_items '
          || 'batch_progress '
          || 'cancel_batch cancel_items cancel_options cancel_order cancel_orders cancel_report cancellations '
          || 'citus_cancel_orders citus_publish cloud_event create_consumer daily_summary decide '
          || 'deny_cancel detach detach_child detach_items diagram drop_also_set drop_archive drop_block drop_consumer '
          || 'drop_policy '
          || 'drop_rule export_setup forget grant_analyst grant_consumer grant_customer grant_merchant grant_owner '
          || 'guard_partitions health item_options make_call_table move_setup next_events override_cancel '
          || 'overview pending_requests '
          || 'prune_cancellations prune_events reason_summary record_refund refunds_due replace_table request_cancel '
          || 'request_cancel_items resume_batch rewind_consumer set_policy set_rule setup_digest simulate '
          || 'skip_event sweep '
          || 'timeline timers undo_cancel unruled_statuses withdraw_cancel',
          'schema ordcancel has what a person may call');

-- With EXECUTE on all of them a role is as far as with each by itself: it needs
-- to own a table, or to read it.
CREATE ROLE attack_all;
CREATE TABLE victim (id integer PRIMARY KEY, status text);
INSERT INTO victim VALUES (1, 'placed');
SELECT ordcancel.attach('victim', 'status');
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA ordcancel TO attack_all;
SELECT is((SELECT string_agg(proname || ' ' || result, ', ' ORDER BY proname) FROM (
    SELECT f.proname, attempt_as('attack_all',
                                 format('%s ordcancel.%I(%s)', CASE f.prokind WHEN 'p' THEN 'CALL' ELSE 'SELECT' END,
                                        f.proname,
               (SELECT string_agg(CASE format_type(t, NULL) WHEN 'regclass' THEN '''public.victim'''
                                      WHEN 'anyarray' THEN '''{1}''::int[]' WHEN 'anynonarray' THEN '1'
                                       WHEN 'boolean' THEN 'true' WHEN 'text[]' THEN '''{}''::text[]'
                                      WHEN 'name[]' THEN '''{id}''::name[]'
                                      WHEN 'jsonb' THEN '''[{"item": 1}]''::jsonb'
                                       WHEN 'bigint' THEN '1::bigint' WHEN 'integer' THEN '1'
                                      WHEN 'numeric' THEN '1::numeric' WHEN 'interval' THEN '''1 h''::interval'
                                       WHEN 'date' THEN 'current_date'
                                       WHEN 'timestamp with time zone' THEN 'now()'
                                       WHEN 'text' THEN CASE WHEN o = 2 THEN '''1''' ELSE 'NULL' END
                                       ELSE '''id''::' || format_type(t, NULL) END, ', ' ORDER BY o)
                FROM unnest(f.proargtypes) WITH ORDINALITY AS a (t, o)))) AS result
    FROM functions AS f
    WHERE f.nspname = 'ordcancel' AND f.proargtypes[0] = 'regclass'::regtype
      AND f.proname NOT IN ('archive_records', 'batch_progress', 'prune_cancellations', -- which return nothing, or 0
                            'citus_cancel_orders')) AS x -- which refuses tables that are not distributed
  WHERE result NOT LIKE '42501%' AND result NOT LIKE 'OC002%' AND result NOT LIKE '22023%' AND result NOT LIKE 'OC014%'
             AND result NOT LIKE '42804%' AND result NOT LIKE '42704%'), NULL,
          'no function of a table does anything for a stranger');

-- ----------------------------------------------------------------------- views

-- Those of pg_catalog that come with the server leave no dependency.
SELECT is((SELECT string_agg(r.ev_class::regclass || ': ' || pg_describe_object(d.refclassid, d.refobjid, 0), ', ')
           FROM pg_depend AS d JOIN pg_rewrite AS r ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
               JOIN pg_class AS c ON c.oid = r.ev_class JOIN pg_namespace AS n ON n.oid = c.relnamespace
           WHERE n.nspname IN ('ordcancel', 'ordcancel_internal') AND c.relkind = 'v'
             AND NOT (d.refobjid = 'ordcancel.health(regclass)'::regprocedure AND c.relname = 'health')
             AND NOT (d.refobjid = 'ordcancel.cloud_event(ordcancel.event, text)'::regprocedure
                      AND c.relname = 'cloud_events')
             AND NOT (d.refobjid = 'ordcancel_internal.consumer_backlog(text)'::regprocedure
                      AND c.relname = 'consumers')
             AND NOT (d.refobjid = ANY ('{"ordcancel_internal.open_cancellations(regclass,regclass,text)",
                                          "ordcancel_internal.any_open_cancellations(regclass,regclass,text)"}'
                                        ::regprocedure[])
                      AND c.relname IN ('pending_requests', 'refunds_due'))
             AND NOT (d.refobjid = ANY ('{ordcancel_internal.orders_of(oid), ordcancel_internal.may_read(oid),
                                          "ordcancel_internal.may_see(oid,text)",
                                          "ordcancel_internal.apart_records(anyelement,boolean)",
                                          ordcancel_internal.reads_at_once(),
                                          "ordcancel_internal.days(timestamptz,timestamptz)"}'::regprocedure[])
                      AND c.relname IN ('cancellations', 'reason_summary', 'daily_summary', 'timeline',
                                        'cloud_events'))
             AND NOT (d.refobjid = ANY ('{ordcancel_internal.may_read(oid), "ordcancel_internal.may_see(oid,text)",
                                          ordcancel_internal.reads_plainly(oid),
                                          "ordcancel_internal.expiring(regclass,bigint,boolean,boolean)"}'
                                        ::regprocedure[])
                      AND c.relname = 'timers')
             AND d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass, 'pg_cast'::regclass,
                                  'pg_collation'::regclass, 'pg_opclass'::regclass)),
          NULL, 'views bind to functions and operators of pg_catalog alone');
SELECT is((SELECT string_agg(c.relname, ', ') FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
           WHERE n.nspname = 'ordcancel' AND c.relkind = 'v'
             AND NOT coalesce(c.reloptions @> '{security_barrier=true}', false)), NULL,
          'a reader''s function does not see rows before the view''s own conditions');
SELECT is((SELECT string_agg(c.conrelid::regclass || ' ' || c.conname, ', ') FROM pg_constraint AS c JOIN pg_depend AS d
               ON d.classid = 'pg_constraint'::regclass AND d.objid = c.oid
             AND d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass)
           WHERE c.connamespace IN ('ordcancel'::regnamespace, 'ordcancel_internal'::regnamespace)), NULL,
          'so do constraints');

-- ------------------------------------------------------------------ the script

CREATE FUNCTION share_file(name text) RETURNS text LANGUAGE sql AS $$
SELECT pg_read_file((SELECT setting FROM pg_config WHERE name = 'SHAREDIR') || '/extension/' || share_file.name)
$$;
SELECT alike(share_file('ordcancel.control'), '%schema = pg_catalog%', 'the script runs with schema pg_catalog');
SELECT alike(share_file('ordcancel.control'), '%relocatable = false%', 'and stays there');
SELECT unalike(share_file('ordcancel.control'), '%trusted%', 'for superusers alone');
CREATE TABLE script AS SELECT share_file('ordcancel--1.0.sql') AS text;
-- What is left when the bodies of functions, comments and literals are gone.
CREATE FUNCTION bare(script text) RETURNS text LANGUAGE sql AS $$
SELECT regexp_replace(regexp_replace(regexp_replace(script, '\$\$.*?\$\$', '', 'g'), '--[^\n]*', '', 'g'),
                      '''(''''|[^''])*''', '''''', 'g')
$$;
SELECT is((SELECT string_agg(m[1], ', ') FROM script,
                regexp_matches(bare(text),
                               '(CREATE (?:OR REPLACE )?(?:TABLE|VIEW|FUNCTION|PROCEDURE|TYPE|SEQUENCE) [^ (;]+)',
                               'g') AS m
           WHERE m[1] !~ ' ordcancel(_internal)?\.'), NULL, 'all that it makes is made in our schemas');
SELECT is((SELECT string_agg(m[1], ', ') FROM script,
                regexp_matches(bare(text), '((?:OR REPLACE|IF NOT EXISTS))', 'g') AS m), NULL,
          'and takes nothing that is there already');
SELECT is((SELECT string_agg(DISTINCT m[1], ', ') FROM script,
                  regexp_matches(bare(text), '(?:FROM|JOIN|INTO|UPDATE|REFERENCES|INHERITS \(|ON TABLE|ON '
                                             'FUNCTION|EXECUTE FUNCTION) +(?:ONLY )?([a-z_]+\.?[a-z_]*)', 'g') AS m
           WHERE m[1] !~ '^(ordcancel|ordcancel_internal|pg_catalog)\.' AND m[1] NOT IN ('public', 'b.busy')),
          NULL, 'every relation that it reads or writes is named with its schema');
SELECT is((SELECT string_agg(DISTINCT m[1], ', ') FROM script,
                regexp_matches(regexp_replace(bare(text), 'CREATE (TABLE|FUNCTION|PROCEDURE|TYPE|INDEX|VIEW)[^;]*;', '',
                                              'g'),
                  '(?:SELECT|PERFORM) +([a-z_.]+)\(', 'g') AS m
           WHERE m[1] !~ '^(ordcancel|ordcancel_internal|pg_catalog)\.'), NULL,
          'every function that it calls is named with its schema');
SELECT is((SELECT string_agg(DISTINCT c.text, ', ') FROM (
               SELECT (regexp_matches(text, 'CREATE VIEW (.*?);\n', 'g'))[1] AS text FROM script) AS v,
               LATERAL (SELECT m[1] FROM regexp_matches(bare(v.text), '\m((?!coalesce|nullif|extract|lateral|exists|in|'
                                                                      'and|as|from|with|where|case|then)[a-z_.]+)\(',
                                                        'gi') AS m) AS c (text)
           WHERE c.text !~ ('^(pg_catalog\.|ordcancel\.(health|cloud_event)$'
                            '|ordcancel_internal\.(consumer_backlog|(any_)?open_cancellations|apart_records|may_read'
                            '|may_see|orders_of|reads_at_once|reads_plainly|expiring)$)')),
          NULL, 'views call functions by their schema');

SELECT is((SELECT string_agg(DISTINCT m[1], ' ') FROM script, regexp_matches(text, '([^\x01-\x7f])', 'g') AS m), NULL,
          'it is ASCII, for a database of any encoding');

-- What the library runs names operators and functions with their schema.
SELECT is((SELECT extnamespace::regnamespace::text FROM pg_extension WHERE extname = 'ordcancel'), 'pg_catalog',
          'the extension is no schema of a user''s');
SELECT is((SELECT count(*) FROM pg_event_trigger WHERE evtname LIKE 'ordcancel%' AND evtowner <> 10
             AND NOT (SELECT rolsuper FROM pg_roles WHERE oid = evtowner)),
          0::bigint, 'event triggers are a superuser''s');

-- A role that reads everything may use the internals' schema, and calls nothing.
CREATE ROLE attack_reader;
GRANT pg_read_all_data TO attack_reader;
SELECT is((SELECT string_agg(oid::regprocedure::text, ', ') FROM functions
           WHERE has_function_privilege('attack_reader', oid, 'EXECUTE')
             AND proname NOT IN ('open_cancellations', 'any_open_cancellations', 'orders_of', 'may_read', 'may_see',
                                 'apart_records', 'days', 'reads_at_once', 'reads_plainly',
                                 'expiring')), NULL,
          'pg_read_all_data executes nothing but what the reports call');
SELECT ordcancel.set_policy('victim', canceled_status => 'canceled'),
       ordcancel.set_rule('victim', 'placed', customer => 'request'),
       ordcancel.request_cancel('victim', 1) \g /dev/null
CREATE TABLE bait (id integer PRIMARY KEY);
GRANT SELECT ON bait TO attack_all;
GRANT USAGE ON SCHEMA ordcancel_internal TO attack_all;
CREATE FUNCTION opened(orders regclass) RETURNS text LANGUAGE sql AS $$
SELECT count(*) || ' ' || ordcancel_internal.any_open_cancellations(opened.orders, 'victim_cancellation', 'requested')
FROM ordcancel_internal.open_cancellations(opened.orders, 'victim_cancellation', 'requested')
$$;
SELECT is(opened('victim'), '1 true', 'it shows requests to who may read the orders');
ALTER TABLE victim ENABLE ROW LEVEL SECURITY;
SET LOCAL ROLE attack_reader;
SELECT is(opened('victim'), '0 true', 'and none where row security hides the orders');
SET LOCAL ROLE attack_all;
SELECT is(opened('victim'), '0 false', 'nor without SELECT');
SELECT is(opened('bait'), '0 false', 'nor as those of another table');
RESET ROLE;
SELECT is((SELECT string_agg(t.typname, ', ') FROM pg_type AS t JOIN pg_namespace AS n ON n.oid = t.typnamespace
           WHERE n.nspname = 'ordcancel_internal' AND t.typtype = 'b' AND t.typcategory <> 'A'
             AND t.typname <> 'table_ref'), NULL, 'there is one type of ours');

SELECT * FROM finish();
ROLLBACK;
