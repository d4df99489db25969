-- Read before orders.sql: the orders are in 24 partitions.
\set partition_by 'PARTITION BY HASH (id)'
