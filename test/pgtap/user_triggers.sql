-- A trigger of the user's that changes the same order while a function of ours
-- is at work neither gets past the rules nor makes the records untrue.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
SELECT plan(47);

CREATE TABLE orders (id integer PRIMARY KEY, status text, todo text, seen text);
INSERT INTO orders (id, status) SELECT n, 'placed' FROM generate_series(1, 60) AS n;
SELECT ordcancel.attach('orders', status => 'status');
SELECT ordcancel.set_policy('orders', requested_status => 'asked', canceled_status => 'canceled');
SELECT ordcancel.set_rule('orders', 'placed', customer => 'request', merchant => 'cancel');
SELECT ordcancel.set_rule('orders', 'failed', customer => 'request', merchant => 'cancel');

-- Does what the row's todo says when its status becomes the one named first:
-- "canceled:UPDATE …", once.
CREATE FUNCTION todo() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status = split_part(NEW.todo, ':', 1) AND NEW.status <> OLD.status THEN
        EXECUTE replace(substr(NEW.todo, strpos(NEW.todo, ':') + 1), '@id', NEW.id::text);
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER a_before BEFORE UPDATE ON orders FOR EACH ROW WHEN (NEW.seen = 'before') EXECUTE FUNCTION todo();
CREATE TRIGGER a_after AFTER UPDATE ON orders FOR EACH ROW WHEN (NEW.seen = 'first') EXECUTE FUNCTION todo();
CREATE TRIGGER zz_after AFTER UPDATE ON orders FOR EACH ROW WHEN (NEW.seen = 'last') EXECUTE FUNCTION todo();

CREATE FUNCTION prepare(order_id integer, at text, todo text) RETURNS void LANGUAGE sql
    AS $$ UPDATE orders SET seen = at, todo = prepare.todo WHERE id = order_id $$;
-- An order and its cancellations: "status: state (prior status) …".
CREATE FUNCTION story(id integer) RETURNS text LANGUAGE sql AS $$
SELECT o.status || ': ' || coalesce((SELECT string_agg(c.state, ' ' ORDER BY c.cancellation_id)
                                     FROM orders_cancellation AS c WHERE c.order_id = o.id), '-')
FROM orders AS o WHERE o.id = story.id
$$;
-- Where the status says canceled or asked, a live cancellation does, and back.
CREATE FUNCTION untrue() RETURNS bigint LANGUAGE sql AS $$
SELECT count(*) FROM orders AS o
    LEFT JOIN orders_cancellation AS c ON c.order_id = o.id AND c.state IN ('requested', 'in_progress', 'canceled')
WHERE coalesce(c.state, 'none') <> CASE o.status WHEN 'canceled' THEN 'canceled' WHEN 'asked' THEN 'requested'
    ELSE 'none' END
$$;

-- ----------------------------------------- the trigger acts on the order again

SELECT prepare(1, 'last', 'canceled:UPDATE orders SET status = ''shipped'' WHERE id = @id');
SELECT prepare(2, 'first', 'canceled:UPDATE orders SET status = ''shipped'' WHERE id = @id');
SELECT prepare(3, 'last', 'asked:UPDATE orders SET status = ''shipped'' WHERE id = @id');
SELECT prepare(4, 'first', 'asked:UPDATE orders SET status = ''shipped'' WHERE id = @id');
SELECT is(attempt('SELECT ordcancel.cancel_order(''orders'', 1)'), '23514 order_is_canceled',
          'a trigger that ships what has just been canceled is refused');
SELECT is(attempt('SELECT ordcancel.cancel_order(''orders'', 2)'), '23514 order_is_canceled',
          'also when it fires before our own');
SELECT is(story(1) || ', ' || story(2), 'placed: -, placed: -', 'and nothing is left of it');
SELECT is((SELECT o.state || ' ' || o.order_status FROM ordcancel.request_cancel('orders', 3) AS o), 'denied shipped',
          'a trigger that ships what has just been asked for denies it, and the caller is told');
SELECT is(story(3), 'shipped: denied', 'so it is recorded');
SELECT is((SELECT o.state || ' ' || o.order_status FROM ordcancel.request_cancel('orders', 4) AS o), 'denied shipped',
          'also when it fires before our own');
SELECT is(story(4), 'shipped: denied', 'so it is recorded');
SELECT is((SELECT array_agg(type ORDER BY event_id) FROM orders_cancellation_event WHERE order_id = 4),
          '{requested,denied}', 'in the order in which it happened');

