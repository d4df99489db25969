BEGIN;
SELECT plan(1);
CREATE SCHEMA shop;
CREATE FUNCTION cpu() RETURNS numeric LANGUAGE sql VOLATILE AS $$ SELECT split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::numeric / 1000 $$;
DO $$
DECLARE t text; parts text;
BEGIN
  FOREACH t IN ARRAY ARRAY['plain','also','alsoin','pplain','palso'] LOOP
    parts := CASE WHEN t LIKE 'p%' AND t <> 'plain' THEN ' PARTITION BY HASH (id)' ELSE ' WITH (fillfactor=50)' END;
    EXECUTE format('CREATE TABLE shop.%I (id integer PRIMARY KEY, status text NOT NULL, paid numeric NOT NULL DEFAULT 0, canceled_at timestamptz, cancel_reason text, a int default 1, b text default ''abc'')%s', t, parts);
    IF parts LIKE ' PART%' THEN EXECUTE format('CREATE TABLE shop.%I PARTITION OF shop.%I FOR VALUES WITH (MODULUS 1, REMAINDER 0)', t||'0', t); END IF;
    EXECUTE format('INSERT INTO shop.%I (id, status) SELECT i, ''placed'' FROM generate_series(1, 40000) AS i', t);
    PERFORM ordcancel.attach(('shop.'||t)::regclass, 'status');
    PERFORM ordcancel.set_policy(('shop.'||t)::regclass, canceled_status => 'canceled');
    PERFORM ordcancel.set_rule(('shop.'||t)::regclass, 'placed', customer => 'cancel', merchant => 'cancel');
    IF t LIKE '%also%' THEN
    PERFORM ordcancel.also_set(('shop.'||t)::regclass, 'canceled', 'canceled_at', 'cancellation.closed_at');
    PERFORM ordcancel.also_set(('shop.'||t)::regclass, 'canceled', 'cancel_reason', 'cancellation.reason');
    END IF;
  END LOOP;
END $$;
CREATE TEMP TABLE r (k text, t text, us numeric);
DO $$
DECLARE t text; b numeric; i int; r int; n int;
BEGIN
  FOR r IN 0..9 LOOP
  FOREACH t IN ARRAY ARRAY['plain','also','pplain','palso'] LOOP
    b := cpu();
    FOR i IN r*1000+1..r*1000+1000 LOOP
      PERFORM ordcancel.cancel_order(('shop.'||t)::regclass, i, 'fraud');
    END LOOP;
    INSERT INTO r VALUES ('single', t, (cpu() - b)/1000);
    b := cpu();
    PERFORM count(*) FROM ordcancel.cancel_orders(('shop.'||t)::regclass, ARRAY(SELECT g FROM generate_series(20000+r*1000+1, 20000+r*1000+1000) AS g), 'fraud');
    INSERT INTO r VALUES ('bulk', t, (cpu() - b)/1000);
  END LOOP;
  END LOOP;
END $$;
SELECT diag(k||' '||t||' '||round(min(us),2)||' median '||round(percentile_cont(0.5) WITHIN GROUP (ORDER BY us)::numeric,2)) FROM r GROUP BY k,t ORDER BY k,t;
SELECT pass('x');
SELECT * FROM finish();
ROLLBACK;
