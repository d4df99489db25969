-- Whose consumer it is, and which events its owner may get.
BEGIN;
\ir include/helpers.sql
SELECT no_plan();

CREATE ROLE consumer_reader;
CREATE ROLE consumer_member IN ROLE consumer_reader;
CREATE ROLE consumer_stranger;
CREATE ROLE consumer_nobody;
CREATE ROLE consumer_leaver;
CREATE SCHEMA shop;
GRANT USAGE ON SCHEMA shop TO PUBLIC;
CREATE TABLE shop.seen (id integer PRIMARY KEY, status text);
CREATE TABLE shop.unseen (id integer PRIMARY KEY, status text);
CREATE TABLE shop.partly (id integer PRIMARY KEY, status text, owner name);
GRANT SELECT ON shop.seen, shop.partly TO consumer_reader;
ALTER TABLE shop.partly ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON shop.partly USING (owner = current_user);
SELECT ordcancel.attach(t, 'status'), ordcancel.set_policy(t, canceled_status => 'canceled'),
       ordcancel.set_rule(t, 'placed', merchant => 'cancel')
FROM unnest('{shop.seen,shop.unseen,shop.partly}'::regclass[]) AS t;
INSERT INTO shop.seen SELECT n, 'placed' FROM generate_series(1, 9) AS n;
INSERT INTO shop.unseen TABLE shop.seen;
INSERT INTO shop.partly SELECT *, 'consumer_reader' FROM shop.seen;

CREATE FUNCTION next_as(role name, name text) RETURNS text
    LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    EXECUTE format('SET LOCAL ROLE %I', role);
    result := value_or_error(format('SELECT string_agg(orders || '' '' || order_key, '', '' ORDER BY event_id)'
                                    ' FROM ordcancel.next_events(%L)', name), NULL, '{sqlstate,message,detail}');
    RESET ROLE;
    RETURN result;
END
$$;

-- ---------------------------------------------------------------- EXECUTE

SELECT is(attempt_as('consumer_reader', call), '42501', call || ' needs EXECUTE')
FROM unnest(ARRAY[$$SELECT ordcancel.create_consumer('x')$$, $$SELECT ordcancel.next_events('x')$$,
                  $$SELECT ordcancel.ack('x', 1)$$, $$SELECT ordcancel.rewind_consumer('x', 1)$$,
                  $$SELECT ordcancel.rewind_consumer('x', now())$$, $$SELECT ordcancel.skip_event('x', 1)$$,
                  $$SELECT ordcancel.drop_consumer('x')$$, $$SELECT ordcancel.prune_events('1 year')$$,
                  $$SELECT FROM ordcancel.consumers$$, $$SELECT FROM ordcancel.skipped_events$$]) AS call;
SELECT is(ordcancel.grant_consumer(role),
          role || ' may execute create_consumer, drop_consumer, next_events, ack, rewind_consumer, skip_event,'
          ' cloud_event and read consumers, skipped_events', 'grant_consumer tells what it granted')
FROM unnest('{consumer_reader,consumer_stranger}'::regrole[]) AS role;
SELECT is(attempt_as('consumer_reader', $$SELECT ordcancel.prune_events('1 year')$$), '42501',
          'pruning is granted by itself');

-- ---------------------------------------------------------------- which events

SELECT is(attempt_as('consumer_reader', $$SELECT ordcancel.create_consumer('reader')$$), 'ok', 'of all tables');
SELECT ordcancel.cancel_order('shop.seen', 1), ordcancel.cancel_order('shop.unseen', 1),
       ordcancel.cancel_order('shop.partly', 1);
SELECT is(next_as('consumer_reader', 'reader'), 'shop.seen 1',
          'the events of tables that the owner may not read, or not read as a whole, are left out');
SELECT is(string_agg(t, ' ' ORDER BY t), 'seen', 'only of tables that it may read as a whole it holds events back')
FROM unnest('{seen,unseen,partly}'::text[]) AS t
WHERE ordcancel_internal.settled_event(('shop.' || t)::regclass) < 9223372036854775807;
SELECT is(next_as('consumer_member', 'reader'), 'shop.seen 1', 'a member of the owner may use it');
SELECT is((SELECT lag_events FROM ordcancel.consumers WHERE name = 'reader'), 1::bigint, 'its lag counts the same');
SELECT is(next_as('consumer_stranger', 'reader'),
          '42501 | permission denied for consumer "reader" | It belongs to role "consumer_reader".', 'others may not');
SELECT is(error_as('consumer_stranger', call, 'sqlstate', 'message'),
          '42501 | permission denied for consumer "reader"', 'nor ' || call)
FROM unnest(ARRAY[$$SELECT ordcancel.ack('reader', 1)$$, $$SELECT ordcancel.rewind_consumer('reader', 1)$$,
                  $$SELECT ordcancel.rewind_consumer('reader', now())$$, $$SELECT ordcancel.skip_event('reader', 1)$$,
                  $$SELECT ordcancel.drop_consumer('reader')$$]) AS call;
SET LOCAL ROLE consumer_stranger;
SELECT is_empty($$SELECT FROM ordcancel.consumers$$, 'nor see it');
RESET ROLE;
SELECT is(error_as('consumer_reader', $$SELECT ordcancel.create_consumer('x', 'shop.unseen')$$, 'sqlstate', 'message'),
          '42501 | permission denied for table unseen', 'one table, without SELECT');
SELECT is(error_as('consumer_reader', $$SELECT ordcancel.create_consumer('x', 'shop.partly')$$, 'sqlstate', 'message'),
          '42501 | role "consumer_reader" does not see all orders of table "partly"', 'one table, with row security');
