-- Exporting the setup of a table as the calls that reproduce it

-- A call with named arguments; NULL elements are omitted.
CREATE FUNCTION ordcancel_internal.call_text(function text, positional text[], named text[]) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT format('SELECT ordcancel.%s(%s);', function,
              array_to_string(positional || ARRAY(SELECT a FROM unnest(named) WITH ORDINALITY AS n (a, i)
                                                  WHERE a IS NOT NULL ORDER BY i), ', '))
$$;
COMMENT ON FUNCTION ordcancel_internal.call_text(text, text[], text[]) IS 'writes a call with named arguments';

-- name => 'value', or NULL if the value is the default.
CREATE FUNCTION ordcancel_internal.argument_text(name text, value text, by_default text DEFAULT NULL) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT CASE WHEN value IS DISTINCT FROM by_default THEN format('%s => %L', name, value) END
$$;
COMMENT ON FUNCTION ordcancel_internal.argument_text(text, text, text) IS
    'writes a named argument of a call; NULL if it has its default';

-- An INSERT into a table of the extension unless the row exists.
CREATE FUNCTION ordcancel_internal.insert_text(target text, code text, columns text, "values" text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT format('DO %L;', format(
    'BEGIN IF NOT EXISTS (SELECT FROM ordcancel.%1$s WHERE code OPERATOR(pg_catalog.=) %2$L) THEN'
    ' INSERT INTO ordcancel.%1$s (code, %3$s) VALUES (%2$L, %4$s) ON CONFLICT DO NOTHING; END IF; END',
    target, code, columns, "values"))
$$;
COMMENT ON FUNCTION ordcancel_internal.insert_text(text, text, text, text) IS
    'writes an INSERT into a table of the extension, for a row that may exist';

-- shared: with the reasons and refund methods, which all order tables share.
CREATE FUNCTION ordcancel_internal.setup_text(orders regclass, shared boolean) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
WITH it AS (
    SELECT t.*, quote_literal(ordcancel_internal.label(t.orders)) AS label,
           (SELECT n.nspname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
            WHERE c.oid = t.cancellation_table) AS record_schema,
           (SELECT n.nspname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
            WHERE c.oid = t.orders) AS order_schema
    FROM ordcancel.order_table AS t WHERE t.orders = setup_text.orders
), statement (part, a, b, text) AS (
    -- Names only in quotes: elsewhere a newline in a name could end a comment.
    SELECT 1, '', '', '-- The expressions below are read with these settings.'
                      || format(E'\nSET standard_conforming_strings = on;\nSET search_path = %s;\nSET TimeZone = %L;',
                                coalesce(nullif(it.search_path, ''), ''''''), it.time_zone)
    FROM it
    UNION ALL
    -- Reasons and refund methods are shared by all tables. Export those that are
    -- not predefined, before the rules that name them; existing rows are left
    -- unchanged, and then no privilege is needed.
    SELECT 1, 'reason', r.code, ordcancel_internal.insert_text(
               'reason', r.code, 'description, audience, requires_note, requires_request, active, note_max',
               format('%L, %L, %L, %L, %L, %s', r.description, r.audience, r.requires_note, r.requires_request,
                      r.active, r.note_max))
    FROM it, ordcancel.reason AS r WHERE shared AND NOT r.seeded
    UNION ALL
    SELECT 1, 'refund_method', m.code, ordcancel_internal.insert_text(
               'refund_method', m.code, 'on_undo', quote_literal(m.on_undo))
    FROM it, ordcancel.refund_method AS m WHERE shared AND NOT m.seeded
    UNION ALL
    SELECT 2, '', '', ordcancel_internal.call_text('attach', ARRAY[it.label, quote_literal(it.status)], ARRAY[
               ordcancel_internal.argument_text('placed_at', it.placed_at),
               ordcancel_internal.argument_text('policy_by', it.policy_by),
               ordcancel_internal.argument_text('refund_due', it.refund_due),
               ordcancel_internal.argument_text('refund_scale', it.refund_scale::text, '2'),
               ordcancel_internal.argument_text('refund_due_net', it.refund_due_net::text, 'false'),
               ordcancel_internal.argument_text('plain_updates', it.plain_updates::text, 'true'),
               ordcancel_internal.argument_text('notify_channel', it.notify_channel, 'ordcancel'),
               ordcancel_internal.argument_text('notify_payload', it.notify_payload, 'full'),
               ordcancel_internal.argument_text('inherit', it.inherit::text, 'true'),
               ordcancel_internal.argument_text('status_since', it.status_since),
               ordcancel_internal.argument_text('deleted_when', it.deleted_when),
               ordcancel_internal.argument_text('call_key', it.call_key::text),
               ordcancel_internal.argument_text('record_schema', it.record_schema, it.order_schema)])
    FROM it
    UNION ALL
    SELECT 2, 'calls', '', ordcancel_internal.call_text('make_call_table', ARRAY[it.label], '{}')
    FROM it WHERE EXISTS (SELECT FROM pg_class WHERE oid = it.call_table)
    UNION ALL
    SELECT 3, CASE p.policy WHEN 'default' THEN '' ELSE p.policy END, '',
           ordcancel_internal.call_text('set_policy', ARRAY[it.label], ARRAY[
               ordcancel_internal.argument_text('policy', p.policy, 'default'),
               CASE WHEN p.policy <> 'default' THEN 'copy_of => NULL' END]
               || ARRAY(SELECT ordcancel_internal.argument_text(
                                   f.fact, f.value,
                                   CASE f.fact WHEN 'on_progress' THEN 'deny' WHEN 'undo' THEN 'canceled'
                                               WHEN 'reason_required' THEN 'false'
                                               WHEN 'partly_fulfilled' THEN 'refuse'
                                               WHEN 'settlement' THEN 'before_canceled' END)
                        FROM ordcancel_internal.policy_text(p) AS f ORDER BY f.n))
    FROM it JOIN ordcancel.policy AS p ON p.orders = it.orders
    UNION ALL
    SELECT 3, CASE r.policy WHEN 'default' THEN '' ELSE r.policy END, ' ' || r.status,
           ordcancel_internal.call_text('set_rule', ARRAY[it.label, quote_literal(r.status)], ARRAY[
               ordcancel_internal.argument_text('customer', r.customer, 'forbid'),
               ordcancel_internal.argument_text('customer_late', r.customer_late),
               ordcancel_internal.argument_text('merchant', r.merchant, 'forbid'),
               ordcancel_internal.argument_text('deletable', r.deletable::text, 'false'),
               ordcancel_internal.argument_text('hint', r.hint),
               ordcancel_internal.argument_text('expire_after', r.expire_after::text),
               ordcancel_internal.argument_text('expire_reason', r.expire_reason),
               ordcancel_internal.argument_text('policy', r.policy, 'default')])
    FROM it JOIN ordcancel.rule AS r ON r.orders = it.orders
    UNION ALL
    SELECT 4, b.name, '', ordcancel_internal.call_text(
               'add_block', ARRAY[it.label, quote_literal(b.name), quote_literal(b.condition)], ARRAY[
               ordcancel_internal.argument_text('hint', b.hint), ordcancel_internal.argument_text('party', b.party)])
    FROM it JOIN ordcancel.block AS b ON b.orders = it.orders
    UNION ALL
    -- Its expressions are read with the search_path of attach_child().
    SELECT 5, c.child::regclass::text, c.name,
           CASE WHEN own.path IS NOT NULL THEN format(E'SET search_path = %s;\n', own.path) ELSE '' END
           || ordcancel_internal.call_text(
               'attach_child', ARRAY[quote_literal(ordcancel_internal.label(c.child)), it.label], ARRAY[
               ordcancel_internal.argument_text('key', c.key_columns::text),
               format('refuse_while => %L', ordcancel_internal.refused_states(c)),
               ordcancel_internal.argument_text('refuse_when', c.refuse_when),
               ordcancel_internal.argument_text('key_expression', c.key_expression),
               ordcancel_internal.argument_text('name', c.name, 'default')])
           || CASE WHEN own.path IS NOT NULL
                   THEN format(E'\nSET search_path = %s;', coalesce(nullif(it.search_path, ''), '''''')) ELSE '' END
    FROM it JOIN ordcancel.child AS c ON c.orders = it.orders,
        LATERAL (SELECT CASE WHEN c.search_path <> it.search_path
                                  AND (c.refuse_when IS NOT NULL OR c.key_expression IS NOT NULL)
                             THEN coalesce(nullif(c.search_path, ''), '''''') END) AS own (path)
    UNION ALL
    SELECT 6, '', '', ordcancel_internal.call_text(
               'attach_items', ARRAY[quote_literal(ordcancel_internal.label(i.items)), it.label], ARRAY[
               format('key => %L', i.key_columns),
               ordcancel_internal.argument_text('quantity', i.quantity),
               ordcancel_internal.argument_text('canceled', i.canceled),
               ordcancel_internal.argument_text('fulfilled', i.fulfilled),
               ordcancel_internal.argument_text('amount', i.amount),
               ordcancel_internal.argument_text('status', i.status),
               ordcancel_internal.argument_text('canceled_status', i.canceled_status)])
    FROM it JOIN ordcancel.item_table AS i ON i.orders = it.orders
    UNION ALL
    SELECT 6, s.state, s."column"::text, ordcancel_internal.call_text(
               'also_set', ARRAY[it.label, quote_literal(s.state), quote_literal(s."column"),
                                 quote_literal(s.value)], '{}')
    FROM it JOIN ordcancel.also_set AS s ON s.orders = it.orders
    UNION ALL
    SELECT 9, '', '', E'RESET TimeZone;\nRESET search_path;\nRESET standard_conforming_strings;'
)
SELECT string_agg(text, E'\n' ORDER BY part, a COLLATE "C", b COLLATE "C") || E'\n' FROM statement
$$;
COMMENT ON FUNCTION ordcancel_internal.setup_text(regclass, boolean) IS
    'returns the calls that recreate the setup of an order table';

CREATE FUNCTION ordcancel_internal.export_setup(orders regclass) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$ SELECT ordcancel_internal.setup_text(orders, true) $$;
COMMENT ON FUNCTION ordcancel_internal.export_setup(regclass) IS 'implements ordcancel.export_setup()';

-- The calls that reproduce the setup of an attached table: attach(), its
-- policies, rules, blocks, children, items and also_set() columns, and the shop's
-- own reasons and refund methods, but no consumers and no grants. Keep them in a migration file, or use them with the
-- name of another table. The caller needs SELECT on the whole table. Raises
-- OC001, 42501.
CREATE FUNCTION ordcancel.export_setup(orders regclass) RETURNS text
    LANGUAGE c VOLATILE
    AS 'MODULE_PATHNAME', 'ordcancel_reader_gate';
COMMENT ON FUNCTION ordcancel.export_setup(regclass) IS
    E'returns the calls that recreate the setup of an order table\nRaises OC001, 42501.';

CREATE FUNCTION ordcancel_internal.setup_digest(orders regclass) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$ SELECT encode(sha256(convert_to(ordcancel_internal.setup_text(orders, false), 'UTF8')), 'hex') $$;
COMMENT ON FUNCTION ordcancel_internal.setup_digest(regclass) IS 'implements ordcancel.setup_digest()';

-- The SHA-256 digest of what export_setup() returns, without the reasons and
-- refund methods, which all order tables share. It is equal in two databases in
-- which a table of this name has the same setup, however and in which order it
-- was made. The caller needs SELECT on the whole table. Raises OC001, 42501.
CREATE FUNCTION ordcancel.setup_digest(orders regclass) RETURNS text
    LANGUAGE c VOLATILE
    AS 'MODULE_PATHNAME', 'ordcancel_reader_gate';
COMMENT ON FUNCTION ordcancel.setup_digest(regclass) IS
    E'returns a digest of the setup of an order table, to compare databases\nRaises OC001, 42501.';
