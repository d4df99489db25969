-- Archives: a record table has one for each month, which inherits from it.
-- archive_records() moves old records there. Reports read them with the record
-- table; what finds the records of an order reads them only when they are needed
-- (src/rows/archive.h).

-- The archives of a record table. A name ends with the month, in UTC, in which the
-- cancellations closed, and with a number if another table had that name.
CREATE FUNCTION ordcancel_internal.archives(records regclass, OUT archive regclass, OUT month date)
    RETURNS SETOF record
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT c.oid::regclass, make_date(m.parts[1]::integer, m.parts[2]::integer, 1)
FROM pg_inherits AS i
    JOIN pg_class AS c ON c.oid = i.inhrelid
    CROSS JOIN LATERAL regexp_match(c.relname, '_([0-9]{4})_(0[1-9]|1[0-2])(?:_[0-9]+)?$') AS m (parts)
WHERE i.inhparent = records AND m.parts IS NOT NULL AND m.parts[1] <> '0000'
ORDER BY 2, 1
$$;
COMMENT ON FUNCTION ordcancel_internal.archives(regclass) IS
    'lists the archives of a record table, and the months in which their cancellations closed';

CREATE FUNCTION ordcancel_internal.lock_archives(cancellation_table regclass) RETURNS void
    LANGUAGE c STRICT
    AS 'MODULE_PATHNAME', 'ordcancel_lock_archives';
COMMENT ON FUNCTION ordcancel_internal.lock_archives(regclass) IS
    'keeps records of canceled orders in their tables, as calls do';

-- Waits while records are being archived. What changes the rules of a table needs
-- it: a call that waits goes on with the rules that it has read, by which the
-- archived orders are canceled. So does what updates ordcancel.order_table, or locks
-- the order table, before it waits for that: archive_records() does so afterwards.
CREATE FUNCTION ordcancel_internal.hold_archives(orders regclass) RETURNS void
    LANGUAGE sql
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT ordcancel_internal.lock_archives(o.cancellation_table::regclass)
FROM ordcancel.order_table AS o WHERE o.orders = hold_archives.orders
$$;
COMMENT ON FUNCTION ordcancel_internal.hold_archives(regclass) IS
    'waits until no records of an order table are being archived, and keeps them where they are';

-- The indexes of an archive, besides its primary key. There are few, as its rows
-- do not change: for calls that need records of an order, and for reports on a
-- period.
CREATE FUNCTION ordcancel_internal.archive_indexes(parent regclass, record_keys name[]) RETURNS text[]
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT CASE parent
           WHEN 'ordcancel.cancellation'::regclass THEN ARRAY[
               format('(%s, cancellation_id)', (SELECT string_agg(quote_ident(key), ', ' ORDER BY n)
                                                FROM unnest(record_keys) WITH ORDINALITY AS r (key, n))),
               '(requested_at)']
           WHEN 'ordcancel.event'::regclass THEN ARRAY[
               '(cancellation_id)', 'UNIQUE (request_key) WHERE (request_key IS NOT NULL)']
           ELSE '{}'
       END
$$;
COMMENT ON FUNCTION ordcancel_internal.archive_indexes(regclass, name[]) IS
    'lists the indexes that an archive should have';

-- What an archive lacks, for health().
CREATE FUNCTION ordcancel_internal.archive_faults(
    archive regclass, parent regclass, record_keys name[], OUT problem text, OUT detail text) RETURNS SETOF record
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF ordcancel_internal.record_is_guarded(archive) IS NOT TRUE THEN
        problem := 'records_unguarded';
        detail := format('Trigger "ordcancel_guard_record" of %s is missing or disabled.',
                         ordcancel_internal.label(archive));
        RETURN NEXT;
    END IF;
    RETURN QUERY
        SELECT 'index_missing', format('%s has no index %s.', ordcancel_internal.label(archive), d)
        FROM unnest(ordcancel_internal.missing_indexes(
            archive, ordcancel_internal.archive_indexes(parent, record_keys))) AS m (d);
