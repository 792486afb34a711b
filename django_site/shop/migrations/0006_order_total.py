"""A column that must have a value: code that does not know it yet cannot insert an order."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0005_order_status_index")]

    operations = [
        migrations.AddField(
            "order", "total", models.DecimalField(decimal_places=2, default=0, max_digits=10)
        ),
    ]
