-- What a caller may rely on in every call: a retry is safe, a request key
-- names one call, the order gets its status back, and how an order is named.
BEGIN;
SELECT plan(52);
SET LOCAL timezone = 'UTC';
SET LOCAL ordcancel.clock = '2026-05-05 12:00+00';

CREATE SCHEMA shop;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text, placed_at timestamptz, due numeric);
SELECT ordcancel.attach('shop.orders', 'status', 'placed_at', refund_due => 'due');
SELECT ordcancel.set_policy('shop.orders', requested_status => 'asked', in_progress_status => 'refunding',
                            canceled_status => 'canceled', decision_timeout => '2 hours', on_timeout => 'deny');
SELECT ordcancel.set_rule('shop.orders', 'placed', customer => 'cancel', merchant => 'cancel');
SELECT ordcancel.set_rule('shop.orders', 'preparing', customer => 'request', merchant => 'request');
INSERT INTO shop.orders SELECT n, 'preparing', '2026-05-05 11:00+00', NULL FROM generate_series(1, 29) AS n;
INSERT INTO shop.orders SELECT n, 'placed', '2026-05-05 11:00+00', CASE WHEN n > 40 THEN 9.50 END
FROM generate_series(30, 49) AS n;

-- ------------------------------------------------------------ retries
-- Where the rows are: any write moves one or adds one.
CREATE FUNCTION fingerprint() RETURNS text
    LANGUAGE sql AS $$
SELECT concat((SELECT string_agg(ctid::text, '' ORDER BY id) FROM shop.orders),
              (SELECT string_agg(ctid::text, '' ORDER BY cancellation_id) FROM shop.orders_cancellation),
              (SELECT string_agg(ctid::text, '' ORDER BY event_id) FROM shop.orders_cancellation_event)) $$;
-- Calls twice; how do the answers differ, and what did the second one write?
CREATE FUNCTION retried(call text) RETURNS text
    LANGUAGE plpgsql AS $$
DECLARE
    first ordcancel.outcome;
    second ordcancel.outcome;
    before text;
BEGIN
    EXECUTE 'SELECT * FROM ordcancel.' || call INTO STRICT first;
    before := fingerprint();
    PERFORM set_config('ordcancel.clock', '2026-05-05 13:00+00', true);
    BEGIN
        EXECUTE 'SELECT * FROM ordcancel.' || call INTO STRICT second;
    EXCEPTION WHEN OTHERS THEN
        PERFORM set_config('ordcancel.clock', '2026-05-05 12:00+00', true);
        RETURN format('done as %s, then refused with %s', first.state, SQLSTATE);
    END;
    PERFORM set_config('ordcancel.clock', '2026-05-05 12:00+00', true);
    RETURN concat_ws(', ', CASE first.changed WHEN true THEN 'done' ELSE 'not done' END || ' as ' || first.state,
                     CASE second.changed WHEN false THEN 'then unchanged' ELSE 'then changed' END,
                     CASE WHEN before <> fingerprint() THEN 'written' END,
                     (SELECT string_agg(f.key || ' differs', ', ') FROM jsonb_each(to_jsonb(first)) AS f
                          JOIN jsonb_each(to_jsonb(second)) AS s USING (key)
                      WHERE f.value <> s.value AND f.key <> 'changed'));
END $$;

SELECT is(retried($$request_cancel('shop.orders', 1)$$), 'done as requested, then unchanged',
          'asking again changes nothing');
SELECT is(retried($$withdraw_cancel('shop.orders', 1)$$), 'done as withdrawn, then unchanged',
          'withdrawing again changes nothing');
SELECT is(retried($$request_cancel('shop.orders', 1)$$), 'done as requested, then unchanged',
          'a new attempt is a new one');
SELECT is(retried($$deny_cancel('shop.orders', 1, 'no')$$), 'done as denied, then unchanged',
          'denying again changes nothing');
SELECT is((ordcancel.request_cancel('shop.orders', 1)).state, 'requested', 'asked once more');
SELECT is(retried($$accept_cancel('shop.orders', 1)$$), 'done as canceled, then unchanged',
          'accepting again changes nothing');
SELECT is(retried($$undo_cancel('shop.orders', 1)$$), 'done as undone, then unchanged',
          'undoing again changes nothing');
SELECT is(retried($$request_cancel('shop.orders', 30)$$), 'done as canceled, then unchanged',
          'a customer canceling again changes nothing');
SELECT is(retried($$cancel_order('shop.orders', 31)$$), 'done as canceled, then unchanged',
          'a merchant canceling again changes nothing');
