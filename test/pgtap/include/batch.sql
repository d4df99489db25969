-- What the tests of cancel_batch share. They run outside of a transaction, as
-- a batch commits, so an error of a CALL of theirs is asked for afterwards.
SET client_min_messages = error;
\set ON_ERROR_STOP off
\set ON_ERROR_ROLLBACK off
\set SHOW_CONTEXT never

-- psql's variables have no type.
CREATE FUNCTION is_text(have text, want text, what text) RETURNS text LANGUAGE sql AS 'SELECT is(have, want, what)';

-- The newest batch: "done: 7 canceled, 1 refused".
CREATE FUNCTION batch_outcome() RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(': ', b.state,
                 nullif(concat_ws(', ', nullif(b.canceled, 0) || ' canceled',
                                  nullif(b.in_progress, 0) || ' in progress', nullif(b.requested, 0) || ' requested',
                                                 nullif(b.already, 0) || ' already', nullif(b.refused, 0) || ' refused',
                                  nullif(b.skipped, 0) || ' skipped',
                                                 nullif(b.waiting, 0) || ' waiting'), ''))
FROM ordcancel.batch_progress AS b ORDER BY b.batch_id DESC LIMIT 1
$$;
CREATE FUNCTION last_batch() RETURNS bigint LANGUAGE sql AS 'SELECT max(batch_id) FROM ordcancel.batch_progress';
CREATE FUNCTION batch_refusals() RETURNS text LANGUAGE sql AS $$
SELECT string_agg(concat_ws(' ', order_key, outcome, sqlstate), ', ' ORDER BY length(order_key), order_key)
FROM ordcancel.batch_refused WHERE batch_id = last_batch()
$$;
-- How many orders a condition means, by a dry run.
CREATE FUNCTION count_chosen(orders regclass, condition text) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    CALL ordcancel.cancel_batch(orders, condition, dry_run => true);
    RETURN (SELECT b.total FROM ordcancel.batch_progress AS b WHERE b.batch_id = last_batch());
END
$$;

-- Orders in this table's stead stop a batch: a full disk is none of theirs.
CREATE TABLE full_disk (key text);
CREATE FUNCTION write_to_disk() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF EXISTS (SELECT FROM public.full_disk AS f WHERE f.key = to_jsonb(NEW)->>TG_ARGV[0]) THEN
        RAISE 'the disk is full' USING ERRCODE = '53100';
    END IF;
    RETURN NULL;
END
$$;
