-- Policies, rules, blocks, reasons

-- Creates a policy unless it exists: as a copy of another one with its rules, or
-- empty if copy_of is NULL. Returns whether it was created.
CREATE FUNCTION ordcancel_internal.begin_policy(orders regclass, policy text, copy_of text) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    p ordcancel.policy;
BEGIN
    PERFORM ordcancel_internal.hold_archives(orders);
    IF policy IS NULL OR policy = '' OR octet_length(policy) > 1000 THEN
        PERFORM ordcancel_internal.invalid('a policy name must have 1 to 1000 bytes');
    ELSIF EXISTS (SELECT FROM ordcancel.policy AS t
                  WHERE t.orders = begin_policy.orders AND t.policy = begin_policy.policy) THEN
        RETURN false;
    END IF;
    p.on_progress := 'deny';
    p.undo := 'canceled';
    p.reason_required := false;
    p.partly_fulfilled := 'refuse';
    p.settlement := 'before_canceled';
    p.closed_statuses := '{}';
    p.reopen_statuses := '{}';
    IF copy_of <> policy THEN
        SELECT * INTO p FROM ordcancel.policy AS t WHERE t.orders = begin_policy.orders AND t.policy = copy_of;
        IF NOT FOUND THEN
            PERFORM ordcancel_internal.no_policy(orders, copy_of);
        END IF;
    END IF;
    p.orders := orders;
    p.policy := policy;
    INSERT INTO ordcancel.policy SELECT p.*;
    INSERT INTO ordcancel.rule (orders, policy, status, customer, customer_late, merchant, deletable, hint,
                                expire_after, expire_reason)
    SELECT r.orders, begin_policy.policy, r.status, r.customer, r.customer_late, r.merchant, r.deletable, r.hint,
           r.expire_after, r.expire_reason
    FROM ordcancel.rule AS r WHERE r.orders = begin_policy.orders AND r.policy = copy_of;
    RETURN true;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.begin_policy(regclass, text, text) IS
    'creates a policy if there is none of that name; returns whether it did';

CREATE FUNCTION ordcancel_internal.no_policy(orders regclass, policy text) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    names text[] := ARRAY(SELECT t.policy FROM ordcancel.policy AS t WHERE t.orders = no_policy.orders
                          ORDER BY t.policy <> 'default', t.policy LIMIT 1000);
BEGIN
    PERFORM ordcancel_internal.invalid(
        format('policy "%s" of %s does not exist', left(policy, 80), ordcancel_internal.label(orders)), NULL,
        ordcancel_internal.choices(policy, names, 'Existing policies are %s.')
        || ' ordcancel.set_policy() creates a new one.');
END
$$;
COMMENT ON FUNCTION ordcancel_internal.no_policy(regclass, text) IS 'raises OC014 as there is no policy of that name';

-- The settings of a policy, in the order of its columns.
CREATE FUNCTION ordcancel_internal.policy_text(p ordcancel.policy)
    RETURNS TABLE (n bigint, fact text, value text)
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT row_number() OVER (), f.fact, f.value
FROM (VALUES ('grace', p.grace::text), ('requested_status', p.requested_status),
             ('in_progress_status', p.in_progress_status),
             ('canceled_status', p.canceled_status), ('customer_canceled_status', p.customer_canceled_status),
             ('on_progress', p.on_progress), ('decision_timeout', p.decision_timeout::text),
             ('on_timeout', p.on_timeout),
             ('undo', p.undo), ('undo_window', p.undo_window::text), ('reason_required', p.reason_required::text),
             ('partly_fulfilled', p.partly_fulfilled), ('settlement', p.settlement),
             ('closed_statuses', nullif(p.closed_statuses, '{}')::text),
             ('reopen_statuses', nullif(p.reopen_statuses, '{}')::text))
    AS f (fact, value)
$$;
COMMENT ON FUNCTION ordcancel_internal.policy_text(ordcancel.policy) IS 'lists the settings of a policy as text';

-- Returns the statuses, each as the status column's type spells it; NULL for NULL.
CREATE FUNCTION ordcancel_internal.check_statuses(orders regclass, statuses text[]) RETURNS text[]
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    checked text[] := '{}';
    s text;
