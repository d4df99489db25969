-- The configuration tables. The C code reads their columns by position, so new
-- columns must be appended at the end. In a dump, references to relations and
-- columns are names, never OIDs or column numbers. There are no foreign keys
-- between the tables, so that a restore can load them in any order.

-- Like regclass, and binary-coercible to it, except that the name of a missing
-- table is read as OID 0 instead of raising an error: a dump without one of the
-- order tables must restore the configuration of the others.
CREATE TYPE ordcancel_internal.table_ref;
CREATE FUNCTION ordcancel_internal.table_ref_in(cstring) RETURNS ordcancel_internal.table_ref
    LANGUAGE c STABLE STRICT
    AS 'MODULE_PATHNAME', 'ordcancel_table_ref_in';
COMMENT ON FUNCTION ordcancel_internal.table_ref_in(cstring) IS 'input function of table_ref';
CREATE FUNCTION ordcancel_internal.table_ref_out(ordcancel_internal.table_ref) RETURNS cstring
    LANGUAGE internal STABLE STRICT
    AS 'regclassout';
COMMENT ON FUNCTION ordcancel_internal.table_ref_out(ordcancel_internal.table_ref) IS 'output function of table_ref';
CREATE TYPE ordcancel_internal.table_ref (
    INPUT = ordcancel_internal.table_ref_in, OUTPUT = ordcancel_internal.table_ref_out, LIKE = pg_catalog.oid);
COMMENT ON TYPE ordcancel_internal.table_ref IS
    'reference to a table, as regclass; 0 if a dump names a table that does not exist';
CREATE CAST (ordcancel_internal.table_ref AS regclass) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (ordcancel_internal.table_ref AS oid) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (regclass AS ordcancel_internal.table_ref) WITHOUT FUNCTION AS ASSIGNMENT;
COMMENT ON CAST (ordcancel_internal.table_ref AS regclass) IS 'lets a reference be used as regclass';
COMMENT ON CAST (ordcancel_internal.table_ref AS oid) IS 'lets references be compared';
COMMENT ON CAST (regclass AS ordcancel_internal.table_ref) IS 'lets a regclass be stored as a reference';

CREATE FUNCTION ordcancel_internal.config_changed() RETURNS trigger
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_config_changed';
COMMENT ON FUNCTION ordcancel_internal.config_changed() IS
    'trigger: makes every session read the changed configuration again';

CREATE TABLE ordcancel.order_table (
    orders ordcancel_internal.table_ref PRIMARY KEY,
    status name NOT NULL,
    placed_at name,
    policy_by name,
    refund_due text,
    plain_updates boolean NOT NULL DEFAULT true,
    notify_channel text NOT NULL DEFAULT 'ordcancel',
    inherit boolean NOT NULL DEFAULT true,
    cancellation_table ordcancel_internal.table_ref NOT NULL,
    event_table ordcancel_internal.table_ref NOT NULL,
    key_columns name[] NOT NULL,
    search_path text NOT NULL,
    time_zone text NOT NULL,
    primary_key name[] NOT NULL,
    pinned_refund_due text,
    notify_payload text NOT NULL DEFAULT 'full' CHECK (notify_payload IN ('full', 'id')),
    refund_scale integer NOT NULL DEFAULT 2,
    refund_due_functions text,
    item_records ordcancel_internal.table_ref,
    refund_due_net boolean NOT NULL DEFAULT false,
    status_since name,
    deleted_when text,
    pinned_deleted_when text,
    deleted_when_functions text,
    call_key name[],
    call_table ordcancel_internal.table_ref,
    call_table_keys name[],
    archived_statuses text[]
);
-- With these the reports look up to which table a record belongs.
CREATE INDEX order_table_cancellation_table ON ordcancel.order_table (cancellation_table);
CREATE INDEX order_table_event_table ON ordcancel.order_table (event_table);
COMMENT ON TABLE ordcancel.order_table IS 'attached order tables, with the arguments of attach()';
COMMENT ON COLUMN ordcancel.order_table.orders IS 'the order table';
COMMENT ON COLUMN ordcancel.order_table.status IS 'column of the order''s status';
COMMENT ON COLUMN ordcancel.order_table.placed_at IS
    'column from which the customer''s window counts; NULL: the window never closes';
COMMENT ON COLUMN ordcancel.order_table.policy_by IS
    'column that names the order''s policy; NULL: all orders are under "default"';
