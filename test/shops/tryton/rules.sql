SELECT ordcancel.attach('sale_sale', 'state');
SELECT ordcancel.set_policy('sale_sale', canceled_status => 'cancelled');
SELECT ordcancel.set_rule('sale_sale', 'draft', merchant => 'cancel', deletable => true);
SELECT ordcancel.set_rule('sale_sale', 'quotation', customer => 'cancel', merchant => 'cancel');
SELECT ordcancel.set_rule('sale_sale', 'confirmed', customer => 'request', merchant => 'cancel');
SELECT ordcancel.set_rule('sale_sale', 'processing', hint => 'Cancel its shipments and invoices instead.');
SELECT ordcancel.set_rule('sale_sale', 'done', hint => 'Create a return instead.');
-- Tryton deletes a sale by canceling it first.
SELECT ordcancel.set_rule('sale_sale', 'cancelled', deletable => true);
SELECT ordcancel.add_block('sale_sale', 'shipped', $$EXISTS (
    SELECT FROM public.sale_line AS l JOIN public.stock_move AS m ON m.origin = 'sale.line,' || l.id
    WHERE l.sale = sale_sale.id AND m.state <> 'cancelled')$$, 'Cancel its shipments first.');
SELECT ordcancel.add_block('sale_sale', 'invoiced', $$EXISTS (
    SELECT FROM public.sale_line AS l
        JOIN public.account_invoice_line AS i ON i.origin = 'sale.line,' || l.id
        LEFT JOIN public.account_invoice AS v ON v.id = i.invoice
    WHERE l.sale = sale_sale.id AND v.state IS DISTINCT FROM 'cancelled')$$, 'Cancel its invoices first.');
SELECT ordcancel.grant_merchant('tryton');
