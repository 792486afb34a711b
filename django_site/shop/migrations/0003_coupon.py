"""Harmless: a new table that nobody reads yet."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0002_product_stock")]

    operations = [
        migrations.CreateModel(
            name="Coupon",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=30, unique=True)),
                ("percent", models.PositiveSmallIntegerField()),
                ("ends_on", models.DateField(blank=True, null=True)),
            ],
        ),
    ]
