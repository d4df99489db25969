-- The schema, and the parents of the record tables.

CREATE SCHEMA ordcancel;
COMMENT ON SCHEMA ordcancel IS 'cancelling orders safely: functions, configuration, and the parents of the record tables';
GRANT USAGE ON SCHEMA ordcancel TO PUBLIC;

-- What is not for callers stands apart, so that GRANT ... ON ALL FUNCTIONS IN
-- SCHEMA ordcancel gives no way around. Nobody but the extension's owner has
-- USAGE: triggers and views that stand there need none.
CREATE SCHEMA ordcancel_internal;
COMMENT ON SCHEMA ordcancel_internal IS 'what ordcancel needs for itself: trigger functions and helpers; nobody else may use it';

CREATE SEQUENCE ordcancel.cancellation_id_seq;
COMMENT ON SEQUENCE ordcancel.cancellation_id_seq IS 'ids of the cancellations of all order tables';
CREATE SEQUENCE ordcancel.event_id_seq;
COMMENT ON SEQUENCE ordcancel.event_id_seq IS 'ids of the events of all order tables';

-- Each attached table has a child of this one beside it; the child adds the
-- order's key. Columns are only ever appended. No CHECK constraints on words:
-- src/words.c is the only writer of them, and PostgreSQL parses a CHECK anew
-- for every INSERT that is run.
CREATE TABLE ordcancel.cancellation (
    cancellation_id bigint NOT NULL,
    order_key text NOT NULL,
    state text NOT NULL,
    requested_by text NOT NULL,
    requested_actor text,
    decided_by text,
    decided_actor text,
    reason text,
    note text,
    decision_note text,
    undo_note text,
    prior_status text,
    policy text NOT NULL,
    request_key text,
    refund_due numeric,
    refunded numeric,
    requested_at timestamptz NOT NULL,
    decided_at timestamptz,
    closed_at timestamptz,
    deadline timestamptz,
    order_status text
);
COMMENT ON TABLE ordcancel.cancellation IS 'cancellations of all attached order tables: one row per attempt, from the ask to its end; written by ordcancel alone';
COMMENT ON COLUMN ordcancel.cancellation.order_key IS 'the order''s key as text; the key itself is in the columns that the child adds';
COMMENT ON COLUMN ordcancel.cancellation.state IS 'requested, in_progress or canceled while it is live; denied, withdrawn or undone when it has ended';
COMMENT ON COLUMN ordcancel.cancellation.requested_by IS 'the party that asked: customer, merchant or system';
COMMENT ON COLUMN ordcancel.cancellation.decided_by IS 'the party that accepted or denied it';
COMMENT ON COLUMN ordcancel.cancellation.prior_status IS 'the order''s status before, which it gets back when the cancellation comes to nothing';
COMMENT ON COLUMN ordcancel.cancellation.policy IS 'name of the policy that governed it when it began';
COMMENT ON COLUMN ordcancel.cancellation.refund_due IS 'what had to be refunded when it was accepted';
COMMENT ON COLUMN ordcancel.cancellation.refunded IS 'sum of the refunds recorded so far';
COMMENT ON COLUMN ordcancel.cancellation.closed_at IS 'when it was canceled, or ended';
COMMENT ON COLUMN ordcancel.cancellation.deadline IS 'when an open request is decided by the system';
COMMENT ON COLUMN ordcancel.cancellation.order_status IS 'the order''s status as its last step left it';

CREATE TABLE ordcancel.event (
    event_id bigint NOT NULL,
    cancellation_id bigint NOT NULL,
    order_key text NOT NULL,
    type text NOT NULL,
    from_status text,
    to_status text,
    state text NOT NULL,
    party text NOT NULL,
    actor text,
    session_role name NOT NULL,
    reason text,
    data jsonb,
    at timestamptz NOT NULL,
    source text NOT NULL,
    request_key text,
    -- Consumers read in the order of commits, not of ids. Not xid8, which the
    -- schema tools of users do not know.
    xid bigint NOT NULL
);
COMMENT ON TABLE ordcancel.event IS 'what happened to cancellations, one row for each state reached, in the transaction that reached it; written by ordcancel alone';
COMMENT ON COLUMN ordcancel.event.type IS 'requested, withdrawn, denied, accepted, refunded, canceled, undone or items_canceled';
COMMENT ON COLUMN ordcancel.event.state IS 'the cancellation''s state after it';
COMMENT ON COLUMN ordcancel.event.session_role IS 'the role that had logged in';
COMMENT ON COLUMN ordcancel.event.data IS 'what only this type tells: implicit, moved_to and order_gone of a denial, override, amount and method of a refund';
COMMENT ON COLUMN ordcancel.event.source IS 'the function that did it, or update';
COMMENT ON COLUMN ordcancel.event.request_key IS 'the key that its call was given';
COMMENT ON COLUMN ordcancel.event.xid IS 'the transaction that wrote it: pg_current_xact_id() there';

-- Sequences go with the rows that used them. pg_dump reads them, also that of
-- a database owner who is no superuser.
GRANT SELECT ON SEQUENCE ordcancel.cancellation_id_seq, ordcancel.event_id_seq TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('ordcancel.cancellation_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('ordcancel.event_id_seq', '');

-- What every function that does something to an order returns.
CREATE TYPE ordcancel.outcome AS (
    orders regclass,
    order_id text,
    cancellation_id bigint,
    state text,
    order_status text,
    changed boolean,
    refund_due numeric,
    refunded numeric,
    requested_at timestamptz,
    decided_at timestamptz,
    closed_at timestamptz
);
COMMENT ON TYPE ordcancel.outcome IS 'what has become of an order; changed is false when it was so already';
