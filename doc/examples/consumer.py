#!/usr/bin/env python3
"""Handles each cancellation event once, and the events of an order in their order.
Copy it, and replace handle(). The table of this example, and the consumer:

    CREATE TABLE shop.mail_queue (event_id bigint PRIMARY KEY, order_key text, type text);
    SELECT ordcancel.create_consumer('mail');

    apt-get install python3-psycopg            # psycopg 3
    PGHOST=db1,db2 PGDATABASE=shop ./consumer.py

The connection uses libpq's environment variables. Of several hosts it uses the one that
accepts writes, also after a failover. If several copies run, one of them works at a time, and
another continues when it ends. Ctrl-C and SIGTERM end the program after the current batch, a
second Ctrl-C immediately.
"""
import select
import signal
import socket
import sys

import psycopg
from psycopg.rows import namedtuple_row

CONSUMER = "mail"
BATCH = 100
POLL_SECONDS = 5        # finds the events whose notification was lost
MAX_RETRY_SECONDS = 5
# The last two detect a server that is gone without closing the connection.
CONNECTION = ("target_session_attrs=read-write connect_timeout=5"
              " keepalives_idle=10 tcp_user_timeout=15000")


def handle(db, event):
    """Replace this. What it writes into this database is committed together with the
    acknowledgment, so it is written exactly once.

    It may also call another system. The call is repeated if the program or the server
    fails before the commit, so pass event_id along: the other system can then ignore what
    it has already done. Set a timeout, and BATCH to 1, since the transaction stays open
    meanwhile."""
    db.execute("INSERT INTO shop.mail_queue (event_id, order_key, type) VALUES (%s, %s, %s)"
               " ON CONFLICT (event_id) DO NOTHING",
               (event.event_id, event.order_key, event.type))


def handle_batch(db):
    """Returns how many events there were."""
    with db.transaction():
        events = db.execute(
            "SELECT event_id, orders, order_key, type, state, actor, reason"
            " FROM ordcancel.next_events(%s, %s)", (CONSUMER, BATCH)).fetchall()
        for event in events:
            try:
                handle(db, event)
            except Exception:
                print(f"event {event.event_id} failed", file=sys.stderr)
                raise
        if events:
            db.execute("SELECT ordcancel.ack(%s, %s)", (CONSUMER, events[-1].event_id))
    return len(events)


def main():
    # A signal makes the socket readable, and it stays so.
    stop, wakeup = socket.socketpair()
    wakeup.setblocking(False)
    signal.set_wakeup_fd(wakeup.fileno())
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda n, frame: signal.signal(n, signal.SIG_DFL))

    def wait(seconds, *others):
        """Returns whether to stop."""
        return stop in select.select([stop, *others], [], [], seconds)[0]

    retry_seconds = 0.1
    while not wait(0):
        try:
            with psycopg.connect(CONNECTION, autocommit=True,
                                 row_factory=namedtuple_row) as db:
                notified = []
                db.add_notify_handler(notified.append)
                db.execute("LISTEN ordcancel")      # before the first query
                while not wait(0):
                    notified.clear()
                    count = handle_batch(db)
                    retry_seconds = 0.1
                    if count == 0 and not notified:
                        wait(POLL_SECONDS, db)
        except Exception as error:
            # The batch was not acknowledged and is delivered again. An event that always
            # fails can be set aside with ordcancel.skip_event().
            print(f"trying again in {retry_seconds} s: {error}", file=sys.stderr)
            wait(retry_seconds)
            retry_seconds = min(2 * retry_seconds, MAX_RETRY_SECONDS)


if __name__ == "__main__":
    main()
