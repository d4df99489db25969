-- What the walks through the systems' pages share. The functions speak of the
-- table shop.orders and its records.

-- What a call answers: the cancellation's state and the order's status, or the
-- SQLSTATE and the hint. As another role, if one is named.
CREATE FUNCTION answer(call text, by_role name DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    o ordcancel.outcome;
    hint text;
BEGIN
    IF by_role IS NOT NULL THEN
        EXECUTE format('SET LOCAL ROLE %I', by_role);
    END IF;
    EXECUTE 'SELECT * FROM ordcancel.' || call INTO STRICT o;
    RESET ROLE;
    RETURN concat_ws(' ', o.state, o.order_status, CASE WHEN NOT o.changed THEN 'unchanged' END);
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(': ', SQLSTATE, nullif(hint, ''));
END
$$;

CREATE FUNCTION status_of(key text) RETURNS text
    LANGUAGE plpgsql
    AS $$
BEGIN
    RETURN (SELECT status FROM shop.orders WHERE id::text = key);
END
$$;

-- Who asked and who decided, of the order's last cancellation.
CREATE FUNCTION record_of(key text) RETURNS text
    LANGUAGE plpgsql
    AS $$
BEGIN
    RETURN (SELECT concat_ws(' ', state, 'asked', requested_by, requested_actor, 'decided', decided_by, decided_actor,
                             'for ' || reason)
            FROM shop.orders_cancellation WHERE order_key = key ORDER BY cancellation_id DESC LIMIT 1);
END
$$;

-- The order's events, or the last of them.
CREATE FUNCTION events_of(key text, count integer DEFAULT 99) RETURNS text[]
    LANGUAGE plpgsql
    AS $$
BEGIN
    RETURN (SELECT array_agg(concat_ws(' ', type, from_status || '>' || to_status, party, actor, data)
                             ORDER BY event_id)
            FROM (SELECT * FROM shop.orders_cancellation_event WHERE order_key = key ORDER BY event_id DESC
                  LIMIT count) AS e);
END
$$;
