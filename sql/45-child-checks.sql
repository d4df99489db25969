-- What attach_child() requires of a child table, and the guards that it creates

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
    IF EXISTS (SELECT FROM pg_depend AS d
               WHERE d.classid = 'pg_class'::regclass AND d.objid = ANY (ordcancel_internal.parts(rel))
                 AND d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass)) THEN
        PERFORM ordcancel_internal.invalid(
            message, 'Its partition key calls a function or operator that is not built into PostgreSQL.');
    END IF;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.check_partition_key(regclass, text) IS
    'raises OC014 if a partition key calls functions that are not PostgreSQL''s own';

-- Raises OC014 unless a table can be a child of an order table.
CREATE FUNCTION ordcancel_internal.check_child_table(child regclass, orders regclass) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    class pg_class;
BEGIN
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
    END IF;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.check_child_table(regclass, regclass) IS
    'raises OC014 if attach_child() cannot take a table';

-- The guard with its expressions parsed, for the table as it is now.
CREATE FUNCTION ordcancel_internal.pin_child(c ordcancel.child) RETURNS ordcancel.child
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    c.pinned_refuse_when := ordcancel_internal.pin_child_expression(
        c.orders, c.child, c.refuse_when, c.search_path, c.time_zone, false, false);
    c.refuse_when_functions := ordcancel_internal.pin_child_expression(
        c.orders, c.child, c.refuse_when, c.search_path, c.time_zone, false, true);
    c.pinned_key_expression := ordcancel_internal.pin_child_expression(
        c.orders, c.child, c.key_expression, c.search_path, c.time_zone, true, false);
    c.key_expression_functions := ordcancel_internal.pin_child_expression(
        c.orders, c.child, c.key_expression, c.search_path, c.time_zone, true, true);
    RETURN c;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.pin_child(ordcancel.child) IS
    'returns a guard of a child table with its expressions parsed again; raises OC014 if they are not valid';

CREATE FUNCTION ordcancel_internal.refused_states(c ordcancel.child) RETURNS text[]
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT array_remove(ARRAY[CASE WHEN c.refuse_requested THEN 'requested' END,
                          CASE WHEN c.refuse_in_progress THEN 'in_progress' END,
                          CASE WHEN c.refuse_canceled THEN 'canceled' END], NULL)
$$;
COMMENT ON FUNCTION ordcancel_internal.refused_states(ordcancel.child) IS 'returns refuse_while of attach_child()';

-- A guard for people, as a change of the rules is recorded.
CREATE FUNCTION ordcancel_internal.child_text(c ordcancel.child) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT format('guard "%s" of child %s: refuses rows%s while %s; the key is %s', c.name,
              ordcancel_internal.label(c.child), ' with (' || c.refuse_when || ')',
              array_to_string(ordcancel_internal.refused_states(c), ', '),
              coalesce('(' || array_to_string(c.key_columns, ', ') || ')', c.key_expression))
$$;
COMMENT ON FUNCTION ordcancel_internal.child_text(ordcancel.child) IS 'describes a guard of a child table';

-- One pair of triggers serves all guards of a child. That for UPDATE fires if one
-- of the keys changes, or always if there are expressions. Its WHEN prevents key
-- columns from being dropped or changing their type; columns that are gone are
-- left out, and guard_child() reports them.
CREATE FUNCTION ordcancel_internal.make_child_guards(child regclass) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    guards bigint;
    always boolean;
    condition text;
BEGIN
    PERFORM ordcancel_internal.drop_guards(child, 'guard_child');
    SELECT count(*), bool_or(c.refuse_when IS NOT NULL OR c.key_expression IS NOT NULL) INTO guards, always
    FROM ordcancel.child AS c WHERE c.child = make_child_guards.child;
    IF guards = 0 THEN
        RETURN;
    END IF;
    SELECT CASE WHEN always THEN 'true OR ' ELSE '' END
           || string_agg(CASE WHEN always THEN format('OLD.%I IS NULL', k.col)
                              ELSE ordcancel_internal.changes(child, k.col) END, ' OR ' ORDER BY k.col) INTO condition
    FROM (SELECT DISTINCT a.attname AS col
          FROM ordcancel.child AS c, unnest(c.key_columns) AS n (col)
              JOIN pg_attribute AS a ON a.attname = n.col AND a.attnum > 0 AND NOT a.attisdropped
          WHERE c.child = make_child_guards.child AND a.attrelid = make_child_guards.child) AS k;
    EXECUTE format('CREATE TRIGGER "!ordcancel_guard_child_insert" AFTER INSERT ON %s FOR EACH ROW'
                   ' EXECUTE FUNCTION ordcancel_internal.guard_child()', child);
    EXECUTE format('CREATE TRIGGER "!ordcancel_guard_child_update" AFTER UPDATE ON %s FOR EACH ROW%s'
                   ' EXECUTE FUNCTION ordcancel_internal.guard_child()', child,
                   coalesce(' WHEN (' || condition || ')', ''));
END
$$;
COMMENT ON FUNCTION ordcancel_internal.make_child_guards(regclass) IS
    'creates the triggers of ordcancel on a child table, or drops them if it has no guards';

-- Removes guards, of one order table only if orders is not NULL, of one name only
-- if name is not NULL. Returns whether there were any.
CREATE FUNCTION ordcancel_internal.forget_child(child regclass, orders regclass, name text) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    DELETE FROM ordcancel.child AS c
    WHERE c.child = forget_child.child AND (forget_child.orders IS NULL OR c.orders = forget_child.orders)
      AND (forget_child.name IS NULL OR c.name = forget_child.name);
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    IF EXISTS (SELECT FROM pg_class WHERE oid = child) THEN
        PERFORM ordcancel_internal.make_child_guards(child);
    END IF;
    RETURN true;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.forget_child(regclass, regclass, text) IS
    'removes guards of a child table, and its triggers if none is left';
