-- The presets of shops, on tables as those shops make them: rules, blocks, and the
-- columns that they set with the status.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
SELECT no_plan();
SET LOCAL timezone = 'UTC';
SET LOCAL ordcancel.clock = '2026-05-05 12:00+00';

-- What cancel_order() makes of an order, and the row.
CREATE FUNCTION after(orders text, id text, columns text, call text DEFAULT 'cancel_order(%L, %L)') RETURNS text
    LANGUAGE plpgsql AS $$
DECLARE
    answer text := outcome_of(format(call, orders, id), 'state', 'sqlstate', 'hint');
    answer_row text;
BEGIN
    EXECUTE format('SELECT concat_ws('' '', %s) FROM %s AS o WHERE (%s)::text = %L', columns, orders,
                   (SELECT quote_ident(a.attname) FROM pg_index AS i
                        JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
                    WHERE i.indrelid = orders::regclass AND i.indisprimary), id) INTO answer_row;
    RETURN answer || ': ' || answer_row;
END $$;

-- ------------------------------------------------------------------ vendure
CREATE SCHEMA vendure;
CREATE TABLE vendure."order" (id integer PRIMARY KEY, state varchar NOT NULL, active boolean NOT NULL DEFAULT false,
    "orderPlacedAt" timestamp, "updatedAt" timestamp(6) NOT NULL DEFAULT '2026-01-01', "subTotal" integer NOT NULL,
    "subTotalWithTax" integer NOT NULL, paid integer NOT NULL DEFAULT 0);
CREATE TABLE vendure.fulfillment (id integer PRIMARY KEY, state varchar NOT NULL);
CREATE TABLE vendure.order_fulfillments_fulfillment ("orderId" integer, "fulfillmentId" integer);
SELECT is(regexp_replace(ordcancel.attach('vendure."order"', 'state', preset => 'vendure', refund_due => 'paid'),
                         '.*copied', 'copied'),
          'copied from Vendure: 12 rules, 0 new reasons, 1 blocks, 4 columns set', 'the preset of Vendure');
INSERT INTO vendure."order" VALUES (1, 'PaymentSettled', false, now(), '2026-01-01', 10, 12, 12),
    (2, 'AddingItems', true, NULL, '2026-01-01', 10, 12, 0),
    (3, 'Shipped', false, now(), '2026-01-01', 10, 12, 12),
    (4, 'Modifying', false, now(), '2026-01-01', 10, 12, 0),
    (5, 'Draft', false, NULL, '2026-01-01', 10, 12, 0);
INSERT INTO vendure.fulfillment VALUES (1, 'Shipped');
INSERT INTO vendure.order_fulfillments_fulfillment VALUES (3, 1);
SELECT is(after('vendure."order"', '1', $$state, active, "updatedAt" > '2026-01-01', "subTotal", "subTotalWithTax"$$),
          'canceled: Cancelled f t 0 0', 'a paid order is canceled, with what Vendure writes');
SELECT is((SELECT outstanding FROM ordcancel.refunds_due WHERE orders = 'vendure."order"'::regclass), 12.0,
          'its refund is due');
SELECT is(after('vendure."order"', '2', $$state, active, "subTotal"$$), 'canceled: Cancelled f 10',
          'a cart keeps its sums');
SELECT is(after('vendure."order"', '3', 'state'),
          'OC005 | Cancel the fulfillment first, or process the order as a return.: Shipped', 'a parcel is on its way');
UPDATE vendure.fulfillment SET state = 'Cancelled';
SELECT is(after('vendure."order"', '3', 'state'), 'canceled: Cancelled', 'it is canceled');
SELECT is(after('vendure."order"', '4', 'state'), 'OC003 | Complete the modification first.: Modifying',
          'being modified');
SELECT is(attempt('DELETE FROM vendure."order" WHERE id = 5'), 'ok', 'a draft is deleted');
SELECT is(attempt('DELETE FROM vendure."order" WHERE id = 1'), '23514 cancellation_forbidden', 'an order is not');

-- ------------------------------------------------------------------- medusa
CREATE SCHEMA medusa;
CREATE TYPE medusa.order_status_enum AS ENUM ('pending', 'completed', 'draft', 'archived', 'canceled',
                                              'requires_action');
CREATE TABLE medusa."order" (id text PRIMARY KEY, status medusa.order_status_enum NOT NULL DEFAULT 'pending',
    canceled_at timestamptz, deleted_at timestamptz, updated_at timestamptz NOT NULL DEFAULT '2026-01-01',
    CHECK (status NOT IN ('canceled') OR canceled_at IS NOT NULL));
CREATE TABLE medusa.fulfillment (id text PRIMARY KEY, canceled_at timestamptz, deleted_at timestamptz);
CREATE TABLE medusa.order_fulfillment (order_id text, fulfillment_id text, deleted_at timestamptz);
SELECT is(regexp_replace(ordcancel.attach('medusa."order"', 'status', preset => 'medusa',
                                          deleted_when => 'deleted_at IS NOT NULL'), '.*copied', 'copied'),
          'copied from Medusa: 5 rules, 0 new reasons, 1 blocks, 2 columns set', 'the preset of Medusa');
