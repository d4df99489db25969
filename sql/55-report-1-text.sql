-- cancel_report: text for HTML. The page is ASCII, whatever the encoding of the
-- client that saves it, and well-formed XML.

-- A value from data as HTML, at most so many characters of it. Characters that
-- neither HTML nor XML allows are replaced.
CREATE FUNCTION ordcancel_internal.report_html(value text, most integer DEFAULT 200) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    cut CONSTANT boolean := length(value) > most;
    escaped text := replace(replace(replace(replace(replace(
        translate(CASE WHEN cut THEN left(value, most - 1) ELSE value END, E'\n\r\t', '   '),
        '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), '"', '&quot;'), '''', '&#39;');
BEGIN
    IF escaped COLLATE "C" ~ '[^ -~]' THEN
        SELECT string_agg(CASE WHEN u.code BETWEEN 32 AND 126 THEN c.c
                               WHEN u.code < 160 OR u.code IN (65534, 65535) THEN '&#65533;'
                               WHEN getdatabaseencoding() = 'UTF8' THEN format('&#%s;', u.code)
                               WHEN getdatabaseencoding() = 'SQL_ASCII' THEN '&#65533;'
                               ELSE c.c END, '' ORDER BY c.n)
        INTO escaped
        FROM regexp_split_to_table(escaped, '') WITH ORDINALITY AS c (c, n), ascii(c.c) AS u (code);
    END IF;
    RETURN escaped || CASE WHEN cut THEN '&#8230;' ELSE '' END;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.report_html(text, integer) IS
    'returns a text as HTML: escaped, in ASCII and shortened';

-- The key of an order. Short ones are not broken into lines.
CREATE FUNCTION ordcancel_internal.report_key(key text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT format(CASE WHEN length(key) <= 16 THEN '<bdi class="short">%s</bdi>' ELSE '<bdi>%s</bdi>' END,
              ordcancel_internal.report_html(key, 60))
$$;
COMMENT ON FUNCTION ordcancel_internal.report_key(text) IS 'returns the key of an order as HTML';

-- What people read of a reason: its description, or its code.
CREATE FUNCTION ordcancel_internal.report_reason(code text, description text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT ordcancel_internal.report_html(upper(left(r.name, 1)) || substr(r.name, 2), 100)
FROM (SELECT coalesce(nullif(btrim(description), ''), code)) AS r (name)
$$;
COMMENT ON FUNCTION ordcancel_internal.report_reason(text, text) IS 'returns the name of a reason as HTML';

CREATE FUNCTION ordcancel_internal.report_number(n numeric, scale integer DEFAULT 0) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT CASE WHEN abs(n) >= 1e15 THEN round(n, scale)::text
            ELSE to_char(n, 'FM999,999,999,999,990'
                            || CASE WHEN scale > 0 THEN '.' || repeat('0', scale) ELSE '' END) END
$$;
COMMENT ON FUNCTION ordcancel_internal.report_number(numeric, integer) IS 'returns a number as text, such as 1,234';

-- A share as 12%, below 10% as 1.2%.
CREATE FUNCTION ordcancel_internal.report_share(part numeric, whole numeric) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT CASE WHEN whole > 0
            THEN ordcancel_internal.report_number(
                     100 * part / whole, CASE WHEN part > 0 AND 100 * part / whole < 9.95 THEN 1 ELSE 0 END) || '%'
            ELSE '&#8211;' END
$$;
COMMENT ON FUNCTION ordcancel_internal.report_share(numeric, numeric) IS 'returns a share as text, such as 12%';

CREATE FUNCTION ordcancel_internal.report_noun(n numeric, one text, many text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT ordcancel_internal.report_number(n) || ' ' || CASE WHEN n = 1 THEN one ELSE many END
$$;
COMMENT ON FUNCTION ordcancel_internal.report_noun(numeric, text, text) IS
    'returns a number with its noun, such as 2 orders';

-- How a number differs from the one before, in percent.
CREATE FUNCTION ordcancel_internal.report_change(n numeric, before numeric) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT CASE WHEN n = before THEN '&#177;0%'
            WHEN before = 0 THEN 'new'
            WHEN n > 10 * before THEN '&#9650;&#160;&#215;' || ordcancel_internal.report_number(n / before)
            ELSE CASE WHEN n > before THEN '&#9650;&#160;' ELSE '&#9660;&#160;' END
                 || ordcancel_internal.report_share(abs(n - before), before) END
$$;
COMMENT ON FUNCTION ordcancel_internal.report_change(numeric, numeric) IS
    'returns the difference to a number as text, with an arrow';

CREATE FUNCTION ordcancel_internal.report_duration(seconds numeric) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT CASE WHEN s < 60 THEN s || '&#160;s'
            WHEN s < 3600 THEN s / 60 || '&#160;min'
            WHEN s < 86400 THEN s / 3600 || '&#160;h'
                || CASE WHEN s % 3600 >= 60 THEN '&#160;' || s % 3600 / 60 || '&#160;min' ELSE '' END
            WHEN s < 7 * 86400 THEN s / 86400 || CASE WHEN s < 2 * 86400 THEN '&#160;day' ELSE '&#160;days' END
                || CASE WHEN s % 86400 >= 3600 THEN '&#160;' || s % 86400 / 3600 || '&#160;h' ELSE '' END
            ELSE ordcancel_internal.report_number(s / 86400) || '&#160;days' END
FROM (SELECT greatest(0, floor(seconds))::bigint) AS d (s)
$$;
COMMENT ON FUNCTION ordcancel_internal.report_duration(numeric) IS
    'returns a number of seconds as text, such as 3 h 5 min';

CREATE FUNCTION ordcancel_internal.report_day(at timestamp, with_time boolean DEFAULT false) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT replace(to_char(at, 'FMDD Mon YYYY' || CASE WHEN extract(year FROM at) < 0 THEN ' BC' ELSE '' END
                           || CASE WHEN with_time THEN ', HH24:MI' ELSE '' END), ' ', '&#160;')
$$;
COMMENT ON FUNCTION ordcancel_internal.report_day(timestamp, boolean) IS
    'returns a date as text, such as 12 Oct 2026, with the time if asked for';

-- Independent of DateStyle.
CREATE FUNCTION ordcancel_internal.report_instant(at text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT to_char(at::timestamptz, 'YYYY-MM-DD HH24:MI:SSOF' || CASE WHEN extract(year FROM at::timestamptz) < 0
                                                                   THEN ' BC' ELSE '' END)
$$;
COMMENT ON FUNCTION ordcancel_internal.report_instant(text) IS 'returns a time as text, in ISO format';

-- The names of states, parties and reasons for denials, as the page shows them.
CREATE FUNCTION ordcancel_internal.report_word(word text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT coalesce((SELECT w.shown
                 FROM (VALUES ('in_progress', 'refund pending'), ('requested', 'open request'),
                              ('customer', 'customers'), ('merchant', 'merchant'), ('system', 'system'))
                          AS w (word, shown)
                 WHERE w.word = report_word.word), ordcancel_internal.report_html(word))
$$;
COMMENT ON FUNCTION ordcancel_internal.report_word(text) IS 'returns the name of a state or party on the page';

-- HTML with a capital. Not initcap(), which would change the names of entities.
CREATE FUNCTION ordcancel_internal.report_capital(html text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT upper(left(html, 1)) || substr(html, 2)
$$;
COMMENT ON FUNCTION ordcancel_internal.report_capital(text) IS 'returns HTML whose first letter is a capital';

-- In the order in which plots stack them.
CREATE FUNCTION ordcancel_internal.report_states() RETURNS text[]
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT '{canceled,in_progress,requested,denied,withdrawn,undone}'::text[]
$$;
COMMENT ON FUNCTION ordcancel_internal.report_states() IS 'returns the states of cancellations as plots order them';
