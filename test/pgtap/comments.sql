-- Every object of the extension has a COMMENT, and every column; so do the
-- record tables that attach makes.
BEGIN;
SELECT plan(13);
SET LOCAL client_min_messages = warning;

CREATE SCHEMA shop;
CREATE TABLE shop.orders (id bigint PRIMARY KEY, status text);
CREATE TABLE shop.lines (region text, state text, id int, status text, PRIMARY KEY (region, state, id));

-- Tables, views, functions, types, casts, schemas, ...; not the types and the
-- indexes that PostgreSQL makes by itself.
CREATE VIEW member AS
SELECT d.classid, d.objid, 0 AS objsubid
FROM pg_depend AS d JOIN pg_extension AS e ON e.oid = d.refobjid
WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND e.extname = 'ordcancel'
  -- Since PostgreSQL 17 the types of rows and arrays are members as well.
  AND NOT EXISTS (SELECT FROM pg_type AS t LEFT JOIN pg_class AS c ON c.oid = t.typrelid
                  WHERE d.classid = 'pg_type'::regclass AND t.oid = d.objid AND (t.typelem <> 0 OR c.relkind <> 'c'));
CREATE FUNCTION uncommented(relations oid[]) RETURNS SETOF text LANGUAGE sql AS $$
SELECT pg_describe_object(p.classid, p.objid, p.objsubid)
FROM (SELECT 'pg_class'::regclass, r, 0 FROM unnest(relations) AS r
      UNION ALL
      SELECT 'pg_class'::regclass, attrelid, attnum FROM pg_attribute
      WHERE attrelid = ANY (relations) AND attnum > 0 AND NOT attisdropped) AS p (classid, objid, objsubid)
    LEFT JOIN pg_description AS d ON (d.classoid, d.objoid, d.objsubid) = (p.classid, p.objid, p.objsubid)
WHERE coalesce(d.description, '') = ''
$$;

SELECT ok((SELECT count(*) > 150 FROM member), 'the extension has members');
SELECT is_empty($$
    SELECT pg_describe_object(m.classid, m.objid, 0)
    FROM member AS m LEFT JOIN pg_description AS d ON (d.classoid, d.objoid, d.objsubid) = (m.classid, m.objid, 0)
    WHERE coalesce(d.description, '') = ''
$$, 'each has a COMMENT');
SELECT is_empty($$
    SELECT uncommented(array_agg(objid)) FROM (
        SELECT m.objid FROM member AS m JOIN pg_class AS c ON m.classid = 'pg_class'::regclass AND c.oid = m.objid
        WHERE c.relkind <> 'S'
    ) AS t
$$, 'so has each column of its tables and views');
SELECT is_empty($$
    SELECT pg_describe_object('pg_trigger'::regclass, t.oid, 0)
    FROM pg_trigger AS t JOIN member AS m ON m.classid = 'pg_class'::regclass AND m.objid = t.tgrelid
    WHERE NOT t.tgisinternal AND obj_description(t.oid, 'pg_trigger') IS NULL
$$, 'each trigger on them');
SELECT is_empty($$
    SELECT format('%s.%s', t.oid::regtype, a.attname)
    FROM member AS m JOIN pg_type AS t ON m.classid = 'pg_type'::regclass AND t.oid = m.objid
        JOIN pg_attribute AS a ON a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE coalesce(col_description(a.attrelid, a.attnum), '') = ''
$$, 'and each attribute of its types');

-- What they say: plain ASCII, no line that \d+ would have to wrap.
SELECT is_empty($$
    SELECT pg_describe_object(d.classoid, d.objoid, d.objsubid), line
    FROM pg_description AS d JOIN member AS m ON (m.classid, m.objid) = (d.classoid, d.objoid),
        regexp_split_to_table(d.description, '\n') AS line
    WHERE line !~ '^[ -~]{2,125}$'
$$, 'no line of them is longer than 125 characters');
SELECT is_empty($$
    SELECT p.oid::regprocedure, description
    FROM pg_proc AS p, obj_description(p.oid, 'pg_proc') AS description
    WHERE p.pronamespace = 'ordcancel'::regnamespace
      AND description !~ '^[^\n.]+\nRaises (OC0\d\d|[0-9A-Z]{5})(, (OC0\d\d|[0-9A-Z]{5}))*\.$'
$$, 'each function that is for callers says what it does, and which errors it raises');
SELECT is_empty($$
    SELECT p.proname FROM pg_proc AS p
    WHERE p.pronamespace = 'ordcancel'::regnamespace
    GROUP BY p.proname HAVING count(DISTINCT obj_description(p.oid, 'pg_proc')) > 1
$$, 'declared twice, it says the same');

-- ------------------------------------------------------------ what attach makes

SELECT ordcancel.attach('shop.orders', 'status'), ordcancel.attach('shop.lines', 'status', inherit => false);
CREATE VIEW made AS
SELECT unnest(ARRAY[cancellation_table::oid, event_table::oid]) AS records FROM ordcancel.order_table;
SELECT is_empty('SELECT uncommented(array_agg(records)) FROM made',
                'the record tables have comments, and their columns');
SELECT is((
    SELECT array_agg(format('%s: %s', attname, col_description(attrelid, attnum)) ORDER BY attnum)
    FROM pg_attribute
    WHERE attrelid = 'shop.lines_cancellation'::regclass AND attname IN ('region', 'order_state', 'order_id')
), ARRAY['region: key of the order: its column region', 'order_state: key of the order: its column state',
         'order_id: key of the order: its column id'], 'key columns say what they are');

-- A record table that comes without comments, from an older version, say.
COMMENT ON TABLE shop.orders_cancellation IS NULL;
COMMENT ON COLUMN shop.orders_cancellation.order_id IS 'something else';
COMMENT ON COLUMN shop.orders_cancellation_event.type IS NULL;
SELECT ordcancel.attach('shop.orders');
SELECT is(obj_description('shop.orders_cancellation'::regclass, 'pg_class'),
          'cancellations of shop.orders; written by ordcancel alone', 'attach completes comments');
SELECT is(col_description(attrelid, attnum), 'key of the order: its column id', 'and corrects them')
FROM pg_attribute WHERE attrelid = 'shop.orders_cancellation'::regclass AND attname = 'order_id';
ALTER TABLE shop.orders RENAME TO old_orders;
CREATE TABLE shop.orders (LIKE shop.old_orders INCLUDING ALL);
SELECT ordcancel.replace_table('shop.old_orders', 'shop.orders');
SELECT is_empty('SELECT uncommented(array_agg(records)) FROM made', 'they stay when the table is replaced');

SELECT * FROM finish();
ROLLBACK;
