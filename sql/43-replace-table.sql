-- Replacing an order table with another table, as migrations do to rewrite a
-- large table without locking it for long

CREATE FUNCTION ordcancel_internal.replace_table(orders regclass, new_orders regclass) RETURNS text
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    t ordcancel.order_table;
    kind record;
    named text;
    label CONSTANT text := ordcancel_internal.label(orders);
    new_label CONSTANT text := ordcancel_internal.label(new_orders);
BEGIN
    PERFORM ordcancel_internal.check_attached(orders);
    PERFORM ordcancel_internal.hold_archives(orders);
    IF EXISTS (SELECT FROM ordcancel.order_table AS o WHERE o.orders = new_orders) THEN
        PERFORM ordcancel_internal.invalid(format('%s is already attached', new_label), NULL,
                                           'Detach it first; its record tables are kept.');
    ELSIF (SELECT relowner FROM pg_class WHERE oid = orders)
          <> (SELECT relowner FROM pg_class WHERE oid = new_orders) THEN
        PERFORM ordcancel_internal.invalid(format('%s cannot replace %s', new_label, label),
                                           'They have different owners.');
    ELSIF EXISTS (SELECT FROM ordcancel.child AS c WHERE c.child = new_orders)
          OR EXISTS (SELECT FROM ordcancel.item_table AS i WHERE i.items = new_orders)
          OR ordcancel_internal.is_record_table(new_orders) THEN
        PERFORM ordcancel_internal.invalid(
            format('%s cannot replace %s', new_label, label),
            'It is a child table, a table of items or a record table of an order table.');
    END IF;
    SELECT * INTO t FROM ordcancel.order_table AS o WHERE o.orders = replace_table.orders;
    IF t.primary_key <> ordcancel_internal.check_order_table(new_orders, t.status, t.placed_at, t.policy_by,
                                                             t.status_since) THEN
        PERFORM ordcancel_internal.invalid(
            format('%s cannot replace %s', new_label, label),
            format('The primary key must be (%s).', array_to_string(t.primary_key, ', ')));
    END IF;
    EXECUTE format('LOCK TABLE %s, %s IN ACCESS EXCLUSIVE MODE', orders, new_orders);
    IF EXISTS (SELECT FROM unnest(t.primary_key, t.key_columns) AS k (key, record_key)
                   JOIN pg_attribute AS a ON a.attrelid = new_orders AND a.attname = k.key
                   JOIN pg_attribute AS r ON r.attrelid = t.cancellation_table AND r.attname = k.record_key
               WHERE (a.atttypid, a.atttypmod, a.attcollation) <> (r.atttypid, r.atttypmod, r.attcollation)) THEN
        PERFORM ordcancel_internal.invalid(
            format('%s cannot replace %s', new_label, label),
            'The type of its key differs from the type under which cancellations are recorded.',
            format('Change the type of the key of %s first, and attach it again; its record tables follow.', label));
    END IF;

    PERFORM ordcancel_internal.drop_guards(orders, 'guard_(update|insert|delete|truncate)');
    UPDATE ordcancel.order_table AS o SET orders = new_orders, pinned_refund_due = NULL, refund_due_functions = NULL,
        pinned_deleted_when = NULL, deleted_when_functions = NULL,
        archived_statuses = CASE WHEN o.archived_statuses IS NOT NULL THEN '{}'::text[] END -- they may differ
    WHERE o.orders = replace_table.orders;
    UPDATE ordcancel.policy AS o SET orders = new_orders WHERE o.orders = replace_table.orders;
    UPDATE ordcancel.rule AS o SET orders = new_orders WHERE o.orders = replace_table.orders;
    UPDATE ordcancel.policy_change AS o SET orders = new_orders WHERE o.orders = replace_table.orders;
    UPDATE ordcancel.block AS o SET orders = new_orders WHERE o.orders = replace_table.orders;
    UPDATE ordcancel.also_set AS o SET orders = new_orders WHERE o.orders = replace_table.orders;
    UPDATE ordcancel.child AS o SET orders = new_orders WHERE o.orders = replace_table.orders;
    UPDATE ordcancel.item_table AS o SET orders = new_orders WHERE o.orders = replace_table.orders;
    UPDATE ordcancel.batch AS o SET orders = new_orders WHERE o.orders = replace_table.orders;
    -- Earlier records of the new table no longer belong to it. Give its new
    -- record tables the names that attach() would have given them.
    UPDATE ordcancel_internal.detached AS d SET orders = 0 WHERE d.orders = new_orders;
    FOR kind IN
        SELECT v.records, v.parent, n.nspname, c.relname,
               ordcancel_internal.record_table_name((SELECT relname FROM pg_class WHERE oid = new_orders),
                                                    k.suffix) AS wanted
        FROM ordcancel_internal.record_table AS v JOIN ordcancel_internal.record_kinds() AS k ON k.parent = v.parent
            JOIN pg_class AS c ON c.oid = v.records JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE v.orders = new_orders
    LOOP
        named := format('%I.%I', kind.nspname, kind.wanted);
        IF kind.relname <> kind.wanted AND to_regclass(named) IS NULL THEN
            EXECUTE format('ALTER TABLE %s RENAME TO %I', kind.records::regclass, kind.wanted);
        END IF;
        IF kind.parent <> 'ordcancel.cancellation_item'::regclass THEN
            PERFORM ordcancel_internal.comment_record_table(new_orders, new_orders, kind.records, kind.parent,
                                                            t.primary_key, t.key_columns);
        ELSE
            PERFORM ordcancel_internal.comment_record_table(new_orders, i.items, kind.records, kind.parent,
                                                            i.item_key, i.record_keys)
            FROM ordcancel.item_table AS i WHERE i.orders = new_orders;
        END IF;
    END LOOP;
    -- Check that the new table can have the statuses of the rules, and parse the
    -- expressions again with its columns.
    PERFORM ordcancel_internal.check_status(new_orders, w.status)
    FROM (SELECT status FROM ordcancel_internal.policy_status AS v WHERE v.orders = new_orders
          UNION SELECT status FROM ordcancel.rule AS r WHERE r.orders = new_orders) AS w;
    UPDATE ordcancel.order_table AS o
    SET pinned_refund_due = ordcancel_internal.pin_expression(new_orders, o.refund_due, 'numeric', false),
        refund_due_functions = ordcancel_internal.pin_expression(new_orders, o.refund_due, 'numeric', true)
    WHERE o.orders = new_orders AND o.refund_due IS NOT NULL;
    UPDATE ordcancel.order_table AS o
    SET pinned_deleted_when = ordcancel_internal.pin_expression(new_orders, o.deleted_when, 'boolean', false),
        deleted_when_functions = ordcancel_internal.pin_expression(new_orders, o.deleted_when, 'boolean', true)
    WHERE o.orders = new_orders AND o.deleted_when IS NOT NULL;
    UPDATE ordcancel.block AS b
    SET pinned = ordcancel_internal.pin_expression(new_orders, b.condition, 'boolean', false),
        functions = ordcancel_internal.pin_expression(new_orders, b.condition, 'boolean', true)
    WHERE b.orders = new_orders;
    UPDATE ordcancel.also_set AS s
    SET pinned = ordcancel_internal.pin_also_set(new_orders, s."column", s.value, false),
        functions = ordcancel_internal.pin_also_set(new_orders, s."column", s.value, true)
    WHERE s.orders = new_orders;
    PERFORM ordcancel_internal.pin_items(i.orders) FROM ordcancel.item_table AS i WHERE i.orders = new_orders;

    SELECT * INTO t FROM ordcancel.order_table AS o WHERE o.orders = new_orders;
    PERFORM ordcancel_internal.make_guards(new_orders, t, false);
    PERFORM ordcancel_internal.guard_partitions(new_orders);
    PERFORM ordcancel_internal.notice_of_table(new_orders, t.cancellation_table);
    PERFORM ordcancel_internal.notice_of_check(new_orders, w.status)
    FROM ordcancel_internal.policy_status AS w WHERE w.orders = new_orders;
    RETURN format('%s: replaces %s, with its rules and the records in %s', new_label, label,
                  ordcancel_internal.label(t.cancellation_table));
END
$$;
COMMENT ON FUNCTION ordcancel_internal.replace_table(regclass, regclass) IS 'implements ordcancel.replace_table()';

-- Replaces an order table with another table into which the orders were copied:
-- policies, rules, blocks, children and records then belong to the new table,
-- and the old one is no longer attached. If conditions name the table, rename
-- the tables first, in the same transaction.
--   orders      the attached order table
--   new_orders  the table that replaces it; must have the same owner, the same key, and the columns passed to attach()
-- Returns what it did. Raises OC001, OC014, 42501.
CREATE FUNCTION ordcancel.replace_table(orders regclass, new_orders regclass) RETURNS text
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_owner_gate';
COMMENT ON FUNCTION ordcancel.replace_table(regclass, regclass) IS
    E'puts another table in the place of an order table, with its rules and records\n'
    'Raises OC001, OC014, 0A000, 42501.';
