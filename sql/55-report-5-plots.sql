-- cancel_report: plots as SVG. Positions along the width are percentages, so that
-- a plot fits any page while its text keeps its size.

-- The patterns of states and parties, which differ also without color.
CREATE FUNCTION ordcancel_internal.report_patterns() RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT '<svg class="patterns" width="0" height="0" aria-hidden="true"><defs>'
       || string_agg(format('<pattern id="fill-%s" width="6" height="6" patternUnits="userSpaceOnUse">'
                            '<rect width="6" height="6" class="c-%1$s"/><path class="hatch" d="%s"/></pattern>',
                            p.what, p.path), '' ORDER BY p.n)
       || '</defs></svg>'
FROM (VALUES (1, 'in_progress', 'M-1 1L1 -1M-1 7L7 -1M5 7L7 5'), (2, 'requested', 'M3 1.5V4.5M1.5 3H4.5'),
             (3, 'denied', 'M0 3H6'), (4, 'undone', 'M3 0V6'), (5, 'merchant', 'M-1 5L1 7M-1 -1L7 7M5 -1L7 1'))
         AS p (n, what, path)
$$;
COMMENT ON FUNCTION ordcancel_internal.report_patterns() IS 'returns the patterns of the plots';

CREATE FUNCTION ordcancel_internal.report_legend(words text[]) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT '<p class="legend">'
       || string_agg(format('<span><svg class="key" width="12" height="12" aria-hidden="true"><rect width="12"'
                            ' height="12" class="f-%s"/></svg> %s</span>', l.word,
                            ordcancel_internal.report_word(l.word)), ' ' ORDER BY l.n)
       || '</p>'
FROM unnest(words) WITH ORDINALITY AS l (word, n)
$$;
COMMENT ON FUNCTION ordcancel_internal.report_legend(text[]) IS 'returns the legend of a plot';

-- A horizontal bar, of one or several parts; most is the length of a full one.
CREATE FUNCTION ordcancel_internal.report_bar(words text[], parts numeric[], most numeric) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT '<svg class="bar" width="100%" height="10" aria-hidden="true"><rect width="100%" height="10" class="track"/>'
       || coalesce(string_agg(format('<rect x="%s%%" width="%s%%" height="10" class="f-%s"/>',
                                     round(100 * (b.upto - b.part) / most, 2), round(100 * b.part / most, 2), b.word),
                              '' ORDER BY b.n) FILTER (WHERE b.part > 0), '')
       || '</svg>'
FROM (SELECT p.word, p.part, p.n, sum(p.part) OVER (ORDER BY p.n) AS upto
      FROM unnest(words, parts) WITH ORDINALITY AS p (word, part, n)) AS b
WHERE most > 0
$$;
COMMENT ON FUNCTION ordcancel_internal.report_bar(text[], numeric[], numeric) IS 'draws a horizontal bar';

-- The distance of the lines of a scale from 0 to most: 1, 2 or 5 times a power of
-- ten, for at most five of them.
CREATE FUNCTION ordcancel_internal.report_step(most numeric, lines integer DEFAULT 5) RETURNS numeric
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT min(s.step)
FROM generate_series(0, 18) AS e (e), unnest(ARRAY[1, 2, 5]) AS f (f),
    LATERAL (SELECT f.f * 10::numeric ^ e.e) AS s (step)
WHERE s.step * lines >= most
$$;
COMMENT ON FUNCTION ordcancel_internal.report_step(numeric, integer) IS 'returns the distance of the lines of a scale';

