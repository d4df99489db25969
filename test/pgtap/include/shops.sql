-- A shop for each preset, attached as its system would be. doc/pictures shows
-- them; make pictures draws those of this file.
CREATE SCHEMA spryker
    CREATE TABLE orders (id integer PRIMARY KEY, status text NOT NULL, confirmed_at timestamptz);
CREATE SCHEMA vtex
    CREATE TABLE orders (id text PRIMARY KEY, status text NOT NULL, approved_at timestamptz);
CREATE SCHEMA cafe24
    CREATE TABLE orders (id text PRIMARY KEY, status text NOT NULL, placed_at timestamptz, price numeric,
                         points numeric);
CREATE SCHEMA kibo
    CREATE TABLE orders (id integer PRIMARY KEY, status text NOT NULL, submitted timestamptz);
CREATE SCHEMA zaikio
    CREATE TABLE orders (id uuid PRIMARY KEY, status text NOT NULL, placed_at timestamptz);
CREATE SCHEMA vendure
    CREATE TABLE orders (id integer PRIMARY KEY, status text NOT NULL);
CREATE SCHEMA medusa
    CREATE TABLE orders (id text PRIMARY KEY, status text NOT NULL);
CREATE SCHEMA tryton
    CREATE TABLE orders (id integer PRIMARY KEY, status text NOT NULL);
CREATE SCHEMA evershop
    CREATE TABLE orders (id integer PRIMARY KEY, status text NOT NULL);
SELECT ordcancel.attach('spryker.orders', status => 'status', placed_at => 'confirmed_at'),
       ordcancel.attach('vtex.orders', status => 'status', placed_at => 'approved_at'),
       ordcancel.attach('cafe24.orders', status => 'status', placed_at => 'placed_at', refund_due => 'price - points'),
       ordcancel.attach('kibo.orders', status => 'status', placed_at => 'submitted'),
       ordcancel.attach('zaikio.orders', status => 'status', placed_at => 'placed_at') \g /dev/null
SELECT ordcancel.attach(format('%I.orders', preset), status => 'status')
FROM unnest('{vendure,medusa,tryton,evershop}'::text[]) AS preset \g /dev/null
SELECT ordcancel.apply_preset(format('%I.orders', preset), preset) FROM ordcancel.preset \g /dev/null
