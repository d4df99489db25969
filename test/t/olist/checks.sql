-- What must be true when it is over. :announced is the number of notifications
-- that the replaying session received, :done the number of tests before.
CREATE SEQUENCE replay.test;
SELECT setval('replay.test', :done) \g /dev/null

CREATE FUNCTION replay.ok(good boolean, name text, diagnostic text DEFAULT NULL) RETURNS text
    LANGUAGE sql
    RETURN concat(CASE WHEN good THEN 'ok ' ELSE 'not ok ' END, nextval('replay.test'), ' - ', name,
                  E'\n# ' || replace(diagnostic, E'\n', E'\n# '));

-- Nothing of what is wrong may be there; the first of it is shown.
CREATE FUNCTION replay.none(query text, name text) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    wrong text;
    n bigint;
BEGIN
    EXECUTE format('SELECT count(*), string_agg(q::text, E''\n'') FILTER (WHERE n <= 5)'
                   ' FROM (SELECT q, row_number() OVER () AS n FROM (%s) AS q) AS r', query)
        INTO n, wrong;
    RETURN replay.ok(n = 0, name, CASE WHEN n > 0 THEN format(E'%s wrong, such as\n%s', n, wrong) END);
END
$$;

CREATE VIEW replay.cancellation AS
SELECT c.*, c.state IN ('requested', 'in_progress', 'canceled') AS live,
       e.history, e.first_from, e.last_to, e.last_state, e.last_at, e.events, e.broken
FROM shop.orders_cancellation AS c
    LEFT JOIN (SELECT cancellation_id, count(*) AS events, string_agg(type, ' ' ORDER BY event_id) AS history,
                      (array_agg(from_status ORDER BY event_id))[1] AS first_from,
                      (array_agg(to_status ORDER BY event_id DESC))[1] AS last_to,
                      (array_agg(state ORDER BY event_id DESC))[1] AS last_state,
                      (array_agg(at ORDER BY event_id DESC))[1] AS last_at,
                      count(*) FILTER (WHERE from_status <> previous OR at < earlier) AS broken
               FROM (SELECT *, lag(to_status) OVER w AS previous, lag(at) OVER w AS earlier
                     FROM shop.orders_cancellation_event
                     WINDOW w AS (PARTITION BY cancellation_id ORDER BY event_id)) AS chained
               GROUP BY cancellation_id) AS e USING (cancellation_id);

-- What the policy of shop.sql says of the two verbs that begin one, written
-- down a second time.
CREATE VIEW replay.begun AS
SELECT l.*,
       coalesce((l.outcome).state, l.sqlstate) AS got,
       CASE
           WHEN l.what = 'stranger' THEN 'OC002'
           WHEN l.state IN ('in_progress', 'canceled') OR l.state = 'requested' AND l.what = 'customer' THEN l.state
           WHEN m.mode = 'forbid' THEN 'OC003'
           WHEN m.mode = 'late' THEN 'OC004'
           WHEN l.reason = 'other' THEN 'OC006'
           WHEN m.mode = 'request' THEN 'requested'
           WHEN l.due > 0 THEN 'in_progress'
           ELSE 'canceled'
       END AS wanted
FROM replay.log AS l,
     LATERAL (SELECT CASE
         WHEN l.what = 'override' OR l.status = 'unavailable' OR l.state = 'requested' THEN 'cancel'
         WHEN l.status = 'created' THEN CASE WHEN l.what = 'customer' AND l.late THEN 'request' ELSE 'cancel' END
         WHEN l.status IN ('approved', 'processing', 'invoiced') THEN 'request'
         WHEN l.status = 'shipped' AND l.what = 'customer' THEN CASE WHEN l.late THEN 'late' ELSE 'request' END
         ELSE 'forbid' END AS mode) AS m
WHERE l.what IN ('customer', 'merchant', 'stranger', 'override')
      AND NOT EXISTS (SELECT FROM replay.retry AS r WHERE r.order_id = l.order_id AND r.again = l.step);

\set tell 'string_agg(format(''%s %s'', n, what), '', '' ORDER BY n DESC, what)'

SELECT replay.ok((SELECT count(*) FROM shop.orders) = (SELECT count(*) FROM olist.orders),
                 format('all %s orders are there', (SELECT count(*) FROM olist.orders)));
SELECT replay.ok(count(*) = 58 AND bool_and(o.status = 'canceled' AND c.state = 'canceled'),
                 format('all %s that were recorded as canceled are canceled', count(*)),
                 string_agg(DISTINCT format('%s by way of the %s', n, way), ', '))
FROM (SELECT *, count(*) OVER (PARTITION BY way) AS n FROM replay.canceled) AS r
    JOIN shop.orders AS o USING (order_id)
    LEFT JOIN replay.cancellation AS c ON c.order_id = r.order_id AND c.live;
SELECT replay.ok(count(*) = count(*) FILTER (WHERE EXISTS (
                     SELECT FROM replay.log AS l WHERE l.order_id = asked.order_id AND l.what = 'customer')
                     AND EXISTS (SELECT FROM replay.log AS l WHERE l.order_id = asked.order_id AND l.what = 'merchant'))
                 AND count(*) BETWEEN 900 AND 1100,
                 format('%s of the others were asked, as customer and as merchant', count(*)))
