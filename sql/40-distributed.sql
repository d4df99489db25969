-- Order tables that Citus distributes. Nothing here needs Citus to be created:
-- its catalogs and functions are named only in statements that run where it is.

CREATE FUNCTION ordcancel_internal.has_citus() RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL
       AND EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')
$$;
COMMENT ON FUNCTION ordcancel_internal.has_citus() IS 'returns whether Citus is in this database';

-- How a table is distributed: no row if it is not. The column is NULL for a table
-- that has a single shard.
CREATE FUNCTION ordcancel_internal.distribution(
    rel regclass, OUT by_hash boolean, OUT by_column name, OUT fault text) RETURNS SETOF record
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF ordcancel_internal.has_citus() THEN
        RETURN QUERY EXECUTE
            'SELECT p.partmethod = ''h'', column_to_column_name(p.logicalrelid, p.partkey)::name,'
            ' CASE WHEN p.repmodel = ''t'' THEN ''It is a reference table of Citus.'''
            ' WHEN p.partmethod NOT IN (''h'', ''n'') THEN ''Citus distributes it neither by hash nor by schema.'''
            ' WHEN p.colocationid = 0 THEN ''It is a local table that is managed by Citus.'''
            ' WHEN c.relkind <> ''r'' THEN ''It is distributed by Citus, and partitioned.'' END'
            ' FROM pg_dist_partition AS p JOIN pg_class AS c ON c.oid = p.logicalrelid WHERE p.logicalrelid = $1'
            USING rel;
    END IF;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.distribution(regclass) IS 'returns how Citus distributes a table';

CREATE FUNCTION ordcancel_internal.is_distributed(rel regclass) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT EXISTS (SELECT FROM ordcancel_internal.distribution(rel))
$$;
COMMENT ON FUNCTION ordcancel_internal.is_distributed(regclass) IS 'returns whether Citus distributes a table';

CREATE FUNCTION ordcancel_internal.is_distributed_by_hash(rel regclass) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT coalesce((SELECT d.by_hash FROM ordcancel_internal.distribution(rel) AS d), false)
$$;
COMMENT ON FUNCTION ordcancel_internal.is_distributed_by_hash(regclass) IS
    'returns whether Citus distributes a table by the hash of a column';

-- Number of this node: 0 is the coordinator.
CREATE FUNCTION ordcancel_internal.citus_group() RETURNS integer
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    local_group integer;
BEGIN
    IF ordcancel_internal.has_citus() THEN
        EXECUTE 'SELECT groupid FROM pg_dist_local_group' INTO local_group;
    END IF;
    RETURN local_group;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.citus_group() IS 'returns the number of this node of Citus; NULL without Citus';

-- For functions that do not know distributed tables.
CREATE FUNCTION ordcancel_internal.refuse_distributed(rel regclass, what text) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF ordcancel_internal.is_distributed(rel) THEN
        RAISE EXCEPTION '% does not support distributed tables', what
            USING ERRCODE = 'feature_not_supported',
                  DETAIL = format('%s is distributed by Citus.', ordcancel_internal.label(rel));
    END IF;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.refuse_distributed(regclass, text) IS
    'raises 0A000 if Citus distributes a table';

-- Settings until the end of the configuration function. Citus calls all triggers
-- on distributed tables unsafe; these write only to shards of the same node.
CREATE FUNCTION ordcancel_internal.citus_begin() RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF ordcancel_internal.citus_group() <> 0 THEN
        RAISE EXCEPTION 'distributed order tables are set up on the coordinator'
            USING ERRCODE = 'feature_not_supported', HINT = 'Connect to the coordinator of Citus.';
    END IF;
    PERFORM set_config('citus.enable_unsafe_triggers', 'on', true),
            set_config('citus.multi_shard_modify_mode', 'sequential', true);
END
$$;
COMMENT ON FUNCTION ordcancel_internal.citus_begin() IS
    'raises 0A000 unless this is the coordinator; allows triggers on distributed tables';

-- Distributes a table of ordcancel's like the order table. In a schema that is
-- distributed, Citus has done it already.
CREATE FUNCTION ordcancel_internal.distribute_with(
    orders regclass, rel regclass, key_columns name[], rel_keys name[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d record;
BEGIN
    SELECT * INTO d FROM ordcancel_internal.distribution(orders);
    IF FOUND AND NOT ordcancel_internal.is_distributed(rel) THEN
        EXECUTE 'SELECT create_distributed_table($1, $2, colocate_with => $3)'
            USING rel, rel_keys[array_position(key_columns, d.by_column)]::text, ordcancel_internal.label(orders);
    END IF;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.distribute_with(regclass, regclass, name[], name[]) IS
    'distributes a table in the way of an order table, if that is distributed';
