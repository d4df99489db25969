-- Presets: the rules of known systems, as rows. To add a preset, add rows to the
-- tables in this file.

CREATE TABLE ordcancel.preset (
    preset text PRIMARY KEY,
    description text NOT NULL,
    grace interval,
    requested_status text,
    in_progress_status text,
    canceled_status text NOT NULL,
    customer_canceled_status text,
    on_progress text NOT NULL DEFAULT 'deny',
    decision_timeout interval,
    on_timeout text,
    undo text NOT NULL DEFAULT 'canceled',
    undo_window interval,
    reason_required boolean NOT NULL DEFAULT false,
    partly_fulfilled text NOT NULL DEFAULT 'refuse' CHECK (partly_fulfilled IN ('refuse', 'rest')),
    settlement text NOT NULL DEFAULT 'before_canceled',
    closed_statuses text[] NOT NULL DEFAULT '{}',
    reopen_statuses text[] NOT NULL DEFAULT '{}'
);
COMMENT ON TABLE ordcancel.preset IS 'presets: policies of known systems, for apply_preset()';
COMMENT ON COLUMN ordcancel.preset.preset IS 'name of the preset';
COMMENT ON COLUMN ordcancel.preset.description IS 'name of the system';
COMMENT ON COLUMN ordcancel.preset.grace IS 'length of the customer''s window; NULL: it never closes';
COMMENT ON COLUMN ordcancel.preset.requested_status IS
    'status of an order while a request is open; NULL: its status stays';
COMMENT ON COLUMN ordcancel.preset.in_progress_status IS
    'status of an order while refunds are due; NULL: its status stays';
COMMENT ON COLUMN ordcancel.preset.canceled_status IS 'status of a canceled order';
COMMENT ON COLUMN ordcancel.preset.customer_canceled_status IS
    'status of an order that the customer canceled directly; NULL: as canceled_status';
COMMENT ON COLUMN ordcancel.preset.on_progress IS 'deny or hold, as in ordcancel.policy';
COMMENT ON COLUMN ordcancel.preset.decision_timeout IS 'time after which sweep() decides an open request; NULL: never';
COMMENT ON COLUMN ordcancel.preset.on_timeout IS
    'what sweep() then does: accept or deny; NULL without decision_timeout';
COMMENT ON COLUMN ordcancel.preset.undo IS 'latest state that can be undone: never, requested, in_progress or canceled';
COMMENT ON COLUMN ordcancel.preset.undo_window IS 'how long a closed cancellation can be undone; NULL: without limit';
COMMENT ON COLUMN ordcancel.preset.reason_required IS 'whether every cancellation needs a reason';
COMMENT ON COLUMN ordcancel.preset.partly_fulfilled IS
    'what canceling an order does if some of its items are fulfilled: refuse or rest';
COMMENT ON COLUMN ordcancel.preset.settlement IS 'before_canceled or after_canceled, as in ordcancel.policy';
COMMENT ON COLUMN ordcancel.preset.closed_statuses IS 'statuses to which a canceled order may move on';
COMMENT ON COLUMN ordcancel.preset.reopen_statuses IS
    'statuses that a merchant''s plain UPDATE may give to a canceled order';

CREATE TABLE ordcancel.preset_rule (
    preset text,
    status text,
    customer text NOT NULL DEFAULT 'forbid',
    customer_late text,
    merchant text NOT NULL DEFAULT 'forbid',
    deletable boolean NOT NULL DEFAULT false,
    hint text,
    expire_after interval,
    expire_reason text,
    PRIMARY KEY (preset, status)
);
COMMENT ON TABLE ordcancel.preset_rule IS 'rules of the presets';
COMMENT ON COLUMN ordcancel.preset_rule.preset IS 'name of the preset';
COMMENT ON COLUMN ordcancel.preset_rule.status IS 'status of the order';
COMMENT ON COLUMN ordcancel.preset_rule.customer IS
    'what the customer may do within the window: cancel, request or forbid';
COMMENT ON COLUMN ordcancel.preset_rule.customer_late IS 'what the customer may do after the window; NULL: as customer';
COMMENT ON COLUMN ordcancel.preset_rule.merchant IS
    'what the merchant may do: cancel, request (a second call confirms) or forbid';
