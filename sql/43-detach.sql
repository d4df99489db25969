-- guard_partitions and detach

-- Adds the guard against TRUNCATE to partitions that were added after attach() or
-- attach_items(), to the order table or to its items; PostgreSQL clones the other
-- guards automatically. Returns the number of partitions to which it was added.
CREATE FUNCTION ordcancel.guard_partitions(orders regclass) RETURNS integer
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_owner_gate';
COMMENT ON FUNCTION ordcancel.guard_partitions(regclass) IS
    E'guards partitions that were added since attach() against TRUNCATE; returns how many\nRaises OC001, 0A000, 42501.';

CREATE FUNCTION ordcancel_internal.detach(orders regclass) RETURNS text
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    registered ordcancel.order_table;
    records regclass;
    parent regclass;
    told text;
BEGIN
    PERFORM ordcancel_internal.check_attached(orders);
    IF ordcancel_internal.is_distributed(orders) THEN
        PERFORM ordcancel_internal.citus_begin();
    END IF;
    PERFORM ordcancel_internal.hold_archives(orders);
    SELECT * INTO registered FROM ordcancel.order_table AS t WHERE t.orders = detach.orders;
    -- Lock the order table first, in the same order as all other functions.
    IF EXISTS (SELECT FROM pg_class WHERE oid = orders) THEN
        EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', orders);
    END IF;

    FOR records, parent IN
        SELECT c.oid, r.parent
        FROM ordcancel_internal.record_table AS r JOIN pg_class AS c ON c.oid = r.records
        WHERE r.orders = detach.orders
    LOOP
        PERFORM ordcancel_internal.drop_guards(records, 'guard_record|event_arrived');
        PERFORM ordcancel_internal.drop_guards(a.archive, 'guard_record')
        FROM ordcancel_internal.archives(records) AS a;
        -- DROP EXTENSION ... CASCADE would otherwise drop the records.
        IF EXISTS (SELECT FROM pg_inherits WHERE inhrelid = records AND inhparent = parent) THEN
            EXECUTE format('ALTER TABLE %s NO INHERIT %s', records, parent);
        END IF;
        INSERT INTO ordcancel_internal.detached VALUES (records, orders)
            ON CONFLICT ON CONSTRAINT detached_pkey DO UPDATE SET orders = excluded.orders;
    END LOOP;
    IF EXISTS (SELECT FROM pg_class WHERE oid = orders) THEN
        PERFORM ordcancel_internal.drop_guards(orders, 'guard_(update|insert|delete|truncate)');
    END IF;
    -- Without its trigger, NOT NULL of called_at refuses calls.
    IF EXISTS (SELECT FROM pg_class WHERE oid = registered.call_table) THEN
        PERFORM ordcancel_internal.drop_guards(registered.call_table, 'run_call');
    END IF;

    SELECT format('%s: detached; policies dropped: %s, rules: %s, blocks: %s; the records stay in %s%s',
                  ordcancel_internal.label(orders),
                  (SELECT count(*) FROM ordcancel.policy AS c WHERE c.orders = detach.orders),
                  (SELECT count(*) FROM ordcancel.rule AS c WHERE c.orders = detach.orders),
                  (SELECT count(*) FROM ordcancel.block AS c WHERE c.orders = detach.orders),
                  ordcancel_internal.label(registered.cancellation_table),
                  ', the calls in ' || (SELECT ordcancel_internal.label(c.oid) FROM pg_class AS c
                                        WHERE c.oid = registered.call_table))
    INTO told;
    PERFORM ordcancel_internal.forget_child(c.child, orders, NULL)
    FROM (SELECT DISTINCT t.child::oid FROM ordcancel.child AS t WHERE t.orders = detach.orders) AS c (child);
    PERFORM ordcancel_internal.forget_items(i.items) FROM ordcancel.item_table AS i WHERE i.orders = detach.orders;
    DELETE FROM ordcancel.block AS c WHERE c.orders = detach.orders;
    DELETE FROM ordcancel.also_set AS c WHERE c.orders = detach.orders;
    DELETE FROM ordcancel.rule AS c WHERE c.orders = detach.orders;
    DELETE FROM ordcancel.policy AS c WHERE c.orders = detach.orders;
    DELETE FROM ordcancel.policy_change AS c WHERE c.orders = detach.orders;
    DELETE FROM ordcancel.order_table AS c WHERE c.orders = detach.orders;
    PERFORM ordcancel_internal.citus_follow(orders);
    RETURN told;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.detach(regclass) IS 'implements ordcancel.detach()';

-- Removes an order table from ordcancel: drops its triggers, policies, rules and
-- blocks, with the log of their changes; use export_setup() first to save them. The record tables are kept, and
-- a later attach() reuses them. Returns what it did. Raises OC001, 42501.
CREATE FUNCTION ordcancel.detach(orders regclass) RETURNS text
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_owner_gate';
COMMENT ON FUNCTION ordcancel.detach(regclass) IS
    E'ends the rules for an order table; its records are kept\nRaises OC001, 0A000, 42501.';
