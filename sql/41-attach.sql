-- attach and detach

-- A name for a record table: the order table's with a suffix, within what a
-- name may be long.
CREATE FUNCTION ordcancel._record_table_name(base text, suffix text) RETURNS text
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
COMMENT ON FUNCTION ordcancel._record_table_name(text, text) IS 'name of a record table';

-- Names for the key's columns in the record tables: id is order_id there, and
-- a name that the record has for itself gets order_ before it.
CREATE FUNCTION ordcancel._record_keys(key_columns name[]) RETURNS name[]
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
COMMENT ON FUNCTION ordcancel._record_keys(name[]) IS 'names of the key''s columns in the record tables';

-- An expression that is true when a column's value changes in any byte.
-- What compares equal must not change unseen: a case-insensitive status could
-- otherwise slip out of its rules. Types of pg_catalog other than text compare
-- equal only when they are the same.
CREATE FUNCTION ordcancel._changes(orders regclass, col name) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT CASE
           WHEN coalesce(b.oid, t.oid) IN ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype)
               THEN format('OLD.%1$I::pg_catalog.text COLLATE pg_catalog."C" IS DISTINCT FROM NEW.%1$I::pg_catalog.text COLLATE pg_catalog."C"', col)
           WHEN coalesce(b.typtype, t.typtype) = 'e'
                OR coalesce(b.oid, t.oid) IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'uuid'::regtype)
               THEN format('OLD.%1$I IS DISTINCT FROM NEW.%1$I', col)
           ELSE format('ROW(OLD.%1$I) OPERATOR(pg_catalog.*<>) ROW(NEW.%1$I)', col)
       END
FROM pg_attribute AS a
    JOIN pg_type AS t ON t.oid = a.atttypid
    LEFT JOIN pg_type AS b ON t.typtype = 'd' AND b.oid = t.typbasetype
WHERE a.attrelid = orders AND a.attname = col
$$;
COMMENT ON FUNCTION ordcancel._changes(regclass, name) IS 'condition of a trigger: the column changes';

CREATE FUNCTION ordcancel._drop_guards(orders regclass) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    guard record;
BEGIN
    -- Those of partitions go with the ones that they are clones of.
    FOR guard IN
        SELECT tgname, tgrelid::regclass AS rel
        FROM pg_trigger
        WHERE tgrelid IN (SELECT relid FROM pg_partition_tree(orders) UNION SELECT orders)
          AND tgparentid = 0
          AND tgfoid IN (SELECT oid FROM pg_proc
                         WHERE pronamespace = 'ordcancel'::regnamespace AND proname LIKE 'guard\_%')
    LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', guard.tgname, guard.rel);
    END LOOP;
END
$$;
COMMENT ON FUNCTION ordcancel._drop_guards(regclass) IS 'takes our triggers off a table and its partitions';

