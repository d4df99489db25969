-- Consumers in one session: what next_events returns, ack, rewind_consumer,
-- skip_event, prune_events, the views, and who may do what. A transaction sees
-- its own events. test/isolation and test/t/consumers*.sh have several sessions.
BEGIN;
\ir include/helpers.sql
SELECT no_plan();

CREATE SCHEMA shop;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text);
CREATE TABLE shop.others (id uuid PRIMARY KEY, status text);
SELECT ordcancel.attach('shop.orders', 'status'), ordcancel.attach('shop.others', 'status', inherit => false);
SELECT ordcancel.set_policy(t, canceled_status => 'canceled', requested_status => 'asked'),
       ordcancel.set_rule(t, 'placed', customer => 'request', merchant => 'cancel')
FROM unnest('{shop.orders,shop.others}'::regclass[]) AS t;
INSERT INTO shop.orders SELECT n, 'placed' FROM generate_series(1, 99) AS n;
INSERT INTO shop.others SELECT md5(n::text)::uuid, 'placed' FROM generate_series(1, 9) AS n;

-- The events that a consumer gets, as order:type, and which order table.
CREATE FUNCTION next_of(name text, max_events integer DEFAULT 100) RETURNS text
    LANGUAGE sql AS $$
SELECT string_agg(CASE e.orders WHEN 'shop.orders' THEN e.order_key ELSE '*' END || ':' || e.type, ' '
                  ORDER BY e.ordinality)
FROM ordcancel.next_events(name, max_events) WITH ORDINALITY AS e $$;
CREATE FUNCTION ack_all(name text) RETURNS boolean
    LANGUAGE sql AS $$ SELECT ordcancel.ack(name, max(event_id)) FROM ordcancel.next_events(name, 1000) $$;
CREATE FUNCTION drain(name text) RETURNS void
    LANGUAGE plpgsql AS $$
BEGIN
    WHILE ack_all(name) LOOP
    END LOOP;
END
$$;
CREATE FUNCTION event_of(order_id integer, type text) RETURNS bigint
    LANGUAGE sql AS $$
SELECT e.event_id FROM shop.orders_cancellation_event AS e
WHERE e.order_id = event_of.order_id AND e.type = event_of.type $$;
CREATE FUNCTION lag_of(name text) RETURNS bigint
    LANGUAGE sql AS $$ SELECT c.lag_events FROM ordcancel.consumers AS c WHERE c.name = lag_of.name $$;

-- ---------------------------------------------------------------- reading

SELECT ordcancel.cancel_order('shop.orders', n) FROM generate_series(1, 3) AS n;
SELECT is(ordcancel.create_consumer('late'), 'consumer "late" gets all events of all order tables, from now on',
          'create_consumer says what it made');
SELECT is(ordcancel.create_consumer('all', start_at => 'beginning'),
          'consumer "all" gets all events of all order tables, from the first one on', 'and from where');
SELECT is(next_of('late'), NULL, 'nothing has happened since');
SELECT is(next_of('all'), '1:canceled 2:canceled 3:canceled', 'from the beginning there is something');
SELECT is(next_of('all'), '1:canceled 2:canceled 3:canceled', 'the same again until it is acknowledged');
SELECT bag_eq($$SELECT * FROM ordcancel.next_events('all')$$, $$SELECT * FROM ordcancel.event$$,
              'the rows are those of ordcancel.event');
SELECT is(next_of('all', 2), '1:canceled 2:canceled', 'max_events limits them');
SELECT is(ordcancel.ack('all', event_of(1, 'canceled')), true, 'a part of the batch is acknowledged');
SELECT is(next_of('all'), '2:canceled 3:canceled', 'the rest comes again');
SELECT is(ordcancel.ack('all', event_of(1, 'canceled')), false, 'to acknowledge again does nothing');
SELECT ordcancel.request_cancel('shop.orders', 4), ordcancel.cancel_order('shop.others', md5('1')::uuid),
       ordcancel.deny_cancel('shop.orders', 4, 'no');
