-- citus_cancel_orders: an array of orders in many shards

-- Cancels orders of a distributed table that are in several shards: as
-- cancel_orders() with on_error => skip, by one row in the table of calls for each
-- shard. All are canceled in one transaction.
--   orders     the attached order table, which Citus distributes
--   order_ids  keys of the orders, as text
--   reason, note, actor, metadata  as for cancel_orders()
-- Returns the rows of cancel_orders(), in the order of the array. The caller needs
-- INSERT and SELECT on the table of calls, and EXECUTE on cancel_orders() on the
-- nodes. Raises OC001, 0A000, 22004 and what a key of a wrong form raises.
CREATE FUNCTION ordcancel.citus_cancel_orders(
    orders regclass, order_ids text[], reason text DEFAULT NULL, note text DEFAULT NULL, actor text DEFAULT NULL,
    metadata jsonb DEFAULT NULL)
    RETURNS TABLE (order_id text, outcome text, cancellation_id bigint, sqlstate text, message text)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    t ordcancel.order_table;
    key_type text;
    shard text;
    calls text;
    numbers jsonb;
BEGIN
    SELECT * INTO t FROM ordcancel.order_table AS o WHERE o.orders = citus_cancel_orders.orders;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'table % is not attached to ordcancel', coalesce(orders::text, 'NULL') USING ERRCODE = 'OC001';
    ELSIF t.call_table IS NULL OR cardinality(t.primary_key) <> 1 OR to_regclass('pg_dist_partition') IS NULL THEN
        RAISE EXCEPTION 'cannot send calls for orders of % to shards', orders
            USING ERRCODE = 'feature_not_supported',
                  DETAIL = 'It must be distributed by Citus, and have a table of calls and a key of one column.';
    ELSIF array_position(order_ids, NULL) IS NOT NULL THEN
        RAISE EXCEPTION 'order_ids must not contain null values' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    SELECT format_type(a.atttypid, a.atttypmod) INTO key_type
    FROM pg_attribute AS a WHERE a.attrelid = t.orders AND a.attname = t.primary_key[1];
    -- A table with a single shard has no column to distribute by.
    EXECUTE 'SELECT CASE WHEN partmethod = ''h'' THEN ''get_shard_id_for_distribution_column($1, i.id::'
            ' ' || key_type || ')'' ELSE ''0'' END FROM pg_dist_partition WHERE logicalrelid = $1'
        INTO shard USING orders;
    IF shard IS NULL THEN
        RAISE EXCEPTION 'table % is not distributed by Citus', orders
            USING ERRCODE = 'feature_not_supported', HINT = 'Call ordcancel.cancel_orders().';
    END IF;
    EXECUTE format(
        'SELECT string_agg(format(''(%%L::%1$s, ''''cancel_orders'''', %%L::text[], $1, $2, $3, $4)'','
        '                         s.ids[1], s.ids), '', '' ORDER BY s.shard),'
        ' jsonb_object_agg(s.ids[1]::%1$s::text, s.numbers)'
        ' FROM (SELECT %2$s AS shard, array_agg(i.id ORDER BY i.n) AS ids, array_agg(i.n ORDER BY i.n) AS numbers'
        '       FROM unnest($2) WITH ORDINALITY AS i (id, n) GROUP BY 1) AS s', key_type, shard)
        INTO calls, numbers USING orders, order_ids;
    IF calls IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY EXECUTE format(
        'WITH done AS (INSERT INTO %s (%I, verb, order_ids, reason, note, actor, metadata) VALUES %s'
        '              RETURNING %2$I::text AS first, results)'
        ' SELECT r ->> ''order_id'', r ->> ''outcome'', (r ->> ''cancellation_id'')::bigint, r ->> ''sqlstate'','
        '        r ->> ''message'''
        ' FROM done, jsonb_array_elements(results) WITH ORDINALITY AS e (r, n)'
        ' ORDER BY ($5 -> first ->> (e.n - 1)::integer)::bigint',
        t.call_table::regclass, t.call_table_keys[1], calls)
        USING reason, note, coalesce(actor, nullif(current_setting('ordcancel.actor', true), '')), metadata, numbers;
END
$$;
COMMENT ON FUNCTION ordcancel.citus_cancel_orders(regclass, text[], text, text, text, jsonb) IS
    E'cancels orders in several shards of Citus, as cancel_orders() does in one\nRaises OC001, 0A000, 22004, 42501.';
