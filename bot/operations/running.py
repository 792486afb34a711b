"""A run in the hands of a worker: claimed, started, told step by step, ended.

Each change is by compare-and-set on the state and the fence, the number that the claim raised: a
worker that was frozen past its lease, and thawed, is told ``LeaseLost`` and can change nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F

from bot.conf import get_settings
from bot.models import Run
from bot.operations import clocks
from bot.operations.beginning import NotNow, ask_about_people, lost_approvals
from bot.operations.changing import Change, changing
from bot.operations.deciding import CARRY_OUT, frozen, frozen_words, is_claimed
from bot.operations.durations import record_work
from bot.route.basis import Basis, differences
from bot.route.events import (
    Cancelled,
    DataChecked,
    Failed,
    Started,
    StepApplied,
    StepRetried,
    StepUnapplied,
    Succeeded,
    WentStale,
)
from bot.route.people import SYSTEM
from bot.route.run_steps import direction_of, having_waited, settled, with_step
from bot.route.states import Action, State
from bot.route.text import storable, storable_json
from bot.waking import wake

TEXT_LIMIT = 20_000
"""Characters kept of an error, a statement or a traceback; the end of a traceback matters most."""

SAID = 50
"""Sentences about data that one audit entry keeps of each kind."""


class LeaseLost(Exception):
    """This worker no longer holds the run: its lease ended and somebody else may have it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A worker's hold on one run."""

    run: int
    fence: int
    worker: str


def claim(run_id: int, *, worker: str, now: datetime) -> tuple[Claim, Run] | None:
    """Take a queued run; None when it is not queued, when another worker has it, when its approval
    has expired while nobody looked, while its database is frozen, or while this machine's clock is
    off: by another's clock its lease would end too soon or never."""
    trusted = clocks.is_trusted()
    lease = now + timedelta(seconds=get_settings().lease)
    with changing(now) as change:
        runs = Run.objects.using(change.using)
        run = runs.filter(pk=run_id, state=str(State.QUEUED)).select_related("stored_plan").first()
        if run is None or run.expires_at <= now or is_claimed(run, now=now):
            return None
        if run.run_after is not None and run.run_after > now:
            return None  # A clock that is ahead has queued it.
        if run.claimed_by and not trusted:
            return None
        because = frozen_words(change, run.database) or ("" if trusted else clocks.WAITS)
        if because:
            if run.waiting_for != [because]:
                change.update(run, waiting_for=[because])
            return None
        run.fence += 1
        run.claimed_by, run.lease_until = worker, lease
        runs.filter(pk=run_id).update(fence=F("fence") + 1, claimed_by=worker, lease_until=lease)
    return Claim(run=run_id, fence=run.fence, worker=worker), run


def renew(hold: Claim, *, now: datetime) -> None:
    """Say that this worker lives. One statement, no lock of the audit's head."""
    lease = now + timedelta(seconds=get_settings().lease)
    runs = Run.objects.using(get_settings().state_database).filter(
        pk=hold.run, fence=hold.fence, state__in=[str(State.QUEUED), str(State.RUNNING)]
    )
    if not runs.update(lease_until=lease):
        raise LeaseLost(f"run {hold.run}")


def let_go(hold: Claim, *, because: str, now: datetime) -> None:
    """Give a queued run back: the lock was held or the database was down, and nothing ran."""
    with changing(now) as change:
        run = _held(change, hold)
        change.update(
            run, claimed_by="", lease_until=None, woken_at=now, waiting_for=[because[:1000]]
        )


def start(hold: Claim, found: Basis, *, now: datetime) -> Run:
    """Begin, under the database's lock, if what was found is what was approved, and those who
    approved it still may. Otherwise the run goes stale and nothing runs; see ``Run.state``.

    Asked again after a commit whose answer was lost, it is content. Raises NotNow when its database
    was frozen meanwhile, or when it cannot be read who may approve: then it is to be given back.
    """
    asked = ask_about_people(hold.run)
    with changing(now) as change:
        run = _held(change, hold)
        if State(run.state) is State.RUNNING:
            return run
        if because_frozen := frozen_words(change, run.database):
            raise NotNow(because_frozen)
        because = differences(run.stored_plan.plan.basis, found) or lost_approvals(
            change, run, asked
        )
        if because:
            _go_stale(change, run, found.fingerprint, because)
            return run
        lease = now + timedelta(seconds=get_settings().lease)
        change.move(run, Action.START, started_at=now, waiting_for=[], lease_until=lease)
        change.record(
            Started(
                fingerprint=run.fingerprint,
                worker=hold.worker,
                release=get_settings().release,
            ),
            actor=SYSTEM,
            run=run.pk,
        )
        return run


def go_stale(hold: Claim, found: Basis, *, now: datetime) -> Run:
    """The fingerprint under the lock is another: nothing ran, and people are told what differs."""
    with changing(now) as change:
        run = _held(change, hold)
        because = differences(run.stored_plan.plan.basis, found)
        _go_stale(change, run, found.fingerprint, because)
        return run


def _go_stale(change: Change, run: Run, found: str, because: Sequence[str]) -> None:
    event = WentStale(approved=run.fingerprint, found=found, because=list(because))
    change.record(event, actor=SYSTEM, run=run.pk)
    change.move(run, Action.GO_STALE, ended_at=change.now, stale_because=list(because))


