-- Moving a schema of order tables to another database

-- What the configuration has of the order tables in a schema, as rows of the
-- tables it is in. References to tables become qualified names.
CREATE FUNCTION ordcancel_internal.moved_config(tables oid[]) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    config name;
    found_rows jsonb;
    result jsonb := '{}';
BEGIN
    FOREACH config IN ARRAY '{order_table,policy,rule,block,also_set,child,item_table,policy_change}'::name[] LOOP
        EXECUTE format('SELECT jsonb_agg(to_jsonb(c) ORDER BY c.*::text) FROM ordcancel.%I AS c'
                       ' WHERE c.orders = ANY ($1)', config) INTO found_rows USING tables;
        result := result || jsonb_build_object(config, coalesce(found_rows, '[]'));
    END LOOP;
    RETURN result;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.moved_config(oid[]) IS 'returns the configuration of order tables that move';

-- The consumers of these tables. Transaction IDs and late events mean nothing in
-- another database, so a position becomes the ID up to which all events are
-- acknowledged; what follows is delivered, or delivered again.
CREATE FUNCTION ordcancel_internal.moved_consumers(tables oid[]) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT coalesce(jsonb_agg(jsonb_build_object(
           'name', c.name, 'orders', c.orders, 'types', c.types, 'owner', c.owner, 'created_at', c.created_at,
           'acknowledged', c.acknowledged, 'delivered_at', c.delivered_at, 'acknowledged_at', c.acknowledged_at,
           'skipped', c.skipped,
           'skipped_events', (SELECT coalesce(jsonb_agg(to_jsonb(s) ORDER BY s.event_id), '[]')
                              FROM ordcancel_internal.skipped_event AS s WHERE s.consumer = c.name),
           'settled', least(ordcancel_internal.event_horizon_settled(coalesce(c.window_end, c.passed)),
                            CASE WHEN c.window_end IS NULL THEN c.replay_from - 1 ELSE c.acknowledged END,
                            (SELECT min(l.event_id) - 1 FROM ordcancel.late_event AS l
                             WHERE l.cluster = c.cluster
                               AND l.xid >= ordcancel_internal.event_horizon_first_xid(
                                       coalesce(c.window_end, c.passed)))))
           ORDER BY c.name), '[]')
FROM ordcancel.consumer AS c
WHERE c.orders = ANY (tables)
$$;
COMMENT ON FUNCTION ordcancel_internal.moved_consumers(oid[]) IS
    'returns the consumers of order tables that move, with their positions';

-- The rows of the record tables, by which an incomplete restore is noticed.
CREATE FUNCTION ordcancel_internal.record_counts(tables oid[]) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    records record;
    n bigint;
    result jsonb := '{}';
BEGIN
    FOR records IN
        SELECT r.records::regclass FROM ordcancel_internal.record_table AS r
        WHERE r.orders = ANY (tables) AND ordcancel_internal.is_trusted(r.records)
    LOOP
        EXECUTE format('SELECT count(*) FROM %s', records.records) INTO n;
        result := result || jsonb_build_object(ordcancel_internal.label(records.records), n);
    END LOOP;
    RETURN result;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.record_counts(oid[]) IS 'counts the rows of the record tables of order tables';

-- The rights on ordcancel of roles that have rights on these order tables. Those
-- of PUBLIC are left out, since in the other database they are for other shops.
CREATE FUNCTION ordcancel_internal.moved_grants(tables oid[]) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
WITH grantee AS (
    SELECT DISTINCT a.grantee AS role
    FROM pg_class AS c,
        LATERAL (SELECT coalesce(c.relacl, acldefault('r', c.relowner)) AS acl
                 UNION ALL SELECT t.attacl FROM pg_attribute AS t WHERE t.attrelid = c.oid) AS l,
        aclexplode(l.acl) AS a
    WHERE c.oid = ANY (tables) AND a.grantee <> 0
    UNION
    SELECT r.oid FROM ordcancel.consumer AS o JOIN pg_roles AS r ON r.rolname = o.owner WHERE o.orders = ANY (tables)
), item AS (
    SELECT 'ROUTINE ' || p.oid::regprocedure AS object, p.proacl AS acl, p.proowner AS owner
    FROM pg_proc AS p
    WHERE p.pronamespace IN ('ordcancel'::regnamespace, 'ordcancel_internal'::regnamespace)
    UNION ALL
    SELECT 'TABLE ' || c.oid::regclass, c.relacl, c.relowner FROM pg_class AS c
    WHERE c.oid IN ('ordcancel.consumers'::regclass, 'ordcancel.skipped_events'::regclass)
)
SELECT coalesce(string_agg(format(E'GRANT %s ON %s TO %s%s;\n', a.privilege_type, i.object, a.grantee::regrole,
                                  CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END),
                           '' ORDER BY a.grantee::regrole::text COLLATE "C", i.object COLLATE "C"), '')
