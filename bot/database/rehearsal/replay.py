"""The schema made from Django's own state: every model of what is applied, as it is by then."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import router
from django.db.migrations.recorder import MigrationRecorder

WORDS = "Django's state of the applied migrations"


def make_tables(connection: Any, apps: Any) -> None:
    """Make the tables of all models in ``apps`` that belong on this database.

    What migrations did by SQL of their own (triggers, indexes, views) is not there.
    """
    with connection.schema_editor(atomic=True) as editor:
        for model in apps.get_models():
            if belongs_here(connection, model):
                editor.create_model(model)


def belongs_here(connection: Any, model: Any) -> bool:
    """Whether ``migrate`` would have made this model's table on this database."""
    return bool(
        model._meta.can_migrate(connection) and router.allow_migrate_model(connection.alias, model)
    )


def write_record(scratch: Any, applied: Iterable[tuple[str, str]], *, make_table: bool) -> None:
    """The rows of django_migrations, which ``migrate`` goes by."""
    recorder = MigrationRecorder(scratch)
    if make_table:
        recorder.ensure_schema()
    kind = recorder.Migration
    rows = [kind(app=app, name=name) for app, name in sorted(applied)]
    kind.objects.using(scratch.alias).bulk_create(rows)
