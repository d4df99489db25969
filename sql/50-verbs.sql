-- The verbs. Each is declared twice on the same C function: with text for the
-- key, so that an untyped literal or driver parameter resolves, and with
-- anynonarray, so that a value of any type does.

-- The customer cancels, where the rule says cancel, or asks, where it says
-- request.
--   orders       the attached order table
--   order_id     the order's key; a key of several columns as ROW(7, 42) or '(7,42)'
--   reason       code of ordcancel.reason
--   note         up to 2,000 characters, fewer where the reason says so
--   actor        who acts, for the record; else ordcancel.actor, else the role
--   request_key  makes a repeated call return the first one's outcome
-- Returns what has become of the order; changed is false when it was so.
-- Raises OC001 to OC006, OC011, OC014. Source: design section 5.
CREATE FUNCTION ordcancel.request_cancel(
    orders regclass, order_id text, reason text DEFAULT NULL, note text DEFAULT NULL, actor text DEFAULT NULL, request_key text DEFAULT NULL)
    RETURNS ordcancel.outcome
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_request_cancel';
COMMENT ON FUNCTION ordcancel.request_cancel(regclass, text, text, text, text, text) IS
    E'cancels an order for the customer, or requests that, as the rule says\nRaises OC001, OC002, OC003, OC004, OC005, OC006, OC011, OC013, OC014, 22001, 42501.';
CREATE FUNCTION ordcancel.request_cancel(
    orders regclass, order_id anynonarray, reason text DEFAULT NULL, note text DEFAULT NULL, actor text DEFAULT NULL, request_key text DEFAULT NULL)
    RETURNS ordcancel.outcome
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_request_cancel';
COMMENT ON FUNCTION ordcancel.request_cancel(regclass, anynonarray, text, text, text, text) IS
    E'cancels an order for the customer, or requests that, as the rule says\nRaises OC001, OC002, OC003, OC004, OC005, OC006, OC011, OC013, OC014, 22001, 42501.';

-- The merchant cancels, or asks where the rule says request, or confirms what
-- is requested; a reason that is given then is the record's, as of
-- accept_cancel. Arguments and errors as of request_cancel, and OC013.
CREATE FUNCTION ordcancel.cancel_order(
    orders regclass, order_id text, reason text DEFAULT NULL, note text DEFAULT NULL, actor text DEFAULT NULL, request_key text DEFAULT NULL)
    RETURNS ordcancel.outcome
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_cancel_order';
COMMENT ON FUNCTION ordcancel.cancel_order(regclass, text, text, text, text, text) IS
    E'cancels an order for the merchant, or requests that, or confirms a request\nRaises OC001, OC002, OC003, OC005, OC006, OC011, OC013, OC014, 22001, 42501.';
CREATE FUNCTION ordcancel.cancel_order(
    orders regclass, order_id anynonarray, reason text DEFAULT NULL, note text DEFAULT NULL, actor text DEFAULT NULL, request_key text DEFAULT NULL)
    RETURNS ordcancel.outcome
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_cancel_order';
COMMENT ON FUNCTION ordcancel.cancel_order(regclass, anynonarray, text, text, text, text) IS
    E'cancels an order for the merchant, or requests that, or confirms a request\nRaises OC001, OC002, OC003, OC005, OC006, OC011, OC013, OC014, 22001, 42501.';

-- Cancels in spite of rule, window or block; the note is required, and the
-- event says data.override. Arguments as of request_cancel. Raises OC001,
-- OC002, OC006, OC011, OC014.
CREATE FUNCTION ordcancel.override_cancel(
    orders regclass, order_id text, reason text DEFAULT NULL, note text DEFAULT NULL, actor text DEFAULT NULL, request_key text DEFAULT NULL)
    RETURNS ordcancel.outcome
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_override_cancel';
COMMENT ON FUNCTION ordcancel.override_cancel(regclass, text, text, text, text, text) IS
    E'cancels an order regardless of rule, window and block; needs a note\nRaises OC001, OC002, OC006, OC011, OC013, OC014, 22001, 42501.';
