-- A partitioned order table is under its rules in every partition, whatever its
-- shape, and an order does not slip through by moving from one to another.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
SELECT plan(129);

-- ------------------------------------------------- tables of every strategy

CREATE TABLE by_range (id integer, day date, status text, note text, PRIMARY KEY (day, id)) PARTITION BY RANGE (day);
CREATE TABLE by_range_1 PARTITION OF by_range FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
-- Other columns' places, and one that was dropped.
CREATE TABLE by_range_2 (gone integer, note text, status text, day date NOT NULL, gone_too text, id integer NOT NULL);
ALTER TABLE by_range_2 DROP COLUMN gone, DROP COLUMN gone_too;
ALTER TABLE by_range ATTACH PARTITION by_range_2 FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
-- Partitions of a partition.
CREATE TABLE by_range_3 PARTITION OF by_range FOR VALUES FROM ('2026-03-01') TO ('2026-04-01') PARTITION BY HASH (id);
CREATE TABLE by_range_3a PARTITION OF by_range_3 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE by_range_3b (status text, note text, dropped integer, id integer NOT NULL, day date NOT NULL);
ALTER TABLE by_range_3b DROP COLUMN dropped;
ALTER TABLE by_range_3 ATTACH PARTITION by_range_3b FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE by_range_rest PARTITION OF by_range DEFAULT;

CREATE TABLE by_list (id integer, day date, status text, note text, PRIMARY KEY (id, day)) PARTITION BY LIST (day);
CREATE TABLE by_list_1 PARTITION OF by_list FOR VALUES IN ('2026-01-10', '2026-02-10', '2026-12-10');
CREATE TABLE by_list_2 (status text, id integer NOT NULL, note text, day date NOT NULL);
ALTER TABLE by_list ATTACH PARTITION by_list_2 FOR VALUES IN ('2026-03-10', NULL);

CREATE TABLE by_hash (status text, note text, day date, id integer PRIMARY KEY) PARTITION BY HASH (id);
CREATE TABLE by_hash_0 PARTITION OF by_hash FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TABLE by_hash_1 (id integer NOT NULL, dropped text, day date, status text, note text);
ALTER TABLE by_hash_1 DROP COLUMN dropped;
ALTER TABLE by_hash ATTACH PARTITION by_hash_1 FOR VALUES WITH (MODULUS 3, REMAINDER 1);
CREATE TABLE by_hash_2 PARTITION OF by_hash FOR VALUES WITH (MODULUS 3, REMAINDER 2);

CREATE TABLE kind (name text, key text);
INSERT INTO kind VALUES ('by_range', '(%2$s,%1$s)'), ('by_list', '(%1$s,%2$s)'), ('by_hash', '%1$s');
CREATE TABLE sample AS
    SELECT n AS id, ('{2026-01-10,2026-02-10,2026-03-10,2026-12-10}'::date[])[n % 4 + 1] AS day
