-- The record tables that attach() creates beside an order table

-- The name of a record table: the order table's name with a suffix, truncated to
-- the maximum length of a name.
CREATE FUNCTION ordcancel_internal.record_table_name(base text, suffix text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    WHILE octet_length(base || suffix) > 63 LOOP
        base := left(base, -1);
    END LOOP;
    RETURN base || suffix;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.record_table_name(text, text) IS
    'returns the name of a record table, shortened to 63 bytes';

-- The names of the key columns in the record tables: id becomes order_id, and a
-- name that conflicts with a column of the record gets the prefix order_.
CREATE FUNCTION ordcancel_internal.record_keys(key_columns name[]) RETURNS name[]
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    taken name[] := ARRAY(SELECT attname FROM pg_attribute
                          WHERE attrelid IN ('ordcancel.cancellation'::regclass, 'ordcancel.event'::regclass)
                            AND NOT attisdropped);
    result name[] := '{}';
    wanted name;
    key name;
BEGIN
    FOREACH key IN ARRAY key_columns LOOP
        wanted := CASE key WHEN 'id' THEN 'order_id' ELSE key END;
        WHILE wanted = ANY (taken || result) OR (wanted <> key AND wanted = ANY (key_columns)) LOOP
            wanted := 'order_' || wanted;
        END LOOP;
        result := result || wanted;
    END LOOP;
    RETURN result;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.record_keys(name[]) IS
    'returns the names of the key columns in new record tables';

-- The same for a table that may be attached already. Renamed key columns keep
-- their names in the record tables; a primary key of other columns is rejected.
CREATE FUNCTION ordcancel_internal.known_record_keys(orders regclass, key_columns name[]) RETURNS name[]
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    known ordcancel.order_table;
BEGIN
    SELECT * INTO known FROM ordcancel.order_table AS t WHERE t.orders = known_record_keys.orders;
    IF NOT FOUND THEN
        RETURN ordcancel_internal.record_keys(key_columns);
    ELSIF cardinality(known.primary_key) <> cardinality(key_columns)
          OR EXISTS (SELECT FROM unnest(known.primary_key, key_columns) AS k (was, is_now)
                         JOIN pg_attribute AS a ON a.attrelid = orders AND a.attname = k.was AND NOT a.attisdropped
                     WHERE k.was <> k.is_now) THEN
        PERFORM ordcancel_internal.invalid(
            format('the primary key of %s has changed', orders),
            format('It was (%s) and is now (%s); cancellations are recorded under the old one.',
                   array_to_string(known.primary_key, ', '), array_to_string(key_columns, ', ')),
            'Restore it, or detach the table, rename its record tables and attach it again.');
    END IF;
    RETURN known.key_columns;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.known_record_keys(regclass, name[]) IS
    'returns the names of the key columns in record tables that may exist already';

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
    FOR EACH ROW EXECUTE FUNCTION ordcancel_internal.skip_missing();
ALTER TABLE ordcancel_internal.detached ENABLE REPLICA TRIGGER skip_replicated;

-- Finds the existing record table of an order table: the registered one, even if
-- it was renamed; otherwise the one of that name, unless it contains the records
-- of another order table. The record table of a dropped order table is renamed
-- to name_1, name_2 and so on.
CREATE FUNCTION ordcancel_internal.find_record_table(
    orders regclass, parent regclass, record_schema name, name text) RETURNS regclass
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    present regclass;
    other oid;
    aside text;
    is_empty boolean;
    n integer := 1;
BEGIN
    SELECT c.oid INTO present
    FROM ordcancel.order_table AS t
        JOIN pg_class AS c ON c.oid = CASE parent WHEN 'ordcancel.event'::regclass THEN t.event_table
                                                  ELSE t.cancellation_table END
    WHERE t.orders = find_record_table.orders;
    IF FOUND THEN
        RETURN present;
    END IF;
    -- Detached and attached again: its old record tables, in any schema.
    SELECT c.oid INTO present
    FROM ordcancel_internal.detached AS d JOIN pg_class AS c ON c.oid = d.records
    WHERE d.orders = find_record_table.orders
      AND EXISTS (SELECT FROM pg_attribute
                  WHERE attrelid = d.records AND attname = 'event_id' AND NOT attisdropped) = (parent = 'ordcancel.event'::regclass)
    ORDER BY c.oid DESC LIMIT 1;
    IF FOUND THEN
        RETURN present;
    END IF;
    present := to_regclass(format('%I.%I', record_schema, name));
    SELECT o INTO other
    FROM (SELECT t.orders::oid FROM ordcancel.order_table AS t WHERE present IN (t.cancellation_table, t.event_table)
          UNION ALL
          SELECT d.orders FROM ordcancel_internal.detached AS d WHERE d.records = present) AS x (o)
    WHERE o <> find_record_table.orders;
    IF NOT FOUND THEN
        RETURN present;
    ELSIF EXISTS (SELECT FROM pg_class WHERE oid = other) THEN
        PERFORM ordcancel_internal.invalid(
            format('table %s contains the records of another order table', present), format('They belong to %s.', other::regclass),
            format('If %s replaces that table, call ordcancel.replace_table(); otherwise rename one of the order tables,'
                   ' or pass another record_schema.', ordcancel_internal.label(orders)));
    END IF;
    -- Drop an empty one instead: repeated down and up migrations would otherwise
    -- leave ever more of them.
    EXECUTE format('SELECT NOT EXISTS (SELECT FROM ONLY %s)', present) INTO is_empty;
    IF is_empty AND NOT EXISTS (SELECT FROM pg_depend WHERE deptype = 'n'
                                AND ((refclassid = 'pg_class'::regclass AND refobjid = present)
                                     OR (refclassid = 'pg_type'::regclass
                                         AND refobjid IN (SELECT unnest(ARRAY[c.reltype, y.typarray])
                                                          FROM pg_class AS c JOIN pg_type AS y ON y.oid = c.reltype
                                                          WHERE c.oid = present)))) THEN
        DELETE FROM ordcancel_internal.detached AS d WHERE d.records = present;
        EXECUTE format('DROP TABLE %s', present);
        RETURN NULL;
    END IF;
    LOOP
        aside := ordcancel_internal.record_table_name(name, '_' || n);
        EXIT WHEN to_regclass(format('%I.%I', record_schema, aside)) IS NULL;
        n := n + 1;
    END LOOP;
    EXECUTE format('ALTER TABLE %s RENAME TO %I', present, aside);
    RAISE NOTICE 'record table %.% of a dropped order table was renamed to %',
        quote_ident(record_schema), quote_ident(name), quote_ident(aside);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.find_record_table(regclass, regclass, name, text) IS
    'returns the record table of an order table, or NULL';

CREATE FUNCTION ordcancel_internal.make_record_table(
    orders regclass, parent regclass, record_schema name, name text, key_columns name[], record_keys name[], inherit boolean)
    RETURNS regclass
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    label text := format('%I.%I', record_schema, name);
BEGIN
    EXECUTE format(
        CASE WHEN inherit THEN 'CREATE TABLE %1$s (%2$s) INHERITS (%3$s)'
             ELSE 'CREATE TABLE %1$s (LIKE %3$s INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING COMMENTS, %2$s)' END,
        label,
        (SELECT string_agg(format('%I %s%s NOT NULL', k.record_key, format_type(a.atttypid, a.atttypmod),
                                  CASE WHEN a.attcollation <> 0 AND a.attcollation <> t.typcollation
                                       THEN ' COLLATE ' || a.attcollation::regcollation ELSE '' END),
                           ', ' ORDER BY k.n)
         FROM unnest(key_columns, record_keys) WITH ORDINALITY AS k (key, record_key, n)
             JOIN pg_attribute AS a ON a.attrelid = orders AND a.attname = k.key
             JOIN pg_type AS t ON t.oid = a.atttypid),
        parent);
    RETURN label::regclass;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.make_record_table(regclass, regclass, name, text, name[], name[], boolean) IS
    'creates a record table';

-- Describes what an existing table has that attach() would not have created,
-- since that could run code or change records; NULL if there is nothing.
CREATE FUNCTION ordcancel_internal.foreign_part(
    orders regclass, records regclass, parent regclass, key_columns name[], record_keys name[]) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
WITH wanted AS (
    SELECT attname, atttypid, atttypmod, attcollation FROM pg_attribute
    WHERE attrelid = parent AND attnum > 0 AND NOT attisdropped
    UNION ALL
    SELECT k.record_key, a.atttypid, a.atttypmod, a.attcollation
    FROM unnest(key_columns, record_keys) AS k (key, record_key)
        JOIN pg_attribute AS a ON a.attrelid = orders AND a.attname = k.key
), present AS (
    SELECT * FROM pg_attribute WHERE attrelid = records AND attnum > 0 AND NOT attisdropped
)
SELECT coalesce(
    (SELECT CASE WHEN relkind <> 'r' THEN 'It is not an ordinary table.'
                 WHEN relpersistence <> 'p' THEN 'It is an unlogged or temporary table.'
                 WHEN relispartition OR reloftype <> 0 THEN 'It is a partition or a typed table.'
                 WHEN relrowsecurity OR EXISTS (SELECT FROM pg_policy WHERE polrelid = records) THEN 'It has row-level security.'
                 -- One left by an earlier attach belongs to a superuser; outside the orders' schema it must also be registered.
                 WHEN relowner <> (SELECT relowner FROM pg_class WHERE oid = orders)
                      AND NOT EXISTS (SELECT FROM pg_roles WHERE oid = relowner AND rolsuper
                                      AND (relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = orders)
                                           OR EXISTS (SELECT FROM ordcancel_internal.detached AS d
                                                      WHERE d.records = foreign_part.records AND d.orders = foreign_part.orders)
                                           OR EXISTS (SELECT FROM ordcancel.order_table AS t
                                                      WHERE foreign_part.records IN (t.cancellation_table, t.event_table)
                                                        AND t.orders = foreign_part.orders)))
                     THEN 'It has another owner.' END
     FROM pg_class WHERE oid = records),
    (SELECT format('It has no column %s.', string_agg(format('"%s" %s', w.attname, format_type(w.atttypid, w.atttypmod)), ', '))
     FROM wanted AS w
     WHERE NOT EXISTS (SELECT FROM present AS p
                       WHERE p.attname = w.attname AND p.atttypid = w.atttypid AND p.atttypmod = w.atttypmod
                         AND p.attcollation = w.attcollation)
     HAVING count(*) > 0),
    (SELECT format('It has an unexpected, generated or identity column "%s".', min(p.attname)) FROM present AS p
     WHERE p.attgenerated <> '' OR p.attidentity <> '' OR NOT EXISTS (SELECT FROM wanted AS w WHERE w.attname = p.attname)
     HAVING count(*) > 0),
    (SELECT format('Its column "%s" has a default.', min(p.attname))
     FROM present AS p JOIN pg_attrdef AS d ON d.adrelid = records AND d.adnum = p.attnum
     HAVING count(*) > 0),
    (SELECT format('It has a trigger "%s".', min(tgname)) FROM pg_trigger
     WHERE tgrelid = records AND tgfoid <> 'ordcancel_internal.guard_record'::regproc HAVING count(*) > 0),
    (SELECT format('It has extended statistics "%s".', min(stxname)) FROM pg_statistic_ext
     WHERE stxrelid = records HAVING count(*) > 0),
    (SELECT format('It has a rule "%s".', min(rulename)) FROM pg_rewrite WHERE ev_class = records HAVING count(*) > 0),
    (SELECT format('It has a constraint "%s".', min(conname)) FROM pg_constraint
     WHERE (conrelid = records OR confrelid = records) AND contype NOT IN ('p', 'n') HAVING count(*) > 0),
    (SELECT format('It has an index "%s".', min(i.indexrelid::regclass::text)) FROM pg_index AS i
     WHERE i.indrelid = records
       AND (i.indexprs IS NOT NULL
            OR pg_get_expr(i.indpred, records) NOT IN (
                '(state = ANY (ARRAY[''requested''::text, ''in_progress''::text, ''canceled''::text]))',
                '(state = ''requested''::text)', '(state = ''in_progress''::text)', '(request_key IS NOT NULL)'))
     HAVING count(*) > 0),
    (SELECT 'It has child tables or inherits from another table.' FROM pg_inherits
     WHERE inhparent = records OR (inhrelid = records AND inhparent <> parent) HAVING count(*) > 0))
