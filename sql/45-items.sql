-- The items of orders, of which parts can be canceled

-- Parses the expressions over items again.
CREATE FUNCTION ordcancel_internal.pin_items(orders regclass) RETURNS void
    LANGUAGE sql
    SET search_path = pg_catalog, pg_temp
    AS $$
UPDATE ordcancel.item_table AS i
SET pinned_fulfilled = ordcancel_internal.pin_item_expression(i.orders, i.items, i.fulfilled, 'numeric', false),
    fulfilled_functions = ordcancel_internal.pin_item_expression(i.orders, i.items, i.fulfilled, 'numeric', true),
    pinned_amount = ordcancel_internal.pin_item_expression(i.orders, i.items, i.amount, 'numeric', false),
    amount_functions = ordcancel_internal.pin_item_expression(i.orders, i.items, i.amount, 'numeric', true)
WHERE i.orders = pin_items.orders
$$;
COMMENT ON FUNCTION ordcancel_internal.pin_items(regclass) IS 'parses the expressions over the items of an order table';

-- The guards of a table of items that are missing or disabled.
CREATE FUNCTION ordcancel_internal.missing_item_guards(items regclass)
    RETURNS TABLE (guard name, definition text, disabled boolean)
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT g.guard, g.definition, coalesce(t.tgenabled NOT IN ('O', 'A'), false)
FROM (VALUES ('!ordcancel_guard_item'::name,
              format('CREATE TRIGGER "!ordcancel_guard_item" AFTER INSERT OR DELETE OR UPDATE ON %s FOR EACH ROW'
                     ' EXECUTE FUNCTION ordcancel_internal.guard_item()', ordcancel_internal.label(items))),
             ('!ordcancel_guard_item_truncate',
              format('CREATE TRIGGER "!ordcancel_guard_item_truncate" BEFORE TRUNCATE ON %s FOR EACH STATEMENT'
                     ' EXECUTE FUNCTION ordcancel_internal.guard_item_truncate()', ordcancel_internal.label(items))))
         AS g (guard, definition)
    LEFT JOIN pg_trigger AS t ON t.tgrelid = items AND t.tgname = g.guard AND pg_get_triggerdef(t.oid) = g.definition
WHERE coalesce(t.tgenabled, '-') NOT IN ('O', 'A')
$$;
COMMENT ON FUNCTION ordcancel_internal.missing_item_guards(regclass) IS
    'lists the triggers that a table of items lacks, or that are disabled';

-- The settings of attached items, one per row, as attach_text() lists those of
-- an order table.
CREATE FUNCTION ordcancel_internal.item_text(t ordcancel.item_table)
    RETURNS TABLE (n bigint, fact text, value text)
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT row_number() OVER (), f.fact, f.value
FROM (VALUES ('primary key', array_to_string(t.item_key, ', ')), ('key', array_to_string(t.key_columns, ', ')),
             ('quantity', t.quantity::text), ('canceled', t.canceled), ('status', t.status),
             ('canceled_status', t.canceled_status), ('fulfilled', t.fulfilled), ('amount', t.amount))
         AS f (fact, value)
$$;
COMMENT ON FUNCTION ordcancel_internal.item_text(ordcancel.item_table) IS
    'lists the arguments of attach_items() that are kept for a table';

-- Have cancellations that are requested or in effect items on record?
CREATE FUNCTION ordcancel_internal.any_items_in_effect(orders regclass) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    t ordcancel.order_table;
    found_any boolean;
BEGIN
    SELECT * INTO t FROM ordcancel.order_table AS o WHERE o.orders = any_items_in_effect.orders;
    IF t.item_records IS NULL OR NOT EXISTS (SELECT FROM pg_class WHERE oid = t.item_records) THEN
        RETURN false;
    END IF;
    PERFORM ordcancel_internal.check_records(orders);
    EXECUTE format('SELECT EXISTS (SELECT FROM %s AS i JOIN %s AS c USING (cancellation_id)'
                   ' WHERE c.state IN (''requested'', ''in_progress'', ''canceled''))',
                   t.item_records, t.cancellation_table) INTO found_any;
    RETURN found_any;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.any_items_in_effect(regclass) IS
    'returns whether units of items are requested or canceled, as the records say';

