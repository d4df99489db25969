-- What the script of move_setup() calls in the other database

-- Raises OC014 unless all tables are there, and no order table is attached.
CREATE FUNCTION ordcancel_internal.check_moved_tables(setup jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    moved record;
BEGIN
    IF setup->>'format' IS DISTINCT FROM '1' THEN
        RAISE EXCEPTION 'setup was written by another version of ordcancel'
            USING ERRCODE = 'feature_not_supported', HINT = 'Update the extension in both databases.';
    END IF;
    FOR moved IN
        SELECT t.value->>'orders' AS name, 'order table' AS what FROM jsonb_array_elements(setup->'order_table') AS t
        UNION ALL SELECT r.key, 'record table' FROM jsonb_each(setup->'records') AS r
        UNION ALL SELECT DISTINCT c.value->>'child', 'child table' FROM jsonb_array_elements(setup->'child') AS c
        UNION ALL SELECT i.value->>'items', 'table of items' FROM jsonb_array_elements(setup->'item_table') AS i
    LOOP
        IF to_regclass(moved.name) IS NULL THEN
            PERFORM ordcancel_internal.invalid(format('%s %s does not exist', moved.what, moved.name), NULL,
                                               'Restore its schema into this database first, with pg_dump -n.');
        ELSIF (SELECT c.relkind NOT IN ('r', 'p') FROM pg_class AS c WHERE c.oid = to_regclass(moved.name)) THEN
            PERFORM ordcancel_internal.invalid(format('%s %s is not a table', moved.what, moved.name));
        ELSIF moved.what = 'record table' AND NOT ordcancel_internal.is_trusted(to_regclass(moved.name)) THEN
            PERFORM ordcancel_internal.invalid(
                format('record table %s does not belong to the owner of the extension', moved.name),
                (SELECT format('It belongs to role %s, who could have changed it.', c.relowner::regrole)
                 FROM pg_class AS c WHERE c.oid = to_regclass(moved.name)),
                format('If you trust what is in it: ALTER TABLE %s OWNER TO CURRENT_USER; then run the script again,'
                       ' which checks the table.', moved.name));
        END IF;
    END LOOP;
    FOR moved IN
        SELECT t.value->>'orders' AS name FROM jsonb_array_elements(setup->'order_table') AS t
        WHERE EXISTS (SELECT FROM ordcancel.order_table AS o WHERE o.orders = to_regclass(t.value->>'orders'))
    LOOP
        PERFORM ordcancel_internal.invalid(
            format('%s is already attached', moved.name), 'It has rules and records of its own in this database.',
            'To move another table, drop or rename this one first.');
    END LOOP;
    FOR moved IN
        SELECT r.key AS name, o.orders::regclass AS orders
        FROM jsonb_each(setup->'records') AS r
            JOIN ordcancel_internal.record_table AS o ON o.records = to_regclass(r.key)
    LOOP
        PERFORM ordcancel_internal.invalid(format('table %s contains the records of another order table', moved.name),
                                           format('They belong to %s.', moved.orders));
    END LOOP;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.check_moved_tables(jsonb) IS
    'raises OC014 unless moved tables were restored and are not attached';

-- Raises OC014 if the record tables have other rows than those that moved.
CREATE FUNCTION ordcancel_internal.check_moved_records(tables oid[], records jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    different record;
BEGIN
    SELECT w.key AS name, w.value::text AS wanted, p.value::text AS present INTO different
    FROM jsonb_each(records) AS w LEFT JOIN jsonb_each(ordcancel_internal.record_counts(tables)) AS p USING (key)
    WHERE p.value IS DISTINCT FROM w.value
    ORDER BY w.key LIMIT 1;
    IF FOUND THEN
        PERFORM ordcancel_internal.invalid(
            format('record table %s has other rows than the one that moved', different.name),
            format('It has %s rows, the other one had %s when move_setup() was called.',
                   coalesce(different.present, 'no'), different.wanted),
            'Stop all writers, then call ordcancel.move_setup() and dump the schema again.');
    END IF;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.check_moved_records(oid[], jsonb) IS
    'raises OC014 if record tables were not restored as they were';

-- As create_consumer() would, from the position on.
CREATE FUNCTION ordcancel_internal.take_consumer(consumer jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    c ordcancel.consumer;
BEGIN
    c := jsonb_populate_record(NULL::ordcancel.consumer, consumer);
    IF EXISTS (SELECT FROM ordcancel.consumer AS o WHERE o.name = c.name) THEN
        RAISE EXCEPTION 'consumer "%" already exists', c.name
            USING ERRCODE = 'duplicate_object',
                  HINT = 'Drop it here, or drop it in the other database and call ordcancel.move_setup() again.';
    ELSIF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = c.owner) THEN
        RAISE EXCEPTION 'role "%" does not exist', c.owner
            USING ERRCODE = 'undefined_object', DETAIL = format('Consumer "%s" belongs to it.', c.name);
    END IF;
    PERFORM ordcancel_internal.create_consumer(c.name, c.orders, c.types, 'now', quote_ident(c.owner)::regrole);
    UPDATE ordcancel.consumer AS o
    SET replay_from = (consumer->>'settled')::bigint + 1, created_at = c.created_at, acknowledged = c.acknowledged,
        delivered = c.acknowledged, delivered_at = c.delivered_at, acknowledged_at = c.acknowledged_at,
        skipped = c.skipped
    WHERE o.name = c.name;
    INSERT INTO ordcancel_internal.skipped_event
    SELECT (jsonb_populate_record(NULL::ordcancel_internal.skipped_event, s.value)).*
    FROM jsonb_array_elements(consumer->'skipped_events') AS s;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.take_consumer(jsonb) IS 'creates a consumer that moved to this database';

-- Adopts the record tables, as attach() adopts those of an earlier attach, and
-- moves the sequences past what they hold.
CREATE FUNCTION ordcancel_internal.take_records(t ordcancel.order_table) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    orders CONSTANT regclass := t.orders;
    items ordcancel.item_table;
    role_before CONSTANT text := current_setting('session_replication_role');
BEGIN
    IF t.primary_key <> ordcancel_internal.check_order_table(orders, t.status, t.placed_at, t.policy_by,
                                                             t.status_since) THEN
        PERFORM ordcancel_internal.invalid(
            format('%s has another primary key than the table that moved', ordcancel_internal.label(orders)),
            format('It must be (%s).', array_to_string(t.primary_key, ', ')));
    END IF;
    DELETE FROM ordcancel_internal.detached AS d
    WHERE d.records IN (t.cancellation_table, t.event_table, t.item_records);
    PERFORM ordcancel_internal.provide_record_table(orders, orders, k.parent, t.primary_key, t.key_columns, t.inherit,
                                                    NULL)
    FROM unnest('{ordcancel.cancellation,ordcancel.event}'::regclass[]) AS k (parent);
    SELECT * INTO items FROM ordcancel.item_table AS i WHERE i.orders = t.orders;
    IF FOUND THEN
        PERFORM ordcancel_internal.provide_record_table(
            orders, items.items, 'ordcancel.cancellation_item', items.item_key, items.record_keys, t.inherit, NULL);
    ELSE
        PERFORM ordcancel_internal.keep_item_records(orders, t.inherit, NULL);
    END IF;
    -- Within a cluster the transactions of the other database look like those of
    -- this one, and consumers of all tables would take some of its events for new.
    PERFORM set_config('session_replication_role', 'replica', true);
    EXECUTE format('UPDATE %s SET xid = 0 WHERE xid <> 0' -- also of archives
                   ' AND cluster = (SELECT system_identifier FROM pg_control_system())', t.event_table);
    PERFORM set_config('session_replication_role', role_before, true);
    PERFORM ordcancel_internal.make_guards(orders, t, true);
    PERFORM ordcancel_internal.guard_partitions(orders);
END
$$;
COMMENT ON FUNCTION ordcancel_internal.take_records(ordcancel.order_table) IS
    'checks and completes the tables of an order table that moved to this database';

-- SECURITY DEFINER, so that the record tables belong to the extension's owner.
CREATE FUNCTION ordcancel_internal.take_setup(setup text) RETURNS SETOF text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    moved CONSTANT jsonb := setup;
    config name;
    t ordcancel.order_table;
    tables oid[];
BEGIN
    PERFORM ordcancel_internal.check_moved_tables(moved);
    -- Those who write a reason here know what it means here.
    INSERT INTO ordcancel.reason
    SELECT r.* FROM jsonb_populate_recordset(NULL::ordcancel.reason, moved->'reason') AS r
    WHERE NOT EXISTS (SELECT FROM ordcancel.reason AS o WHERE o.code = r.code AND NOT o.seeded);
    INSERT INTO ordcancel.refund_method
    SELECT m.* FROM jsonb_populate_recordset(NULL::ordcancel.refund_method, moved->'refund_method') AS m
    WHERE NOT EXISTS (SELECT FROM ordcancel.refund_method AS o WHERE o.code = m.code AND NOT o.seeded);
    FOREACH config IN ARRAY '{order_table,policy,rule,block,also_set,child,item_table,policy_change}'::name[] LOOP
        EXECUTE format('INSERT INTO ordcancel.%1$I SELECT (jsonb_populate_record(NULL::ordcancel.%1$I, r.value)).*'
                       ' FROM jsonb_array_elements($1) AS r', config) USING moved->config;
    END LOOP;
    tables := ARRAY(SELECT to_regclass(r.value->>'orders')::oid FROM jsonb_array_elements(moved->'order_table') AS r);
    FOR t IN SELECT * FROM ordcancel.order_table AS o WHERE o.orders = ANY (tables) ORDER BY o.orders LOOP
        EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', t.orders::regclass);
        PERFORM ordcancel_internal.take_records(t);
    END LOOP;
    PERFORM ordcancel_internal.check_moved_records(tables, moved->'records');
    PERFORM ordcancel_internal.take_consumer(c.value) FROM jsonb_array_elements(moved->'consumers') AS c;
    RETURN QUERY
    SELECT format('%s: moved; policies: %s, rules: %s, digest of the setup: %s',
                  ordcancel_internal.label(o.orders),
                  (SELECT count(*) FROM ordcancel.policy AS c WHERE c.orders = o.orders),
                  (SELECT count(*) FROM ordcancel.rule AS c WHERE c.orders = o.orders),
                  ordcancel_internal.setup_digest(o.orders))
    FROM ordcancel.order_table AS o WHERE o.orders = ANY (tables) ORDER BY 1;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.take_setup(text) IS
    'registers the order tables of a schema that was moved to this database; move_setup() writes the call';
