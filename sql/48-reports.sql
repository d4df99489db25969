-- Reports on open cancellations. Every role may read them, and sees the
-- cancellations of tables on which it has SELECT and is not restricted by
-- row-level security. Tables attached with inherit => false are not included.
-- security_barrier, because otherwise a cheap function of the caller could see
-- hidden rows.
--
-- The conditions match the partial indexes on the record tables, so that a
-- report does not read closed cancellations.

CREATE VIEW ordcancel_internal.readable AS
SELECT t.orders::regclass AS orders, t.cancellation_table::regclass AS cancellation_table,
       coalesce(nullif(pg_catalog.current_setting('ordcancel.clock', true), '')::timestamptz,
                pg_catalog.statement_timestamp()) AS now
FROM ordcancel.order_table AS t
WHERE pg_catalog.has_table_privilege(t.orders, 'SELECT')
  AND NOT pg_catalog.row_security_active(t.orders::pg_catalog.oid);
COMMENT ON VIEW ordcancel_internal.readable IS 'order tables whose cancellations the reader may see';
COMMENT ON COLUMN ordcancel_internal.readable.orders IS 'the order table';
COMMENT ON COLUMN ordcancel_internal.readable.cancellation_table IS 'record table of its cancellations';
COMMENT ON COLUMN ordcancel_internal.readable.now IS
    'current time for reports: that of the statement, or ordcancel.clock';

CREATE VIEW ordcancel.pending_requests WITH (security_barrier) AS
SELECT t.orders, c.order_key AS order_id, c.cancellation_id, c.order_status, c.requested_by, c.requested_actor,
       c.reason, c.note, c.policy, c.requested_at, t.now - c.requested_at AS age,
       CASE WHEN timed THEN c.deadline END AS deadline, coalesce(timed AND c.deadline <= t.now, false) AS overdue
FROM ordcancel.cancellation AS c
    JOIN ordcancel_internal.readable AS t ON t.cancellation_table = c.tableoid
    LEFT JOIN ordcancel.policy AS p ON p.orders = t.orders AND p.policy = c.policy
    LEFT JOIN ordcancel.policy AS d ON d.orders = t.orders AND d.policy = 'default'
    -- sweep() ignores deadlines if the policy no longer has a decision_timeout.
    CROSS JOIN LATERAL (
        SELECT CASE WHEN p.policy IS NULL THEN d.decision_timeout ELSE p.decision_timeout END IS NOT NULL AS timed) AS s
WHERE c.state = 'requested';
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

CREATE VIEW ordcancel.refunds_due WITH (security_barrier) AS
SELECT t.orders, c.order_key AS order_id, c.cancellation_id, c.order_status, c.refund_due, c.refunded,
       c.refund_due - c.refunded AS outstanding, c.decided_by, c.decided_actor, c.reason, c.policy,
       c.decided_at AS due_since, t.now - c.decided_at AS age
FROM ordcancel.cancellation AS c
    JOIN ordcancel_internal.readable AS t ON t.cancellation_table = c.tableoid
WHERE c.state = 'in_progress';
COMMENT ON VIEW ordcancel.refunds_due IS 'cancellations that are accepted and not fully refunded';
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

GRANT SELECT ON ordcancel.pending_requests, ordcancel.refunds_due TO PUBLIC;