COMMENT ON COLUMN ordcancel.preset_rule.deletable IS 'whether an order in this status may be deleted';
COMMENT ON COLUMN ordcancel.preset_rule.hint IS 'HINT of the error when the rule refuses; NULL: a general one';
COMMENT ON COLUMN ordcancel.preset_rule.expire_after IS
    'time in this status after which sweep() cancels the order; NULL: never';
COMMENT ON COLUMN ordcancel.preset_rule.expire_reason IS 'reason with which it then cancels; NULL: none';

CREATE TABLE ordcancel.preset_reason (
    preset text,
    code text,
    description text NOT NULL,
    audience text NOT NULL DEFAULT 'any',
    requires_note boolean NOT NULL DEFAULT false,
    requires_request boolean NOT NULL DEFAULT false,
    note_max integer NOT NULL DEFAULT 2000,
    PRIMARY KEY (preset, code)
);
COMMENT ON TABLE ordcancel.preset_reason IS 'reasons of the presets, beyond those that come with the extension';
COMMENT ON COLUMN ordcancel.preset_reason.preset IS 'name of the preset';
COMMENT ON COLUMN ordcancel.preset_reason.code IS 'code of the reason';
COMMENT ON COLUMN ordcancel.preset_reason.description IS 'what it means, for people';
COMMENT ON COLUMN ordcancel.preset_reason.audience IS 'who may give it: customer, merchant, system or any';
COMMENT ON COLUMN ordcancel.preset_reason.requires_note IS 'whether a note has to be given with it';
COMMENT ON COLUMN ordcancel.preset_reason.requires_request IS
    'whether it may be given only for cancellations that the customer requested';
COMMENT ON COLUMN ordcancel.preset_reason.note_max IS 'longest note with it, in characters';

CREATE TABLE ordcancel.preset_block (
    preset text,
    name text,
    condition text NOT NULL,
    hint text,
    party text,
    PRIMARY KEY (preset, name)
);
COMMENT ON TABLE ordcancel.preset_block IS 'blocks of the presets, for the tables of the system';
COMMENT ON COLUMN ordcancel.preset_block.preset IS 'name of the preset';
COMMENT ON COLUMN ordcancel.preset_block.name IS 'name of the block';
COMMENT ON COLUMN ordcancel.preset_block.condition IS
    'SQL condition over the order; {orders} stands for the name of the order table, {schema} for its schema';
COMMENT ON COLUMN ordcancel.preset_block.hint IS 'HINT of the error when it blocks';
COMMENT ON COLUMN ordcancel.preset_block.party IS 'party that is blocked, customer or merchant; NULL: both';

CREATE TABLE ordcancel.preset_also_set (
    preset text,
    state text,
    "column" name,
    value text NOT NULL,
    PRIMARY KEY (preset, state, "column")
);
COMMENT ON TABLE ordcancel.preset_also_set IS 'columns that the presets set together with the status; see also_set()';
COMMENT ON COLUMN ordcancel.preset_also_set.preset IS 'name of the preset';
COMMENT ON COLUMN ordcancel.preset_also_set.state IS 'requested, in_progress, canceled or restored';
COMMENT ON COLUMN ordcancel.preset_also_set."column" IS 'column of the order';
COMMENT ON COLUMN ordcancel.preset_also_set.value IS 'SQL expression over the order and its cancellation';

CREATE TRIGGER guard_config BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON ordcancel.preset
    FOR EACH STATEMENT EXECUTE FUNCTION ordcancel_internal.guard_config();
CREATE TRIGGER guard_config BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON ordcancel.preset_rule
    FOR EACH STATEMENT EXECUTE FUNCTION ordcancel_internal.guard_config();
CREATE TRIGGER guard_config BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON ordcancel.preset_reason
    FOR EACH STATEMENT EXECUTE FUNCTION ordcancel_internal.guard_config();
CREATE TRIGGER guard_config BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON ordcancel.preset_block
    FOR EACH STATEMENT EXECUTE FUNCTION ordcancel_internal.guard_config();
CREATE TRIGGER guard_config BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON ordcancel.preset_also_set
    FOR EACH STATEMENT EXECUTE FUNCTION ordcancel_internal.guard_config();
