-- Moves and invoice lines name the line of the sale as text, 'sale.line,42'. The
-- column has the key of the sale. A sale whose cancellation is requested may be
-- processed, which denies the request.
ALTER TABLE stock_move ADD ordcancel_sale integer;
ALTER TABLE account_invoice_line ADD ordcancel_sale integer;
CREATE FUNCTION ordcancel_find_sale() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    new.ordcancel_sale := (SELECT l.sale FROM public.sale_line AS l
                           WHERE new.origin LIKE 'sale.line,%' AND l.id = split_part(new.origin, ',', 2)::int);
    RETURN new;
END
$$;
CREATE TRIGGER ordcancel_find_sale BEFORE INSERT OR UPDATE OF origin ON stock_move
    FOR EACH ROW EXECUTE FUNCTION ordcancel_find_sale();
CREATE TRIGGER ordcancel_find_sale BEFORE INSERT OR UPDATE OF origin ON account_invoice_line
    FOR EACH ROW EXECUTE FUNCTION ordcancel_find_sale();
SELECT ordcancel.attach_child('stock_move', 'sale_sale', '{ordcancel_sale}', '{in_progress,canceled}'),
       ordcancel.attach_child('account_invoice_line', 'sale_sale', '{ordcancel_sale}', '{in_progress,canceled}');
