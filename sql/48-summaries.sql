-- Reports on all cancellations, open and closed, as views over all attached
-- tables. Who may see what is as in 48-reports. With few tables, a condition on the
-- table, or on the time or reason of a cancellation, is evaluated by the indexes of
-- the record tables, all of which the query locks. With many, it locks none, and
-- reads all: the functions of one table are faster.

DO $$
DECLARE
    report text;
BEGIN
    FOREACH report IN ARRAY '{cancellations,reason_summary,daily_summary,timeline}'::text[] LOOP
        -- Planned by itself, as it is a security barrier. So it is not planned, which locks the tables, if it is not
        -- read.
        EXECUTE format(
            'CREATE VIEW ordcancel_internal.%I WITH (security_barrier) AS %s', report,
            ordcancel_internal.report_text(
                report, 'ordcancel.cancellation', 'ordcancel.event', 'c.tableoid', 'e.tableoid',
                ordcancel_internal.event_before('ordcancel.event', 'b.tableoid', 'e.tableoid')));
        -- In a subquery: a UNION ALL by itself is flattened, barrier or not.
        EXECUTE format(
            'CREATE VIEW ordcancel.%1$I WITH (security_barrier) AS SELECT r.* FROM ('
            'SELECT * FROM ordcancel_internal.%1$I WHERE ordcancel_internal.reads_at_once() UNION ALL %2$s) AS r',
            report,
            -- Seldom are any apart, and to look for them would take longer than the rest.
            ordcancel_internal.apart_text(
                report, 'ordcancel_internal.reads_at_once()',
                'NOT ordcancel_internal.reads_at_once()'
                ' OR EXISTS (SELECT FROM ordcancel.order_table AS t WHERE NOT t.inherit)'));
        EXECUTE format('GRANT SELECT ON ordcancel.%I TO PUBLIC', report);
        EXECUTE format('COMMENT ON VIEW ordcancel_internal.%I IS %L', report,
                       'what the view ordcancel.' || report || ' shows if it reads all record tables in one scan');
    END LOOP;
END
$$;

COMMENT ON VIEW ordcancel.cancellations IS 'cancellations of the orders that the reader may see, open and closed';
COMMENT ON COLUMN ordcancel.cancellations.orders IS 'the order table';
COMMENT ON COLUMN ordcancel.cancellations.order_id IS 'key of the order as text';
COMMENT ON COLUMN ordcancel.cancellations.cancellation_id IS 'number of the cancellation';
COMMENT ON COLUMN ordcancel.cancellations.state IS
    'requested, in_progress or canceled while it is live; denied, withdrawn or undone when it has ended';
COMMENT ON COLUMN ordcancel.cancellations.scope IS 'what it cancels: order, or items for a part of it';
COMMENT ON COLUMN ordcancel.cancellations.requested_by IS 'party that requested it: customer, merchant or system';
COMMENT ON COLUMN ordcancel.cancellations.requested_actor IS 'who requested it';
COMMENT ON COLUMN ordcancel.cancellations.decided_by IS 'party that accepted or denied it; NULL if it was neither';
COMMENT ON COLUMN ordcancel.cancellations.decided_actor IS 'who accepted or denied it; NULL if nobody did';
COMMENT ON COLUMN ordcancel.cancellations.reason IS 'reason, a code of ordcancel.reason; NULL if none was given';
COMMENT ON COLUMN ordcancel.cancellations.note IS 'note of the request; NULL if none was given';
COMMENT ON COLUMN ordcancel.cancellations.decision_note IS
    'note with which it was accepted, denied or withdrawn; NULL if none was given';
COMMENT ON COLUMN ordcancel.cancellations.undo_note IS 'note with which it was undone; NULL if none was given';
COMMENT ON COLUMN ordcancel.cancellations.prior_status IS 'status of the order before it';
COMMENT ON COLUMN ordcancel.cancellations.order_status IS
    'status of the order as the last step of the cancellation left it';
COMMENT ON COLUMN ordcancel.cancellations.policy IS 'name of the policy that governed it when it began';
COMMENT ON COLUMN ordcancel.cancellations.request_key IS
    'request_key of the call that began it; NULL if none was given';
COMMENT ON COLUMN ordcancel.cancellations.refund_due IS
    'amount to be refunded; NULL before it is accepted, or if refund_due is not configured';
COMMENT ON COLUMN ordcancel.cancellations.refunded IS 'sum of the refunds recorded so far; NULL if none was due';
COMMENT ON COLUMN ordcancel.cancellations.requested_at IS 'time at which it was requested';
COMMENT ON COLUMN ordcancel.cancellations.decided_at IS
    'time at which it was accepted or denied; NULL if it was neither';
COMMENT ON COLUMN ordcancel.cancellations.closed_at IS
    'time at which it became canceled, or ended; NULL while it is requested or in progress';
COMMENT ON COLUMN ordcancel.cancellations.deadline IS
    'time from which sweep() decides the request; NULL if the policy had no decision_timeout';
COMMENT ON COLUMN ordcancel.cancellations.time_to_decision IS
    'time from the request to the decision; NULL if it was decided at once, or not yet';