COMMENT ON COLUMN ordcancel.order_table.refund_due IS
    'SQL expression over the order: amount to refund when it is canceled; NULL: nothing is due';
COMMENT ON COLUMN ordcancel.order_table.plain_updates IS 'whether a plain UPDATE may cancel within the rules';
COMMENT ON COLUMN ordcancel.order_table.notify_channel IS 'channel of NOTIFY';
COMMENT ON COLUMN ordcancel.order_table.inherit IS
    'whether the record tables inherit from ordcancel.cancellation and ordcancel.event';
COMMENT ON COLUMN ordcancel.order_table.cancellation_table IS 'record table of the cancellations';
COMMENT ON COLUMN ordcancel.order_table.event_table IS 'record table of the events';
COMMENT ON COLUMN ordcancel.order_table.key_columns IS
    'names of the order''s key columns in the record tables, in the order of the primary key';
COMMENT ON COLUMN ordcancel.order_table.search_path IS
    'search_path of the attach() call, with which conditions and triggers of the owner run';
COMMENT ON COLUMN ordcancel.order_table.time_zone IS
    'time zone of the attach() call, in which expressions run and a placed_at without time zone is read';
COMMENT ON COLUMN ordcancel.order_table.primary_key IS
    'names of the order''s key columns in the order table, in the order of the primary key';
COMMENT ON COLUMN ordcancel.order_table.pinned_refund_due IS
    'refund_due as it was parsed, with every name and cast spelled out';
COMMENT ON COLUMN ordcancel.order_table.notify_payload IS 'what NOTIFY sends: full, or id for the event_id alone';
COMMENT ON COLUMN ordcancel.order_table.refund_due_net IS
    'whether refund_due goes down by itself when items are canceled; otherwise what they made due is subtracted';
COMMENT ON COLUMN ordcancel.order_table.refund_scale IS
    'decimal places to which amounts due and refunds are rounded, 0 to 8';
COMMENT ON COLUMN ordcancel.order_table.refund_due_functions IS
    'functions that refund_due called when it was set, one per line; NULL if none but PostgreSQL''s own';
COMMENT ON COLUMN ordcancel.order_table.status_since IS
    'column of the time at which the order came into its status; NULL: timers count from placed_at';
COMMENT ON COLUMN ordcancel.order_table.deleted_when IS
    'SQL condition over the order: while it is true, the order is deleted; NULL: orders are deleted by DELETE only';
COMMENT ON COLUMN ordcancel.order_table.pinned_deleted_when IS
    'deleted_when as it was parsed, with every name and cast spelled out';
COMMENT ON COLUMN ordcancel.order_table.deleted_when_functions IS
    'functions that deleted_when called when it was set, one per line; NULL if none but PostgreSQL''s own';
COMMENT ON COLUMN ordcancel.order_table.call_key IS
    'the first columns of the primary key, by which calls may name an order; NULL: they pass the whole key';
COMMENT ON COLUMN ordcancel.order_table.call_table IS 'its table of calls; NULL if it has none';
COMMENT ON COLUMN ordcancel.order_table.call_table_keys IS
    'names of the key columns in the table of calls, in the order of the primary key; NULL if it has none';
COMMENT ON COLUMN ordcancel.order_table.archived_statuses IS
    'statuses of canceled orders whose cancellations may be in archives; empty: any; NULL: none are';
CREATE INDEX order_table_calls ON ordcancel.order_table (call_table);
COMMENT ON COLUMN ordcancel.order_table.item_records IS
    'record table of canceled items; NULL if no items were ever attached';

