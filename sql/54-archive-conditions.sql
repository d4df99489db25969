-- Which records may be moved to an archive

-- The statuses of canceled orders whose cancellations may be in an archive. A closed
-- status has to be one in every policy: a call that does not know yet that records
-- of this status were archived goes by the order's own policy.
CREATE FUNCTION ordcancel_internal.archivable_statuses(orders regclass) RETURNS text[]
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT ARRAY(SELECT w.status FROM ordcancel_internal.policy_status AS w
             WHERE w.orders = archivable_statuses.orders
             GROUP BY w.status
             HAVING bool_or(w.meaning = 'canceled')
                 OR count(DISTINCT w.policy) FILTER (WHERE w.meaning = 'closed')
                    = (SELECT count(*) FROM ordcancel.policy AS p WHERE p.orders = archivable_statuses.orders))
$$;
COMMENT ON FUNCTION ordcancel_internal.archivable_statuses(regclass) IS
    'lists the statuses of canceled orders whose cancellations may be moved to an archive';

CREATE FUNCTION ordcancel_internal.deleted_by_row(orders regclass) RETURNS boolean
    LANGUAGE c STRICT
    AS 'MODULE_PATHNAME', 'ordcancel_deleted_by_row';
COMMENT ON FUNCTION ordcancel_internal.deleted_by_row(regclass) IS
    'returns whether deleted_when reads the order alone, so that it does not become true without an UPDATE';

-- The cancellations of canceled orders that do not exist, or are deleted. Their
-- status does not tell that they were canceled: it may have changed since, and they
-- may have been deleted before a rule was changed. NULL: any may be one. The orders
-- are read as their owner, whose code deleted_when and expressions of indexes are.
CREATE FUNCTION ordcancel_internal.canceled_and_gone(t ordcancel.order_table) RETURNS bigint[]
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    records CONSTANT regclass := t.cancellation_table;
    owner CONSTANT oid := (SELECT relowner FROM pg_class WHERE oid = t.orders);
BEGIN
    IF NOT has_table_privilege(owner, records, 'SELECT') THEN
        PERFORM ordcancel_internal.invalid(
            format('the owner of %s may not read its records', ordcancel_internal.label(t.orders)), NULL,
            'Call ordcancel.attach() again, which grants it.');
    ELSIF t.deleted_when IS NOT NULL AND NOT ordcancel_internal.deleted_by_row(t.orders) THEN
        RETURN NULL;
    END IF;
    RETURN coalesce(ordcancel_internal.as_owner(t.orders, format(
        'SELECT pg_catalog.array_agg(c.cancellation_id)::pg_catalog.text FROM ONLY %s AS c'
        ' WHERE c.scope OPERATOR(pg_catalog.=) ''order'' AND c.state OPERATOR(pg_catalog.=) ''canceled'''
        ' AND NOT EXISTS (SELECT FROM %s AS x WHERE %s)',
        records, ordcancel_internal.orders_source(t.orders),
        ordcancel_internal.key_join(t.orders, 'x', t.primary_key, 'c', t.key_columns))), '{}')::bigint[];
END
$$;
COMMENT ON FUNCTION ordcancel_internal.canceled_and_gone(ordcancel.order_table) IS
    'lists cancellations of orders that do not exist or are deleted; NULL if that cannot be told';

-- Conditions, over alias c, for cancellations that may be in an archive. Later calls
-- do not need them, or find them there: those of orders that are canceled, which
-- archive_may_have() in src/rows/archive.c tells by the status of the order. The
-- others that later calls use stay, as prune_cancellations() says.
--   condition  for cancellations other than parts of canceled orders; those of orders only if all parts follow
--   parts      for parts that may be in the archive in which their order's is: calls find both, or none
CREATE FUNCTION ordcancel_internal.archivable(
    t ordcancel.order_table, before timestamptz, OUT condition text, OUT parts text)
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    settled CONSTANT bigint := ordcancel_internal.settled_event(t.orders);
    statuses CONSTANT text[] := ordcancel_internal.archivable_statuses(t.orders);
    events CONSTANT regclass := t.event_table;
    gone CONSTANT bigint[] := ordcancel_internal.canceled_and_gone(t);
    refunded CONSTANT text := 'coalesce(c.refund_due <= coalesce(c.refunded, 0), true)';
    awaited bigint[] := '{}';
    read text := 'true';
    parts_follow text := 'true';
BEGIN
    -- Events that a consumer has not acknowledged, or has set aside.
    IF settled < 9223372036854775807 THEN
        EXECUTE format('SELECT ARRAY(SELECT DISTINCT e.cancellation_id FROM ONLY %1$s AS e'
                       ' WHERE e.event_id IN (SELECT l.event_id FROM ordcancel.late_event AS l UNION ALL'
                       ' SELECT unnest(s.skipped) FROM ordcancel.consumer AS s))', events) INTO awaited;
        read := format('NOT EXISTS (SELECT FROM ONLY %s AS e'
                       ' WHERE e.cancellation_id = c.cancellation_id AND e.event_id > %s)'
                       ' AND c.cancellation_id <> ALL (%L::bigint[])', events, settled, awaited);
    END IF;
    parts := format('c.scope = ''items'' AND c.state = ''canceled'' AND %s AND %s', refunded, read);
    IF t.item_records IS NOT NULL THEN
        parts_follow := format('NOT coalesce((SELECT true FROM ONLY %1$s AS o WHERE %2$s AND o.scope = ''items'''
                               ' AND o.state = ''canceled'''
                               ' AND (o.closed_at >= %3$L::timestamp AT TIME ZONE ''UTC'' OR NOT EXISTS'
                               ' (SELECT FROM ONLY %1$s AS c WHERE c.cancellation_id = o.cancellation_id AND %4$s))'
                               ' LIMIT 1), false)',
                               t.cancellation_table::regclass,
                               ordcancel_internal.key_join(t.orders, 'o', t.key_columns, 'c', t.key_columns),
                               before AT TIME ZONE 'UTC', parts);
    END IF;
    -- In this order: what is in a subquery is needed of few. The subqueries are not EXISTS, for which PostgreSQL would
    -- read whole tables for each month.
    condition := format(
        $q$CASE c.state WHEN 'denied' THEN true WHEN 'withdrawn' THEN true
               WHEN 'undone' THEN NOT (coalesce(c.refunded > 0, false)
                   OR coalesce((SELECT true FROM ONLY %1$s AS e
                                WHERE e.cancellation_id = c.cancellation_id AND e.type = 'refunded' LIMIT 1),
                               false)%2$s)
               WHEN 'canceled' THEN c.scope = 'order' AND %3$s AND c.order_status = ANY (%4$L::text[])
                   AND c.cancellation_id <> ALL (%5$L::bigint[]) AND %7$s
               ELSE false END AND %6$s$q$,
        events,
        CASE WHEN t.item_records IS NOT NULL
             THEN format(' OR coalesce((SELECT true FROM ONLY %s AS i WHERE i.cancellation_id = c.cancellation_id'
                         ' AND i.refund_due IS DISTINCT FROM i.restored LIMIT 1), false)',
                         t.item_records::regclass)
             ELSE '' END,
        refunded, statuses, gone, read, parts_follow);
END
$$;
COMMENT ON FUNCTION ordcancel_internal.archivable(ordcancel.order_table, timestamptz) IS
    'returns the conditions for cancellations that may be moved to an archive';
