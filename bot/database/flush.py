"""Closing the window between a migration's commit and its record, and hooks around a migration.

Django records a migration inside its transaction only when no SQL was deferred to the end, and
un-records one always after it. A process that dies between the two leaves a schema without its
row, or a row without its schema. Here ``Migration.apply`` sends the deferred SQL itself before it
returns, so that Django records inside, and ``Migration.unapply`` takes the row away inside. Django
does the same once more afterwards, which then finds nothing to do.

It is a patch of Django, for a process that carries out a run and no other. The setting
``record_with_migration`` turns it off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.migration import Migration
from django.db.migrations.recorder import MigrationRecorder

from bot.route.plan import Direction

Hook = Callable[[Migration, Direction, BaseDatabaseSchemaEditor], None]


def _nothing(migration: Migration, direction: Direction, editor: BaseDatabaseSchemaEditor) -> None:
    """The hook that does nothing."""


def closes_the_window(migration: Migration, schema_editor: BaseDatabaseSchemaEditor) -> bool:
    """Whether record and schema can be made one: the migration and its DDL are transactional."""
    return bool(
        migration.atomic
        and schema_editor.atomic_migration
        and schema_editor.connection.features.can_rollback_ddl
    )


@contextmanager
def wrapped_migrations(
    *,
    record_inside: bool,
    before: Hook = _nothing,
) -> Iterator[None]:
    """Wrap every migration's ``apply`` and ``unapply`` for as long as this lasts.

    ``before`` is called first, inside the migration's transaction where it has one, with the
    migration, its direction and the schema editor. Collecting SQL (``sqlmigrate``) is left alone.
    """
    apply, unapply = Migration.apply, Migration.unapply

    @wraps(apply)
    def applied(self: Migration, state: Any, schema_editor: Any, collect_sql: bool = False) -> Any:
        if collect_sql:
            return apply(self, state, schema_editor, collect_sql)
        before(self, Direction.FORWARD, schema_editor)
        state = apply(self, state, schema_editor, collect_sql)
        if record_inside:
            close_the_window(self, Direction.FORWARD, schema_editor)
        return state

    @wraps(unapply)
    def unapplied(
        self: Migration, state: Any, schema_editor: Any, collect_sql: bool = False
    ) -> Any:
        if collect_sql:
            return unapply(self, state, schema_editor, collect_sql)
        before(self, Direction.BACKWARD, schema_editor)
        state = unapply(self, state, schema_editor, collect_sql)
        if record_inside:
            close_the_window(self, Direction.BACKWARD, schema_editor)
        return state

    Migration.apply = applied  # type: ignore[method-assign, assignment]
    Migration.unapply = unapplied  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        Migration.apply, Migration.unapply = apply, unapply  # type: ignore[method-assign]


def close_the_window(
    migration: Migration, direction: Direction, schema_editor: BaseDatabaseSchemaEditor
) -> None:
    """At the end of a migration, still inside its transaction; nothing where it has none."""
    if closes_the_window(migration, schema_editor):
        send_deferred(schema_editor)
        if direction is Direction.BACKWARD:
            unrecord(migration, schema_editor)


def send_deferred(schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Send now what the schema editor would send as it closes, in the same order."""
    statements, schema_editor.deferred_sql = list(schema_editor.deferred_sql), []
    for statement in statements:
        schema_editor.execute(statement, None)


def unrecord(migration: Migration, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Take away the rows that the executor takes away for this migration."""
    recorder = MigrationRecorder(schema_editor.connection)
    for app, name in migration.replaces or ():
        recorder.record_unapplied(app, name)
    recorder.record_unapplied(migration.app_label, migration.name)


def cover_own_methods(migration: Migration) -> None:
    """Close the window for a migration whose class has an ``apply`` or ``unapply`` of its own.

    It may defer more SQL after it has called Django's. Call this inside ``wrapped_migrations``,
    before the migration runs.
    """
    for name, direction in (("apply", Direction.FORWARD), ("unapply", Direction.BACKWARD)):
        if getattr(type(migration), name) is not getattr(Migration, name):
            setattr(migration, name, _closing(migration, direction, getattr(migration, name)))


def _closing(
    migration: Migration, direction: Direction, method: Callable[..., Any]
) -> Callable[..., Any]:
    @wraps(method)
    def closing(state: Any, schema_editor: Any, collect_sql: bool = False) -> Any:
        state = method(state, schema_editor, collect_sql)
        if not collect_sql:
            close_the_window(migration, direction, schema_editor)
        return state

    return closing