CREATE TABLE ordcancel.policy (
    orders ordcancel_internal.table_ref,
    policy text DEFAULT 'default',
    grace interval,
    requested_status text,
    in_progress_status text,
    canceled_status text,
    customer_canceled_status text,
    on_progress text NOT NULL DEFAULT 'deny' CHECK (on_progress IN ('deny', 'hold')),
    decision_timeout interval,
    on_timeout text CHECK (on_timeout IN ('accept', 'deny')),
    undo text NOT NULL DEFAULT 'canceled' CHECK (undo IN ('never', 'requested', 'in_progress', 'canceled')),
    undo_window interval,
    reason_required boolean NOT NULL DEFAULT false,
    partly_fulfilled text NOT NULL DEFAULT 'refuse' CHECK (partly_fulfilled IN ('refuse', 'rest')),
    settlement text NOT NULL DEFAULT 'before_canceled' CHECK (settlement IN ('before_canceled', 'after_canceled')),
    closed_statuses text[] NOT NULL DEFAULT '{}',
    reopen_statuses text[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (orders, policy)
);
-- With these indexes a session looks up which meaning any policy gives to a
-- status, without reading policies that its orders do not use.
CREATE INDEX policy_requested_status ON ordcancel.policy (orders, requested_status COLLATE "C")
    WHERE requested_status IS NOT NULL;
CREATE INDEX policy_in_progress_status ON ordcancel.policy (orders, in_progress_status COLLATE "C")
    WHERE in_progress_status IS NOT NULL;
CREATE INDEX policy_canceled_status ON ordcancel.policy (orders, canceled_status COLLATE "C")
    WHERE canceled_status IS NOT NULL;
CREATE INDEX policy_customer_canceled_status ON ordcancel.policy (orders, customer_canceled_status COLLATE "C")
    WHERE customer_canceled_status IS NOT NULL;
CREATE INDEX policy_closed_statuses ON ordcancel.policy (orders) WHERE closed_statuses <> '{}';
COMMENT ON TABLE ordcancel.policy IS
    'policies of the attached tables; "default" is for orders whose own policy does not exist';
COMMENT ON COLUMN ordcancel.policy.orders IS 'the order table';
COMMENT ON COLUMN ordcancel.policy.policy IS 'name of the policy';
COMMENT ON COLUMN ordcancel.policy.grace IS
    'length of the customer''s window, counted from placed_at; NULL: it never closes';
COMMENT ON COLUMN ordcancel.policy.requested_status IS
    'status of an order while a request is open; NULL: its status stays';
COMMENT ON COLUMN ordcancel.policy.in_progress_status IS
    'status of an order while refunds are due; NULL: its status stays';
COMMENT ON COLUMN ordcancel.policy.canceled_status IS 'status of a canceled order; NULL: nothing can be canceled';
COMMENT ON COLUMN ordcancel.policy.customer_canceled_status IS
    'status of an order that the customer canceled directly; NULL: as canceled_status';
COMMENT ON COLUMN ordcancel.policy.on_progress IS
    'what happens if an order moves on during a request: deny denies the request, hold refuses the move';
COMMENT ON COLUMN ordcancel.policy.decision_timeout IS 'time after which sweep() decides an open request; NULL: never';
COMMENT ON COLUMN ordcancel.policy.on_timeout IS
    'what sweep() then does: accept or deny; NULL without decision_timeout';
COMMENT ON COLUMN ordcancel.policy.undo IS 'latest state that can be undone: never, requested, in_progress or canceled';
COMMENT ON COLUMN ordcancel.policy.undo_window IS 'how long a closed cancellation can be undone; NULL: without limit';
COMMENT ON COLUMN ordcancel.policy.reason_required IS
    'whether every cancellation needs a reason, a plain UPDATE included';
COMMENT ON COLUMN ordcancel.policy.partly_fulfilled IS
    'what canceling an order does if some of its items are fulfilled: refuse, or rest, which cancels the others';
COMMENT ON COLUMN ordcancel.policy.settlement IS
    'when an order with a refund due becomes canceled: before_canceled when the refunds are recorded,'
    ' after_canceled at once';
COMMENT ON COLUMN ordcancel.policy.closed_statuses IS
    'statuses to which a canceled order may move on; its cancellation remains canceled';
COMMENT ON COLUMN ordcancel.policy.reopen_statuses IS
    'statuses that a merchant''s plain UPDATE may give to a canceled order, which undoes its cancellation';

CREATE TABLE ordcancel.rule (
    orders ordcancel_internal.table_ref,
    policy text DEFAULT 'default',
    status text,
    customer text NOT NULL DEFAULT 'forbid' CHECK (customer IN ('cancel', 'request', 'forbid')),
    customer_late text CHECK (customer_late IN ('cancel', 'request', 'forbid')),
    merchant text NOT NULL DEFAULT 'forbid' CHECK (merchant IN ('cancel', 'request', 'forbid')),
    deletable boolean NOT NULL DEFAULT false,
    hint text,
    expire_after interval,
    expire_reason text,
    PRIMARY KEY (orders, policy, status)
);
CREATE INDEX rule_deletable ON ordcancel.rule (orders, status COLLATE "C") WHERE deletable;
-- With this one sweep() finds the tables that have timers.
CREATE INDEX rule_expire_after ON ordcancel.rule (orders, status COLLATE "C") WHERE expire_after IS NOT NULL;
COMMENT ON TABLE ordcancel.rule IS
    'rules: what each party may do to an order in a status; without a rule nobody can cancel';
COMMENT ON COLUMN ordcancel.rule.orders IS 'the order table';
COMMENT ON COLUMN ordcancel.rule.policy IS 'name of the policy';
COMMENT ON COLUMN ordcancel.rule.status IS 'status of the order, as text';
COMMENT ON COLUMN ordcancel.rule.customer IS 'what the customer may do within the window: cancel, request or forbid';
COMMENT ON COLUMN ordcancel.rule.customer_late IS
    'what the customer may do after the window: cancel, request or forbid; NULL: as customer';
COMMENT ON COLUMN ordcancel.rule.merchant IS
    'what the merchant may do: cancel, request (a second call confirms) or forbid';
COMMENT ON COLUMN ordcancel.rule.deletable IS 'whether an order in this status may be deleted';
COMMENT ON COLUMN ordcancel.rule.hint IS 'HINT of the error when the rule refuses; NULL: a general one';
COMMENT ON COLUMN ordcancel.rule.expire_after IS
    'time in this status after which sweep() cancels the order; NULL: never';
COMMENT ON COLUMN ordcancel.rule.expire_reason IS
    'reason with which sweep() then cancels it, a code of ordcancel.reason; NULL: none';

CREATE TABLE ordcancel.block (
    orders ordcancel_internal.table_ref,
    name text,
    condition text NOT NULL,
    hint text,
    party text CHECK (party IN ('customer', 'merchant')),
    pinned text,
    functions text,
    PRIMARY KEY (orders, name)
);
COMMENT ON TABLE ordcancel.block IS
    'blocks: conditions under which nobody can cancel an order or request its cancellation';
COMMENT ON COLUMN ordcancel.block.orders IS 'the order table';
COMMENT ON COLUMN ordcancel.block.name IS 'name of the block, given as DETAIL of the error';
COMMENT ON COLUMN ordcancel.block.condition IS 'SQL condition over the order; blocks while it is true';
COMMENT ON COLUMN ordcancel.block.hint IS 'HINT of the error when it blocks; NULL: none';
COMMENT ON COLUMN ordcancel.block.party IS 'party that is blocked, customer or merchant; NULL: both';
COMMENT ON COLUMN ordcancel.block.pinned IS 'condition as it was parsed, with every name and cast spelled out';
COMMENT ON COLUMN ordcancel.block.functions IS
    'functions that condition called when it was set, one per line; NULL if none but PostgreSQL''s own';

CREATE TABLE ordcancel.also_set (
    orders ordcancel_internal.table_ref,
    state text CHECK (state IN ('requested', 'in_progress', 'canceled', 'restored')),
    "column" name,
    value text NOT NULL,
    pinned text,
    functions text,
    PRIMARY KEY (orders, state, "column")
);
COMMENT ON TABLE ordcancel.also_set IS 'columns of orders that cancellations set along with the status; see also_set()';
COMMENT ON COLUMN ordcancel.also_set.orders IS 'the order table';
COMMENT ON COLUMN ordcancel.also_set.state IS
    'when it is set: requested, in_progress, canceled, or restored when the order''s status is given back';
COMMENT ON COLUMN ordcancel.also_set."column" IS 'the column of the order table';
COMMENT ON COLUMN ordcancel.also_set.value IS
    'SQL expression over the order, and over cancellation, the record as it is being written';
COMMENT ON COLUMN ordcancel.also_set.pinned IS 'value as it was parsed, with every name and cast spelled out';
COMMENT ON COLUMN ordcancel.also_set.functions IS
    'functions that value called when it was set, one per line; NULL if none but PostgreSQL''s own';

CREATE TABLE ordcancel.child (
    child ordcancel_internal.table_ref,
    orders ordcancel_internal.table_ref NOT NULL,
    key_columns name[],
    refuse_requested boolean NOT NULL,
    refuse_in_progress boolean NOT NULL,
    refuse_canceled boolean NOT NULL,
    name text DEFAULT 'default',
    refuse_when text,
    pinned_refuse_when text,
    refuse_when_functions text,
    key_expression text,
    pinned_key_expression text,
    key_expression_functions text,
    search_path text NOT NULL DEFAULT '',
    time_zone text NOT NULL DEFAULT 'UTC',
    PRIMARY KEY (child, name),
    CHECK ((key_columns IS NULL) <> (key_expression IS NULL))
);
COMMENT ON TABLE ordcancel.child IS
    'guards of child tables, which get no rows for orders that are being canceled; see attach_child()';
COMMENT ON COLUMN ordcancel.child.child IS 'the child table';
COMMENT ON COLUMN ordcancel.child.orders IS 'the order table';
COMMENT ON COLUMN ordcancel.child.key_columns IS
    'columns of the child that hold the order''s key, in the order of the primary key; NULL: key_expression has it';
COMMENT ON COLUMN ordcancel.child.refuse_requested IS 'whether rows are refused while a cancellation is requested';
COMMENT ON COLUMN ordcancel.child.refuse_in_progress IS 'whether rows are refused while refunds are due';
COMMENT ON COLUMN ordcancel.child.refuse_canceled IS 'whether rows are refused once the order is canceled';
COMMENT ON COLUMN ordcancel.child.name IS 'name of the guard; a child may have several';
COMMENT ON COLUMN ordcancel.child.refuse_when IS
    'SQL condition over the child row: only rows for which it is or becomes true are refused; NULL: all rows';
COMMENT ON COLUMN ordcancel.child.pinned_refuse_when IS
    'refuse_when as it was parsed, with every name and cast spelled out';
COMMENT ON COLUMN ordcancel.child.refuse_when_functions IS
    'functions that refuse_when called when it was set, one per line; NULL if none but PostgreSQL''s own';
COMMENT ON COLUMN ordcancel.child.key_expression IS
    'SQL expression over the child row: the key of its order; NULL: key_columns hold it';
COMMENT ON COLUMN ordcancel.child.pinned_key_expression IS
    'key_expression as it was parsed, with every name and cast spelled out';
COMMENT ON COLUMN ordcancel.child.key_expression_functions IS
    'functions that key_expression called when it was set, one per line; NULL if none but PostgreSQL''s own';
COMMENT ON COLUMN ordcancel.child.search_path IS
    'search_path of the attach_child() call, with which functions in the expressions run; empty without expressions';
COMMENT ON COLUMN ordcancel.child.time_zone IS 'time zone in which the expressions run, that of the order table';

CREATE TABLE ordcancel.item_table (
    orders ordcancel_internal.table_ref PRIMARY KEY,
    items ordcancel_internal.table_ref NOT NULL,
    key_columns name[] NOT NULL,
    item_key name[] NOT NULL,
    record_keys name[] NOT NULL,
    quantity name,
    canceled name,
    status name,
    canceled_status text,
    fulfilled text,
    pinned_fulfilled text,
    fulfilled_functions text,
    amount text,
    pinned_amount text,
    amount_functions text
);
CREATE UNIQUE INDEX item_table_items ON ordcancel.item_table (items);
COMMENT ON TABLE ordcancel.item_table IS 'tables of the items of orders, with the arguments of attach_items()';
COMMENT ON COLUMN ordcancel.item_table.orders IS 'the order table';
COMMENT ON COLUMN ordcancel.item_table.items IS 'the table of its items';
COMMENT ON COLUMN ordcancel.item_table.key_columns IS
    'columns of an item that hold the order''s key, in the order of the primary key';
COMMENT ON COLUMN ordcancel.item_table.item_key IS 'primary key of the items';
COMMENT ON COLUMN ordcancel.item_table.record_keys IS
    'names of the item''s key columns in the record table, in the order of its primary key';
COMMENT ON COLUMN ordcancel.item_table.quantity IS 'column of the units ordered; NULL: each item is one unit';
COMMENT ON COLUMN ordcancel.item_table.canceled IS
    'column in which ordcancel keeps the units canceled; NULL: it writes canceled_status instead';
COMMENT ON COLUMN ordcancel.item_table.status IS
    'column of the item''s status, if canceled items are marked by it; NULL: they are not';
COMMENT ON COLUMN ordcancel.item_table.canceled_status IS 'status of a canceled item; NULL without status';
COMMENT ON COLUMN ordcancel.item_table.fulfilled IS
    'SQL expression over the item: units that can no longer be canceled; NULL: none';
COMMENT ON COLUMN ordcancel.item_table.pinned_fulfilled IS
    'fulfilled as it was parsed, with every name and cast spelled out';
COMMENT ON COLUMN ordcancel.item_table.fulfilled_functions IS
    'functions that fulfilled called when it was set, one per line; NULL if none but PostgreSQL''s own';
COMMENT ON COLUMN ordcancel.item_table.amount IS
    'SQL expression over the item: what the customer pays for it as it stands; NULL: nothing is due';
COMMENT ON COLUMN ordcancel.item_table.pinned_amount IS
    'amount as it was parsed, with every name and cast spelled out';
COMMENT ON COLUMN ordcancel.item_table.amount_functions IS
    'functions that amount called when it was set, one per line; NULL if none but PostgreSQL''s own';

-- Not looked at by the C code. Numbered by table, so that there is no sequence to
-- dump and to replicate; changes of a table's rules are serialized by a lock.
CREATE TABLE ordcancel.policy_change (
    orders ordcancel_internal.table_ref,
    change_no bigint,
    changed_at timestamptz NOT NULL,
    changed_by text NOT NULL,
    policy text,
    what text NOT NULL,
    PRIMARY KEY (orders, change_no)
);
COMMENT ON TABLE ordcancel.policy_change IS
    'changes of the rules of the attached tables, one row for each call that changed something';
COMMENT ON COLUMN ordcancel.policy_change.orders IS 'the order table';
COMMENT ON COLUMN ordcancel.policy_change.change_no IS 'number of the change, counted from 1 for each order table';
COMMENT ON COLUMN ordcancel.policy_change.changed_at IS 'time of the change';
COMMENT ON COLUMN ordcancel.policy_change.changed_by IS 'role that made it';
COMMENT ON COLUMN ordcancel.policy_change.policy IS
    'name of the policy that was changed; NULL for blocks and the arguments of attach(), which are for all policies';
COMMENT ON COLUMN ordcancel.policy_change.what IS
    'what was changed, as the function returned it, at most 1000 characters';

CREATE TABLE ordcancel.reason (
    code text PRIMARY KEY CHECK (code <> '' AND length(code) <= 100),
    description text NOT NULL DEFAULT '',
    audience text NOT NULL DEFAULT 'any' CHECK (audience IN ('customer', 'merchant', 'system', 'any')),
    requires_note boolean NOT NULL DEFAULT false,
    requires_request boolean NOT NULL DEFAULT false,
    active boolean NOT NULL DEFAULT true,
    note_max integer NOT NULL DEFAULT 2000 CHECK (note_max BETWEEN 1 AND 2000),
    seeded boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE ordcancel.reason IS
    'reasons for cancellations, of all order tables; rows may be added, and those in use cannot be deleted';
COMMENT ON COLUMN ordcancel.reason.code IS 'code of the reason, 1 to 100 characters';
COMMENT ON COLUMN ordcancel.reason.description IS 'what it means, for people';
COMMENT ON COLUMN ordcancel.reason.audience IS 'who may give it: customer, merchant, system or any';
COMMENT ON COLUMN ordcancel.reason.requires_note IS 'whether a note has to be given with it';
COMMENT ON COLUMN ordcancel.reason.requires_request IS
    'whether it may be given only for cancellations that the customer requested';
COMMENT ON COLUMN ordcancel.reason.active IS 'whether it may be given in new calls';
COMMENT ON COLUMN ordcancel.reason.note_max IS 'longest note with it, in characters, 1 to 2000';
COMMENT ON COLUMN ordcancel.reason.seeded IS
    'whether it came with the extension and was not changed since; such rows are not dumped';

CREATE TABLE ordcancel.refund_method (
    code text PRIMARY KEY CHECK (code <> ''),
    on_undo text NOT NULL DEFAULT 'nothing' CHECK (on_undo IN ('nothing', 'repay', 'recapture')),
    seeded boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE ordcancel.refund_method IS 'methods of refunding, and what an undo needs after each';
COMMENT ON COLUMN ordcancel.refund_method.code IS 'code of the method';
COMMENT ON COLUMN ordcancel.refund_method.on_undo IS
    'what an undo needs first: nothing, repay (the customer pays again) or recapture (by the payment provider)';
COMMENT ON COLUMN ordcancel.refund_method.seeded IS
    'whether it came with the extension and was not changed since; such rows are not dumped';
