-- also_set: columns that are written together with the status, and given back.
BEGIN;
SELECT no_plan();
\ir include/helpers.sql
CREATE SCHEMA shop;
SET LOCAL search_path = shop, public, ordcancel;
CREATE SEQUENCE ticket;
-- The CHECKs hold only if the columns are written in the same row version.
CREATE TABLE shop.orders (
    id integer PRIMARY KEY,
    status text NOT NULL,
    paid numeric NOT NULL DEFAULT 0,
    canceled_at timestamptz,
    cancel_reason varchar(30),
    active boolean NOT NULL DEFAULT true,
    held_by text,
    ticket bigint,
    note text DEFAULT 'as it was',
    total numeric GENERATED ALWAYS AS (CASE WHEN active THEN paid ELSE 0 END) STORED,
    CHECK ((status = 'canceled') = (canceled_at IS NOT NULL)),
    CHECK ((status = 'requested') = (held_by IS NOT NULL)));
INSERT INTO shop.orders (id, status, paid) SELECT i, 'placed', CASE WHEN i > 50 THEN 10 ELSE 0 END
    FROM generate_series(1, 100) AS i;
SELECT ordcancel.attach('shop.orders', 'status', refund_due => 'paid');
SELECT ordcancel.set_policy('shop.orders', requested_status => 'requested', in_progress_status => 'refunding',
                            canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.orders', 'placed', customer => 'request', merchant => 'cancel');
SET LOCAL ordcancel.clock = '2026-05-05 12:00+00';

SELECT is(ordcancel.also_set('shop.orders', 'canceled', 'canceled_at', 'cancellation.closed_at'),
          'shop.orders: canceled: column "canceled_at" is set to cancellation.closed_at', 'also_set answers');
SELECT ordcancel.also_set('shop.orders', 'canceled', 'cancel_reason', 'cancellation.reason'),
       ordcancel.also_set('shop.orders', 'canceled', 'active', 'false'),
       ordcancel.also_set('shop.orders', 'canceled', 'ticket', 'nextval(''shop.ticket'')'),
       ordcancel.also_set('shop.orders', 'requested', 'held_by', 'cancellation.requested_by || orders.id'),
       ordcancel.also_set('shop.orders', 'canceled', 'held_by', 'NULL'),
       ordcancel.also_set('shop.orders', 'in_progress', 'held_by', 'NULL'),
       ordcancel.also_set('shop.orders', 'in_progress', 'note',
                          '''cancellation '' || cancellation.cancellation_id || '' of '' || paid -- all'),
       ordcancel.also_set('shop.orders', 'restored', 'note', 'concat(cancellation.state, '': '', note)');

CREATE FUNCTION row_of(integer) RETURNS text
    LANGUAGE sql
    AS $$
SELECT concat_ws(' ', status, canceled_at AT TIME ZONE 'UTC', cancel_reason, active, held_by, ticket,
                 regexp_replace(note, '\d+ of', '# of'), total)
FROM shop.orders WHERE id = $1
$$;
SELECT is(outcome_of($$cancel_order('shop.orders', 1, 'fraud')$$), 'canceled canceled', 'an order is canceled');
SELECT is(row_of(1), 'canceled 2026-05-05 12:00:00 fraud f 1 as it was 0', 'with its columns');
SELECT is((SELECT prior_values FROM ordcancel.cancellation WHERE order_key = '1'),
          '{"canceled_at": {"written": "2026-05-05T12:00:00+00:00"}, "cancel_reason": {"written": "fraud"},
            "active": {"prior": "true", "written": "false"}, "held_by": {"written": null},
            "ticket": {"written": "1"}}'::jsonb,
          'the record has what they were');
SELECT is(outcome_of($$undo_cancel('shop.orders', 1, 'mistake')$$), 'undone placed', 'undone');
SELECT is(row_of(1), 'placed t undone: as it was 0', 'they are given back');
SELECT is(outcome_of($$request_cancel('shop.orders', 2)$$), 'requested requested', 'requested');
SELECT is(row_of(2), 'requested t customer2 as it was 0', 'with its columns');
SELECT is(outcome_of($$withdraw_cancel('shop.orders', 2)$$), 'withdrawn placed', 'withdrawn');
SELECT is(row_of(2), 'placed t withdrawn: as it was 0', 'given back');

-- deny, accept, refund
SELECT is(outcome_of($$request_cancel('shop.orders', 3, 'customer_changed_mind')$$),
          'requested requested', 'requested');
SELECT is(outcome_of($$deny_cancel('shop.orders', 3, 'no')$$) || ': ' || row_of(3),
          'denied placed: placed t denied: as it was 0', 'denied');
SELECT is(outcome_of($$request_cancel('shop.orders', 51, 'customer_changed_mind')$$),
          'requested requested', 'requested');
SELECT is(outcome_of($$accept_cancel('shop.orders', 51)$$) || ': ' || row_of(51),
          'in_progress refunding: refunding t cancellation # of 10 10', 'in progress');
SET LOCAL ordcancel.clock = '2026-05-06 12:00+00';
SELECT is(outcome_of($$record_refund('shop.orders', 51, 10, 'cash')$$) || ': ' || row_of(51),
          'canceled canceled: canceled 2026-05-06 12:00:00 customer_changed_mind f 2 cancellation # of 10 0',
          'with the last refund: the record as it is then');
SELECT is(outcome_of($$undo_cancel('shop.orders', 51, 'x')$$) || ': ' || row_of(51),
          'undone placed: placed t undone: cancellation # of 10 10', 'undone');

-- bulk, sweep
SELECT is((SELECT string_agg(outcome, ' ')
           FROM ordcancel.cancel_orders('shop.orders', '{4,52,5,53,1000,6}'::int[], 'fraud')),
          'canceled in_progress canceled in_progress refused canceled', 'cancel_orders');
SELECT is(string_agg(row_of(i), '; ' ORDER BY i), 'canceled 2026-05-06 12:00:00 fraud f 3 as it was 0; '
          'canceled 2026-05-06 12:00:00 fraud f 4 as it was 0; canceled 2026-05-06 12:00:00 fraud f 5 as it was 0; '
          'refunding t cancellation # of 10 10; refunding t cancellation # of 10 10', 'with their columns')
FROM unnest('{4,5,6,52,53}'::int[]) AS i;
SELECT ordcancel.set_policy('shop.orders', decision_timeout => '1 day', on_timeout => 'accept');
SELECT ordcancel.request_cancel('shop.orders', 9);
SET LOCAL ordcancel.clock = '2026-05-08 12:00+00';
CALL ordcancel.sweep();
SELECT matches(row_of(9), '^canceled 2026-05-08 12:00:00 request_timed_out f \d+ as it was 0$', 'sweep accepts');
SELECT ordcancel.set_policy('shop.orders', on_timeout => 'deny');
SELECT ordcancel.request_cancel('shop.orders', 11);
SELECT matches(row_of(11), 'requested.*customer11', 'requested');
SET LOCAL ordcancel.clock = '2026-05-10 12:00+00';
CALL ordcancel.sweep();
SELECT is(row_of(11), 'placed t denied: as it was 0', 'sweep denies');

-- What has been changed since is not given back; nor are plain updates concerned.
SELECT ordcancel.cancel_order('shop.orders', 12, 'fraud');
UPDATE shop.orders SET cancel_reason = 'edited' WHERE id = 12;
SELECT is(outcome_of($$undo_cancel('shop.orders', 12, 'x')$$) || ': ' || row_of(12),
          'undone placed: placed edited t undone: as it was 0', 'an edited column stays');
SELECT is(attempt($$UPDATE shop.orders SET status = 'canceled', canceled_at = now() WHERE id = 13$$), 'ok',
          'a plain update');
SELECT is(active || ' ' || (SELECT prior_values IS NULL FROM ordcancel.cancellation WHERE order_key = '13'),
          'true true', 'writes its own') FROM shop.orders WHERE id = 13;
SELECT ordcancel.also_set('shop.orders', 'restored', 'canceled_at', 'NULL');
SELECT is(outcome_of($$undo_cancel('shop.orders', 13, 'x')$$) || ': ' || row_of(13),
          'undone placed: placed t undone: as it was 0', 'its undo restores');

-- Errors of the write are those of an UPDATE, and nothing is changed.
CREATE DOMAIN small AS integer CHECK (VALUE < 10);
ALTER TABLE shop.orders ADD small small, ADD code varchar(3), ADD one integer UNIQUE, ADD fixed integer
    GENERATED ALWAYS AS IDENTITY, ADD n integer DEFAULT 0;
SELECT ordcancel.also_set('shop.orders', 'canceled', 'small', 'orders.id - 10');
SELECT is(outcome_of($$cancel_order('shop.orders', 14)$$), 'canceled canceled', 'a domain');
SELECT is(small::integer, 4, 'a value of it') FROM shop.orders WHERE id = 14;
SELECT is(attempt($$SELECT ordcancel.cancel_order('shop.orders', 30)$$) || ' ' || status_of(30),
          '23514 small_check placed', 'which refuses');
SELECT is((SELECT string_agg(concat_ws(' ', outcome, sqlstate), ', ')
           FROM ordcancel.cancel_orders('shop.orders', '{15,31,16}'::int[])), 'canceled, refused 23514, canceled',
          'for one of many');
SELECT ordcancel.drop_also_set('shop.orders', 'canceled', 'small');
SELECT ordcancel.also_set('shop.orders', 'canceled', 'code', 'orders.id || ''xy''');
SELECT is(attempt($$SELECT ordcancel.cancel_order('shop.orders', 30)$$) || ' ' || status_of(30), '22001 placed',
          'a text that is too long is not cut');
SELECT ordcancel.also_set('shop.orders', 'canceled', 'code', 'left(orders.id || ''xy'', 3)');
SELECT ordcancel.also_set('shop.orders', 'canceled', 'one', '1');
SELECT is(outcome_of($$cancel_order('shop.orders', 30)$$), 'canceled canceled', 'unique');
SELECT is(code || one, '30x1', 'the values') FROM shop.orders WHERE id = 30;
SELECT is(attempt($$SELECT ordcancel.cancel_order('shop.orders', 32)$$) || ' ' || status_of(32),
          '23505 orders_one_key placed', 'only once');
SELECT ordcancel.drop_also_set('shop.orders', 'canceled', 'one');
SELECT ordcancel.also_set('shop.orders', 'canceled', 'n', '10 / (orders.id - 33)');
SELECT is(attempt($$SELECT ordcancel.cancel_order('shop.orders', 33)$$) || ' ' || status_of(33), '22012 placed',
          'an error in the value');
SELECT ordcancel.drop_also_set('shop.orders', 'canceled', 'n');

-- What is refused.
SELECT is(error_of(format('SELECT ordcancel.also_set(''shop.orders'', %s)', arguments),
                   'sqlstate', 'message', 'detail'),
          error, arguments)
FROM (VALUES
    ('''canceled'', ''status'', ''1''',
     'OC014 | column "status" of shop.orders cannot be set | It is the status column.'),
    ('''canceled'', ''id'', ''1''',
     'OC014 | column "id" of shop.orders cannot be set | It belongs to the primary key.'),
    ('''canceled'', ''total'', ''1''',
     'OC014 | column "total" of shop.orders cannot be set | It is a generated column.'),
    ('''canceled'', ''fixed'', ''1''',
     'OC014 | column "fixed" of shop.orders cannot be set | It is an identity column that is always generated.'),
    ('''canceled'', ''ctid'', ''1''',
     'OC014 | column "ctid" of shop.orders cannot be set | There is no column of that name.'),
    ('''canceled'', ''n'', ''cancellation.closed_at''',
     'OC014 | expression over shop.orders cannot be used: cancellation.closed_at | '
     'Its type is timestamp with time zone, not integer.'),
    ('''canceled'', ''note'', ''cancellation.nothing''',
     'OC014 | expression over shop.orders cannot be used: cancellation.nothing | '
     'Column cancellation.nothing does not exist.'),
    ('''canceled'', ''note'', ''closed_at''',
     'OC014 | expression over shop.orders cannot be used: closed_at | Column "closed_at" does not exist.'),
    ('''canceled'', ''note'', ''max(cancellation.reason)''',
     'OC014 | expression over shop.orders cannot be used: max(cancellation.reason) | '
     'Aggregate functions are not allowed in WHERE.'),
    ('''canceled'', ''note'', ''cancellation.ctid::text''',
     'OC014 | expression over shop.orders cannot be used: cancellation.ctid::text | System columns are not available.')
) AS v (arguments, error);
SELECT is(attempt(format('SELECT ordcancel.also_set(''shop.orders'', %s)', arguments)), 'OC014', arguments)
FROM unnest(ARRAY['NULL, ''note'', ''1''', '''canceled'', NULL, ''1''', '''canceled'', ''note'', NULL',
                  '''undone'', ''note'', ''1''', '''canceled'', ''note'', ''1, 2''',
                  '''canceled'', ''note'', ''1) + (2''',
                  '''canceled'', ''note'', ''''', '''canceled'', ''n'', ''generate_series(1, 2)''']) AS arguments;

-- A column that is renamed or changed later.
SELECT ordcancel.also_set('shop.orders', 'canceled', 'n', 'cancellation.cancellation_id * 0 + 7');
ALTER TABLE shop.orders RENAME n TO m;
SELECT is(error_of($$SELECT ordcancel.cancel_order('shop.orders', 33)$$),
          'OC014 | column "n" of order table shop.orders can no longer be set'
          ' | It was renamed, dropped or changed after '
          'ordcancel.also_set() was called for it.'
          ' | Call ordcancel.drop_also_set() for it, and ordcancel.also_set() for '
          'the present column.', 'renamed');
SELECT is(attempt($$UPDATE shop.orders SET status = 'placed' WHERE id = 33$$), 'ok', 'plain updates go on');
SELECT is((SELECT problem || ': ' || detail FROM ordcancel.health WHERE problem = 'also_set_fails'),
          'also_set_fails: The value of column "n" for state "canceled" is not valid: '
          'column "n" of shop.orders cannot be set.', 'health');
SELECT is(ordcancel.drop_also_set('shop.orders', 'canceled', 'n') || ' '
          || ordcancel.drop_also_set('shop.orders', 'canceled', 'n'), 'true false', 'drop_also_set');
SELECT ordcancel.also_set('shop.orders', 'canceled', 'm', 'cancellation.cancellation_id * 0 + 7');
ALTER TABLE shop.orders ALTER m TYPE text;
SELECT is(outcome_of($$cancel_order('shop.orders', 33)$$), 'canceled canceled', 'another type');
SELECT is(m, '7', 'has a value') FROM shop.orders WHERE id = 33;
ALTER TABLE shop.orders ALTER m DROP DEFAULT, ALTER m TYPE date USING NULL;
SELECT matches(error_of($$SELECT ordcancel.cancel_order('shop.orders', 34)$$),
               '^OC014 . a value that also_set\(\) sets in shop.orders for state "canceled" is no longer valid . '
               'Column "m" is of type date, its value of type integer', 'a type to which it cannot be assigned');
SELECT ordcancel.drop_also_set('shop.orders', 'canceled', 'm');
SELECT ordcancel.cancel_order('shop.orders', 35, 'fraud');
ALTER TABLE shop.orders DROP code;
SELECT ordcancel.drop_also_set('shop.orders', 'canceled', 'code');
SELECT is(outcome_of($$undo_cancel('shop.orders', 35, 'x')$$) || ': ' || row_of(35),
          'undone placed: placed t undone: as it was 0', 'a dropped column is not given back');

-- Values with subqueries, functions and whole rows; a status that stays.
CREATE TABLE shop.clerk (name text);
INSERT INTO shop.clerk VALUES ('anna');
CREATE TABLE shop.calls (id integer);
CREATE FUNCTION shop.counted(id integer) RETURNS text
    LANGUAGE plpgsql
    AS $$ BEGIN INSERT INTO shop.calls VALUES (id); RETURN current_user; END $$;
CREATE TABLE shop.cancellation (
    id integer PRIMARY KEY, cancellation text, status text, reason text DEFAULT 'own', seen text, by_whom text,
    copy jsonb);
INSERT INTO shop.cancellation (id, cancellation, status) SELECT i, 'c' || i, 'placed' FROM generate_series(1, 9) AS i;
SELECT ordcancel.attach('shop.cancellation', 'status');
SELECT ordcancel.set_policy('shop.cancellation', canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.cancellation', 'placed', customer => 'request', merchant => 'cancel');
SELECT ordcancel.also_set('shop.cancellation', 'requested', 'seen',
                          '(SELECT name FROM clerk WHERE cancellation.reason = ''fraud'' OR cancellation.note = ''n'')'
                          ' || '' '' || cancellation || reason'),
       ordcancel.also_set('shop.cancellation', 'requested', 'by_whom', 'shop.counted(id)'),
       ordcancel.also_set('shop.cancellation', 'canceled', 'copy', 'to_jsonb(cancellation.*)');
SELECT is(outcome_of($$request_cancel('shop.cancellation', 1, 'customer_changed_mind', 'n')$$), 'requested placed',
          'a status that stays');
SELECT is(seen || ' ' || by_whom, 'anna c1own ' || current_user, 'the columns') FROM shop.cancellation WHERE id = 1;
SELECT is((SELECT array_agg(id) FROM shop.calls), '{1}', 'evaluated once');
SELECT is(outcome_of($$withdraw_cancel('shop.cancellation', 1)$$), 'withdrawn placed', 'given back');
SELECT is(concat_ws(',', seen, by_whom), '', 'the columns') FROM shop.cancellation WHERE id = 1;
SELECT ordcancel.cancel_order('shop.cancellation', 2, 'fraud');
SELECT is(copy - '{prior_values}'::text[], to_jsonb(r) - '{prior_values,order_id}'::text[], 'the whole record')
FROM shop.cancellation AS o, shop.cancellation_cancellation AS r WHERE o.id = 2 AND r.order_key = '2';

-- Partitioned, with a composite key; a trigger that changes the value.
CREATE TABLE shop.part (
    shop integer, id integer, status text, canceled_at timestamptz, why text, seq integer, PRIMARY KEY (shop, id),
    CHECK (status <> 'canceled' OR canceled_at IS NOT NULL)) PARTITION BY LIST (shop);
CREATE TABLE shop.part1 (
    why text, id integer NOT NULL, seq integer, shop integer NOT NULL, status text, canceled_at timestamptz,
    CONSTRAINT part_check CHECK (status <> 'canceled' OR canceled_at IS NOT NULL));
ALTER TABLE shop.part ATTACH PARTITION shop.part1 FOR VALUES IN (1);
INSERT INTO shop.part (shop, id, status) SELECT 1, i, 'placed' FROM generate_series(1, 9) AS i;
SELECT ordcancel.attach('shop.part', 'status');
SELECT ordcancel.set_policy('shop.part', canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.part', 'placed', customer => 'request', merchant => 'cancel');
SELECT ordcancel.also_set('shop.part', 'canceled', 'canceled_at', 'cancellation.closed_at'),
       ordcancel.also_set('shop.part', 'canceled', 'why', 'cancellation.reason || cancellation.order_key || seq'),
       ordcancel.also_set('shop.part', 'requested', 'seq', '7');
CREATE FUNCTION part_of(integer) RETURNS text
    LANGUAGE sql
    AS $$ SELECT concat_ws(' ', status, canceled_at AT TIME ZONE 'UTC', why, seq) FROM shop.part WHERE id = $1 $$;
SELECT is(outcome_of($$request_cancel('shop.part', ROW(1, 1), 'customer_changed_mind')$$),
          'requested placed', 'requested');
SELECT is(part_of(1), 'placed 7', 'in a partition');
SELECT is(outcome_of($$cancel_order('shop.part', ROW(1, 1))$$), 'canceled canceled', 'canceled');
SELECT is(part_of(1), 'canceled 2026-05-10 12:00:00 customer_changed_mind(1,1)7 7', 'in a partition');
SELECT is(outcome_of($$undo_cancel('shop.part', ROW(1, 1), 'x')$$), 'undone placed', 'undone');
SELECT is(part_of(1), 'placed', 'in a partition');
CREATE FUNCTION shop.changes() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN NEW.why := NEW.why || '!'; RETURN NEW; END $$;
CREATE TRIGGER changes BEFORE UPDATE OF why ON shop.part FOR EACH ROW EXECUTE FUNCTION shop.changes();
UPDATE shop.part SET seq = 1;
SELECT is((SELECT string_agg(outcome, ' ')
           FROM ordcancel.cancel_orders('shop.part', '{"(1,2)","(1,3)"}'::text[], 'fraud')),
          'canceled canceled', 'bulk');
SELECT is(part_of(2) || ', ' || part_of(3), 'canceled 2026-05-10 12:00:00 fraud(1,2)1! 1, '
          'canceled 2026-05-10 12:00:00 fraud(1,3)1! 1', 'a trigger has changed it');
SELECT is(outcome_of($$undo_cancel('shop.part', ROW(1, 2), 'x')$$), 'undone placed', 'undone');
SELECT is(part_of(2), 'placed 1', 'what it has left is replaced');

-- The setup.
SELECT is((SELECT string_agg(l, E'\n') FROM regexp_split_to_table(ordcancel.export_setup('shop.part'), '\n') AS l
           WHERE l LIKE '%also_set%' AND l NOT LIKE '%why%'),
          'SELECT ordcancel.also_set(''shop.part'', ''canceled'', ''canceled_at'', ''cancellation.closed_at'');
SELECT ordcancel.also_set(''shop.part'', ''requested'', ''seq'', ''7'');', 'export_setup');
SELECT is((SELECT array_agg(what ORDER BY change_no) FROM ordcancel.policy_change
           WHERE orders = 'shop.orders'::regclass AND what LIKE '%"m"%'),
          '{"canceled: column \"m\" is set to cancellation.cancellation_id * 0 + 7",'
          '"canceled: column \"m\" is no longer set"}', 'the log');
CREATE TABLE shop.orders2 (LIKE shop.orders INCLUDING ALL);
ALTER TABLE shop.orders RENAME TO orders_old;
ALTER TABLE shop.orders2 RENAME TO orders;
SELECT ordcancel.replace_table('shop.orders_old', 'shop.orders');
SELECT is((SELECT count(*) FROM ordcancel.also_set
           WHERE orders = 'shop.orders'::regclass), 10::bigint, 'replace_table');
SELECT matches((SELECT pinned FROM ordcancel.also_set
                WHERE orders = 'shop.orders'::regclass AND state = 'requested'), 'order_row.id', 'pinned again');
SELECT ordcancel.detach('shop.orders');
SELECT is((SELECT count(*) FROM ordcancel.also_set WHERE orders = 'shop.orders'::regclass), 0::bigint, 'detach');

-- Values run as the owner of the table, whoever calls; a stranger sets none.
CREATE ROLE also_owner;
CREATE ROLE also_caller;
GRANT USAGE, CREATE ON SCHEMA shop TO also_owner;
GRANT USAGE ON SCHEMA shop TO also_caller;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA ordcancel TO also_owner, also_caller;
SET LOCAL ROLE also_owner;
CREATE TABLE shop.owned (id integer PRIMARY KEY, status text, ran_as text, secret text, hidden bigint);
INSERT INTO shop.owned SELECT i, 'placed' FROM generate_series(1, 3) AS i;
CREATE TABLE shop.hidden (id integer);
INSERT INTO shop.hidden VALUES (1), (2);
ALTER TABLE shop.hidden ENABLE ROW LEVEL SECURITY;
CREATE FUNCTION shop.me() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN current_user; END $$;
CREATE FUNCTION shop.grab() RETURNS text LANGUAGE plpgsql
    AS $$ BEGIN RETURN (SELECT max(rolpassword) FROM pg_authid); END $$;
SELECT ordcancel.attach('shop.owned', 'status');
SELECT ordcancel.set_policy('shop.owned', canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.owned', 'placed', merchant => 'cancel');
SELECT ordcancel.also_set('shop.owned', 'canceled', 'ran_as', 'shop.me()'),
       ordcancel.also_set('shop.owned', 'canceled', 'hidden', '(SELECT count(*) FROM shop.hidden)');
GRANT SELECT ON shop.owned TO also_caller;
RESET ROLE;
SELECT is(attempt_as('also_caller', $$SELECT ordcancel.cancel_order('shop.owned', 1)$$), 'ok', 'a caller cancels');
SELECT is(ran_as || ' ' || hidden, 'also_owner 2', 'as the owner') FROM shop.owned WHERE id = 1;
SELECT is(attempt_as('also_caller', $$SELECT ordcancel.also_set('shop.owned', 'canceled', 'secret', '1')$$), '42501',
          'a stranger sets nothing');
SELECT is(attempt_as('also_caller', $$SELECT ordcancel.drop_also_set('shop.owned', 'canceled', 'ran_as')$$), '42501',
          'nor ends it');
SELECT is(attempt_as('also_caller', $$INSERT INTO ordcancel.also_set VALUES ('shop.owned', 'canceled', 'id', '1')$$),
          '42501', 'nor writes the table');
SELECT is(attempt_as('also_owner', $$SELECT ordcancel.also_set('shop.owned', 'canceled', 'secret', 'shop.grab()')$$),
          'ok', 'an owner can set what he may not do');
SELECT is(attempt($$SELECT ordcancel.cancel_order('shop.owned', 2)$$), '42501',
          'which a superuser does not do for him');
SELECT is(attempt_as('also_owner', $$SELECT ordcancel.drop_also_set('shop.owned', 'canceled', 'secret')$$), 'ok',
          'dropped');
SELECT is(attempt_as('also_owner', $$SELECT ordcancel.also_set('shop.owned', 'canceled', 'ran_as', 'shop.me()')$$),
          'ok', 'set again');
DROP FUNCTION shop.me();
SELECT is(attempt($$SELECT ordcancel.cancel_order('shop.owned', 2)$$) || ' ' || status_of(2, 'shop.owned'),
          'OC014 placed', 'a function that is gone');

-- A request for the whole order that is accepted for a part of it.
CREATE TABLE shop.baskets (id integer PRIMARY KEY, status text, held boolean DEFAULT false, done timestamptz);
CREATE TABLE shop.lines (basket integer, no integer, shipped integer DEFAULT 0, PRIMARY KEY (basket, no));
INSERT INTO shop.baskets SELECT i, 'placed' FROM generate_series(1, 3) AS i;
INSERT INTO shop.lines SELECT b, n FROM generate_series(1, 3) AS b, generate_series(1, 2) AS n;
ALTER TABLE shop.lines ADD units integer NOT NULL DEFAULT 1, ADD gone integer NOT NULL DEFAULT 0;
SELECT ordcancel.attach('shop.baskets', 'status');
SELECT ordcancel.set_policy('shop.baskets', requested_status => 'asked', canceled_status => 'canceled',
                            partly_fulfilled => 'rest');
SELECT ordcancel.set_rule('shop.baskets', 'placed', customer => 'request', merchant => 'cancel');
SELECT ordcancel.attach_items('shop.lines', 'shop.baskets', '{basket}', quantity => 'units', canceled => 'gone',
                              fulfilled => 'shipped');
SELECT ordcancel.also_set('shop.baskets', 'requested', 'held', 'true'),
       ordcancel.also_set('shop.baskets', 'canceled', 'done', 'cancellation.closed_at');
SELECT is(outcome_of($$request_cancel('shop.baskets', 1)$$) || ' ' || (SELECT held FROM shop.baskets WHERE id = 1),
          'requested asked false', 'the old snapshot');
SELECT is(held, true, 'held') FROM shop.baskets WHERE id = 1;
UPDATE shop.lines SET shipped = 1 WHERE basket = 1 AND no = 1;
SELECT is(outcome_of($$accept_cancel('shop.baskets', 1)$$), 'canceled placed', 'the rest is canceled');
SELECT is(concat_ws(' ', held, done), 'f', 'the order is given back') FROM shop.baskets WHERE id = 1;
SELECT is(outcome_of($$cancel_items('shop.baskets', 2, '[{"item": "(2,1)"}]')$$), 'canceled placed', 'an item');
SELECT is(concat_ws(' ', held, done), 'f', 'sets nothing') FROM shop.baskets WHERE id = 2;
SELECT is(outcome_of($$cancel_items('shop.baskets', 2, '[{"item": "(2,2)"}]')$$), 'canceled canceled', 'the last item');
SELECT is(done IS NOT NULL, true, 'does') FROM shop.baskets WHERE id = 2;

-- A statement writes columns that are restored and columns that are set; which
-- ones depends on the order.
CREATE TABLE shop.paid (id integer PRIMARY KEY, status text, paid numeric DEFAULT 40, t text, n bigint DEFAULT 4096,
                        at timestamptz);
INSERT INTO shop.paid SELECT i, 'placed' FROM generate_series(1, 4) AS i;
UPDATE shop.paid SET t = 't' || id;
CREATE FUNCTION shop.nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER nothing AFTER UPDATE ON shop.paid FOR EACH STATEMENT EXECUTE FUNCTION shop.nothing();
SELECT ordcancel.attach('shop.paid', 'status', refund_due => 'paid');
SELECT ordcancel.set_policy('shop.paid', in_progress_status => 'refunding', canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.paid', 'placed', merchant => 'cancel');
SELECT ordcancel.also_set('shop.paid', 'in_progress', 'n', '5'), ordcancel.also_set('shop.paid', 'canceled', 't',
    '''x''');
SELECT outcome_of(format($$cancel_order('shop.paid', %s)$$, id)),
       outcome_of(format($$record_refund('shop.paid', %s, 40, 'card', 'r')$$, id)) FROM shop.paid WHERE id < 3;
SELECT is((SELECT string_agg(concat_ws(' ', status, t, n), ', ' ORDER BY id) FROM shop.paid WHERE id < 3),
          'canceled x 5, canceled x 5', 'canceled');
SELECT ordcancel.also_set('shop.paid', 'canceled', 'at', 'cancellation.closed_at');
SELECT outcome_of($$cancel_order('shop.paid', 3)$$), outcome_of($$record_refund('shop.paid', 3, 40, 'card', 'r')$$);
SELECT outcome_of(format($$record_refund('shop.paid', %s, -40, 'card', 'r')$$, id)) FROM shop.paid WHERE id < 4;
SELECT outcome_of($$cancel_order('shop.paid', 4)$$);
SELECT is((SELECT string_agg(concat_ws(' ', status, t, n, at), ', ' ORDER BY id) FROM shop.paid),
          'refunding t1 5, refunding t2 5, refunding t3 5, refunding t4 5', 'what was set for canceled is given back');
SELECT outcome_of(format($$undo_cancel('shop.paid', %s)$$, id)) FROM shop.paid;
SELECT is((SELECT string_agg(concat_ws(' ', status, t, n, at), ', ' ORDER BY id) FROM shop.paid),
          'placed t1 4096, placed t2 4096, placed t3 4096, placed t4 4096', 'and everything when it is undone');

-- A BEFORE trigger changes the values; they are restored all the same.
CREATE TABLE shop.neat (id integer PRIMARY KEY, status text, code text, share numeric DEFAULT 1, gone timestamptz);
CREATE FUNCTION shop.neaten() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN NEW.code := upper(NEW.code); NEW.share := round(NEW.share, 1); RETURN NEW; END $$;
CREATE TRIGGER neaten BEFORE INSERT OR UPDATE ON shop.neat FOR EACH ROW EXECUTE FUNCTION shop.neaten();
INSERT INTO shop.neat SELECT i, 'placed', 'winter' FROM generate_series(1, 5) AS i;
SELECT ordcancel.attach('shop.neat', 'status', deleted_when => 'gone IS NOT NULL');
SELECT ordcancel.set_policy('shop.neat', requested_status => 'asked', canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.neat', 'placed', customer => 'request', merchant => 'cancel');
SELECT ordcancel.also_set('shop.neat', 'requested', 'code', '''asked'''),
       ordcancel.also_set('shop.neat', 'canceled', 'code', '''it is'''),
       ordcancel.also_set('shop.neat', 'canceled', 'share', '3.14159');
SELECT outcome_of(format($$cancel_order('shop.neat', %s)$$, id)) FROM shop.neat WHERE id < 3;
SELECT outcome_of(format($$request_cancel('shop.neat', %s)$$, id)) FROM shop.neat WHERE id > 2;
SELECT outcome_of(format($$accept_cancel('shop.neat', %s)$$, id)) FROM shop.neat WHERE id > 3;
SELECT is((SELECT string_agg(concat_ws(' ', code, share), ', ' ORDER BY id) FROM shop.neat),
          'IT IS 3.1, IT IS 3.1, ASKED 1.0, IT IS 3.1, IT IS 3.1', 'the trigger changes them');
UPDATE shop.neat SET code = 'mine' WHERE id = 2;
SELECT outcome_of(format($$undo_cancel('shop.neat', %s)$$, id)) FROM shop.neat WHERE id <> 3;
SELECT outcome_of($$deny_cancel('shop.neat', 3, 'no')$$);
SELECT is((SELECT string_agg(concat_ws(' ', code, share), ', ' ORDER BY id) FROM shop.neat),
          'WINTER 1.0, MINE 1.0, WINTER 1.0, WINTER 1.0, WINTER 1.0', 'all but the later change is restored');
CREATE RULE copies AS ON UPDATE TO shop.neat WHERE false DO ALSO NOTHING;
SELECT outcome_of($$cancel_order('shop.neat', 1)$$);
SELECT is((SELECT concat_ws(' ', code, share) FROM shop.neat WHERE id = 1), 'IT IS 3.1', 'written by a statement');
SELECT outcome_of($$undo_cancel('shop.neat', 1)$$);
SELECT is((SELECT concat_ws(' ', code, share) FROM shop.neat WHERE id = 1), 'WINTER 1.0', 'restored');

-- The same if a trigger cancels other orders along the way.
CREATE TABLE shop.kin (id integer PRIMARY KEY, status text DEFAULT 'placed', t text DEFAULT 'orig', parent integer);
INSERT INTO shop.kin (id, parent) VALUES (1, NULL), (2, NULL), (3, NULL), (9, 1);
SELECT ordcancel.attach('shop.kin', 'status');
SELECT ordcancel.set_policy('shop.kin', canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.kin', 'placed', merchant => 'cancel');
SELECT ordcancel.also_set('shop.kin', 'canceled', 't', '''  X ''');
CREATE FUNCTION shop.trim() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.t := trim(NEW.t); RETURN NEW; END';
CREATE TRIGGER b BEFORE UPDATE ON shop.kin FOR EACH ROW EXECUTE FUNCTION shop.trim();
CREATE FUNCTION shop.cancel_children() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ordcancel.cancel_order('shop.kin', k.id) FROM shop.kin AS k
    WHERE k.parent = NEW.id AND NEW.status = 'canceled';
    RETURN NULL;
END $$;
CREATE TRIGGER z AFTER UPDATE ON shop.kin FOR EACH ROW EXECUTE FUNCTION shop.cancel_children();
SELECT order_id, outcome FROM ordcancel.cancel_orders('shop.kin', '{1,2}'::integer[]);
SELECT outcome_of($$cancel_order('shop.kin', 3)$$);
SELECT is((SELECT string_agg(concat_ws(' ', id, status, t), ', ' ORDER BY id) FROM shop.kin),
          '1 canceled X, 2 canceled X, 3 canceled X, 9 canceled X', 'all are canceled, one by a trigger');
SELECT is((SELECT string_agg(concat_ws(' ', order_id, prior_values->'t'->>'prior', prior_values->'t'->>'written'), ', '
                             ORDER BY order_id) FROM shop.kin_cancellation),
          '1 orig X, 2 orig X, 3 orig X, 9 orig X', 'the records have what was written');
SELECT outcome_of(format($$undo_cancel('shop.kin', %s)$$, id)) FROM shop.kin;
SELECT is((SELECT string_agg(concat_ws(' ', id, status, t), ', ' ORDER BY id) FROM shop.kin),
          '1 placed orig, 2 placed orig, 3 placed orig, 9 placed orig', 'and each is restored');

-- A column that was renamed is not left out silently.
DROP TRIGGER z ON shop.kin;
SELECT outcome_of(format($$cancel_order('shop.kin', %s)$$, id)) FROM shop.kin;
ALTER TABLE shop.kin RENAME t TO title;
SELECT is(error_of($$SELECT ordcancel.undo_cancel('shop.kin', 1)$$),
          'OC014 | column "t" of order 1 of shop.kin cannot get its former value back'
          ' | There is no column of that name. | If it was renamed, rename it back until the cancellation is undone.'
          ' If its value is not to be restored, call ordcancel.drop_also_set() for it.',
              'the former value would be lost');
ALTER TABLE shop.kin RENAME title TO t;
DROP TRIGGER b ON shop.kin;
SELECT is(outcome_of($$undo_cancel('shop.kin', 1)$$), 'undone placed', 'renamed back');
SELECT is((SELECT t FROM shop.kin WHERE id = 1), 'orig', 'it is restored');
ALTER TABLE shop.kin DROP COLUMN t;
SELECT is(attempt($$SELECT ordcancel.undo_cancel('shop.kin', 2)$$), 'OC014', 'dropped');
SELECT ordcancel.drop_also_set('shop.kin', 'canceled', 't');
SELECT is(outcome_of($$undo_cancel('shop.kin', 2)$$), 'undone placed', 'not to be set, nor restored');

-- A cancellation deletes no order.
SELECT is(error_of($$SELECT ordcancel.also_set('shop.neat', 'canceled', 'gone', 'now()')$$, 'sqlstate', 'message',
                   'detail'),
          'OC014 | also_set() cannot set column "gone" of shop.neat | deleted_when depends on it.', 'not deleted_when');
SELECT is(attempt($$SELECT ordcancel.attach('shop.neat', 'status', deleted_when => 'code = ''DELETED''')$$), 'OC014',
          'nor the other way around');
