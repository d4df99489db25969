-- Attacks through the reports: by owners of order tables whose code would run with
-- the rights of a reader or of the extension, by readers who want more than SELECT
-- shows them, and records that would stop a view for all.
SET client_min_messages = error;
SELECT plan(40);
\ir include/helpers.sql
CREATE ROLE reports_owner; -- of order tables, the attacker
CREATE ROLE reports_reader;
CREATE ROLE reports_merchant;
\o /dev/null
SELECT ordcancel.grant_owner('reports_owner'), ordcancel.grant_analyst('reports_reader'),
       ordcancel.grant_merchant('reports_merchant');
\o
CREATE SCHEMA shop; -- the victim's
CREATE SCHEMA mine AUTHORIZATION reports_owner;
GRANT USAGE ON SCHEMA shop TO reports_reader, reports_merchant;
GRANT USAGE ON SCHEMA mine TO PUBLIC;
CREATE FUNCTION allow(orders regclass) RETURNS void LANGUAGE sql AS $$
SELECT ordcancel.set_policy(orders, requested_status => 'asked', canceled_status => 'canceled'),
       ordcancel.set_rule(orders, 'new', customer => 'request', merchant => 'cancel')
$$;
-- Record tables made by hand, as a restore would leave them.
CREATE FUNCTION make_records(name text, required boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    parent regclass;
    suffix text;
BEGIN
    FOR parent, suffix IN VALUES ('ordcancel.cancellation'::regclass, '_cancellation'),
                                 ('ordcancel.event', '_cancellation_event') LOOP
        EXECUTE (SELECT format('CREATE TABLE mine.%I (%s, order_id integer)', name || suffix,
                               string_agg(format('%I %s%s', attname, format_type(atttypid, atttypmod),
                                                 CASE WHEN attnotnull AND required THEN ' NOT NULL' END), ', '
                                          ORDER BY attnum))
                 FROM pg_attribute WHERE attrelid = parent AND attnum > 0 AND NOT attisdropped);
        EXECUTE format('ALTER TABLE mine.%I OWNER TO reports_owner', name || suffix);
    END LOOP;
END
$$;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text, who text);
INSERT INTO shop.orders SELECT n, 'new', 'c' || n % 3 FROM generate_series(1, 9) AS n;
SELECT ordcancel.attach('shop.orders', 'status'), allow('shop.orders'),
       ordcancel.cancel_order('shop.orders', 1, 'fraud', 'a secret'),
       ordcancel.request_cancel('shop.orders', 2, note => 'hi'), ordcancel.cancel_order('shop.orders', 3) \g /dev/null
GRANT SELECT ON shop.orders TO reports_merchant;

-- ------------------------------------------------- code of an owner, as another

-- A check of a domain inside an array is not run where the key is a text.
CREATE TABLE mine.ran (role text);
GRANT INSERT ON mine.ran TO PUBLIC;
SET ROLE reports_owner;
CREATE FUNCTION mine.checked(integer) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO mine.ran VALUES (current_user);
    RETURN true;
END $$;
CREATE DOMAIN mine.number AS integer CHECK (mine.checked(VALUE));
CREATE TYPE mine.row AS (a mine.number);
CREATE VIEW mine.trap_view AS SELECT 1;
CREATE TABLE mine.lists (id mine.number[] PRIMARY KEY, status text);
SELECT ordcancel.attach('mine.lists', 'status') \g /dev/null
RESET ROLE;
SELECT ordcancel.timeline('mine.lists', '{1}'::text) \g /dev/null
SELECT is((SELECT string_agg(DISTINCT role, ', ') FROM mine.ran), 'reports_owner',
          'a key is read as the table''s owner');
TRUNCATE mine.ran;
SELECT ordcancel.detach('mine.lists') \g /dev/null

