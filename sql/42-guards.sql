-- The triggers that attach makes

-- An expression that is true when a column's value changes in any byte.
-- What compares equal must not change unseen: a case-insensitive status could
-- otherwise slip out of its rules. Types of pg_catalog other than text compare
-- equal only when they are the same.
CREATE FUNCTION ordcancel_internal.changes(orders regclass, col name) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT CASE
           WHEN coalesce(b.oid, t.oid) IN ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype)
               THEN format('OLD.%1$I::pg_catalog.text COLLATE pg_catalog."C" IS DISTINCT FROM NEW.%1$I::pg_catalog.text COLLATE pg_catalog."C"', col)
           WHEN t.typtype = 'e'
                OR coalesce(b.oid, t.oid) IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'uuid'::regtype)
               THEN format('OLD.%1$I IS DISTINCT FROM NEW.%1$I', col)
           -- The casts keep it from being compared column by column.
           ELSE format('ROW(OLD.%1$I)::pg_catalog.record OPERATOR(pg_catalog.*<>) ROW(NEW.%1$I)::pg_catalog.record', col)
       END
FROM pg_attribute AS a
    JOIN pg_type AS t ON t.oid = a.atttypid
    LEFT JOIN pg_type AS b ON t.typtype = 'd' AND b.oid = t.typbasetype
WHERE a.attrelid = orders AND a.attname = col
$$;
COMMENT ON FUNCTION ordcancel_internal.changes(regclass, name) IS
    'returns the condition of a trigger that a column changes';

-- A table may be guarded in more than one way: kind is the pattern of those to
-- be dropped.
CREATE FUNCTION ordcancel_internal.drop_guards(rel regclass, kind text) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    guard record;
BEGIN
    -- Those of partitions go with the ones that they are clones of.
    FOR guard IN
        SELECT tgname, tgrelid::regclass AS rel
        FROM pg_trigger
        WHERE tgrelid IN (SELECT relid FROM pg_partition_tree(drop_guards.rel) UNION SELECT drop_guards.rel)
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

-- The guards of an order table, as PostgreSQL writes them.
--
-- AFTER, so that no trigger of another can change the row any more; not OF,
-- because a trigger of another may change what the UPDATE did not name;
-- without WHEN, because PostgreSQL reads that anew for each statement, while
-- guard_update sees in no time that nothing of ours has changed. The names
-- sort before others: where a trigger of the user's updates the order once
-- more, the first change has to be judged before the second.
--
-- The WHEN of the last one is always true. It keeps the columns from being
-- dropped or getting another type, and guard_update looks up there which they
-- are.
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
                      FROM unnest(array_remove(registered.status || registered.primary_key || registered.policy_by, NULL))
                          WITH ORDINALITY AS w (col, n))))) AS g (kind, moment, level)
$$;
COMMENT ON FUNCTION ordcancel_internal.guards(ordcancel.order_table) IS
    'lists the triggers that an order table should have';

-- Those of them that are not there, or that are disabled.
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

-- Triggers of ours that have other names than attach gives them: those that it
-- makes again would fire beside them.
CREATE FUNCTION ordcancel_internal.stray_guards(registered ordcancel.order_table) RETURNS SETOF name
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT t.tgname
FROM pg_trigger AS t JOIN pg_proc AS p ON p.oid = t.tgfoid
WHERE t.tgrelid = registered.orders AND p.pronamespace = 'ordcancel_internal'::regnamespace
  AND p.proname ~ '^guard_(update|insert|delete|truncate)$' AND t.tgname <> '!ordcancel_' || p.proname
$$;
COMMENT ON FUNCTION ordcancel_internal.stray_guards(ordcancel.order_table) IS
    'lists the triggers of ordcancel that were renamed';

-- Is there none that would have to be dropped before it can be made?
CREATE FUNCTION ordcancel_internal.guards_stand(orders regclass, registered ordcancel.order_table) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT NOT EXISTS (SELECT FROM ordcancel_internal.missing_guards(registered) AS m
                       JOIN pg_trigger AS t ON t.tgrelid = orders AND t.tgname = m.guard)
       AND NOT EXISTS (SELECT FROM ordcancel_internal.stray_guards(registered))
$$;
COMMENT ON FUNCTION ordcancel_internal.guards_stand(regclass, ordcancel.order_table) IS
    'returns whether no trigger of an order table has to be replaced';

CREATE FUNCTION ordcancel_internal.make_guards(orders regclass, registered ordcancel.order_table, known boolean) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    missing record;
    disabled name[] := '{}';
    lacking name[] := '{}';
    stray name;
BEGIN
    FOR stray IN SELECT * FROM ordcancel_internal.stray_guards(registered) LOOP
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
            format('triggers of %s were disabled and are enabled again', ordcancel_internal.label(orders)),
            format('They are: %s.', array_to_string(disabled, ', ')),
            'What was written meanwhile was under no rule; ordcancel.health() finds what does not fit.');
    END IF;
    IF known AND lacking <> '{}' THEN
        PERFORM ordcancel_internal.notice(
            format('triggers of %s were missing and are made again', ordcancel_internal.label(orders)),
            format('They are: %s.', array_to_string(lacking, ', ')),
            'What was written meanwhile was under no rule; ordcancel.health() finds what does not fit.');
    END IF;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.make_guards(regclass, ordcancel.order_table, boolean) IS
    'creates the triggers of ordcancel on an order table';

-- PostgreSQL clones row triggers to partitions, but not statement triggers. A
-- clone that was disabled is enabled again.
CREATE FUNCTION ordcancel_internal.guard_partitions(orders regclass) RETURNS integer
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    part record;
    made integer := 0;
BEGIN
    PERFORM ordcancel_internal.check_attached(orders);
    FOR part IN
        SELECT p.relid, g.tgname
        FROM pg_partition_tree(orders) AS p
            JOIN pg_trigger AS g ON g.tgrelid = p.relid
            JOIN pg_proc AS f ON f.oid = g.tgfoid AND f.pronamespace = 'ordcancel_internal'::regnamespace
        WHERE p.relid <> orders AND f.proname ~ '^guard_(update|insert|delete|truncate)$' AND g.tgenabled NOT IN ('O', 'A')
    LOOP
        EXECUTE format('ALTER TABLE %s ENABLE TRIGGER %I', part.relid, part.tgname);
        PERFORM ordcancel_internal.notice(
            format('trigger "%s" of partition %s was disabled and is enabled again', part.tgname,
                   ordcancel_internal.label(part.relid)),
            NULL, 'What was written meanwhile was under no rule; ordcancel.health() finds what does not fit.');
    END LOOP;
    FOR part IN
        SELECT p.relid FROM pg_partition_tree(orders) AS p
        WHERE p.relid <> orders
          AND NOT EXISTS (SELECT FROM pg_trigger AS t
                          WHERE t.tgrelid = p.relid AND t.tgfoid = 'ordcancel_internal.guard_truncate()'::regprocedure)
    LOOP
        EXECUTE format('CREATE TRIGGER "!ordcancel_guard_truncate" BEFORE TRUNCATE ON %s FOR EACH STATEMENT'
                       ' EXECUTE FUNCTION ordcancel_internal.guard_truncate()', part.relid);
        made := made + 1;
    END LOOP;
    RETURN made;
END
$$;
COMMENT ON FUNCTION ordcancel_internal.guard_partitions(regclass) IS 'implements ordcancel.guard_partitions()';