FROM item AS i, aclexplode(i.acl) AS a
WHERE a.grantee IN (SELECT g.role FROM grantee AS g) AND a.grantee <> i.owner
$$;
COMMENT ON FUNCTION ordcancel_internal.moved_grants(oid[]) IS
    'returns the commands that grant what the roles of order tables may execute';

CREATE FUNCTION ordcancel_internal.move_setup(schema_name name) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    tables CONSTANT oid[] := ARRAY(SELECT t.orders::oid
                                   FROM ordcancel.order_table AS t JOIN pg_class AS c ON c.oid = t.orders
                                       JOIN pg_namespace AS n ON n.oid = c.relnamespace
                                   WHERE n.nspname = schema_name);
    elsewhere text;
    unread text;
BEGIN
    IF schema_name IS NULL THEN
        RAISE EXCEPTION 'schema_name must not be null' USING ERRCODE = 'null_value_not_allowed';
    ELSIF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = schema_name) THEN
        RAISE EXCEPTION 'schema "%" does not exist', schema_name USING ERRCODE = 'invalid_schema_name';
    ELSIF NOT ordcancel_internal.caller_is_superuser() THEN
        RAISE EXCEPTION 'permission denied to move schema "%"', schema_name
            USING ERRCODE = 'insufficient_privilege', DETAIL = 'Only a superuser can move order tables.';
    END IF;
    PERFORM ordcancel_internal.check_records(t.orders) FROM unnest(tables) AS t (orders);
    IF tables = '{}' THEN
        RAISE EXCEPTION 'no table in schema "%" is attached', schema_name
            USING ERRCODE = 'OC001', HINT = 'Its schema can be dumped and restored as it is.';
    END IF;
    SELECT string_agg(DISTINCT quote_ident(n.nspname), ', ') INTO elsewhere
    FROM (SELECT r.records::oid FROM ordcancel_internal.record_table AS r WHERE r.orders = ANY (tables)
          UNION SELECT c.child::oid FROM ordcancel.child AS c WHERE c.orders = ANY (tables)
          UNION SELECT i.items::oid FROM ordcancel.item_table AS i WHERE i.orders = ANY (tables)) AS used (rel)
        JOIN pg_class AS c ON c.oid = used.rel JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname <> schema_name;
    IF elsewhere IS NOT NULL THEN
        PERFORM ordcancel_internal.notice(
            format('tables that belong to the orders are in other schemas: %s', elsewhere), NULL,
            'Dump these schemas, too.');
    END IF;
    SELECT string_agg(format('"%s"', c.name), ', ' ORDER BY c.name) INTO unread
    FROM ordcancel.consumer AS c WHERE c.orders IS NULL;
    IF unread IS NOT NULL THEN
        PERFORM ordcancel_internal.notice(
            format('consumers of all order tables do not move: %s', left(unread, 1000)), NULL,
            'Let them read all events before the schema is dropped here.');
    END IF;
    RETURN format(E'-- Run this as a superuser, after the schema was restored.\n'
                  'SET standard_conforming_strings = on;\n'
                  'SELECT ordcancel_internal.take_setup(%L);\n%sRESET standard_conforming_strings;\n',
                  jsonb_pretty(ordcancel_internal.moved_config(tables)
                               || jsonb_build_object(
                                      'format', 1, 'records', ordcancel_internal.record_counts(tables),
                                      'consumers', ordcancel_internal.moved_consumers(tables),
                                      'reason', (SELECT coalesce(jsonb_agg(to_jsonb(r) ORDER BY r.code), '[]')
                                                 FROM ordcancel.reason AS r WHERE NOT r.seeded),
                                      'refund_method', (SELECT coalesce(jsonb_agg(to_jsonb(m) ORDER BY m.code), '[]')
                                                        FROM ordcancel.refund_method AS m WHERE NOT m.seeded))),
                  ordcancel_internal.moved_grants(tables));
END
$$;
COMMENT ON FUNCTION ordcancel_internal.move_setup(name) IS 'implements ordcancel.move_setup()';

-- The script that moves what ordcancel knows of the order tables in a schema to
-- another database: to be run there after pg_dump -n has moved the schema, with
-- its records. Rules, policies with the log of their changes, children, items,
-- consumers with their positions, and grants move along; digests are equal then.
-- Nobody may write the orders between this call, the dump, and the last step.
-- The caller must be a superuser. Raises OC001, 22004, 3F000, 42501.
CREATE FUNCTION ordcancel.move_setup(schema_name name) RETURNS text
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_open_gate';
COMMENT ON FUNCTION ordcancel.move_setup(name) IS
    E'returns the script that moves the setup of the order tables in a schema to another database\n'
    'Raises OC001, 22004, 3F000, 42501.';