SELECT is(error_as('consumer_reader', $$SELECT ordcancel.create_consumer('x', owner => 'consumer_stranger')$$,
                   'sqlstate', 'message'),
          '42501 | must be a member of role "consumer_stranger"', 'a consumer for somebody else');
SELECT is(attempt_as('consumer_member',
                     $$SELECT ordcancel.create_consumer('members', 'shop.seen', owner => 'consumer_reader')$$),
          'ok', 'a consumer for a role that one is a member of');
SELECT is(error_of($$SELECT ordcancel.create_consumer('x', owner => 0)$$, 'sqlstate'), '42704', 'no such role');

SELECT is(error_as('consumer_reader', format($$SELECT ordcancel.skip_event('reader', %s)$$, event_id), 'sqlstate',
                   'message'),
          format('22023 | event %s of consumer "reader" does not exist', event_id),
          'an event of ' || orders || ' is not shown by setting it aside')
FROM ordcancel.event WHERE orders IN ('shop.unseen', 'shop.partly');

-- A lock is not given before the right was checked, and is that of one consumer.
CREATE FUNCTION locks() RETURNS bigint LANGUAGE sql AS $$
SELECT count(DISTINCT objid) FROM pg_locks
WHERE pid = pg_backend_pid() AND locktype = 'object' AND classid = 'ordcancel.consumer'::regclass $$;
SELECT is(locks(), 1::bigint, 'only the consumer that was read is locked');
SELECT ordcancel.create_consumer('aaffxyba'), ordcancel.create_consumer('victim');
SELECT is((SELECT count(DISTINCT number) FROM ordcancel.consumer), (SELECT count(*) FROM ordcancel.consumer),
          'names with the same hash have different locks');
CREATE FUNCTION refused(name text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    before bigint := locks();
BEGIN
    SET LOCAL ROLE consumer_stranger;
    BEGIN
        PERFORM ordcancel.ack(name, 1);
    EXCEPTION WHEN insufficient_privilege THEN
        NULL;
    END;
    RESET ROLE;
    RETURN locks() - before;
END
$$;
SELECT is(refused('victim'), 0::bigint, 'a role that may not use it has not locked it');

-- ---------------------------------------------------------------- what changes later

SELECT ordcancel.cancel_order('shop.seen', 2);
REVOKE SELECT ON shop.seen FROM consumer_reader;
SELECT is(next_as('consumer_reader', 'members'), '42501 | permission denied for table seen',
          'without SELECT, a consumer of one table fails instead of losing events');
SELECT is((SELECT count(*) FROM ordcancel.consumers), (SELECT count(*) FROM ordcancel.consumer),
          'the view shows all consumers nevertheless');
SET LOCAL ROLE consumer_stranger;
SET LOCAL join_collapse_limit = 1;
SELECT is_empty($$SELECT FROM ordcancel.consumers WHERE lag_events > 0$$,
                'and others none, in whatever order it joins');
RESET join_collapse_limit;
RESET ROLE;
GRANT SELECT ON shop.seen TO consumer_reader;
SELECT is(next_as('consumer_reader', 'members'), 'shop.seen 2', 'and goes on when it is granted again');
SELECT ordcancel.create_consumer('leaver', owner => 'consumer_leaver');
DROP ROLE consumer_leaver;
GRANT EXECUTE ON FUNCTION ordcancel.next_events(text, integer) TO consumer_nobody;
SELECT is(next_as('consumer_nobody', 'leaver'),
          '42501 | permission denied for consumer "leaver" | It belongs to role "consumer_leaver".',
          'the consumer of a dropped role is nobody''s');
SELECT lives_ok($$SELECT ordcancel.drop_consumer('leaver')$$, 'but a superuser''s, who drops it');

-- ---------------------------------------------------------------- ways around

SELECT is(attempt_as('consumer_reader', format('UPDATE ordcancel.consumer SET owner = %L', 'consumer_reader')), '42501',
          'the table of consumers cannot be written');
GRANT ALL ON ordcancel.consumer TO consumer_stranger;
SELECT is(attempt_as('consumer_stranger', $$UPDATE ordcancel.consumer SET owner = 'consumer_stranger'$$),
          '23514 written_by_ordcancel', 'not even with the privilege');
CREATE SCHEMA traps;
GRANT ALL ON SCHEMA traps TO consumer_stranger;
SET LOCAL ROLE consumer_stranger;
CREATE FUNCTION traps.leak(bigint, bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'trapped as %', current_user;
END
$$;
CREATE OPERATOR traps.<= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = traps.leak);
CREATE OPERATOR traps.< (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = traps.leak);
CREATE OPERATOR traps.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = traps.leak);
RESET ROLE;
SET LOCAL search_path = traps, pg_catalog, public;
SELECT is(attempt(call), 'ok', 'operators of others are not used: ' || call)
FROM unnest(ARRAY[$$SELECT ordcancel.create_consumer('trap', start_at => 'beginning')$$,
                  $$SELECT ordcancel.next_events('trap')$$, $$SELECT FROM ordcancel.consumers$$,
                  $$SELECT ordcancel.ack('trap', 1)$$, $$SELECT ordcancel.skip_event('trap', 2)$$,
                  $$SELECT ordcancel.rewind_consumer('trap', 1)$$,
                  $$SELECT ordcancel.prune_events('-1 hour')$$]) AS call;

SELECT * FROM finish();
ROLLBACK;
