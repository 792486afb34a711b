"""A new rule: a product stands once in an order. Today's rows are asked whether they keep it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0003_coupon")]

    operations = [
        migrations.AddConstraint(
            "orderline",
            models.UniqueConstraint(fields=["order", "product"], name="shop_orderline_once"),
        ),
    ]
