-- Rules and blocks of a policy

-- Like set_rule, but without NOTICEs and result text.
CREATE FUNCTION ordcancel_internal.write_rule(
    orders regclass, status text, customer text, customer_late text, merchant text, deletable boolean, hint text,
    policy text, unset text[], expire_after interval, expire_reason text) RETURNS ordcancel.rule
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    modes CONSTANT text[] := '{cancel,request,forbid}';
    rule ordcancel.rule;
BEGIN
    PERFORM ordcancel_internal.check_attached(orders);
    status := ordcancel_internal.check_status(orders, status);
    IF status IS NULL OR octet_length(status) > 1000 THEN
        PERFORM ordcancel_internal.invalid('a rule needs a status of at most 1000 bytes');
    END IF;
    PERFORM ordcancel_internal.check_word('customer', customer, modes);
    PERFORM ordcancel_internal.check_word('customer_late', customer_late, modes);
    PERFORM ordcancel_internal.check_word('merchant', merchant, modes);
    PERFORM ordcancel_internal.check_word('unset', u, '{customer,customer_late,merchant,deletable,hint,expire_after,'
                                          'expire_reason}')
    FROM unnest(unset) AS u;
    IF NOT EXISTS (SELECT FROM ordcancel.policy AS t
                   WHERE t.orders = write_rule.orders AND t.policy = write_rule.policy) THEN
        PERFORM ordcancel_internal.no_policy(orders, policy);
    END IF;
    PERFORM ordcancel_internal.check_span('expire_after', expire_after);

    INSERT INTO ordcancel.rule (orders, policy, status) VALUES (orders, policy, status) ON CONFLICT DO NOTHING;
    UPDATE ordcancel.rule AS t
    SET customer = coalesce(write_rule.customer, CASE WHEN 'customer' = ANY (unset) THEN 'forbid' ELSE t.customer END),
        customer_late = coalesce(write_rule.customer_late,
                                 CASE WHEN 'customer_late' = ANY (unset) THEN NULL ELSE t.customer_late END),
        merchant = coalesce(write_rule.merchant, CASE WHEN 'merchant' = ANY (unset) THEN 'forbid' ELSE t.merchant END),
        deletable = coalesce(write_rule.deletable, CASE WHEN 'deletable' = ANY (unset) THEN false ELSE t.deletable END),
        hint = coalesce(write_rule.hint, CASE WHEN 'hint' = ANY (unset) THEN NULL ELSE t.hint END),
        expire_after = coalesce(write_rule.expire_after,
                                CASE WHEN 'expire_after' = ANY (unset) THEN NULL ELSE t.expire_after END),
        -- Without expire_after, a reason of earlier has no meaning.
        expire_reason = coalesce(write_rule.expire_reason,
                                 CASE WHEN 'expire_reason' = ANY (unset)
                                           OR ('expire_after' = ANY (unset) AND write_rule.expire_after IS NULL)
                                      THEN NULL ELSE t.expire_reason END)
    WHERE t.orders = write_rule.orders AND t.policy = write_rule.policy AND t.status = write_rule.status
    RETURNING * INTO rule;
    RETURN rule;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.write_rule(
    regclass, text, text, text, text, boolean, text, text, text[], interval, text) IS
    'sets the columns of a rule that are given';

CREATE FUNCTION ordcancel_internal.set_rule(
    orders regclass, status text, customer text, customer_late text, merchant text, deletable boolean, hint text,
    policy text, unset text[], expire_after interval, expire_reason text) RETURNS text
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    was CONSTANT text := ordcancel_internal.rules_text(orders, policy);
    r ordcancel.rule;
