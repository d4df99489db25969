-- A shop with everything that has to move.
CREATE ROLE move_owner;
CREATE ROLE move_staff;
CREATE ROLE move_customer;
CREATE ROLE move_reader;
CREATE EXTENSION ordcancel;
SELECT ordcancel.grant_owner('move_owner'), ordcancel.grant_merchant('move_staff'),
       ordcancel.grant_customer('move_customer'), ordcancel.grant_consumer('move_reader');
INSERT INTO ordcancel.reason (code, description) VALUES ('cold feet', 'it''s "cold"');
-- Numbers that the other database has, too, and a role without a table here.
CREATE SCHEMA shop AUTHORIZATION move_owner;
CREATE SCHEMA audit AUTHORIZATION move_owner;
GRANT USAGE ON SCHEMA shop TO PUBLIC;
SET ROLE move_owner;
SET search_path = shop;
CREATE FUNCTION shop.fee() RETURNS numeric LANGUAGE sql STABLE AS 'SELECT 2.50';
CREATE TABLE shop.orders (
    id integer PRIMARY KEY, status text NOT NULL, paid numeric, supplier text, placed_at timestamptz,
    canceled_at timestamptz, flagged boolean NOT NULL DEFAULT false);
CREATE TABLE shop.shipments (order_id integer REFERENCES shop.orders);
INSERT INTO shop.orders
SELECT id, CASE id WHEN 5 THEN 'shipped' ELSE 'paid' END, CASE id WHEN 4 THEN 10 END,
       CASE id WHEN 8 THEN 'acme' END, '2026-03-01 10:00+00'
FROM generate_series(1, 9) AS id;
GRANT SELECT ON shop.orders TO move_staff, move_customer, move_reader;
SELECT ordcancel.attach('shop.orders', 'status', placed_at => 'placed_at', policy_by => 'supplier',
                        refund_due => 'paid - shop.fee()'),
       ordcancel.set_policy('shop.orders', canceled_status => 'canceled', requested_status => 'asked',
                            settlement => 'after_canceled', decision_timeout => '100 years', on_timeout => 'deny'),
       ordcancel.set_rule('shop.orders', 'paid', customer => 'request', merchant => 'cancel',
                          expire_after => '200 years'),
       ordcancel.set_policy('shop.orders', 'acme', grace => '2 hours', undo => 'never'),
       ordcancel.set_rule('shop.orders', 'shipped', hint => E'two\nlines and a \\ in it'),
       ordcancel.add_block('shop.orders', 'flagged', 'flagged', hint => 'Ask the "fraud" team.'),
       ordcancel.also_set('shop.orders', 'canceled', 'canceled_at', 'cancellation.closed_at'),
       ordcancel.also_set('shop.orders', 'restored', 'canceled_at', 'NULL'),
       ordcancel.attach_child('shop.shipments', 'shop.orders', '{order_id}');
-- A key of two columns, items, record tables in another schema.
CREATE TABLE shop.parts (shop text, no integer, status text NOT NULL, PRIMARY KEY (shop, no));
CREATE TABLE shop.items (id integer PRIMARY KEY, shop text, no integer, n integer, gone integer NOT NULL DEFAULT 0);
CREATE INDEX ON shop.items (shop, no);
GRANT SELECT ON shop.parts, shop.items TO move_staff;
INSERT INTO shop.parts SELECT 'x', n, 'paid' FROM generate_series(1, 3) AS n;
INSERT INTO shop.items SELECT n, 'x', 1, 2 FROM generate_series(11, 13) AS n;
SELECT ordcancel.attach('shop.parts', 'status', record_schema => 'audit'),
       ordcancel.set_policy('shop.parts', canceled_status => 'canceled'),
       ordcancel.set_rule('shop.parts', 'paid', merchant => 'cancel'),
       ordcancel.attach_items('shop.items', 'shop.parts', key => '{shop,no}', quantity => 'n', canceled => 'gone');
RESET ROLE;
RESET search_path;
SELECT ordcancel.create_consumer('stock', 'shop.orders', owner => 'move_reader'),
       ordcancel.create_consumer('slow', 'shop.orders', types => '{requested,canceled,undone}', owner => 'move_reader'),
       ordcancel.create_consumer('everything');
SET ROLE move_staff;
SELECT ordcancel.cancel_order('shop.orders', 1, 'cold feet', actor => 'anna'),
       ordcancel.cancel_order('shop.orders', 2, 'fraud', actor => 'anna', metadata => '{"a": [1, "\\"]}'),
       ordcancel.cancel_items('shop.parts', ROW('x', 1), '[{"item": 11, "quantity": 1}]', 'out_of_stock');
RESET ROLE;
SELECT ordcancel.ack('stock', max(event_id)) FROM ordcancel.next_events('stock');
SELECT ordcancel.skip_event('slow', min(event_id), 'poison') FROM ordcancel.next_events('slow');
SET ROLE move_customer;
SELECT ordcancel.request_cancel('shop.orders', 3, actor => 'ann');
SET ROLE move_staff;
SELECT ordcancel.cancel_order('shop.orders', 4, 'out_of_stock');
RESET ROLE;
SELECT ordcancel.ack('everything', max(event_id)) FROM ordcancel.next_events('everything');