ALTER TABLE ordcancel.preset ENABLE ALWAYS TRIGGER guard_config;
ALTER TABLE ordcancel.preset_rule ENABLE ALWAYS TRIGGER guard_config;
ALTER TABLE ordcancel.preset_also_set ENABLE ALWAYS TRIGGER guard_config;
ALTER TABLE ordcancel.preset_block ENABLE ALWAYS TRIGGER guard_config;
ALTER TABLE ordcancel.preset_reason ENABLE ALWAYS TRIGGER guard_config;
CREATE TRIGGER replace_replicated BEFORE INSERT ON ordcancel.preset
    FOR EACH ROW EXECUTE FUNCTION ordcancel_internal.replace_replicated();
CREATE TRIGGER replace_replicated BEFORE INSERT ON ordcancel.preset_rule
    FOR EACH ROW EXECUTE FUNCTION ordcancel_internal.replace_replicated();
CREATE TRIGGER replace_replicated BEFORE INSERT ON ordcancel.preset_reason
    FOR EACH ROW EXECUTE FUNCTION ordcancel_internal.replace_replicated();
CREATE TRIGGER replace_replicated BEFORE INSERT ON ordcancel.preset_block
    FOR EACH ROW EXECUTE FUNCTION ordcancel_internal.replace_replicated();
CREATE TRIGGER replace_replicated BEFORE INSERT ON ordcancel.preset_also_set
    FOR EACH ROW EXECUTE FUNCTION ordcancel_internal.replace_replicated();
ALTER TABLE ordcancel.preset ENABLE REPLICA TRIGGER replace_replicated;
ALTER TABLE ordcancel.preset_rule ENABLE REPLICA TRIGGER replace_replicated;
ALTER TABLE ordcancel.preset_also_set ENABLE REPLICA TRIGGER replace_replicated;
ALTER TABLE ordcancel.preset_block ENABLE REPLICA TRIGGER replace_replicated;
ALTER TABLE ordcancel.preset_reason ENABLE REPLICA TRIGGER replace_replicated;

GRANT SELECT ON ordcancel.preset, ordcancel.preset_rule, ordcancel.preset_reason, ordcancel.preset_block,
    ordcancel.preset_also_set TO PUBLIC;

INSERT INTO ordcancel.preset (preset, description, grace, requested_status, in_progress_status, canceled_status,
                              customer_canceled_status, decision_timeout, on_timeout, undo, reason_required) VALUES
    -- Cancelled is an end: its process has no way out of it.
    ('spryker', 'Spryker Commerce OS', '30 minutes', NULL, NULL, 'canceled', NULL, NULL, NULL, 'never', false),
    -- The window is counted from the payment's approval: pass that column as
    -- attach(placed_at => ...). An unanswered request is accepted after 30 days.
    ('vtex', 'VTEX Orders', '30 minutes', 'cancellation-requested', NULL, 'canceled', NULL, '30 days', 'accept',
     'never', false),
    ('cafe24', 'Cafe24', NULL, 'cancellation_requested', 'cancellation_in_progress', 'canceled', NULL, NULL, NULL,
     'canceled', true),
    -- The documentation describes no way back from Cancelled.
    ('kibo', 'Kibo Order Management', NULL, NULL, NULL, 'Cancelled', NULL, NULL, NULL, 'never', true),
    -- A request leaves the order's state as it is.
    ('zaikio', 'Zaikio Procurement', NULL, NULL, NULL, 'canceled_by_supplier', 'canceled_by_consumer', NULL, NULL,
     'never', false);

