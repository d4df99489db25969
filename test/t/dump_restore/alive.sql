-- A restored database goes on where the other stopped. TAP, numbered by :done.
SET client_min_messages = warning;
SET search_path = '';
CREATE TEMPORARY SEQUENCE test;
SELECT setval('test', :done) \g /dev/null

CREATE FUNCTION pg_temp.ok(good boolean, name text) RETURNS text
    LANGUAGE sql
    RETURN concat(CASE WHEN good THEN 'ok ' ELSE 'not ok ' END, nextval('test'), ' - ', name);

CREATE FUNCTION pg_temp.refused(statement text, wanted text, name text) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    state text;
    con text;
BEGIN
    EXECUTE statement;
    RETURN pg_temp.ok(false, name || ': was done');
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, con = CONSTRAINT_NAME;
    RETURN pg_temp.ok(concat_ws(' ', state, nullif(con, '')) = wanted, name)
           || CASE WHEN concat_ws(' ', state, nullif(con, '')) <> wanted
                   THEN format(E'\n# %s %s: %s, not %s', state, con, SQLERRM, wanted) ELSE '' END;
END
$$;

SELECT pg_temp.refused($$UPDATE shop.orders SET status = 'canceled' WHERE id = 21$$,
                       '23514 cancellation_forbidden', 'a forbidden update is refused');
SELECT pg_temp.refused($$UPDATE shop.orders SET status = 'shipped' WHERE id = 5$$,
                       '23514 order_is_canceled', 'a canceled order stays canceled');
SELECT pg_temp.refused($$DELETE FROM shop.orders WHERE id = 21$$,
                       '23514 cancellation_forbidden', 'a DELETE is refused');
SELECT pg_temp.refused($$TRUNCATE shop.parts_us$$, '23514 cancellation_forbidden',
                       'a TRUNCATE of a partition is refused');
SELECT pg_temp.refused($$UPDATE shop.parts SET status = 'new' WHERE region = 'eu' AND id = 1$$,
                       '23514 order_is_canceled', 'the guards are on the partitions');
SELECT pg_temp.refused($$UPDATE shop.parts SET gone = true WHERE region = 'us' AND id = 2$$,
                       '23514 cancellation_forbidden', 'an order is not marked as deleted');
UPDATE shop.parts SET status = 'put away' WHERE region = 'eu' AND id = 1;
SELECT pg_temp.ok(o.state = 'canceled' AND NOT o.changed, 'a canceled order is archived')
FROM ordcancel.cancel_order('shop.parts', ROW('eu', 1)) AS o;
UPDATE shop.parts SET status = 'canceled' WHERE region = 'eu' AND id = 1;
SELECT pg_temp.refused($$INSERT INTO shop.shipments VALUES (9)$$, '23514 order_is_canceled',
                       'a canceled order gets no shipment');
SELECT pg_temp.refused($$INSERT INTO shop."Belege 24" VALUES ('X1', 1, '2024-05-05')$$, '23514 order_is_canceled',
                       'nor a row in a part of a child');
SELECT pg_temp.refused($$UPDATE shop.payments SET state = 'captured' WHERE id = 9$$, '23514 order_is_canceled',
                       'nor is its payment captured');
SELECT pg_temp.refused($$SELECT ordcancel.cancel_order('shop.orders', 20, 'staff_error')$$, 'OC005', 'a block holds');
SELECT pg_temp.refused($$SELECT ordcancel.cancel_order('shop.orders', 19)$$, 'OC006', 'the order''s own policy holds');
SELECT pg_temp.refused($$SELECT ordcancel.cancel_order('shop.orders', 10, 'fraud')$$, 'OC006',
                       'a reason put out of use is');
SELECT pg_temp.refused($$DELETE FROM ordcancel.reason WHERE code = 'moved'$$, '23503 reason_in_use',
                       'a reason in use is kept');
SELECT pg_temp.refused(format('INSERT INTO %s SELECT * FROM %1$s', t), '23514 written_by_ordcancel',
                       'no row can be forged in ' || t)
FROM (SELECT DISTINCT unnest(ARRAY[cancellation_table::regclass, event_table::regclass,
                                    item_records::regclass])::text AS t
      FROM ordcancel.order_table ORDER BY 1) AS r
WHERE t IS NOT NULL;
SELECT pg_temp.refused(format('TRUNCATE %s', t), '23514 written_by_ordcancel', 'nor are they emptied: ' || t)
FROM (SELECT DISTINCT unnest(ARRAY[cancellation_table::regclass, event_table::regclass,
                                    item_records::regclass])::text AS t
      FROM ordcancel.order_table ORDER BY 1) AS r
WHERE t IS NOT NULL;

SELECT max(cancellation_id) AS above FROM (SELECT cancellation_id FROM ordcancel.cancellation
                                           UNION ALL SELECT cancellation_id FROM shop.plain_cancellation) AS c \gset
SELECT pg_temp.ok(o.state = 'canceled' AND o.cancellation_id > :above,
                  'a cancel works, with an id above those that are there')
FROM ordcancel.cancel_order('shop.orders', 12, 'staff_error') AS o;
SELECT pg_temp.ok(o.state = 'canceled', 'so it does with quoted names')
FROM ordcancel.accept_cancel('"Söhne & Co"."Die ""Bestellungen"" mit einem Namen, der sehr lang ist"',
                             ROW(2, 'X2')) AS o;
SELECT pg_temp.ok(o.state = 'canceled', 'and without inheritance')
FROM ordcancel.cancel_order('shop.plain', md5('2')::uuid) AS o;
SELECT pg_temp.ok(o.state = 'canceled' AND o.refunded = 10, 'a refund that was begun is completed')
FROM ordcancel.record_refund('shop.orders', 4, 5, 'cheque') AS o;
SELECT pg_temp.ok(o.state = 'requested' AND NOT o.changed, 'a request key from before is known')
FROM ordcancel.request_cancel('shop.orders', 1, 'moved', 'to Ulm', 'kim', 'key 1') AS o;
SELECT pg_temp.ok(count(*) = count(DISTINCT event_id), 'events have ids of their own')
FROM (SELECT event_id FROM ordcancel.event UNION ALL SELECT event_id FROM shop.plain_cancellation_event) AS e;
SELECT pg_temp.ok(count(*) = 6, 'the customer''s role has what it was granted')
FROM pg_proc WHERE pronamespace = 'ordcancel'::regnamespace AND has_function_privilege('dump_customer', oid, 'EXECUTE')
    AND proname IN ('request_cancel', 'withdraw_cancel', 'cancel_options', 'cancel_order', 'undo_cancel', 'attach');
SELECT pg_temp.ok(count(*) = 4, 'there are archives')
FROM pg_inherits WHERE inhrelid::regclass::text ~ '_2024_05"?$';
SELECT pg_temp.refused(format('DELETE FROM %s', inhrelid::regclass), '23514 written_by_ordcancel',
                       'they are guarded: ' || inhrelid::regclass)
FROM pg_inherits WHERE inhrelid::regclass::text ~ '_2024_05"?$' ORDER BY inhrelid::regclass::text;
SELECT pg_temp.ok(o.state = 'undone', 'a cancellation in an archive is undone')
FROM ordcancel.undo_cancel('"Söhne & Co"."Die ""Bestellungen"" mit einem Namen, der sehr lang ist"', ROW(1, 'X1'))
     AS o;
