-- The queries of the reports on all cancellations, open and closed. A view reads
-- the parents of the record tables, a function the record tables of one order
-- table: the same text over other tables.

-- The text of a report's query.
--   cancellations  the table of cancellations, or a query in parentheses
--   events         the same for events
--   of_c           SQL for the OID of the record table in which a cancellation is,
--                  over alias c
--   of_e           the same for events, over alias e
--   before         a query for the number of the first event of the same
--                  cancellation and the time of the event before, over alias e
CREATE FUNCTION ordcancel_internal.report_text(
    report text, cancellations text, events text, of_c text, of_e text, before text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $query$
-- format() does not look at what it puts in: that may have any text.
SELECT format(q.text, cancellations, events, of_c, of_e, before)
FROM (VALUES
('cancellations', $$
SELECT ordcancel_internal.orders_of(%3$s) AS orders, c.order_key AS order_id, c.cancellation_id, c.state, c.scope,
       c.requested_by, c.requested_actor, c.decided_by, c.decided_actor, c.reason, c.note, c.decision_note, c.undo_note,
       c.prior_status, c.order_status, c.policy, c.request_key, c.refund_due, c.refunded, c.requested_at, c.decided_at,
       c.closed_at, c.deadline,
       CASE WHEN c.decided_at > c.requested_at THEN c.decided_at - c.requested_at END AS time_to_decision,
       c.refund_owed, c.metadata
FROM %1$s AS c
WHERE ordcancel_internal.may_read(%3$s) AND ordcancel_internal.may_see(%3$s, c.order_key)
$$),
('reason_summary', $$
SELECT g.orders, g.reason, r.description, g.requested, g.canceled, g.denied, g.withdrawn, g.undone, g.pending,
       g.in_progress, g.refund_due, g.refunded, g.first_requested_at, g.last_requested_at
FROM (
    SELECT ordcancel_internal.orders_of(%3$s) AS orders, c.reason, count(*) AS requested,
           count(*) FILTER (WHERE c.state = 'canceled') AS canceled,
           count(*) FILTER (WHERE c.state = 'denied') AS denied,
           count(*) FILTER (WHERE c.state = 'withdrawn') AS withdrawn,
           count(*) FILTER (WHERE c.state = 'undone') AS undone,
           count(*) FILTER (WHERE c.state = 'requested') AS pending,
           count(*) FILTER (WHERE c.state = 'in_progress') AS in_progress,
           sum(c.refund_due) AS refund_due, sum(c.refunded) AS refunded,
           min(c.requested_at) AS first_requested_at, max(c.requested_at) AS last_requested_at
    FROM %1$s AS c
    WHERE ordcancel_internal.may_read(%3$s) AND ordcancel_internal.may_see(%3$s, c.order_key)
    GROUP BY 1, 2) AS g
    LEFT JOIN ordcancel.reason AS r ON r.code = g.reason
$$),
-- Day by day, so that a condition on the day leads to its records through the
-- index on requested_at, in every time zone.
('daily_summary', $$
SELECT s.orders, d.day, s.requested, s.canceled, s.denied, s.withdrawn, s.undone, s.pending,
       s.in_progress, s.median_time_to_decision
-- The limits are for times that nobody meant, such as -infinity.
FROM (SELECT (SELECT c.requested_at FROM %1$s AS c
              WHERE ordcancel_internal.may_read(%3$s) AND c.requested_at >= '1970-01-01'
                AND c.requested_at < '2200-01-01'
              ORDER BY c.requested_at LIMIT 1) AS first,
             (SELECT c.requested_at FROM %1$s AS c
              WHERE ordcancel_internal.may_read(%3$s) AND c.requested_at >= '1970-01-01'
                AND c.requested_at < '2200-01-01'
              ORDER BY c.requested_at DESC LIMIT 1) AS last) AS r
    CROSS JOIN LATERAL ordcancel_internal.days(r.first, r.last) AS d
    CROSS JOIN LATERAL (
        SELECT ordcancel_internal.orders_of(%3$s) AS orders, count(*) AS requested,
               count(*) FILTER (WHERE c.state = 'canceled') AS canceled,
               count(*) FILTER (WHERE c.state = 'denied') AS denied,
               count(*) FILTER (WHERE c.state = 'withdrawn') AS withdrawn,
               count(*) FILTER (WHERE c.state = 'undone') AS undone,
               count(*) FILTER (WHERE c.state = 'requested') AS pending,
               count(*) FILTER (WHERE c.state = 'in_progress') AS in_progress,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY c.decided_at - c.requested_at)
                   FILTER (WHERE c.decided_at > c.requested_at) AS median_time_to_decision
        FROM %1$s AS c
        WHERE c.requested_at >= d.begins AND c.requested_at < d.ends
          AND ordcancel_internal.may_read(%3$s) AND ordcancel_internal.may_see(%3$s, c.order_key)
        GROUP BY 1) AS s
$$),
('timeline', $$
SELECT ordcancel_internal.orders_of(%4$s) AS orders, e.order_key AS order_id, e.cancellation_id, e.event_id, e.at,
       coalesce(e.actor || ' (' || e.party || ')', e.party) AS who,
       CASE e.type
           WHEN 'requested' THEN format('asked to cancel %%s', i.what)
           WHEN 'withdrawn' THEN 'withdrew the request'
           WHEN 'denied' THEN CASE
               WHEN e.data ? 'moved_to'
                   THEN format('moved the order on to %%s, which denied the request', e.data->>'moved_to')
               WHEN e.data ? 'order_gone' THEN 'denied the request, as the order was deleted'
               WHEN e.source = 'sweep' THEN 'denied the request, which nobody had answered in time'
               ELSE 'denied the request' END
           WHEN 'accepted' THEN CASE
               WHEN e.data ? 'timer' THEN format('began to cancel %%s, which had been in %%s for too long', i.what,
                                                 e.from_status)
               WHEN e.source = 'accept_cancel' THEN 'accepted the request'
               WHEN e.source = 'sweep' THEN 'accepted the request, which nobody had answered in time'
               ELSE format('began to cancel %%s', i.what) END
           WHEN 'refunded' THEN format(
               CASE WHEN e.data->>'amount' LIKE '-%%' THEN 'took back a refund of %%s%%s%%s'
                    ELSE 'refunded %%s%%s%%s' END,
               ltrim(e.data->>'amount', '-'), ' by ' || (e.data->>'method'), ' (' || (e.data->>'reference') || ')')
           WHEN 'adjusted' THEN format('changed the amount due from %%s to %%s', e.data->>'refund_due_before',
                                       e.data->>'refund_due')
           WHEN 'canceled' THEN CASE
               WHEN e.data ? 'timer'
                   THEN format('canceled the order, which had been in %%s for too long', e.from_status)
               WHEN e.source = 'accept_cancel' THEN 'accepted the request, and the order was canceled'
               WHEN e.source = 'sweep' THEN 'canceled the order, as nobody had answered the request in time'
               WHEN e.source = 'record_refund' THEN 'canceled the order, as all was refunded'
               ELSE 'canceled the order' END
           WHEN 'items_canceled' THEN CASE
               WHEN e.data ? 'timer' THEN format('canceled %%s, as the order had been in %%s for too long', i.what,
                                                 e.from_status)
               WHEN e.source = 'accept_cancel' THEN format('accepted the request, and canceled %%s', i.what)
               WHEN e.source = 'sweep' THEN format('canceled %%s, as nobody had answered the request in time', i.what)
               WHEN e.source = 'record_refund' THEN format('canceled %%s, as all was refunded', i.what)
               ELSE format('canceled %%s', i.what) END
           WHEN 'undone' THEN 'undid the cancellation'
           WHEN 'forgotten' THEN 'erased notes and names from the records of the order'
           ELSE e.type END
       || CASE WHEN e.data ? 'override' THEN ', in spite of the rules' ELSE '' END
       || CASE WHEN e.type IN ('accepted', 'canceled', 'items_canceled') AND e.data ? 'refund_due'
               THEN format('; %%s to be refunded', e.data->>'refund_due') ELSE '' END
       || CASE WHEN e.data ? 'owed' AND (e.data->>'owed') <> coalesce(e.data->>'refund_due', '0')
               THEN format(' instead of %%s', e.data->>'owed') ELSE '' END
       || CASE WHEN e.type = 'refunded' AND (e.data->>'refunded') <> (e.data->>'refund_due')
               THEN format('; %%s of %%s so far', e.data->>'refunded', e.data->>'refund_due') ELSE '' END AS what,
       nullif(concat_ws(': ', e.reason,
                        CASE WHEN e.type = 'undone' THEN c.undo_note
                             WHEN e.type IN ('adjusted', 'forgotten') THEN e.data->>'note'
                             WHEN e.type = 'requested' OR e.event_id = p.first THEN c.note
                             WHEN e.type IN ('accepted', 'denied', 'withdrawn')
                                  OR (e.type IN ('canceled', 'items_canceled') AND e.at = c.decided_at)
                                 THEN c.decision_note END), '') AS why,
       c.reason, e.from_status, e.to_status, e.state, e.at - p.at AS took
FROM %2$s AS e
    -- Not every number is unique: record tables may come from another database.
    JOIN %1$s AS c ON c.cancellation_id = e.cancellation_id
        AND ordcancel_internal.orders_of(%3$s) = ordcancel_internal.orders_of(%4$s)
    CROSS JOIN LATERAL (
        SELECT CASE WHEN c.scope = 'items' AND jsonb_typeof(e.data->'items') = 'array'
                    THEN (SELECT string_agg(format('%%s of item %%s', t.item->>'quantity', t.item->>'item'), ', '
                                            ORDER BY t.n)
                          FROM jsonb_array_elements(e.data->'items') WITH ORDINALITY AS t (item, n))
                    ELSE 'the order' END) AS i (what)
    CROSS JOIN LATERAL (%5$s) AS p (first, at)
WHERE ordcancel_internal.may_read(%4$s) AND ordcancel_internal.may_see(%4$s, e.order_key)
$$)) AS q (report, text)
WHERE q.report = report_text.report
$query$;
COMMENT ON FUNCTION ordcancel_internal.report_text(text, text, text, text, text, text) IS
    'returns the text of a report''s query over the given tables';

