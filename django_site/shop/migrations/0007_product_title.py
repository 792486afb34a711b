"""A rename: code that knows only the old name, or only the new one, fails on the other side."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("shop", "0006_order_total")]

    operations = [migrations.RenameField("product", "name", "title")]
