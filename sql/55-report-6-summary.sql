-- cancel_report: the figures at the top, and what they call for

CREATE FUNCTION ordcancel_internal.report_tile(
    label text, value text, note text, alarm boolean DEFAULT false) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT format('<div class="tile%s"><dt>%s</dt><dd><b>%s</b><span>%s</span></dd></div>',
              CASE WHEN alarm THEN ' alarm' ELSE '' END, label, value, note)
$$;
COMMENT ON FUNCTION ordcancel_internal.report_tile(text, text, text, boolean) IS
    'returns one of the figures at the top';

-- What a number was before, with the difference.
CREATE FUNCTION ordcancel_internal.report_before(n numeric, before numeric) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT CASE WHEN before = 0 AND n = 0 THEN 'none before either'
            WHEN before = 0 THEN 'none before'
            WHEN n = before THEN 'as many as before'
            ELSE format('%s from %s', ordcancel_internal.report_change(n, before),
                        ordcancel_internal.report_number(before)) END
$$;
COMMENT ON FUNCTION ordcancel_internal.report_before(numeric, numeric) IS
    'returns what a figure was in the period before';

CREATE FUNCTION ordcancel_internal.report_tiles(f jsonb) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    done CONSTANT text[] := '{canceled,in_progress}';
    kinds CONSTANT jsonb := f -> 'kinds';
    attempts CONSTANT numeric := ordcancel_internal.report_count(kinds, false);
    canceled CONSTANT numeric := ordcancel_internal.report_count(kinds, false, done);
    before CONSTANT numeric := ordcancel_internal.report_count(kinds, true, done);
    denied CONSTANT numeric := ordcancel_internal.report_count(kinds, false, '{denied}');
    median CONSTANT numeric := f #>> '{waits,now,median}';
    median_before CONSTANT numeric := f #>> '{waits,before,median}';
    requests CONSTANT jsonb := f -> 'requests';
    refunds CONSTANT jsonb := f -> 'refunds';
    -- Of the orders placed; each attempt is one, also of parts.
    placed CONSTANT numeric := f #>> '{placed,now}';
    placed_before CONSTANT numeric := f #>> '{placed,before}';
BEGIN
    RETURN '<dl class="tiles">'
        || ordcancel_internal.report_tile('Canceled', ordcancel_internal.report_number(canceled),
                                          ordcancel_internal.report_before(canceled, before))
        || CASE WHEN placed > 0
                THEN ordcancel_internal.report_tile(
                         'Share of orders', ordcancel_internal.report_share(canceled, placed),
                         CASE WHEN placed_before > 0
                              THEN format('of %s; before %s', ordcancel_internal.report_number(placed),
                                          ordcancel_internal.report_share(before, placed_before))
                              ELSE format('of %s', ordcancel_internal.report_number(placed)) END)
                ELSE ordcancel_internal.report_tile(
                         'Attempts in all', ordcancel_internal.report_number(attempts),
                         ordcancel_internal.report_before(attempts, ordcancel_internal.report_count(kinds, true))) END
        || ordcancel_internal.report_tile(
               'Denied', ordcancel_internal.report_number(denied),
               ordcancel_internal.report_before(denied, ordcancel_internal.report_count(kinds, true, '{denied}')))
        || ordcancel_internal.report_tile(
               'Time to decision', coalesce(ordcancel_internal.report_duration(median), '&#8211;'),
               CASE WHEN median IS NULL THEN 'no request was decided'
                    WHEN median_before IS NULL THEN 'median; none before'
                    ELSE 'median; before ' || ordcancel_internal.report_duration(median_before) END)
        || ordcancel_internal.report_tile(
               'Refunds due now', ordcancel_internal.report_number((refunds ->> 'outstanding')::numeric,
                                                                   (f ->> 'scale')::integer),
               CASE WHEN (refunds ->> 'n')::bigint = 0 THEN 'all is paid'
                    ELSE format('%s, oldest %s',
                                ordcancel_internal.report_noun((refunds ->> 'n')::numeric, 'refund', 'refunds'),
                                ordcancel_internal.report_duration((refunds ->> 'oldest')::numeric)) END,
               (refunds ->> 'late')::bigint > 0)
        || ordcancel_internal.report_tile(
               'Open requests now', ordcancel_internal.report_number((requests ->> 'n')::numeric),
               CASE WHEN (requests ->> 'n')::bigint = 0 THEN 'all are decided'
                    WHEN (requests ->> 'overdue')::bigint > 0
                    THEN format('%s overdue, oldest %s',
                                ordcancel_internal.report_number((requests ->> 'overdue')::numeric),
                                ordcancel_internal.report_duration((requests ->> 'oldest')::numeric))
                    ELSE format('oldest %s', ordcancel_internal.report_duration((requests ->> 'oldest')::numeric)) END,
               (requests ->> 'overdue')::bigint > 0)
        || '</dl>';
