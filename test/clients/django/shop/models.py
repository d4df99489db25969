from django.db import models


class Order(models.Model):
    status = models.TextField(default="placed")

    class Meta:
        db_table = "orders"
