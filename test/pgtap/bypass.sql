-- A status change that is against the rules is refused however it is written,
-- and one that is within them is recorded, whichever way it takes.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
SELECT plan(159);

CREATE TABLE orders (
    id integer PRIMARY KEY,
    status text NOT NULL,
    note text,
    supplier text,
    total numeric,
    placed_at timestamptz DEFAULT now()
);
INSERT INTO orders (id, status, total) VALUES
    (1, 'placed', 0), (2, 'shipped', 0), (3, 'placed', 0), (4, 'preparing', 0), (5, 'placed', 9.90), (6, 'canceled', 0);
SELECT ordcancel.attach('orders', status => 'status', placed_at => 'placed_at', policy_by => 'supplier',
                        refund_due => 'total');
SELECT ordcancel.set_policy('orders', requested_status => 'cancellation_requested',
                            in_progress_status => 'refunding', canceled_status => 'canceled',
                            on_progress => 'hold');
SELECT ordcancel.set_rule('orders', 'placed', customer => 'cancel', merchant => 'cancel');
SELECT ordcancel.set_rule('orders', 'preparing', customer => 'request', merchant => 'request');
SELECT ordcancel.set_rule('orders', 'shipped', hint => 'process it as a return');
SELECT ordcancel.cancel_order('orders', 3);
SELECT ordcancel.request_cancel('orders', 4);
SELECT ordcancel.cancel_order('orders', 5);

-- ---------------------------------------------------------- ways of writing

CREATE VIEW plain_view AS SELECT * FROM orders;
CREATE VIEW checked_view AS SELECT id AS order_no, status AS state FROM orders WHERE id > 0 WITH CHECK OPTION;
CREATE VIEW ruled_view AS SELECT id, status FROM orders;
CREATE RULE ruled AS ON UPDATE TO ruled_view DO INSTEAD UPDATE orders SET status = NEW.status WHERE id = OLD.id;
CREATE VIEW trigger_view AS SELECT id, status FROM orders;
CREATE FUNCTION trigger_view() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE orders SET status = NEW.status WHERE id = OLD.id;
    RETURN NEW;
END
$$;
CREATE TRIGGER instead INSTEAD OF UPDATE ON trigger_view FOR EACH ROW EXECUTE FUNCTION trigger_view();

-- Another table's triggers.
CREATE TABLE parcel (order_id integer, before_status text, after_status text);
CREATE FUNCTION parcel() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE orders SET status = CASE TG_WHEN WHEN 'BEFORE' THEN NEW.before_status ELSE NEW.after_status END
    WHERE id = NEW.order_id;
    RETURN NEW;
END
$$;
CREATE TRIGGER before BEFORE INSERT ON parcel FOR EACH ROW WHEN (NEW.before_status IS NOT NULL)
    EXECUTE FUNCTION parcel();
CREATE TRIGGER after AFTER INSERT ON parcel FOR EACH ROW WHEN (NEW.after_status IS NOT NULL) EXECUTE FUNCTION parcel();

-- The table's own: a BEFORE trigger first and last in the alphabet, an AFTER
-- trigger that writes the row once more. The note says what they shall do.
CREATE FUNCTION sneak() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_WHEN = 'AFTER' THEN
        UPDATE orders SET status = split_part(NEW.note, ':', 2), note = NULL WHERE id = NEW.id;
    ELSE
        NEW.status := split_part(NEW.note, ':', 2);
        NEW.note := NULL;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER a_sneak BEFORE UPDATE ON orders FOR EACH ROW WHEN (NEW.note LIKE 'first:%') EXECUTE FUNCTION sneak();
CREATE TRIGGER zz_sneak BEFORE UPDATE ON orders FOR EACH ROW WHEN (NEW.note LIKE 'last:%') EXECUTE FUNCTION sneak();
CREATE TRIGGER a_again AFTER UPDATE ON orders FOR EACH ROW WHEN (NEW.note LIKE 'again:%') EXECUTE FUNCTION sneak();
CREATE TRIGGER zz_again AFTER UPDATE ON orders FOR EACH ROW WHEN (NEW.note LIKE 'later:%') EXECUTE FUNCTION sneak();

CREATE FUNCTION by_function(order_id integer, new_status text) RETURNS void LANGUAGE sql SECURITY DEFINER
    AS 'UPDATE orders SET status = new_status WHERE id = order_id';
