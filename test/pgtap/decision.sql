-- The decision by itself, against a second opinion: the rules are written down
-- here once more, and both are asked about the whole table of cases.
BEGIN;
SELECT plan(44);
SET LOCAL jit = off;

-- ------------------------------------------------------------ second opinion
-- An answer reads "outcome condition status event", - for none.

CREATE FUNCTION answer(outcome text, condition text, status text, event text) RETURNS text
    LANGUAGE sql IMMUTABLE
    RETURN outcome || ' ' || coalesce(condition, '-') || ' ' || coalesce(status, '-') || ' ' || coalesce(event, '-');
CREATE FUNCTION refused(condition text) RETURNS text
    LANGUAGE sql IMMUTABLE
    RETURN 'refused ' || condition || ' - -';

-- The window counts from placed_at, and is still open at its very end.
CREATE FUNCTION is_late(placed_at timestamptz, grace interval, at timestamptz) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    RETURN coalesce(at > placed_at + grace, false);

-- What the rule says to a party. The system has no column: it acts for the shop.
CREATE FUNCTION mode(party text, late boolean, customer text, customer_late text, merchant text) RETURNS text
    LANGUAGE sql IMMUTABLE
    RETURN coalesce(CASE WHEN party <> 'customer' THEN merchant
                         WHEN late THEN coalesce(customer_late, customer)
                         ELSE customer END, 'forbid');

-- Forbidden by the rule, or only because it is late.
CREATE FUNCTION forbidden(party text, late boolean, customer text) RETURNS text
    LANGUAGE sql IMMUTABLE
    RETURN CASE WHEN party = 'customer' AND late AND customer <> 'forbid' THEN refused('grace_period_over')
                ELSE refused('cancellation_forbidden') END;

-- Agreed on: the money first, if any is due.
CREATE FUNCTION agreed(money_due boolean, final_status text) RETURNS text
    LANGUAGE sql IMMUTABLE
    RETURN CASE WHEN money_due THEN 'in_progress - in_progress accepted'
                ELSE 'canceled - ' || final_status || ' canceled' END;

CREATE FUNCTION reach(word text) RETURNS integer
    LANGUAGE sql IMMUTABLE
    RETURN array_position('{never,requested,in_progress,canceled}', word);

CREATE FUNCTION expected(verb text, party text, state text, asked_by text, mode text, forbidden text,
                         blocked boolean, money_due boolean, undo text, undo_late boolean) RETURNS text
    LANGUAGE sql IMMUTABLE
    RETURN CASE
        -- Asking for what is so already changes nothing.
        WHEN state IN ('in_progress', 'canceled')
             AND verb IN ('request_cancel', 'cancel_order', 'override_cancel', 'accept_cancel') THEN 'already - - -'
        WHEN state = 'requested' AND party = 'customer' AND verb IN ('request_cancel', 'cancel_order')
            THEN 'already - - -'
        WHEN (verb, state) IN (('withdraw_cancel', 'withdrawn'), ('deny_cancel', 'denied'),
                               ('undo_cancel', 'withdrawn'), ('undo_cancel', 'undone')) THEN 'already - - -'

        -- Confirming and deciding what is requested.
        WHEN verb IN ('request_cancel', 'cancel_order', 'accept_cancel') AND state = 'requested'
            THEN CASE WHEN blocked THEN refused('cancellation_blocked') ELSE agreed(money_due, 'canceled') END
        WHEN verb IN ('accept_cancel', 'deny_cancel', 'withdraw_cancel') AND state <> 'requested'
            THEN refused('no_open_cancellation')
        WHEN verb = 'deny_cancel'
            THEN CASE WHEN party = asked_by THEN refused('cancellation_forbidden') ELSE 'denied - prior denied' END
        WHEN verb = 'withdraw_cancel'
            THEN CASE WHEN party = asked_by THEN 'withdrawn - prior withdrawn'
    ELSE refused('cancellation_forbidden') END

        -- The money, and the way back.
        WHEN verb = 'record_refund'
            THEN CASE WHEN state = 'in_progress' THEN 'in_progress - - refunded'
    ELSE refused('no_open_cancellation') END
        WHEN verb = 'undo_cancel'
            THEN CASE WHEN state NOT IN ('requested', 'in_progress', 'canceled') THEN refused('undo_not_allowed')
                      WHEN reach(state) > reach(undo) OR undo_late THEN refused('undo_not_allowed')
                      WHEN state = 'requested' AND party = asked_by THEN 'withdrawn - prior withdrawn'
                      WHEN state = 'requested' THEN 'denied - prior denied'
                      ELSE 'undone - prior undone' END

        -- Beginning one.
        WHEN verb = 'override_cancel'
            THEN agreed(money_due, CASE party WHEN 'customer' THEN 'customer_canceled' ELSE 'canceled' END)
        WHEN mode = 'forbid' THEN forbidden
        WHEN blocked THEN refused('cancellation_blocked')
        WHEN mode = 'request' THEN 'requested - requested requested'
        ELSE agreed(money_due, CASE party WHEN 'customer' THEN 'customer_canceled' ELSE 'canceled' END)
    END;

