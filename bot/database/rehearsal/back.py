"""Going back, step by step, with rows in the tables: those of before, and those written since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db.migrations.state import ProjectState

from bot.database.rehearsal.blame import not_its_fault
from bot.database.rehearsal.conflicts import fails_with_any_row, is_about_rows
from bot.database.rehearsal.forward import TWO_PLAIN, Ground, is_whole, other_way
from bot.database.rehearsal.values import Variety
from bot.database.rehearsal.vendor import Schema
from bot.database.rehearsal.walk import PlacedStep
from bot.route.plan import Direction
from bot.route.rehearsal import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """Whether a step can be undone, and why not."""

    outcome: Outcome
    because: str = ""
    error: str = ""


@dataclass(kw_only=True)
class Return:
    """How a number of steps went back and forward again. ``back`` and ``again`` say whether the
    schemas were the same, ``differs`` in which parts they were not."""

    undone: dict[str, Undone] = field(default_factory=dict)
    back: Outcome = Outcome.UNKNOWN
    again: Outcome = Outcome.UNKNOWN
    differs: tuple[str, ...] = ()
    stuck: bool = False
    """Whether the schema is neither that of before nor that of after: nothing goes on from it."""


NOT_REACHED = "It was not tried, since a step after it could not be undone."
AS_SOON_AS = "It fails as soon as there are rows"
DEPENDS = "It fails with rows such as may be written by then"


def there_and_back(ground: Ground, steps: Sequence[PlacedStep], start: Schema) -> Return:
    """Undo ``steps``, which have just been run in this order, and run them again.

    ``start`` is the schema before the first of them.
    """
    found = Return()
    scratch = ground.scratch
    end = scratch.schema()
    # The longest, and NULL where it may be now: what the release after the plan may write.
    ground.fill(state_after(steps[-1]), (Variety.FULL, Variety.SPARE))
    at = len(steps)
    while at and _undo(ground, steps[at - 1], found):
        at -= 1
    for step in steps[:at]:
        found.undone.setdefault(step.key, Undone(outcome=Outcome.UNKNOWN, because=NOT_REACHED))
    if not at:
        found.back, differs = compare(start, scratch.schema())
        found.differs += tuple(f"after undo: {words}" for words in differs)
    if found.stuck:
        return found
    ground.empty()
    for step in steps[at:]:
        went = ground.walker.go(step, step.direction)
        if went.failure is not None:
            found.stuck = True
            if not_its_fault(went.failure):
                return found
            found.again = Outcome.FAILS
            found.differs += (f"{step.key} did not run a second time: {went.error}",)
            return found
    if not at:
        found.again, differs = compare(end, scratch.schema())
        found.differs += tuple(f"the second time: {words}" for words in differs)
    return found


def _undo(ground: Ground, step: PlacedStep, found: Return) -> bool:
    """Undo one step; whether the step before it can go on from there."""
    back = other_way(step.direction)
    first = ground.walker.go(step, back)
    if first.failure is None:
        outcome, because = Outcome.WORKS, ""
        if first.record.skipped:
            outcome, because = Outcome.UNKNOWN, " ".join(first.record.skipped)
        found.undone[step.key] = Undone(outcome=outcome, because=because)
        return True
    failure = first.failure
    if excuse := not_its_fault(failure):
        found.undone[step.key] = Undone(outcome=Outcome.UNKNOWN, because=excuse)
        found.stuck = not is_whole(ground.scratch.connection, step, first)
        return False
    found.undone[step.key] = Undone(outcome=Outcome.FAILS, because=first.error, error=first.error)
    if not is_whole(ground.scratch.connection, step, first):
        found.stuck = True
        return False
    if not is_about_rows(first.failure):
        return False
    after = state_after(step)
    for varieties in (TWO_PLAIN, ()):
        ground.refill(after, varieties)
        again = ground.walker.go(step, back)
        if again.failure is None:
            any_row = not varieties and fails_with_any_row(failure)
            words = AS_SOON_AS if any_row else DEPENDS
            outcome = Outcome.FAILS if any_row else Outcome.UNKNOWN
            because = f"{words}: {first.error}"
            found.undone[step.key] = Undone(outcome=outcome, because=because, error=first.error)
            return True
        if not is_whole(ground.scratch.connection, step, again):
            found.stuck = True
            return False
        failure = again.failure
    return False


def state_after(step: PlacedStep) -> ProjectState:
    """The state after the step in the plan's own direction."""
    if step.direction is Direction.BACKWARD:
        return step.before
    return step.migration.mutate_state(step.before.clone(), preserve=False)


def compare(before: Schema, after: Schema) -> tuple[Outcome, tuple[str, ...]]:
    """Whether two schemas are the same, and what is not."""
    words = [f"{name} is gone" for name in before if name not in after]
    words += [f"{name} is new" for name in after if name not in before]
    words += [
        f"{name} was {before[name]} and is {after[name]}"
        for name in before
        if name in after and before[name] != after[name]
    ]
    return (Outcome.FAILS if words else Outcome.WORKS), tuple(sorted(words))
