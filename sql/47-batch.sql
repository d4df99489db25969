-- Canceling in bulk: the procedures, and the tables in which they record their
-- work. Only the extension's owner may read the tables; others use the views. A
-- dump omits the tables, since a batch refers to the orders at that time, but it
-- includes the sequence, since events refer to batch ids.

CREATE SEQUENCE ordcancel.batch_id_seq;
COMMENT ON SEQUENCE ordcancel.batch_id_seq IS 'numbers of batches';
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
    time_zone text NOT NULL,
    items regclass,
    metadata jsonb
);
COMMENT ON TABLE ordcancel.batch IS 'batches of cancel_batch(); the view batch_progress shows them';
COMMENT ON COLUMN ordcancel.batch.batch_id IS 'number of the batch';
COMMENT ON COLUMN ordcancel.batch.orders IS 'the order table';
COMMENT ON COLUMN ordcancel.batch.condition IS 'SQL condition of the call';
COMMENT ON COLUMN ordcancel.batch.reason IS 'reason of the call; NULL if none was given';
COMMENT ON COLUMN ordcancel.batch.note IS 'note of the call; NULL if none was given';
COMMENT ON COLUMN ordcancel.batch.actor IS 'actor of the cancellations';
COMMENT ON COLUMN ordcancel.batch.metadata IS 'metadata of the call; NULL if none was given';
COMMENT ON COLUMN ordcancel.batch.chunk IS 'orders per transaction';
COMMENT ON COLUMN ordcancel.batch.dry_run IS 'whether the batch only reports';
COMMENT ON COLUMN ordcancel.batch.author IS 'role that began the batch, which alone may resume it';
COMMENT ON COLUMN ordcancel.batch.search_path IS 'search_path with which the condition is read';
COMMENT ON COLUMN ordcancel.batch.total IS 'number of orders chosen';
COMMENT ON COLUMN ordcancel.batch.last_key IS
    'key of the last order of the last committed chunk; NULL before the first';
COMMENT ON COLUMN ordcancel.batch.canceled IS 'number of orders that were canceled';
COMMENT ON COLUMN ordcancel.batch.in_progress IS 'number of orders whose refunds are due';
COMMENT ON COLUMN ordcancel.batch.requested IS 'number of orders that were requested';
COMMENT ON COLUMN ordcancel.batch.already IS 'number of orders that were canceled or in progress before';
COMMENT ON COLUMN ordcancel.batch.refused IS 'number of orders that were refused';
COMMENT ON COLUMN ordcancel.batch.skipped IS 'number of orders for which the condition no longer held';
COMMENT ON COLUMN ordcancel.batch.waiting IS 'number of orders that were locked and are left for the end';
COMMENT ON COLUMN ordcancel.batch.busy IS 'time that its runs took, up to the last committed chunk';
COMMENT ON COLUMN ordcancel.batch.started_at IS 'time at which it began';
COMMENT ON COLUMN ordcancel.batch.updated_at IS 'time of the last committed chunk';
COMMENT ON COLUMN ordcancel.batch.ended IS
    'time at which it was done or stopped; NULL while it runs, or if it was interrupted';
COMMENT ON COLUMN ordcancel.batch.error IS 'message of the error that stopped it; NULL if none did';
COMMENT ON COLUMN ordcancel.batch.error_sqlstate IS 'SQLSTATE of that error; NULL if none stopped it';
COMMENT ON COLUMN ordcancel.batch.date_style IS 'DateStyle with which the condition is read';
COMMENT ON COLUMN ordcancel.batch.time_zone IS 'time zone with which the condition is read';
COMMENT ON COLUMN ordcancel.batch.items IS
    'table of items that the condition is over; NULL: it is over the orders';

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
COMMENT ON TABLE ordcancel.batch_group IS 'orders of a batch counted by outcome; the view batch_summary shows them';
COMMENT ON COLUMN ordcancel.batch_group.batch_id IS 'number of the batch';
COMMENT ON COLUMN ordcancel.batch_group.policy IS 'policy of the orders; NULL if they were not read';
COMMENT ON COLUMN ordcancel.batch_group.order_status IS
    'status of the orders before the batch; NULL if they were not read';
COMMENT ON COLUMN ordcancel.batch_group.outcome IS 'canceled, in_progress, requested, already, refused or skipped';
COMMENT ON COLUMN ordcancel.batch_group.sqlstate IS 'SQLSTATE of a refusal; NULL otherwise';
COMMENT ON COLUMN ordcancel.batch_group.hint IS 'HINT of a refusal; NULL if it has none';
COMMENT ON COLUMN ordcancel.batch_group.example IS 'message of the first refusal of the group; NULL otherwise';
COMMENT ON COLUMN ordcancel.batch_group.count IS 'number of orders';

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
COMMENT ON TABLE ordcancel.batch_order IS
    'orders of a batch that were refused or are waiting; the view batch_refused shows them';
