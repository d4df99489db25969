-- Another table in the place of an order table: how migrations rewrite a large
-- table without holding it

CREATE FUNCTION ordcancel_internal.replace_table(orders regclass, new_orders regclass) RETURNS text
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    t ordcancel.order_table;
    records record;
    wrong text;
    label CONSTANT text := ordcancel_internal.label(orders);
    new_label CONSTANT text := ordcancel_internal.label(new_orders);
BEGIN
    PERFORM ordcancel_internal.check_attached(orders);
    IF EXISTS (SELECT FROM ordcancel.order_table AS o WHERE o.orders = new_orders) THEN
        PERFORM ordcancel_internal.invalid(format('%s is attached already', new_label), NULL,
                                           'Detach it first; what is recorded of its orders stays beside it.');
    ELSIF (SELECT relowner FROM pg_class WHERE oid = orders) <> (SELECT relowner FROM pg_class WHERE oid = new_orders) THEN
        PERFORM ordcancel_internal.invalid(format('%s cannot take the place of %s', new_label, label),
                                           'They have different owners.');
    END IF;
    SELECT * INTO t FROM ordcancel.order_table AS o WHERE o.orders = replace_table.orders;
    IF t.primary_key <> ordcancel_internal.check_order_table(new_orders, t.status, t.placed_at, t.policy_by) THEN
        PERFORM ordcancel_internal.invalid(
            format('%s cannot take the place of %s', new_label, label),
            format('The primary key has to be (%s).', array_to_string(t.primary_key, ', ')));
    END IF;
    EXECUTE format('LOCK TABLE %s, %s IN ACCESS EXCLUSIVE MODE', orders, new_orders);
    FOR records IN
        VALUES (t.cancellation_table::regclass, 'ordcancel.cancellation'::regclass),
               (t.event_table::regclass, 'ordcancel.event'::regclass)
    LOOP
        wrong := ordcancel_internal.foreign_part(new_orders, records.column1, records.column2, t.primary_key, t.key_columns);
        IF wrong LIKE 'It has no column%' THEN
            PERFORM ordcancel_internal.invalid(
                format('%s cannot take the place of %s', new_label, label),
                'Its key is of another type than that under which cancellations are recorded.',
                format('Give the key of %s the new type first, and attach it again: its records follow.', label));
        END IF;
    END LOOP;

    PERFORM ordcancel_internal.drop_guards(orders, 'guard_(update|insert|delete|truncate)');
    UPDATE ordcancel.order_table AS o SET orders = new_orders, pinned_refund_due = NULL, refund_due_functions = NULL
    WHERE o.orders = replace_table.orders;
    UPDATE ordcancel.policy AS o SET orders = new_orders WHERE o.orders = replace_table.orders;
    UPDATE ordcancel.rule AS o SET orders = new_orders WHERE o.orders = replace_table.orders;
    UPDATE ordcancel.block AS o SET orders = new_orders WHERE o.orders = replace_table.orders;
    UPDATE ordcancel.child AS o SET orders = new_orders WHERE o.orders = replace_table.orders;
    -- The statuses have to be such of the new table, and the expressions are
    -- read anew over its columns.
    PERFORM ordcancel_internal.check_status(new_orders, w.status)
    FROM (SELECT status FROM ordcancel_internal.word AS v WHERE v.orders = new_orders
          UNION SELECT status FROM ordcancel.rule AS r WHERE r.orders = new_orders) AS w;
    UPDATE ordcancel.order_table AS o
    SET pinned_refund_due = ordcancel_internal.pin_expression(new_orders, o.refund_due, 'numeric', false),
        refund_due_functions = ordcancel_internal.pin_expression(new_orders, o.refund_due, 'numeric', true)
    WHERE o.orders = new_orders AND o.refund_due IS NOT NULL;
    UPDATE ordcancel.block AS b
    SET pinned = ordcancel_internal.pin_expression(new_orders, b.condition, 'boolean', false),
        functions = ordcancel_internal.pin_expression(new_orders, b.condition, 'boolean', true)
    WHERE b.orders = new_orders;

    SELECT * INTO t FROM ordcancel.order_table AS o WHERE o.orders = new_orders;
    PERFORM ordcancel_internal.make_guards(new_orders, t, false);
    PERFORM ordcancel_internal.guard_partitions(new_orders);
    RETURN format('%s: takes the place of %s, with its rules and the records in %s', new_label, label,
                  ordcancel_internal.label(t.cancellation_table));
END
$$;
COMMENT ON FUNCTION ordcancel_internal.replace_table(regclass, regclass) IS 'see replace_table';

-- Puts another table, into which the orders were copied, in the place of an
-- order table: policies, rules, blocks, children and records are the new
-- table's from then on, and the old one is under no rule. Rename the tables
-- before it, in the same transaction, where conditions name the table.
--   orders      the attached order table
--   new_orders  the table that takes its place: of the same owner, with the same key and the columns that attach was told
-- Returns what it did. Raises OC001, OC014, 42501.
CREATE FUNCTION ordcancel.replace_table(orders regclass, new_orders regclass) RETURNS text
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_owner_gate';
COMMENT ON FUNCTION ordcancel.replace_table(regclass, regclass) IS 'puts another table in the place of an order table';
