-- cancel_report: what the page shows, as jsonb

-- As row_security_active() for the caller, which that function does not know.
CREATE FUNCTION ordcancel_internal.report_hides_rows(orders regclass) RETURNS boolean
    LANGUAGE c STABLE STRICT
    AS 'MODULE_PATHNAME', 'ordcancel_report_hides_rows';
COMMENT ON FUNCTION ordcancel_internal.report_hides_rows(regclass) IS
    'returns whether row-level security restricts what the caller of a report sees';

-- The period, the one before it, and how the plot divides it. Both periods have
-- the same length on the clock of the session's time zone, and end now if the
-- period has not ended.
CREATE FUNCTION ordcancel_internal.report_period(since timestamptz, until timestamptz) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    zone CONSTANT text := current_setting('TimeZone');
    clock CONSTANT timestamptz := (SELECT c.now FROM ordcancel_internal.clock AS c);
    finish CONSTANT timestamptz := coalesce(until, clock);
    start CONSTANT timestamptz := coalesce(since, ((finish AT TIME ZONE zone) - interval '30 days') AT TIME ZONE zone);
    reached CONSTANT timestamptz := greatest(start, least(finish, clock));
    length interval;
    unit text;
BEGIN
    IF NOT isfinite(start) OR NOT isfinite(finish) THEN
        PERFORM ordcancel_internal.invalid('"from" and "to" of a report must be finite', NULL,
                                           'Omit both for the last 30 days.');
    ELSIF start >= finish THEN
        PERFORM ordcancel_internal.invalid(
            '"from" of a report must be before "to"',
            format('The period is from %s to %s.', ordcancel_internal.report_instant(start::text),
                   ordcancel_internal.report_instant(finish::text)),
            'The period ends before "to": a day is from its midnight to the next one.');
    END IF;
    length := (reached AT TIME ZONE zone) - (start AT TIME ZONE zone);
    unit := CASE WHEN length <= interval '125 days' THEN 'day' WHEN length <= interval '800 days' THEN 'week'
                 WHEN length <= interval '7400 days' THEN 'month' ELSE 'year' END;
    RETURN jsonb_build_object(
        'zone', zone, 'now', clock, 'from', start, 'to', finish, 'reached', reached,
        'before', ((start AT TIME ZONE zone) - length) AT TIME ZONE zone,
        'length', CASE WHEN length >= interval '1 day' AND extract(epoch FROM length) % 86400 = 0
                       THEN ordcancel_internal.report_noun(extract(day FROM length), 'day', 'days')
                       ELSE ordcancel_internal.report_duration(extract(epoch FROM length)) END,
        'unit', unit);
END
$$;
COMMENT ON FUNCTION ordcancel_internal.report_period(timestamptz, timestamptz) IS
    'returns the period of a report, and the one before it';

-- The beginnings of the plot's columns: from itself, then each next day, or week,
-- month or year, on the clock of the time zone.
CREATE FUNCTION ordcancel_internal.report_bounds(period jsonb) RETURNS timestamptz[]
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT (period ->> 'from')::timestamptz
       || ARRAY(SELECT b.at
                FROM generate_series(date_trunc(p.unit, p.low) + ('1 ' || p.unit)::interval, p.high,
                                     ('1 ' || p.unit)::interval) AS s (day),
                    LATERAL (SELECT s.day AT TIME ZONE (period ->> 'zone')) AS b (at)
                WHERE b.at < (period ->> 'reached')::timestamptz
                ORDER BY b.at)
FROM (SELECT period ->> 'unit', (period ->> 'from')::timestamptz AT TIME ZONE (period ->> 'zone'),
             (period ->> 'reached')::timestamptz AT TIME ZONE (period ->> 'zone')) AS p (unit, low, high)
$$;
COMMENT ON FUNCTION ordcancel_internal.report_bounds(jsonb) IS
    'lists the beginnings of the days of a report, or of its weeks, months or years';

