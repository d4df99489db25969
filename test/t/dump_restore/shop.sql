-- Order tables of several shapes, with everything that a dump has to carry.
CREATE EXTENSION ordcancel;
CREATE SCHEMA shop;
CREATE SCHEMA "Söhne & Co";
SET client_min_messages = warning;

CREATE TABLE shop.orders (
    id integer PRIMARY KEY,
    status text NOT NULL DEFAULT 'placed',
    paid numeric,
    flagged boolean NOT NULL DEFAULT false,
    supplier text,
    placed_at timestamptz
);
INSERT INTO shop.orders SELECT id, 'placed', NULLIF(id % 3, 0) * 10, id = 20, CASE WHEN id > 15 THEN 'acme' END,
                               '2024-05-01 12:00+00'
FROM generate_series(1, 20) AS id;
INSERT INTO shop.orders VALUES (21, 'shipped'), (22, 'draft');

-- A domain with a check, a composite key, an enum, names that need quotes, and
-- a record table's name that has to be cut.
CREATE DOMAIN shop.code AS text CHECK (VALUE ~ '^[A-Z]');
CREATE TYPE shop."Status" AS ENUM ('Neu', 'Bezahlt', 'Angefragt', 'In Arbeit', 'Storniert');
CREATE TABLE "Söhne & Co"."Die ""Bestellungen"" mit einem Namen, der sehr lang ist" (
    "Laden" shop.code,
    id bigint,
    "Lage" shop."Status" NOT NULL DEFAULT 'Neu',
    "am" date,
    PRIMARY KEY (id, "Laden")
);
INSERT INTO "Söhne & Co"."Die ""Bestellungen"" mit einem Namen, der sehr lang ist"
SELECT 'X' || id, id, 'Neu', '2024-05-01' FROM generate_series(1, 9) AS id;

CREATE TABLE shop.plain (no uuid PRIMARY KEY, state varchar(40) NOT NULL);
INSERT INTO shop.plain SELECT md5(id::text)::uuid, 'new' FROM generate_series(1, 5) AS id;

CREATE TABLE shop.parts (region text, id integer, status text NOT NULL, gone boolean, PRIMARY KEY (region, id))
    PARTITION BY LIST (region);
CREATE TABLE shop.parts_eu PARTITION OF shop.parts FOR VALUES IN ('eu');
CREATE TABLE shop.parts_us PARTITION OF shop.parts FOR VALUES IN ('us');
INSERT INTO shop.parts SELECT r, id, 'new' FROM unnest('{eu,us}'::text[]) AS r, generate_series(1, 3) AS id;

SET search_path = shop, public;
SET timezone = 'Europe/Berlin';
SELECT ordcancel.attach('shop.orders', 'status', 'placed_at', 'supplier',
                        refund_due => 'CASE WHEN paid > 0 THEN paid END',
                        notify_channel => 'Shop events');
SELECT ordcancel.set_policy('orders', requested_status => 'asked', in_progress_status => 'refunding',
                            canceled_status => 'canceled',
                            customer_canceled_status => 'canceled by customer', decision_timeout => '3 days',
                            on_timeout => 'deny');
SELECT ordcancel.set_policy('orders', 'acme', grace => '1 mon 2 days 03:04:05.6', canceled_status => 'gone',
                            on_progress => 'hold',
                            undo => 'requested', undo_window => '1 year', reason_required => true,
                            partly_fulfilled => 'rest');
SELECT ordcancel.set_rule('orders', 'placed', customer => 'request', customer_late => 'forbid', merchant => 'cancel',
                          hint => 'Frag, "bitte".');
SELECT ordcancel.set_rule('orders', 'shipped', hint => E'two\nlines');
SELECT ordcancel.set_rule('orders', 'draft', deletable => true);
SELECT ordcancel.set_rule('orders', 'placed', merchant => 'request', policy => 'acme');
SELECT ordcancel.add_block('orders', 'flagged', 'flagged AND EXISTS (SELECT FROM plain)', 'ask the boss', 'merchant');
SELECT ordcancel.also_set('orders', 'canceled', 'flagged',
                          'cancellation.reason = ''fraud'' OR (SELECT count(*) < 0 FROM plain)');

