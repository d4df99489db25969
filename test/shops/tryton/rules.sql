SELECT ordcancel.attach('sale_sale', 'state', preset => 'tryton');
SELECT ordcancel.grant_merchant('tryton');
