-- Problems of the child tables of an order table

-- The call of attach_child() that sets a guard again, with these texts for the
-- arguments that the guard has.
CREATE FUNCTION ordcancel_internal.child_call(c ordcancel.child, key text, refuse_when text, key_expression text)
    RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT format('ordcancel.attach_child(%s)',
              concat_ws(', ', quote_literal(ordcancel_internal.label(c.child)),
                        quote_literal(ordcancel_internal.label(c.orders)),
                        CASE WHEN c.key_columns IS NOT NULL THEN 'key => ' || key END,
                        CASE WHEN ordcancel_internal.refused_states(c) <> '{requested,in_progress,canceled}'
                             THEN format('refuse_while => %L', ordcancel_internal.refused_states(c)) END,
                        CASE WHEN c.refuse_when IS NOT NULL THEN 'refuse_when => ' || refuse_when END,
                        CASE WHEN c.key_expression IS NOT NULL THEN 'key_expression => ' || key_expression END,
                        CASE WHEN c.name <> 'default' THEN format('name => %L', c.name) END))
$$;
COMMENT ON FUNCTION ordcancel_internal.child_call(ordcancel.child, text, text, text) IS
    'returns a call that sets a guard of a child table again';

CREATE FUNCTION ordcancel_internal.child_call(c ordcancel.child) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT ordcancel_internal.child_call(c, quote_literal(c.key_columns), quote_literal(c.refuse_when),
                                     quote_literal(c.key_expression))
$$;
COMMENT ON FUNCTION ordcancel_internal.child_call(ordcancel.child) IS
    'returns the call that has set a guard of a child table';

-- Whether a guard can be used; no row if so.
CREATE FUNCTION ordcancel_internal.health_of_child(c ordcancel.child) RETURNS SETOF ordcancel.problem
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    label CONSTANT text := ordcancel_internal.label(c.child);
    e record;
    now_calls text;
BEGIN
    FOR e IN
        SELECT 'refuse_when' AS what, c.refuse_when AS expression, c.refuse_when_functions AS functions,
               false AS is_key,
               ordcancel_internal.child_call(c, quote_literal(c.key_columns), '...', quote_literal(c.key_expression))
                   AS again
        UNION ALL
        SELECT 'key_expression', c.key_expression, c.key_expression_functions, true,
               ordcancel_internal.child_call(c, quote_literal(c.key_columns), quote_literal(c.refuse_when), '...')
    LOOP
        CONTINUE WHEN e.expression IS NULL;
        BEGIN
            now_calls := ordcancel_internal.pin_child_expression(c.orders, c.child, e.expression, c.search_path,
                                                                 c.time_zone, e.is_key, true);
            CONTINUE WHEN now_calls IS NOT DISTINCT FROM e.functions;
            RETURN NEXT ROW(c.orders::regclass, 'child_expression_fails',
                            format('%s of guard "%s" of %s would call functions other than when it was set: %s.',
                                   e.what, left(c.name, 80), label, left(replace(now_calls, E'\n', ', '), 500)),
                            format('Review them, and set it again: SELECT %s;', e.again))::ordcancel.problem;
        EXCEPTION WHEN OTHERS THEN
            RETURN NEXT ROW(c.orders::regclass, 'child_expression_fails',
                            format('%s of guard "%s" of %s is not valid: %s.', e.what, left(c.name, 80), label,
                                   left(SQLERRM, 500)),
                            format('SELECT %s;', e.again))::ordcancel.problem;
        END;
    END LOOP;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.health_of_child(ordcancel.child) IS
    'lists expressions of a guard of a child table that cannot be used';

CREATE FUNCTION ordcancel_internal.health_of_children(t ordcancel.order_table) RETURNS SETOF ordcancel.problem
    LANGUAGE sql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT t.orders::regclass, 'child_unguarded',
       format('Triggers of child table %s are missing or disabled.', ordcancel_internal.label(c.child)),
       format('SELECT %s creates them again.', ordcancel_internal.child_call(c))
FROM ordcancel.child AS c
WHERE c.orders = t.orders
  -- All guards of a child have the same triggers.
  AND NOT EXISTS (SELECT FROM ordcancel.child AS o WHERE o.child = c.child AND o.orders = c.orders AND o.name < c.name)
  AND EXISTS (SELECT FROM unnest(ordcancel_internal.parts(c.child)) AS p (relid)
              WHERE 2 > (SELECT count(*) FROM pg_trigger AS g
                         WHERE g.tgrelid = p.relid AND g.tgfoid = 'ordcancel_internal.guard_child()'::regprocedure
                           AND g.tgenabled IN ('O', 'A')))
UNION ALL
SELECT t.orders::regclass, 'child_unguarded',
       format('Table %s inherits from child table %s, whose triggers it does not have.',
              ordcancel_internal.label(i.inhrelid), ordcancel_internal.label(c.child)),
       format('ALTER TABLE %s NO INHERIT %s; then call attach_child() for it, too.',
              ordcancel_internal.label(i.inhrelid), ordcancel_internal.label(c.child))
FROM ordcancel.child AS c
    JOIN pg_class AS p ON p.oid = c.child AND p.relkind = 'r'
    JOIN pg_inherits AS i ON i.inhparent = c.child
WHERE c.orders = t.orders
  AND NOT EXISTS (SELECT FROM ordcancel.child AS o WHERE o.child = c.child AND o.orders = c.orders AND o.name < c.name)
UNION ALL
SELECT t.orders::regclass, 'child_unusable', format('Child table %s no longer has column "%s".',
                                                   ordcancel_internal.label(c.child), k.name),
       format('SELECT %s with its new name.',
              ordcancel_internal.child_call(c, '...', quote_literal(c.refuse_when), NULL))
FROM ordcancel.child AS c, unnest(c.key_columns) AS k (name)
WHERE c.orders = t.orders
  AND NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.child AND attname = k.name AND NOT attisdropped)
UNION ALL
SELECT p.* FROM ordcancel.child AS c, LATERAL ordcancel_internal.health_of_child(c) AS p WHERE c.orders = t.orders
$$;
COMMENT ON FUNCTION ordcancel_internal.health_of_children(ordcancel.order_table) IS
    'lists child tables whose rows are not checked, and guards that cannot be used';
