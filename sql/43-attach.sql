-- attach

-- Raises OC014 unless the table can be attached.
CREATE FUNCTION ordcancel_internal.check_order_table(
    orders regclass, status name, placed_at name, policy_by name, status_since name) RETURNS name[]
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    class pg_class;
    pkey pg_index;
    col record;
    key_columns name[];
    label CONSTANT text := ordcancel_internal.label(orders);
    other record;
BEGIN
    SELECT * INTO class FROM pg_class WHERE oid = orders;
    IF class.relkind NOT IN ('r', 'p') THEN
        PERFORM ordcancel_internal.invalid(format('%s cannot be attached', label), 'It is not a table.',
                                   'Attach the table that the orders are stored in.');
    ELSIF class.relpersistence = 't' THEN
        PERFORM ordcancel_internal.invalid(format('%s cannot be attached', label), 'It is a temporary table.');
    ELSIF class.relnamespace IN ('ordcancel'::regnamespace, 'pg_catalog'::regnamespace) THEN
        PERFORM ordcancel_internal.invalid(format('%s cannot be attached', label), 'It is not a table of orders.');
    ELSIF EXISTS (SELECT FROM ordcancel.order_table AS t
                  WHERE t.orders = ANY (array_remove(ordcancel_internal.parts(check_order_table.orders),
                                                     check_order_table.orders::oid))) THEN
        PERFORM ordcancel_internal.invalid(
            format('%s cannot be attached', label), 'One of its partitions is attached separately.',
            'Detach the partition first; or call ordcancel.replace_table() before it becomes a partition.');
    ELSIF class.relispartition THEN
        PERFORM ordcancel_internal.invalid(format('%s cannot be attached', label), 'It is a partition.',
                                   'Attach the partitioned table.');
    ELSIF class.relkind = 'r' AND EXISTS (SELECT FROM pg_inherits WHERE inhparent = orders OR inhrelid = orders) THEN
        PERFORM ordcancel_internal.invalid(format('%s cannot be attached', label),
                                   'It has child tables or inherits from another table; triggers are not inherited.');
    ELSIF EXISTS (SELECT FROM ordcancel.item_table AS i WHERE i.items = check_order_table.orders) THEN
        PERFORM ordcancel_internal.invalid(format('%s cannot be attached', label),
                                           'It is attached as a table of items.');
    END IF;
    SELECT d.fault INTO other FROM ordcancel_internal.distribution(orders) AS d;
    IF other.fault IS NOT NULL THEN
        PERFORM ordcancel_internal.invalid(format('%s cannot be attached', label), other.fault);
    END IF;
    SELECT * INTO other FROM ordcancel_internal.not_heap(orders) LIMIT 1;
    IF FOUND THEN
        PERFORM ordcancel_internal.invalid(
            format('%s cannot be attached', label),
            format('%s is stored by access method "%s".',
                   CASE WHEN other.rel = orders THEN 'It'
                        ELSE 'Its partition ' || ordcancel_internal.label(other.rel) END,
                   other.method),
            format('ALTER TABLE %s SET ACCESS METHOD heap;', ordcancel_internal.label(other.rel)));
    END IF;

    SELECT * INTO pkey FROM pg_index WHERE indrelid = orders AND indisprimary;
    IF NOT FOUND OR NOT pkey.indimmediate THEN
        PERFORM ordcancel_internal.invalid(format('%s cannot be attached', label),
                                   CASE WHEN FOUND THEN 'Its primary key is deferrable.'
                                        ELSE 'It has no primary key.' END,
                                   'Add a primary key that is not deferrable.');
    END IF;
    key_columns := ARRAY(SELECT a.attname
                         FROM unnest(pkey.indkey::int2[]) WITH ORDINALITY AS k (attnum, n)
                             JOIN pg_attribute AS a ON a.attrelid = orders AND a.attnum = k.attnum
                         WHERE k.n <= pkey.indnkeyatts
                         ORDER BY k.n);

    IF status IS NULL THEN
        PERFORM ordcancel_internal.invalid(
            format('%s cannot be attached', label), 'No status column was specified.',
            format('Pass status => with the name of the column. The columns are %s.',
                   (SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute
                    WHERE attrelid = orders AND attnum > 0 AND NOT attisdropped)));
    END IF;
    FOR col IN
        SELECT w.what, w.name, a.atttypid, a.attgenerated,
               ordcancel_internal.base_type(a.atttypid) AS base, t.typcategory AS category
        FROM (VALUES ('status', status), ('placed_at', placed_at), ('policy_by', policy_by),
                     ('status_since', status_since)) AS w (what, name)
            LEFT JOIN pg_attribute AS a
                ON a.attrelid = orders AND a.attname = w.name AND a.attnum > 0 AND NOT a.attisdropped
            LEFT JOIN pg_type AS t ON t.oid = ordcancel_internal.base_type(a.atttypid)
        WHERE w.name IS NOT NULL
    LOOP
        IF col.atttypid IS NULL THEN
            PERFORM ordcancel_internal.invalid(
                format('%s has no column "%s"', label, col.name), format('It was passed as %s.', col.what),
                ordcancel_internal.choices(
                    col.name::text,
                    ARRAY(SELECT a.attname::text FROM pg_attribute AS a
                          WHERE a.attrelid = orders AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum),
                    'The columns are %s.'));
        ELSIF col.what IN ('placed_at', 'status_since')
              AND col.base NOT IN ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype) THEN
            PERFORM ordcancel_internal.invalid(format('column "%s" of %s cannot be used as %s', col.name, label,
                                              col.what),
                                       format('Its type is %s, not a timestamp or date.', col.atttypid::regtype));
        ELSIF col.what = 'status' AND col.category NOT IN ('S', 'E', 'B', 'Z')
              AND col.base NOT IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'numeric'::regtype) THEN
            PERFORM ordcancel_internal.invalid(format('column "%s" of %s cannot be used as status', col.name, label),
                                       format('Its type is %s, not a text, an enum, a number or a boolean.',
                                              col.atttypid::regtype));
        ELSIF col.what = 'status' AND col.attgenerated <> '' THEN
            PERFORM ordcancel_internal.invalid(format('column "%s" of %s cannot be used as status', col.name, label),
                                       'It is a generated column, so it cannot be set.');
        ELSIF col.what = 'status' AND col.name = ANY (key_columns) THEN
            PERFORM ordcancel_internal.invalid(format('column "%s" of %s cannot be used as status', col.name, label),
                                       'It is part of the primary key, under which cancellations are recorded.');
        ELSIF col.what = 'status' AND col.name = ANY (ordcancel_internal.generated_from(orders, key_columns)) THEN
            PERFORM ordcancel_internal.invalid(format('column "%s" of %s cannot be used as status', col.name, label),
                                       'A column of the primary key, under which cancellations are recorded, is'
                                       ' computed from it.');
        END IF;
    END LOOP;
    RETURN key_columns;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.check_order_table(regclass, name, name, name, name) IS
    'raises OC014 if attach() cannot take a table; returns its key columns';

