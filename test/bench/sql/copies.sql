-- Copies of the order table and its record tables in the schema :copy, without
-- triggers: the same rows, indexes and sequences.
CREATE SCHEMA :copy;
CREATE TABLE :copy.orders (LIKE shop.orders INCLUDING ALL);
CREATE TABLE :copy.orders_cancellation (LIKE shop.orders_cancellation INCLUDING ALL);
CREATE TABLE :copy.orders_cancellation_event (LIKE shop.orders_cancellation_event INCLUDING ALL);
CREATE SEQUENCE :copy.cancellation_id_seq;
CREATE SEQUENCE :copy.event_id_seq;
INSERT INTO :copy.orders TABLE shop.orders;
INSERT INTO :copy.orders_cancellation TABLE shop.orders_cancellation;
ALTER TABLE :copy.orders_cancellation_event ALTER COLUMN xid SET DEFAULT pg_current_xact_id()::text::bigint;
SELECT format('ALTER TABLE %I.orders_cancellation_event ALTER COLUMN cluster SET DEFAULT %s', :'copy',
              system_identifier)
FROM pg_control_system() \gexec
ALTER TABLE :copy.orders_cancellation_event ALTER COLUMN orders SET DEFAULT 'shop.orders';
INSERT INTO :copy.orders_cancellation_event TABLE shop.orders_cancellation_event;
SELECT setval(:'copy' || '.cancellation_id_seq', nextval('ordcancel.cancellation_id_seq')),
       setval(:'copy' || '.event_id_seq', nextval('ordcancel.event_id_seq'));
