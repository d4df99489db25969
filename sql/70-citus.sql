-- The configuration on the nodes of Citus
--
-- The coordinator writes it, with names instead of OIDs, into a reference table.
-- Its trigger fires on the copy of each node, in the same transaction, and fills
-- the configuration tables there.

-- The configuration of the distributed tables.
CREATE FUNCTION ordcancel_internal.citus_config() RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    config jsonb := '{}';
    source text;
    found_rows jsonb;
BEGIN
    FOREACH source IN ARRAY ARRAY['order_table', 'policy', 'rule', 'block', 'also_set'] LOOP
        EXECUTE format('SELECT coalesce(jsonb_agg(to_jsonb(c)), ''[]'') FROM ordcancel.%I AS c JOIN pg_class AS o'
                       ' ON o.oid = c.orders WHERE ordcancel_internal.is_distributed(c.orders)', source)
            INTO found_rows;
        config := config || jsonb_build_object(source, found_rows);
    END LOOP;
    RETURN config || jsonb_build_object(
        'reason', (SELECT coalesce(jsonb_agg(to_jsonb(r)), '[]') FROM ordcancel.reason AS r WHERE NOT r.seeded),
        'refund_method', (SELECT coalesce(jsonb_agg(to_jsonb(m)), '[]') FROM ordcancel.refund_method AS m
                          WHERE NOT m.seeded));
END
$$;
COMMENT ON FUNCTION ordcancel_internal.citus_config() IS
    'returns the configuration of distributed tables, with the names of tables';

-- So that ids of different nodes differ: they leave the number of the node as
-- remainder. The library relies on the increment; see src/rows/shard_ids.h.
CREATE FUNCTION ordcancel_internal.citus_number_node() RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    node CONSTANT integer := ordcancel_internal.citus_group();
    ids text;
    last bigint;
BEGIN
    IF node > 1023 THEN
        RAISE EXCEPTION 'node % has no numbers for cancellations', node
            USING ERRCODE = 'feature_not_supported', DETAIL = 'Nodes of Citus can have numbers up to 1023.';
    END IF;
    FOREACH ids IN ARRAY ARRAY['cancellation_id_seq', 'event_id_seq'] LOOP
        IF (SELECT s.seqincrement FROM pg_sequence AS s WHERE s.seqrelid = format('ordcancel.%I', ids)::regclass)
           <> 1024 THEN
            EXECUTE format('SELECT last_value FROM ordcancel.%I', ids) INTO last;
            EXECUTE format('ALTER SEQUENCE ordcancel.%I INCREMENT BY 1024 START WITH %s RESTART', ids,
                           (last / 1024 + 1) * 1024 + node);
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.citus_number_node() IS
    'gives the sequences of ids numbers that no other node has';

