#!/usr/bin/env bash
# cancel_report in a browser: nothing is cut off on a phone or a desk, labels do
# not collide, texts can be read in the light and in the dark, nothing is loaded
# and nothing complains; and it prints.
set -u
. "$(dirname "$0")/lib/tap.sh"

browser=$(command -v chromium || command -v google-chrome) || skip_all 'no chromium here'
db=t_report_page

# What it says on stdout; what the console does, in console.
browse() # ARGUMENT...
{
	HOME=$work timeout 120 "$browser" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage \
		--disable-background-networking --disable-component-update --no-first-run --user-data-dir="$work/profile" \
		--allow-file-access-from-files --enable-logging=stderr "$@" 2>"$work/stderr"
	grep -a ':CONSOLE' "$work/stderr" >>"$work/console"
}

measure() # PAGE:WIDTH,... [ARGUMENT...]
{
	browse --window-size=1300,1000 --virtual-time-budget=20000 "${@:2}" --dump-dom "file://$work/measure.html#$1" |
		sed -n '/<pre id="result">/,/<\/pre>/p' | sed 's/.*<pre id="result">//; s/<\/pre>.*//' | grep . | sort
}

fresh_database $db
sql $db >"$work/psql.out" 2>&1 <<'SQL'
\set ON_ERROR_STOP on
\o /dev/null
CREATE EXTENSION ordcancel;
BEGIN;
\i test/pgtap/include/report_shop.sql
COMMIT;
-- Long names and keys, a note without blanks, large amounts.
CREATE TABLE shop."orders of a shop with a long name, as names go" (id text PRIMARY KEY, status text, paid numeric);
INSERT INTO shop."orders of a shop with a long name, as names go"
SELECT repeat('0123456789abcdef', n % 4 + 1) || n, 'placed', 123456789012.34 FROM generate_series(1, 40) AS n;
SELECT ordcancel.attach('shop."orders of a shop with a long name, as names go"', 'status', refund_due => 'paid');
SELECT ordcancel.set_policy('shop."orders of a shop with a long name, as names go"', canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop."orders of a shop with a long name, as names go"', 'placed', customer => 'request',
                          merchant => 'cancel');
INSERT INTO ordcancel.reason (code, description) VALUES (repeat('code', 20), repeat('Donaudampfschiffahrt', 12));
SET ordcancel.clock = '2026-10-20 08:00+00';
SELECT CASE WHEN id ~ '[02468]$'
            THEN (ordcancel.request_cancel('shop."orders of a shop with a long name, as names go"', id,
                                           repeat('code', 20), repeat('note', 40), actor => repeat('actor', 30))).state
            ELSE (ordcancel.cancel_order('shop."orders of a shop with a long name, as names go"', id,
                                         repeat('code', 20), actor => repeat('merchant', 30))).state END
FROM shop."orders of a shop with a long name, as names go";
SQL
ok 'a shop' || cat "$work/psql.out"

report() # FILE ARGUMENTS
{
	sql $db -c "SET timezone = 'Europe/Berlin'" -c "SET ordcancel.clock = '2026-11-02 08:00'" \
		-c "SELECT ordcancel.cancel_report($2)" >"$work/$1.html"
}

cp "$here/report/measure.html" "$work"
report weeks "'shop.orders', '2026-09-07', '2026-11-02'" && report year "'shop.orders', '2025-11-02', '2026-11-02'" &&
	report day "'shop.orders', '2026-10-19', '2026-10-20'" && report days "'shop.orders', '2026-07-13', '2026-11-02'" &&
	report empty "'shop.orders', '2024-01-01', '2024-02-01'" && report month "'shop.orders'" &&
	report long "'shop.\"orders of a shop with a long name, as names go\"', '2026-10-01', '2026-11-01'"
ok 'reports on eight weeks, a year, a day, 112 days, nothing, thirty days and long names'

pages=
expected=
for page in day days empty long month weeks year; do
	for width in 1200 380 700; do
		pages+=${pages:+,}$page.html:$width
		expected+="$page.html:$width: paper light"$'\n'
	done
done
expected=$(sort <<<"$expected" | grep .)
is "$(measure "$pages")" "$expected" 'nothing is cut off, collides, is hard to read or loaded'
is "$(measure "$pages" --blink-settings=preferredColorScheme=0)" "${expected//light/dark}" 'nor in the dark'
is "$(cat "$work/console")" '' 'and the console is empty'

# It would say so if there were something to say.
sed 's,</main>,<img src="other.png"/><p style="width:2000px;color:#ccc">far too wide</p></main>,' "$work/day.html" \
	>"$work/broken.html"
broken=$(measure broken.html:380)
like "$broken" 'is 20[0-9][0-9] wide' 'a page that is too wide is noticed'
like "$broken" 'hard to read: P far too wide' 'a pale text is'
like "$(cat "$work/console")" 'Content Security Policy' 'and a picture from elsewhere is refused'

for page in weeks long; do
	browse --print-to-pdf="$work/$page.pdf" --no-pdf-header-footer "file://$work/$page.html" >/dev/null
done
count=$(grep -ac '/Type */Page\b' "$work/weeks.pdf")
[ "$count" -ge 2 ] && [ "$count" -le 3 ]
ok "printed, it takes two or three pages ($count)"
[ "$(grep -ac '/Type */Page\b' "$work/long.pdf")" -ge 2 ]
ok 'and with long names some more'
done_testing
