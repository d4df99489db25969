-- VTEX's page "Canceling an order", from top to bottom, under the preset vtex:
-- once with the status as text, once as an enum. Then what the pages that it
-- links say of the grace period and of denying. The walk is include/walk_vtex.sql.
BEGIN;
SELECT plan(155);
SET LOCAL timezone = 'UTC';
SET LOCAL client_min_messages = warning;
\ir include/parties.sql

CREATE SCHEMA text_shop;
CREATE TABLE text_shop.orders (id integer PRIMARY KEY, status text NOT NULL, approved_at timestamptz, items text);
CREATE SCHEMA enum_shop;
CREATE TYPE enum_shop.status AS ENUM ('incomplete', 'payment-pending', 'payment-approved', 'window-to-cancel',
                                      'ready-for-handling',
                                      'handling', 'invoiced', 'cancellation-requested', 'canceled');
CREATE TABLE enum_shop.orders (id integer PRIMARY KEY, status enum_shop.status NOT NULL, approved_at timestamptz,
                               items text);

\set kind text
\set type text
SET LOCAL search_path = text_shop, public;
\ir include/walk_vtex.sql
\set kind enum
\set type enum_shop.status
SET LOCAL search_path = enum_shop, public;
\ir include/walk_vtex.sql

SELECT results_eq($$SELECT * FROM all_events('text_shop')$$, $$SELECT * FROM all_events('enum_shop')$$,
                  'text and enum went the same way');

SELECT * FROM finish();
ROLLBACK;
