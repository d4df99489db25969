-- An owner can put anything into record tables that are his own: the worst that
-- comes of it is an error of his, never a crash or another owner's trouble.
SET client_min_messages = error;
SELECT plan(9);
\ir include/helpers.sql
CREATE TABLE broken (id integer PRIMARY KEY, status text);
CREATE TABLE sound (id integer PRIMARY KEY, status text);
INSERT INTO broken SELECT n, 'placed' FROM generate_series(1, 5) AS n;
INSERT INTO sound SELECT n, 'placed' FROM generate_series(1, 5) AS n;
SELECT ordcancel.attach(t, 'status', inherit => false),
       ordcancel.set_policy(t, canceled_status => 'canceled', decision_timeout => '1 hour', on_timeout => 'deny'),
    ordcancel.set_rule(t, 'placed', customer => 'request', merchant => 'cancel')
FROM unnest('{broken,sound}'::regclass[]) AS t;
SELECT ordcancel.request_cancel(t, 1), ordcancel.request_cancel(t, 2), ordcancel.cancel_order(t, 3, request_key => 'k3')
FROM unnest('{broken,sound}'::regclass[]) AS t;

ALTER TABLE broken_cancellation DISABLE TRIGGER ALL;
ALTER TABLE broken_cancellation ALTER order_key DROP NOT NULL, ALTER state DROP NOT NULL,
    ALTER requested_by DROP NOT NULL,
    ALTER requested_at DROP NOT NULL, ALTER policy DROP NOT NULL;
ALTER TABLE broken_cancellation_event DISABLE TRIGGER ALL;
ALTER TABLE broken_cancellation_event ALTER order_key DROP NOT NULL, ALTER source DROP NOT NULL,
    ALTER state DROP NOT NULL, ALTER at DROP NOT NULL;
UPDATE broken_cancellation SET order_key = NULL, requested_by = NULL, requested_at = NULL, policy = NULL
WHERE order_id = 1;
UPDATE broken_cancellation_event SET order_key = NULL, state = NULL, at = NULL WHERE order_id = 3;

SELECT is(attempt($$SELECT ordcancel.cancel_order('broken', 3, request_key => 'k3')$$), 'OC011',
          'a request key without its order is refused');
UPDATE broken_cancellation_event SET order_key = '3', source = NULL WHERE order_id = 3;
SELECT is(attempt($$SELECT ordcancel.cancel_order('broken', 3, request_key => 'k3')$$), 'OC011',
          'and one without its function');

-- A trigger that says it was canceled, and one that gave up waiting.
CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'canceling statement due to user request' USING ERRCODE = 'query_canceled';
END
$$;
UPDATE broken_cancellation SET order_status = 'asked' WHERE order_id = 2;
CREATE TRIGGER spoil BEFORE UPDATE ON broken_cancellation FOR EACH ROW EXECUTE FUNCTION spoil();
SET ordcancel.clock = '2126-01-01 00:00+00';
SELECT is(attempt('CALL ordcancel.sweep()'), 'ok',
          'a sweep goes on past a record without a key, and a trigger that says canceled');
SELECT is((SELECT array_agg(DISTINCT state ORDER BY state) FROM sound_cancellation WHERE order_id < 3), '{denied}',
          'the other owner''s requests are decided');
SELECT is((SELECT array_agg(DISTINCT state ORDER BY state) FROM broken_cancellation WHERE order_id < 3), '{requested}',
          'his own are not');
RESET ordcancel.clock;
DROP TRIGGER spoil ON broken_cancellation;

SELECT isnt(attempt($$SELECT ordcancel.accept_cancel('broken', 1)$$), 'XX000',
            'a request that nobody asked for can be accepted or not');
SELECT isnt(attempt($$SELECT ordcancel.undo_cancel('broken', 2)$$), 'XX000', 'and undone');
SELECT isnt(attempt($$UPDATE broken SET status = 'shipped' WHERE id = 2$$), 'XX000', 'and its order moved');

-- The search_path of a call is not left behind by one that failed.
DO $$ BEGIN PERFORM ordcancel.attach('sound', 'nothing'); EXCEPTION WHEN SQLSTATE 'OC014' THEN NULL; END $$;
SELECT is(ordcancel_internal.caller_search_path(), NULL, 'outside of a call there is no caller');
SELECT * FROM finish();