COMMENT ON COLUMN ordcancel.batch_order.batch_id IS 'number of the batch';
COMMENT ON COLUMN ordcancel.batch_order.number IS 'number of the row, in the order in which they were written';
COMMENT ON COLUMN ordcancel.batch_order.order_key IS 'key of the order as text';
COMMENT ON COLUMN ordcancel.batch_order.outcome IS 'refused or waiting';
COMMENT ON COLUMN ordcancel.batch_order.sqlstate IS 'SQLSTATE of the refusal; NULL while it is waiting';
COMMENT ON COLUMN ordcancel.batch_order.message IS 'message of the refusal; NULL while it is waiting';
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
            THEN pg_catalog.make_interval(
                     secs => pg_catalog.round((b.total - n.done) / n.rate)::double precision) END AS time_left,
       b.started_at, b.updated_at, b.ended AS finished_at, b.error, b.error_sqlstate,
       CASE WHEN n.is_own THEN b.condition END AS condition, b.reason,
       CASE WHEN n.is_own THEN b.note END AS note, CASE WHEN n.is_own THEN b.actor END AS actor,
       b.chunk, b.dry_run, b.author, b.items
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
COMMENT ON VIEW ordcancel.batch_progress IS 'batches of cancel_batch(), how far they are, and their outcomes so far';
COMMENT ON COLUMN ordcancel.batch_progress.batch_id IS 'number of the batch';
COMMENT ON COLUMN ordcancel.batch_progress.orders IS 'the order table';
COMMENT ON COLUMN ordcancel.batch_progress.state IS
    'running; done; stopped (by an error or a cancel); interrupted (by a crash or a lost connection)';
COMMENT ON COLUMN ordcancel.batch_progress.total IS 'number of orders chosen';
COMMENT ON COLUMN ordcancel.batch_progress.done IS 'number of orders whose outcome is known';
COMMENT ON COLUMN ordcancel.batch_progress.percent IS 'share of them; NULL if no order was chosen';
COMMENT ON COLUMN ordcancel.batch_progress.canceled IS 'number of orders that were canceled';
COMMENT ON COLUMN ordcancel.batch_progress.in_progress IS 'number of orders whose refunds are due';
COMMENT ON COLUMN ordcancel.batch_progress.requested IS
    'number of orders that were requested, as their rule says request';
COMMENT ON COLUMN ordcancel.batch_progress.already IS 'number of orders that were canceled or in progress before';
COMMENT ON COLUMN ordcancel.batch_progress.refused IS 'number of orders that were refused';
COMMENT ON COLUMN ordcancel.batch_progress.skipped IS 'number of orders for which the condition no longer held';
COMMENT ON COLUMN ordcancel.batch_progress.waiting IS
    'number of orders that were locked and are left for the end; not part of done';
COMMENT ON COLUMN ordcancel.batch_progress.rate IS 'orders per second; NULL before the first chunk is done';
COMMENT ON COLUMN ordcancel.batch_progress.time_left IS
    'estimated time for the rest; NULL if unknown, or if the batch has ended';
COMMENT ON COLUMN ordcancel.batch_progress.started_at IS 'time at which it began';
COMMENT ON COLUMN ordcancel.batch_progress.updated_at IS 'time of the last committed chunk';
COMMENT ON COLUMN ordcancel.batch_progress.finished_at IS
    'time at which it was done or stopped; NULL while it runs, or if it was interrupted';
COMMENT ON COLUMN ordcancel.batch_progress.error IS 'message of the error that stopped it; NULL if none did';
COMMENT ON COLUMN ordcancel.batch_progress.error_sqlstate IS 'SQLSTATE of that error; NULL if none stopped it';
COMMENT ON COLUMN ordcancel.batch_progress.condition IS
    'SQL condition of the call; NULL unless the reader is its author or the owner of the orders';
COMMENT ON COLUMN ordcancel.batch_progress.reason IS 'reason of the call; NULL if none was given';
COMMENT ON COLUMN ordcancel.batch_progress.note IS
    'note of the call; NULL if none was given, and for readers who do not see condition';
COMMENT ON COLUMN ordcancel.batch_progress.actor IS
    'actor of the cancellations; NULL for readers who do not see condition';
COMMENT ON COLUMN ordcancel.batch_progress.chunk IS 'orders per transaction';
COMMENT ON COLUMN ordcancel.batch_progress.dry_run IS 'whether the batch only reports';
COMMENT ON COLUMN ordcancel.batch_progress.author IS 'role that began it, which alone may resume it';
COMMENT ON COLUMN ordcancel.batch_progress.items IS
    'table of items whose units it cancels; NULL: it cancels orders';

CREATE VIEW ordcancel.batch_summary WITH (security_barrier) AS
SELECT g.batch_id, g.policy, g.order_status, g.outcome, g.sqlstate, g.count, g.hint,
       CASE WHEN NOT pg_catalog.row_security_active(b.orders::pg_catalog.oid) THEN g.example END AS example
