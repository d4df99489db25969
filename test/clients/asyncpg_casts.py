"""asyncpg: values must be of the type that the server sees"""
import asyncio
import json

import asyncpg

from tap import done_testing, equal, meanwhile


async def cancel(db, order_id, reason, actor):
    try:
        return await db.fetchval(
            "SELECT state FROM ordcancel.cancel_order('shop.orders', $1::int, $2, actor => $3)",
            order_id, reason, actor)
    except asyncpg.PostgresError as error:
        if not error.sqlstate.startswith("OC"):
            raise
        return f"{error.sqlstate}: {error.hint or error.message}"


async def save(db, order):
    try:
        await db.execute("UPDATE shop.orders SET status = $2, gift_note = $3 WHERE id = $1", *order)
        return "saved"
    except asyncpg.CheckViolationError as error:
        return error.constraint_name


async def main():
    db = await asyncpg.connect()
    heard = asyncio.get_running_loop().create_future()
    await db.add_listener("ordcancel", lambda db, pid, channel, payload: heard.done() or heard.set_result(payload))

    equal(await cancel(db, 1, "out_of_stock", "anna"), "canceled", "a call")
    equal(json.loads(await heard)["order_id"], "1", "a notification arrives")
    equal(await db.fetchval("SELECT state FROM ordcancel.cancel_order('shop.orders', $1)", "2"), "canceled",
          "without a cast the key is text")
    try:
        await db.fetchval("SELECT state FROM ordcancel.cancel_order('shop.orders', $1)", 3)
        equal("done", "refused", "and a number is none")
    except asyncpg.DataError as error:
        equal("expected str" in str(error), True, "and a number is none")
    for n, cast in enumerate(("regclass", "text::regclass"), 3):
        equal(await db.fetchval(f"SELECT state FROM ordcancel.cancel_order($1::{cast}, $2::int)", "shop.orders", n),
              "canceled", f"the table as a parameter: {cast}")
    equal([row[0] for row in await db.fetch("SELECT outcome FROM ordcancel.cancel_orders('shop.orders', $1::int[])",
                                            [8, 21])],
          ["canceled", "refused"], "an array of orders")
    equal(await cancel(db, 21, None, None), "OC003: Process it as a return.", "a refusal")
    equal(await cancel(db, 99, None, None), "OC002: order 99 of shop.orders not found", "one without a HINT")

    order = await db.fetchrow("SELECT id, status, gift_note FROM shop.orders WHERE id = 5")
    meanwhile("SELECT ordcancel.cancel_order('shop.orders', 5)")
    equal(await save(db, order), "order_is_canceled", "a stale save is refused")
    order = await db.fetchrow("SELECT id, status, gift_note FROM shop.orders WHERE id = 9")
    meanwhile("SELECT ordcancel.request_cancel('shop.orders', 9)")
    equal(await save(db, order), "order_on_hold", "while a request is open too")
    db.terminate()
    try:
        equal(await cancel(db, 6, None, None), "an error", "a lost connection is no refusal")
    except asyncpg.InterfaceError:
        equal("an error", "an error", "a lost connection is no refusal")


asyncio.run(main())
done_testing()