CREATE FUNCTION expected_change(change_to text, party text, state text, asked_by text, mode text, forbidden text,
                                blocked boolean, money_due boolean, on_progress text) RETURNS text
    LANGUAGE sql IMMUTABLE
    RETURN CASE
        -- No way out of a cancellation, and no way round the refund.
        WHEN state = 'in_progress' AND change_to IN ('canceled', 'customer_canceled') THEN refused('refund_not_settled')
        WHEN state IN ('canceled', 'in_progress') THEN refused('order_is_canceled')

        -- Of a request: never back, that may be a stale save; on, perhaps.
        WHEN state = 'requested' AND change_to = 'prior' THEN refused('order_on_hold')
        WHEN state = 'requested' AND change_to = 'other'
            THEN CASE on_progress WHEN 'hold' THEN refused('order_on_hold') ELSE 'denied - - denied' END
        WHEN change_to IN ('prior', 'other') THEN 'already - - -'

        -- Into one: what the function would have written, nothing else.
        WHEN state = 'requested' AND party = 'customer' THEN refused('cancellation_forbidden')
        WHEN state <> 'requested' AND mode = 'forbid' THEN forbidden
        WHEN blocked THEN refused('cancellation_blocked')
        WHEN state <> 'requested' AND mode = 'request'
            THEN CASE change_to WHEN 'requested' THEN 'requested - requested requested'
                                ELSE refused('cancellation_forbidden') END
        WHEN money_due
            THEN CASE change_to WHEN 'in_progress' THEN 'in_progress - in_progress accepted'
                                WHEN 'requested' THEN refused('cancellation_forbidden')
                                ELSE refused('refund_not_settled') END
        WHEN change_to = CASE party WHEN 'customer' THEN 'customer_canceled' ELSE 'canceled' END
            THEN agreed(false, change_to)
        ELSE refused('cancellation_forbidden')
    END;

-- ----------------------------------------------------------------- the table

CREATE TEMP TABLE parties AS SELECT unnest('{customer,merchant,system}'::text[]) AS party;
CREATE TEMP TABLE askers AS SELECT unnest('{customer,merchant}'::text[]) AS asked_by;
CREATE TEMP TABLE states AS
SELECT unnest('{none,requested,in_progress,canceled,denied,withdrawn,undone}'::text[]) AS state;
CREATE TEMP TABLE rules AS
SELECT c AS customer, l AS customer_late, m AS merchant
FROM unnest('{forbid,request,cancel}'::text[]) AS c, unnest('{forbid,request,cancel,NULL}'::text[]) AS l,
    unnest('{forbid,request,cancel}'::text[]) AS m
UNION ALL
SELECT NULL, NULL, NULL;
CREATE TEMP TABLE windows (win, placed_at, grace, at) AS
VALUES ('no grace', timestamptz '2026-05-05 12:00+00', NULL::interval, timestamptz '2026-05-05 18:00+00'),
    ('never placed', NULL, '30 minutes', '2026-05-05 12:10+00'),
    ('before the end', '2026-05-05 12:00+00', '30 minutes', '2026-05-05 12:10+00'),
    ('at the end', '2026-05-05 12:00+00', '30 minutes', '2026-05-05 12:30+00'),
    ('one microsecond after', '2026-05-05 12:00+00', '30 minutes', '2026-05-05 12:30:00.000001+00');
