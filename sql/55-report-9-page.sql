-- cancel_report: the page

-- Series differ in lightness and pattern, so that they can also be told apart in
-- gray. The colors are for people who are color-blind too (Okabe and Ito).
CREATE FUNCTION ordcancel_internal.report_style() RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT '
:root{color-scheme:light dark;--paper:#fff;--ink:#1c2128;--soft:#5b6570;--line:#d5dae0;--faint:#eef1f4;--link:#005a92;
--alarm:#a8321a;--canceled:#0a5c99;--in_progress:#6cb8e6;--requested:#f0b429;--denied:#d5602b;--withdrawn:#b4bbc2;
--undone:#2f9e7d;--customer:#6a4c9c;--merchant:#4fb3a5;--system:#9aa3ad;--hatch:rgba(255,255,255,.75)}
@media screen and (prefers-color-scheme:dark){:root{--paper:#12161b;--ink:#e4e8ec;--soft:#9aa5b1;--line:#343c46;
--faint:#1f262e;--link:#7cc0f0;--alarm:#ff9c80;--canceled:#3f97d6;--in_progress:#a3d5f5;--requested:#f5c451;
--denied:#e87a4b;--withdrawn:#79828c;--undone:#45b893;--customer:#a58ad6;--merchant:#58c2b2;--system:#7d8792;
--hatch:rgba(0,0,0,.55)}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1120px;padding:28px 24px 40px;background:var(--paper);color:var(--ink);
font:15px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
a{color:var(--link)}
h1{font-size:26px;line-height:1.2;margin:0 0 4px;overflow-wrap:anywhere}
h2{font-size:18px;line-height:1.25;margin:0 0 4px}
h3{font-size:14px;margin:18px 0 4px}
p{margin:0 0 10px;color:var(--soft)}
p b{color:var(--ink)}
header p{margin:0}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:10px;margin:20px 0 14px}
.tile{border:1px solid var(--line);border-top:3px solid var(--canceled);border-radius:4px;padding:9px 12px 10px}
.tile dt{color:var(--soft);font-size:13px}
.tile dd{margin:0}
.tile b{display:block;font-size:22px;line-height:1.35;overflow-wrap:anywhere;font-weight:650;
font-variant-numeric:tabular-nums}
.tile span{display:block;font-size:13px;line-height:1.35;color:var(--soft)}
.tile.alarm{border-top-color:var(--alarm)}
.tile.alarm span{color:var(--alarm);font-weight:600}
.findings{margin:0 0 30px;padding-left:20px}
.findings li{margin:3px 0;overflow-wrap:anywhere}
.findings .urgent,.urgent{color:var(--alarm);font-weight:600}
p b.urgent{color:var(--alarm)}
.pair{columns:2;column-gap:40px;margin-bottom:32px}
.pair section:last-child{margin-bottom:0}
section{border-top:1px solid var(--line);padding-top:14px;margin-bottom:32px;break-inside:avoid}
.legend{display:flex;flex-wrap:wrap;gap:3px 16px;font-size:13px;margin:0 0 8px}
.legend span{white-space:nowrap}
.key{vertical-align:-1px}
.frame{padding-left:44px}
.plot{display:block;overflow:visible;font-size:12px}
.plot text{fill:var(--soft);text-anchor:middle}
.plot .scale{text-anchor:end;font-variant-numeric:tabular-nums}
.plot .grid{stroke:var(--line);stroke-width:1}
.plot .axis{stroke:var(--soft);stroke-width:1}
.plot .change line{stroke:var(--ink);stroke-width:1.5;stroke-dasharray:5 4}
.plot .change text{fill:var(--ink);font-weight:700}
.bar{display:block;margin-top:3px}
.track{fill:var(--faint)}
.patterns{position:absolute}
.hatch{stroke:var(--hatch);stroke-width:1.3;fill:none}
' || (SELECT string_agg(format('.c-%s,.f-%1$s{fill:var(--%1$s)}', w), E'\n')
      FROM unnest('{canceled,in_progress,requested,denied,withdrawn,undone,customer,merchant,system}'::text[]) AS w)
