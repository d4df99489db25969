-- Triggers on the configuration tables

-- Only these may write the configuration: ordcancel, which runs as the
-- extension's owner; superusers, who restore dumps and apply subscriptions; and
-- roles with an explicit grant on the reasons and refund methods. Members of
-- pg_write_all_data may not, because expressions stored here are run as the
-- owners of the order tables.
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
COMMENT ON FUNCTION ordcancel_internal.guard_config() IS
    'trigger: refuses writes to the configuration by others than ordcancel';

-- What is read from a record table runs the code of its indexes, and what is written
-- that of its triggers, as the owner of the extension. So everything that does so
-- makes sure that the table belongs to that owner, or to another superuser. It may
-- not where a superuser has given it away, or where the configuration was restored
-- or replicated and somebody else had created a table of that name.
CREATE FUNCTION ordcancel_internal.is_trusted(records oid) RETURNS boolean
    LANGUAGE c STABLE STRICT
    AS 'MODULE_PATHNAME', 'ordcancel_is_trusted';
COMMENT ON FUNCTION ordcancel_internal.is_trusted(oid) IS
    'returns whether a table exists and belongs, with those that inherit from it, to superusers';

CREATE FUNCTION ordcancel_internal.check_record_table(records oid) RETURNS void
    LANGUAGE c STABLE STRICT
    AS 'MODULE_PATHNAME', 'ordcancel_check_record_table';
COMMENT ON FUNCTION ordcancel_internal.check_record_table(oid) IS
    'raises OC014 if a record table is missing, or belongs to another role than the owner of the extension';

CREATE FUNCTION ordcancel_internal.find_foreign(records oid) RETURNS regclass
    LANGUAGE c STABLE STRICT
    AS 'MODULE_PATHNAME', 'ordcancel_find_foreign';
COMMENT ON FUNCTION ordcancel_internal.find_foreign(oid) IS
    'returns a table that another role owns, if there is one among this one and those that inherit from it';

-- By OID: the name may be another table's when the lock is granted.
CREATE FUNCTION ordcancel_internal.lock_records(records oid) RETURNS void
    LANGUAGE c STRICT
    AS 'MODULE_PATHNAME', 'ordcancel_lock_records';
COMMENT ON FUNCTION ordcancel_internal.lock_records(oid) IS
    'locks a table and those that inherit from it in ACCESS EXCLUSIVE mode';

-- Skips rows of a dump about tables that were not restored, or that others own.
CREATE FUNCTION ordcancel_internal.skip_dropped_tables() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    records regclass;
BEGIN
    IF TG_TABLE_NAME = 'order_table' THEN
        IF NEW.orders <> 0 THEN
            records := coalesce(ordcancel_internal.find_foreign(NEW.cancellation_table),
                                ordcancel_internal.find_foreign(NEW.event_table),
                                ordcancel_internal.find_foreign(NEW.item_records));
        END IF;
        IF records IS NOT NULL THEN
            RAISE WARNING 'order table % is not attached in this database', NEW.orders::regclass
                USING DETAIL = format('Its record table %s belongs to role %s, who could have changed it.', records,
                                      (SELECT c.relowner::regrole FROM pg_class AS c WHERE c.oid = records)),
                      HINT = 'A superuser can call ordcancel.attach(), which checks the table and takes it over.';
        END IF;
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.skip_dropped_tables() IS
    'trigger: skips the row of a table that does not exist, or whose records belong to another role';

-- ENABLE ALWAYS: the triggers must also fire for a subscription's apply worker
-- and with session_replication_role = replica.
DO $$
DECLARE
    config text;
BEGIN
    FOREACH config IN ARRAY ARRAY['order_table', 'policy', 'rule', 'block', 'also_set', 'child', 'item_table',
                                  'policy_change', 'reason', 'refund_method'] LOOP
        EXECUTE format('CREATE TRIGGER guard_config BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON ordcancel.%I'
                       ' FOR EACH STATEMENT EXECUTE FUNCTION ordcancel_internal.guard_config()', config);
        EXECUTE format('CREATE TRIGGER config_changed AFTER INSERT OR UPDATE OR DELETE ON ordcancel.%I'
                       ' FOR EACH ROW EXECUTE FUNCTION ordcancel_internal.config_changed()', config);
        EXECUTE format('CREATE TRIGGER config_truncated AFTER TRUNCATE ON ordcancel.%I'
                       ' FOR EACH STATEMENT EXECUTE FUNCTION ordcancel_internal.config_changed()', config);
        IF config NOT IN ('reason', 'refund_method') THEN
            EXECUTE format('CREATE TRIGGER skip_dropped_tables BEFORE INSERT ON ordcancel.%I FOR EACH ROW WHEN (%s)'
                           ' EXECUTE FUNCTION ordcancel_internal.skip_dropped_tables()', config,
                           CASE config
                               WHEN 'order_table'
                                   THEN 'NEW.orders = 0 OR NOT ordcancel_internal.is_trusted(NEW.cancellation_table)'
                                        ' OR NOT ordcancel_internal.is_trusted(NEW.event_table)'
                                        ' OR NEW.item_records <> 0 AND'
                                        ' NOT ordcancel_internal.is_trusted(NEW.item_records)'
                               WHEN 'child' THEN 'NEW.orders = 0 OR NEW.child = 0'
                               WHEN 'item_table' THEN 'NEW.orders = 0 OR NEW.items = 0'
                               ELSE 'NEW.orders = 0' END);
            EXECUTE format('ALTER TABLE ordcancel.%I ENABLE ALWAYS TRIGGER skip_dropped_tables', config);
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
SELECT pg_catalog.pg_extension_config_dump('ordcancel.also_set', '');
SELECT pg_catalog.pg_extension_config_dump('ordcancel.child', '');
SELECT pg_catalog.pg_extension_config_dump('ordcancel.item_table', '');
SELECT pg_catalog.pg_extension_config_dump('ordcancel.policy_change', '');
SELECT pg_catalog.pg_extension_config_dump('ordcancel.reason', 'WHERE NOT seeded');
SELECT pg_catalog.pg_extension_config_dump('ordcancel.refund_method', 'WHERE NOT seeded');

