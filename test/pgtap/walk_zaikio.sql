-- Zaikio Procurement, "Canceling Orders" from top to bottom: what the page says
-- is what the preset does, whether the status is a text or an enum.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT plan(140);
\ir include/helpers.sql
\ir include/walk.sql
CREATE ROLE zaikio_consumer;
CREATE ROLE zaikio_supplier;
CREATE TYPE zaikio_status AS ENUM ('draft', 'placed', 'transfer_failed', 'transferred', 'confirmed', 'in_production',
                                   'shipped',
                                   'canceled_by_consumer', 'canceled_by_supplier');
-- Orders of the page have a uuid; these end in a number of their own.
CREATE FUNCTION o(n integer) RETURNS uuid
    LANGUAGE sql
    AS $$SELECT ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid$$;

\set status_type text
\ir include/walk_zaikio.sql
ALTER SCHEMA shop RENAME TO shop_of_text;
\set status_type zaikio_status
\ir include/walk_zaikio.sql

SELECT * FROM finish();
ROLLBACK;
