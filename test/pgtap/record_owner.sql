-- To whom record tables must belong, so that no code of others runs as the owner of
-- the extension, and no events are forged. t/attack.sh tries what runs.
BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql

CREATE ROLE records_owner;
CREATE ROLE records_other;
SELECT ordcancel.grant_owner('records_owner'), ordcancel.grant_merchant('records_owner');
CREATE SCHEMA own AUTHORIZATION records_owner;
CREATE SCHEMA shop;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text);
INSERT INTO shop.orders SELECT n, 'placed' FROM generate_series(1, 20) AS n;
SELECT ordcancel.attach('shop.orders', 'status'), ordcancel.set_policy('shop.orders', canceled_status => 'canceled'),
       ordcancel.set_rule('shop.orders', 'placed', merchant => 'cancel');
SELECT ordcancel.create_consumer('all', start_at => 'beginning');
SELECT ordcancel.cancel_order('shop.orders', id) FROM generate_series(1, 3) AS id;

-- As clients do, in batches of the given size: what they get.
CREATE FUNCTION read_all(batch integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    got text[] := '{}';
    events text[];
    last bigint;
BEGIN
    LOOP
        SELECT array_agg(orders || ' ' || order_key ORDER BY event_id, orders), max(event_id) INTO events, last
        FROM ordcancel.next_events('all', batch);
        EXIT WHEN last IS NULL;
        got := got || events;
        PERFORM ordcancel.ack('all', last);
    END LOOP;
    RETURN array_to_string(got, ', ');
END
$$;

-- A table of events that somebody makes, with those of another shop.
CREATE FUNCTION make_events(name text, first bigint, orders text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TABLE %s (LIKE ordcancel.event, order_id integer NOT NULL)', name);
    EXECUTE format('INSERT INTO %s (event_id, cancellation_id, order_key, type, state, party, session_role, at, source,'
                   ' xid, cluster, orders, order_id)'
                   ' SELECT $1 + n, n, n, ''canceled'', ''canceled'', ''merchant'', ''x'', now(), ''call'', 0,'
                   ' (SELECT system_identifier FROM pg_control_system()), $2, n FROM generate_series(0, 2) AS n', name)
        USING first, orders;
END
$$;
GRANT SELECT ON ordcancel.event TO records_owner;
SELECT min(event_id) AS first FROM ordcancel.event \gset

-- ------------------------------------------------- records that others wrote

SET LOCAL ROLE records_owner;
CREATE TABLE own.forged (id integer PRIMARY KEY, status text);
SELECT make_events('own.forged_cancellation_event', :first, 'shop.orders');
SELECT is(error_of($$SELECT ordcancel.attach('own.forged', 'status')$$),
          'OC014 | table own.forged_cancellation_event exists but is not a record table of own.forged | '
          'own.forged_cancellation_event belongs to role records_owner, who could have forged its rows.'
          ' | Rename it, or let a superuser attach the order table.',
          'an owner cannot attach events that he wrote');
TRUNCATE own.forged_cancellation_event;
SELECT is(error_of($$SELECT ordcancel.attach('own.forged', 'status')$$, 'sqlstate'), 'OC014', 'nor an empty table');
RESET ROLE;

-- What a superuser does not take over: keys and indexes by which records would not be found.
CREATE FUNCTION attempt_with(change text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    BEGIN
        EXECUTE change;
        result := value_or_error(NULL, 'SELECT ordcancel.attach(''own.forged'', ''status'')', '{sqlstate,detail}');
        RAISE EXCEPTION USING ERRCODE = 'ZZ999';
    EXCEPTION WHEN SQLSTATE 'ZZ999' THEN
        RETURN result;
    END;
END
$$;
SELECT is(attempt_with('ALTER TABLE own.forged_cancellation_event ' || change), 'OC014 | ' || detail, change)
FROM (VALUES ('ADD PRIMARY KEY (order_key)', 'Its primary key is not (event_id).'),
             ('ADD PRIMARY KEY (event_id, xid)', 'Its primary key is not (event_id).'),
             ('ADD UNIQUE (order_key)', 'It has a constraint "forged_cancellation_event_order_key_key".'),
             ('REPLICA IDENTITY NOTHING', 'Its replica identity is not the default.')) AS v (change, detail);
SELECT is(attempt_with(format('CREATE INDEX i ON own.forged_cancellation_event (%s)', columns)),
          'OC014 | It has an index "own.i".', columns)
FROM unnest('{cancellation_id DESC,order_key,"at NULLS FIRST"}'::text[]) AS columns;
SELECT is(attempt_with('CREATE INDEX i ON own.forged_cancellation_event (cancellation_id)'), 'ok',
          'an index as attach() creates it is no hindrance');
SELECT is(attempt($$SELECT ordcancel.attach('own.forged', 'status')$$), 'ok', 'a superuser takes it over');
SELECT is((SELECT relowner::regrole FROM pg_class WHERE oid = 'own.forged_cancellation_event'::regclass),
          current_user::regrole, 'and it does not belong to the owner any more');

-- Those that a superuser attaches may have the ids of others, as copies of a shop do.
SET LOCAL ROLE records_owner;
CREATE TABLE own.copy (id integer PRIMARY KEY, status text);
SELECT make_events('own.copy_cancellation_event', :first, 'own.copy');
RESET ROLE;
SELECT is(attempt($$SELECT ordcancel.attach('own.copy', 'status')$$), 'ok', 'a superuser can attach them');
SELECT is(read_all(1), 'own.copy 0, shop.orders 1, own.copy 1, shop.orders 2, own.copy 2, shop.orders 3',
          'one acknowledgement is for all events with an id');

-- --------------------------------------------------- tables that were given away

SELECT ordcancel.cancel_order('shop.orders', 4);
ALTER TABLE shop.orders_cancellation_event OWNER TO records_other;
SELECT is(error_of(call, 'sqlstate', 'message', 'detail'),
          'OC014 | record table shop.orders_cancellation_event does not belong to the owner of the extension | '
          'It belongs to role "records_other", who can change it.', call)
FROM unnest(ARRAY[
    $$SELECT ordcancel.cancel_order('shop.orders', 5)$$, $$SELECT ordcancel.undo_cancel('shop.orders', 1)$$,
    $$UPDATE shop.orders SET status = 'canceled' WHERE id = 5$$,
    $$SELECT ordcancel.timeline('shop.orders')$$,
    $$SELECT ordcancel.cancellations('shop.orders')$$, $$SELECT ordcancel.reason_summary('shop.orders')$$,
    $$SELECT ordcancel.daily_summary('shop.orders')$$, $$SELECT ordcancel.archive_records('shop.orders', '1 day')$$,
    $$SELECT ordcancel.prune_cancellations('shop.orders', '1 day')$$, $$SELECT ordcancel.forget('shop.orders', 1)$$,
    $$SELECT ordcancel.next_events('all')$$]) AS call;
SELECT is((SELECT string_agg(DISTINCT outcome || ' ' || sqlstate, ', ')
           FROM ordcancel.cancel_orders('shop.orders', '{6,7}')),
          'refused OC014', 'an array of orders is not canceled either');
SELECT is((SELECT string_agg(id::text, ',' ORDER BY id) FROM shop.orders WHERE status = 'canceled'), '1,2,3,4',
          'nothing was changed');
SELECT is((SELECT string_agg(concat_ws(' | ', problem, detail, hint), E'\n') FROM ordcancel.health('shop.orders')),
          'records_not_owned | Record table shop.orders_cancellation_event belongs to role records_other, who can'
          ' change it. | SELECT ordcancel.attach(''shop.orders''), as a superuser, checks it and takes it over.',
          'health() says what to do');
SELECT is((SELECT lag_events FROM ordcancel.consumers WHERE name = 'all'), 0::bigint, 'the view of consumers works');
SELECT is((SELECT count(*) FROM ordcancel.timeline WHERE orders = 'shop.orders'::regclass), 0::bigint,
          'views leave the table out');
SELECT is((SELECT count(*) FROM ordcancel.cancellations WHERE orders = 'shop.orders'::regclass), 4::bigint,
          'but not others');
ALTER TABLE shop.orders OWNER TO records_owner;
ALTER TABLE shop.orders_cancellation_event OWNER TO records_owner;
GRANT USAGE ON SCHEMA shop TO records_owner;
SELECT is(error_as('records_owner', $$SELECT ordcancel.attach('shop.orders')$$, 'sqlstate'), 'OC014',
          'nor by the owner of the orders');
SELECT is(attempt($$SELECT ordcancel.attach('shop.orders')$$), 'ok', 'a superuser takes it back');
SELECT is((SELECT count(*) FROM ordcancel.health('shop.orders')), 0::bigint, 'and all is well');
SELECT is((SELECT count(*) FROM ordcancel.timeline WHERE orders = 'shop.orders'::regclass), 4::bigint,
          'for views, too');
SELECT ordcancel.cancel_order('shop.orders', 5);
SELECT is(read_all(10), 'shop.orders 4, shop.orders 5', 'no event is passed by');

-- Of a shop that has left.
SELECT ordcancel.cancel_order('shop.orders', 6);
SELECT ordcancel.detach('shop.orders');
ALTER TABLE shop.orders_cancellation_event OWNER TO records_owner;
SELECT is(read_all(10), '', 'events of a detached table that was given away are not delivered');

-- ------------------------------------------ configuration that arrives by names

CREATE TABLE own.n (id integer PRIMARY KEY, status text);
SELECT ordcancel.attach('own.n', 'status');
CREATE TEMPORARY TABLE config AS SELECT * FROM ordcancel.order_table WHERE orders = 'own.n'::regclass;
DELETE FROM ordcancel.order_table WHERE orders = 'own.n'::regclass;
ALTER TABLE own.n_cancellation OWNER TO records_owner;
SET LOCAL session_replication_role = replica;
INSERT INTO ordcancel.order_table TABLE config;
RESET session_replication_role;
SELECT is(error_of($$SELECT ordcancel.cancel_order('own.n', 1)$$, 'sqlstate'), 'OC001',
          'is skipped if the records belong to somebody else');
ALTER TABLE own.n_cancellation OWNER TO CURRENT_USER;
INSERT INTO ordcancel.order_table TABLE config;
SELECT is((SELECT count(*) FROM ordcancel.order_table WHERE orders = 'own.n'::regclass), 1::bigint, 'else it is not');

SELECT * FROM finish();
ROLLBACK;