BEGIN
    IF statuses IS NULL THEN
        RETURN NULL;
    END IF;
    FOREACH s IN ARRAY statuses LOOP
        s := ordcancel_internal.check_status(orders, s);
        IF s IS NULL OR octet_length(s) > 1000 THEN
            PERFORM ordcancel_internal.invalid('a status of a policy must have 1 to 1000 bytes');
        ELSIF s <> ALL (checked) THEN
            checked := checked || s;
        END IF;
    END LOOP;
    RETURN checked;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.check_statuses(regclass, text[]) IS
    'checks statuses as check_status() does; returns them without duplicates';

-- Like set_policy, but without NOTICEs and result text.
CREATE FUNCTION ordcancel_internal.write_policy(
    orders regclass, policy text, grace interval, requested_status text, in_progress_status text,
    canceled_status text, customer_canceled_status text, on_progress text, decision_timeout interval,
    on_timeout text, undo text, undo_window interval, reason_required boolean, partly_fulfilled text, unset text[],
    settlement text, closed_statuses text[], reopen_statuses text[])
    RETURNS ordcancel.policy
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    p ordcancel.policy;
    twice text;
BEGIN
    PERFORM ordcancel_internal.check_word('on_progress', on_progress, '{deny,hold}');
    PERFORM ordcancel_internal.check_word('on_timeout', on_timeout, '{accept,deny}');
    PERFORM ordcancel_internal.check_word('undo', undo, '{never,requested,in_progress,canceled}');
    PERFORM ordcancel_internal.check_word('partly_fulfilled', partly_fulfilled, '{refuse,rest}');
    PERFORM ordcancel_internal.check_word('settlement', settlement, '{before_canceled,after_canceled}');
    IF cardinality(closed_statuses) > 100 OR cardinality(reopen_statuses) > 100 THEN
        PERFORM ordcancel_internal.invalid(
            'closed_statuses and reopen_statuses cannot have more than 100 statuses each');
    END IF;
    PERFORM ordcancel_internal.check_span('grace', grace);
    PERFORM ordcancel_internal.check_span('decision_timeout', decision_timeout);
    PERFORM ordcancel_internal.check_span('undo_window', undo_window);
    PERFORM ordcancel_internal.check_word('unset', u, '{grace,requested_status,in_progress_status,canceled_status,'
                                  'customer_canceled_status,on_progress,decision_timeout,on_timeout,undo,'
                                  'undo_window,reason_required,partly_fulfilled,settlement,closed_statuses,'
                                  'reopen_statuses}')
    FROM unnest(unset) AS u;
    SELECT * INTO p FROM ordcancel.policy AS t
    WHERE t.orders = write_policy.orders AND t.policy = write_policy.policy FOR UPDATE;

    -- Named arguments change, unset ones get their defaults, the rest is kept.
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
    p.partly_fulfilled := coalesce(partly_fulfilled,
        CASE WHEN 'partly_fulfilled' = ANY (unset) THEN 'refuse' ELSE p.partly_fulfilled END);
    p.settlement := coalesce(settlement,
        CASE WHEN 'settlement' = ANY (unset) THEN 'before_canceled' ELSE p.settlement END);
    p.closed_statuses := coalesce(ordcancel_internal.check_statuses(orders, closed_statuses),
        CASE WHEN 'closed_statuses' = ANY (unset) THEN '{}' ELSE p.closed_statuses END);
    p.reopen_statuses := coalesce(ordcancel_internal.check_statuses(orders, reopen_statuses),
        CASE WHEN 'reopen_statuses' = ANY (unset) THEN '{}' ELSE p.reopen_statuses END);

    IF p.closed_statuses && p.reopen_statuses THEN
        PERFORM ordcancel_internal.invalid(
            format('status "%s" cannot be in both closed_statuses and reopen_statuses of policy "%s"',
                   (SELECT left(s, 80) FROM unnest(p.closed_statuses) AS s WHERE s = ANY (p.reopen_statuses) LIMIT 1),
                   p.policy),
            'An order in a closed status remains canceled.');
    END IF;
    IF EXISTS (SELECT FROM unnest(ARRAY[p.requested_status, p.in_progress_status, p.canceled_status,
                                        p.customer_canceled_status]) AS s WHERE octet_length(s) > 1000) THEN
        PERFORM ordcancel_internal.invalid('a status of a policy may have at most 1000 bytes');
    END IF;
    -- A status must not have two meanings.
    SELECT s INTO twice
    FROM (SELECT DISTINCT meaning, s
          FROM (VALUES (1, p.requested_status), (2, p.in_progress_status), (3, p.canceled_status),
                       (3, p.customer_canceled_status)) AS v (meaning, s)
          WHERE s IS NOT NULL
          UNION ALL
          SELECT DISTINCT 4, s FROM unnest(p.closed_statuses || p.reopen_statuses) AS s) AS w
    GROUP BY s HAVING count(*) > 1 LIMIT 1;
    IF twice IS NOT NULL THEN
        PERFORM ordcancel_internal.invalid(
            format('status "%s" cannot have two meanings in policy "%s"', twice, p.policy), NULL,
            'Use different statuses for requested, in progress, canceled, closed and reopened, or leave them unset.');
    ELSIF (p.decision_timeout IS NULL) <> (p.on_timeout IS NULL) THEN
        PERFORM ordcancel_internal.invalid(
            format('policy "%s" needs both decision_timeout and on_timeout, or neither', p.policy));
    END IF;

    UPDATE ordcancel.policy AS t
    SET grace = p.grace, requested_status = p.requested_status, in_progress_status = p.in_progress_status,
        canceled_status = p.canceled_status, customer_canceled_status = p.customer_canceled_status,
        on_progress = p.on_progress, decision_timeout = p.decision_timeout, on_timeout = p.on_timeout,
        undo = p.undo, undo_window = p.undo_window, reason_required = p.reason_required,
        partly_fulfilled = p.partly_fulfilled, settlement = p.settlement, closed_statuses = p.closed_statuses,
        reopen_statuses = p.reopen_statuses
    WHERE t.orders = p.orders AND t.policy = p.policy;
    RETURN p;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.write_policy(
    regclass, text, interval, text, text, text, text, text, interval, text, text, interval, boolean, text, text[], text,
    text[], text[]) IS
    'sets the columns of a policy that are given';

