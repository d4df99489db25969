-- diagram: what it draws, that any word stays a word in it, and who may call it.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
SELECT plan(64);

CREATE SCHEMA shop;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text, placed_at timestamptz, paid numeric);
CREATE TABLE shop.other (LIKE shop.orders INCLUDING ALL);
SELECT ordcancel.attach('shop.orders', 'status', placed_at => 'placed_at') \g /dev/null

CREATE FUNCTION drawn(format text DEFAULT 'mermaid', policy text DEFAULT 'default') RETURNS SETOF text LANGUAGE sql
    AS $$
SELECT btrim(l) FROM regexp_split_to_table(ordcancel.diagram('shop.orders', policy, format), E'\n') AS l
$$;
CREATE FUNCTION has(line text, name text) RETURNS text LANGUAGE sql AS $$
SELECT CASE WHEN line IN (SELECT drawn()) THEN pass(name) ELSE fail(name) || E'\n'
       || diag(ordcancel.diagram('shop.orders')) END
$$;
CREATE FUNCTION has_not(part text, name text) RETURNS text LANGUAGE sql AS $$
SELECT ok(NOT EXISTS (SELECT FROM drawn() AS l WHERE strpos(l, part) > 0), name)
$$;

-- ------------------------------------------------------------------ what is wrong

SELECT is(error_of($$SELECT ordcancel.diagram('shop.other')$$),
          'OC001 | table shop.other is not attached to ordcancel | Call ordcancel.attach() for the order table first.',
          'not attached');
SELECT is(error_of($$SELECT ordcancel.diagram(NULL)$$),
          'OC001 | order table is null | Call ordcancel.attach() for the order table first.', 'no table');
SELECT ordcancel.set_policy('shop.orders'), ordcancel.set_policy('shop.orders', 'Acme') \g /dev/null
SELECT is(error_of($$SELECT ordcancel.diagram('shop.orders', 'acme')$$),
          'OC014 | policy "acme" of shop.orders does not exist | Existing policies are "Acme", "default".',
          'a policy that is not there: the hint lists those that are');
SELECT is(error_of($$SELECT ordcancel.diagram('shop.orders', NULL)$$),
          'OC014 | policy "" of shop.orders does not exist | Existing policies are "Acme", "default".',
          'nor is NULL one');
SELECT is(error_of($$SELECT ordcancel.diagram('shop.orders', format => 'svg')$$),
          'OC014 | "svg" is not a valid value for format | Valid values are mermaid, dot, text.', 'another format');
SELECT is(error_of($$SELECT ordcancel.diagram('shop.orders', format => NULL)$$),
          'OC014 | "" is not a valid value for format | Valid values are mermaid, dot, text.', 'no format');

-- -------------------------------------------------------------------- privileges

CREATE ROLE diagram_nobody;
CREATE ROLE diagram_reader;
GRANT EXECUTE ON FUNCTION ordcancel.diagram TO diagram_reader;
SELECT is(attempt_as('diagram_nobody', $$SELECT ordcancel.diagram('shop.orders'::regclass)$$), '42501',
          'not without EXECUTE');
SELECT is(attempt_as('diagram_reader', format('SELECT ordcancel.diagram(%s::regclass)', 'shop.orders'::regclass::oid)),
          'ok', 'EXECUTE is all that it needs');
SELECT ordcancel.grant_merchant('diagram_nobody') \g /dev/null
SELECT is(attempt_as('diagram_nobody', format('SELECT ordcancel.diagram(%s::regclass)', 'shop.orders'::regclass::oid)),
          'ok', 'a merchant may');
SELECT is((SELECT provolatile::text FROM pg_proc WHERE oid = 'ordcancel.diagram(regclass,text,text)'::regprocedure),
          's', 'it is STABLE');

-- ----------------------------------------------------------------- what it draws

SELECT is(ordcancel.diagram('shop.orders'), ordcancel.diagram('shop.orders', 'default', 'mermaid'),
          'Mermaid by default');
