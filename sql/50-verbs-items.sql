-- The functions on items of orders; see attach_items(). Each is declared twice,
-- like those on orders.

-- The customer cancels items of an order, or requests it, as the rule for the
-- order says.
--   orders       the attached order table
--   order_id     the order's key; a key of several columns as ROW(7, 42) or '(7,42)'
--   items        array of {"item": key, "quantity": units, "reason": code, "note": text}. The key of several columns
--                is an array of their values. Without quantity: all that can be canceled. reason and note are those of
--                this item, where they differ from the cancellation's
--   reason       code of ordcancel.reason; default the first item's, if all items have one
--   note         up to 2,000 characters, fewer where the reason says so
--   actor        actor to record; default ordcancel.actor, then the role
--   request_key  a repeated call with the same key returns the first outcome
--   metadata     as for request_cancel
-- If nothing of the order would be left and nothing is fulfilled, the order
-- itself is canceled, as by request_cancel(). Returns the outcome. Raises OC001
-- to OC006, OC011, OC012, OC014, OC016; 22023 if items is another JSON value.
CREATE FUNCTION ordcancel.request_cancel_items(
    orders regclass, order_id text, items jsonb, reason text DEFAULT NULL, note text DEFAULT NULL,
    actor text DEFAULT NULL, request_key text DEFAULT NULL,
    metadata jsonb DEFAULT NULL)
    RETURNS ordcancel.outcome
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_request_cancel_items';
COMMENT ON FUNCTION ordcancel.request_cancel_items(regclass, text, jsonb, text, text, text, text, jsonb) IS
    E'cancels items of an order for the customer, or requests their cancellation, as the rule says\n'
    'Raises OC001, OC002, OC003, OC004, OC005, OC006, OC011, OC012, OC014, OC016, 22001, 22023, 42501.';
CREATE FUNCTION ordcancel.request_cancel_items(
    orders regclass, order_id anynonarray, items jsonb, reason text DEFAULT NULL, note text DEFAULT NULL,
    actor text DEFAULT NULL, request_key text DEFAULT NULL,
    metadata jsonb DEFAULT NULL)
    RETURNS ordcancel.outcome
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_request_cancel_items';
COMMENT ON FUNCTION ordcancel.request_cancel_items(regclass, anynonarray, jsonb, text, text, text, text, jsonb) IS
    E'cancels items of an order for the customer, or requests their cancellation, as the rule says\n'
    'Raises OC001, OC002, OC003, OC004, OC005, OC006, OC011, OC012, OC014, OC016, 22001, 22023, 42501.';

-- The merchant cancels items of an order, requests it, or confirms a request for
-- the same items. Arguments and errors as for request_cancel_items; refund as for
-- cancel_order.
CREATE FUNCTION ordcancel.cancel_items(
    orders regclass, order_id text, items jsonb, reason text DEFAULT NULL, note text DEFAULT NULL,
    actor text DEFAULT NULL, request_key text DEFAULT NULL,
    metadata jsonb DEFAULT NULL, refund numeric DEFAULT NULL)
    RETURNS ordcancel.outcome
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_cancel_items';
COMMENT ON FUNCTION ordcancel.cancel_items(regclass, text, jsonb, text, text, text, text, jsonb, numeric) IS
    E'cancels items of an order for the merchant, requests their cancellation, or confirms a request\n'
    'Raises OC001, OC002, OC003, OC005, OC006, OC010, OC011, OC012, OC014, OC016, 22001, 22023, 42501.';
CREATE FUNCTION ordcancel.cancel_items(
    orders regclass, order_id anynonarray, items jsonb, reason text DEFAULT NULL, note text DEFAULT NULL,
    actor text DEFAULT NULL, request_key text DEFAULT NULL,
    metadata jsonb DEFAULT NULL, refund numeric DEFAULT NULL)
    RETURNS ordcancel.outcome
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_cancel_items';
COMMENT ON FUNCTION ordcancel.cancel_items(regclass, anynonarray, jsonb, text, text, text, text, jsonb, numeric) IS
    E'cancels items of an order for the merchant, requests their cancellation, or confirms a request\n'
    'Raises OC001, OC002, OC003, OC005, OC006, OC010, OC011, OC012, OC014, OC016, 22001, 22023, 42501.';

-- What can be canceled of each item of an order, one row per item.
--   item        key as text
--   ordered     units ordered
--   fulfilled   units that cannot be canceled any more
--   canceled    units canceled
--   cancelable  units that the caller could cancel or request to cancel now
--   amount      what the customer pays for the item as it stands; NULL if not configured
--   why_not     why cancelable is 0; NULL if it is not
-- Makes the same decision as the functions, without locks. Raises OC001, OC002, OC014.
CREATE FUNCTION ordcancel.item_options(
    orders regclass, order_id text, OUT item text, OUT ordered numeric, OUT fulfilled numeric, OUT canceled numeric,
    OUT cancelable numeric, OUT amount numeric, OUT why_not text)
    RETURNS SETOF record
    LANGUAGE c STABLE ROWS 10
    AS 'MODULE_PATHNAME', 'ordcancel_item_options';
COMMENT ON FUNCTION ordcancel.item_options(regclass, text) IS
    E'lists what can be canceled of each item of an order\nRaises OC001, OC002, OC014.';
CREATE FUNCTION ordcancel.item_options(
    orders regclass, order_id anynonarray, OUT item text, OUT ordered numeric, OUT fulfilled numeric,
    OUT canceled numeric, OUT cancelable numeric, OUT amount numeric, OUT why_not text)
    RETURNS SETOF record
    LANGUAGE c STABLE ROWS 10
    AS 'MODULE_PATHNAME', 'ordcancel_item_options';
COMMENT ON FUNCTION ordcancel.item_options(regclass, anynonarray) IS
    E'lists what can be canceled of each item of an order\nRaises OC001, OC002, OC014.';
