-- also_set: columns that are written together with the status, and given back.
BEGIN;
SELECT no_plan();
\ir include/helpers.sql
CREATE SCHEMA shop;
SET LOCAL search_path = shop, public, ordcancel;
CREATE SEQUENCE ticket;
-- The CHECKs hold only if the columns are written in the same row version.
CREATE TABLE shop.orders (
    id integer PRIMARY KEY,
    status text NOT NULL,
    paid numeric NOT NULL DEFAULT 0,
    canceled_at timestamptz,
    cancel_reason varchar(20),
    active boolean NOT NULL DEFAULT true,
    held_by text,
    ticket bigint,
    note text DEFAULT 'as it was',
    total numeric GENERATED ALWAYS AS (CASE WHEN active THEN paid ELSE 0 END) STORED,
    CHECK ((status = 'canceled') = (canceled_at IS NOT NULL)),
    CHECK ((status = 'requested') = (held_by IS NOT NULL)));
INSERT INTO shop.orders (id, status, paid) SELECT i, 'placed', CASE WHEN i > 50 THEN 10 ELSE 0 END
    FROM generate_series(1, 100) AS i;
SELECT ordcancel.attach('shop.orders', 'status', refund_due => 'paid');
SELECT ordcancel.set_policy('shop.orders', requested_status => 'requested', in_progress_status => 'refunding',
                            canceled_status => 'canceled');
SELECT ordcancel.set_rule('shop.orders', 'placed', customer => 'request', merchant => 'cancel');
SET LOCAL ordcancel.clock = '2026-05-05 12:00+00';

SELECT is(ordcancel.also_set('shop.orders', 'canceled', 'canceled_at', 'cancellation.closed_at'),
          'shop.orders: canceled: column "canceled_at" is set to cancellation.closed_at', 'also_set answers');
SELECT ordcancel.also_set('shop.orders', 'canceled', 'cancel_reason', 'cancellation.reason'),
       ordcancel.also_set('shop.orders', 'canceled', 'active', 'false'),
       ordcancel.also_set('shop.orders', 'canceled', 'ticket', 'nextval(''shop.ticket'')'),
       ordcancel.also_set('shop.orders', 'requested', 'held_by', 'cancellation.requested_by || orders.id'),
       ordcancel.also_set('shop.orders', 'in_progress', 'note',
                          '''cancellation '' || cancellation.cancellation_id || '' of '' || paid -- all'),
       ordcancel.also_set('shop.orders', 'restored', 'note', 'concat(cancellation.state, '': '', note)');

CREATE FUNCTION row_of(integer) RETURNS text
    LANGUAGE sql
    AS $$
SELECT concat_ws(' ', status, canceled_at AT TIME ZONE 'UTC', cancel_reason, active, held_by, ticket,
                 regexp_replace(note, '\d+ of', '# of'), total)
FROM shop.orders WHERE id = $1
$$;
SELECT is(outcome_of($$cancel_order('shop.orders', 1, 'fraud')$$), 'canceled canceled', 'an order is canceled');
SELECT is(row_of(1), 'canceled 2026-05-05 12:00:00 fraud f 1 as it was 0', 'with its columns');
SELECT is((SELECT prior_values FROM ordcancel.cancellation WHERE order_key = '1'),
          '{"canceled_at": {"prior": null, "written": "2026-05-05 12:00:00+00"},
            "cancel_reason": {"prior": null, "written": "fraud"},
            "active": {"prior": "true", "written": "false"}, "ticket": {"prior": null, "written": "1"}}'::jsonb,
          'the record has what they were');
SELECT is(outcome_of($$undo_cancel('shop.orders', 1, 'mistake')$$), 'undone placed', 'undone');
SELECT is(row_of(1), 'placed t undone: as it was 0', 'they are given back');
SELECT is(outcome_of($$request_cancel('shop.orders', 2)$$), 'requested requested', 'requested');
SELECT is(row_of(2), 'requested t customer2 as it was 0', 'with its columns');
SELECT is(outcome_of($$withdraw_cancel('shop.orders', 2)$$), 'withdrawn placed', 'withdrawn');
SELECT is(row_of(2), 'placed t withdrawn: as it was 0', 'given back');
SELECT * FROM finish();
ROLLBACK;