-- All that is counted for both periods, in one scan of the records. Slots are
-- numbered from 1; 0 is the period before. Times are grouped as they are shown,
-- so that percentiles of the groups are exact. A denied request whose order did
-- not get its prior status back was denied because the order moved on; its event
-- says so too, but prune_events() may have deleted it. OFFSET 0 keeps the planner
-- from evaluating expressions once for each use.
CREATE FUNCTION ordcancel_internal.report_groups(records text, period jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    result jsonb;
BEGIN
    EXECUTE format($query$
WITH attempt AS (
    SELECT width_bucket(c.requested_at, $4) AS slot, c.requested_at < $2 AS earlier, c.state, c.reason, c.requested_by,
           c.requested_actor, c.scope,
           CASE WHEN c.state = 'denied'
                THEN CASE WHEN c.decided_by = 'system' THEN 'deadline'
                          WHEN c.order_status IS DISTINCT FROM c.prior_status THEN 'moved'
                          ELSE 'person' END END AS denial,
           CASE WHEN c.state = 'denied' AND c.decided_by <> 'system' AND c.order_status <> c.prior_status
                THEN c.order_status END AS moved_to, floor(date_part('epoch', c.time_to_decision))::bigint AS waited
    FROM (%s) AS c
    WHERE c.requested_at >= $1 AND c.requested_at < $3
    OFFSET 0
), rounded AS (
    SELECT a.slot, a.earlier, a.state, a.reason, a.requested_by, a.requested_actor, a.scope, a.denial,
           a.moved_to,
           CASE WHEN a.waited < 60 THEN greatest(0, a.waited) WHEN a.waited < 86400 THEN a.waited / 60 * 60
                ELSE a.waited / 3600 * 3600 END AS waited
    FROM attempt AS a
    OFFSET 0
), counted AS MATERIALIZED (
    SELECT GROUPING(slot, reason, requested_actor, waited) AS kind, earlier, slot, state, reason, requested_by,
           requested_actor, scope, denial, moved_to, waited, count(*) AS n
    FROM rounded
    GROUP BY GROUPING SETS ((slot, state), (earlier, reason, requested_by, state, scope, denial, moved_to),
                            (earlier, requested_by, requested_actor), (earlier, waited))
), waits AS (
    SELECT earlier, waited, n, sum(n) OVER (PARTITION BY earlier ORDER BY waited) AS upto,
           sum(n) OVER (PARTITION BY earlier) AS all_n
    FROM counted WHERE kind = 14 AND waited IS NOT NULL
)
SELECT jsonb_build_object(
    'slots', (SELECT coalesce(jsonb_object_agg(s.slot, s.states), '{}')
              FROM (SELECT slot, jsonb_object_agg(state, n) AS states
                    FROM counted WHERE kind = 7 AND slot > 0 GROUP BY slot) AS s),
    'kinds', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                         'earlier', earlier, 'reason', reason, 'party', requested_by, 'state', state,
                         'scope', scope, 'denial', denial, 'moved_to', moved_to, 'n', n)), '[]')
              FROM counted WHERE kind = 11),
    'actors', (SELECT coalesce(jsonb_agg(jsonb_build_object('party', a.requested_by, 'actor', a.requested_actor,
                                                            'n', a.n, 'before', a.before)
                                         ORDER BY a.n DESC, a.requested_by COLLATE "C",
                                                  a.requested_actor COLLATE "C"), '[]')
               FROM (SELECT requested_by, requested_actor, sum(n) FILTER (WHERE NOT earlier) AS n,
                            coalesce(sum(n) FILTER (WHERE earlier), 0) AS before
                     FROM counted WHERE kind = 13 AND requested_actor IS NOT NULL
                     GROUP BY requested_by, requested_actor HAVING NOT bool_and(earlier)
                     ORDER BY 3 DESC, requested_by COLLATE "C", requested_actor COLLATE "C" LIMIT 10) AS a),
    'waits', (SELECT coalesce(jsonb_object_agg(
                         CASE WHEN w.earlier THEN 'before' ELSE 'now' END,
                         jsonb_build_object('n', w.all_n, 'median', w.median, 'ninth', w.ninth)), '{}')
              FROM (SELECT earlier, max(all_n) AS all_n, min(waited) FILTER (WHERE upto >= 0.5 * all_n) AS median,
                           min(waited) FILTER (WHERE upto >= 0.9 * all_n) AS ninth
                    FROM waits GROUP BY earlier) AS w),
    'spread', (SELECT jsonb_agg(jsonb_build_object('label', b.label, 'from', b.low, 'to', b.high, 'n', coalesce(w.n, 0))
                                ORDER BY b.low)
               FROM (VALUES (0, 900, 'up to 15 min'), (900, 3600, '15 to 60 min'), (3600, 14400, '1 to 4 h'),
                            (14400, 43200, '4 to 12 h'), (43200, 86400, '12 to 24 h'), (86400, 172800, '1 to 2 days'),
                            (172800, 345600, '2 to 4 days'), (345600, 604800, '4 to 7 days'),
                            (604800, NULL, 'more than a week')) AS b (low, high, label)
                   LEFT JOIN LATERAL (SELECT sum(n) FROM waits
                                      WHERE NOT earlier AND waited >= b.low AND (waited < b.high) IS NOT FALSE)
                       AS w (n) ON true))