BEGIN
    r := ordcancel_internal.write_rule(orders, status, customer, customer_late, merchant, deletable, hint,
                                       policy, unset, expire_after, expire_reason);
    PERFORM ordcancel_internal.check_timer(r);
    PERFORM ordcancel_internal.notice_of_status(orders, policy, r.status, true);
    PERFORM ordcancel_internal.notice_of_timers(orders, policy, r.status);
    RETURN ordcancel_internal.record_change(
        orders, r.policy,
        format('policy "%s", status "%s": customer %s%s, merchant %s%s', r.policy, left(r.status, 80), r.customer,
               ', later ' || r.customer_late, r.merchant,
               CASE WHEN r.deletable THEN ', deletable' ELSE '' END
               || coalesce(', canceled by the system after ' || ordcancel_internal.interval_text(r.expire_after)
                           || coalesce(' (' || r.expire_reason || ')', ''), '')),
        was IS DISTINCT FROM ordcancel_internal.rules_text(orders, r.policy));
END
$$;
COMMENT ON FUNCTION ordcancel_internal.set_rule(
    regclass, text, text, text, text, boolean, text, text, text[], interval, text) IS
    'implements ordcancel.set_rule()';

-- Changes the named settings of the rule for a status and keeps the rest. The
-- arguments are the columns of ordcancel.rule. Returns the resulting rule; a
-- NOTICE reports if no order has the status. expire_after is the time after which
-- sweep() cancels an order in this status, with the reason expire_reason, which
-- must be active, usable by the system and not require a note; a NOTICE reports
-- if no column tells since when orders have had their status, or if sweep() would
-- have to read the whole table. Raises OC001, OC014, 42501.
CREATE FUNCTION ordcancel.set_rule(
    orders regclass, status text, customer text DEFAULT NULL, customer_late text DEFAULT NULL,
    merchant text DEFAULT NULL, deletable boolean DEFAULT NULL, hint text DEFAULT NULL,
    policy text DEFAULT 'default', unset text[] DEFAULT '{}', expire_after interval DEFAULT NULL,
    expire_reason text DEFAULT NULL) RETURNS text
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_owner_gate';
COMMENT ON FUNCTION ordcancel.set_rule(
    regclass, text, text, text, text, boolean, text, text, text[], interval, text) IS
    E'sets what customer and merchant may do to orders in a status\nRaises OC001, OC014, 0A000, 42501.';

CREATE FUNCTION ordcancel_internal.drop_rule(orders regclass, status text, policy text) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    PERFORM ordcancel_internal.check_attached(orders);
    DELETE FROM ordcancel.rule AS t
    WHERE t.orders = drop_rule.orders AND t.policy = drop_rule.policy AND t.status = drop_rule.status;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM ordcancel_internal.record_change(
        orders, policy, format('policy "%s", status "%s": rule dropped', policy, left(status, 80)), true);
    RETURN true;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.drop_rule(regclass, text, text) IS 'implements ordcancel.drop_rule()';

-- Drops the rule for a status, which then forbids canceling. Returns whether the
-- rule existed. Raises OC001, 42501.
CREATE FUNCTION ordcancel.drop_rule(orders regclass, status text, policy text DEFAULT 'default') RETURNS boolean
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_owner_gate';
COMMENT ON FUNCTION ordcancel.drop_rule(regclass, text, text) IS
    E'drops the rule for a status; returns whether it existed\nRaises OC001, 0A000, 42501.';

CREATE FUNCTION ordcancel_internal.drop_policy(orders regclass, policy text) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    governed bigint;
BEGIN
    PERFORM ordcancel_internal.check_attached(orders);
    IF policy = 'default' THEN
        PERFORM ordcancel_internal.invalid('policy "default" cannot be dropped', NULL,
                                           'Unset its columns, or drop its rules.');
    END IF;
    SELECT sum(c.n) INTO governed FROM ordcancel_internal.counted(orders) AS c WHERE c.policy = drop_policy.policy;
    IF governed > 0 THEN
        PERFORM ordcancel_internal.notice(
            format('orders of %s that change from policy "%s" to "default": %s', ordcancel_internal.label(orders),
                   policy, governed));
    END IF;
    DELETE FROM ordcancel.rule AS t WHERE t.orders = drop_policy.orders AND t.policy = drop_policy.policy;
    PERFORM ordcancel_internal.hold_archives(orders);
    DELETE FROM ordcancel.policy AS t WHERE t.orders = drop_policy.orders AND t.policy = drop_policy.policy;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM ordcancel_internal.record_change(
        orders, policy, format('policy "%s": dropped', policy), true);
    RETURN true;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.drop_policy(regclass, text) IS 'implements ordcancel.drop_policy()';