-- Reports a status of the rules that no order has, perhaps because it is
-- misspelled.
CREATE FUNCTION ordcancel_internal.notice_of_status(orders regclass, policy text, status text, always boolean)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    statuses text[];
    counts bigint[];
    meant text;
BEGIN
    SELECT array_agg(c.status), array_agg(c.n) INTO statuses, counts
    FROM (SELECT t.status, sum(t.n)::bigint AS n FROM ordcancel_internal.counted(orders) AS t GROUP BY 1) AS c;
    IF statuses IS NULL OR status = ANY (statuses) THEN
        RETURN;
    END IF;
    meant := ordcancel_internal.closest(
        left(status, 200),
        ARRAY(SELECT s FROM unnest(statuses) AS s
              WHERE NOT EXISTS (SELECT FROM ordcancel.rule AS r
                                WHERE r.orders = notice_of_status.orders AND r.policy = notice_of_status.policy
                                  AND r.status = s)
                AND NOT EXISTS (SELECT FROM ordcancel_internal.policy_status AS w
                                WHERE w.orders = notice_of_status.orders AND w.policy = notice_of_status.policy
                                  AND w.status = s)));
    IF always OR meant IS NOT NULL THEN
        PERFORM ordcancel_internal.notice(
            format('no order of %s has status "%s"', ordcancel_internal.label(orders), left(status, 80)),
            format('Orders have %s.', ordcancel_internal.list_statuses(statuses, counts)),
            'Did you mean "' || meant || '"?');
    END IF;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.notice_of_status(regclass, text, text, boolean) IS
    'raises a NOTICE if no order has a status';

-- Reports a new policy, and the number of orders under it.
CREATE FUNCTION ordcancel_internal.notice_of_new_policy(orders regclass, policy text, copy_of text) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    message text := format('policy "%s" of %s is new, ', policy, ordcancel_internal.label(orders));
    rules bigint := (SELECT count(*) FROM ordcancel.rule AS r
                     WHERE r.orders = notice_of_new_policy.orders AND r.policy = copy_of);
    governed bigint;
