"""The audit's head, and triggers that refuse to change or remove an entry.

The head is made here and not by the first writer: on MariaDB two first writers would each lock the
gap where it is missing, and one would be the deadlock's victim.

The triggers stop accidents and everything that goes through an ordinary connection; whoever owns
the database can drop them, and for that there is the chain of hashes.
"""

from django.db import migrations

from bot.triggers import drop_triggers, make_triggers


def forwards(apps, schema_editor):
    head = apps.get_model("migration_bot", "AuditHead")
    alias = schema_editor.connection.alias
    head.objects.using(alias).get_or_create(pk=1, defaults={"seq": 0, "hash": "0" * 64})
    make_triggers(schema_editor.connection)


def backwards(apps, schema_editor):
    drop_triggers(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("migration_bot", "0001_initial")]

    operations = [migrations.RunPython(forwards, backwards)]
