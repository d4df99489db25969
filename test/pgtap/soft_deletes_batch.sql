-- cancel_batch leaves out orders that are deleted because deleted_when is true.
\ir include/batch.sql
SELECT plan(9);

CREATE TABLE orders (id integer PRIMARY KEY, status text, deleted_at timestamptz);
CREATE TABLE items (id integer PRIMARY KEY, order_id integer, quantity integer, canceled integer DEFAULT 0);
SELECT ordcancel.attach('orders', 'status', deleted_when => 'deleted_at IS NOT NULL');
SELECT ordcancel.set_policy('orders', canceled_status => 'canceled');
SELECT ordcancel.set_rule('orders', 'placed', merchant => 'cancel');
INSERT INTO orders SELECT n, 'placed', CASE WHEN n % 3 = 0 THEN now() END FROM generate_series(1, 12) AS n;

SELECT is(count_chosen('orders', 'true'), 8::bigint, 'a dry run does not count them');
CALL ordcancel.cancel_batch('orders', 'id <= 6', chunk => 2);
SELECT is(batch_outcome(), 'done: 4 canceled', 'nor does a batch cancel or refuse them');
SELECT is((SELECT string_agg(id::text, ',' ORDER BY id) FROM orders WHERE status = 'canceled'), '1,2,4,5',
          'as it says');
CALL ordcancel.cancel_batch('orders', 'deleted_at IS NOT NULL');
SELECT is(batch_outcome(), 'done', 'a condition does not bring them back');

-- A superuser evaluates the condition on whole rows that the owner has read.
CREATE ROLE shopkeeper;
GRANT ALL ON SCHEMA public TO shopkeeper;
ALTER TABLE orders OWNER TO shopkeeper;
ALTER TABLE items OWNER TO shopkeeper;
SELECT is(count_chosen('orders', 'status = ''placed'''), 4::bigint, 'of a table of another owner, too');

-- Deleted between the choice and the lock, an order is not found.
CREATE FUNCTION delete_next() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SET LOCAL session_replication_role = replica;
    UPDATE orders SET deleted_at = now() WHERE id = 8;
    SET LOCAL session_replication_role = origin;
    RETURN NULL;
END $$;
CREATE TRIGGER delete_next AFTER UPDATE ON orders FOR EACH ROW WHEN (NEW.id = 7) EXECUTE FUNCTION delete_next();
ALTER FUNCTION delete_next() SECURITY DEFINER;
CALL ordcancel.cancel_batch('orders', 'id IN (7, 8)', chunk => 1);
SELECT is(batch_outcome(), 'done: 1 canceled, 1 refused', 'one that is deleted meanwhile');
SELECT is(batch_refusals(), '8 refused OC002', 'is refused, as one that is gone');
DROP TRIGGER delete_next ON orders;

INSERT INTO items SELECT n, n, 2 FROM generate_series(1, 12) AS n;
SELECT ordcancel.attach_items('items', 'orders', '{order_id}', quantity => 'quantity', canceled => 'canceled');
CALL ordcancel.cancel_batch('items', 'order_id > 8');
SELECT is(batch_outcome(), 'done: 2 canceled', 'a batch of items leaves out those of deleted orders');
SELECT is((SELECT string_agg(id::text, ',' ORDER BY id) FROM items WHERE canceled > 0), '10,11', 'as it says');

SELECT * FROM finish();
