-- Reports on open cancellations. Every role may read them, and sees the
-- cancellations of the orders on which it has SELECT. security_barrier, because
-- otherwise a cheap function of the caller could see hidden rows.
--
-- These views do not read ordcancel.cancellation as those of 48-summaries do:
-- with a thousand attached tables PostgreSQL would plan a scan of each and lock
-- it, with all its indexes, until the transaction ends. What is open is asked for
-- every few seconds, and is little.

-- The cancellations of an attached table that are requested, or of which a refund
-- is due, as far as the reader may see them. Reads them through a partial index,
-- and keeps no lock. Returns no rows if the record table is
-- missing or broken; health() reports that. Not for parallel plans: it may begin
-- subtransactions.
CREATE FUNCTION ordcancel_internal.open_cancellations(orders regclass, cancellation_table regclass, what text)
    RETURNS SETOF ordcancel.cancellation
    LANGUAGE c STABLE STRICT ROWS 10
    AS 'MODULE_PATHNAME', 'ordcancel_open_cancellations';
COMMENT ON FUNCTION ordcancel_internal.open_cancellations(regclass, regclass, text) IS
    'reads the cancellations of a table that are requested, or of which a refund is due, if the caller may see them';

-- False if open_cancellations() would return no rows. It decides that sooner than
-- the executor begins and ends a scan of the function.
CREATE FUNCTION ordcancel_internal.any_open_cancellations(orders regclass, cancellation_table regclass, what text)
    RETURNS boolean
    LANGUAGE c STABLE STRICT
    AS 'MODULE_PATHNAME', 'ordcancel_any_open_cancellations';
COMMENT ON FUNCTION ordcancel_internal.any_open_cancellations(regclass, regclass, text) IS
    'returns whether open_cancellations() may have rows';

CREATE FUNCTION ordcancel_internal.check_cancellations(cancellation_table regclass) RETURNS void
    LANGUAGE c STABLE STRICT
    AS 'MODULE_PATHNAME', 'ordcancel_check_cancellations';
COMMENT ON FUNCTION ordcancel_internal.check_cancellations(regclass) IS
    'raises OC014 if open_cancellations() cannot read the table';

CREATE VIEW ordcancel.pending_requests WITH (security_barrier) AS
SELECT t.orders::regclass AS orders, c.order_key AS order_id, c.cancellation_id, c.order_status, c.requested_by,
       c.requested_actor, c.reason, c.note, c.policy, c.requested_at, n.now - c.requested_at AS age,
       CASE WHEN s.timed THEN c.deadline END AS deadline, coalesce(s.timed AND c.deadline <= n.now, false) AS overdue,
       c.scope
FROM ordcancel_internal.clock AS n
    CROSS JOIN ordcancel.order_table AS t
    CROSS JOIN LATERAL ordcancel_internal.open_cancellations(t.orders, t.cancellation_table, 'requested') AS c
    LEFT JOIN ordcancel.policy AS p ON p.orders = t.orders AND p.policy = c.policy
    LEFT JOIN ordcancel.policy AS d ON d.orders = t.orders AND d.policy = 'default'
    -- sweep() ignores deadlines if the policy no longer has a decision_timeout.
    CROSS JOIN LATERAL (
        SELECT CASE WHEN p.policy IS NULL THEN d.decision_timeout ELSE p.decision_timeout END IS NOT NULL
    ) AS s (timed)
WHERE ordcancel_internal.any_open_cancellations(t.orders, t.cancellation_table, 'requested');
COMMENT ON VIEW ordcancel.pending_requests IS 'requests that wait for a decision';
COMMENT ON COLUMN ordcancel.pending_requests.orders IS 'the order table';
COMMENT ON COLUMN ordcancel.pending_requests.order_id IS 'key of the order as text';
COMMENT ON COLUMN ordcancel.pending_requests.cancellation_id IS 'number of the cancellation';
COMMENT ON COLUMN ordcancel.pending_requests.order_status IS 'status of the order as the request left it';
COMMENT ON COLUMN ordcancel.pending_requests.requested_by IS 'party that requested it: customer or merchant';
COMMENT ON COLUMN ordcancel.pending_requests.requested_actor IS 'who requested it';
COMMENT ON COLUMN ordcancel.pending_requests.reason IS 'reason of the request; NULL if none was given';
COMMENT ON COLUMN ordcancel.pending_requests.note IS 'note of the request; NULL if none was given';
COMMENT ON COLUMN ordcancel.pending_requests.policy IS 'name of the policy that governed it when it began';
COMMENT ON COLUMN ordcancel.pending_requests.requested_at IS 'time of the request';
COMMENT ON COLUMN ordcancel.pending_requests.age IS 'time since the request';
COMMENT ON COLUMN ordcancel.pending_requests.deadline IS
    'time from which sweep() decides it; NULL if its policy has no decision_timeout';
COMMENT ON COLUMN ordcancel.pending_requests.overdue IS 'whether sweep() would decide it now';
COMMENT ON COLUMN ordcancel.pending_requests.scope IS 'what is to be canceled: order, or items for a part of it';

