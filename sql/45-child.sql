-- Tables whose rows an order does not get while it is being canceled

CREATE FUNCTION ordcancel._attach_child(child regclass, orders regclass, key name[], refuse_while text[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    class pg_class;
    registered ordcancel.order_table;
    col name;
BEGIN
    PERFORM ordcancel._check_attached(orders);
    SELECT * INTO registered FROM ordcancel.order_table AS t WHERE t.orders = _attach_child.orders;
    SELECT * INTO class FROM pg_class WHERE oid = child;
    IF class.relkind NOT IN ('r', 'p') OR class.relispartition OR class.relpersistence = 't' THEN
        PERFORM ordcancel._invalid(format('%s cannot be attached as a child', child),
                                   'It is not an ordinary or partitioned table.');
    ELSIF child = orders THEN
        PERFORM ordcancel._invalid(format('%s cannot be attached as a child', child), 'It is the order table itself.');
    ELSIF refuse_while IS NULL OR cardinality(refuse_while) = 0 THEN
        PERFORM ordcancel._invalid('refuse_while must name a state', NULL,
                                   'It is one or more of requested, in_progress, canceled.');
    ELSIF key IS NULL OR cardinality(key) <> cardinality(registered.primary_key) THEN
        PERFORM ordcancel._invalid(format('key must name a column for each of (%s)',
                                          array_to_string(registered.primary_key, ', ')));
    END IF;
    PERFORM ordcancel._check_word('refuse_while', w, '{requested,in_progress,canceled}') FROM unnest(refuse_while) AS w;
    FOREACH col IN ARRAY key LOOP
        IF NOT EXISTS (SELECT FROM pg_attribute
                       WHERE attrelid = child AND attname = col AND attnum > 0 AND NOT attisdropped) THEN
            PERFORM ordcancel._invalid(format('%s has no column "%s"', child, col));
        END IF;
    END LOOP;

    EXECUTE format('LOCK TABLE %s IN %s MODE', child,
                   CASE WHEN EXISTS (SELECT FROM ordcancel.child AS t WHERE t.child = _attach_child.child)
                        THEN 'ACCESS EXCLUSIVE' ELSE 'SHARE ROW EXCLUSIVE' END);
    INSERT INTO ordcancel.child AS t
        VALUES (child, orders, key, 'requested' = ANY (refuse_while), 'in_progress' = ANY (refuse_while),
                'canceled' = ANY (refuse_while))
        ON CONFLICT ON CONSTRAINT child_pkey DO UPDATE
        SET orders = excluded.orders, key_columns = excluded.key_columns,
            refuse_requested = excluded.refuse_requested, refuse_in_progress = excluded.refuse_in_progress,
            refuse_canceled = excluded.refuse_canceled;
    PERFORM ordcancel._drop_guards(child, 'guard_child');
    EXECUTE format('CREATE TRIGGER "!ordcancel_guard_child_insert" AFTER INSERT ON %s FOR EACH ROW'
                   ' EXECUTE FUNCTION ordcancel.guard_child()', child);
    EXECUTE format('CREATE TRIGGER "!ordcancel_guard_child_update" AFTER UPDATE ON %s FOR EACH ROW WHEN (%s)'
                   ' EXECUTE FUNCTION ordcancel.guard_child()', child,
                   (SELECT string_agg(ordcancel._changes(child, k.col), ' OR ' ORDER BY k.n)
                    FROM unnest(key) WITH ORDINALITY AS k (col, n)));
END
$$;
COMMENT ON FUNCTION ordcancel._attach_child(regclass, regclass, name[], text[]) IS 'see attach_child';

-- From now on no row is put into child for an order whose cancellation is in
-- one of the states refuse_while. The caller owns both tables.
--   child         shipments, invoices, captures …
--   orders        the attached order table
--   key           the child's columns that hold the order's key, in the order of its primary key
--   refuse_while  any of requested, in_progress, canceled
-- The order is locked against a cancellation until the transaction of the row
-- ends. It does not keep an order that has such rows from being canceled: that
-- is for a rule, or a block like
--   EXISTS (SELECT FROM shop.shipments AS s WHERE s.order_id = orders.id)
-- Called again it replaces what it was told. Raises OC001, OC014, 42501.
-- Source: design section 6.
CREATE FUNCTION ordcancel.attach_child(
    child regclass, orders regclass, key name[],
    refuse_while text[] DEFAULT '{requested,in_progress,canceled}') RETURNS void
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_owner_gate';
COMMENT ON FUNCTION ordcancel.attach_child(regclass, regclass, name[], text[]) IS 'refuses shipments and the like for orders that are being canceled';

CREATE FUNCTION ordcancel._detach_child(child regclass) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF EXISTS (SELECT FROM pg_class WHERE oid = child) THEN
        PERFORM ordcancel._drop_guards(child, 'guard_child');
    END IF;
    DELETE FROM ordcancel.child AS t WHERE t.child = _detach_child.child;
    RETURN FOUND;
END
$$;
COMMENT ON FUNCTION ordcancel._detach_child(regclass) IS 'see detach_child';

-- Takes the guard off a child table again. Returns whether there was one.
CREATE FUNCTION ordcancel.detach_child(child regclass) RETURNS boolean
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_owner_gate';
COMMENT ON FUNCTION ordcancel.detach_child(regclass) IS 'takes the guard off a child table';
