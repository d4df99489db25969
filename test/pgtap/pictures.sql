-- The pictures in doc are what diagram() draws of the presets, and what
-- cancel_report() says of a shop. If one is not, make pictures makes it anew.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir include/shops.sql
\set page `cat doc/presets.md`
CREATE TEMP TABLE page AS SELECT :'page'::text AS page;
-- The title of each is the name that the page gives it.
CREATE FUNCTION drawn(preset text) RETURNS text LANGUAGE sql AS $$
SELECT replace(ordcancel.diagram(format('%I.orders', preset), format => 'dot'),
               format('<b>Canceling orders of %I.orders</b>', preset),
               format('<b>Canceling orders in %s</b>',
                      substring(page FROM format('!\[([^]]*)\]\(pictures/%s\.svg\)', preset))))
FROM page
$$;
SELECT plan(22);

\set spryker `cat doc/pictures/spryker.dot`
\set vtex `cat doc/pictures/vtex.dot`
\set cafe24 `cat doc/pictures/cafe24.dot`
\set kibo `cat doc/pictures/kibo.dot`
\set zaikio `cat doc/pictures/zaikio.dot`
\set vendure `cat doc/pictures/vendure.dot`
\set medusa `cat doc/pictures/medusa.dot`
\set tryton `cat doc/pictures/tryton.dot`
\set evershop `cat doc/pictures/evershop.dot`
\set svg `ls doc/pictures/*.svg | sed 's,.*/\(.*\)[.]svg,\1,' | tr '\n' ' '`
SELECT is(:'spryker', drawn('spryker'), 'spryker is drawn as it is');
SELECT is(:'vtex', drawn('vtex'), 'vtex is drawn as it is');
SELECT is(:'cafe24', drawn('cafe24'), 'cafe24 is drawn as it is');
SELECT is(:'kibo', drawn('kibo'), 'kibo is drawn as it is');
SELECT is(:'zaikio', drawn('zaikio'), 'zaikio is drawn as it is');
SELECT is(:'vendure', drawn('vendure'), 'vendure is drawn as it is');
SELECT is(:'medusa', drawn('medusa'), 'medusa is drawn as it is');
SELECT is(:'tryton', drawn('tryton'), 'tryton is drawn as it is');
SELECT is(:'evershop', drawn('evershop'), 'evershop is drawn as it is');
SELECT is(rtrim(:'svg'), (SELECT string_agg(preset, ' ' ORDER BY preset COLLATE "C") FROM ordcancel.preset),
          'each preset has a picture');
SELECT ok(strpos(:'page', format(E'## %s\n\n![', preset)) > 0
            AND strpos(:'page', format('](pictures/%s.svg)', preset)) > 0, format('the page shows %s', preset))
FROM ordcancel.preset ORDER BY preset;
SELECT ok(strpos(:'page', E'```mermaid\n' || ordcancel.diagram('vtex.orders') || E'\n```\n') > 0,
          'the Mermaid text of vtex is as it is drawn');

-- The picture of the report has the checksum of the page that it was taken of.
\set report `cat doc/pictures/report.html`
\set stamp `grep -ao 'sha256:[0-9a-f]*' doc/pictures/report.png`
\ir include/report_shop.sql
SELECT ok(ordcancel.cancel_report('shop.orders', '2026-09-07', '2026-11-02') = :'report',
          'the report of a shop is as it is made');
SELECT is(:'stamp', 'sha256:' || encode(sha256(:'report'), 'hex'), 'the picture is of that report');

SELECT * FROM finish();
ROLLBACK;
