-- The configuration. Tables are read by position in C (src/order_table.c,
-- src/rules.c): columns are only ever appended. References to relations are
-- by name in a dump, never OIDs or numbers of columns; and there are no foreign keys between them, whose order a restore
-- would have to know.

-- A reference to a table as regclass is one, and cast to it as it stands; but
-- the name of a table that is not there becomes the OID 0, not an error: a
-- dump without one of the order tables has to restore the others.
CREATE TYPE ordcancel_internal.table_ref;
CREATE FUNCTION ordcancel_internal.table_ref_in(cstring) RETURNS ordcancel_internal.table_ref
    LANGUAGE c STABLE STRICT
    AS 'MODULE_PATHNAME', 'ordcancel_table_ref_in';
COMMENT ON FUNCTION ordcancel_internal.table_ref_in(cstring) IS 'input function of table_ref';
CREATE FUNCTION ordcancel_internal.table_ref_out(ordcancel_internal.table_ref) RETURNS cstring
    LANGUAGE internal STABLE STRICT
    AS 'regclassout';
COMMENT ON FUNCTION ordcancel_internal.table_ref_out(ordcancel_internal.table_ref) IS 'output function of table_ref';
CREATE TYPE ordcancel_internal.table_ref (
    INPUT = ordcancel_internal.table_ref_in, OUTPUT = ordcancel_internal.table_ref_out, LIKE = pg_catalog.oid);
COMMENT ON TYPE ordcancel_internal.table_ref IS 'a table, as regclass; 0 where it is not there';
CREATE CAST (ordcancel_internal.table_ref AS regclass) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (ordcancel_internal.table_ref AS oid) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (regclass AS ordcancel_internal.table_ref) WITHOUT FUNCTION AS ASSIGNMENT;
COMMENT ON CAST (ordcancel_internal.table_ref AS regclass) IS 'a reference is a regclass';
COMMENT ON CAST (ordcancel_internal.table_ref AS oid) IS 'as that of regclass, for comparing';
COMMENT ON CAST (regclass AS ordcancel_internal.table_ref) IS 'a regclass is a reference';

CREATE FUNCTION ordcancel_internal.config_changed() RETURNS trigger
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_config_changed';
COMMENT ON FUNCTION ordcancel_internal.config_changed() IS 'trigger: makes every session read the changed configuration again';

CREATE TABLE ordcancel.order_table (
    orders ordcancel_internal.table_ref PRIMARY KEY,
    status name NOT NULL,
    placed_at name,
    policy_by name,
    refund_due text,
    plain_updates boolean NOT NULL DEFAULT true,
    notify_channel text NOT NULL DEFAULT 'ordcancel',
    inherit boolean NOT NULL DEFAULT true,
    cancellation_table ordcancel_internal.table_ref NOT NULL,
    event_table ordcancel_internal.table_ref NOT NULL,
    key_columns name[] NOT NULL,
    search_path text NOT NULL,
    time_zone text NOT NULL,
    primary_key name[] NOT NULL,
    pinned_refund_due text,
    notify_payload text NOT NULL DEFAULT 'full' CHECK (notify_payload IN ('full', 'id')),
    refund_scale integer NOT NULL DEFAULT 2,
    refund_due_functions text
);
COMMENT ON TABLE ordcancel.order_table IS 'the attached order tables, as attach() was told';
COMMENT ON COLUMN ordcancel.order_table.status IS 'the column that holds the order''s status';
COMMENT ON COLUMN ordcancel.order_table.placed_at IS 'the column from which the customer''s window counts';
COMMENT ON COLUMN ordcancel.order_table.policy_by IS 'the column that names the order''s policy';
COMMENT ON COLUMN ordcancel.order_table.refund_due IS 'SQL expression over the order row: what has to be refunded when it is canceled';
COMMENT ON COLUMN ordcancel.order_table.plain_updates IS 'whether a plain UPDATE may cancel within the rules';
COMMENT ON COLUMN ordcancel.order_table.notify_channel IS 'the channel of NOTIFY';
COMMENT ON COLUMN ordcancel.order_table.inherit IS 'whether the record tables inherit from ordcancel.cancellation and ordcancel.event';
COMMENT ON COLUMN ordcancel.order_table.key_columns IS 'names of the order''s key in the record tables, in the order of the primary key';
COMMENT ON COLUMN ordcancel.order_table.primary_key IS 'columns of the order table''s primary key, which key_columns stand for';
COMMENT ON COLUMN ordcancel.order_table.search_path IS 'schemas on the search_path of the attach() call: functions in conditions, and triggers on the order table during our writes, run with it';
COMMENT ON COLUMN ordcancel.order_table.pinned_refund_due IS 'refund_due as it was understood: every name and cast written out';
COMMENT ON COLUMN ordcancel.order_table.refund_due_functions IS 'functions that pinned_refund_due calls, besides PostgreSQL''s own, one a line: it is refused when it comes to call others';
COMMENT ON COLUMN ordcancel.order_table.notify_payload IS 'what NOTIFY tells: full, or the event''s id alone';
COMMENT ON COLUMN ordcancel.order_table.refund_scale IS 'digits after the point that money has; refunds, and what is due, are rounded to it';
COMMENT ON COLUMN ordcancel.order_table.time_zone IS 'time zone of the attach() call: a placed_at without time zone is read in it, and expressions run in it';