FROM replay.asked;

-- every kind of answer was given
SELECT replay.ok(bool_and(n > 0), 'every end was reached: ' || :tell)
FROM (SELECT w.what, count(c) AS n
      FROM unnest('{in_progress,canceled,denied,withdrawn,undone}'::text[])
               AS w (what)
          LEFT JOIN replay.cancellation AS c ON c.state = w.what GROUP BY 1) AS r;
SELECT replay.ok(bool_and(n > 0), 'every step was taken: ' || :tell)
FROM (SELECT w.what, count(e) AS n
      FROM unnest('{requested,accepted,refunded,canceled,denied,implicitly denied,withdrawn,undone}'::text[])
               AS w (what)
          LEFT JOIN shop.orders_cancellation_event AS e
              ON w.what = CASE WHEN e.data ? 'implicit' THEN 'implicitly denied' ELSE e.type END GROUP BY 1) AS r;
SELECT replay.ok(bool_and(n > 0), 'every refusal was met: ' || :tell)
FROM (SELECT w.what, count(l) AS n
      FROM unnest('{OC002,OC003,OC004,OC006,OC007,OC008,OC009,23514 order_is_canceled}'::text[]) AS w (what)
          LEFT JOIN replay.log AS l ON w.what = concat_ws(' ', l.sqlstate, nullif(l.condition, '')) GROUP BY 1) AS r;

-- and it was the right one
SELECT replay.none($$SELECT * FROM replay.begun WHERE got IS DISTINCT FROM wanted$$,
                   format('%s attempts to cancel were answered as the policy says',
                          (SELECT count(*) FROM replay.begun)));
SELECT replay.none($$SELECT * FROM replay.log
    WHERE what IN ('approved', 'processing', 'invoiced', 'unavailable', 'shipped', 'delivered')
                     AND (sqlstate IS NOT NULL) <> (coalesce(state, '') IN ('in_progress', 'canceled')
                                                    AND EXISTS (SELECT FROM replay.step AS s
                                                                WHERE s.order_id = log.order_id
                                                                AND s.what = log.what AND s.status IS NOT NULL))$$,
                   format('%s orders moved on exactly when no cancellation was in the way',
                          (SELECT count(DISTINCT order_id) FROM replay.log)));
SELECT replay.none($$SELECT * FROM replay.retry AS r
                     WHERE (r.first_outcome).cancellation_id IS DISTINCT FROM (r.again_outcome).cancellation_id
                        OR (r.first_outcome).state IS DISTINCT FROM (r.again_outcome).state
                        OR (r.again_outcome).changed$$,
                   format('%s repeated calls were given the first one''s answer', (SELECT count(*) FROM replay.retry)));
SELECT replay.none($$SELECT * FROM replay.log WHERE sqlstate IS NOT NULL AND left_nothing IS NOT TRUE$$,
                   format('%s refused attempts left nothing behind',
                          (SELECT count(*) FROM replay.log WHERE sqlstate IS NOT NULL)));
SELECT replay.none($$SELECT * FROM replay.log WHERE sqlstate = 'OC003' AND status = 'delivered' AND state IS NULL
                     AND hint IS DISTINCT FROM 'Process it as a return.'$$, 'a refusal says the hint of its rule');
SELECT replay.none($$SELECT * FROM replay.log WHERE sqlstate IS NULL
      AND what IN ('customer', 'merchant', 'override', 'accept', 'deny', 'withdraw', 'refund', 'undo')
                     AND (outcome).changed <> EXISTS (SELECT FROM shop.orders_cancellation_event AS e
                          WHERE e.cancellation_id = (outcome).cancellation_id AND e.at = log.at
                                                        AND e.state = (outcome).state)
                     AND NOT EXISTS (SELECT FROM replay.log AS l WHERE l.order_id = log.order_id AND l.at = log.at
                                       AND l.step <> log.step)
                     AND what <> 'refund'$$,
                   'an outcome says changed where there is an event, and only there');

-- orders and cancellations
SELECT replay.none($$SELECT o.* FROM shop.orders AS o LEFT JOIN replay.cancellation AS c ON c.order_id = o.order_id
      AND c.live
                     WHERE (o.status IN ('cancellation_requested', 'cancellation_in_progress', 'canceled'))
    <> (c.order_id IS NOT NULL)
                        OR o.status IN ('cancellation_requested', 'cancellation_in_progress', 'canceled')
                           AND o.status <> CASE c.state WHEN 'requested' THEN 'cancellation_requested'
                                                        WHEN 'in_progress' THEN 'cancellation_in_progress'
    ELSE 'canceled' END$$,
                   format('%s orders are in a status of cancellation, and each has its live one',
                          (SELECT count(*) FROM shop.orders WHERE status LIKE 'cancel%')));
SELECT replay.none($$SELECT order_id FROM replay.cancellation WHERE live GROUP BY 1 HAVING count(*) > 1$$,
                   'no order has two live ones');
