-- So many order tables, each with a channel of its own. Order n is in the table
-- with the number n % tables + 1.
CREATE EXTENSION ordcancel;
CREATE SCHEMA many;
SELECT format('CREATE TABLE many.orders_%s (id bigint PRIMARY KEY, status text NOT NULL)', t),
       format('INSERT INTO many.orders_%s SELECT generate_series(%s::bigint, %s, %s), ''placed''', t, t - 1,
              :n::bigint + :tables, :tables),
       format('SELECT ordcancel.attach(''many.orders_%1$s'', ''status'', notify_channel => ''orders_%1$s'')', t),
       format('SELECT ordcancel.set_policy(''many.orders_%s'', canceled_status => ''canceled'')', t),
       format('SELECT ordcancel.set_rule(''many.orders_%s'', ''placed'', merchant => ''cancel'')', t)
FROM generate_series(1, :tables) AS t \gexec