-- What a query is made of is not looked into once it stands there.
SET ROLE reports_owner;
CREATE FUNCTION mine.entered() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN INSERT INTO mine.ran VALUES (current_user); RETURN true; END $$;
CREATE TABLE mine."' OR mine.entered()) c --" (id text PRIMARY KEY, status text);
SELECT ordcancel.attach($$mine."' OR mine.entered()) c --"$$, 'status') \g /dev/null
RESET ROLE;
SELECT allow($$mine."' OR mine.entered()) c --"$$) \g /dev/null
INSERT INTO mine."' OR mine.entered()) c --" SELECT k, 'new' FROM unnest('{%1$s,"{events}",%%}'::text[]) AS k;
SELECT ordcancel.request_cancel($$mine."' OR mine.entered()) c --"$$, k)
FROM unnest('{%1$s,"{events}",%%}'::text[]) AS k \g /dev/null
SELECT is((SELECT count(*) FROM unnest('{"{events}",%2$s,%s,%}'::text[]) AS r,
                       ordcancel.cancellations($$mine."' OR mine.entered()) c --"$$, reason => r)), 0::bigint,
          'a reason is a text');
SELECT is((SELECT string_agg(what, ', ') FROM unnest('{%1$s,"{events}",%%}'::text[]) AS k,
               ordcancel.timeline($$mine."' OR mine.entered()) c --"$$, k)),
          'asked to cancel the order, asked to cancel the order, asked to cancel the order', 'so is a key');
SELECT is((SELECT count(*) FROM mine.ran), 0::bigint, 'and the name of a table is a name');
SELECT ordcancel.detach($$mine."' OR mine.entered()) c --"$$) \g /dev/null

-- A policy of a table that the reader of a view has not named.
SET ROLE reports_owner;
CREATE TABLE mine.trap (id integer PRIMARY KEY, status text, who text);
INSERT INTO mine.trap VALUES (1, 'new', 'x');
SELECT ordcancel.attach('mine.trap', 'status') \g /dev/null
RESET ROLE;
SELECT allow('mine.trap'), ordcancel.request_cancel('mine.trap', 1) \g /dev/null
SET ROLE reports_owner;
CREATE FUNCTION mine.spring(integer) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN mine.entered(); -- which is volatile, and may write
END $$;
ALTER TABLE mine.trap ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON mine.trap USING (mine.spring(id));
GRANT SELECT ON mine.trap TO PUBLIC;
RESET ROLE;
CREATE FUNCTION shown() RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', (SELECT count(*) FROM ordcancel.cancellations), (SELECT count(*) FROM ordcancel.timeline),
                 (SELECT sum(requested) FROM ordcancel.daily_summary),
                 (SELECT sum(requested) FROM ordcancel.reason_summary),
                 (SELECT count(*) FROM ordcancel.pending_requests))
