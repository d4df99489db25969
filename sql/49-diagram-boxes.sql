-- Draws the configured life of an order. diagram_parts() returns the parts as
-- rows of plain text, which the formats render. All text of a shop goes through
-- diagram_escape(), so none reaches the output unescaped.

-- Independent of IntervalStyle, and more readable than 00:30:00.
CREATE FUNCTION ordcancel_internal.interval_text(span interval) RETURNS text
    LANGUAGE sql STABLE STRICT
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT coalesce(string_agg(trim_scale(n) || ' ' || unit || CASE WHEN n = 1 THEN '' ELSE 's' END, ' ' ORDER BY place),
                '0 minutes')
FROM (VALUES (1, 'year', extract(year FROM span)), (2, 'month', extract(month FROM span)),
             (3, 'day', extract(day FROM span)), (4, 'hour', extract(hour FROM span)),
             (5, 'minute', extract(minute FROM span)),
             (6, 'second', extract(second FROM span))) AS v (place, unit, n)
WHERE n <> 0
$$;
COMMENT ON FUNCTION ordcancel_internal.interval_text(interval) IS
    'writes an interval in words: 2 days, 1 hour 30 minutes';

-- Splits text into lines. Newlines, unprintable characters, and the character
-- that Mermaid uses internally for its entities become spaces.
CREATE FUNCTION ordcancel_internal.diagram_wrap(words text, width integer) RETURNS text[]
    LANGUAGE plpgsql STABLE STRICT
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    longest CONSTANT integer := 160;
    word text;
    line text := '';
    lines text[] := '{}';
BEGIN
    IF length(words) > longest THEN
        words := left(words, longest) || '...';
    END IF;
    words := regexp_replace(words, E'[\\u0001-\\u001f\\u007f\\u2028\\u2029\\u202a-\\u202e\\u2066-\\u2069'
                                   '\\ufb02\\ufeff\\ufffe\\uffff]', ' ', 'g');
    FOREACH word IN ARRAY string_to_array(words, ' ') LOOP
        CONTINUE WHEN word = '';
        IF line <> '' AND length(line) + 1 + length(word) > width THEN
            lines := lines || line;
            line := '';
        END IF;
        line := line || CASE WHEN line = '' THEN '' ELSE ' ' END || word;
        WHILE length(line) > width LOOP
            lines := lines || left(line, width);
            line := substr(line, width + 1);
        END LOOP;
    END LOOP;
    IF line <> '' OR lines = '{}' THEN
        lines := lines || coalesce(nullif(line, ''), '""');
    END IF;
    RETURN lines;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.diagram_wrap(text, integer) IS
    'breaks text into lines of a width and cuts it if it is very long';