CREATE FUNCTION ordcancel.override_cancel(
    orders regclass, order_id anynonarray, reason text DEFAULT NULL, note text DEFAULT NULL, actor text DEFAULT NULL, request_key text DEFAULT NULL)
    RETURNS ordcancel.outcome
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_override_cancel';
COMMENT ON FUNCTION ordcancel.override_cancel(regclass, anynonarray, text, text, text, text) IS
    E'cancels an order regardless of rule, window and block; needs a note\nRaises OC001, OC002, OC006, OC011, OC013, OC014, 22001, 42501.';

-- The party that asked takes its request back; the order gets its prior status
-- unless it has moved on. A role that may act for both parties acts for the one
-- that asked. Raises OC001, OC002, OC003, OC006, OC007.
CREATE FUNCTION ordcancel.withdraw_cancel(
    orders regclass, order_id text, note text DEFAULT NULL, actor text DEFAULT NULL)
    RETURNS ordcancel.outcome
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_withdraw_cancel';
COMMENT ON FUNCTION ordcancel.withdraw_cancel(regclass, text, text, text) IS
    E'takes back a request; the order gets its old status back\nRaises OC001, OC002, OC003, OC006, OC007, OC014, 22001, 42501.';
CREATE FUNCTION ordcancel.withdraw_cancel(
    orders regclass, order_id anynonarray, note text DEFAULT NULL, actor text DEFAULT NULL)
    RETURNS ordcancel.outcome
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_withdraw_cancel';
COMMENT ON FUNCTION ordcancel.withdraw_cancel(regclass, anynonarray, text, text) IS
    E'takes back a request; the order gets its old status back\nRaises OC001, OC002, OC003, OC006, OC007, OC014, 22001, 42501.';

-- The merchant accepts a request: canceled, or in progress while a refund is
-- due.
--   reason  code of ordcancel.reason, judged as that of cancel_order; the
--           record's from then on, while the asker's stays in the event of the
--           ask; without one the asker's stays
--   note, actor  as of cancel_order
-- Raises OC001, OC002, OC005, OC006, OC007, OC013, OC014.
CREATE FUNCTION ordcancel.accept_cancel(
    orders regclass, order_id text, reason text DEFAULT NULL, note text DEFAULT NULL, actor text DEFAULT NULL)
    RETURNS ordcancel.outcome
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_accept_cancel';
COMMENT ON FUNCTION ordcancel.accept_cancel(regclass, text, text, text, text) IS
    E'accepts a request: the order is canceled, or in progress while a refund is due\nRaises OC001, OC002, OC005, OC006, OC007, OC013, OC014, 22001, 42501.';
CREATE FUNCTION ordcancel.accept_cancel(
    orders regclass, order_id anynonarray, reason text DEFAULT NULL, note text DEFAULT NULL, actor text DEFAULT NULL)
    RETURNS ordcancel.outcome
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_accept_cancel';
COMMENT ON FUNCTION ordcancel.accept_cancel(regclass, anynonarray, text, text, text) IS
    E'accepts a request: the order is canceled, or in progress while a refund is due\nRaises OC001, OC002, OC005, OC006, OC007, OC013, OC014, 22001, 42501.';

-- The merchant denies the customer's request; the note is required, the order
-- gets its prior status unless it has moved on. Raises OC001, OC002, OC003,
-- OC006, OC007.
CREATE FUNCTION ordcancel.deny_cancel(
    orders regclass, order_id text, note text DEFAULT NULL, actor text DEFAULT NULL)
    RETURNS ordcancel.outcome
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_deny_cancel';
COMMENT ON FUNCTION ordcancel.deny_cancel(regclass, text, text, text) IS
    E'denies a request of the customer; needs a note\nRaises OC001, OC002, OC003, OC006, OC007, OC014, 22001, 42501.';