CREATE VIEW ordcancel.refunds_due WITH (security_barrier) AS
SELECT t.orders::regclass AS orders, c.order_key AS order_id, c.cancellation_id, c.order_status, c.refund_due,
       c.refunded, c.refund_due - c.refunded AS outstanding, c.decided_by, c.decided_actor, c.reason, c.policy,
       c.decided_at AS due_since, n.now - c.decided_at AS age, c.scope, c.state
FROM ordcancel_internal.clock AS n
    CROSS JOIN ordcancel.order_table AS t
    CROSS JOIN LATERAL ordcancel_internal.open_cancellations(t.orders, t.cancellation_table, 'refund_due') AS c
WHERE ordcancel_internal.any_open_cancellations(t.orders, t.cancellation_table, 'refund_due');
COMMENT ON VIEW ordcancel.refunds_due IS
    'cancellations that are accepted and not fully refunded: in progress, or canceled with settlement after_canceled';
COMMENT ON COLUMN ordcancel.refunds_due.orders IS 'the order table';
COMMENT ON COLUMN ordcancel.refunds_due.order_id IS 'key of the order as text';
COMMENT ON COLUMN ordcancel.refunds_due.cancellation_id IS 'number of the cancellation';
COMMENT ON COLUMN ordcancel.refunds_due.order_status IS 'status of the order as the last step left it';
COMMENT ON COLUMN ordcancel.refunds_due.refund_due IS 'amount to be refunded in all';
COMMENT ON COLUMN ordcancel.refunds_due.refunded IS 'sum of the refunds recorded so far';
COMMENT ON COLUMN ordcancel.refunds_due.outstanding IS 'amount still to be refunded';
COMMENT ON COLUMN ordcancel.refunds_due.decided_by IS 'party that accepted it';
COMMENT ON COLUMN ordcancel.refunds_due.decided_actor IS 'who accepted it';
COMMENT ON COLUMN ordcancel.refunds_due.reason IS 'reason of the cancellation; NULL if none was given';
COMMENT ON COLUMN ordcancel.refunds_due.policy IS 'name of the policy that governed it when it began';
COMMENT ON COLUMN ordcancel.refunds_due.due_since IS 'time at which it was accepted';
COMMENT ON COLUMN ordcancel.refunds_due.age IS 'time since then';
COMMENT ON COLUMN ordcancel.refunds_due.scope IS 'what is canceled: order, or items for a part of it';
COMMENT ON COLUMN ordcancel.refunds_due.state IS 'in_progress, or canceled if the order was canceled before the refund';

GRANT SELECT ON ordcancel.pending_requests, ordcancel.refunds_due TO PUBLIC;

-- The same for one table. Raises OC014 if its records are missing or broken.
CREATE FUNCTION ordcancel_internal.pending_requests(orders regclass) RETURNS SETOF ordcancel.pending_requests
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    PERFORM ordcancel_internal.check_cancellations(t.cancellation_table)
    FROM ordcancel.order_table AS t WHERE t.orders = pending_requests.orders;
    RETURN QUERY SELECT * FROM ordcancel.pending_requests AS r WHERE r.orders = pending_requests.orders;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.pending_requests(regclass) IS 'implements ordcancel.pending_requests()';

-- The requests of an attached table that wait for a decision: the rows that the
-- view ordcancel.pending_requests has of it. Reads no other table. Raises
-- OC001, OC014, 42501.
CREATE FUNCTION ordcancel.pending_requests(orders regclass) RETURNS SETOF ordcancel.pending_requests
    LANGUAGE c STABLE ROWS 10
    AS 'MODULE_PATHNAME', 'ordcancel_row_reader_gate';
COMMENT ON FUNCTION ordcancel.pending_requests(regclass) IS
    E'lists the requests of an order table that wait for a decision\nRaises OC001, OC014, 42501.';

CREATE FUNCTION ordcancel_internal.refunds_due(orders regclass) RETURNS SETOF ordcancel.refunds_due
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    PERFORM ordcancel_internal.check_cancellations(t.cancellation_table)
    FROM ordcancel.order_table AS t WHERE t.orders = refunds_due.orders;
    RETURN QUERY SELECT * FROM ordcancel.refunds_due AS r WHERE r.orders = refunds_due.orders;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.refunds_due(regclass) IS 'implements ordcancel.refunds_due()';

-- The cancellations of an attached table that are accepted and not fully
-- refunded: the rows that the view ordcancel.refunds_due has of it. Reads no other
-- table. Raises OC001, OC014, 42501.
CREATE FUNCTION ordcancel.refunds_due(orders regclass) RETURNS SETOF ordcancel.refunds_due
    LANGUAGE c STABLE ROWS 10
    AS 'MODULE_PATHNAME', 'ordcancel_row_reader_gate';
COMMENT ON FUNCTION ordcancel.refunds_due(regclass) IS
    E'lists the cancellations of an order table that are accepted and not fully refunded\nRaises OC001, OC014, 42501.';