CREATE TABLE ordcancel.policy (
    orders ordcancel_internal.table_ref,
    policy text DEFAULT 'default',
    grace interval,
    requested_status text,
    in_progress_status text,
    canceled_status text,
    customer_canceled_status text,
    on_progress text NOT NULL DEFAULT 'deny' CHECK (on_progress IN ('deny', 'hold')),
    decision_timeout interval,
    on_timeout text CHECK (on_timeout IN ('accept', 'deny')),
    undo text NOT NULL DEFAULT 'canceled' CHECK (undo IN ('never', 'requested', 'in_progress', 'canceled')),
    undo_window interval,
    reason_required boolean NOT NULL DEFAULT false,
    PRIMARY KEY (orders, policy)
);
-- Sessions look up by them what any policy calls a status, and read no policy
-- that none of their orders is under.
CREATE INDEX policy_requested_status ON ordcancel.policy (orders, requested_status COLLATE "C") WHERE requested_status IS NOT NULL;
CREATE INDEX policy_in_progress_status ON ordcancel.policy (orders, in_progress_status COLLATE "C") WHERE in_progress_status IS NOT NULL;
CREATE INDEX policy_canceled_status ON ordcancel.policy (orders, canceled_status COLLATE "C") WHERE canceled_status IS NOT NULL;
CREATE INDEX policy_customer_canceled_status ON ordcancel.policy (orders, customer_canceled_status COLLATE "C") WHERE customer_canceled_status IS NOT NULL;
COMMENT ON TABLE ordcancel.policy IS 'policies of an order table; "default" is for orders whose own policy has no row';
COMMENT ON COLUMN ordcancel.policy.grace IS 'the customer''s window, counted from placed_at, open at its very end; NULL: it never closes';
COMMENT ON COLUMN ordcancel.policy.requested_status IS 'status of the order while its cancellation is requested; NULL: it stays';
COMMENT ON COLUMN ordcancel.policy.in_progress_status IS 'status of the order while refunds are missing; NULL: it stays';
COMMENT ON COLUMN ordcancel.policy.canceled_status IS 'the final status';
COMMENT ON COLUMN ordcancel.policy.customer_canceled_status IS 'final status when the customer cancels directly; NULL: canceled_status';
COMMENT ON COLUMN ordcancel.policy.on_progress IS 'deny: an order that moves on denies its open request; hold: it may not move on';
COMMENT ON COLUMN ordcancel.policy.decision_timeout IS 'how long a request may stay unanswered; NULL: for ever';
COMMENT ON COLUMN ordcancel.policy.on_timeout IS 'what the system does then: accept or deny';
COMMENT ON COLUMN ordcancel.policy.undo IS 'how far undo_cancel may reach: never, requested, in_progress, canceled';
COMMENT ON COLUMN ordcancel.policy.undo_window IS 'for how long after it closed; NULL: no limit';
COMMENT ON COLUMN ordcancel.policy.reason_required IS 'whether every cancellation needs a reason';

