-- sweep finds an order again by the text of its key as the owner reads it, also
-- where that depends on the search_path.
BEGIN;
SELECT plan(3);
CREATE ROLE sweep_shop;
CREATE SCHEMA shop AUTHORIZATION sweep_shop;
CREATE SCHEMA other;
GRANT USAGE ON SCHEMA other TO sweep_shop;
SELECT ordcancel.grant_owner('sweep_shop'), ordcancel.grant_merchant('sweep_shop'),
       ordcancel.grant_customer('sweep_shop') \g /dev/null
CREATE TABLE other.things ();
CREATE TABLE public.things ();
SET LOCAL search_path = other, public;
SET LOCAL ROLE sweep_shop;
CREATE TABLE shop.orders (id regclass PRIMARY KEY, status text, placed_at timestamptz DEFAULT now());
INSERT INTO shop.orders VALUES ('other.things', 'placed'), ('public.things', 'placed');
SELECT ordcancel.attach('shop.orders', 'status', placed_at => 'placed_at') \g /dev/null
SELECT ordcancel.set_policy('shop.orders', canceled_status => 'canceled', requested_status => 'asked',
                            decision_timeout => '1 hour', on_timeout => 'accept') \g /dev/null
SELECT ordcancel.set_rule('shop.orders', 'placed', customer => 'request', merchant => 'cancel') \g /dev/null
SELECT ordcancel.request_cancel('shop.orders', 'other.things'::regclass) \g /dev/null
RESET ROLE;
SET LOCAL search_path = public;
SET LOCAL ordcancel.clock = '2100-01-01 00:00+00';
CALL ordcancel.sweep();
SELECT is((SELECT status FROM shop.orders WHERE id = 'other.things'::regclass), 'canceled', 'the order is decided');
SELECT is((SELECT status FROM shop.orders WHERE id = 'public.things'::regclass), 'placed', 'and not its namesake');
SELECT is_empty('SELECT * FROM ordcancel.pending_requests', 'nothing is pending');
SELECT * FROM finish();
ROLLBACK;