BEGIN
    message := message || CASE WHEN copy_of IS NULL THEN 'without rules'
                               ELSE format('a copy of "%s" with its rules (%s)', copy_of, rules) END;
    IF (SELECT t.policy_by IS NULL FROM ordcancel.order_table AS t WHERE t.orders = notice_of_new_policy.orders) THEN
        PERFORM ordcancel_internal.notice(
            message, 'No order is under it, because attach() was called without policy_by.',
            format('Call ordcancel.attach(%L, policy_by => ...).', ordcancel_internal.label(orders)));
    ELSIF NOT ordcancel_internal.is_small(orders) THEN
        PERFORM ordcancel_internal.notice(message);
    ELSE
        SELECT coalesce(sum(n) FILTER (WHERE c.policy = notice_of_new_policy.policy), 0) INTO governed
        FROM ordcancel_internal.counted(orders) AS c;
        PERFORM ordcancel_internal.notice(
            message, format('Orders under it now: %s.', governed),
            CASE WHEN governed = 0
                 THEN 'Did you mean "' || ordcancel_internal.misspelled_policy(orders, policy)
                      || '"? Orders have that policy.' END);
    END IF;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.notice_of_new_policy(regclass, text, text) IS
    'raises a NOTICE about a new policy and the number of its orders';

-- Reports orders in a status to which the policy no longer gives a meaning.
CREATE FUNCTION ordcancel_internal.notice_of_removed_statuses(
    orders regclass, was ordcancel.policy, p ordcancel.policy) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    lost text[] := ARRAY(SELECT s FROM unnest(ARRAY[was.requested_status, was.in_progress_status, was.canceled_status,
                                                    was.customer_canceled_status] || was.closed_statuses) AS s
                         WHERE s IS NOT NULL
                         EXCEPT
                         SELECT s FROM unnest(ARRAY[p.requested_status, p.in_progress_status, p.canceled_status,
                                                    p.customer_canceled_status] || p.closed_statuses) AS s);
    statuses text;
BEGIN
    IF lost = '{}' THEN
        RETURN;
    END IF;
    SELECT ordcancel_internal.list_statuses(array_agg(c.status), array_agg(c.n)) INTO statuses
    FROM ordcancel_internal.counted(orders) AS c WHERE c.policy = p.policy AND c.status = ANY (lost);
    IF statuses IS NOT NULL THEN
        PERFORM ordcancel_internal.notice(
            format('orders of %s have statuses that no longer have a meaning in policy "%s": %s',
                   ordcancel_internal.label(orders), p.policy, statuses),
            NULL, 'They are ordinary statuses from now on.');
    END IF;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.notice_of_removed_statuses(regclass, ordcancel.policy, ordcancel.policy) IS
    'raises a NOTICE if orders have a status that lost its meaning';

CREATE FUNCTION ordcancel_internal.set_policy(
    orders regclass, policy text, grace interval, requested_status text, in_progress_status text,
    canceled_status text, customer_canceled_status text, on_progress text, decision_timeout interval,
    on_timeout text, undo text, undo_window interval, reason_required boolean, partly_fulfilled text, unset text[],
    copy_of text, settlement text, closed_statuses text[], reopen_statuses text[])
    RETURNS text
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    was ordcancel.policy;
    p ordcancel.policy;
    is_new boolean;
    told text;
    label CONSTANT text := ordcancel_internal.label(orders);
