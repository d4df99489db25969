-- What the extension can do, and whether the module account_payment is there.
SELECT EXISTS (SELECT FROM pg_proc WHERE proname = 'set_policy' AND 'reopen_statuses' = ANY (proargnames)) AS reopen,
       EXISTS (SELECT FROM pg_proc WHERE proname = 'also_set') AS also,
       EXISTS (SELECT FROM pg_proc WHERE proname = 'attach_child' AND 'key_expression' = ANY (proargnames))
           AS key_expression,
       to_regclass('public.account_payment') IS NOT NULL AS payments \gset
