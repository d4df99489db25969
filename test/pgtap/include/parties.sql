-- What the walks through Spryker's and VTEX's pages share, beside walk.sql: its
-- parties. The table is "orders" in the schema of the search_path.
\ir helpers.sql
\ir walk.sql

CREATE ROLE walk_shopper;
CREATE ROLE walk_clerk;
SELECT ordcancel.grant_customer('walk_shopper');
SELECT ordcancel.grant_merchant('walk_clerk');

CREATE FUNCTION customer(statement text) RETURNS text LANGUAGE sql AS $$SELECT answer(statement, 'walk_shopper')$$;
CREATE FUNCTION merchant(statement text) RETURNS text LANGUAGE sql AS $$SELECT answer(statement, 'walk_clerk')$$;

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
CREATE FUNCTION story_of(id integer) RETURNS text
    LANGUAGE sql
    AS $$
SELECT coalesce(array_to_string(events_of(id, NULL, 'concat_ws('' '', type, from_status || ''>'' || to_status, party,'
                                                    ' reason, data)', 'orders'), ' / '), 'none')
$$;
CREATE FUNCTION all_events(shop text) RETURNS TABLE (event text)
    LANGUAGE plpgsql
    AS $$
BEGIN
    RETURN QUERY EXECUTE format(
        'SELECT concat_ws('' '', order_id, type, from_status, to_status, state, party, actor, reason, data, source, at)'
        ' FROM %I.orders_cancellation_event ORDER BY event_id', shop);
END
$$;