FROM ordcancel.batch_group AS g
    JOIN ordcancel.batch AS b USING (batch_id)
WHERE pg_catalog.has_table_privilege(b.orders, 'SELECT');
COMMENT ON VIEW ordcancel.batch_summary IS 'orders of a batch counted by policy, status and outcome';
COMMENT ON COLUMN ordcancel.batch_summary.batch_id IS 'number of the batch';
COMMENT ON COLUMN ordcancel.batch_summary.policy IS
    'policy of the orders; NULL if they were not read, such as locked ones';
COMMENT ON COLUMN ordcancel.batch_summary.order_status IS
    'status of the orders before the batch; NULL if they were not read';
COMMENT ON COLUMN ordcancel.batch_summary.outcome IS 'canceled, in_progress, requested, already, refused or skipped';
COMMENT ON COLUMN ordcancel.batch_summary.sqlstate IS 'SQLSTATE of a refusal; NULL otherwise';
COMMENT ON COLUMN ordcancel.batch_summary.count IS 'number of orders';
COMMENT ON COLUMN ordcancel.batch_summary.hint IS 'HINT of a refusal; NULL if it has none';
COMMENT ON COLUMN ordcancel.batch_summary.example IS
    'message of the first refusal of the group; NULL otherwise, and where row security hides orders';

CREATE VIEW ordcancel.batch_refused WITH (security_barrier) AS
SELECT o.batch_id, b.orders, o.order_key, o.outcome, o.sqlstate, o.message
FROM ordcancel.batch_order AS o
    JOIN ordcancel.batch AS b USING (batch_id)
WHERE pg_catalog.has_table_privilege(b.orders, 'SELECT')
  AND NOT pg_catalog.row_security_active(b.orders::pg_catalog.oid);
COMMENT ON VIEW ordcancel.batch_refused IS 'orders of a batch that were refused, and why, or that are waiting';
COMMENT ON COLUMN ordcancel.batch_refused.batch_id IS 'number of the batch';
COMMENT ON COLUMN ordcancel.batch_refused.orders IS 'the order table';
COMMENT ON COLUMN ordcancel.batch_refused.order_key IS 'key of the order as text';
COMMENT ON COLUMN ordcancel.batch_refused.outcome IS 'refused or waiting';
COMMENT ON COLUMN ordcancel.batch_refused.sqlstate IS 'SQLSTATE of the refusal; NULL while it is waiting';
COMMENT ON COLUMN ordcancel.batch_refused.message IS 'message of the refusal; NULL while it is waiting';

GRANT SELECT ON ordcancel.batch_progress, ordcancel.batch_summary, ordcancel.batch_refused TO PUBLIC;

-- Cancels every order that meets a condition, as cancel_order would, in chunks
-- that are committed separately. Waits for locked orders at the end, each for at
-- most lock_timeout; then they are refused with 55P03.
--   orders     the attached order table, or the table of its items
--   condition  SQL over the order row, or the row of the item, with the caller's privileges; evaluated
--              again for a row that has changed before it is processed
--   reason, note, actor, metadata   as of cancel_order
--   chunk      orders per transaction, 1 to 100,000
--   dry_run    reports the outcomes and refusals without locks or changes; see
--              batch_summary
-- With a table of items, cancels what is left of the items that meet the
-- condition, as cancel_items would, each order's together; orders are counted.
-- Reports progress in NOTICEs, and for other sessions in batch_progress. Refused
-- orders are listed in batch_refused. Raises OC001, OC006 (the reason or note is
-- not valid for any order), OC014, 22023, 25001, 25006, 42704 (the extension was
-- dropped while it ran).
CREATE PROCEDURE ordcancel.cancel_batch(
    orders regclass, condition text, reason text DEFAULT NULL, note text DEFAULT NULL, actor text DEFAULT NULL,
    chunk integer DEFAULT 1000, dry_run boolean DEFAULT false, metadata jsonb DEFAULT NULL)
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_cancel_batch';
COMMENT ON PROCEDURE ordcancel.cancel_batch(regclass, text, text, text, text, integer, boolean, jsonb) IS
    E'cancels all orders that meet a condition, chunk by chunk, each in a transaction of its own\n'
    'Raises OC001, OC006, OC014, 22001, 22023, 25001, 25006, 42501, 42704.';

-- Continues a batch that was stopped by an error, a cancel or a crash, without
-- repeating committed orders. Only for the role that started it. Raises 22004,
-- 25001, 25006, 42501, 42704, 55006 (it is running), OC001.
CREATE PROCEDURE ordcancel.resume_batch(batch_id bigint)
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_resume_batch';
COMMENT ON PROCEDURE ordcancel.resume_batch(bigint) IS
    E'continues a batch that was stopped or interrupted\n'
    'Raises OC001, OC014, 22004, 25001, 25006, 42501, 42704, 55006.';
