-- item_options and cancel_options over orders with items: what they foretell for
-- each party is what then happens.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
\ir include/items.sql
SELECT plan(48);
SET LOCAL timezone = 'UTC';
SET LOCAL ordcancel.clock = '2026-05-05 12:00+00';

CREATE SCHEMA shop;
CREATE TABLE shop.orders (id integer PRIMARY KEY, kind text, status text, placed_at timestamptz, flagged boolean);
CREATE TABLE shop.items (id integer PRIMARY KEY, order_id integer, quantity numeric, canceled numeric DEFAULT 0,
                         shipped numeric DEFAULT 0, price numeric);
CREATE INDEX ON shop.items (order_id);
SELECT ordcancel.attach('shop.orders', 'status', 'placed_at');
SELECT ordcancel.set_policy('shop.orders', grace => '2 hours', requested_status => 'asked',
                            in_progress_status => 'refunding', canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.orders', 'placed', customer => 'cancel', merchant => 'cancel');
SELECT ordcancel.set_rule('shop.orders', 'preparing', customer => 'request', merchant => 'request');
SELECT ordcancel.set_rule('shop.orders', 'packed', customer => 'cancel', customer_late => 'forbid',
    merchant => 'cancel');
SELECT ordcancel.set_rule('shop.orders', 'shipped', hint => 'Return it.');
SELECT ordcancel.add_block('shop.orders', 'flagged', 'flagged', 'Ask.', party => 'customer');
SELECT ordcancel.attach_items('shop.items', 'shop.orders', '{order_id}', 'quantity', 'canceled', 'shipped',
                              '(quantity - canceled) * price');
CREATE ROLE parts_shopper;
CREATE ROLE parts_clerk;
GRANT USAGE ON SCHEMA shop TO parts_shopper, parts_clerk;
GRANT SELECT ON shop.orders TO parts_shopper, parts_clerk;
SELECT ordcancel.grant_customer('parts_shopper');
SELECT ordcancel.grant_merchant('parts_clerk');
GRANT EXECUTE ON FUNCTION ordcancel.override_cancel(regclass, anynonarray, text, text, text, text, jsonb, numeric)
    TO parts_clerk;

INSERT INTO shop.orders SELECT row_number() OVER (), kind, status, '2026-05-05 11:00+00', kind = 'flagged'
FROM (VALUES ('new', 'placed'), ('new', 'preparing'), ('new', 'packed'), ('new', 'shipped'), ('new', 'nowhere'),
             ('new', NULL), ('flagged', 'placed'), ('no items', 'placed'), ('partly fulfilled', 'placed'),
             ('partly fulfilled', 'preparing'), ('fulfilled', 'placed'), ('free', 'placed'), ('no units', 'placed'),
             ('part in progress', 'placed'), ('part canceled', 'placed'), ('part canceled', 'preparing'),
             ('part undone', 'placed'), ('rest canceled', 'placed'), ('two parts', 'placed'),
             ('part requested', 'preparing'), ('part requested by merchant', 'preparing'),
             ('part requested, then fulfilled', 'preparing'), ('part denied', 'preparing'),
             ('requested', 'preparing'), ('requested, then fulfilled', 'preparing'), ('in progress', 'placed'),
             ('waiting for a part', 'placed'), ('canceled', 'placed'), ('undone', 'placed'), ('imported', 'canceled'))
         AS k (kind, status);
INSERT INTO shop.items SELECT 10 * o.id + i.n, o.id, CASE WHEN o.kind = 'no units' THEN 0 ELSE i.quantity END, 0, 0,
                              CASE WHEN o.kind NOT IN ('free', 'canceled', 'part canceled',
                              'two parts') THEN i.price END
FROM shop.orders AS o, (VALUES (1, 5, 10), (2, 2, 0.99)) AS i (n, quantity, price)
WHERE o.kind <> 'no items';
CREATE FUNCTION prepare(kinds text, call text) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    EXECUTE format('SELECT ordcancel.%s FROM shop.orders WHERE kind ~ %L', call, kinds);
END
$$;
UPDATE shop.items SET shipped = 1 FROM shop.orders AS o WHERE order_id = o.id AND items.id % 10 = 1
    AND kind IN ('partly fulfilled', 'rest canceled');
UPDATE shop.items SET shipped = quantity FROM shop.orders AS o WHERE order_id = o.id AND kind = 'fulfilled';
SELECT prepare('^(part (in progress|canceled|undone)|waiting)',
               $$cancel_items('shop.orders', id, format('[{"item": %s1, "quantity": 2}]', id)::jsonb)$$);
SELECT count(ordcancel.accept_cancel('shop.orders',
    id)) FROM shop.orders WHERE kind = 'part canceled' AND status = 'preparing';
SELECT prepare('^two parts',
    format($$cancel_items('shop.orders', id, format('[{"item": %%s1, "quantity": %s}]', id)::jsonb)$$,
                                    n)) FROM generate_series(1, 2) AS n;
SELECT prepare('^rest canceled',
    $$cancel_items('shop.orders', id, format('[{"item": %s1}, {"item": %1$s2}]', id)::jsonb)$$);
SELECT prepare('^part undone', $$undo_cancel('shop.orders', id)$$);
SELECT prepare('^part (requested|denied)',
               $$request_cancel_items('shop.orders', id, format('[{"item": %s1, "quantity": 2}]', id)::jsonb)$$);
SELECT prepare('^part denied', $$deny_cancel('shop.orders', id, 'no')$$);
SELECT prepare('^part requested by', $$withdraw_cancel('shop.orders', id)$$);
SELECT prepare('^part requested by merchant',
               $$cancel_items('shop.orders', id, format('[{"item": %s1, "quantity": 2}]', id)::jsonb)$$);
SELECT prepare('^requested', $$request_cancel('shop.orders', id)$$);
UPDATE shop.items SET shipped = 4 FROM shop.orders AS o WHERE order_id = o.id AND items.id % 10 = 1
    AND kind ~ 'then fulfilled';
SELECT prepare('^(in progress|waiting|canceled|undone)', $$cancel_order('shop.orders', id)$$);
SELECT prepare('^undone', $$undo_cancel('shop.orders', id)$$);

-- ------------------------------------------------------- trying it out

-- What comes of a verb, and takes it back: 'canceled', 'already', or the
-- condition; with what it makes due.
CREATE FUNCTION tried(party text, verb text, id integer) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    o ordcancel.outcome;
    did text;
    left_of CONSTANT text := coalesce((SELECT string_agg(format('{"item": "%s"}', i.item), ', ')
                                       FROM ordcancel.item_options('shop.orders', id) AS i
                                       WHERE i.ordered > i.canceled + i.fulfilled),
                                      (SELECT format('{"item": "%s1"}', id)));
    recorded CONSTANT text := (SELECT string_agg(format('{"item": "%s", "quantity": %s}', i.item_key, i.quantity), ', ')
                               FROM shop.orders_cancellation_item AS i JOIN shop.orders_cancellation AS c
                                   USING (cancellation_id)
                               WHERE c.order_id = tried.id AND c.state = 'requested' AND c.scope = 'items');
    due CONSTANT numeric := (SELECT min(refund_due - refunded) FROM shop.orders_cancellation AS c
                             WHERE c.order_id = tried.id AND c.state = 'in_progress' AND refund_due > refunded);
BEGIN
    BEGIN
        EXECUTE format('SET LOCAL ROLE %I', CASE party WHEN 'customer' THEN 'parts_shopper' ELSE 'parts_clerk' END);
        EXECUTE format('SELECT * FROM ordcancel.%s(''shop.orders'', %s%s)', verb, id, CASE verb
            WHEN 'request_cancel_items' THEN format(', ''[%s]''', coalesce(recorded, left_of))
            WHEN 'cancel_items' THEN format(', ''[%s]''', coalesce(recorded, left_of))
            WHEN 'override_cancel' THEN ', note => ''x''' WHEN 'deny_cancel' THEN ', ''no'''
            WHEN 'record_refund' THEN format(', %s, ''cash''', coalesce(due, 1))
            WHEN 'adjust_refund' THEN ', 9999, note => ''late'''
            WHEN 'undo_cancel' THEN ', ''x''' ELSE '' END) INTO o;
        did := concat_ws(' ', CASE WHEN o.changed THEN o.state ELSE 'already' END,
                         CASE WHEN o.changed AND verb !~ 'items' AND o.state IN ('in_progress', 'canceled')
                              THEN trim_scale(o.refund_due) END);
        RAISE EXCEPTION USING ERRCODE = 'P0999';
    EXCEPTION WHEN SQLSTATE 'P0999' THEN
        NULL;
    WHEN OTHERS THEN
        did := SQLSTATE;
    END;
    RESET ROLE;
    RETURN did;
END
$$;
-- What cancel_options foretells, in the same words.
CREATE TABLE foretold (id integer, kind text, status text, party text, verb text, foretold text, detail text);
CREATE FUNCTION foretell() RETURNS bigint
    LANGUAGE sql
    AS $$
WITH gone AS (DELETE FROM foretold),
     put AS (INSERT INTO foretold
             SELECT p.id, p.kind, p.status, o.party, o.verb,
                    CASE WHEN o.allowed THEN concat_ws(' ', o.outcome, CASE WHEN o.verb <> 'record_refund'
                                                                            THEN trim_scale(o.refund_due) END)
                         ELSE c.sqlstate END, o.detail
             FROM shop.orders AS p, LATERAL ordcancel.cancel_options('shop.orders', p.id) AS o
                 LEFT JOIN ordcancel_internal.conditions() AS c (sqlstate, condition) ON c.condition = o.condition
             RETURNING 1)
SELECT count(*) FROM put
$$;
-- Which items are meant and what is refunded, cancel_options does not know.
CREATE FUNCTION foretold_wrongly(verb text) RETURNS SETOF text
    LANGUAGE sql
    AS $$
SELECT format('%s %s %s: %s, but %s', f.id, f.kind, f.status, f.foretold, t.did)
FROM foretold AS f, LATERAL (SELECT tried(f.party, f.verb, f.id) AS did OFFSET 0) AS t
WHERE f.verb = foretold_wrongly.verb AND f.foretold IS DISTINCT FROM CASE
    WHEN f.verb ~ 'items|refund' AND f.foretold IN ('canceled', 'in_progress') AND t.did ~ '^(canceled|in_progress)'
    THEN f.foretold ELSE t.did END
$$;
SELECT is(foretell(), 360::bigint, 'twelve rows for each order');
SELECT is_empty(format('SELECT foretold_wrongly(%L)', verb), 'what cancel_options foretells happens: ' || verb)
FROM (SELECT DISTINCT verb FROM foretold) AS v ORDER BY verb;
SELECT is((SELECT count(*) FROM foretold WHERE foretold IS NULL OR (foretold ~ '^[O0-9]' AND detail IS NULL)),
          0::bigint, 'a refusal has a condition and a detail');
SELECT ordcancel.set_policy('shop.orders', partly_fulfilled => 'rest');
SELECT foretell();
SELECT is_empty(format('SELECT foretold_wrongly(%L)', verb), 'where the rest can be canceled, too: ' || verb)
FROM (SELECT DISTINCT verb FROM foretold) AS v ORDER BY verb;
SELECT ordcancel.set_policy('shop.orders', partly_fulfilled => 'refuse');

-- item_options: for each item, what the caller may cancel of it; and that is
-- just what can be canceled.
CREATE FUNCTION tried_item(role name, id integer, item text, quantity text) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    did text;
BEGIN
    BEGIN
        EXECUTE format('SET LOCAL ROLE %I', role);
        did := outcome_of(format('%s(''shop.orders'', %s, ''[{"item": "%s"%s}]'')',
                                 CASE role WHEN 'parts_shopper' THEN 'request_cancel_items' ELSE 'cancel_items' END,
                                 id, item, ', "quantity": ' || quantity), 'changed');
        RAISE EXCEPTION USING ERRCODE = 'P0999';
    EXCEPTION WHEN SQLSTATE 'P0999' THEN
        RESET ROLE;
        RETURN did;
    END;
END
$$;
CREATE FUNCTION options_of(role name) RETURNS TABLE (id integer, kind text, item text, ordered numeric,
    fulfilled numeric,
                                                     canceled numeric, cancelable numeric, amount numeric, why_not text)
    LANGUAGE plpgsql
    AS $$
BEGIN
    CREATE TEMP TABLE found ON COMMIT DROP AS SELECT o.id, o.kind, i.* FROM shop.orders AS o,
        LATERAL ordcancel.item_options('shop.orders', o.id) AS i WHERE false;
    GRANT INSERT ON found TO PUBLIC;
    EXECUTE format('SET LOCAL ROLE %I', role);
    INSERT INTO found SELECT o.id, o.kind, i.* FROM shop.orders AS o,
        LATERAL ordcancel.item_options('shop.orders', o.id) AS i;
    RESET ROLE;
    RETURN QUERY SELECT * FROM found;
    DROP TABLE found;
END
$$;
CREATE TEMP TABLE options AS
SELECT r.role, o.* FROM unnest('{parts_shopper,parts_clerk}'::name[]) AS r (role), LATERAL options_of(r.role) AS o;
SELECT is((SELECT count(*) FROM options), 116::bigint, 'a row for each item, for each party');
SELECT is_empty($$SELECT * FROM options AS o JOIN shop.items AS i ON i.id::text = o.item
                  WHERE (o.ordered, o.canceled, o.fulfilled) IS DISTINCT FROM (i.quantity, i.canceled, i.shipped)
                      OR o.amount IS DISTINCT FROM coalesce((i.quantity - i.canceled) * i.price, 0)$$,
                'it has the units and the amount of the item');
SELECT is_empty($$SELECT * FROM options WHERE (cancelable > 0) <> (why_not IS NULL)$$,
                'either some can be canceled, or why not');
SELECT is_empty($$SELECT * FROM options WHERE cancelable NOT IN (0, ordered - fulfilled - canceled)
                      AND kind !~ '^part requested'$$, 'all that is left');
SELECT is((SELECT cancelable FROM options WHERE role = 'parts_clerk' AND kind = 'part requested' AND cancelable > 0),
          2::numeric, 'or what was asked for, which the merchant may confirm');
SELECT is_empty(format($$SELECT *, tried_item(role, id, item, cancelable::text) FROM options
                         WHERE cancelable > 0 AND role = %L AND kind !~ '^part requested'
                             AND tried_item(role, id, item, cancelable::text) <> 'true'$$, role),
                'so many can be canceled by ' || role)
FROM unnest('{parts_shopper,parts_clerk}'::name[]) AS role;
SELECT is_empty(format($$SELECT *, tried_item(role, id, item, (cancelable + 1)::text) FROM options
                         WHERE role = %L AND kind !~ '^part requested'
                             AND tried_item(role, id, item, (cancelable + 1)::text) IN ('true', 'false')$$, role),
                'and not one more by ' || role)
FROM unnest('{parts_shopper,parts_clerk}'::name[]) AS role;
SELECT is((SELECT string_agg(DISTINCT kind, ', ' ORDER BY kind) FROM options WHERE kind ~ 'requested' AND cancelable > 0
               AND role = 'parts_shopper'), NULL, 'nothing for the customer while a request is open');
SELECT is((SELECT why_not FROM options WHERE role = 'parts_clerk' AND kind = 'fulfilled' LIMIT 1),
          '0 of 5 are canceled and 5 fulfilled.', 'why not: nothing is left');
SELECT ok((SELECT why_not ~ 'shipped' FROM options WHERE role = 'parts_clerk' AND item = '41'), 'why not: the rule');
SELECT ok((SELECT why_not ~ 'flagged' FROM options WHERE role = 'parts_shopper' AND item = '71'), 'why not: the block');
SELECT is((SELECT cancelable FROM options WHERE role = 'parts_clerk' AND item = '71'), 5::numeric,
          'which is not the merchant''s');
SET LOCAL ordcancel.clock = '2026-05-05 14:00+00';
SELECT is((SELECT string_agg(cancelable::text, ' ' ORDER BY item) FROM options_of('parts_shopper') WHERE id = 3), '0 0',
          'nothing after the window');
SET LOCAL ordcancel.clock = '2026-05-05 12:00+00';
SELECT is(attempt(statement), error, statement)
FROM (VALUES ($$SELECT * FROM ordcancel.item_options('shop.orders', 999)$$, 'OC002'),
             ($$SELECT * FROM ordcancel.item_options('shop.orders', NULL::integer)$$, 'OC002'),
             ($$SELECT * FROM ordcancel.item_options('shop.orders', '1')$$, 'ok'),
             ($$SELECT * FROM ordcancel.item_options('shop.items', 11)$$, 'OC001'),
             ($$SELECT * FROM ordcancel.item_options(NULL, 1)$$, 'OC001'),
             ($$SELECT ordcancel.item_options('shop.orders', id) FROM shop.orders$$, 'ok')) AS v (statement, error);
UPDATE shop.items SET price = 'NaN' WHERE id = 11;
SELECT is(attempt($$SELECT * FROM ordcancel.item_options('shop.orders', 1)$$), 'OC014', 'an amount that is not finite');
SELECT ordcancel.detach_items('shop.items');
SELECT is(attempt($$SELECT * FROM ordcancel.item_options('shop.orders', 1)$$), 'OC014', 'no items are attached');
SELECT is((SELECT count(*) FROM ordcancel.cancel_options('shop.orders', 1)), 10::bigint, 'nor are their verbs options');

SELECT * FROM finish();
ROLLBACK;