FROM generate_series(1, 40) AS n;
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY '{by_range,by_list,by_hash}'::text[] LOOP
        EXECUTE format('INSERT INTO %I (id, day, status) SELECT id, day, CASE WHEN id <= 20 THEN ''placed'' ELSE '
                       '''shipped'' END FROM sample', t);
        PERFORM ordcancel.attach(t::regclass, status => 'status');
        PERFORM ordcancel.set_policy(t::regclass, canceled_status => 'canceled', requested_status => 'asked');
        PERFORM ordcancel.set_rule(t::regclass, 'placed', customer => 'request', merchant => 'cancel');
        PERFORM ordcancel.set_rule(t::regclass, 'draft', deletable => true);
        -- A condition over the row, which has to be the whole row in its own order.
        PERFORM ordcancel.add_block(t::regclass, 'kept', 'note = ''keep'' AND id > 0 AND day IS NOT NULL');
    END LOOP;
END
$$;
CREATE FUNCTION key_of(kind kind, sample sample) RETURNS text LANGUAGE sql
    AS $$ SELECT format((kind).key, (sample).id, (sample).day) $$;

-- ------------------------------------------------- functions and plain updates

SELECT is((SELECT o.state || ' ' || o.order_status FROM ordcancel.cancel_order(k.name::regclass, key_of(k, s)) AS o),
          'canceled canceled', format('%s: order %s is canceled by the function', k.name, key_of(k, s)))
FROM kind AS k, sample AS s WHERE s.id <= 4;
SELECT is(attempt(format('UPDATE %I SET status = ''canceled'' WHERE id = %s', k.name, s.id)), 'ok',
          format('%s: order %s by an update', k.name, key_of(k, s)))
FROM kind AS k, sample AS s WHERE s.id BETWEEN 5 AND 8;
SELECT is((SELECT array_agg(format('%s %s', c.tableoid::regclass, n) ORDER BY c.tableoid::regclass::text)
           FROM (SELECT tableoid, count(*) AS n FROM ordcancel.cancellation WHERE state = 'canceled'
                   AND prior_status = 'placed' GROUP BY 1) AS c),
          '{by_hash_cancellation 8,by_list_cancellation 8,by_range_cancellation 8}', 'all of it is recorded');
SELECT is(attempt(format('UPDATE %I SET status = ''canceled'' WHERE id = %s', k.name, s.id)),
          '23514 cancellation_forbidden',
          format('%s: what is shipped stays shipped (%s)', k.name, key_of(k, s)))
FROM kind AS k, sample AS s WHERE s.id BETWEEN 21 AND 24;
SELECT is(attempt(format('UPDATE %I SET status = ''placed''', k.name)), '23514 order_is_canceled',
          k.name || ': what is canceled stays so')
FROM kind AS k;
UPDATE by_range SET note = 'keep' WHERE id = 10;
UPDATE by_list SET note = 'keep' WHERE id = 10;
UPDATE by_hash SET note = 'keep' WHERE id = 10;
SELECT is(attempt(format('UPDATE %I SET note = NULL, status = ''canceled'' WHERE id = 10', k.name)),
          '23514 cancellation_blocked', k.name || ': a block reads the row in its own shape')
FROM kind AS k;
SELECT is(attempt(format('SELECT ordcancel.cancel_order(%L, %L)', k.name, key_of(k, s))), 'OC005',
          k.name || ': also for the function')
FROM kind AS k, sample AS s WHERE s.id = 10;

-- ------------------------------------------------------ writes to a partition

CREATE TABLE part (name text);
INSERT INTO part VALUES ('by_range_1'), ('by_range_2'), ('by_range_3'), ('by_range_3a'), ('by_range_3b'),
    ('by_range_rest'),
    ('by_list_1'), ('by_list_2'), ('by_hash_0'), ('by_hash_1'), ('by_hash_2');
SELECT is(attempt(format('UPDATE %I SET status = ''canceled'' WHERE status = ''shipped''', name)),
          '23514 cancellation_forbidden',
          format('an update of %s is judged', name)) FROM part;
SELECT is(attempt(format('DELETE FROM %I', name)), '23514 cancellation_forbidden', format('a delete of %s too', name))
FROM part;
SELECT is(attempt(format('TRUNCATE %I', name)), '23514 cancellation_forbidden', format('%s cannot be truncated', name))
FROM part;
SELECT is(attempt('INSERT INTO by_range_2 (id, day, status) VALUES (900, ''2026-02-03'', ''asked'')'),
          '23514 cancellation_forbidden', 'an insert into one is judged');
SELECT is(attempt('INSERT INTO by_range_2 (id, day, status) VALUES (900, ''2026-02-03'', ''draft'')'), 'ok',
          'and allowed');
SELECT is(attempt('DELETE FROM by_range_2 WHERE id = 900'), 'ok', 'a draft may be deleted there');
SELECT is(attempt('SELECT ordcancel.cancel_order(''by_hash_0'', 1)'), 'OC001', 'a partition is not an order table');
SELECT is(attempt('SELECT ordcancel.attach(''by_hash_0'', ''status'')'), 'OC014', 'and cannot be attached by itself');

-- -------------------------------------- from one partition into another: never

INSERT INTO by_range (id, day, status) VALUES (901, '2026-01-05', 'draft'), (902, '2026-03-05', 'placed');
CREATE FUNCTION move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.day := '2026-12-31';
    RETURN NEW;
