"""One step forward, with made-up rows in its way: the plan's own direction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.migrations.state import ProjectState

from bot.database.rehearsal.blame import not_its_fault
from bot.database.rehearsal.conflicts import fails_with_any_row, is_about_rows
from bot.database.rehearsal.rows import Filler, models_of, touched, with_needed
from bot.database.rehearsal.values import Variety
from bot.database.rehearsal.vendor import Scratch
from bot.database.rehearsal.walk import PlacedStep, Walker, Went
from bot.database.statements import leaves_traces
from bot.route.plan import Direction
from bot.route.rehearsal import Outcome, RehearsedStep

TWO_PLAIN = (Variety.PLAIN, Variety.PLAIN)


@dataclass(kw_only=True)
class Ground:
    """The scratch database with the rows that are in it. ``tables`` are those the plan names;
    ``filled`` those that have rows of ours."""

    scratch: Scratch
    walker: Walker
    tables: set[str]
    filled: set[str]
    filler: Filler
    python_left_out: bool = False
    """Whether Python was left out so far, which may have filled what later steps ask for."""

    def empty(self) -> None:
        """Take out all rows of ours, under the names that their tables have now."""
        there = set(self.scratch.connection.introspection.table_names())
        self.scratch.empty(sorted(self.filled & there))

    def refill(self, state: ProjectState, varieties: Sequence[Variety]) -> None:
        """Other rows in place of those of before."""
        self.empty()
        self.fill(state, varieties)

    def fill(self, state: ProjectState, varieties: Sequence[Variety]) -> None:
        """Further rows in the plan's tables, by the models of ``state``."""
        if varieties:
            connection = self.scratch.connection
            found = models_of(connection, state.clone().apps)
            chosen = with_needed(touched(found, self.tables | self.filled))
            self.filled |= set(self.filler.fill(chosen, varieties).tables)


def step_forward(ground: Ground, step: PlacedStep) -> tuple[RehearsedStep, Went]:
    """Run one step; where made-up rows are in its way, run it again with others, then without.

    What decides is said by the outcome: FAILS where it would with any rows, UNKNOWN with ``error``
    where it depends on what the rows hold.
    """
    first = ground.walker.go(step, step.direction)
    went, outcome, because = first, Outcome.WORKS, ""
    if first.failure is not None:
        went, outcome, because = _second_try(ground, step, first)
    told = first
    if went.failure is not None and (excuse := not_its_fault(went.failure)):
        outcome, because = Outcome.UNKNOWN, excuse
        told = replace(first, error="")
    ground.python_left_out |= bool(went.record.skipped)
    made = RehearsedStep(
        key=step.key,
        outcome=outcome,
        because=because,
        milliseconds=went.milliseconds,
        error=told.error,
        error_statement=first.record.failed_sql,
        measured=tuple(went.record.measured),
        skipped=tuple(went.record.skipped),
        blind=went.record.blind,
        complete=went.failure is None,
    )
    return made, went


def _second_try(ground: Ground, step: PlacedStep, first: Went) -> tuple[Went, Outcome, str]:
    """With plain rows, then with none. The one that worked, else the first."""
    failure = first.failure
    assert failure is not None
    if not_its_fault(failure):
        return first, Outcome.UNKNOWN, ""
    if not (is_about_rows(failure) and is_whole(ground.scratch.connection, step, first)):
        return _as_it_is(ground, step, first)
    for varieties in (TWO_PLAIN, ()):
        ground.refill(_state_there(step), varieties)
        again = ground.walker.go(step, step.direction)
        if again.failure is None:
            break
        if not is_whole(ground.scratch.connection, step, again):
            return _as_it_is(ground, step, again)
        failure = again.failure
    else:
        return _as_it_is(ground, step, first)
    if ground.python_left_out or first.record.skipped:
        return (
            again,
            Outcome.UNKNOWN,
            ("It fails with the made-up rows; but Python that was left out may have changed them."),
        )
    if not varieties and fails_with_any_row(failure):
        return again, Outcome.FAILS, "It fails as soon as there are rows; without any it works."
    return again, Outcome.UNKNOWN, "Whether it works depends on what the rows hold."


def _as_it_is(ground: Ground, step: PlacedStep, went: Went) -> tuple[Went, Outcome, str]:
    assert went.failure is not None
    if ground.python_left_out or went.record.skipped:
        because = "It fails; but Python that was left out may have done what it needs."
        return went, Outcome.UNKNOWN, because
    if not is_whole(ground.scratch.connection, step, went):
        done = len(went.record.measured)
        stays = "1 statement before it stays" if done == 1 else f"{done} statements before it stay"
        if is_about_rows(went.failure) and not fails_with_any_row(went.failure):
            because = (
                f"With made-up rows it fails half-way, and {stays}: no transaction holds them."
            )
            return went, Outcome.UNKNOWN, because
        return went, Outcome.FAILS, f"It fails half-way, and {stays}: no transaction holds them."
    return went, Outcome.FAILS, ""


def _state_there(step: PlacedStep) -> ProjectState:
    """The state that the step is run on, in the plan's own direction."""
    if step.direction is Direction.BACKWARD:
        return step.migration.mutate_state(step.before.clone(), preserve=False)
    return step.before


def is_whole(connection: Any, step: PlacedStep, went: Went) -> bool:
    """Whether a failure left nothing behind, so that it can be tried again: a transaction was taken
    back, or the statement that failed was the first one."""
    if step.migration.atomic and connection.features.can_rollback_ddl:
        return True
    return not went.record.measured and not leaves_traces(went.record.failed_sql)


def other_way(direction: Direction) -> Direction:
    return Direction.BACKWARD if direction is Direction.FORWARD else Direction.FORWARD
