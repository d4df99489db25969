-- Columns of orders that cancellations set along with the status

CREATE FUNCTION ordcancel_internal.also_set(orders regclass, state text, "column" name, value text) RETURNS text
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    was ordcancel.also_set;
    s ordcancel.also_set;
BEGIN
    PERFORM ordcancel_internal.check_attached(orders);
    IF state IS NULL OR "column" IS NULL OR value IS NULL THEN
        PERFORM ordcancel_internal.invalid('also_set() needs a state, a column and a value', NULL,
                                           'Pass ''NULL'' as the value to set the column to NULL.');
    END IF;
    PERFORM ordcancel_internal.check_word('state', state, '{requested,in_progress,canceled,restored}');
    SELECT * INTO was FROM ordcancel.also_set AS t
    WHERE t.orders = also_set.orders AND t.state = also_set.state AND t."column" = also_set."column";
    INSERT INTO ordcancel.also_set (orders, state, "column", value, pinned, functions)
        VALUES (orders, state, "column", value,
                ordcancel_internal.pin_also_set(orders, "column", value, false),
                ordcancel_internal.pin_also_set(orders, "column", value, true))
        ON CONFLICT ON CONSTRAINT also_set_pkey DO UPDATE
        SET value = excluded.value, pinned = excluded.pinned, functions = excluded.functions
        RETURNING * INTO s;
    PERFORM ordcancel_internal.check_deleted_when(o.orders, o.pinned_deleted_when)
    FROM ordcancel.order_table AS o
    WHERE o.orders = also_set.orders AND o.pinned_deleted_when IS NOT NULL;
    RETURN ordcancel_internal.record_change(
        orders, NULL, format('%s: column "%s" is set to %s', state, "column", value), was IS DISTINCT FROM s);
END
$$;
COMMENT ON FUNCTION ordcancel_internal.also_set(regclass, text, name, text) IS 'implements ordcancel.also_set()';

-- When a cancellation brings an order to a state, ordcancel also sets the column,
-- in the same row version as the status.
--   state   requested, in_progress or canceled; or restored: the order gets its status back, because the
--           cancellation was denied, withdrawn or undone
--   column  a column of the order table, but not its status, its key, what a generated column of the key is
--           computed from, or policy_by
--   value   an SQL expression over the order row as it was before, and over cancellation, the record as it is
--           being written, such as cancellation.closed_at or cancellation.reason
-- The value is evaluated like a block, as the table's owner with the search_path
-- of attach(), once for each order. A column without a value for "restored" gets
-- its former value back, unless it has been changed since. Plain UPDATEs and
-- cancellations of items set nothing. Replaces an earlier value. Returns the
-- result. Raises OC001, OC014, 42501.
CREATE FUNCTION ordcancel.also_set(orders regclass, state text, "column" name, value text) RETURNS text
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_owner_gate';
COMMENT ON FUNCTION ordcancel.also_set(regclass, text, name, text) IS
    E'sets a column of the order when its cancellation reaches a state\nRaises OC001, OC014, 0A000, 42501.';

CREATE FUNCTION ordcancel_internal.drop_also_set(orders regclass, state text, "column" name) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    PERFORM ordcancel_internal.check_attached(orders);
    DELETE FROM ordcancel.also_set AS t
    WHERE t.orders = drop_also_set.orders AND t.state = drop_also_set.state AND t."column" = drop_also_set."column";
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM ordcancel_internal.record_change(
        orders, NULL, format('%s: column "%s" is no longer set', state, "column"), true);
    RETURN true;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.drop_also_set(regclass, text, name) IS 'implements ordcancel.drop_also_set()';

-- Ends that. Columns that open cancellations have set get their former values
-- back all the same. Returns whether it was set. Raises OC001, 42501.
CREATE FUNCTION ordcancel.drop_also_set(orders regclass, state text, "column" name) RETURNS boolean
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_owner_gate';
COMMENT ON FUNCTION ordcancel.drop_also_set(regclass, text, name) IS
    E'ends that a column is set; returns whether it was\nRaises OC001, 0A000, 42501.';