-- A domain that gets a constraint in the same session.
CREATE DOMAIN shop.loose AS text;
CREATE TABLE shop.typed (id integer PRIMARY KEY, status text DEFAULT 'placed', said shop.loose);
INSERT INTO shop.typed SELECT generate_series(1, 4);
SELECT ordcancel.attach('shop.typed', 'status'), ordcancel.set_policy('shop.typed', canceled_status => 'canceled'),
       ordcancel.set_rule('shop.typed', 'placed', merchant => 'cancel'),
       ordcancel.also_set('shop.typed', 'canceled', 'said', 'cancellation.note');
SELECT is(outcome_of($$cancel_order('shop.typed', 1, 'other', 'bad')$$), 'canceled canceled',
          'a domain, not constrained');
ALTER DOMAIN shop.loose ADD CHECK (VALUE <> 'bad') NOT VALID;
SELECT is(outcome_of($$cancel_order('shop.typed', 2, 'other', 'bad')$$), '23514 loose_check', 'then constrained');
SELECT is(outcome_of($$cancel_order('shop.typed', 3, 'other', 'good')$$), 'canceled canceled', 'which others meet');

-- A key that is computed, also if later from a column that is set.
CREATE TABLE shop.computed (id integer, status text DEFAULT 'placed', n integer, m integer,
                            twice integer GENERATED ALWAYS AS (2 * n) STORED, PRIMARY KEY (id, twice));
INSERT INTO shop.computed VALUES (1, 'placed', 1, 1);
SELECT ordcancel.attach('shop.computed', 'status'),
       ordcancel.set_policy('shop.computed', canceled_status => 'canceled'),
       ordcancel.set_rule('shop.computed', 'placed', merchant => 'cancel');
SELECT is(error_of($$SELECT ordcancel.also_set('shop.computed', 'canceled', 'n', '5')$$, 'sqlstate', 'message',
                   'detail'),
          'OC014 | column "n" of shop.computed cannot be set | A column of the primary key is computed from it.',
          'not what the key is computed from');
SELECT current_setting('server_version_num')::integer >= 170000 AS has_set_expression \gset
\if :has_set_expression
SELECT ordcancel.also_set('shop.computed', 'canceled', 'm', '5');
ALTER TABLE shop.computed ALTER COLUMN twice SET EXPRESSION AS (2 * m);
SELECT is(error_of($$SELECT ordcancel.cancel_order('shop.computed', '(1,2)')$$, 'sqlstate', 'message'),
          'OC014 | column "m" of order table shop.computed can no longer be set', 'nor what it is computed from later');
\endif

SELECT * FROM finish();
ROLLBACK;
