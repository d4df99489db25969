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

CREATE TRIGGER guard_config BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON ordcancel.preset
    FOR EACH STATEMENT EXECUTE FUNCTION ordcancel_internal.guard_config();
CREATE TRIGGER guard_config BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON ordcancel.preset_rule
    FOR EACH STATEMENT EXECUTE FUNCTION ordcancel_internal.guard_config();
CREATE TRIGGER guard_config BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON ordcancel.preset_reason
    FOR EACH STATEMENT EXECUTE FUNCTION ordcancel_internal.guard_config();
ALTER TABLE ordcancel.preset ENABLE ALWAYS TRIGGER guard_config;
ALTER TABLE ordcancel.preset_rule ENABLE ALWAYS TRIGGER guard_config;
ALTER TABLE ordcancel.preset_reason ENABLE ALWAYS TRIGGER guard_config;
CREATE TRIGGER replace_replicated BEFORE INSERT ON ordcancel.preset
    FOR EACH ROW EXECUTE FUNCTION ordcancel_internal.replace_replicated();
CREATE TRIGGER replace_replicated BEFORE INSERT ON ordcancel.preset_rule
    FOR EACH ROW EXECUTE FUNCTION ordcancel_internal.replace_replicated();
CREATE TRIGGER replace_replicated BEFORE INSERT ON ordcancel.preset_reason
    FOR EACH ROW EXECUTE FUNCTION ordcancel_internal.replace_replicated();
ALTER TABLE ordcancel.preset ENABLE REPLICA TRIGGER replace_replicated;
ALTER TABLE ordcancel.preset_rule ENABLE REPLICA TRIGGER replace_replicated;
ALTER TABLE ordcancel.preset_reason ENABLE REPLICA TRIGGER replace_replicated;

GRANT SELECT ON ordcancel.preset, ordcancel.preset_rule, ordcancel.preset_reason TO PUBLIC;

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
    RETURN format('policy "%s" copied from %s: %s rules, %s new reasons', policy, p.description, rules, reasons);
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
        FROM (SELECT r.status, 1 AS n FROM ordcancel.preset_rule AS r WHERE r.preset = check_preset_labels.preset
              UNION
              SELECT s, 2 FROM ordcancel.preset AS p,
                  unnest(ARRAY[p.requested_status, p.in_progress_status, p.customer_canceled_status,
                               p.canceled_status] || p.closed_statuses || p.reopen_statuses) AS s
              WHERE p.preset = check_preset_labels.preset AND s IS NOT NULL) AS w (status, n)
        WHERE NOT EXISTS (SELECT FROM pg_enum WHERE enumtypid = type AND enumlabel = w.status)
        ORDER BY w.n, w.status);
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
-- names: spryker, vtex, cafe24, kibo or zaikio. Rules for other statuses and
-- other policies are kept. Returns what it wrote; a NOTICE reports statuses of
-- orders without a rule. Raises OC001, OC014 (also if the status column cannot
-- hold one of the statuses), 42501. The presets follow the systems' public
-- documentation; comments above name the choices where it is silent.
CREATE FUNCTION ordcancel.apply_preset(orders regclass, preset text, policy text DEFAULT 'default') RETURNS text
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_owner_gate';
COMMENT ON FUNCTION ordcancel.apply_preset(regclass, text, text) IS
    E'sets policy, rules and reasons as a known system has them: spryker, vtex, cafe24, kibo or zaikio\n'
    'Raises OC001, OC014, 0A000, 42501.';
