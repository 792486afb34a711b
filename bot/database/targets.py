"""What may be planned: the database, its loaded migrations, a target as ``migrate`` knows it."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import Error as DatabaseProblem
from django.db import connections
from django.db.migrations.exceptions import AmbiguityError
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from bot.conf import OWN_LABELS, get_settings
from bot.database.loading import OnceReadLoader
from bot.database.readonly import let_go, read_only_copy
from bot.route.nearest import nearest
from bot.route.plan import Target
from bot.route.refusals import (
    AmbiguousPrefix,
    AppWithoutMigrations,
    BrokenMigrations,
    ConflictingLeaves,
    DatabaseDown,
    DatabaseNotRouted,
    InconsistentHistory,
    OwnTables,
    UnknownApp,
    UnknownDatabase,
    UnknownMigration,
)

ExecutorTarget = tuple[str, str | None]
"""As MigrationExecutor takes it: an app and a migration, or an app and None for zero."""


def check_alias(alias: str) -> None:
    """Raise UnknownDatabase or DatabaseNotRouted unless this bot may migrate ``alias``."""
    known = tuple(connections)
    allowed = get_settings().target_databases
    if alias not in known:
        raise UnknownDatabase(database=alias, known=", ".join(allowed))
    if alias not in allowed:
        raise DatabaseNotRouted(database=alias, known=", ".join(allowed))


def open_database(alias: str) -> Any:
    """A read-only connection of our own to ``alias``, open. The caller closes it.

    Raises UnknownDatabase, DatabaseNotRouted and DatabaseDown.
    """
    check_alias(alias)
    copy = read_only_copy(connections[alias])
    connect(copy)
    return copy


def connect(connection: Any) -> None:
    """Open ``connection``; DatabaseDown when that fails, with what the driver says."""
    try:
        connection.ensure_connection()
    except (DatabaseProblem, ImproperlyConfigured) as error:
        raise DatabaseDown(database=connection.alias, detail=_one_line(error)) from error


def _recorded(connection: Any) -> Iterable[tuple[str, str]]:
    """The keys of all rows of django_migrations; none where it is not there.

    Written out, for a queryset takes longer to put together than the rows to come.
    """
    recorder = MigrationRecorder(connection)
    if not _has_record(recorder):
        return ()
    table = connection.ops.quote_name(recorder.Migration._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT app, name FROM {table}")  # noqa: S608  a constant of Django's
        return [(app, name) for app, name in cursor.fetchall()]


def _has_record(recorder: MigrationRecorder) -> bool:
    """Whether django_migrations is there. PostgreSQL is asked for it by name: Django lists every
    table, which takes a tenth of a small plan."""
    if recorder.connection.vendor != "postgresql":
        return recorder.has_table()
    table = recorder.connection.ops.quote_name(recorder.Migration._meta.db_table)
    with recorder.connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [table])
        return bool(cursor.fetchone()[0])


def load(connection: Any) -> OnceReadLoader:
    """Django's loader for ``connection``, checked as ``migrate`` checks it.

    Raises BrokenMigrations, DatabaseDown, InconsistentHistory or ConflictingLeaves.
    """
    connect(connection)
    try:
        loader = OnceReadLoader(partial(_recorded, connection))
    except DatabaseProblem as error:
        if not _answers(connection):
            raise DatabaseDown(database=connection.alias, detail=_one_line(error)) from error
        raise BrokenMigrations(detail=describe_error(error)) from error
    except Exception as error:  # A migration module is the team's code and may raise anything.
        raise BrokenMigrations(detail=describe_error(error)) from error
    if detail := loader.inconsistency():
        raise InconsistentHistory(database=connection.alias, detail=detail)
    conflicts = loader.detect_conflicts()
    if conflicts:
        words = [f"{app} ({', '.join(names)})" for app, names in sorted(conflicts.items())]
        raise ConflictingLeaves(apps="; ".join(words))
    return loader


@contextmanager
def loss_told(connection: Any) -> Iterator[None]:
    """Turn an error of the database into DatabaseDown where ``connection`` was lost meanwhile."""
    try:
        yield
    except DatabaseProblem as error:
        if _answers(connection):
            raise
        raise DatabaseDown(database=connection.alias, detail=_one_line(error)) from error


def _answers(connection: Any) -> bool:
    try:
        let_go(connection)  # After a failed statement PostgreSQL refuses everything until then.
        return bool(connection.is_usable())
    except DatabaseProblem:
        return False


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__


def describe_error(error: BaseException) -> str:
    """One line: where in the migrations it broke, and the error. No path of this machine."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{_module_of(error.filename)}, line {error.lineno}: {error.msg}"
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if "/migrations/" in frame.filename.replace("\\", "/")
        and "/django/db/migrations/" not in frame.filename.replace("\\", "/")
    ]
    where = f"{_module_of(frames[-1].filename)}, line {frames[-1].lineno}: " if frames else ""
    return f"{where}{type(error).__name__}: {_one_line(error)}"


def _module_of(filename: str) -> str:
    """``shop/migrations/0002_x.py`` of a longer path."""
    return "/".join(filename.replace("\\", "/").split("/")[-3:])


def resolve(loader: MigrationLoader, target: Target) -> tuple[list[ExecutorTarget], Target]:
    """The targets for an executor, and ``target`` with the migration's full name.

    The rules are those of ``migrate``: everything; an app; an app and an unambiguous prefix;
    ``zero``. An exact name that is also the beginning of another is ambiguous there, so it is
    here. Raises OwnTables, UnknownApp, AppWithoutMigrations, UnknownMigration, AmbiguousPrefix.
    """
    leaves = loader.graph.leaf_nodes()
    if not target.app:
        return list(leaves), target
    if target.app in OWN_LABELS:
        raise OwnTables()
    _check_app(loader, target.app)
    if not target.name:
        return [key for key in leaves if key[0] == target.app], target
    if target.name == "zero":
        return [(target.app, None)], target
    key = _find(loader, target)
    full = Target(app=target.app, name=key[1])
    # A squash that is applied in part is not in the graph; its last replacement is.
    if key not in loader.graph.nodes and key in loader.replacements:
        key = loader.replacements[key].replaces[-1]
    return [key], full


def _check_app(loader: MigrationLoader, app: str) -> None:
    try:
        apps.get_app_config(app)
    except LookupError:
        labels = [config.label for config in apps.get_app_configs()]
        raise UnknownApp(app=app, nearest=nearest(app, labels)) from None
    if app not in (loader.migrated_apps or ()):
        raise AppWithoutMigrations(app=app)


def _find(loader: MigrationLoader, target: Target) -> tuple[str, str]:
    names = sorted(name for app, name in loader.disk_migrations or () if app == target.app)
    try:
        return (target.app, loader.get_migration_by_prefix(target.app, target.name).name)
    except AmbiguityError:
        matches = ", ".join(name for name in names if name.startswith(target.name))
        raise AmbiguousPrefix(name=target.name, app=target.app, matches=matches) from None
    except KeyError:
        raise UnknownMigration(
            app=target.app, name=target.name, nearest=nearest(target.name, names)
        ) from None
