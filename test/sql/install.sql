-- What CREATE EXTENSION makes, and that all of it is described.
\pset format unaligned
\pset tuples_only on

SELECT extname, extversion, extrelocatable, extnamespace::regnamespace <> 'ordcancel'::regnamespace
FROM pg_extension WHERE extname = 'ordcancel';

-- functions that callers see
SELECT p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')'
FROM pg_proc AS p
WHERE p.pronamespace = 'ordcancel'::regnamespace AND p.proname NOT LIKE '\_%'
ORDER BY 1;

-- tables, views, sequences, types
SELECT c.relkind, c.relname FROM pg_class AS c
WHERE c.relnamespace = 'ordcancel'::regnamespace AND c.relkind <> 'i'
ORDER BY 1, 2;

-- everything has a comment
SELECT 'without a comment: ' || pg_describe_object(d.classid, d.objid, d.objsubid)
FROM pg_depend AS d
WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
  AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'ordcancel')
  AND d.classid <> 'pg_type'::regclass
  AND coalesce(obj_description(d.objid, d.classid::regclass::name),
               CASE WHEN d.classid = 'pg_trigger'::regclass THEN 'n/a' END) IS NULL
ORDER BY 1;

-- nothing is executable by PUBLIC, or writable
SELECT 'executable by PUBLIC: ' || oid::regprocedure
FROM pg_proc
WHERE pronamespace = 'ordcancel'::regnamespace
  AND EXISTS (SELECT FROM aclexplode(coalesce(proacl, acldefault('f', proowner))) WHERE grantee = 0);
SELECT 'PUBLIC may ' || a.privilege_type || ' ' || c.oid::regclass
FROM pg_class AS c, aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) AS a
WHERE c.relnamespace = 'ordcancel'::regnamespace AND a.grantee = 0
ORDER BY 1;

-- every function of ours that is not C fixes its search_path
SELECT 'no search_path: ' || p.oid::regprocedure
FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang
WHERE p.pronamespace = 'ordcancel'::regnamespace AND l.lanname <> 'c'
  AND NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (p.proconfig), false);