INSERT INTO ordcancel.preset_rule (preset, status, customer, customer_late, merchant, deletable, hint) VALUES
    -- Customers within the window, the back office at any time.
    ('spryker', 'new', 'cancel', 'forbid', 'cancel', false, NULL),
    ('spryker', 'payment pending', 'cancel', 'forbid', 'cancel', false, NULL),
    ('spryker', 'paid', 'cancel', 'forbid', 'cancel', false, NULL),
    ('spryker', 'confirmed', 'cancel', 'forbid', 'cancel', false, NULL),
    -- The documentation does not describe later states: the example process does
    -- not flag them as cancellable, so nobody cancels there.
    ('spryker', 'waiting', 'forbid', NULL, 'forbid', false, 'The time to cancel is over; the order is being exported.'),
    ('spryker', 'exported', 'forbid', NULL, 'forbid', false, 'The order is with the warehouse.'),
    ('spryker', 'shipped', 'forbid', NULL, 'forbid', false, 'Process it as a return.'),
    ('spryker', 'delivered', 'forbid', NULL, 'forbid', false, 'Process it as a return.'),

    ('vtex', 'payment-pending', 'cancel', 'request', 'cancel', false, NULL),
    ('vtex', 'payment-approved', 'cancel', 'request', 'cancel', false, NULL),
    ('vtex', 'window-to-cancel', 'cancel', 'request', 'cancel', false, NULL),
    -- The merchant clicks twice.
    ('vtex', 'ready-for-handling', 'cancel', 'request', 'request', false, NULL),
    ('vtex', 'handling', 'cancel', 'request', 'request', false, NULL),
    ('vtex', 'invoiced', 'forbid', NULL, 'forbid', false,
     'Invoiced orders cannot be canceled: issue a return invoice.'),

    ('cafe24', 'awaiting_payment', 'cancel', NULL, 'cancel', false, NULL),
    ('cafe24', 'preparing', 'request', NULL, 'cancel', false, NULL),
    ('cafe24', 'ready', 'request', NULL, 'cancel', false, NULL),
    ('cafe24', 'in_transit', 'forbid', NULL, 'forbid', false, 'Process the request as a return.'),
    ('cafe24', 'delivered', 'forbid', NULL, 'forbid', false, 'Process the request as a return.'),

    -- The documentation only describes the merchant's call. Letting shoppers cancel
    -- until the order is processed is a choice of this preset, because the system
    -- has a list of reasons for them.
    ('kibo', 'Pending', 'cancel', NULL, 'cancel', false, NULL),
    ('kibo', 'Accepted', 'cancel', NULL, 'cancel', false, NULL),
    ('kibo', 'Processing', 'forbid', NULL, 'cancel', false, NULL),
    ('kibo', 'Completed', 'forbid', NULL, 'forbid', false, 'The order is fulfilled: process it as a return.'),

    -- The supplier does not have the order yet, so cannot cancel it.
    ('zaikio', 'draft', 'forbid', NULL, 'forbid', true, 'The order has not been placed: delete it.'),
    ('zaikio', 'placed', 'cancel', NULL, 'forbid', false, NULL),
    ('zaikio', 'transfer_failed', 'cancel', NULL, 'forbid', false, NULL),
    -- The only documented policy of a supplier: before production.
    ('zaikio', 'transferred', 'request', NULL, 'cancel', false, NULL),
    ('zaikio', 'confirmed', 'request', NULL, 'cancel', false, NULL),
    ('zaikio', 'in_production', 'forbid', NULL, 'forbid', false, 'Contact the supplier directly.'),
    ('zaikio', 'shipped', 'forbid', NULL, 'forbid', false, 'Contact the supplier directly.');

INSERT INTO ordcancel.preset_reason (preset, code, description, audience) VALUES
    ('cafe24', 'shipping_delay', 'the shipping takes too long', 'any'),
    ('cafe24', 'shipping_error', 'a mistake in shipping', 'merchant'),
    ('cafe24', 'area_not_deliverable', 'shipping to the area is not available', 'merchant'),
    ('cafe24', 'customs_not_possible', 'export or customs are not possible', 'merchant'),
    ('cafe24', 'poor_packing', 'poorly packed', 'merchant'),
    ('cafe24', 'dissatisfied_with_product', 'the customer is dissatisfied with the product', 'merchant'),
    ('cafe24', 'differs_from_description', 'the product differs from its description', 'merchant'),
    ('cafe24', 'dissatisfied_with_service', 'the customer is dissatisfied with the service', 'any'),
    ('kibo', 'can_not_find_item', 'the item cannot be found', 'merchant'),
    ('kibo', 'not_enough_quantity', 'not enough of the item', 'merchant'),
    ('kibo', 'not_web_sellable', 'the item is not sold on the web', 'merchant'),
    ('kibo', 'on_mannequin_or_display', 'the item is on display', 'merchant'),
    ('kibo', 'item_on_reserve', 'the item is reserved', 'merchant'),
    ('kibo', 'no_inventory', 'no inventory', 'merchant');

