-- The functions on orders. Each is declared twice on the same C function: with
-- text for the key, which accepts an untyped literal or driver parameter, and
-- with anynonarray, which accepts a value of any type.

-- The customer cancels the order, or requests it, depending on the rule.
--   orders       the attached order table
--   order_id     the order's key; a key of several columns as ROW(7, 42) or '(7,42)'
--   reason       code of ordcancel.reason
--   note         up to 2,000 characters, fewer where the reason says so
--   actor        actor to record; default ordcancel.actor, then the role
--   request_key  a repeated call with the same key returns the first outcome
--   metadata     JSON object, at most 8 kB as text, for the event's data and the record
-- Returns the outcome; changed is false if there was nothing to do. Raises OC001
-- to OC006, OC011, OC014, 22023 if metadata is another JSON value.
CREATE FUNCTION ordcancel.request_cancel(
    orders regclass, order_id text, reason text DEFAULT NULL, note text DEFAULT NULL,
    actor text DEFAULT NULL, request_key text DEFAULT NULL,
    metadata jsonb DEFAULT NULL)
    RETURNS ordcancel.outcome
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_request_cancel';
COMMENT ON FUNCTION ordcancel.request_cancel(regclass, text, text, text, text, text, jsonb) IS
    E'cancels an order for the customer, or requests its cancellation, as the rule says\n'
    'Raises OC001, OC002, OC003, OC004, OC005, OC006, OC011, OC013, OC014, 22001, 22023, 42501.';
CREATE FUNCTION ordcancel.request_cancel(
    orders regclass, order_id anynonarray, reason text DEFAULT NULL, note text DEFAULT NULL,
    actor text DEFAULT NULL, request_key text DEFAULT NULL,
    metadata jsonb DEFAULT NULL)
    RETURNS ordcancel.outcome
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_request_cancel';
COMMENT ON FUNCTION ordcancel.request_cancel(regclass, anynonarray, text, text, text, text, jsonb) IS
    E'cancels an order for the customer, or requests its cancellation, as the rule says\n'
    'Raises OC001, OC002, OC003, OC004, OC005, OC006, OC011, OC013, OC014, 22001, 22023, 42501.';

-- The merchant cancels the order, requests it, or confirms a request, depending
-- on the rule. A reason given on confirmation replaces that of the record, as in
-- accept_cancel. Arguments and errors as for request_cancel, and
--   refund       amount due if the call cancels the order: at most what
--                refund_due says, such as less a fee; default all of it. OC010 if
--                it is more, or if the call only requests the cancellation
-- Also raises OC013.
CREATE FUNCTION ordcancel.cancel_order(
    orders regclass, order_id text, reason text DEFAULT NULL, note text DEFAULT NULL,
    actor text DEFAULT NULL, request_key text DEFAULT NULL,
    metadata jsonb DEFAULT NULL, refund numeric DEFAULT NULL)
    RETURNS ordcancel.outcome
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_cancel_order';
COMMENT ON FUNCTION ordcancel.cancel_order(regclass, text, text, text, text, text, jsonb, numeric) IS
    E'cancels an order for the merchant, requests its cancellation, or confirms a request\n'
    'Raises OC001, OC002, OC003, OC005, OC006, OC010, OC011, OC013, OC014, 22001, 22023, 42501.';
CREATE FUNCTION ordcancel.cancel_order(
    orders regclass, order_id anynonarray, reason text DEFAULT NULL, note text DEFAULT NULL,
    actor text DEFAULT NULL, request_key text DEFAULT NULL,
    metadata jsonb DEFAULT NULL, refund numeric DEFAULT NULL)
    RETURNS ordcancel.outcome
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_cancel_order';
COMMENT ON FUNCTION ordcancel.cancel_order(regclass, anynonarray, text, text, text, text, jsonb, numeric) IS
    E'cancels an order for the merchant, requests its cancellation, or confirms a request\n'
    'Raises OC001, OC002, OC003, OC005, OC006, OC010, OC011, OC013, OC014, 22001, 22023, 42501.';