END
$$;
CREATE TRIGGER move BEFORE UPDATE ON by_range_3 FOR EACH ROW WHEN (NEW.note = 'move') EXECUTE FUNCTION move();
SELECT is(attempt(statement), '0A000', 'refused: ' || statement)
FROM unnest(ARRAY[
    'UPDATE by_range SET day = ''2026-02-05'' WHERE id = 901',
    'UPDATE by_range SET day = ''2026-02-05'', status = ''canceled'' WHERE id = 901',
    'UPDATE by_range SET day = ''2026-12-31'', status = ''canceled'' WHERE id = 25',
    'UPDATE by_range SET day = ''2026-02-05'' WHERE id = 902',
    'UPDATE by_range SET day = ''2026-12-31'', status = ''placed'' WHERE id = 1',
    'UPDATE by_list SET day = ''2026-03-10'' WHERE id = 12',
    'UPDATE by_list SET day = ''2026-01-10'', status = ''canceled'' WHERE id = 26',
    'UPDATE by_hash SET id = id + 100 WHERE id BETWEEN 9 AND 20',
    'INSERT INTO by_range (id, day, status) VALUES (901, ''2026-01-05'', ''x'') ON CONFLICT (id, day) DO UPDATE SET '
    'day = ''2026-02-05'', status = ''canceled''',
    'MERGE INTO by_range AS o USING (VALUES (901)) AS v (i) ON o.id = v.i WHEN MATCHED THEN UPDATE SET day = '
    '''2026-02-05'', status = ''canceled''',
    'WITH u AS (UPDATE by_range SET day = ''2026-02-05'' WHERE id = 902 RETURNING id) SELECT count(*) FROM u',
    'UPDATE by_range_3 SET id = id + 1']) AS statement;
-- PostgreSQL itself has a word against these.
SELECT is(left(attempt(statement), 2), left(code, 2), 'refused: ' || statement)
FROM (VALUES ('UPDATE by_range SET note = ''move'' WHERE id = 902', '0A000'),
             ('UPDATE by_range_1 SET day = ''2026-02-05'' WHERE id = 901', '23514'),
             ('UPDATE by_range SET note = ''move'', status = ''canceled'' WHERE id = 902',
              '0A000')) AS v (statement, code);
CREATE TRIGGER move_canceled BEFORE UPDATE ON by_range_1 FOR EACH ROW WHEN (NEW.status = 'canceled')
    EXECUTE FUNCTION move();
UPDATE by_range SET status = 'placed' WHERE id = 901;
SELECT is(value_or_error(NULL, 'SELECT ordcancel.cancel_order(''by_range'', ''(2026-01-05,901)'')', '{message}'),
          'new row for relation "by_range_1" violates partition constraint',
          'nor by a trigger while a function cancels');
UPDATE by_range SET status = 'draft' WHERE id = 901;
DROP TRIGGER move_canceled ON by_range_1;
SELECT is((SELECT string_agg(format('%s %s %s', id, day, status), ', ' ORDER BY id) FROM by_range WHERE id > 900),
          '901 2026-01-05 draft, 902 2026-03-05 placed', 'they are where they were');
SELECT is((SELECT count(*) FROM by_range) + (SELECT count(*) FROM by_list) + (SELECT count(*) FROM by_hash),
          122::bigint, 'and all of them');
SELECT is(attempt('UPDATE by_range SET day = ''2026-01-06'' WHERE id = 901'), 'ok',
          'within a partition the key of an order without cancellations may change');
SELECT is(attempt('UPDATE by_range SET day = ''2026-01-06'' WHERE id = 4'), '23514 order_has_cancellations',
          'that of others may not')
WHERE (SELECT day FROM sample WHERE id = 4) = '2026-01-10';

-- ---------------------------------------------------- partitions come and go

CREATE TABLE by_range_4 PARTITION OF by_range FOR VALUES FROM ('2026-04-01') TO ('2026-05-01');
CREATE TABLE by_range_5 (id integer NOT NULL, status text, day date NOT NULL, note text);
INSERT INTO by_range_5 VALUES (950, 'shipped', '2026-05-05', NULL), (951, 'placed', '2026-05-05', NULL);
ALTER TABLE by_range ATTACH PARTITION by_range_5 FOR VALUES FROM ('2026-05-01') TO ('2026-06-01');
INSERT INTO by_range VALUES (940, '2026-04-04', 'shipped');
SELECT is(attempt('UPDATE by_range_4 SET status = ''canceled'''), '23514 cancellation_forbidden',
          'a partition made later is guarded');
