-- prune_events and prune_cancellations

CREATE FUNCTION ordcancel_internal.delete_events(event_table regclass, before timestamptz, settled bigint)
    RETURNS bigint
    LANGUAGE c STRICT
    AS 'MODULE_PATHNAME', 'ordcancel_delete_events';
COMMENT ON FUNCTION ordcancel_internal.delete_events(regclass, timestamptz, bigint) IS
    'deletes old events of one table, but not those of refunds; returns how many';

CREATE FUNCTION ordcancel_internal.consumer_role_may_read(role name, orders oid) RETURNS boolean
    LANGUAGE c STABLE STRICT
    AS 'MODULE_PATHNAME', 'ordcancel_consumer_role_may_read';
COMMENT ON FUNCTION ordcancel_internal.consumer_role_may_read(name, oid) IS
    'returns whether consumers of a role get the events of an order table';

-- Events above this one may be unread. With a window open, those above the
-- acknowledged one are. Where orders is NULL, only consumers of all tables count. A
-- consumer that gets no events of the table, as its owner may not read it, does not
-- hold them back.
CREATE FUNCTION ordcancel_internal.settled_event(orders regclass) RETURNS bigint
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT coalesce(min(CASE WHEN c.window_end IS NULL
                         THEN least(ordcancel_internal.event_horizon_settled(c.passed), c.replay_from - 1)
                         ELSE least(ordcancel_internal.event_horizon_settled(c.window_end), c.acknowledged) END),
                9223372036854775807)
FROM ordcancel.consumer AS c
WHERE c.orders = settled_event.orders
   OR c.orders IS NULL AND coalesce(ordcancel_internal.consumer_role_may_read(c.owner, settled_event.orders), true)
$$;
COMMENT ON FUNCTION ordcancel_internal.settled_event(regclass) IS
    'returns the event_id up to which every consumer of an order table has acknowledged its events';

CREATE FUNCTION ordcancel_internal.prune_events(older_than interval) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    before CONSTANT timestamptz := (SELECT c.now FROM ordcancel_internal.clock AS c) - older_than;
    total bigint := 0;
    deleted bigint;
    events record;
    tables integer := 0;
    most CONSTANT integer := 500;
    first oid := 0;
BEGIN
    IF older_than IS NULL THEN
        RAISE EXCEPTION 'older_than must not be null' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    -- Late events may be below what is settled, so their notes keep them.
    DELETE FROM ordcancel.late_event AS l
    WHERE l.xid < ALL (SELECT ordcancel_internal.event_horizon_first_xid(c.passed) FROM ordcancel.consumer AS c
                       WHERE c.cluster = l.cluster);
    -- With more tables than a call may lock, it begins at any of them, so that all
    -- have their turn, and one call waits for another.
    IF (SELECT count(*) FROM ordcancel.order_table) > most THEN
        LOCK TABLE ordcancel.late_event IN SHARE UPDATE EXCLUSIVE MODE;
        SELECT t.event_table INTO first FROM ordcancel.order_table AS t ORDER BY random() LIMIT 1;
    END IF;
    FOR events IN
        SELECT t.event_table, ordcancel_internal.settled_event(t.orders) AS settled
        FROM ordcancel_internal.event_tables() AS t ORDER BY t.event_table::oid < first, t.event_table
    LOOP
        -- A table of which nothing is deleted is not kept locked. Those of which
        -- something is are, so a call takes no more than its share of the locks.
        BEGIN
            deleted := ordcancel_internal.delete_events(events.event_table, before, events.settled);
            IF deleted = 0 THEN
                RAISE EXCEPTION USING ERRCODE = 'OC999';
            END IF;
            total := total + deleted;
            tables := tables + 1;
        EXCEPTION WHEN SQLSTATE 'OC999' THEN
            NULL;
        END;
        IF tables = most THEN
            PERFORM ordcancel_internal.notice(
                format('events of %s order tables were deleted; others may have old events, too', tables), NULL,
                'Call ordcancel.prune_events() until it returns 0.');
            EXIT;
        END IF;
    END LOOP;
    RETURN total;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.prune_events(interval) IS 'does the work of ordcancel.prune_events()';

CREATE FUNCTION ordcancel.prune_events(older_than interval) RETURNS bigint
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_open_gate';
COMMENT ON FUNCTION ordcancel.prune_events(interval) IS
    E'deletes events that are older and that every consumer has acknowledged, except those of refunds; returns how many'
    '\nRaises 22004, 42501.';

-- Deletes what prune_cancellations() says, and counts what was kept: as it is in
-- effect, as its amounts count, or as its events are unread.
CREATE FUNCTION ordcancel_internal.delete_cancellations(
    orders regclass, before timestamptz, settled bigint,
    OUT deleted bigint, OUT in_effect bigint, OUT counted bigint, OUT unread bigint)
    LANGUAGE c STRICT
    AS 'MODULE_PATHNAME', 'ordcancel_delete_cancellations';
COMMENT ON FUNCTION ordcancel_internal.delete_cancellations(regclass, timestamptz, bigint) IS
    'deletes old cancellations of one table with their items and events; counts them, and those that it kept';

CREATE FUNCTION ordcancel_internal.prune_cancellations(orders regclass, older_than interval) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    before CONSTANT timestamptz := (SELECT c.now FROM ordcancel_internal.clock AS c) - older_than;
    result record;
    kept bigint;
BEGIN
    IF older_than IS NULL THEN
        RAISE EXCEPTION 'older_than must not be null' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    -- Else archive_records() could copy what is deleted here.
    PERFORM ordcancel_internal.hold_archives(orders);
    SELECT * INTO result
    FROM ordcancel_internal.delete_cancellations(orders, before, ordcancel_internal.settled_event(orders));
    kept := result.in_effect + result.counted + result.unread;
    IF kept > 0 THEN
        PERFORM ordcancel_internal.notice(
            format(CASE kept WHEN 1 THEN '%s old cancellation of %s was kept'
                             ELSE '%s old cancellations of %s were kept' END,
                   kept, ordcancel_internal.label(orders)),
            format('In effect on an order that exists: %s. With refunds or amounts that count: %s.'
                   ' With events that a consumer has not acknowledged: %s.',
                   result.in_effect, result.counted, result.unread));
    END IF;
    RETURN result.deleted;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.prune_cancellations(regclass, interval) IS
    'does the work of ordcancel.prune_cancellations()';

-- Deletes cancellations that closed longer ago than that, with their items and
-- all of their events: those that were denied, withdrawn or undone, and of orders
-- that no longer exist also those that are canceled. Kept are, as long as the
-- order exists, those with refunds, and those of items whose amounts are counted;
-- any whose refund is still due, or one of whose events a consumer has not
-- acknowledged or has set aside. A NOTICE says how many were kept. Returns how
-- many were deleted. Raises OC001, OC014.
CREATE FUNCTION ordcancel.prune_cancellations(orders regclass, older_than interval) RETURNS bigint
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_prune_cancellations';
COMMENT ON FUNCTION ordcancel.prune_cancellations(regclass, interval) IS
    E'deletes old cancellations that have ended, or whose orders are gone, with their events; returns how many'
    '\nRaises OC001, OC014, 22004, 42501.';