CREATE FUNCTION by_cursor(order_id integer, new_status text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    c CURSOR FOR SELECT * FROM orders WHERE id = order_id FOR UPDATE;
    o orders;
BEGIN
    OPEN c;
    FETCH c INTO o;
    UPDATE orders SET status = new_status WHERE CURRENT OF c;
END
$$;
PREPARE by_plan (integer, text) AS UPDATE orders SET status = $2 WHERE id = $1;
PREPARE by_generic_plan (integer, text) AS UPDATE orders SET status = $2 WHERE id = $1;

CREATE TABLE way (n integer GENERATED ALWAYS AS IDENTITY, name text, statement text);
INSERT INTO way (name, statement) VALUES
    ('UPDATE', 'UPDATE orders SET status = @to WHERE id = @id'),
    ('UPDATE ONLY', 'UPDATE ONLY orders SET status = @to WHERE id = @id'),
    ('UPDATE with other columns',
     'UPDATE orders SET placed_at = now(), total = 0, status = @to, note = NULL WHERE id = @id'),
    ('UPDATE from a subquery', 'UPDATE orders SET (note, status) = (SELECT NULL, @to) WHERE id = @id'),
    ('UPDATE … FROM', 'UPDATE orders AS o SET status = v.s FROM (VALUES (@id, @to)) AS v (i, s) WHERE o.id = v.i'),
    ('UPDATE … RETURNING', 'UPDATE orders SET status = @to WHERE id = @id RETURNING status'),
    ('ON CONFLICT DO UPDATE',
     'INSERT INTO orders (id, status) VALUES (@id, ''placed'') ON CONFLICT (id) DO UPDATE SET status = @to'),
    ('ON CONFLICT with excluded',
     'INSERT INTO orders (id, status) VALUES (@id, @to) ON CONFLICT (id) DO UPDATE SET status = excluded.status'),
    ('MERGE', 'MERGE INTO orders AS o USING (VALUES (@id, @to)) AS v (i, s) ON o.id = v.i WHEN MATCHED THEN UPDATE SET '
              'status = v.s'),
    ('a writable CTE', 'WITH u AS (UPDATE orders SET status = @to WHERE id = @id RETURNING 1) SELECT count(*) FROM u'),
    ('a writable CTE that nobody reads', 'WITH u AS (UPDATE orders SET status = @to WHERE id = @id) SELECT 1'),
    ('a view', 'UPDATE plain_view SET status = @to WHERE id = @id'),
    ('a view with other names and CHECK OPTION', 'UPDATE checked_view SET state = @to WHERE order_no = @id'),
    ('a view with a rule', 'UPDATE ruled_view SET status = @to WHERE id = @id'),
    ('a view with an INSTEAD OF trigger', 'UPDATE trigger_view SET status = @to WHERE id = @id'),
    ('a BEFORE trigger of another table', 'INSERT INTO parcel VALUES (@id, @to, NULL)'),
    ('an AFTER trigger of another table', 'INSERT INTO parcel VALUES (@id, NULL, @to)'),
    ('a BEFORE trigger that fires first', 'UPDATE orders SET note = ''first:'' || @to WHERE id = @id'),
    ('a BEFORE trigger that fires last', 'UPDATE orders SET note = ''last:'' || @to WHERE id = @id'),
    ('an AFTER trigger that fires first', 'UPDATE orders SET note = ''again:'' || @to WHERE id = @id'),
    ('an AFTER trigger that fires last', 'UPDATE orders SET note = ''later:'' || @to WHERE id = @id'),
    ('a function of the owner', 'SELECT by_function(@id, @to)'),
    ('WHERE CURRENT OF', 'SELECT by_cursor(@id, @to)'),
    ('a DO block', 'DO $do$ BEGIN UPDATE orders SET status = @to WHERE id = @id; END $do$'),
    ('a prepared statement', 'EXECUTE by_plan(@id, @to)'),
    ('a prepared statement with a generic plan', 'EXECUTE by_generic_plan(@id, @to)');

CREATE FUNCTION go(way way, id integer, new_status text) RETURNS text LANGUAGE plpgsql
    SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    IF way.statement LIKE '%generic%' THEN
        SET LOCAL plan_cache_mode = force_generic_plan;
    END IF;
    RETURN attempt(replace(replace(way.statement, '@id', id::text), '@to', quote_literal(new_status)));
END
$$;

-- ------------------------------------------------------------- against rules

CREATE TABLE forbidden_change (id integer, new_status text, condition text, what text);
INSERT INTO forbidden_change VALUES
    (2, 'canceled', '23514 cancellation_forbidden', 'canceling what is shipped'),
    (3, 'shipped', '23514 order_is_canceled', 'shipping what is canceled'),
    (4, 'shipped', '23514 order_on_hold', 'shipping what is on hold'),
    (5, 'canceled', '23514 refund_not_settled', 'completing what is not refunded'),
    (6, 'placed', '23514 order_is_canceled', 'reviving what came canceled');

CREATE TEMP TABLE world AS SELECT * FROM orders;
SELECT is(go(way, c.id, c.new_status), c.condition, c.what || ' through ' || way.name || ' is refused')
FROM way, forbidden_change AS c
ORDER BY way.n, c.id;
SELECT bag_eq('SELECT * FROM orders', 'SELECT * FROM world', 'no attempt left a trace in the orders');
SELECT is((SELECT count(*) FROM ordcancel.event), 3::bigint, 'no attempt left an event');

-- ------------------------------------------------------------- within rules

INSERT INTO orders (id, status) SELECT 100 + n, 'placed' FROM way;
SELECT is((SELECT go(way, 100 + way.n, 'canceled')), 'ok', 'canceling what is placed through ' || name || ' is allowed')
FROM way ORDER BY n;
SELECT is(array_agg(o.status || ' ' || c.state || ' ' || c.prior_status || ' ' || e.type || ' ' || e.source
                    ORDER BY o.id),
          array_fill('canceled canceled placed canceled update'::text, ARRAY[(SELECT count(*)::integer FROM way)]),
          'and each is recorded once')
FROM orders AS o
    LEFT JOIN orders_cancellation AS c ON c.order_id = o.id
    LEFT JOIN orders_cancellation_event AS e USING (cancellation_id)
WHERE o.id > 100;

SELECT * FROM finish();
ROLLBACK;
