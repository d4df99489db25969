-- The kinds of record tables: attach() creates two beside an order table, and
-- attach_items() the third

CREATE FUNCTION ordcancel_internal.record_kinds()
    RETURNS TABLE (parent regclass, suffix text, primary_key name[], numbered name, contents text)
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
VALUES ('ordcancel.cancellation'::regclass, '_cancellation', '{cancellation_id}'::name[], 'cancellation_id'::name,
        'cancellations'),
       ('ordcancel.event'::regclass, '_cancellation_event', '{event_id}'::name[], 'event_id'::name,
        'events of the cancellations'),
       ('ordcancel.cancellation_item'::regclass, '_cancellation_item', '{cancellation_id,item_key}'::name[], NULL,
        'items of the cancellations')
$$;
COMMENT ON FUNCTION ordcancel_internal.record_kinds() IS
    'lists the parents of record tables with the suffix, primary key and sequence of their children';

-- The record tables of the attached tables. They need not exist any more.
CREATE VIEW ordcancel_internal.record_table AS
SELECT t.orders, r.parent, r.records
FROM ordcancel.order_table AS t,
    LATERAL (VALUES ('ordcancel.cancellation'::regclass, t.cancellation_table),
                    ('ordcancel.event'::regclass, t.event_table),
                    ('ordcancel.cancellation_item'::regclass, t.item_records)) AS r (parent, records)
WHERE r.records <> 0;
COMMENT ON VIEW ordcancel_internal.record_table IS 'record tables of the attached tables';
COMMENT ON COLUMN ordcancel_internal.record_table.orders IS 'the order table';
COMMENT ON COLUMN ordcancel_internal.record_table.parent IS
    'parent of such record tables, also if this one does not inherit from it';
COMMENT ON COLUMN ordcancel_internal.record_table.records IS 'the record table';

-- Raises OC014 unless all record tables of an order table exist, and they and
-- their archives belong to the extension's owner.
CREATE FUNCTION ordcancel_internal.check_records(orders regclass) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    PERFORM ordcancel_internal.check_record_table(r.records)
    FROM ordcancel_internal.record_table AS r WHERE r.orders = check_records.orders;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.check_records(regclass) IS
    'raises OC014 unless all record tables of an order table exist and belong to the owner of the extension';

-- Record tables of order tables that are no longer attached, so that another
-- table of the same name does not get their records. Not dumped: after a restore
-- they belong to the table that is attached with them first.
CREATE TABLE ordcancel_internal.detached (
    records ordcancel_internal.table_ref PRIMARY KEY,
    orders oid NOT NULL
);
COMMENT ON TABLE ordcancel_internal.detached IS 'record tables of order tables that were detached or dropped';
COMMENT ON COLUMN ordcancel_internal.detached.records IS 'the record table';
COMMENT ON COLUMN ordcancel_internal.detached.orders IS
    'OID of the order table, which may be gone; 0 if no table may take the records up again';
CREATE TRIGGER guard_config BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON ordcancel_internal.detached
    FOR EACH STATEMENT EXECUTE FUNCTION ordcancel_internal.guard_config();
ALTER TABLE ordcancel_internal.detached ENABLE ALWAYS TRIGGER guard_config;
-- Not replicated either, since OIDs differ between databases.
CREATE TRIGGER skip_replicated BEFORE INSERT ON ordcancel_internal.detached
    FOR EACH ROW EXECUTE FUNCTION ordcancel_internal.skip_dropped_tables();
ALTER TABLE ordcancel_internal.detached ENABLE REPLICA TRIGGER skip_replicated;

-- The kind of a record table that is not registered, by its columns.
CREATE FUNCTION ordcancel_internal.record_kind(records oid) RETURNS regclass
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT CASE WHEN 'event_id' = ANY (c.names) THEN 'ordcancel.event'::regclass
            WHEN 'item_key' = ANY (c.names) AND 'requested_by' <> ALL (c.names)
                THEN 'ordcancel.cancellation_item'::regclass
            ELSE 'ordcancel.cancellation'::regclass END
FROM (SELECT ARRAY(SELECT attname FROM pg_attribute
                   WHERE attrelid = records AND attnum > 0 AND NOT attisdropped)) AS c (names)
$$;
COMMENT ON FUNCTION ordcancel_internal.record_kind(oid) IS 'returns the parent of a record table by its columns';

-- The primary key of a record table; of an archive, whose parent is a record table, it
-- is the same.
CREATE FUNCTION ordcancel_internal.record_primary_key(orders regclass, parent regclass, record_keys name[])
    RETURNS name[]
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT CASE WHEN ordcancel_internal.is_distributed_by_hash(orders) THEN record_keys ELSE '{}' END || k.primary_key
FROM ordcancel_internal.record_kinds() AS k
WHERE k.parent = coalesce((SELECT o.parent FROM ordcancel_internal.record_kinds() AS o
                           WHERE o.parent = record_primary_key.parent),
                          ordcancel_internal.record_kind(record_primary_key.parent))
$$;
COMMENT ON FUNCTION ordcancel_internal.record_primary_key(regclass, regclass, name[]) IS
    'returns the columns of the primary key that a record table should have';

-- The registered record table of an order table; or, if it was detached and
-- attached again, its old one, in any schema.
CREATE FUNCTION ordcancel_internal.known_record_table(orders regclass, parent regclass) RETURNS regclass
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT c.oid::regclass
FROM (SELECT r.records::oid, true AS registered FROM ordcancel_internal.record_table AS r
      WHERE r.orders = known_record_table.orders AND r.parent = known_record_table.parent
      UNION ALL
      SELECT d.records::oid, false FROM ordcancel_internal.detached AS d
      WHERE d.orders = known_record_table.orders AND ordcancel_internal.record_kind(d.records) = parent) AS k
    JOIN pg_class AS c ON c.oid = k.records
ORDER BY k.registered DESC, c.oid DESC LIMIT 1
$$;
COMMENT ON FUNCTION ordcancel_internal.known_record_table(regclass, regclass) IS
    'returns the record table that an order table has or had, or NULL';
