-- Decides, as their policies say, the requests whose deadline is over:
-- accepted or denied by the system. Commits after each order and each table
-- when it is called by itself, outside a transaction block; leaves orders that
-- somebody has locked for the next time; an order that cannot be decided is a
-- warning. The request of an order that is gone, with its partition, is denied.
-- Raises 25006 (a read-only transaction, a standby).
-- Made for pg_cron:
--   SELECT cron.schedule('ordcancel', '* * * * *', 'CALL ordcancel.sweep()');
-- Source: design section 5.
CREATE PROCEDURE ordcancel.sweep()
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_sweep';
COMMENT ON PROCEDURE ordcancel.sweep() IS
    E'accepts or denies the requests whose deadline is over, as their policies say\nRaises 25006, 42501.';