CREATE FUNCTION ordcancel.deny_cancel(
    orders regclass, order_id anynonarray, note text DEFAULT NULL, actor text DEFAULT NULL)
    RETURNS ordcancel.outcome
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_deny_cancel';
COMMENT ON FUNCTION ordcancel.deny_cancel(regclass, anynonarray, text, text) IS
    E'denies a request of the customer; needs a note\nRaises OC001, OC002, OC003, OC006, OC007, OC014, 22001, 42501.';

-- Adds a refund to a cancellation in progress; with the last one it is
-- canceled.
--   amount     positive, not above what is still due; rounded to refund_scale
--   method     code of ordcancel.refund_method
--   reference  up to 255 characters; a refund of the order that is on record
--              with it, the same amount and method, is not added again (changed
--              is false), and with another amount or method it is OC010
-- Raises OC001, OC002, OC007, OC010.
CREATE FUNCTION ordcancel.record_refund(
    orders regclass, order_id text, amount numeric, method text, reference text DEFAULT NULL, actor text DEFAULT NULL)
    RETURNS ordcancel.outcome
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_record_refund';
COMMENT ON FUNCTION ordcancel.record_refund(regclass, text, numeric, text, text, text) IS
    E'records a refund; the last one that is due completes the cancellation\nRaises OC001, OC002, OC007, OC010, OC013, OC014, 22001, 42501.';
CREATE FUNCTION ordcancel.record_refund(
    orders regclass, order_id anynonarray, amount numeric, method text, reference text DEFAULT NULL, actor text DEFAULT NULL)
    RETURNS ordcancel.outcome
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_record_refund';
COMMENT ON FUNCTION ordcancel.record_refund(regclass, anynonarray, numeric, text, text, text) IS
    E'records a refund; the last one that is due completes the cancellation\nRaises OC001, OC002, OC007, OC010, OC013, OC014, 22001, 42501.';

-- Undoes a cancellation, as far and as long as the policy says; the order gets
-- its prior status unless it has moved on. One's own request is withdrawn by
-- it; the other party's is denied, and needs a note. settled says that refunds
-- which must be repaid or recaptured have been; without it what was refunded
-- was kept, and is not due again. Raises OC001, OC002, OC006, OC008, OC009.
CREATE FUNCTION ordcancel.undo_cancel(
    orders regclass, order_id text, note text DEFAULT NULL, actor text DEFAULT NULL, settled boolean DEFAULT false)
    RETURNS ordcancel.outcome
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_undo_cancel';
COMMENT ON FUNCTION ordcancel.undo_cancel(regclass, text, text, text, boolean) IS
    E'undoes a cancellation; the order gets its old status back\nRaises OC001, OC002, OC006, OC008, OC009, OC014, 22001, 42501.';
CREATE FUNCTION ordcancel.undo_cancel(
    orders regclass, order_id anynonarray, note text DEFAULT NULL, actor text DEFAULT NULL, settled boolean DEFAULT false)
    RETURNS ordcancel.outcome
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_undo_cancel';
COMMENT ON FUNCTION ordcancel.undo_cancel(regclass, anynonarray, text, text, boolean) IS
    E'undoes a cancellation; the order gets its old status back\nRaises OC001, OC002, OC006, OC008, OC009, OC014, 22001, 42501.';

-- What may be done to an order: one row per party and verb. Asks the decision
-- that the verbs ask, without locks; reason and note are not judged, nor
-- whether the role may EXECUTE the verb, but the setting ordcancel.party is.
--   allowed    whether the call would go through
--   outcome    canceled, requested, in_progress, withdrawn, denied, undone;
--              already, when the call would change nothing; refused
--   condition, detail, hint  why not. An allowed undo_cancel has them where it
--              goes through with settled => true alone: ask whether the money
--              is back, and pass it
--   until      when the answer changes by itself
--   refund_due what is paid back when the outcome is canceled or in_progress
-- VOLATILE, as the answer is: it goes by the clock, not the statement's time,
-- and by the rules as they are now, not as the statement's snapshot has them.
-- Raises OC001, OC002.
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

