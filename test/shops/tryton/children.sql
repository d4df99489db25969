-- Moves and invoice lines name the line of the sale as text, 'sale.line,42'. A sale
-- whose cancellation is requested may be processed, which denies the request.
SELECT ordcancel.attach_child(child, 'sale_sale', refuse_while => '{in_progress,canceled}', key_expression => $$
    (SELECT l.sale FROM public.sale_line AS l
     WHERE l.id = CASE WHEN origin LIKE 'sale.line,%' THEN split_part(origin, ',', 2)::int END)$$)
FROM unnest('{stock_move,account_invoice_line}'::regclass[]) AS child;
