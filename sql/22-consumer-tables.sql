-- The tables of consumers: programs that read the events, each at its own pace

-- Not dumped: create_consumer() goes on until a number is free.
CREATE SEQUENCE ordcancel_internal.consumer_number_seq AS integer CYCLE;
COMMENT ON SEQUENCE ordcancel_internal.consumer_number_seq IS 'numbers of consumers';

CREATE TABLE ordcancel.consumer (
    name text PRIMARY KEY,
    number integer NOT NULL UNIQUE,
    orders ordcancel_internal.table_ref,
    types text[],
    owner name NOT NULL,
    created_at timestamptz NOT NULL,
    cluster bigint NOT NULL,
    database oid NOT NULL,
    passed bigint[] NOT NULL,
    window_end bigint[],
    replay_from bigint,
    acknowledged bigint NOT NULL DEFAULT 0,
    delivered bigint NOT NULL DEFAULT 0,
    delivered_all boolean NOT NULL DEFAULT false,
    delivered_at timestamptz,
    acknowledged_at timestamptz,
    waiting_since timestamptz,
    polled_at timestamptz,
    skipped bigint[] NOT NULL DEFAULT '{}'
)
-- Updated with every batch: most updates find room on the same page, and so do
-- not grow the index.
WITH (fillfactor = 10);
COMMENT ON TABLE ordcancel.consumer IS 'consumers and their positions among the events';
COMMENT ON COLUMN ordcancel.consumer.name IS 'name of the consumer';
COMMENT ON COLUMN ordcancel.consumer.number IS 'number by which it is locked';
COMMENT ON COLUMN ordcancel.consumer.orders IS 'order table whose events it gets; NULL: of all';
COMMENT ON COLUMN ordcancel.consumer.types IS 'types of events that it gets; NULL: all';
COMMENT ON COLUMN ordcancel.consumer.owner IS
    'role whose members may use it, and whose right to read the order tables decides which events it gets';
COMMENT ON COLUMN ordcancel.consumer.created_at IS 'time of create_consumer()';
COMMENT ON COLUMN ordcancel.consumer.cluster IS
    'database cluster of the transaction IDs in its position: system_identifier of pg_control_system()';
COMMENT ON COLUMN ordcancel.consumer.database IS 'OID of the database that its position is of';
COMMENT ON COLUMN ordcancel.consumer.passed IS
    'horizon up to which all events are acknowledged, as src/consumer/event_horizon.h explains';
COMMENT ON COLUMN ordcancel.consumer.window_end IS
    'horizon up to which events are being delivered; NULL: none are';
COMMENT ON COLUMN ordcancel.consumer.replay_from IS
    'event_id from which events are delivered again; NULL: none are';
COMMENT ON COLUMN ordcancel.consumer.acknowledged IS 'event_id up to which the window is acknowledged';
COMMENT ON COLUMN ordcancel.consumer.delivered IS 'event_id up to which the window was delivered';
COMMENT ON COLUMN ordcancel.consumer.delivered_all IS 'whether that is the last event of the window';
COMMENT ON COLUMN ordcancel.consumer.delivered_at IS 'last time that next_events() returned events';
COMMENT ON COLUMN ordcancel.consumer.acknowledged_at IS 'last time that ack() acknowledged events';
COMMENT ON COLUMN ordcancel.consumer.waiting_since IS
    'time since which delivered events have not been acknowledged; NULL: none are delivered';
COMMENT ON COLUMN ordcancel.consumer.polled_at IS 'time of the last call of next_events(), to within ten minutes';
COMMENT ON COLUMN ordcancel.consumer.skipped IS 'event_ids that were set aside by skip_event(), in ascending order';

-- What skipped_events shows of the events in consumer.skipped. Not dumped, since
-- a dump by an owner of the database could contain only what everybody may read.
CREATE TABLE ordcancel_internal.skipped_event (
    consumer text NOT NULL,
    event_id bigint NOT NULL,
    orders text NOT NULL,
    order_key text NOT NULL,
    type text NOT NULL,
    why text,
    skipped_by name NOT NULL,
    skipped_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    PRIMARY KEY (consumer, event_id)
);
COMMENT ON TABLE ordcancel_internal.skipped_event IS 'events that skip_event() has set aside';
COMMENT ON COLUMN ordcancel_internal.skipped_event.consumer IS 'name of the consumer that does not get it';
COMMENT ON COLUMN ordcancel_internal.skipped_event.event_id IS 'the event';
COMMENT ON COLUMN ordcancel_internal.skipped_event.orders IS 'the order table';
COMMENT ON COLUMN ordcancel_internal.skipped_event.order_key IS 'key of the order as text';
COMMENT ON COLUMN ordcancel_internal.skipped_event.type IS 'type of the event';
COMMENT ON COLUMN ordcancel_internal.skipped_event.why IS 'why it was set aside; NULL if that was not said';
COMMENT ON COLUMN ordcancel_internal.skipped_event.skipped_by IS 'role that called skip_event()';
COMMENT ON COLUMN ordcancel_internal.skipped_event.skipped_at IS 'time of that call';

-- Events that replication inserted with an ID that the sequence had passed. A
-- consumer finds others above the last ID of its position, and these here. Dumped
-- and replicated, for the positions that are moved along.
CREATE TABLE ordcancel.late_event (
    cluster bigint NOT NULL,
    xid bigint NOT NULL,
    event_id bigint NOT NULL,
    PRIMARY KEY (cluster, xid, event_id)
);
COMMENT ON TABLE ordcancel.late_event IS
    'events that arrived by replication after the sequence had passed their IDs; prune_events() empties it';
COMMENT ON COLUMN ordcancel.late_event.cluster IS 'database cluster of that transaction';
COMMENT ON COLUMN ordcancel.late_event.xid IS 'transaction that inserted it';
COMMENT ON COLUMN ordcancel.late_event.event_id IS 'the event';
GRANT SELECT ON ordcancel.late_event TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('ordcancel.late_event', '');

CREATE TRIGGER guard_config BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON ordcancel.consumer
    FOR EACH STATEMENT EXECUTE FUNCTION ordcancel_internal.guard_config();
CREATE TRIGGER guard_config BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON ordcancel_internal.skipped_event
    FOR EACH STATEMENT EXECUTE FUNCTION ordcancel_internal.guard_config();
CREATE TRIGGER guard_config BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON ordcancel.late_event
    FOR EACH STATEMENT EXECUTE FUNCTION ordcancel_internal.guard_config();
ALTER TABLE ordcancel.late_event ENABLE ALWAYS TRIGGER guard_config;
ALTER TABLE ordcancel.consumer ENABLE ALWAYS TRIGGER guard_config;
ALTER TABLE ordcancel_internal.skipped_event ENABLE ALWAYS TRIGGER guard_config;
CREATE TRIGGER skip_dropped_tables BEFORE INSERT ON ordcancel.consumer FOR EACH ROW WHEN (NEW.orders = 0)
    EXECUTE FUNCTION ordcancel_internal.skip_dropped_tables();
ALTER TABLE ordcancel.consumer ENABLE ALWAYS TRIGGER skip_dropped_tables;
SELECT pg_catalog.pg_extension_config_dump('ordcancel.consumer', '');
GRANT SELECT ON ordcancel.consumer TO PUBLIC;
