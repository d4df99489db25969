-- The floor: what ordcancel writes, into copies of its tables, and nothing is
-- checked.
\set copy bare
\ir copies.sql

-- Its one statement, as text. which picks the orders, data is what the event
-- has in that column, and the payload is put together in the cheapest way. For
-- many orders the time is put into words once, and no rows are sent back.
CREATE FUNCTION bare.statement(which text, source text, announced boolean, many boolean, data text DEFAULT 'NULL')
    RETURNS text
    LANGUAGE sql
    AS $$
SELECT format($write$
WITH o AS (
    UPDATE bare.orders SET status = 'canceled' WHERE %s RETURNING id
), c AS (
    INSERT INTO bare.orders_cancellation (
        cancellation_id, order_key, state, requested_by, requested_actor, decided_by, decided_actor, reason,
        prior_status, policy, requested_at, decided_at, closed_at, order_status, order_id)
    SELECT nextval('bare.cancellation_id_seq'), id::text, 'canceled', 'merchant', 'anna', 'merchant', 'anna',
           'out_of_stock', 'placed', 'default', now(), now(), now(), 'canceled', id
    FROM o
    RETURNING cancellation_id, order_key, order_id
)%s
    INSERT INTO bare.orders_cancellation_event (
        event_id, cancellation_id, order_key, type, from_status, to_status, state, party, actor, session_role,
        reason, data, at, source, xid, cluster, orders, order_id)
    SELECT nextval('bare.event_id_seq'), cancellation_id, order_key, 'canceled', 'placed', 'canceled', 'canceled',
           'merchant', 'anna', session_user, 'out_of_stock', %s, now(), '%s',
           (SELECT pg_current_xact_id()::text::bigint), %s, 'shop.orders', order_id
    FROM c%s
$write$,
    which,
    CASE WHEN announced THEN ', e AS (' END,
    data, source, (SELECT system_identifier FROM pg_control_system()),
    CASE WHEN announced THEN format($announce$
    RETURNING event_id, order_key
)
SELECT %s(pg_notify('ordcancel', '{"event_id":' || event_id || ',"orders":"shop.orders","order_id":"' || order_key
       || '","type":"canceled","from":"placed","to":"canceled","state":"canceled","party":"merchant","actor":"anna",'
          '"reason":"out_of_stock","at":' || %s || '}'))
FROM e%s$announce$,
        CASE WHEN many THEN 'count' ELSE '' END,
        CASE WHEN many THEN 'at' ELSE 'to_json(now())' END,
        CASE WHEN many THEN ', (SELECT to_json(now())::text AS at OFFSET 0) AS moment' ELSE '' END) END)
$$;

-- One prepared statement for each order. A loop in PL/pgSQL prepares it once
-- and adds next to nothing.
SELECT format($make$
CREATE FUNCTION bare.write_each_%s(first bigint, last bigint) RETURNS void LANGUAGE plpgsql AS $body$
DECLARE
    sent text;
BEGIN
    FOR n IN first .. last LOOP
        %s;
    END LOOP;
END
$body$
$make$, name, bare.statement('id = n', 'cancel_order', announced, false) || CASE WHEN announced THEN ' INTO sent'
        ELSE '' END)
FROM (VALUES ('announced', true), ('silent', false)) AS v (name, announced) \gexec

-- The load beside which clients are measured: a chunk every pace seconds.
SELECT format($make$
CREATE PROCEDURE bare.write_in_chunks(orders bigint, chunk bigint, pace double precision) LANGUAGE plpgsql AS $body$
DECLARE
    began timestamptz := clock_timestamp();
    written bigint;
BEGIN
    FOR n IN 0 .. (orders - 1) / chunk LOOP
        PERFORM pg_sleep(n * pace - extract(epoch FROM clock_timestamp() - began));
        %s INTO written;
        COMMIT;
    END LOOP;
END
$body$
$make$, bare.statement('id BETWEEN n * chunk + 1 AND (n + 1) * chunk', 'cancel_batch', true, true,
                       $$'{"batch": 1}'$$)) \gexec

-- An argument of EXECUTE cannot be a subquery.
CREATE FUNCTION bare.ids(first bigint, last bigint) RETURNS bigint[] LANGUAGE sql
    AS 'SELECT array_agg(id) FROM generate_series(first, last) AS id';
