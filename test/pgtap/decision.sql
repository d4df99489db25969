-- The decision by itself, against a second opinion: what docs promise, written
-- down here a second time and compared over the whole table of cases.
\set ECHO none
\set QUIET true
\pset format unaligned
\pset tuples_only true

BEGIN;
SELECT no_plan();
SET LOCAL search_path = public;
SET LOCAL jit = off;

-- ------------------------------------------------------------ second opinion
-- An answer reads "outcome condition status event", with - for none.

CREATE FUNCTION is_late(placed_at timestamptz, grace interval, at timestamptz) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    RETURN coalesce(placed_at + grace < at, false);

-- What the rule says to a party.
CREATE FUNCTION mode(party text, late boolean, customer text, customer_late text, merchant text) RETURNS text
    LANGUAGE sql IMMUTABLE
    RETURN coalesce(CASE WHEN party = 'customer' AND late THEN coalesce(customer_late, customer)
                         WHEN party = 'customer' THEN customer
                         WHEN party = 'merchant' THEN merchant END, 'forbid');

-- Forbidden: by the rule, or only because it is late.
CREATE FUNCTION forbidden(party text, late boolean, customer text) RETURNS text
    LANGUAGE sql IMMUTABLE
    RETURN CASE WHEN party = 'customer' AND late AND customer <> 'forbid' THEN 'refused grace_period_over - -'
                ELSE 'refused cancellation_forbidden - -' END;

-- Accepted: money first, if there is any.
CREATE FUNCTION accepted(money_due boolean, final_status text) RETURNS text
    LANGUAGE sql IMMUTABLE
    RETURN CASE WHEN money_due THEN 'in_progress - in_progress accepted'
                ELSE 'canceled - ' || final_status || ' canceled' END;

CREATE FUNCTION expected_verb(verb text, party text, state text, asked_by text, mode text, forbidden text,
                              blocked boolean, money_due boolean, undo text, undo_late boolean) RETURNS text
    LANGUAGE sql IMMUTABLE
    RETURN CASE
        -- What is so already changes nothing.
        WHEN verb IN ('request_cancel', 'cancel_order', 'override_cancel', 'accept_cancel')
             AND state IN ('in_progress', 'canceled') THEN 'already - - -'
        WHEN verb = 'request_cancel' AND state = 'requested' THEN 'already - - -'
        WHEN verb = 'withdraw_cancel' AND state = 'withdrawn' AND party = asked_by THEN 'already - - -'
        WHEN verb = 'deny_cancel' AND state = 'denied' THEN 'already - - -'
        WHEN verb = 'undo_cancel' AND state IN ('undone', 'withdrawn') THEN 'already - - -'

        -- Confirming and deciding what is requested.
        WHEN verb IN ('cancel_order', 'accept_cancel') AND state = 'requested'
            THEN CASE WHEN blocked THEN 'refused cancellation_blocked - -' ELSE accepted(money_due, 'canceled') END
        WHEN verb = 'accept_cancel' THEN 'refused no_open_cancellation - -'
        WHEN verb = 'deny_cancel'
            THEN CASE WHEN state <> 'requested' THEN 'refused no_open_cancellation - -'
                      WHEN party = asked_by THEN 'refused cancellation_forbidden - -'
                      ELSE 'denied - prior denied' END
        WHEN verb = 'withdraw_cancel'
            THEN CASE WHEN state <> 'requested' THEN 'refused no_open_cancellation - -'
                      WHEN party <> asked_by THEN 'refused cancellation_forbidden - -'
                      ELSE 'withdrawn - prior withdrawn' END
        WHEN verb = 'override_cancel' THEN accepted(money_due, 'canceled')
        WHEN verb = 'record_refund'
            THEN CASE state WHEN 'in_progress' THEN 'in_progress - - refunded'
                            ELSE 'refused no_open_cancellation - -' END
        WHEN verb = 'undo_cancel'
            THEN CASE WHEN state NOT IN ('requested', 'in_progress', 'canceled') THEN 'refused undo_not_allowed - -'
                      WHEN array_position('{never,requested,in_progress,canceled}', undo)
                           < array_position('{never,requested,in_progress,canceled}', state)
                          THEN 'refused undo_not_allowed - -'
                      WHEN undo_late THEN 'refused undo_not_allowed - -'
                      WHEN state = 'requested' THEN 'withdrawn - prior withdrawn'
                      ELSE 'undone - prior undone' END

        -- Beginning one.
        WHEN mode = 'forbid' THEN forbidden
        WHEN blocked THEN 'refused cancellation_blocked - -'
        WHEN mode = 'request' THEN 'requested - requested requested'
        WHEN party = 'customer' THEN accepted(money_due, 'customer_canceled')
        ELSE accepted(money_due, 'canceled')
    END;

