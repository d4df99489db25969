-- Dropping a table removes its configuration. Its record tables are kept: they
-- are an audit trail, and only superusers may drop them.

CREATE FUNCTION ordcancel_internal.is_record_table(rel oid) RETURNS boolean
    LANGUAGE c STRICT
    AS 'MODULE_PATHNAME', 'ordcancel_is_record_table';
COMMENT ON FUNCTION ordcancel_internal.is_record_table(oid) IS
    'returns whether a table is or was a record table, as committed by now';

CREATE FUNCTION ordcancel_internal.forget_dropped() RETURNS event_trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    dropped oid[] := ARRAY(SELECT objid FROM pg_event_trigger_dropped_objects()
                           WHERE classid = 'pg_class'::regclass AND objsubid = 0 AND object_type = 'table');
    records text;
    gone oid;
    child regclass;
BEGIN
    IF dropped = '{}' THEN
        RETURN;
    END IF;
    -- PostgreSQL lets the owner of a schema drop other roles' tables in it.
    -- is_superuser refers to the caller, not to the owner of this function.
    IF tg_tag = 'DROP TABLE' AND NOT current_setting('is_superuser')::boolean THEN
        SELECT min(o.object_identity) INTO records
        FROM pg_event_trigger_dropped_objects() AS o
        WHERE o.classid = 'pg_class'::regclass AND o.objsubid = 0
          AND ordcancel_internal.is_record_table(o.objid);
        IF records IS NOT NULL THEN
            RAISE EXCEPTION 'cannot drop record table %', records
                USING ERRCODE = 'insufficient_privilege', DETAIL = 'It belongs to the owner of extension "ordcancel".',
                      HINT = 'A superuser can drop it; dropping the whole schema drops it, too.';
        END IF;
    END IF;
    DELETE FROM ordcancel_internal.detached AS d WHERE d.records = ANY (dropped);
    PERFORM ordcancel_internal.hold_archives(t.orders::regclass)
    FROM ordcancel.order_table AS t WHERE t.call_table = ANY (dropped) AND t.orders <> ALL (dropped);
    UPDATE ordcancel.order_table AS t SET call_table = NULL, call_table_keys = NULL WHERE t.call_table = ANY (dropped);
    DELETE FROM ordcancel.child AS c WHERE c.child = ANY (dropped);
    FOR gone IN SELECT i.orders::oid FROM ordcancel.item_table AS i WHERE i.items = ANY (dropped) LOOP
        IF gone <> ALL (dropped) THEN
            RAISE NOTICE 'items of order table % can no longer be canceled', ordcancel_internal.label(gone);
        END IF;
        DELETE FROM ordcancel.item_table AS i WHERE i.orders = gone;
    END LOOP;
    FOR gone IN SELECT t.orders::oid FROM ordcancel.order_table AS t WHERE t.orders = ANY (dropped) LOOP
        RAISE NOTICE 'drop cascades to the rules of order table %',
            (SELECT o.object_identity FROM pg_event_trigger_dropped_objects() AS o
             WHERE o.classid = 'pg_class'::regclass AND o.objid = gone AND o.objsubid = 0)
            USING HINT = 'A table that replaces it has no rules until ordcancel.attach() is called for it.';
        INSERT INTO ordcancel_internal.detached
        SELECT r.records::regclass, gone
        FROM ordcancel_internal.record_table AS r JOIN pg_class AS c ON c.oid = r.records
        WHERE r.orders = gone AND r.records <> ALL (dropped)
        ON CONFLICT ON CONSTRAINT detached_pkey DO UPDATE SET orders = excluded.orders;
        FOR child IN SELECT DISTINCT c.child::oid FROM ordcancel.child AS c WHERE c.orders = gone LOOP
            PERFORM ordcancel_internal.forget_child(child, gone, NULL);
        END LOOP;
        PERFORM ordcancel_internal.forget_items(i.items) FROM ordcancel.item_table AS i WHERE i.orders = gone;
        DELETE FROM ordcancel.block AS t WHERE t.orders = gone;
        DELETE FROM ordcancel.also_set AS t WHERE t.orders = gone;
        DELETE FROM ordcancel.rule AS t WHERE t.orders = gone;
        DELETE FROM ordcancel.policy AS t WHERE t.orders = gone;
        DELETE FROM ordcancel.policy_change AS t WHERE t.orders = gone;
        DELETE FROM ordcancel.order_table AS t WHERE t.orders = gone;
    END LOOP;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.forget_dropped() IS
    'event trigger: deletes the configuration of dropped tables, and refuses to drop record tables';

CREATE EVENT TRIGGER ordcancel_forget_dropped ON sql_drop
    EXECUTE FUNCTION ordcancel_internal.forget_dropped();
COMMENT ON EVENT TRIGGER ordcancel_forget_dropped IS
    'deletes the configuration of dropped tables, and refuses to drop record tables';
