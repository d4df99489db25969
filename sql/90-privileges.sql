-- Privileges are managed with GRANT alone. PUBLIC's default privileges are
-- revoked; the functions here grant what a kind of role needs. They run as the
-- caller, who needs the grant option, and return what they granted.

-- Lets a role act as a customer: request, withdraw, and see its options. The role
-- also needs SELECT on the order table, possibly restricted by row-level security.
CREATE FUNCTION ordcancel.grant_customer(role regrole) RETURNS text
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    routines CONSTANT name[] := '{request_cancel,request_cancel_items,withdraw_cancel,cancel_options,item_options}';
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE oid = role) OR role IS NULL THEN
        RAISE EXCEPTION 'role "%" does not exist', role USING ERRCODE = 'undefined_object';
    END IF;
    EXECUTE (SELECT string_agg(format('GRANT EXECUTE ON ROUTINE %s TO %s', oid::regprocedure, role), '; ')
             FROM pg_proc WHERE pronamespace = 'ordcancel'::regnamespace AND proname = ANY (routines));
    RETURN format('%s may execute %s', role, array_to_string(routines, ', '));
END
$$;
COMMENT ON FUNCTION ordcancel.grant_customer(regrole) IS
    E'grants a role the functions that a customer needs; returns what it granted\nRaises 42501, 42704.';

-- Lets a role act as a merchant. Does not include override_cancel: grant that to
-- roles that may bypass the rules. Plain updates by the role then count as the
-- merchant's.
CREATE FUNCTION ordcancel.grant_merchant(role regrole) RETURNS text
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    routines CONSTANT name[] := '{cancel_order,cancel_orders,cancel_items,withdraw_cancel,accept_cancel,deny_cancel,'
                                'record_refund,adjust_refund,'
                                'undo_cancel,cancel_options,item_options,overview,health,unruled_statuses,diagram,'
                                'pending_requests,refunds_due,timers,cancellations,reason_summary,daily_summary,'
                                'timeline,'
                                'batch_progress,simulate,cancel_report}';
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE oid = role) OR role IS NULL THEN
        RAISE EXCEPTION 'role "%" does not exist', role USING ERRCODE = 'undefined_object';
    END IF;
    EXECUTE (SELECT string_agg(format('GRANT EXECUTE ON ROUTINE %s TO %s', oid::regprocedure, role), '; ')
             FROM pg_proc WHERE pronamespace = 'ordcancel'::regnamespace AND proname = ANY (routines));
    RETURN format('%s may execute %s', role, array_to_string(routines, ', '));
END
$$;
COMMENT ON FUNCTION ordcancel.grant_merchant(regrole) IS
    E'grants a role the functions that a merchant needs; returns what it granted\nRaises 42501, 42704.';

-- Lets a role read the reports: of the orders that it may SELECT, and of no others.
-- The views need no grant.
CREATE FUNCTION ordcancel.grant_analyst(role regrole) RETURNS text
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    routines CONSTANT name[] := '{overview,health,unruled_statuses,diagram,pending_requests,refunds_due,timers,'
                                'cancellations,reason_summary,daily_summary,timeline,batch_progress,simulate,'
                                'cancel_report}';
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE oid = role) OR role IS NULL THEN
        RAISE EXCEPTION 'role "%" does not exist', role USING ERRCODE = 'undefined_object';
    END IF;
    EXECUTE (SELECT string_agg(format('GRANT EXECUTE ON ROUTINE %s TO %s', oid::regprocedure, role), '; ')
             FROM pg_proc WHERE pronamespace = 'ordcancel'::regnamespace AND proname = ANY (routines));
    RETURN format('%s may execute %s', role, array_to_string(routines, ', '));
END
$$;
COMMENT ON FUNCTION ordcancel.grant_analyst(regrole) IS
    E'grants a role the functions of the reports; returns what it granted\nRaises 42501, 42704.';

