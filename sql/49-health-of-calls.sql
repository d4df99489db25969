-- Problems of tables of calls

CREATE FUNCTION ordcancel_internal.health_of_calls(t ordcancel.order_table) RETURNS SETOF ordcancel.problem
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT t.orders::regclass, 'call_table_missing', 'Its table of calls is missing.',
       format('SELECT ordcancel.make_call_table(%L) creates a new one.', ordcancel_internal.label(t.orders))
WHERE t.call_table IS NOT NULL AND NOT EXISTS (SELECT FROM pg_class WHERE oid = t.call_table)
UNION ALL
SELECT t.orders::regclass, 'call_trigger_missing',
       format('Trigger "ordcancel_run_call" of %s is missing or does not always fire.',
              ordcancel_internal.label(c.oid)),
       format('SELECT ordcancel.make_call_table(%L) creates it again.', ordcancel_internal.label(t.orders))
FROM pg_class AS c WHERE c.oid = t.call_table AND NOT ordcancel_internal.calls_are_made(c.oid)
UNION ALL
SELECT t.orders::regclass, 'call_table_unusable',
       format('Table of calls %s: %s', ordcancel_internal.label(c.oid), f.fault),
       'ALTER TABLE it, or drop it and call ordcancel.make_call_table() again.'
FROM pg_class AS c,
    ordcancel_internal.call_table_fault(t.orders, c.oid, t.primary_key, t.call_table_keys) AS f (fault)
WHERE c.oid = t.call_table AND f.fault IS NOT NULL
$$;
COMMENT ON FUNCTION ordcancel_internal.health_of_calls(ordcancel.order_table) IS
    'lists what a table of calls lacks';
