-- What the fuzzer's tables are made of. Code of the user's stands wherever
-- PostgreSQL lets it stand, and does what the setting fuzz.chaos says.

CREATE SCHEMA shop;
GRANT ALL ON SCHEMA shop TO PUBLIC;

-- raise:SQLSTATE, run:SQL, try:SQL (errors are caught), null, false; else true
CREATE FUNCTION shop.chaos(what text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    verb text := split_part(what, ':', 1);
    arg text := substr(what, length(split_part(what, ':', 1)) + 2);
BEGIN
    IF pg_trigger_depth() > 6 THEN
        RETURN true;
    END IF;
    CASE verb
        WHEN 'raise' THEN RAISE EXCEPTION 'chaos' USING ERRCODE = arg;
        WHEN 'run' THEN EXECUTE arg;
        WHEN 'try' THEN
            BEGIN
                EXECUTE arg;
            EXCEPTION WHEN OTHERS THEN
                RAISE NOTICE USING MESSAGE = 'caught ' || SQLERRM, ERRCODE = SQLSTATE;
            END;
        WHEN 'null' THEN RETURN NULL;
        WHEN 'false' THEN RETURN false;
        ELSE RETURN true;
    END CASE;
    RETURN true;
END
$$;
CREATE FUNCTION shop.chaos() RETURNS boolean LANGUAGE sql AS
    $$ SELECT shop.chaos(current_setting('fuzz.chaos', true)) $$;
-- PostgreSQL wants these to be immutable where they stand; that they are not
-- is the user's fault, and must not be our crash.
CREATE FUNCTION shop.calm(anyelement) RETURNS anyelement LANGUAGE plpgsql IMMUTABLE AS
    $$ BEGIN PERFORM shop.chaos(); RETURN $1; END $$;
CREATE FUNCTION shop.many(n int) RETURNS SETOF boolean LANGUAGE sql AS
    $$ SELECT shop.chaos() FROM generate_series(1, n) $$;
CREATE FUNCTION shop.price(n numeric) RETURNS numeric LANGUAGE plpgsql AS
    $$ BEGIN IF shop.chaos() THEN RETURN n; END IF; RETURN NULL; END $$;

CREATE FUNCTION shop.trouble() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    what text := coalesce(nullif(current_setting('fuzz.chaos', true), ''), TG_ARGV[0]);
BEGIN
    IF what = 'suppress' THEN
        RETURN NULL;
    ELSIF what LIKE 'set:%' AND TG_OP <> 'DELETE' AND TG_LEVEL = 'ROW' THEN
        NEW := jsonb_populate_record(NEW, substr(what, 5)::jsonb);
    ELSE
        PERFORM shop.chaos(what);
    END IF;
    IF TG_LEVEL = 'STATEMENT' THEN
        RETURN NULL;
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$$;

CREATE TYPE shop.st AS ENUM ('new', 'paid', 'shipped', 'done', 'asked', 'refunding', 'void', 'gone');
CREATE DOMAIN shop.dst AS text CHECK (shop.chaos() IS NOT NULL) CHECK (length(VALUE) < 30);
CREATE DOMAIN shop.ddst AS shop.dst CHECK (VALUE <> 'bad');
CREATE DOMAIN shop.est AS shop.st CHECK (shop.calm(VALUE) IS NOT NULL);
CREATE DOMAIN shop.dint AS int CHECK (shop.calm(VALUE) < 1000);
CREATE COLLATION shop.folded (provider = icu, locale = 'und-u-ks-level2', deterministic = false);

-- A key whose order is the user's. PostgreSQL compares with a page locked, so
-- statements in between would hang it, or lose the lock, with or without us.
CREATE TYPE shop.ct AS (a int, b text);
CREATE FUNCTION shop.ct_cmp(shop.ct, shop.ct) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
    $$
BEGIN
    IF current_setting('fuzz.chaos', true) LIKE 'raise:%' THEN
        PERFORM shop.chaos();
    END IF;
    RETURN btrecordcmp($1, $2);
END
$$;
CREATE FUNCTION shop.ct_lt(shop.ct, shop.ct) RETURNS boolean LANGUAGE sql IMMUTABLE
    AS $$ SELECT shop.ct_cmp($1, $2) < 0 $$;
CREATE FUNCTION shop.ct_le(shop.ct, shop.ct) RETURNS boolean LANGUAGE sql IMMUTABLE
    AS $$ SELECT shop.ct_cmp($1, $2) <= 0 $$;
CREATE FUNCTION shop.ct_eq(shop.ct, shop.ct) RETURNS boolean LANGUAGE sql IMMUTABLE
    AS $$ SELECT shop.ct_cmp($1, $2) = 0 $$;
CREATE FUNCTION shop.ct_ge(shop.ct, shop.ct) RETURNS boolean LANGUAGE sql IMMUTABLE
    AS $$ SELECT shop.ct_cmp($1, $2) >= 0 $$;
CREATE FUNCTION shop.ct_gt(shop.ct, shop.ct) RETURNS boolean LANGUAGE sql IMMUTABLE
    AS $$ SELECT shop.ct_cmp($1, $2) > 0 $$;
CREATE OPERATOR shop.< (PROCEDURE = shop.ct_lt, LEFTARG = shop.ct, RIGHTARG = shop.ct);
CREATE OPERATOR shop.<= (PROCEDURE = shop.ct_le, LEFTARG = shop.ct, RIGHTARG = shop.ct);
CREATE OPERATOR shop.= (PROCEDURE = shop.ct_eq, LEFTARG = shop.ct, RIGHTARG = shop.ct);
CREATE OPERATOR shop.>= (PROCEDURE = shop.ct_ge, LEFTARG = shop.ct, RIGHTARG = shop.ct);
CREATE OPERATOR shop.> (PROCEDURE = shop.ct_gt, LEFTARG = shop.ct, RIGHTARG = shop.ct);
CREATE OPERATOR CLASS shop.ct_ops DEFAULT FOR TYPE shop.ct USING btree AS
    OPERATOR 1 shop.<, OPERATOR 2 shop.<=, OPERATOR 3 shop.=, OPERATOR 4 shop.>=, OPERATOR 5 shop.>,
FUNCTION 1 shop.ct_cmp(shop.ct, shop.ct);

-- What is no order table.
CREATE VIEW shop.a_view AS SELECT 1 AS id, 'new'::text AS status;
CREATE MATERIALIZED VIEW shop.a_matview AS SELECT 1 AS id, 'new'::text AS status;
CREATE SEQUENCE shop.a_sequence;
CREATE TABLE shop.no_key (id int, status text);
CREATE TABLE shop.no_columns ();
CREATE TABLE shop.deferrable_key (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, status text);
CREATE TABLE shop.parent (id int PRIMARY KEY, status text);
CREATE TABLE shop.heir () INHERITS (shop.parent);
CREATE TABLE shop.child_of_two (order_id int, a int, b text, k text, status text);
CREATE TABLE shop."Größe ""x"" 'y'" ("Id; --" int PRIMARY KEY, "Status'" text);
CREATE FOREIGN DATA WRAPPER nowhere;
CREATE SERVER nowhere FOREIGN DATA WRAPPER nowhere;
CREATE FOREIGN TABLE shop.a_foreign_table (id int, status text) SERVER nowhere;
