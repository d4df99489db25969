-- Accepts or denies, as the system, the requests whose deadline has passed,
-- according to their policies. Outside a transaction block it commits after each
-- order and each table. Skips locked orders until the next call; raises a
-- WARNING for an order that cannot be decided. Denies the request of an order
-- that no longer exists, for example because its partition was dropped. Raises
-- 25006 (a read-only transaction, a standby). To be run by pg_cron:
--   SELECT cron.schedule('ordcancel', '* * * * *', 'CALL ordcancel.sweep()');
CREATE PROCEDURE ordcancel.sweep()
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_sweep';
COMMENT ON PROCEDURE ordcancel.sweep() IS
    E'accepts or denies the requests whose deadline has passed, as their policies say\nRaises 25006, 42501.';