CREATE FUNCTION ordcancel._make_guards(orders regclass, watched name[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    PERFORM ordcancel._drop_guards(orders);

    -- AFTER, so that no trigger of another can change the row any more; WHEN,
    -- not OF, because a trigger of another may change what the UPDATE did not
    -- name; and WHEN is decided without a call.
    EXECUTE format('CREATE TRIGGER ordcancel_guard_update AFTER UPDATE ON %s FOR EACH ROW WHEN (%s)'
                   ' EXECUTE FUNCTION ordcancel.guard_update()',
                   orders,
                   (SELECT string_agg(ordcancel._changes(orders, w.col), ' OR ' ORDER BY w.n)
                    FROM unnest(watched) WITH ORDINALITY AS w (col, n)));
    EXECUTE format('CREATE TRIGGER ordcancel_guard_insert AFTER INSERT ON %s FOR EACH ROW'
                   ' EXECUTE FUNCTION ordcancel.guard_insert()', orders);
    EXECUTE format('CREATE TRIGGER ordcancel_guard_delete AFTER DELETE ON %s FOR EACH ROW'
                   ' EXECUTE FUNCTION ordcancel.guard_delete()', orders);
    EXECUTE format('CREATE TRIGGER ordcancel_guard_truncate BEFORE TRUNCATE ON %s FOR EACH STATEMENT'
                   ' EXECUTE FUNCTION ordcancel.guard_truncate()', orders);
END
$$;
COMMENT ON FUNCTION ordcancel._make_guards(regclass, name[]) IS 'puts our triggers on an order table';

-- PostgreSQL clones row triggers to partitions, but not statement triggers.
CREATE FUNCTION ordcancel._guard_partitions(orders regclass) RETURNS integer
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    part regclass;
    made integer := 0;
BEGIN
    PERFORM ordcancel._check_attached(orders);
    FOR part IN
        SELECT p.relid FROM pg_partition_tree(orders) AS p
        WHERE p.relid <> orders
          AND NOT EXISTS (SELECT FROM pg_trigger AS t
                          WHERE t.tgrelid = p.relid AND t.tgfoid = 'ordcancel.guard_truncate()'::regprocedure)
    LOOP
        EXECUTE format('CREATE TRIGGER ordcancel_guard_truncate BEFORE TRUNCATE ON %s FOR EACH STATEMENT'
                       ' EXECUTE FUNCTION ordcancel.guard_truncate()', part);
        made := made + 1;
    END LOOP;
    RETURN made;
END
$$;
COMMENT ON FUNCTION ordcancel._guard_partitions(regclass) IS 'see guard_partitions';

-- Makes one record table, or takes the one that an earlier attach left.
CREATE FUNCTION ordcancel._make_record_table(
    orders regclass, parent regclass, suffix text, key_columns name[], record_keys name[], inherit boolean)
    RETURNS regclass
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    base pg_class;
    label text;
    found regclass;
    missing text;
    inherits boolean;
BEGIN
    SELECT * INTO base FROM pg_class WHERE oid = orders;
    label := base.relnamespace::regnamespace::text || '.'
             || quote_ident(ordcancel._record_table_name(base.relname, suffix));
    found := to_regclass(label);

    IF found IS NULL THEN
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
        EXECUTE format('ALTER TABLE %s OWNER TO %I', label, pg_get_userbyid(base.relowner));
        EXECUTE format('COMMENT ON TABLE %s IS %L', label,
                       format('%s of %s; written by ordcancel alone', suffix, orders));
        RETURN label::regclass;
    END IF;

    -- A table of that name is ours when it has all of our columns.
    SELECT string_agg(format('"%s" %s', w.attname, format_type(w.atttypid, w.atttypmod)), ', ') INTO missing
    FROM (SELECT attname, atttypid, atttypmod FROM pg_attribute
          WHERE attrelid = parent AND attnum > 0 AND NOT attisdropped
          UNION ALL
          SELECT k.record_key, a.atttypid, a.atttypmod
          FROM unnest(key_columns, record_keys) AS k (key, record_key)
              JOIN pg_attribute AS a ON a.attrelid = orders AND a.attname = k.key) AS w
    WHERE NOT EXISTS (SELECT FROM pg_attribute AS a
                      WHERE a.attrelid = found AND a.attname = w.attname AND NOT a.attisdropped
                        AND a.atttypid = w.atttypid AND a.atttypmod = w.atttypmod);
    IF missing IS NOT NULL OR (SELECT relkind <> 'r' OR relowner <> base.relowner FROM pg_class WHERE oid = found) THEN
        PERFORM ordcancel._invalid(
            format('table %s exists and is not a record table of %s', label, orders),
            CASE WHEN missing IS NULL THEN 'It is not a table of the same owner.'
                 ELSE format('It has no column %s.', missing) END,
            'Rename it, or drop it, and attach again.');
    END IF;

    inherits := EXISTS (SELECT FROM pg_inherits WHERE inhrelid = found AND inhparent = parent);
    IF inherits <> inherit THEN
        EXECUTE format('ALTER TABLE %s %s %s', label,
                       CASE WHEN inherit THEN 'INHERIT' ELSE 'NO INHERIT' END, parent);
    END IF;
    PERFORM ordcancel._drop_guards(found);
    RETURN found;
END
$$;
COMMENT ON FUNCTION ordcancel._make_record_table(regclass, regclass, text, name[], name[], boolean) IS 'makes a record table beside an order table';

CREATE FUNCTION ordcancel._guard_record_table(records regclass) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER ordcancel_guard_record BEFORE INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW'
                   ' EXECUTE FUNCTION ordcancel.guard_record()', records);
    EXECUTE format('CREATE TRIGGER ordcancel_guard_record_truncate BEFORE TRUNCATE ON %s FOR EACH STATEMENT'
                   ' EXECUTE FUNCTION ordcancel.guard_record()', records);
END
$$;
COMMENT ON FUNCTION ordcancel._guard_record_table(regclass) IS 'puts our triggers on a record table';

CREATE FUNCTION ordcancel._make_record_tables(
    orders regclass, key_columns name[], record_keys name[], inherit boolean,
    OUT cancellation_table regclass, OUT event_table regclass)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    keys text := (SELECT string_agg(quote_ident(k), ', ' ORDER BY n)
                  FROM unnest(record_keys) WITH ORDINALITY AS r (k, n));
BEGIN
    cancellation_table := ordcancel._make_record_table(orders, 'ordcancel.cancellation', '_cancellation',
                                                       key_columns, record_keys, inherit);
    event_table := ordcancel._make_record_table(orders, 'ordcancel.event', '_cancellation_event',
                                                key_columns, record_keys, inherit);

    IF NOT EXISTS (SELECT FROM pg_index WHERE indrelid = cancellation_table) THEN
        EXECUTE format('ALTER TABLE %s ADD PRIMARY KEY (cancellation_id)', cancellation_table);
        -- At most one live cancellation of an order.
        EXECUTE format('CREATE UNIQUE INDEX ON %s (%s) WHERE state IN (''requested'', ''in_progress'', ''canceled'')',
                       cancellation_table, keys);
        EXECUTE format('CREATE INDEX ON %s (%s, cancellation_id)', cancellation_table, keys);
        -- Open ones stay few; reports on them must not cost what the closed ones do.
        EXECUTE format('CREATE INDEX ON %s (requested_at) WHERE state = ''requested''', cancellation_table);
        EXECUTE format('CREATE INDEX ON %s (decided_at) WHERE state = ''in_progress''', cancellation_table);
    END IF;
    IF NOT EXISTS (SELECT FROM pg_index WHERE indrelid = event_table) THEN
        EXECUTE format('ALTER TABLE %s ADD PRIMARY KEY (event_id)', event_table);
        EXECUTE format('CREATE INDEX ON %s (cancellation_id)', event_table);
        EXECUTE format('CREATE UNIQUE INDEX ON %s (request_key) WHERE request_key IS NOT NULL', event_table);
    END IF;
    PERFORM ordcancel._guard_record_table(cancellation_table);
    PERFORM ordcancel._guard_record_table(event_table);
END
$$;
COMMENT ON FUNCTION ordcancel._make_record_tables(regclass, name[], name[], boolean) IS 'makes the two record tables';

-- What attach needs of the table; OC014 otherwise.
CREATE FUNCTION ordcancel._check_order_table(
    orders regclass, status name, placed_at name, policy_by name) RETURNS name[]
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    class pg_class;
    pkey pg_index;
    col record;
    key_columns name[];
BEGIN
    SELECT * INTO class FROM pg_class WHERE oid = orders;
    IF class.relkind NOT IN ('r', 'p') THEN
        PERFORM ordcancel._invalid(format('%s cannot be attached', orders), 'It is not a table.',
                                   'Attach the table that the orders are stored in.');
    ELSIF class.relpersistence = 't' THEN
        PERFORM ordcancel._invalid(format('%s cannot be attached', orders), 'It is a temporary table.');
    ELSIF class.relnamespace IN ('ordcancel'::regnamespace, 'pg_catalog'::regnamespace) THEN
        PERFORM ordcancel._invalid(format('%s cannot be attached', orders), 'It is not a table of orders.');
    ELSIF class.relispartition THEN
        PERFORM ordcancel._invalid(format('%s cannot be attached', orders), 'It is a partition.',
                                   'Attach the partitioned table.');
    ELSIF class.relkind = 'r' AND EXISTS (SELECT FROM pg_inherits WHERE inhparent = orders OR inhrelid = orders) THEN
        PERFORM ordcancel._invalid(format('%s cannot be attached', orders),
                                   'Tables inherit from it, or it from others; triggers are not inherited.');
    END IF;

    SELECT * INTO pkey FROM pg_index WHERE indrelid = orders AND indisprimary;
    IF NOT FOUND OR NOT pkey.indimmediate THEN
        PERFORM ordcancel._invalid(format('%s cannot be attached', orders),
                                   CASE WHEN FOUND THEN 'Its primary key is deferrable.'
                                        ELSE 'It has no primary key.' END,
                                   'Add a primary key that is checked at once.');
    END IF;
    key_columns := ARRAY(SELECT a.attname
                         FROM unnest(pkey.indkey::int2[]) WITH ORDINALITY AS k (attnum, n)
                             JOIN pg_attribute AS a ON a.attrelid = orders AND a.attnum = k.attnum
                         WHERE k.n <= pkey.indnkeyatts
                         ORDER BY k.n);

    IF status IS NULL THEN
        PERFORM ordcancel._invalid(format('%s cannot be attached', orders), 'No status column is named.',
                                   'Pass status => with the name of the column.');
    END IF;
    FOR col IN
        SELECT w.what, w.name, a.atttypid, a.attgenerated,
               CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END AS base
        FROM (VALUES ('status', status), ('placed_at', placed_at), ('policy_by', policy_by)) AS w (what, name)
            LEFT JOIN pg_attribute AS a
                ON a.attrelid = orders AND a.attname = w.name AND a.attnum > 0 AND NOT a.attisdropped
            LEFT JOIN pg_type AS t ON t.oid = a.atttypid
        WHERE w.name IS NOT NULL
    LOOP
        IF col.atttypid IS NULL THEN
            PERFORM ordcancel._invalid(format('%s has no column "%s"', orders, col.name),
                                       format('It was named as %s.', col.what));
        ELSIF col.what = 'placed_at'
              AND col.base NOT IN ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype) THEN
            PERFORM ordcancel._invalid(format('column "%s" of %s cannot be placed_at', col.name, orders),
                                       format('Its type is %s, not a timestamp or date.', col.atttypid::regtype));
        ELSIF col.what = 'status' AND col.attgenerated <> '' THEN
            PERFORM ordcancel._invalid(format('column "%s" of %s cannot be status', col.name, orders),
                                       'It is generated, so it cannot be set.');
        ELSIF col.what = 'status' AND col.name = ANY (key_columns) THEN
            PERFORM ordcancel._invalid(format('column "%s" of %s cannot be status', col.name, orders),
                                       'It is part of the primary key, under which cancellations are recorded.');
        END IF;
    END LOOP;
    RETURN key_columns;
