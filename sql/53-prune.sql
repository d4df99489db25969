-- prune_events

CREATE FUNCTION ordcancel_internal.delete_events(event_table regclass, before timestamptz, settled bigint)
    RETURNS bigint
    LANGUAGE c STRICT
    AS 'MODULE_PATHNAME', 'ordcancel_delete_events';
COMMENT ON FUNCTION ordcancel_internal.delete_events(regclass, timestamptz, bigint) IS
    'deletes old events of one table, but not those of refunds; returns how many';

-- Events that a consumer has not acknowledged are kept. With a window open,
-- those above the acknowledged one are.
CREATE FUNCTION ordcancel_internal.prune_events(older_than interval) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    before CONSTANT timestamptz := (SELECT c.now FROM ordcancel_internal.clock AS c) - older_than;
    total bigint := 0;
    events record;
BEGIN
    IF older_than IS NULL THEN
        RAISE EXCEPTION 'older_than must not be null' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    -- Late events may be below what is settled, so their notes keep them.
    DELETE FROM ordcancel.late_event AS l
    WHERE l.xid < ALL (SELECT ordcancel_internal.event_horizon_first_xid(c.passed) FROM ordcancel.consumer AS c
                       WHERE c.cluster = l.cluster);
    FOR events IN
        SELECT t.event_table, coalesce(min(s.settled), 9223372036854775807) AS settled
        FROM ordcancel_internal.event_tables() AS t
            LEFT JOIN (
                SELECT c.orders,
                       CASE WHEN c.window_end IS NULL
                            THEN least(ordcancel_internal.event_horizon_settled(c.passed), c.replay_from - 1)
                            ELSE least(ordcancel_internal.event_horizon_settled(c.window_end), c.acknowledged) END
                FROM ordcancel.consumer AS c) AS s (orders, settled)
            ON s.orders IS NULL OR s.orders = t.orders
        GROUP BY t.event_table ORDER BY t.event_table
    LOOP
        total := total + ordcancel_internal.delete_events(events.event_table, before, events.settled);
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
