#!/usr/bin/env python3
"""Canceling and listening from Python, with the table of README.md.

    apt-get install python3-psycopg2
    ./shop.py cancel 42 out_of_stock      # as a merchant
    ./shop.py listen                      # prints every event, and misses none

The connection uses libpq's environment variables: PGHOST, PGDATABASE, PGUSER and so on.
"""
import select
import sys
import time
import uuid

import psycopg2


def cancel(order_id, reason):
    """Cancels an order. After a lost connection the call is repeated with the same
    key, so the order is canceled once, and the result is that of the first call."""
    key = str(uuid.uuid4())
    for wait in (0, 1, 2, 4, 8):
        time.sleep(wait)
        try:
            with psycopg2.connect("") as db, db.cursor() as cursor:
                cursor.execute(
                    "SELECT state, changed FROM ordcancel.cancel_order("
                    "'shop.orders', %s, %s, request_key => %s)",
                    (order_id, reason, key))
                return cursor.fetchone()
        except psycopg2.OperationalError as error:
            print("trying again:", error, file=sys.stderr)
    raise SystemExit("no connection")


def events_after(cursor, position):
    """The next events, in an order in which no event can appear before the position
    later: only those of transactions older than every running transaction."""
    cursor.execute(
        "SELECT xid, event_id, order_key, type, state, reason"
        " FROM ordcancel.event"
        " WHERE (xid, event_id) > (%s, %s)"
        "   AND xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
        " ORDER BY xid, event_id LIMIT 100", position)
    return cursor.fetchall()


def listen(handle, position=(0, 0)):
    """Calls handle for every event after the position. NOTIFY is only a wake-up:
    events that occurred while nobody listened are in the table. Store the position
    of the last handled event in your own database, and start there next time.
    An index on (xid, event_id) of the event table keeps this fast."""
    db = psycopg2.connect("")
    db.autocommit = True
    cursor = db.cursor()
    cursor.execute("LISTEN ordcancel")      # before the first query, or an event is missed
    while True:
        events = events_after(cursor, position)
        for xid, event_id, *event in events:
            handle(event_id, *event)
            position = (xid, event_id)
        if not events:
            # An event may have to wait for an older transaction: poll every 5 seconds.
            select.select([db], [], [], 5)
            db.poll()
            db.notifies.clear()


def main():
    if sys.argv[1:2] == ["listen"]:
        listen(lambda *event: print(*event, flush=True))
    try:
        print(*cancel(*sys.argv[2:4]))
    except psycopg2.Error as error:
        if not (error.pgcode or "").startswith("OC"):
            raise
        # Refused: OC003 by the rule, OC004 by the window, … see doc/errors.md
        print(error.pgcode, error.diag.message_primary, error.diag.message_hint or "")
        sys.exit(1)


if __name__ == "__main__":
    main()