END
$$;
COMMENT ON FUNCTION ordcancel._check_order_table(regclass, name, name, name) IS 'checks what attach is given, returns the key''s columns';

CREATE FUNCTION ordcancel._attach(
    orders regclass, status name, placed_at name, policy_by name, refund_due text, plain_updates boolean,
    notify_channel text, inherit boolean, preset text) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    key_columns name[];
    record_keys name[];
    records record;
    known text;
BEGIN
    IF preset IS NOT NULL THEN
        PERFORM ordcancel._invalid(format('preset "%s" does not exist', left(preset, 80)));
    ELSIF notify_channel IS NULL OR notify_channel = '' OR octet_length(notify_channel) > 63 THEN
        PERFORM ordcancel._invalid('notify_channel must be a name of 1 to 63 bytes');
    ELSIF plain_updates IS NULL OR inherit IS NULL THEN
        PERFORM ordcancel._invalid('plain_updates and inherit must be true or false');
    END IF;
    key_columns := ordcancel._check_order_table(orders, status, placed_at, policy_by);
    record_keys := ordcancel._record_keys(key_columns);

    -- Writers wait from here to the end: a row that passes no guard would be
    -- one that no rule ever saw.
    EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', orders);
    records := ordcancel._make_record_tables(orders, key_columns, record_keys, inherit);

    INSERT INTO ordcancel.order_table AS t
        VALUES (orders, status, placed_at, policy_by, refund_due, plain_updates, notify_channel, inherit,
                records.cancellation_table, records.event_table, record_keys,
                ordcancel._caller_search_path(), current_setting('TimeZone'))
        ON CONFLICT ON CONSTRAINT order_table_pkey DO UPDATE
        SET status = excluded.status, placed_at = excluded.placed_at, policy_by = excluded.policy_by,
            refund_due = excluded.refund_due, plain_updates = excluded.plain_updates,
            notify_channel = excluded.notify_channel, inherit = excluded.inherit,
            cancellation_table = excluded.cancellation_table, event_table = excluded.event_table,
            key_columns = excluded.key_columns, search_path = excluded.search_path,
            time_zone = excluded.time_zone;
    INSERT INTO ordcancel.policy (orders) VALUES (orders) ON CONFLICT DO NOTHING;
    IF refund_due IS NOT NULL THEN
        PERFORM ordcancel._check_expression(orders, refund_due, 'numeric');
    END IF;

    PERFORM ordcancel._make_guards(orders, array_remove(status || key_columns || policy_by, NULL));
    PERFORM ordcancel._guard_partitions(orders);

    -- Orders that are there already: said, not guessed.
    EXECUTE format('SELECT string_agg(format(''"%%s" (%%s)'', s, n), '', '' ORDER BY n DESC, s)'
                   ' FROM (SELECT o.%1$I::text AS s, count(*) AS n FROM %2$s AS o GROUP BY 1) AS c'
                   ' WHERE NOT EXISTS (SELECT FROM ordcancel.rule AS r WHERE r.orders = $1 AND r.status = c.s)',
                   status, orders)
        INTO known USING orders;
    IF known IS NOT NULL THEN
        RAISE NOTICE 'orders of % have statuses without a rule: %', orders, left(known, 2000)
            USING HINT = 'Nobody can cancel an order in such a status; see ordcancel.unruled_statuses().';
    END IF;