SELECT is(next_of('all'), '2:canceled 3:canceled', 'new events wait until the window before is acknowledged');
SELECT is(ack_all('all'), true, 'the last one is acknowledged');
SELECT is(next_of('all'), '4:requested *:canceled 4:denied', 'now the new ones, of both tables, in order');
SELECT is(next_of('late'), '4:requested *:canceled 4:denied', 'another consumer gets them, too');
SELECT is(ordcancel.ack('all', event_of(2, 'canceled')), false, 'an event of an earlier window is acknowledged');
SELECT is(next_of('all'), '4:requested *:canceled 4:denied', 'and that changes nothing');
SELECT ok(ack_all('all') AND ack_all('late'), 'both acknowledge');
SELECT is(next_of('all') || next_of('late'), NULL, 'all is read');

SAVEPOINT undone;
SELECT ordcancel.cancel_order('shop.orders', 5);
SELECT is(next_of('all'), '5:canceled', 'an event in a savepoint is seen');
SELECT ack_all('all');
ROLLBACK TO undone;
SELECT is(next_of('all'), NULL, 'and gone after its rollback');
SELECT ordcancel.cancel_order('shop.orders', 5);
SELECT is(next_of('all'), '5:canceled', 'as if it had never been');
SELECT ack_all('all'), ack_all('late');

-- ---------------------------------------------------------------- filters

SELECT is(ordcancel.create_consumer('orders', 'shop.orders', '{requested,undone}'),
          'consumer "orders" gets requested, undone events of shop.orders, from now on', 'a table and types');
SELECT ordcancel.request_cancel('shop.orders', 6), ordcancel.accept_cancel('shop.orders', 6),
       ordcancel.request_cancel('shop.others', md5('2')::uuid), ordcancel.undo_cancel('shop.orders', 6);
SELECT is(next_of('orders'), '6:requested 6:undone', 'only these are delivered');
SELECT is(lag_of('orders') || ' ' || lag_of('all'), '2 4', 'lag counts what the consumer wants');
SELECT is(ack_all('orders'), true, 'acknowledged');
SELECT is(lag_of('orders'), 0::bigint, 'no lag is left');
SELECT ordcancel.cancel_order('shop.orders', n) FROM generate_series(10, 20) AS n;
SELECT is(next_of('orders'), NULL, 'events of other types are passed over');
SELECT ordcancel.request_cancel('shop.orders', 7);
SELECT is(next_of('orders'), '7:requested', 'and do not hide the next one');

-- ---------------------------------------------------------------- replay

SELECT ack_all('orders'), ack_all('all'), ack_all('late');
SELECT is(ordcancel.rewind_consumer('orders', event_of(6, 'undone')), 2::bigint, 'rewind to an event');
SELECT is(next_of('orders'), '6:undone 7:requested', 'which comes again, and all after it');
SELECT ordcancel.request_cancel('shop.orders', 8);
SELECT is(ack_all('orders'), true, 'the replay is acknowledged');
SELECT is(next_of('orders'), '8:requested', 'then it goes on');
SELECT is(ordcancel.rewind_consumer('orders', event_of(6, 'requested')), 4::bigint, 'rewind within a window');
SELECT is(next_of('orders', 3), '6:requested 6:undone 7:requested', 'the window begins again');
SELECT ordcancel.ack('orders', event_of(7, 'requested'));
SELECT is(next_of('orders', 3), '8:requested', 'and is finished');
SELECT ack_all('orders');
SELECT is(ordcancel.rewind_consumer('orders', '2001-01-01 00:00+00'::timestamptz), 5::bigint,
          'rewind to a time, before the consumer was created, too');
SELECT is(next_of('orders'), '4:requested 6:requested 6:undone 7:requested 8:requested',
          'all events since then');