SELECT is(attempt('UPDATE by_range_5 SET status = ''canceled'' WHERE id = 950'), '23514 cancellation_forbidden',
          'and one attached later');
SELECT is((SELECT o.state FROM ordcancel.cancel_order('by_range', '(2026-05-05,951)') AS o), 'canceled',
          'its orders can be canceled');
SELECT is(ordcancel.guard_partitions('by_range'), 2, 'the guard against TRUNCATE comes with guard_partitions');
SELECT is(attempt('TRUNCATE by_range_5'), '23514 cancellation_forbidden', 'then it cannot be truncated');
SELECT is(ordcancel.guard_partitions('by_range'), 0, 'once is enough');

ALTER TABLE by_range DETACH PARTITION by_range_5;
SELECT is(attempt('UPDATE by_range_5 SET status = ''canceled'' WHERE id = 950'), 'ok',
          'a detached partition is a table like another');
SELECT is(attempt('SELECT ordcancel.cancel_order(''by_range'', ''(2026-05-05,950)'')'), 'OC002',
          'its orders are not there any more');
ALTER TABLE by_range_5 DROP COLUMN note, DROP COLUMN status, ADD COLUMN note text, ADD COLUMN status text;
UPDATE by_range_5 SET status = 'placed', note = 'kept';
ALTER TABLE by_range ATTACH PARTITION by_range_5 FOR VALUES FROM ('2026-05-01') TO ('2026-06-01');
SELECT is((SELECT o.state FROM ordcancel.cancel_order('by_range', '(2026-05-05,950)') AS o), 'canceled',
          'it comes back with its columns in another order');
SELECT is((SELECT format('%s %s', status, note) FROM by_range WHERE id = 950), 'canceled kept', 'each keeps its value');
ALTER TABLE by_range DETACH PARTITION by_range_5;
SELECT is(attempt('SELECT ordcancel.detach(''by_hash'')'), 'ok', 'detach takes every guard off');
SELECT is((SELECT count(*) FROM pg_trigger WHERE tgrelid IN (SELECT relid FROM pg_partition_tree('by_hash'))),
          0::bigint, 'none is left');
SELECT is(attempt('UPDATE by_hash SET status = ''free'''), 'ok', 'the orders are free');
SELECT is(attempt('TRUNCATE by_hash_1'), 'ok', 'also to be truncated');
SELECT is(attempt('SELECT ordcancel.attach(''by_hash'', ''status''), ordcancel.set_policy(''by_hash'', '
                  'requested_status => ''asked'')'), 'ok', 'attached again');
SELECT is(attempt('INSERT INTO by_hash_2 (id, status) SELECT n, ''asked'' FROM generate_series(900, 920) AS n WHERE '
                  'satisfies_hash_partition(''by_hash''::regclass, 3, 2, n)'),
          '23514 cancellation_forbidden', 'it is under rules again');

-- A table that has become a partition itself, of one without a primary key.
CREATE TABLE inner_part (id integer PRIMARY KEY, status text NOT NULL) PARTITION BY RANGE (id);
CREATE TABLE inner_part_1 PARTITION OF inner_part FOR VALUES FROM (0) TO (100);
INSERT INTO inner_part VALUES (1, 'placed');
SELECT ordcancel.attach('inner_part', 'status'), ordcancel.set_policy('inner_part', canceled_status => 'canceled'),
       ordcancel.set_rule('inner_part', 'placed', merchant => 'cancel');
CREATE TABLE outer_table (id integer NOT NULL, status text NOT NULL) PARTITION BY LIST (status);
ALTER TABLE outer_table ATTACH PARTITION inner_part FOR VALUES IN ('placed');
SELECT is(error_of('SELECT ordcancel.cancel_order(''inner_part'', 1)', 'sqlstate', 'message'),
          '23514 | new row for relation "inner_part_1" violates partition constraint',
          'an order does not leave the bounds of an outer table');

