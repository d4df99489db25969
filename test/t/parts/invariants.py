"""What must hold of a shop at any moment: queries that find what is wrong, to be run in one snapshot."""

SHOPS = ("plain", "parted", "states")

# Of each cancellation, and how it came to be what it is.
CANCELLATIONS = """
WITH c AS (
    SELECT c.*, c.state IN ('in_progress', 'canceled') AS in_effect,
        c.state = 'undone' AND NOT EXISTS (
            SELECT FROM orders_cancellation_event AS e WHERE e.cancellation_id = c.cancellation_id
            AND e.type = 'undone' AND e.data->>'settled' = 'true') AND c.refunded > 0 AS kept
    FROM orders_cancellation AS c
)
"""

INVARIANTS = {
    "an item has fewer units than are canceled and fulfilled": """
        SELECT order_id, id, quantity, canceled, shipped FROM items
        WHERE quantity < canceled + shipped OR canceled < 0 OR shipped < 0""",
    "the canceled units of an item are not those of its cancellations in effect": CANCELLATIONS + """
        SELECT coalesce(i.order_id, r.order_id) AS order_id, i.id, i.canceled, r.units
        FROM items AS i
            FULL JOIN (SELECT r.item_id AS id, c.order_id, sum(r.quantity) AS units
                       FROM orders_cancellation_item AS r JOIN c USING (cancellation_id)
                       WHERE c.in_effect GROUP BY 1, 2) AS r ON r.id = i.id AND r.order_id = i.order_id
        WHERE coalesce(i.canceled, 0) <> coalesce(r.units, 0)""",
    "the status of an order is not that of its cancellation": CANCELLATIONS + """
        SELECT o.id AS order_id, o.status, c.cancellation_id, c.state
        FROM orders AS o
            LEFT JOIN c ON c.order_id = o.id AND c.scope = 'order' AND (c.in_effect OR c.state = 'requested')
        WHERE o.status <> CASE c.state WHEN 'requested' THEN 'asked' WHEN 'in_progress' THEN 'refunding'
                               WHEN 'canceled' THEN 'canceled' ELSE 'placed' END""",
    "nothing is left of an order that is not canceled": CANCELLATIONS + """
        SELECT o.id AS order_id, o.status
        FROM orders AS o JOIN items AS i ON i.order_id = o.id
        WHERE o.status NOT IN ('canceled', 'refunding') AND o.id NOT IN (SELECT order_id FROM lost)
            AND o.id IN (SELECT order_id FROM c WHERE in_effect)
        GROUP BY o.id HAVING sum(i.quantity - i.canceled) = 0""",
    "something is left of an order that is canceled": """
        SELECT o.id AS order_id, o.status, sum(i.quantity - i.canceled - i.shipped) AS left_over
        FROM orders AS o JOIN items AS i ON i.order_id = o.id
        WHERE o.status IN ('canceled', 'refunding') AND i.quantity > i.canceled GROUP BY 1, 2""",
    "an order has several open or final cancellations": CANCELLATIONS + """
        SELECT order_id, count(*) FILTER (WHERE state = 'requested') AS requested,
            count(*) FILTER (WHERE in_effect AND scope = 'order') AS final
        FROM c GROUP BY 1
        HAVING count(*) FILTER (WHERE state = 'requested') > 1
            OR count(*) FILTER (WHERE in_effect AND scope = 'order') > 1""",
    "an order is completed before its parts": CANCELLATIONS + """
        SELECT a.order_id, a.cancellation_id FROM c AS a JOIN c AS b USING (order_id)
        WHERE a.scope = 'order' AND a.state = 'canceled' AND b.state = 'in_progress'""",
    "a state is not that of the refunds": CANCELLATIONS + """
        SELECT order_id, cancellation_id, scope, state, refund_due, refunded FROM c
        WHERE refunded > refund_due OR refunded < 0 OR refund_due < 0
            OR (state = 'canceled' AND coalesce(refunded, 0) <> coalesce(refund_due, 0))
            OR (state = 'in_progress' AND refunded >= refund_due AND (scope = 'items' OR NOT EXISTS (
                SELECT FROM c AS b
                WHERE b.order_id = c.order_id AND b.scope = 'items' AND b.state = 'in_progress')))""",
    "more is due than was paid": CANCELLATIONS + """
        SELECT order_id, sum(CASE WHEN kept THEN refunded ELSE refund_due END) AS due, o.paid
        FROM c JOIN orders AS o ON o.id = c.order_id WHERE in_effect OR kept GROUP BY 1, 3
        HAVING sum(CASE WHEN kept THEN refunded ELSE refund_due END) > o.paid""",
    "units do not make due what they cost": CANCELLATIONS + """
        SELECT c.order_id, r.item_key, r.quantity, r.refund_due, i.price
        FROM c JOIN orders_cancellation_item AS r USING (cancellation_id) JOIN items AS i ON i.id = r.item_id
        WHERE c.in_effect AND r.refund_due IS DISTINCT FROM r.quantity * i.price""",
    "more is due than the items cost": CANCELLATIONS + """
        SELECT order_id, sum(c.refund_due) AS due, sum(r.cost) AS cost
        FROM c LEFT JOIN (SELECT cancellation_id, sum(refund_due) AS cost
                          FROM orders_cancellation_item GROUP BY 1) AS r USING (cancellation_id)
        WHERE c.in_effect GROUP BY 1
        HAVING current_schema <> 'parted' AND sum(c.refund_due) > sum(r.cost)""",
    "less is due than the items cost": CANCELLATIONS + """
        SELECT order_id, sum(c.refund_due) AS due, sum(r.cost) AS cost
        FROM c LEFT JOIN (SELECT cancellation_id, sum(refund_due) AS cost
                          FROM orders_cancellation_item GROUP BY 1) AS r USING (cancellation_id)
        WHERE c.in_effect AND order_id NOT IN (SELECT order_id FROM orders_cancellation WHERE state = 'undone')
        GROUP BY 1 HAVING current_schema <> 'parted' AND sum(c.refund_due) < sum(r.cost)""",
    "the events of a cancellation are no legal history": CANCELLATIONS + """
        SELECT c.order_id, c.cancellation_id, c.scope, c.state, e.history
        FROM c LEFT JOIN (SELECT cancellation_id, string_agg(type || ' ', '' ORDER BY event_id) AS history,
                              (array_agg(state ORDER BY event_id DESC))[1] AS state,
                              sum((data->>'amount')::numeric) FILTER (WHERE type = 'refunded') AS refunded
                          FROM orders_cancellation_event GROUP BY 1) AS e USING (cancellation_id)
        WHERE e.history !~ ('^(requested )?(accepted (refunded )*)?((items_)?canceled )?(undone )?$'
                            '|^requested (denied|withdrawn) $')
            OR e.history IS NULL OR e.state <> c.state OR coalesce(e.refunded, 0) <> coalesce(c.refunded, 0)
            OR (e.history ~ 'items_canceled') <> (c.scope = 'items' AND e.history ~ 'canceled')""",
    "the events of an order do not join": """
        SELECT order_id, event_id, type, was, from_status
        FROM (SELECT *, lag(to_status, 1, 'placed') OVER (PARTITION BY order_id ORDER BY event_id) AS was
              FROM orders_cancellation_event) AS e
        WHERE was <> from_status""",
    "the last event of an order is not its status": """
        SELECT o.id AS order_id, o.status, e.to_status
        FROM orders AS o JOIN (SELECT DISTINCT ON (order_id) order_id, to_status FROM orders_cancellation_event
                               ORDER BY order_id, event_id DESC) AS e ON e.order_id = o.id
        WHERE o.status <> e.to_status""",
    "an event has other items than the record": """
        SELECT e.order_id, e.event_id, e.type, e.data->'items' AS items, r.items AS recorded
        FROM orders_cancellation_event AS e
            LEFT JOIN (SELECT cancellation_id, jsonb_object_agg(item_key, trim_scale(quantity)) AS items
                       FROM orders_cancellation_item GROUP BY 1) AS r USING (cancellation_id)
        WHERE e.type IN ('accepted', 'canceled', 'items_canceled', 'undone')
            AND (SELECT jsonb_object_agg(i->>'item', trim_scale((i->>'quantity')::numeric))
                 FROM jsonb_array_elements(e.data->'items') AS i) IS DISTINCT FROM r.items""",
}


def wrong(cursor, shop):
    """What is wrong, as text."""
    found = []
    cursor.execute("SET LOCAL search_path = %s" % shop)
    for name, query in INVARIANTS.items():
        cursor.execute(query)
        rows = cursor.fetchall()
        columns = [c.name for c in cursor.description]
        for row in rows[:3]:
            values = dict(zip(columns, row))
            found.append("%s: %s: %s" % (shop, name, ", ".join("%s %s" % v for v in values.items())))
            if len(found) <= 3 and "order_id" in values:
                cursor.execute("SELECT event_id, cancellation_id, type, state, data, at::time, actor"
                               " FROM orders_cancellation_event WHERE order_id = %s ORDER BY 1" % values["order_id"])
                found += ["    %s" % " ".join(str(v) for v in event) for event in cursor.fetchall()[-15:]]
    return found