INSERT INTO medusa."order" (id, status) VALUES ('o1', 'pending'), ('o2', 'completed'), ('o3', 'pending'), ('o4',
    'draft'),
    ('o5', 'pending'), ('o6', 'completed');
INSERT INTO medusa.fulfillment (id) VALUES ('f3');
INSERT INTO medusa.order_fulfillment VALUES ('o3', 'f3');
SELECT is(after('medusa."order"', 'o1', 'status, canceled_at, updated_at'),
          'canceled: canceled 2026-05-05 12:00:00+00 2026-05-05 12:00:00+00', 'a CHECK on canceled_at holds');
SELECT is(after('medusa."order"', 'o3', 'status'), 'OC005 | Cancel its fulfillments first.: pending', 'fulfilled');
SELECT is((SELECT string_agg(outcome, ' ') FROM ordcancel.cancel_orders('medusa."order"', '{o2,o3}'::text[])),
          'canceled refused', 'many at once');
SELECT is(attempt($$UPDATE medusa."order" SET status = 'archived' WHERE id = 'o1'$$), 'ok',
          'a canceled order is archived');
SELECT is((SELECT concat_ws(' ', state, changed) FROM ordcancel.cancel_order('medusa."order"', 'o1')), 'canceled f',
          'and is canceled still');
SELECT is(attempt($$UPDATE medusa."order" SET status = 'pending' WHERE id = 'o1'$$), '23514 order_is_canceled',
          'it does not come back');
SELECT is(attempt($$UPDATE medusa."order" SET deleted_at = now() WHERE id = 'o4'$$), 'ok', 'a draft is deleted softly');
SELECT is(attempt($$DELETE FROM medusa."order" WHERE id = 'o5'$$), 'ok',
          'and what a failed checkout has created, not softly');
SELECT is(attempt($$DELETE FROM medusa."order" WHERE id = 'o6'$$), '23514 cancellation_forbidden',
          'a completed order is not');
SELECT is(after('medusa."order"', 'o4', 'status'), 'OC002: draft', 'what is deleted is not found');

-- ------------------------------------------------------------------- tryton
CREATE SCHEMA tryton;
CREATE TABLE tryton.sale_sale (id integer PRIMARY KEY, state varchar NOT NULL, write_date timestamp(6),
                               write_uid integer);
CREATE TABLE tryton.sale_line (id integer PRIMARY KEY, sale integer);
CREATE TABLE tryton.stock_move (id integer PRIMARY KEY, origin varchar, state varchar);
CREATE TABLE tryton.account_invoice (id integer PRIMARY KEY, state varchar);
CREATE TABLE tryton.account_invoice_line (id integer PRIMARY KEY, origin varchar, invoice integer);
SELECT is(regexp_replace(ordcancel.attach('tryton.sale_sale', 'state', preset => 'tryton'), '.*copied', 'copied'),
          'copied from Tryton sale: 6 rules, 0 new reasons, 2 blocks, 4 columns set',
          'the preset of Tryton, without the module of payments');
INSERT INTO tryton.sale_sale VALUES (1, 'quotation'), (2, 'confirmed'), (3, 'processing'), (4, 'draft'), (5,
    'quotation');
INSERT INTO tryton.sale_line VALUES (10, 5);
INSERT INTO tryton.stock_move VALUES (1, 'sale.line,10', 'done');
SELECT is(after('tryton.sale_sale', '1', 'state, write_date IS NOT NULL, write_uid'), 'canceled: cancelled t 0',
          'a quotation is canceled');
SELECT is(attempt('UPDATE tryton.sale_sale SET state = ''draft'' WHERE id = 1'), 'ok', 'and revived');
SELECT is(events_of(1, shown => 'type || '' '' || to_status', orders => 'tryton.sale_sale'),
          '{"canceled cancelled","undone draft"}', 'which undoes the cancellation');
SELECT is(after('tryton.sale_sale', '2', 'state', 'request_cancel(%L, %L)'), 'requested: confirmed', 'a customer asks');
SELECT is(after('tryton.sale_sale', '3', 'state'), 'OC003 | Cancel its shipments and invoices instead.: processing',
          'being processed');
SELECT is(after('tryton.sale_sale', '5', 'state'), 'OC005 | Cancel its shipments first.: quotation', 'shipped');
SELECT is(after('tryton.sale_sale', '4', 'state'), 'canceled: cancelled', 'a draft is canceled');
SELECT is(attempt('DELETE FROM tryton.sale_sale WHERE id = 4'), 'ok', 'then deleted, as Tryton does');

