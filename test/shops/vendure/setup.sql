-- ordcancel for the orders of a Vendure server. Run it with psql as the role that
-- owns Vendure's tables; doc/shops/vendure.md explains it.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
BEGIN;

-- ---------------------------------------------------------------------- rules

-- As Vendure's order process: shoppers cancel carts, administrators every order
-- that is not being modified. Stricter than Vendure: not one whose parcels are on
-- their way. Vendure cancels first and refunds then.
SELECT ordcancel.attach('public.order', status => 'state', placed_at => 'orderPlacedAt', preset => 'vendure',
    refund_due => $$(SELECT sum(p.amount) FROM public.payment AS p
                     WHERE p."orderId" = "order".id AND p.state = 'Settled')
                    - coalesce((SELECT sum(r.total) FROM public.refund AS r
                                    JOIN public.payment AS p ON p.id = r."paymentId"
                                WHERE p."orderId" = "order".id AND r.state <> 'Failed'), 0)$$) \g /dev/null

-- No fulfillment and no payment for a canceled order.
SELECT ordcancel.attach_child('public.order_fulfillments_fulfillment', 'public.order', key => '{orderId}'),
       ordcancel.attach_child('public.payment', 'public.order', key => '{orderId}') \g /dev/null

-- Nor is one that is there already settled or shipped. Only a join table knows the
-- order of a fulfillment; of several, the first counts.
SELECT ordcancel.attach_child('public.payment', 'public.order', key => '{orderId}', name => 'settled',
                              refuse_when => $$state = 'Settled'$$),
       ordcancel.attach_child('public.fulfillment', 'public.order',
                              key_expression => $$(SELECT min(o."orderId")
                                                   FROM public.order_fulfillments_fulfillment AS o
                                                   WHERE o."fulfillmentId" = fulfillment.id)$$,
                              refuse_when => $$state IN ('Shipped', 'Delivered')$$) \g /dev/null

-- ----------------------------------------------------------------------- glue

-- An order that was canceled below Vendure: its lines, their stock and its history.
-- If Vendure cancels an order, no line has a quantity any more; a cart keeps its
-- lines, and holds no stock.
CREATE FUNCTION public.complete_cancellation() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    record order_cancellation;
    source text;
    lines json;
BEGIN
    SELECT * INTO record FROM order_cancellation
    WHERE order_id = NEW.id AND state IN ('in_progress', 'canceled');
    SELECT e.source INTO source FROM order_cancellation_event AS e
    WHERE e.cancellation_id = record.cancellation_id ORDER BY e.event_id DESC LIMIT 1;
    IF NOT OLD.active THEN
        SELECT json_agg(json_build_object('orderLineId', id, 'quantity', quantity) ORDER BY id) INTO lines
        FROM order_line WHERE "orderId" = NEW.id AND quantity > 0;
    END IF;
    IF lines IS NULL AND source = 'update' THEN
        RETURN NULL;
    END IF;

    -- As createReleasesForOrderLines and createCancellationsForOrderLines.
    WITH moved AS (
        SELECT "orderLineId" AS line, sum(CASE type WHEN 'RELEASE' THEN -quantity ELSE quantity END)
                   FILTER (WHERE type IN ('ALLOCATION', 'SALE', 'RELEASE')) AS allocated,
               sum(quantity) FILTER (WHERE type = 'CANCELLATION') AS canceled
        FROM stock_movement WHERE "orderLineId" IN (SELECT id FROM order_line WHERE "orderId" = NEW.id)
        GROUP BY "orderLineId"),
    wanted AS (
        SELECT l.id AS line, k.type, least(l.quantity, k.quantity) AS quantity
        FROM order_line AS l LEFT JOIN moved AS m ON m.line = l.id
        CROSS JOIN LATERAL (
            VALUES ('RELEASE', m.allocated),
                   ('CANCELLATION', (SELECT sum(f.quantity) FROM order_line_reference AS f
                                     WHERE f."orderLineId" = l.id AND f.discriminator = 'FulfillmentLine')
                                    - coalesce(m.canceled, 0))) AS k (type, quantity)
        WHERE l."orderId" = NEW.id AND NOT OLD.active AND l.quantity > 0 AND k.quantity > 0),
    placed AS (     -- where it was allocated, the oldest allocation first
        SELECT w.line, w.type, a."stockLocationId" AS location, a."productVariantId" AS variant,
               least(a.quantity, w.quantity - sum(a.quantity) OVER earlier + a.quantity) AS quantity
        FROM wanted AS w JOIN stock_movement AS a ON a."orderLineId" = w.line AND a.type = 'ALLOCATION'
        WINDOW earlier AS (PARTITION BY w.line, w.type ORDER BY a.id)),
    recorded AS (
        INSERT INTO stock_movement (type, discriminator, quantity, "stockLocationId", "productVariantId", "orderLineId")
        SELECT type, initcap(type), sum(quantity), location, variant, line
        FROM placed WHERE quantity > 0 GROUP BY type, location, variant, line ORDER BY line, type DESC, location
        RETURNING *)
    UPDATE stock_level AS s
    SET "stockAllocated" = s."stockAllocated" - r.released, "stockOnHand" = s."stockOnHand" + r.canceled,
        "updatedAt" = localtimestamp
    FROM (SELECT "stockLocationId", "productVariantId",
                 coalesce(sum(quantity) FILTER (WHERE type = 'RELEASE'), 0) AS released,
                 coalesce(sum(quantity) FILTER (WHERE type = 'CANCELLATION'), 0) AS canceled
          FROM recorded GROUP BY 1, 2) AS r
    JOIN product_variant AS v ON v.id = r."productVariantId"
    WHERE s."stockLocationId" = r."stockLocationId" AND s."productVariantId" = v.id
      AND (v."trackInventory" = 'TRUE'
           OR v."trackInventory" = 'INHERIT' AND (SELECT "trackInventory" FROM global_settings));

    UPDATE order_line SET quantity = 0, "updatedAt" = localtimestamp
    WHERE "orderId" = NEW.id AND NOT OLD.active AND quantity > 0;

    INSERT INTO history_entry (type, discriminator, "isPublic", "orderId", data)
    SELECT 'ORDER_CANCELLATION', 'OrderHistoryEntry', true, NEW.id,
           json_strip_nulls(json_build_object('lines', lines, 'reason', coalesce(record.note, record.reason),
                                              'shippingCancelled', false))
    WHERE lines IS NOT NULL;
    INSERT INTO history_entry (type, discriminator, "isPublic", "orderId", data)
    VALUES ('ORDER_STATE_TRANSITION', 'OrderHistoryEntry', true, NEW.id,
            json_build_object('from', OLD.state, 'to', NEW.state));
    RETURN NULL;
END
$$;
CREATE TRIGGER complete_cancellation AFTER UPDATE ON public."order" FOR EACH ROW
    WHEN (NEW.state = 'Cancelled' AND OLD.state <> 'Cancelled') EXECUTE FUNCTION public.complete_cancellation();

COMMIT;
