-- Trigger functions, for which attach() creates triggers on the order tables and
-- the record tables

CREATE FUNCTION ordcancel_internal.guard_update() RETURNS trigger
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_guard_update';
COMMENT ON FUNCTION ordcancel_internal.guard_update() IS
    'trigger, AFTER UPDATE of an order: decides on a change of status, and records it';

CREATE FUNCTION ordcancel_internal.guard_insert() RETURNS trigger
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_guard_insert';
COMMENT ON FUNCTION ordcancel_internal.guard_insert() IS
    'trigger, AFTER INSERT of an order: refuses an order that begins with an open cancellation';

CREATE FUNCTION ordcancel_internal.guard_delete() RETURNS trigger
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_guard_delete';
COMMENT ON FUNCTION ordcancel_internal.guard_delete() IS
    'trigger, AFTER DELETE of an order: refuses it unless the rule says deletable';

CREATE FUNCTION ordcancel_internal.guard_truncate() RETURNS trigger
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_guard_truncate';
COMMENT ON FUNCTION ordcancel_internal.guard_truncate() IS 'trigger, BEFORE TRUNCATE of an order table: refuses it';

CREATE FUNCTION ordcancel_internal.guard_record() RETURNS trigger
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_guard_record';
COMMENT ON FUNCTION ordcancel_internal.guard_record() IS
    'trigger: refuses writes to record tables by others than ordcancel';

CREATE FUNCTION ordcancel_internal.raise_sequence(sequence regclass, id bigint) RETURNS void
    LANGUAGE c STRICT
    AS 'MODULE_PATHNAME', 'ordcancel_raise_sequence';
COMMENT ON FUNCTION ordcancel_internal.raise_sequence(regclass, bigint) IS
    'moves a sequence to an id, unless it is there or beyond';

-- Of consumers, whose table was created before.
CREATE FUNCTION ordcancel_internal.position_arrived() RETURNS trigger
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_position_arrived';
COMMENT ON FUNCTION ordcancel_internal.position_arrived() IS
    'keeps event ids above the position of a consumer that replication inserts or updates';
CREATE TRIGGER position_arrived BEFORE INSERT OR UPDATE ON ordcancel.consumer
    FOR EACH ROW EXECUTE FUNCTION ordcancel_internal.position_arrived();
ALTER TABLE ordcancel.consumer ENABLE REPLICA TRIGGER position_arrived;

CREATE FUNCTION ordcancel_internal.event_arrived() RETURNS trigger
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_event_arrived';
COMMENT ON FUNCTION ordcancel_internal.event_arrived() IS
    'trigger, BEFORE INSERT of an event by replication: gives it the transaction that inserts it here';

CREATE FUNCTION ordcancel_internal.guard_child() RETURNS trigger
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_guard_child';
COMMENT ON FUNCTION ordcancel_internal.guard_child() IS
    'trigger, AFTER INSERT or UPDATE of a child table: refuses rows of orders that are being canceled';

CREATE FUNCTION ordcancel_internal.guard_item() RETURNS trigger
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_guard_item';
COMMENT ON FUNCTION ordcancel_internal.guard_item() IS
    'trigger, AFTER INSERT, UPDATE or DELETE of an item: protects canceled units, and orders that are being canceled';

CREATE FUNCTION ordcancel_internal.guard_item_truncate() RETURNS trigger
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_guard_item_truncate';
COMMENT ON FUNCTION ordcancel_internal.guard_item_truncate() IS
    'trigger, BEFORE TRUNCATE of a table of items: refuses it';

-- The parents have no rows of their own, but a write to a parent also writes to
-- its children.
CREATE TRIGGER guard_record BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON ordcancel.cancellation
    FOR EACH STATEMENT EXECUTE FUNCTION ordcancel_internal.guard_record();
CREATE TRIGGER guard_record BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON ordcancel.event
    FOR EACH STATEMENT EXECUTE FUNCTION ordcancel_internal.guard_record();
CREATE TRIGGER guard_record BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON ordcancel.cancellation_item
    FOR EACH STATEMENT EXECUTE FUNCTION ordcancel_internal.guard_record();