-- Predefined rows, chosen after what shops and marketplaces use
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

-- A dump contains only rows that are not predefined or were changed. When it is
-- restored, such a row replaces the predefined row of the same code. SECURITY
-- DEFINER, because a role that may insert may not be allowed to delete.
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
COMMENT ON FUNCTION ordcancel_internal.seed_changed() IS
    'trigger: a changed row is no longer a seed, and replaces the seed with its code';

CREATE FUNCTION ordcancel_internal.reason_in_use() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    records regclass;
    used boolean;
BEGIN
    -- A predefined row that is replaced by seed_changed(), or an unchanged code.
    IF (TG_OP = 'DELETE' AND OLD.seeded AND pg_trigger_depth() > 1)
       OR (TG_OP = 'UPDATE' AND NEW.code = OLD.code) THEN
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    IF EXISTS (SELECT FROM ordcancel.rule AS r WHERE r.expire_reason = OLD.code) THEN
        RAISE EXCEPTION 'cancellation reason "%" is in use', OLD.code
            USING ERRCODE = 'foreign_key_violation',
                  DETAIL = 'It is the expire_reason of a rule.',
                  HINT = 'Set another one with ordcancel.set_rule() first.',
                  SCHEMA = 'ordcancel', TABLE = 'reason', CONSTRAINT = 'reason_in_use';
    END IF;
    -- Not through the parents, as that would lock thousands of record tables at
    -- once; the block keeps no lock. If a request was accepted with another reason,
    -- its own is only in the event.
    FOR records IN
        SELECT i.inhrelid FROM pg_inherits AS i
        WHERE i.inhparent IN (SELECT k.parent FROM ordcancel_internal.record_kinds() AS k)
        UNION
        SELECT c.oid
        FROM ordcancel_internal.record_table AS r
            JOIN ordcancel.order_table AS t ON t.orders = r.orders AND NOT t.inherit
            JOIN pg_class AS c ON c.oid = r.records
        UNION
        SELECT c.oid FROM ordcancel_internal.detached AS d JOIN pg_class AS c ON c.oid = d.records
    LOOP
        CONTINUE WHEN NOT ordcancel_internal.is_trusted(records);
        BEGIN
            EXECUTE format('SELECT EXISTS (SELECT FROM %s WHERE reason = $1)', records) INTO used USING OLD.code;
            RAISE EXCEPTION USING ERRCODE = 'OC999';
        EXCEPTION WHEN SQLSTATE 'OC999' THEN
            NULL;
        END;
        IF used THEN
            RAISE EXCEPTION 'cancellation reason "%" is in use', OLD.code
                USING ERRCODE = 'foreign_key_violation',
                      DETAIL = 'Existing cancellations refer to it.',
                      HINT = 'Set its column "active" to false instead.',
                      SCHEMA = 'ordcancel', TABLE = 'reason', CONSTRAINT = 'reason_in_use';
        END IF;
    END LOOP;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.reason_in_use() IS
    'trigger: refuses to delete or rename a reason that cancellations or rules use';

-- With session_replication_role = replica an inserted row replaces the row of
-- the same key: both sides of a subscription have the predefined rows, and so
-- does a new database into which the data of a dump is loaded.
CREATE FUNCTION ordcancel_internal.replace_replicated() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    -- pg_restore --disable-triggers leaves it enabled in every mode.
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
COMMENT ON FUNCTION ordcancel_internal.replace_replicated() IS
    'trigger: a row that is replicated or restored replaces the one with its key';
CREATE TRIGGER replace_replicated BEFORE INSERT ON ordcancel.reason
    FOR EACH ROW EXECUTE FUNCTION ordcancel_internal.replace_replicated();
CREATE TRIGGER replace_replicated BEFORE INSERT ON ordcancel.refund_method
    FOR EACH ROW EXECUTE FUNCTION ordcancel_internal.replace_replicated();
ALTER TABLE ordcancel.reason ENABLE REPLICA TRIGGER replace_replicated;
ALTER TABLE ordcancel.refund_method ENABLE REPLICA TRIGGER replace_replicated;

CREATE TRIGGER seed_changed BEFORE INSERT OR UPDATE ON ordcancel.reason
    FOR EACH ROW EXECUTE FUNCTION ordcancel_internal.seed_changed();
CREATE TRIGGER seed_changed BEFORE INSERT OR UPDATE ON ordcancel.refund_method
    FOR EACH ROW EXECUTE FUNCTION ordcancel_internal.seed_changed();
CREATE TRIGGER reason_in_use BEFORE DELETE OR UPDATE ON ordcancel.reason
    FOR EACH ROW EXECUTE FUNCTION ordcancel_internal.reason_in_use();