-- Shops that people run on PostgreSQL. doc/shops has a page for each, with what
-- remains to be done: guards of other tables, stock.
INSERT INTO ordcancel.preset (preset, description, canceled_status, undo, settlement, closed_statuses,
                              reopen_statuses) VALUES
    -- Lines of a canceled order are empty and their stock is given back, so there is
    -- no way back. It is canceled first and refunded then.
    ('vendure', 'Vendure', 'Cancelled', 'never', 'after_canceled', '{}', '{}'),
    -- Canceled orders can be archived.
    ('medusa', 'Medusa', 'canceled', 'never', 'after_canceled', '{archived}', '{}'),
    -- A canceled sale can go back to draft.
    ('tryton', 'Tryton sale', 'cancelled', 'canceled', 'before_canceled', '{}', '{draft}'),
    ('evershop', 'EverShop', 'canceled', 'never', 'before_canceled', '{}', '{}');

INSERT INTO ordcancel.preset_rule (preset, status, customer, merchant, deletable, hint) VALUES
    ('vendure', 'AddingItems', 'cancel', 'cancel', true, NULL),
    ('vendure', 'ArrangingPayment', 'cancel', 'cancel', true, NULL),
    ('vendure', 'Draft', 'forbid', 'cancel', true, NULL),
    ('vendure', 'PaymentAuthorized', 'forbid', 'cancel', false, 'Ask the shop to cancel the order.'),
    ('vendure', 'PaymentSettled', 'forbid', 'cancel', false, 'Ask the shop to cancel the order.'),
    ('vendure', 'ArrangingAdditionalPayment', 'forbid', 'cancel', false, 'Ask the shop to cancel the order.'),
    ('vendure', 'PartiallyShipped', 'forbid', 'cancel', false, 'Ask the shop to cancel the order.'),
    ('vendure', 'Shipped', 'forbid', 'cancel', false, 'Ask the shop to cancel the order.'),
    ('vendure', 'PartiallyDelivered', 'forbid', 'cancel', false, 'Ask the shop to cancel the order.'),
    ('vendure', 'Delivered', 'forbid', 'cancel', false, 'Ask the shop to cancel the order.'),
    ('vendure', 'Modifying', 'forbid', 'forbid', false, 'Complete the modification first.'),
    ('vendure', 'Created', 'forbid', 'forbid', false, 'The order is still being created.'),

    -- Its storefront cannot cancel; a completed order can be canceled by an administrator.
    -- A checkout that fails deletes the order that it has just created.
    ('medusa', 'pending', 'forbid', 'cancel', true, 'Ask the shop to cancel the order.'),
    ('medusa', 'requires_action', 'forbid', 'cancel', false, 'Ask the shop to cancel the order.'),
    ('medusa', 'completed', 'forbid', 'cancel', false, 'Ask the shop to cancel the order.'),
    ('medusa', 'draft', 'forbid', 'cancel', true, NULL),
    ('medusa', 'archived', 'forbid', 'forbid', false, 'The order is archived.'),

    ('tryton', 'draft', 'forbid', 'cancel', true, NULL),
    ('tryton', 'quotation', 'cancel', 'cancel', false, NULL),
    ('tryton', 'confirmed', 'request', 'cancel', false, NULL),
    ('tryton', 'processing', 'forbid', 'forbid', false, 'Cancel its shipments and invoices instead.'),
    ('tryton', 'done', 'forbid', 'forbid', false, 'Create a return instead.'),
    -- To delete a sale it cancels it first.
    ('tryton', 'cancelled', 'forbid', 'forbid', true, 'The sale is canceled.'),

    ('evershop', 'new', 'forbid', 'cancel', false, 'Ask the shop to cancel the order.'),
    ('evershop', 'processing', 'forbid', 'cancel', false, 'Ask the shop to cancel the order.'),
    ('evershop', 'completed', 'forbid', 'forbid', false, 'Refund the order instead.'),
    ('evershop', 'closed', 'forbid', 'forbid', false, 'The order is refunded already.');

