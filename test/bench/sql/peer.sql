-- The peer: the same rules written by hand in PL/pgSQL, as fast as we know.
-- Where there was a choice it was made in favor of the peer: the policy, the
-- rule and the reason come from one query; the record tables are kept by
-- privileges and not by triggers; the search_path is left as it is; blocks,
-- refunds and policies by column are left out; calls are assignments, which
-- PL/pgSQL runs without an executor where PERFORM needs one.
\set copy peer
\ir copies.sql
CREATE TABLE peer.policy (LIKE ordcancel.policy INCLUDING ALL);
CREATE TABLE peer.rule (LIKE ordcancel.rule INCLUDING ALL);
CREATE TABLE peer.reason (LIKE ordcancel.reason INCLUDING ALL);
INSERT INTO peer.policy TABLE ordcancel.policy;
INSERT INTO peer.rule TABLE ordcancel.rule;
INSERT INTO peer.reason TABLE ordcancel.reason;
REVOKE ALL ON ALL TABLES IN SCHEMA peer FROM PUBLIC;

-- The caller holds the lock on the order.
CREATE FUNCTION peer.record(key bigint, policy text, prior_status text, state text, status text, party text, actor text,
                            reason text, note text, request_key text, source text, at timestamptz) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
    id bigint := nextval('peer.cancellation_id_seq');
    event bigint := nextval('peer.event_id_seq');
    -- A request is not decided yet.
    decided boolean := state = 'canceled';
    ignored text;
BEGIN
    INSERT INTO peer.orders_cancellation (
        cancellation_id, order_key, state, requested_by, requested_actor, decided_by, decided_actor, reason, note,
        prior_status, policy, request_key, requested_at, decided_at, closed_at, order_status, order_id)
    VALUES (id, key::text, state, party, actor, CASE WHEN decided THEN party END, CASE WHEN decided THEN actor END,
            reason, note, prior_status, policy, request_key, at, CASE WHEN decided THEN at END,
            CASE WHEN decided THEN at END, status, key);
    INSERT INTO peer.orders_cancellation_event (
        event_id, cancellation_id, order_key, type, from_status, to_status, state, party, actor, session_role, reason,
        at, source, request_key, order_id)
    VALUES (event, id, key::text, state, prior_status, status, state, party, actor, session_user, reason, at, source,
            request_key, key);
    IF current_setting('ordcancel.notify') <> 'off' THEN
        ignored := pg_notify('ordcancel', json_build_object(
            'event_id', event, 'orders', 'shop.orders', 'order_id', key::text, 'type', state, 'from', prior_status,
            'to', status, 'state', state, 'party', party, 'actor', actor, 'reason', reason, 'at', at)::text);
    END IF;
    RETURN id;
END
$$;

CREATE FUNCTION peer.cancel_order(key bigint, reason_code text, note text DEFAULT NULL, actor text DEFAULT NULL,
                                  request_key text DEFAULT NULL) RETURNS ordcancel.outcome
    LANGUAGE plpgsql SECURITY DEFINER
    AS $$
DECLARE
    prior text;
    live record;
    rules record;
    past record;
    done ordcancel.outcome;
    at timestamptz;
    mode text;
    ignored text;
