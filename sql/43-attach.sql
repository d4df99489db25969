-- attach and detach

-- What attach needs of the table; OC014 otherwise.
CREATE FUNCTION ordcancel_internal.check_order_table(
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
        PERFORM ordcancel_internal.invalid(format('%s cannot be attached', orders), 'It is not a table.',
                                   'Attach the table that the orders are stored in.');
    ELSIF class.relpersistence = 't' THEN
        PERFORM ordcancel_internal.invalid(format('%s cannot be attached', orders), 'It is a temporary table.');
    ELSIF class.relnamespace IN ('ordcancel'::regnamespace, 'pg_catalog'::regnamespace) THEN
        PERFORM ordcancel_internal.invalid(format('%s cannot be attached', orders), 'It is not a table of orders.');
    ELSIF class.relispartition THEN
        PERFORM ordcancel_internal.invalid(format('%s cannot be attached', orders), 'It is a partition.',
                                   'Attach the partitioned table.');
    ELSIF class.relkind = 'r' AND EXISTS (SELECT FROM pg_inherits WHERE inhparent = orders OR inhrelid = orders) THEN
        PERFORM ordcancel_internal.invalid(format('%s cannot be attached', orders),
                                   'Tables inherit from it, or it from others; triggers are not inherited.');
    END IF;

    SELECT * INTO pkey FROM pg_index WHERE indrelid = orders AND indisprimary;
    IF NOT FOUND OR NOT pkey.indimmediate THEN
        PERFORM ordcancel_internal.invalid(format('%s cannot be attached', orders),
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
        PERFORM ordcancel_internal.invalid(format('%s cannot be attached', orders), 'No status column is named.',
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
            PERFORM ordcancel_internal.invalid(format('%s has no column "%s"', orders, col.name),
                                       format('It was named as %s.', col.what));
        ELSIF col.what = 'placed_at'
              AND col.base NOT IN ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype) THEN
            PERFORM ordcancel_internal.invalid(format('column "%s" of %s cannot be placed_at', col.name, orders),
                                       format('Its type is %s, not a timestamp or date.', col.atttypid::regtype));
        ELSIF col.what = 'status' AND col.attgenerated <> '' THEN
            PERFORM ordcancel_internal.invalid(format('column "%s" of %s cannot be status', col.name, orders),
                                       'It is generated, so it cannot be set.');
        ELSIF col.what = 'status' AND col.name = ANY (key_columns) THEN
            PERFORM ordcancel_internal.invalid(format('column "%s" of %s cannot be status', col.name, orders),
                                       'It is part of the primary key, under which cancellations are recorded.');
        END IF;
    END LOOP;
    RETURN key_columns;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.check_order_table(regclass, name, name, name) IS 'checks what attach is given, returns the key''s columns';

CREATE FUNCTION ordcancel_internal.attach(
    orders regclass, status name, placed_at name, policy_by name, refund_due text, plain_updates boolean,
    notify_channel text, inherit boolean, preset text, refund_scale integer, record_schema name, notify_payload text)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    key_columns name[];
    record_keys name[];
    records record;
    known text;
BEGIN
    IF notify_channel IS NULL OR notify_channel = '' OR octet_length(notify_channel) > 63 THEN
        PERFORM ordcancel_internal.invalid('notify_channel must be a name of 1 to 63 bytes');
    ELSIF plain_updates IS NULL OR inherit IS NULL THEN
        PERFORM ordcancel_internal.invalid('plain_updates and inherit must be true or false');
    ELSIF notify_payload IS NULL OR notify_payload NOT IN ('full', 'id') THEN
        PERFORM ordcancel_internal.invalid('notify_payload must be "full" or "id"');
    ELSIF record_schema IS NOT NULL AND (record_schema ~ '^pg_'
                                         OR NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = record_schema)) THEN
        PERFORM ordcancel_internal.invalid(format('schema "%s" does not exist, or is not for tables of users', record_schema),
                                           'It was named as record_schema.');
    ELSIF record_schema IS NOT NULL
          AND NOT has_schema_privilege((SELECT relowner FROM pg_class WHERE oid = orders), record_schema, 'CREATE') THEN
        PERFORM ordcancel_internal.invalid(format('record tables of %s cannot be made in schema "%s"', orders, record_schema),
                                           'The owner of the order table may not create tables there.');
    ELSIF refund_scale IS NULL OR refund_scale NOT BETWEEN 0 AND 8 THEN
        PERFORM ordcancel_internal.invalid('refund_scale must be a number of digits from 0 to 8');
    END IF;
    key_columns := ordcancel_internal.check_order_table(orders, status, placed_at, policy_by);
    record_keys := ordcancel_internal.known_record_keys(orders, key_columns);

    -- Writers wait from here to the end: a row that passes no guard would be
    -- one that no rule ever saw. Where our triggers are there already they are
    -- dropped first, which needs the stronger lock, and taking it later could
    -- deadlock.
    EXECUTE format('LOCK TABLE %s IN %s MODE', orders,
                   CASE WHEN EXISTS (SELECT FROM ordcancel.order_table AS t WHERE t.orders = attach.orders)
                        THEN 'ACCESS EXCLUSIVE' ELSE 'SHARE ROW EXCLUSIVE' END);
    records := ordcancel_internal.make_record_tables(orders, key_columns, record_keys, inherit, record_schema);

    INSERT INTO ordcancel.order_table AS t
        VALUES (orders, status, placed_at, policy_by, refund_due, plain_updates, notify_channel, inherit,
                records.cancellation_table, records.event_table, record_keys,
                ordcancel_internal.caller_search_path(), current_setting('TimeZone'), key_columns, NULL, notify_payload,
                refund_scale, NULL)
        ON CONFLICT ON CONSTRAINT order_table_pkey DO UPDATE
        SET status = excluded.status, placed_at = excluded.placed_at, policy_by = excluded.policy_by,
            refund_due = excluded.refund_due, plain_updates = excluded.plain_updates,
            notify_channel = excluded.notify_channel, inherit = excluded.inherit,
            cancellation_table = excluded.cancellation_table, event_table = excluded.event_table,
            key_columns = excluded.key_columns, search_path = excluded.search_path,
            time_zone = excluded.time_zone, primary_key = excluded.primary_key,
            pinned_refund_due = NULL, notify_payload = excluded.notify_payload, refund_scale = excluded.refund_scale,
            refund_due_functions = NULL;
    INSERT INTO ordcancel.policy (orders) VALUES (orders) ON CONFLICT DO NOTHING;
    IF refund_due IS NOT NULL THEN
        UPDATE ordcancel.order_table AS t
        SET pinned_refund_due = ordcancel_internal.pin_expression(attach.orders, attach.refund_due, 'numeric', false),
            refund_due_functions = ordcancel_internal.pin_expression(attach.orders, attach.refund_due, 'numeric', true)
        WHERE t.orders = attach.orders;
    END IF;

    PERFORM ordcancel_internal.make_guards(orders, array_remove(status || key_columns || policy_by, NULL));
    PERFORM ordcancel_internal.guard_partitions(orders);

    IF preset IS NOT NULL THEN
        PERFORM ordcancel_internal.apply_preset(orders, preset);
    END IF;

    -- Orders that are there already: said, not guessed.
    known := ordcancel_internal.as_owner(orders, format(
        'SELECT pg_catalog.string_agg(pg_catalog.format(''"%%s" (%%s)'', s, n), '', '' ORDER BY n DESC, s COLLATE "C")'
        ' FROM (SELECT %1$s AS s, pg_catalog.count(*) AS n FROM %2$s AS o GROUP BY 1) AS c'
        ' WHERE NOT EXISTS (SELECT FROM ordcancel.rule AS r WHERE r.orders = %3$s AND r.status = c.s)'
        '   AND NOT EXISTS (SELECT FROM ordcancel.policy AS p WHERE p.orders = %3$s'
        '                     AND c.s IN (p.requested_status, p.in_progress_status, p.canceled_status,'
        '                                 p.customer_canceled_status))',
        ordcancel_internal.column_text(orders, status), orders, orders::oid));
    IF known IS NOT NULL THEN
        RAISE NOTICE 'orders of % have statuses without a rule: %', orders, left(known, 2000)
            USING HINT = 'Nobody can cancel an order in such a status; see ordcancel.unruled_statuses().';
    END IF;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.attach(regclass, name, name, name, text, boolean, text, boolean, text, integer, name, text) IS 'see attach';

-- Puts an existing order table under rules. The caller owns the table.
--   orders          the table, plain or partitioned, with a primary key
--   status          its column that holds the order's status: text, varchar, enum, int, or a domain
--   placed_at       column that the customer's window counts from: timestamptz, timestamp or date
--   policy_by       column that names the order's own policy, as text
--   refund_due      SQL expression over the order row: what is to be refunded when it is canceled
--   plain_updates   whether a plain UPDATE may cancel within the rules; with
--                   false it may do nothing that would be recorded
--   notify_channel  channel of NOTIFY
--   inherit         whether the record tables inherit from ours
--   preset          name of a preset, see apply_preset
--   refund_scale    digits after the point that money has, 0 to 8: what is due, and each refund, is rounded to it
--   record_schema   schema of the record tables; NULL: that of the order table
--   notify_payload  what NOTIFY tells: full, or id, the event's id alone
-- Called again it replaces what it was told before; policies, rules and
-- records stay. Raises OC014 when the table or a column will not do, 42501 for
-- somebody else's table. Source: design sections 3 and 6.
CREATE FUNCTION ordcancel.attach(
    orders regclass, status name, placed_at name DEFAULT NULL, policy_by name DEFAULT NULL,
    refund_due text DEFAULT NULL, plain_updates boolean DEFAULT true, notify_channel text DEFAULT 'ordcancel',
    inherit boolean DEFAULT true, preset text DEFAULT NULL, refund_scale integer DEFAULT 2,
    record_schema name DEFAULT NULL, notify_payload text DEFAULT 'full') RETURNS void
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_owner_gate';
COMMENT ON FUNCTION ordcancel.attach(regclass, name, name, name, text, boolean, text, boolean, text, integer, name, text) IS 'puts an existing order table under rules';

-- Puts the guard against TRUNCATE on partitions that were added since attach;
-- the other guards PostgreSQL clones by itself. Returns how many it guarded.
CREATE FUNCTION ordcancel.guard_partitions(orders regclass) RETURNS integer
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_owner_gate';
COMMENT ON FUNCTION ordcancel.guard_partitions(regclass) IS 'guards new partitions against TRUNCATE';

CREATE FUNCTION ordcancel_internal.detach(orders regclass) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    registered ordcancel.order_table;
    records regclass;
    parent regclass;
BEGIN
    PERFORM ordcancel_internal.check_attached(orders);
    SELECT * INTO registered FROM ordcancel.order_table AS t WHERE t.orders = detach.orders;
    -- The orders first, as everybody else locks them.
    IF EXISTS (SELECT FROM pg_class WHERE oid = orders) THEN
        EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', orders);
    END IF;

    FOR records, parent IN
        VALUES (registered.cancellation_table, 'ordcancel.cancellation'::regclass),
               (registered.event_table, 'ordcancel.event'::regclass)
    LOOP
        CONTINUE WHEN NOT EXISTS (SELECT FROM pg_class WHERE oid = records);
        PERFORM ordcancel_internal.drop_guards(records, 'guard_record');
        -- DROP EXTENSION … CASCADE would otherwise take the records along.
        IF EXISTS (SELECT FROM pg_inherits WHERE inhrelid = records AND inhparent = parent) THEN
            EXECUTE format('ALTER TABLE %s NO INHERIT %s', records, parent);
        END IF;
        INSERT INTO ordcancel_internal.detached VALUES (records, orders)
            ON CONFLICT ON CONSTRAINT detached_pkey DO UPDATE SET orders = excluded.orders;
    END LOOP;
    IF EXISTS (SELECT FROM pg_class WHERE oid = orders) THEN
        PERFORM ordcancel_internal.drop_guards(orders, 'guard_(update|insert|delete|truncate)');
    END IF;

    PERFORM ordcancel_internal.detach_child(c.child) FROM ordcancel.child AS c WHERE c.orders = detach.orders;
    DELETE FROM ordcancel.block AS c WHERE c.orders = detach.orders;
    DELETE FROM ordcancel.rule AS c WHERE c.orders = detach.orders;
    DELETE FROM ordcancel.policy AS c WHERE c.orders = detach.orders;
    DELETE FROM ordcancel.order_table AS c WHERE c.orders = detach.orders;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.detach(regclass) IS 'see detach';

-- Takes an order table out from under the rules: triggers, policies, rules and
-- blocks go. The record tables stay with their rows, and a later attach takes
-- them up again. Raises OC001, 42501.
CREATE FUNCTION ordcancel.detach(orders regclass) RETURNS void
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_owner_gate';
COMMENT ON FUNCTION ordcancel.detach(regclass) IS 'takes an order table out from under the rules; its records stay';
