-- Who may call cancel_batch, on which orders, with whose rights each of its
-- parts runs, and what others see of a batch.
\ir include/batch.sql
SELECT plan(50);

CREATE ROLE batch_owner;
CREATE ROLE batch_dba;
CREATE ROLE batch_other;
CREATE ROLE batch_nobody;
CREATE ROLE batch_member IN ROLE batch_dba;
CREATE SCHEMA shop;
GRANT USAGE, CREATE ON SCHEMA shop, public TO batch_owner, batch_dba, batch_other, batch_nobody;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text DEFAULT 'placed', buyer text DEFAULT 'ann');
INSERT INTO shop.orders (id) SELECT generate_series(1, 100);
ALTER TABLE shop.orders OWNER TO batch_owner;
SELECT ordcancel.attach('shop.orders', 'status'),
       ordcancel.set_policy('shop.orders', canceled_status => 'canceled', requested_status => 'asked'),
       ordcancel.set_rule('shop.orders', 'placed', merchant => 'cancel'),
       ordcancel.set_rule('shop.orders', 'shipped', hint => 'too late');
CREATE TRIGGER disk AFTER UPDATE ON shop.orders FOR EACH ROW EXECUTE FUNCTION write_to_disk('id');
GRANT ALL ON full_disk TO PUBLIC;

-- ------------------------------------------------------------------- who may call

SELECT is(has_function_privilege('batch_dba', p.oid, 'EXECUTE'), false,
          'not granted to PUBLIC: ' || p.oid::regprocedure)
FROM pg_proc AS p WHERE p.pronamespace = 'ordcancel'::regnamespace AND p.proname IN ('cancel_batch', 'resume_batch');
SELECT is(bool_or(has_table_privilege('batch_dba', c.oid, p)), false, 'nor is anything on ' || c.relname)
FROM pg_class AS c, unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}'::text[]) AS p
WHERE c.relnamespace = 'ordcancel'::regnamespace AND c.relname IN ('batch', 'batch_group', 'batch_order')
GROUP BY c.relname;
SELECT is(bool_or(has_sequence_privilege('batch_dba', c.oid, p)), false, 'nor on ' || c.relname)
FROM pg_class AS c, unnest('{USAGE,UPDATE}'::text[]) AS p
WHERE c.relnamespace = 'ordcancel'::regnamespace AND c.relname LIKE 'batch%seq' GROUP BY c.relname;
SELECT ordcancel.grant_merchant('batch_nobody');
SET ROLE batch_nobody;
CALL ordcancel.cancel_batch('shop.orders', 'true');
SELECT is_text(:'SQLSTATE', '42501', 'nor is it a merchant''s: cancel_batch');
CALL ordcancel.cancel_batch('shop.orders', 'true', dry_run => true);
SELECT is_text(:'SQLSTATE', '42501', 'a dry run');
CALL ordcancel.resume_batch(1);
SELECT is_text(:'SQLSTATE', '42501', 'resume_batch');
RESET ROLE;
GRANT EXECUTE ON PROCEDURE ordcancel.cancel_batch, ordcancel.resume_batch TO batch_dba, batch_other, batch_owner;
SET ROLE batch_dba;
CALL ordcancel.cancel_batch('shop.orders', 'true');
SELECT is_text(:'SQLSTATE', '42501', 'EXECUTE without SELECT on the orders');
RESET ROLE;
GRANT SELECT ON shop.orders TO batch_dba, batch_member;
SET ROLE batch_dba;
CALL ordcancel.cancel_batch('shop.orders', 'id <= 5');
SELECT is(batch_outcome(), 'done: 5 canceled', 'with both, and no other right');
RESET ROLE;
SELECT is((SELECT concat_ws('|', c.requested_actor, e.session_role) FROM shop.orders_cancellation AS c
               JOIN shop.orders_cancellation_event AS e USING (cancellation_id) WHERE c.order_id = 5),
          'batch_dba|postgres', 'who it was is recorded');

-- --------------------------------------------- with whose rights the condition runs