END
$$;
COMMENT ON FUNCTION ordcancel_internal.archive_faults(regclass, regclass, name[]) IS
    'lists what an archive of a record table of that parent lacks';

-- Creates what an archive lacks. It has no trigger for replicated events: those in
-- it are old, and a consumer of the replica has them from the record table.
CREATE FUNCTION ordcancel_internal.complete_archive(
    orders regclass, archive regclass, parent regclass, record_keys name[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    kind record;
    definition text;
    text CONSTANT text := (SELECT format('%s of %s that closed in %s; written by ordcancel alone', k.contents,
                                         ordcancel_internal.label(orders), to_char(a.month, 'YYYY-MM'))
                           FROM ordcancel_internal.record_kinds() AS k,
                               (SELECT i.inhparent FROM pg_inherits AS i WHERE i.inhrelid = archive) AS p,
                               ordcancel_internal.archives(p.inhparent) AS a
                           WHERE k.parent = complete_archive.parent AND a.archive = complete_archive.archive);
BEGIN
    SELECT * INTO kind FROM ordcancel_internal.record_kinds() AS k WHERE k.parent = complete_archive.parent;
    IF NOT EXISTS (SELECT FROM pg_index WHERE indrelid = archive AND indisprimary) THEN
        EXECUTE format('ALTER TABLE %s ADD PRIMARY KEY (%s)', archive,
                       (SELECT string_agg(quote_ident(k), ', ' ORDER BY n)
                        FROM unnest(ordcancel_internal.record_primary_key(orders, parent, record_keys))
                            WITH ORDINALITY AS p (k, n)));
    END IF;
    FOREACH definition IN ARRAY
        ordcancel_internal.missing_indexes(archive, ordcancel_internal.archive_indexes(parent, record_keys))
    LOOP
        EXECUTE format('CREATE %sINDEX ON %s %s', CASE WHEN definition ~ '^UNIQUE ' THEN 'UNIQUE ' ELSE '' END,
                       archive, regexp_replace(definition, '^UNIQUE ', ''));
    END LOOP;
    IF ordcancel_internal.record_is_guarded(archive) IS NOT TRUE THEN
        PERFORM ordcancel_internal.drop_guards(archive, 'guard_record');
        EXECUTE format('CREATE TRIGGER ordcancel_guard_record BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON %s'
                       ' FOR EACH STATEMENT EXECUTE FUNCTION ordcancel_internal.guard_record()', archive);
    END IF;
    PERFORM ordcancel_internal.set_record_privileges(orders, archive);
    IF obj_description(archive, 'pg_class') IS DISTINCT FROM text THEN
        EXECUTE format('COMMENT ON TABLE %s IS %L', archive, text);
    END IF;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.complete_archive(regclass, regclass, regclass, name[]) IS
    'creates the indexes and the trigger that an archive lacks, and sets its privileges';

-- Checks the archives of a record table that exists, and takes them over.
CREATE FUNCTION ordcancel_internal.take_archives(orders regclass, keyed regclass, records regclass, record_keys name[])
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    archive regclass;
    wrong text;
BEGIN
    FOR archive IN SELECT a.archive FROM ordcancel_internal.archives(records) AS a LOOP
        wrong := ordcancel_internal.foreign_part(orders, keyed, archive, records, '{}', record_keys);
        IF wrong IS NOT NULL THEN
            PERFORM ordcancel_internal.invalid(
                format('table %s exists but is not an archive of %s', archive, records), wrong,
                'Rename it, or remove what ordcancel did not create, and attach again.');
        END IF;
        IF (SELECT relowner FROM pg_class WHERE oid = archive) <> current_user::regrole THEN
            EXECUTE format('ALTER TABLE %s OWNER TO CURRENT_USER', archive);
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.take_archives(regclass, regclass, regclass, name[]) IS
    'checks the archives of a record table that exists, and takes them over';
