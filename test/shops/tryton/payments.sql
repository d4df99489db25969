SELECT ordcancel.add_block('sale_sale', 'paid', $$EXISTS (
    SELECT FROM public.account_payment AS p
    WHERE p.origin = 'sale.sale,' || sale_sale.id AND p.state <> 'failed')$$, 'Its payments have not failed.');