COMMENT ON COLUMN ordcancel.cancellations.refund_owed IS
    'amount that refund_due gave when it was accepted; refund_due is less if the merchant agreed to less';
COMMENT ON COLUMN ordcancel.cancellations.metadata IS 'metadata of the calls for it; NULL if there was none';

COMMENT ON VIEW ordcancel.reason_summary IS 'counts of the cancellations of each table by reason';
COMMENT ON COLUMN ordcancel.reason_summary.orders IS 'the order table';
COMMENT ON COLUMN ordcancel.reason_summary.reason IS 'the reason, a code of ordcancel.reason; NULL: none was given';
COMMENT ON COLUMN ordcancel.reason_summary.description IS 'description of the reason';
COMMENT ON COLUMN ordcancel.reason_summary.requested IS
    'number of cancellations with this reason, canceled at once or not: the sum of the following six';
COMMENT ON COLUMN ordcancel.reason_summary.canceled IS 'number of them that are canceled';
COMMENT ON COLUMN ordcancel.reason_summary.denied IS 'number of them that were denied';
COMMENT ON COLUMN ordcancel.reason_summary.withdrawn IS 'number of them that were withdrawn';
COMMENT ON COLUMN ordcancel.reason_summary.undone IS 'number of them that were undone';
COMMENT ON COLUMN ordcancel.reason_summary.pending IS 'number of them that wait for a decision';
COMMENT ON COLUMN ordcancel.reason_summary.in_progress IS 'number of them whose refunds are due';
COMMENT ON COLUMN ordcancel.reason_summary.refund_due IS 'sum of the amounts to be refunded';
COMMENT ON COLUMN ordcancel.reason_summary.refunded IS 'sum of the refunds recorded so far';
COMMENT ON COLUMN ordcancel.reason_summary.first_requested_at IS 'time of the first of them';
COMMENT ON COLUMN ordcancel.reason_summary.last_requested_at IS 'time of the last of them';

COMMENT ON VIEW ordcancel.daily_summary IS
    'counts of the cancellations of each table by the day on which they were requested';
COMMENT ON COLUMN ordcancel.daily_summary.orders IS 'the order table';
COMMENT ON COLUMN ordcancel.daily_summary.day IS 'day of the request, in the time zone of the session';
COMMENT ON COLUMN ordcancel.daily_summary.requested IS
    'number of cancellations of that day, canceled at once or not: the sum of the following six';
COMMENT ON COLUMN ordcancel.daily_summary.canceled IS 'number of them that are canceled now';
COMMENT ON COLUMN ordcancel.daily_summary.denied IS 'number of them that were denied';
COMMENT ON COLUMN ordcancel.daily_summary.withdrawn IS 'number of them that were withdrawn';
COMMENT ON COLUMN ordcancel.daily_summary.undone IS 'number of them that were undone';
COMMENT ON COLUMN ordcancel.daily_summary.pending IS 'number of them that still wait for a decision';
COMMENT ON COLUMN ordcancel.daily_summary.in_progress IS 'number of them whose refunds are still due';
COMMENT ON COLUMN ordcancel.daily_summary.median_time_to_decision IS
    'median time to the decision, of those that waited for one';

COMMENT ON VIEW ordcancel.timeline IS
    'what happened to the orders that the reader may see: one row for each event, as a sentence';
COMMENT ON COLUMN ordcancel.timeline.orders IS 'the order table';
COMMENT ON COLUMN ordcancel.timeline.order_id IS 'key of the order as text';
COMMENT ON COLUMN ordcancel.timeline.cancellation_id IS 'number of the cancellation';
COMMENT ON COLUMN ordcancel.timeline.event_id IS 'number of the event; later events of an order have higher ones';
COMMENT ON COLUMN ordcancel.timeline.at IS 'time of the event';
COMMENT ON COLUMN ordcancel.timeline.who IS 'who acted, and for which party';
COMMENT ON COLUMN ordcancel.timeline.what IS 'what that person or program did';
COMMENT ON COLUMN ordcancel.timeline.why IS 'reason at that time, and note of this step';
COMMENT ON COLUMN ordcancel.timeline.reason IS 'reason of the cancellation; NULL if it has none';
COMMENT ON COLUMN ordcancel.timeline.from_status IS 'status of the order before it';
COMMENT ON COLUMN ordcancel.timeline.to_status IS 'status of the order after it';
COMMENT ON COLUMN ordcancel.timeline.state IS 'state of the cancellation after it';
COMMENT ON COLUMN ordcancel.timeline.took IS
    'time since the event before, of the same cancellation; NULL for the first';

DO $$
DECLARE
    col record;
BEGIN
    FOR col IN
        SELECT i.attrelid::regclass AS view, i.attname, col_description(p.oid, i.attnum) AS text
        FROM pg_class AS p JOIN pg_attribute AS i ON i.attrelid = to_regclass('ordcancel_internal.' || p.relname)
        WHERE p.relnamespace = 'ordcancel'::regnamespace AND i.attnum > 0
          AND p.relname IN ('cancellations', 'reason_summary', 'daily_summary', 'timeline')
    LOOP
        EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', col.view, col.attname, col.text);
    END LOOP;
END
$$;
