-- cancel_batch over tables of every shape, and against triggers of the user.
\ir include/batch.sql
SELECT plan(65);

-- --------------------------------------------------------------- keys of all types

CREATE TYPE colour AS ENUM ('red', 'green', 'blue');
CREATE DOMAIN paint AS colour CHECK (value <> 'blue');
CREATE DOMAIN code AS text CHECK (value ~ '^[A-Z]');
SELECT count(*) > 0 AS has_icu FROM pg_collation WHERE collprovider = 'i' \gset
\if :has_icu
CREATE COLLATION caseless (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE COLLATION upper_first (provider = icu, locale = 'und-u-kf-upper');
\else
CREATE COLLATION caseless FROM "C";
CREATE COLLATION upper_first FROM "C";
\endif
-- The disk is full at the third order in the order of the keys.
CREATE FUNCTION make(name text, columns text, keys text, VARIADIC rows text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TABLE %I (status text, %s, PRIMARY KEY (%s))', name, columns, keys);
    EXECUTE format('INSERT INTO %I VALUES %s', name,
                   (SELECT string_agg(format('(''placed'', %s)', r), ', ') FROM unnest(rows) AS r));
    PERFORM ordcancel.attach(name::regclass, 'status'),
    ordcancel.set_policy(name::regclass, canceled_status => 'canceled', requested_status => 'asked'),
            ordcancel.set_rule(name::regclass, 'placed', merchant => 'cancel');
    EXECUTE format('CREATE TRIGGER disk AFTER UPDATE ON %I FOR EACH ROW EXECUTE FUNCTION third_is_full()', name);
END
$$;
CREATE SEQUENCE written;
CREATE FUNCTION third_is_full() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF nextval('written') = 3 THEN
        RAISE 'the disk is full' USING ERRCODE = '53100';
    END IF;
    RETURN NULL;
END
$$;
SELECT make('k_bigint', 'id bigint', 'id', '5000000000', '7', '-9', '0'),
       make('k_uuid', 'id uuid', 'id', 'gen_random_uuid()', 'gen_random_uuid()', 'gen_random_uuid()',
            'gen_random_uuid()'),
       make('k_text', 'id text', 'id', '''Ärger, "1" {a} \b''', '''NULL''', '''''', ''' '''),
       make('k_caseless', 'id text COLLATE caseless', 'id', '''b''', '''A''', '''C''', '''ä'''),
       make('k_upper', 'id text COLLATE upper_first', 'id', '''a''', '''A''', '''b''', '''B'''),
       make('k_char', 'id char(6)', 'id', '''A-1''', '''B''', '''''', '''C'''),
       make('k_numeric', 'id numeric', 'id', '1.50', '2', '''NaN''', '-0.10'),
       make('k_float', 'id float8', 'id', '0.1 + 0.2', '1e300', '''-infinity''', '1.0 / 3'),
       make('k_paint', 'id paint, no integer', 'id, no', '''green'', 1', '''red'', 1', '''red'', 2', '''green'', 2'),
       make('k_code', 'id code', 'id', '''B''', '''A''', '''D''', '''C'''),
       make('k_two', 'branch text, no integer', 'branch, no', '''north, "N"'', 42', '''s'', 42', '''s'', 43',
            ''''', 1'), make('k_reordered', 'branch text, no integer', 'no, branch', '''s'', 42', '''a'', 43',
                             '''b'', 42', '''c'', 1'),
       make('k_array', 'id integer[]', 'id', '''{1,2}''', '''{1}''', '''{}''', '''{NULL}'''),
       make('k_bytea', 'id bytea', 'id', '''\x00''', '''''', '''\xff''', '''\x5c'''),
       make('k_interval', 'id interval', 'id', '''1 day''', '''-1 month 3 days''', '''2 hours''', '''1 year'''),
       make('k_long', 'id text', 'id', 'repeat(''x'', 100000)', 'repeat(''y'', 100000)', 'repeat(''z'', 99999)',
            '''a''');
SELECT setval('written', 1, false);
CALL ordcancel.cancel_batch('k_bigint', 'true', chunk => 1);
SELECT is(batch_outcome(), 'stopped: 2 canceled', 'a batch stops at the third order of four');
SELECT is((SELECT array_agg(id ORDER BY id) FROM k_bigint WHERE status = 'placed'), '{7,5000000000}',
          'they come in the order of their keys');
CALL ordcancel.resume_batch(last_batch());
SELECT is(batch_outcome(), 'done: 4 canceled', 'resumed it does the other two');
-- The same for each type, in a string that psql runs.
SELECT format('SELECT setval(''written'', 1, false)'),
       format('CALL ordcancel.cancel_batch(%L, ''true'', chunk => 1)', name),
       format('SELECT is(batch_outcome(), ''stopped: 2 canceled'', %L)', name || ': it stops at the third'),
       'CALL ordcancel.resume_batch(last_batch())',
       format('SELECT is(batch_outcome(), ''done: 4 canceled'', %L)', name || ': and is resumed there'),
       format('SELECT is((SELECT count(*) FROM %I), 4::bigint, %L)', name || '_cancellation',
              name || ': nothing is done twice')
FROM unnest('{k_uuid,k_text,k_caseless,k_upper,k_char,k_numeric,k_float,k_paint,k_code,k_two,k_reordered,k_array,'
            'k_bytea,k_interval,k_long}'::text[]) AS name \gexec

-- Keys and words that are longer than what an index holds.
CREATE TABLE long (id text PRIMARY KEY, status text);
INSERT INTO long SELECT (SELECT string_agg(md5(n::text || k::text), '' ORDER BY n) FROM generate_series(1, 83) AS n),
                        'shipped' FROM generate_series(1, 2) AS k;
INSERT INTO long SELECT 'status', string_agg(md5(n::text), '') FROM generate_series(1, 300) AS n;
INSERT INTO long VALUES ('placed', 'placed');
SELECT ordcancel.attach('long', 'status'),
       ordcancel.set_policy('long', canceled_status => 'canceled', requested_status => 'asked'),
       ordcancel.set_rule('long', 'placed', merchant => 'cancel'),
       ordcancel.set_rule('long', 'shipped',
                          hint => (SELECT string_agg(md5(n::text), '') FROM generate_series(1, 300) AS n));
CALL ordcancel.cancel_batch('long', 'true');
SELECT is(batch_outcome(), 'done: 1 canceled, 3 refused', 'long keys, statuses and hints');

-- -------------------------------------------------------------------- partitions

CREATE TABLE parts (region text, id integer, status text DEFAULT 'placed', note text, PRIMARY KEY (region, id))
    PARTITION BY LIST (region);
CREATE TABLE parts_north PARTITION OF parts FOR VALUES IN ('north') PARTITION BY RANGE (id);
CREATE TABLE parts_north_1 PARTITION OF parts_north FOR VALUES FROM (0) TO (10);
CREATE TABLE parts_north_2 PARTITION OF parts_north FOR VALUES FROM (10) TO (100);
CREATE TABLE parts_rest PARTITION OF parts DEFAULT;
INSERT INTO parts SELECT r, n FROM generate_series(1, 20) AS n, unnest('{north,south}'::text[]) AS r;
SELECT ordcancel.attach('parts', 'status'),
       ordcancel.set_policy('parts', canceled_status => 'canceled', requested_status => 'asked'),
       ordcancel.set_rule('parts', 'placed', merchant => 'cancel');
SELECT is(count_chosen('parts', 'parts.id <= 15'), 30::bigint, 'a partitioned table: a dry run');
CALL ordcancel.cancel_batch('parts', 'id <= 15', chunk => 7);
SELECT is(batch_outcome(), 'done: 30 canceled', 'the batch');
SELECT is((SELECT string_agg(format('%s %s', tableoid::regclass, n), ', ' ORDER BY tableoid::regclass::text)
           FROM (SELECT tableoid, count(*) AS n FROM parts WHERE status = 'canceled' GROUP BY 1) AS p),
          'parts_north_1 9, parts_north_2 6, parts_rest 15', 'in all partitions');

-- ------------------------------------------------------------ triggers of the user

CREATE TABLE orders (id integer PRIMARY KEY, status text DEFAULT 'placed', todo text, note text);
SELECT ordcancel.attach('orders', 'status'),
       ordcancel.set_policy('orders', canceled_status => 'canceled', requested_status => 'asked'),
       ordcancel.set_rule('orders', 'placed', merchant => 'cancel');
CREATE FUNCTION interfere() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    CASE NEW.todo
        WHEN 'raise' THEN RAISE 'not this one' USING ERRCODE = 'P0099';
        WHEN 'hold' THEN EXECUTE format('DECLARE c%s CURSOR WITH HOLD FOR SELECT current_user', NEW.id);
        WHEN 'cancel' THEN RAISE 'I am slow' USING ERRCODE = 'query_canceled';
        WHEN 'lock' THEN RAISE 'locked' USING ERRCODE = 'lock_not_available';
        WHEN 'next' THEN UPDATE orders SET note = 'by ' || NEW.id WHERE id = NEW.id + 1;
        WHEN 'back' THEN UPDATE orders SET note = 'by ' || NEW.id WHERE id = NEW.id - 1;
        ELSE
    END CASE;
    RETURN NEW;
END
$$;
CREATE FUNCTION vanish() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER interfere AFTER UPDATE OF status ON orders FOR EACH ROW WHEN (NEW.note IS DISTINCT FROM 'deferred')
    EXECUTE FUNCTION interfere();
CREATE CONSTRAINT TRIGGER interfere_later AFTER UPDATE OF status ON orders DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.note = 'deferred') EXECUTE FUNCTION interfere();
CREATE TRIGGER vanish BEFORE UPDATE ON orders FOR EACH ROW WHEN (OLD.todo = 'vanish') EXECUTE FUNCTION vanish();
CREATE FUNCTION prepare(from_id integer, VARIADIC todo text[]) RETURNS void LANGUAGE sql AS
    $$ INSERT INTO orders (id, todo, note) SELECT from_id + n - 1, nullif(split_part(t, ' ', 1), '-'),
          nullif(split_part(t, ' ', 2), '') FROM unnest(todo) WITH ORDINALITY AS u (t, n) $$;
-- A cursor WITH HOLD of its own is nobody's business but the session's: this
-- table is another's.
CREATE ROLE batch_tables_owner;
GRANT ALL ON orders TO PUBLIC;
ALTER TABLE orders OWNER TO batch_tables_owner;
SELECT prepare(1, '-', 'raise', '-', 'raise deferred', 'hold', 'hold deferred', 'cancel', 'lock', 'lock deferred',
               'vanish', '-', '-');
CALL ordcancel.cancel_batch('orders', 'true', actor => 'anna', chunk => 100);
SELECT is(batch_refusals(), '2 refused P0099, 4 refused P0099, 5 refused 42501, 6 refused 42501, 7 refused 57014, '
                     '8 refused 55P03, 9 refused 55P03, 10 refused 27000',
          'orders whose triggers fail are refused, at once or deferred');
SELECT is(batch_outcome(), 'done: 4 canceled, 8 refused', 'the others are done');
SELECT is((SELECT array_agg(id ORDER BY id) FROM orders WHERE status = 'canceled'), '{1,3,11,12}', 'just those');
SELECT is((SELECT count(*) FROM orders_cancellation) + (SELECT count(*) FROM orders_cancellation_event
                                                        WHERE actor = 'anna'), 8::bigint, 'with their records');
SELECT is((SELECT count(*) FROM pg_cursors WHERE is_holdable), 0::bigint, 'no cursor is left');
SELECT is((SELECT message FROM ordcancel.batch_refused WHERE order_key = '2' AND batch_id = last_batch()),
          'not this one', 'what the trigger said is listed');
UPDATE orders SET todo = NULL WHERE todo IS NOT NULL AND todo <> 'vanish';
CALL ordcancel.cancel_batch('orders', 'status = ''placed''');
SELECT is(batch_outcome(), 'done: 7 canceled, 1 refused', 'another batch does them when nothing fails any more');
-- Orders that the trigger of another one changes in the same chunk.
SELECT prepare(21, '-', 'next', '-', 'back', '-', 'next', 'raise');
CALL ordcancel.cancel_batch('orders', 'id BETWEEN 21 AND 30 AND note IS NULL', chunk => 7);
SELECT is(batch_outcome(), 'done: 5 canceled, 2 skipped',
          'after an error what another order''s trigger changes before is skipped');
SELECT prepare(41, '-', 'next', '-', 'back', '-', 'next', '-');
CALL ordcancel.cancel_batch('orders', 'id > 40 AND note IS NULL', chunk => 7);
SELECT is(batch_outcome(), 'done: 7 canceled', 'without one what it changes in the same chunk is done');
SELECT prepare(31, '-', 'next', '-', 'back', '-', 'next', 'raise');
CALL ordcancel.cancel_batch('orders', 'id BETWEEN 31 AND 40 AND note IS NULL', chunk => 1);
SELECT is(batch_outcome(), 'done: 5 canceled, 2 skipped', 'in another chunk too');
SELECT is((SELECT max(n) FROM (SELECT count(*) AS n FROM orders_cancellation_event GROUP BY order_id) AS e), 1::bigint,
          'nothing is done twice');
CALL ordcancel.cancel_batch('orders', 'status = ''canceled''');
SELECT is(batch_outcome(), 'done: 28 already', 'what is so already stays as it is');

-- Literals of a condition are read as its author's session has read them.
CREATE TABLE dated (id integer PRIMARY KEY, status text, due date);
INSERT INTO dated SELECT n, 'placed', CASE WHEN n < 5 THEN '2026-02-01'::date ELSE '2026-01-02'::date END
FROM generate_series(1, 20) AS n;
SELECT ordcancel.attach('dated', 'status'), ordcancel.set_policy('dated', canceled_status => 'canceled'),
       ordcancel.set_rule('dated', 'placed', merchant => 'cancel');
CREATE TRIGGER disk AFTER UPDATE ON dated FOR EACH ROW EXECUTE FUNCTION third_is_full();
SELECT setval('written', 1, false);
SET datestyle = 'ISO, DMY';
CALL ordcancel.cancel_batch('dated', $$due = '01/02/2026'$$, chunk => 1);
SET datestyle = 'ISO, MDY';
SELECT max(batch_id) AS dated FROM ordcancel.batch_progress \gset
CALL ordcancel.resume_batch(:dated);
SELECT is((SELECT array_agg(id ORDER BY id) FROM dated WHERE status = 'canceled'), '{1,2,3,4}',
          'also when it is resumed');
RESET datestyle;
SELECT * FROM finish();
