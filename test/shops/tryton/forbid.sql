-- The opposite: what Tryton calls confirmed is what ordcancel calls canceled, and
-- nobody may cancel. Tests that confirm a sale must fail.
CREATE EXTENSION ordcancel;
SELECT ordcancel.attach('sale_sale', 'state');
SELECT ordcancel.set_policy('sale_sale', canceled_status => 'confirmed');
SELECT ordcancel.set_rule('sale_sale', 'quotation', hint => 'Nobody confirms a sale here.');
