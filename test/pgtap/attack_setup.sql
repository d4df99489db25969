-- What an owner of an order table cannot do with the setup of it, nor a
-- customer with settings.
BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql

CREATE ROLE setup_owner;
CREATE ROLE setup_customer;
CREATE ROLE setup_former;
SELECT ordcancel.grant_owner('setup_owner'), ordcancel.grant_customer('setup_customer');
CREATE SCHEMA own AUTHORIZATION setup_owner;
GRANT USAGE ON SCHEMA own TO setup_customer;

-- ------------------------------------------------------- the setup as text

SET LOCAL ROLE setup_owner;
CREATE TABLE own."o
ALTER ROLE setup_owner SUPERUSER;
\! touch /tmp/pwned
--' ; "";" (id integer PRIMARY KEY, status text, "a
b" text);
SELECT oid::regclass AS odd FROM pg_class WHERE relname ~ 'SUPERUSER' AND relkind = 'r' \gset
SELECT ordcancel.attach(:'odd', 'status', policy_by => E'a\nb');
SELECT ordcancel.set_policy(:'odd', canceled_status => E'c''\n\\! x', policy => p, copy_of => NULL)
FROM unnest(ARRAY['default', E'p''\n\\! x']) AS p;
SELECT ordcancel.set_rule(:'odd', E's\n--', merchant => 'cancel', hint => E'h''\n\\');
SELECT ordcancel.add_block(:'odd', E'b\n', E'status = ''a''\n-- c', hint => E'\n');
RESET ROLE;
SELECT ordcancel.export_setup(:'odd') AS setup \gset
-- What is left when all that is quoted is gone.
SELECT is((SELECT string_agg(DISTINCT m[1], ' ')
           FROM regexp_matches(regexp_replace(regexp_replace(:'setup', 'E?''(''''|\\.|[^''\\])*''', '', 'g'),
                                              '"(""|[^"])*"', '', 'g'),
                                                                    '(ALTER|\\|touch|;;)', 'g') AS m), NULL,
          'no name stands outside of quotes');
SELECT is(attempt(:'setup'), 'ok', 'it can be run');
SELECT is((SELECT rolsuper FROM pg_roles WHERE rolname = 'setup_owner'), false, 'and does no more');

-- ------------------------------------- a registration that names a table of theirs

-- As it arrives by replication, or with a shop that was moved: by names.
SET LOCAL ROLE setup_owner;
CREATE TABLE own.n (id bigint PRIMARY KEY, status text);
INSERT INTO own.n VALUES (1, 'placed'), (2, 'placed');
SELECT ordcancel.attach('own.n', 'status'), ordcancel.set_policy('own.n', canceled_status => 'canceled'),
       ordcancel.set_rule('own.n', 'placed', merchant => 'cancel');
