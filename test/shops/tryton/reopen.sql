SELECT ordcancel.set_policy('sale_sale', reopen_statuses => '{draft}');