-- Cancels regardless of rule, window and blocks. The note is required, and the
-- event has override in data. Arguments as for cancel_order. Raises OC001,
-- OC002, OC006, OC010, OC011, OC014.
CREATE FUNCTION ordcancel.override_cancel(
    orders regclass, order_id text, reason text DEFAULT NULL, note text DEFAULT NULL,
    actor text DEFAULT NULL, request_key text DEFAULT NULL,
    metadata jsonb DEFAULT NULL, refund numeric DEFAULT NULL)
    RETURNS ordcancel.outcome
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_override_cancel';
COMMENT ON FUNCTION ordcancel.override_cancel(regclass, text, text, text, text, text, jsonb, numeric) IS
    E'cancels an order regardless of rule, window and block; needs a note\n'
    'Raises OC001, OC002, OC006, OC010, OC011, OC013, OC014, 22001, 22023, 42501.';
CREATE FUNCTION ordcancel.override_cancel(
    orders regclass, order_id anynonarray, reason text DEFAULT NULL, note text DEFAULT NULL,
    actor text DEFAULT NULL, request_key text DEFAULT NULL,
    metadata jsonb DEFAULT NULL, refund numeric DEFAULT NULL)
    RETURNS ordcancel.outcome
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_override_cancel';
COMMENT ON FUNCTION ordcancel.override_cancel(regclass, anynonarray, text, text, text, text, jsonb, numeric) IS
    E'cancels an order regardless of rule, window and block; needs a note\n'
    'Raises OC001, OC002, OC006, OC010, OC011, OC013, OC014, 22001, 22023, 42501.';

-- The requesting party withdraws its request; the order gets its prior status
-- unless it has moved on. A role that may act for both parties acts for the one
-- that made the request. Raises OC001, OC002, OC003, OC006, OC007.
CREATE FUNCTION ordcancel.withdraw_cancel(
    orders regclass, order_id text, note text DEFAULT NULL, actor text DEFAULT NULL,
    metadata jsonb DEFAULT NULL)
    RETURNS ordcancel.outcome
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_withdraw_cancel';
COMMENT ON FUNCTION ordcancel.withdraw_cancel(regclass, text, text, text, jsonb) IS
    E'withdraws a request; the order gets its prior status back\n'
    'Raises OC001, OC002, OC003, OC006, OC007, OC014, 22001, 22023, 42501.';
CREATE FUNCTION ordcancel.withdraw_cancel(
    orders regclass, order_id anynonarray, note text DEFAULT NULL, actor text DEFAULT NULL,
    metadata jsonb DEFAULT NULL)
    RETURNS ordcancel.outcome
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_withdraw_cancel';
COMMENT ON FUNCTION ordcancel.withdraw_cancel(regclass, anynonarray, text, text, jsonb) IS
    E'withdraws a request; the order gets its prior status back\n'
    'Raises OC001, OC002, OC003, OC006, OC007, OC014, 22001, 22023, 42501.';

-- The merchant accepts a request: the order is canceled, or in progress while a
-- refund is due.
--   reason  code of ordcancel.reason, checked as in cancel_order; replaces that
--           of the record, while the requester's stays in the event of the
--           request; NULL keeps the requester's
--   note, actor, refund, metadata  as for cancel_order
-- Raises OC001, OC002, OC005, OC006, OC007, OC010, OC013, OC014.
CREATE FUNCTION ordcancel.accept_cancel(
    orders regclass, order_id text, reason text DEFAULT NULL, note text DEFAULT NULL, actor text DEFAULT NULL,
    refund numeric DEFAULT NULL, metadata jsonb DEFAULT NULL)
    RETURNS ordcancel.outcome
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_accept_cancel';
COMMENT ON FUNCTION ordcancel.accept_cancel(regclass, text, text, text, text, numeric, jsonb) IS
    E'accepts a request: the order is canceled, or in progress while a refund is due\n'
    'Raises OC001, OC002, OC005, OC006, OC007, OC010, OC013, OC014, 22001, 22023, 42501.';
CREATE FUNCTION ordcancel.accept_cancel(
    orders regclass, order_id anynonarray, reason text DEFAULT NULL, note text DEFAULT NULL, actor text DEFAULT NULL,
    refund numeric DEFAULT NULL, metadata jsonb DEFAULT NULL)
    RETURNS ordcancel.outcome
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_accept_cancel';
COMMENT ON FUNCTION ordcancel.accept_cancel(regclass, anynonarray, text, text, text, numeric, jsonb) IS
    E'accepts a request: the order is canceled, or in progress while a refund is due\n'
    'Raises OC001, OC002, OC005, OC006, OC007, OC010, OC013, OC014, 22001, 22023, 42501.';

