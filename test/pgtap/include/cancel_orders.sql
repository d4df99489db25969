-- What the tests of cancel_orders share.

-- A table of that name whose orders may be cancelled: "columns" are what it has
-- beside id and status. Its orders 1 to n are placed.
CREATE FUNCTION make_orders(name text, columns text DEFAULT '', suffix text DEFAULT '', n integer DEFAULT 20)
    RETURNS void
    LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TABLE %I (id integer, status text%s, PRIMARY KEY (id)) %s', name, columns, suffix);
    IF suffix LIKE 'PARTITION%' THEN
        EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (MINVALUE) TO (10)', name || '_low', name);
        EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (10) TO (MAXVALUE)', name || '_high', name);
    END IF;
    EXECUTE format('INSERT INTO %I (id, status) SELECT i, ''placed'' FROM generate_series(1, %s) AS i', name, n);
    PERFORM ordcancel.attach(name::regclass, 'status');
    PERFORM ordcancel.set_policy(name::regclass, canceled_status => 'canceled', requested_status => 'asked',
                                 in_progress_status => 'refunding');
    PERFORM ordcancel.set_rule(name::regclass, 'placed', customer => 'request', merchant => 'cancel');
    PERFORM ordcancel.set_rule(name::regclass, 'preparing', customer => 'request', merchant => 'request');
END
$$;
-- What a call answers: "1 canceled, 2 refused P0001".
CREATE FUNCTION outcomes_of(name text, ids integer[], on_error text DEFAULT 'skip') RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN (SELECT string_agg(concat_ws(' ', a.order_id, a.outcome, a.sqlstate), ', ' ORDER BY a.n)
            FROM ordcancel.cancel_orders(name::regclass, ids, 'out_of_stock', 'a note', 'anna',
                                         on_error) WITH ORDINALITY AS a (order_id, outcome, cancellation_id, sqlstate,
                                                                         message, n));
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END
$$;
-- How many orders are canceled and have one cancellation and one event that say
-- so; -1 where an order and its records disagree.
CREATE FUNCTION count_canceled(name text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    n integer;
BEGIN
    EXECUTE format('SELECT CASE WHEN bool_and((o.status = ''canceled'') = (c.n = 1) AND c.n <= 1 AND c.n = e.n) THEN '
                   'count(*) FILTER (WHERE c.n = 1) ELSE -1 END FROM %I AS o,'
                   ' LATERAL (SELECT count(*) AS n FROM %I AS c WHERE c.order_id = o.id'
                   ' AND c.state = ''canceled'') AS c,'
                   ' LATERAL (SELECT count(*) AS n FROM %I AS e WHERE e.order_id = o.id AND e.type = ''canceled'' AND '
                   'e.source = ''cancel_orders'') AS e',
                   name, name || '_cancellation', name || '_cancellation_event') INTO n;
    RETURN n;
END
$$;

-- What triggers have seen.
CREATE TABLE log (n integer GENERATED ALWAYS AS IDENTITY, entry text);
CREATE FUNCTION log() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO log (entry) VALUES (format('%s %s %s>%s', TG_NAME, NEW.id, OLD.status, NEW.status));
    RETURN NEW;
END
$$;
-- What was logged since, sorted; and it is forgotten.
CREATE FUNCTION logged(what text) RETURNS text LANGUAGE sql AS $$
WITH d AS (DELETE FROM log WHERE entry LIKE what || '%' RETURNING entry)
SELECT coalesce(string_agg(entry, ', ' ORDER BY entry), 'nothing') FROM d
$$;
CREATE FUNCTION log_statement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO log (entry) VALUES (TG_NAME);
    RETURN NULL;
END
$$;

-- A trigger that refuses orders whose id ends with that figure, with that SQLSTATE.
CREATE FUNCTION refuse_by_id() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id % 10 = TG_ARGV[0]::integer AND NEW.status = 'canceled' THEN
        RAISE EXCEPTION 'order % says no', NEW.id USING ERRCODE = TG_ARGV[1];
    END IF;
    RETURN NEW;
END
$$;
