"""Plans: what ``migrate`` would do to one database, without doing any of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from bot.conf import get_settings
from bot.database.readonly import everything_read_only
from bot.database.seal import PlannedMigration, execution_order, make_basis
from bot.database.targets import (
    OWN_LABELS,
    ExecutorTarget,
    check_alias,
    connect,
    load,
    resolve,
)
from bot.route.plan import Direction, Operation, Plan, Step, Target
from bot.route.refusals import SetupNeeded

Progress = Callable[[int, int, str], None]


class LoadedExecutor(MigrationExecutor):
    """Django's executor around a loader that is there already: one load instead of two."""

    def __init__(self, connection: Any, loader: MigrationLoader) -> None:
        self.connection = connection
        self.loader = loader
        self.recorder = MigrationRecorder(connection)
        self.progress_callback = None


def make_plan(
    database: str,
    target: Target,
    *,
    now: datetime,
    release: str = "",
    progress: Progress | None = None,
) -> Plan:
    """What would run on ``database`` for ``target``, in order, with SQL where it can be known.

    Never writes and never runs a migration's Python. ``progress`` is called with the steps done,
    the steps there are, and the ``app.name`` that comes next. A plan with nothing to do has no
    steps. Raises UnknownDatabase, DatabaseNotRouted, DatabaseDown, BrokenMigrations,
    InconsistentHistory, ConflictingLeaves, UnknownApp, AppWithoutMigrations, UnknownMigration,
    AmbiguousPrefix, OwnTables or SetupNeeded.
    """
    check_alias(database)
    with everything_read_only(database) as (connection, _guard):
        connect(connection)
        loader = load(connection)
        targets, full_target = resolve(loader, target)
        ordered = planned(connection, loader, targets)
        _check_own_tables(database, ordered)
        basis = make_basis(connection, loader, ordered, release=release)
        steps = tuple(_step(migration, backwards) for migration, backwards in ordered)
        return Plan(
            database=database,
            vendor=connection.vendor,
            target=full_target,
            basis=basis,
            steps=steps,
            made_at=now,
            release=release,
        )


def planned(
    connection: Any, loader: MigrationLoader, targets: list[ExecutorTarget]
) -> list[PlannedMigration]:
    """The migrations that ``migrate`` would run for ``targets``, in the order it runs them."""
    executor = LoadedExecutor(connection, loader)
    plan: list[PlannedMigration] = executor.migration_plan(targets)
    return execution_order(loader, plan)


def _check_own_tables(database: str, steps: list[PlannedMigration]) -> None:
    if database != get_settings().state_database:
        return
    if any(migration.app_label in OWN_LABELS for migration, _ in steps):
        raise SetupNeeded()


def _step(migration: Any, backwards: bool) -> Step:
    operations = [
        Operation(kind=type(operation).__name__, words=operation.describe())
        for operation in migration.operations
    ]
    return Step(
        app=migration.app_label,
        name=migration.name,
        direction=Direction.BACKWARD if backwards else Direction.FORWARD,
        operations=tuple(operations),
    )
