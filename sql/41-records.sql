-- The record tables that an order table has

-- A record table of the kind of parent: the existing one, or a new one.
CREATE FUNCTION ordcancel_internal.provide_record_table(
    orders regclass, keyed regclass, parent regclass, key_columns name[], record_keys name[], inherit boolean,
    record_schema name) RETURNS regclass
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    base record;
    kind record;
    known boolean;
    name text;
    found_table regclass;
    moved regclass;
    by_hash CONSTANT boolean := ordcancel_internal.is_distributed_by_hash(orders);
BEGIN
    SELECT c.relname, n.nspname INTO base FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.oid = orders;
    SELECT * INTO kind FROM ordcancel_internal.record_kinds() AS k WHERE k.parent = provide_record_table.parent;
    name := ordcancel_internal.record_table_name(base.relname, kind.suffix);
    found_table := ordcancel_internal.find_record_table(orders, parent, coalesce(record_schema, base.nspname), name);
    known := found_table IS NOT NULL;
    IF known THEN
        PERFORM ordcancel_internal.take_record_table(orders, keyed, found_table, parent, key_columns, record_keys,
                                                     inherit);
    ELSE
        found_table := ordcancel_internal.make_record_table(keyed, parent, coalesce(record_schema, base.nspname), name,
                                                            key_columns, record_keys, inherit);
        PERFORM ordcancel_internal.distribute_with(orders, found_table, key_columns, record_keys);
    END IF;
    IF record_schema <> (SELECT n.nspname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
                         WHERE c.oid = found_table) THEN
        -- Otherwise the owner of the order table could move it into a schema that
        -- the owner can drop.
        IF NOT ordcancel_internal.caller_is_superuser() THEN
            PERFORM ordcancel_internal.invalid(
                format('cannot move the record tables of %s', ordcancel_internal.label(orders)),
                'Only a superuser can move them to another schema.', 'Omit record_schema.');
        END IF;
        FOREACH moved IN ARRAY found_table || ARRAY(SELECT a.archive FROM ordcancel_internal.archives(found_table) AS a)
        LOOP
            EXECUTE format('ALTER TABLE %s SET SCHEMA %I', moved, record_schema);
        END LOOP;
        PERFORM ordcancel_internal.notice(format('record table "%s" was moved to schema "%s"', name, record_schema));
    END IF;
    PERFORM ordcancel_internal.complete_record_table(
        found_table, ordcancel_internal.record_primary_key(orders, parent, record_keys),
        ordcancel_internal.record_indexes(parent, record_keys, by_hash), known);
    PERFORM ordcancel_internal.set_record_privileges(orders, found_table);
    PERFORM ordcancel_internal.complete_archive(orders, a.archive, parent, record_keys)
    FROM ordcancel_internal.archives(found_table) AS a;
    IF keyed <> found_table THEN
        PERFORM ordcancel_internal.comment_record_table(orders, keyed, found_table, parent, key_columns,
                                                        record_keys);
    END IF;
    DELETE FROM ordcancel_internal.detached AS d WHERE d.records = found_table;
    RETURN found_table;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.provide_record_table(
    regclass, regclass, regclass, name[], name[], boolean, name) IS
    'creates a record table of an order table, or uses the one that exists';

-- The record table of items, if the order table had one. Its own columns stand
-- for those of the items, which need not be attached any more.
CREATE FUNCTION ordcancel_internal.keep_item_records(orders regclass, inherit boolean, record_schema name)
    RETURNS regclass
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    parent CONSTANT regclass := 'ordcancel.cancellation_item';
    records CONSTANT regclass := ordcancel_internal.known_record_table(orders, parent);
    own CONSTANT name[] := ARRAY(SELECT a.attname FROM pg_attribute AS a
                                 WHERE a.attrelid = records AND a.attnum > 0 AND NOT a.attisdropped
                                   AND NOT EXISTS (SELECT FROM pg_attribute AS p
                                                   WHERE p.attrelid = parent AND p.attname = a.attname)
                                 ORDER BY a.attnum);
BEGIN
    RETURN CASE WHEN records IS NOT NULL
                THEN ordcancel_internal.provide_record_table(orders, records, parent, own, own, inherit, record_schema)
           END;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.keep_item_records(regclass, boolean, name) IS
    'uses the record table of items that an order table has or had; returns NULL if there is none';
