-- To the cent: however an order is canceled in parts, its refunds sum to what
-- canceling the whole at once makes due. Each order is there twice: "parts" is
-- canceled by random calls, with undos, and in the end as a whole; its twin is
-- canceled at once. SET items.seed = '7' before it for other orders and calls,
-- items.orders for their number in each shop.
SET client_min_messages = warning;
-- The tables were empty when the plans were made.
SET enable_seqscan = off;
SET jit = off;

CREATE TEMP TABLE shop (
    n serial PRIMARY KEY,
    name text,          -- its schema
    amount text,
    paid text,          -- the refund_due expression, if there is one
    scale integer,
    items text          -- more columns and constraints of its items
);
INSERT INTO shop (name, amount, paid, scale, items) VALUES
    ('rounded', 'round((quantity - canceled) * price * (1 - discount / 100), 2)', NULL, 2, ''),
    ('unrounded', '(quantity - canceled) * price * (1 - discount / 100)', NULL, 2, ''),
    ('each_rounded', '(quantity - canceled) * round(price * (1 - discount / 100), 2)', 'paid', 2, ''),
    ('no_cents', '(quantity - canceled) * price * (1 - discount / 100)', NULL, 0, ''),
    ('no_cents_paid', '(quantity - canceled) * price * (1 - discount / 100)', 'paid', 0, ''),
    ('three', '(quantity - canceled) * price * (1 - discount / 100)', 'paid', 3, ''),
    ('three_unpaid', '(quantity - canceled) * price * (1 - discount / 100)', NULL, 3, ''),
    ('rebate', '(quantity - canceled) * price * CASE WHEN quantity - canceled >= 5 THEN 0.7'
               ' WHEN quantity - canceled >= 3 THEN 0.9 ELSE 1 END', NULL, 2, ''),
    ('rebate_paid', '(quantity - canceled) * price * CASE WHEN quantity - canceled >= 5 THEN 0.7'
                    ' WHEN quantity - canceled >= 3 THEN 0.9 ELSE 1 END', 'paid', 2, ''),
    ('generated', 'total', 'paid', 2,
     ', total numeric GENERATED ALWAYS AS (round((quantity - canceled) * price * (100 - discount) / 100, 2)) STORED'),
    ('by_line', 'round(CASE WHEN state = ''canceled'' THEN 0 ELSE quantity * price * (1 - discount / 100) END, 2)',
     'paid', 2, ', state text DEFAULT ''open'''),
    ('fractions', 'round((quantity - canceled) * price, 2)', NULL, 2, ''),
    ('only_paid', NULL, 'paid', 2, '');

CREATE FUNCTION pick(VARIADIC words text[]) RETURNS text LANGUAGE sql VOLATILE
    AS 'SELECT words[1 + floor(random() * cardinality(words))::integer]';

-- What a call said, or the condition that it was refused with.
CREATE TEMP TABLE step (shop text, order_id integer, n serial, what text, answer text);
-- Any state in which the books do not balance.
CREATE TEMP TABLE wrong (shop text, order_id integer, problem text);