SELECT ordcancel.attach('"Söhne & Co"."Die ""Bestellungen"" mit einem Namen, der sehr lang ist"', 'Lage', 'am',
                        plain_updates => false);
SELECT ordcancel.set_policy('"Söhne & Co"."Die ""Bestellungen"" mit einem Namen, der sehr lang ist"',
                            requested_status => 'Angefragt', canceled_status => 'Storniert');
SELECT ordcancel.set_rule('"Söhne & Co"."Die ""Bestellungen"" mit einem Namen, der sehr lang ist"', 'Neu',
                          customer => 'request', merchant => 'cancel');

SELECT ordcancel.attach('plain', 'state', inherit => false);
SELECT ordcancel.set_policy('plain', canceled_status => 'canceled');
SELECT ordcancel.set_rule('plain', 'new', customer => 'cancel', merchant => 'cancel');

SELECT ordcancel.attach('parts', 'status', deleted_when => 'gone AND EXISTS (SELECT FROM plain)');
SELECT ordcancel.set_policy('parts', canceled_status => 'canceled');
SELECT ordcancel.set_rule('parts', 'new', customer => 'cancel', merchant => 'cancel');

-- Guards on children: one with a foreign key, one in parts, names that need quotes.
CREATE TABLE shop.shipments (order_id integer REFERENCES shop.orders, weight integer);
CREATE TABLE shop."Belege" ("Laden" text, "Nr" bigint, tag date) PARTITION BY RANGE (tag);
CREATE TABLE shop."Belege 24" PARTITION OF shop."Belege" FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
SELECT ordcancel.attach_child('shop.shipments', 'orders', '{order_id}', '{in_progress,canceled}');
SELECT ordcancel.attach_child('shop."Belege"', '"Söhne & Co"."Die ""Bestellungen"" mit einem Namen, der sehr lang ist"',
                              '{Nr,Laden}');

-- Two guards on one child, with a condition; one knows the order from a join table.
CREATE TYPE shop.paid AS ENUM ('authorized', 'captured');
CREATE TABLE shop.payments (id integer, state shop.paid, late boolean);
CREATE TABLE shop.order_payments (order_id integer, payment_id integer);
INSERT INTO shop.payments VALUES (9, 'authorized'), (10, 'authorized');
INSERT INTO shop.order_payments VALUES (9, 9), (10, 10);
CREATE FUNCTION shop.is_final(shop.paid) RETURNS boolean LANGUAGE sql AS $$ SELECT $1 = 'captured' $$;
SELECT ordcancel.attach_child('shop.payments', 'orders', refuse_while => '{in_progress,canceled}',
    refuse_when => 'shop.is_final(state)',
    key_expression => '(SELECT p.order_id FROM order_payments AS p WHERE p.payment_id = payments.id)');
SELECT ordcancel.attach_child('shop.payments', 'orders', '{id}', '{requested}', 'late', name => '"late" ones');

-- Items, in parts too, with expressions over them and a status of their own.
CREATE TABLE shop.items (order_id integer REFERENCES shop.orders, line smallint, n integer, gone integer DEFAULT 0,
                         price numeric, PRIMARY KEY (order_id, line)) PARTITION BY RANGE (order_id);
CREATE TABLE shop.items_1 PARTITION OF shop.items FOR VALUES FROM (1) TO (1000);
INSERT INTO shop.items VALUES (21, 1, 3, 0, 10), (21, 2, 1, 0, 5);
SELECT ordcancel.attach_items('shop.items', 'orders', '{order_id}', 'n', 'gone',
                              fulfilled => '(SELECT count(*) FROM shipments AS s WHERE s.order_id = items.order_id)',
                              amount => '(n - gone) * price');
