-- cancel_report: the sections on what is open now, on parts of orders and on
-- changes of policy

CREATE FUNCTION ordcancel_internal.report_by_refund(f jsonb) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT '<section id="refunds"><h2>Refunds due now</h2>'
       || CASE WHEN (r.due ->> 'n')::bigint = 0 THEN '<p>No refund is due.</p>'
               ELSE '<p>By the time since the cancellation was accepted.</p>'
                   || ordcancel_internal.report_table(
                          'narrow', (SELECT string_agg(ordcancel_internal.report_row(
                                      a.label, NULL,
                                      ordcancel_internal.report_bar('{plain}', ARRAY[a.outstanding], a.most),
                                      ordcancel_internal.report_number(a.n),
                                      ordcancel_internal.report_number(a.outstanding, r.scale)), '' ORDER BY a.k)
                           FROM (SELECT x.label, x.n, x.outstanding, e.k, max(x.outstanding) OVER () AS most
                                 FROM jsonb_array_elements(r.due -> 'ages') WITH ORDINALITY AS e (age, k),
                                     jsonb_to_record(e.age) AS x (label text, n numeric, outstanding numeric)) AS a),
                          'Due for', '', 'Refunds', 'Amount')
                   || CASE WHEN (r.due ->> 'n')::bigint > 1 THEN '<h3>The oldest</h3>' ELSE '<h3>This one</h3>' END
                   || ordcancel_internal.report_table(
                          'list', (SELECT string_agg(ordcancel_internal.report_row(
                                      format('%s%s<small>%s</small>', ordcancel_internal.report_key(o.order_id),
                                             CASE o.scope WHEN 'items' THEN ' <i>parts</i>' ELSE '' END,
                                             concat_ws('; ',
                                                 'accepted by <bdi>'
                                                 || ordcancel_internal.report_html(o.decided_actor, 40) || '</bdi>',
                                                 CASE WHEN o.refunded <> 0
                                                      THEN ordcancel_internal.report_number(o.refunded, r.scale)
                                                           || ' paid' END)),
                                      NULL, ordcancel_internal.report_duration(o.age),
                                      ordcancel_internal.report_number(o.outstanding, r.scale)), '' ORDER BY e.k)
                           FROM jsonb_array_elements(r.due -> 'rows') WITH ORDINALITY AS e (due, k),
                               jsonb_to_record(e.due) AS o (order_id text, scope text, age numeric, decided_actor text,
                                                            refunded numeric, outstanding numeric)),
                          'Order', 'Due for', 'Amount') END
       || '</section>'
FROM (SELECT f -> 'refunds', (f ->> 'scale')::integer) AS r (due, scale)
$$;
COMMENT ON FUNCTION ordcancel_internal.report_by_refund(jsonb) IS 'returns the section on refunds due';

CREATE FUNCTION ordcancel_internal.report_by_request(f jsonb) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT '<section id="requests"><h2>Open requests now</h2>'
       || CASE WHEN (r.open ->> 'n')::bigint = 0 THEN '<p>No request waits for a decision.</p>'
               ELSE format('<p>%s for a decision%s%s.</p>',
                           ordcancel_internal.report_noun((r.open ->> 'n')::numeric, 'request waits', 'requests wait'),
                           CASE WHEN (r.open ->> 'overdue')::bigint > 0
                                THEN format(', <b class="urgent">%s past the deadline</b>',
                                            ordcancel_internal.report_number((r.open ->> 'overdue')::numeric))
                                ELSE '' END,
                           CASE WHEN (r.open ->> 'n')::bigint > 10 THEN '; the ten oldest' ELSE '' END)
                   || ordcancel_internal.report_table(
                          'list', (SELECT string_agg(ordcancel_internal.report_row(
                                      format('%s%s<small>%s</small>', ordcancel_internal.report_key(o.order_id),
                                             CASE o.scope WHEN 'items' THEN ' <i>parts</i>' ELSE '' END,
                                             concat_ws(': ',
                                                 '<bdi>' || coalesce(
                                                     ordcancel_internal.report_html(o.requested_actor, 40),
                                                     ordcancel_internal.report_word(o.requested_by)) || '</bdi>',
                                                 ordcancel_internal.report_reason(o.reason, o.description))
                                             || coalesce(' <q>' || ordcancel_internal.report_html(nullif(o.note, ''),
                                                                                                 100) || '</q>', '')),
                                      NULL, ordcancel_internal.report_duration(o.age),
                                      CASE WHEN o.overdue THEN '<b class="urgent">overdue</b> '
                                           WHEN o.deadline IS NULL THEN '&#8211;' ELSE '' END
                                      || coalesce(replace(to_char(o.deadline AT TIME ZONE r.zone, 'FMDD Mon, HH24:MI'),
                                                          ' ', '&#160;'), '')),
                                      '' ORDER BY e.k)
                           FROM jsonb_array_elements(r.open -> 'rows') WITH ORDINALITY AS e (request, k),
                               jsonb_to_record(e.request) AS o (
                                   order_id text, scope text, age numeric, deadline timestamptz, overdue boolean,
                                   requested_by text, requested_actor text, reason text, description text, note text)),
                          'Order, who asked, and why', 'Waits for', 'Deadline') END
       || '</section>'
