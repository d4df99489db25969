-- Child tables, whose rows are refused while their order is being canceled

CREATE FUNCTION ordcancel_internal.attach_child(
    child regclass, orders regclass, key name[], refuse_while text[], refuse_when text, key_expression text, name text)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    was ordcancel.child;
    c ordcancel.child;
BEGIN
    PERFORM ordcancel_internal.check_attached(orders);
    PERFORM ordcancel_internal.refuse_distributed(orders, 'attach_child()');
    PERFORM ordcancel_internal.refuse_distributed(child, 'attach_child()');
    PERFORM ordcancel_internal.check_child_table(child, orders);
    IF refuse_while IS NULL OR array_ndims(refuse_while) IS DISTINCT FROM 1
       OR array_position(refuse_while, NULL) IS NOT NULL THEN
        PERFORM ordcancel_internal.invalid('refuse_while must name a state', NULL,
                                   'Use one or more of requested, in_progress, canceled.');
    ELSIF name IS NULL OR name = '' OR octet_length(name) > 1000 THEN
        PERFORM ordcancel_internal.invalid('the name of a guard must have 1 to 1000 bytes');
    ELSIF key IS NOT NULL AND key_expression IS NOT NULL THEN
        PERFORM ordcancel_internal.invalid('key and key_expression exclude each other', NULL,
                                           'Pass key => NULL, or leave out key_expression.');
    END IF;
    PERFORM ordcancel_internal.check_word('refuse_while', w, '{requested,in_progress,canceled}')
    FROM unnest(refuse_while) AS w;
    IF key_expression IS NULL THEN
        PERFORM ordcancel_internal.check_order_key(child, orders, key);
    END IF;
    SELECT * INTO was FROM ordcancel.child AS t WHERE t.child = attach_child.child AND t.name = attach_child.name;
    c.child := child;
    c.orders := orders;
    c.name := name;
    c.key_columns := key;
    c.key_expression := key_expression;
    c.refuse_when := refuse_when;
    c.refuse_requested := 'requested' = ANY (refuse_while);
    c.refuse_in_progress := 'in_progress' = ANY (refuse_while);
    c.refuse_canceled := 'canceled' = ANY (refuse_while);
    c.search_path := CASE WHEN refuse_when IS NULL AND key_expression IS NULL THEN ''
                          ELSE ordcancel_internal.caller_search_path() END;
    c.time_zone := (SELECT t.time_zone FROM ordcancel.order_table AS t WHERE t.orders = attach_child.orders);

    EXECUTE format('LOCK TABLE %s IN %s MODE', child,
                   CASE WHEN EXISTS (SELECT FROM ordcancel.child AS t WHERE t.child = attach_child.child)
                        THEN 'ACCESS EXCLUSIVE' ELSE 'SHARE ROW EXCLUSIVE' END);
    PERFORM ordcancel_internal.check_partition_key(child, format('%s cannot be attached as a child', child));
    c := ordcancel_internal.pin_child(c);
    DELETE FROM ordcancel.child AS t WHERE t.child = attach_child.child AND t.name = attach_child.name;
    INSERT INTO ordcancel.child SELECT c.*;
    PERFORM ordcancel_internal.make_child_guards(child);
    IF was.orders <> orders THEN
        PERFORM ordcancel_internal.record_child_dropped(was);
    END IF;
    PERFORM ordcancel_internal.record_change(orders, NULL, ordcancel_internal.child_text(c), was IS DISTINCT FROM c);
END
$$;
COMMENT ON FUNCTION ordcancel_internal.attach_child(regclass, regclass, name[], text[], text, text, text) IS
    'implements ordcancel.attach_child()';

-- Refuses rows of child for an order whose cancellation is in one of the states
-- in refuse_while. The caller must own both tables.
--   child           shipments, invoices, payments ...
--   orders          the attached order table
--   key             the child's columns with the order's key, in the order of the primary key
--   refuse_while    any of requested, in_progress, canceled
--   refuse_when     SQL condition over the child row: only rows for which it is true are refused
--   key_expression  instead of key: SQL expression over the child row that returns the order's key
--   name            of the guard; a child may have several
-- A row is checked when it is inserted, and when an UPDATE makes refuse_when true
-- or gives the row to another order. It then locks the order against a
-- cancellation, as an UPDATE of the order would, until the end of the
-- transaction. Rows for which refuse_when is not true lock nothing. A row that an
-- UPDATE moves to another partition of the child counts as new.
--
-- The expressions run as the owner of child. key_expression may be a subquery over
-- a table that joins rows and orders; NULL or no row means that there is no
-- order. A key of several columns is ROW(a, b) or an array. If such a table can be
-- written after the row of the child, attach it, too.
--
-- Existing rows do not prevent the order from being canceled; use a rule for
-- that, or a block like
--   EXISTS (SELECT FROM shop.shipments AS s WHERE s.order_id = orders.id)
-- Called again with the same name, it replaces the earlier settings. Raises
-- OC001, OC014, 42501.
CREATE FUNCTION ordcancel.attach_child(
    child regclass, orders regclass, key name[] DEFAULT NULL,
    refuse_while text[] DEFAULT '{requested,in_progress,canceled}', refuse_when text DEFAULT NULL,
    key_expression text DEFAULT NULL, name text DEFAULT 'default') RETURNS void
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_owner_gate';
COMMENT ON FUNCTION ordcancel.attach_child(regclass, regclass, name[], text[], text, text, text) IS
    E'makes a table of shipments, invoices or the like refuse rows of orders that are being canceled\n'
    'Raises OC001, OC014, 0A000, 42501.';

CREATE FUNCTION ordcancel_internal.record_child_dropped(c ordcancel.child) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_class WHERE oid = c.orders) THEN
        RETURN;
    END IF;
    -- The caller may not own it, so the gate has not locked it; changes are
    -- numbered under this lock.
    EXECUTE format('LOCK TABLE %s IN SHARE UPDATE EXCLUSIVE MODE', c.orders::regclass);
    PERFORM ordcancel_internal.record_change(
        c.orders, NULL, format('guard "%s" of child %s: dropped', c.name, ordcancel_internal.label(c.child)),
        EXISTS (SELECT FROM ordcancel.order_table AS t WHERE t.orders = c.orders));
END
$$;
COMMENT ON FUNCTION ordcancel_internal.record_child_dropped(ordcancel.child) IS
    'records that a guard of a child table was dropped';

CREATE FUNCTION ordcancel_internal.detach_child(child regclass, name text) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    PERFORM ordcancel_internal.record_child_dropped(c)
    FROM ordcancel.child AS c
    WHERE c.child = detach_child.child AND (detach_child.name IS NULL OR c.name = detach_child.name);
    RETURN ordcancel_internal.forget_child(child, NULL, name);
END
$$;
COMMENT ON FUNCTION ordcancel_internal.detach_child(regclass, text) IS 'implements ordcancel.detach_child()';

-- Removes a guard from a child table, or all of them if name is NULL. Returns
-- whether there was one. Raises OC001, 42501.
CREATE FUNCTION ordcancel.detach_child(child regclass, name text DEFAULT NULL) RETURNS boolean
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_owner_gate';
COMMENT ON FUNCTION ordcancel.detach_child(regclass, text) IS
    E'removes guards of attach_child() from a table; returns whether there was one\nRaises OC001, 0A000, 42501.';
