"""Django"""
import os
import select

import django
from django.conf import settings
from django.db import DatabaseError, IntegrityError, connection, models, transaction

from tap import cut, done_testing, equal, meanwhile, raised

settings.configure(DATABASES={"default": {
    "ENGINE": "django.db.backends.postgresql",
    "NAME": os.environ["PGDATABASE"], "USER": os.environ["PGUSER"], "HOST": os.environ["PGHOST"],
    "PORT": os.environ["PGPORT"]}})
django.setup()


class Order(models.Model):
    status = models.TextField()
    gift_note = models.TextField(null=True)

    class Meta:
        app_label = "shop"
        db_table = 'shop"."orders'
        managed = False


def cancel(order, reason, actor):
    try:
        # A savepoint, so that a refusal does not end the transaction of the view.
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT state FROM ordcancel.cancel_order('shop.orders', %s, %s, actor => %s)",
                           [order.pk, reason, actor])
            state = cursor.fetchone()[0]
        order.refresh_from_db()
        return state
    except DatabaseError as error:
        diag = getattr(error.__cause__, "diag", None)
        if not diag or not (diag.sqlstate or "").startswith("OC"):      # None: the connection is lost
            raise
        return f"{diag.sqlstate}: {diag.message_hint or diag.message_primary}"


def save(order, **options):
    try:
        with transaction.atomic():
            order.save(**options)
        return "saved"
    except IntegrityError as error:
        order.refresh_from_db()
        return error.__cause__.diag.constraint_name


def next_payload():
    # LISTEN was executed on this connection, outside of a transaction.
    db = connection.connection
    if not hasattr(db, "poll"):             # psycopg 3
        return next(db.notifies()).payload
    while not db.notifies:                  # psycopg2
        select.select([db], [], [], 1)
        db.poll()
    return db.notifies.pop(0).payload


connection.cursor().execute("LISTEN ordcancel")
equal(cancel(Order.objects.get(pk=1), "out_of_stock", "anna"), "canceled", "a call")
equal('"order_id":"1"' in next_payload(), True, "a notification arrives")
equal(cancel(Order.objects.get(pk=21), None, None), "OC003: Process it as a return.", "a refusal")
order = Order.objects.get(pk=21)
order.status = "canceled"
equal(save(order), "cancellation_forbidden", "a refusal of a plain update")
equal(order.status, "shipped", "after which the object is as the order is")

# save() writes every column, as it was when the object was loaded.
order = Order.objects.get(pk=5)
meanwhile("SELECT ordcancel.cancel_order('shop.orders', 5)")
order.gift_note = "Happy birthday"
equal(save(order), "order_is_canceled", "a stale save is refused")
equal(order.status, "canceled", "after which the object is as the order is")
order = Order.objects.get(pk=9)
meanwhile("SELECT ordcancel.request_cancel('shop.orders', 9)")
order.gift_note = "Happy birthday"
equal(save(order), "order_on_hold", "while a request is open too")
equal(order.status, "cancellation_requested", "and the request stays open")
order = Order.objects.get(pk=6)
meanwhile("SELECT ordcancel.cancel_order('shop.orders', 6)")
order.gift_note = "Happy birthday"
equal(save(order, update_fields=["gift_note"]), "saved", "one that names its fields is not")

with transaction.atomic(), connection.cursor() as cursor:
    cursor.execute("SET LOCAL ordcancel.actor = %s", ["kim"])
    Order.objects.filter(pk=7).update(status="canceled")
equal(meanwhile("SELECT actor FROM ordcancel.event WHERE order_key = '7'"), "kim", "a plain update says who acts")

with transaction.atomic(), connection.cursor() as cursor:
    cursor.execute("SET LOCAL ordcancel.party = 'customer'")
    cursor.execute("SET LOCAL ordcancel.actor = %s", ["shopper 4711"])
    Order.objects.filter(pk=10).update(status="cancellation_requested")
equal(meanwhile("SELECT party || ', ' || actor FROM ordcancel.event WHERE order_key = '10'"), "customer, shopper 4711",
      "and for which party")

order = Order.objects.get(pk=8)
cut(connection.connection)
equal(raised(lambda: cancel(order, None, None)), "OperationalError", "a lost connection is no refusal")
done_testing()
