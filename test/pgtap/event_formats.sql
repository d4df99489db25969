-- Events as CloudEvents 1.0 and as rows of a Debezium outbox: every type of
-- event, the attributes that the specification requires, ids that no other
-- event has, and nothing that the reader may not see.
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'Asia/Kolkata';
SET LOCAL datestyle = 'SQL, DMY';
SET LOCAL ordcancel.clock = '2026-05-05 12:00:00.25+00';
\ir include/helpers.sql
SELECT plan(51);

CREATE SCHEMA shop;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text DEFAULT 'preparing', due numeric);
INSERT INTO shop.orders (id, due) SELECT n, CASE WHEN n = 1 THEN 9.50 END FROM generate_series(1, 9) AS n;
SELECT ordcancel.attach('shop.orders', 'status', refund_due => 'due');
SELECT ordcancel.set_policy('shop.orders', requested_status => 'asked', in_progress_status => 'refunding',
                            canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.orders', 'preparing', customer => 'request', merchant => 'cancel');
CREATE TABLE shop."Örder Lines" (shop text, "Line" text, state text DEFAULT 'new', PRIMARY KEY (shop, "Line"));
INSERT INTO shop."Örder Lines" VALUES ('é', 'a,"b');
SELECT ordcancel.attach('shop."Örder Lines"', 'state');
SELECT ordcancel.set_policy('shop."Örder Lines"', canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop."Örder Lines"', 'new', merchant => 'cancel');
CREATE TABLE shop.odd (id text PRIMARY KEY, state text DEFAULT 'new');
INSERT INTO shop.odd VALUES (''), (E'two\nlines'), (E'c1\u0085'), ('sp ace');
SELECT ordcancel.attach('shop.odd', 'state');
SELECT ordcancel.set_policy('shop.odd', canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.odd', 'new', merchant => 'cancel');

-- Each type of event, with what only it has.
SELECT ordcancel.request_cancel('shop.orders', 1, 'wont_arrive_in_time', 'a note', actor => 'ann',
                                request_key => 'basket 1'),
       ordcancel.accept_cancel('shop.orders', 1, actor => 'bob'),
       ordcancel.record_refund('shop.orders', 1, 9.50, 'card', 'pay_7', actor => 'bob'),
       ordcancel.undo_cancel('shop.orders', 1, 'found', actor => 'bob', settled => true);
SELECT ordcancel.request_cancel('shop.orders', 2), ordcancel.withdraw_cancel('shop.orders', 2);
SELECT ordcancel.request_cancel('shop.orders', 3);
UPDATE shop.orders SET status = 'shipped' WHERE id = 3;
SELECT ordcancel.cancel_order('shop."Örder Lines"', ROW('é', 'a,"b'));
SELECT ordcancel.cancel_order('shop.odd', id) FROM shop.odd;

-- ----------------------------------------------------------- what CloudEvents wants

SELECT set_eq('SELECT type FROM ordcancel.cloud_events',
              $$SELECT 'ordcancel.' || t
                FROM unnest('{requested,withdrawn,denied,accepted,refunded,canceled,undone}'::text[]) AS t$$,
              'every type of event');
CREATE VIEW formatted AS
SELECT e.*, ordcancel.cloud_event(e) AS cloud_event FROM ordcancel.event AS e;
SELECT is_empty($$SELECT event_id, a, cloud_event->a FROM formatted,
                      unnest('{specversion,id,source,type}'::text[]) AS a
                  WHERE jsonb_typeof(cloud_event->a) IS DISTINCT FROM 'string' OR cloud_event->>a = ''$$,
                'each has the required attributes, as strings that are not empty');
SELECT is_empty($$SELECT event_id, k FROM formatted, jsonb_object_keys(cloud_event) AS k
                  WHERE k <> 'data' AND k !~ '^[a-z0-9]{1,20}$'$$,
                'the names of attributes are lower-case letters and digits');
SELECT is_empty($$SELECT event_id, k, v FROM formatted, jsonb_each_text(cloud_event) AS a (k, v)
                  WHERE k <> 'data' AND (v = '' OR v ~ '[\u0001-\u001f\u007f-\u009f]')$$,
                'no attribute is empty or contains control characters');
SELECT is_empty($$SELECT event_id, cloud_event FROM formatted WHERE cloud_event->>'specversion' <> '1.0'$$,
                'specversion is 1.0');
SELECT is_empty($$SELECT event_id, cloud_event->>'source' FROM formatted
                  WHERE cloud_event->>'source' !~ '^(/([A-Za-z0-9._~-]|%[0-9A-F]{2})+)+$'$$,
                'source is a URI reference');
SELECT is_empty($$SELECT event_id, cloud_event->>'id' FROM formatted
                  WHERE cloud_event->>'id' !~ '^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$'$$,
                'id is a UUID of version 8');
SELECT is_empty($$SELECT event_id, cloud_event->>'time' FROM formatted
                  WHERE cloud_event->>'time' <> '2026-05-05T12:00:00.250000Z'$$,
                'time is as RFC 3339 has it, and in UTC whatever the settings of the session');
SELECT is_empty($$SELECT event_id, cloud_event FROM formatted
                  WHERE cloud_event->>'datacontenttype' <> 'application/json'
                     OR jsonb_typeof(cloud_event->'data') <> 'object'$$,
                'data is JSON');

-- ------------------------------------------------------------------ what it says

SELECT is(array_agg(concat_ws(' ', cloud_event->>'type', cloud_event->>'source', cloud_event->>'subject')
                    ORDER BY event_id),
          '{ordcancel.requested /ordcancel/shop.orders 1,ordcancel.accepted /ordcancel/shop.orders 1,
            ordcancel.refunded /ordcancel/shop.orders 1,ordcancel.canceled /ordcancel/shop.orders 1,
            ordcancel.undone /ordcancel/shop.orders 1}'::text[], 'the life of an order')
FROM formatted WHERE order_key = '1';
SELECT is((cloud_event->'data') - '{event_id,cancellation_id}'::text[],
          '{"orders": "shop.orders", "order_id": "1", "type": "requested", "from": "preparing", "to": "asked",
            "state": "requested", "party": "customer", "actor": "ann", "reason": "wont_arrive_in_time",
            "data": null}'::jsonb,
          'a request')
FROM formatted WHERE order_key = '1' AND type = 'requested';
SELECT is((cloud_event->'data') - '{event_id,cancellation_id}'::text[],
          '{"orders": "shop.orders", "order_id": "1", "type": "refunded", "from": "refunding", "to": "refunding",
            "state": "in_progress", "party": "merchant", "actor": "bob", "reason": "wont_arrive_in_time",
            "data": {"amount": 9.50, "method": "card", "reference": "pay_7", "refunded": 9.50,
                     "refund_due": 9.50}}'::jsonb,
          'a refund')
FROM formatted WHERE order_key = '1' AND type = 'refunded';
SELECT is(cloud_event->'data'->'data', '{"implicit": true, "moved_to": "shipped"}'::jsonb, 'an order that moved on')
FROM formatted WHERE order_key = '3' AND type = 'denied';
SELECT is_empty($$SELECT event_id, cloud_event->'data' FROM formatted
                  WHERE cloud_event->'data' <> jsonb_build_object(
                            'event_id', event_id, 'cancellation_id', cancellation_id, 'orders', orders,
                            'order_id', order_key, 'type', type, 'from', from_status, 'to', to_status, 'state', state,
                            'party', party, 'actor', actor, 'reason', reason, 'data', data)$$,
                'data is what the row says');
SELECT is(cloud_event->>'source', '/ordcancel/shop.%22%C3%96rder%20Lines%22', 'other characters are percent-encoded')
FROM formatted WHERE orders LIKE '%Lines%';
SELECT is(cloud_event->>'subject', '(é,"a,""b")', 'a key of several columns')
FROM formatted WHERE orders LIKE '%Lines%';
SELECT is(array_agg(cloud_event->>'subject' ORDER BY order_key COLLATE "C"), '{NULL,NULL,"sp ace",NULL}',
          'a key that cannot be a subject is none')
FROM formatted WHERE orders = 'shop.odd';
SELECT is(array_agg(cloud_event->'data'->>'order_id' ORDER BY order_key COLLATE "C"),
          ARRAY['', E'c1\u0085', 'sp ace', E'two\nlines'], 'and stays in the data')
FROM formatted WHERE orders = 'shop.odd';
SELECT is(ordcancel.cloud_event(NULL::ordcancel.event), NULL, 'no event, no CloudEvent');
SELECT bag_eq('SELECT ordcancel.cloud_event(e) FROM shop.orders_cancellation_event AS e',
              $$SELECT cloud_event FROM formatted WHERE orders = 'shop.orders'$$,
              'rows of a record table are events too');
CREATE TABLE shop.apart (id integer PRIMARY KEY, state text DEFAULT 'new');
INSERT INTO shop.apart VALUES (1);
SELECT ordcancel.attach('shop.apart', 'state', inherit => false);
SELECT ordcancel.set_policy('shop.apart', canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.apart', 'new', merchant => 'cancel');
SELECT ordcancel.cancel_order('shop.apart', 1);
SELECT is(ordcancel.cloud_event(jsonb_populate_record(NULL::ordcancel.event, to_jsonb(e)))->>'source',
          '/ordcancel/shop.apart', 'and those of tables that do not inherit, converted')
FROM shop.apart_cancellation_event AS e;

-- ------------------------------------------------------------------ its own source

SELECT is(ordcancel.cloud_event(e, 'https://shop.example.com/orders?shop=7'),
          ordcancel.cloud_event(e) || '{"source": "https://shop.example.com/orders?shop=7"}', 'another source')
FROM ordcancel.event AS e WHERE order_key = '1' AND type = 'canceled';
SELECT is(error_of(format('SELECT ordcancel.cloud_event(e, %L) FROM ordcancel.event AS e', source),
                   'sqlstate', 'message'),
          format('22023 | invalid source "%s"', source), format('"%s" is none', source))
FROM unnest('{"",my shop,"a\"b",é,"a<b>"}'::text[]) AS source;

-- -------------------------------------------------------------------- no two alike

CREATE FUNCTION with_column(name text, value text) RETURNS text LANGUAGE sql AS $$
SELECT ordcancel.cloud_event(jsonb_populate_record(
           NULL::ordcancel.event,
           '{"event_id": 8, "cancellation_id": 3, "xid": 7581, "cluster": 7412345678901234567, "order_key": "é",
             "at": "2026-05-05T12:00:00.25Z", "orders": "shop.orders", "type": "canceled"}'::jsonb
           || jsonb_build_object(name, value)))->>'id' $$;
SELECT is((SELECT count(DISTINCT cloud_event->>'id') FROM formatted), (SELECT count(*) FROM ordcancel.event),
          'no two events have the same id');
SELECT is(with_column('event_id', '8'), '95873ed1-39f2-8468-888d-b4681a9a8e92', 'the id of an event never changes');
SELECT isnt(with_column(name, value), with_column('event_id', '8'), 'another ' || name || ' is another event')
FROM (VALUES ('event_id', '9'), ('cancellation_id', '4'), ('at', '2026-05-05T12:00:00.250001Z'), ('type', 'undone'),
             ('orders', 'shop.returns'), ('order_key', '1')) AS v (name, value);
SELECT is(with_column(name, value), with_column('event_id', '8'), 'with another ' || name || ' it is the same event')
FROM (VALUES ('actor', 'somebody'), ('xid', '9'), ('cluster', '9')) AS v (name, value);

-- ----------------------------------------------------------------------- the views

SELECT bag_eq($$SELECT jsonb_set(to_jsonb(c), '{time}', to_jsonb(to_char(c.time AT TIME ZONE 'UTC',
                           'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))) FROM ordcancel.cloud_events AS c$$,
              'SELECT cloud_event FROM formatted', 'cloud_events is what the function returns');
SELECT bag_eq('SELECT id::text, aggregatetype, aggregateid, type, payload, timestamp FROM ordcancel.debezium_outbox',
              $$SELECT cloud_event->>'id' AS id,
                       CASE WHEN orders LIKE '%Lines%' THEN 'shop.__rder_Lines_' ELSE orders END AS orders, order_key,
                       type, cloud_event->'data' AS data, '2026-05-05 12:00:00.25'::timestamp
                FROM formatted$$,
              'debezium_outbox is the same as rows of an outbox');
SELECT is((SELECT string_agg(format('%s %s', attname, atttypid::regtype), ', ' ORDER BY attnum) FROM pg_attribute
           WHERE attrelid = 'ordcancel.debezium_outbox'::regclass),
          'id uuid, aggregatetype text, aggregateid text, type text, payload jsonb,'
          ' timestamp timestamp without time zone',
          'with the types that the router accepts');
SELECT throws_ok('DELETE FROM ordcancel.' || v, '55000', NULL, v || ' is for reading')
FROM unnest('{cloud_events,debezium_outbox}'::text[]) AS v;

-- ------------------------------------------------------------------------ who sees

CREATE ROLE event_formats_feeder;
CREATE FUNCTION seen_by_feeder() RETURNS text
    LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    SET LOCAL ROLE event_formats_feeder;
    result := format('%s %s', (SELECT count(*) FROM ordcancel.cloud_events),
                     (SELECT string_agg(DISTINCT aggregatetype, ',') FROM ordcancel.debezium_outbox));
    RESET ROLE;
    RETURN result;
END $$;
GRANT USAGE ON SCHEMA shop TO event_formats_feeder;
GRANT SELECT ON shop.orders TO event_formats_feeder;
SELECT is(attempt_as('event_formats_feeder', 'TABLE ordcancel.' || v), '42501', v || ' needs EXECUTE on cloud_event')
FROM unnest('{cloud_events,debezium_outbox}'::text[]) AS v;
REVOKE SELECT ON shop.orders FROM event_formats_feeder;
GRANT EXECUTE ON FUNCTION ordcancel.cloud_event TO event_formats_feeder;
SELECT is(seen_by_feeder(), '0 ', 'nothing without SELECT on an order table');
GRANT SELECT ON shop.orders TO event_formats_feeder;
SELECT is(seen_by_feeder(), '9 shop.orders', 'the events of tables that one may read');
ALTER TABLE shop.orders ENABLE ROW LEVEL SECURITY;
SELECT is(seen_by_feeder(), '0 ', 'nothing where row security would hide orders');
CREATE FUNCTION pry(text) RETURNS boolean LANGUAGE plpgsql COST 0.0001
    AS $$ BEGIN RAISE EXCEPTION 'seen: %', $1; END $$;
SELECT is(attempt_as('event_formats_feeder', format('SELECT FROM ordcancel.%s WHERE public.pry(%s)', v, c)), 'ok',
          'not with a cheap function either')
FROM (VALUES ('cloud_events', 'subject'), ('debezium_outbox', 'aggregateid')) AS v (v, c);
ALTER TABLE shop.orders DISABLE ROW LEVEL SECURITY;
SELECT ordcancel.detach('shop.orders');
SELECT is(seen_by_feeder(), '0 ', 'nor those of a table that is detached');

SELECT * FROM finish();
ROLLBACK;
