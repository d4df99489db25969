-- forget

-- Erases what persons wrote and are named by from the records of an order: notes,
-- actors and metadata of its cancellations, their items and events, and why a
-- consumer has set one of its events aside. The facts stay: states, times,
-- amounts, reasons, methods and references of refunds, request keys. Also for an
-- order that was deleted, if the role may SELECT all orders of the table.
--   orders, order_id  as for cancel_order
--   note           why, such as the number of the request; kept in the event
--   actor          actor to record; default ordcancel.actor, then the role
--   session_roles  erases also the login roles of the events
-- Recorded as an event "forgotten". Returns the outcome; changed is false if
-- nothing was left to erase. Raises OC001, OC002, OC006.
CREATE FUNCTION ordcancel.forget(
    orders regclass, order_id text, note text DEFAULT NULL, actor text DEFAULT NULL,
    session_roles boolean DEFAULT false)
    RETURNS ordcancel.outcome
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_forget';
COMMENT ON FUNCTION ordcancel.forget(regclass, text, text, text, boolean) IS
    E'erases notes, actors and metadata from all records of an order, also of a deleted one; the facts stay\n'
    'Raises OC001, OC002, OC006, OC014, 22001, 42501.';
CREATE FUNCTION ordcancel.forget(
    orders regclass, order_id anynonarray, note text DEFAULT NULL, actor text DEFAULT NULL,
    session_roles boolean DEFAULT false)
    RETURNS ordcancel.outcome
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_forget';
COMMENT ON FUNCTION ordcancel.forget(regclass, anynonarray, text, text, boolean) IS
    E'erases notes, actors and metadata from all records of an order, also of a deleted one; the facts stay\n'
    'Raises OC001, OC002, OC006, OC014, 22001, 42501.';