CREATE TEMP TABLE situations AS
SELECT row_number() OVER () AS n, party, state, asked_by, customer, customer_late, merchant, win, placed_at, grace, at,
    blocked, money_due, is_late(placed_at, grace, at) AS late,
    mode(party, is_late(placed_at, grace, at), customer, customer_late, merchant),
    forbidden(party, is_late(placed_at, grace, at), customer)
FROM parties, askers, states, rules, windows, unnest('{f,t}'::boolean[]) AS b (blocked),
    unnest('{f,t}'::boolean[]) AS m (money_due);
ANALYZE situations;
SELECT is(count(*), (3 * 7 * 2 * 37 * 5 * 2 * 2)::bigint, 'the table has every situation') FROM situations;

-- The first rows, if any, on which the two disagree.
CREATE FUNCTION differences(cases text, what text) RETURNS text
    LANGUAGE sql STABLE
    RETURN format('SELECT * FROM %I JOIN situations USING (n)'
                  ' WHERE what = %L AND expected IS DISTINCT FROM decided ORDER BY n LIMIT 5', cases, what);

-- -------------------------------------------------------------------- verbs
-- How far and how long an undo may reach is nothing to these.

CREATE TEMP TABLE verb_cases AS
SELECT what, n, on_progress, undo, (d).until,
    expected(what, party, state, asked_by, mode, forbidden, blocked, money_due, undo, false),
    answer((d).outcome, (d).condition, (d).status, (d).event) AS decided
FROM (SELECT what, s.*, on_progress, undo,
          ordcancel.decide(what, party, state, asked_by, customer, customer_late, merchant,
                           placed_at => placed_at, grace => grace, at => s.at, blocked => blocked,
                           money_due => money_due, on_progress => on_progress, undo => undo,
                           closed_at => '2026-01-01 00:00+00', undo_window => '1 hour') AS d
      FROM situations AS s, unnest('{deny,hold}'::text[]) AS p (on_progress),
           unnest('{never,canceled}'::text[]) AS u (undo),
          unnest('{request_cancel,cancel_order,override_cancel,withdraw_cancel,accept_cancel,deny_cancel,'
                 'record_refund}'::text[]) AS v (what)
      OFFSET 0) AS x;
ANALYZE verb_cases;
SELECT is(count(*), (31080 * 2 * 2 * 7)::bigint, 'seven verbs are asked about every situation') FROM verb_cases;

SELECT is_empty(differences('verb_cases', what), what || ' is decided as the rules say')
FROM unnest('{request_cancel,cancel_order,override_cancel,withdraw_cancel,accept_cancel,deny_cancel,'
            'record_refund}'::text[]) AS what;

CREATE FUNCTION answers(cases text, what text, of_party text) RETURNS text
    LANGUAGE sql STABLE
    RETURN format('SELECT DISTINCT decided FROM %I JOIN situations USING (n) WHERE what = %L AND party = %L',
                  cases, what, of_party);
SELECT set_eq(answers('verb_cases', 'request_cancel', 'customer'),
              ARRAY['already - - -', 'canceled - customer_canceled canceled', 'in_progress - in_progress accepted',
                    'refused cancellation_blocked - -', 'refused cancellation_forbidden - -',
                    'refused grace_period_over - -', 'requested - requested requested'],
              'request_cancel of a customer has seven answers');
SELECT set_eq(answers('verb_cases', 'cancel_order', 'merchant'),
              ARRAY['already - - -', 'canceled - canceled canceled', 'in_progress - in_progress accepted',
                    'refused cancellation_blocked - -', 'refused cancellation_forbidden - -',
                    'requested - requested requested'],
              'cancel_order of a merchant has six answers, none about a window');
SELECT set_eq(answers('verb_cases', 'override_cancel', 'merchant'),
              ARRAY['already - - -', 'canceled - canceled canceled', 'in_progress - in_progress accepted'],
              'override_cancel of a merchant is never refused');

