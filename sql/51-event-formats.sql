-- Events in the formats of CloudEvents and of Debezium

-- An event as a CloudEvent 1.0, in its JSON format.
--   event   a row of ordcancel.event, or of next_events()
--   source  URI or URI reference to use as source; by default /ordcancel/ and
--           the name of the order table
-- The id depends on what a copy of the row keeps, so that consumers recognize an
-- event that was restored or replicated; xid and cluster change on a logical
-- replica. An event that is written later has another one, also where event ids
-- are used again, after a restore or a recovery to a point in time, because its
-- time differs. Raises 22023, 42501.
CREATE FUNCTION ordcancel.cloud_event(event ordcancel.event, source text DEFAULT NULL) RETURNS jsonb
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF event.event_id IS NULL THEN
        RETURN NULL;
    ELSIF source IS NULL AND event.orders ~ '^[A-Za-z0-9_.~-]+$' THEN
        source := '/ordcancel/' || event.orders;
    ELSIF source IS NULL THEN
        source := '/ordcancel/' || (
            SELECT string_agg(CASE WHEN c.char ~ '[A-Za-z0-9_.~-]' THEN c.char
                                   ELSE regexp_replace(upper(encode(convert_to(c.char, 'UTF8'), 'hex')),
                                                       '(..)', '%\1', 'g') END, '' ORDER BY c.n)
            FROM regexp_split_to_table(event.orders, '') WITH ORDINALITY AS c (char, n));
    ELSIF source !~ '^[][A-Za-z0-9_.~:/?#@!$&''()*+,;=%-]+$' THEN
        RAISE EXCEPTION 'invalid source "%"', left(source, 80) USING
            ERRCODE = 'invalid_parameter_value',
            DETAIL = 'A source is a URI or a URI reference, with other characters percent-encoded.';
    END IF;
    RETURN jsonb_build_object(
        'specversion', '1.0',
        -- A UUID of version 8, which is for hashes other than MD5 and SHA-1.
        'id', overlay(overlay(left(encode(sha256(
                int8send(event.event_id) || int8send(event.cancellation_id) || timestamptz_send(event.at)
                || convert_to(concat_ws(E'\n', event.type, event.orders, event.order_key), 'UTF8')), 'hex'), 32)
            PLACING '8' FROM 13) PLACING '8' FROM 17)::uuid,
        'source', source,
        'type', 'ordcancel.' || event.type,
        -- Attributes may be neither empty nor contain control characters.
        'subject', CASE WHEN event.order_key ~ '^[^\u0001-\u001f\u007f-\u009f]+$' THEN event.order_key END,
        'time', to_char(event.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'datacontenttype', 'application/json',
        -- With the names of NOTIFY.
        'data', jsonb_build_object(
            'event_id', event.event_id, 'cancellation_id', event.cancellation_id, 'orders', event.orders,
            'order_id', event.order_key, 'type', event.type, 'from', event.from_status, 'to', event.to_status,
            'state', event.state, 'party', event.party, 'actor', event.actor, 'reason', event.reason,
            'data', event.data));
END
$$;
COMMENT ON FUNCTION ordcancel.cloud_event(ordcancel.event, text) IS
    E'converts an event to a CloudEvent, in its JSON format\nRaises 22023, 42501.';

-- With security_barrier, so that it is not planned if it is not read; see
-- 48-summaries.
CREATE VIEW ordcancel_internal.events WITH (security_barrier) AS
SELECT e.tableoid AS records, e AS event FROM ordcancel.event AS e;
COMMENT ON VIEW ordcancel_internal.events IS 'events of all record tables, read in one scan';
COMMENT ON COLUMN ordcancel_internal.events.records IS 'the record table, or an archive of it';
COMMENT ON COLUMN ordcancel_internal.events.event IS 'the event';

-- The reader needs EXECUTE on cloud_event(), and sees the events of the tables
-- of ordcancel_internal.readable. OFFSET 0 so that the function is called once
-- for each event, not for each column.
CREATE VIEW ordcancel.cloud_events WITH (security_barrier) AS
SELECT c.event->>'specversion' AS specversion, c.event->>'id' AS id, c.event->>'source' AS source,
       c.event->>'type' AS type, c.event->>'subject' AS subject, (c.event->>'time')::timestamptz AS time,
       c.event->>'datacontenttype' AS datacontenttype, c.event->'data' AS data
FROM (SELECT ordcancel.cloud_event(e.event) AS event
      FROM (SELECT s.records, s.event FROM ordcancel_internal.events AS s WHERE ordcancel_internal.reads_at_once()
            UNION ALL
            SELECT a.records, a.record FROM ordcancel_internal.apart_records(NULL::ordcancel.event, false) AS a
            WHERE NOT ordcancel_internal.reads_at_once()) AS e
          JOIN ordcancel_internal.readable AS r ON r.orders = ordcancel_internal.orders_of(e.records)
          JOIN ordcancel.order_table AS t ON t.orders::regclass = r.orders AND t.inherit
      OFFSET 0) AS c;
COMMENT ON VIEW ordcancel.cloud_events IS 'events with the attributes of CloudEvents 1.0';
COMMENT ON COLUMN ordcancel.cloud_events.specversion IS 'version of the specification: 1.0';
COMMENT ON COLUMN ordcancel.cloud_events.id IS 'UUID of the event, the same for every copy of it';
COMMENT ON COLUMN ordcancel.cloud_events.source IS
    'URI reference of the order table, such as /ordcancel/shop.orders';
COMMENT ON COLUMN ordcancel.cloud_events.type IS '"ordcancel." and the type of the event';
COMMENT ON COLUMN ordcancel.cloud_events.subject IS
    'key of the order as text; NULL if it is empty or contains control characters';
COMMENT ON COLUMN ordcancel.cloud_events.time IS 'time of the event';
COMMENT ON COLUMN ordcancel.cloud_events.datacontenttype IS 'media type of data: application/json';
COMMENT ON COLUMN ordcancel.cloud_events.data IS
    'the event: event_id, cancellation_id, orders, order_id, type, from, to, state, party, actor, reason, data';

CREATE VIEW ordcancel.debezium_outbox WITH (security_barrier) AS
SELECT e.id::uuid AS id,
       pg_catalog.regexp_replace(e.data->>'orders', '[^A-Za-z0-9._-]', '_', 'g') AS aggregatetype,
       e.data->>'order_id' AS aggregateid, e.data->>'type' AS type, e.data AS payload,
       e.time AT TIME ZONE 'UTC' AS timestamp
FROM ordcancel.cloud_events AS e;
COMMENT ON VIEW ordcancel.debezium_outbox IS 'events as rows of an outbox table of Debezium''s outbox event router';
COMMENT ON COLUMN ordcancel.debezium_outbox.id IS 'UUID of the event, the same for every copy of it';
COMMENT ON COLUMN ordcancel.debezium_outbox.aggregatetype IS
    'the order table; characters that a Kafka topic cannot have are replaced by _';
COMMENT ON COLUMN ordcancel.debezium_outbox.aggregateid IS 'key of the order as text';
COMMENT ON COLUMN ordcancel.debezium_outbox.type IS 'type of the event, such as canceled';
COMMENT ON COLUMN ordcancel.debezium_outbox.payload IS 'the event, as in cloud_events.data';
COMMENT ON COLUMN ordcancel.debezium_outbox.timestamp IS
    'time of the event, in UTC and without time zone as the router needs it';

GRANT SELECT ON ordcancel.cloud_events, ordcancel.debezium_outbox TO PUBLIC;