-- ---------------------------------------- as in a table without partitions

CREATE TABLE seen (source text, parts text[], canceled bigint);
CREATE FUNCTION note_seen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO seen SELECT TG_ARGV[0] || ' ' || TG_TABLE_NAME, array_agg(DISTINCT tableoid::regclass::text),
        count(*) FILTER (WHERE status = 'canceled') FROM by_list;
    RETURN NULL;
END
$$;
CREATE TRIGGER note_row AFTER UPDATE OF status ON by_list FOR EACH ROW EXECUTE FUNCTION note_seen('row');
CREATE TRIGGER note_part AFTER UPDATE ON by_list_2 FOR EACH STATEMENT EXECUTE FUNCTION note_seen('part');
DELETE FROM seen;
INSERT INTO by_list (id, day, status)
SELECT 1000 + n, day, 'placed' FROM generate_series(1, 3) AS n, unnest('{2026-01-10,2026-03-10}'::date[]) AS day;
CREATE TEMP TABLE before AS SELECT count(*) AS n FROM by_list WHERE status = 'canceled';
SELECT is((SELECT string_agg(r.outcome, ' ') FROM ordcancel.cancel_orders('by_list',
              ARRAY(SELECT format('(%s,%s)', id, day) FROM by_list WHERE id > 1000)) AS r),
          'canceled canceled canceled canceled canceled canceled', 'several orders of two partitions are canceled');
SELECT is((SELECT string_agg(format('%s %s %s', source, canceled - (SELECT n FROM before), count), ', ' ORDER BY source)
           FROM (SELECT source, canceled, count(*) FROM seen GROUP BY 1, 2) AS s),
          'row by_list_1 6 3, row by_list_2 6 3',
          'a row trigger sees all of them canceled; a statement trigger of a partition does not fire');
CREATE TRIGGER note_all AFTER UPDATE ON by_list FOR EACH STATEMENT EXECUTE FUNCTION note_seen('statement');
DELETE FROM seen;
SELECT is((SELECT string_agg(r.outcome, ' ') FROM ordcancel.cancel_orders('by_list',
              ARRAY(SELECT format('(%s,%s)', id, day) FROM by_list WHERE id = 12)) AS r),
          'canceled', 'one more');
SELECT is((SELECT string_agg(source, ', ' ORDER BY source) FROM seen WHERE source LIKE 'statement%'),
          'statement by_list', 'a statement trigger of the table fires');

CREATE TABLE by_two (a integer, b text COLLATE "C", status text, PRIMARY KEY (a, b)) PARTITION BY RANGE (b, a);
CREATE TABLE by_two_1 PARTITION OF by_two FOR VALUES FROM (MINVALUE, MINVALUE) TO ('k', 10);
CREATE TABLE by_two_2 PARTITION OF by_two FOR VALUES FROM ('k', 10) TO ('t', MINVALUE);
SELECT ordcancel.attach('by_two', 'status');
SELECT ordcancel.set_policy('by_two', canceled_status => 'canceled');
SELECT ordcancel.set_rule('by_two', 'placed', merchant => 'cancel');
INSERT INTO by_two SELECT a, b, 'placed' FROM unnest('{9,10,11}'::integer[]) AS a, unnest('{a,k,m,s}'::text[]) AS b;
SELECT is((SELECT string_agg(DISTINCT r.outcome, ' ') || count(*) FROM ordcancel.cancel_orders('by_two',
              ARRAY(SELECT format('(%s,%s)', a, b) FROM by_two)) AS r), 'canceled12', 'two columns, in another order');
SELECT is(attempt($$SELECT ordcancel.cancel_order('by_two', '(9,t)')$$), 'OC002', 'no partition for the key');
SELECT is(attempt($$SELECT ordcancel.cancel_order('by_two', '(8,m)')$$), 'OC002', 'no order in the partition');
CREATE TABLE empty (id integer PRIMARY KEY, status text) PARTITION BY LIST (id);
SELECT ordcancel.attach('empty', 'status');
SELECT is(attempt($$SELECT ordcancel.cancel_order('empty', 1)$$), 'OC002', 'no partitions at all');

SELECT * FROM finish();
ROLLBACK;