BEGIN
    PERFORM ordcancel_internal.check_attached(orders);
    is_new := ordcancel_internal.begin_policy(orders, policy, copy_of);
    IF NOT is_new AND copy_of <> 'default' AND copy_of <> policy THEN
        PERFORM ordcancel_internal.notice(format('policy "%s" of %s already exists, so "%s" is not copied',
                                                 policy, label, left(copy_of, 80)));
    END IF;
    SELECT * INTO was FROM ordcancel.policy AS t WHERE t.orders = set_policy.orders AND t.policy = set_policy.policy;
    p := ordcancel_internal.write_policy(orders, policy, grace, requested_status, in_progress_status, canceled_status,
                                         customer_canceled_status, on_progress, decision_timeout, on_timeout, undo,
                                         undo_window, reason_required, partly_fulfilled, unset, settlement,
                                         closed_statuses, reopen_statuses);

    IF is_new THEN
        PERFORM ordcancel_internal.notice_of_new_policy(orders, policy, copy_of);
    END IF;
    IF p.canceled_status IS NULL THEN
        PERFORM ordcancel_internal.notice(
            format('policy "%s" of %s has no canceled_status, so nobody can cancel its orders', policy, label),
            NULL, format('Call ordcancel.set_policy(%L, policy => %L, canceled_status => ...).', label, policy));
    END IF;
    IF p.grace IS NOT NULL
       AND (SELECT o.placed_at IS NULL FROM ordcancel.order_table AS o WHERE o.orders = set_policy.orders) THEN
        PERFORM ordcancel_internal.notice(
            format('the window of policy "%s" of %s never closes', policy, label),
            'attach() was called without placed_at, from which grace is counted.',
            format('Call ordcancel.attach(%L, placed_at => ...).', label));
    END IF;
    IF p.reopen_statuses <> '{}' AND p.undo <> 'canceled' THEN
        PERFORM ordcancel_internal.notice(
            format('canceled orders under policy "%s" of %s cannot be reopened', policy, label),
            format('Reopening is an undo, and undo is "%s".', p.undo),
            format('SELECT ordcancel.set_policy(%L, policy => %L, undo => ''canceled'');'
                   ' or reopen_statuses => ''{}''.', label, policy));
    END IF;
    PERFORM ordcancel_internal.notice_of_removed_statuses(orders, was, p);
    PERFORM ordcancel_internal.notice_of_check(orders, w.status),
            ordcancel_internal.notice_of_status(orders, policy, w.status, false)
    FROM unnest(ARRAY[requested_status, in_progress_status, canceled_status, customer_canceled_status]
                || closed_statuses || reopen_statuses) AS w (status)
    WHERE w.status IS NOT NULL;

    SELECT string_agg(format('%s: %s -> %s', f.fact, coalesce(o.value, 'none'), coalesce(f.value, 'none')),
                      '; ' ORDER BY f.n)
    INTO told
    FROM ordcancel_internal.policy_text(was) AS o JOIN ordcancel_internal.policy_text(p) AS f USING (fact)
    WHERE o.value IS DISTINCT FROM f.value;
    RETURN ordcancel_internal.record_change(
        orders, policy,
        format('policy "%s"%s, %s', policy,
               CASE WHEN NOT is_new THEN '' WHEN copy_of IS NULL THEN ' is new'
                    ELSE format(' is new, a copy of "%s"', copy_of) END,
               coalesce(told, 'nothing changed')),
        is_new OR told IS NOT NULL);
END
$$;
COMMENT ON FUNCTION ordcancel_internal.set_policy(
    regclass, text, interval, text, text, text, text, text, interval, text, text, interval, boolean, text, text[],
    text, text, text[], text[]) IS
    'implements ordcancel.set_policy()';

-- Changes the named settings of a policy and keeps the rest. The arguments are
-- the columns of ordcancel.policy; unset => '{grace}' resets columns to their
-- defaults. A new policy starts as a copy of copy_of, including its rules, or
-- empty with copy_of => NULL. Returns what changed; a NOTICE reports a new
-- policy, and settings that let nobody cancel. Raises OC001, OC014, 42501.
CREATE FUNCTION ordcancel.set_policy(
    orders regclass, policy text DEFAULT 'default', grace interval DEFAULT NULL, requested_status text DEFAULT NULL,
    in_progress_status text DEFAULT NULL, canceled_status text DEFAULT NULL,
    customer_canceled_status text DEFAULT NULL, on_progress text DEFAULT NULL,
    decision_timeout interval DEFAULT NULL, on_timeout text DEFAULT NULL, undo text DEFAULT NULL,
    undo_window interval DEFAULT NULL, reason_required boolean DEFAULT NULL, partly_fulfilled text DEFAULT NULL,
    unset text[] DEFAULT '{}', copy_of text DEFAULT 'default', settlement text DEFAULT NULL,
    closed_statuses text[] DEFAULT NULL, reopen_statuses text[] DEFAULT NULL) RETURNS text
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_owner_gate';
COMMENT ON FUNCTION ordcancel.set_policy(
    regclass, text, interval, text, text, text, text, text, interval, text, text, interval, boolean, text, text[],
    text, text, text[], text[]) IS
    E'creates a policy, or changes what is given of it\nRaises OC001, OC014, 0A000, 42501.';