-- Drops a policy and its rules; its orders are then under "default". Returns
-- whether the policy existed. Raises OC001, OC014, 42501.
CREATE FUNCTION ordcancel.drop_policy(orders regclass, policy text) RETURNS boolean
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_owner_gate';
COMMENT ON FUNCTION ordcancel.drop_policy(regclass, text) IS
    E'drops a policy and its rules; returns whether it existed\nRaises OC001, OC014, 0A000, 42501.';

CREATE FUNCTION ordcancel_internal.add_block(orders regclass, name text, condition text, hint text, party text)
    RETURNS text
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    was ordcancel.block;
    b ordcancel.block;
BEGIN
    PERFORM ordcancel_internal.check_attached(orders);
    IF name IS NULL OR name = '' OR octet_length(name) > 1000 OR condition IS NULL THEN
        PERFORM ordcancel_internal.invalid('a block needs a name of 1 to 1000 bytes, and a condition');
    END IF;
    PERFORM ordcancel_internal.check_word('party', party, '{customer,merchant}');
    SELECT * INTO was FROM ordcancel.block AS t WHERE t.orders = add_block.orders AND t.name = add_block.name;
    INSERT INTO ordcancel.block (orders, name, condition, hint, party, pinned, functions)
        VALUES (orders, name, condition, hint, party,
                ordcancel_internal.pin_expression(orders, condition, 'boolean', false),
                ordcancel_internal.pin_expression(orders, condition, 'boolean', true))
        ON CONFLICT ON CONSTRAINT block_pkey DO UPDATE
        SET condition = excluded.condition, hint = excluded.hint, party = excluded.party, pinned = excluded.pinned,
            functions = excluded.functions
        RETURNING * INTO b;
    RETURN ordcancel_internal.record_change(
        orders, NULL, format('block "%s": %s cannot cancel while %s', name,
                             coalesce('the ' || party, 'customer and merchant'), condition),
        was IS DISTINCT FROM b);
END
$$;
COMMENT ON FUNCTION ordcancel_internal.add_block(regclass, text, text, text, text) IS
    'implements ordcancel.add_block()';

-- While condition, an SQL expression over the order row, is true, nobody can
-- cancel the order or request it; party (customer or merchant) restricts this to
-- one party. Replaces a block of the same name. The condition runs as the
-- table's owner with the search_path of attach(); qualify a column with the
-- table's name if a subquery has a column of the same name. Returns the
-- resulting block. Raises OC001, OC014, 42501.
CREATE FUNCTION ordcancel.add_block(
    orders regclass, name text, condition text, hint text DEFAULT NULL, party text DEFAULT NULL) RETURNS text
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_owner_gate';
COMMENT ON FUNCTION ordcancel.add_block(regclass, text, text, text, text) IS
    E'adds or replaces a condition under which nobody can cancel an order\nRaises OC001, OC014, 0A000, 42501.';

CREATE FUNCTION ordcancel_internal.drop_block(orders regclass, name text) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    PERFORM ordcancel_internal.check_attached(orders);
    DELETE FROM ordcancel.block AS t WHERE t.orders = drop_block.orders AND t.name = drop_block.name;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM ordcancel_internal.record_change(
        orders, NULL, format('block "%s": dropped', name), true);
    RETURN true;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.drop_block(regclass, text) IS 'implements ordcancel.drop_block()';

-- Drops a block. Returns whether it existed. Raises OC001, 42501.
CREATE FUNCTION ordcancel.drop_block(orders regclass, name text) RETURNS boolean
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_owner_gate';
COMMENT ON FUNCTION ordcancel.drop_block(regclass, text) IS
    E'drops a block; returns whether it existed\nRaises OC001, 0A000, 42501.';
