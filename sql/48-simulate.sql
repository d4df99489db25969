-- What another policy would have decided

-- Decides the attempts on record since then, or all of them, under a policy that
-- exists, and counts the answers; the rows are in no order.
CREATE FUNCTION ordcancel_internal.decide_attempts(orders regclass, policy text, since timestamptz)
    RETURNS TABLE (was text, would_be text, attempts bigint, examples text[])
    LANGUAGE c STABLE ROWS 10
    AS 'MODULE_PATHNAME', 'ordcancel_simulate';
COMMENT ON FUNCTION ordcancel_internal.decide_attempts(regclass, text, timestamptz) IS
    'decides past attempts of an order table again, under a policy, and counts the answers';

CREATE FUNCTION ordcancel_internal.simulate(orders regclass, policy text, since timestamptz)
    RETURNS TABLE (was text, would_be text, attempts bigint, examples text[])
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM ordcancel.policy AS t
                   WHERE t.orders = simulate.orders AND t.policy = simulate.policy) THEN
        PERFORM ordcancel_internal.no_policy(orders, policy);
    END IF;
    PERFORM ordcancel_internal.check_records(orders);
    RETURN QUERY
        SELECT d.was, d.would_be, d.attempts, d.examples
        FROM ordcancel_internal.decide_attempts(orders, policy, since) AS d
        ORDER BY d.attempts DESC, d.was, d.would_be;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.simulate(regclass, text, timestamptz) IS 'implements ordcancel.simulate()';

-- What a policy would have decided about the attempts to cancel that are on
-- record since then, or all of them. Nothing is changed. To try a change of
-- rules, make a policy that no order is under, as a copy of the present one, with
-- set_policy(policy => 'draft'), and change that.
--   was       what the attempt led to at once: requested, in_progress or canceled
--   would_be  what the policy would have made of it: the same, or the condition
--             with which it would have been refused, such as grace_period_over
--   attempts  number of attempts
--   examples  up to five order ids of them, newest first
-- An attempt is a cancellation that a customer or a merchant began; those of the
-- system are left out, and so are attempts that were refused, which are not on
-- record. Each is decided by the status that the order had before it, the time
-- at which it was made, whether a reason was given, and whether a refund was due
-- according to its record; the attempts of override_cancel() as that function
-- would. placed_at is read from the order as it is now; an order that is gone
-- counts as within the window, as one without placed_at does. A request that was
-- not accepted has no refund_due on record, and counts as without. Blocks and
-- items, which are of the order as it is now, are left out. Raises
-- OC001, OC014, 42501.
CREATE FUNCTION ordcancel.simulate(
    orders regclass, policy text DEFAULT 'default', since timestamptz DEFAULT NULL)
    RETURNS TABLE (was text, would_be text, attempts bigint, examples text[])
    LANGUAGE c STABLE ROWS 10
    AS 'MODULE_PATHNAME', 'ordcancel_row_reader_gate';
COMMENT ON FUNCTION ordcancel.simulate(regclass, text, timestamptz) IS
    E'shows what a policy would have decided about the attempts to cancel that are on record\n'
    'Raises OC001, OC014, 42501.';
