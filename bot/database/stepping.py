"""The steps of a plan one after the other, each on the state that it runs on: one pass with one
state, forwards as ``migrate`` goes, or back by the differences that the way forwards left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.migrations.loader import MigrationLoader
from django.db.migrations.migration import Migration

from bot.database.examining import step_facts
from bot.database.lazystate import Difference, LazyState
from bot.database.narrow import narrowed
from bot.database.preview import Previewer, StepPreview
from bot.database.readonly import Looking
from bot.database.seal import Key, PlannedMigration, full_plan
from bot.database.targets import describe_error
from bot.database.trust import in_words, irreversible_because, own_way
from bot.route.plan import Belief, Direction, Operation, Statement, Step
from bot.route.refusals import BrokenMigrations
from bot.route.risks.facts import StepFacts

Progress = Callable[[int, int, str], None]
"""Called after each step with the steps done, the steps there are, and its ``app.name``."""


def previewed(
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
