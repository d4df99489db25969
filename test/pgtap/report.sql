-- cancel_report: the figures on the page are those that one counts by hand, and
-- nothing in the data gets out of its place.
BEGIN;
SELECT plan(99);
\ir include/helpers.sql
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';

CREATE SCHEMA shop;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text DEFAULT 'placed', placed_at timestamptz, due numeric);
INSERT INTO shop.orders (id, placed_at, due)
SELECT n, timestamptz '2026-04-24' + n * interval '12 hours', CASE WHEN n IN (6, 12) THEN 10 * n END
FROM generate_series(0, 39) AS n;
CREATE INDEX ON shop.orders (placed_at);
SET LOCAL ordcancel.clock = '2026-04-01 00:00+00';
SELECT ordcancel.attach('shop.orders', 'status', placed_at => 'placed_at', refund_due => 'due');
SELECT ordcancel.set_policy('shop.orders', requested_status => 'asked', canceled_status => 'canceled',
                            decision_timeout => '2 days', on_timeout => 'deny');
SELECT ordcancel.set_rule('shop.orders', 'placed', customer => 'request', merchant => 'cancel');

CREATE FUNCTION at(clock text, call text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('ordcancel.clock', clock || '+00', true);
    EXECUTE call;
END
$$;
CREATE FUNCTION report(since text, until text, orders text DEFAULT 'shop.orders') RETURNS text LANGUAGE sql AS $$
SELECT ordcancel.cancel_report(orders::regclass, since::timestamptz, until::timestamptz)
$$;
-- As it is read, without tags.
CREATE FUNCTION text_of(html text) RETURNS text LANGUAGE sql AS $$
SELECT btrim(regexp_replace(replace(replace(regexp_replace(html, '<[^>]*>', '|', 'g'), '&#160;', ' '), '&#8211;', '-'),
                            '[| ]*\|[| ]*', '|', 'g'), '| ')
$$;
CREATE FUNCTION tile(page text, label text) RETURNS text LANGUAGE sql AS $$
SELECT text_of(split_part(split_part(page, format('<dt>%s</dt>', label), 2), '</div>', 1))
$$;
CREATE FUNCTION section(page text, id text) RETURNS text LANGUAGE sql AS $$
SELECT nullif(split_part(split_part(page, format(' id="%s">', id), 2), '</section>', 1), '')
$$;
-- The first row of a section that begins with that.
CREATE FUNCTION row_of(page text, id text, label text) RETURNS text LANGUAGE sql AS $$
SELECT text_of(split_part(r.html, '</tr>', 1))
FROM regexp_split_to_table(section(page, id), '<tr><th scope="row">') WITH ORDINALITY AS r (html, n)
WHERE r.n > 1 AND starts_with(text_of(r.html), label) ORDER BY r.n LIMIT 1
$$;
-- Well-formed, where the server can tell.
CREATE FUNCTION parses(page text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    RETURN xmlparse(DOCUMENT page) IS NOT NULL;
EXCEPTION WHEN feature_not_supported THEN
    RETURN true;
END
$$;

-- ------------------------------------------------------------------ by hand

SELECT at('2026-04-25 10:00', format('SELECT ordcancel.cancel_order(''shop.orders'', %s, ''out_of_stock'','
                                     ' actor => ''anna'')', n)) FROM generate_series(1, 2) AS n;
SELECT at('2026-05-01 00:00', $$SELECT ordcancel.request_cancel('shop.orders', 10, actor => 'web')$$);
SELECT at('2026-05-01 10:00', $$SELECT ordcancel.request_cancel('shop.orders', 3, 'wont_arrive_in_time',
                                                                actor => 'web')$$);
SELECT at('2026-05-01 12:00:59', $$SELECT ordcancel.accept_cancel('shop.orders', 3, actor => 'anna')$$);
SELECT at('2026-05-02 09:00', $$SELECT ordcancel.request_cancel('shop.orders', 4, 'customer_changed_mind',
                                                                actor => 'app')$$);
SELECT at('2026-05-02 09:30', $$SELECT ordcancel.deny_cancel('shop.orders', 4, 'no', actor => 'ben')$$);
SELECT at('2026-05-02 09:00', $$SELECT ordcancel.request_cancel('shop.orders', 5, 'customer_changed_mind',
                                                                actor => 'web')$$);
SELECT at('2026-05-03 09:00', $$UPDATE shop.orders SET status = 'shipped' WHERE id = 5$$);
SELECT at('2026-05-03 00:00', 'CALL ordcancel.sweep()');
SELECT at('2026-05-03 11:00', $$SELECT ordcancel.cancel_order('shop.orders', 9, 'fraud', actor => 'anna')$$);
SELECT at('2026-05-03 15:00', $$SELECT ordcancel.undo_cancel('shop.orders', 9, 'found', actor => 'anna')$$);
SELECT at('2026-05-04 08:00', $$SELECT ordcancel.cancel_order('shop.orders', 6, 'out_of_stock', actor => 'anna')$$);
SELECT at('2026-05-05 08:00', $$SELECT ordcancel.request_cancel('shop.orders', 7, 'wont_arrive_in_time',
                                                                'for a birthday', actor => 'web')$$);
SELECT at('2026-05-06 08:00', $$SELECT ordcancel.request_cancel('shop.orders', 8, actor => 'web')$$);
SELECT at('2026-05-06 09:00', $$SELECT ordcancel.withdraw_cancel('shop.orders', 8, actor => 'web')$$);
-- Not of the week: it begins with its last instant over.
SELECT at('2026-05-08 00:00', $$SELECT ordcancel.request_cancel('shop.orders', 11, actor => 'web')$$);
SELECT at('2026-05-08 00:00', $$SELECT ordcancel.cancel_order('shop.orders', 12, 'out_of_stock', actor => 'anna')$$);
SET LOCAL ordcancel.clock = '2026-05-12 20:00+00';
CREATE TEMP TABLE page AS SELECT report('2026-05-01', '2026-05-08') AS week;

SELECT is(tile(week, 'Canceled'), '2|as many as before', 'canceled: 3 and 6; before 1 and 2') FROM page;
-- Orders 14 to 27 of the week, 0 to 13 of the one before.
SELECT is(tile(week, 'Share of orders'), '14%|of 14; before 14%', 'of the orders placed') FROM page;
SELECT is(tile(week, 'Denied'), '3|none before', 'denied: 4, 5 and 10') FROM page;
SELECT is(tile(week, 'Time to decision'), '2 h|median; none before', 'the second of 30 min, 2 h, 1 day, 2 days')
FROM page;
SELECT is(tile(week, 'Refunds due now'), '180.00|2 refunds, oldest 8 days', 'refunds of 6 and 12, also after the week')
FROM page;
SELECT is(tile(week, 'Open requests now'), '2|2 overdue, oldest 7 days', 'requests: 7 and 11') FROM page;
SELECT ok(strpos(week, '<div class="tile alarm"><dt>Open requests now') > 0, 'which stands out') FROM page;
SELECT ok(strpos(week, '2 open requests are past the deadline') > 0, 'in words') FROM page;
SELECT ok(strpos(week, '1 refund has been due for more than a week, 60.00 in all') > 0, 'so are refunds') FROM page;
SELECT ok(strpos(week, '1 May 2026 to 7 May 2026. Compared with the 7 days before') = 0
          AND strpos(replace(week, '&#160;', ' '), '1 May 2026 to 7 May 2026. Compared with the 7 days before') > 0,
          'the period by its last day') FROM page;

SELECT is(row_of(week, 'days', '1 May'), '1 May 2026|1|0|0|1|0|0', '1 May: 3 canceled, 10 denied') FROM page;
SELECT is(row_of(week, 'days', '2 May'), '2 May 2026|0|0|0|2|0|0', '2 May: 4 and 5 denied') FROM page;
SELECT is(row_of(week, 'days', '3 May'), '3 May 2026|0|0|0|0|0|1', '3 May: 9 undone') FROM page;
SELECT is(row_of(week, 'days', '4 May'), '4 May 2026|0|1|0|0|0|0', '4 May: 6 in progress') FROM page;
SELECT is(row_of(week, 'days', '5 May'), '5 May 2026|0|0|1|0|0|0', '5 May: 7 requested') FROM page;
SELECT is(row_of(week, 'days', '6 May'), '6 May 2026|0|0|0|0|1|0', '6 May: 8 withdrawn') FROM page;
SELECT is(row_of(week, 'days', '7 May'), '7 May 2026|0|0|0|0|0|0', '7 May: nothing, and not left out') FROM page;
SELECT ok(week LIKE '%<title>Sat, 2&#160;May&#160;2026: 2 attempts (2 denied)</title><rect%', 'columns say the same')
FROM page;
SELECT is((SELECT count(*) FROM regexp_matches(section(week, 'days'), '<g><title>', 'g')), 6::bigint,
          'six columns') FROM page;
-- 2 of at most 2 are the height of the plot.
SELECT ok(section(week, 'days') LIKE '%<rect x="16.071%" y="20.00" width="10.714%" height="170.00" class="f-denied"/>%',
          'the highest is as high as the plot') FROM page;

SELECT is(row_of(week, 'reasons', 'The customer no longer'), 'The customer no longer wants it|2|25%|new', 'a reason')
FROM page;
SELECT is(row_of(week, 'reasons', 'Sold out'), 'Sold out, or not found|1|13%|&#9660; 50%', 'less than before')
FROM page;
SELECT is(row_of(week, 'reasons', 'No reason given'), 'No reason given|2|25%|new', 'none') FROM page;
SELECT is((SELECT count(*) FROM regexp_matches(section(week, 'reasons'), '<tr><th scope="row">', 'g')), 5::bigint,
          'no more than those of the week') FROM page;
SELECT is(row_of(week, 'who', 'Customers'), 'Customers|6|75%|new', 'customers') FROM page;
SELECT is(row_of(week, 'who', 'Merchant'), 'Merchant|2|25%|&#177;0%', 'the merchant') FROM page;
SELECT is(row_of(week, 'who', 'web'), 'web|customer|5|new', 'who most') FROM page;
SELECT is(row_of(week, 'who', 'anna'), 'anna|merchant|2|&#177;0%', 'and then') FROM page;
SELECT ok(text_of(section(week, 'time')) LIKE '%Half of the 4 requests were decided within|2 h|, nine out of ten'
          ' within|2 days|.%', 'median and 90th percentile') FROM page;
SELECT is(row_of(week, 'time', '15 to'), '15 to 60 min|1|25%', '30 min') FROM page;
SELECT is(row_of(week, 'time', '1 to 4'), '1 to 4 h|median|1|25%', '2 h') FROM page;
SELECT is(row_of(week, 'time', '12 to'), '12 to 24 h|0|0%', 'not a day') FROM page;
SELECT is(row_of(week, 'time', '1 to 2 d'), '1 to 2 days|1|25%', '1 day') FROM page;
SELECT is(row_of(week, 'time', '2 to 4 d'), '2 to 4 days|9 of 10|1|25%', '2 days') FROM page;
SELECT is(row_of(week, 'denied', 'A person'), 'A person denied it|1|33%', 'by a person: 4') FROM page;
SELECT is(row_of(week, 'denied', 'The order moved on to'), 'The order moved on to|shipped|1|33%', 'by moving on: 5')
FROM page;
SELECT is((SELECT string_agg(order_key || ' ' || (data ->> 'moved_to'), ', ') FROM shop.orders_cancellation_event
           WHERE data @> '{"implicit": true}'), '5 shipped', 'as the event says');
SELECT is(row_of(week, 'denied', 'Nobody decided'), 'Nobody decided by the deadline|1|33%', 'by deadline: 10')
FROM page;
SELECT is(row_of(week, 'refunds', '1 to 2 w'), '1 to 2 weeks|1|60.00', 'refund of 6') FROM page;
SELECT is(row_of(week, 'refunds', '3 to 7'), '3 to 7 days|1|120.00', 'refund of 12') FROM page;
SELECT is(row_of(week, 'refunds', '6|'), '6|accepted by|anna|8 days|60.00', 'the oldest') FROM page;
SELECT is(row_of(week, 'requests', '7|'),
          '7|web|: It would arrive too late|for a birthday|7 days|overdue|7 May, 08:00', 'the oldest request')
FROM page;
SELECT is(section(week, 'parts'), NULL, 'no parts of orders') FROM page;

-- ----------------------------------------------------------------- the page

SELECT ok(parses(week), 'it is well-formed') FROM page;
SELECT is(week, report('2026-05-01', '2026-05-08'), 'the same page each time') FROM page;
SET LOCAL datestyle = 'SQL, DMY';
SET LOCAL intervalstyle = 'iso_8601';
SET LOCAL bytea_output = 'escape';
SET LOCAL extra_float_digits = 0;
SET LOCAL search_path = shop, public;
SELECT is(week, report('2026-05-01', '2026-05-08'), 'whatever the session''s settings') FROM page;
RESET datestyle;
SELECT ok(week !~ '[^\n -~]', 'ASCII') FROM page;
SELECT ok(week !~* '(https?:|//|<script|<link|<img|@import|data:)' , 'nothing from elsewhere, no script') FROM page;
SELECT ok(strpos(week, 'content="default-src ''none''; style-src ''unsafe-inline''"') > 0, 'and none is allowed')
FROM page;
SELECT ok(week LIKE '%<html lang="en">%<meta name="viewport" content="width=device-width%', 'language and viewport')
FROM page;
SELECT ok(text_of(week) LIKE '%Table|shop.orders|%Period|from 2026-05-01 00:00:00+00 up to, but not including,'
          ' 2026-05-08 00:00:00+00; compared with the 7 days from 2026-04-24 00:00:00+00.|Time zone|UTC|%'
          'Made|2026-05-12 20:00:00+00 by role ' || current_user || ', with cancel_report() of ordcancel %',
          'it says what it is of') FROM page;

-- ------------------------------------------------------------- other periods

SELECT ok(report('2026-05-02', '2026-05-03') LIKE '%. Compared%'
          AND strpos(replace(report('2026-05-02', '2026-05-03'), '&#160;', ' '),
                     'Saturday, 2 May 2026. Compared with the 1 day before.') > 0, 'a single day');
SELECT is(tile(report('2026-05-02', '2026-05-03'), 'Denied'), '2|&#9650; 100% from 1', 'with the day before');
SELECT is(regexp_replace(tile(report('2025-04-03', '2026-05-08'), 'Canceled'), '\|.*', ''), '4', '400 days');
SELECT ok(section(report('2025-04-03', '2026-05-08'), 'days') LIKE '<h2>By week</h2>%', 'by week');
SELECT is((SELECT count(*) FROM regexp_matches(section(report('2025-04-03', '2026-05-08'), 'days'),
                                               '<tr><th scope="row">', 'g')), 58::bigint, 'all of them');
SELECT ok(section(report('2020-01-01', '2026-05-08'), 'days') LIKE '<h2>By month</h2>%', 'and six years by month');
SELECT ok(parses(report('1000-01-01', '2026-05-08')), 'a thousand years');
SELECT ok(report('2024-01-01', '2024-02-01') LIKE '%No order was canceled in this period%', 'an empty period says so');
SELECT ok(parses(report('2024-01-01', '2024-02-01')), 'kindly and well-formed');
SELECT is(tile(report('2024-01-01', '2024-02-01'), 'Open requests now'), '2|2 overdue, oldest 7 days',
          'what is open is said all the same');
SELECT is(ordcancel.cancel_report('shop.orders'), report('2026-04-12 20:00', '2026-05-12 20:00'),
          'by default the last 30 days');
SELECT ok(report('2026-05-01', '2027-05-01') LIKE '%The period has not ended yet.%', 'one that has not ended says so');
SET LOCAL timezone = 'America/New_York';
SELECT is(row_of(report('2026-04-30', '2026-05-08'), 'days', '30 Apr'), '30 Apr 2026|0|0|0|1|0|0',
          'days are those of the time zone');
SET LOCAL timezone = 'UTC';

-- ------------------------------------------------------- changes of policy

CREATE TABLE shop.parcels (id integer PRIMARY KEY, status text DEFAULT 'placed');
INSERT INTO shop.parcels (id) SELECT generate_series(1, 6);
SELECT at('2026-02-01', $$SELECT ordcancel.attach('shop.parcels', 'status')$$);
SELECT at('2026-02-01', $$SELECT ordcancel.set_policy('shop.parcels', canceled_status => 'canceled')$$);
SELECT at('2026-02-01', $$SELECT ordcancel.set_rule('shop.parcels', 'placed', customer => 'request')$$);
SELECT at('2026-03-10 08:00', format($$SELECT ordcancel.request_cancel('shop.parcels', %s)$$, n))
FROM generate_series(1, 4) AS n;
SELECT at('2026-03-10 12:00', format($$SELECT ordcancel.deny_cancel('shop.parcels', %s, 'no')$$, n))
FROM generate_series(1, 2) AS n;
SELECT at('2026-03-10 16:00', format($$SELECT ordcancel.accept_cancel('shop.parcels', %s)$$, n))
FROM generate_series(3, 4) AS n;
SELECT at('2026-03-15 12:00', $$SELECT ordcancel.set_policy('shop.parcels', decision_timeout => '2 days',
                                                            on_timeout => 'deny')$$);
SELECT at('2026-03-15 12:20', $$SELECT ordcancel.set_rule('shop.parcels', 'packed', merchant => 'cancel')$$);
SELECT at('2026-03-20 08:00', format($$SELECT ordcancel.request_cancel('shop.parcels', %s)$$, n))
FROM generate_series(5, 6) AS n;
SELECT at('2026-03-20 09:00', format($$SELECT ordcancel.accept_cancel('shop.parcels', %s)$$, n))
FROM generate_series(5, 6) AS n;
SET LOCAL ordcancel.clock = '2026-05-12 20:00+00';
CREATE TEMP TABLE changed AS SELECT report('2026-03-01', '2026-04-01', 'shop.parcels') AS page;
-- From the 15th to the end of March, and as long before.
SELECT ok(section(page, 'changes') LIKE '%<th scope="col">16 days before</th><th scope="col">16 days after</th>%',
          'the same number of days before and after a change') FROM changed;
SELECT is(row_of(page, 'changes', 'Attempts a day'), 'Attempts a day|0.3|0.1|&#9660; 50%', 'four, then two')
FROM changed;
SELECT is(row_of(page, 'changes', 'Share denied'), 'Share denied|50%|0%|&#9660; 50.0 points', 'two, then none')
FROM changed;
SELECT is(row_of(page, 'changes', 'Median'), 'Median time to decision|4 h|1 h|&#9660; 75%', 'decided sooner')
FROM changed;
SELECT is((SELECT count(*) FROM regexp_matches(section(page, 'changes'), '<h3>', 'g')), 1::bigint,
          'two calls within an hour are one change') FROM changed;
SELECT ok(text_of(section(page, 'changes')) LIKE '%|1. 15 Mar 2026, 12:00, by|' || current_user || '|%decision_timeout:'
          ' none -&gt; 2 days%|%status &quot;packed&quot;%', 'when, by whom, and what') FROM changed;
SELECT ok(section(page, 'days') LIKE '%<line x1="46.77%" x2="46.77%" y1="14" y2="190"/>%', 'a line in the plot')
FROM changed;
SELECT ok(parses(page), 'well-formed') FROM changed;
SELECT is(section(report('2026-04-01', '2026-05-01', 'shop.parcels'), 'changes'), NULL, 'left out without changes');
SELECT is(section(report('2026-03-01', '2026-03-15 18:00', 'shop.parcels'), 'changes')
          LIKE '%Less than a day on one side of it%', true, 'nothing to compare on the day of the change');

-- ---------------------------------------------------------- who, and what not

SELECT is(attempt($$SELECT ordcancel.cancel_report('shop.orders', '2026-05-01', '2026-05-01')$$), 'OC014',
          'an empty interval');
SELECT is(attempt($$SELECT ordcancel.cancel_report('shop.orders', '-infinity', '2026-05-01')$$), 'OC014',
          'without beginning');
SELECT is(attempt($$SELECT ordcancel.cancel_report(NULL)$$), 'OC001', 'no table');
CREATE ROLE report_reader;
GRANT USAGE ON SCHEMA shop TO report_reader;
SELECT is(attempt_as('report_reader', $$SELECT ordcancel.cancel_report('shop.orders')$$), '42501', 'without EXECUTE');
SELECT ordcancel.grant_merchant('report_reader');
SELECT is(attempt_as('report_reader', $$SELECT ordcancel.cancel_report('shop.orders')$$), '42501', 'without SELECT');
GRANT SELECT ON shop.orders TO report_reader;
SELECT is(attempt_as('report_reader', $$SELECT ordcancel.cancel_report('shop.orders')$$), 'ok', 'with both');
ALTER TABLE shop.orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY few ON shop.orders TO report_reader USING (id IN (3, 4, 6, 7, 8));
CREATE FUNCTION page_as(role name) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    EXECUTE format('SET LOCAL ROLE %I', role);
    result := ordcancel.cancel_report('shop.orders', '2026-05-01', '2026-05-08');
    RESET ROLE;
    RETURN result;
END
$$;
CREATE TEMP TABLE restricted AS SELECT page_as('report_reader') AS page;
SELECT is(tile(page, 'Canceled'), '2|none before', 'row-level security: 3 and 6, neither 1 nor 2') FROM restricted;
SELECT is(tile(page, 'Denied'), '1|none before', 'of three denied') FROM restricted;
SELECT is(tile(page, 'Attempts in all'), '5|none before', 'no share of orders that the reader cannot count')
FROM restricted;
SELECT is(tile(page, 'Refunds due now'), '60.00|1 refund, oldest 8 days', 'of two refunds') FROM restricted;
SELECT is(tile(page, 'Open requests now'), '1|1 overdue, oldest 7 days', 'of two requests') FROM restricted;
SELECT is(row_of(page, 'denied', 'The order moved on to'), NULL, 'and why of one denial') FROM restricted;
SELECT ok(text_of(page) LIKE '%Row-level security|Orders that role report\_reader may not see are left out.|%',
          'which the page says') FROM restricted;
SELECT is(page_as(current_user), week, 'others see all') FROM page;
ALTER TABLE shop.orders DISABLE ROW LEVEL SECURITY;

-- ----------------------------------------------------------------- attacks

\set evil '<script>alert(1)</script>&amp;"''--><svg/onload=x>]]>'
SELECT set_config('test.evil', :'evil' || chr(1) || chr(8238) || chr(233), true);
CREATE TABLE shop.:"evil" (id text PRIMARY KEY, status text DEFAULT 'placed', due numeric DEFAULT 5);
INSERT INTO shop.:"evil" (id) SELECT current_setting('test.evil') || n FROM generate_series(1, 4) AS n;
SELECT format('shop.%I', :'evil') AS evil_table \gset
SELECT ordcancel.attach(:'evil_table', 'status', refund_due => 'due');
SELECT ordcancel.set_policy(:'evil_table', canceled_status => 'canceled', requested_status => 'asked');
SELECT ordcancel.set_rule(:'evil_table', 'placed', customer => 'request', merchant => 'cancel');
INSERT INTO ordcancel.reason (code, description) VALUES ('x' || :'evil', current_setting('test.evil'));
SELECT ordcancel.request_cancel(:'evil_table', current_setting('test.evil') || n, 'x' || :'evil',
                                current_setting('test.evil'), actor => current_setting('test.evil') || n)
FROM generate_series(1, 2) AS n;
SELECT ordcancel.cancel_order(:'evil_table', current_setting('test.evil') || 3, 'x' || :'evil',
                              actor => current_setting('test.evil'));
SELECT set_config('ordcancel.clock', '2026-05-12 21:00+00', true);
UPDATE shop.:"evil" SET status = current_setting('test.evil') WHERE id = current_setting('test.evil') || 1;
SELECT set_config('ordcancel.clock', '2026-05-13 21:00+00', true);
CREATE TEMP TABLE attacked AS SELECT report('2026-05-01', '2026-05-14', :'evil_table') AS page;
SELECT ok(parses(page), 'hostile data leaves the page well-formed') FROM attacked;
SELECT ok(page !~ '<(script|svg/)' AND page !~ '[^\n -~]', 'and has no tags of its own') FROM attacked;
SELECT is((SELECT count(*) FROM regexp_matches(page, 'onload', 'g'))
          - (SELECT count(*) FROM regexp_matches(page, '&lt;svg/onload', 'g')), 0::bigint, 'only as text')
FROM attacked;
SELECT ok(section(page, part) LIKE '%&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;&quot;&#39;--&gt;%'
          OR section(page, part) LIKE '%&lt;Script&gt;%', 'it is shown as it is: ' || part)
FROM attacked, unnest('{reasons,who,denied,refunds,requests}'::text[]) AS part;
SELECT ok(page LIKE '%&#65533;&#8238;&#233;%', 'other characters as references') FROM attacked;
SELECT is(ordcancel_internal.report_html(repeat('a&', 200), 10), 'a&amp;a&amp;a&amp;a&amp;a&#8230;',
          'shortened before it is escaped');
SELECT is(ordcancel_internal.report_html(NULL), NULL, 'NULL stays NULL');
SELECT * FROM finish();
ROLLBACK;