CREATE TABLE ordcancel.rule (
    orders ordcancel_internal.table_ref,
    policy text DEFAULT 'default',
    status text,
    customer text NOT NULL DEFAULT 'forbid' CHECK (customer IN ('cancel', 'request', 'forbid')),
    customer_late text CHECK (customer_late IN ('cancel', 'request', 'forbid')),
    merchant text NOT NULL DEFAULT 'forbid' CHECK (merchant IN ('cancel', 'request', 'forbid')),
    deletable boolean NOT NULL DEFAULT false,
    hint text,
    PRIMARY KEY (orders, policy, status)
);
CREATE INDEX rule_deletable ON ordcancel.rule (orders, status COLLATE "C") WHERE deletable;
COMMENT ON TABLE ordcancel.rule IS 'what each party may do to an order in a status; a status without a rule forbids';
COMMENT ON COLUMN ordcancel.rule.customer IS 'cancel, request or forbid, within the window';
COMMENT ON COLUMN ordcancel.rule.customer_late IS 'the same after the window; NULL: as customer';
COMMENT ON COLUMN ordcancel.rule.merchant IS 'cancel, request (the second call confirms) or forbid';
COMMENT ON COLUMN ordcancel.rule.deletable IS 'whether the row may be deleted';
COMMENT ON COLUMN ordcancel.rule.hint IS 'said when the rule refuses';

CREATE TABLE ordcancel.block (
    orders ordcancel_internal.table_ref,
    name text,
    condition text NOT NULL,
    hint text,
    party text CHECK (party IN ('customer', 'merchant')),
    pinned text,
    functions text,
    PRIMARY KEY (orders, name)
);
COMMENT ON TABLE ordcancel.block IS 'conditions over the order row during which nobody can cancel or ask';
COMMENT ON COLUMN ordcancel.block.condition IS 'SQL over the order row; blocks while it is true';
COMMENT ON COLUMN ordcancel.block.pinned IS 'the condition as it was understood: every name and cast written out';
COMMENT ON COLUMN ordcancel.block.functions IS 'functions that pinned calls, besides PostgreSQL''s own, one a line: it is refused when it comes to call others';
COMMENT ON COLUMN ordcancel.block.party IS 'whom it stops; NULL: both';

CREATE TABLE ordcancel.child (
    child ordcancel_internal.table_ref PRIMARY KEY,
    orders ordcancel_internal.table_ref NOT NULL,
    key_columns name[] NOT NULL,
    refuse_requested boolean NOT NULL,
    refuse_in_progress boolean NOT NULL,
    refuse_canceled boolean NOT NULL
);
COMMENT ON TABLE ordcancel.child IS 'tables whose rows an order does not get while it is being canceled, see attach_child()';
COMMENT ON COLUMN ordcancel.child.key_columns IS 'the child''s columns that hold the order''s key, in the order of the primary key';
COMMENT ON COLUMN ordcancel.child.refuse_requested IS 'whether rows are refused while a cancellation is requested';
COMMENT ON COLUMN ordcancel.child.refuse_in_progress IS 'whether rows are refused while refunds are missing';
COMMENT ON COLUMN ordcancel.child.refuse_canceled IS 'whether rows are refused once the order is canceled';

