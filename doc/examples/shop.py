#!/usr/bin/env python3
"""Canceling from Python, with the table of README.md. consumer.py handles the events.

    apt-get install python3-psycopg            # psycopg 3
    ./shop.py 42 out_of_stock                  # as a merchant

The connection uses libpq's environment variables: PGHOST, PGDATABASE, PGUSER and so on.
"""
import sys
import time
import uuid

import psycopg


def cancel(order_id, reason):
    """Cancels an order. After a lost connection the call is repeated with the same
    key, so the order is canceled once, and the result is that of the first call."""
    key = str(uuid.uuid4())
    for wait in (0, 1, 2, 4, 8):
        time.sleep(wait)
        try:
            with psycopg.connect("") as db:
                return db.execute(
                    "SELECT state, changed FROM ordcancel.cancel_order("
                    "'shop.orders', %s, %s, request_key => %s)",
                    (order_id, reason, key)).fetchone()
        except psycopg.OperationalError as error:
            print("trying again:", error, file=sys.stderr)
    raise SystemExit("no connection")


def main(order_id, reason=None):
    try:
        print(*cancel(order_id, reason))
    except psycopg.Error as error:
        if not (error.sqlstate or "").startswith("OC"):
            raise
        # Refused: OC003 by the rule, OC004 by the window, … see doc/errors.md
        print(error.sqlstate, error.diag.message_primary, error.diag.message_hint or "")
        sys.exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
