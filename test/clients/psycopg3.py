"""psycopg 3"""
import json

import psycopg

from tap import cut, done_testing, equal, meanwhile, raised


def cancel(db, order_id, reason, actor):
    try:
        return db.execute(
            "SELECT state FROM ordcancel.cancel_order('shop.orders', %s, %s, actor => %s)",
            (order_id, reason, actor)).fetchone()[0]
    except psycopg.Error as error:
        if not (error.sqlstate or "").startswith("OC"):      # None: the connection is lost
            raise
        return f"{error.sqlstate}: {error.diag.message_hint or error.diag.message_primary}"


def for_customer(sqlstate, hint):
    # The HINT of these is that of the rule or block, which the shop wrote, unless it names a function.
    if sqlstate in ("OC003", "OC004", "OC005") and hint and "ordcancel." not in hint:
        return hint
    return "We cannot cancel this order any more. Please write to us."


def save(db, order):
    try:
        db.execute("UPDATE shop.orders SET status = %s, gift_note = %s WHERE id = %s",
                   (order["status"], order["gift_note"], order["id"]))
        return "saved"
    except psycopg.errors.CheckViolation as error:
        return error.diag.constraint_name


def next_event(db):
    # db.execute("LISTEN ordcancel") was the first thing on this connection
    for notification in db.notifies():
        return json.loads(notification.payload)


db = psycopg.connect("", autocommit=True, row_factory=psycopg.rows.tuple_row)
ear = psycopg.connect("", autocommit=True)
ear.execute("LISTEN ordcancel")

equal(cancel(db, 1, "out_of_stock", "anna"), "canceled", "a call")
equal(next_event(ear)["order_id"], "1", "a notification arrives")
equal(cancel(db, "2", None, None), "canceled", "the key as text, and no reason")
equal(db.execute("SELECT state FROM ordcancel.cancel_order(%s, %s)", ("shop.orders", 3)).fetchone()[0], "canceled",
      "the table as a parameter")
equal(db.execute("SELECT array_agg(outcome) FROM ordcancel.cancel_orders('shop.orders', %s)", ([4, 21],)).fetchone()[0],
      ["canceled", "refused"], "an array of orders")
equal(cancel(db, 21, None, None), "OC003: Process it as a return.", "a refusal")
equal(cancel(db, 99, None, None), "OC002: order 99 of shop.orders not found", "one without a HINT")


def told(order_id):
    try:
        db.execute("SELECT ordcancel.request_cancel('shop.orders', %s)", (order_id,))
    except psycopg.Error as error:
        return for_customer(error.sqlstate, error.diag.message_hint)


SORRY = "We cannot cancel this order any more. Please write to us."
equal(told(21), "Process it as a return.", "the hint of a rule is for customers")
equal(told(99), SORRY, "an order that is not there")
meanwhile("UPDATE shop.orders SET status = 'lost' WHERE id = 22 RETURNING id")
equal(told(22), SORRY, "nor is what ordcancel says to developers, of a status without a rule")

order = db.cursor(row_factory=psycopg.rows.dict_row).execute("SELECT * FROM shop.orders WHERE id = 5").fetchone()
meanwhile("SELECT ordcancel.cancel_order('shop.orders', 5)")
order["gift_note"] = "Happy birthday"
equal(save(db, order), "order_is_canceled", "a stale save of an order that is canceled")

order = db.cursor(row_factory=psycopg.rows.dict_row).execute("SELECT * FROM shop.orders WHERE id = 9").fetchone()
meanwhile("SELECT ordcancel.request_cancel('shop.orders', 9)")
order["gift_note"] = "Happy birthday"
equal(save(db, order), "order_on_hold", "and of one that the customer wants to cancel")

with db.transaction():
    db.execute("SET LOCAL ordcancel.actor = 'kim'")
    save(db, {"id": 6, "status": "canceled", "gift_note": None})
equal(meanwhile("SELECT actor FROM ordcancel.event WHERE order_key = '6'"), "kim", "a plain update says who acts")

cut(db)
equal(raised(lambda: cancel(db, 7, None, None)), "OperationalError", "a lost connection is no refusal")
done_testing()