-- The settings of an attached table, one per row, so that a second attach() can
-- report what it changed. Includes NULLs, which may have had a value before.
CREATE FUNCTION ordcancel_internal.attach_text(registered ordcancel.order_table)
    RETURNS TABLE (n bigint, fact text, value text)
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT row_number() OVER (), f.fact, f.value
FROM (VALUES ('status', registered.status::text), ('placed_at', registered.placed_at),
             ('policy_by', registered.policy_by),
             ('refund_due', registered.refund_due), ('refund_scale', registered.refund_scale::text),
             ('refund_due_net', registered.refund_due_net::text),
             ('plain_updates', registered.plain_updates::text), ('notify_channel', registered.notify_channel),
             ('notify_payload', registered.notify_payload), ('inherit', registered.inherit::text),
             ('status_since', registered.status_since), ('deleted_when', registered.deleted_when),
             ('primary key', array_to_string(registered.primary_key, ', ')),
             ('call_key', array_to_string(registered.call_key, ', ')),
             ('search_path', registered.search_path), ('time_zone', registered.time_zone)) AS f (fact, value)
$$;
COMMENT ON FUNCTION ordcancel_internal.attach_text(ordcancel.order_table) IS
    'lists the arguments of attach() that are kept for a table';

-- Reports properties of the table that may be unexpected, but are allowed.
CREATE FUNCTION ordcancel_internal.notice_of_table(orders regclass, records regclass) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    class pg_class;
    label CONSTANT text := ordcancel_internal.label(orders);
