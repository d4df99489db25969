SELECT ordcancel.detach('shop.orders');
