"""Plans: what ``migrate`` would do to one database, without doing any of it.

Never by ``sqlmigrate`` nor ``loader.collect_sql``: those run the Python of a RunPython inside
SeparateDatabaseAndState, and it commits.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from bot.conf import OWN_LABELS, get_settings
from bot.database.examining import examined
from bot.database.readonly import everything_read_only
from bot.database.seal import (
    PlannedMigration,
    execution_order,
    identity_later,
    make_basis,
)
from bot.database.stepping import Progress, previewed
from bot.database.targets import (
    ExecutorTarget,
    check_alias,
    connect,
    load,
    loss_told,
    resolve,
)
from bot.route.plan import Plan, Target
from bot.route.refusals import SetupNeeded
from bot.route.risks.facts import Situation, StepFacts


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

    Never writes and never runs a migration's Python. ``progress`` is called after each step with
    the steps done, the steps there are, and its ``app.name``. A plan with nothing to do has no
    steps. Operations of a step stand in the order in which they run: backward, last first.
    Raises UnknownDatabase, DatabaseNotRouted, DatabaseDown, BrokenMigrations,
    InconsistentHistory, ConflictingLeaves, UnknownApp, AppWithoutMigrations, UnknownMigration,
    AmbiguousPrefix, OwnTables or SetupNeeded.
    """
    with _looked_over(database, target, now, release, progress) as seen:
        return seen.plan


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedOver:
    """A plan with what its findings were made of. ``facts`` has one for each step; ``situation`` is
    None for a plan without steps."""

    plan: Plan
    facts: tuple[StepFacts, ...]
    situation: Situation | None


def look_over(
    database: str,
    target: Target,
    *,
    now: datetime,
    release: str = "",
    progress: Progress | None = None,
) -> LookedOver:
    """``make_plan`` for somebody who goes on from what it saw, such as a rehearsal."""
    with _looked_over(database, target, now, release, progress) as seen:
        if seen.situation is None:
            return seen
        # What was not wanted yet may be wanted when nobody can be asked any more.
        known = replace(seen.situation, sizes=dict(seen.situation.sizes))
        return replace(seen, situation=known)


@contextmanager
def _looked_over(
    database: str, target: Target, now: datetime, release: str, progress: Progress | None
) -> Iterator[LookedOver]:
    """While it lasts, the situation can still ask."""
    check_alias(database)
    with everything_read_only(database) as looking:
        connection = looking.connection
        connect(connection)
        loader = load(connection)
        targets, full_target = resolve(loader, target)
        ordered = planned(connection, loader, targets)
        _check_own_tables(database, ordered)
        # Before the operations' own code is called; whose database it is can wait for company.
        basis = make_basis(connection, loader, ordered, release=release, identity="")
        whose = identity_later(looking)
        with loss_told(connection):
            steps, facts = previewed(looking, loader, ordered, progress)
            seen = examined(looking, steps, facts)
            identity = whose()
        plan = Plan(
            database=database,
            vendor=connection.vendor,
            target=full_target,
            basis=replace(basis, identity=identity),
            steps=seen.steps,
            made_at=now,
            release=release,
            notes=seen.notes,
            checks=seen.checks,
        )
        yield LookedOver(plan=plan, facts=tuple(facts), situation=seen.situation)


def planned(
    connection: Any, loader: MigrationLoader, targets: list[ExecutorTarget]
) -> list[PlannedMigration]:
    """The migrations that ``migrate`` would run for ``targets``, in the order it runs them."""
    executor = LoadedExecutor(connection, loader)
    plan: list[PlannedMigration] = executor.migration_plan(targets)
    return execution_order(loader, plan)


def _check_own_tables(database: str, steps: list[PlannedMigration]) -> None:
    """``migrate`` would move the bot's own tables too, but a run keeps its books in them."""
    if database != get_settings().state_database:
        return
    if any(migration.app_label in OWN_LABELS for migration, _ in steps):
        raise SetupNeeded()