BEGIN
    SELECT o.status INTO prior FROM peer.orders AS o WHERE o.id = key FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'order % does not exist', key USING ERRCODE = 'OC002';
    END IF;
    at := clock_timestamp();
    IF request_key IS NOT NULL THEN
        SELECT e.cancellation_id, e.state, e.to_status INTO past
        FROM peer.orders_cancellation_event AS e WHERE e.request_key = cancel_order.request_key;
        IF FOUND THEN
            RETURN ('shop.orders', key, past.cancellation_id, past.state, past.to_status, false, NULL, NULL, NULL, NULL,
                    NULL);
        END IF;
    END IF;
    SELECT c.cancellation_id, c.state, c.requested_at, c.decided_at, c.closed_at INTO live
    FROM peer.orders_cancellation AS c WHERE c.order_id = key ORDER BY c.cancellation_id DESC LIMIT 1;
    SELECT p.canceled_status, p.requested_status, p.reason_required, r.merchant, r.hint, r.status AS ruled,
           w.code, w.active, w.audience, w.requires_note, w.requires_request, w.note_max
    INTO rules
    FROM peer.policy AS p
        LEFT JOIN peer.rule AS r ON r.orders = p.orders AND r.policy = p.policy AND r.status = prior
        LEFT JOIN peer.reason AS w ON w.code = reason_code
    WHERE p.orders = 'shop.orders'::regclass AND p.policy = 'default';

    IF live.state IN ('canceled', 'in_progress') OR prior = rules.canceled_status THEN
        RETURN ('shop.orders', key, live.cancellation_id, 'canceled', prior, false, NULL, NULL, live.requested_at,
                live.decided_at, live.closed_at);
    END IF;
    mode := CASE live.state WHEN 'requested' THEN 'cancel' ELSE coalesce(rules.merchant, 'forbid') END;
    IF mode = 'forbid' THEN
        RAISE EXCEPTION 'order % cannot be canceled by the merchant in status "%"', key, prior
            USING ERRCODE = 'OC003', HINT = coalesce(rules.hint, '');
    ELSIF reason_code IS NULL AND rules.reason_required
          OR reason_code IS NOT NULL
             AND (rules.code IS NULL OR NOT rules.active OR rules.audience NOT IN ('any', 'merchant')
                  OR rules.requires_request AND live.state IS DISTINCT FROM 'requested'
                  OR rules.requires_note AND coalesce(btrim(note), '') = '')
          OR length(note) > coalesce(rules.note_max, 2000) THEN
        RAISE EXCEPTION 'cancellation reason "%" will not do', reason_code USING ERRCODE = 'OC006';
    END IF;

    IF live.state = 'requested' THEN
        RETURN peer.confirm(key, live.cancellation_id, prior, rules.canceled_status, note, actor, at);
    END IF;
    done := ('shop.orders', key, NULL, CASE mode WHEN 'cancel' THEN 'canceled' ELSE 'requested' END,
             CASE mode WHEN 'cancel' THEN rules.canceled_status ELSE coalesce(rules.requested_status, prior) END,
             true, NULL, NULL, at, CASE mode WHEN 'cancel' THEN at END, CASE mode WHEN 'cancel' THEN at END);
    done.cancellation_id := peer.record(key, 'default', prior, done.state, done.order_status, 'merchant',
                                        coalesce(actor, session_user), reason_code, note, request_key,
                                        'cancel_order', at);
    ignored := set_config('peer.writing', key::text, true);
    UPDATE peer.orders SET status = done.order_status WHERE id = key;
    ignored := set_config('peer.writing', '', true);
    RETURN done;
END
$$;

CREATE FUNCTION peer.confirm(key bigint, id bigint, prior text, status text, note text, actor text, at timestamptz)
    RETURNS ordcancel.outcome
    LANGUAGE plpgsql
    AS $$
DECLARE
    ignored text;
BEGIN
    UPDATE peer.orders_cancellation
    SET state = 'canceled', decided_by = 'merchant', decided_actor = coalesce(actor, session_user),
        decision_note = note, decided_at = at, closed_at = at, order_status = status
    WHERE cancellation_id = id;
    ignored := peer.write_event(key, id, 'canceled', prior, status, 'cancel_order', actor, at);
    ignored := set_config('peer.writing', key::text, true);
    UPDATE peer.orders AS o SET status = confirm.status WHERE o.id = key;
    ignored := set_config('peer.writing', '', true);
    RETURN ('shop.orders', key, id, 'canceled', status, true, NULL, NULL, NULL, at, at);
END
$$;

