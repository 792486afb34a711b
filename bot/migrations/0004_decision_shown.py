from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("migration_bot", "0003_rehearsals"),
    ]

    operations = [
        migrations.AddField(
            model_name="decision",
            name="shown",
            field=models.JSONField(null=True),
        ),
    ]