CREATE FUNCTION ordcancel_internal.attach_items(
    items regclass, orders regclass, key name[], quantity name, canceled name, fulfilled text, amount text,
    status name, canceled_status text, unset text[])
    RETURNS text
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    label CONSTANT text := ordcancel_internal.label(items);
    kind CONSTANT regclass := 'ordcancel.cancellation_item';
    registered ordcancel.order_table;
    was ordcancel.item_table;
    t ordcancel.item_table;
    known boolean;
    replaced boolean;
    records regclass;
    missing record;
    told text;
BEGIN
    PERFORM ordcancel_internal.check_attached(orders);
    PERFORM ordcancel_internal.refuse_distributed(orders, 'attach_items()');
    PERFORM ordcancel_internal.check_word('unset', u,
                                          '{quantity,canceled,fulfilled,amount,status,canceled_status}')
    FROM unnest(unset) AS u;
    PERFORM ordcancel_internal.hold_archives(orders);
    SELECT * INTO registered FROM ordcancel.order_table AS o WHERE o.orders = attach_items.orders;
    t.item_key := ordcancel_internal.check_item_table(items, orders);
    SELECT * INTO was FROM ordcancel.item_table AS i
    WHERE i.orders = attach_items.orders AND i.items = attach_items.items;
    known := FOUND;

    -- Named arguments change, unset ones and those of new items are NULL, the
    -- rest is kept.
    t.orders := orders;
    t.items := items;
    t.key_columns := coalesce(key, was.key_columns);
    t.record_keys := ordcancel_internal.item_record_keys(was, items, t.item_key);
    t.quantity := coalesce(quantity, CASE WHEN 'quantity' = ANY (unset) THEN NULL ELSE was.quantity END);
    t.canceled := coalesce(canceled, CASE WHEN 'canceled' = ANY (unset) THEN NULL ELSE was.canceled END);
    t.fulfilled := coalesce(fulfilled, CASE WHEN 'fulfilled' = ANY (unset) THEN NULL ELSE was.fulfilled END);
    t.amount := coalesce(amount, CASE WHEN 'amount' = ANY (unset) THEN NULL ELSE was.amount END);
    t.status := coalesce(status, CASE WHEN 'status' = ANY (unset) THEN NULL ELSE was.status END);
    t.canceled_status := coalesce(canceled_status,
        CASE WHEN 'canceled_status' = ANY (unset) THEN NULL ELSE was.canceled_status END);
    PERFORM ordcancel_internal.check_order_key(items, orders, t.key_columns);
    PERFORM ordcancel_internal.check_item_columns(t);

    -- C would refuse to read a description whose columns were renamed.
    DELETE FROM ordcancel.item_table AS i WHERE i.orders = attach_items.orders;
    IF t.canceled_status IS NOT NULL
       AND NOT ordcancel_internal.check_label(items, t.status, t.canceled_status) THEN
        t.canceled_status := ordcancel_internal.read_item_status(orders, items, t.status, t.canceled_status);
    END IF;
    t.pinned_fulfilled := ordcancel_internal.pin_item_expression(orders, items, t.fulfilled, 'numeric', false);
    t.fulfilled_functions := ordcancel_internal.pin_item_expression(orders, items, t.fulfilled, 'numeric', true);
    t.pinned_amount := ordcancel_internal.pin_item_expression(orders, items, t.amount, 'numeric', false);
    t.amount_functions := ordcancel_internal.pin_item_expression(orders, items, t.amount, 'numeric', true);
    -- Before the lock, which blocks writers.
    PERFORM ordcancel_internal.notice_of_items(t);

    replaced := EXISTS (SELECT FROM ordcancel_internal.missing_item_guards(items))
                AND EXISTS (SELECT FROM pg_trigger
                            WHERE tgrelid = items
                              AND tgfoid = ANY ('{ordcancel_internal.guard_item,'
                                                'ordcancel_internal.guard_item_truncate}'::regproc[]));
    EXECUTE format('LOCK TABLE %s IN %s MODE', items,
                   CASE WHEN replaced THEN 'ACCESS EXCLUSIVE' ELSE 'SHARE ROW EXCLUSIVE' END);
    PERFORM ordcancel_internal.check_partition_key(items, format('%s cannot be attached as items of %s', label,
                                                                 ordcancel_internal.label(orders)));
    -- What the records say was written to these columns.
    IF known AND (t.canceled, t.status, t.quantity, t.canceled_status)
                 IS DISTINCT FROM (was.canceled, was.status, was.quantity, was.canceled_status)
       AND ordcancel_internal.any_items_in_effect(orders)
       AND EXISTS (SELECT FROM unnest(ARRAY[was.canceled, was.status, was.quantity],
                                      ARRAY[t.canceled, t.status, t.quantity]) AS c (old, new)
                       JOIN pg_attribute AS a ON a.attrelid = items AND a.attname = c.old AND NOT a.attisdropped
                   WHERE c.new IS DISTINCT FROM c.old) THEN
        PERFORM ordcancel_internal.invalid(
            format('how units of %s are counted cannot change', label),
            'Units of its items are canceled or requested.',
            'Undo these cancellations first, or rename the columns.');
    END IF;
    -- A new record table is put beside that of the cancellations.
    records := ordcancel_internal.provide_record_table(
        orders, items, kind, t.item_key, t.record_keys, registered.inherit,
        CASE WHEN ordcancel_internal.known_record_table(orders, kind) IS NULL
             THEN (SELECT n.nspname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
                   WHERE c.oid = registered.cancellation_table) END);
    UPDATE ordcancel.order_table AS o SET item_records = records
    WHERE o.orders = attach_items.orders AND o.item_records IS DISTINCT FROM records;
    INSERT INTO ordcancel.item_table SELECT t.*;

    FOR missing IN SELECT * FROM ordcancel_internal.missing_item_guards(items) LOOP
        IF known THEN
            PERFORM ordcancel_internal.notice(
                format('trigger "%s" of %s was %s', missing.guard, label,
                       CASE WHEN missing.disabled THEN 'disabled, and is enabled again'
                            ELSE 'missing, and was created again' END),
                NULL,
                'Items written in the meantime were not checked; ordcancel.health() reports inconsistencies.');
        END IF;
    END LOOP;
    IF replaced THEN
        PERFORM ordcancel_internal.drop_guards(items, 'guard_item(_truncate)?');
    END IF;
    FOR missing IN SELECT * FROM ordcancel_internal.missing_item_guards(items) LOOP
        EXECUTE missing.definition;
    END LOOP;
    PERFORM ordcancel_internal.guard_parts(items, 'guard_item');

    IF known THEN
        SELECT string_agg(format('%s: %s -> %s', o.fact, coalesce(o.value, 'none'), coalesce(f.value, 'none')),
                          '; ' ORDER BY f.n)
        INTO told
        FROM ordcancel_internal.item_text(was) AS o JOIN ordcancel_internal.item_text(t) AS f USING (fact)
        WHERE o.value IS DISTINCT FROM f.value;
        IF registered.item_records IS DISTINCT FROM records THEN
            told := concat_ws('; ', told, format('the records were missing, and new ones start in %s',
                                                 ordcancel_internal.label(records)));
        END IF;
        RETURN format('%s: attached again as items of %s, %s', label, ordcancel_internal.label(orders),
                      coalesce(told, 'nothing changed'));
    END IF;
    SELECT string_agg(format('%s: %s', f.fact, f.value), '; ' ORDER BY f.n) INTO told
    FROM ordcancel_internal.item_text(t) AS f WHERE f.value IS NOT NULL;
    RETURN format('%s: attached as items of %s; %s; records in %s', label, ordcancel_internal.label(orders), told,
                  ordcancel_internal.label(records));
