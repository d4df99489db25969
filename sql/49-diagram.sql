-- diagram: the life of an order under a policy

CREATE FUNCTION ordcancel_internal.diagram(orders regclass, policy text, format text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    PERFORM ordcancel_internal.check_attached(orders);
    IF NOT EXISTS (SELECT FROM ordcancel.policy AS p WHERE p.orders = diagram.orders AND p.policy = diagram.policy) THEN
        PERFORM ordcancel_internal.invalid(
            pg_catalog.format('policy "%s" of %s does not exist', left(policy, 80), orders), NULL,
            'Existing policies are '
            || (SELECT string_agg(quote_ident(left(p.policy, 80)), ', ' ORDER BY p.policy COLLATE "C")
                FROM ordcancel.policy AS p WHERE p.orders = diagram.orders) || '.');
    END IF;
    PERFORM ordcancel_internal.check_word('format', coalesce(format, ''), '{mermaid,dot,text}');
    RETURN CASE format WHEN 'dot' THEN ordcancel_internal.diagram_dot(orders, policy)
                       WHEN 'text' THEN ordcancel_internal.diagram_text(orders, policy)
                       ELSE ordcancel_internal.diagram_mermaid(orders, policy) END;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.diagram(regclass, text, text) IS 'implements ordcancel.diagram()';

-- Draws the life of an order under a policy: who may cancel or request in which
-- status, how requests, refunds and undos proceed, what is forbidden, and the
-- blocks. orders: the attached table; policy: one of its policies; format:
-- mermaid, for Markdown pages, dot, for Graphviz, or text, for a terminal.
-- Returns the text. Needs only EXECUTE, since everybody may read
-- ordcancel.policy, rule and block. Raises OC001, OC014.
CREATE FUNCTION ordcancel.diagram(orders regclass, policy text DEFAULT 'default', format text DEFAULT 'mermaid')
    RETURNS text
    LANGUAGE c STABLE
    AS 'MODULE_PATHNAME', 'ordcancel_open_gate';
COMMENT ON FUNCTION ordcancel.diagram(regclass, text, text) IS
    E'draws the life of an order under a policy, as Mermaid, Graphviz or plain text\nRaises OC001, OC014.';
