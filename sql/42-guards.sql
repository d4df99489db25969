-- The triggers that attach() creates

-- An expression that is true if any byte of a column's value changes. A test for
-- equality is not enough: a change of case in a case-insensitive status must not
-- go unnoticed. Values of built-in types other than text are equal only if
-- they are identical.
CREATE FUNCTION ordcancel_internal.changes(orders regclass, col name) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT CASE
           WHEN coalesce(b.oid, t.oid) IN ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype)
               THEN format('OLD.%1$I::pg_catalog.text COLLATE pg_catalog."C"'
                           ' IS DISTINCT FROM NEW.%1$I::pg_catalog.text COLLATE pg_catalog."C"', col)
           WHEN t.typtype = 'e'
                OR coalesce(b.oid, t.oid) IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'uuid'::regtype)
               THEN format('OLD.%1$I IS DISTINCT FROM NEW.%1$I', col)
           -- The casts prevent PostgreSQL from comparing it column by column.
           ELSE format('ROW(OLD.%1$I)::pg_catalog.record OPERATOR(pg_catalog.*<>)'
                       ' ROW(NEW.%1$I)::pg_catalog.record', col)
       END
FROM pg_attribute AS a
    JOIN pg_type AS t ON t.oid = a.atttypid
    LEFT JOIN pg_type AS b ON t.typtype = 'd' AND b.oid = t.typbasetype
WHERE a.attrelid = orders AND a.attname = col
$$;
COMMENT ON FUNCTION ordcancel_internal.changes(regclass, name) IS
    'returns the condition of a trigger that a column changes';

-- A table may have several kinds of guards; kind is a pattern for those to drop.
CREATE FUNCTION ordcancel_internal.drop_guards(rel regclass, kind text) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    guard record;
BEGIN
    -- Cloned triggers of partitions are dropped with the original.
    FOR guard IN
        SELECT tgname, tgrelid::regclass AS rel
        FROM pg_trigger
        WHERE tgrelid = ANY (ordcancel_internal.parts(drop_guards.rel))
          AND tgparentid = 0
          AND tgfoid IN (SELECT oid FROM pg_proc
                         WHERE pronamespace = 'ordcancel_internal'::regnamespace AND proname ~ ('^(' || kind || ')$'))
    LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', guard.tgname, guard.rel);
    END LOOP;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.drop_guards(regclass, text) IS
    'drops triggers of ordcancel from a table and its partitions';

-- The guards of an order table, as pg_get_triggerdef() prints them.
--
-- AFTER, so that no other trigger can change the row later. Not UPDATE OF,
-- because another trigger may change columns that the UPDATE does not name.
-- Without WHEN, because PostgreSQL reads that again for each statement, while
-- guard_update quickly detects that no relevant column has changed. The names
-- sort first: if a user's trigger updates the order again, the first change must
-- be checked before the second.
--
-- The WHEN of the last one is always true. It prevents the columns from being
-- dropped or changing their type, and tells guard_update which columns to check.
CREATE FUNCTION ordcancel_internal.guards(registered ordcancel.order_table)
    RETURNS TABLE (guard name, definition text)
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT '!ordcancel_guard_' || g.kind,
       format('CREATE TRIGGER "!ordcancel_guard_%s" %s ON %s FOR EACH %sEXECUTE FUNCTION ordcancel_internal.guard_%s()',
              g.kind, g.moment, ordcancel_internal.label(registered.orders), g.level, g.kind)
FROM (VALUES ('update', 'AFTER UPDATE', 'ROW '), ('insert', 'AFTER INSERT', 'ROW '),
             ('truncate', 'BEFORE TRUNCATE', 'STATEMENT '),
             ('delete', 'AFTER DELETE',
              format('ROW WHEN ((true OR %s)) ',
                     (SELECT string_agg(format('(old.%I IS NULL)', w.col), ' OR ' ORDER BY w.n)
                      FROM (SELECT a.col, min(a.n) AS n
                            FROM unnest(array_remove(
                                     registered.status || registered.primary_key || registered.policy_by
                                     || ordcancel_internal.expression_columns(registered.pinned_deleted_when), NULL))
                                WITH ORDINALITY AS a (col, n)
                            GROUP BY 1) AS w)))) AS g (kind, moment, level)
$$;
COMMENT ON FUNCTION ordcancel_internal.guards(ordcancel.order_table) IS
    'lists the triggers that an order table should have';

-- The guards that are missing or disabled.
CREATE FUNCTION ordcancel_internal.missing_guards(registered ordcancel.order_table)
    RETURNS TABLE (guard name, definition text, disabled boolean)
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT g.guard, g.definition, coalesce(t.tgenabled NOT IN ('O', 'A'), false)
FROM ordcancel_internal.guards(registered) AS g
    LEFT JOIN pg_trigger AS t ON t.tgrelid = registered.orders AND t.tgname = g.guard
                                 AND pg_get_triggerdef(t.oid) = g.definition
WHERE coalesce(t.tgenabled, '-') NOT IN ('O', 'A')
$$;
COMMENT ON FUNCTION ordcancel_internal.missing_guards(ordcancel.order_table) IS
    'lists the triggers that an order table lacks, or that are disabled';

-- Guards that were renamed. They must be dropped before attach() creates them
-- again, or both would fire.
CREATE FUNCTION ordcancel_internal.renamed_guards(registered ordcancel.order_table) RETURNS SETOF name
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT t.tgname
FROM pg_trigger AS t JOIN pg_proc AS p ON p.oid = t.tgfoid
WHERE t.tgrelid = registered.orders AND p.pronamespace = 'ordcancel_internal'::regnamespace
  AND p.proname ~ '^guard_(update|insert|delete|truncate)$' AND t.tgname <> '!ordcancel_' || p.proname
