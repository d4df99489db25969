#!/usr/bin/env python3
"""consumer.py for programs that use asyncio: run consume() as a task, and set stop to end
it. What is not explained here is explained there.

    CREATE TABLE shop.mail_queue (event_id bigint PRIMARY KEY, order_key text, type text);
    SELECT ordcancel.create_consumer('mail');

    apt-get install python3-psycopg            # psycopg 3
    PGHOST=db1,db2 PGDATABASE=shop ./consumer_async.py
"""
import asyncio
import signal
import sys

import psycopg
from psycopg.rows import namedtuple_row

CONSUMER = "mail"
BATCH = 100
POLL_SECONDS = 5
MAX_RETRY_SECONDS = 5
CONNECTION = ("target_session_attrs=read-write connect_timeout=5"
              " keepalives_idle=10 tcp_user_timeout=15000")


async def handle(db, event):
    """Replace this."""
    await db.execute("INSERT INTO shop.mail_queue (event_id, order_key, type)"
                     " VALUES (%s, %s, %s) ON CONFLICT (event_id) DO NOTHING",
                     (event.event_id, event.order_key, event.type))


async def handle_batch(db):
    """Returns how many events there were."""
    async with db.transaction():
        cursor = await db.execute(
            "SELECT event_id, orders, order_key, type, state, actor, reason"
            " FROM ordcancel.next_events(%s, %s)", (CONSUMER, BATCH))
        events = await cursor.fetchall()
        for event in events:
            try:
                await handle(db, event)
            except Exception:
                print(f"event {event.event_id} failed", file=sys.stderr)
                raise
        if events:
            await db.execute("SELECT ordcancel.ack(%s, %s)",
                             (CONSUMER, events[-1].event_id))
    return len(events)


async def wait(stop, seconds, db=None):
    """Until stop is set, the server sends something, or the time is over."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    if db:
        loop.add_reader(db.fileno(), readable.set)
    tasks = [loop.create_task(event.wait()) for event in (stop, readable)]
    try:
        await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        if db:
            loop.remove_reader(db.fileno())


async def consume(stop):
    retry_seconds = 0.1
    while not stop.is_set():
        try:
            async with await psycopg.AsyncConnection.connect(
                    CONNECTION, autocommit=True, row_factory=namedtuple_row) as db:
                notified = []
                db.add_notify_handler(notified.append)
                await db.execute("LISTEN ordcancel")
                while not stop.is_set():
                    notified.clear()
                    count = await handle_batch(db)
                    retry_seconds = 0.1
                    if count == 0 and not notified:
                        await wait(stop, POLL_SECONDS, db)
        except Exception as error:
            print(f"trying again in {retry_seconds} s: {error}", file=sys.stderr)
            await wait(stop, retry_seconds)
            retry_seconds = min(2 * retry_seconds, MAX_RETRY_SECONDS)


async def main():
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop_on(number):
        loop.remove_signal_handler(number)
        signal.signal(number, signal.SIG_DFL)   # a second Ctrl-C ends it immediately
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop_on, number)
    await consume(stop)


if __name__ == "__main__":
    asyncio.run(main())
