"""Data: each order's total from its lines. Going back leaves the totals; the column goes later."""

from django.db import migrations
from django.db.models import F, Sum


def fill(apps, schema_editor):
    Order = apps.get_model("shop", "Order")
    orders = Order.objects.using(schema_editor.connection.alias)
    sums = orders.annotate(sum=Sum(F("lines__quantity") * F("lines__unit_price")))
    batch = []
    for order in sums.iterator(chunk_size=500):
        order.total = order.sum or 0
        batch.append(order)
        if len(batch) == 500:
            orders.bulk_update(batch, ["total"])
            batch.clear()
    orders.bulk_update(batch, ["total"])


class Migration(migrations.Migration):
    dependencies = [("shop", "0007_product_title")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
