"""Migrations that are cut off between two of their statements, as a killed process leaves them.

Something that nothing catches is raised in the place of a statement. Where each statement is kept
at once, that leaves what kill -9 leaves.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any
from unittest import mock

from django.core.management import call_command
from django.db import connections
from django.db.migrations.recorder import MigrationRecorder

from bot.database.statements import is_write
from bot.database.targets import open_database
from tests.database.migrating import forget_migrations


class Cut(BaseException):
    """Nothing of Django catches it."""


class Cutter:
    """An execute wrapper that cuts before the first statement that holds a text."""

    def __init__(self, before: str | None) -> None:
        self.before = before
        self.has_cut = False

    def __call__(self, execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        text = str(sql)
        ours = is_write(text) and "django_migrations" not in text
        if ours and self.before is not None and self.before.lower() in text.lower():
            self.has_cut = True
            raise Cut
        return execute(sql, params, many, context)


@contextmanager
def nothing_recorded() -> Iterator[None]:
    """Cut where the migration has done everything and its row comes next."""

    def cut(*args: Any) -> None:
        raise Cut

    with (
        mock.patch.object(MigrationRecorder, "record_applied", cut),
        mock.patch.object(MigrationRecorder, "record_unapplied", cut),
    ):
        yield


def cut_off(database: str, *target: str, before: str | None) -> None:
    """Migrate until the statement that holds ``before`` comes; None: until the record does. The
    connection is closed afterwards, as a dead process leaves it."""
    forget_migrations()
    cutter = Cutter(before)
    connection = connections[database]
    try:
        with connection.execute_wrapper(cutter), nothing_recorded():
            call_command("migrate", *target, database=database, verbosity=0, skip_checks=True)
    except Cut:
        pass
    finally:
        connection.close()
    assert cutter.has_cut or before is None, f"{before} was never sent"


def shape(database: str) -> dict[str, Any]:
    """The schema as the catalogue has it, without the names that Django makes up."""
    found = {}
    with closing(open_database(database)) as connection, connection.cursor() as cursor:
        introspection = connection.introspection
        for table in introspection.table_names(cursor):
            columns = introspection.get_table_description(cursor, table)
            constraints = introspection.get_constraints(cursor, table).values()
            found[table] = (
                sorted(repr(tuple(column)) for column in columns),
                sorted(repr(sorted(one.items(), key=repr)) for one in constraints),
            )
    return found