-- Lets a role read events with consumers that belong to it.
CREATE FUNCTION ordcancel.grant_consumer(role regrole) RETURNS text
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    routines CONSTANT name[] := '{create_consumer,drop_consumer,next_events,ack,rewind_consumer,skip_event,'
                                'cloud_event}';
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE oid = role) OR role IS NULL THEN
        RAISE EXCEPTION 'role "%" does not exist', role USING ERRCODE = 'undefined_object';
    END IF;
    EXECUTE (SELECT string_agg(format('GRANT EXECUTE ON ROUTINE %s TO %s', oid::regprocedure, role), '; ')
             FROM pg_proc WHERE pronamespace = 'ordcancel'::regnamespace AND proname = ANY (routines));
    -- The view counts as its reader.
    EXECUTE format('GRANT SELECT ON ordcancel.consumers, ordcancel.skipped_events TO %s', role);
    EXECUTE format('GRANT EXECUTE ON FUNCTION ordcancel_internal.consumer_backlog(text) TO %s', role);
    RETURN format('%s may execute %s and read consumers, skipped_events', role, array_to_string(routines, ', '));
END
$$;
COMMENT ON FUNCTION ordcancel.grant_consumer(regrole) IS
    E'grants a role the functions that a reader of events needs; returns what it granted\nRaises 42501, 42704.';

-- Lets a role configure the order tables that it owns, and add partitions to
-- them.
CREATE FUNCTION ordcancel.grant_owner(role regrole) RETURNS text
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    routines CONSTANT name[] := '{attach,detach,replace_table,guard_partitions,make_call_table,attach_child,'
                                'detach_child,attach_items,detach_items,set_policy,drop_policy,set_rule,drop_rule,'
                                'add_block,drop_block,also_set,drop_also_set,apply_preset,overview,health,'
                                'unruled_statuses,export_setup,setup_digest,diagram,pending_requests,refunds_due,'
                                'timers,'
                                'cancellations,reason_summary,daily_summary,timeline,batch_progress,simulate,'
                                'cancel_report}';
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE oid = role) OR role IS NULL THEN
        RAISE EXCEPTION 'role "%" does not exist', role USING ERRCODE = 'undefined_object';
    END IF;
    EXECUTE (SELECT string_agg(format('GRANT EXECUTE ON ROUTINE %s TO %s', oid::regprocedure, role), '; ')
             FROM pg_proc WHERE pronamespace = 'ordcancel'::regnamespace AND proname = ANY (routines));
    -- Adding a partition clones the triggers, which requires EXECUTE on their
    -- functions. Without USAGE on the schema the role cannot name them.
    EXECUTE format('GRANT EXECUTE ON FUNCTION ordcancel_internal.guard_update(), ordcancel_internal.guard_insert(),'
                   ' ordcancel_internal.guard_delete(), ordcancel_internal.guard_child(),'
                   ' ordcancel_internal.guard_item(), ordcancel_internal.run_call(),'
                   ' ordcancel_internal.guard_truncate() TO %s', role);
    RETURN format('%s may execute %s', role, array_to_string(routines, ', '));
END
$$;
COMMENT ON FUNCTION ordcancel.grant_owner(regrole) IS
    E'grants a role the functions that an owner of order tables needs; returns what it granted\nRaises 42501, 42704.';

REVOKE ALL ON ALL ROUTINES IN SCHEMA ordcancel, ordcancel_internal FROM PUBLIC;

-- PostgreSQL calls the functions of a view with the privileges of the role that
-- reads it. These show only what that role may see, and without USAGE on the
-- schema nobody can call them by name.
GRANT EXECUTE ON FUNCTION ordcancel_internal.open_cancellations(regclass, regclass, text),
    ordcancel_internal.any_open_cancellations(regclass, regclass, text), ordcancel_internal.orders_of(oid),
    ordcancel_internal.may_read(oid), ordcancel_internal.may_see(oid, text),
    ordcancel_internal.apart_records(anyelement, boolean), ordcancel_internal.reads_at_once(),
    ordcancel_internal.reads_plainly(oid),
    ordcancel_internal.expiring(regclass, bigint, boolean, boolean),
    ordcancel_internal.days(timestamptz, timestamptz) TO PUBLIC;