-- The merchant denies the customer's request; the note is required, the order
-- gets its prior status unless it has moved on. Raises OC001, OC002, OC003,
-- OC006, OC007.
CREATE FUNCTION ordcancel.deny_cancel(
    orders regclass, order_id text, note text DEFAULT NULL, actor text DEFAULT NULL,
    metadata jsonb DEFAULT NULL)
    RETURNS ordcancel.outcome
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_deny_cancel';
COMMENT ON FUNCTION ordcancel.deny_cancel(regclass, text, text, text, jsonb) IS
    E'denies a request of the customer; needs a note\n'
    'Raises OC001, OC002, OC003, OC006, OC007, OC014, 22001, 22023, 42501.';
CREATE FUNCTION ordcancel.deny_cancel(
    orders regclass, order_id anynonarray, note text DEFAULT NULL, actor text DEFAULT NULL,
    metadata jsonb DEFAULT NULL)
    RETURNS ordcancel.outcome
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_deny_cancel';
COMMENT ON FUNCTION ordcancel.deny_cancel(regclass, anynonarray, text, text, jsonb) IS
    E'denies a request of the customer; needs a note\n'
    'Raises OC001, OC002, OC003, OC006, OC007, OC014, 22001, 22023, 42501.';

-- Records a refund of a cancellation of which one is due; the last one completes
-- it, if it is in progress.
--   amount     positive, at most the amount still due; rounded to refund_scale.
--              Negative: a recorded refund with the same reference and method
--              has failed, wholly or in part. If it had completed the cancellation,
--              this is in progress again (or, with settlement after_canceled,
--              listed in refunds_due)
--   method     code of ordcancel.refund_method
--   reference  up to 255 characters; a refund with the reference, amount and
--              method of a recorded one is not added again (changed is false);
--              with another amount or method it is OC010
--   cancellation_id  which one, if refunds of several are due
-- Raises OC001, OC002, OC007, OC010, OC015.
CREATE FUNCTION ordcancel.record_refund(
    orders regclass, order_id text, amount numeric, method text, reference text DEFAULT NULL, actor text DEFAULT NULL,
    cancellation_id bigint DEFAULT NULL,
    metadata jsonb DEFAULT NULL)
    RETURNS ordcancel.outcome
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_record_refund';
COMMENT ON FUNCTION ordcancel.record_refund(regclass, text, numeric, text, text, text, bigint, jsonb) IS
    E'records a refund; the last one that is due completes the cancellation\n'
    'Raises OC001, OC002, OC007, OC010, OC013, OC014, OC015, 22001, 22023, 42501.';
CREATE FUNCTION ordcancel.record_refund(
    orders regclass, order_id anynonarray, amount numeric, method text,
    reference text DEFAULT NULL, actor text DEFAULT NULL, cancellation_id bigint DEFAULT NULL,
    metadata jsonb DEFAULT NULL)
    RETURNS ordcancel.outcome
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_record_refund';
COMMENT ON FUNCTION ordcancel.record_refund(regclass, anynonarray, numeric, text, text, text, bigint, jsonb) IS
    E'records a refund; the last one that is due completes the cancellation\n'
    'Raises OC001, OC002, OC007, OC010, OC013, OC014, OC015, 22001, 22023, 42501.';

-- Changes the amount due of an accepted cancellation, for instance after a late
-- capture. If less than that is refunded, the cancellation is in progress again,
-- or, with settlement after_canceled, listed in refunds_due; if as much, it is
-- completed. It is an event, adjusted.
--   refund_due  the amount due in all, at least what is refunded; rounded to
--               refund_scale
--   note        required; why; in data of the event
--   cancellation_id  which one, if several of the order are accepted; default the
--               cancellation of the order itself
-- Raises OC001, OC002, OC006, OC007, OC010, OC013, OC015.
CREATE FUNCTION ordcancel.adjust_refund(
    orders regclass, order_id text, refund_due numeric, note text DEFAULT NULL, actor text DEFAULT NULL,
    cancellation_id bigint DEFAULT NULL, metadata jsonb DEFAULT NULL)
    RETURNS ordcancel.outcome
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_adjust_refund';
COMMENT ON FUNCTION ordcancel.adjust_refund(regclass, text, numeric, text, text, bigint, jsonb) IS
    E'changes the amount due of an accepted cancellation; needs a note\n'
    'Raises OC001, OC002, OC006, OC007, OC010, OC013, OC014, OC015, 22001, 22023, 42501.';