$$;
COMMENT ON FUNCTION ordcancel_internal.foreign_part(regclass, regclass, regclass, name[], name[]) IS
    'says why a table cannot be used as a record table, or returns NULL';

-- Changes the key columns of the record tables to the current types of the order
-- table's key. Only for built-in types with an implicit or assignment cast, so
-- that no code of the owner runs.
CREATE FUNCTION ordcancel_internal.follow_key_types(
    orders regclass, records regclass, key_columns name[], record_keys name[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    col record;
BEGIN
    IF NOT EXISTS (SELECT FROM ordcancel.order_table AS t
                   WHERE t.orders = follow_key_types.orders AND records IN (t.cancellation_table, t.event_table)) THEN
        RETURN;
    END IF;
    FOR col IN
        SELECT r.attname, format_type(a.atttypid, a.atttypmod) AS type,
               CASE WHEN a.attcollation <> t.typcollation THEN ' COLLATE ' || a.attcollation::regcollation ELSE '' END AS collation
        FROM unnest(key_columns, record_keys) AS k (key, record_key)
            JOIN pg_attribute AS a ON a.attrelid = orders AND a.attname = k.key
            JOIN pg_attribute AS r ON r.attrelid = records AND r.attname = k.record_key
            JOIN pg_type AS t ON t.oid = a.atttypid
            JOIN pg_type AS f ON f.oid = r.atttypid
        WHERE (a.atttypid, a.atttypmod, a.attcollation) <> (r.atttypid, r.atttypmod, r.attcollation)
          AND t.typnamespace = 'pg_catalog'::regnamespace AND f.typnamespace = 'pg_catalog'::regnamespace
          AND (t.oid = f.oid OR t.typcategory = 'S'
               OR EXISTS (SELECT FROM pg_cast WHERE castsource = f.oid AND casttarget = t.oid AND castcontext <> 'e'))
    LOOP
        EXECUTE format('ALTER TABLE %s ALTER COLUMN %I TYPE %s%s', records, col.attname, col.type, col.collation);
    END LOOP;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.follow_key_types(regclass, regclass, name[], name[]) IS
    'gives the key columns of record tables the types that the order''s key has now';

-- Reuses a record table left by an earlier attach, in this database or in the
-- one that was dumped. It then belongs to the extension's owner again.
CREATE FUNCTION ordcancel_internal.take_record_table(
    orders regclass, records regclass, parent regclass, key_columns name[], record_keys name[], inherit boolean) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    wrong text;
    id name := CASE parent WHEN 'ordcancel.event'::regclass THEN 'event_id' ELSE 'cancellation_id' END;
    highest bigint;
    last bigint;
BEGIN
    -- A registered record table cannot be changed by others. Lock any other one
    -- that qualifies, so that it does not change after it was checked.
    IF NOT EXISTS (SELECT FROM ordcancel.order_table AS t
                   WHERE t.orders = take_record_table.orders AND records IN (t.cancellation_table, t.event_table))
       AND (SELECT relkind = 'r' AND (relowner = (SELECT relowner FROM pg_class WHERE oid = orders)
                                      OR EXISTS (SELECT FROM pg_roles WHERE oid = relowner AND rolsuper))
            FROM pg_class WHERE oid = records) THEN
        EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', records);
    END IF;
    PERFORM ordcancel_internal.follow_key_types(orders, records, key_columns, record_keys);
    wrong := ordcancel_internal.foreign_part(orders, records, parent, key_columns, record_keys);
    IF wrong IS NOT NULL THEN
        PERFORM ordcancel_internal.invalid(
            format('table %s exists but is not a record table of %s', records, orders), wrong,
            'Rename it, or remove what attach() did not create, and attach again.');
    END IF;
    IF (SELECT relowner FROM pg_class WHERE oid = records) <> current_user::regrole THEN
        EXECUTE format('ALTER TABLE %s OWNER TO CURRENT_USER', records);
    END IF;
    IF inherit <> EXISTS (SELECT FROM pg_inherits WHERE inhrelid = records AND inhparent = parent) THEN
        EXECUTE format('ALTER TABLE %s %s %s', records,
                       CASE WHEN inherit THEN 'INHERIT' ELSE 'NO INHERIT' END, parent);
    END IF;
    EXECUTE format('SELECT max(%I) FROM ONLY %s', id, records) INTO highest;
    EXECUTE format('SELECT last_value FROM ordcancel.%I', id || '_seq') INTO last;
    -- All order tables share the sequences: a record must not exhaust them.
    IF highest > 4611686018427387904 THEN
        PERFORM ordcancel_internal.invalid(format('table %s exists but is not a record table of %s', records, orders),
                                           format('Its highest %s is %s.', id, highest));
    ELSIF highest >= last THEN
        PERFORM setval(format('ordcancel.%I', id || '_seq')::regclass, highest);
    END IF;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.take_record_table(regclass, regclass, regclass, name[], name[], boolean) IS
    'checks a record table that exists, and takes it over';

-- The order table's owner may read and grant SELECT to others; nobody may write.
CREATE FUNCTION ordcancel_internal.set_record_privileges(orders regclass, records regclass) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    grantee text;
BEGIN
    -- If the order table has a new owner, revoke the privileges of the former owner
    -- and of the roles to which that owner granted them.
    IF NOT EXISTS (SELECT FROM pg_class AS c, aclexplode(c.relacl) AS a
                   WHERE c.oid = records AND a.grantor = c.relowner AND a.is_grantable AND a.privilege_type = 'SELECT'
                     AND a.grantee = (SELECT relowner FROM pg_class WHERE oid = orders)) THEN
        FOR grantee IN
            SELECT DISTINCT a.grantee::regrole::text
            FROM pg_class AS c, aclexplode(c.relacl) AS a
            WHERE c.oid = records AND a.grantor = c.relowner AND a.is_grantable AND a.grantee <> 0
              AND a.grantee <> c.relowner
        LOOP
            EXECUTE format('REVOKE ALL ON %s FROM %s CASCADE', records, grantee);
            PERFORM ordcancel_internal.notice(format('role %s and the roles to which it granted SELECT can no longer read %s',
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
    EXECUTE format('GRANT SELECT ON %s TO %s WITH GRANT OPTION', records,
                   (SELECT relowner::regrole FROM pg_class WHERE oid = orders));
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

CREATE FUNCTION ordcancel_internal.record_is_guarded(records regclass) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT bool_or(tgenabled IN ('O', 'A')
               AND pg_get_triggerdef(oid) = format(
                   'CREATE TRIGGER ordcancel_guard_record BEFORE INSERT OR DELETE OR UPDATE OR TRUNCATE ON %s'
                   ' FOR EACH STATEMENT EXECUTE FUNCTION ordcancel_internal.guard_record()', ordcancel_internal.label(records)))
FROM pg_trigger
WHERE tgrelid = records AND tgname = 'ordcancel_guard_record'
$$;
COMMENT ON FUNCTION ordcancel_internal.record_is_guarded(regclass) IS
    'returns whether a record table has its trigger enabled; NULL if it has none of that name';

-- The indexes of the two record tables of an order table with these keys.
CREATE FUNCTION ordcancel_internal.record_indexes(parent regclass, record_keys name[]) RETURNS text[]
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT CASE parent
           WHEN 'ordcancel.cancellation'::regclass THEN ARRAY[
               -- At most one live cancellation of an order.
               format('UNIQUE (%s) WHERE (state = ANY (ARRAY[''requested''::text, ''in_progress''::text, ''canceled''::text]))', k.keys),
               format('(%s, cancellation_id)', k.keys),
               -- Small partial indexes: reports on open cancellations must not read closed ones.
               '(requested_at) WHERE (state = ''requested''::text)',
               '(decided_at) WHERE (state = ''in_progress''::text)']
           ELSE ARRAY['(cancellation_id)', 'UNIQUE (request_key) WHERE (request_key IS NOT NULL)']
       END
FROM (SELECT string_agg(quote_ident(key), ', ' ORDER BY n) FROM unnest(record_keys) WITH ORDINALITY AS r (key, n)) AS k (keys)
$$;
COMMENT ON FUNCTION ordcancel_internal.record_indexes(regclass, name[]) IS
    'lists the indexes that a record table should have';

-- Creates the missing trigger and indexes of a record table.
CREATE FUNCTION ordcancel_internal.complete_record_table(
    records regclass, primary_key name, indexes text[], known boolean) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    definition text;
    made text[] := '{}';
BEGIN
    IF NOT EXISTS (SELECT FROM pg_index WHERE indrelid = records AND indisprimary) THEN
        EXECUTE format('ALTER TABLE %s ADD PRIMARY KEY (%I)', records, primary_key);
        made := made || format('primary key (%I)', primary_key);
    END IF;
    FOREACH definition IN ARRAY ordcancel_internal.missing_indexes(records, indexes) LOOP
        EXECUTE format('CREATE %sINDEX ON %s %s', CASE WHEN definition ~ '^UNIQUE ' THEN 'UNIQUE ' ELSE '' END,
                       records, regexp_replace(definition, '^UNIQUE ', ''));
        made := made || format('index %s', definition);
    END LOOP;
    IF ordcancel_internal.record_is_guarded(records) IS NOT TRUE THEN
        PERFORM ordcancel_internal.drop_guards(records, 'guard_record');
        EXECUTE format('CREATE TRIGGER ordcancel_guard_record BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON %s'
                       ' FOR EACH STATEMENT EXECUTE FUNCTION ordcancel_internal.guard_record()', records);
        made := made || 'trigger ordcancel_guard_record'::text;
    END IF;
    IF known AND made <> '{}' THEN
        PERFORM ordcancel_internal.notice(
            format('record table %s lacked objects that attach() creates; they were created again', ordcancel_internal.label(records)),
            format('%s.', array_to_string(made, '; ')));
    END IF;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.complete_record_table(regclass, name, text[], boolean) IS
    'creates the indexes and the trigger that a record table lacks';

-- Comments are not inherited. A record table that an older version made, or
-- whose order table was renamed, gets what it lacks.
CREATE FUNCTION ordcancel_internal.comment_record_table(
    orders regclass, records regclass, parent regclass, key_columns name[], record_keys name[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    of_table CONSTANT text := format(
        '%s of %s; written by ordcancel alone',
        CASE parent WHEN 'ordcancel.event'::regclass THEN 'events of the cancellations' ELSE 'cancellations' END,
        ordcancel_internal.label(orders));
    col record;
BEGIN
    IF obj_description(records, 'pg_class') IS DISTINCT FROM of_table THEN
        EXECUTE format('COMMENT ON TABLE %s IS %L', records, of_table);
    END IF;
    FOR col IN
        SELECT a.attname, c.text
        FROM pg_attribute AS a
            LEFT JOIN pg_attribute AS p ON p.attrelid = parent AND p.attname = a.attname
            LEFT JOIN unnest(key_columns, record_keys) AS k (key, record_key) ON k.record_key = a.attname,
            coalesce(col_description(parent, p.attnum), 'key of the order: its column ' || k.key) AS c (text)
        WHERE a.attrelid = records AND a.attnum > 0 AND NOT a.attisdropped
          AND col_description(records, a.attnum) IS DISTINCT FROM c.text
        ORDER BY a.attnum
    LOOP
        EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', records, col.attname, col.text);
    END LOOP;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.comment_record_table(regclass, regclass, regclass, name[], name[]) IS
    'gives a record table and its columns their comments';

CREATE FUNCTION ordcancel_internal.make_record_tables(
    orders regclass, key_columns name[], record_keys name[], inherit boolean, record_schema name,
    OUT cancellation_table regclass, OUT event_table regclass)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    base pg_class;
    named CONSTANT boolean := record_schema IS NOT NULL;
    known boolean;
    parent regclass;
    name text;
    found_table regclass;
BEGIN
    SELECT * INTO base FROM pg_class WHERE oid = orders;
    record_schema := coalesce(record_schema, (SELECT nspname FROM pg_namespace WHERE oid = base.relnamespace));
    FOR parent, name IN
        VALUES ('ordcancel.cancellation'::regclass, ordcancel_internal.record_table_name(base.relname, '_cancellation')),
               ('ordcancel.event'::regclass, ordcancel_internal.record_table_name(base.relname, '_cancellation_event'))
    LOOP
        found_table := ordcancel_internal.find_record_table(orders, parent, record_schema, name);
        known := found_table IS NOT NULL;
        IF NOT known THEN
            found_table := ordcancel_internal.make_record_table(orders, parent, record_schema, name,
                                                                key_columns, record_keys, inherit);
        ELSE
            PERFORM ordcancel_internal.take_record_table(orders, found_table, parent, key_columns, record_keys, inherit);
        END IF;
        IF named AND record_schema <> (SELECT n.nspname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
                                       WHERE c.oid = found_table) THEN
            -- Otherwise the owner of the order table could move it into a schema that
            -- the owner can drop.
            IF NOT ordcancel_internal.caller_is_superuser() THEN
                PERFORM ordcancel_internal.invalid(
                    format('cannot move the record tables of %s', ordcancel_internal.label(orders)),
                    'Only a superuser can move them to another schema.', 'Omit record_schema.');
            END IF;
            EXECUTE format('ALTER TABLE %s SET SCHEMA %I', found_table, record_schema);
            PERFORM ordcancel_internal.notice(format('record table "%s" was moved to schema "%s"', name, record_schema));
        END IF;
        PERFORM ordcancel_internal.complete_record_table(
            found_table, CASE parent WHEN 'ordcancel.event'::regclass THEN 'event_id' ELSE 'cancellation_id' END,
            ordcancel_internal.record_indexes(parent, record_keys), known);
        PERFORM ordcancel_internal.set_record_privileges(orders, found_table);
        PERFORM ordcancel_internal.comment_record_table(orders, found_table, parent, key_columns, record_keys);
        DELETE FROM ordcancel_internal.detached AS d WHERE d.records = found_table;
        IF parent = 'ordcancel.event'::regclass THEN
            event_table := found_table;
        ELSE
            cancellation_table := found_table;
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.make_record_tables(regclass, name[], name[], boolean, name) IS
    'creates the two record tables of an order table, or uses those that exist';
