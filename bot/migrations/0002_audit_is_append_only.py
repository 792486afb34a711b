"""Triggers that refuse to change or remove an audit entry, on each of the three databases.

They stop accidents and everything that goes through an ordinary connection; whoever owns the
database can drop them, and for that there is the chain of hashes.
"""

from django.db import migrations

from bot.triggers import drop_triggers, make_triggers


def forwards(apps, schema_editor):
    make_triggers(schema_editor.connection)


def backwards(apps, schema_editor):
    drop_triggers(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("migration_bot", "0001_initial")]

    operations = [migrations.RunPython(forwards, backwards)]