SELECT has('others["every status"]:::forbid', 'no rules: no status lets anybody');
SELECT has_not('-->', 'and no arrow');

SELECT ordcancel.set_policy('shop.orders', canceled_status => 'canceled') \g /dev/null
SELECT ordcancel.set_rule('shop.orders', 'new', customer => 'cancel', merchant => 'cancel'),
       ordcancel.set_rule('shop.orders', 'paid', customer => 'cancel', merchant => 'cancel'),
       ordcancel.set_rule('shop.orders', 'shipped', hint => 'Process it as a return.'),
       ordcancel.set_rule('shop.orders', 'delivered', hint => 'Process it as a return.'),
       ordcancel.set_rule('shop.orders', 'lost') \g /dev/null
SELECT has('s1["<b>new</b><br/><b>paid</b>"]:::status', 'statuses of one rule share a box');
SELECT has('s2["<b>delivered</b><br/><b>shipped</b><br/>Process it as a return#46;"]:::forbid',
           'where nobody can, with the hint');
SELECT has('s3["<b>lost</b>"]:::forbid', 'or without');
SELECT has('others["every other status"]:::forbid', 'and all that no rule speaks of');
SELECT has('s1 -->|"#8226; customer cancels<br/>#8226; merchant cancels"| canceled', 'both cancel');
SELECT has('canceled["<b>canceled</b><br/>merchant may undo"]:::canceled', 'it may be undone');
SELECT has_not('> requested', 'nobody asks');
SELECT has_not('> money', 'nothing is due');
SELECT ordcancel.set_policy('shop.orders', undo_window => '90 minutes', reason_required => true) \g /dev/null
SELECT has('canceled["<b>canceled</b><br/>merchant may undo within 1<br/>hour 30 minutes"]:::canceled', 'undo ends');
SELECT has('notes["Every cancellation needs a<br/>reason#46;"]:::note', 'a reason is needed');
SELECT ordcancel.set_policy('shop.orders', undo => 'requested', reason_required => false) \g /dev/null
SELECT has('canceled["<b>canceled</b><br/>cannot be undone"]:::canceled', 'or is not possible');

-- The window, and asking.
SELECT ordcancel.set_policy('shop.orders', grace => '1 day', requested_status => 'asked', decision_timeout => '2 days',
                            on_timeout => 'deny') \g /dev/null
SELECT ordcancel.set_rule('shop.orders', 'new', customer_late => 'request'),
       ordcancel.set_rule('shop.orders', 'paid', customer_late => 'forbid'),
       ordcancel.set_rule('shop.orders', 'packed', merchant => 'request') \g /dev/null
SELECT has('s1["<b>new</b>"]:::status', 'rules that differ after the window have boxes of their own');
SELECT has('s1 -->|"#8226; customer cancels within 1<br/>day of placed_at<br/>#8226; merchant cancels"| canceled',
           'within it');
SELECT has('s1 -->|"customer requests after 1<br/>day"| requested', 'after it');
SELECT has('s2["<b>paid</b><br/>customer#58; no, after 1 day"]:::status', 'nothing after it');
SELECT has('s3["<b>packed</b><br/>customer#58; no"]:::status', 'one party only');
SELECT has('s3 -->|"merchant requests"| requested', 'who calls twice');
SELECT has('requested["<b>asked</b><br/>waits for a decision<br/>denied when the order moves on"]:::requested',
           'a request');
SELECT has('requested -->|"#8226; merchant accepts<br/>#8226; merchant confirms"| canceled', 'is accepted');
SELECT has('requested -->|"#8226; merchant denies<br/>#8226; withdrawn by the requester<br/>#8226; merchant '
           'undoes<br/>#8226; the system denies after 2<br/>days"| kept', 'or ends, by the system at last');
SELECT ordcancel.set_policy('shop.orders', on_timeout => 'accept', on_progress => 'hold',
                            unset => '{requested_status}') \g /dev/null
SELECT has('requested["<b>requested</b><br/>the order keeps its status<br/>waits for a decision<br/>the order may not '
           'move on"]:::requested', 'one that the status does not show');
