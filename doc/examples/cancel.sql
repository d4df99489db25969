-- Canceling from psql or a shell script, with the table of README.md:
--
--   psql -d shop -v order=42 -v reason=out_of_stock -f cancel.sql
--
-- Exits with status 3 and the server's message if the order cannot be canceled.
\set ON_ERROR_STOP on

-- What is possible, and why the rest is not.
SELECT verb, outcome, condition, detail, hint
FROM ordcancel.cancel_options('shop.orders', :'order')
WHERE party = 'merchant' AND verb IN ('cancel_order', 'accept_cancel', 'deny_cancel');

-- The record names the user who runs this script.
SELECT state, changed, refund_due
FROM ordcancel.cancel_order('shop.orders', :'order', :'reason', actor => :'USER') \gset

SELECT :'state' = 'requested' AS requested, :'state' = 'in_progress' AS in_progress \gset
\if :requested
    \echo 'Requested. A second call confirms the request.'
\elif :in_progress
    \echo 'Accepted. Refund' :refund_due 'and call ordcancel.record_refund().'
\else
    \echo 'Canceled.'
\endif