END
$$;
COMMENT ON FUNCTION ordcancel._attach(regclass, name, name, name, text, boolean, text, boolean, text) IS 'see attach';

-- Puts an existing order table under rules. The caller owns the table.
--   orders          the table, plain or partitioned, with a primary key
--   status          its column that holds the order's status: text, varchar, enum, int, or a domain
--   placed_at       column that the customer's window counts from: timestamptz, timestamp or date
--   policy_by       column that names the order's own policy, as text
--   refund_due      SQL expression over the order row: what is to be refunded when it is canceled
--   plain_updates   whether a plain UPDATE may cancel within the rules
--   notify_channel  channel of NOTIFY
--   inherit         whether the record tables inherit from ours
--   preset          name of a preset, see apply_preset
-- Called again it replaces what it was told before; policies, rules and
-- records stay. Raises OC014 when the table or a column will not do, 42501 for
-- somebody else's table. Source: design sections 3 and 6.
CREATE FUNCTION ordcancel.attach(
    orders regclass, status name, placed_at name DEFAULT NULL, policy_by name DEFAULT NULL,
    refund_due text DEFAULT NULL, plain_updates boolean DEFAULT true, notify_channel text DEFAULT 'ordcancel',
    inherit boolean DEFAULT true, preset text DEFAULT NULL) RETURNS void
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_owner_gate';
COMMENT ON FUNCTION ordcancel.attach(regclass, name, name, name, text, boolean, text, boolean, text) IS 'puts an existing order table under rules';