SELECT ack_all('orders');
SELECT is(ordcancel.rewind_consumer('orders', now() + interval '1 day'), 0::bigint,
          'nothing has happened since a time to come');

-- ---------------------------------------------------------------- poison

SELECT ordcancel.request_cancel('shop.orders', n) FROM generate_series(30, 32) AS n;
SELECT is(next_of('orders'), '30:requested 31:requested 32:requested', 'three events');
SELECT ok(ordcancel.skip_event('orders', event_of(30, 'requested'), 'no such customer'), 'one is set aside');
SELECT is(ordcancel.skip_event('orders', event_of(30, 'requested'), 'again'), false, 'only once');
SELECT is(next_of('orders'), '31:requested 32:requested', 'the others are delivered');
SELECT is(lag_of('orders'), 2::bigint, 'and counted');
SELECT bag_eq($$SELECT consumer, orders, order_id, type, why, skipped_by FROM ordcancel.skipped_events$$,
                  format($$VALUES ('orders', 'shop.orders', '30', 'requested', 'no such customer', %L::name)$$,
                         current_user),
                  'it is listed');
SELECT ack_all('orders');
SELECT is(ordcancel.rewind_consumer('orders', event_of(30, 'requested')), 3::bigint, 'rewinding to it');
SELECT is(next_of('orders', 1), '30:requested', 'delivers it again');
SELECT is_empty($$SELECT FROM ordcancel.skipped_events$$, 'and takes it off the list');

-- ---------------------------------------------------------------- pruning

SELECT drain('orders'), drain('late');
SELECT is(ordcancel.prune_events('1 day'), 0::bigint, 'nothing is older than a day');
SELECT is(next_of('all', 2), '8:requested 30:requested', '"all" has not read what happened last');
SELECT ordcancel.ack('all', event_of(8, 'requested'));
SELECT ordcancel.prune_events('-1 hour');
SELECT is((SELECT min(event_id) FROM ordcancel.event), event_of(30, 'requested'),
          'what the slowest consumer has not acknowledged is kept');
SELECT is(next_of('all'), '30:requested 31:requested 32:requested', 'and delivered');
SELECT drain('all'), ordcancel.prune_events('-1 hour');
SELECT is_empty($$SELECT FROM ordcancel.event UNION ALL SELECT FROM shop.others_cancellation_event$$,
                'then all of them leave, of all tables');
SELECT is(ordcancel.ack('all', 1), false, 'a pruned event was acknowledged');
SELECT throws_ok($$DELETE FROM shop.orders_cancellation_event$$, '23514', NULL, 'nobody else may delete events');

-- ---------------------------------------------------------------- health

SELECT ordcancel.cancel_order('shop.orders', 40);
SELECT count(*) FROM ordcancel.next_events('all');
CREATE FUNCTION problems(at timestamptz) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('ordcancel.clock', coalesce(at::text, ''), true);
    RETURN (SELECT string_agg(problem || ' ' || substring(detail from '"(.*?)"'), ', ' ORDER BY problem, detail)
            FROM ordcancel.health WHERE problem ~ '^consumer');
END
$$;
SELECT is(problems(now() + interval '50 minutes'), NULL, 'consumers that were read within an hour are well');
SELECT is(problems(now() + interval '2 hours'),
          'consumer_lags all, consumer_not_read late, consumer_not_read orders',
          'one that does not acknowledge, and those that nobody reads, are reported');
SELECT is((SELECT lag > interval '119 minutes' FROM ordcancel.consumers WHERE name = 'all'), true, 'the lag is a time');
SELECT is(problems(NULL), NULL, 'not now');
SELECT drain('all'), drain('late'), drain('orders'), ordcancel.prune_events('-1 hour');

-- ---------------------------------------------------------------- tables that come and go