CREATE TABLE ordcancel.reason (
    code text PRIMARY KEY CHECK (code <> '' AND length(code) <= 100),
    description text NOT NULL DEFAULT '',
    audience text NOT NULL DEFAULT 'any' CHECK (audience IN ('customer', 'merchant', 'system', 'any')),
    requires_note boolean NOT NULL DEFAULT false,
    requires_request boolean NOT NULL DEFAULT false,
    active boolean NOT NULL DEFAULT true,
    note_max integer NOT NULL DEFAULT 2000 CHECK (note_max BETWEEN 1 AND 2000),
    seeded boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE ordcancel.reason IS 'reasons for a cancellation; rows may be added, one in use cannot be deleted';
COMMENT ON COLUMN ordcancel.reason.audience IS 'who may give it: customer, merchant, system or any';
COMMENT ON COLUMN ordcancel.reason.requires_note IS 'whether a note has to come with it';
COMMENT ON COLUMN ordcancel.reason.requires_request IS 'usable only when the customer asked';
COMMENT ON COLUMN ordcancel.reason.note_max IS 'longest note with it, in characters';
COMMENT ON COLUMN ordcancel.reason.seeded IS 'came with the extension and was not changed since; such rows are not dumped';

CREATE TABLE ordcancel.refund_method (
    code text PRIMARY KEY CHECK (code <> ''),
    on_undo text NOT NULL DEFAULT 'nothing' CHECK (on_undo IN ('nothing', 'repay', 'recapture')),
    seeded boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE ordcancel.refund_method IS 'ways of refunding, and what each demands before an undo';
COMMENT ON COLUMN ordcancel.refund_method.on_undo IS 'nothing, repay (the customer pays again) or recapture (by the payment provider)';
COMMENT ON COLUMN ordcancel.refund_method.seeded IS 'came with the extension and was not changed since; such rows are not dumped';

-- Who may write the tables: ordcancel, which does it as the extension's owner;
-- superusers, as who a dump is restored and a subscription applied; and for the
-- reasons and refund methods, whoever was granted it. Not so a member of
-- pg_write_all_data: what stands here is run as the owners of the tables.
CREATE FUNCTION ordcancel_internal.guard_config() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF NOT pg_has_role((SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'USAGE')
       AND NOT EXISTS (SELECT FROM (SELECT relacl AS acl FROM pg_class WHERE oid = TG_RELID
                                    UNION ALL SELECT attacl FROM pg_attribute WHERE attrelid = TG_RELID) AS l,
                           aclexplode(l.acl) AS a
                       WHERE TG_TABLE_NAME IN ('reason', 'refund_method')
                         AND a.privilege_type = TG_OP
                         AND (a.grantee = 0 OR pg_has_role(a.grantee, 'USAGE'))) THEN
        RAISE EXCEPTION 'table "%" is written by ordcancel alone', TG_TABLE_NAME
            USING ERRCODE = 'check_violation', HINT = 'Call the functions of schema ordcancel.',
                  SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, CONSTRAINT = 'written_by_ordcancel';
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.guard_config() IS 'trigger: nobody but ordcancel writes the configuration';

-- What a dump says of a table that was not restored with it.
CREATE FUNCTION ordcancel_internal.skip_missing() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.skip_missing() IS 'trigger: leaves out the row of a table that is not there';

-- ENABLE ALWAYS: also in a subscription, or with session_replication_role.
DO $$
DECLARE
    config text;
BEGIN
    FOREACH config IN ARRAY ARRAY['order_table', 'policy', 'rule', 'block', 'child', 'reason', 'refund_method'] LOOP
        EXECUTE format('CREATE TRIGGER guard_config BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON ordcancel.%I'
                       ' FOR EACH STATEMENT EXECUTE FUNCTION ordcancel_internal.guard_config()', config);
        EXECUTE format('CREATE TRIGGER config_changed AFTER INSERT OR UPDATE OR DELETE ON ordcancel.%I'
                       ' FOR EACH ROW EXECUTE FUNCTION ordcancel_internal.config_changed()', config);
        EXECUTE format('CREATE TRIGGER config_truncated AFTER TRUNCATE ON ordcancel.%I'
                       ' FOR EACH STATEMENT EXECUTE FUNCTION ordcancel_internal.config_changed()', config);
        IF config NOT IN ('reason', 'refund_method') THEN
            EXECUTE format('CREATE TRIGGER skip_missing BEFORE INSERT ON ordcancel.%I FOR EACH ROW WHEN (%s)'
                           ' EXECUTE FUNCTION ordcancel_internal.skip_missing()', config,
                           CASE config WHEN 'order_table' THEN 'NEW.orders = 0 OR NEW.cancellation_table = 0 OR NEW.event_table = 0'
                                       WHEN 'child' THEN 'NEW.orders = 0 OR NEW.child = 0'
                                       ELSE 'NEW.orders = 0' END);
            EXECUTE format('ALTER TABLE ordcancel.%I ENABLE ALWAYS TRIGGER skip_missing', config);
        END IF;
        EXECUTE format('ALTER TABLE ordcancel.%1$I ENABLE ALWAYS TRIGGER guard_config,'
                       ' ENABLE ALWAYS TRIGGER config_changed, ENABLE ALWAYS TRIGGER config_truncated', config);
        EXECUTE format('GRANT SELECT ON ordcancel.%I TO PUBLIC', config);
    END LOOP;
END
$$;

SELECT pg_catalog.pg_extension_config_dump('ordcancel.order_table', '');
SELECT pg_catalog.pg_extension_config_dump('ordcancel.policy', '');
SELECT pg_catalog.pg_extension_config_dump('ordcancel.rule', '');
SELECT pg_catalog.pg_extension_config_dump('ordcancel.block', '');
SELECT pg_catalog.pg_extension_config_dump('ordcancel.child', '');
SELECT pg_catalog.pg_extension_config_dump('ordcancel.reason', 'WHERE NOT seeded');
SELECT pg_catalog.pg_extension_config_dump('ordcancel.refund_method', 'WHERE NOT seeded');

-- The seeds: research of what shops and marketplaces use.
INSERT INTO ordcancel.reason (code, description, audience, requires_note, note_max, seeded) VALUES
    ('customer_changed_mind', 'the customer no longer wants it', 'any', false, 2000, true),
    ('created_by_mistake', 'ordered by mistake, or twice', 'any', false, 2000, true),
    ('found_cheaper_price', 'the customer found it cheaper', 'customer', false, 2000, true),
    ('wont_arrive_in_time', 'it would arrive too late', 'customer', false, 2000, true),
    ('wrong_address_or_payment', 'wrong address, shipping or payment method', 'any', false, 2000, true),
    ('out_of_stock', 'sold out, or not found', 'merchant', false, 2000, true),
    ('pricing_error', 'the price was wrong', 'merchant', false, 2000, true),
    ('undeliverable_address', 'the address cannot be delivered to', 'merchant', false, 2000, true),
    ('defective_item', 'the item is damaged', 'merchant', false, 2000, true),
    ('fraud', 'suspicion of fraud', 'merchant', false, 2000, true),
    ('payment_declined', 'the payment was declined', 'merchant', false, 2000, true),
    ('staff_error', 'a mistake of the staff', 'merchant', false, 2000, true),
    ('unpaid_expired', 'not paid in time', 'system', false, 2000, true),
    ('request_timed_out', 'a request was not answered in time', 'system', false, 2000, true),
    ('ship_deadline_missed', 'not shipped in time', 'system', false, 2000, true),
    ('other', 'see the note', 'any', true, 255, true);

INSERT INTO ordcancel.refund_method (code, on_undo, seeded) VALUES
    ('card', 'recapture', true),
    ('wallet', 'recapture', true),
    ('bank_transfer', 'repay', true),
    ('points', 'nothing', true),
    ('store_credit', 'nothing', true),
    ('voucher', 'nothing', true),
    ('cash', 'nothing', true);

-- A dump carries the rows that are not seeds, or not any more; when it is
-- restored the seed of that code is there already, and gives way; also where
-- who adds a row may not delete one.
CREATE FUNCTION ordcancel_internal.seed_changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        EXECUTE format('DELETE FROM ordcancel.%I WHERE code = $1 AND seeded', TG_TABLE_NAME) USING NEW.code;
    END IF;
    NEW.seeded := false;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.seed_changed() IS 'trigger: a changed row is the user''s own, and replaces the seed of its code';

CREATE FUNCTION ordcancel_internal.reason_in_use() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    records regclass;
    used boolean;
BEGIN
    -- A seed that gives way to the user's own row of its code, or keeps its code.
    IF (TG_OP = 'DELETE' AND OLD.seeded AND pg_trigger_depth() > 1)
       OR (TG_OP = 'UPDATE' AND NEW.code = OLD.code) THEN
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    -- Record tables that do not inherit have to be asked one by one. The reason of
    -- a request that was accepted for another one stands in the event alone.
    FOR records IN
        VALUES ('ordcancel.cancellation'::regclass), ('ordcancel.event'::regclass)
        UNION ALL
        SELECT c.oid FROM ordcancel.order_table AS t JOIN pg_class AS c ON c.oid IN (t.cancellation_table, t.event_table)
        WHERE NOT t.inherit
        UNION ALL
        SELECT c.oid FROM ordcancel_internal.detached AS d JOIN pg_class AS c ON c.oid = d.records
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %s WHERE reason = $1)', records) INTO used USING OLD.code;
        IF used THEN
            RAISE EXCEPTION 'cancellation reason "%" is in use', OLD.code
                USING ERRCODE = 'foreign_key_violation',
                      DETAIL = 'Cancellations were made for it.',
                      HINT = 'Set it to active = false instead.',
                      SCHEMA = 'ordcancel', TABLE = 'reason', CONSTRAINT = 'reason_in_use';
        END IF;
    END LOOP;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.reason_in_use() IS 'trigger: refuses to delete or rename a reason that cancellations name';

-- With session_replication_role = replica the row that comes replaces the one
-- of its key: both sides of a subscription have the seeds, and a dump's data
-- meets those of the new database.
CREATE FUNCTION ordcancel_internal.make_way() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    -- After a restore with --disable-triggers it is enabled for all.
    IF current_setting('session_replication_role') <> 'replica' THEN
        RETURN NEW;
    END IF;
    EXECUTE format('DELETE FROM ordcancel.%I AS t WHERE %s', TG_TABLE_NAME,
                   (SELECT string_agg(format('t.%1$I = ($1).%1$I', a.attname), ' AND ')
                    FROM pg_index AS i JOIN pg_attribute AS a ON a.attrelid = TG_RELID AND a.attnum = ANY (i.indkey)
                    WHERE i.indrelid = TG_RELID AND i.indisprimary)) USING NEW;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.make_way() IS 'trigger: a row that is replicated or restored replaces the one of its key';
CREATE TRIGGER make_way BEFORE INSERT ON ordcancel.reason
    FOR EACH ROW EXECUTE FUNCTION ordcancel_internal.make_way();
CREATE TRIGGER make_way BEFORE INSERT ON ordcancel.refund_method
    FOR EACH ROW EXECUTE FUNCTION ordcancel_internal.make_way();
ALTER TABLE ordcancel.reason ENABLE REPLICA TRIGGER make_way;
ALTER TABLE ordcancel.refund_method ENABLE REPLICA TRIGGER make_way;

CREATE TRIGGER seed_changed BEFORE INSERT OR UPDATE ON ordcancel.reason
    FOR EACH ROW EXECUTE FUNCTION ordcancel_internal.seed_changed();
CREATE TRIGGER seed_changed BEFORE INSERT OR UPDATE ON ordcancel.refund_method
    FOR EACH ROW EXECUTE FUNCTION ordcancel_internal.seed_changed();
CREATE TRIGGER reason_in_use BEFORE DELETE OR UPDATE ON ordcancel.reason
    FOR EACH ROW EXECUTE FUNCTION ordcancel_internal.reason_in_use();
