-- cancel_report: the sections on what was requested in the period

-- A row of a table with a bar below its label. label is HTML.
CREATE FUNCTION ordcancel_internal.report_row(label text, bar text, VARIADIC cells text[]) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT format('<tr><th scope="row">%s%s</th>%s</tr>', label, coalesce(bar, ''),
              string_agg(format('<td>%s</td>', coalesce(c.cell, '')), '' ORDER BY c.n))
FROM unnest(cells) WITH ORDINALITY AS c (cell, n)
$$;
COMMENT ON FUNCTION ordcancel_internal.report_row(text, text, text[]) IS 'returns a row of a table with a bar';

CREATE FUNCTION ordcancel_internal.report_table(kind text, rows text, VARIADIC heads text[]) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT format('<table class="%s"><thead><tr>%s</tr></thead><tbody>%s</tbody></table>', kind,
              string_agg(format('<th scope="col">%s</th>', h.head), '' ORDER BY h.n), rows)
FROM unnest(heads) WITH ORDINALITY AS h (head, n)
$$;
COMMENT ON FUNCTION ordcancel_internal.report_table(text, text, text[]) IS 'returns a table';

CREATE FUNCTION ordcancel_internal.report_by_day(f jsonb) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT format('<section class="wide" id="days"><h2>By %s</h2>'
              '<p>Attempts to cancel by the %1$s on which they began, and what has become of them.%s</p>',
              u.unit, CASE WHEN jsonb_array_length(f -> 'changes') > 0
                           THEN ' The dashed lines are <a href="#changes">changes of policy</a>.' ELSE '' END)
       || ordcancel_internal.report_legend(w.words) || ordcancel_internal.report_plot(f)
       || '<details><summary>The numbers</summary>'
       || ordcancel_internal.report_table(
              'numbers', (SELECT string_agg(ordcancel_internal.report_row(
                          ordcancel_internal.report_day((s.slot ->> 'day')::timestamp), NULL, VARIADIC
                          (SELECT array_agg(ordcancel_internal.report_number(
                                                coalesce(s.slot -> 'states' ->> x.word, '0')::numeric) ORDER BY x.n)
                           FROM unnest(w.words) WITH ORDINALITY AS x (word, n))), '' ORDER BY s.n)
               FROM jsonb_array_elements(f -> 'slots') WITH ORDINALITY AS s (slot, n)),
              -- Soft hyphens, for narrow pages.
              VARIADIC ARRAY[u.head] || (SELECT array_agg(replace(replace(ordcancel_internal.report_word(x.word),
                                                                          'canceled', 'can&#173;celed'),
                                                                  'withdrawn', 'with&#173;drawn') ORDER BY x.n)
                                         FROM unnest(w.words) WITH ORDINALITY AS x (word, n)))
       || '</details></section>'
