"""What became of a run whose process is gone, read from the database itself. Nothing is guessed.

What the database's record of migrations shows is done. For the step that ran when the process
died, its absence from the record proves that nothing of it stayed only where the step and its
record were one transaction (see ``flush``). Else its catalogue is compared, operation by operation,
with what the step does. Where it shows no trace of it the run has failed, and nobody has to mend
anything; where it does, a person has to, and is told what is there and what to do. The record is
never written here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connections

from bot.conf import get_settings
from bot.database import freshness
from bot.database.history import Recorded, applied_rows, done_keys
from bot.database.lock import DatabaseLock
from bot.database.probe import Probed, probe
from bot.database.targets import check_alias, connect
from bot.route.aftermath import Aftermath
from bot.route.plan import Direction, Plan, Step
from bot.route.states import State
from bot.route.traces import Left

LOOKED = "What its catalogue shows of each operation, in the order in which they run:"
WHAT_NOW = "What to do now:"


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
        running = next((step for step in missing if step.key == current_step), None)
        doubt = _doubt(running, connection, recorded_inside) if running else ""
        if running is None or not doubt:
            return _beyond_doubt(running, done, missing)
        whole = bool(running.atomic and connection.features.can_rollback_ddl)
        probed = _probed(database, plan, running)
    gone = f"The process was gone during {running.key}. {doubt} {_how_far(done, missing)}"
    return _told(running, probed, gone=gone, done=done, whole=whole, run=run)


def _beyond_doubt(running: Step | None, done: tuple[str, ...], missing: Sequence[Step]) -> Found:
    """What the record alone says, where it says all."""
    if not missing:
        because = "The database's own record shows every step as done."
        return Found(state=State.SUCCEEDED, done=done, because=because)
    if running is None:
        because = "The process was gone between two steps. "
        because += f"{_how_far(done, missing)} Nothing else had begun."
    else:
        because = f"The process was gone during {running.key}. That step and its record were one "
        because += "transaction, which was rolled back: nothing of it stayed. "
        because += _how_far(done, missing)
    return Found(state=State.FAILED, done=done, because=because)


def _told(
    step: Step, probed: Probed, *, gone: str, done: tuple[str, ...], whole: bool, run: int
) -> Found:
    """What was found of the step that was cut off, in lines: a summary, each operation, what now.

    ``whole`` says that the step was one transaction, so that any trace of it means all of it.
    """
    if probed.not_compared:
        because = f"{gone} What is there was not compared: {probed.not_compared}. {_what_now(step)}"
        return Found(state=State.NEEDS_ATTENTION, done=done, because=because)
    aftermath = Aftermath(
        key=step.key,
        backward=step.direction is Direction.BACKWARD,
        told=probed.told,
        whole=whole,
        record=probed.record,
        show=f"python manage.py migration_bot show {run} --sql" if run else "",
    )
    lines = [aftermath.headline, gone, LOOKED, *aftermath.lines, WHAT_NOW, *aftermath.what_now]
    return Found(
        state=State.FAILED if aftermath.left is Left.NOTHING else State.NEEDS_ATTENTION,
        done=done,
        because="\n".join(lines),
    )


def _probed(database: str, plan: Plan, step: Step) -> Probed:
    """What the catalogue shows, by code of which it is known that it is what lies on disk."""
    if what := freshness.what_changed():
        return Probed(not_compared=f"the code on disk is not what this process loaded, {what}")
    return probe(database, plan, step)


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
