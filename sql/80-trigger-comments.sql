-- The comment of a trigger is that of its function. Those on order tables and
-- record tables have none: pg_dump would write it, and a restore by a role that
-- may not create the trigger would fail once more for each.
DO $$
DECLARE
    trigger record;
BEGIN
    FOR trigger IN
        SELECT t.tgname, t.tgrelid::regclass AS rel,
               regexp_replace(obj_description(t.tgfoid, 'pg_proc'), '^trigger[^:]*: ', '') AS comment
        FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
        WHERE c.relnamespace IN ('ordcancel'::regnamespace, 'ordcancel_internal'::regnamespace) AND NOT t.tgisinternal
    LOOP
        EXECUTE format('COMMENT ON TRIGGER %I ON %s IS %L', trigger.tgname, trigger.rel, trigger.comment);
    END LOOP;
END
$$;
