from django.db import IntegrityError, connection
from django.test import TestCase, TransactionTestCase

from shop.models import Order


def cancel(order):
    with connection.cursor() as cursor:
        cursor.execute("SELECT state, changed FROM ordcancel.cancel_order('orders', %s)", [order.pk])
        return cursor.fetchone()


class InOneTransaction(TestCase):
    def test_cancel(self):
        self.assertEqual(cancel(Order.objects.create(pk=1)), ("canceled", True))


# After each of these Django truncates every table of a model.
class WithCommits(TransactionTestCase):
    def test_cancel(self):
        self.assertEqual(cancel(Order.objects.create(pk=1)), ("canceled", True))

    def test_cancel_again(self):
        self.assertEqual(cancel(Order.objects.create(pk=1)), ("canceled", True))

    def test_rules(self):
        order = Order.objects.create(pk=1, status="shipped")
        order.status = "canceled"
        with self.assertRaises(IntegrityError):
            order.save()