CREATE FUNCTION expected_change(change_to text, party text, state text, asked_by text, mode text, forbidden text,
                                blocked boolean, money_due boolean, on_progress text) RETURNS text
    LANGUAGE sql IMMUTABLE
    RETURN CASE
        WHEN change_to = CASE WHEN state IN ('requested', 'in_progress', 'canceled') THEN state ELSE 'prior' END
            THEN 'already - - -'
        WHEN state = 'canceled' THEN 'refused order_is_canceled - -'
        WHEN state = 'in_progress'
            THEN CASE WHEN change_to IN ('canceled', 'customer_canceled') THEN 'refused refund_not_settled - -'
                      WHEN change_to = 'requested' THEN 'refused cancellation_forbidden - -'
                      ELSE 'refused order_is_canceled - -' END
        WHEN state = 'requested' AND change_to = 'prior' AND party = asked_by THEN 'withdrawn - prior withdrawn'
        WHEN state = 'requested' AND change_to IN ('prior', 'other')
            THEN CASE on_progress WHEN 'deny' THEN 'denied - - denied' ELSE 'refused order_on_hold - -' END
        WHEN state = 'requested'
            THEN CASE WHEN party = 'customer' THEN 'refused cancellation_forbidden - -'
                      WHEN blocked THEN 'refused cancellation_blocked - -'
                      WHEN change_to = 'canceled' AND money_due THEN 'refused refund_not_settled - -'
                      WHEN (change_to = 'in_progress') = money_due AND change_to <> 'customer_canceled'
                          THEN accepted(money_due, 'canceled')
                      ELSE 'refused cancellation_forbidden - -' END
        WHEN change_to IN ('prior', 'other') THEN 'already - - -'
        WHEN mode = 'forbid' THEN forbidden
        WHEN blocked THEN 'refused cancellation_blocked - -'
        WHEN mode = 'request' AND change_to = 'requested' THEN 'requested - requested requested'
        WHEN mode = 'cancel' AND money_due AND change_to = 'in_progress' THEN 'in_progress - in_progress accepted'
        WHEN mode = 'cancel' AND money_due AND change_to IN ('canceled', 'customer_canceled') THEN 'refused refund_not_settled - -'
        WHEN mode = 'cancel' AND NOT money_due
             AND change_to = CASE party WHEN 'customer' THEN 'customer_canceled' ELSE 'canceled' END
            THEN accepted(false, change_to)
        ELSE 'refused cancellation_forbidden - -'
    END;

-- ---------------------------------------------------------------- the cases

CREATE TEMP TABLE verbs AS
SELECT unnest('{request_cancel,cancel_order,override_cancel,withdraw_cancel,accept_cancel,deny_cancel,record_refund,undo_cancel}'::text[]) AS verb;
CREATE TEMP TABLE parties AS SELECT unnest('{customer,merchant,system}'::text[]) AS party;
CREATE TEMP TABLE askers AS SELECT unnest('{customer,merchant}'::text[]) AS asked_by;
CREATE TEMP TABLE states AS SELECT unnest('{none,requested,in_progress,canceled,denied,withdrawn,undone}'::text[]) AS state;
CREATE TEMP TABLE rules AS
SELECT c AS customer, l AS customer_late, m AS merchant
FROM unnest('{forbid,request,cancel}'::text[]) AS c, unnest('{forbid,request,cancel,NULL}'::text[]) AS l,
    unnest('{forbid,request,cancel}'::text[]) AS m
UNION ALL
SELECT NULL, NULL, NULL;
CREATE TEMP TABLE windows AS
SELECT * FROM (VALUES
    ('no grace', timestamptz '2026-05-05 12:00+00', NULL::interval, timestamptz '2026-05-05 18:00+00'),
    ('never placed', NULL, '30 minutes', '2026-05-05 12:10+00'),
    ('before the end', '2026-05-05 12:00+00', '30 minutes', '2026-05-05 12:10+00'),
    ('at the end', '2026-05-05 12:00+00', '30 minutes', '2026-05-05 12:30+00'),
    ('one microsecond after', '2026-05-05 12:00+00', '30 minutes', '2026-05-05 12:30:00.000001+00')) AS w (win, placed_at, grace, at);
CREATE TEMP TABLE flags AS SELECT b AS blocked, m AS money_due FROM unnest('{f,t}'::bool[]) AS b, unnest('{f,t}'::bool[]) AS m;
