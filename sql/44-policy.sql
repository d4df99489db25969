-- Policies, rules, blocks, reasons

CREATE FUNCTION ordcancel_internal.set_policy(
    orders regclass, policy text, grace interval, requested_status text, in_progress_status text,
    canceled_status text, customer_canceled_status text, on_progress text, decision_timeout interval,
    on_timeout text, undo text, undo_window interval, reason_required boolean, unset text[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    p ordcancel.policy;
    twice text;
BEGIN
    PERFORM ordcancel_internal.check_attached(orders);
    IF policy IS NULL OR policy = '' OR octet_length(policy) > 1000 THEN
        PERFORM ordcancel_internal.invalid('a policy needs a name of 1 to 1000 bytes');
    END IF;
    PERFORM ordcancel_internal.check_word('on_progress', on_progress, '{deny,hold}');
    PERFORM ordcancel_internal.check_word('on_timeout', on_timeout, '{accept,deny}');
    PERFORM ordcancel_internal.check_word('undo', undo, '{never,requested,in_progress,canceled}');
    PERFORM ordcancel_internal.check_span('grace', grace);
    PERFORM ordcancel_internal.check_span('decision_timeout', decision_timeout);
    PERFORM ordcancel_internal.check_span('undo_window', undo_window);
    PERFORM ordcancel_internal.check_word('unset', u, '{grace,requested_status,in_progress_status,canceled_status,'
                                  'customer_canceled_status,on_progress,decision_timeout,on_timeout,undo,'
                                  'undo_window,reason_required}')
    FROM unnest(unset) AS u;

    INSERT INTO ordcancel.policy (orders, policy) VALUES (orders, policy) ON CONFLICT DO NOTHING;
    SELECT * INTO p FROM ordcancel.policy AS t
    WHERE t.orders = set_policy.orders AND t.policy = set_policy.policy FOR UPDATE;

    -- What is named changes, what is unset is as it was in the beginning.
    p.grace := coalesce(grace, CASE WHEN 'grace' = ANY (unset) THEN NULL ELSE p.grace END);
    p.requested_status := coalesce(ordcancel_internal.check_status(orders, requested_status),
        CASE WHEN 'requested_status' = ANY (unset) THEN NULL ELSE p.requested_status END);
    p.in_progress_status := coalesce(ordcancel_internal.check_status(orders, in_progress_status),
        CASE WHEN 'in_progress_status' = ANY (unset) THEN NULL ELSE p.in_progress_status END);
    p.canceled_status := coalesce(ordcancel_internal.check_status(orders, canceled_status),
        CASE WHEN 'canceled_status' = ANY (unset) THEN NULL ELSE p.canceled_status END);
    p.customer_canceled_status := coalesce(ordcancel_internal.check_status(orders, customer_canceled_status),
        CASE WHEN 'customer_canceled_status' = ANY (unset) THEN NULL ELSE p.customer_canceled_status END);
    p.on_progress := coalesce(on_progress, CASE WHEN 'on_progress' = ANY (unset) THEN 'deny' ELSE p.on_progress END);
    p.decision_timeout := coalesce(decision_timeout,
        CASE WHEN 'decision_timeout' = ANY (unset) THEN NULL ELSE p.decision_timeout END);
    p.on_timeout := coalesce(on_timeout, CASE WHEN 'on_timeout' = ANY (unset) THEN NULL ELSE p.on_timeout END);
    p.undo := coalesce(undo, CASE WHEN 'undo' = ANY (unset) THEN 'canceled' ELSE p.undo END);
    p.undo_window := coalesce(undo_window, CASE WHEN 'undo_window' = ANY (unset) THEN NULL ELSE p.undo_window END);
    p.reason_required := coalesce(reason_required,
        CASE WHEN 'reason_required' = ANY (unset) THEN false ELSE p.reason_required END);

    -- One status must not mean two things.
    SELECT s INTO twice
    FROM (SELECT DISTINCT meaning, s
          FROM (VALUES (1, p.requested_status), (2, p.in_progress_status), (3, p.canceled_status),
                       (3, p.customer_canceled_status)) AS v (meaning, s)
          WHERE s IS NOT NULL) AS w
    GROUP BY s HAVING count(*) > 1 LIMIT 1;
    IF twice IS NOT NULL THEN
        PERFORM ordcancel_internal.invalid(format('status "%s" cannot mean two things in policy "%s"', twice, p.policy),
                                   NULL, 'Requested, in progress and canceled need statuses of their own, or none.');
    ELSIF (p.decision_timeout IS NULL) <> (p.on_timeout IS NULL) THEN
        PERFORM ordcancel_internal.invalid(format('policy "%s" needs both decision_timeout and on_timeout, or neither', p.policy));
    END IF;

    UPDATE ordcancel.policy AS t
    SET grace = p.grace, requested_status = p.requested_status, in_progress_status = p.in_progress_status,
        canceled_status = p.canceled_status, customer_canceled_status = p.customer_canceled_status,
        on_progress = p.on_progress, decision_timeout = p.decision_timeout, on_timeout = p.on_timeout,
        undo = p.undo, undo_window = p.undo_window, reason_required = p.reason_required
    WHERE t.orders = p.orders AND t.policy = p.policy;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.set_policy(regclass, text, interval, text, text, text, text, text, interval, text, text, interval, boolean, text[]) IS 'see set_policy';

-- Sets what is named of a policy and leaves the rest; makes the policy when
-- there is none of that name. The arguments are the columns of
-- ordcancel.policy; unset => '{grace}' sets columns back to their defaults.
-- Raises OC001, OC014, 42501. Source: design section 4.
CREATE FUNCTION ordcancel.set_policy(
    orders regclass, policy text DEFAULT 'default', grace interval DEFAULT NULL, requested_status text DEFAULT NULL,
    in_progress_status text DEFAULT NULL, canceled_status text DEFAULT NULL,
    customer_canceled_status text DEFAULT NULL, on_progress text DEFAULT NULL,
    decision_timeout interval DEFAULT NULL, on_timeout text DEFAULT NULL, undo text DEFAULT NULL,
    undo_window interval DEFAULT NULL, reason_required boolean DEFAULT NULL, unset text[] DEFAULT '{}') RETURNS void
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_owner_gate';
COMMENT ON FUNCTION ordcancel.set_policy(regclass, text, interval, text, text, text, text, text, interval, text, text, interval, boolean, text[]) IS 'sets what is named of a policy';

CREATE FUNCTION ordcancel_internal.set_rule(
    orders regclass, status text, customer text, customer_late text, merchant text, deletable boolean, hint text,
    policy text, unset text[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    modes CONSTANT text[] := '{cancel,request,forbid}';
BEGIN
    PERFORM ordcancel_internal.check_attached(orders);
    status := ordcancel_internal.check_status(orders, status);
    IF status IS NULL OR octet_length(status) > 1000 THEN
        PERFORM ordcancel_internal.invalid('a rule needs a status of at most 1000 bytes');
    END IF;
    PERFORM ordcancel_internal.check_word('customer', customer, modes);
    PERFORM ordcancel_internal.check_word('customer_late', customer_late, modes);
    PERFORM ordcancel_internal.check_word('merchant', merchant, modes);
    PERFORM ordcancel_internal.check_word('unset', u, '{customer,customer_late,merchant,deletable,hint}')
    FROM unnest(unset) AS u;
    IF NOT EXISTS (SELECT FROM ordcancel.policy AS t
                   WHERE t.orders = set_rule.orders AND t.policy = set_rule.policy) THEN
        PERFORM ordcancel_internal.invalid(format('policy "%s" of %s does not exist', left(policy, 80), orders), NULL,
                                   'Call ordcancel.set_policy() for it first.');
    END IF;

    INSERT INTO ordcancel.rule (orders, policy, status) VALUES (orders, policy, status) ON CONFLICT DO NOTHING;
    UPDATE ordcancel.rule AS t
    SET customer = coalesce(set_rule.customer, CASE WHEN 'customer' = ANY (unset) THEN 'forbid' ELSE t.customer END),
        customer_late = coalesce(set_rule.customer_late,
                                 CASE WHEN 'customer_late' = ANY (unset) THEN NULL ELSE t.customer_late END),
        merchant = coalesce(set_rule.merchant, CASE WHEN 'merchant' = ANY (unset) THEN 'forbid' ELSE t.merchant END),
        deletable = coalesce(set_rule.deletable, CASE WHEN 'deletable' = ANY (unset) THEN false ELSE t.deletable END),
        hint = coalesce(set_rule.hint, CASE WHEN 'hint' = ANY (unset) THEN NULL ELSE t.hint END)
    WHERE t.orders = set_rule.orders AND t.policy = set_rule.policy AND t.status = set_rule.status;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.set_rule(regclass, text, text, text, text, boolean, text, text, text[]) IS 'see set_rule';

-- Sets what is named of the rule for a status and leaves the rest. The
-- arguments are the columns of ordcancel.rule. Raises OC001, OC014, 42501.
-- Source: design section 4.
CREATE FUNCTION ordcancel.set_rule(
    orders regclass, status text, customer text DEFAULT NULL, customer_late text DEFAULT NULL,
    merchant text DEFAULT NULL, deletable boolean DEFAULT NULL, hint text DEFAULT NULL,
    policy text DEFAULT 'default', unset text[] DEFAULT '{}') RETURNS void
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_owner_gate';
COMMENT ON FUNCTION ordcancel.set_rule(regclass, text, text, text, text, boolean, text, text, text[]) IS 'sets what is named of the rule for a status';

CREATE FUNCTION ordcancel_internal.drop_rule(orders regclass, status text, policy text) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    PERFORM ordcancel_internal.check_attached(orders);
    DELETE FROM ordcancel.rule AS t
    WHERE t.orders = drop_rule.orders AND t.policy = drop_rule.policy AND t.status = drop_rule.status;
    RETURN FOUND;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.drop_rule(regclass, text, text) IS 'see drop_rule';

-- Takes away the rule for a status, which then forbids. Returns whether there
-- was one. Raises OC001, 42501.
CREATE FUNCTION ordcancel.drop_rule(orders regclass, status text, policy text DEFAULT 'default') RETURNS boolean
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_owner_gate';
COMMENT ON FUNCTION ordcancel.drop_rule(regclass, text, text) IS 'takes away the rule for a status';

CREATE FUNCTION ordcancel_internal.drop_policy(orders regclass, policy text) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    PERFORM ordcancel_internal.check_attached(orders);
    IF policy = 'default' THEN
        PERFORM ordcancel_internal.invalid('policy "default" cannot be dropped', NULL, 'Unset its columns, or drop its rules.');
    END IF;
    DELETE FROM ordcancel.rule AS t WHERE t.orders = drop_policy.orders AND t.policy = drop_policy.policy;
    DELETE FROM ordcancel.policy AS t WHERE t.orders = drop_policy.orders AND t.policy = drop_policy.policy;
    RETURN FOUND;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.drop_policy(regclass, text) IS 'see drop_policy';

-- Takes away a policy and its rules; its orders are governed by "default" from
-- then on. Returns whether there was one. Raises OC001, OC014, 42501.
CREATE FUNCTION ordcancel.drop_policy(orders regclass, policy text) RETURNS boolean
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_owner_gate';
COMMENT ON FUNCTION ordcancel.drop_policy(regclass, text) IS 'takes away a policy and its rules';

CREATE FUNCTION ordcancel_internal.add_block(orders regclass, name text, condition text, hint text, party text) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    PERFORM ordcancel_internal.check_attached(orders);
    IF name IS NULL OR name = '' OR octet_length(name) > 1000 OR condition IS NULL THEN
        PERFORM ordcancel_internal.invalid('a block needs a name of 1 to 1000 bytes, and a condition');
    END IF;
    PERFORM ordcancel_internal.check_word('party', party, '{customer,merchant}');
    INSERT INTO ordcancel.block (orders, name, condition, hint, party, pinned, functions)
        VALUES (orders, name, condition, hint, party,
                ordcancel_internal.pin_expression(orders, condition, 'boolean', false),
                ordcancel_internal.pin_expression(orders, condition, 'boolean', true))
        ON CONFLICT ON CONSTRAINT block_pkey DO UPDATE
        SET condition = excluded.condition, hint = excluded.hint, party = excluded.party, pinned = excluded.pinned,
            functions = excluded.functions;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.add_block(regclass, text, text, text, text) IS 'see add_block';

-- While condition, SQL over the order row, is true, nobody can cancel the
-- order or ask for it; party, customer or merchant, narrows it to one. A block
-- of the same name is replaced. The condition runs as the table's owner with
-- the search_path of attach; write the table's name before a column where a
-- subquery has one of the same name. Raises OC001, OC014, 42501.
-- Source: design section 4.
CREATE FUNCTION ordcancel.add_block(
    orders regclass, name text, condition text, hint text DEFAULT NULL, party text DEFAULT NULL) RETURNS void
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_owner_gate';
COMMENT ON FUNCTION ordcancel.add_block(regclass, text, text, text, text) IS 'adds a condition under which nobody can cancel';

CREATE FUNCTION ordcancel_internal.drop_block(orders regclass, name text) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    PERFORM ordcancel_internal.check_attached(orders);
    DELETE FROM ordcancel.block AS t WHERE t.orders = drop_block.orders AND t.name = drop_block.name;
    RETURN FOUND;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.drop_block(regclass, text) IS 'see drop_block';

-- Takes away a block. Returns whether there was one. Raises OC001, 42501.
CREATE FUNCTION ordcancel.drop_block(orders regclass, name text) RETURNS boolean
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_owner_gate';
COMMENT ON FUNCTION ordcancel.drop_block(regclass, text) IS 'takes away a block';

CREATE FUNCTION ordcancel_internal.unruled_statuses(orders regclass)
    RETURNS TABLE (policy text, status text, order_count bigint)
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    t ordcancel.order_table;
BEGIN
    SELECT * INTO t FROM ordcancel.order_table AS r WHERE r.orders = unruled_statuses.orders;
    RETURN QUERY
        SELECT g.policy, g.status, g.n
        FROM json_to_recordset(ordcancel_internal.as_owner(orders, format(
                'SELECT json_agg(c)::text'
                ' FROM (SELECT coalesce(p.policy, ''default'') AS policy, %1$s AS status, count(*) AS n'
                '       FROM %2$s AS o LEFT JOIN ordcancel.policy AS p ON p.orders = %4$s AND p.policy = %3$s'
                '       GROUP BY 1, 2) AS c',
                ordcancel_internal.column_text(t.orders, t.status), t.orders,
                CASE WHEN t.policy_by IS NULL THEN 'NULL::text'
                     ELSE ordcancel_internal.column_text(t.orders, t.policy_by) END,
                t.orders::oid))::json) AS g (policy text, status text, n bigint)
        WHERE NOT EXISTS (SELECT FROM ordcancel.rule AS r
                          WHERE r.orders = t.orders AND r.policy = g.policy AND r.status = g.status)
          AND NOT EXISTS (SELECT FROM ordcancel.policy AS p
                          WHERE p.orders = t.orders AND p.policy = g.policy
                            AND g.status IN (p.requested_status, p.in_progress_status, p.canceled_status,
                                             p.customer_canceled_status))
        ORDER BY 1, 2;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.unruled_statuses(regclass) IS 'see unruled_statuses';

-- Statuses that orders have and no rule speaks of, for each policy that the
-- table's orders are governed by; the policy's own statuses for cancellations
-- need none. For whoever may SELECT the whole table. Raises OC001, 42501.
CREATE FUNCTION ordcancel.unruled_statuses(orders regclass)
    RETURNS TABLE (policy text, status text, order_count bigint)
    LANGUAGE c STABLE
    AS 'MODULE_PATHNAME', 'ordcancel_reader_gate';
COMMENT ON FUNCTION ordcancel.unruled_statuses(regclass) IS 'statuses that orders have and no rule speaks of';