CREATE TABLE shop."Zeilen" (nr serial PRIMARY KEY, "Bestellung" uuid, "Lage" shop."Status");
INSERT INTO shop."Zeilen" VALUES (1, md5('4')::uuid, 'Neu');
SELECT ordcancel.attach_items('shop."Zeilen"', 'plain', '{Bestellung}', status => 'Lage',
                              canceled_status => 'Storniert');
SELECT ordcancel.apply_preset('parts', 'kibo');
SELECT ordcancel.set_policy('parts', canceled_status => 'canceled', unset => '{reason_required}',
                            closed_statuses => '{archived,"put away"}', reopen_statuses => '{draft}');
INSERT INTO shop.shipments VALUES (9, 1), (10, 1);

-- The owner's own words: a new one, a changed seed, one put out of use.
INSERT INTO ordcancel.reason (code, description, audience, requires_note, note_max)
VALUES ('moved', 'moved away', 'any', true, 80);
UPDATE ordcancel.reason SET description = 'tell us' WHERE code = 'other';
UPDATE ordcancel.reason SET active = false WHERE code = 'fraud';
INSERT INTO ordcancel.refund_method (code, on_undo) VALUES ('cheque', 'repay');
UPDATE ordcancel.refund_method SET on_undo = 'nothing' WHERE code = 'wallet';

GRANT USAGE ON SCHEMA shop TO dump_customer, dump_merchant;
GRANT SELECT ON shop.orders TO dump_customer, dump_merchant;
SELECT ordcancel.grant_customer('dump_customer');
SELECT ordcancel.grant_merchant('dump_merchant');
ALTER TABLE shop.plain OWNER TO dump_merchant;
ALTER TABLE shop."Zeilen" OWNER TO dump_merchant;

-- Every state, live and ended.
SET ordcancel.clock = '2024-05-02 10:00+00';
SELECT ordcancel.request_cancel('orders', id, 'moved', 'to Ulm', 'kim', 'key ' || id) FROM generate_series(1, 6) AS id;
SELECT ordcancel.withdraw_cancel('orders', 2);
SELECT ordcancel.deny_cancel('orders', 3, 'no');
SELECT ordcancel.accept_cancel('orders', 4);
SELECT ordcancel.record_refund('orders', 4, 5.00, 'cheque', 'r-1');
SELECT ordcancel.accept_cancel('orders', 5, note => 'fine');
SELECT ordcancel.record_refund('orders', 5, 20, 'card');
SELECT ordcancel.cancel_order('orders', 9, 'out_of_stock');
SELECT ordcancel.undo_cancel('orders', 9, 'found one');
SELECT ordcancel.cancel_order('orders', 9, 'out_of_stock');
SELECT ordcancel.cancel_order('orders', 16, 'staff_error');
UPDATE shop.orders SET status = 'shipped' WHERE id = 6;
SELECT ordcancel.cancel_order('"Söhne & Co"."Die ""Bestellungen"" mit einem Namen, der sehr lang ist"', ROW(1, 'X1'),
                              'fraud')
WHERE false;
SELECT ordcancel.cancel_order('"Söhne & Co"."Die ""Bestellungen"" mit einem Namen, der sehr lang ist"', ROW(1, 'X1'),
                              'staff_error');
SELECT ordcancel.request_cancel('"Söhne & Co"."Die ""Bestellungen"" mit einem Namen, der sehr lang ist"', '(2,X2)');
SELECT ordcancel.cancel_order('plain', md5('1')::uuid);
SELECT ordcancel.cancel_order('parts', ROW('eu', 1));

-- Records in archives; of a table with deleted_when none of canceled orders is moved.
SET ordcancel.clock = '2025-06-01 10:00+00';
SELECT ordcancel.attach('parts', 'status', unset => '{deleted_when}');
SELECT ordcancel.archive_records(t, '1 year')
FROM unnest(ARRAY['parts', '"Söhne & Co"."Die ""Bestellungen"" mit einem Namen, der sehr lang ist"']::regclass[]) AS t;
SELECT ordcancel.attach('parts', 'status', deleted_when => 'gone AND EXISTS (SELECT FROM plain)');
