-- What the tests of the guards share.

-- 'ok', or the error's SQLSTATE and, where it has one, its constraint.
CREATE FUNCTION attempt(statement text) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    state text;
    constraint_name text;
BEGIN
    EXECUTE statement;
    RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, constraint_name = CONSTRAINT_NAME;
    RETURN concat_ws(' ', state, nullif(constraint_name, ''));
END
$$;

-- The same as another role.
CREATE FUNCTION attempt_as(role name, statement text) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    result text;
BEGIN
    EXECUTE format('SET LOCAL ROLE %I', role);
    result := attempt(statement);
    RESET ROLE;
    RETURN result;
END
$$;
