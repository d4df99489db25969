-- Functions and views of consumers

CREATE FUNCTION ordcancel_internal.event_horizon(previous bigint[]) RETURNS bigint[]
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_event_horizon';
COMMENT ON FUNCTION ordcancel_internal.event_horizon(bigint[]) IS
    'returns the position of a consumer that begins now, given an earlier one';

CREATE FUNCTION ordcancel_internal.event_horizon_settled(horizon bigint[]) RETURNS bigint
    LANGUAGE c STRICT
    AS 'MODULE_PATHNAME', 'ordcancel_event_horizon_settled';
COMMENT ON FUNCTION ordcancel_internal.event_horizon_settled(bigint[]) IS
    'returns the event_id up to which all events were seen or will never be committed';

CREATE FUNCTION ordcancel_internal.event_horizon_first_xid(horizon bigint[]) RETURNS bigint
    LANGUAGE c STRICT
    AS 'MODULE_PATHNAME', 'ordcancel_event_horizon_first_xid';
COMMENT ON FUNCTION ordcancel_internal.event_horizon_first_xid(bigint[]) IS
    'returns the first transaction whose events may not have been seen';

CREATE FUNCTION ordcancel_internal.consumer_backlog(name text, OUT events bigint, OUT oldest timestamptz)
    LANGUAGE c STRICT
    AS 'MODULE_PATHNAME', 'ordcancel_consumer_backlog';
COMMENT ON FUNCTION ordcancel_internal.consumer_backlog(text) IS
    'counts the events that a consumer has not acknowledged';

-- The position of a new consumer. That of another one bounds the IDs of
-- transactions that are running.
CREATE FUNCTION ordcancel_internal.create_consumer(
    name text, orders regclass, types text[], start_at text, owner regrole) RETURNS text
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    known CONSTANT text[] := '{requested,withdrawn,denied,accepted,refunded,adjusted,canceled,items_canceled,undone,'
                             'forgotten}';
    previous bigint[];
    hidden bigint;
