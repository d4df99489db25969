-- ordcancel for the orders of a Vendure server. Run it with psql as the role that
-- owns Vendure's tables; doc/shops/vendure.md explains it.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
BEGIN;

-- MERGE: what this version of ordcancel has. Drop this, every \if and \else, and the
-- trigger ordcancel_also_set once the functions are there.
SELECT to_regproc('ordcancel.also_set') IS NOT NULL AS has_also_set,
       'refuse_when' = ANY (proargnames) AS has_refuse_when
FROM pg_proc WHERE oid = to_regproc('ordcancel.attach_child') \gset

-- ---------------------------------------------------------------------- rules

SELECT ordcancel.attach('public.order', status => 'state', placed_at => 'orderPlacedAt') \g /dev/null
SELECT ordcancel.set_policy('public.order', canceled_status => 'Cancelled', undo => 'never') \g /dev/null

-- As Vendure's order process: shoppers cancel carts, administrators every order
-- that is not being modified.
SELECT ordcancel.set_rule('public.order', state, customer => 'cancel', merchant => 'cancel', deletable => true)
FROM unnest('{AddingItems,ArrangingPayment}'::text[]) AS state \g /dev/null
SELECT ordcancel.set_rule('public.order', 'Draft', merchant => 'cancel', deletable => true) \g /dev/null
SELECT ordcancel.set_rule('public.order', state, merchant => 'cancel', hint => 'Ask the shop to cancel the order.')
FROM unnest('{PaymentAuthorized,PaymentSettled,ArrangingAdditionalPayment,PartiallyShipped,Shipped,
              PartiallyDelivered,Delivered}'::text[]) AS state \g /dev/null
SELECT ordcancel.set_rule('public.order', 'Modifying', hint => 'Complete the modification first.'),
       ordcancel.set_rule('public.order', 'Created') \g /dev/null

-- Stricter than Vendure, which cancels orders whose parcels are on their way.
SELECT ordcancel.add_block('public.order', 'shipped',
    $$EXISTS (SELECT FROM public.order_fulfillments_fulfillment AS o
              JOIN public.fulfillment AS f ON f.id = o."fulfillmentId"
              WHERE o."orderId" = "order".id AND f.state IN ('Shipped', 'Delivered'))$$,
    hint => 'Cancel the fulfillment first, or process the order as a return.') \g /dev/null

-- No fulfillment and no payment for a canceled order.
SELECT ordcancel.attach_child('public.order_fulfillments_fulfillment', 'public.order', key => '{orderId}'),
       ordcancel.attach_child('public.payment', 'public.order', key => '{orderId}') \g /dev/null

\if :has_refuse_when
-- Nor is one that is there already settled or shipped. Only a join table knows the
-- order of a fulfillment; of several, the first counts.
SELECT ordcancel.attach_child('public.payment', 'public.order', key => '{orderId}', name => 'settled',
                              refuse_when => $$state = 'Settled'$$),
       ordcancel.attach_child('public.fulfillment', 'public.order',
                              key_expression => $$(SELECT min(o."orderId")
                                                   FROM public.order_fulfillments_fulfillment AS o
                                                   WHERE o."fulfillmentId" = fulfillment.id)$$,
                              refuse_when => $$state IN ('Shipped', 'Delivered')$$) \g /dev/null
\endif

-- MERGE: what is to be paid back, once settlement => 'after_canceled' has an effect:
-- Vendure cancels first and refunds then.
-- SELECT ordcancel.attach('public.order', refund_due =>
--     $$(SELECT sum(p.amount) FROM public.payment AS p WHERE p."orderId" = "order".id AND p.state = 'Settled')
--       - coalesce((SELECT sum(r.total) FROM public.refund AS r JOIN public.payment AS p ON p.id = r."paymentId"
--                   WHERE p."orderId" = "order".id AND r.state <> 'Failed'), 0)$$),
--        ordcancel.set_policy('public.order', settlement => 'after_canceled') \g /dev/null

-- ------------------------------------------- what Vendure writes with the status

\if :has_also_set
SELECT ordcancel.also_set('public.order', 'canceled', 'active', 'false'),
       ordcancel.also_set('public.order', 'canceled', 'updatedAt', 'localtimestamp'),
       ordcancel.also_set('public.order', 'canceled', 'subTotal', 'CASE WHEN active THEN "subTotal" ELSE 0 END'),
       ordcancel.also_set('public.order', 'canceled', 'subTotalWithTax',
                          'CASE WHEN active THEN "subTotalWithTax" ELSE 0 END') \g /dev/null
\else
CREATE FUNCTION public.ordcancel_also_set() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    -- Vendure sets an order's lines to 0 before it cancels the order.
    IF NOT NEW.active AND EXISTS (SELECT FROM order_line WHERE "orderId" = NEW.id AND quantity > 0) THEN
        NEW."subTotal" := 0;
        NEW."subTotalWithTax" := 0;
    END IF;
    NEW.active := false;
    NEW."updatedAt" := localtimestamp;
    RETURN NEW;
END
$$;
CREATE TRIGGER ordcancel_also_set BEFORE UPDATE ON public."order" FOR EACH ROW
    WHEN (NEW.state = 'Cancelled' AND OLD.state <> 'Cancelled') EXECUTE FUNCTION public.ordcancel_also_set();
\endif

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