SELECT is_empty($$
    SELECT n, until, placed_at + grace FROM verb_cases JOIN situations AS s USING (n)
    WHERE what = 'request_cancel' AND party = 'customer' AND state IN ('none', 'denied', 'withdrawn', 'undone')
      AND decided NOT LIKE 'refused%'
      AND until IS DISTINCT FROM CASE WHEN NOT late AND coalesce(customer_late, customer) <> customer
        THEN placed_at + grace END
    LIMIT 5 $$,
    'what a customer may do lasts until the window ends, if the rule says otherwise from then on');
SELECT isnt_empty($$SELECT FROM verb_cases WHERE until IS NOT NULL$$, 'some answers have an end');
SELECT is_empty($$SELECT n FROM verb_cases JOIN situations USING (n) WHERE until IS NOT NULL AND party <> 'customer'
                  LIMIT 5$$,
                'the customer''s window ends nothing for the others');

-- --------------------------------------------------------------------- undo

CREATE TEMP TABLE closings (closing, closed_at, undo_window, undo_late) AS
VALUES ('no limit', timestamptz '2026-05-05 12:00+00', NULL::interval, false),
    ('not closed', NULL, '2 hours', false),
    ('before the end', '2026-05-05 12:00+00', '2 hours', false),
    ('at the end', '2026-05-05 12:00+00', '2 hours', false),
    ('one microsecond after', '2026-05-05 12:00+00', '2 hours', true);
CREATE TEMP TABLE undo_cases AS
SELECT 'undo_cancel' AS what, n, undo, closing, closed_at + undo_window AS ends, (d).until,
    expected('undo_cancel', party, state, asked_by, mode, forbidden, blocked, money_due, undo, undo_late),
    answer((d).outcome, (d).condition, (d).status, (d).event) AS decided
FROM (SELECT s.*, undo, c.*,
          ordcancel.decide('undo_cancel', party, state, asked_by, customer, customer_late, merchant,
                           placed_at => placed_at, grace => grace, blocked => blocked, money_due => money_due,
                           undo => undo,
                           at => CASE closing WHEN 'one microsecond after'
                               THEN timestamptz '2026-05-05 14:00:00.000001+00'
                                              WHEN 'at the end' THEN '2026-05-05 14:00+00'
                                              ELSE '2026-05-05 13:59:59.999999+00' END,
                           closed_at => c.closed_at, undo_window => undo_window) AS d
      FROM situations AS s, unnest('{never,requested,in_progress,canceled}'::text[]) AS u (undo), closings AS c
      WHERE closing IN ('no limit', 'not closed') OR state NOT IN ('none', 'requested', 'in_progress')
      OFFSET 0) AS x;
ANALYZE undo_cases;
SELECT is(count(*), (31080 / 7 * (7 * 2 + 4 * 3) * 4)::bigint, 'undo is asked about every situation, reach and window')
FROM undo_cases;
SELECT is_empty(differences('undo_cases', 'undo_cancel'), 'undo_cancel is decided as the policy says');
SELECT is_empty($$
    SELECT n, until, ends FROM undo_cases
    WHERE decided LIKE 'undone %' AND until IS DISTINCT FROM ends LIMIT 5 $$,
    'an undo is possible until its window ends');
SELECT set_eq(answers('undo_cases', 'undo_cancel', 'merchant'),
              ARRAY['already - - -', 'denied - prior denied', 'refused undo_not_allowed - -', 'undone - prior undone',
                    'withdrawn - prior withdrawn'],
              'undo_cancel has five answers while no money has come back');

-- ------------------------------------------------------------ plain updates
-- The verb is found by the decision: what is passed is of no account.

CREATE TEMP TABLE change_cases AS
SELECT what, n, on_progress, verb,
    expected_change(what, party, state, asked_by, mode, forbidden, blocked, money_due, on_progress) AS expected,
    answer((d).outcome, (d).condition, (d).status, (d).event) AS decided
FROM (SELECT what, s.*, on_progress, verb,
          ordcancel.decide(verb, party, state, asked_by, customer, customer_late, merchant,
                           placed_at => placed_at, grace => grace, at => s.at, blocked => blocked,
                           money_due => money_due, on_progress => on_progress, change_to => what) AS d
      FROM situations AS s, unnest('{deny,hold}'::text[]) AS p (on_progress),
          unnest('{requested,in_progress,canceled,customer_canceled,prior,other}'::text[]) AS v (what),
          unnest('{request_cancel,undo_cancel}'::text[]) AS w (verb)
      -- A status that the order has already is no change.
      WHERE what <> CASE WHEN state IN ('requested', 'in_progress', 'canceled') THEN state ELSE 'prior' END
      OFFSET 0) AS x;
