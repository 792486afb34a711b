"""Watching a run until it has ended. Watching changes nothing: stopping it leaves the run alone."""

from __future__ import annotations

import re
from math import inf

from django.db import InterfaceError, OperationalError, connections

from bot import operations
from bot.conf import get_settings
from bot.management.desk import Desk
from bot.management.exits import Exit
from bot.management.progress import Progress
from bot.management.run_words import steps_done
from bot.models import Run
from bot.moment import utc_now
from bot.operations import reading, vital_signs
from bot.route.states import ENDED, State, state_phrase

LOOK_EVERY = 0.5
"""Seconds between two looks at the run."""

_SECONDS = re.compile(r"\b[0-9.]+ s\b")

_EXITS = {
    State.SUCCEEDED: Exit.FINE,
    State.FAILED: Exit.FAILED,
    State.NEEDS_ATTENTION: Exit.FAILED,
    State.REJECTED: Exit.NOT_RUN,
    State.EXPIRED: Exit.NOT_RUN,
    State.CANCELLED: Exit.NOT_RUN,
    State.STALE: Exit.NOT_RUN,
}


def exit_of(run: Run) -> Exit:
    """The exit code for a run as it is; one that has not ended is still going."""
    return _EXITS.get(State(run.state), Exit.STILL_GOING)


def follow(number: int, desk: Desk, *, timeout: float | None) -> Run:
    """Watch run ``number`` until it has ended or ``timeout`` seconds are over; the run as it is.

    While the state database does not answer it says so once and goes on trying.
    """
    started = desk.clock()
    told: list[str] = []
    with desk.progress("running") as progress:
        while True:
            run = _look(number, told, progress)
            if run is not None:
                _tell(run, told, progress)
                if State(run.state) in ENDED:
                    return run
            over = desk.clock() - started >= (inf if timeout is None else timeout)
            if over and run is not None:
                return run
            desk.sleep(LOOK_EVERY)


def _look(number: int, told: list[str], progress: Progress) -> Run | None:
    """The run as it is now, expired if its time has come; None while nobody can tell."""
    now = utc_now()
    try:
        run = reading.find_run(number)
        if State(run.state) not in ENDED and run.started_at is None and run.expires_at <= now:
            operations.expire(now=now, only=number)
            run = reading.find_run(number)
        waits = State(run.state) in (State.APPROVED, State.QUEUED)
        if waits and not vital_signs.pulse(now=now).alive:
            words = "No worker has been seen lately. Start one: manage.py migration_bot worker"
            _once(words, told, progress)
    except (OperationalError, InterfaceError):
        connections[get_settings().state_database].close()
        _once("The state database does not answer; trying on.", told, progress)
        return None
    return run


def _tell(run: Run, told: list[str], progress: Progress) -> None:
    """Say what is new, and draw how far it is."""
    for decision in run.decisions.all():
        verb = {"approve": "approved", "reject": "rejected"}[decision.verdict]
        reason = f": {decision.reason}" if decision.reason else ""
        _once(f"Run {run.pk} {verb} by {decision.person_name}{reason}", told, progress)
    words = f"Run {run.pk} {state_phrase(State(run.state))}"
    if run.state == State.REQUESTED:
        approvals = sum(d.verdict == "approve" for d in run.decisions.all())
        missing = run.approvals_needed - approvals
        words += f", and waits for {missing} more to approve" if missing > 0 else ""
    _once(f"{words}.", told, progress)
    if run.state != State.RUNNING:
        return
    key = ""
    for number, step in enumerate(run.steps, 1):
        if step["state"] == "running":
            key = f"{step['app']}.{step['name']}"
            _once(f"Step {number} of {len(run.steps)}: {key}", told, progress)
    for blocker in run.waiting_for:
        _once(f"Waiting: {blocker}", told, progress)
    if progress.terminal:  # a log has the lines above
        progress.update(steps_done(run), len(run.steps), key)


def _once(words: str, told: list[str], progress: Progress) -> None:
    """Say it unless it was said; how many seconds it has lasted makes it no other words."""
    key = _SECONDS.sub("", words)
    if key not in told:
        told.append(key)
        progress.line(words)
