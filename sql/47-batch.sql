-- Canceling in bulk: the procedures, and the tables in which they record their
-- work. Only the extension's owner may read the tables; others use the views. A
-- dump omits the tables, since a batch refers to the orders at that time, but it
-- includes the sequence, since events refer to batch ids.

CREATE SEQUENCE ordcancel.batch_id_seq;
COMMENT ON SEQUENCE ordcancel.batch_id_seq IS 'ids of batches';
GRANT SELECT ON SEQUENCE ordcancel.batch_id_seq TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('ordcancel.batch_id_seq', '');

CREATE TABLE ordcancel.batch (
    batch_id bigint PRIMARY KEY DEFAULT pg_catalog.nextval('ordcancel.batch_id_seq'),
    orders regclass NOT NULL,
    condition text NOT NULL,
    reason text,
    note text,
    actor text,
    chunk integer NOT NULL,
    dry_run boolean NOT NULL,
    author name NOT NULL,
    search_path text NOT NULL,
    total bigint NOT NULL DEFAULT 0,
    last_key text,
    canceled bigint NOT NULL DEFAULT 0,
    in_progress bigint NOT NULL DEFAULT 0,
    requested bigint NOT NULL DEFAULT 0,
    already bigint NOT NULL DEFAULT 0,
    refused bigint NOT NULL DEFAULT 0,
    skipped bigint NOT NULL DEFAULT 0,
    waiting bigint NOT NULL DEFAULT 0,
    busy interval NOT NULL DEFAULT '0',
    started_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    ended timestamptz,
    error text,
    error_sqlstate text,
    date_style text NOT NULL,
    time_zone text NOT NULL
);
COMMENT ON TABLE ordcancel.batch IS 'batches of cancel_batch; see the view batch_progress';
COMMENT ON COLUMN ordcancel.batch.last_key IS 'key of the last order of the last chunk that was committed';
COMMENT ON COLUMN ordcancel.batch.busy IS 'time that its runs took up to the last chunk';

CREATE TABLE ordcancel.batch_group (
    batch_id bigint NOT NULL REFERENCES ordcancel.batch ON DELETE CASCADE,
    policy text,
    order_status text,
    outcome text NOT NULL,
    sqlstate text,
    hint text,
    example text,
    count bigint NOT NULL,
    UNIQUE NULLS NOT DISTINCT (batch_id, policy, order_status, outcome, sqlstate, hint)
);
-- Without a primary key, its updates would fail in a publication of all tables.
ALTER TABLE ordcancel.batch_group REPLICA IDENTITY FULL;
COMMENT ON TABLE ordcancel.batch_group IS 'how many orders of a batch went which way; see the view batch_summary';

-- No index on order_key: a key may exceed the maximum size of an index entry.
CREATE TABLE ordcancel.batch_order (
    batch_id bigint NOT NULL REFERENCES ordcancel.batch ON DELETE CASCADE,
    number bigint GENERATED ALWAYS AS IDENTITY,
    order_key text NOT NULL,
    outcome text NOT NULL,
    sqlstate text,
    message text,
    PRIMARY KEY (batch_id, number)
);
COMMENT ON TABLE ordcancel.batch_order IS 'orders of a batch that were refused, or are waited for; see the view batch_refused';
COMMENT ON SEQUENCE ordcancel.batch_order_number_seq IS 'numbers of the rows of batch_order';
CREATE INDEX ON ordcancel.batch_order (batch_id, number) WHERE outcome = 'waiting';

-- A batch is resumed by its author and evaluates the condition with the author's
-- privileges, so nobody else may write these tables.
CREATE TRIGGER guard_config BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON ordcancel.batch
    FOR EACH STATEMENT EXECUTE FUNCTION ordcancel_internal.guard_config();
CREATE TRIGGER guard_config BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON ordcancel.batch_group
    FOR EACH STATEMENT EXECUTE FUNCTION ordcancel_internal.guard_config();
CREATE TRIGGER guard_config BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON ordcancel.batch_order
    FOR EACH STATEMENT EXECUTE FUNCTION ordcancel_internal.guard_config();
ALTER TABLE ordcancel.batch ENABLE ALWAYS TRIGGER guard_config;
ALTER TABLE ordcancel.batch_group ENABLE ALWAYS TRIGGER guard_config;
ALTER TABLE ordcancel.batch_order ENABLE ALWAYS TRIGGER guard_config;