-- ------------------------------------------------ the trigger calls our verbs

SELECT prepare(11, 'last', 'canceled:SELECT ordcancel.undo_cancel(''orders'', @id)');
SELECT prepare(12, 'first', 'canceled:SELECT ordcancel.undo_cancel(''orders'', @id)');
SELECT prepare(13, 'last', 'asked:SELECT ordcancel.accept_cancel(''orders'', @id)');
SELECT prepare(14, 'first', 'asked:SELECT ordcancel.accept_cancel(''orders'', @id)');
SELECT prepare(15, 'last', 'canceled:SELECT ordcancel.cancel_order(''orders'', @id)');
SELECT prepare(16, 'first', 'asked:SELECT ordcancel.deny_cancel(''orders'', @id, ''no'')');
SELECT prepare(17, 'before', 'canceled:SELECT ordcancel.undo_cancel(''orders'', @id)');
SELECT is((SELECT o.state || ' ' || o.order_status FROM ordcancel.cancel_order('orders', id) AS o), 'undone placed',
          format('a trigger that undoes a cancellation (%s) has the last word', id))
FROM generate_series(11, 12) AS id;
SELECT is((SELECT o.state || ' ' || o.order_status FROM ordcancel.request_cancel('orders', id) AS o),
          'canceled canceled',
          format('a trigger that accepts a request (%s) has the last word', id))
FROM generate_series(13, 14) AS id;
SELECT is((SELECT o.state || ' ' || o.changed FROM ordcancel.cancel_order('orders', 15) AS o), 'canceled true',
          'a trigger that cancels once more changes nothing');
SELECT is((SELECT o.state FROM ordcancel.request_cancel('orders', 16) AS o), 'denied', 'a trigger may deny');
SELECT isnt(left(attempt('SELECT ordcancel.cancel_order(''orders'', 17)'), 2), 'XX',
            'a BEFORE trigger that undoes what is not yet done runs into a clear error, or none');
SELECT is(untrue(), 0::bigint, 'statuses and cancellations agree');

-- There and back again: what was ours a moment ago is not ours for ever.
SELECT prepare(18, 'first', 'canceled:SELECT ordcancel.undo_cancel(''orders'', @id);'
                            'UPDATE orders SET seen = NULL, status = ''canceled'' WHERE id = @id');
SELECT is(attempt('SELECT ordcancel.cancel_order(''orders'', 18)'), 'ok',
          'undone, and canceled once more by a plain update, in a trigger');
SELECT is(story(18), 'canceled: undone canceled', 'all of it is recorded');
SELECT is(untrue(), 0::bigint, 'statuses and cancellations agree still');

-- ------------------------------------------------- the same by a plain update

SELECT prepare(21, 'first', 'failed:UPDATE orders SET status = ''canceled'' WHERE id = @id');
SELECT prepare(22, 'last', 'failed:UPDATE orders SET status = ''canceled'' WHERE id = @id');
SELECT is(attempt('UPDATE orders SET status = ''failed'' WHERE id = ' || id), 'ok',
          format('a trigger may cancel what has just failed (%s)', id))
FROM generate_series(21, 22) AS id;
SELECT is(story(id), 'canceled: canceled', format('which is recorded (%s)', id)) FROM generate_series(21, 22) AS id;
SELECT is((SELECT prior_status FROM orders_cancellation WHERE order_id = 22), 'failed', 'with the status it had');
SELECT prepare(23, 'first', 'shipped:UPDATE orders SET status = ''canceled'' WHERE id = @id');
SELECT is(attempt('UPDATE orders SET status = ''shipped'' WHERE id = 23'), '23514 cancellation_forbidden',
          'but not what has just been shipped');
SELECT is(untrue(), 0::bigint, 'statuses and cancellations agree after plain updates');

-- -------------------------------------------- BEFORE triggers in our own update

CREATE FUNCTION twist() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    CASE split_part(NEW.todo, ':', 1)
        WHEN 'suppress' THEN RETURN NULL;
        WHEN 'keep' THEN NEW.status := OLD.status;
        WHEN 'null' THEN NEW.status := NULL;
        WHEN 'other' THEN NEW.status := 'parked';
        WHEN 'canceled' THEN NEW.status := 'canceled';
        WHEN 'key' THEN NEW.id := NEW.id + 1000;
        WHEN 'touch' THEN NEW.todo := 'touched';
        WHEN 'error' THEN RAISE EXCEPTION 'no' USING ERRCODE = 'P0099';
    END CASE;
    RETURN NEW;