SELECT is(retried($$override_cancel('shop.orders', 32, note => 'x')$$), 'done as canceled, then unchanged',
          'overriding again changes nothing');
SELECT is(retried($$cancel_order('shop.orders', 41)$$), 'done as in_progress, then unchanged',
          'canceling again while refunds are missing changes nothing');
SELECT is(retried($$undo_cancel('shop.orders', 41)$$), 'done as undone, then unchanged',
          'undoing one in progress again changes nothing');
SELECT is((ordcancel.request_cancel('shop.orders', 2)).state, 'requested', 'asked');
SELECT is(retried($$undo_cancel('shop.orders', 2, 'no')$$), 'done as denied, then unchanged',
          'undoing a request again changes nothing');

-- ------------------------------------------------------- request keys

SELECT is(retried($$request_cancel('shop.orders', 3, request_key => 'k3')$$), 'done as requested, then unchanged',
          'a request key repeats a request');
SELECT is(retried($$cancel_order('shop.orders', 33, request_key => 'k33')$$), 'done as canceled, then unchanged',
          'a request key repeats a cancellation');
SELECT is(retried($$cancel_order('shop.orders', 42, request_key => 'k42')$$), 'done as in_progress, then unchanged',
          'a request key repeats one in progress');
CREATE TEMP TABLE first_answer AS SELECT *
FROM ordcancel.request_cancel('shop.orders', 4, 'found_cheaper_price', request_key => 'k4');
SELECT ok((ordcancel.accept_cancel('shop.orders', 4)).changed, 'meanwhile the request is accepted');
CREATE TEMP TABLE fingers AS SELECT fingerprint();
SELECT results_eq($$SELECT order_id, cancellation_id, state, order_status, changed, refund_due, refunded, requested_at,
                           decided_at, closed_at
                    FROM ordcancel.request_cancel('shop.orders', 4, request_key => 'k4')$$,
                  $$SELECT order_id, cancellation_id, state, order_status, false, refund_due, refunded, requested_at,
                           decided_at, closed_at
                    FROM first_answer$$,
                  'the same key is told what the first call was told, whatever came after');
SELECT results_eq('SELECT fingerprint()', 'SELECT * FROM fingers', 'and nothing is written');
SELECT is((ordcancel.undo_cancel('shop.orders', 4)).state, 'undone', 'meanwhile it is undone');
SELECT is((ordcancel.request_cancel('shop.orders', 4, request_key => 'k4')).changed, false,
          'a late retry does not cancel it anew');
SELECT results_eq('SELECT status FROM shop.orders WHERE id = 4', ARRAY['preparing'],
                  'the order stays as the undo left it');
SELECT is((ordcancel.request_cancel('shop.orders', 4, request_key => 'k4b')).changed, true,
          'another key is another call');

SELECT throws_ok($$SELECT ordcancel.request_cancel('shop.orders', 5, request_key => 'k4')$$, 'OC011',
                 'request key "k4" was used before',
                 'a key of another order is refused');
SELECT throws_ok($$SELECT ordcancel.cancel_order('shop.orders', 4, request_key => 'k4')$$, 'OC011',
                 'request key "k4" was used before',
                 'a key of another verb is refused');
SELECT throws_ok($$SELECT ordcancel.cancel_order('shop.orders', 34, 'no such reason', request_key => 'k34')$$, 'OC006',
                 NULL, 'a refused call');
SELECT is((ordcancel.cancel_order('shop.orders', 35, request_key => 'k34')).changed, true, 'leaves its key free');
SELECT throws_ok($$SELECT ordcancel.cancel_order('shop.orders', 36, request_key => repeat('k', 256))$$, '22001', NULL,
                 'a key has 255 characters at most');
SELECT is((ordcancel.cancel_order('shop.orders', 36, request_key => repeat('ü', 255))).changed, true,
          'characters, not bytes');
SELECT results_eq($$SELECT c.request_key, e.request_key FROM shop.orders_cancellation AS c
        JOIN shop.orders_cancellation_event AS e USING (cancellation_id)
                    WHERE c.order_id = 33$$, $$VALUES ('k33', 'k33')$$, 'the key is on record');

-- ------------------------------------------------------- the way back
-- Only somebody past the rules can move an order with a request open.
CREATE FUNCTION moved_behind_our_back(integer, text) RETURNS void
    LANGUAGE plpgsql AS $$