-- Escapes text for a label: for Graphviz the special characters of HTML, for
-- Mermaid everything except letters, digits and some harmless characters.
CREATE FUNCTION ordcancel_internal.diagram_escape(words text, format text) RETURNS text
    LANGUAGE sql STABLE STRICT
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT CASE format WHEN 'dot'
       THEN replace(replace(replace(replace(replace(replace(words, '&', '&amp;'), '<', '&lt;'), '>', '&gt;'),
                                    '"', '&quot;'), '''', '&#39;'), E'\\', '&#92;')
       ELSE (SELECT string_agg(CASE WHEN octet_length(c) > 1 OR c COLLATE "C" ~ '^[A-Za-z0-9 ,]$' THEN c
                                    WHEN c IN ('_', '-') AND before COLLATE "C" ~ '^[A-Za-z0-9]$'
                                         AND after COLLATE "C" ~ '^[A-Za-z0-9]$' THEN c
                                    -- Mermaid turns fa:fa-... into icons.
                                    WHEN c = ':' AND after = 'f' THEN '#58;#8203;'
                                    ELSE '#' || ascii(c) || ';' END, '' ORDER BY n)
             FROM (SELECT c, n, lag(c) OVER (ORDER BY n) AS before, lead(c) OVER (ORDER BY n) AS after
                   FROM regexp_split_to_table(words, '') WITH ORDINALITY AS s (c, n)) AS t) END
$$;
COMMENT ON FUNCTION ordcancel_internal.diagram_escape(text, text) IS 'escapes text for a label of a format';

-- Titles are bold, lines are not. If listed, and there is more than one line,
-- each gets a bullet, so that wrapped lines can be told apart.
CREATE FUNCTION ordcancel_internal.diagram_label(
    titles text[], lines text[], width integer, format text, listed boolean) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT string_agg(format(CASE WHEN titled THEN '<b>%s</b>'
                              WHEN format = 'dot' THEN '<font point-size="10">&#160;%s&#160;</font>' ELSE '%s' END,
                         CASE WHEN titled OR NOT listed OR cardinality(array_remove(lines, NULL)) < 2 THEN ''
                              WHEN m > 1 THEN CASE format WHEN 'dot' THEN '&#160;&#160;' ELSE '' END
                              ELSE CASE format WHEN 'dot' THEN '&#8226; ' ELSE '#8226; ' END END
                         || ordcancel_internal.diagram_escape(w, format)), '<br/>' ORDER BY titled DESC, n, m)
FROM (SELECT true, t, n FROM unnest(titles) WITH ORDINALITY AS u (t, n)
      UNION ALL
      SELECT false, t, n FROM unnest(lines) WITH ORDINALITY AS u (t, n) WHERE t IS NOT NULL) AS v (titled, words, n),
     unnest(ordcancel_internal.diagram_wrap(words, width)) WITH ORDINALITY AS w (w, m)
$$;
COMMENT ON FUNCTION ordcancel_internal.diagram_label(text[], text[], integer, text, boolean) IS
    'writes the label of a box or an arrow';

-- Statuses with identical rules share a box; the most permissive come first. The
-- statuses that the policy uses for cancellations have boxes of their own.
CREATE FUNCTION ordcancel_internal.diagram_rules(orders regclass, policy text)
    RETURNS TABLE (id text, statuses text[], customer text, late text, merchant text, deletable boolean, hint text,
                   expire_after interval)
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
WITH r AS (
    SELECT c.status COLLATE "C" AS status, c.customer, c.merchant, c.deletable, c.hint,
           CASE WHEN p.grace IS NOT NULL AND t.placed_at IS NOT NULL AND c.customer_late IS NOT NULL
                    THEN c.customer_late
                ELSE c.customer END AS late,
           CASE WHEN coalesce(t.status_since, t.placed_at) IS NOT NULL THEN c.expire_after END AS expire_after
    FROM ordcancel.order_table AS t
        JOIN ordcancel.policy AS p ON p.orders = t.orders
        JOIN ordcancel.rule AS c ON c.orders = t.orders AND c.policy = p.policy
    WHERE t.orders = diagram_rules.orders AND p.policy = diagram_rules.policy
      AND c.status <> ALL (array_remove(ARRAY[p.requested_status, p.in_progress_status, p.canceled_status,
                                              p.customer_canceled_status], NULL))
), g AS (
    SELECT array_agg(r.status ORDER BY r.status)::text[] AS statuses, r.customer, r.late, r.merchant,
           r.deletable, r.hint, r.expire_after
    FROM r
    GROUP BY r.customer, r.late, r.merchant, r.deletable, r.hint, r.expire_after
)
SELECT 's' || row_number() OVER (ORDER BY array_position(modes, g.customer), array_position(modes, g.late),
                                          array_position(modes, g.merchant), g.statuses[1] COLLATE "C"), g.*
FROM g, (VALUES ('{cancel,request,forbid}'::text[])) AS v (modes)
$$;
COMMENT ON FUNCTION ordcancel_internal.diagram_rules(regclass, text) IS
    'lists the rules of a policy, with the statuses of equal rules together';

-- Who may do what in a status. inside and later are the texts for the customer's
-- open and closed window, NULL if it never closes.
CREATE FUNCTION ordcancel_internal.diagram_acts(orders regclass, policy text, inside text, later text)
    RETURNS TABLE (id text, place integer, party text, mode text, line text)
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT r.id, v.place, v.party, v.mode,
       v.party || CASE v.mode WHEN 'cancel' THEN ' cancels' ELSE ' requests' END || v.time
FROM ordcancel_internal.diagram_rules(orders, policy) AS r,
     LATERAL (VALUES (1, 'customer', r.customer, CASE WHEN r.late = r.customer THEN '' ELSE ' ' || inside END),
                     (2, 'customer', nullif(r.late, r.customer), ' ' || later),
                     (3, 'merchant', r.merchant, '')) AS v (place, party, mode, time)
WHERE v.mode <> 'forbid'
$$;
COMMENT ON FUNCTION ordcancel_internal.diagram_acts(regclass, text, text, text) IS
    'describes what customer and merchant may do under one or several equal rules';

-- The parts: boxes, then arrows. kind selects the style of a part.
CREATE FUNCTION ordcancel_internal.diagram_parts(orders regclass, policy text)
    RETURNS TABLE (kind text, id text, target text, titles text[], lines text[])
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    t ordcancel.order_table;
    p ordcancel.policy;
    span text;                          -- the customer's window, NULL if it never closes
    inside text;
    later text;
    answer text;
    customer_asks boolean;
    merchant_asks boolean;
    customer_cancels boolean;
    asked boolean;
    agreed boolean;                     -- whether anybody can ever cancel or request
    own_end boolean;                    -- whether the customer's cancellations have a final status of their own
    common_end boolean;
    paid boolean;
    reach integer;
    deletable text[];
    ends text;
    after text[];                       -- what may happen to a canceled order
    stays CONSTANT text := 'the order keeps its status';
BEGIN
    SELECT * INTO t FROM ordcancel.order_table AS c WHERE c.orders = diagram_parts.orders;
    SELECT * INTO p FROM ordcancel.policy AS c WHERE c.orders = t.orders AND c.policy = diagram_parts.policy;
    span := CASE WHEN t.placed_at IS NOT NULL THEN ordcancel_internal.interval_text(p.grace) END;
    inside := format('within %s of %s', span, t.placed_at);
    later := format('after %s', span);
    reach := array_position('{never,requested,in_progress,canceled}', p.undo);
    ends := CASE WHEN reach < 4 THEN 'cannot be undone'
                 ELSE 'merchant may undo'
                      || coalesce(' within ' || ordcancel_internal.interval_text(p.undo_window), '') END;
    ends := concat_ws(', ', CASE WHEN t.refund_due IS NOT NULL AND p.settlement = 'after_canceled'
                                 THEN 'refunds are recorded afterwards' END, ends);
    after := ARRAY['may move on to ' || nullif(array_to_string(p.closed_statuses, ', '), ''),
                   'undone by an update to ' || nullif(array_to_string(p.reopen_statuses, ', '), '')];
    answer := ordcancel_internal.interval_text(p.decision_timeout);
    SELECT coalesce(bool_or(a.mode = 'request' AND a.party = 'customer'), false),
           coalesce(bool_or(a.mode = 'request' AND a.party = 'merchant'), false),
           coalesce(bool_or(a.mode = 'cancel' AND a.party = 'customer'), false),
           count(*) > 0
    INTO customer_asks, merchant_asks, customer_cancels, agreed
    FROM ordcancel_internal.diagram_acts(orders, policy, inside, later) AS a;
    asked := customer_asks OR merchant_asks;
    paid := t.refund_due IS NOT NULL AND agreed AND p.settlement = 'before_canceled';
    own_end := customer_cancels AND coalesce(p.customer_canceled_status <> p.canceled_status, false);
    common_end := agreed
                  AND (NOT own_end
                       OR EXISTS (SELECT FROM ordcancel_internal.diagram_acts(orders, policy, inside, later) AS a
                                  WHERE (a.party, a.mode) <> ('customer', 'cancel')));
    SELECT coalesce(array_agg(c.status), '{}') INTO deletable
    FROM ordcancel.rule AS c WHERE c.orders = t.orders AND c.policy = p.policy AND c.deletable;

    RETURN QUERY
        SELECT CASE WHEN f.forbids THEN 'forbid' ELSE 'status' END, r.id, NULL::text,
               r.statuses[:8] || CASE WHEN cardinality(r.statuses) > 8
                                      THEN ARRAY[format('and %s more', cardinality(r.statuses) - 8)] ELSE '{}' END,
               ARRAY[CASE WHEN f.forbids THEN NULL
                          WHEN r.customer = 'forbid' AND r.late = 'forbid' THEN 'customer: no'
                          WHEN r.late = 'forbid' THEN 'customer: no, ' || later END,
                     CASE WHEN r.merchant = 'forbid' AND NOT f.forbids THEN 'merchant: no' END,
                     'system cancels after ' || ordcancel_internal.interval_text(r.expire_after),
                     CASE WHEN r.deletable THEN 'may be deleted' END,
                     nullif(r.hint, '')]
        FROM ordcancel_internal.diagram_rules(orders, policy) AS r,
             LATERAL (VALUES (r.customer = 'forbid' AND r.late = 'forbid' AND r.merchant = 'forbid')) AS f (forbids)
        ORDER BY substr(r.id, 2)::integer;
    RETURN QUERY
        SELECT v.kind, v.id, NULL::text, v.titles, v.lines
        FROM (VALUES
            (true, 'forbid', 'others', '{}'::text[],
             ARRAY[CASE WHEN EXISTS (SELECT FROM ordcancel_internal.diagram_rules(orders, policy))
                        THEN 'every other status' ELSE 'every status' END]),
            (asked, CASE WHEN p.requested_status IS NULL THEN 'requested_stays' ELSE 'requested' END, 'requested',
             ARRAY[coalesce(p.requested_status, 'requested')],
             ARRAY[CASE WHEN p.requested_status IS NULL THEN stays END, 'waits for a decision',
                   CASE p.on_progress WHEN 'hold' THEN 'the order may not move on'
                        ELSE 'denied when the order moves on' END]),
            (asked, 'back', 'kept', '{}', '{back to the previous status}'),
            (paid, 'money', 'money', '{refund due?}', ARRAY[t.refund_due]),
            (paid, CASE WHEN p.in_progress_status IS NULL THEN 'in_progress_stays' ELSE 'in_progress' END,
             'in_progress',
             ARRAY[coalesce(p.in_progress_status, 'in progress')],
             ARRAY[CASE WHEN p.in_progress_status IS NULL THEN stays END, 'waits for the refunds',
                   CASE WHEN reach >= 3 THEN 'merchant may undo' END]),
            (common_end, CASE WHEN p.canceled_status IS NULL THEN 'canceled_stays' ELSE 'canceled' END, 'canceled',
             ARRAY[coalesce(p.canceled_status, 'canceled')],
             ARRAY[CASE WHEN p.canceled_status IS NULL THEN 'canceled_status is not set, so nobody can cancel' END,
                   ends, CASE WHEN p.canceled_status = ANY (deletable) THEN 'may be deleted' END] || after),
            (own_end, 'canceled', 'customer_canceled', ARRAY[p.customer_canceled_status],
             ARRAY['canceled by the customer', ends,
                   CASE WHEN p.customer_canceled_status = ANY (deletable) THEN 'may be deleted' END] || after)
            ) AS v (there, kind, id, titles, lines)
        WHERE v.there;
    RETURN QUERY
        SELECT 'note', 'notes', NULL::text, '{}'::text[], array_agg(n.line)
        FROM ((SELECT format('%s can cancel or request while %s: %s',
                             CASE b.party WHEN 'customer' THEN 'No customer' WHEN 'merchant' THEN 'No merchant'
                                          ELSE 'Nobody' END,
                             b.name, b.condition)
               FROM ordcancel.block AS b WHERE b.orders = t.orders ORDER BY b.name COLLATE "C")
              UNION ALL SELECT 'Every cancellation needs a reason.' WHERE p.reason_required
              UNION ALL SELECT CASE p.partly_fulfilled
                                   WHEN 'rest' THEN 'If items are fulfilled, the rest is canceled,'
                                                    ' and the order keeps its status.'
                                   ELSE 'No order can be canceled as a whole if items are fulfilled.' END
                        FROM ordcancel.item_table AS i WHERE i.orders = t.orders AND i.fulfilled IS NOT NULL
              UNION ALL SELECT 'The customer''s window never closes: attach() was called without placed_at.'
                        WHERE p.grace IS NOT NULL AND t.placed_at IS NULL
              UNION ALL SELECT format('No order gets %s: attach() was called without refund_due.', p.in_progress_status)
                        WHERE p.in_progress_status IS NOT NULL AND t.refund_due IS NULL
              UNION ALL SELECT format('No order gets %s: settlement is after_canceled.', p.in_progress_status)
                        WHERE p.in_progress_status IS NOT NULL AND t.refund_due IS NOT NULL
                          AND p.settlement = 'after_canceled') AS n (line)
        HAVING count(*) > 0;

    RETURN QUERY
        SELECT 'arrow', a.id, x.target, NULL::text[], array_agg(a.line ORDER BY a.place)
        FROM ordcancel_internal.diagram_acts(orders, policy, inside, later) AS a,
             LATERAL (VALUES (CASE WHEN a.mode = 'request' THEN 'requested' WHEN paid THEN 'money'
                                   WHEN a.party = 'customer' AND own_end THEN 'customer_canceled'
                                   ELSE 'canceled' END)) AS x (target)
        GROUP BY a.id, x.target ORDER BY substr(a.id, 2)::integer, min(a.place);
    RETURN QUERY
        SELECT 'arrow', v.id, v.target, NULL::text[], v.lines
        FROM (VALUES
            (asked, 'requested', CASE WHEN paid THEN 'money' ELSE 'canceled' END,
             ARRAY[CASE WHEN customer_asks THEN 'merchant accepts' END,
                   CASE WHEN merchant_asks THEN 'merchant confirms' END,
                   CASE p.on_timeout WHEN 'accept' THEN 'the system accepts after ' || answer END]),
            (asked, 'requested', 'kept',
             ARRAY[CASE WHEN customer_asks THEN 'merchant denies' END, 'withdrawn by the requester',
                   CASE WHEN reach = 2 THEN 'merchant undoes' END,
                   CASE p.on_timeout WHEN 'deny' THEN 'the system denies after ' || answer END]),
            (paid, 'money', 'in_progress', '{yes}'),
            (paid AND common_end, 'money', 'canceled', '{no}'),
            (paid AND own_end, 'money', 'customer_canceled', '{no}'),
            (paid AND common_end, 'in_progress', 'canceled', '{fully refunded}'),
            (paid AND own_end, 'in_progress', 'customer_canceled', '{fully refunded}')) AS v (there, id, target, lines)
        WHERE v.there;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.diagram_parts(regclass, text) IS
    'lists the boxes and arrows of the picture of a policy';