CREATE TABLE shop.later (id integer PRIMARY KEY, status text);
INSERT INTO shop.later VALUES (1, 'placed'), (2, 'placed');
SELECT ordcancel.attach('shop.later', 'status'), ordcancel.set_policy('shop.later', canceled_status => 'canceled'),
       ordcancel.set_rule('shop.later', 'placed', merchant => 'cancel');
SELECT ordcancel.cancel_order('shop.later', 1);
SELECT is(next_of('all'), '*:canceled', 'a table that is attached later');
SELECT ordcancel.detach('shop.later'), ordcancel.cancel_order('shop.others', md5('3')::uuid),
       ordcancel.detach('shop.others');
SELECT ack_all('all');
SELECT is(next_of('all'), '*:canceled', 'the last events of a detached table, inherited or not, are delivered');
SELECT ack_all('all'), ordcancel.create_consumer('gone', 'shop.orders');
DROP TABLE shop.orders CASCADE;
SELECT is(next_of('gone'), NULL, 'the events of a dropped table are still there for its consumer');

-- ---------------------------------------------------------------- errors

SELECT is(error_of($$SELECT ordcancel.create_consumer('all')$$), '42710 | consumer "all" already exists', 'twice');
SELECT is(error_of($$SELECT ordcancel.create_consumer('')$$), '22023 | name of the consumer must not be empty',
          'no name');
SELECT is(error_of($$SELECT ordcancel.create_consumer(NULL)$$), '22023 | name of the consumer must not be empty',
          'NULL');
SELECT is(error_of($$SELECT ordcancel.create_consumer('x', 'shop.later')$$, 'sqlstate'), 'OC001', 'not attached');
SELECT is(error_of($$SELECT ordcancel.create_consumer('x', types => '{cancelled}')$$, 'sqlstate', 'message'),
          '22023 | invalid types of events: {cancelled}', 'no such type');
SELECT is(error_of($$SELECT ordcancel.create_consumer('x', types => '{adjusted,forgotten}')$$), 'ok', 'every type');
SELECT ordcancel.drop_consumer('x');
SELECT is(error_of($$SELECT ordcancel.create_consumer('x', types => '{{canceled},{refunded}}')$$, 'sqlstate'), '22023',
          'nor such an array');
SELECT is(error_of($$SELECT ordcancel.create_consumer('x', start_at => 'today')$$),
          '22023 | invalid start_at: ''today'' | Use ''now'' or ''beginning''.', 'no such start');
SELECT is(error_of($$SELECT ordcancel.next_events('x')$$),
          '42704 | consumer "x" does not exist | Create it with ordcancel.create_consumer().', 'no such consumer');
SELECT is(error_of($$SELECT ordcancel.next_events(NULL)$$, 'sqlstate'), '22004', 'NULL');
SELECT is(error_of($$SELECT ordcancel.next_events('all', 0)$$), '22023 | max_events must be greater than zero', 'none');
SELECT is(error_of($$SELECT ordcancel.ack('all', 999999)$$),
          '22023 | event 999999 was not delivered to consumer "all"'
          ' | Acknowledge an event that next_events() has returned.', 'an event to come cannot be acknowledged');
SELECT is(ordcancel.ack('all', NULL), false, 'max(event_id) of no events acknowledges nothing');
SELECT is(error_of($$SELECT ordcancel.skip_event('all', 999999)$$),
          '22023 | event 999999 of consumer "all" does not exist', 'nor be set aside');
SELECT is(error_of($$SELECT ordcancel.rewind_consumer('all', 0)$$), '22023 | invalid event_id: 0', 'no such place');
SELECT is(error_of($$SELECT ordcancel.prune_events(NULL)$$), '22004 | older_than must not be null', 'no age');
SELECT lives_ok($$SELECT ordcancel.drop_consumer('late')$$, 'a consumer is dropped');
SELECT is(error_of($$SELECT ordcancel.ack('late', 1)$$, 'sqlstate'), '42704', 'and gone');

SELECT * FROM finish();
ROLLBACK;
