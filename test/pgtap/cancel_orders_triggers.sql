-- cancel_orders does to an order, and records of it, what cancel_order does, and
-- the same triggers and rules of the user's fire, once for each order.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
\ir include/cancel_orders.sql
SELECT no_plan();

-- ------------------------------------------------- equal to what cancel_order does

-- Twins: orders of all kinds, cancelled one by one in the one table and by one
-- call in the other.
SELECT make_orders(t, ', placed_at timestamptz, due numeric, flag boolean, supplier text, big text, rest integer '
                      'GENERATED '
               'ALWAYS AS (id * 2) STORED', n => 60) FROM unnest('{one,many}'::text[]) AS t;
DO $$
DECLARE
    t regclass;
    nr integer;
BEGIN
    FOREACH t IN ARRAY '{one,many}'::regclass[] LOOP
        PERFORM ordcancel.attach(t, 'status', placed_at => 'placed_at', policy_by => 'supplier', refund_due => 'due'),
        ordcancel.add_block(t, 'flagged', 'flag'),
                ordcancel.set_policy(t, decision_timeout => '1 day', on_timeout => 'deny'),
        ordcancel.set_policy(t, policy => 'other', canceled_status => 'void'),
                ordcancel.set_rule(t, 'placed', policy => 'other', merchant => 'cancel');
        EXECUTE format('UPDATE %s SET placed_at = now(), due = CASE id %% 5 WHEN 1 THEN 9.90 WHEN 2 THEN 0 WHEN 3 THEN '
                       '-1 END, flag = id %% 7 = 0, supplier = CASE WHEN id %% 4 = 0 THEN ''other'' END, '
                       'big = repeat(md5(id::text), 1000)', t);
        EXECUTE format('UPDATE %s SET status = CASE id %% 11 WHEN 1 THEN ''preparing'' WHEN 2 THEN ''shipped'' WHEN 3 '
                       'THEN NULL ELSE status END', t);
        FOR nr IN 41..50 LOOP
            PERFORM attempt(format('SELECT ordcancel.request_cancel(%L, %s, ''wont_arrive_in_time'', ''please'', '
                                   '''bob'')', t, nr));
        END LOOP;
        PERFORM attempt(format('SELECT ordcancel.cancel_order(%L, 54)', t));
        FOR nr IN 46..50 LOOP
            PERFORM attempt(format('SELECT ordcancel.deny_cancel(%L, %s, ''no'')', t, nr));
        END LOOP;
    END LOOP;
    FOR nr IN 1..65 LOOP
        PERFORM attempt(format('SELECT ordcancel.cancel_order(''one'', %s, ''out_of_stock'', ''a note'', ''anna'')',
                               nr));
    END LOOP;
END
$$;
CREATE TEMP TABLE answered AS SELECT *
FROM ordcancel.cancel_orders('many', (SELECT array_agg(i ORDER BY i) FROM generate_series(1, 65) AS i), 'out_of_stock',
                             'a note', 'anna');
SELECT bag_eq('TABLE many', 'TABLE one', 'the orders are the same');
CREATE FUNCTION rows_of(name text, leave text[]) RETURNS SETOF jsonb LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format('SELECT to_jsonb(r) - $1 FROM %I AS r', name) USING leave;
END
$$;
-- In one transaction now() is the same for all; the clock is not.
SELECT bag_eq($$SELECT rows_of('many_cancellation', '{cancellation_id,requested_at,decided_at,closed_at,deadline}')$$,
              $$SELECT rows_of('one_cancellation', '{cancellation_id,requested_at,decided_at,closed_at,deadline}')$$,
              'the cancellations are the same');
SELECT bag_eq($$SELECT rows_of('many_cancellation_event', '{event_id,cancellation_id,at,source,orders}')$$,
              $$SELECT rows_of('one_cancellation_event', '{event_id,cancellation_id,at,source,orders}')$$,
              'the events are the same');
CREATE FUNCTION times_of(name text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format('SELECT format(''%%s %%s %%s %%s'', order_id, decided_at - requested_at < ''1 min'', '
                                'closed_at - decided_at < ''1 min'', deadline - requested_at) FROM %I', name);
END
$$;
SELECT bag_eq('SELECT times_of(''many_cancellation'')', 'SELECT times_of(''one_cancellation'')',
              'their times are set alike');
SELECT is((SELECT count(DISTINCT outcome || coalesce(sqlstate, '')) FROM answered), 7::bigint, 'there were all kinds: '
          || (SELECT string_agg(DISTINCT concat_ws(' ', outcome, sqlstate), ', ') FROM answered));
SELECT is((SELECT string_agg(order_id, ',') FROM answered AS a
           WHERE (outcome = 'refused') <> (attempt(format('SELECT ordcancel.cancel_order(''one'', %s)', order_id))
                                               <> 'ok')), NULL, 'refused are those that cancel_order refuses');
SELECT is((SELECT count(*) FROM answered AS a JOIN many_cancellation AS c USING (cancellation_id)
           WHERE a.order_id <> c.order_key OR a.outcome NOT IN (c.state, 'already')), 0::bigint,
          'the outcome is the state');
SELECT is((SELECT count(*) FROM many_cancellation_event AS e JOIN many_cancellation AS c USING (cancellation_id)
           WHERE e.order_id <> c.order_id OR e.xid <> pg_current_xact_id()::text::bigint), 0::bigint,
          'each event is of its order''s cancellation');

-- ----------------------------------------------------------- triggers of the user

SELECT make_orders('t', ', note text, n integer DEFAULT 0, seen text', n => 60);
CREATE TRIGGER before BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION log();
CREATE TRIGGER after AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION log();
CREATE TRIGGER of_status AFTER UPDATE OF status ON t FOR EACH ROW EXECUTE FUNCTION log();
CREATE TRIGGER of_note AFTER UPDATE OF note ON t FOR EACH ROW EXECUTE FUNCTION log();
CREATE TRIGGER when_it AFTER UPDATE ON t FOR EACH ROW WHEN (OLD.status <> NEW.status AND NEW.id = 2)
    EXECUTE FUNCTION log();
CREATE CONSTRAINT TRIGGER deferred AFTER UPDATE ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION log();
CREATE TRIGGER off AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION log();
ALTER TABLE t DISABLE TRIGGER off;
UPDATE t SET status = 'shipped' WHERE id = 3;
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;
DELETE FROM log;
SELECT is(outcomes_of('t', '{2,3,1,2}'), '2 canceled, 3 refused OC003, 1 canceled, 2 already',
          'with row triggers of the user''s');
SELECT is(logged('deferred'), 'nothing', 'a deferred trigger waits');
SET CONSTRAINTS ALL IMMEDIATE;
SELECT is(logged('deferred'), 'deferred 1 placed>canceled, deferred 2 placed>canceled',
          'and fires once for each order');
SELECT is(logged(''), 'after 1 placed>canceled, after 2 placed>canceled, before 1 placed>canceled, '
                      'before 2 placed>canceled, of_status 1 placed>canceled, of_status 2 placed>canceled, '
                      'when_it 2 placed>canceled',
          'as do the others, for the orders that are canceled');
DROP TRIGGER of_note ON t; DROP TRIGGER when_it ON t; DROP TRIGGER off ON t; DROP TRIGGER deferred ON t;
DROP TRIGGER of_status ON t;

CREATE TRIGGER fails_before BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION refuse_by_id('1', 'P0001');
CREATE TRIGGER fails_after AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION refuse_by_id('2', '57014');
SELECT is(outcomes_of('t', '{11,12,13,14,21,22,23,11}'),
          '11 refused P0001, 12 refused 57014, 13 canceled, 14 canceled, '
                                                  '21 refused P0001, 22 refused 57014, 23 canceled, 11 refused P0001',
          'triggers that raise errors');
SELECT is((SELECT message FROM ordcancel.cancel_orders('t', '{24,21}') WHERE sqlstate IS NOT NULL), 'order 21 says no',
          'whose message is told');
SELECT is(logged('after'),
          'after 13 placed>canceled, after 14 placed>canceled, after 23 placed>canceled, after 24 placed>canceled',
          'what a refused order''s triggers did is undone');
SELECT is(count_canceled('t'), 6, 'and no record is left of it');
SELECT is(outcomes_of('t', '{15,11,16}', 'abort'), 'P0001', 'abort: the trigger''s own error');
SELECT is(count_canceled('t'), 6, 'which undoes all');
DELETE FROM log;
DROP TRIGGER fails_before ON t; DROP TRIGGER fails_after ON t;
-- Errors that are not an order's end the call.
CREATE TRIGGER no_space AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION refuse_by_id('5', '53100');
SELECT is(outcomes_of('t', '{26,25,27}'), '53100', 'a full disk is nobody''s refusal');
SELECT is(count_canceled('t'), 6, 'and leaves nothing');
DROP TRIGGER no_space ON t;

-- BEFORE triggers that write something else.
CREATE FUNCTION twist() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status = OLD.status THEN
        RETURN NEW;
    END IF;
    CASE NEW.id
        WHEN 31 THEN RETURN NULL;
        WHEN 32 THEN NEW.status := OLD.status;
        WHEN 33 THEN NEW.status := NULL;
        WHEN 34 THEN NEW.id := 1034;
        WHEN 35 THEN NEW.note := repeat('x', 100000);
        WHEN 36 THEN UPDATE t SET n = n + 1 WHERE id = 37;
        WHEN 38 THEN UPDATE t SET n = n + 1 WHERE id = 38;
        WHEN 39 THEN PERFORM ordcancel.cancel_order('t', 40);
        ELSE NEW.n := NEW.n + 1;
    END CASE;
    RETURN NEW;
END
$$;
CREATE TRIGGER twist BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION twist();
SELECT is(outcomes_of('t', '{31,32,33,34,35,36,37,38,39,40,41}'),
          '31 refused 27000, 32 refused 27000, 33 refused 27000, 34 refused 27000, 35 canceled, 36 canceled, '
          '37 canceled, 38 refused 27000, 39 canceled, 40 already, 41 canceled', 'BEFORE triggers that twist');
SELECT is((SELECT array_agg(format('%s %s %s %s', id, status, n, length(note)) ORDER BY id) FROM t
           WHERE id BETWEEN 31 AND 41),
          '{"31 placed 0 ","32 placed 0 ","33 placed 0 ","34 placed 0 ","35 canceled 0 100000","36 canceled 0 ","37 '
          'canceled 2 ","38 placed 0 ","39 canceled 0 ","40 canceled 1 ","41 canceled 1 "}', 'and what they leave');
SELECT is((SELECT array_agg(order_id ORDER BY order_id) FROM t_cancellation_event WHERE order_id > 30),
          '{35,36,37,39,40,41}', 'each order has one event');
DROP TRIGGER twist ON t;

-- AFTER triggers that go on from there.
CREATE FUNCTION go_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status = 'canceled' AND OLD.status = 'placed' THEN
        CASE NEW.id
            WHEN 42 THEN PERFORM ordcancel.undo_cancel('t', 42);
            WHEN 43 THEN UPDATE t SET status = 'shipped' WHERE id = 43;
            WHEN 44 THEN PERFORM ordcancel.cancel_orders('t', '{44,45,46}');
            WHEN 47 THEN UPDATE t SET note = 'touched' WHERE id IN (47, 48, 49);
            WHEN 49 THEN PERFORM ordcancel.set_rule('t', 'placed', merchant => 'forbid');
            WHEN 51 THEN UPDATE t SET status = 'shipped' WHERE id = 52;
            ELSE NULL;
        END CASE;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER go_on AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION go_on();
SELECT is(outcomes_of('t', '{42,43,44,45,46}'),
          '42 refused 27000, 43 refused 23514, 44 canceled, 45 canceled, 46 canceled',
          'AFTER triggers that undo, ship, and cancel others of the same call');
SELECT is((SELECT array_agg(status ORDER BY id) FROM t WHERE id BETWEEN 42 AND 46),
          '{placed,placed,canceled,canceled,canceled}', 'have the last word');
SELECT is((SELECT array_agg(order_id ORDER BY order_id) FROM t_cancellation_event WHERE order_id BETWEEN 43 AND 46),
          '{44,45,46}', 'and nothing is recorded twice');
SELECT is(outcomes_of('t', '{47,48}'), '47 canceled, 48 canceled', 'one that touches orders of the same call');
SELECT is((SELECT array_agg(note ORDER BY id) FROM t WHERE id BETWEEN 47 AND 49), '{touched,touched,touched}',
          'whose columns are kept');
SELECT is(outcomes_of('t', '{49}') || outcomes_of('t', '{50}'), '49 canceled50 refused OC003',
          'one that forbids the next');
SELECT ordcancel.set_rule('t', 'placed', merchant => 'cancel');
DROP TRIGGER go_on ON t;

-- Statement triggers and transition tables.
CREATE FUNCTION log_set() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO log (entry) SELECT format('set %s %s>%s', n.id, o.status, n.status)
    FROM was AS o JOIN now_is AS n USING (id);
    RETURN NULL;
END
$$;
DROP TRIGGER before ON t; DROP TRIGGER after ON t;
DELETE FROM log;
CREATE TRIGGER transition AFTER UPDATE ON t REFERENCING OLD TABLE AS was NEW TABLE AS now_is FOR EACH STATEMENT
    EXECUTE FUNCTION log_set();
SELECT is(outcomes_of('t', '{54,55,3}'), '54 canceled, 55 canceled, 3 refused OC003', 'with a transition table');
SELECT is(logged(''), 'set 54 placed>canceled, set 55 placed>canceled', 'that has each order once');
DROP TRIGGER transition ON t;
CREATE TRIGGER statement_before BEFORE UPDATE ON t EXECUTE FUNCTION log_statement();
CREATE TRIGGER statement_after AFTER UPDATE ON t EXECUTE FUNCTION log_statement();
SELECT is(outcomes_of('t', '{56,57}'), '56 canceled, 57 canceled', 'with statement triggers');
SELECT ok(logged('') LIKE 'statement_after, %statement_before%', 'which fire');
DROP TRIGGER statement_before ON t; DROP TRIGGER statement_after ON t;
CREATE RULE also AS ON UPDATE TO t DO ALSO INSERT INTO log (entry) VALUES (format('rule %s %s', NEW.id, NEW.status));
SELECT is(outcomes_of('t', '{58,3,59}'), '58 canceled, 3 refused OC003, 59 canceled', 'with a rule');
SELECT is(logged('rule'), 'rule 58 canceled, rule 59 canceled', 'that does its part');
CREATE RULE instead AS ON UPDATE TO t WHERE OLD.id = 60 DO INSTEAD NOTHING;
SELECT is(outcomes_of('t', '{60,53}'), '60 refused 0A000, 53 refused 0A000',
          'a rule that may do something else instead is refused, as by cancel_order');
SELECT is(attempt('SELECT ordcancel.cancel_order(''t'', 53)'), '0A000', 'in just that way');
SELECT is((SELECT count(*) FROM t_cancellation WHERE order_id = 60), 0::bigint, 'leaves no record');
DROP RULE also ON t; DROP RULE instead ON t;

SELECT * FROM finish();
ROLLBACK;
