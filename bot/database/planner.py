"""Plans: what ``migrate`` would do to one database, without doing any of it.

One pass over the plan with one state. Never ``sqlmigrate`` nor ``loader.collect_sql``: those run
the Python of a RunPython inside SeparateDatabaseAndState, and it commits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.migration import Migration
from django.db.migrations.recorder import MigrationRecorder

from bot.conf import OWN_LABELS, get_settings
from bot.database.examining import examined, step_facts
from bot.database.lazystate import Difference, LazyState
from bot.database.narrow import narrowed
from bot.database.preview import Previewer, StepPreview
from bot.database.readonly import Looking, everything_read_only
from bot.database.seal import (
    Key,
    PlannedMigration,
    execution_order,
    full_plan,
    identity_later,
    make_basis,
)
from bot.database.targets import (
    ExecutorTarget,
    check_alias,
    connect,
    describe_error,
    load,
    resolve,
)
from bot.database.trust import (
    in_words,
    irreversible_because,
    own_way,
)
from bot.route.plan import Belief, Direction, Operation, Plan, Statement, Step, Target
from bot.route.refusals import BrokenMigrations, SetupNeeded
from bot.route.risks.facts import Situation, StepFacts

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
        steps, facts = _all_steps(looking, loader, ordered, progress)
        seen = examined(looking, steps, facts)
        plan = Plan(
            database=database,
            vendor=connection.vendor,
            target=full_target,
            basis=replace(basis, identity=whose()),
            steps=seen.steps,
            made_at=now,
            release=release,
            notes=seen.notes,
            checks=seen.checks,
        )
        yield LookedOver(plan=plan, facts=tuple(facts), situation=seen.situation)


def _all_steps(
    looking: Looking,
    loader: MigrationLoader,
    ordered: list[PlannedMigration],
    progress: Progress | None,
) -> tuple[list[Step], list[StepFacts]]:
    """The steps, on the state of what they depend on where that is enough, else on all of it;
    and what was seen of each."""
    narrow = narrowed(loader, ordered)
    told = 0
    for only in (narrow, None) if narrow is not None else (None,):
        previewer = Previewer(looking, set(loader.unmigrated_apps or ()))
        steps: list[Step] = []
        for step in _steps(loader, previewer, ordered, only):
            steps.append(step)
            if only is not None and previewer.failed:
                break
            if progress is not None and len(steps) > told:
                told = len(steps)
                progress(told, len(ordered), step.key)
        else:
            break
    return steps, previewer.facts


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


def _steps(
    loader: MigrationLoader,
    previewer: Previewer,
    ordered: list[PlannedMigration],
    only: set[Key] | None,
) -> Iterator[Step]:
    if not ordered:
        return iter(())
    # Django's executor refuses a plan of both directions, so the first one tells.
    if ordered[0][1]:
        return _backward(loader, previewer, [migration for migration, _ in ordered])
    return _forward(loader, previewer, [migration for migration, _ in ordered], only)


def _forward(
    loader: MigrationLoader,
    previewer: Previewer,
    migrations: list[Migration],
    only: set[Key] | None,
) -> Iterator[Step]:
    """As MigrationExecutor._migrate_all_forwards: on the state of all that is applied.

    ``only`` leaves out applied migrations that the steps do not depend on.
    """
    for key in full_plan(loader):
        if key in _applied(loader) and (only is None or key in only):
            _pass_over(previewer.state, loader.graph.nodes[key])
    for migration in migrations:
        step = previewer.step()
        for operation in migration.operations:
            step.forwards(migration.app_label, operation)
        yield _step(previewer, migration, Direction.FORWARD, step)


@dataclass(frozen=True, slots=True)
class _Passed:
    """One operation, or a whole applied migration, that the state went past."""

    operation: Any
    difference: Difference
    trouble: tuple[Statement, ...] = ()


def _backward(
    loader: MigrationLoader, previewer: Previewer, migrations: list[Migration]
) -> Iterator[Step]:
    """As MigrationExecutor._migrate_all_backwards, which undoes each migration on the state that
    the full plan had right before it, without what comes later in that plan.

    The state goes forwards once; differences take it back step by step.
    """
    state = previewer.state
    places: dict[Key, tuple[int, int]] = {}
    passed: list[_Passed] = []
    wanted = {(migration.app_label, migration.name) for migration in migrations}
    for key in full_plan(loader):
        migration = loader.graph.nodes[key]
        if key in wanted:
            first = len(passed)
            for operation in migration.operations:
                difference, trouble = previewer.advance(state, migration.app_label, operation)
                passed.append(_Passed(operation, difference, tuple(trouble)))
            places[key] = (first, len(passed))
            if len(places) == len(wanted):
                break
        elif key in _applied(loader):
            difference = _pass_over(state, migration)
            if places:
                passed.append(_Passed(None, difference))
    at = len(passed)
    for migration in migrations:
        first, end = places[migration.app_label, migration.name]
        at = _move(state, passed, at, end)
        step = previewer.step()
        while at > first:
            one = passed[at - 1]
            step.backwards(migration.app_label, one.operation, one.difference, one.trouble)
            at = _move(state, passed, at, at - 1)
        yield _step(previewer, migration, Direction.BACKWARD, step)


def _move(state: LazyState, passed: list[_Passed], at: int, to: int) -> int:
    while at > to:
        at -= 1
        state.take_back(passed[at].difference)
    while at < to:
        state.redo(passed[at].difference)
        at += 1
    return at


def _applied(loader: MigrationLoader) -> dict[Key, Any]:
    return loader.applied_migrations or {}


def _pass_over(state: LazyState, migration: Migration) -> Difference:
    """Advance the state by an applied migration. Raises BrokenMigrations: migrate fails there."""
    try:
        migration.mutate_state(state, preserve=False)
    except Exception as error:  # An operation's state change is anybody's code.
        detail = f"{migration.app_label}.{migration.name} {describe_error(error)}"
        raise BrokenMigrations(detail=detail) from error
    return state.settle()


def _step(
    previewer: Previewer, migration: Migration, direction: Direction, preview: StepPreview
) -> Step:
    """The step in words; ``preview`` holds what its operations send."""
    operations = list(migration.operations)
    because = irreversible_because(operations)
    if direction is Direction.BACKWARD:
        operations.reverse()
    shown = tuple(
        Operation(
            kind=type(operation).__name__,
            words=in_words(operation, direction is Direction.BACKWARD),
            statements=statements,
            reversible=not irreversible_because([operation]),
        )
        for operation, statements in zip(operations, preview.finish(), strict=True)
    )
    if method := own_way(migration):
        shown = (*shown, _own_way(method))
    made = Step(
        app=migration.app_label,
        name=migration.name,
        direction=direction,
        operations=shown,
        atomic=bool(migration.atomic and previewer.connection.features.can_rollback_ddl),
        reversible=not because,
        irreversible_because=because,
        replaces=tuple(f"{app}.{name}" for app, name in migration.replaces),
    )
    facts = step_facts(previewer.witness, made, says_atomic=bool(migration.atomic))
    previewer.facts.append(facts)
    return made


def _own_way(method: str) -> Operation:
    note = f"The migration has a {method}() of its own, whose Python is not run for a plan."
    return Operation(
        kind="Migration",
        words=f"Its own {method}()",
        statements=(Statement(sql="", belief=Belief.HIDDEN, note=note),),
        reversible=False,
    )
