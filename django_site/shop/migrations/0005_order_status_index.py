"""An index on a table that is written all day: on PostgreSQL it stops writes while it is built."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0004_order_line_once")]

    operations = [
        migrations.AddIndex(
            "order", models.Index(fields=["status", "placed_at"], name="shop_order_status")
        ),
    ]