SELECT has('style requested stroke-dasharray:5 4', 'is dashed');
SELECT has('requested -->|"#8226; merchant accepts<br/>#8226; merchant confirms<br/>#8226; the system accepts after '
           '2<br/>days"| canceled', 'the system accepts');
SELECT is((SELECT count(*) FROM drawn('dot') AS l WHERE l LIKE 'requested [label%' AND l LIKE '%dashed"];'), 1::bigint,
          'dashed for Graphviz too');

-- Money, and the customer's own end.
SELECT ordcancel.attach('shop.orders', 'status', placed_at => 'placed_at', refund_due => 'paid - 3') \g /dev/null
SELECT ordcancel.set_policy('shop.orders', undo => 'in_progress', in_progress_status => 'refunding',
                            customer_canceled_status => 'taken_back', unset => '{undo_window}') \g /dev/null
SELECT has('money{{"<b>refund due#63;</b><br/>paid #45; 3"}}:::money', 'money may be due');
SELECT has('s1 -->|"#8226; customer cancels within 1<br/>day of placed_at<br/>#8226; merchant cancels"| money',
           'all ways lead there');
SELECT has('in_progress["<b>refunding</b><br/>waits for the refunds<br/>merchant may undo"]:::in_progress',
           'it is paid back');
SELECT has('in_progress -->|"fully refunded"| customer_canceled', 'then it is over');
SELECT has('customer_canceled["<b>taken_back</b><br/>canceled by the customer<br/>cannot be undone"]:::canceled',
           'with the customer''s own status');
CREATE TABLE shop.bare (LIKE shop.orders INCLUDING ALL);
SELECT ordcancel.attach('shop.bare', 'status'),
       ordcancel.set_policy('shop.bare', grace => '1 day', in_progress_status => 'refunding',
                            canceled_status => 'canceled', customer_canceled_status => 'taken_back') \g /dev/null
SELECT ordcancel.set_rule('shop.bare', 'new', customer => 'cancel', customer_late => 'forbid') \g /dev/null
SELECT alike(ordcancel.diagram('shop.bare'), '%s1 -->|"customer cancels"| customer_canceled%',
             'without money it leads to the end, without placed_at at any time');
SELECT unalike(ordcancel.diagram('shop.bare'), '% canceled[%', 'the other end is not reached');
SELECT alike(ordcancel.diagram('shop.bare'),
             '%notes["The customer#39;s window never<br/>closes#58; attach#40;#41; was called<br/>without '
             'placed_at#46;<br/>No order gets refunding#58;<br/>attach#40;#41; was called '
             'without<br/>refund_due#46;"]:::note%',
             'what the policy names in vain');