-- What the axis says below some of the columns. Those of rank 2 are not shown on
-- narrow pages.
CREATE FUNCTION ordcancel_internal.report_ticks(slots jsonb, unit text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
WITH slot AS (
    SELECT (s.slot ->> 'day')::timestamp AS day, s.n, count(*) OVER () AS slots
    FROM jsonb_array_elements(slots) WITH ORDINALITY AS s (slot, n)
), chosen AS (
    SELECT s.*, row_number() OVER (ORDER BY s.n) AS k
    FROM slot AS s, LATERAL (SELECT CASE WHEN s.slots <= 10 THEN 1 ELSE ceil(s.slots / 9.0) END::integer) AS e (every)
    -- Of many days, Mondays.
    WHERE CASE WHEN unit = 'day' AND s.slots > 14
               THEN extract(isodow FROM s.day) = 1
                   AND (extract(epoch FROM s.day) / 604800)::bigint % ceil(s.slots / 63.0)::bigint = 0
               ELSE (s.n - 1) % e.every = 0 END
)
SELECT string_agg(format('<text x="%s%%" y="212"%s%s>%s</text>', round(100 * (c.n - 0.5) / c.slots, 2),
                         CASE WHEN c.k % 3 <> 1 THEN ' class="minor"' ELSE '' END,
                         CASE WHEN (c.n - 0.5) / c.slots < 0.04 AND c.slots > 10 THEN ' style="text-anchor:start"'
                              WHEN (c.n - 0.5) / c.slots > 0.96 AND c.slots > 10 THEN ' style="text-anchor:end"'
                              ELSE '' END,
                         replace(CASE unit WHEN 'day' THEN to_char(c.day, 'FMDD Mon')
                                           WHEN 'week' THEN to_char(c.day, 'FMDD Mon YY')
                                           WHEN 'month' THEN to_char(c.day, 'Mon YYYY')
                                           ELSE to_char(c.day, 'FMYYYY') END, ' ', '&#160;')), '' ORDER BY c.n)
FROM chosen AS c
$$;
COMMENT ON FUNCTION ordcancel_internal.report_ticks(jsonb, text) IS 'returns the labels of the time axis';

-- The columns of the plot by day: for each day, what began in it by what became
-- of it, from the bottom up.
CREATE FUNCTION ordcancel_internal.report_columns(slots jsonb, unit text, top numeric) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
WITH part AS (
    SELECT s.n AS slot, (s.slot ->> 'day')::timestamp AS day, count(*) OVER (PARTITION BY w.word) AS slots, w.n, w.word,
           (s.slot -> 'states' ->> w.word)::numeric AS amount,
           sum((s.slot -> 'states' ->> w.word)::numeric) OVER (PARTITION BY s.n ORDER BY w.n) AS upto
    FROM jsonb_array_elements(slots) WITH ORDINALITY AS s (slot, n),
        unnest(ordcancel_internal.report_states()) WITH ORDINALITY AS w (word, n)
), drawn AS (
    SELECT p.slot, p.n, p.day, p.word, p.amount,
           format('<rect x="%s%%" y="%s" width="%s%%" height="%s" class="f-%s"/>',
                  round(100 * (p.slot - 1 + g.gap / 2) / p.slots, 3), round(190 - 170 * p.upto / top, 2),
                  round(100 * (1 - g.gap) / p.slots, 3), round(170 * p.amount / top, 2), p.word) AS rect
    FROM part AS p, LATERAL (SELECT CASE WHEN p.slots > 60 THEN 0.15 WHEN p.slots > 3 THEN 0.25 ELSE 0.7 END) AS g (gap)
    WHERE p.amount > 0
)
SELECT string_agg(c.text, '' ORDER BY c.slot)
FROM (SELECT d.slot,
             format('<g><title>%s%s: %s (%s)</title>%s</g>',
                    CASE unit WHEN 'day' THEN to_char(min(d.day), 'Dy, ') WHEN 'week' THEN 'Week of ' ELSE '' END,
                    CASE unit WHEN 'month' THEN to_char(min(d.day), 'Mon YYYY')
                              WHEN 'year' THEN to_char(min(d.day), 'FMYYYY')
                              ELSE ordcancel_internal.report_day(min(d.day)) END,
                    ordcancel_internal.report_noun(sum(d.amount), 'attempt', 'attempts'),
                    string_agg(ordcancel_internal.report_number(d.amount) || ' '
                               || ordcancel_internal.report_word(d.word), ', ' ORDER BY d.n),
                    string_agg(d.rect, '' ORDER BY d.n)) AS text
      FROM drawn AS d GROUP BY d.slot) AS c
$$;
COMMENT ON FUNCTION ordcancel_internal.report_columns(jsonb, text, numeric) IS 'draws the columns of the plot by day';

CREATE FUNCTION ordcancel_internal.report_plot(figures jsonb) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    slots CONSTANT jsonb := figures -> 'slots';
    period CONSTANT jsonb := figures -> 'period';
    unit CONSTANT text := period ->> 'unit';
    most CONSTANT numeric := (SELECT max((SELECT coalesce(sum(v.value::numeric), 0)
                                          FROM jsonb_each_text(s -> 'states') AS v))
                              FROM jsonb_array_elements(slots) AS s);
    step CONSTANT numeric := ordcancel_internal.report_step(most);
    top CONSTANT numeric := step * greatest(1, ceil(most / step));
    first_day CONSTANT timestamp := slots -> 0 ->> 'day';
    last_day CONSTANT timestamp := (slots -> -1 ->> 'day')::timestamp + ('1 ' || unit)::interval;
BEGIN
    RETURN
        format('<div class="frame"><svg class="plot" width="100%%" height="220" role="img"'
               ' aria-labelledby="plot-title plot-desc"><title id="plot-title">Attempts to cancel by %s</title>'
               '<desc id="plot-desc">Stacked columns, one for each %s, by what became of the attempts. The highest is'
               ' %s. The same numbers are in the table below.</desc>',
               unit, unit, ordcancel_internal.report_number(most))
        || (SELECT string_agg(format('<line x1="0" x2="100%%" y1="%1$s" y2="%1$s" class="%2$s"/>'
                                     '<text x="-8" y="%3$s" class="scale">%4$s</text>',
                                     p.y, CASE WHEN v = 0 THEN 'axis' ELSE 'grid' END, p.y + 4,
                                     ordcancel_internal.report_number(v)), '' ORDER BY v)
            FROM generate_series(0, top, step) AS v, LATERAL (SELECT round(190 - 170 * v / top, 2)) AS p (y))
        || coalesce(ordcancel_internal.report_columns(slots, unit, top), '')
        || coalesce(ordcancel_internal.report_ticks(slots, unit), '')
        -- Changes of policy.
        || coalesce((SELECT string_agg(format('<g class="change"><title>%s: policy changed</title>'
                                              '<line x1="%s%%" x2="%2$s%%" y1="14" y2="190"/>'
                                              '<text x="%2$s%%" y="10">%s</text></g>',
                                              ordcancel_internal.report_day(c.at, true),
                                              round(100 * extract(epoch FROM c.at - first_day)
                                                    / extract(epoch FROM last_day - first_day), 2),
                                              c.n), '' ORDER BY c.n)
                     FROM (SELECT (h.change ->> 'at')::timestamptz AT TIME ZONE (period ->> 'zone'), h.n
                           FROM jsonb_array_elements(figures -> 'changes') WITH ORDINALITY AS h (change, n))
                              AS c (at, n)), '')
        || '</svg></div>';
END
$$;
COMMENT ON FUNCTION ordcancel_internal.report_plot(jsonb) IS 'draws what was requested by day';