CREATE TABLE shop.secrets (id integer);
INSERT INTO shop.secrets VALUES (11);
ALTER TABLE shop.secrets OWNER TO batch_owner;
CREATE TABLE shop.seen (who text, session text, path text, definer boolean);
GRANT INSERT, SELECT ON shop.seen TO PUBLIC;
CREATE FUNCTION shop.look(id integer) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO shop.seen VALUES (current_user, session_user, current_setting('search_path'),
                                  current_setting('is_superuser') = 'on');
    RETURN true;
END
$$;
-- The trigger of one order changes the next, about which the condition is then asked again.
CREATE FUNCTION shop.touch_next() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE shop.orders SET buyer = buyer WHERE id = NEW.id + 1;
    RETURN NULL;
END
$$;
CREATE TRIGGER touch_next AFTER UPDATE OF status ON shop.orders FOR EACH ROW WHEN (NEW.id % 10 = 1)
    EXECUTE FUNCTION shop.touch_next();
SET ROLE batch_dba;
CALL ordcancel.cancel_batch('shop.orders', 'EXISTS (SELECT FROM shop.secrets AS s WHERE s.id = orders.id)');
SELECT is_text(:'SQLSTATE', '42501', 'what the owner may read the condition may not');
CALL ordcancel.cancel_batch('shop.orders', 'EXISTS (SELECT FROM shop.secrets AS s WHERE s.id = orders.id)',
                            dry_run => true);
SELECT is_text(:'SQLSTATE', '42501', 'nor in a dry run');
CALL ordcancel.cancel_batch('shop.orders', 'EXISTS (SELECT FROM ordcancel.batch)');
SELECT is_text(:'SQLSTATE', '42501', 'nor what the owner of the extension may');
SET search_path = shop, public;
CALL ordcancel.cancel_batch('shop.orders', 'id BETWEEN 11 AND 12 AND look(id)', chunk => 1);
RESET search_path;
SELECT is(batch_outcome(), 'done: 2 canceled', 'an order that has changed is asked about again');
SELECT is((SELECT array_agg(DISTINCT concat_ws('|', who, session, path, definer)) FROM shop.seen),
          '{"batch_dba|postgres|shop, public|f"}', 'each time the condition is its author''s');
SELECT is((SELECT count(*) FROM shop.seen), 3::bigint, 'three times');
CREATE FUNCTION shop.climb(id integer) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('role', 'batch_owner', false);
    RETURN true;
END
$$;
CALL ordcancel.cancel_batch('shop.orders', 'id = 13 AND shop.climb(id)');
SELECT is_text(:'SQLSTATE', '42501', 'it cannot become another role');
SELECT is(current_user::text, 'batch_dba', 'and nobody else has');
RESET ROLE;
-- The owner's code in turn has not the author's rights, and leaves it no settings.
CREATE TABLE shop.private (id integer);
ALTER TABLE shop.private OWNER TO batch_dba;
CREATE FUNCTION shop.pry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('search_path', 'nowhere', false);
    IF NEW.id = 16 THEN
        EXECUTE 'SELECT FROM shop.private';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER pry AFTER UPDATE OF status ON shop.orders FOR EACH ROW EXECUTE FUNCTION shop.pry();
SET ROLE batch_dba;
CALL ordcancel.cancel_batch('shop.orders', 'id BETWEEN 15 AND 16');
SELECT is(batch_refusals(), '16 refused 42501', 'a trigger of the orders'' runs with the owner''s rights');
SELECT is(current_setting('search_path'), '"$user", public', 'and leaves no settings behind');
RESET ROLE;
DROP TRIGGER pry ON shop.orders;

-- ------------------------------------------------------------------ who may resume

