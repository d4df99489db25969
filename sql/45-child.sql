-- Child tables, whose rows are refused while their order is being canceled

-- Groups types whose values can be compared in a key: integers, and texts.
CREATE FUNCTION ordcancel_internal.type_family(type oid) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT CASE WHEN b IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype) THEN 'integer'
            WHEN b IN ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype) THEN 'text'
            ELSE b::text END
FROM ordcancel_internal.base_type(type) AS b
$$;
COMMENT ON FUNCTION ordcancel_internal.type_family(oid) IS 'returns a name for the types that can hold the same keys';

-- Raises OC014 unless columns of a table can hold the key of an order.
CREATE FUNCTION ordcancel_internal.check_order_key(rel regclass, orders regclass, key name[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    primary_key CONSTANT name[] := (SELECT t.primary_key FROM ordcancel.order_table AS t
                                    WHERE t.orders = check_order_key.orders);
    family text;
    wanted text;
BEGIN
    IF array_ndims(key) IS DISTINCT FROM 1 OR cardinality(key) <> cardinality(primary_key) THEN
        PERFORM ordcancel_internal.invalid(format('key must name a column for each of (%s)',
                                                  array_to_string(primary_key, ', ')));
    END IF;
    FOR i IN 1 .. cardinality(key) LOOP
        SELECT ordcancel_internal.type_family(a.atttypid) INTO family FROM pg_attribute AS a
        WHERE a.attrelid = rel AND a.attname = key[i] AND a.attnum > 0 AND NOT a.attisdropped;
        IF NOT FOUND THEN
            PERFORM ordcancel_internal.invalid(format('%s has no column "%s"', rel, key[i]));
        ELSIF EXISTS (SELECT FROM pg_attribute WHERE attrelid = rel AND attname = key[i] AND attgenerated = 'v') THEN
            PERFORM ordcancel_internal.invalid(
                format('column "%s" of %s cannot hold the key of %s', key[i], rel, orders),
                'It is a virtual generated column.');
        END IF;
        SELECT ordcancel_internal.type_family(a.atttypid) INTO wanted FROM pg_attribute AS a
        WHERE a.attrelid = orders AND a.attname = primary_key[i] AND NOT a.attisdropped;
        IF family <> wanted THEN
            PERFORM ordcancel_internal.invalid(
                format('column "%s" of %s cannot hold the key of %s', key[i], rel, orders),
                format('Its type is %s, but the type of the key is %s.', family, wanted));
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.check_order_key(regclass, regclass, name[]) IS
    'raises OC014 unless columns of a table can hold the key of an order';

-- PostgreSQL evaluates constant expressions of a partition key when it first
-- reads the key, which would run users' functions as the extension's owner. Call
-- it with a lock that prevents new partitions.
CREATE FUNCTION ordcancel_internal.check_partition_key(rel regclass, message text) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF EXISTS (SELECT
               FROM pg_partition_tree(rel) AS p
                   JOIN pg_depend AS d ON d.classid = 'pg_class'::regclass AND d.objid = p.relid
               WHERE d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass)) THEN
        PERFORM ordcancel_internal.invalid(
            message, 'Its partition key calls a function or operator that is not built into PostgreSQL.');
    END IF;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.check_partition_key(regclass, text) IS
    'raises OC014 if a partition key calls functions that are not PostgreSQL''s own';

CREATE FUNCTION ordcancel_internal.attach_child(child regclass, orders regclass, key name[], refuse_while text[])
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    class pg_class;
BEGIN
    PERFORM ordcancel_internal.check_attached(orders);
    SELECT * INTO class FROM pg_class WHERE oid = child;
    IF class.relkind NOT IN ('r', 'p') OR class.relispartition OR class.relpersistence = 't' THEN
        PERFORM ordcancel_internal.invalid(format('%s cannot be attached as a child', child),
                                   'It is not an ordinary or partitioned table.');
    ELSIF class.relkind = 'r' AND EXISTS (SELECT FROM pg_inherits WHERE inhparent = child OR inhrelid = child) THEN
        PERFORM ordcancel_internal.invalid(format('%s cannot be attached as a child', child),
                                   'It has child tables or inherits from another table; triggers are not inherited.');
    ELSIF class.relnamespace = 'ordcancel'::regnamespace
          OR EXISTS (SELECT FROM ordcancel_internal.record_table AS r WHERE r.records = child) THEN
        PERFORM ordcancel_internal.invalid(format('%s cannot be attached as a child', child),
                                           'It is a table of ordcancel.');
    ELSIF child = orders THEN
        PERFORM ordcancel_internal.invalid(format('%s cannot be attached as a child', child),
                                           'It is the order table itself.');
    ELSIF EXISTS (SELECT FROM ordcancel.item_table AS i WHERE i.items = child) THEN
        PERFORM ordcancel_internal.invalid(
            format('%s cannot be attached as a child', child),
            'It is attached as a table of items, which are refused for canceled orders already.');
    ELSIF refuse_while IS NULL OR array_ndims(refuse_while) IS DISTINCT FROM 1
          OR array_position(refuse_while, NULL) IS NOT NULL THEN
        PERFORM ordcancel_internal.invalid('refuse_while must name a state', NULL,
                                   'Use one or more of requested, in_progress, canceled.');
    END IF;
    PERFORM ordcancel_internal.check_word('refuse_while', w, '{requested,in_progress,canceled}')
    FROM unnest(refuse_while) AS w;
    PERFORM ordcancel_internal.check_order_key(child, orders, key);

    EXECUTE format('LOCK TABLE %s IN %s MODE', child,
                   CASE WHEN EXISTS (SELECT FROM ordcancel.child AS t WHERE t.child = attach_child.child)
                        THEN 'ACCESS EXCLUSIVE' ELSE 'SHARE ROW EXCLUSIVE' END);
    PERFORM ordcancel_internal.check_partition_key(child, format('%s cannot be attached as a child', child));
    INSERT INTO ordcancel.child AS t
        VALUES (child, orders, key, 'requested' = ANY (refuse_while), 'in_progress' = ANY (refuse_while),
                'canceled' = ANY (refuse_while))
        ON CONFLICT ON CONSTRAINT child_pkey DO UPDATE
        SET orders = excluded.orders, key_columns = excluded.key_columns,
            refuse_requested = excluded.refuse_requested, refuse_in_progress = excluded.refuse_in_progress,
            refuse_canceled = excluded.refuse_canceled;
    PERFORM ordcancel_internal.drop_guards(child, 'guard_child');
    EXECUTE format('CREATE TRIGGER "!ordcancel_guard_child_insert" AFTER INSERT ON %s FOR EACH ROW'
                   ' EXECUTE FUNCTION ordcancel_internal.guard_child()', child);
    EXECUTE format('CREATE TRIGGER "!ordcancel_guard_child_update" AFTER UPDATE ON %s FOR EACH ROW WHEN (%s)'
                   ' EXECUTE FUNCTION ordcancel_internal.guard_child()', child,
                   (SELECT string_agg(ordcancel_internal.changes(child, k.col), ' OR ' ORDER BY k.n)
                    FROM unnest(key) WITH ORDINALITY AS k (col, n)));
END
$$;
COMMENT ON FUNCTION ordcancel_internal.attach_child(regclass, regclass, name[], text[]) IS
    'implements ordcancel.attach_child()';

-- Refuses rows of child for an order whose cancellation is in one of the states
-- in refuse_while. The caller must own both tables.
--   child         shipments, invoices, captures ...
--   orders        the attached order table
--   key           the child's columns with the order's key, in the order of the primary key
--   refuse_while  any of requested, in_progress, canceled
-- Inserting a row locks the order against a cancellation, as an UPDATE of the
-- order would, until the end of the transaction. A row that an UPDATE moves to
-- another partition of the child counts as new. Existing rows do not prevent
-- the order from being canceled; use a rule for that, or a block like
--   EXISTS (SELECT FROM shop.shipments AS s WHERE s.order_id = orders.id)
-- Called again, it replaces the earlier settings. Raises OC001, OC014, 42501.
CREATE FUNCTION ordcancel.attach_child(
    child regclass, orders regclass, key name[],
    refuse_while text[] DEFAULT '{requested,in_progress,canceled}') RETURNS void
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_owner_gate';
COMMENT ON FUNCTION ordcancel.attach_child(regclass, regclass, name[], text[]) IS
    E'makes a table of shipments, invoices or the like refuse rows of orders that are being canceled\n'
    'Raises OC001, OC014, 0A000, 42501.';

CREATE FUNCTION ordcancel_internal.detach_child(child regclass) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF EXISTS (SELECT FROM pg_class WHERE oid = child) THEN
        PERFORM ordcancel_internal.drop_guards(child, 'guard_child');
    END IF;
    DELETE FROM ordcancel.child AS t WHERE t.child = detach_child.child;
    RETURN FOUND;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.detach_child(regclass) IS 'implements ordcancel.detach_child()';

-- Removes the guard from a child table. Returns whether there was one.
CREATE FUNCTION ordcancel.detach_child(child regclass) RETURNS boolean
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_owner_gate';
COMMENT ON FUNCTION ordcancel.detach_child(regclass) IS
    E'removes the guard of attach_child() from a table; returns whether there was one\nRaises OC001, 0A000, 42501.';
