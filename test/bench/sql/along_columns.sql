-- Two columns that a shop sets together with the status.
ALTER TABLE shop.orders ADD canceled_at timestamptz, ADD cancel_reason text;
