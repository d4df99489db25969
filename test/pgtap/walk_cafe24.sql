-- Cafe24, "When do I need to cancel orders?" from top to bottom: what the page
-- says is what the preset does, whether the status is a text or an enum.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT plan(242);
\ir include/helpers.sql
\ir include/walk.sql
CREATE ROLE cafe24_customer;
CREATE ROLE cafe24_store;
CREATE ROLE cafe24_programs;
CREATE TYPE cafe24_status AS ENUM ('awaiting_payment', 'preparing', 'ready', 'in_transit', 'delivered',
                                   'purchase_confirmed',
                                   'cancellation_requested', 'cancellation_in_progress', 'canceled');

\set status_type text
\ir include/walk_cafe24.sql
ALTER SCHEMA shop RENAME TO shop_of_text;
\set status_type cafe24_status
\ir include/walk_cafe24.sql

SELECT * FROM finish();
ROLLBACK;
