-- What the tests of parts of orders share, beside helpers.sql.

-- The units of an order's items: "1: 2 of 5, 2: 0 of 1", the canceled ones of
-- the ordered ones.
CREATE FUNCTION units_of(order_id integer, items text DEFAULT 'shop.items') RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    units text;
BEGIN
    EXECUTE format('SELECT string_agg(format(''%%s: %%s of %%s'', id, canceled, quantity), '', '' ORDER BY id)'
                   ' FROM %s WHERE order_id = $1', items) INTO units USING order_id;
    RETURN units;
END
$$;

-- What the items of a cancellation are on record, or of the order's last one:
-- "1 x 2 due 10.00 reason note".
CREATE FUNCTION items_on_record(order_id integer, orders text DEFAULT 'shop.orders',
                                cancellation_id bigint DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    units text;
BEGIN
    EXECUTE format('SELECT string_agg(concat_ws('' '', item_key, ''x'', quantity, ''due '' || trim_scale(refund_due),
    reason, note),'
                   ' '', '' ORDER BY item_key) FROM %1$s_cancellation_item WHERE cancellation_id = coalesce($2,'
                   ' (SELECT max(c.cancellation_id) FROM %1$s_cancellation AS c WHERE c.order_key = $1::text))', orders)
        INTO units USING order_id, cancellation_id;
    RETURN units;
END
$$;

-- The cancellations of an order: "items canceled 10.00/10.00, order requested".
CREATE FUNCTION parts_of(order_id integer, orders text DEFAULT 'shop.orders') RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    parts text;
BEGIN
    EXECUTE format('SELECT string_agg(concat_ws('' '', scope, state, trim_scale(refund_due) || ''/'' ||
    trim_scale(coalesce(refunded, 0))),'
                   ' '', '' ORDER BY cancellation_id) FROM %s_cancellation WHERE order_key = $1::text', orders)
        INTO parts USING order_id;
    RETURN parts;
END
$$;

-- What a call answers: state, status of the order, what is due; or the error.
CREATE FUNCTION answer_of(call text) RETURNS text
    LANGUAGE sql
    AS $$
SELECT outcome_of(call, 'concat_ws('' '', state, order_status, ''due '' || trim_scale(refund_due),'
                        ' CASE WHEN NOT changed THEN ''unchanged'' END)') $$;

-- The same as the given role.
CREATE FUNCTION answer_as(role name, call text) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    result text;
BEGIN
    EXECUTE format('SET LOCAL ROLE %I', role);
    result := answer_of(call);
    RESET ROLE;
    RETURN result;
END
$$;

-- The number of an order's newest cancellation, or of the n-th.
CREATE FUNCTION cancellation_of(order_id integer, n integer DEFAULT NULL, orders text DEFAULT 'shop.orders')
    RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
    ids bigint[];
BEGIN
    EXECUTE format('SELECT array_agg(cancellation_id ORDER BY cancellation_id) FROM %s_cancellation'
                   ' WHERE order_key = $1::text', orders) INTO ids USING order_id;
    RETURN ids[coalesce(n, cardinality(ids))];
END
$$;
