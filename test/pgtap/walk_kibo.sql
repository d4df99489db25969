-- Kibo, "Cancel Order" from top to bottom: what the page says is what the
-- preset does, whether the status is a text or an enum.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT plan(244);
\ir include/helpers.sql
\ir include/walk.sql
CREATE ROLE kibo_stranger;
CREATE ROLE kibo_clerk;
CREATE ROLE kibo_supervisor;
CREATE TYPE kibo_status AS ENUM ('Pending', 'Accepted', 'Processing', 'Completed', 'Cancelled', 'Abandoned');

\set status_type text
\ir include/walk_kibo.sql
ALTER SCHEMA shop RENAME TO shop_of_text;
\set status_type kibo_status
\ir include/walk_kibo.sql

SELECT * FROM finish();
ROLLBACK;
