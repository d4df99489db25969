-- The words that all tests share; test/README.md lists them. A statement is run
-- in a subtransaction: what it changed is kept, unless it fails.

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

-- The one value that a query returns, or these parts of the error that it
-- raises: error (what attempt says of it), sqlstate, message, detail, hint,
-- table, internals (the context, if it shows a function of ordcancel_internal).
-- Without a query, 'ok' or the error of the statement.
CREATE FUNCTION value_or_error(query text, statement text, parts text[]) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    value text := 'ok';
    constraint_name text;
    message text;
    detail text;
    hint text;
    table_name text;
    context text;
BEGIN
    IF query IS NULL THEN
        EXECUTE statement;
    ELSE
        EXECUTE query INTO STRICT value;
    END IF;
    RETURN value;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS constraint_name = CONSTRAINT_NAME, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
        hint = PG_EXCEPTION_HINT, table_name = TABLE_NAME, context = PG_EXCEPTION_CONTEXT;
    RETURN (SELECT string_agg(v.value, ' | ' ORDER BY p.n)
            FROM unnest(parts) WITH ORDINALITY AS p (part, n)
                JOIN (VALUES ('error', trim(SQLSTATE || ' ' || constraint_name)), ('sqlstate', SQLSTATE),
                             ('message', message), ('detail', detail), ('hint', hint), ('table', table_name),
                             ('internals', CASE WHEN context ~ 'ordcancel_internal' THEN 'CONTEXT: ' || context END))
                    AS v (part, value) ON v.part = p.part AND v.value <> '');
END
$$;

-- 'ok', or the parts of the error: 'SQLSTATE | message | detail | hint'.
CREATE FUNCTION error_of(statement text, VARIADIC parts text[] DEFAULT '{sqlstate,message,detail,hint}') RETURNS text
    LANGUAGE sql
    AS $$ SELECT value_or_error(NULL, statement, parts) $$;

-- The same as another role.
CREATE FUNCTION error_as(role name, statement text, VARIADIC parts text[] DEFAULT '{sqlstate,message,detail,hint}')
    RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    result text;
BEGIN
    EXECUTE format('SET LOCAL ROLE %I', role);
    result := value_or_error(NULL, statement, parts);
    RESET ROLE;
    RETURN result;
END
$$;

-- What a function of ordcancel answers: 'canceled canceled', the state of the
-- cancellation and the status of the order, then 'unchanged' if it changed
-- nothing; or the parts of the error. "shown" is another expression over the
-- columns of ordcancel.outcome.
CREATE FUNCTION outcome_of(call text,
                           shown text DEFAULT 'concat_ws('' '', state, order_status,'
                                              ' CASE WHEN NOT changed THEN ''unchanged'' END)',
                           VARIADIC parts text[] DEFAULT '{error}') RETURNS text
    LANGUAGE sql
    AS $$ SELECT value_or_error(format('SELECT %s FROM ordcancel.%s', shown, call), NULL, parts) $$;

-- The status of an order; NULL if there is none.
CREATE FUNCTION status_of(id text, orders text DEFAULT 'shop.orders') RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    status text;
BEGIN
    EXECUTE format('SELECT status FROM %s WHERE id::text = $1', orders) INTO status USING id;
    RETURN status;
END
$$;
CREATE FUNCTION status_of(id integer, orders text DEFAULT 'shop.orders') RETURNS text
    LANGUAGE sql
    AS $$ SELECT status_of(id::text, orders) $$;

-- The last cancellation of an order: who requested and decided it, and all that
-- was said.
CREATE FUNCTION record_of(id integer, orders text DEFAULT 'shop.orders') RETURNS text
    LANGUAGE sql
    AS $$
SELECT value_or_error(format(
    'SELECT concat_ws('' '', state, ''by'', requested_by, requested_actor, ''decided'', decided_by, decided_actor,'
    ' ''was'', prior_status, ''now'', order_status, ''reason'', reason, ''note'', note, ''said'', decision_note,'
    ' ''undo'', undo_note)'
    ' FROM %s_cancellation WHERE order_key = %L ORDER BY cancellation_id DESC LIMIT 1', orders, id), NULL, '{error}')
$$;

-- The events of an order in their order, or the newest of them. "shown" is an
-- expression over the columns of the event table.
CREATE FUNCTION events_of(id text, newest integer DEFAULT NULL,
                          shown text DEFAULT 'concat_ws('' '', type, from_status || ''>'' || to_status, state, party,'
                                             ' actor, reason, data, source)',
                          orders text DEFAULT 'shop.orders') RETURNS text[]
    LANGUAGE plpgsql
    AS $$
DECLARE
    events text[];
BEGIN
    EXECUTE format('SELECT array_agg(%s ORDER BY event_id) FROM (SELECT * FROM %s_cancellation_event'
                   ' WHERE order_key = $1 ORDER BY event_id DESC LIMIT $2) AS e', shown, orders)
        INTO events USING id, newest;
    RETURN events;
END
$$;
CREATE FUNCTION events_of(id integer, newest integer DEFAULT NULL,
                          shown text DEFAULT 'concat_ws('' '', type, from_status || ''>'' || to_status, state, party,'
                                             ' actor, reason, data, source)',
                          orders text DEFAULT 'shop.orders') RETURNS text[]
    LANGUAGE sql
    AS $$ SELECT events_of(id::text, newest, shown, orders) $$;

-- All the memory that this session has allocated.
CREATE FUNCTION memory_allocated() RETURNS bigint
    LANGUAGE sql
    AS $$ SELECT sum(total_bytes)::bigint FROM pg_backend_memory_contexts $$;
