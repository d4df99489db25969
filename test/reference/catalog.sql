-- What doc/reference.md is made of, as one JSON document: the functions, tables,
-- views, types, settings and conditions that are for callers.
LOAD 'ordcancel';
SET search_path = pg_catalog;
WITH arguments AS (
    SELECT p.oid, json_agg(json_build_object(
               'name', a.name, 'type', format_type(a.type, NULL), 'out', a.mode IN ('o', 't'),
               'default', pg_get_function_arg_default(p.oid, a.n::integer)) ORDER BY a.n) AS arguments
    FROM pg_proc AS p,
        unnest(p.proargnames, coalesce(p.proallargtypes, p.proargtypes::oid[]), p.proargmodes)
            WITH ORDINALITY AS a (name, type, mode, n)
    GROUP BY p.oid
), functions AS (
    SELECT json_agg(json_build_object(
               'name', p.proname, 'kind', CASE p.prokind WHEN 'p' THEN 'procedure' ELSE 'function' END,
               'arguments', coalesce(a.arguments, '[]'), 'result', format_type(p.prorettype, NULL), 'set', p.proretset,
               'comment', obj_description(p.oid, 'pg_proc')) ORDER BY p.proname, p.oid) AS list
    FROM pg_proc AS p LEFT JOIN arguments AS a USING (oid)
    WHERE p.pronamespace = 'ordcancel'::regnamespace
), columns AS (
    SELECT a.attrelid, json_agg(json_build_object(
               'name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
               'default', pg_get_expr(d.adbin, d.adrelid),
               'comment', col_description(a.attrelid, a.attnum)) ORDER BY a.attnum) AS columns
    FROM pg_attribute AS a LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attnum > 0 AND NOT a.attisdropped
    GROUP BY a.attrelid
), relations AS (
    -- The parents of the record tables, the views of consumers, and what everybody may read.
    SELECT json_agg(json_build_object(
               'name', c.relname, 'kind', CASE c.relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' ELSE 'type' END,
               'columns', columns,
               'comment', CASE c.relkind WHEN 'c' THEN obj_description(c.reltype, 'pg_type')
                                         ELSE obj_description(c.oid, 'pg_class') END) ORDER BY c.relname) AS list
    FROM pg_class AS c JOIN columns AS a ON a.attrelid = c.oid
    WHERE c.relnamespace = 'ordcancel'::regnamespace
      AND (c.relkind = 'c' OR c.relname IN ('cancellation', 'cancellation_item', 'event', 'consumers', 'skipped_events')
           OR c.relkind IN ('r', 'v') AND has_table_privilege('public', c.oid, 'SELECT'))
), others AS (
    SELECT json_agg(relname ORDER BY relname) AS list FROM pg_class WHERE relnamespace = 'ordcancel'::regnamespace
), words AS (
    SELECT json_agg(DISTINCT w[1]) AS list
    FROM (SELECT prosrc FROM pg_proc WHERE pronamespace = 'ordcancel_internal'::regnamespace AND proname ~ '^health'
          UNION ALL
          SELECT pg_get_viewdef('ordcancel.health'::regclass)) AS s (source),
        regexp_matches(s.source, '\m[a-z]+(?:_[a-z]+)+\M', 'g') AS w
), settings AS (
    SELECT json_agg(json_build_object(
               'name', name, 'context', context, 'default', boot_val, 'values', enumvals,
               'comment', concat_ws(' ', short_desc, extra_desc)) ORDER BY name) AS list
    FROM pg_settings WHERE name LIKE 'ordcancel.%'
), conditions AS (
    SELECT json_agg(c ORDER BY c.sqlstate) AS list FROM ordcancel_internal.conditions() AS c
)
SELECT json_build_object('functions', f.list, 'relations', r.list, 'others', o.list, 'words', w.list,
                         'settings', s.list, 'conditions', c.list)
FROM functions AS f, relations AS r, others AS o, words AS w, settings AS s, conditions AS c;