-- The hint for an enum can be pasted.
CREATE TYPE tryton.state AS ENUM ('draft', 'done');
CREATE TABLE tryton.enum_sale (id integer PRIMARY KEY, state tryton.state);
SELECT is(error_of($$SELECT ordcancel.attach('tryton.enum_sale', 'state', preset => 'tryton')$$, 'detail'),
          'They are: cancelled, confirmed, processing, quotation.', 'an enum lacks labels');
SELECT regexp_replace(error_of($$SELECT ordcancel.attach('tryton.enum_sale', 'state', preset => 'tryton')$$, 'hint'),
                      '^Add them first: ', '') AS add_labels \gset
SELECT is(attempt(:'add_labels'), 'ok', 'which are added as the hint says');
SELECT alike(ordcancel.attach('tryton.enum_sale', 'state', preset => 'tryton'), '%copied from Tryton sale%',
             'and then it has them');

-- A preset that is applied again sets back what has been changed.
SELECT ordcancel.set_rule('tryton.sale_sale', 'quotation', customer => 'forbid', expire_after => '1 day'),
       ordcancel.set_rule('tryton.sale_sale', 'lost', merchant => 'cancel'),
       ordcancel.drop_block('tryton.sale_sale', 'shipped'),
       ordcancel.add_block('tryton.sale_sale', 'own', 'id = 1000'),
       ordcancel.apply_preset('tryton.sale_sale', 'tryton');
SELECT is((SELECT string_agg(concat_ws(' ', status, customer, expire_after), ', ' ORDER BY status)
           FROM ordcancel.rule WHERE orders = 'tryton.sale_sale'::regclass AND status IN ('quotation', 'lost')),
          'lost forbid, quotation cancel', 'its own rules, but no others');
SELECT is((SELECT string_agg(name, ' ' ORDER BY name) FROM ordcancel.block WHERE orders = 'tryton.sale_sale'::regclass),
          'invoiced own shipped', 'and its own blocks');

-- ----------------------------------------------------------------- evershop
CREATE SCHEMA evershop;
CREATE TABLE evershop."order" (order_id integer PRIMARY KEY, status varchar NOT NULL DEFAULT 'new',
    payment_status varchar NOT NULL DEFAULT 'pending', shipment_status varchar NOT NULL DEFAULT 'pending',
    updated_at timestamptz NOT NULL DEFAULT '2026-01-01');
CREATE TABLE evershop.payment_transaction (payment_transaction_order_id integer, payment_action varchar);
SELECT is(regexp_replace(ordcancel.attach('evershop."order"', 'status', preset => 'evershop'), '.*copied', 'copied'),
          'copied from EverShop: 4 rules, 0 new reasons, 3 blocks, 2 columns set', 'the preset of EverShop');
INSERT INTO evershop."order" (order_id, status, payment_status, shipment_status) VALUES (1, 'new', 'pending',
    'pending'),
    (2, 'processing', 'paid', 'pending'), (3, 'processing', 'paypal_captured', 'shipped'),
    (4, 'processing', 'paypal_authorized', 'shipped'), (5, 'processing', 'pending', 'delivered');
SELECT is(after('evershop."order"', '1', 'status, payment_status'), 'canceled: canceled canceled', 'both statuses');
SELECT is(after('evershop."order"', id::text, 'status, payment_status'), want, 'order ' || id)
FROM (VALUES (2, 'OC005 | Refund the order instead.: processing paid'),
             (3, 'OC005 | Refund the order instead.: processing paypal_captured'),
             (4, 'canceled: canceled canceled'),
             (5, 'OC005 | Process it as a return.: processing pending')) AS v (id, want);
-- As EverShop does it: the payment first, then the order.
INSERT INTO evershop."order" (order_id) VALUES (6);
UPDATE evershop."order" SET payment_status = 'canceled' WHERE order_id = 6;
SELECT is(attempt('UPDATE evershop."order" SET status = ''canceled'' WHERE order_id = 6'), 'ok',
          'its own cancellation');
SELECT is((SELECT state FROM evershop.order_cancellation WHERE order_id = 6), 'canceled', 'is on record');
-- Captured after it has read payment_status: it overwrites what says so.
INSERT INTO evershop."order" (order_id, payment_status) SELECT n, 'canceled' FROM generate_series(10, 13) AS n;
INSERT INTO evershop.payment_transaction
VALUES (10, 'authorize'), (11, 'capture'), (12, 'Automatic'), (13, 'Manual');
SELECT is(error_of(format('UPDATE evershop."order" SET status = ''canceled'' WHERE order_id = %s',
                          payment_transaction_order_id), 'error', 'detail', 'hint'),
          CASE payment_action WHEN 'authorize' THEN 'ok'
          ELSE '23514 cancellation_blocked | Block "captured" applies to the order. | Refund the order instead.' END,
          'a payment: ' || payment_action)
FROM evershop.payment_transaction;

SELECT * FROM finish();
ROLLBACK;