-- The last argument of report_text() where an index leads to the events of a
-- cancellation.
--   events      as above
--   of_b, of_e  SQL for the OIDs of record tables, over aliases b and e
CREATE FUNCTION ordcancel_internal.event_before(events text, of_b text, of_e text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT format('SELECT min(b.event_id), max(b.at) FILTER (WHERE b.event_id < e.event_id) FROM %s AS b'
              ' WHERE b.cancellation_id = e.cancellation_id'
              ' AND ordcancel_internal.orders_of(%s) = ordcancel_internal.orders_of(%s)', events, of_b, of_e)
$$;
COMMENT ON FUNCTION ordcancel_internal.event_before(text, text, text) IS
    'returns a query for the first event of a cancellation and the time of the one before';

-- The arguments of report_text() for records that apart_records() returns: all are
-- read once, and none is looked up.
--   at_once    SQL for the argument of that name
--   chosen     condition on the record tables, over alias a
--   condition  condition on the cancellations, over alias r
CREATE FUNCTION ordcancel_internal.apart_text(report text, at_once text, chosen text, condition text DEFAULT 'true')
    RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT ordcancel_internal.report_text(
    report,
    format('(SELECT * FROM (SELECT a.records, (a.record).*'
           ' FROM ordcancel_internal.apart_records(NULL::ordcancel.cancellation, %s) AS a WHERE %s) AS r WHERE %s)',
           at_once, chosen, condition),
    format('(SELECT a.records, (a.record).*, min((a.record).event_id) OVER w AS first,'
           ' max((a.record).at) OVER (w ORDER BY (a.record).event_id'
           ' ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before'
           ' FROM ordcancel_internal.apart_records(NULL::ordcancel.event, %s) AS a WHERE %s'
           ' WINDOW w AS (PARTITION BY a.records, (a.record).cancellation_id))', at_once, chosen),
    'c.records', 'e.records', 'SELECT e.first, e.before')
$$;
COMMENT ON FUNCTION ordcancel_internal.apart_text(text, text, text, text) IS
    'returns the text of a report''s query over the records of apart_records()';
