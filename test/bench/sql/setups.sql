-- What setups differ in: a supplier of each order, whose policies others have
-- or not, and a document of 20 kB that PostgreSQL puts aside. Not all rows have
-- it, where large says how many do.
\if :{?large}
\else
    \set large 0
\endif
ALTER TABLE shop.orders ADD supplier integer, ADD document text, ADD flagged boolean NOT NULL DEFAULT false;
ALTER TABLE shop.orders ALTER document SET STORAGE EXTERNAL;
UPDATE shop.orders SET supplier = id % 5000, document = CASE WHEN id <= :large THEN repeat('x', 20000) END;