$$;
COMMENT ON FUNCTION ordcancel_internal.renamed_guards(ordcancel.order_table) IS
    'lists the triggers of ordcancel that were renamed';

-- Whether no trigger has to be dropped before the guards can be created.
CREATE FUNCTION ordcancel_internal.guards_are_complete(orders regclass, registered ordcancel.order_table)
    RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT NOT EXISTS (SELECT FROM ordcancel_internal.missing_guards(registered) AS m
                       JOIN pg_trigger AS t ON t.tgrelid = orders AND t.tgname = m.guard)
       AND NOT EXISTS (SELECT FROM ordcancel_internal.renamed_guards(registered))
$$;
COMMENT ON FUNCTION ordcancel_internal.guards_are_complete(regclass, ordcancel.order_table) IS
    'returns whether no trigger of an order table has to be replaced';

CREATE FUNCTION ordcancel_internal.make_guards(orders regclass, registered ordcancel.order_table, known boolean)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    missing record;
    disabled name[] := '{}';
    lacking name[] := '{}';
    stray name;
BEGIN
    FOR stray IN SELECT * FROM ordcancel_internal.renamed_guards(registered) LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', stray, orders);
    END LOOP;
    FOR missing IN SELECT * FROM ordcancel_internal.missing_guards(registered) LOOP
        IF missing.disabled THEN
            disabled := disabled || missing.guard;
        END IF;
        IF EXISTS (SELECT FROM pg_trigger WHERE tgrelid = orders AND tgname = missing.guard) THEN
            EXECUTE format('DROP TRIGGER %I ON %s', missing.guard, orders);
        ELSE
            lacking := lacking || missing.guard;
        END IF;
        EXECUTE missing.definition;
    END LOOP;
    IF known AND disabled <> '{}' THEN
        PERFORM ordcancel_internal.notice(
            format('disabled triggers of %s were enabled again', ordcancel_internal.label(orders)),
            format('They are: %s.', array_to_string(disabled, ', ')),
            'No rules were applied to rows written in the meantime; ordcancel.health() reports inconsistencies.');
    END IF;
    IF known AND lacking <> '{}' THEN
        PERFORM ordcancel_internal.notice(
            format('missing triggers of %s were created again', ordcancel_internal.label(orders)),
            format('They are: %s.', array_to_string(lacking, ', ')),
            'No rules were applied to rows written in the meantime; ordcancel.health() reports inconsistencies.');
    END IF;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.make_guards(regclass, ordcancel.order_table, boolean) IS
    'creates the triggers of ordcancel on an order table';

-- PostgreSQL clones row triggers to partitions, but not statement triggers.
-- Disabled clones are enabled again. kind is guard for an order table, and
-- guard_item for items.
CREATE FUNCTION ordcancel_internal.guard_parts(rel regclass, kind text) RETURNS integer
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    wanted CONSTANT regprocedure := format('ordcancel_internal.%I()', kind || '_truncate');
    parts CONSTANT oid[] := array_remove(ordcancel_internal.parts(rel), rel);
    part record;
    made integer := 0;
BEGIN
    IF parts = '{}' THEN
        RETURN 0;
    END IF;
    FOR part IN
        SELECT g.tgrelid::regclass AS relid, g.tgname
        FROM pg_trigger AS g
            JOIN pg_proc AS f ON f.oid = g.tgfoid AND f.pronamespace = 'ordcancel_internal'::regnamespace
        WHERE g.tgrelid = ANY (parts)
          AND f.proname ~ CASE kind WHEN 'guard' THEN '^guard_(update|insert|delete|truncate)$'
                                    ELSE '^' || kind || '(_truncate)?$' END
          AND g.tgenabled NOT IN ('O', 'A')
    LOOP
        EXECUTE format('ALTER TABLE %s ENABLE TRIGGER %I', part.relid, part.tgname);
        PERFORM ordcancel_internal.notice(
            format('disabled trigger "%s" of partition %s was enabled again', part.tgname,
                   ordcancel_internal.label(part.relid)),
            NULL, 'No rules were applied to rows written in the meantime; ordcancel.health() reports inconsistencies.');
    END LOOP;
    FOR part IN
        SELECT p.relid::regclass FROM unnest(parts) AS p (relid)
        WHERE p.relid <> ALL (ARRAY(SELECT t.tgrelid FROM pg_trigger AS t
                                    WHERE t.tgrelid = ANY (parts) AND t.tgfoid = wanted))
    LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION %s',
                       '!ordcancel_' || kind || '_truncate', part.relid, wanted);
        made := made + 1;
    END LOOP;
    RETURN made;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.guard_parts(regclass, text) IS
    'guards the partitions of a table; returns to how many it added the guard against TRUNCATE';

CREATE FUNCTION ordcancel_internal.guard_partitions(orders regclass) RETURNS integer
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    PERFORM ordcancel_internal.check_attached(orders);
    RETURN ordcancel_internal.guard_parts(orders, 'guard')
           + coalesce((SELECT ordcancel_internal.guard_parts(c.oid, 'guard_item')
                       FROM ordcancel.item_table AS i JOIN pg_class AS c ON c.oid = i.items
                       WHERE i.orders = guard_partitions.orders), 0);
END
$$;
COMMENT ON FUNCTION ordcancel_internal.guard_partitions(regclass) IS 'implements ordcancel.guard_partitions()';
