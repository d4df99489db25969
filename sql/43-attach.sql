-- attach

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
    PERFORM ordcancel_internal.hold_archives(orders);
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
    IF NOT FOUND THEN -- see skip_dropped_tables()
        PERFORM ordcancel_internal.invalid(
            format('%s cannot be attached', ordcancel_internal.label(orders)),
            'One of its record tables was given to another role or dropped meanwhile.', 'Attach it again.');
    END IF;
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