BEGIN
    SELECT * INTO class FROM pg_class WHERE oid = orders;
    IF class.relpersistence = 'u' THEN
        PERFORM ordcancel_internal.notice(
            format('%s is unlogged, but its record tables are not', label),
            'After a crash its orders are lost but their cancellations remain.',
            format('ALTER TABLE %s SET LOGGED makes it crash-safe.', label));
    END IF;
    IF EXISTS (SELECT FROM ordcancel.order_table AS t
                   JOIN pg_attribute AS a ON a.attrelid = t.orders AND a.attname = t.policy_by
                   JOIN pg_type AS y ON y.oid = ordcancel_internal.base_type(a.atttypid)
               WHERE t.orders = notice_of_table.orders
                 AND ((y.typcategory = 'S' AND y.typnamespace <> 'pg_catalog'::regnamespace)
                      OR (y.oid = 'numeric'::regtype AND a.atttypmod = -1)
                      OR NOT coalesce((SELECT collisdeterministic FROM pg_collation WHERE oid = a.attcollation),
                                      true))) THEN
        PERFORM ordcancel_internal.notice(
            format('policies of %s are matched by the text of its policy_by column,'
                   ' where equal values may differ as text', label),
            'An order whose policy name is spelled differently is under "default".',
            'Use a generated column such as lower(...), or a type in which equal values have the same text.');
    END IF;
    IF NOT has_schema_privilege(class.relowner, (SELECT relnamespace FROM pg_class WHERE oid = records), 'CREATE') THEN
        PERFORM ordcancel_internal.notice(
            format('record tables of %s are in schema "%s", where its owner may not create tables', label,
                   (SELECT n.nspname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
                    WHERE c.oid = records)),
            NULL, 'attach(record_schema => ...) puts them elsewhere.');
    END IF;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.notice_of_table(regclass, regclass) IS
    'raises a NOTICE about what may surprise in an attached table';

-- The columns from which generated columns among these are computed. Until
-- PostgreSQL 15 the column depends on them, later its expression.
CREATE FUNCTION ordcancel_internal.generated_from(rel regclass, columns name[]) RETURNS name[]
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT coalesce(array_agg(DISTINCT b.attname), '{}')
FROM pg_attribute AS g
    JOIN pg_attrdef AS e ON e.adrelid = g.attrelid AND e.adnum = g.attnum
    JOIN pg_depend AS d ON d.classid = 'pg_class'::regclass AND d.objid = g.attrelid AND d.objsubid = g.attnum
                           OR d.classid = 'pg_attrdef'::regclass AND d.objid = e.oid
    JOIN pg_attribute AS b ON d.refclassid = 'pg_class'::regclass AND b.attrelid = d.refobjid
                              AND b.attnum = d.refobjsubid
WHERE g.attrelid = rel AND b.attrelid = rel AND g.attname = ANY (columns) AND g.attgenerated <> ''
$$;
COMMENT ON FUNCTION ordcancel_internal.generated_from(regclass, name[]) IS
    'returns the columns from which generated columns are computed';

-- Raises OC014 if deleted_when reads the whole row: every column would have to be
-- guarded, and none could be dropped. Also if it reads a column of also_set(), as
-- cancellations would delete orders, and never find them again.
CREATE FUNCTION ordcancel_internal.check_deleted_when(orders regclass, pinned text) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    read_columns name[] := ordcancel_internal.expression_columns(pinned);
    written text;