END
$$;
COMMENT ON FUNCTION ordcancel_internal.report_tiles(jsonb) IS 'returns the figures at the top';

-- What stands out, in sentences: at most five.
CREATE FUNCTION ordcancel_internal.report_findings(f jsonb) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
WITH figure AS (
    SELECT (f #>> '{requests,overdue}')::numeric AS overdue, (f #>> '{refunds,late}')::numeric AS late,
           (f #>> '{refunds,late_outstanding}')::numeric AS late_outstanding, (f ->> 'scale')::integer AS scale,
           ordcancel_internal.report_count(f -> 'kinds', false) AS n,
           ordcancel_internal.report_count(f -> 'kinds', true) AS before,
           (SELECT coalesce(sum(d.n), 0) FROM jsonb_to_recordset(f -> 'denials') AS d (n numeric)) AS denied,
           (SELECT coalesce(sum(d.n), 0) FROM jsonb_to_recordset(f -> 'denials') AS d (cause text, n numeric)
            WHERE d.cause = 'moved') AS moved
), risen AS (
    SELECT r.* FROM jsonb_to_recordset(f -> 'reasons')
        AS r (reason text, description text, n numeric, before numeric)
    WHERE r.reason IS NOT NULL AND r.n - r.before >= 5
    ORDER BY r.n - r.before DESC, r.reason COLLATE "C" LIMIT 1
), finding (n, urgent, text) AS (
    SELECT 1, true, format('%s past the deadline: <a href="#requests">decide the oldest first</a>.',
                           ordcancel_internal.report_noun(overdue, 'open request is', 'open requests are'))
    FROM figure WHERE overdue > 0
    UNION ALL
    SELECT 2, true, format('%s due for more than a week, %s in all: <a href="#refunds">the oldest</a>.',
                           ordcancel_internal.report_noun(late, 'refund has been', 'refunds have been'),
                           ordcancel_internal.report_number(late_outstanding, scale))
    FROM figure WHERE late > 0
    UNION ALL
    SELECT 3, false, format('%s of %s denials came about because the order moved on before anybody decided.',
                            ordcancel_internal.report_number(moved), ordcancel_internal.report_number(denied))
    FROM figure WHERE moved >= 3 AND moved >= 0.25 * denied
    UNION ALL
    SELECT 4, false, format('%s%% %s attempts than in the %s before (%s after %s).',
                            round(100 * abs(n - before) / before), CASE WHEN n > before THEN 'more' ELSE 'fewer' END,
                            f #>> '{period,length}', ordcancel_internal.report_number(n),
                            ordcancel_internal.report_number(before))
    FROM figure WHERE before >= 10 AND abs(n - before) >= 0.15 * before
    UNION ALL
    SELECT 5, false, format('The reason that increased most: %s, %s after %s.',
                            ordcancel_internal.report_reason(reason, description),
                            ordcancel_internal.report_number(r.n), ordcancel_internal.report_number(r.before))
    FROM risen AS r WHERE r.n >= 1.25 * r.before
    UNION ALL
    SELECT 6, false, 'No request is overdue, and no refund has been due for more than a week.'
    FROM figure WHERE overdue = 0 AND late = 0
)
SELECT '<ul class="findings">'
       || string_agg(format('<li%s>%s</li>', CASE WHEN g.urgent THEN ' class="urgent"' ELSE '' END, g.text), ''
                     ORDER BY g.n)
       || '</ul>'
FROM finding AS g
$$;
COMMENT ON FUNCTION ordcancel_internal.report_findings(jsonb) IS 'returns sentences about what stands out';
