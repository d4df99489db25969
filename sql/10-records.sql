-- The schemas, and the parents of the record tables

CREATE SCHEMA ordcancel;
COMMENT ON SCHEMA ordcancel IS
    'functions, configuration and reports of ordcancel, and the parents of the record tables';
GRANT USAGE ON SCHEMA ordcancel TO PUBLIC;

-- Internal objects are in a separate schema, so that GRANT ... ON ALL FUNCTIONS
-- IN SCHEMA ordcancel does not include them. Only the extension's owner has
-- USAGE on it; its triggers and views do not need it.
CREATE SCHEMA ordcancel_internal;
COMMENT ON SCHEMA ordcancel_internal IS 'internals of ordcancel, for its own use: trigger functions and helpers';

CREATE SEQUENCE ordcancel.cancellation_id_seq;
COMMENT ON SEQUENCE ordcancel.cancellation_id_seq IS 'numbers of cancellations, of all order tables';
CREATE SEQUENCE ordcancel.event_id_seq;
COMMENT ON SEQUENCE ordcancel.event_id_seq IS 'numbers of events, of all order tables';

-- Each attached table has a child of this one, which adds the columns of the
-- order's key. New columns must be appended at the end. There are no CHECK
-- constraints on state and the like: only the C code writes them, and
-- PostgreSQL would parse a CHECK for every INSERT statement.
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
    order_status text,
    scope text NOT NULL DEFAULT 'order',
    refund_owed numeric,
    metadata jsonb,
    prior_values jsonb,
    refund_kept numeric,
    first_closed_at timestamptz
);
COMMENT ON TABLE ordcancel.cancellation IS
    'cancellations of all attached order tables, one row for each attempt to cancel an order;'
    ' written by ordcancel alone';
COMMENT ON COLUMN ordcancel.cancellation.cancellation_id IS
    'number of the cancellation, unique across all order tables';
COMMENT ON COLUMN ordcancel.cancellation.order_key IS 'key of the order as text, such as 42 or (7,42)';
COMMENT ON COLUMN ordcancel.cancellation.state IS
    'requested, in_progress or canceled while it is live; denied, withdrawn or undone when it has ended';
COMMENT ON COLUMN ordcancel.cancellation.requested_by IS 'party that requested it: customer, merchant or system';
COMMENT ON COLUMN ordcancel.cancellation.requested_actor IS
    'who requested it: the actor of the call, ordcancel.actor, or the role; NULL once forgotten';
COMMENT ON COLUMN ordcancel.cancellation.decided_by IS
    'party that accepted or denied it: customer, merchant or system; NULL if it was neither';
COMMENT ON COLUMN ordcancel.cancellation.decided_actor IS
    'who accepted or denied it; NULL if nobody did, or once forgotten';
COMMENT ON COLUMN ordcancel.cancellation.reason IS
    'code of ordcancel.reason, given with the request or when it was accepted; NULL if none was given';
COMMENT ON COLUMN ordcancel.cancellation.note IS 'note of the request; NULL if none was given';
COMMENT ON COLUMN ordcancel.cancellation.decision_note IS
    'note with which it was accepted, denied or withdrawn; NULL if none was given';
COMMENT ON COLUMN ordcancel.cancellation.undo_note IS 'note with which it was undone; NULL if none was given';
COMMENT ON COLUMN ordcancel.cancellation.prior_status IS
    'status of the order before it, restored when it is denied, withdrawn or undone';
COMMENT ON COLUMN ordcancel.cancellation.policy IS 'name of the policy that governed it when it began';
COMMENT ON COLUMN ordcancel.cancellation.request_key IS 'request_key of the call that began it; NULL if none was given';
COMMENT ON COLUMN ordcancel.cancellation.refund_due IS
    'amount to be refunded, fixed when it was accepted or adjusted; NULL before that, or if refund_due is not'
    ' configured';
