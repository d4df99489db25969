-- GRANT is the whole model: what PUBLIC gets by default is taken back, and the
-- two short forms give what a party needs. They run as the caller, who has to
-- hold the privileges with grant option.

-- Lets a role act as a customer: ask, withdraw, and look at its options. It
-- also needs SELECT on the order table, which row-level security may narrow.
CREATE FUNCTION ordcancel.grant_customer(role name) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    EXECUTE (SELECT string_agg(format('GRANT EXECUTE ON ROUTINE %s TO %I', oid::regprocedure, role), '; ')
             FROM pg_proc
             WHERE pronamespace = 'ordcancel'::regnamespace
               AND proname IN ('request_cancel', 'withdraw_cancel', 'cancel_options'));
END
$$;
COMMENT ON FUNCTION ordcancel.grant_customer(name) IS 'grants a role what a customer needs';

-- Lets a role act as a merchant. override_cancel is not among it: grant that
-- to those who may pass the rules by. Plain updates of the role count as the
-- merchant's from then on.
CREATE FUNCTION ordcancel.grant_merchant(role name) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    EXECUTE (SELECT string_agg(format('GRANT EXECUTE ON ROUTINE %s TO %I', oid::regprocedure, role), '; ')
             FROM pg_proc
             WHERE pronamespace = 'ordcancel'::regnamespace
               AND proname IN ('cancel_order', 'cancel_orders', 'withdraw_cancel', 'accept_cancel', 'deny_cancel', 'record_refund',
                               'undo_cancel', 'cancel_options', 'unruled_statuses', 'diagram'));
END
$$;
COMMENT ON FUNCTION ordcancel.grant_merchant(name) IS 'grants a role what a merchant needs';

REVOKE ALL ON ALL ROUTINES IN SCHEMA ordcancel, ordcancel_internal FROM PUBLIC;