CREATE FUNCTION ordcancel.adjust_refund(
    orders regclass, order_id anynonarray, refund_due numeric, note text DEFAULT NULL, actor text DEFAULT NULL,
    cancellation_id bigint DEFAULT NULL, metadata jsonb DEFAULT NULL)
    RETURNS ordcancel.outcome
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_adjust_refund';
COMMENT ON FUNCTION ordcancel.adjust_refund(regclass, anynonarray, numeric, text, text, bigint, jsonb) IS
    E'changes the amount due of an accepted cancellation; needs a note\n'
    'Raises OC001, OC002, OC006, OC007, OC010, OC013, OC014, OC015, 22001, 22023, 42501.';

-- Undoes a cancellation, within the limits of the policy; the order gets its
-- prior status unless it has moved on. The caller's own open request is
-- withdrawn; the other party's is denied, which needs a note. settled confirms that
-- refunds that must be repaid or recaptured have been; otherwise the customer
-- keeps the refunds, and they are not due again. cancellation_id says which one,
-- if several cancellations of items are in effect. Units of items that it took
-- are given back where the items are still there. Raises OC001, OC002, OC006,
-- OC008, OC009, OC015.
CREATE FUNCTION ordcancel.undo_cancel(
    orders regclass, order_id text, note text DEFAULT NULL, actor text DEFAULT NULL, settled boolean DEFAULT false,
    cancellation_id bigint DEFAULT NULL,
    metadata jsonb DEFAULT NULL)
    RETURNS ordcancel.outcome
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_undo_cancel';
COMMENT ON FUNCTION ordcancel.undo_cancel(regclass, text, text, text, boolean, bigint, jsonb) IS
    E'undoes a cancellation; the order gets its prior status back\n'
    'Raises OC001, OC002, OC006, OC008, OC009, OC014, OC015, 22001, 22023, 42501.';
CREATE FUNCTION ordcancel.undo_cancel(
    orders regclass, order_id anynonarray, note text DEFAULT NULL,
    actor text DEFAULT NULL, settled boolean DEFAULT false, cancellation_id bigint DEFAULT NULL,
    metadata jsonb DEFAULT NULL)
    RETURNS ordcancel.outcome
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_undo_cancel';
COMMENT ON FUNCTION ordcancel.undo_cancel(regclass, anynonarray, text, text, boolean, bigint, jsonb) IS
    E'undoes a cancellation; the order gets its prior status back\n'
    'Raises OC001, OC002, OC006, OC008, OC009, OC014, OC015, 22001, 22023, 42501.';

-- What can be done to an order: one row per party and verb. Makes the same
-- decision as the verbs, without locks. Does not check reason and note, nor
-- whether the role may EXECUTE the verb, but respects ordcancel.party.
--   allowed    whether the call would succeed
--   outcome    canceled, requested, in_progress, withdrawn, denied, undone;
--              already, if the call would change nothing; refused
--   condition, detail, hint  why not. An allowed undo_cancel has them if it
--              needs settled => true, that is, confirmation that the money is
--              back
--   until      when the answer will change without a change of the order
--   refund_due the amount to refund if the outcome is canceled or in_progress
-- VOLATILE, because the answer depends on the clock, not on the statement's time,
-- and on the current rules, not on the statement's snapshot. Raises OC001, OC002.
CREATE FUNCTION ordcancel.cancel_options(orders regclass, order_id text)
    RETURNS TABLE (party text, verb text, allowed boolean, outcome text, condition text, detail text, hint text,
                   until timestamptz, refund_due numeric)
    LANGUAGE c VOLATILE
    AS 'MODULE_PATHNAME', 'ordcancel_cancel_options';
COMMENT ON FUNCTION ordcancel.cancel_options(regclass, text) IS
    E'shows what each party may do to an order now, until when, and why not\nRaises OC001, OC002, OC014, 42501.';
CREATE FUNCTION ordcancel.cancel_options(orders regclass, order_id anynonarray)
    RETURNS TABLE (party text, verb text, allowed boolean, outcome text, condition text, detail text, hint text,
                   until timestamptz, refund_due numeric)
    LANGUAGE c VOLATILE
    AS 'MODULE_PATHNAME', 'ordcancel_cancel_options';
COMMENT ON FUNCTION ordcancel.cancel_options(regclass, anynonarray) IS
    E'shows what each party may do to an order now, until when, and why not\nRaises OC001, OC002, OC014, 42501.';

