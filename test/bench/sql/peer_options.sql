-- cancel_options by hand, for what peer.sql knows: one query for all that is
-- to be known, and the rest are expressions, which need no executor.
CREATE FUNCTION peer.cancel_options(key bigint)
    RETURNS TABLE (party text, verb text, allowed boolean, outcome text, condition text, detail text, hint text,
                   until timestamptz, refund_due numeric)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    AS $$
DECLARE
    o record;
    live text;
    last text;
    closed boolean;
    late boolean;
    mode text;
    none_open text;
    forbidden text;
BEGIN
    SELECT orders.status, orders.placed_at, c.state, c.requested_by, c.closed_at, c.deadline, p.grace,
           p.canceled_status, p.customer_canceled_status, p.undo, p.undo_window, r.customer,
           coalesce(r.customer_late, r.customer) AS customer_late, r.merchant, r.hint
    INTO o
    FROM peer.orders
        LEFT JOIN LATERAL (SELECT * FROM peer.orders_cancellation AS c WHERE c.order_id = orders.id
                           ORDER BY c.cancellation_id DESC LIMIT 1) AS c ON true
        JOIN peer.policy AS p ON p.orders = 'shop.orders'::regclass AND p.policy = 'default'
        LEFT JOIN peer.rule AS r ON r.orders = p.orders AND r.policy = p.policy AND r.status = orders.status
    WHERE orders.id = key;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'order % does not exist', key USING ERRCODE = 'OC002';
    END IF;
    IF o.state IN ('requested', 'in_progress', 'canceled') THEN
        live := o.state;
        none_open := 'Its cancellation is in state "' || live || '".';
    ELSE
        last := o.state;
        none_open := 'order ' || key || ' of shop.orders has no open cancellation';
    END IF;
    closed := coalesce(live IN ('in_progress', 'canceled'), false)
              OR live IS NULL AND coalesce(o.status IN (o.canceled_status, o.customer_canceled_status), false);
    forbidden := CASE WHEN o.merchant IS NULL THEN 'Policy "default" has no rule for status "' || o.status || '".'
                      ELSE 'The rule of policy "default" for status "' || o.status || '" forbids it.' END;

    party := 'customer';
    verb := 'request_cancel';
    allowed := true;
    IF closed OR live = 'requested' THEN
        outcome := 'already';
    ELSE
        late := coalesce(now() > o.placed_at + o.grace, false);
        mode := coalesce(CASE WHEN late THEN o.customer_late ELSE o.customer END, 'forbid');
        IF NOT late AND o.customer_late <> o.customer THEN
            until := o.placed_at + o.grace;
        END IF;
        IF mode = 'forbid' THEN
            allowed := false;
            outcome := 'refused';
            hint := coalesce(o.hint, CASE WHEN o.merchant IS NULL
                THEN 'Call ordcancel.set_rule() for the status if it should be allowed.'
                ELSE 'Call ordcancel.cancel_options() to see what is allowed.' END);
            IF late AND o.customer <> 'forbid' THEN
                condition := 'grace_period_over';
                detail := 'The customer''s grace period of policy "default" ended at ' || o.placed_at + o.grace || '.';
            ELSE
                condition := 'cancellation_forbidden';
                detail := forbidden;
            END IF;
        ELSE
            outcome := CASE mode WHEN 'cancel' THEN 'canceled' ELSE 'requested' END;
        END IF;
    END IF;
    RETURN NEXT;

    until := NULL; condition := NULL; detail := NULL; hint := NULL;
    verb := 'withdraw_cancel';
    FOREACH party IN ARRAY '{customer,merchant}'::text[] LOOP
        IF party = 'merchant' THEN
            -- The merchant's cancel_order stands between the two.
            verb := 'cancel_order';
            condition := NULL; detail := NULL; hint := NULL; until := NULL;
            allowed := true;
            IF closed THEN
                outcome := 'already';
            ELSIF live = 'requested' THEN
                outcome := 'canceled';
                until := o.deadline;
            ELSIF coalesce(o.merchant, 'forbid') = 'forbid' THEN
                allowed := false;
                outcome := 'refused';
                condition := 'cancellation_forbidden';
                detail := forbidden;
                hint := coalesce(o.hint, CASE WHEN o.merchant IS NULL
                    THEN 'Call ordcancel.set_rule() for the status if it should be allowed.'
                    ELSE 'Call ordcancel.cancel_options() to see what is allowed.' END);
            ELSE
                outcome := CASE o.merchant WHEN 'cancel' THEN 'canceled' ELSE 'requested' END;
            END IF;
            RETURN NEXT;
            verb := 'withdraw_cancel';
            condition := NULL; detail := NULL; hint := NULL; until := NULL;
        END IF;
        IF live IS NULL AND last = 'withdrawn' THEN
            allowed := true;
            outcome := 'already';
        ELSIF live = 'requested' AND o.requested_by = party THEN
            allowed := true;
            outcome := 'withdrawn';
            until := o.deadline;
        ELSE
            allowed := false;
            outcome := 'refused';
            IF live = 'requested' THEN
                condition := 'cancellation_forbidden';
                detail := 'The ' || o.requested_by || ' made the request.';
                hint := CASE party WHEN 'merchant' THEN 'Call ordcancel.deny_cancel().' END;
            ELSE
                condition := 'no_open_cancellation';
                detail := none_open;
            END IF;
        END IF;
        RETURN NEXT;
    END LOOP;

    party := 'merchant';
    verb := 'accept_cancel';
    condition := NULL; detail := NULL; hint := NULL; until := NULL;
    IF live IS NULL THEN
        allowed := false;
        outcome := 'refused';
        condition := 'no_open_cancellation';
        detail := none_open;
    ELSE
        allowed := true;
        outcome := CASE live WHEN 'requested' THEN 'canceled' ELSE 'already' END;
    END IF;
    RETURN NEXT;

    verb := 'deny_cancel';
    condition := NULL; detail := NULL;
    IF live IS NULL AND last = 'denied' THEN
        allowed := true;
        outcome := 'already';
    ELSIF live = 'requested' AND o.requested_by <> 'merchant' THEN
        allowed := true;
        outcome := 'denied';
    ELSE
        allowed := false;
        outcome := 'refused';
        IF live = 'requested' THEN
            condition := 'cancellation_forbidden';
            detail := 'The merchant made the request.';
            hint := 'Call ordcancel.withdraw_cancel().';
        ELSE
            condition := 'no_open_cancellation';
            detail := none_open;
        END IF;
    END IF;
    RETURN NEXT;

    verb := 'record_refund';
    hint := NULL;
    allowed := coalesce(live = 'in_progress', false);
    outcome := CASE WHEN allowed THEN 'in_progress' ELSE 'refused' END;
    condition := CASE WHEN NOT allowed THEN 'no_open_cancellation' END;
    detail := CASE WHEN NOT allowed THEN none_open END;
    hint := CASE live WHEN 'canceled'
        THEN 'If a refund has failed, pass a negative amount; if more is due, call ordcancel.adjust_refund()'
             ' first.' END;
    RETURN NEXT;

    verb := 'adjust_refund';
    hint := NULL;
    allowed := coalesce(live IN ('in_progress', 'canceled'), false);
    outcome := CASE WHEN allowed THEN 'in_progress' ELSE 'refused' END;
    condition := CASE WHEN NOT allowed THEN 'no_open_cancellation' END;
    detail := CASE WHEN NOT allowed THEN none_open END;
    RETURN NEXT;

    verb := 'undo_cancel';
    condition := NULL; detail := NULL;
    allowed := true;
    IF live IS NULL THEN
        IF last IN ('undone', 'withdrawn') AND NOT closed THEN
            outcome := 'already';
        ELSE
            allowed := false;
            outcome := 'refused';
            condition := 'undo_not_allowed';
            detail := 'The order has no live cancellation.';
        END IF;
    ELSIF array_position('{never,requested,in_progress,canceled}', o.undo)
          < array_position('{never,requested,in_progress,canceled}', live) THEN
        allowed := false;
        outcome := 'refused';
        condition := 'undo_not_allowed';
        detail := 'Policy "default" does not allow undoing a cancellation in state "' || live || '".';
    ELSIF now() > o.closed_at + o.undo_window THEN
        allowed := false;
        outcome := 'refused';
        condition := 'undo_not_allowed';
        detail := 'Policy "default" allowed it until ' || o.closed_at + o.undo_window || '.';
    ELSE
        outcome := CASE WHEN live <> 'requested' THEN 'undone' WHEN o.requested_by = 'merchant' THEN 'withdrawn'
            ELSE 'denied' END;
        until := o.closed_at + o.undo_window;
    END IF;
    RETURN NEXT;

    verb := 'override_cancel';
    allowed := true;
    outcome := CASE WHEN closed THEN 'already' ELSE 'canceled' END;
    condition := NULL; detail := NULL; until := NULL;
    RETURN NEXT;
END
$$;