BEGIN
    IF EXISTS (SELECT FROM unnest(read_columns) AS c WHERE c IS NULL) THEN
        PERFORM ordcancel_internal.invalid(
            format('deleted_when of %s cannot use the whole row', ordcancel_internal.label(orders)),
            'The columns that it depends on must be known.', 'Pass these columns instead.');
    END IF;
    read_columns := read_columns || ordcancel_internal.generated_from(orders, read_columns);
    IF EXISTS (SELECT FROM ordcancel.order_table AS o
               WHERE o.orders = check_deleted_when.orders AND o.status = ANY (read_columns)) THEN
        PERFORM ordcancel_internal.invalid(
            format('deleted_when of %s cannot use the status', ordcancel_internal.label(orders)),
            'A cancellation could delete the order.',
            'What may be done in a status is a matter of its rule; without one nobody can cancel.');
    END IF;
    SELECT min(s."column") INTO written FROM ordcancel.also_set AS s
    WHERE s.orders = check_deleted_when.orders AND s."column" = ANY (read_columns);
    IF written IS NOT NULL THEN
        PERFORM ordcancel_internal.invalid(
            format('also_set() cannot set column "%s" of %s', written, ordcancel_internal.label(orders)),
            'deleted_when depends on it.', 'A cancellation must not delete the order.');
    END IF;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.check_deleted_when(regclass, text) IS
    'raises OC014 if a pinned deleted_when cannot be used';