BEGIN
    IF coalesce(name, '') = '' THEN
        RAISE EXCEPTION 'name of the consumer must not be empty' USING ERRCODE = 'invalid_parameter_value';
    ELSIF start_at IS NULL OR start_at NOT IN ('now', 'beginning') THEN
        RAISE EXCEPTION 'invalid start_at: %', coalesce(quote_literal(start_at), 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Use ''now'' or ''beginning''.';
    ELSIF types IS NOT NULL
          AND (array_ndims(types) IS DISTINCT FROM 1 OR NOT types <@ known
               OR (SELECT bool_or(t IS NULL) FROM unnest(types) AS t)) THEN
        RAISE EXCEPTION 'invalid types of events: %', types
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = format('Types are %s.', array_to_string(known, ', '));
    END IF;
    SELECT coalesce(c.window_end, c.passed) INTO previous
    FROM ordcancel.consumer AS c
    WHERE c.cluster = (SELECT system_identifier FROM pg_control_system())
      AND c.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    ORDER BY (coalesce(c.window_end, c.passed))[3] DESC LIMIT 1;
    LOOP
        INSERT INTO ordcancel.consumer (name, number, orders, types, owner, cluster, database, passed, replay_from,
                                        created_at)
        SELECT create_consumer.name, nextval('ordcancel_internal.consumer_number_seq'), create_consumer.orders,
               create_consumer.types, r.rolname, s.system_identifier, d.oid,
               ordcancel_internal.event_horizon(previous), CASE start_at WHEN 'beginning' THEN 1 END, n.now
        FROM pg_roles AS r, pg_control_system() AS s, pg_database AS d, ordcancel_internal.clock AS n
        WHERE r.oid = create_consumer.owner AND d.datname = current_database()
        ON CONFLICT DO NOTHING;
        EXIT WHEN FOUND;
        IF EXISTS (SELECT FROM ordcancel.consumer AS c WHERE c.name = create_consumer.name) THEN
            RAISE EXCEPTION 'consumer "%" already exists', name USING ERRCODE = 'duplicate_object';
        END IF;
        -- Otherwise the number is taken, by a consumer that was restored.
    END LOOP;
    SELECT count(*) INTO hidden
    FROM ordcancel.order_table AS t JOIN pg_class AS c ON c.oid = t.orders
    WHERE create_consumer.orders IS NULL AND NOT has_table_privilege(create_consumer.owner, t.orders, 'SELECT');
    IF hidden > 0 THEN
        PERFORM ordcancel_internal.notice(
            format('consumer "%s" gets no events of %s order tables', name, hidden),
            format('Role %s may not read them.', owner));
    END IF;
    RETURN format('consumer "%s" gets %s of %s, from %s on', name,
                  CASE WHEN types IS NULL THEN 'all events' ELSE array_to_string(types, ', ') || ' events' END,
                  coalesce(ordcancel_internal.label(orders), 'all order tables'),
                  CASE start_at WHEN 'now' THEN 'now' ELSE 'the first one' END);
END
$$;
COMMENT ON FUNCTION ordcancel_internal.create_consumer(text, regclass, text[], text, regrole) IS
    'does the work of ordcancel.create_consumer()';

CREATE FUNCTION ordcancel.create_consumer(
    name text, orders regclass DEFAULT NULL, types text[] DEFAULT NULL, start_at text DEFAULT 'now',
    owner regrole DEFAULT NULL) RETURNS text
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_create_consumer';
COMMENT ON FUNCTION ordcancel.create_consumer(text, regclass, text[], text, regrole) IS
    E'creates a consumer of the events of one order table or all, of some types or all, from now or from the beginning'
    '\nRaises OC001, 22023, 42501, 42704, 42710.';

CREATE FUNCTION ordcancel.next_events(name text, max_events integer DEFAULT 100) RETURNS SETOF ordcancel.event
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_next_events';
COMMENT ON FUNCTION ordcancel.next_events(text, integer) IS
    E'returns the next events that a consumer has not acknowledged, or none while another worker reads them'
    '\nRaises OC001, OC014, 22004, 22023, 25006, 42501, 42704.';

CREATE FUNCTION ordcancel.ack(name text, event_id bigint) RETURNS boolean
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_ack';
COMMENT ON FUNCTION ordcancel.ack(text, bigint) IS
    E'acknowledges the delivered events up to this one; returns false if that was done before'
    '\nRaises OC001, OC014, 22004, 22023, 25006, 42501, 42704.';

CREATE FUNCTION ordcancel_internal.rewind_consumer(name text, event_id bigint) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF event_id IS NULL OR event_id < 1 THEN
        RAISE EXCEPTION 'invalid event_id: %', coalesce(event_id::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    -- Events that were set aside are delivered again, too.
    DELETE FROM ordcancel_internal.skipped_event AS s
    WHERE s.consumer = rewind_consumer.name AND s.event_id >= rewind_consumer.event_id;
    UPDATE ordcancel.consumer AS c
    SET skipped = ARRAY(SELECT id FROM unnest(c.skipped) AS id WHERE id < rewind_consumer.event_id ORDER BY id),
        replay_from = least(c.replay_from, rewind_consumer.event_id),
        acknowledged = least(c.acknowledged, rewind_consumer.event_id - 1),
        delivered = least(c.delivered, rewind_consumer.event_id - 1), delivered_all = false
    WHERE c.name = rewind_consumer.name;
    RETURN (SELECT b.events FROM ordcancel_internal.consumer_backlog(rewind_consumer.name) AS b);
END
$$;
COMMENT ON FUNCTION ordcancel_internal.rewind_consumer(text, bigint) IS
    'does the work of ordcancel.rewind_consumer()';

-- Times are not in the order of IDs, so every event table is read.
CREATE FUNCTION ordcancel_internal.rewind_consumer(name text, "to" timestamptz) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    events regclass;
    first_id bigint;
    lowest bigint;
BEGIN
    IF "to" IS NULL THEN
        RAISE EXCEPTION 'time to rewind to must not be null' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    FOR events IN SELECT t.event_table FROM ordcancel_internal.event_tables() AS t LOOP
        -- The block keeps what was read but no lock: there may be thousands of tables.
        BEGIN
            EXECUTE format('SELECT min(event_id) FROM ONLY %s WHERE at >= $1', events) INTO first_id USING "to";
            RAISE EXCEPTION USING ERRCODE = 'OC999';
        EXCEPTION WHEN SQLSTATE 'OC999' THEN
            lowest := least(lowest, first_id);
        END;
    END LOOP;
    IF lowest IS NULL THEN
        RETURN (SELECT b.events FROM ordcancel_internal.consumer_backlog(name) AS b);
    END IF;
    RETURN ordcancel_internal.rewind_consumer(name, lowest);
END
$$;
COMMENT ON FUNCTION ordcancel_internal.rewind_consumer(text, timestamptz) IS
    'does the work of ordcancel.rewind_consumer()';

-- Event tables of order tables that are or were attached, and what inherits
-- from them, without those that others own.
CREATE FUNCTION ordcancel_internal.event_tables(OUT event_table regclass, OUT orders regclass) RETURNS SETOF record
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
WITH RECURSIVE known AS (
    SELECT t.event_table::oid AS event_table, t.orders::oid AS orders FROM ordcancel.order_table AS t
    UNION
    SELECT d.records::oid, d.orders
    FROM ordcancel_internal.detached AS d
        JOIN pg_attribute AS a ON a.attrelid = d.records AND a.attname = 'event_id' AND NOT a.attisdropped
    UNION
    SELECT 'ordcancel.event'::regclass::oid, NULL
), tree AS (
    SELECT k.event_table, k.orders FROM known AS k
    UNION
    SELECT i.inhrelid, t.orders FROM tree AS t JOIN pg_inherits AS i ON i.inhparent = t.event_table
)
SELECT t.event_table, max(t.orders)::regclass
FROM tree AS t
WHERE t.event_table <> 'ordcancel.event'::regclass AND ordcancel_internal.is_trusted(t.event_table)
GROUP BY t.event_table
$$;
COMMENT ON FUNCTION ordcancel_internal.event_tables() IS 'lists the event tables and their order tables';

CREATE FUNCTION ordcancel.rewind_consumer(name text, event_id bigint) RETURNS bigint
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_consumer_gate';
COMMENT ON FUNCTION ordcancel.rewind_consumer(text, bigint) IS
    E'delivers events to a consumer again, from an event or a time on; returns how many it has to read'
    '\nRaises 22004, 22023, 25006, 42501, 42704.';

CREATE FUNCTION ordcancel.rewind_consumer(name text, "to" timestamptz) RETURNS bigint
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_consumer_gate';
COMMENT ON FUNCTION ordcancel.rewind_consumer(text, timestamptz) IS
    E'delivers events to a consumer again, from an event or a time on; returns how many it has to read'
    '\nRaises 22004, 22023, 25006, 42501, 42704.';

-- The event table of an event that a consumer may get, or NULL.
CREATE FUNCTION ordcancel_internal.find_event(name text, event_id bigint) RETURNS regclass
    LANGUAGE c STRICT
    AS 'MODULE_PATHNAME', 'ordcancel_find_event';
COMMENT ON FUNCTION ordcancel_internal.find_event(text, bigint) IS
    'returns the table of an event, if the owner of the consumer may read it';

CREATE FUNCTION ordcancel_internal.skip_event(name text, event_id bigint, why text) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    events CONSTANT regclass := ordcancel_internal.find_event(name, event_id);
    event ordcancel.event;
BEGIN
    IF events IS NULL THEN
        RAISE EXCEPTION 'event % of consumer "%" does not exist', coalesce(event_id::text, 'NULL'), name
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    EXECUTE format('SELECT e.orders, e.order_key, e.type FROM ONLY %s AS e WHERE e.event_id = $1', events)
        INTO event.orders, event.order_key, event.type USING event_id;
    UPDATE ordcancel.consumer AS c
    SET skipped = ARRAY(SELECT id FROM unnest(c.skipped || skip_event.event_id) AS id ORDER BY id)
    WHERE c.name = skip_event.name AND skip_event.event_id <> ALL (c.skipped);
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO ordcancel_internal.skipped_event (consumer, event_id, orders, order_key, type, why, skipped_by)
    VALUES (name, skip_event.event_id, event.orders, event.order_key, event.type, why,
            ordcancel_internal.caller_role());
    RETURN true;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.skip_event(text, bigint, text) IS 'does the work of ordcancel.skip_event()';

CREATE FUNCTION ordcancel.skip_event(name text, event_id bigint, why text DEFAULT NULL) RETURNS boolean
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_consumer_gate';
COMMENT ON FUNCTION ordcancel.skip_event(text, bigint, text) IS
    E'sets an event aside, so that the consumer goes on without it; returns false if that was done before'
    '\nRaises 22004, 22023, 25006, 42501, 42704.';

CREATE FUNCTION ordcancel_internal.drop_consumer(name text) RETURNS void
    LANGUAGE sql
    SET search_path = pg_catalog, pg_temp
    AS $$
DELETE FROM ordcancel_internal.skipped_event AS s WHERE s.consumer = drop_consumer.name;
DELETE FROM ordcancel.consumer AS c WHERE c.name = drop_consumer.name
$$;
COMMENT ON FUNCTION ordcancel_internal.drop_consumer(text) IS 'does the work of ordcancel.drop_consumer()';

CREATE FUNCTION ordcancel.drop_consumer(name text) RETURNS void
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_consumer_gate';
COMMENT ON FUNCTION ordcancel.drop_consumer(text) IS
    E'drops a consumer and its position\nRaises 22004, 25006, 42501, 42704.';
