-- Tryton detects stale saves by write_date, which is in UTC; 0 is its own user.
SELECT ordcancel.also_set('sale_sale', state, 'write_date', $$timezone('UTC', now())$$),
       ordcancel.also_set('sale_sale', state, 'write_uid', '0')
FROM unnest('{canceled,restored}'::text[]) AS state;