|| '
.f-plain{fill:var(--canceled)}
.f-in_progress{fill:url(#fill-in_progress)}
.f-requested{fill:url(#fill-requested)}
.f-denied{fill:url(#fill-denied)}
.f-undone{fill:url(#fill-undone)}
.f-merchant{fill:url(#fill-merchant)}
table{border-collapse:collapse;width:100%;font-size:14px}
th,td{padding:5px 0 5px 12px;border-bottom:1px solid var(--faint);vertical-align:top;text-align:right;
font-variant-numeric:tabular-nums}
th:first-child{padding-left:0;text-align:left;font-weight:400;overflow-wrap:anywhere}
thead th,thead th:first-child{color:var(--soft);font-size:12px;font-weight:600;border-bottom-color:var(--line);
vertical-align:bottom}
tbody th:first-child{width:50%}
.short{white-space:nowrap}
td .bar{min-width:60px;margin:5px 0 0}
.narrow tbody th:first-child{width:auto}
.narrow th:nth-child(2){width:42%}
.list tbody th:first-child{width:auto}
i,small{font-size:12px;color:var(--soft)}
small{display:block}
#refunds small{display:inline;margin-left:8px}
#requests tbody th:first-child,#refunds .list tbody th:first-child{width:56%}
summary{cursor:pointer;color:var(--link);font-size:13px;margin-top:10px}
details table{margin-top:6px}
details tbody th:first-child{white-space:nowrap;width:auto}
.change ul{margin:0 0 6px;padding-left:20px;overflow-wrap:anywhere}
div.change{max-width:660px}
footer{border-top:1px solid var(--line);margin-top:34px;padding-top:14px;font-size:13px;color:var(--soft)}
footer dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:2px 16px;margin:0}
footer dd{margin:0;overflow-wrap:anywhere}
@media (max-width:720px){body{padding:18px 16px 28px}
.pair{columns:1}
.minor{display:none}.frame{padding-left:34px}.tiles{grid-template-columns:1fr 1fr}.tile{padding:8px 10px}
.tile b{font-size:20px}th,td{padding-left:8px}.narrow th:nth-child(2){width:28%}
td .bar{min-width:36px}.numbers{font-size:11px}.numbers th,.numbers td{padding-left:4px}
.numbers thead th{font-size:10px}footer dl{display:block}footer dd{margin:0 0 6px}}
@media print{body{max-width:none;padding:0;font-size:11px}@page{size:A4;margin:12mm 14mm}details{display:none}
a{color:inherit;text-decoration:none}h1{font-size:20px}h2{font-size:14px}h3{font-size:11px;margin-top:10px}
.tiles{grid-template-columns:repeat(6,1fr);gap:6px;margin:12px 0 10px}.tile{padding:4px 7px}.tile b{font-size:15px}
.tile dt,.tile span,thead th,thead th:first-child,i,small{font-size:9px}.legend,footer{font-size:10px}
.findings{margin-bottom:14px}table{font-size:10px}th,td{padding-top:3px;padding-bottom:3px}.plot{font-size:10px}
.pair{column-gap:24px}section,.pair{margin-bottom:16px}.pair section{break-inside:auto}
.narrow th:nth-child(2){width:34%}.bars .bar{height:7px}.bars th,.bars td{padding-top:2px;padding-bottom:2px}
section>p{break-after:avoid}
.list,.narrow,.tile,tr,.frame,div.change,h2,h3,footer{break-inside:avoid}h2,h3,thead,.legend{break-after:avoid}}
'
$$;
COMMENT ON FUNCTION ordcancel_internal.report_style() IS 'returns the style sheet of the page';

-- The period in words: whole days are named by the last one.
CREATE FUNCTION ordcancel_internal.report_title(period jsonb) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT CASE WHEN date_trunc('day', p.low) <> p.low OR date_trunc('day', p.high) <> p.high
            THEN format('%s to %s', ordcancel_internal.report_day(p.low, true),
                        ordcancel_internal.report_day(p.high, true))
            WHEN p.high - p.low = interval '1 day'
            THEN to_char(p.low, 'FMDay, ') || ordcancel_internal.report_day(p.low)
            ELSE format('%s to %s', ordcancel_internal.report_day(p.low),
                        ordcancel_internal.report_day(p.high - interval '1 day')) END
FROM (SELECT (period ->> 'from')::timestamptz AT TIME ZONE (period ->> 'zone'),
             (period ->> 'to')::timestamptz AT TIME ZONE (period ->> 'zone')) AS p (low, high)
$$;
COMMENT ON FUNCTION ordcancel_internal.report_title(jsonb) IS 'returns the period of a report in words';

CREATE FUNCTION ordcancel_internal.report_foot(f jsonb) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT '<footer><h2>What this is based on</h2><dl>'
       || string_agg(format('<dt>%s</dt><dd>%s</dd>', l.term, l.text), '' ORDER BY l.n) || '</dl></footer>'
FROM (VALUES
    (1, 'Table', format('<bdi>%s</bdi>: the cancellations on record, by the time at which they were requested. A'
                        ' cancellation of parts of an order counts as one.',
                        ordcancel_internal.report_html(f ->> 'orders'))),
    (2, 'Period', format('from %s up to, but not including, %s; compared with the %s from %s',
                         ordcancel_internal.report_instant(f #>> '{period,from}'),
                         ordcancel_internal.report_instant(f #>> '{period,to}'),
                         f #>> '{period,length}',
                         ordcancel_internal.report_instant(f #>> '{period,before}'))
                  || CASE WHEN (f #>> '{period,reached}')::timestamptz < (f #>> '{period,to}')::timestamptz
                          THEN '. The period has not ended yet.' ELSE '.' END),
    (3, 'Time zone', ordcancel_internal.report_html(f #>> '{period,zone}')),
    (4, 'States', 'As they are now, not as they were at the end of the period. A request that was denied and made again'
                  ' counts twice.'),
    (5, 'Median', 'The time within which half of the requests were decided, of those that had to wait. What was'
                  ' canceled at once does not count.'),
    (6, 'Row-level security', CASE WHEN (f ->> 'restricted')::boolean
                                   THEN format('<b>Orders that role %s may not see are left out.</b>',
                                               ordcancel_internal.report_html(f ->> 'role'))
                                   ELSE 'Nothing is hidden from this role.' END),
    (7, 'Made', format('%s by role %s, with cancel_report() of ordcancel %s',
                       ordcancel_internal.report_instant(f #>> '{period,now}'),
                       ordcancel_internal.report_html(f ->> 'role'), ordcancel_internal.report_html(f ->> 'version'))))
    AS l (n, term, text)
$$;
COMMENT ON FUNCTION ordcancel_internal.report_foot(jsonb) IS 'returns what the report is based on';

CREATE FUNCTION ordcancel_internal.report_page(f jsonb) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT '<!DOCTYPE html>' || E'\n' || '<html lang="en"><head><meta charset="utf-8"/>'
       '<meta http-equiv="Content-Security-Policy" content="default-src ''none''; style-src ''unsafe-inline''"/>'
       '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
       '<meta name="referrer" content="no-referrer"/>'
       || format('<title>Cancellations of %s, %s</title><style>%s</style></head><body>', t.orders, t.period,
                 ordcancel_internal.report_style())
       || ordcancel_internal.report_patterns()
       || format('<header><h1>Cancellations of <bdi>%s</bdi></h1><p>%s. Compared with the %s before.</p></header>',
                 t.orders, t.period, f #>> '{period,length}')
       || ordcancel_internal.report_tiles(f) || ordcancel_internal.report_findings(f) || E'\n<main>\n'
       || CASE WHEN t.n > 0
               THEN concat_ws(E'\n', ordcancel_internal.report_by_day(f), '<div class="pair">',
                              ordcancel_internal.report_by_reason(f), ordcancel_internal.report_by_wait(f),
                              ordcancel_internal.report_by_party(f), ordcancel_internal.report_by_denial(f), '</div>')
               ELSE '<section class="empty"><h2>A quiet time</h2><p>No order was canceled in this period, and nobody'
                    ' asked to cancel one.</p></section>' END
       || E'\n<div class="pair">\n' || ordcancel_internal.report_by_refund(f)
       || E'\n' || ordcancel_internal.report_by_request(f)
       || coalesce(E'\n' || ordcancel_internal.report_by_part(f), '') || E'\n</div>'
       || coalesce(E'\n' || ordcancel_internal.report_by_change(f), '')
       || E'\n</main>\n' || ordcancel_internal.report_foot(f) || '</body></html>'
FROM (SELECT ordcancel_internal.report_html(f ->> 'orders', 130), ordcancel_internal.report_title(f -> 'period'),
             ordcancel_internal.report_count(f -> 'kinds', false)) AS t (orders, period, n)
$$;
COMMENT ON FUNCTION ordcancel_internal.report_page(jsonb) IS 'makes the page from its figures';

CREATE FUNCTION ordcancel_internal.cancel_report(orders regclass, "from" timestamptz, "to" timestamptz) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    period CONSTANT jsonb := ordcancel_internal.report_period("from", "to");
    records text;
    groups jsonb;
    figures jsonb;
BEGIN
    records := ordcancel_internal.report_query('cancellations', orders);
    groups := ordcancel_internal.report_groups(records, period);
    figures := jsonb_build_object(
        'orders', ordcancel_internal.label(orders), 'role', ordcancel_internal.caller_role(),
        'version', (SELECT extversion FROM pg_extension WHERE extname = 'ordcancel'),
        'restricted', ordcancel_internal.report_hides_rows(orders), 'period', period,
        'scale', (SELECT t.refund_scale FROM ordcancel.order_table AS t WHERE t.orders = cancel_report.orders),
        'kinds', groups -> 'kinds', 'actors', groups -> 'actors', 'waits', groups -> 'waits',
        'spread', groups -> 'spread', 'slots', ordcancel_internal.report_slots(groups -> 'slots', period),
        'reasons', ordcancel_internal.report_reasons(groups -> 'kinds'),
        'parties', ordcancel_internal.report_parties(groups -> 'kinds'),
        'placed', ordcancel_internal.report_placed(orders, period),
        'requests', ordcancel_internal.report_requests(orders, records, (period ->> 'now')::timestamptz),
        'refunds', ordcancel_internal.report_refunds(records, (period ->> 'now')::timestamptz),
        'denials', ordcancel_internal.report_denials(groups -> 'kinds'),
        'parts', CASE WHEN groups -> 'kinds' @> '[{"earlier": false, "scope": "items"}]'
                      THEN ordcancel_internal.report_parts(orders, records, period) ELSE '[]' END,
        'changes', ordcancel_internal.report_changes(orders, records, period));
    RETURN ordcancel_internal.report_page(figures);
END
$$;
COMMENT ON FUNCTION ordcancel_internal.cancel_report(regclass, timestamptz, timestamptz) IS
    'implements ordcancel.cancel_report()';

-- A report on the cancellations of an attached table as one HTML page that needs
-- nothing else: figures, plots and lists for a period, compared with the period
-- of the same length before. from, to: the period, which ends before to; by
-- default the 30 days until now. Days are those of the session's time zone. The
-- caller needs SELECT on the table, and sees what row-level security shows.
-- Raises OC001, OC014, 42501.
CREATE FUNCTION ordcancel.cancel_report(
    orders regclass, "from" timestamptz DEFAULT NULL, "to" timestamptz DEFAULT NULL) RETURNS text
    LANGUAGE c STABLE
    AS 'MODULE_PATHNAME', 'ordcancel_row_reader_gate';
COMMENT ON FUNCTION ordcancel.cancel_report(regclass, timestamptz, timestamptz) IS
    E'returns a report on the cancellations of an order table in a period as one HTML page'
    '\nRaises OC001, OC014, 42501.';