INSERT INTO full_disk VALUES ('24');
SET ROLE batch_dba;
CALL ordcancel.cancel_batch('shop.orders', 'id BETWEEN 20 AND 30', chunk => 2);
SELECT is(batch_outcome(), 'stopped: 4 canceled', 'a batch that has stopped');
SELECT last_batch() AS stopped \gset
RESET ROLE;
DELETE FROM full_disk;
GRANT SELECT ON shop.orders TO batch_other;
SET ROLE batch_other;
CALL ordcancel.resume_batch(:stopped);
SELECT is_text(:'SQLSTATE', '42501', 'another role cannot resume it');
RESET ROLE;
SET ROLE batch_owner;
CALL ordcancel.resume_batch(:stopped);
SELECT is_text(:'SQLSTATE', '42501', 'nor the owner of the orders');
RESET ROLE;
CALL ordcancel.resume_batch(:stopped);
SELECT is_text(:'SQLSTATE', '42501', 'nor a superuser');
SELECT is(batch_outcome(), 'stopped: 4 canceled', 'none of them has done anything');
REVOKE SELECT ON shop.orders FROM batch_dba;
SET ROLE batch_dba;
CALL ordcancel.resume_batch(:stopped);
SELECT is_text(:'SQLSTATE', '42501', 'nor its author without SELECT');
RESET ROLE;
GRANT SELECT ON shop.orders TO batch_dba;
REVOKE EXECUTE ON PROCEDURE ordcancel.resume_batch FROM batch_dba;
SET ROLE batch_dba;
CALL ordcancel.resume_batch(:stopped);
SELECT is_text(:'SQLSTATE', '42501', 'or without EXECUTE');
RESET ROLE;
GRANT EXECUTE ON PROCEDURE ordcancel.resume_batch TO batch_dba;
SET ROLE batch_dba;
CALL ordcancel.resume_batch(:stopped);
RESET ROLE;
SELECT is(batch_outcome(), 'done: 11 canceled', 'its author can');

-- ---------------------------------------------------------------------- row security

CREATE FUNCTION seen_by(role name) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    EXECUTE format('SET LOCAL ROLE %I', role);
    result := concat_ws('|', (SELECT count(*) FROM ordcancel.batch_progress AS b
                              WHERE b.orders = 'shop.orders'::regclass),
                        (SELECT count(*) > 0 FROM ordcancel.batch_summary),
                        (SELECT bool_or(example IS NOT NULL) FROM ordcancel.batch_summary),
                        (SELECT count(*) FROM ordcancel.batch_refused));
    RESET ROLE;
    RETURN result;
END
$$;
CREATE FUNCTION leak(anyelement) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$
BEGIN
    PERFORM set_config('test.leaked', concat(current_setting('test.leaked', true), $1), false);
    RETURN true;
END
$$;
CREATE FUNCTION leaks_to(role name) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('test.leaked', '', false);
    EXECUTE format('SET LOCAL ROLE %I', role);
    PERFORM FROM ordcancel.batch_progress AS b WHERE leak(b.condition);
    PERFORM FROM ordcancel.batch_summary AS s WHERE leak(s.hint) AND leak(s.example);
    PERFORM FROM ordcancel.batch_refused AS r WHERE leak(r.message) AND leak(r.order_key);
    RESET ROLE;
    RETURN current_setting('test.leaked');
END
$$;
UPDATE shop.orders SET status = 'shipped' WHERE id = 40;
SET ROLE batch_dba;
CALL ordcancel.cancel_batch('shop.orders', 'id = 40');
RESET ROLE;
SELECT is(seen_by('batch_nobody'), '0|f|0', 'who may not read the orders sees no batch of theirs');
SELECT is(leaks_to('batch_nobody'), '', 'nor do functions in the query');
SELECT is(seen_by('batch_other'), (SELECT count(*) || '|t|t|2' FROM ordcancel.batch_progress),
          'who may read them sees all');
GRANT SELECT (id, status) ON shop.orders TO batch_nobody;
SELECT is(seen_by('batch_nobody'), '0|f|0', 'some columns are not enough');
ALTER TABLE shop.orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON shop.orders TO batch_dba, batch_other USING (buyer = current_user);
UPDATE shop.orders SET buyer = 'batch_dba' WHERE id BETWEEN 50 AND 59;
UPDATE shop.orders SET buyer = 'batch_other' WHERE id BETWEEN 60 AND 69;
SELECT is(seen_by('batch_other'), (SELECT count(*) || '|t|f|0' FROM ordcancel.batch_progress),
          'with row security not what names single orders');
