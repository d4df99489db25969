-- Privileges, guards and indexes of record tables

-- The order table's owner may read and grant SELECT to others; nobody may write.
CREATE FUNCTION ordcancel_internal.set_record_privileges(orders regclass, records regclass) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    owner CONSTANT oid := (SELECT relowner FROM pg_class WHERE oid = orders);
    has_it CONSTANT boolean := EXISTS (
        SELECT FROM pg_class AS c, aclexplode(c.relacl) AS a
        WHERE c.oid = records AND a.grantor = c.relowner AND a.privilege_type = 'SELECT' AND a.grantee = owner
          AND (a.is_grantable OR owner = c.relowner));
    grantee text;
BEGIN
    -- If the order table has a new owner, revoke the privileges of the former owner
    -- and of the roles to which that owner granted them.
    IF NOT has_it THEN
        FOR grantee IN
            SELECT DISTINCT a.grantee::regrole::text
            FROM pg_class AS c, aclexplode(c.relacl) AS a
            WHERE c.oid = records AND a.grantor = c.relowner AND a.is_grantable AND a.grantee <> 0
              AND a.grantee <> c.relowner
        LOOP
            EXECUTE format('REVOKE ALL ON %s FROM %s CASCADE', records, grantee);
            PERFORM ordcancel_internal.notice(
                format('role %s and the roles to which it granted SELECT can no longer read %s',
                       grantee, ordcancel_internal.label(records)));
        END LOOP;
    END IF;
    FOR grantee IN
        SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END
        FROM pg_class AS c,
            (SELECT relacl AS acl FROM pg_class WHERE oid = records
             UNION ALL SELECT attacl FROM pg_attribute WHERE attrelid = records) AS l,
            aclexplode(l.acl) AS a
        WHERE c.oid = records AND a.grantee <> c.relowner AND a.privilege_type <> 'SELECT'
    LOOP
        EXECUTE format('REVOKE INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER%s ON %s FROM %s CASCADE',
                       CASE WHEN current_setting('server_version_num')::integer >= 170000 THEN ', MAINTAIN' ELSE '' END,
                       records, grantee);
    END LOOP;
    -- Two GRANTs at the same time would fail.
    IF NOT has_it THEN
        EXECUTE format('GRANT SELECT ON %s TO %s WITH GRANT OPTION', records, owner::regrole);
    END IF;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.set_record_privileges(regclass, regclass) IS
    'grants and revokes what the owner of the order table may do with a record table';

-- The indexes that a record table lacks, of those given as pg_get_indexdef()
-- prints them after the access method.
CREATE FUNCTION ordcancel_internal.missing_indexes(records regclass, indexes text[]) RETURNS text[]
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT ARRAY(SELECT d FROM unnest(indexes) WITH ORDINALITY AS i (d, n)
             WHERE NOT EXISTS (SELECT FROM pg_index
                               WHERE indrelid = records AND indisvalid AND NOT indisprimary
                                 AND CASE WHEN indisunique THEN 'UNIQUE ' ELSE '' END
                                     || regexp_replace(pg_get_indexdef(indexrelid), '^.*? USING btree ', '') = d)
             ORDER BY n)
$$;
COMMENT ON FUNCTION ordcancel_internal.missing_indexes(regclass, text[]) IS
    'lists the indexes that a record table lacks';

-- Citus leaves a trigger that fires on TRUNCATE out of the shards; the distributed
-- table has one of its own for that.
CREATE FUNCTION ordcancel_internal.record_guard_events(records regclass) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT 'INSERT OR DELETE OR UPDATE'
       || CASE WHEN ordcancel_internal.is_distributed(records) THEN '' ELSE ' OR TRUNCATE' END
$$;
COMMENT ON FUNCTION ordcancel_internal.record_guard_events(regclass) IS
    'returns what the guard of a record table fires on';

CREATE FUNCTION ordcancel_internal.record_is_guarded(records regclass) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT bool_or(tgenabled IN ('O', 'A')
               AND pg_get_triggerdef(oid) = format(
                   'CREATE TRIGGER ordcancel_guard_record BEFORE %s ON %s'
                   ' FOR EACH STATEMENT EXECUTE FUNCTION ordcancel_internal.guard_record()',
                   ordcancel_internal.record_guard_events(records), ordcancel_internal.label(records)))
FROM pg_trigger
WHERE tgrelid = records AND tgname = 'ordcancel_guard_record'
$$;
COMMENT ON FUNCTION ordcancel_internal.record_is_guarded(regclass) IS
    'returns whether a record table has its trigger enabled; NULL if it has none of that name';

-- Replication fires it; without it, a consumer would take the transactions of
-- replicated events for those of this cluster.
CREATE FUNCTION ordcancel_internal.stamps_arrivals(records regclass) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT EXISTS (SELECT FROM pg_trigger
               WHERE tgrelid = records AND tgenabled IN ('R', 'A')
                 AND pg_get_triggerdef(oid) = format(
                     'CREATE TRIGGER ordcancel_event_arrived BEFORE INSERT ON %s'
                     ' FOR EACH ROW EXECUTE FUNCTION ordcancel_internal.event_arrived()',
                     ordcancel_internal.label(records)))
FROM pg_attribute
WHERE attrelid = records AND attname = 'event_id' AND NOT attisdropped
$$;
COMMENT ON FUNCTION ordcancel_internal.stamps_arrivals(regclass) IS
    'returns whether an event table has its trigger for replicated events; NULL for other tables';

-- The indexes of a record table of an order table with these keys, besides its
-- primary key. If it is distributed by hash, only the order's key can be unique.
CREATE FUNCTION ordcancel_internal.record_indexes(parent regclass, record_keys name[], by_hash boolean) RETURNS text[]
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT CASE parent
           WHEN 'ordcancel.cancellation'::regclass THEN ARRAY[
               -- At most one request for an order or items of it, and one cancellation of the order.
               format('UNIQUE (%s) WHERE ((state = ''requested''::text) OR ((scope = ''order''::text)'
                      ' AND (state = ANY (ARRAY[''in_progress''::text, ''canceled''::text]))))', k.keys),
               -- One of the two is the primary key.
               CASE WHEN by_hash THEN '(cancellation_id)' ELSE format('(%s, cancellation_id)', k.keys) END,
               -- Small partial indexes: reports on open cancellations must not read closed ones.
               '(requested_at) WHERE (state = ''requested''::text)',
               '(decided_at) WHERE ((state = ''in_progress''::text) OR ((state = ''canceled''::text)'
               ' AND (refunded < refund_due)))',
               -- For the reports on all of them.
               '(requested_at)', '(reason, requested_at) WHERE (reason IS NOT NULL)']
           WHEN 'ordcancel.event'::regclass THEN ARRAY[
               '(cancellation_id)',
               CASE WHEN by_hash THEN '' ELSE 'UNIQUE ' END || '(request_key) WHERE (request_key IS NOT NULL)',
               '(at)']
           ELSE '{}'
       END
       || CASE WHEN by_hash AND parent = 'ordcancel.event'::regclass THEN ARRAY['(event_id)'] ELSE '{}' END
FROM (SELECT string_agg(quote_ident(key), ', ' ORDER BY n)
      FROM unnest(record_keys) WITH ORDINALITY AS r (key, n)) AS k (keys)
$$;
COMMENT ON FUNCTION ordcancel_internal.record_indexes(regclass, name[], boolean) IS
    'lists the indexes that a record table should have';