END
$$;
CREATE TRIGGER twist BEFORE UPDATE ON orders FOR EACH ROW WHEN (NEW.seen = 'twist' AND OLD.seen = 'twist')
    EXECUTE FUNCTION twist();
SELECT prepare(31, 'twist', 'suppress');
SELECT prepare(32, 'twist', 'keep');
SELECT prepare(33, 'twist', 'null');
SELECT prepare(34, 'twist', 'other');
SELECT prepare(35, 'twist', 'canceled');
SELECT prepare(36, 'twist', 'key');
SELECT prepare(37, 'twist', 'touch');
SELECT prepare(38, 'twist', 'error');
SELECT is(attempt('SELECT ordcancel.cancel_order(''orders'', ' || id || ')'), result,
          format('cancel_order against a trigger that does "%s"', todo))
FROM (VALUES (31, '27000'), (32, '27000'), (33, '27000'), (34, '27000'), (37, 'ok'), (38, 'P0099')) AS v (id, result)
    JOIN orders USING (id)
ORDER BY id;
SELECT is(attempt('SELECT ordcancel.request_cancel(''orders'', 35)'), '27000',
          'a trigger cannot make a request a cancellation');
SELECT is(attempt('SELECT ordcancel.cancel_order(''orders'', 36)'), '27000',
          'nor change the key under it');
SELECT is((SELECT array_agg(story(id) ORDER BY id) FROM generate_series(31, 38) AS id),
          '{placed: -,placed: -,placed: -,placed: -,placed: -,placed: -,canceled: canceled,placed: -}',
          'what failed left no trace');
SELECT is((SELECT todo FROM orders WHERE id = 37), 'touched', 'what a trigger writes besides is kept');
SELECT is(untrue(), 0::bigint, 'statuses and cancellations agree in the end');

-- --------------------------------- a function of ours within a statement

UPDATE orders SET seen = NULL, todo = NULL WHERE id BETWEEN 41 AND 49;
SELECT ordcancel.set_rule('orders', 'placed', deletable => true);
CREATE TABLE within (n integer GENERATED ALWAYS AS IDENTITY, statement text);
INSERT INTO within (statement) VALUES
    ('UPDATE orders SET todo = (ordcancel.cancel_order(''orders'', id)).state WHERE id = 41'),
    ('UPDATE orders SET status = ''shipped'' WHERE id = 42 AND (ordcancel.cancel_order(''orders'', 42)).changed'),
    ('DELETE FROM orders WHERE id = 43 AND (ordcancel.cancel_order(''orders'', 43)).changed'),
    ('DELETE FROM orders WHERE id = 44 AND (ordcancel.request_cancel(''orders'', 44)).changed'),
    ('INSERT INTO orders VALUES (45, ''x'') ON CONFLICT (id) DO UPDATE SET status = ''shipped'' WHERE '
     '(ordcancel.cancel_order(''orders'', 45)).changed'),
    ('MERGE INTO orders AS o USING (VALUES (46)) AS v (i) ON o.id = v.i AND (ordcancel.cancel_order(''orders'', '
     '46)).changed WHEN MATCHED THEN UPDATE SET status = ''shipped'''),
    ('WITH u AS (UPDATE orders SET status = ''shipped'' WHERE id = 47 RETURNING 1) SELECT (SELECT count(*) FROM u), '
     'ordcancel.cancel_order(''orders'', 47)'),
    ('WITH u AS (UPDATE orders SET status = ''shipped'' WHERE id = 48) SELECT ordcancel.cancel_order(''orders'', 48)'),
    ('WITH d AS (DELETE FROM orders WHERE id = 49) SELECT ordcancel.cancel_order(''orders'', 49)');
SELECT is(attempt(statement), CASE n WHEN 7 THEN 'OC003' ELSE '27000' END, 'refused: ' || statement)
FROM within ORDER BY n;
SELECT is((SELECT string_agg(DISTINCT story(id), ', ') FROM generate_series(41, 49) AS id), 'placed: -',
          'none of it left a trace');

SELECT * FROM finish();
ROLLBACK;