$query$, records)
    INTO result
    USING (period ->> 'before')::timestamptz, (period ->> 'from')::timestamptz, (period ->> 'reached')::timestamptz,
          ordcancel_internal.report_bounds(period);
    RETURN result;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.report_groups(text, jsonb) IS
    'counts the cancellations of a period and of the one before it';

-- The plot's columns: each with its first day and the states of what began in it,
-- those without any included.
CREATE FUNCTION ordcancel_internal.report_slots(slots jsonb, period jsonb) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT jsonb_agg(jsonb_build_object(
                     'day', date_trunc(period ->> 'unit', b.at AT TIME ZONE (period ->> 'zone'))::date,
                     'states', coalesce(slots -> (b.slot::text), '{}')) ORDER BY b.slot)
FROM unnest(ordcancel_internal.report_bounds(period)) WITH ORDINALITY AS b (at, slot)
$$;
COMMENT ON FUNCTION ordcancel_internal.report_slots(jsonb, jsonb) IS
    'lists the days of a report, or its weeks, months or years';

-- Counts of attempts by what they have in common.
CREATE FUNCTION ordcancel_internal.report_reasons(kinds jsonb) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT coalesce(jsonb_agg(to_jsonb(r) ORDER BY r.n DESC, r.reason COLLATE "C"), '[]')
FROM (SELECT k.reason, max(w.description) AS description, coalesce(sum(k.n) FILTER (WHERE NOT k.earlier), 0) AS n,
             coalesce(sum(k.n) FILTER (WHERE k.earlier), 0) AS before,
             coalesce(sum(k.n) FILTER (WHERE NOT k.earlier AND k.party = 'customer'), 0) AS customer,
             coalesce(sum(k.n) FILTER (WHERE NOT k.earlier AND k.party = 'merchant'), 0) AS merchant,
             coalesce(sum(k.n) FILTER (WHERE NOT k.earlier AND k.party = 'system'), 0) AS system
      FROM jsonb_to_recordset(kinds) AS k (earlier boolean, reason text, party text, n bigint)
          LEFT JOIN ordcancel.reason AS w ON w.code = k.reason
      GROUP BY k.reason) AS r
$$;
COMMENT ON FUNCTION ordcancel_internal.report_reasons(jsonb) IS 'counts the attempts of a report by reason';

CREATE FUNCTION ordcancel_internal.report_parties(kinds jsonb) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT coalesce(jsonb_agg(jsonb_build_object('party', p.party, 'n', p.n, 'before', p.before, 'states', p.states)
                          ORDER BY p.party COLLATE "C"), '[]')
FROM (SELECT s.party, sum(s.n) AS n, sum(s.before) AS before, jsonb_object_agg(s.state, s.n) AS states
      FROM (SELECT k.party, k.state, coalesce(sum(k.n) FILTER (WHERE NOT k.earlier), 0) AS n,
                   coalesce(sum(k.n) FILTER (WHERE k.earlier), 0) AS before
            FROM jsonb_to_recordset(kinds) AS k (earlier boolean, party text, state text, n bigint)
            GROUP BY k.party, k.state) AS s
      GROUP BY s.party HAVING sum(s.n) > 0) AS p
$$;
COMMENT ON FUNCTION ordcancel_internal.report_parties(jsonb) IS 'counts the attempts of a report by party and state';

CREATE FUNCTION ordcancel_internal.report_denials(kinds jsonb) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT coalesce(jsonb_agg(to_jsonb(d) ORDER BY d.n DESC, d.cause COLLATE "C", d.moved_to COLLATE "C"), '[]')
FROM (SELECT k.denial AS cause, k.moved_to, sum(k.n) AS n
      FROM jsonb_to_recordset(kinds) AS k (earlier boolean, denial text, moved_to text, n bigint)
      WHERE k.denial IS NOT NULL AND NOT k.earlier
      GROUP BY k.denial, k.moved_to) AS d
$$;
COMMENT ON FUNCTION ordcancel_internal.report_denials(jsonb) IS 'counts why requests were denied';

-- The attempts of this period, or of the one before, in some states, or in all.
CREATE FUNCTION ordcancel_internal.report_count(kinds jsonb, earlier boolean, states text[] DEFAULT NULL)
    RETURNS numeric
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT coalesce(sum(k.n), 0)
FROM jsonb_to_recordset(kinds) AS k (earlier boolean, state text, n bigint)
WHERE k.earlier = report_count.earlier AND (states IS NULL OR k.state = ANY (states))
$$;
COMMENT ON FUNCTION ordcancel_internal.report_count(jsonb, boolean, text[]) IS
    'counts the attempts of a report in some states';