def data_checked(
    hold: Claim,
    *,
    holds: Sequence[str],
    broken: Sequence[str],
    not_checked: Sequence[str],
    now: datetime,
) -> None:
    """Today's data was asked again; what it said stands in the audit, whatever comes of it."""
    with changing(now) as change:
        run = _held(change, hold)
        event = DataChecked(
            holds=storable_json(holds[:SAID]),
            broken=storable_json(broken[:SAID]),
            not_checked=storable_json(not_checked[:SAID]),
        )
        change.record(event, actor=SYSTEM, run=run.pk)


def step_starting(hold: Claim, app: str, name: str, *, now: datetime) -> None:
    """A step is about to begin; this also renews the lease."""
    with changing(now) as change:
        run = _held(change, hold)
        lease = now + timedelta(seconds=get_settings().lease)
        steps = with_step(run.steps, app, name, state="running", started_at=now.isoformat())
        change.update(run, steps=steps, lease_until=lease, waiting_for=[])


def step_done(hold: Claim, app: str, name: str, *, milliseconds: int, now: datetime) -> None:
    """A step has been committed and recorded. Told twice, it stands in the audit once, and so does
    how long its work over a table took."""
    with changing(now) as change:
        run = _held(change, hold)
        backward = direction_of(run.steps, app, name) == "backward"
        done = "unapplied" if backward else "applied"
        if any((s["app"], s["name"], s["state"]) == (app, name, done) for s in run.steps):
            return
        steps = with_step(run.steps, app, name, state=done, seconds=milliseconds / 1000)
        change.update(run, steps=steps, waiting_for=[])
        event = (StepUnapplied if backward else StepApplied)(
            step=f"{app}.{name}", milliseconds=milliseconds
        )
        change.record(event, actor=SYSTEM, run=run.pk)
        record_work(change, run, app, name, milliseconds=milliseconds)


def waiting(hold: Claim, blockers: Sequence[str], *, now: datetime) -> None:
    """The statement that runs now waits for somebody's lock, or does so no longer."""
    with changing(now) as change:
        run = _held(change, hold)
        steps = having_waited(run.steps) if blockers else run.steps
        change.update(run, waiting_for=[storable(b[:1000]) for b in blockers][:20], steps=steps)


def retrying(
    hold: Claim, step: str, *, attempt: int, because: str, blockers: Sequence[str], now: datetime
) -> None:
    """A step found no lock, left nothing behind, and is tried again after a pause."""
    with changing(now) as change:
        run = _held(change, hold)
        words = [f"attempt {attempt} of {step} found no lock; trying again", *blockers]
        change.update(run, waiting_for=storable_json(words), steps=having_waited(run.steps))
        event = StepRetried(
            step=step,
            attempt=attempt,
            because=storable(because[:1000]),
            blockers=storable_json(list(blockers)),
        )
        change.record(event, actor=SYSTEM, run=run.pk)


def succeed(hold: Claim, done: Sequence[str], *, now: datetime) -> Run:
    """Every step is in the database's own record."""
    with changing(now) as change:
        run = _held(change, hold)
        steps = settled(run.steps, done)
        change.record(
            Succeeded(steps=len(steps), milliseconds=_milliseconds(run, now)),
            actor=SYSTEM,
            run=run.pk,
        )
        change.move(run, Action.SUCCEED, ended_at=now, steps=steps, waiting_for=[])
        return run


def fail(
    hold: Claim,
    *,
    error: str,
    now: datetime,
    step: str = "",
    statement: str = "",
    traceback: str = "",
    done: Sequence[str] | None = None,
) -> Run:
    """It raised. ``done`` are the steps the database shows as done; None when nothing began."""
    with changing(now) as change:
        run = _held(change, hold)
        steps = run.steps if done is None else settled(run.steps, done, failed=step)
        error, statement = storable(error[:TEXT_LIMIT]), storable(statement[:TEXT_LIMIT])
        change.record(
            Failed(error=error[:2000], step=step, statement=statement[:2000]),
            actor=SYSTEM,
            run=run.pk,
        )
        change.move(
            run,
            Action.FAIL,
            ended_at=now,
            steps=steps,
            waiting_for=[],
            error=error,
            error_step=step,
            error_statement=statement,
            traceback=storable(traceback[-TEXT_LIMIT:]),
        )
        return run


def stopped(hold: Claim, *, because: str, done: Sequence[str], now: datetime) -> Run:
    """It stopped cleanly between two steps, because it was told to."""
    with changing(now) as change:
        run = _held(change, hold)
        change.record(Cancelled(reason=because), actor=SYSTEM, run=run.pk)
        steps = settled(run.steps, done)
        change.move(run, Action.CANCEL, ended_at=now, steps=steps, error=because, waiting_for=[])
        return run


def wake_forgotten(*, now: datetime, after: float) -> int:
    """Wake a worker again for each queued run that nobody claimed for ``after`` seconds."""
    using = get_settings().state_database
    before = now - timedelta(seconds=after)
    queued = Run.objects.using(using).filter(state=str(State.QUEUED), woken_at__lt=before)
    idle = [run for run in queued if not is_claimed(run, now=now)]
    if not idle:
        return 0
    with changing(now) as change:
        keys = [run.pk for run in idle if frozen(change, run.database) is None]
        Run.objects.using(using).filter(pk__in=keys).update(woken_at=now)
        for key in keys:
            wake(CARRY_OUT, key)
    return len(keys)


def _held(change: Change, hold: Claim) -> Run:
    run = change.run(hold.run)
    if run.fence != hold.fence or State(run.state) not in (State.QUEUED, State.RUNNING):
        raise LeaseLost(f"run {hold.run}")
    return run


def _milliseconds(run: Run, now: datetime) -> int:
    return int((now - run.started_at).total_seconds() * 1000) if run.started_at else 0