-- Replaces the configuration of the distributed tables on a node. Rows about
-- tables that are not there are skipped (skip_dropped_tables).
CREATE FUNCTION ordcancel_internal.citus_apply(config jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    target text;
BEGIN
    FOREACH target IN ARRAY ARRAY['order_table', 'policy', 'rule', 'block', 'also_set'] LOOP
        EXECUTE format('DELETE FROM ordcancel.%I AS c WHERE ordcancel_internal.is_distributed(c.orders)'
                       ' OR NOT EXISTS (SELECT FROM pg_class AS o WHERE o.oid = c.orders)', target);
        EXECUTE format('INSERT INTO ordcancel.%1$I SELECT * FROM jsonb_populate_recordset(NULL::ordcancel.%1$I, $1)',
                       target) USING config -> target;
    END LOOP;
    INSERT INTO ordcancel.reason AS r SELECT * FROM jsonb_populate_recordset(NULL::ordcancel.reason, config -> 'reason')
    ON CONFLICT (code) DO UPDATE
        SET description = excluded.description, audience = excluded.audience, requires_note = excluded.requires_note,
            requires_request = excluded.requires_request, active = excluded.active, note_max = excluded.note_max;
    INSERT INTO ordcancel.refund_method AS m
    SELECT * FROM jsonb_populate_recordset(NULL::ordcancel.refund_method, config -> 'refund_method')
    ON CONFLICT (code) DO UPDATE SET on_undo = excluded.on_undo;
    PERFORM ordcancel_internal.citus_number_node();
END
$$;
COMMENT ON FUNCTION ordcancel_internal.citus_apply(jsonb) IS
    'replaces the configuration of the distributed tables on a node';

-- With the rights of whoever writes the reference table, who must be allowed to
-- write the configuration.
CREATE FUNCTION ordcancel_internal.citus_config_arrived() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF ordcancel_internal.citus_group() <> 0 THEN
        PERFORM ordcancel_internal.citus_apply(NEW.config);
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.citus_config_arrived() IS
    'trigger, on the copies of the reference table: applies the configuration to the node';

-- Only roles that could replace the extension itself may own the table: what it
-- holds is run as the owners of the order tables.
CREATE FUNCTION ordcancel_internal.citus_check_config_table() RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF EXISTS (SELECT FROM pg_namespace AS n JOIN pg_roles AS r ON r.oid = n.nspowner
               WHERE n.nspname = 'ordcancel_citus' AND r.rolname <> current_user AND NOT r.rolsuper)
       OR EXISTS (SELECT FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
                      JOIN pg_roles AS r ON r.oid = c.relowner
                  WHERE n.nspname = 'ordcancel_citus' AND r.rolname <> current_user AND NOT r.rolsuper) THEN
        RAISE EXCEPTION 'schema "ordcancel_citus" belongs to somebody else'
            USING ERRCODE = 'insufficient_privilege', HINT = 'Rename or drop it.';
    END IF;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.citus_check_config_table() IS
    'raises 42501 if the reference table could be written by others';

CREATE FUNCTION ordcancel_internal.citus_make_config_table() RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    PERFORM set_config('citus.enable_schema_based_sharding', 'off', true);
    IF to_regnamespace('ordcancel_citus') IS NULL THEN
        EXECUTE 'CREATE SCHEMA ordcancel_citus';
        EXECUTE 'COMMENT ON SCHEMA ordcancel_citus IS ''configuration of ordcancel on the nodes of Citus''';
    END IF;
    EXECUTE 'CREATE TABLE ordcancel_citus.config (id integer PRIMARY KEY, config jsonb NOT NULL,'
            ' published_at timestamptz NOT NULL)';
    EXECUTE 'SELECT create_reference_table(''ordcancel_citus.config'')';
    EXECUTE 'CREATE TRIGGER config_arrived AFTER INSERT OR UPDATE ON ordcancel_citus.config'
            ' FOR EACH ROW EXECUTE FUNCTION ordcancel_internal.citus_config_arrived()';
END
$$;
COMMENT ON FUNCTION ordcancel_internal.citus_make_config_table() IS
    'creates the reference table that takes the configuration to the nodes';

-- Nodes that have no copy of the reference table yet.
CREATE FUNCTION ordcancel_internal.citus_new_nodes() RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    missing bigint;
BEGIN
    EXECUTE 'SELECT count(*) FROM pg_dist_node AS n WHERE n.noderole = ''primary'' AND n.isactive AND n.groupid <> 0'
            ' AND NOT EXISTS (SELECT FROM pg_dist_shard AS s JOIN pg_dist_placement AS p USING (shardid)'
            ' WHERE s.logicalrelid = ''ordcancel_citus.config''::regclass AND p.groupid = n.groupid)' INTO missing;
    RETURN missing;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.citus_new_nodes() IS
    'returns how many nodes were added since the configuration was last published';

CREATE FUNCTION ordcancel_internal.citus_publish() RETURNS text
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    config CONSTANT jsonb := ordcancel_internal.citus_config();
BEGIN
    PERFORM ordcancel_internal.citus_begin();
    PERFORM ordcancel_internal.citus_check_config_table();
    IF to_regclass('ordcancel_citus.config') IS NULL THEN
        PERFORM ordcancel_internal.citus_make_config_table();
    ELSIF ordcancel_internal.citus_new_nodes() > 0 THEN
        EXECUTE 'SELECT replicate_reference_tables()';
    END IF;
    PERFORM ordcancel_internal.citus_number_node();
    EXECUTE 'INSERT INTO ordcancel_citus.config AS c VALUES (1, $1, $2)'
            ' ON CONFLICT (id) DO UPDATE SET config = excluded.config, published_at = excluded.published_at'
        USING config, statement_timestamp();
    RETURN format('published the configuration of %s distributed tables',
                  jsonb_array_length(config -> 'order_table'));
END
$$;
COMMENT ON FUNCTION ordcancel_internal.citus_publish() IS
    'writes the configuration of distributed tables to all nodes';

-- After each change of the configuration of a table.
CREATE FUNCTION ordcancel_internal.citus_follow(orders regclass) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF ordcancel_internal.is_distributed(orders) THEN
        PERFORM ordcancel_internal.citus_publish();
    END IF;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.citus_follow(regclass) IS
    'publishes the configuration if Citus distributes the table';

-- Writes the configuration of the distributed tables to all nodes of Citus. The
-- configuration functions do it themselves. Call it, as the extension's owner on
-- the coordinator, after a node was added, and after changes of the reasons and
-- refund methods.
CREATE FUNCTION ordcancel.citus_publish() RETURNS text
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF NOT pg_has_role((SELECT relowner FROM pg_class WHERE oid = 'ordcancel.order_table'::regclass), 'USAGE') THEN
        RAISE EXCEPTION 'only the owner of the extension may publish its configuration'
            USING ERRCODE = 'insufficient_privilege';
    ELSIF NOT ordcancel_internal.has_citus() THEN
        RAISE EXCEPTION 'Citus is not in this database' USING ERRCODE = 'feature_not_supported';
    END IF;
    RETURN ordcancel_internal.citus_publish();
END
$$;
COMMENT ON FUNCTION ordcancel.citus_publish() IS
    E'writes the configuration of distributed tables to all nodes of Citus\nRaises 0A000, 42501.';