INSERT INTO ordcancel.preset_block (preset, name, condition, hint) VALUES
    -- Stricter than the system, which cancels orders whose parcels are on their way.
    ('vendure', 'shipped',
     'EXISTS (SELECT FROM {schema}.order_fulfillments_fulfillment AS o'
     ' JOIN {schema}.fulfillment AS f ON f.id = o."fulfillmentId"'
     ' WHERE o."orderId" = {orders}.id AND f.state IN (''Shipped'', ''Delivered''))',
     'Cancel the fulfillment first, or process the order as a return.'),
    ('medusa', 'fulfilled',
     'EXISTS (SELECT FROM {schema}.order_fulfillment AS o JOIN {schema}.fulfillment AS f ON f.id = o.fulfillment_id'
     ' WHERE o.order_id = {orders}.id AND o.deleted_at IS NULL AND f.deleted_at IS NULL AND f.canceled_at IS NULL)',
     'Cancel its fulfillments first.'),
    -- Stricter than the system, which cancels a quotation that was shipped or invoiced by hand.
    ('tryton', 'shipped',
     'EXISTS (SELECT FROM {schema}.sale_line AS l JOIN {schema}.stock_move AS m ON m.origin = ''sale.line,'' || l.id'
     ' WHERE l.sale = {orders}.id AND m.state <> ''cancelled'')', 'Cancel its shipments first.'),
    ('tryton', 'invoiced',
     'EXISTS (SELECT FROM {schema}.sale_line AS l'
     ' JOIN {schema}.account_invoice_line AS i ON i.origin = ''sale.line,'' || l.id'
     ' LEFT JOIN {schema}.account_invoice AS v ON v.id = i.invoice'
     ' WHERE l.sale = {orders}.id AND v.state IS DISTINCT FROM ''cancelled'')', 'Cancel its invoices first.'),
    ('tryton', 'paid',
     'EXISTS (SELECT FROM {schema}.account_payment AS p'
     ' WHERE p.origin = ''sale.sale,'' || {orders}.id AND p.state <> ''failed'')', 'Set its payments to failed first.'),
    -- Payment modules have statuses of their own, such as paypal_captured.
    ('evershop', 'paid', 'payment_status ~ ''(^|_)(paid|captured|refunded)$''', 'Refund the order instead.'),
    -- When it cancels an order itself, it has set payment_status before. PayPal and
    -- cash on delivery write capture, Stripe the other two.
    ('evershop', 'captured',
     'EXISTS (SELECT FROM {schema}.payment_transaction AS t WHERE t.payment_transaction_order_id = {orders}.order_id'
     ' AND t.payment_action IN (''capture'', ''Automatic'', ''Manual''))', 'Refund the order instead.'),
    ('evershop', 'delivered', 'shipment_status = ''delivered''', 'Process it as a return.');

INSERT INTO ordcancel.preset_also_set (preset, state, "column", value) VALUES
    ('vendure', 'canceled', 'active', 'false'),
    ('vendure', 'canceled', 'updatedAt', 'localtimestamp'),
    ('vendure', 'canceled', 'subTotal', 'CASE WHEN active THEN "subTotal" ELSE 0 END'),
    ('vendure', 'canceled', 'subTotalWithTax', 'CASE WHEN active THEN "subTotalWithTax" ELSE 0 END'),
    ('medusa', 'canceled', 'canceled_at', 'cancellation.closed_at'),
    ('medusa', 'canceled', 'updated_at', 'cancellation.closed_at'),
    -- It notices by write_date, in UTC, that a form is outdated; 0 is its own user.
    ('tryton', 'canceled', 'write_date', 'timezone(''UTC'', cancellation.closed_at)'),
    ('tryton', 'canceled', 'write_uid', '0'),
    ('tryton', 'restored', 'write_date', 'timezone(''UTC'', cancellation.closed_at)'),
    ('tryton', 'restored', 'write_uid', '0'),
    ('evershop', 'canceled', 'payment_status', '''canceled'''),
    ('evershop', 'canceled', 'updated_at', 'now()');

-- The blocks and also_set() columns of a preset, as far as the table has what they
-- speak of. Returns how many it has written.
CREATE FUNCTION ordcancel_internal.write_preset_expressions(orders regclass, preset text, OUT blocks bigint,
                                                            OUT columns bigint)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    left_out text[] := '{}';
    b ordcancel.preset_block;
    a ordcancel.preset_also_set;
    named record;
