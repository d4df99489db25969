-- What the walks through the systems' pages share, beside helpers.sql.

-- What a call answers, or what comes of another statement: 'ok'. Of an error the
-- SQLSTATE, the constraint and the hint. As another role, if one is named.
CREATE FUNCTION answer(statement text, by_role name DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    result text;
BEGIN
    IF by_role IS NOT NULL THEN
        EXECUTE format('SET LOCAL ROLE %I', by_role);
    END IF;
    IF statement ~ '^[a-z_]+\(' THEN
        result := outcome_of(statement,
                             'concat_ws('' '', state, order_status, CASE WHEN NOT changed THEN ''unchanged'' END)',
                             'error', 'hint');
    ELSE
        result := error_of(statement, 'error', 'hint');
    END IF;
    RESET ROLE;
    RETURN result;
END
$$;

-- Who requested and who decided the order's last cancellation.
CREATE FUNCTION decision_of(key text) RETURNS text
    LANGUAGE plpgsql
    AS $$
BEGIN
    RETURN (SELECT concat_ws(' ', state, 'asked', requested_by, requested_actor, 'decided', decided_by, decided_actor,
                             'for ' || reason)
            FROM shop.orders_cancellation WHERE order_key = key ORDER BY cancellation_id DESC LIMIT 1);
END
$$;

-- The order's events, or the newest of them.
CREATE FUNCTION steps_of(key text, newest integer DEFAULT NULL) RETURNS text[]
    LANGUAGE sql
    AS $$ SELECT events_of(key, newest,
                           'concat_ws('' '', type, from_status || ''>'' || to_status, party, actor, data)') $$;