FROM (SELECT f -> 'requests', f #>> '{period,zone}') AS r (open, zone)
$$;
COMMENT ON FUNCTION ordcancel_internal.report_by_request(jsonb) IS 'returns the section on open requests';

-- NULL if there were none.
CREATE FUNCTION ordcancel_internal.report_by_part(f jsonb) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT format('<section id="parts"><h2>Parts of orders</h2><p>%s of all %s.</p>',
              ordcancel_internal.report_noun(sum(p.n), 'attempt was for a part of an order, ',
                                             'attempts were for parts of orders, ')
              || ordcancel_internal.report_share(sum(p.n), t.n),
              ordcancel_internal.report_noun(t.n, 'attempt', 'attempts'))
       || ordcancel_internal.report_table(
              'bars', string_agg(ordcancel_internal.report_row(
                  ordcancel_internal.report_capital(ordcancel_internal.report_word(p.state)),
                  ordcancel_internal.report_bar(ARRAY[p.state], ARRAY[p.n], p.most),
                  ordcancel_internal.report_number(p.n), ordcancel_internal.report_number(p.orders),
                  ordcancel_internal.report_number(p.items),
                  ordcancel_internal.report_number(p.units, CASE WHEN p.units = trunc(p.units) THEN 0 ELSE 2 END),
                  coalesce(ordcancel_internal.report_number(p.refund_due, (f ->> 'scale')::integer), '&#8211;')), ''
                  ORDER BY p.n DESC, p.state COLLATE "C"),
              'State', 'Attempts', 'Orders', 'Items', 'Units', 'Refund')
       || '</section>'
FROM (SELECT x.*, max(x.n) OVER () AS most
      FROM jsonb_to_recordset(f -> 'parts')
          AS x (state text, n numeric, orders numeric, items numeric, units numeric, refund_due numeric)) AS p,
    (SELECT ordcancel_internal.report_count(f -> 'kinds', false)) AS t (n)
GROUP BY t.n
$$;
COMMENT ON FUNCTION ordcancel_internal.report_by_part(jsonb) IS 'returns the section on parts of orders, or NULL';

-- What was measured before and after a change; days is 0 if there is less than a
-- day on one side.
CREATE FUNCTION ordcancel_internal.report_comparison(before jsonb, after jsonb, days numeric) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT CASE WHEN days = 0 THEN '<p>Less than a day on one side of it: nothing to compare yet.</p>'
            ELSE ordcancel_internal.report_table(
                'bars', ordcancel_internal.report_row(
                    'Attempts a day', NULL, ordcancel_internal.report_number(b.n / days, 1),
                    ordcancel_internal.report_number(a.n / days, 1), ordcancel_internal.report_change(a.n, b.n))
                || ordcancel_internal.report_row(
                    'Share denied', NULL, ordcancel_internal.report_share(b.denied, b.n),
                    ordcancel_internal.report_share(a.denied, a.n),
                    CASE WHEN b.n > 0 AND a.n > 0
                         THEN CASE sign(round(100 * (a.denied / a.n - b.denied / b.n), 1))
                                  WHEN 1 THEN '&#9650;&#160;' WHEN -1 THEN '&#9660;&#160;' ELSE '&#177;' END
                              || ordcancel_internal.report_number(abs(100 * (a.denied / a.n - b.denied / b.n)), 1)
                              || '&#160;points' ELSE '' END)
                || ordcancel_internal.report_row(
                    'Median time to decision', NULL,
                    coalesce(ordcancel_internal.report_duration(b.median), '&#8211;'),
                    coalesce(ordcancel_internal.report_duration(a.median), '&#8211;'),
                    coalesce(ordcancel_internal.report_change(a.median, b.median), '')),
                '', ordcancel_internal.report_noun(days, 'day before', 'days before'),
                ordcancel_internal.report_noun(days, 'day after', 'days after'), 'Change') END
FROM jsonb_to_record(before) AS b (n numeric, denied numeric, median numeric),
    jsonb_to_record(after) AS a (n numeric, denied numeric, median numeric)
$$;
COMMENT ON FUNCTION ordcancel_internal.report_comparison(jsonb, jsonb, numeric) IS
    'returns a table of what a change of policy changed';

-- NULL if there was no change.
CREATE FUNCTION ordcancel_internal.report_by_change(f jsonb) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT '<section class="wide" id="changes"><h2>Before and after a change of policy</h2>'
       || string_agg(format('<div class="change"><h3>%s. %s, by <bdi>%s</bdi></h3><ul>%s</ul>%s</div>', c.k,
                            ordcancel_internal.report_day(x.at AT TIME ZONE (f #>> '{period,zone}'), true),
                            ordcancel_internal.report_html(array_to_string(x.by, ', '), 80),
                            (SELECT string_agg(CASE WHEN w.k <= 8
                                                    THEN format('<li><bdi>%s</bdi></li>',
                                                                ordcancel_internal.report_html(w.what, 200))
                                                    ELSE format('<li>and %s more</li>', cardinality(x.what) - 8) END,
                                               '' ORDER BY w.k)
                             FROM unnest(x.what) WITH ORDINALITY AS w (what, k) WHERE w.k <= 9),
                            ordcancel_internal.report_comparison(x.before, x.after, x.days)), '' ORDER BY c.k)
       || '</section>'
FROM jsonb_array_elements(f -> 'changes') WITH ORDINALITY AS c (change, k),
    jsonb_to_record(c.change) AS x (at timestamptz, by text[], what text[], days numeric,
                                    before jsonb, after jsonb)
$$;
COMMENT ON FUNCTION ordcancel_internal.report_by_change(jsonb) IS
    'returns the section on changes of policy, or NULL';