-- The decision alone, without an order, for tests and for trying out a policy.
-- verb and party act on an order whose cancellation is in state, requested by
-- asked_by; customer, customer_late, merchant and deletable are the rule of its
-- status (all NULL: no rule). With change_to, a plain update is decided instead
-- of the verb: to requested, in_progress, canceled, customer_canceled, prior, or
-- any other status. money_due: a refund would be due, or is. at is the time of the
-- decision; the default is ordcancel.clock or the statement's time. STABLE, because
-- the result depends only on the arguments and that time. Raises 22023 for an
-- invalid value.
CREATE FUNCTION ordcancel.decide(
    verb text, party text, state text DEFAULT 'none', asked_by text DEFAULT 'customer', customer text DEFAULT NULL,
    customer_late text DEFAULT NULL, merchant text DEFAULT NULL, deletable boolean DEFAULT NULL,
    placed_at timestamptz DEFAULT NULL, grace interval DEFAULT NULL, at timestamptz DEFAULT NULL,
    blocked boolean DEFAULT false, money_due boolean DEFAULT false, on_progress text DEFAULT 'deny',
    undo text DEFAULT 'canceled', closed_at timestamptz DEFAULT NULL, undo_window interval DEFAULT NULL,
    change_to text DEFAULT NULL, settlement text DEFAULT 'before_canceled',
    OUT outcome text, OUT condition text, OUT status text, OUT event text, OUT until timestamptz)
    LANGUAGE c STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'ordcancel_decide';
COMMENT ON FUNCTION ordcancel.decide(
    text, text, text, text, text, text, text, boolean, timestamptz, interval, timestamptz, boolean, boolean, text,
    text, timestamptz, interval, text, text) IS
    E'decides as the functions would, from its arguments alone, without an order\nRaises 22023.';

-- For doc/reference.md and doc/errors.md, which a test compares with it.
CREATE FUNCTION ordcancel_internal.conditions() RETURNS TABLE (sqlstate text, condition text)
    LANGUAGE c IMMUTABLE
    AS 'MODULE_PATHNAME', 'ordcancel_conditions';
COMMENT ON FUNCTION ordcancel_internal.conditions() IS
    'lists the conditions under which ordcancel refuses, with their SQLSTATEs';

-- The merchant cancels many orders in one call, each as with cancel_order; a
-- refused order does not stop the rest.
--   orders     the attached order table
--   order_ids  array of keys as for cancel_order, or its text: '{42,43}'; NULL
--              is an empty array
--   reason, note, actor   as for cancel_order, for all orders
--   on_error   skip: return the error in the order's row; abort: raise it, and
--              cancel none of the orders
-- Returns a row for each id in the order of the array: outcome is canceled,
-- in_progress, requested, already or refused, with SQLSTATE and message of a
-- refusal. An order that is named twice is canceled once. Raises OC001, OC014,
-- 22023; with abort also the errors of cancel_order.
CREATE FUNCTION ordcancel.cancel_orders(
    orders regclass, order_ids text, reason text DEFAULT NULL, note text DEFAULT NULL,
    actor text DEFAULT NULL, on_error text DEFAULT 'skip',
    metadata jsonb DEFAULT NULL)
    RETURNS TABLE (order_id text, outcome text, cancellation_id bigint, sqlstate text, message text)
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_cancel_orders';
COMMENT ON FUNCTION ordcancel.cancel_orders(regclass, text, text, text, text, text, jsonb) IS
    E'cancels an array of orders for the merchant; one that is refused does not stop the others\n'
    'Raises OC001, OC002, OC003, OC005, OC006, OC013, OC014, 22001, 22023, 22P02, 42501.';
CREATE FUNCTION ordcancel.cancel_orders(
    orders regclass, order_ids anyarray, reason text DEFAULT NULL, note text DEFAULT NULL,
    actor text DEFAULT NULL, on_error text DEFAULT 'skip',
    metadata jsonb DEFAULT NULL)
    RETURNS TABLE (order_id text, outcome text, cancellation_id bigint, sqlstate text, message text)
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_cancel_orders';
COMMENT ON FUNCTION ordcancel.cancel_orders(regclass, anyarray, text, text, text, text, jsonb) IS
    E'cancels an array of orders for the merchant; one that is refused does not stop the others\n'
    'Raises OC001, OC002, OC003, OC005, OC006, OC013, OC014, 22001, 22023, 22P02, 42501.';