BEGIN
    SELECT quote_ident(c.relname) AS orders, quote_ident(n.nspname) AS schema INTO named
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.oid = write_preset_expressions.orders;
    blocks := 0;
    columns := 0;
    FOR b IN SELECT * FROM ordcancel.preset_block AS t WHERE t.preset = write_preset_expressions.preset ORDER BY t.name
    LOOP
        BEGIN
            PERFORM ordcancel_internal.add_block(
                write_preset_expressions.orders, b.name,
                replace(replace(b.condition, '{orders}', named.orders), '{schema}', named.schema), b.hint, b.party);
            blocks := blocks + 1;
        EXCEPTION WHEN SQLSTATE 'OC014' THEN
            left_out := left_out || format('block "%s"', b.name);
        END;
    END LOOP;
    FOR a IN SELECT * FROM ordcancel.preset_also_set AS t WHERE t.preset = write_preset_expressions.preset
             ORDER BY t.state, t."column"
    LOOP
        BEGIN
            PERFORM ordcancel_internal.also_set(write_preset_expressions.orders, a.state, a."column", a.value);
            columns := columns + 1;
        EXCEPTION WHEN SQLSTATE 'OC014' THEN
            left_out := left_out || format('column "%s" in state "%s"', a."column", a.state);
        END;
    END LOOP;
    IF left_out <> '{}' THEN
        PERFORM ordcancel_internal.notice(
            format('parts of preset "%s" do not fit %s', preset,
                   ordcancel_internal.label(write_preset_expressions.orders)),
            format('Left out: %s.', array_to_string(left_out, ', ')),
            'They need tables and columns of that system, as they are named there.');
    END IF;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.write_preset_expressions(regclass, text) IS
    'writes the blocks and the columns of a preset that fit the table; returns how many';

-- Like apply_preset, but without reporting about the orders, without recording
-- the change, and without the label of the table in the text.
CREATE FUNCTION ordcancel_internal.write_preset(orders regclass, preset text, policy text) RETURNS text
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    p ordcancel.preset;
    rules bigint;
    reasons bigint;
    blocks bigint;
    columns bigint;
BEGIN
    PERFORM ordcancel_internal.check_attached(orders);
    SELECT * INTO p FROM ordcancel.preset AS t WHERE t.preset = write_preset.preset;
    IF NOT FOUND THEN
        PERFORM ordcancel_internal.invalid(
            format('preset "%s" does not exist', left(preset, 80)), NULL,
            ordcancel_internal.choices(preset, ARRAY(SELECT t.preset FROM ordcancel.preset AS t ORDER BY t.preset),
                                       'The presets are %s.'));
    END IF;
    PERFORM ordcancel_internal.check_columns(write_preset.orders, t.status, NULL) FROM ordcancel.order_table AS t
    WHERE t.orders = write_preset.orders;
    PERFORM ordcancel_internal.check_preset_labels(orders, preset);
    PERFORM ordcancel_internal.begin_policy(orders, policy, NULL);

    -- Settings that the preset does not define get their defaults.
    PERFORM ordcancel_internal.write_policy(
        orders, policy, p.grace, p.requested_status, p.in_progress_status, p.canceled_status,
        p.customer_canceled_status, p.on_progress, p.decision_timeout, p.on_timeout, p.undo, p.undo_window,
        p.reason_required, p.partly_fulfilled,
        '{grace,requested_status,in_progress_status,customer_canceled_status,decision_timeout,on_timeout,undo_window}',
        p.settlement, p.closed_statuses, p.reopen_statuses);
    PERFORM ordcancel_internal.write_rule(orders, r.status, r.customer, r.customer_late, r.merchant, r.deletable,
                                          r.hint, policy, '{customer_late,hint,expire_after,expire_reason}',
                                          r.expire_after, r.expire_reason)
    FROM ordcancel.preset_rule AS r WHERE r.preset = p.preset ORDER BY r.status;
    GET DIAGNOSTICS rules = ROW_COUNT;

    -- Reasons are shared by all tables: an existing one is left unchanged.
    INSERT INTO ordcancel.reason (code, description, audience, requires_note, requires_request, note_max)
    SELECT r.code, r.description, r.audience, r.requires_note, r.requires_request, r.note_max
    FROM ordcancel.preset_reason AS r
    WHERE r.preset = p.preset AND NOT EXISTS (SELECT FROM ordcancel.reason AS t WHERE t.code = r.code)
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS reasons = ROW_COUNT;
    SELECT w.blocks, w.columns INTO blocks, columns
    FROM ordcancel_internal.write_preset_expressions(orders, p.preset) AS w;
    RETURN format('policy "%s" copied from %s: %s rules, %s new reasons', policy, p.description, rules, reasons)
           || CASE WHEN blocks > 0 THEN format(', %s blocks', blocks) ELSE '' END
           || CASE WHEN columns > 0 THEN format(', %s columns set', columns) ELSE '' END;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.write_preset(regclass, text, text) IS
    'writes the policy, rules and reasons of a preset';

