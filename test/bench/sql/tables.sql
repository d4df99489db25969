-- n attached tables with 20 orders each. In one of a hundred a request waits for
-- a decision, and a refund is due.
SET client_min_messages = warning;
CREATE EXTENSION ordcancel;
CREATE SCHEMA shop;
SELECT format('CREATE TABLE shop.orders_%s (id bigint PRIMARY KEY, status text NOT NULL, due numeric)', i),
       format('INSERT INTO shop.orders_%s SELECT id, ''placed'', 5 FROM generate_series(1, 20) AS id', i),
       format('SELECT ordcancel.attach(''shop.orders_%s'', ''status'', refund_due => ''due'')', i),
       format('SELECT ordcancel.set_policy(''shop.orders_%s'', canceled_status => ''canceled'','
              ' decision_timeout => ''1 year'', on_timeout => ''deny'')', i),
       format('SELECT ordcancel.set_rule(''shop.orders_%s'', ''placed'', customer => ''request'','
              ' merchant => ''cancel'')', i)
FROM generate_series(1, :n) AS i \gexec
SELECT ordcancel.request_cancel(format('shop.orders_%s', i)::regclass, 1),
       ordcancel.cancel_order(format('shop.orders_%s', i)::regclass, 2)
FROM generate_series(1, :n, 100) AS i;

-- The same reports through ordcancel.cancellation, the parent of the record tables.
CREATE SCHEMA parent;
CREATE VIEW parent.readable AS
SELECT t.orders::regclass AS orders, t.cancellation_table::oid AS records FROM ordcancel.order_table AS t
WHERE has_table_privilege(t.orders, 'SELECT') AND NOT row_security_active(t.orders::oid);
CREATE VIEW parent.pending_requests AS
SELECT t.orders, c.order_key AS order_id, c.cancellation_id, c.order_status, c.requested_by, c.requested_actor,
       c.reason, c.note, c.policy, c.requested_at, statement_timestamp() - c.requested_at AS age,
       CASE WHEN s.timed THEN c.deadline END AS deadline,
       coalesce(s.timed AND c.deadline <= statement_timestamp(), false) AS overdue
FROM ordcancel.cancellation AS c
    JOIN parent.readable AS t ON t.records = c.tableoid
    LEFT JOIN ordcancel.policy AS p ON p.orders = t.orders AND p.policy = c.policy
    LEFT JOIN ordcancel.policy AS d ON d.orders = t.orders AND d.policy = 'default'
    CROSS JOIN LATERAL (
        SELECT CASE WHEN p.policy IS NULL THEN d.decision_timeout ELSE p.decision_timeout END IS NOT NULL
    ) AS s (timed)
WHERE c.state = 'requested';
CREATE VIEW parent.refunds_due AS
SELECT t.orders, c.order_key AS order_id, c.cancellation_id, c.order_status, c.refund_due, c.refunded,
       c.refund_due - c.refunded AS outstanding, c.decided_by, c.decided_actor, c.reason, c.policy,
       c.decided_at AS due_since, statement_timestamp() - c.decided_at AS age
FROM ordcancel.cancellation AS c
    JOIN parent.readable AS t ON t.records = c.tableoid
WHERE c.state = 'in_progress';
CREATE VIEW parent.overdue AS
SELECT c.tableoid::regclass AS records, c.order_key FROM ordcancel.cancellation AS c
WHERE c.state = 'requested' AND c.deadline <= statement_timestamp() ORDER BY c.deadline;