END
$$;
COMMENT ON FUNCTION ordcancel_internal.attach_items(
    regclass, regclass, name[], name, name, text, text, name, text, text[]) IS 'implements ordcancel.attach_items()';

-- Lets parts of orders be canceled: units of their items. The caller must own
-- both tables.
--   items            the table of the items, ordinary or partitioned, with a primary key
--   orders           the attached order table
--   key              the columns of an item that hold the order's key, in the order of its primary key
--   quantity         column of the units ordered: an integer or numeric type
--   canceled         column in which ordcancel keeps how many of them are canceled
--   fulfilled        SQL expression over the item: units that can no longer be canceled; default 0
--   amount           SQL expression over the item: what the customer pays for it as it stands. What a
--                    cancellation makes due is its value before less its value after; default: nothing
--   status           instead of canceled: column of the item's status, for items that are canceled as a whole
--   canceled_status  the status that a canceled item gets
--   unset            arguments to reset
-- From then on only ordcancel writes canceled, or canceled_status; quantity cannot
-- fall below what is canceled and fulfilled; items with canceled units cannot be
-- deleted; and an order that is being canceled gets no new items.
--
-- Called again, it changes the named arguments, keeps the rest (key => NULL keeps
-- the key, too), and creates missing triggers. Returns what it did; a NOTICE
-- reports a missing index, and items with more units canceled and fulfilled than
-- ordered. Raises OC001, OC014, 42501.
CREATE FUNCTION ordcancel.attach_items(
    items regclass, orders regclass, key name[], quantity name DEFAULT NULL, canceled name DEFAULT NULL,
    fulfilled text DEFAULT NULL, amount text DEFAULT NULL, status name DEFAULT NULL,
    canceled_status text DEFAULT NULL, unset text[] DEFAULT '{}') RETURNS text
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_owner_gate';
COMMENT ON FUNCTION ordcancel.attach_items(
    regclass, regclass, name[], name, name, text, text, name, text, text[]) IS
    E'lets parts of orders be canceled, by units of their items\nRaises OC001, OC014, 0A000, 42501.';

