-- What the walks through Spryker's and VTEX's pages share. They speak of the
-- table "orders" in the schema of the search_path.

CREATE ROLE walk_shopper;
CREATE ROLE walk_clerk;
SELECT ordcancel.grant_customer('walk_shopper');
SELECT ordcancel.grant_merchant('walk_clerk');

-- What comes of a call or a statement of that role. Of a call: the state of the
-- cancellation and the status of the order, "as it was" when that changed
-- nothing. Of a statement: "done". Of an error: the SQLSTATE, the constraint
-- and the hint.
CREATE FUNCTION comes_of(role name, statement text) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    o ordcancel.outcome;
    state text;
    constraint_name text;
    hint text;
BEGIN
    EXECUTE format('SET LOCAL ROLE %I', role);
    IF statement ~ '^[a-z_]+\(' THEN
        EXECUTE 'SELECT * FROM ordcancel.' || statement INTO STRICT o;
    ELSE
        EXECUTE statement;
    END IF;
    RESET ROLE;
    RETURN CASE WHEN o IS DISTINCT FROM NULL
                THEN concat_ws(', ', o.state, 'order ' || o.order_status, CASE WHEN NOT o.changed THEN 'as it was' END)
                ELSE 'done' END;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, constraint_name = CONSTRAINT_NAME, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' ', state, nullif(constraint_name, ''), nullif(hint, ''));
END
$$;
CREATE FUNCTION customer(statement text) RETURNS text LANGUAGE sql AS $$SELECT comes_of('walk_shopper', statement)$$;
CREATE FUNCTION merchant(statement text) RETURNS text LANGUAGE sql AS $$SELECT comes_of('walk_clerk', statement)$$;

-- The button that a page shows for it.
CREATE FUNCTION button(party text, verb text, order_id integer) RETURNS text
    LANGUAGE plpgsql
    AS $$
BEGIN
    RETURN (SELECT CASE WHEN o.allowed THEN concat_ws(' until ', o.outcome, to_char(o.until, 'MM-DD HH24:MI'))
                        ELSE 'none: ' || o.condition END
            FROM ordcancel.cancel_options('orders', order_id) AS o
            WHERE (o.party, o.verb) = (button.party, button.verb));
END
$$;

-- The events of an order; everything that was told of the orders of a schema.
CREATE FUNCTION events_of(id integer) RETURNS text
    LANGUAGE plpgsql
    AS $$
BEGIN
    RETURN coalesce((SELECT string_agg(concat_ws(' ', e.type, e.from_status || '>' || e.to_status, e.party, e.reason,
                                                 e.data), ' / '
                                       ORDER BY e.event_id)
                     FROM orders_cancellation_event AS e WHERE e.order_id = id), 'none');
END
$$;
CREATE FUNCTION told(shop text) RETURNS TABLE (event text)
    LANGUAGE plpgsql
    AS $$
BEGIN
    RETURN QUERY EXECUTE format(
        'SELECT concat_ws('' '', order_id, type, from_status, to_status, state, party, actor, reason, data, source, at)'
        ' FROM %I.orders_cancellation_event ORDER BY event_id', shop);
END
$$;

CREATE FUNCTION status_of(order_id integer) RETURNS text
    LANGUAGE plpgsql
    AS $$
BEGIN
    RETURN (SELECT o.status FROM orders AS o WHERE o.id = order_id);
END
$$;