COMMENT ON COLUMN ordcancel.cancellation.refunded IS 'sum of the refunds recorded so far; NULL if none was due';
COMMENT ON COLUMN ordcancel.cancellation.requested_at IS 'time at which it was requested';
COMMENT ON COLUMN ordcancel.cancellation.decided_at IS
    'time at which it was accepted or denied; NULL if it was neither';
COMMENT ON COLUMN ordcancel.cancellation.closed_at IS
    'time at which it became canceled, or ended; NULL while it is requested or in progress';
COMMENT ON COLUMN ordcancel.cancellation.deadline IS
    'time from which sweep() decides the request; NULL if the policy had no decision_timeout';
COMMENT ON COLUMN ordcancel.cancellation.order_status IS
    'status of the order as the last step of the cancellation left it';
COMMENT ON COLUMN ordcancel.cancellation.scope IS
    'what it cancels: order, or items for a part of the order, listed in ordcancel.cancellation_item';
COMMENT ON COLUMN ordcancel.cancellation.prior_values IS
    'columns that also_set() wrote, each with its value before (absent if NULL) and the value written, as text;'
    ' NULL: none';

COMMENT ON COLUMN ordcancel.cancellation.refund_owed IS
    'amount that refund_due gave when it was accepted, of which the merchant may have kept a part';
COMMENT ON COLUMN ordcancel.cancellation.refund_kept IS
    'part of what refund_due gave that is not owed, because the customer has it from earlier cancellations; NULL if'
    ' there is none';
COMMENT ON COLUMN ordcancel.cancellation.first_closed_at IS
    'time at which it first became canceled, if a refund was due again and it was in progress afterwards; NULL if not';
COMMENT ON COLUMN ordcancel.cancellation.metadata IS
    'metadata of the calls for it, each added to that of those before; NULL if there was none';

-- Each order table whose items are attached has a child of this one, which adds
-- the columns of the item's key.
CREATE TABLE ordcancel.cancellation_item (
    cancellation_id bigint NOT NULL,
    item_key text NOT NULL,
    quantity numeric NOT NULL,
    refund_due numeric,
    reason text,
    note text,
    prior_status text,
    restored numeric
);
COMMENT ON TABLE ordcancel.cancellation_item IS
    'items of the cancellations of all attached order tables, one row for each item of a cancellation;'
    ' written by ordcancel alone';
COMMENT ON COLUMN ordcancel.cancellation_item.cancellation_id IS 'the cancellation';
COMMENT ON COLUMN ordcancel.cancellation_item.item_key IS 'key of the item as text, such as 7 or (42,1)';
COMMENT ON COLUMN ordcancel.cancellation_item.quantity IS 'units of the item that it cancels';
COMMENT ON COLUMN ordcancel.cancellation_item.refund_due IS
    'amount to be refunded for these units; NULL while it is requested, or if no amount is configured';
COMMENT ON COLUMN ordcancel.cancellation_item.reason IS
    'reason given for this item, a code of ordcancel.reason; NULL: that of the cancellation';
COMMENT ON COLUMN ordcancel.cancellation_item.note IS 'note given for this item; NULL: that of the cancellation';
COMMENT ON COLUMN ordcancel.cancellation_item.prior_status IS
    'status of the item before it, restored when it is undone; NULL if items have no status';
COMMENT ON COLUMN ordcancel.cancellation_item.restored IS
    'amount by which the item''s amount rose when it was undone; NULL before that, or if no amount is configured';

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
    -- Lets consumers tell which events a snapshot sees. Not xid8, which many
    -- schema tools do not support.
    xid bigint NOT NULL,
    cluster bigint NOT NULL,
    -- A text, so that events can be kept where there is no such table.
    orders text NOT NULL
);
COMMENT ON TABLE ordcancel.event IS
    'events of the cancellations of all attached order tables, one row for each state reached;'
    ' written by ordcancel alone';
COMMENT ON COLUMN ordcancel.event.event_id IS
    'number of the event, unique across all order tables; not in the order of commits';
