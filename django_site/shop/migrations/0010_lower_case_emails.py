"""Cannot be undone: nobody knows afterwards how an address had been written."""

from django.db import migrations
from django.db.models.functions import Lower


def lower(apps, schema_editor):
    Customer = apps.get_model("shop", "Customer")
    Customer.objects.using(schema_editor.connection.alias).update(email=Lower("email"))


class Migration(migrations.Migration):
    dependencies = [("shop", "0009_drop_legacy_reference")]

    operations = [migrations.RunPython(lower)]
