-- Accepts or denies, as the system, the requests whose deadline has passed,
-- according to their policies. Outside a transaction block it commits after each
-- order and each table. Skips locked orders until the next call; raises a
-- WARNING for an order that cannot be decided. Denies the request of an order
-- that no longer exists, for example because its partition was dropped.
--
-- Then cancels, as the system, the orders that have been in a status for longer
-- than expire_after of its rule, in chunks of 1,000, which it commits outside a
-- transaction block; the events have "timer": true in data. Orders with a live
-- cancellation are left alone. Orders that cannot be canceled, for example because
-- of a block, are reported in one WARNING for each table and status.
--
-- Raises 25006 (a read-only transaction, a standby). To be run by pg_cron:
--   SELECT cron.schedule('ordcancel', '* * * * *', 'CALL ordcancel.sweep()');
CREATE PROCEDURE ordcancel.sweep()
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ordcancel_sweep';
COMMENT ON PROCEDURE ordcancel.sweep() IS
    E'decides the requests whose deadline has passed, and cancels the orders whose timer has ended\n'
    'Raises 25006, 42501.';