COMMENT ON COLUMN ordcancel.event.cancellation_id IS 'the cancellation';
COMMENT ON COLUMN ordcancel.event.order_key IS 'key of the order as text, such as 42 or (7,42)';
COMMENT ON COLUMN ordcancel.event.type IS
    'requested, withdrawn, denied, accepted, refunded, adjusted, canceled, items_canceled, undone or forgotten';
COMMENT ON COLUMN ordcancel.event.from_status IS 'status of the order before the event';
COMMENT ON COLUMN ordcancel.event.to_status IS 'status of the order after the event';
COMMENT ON COLUMN ordcancel.event.state IS 'state of the cancellation after the event';
COMMENT ON COLUMN ordcancel.event.party IS 'party that acted: customer, merchant or system';
COMMENT ON COLUMN ordcancel.event.actor IS
    'who acted: the actor of the call, ordcancel.actor, or the role; NULL once forgotten';
COMMENT ON COLUMN ordcancel.event.session_role IS
    'role that had logged in (session_user); empty once forgotten with session_roles';
COMMENT ON COLUMN ordcancel.event.reason IS 'reason of the cancellation at that time; NULL if it had none';
COMMENT ON COLUMN ordcancel.event.data IS
    'details that only this type has, such as the amount of a refund, and metadata of the call; NULL if there are none';
COMMENT ON COLUMN ordcancel.event.at IS 'time of the event';
COMMENT ON COLUMN ordcancel.event.source IS 'function that made the event, or update for a plain write';
COMMENT ON COLUMN ordcancel.event.request_key IS 'request_key of the call; NULL if none was given';
COMMENT ON COLUMN ordcancel.event.xid IS 'transaction that wrote the event, pg_current_xact_id() as a number';
COMMENT ON COLUMN ordcancel.event.cluster IS
    'database cluster of that transaction: system_identifier of pg_control_system()';
COMMENT ON COLUMN ordcancel.event.orders IS 'the order table, by its qualified name at that time, such as shop.orders';

-- A dump has to include the sequences, since it includes the rows that used
-- them. PUBLIC may read them, because pg_dump does so also when run by a
-- database owner who is not a superuser.
GRANT SELECT ON SEQUENCE ordcancel.cancellation_id_seq, ordcancel.event_id_seq TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('ordcancel.cancellation_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('ordcancel.event_id_seq', '');

-- The result of every function that changes an order.
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
COMMENT ON TYPE ordcancel.outcome IS 'outcome of a call for one order: what the order and its cancellation are now';
COMMENT ON COLUMN ordcancel.outcome.orders IS 'the order table';
COMMENT ON COLUMN ordcancel.outcome.order_id IS 'key of the order as text';
COMMENT ON COLUMN ordcancel.outcome.cancellation_id IS
    'number of the cancellation; NULL for an order that was inserted as canceled';
COMMENT ON COLUMN ordcancel.outcome.state IS 'requested, in_progress, canceled, denied, withdrawn or undone';
COMMENT ON COLUMN ordcancel.outcome.order_status IS 'status of the order now';
COMMENT ON COLUMN ordcancel.outcome.changed IS
    'whether the call changed anything; false if the order was in that state already';
COMMENT ON COLUMN ordcancel.outcome.refund_due IS
    'amount to be refunded; NULL before it is accepted, or if refund_due is not configured';
COMMENT ON COLUMN ordcancel.outcome.refunded IS 'sum of the refunds recorded so far; NULL if none was due';
COMMENT ON COLUMN ordcancel.outcome.requested_at IS 'time at which the cancellation was requested';
COMMENT ON COLUMN ordcancel.outcome.decided_at IS 'time at which it was accepted or denied; NULL if it was neither';
COMMENT ON COLUMN ordcancel.outcome.closed_at IS
    'time at which it became canceled, or ended; NULL while it is requested or in progress';