SELECT unalike(leaks_to('batch_other'), '%order 40%', 'nor do functions in the query');
SET ROLE batch_dba;
CALL ordcancel.cancel_batch('shop.orders', 'id > 45', dry_run => true);
SELECT is(batch_outcome(), 'done: 10 canceled', 'a role''s batch is about the orders that it sees: the dry run');
CALL ordcancel.cancel_batch('shop.orders', 'id > 45', chunk => 3);
SELECT is(batch_outcome(), 'done: 10 canceled', 'the batch');
SET row_security = off;
CALL ordcancel.cancel_batch('shop.orders', 'id > 45');
SELECT is_text(:'SQLSTATE', '42501', 'row_security = off shows no more');
RESET row_security;
RESET ROLE;
SELECT is((SELECT array_agg(id ORDER BY id) FROM shop.orders WHERE status = 'canceled' AND id > 45),
          ARRAY(SELECT generate_series(50, 59)), 'nothing else is canceled');
-- Somebody else's before its turn: the trigger of order 61 changes order 62.
CREATE OR REPLACE FUNCTION shop.touch_next() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE shop.orders SET buyer = 'batch_dba' WHERE id = NEW.id + 1;
    RETURN NULL;
END
$$;
SET ROLE batch_other;
CALL ordcancel.cancel_batch('shop.orders', 'id <= 65', chunk => 1);
SELECT is(batch_outcome(), 'done: 5 canceled, 1 skipped', 'an order that becomes somebody else''s is left alone');
RESET ROLE;
SELECT is((SELECT status FROM shop.orders WHERE id = 62), 'placed', 'which is that one');
SET ROLE batch_owner;
SELECT is(count_chosen('shop.orders', 'id > 90'), 10::bigint, 'the owner sees all');
RESET ROLE;
ALTER TABLE shop.orders FORCE ROW LEVEL SECURITY;
CREATE POLICY owners ON shop.orders TO batch_owner USING (id > 95);
SET ROLE batch_owner;
SELECT is(count_chosen('shop.orders', 'id > 90'), 5::bigint, 'unless row security is forced on it');
CALL ordcancel.cancel_batch('shop.orders', 'id > 90');
RESET ROLE;
SELECT is((SELECT string_agg(id::text, ' ' ORDER BY id) FROM shop.orders WHERE status = 'canceled' AND id > 90),
          '96 97 98 99 100', 'nor does its batch go further');

-- ------------------------------------------------------------- roles and tables go

INSERT INTO full_disk VALUES ('98');
UPDATE shop.orders SET buyer = 'batch_member' WHERE id BETWEEN 80 AND 90;
CREATE POLICY members ON shop.orders TO batch_member USING (buyer = current_user);
GRANT EXECUTE ON PROCEDURE ordcancel.cancel_batch TO batch_member;
SET ROLE batch_member;
CALL ordcancel.cancel_batch('shop.orders', 'id BETWEEN 80 AND 84');
RESET ROLE;
SELECT last_batch() AS orphan \gset
DROP OWNED BY batch_member;
DROP ROLE batch_member;
SELECT is_text(batch_outcome(), 'done: 5 canceled', 'a batch whose author is dropped is still to be seen');
CALL ordcancel.resume_batch(:orphan);
SELECT is_text(:'SQLSTATE', '42501', 'not to be resumed');
SELECT ordcancel.detach('shop.orders');
SELECT isnt((SELECT count(*) FROM ordcancel.batch_progress), 0::bigint,
            'a batch of a table that is detached is still to be seen');
DROP TABLE shop.orders CASCADE;
SELECT is((SELECT count(*) FROM ordcancel.batch_progress) + (SELECT count(*) FROM ordcancel.batch_summary)
          + (SELECT count(*) FROM ordcancel.batch_refused), 0::bigint,
          'one of a table that is dropped is not, and no error');
SELECT * FROM finish();
DROP OWNED BY batch_owner, batch_dba, batch_other, batch_nobody;
DROP ROLE batch_owner, batch_dba, batch_other, batch_nobody;