-- Reports all missing labels of an enum at once, with the statements to add them.
CREATE FUNCTION ordcancel_internal.check_preset_labels(orders regclass, preset text) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    type regtype := (SELECT ordcancel_internal.base_type(a.atttypid) FROM ordcancel.order_table AS t
                           JOIN pg_attribute AS a ON a.attrelid = t.orders AND a.attname = t.status
                       WHERE t.orders = check_preset_labels.orders);
    lacking text[];
BEGIN
    IF (SELECT typtype FROM pg_type WHERE oid = type) <> 'e' THEN
        RETURN;
    END IF;
    lacking := ARRAY(
        SELECT w.status
        FROM (SELECT r.status, 1 FROM ordcancel.preset_rule AS r WHERE r.preset = check_preset_labels.preset
              UNION
              SELECT s, 2 FROM ordcancel.preset AS p,
                  unnest(ARRAY[p.requested_status, p.in_progress_status, p.customer_canceled_status,
                               p.canceled_status] || p.closed_statuses || p.reopen_statuses) AS s
              WHERE p.preset = check_preset_labels.preset AND s IS NOT NULL) AS w (status, n)
        WHERE NOT EXISTS (SELECT FROM pg_enum WHERE enumtypid = type AND enumlabel = w.status)
        -- A status may have a rule and a meaning.
        GROUP BY w.status ORDER BY min(w.n), w.status);
    IF lacking <> '{}' THEN
        PERFORM ordcancel_internal.invalid(
            format('type %s lacks labels of preset "%s"', type, preset),
            format('They are: %s.', array_to_string(lacking, ', ')),
            format('Add them first: %s',
                   (SELECT string_agg(format('ALTER TYPE %s ADD VALUE %L;', type, l), ' ' ORDER BY n)
                    FROM unnest(lacking) WITH ORDINALITY AS v (l, n))));
    END IF;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.check_preset_labels(regclass, text) IS
    'raises OC014 if the status is an enum that lacks labels of a preset';

CREATE FUNCTION ordcancel_internal.apply_preset(orders regclass, preset text, policy text) RETURNS text
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    was CONSTANT text := ordcancel_internal.rules_text(orders, policy);
    told text;
    t ordcancel.order_table;
BEGIN
    told := ordcancel_internal.write_preset(orders, preset, policy);
    SELECT * INTO t FROM ordcancel.order_table AS o WHERE o.orders = apply_preset.orders;
    PERFORM ordcancel_internal.notice_of_unruled_statuses(
        orders, ordcancel_internal.count_orders_if_small(orders, t.status, t.policy_by, t.time_zone));
    PERFORM ordcancel_internal.notice_of_timers(orders, policy, NULL);
    RETURN ordcancel_internal.record_change(
        orders, policy, told, was IS DISTINCT FROM ordcancel_internal.rules_text(orders, policy));
END
$$;
COMMENT ON FUNCTION ordcancel_internal.apply_preset(regclass, text, text) IS 'implements ordcancel.apply_preset()';

-- Writes the policy, rules and reasons of a known system, in its own status
-- names: spryker, vtex, cafe24, kibo or zaikio; or of a shop: vendure, medusa,
-- tryton or evershop, with its blocks and the columns that it sets with the
-- status, as far as the table has them. Rules for other statuses, other policies,
-- and blocks and columns of other names are kept; whatever else the policy, those
-- rules, blocks and columns were changed to is not. Returns what it wrote; a NOTICE reports statuses of
-- orders without a rule. Raises OC001, OC014 (also if the status column cannot
-- hold one of the statuses), 42501. The presets follow the systems' public
-- documentation; comments above name the choices where it is silent.
CREATE FUNCTION ordcancel.apply_preset(orders regclass, preset text, policy text DEFAULT 'default') RETURNS text
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_owner_gate';
COMMENT ON FUNCTION ordcancel.apply_preset(regclass, text, text) IS
    E'sets policy, rules and reasons as a known system or shop has them, such as vtex or medusa\n'
    'Raises OC001, OC014, 0A000, 42501.';