-- Puts the guard against TRUNCATE on partitions that were added since attach;
-- the other guards PostgreSQL clones by itself. Returns how many it guarded.
CREATE FUNCTION ordcancel.guard_partitions(orders regclass) RETURNS integer
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_owner_gate';
COMMENT ON FUNCTION ordcancel.guard_partitions(regclass) IS 'guards new partitions against TRUNCATE';

CREATE FUNCTION ordcancel._detach(orders regclass) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    registered ordcancel.order_table;
    records regclass;
    parent regclass;
BEGIN
    PERFORM ordcancel._check_attached(orders);
    SELECT * INTO registered FROM ordcancel.order_table AS t WHERE t.orders = _detach.orders;

    FOR records, parent IN
        VALUES (registered.cancellation_table, 'ordcancel.cancellation'::regclass),
               (registered.event_table, 'ordcancel.event'::regclass)
    LOOP
        CONTINUE WHEN NOT EXISTS (SELECT FROM pg_class WHERE oid = records);
        PERFORM ordcancel._drop_guards(records);
        -- DROP EXTENSION … CASCADE would otherwise take the records along.
        IF EXISTS (SELECT FROM pg_inherits WHERE inhrelid = records AND inhparent = parent) THEN
            EXECUTE format('ALTER TABLE %s NO INHERIT %s', records, parent);
        END IF;
    END LOOP;
    IF EXISTS (SELECT FROM pg_class WHERE oid = orders) THEN
        PERFORM ordcancel._drop_guards(orders);
    END IF;

    DELETE FROM ordcancel.block AS c WHERE c.orders = _detach.orders;
    DELETE FROM ordcancel.rule AS c WHERE c.orders = _detach.orders;
    DELETE FROM ordcancel.policy AS c WHERE c.orders = _detach.orders;
    DELETE FROM ordcancel.order_table AS c WHERE c.orders = _detach.orders;
END
$$;
COMMENT ON FUNCTION ordcancel._detach(regclass) IS 'see detach';

-- Takes an order table out from under the rules: triggers, policies, rules and
-- blocks go. The record tables stay with their rows as plain tables of the
-- owner, and a later attach takes them up again. Raises OC001, 42501.
CREATE FUNCTION ordcancel.detach(orders regclass) RETURNS void
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_owner_gate';
COMMENT ON FUNCTION ordcancel.detach(regclass) IS 'takes an order table out from under the rules; its records stay';
