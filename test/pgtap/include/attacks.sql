-- What the attacks share: a table that says who ran what.

CREATE TABLE ran (what text, role name DEFAULT current_user);
GRANT INSERT ON ran TO PUBLIC;

-- What ran since the last look, by other roles than this one.
CREATE FUNCTION run_by_others(expected name) RETURNS text LANGUAGE sql AS $$
WITH gone AS (DELETE FROM public.ran RETURNING *)
SELECT coalesce(string_agg(DISTINCT what || ' by ' || role, ', ' ORDER BY what || ' by ' || role)
                FILTER (WHERE role <> expected), 'nothing') FROM gone
$$;

-- What ran since the last look, by whomever.
CREATE FUNCTION run_by_all() RETURNS text LANGUAGE sql AS 'SELECT public.run_by_others(''-'')';

-- Runs a statement, and then what it has left for the commit.
CREATE FUNCTION attempt_with_deferred(statement text) RETURNS text
    LANGUAGE plpgsql
    AS $$
BEGIN
    EXECUTE statement;
    SET CONSTRAINTS ALL IMMEDIATE;
    SET CONSTRAINTS ALL DEFERRED;
    RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;