-- security_barrier, because otherwise a cheap function of the caller could see
-- hidden rows. Batches of other roles are visible with SELECT on the order
-- table; keys and messages, which identify single orders, only without
-- row-level security.
CREATE VIEW ordcancel.batch_progress WITH (security_barrier) AS
SELECT b.batch_id, b.orders,
       CASE WHEN b.ended IS NOT NULL AND b.error IS NULL THEN 'done'
            WHEN EXISTS (SELECT FROM pg_catalog.pg_locks AS l
                         WHERE l.locktype = 'object' AND l.classid = 'ordcancel.batch'::pg_catalog.regclass
                           AND l.objid::bigint = b.batch_id % 4294967296 AND l.granted
                           AND l.mode = 'ExclusiveLock'
                           AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d
                                             WHERE d.datname = pg_catalog.current_database()))
                THEN 'running'
            WHEN b.ended IS NOT NULL THEN 'stopped'
            ELSE 'interrupted' END AS state,
       b.total, n.done,
       CASE WHEN b.total > 0 THEN pg_catalog.trunc(100.0 * n.done / b.total, 1) END AS percent,
       b.canceled, b.in_progress, b.requested, b.already, b.refused, b.skipped, b.waiting,
       pg_catalog.round(n.rate) AS rate,
       CASE WHEN n.rate > 0 AND b.ended IS NULL
            THEN pg_catalog.make_interval(secs => pg_catalog.round((b.total - n.done) / n.rate)::double precision) END AS time_left,
       b.started_at, b.updated_at, b.ended AS finished_at, b.error, b.error_sqlstate,
       CASE WHEN n.is_own THEN b.condition END AS condition, b.reason,
       CASE WHEN n.is_own THEN b.note END AS note, CASE WHEN n.is_own THEN b.actor END AS actor,
       b.chunk, b.dry_run, b.author
FROM ordcancel.batch AS b
    CROSS JOIN LATERAL (
        SELECT d.done, d.done / nullif(extract(epoch FROM b.busy), 0) AS rate,
               EXISTS (SELECT FROM pg_catalog.pg_roles AS r
                       WHERE (r.rolname = b.author
                              OR r.oid = (SELECT c.relowner FROM pg_catalog.pg_class AS c WHERE c.oid = b.orders))
                         AND pg_catalog.pg_has_role(r.oid, 'USAGE')) AS is_own
        FROM (SELECT b.canceled + b.in_progress + b.requested + b.already + b.refused + b.skipped AS done) AS d
    ) AS n
WHERE pg_catalog.has_table_privilege(b.orders, 'SELECT');
COMMENT ON VIEW ordcancel.batch_progress IS 'batches, how far they are, orders per second and time left: state is running, done, stopped (by an error or a cancel) or interrupted (by a crash); condition, note and actor only for its author and the owner of the orders';

CREATE VIEW ordcancel.batch_summary WITH (security_barrier) AS
SELECT g.batch_id, g.policy, g.order_status, g.outcome, g.sqlstate, g.count, g.hint,
       CASE WHEN NOT pg_catalog.row_security_active(b.orders::pg_catalog.oid) THEN g.example END AS example
FROM ordcancel.batch_group AS g
    JOIN ordcancel.batch AS b USING (batch_id)
WHERE pg_catalog.has_table_privilege(b.orders, 'SELECT');
COMMENT ON VIEW ordcancel.batch_summary IS 'what became of the orders of a batch, or would become in a dry run, by policy and status';

CREATE VIEW ordcancel.batch_refused WITH (security_barrier) AS
SELECT o.batch_id, b.orders, o.order_key, o.outcome, o.sqlstate, o.message
FROM ordcancel.batch_order AS o
    JOIN ordcancel.batch AS b USING (batch_id)
WHERE pg_catalog.has_table_privilege(b.orders, 'SELECT')
  AND NOT pg_catalog.row_security_active(b.orders::pg_catalog.oid);
COMMENT ON VIEW ordcancel.batch_refused IS 'orders of a batch that were refused, and why, or that are still waited for';

GRANT SELECT ON ordcancel.batch_progress, ordcancel.batch_summary, ordcancel.batch_refused TO PUBLIC;

-- Cancels every order that meets a condition, as cancel_order would, in chunks
-- that are committed separately. Waits for locked orders at the end, each for at
-- most lock_timeout; then they are refused with 55P03.
--   orders     the attached order table
--   condition  SQL over the order row, with the caller's privileges; evaluated
--              again for an order that has changed before it is processed
--   reason, note, actor   as of cancel_order
--   chunk      orders per transaction, 1 to 100,000
--   dry_run    reports the outcomes and refusals without locks or changes; see
--              batch_summary
-- Reports progress in NOTICEs, and for other sessions in batch_progress. Refused
-- orders are listed in batch_refused. Raises OC001, OC006 (the reason or note is
-- not valid for any order), OC014, 22023, 25001, 25006, 42704 (the extension was
-- dropped while it ran).
CREATE PROCEDURE ordcancel.cancel_batch(
    orders regclass, condition text, reason text DEFAULT NULL, note text DEFAULT NULL, actor text DEFAULT NULL,
    chunk integer DEFAULT 1000, dry_run boolean DEFAULT false)
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_cancel_batch';
COMMENT ON PROCEDURE ordcancel.cancel_batch(regclass, text, text, text, text, integer, boolean) IS 'cancels all orders that meet a condition, chunk by chunk';

-- Continues a batch that was stopped by an error, a cancel or a crash, without
-- repeating committed orders. Only for the role that started it. Raises 22004,
-- 25001, 25006, 42501, 42704, 55006 (it is running), OC001.
CREATE PROCEDURE ordcancel.resume_batch(batch_id bigint)
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_resume_batch';
COMMENT ON PROCEDURE ordcancel.resume_batch(bigint) IS 'goes on with a batch where it stopped';
