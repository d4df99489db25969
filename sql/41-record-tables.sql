-- Making the record tables of an order table, or taking over those that exist.
-- They have the key columns of a table, "keyed": of the order table, or of the
-- table of its items.

CREATE FUNCTION ordcancel_internal.make_record_table(
    keyed regclass, parent regclass, record_schema name, name text, key_columns name[], record_keys name[],
    inherit boolean)
    RETURNS regclass
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    label text := format('%I.%I', record_schema, name);
BEGIN
    EXECUTE format(
        CASE WHEN inherit THEN 'CREATE TABLE %1$s (%2$s) INHERITS (%3$s)'
             -- Citus would take the sequences in the defaults for its own.
             WHEN ordcancel_internal.is_distributed(keyed)
             THEN 'CREATE TABLE %1$s (LIKE %3$s INCLUDING CONSTRAINTS, %2$s)'
             ELSE 'CREATE TABLE %1$s (LIKE %3$s INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING COMMENTS, %2$s)' END,
        label,
        (SELECT string_agg(format('%I %s%s NOT NULL', k.record_key, format_type(a.atttypid, a.atttypmod),
                                  CASE WHEN a.attcollation <> 0 AND a.attcollation <> t.typcollation
                                       THEN ' COLLATE ' || a.attcollation::regcollation ELSE '' END),
                           ', ' ORDER BY k.n)
         FROM unnest(key_columns, record_keys) WITH ORDINALITY AS k (key, record_key, n)
             JOIN pg_attribute AS a ON a.attrelid = keyed AND a.attname = k.key
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
    orders regclass, keyed regclass, records regclass, parent regclass, key_columns name[], record_keys name[])
    RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
WITH wanted AS (
    SELECT attname, atttypid, atttypmod, attcollation, attnotnull FROM pg_attribute
    WHERE attrelid = parent AND attnum > 0 AND NOT attisdropped
    UNION ALL
    SELECT k.record_key, a.atttypid, a.atttypmod, a.attcollation, false
    FROM unnest(key_columns, record_keys) AS k (key, record_key)
        JOIN pg_attribute AS a ON a.attrelid = keyed AND a.attname = k.key
), present AS (
    SELECT * FROM pg_attribute WHERE attrelid = records AND attnum > 0 AND NOT attisdropped
)
SELECT coalesce(
    (SELECT CASE WHEN relkind <> 'r' THEN 'It is not an ordinary table.'
                 WHEN relpersistence <> 'p' THEN 'It is an unlogged or temporary table.'
                 WHEN relispartition OR reloftype <> 0 THEN 'It is a partition or a typed table.'
                 WHEN relrowsecurity OR EXISTS (SELECT FROM pg_policy WHERE polrelid = records)
                     THEN 'It has row-level security.'
                 WHEN relam <> (SELECT oid FROM pg_am WHERE amname = 'heap') THEN 'It is not stored by heap.'
                 WHEN NOT ordcancel_internal.caller_is_superuser()
                      AND relnamespace <> (SELECT relnamespace FROM pg_class WHERE oid = orders)
                      AND NOT EXISTS (SELECT FROM ordcancel_internal.detached AS d
                                      WHERE d.records IN (foreign_part.records, foreign_part.parent)
                                        AND d.orders = foreign_part.orders)
                      AND NOT EXISTS (SELECT FROM ordcancel_internal.record_table AS r
                                      WHERE r.records IN (foreign_part.records, foreign_part.parent)
                                        AND r.orders = foreign_part.orders)
                     THEN 'It is in another schema, and was not left by an earlier attach.'
                 WHEN relreplident <> 'd' AND NOT ordcancel_internal.is_trusted(oid)
                     THEN 'Its replica identity is not the default.' END
     FROM pg_class WHERE oid = records),
    (SELECT format('It has no column %s.',
                   string_agg(format('"%s" %s', w.attname, format_type(w.atttypid, w.atttypmod)), ', '))
     FROM wanted AS w
     WHERE NOT EXISTS (SELECT FROM present AS p
                       WHERE p.attname = w.attname AND p.atttypid = w.atttypid AND p.atttypmod = w.atttypmod
                         AND p.attcollation = w.attcollation)
     HAVING count(*) > 0),
    (SELECT format('Its column "%s" may be null.', min(p.attname))
     FROM present AS p JOIN wanted AS w ON w.attname = p.attname AND w.attnotnull
     WHERE NOT p.attnotnull HAVING count(*) > 0),
    (SELECT format('It has an unexpected, generated or identity column "%s".', min(p.attname)) FROM present AS p
     WHERE p.attgenerated <> '' OR p.attidentity <> ''
        OR NOT EXISTS (SELECT FROM wanted AS w WHERE w.attname = p.attname)
     HAVING count(*) > 0),
    (SELECT format('Its column "%s" has a default.', min(p.attname))
     FROM present AS p JOIN pg_attrdef AS d ON d.adrelid = records AND d.adnum = p.attnum
     WHERE NOT EXISTS (SELECT FROM pg_attribute AS a
                           JOIN pg_attrdef AS i ON i.adrelid = a.attrelid AND i.adnum = a.attnum
                       WHERE a.attrelid = parent AND a.attname = p.attname
                         AND pg_get_expr(i.adbin, i.adrelid) = pg_get_expr(d.adbin, d.adrelid))
     HAVING count(*) > 0),
    (SELECT format('It has a trigger "%s".', min(tgname)) FROM pg_trigger
     WHERE tgrelid = records AND tgfoid <> ALL ('{ordcancel_internal.guard_record,ordcancel_internal.event_arrived}'
                                                ::regproc[])
       AND NOT (tgisinternal AND ordcancel_internal.is_distributed(records)) HAVING count(*) > 0),
    (SELECT format('It has extended statistics "%s".', min(stxname)) FROM pg_statistic_ext
     WHERE stxrelid = records HAVING count(*) > 0),
    (SELECT format('It has a rule "%s".', min(rulename)) FROM pg_rewrite WHERE ev_class = records HAVING count(*) > 0),
    (SELECT format('It has a constraint "%s".', min(conname)) FROM pg_constraint
     WHERE (conrelid = records OR confrelid = records) AND contype NOT IN ('p', 'n') HAVING count(*) > 0),
    (SELECT format('Its primary key is not (%s).', array_to_string(w.columns, ', '))
     FROM ordcancel_internal.record_primary_key(orders, parent, record_keys) AS w (columns)
         JOIN pg_constraint AS c ON c.conrelid = records AND c.contype = 'p'
     WHERE c.condeferrable OR w.columns <> ARRAY(
         SELECT a.attname FROM unnest(c.conkey) WITH ORDINALITY AS k (attnum, n)
             JOIN pg_attribute AS a ON a.attrelid = records AND a.attnum = k.attnum ORDER BY k.n)),
    (SELECT format('It has an index "%s".', min(i.indexrelid::regclass::text)) FROM pg_index AS i
     WHERE i.indrelid = records AND NOT i.indisprimary AND NOT ordcancel_internal.is_trusted(records)
       AND CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END
           || regexp_replace(pg_get_indexdef(i.indexrelid), '^.*? USING btree ', '')
           <> ALL (ordcancel_internal.record_indexes(parent, record_keys, false)
                   || ordcancel_internal.archive_indexes(ordcancel_internal.record_kind(records), record_keys))
     HAVING count(*) > 0),
    (SELECT format('It has an index "%s".', min(i.indexrelid::regclass::text)) FROM pg_index AS i
     WHERE i.indrelid = records
       AND (i.indexprs IS NOT NULL
            OR pg_get_expr(i.indpred, records) NOT IN (
                '((state = ''requested''::text) OR ((scope = ''order''::text)'
                ' AND (state = ANY (ARRAY[''in_progress''::text, ''canceled''::text]))))',
                '(state = ''requested''::text)', '((state = ''in_progress''::text) OR ((state = ''canceled''::text)'
                ' AND (refunded < refund_due)))', '(request_key IS NOT NULL)',
                '(reason IS NOT NULL)'))
     HAVING count(*) > 0),
    (SELECT 'It has child tables or inherits from another table.' FROM pg_inherits
     -- Archives are checked like this themselves, against the record table.
     WHERE (inhparent = records
            AND (parent NOT IN (SELECT k.parent FROM ordcancel_internal.record_kinds() AS k)
                 OR inhrelid NOT IN (SELECT a.archive FROM ordcancel_internal.archives(records) AS a)))
        OR (inhrelid = records AND inhparent <> parent) HAVING count(*) > 0))
$$;
COMMENT ON FUNCTION ordcancel_internal.foreign_part(regclass, regclass, regclass, regclass, name[], name[]) IS
    'says why a table cannot be used as a record table, or returns NULL';

-- Changes the key columns of a record table to the current types of the key. Only
-- for built-in types with an implicit or assignment cast, so that no code of the
-- owner runs.
CREATE FUNCTION ordcancel_internal.follow_key_types(
    orders regclass, keyed regclass, records regclass, key_columns name[], record_keys name[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    col record;
BEGIN
    IF NOT EXISTS (SELECT FROM ordcancel_internal.record_table AS r
                   WHERE r.orders = follow_key_types.orders AND r.records = follow_key_types.records) THEN
        RETURN;
    END IF;
    FOR col IN
        SELECT r.attname, format_type(a.atttypid, a.atttypmod) AS type,
               CASE WHEN a.attcollation <> t.typcollation THEN ' COLLATE ' || a.attcollation::regcollation
                    ELSE '' END AS collation
        FROM unnest(key_columns, record_keys) AS k (key, record_key)
            JOIN pg_attribute AS a ON a.attrelid = keyed AND a.attname = k.key
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
COMMENT ON FUNCTION ordcancel_internal.follow_key_types(regclass, regclass, regclass, name[], name[]) IS
    'gives the key columns of a record table the types that the key has now';

-- The node whose numbers a sequence is at, or is about to go to; see
-- src/config/node_ids.h.
CREATE FUNCTION ordcancel_internal.node_of(last bigint) RETURNS bigint
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT greatest(coalesce(nullif(current_setting('ordcancel.node_id', true), ''), '0')::bigint, last >> 43)
$$;
COMMENT ON FUNCTION ordcancel_internal.node_of(bigint) IS
    'returns the node of the ids to come, by the last value of a sequence';

-- Reuses a record table left by an earlier attach, in this database or in the
-- one that was dumped. It then belongs to the extension's owner again.
CREATE FUNCTION ordcancel_internal.take_record_table(
    orders regclass, keyed regclass, records regclass, parent regclass, key_columns name[], record_keys name[],
    inherit boolean)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    wrong text;
    trusted CONSTANT boolean := ordcancel_internal.is_trusted(records);
    id CONSTANT name := (SELECT k.numbered FROM ordcancel_internal.record_kinds() AS k
                         WHERE k.parent = take_record_table.parent);
    highest bigint;
    own bigint;
    last bigint;
BEGIN
    -- Who owns one could have written events of other shops into it. Locked, it does
    -- not change after it was checked.
    IF NOT trusted THEN
        IF NOT ordcancel_internal.caller_is_superuser() THEN
            PERFORM ordcancel_internal.invalid(
                format('table %s exists but is not a record table of %s', records, orders),
                (SELECT format('%s belongs to role %s, who could have forged its rows.', c.oid::regclass,
                               c.relowner::regrole)
                 FROM pg_class AS c WHERE c.oid = ordcancel_internal.find_foreign(records)),
                'Rename it, or let a superuser attach the order table.');
        END IF;
        PERFORM ordcancel_internal.lock_records(records);
    ELSIF NOT EXISTS (SELECT FROM ordcancel_internal.record_table AS r
                      WHERE r.orders = take_record_table.orders AND r.records = take_record_table.records) THEN
        PERFORM ordcancel_internal.lock_records(records);
    END IF;
    IF trusted THEN
        PERFORM ordcancel_internal.follow_key_types(orders, keyed, records, key_columns, record_keys);
    END IF;
    wrong := ordcancel_internal.foreign_part(orders, keyed, records, parent, key_columns, record_keys);
    IF wrong IS NOT NULL THEN
        PERFORM ordcancel_internal.invalid(
            format('table %s exists but is not a record table of %s', records, orders), wrong,
            'Rename it, or remove what attach() did not create, and attach again.');
    END IF;
    PERFORM ordcancel_internal.take_archives(orders, keyed, records, record_keys);
    IF (SELECT relowner FROM pg_class WHERE oid = records) <> current_user::regrole THEN
        EXECUTE format('ALTER TABLE %s OWNER TO CURRENT_USER', records);
    END IF;
    PERFORM ordcancel_internal.check_record_table(records); -- its schema may have been renamed meanwhile
    IF inherit <> EXISTS (SELECT FROM pg_inherits WHERE inhrelid = records AND inhparent = parent) THEN
        EXECUTE format('ALTER TABLE %s %s %s', records,
                       CASE WHEN inherit THEN 'INHERIT' ELSE 'NO INHERIT' END, parent);
    END IF;
    IF id IS NULL OR ordcancel_internal.is_distributed(records) THEN -- see src/rows/shard_ids.h
        RETURN;
    END IF;
    EXECUTE format('SELECT last_value FROM ordcancel.%I', id || '_seq') INTO last;
    EXECUTE format('SELECT max(%I) FROM %s', id, records) INTO highest; -- also of its archives
    -- The numbers of other nodes are theirs; also those of its archives count.
    EXECUTE format('SELECT max(%1$I) FROM %2$s WHERE %1$I >= $1 << 43 AND %1$I < ($1 + 1) << 43', id, records)
        INTO own USING ordcancel_internal.node_of(last);
    -- All order tables share the sequences: a record must not exhaust them. Half of
    -- the numbers of a node remain, unless they are used already.
    IF highest > 4611686018427387904 OR own > last AND own & ((1::bigint << 43) - 1) > 1::bigint << 42 THEN
        PERFORM ordcancel_internal.invalid(format('table %s exists but is not a record table of %s', records, orders),
                                           format('Its highest %s is %s.', id, highest));
    END IF;
    IF own IS NOT NULL THEN
        PERFORM ordcancel_internal.raise_sequence(format('ordcancel.%I', id || '_seq')::regclass, own);
    END IF;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.take_record_table(
    regclass, regclass, regclass, regclass, name[], name[], boolean) IS
    'checks a record table that exists, and takes it over';

-- Creates the missing trigger and indexes of a record table.
CREATE FUNCTION ordcancel_internal.complete_record_table(
    records regclass, primary_key name[], indexes text[], known boolean) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    definition text;
    made text[] := '{}';
BEGIN
    IF NOT EXISTS (SELECT FROM pg_index WHERE indrelid = records AND indisprimary) THEN
        definition := format('(%s)', (SELECT string_agg(quote_ident(k), ', ' ORDER BY n)
                                      FROM unnest(primary_key) WITH ORDINALITY AS p (k, n)));
        EXECUTE format('ALTER TABLE %s ADD PRIMARY KEY %s', records, definition);
        made := made || format('primary key %s', definition);
    END IF;
    FOREACH definition IN ARRAY ordcancel_internal.missing_indexes(records, indexes) LOOP
        EXECUTE format('CREATE %sINDEX ON %s %s', CASE WHEN definition ~ '^UNIQUE ' THEN 'UNIQUE ' ELSE '' END,
                       records, regexp_replace(definition, '^UNIQUE ', ''));
        made := made || format('index %s', definition);
    END LOOP;
    IF ordcancel_internal.record_is_guarded(records) IS NOT TRUE THEN
        PERFORM ordcancel_internal.drop_guards(records, 'guard_record');
        EXECUTE format('CREATE TRIGGER ordcancel_guard_record BEFORE %s ON %s'
                       ' FOR EACH STATEMENT EXECUTE FUNCTION ordcancel_internal.guard_record()',
                       ordcancel_internal.record_guard_events(records), records);
        IF ordcancel_internal.is_distributed(records) THEN
            EXECUTE format('CREATE TRIGGER ordcancel_guard_truncate BEFORE TRUNCATE ON %s'
                           ' FOR EACH STATEMENT EXECUTE FUNCTION ordcancel_internal.guard_record()', records);
        END IF;
        made := made || 'trigger ordcancel_guard_record'::text;
    END IF;
    IF ordcancel_internal.stamps_arrivals(records) IS FALSE THEN
        PERFORM ordcancel_internal.drop_guards(records, 'event_arrived');
        EXECUTE format('CREATE TRIGGER ordcancel_event_arrived BEFORE INSERT ON %s'
                       ' FOR EACH ROW EXECUTE FUNCTION ordcancel_internal.event_arrived()', records);
        EXECUTE format('ALTER TABLE %s ENABLE REPLICA TRIGGER ordcancel_event_arrived', records);
        made := made || 'trigger ordcancel_event_arrived'::text;
    END IF;
    IF known AND made <> '{}' THEN
        PERFORM ordcancel_internal.notice(
            format('record table %s lacked objects that attach() creates; they were created again',
                   ordcancel_internal.label(records)),
            format('%s.', array_to_string(made, '; ')));
    END IF;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.complete_record_table(regclass, name[], text[], boolean) IS
    'creates the indexes and the trigger that a record table lacks';

-- Comments are not inherited. A record table that an older version made, or
-- whose order table was renamed, gets what it lacks.
CREATE FUNCTION ordcancel_internal.comment_record_table(
    orders regclass, keyed regclass, records regclass, parent regclass, key_columns name[], record_keys name[])
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    of_table CONSTANT text := format(
        '%s of %s; written by ordcancel alone',
        (SELECT k.contents FROM ordcancel_internal.record_kinds() AS k WHERE k.parent = comment_record_table.parent),
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
            coalesce(col_description(parent, p.attnum),
                     format('key of the %s: its column %s', CASE keyed WHEN orders THEN 'order' ELSE 'item' END,
                            k.key)) AS c (text)
        WHERE a.attrelid = records AND a.attnum > 0 AND NOT a.attisdropped
          AND col_description(records, a.attnum) IS DISTINCT FROM c.text
        ORDER BY a.attnum
    LOOP
        EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', records, col.attname, col.text);
    END LOOP;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.comment_record_table(
    regclass, regclass, regclass, regclass, name[], name[]) IS
    'gives a record table and its columns their comments';
