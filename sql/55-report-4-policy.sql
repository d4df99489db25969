-- cancel_report: before and after a change of policy

-- The changes in the period, each with what was requested in the same number of
-- days before and after it. Changes within an hour of each other are one.
-- Neither side reaches beyond the next change, 28 days, or the end.
CREATE FUNCTION ordcancel_internal.report_changes(orders regclass, records text, period jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    start CONSTANT timestamptz := period ->> 'from';
    reached CONSTANT timestamptz := period ->> 'reached';
    result jsonb;
BEGIN
    EXECUTE format($query$
WITH noted AS (
    SELECT p.change_no, p.changed_at, p.changed_by, p.what,
           p.changed_at - lag(p.changed_at) OVER (ORDER BY p.changed_at, p.change_no) > interval '1 hour' AS apart
    FROM ordcancel.policy_change AS p
    WHERE p.orders = $1 AND p.changed_at < $3
), numbered AS (
    SELECT n.*, count(*) FILTER (WHERE n.apart) OVER (ORDER BY n.changed_at, n.change_no) AS change FROM noted AS n
), change AS (
    SELECT min(n.changed_at) AS at, max(n.changed_at) AS done,
           array_agg(DISTINCT n.changed_by COLLATE "C") AS changed_by,
           array_agg(n.what ORDER BY n.changed_at, n.change_no) AS what
    FROM numbered AS n GROUP BY n.change
), framed AS (
    SELECT c.*, least(28, extract(epoch FROM c.at - lag(c.done) OVER w) / 86400,
                      extract(epoch FROM coalesce(lead(c.at) OVER w, $3) - c.done) / 86400)::numeric AS most
    FROM change AS c WINDOW w AS (ORDER BY c.at)
), measured AS MATERIALIZED (
    SELECT f.*, floor(f.most) * interval '1 day' AS days FROM framed AS f WHERE f.at >= $2 ORDER BY f.at LIMIT 20
), found AS (
    SELECT m.at, s.side, count(c.state) AS n, count(*) FILTER (WHERE c.state = 'denied') AS denied,
           percentile_disc(0.5) WITHIN GROUP (ORDER BY c.time_to_decision) AS median
    FROM measured AS m
        CROSS JOIN LATERAL (VALUES ('before', m.at - m.days, m.at), ('after', m.done, m.done + m.days))
            AS s (side, low, high)
        LEFT JOIN LATERAL (SELECT r.state, r.time_to_decision FROM (%s) AS r
                           WHERE r.requested_at >= s.low AND r.requested_at < s.high) AS c ON true
    GROUP BY m.at, s.side
)
SELECT jsonb_agg(jsonb_build_object(
           'at', m.at, 'by', m.changed_by, 'what', m.what, 'days', floor(m.most),
           'before', (SELECT jsonb_build_object('n', f.n, 'denied', f.denied, 'median', extract(epoch FROM f.median))
                      FROM found AS f WHERE f.at = m.at AND f.side = 'before'),
           'after', (SELECT jsonb_build_object('n', f.n, 'denied', f.denied, 'median', extract(epoch FROM f.median))
                     FROM found AS f WHERE f.at = m.at AND f.side = 'after')) ORDER BY m.at)
FROM measured AS m
$query$, records) INTO result USING orders, start, reached;
    RETURN coalesce(result, '[]');
END
$$;
COMMENT ON FUNCTION ordcancel_internal.report_changes(regclass, text, jsonb) IS
    'compares what was requested before and after each change of policy in a period';
