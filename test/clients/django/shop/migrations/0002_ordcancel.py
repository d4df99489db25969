from django.db import migrations

SETUP = """
    SELECT ordcancel.attach('orders', status => 'status', record_schema => 'audit');
    SELECT ordcancel.set_policy('orders', canceled_status => 'canceled');
    SELECT ordcancel.set_rule('orders', 'placed', merchant => 'cancel');
"""


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]
    operations = [
        migrations.RunSQL(SETUP, reverse_sql="SELECT ordcancel.detach('orders')"),
    ]