BEGIN
    SET LOCAL session_replication_role = replica;
    UPDATE shop.orders SET status = $2 WHERE id = $1;
    SET LOCAL session_replication_role = origin;
END $$;
CREATE FUNCTION begun(integer) RETURNS text
    LANGUAGE sql AS $$SELECT state || ' ' || order_status FROM ordcancel.request_cancel('shop.orders', $1) $$;

SELECT is(begun(n), 'requested asked', 'asked: ' || n) FROM generate_series(6, 8) AS n;
SELECT moved_behind_our_back(n, 'shipped') FROM generate_series(6, 8) AS n;
SELECT is((ordcancel.withdraw_cancel('shop.orders', 6)).order_status, 'shipped',
          'a withdrawal leaves an order that has moved on');
SELECT is((ordcancel.deny_cancel('shop.orders', 7, 'no')).order_status, 'shipped',
          'a denial leaves an order that has moved on');
SELECT is((ordcancel.undo_cancel('shop.orders', 8, 'no')).order_status, 'shipped',
          'an undo leaves an order that has moved on');
SELECT is((ordcancel.cancel_order('shop.orders', 43)).order_status, 'refunding', 'canceled with money due');
SELECT moved_behind_our_back(43, 'lost');
SELECT is((ordcancel.undo_cancel('shop.orders', 43)).order_status, 'lost', 'an undo of one in progress too');
SELECT results_eq('SELECT id, status FROM shop.orders WHERE id IN (6, 7, 8, 43) ORDER BY id',
                  $$VALUES (6, 'shipped'), (7, 'shipped'), (8, 'shipped'), (43, 'lost')$$,
                  'such orders are not touched');
SELECT results_eq($$SELECT to_status FROM shop.orders_cancellation_event WHERE type = 'denied' AND order_id = 7$$,
                  ARRAY['shipped'],
                  'and their events say where they are');

-- ------------------------------------------------------- who and when

SELECT results_eq($$SELECT deadline FROM shop.orders_cancellation WHERE order_id = 3$$,
                  $$VALUES (timestamptz '2026-05-05 14:00+00')$$,
                  'a request is to be decided before its deadline');
SELECT results_eq($$SELECT deadline FROM shop.orders_cancellation WHERE order_id = 33$$, 'SELECT NULL::timestamptz',
                  'what is canceled at once has none');
CREATE ROLE pgtap_clerk;
GRANT USAGE ON SCHEMA shop TO pgtap_clerk;
GRANT SELECT ON shop.orders TO pgtap_clerk;
SELECT ordcancel.grant_merchant('pgtap_clerk');
SET LOCAL ROLE pgtap_clerk;
SELECT ordcancel.cancel_order('shop.orders', 39);
RESET ROLE;
SELECT results_eq($$SELECT actor, session_role, at FROM shop.orders_cancellation_event WHERE order_id = 39$$,
                  $$VALUES ('pgtap_clerk', session_user, timestamptz '2026-05-05 12:00+00')$$,
                  'who names no actor acts under the name of the role; who logged in is on record beside it');
SET LOCAL ordcancel.actor = 'kiosk';
SELECT is((ordcancel.cancel_order('shop.orders', 37)).changed, true, 'the setting names the actor');
SELECT is((ordcancel.cancel_order('shop.orders', 38, actor => 'anna')).changed, true, 'the argument goes before it');
SELECT results_eq($$SELECT requested_actor, decided_actor FROM shop.orders_cancellation
                    WHERE order_id IN (37, 38) ORDER BY order_id$$,
                  $$VALUES ('kiosk', 'kiosk'), ('anna', 'anna')$$, 'both are on record');

-- ------------------------------------------------------- which order

SELECT throws_ok($$SELECT ordcancel.cancel_order('shop.orders', 999)$$, 'OC002', 'order 999 of shop.orders not found',
                 'an order that is not there');
SELECT throws_ok($$SELECT ordcancel.cancel_order('shop.orders', NULL)$$, 'OC002', NULL, 'no order at all');
SELECT throws_ok($$SELECT ordcancel.cancel_order('shop.orders', 'twelve')$$, 'OC002', NULL, 'an id that is none');
SELECT throws_ok($$SELECT ordcancel.cancel_order(NULL, 1)$$, 'OC001', NULL, 'no table at all');
SELECT throws_ok($$SELECT ordcancel.cancel_order('pg_catalog.pg_class', 1)$$, 'OC001',
                 'table pg_catalog.pg_class is not attached to ordcancel', 'a table that is not attached');

SELECT * FROM finish();
ROLLBACK;