$$;
SET ROLE reports_merchant;
SELECT is(shown(), '3 3 3 3 1', 'its cancellations are left out');
RESET ROLE;
SELECT is((SELECT count(*) FROM mine.ran), 0::bigint, 'and nothing of its owner has run');
SET ROLE reports_merchant;
SELECT is((SELECT count(*) FROM ordcancel.cancellations('mine.trap')), 1::bigint, 'by its name it is read');
RESET ROLE;
TRUNCATE mine.ran;
SET ROLE reports_owner;
DROP POLICY p ON mine.trap;
CREATE POLICY p ON mine.trap USING (who = 'x' AND current_setting('app.shop', true) IS NULL);
RESET ROLE;
SET ROLE reports_merchant;
SELECT is(shown(), '4 4 4 4 2', 'a policy that calls PostgreSQL''s own functions does no harm');
RESET ROLE;
-- Functions of PostgreSQL's and of superusers that run what they are given.
CREATE FUNCTION trapped(condition text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    DROP POLICY p ON mine.trap;
    EXECUTE format('CREATE POLICY p ON mine.trap USING (%s)', condition);
    SET LOCAL ROLE reports_merchant;
    result := shown();
    RESET ROLE;
    RETURN result || ' ' || (SELECT count(*) FROM mine.ran WHERE role <> 'reports_owner');
END
$$;
GRANT SELECT ON mine.ran TO PUBLIC;
SELECT is(trapped(condition), '3 3 3 3 1 0', condition)
FROM unnest(ARRAY[$$query_to_xml('SELECT mine.entered()', true, true, '') IS NOT NULL$$,
                  $$table_to_xml('mine.ran', true, true, '') IS NOT NULL$$,
                  $$ordcancel.cancel_order('shop.orders'::regclass, 2) IS NOT NULL$$,
                  $$('{' || id::text || '}')::text::mine.number[] IS NOT NULL$$,
                  $$jsonb_populate_record(NULL::mine.row, jsonb_build_object('a', id)) IS NOT NULL$$,
                  'EXISTS (SELECT FROM mine.trap_view)', '1 / (id - id) = 1']) AS condition;
DROP POLICY p ON mine.trap;
CREATE POLICY p ON mine.trap USING (who = 'x' AND current_setting('app.shop', true) IS NULL);
SET ROLE reports_owner;
CREATE INDEX trap_index ON mine.trap (id) WHERE mine.spring(1);
RESET ROLE;
TRUNCATE mine.ran;
SET ROLE reports_merchant;
SELECT is(shown(), '3 3 3 3 1', 'an index that does is as bad as a policy');
RESET ROLE;
SELECT is((SELECT count(*) FROM mine.ran), 0::bigint, 'since the planner would evaluate its predicate');
DROP INDEX mine.trap_index;
ALTER TABLE mine.trap RENAME status TO st;
SET ROLE reports_merchant;
SELECT is(shown(), '3 3 3 3 1', 'a table that does not match its configuration does not stop the views');
RESET ROLE;
ALTER TABLE mine.trap RENAME st TO status;

-- Code that closes the cursor of simulate().
SET ROLE reports_owner;
CREATE FUNCTION mine.close_all(integer) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    c refcursor;
    found text;
BEGIN
    FOR found IN SELECT name FROM pg_cursors WHERE name LIKE '<unnamed%' LOOP
        BEGIN
            c := found;
            CLOSE c;
        EXCEPTION WHEN OTHERS THEN NULL;
        END;
    END LOOP;
    RETURN true;
END $$;
DROP POLICY p ON mine.trap;
CREATE POLICY p ON mine.trap USING (mine.close_all(id));
RESET ROLE;
SET ROLE reports_merchant;
SELECT is((SELECT sum(attempts) FROM ordcancel.simulate('mine.trap')), 1::numeric, 'it stays open');
RESET ROLE;
SELECT ordcancel.detach('mine.trap') \g /dev/null

-- The CHECK of a domain in the key would run between the look at the policies and
-- their use.
SET ROLE reports_owner;
CREATE DOMAIN mine.changing AS integer;
CREATE TABLE mine.keyed (id mine.changing PRIMARY KEY, status text);
INSERT INTO mine.keyed VALUES (1, 'new');
SELECT ordcancel.attach('mine.keyed', 'status') \g /dev/null
RESET ROLE;
SELECT allow('mine.keyed'), ordcancel.request_cancel('mine.keyed', 1) \g /dev/null
TRUNCATE mine.ran;
SET ROLE reports_owner;
ALTER TABLE mine.keyed ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON mine.keyed USING (true);
GRANT SELECT ON mine.keyed TO PUBLIC;
ALTER DOMAIN mine.changing ADD CHECK (mine.checked(VALUE)) NOT VALID;
RESET ROLE;
SET ROLE reports_merchant;
SELECT is(shown(), '3 3 3 3 1', 'a table whose key is a domain is left out');
RESET ROLE;
SELECT is((SELECT count(*) FROM mine.ran), 0::bigint, 'and its CHECK does not run');
SELECT ordcancel.detach('mine.keyed') \g /dev/null

-- With default settings this would be a parallel plan, in which no subtransaction
-- may begin.
CREATE TABLE shop.large AS SELECT n FROM generate_series(1, 1000) AS n;
GRANT SELECT ON shop.large TO reports_reader;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
ALTER TABLE shop.orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY even ON shop.orders USING (id % 2 = 0);
GRANT SELECT ON shop.orders TO reports_reader;
SET ROLE reports_reader;
SELECT is((SELECT concat_ws(' ', (SELECT count(*) FROM shop.large), count(*)) FROM ordcancel.pending_requests),
          '1000 1', 'beside a large table');
RESET ROLE;
DROP POLICY even ON shop.orders;
ALTER TABLE shop.orders DISABLE ROW LEVEL SECURITY;
REVOKE SELECT ON shop.orders FROM reports_reader;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;

-- ------------------------------------------------------------ records by hand

CREATE TABLE mine.o (id integer PRIMARY KEY, status text);
ALTER TABLE mine.o OWNER TO reports_owner;
SELECT make_records('o', true) \g /dev/null
INSERT INTO mine.o_cancellation_event (event_id, cancellation_id, order_key, type, state, party, session_role, at,
                                       source, xid, cluster, orders, order_id, data)
SELECT 2 * n + k, n, '7', (ARRAY['items_canceled', 'undone'])[1 + k], 'canceled', 'system', 'x', now(), 'x', 1, 1,
       'mine.o', 7, '{"items": 5}'
FROM generate_series(1, 50) AS n, generate_series(0, 1) AS k;
INSERT INTO mine.o_cancellation (cancellation_id, order_key, state, scope, requested_by, policy, requested_at, order_id,
                                 note)
SELECT n, '2', 'denied', 'items', 'customer', 'x', CASE n WHEN 2 THEN '-infinity' ELSE now() END, 1, 'forged'
FROM generate_series(2, 3) AS n;
SET ROLE reports_owner;
SELECT is(attempt($$SELECT ordcancel.attach('mine.o', 'status')$$), 'OC014', 'who has written them cannot attach them');
RESET ROLE;
SELECT ordcancel.attach('mine.o', 'status') \g /dev/null
SET ROLE reports_owner;
SELECT is((SELECT string_agg(DISTINCT why, ' ') FROM ordcancel.timeline), 'forged',
          'events with numbers of others'' cancellations do not show their notes');
RESET ROLE;
SELECT is((SELECT string_agg(why, ' ') FROM ordcancel.timeline
           WHERE orders = 'shop.orders'::regclass AND order_id = '2'),
          'hi', 'nor do cancellations appear in the timeline of another''s order');
SELECT is(attempt('SELECT max(what), max(took) FROM ordcancel.timeline'), 'ok', 'data that is not as expected');
SET statement_timeout = '60s';
SELECT is((SELECT sum(requested) FROM ordcancel.daily_summary WHERE orders = 'shop.orders'::regclass), 3::numeric,
          'a time of -infinity does not make the days endless');
RESET statement_timeout;
SELECT ordcancel.detach('mine.o') \g /dev/null
CREATE TABLE mine.n (id integer PRIMARY KEY, status text);
ALTER TABLE mine.n OWNER TO reports_owner;
SELECT make_records('n', false) \g /dev/null
SET ROLE reports_owner;
SELECT is(attempt($$SELECT ordcancel.attach('mine.n', 'status', inherit => false)$$), 'OC014',
          'record tables whose columns may be null are not taken');
RESET ROLE;

-- ---------------------------------------------------------------- more than SELECT

-- A policy that reads settings sees those of the caller, in views and functions.
ALTER TABLE shop.orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON shop.orders USING (current_setting('ordcancel.party', true) <> 'customer'
                                      OR who = current_setting('ordcancel.actor', true));
GRANT SELECT ON shop.orders TO reports_reader;
SET ROLE reports_reader;
SET ordcancel.party = 'customer';
SET ordcancel.actor = 'c0';
SELECT is((SELECT string_agg(order_id, ' ') FROM ordcancel.cancellations), '3', 'the view');
SELECT is((SELECT string_agg(order_id, ' ') FROM ordcancel.cancellations('shop.orders')), '3', 'the function');
SELECT is((SELECT count(*) FROM ordcancel.pending_requests('shop.orders')), 0::bigint, 'that of what is open');
SELECT is((SELECT sum(attempts) FROM ordcancel.simulate('shop.orders')), 1::numeric, 'a simulation');
SELECT is((SELECT count(*) FROM ordcancel.timeline('shop.orders', 1)), 0::bigint, 'the timeline of a hidden order');
RESET ROLE;
RESET ordcancel.party;
RESET ordcancel.actor;
DROP POLICY p ON shop.orders;
CREATE TABLE shop.tenant (who text);
INSERT INTO shop.tenant VALUES ('c0');
GRANT SELECT ON shop.tenant TO reports_reader;
CREATE FUNCTION shop.is_mine(text) RETURNS boolean LANGUAGE plpgsql STABLE
    AS $$ BEGIN RETURN $1 IN (SELECT who FROM tenant); END $$;
CREATE POLICY p ON shop.orders USING (shop.is_mine(who));
SET search_path = shop, public;
SET ROLE reports_reader;
SELECT is((SELECT string_agg(order_id, ' ') FROM ordcancel.cancellations('shop.orders')), '3',
          'a policy that relies on search_path has the caller''s');
RESET ROLE;
RESET search_path;
ALTER TABLE shop.orders DISABLE ROW LEVEL SECURITY;

-- ------------------------------------------------------------------------- days

-- The first hour of this day occurs twice.
CREATE TABLE shop.twice (id integer PRIMARY KEY, status text DEFAULT 'new');
INSERT INTO shop.twice VALUES (1), (2);
SELECT ordcancel.attach('shop.twice', 'status'), allow('shop.twice') \g /dev/null
SET timezone = 'Atlantic/Azores';
SET ordcancel.clock = '2024-10-27 00:30+00';
SELECT ordcancel.request_cancel('shop.twice', 1) \g /dev/null
SELECT is((SELECT string_agg(day::text, ' ') FROM ordcancel.daily_summary('shop.twice')), '2024-10-27',
          'a request in the first of them is not lost');
SET ordcancel.clock = '2024-10-26 12:30+00';
SELECT ordcancel.request_cancel('shop.twice', 2) \g /dev/null
SELECT is((SELECT string_agg(day || ' ' || requested, ', ' ORDER BY day) FROM ordcancel.daily_summary
           WHERE orders = 'shop.twice'::regclass), '2024-10-26 1, 2024-10-27 1', 'nor put on the day before');
SELECT is((SELECT sum(requested) FROM ordcancel.daily_summary('shop.twice', since => '2024-10-27')), 1::numeric,
          'nor left out of a period that begins then');

-- ------------------------------------------------- cheap functions of the reader

-- Of a table that does not inherit, and then of all, as the views read one after the
-- other when somebody else owns a record table.
RESET timezone;
RESET ordcancel.clock;
CREATE TABLE shop.apart (id integer PRIMARY KEY, status text DEFAULT 'new');
INSERT INTO shop.apart VALUES (1);
SELECT ordcancel.attach('shop.apart', 'status', inherit => false), allow('shop.apart'),
       ordcancel.cancel_order('shop.apart', 1, 'fraud', 'unseen', 'jane') \g /dev/null
REVOKE SELECT ON shop.orders FROM reports_reader;
CREATE FUNCTION mine.pry(text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$
BEGIN
    IF $1 ~ '(unseen|jane|secret|reports_|fraud|apart)' THEN
        RAISE EXCEPTION 'seen: %', $1;
    END IF;
    RETURN true;
END $$;
CREATE FUNCTION pried() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    SET LOCAL ROLE reports_reader;
    SELECT string_agg(error_of('SELECT count(*) FROM ordcancel.' || v, 'message'), ' ')
    INTO result
    FROM unnest('{cancellations WHERE mine.pry(note),cancellations WHERE mine.pry(requested_actor),'
                'timeline WHERE mine.pry(who),timeline WHERE mine.pry(why),timeline WHERE mine.pry(reason),'
                'reason_summary WHERE mine.pry(reason),daily_summary WHERE mine.pry(orders::text)}'::text[]) AS v;
    RESET ROLE;
    RETURN result;
END
$$;
SELECT is(pried(), 'ok ok ok ok ok ok ok', 'see no rows of tables that do not inherit');
ALTER TABLE shop.twice_cancellation OWNER TO reports_owner;
SELECT is(pried(), 'ok ok ok ok ok ok ok', 'nor others, where the views read one table after the other');
ALTER TABLE shop.twice_cancellation OWNER TO CURRENT_USER;
-- A UNION ALL with ORDER BY is not flattened.
SELECT is_empty($$
    SELECT c.oid::regclass, d.text
    FROM pg_class AS c, LATERAL (SELECT pg_get_viewdef(c.oid)) AS d (text)
    WHERE c.relkind = 'v' AND 'security_barrier=true' = ANY (c.reloptions) AND c.relname <> 'timers'
      AND c.relnamespace IN ('ordcancel'::regnamespace, 'ordcancel_internal'::regnamespace)
      AND d.text ~ '\nUNION ALL\n'
$$, 'no view is a UNION ALL by itself, of which PostgreSQL ignores the barrier');
SELECT * FROM finish();
