-- What calls and settings promise beyond the verbs' own work: reasons of those
-- who decide, whose request an undo ends, ordcancel.party, what settings refuse.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
SELECT plan(103);
SET LOCAL timezone = 'UTC';
SET LOCAL ordcancel.clock = '2026-05-05 12:00+00';

CREATE ROLE calls_shopper;
CREATE ROLE calls_clerk;
CREATE ROLE calls_shop;
CREATE SCHEMA shop;
GRANT USAGE ON SCHEMA shop TO calls_shopper, calls_clerk, calls_shop;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text, due numeric);
GRANT SELECT, UPDATE ON shop.orders TO calls_shopper, calls_clerk, calls_shop;
SELECT ordcancel.attach('shop.orders', 'status', refund_due => 'due');
SELECT ordcancel.set_policy('shop.orders', requested_status => 'asked', in_progress_status => 'refunding',
                            canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.orders', 'placed', customer => 'request', merchant => 'cancel');
SELECT ordcancel.set_rule('shop.orders', 'new', customer => 'cancel', merchant => 'request');
SELECT ordcancel.set_rule('shop.orders', 'canceled', deletable => true);
SELECT ordcancel.grant_customer('calls_shopper'), ordcancel.grant_merchant('calls_clerk'),
       ordcancel.grant_customer('calls_shop'), ordcancel.grant_merchant('calls_shop');
GRANT EXECUTE ON PROCEDURE ordcancel.cancel_batch, ordcancel.resume_batch TO calls_shop;
GRANT EXECUTE ON FUNCTION ordcancel.override_cancel(regclass, text, text, text, text, text, jsonb, numeric)
    TO calls_shop;
INSERT INTO shop.orders SELECT n, 'placed' FROM generate_series(1, 99) AS n;
INSERT INTO shop.orders SELECT n, 'new' FROM generate_series(100, 129) AS n;

CREATE FUNCTION reasons(id integer) RETURNS text LANGUAGE sql AS $$
SELECT (SELECT coalesce(reason, '-') FROM shop.orders_cancellation WHERE order_id = $1 ORDER BY cancellation_id DESC
        LIMIT 1) || ': '
    || (SELECT string_agg(type || ' ' || coalesce(reason, '-'), ', ' ORDER BY event_id)
        FROM shop.orders_cancellation_event WHERE order_id = $1) $$;
CREATE FUNCTION notes(id integer) RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', coalesce(note, '-'), coalesce(decision_note, '-'), coalesce(undo_note, '-'))
FROM shop.orders_cancellation WHERE order_id = $1 ORDER BY cancellation_id DESC LIMIT 1 $$;

-- ------------------------------------------------------- the reason of who accepts

SELECT ordcancel.request_cancel('shop.orders', n, CASE WHEN n < 10 THEN 'found_cheaper_price' END, 'please')
FROM generate_series(1, 19) AS n;
SELECT is(outcome_of($$accept_cancel('shop.orders', 1)$$), 'canceled canceled', 'accepted without a reason');
SELECT is(reasons(1), 'found_cheaper_price: requested found_cheaper_price, canceled found_cheaper_price',
          'the asker''s stays');
SELECT is(outcome_of($$accept_cancel('shop.orders', 2, 'out_of_stock', 'sorry', 'ben')$$), 'canceled canceled',
          'accepted with one');
SELECT is(reasons(2), 'out_of_stock: requested found_cheaper_price, canceled out_of_stock',
          'it is the record''s, the asker''s stays in the event');
SELECT is(notes(2), 'please sorry -', 'the fourth argument is the note');
SELECT is(outcome_of($$cancel_order('shop.orders', 3, 'out_of_stock', 'sorry')$$), 'canceled canceled',
          'cancel_order confirms with one');
SELECT is(reasons(3) || ' ' || notes(3),
          'out_of_stock: requested found_cheaper_price, canceled out_of_stock please sorry -', 'in the same way');
SELECT is(outcome_of($$accept_cancel('shop.orders', 10, 'out_of_stock')$$), 'canceled canceled',
          'accepted with the first reason');
SELECT is(reasons(10), 'out_of_stock: requested -, canceled out_of_stock', 'it is the record''s');
SELECT is(error_of($$SELECT ordcancel.accept_cancel('shop.orders', 4, 'fine, go on')$$),
          'OC006 | cancellation reason "fine, go on" does not exist | See ordcancel.reason for the valid reasons.',
          'a note in the reason''s place is no reason');
SELECT is(error_of($$SELECT ordcancel.accept_cancel('shop.orders', 4, 'found_cheaper_price')$$),
          'OC006 | cancellation reason "found_cheaper_price" cannot be used by the merchant'
          ' | See ordcancel.reason for the valid reasons.', 'it is the merchant''s reason');
SELECT is(outcome_of($$accept_cancel('shop.orders', 4, 'other')$$), 'OC006', 'one that needs a note needs it');
SELECT is(outcome_of($$accept_cancel('shop.orders', 4, 'other', 'her dog ate it')$$), 'canceled canceled',
          'and has it');
SELECT is(outcome_of($$accept_cancel('shop.orders', 4, 'no such')$$), 'canceled canceled unchanged',
          'accepted already: nothing is judged');
INSERT INTO ordcancel.reason (code, description, audience, requires_request)
VALUES ('as_you_wish', 'as the customer asked', 'any', true);
SELECT is(outcome_of($$accept_cancel('shop.orders', 5, 'as_you_wish')$$), 'canceled canceled',
          'the customer has asked for it');
SET LOCAL ordcancel.reason = 'out_of_stock';
SELECT is(attempt($$UPDATE shop.orders SET status = 'canceled' WHERE id = 6$$), 'ok', 'a plain update accepts');
RESET ordcancel.reason;
SELECT is(reasons(6), 'out_of_stock: requested found_cheaper_price, canceled out_of_stock',
          'with the reason of the setting');
SELECT ordcancel.set_policy('shop.orders', reason_required => true);
SELECT is(error_of($$SELECT ordcancel.accept_cancel('shop.orders', 11)$$),
          'OC006 | a cancellation reason is required | Policy "default" requires one. | See ordcancel.reason for the '
          'valid reasons.', 'required meanwhile: not without');
SELECT is(outcome_of($$accept_cancel('shop.orders', 11, 'out_of_stock')$$), 'canceled canceled',
          'with one it is accepted');
SELECT is(outcome_of($$accept_cancel('shop.orders', 7)$$), 'canceled canceled',
          'where the customer gave one, without');
SELECT is(outcome_of($$deny_cancel('shop.orders', 12, 'no')$$), 'denied placed', 'a denial needs none');
SELECT ordcancel.set_policy('shop.orders', reason_required => false);
SELECT is(error_of($$DELETE FROM ordcancel.reason WHERE code = 'found_cheaper_price'$$),
          '23503 | cancellation reason "found_cheaper_price" is in use | Existing cancellations refer to it. '
          '| Set its column "active" to false instead.', 'a reason of a record is in use');
SELECT ordcancel.request_cancel('shop.orders', 20, 'wont_arrive_in_time'),
       ordcancel.accept_cancel('shop.orders', 20, 'out_of_stock');
SELECT is(left(error_of($$DELETE FROM ordcancel.reason WHERE code = 'wont_arrive_in_time'$$), 5), '23503',
          'and so is one that only an event has');

-- ------------------------------------------------------- undo of a request

SELECT is(error_of($$SELECT ordcancel.undo_cancel('shop.orders', 13)$$),
          'OC006 | undo_cancel requires a note | Undoing it denies the request of the customer. | Pass a note of 1 to '
          '2000 characters.', 'undoing the other''s request is a denial');
SELECT is(outcome_of($$undo_cancel('shop.orders', 13, E' \n')$$), 'OC006', 'which blanks do not explain');
SELECT is(outcome_of($$undo_cancel('shop.orders', 13, 'no', 'ben')$$), 'denied placed', 'with a note it is denied');
SELECT is((SELECT concat_ws(' ', type, state, party, actor, source, data) FROM shop.orders_cancellation_event
           WHERE order_id = 13 ORDER BY event_id DESC LIMIT 1),
          'denied denied merchant ben undo_cancel', 'and told so');
SELECT is((SELECT concat_ws(' ', state, decided_by, decided_actor, undo_note) FROM shop.orders_cancellation
           WHERE order_id = 13), 'denied merchant ben no', 'and recorded');
SELECT is(outcome_of($$undo_cancel('shop.orders', 13)$$) || ', '
          || outcome_of($$deny_cancel('shop.orders', 13, 'no')$$),
          'denied placed unchanged, denied placed unchanged', 'again, it changes nothing');
SELECT is(outcome_of($$undo_cancel('shop.orders', 12)$$), 'OC008', 'what deny_cancel denied is not undone');
SELECT is(outcome_of($$cancel_order('shop.orders', 100)$$) || ', ' || outcome_of($$undo_cancel('shop.orders', 100)$$),
          'requested asked, withdrawn new', 'one''s own is withdrawn');
SELECT is((SELECT outcome FROM ordcancel.cancel_options('shop.orders', 14) WHERE verb = 'undo_cancel'), 'denied',
          'cancel_options says which');

-- ------------------------------------------------------- cancel_options

UPDATE shop.orders SET due = 40 WHERE id BETWEEN 30 AND 39;
UPDATE shop.orders SET due = -3 WHERE id = 40;
SELECT results_eq($$SELECT verb, outcome, refund_due FROM ordcancel.cancel_options('shop.orders', 30) WHERE allowed$$,
                  $$VALUES ('request_cancel', 'requested', NULL), ('cancel_order', 'in_progress', 40::numeric),
                        ('override_cancel', 'in_progress', 40)$$, 'what would be paid back');
SELECT is((SELECT refund_due FROM ordcancel.cancel_options('shop.orders', n) WHERE verb = 'cancel_order'), want,
          'of ' || n)
FROM (VALUES (40, 0::numeric), (41, NULL)) AS v (n, want);
SELECT is((SELECT concat_ws(' ', state, refund_due) FROM ordcancel.cancel_order('shop.orders', 40)), 'canceled 0',
          'and that is what is recorded');
SELECT ordcancel.request_cancel('shop.orders', 31);
SELECT results_eq($$SELECT verb, refund_due FROM ordcancel.cancel_options('shop.orders', 31)
                    WHERE allowed AND refund_due IS NOT NULL$$,
                  $$VALUES ('cancel_order', 40::numeric), ('accept_cancel', 40), ('override_cancel', 40)$$,
                  'what accepting costs');
SELECT ordcancel.cancel_order('shop.orders', 32), ordcancel.record_refund('shop.orders', 32, 10, 'card');
SELECT results_eq($$SELECT verb, outcome, refund_due FROM ordcancel.cancel_options('shop.orders', 32)
                    WHERE allowed AND outcome <> 'already' AND verb <> 'undo_cancel'$$,
                  $$VALUES ('record_refund', 'in_progress', 40::numeric), ('adjust_refund', 'in_progress', NULL)$$,
                  'what is due is due');
SELECT results_eq($$SELECT allowed, outcome, condition, detail, hint FROM ordcancel.cancel_options('shop.orders', 32)
                    WHERE verb = 'undo_cancel'$$,
                  $$VALUES (true, 'undone', 'refund_not_settled',
                           'A refund was made by a method whose refunds must be recaptured or repaid.',
                  'Recover the refund, then pass settled => true.')$$,
                  'an undo that goes through with settled => true is allowed, and says so');
SELECT ordcancel.set_policy('shop.orders', undo => 'never');
SELECT results_eq($$SELECT allowed, outcome, condition FROM ordcancel.cancel_options('shop.orders', 32)
                    WHERE verb = 'undo_cancel'$$,
                  $$VALUES (false, 'refused', 'undo_not_allowed')$$, 'one that does not, is not');
SELECT ordcancel.set_policy('shop.orders', undo => 'canceled');
SELECT results_eq($$SELECT DISTINCT p.provolatile FROM pg_proc AS p WHERE pronamespace = 'ordcancel'::regnamespace
                        AND proname = 'cancel_options'$$,
                  $$VALUES ('v'::"char")$$, 'the clock goes on within a statement: cancel_options is volatile');
SELECT is((SELECT outcome FROM ordcancel.decide('request_cancel', 'customer', customer => 'cancel',
                                                customer_late => 'forbid', placed_at => placed_at,
                                                grace => '30 minutes')), outcome,
          'decide goes by ordcancel.clock too: ' || outcome)
FROM (VALUES (timestamptz '2026-05-05 11:30+00', 'canceled'), ('2026-05-05 11:29+00', 'refused')) AS v (placed_at,
            outcome);

-- ------------------------------------------------------- ordcancel.party

CREATE FUNCTION as_party(role name, party text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    EXECUTE format('SET LOCAL ROLE %I', role);
    PERFORM set_config('ordcancel.party', party, true);
    result := error_of(statement);
    RESET ROLE;
    PERFORM set_config('ordcancel.party', '', true);
    RETURN result;
END
$$;
SELECT is(as_party('calls_shop', 'customer', $$UPDATE shop.orders SET status = 'canceled' WHERE id = 50$$),
          '23514 | status of order 50 of shop.orders cannot change from "placed" to "canceled"'
          ' | Policy "default" only lets the customer request a cancellation in status "placed".'
          ' | Set the status to "asked", or call a function of ordcancel instead.',
          'a role that could be the merchant is judged as a customer');
SELECT is(as_party('calls_shop', 'customer', $$UPDATE shop.orders SET status = 'asked' WHERE id = 50$$), 'ok',
          'who may ask');
SELECT is((SELECT requested_by FROM shop.orders_cancellation WHERE order_id = 50), 'customer', 'and has asked');
SELECT is(as_party('calls_shop', '', $$UPDATE shop.orders SET status = 'canceled' WHERE id = 51$$), 'ok',
          'without the setting it is the merchant');
SELECT is(as_party('calls_shop', 'merchant', $$UPDATE shop.orders SET status = 'canceled' WHERE id = 52$$), 'ok',
          'and with merchant');
SELECT is((SELECT string_agg(requested_by, ' ') FROM shop.orders_cancellation WHERE order_id IN (51, 52)),
          'merchant merchant', 'as the records say');
SELECT is(as_party('calls_shopper', 'merchant', $$UPDATE shop.orders SET status = 'canceled' WHERE id = 53$$),
          '23514 | status of order 53 of shop.orders cannot change from "placed" to "canceled"'
          ' | Policy "default" only lets the customer request a cancellation in status "placed". | Set the status to '
          '"asked", or call a function of ordcancel instead.', 'nothing makes a merchant of a customer');
SELECT is(left(as_party('calls_shopper', 'merchant', $$SELECT ordcancel.cancel_order('shop.orders', 53)$$), 5), '42501',
          'in no way');
SELECT is(as_party('calls_shop', 'customer', $$SELECT ordcancel.request_cancel('shop.orders', 54)$$), 'ok',
          'the customer''s function is there');
SELECT is(as_party('calls_shop', 'customer', $$SELECT ordcancel.withdraw_cancel('shop.orders', 54)$$), 'ok',
          'and takes back what he asked');
SELECT is(as_party('calls_shop', '', $$SELECT ordcancel.cancel_order('shop.orders', 101)$$), 'ok',
          'the merchant asks');
SELECT is(as_party('calls_shop', 'customer', $$SELECT ordcancel.withdraw_cancel('shop.orders', 101)$$),
          'OC003 | cancellation request of order 101 of shop.orders cannot be withdrawn by the customer'
          ' | The merchant made the request.', 'the customer does not take that back');
SELECT is(as_party('calls_shop', 'merchant', $$SELECT ordcancel.withdraw_cancel('shop.orders', 50)$$),
          'OC003 | cancellation request of order 50 of shop.orders cannot be withdrawn by the merchant'
          ' | The customer made the request. | Call ordcancel.deny_cancel().',
          'nor the merchant what the customer asked');
SELECT is(as_party('calls_shop', '', format($$SELECT ordcancel.withdraw_cancel('shop.orders', %s)$$, n)), 'ok',
          'without the setting it is whoever asked: ' || n)
FROM unnest('{50,101}'::integer[]) AS n;
SELECT is(as_party('calls_shop', 'customer', call), format('42501 | %s can be used only by the merchant'
                                                           ' | Setting "ordcancel.party" is "customer". '
                                                           '| To act for the merchant, set "ordcancel.party" to '
                                                           '"merchant" or reset it.',
                                                         substring(call FROM 'ordcancel\.(\w+)')),
          'a page for shoppers does not reach ' || call)
FROM unnest(ARRAY['SELECT ordcancel.cancel_order(''shop.orders'', 55)',
                  'SELECT ordcancel.cancel_orders(''shop.orders'', ''{55}'')',
                  'SELECT ordcancel.accept_cancel(''shop.orders'', 14)',
                  'SELECT ordcancel.deny_cancel(''shop.orders'', 14, ''no'')',
                  'SELECT ordcancel.record_refund(''shop.orders'', 32, 1, ''cash'')',
                  'SELECT ordcancel.undo_cancel(''shop.orders'', 51)',
                  'SELECT ordcancel.override_cancel(''shop.orders'', ''55'', note => ''n'')',
                  'CALL ordcancel.cancel_batch(''shop.orders'', ''id = 55'')',
                  'CALL ordcancel.cancel_batch(''shop.orders'', ''id = 55'', dry_run => true)',
                  'CALL ordcancel.resume_batch(1)']) AS call;
SET LOCAL ordcancel.party = 'customer';
SELECT results_eq($$SELECT party, bool_or(allowed), string_agg(DISTINCT condition, ' ')
                    FROM ordcancel.cancel_options('shop.orders', 55) GROUP BY party$$,
                  $$VALUES ('customer', true, 'no_open_cancellation'), ('merchant', false, 'insufficient_privilege')$$,
                  'cancel_options shows what holds');
SELECT is(error_of('CALL ordcancel.sweep()') || ' ' || error_of($$SELECT ordcancel.set_rule('shop.orders', 'odd')$$),
          'ok ok', 'the system and the owner are no parties');
RESET ordcancel.party;

-- ------------------------------------------------------- what settings refuse

SELECT is(error_of(format('SELECT set_config(%L, %L, true)', name, value)), said, name || ' of ' || length(value))
FROM (VALUES ('ordcancel.party', 'customer', 'ok'), ('ordcancel.party', 'merchant', 'ok'),
             ('ordcancel.party', '', 'ok'),
             ('ordcancel.party', 'system', '22023 | invalid value for parameter "ordcancel.party": "system"'
                                           ' | The value must be "customer", "merchant", or empty for the default of '
                                           'the role.'),
             ('ordcancel.party', 'shopper', '22023 | invalid value for parameter "ordcancel.party": "shopper"'
                                            ' | The value must be "customer", "merchant", or empty for the default of '
                                            'the role.'),
             ('ordcancel.actor', repeat('é', 255), 'ok'), ('ordcancel.reason', repeat('é', 100), 'ok'),
             ('ordcancel.note', repeat('é', 2000), 'ok'),
             ('ordcancel.note', repeat(' ', 3000) || repeat('é', 2000) || repeat(E'\n', 3000),
              'ok')) AS v (name, value, said);
SELECT is(regexp_replace(error_of(format('SELECT set_config(%L, %L, true)', name, value)), '"[é]+"', '"…"'),
          '22023 | invalid value for parameter "' || name || '": "…" | ' || said, name || ' of ' || length(value))
FROM (VALUES ('ordcancel.actor', repeat('é', 256), 'It has 256 characters; the maximum is 255.'),
             ('ordcancel.reason', repeat('é', 101),
              'It has 101 characters; the maximum is 100. | Use a code of table ordcancel.reason.'),
             ('ordcancel.note', repeat('é', 2001), 'It has 2001 characters; the maximum is 2000.')) AS v (name, value,
                                                                                                       said);
RESET ordcancel.note;
RESET ordcancel.reason;
RESET ordcancel.actor;

-- ------------------------------------------------------- blanks

SELECT ordcancel.cancel_order('shop.orders', 60, note => E' \t\n'),
       ordcancel.request_cancel('shop.orders', 61, note => '  '),
       ordcancel.accept_cancel('shop.orders', 61, note => ' ');
SELECT ordcancel.undo_cancel('shop.orders', 60, note => ' '),
       ordcancel.cancel_orders('shop.orders', '{62}', note => ' ');
SELECT is(notes(n), '- - -', 'a note of blanks is none: ' || n) FROM unnest('{60,61,62}'::integer[]) AS n;
SELECT is(outcome_of($$cancel_order('shop.orders', 63, 'other', '  ')$$) || ' '
          || outcome_of($$deny_cancel('shop.orders', 15, E'\t')$$), 'OC006 OC006',
          'where one is needed, blanks will not do');
SELECT is(outcome_of($$cancel_order('shop.orders', 63, 'other', ' so it is ')$$) || ' ' || notes(63),
          'canceled canceled  so it is  - -', 'a note keeps its blanks');

-- ------------------------------------------------------- money and hints

CREATE FUNCTION hint_of(role name, statement text) RETURNS text LANGUAGE sql
    AS $$SELECT substring(as_party(role, '', statement) FROM '[^|]*$') $$;
SELECT is(hint_of('calls_clerk', $$UPDATE shop.orders SET status = 'canceled' WHERE id = 33$$),
          ' Call ordcancel.cancel_order(), then ordcancel.record_refund().', 'money is due and nobody asked');
UPDATE shop.orders SET due = 5 WHERE id = 110;
SELECT is(hint_of('calls_shopper', $$UPDATE shop.orders SET status = 'canceled' WHERE id = 110$$),
          ' Call ordcancel.request_cancel(); the order is canceled when the refunds are recorded.',
          'the same of a customer');
SELECT is(hint_of('calls_clerk', $$UPDATE shop.orders SET status = 'canceled' WHERE id = 31$$),
          ' Call ordcancel.accept_cancel(), then ordcancel.record_refund().', 'money is due and it is requested');
SELECT is(hint_of('calls_clerk', $$UPDATE shop.orders SET status = 'canceled' WHERE id = 32$$),
          ' Call ordcancel.record_refund().', 'and when it is accepted');

-- ------------------------------------------------------- a deleted order comes again

SELECT ordcancel.cancel_order('shop.orders', 70);
DELETE FROM shop.orders WHERE id = 70;
SELECT is(error_of($$INSERT INTO shop.orders VALUES (70, 'placed')$$), '23514 | order 70 of shop.orders is canceled'
          ' | An order with this key was canceled and deleted, and is inserted again in status "placed".'
          ' | Insert it in status "canceled", then call ordcancel.undo_cancel(), or use another key.',
          'a deleted order that was canceled does not just come again');
SELECT is(error_of($$INSERT INTO shop.orders VALUES (70, 'canceled')$$) || ', '
          || outcome_of($$undo_cancel('shop.orders', 70)$$), 'ok, undone placed', 'the hint works');
SELECT is((SELECT status FROM shop.orders WHERE id = 70), 'placed', 'it is there again');
SELECT ordcancel.cancel_order('shop.orders', 70), ordcancel.set_policy('shop.orders', undo => 'in_progress');
DELETE FROM shop.orders WHERE id = 70;
SELECT is(hint_of('calls_clerk', 'SELECT 1') || error_of($$INSERT INTO shop.orders VALUES (70, 'placed')$$),
          'ok' || '23514 | order 70 of shop.orders is canceled'
          ' | An order with this key was canceled and deleted, and is inserted again in status "placed". '
          '| Use another key.', 'where it cannot be undone no such hint is given');
SELECT ordcancel.set_policy('shop.orders', undo => 'canceled', undo_window => '1 hour');
SET LOCAL ordcancel.clock = '2026-05-05 13:00:00.000001+00';
SELECT is(right(error_of($$INSERT INTO shop.orders VALUES (70, 'placed')$$), 16), 'Use another key.',
          'nor when the window is over');
SET LOCAL ordcancel.clock = '2026-05-05 12:00+00';

-- ------------------------------------------------------- names

CREATE TABLE shop."odd one" (id integer PRIMARY KEY, status text);
SELECT is(error_of(call), 'OC001 | table shop."odd one" is not attached to ordcancel'
                          ' | Call ordcancel.attach() for the order table first.', 'the table has its schema: ' || call)
FROM unnest(ARRAY['SELECT ordcancel.cancel_order(''shop."odd one"'', 1)',
                  'SELECT ordcancel.set_policy(''shop."odd one"'')']) AS call;
INSERT INTO shop.orders VALUES (200, NULL);
SELECT is(error_of($$SELECT ordcancel.cancel_order('shop.orders', 200)$$),
          'OC003 | order 200 of shop.orders cannot be canceled by the merchant in status NULL'
          ' | Policy "default" has no rule for status NULL. | Call ordcancel.set_rule() for the status if it should be '
          'allowed.', 'no status is NULL');
CREATE TABLE shop.shipments (order_id integer);
SELECT is(error_of(format($$SELECT ordcancel.attach_child('shop.shipments', 'shop.orders', %L, %L)$$, key, states)),
          said, format('%s %s', key, states))
FROM (VALUES ('{order_id}', '{{requested}}',
              'OC014 | refuse_while must name a state | Use one or more of requested, in_progress, canceled.'),
             ('{order_id}', '{{a}}',
              'OC014 | refuse_while must name a state | Use one or more of requested, in_progress, canceled.'),
             ('{{order_id}}', '{canceled}', 'OC014 | key must name a column for each of (id)'),
             ('{order_id}', '{}',
              'OC014 | refuse_while must name a state | Use one or more of requested, in_progress, canceled.'))
              AS v (key, states, said);

SELECT * FROM finish();
ROLLBACK;