SELECT replay.none($$SELECT c.*, o.status FROM replay.cancellation AS c LEFT JOIN shop.orders AS o USING (order_id)
                     WHERE c.order_key IS DISTINCT FROM o.order_id
                        OR c.live AND (o.status <> c.last_to OR o.status <> c.order_status)$$,
                   'an order has the status that the last event of its live one gave it');
SELECT replay.none($$SELECT o.*, r.status FROM shop.orders AS o JOIN olist.orders AS r USING (order_id)
                     WHERE NOT EXISTS (SELECT FROM replay.cancellation AS c WHERE c.order_id = o.order_id
                                       AND c.state IN ('requested', 'in_progress', 'canceled', 'undone'))
                       AND (CASE r.status WHEN 'created' THEN 'created' ELSE r.status END, r.approved_at, r.shipped_at,
                            r.delivered_at)
                           IS DISTINCT FROM (o.status, o.approved_at, o.shipped_at, o.delivered_at)$$,
                   format('%s orders whose cancellation came to nothing, or that had none, ended as recorded',
                          (SELECT count(*) FROM shop.orders AS o
                           WHERE NOT EXISTS (SELECT FROM replay.cancellation AS c WHERE c.order_id = o.order_id
                                             AND c.state IN ('requested', 'in_progress', 'canceled', 'undone')))));

-- cancellations and events
SELECT replay.none($$SELECT * FROM replay.cancellation
                     WHERE history !~ CASE state
                         WHEN 'requested' THEN '^requested$'
                         WHEN 'denied' THEN '^requested denied$'
                         WHEN 'withdrawn' THEN '^requested withdrawn$'
                         WHEN 'in_progress' THEN '^(requested )?accepted( refunded)*$'
                         WHEN 'canceled' THEN '^(requested )?(accepted( refunded)+ )?canceled$'
                         WHEN 'undone' THEN '^(requested )?(accepted( refunded)* )?(canceled )?undone$' END
                        OR history IS NULL$$,
                   format('the events of %s cancellations lead to their states',
                          (SELECT count(*) FROM replay.cancellation)));
SELECT replay.none($$SELECT * FROM replay.cancellation
                     WHERE state <> last_state OR broken > 0 OR first_from IS DISTINCT FROM prior_status
                        OR closed_at IS DISTINCT FROM CASE WHEN state NOT IN ('requested', 'in_progress')
                         THEN last_at END$$,
                   'each event goes on from where the one before it ended');
SELECT replay.none($$SELECT e.* FROM shop.orders_cancellation_event AS e
        LEFT JOIN shop.orders_cancellation AS c USING (cancellation_id)
                     WHERE (c.order_id, c.order_key) IS DISTINCT FROM (e.order_id, e.order_key)$$,
                   format('%s events, each of a cancellation', (SELECT count(*) FROM shop.orders_cancellation_event)));
SELECT replay.none($$SELECT c.*, r.* FROM replay.cancellation AS c
                         LEFT JOIN (SELECT cancellation_id, sum((data ->> 'amount')::numeric) AS sum
                                    FROM shop.orders_cancellation_event WHERE type = 'refunded' GROUP BY 1) AS r
                             USING (cancellation_id)
                     WHERE coalesce(c.refunded, 0) <> coalesce(r.sum, 0)
                        OR c.state = 'canceled' AND coalesce(c.refund_due, 0) <> coalesce(c.refunded, 0)
                        OR c.state = 'in_progress' AND NOT c.refund_due > coalesce(c.refunded, 0)$$,
                   format('%s were refunded, event by event what was due',
                          (SELECT sum(refunded) FROM replay.cancellation)));
SELECT replay.none($$SELECT l.*, c.events FROM (SELECT (outcome).cancellation_id AS id,
                                             count(*) FILTER (WHERE (outcome).changed)
                                             -- the last refund is two events
                                             + count(*) FILTER (WHERE (outcome).changed AND what = 'refund'
                                                                  AND (outcome).state = 'canceled') AS n
                                      FROM replay.log WHERE (outcome).cancellation_id IS NOT NULL GROUP BY 1) AS l
                         FULL JOIN replay.cancellation AS c ON c.cancellation_id = l.id
                     WHERE l.n IS DISTINCT FROM c.events - (c.history ~ 'denied' AND EXISTS (
                               SELECT FROM shop.orders_cancellation_event AS e
                               WHERE e.cancellation_id = c.cancellation_id AND e.data ? 'implicit'))::int$$,
                   'every event is of a call that said changed, or of an order that moved on');
SELECT replay.ok(:announced = count(*), format('%s events, %s notifications', count(*), :announced))
FROM shop.orders_cancellation_event;
SELECT replay.none($$SELECT e.* FROM shop.orders_cancellation_event AS e
                     WHERE actor IS DISTINCT FROM CASE WHEN data ? 'implicit' THEN 'olist_app'
                                                       WHEN party = 'customer' THEN 'olist_customer'
                                                       WHEN data ? 'override' THEN 'olist_manager'
                                                       ELSE 'olist_merchant' END$$,
                   'every event names who did it');
