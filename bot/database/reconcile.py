"""What became of a run whose process is gone, read from the database itself. Nothing is guessed.

What the database's record of migrations shows is done. For the step that ran when the process
died, its absence from the record proves that nothing of it stayed only where the step and its
record were one transaction (see ``flush``). Everywhere else a person has to look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connections

from bot.conf import get_settings
from bot.database.history import Recorded, applied_rows, done_keys
from bot.database.lock import DatabaseLock
from bot.database.targets import check_alias, connect
from bot.route.plan import Direction, Plan, Step
from bot.route.states import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """``state`` is SUCCEEDED, FAILED or NEEDS_ATTENTION; ``because`` is for people."""

    state: State
    done: tuple[str, ...]
    because: str


def reconcile(
    database: str,
    plan: Plan,
    *,
    current_step: str = "",
    run: int = 0,
    recorded_inside: bool | None = None,
) -> Found:
    """What the database says of ``plan``, whose process died during ``current_step``.

    ``current_step`` is the key of the step that had been told to begin and not to be done; empty
    when there was none. ``recorded_inside`` is the setting ``record_with_migration`` as that
    process had it; as it is now when nothing is given.

    Takes the database's lock first, and raises LockHeld while an orphaned statement of the dead
    process, or anybody else, still works there. Raises DatabaseDown and LockImpossible too: then
    it has to be asked again.
    """
    if recorded_inside is None:
        recorded_inside = get_settings().record_with_migration
    check_alias(database)
    connection = connections[database]
    connect(connection)
    holder = f"the reconciliation of run {run}" if run else "a reconciliation"
    with DatabaseLock(database, holder=holder):
        done = done_keys([Recorded.of_step(step) for step in plan.steps], applied_rows(connection))
    missing = [step for step in plan.steps if step.key not in done]
    if not missing:
        return Found(
            state=State.SUCCEEDED,
            done=done,
            because="The database's own record shows every step as done.",
        )
    far = _how_far(done, missing)
    running = next((step for step in missing if step.key == current_step), None)
    if running is None:
        return Found(
            state=State.FAILED,
            done=done,
            because=f"The process was gone between two steps. {far} Nothing else had begun.",
        )
    doubt = _doubt(running, connection, recorded_inside)
    if not doubt:
        return Found(
            state=State.FAILED,
            done=done,
            because=f"The process was gone during {running.key}. That step and its record were "
            f"one transaction, which was rolled back: nothing of it stayed. {far}",
        )
    return Found(
        state=State.NEEDS_ATTENTION,
        done=done,
        because=f"The process was gone during {running.key}. {doubt} {far} {_what_now(running)}",
    )


def _doubt(step: Step, connection: Any, recorded_inside: bool) -> str:
    """Why the missing record proves nothing about this step; empty when it proves all."""
    if not connection.features.can_rollback_ddl:
        return (
            f"{connection.display_name} keeps each statement that changes the schema at once, so "
            "a part of the step, or all of it, may have stayed without its record."
        )
    if not step.atomic:
        return (
            "It does not run in one transaction (atomic = False), so a part of it, or all of it, "
            "may have stayed without its record."
        )
    if recorded_inside:
        return ""
    if step.direction is Direction.BACKWARD:
        return (
            "Its record is taken away only after its transaction, so it may have been undone "
            "while the record still shows it."
        )
    return (
        "It may have been committed before it was recorded (record_with_migration is off), so "
        "all of it may be there without its record, or nothing."
    )


def _how_far(done: Sequence[str], missing: Sequence[Step]) -> str:
    """How many steps are done, in a sentence."""
    steps = len(done) + len(missing)
    if not done:
        return f"None of the {steps} steps is done." if steps > 1 else "The only step is not done."
    last = f"up to {done[-1]}" if len(done) > 1 else done[0]
    return f"{len(done)} of {steps} steps are done: {last}."


def _what_now(step: Step) -> str:
    return (
        f"Compare the schema with what {step.key} does, complete or undo it by hand, and make its "
        f"row in django_migrations agree."
    )