CREATE FUNCTION peer.write_event(key bigint, id bigint, state text, prior text, status text, source text, actor text,
                                 at timestamptz) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    event bigint := nextval('peer.event_id_seq');
    ignored text;
BEGIN
    INSERT INTO peer.orders_cancellation_event (
        event_id, cancellation_id, order_key, type, from_status, to_status, state, party, actor, session_role, at,
        source, order_id)
    VALUES (event, id, key::text, state, prior, status, state, 'merchant', coalesce(actor, session_user),
            session_user, at, source, key);
    IF current_setting('ordcancel.notify') <> 'off' THEN
        ignored := pg_notify('ordcancel', json_build_object(
            'event_id', event, 'orders', 'shop.orders', 'order_id', key::text, 'type', state, 'from', prior,
            'to', status, 'state', state, 'party', 'merchant', 'actor', actor, 'at', at)::text);
    END IF;
END
$$;

-- The guard: a plain update is judged by the same rules.
CREATE FUNCTION peer.guard() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    AS $$
DECLARE
    live record;
    rules record;
    at timestamptz;
    ignored text;
BEGIN
    IF current_setting('peer.writing', true) = NEW.id::text THEN
        RETURN NULL;
    END IF;
    SELECT c.cancellation_id, c.state INTO live
    FROM peer.orders_cancellation AS c WHERE c.order_id = OLD.id ORDER BY c.cancellation_id DESC LIMIT 1;
    IF NEW.id <> OLD.id AND (FOUND OR EXISTS (SELECT FROM peer.orders_cancellation WHERE order_id = NEW.id)) THEN
        RAISE EXCEPTION 'key of order % cannot change', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.status = OLD.status THEN
        RETURN NULL;
    END IF;
    SELECT p.canceled_status, p.requested_status, p.on_progress, p.reason_required, r.merchant INTO rules
    FROM peer.policy AS p
        LEFT JOIN peer.rule AS r ON r.orders = p.orders AND r.policy = p.policy AND r.status = OLD.status
    WHERE p.orders = 'shop.orders'::regclass AND p.policy = 'default';

    IF live.state IN ('canceled', 'in_progress') OR OLD.status = rules.canceled_status THEN
        RAISE EXCEPTION 'order % is canceled', OLD.id USING ERRCODE = 'check_violation',
        CONSTRAINT = 'order_is_canceled';
    ELSIF NEW.status IN (rules.canceled_status, rules.requested_status) THEN
        IF live.state = 'requested' OR rules.reason_required
           OR NEW.status IS DISTINCT FROM (CASE rules.merchant WHEN 'cancel' THEN rules.canceled_status
                                                               WHEN 'request' THEN rules.requested_status END) THEN
            RAISE EXCEPTION 'order % cannot be canceled', OLD.id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'cancellation_forbidden';
        END IF;
        ignored := peer.record(NEW.id, 'default', OLD.status,
                            CASE NEW.status WHEN rules.canceled_status THEN 'canceled' ELSE 'requested' END,
                            NEW.status, 'merchant', session_user, NULL, NULL, NULL, 'update', clock_timestamp());
    ELSIF live.state = 'requested' THEN
        IF rules.on_progress = 'hold' THEN
            RAISE EXCEPTION 'order % is on hold', OLD.id USING ERRCODE = 'check_violation',
            CONSTRAINT = 'order_on_hold';
        END IF;
        at := clock_timestamp();
        UPDATE peer.orders_cancellation
        SET state = 'denied', decided_by = 'merchant', decided_at = at, closed_at = at, order_status = NEW.status
        WHERE cancellation_id = live.cancellation_id;
        ignored := peer.write_event(NEW.id, live.cancellation_id, 'denied', OLD.status, NEW.status, 'update', NULL, at);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER guard AFTER UPDATE ON peer.orders FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status OR OLD.id IS DISTINCT FROM NEW.id)
    EXECUTE FUNCTION peer.guard();
