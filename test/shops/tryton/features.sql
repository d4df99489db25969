SELECT EXISTS (SELECT FROM pg_proc WHERE proname = 'set_policy' AND 'reopen_statuses' = ANY (proargnames)) AS reopen,
       EXISTS (SELECT FROM pg_proc WHERE proname = 'also_set') AS also,
       EXISTS (SELECT FROM pg_proc WHERE proname = 'attach_child' AND 'key_expression' = ANY (proargnames))
           AS key_expression \gset
