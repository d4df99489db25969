-- Views of consumers

CREATE VIEW ordcancel.consumers WITH (security_barrier) AS
SELECT c.name, c.orders::regclass AS orders, c.types, c.owner, b.events AS lag_events,
       n.now - b.oldest AS lag, b.oldest AS oldest_event_at,
       nullif(c.acknowledged, 0) AS last_event_id, c.acknowledged_at AS last_ack_at, c.delivered_at AS last_read_at,
       w.pid AS worker, c.created_at
FROM ordcancel_internal.clock AS n
    CROSS JOIN ordcancel.consumer AS c
    LEFT JOIN pg_catalog.pg_roles AS r ON r.rolname = c.owner
    CROSS JOIN LATERAL (
        SELECT CASE WHEN r.oid IS NULL
                    THEN (SELECT u.rolsuper FROM pg_catalog.pg_roles AS u WHERE u.rolname = current_user)
                    ELSE pg_catalog.pg_has_role(r.oid, 'USAGE') END) AS m (is_member)
    -- Refuses others, and a join may come before the condition.
    CROSS JOIN LATERAL ordcancel_internal.consumer_backlog(CASE WHEN m.is_member THEN c.name END) AS b
    LEFT JOIN LATERAL (
        SELECT l.pid FROM pg_catalog.pg_locks AS l
        WHERE l.locktype = 'object' AND l.granted AND l.mode = 'ExclusiveLock'
          AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d
                            WHERE d.datname = pg_catalog.current_database())
          AND l.classid = 'ordcancel.consumer'::regclass
          AND l.objid = c.number::pg_catalog.oid
        LIMIT 1) AS w ON true
WHERE m.is_member;
COMMENT ON VIEW ordcancel.consumers IS 'consumers that the reader may use, and how far behind they are';
COMMENT ON COLUMN ordcancel.consumers.name IS 'name of the consumer';
COMMENT ON COLUMN ordcancel.consumers.orders IS 'order table whose events it gets; NULL: of all';
COMMENT ON COLUMN ordcancel.consumers.types IS 'types of events that it gets; NULL: all';
COMMENT ON COLUMN ordcancel.consumers.owner IS 'role whose members may use it';
COMMENT ON COLUMN ordcancel.consumers.lag_events IS 'number of committed events that it has not acknowledged';
COMMENT ON COLUMN ordcancel.consumers.lag IS 'age of the oldest of them; NULL if there are none';
COMMENT ON COLUMN ordcancel.consumers.oldest_event_at IS 'time of the oldest of them';
COMMENT ON COLUMN ordcancel.consumers.last_event_id IS 'event that was acknowledged last';
COMMENT ON COLUMN ordcancel.consumers.last_ack_at IS 'last time that ack() acknowledged events';
COMMENT ON COLUMN ordcancel.consumers.last_read_at IS 'last time that next_events() returned events';
COMMENT ON COLUMN ordcancel.consumers.worker IS
    'process ID of the session whose transaction has it locked at this moment; NULL if none has';
COMMENT ON COLUMN ordcancel.consumers.created_at IS 'time of create_consumer()';

CREATE VIEW ordcancel.skipped_events WITH (security_barrier) AS
SELECT c.name AS consumer, k.event_id, s.orders, s.order_key AS order_id, s.type, s.why, s.skipped_by, s.skipped_at
FROM ordcancel.consumer AS c
    JOIN pg_catalog.pg_roles AS r ON r.rolname = c.owner
    CROSS JOIN LATERAL pg_catalog.unnest(c.skipped) AS k (event_id)
    LEFT JOIN ordcancel_internal.skipped_event AS s ON s.consumer = c.name AND s.event_id = k.event_id
WHERE pg_catalog.pg_has_role(r.oid, 'USAGE');
COMMENT ON VIEW ordcancel.skipped_events IS
    'events that consumers have set aside; after a dump was restored, only their ids are known';
COMMENT ON COLUMN ordcancel.skipped_events.consumer IS 'name of the consumer';
COMMENT ON COLUMN ordcancel.skipped_events.event_id IS 'the event';
COMMENT ON COLUMN ordcancel.skipped_events.orders IS 'the order table';
COMMENT ON COLUMN ordcancel.skipped_events.order_id IS 'key of the order as text';
COMMENT ON COLUMN ordcancel.skipped_events.type IS 'type of the event';
COMMENT ON COLUMN ordcancel.skipped_events.why IS 'why it was set aside; NULL if that was not said';
COMMENT ON COLUMN ordcancel.skipped_events.skipped_by IS 'role that called skip_event()';
COMMENT ON COLUMN ordcancel.skipped_events.skipped_at IS 'time of that call';
