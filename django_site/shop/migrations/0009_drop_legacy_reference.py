"""Drops a column, and what was in it is gone."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("shop", "0008_fill_order_total")]

    operations = [migrations.RemoveField("order", "legacy_reference")]
