-- The report of a shop that doc/pictures shows.
SET client_min_messages = warning;
BEGIN;
\o /dev/null
\ir ../pgtap/include/report_shop.sql
\o
SELECT ordcancel.cancel_report('shop.orders', '2026-09-07', '2026-11-02');
ROLLBACK;