CREATE FUNCTION setup(s shop, orders integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE SCHEMA %I', s.name);
    PERFORM set_config('search_path', format('%I, public, pg_temp', s.name), false);
    CREATE TABLE orders (id integer PRIMARY KEY, status text NOT NULL DEFAULT 'placed', paid numeric);
    EXECUTE format('CREATE TABLE items (order_id integer NOT NULL REFERENCES orders, line integer,'
                   ' quantity %s NOT NULL, canceled %1$s NOT NULL DEFAULT 0, price numeric, discount numeric %s,'
                   ' PRIMARY KEY (order_id, line))', CASE s.name WHEN 'fractions' THEN 'numeric' ELSE 'integer' END,
                   s.items);
    PERFORM ordcancel.attach('orders', 'status', refund_due => s.paid, refund_scale => s.scale);
    PERFORM ordcancel.set_policy('orders', requested_status => 'asked', in_progress_status => 'refunding',
                                 canceled_status => 'canceled');
    PERFORM ordcancel.set_rule('orders', 'placed', customer => 'request', merchant => 'cancel');
    IF s.name = 'by_line' THEN
        PERFORM ordcancel.attach_items('items', 'orders', '{order_id}', quantity => 'quantity', status => 'state',
                                       canceled_status => 'canceled', amount => s.amount);
    ELSE
        PERFORM ordcancel.attach_items('items', 'orders', '{order_id}', quantity => 'quantity', canceled => 'canceled',
                                       amount => s.amount);
    END IF;
    INSERT INTO orders (id) SELECT generate_series(1, orders);
    INSERT INTO items (order_id, line, quantity, price, discount)
    SELECT o.id, l, CASE s.name WHEN 'fractions' THEN round((0.001 + random() * 5)::numeric, 3)
                         ELSE 1 + floor(random() * 7) END,
           pick('0.333', '0.01', '9.99', '3.335', '10', '0.005', '1234.565', round(random()::numeric * 100, 4)::text)
               ::numeric,
           pick('0', '0', '10', '12.5', '33.333', '7', '100')::numeric
    FROM orders AS o, generate_series(1, 1 + floor(o.id % 4)::integer) AS l;
    -- Of a few, more is paid than the items cost, or less.
    EXECUTE format('UPDATE orders AS o SET paid = round((SELECT sum(%s) FROM items AS i WHERE i.order_id = o.id), $1)'
                   ' + CASE o.id %% 5 WHEN 0 THEN 4.99 WHEN 1 THEN -o.id %% 7 ELSE 0 END',
                   coalesce(s.amount, 'quantity * price'))
        USING CASE WHEN s.name LIKE 'no_cents%' THEN 0 ELSE s.scale END;
    UPDATE orders SET paid = 0 WHERE paid < 0;
    INSERT INTO orders SELECT -id, status, paid FROM orders;
    INSERT INTO items (order_id, line, quantity, price, discount)
    SELECT -order_id, line, quantity, price, discount FROM items;
END $$;

-- A random part of what is left of an order, as cancel_items takes it.
CREATE FUNCTION some_items(id integer, whole boolean) RETURNS jsonb LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN (SELECT jsonb_agg(jsonb_build_object('item', i.item)
                     || CASE WHEN whole OR random() < 0.3 THEN '{}'
                             ELSE jsonb_build_object('quantity', CASE WHEN i.cancelable < 1 THEN i.cancelable
                                                     ELSE ceil(random() * floor(i.cancelable)) END) END)
    FROM ordcancel.item_options('orders', id) AS i
    WHERE i.cancelable > 0 AND random() < 0.6);
END $$;

-- What the customer has got and keeps, or is to get.
CREATE FUNCTION owed(id integer) RETURNS numeric LANGUAGE plpgsql AS $$
BEGIN
    RETURN (SELECT sum(CASE WHEN c.state IN ('in_progress', 'canceled') THEN c.refund_due
                    WHEN c.state = 'undone' AND NOT e.settled THEN c.refunded END)
    FROM orders_cancellation AS c
        LEFT JOIN (SELECT cancellation_id, bool_or(coalesce((data->>'settled')::boolean, false)) AS settled
                   FROM orders_cancellation_event WHERE type = 'undone' GROUP BY 1) AS e USING (cancellation_id)
    WHERE c.order_id = id);
END $$;

CREATE FUNCTION try(shop text, id integer, what text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    answer text;
BEGIN
    BEGIN
        EXECUTE 'SELECT concat_ws('' '', state, order_status, refund_due) FROM ordcancel.' || what INTO answer;
    EXCEPTION WHEN SQLSTATE 'OC006' OR SQLSTATE 'OC008' OR SQLSTATE 'OC009' OR SQLSTATE 'OC010' OR SQLSTATE 'OC012'
        OR SQLSTATE 'OC016' THEN
        answer := SQLSTATE;
    END;
    INSERT INTO step (shop, order_id, what, answer) VALUES (try.shop, id, try.what, answer);
    RETURN answer !~ '^OC';
END $$;

-- Cancels an order by parts, undoes some, and cancels the rest.
CREATE FUNCTION play(s shop, id integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    refund CONSTANT text := 'record_refund(''orders'', %s, %s, %L, cancellation_id => %s)';
    items jsonb;
    live record;
    bound numeric;
BEGIN
    PERFORM try(s.name, -id, format('cancel_order(''orders'', %s)', -id));
    bound := owed(-id);
    FOR turn IN 1 .. 1 + floor(random() * 6) LOOP
        SELECT c.cancellation_id, c.state, c.scope, c.refund_due - coalesce(c.refunded, 0) AS open INTO live
        FROM orders_cancellation AS c
        WHERE c.order_id = id AND c.state IN ('in_progress', 'canceled') ORDER BY random() LIMIT 1;
        CASE pick('cancel', 'cancel', 'cancel', 'ask', 'undo', 'refund', 'points')
            WHEN 'cancel' THEN
                items := some_items(id, s.name = 'by_line');
                CONTINUE WHEN items IS NULL;
                PERFORM try(s.name, id, format('cancel_items(''orders'', %s, %L)', id, items));
            WHEN 'ask' THEN
                items := some_items(id, s.name = 'by_line');
                CONTINUE WHEN items IS NULL;
                IF try(s.name, id, format('request_cancel_items(''orders'', %s, %L)', id, items)) THEN
                    PERFORM try(s.name, id, format(pick('accept_cancel(''orders'', %s)',
                                                        'deny_cancel(''orders'', %s, note => ''no'')'), id));
                END IF;
            WHEN 'undo' THEN
                CONTINUE WHEN live IS NULL;
                PERFORM try(s.name, id, format('undo_cancel(''orders'', %s, ''a note'', settled => %L,'
                                               ' cancellation_id => %s)', id, random() < 0.5, live.cancellation_id));
            WHEN 'refund' THEN
                CONTINUE WHEN live.open IS NULL OR live.open = 0;
                PERFORM try(s.name, id, format(refund, id, live.open, 'card', live.cancellation_id));
            WHEN 'points' THEN
                CONTINUE WHEN live.open IS NULL OR live.open = 0;
                -- Which the customer keeps when the cancellation is undone.
                PERFORM try(s.name, id, format(refund, id,
                                               round(live.open / 2 + power(0.1, s.scale)::numeric / 2, s.scale),
                                               'points', live.cancellation_id));
        END CASE;
        IF owed(id) > bound THEN
            INSERT INTO wrong VALUES (s.name, id, format('in turn %s %s is owed, above %s', turn, owed(id), bound));
        END IF;
    END LOOP;
    IF random() < 0.5 THEN
        PERFORM try(s.name, id, format('cancel_order(''orders'', %s)', id));
    ELSE
        SELECT jsonb_agg(jsonb_build_object('item', item)) INTO items
        FROM ordcancel.item_options('orders', id) WHERE cancelable > 0;
        IF items IS NOT NULL THEN
            PERFORM try(s.name, id, format('cancel_items(''orders'', %s, %L)', id, items));
        END IF;
    END IF;
END $$;

-- Each order in a transaction of its own, which is faster than one for all.
DO $$
DECLARE
    s shop;
    seed integer := coalesce(current_setting('items.seed', true)::integer, 42);
    orders integer := coalesce(current_setting('items.orders', true)::integer, 385);
BEGIN
    FOR s IN SELECT * FROM shop ORDER BY n LOOP
        PERFORM setseed((seed * 100 + s.n) % 9973 / 9973.0);
        PERFORM setup(s, orders);
        ANALYZE orders, items;
        FOR id IN 1..orders LOOP
            PERFORM play(s, id);
            COMMIT;
        END LOOP;
        EXECUTE 'INSERT INTO wrong
                 SELECT $1, o.id, format(''%s is owed after all parts, and %s for the whole; %s is paid'',
                     coalesce(owed(o.id)::text, ''nothing''), coalesce(owed(-o.id)::text, ''nothing''), o.paid)
                 FROM orders AS o WHERE o.id > 0 AND owed(o.id) IS DISTINCT FROM owed(-o.id)' USING s.name;
    END LOOP;
END $$;
RESET search_path;

BEGIN;
SELECT plan(14);
SELECT diag('seed ' || coalesce(current_setting('items.seed', true), '42'));
SELECT is((SELECT string_agg(format('order %s: %s', order_id, problem), E'\n' ORDER BY order_id)
           FROM wrong WHERE shop = name), NULL, 'to the cent: ' || name) FROM shop ORDER BY n;
-- All calls for an order that is wrong.
SELECT diag(format('%s: %s -> %s', s.shop, s.what, s.answer))
FROM step AS s JOIN (SELECT shop, min(order_id) AS order_id FROM wrong GROUP BY 1) AS w
    ON w.shop = s.shop AND w.order_id = abs(s.order_id)
ORDER BY s.n;

-- That all of this has happened.
CREATE TEMP VIEW tally AS
SELECT regexp_replace(what, '\(.*', '') AS call, regexp_replace(answer, ' [0-9.]+$', '') AS answer, count(*) AS times
FROM step GROUP BY 1, 2;
SELECT is_empty($$SELECT * FROM (VALUES ('cancel_items', 'canceled placed'), ('cancel_items', 'in_progress placed'),
                                        ('cancel_items', 'in_progress refunding'),
                                        ('cancel_items', 'canceled canceled'), ('accept_cancel', 'in_progress placed'),
                                        ('accept_cancel', 'in_progress refunding'),
                                        ('cancel_order', 'in_progress refunding'),
                                        ('record_refund', 'canceled placed'), ('record_refund', 'canceled refunding'),
                                        ('record_refund', 'canceled canceled'), ('undo_cancel', 'undone placed'),
                                        ('undo_cancel', 'OC008'), ('undo_cancel', 'OC009')) AS w (call, answer)
                  WHERE NOT EXISTS (SELECT FROM tally AS t WHERE t.call = w.call AND t.answer = w.answer)$$,
                'all of it has happened');
SELECT diag(format('%s: %s %s', call, answer, times)) FROM tally ORDER BY call, answer;
SELECT * FROM finish();
ROLLBACK;