ANALYZE change_cases;
SELECT is(count(*), (31080 * 2 * 5 * 2)::bigint, 'six statuses are tried from every situation') FROM change_cases;
SELECT is_empty(differences('change_cases', what), 'a plain change to ' || what || ' is decided as the rules say')
FROM unnest('{requested,in_progress,canceled,customer_canceled,prior,other}'::text[]) AS what;
SELECT isnt_empty('SELECT FROM change_cases WHERE decided LIKE ' || quote_literal(prefix || ' %'),
                  'some plain change ends as ' || prefix)
FROM unnest('{requested,in_progress,canceled,denied,already,refused}'::text[]) AS prefix;
SELECT is_empty($$SELECT FROM change_cases WHERE decided LIKE 'withdrawn %'$$, 'none withdraws');
SELECT is_empty($$
    SELECT c.n, c.what, c.decided, v.what, v.decided
    FROM change_cases AS c JOIN situations AS s USING (n) JOIN verb_cases AS v USING (n)
    WHERE v.what = CASE party WHEN 'customer' THEN 'request_cancel' ELSE 'cancel_order' END
      AND c.what NOT IN ('prior', 'other')
      AND (c.decided ~ '^(requested|in_progress|canceled) ' OR v.decided LIKE '% - ' || c.what || ' %')
      AND c.decided <> v.decided
    LIMIT 5 $$,
    'a plain change into a cancellation is allowed exactly where the function would have written it');

-- ------------------------------------------------------- insert and delete

SELECT is_empty($$
    SELECT state, deletable, merchant, d.outcome, d.condition
    FROM states, unnest('{t,f,NULL}'::boolean[]) AS x (deletable), unnest('{cancel,NULL}'::text[]) AS m (merchant),
        ordcancel.decide('delete', 'system', state, merchant => merchant, deletable => deletable) AS d
    WHERE (d.outcome, d.condition) IS DISTINCT FROM
          CASE WHEN deletable AND state NOT IN ('requested', 'in_progress') THEN ('already'::text, NULL::text)
               ELSE ('refused'::text, 'cancellation_forbidden'::text) END $$,
    'an order may be deleted only where its rule says so, and never with a cancellation open');
SELECT is_empty($$
    SELECT state, d.outcome, d.condition FROM states, ordcancel.decide('insert', 'system', state) AS d
    WHERE (d.outcome, d.condition) IS DISTINCT FROM
          CASE WHEN state IN ('requested', 'in_progress') THEN ('refused'::text, 'cancellation_forbidden'::text)
               ELSE ('already'::text, NULL::text) END $$,
    'an order may begin in any status but those of an open cancellation');

-- ------------------------------------------------------------ the arguments

SELECT results_eq($$SELECT d.outcome, d.condition
                    FROM ordcancel.decide('request_cancel', 'customer', deletable => true) AS d$$,
                  $$VALUES ('refused', 'cancellation_forbidden')$$, 'a rule that names no party forbids');
SELECT is((ordcancel.decide('request_cancel', 'customer', customer => 'cancel', customer_late => 'forbid',
                            placed_at => now() - interval '1 hour', grace => '2 hours')).until,
          now() + interval '1 hour', 'without a time it is decided for now');
SELECT throws_ok(format('SELECT ordcancel.decide(%s)', arguments), '22023', NULL, 'refused: ' || arguments)
FROM (VALUES ($$'cancel', 'customer'$$), ($$'request_cancel', 'shopper'$$),
             ($$'request_cancel', 'customer', 'closed'$$),
             ($$'request_cancel', 'customer', customer => 'maybe'$$),
             ($$'undo_cancel', 'merchant', undo => 'always'$$),
             ($$'request_cancel', 'customer', on_progress => 'ignore'$$)) AS bad (arguments);

SELECT * FROM finish();
ROLLBACK;
