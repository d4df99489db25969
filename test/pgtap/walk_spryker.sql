-- Spryker's page "Order Cancellation", from top to bottom, under the preset
-- spryker: once with the status as text, once as an enum. The page itself says
-- little; what it links says the rest: the overview, and the process that is
-- shipped. The walk is include/walk_spryker.sql.
BEGIN;
SELECT plan(121);
SET LOCAL timezone = 'UTC';
SET LOCAL client_min_messages = warning;
\ir include/parties.sql

-- The preset is taken whole or not at all.
CREATE TYPE few_states AS ENUM ('new', 'payment pending', 'paid', 'confirmed', 'exported', 'shipped', 'delivered',
                                'canceled');
CREATE TABLE few (id integer PRIMARY KEY, status few_states);
SELECT ordcancel.attach('few', 'status');
SELECT throws_ok($$SELECT ordcancel.apply_preset('few', 'spryker')$$, 'OC014', NULL,
                 'an enum without one of the states ("waiting") cannot take the preset');
SELECT is_empty($$SELECT FROM ordcancel.rule WHERE orders = 'few'::regclass$$, 'nor any part of it');

CREATE SCHEMA text_shop;
CREATE TABLE text_shop.orders (id integer PRIMARY KEY, status text NOT NULL,
                               placed_at timestamptz DEFAULT '2026-05-05 11:00+00',
                               confirmed_at timestamptz, paid numeric, item text);
CREATE SCHEMA enum_shop;
CREATE TYPE enum_shop.state AS ENUM ('new', 'payment pending', 'paid', 'confirmed', 'grace period started', 'waiting',
                                     'exported',
                                     'shipped', 'delivered', 'canceled');
CREATE TABLE enum_shop.orders (id integer PRIMARY KEY, status enum_shop.state NOT NULL,
                               placed_at timestamptz DEFAULT '2026-05-05 11:00+00', confirmed_at timestamptz,
                               paid numeric, item text);

-- What the process that is shipped calls cancellable. The overview page names
-- payment pending and confirmed alone; the preset follows the process.
CREATE TABLE states (n integer, state text, flagged boolean);
INSERT INTO states VALUES (1, 'new', true), (2, 'payment pending', true), (3, 'paid', true), (4, 'confirmed', true),
    (5, 'waiting', false), (6, 'exported', false), (7, 'shipped', false), (8, 'delivered', false),
    (9, 'grace period started', false);

\set kind text
\set type text
SET LOCAL search_path = text_shop, public;
\ir include/walk_spryker.sql
\set kind enum
\set type enum_shop.state
SET LOCAL search_path = enum_shop, public;
\ir include/walk_spryker.sql

SELECT results_eq($$SELECT * FROM all_events('text_shop')$$, $$SELECT * FROM all_events('enum_shop')$$,
                  'text and enum went the same way');

SELECT * FROM finish();
ROLLBACK;
