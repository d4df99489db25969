-- Diagrams as Graphviz, Mermaid and text

-- Boxes of states in which the order keeps its status are dashed.
CREATE FUNCTION ordcancel_internal.diagram_dot(orders regclass, policy text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
WITH parts AS (
    SELECT p.kind, p.id, p.target, row_number() OVER () AS n,
           ordcancel_internal.diagram_label(p.titles, p.lines,
                                            CASE p.kind WHEN 'arrow' THEN 27 WHEN 'note' THEN 36 ELSE 32 END,
                                            'dot', p.kind = 'arrow') AS label
    FROM ordcancel_internal.diagram_parts(orders, policy) AS p
), looks (kind, look) AS (
    VALUES ('status', 'fillcolor="#dbeafe", color="#2563eb"'),
           ('requested', 'fillcolor="#fef3c7", color="#d97706"'),
           ('in_progress', 'fillcolor="#ffedd5", color="#ea580c"'),
           ('canceled', 'fillcolor="#fee2e2", color="#dc2626"'),
           ('money', 'shape=hexagon, style=filled, margin="0,0.04", fillcolor="#ffffff", color="#ea580c"'),
           ('back', 'fillcolor="#dcfce7", color="#16a34a"'),
           ('note', 'shape=note, style=filled, fillcolor="#fefce8", color="#a16207"')
), drawn (place, n, text) AS (
    SELECT 1, 1, format('graph [label=<%s>, labelloc=t, rankdir=TB, nodesep=0.3, ranksep=0.45,'
                        ' fontname="Helvetica,Arial,sans-serif", fontsize=12];',
                        ordcancel_internal.diagram_label(
                            ARRAY[format('Canceling orders of %s', orders)
                                  || CASE policy WHEN 'default' THEN '' ELSE format(', policy "%s"', policy) END],
                            '{}', 80, 'dot', false))
    UNION ALL
    SELECT 1, 2, 'node [shape=box, style="rounded,filled", fontname="Helvetica,Arial,sans-serif", fontsize=12,'
                 ' margin="0.15,0.08"];'
    UNION ALL
    SELECT 1, 3, 'edge [fontname="Helvetica,Arial,sans-serif", fontsize=10, color="#4b5563", arrowsize=0.7];'
    UNION ALL
    SELECT 2, p.n, format('%s [label=<%s>, %s%s];', p.id, p.label, l.look,
                          CASE WHEN p.kind LIKE '%stays' THEN ', style="rounded,filled,dashed"' END)
    FROM parts AS p JOIN looks AS l ON l.kind = replace(p.kind, '_stays', '')
    UNION ALL
    SELECT 3, 0, format('{ rank=same; %s; }', string_agg(p.id, '; ' ORDER BY p.n))
    FROM parts AS p WHERE p.kind = 'status' HAVING count(*) > 1
    UNION ALL
    SELECT 4, 0, format('forbidden [shape=plain, style="", label=<<table border="1" color="#9ca3af" bgcolor="#f9fafb"'
                        ' cellborder="0" cellspacing="6" cellpadding="5" style="rounded">'
                        '<tr><td><b>nobody can cancel</b></td></tr>%s</table>>];',
                        string_agg(format('<tr><td port="%s" bgcolor="#e5e7eb">%s</td></tr>', p.id, p.label),
                                   '' ORDER BY p.n))
    FROM parts AS p WHERE p.kind = 'forbid'
    UNION ALL
    -- A table, to keep the label at a distance from the arrow. The last <br/> aligns the last line.
    SELECT 5, p.n, format('%s -> %s [label=<<table border="0" cellspacing="0" cellpadding="5">'
                          '<tr><td balign="left">%s<br/></td></tr></table>>];',
                          p.id, p.target, p.label)
    FROM parts AS p WHERE p.kind = 'arrow'
    UNION ALL
    SELECT 6, 0, 'forbidden -> notes [style=invis];' FROM parts AS p WHERE p.kind = 'note'
)
SELECT E'digraph ordcancel {\n' || string_agg(format(E'  %s\n', d.text), '' ORDER BY d.place, d.n) || '}'
FROM drawn AS d
$$;
COMMENT ON FUNCTION ordcancel_internal.diagram_dot(regclass, text) IS 'draws the life of an order for Graphviz';

CREATE FUNCTION ordcancel_internal.diagram_mermaid(orders regclass, policy text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
WITH parts AS (
    SELECT p.kind, p.id, p.target, row_number() OVER () AS n,
           ordcancel_internal.diagram_label(p.titles, p.lines, CASE p.kind WHEN 'arrow' THEN 26 ELSE 30 END, 'mermaid',
                                            p.kind = 'arrow') AS label
    FROM ordcancel_internal.diagram_parts(orders, policy) AS p
), boxes AS (
    SELECT p.n, p.kind, p.id,
           format(CASE p.kind WHEN 'money' THEN '%s{{"%s"}}:::%s'
                              WHEN 'back' THEN '%s(["%s"]):::%s'
                              ELSE '%s["%s"]:::%s' END,
                  p.id, p.label, replace(p.kind, '_stays', '')) AS text
    FROM parts AS p WHERE p.kind <> 'arrow'
), drawn (place, n, text) AS (
    SELECT 1, b.n, b.text FROM boxes AS b WHERE b.kind <> 'forbid'
    UNION ALL
    SELECT 2, 0, 'subgraph forbidden["nobody can cancel"]'
    UNION ALL
    SELECT 3, 0, '    direction TB'
    UNION ALL
    SELECT 3, b.n, '    ' || b.text FROM boxes AS b WHERE b.kind = 'forbid'
    UNION ALL
    SELECT 4, 0, '    ' || string_agg(b.id, ' ~~~ ' ORDER BY b.n)
    FROM boxes AS b WHERE b.kind = 'forbid' HAVING count(*) > 1
    UNION ALL
    SELECT 5, 0, 'end'
    UNION ALL
    SELECT 6, 0, 'others ~~~ notes' FROM boxes AS b WHERE b.kind = 'note'
    UNION ALL
    SELECT 7, p.n, format('%s -->|"%s"| %s', p.id, p.label, p.target) FROM parts AS p WHERE p.kind = 'arrow'
    UNION ALL
    SELECT 8, l.n, format('classDef %s fill:%s,stroke:%s,color:#111827', l.kind, l.fill, l.stroke)
    FROM (VALUES (1, 'status', '#dbeafe', '#2563eb'), (2, 'forbid', '#e5e7eb', '#9ca3af'),
                 (3, 'requested', '#fef3c7', '#d97706'), (4, 'in_progress', '#ffedd5', '#ea580c'),
                 (5, 'canceled', '#fee2e2', '#dc2626'), (6, 'money', '#ffffff', '#ea580c'),
                 (7, 'back', '#dcfce7', '#16a34a'), (8, 'note', '#fefce8', '#a16207')) AS l (n, kind, fill, stroke)
    UNION ALL
    SELECT 9, b.n, format('style %s stroke-dasharray:5 4', b.id) FROM boxes AS b WHERE b.kind LIKE '%stays'
    UNION ALL
    SELECT 10, 0, 'style forbidden fill:#f9fafb,stroke:#9ca3af,color:#111827'
)
SELECT 'flowchart TD' || string_agg(E'\n    ' || d.text, '' ORDER BY d.place, d.n) FROM drawn AS d
$$;
COMMENT ON FUNCTION ordcancel_internal.diagram_mermaid(regclass, text) IS 'draws the life of an order for Mermaid';

-- For a terminal: each box with its outgoing arrows.
CREATE FUNCTION ordcancel_internal.diagram_text(orders regclass, policy text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
WITH words AS (
    SELECT p.kind, p.id, p.target, row_number() OVER () AS n, p.titles, p.lines
    FROM ordcancel_internal.diagram_parts(orders, policy) AS p
), parts AS (
    SELECT w.kind, w.id, w.target, w.n,
           (SELECT string_agg(array_to_string(ordcancel_internal.diagram_wrap(u.t, 200), ' '), ', ' ORDER BY u.o)
            FROM unnest(w.titles) WITH ORDINALITY AS u (t, o)) AS title,
           (SELECT string_agg(array_to_string(ordcancel_internal.diagram_wrap(u.t, 200), ' '),
                              CASE w.kind WHEN 'note' THEN E'\n' ELSE ', ' END ORDER BY u.o)
            FROM unnest(w.lines) WITH ORDINALITY AS u (t, o) WHERE u.t IS NOT NULL) AS line
    FROM words AS w
), drawn (place, box, n, text) AS (
    SELECT 1, p.n, 0, coalesce(p.title || coalesce(' (' || p.line || ')', ''), p.line)
    FROM parts AS p WHERE p.kind NOT IN ('arrow', 'forbid', 'back', 'note')
    UNION ALL
    SELECT 1, f.n, a.n, format('  %s-- %s --> %s',
                               CASE a.n WHEN max(a.n) OVER (PARTITION BY a.id) THEN '`' ELSE '|' END,
                               a.line, coalesce(t.title, t.line))
    FROM parts AS a
        JOIN parts AS f ON f.id = a.id AND f.kind <> 'arrow'
        JOIN parts AS t ON t.id = a.target AND t.kind <> 'arrow'
    WHERE a.kind = 'arrow'
    UNION ALL
    SELECT 2, 0, 0, 'nobody can cancel'
    UNION ALL
    SELECT 3, p.n, 0, '  ' || concat_ws(': ', p.title, p.line) FROM parts AS p WHERE p.kind = 'forbid'
    UNION ALL
    SELECT 4, 0, 0, p.line FROM parts AS p WHERE p.kind = 'note'
)
SELECT string_agg(d.text, E'\n' ORDER BY d.place, d.box, d.n) FROM drawn AS d
$$;
COMMENT ON FUNCTION ordcancel_internal.diagram_text(regclass, text) IS 'draws the life of an order as plain text';