SELECT is(ordcancel.diagram('shop.bare', format => 'text'), $$new (merchant: no)
  `-- customer cancels --> taken_back
taken_back (canceled by the customer, merchant may undo)
nobody can cancel
  every other status
The customer's window never closes: attach() was called without placed_at.
No order gets refunding: attach() was called without refund_due.$$, 'the same for a terminal');

-- The title: the policy is named where it is not the only one that everybody has.
SELECT ok(EXISTS (SELECT FROM drawn('dot') AS l WHERE l LIKE 'graph [label=<<b>Canceling orders of shop.orders</b>>%'),
          'a title');
SELECT ok(EXISTS (SELECT FROM drawn('dot', 'Acme') AS l
                  WHERE l LIKE 'graph [label=<<b>Canceling orders of shop.orders, policy &quot;Acme&quot;</b>>%'),
          'with the policy');

-- Deletions, blocks, no status at all.
SELECT ordcancel.set_rule('shop.orders', 'lost', deletable => true),
       ordcancel.add_block('shop.orders', 'invoiced', 'paid > 1', party => 'customer') \g /dev/null
SELECT has('s5["<b>lost</b><br/>may be deleted"]:::forbid', 'an order that may be deleted');
SELECT ok(EXISTS (SELECT FROM drawn() AS l
                  WHERE l LIKE 'notes["No customer can cancel or<br/>request while invoiced#58; paid #62;<br/>1"%'),
          'a block');
SELECT ordcancel.set_rule('shop.orders', 'canceled', deletable => true, hint => '') \g /dev/null
SELECT has('canceled["<b>canceled</b><br/>cannot be undone<br/>may be deleted"]:::canceled', 'a canceled one that may');
SELECT ordcancel.set_policy('shop.orders', unset => '{canceled_status,customer_canceled_status}') \g /dev/null
SELECT ok(EXISTS (SELECT FROM drawn() AS l
                  WHERE l LIKE 'canceled["<b>canceled</b><br/>canceled_status is not set, so<br/>nobody can '
                               'cancel<br/>%'), 'no canceled_status');
SELECT is((SELECT count(*) FROM drawn('mermaid', 'Acme')),
          (SELECT count(*) FROM drawn('mermaid', 'Acme') AS l WHERE l !~ 's1'), 'another policy has rules of its own');

-- ------------------------------------------------------------------ words of a shop

-- Neither format has anything of them but text: what is left of a line without
-- its labels is known.
CREATE TABLE word (w text);
INSERT INTO word SELECT unnest(ARRAY['"', '<', '>', '<b>', '&amp;', '#35;', 'end', 'subgraph', '--', '-->', '---', '%%',
                                     '%%{init: {}}%%', '; DROP TABLE x', E'\\N \\', E'\\"', ']]>', '"];', '"}}',
    '<!--', '<script>alert(1)</script>', '`md`', '**b**', '1. list', '- list', '', ' ', E'\n', E'a\nb', E'\t',
                                     E'\u2028', E'\u202Eabc', E'\uFFFF', E'\u0007', 'größe', '注文', '_a_', 'click s1',
                                     'a|b',
    'fa:fa-car', repeat('x', 900), repeat('é ', 300), 'A & B', '''', ':::status', 'style:#x;end', '>]']);
SELECT ordcancel.drop_policy('shop.orders', 'Acme') \g /dev/null
SELECT ordcancel.set_policy('shop.orders', E'e"];\n}<b>', grace => '1 h', requested_status => 'style:#x;end',
                            in_progress_status => E'a\nb"', canceled_status => 'classDef x fill:#f00;',
                            customer_canceled_status => '</b>'),
       ordcancel.attach('shop.orders', 'status', placed_at => 'placed_at',
                        refund_due => 'CASE WHEN ''<"&;end'' <> ''x'' THEN paid END'),
       ordcancel.add_block('shop.orders', E'b"<>\n];', '''"];}<b>'' = status') \g /dev/null
SELECT ordcancel.set_rule('shop.orders', w, customer => 'cancel', customer_late => 'request',
                          merchant => (ARRAY['cancel', 'request', 'forbid'])[1 + length(w) % 3],
                          hint => CASE WHEN length(w) % 2 = 0 THEN w END, policy => E'e"];\n}<b>')
FROM word \g /dev/null
SELECT ordcancel.set_rule('shop.orders', 'f' || n, hint => repeat('<>"#; ', 333 * n), policy => E'e"];\n}<b>')
FROM generate_series(1, 20) AS n \g /dev/null
CREATE TEMP TABLE picture AS SELECT f AS format, l FROM unnest('{mermaid,dot,text}'::text[]) AS f,
     drawn(f, E'e"];\n}<b>') AS l;
SELECT is((SELECT string_agg(l, E'\n') FROM picture
           WHERE format = 'mermaid' AND regexp_replace(l, '"(([^"<>]|<b>|</b>|<br/>)*)"', 'L') !~
               ('^(flowchart TD|subgraph forbidden\[L\]|direction TB|end|(s[0-9]+|others) ~~~ .*[a-z]|classDef [a-z_]+ '
                '[a-z#0-9,:]+|style [a-z_]+ [a-z-]+:[a-z#0-9 ,:-]+'
                || '|[a-z_0-9]+(\[L\]|\{\{L\}\}|\(\[L\]\)):::[a-z_]+|[a-z_0-9]+ -->\|L\| [a-z_]+)$')), NULL,
          'Mermaid: any word is a label');
SELECT is((SELECT string_agg(l, E'\n') FROM picture
           WHERE format = 'mermaid'
             AND (regexp_replace(l, '#[0-9]+;', '', 'g') LIKE '%;%' OR l ~ '"[^"]*#(?![0-9]+;)[^"]*"')), NULL,
          'Mermaid: what is not harmless is an entity');
SELECT is((SELECT string_agg(l, E'\n') FROM picture
           WHERE format = 'dot' AND regexp_replace(regexp_replace(l, '</?(b|br/|font|font point-size="10"|table[^<>]*|'
                                                                     'tr|td|td balign="left"|td port="[a-z0-9]+" '
                                                                     'bgcolor="#e5e7eb")>|&(amp|lt|gt|quot|#[0-9]+);',
                                                                  '', 'g'),
                                                   '<[^<>&"\\]*>', 'L') ~ '[<>&\\]' AND l !~ ' -> '), NULL,
          'Graphviz: any word is a label');
SELECT is((SELECT count(*) FROM picture WHERE format = 'dot' AND l ~ '<b></b>|<font point-size="10"></font>|label=<>'),
          0::bigint, 'Graphviz: no label is empty');
SELECT is((SELECT count(*) FROM drawn('text', E'e"];\n}<b>')),
          (SELECT 1 + sum(CASE kind WHEN 'note' THEN cardinality(lines) ELSE 1 END)
           FROM ordcancel_internal.diagram_parts('shop.orders', E'e"];\n}<b>') WHERE kind <> 'back'),
          'a line for each part for a terminal, whatever the words say');
SELECT is((SELECT count(*) FROM picture WHERE l ~ '[\u0001-\u001f\u2028\u202e\uffff]'), 0::bigint,
          'no control characters are left');
SELECT cmp_ok((SELECT max(length(l)) FROM picture WHERE l NOT LIKE 'forbidden%'), '<', 4000, 'long words are cut');
-- Quotes of the session's settings change nothing.
SET LOCAL standard_conforming_strings = off;
SET LOCAL escape_string_warning = off;
SET LOCAL IntervalStyle = iso_8601;
SELECT is(ordcancel.diagram('shop.orders', E'e"];\n}<b>', 'dot'),
          (SELECT d FROM (SELECT ordcancel.diagram('shop.orders', E'e"];\n}<b>', 'dot')) AS x (d)),
          'other settings, the same picture');

-- What may happen to a canceled order.
SELECT ordcancel.attach('shop.orders', 'status', refund_due => 'paid') \g /dev/null
SELECT ordcancel.set_policy('shop.orders', 'later', canceled_status => 'canceled', in_progress_status => 'refunding',
                            closed_statuses => '{archived,shelved}', reopen_statuses => '{draft}', copy_of => NULL),
       ordcancel.set_rule('shop.orders', 'new', merchant => 'cancel', policy => 'later') \g /dev/null
SELECT is((SELECT string_agg(l, '|') FROM drawn('text', 'later') AS l WHERE l ~ '^(refund due|canceled)'),
          'refund due? (paid)|canceled (merchant may undo, may move on to archived, shelved, '
          'undone by an update to draft)',
          'closed and reopen statuses');
SELECT ordcancel.set_policy('shop.orders', 'later', settlement => 'after_canceled', unset => '{reopen_statuses}')
       \g /dev/null
SELECT is((SELECT string_agg(l, '|') FROM drawn('text', 'later') AS l WHERE l ~ '^(refund|canceled)'),
          'canceled (refunds are recorded afterwards, merchant may undo, may move on to archived, shelved)',
          'refunds afterwards');
SELECT is((SELECT string_agg(l, '|') FROM drawn('text', 'later') AS l WHERE l ~ '^No order'),
          'No order gets refunding: settlement is after_canceled.', 'a status that is not used');

SELECT * FROM finish();
ROLLBACK;