-- The decision by itself: what would the rules say? For tests and for trying a
-- policy out; no order is involved. verb and party act on an order whose
-- cancellation is in a state, asked for by asked_by; customer, customer_late,
-- merchant and deletable are the rule of its status (all NULL: no rule). With
-- change_to a plain update is judged instead of the verb: to requested,
-- in_progress, canceled, customer_canceled, prior, or any other status. at is
-- when: the statement's time when NULL, or ordcancel.clock. So it is STABLE:
-- it looks at nothing but its arguments and that time. Raises 22023 for a word that is none.
CREATE FUNCTION ordcancel.decide(
    verb text, party text, state text DEFAULT 'none', asked_by text DEFAULT 'customer', customer text DEFAULT NULL,
    customer_late text DEFAULT NULL, merchant text DEFAULT NULL, deletable boolean DEFAULT NULL,
    placed_at timestamptz DEFAULT NULL, grace interval DEFAULT NULL, at timestamptz DEFAULT NULL,
    blocked boolean DEFAULT false, money_due boolean DEFAULT false, on_progress text DEFAULT 'deny',
    undo text DEFAULT 'canceled', closed_at timestamptz DEFAULT NULL, undo_window interval DEFAULT NULL,
    change_to text DEFAULT NULL,
    OUT outcome text, OUT condition text, OUT status text, OUT event text, OUT until timestamptz)
    LANGUAGE c STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'ordcancel_decide';
COMMENT ON FUNCTION ordcancel.decide(text, text, text, text, text, text, text, boolean, timestamptz, interval, timestamptz, boolean, boolean, text, text, timestamptz, interval, text) IS
    E'decides as the functions would, from its arguments alone, without an order\nRaises 22023.';

-- For doc/reference.md and doc/errors.md, which a test compares with it.
CREATE FUNCTION ordcancel_internal.conditions() RETURNS TABLE (sqlstate text, condition text)
    LANGUAGE c IMMUTABLE
    AS 'MODULE_PATHNAME', 'ordcancel_conditions';
COMMENT ON FUNCTION ordcancel_internal.conditions() IS 'lists the conditions under which ordcancel refuses, with their SQLSTATEs';

-- The merchant cancels many orders in one call: each as cancel_order would,
-- and one that is refused does not stop the rest.
--   orders     the attached order table
--   order_ids  their keys, as an array of what cancel_order takes one of, also
--              as its text: '{42,43}'; NULL is an array of none
--   reason, note, actor   as of cancel_order, for all of them
--   on_error   skip: tell it in the order's row; abort: raise it, and nothing
--              is done to any of them
-- Returns a row for each id in the order of the array: outcome is canceled,
-- in_progress, requested, already or refused, and a refusal has its SQLSTATE
-- and message. An order that is named twice is done once.
-- Raises OC001, OC014, 22023; with abort what cancel_order does. Source:
-- design section 5.
CREATE FUNCTION ordcancel.cancel_orders(
    orders regclass, order_ids text, reason text DEFAULT NULL, note text DEFAULT NULL, actor text DEFAULT NULL, on_error text DEFAULT 'skip')
    RETURNS TABLE (order_id text, outcome text, cancellation_id bigint, sqlstate text, message text)
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_cancel_orders';
COMMENT ON FUNCTION ordcancel.cancel_orders(regclass, text, text, text, text, text) IS
    E'cancels an array of orders for the merchant; one that is refused does not stop the others\nRaises OC001, OC002, OC003, OC005, OC006, OC013, OC014, 22001, 22023, 22P02, 42501.';
CREATE FUNCTION ordcancel.cancel_orders(
    orders regclass, order_ids anyarray, reason text DEFAULT NULL, note text DEFAULT NULL, actor text DEFAULT NULL, on_error text DEFAULT 'skip')
    RETURNS TABLE (order_id text, outcome text, cancellation_id bigint, sqlstate text, message text)
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_cancel_orders';
COMMENT ON FUNCTION ordcancel.cancel_orders(regclass, anyarray, text, text, text, text) IS
    E'cancels an array of orders for the merchant; one that is refused does not stop the others\nRaises OC001, OC002, OC003, OC005, OC006, OC013, OC014, 22001, 22023, 22P02, 42501.';
