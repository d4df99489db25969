-- ordcancel.node_id is in the ids of cancellations and events, which only rise.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
SELECT plan(26);

CREATE ROLE node_clerk;
CREATE SCHEMA shop;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text NOT NULL);
INSERT INTO shop.orders SELECT n, 'placed' FROM generate_series(1, 50) AS n;
SELECT ordcancel.attach('shop.orders', 'status');
SELECT ordcancel.set_policy('shop.orders', canceled_status => 'canceled'),
       ordcancel.set_rule('shop.orders', 'placed', merchant => 'cancel');
SELECT ordcancel.grant_merchant('node_clerk');
GRANT USAGE ON SCHEMA shop TO node_clerk;
GRANT SELECT ON shop.orders TO node_clerk;

-- Both ids of the order's cancellation as node and number.
CREATE FUNCTION ids(id integer) RETURNS text LANGUAGE sql AS $$
SELECT format('%s:%s %s:%s', c.cancellation_id >> 43, c.cancellation_id & (1::bigint << 43) - 1, e.event_id >> 43,
              e.event_id & (1::bigint << 43) - 1)
FROM shop.orders_cancellation AS c JOIN shop.orders_cancellation_event AS e USING (cancellation_id)
WHERE c.order_id = $1
$$;
CREATE FUNCTION cancel(id integer) RETURNS text LANGUAGE sql AS $$
SELECT error_as('node_clerk', format('SELECT ordcancel.cancel_order(''shop.orders'', %s)', id))
$$;
CREATE FUNCTION behind() RETURNS text LANGUAGE sql AS $$
SELECT string_agg(detail, ' ') FROM ordcancel.health('shop.orders') WHERE problem = 'sequence_behind'
$$;

-- -------------------------------------------------------------------- a setting

SELECT is(current_setting('ordcancel.node_id'), '0', 'the node is 0 by default');
SELECT is(attempt_as('node_clerk', 'SET ordcancel.node_id = 1'), '42501', 'only superusers set it');
SELECT is(attempt('SET ordcancel.node_id = 1024'), '22023', 'the highest is 1023');
SELECT is(attempt('SET ordcancel.node_id = -1'), '22023', 'the lowest is 0');
SELECT is(cancel(1) || ' ' || ids(1), 'ok 0:1 0:1', 'ids count from one');

-- ------------------------------------------------------------------------ raised

SET LOCAL ordcancel.node_id = 5;
SELECT is(cancel(2) || ' ' || ids(2), 'ok 5:1 5:1', 'a node that is raised is in the ids');
SELECT is((SELECT min(cancellation_id) > 5::bigint << 43 FROM shop.orders_cancellation WHERE order_id = 2), true,
          'they are higher than all before');
SELECT is(cancel(3) || ' ' || ids(3), 'ok 5:2 5:2', 'again');
SELECT is(behind(), NULL, 'the sequences are at their records');
SET LOCAL ordcancel.node_id = 0;
SELECT is(cancel(4) || ' ' || ids(4), 'ok 5:3 5:3', 'a session without the setting goes on there');
SET LOCAL ordcancel.node_id = 4;
SELECT is(cancel(5), '55000 | ordcancel.node_id cannot be lowered from 5 to 4 | Sequence'
          || ' ordcancel.cancellation_id_seq is at ' || (5::bigint << 43) + 4 || ', and readers of events'
          || ' rely on ids that rise. | Set it to 5 or higher.',
          'it is not lowered');
SELECT is(status_of(5), 'placed', 'nothing is canceled then');
SET LOCAL ordcancel.node_id = 1023;
SELECT is(cancel(5) || ' ' || regexp_replace(ids(5), ':\d+', ':n', 'g'), 'ok 1023:n 1023:n', 'the highest node');
SELECT is((SELECT max(event_id) < 9007199254740992 FROM shop.orders_cancellation_event), true,
          'its ids are below 2^53, and exact as double precision');
SELECT is(attempt_as('node_clerk', 'SELECT setval(''ordcancel.event_id_seq'', 1)'), '42501',
          'others do not move the sequences');

-- ---------------------------------------------------------------- no more numbers

SAVEPOINT before;
SELECT setval('ordcancel.event_id_seq', (1::bigint << 43) - 2), setval('ordcancel.cancellation_id_seq', 100);
SET LOCAL ordcancel.node_id = 0;
SELECT is(cancel(10), 'ok', 'the last number of a node');
SELECT is(cancel(11), '2200H | sequence ordcancel.event_id_seq has no more numbers for node 0'
          ' | A node has 8796093022207 numbers. | Set ordcancel.node_id to a higher number that no other database has.',
          'there are no more');
SELECT is(left(cancel(11), 5), '2200H', 'also not for the next call');
SET LOCAL ordcancel.node_id = 2;
SELECT is(cancel(11), 'ok', 'a higher node has some');
ROLLBACK TO before;

-- ----------------------------------------------------------- records of other nodes

-- As replication brings them.
SELECT setval('ordcancel.event_id_seq', (2::bigint << 43) + 50),
       setval('ordcancel.cancellation_id_seq', (2::bigint << 43) + 50);
SET LOCAL ordcancel.node_id = 2;
SET LOCAL session_replication_role = replica;
CREATE FUNCTION put(node bigint, number bigint) RETURNS void LANGUAGE sql AS $$
INSERT INTO shop.orders_cancellation (cancellation_id, order_id, order_key, state, requested_by, policy, requested_at)
VALUES ((node << 43) + number, number, number, 'undone', 'merchant', 'default', now())
$$;
SELECT put(1, 900), put(2, 40), put(7, 12);
SET LOCAL session_replication_role = origin;
SELECT is(behind(), NULL, 'records of other nodes are no problem');
SELECT ordcancel.attach('shop.orders', 'status');
SELECT is((SELECT last_value FROM ordcancel.cancellation_id_seq), (2::bigint << 43) + 50,
          'and attach does not follow them');
SELECT is(cancel(20) || ' ' || ids(20), 'ok 2:51 2:51', 'ids stay those of the node');
SET LOCAL session_replication_role = replica;
SELECT put(2, 60);
SET LOCAL session_replication_role = origin;
SELECT is(behind() ~ '^Sequence ordcancel.cancellation_id_seq is at ', true, 'one of this node is');
SELECT ordcancel.attach('shop.orders', 'status');
SELECT is((SELECT last_value FROM ordcancel.cancellation_id_seq), (2::bigint << 43) + 60, 'attach follows that');
-- A replica that takes over: its sequence was never called.
SELECT setval('ordcancel.cancellation_id_seq', 1, false);
SET LOCAL ordcancel.node_id = 7;
SELECT ordcancel.attach('shop.orders', 'status');
SELECT is((SELECT last_value FROM ordcancel.cancellation_id_seq), (7::bigint << 43) + 12,
          'a database that takes over the node goes on where it stopped');
SELECT is(cancel(21) || ' ' || split_part(ids(21), ' ', 1), 'ok 7:13', 'with the next number');

SELECT * FROM finish();
ROLLBACK;