-- The part of detach_items() that detach() and DROP TABLE do, too.
CREATE FUNCTION ordcancel_internal.forget_items(items regclass) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF EXISTS (SELECT FROM pg_class WHERE oid = items) THEN
        PERFORM ordcancel_internal.drop_guards(items, 'guard_item(_truncate)?');
    END IF;
    DELETE FROM ordcancel.item_table AS i WHERE i.items = forget_items.items;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.forget_items(regclass) IS 'removes the triggers and the configuration of items';

CREATE FUNCTION ordcancel_internal.detach_items(items regclass) RETURNS text
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    label CONSTANT text := ordcancel_internal.label(items);
    t ordcancel.item_table;
BEGIN
    SELECT * INTO t FROM ordcancel.item_table AS i WHERE i.items = detach_items.items;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING
            MESSAGE = coalesce('table ' || label || ' is not attached as a table of items', 'table of items is null'),
            ERRCODE = 'OC001', HINT = 'Call ordcancel.attach_items() for it first.';
    END IF;
    PERFORM ordcancel_internal.forget_items(items);
    RETURN format('%s: detached from %s', label, ordcancel_internal.label(t.orders))
           || coalesce('; the records stay in '
                       || ordcancel_internal.label((SELECT c.oid
                                                    FROM ordcancel.order_table AS o
                                                        JOIN pg_class AS c ON c.oid = o.item_records
                                                    WHERE o.orders = t.orders)), '');
END
$$;
COMMENT ON FUNCTION ordcancel_internal.detach_items(regclass) IS 'implements ordcancel.detach_items()';

-- Ends canceling parts of orders: removes the triggers from the table of items.
-- The records are kept, and a later attach_items() reuses them. Returns what it
-- did. Raises OC001, 42501.
CREATE FUNCTION ordcancel.detach_items(items regclass) RETURNS text
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_owner_gate';
COMMENT ON FUNCTION ordcancel.detach_items(regclass) IS
    E'ends canceling parts of orders; the records are kept\nRaises OC001, 0A000, 42501.';
