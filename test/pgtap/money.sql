-- Money counts once: a refund that is told twice, a call that PostgreSQL
-- multiplies, money that was paid back in an earlier cancellation, and what is
-- less than a cent.
BEGIN;
\ir include/helpers.sql
SELECT no_plan();
SET LOCAL timezone = 'UTC';
SET LOCAL ordcancel.clock = '2026-05-05 12:00+00';

CREATE SCHEMA shop;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text NOT NULL DEFAULT 'placed', paid numeric DEFAULT 40);
SELECT ordcancel.attach('shop.orders', 'status', refund_due => 'paid');
SELECT ordcancel.set_policy('shop.orders', requested_status => 'asked', in_progress_status => 'refunding',
                            canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.orders', 'placed', customer => 'request', merchant => 'cancel');
SELECT ordcancel.set_rule('shop.orders', 'packed', customer => 'request', merchant => 'request');
INSERT INTO shop.orders SELECT generate_series(1, 199);

CREATE FUNCTION outcome_with_money(call text) RETURNS text LANGUAGE sql AS $$
SELECT outcome_of(call, 'concat_ws('' '', state, order_status, CASE WHEN changed THEN ''changed'' ELSE ''unchanged'' '
                        'END,'
                        ' nullif(concat_ws(''/'', refunded, refund_due), ''''))', 'sqlstate', 'detail') $$;
CREATE FUNCTION event_types(integer) RETURNS text LANGUAGE sql AS $$
SELECT array_to_string(events_of($1, shown => 'type'), ' ') $$;
CREATE FUNCTION cancel(integer) RETURNS text LANGUAGE sql
    AS $$SELECT outcome_with_money(format('cancel_order(%L, %s)', 'shop.orders', $1))$$;
CREATE FUNCTION refund(id integer, amount numeric, method text DEFAULT 'cash', reference text DEFAULT NULL) RETURNS text
    LANGUAGE sql AS $$
SELECT outcome_with_money(format('record_refund(%L, %s, %L, %L, %L)', 'shop.orders', id, amount, method, reference)) $$;
CREATE FUNCTION undo(integer, settled boolean DEFAULT false) RETURNS text LANGUAGE sql AS $$
SELECT outcome_with_money(format('undo_cancel(%L, %s, settled => %L)', 'shop.orders', $1, settled)) $$;
-- What was refunded by all events and all cancellations of the order.
CREATE FUNCTION paid_back(integer) RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', (SELECT sum((data->>'amount')::numeric) FROM shop.orders_cancellation_event
                       WHERE order_id = $1 AND type = 'refunded'),
                 (SELECT sum(refunded) FROM shop.orders_cancellation WHERE order_id = $1)) $$;

-- ------------------------------------------------------- the same reference

SELECT is(cancel(1), 'in_progress refunding changed 0/40', 'canceled');
SELECT is(refund(1, 20, 'card', 're_1'), 'in_progress refunding changed 20/40', 'a refund with a reference');
SELECT is(refund(1, 20, 'card', 're_1'), 'in_progress refunding unchanged 20/40', 'told again it adds nothing');
SELECT is(refund(1, 20.00, 'card', 're_1'), 'in_progress refunding unchanged 20/40', 'however the amount is written');
SELECT is(refund(1, 20.001, 'card', 're_1'), 'in_progress refunding unchanged 20/40',
          'or what of it is less than a cent');
SELECT is(paid_back(1), '20 20', 'there is one refund');
SELECT is(refund(1, 10, 'card', 're_1'), 'OC010 | A refund of 20 by "card" is already recorded with this reference.',
          'with another amount the reference is refused');
SELECT is(refund(1, 20, 'cash', 're_1'), 'OC010 | A refund of 20 by "card" is already recorded with this reference.',
          'with another method too');
SELECT is(refund(1, 99, 'no such', 're_1'), 'OC010 | A refund of 20 by "card" is already recorded with this reference.',
          'before anything else that is wrong with it');
SELECT throws_ok($$SELECT ordcancel.record_refund('shop.orders', 1, 10, 'card', 're_1')$$, 'OC010',
                 'refund reference "re_1" of order 1 of shop.orders was used before', 'and told why');
SELECT is(refund(1, 20, 'card', 're_2'), 'canceled canceled changed 40/40',
          'the same refund with another reference is another one');
SELECT is(refund(1, 20, 'card', 're_2'), 'canceled canceled unchanged 40/40',
          'the last one, told again after it completed the cancellation');
SELECT is(refund(1, 20, 'card', 're_1'), 'canceled canceled unchanged 40/40', 'or the first');
SELECT is(refund(1, 21, 'card', 're_1'), 'OC010 | A refund of 20 by "card" is already recorded with this reference.',
          'another amount is refused as before');
SELECT is(refund(1, 20, 'card', 're_3'), 'OC007 | Its cancellation is in state "canceled".',
          'a reference that is new finds nothing to refund');
SELECT is(refund(1, 20, 'card'), 'OC007 | Its cancellation is in state "canceled".', 'nor does a refund without one');
SELECT is(event_types(1), 'accepted refunded refunded canceled', 'each was told once');

SELECT is(undo(1, true), 'undone placed changed 40/40', 'undone, and settled');
SELECT is(refund(1, 20, 'card', 're_1'), 'undone placed unchanged 40/40',
          'a reference belongs to the order: told again after the undo');
SELECT is(refund(1, 20, 'card', 're_4'), 'OC007', 'a new one is for a cancellation that is not there');
SELECT is(outcome_with_money($$request_cancel('shop.orders', 1)$$), 'requested asked changed', 'asked for anew');
SELECT is(refund(1, 20, 'card', 're_1'), 'requested asked unchanged', 'told again while it is asked for');
SELECT is(cancel(1), 'in_progress refunding changed 0/40', 'canceled again: all is due, as the money had come back');
SELECT is(refund(1, 20, 'card', 're_2'), 'in_progress refunding unchanged 0/40', 'told again in the next cancellation');
SELECT is(refund(1, 5, 'card', 're_2'), 'OC010 | A refund of 20 by "card" is already recorded with this reference.',
          'or with another amount');
SELECT is(refund(1, 20, 'card', 're_5'), 'in_progress refunding changed 20/40',
          'what is paid back now has references of its own');
SELECT is(paid_back(1), '60 60', 'three refunds in all');

SELECT is(cancel(2), 'in_progress refunding changed 0/40', 'another order');
SELECT is(refund(2, 20, 'card', 're_1'), 'in_progress refunding changed 20/40', 'has references of its own');
SELECT is(refund(2, 5, 'cash', NULL), 'in_progress refunding changed 25/40', 'without a reference');
SELECT is(refund(2, 5, 'cash', NULL), 'in_progress refunding changed 30/40', 'each call is a refund');
SELECT is(refund(2, -21, 'card', 're_1'), 'OC010 | That much is not recorded with reference "re_1" and method "card".',
          'no more is taken back than was paid');
INSERT INTO ordcancel.refund_method VALUES ('cheque', 'repay');
SELECT is(refund(2, 5, 'cheque', 'c1'), 'in_progress refunding changed 35/40', 'refunded by cheque');
DELETE FROM ordcancel.refund_method WHERE code = 'cheque';
SELECT is(refund(2, 5, 'cheque', 'c1'), 'in_progress refunding unchanged 35/40',
          'what is on record is no question of the methods that there are');
SELECT is(refund(3, 5, 'cash', 'x'), 'OC007', 'an order without cancellations');

-- Keys of several columns, partitions, texts that need quotes.
CREATE TABLE shop.pairs (a integer, "the key" text, status text, paid numeric, PRIMARY KEY (a, "the key"))
    PARTITION BY LIST (a);
CREATE TABLE shop.pairs_1 PARTITION OF shop.pairs DEFAULT;
SELECT ordcancel.attach('shop.pairs', 'status', refund_due => 'paid'),
       ordcancel.set_policy('shop.pairs', canceled_status => 'canceled'),
       ordcancel.set_rule('shop.pairs', 'placed', merchant => 'cancel');
INSERT INTO shop.pairs VALUES (1, 'x''y', 'placed', 40), (1, 'z', 'placed', 40);
SELECT is(outcome_with_money($$cancel_order('shop.pairs', ROW(1, 'x''y'))$$), 'in_progress placed changed 0/40',
          'a key of two columns');
SELECT is(outcome_with_money($$record_refund('shop.pairs', ROW(1, 'x''y'), 30, 'cash', 'a "b" ''c')$$),
          'in_progress placed changed 30/40', 'refunded');
SELECT is(outcome_with_money($$record_refund('shop.pairs', ROW(1, 'x''y'), 30, 'cash', 'a "b" ''c')$$),
          'in_progress placed unchanged 30/40', 'once');
SELECT is(outcome_with_money($$undo_cancel('shop.pairs', ROW(1, 'x''y'))$$), 'undone placed changed 30/40', 'undone');
SELECT is(outcome_with_money($$cancel_order('shop.pairs', ROW(1, 'x''y'))$$), 'in_progress placed changed 0/10',
          'canceled again: what was kept is not due');

-- ------------------------------------------------------- the way to it

-- By index, and only when there is a reference.
CREATE TABLE shop.many (id integer PRIMARY KEY, status text, paid numeric);
SELECT ordcancel.attach('shop.many', 'status', refund_due => 'paid'),
       ordcancel.set_policy('shop.many', canceled_status => 'canceled'),
       ordcancel.set_rule('shop.many', 'placed', customer => 'request', merchant => 'cancel');
INSERT INTO shop.many SELECT n, 'placed', 40 FROM generate_series(1, 3000) AS n;
SELECT count(*) FROM ordcancel.cancel_orders('shop.many', ARRAY(SELECT id FROM shop.many WHERE id <= 2900));
ANALYZE shop.many_cancellation, shop.many_cancellation_event;
CREATE FUNCTION scans(OUT cancellations_read bigint, OUT events_read bigint, OUT events_found bigint) LANGUAGE sql AS $$
SELECT sum(seq_scan) FILTER (WHERE relname = 'many_cancellation'),
       sum(seq_scan) FILTER (WHERE relname = 'many_cancellation_event'),
       sum(idx_scan) FILTER (WHERE relname = 'many_cancellation_event')
FROM pg_stat_xact_user_tables WHERE schemaname = 'shop' $$;
CREATE FUNCTION cost(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    before record := scans();
    is_now record;
BEGIN
    EXECUTE 'SELECT ordcancel.' || call;
    is_now := scans();
    RETURN concat_ws(' ', is_now.cancellations_read - before.cancellations_read,
                     is_now.events_read - before.events_read,
                     is_now.events_found - before.events_found);
END $$;
SELECT is(cost($$record_refund('shop.many', 7, 1, 'cash')$$), '0 0 0', 'without a reference no event is looked for');
SELECT is(cost($$record_refund('shop.many', 7, 1, 'cash', 'r')$$), '0 0 1',
          'with one those of the order''s cancellations are, by index');
SELECT is(cost($$record_refund('shop.many', 7, 1, 'cash', 'r')$$), '0 0 1', 'each time');
SELECT is(cost($$undo_cancel('shop.many', 7)$$), '0 0 1', 'an undo looks whether something is to be settled');
SELECT is(cost($$cancel_order('shop.many', 7)$$), '0 0 1', 'canceled again: what was kept is looked for, by index');
SELECT is(cost($$cancel_order('shop.many', 2901)$$), '0 0 0', 'a first cancellation looks for nothing');
SELECT is(cost($$request_cancel('shop.many', 2902)$$), '0 0 0', 'nor does a first request');
SELECT is(cost($$accept_cancel('shop.many', 2902)$$), '0 0 0', 'nor its acceptance');
SELECT is(cost($$cancel_order('shop.many', 2903)$$), '0 0 0', 'canceled');
SELECT is(cost($$undo_cancel('shop.many', 2903)$$), '0 0 1', 'undone, with nothing paid back');
SELECT is(cost($$cancel_order('shop.many', 2903)$$), '0 0 0',
          'what was not paid back was not kept, whatever became of it');

-- Also where a session has prepared its statements while there were no records.
CREATE TABLE shop.fresh (id integer PRIMARY KEY, status text, paid numeric);
SELECT ordcancel.attach('shop.fresh', 'status', refund_due => 'paid'),
       ordcancel.set_policy('shop.fresh', canceled_status => 'canceled'),
       ordcancel.set_rule('shop.fresh', 'placed', merchant => 'cancel');
INSERT INTO shop.fresh SELECT n, 'placed', 40 FROM generate_series(1, 20) AS n;
ANALYZE shop.fresh_cancellation, shop.fresh_cancellation_event;
SELECT sum(seq_scan) AS before FROM pg_stat_xact_user_tables WHERE relname LIKE 'fresh_cancellation%' \gset
DO $$
BEGIN
    FOR n IN 1 .. 20 LOOP
        PERFORM ordcancel.cancel_order('shop.fresh', n, request_key => 'cancel ' || n);
        PERFORM ordcancel.record_refund('shop.fresh', n, 10, 'cash', 'refund ' || n);
        PERFORM ordcancel.undo_cancel('shop.fresh', n);
        PERFORM ordcancel.cancel_order('shop.fresh', n, request_key => 'again ' || n);
    END LOOP;
END
$$;
SELECT is((SELECT sum(seq_scan) FROM pg_stat_xact_user_tables WHERE relname LIKE 'fresh_cancellation%'),
          :before::numeric,
          'new record tables are not scanned, either');

-- ------------------------------------------------------- multiplied calls

SELECT is(cancel(n), 'in_progress refunding changed 0/40', 'canceled: ' || n) FROM generate_series(11, 19) AS n;
SELECT results_eq($$SELECT (ordcancel.record_refund('shop.orders', 11, 3, 'cash')).*$$,
                  $$SELECT 'shop.orders'::regclass, '11', cancellation_id, 'in_progress', 'refunding', true, 40.0, 3.0,
                           requested_at, decided_at, closed_at
                    FROM shop.orders_cancellation
                  WHERE order_id = 11$$, 'a composite that is spread calls once, and all columns say the same');
SELECT is(paid_back(11), '3 3', 'one refund');
SELECT is((SELECT (o).refunded FROM (SELECT ordcancel.record_refund('shop.orders', 11, 3, 'cash') AS o) AS s), 6.0,
          'the next statement is the next refund');
SELECT is((SELECT (o).state || (o).refunded
           FROM (SELECT ordcancel.record_refund('shop.orders', 11, 3, 'cash') AS o OFFSET 0) AS s), 'in_progress9',
          'as is this one');
SELECT is((SELECT string_agg((o).refunded || ' ' || (o).changed, ', ')
           FROM (SELECT ordcancel.record_refund('shop.orders', 11, 3, 'cash') AS o FROM generate_series(1, 3)) AS s),
          '12 true, 12 true, 12 true', 'over several rows it is one too');
SELECT is((SELECT string_agg(r.refunded || ' ' || r.changed, ', ') FROM generate_series(1, 3) AS n,
                LATERAL ordcancel.record_refund('shop.orders', 11, n * 0 + 3, 'cash') AS r),
          '15 true, 15 true, 15 true', 'and by LATERAL');
SELECT is((SELECT string_agg(r.refunded::text, ', ') FROM generate_series(1, 3) AS n,
                LATERAL ordcancel.record_refund('shop.orders', 11, n, 'cash') AS r),
          '16, 18, 21', 'other arguments are other calls');
SELECT is((SELECT concat_ws(' ', (ordcancel.record_refund('shop.orders', 11, 1, 'cash')).refunded,
                            (ordcancel.record_refund('shop.orders', '11', 1, 'cash')).refunded,
                            (ordcancel.record_refund('shop.orders', 11, 1, 'cash', actor => 'anna')).refunded)),
          '22 23 24', 'by another function, or actor, too');
SELECT is(paid_back(11), '24 24', 'and this is the sum of them');

UPDATE shop.orders SET status = 'packed' WHERE id BETWEEN 21 AND 59;
CREATE TEMP TABLE spread AS SELECT (ordcancel.cancel_order('shop.orders', 21, 'out_of_stock')).*;
SELECT results_eq('SELECT state, order_status, changed FROM spread', $$VALUES ('requested', 'asked', true)$$,
                  'a merchant who has to ask has asked');
SELECT is(event_types(21), 'requested', 'and not confirmed it in the same breath');
SELECT is((ordcancel.cancel_order('shop.orders', 21)).state, 'in_progress', 'the next statement confirms');
SELECT results_eq($$SELECT (ordcancel.override_cancel('shop.orders', 22, note => 'x')).state,
                        (ordcancel.override_cancel('shop.orders', 22, note => 'x')).changed$$,
                  $$VALUES ('in_progress', true)$$, 'override_cancel');
SELECT results_eq($$SELECT (r).state, (r).changed FROM (SELECT (ordcancel.request_cancel('shop.orders', 23)).*) AS r$$,
                  $$VALUES ('requested', true)$$, 'request_cancel');
SELECT results_eq($$SELECT (ordcancel.withdraw_cancel('shop.orders', 23)).state,
                        (ordcancel.withdraw_cancel('shop.orders', 23)).changed$$,
                  $$VALUES ('withdrawn', true)$$, 'withdraw_cancel');
SELECT is(outcome_with_money($$request_cancel('shop.orders', 23)$$), 'requested asked changed', 'asked again');
SELECT results_eq($$SELECT (ordcancel.deny_cancel('shop.orders', 23, 'no')).state,
                        (ordcancel.deny_cancel('shop.orders', 23, 'no')).changed$$,
                  $$VALUES ('denied', true)$$, 'deny_cancel');
SELECT is(outcome_with_money($$request_cancel('shop.orders', 23)$$), 'requested asked changed', 'and again');
SELECT results_eq($$SELECT (ordcancel.accept_cancel('shop.orders', 23)).state,
                        (ordcancel.accept_cancel('shop.orders', 23)).changed$$,
                  $$VALUES ('in_progress', true)$$, 'accept_cancel');
SELECT results_eq($$SELECT (ordcancel.undo_cancel('shop.orders', 23)).state,
                        (ordcancel.undo_cancel('shop.orders', 23)).changed$$,
                  $$VALUES ('undone', true)$$, 'undo_cancel');
SELECT is(event_types(23), 'requested withdrawn requested denied requested accepted undone', 'each happened once');
SELECT results_eq($$SELECT (ordcancel.undo_cancel('shop.orders', 23)).state,
                        (ordcancel.undo_cancel('shop.orders', 23)).changed$$,
                  $$VALUES ('undone', false)$$, 'what changes nothing says so in every column');

-- Many rows, each a call of its own.
SELECT is((SELECT string_agg(concat_ws(' ', s.order_id, s.state, s.changed), ', ')
           FROM (SELECT (ordcancel.cancel_order('shop.orders', id)).* FROM shop.orders
                 WHERE id BETWEEN 31 AND 33 ORDER BY id) AS s),
          '31 requested t, 32 requested t, 33 requested t', 'rows are calls of their own');
SELECT is((SELECT count(*) FROM (SELECT (ordcancel.record_refund('shop.many', id, 1, 'cash')).* FROM shop.many
                                 WHERE id BETWEEN 1001 AND 1400) AS s WHERE refunded = 1 AND changed),
          400::bigint, 'so are hundreds of them');
SELECT is((SELECT count(*) FROM (SELECT (ordcancel.record_refund('shop.many', id, 2, 'cash')).* FROM shop.many,
                                      generate_series(1, 2) AS twice WHERE id BETWEEN 1001 AND 1400 ORDER BY twice,
                                      id) AS s WHERE refunded = 3),
          800::bigint, 'also when each comes twice, far apart');
SELECT is((SELECT sum(refunded) FROM shop.many_cancellation WHERE order_id BETWEEN 1001 AND 1400), 1200.0,
          'one refund each time');

-- Two statements are two calls.
DO $$
DECLARE
    o ordcancel.outcome;
BEGIN
    PERFORM ordcancel.cancel_order('shop.orders', 41);
    PERFORM ordcancel.cancel_order('shop.orders', 41);
    o := ordcancel.cancel_order('shop.orders', 42);
    o := ordcancel.cancel_order('shop.orders', 42);
    FOR i IN 1..2 LOOP
        o := ordcancel.cancel_order('shop.orders', 43);
        PERFORM (ordcancel.record_refund('shop.orders', 12, 3, 'cash')).*;
    END LOOP;
    FOR o IN SELECT (ordcancel.record_refund('shop.orders', 12, 5, 'cash')).* LOOP
        o := ordcancel.record_refund('shop.orders', 12, 5, 'cash');
    END LOOP;
    IF (ordcancel.record_refund('shop.orders', 12, 7, 'cash')).changed
        AND (ordcancel.record_refund('shop.orders', 12, 7, 'cash')).changed THEN
        NULL;
    END IF;
END $$;
SELECT is(event_types(n), 'requested accepted', 'asked by one statement of a function, confirmed by another: ' || n)
FROM generate_series(41, 43) AS n;
SELECT is(paid_back(12), '23 23', 'twice 3, twice 5, and in one expression once 7');
CREATE FUNCTION twice(integer) RETURNS text LANGUAGE sql AS $$
SELECT ordcancel.cancel_order('shop.orders', $1); SELECT (ordcancel.cancel_order('shop.orders', $1)).state $$;
SELECT is(twice(44), 'in_progress', 'an SQL function has statements of its own');
PREPARE spread AS SELECT (ordcancel.record_refund('shop.orders', $1, $2, 'cash')).*;
CREATE TEMP TABLE spread_1 AS EXECUTE spread(13, 3);
CREATE TEMP TABLE spread_2 AS EXECUTE spread(13, 3);
SELECT is((SELECT string_agg(refunded::text, ' ' ORDER BY refunded)
           FROM (TABLE spread_1 UNION ALL TABLE spread_2) AS s), '3 6',
          'a prepared statement is one each time that it is run');
SET LOCAL plan_cache_mode = force_generic_plan;
CREATE TEMP TABLE spread_3 AS EXECUTE spread(13, 3);
SELECT is(paid_back(13), '9 9', 'whatever its plan');
RESET plan_cache_mode;

-- Cursors: a statement from its first row to its last.
DECLARE c CURSOR FOR SELECT (ordcancel.record_refund('shop.orders', 14, 3, 'cash')).refunded FROM generate_series(1, 9);
DECLARE d CURSOR FOR SELECT (ordcancel.record_refund('shop.orders', 14, 3, 'cash')).refunded FROM generate_series(1, 9);
FETCH c;
FETCH c;
SELECT is(paid_back(14), '3 3', 'the rows of a cursor are rows of one statement');
FETCH d;
SELECT is(paid_back(14), '6 6', 'another cursor is another');
SAVEPOINT s;
FETCH c;
SELECT is(paid_back(14), '6 6', 'a savepoint makes no difference');
ROLLBACK TO s;
FETCH c;
SELECT is(paid_back(14), '6 6', 'nor does going back to it');
CLOSE c;
DECLARE c CURSOR FOR SELECT (ordcancel.record_refund('shop.orders', 14, 4, 'cash')).refunded FROM generate_series(1, 9);
SAVEPOINT s;
FETCH c;
SELECT is(paid_back(14), '10 10', 'what a cursor did after a savepoint');
ROLLBACK TO s;
SELECT is(paid_back(14), '6 6', 'is undone with it');
FETCH c;
SELECT is(paid_back(14), '10 10', 'and is done by the next row');
SAVEPOINT t;
FETCH c;
RELEASE t;
RELEASE s;
FETCH c;
SELECT is(paid_back(14), '10 10', 'once, in whichever savepoint');
CLOSE c;
CLOSE d;

-- What fails is not remembered, and what a handler undoes is forgotten.
DO $$
DECLARE
    o ordcancel.outcome;
BEGIN
    FOR i IN 1..2 LOOP
        BEGIN
            o := ordcancel.record_refund('shop.orders', 15, 6, 'cash');
            RAISE EXCEPTION 'undone';
        EXCEPTION WHEN raise_exception THEN
            NULL;
        END;
    END LOOP;
    o := ordcancel.record_refund('shop.orders', 15, 6, 'cash');
END $$;
SELECT is(paid_back(15), '6 6', 'what an exception undid is done anew');

-- A trigger that makes the very same call, and one on another order.
CREATE FUNCTION shop.again() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    o ordcancel.outcome;
BEGIN
    IF NEW.status = 'refunding' AND NEW.id IN (61, 62) THEN
        o := ordcancel.cancel_order('shop.orders', NEW.id);
        o := ordcancel.record_refund('shop.orders', NEW.id, 3, 'cash');
        o := ordcancel.record_refund('shop.orders', NEW.id, 3, 'cash');
        o := ordcancel.cancel_order('shop.orders', NEW.id + 1);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER again AFTER UPDATE ON shop.orders FOR EACH ROW EXECUTE FUNCTION shop.again();
SELECT results_eq($$SELECT (ordcancel.cancel_order('shop.orders', 61)).state,
                        (ordcancel.cancel_order('shop.orders', 61)).refunded$$, $$VALUES ('in_progress', 6.0)$$,
                  'a trigger calls in between');
SELECT is(concat_ws(', ', event_types(61), event_types(62), event_types(63)),
          'accepted refunded refunded, accepted refunded refunded, accepted', 'and each of its calls is one');
DO $$
DECLARE
    o ordcancel.outcome;
BEGIN
    UPDATE shop.orders SET paid = 50 WHERE id = 71;
    o := ordcancel.cancel_order('shop.orders', 71);
    IF (ordcancel.record_refund('shop.orders', 71, 1, 'cash')).changed AND twice(45) <> ''
        AND (ordcancel.record_refund('shop.orders', 71, 1, 'cash')).changed THEN
        o := ordcancel.record_refund('shop.orders', 71, 1, 'cash');
    END IF;
END $$;
SELECT is(paid_back(71), '2 2', 'functions in an expression do not make it two');
DROP TRIGGER again ON shop.orders;

-- ------------------------------------------------------- what was kept

SELECT is(cancel(81), 'in_progress refunding changed 0/40', 'canceled');
SELECT is(refund(81, 30), 'in_progress refunding changed 30/40', 'most of it is paid back in cash');
SELECT is(undo(81), 'undone placed changed 30/40', 'undone: the customer has both');
SELECT is((SELECT string_agg(outcome, ' ') FROM ordcancel.cancel_options('shop.orders', 81)
           WHERE verb IN ('cancel_order', 'override_cancel')), 'in_progress in_progress',
          'money is due');
SELECT is(cancel(81), 'in_progress refunding changed 0/10', 'canceled again: what is left is due');
SELECT is((SELECT data FROM shop.orders_cancellation_event WHERE order_id = 81 AND type = 'accepted'
           ORDER BY event_id DESC LIMIT 1), '{"refund_due": 10}', 'and told so');
SELECT is(refund(81, 10.01), 'OC010 | 10 is due, of which 0 is already refunded.', 'not more');
SELECT is(refund(81, 10), 'canceled canceled changed 10/10', 'that completes it');
SELECT is(undo(81), 'undone placed changed 10/10', 'undone once more');
SELECT is((SELECT string_agg(outcome, ' ') FROM ordcancel.cancel_options('shop.orders', 81)
           WHERE verb IN ('cancel_order', 'override_cancel')), 'canceled canceled',
          'nothing is due any more');
SELECT is(cancel(81), 'canceled canceled changed 0', 'canceled at once');
SELECT is(paid_back(81), '40 40', 'what was paid is paid back, once');
SELECT is(undo(81), 'undone placed changed 0', 'undone');
UPDATE shop.orders SET paid = 25 WHERE id = 81;
SELECT is(cancel(81), 'canceled canceled changed 0', 'more was kept than is due: nothing is, not less');
SELECT is(undo(81), 'undone placed changed 0', 'undone');
UPDATE shop.orders SET paid = 45 WHERE id = 81;
SELECT is(cancel(81), 'in_progress refunding changed 0/5', 'of what is paid since then all');

SELECT is(cancel(82), 'in_progress refunding changed 0/40', 'canceled');
SELECT is(refund(82, 30, 'card'), 'in_progress refunding changed 30/40', 'paid back by card');
SELECT is(undo(82, true), 'undone placed changed 30/40', 'undone, the money has come back');
SELECT is(cancel(82), 'in_progress refunding changed 0/40', 'what was settled is due again');
SELECT is(refund(82, 15), 'in_progress refunding changed 15/40', 'a part in cash');
SELECT is(undo(82), 'undone placed changed 15/40', 'and kept');
SELECT is(cancel(82), 'in_progress refunding changed 0/25', 'only what was kept is not due');
SELECT is(refund(82, 5), 'in_progress refunding changed 5/25', 'a part');
SELECT is(undo(82, true), 'undone placed changed 5/25', 'settled by cash');
SELECT is(cancel(82), 'in_progress refunding changed 0/25', 'a settlement is that of one cancellation');

-- Asked, accepted; a plain update; an array; a batch.
SELECT is(cancel(n), 'in_progress refunding changed 0/40', 'canceled: ' || n) FROM generate_series(84, 99) AS n;
SELECT is(refund(n, CASE n % 2 WHEN 0 THEN 30 ELSE 40 END), CASE n % 2 WHEN 0 THEN 'in_progress refunding changed 30/40'
              ELSE 'canceled canceled changed 40/40' END, 'refunded: ' || n)
FROM generate_series(84, 99) AS n;
SELECT is(split_part(undo(n), ' ', 1), 'undone', 'undone: ' || n) FROM generate_series(84, 99) AS n;
SELECT is(outcome_with_money(format($$request_cancel('shop.orders', %s)$$, n)), 'requested asked changed',
          'asked: ' || n)
FROM generate_series(84, 87) AS n;
SELECT is((SELECT string_agg(outcome, ' ') FROM ordcancel.cancel_options('shop.orders', n)
           WHERE verb IN ('accept_cancel')), CASE n % 2 WHEN 0 THEN 'in_progress' ELSE 'canceled' END,
          'what an acceptance would do: ' || n) FROM generate_series(84, 85) AS n;
SELECT is(outcome_with_money(format($$accept_cancel('shop.orders', %s)$$, n)), CASE n % 2
              WHEN 0 THEN 'in_progress refunding changed 0/10' ELSE 'canceled canceled changed 0' END,
          'accepted: ' || n)
FROM generate_series(84, 85) AS n;
SELECT is(cancel(n), CASE n % 2 WHEN 0 THEN 'in_progress refunding changed 0/10' ELSE 'canceled canceled changed 0' END,
          'confirmed: ' || n) FROM generate_series(86, 87) AS n;
SELECT throws_ok($$UPDATE shop.orders SET status = 'canceled' WHERE id = 88$$, '23514',
                 'refund of order 88 of shop.orders is not settled',
                 'a plain update does not cancel while money is due');
SELECT lives_ok($$UPDATE shop.orders SET status = 'refunding' WHERE id = 88$$, 'it begins to refund');
SELECT throws_ok($$UPDATE shop.orders SET status = 'refunding' WHERE id = 89$$, '23514', NULL,
                 'nor does it begin to refund when all was kept');
SELECT lives_ok($$UPDATE shop.orders SET status = 'canceled' WHERE id = 89$$, 'it cancels');
SELECT is((SELECT string_agg(outcome, ' ' ORDER BY order_id)
           FROM ordcancel.cancel_orders('shop.orders', '{90,91}'::int[])), 'in_progress canceled', 'an array');
SELECT results_eq($$SELECT order_id, state, refund_due FROM shop.orders_cancellation AS c
                    WHERE order_id BETWEEN 84 AND 91 AND state <> 'undone' ORDER BY 1$$,
                  $$SELECT n, CASE n % 2 WHEN 0 THEN 'in_progress' ELSE 'canceled' END, CASE n % 2 WHEN 0 THEN 10.0
                        ELSE 0.0 END FROM generate_series(84, 91) AS n$$,
                  'what is due is the same, whoever asks');
SELECT is(error_of($$UPDATE shop.orders SET status = 'canceled' WHERE id = 92$$, 'detail'),
          '10 is due, of which 0 is refunded.',
          'the update is told what is due');

-- ------------------------------------------------------- less than a cent

CREATE FUNCTION pay(integer, numeric) RETURNS void LANGUAGE sql AS 'UPDATE shop.orders SET paid = $2 WHERE id = $1';
SELECT pay(101, 33.333), pay(102, 33.335), pay(103, 0.004), pay(104, 0.005), pay(105, -7.5), pay(106, 40.000),
       pay(107, 100.0 / 3);
SELECT is(cancel(101), 'in_progress refunding changed 0/33.33', 'what is due is money');
SELECT is(refund(101, 33.333), 'canceled canceled changed 33.33/33.33', 'so is what is paid back');
SELECT is(cancel(102), 'in_progress refunding changed 0/33.34', 'half a cent is rounded up');
SELECT is(refund(102, 33.33), 'in_progress refunding changed 33.33/33.34', 'a cent is missing');
SELECT is(refund(102, 0.004), 'OC010', 'less than half of one is nothing');
SELECT is(refund(102, 0.015), 'OC010 | 33.34 is due, of which 33.33 is already refunded.', 'more than one is too much');
SELECT is(refund(102, 0.0149), 'canceled canceled changed 33.34/33.34', 'that is the cent');
SELECT is((SELECT data->>'amount' FROM shop.orders_cancellation_event WHERE order_id = 102 AND type = 'refunded'
           ORDER BY event_id DESC LIMIT 1), '0.01', 'and told as one');
SELECT is(cancel(103), 'canceled canceled changed 0.00', 'what rounds to nothing is not due');
SELECT is(cancel(104), 'in_progress refunding changed 0/0.01', 'half a cent is');
SELECT is(cancel(105), 'canceled canceled changed 0', 'less than nothing is nothing');
SELECT is(cancel(106), 'in_progress refunding changed 0/40.00', 'zeros');
SELECT is(cancel(107), 'in_progress refunding changed 0/33.33', 'a third');
SELECT is(refund(107, 100.0 / 3), 'canceled canceled changed 33.33/33.33', 'and a third');

-- Yen have none, dinars three.
SELECT throws_ok(format($$SELECT ordcancel.attach('shop.orders', 'status', refund_due => 'paid', refund_scale => %s)$$,
                        s), 'OC014', NULL, 'no scale: ' || s)
FROM unnest('{-1,9,2147483647}'::text[]) AS s;
SELECT ordcancel.attach('shop.orders', 'status', refund_due => 'paid', refund_scale => 0);
SELECT pay(111, 1234.5), pay(112, 0.4);
SELECT is(cancel(111), 'in_progress refunding changed 0/1235', 'without digits after the point');
SELECT is(refund(111, 1234.5), 'canceled canceled changed 1235/1235', 'it is rounded to whole ones');
SELECT is(cancel(112), 'canceled canceled changed 0', 'or to nothing');
SELECT ordcancel.attach('shop.orders', 'status', refund_due => 'paid', refund_scale => 3);
SELECT pay(121, 1.2345), pay(122, 1.2345), pay(123, 33.333);
SELECT is(cancel(121), 'in_progress refunding changed 0/1.235', 'with three');
SELECT is(refund(121, 1.2345, 'cash', 'r'), 'canceled canceled changed 1.235/1.235', 'all of it');
SELECT is(cancel(122), 'in_progress refunding changed 0/1.235', 'with three');
SELECT is(refund(122, 0.001, 'cash', 'r'), 'in_progress refunding changed 0.001/1.235', 'a thousandth');
SELECT is(cancel(123), 'in_progress refunding changed 0/33.333', 'with three');
SELECT is(refund(123, 3.333), 'in_progress refunding changed 3.333/33.333', 'a part');
SELECT is(undo(123), 'undone placed changed 3.333/33.333', 'kept');
SELECT ordcancel.attach('shop.orders', unset => '{refund_scale}');
SELECT is((SELECT refund_scale FROM ordcancel.order_table WHERE orders = 'shop.orders'::regclass), 2, 'two again');
SELECT is(refund(121, 1.2345, 'cash', 'r'), 'canceled canceled unchanged 1.235/1.235',
          'what was told before is known again');
SELECT is(refund(122, 0.001, 'cash', 'r'), 'in_progress refunding unchanged 0.001/1.235', 'this too');
SELECT is(refund(122, 1.234), 'canceled canceled changed 1.235/1.235',
          'what was begun in a finer precision is completed in it');
SELECT is(cancel(123), 'in_progress refunding changed 0/29.997', 'and what was kept counts to the last digit');
SELECT is(refund(123, 29.997), 'canceled canceled changed 29.997/29.997', 'to the end');

-- ------------------------------------------------------- request keys

CREATE TABLE shop.seen (id integer UNIQUE);
CREATE FUNCTION shop.see() RETURNS trigger LANGUAGE plpgsql
    AS $$BEGIN INSERT INTO shop.seen VALUES (1); RETURN NEW; END $$;
CREATE TRIGGER see BEFORE INSERT ON shop.orders_cancellation_event FOR EACH ROW EXECUTE FUNCTION shop.see();
SELECT is(outcome_with_money($$cancel_order('shop.orders', 131, request_key => 'k1')$$),
          'in_progress refunding changed 0/40',
          'a call with a key');
SELECT is(outcome_with_money($$cancel_order('shop.orders', 132, request_key => 'k2')$$),
          '23505 | Key (id)=(1) already exists.',
          'another unique index is not about the key');
DROP TRIGGER see ON shop.orders_cancellation_event;
SELECT is(outcome_with_money($$cancel_order('shop.orders', 132, request_key => 'k1')$$),
          'OC011 | It was used for another order.',
          'a key that was used before is');

SELECT * FROM finish();
ROLLBACK;