RESET ROLE;
DROP TABLE own.n_cancellation, own.n_cancellation_event;
-- Its value stays when the call fails.
CREATE SEQUENCE ran_as_another;
GRANT USAGE ON SEQUENCE ran_as_another TO PUBLIC;
SELECT ordcancel.grant_merchant('setup_owner');
SET LOCAL ROLE setup_owner;
CREATE FUNCTION own.say(what text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF current_user <> 'setup_owner' THEN
        PERFORM nextval('public.ran_as_another');
    END IF;
    RETURN true;
END
$$;
CREATE FUNCTION own.fired() RETURNS trigger LANGUAGE plpgsql
    AS 'BEGIN PERFORM own.say(TG_RELID::regclass::text); RETURN NEW; END';
RESET ROLE;
CREATE TABLE own.n_cancellation (LIKE ordcancel.cancellation INCLUDING INDEXES,
                                 order_id integer CHECK (own.say(order_id::text)));
CREATE TABLE own.n_cancellation_event (LIKE ordcancel.event INCLUDING INDEXES,
                                       order_id integer CHECK (own.say(order_id::text)));
ALTER TABLE own.n_cancellation OWNER TO setup_owner;
ALTER TABLE own.n_cancellation_event OWNER TO setup_owner;
SET LOCAL ROLE setup_owner;
INSERT INTO own.n_cancellation (cancellation_id, order_key, state, requested_by, policy, requested_at, scope,
                                order_id)
VALUES (1, '1', 'canceled', 'merchant', 'default', now(), 'order', 1);
CREATE TRIGGER fired BEFORE INSERT ON own.n_cancellation FOR EACH ROW EXECUTE FUNCTION own.fired();
CREATE TRIGGER fired BEFORE INSERT ON own.n_cancellation_event FOR EACH ROW EXECUTE FUNCTION own.fired();
RESET ROLE;
UPDATE ordcancel.order_table
SET cancellation_table = 'own.n_cancellation'::regclass, event_table = 'own.n_cancellation_event'::regclass
WHERE orders = 'own.n'::regclass;
SELECT setval('ran_as_another', 1);
SET LOCAL ROLE setup_owner;
SELECT is(error_of($$SELECT ordcancel.cancel_order('own.n', 2)$$, 'sqlstate'), 'OC014', 'is not written by a call');
SELECT is(error_of($$UPDATE own.n SET status = 'canceled' WHERE id = 2$$, 'sqlstate'), 'OC014', 'nor by an UPDATE');
SELECT is(error_of($$SELECT ordcancel.attach('own.n')$$, 'sqlstate'), 'OC014', 'nor used by attach()');
RESET ROLE;
SELECT is(error_of($$SELECT ordcancel.attach('own.n')$$, 'sqlstate'), 'OC014', 'whoever calls it');
SELECT is((SELECT last_value FROM ran_as_another), 1::bigint, 'none of its code runs as another role');

-- -------------------------------------------------------- where records are

CREATE SCHEMA audit;
CREATE TABLE own.orders (id integer PRIMARY KEY, status text, day date, placed timestamptz);
INSERT INTO own.orders VALUES (1, 'placed', '2026-12-24', '2026-12-24 00:00+00'),
    (2, 'placed', '2026-12-25', '2026-12-25 00:00+00');
SELECT ordcancel.attach('own.orders', 'status', record_schema => 'audit');
SELECT ordcancel.set_policy('own.orders', canceled_status => 'canceled'),
       ordcancel.set_rule('own.orders', 'placed', customer => 'cancel', merchant => 'cancel');
ALTER TABLE own.orders OWNER TO setup_former;
SELECT ordcancel.attach('own.orders');
SELECT is(has_table_privilege('setup_former', 'audit.orders_cancellation', 'SELECT'), true,
          'the owner reads the records');
ALTER TABLE own.orders OWNER TO setup_owner;
GRANT CREATE ON DATABASE :"DBNAME" TO setup_owner;
SET LOCAL ROLE setup_owner;
SELECT is(attempt('CREATE SCHEMA bin'), 'ok', 'an owner has a schema of his own');
SELECT is(attempt('SELECT ordcancel.attach(''own.orders'', record_schema => ''bin'')'), 'OC014',
          'and cannot get the records into it');
SELECT is(attempt('SELECT ordcancel.attach(''own.orders'')'), 'ok', 'nor needs to');
RESET ROLE;
SELECT is(has_table_privilege('setup_former', 'audit.orders_cancellation', 'SELECT'), false,
          'a former owner reads them no more');
SELECT ordcancel.cancel_order('own.orders', 1);
SELECT ordcancel.detach('own.orders'), ordcancel.attach('own.orders', 'status');
SELECT is((SELECT cancellation_table::text FROM ordcancel.order_table WHERE orders = 'own.orders'::regclass),
          'audit.orders_cancellation', 'detached and attached again, it has its records');

-- ---------------------------------------------- no setting chooses a policy

SELECT ordcancel.attach('own.orders', policy_by => 'day');
SELECT ordcancel.set_policy('own.orders', canceled_status => 'canceled'),
       ordcancel.set_rule('own.orders', 'placed', customer => 'cancel', merchant => 'cancel');
SELECT ordcancel.set_policy('own.orders', policy => '2026-12-25'),
       ordcancel.set_rule('own.orders', 'placed', customer => 'forbid', policy => '2026-12-25');
GRANT SELECT, UPDATE ON own.orders TO setup_customer;
SET LOCAL ROLE setup_customer;
SELECT is(attempt('SELECT ordcancel.request_cancel(''own.orders'', 2)'), 'OC003', 'the policy of the day forbids');
SET LOCAL DateStyle = 'German';
SELECT is(attempt('SELECT ordcancel.request_cancel(''own.orders'', 2)'), 'OC003', 'whatever DateStyle says');
SELECT is(attempt('UPDATE own.orders SET status = ''canceled'' WHERE id = 2'), '23514 cancellation_forbidden',
          'for an update, too');
RESET ROLE;
SELECT is((SELECT policy FROM ordcancel.overview('own.orders') WHERE status = 'placed' AND orders_now = 1),
          '2026-12-25', 'and for overview');
RESET DateStyle;
SELECT ordcancel.attach('own.orders', policy_by => 'placed');
SELECT ordcancel.set_policy('own.orders', policy => '2026-12-25 00:00:00+00', copy_of => '2026-12-25');
SELECT ordcancel.attach('own.orders', unset => '{time_zone}') FROM set_config('TimeZone', 'UTC', true);
SET LOCAL ROLE setup_customer;
SET LOCAL TimeZone = 'Asia/Tokyo';
SELECT is(attempt('SELECT ordcancel.request_cancel(''own.orders'', 2)'), 'OC003', 'nor does the time zone');
RESET ROLE;

-- ---------------------------------------------------- an owner's own partitions

SET LOCAL ROLE setup_owner;
CREATE TABLE own.parts (id integer PRIMARY KEY, status text) PARTITION BY RANGE (id);
SELECT ordcancel.attach('own.parts', 'status'), ordcancel.set_policy('own.parts', canceled_status => 'canceled');
SELECT is(attempt('CREATE TABLE own.part1 PARTITION OF own.parts FOR VALUES FROM (1) TO (9)'), 'ok',
          'an owner adds partitions');
INSERT INTO own.parts VALUES (1, 'placed');
SELECT is(attempt('UPDATE own.parts SET status = ''canceled'''), '23514 cancellation_forbidden', 'which are guarded');
SELECT is(attempt('CREATE TRIGGER t AFTER UPDATE ON own.orders FOR EACH ROW EXECUTE FUNCTION '
                  'ordcancel_internal.guard_update()'), '42501', 'but makes no guard by himself');
RESET ROLE;

-- ------------------------------------------------------------------- labels

CREATE TYPE own.word AS ENUM ('placed', 'cancelled');
CREATE DOMAIN own.worded AS own.word;
CREATE TABLE own.enums (id integer PRIMARY KEY, status own.worded);
SELECT ordcancel.attach('own.enums', 'status'), ordcancel.set_policy('own.enums', canceled_status => 'cancelled'),
       ordcancel.set_rule('own.enums', 'placed', merchant => 'cancel');
ALTER TYPE own.word RENAME VALUE 'cancelled' TO 'canceled';
SELECT results_eq($$SELECT problem FROM ordcancel.health('own.enums')$$, ARRAY['status_problem'],
                  'a label under a domain that was renamed');
SELECT is(attempt($$SELECT ordcancel.set_policy('own.enums', canceled_status => 'cancelled')$$), 'OC014',
          'and is none any more');

SELECT * FROM finish();
ROLLBACK;
