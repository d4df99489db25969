SELECT ordcancel.also_set('shop.orders', 'canceled', 'canceled_at', 'cancellation.closed_at');
SELECT ordcancel.also_set('shop.orders', 'canceled', 'cancel_reason', 'cancellation.reason');
