-- Cancelling from psql or a shell script, with the table of README.md:
--
--   psql -d shop -v order=42 -v reason=out_of_stock -f cancel.sql
--
-- Ends with status 3 and the server's message when the order cannot be canceled.
\set ON_ERROR_STOP on

-- What could be done, and why the rest could not.
SELECT verb, outcome, condition, detail, hint
FROM ordcancel.cancel_options('shop.orders', :'order')
WHERE party = 'merchant' AND verb IN ('cancel_order', 'accept_cancel', 'deny_cancel');

-- Whoever runs this is named in the record.
SELECT state, changed, refund_due
FROM ordcancel.cancel_order('shop.orders', :'order', :'reason', actor => :'USER') \gset

SELECT :'state' = 'requested' AS asked, :'state' = 'in_progress' AS owing \gset
\if :asked
    \echo 'Asked. A second call confirms it.'
\elif :owing
    \echo 'Agreed. Refund' :refund_due 'and tell ordcancel.record_refund().'
\else
    \echo 'Canceled.'
\endif