-- The key is looked up in the index of the primary key, so it has to be the first
-- columns of it.
CREATE FUNCTION ordcancel_internal.check_call_key(orders regclass, call_key name[], primary_key name[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF call_key IS NOT NULL
       AND (cardinality(call_key) NOT BETWEEN 1 AND cardinality(primary_key) - 1
            OR call_key IS DISTINCT FROM primary_key[:cardinality(call_key)]) THEN
        PERFORM ordcancel_internal.invalid(
            format('call_key of %s must be the first columns of its primary key, but not all',
                   ordcancel_internal.label(orders)),
            format('The primary key is (%s).', array_to_string(primary_key, ', ')));
    END IF;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.check_call_key(regclass, name[], name[]) IS
    'raises OC014 if calls cannot name orders by these columns';

CREATE FUNCTION ordcancel_internal.attach(
    orders regclass, status name, placed_at name, policy_by name, refund_due text, plain_updates boolean,
    notify_channel text, inherit boolean, preset text, refund_scale integer, record_schema name, notify_payload text,
    unset text[], refund_due_net boolean, status_since name, deleted_when text, call_key name[])
    RETURNS text
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    label CONSTANT text := ordcancel_internal.label(orders);
    was_rules CONSTANT text := ordcancel_internal.rules_text(orders, 'default');
    was ordcancel.order_table;
    t ordcancel.order_table;
    known boolean;
    guarded boolean;
    counts json;
    applied text;
    told text;
BEGIN
    -- Only what moves records waits: calls ask for this lock while they hold one on the order table.
    PERFORM ordcancel_internal.lock_archives(o.cancellation_table::regclass, false)
    FROM ordcancel.order_table AS o WHERE o.orders = attach.orders;
    SELECT * INTO was FROM ordcancel.order_table AS o WHERE o.orders = attach.orders;
    known := FOUND;
    PERFORM ordcancel_internal.check_word('unset', u,
                                          '{placed_at,policy_by,refund_due,plain_updates,notify_channel,inherit,'
                                          'refund_scale,refund_due_net,notify_payload,search_path,time_zone,'
                                          'status_since,deleted_when,call_key,archived_statuses}')
    FROM unnest(unset) AS u;

    -- Named arguments change; unset ones, and all of a new table, get their
    -- defaults; the rest is kept.
    t := was;
    IF NOT known OR 'plain_updates' = ANY (unset) THEN t.plain_updates := true; END IF;
    IF NOT known OR 'notify_channel' = ANY (unset) THEN t.notify_channel := 'ordcancel'; END IF;
    IF NOT known OR 'inherit' = ANY (unset) THEN t.inherit := true; END IF;
    IF NOT known OR 'refund_scale' = ANY (unset) THEN t.refund_scale := 2; END IF;
    IF NOT known OR 'refund_due_net' = ANY (unset) THEN t.refund_due_net := false; END IF;
    IF NOT known OR 'notify_payload' = ANY (unset) THEN t.notify_payload := 'full'; END IF;
    IF NOT known OR 'search_path' = ANY (unset) THEN t.search_path := ordcancel_internal.caller_search_path(); END IF;
    IF NOT known OR 'time_zone' = ANY (unset) THEN t.time_zone := current_setting('TimeZone'); END IF;
    IF 'placed_at' = ANY (unset) THEN t.placed_at := NULL; END IF;
    IF 'policy_by' = ANY (unset) THEN t.policy_by := NULL; END IF;
    IF 'refund_due' = ANY (unset) THEN t.refund_due := NULL; END IF;
    IF 'status_since' = ANY (unset) THEN t.status_since := NULL; END IF;
    IF 'deleted_when' = ANY (unset) THEN t.deleted_when := NULL; END IF;
    IF 'call_key' = ANY (unset) THEN t.call_key := NULL; END IF;
    t.orders := orders;
    t.status := coalesce(status, t.status);
    t.placed_at := coalesce(placed_at, t.placed_at);
    t.policy_by := coalesce(policy_by, t.policy_by);
    t.refund_due := coalesce(refund_due, t.refund_due);
    t.status_since := coalesce(status_since, t.status_since);
    t.deleted_when := coalesce(deleted_when, t.deleted_when);
    t.call_key := coalesce(call_key, t.call_key);
    t.plain_updates := coalesce(plain_updates, t.plain_updates);
    t.notify_channel := coalesce(notify_channel, t.notify_channel);
    t.inherit := coalesce(inherit, t.inherit);
    t.refund_scale := coalesce(refund_scale, t.refund_scale);
    t.refund_due_net := coalesce(refund_due_net, t.refund_due_net);
    t.notify_payload := coalesce(notify_payload, t.notify_payload);

    IF t.notify_channel = '' OR octet_length(t.notify_channel) > 63 THEN
        PERFORM ordcancel_internal.invalid('notify_channel must be a name of 1 to 63 bytes');
    ELSIF record_schema IS NOT NULL AND (record_schema ~ '^pg_'
                                         OR NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = record_schema)) THEN
        PERFORM ordcancel_internal.invalid(format('schema "%s" does not exist or is a system schema', record_schema),
                                           'It was passed as record_schema.');
    ELSIF record_schema IS NOT NULL
          AND NOT has_schema_privilege((SELECT relowner FROM pg_class WHERE oid = orders), record_schema, 'CREATE') THEN
        PERFORM ordcancel_internal.invalid(
            format('cannot create the record tables of %s in schema "%s"', label, record_schema),
            'The owner of the order table may not create tables there.');
    ELSIF t.refund_scale NOT BETWEEN 0 AND 8 THEN
        PERFORM ordcancel_internal.invalid('refund_scale must be a number of digits from 0 to 8');
    END IF;
    PERFORM ordcancel_internal.check_word('notify_payload', t.notify_payload, '{full,id}');
    IF ordcancel_internal.is_distributed(orders) THEN
        PERFORM ordcancel_internal.citus_begin();
        t.inherit := false; -- Citus does not distribute tables that inherit
    END IF;
    t.primary_key := ordcancel_internal.check_order_table(orders, t.status, t.placed_at, t.policy_by,
                                                          t.status_since);
    IF call_key IS NULL AND t.call_key IS NOT NULL THEN -- its columns may have been renamed
        t.call_key := t.primary_key[:cardinality(t.call_key)];
    END IF;
    PERFORM ordcancel_internal.check_call_key(orders, t.call_key, t.primary_key);
    t.key_columns := ordcancel_internal.known_record_keys(orders, t.primary_key);

    -- Count before locking the table, which blocks writers.
    counts := ordcancel_internal.count_orders_if_small(orders, t.status, t.policy_by, t.time_zone);

    -- Block writers until commit, so that no row is written without a guard.
    -- Existing guards are left alone. Dropping one needs the stronger lock;
    -- upgrading to it later could deadlock.
    guarded := known AND NOT EXISTS (SELECT FROM ordcancel_internal.missing_guards(was));
    EXECUTE format('LOCK TABLE %s IN %s MODE', orders,
                   CASE WHEN known AND (t.deleted_when IS DISTINCT FROM was.deleted_when
                                        OR NOT ordcancel_internal.guards_are_complete(orders, t))
                        THEN 'ACCESS EXCLUSIVE' ELSE 'SHARE ROW EXCLUSIVE' END);
    t.cancellation_table := ordcancel_internal.provide_record_table(
        orders, orders, 'ordcancel.cancellation', t.primary_key, t.key_columns, t.inherit, record_schema);
    -- What statuses orders had in another column, before they were detached, while they
    -- were deleted or without guards, says nothing of those that they have now.
    IF t.status IS DISTINCT FROM was.status OR t.cancellation_table IS DISTINCT FROM was.cancellation_table
       OR t.deleted_when IS DISTINCT FROM was.deleted_when OR NOT guarded
       OR 'archived_statuses' = ANY (unset) THEN
        t.archived_statuses := CASE WHEN EXISTS (SELECT FROM ordcancel_internal.archives(t.cancellation_table))
                                    THEN '{}'::text[] END;
    END IF;
    t.event_table := ordcancel_internal.provide_record_table(
        orders, orders, 'ordcancel.event', t.primary_key, t.key_columns, t.inherit, record_schema);
    t.item_records := ordcancel_internal.keep_item_records(orders, t.inherit, record_schema);

    -- The expression can only be parsed after the table is registered; see below.
    t.pinned_refund_due := NULL;
    t.refund_due_functions := NULL;
    t.pinned_deleted_when := NULL;
    t.deleted_when_functions := NULL;
    DELETE FROM ordcancel.order_table AS o WHERE o.orders = attach.orders;
    INSERT INTO ordcancel.order_table SELECT t.*;
    INSERT INTO ordcancel.policy (orders) VALUES (orders) ON CONFLICT DO NOTHING;
    IF t.refund_due IS NOT NULL THEN
        UPDATE ordcancel.order_table AS o
        SET pinned_refund_due = ordcancel_internal.pin_expression(attach.orders, t.refund_due, 'numeric', false),
            refund_due_functions = ordcancel_internal.pin_expression(attach.orders, t.refund_due, 'numeric', true)
        WHERE o.orders = attach.orders;
    END IF;
    IF t.deleted_when IS NOT NULL THEN
        UPDATE ordcancel.order_table AS o
        SET pinned_deleted_when = ordcancel_internal.pin_expression(attach.orders, t.deleted_when, 'boolean', false),
            deleted_when_functions = ordcancel_internal.pin_expression(attach.orders, t.deleted_when, 'boolean', true)
        WHERE o.orders = attach.orders
        RETURNING o.pinned_deleted_when INTO t.pinned_deleted_when;
        PERFORM ordcancel_internal.check_deleted_when(orders, t.pinned_deleted_when);
    END IF;
    PERFORM ordcancel_internal.make_guards(orders, t, known);
    PERFORM ordcancel_internal.guard_partitions(orders);
    IF preset IS NOT NULL THEN
        applied := ordcancel_internal.write_preset(orders, preset, 'default');
    END IF;
    PERFORM ordcancel_internal.notice_of_table(orders, t.cancellation_table);
    PERFORM ordcancel_internal.notice_of_unruled_statuses(orders, counts);

    IF known THEN
        SELECT string_agg(format('%s: %s -> %s', o.fact, coalesce(o.value, 'none'), coalesce(f.value, 'none')),
                          '; ' ORDER BY f.n)
        INTO told
        FROM ordcancel_internal.attach_text(was) AS o JOIN ordcancel_internal.attach_text(t) AS f USING (fact)
        WHERE o.value IS DISTINCT FROM f.value;
        IF was.cancellation_table <> t.cancellation_table OR was.event_table <> t.event_table THEN
            told := concat_ws('; ', told, format('the records were missing, and new ones start in %s and %s',
                                                 ordcancel_internal.label(t.cancellation_table),
                                                 ordcancel_internal.label(t.event_table)));
        END IF;
        RETURN ordcancel_internal.record_change(
            orders, NULL, concat_ws('; ', 'attached again, ' || coalesce(told, 'nothing changed'), applied),
            told IS NOT NULL OR was_rules IS DISTINCT FROM ordcancel_internal.rules_text(orders, 'default'));
    END IF;
    SELECT string_agg(format('%s: %s', f.fact, f.value), '; ' ORDER BY f.n) INTO told
    FROM ordcancel_internal.attach_text(t) AS f
    WHERE f.value IS NOT NULL AND f.fact IN ('primary key', 'call_key', 'status', 'placed_at', 'policy_by',
                                              'refund_due', 'deleted_when');
    RETURN ordcancel_internal.record_change(
        orders, NULL,
        concat_ws('; ', 'attached', told,
                  format('records in %s and %s', ordcancel_internal.label(t.cancellation_table),
                         ordcancel_internal.label(t.event_table)),
                  applied),
        true);
END
$$;
COMMENT ON FUNCTION ordcancel_internal.attach(
    regclass, name, name, name, text, boolean, text, boolean, text, integer, name, text, text[], boolean,
    name, text, name[]) IS
    'implements ordcancel.attach()';

-- Puts an existing order table under rules. The caller must own the table.
--   orders          the table, plain or partitioned, with a primary key
--   status          the column with the order's status: text, varchar, enum, integer, boolean, or a domain
--   placed_at       column from which the customer's window is counted: timestamptz, timestamp or date
--   policy_by       column that names the order's policy, as text
--   refund_due      SQL expression over the order row: the amount to refund when it is canceled
--   plain_updates   whether a plain UPDATE may cancel within the rules; default true. With false, every plain write
--                   that would be recorded is refused
--   notify_channel  channel of NOTIFY; default ordcancel
--   inherit         whether the record tables inherit from ordcancel.cancellation and ordcancel.event; default true
--   preset          name of a preset, see apply_preset
--   refund_scale    decimal places of amounts, 0 to 8: refund_due and each refund are rounded to it; default 2
--   record_schema   schema of the record tables; default the schema of the order table
--   notify_payload  payload of NOTIFY: full, or id for only the event's id; default full
--   refund_due_net  whether refund_due goes down by itself when items are canceled, as a balance does; default false:
--                   what their cancellations made due is subtracted from it
--   status_since    column of the time at which the order came into its status, from which timers are counted
--   deleted_when    SQL condition over the order row: while it is true, the order is deleted (soft delete)
--   call_key        the first columns of the primary key, where they are unique: calls may then name an order by these
--                   columns alone, such as the id where the key is (id, placed_at)
--   unset           arguments to reset to their defaults; also search_path and time_zone, which otherwise keep the
--                   values of the first call
-- Called again, it changes the named arguments, keeps the rest, and creates
-- missing guards and indexes; policies, rules and records are kept. Returns what
-- it created or changed; a NOTICE reports statuses in which nobody can cancel
-- yet. Raises OC014 if the table or a column is not suitable, 42501 if the
-- caller does not own the table.
CREATE FUNCTION ordcancel.attach(
    orders regclass, status name DEFAULT NULL, placed_at name DEFAULT NULL, policy_by name DEFAULT NULL,
    refund_due text DEFAULT NULL, plain_updates boolean DEFAULT NULL, notify_channel text DEFAULT NULL,
    inherit boolean DEFAULT NULL, preset text DEFAULT NULL, refund_scale integer DEFAULT NULL,
    record_schema name DEFAULT NULL, notify_payload text DEFAULT NULL, unset text[] DEFAULT '{}',
    refund_due_net boolean DEFAULT NULL, status_since name DEFAULT NULL, deleted_when text DEFAULT NULL,
    call_key name[] DEFAULT NULL) RETURNS text
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_owner_gate';
COMMENT ON FUNCTION ordcancel.attach(
    regclass, name, name, name, text, boolean, text, boolean, text, integer, name, text, text[], boolean,
    name, text, name[]) IS
    E'puts an existing order table under cancellation rules, or changes how it is attached\n'
    'Raises OC001, OC014, 0A000, 42501.';
