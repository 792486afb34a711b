"""What time brings about: expiries, runs that are due, wakes that were lost, leases that died.

Every part can be run by any number of machines at once; each looks at rows and changes them only
through operations.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import close_old_connections

from bot import work
from bot.conf import get_settings
from bot.engines.finished import forget_finished
from bot.models import Run, StoredPlan, Worker
from bot.operations import clocks, expire, prune_plans, queue_due
from bot.operations.changing import changing, write_repeated
from bot.operations.interrupting import interrupt
from bot.operations.planning import MAKE_PLAN
from bot.operations.rehearsing import wake_waiting_rehearsals
from bot.operations.running import wake_forgotten
from bot.prepare import sweep
from bot.route.states import State
from bot.waking import wake

logger = logging.getLogger("migration_bot")

RECONCILE = "reconcile"
"""The task's name; a stored name."""

FORGOTTEN = 2.0
"""Seconds after which a wake that nobody answered counts as lost."""


def tick(*, now: datetime, ahead: float | None = None) -> None:
    """One look at everything that time brings about. Meant for every second or so.

    ``ahead`` is by how many seconds this clock is ahead of the state database's, if that is known.
    While that is too much, nothing is ended or queued on the word of this clock, and nothing
    claimed: see ``running.claim``.
    """
    trusted = not clocks.is_off(ahead)
    if trusted:
        expire(now=now)
        interrupt_dead(now=now)
    elif ahead is not None:
        clocks.complain(ahead)
    write_repeated(now=now)
    if trusted and _any(State.APPROVED):
        queue_due(now=now)
    wake_forgotten(now=now, after=FORGOTTEN)
    wake_waiting_plans(now=now)
    wake_waiting_rehearsals(now=now, after=FORGOTTEN)
    wake_interrupted(now=now)
    work.tick(now=now)


def tidy(*, now: datetime) -> None:
    """Forget what nobody needs. Meant for every hour or so. What fails is logged and stops none of
    the rest: each is about something else. A clock that is off forgets nothing."""
    if not clocks.is_trusted():
        return
    for part in (prune_plans, forget_workers, forget_finished, _sweep, *work.tidies()):
        try:
            part(now=now)
        except Exception:  # an outermost edge: in an hour it is tried again
            logger.exception("%s.%s failed", part.__module__, part.__name__)
            close_old_connections()


def forget_workers(*, now: datetime) -> None:
    """Forget the workers that said nothing for a day."""
    day_ago = now - timedelta(days=1)
    Worker.objects.using(get_settings().state_database).filter(beat_at__lt=day_ago).delete()


def _sweep(*, now: datetime) -> None:
    sweep()


def wake_waiting_plans(*, now: datetime) -> int:
    """Wake a worker for each plan that waits and that nobody makes."""
    plans = StoredPlan.objects.using(get_settings().state_database)
    before = now - timedelta(seconds=FORGOTTEN)
    waiting = plans.filter(state=StoredPlan.WAITING, asked_at__lt=before)
    keys = [
        pk
        for pk, until, woken in waiting.values_list("pk", "claimed_until", "woken_at")
        if (until is None or until <= now) and (woken is None or woken <= before)
    ]
    for key in keys:
        with changing(now) as change:
            StoredPlan.objects.using(change.using).filter(pk=key).update(woken_at=now)
            wake(MAKE_PLAN, key)
    return len(keys)


def interrupt_dead(*, now: datetime) -> None:
    """Find running runs whose lease is dead."""
    runs = Run.objects.using(get_settings().state_database)
    dead = runs.filter(state=str(State.RUNNING), lease_until__lte=now)
    for key in dead.values_list("pk", flat=True):
        interrupt(key, because="Its worker did not renew its lease.", now=now)


def wake_interrupted(*, now: datetime) -> int:
    """Wake a worker to reconcile each run that was interrupted."""
    runs = Run.objects.using(get_settings().state_database)
    before = now - timedelta(seconds=FORGOTTEN)
    waiting = runs.filter(state=str(State.INTERRUPTED)).exclude(woken_at__gt=before)
    keys = list(waiting.values_list("pk", flat=True))
    for key in keys:
        with changing(now) as change:
            Run.objects.using(change.using).filter(pk=key).update(woken_at=now)
            wake(RECONCILE, key)
    return len(keys)


def _any(state: State) -> bool:
    return Run.objects.using(get_settings().state_database).filter(state=str(state)).exists()
