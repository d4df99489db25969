-- What a GraphQL server shows of ordcancel: a function in the schema api.
CREATE SCHEMA api;
CREATE FUNCTION api.cancel_order(id int, reason text DEFAULT NULL, note text DEFAULT NULL)
    RETURNS TABLE (state text, changed boolean, order_status text) LANGUAGE sql
    AS $$ SELECT state, changed, order_status FROM ordcancel.cancel_order('shop.orders', $1, $2, $3) $$;
CREATE FUNCTION api.request_cancel(id int, reason text DEFAULT NULL, note text DEFAULT NULL)
    RETURNS TABLE (state text, changed boolean, order_status text) LANGUAGE sql
    AS $$ SELECT state, changed, order_status FROM ordcancel.request_cancel('shop.orders', $1, $2, $3) $$;