FROM (SELECT f #>> '{period,unit}', initcap(f #>> '{period,unit}')) AS u (unit, head),
    (SELECT array_agg(x.word ORDER BY x.n)
     FROM unnest(ordcancel_internal.report_states()) WITH ORDINALITY AS x (word, n)
     WHERE ordcancel_internal.report_count(f -> 'kinds', false, ARRAY[x.word]) > 0) AS w (words)
$$;
COMMENT ON FUNCTION ordcancel_internal.report_by_day(jsonb) IS 'returns the section by day';

-- The twelve reasons with the most attempts, and the others in one row.
CREATE FUNCTION ordcancel_internal.report_by_reason(f jsonb) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
WITH ranked AS (
    SELECT r.reason, r.description, r.n, r.before, r.customer, r.merchant, r.system, row_number() OVER (
               ORDER BY r.n DESC, r.before DESC, r.reason COLLATE "C") AS rank, max(r.n) OVER () AS most,
           sum(r.n) OVER () AS total
    FROM jsonb_to_recordset(f -> 'reasons') AS r (
        reason text, description text, n numeric, before numeric, customer numeric, merchant numeric, system numeric)
    WHERE r.n > 0
), shown AS (
    SELECT rank, most, total, n, before, customer, merchant, system,
           CASE WHEN reason IS NULL THEN 'No reason given'
                ELSE format('<span title="%s">%s</span>', ordcancel_internal.report_html(reason),
                            ordcancel_internal.report_reason(reason, description)) END AS label
    FROM ranked WHERE rank <= 12
    UNION ALL
    SELECT 13, most, total, sum(n), sum(before), sum(customer), sum(merchant), sum(system),
           ordcancel_internal.report_noun(count(*), 'other reason', 'other reasons')
    FROM ranked WHERE rank > 12 GROUP BY most, total
)
SELECT '<section id="reasons"><h2>Reasons</h2><p>Of all attempts, by who asked.</p>'
       || ordcancel_internal.report_legend('{customer,merchant,system}')
       || ordcancel_internal.report_table(
              'bars', string_agg(ordcancel_internal.report_row(
                  s.label,
                  ordcancel_internal.report_bar('{customer,merchant,system}', ARRAY[s.customer, s.merchant, s.system],
                                                greatest(s.most, s.n)),
                  ordcancel_internal.report_number(s.n), ordcancel_internal.report_share(s.n, s.total),
                  ordcancel_internal.report_change(s.n, s.before)), '' ORDER BY s.rank),
              'Reason', 'Attempts', 'Share', 'Change')
       || '</section>'
FROM shown AS s
$$;
COMMENT ON FUNCTION ordcancel_internal.report_by_reason(jsonb) IS 'returns the section on reasons';

CREATE FUNCTION ordcancel_internal.report_by_party(f jsonb) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
WITH party AS (
    SELECT p.*, max(p.n) OVER () AS most, sum(p.n) OVER () AS total
    FROM jsonb_to_recordset(f -> 'parties') AS p (party text, n numeric, before numeric, states jsonb)
), actor AS (
    SELECT a.*, max(a.n) OVER () AS most
    FROM jsonb_to_recordset(f -> 'actors') AS a (party text, actor text, n numeric, before numeric)
)
SELECT '<section id="who"><h2>Who canceled</h2><p>Who asked, and what has become of it.</p>'
       || ordcancel_internal.report_legend(
              (SELECT array_agg(x.word ORDER BY x.n)
               FROM unnest(ordcancel_internal.report_states()) WITH ORDINALITY AS x (word, n)
               WHERE ordcancel_internal.report_count(f -> 'kinds', false, ARRAY[x.word]) > 0))
       || ordcancel_internal.report_table(
              'bars', (SELECT string_agg(ordcancel_internal.report_row(
                          ordcancel_internal.report_capital(ordcancel_internal.report_word(p.party)),
                          ordcancel_internal.report_bar(
                              ordcancel_internal.report_states(),
                              (SELECT array_agg(coalesce(p.states ->> x.word, '0')::numeric ORDER BY x.n)
                               FROM unnest(ordcancel_internal.report_states()) WITH ORDINALITY AS x (word, n)), p.most),
                          ordcancel_internal.report_number(p.n), ordcancel_internal.report_share(p.n, p.total),
                          ordcancel_internal.report_change(p.n, p.before)), '' ORDER BY p.n DESC, p.party COLLATE "C")
               FROM party AS p), 'Party', 'Attempts', 'Share', 'Change')
       || coalesce('<h3>Most active</h3>' || ordcancel_internal.report_table(
              'list', (SELECT string_agg(ordcancel_internal.report_row(
                          format('<bdi>%s</bdi> <i>%s</i>', ordcancel_internal.report_html(a.actor, 60),
                                 CASE a.party WHEN 'customer' THEN 'customer'
                                              ELSE ordcancel_internal.report_word(a.party) END), NULL,
                          ordcancel_internal.report_number(a.n), ordcancel_internal.report_change(a.n, a.before)), ''
                          ORDER BY a.n DESC, a.party COLLATE "C", a.actor COLLATE "C")
               FROM actor AS a), 'Actor', 'Attempts', 'Change'), '')
       || '</section>'
$$;
COMMENT ON FUNCTION ordcancel_internal.report_by_party(jsonb) IS 'returns the section on who canceled';

CREATE FUNCTION ordcancel_internal.report_by_wait(f jsonb) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT '<section id="time"><h2>Time to decision</h2>'
       || CASE WHEN t.n IS NULL THEN '<p>No request of this period had to wait for a decision.</p>'
               ELSE format('<p>Half of the %s were decided within <b>%s</b>, nine out of ten within <b>%s</b>.</p>',
                           ordcancel_internal.report_noun(t.n, 'request', 'requests'),
                           ordcancel_internal.report_duration(t.median), ordcancel_internal.report_duration(t.ninth))
                   || ordcancel_internal.report_table(
                          'narrow', (SELECT string_agg(ordcancel_internal.report_row(
                                      b.label
                                      || CASE WHEN t.median >= b."from" AND (t.median < b."to") IS NOT FALSE
                                              THEN ' <i>median</i>' ELSE '' END
                                      || CASE WHEN t.ninth >= b."from" AND (t.ninth < b."to") IS NOT FALSE
                                              THEN ' <i>9 of 10</i>' ELSE '' END,
                                      NULL, ordcancel_internal.report_bar('{plain}', ARRAY[b.n], b.most),
                                      ordcancel_internal.report_number(b.n), ordcancel_internal.report_share(b.n, t.n)),
                                      '' ORDER BY b."from")
                           FROM (SELECT s.*, max(s.n) OVER () AS most
                                 FROM jsonb_to_recordset(f -> 'spread')
                                     AS s (label text, "from" numeric, "to" numeric, n numeric)) AS b),
                          'Decided within', '', 'Requests', 'Share') END
       || '</section>'
FROM (SELECT (f #>> '{waits,now,n}')::numeric, (f #>> '{waits,now,median}')::numeric,
             (f #>> '{waits,now,ninth}')::numeric) AS t (n, median, ninth)
$$;
COMMENT ON FUNCTION ordcancel_internal.report_by_wait(jsonb) IS 'returns the section on the time to decision';

CREATE FUNCTION ordcancel_internal.report_by_denial(f jsonb) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
WITH denial AS (
    SELECT d.*, max(d.n) OVER () AS most, sum(d.n) OVER () AS total,
           row_number() OVER (ORDER BY d.n DESC, d.cause COLLATE "C", d.moved_to COLLATE "C") AS rank
    FROM jsonb_to_recordset(f -> 'denials') AS d (cause text, moved_to text, n numeric)
)
SELECT '<section id="denied"><h2>Why requests were denied</h2>'
       || coalesce(format('<p>By a person: <b>%s</b>. Because the order moved on first: <b>%s</b>.'
                          ' Because the deadline passed: <b>%s</b>.</p>',
                          ordcancel_internal.report_number(coalesce(sum(d.n) FILTER (WHERE d.cause = 'person'), 0)),
                          ordcancel_internal.report_number(coalesce(sum(d.n) FILTER (WHERE d.cause = 'moved'), 0)),
                          ordcancel_internal.report_number(
                              coalesce(sum(d.n) FILTER (WHERE d.cause NOT IN ('person', 'moved')), 0)))
                   || ordcancel_internal.report_table(
                          'narrow', string_agg(ordcancel_internal.report_row(
                              CASE d.cause
                                  WHEN 'person' THEN 'A person denied it'
                                  WHEN 'moved' THEN 'The order moved on to <bdi>'
                                                    || coalesce(ordcancel_internal.report_html(d.moved_to, 60),
                                                                'no status') || '</bdi>'
                                  ELSE 'Nobody decided by the deadline' END,
                              NULL, ordcancel_internal.report_bar('{plain}', ARRAY[d.n], d.most),
                              ordcancel_internal.report_number(d.n), ordcancel_internal.report_share(d.n, d.total)), ''
                              ORDER BY d.rank) FILTER (WHERE d.rank <= 12), 'Cause', '', 'Denied', 'Share'),
                   '<p>No request of this period was denied.</p>')
       || '</section>'
FROM (SELECT d.rank, d.cause, d.moved_to, d.n, d.most, d.total FROM denial AS d) AS d
$$;
COMMENT ON FUNCTION ordcancel_internal.report_by_denial(jsonb) IS 'returns the section on why requests were denied';
