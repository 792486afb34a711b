"""A run that lost its process: interrupted, and then settled by what the database itself shows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.conf import get_settings
from bot.models import Run
from bot.operations.changing import changing
from bot.operations.running import Claim
from bot.route.events import Interrupted, Reconciled
from bot.route.people import SYSTEM
from bot.route.run_steps import settled
from bot.route.states import Action, State


def interrupt(run_id: int, *, because: str, now: datetime, hold: Claim | None = None) -> Run | None:
    """A running run lost its process. By its own worker (``hold``), or by whoever finds the lease
    dead; None when it lives or has ended."""
    with changing(now) as change:
        run = change.run(run_id)
        if State(run.state) is not State.RUNNING:
            return None
        if hold is None and run.lease_until is not None and run.lease_until > now:
            return None
        if hold is not None and hold.fence != run.fence:
            return None
        change.record(Interrupted(worker=run.claimed_by, because=because), actor=SYSTEM, run=run.pk)
        change.move(run, Action.INTERRUPT, fence=run.fence + 1, waiting_for=[], error=because)
        return run


def looking(run_id: int, *, until: datetime) -> None:
    """Somebody asks the database about an interrupted run: nobody is woken to do so until then."""
    _wake_after(run_id, until)


def not_known_yet(run_id: int, *, because: str, now: datetime) -> None:
    """The database did not say what became of an interrupted run; the clock has it asked again.
    ``because`` is shown while the run waits for that; what was shown stays where it is empty."""
    _wake_after(run_id, now)
    if not because:
        return
    with changing(now) as change:
        run = change.run(run_id)
        if State(run.state) is State.INTERRUPTED and run.waiting_for != [because]:
            change.update(run, waiting_for=[because])


def _wake_after(run_id: int, moment: datetime) -> None:
    """One statement, no lock of the audit's head: nobody is told of it."""
    runs = Run.objects.using(get_settings().state_database)
    runs.filter(pk=run_id, state=str(State.INTERRUPTED)).update(woken_at=moment)


def reconciled(
    run_id: int, *, state: State, done: Sequence[str], because: str, now: datetime
) -> Run | None:
    """What the database itself says became of an interrupted run; None when it is settled."""
    action = {
        State.SUCCEEDED: Action.RECONCILE_SUCCEEDED,
        State.FAILED: Action.RECONCILE_FAILED,
        State.NEEDS_ATTENTION: Action.RECONCILE_UNSURE,
    }[state]
    with changing(now) as change:
        run = change.run(run_id)
        if State(run.state) is not State.INTERRUPTED:
            return None
        unsure = "unknown" if state is State.NEEDS_ATTENTION else "failed"
        steps = settled(run.steps, done, running_becomes=unsure)
        change.record(
            Reconciled(state=str(state), applied=list(done), because=because),
            actor=SYSTEM,
            run=run.pk,
        )
        error = "" if state is State.SUCCEEDED else because
        change.move(run, action, ended_at=now, steps=steps, error=error, waiting_for=[])
        return run
