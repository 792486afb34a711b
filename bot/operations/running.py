"""A run in the hands of a worker: claimed, started, told step by step, ended.

Each change is by compare-and-set on the state and the fence, the number that the claim raised: a
worker that was frozen past its lease, and thawed, is told ``LeaseLost`` and can change nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F

from bot.conf import get_settings
from bot.models import Run
from bot.operations import accounts
from bot.operations.changing import Change, changing
from bot.operations.deciding import CARRY_OUT, frozen, frozen_words, is_claimed, votes_of
from bot.route.approval import Verdict
from bot.route.basis import Basis, differences
from bot.route.events import (
    Cancelled,
    Failed,
    Interrupted,
    Reconciled,
    Started,
    StepApplied,
    StepRetried,
    StepUnapplied,
    Succeeded,
    WentStale,
)
from bot.route.people import SYSTEM, Actor
from bot.route.refusals import Kind, Refused
from bot.route.states import Action, State
from bot.route.text import storable, storable_json
from bot.waking import wake

TEXT_LIMIT = 20_000
"""Characters kept of an error, a statement or a traceback; the end of a traceback matters most."""


class LeaseLost(Exception):
    """This worker no longer holds the run: its lease ended and somebody else may have it."""


class NotNow(Exception):
    """The run may not begin at this moment, and may later. ``because`` is a sentence."""

    def __init__(self, because: str) -> None:
        self.because = because
        super().__init__(because)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A worker's hold on one run."""

    run: int
    fence: int
    worker: str


def claim(run_id: int, *, worker: str, now: datetime) -> tuple[Claim, Run] | None:
    """Take a queued run; None when it is not queued, when another worker has it, when its approval
    has expired while nobody looked, or while its database is frozen."""
    lease = now + timedelta(seconds=get_settings().lease)
    with changing(now) as change:
        runs = Run.objects.using(change.using)
        run = runs.filter(pk=run_id, state=str(State.QUEUED)).select_related("stored_plan").first()
        if run is None or run.expires_at <= now or is_claimed(run, now=now):
            return None
        if because := frozen_words(change, run.database):
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
    with changing(now) as change:
        run = _held(change, hold)
        if State(run.state) is State.RUNNING:
            return run
        if because_frozen := frozen_words(change, run.database):
            raise NotNow(because_frozen)
        because = differences(run.stored_plan.plan.basis, found) or _lost_approvals(change, run)
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


def _lost_approvals(change: Change, run: Run) -> tuple[str, ...]:
    """Why the approvals behind this run do not carry it now; empty when they do. Raises NotNow."""
    lost = []
    if not _still_may(run.requester_as_actor, accounts.REQUEST):
        lost.append(f"{run.requester_name}, who asked for it, may no longer request a run.")
    valid = 0
    for vote in votes_of(change, run):
        if vote.verdict is not Verdict.APPROVE:
            continue
        if _still_may(vote.person, accounts.APPROVE):
            valid += 1
        else:
            lost.append(f"{vote.person.name}, who approved it, may no longer approve.")
    if not lost and valid < run.approvals_needed:
        return (f"Only {valid} of {run.approvals_needed} approvals are there.",)
    return tuple(lost)


def _still_may(person: Actor, permission: str) -> bool:
    """Whether this person may now. That it cannot be read now is no answer: raises NotNow."""
    try:
        accounts.require(person, permission)
    except Refused as refused:
        if refused.kind is Kind.UNAVAILABLE:
            raise NotNow(refused.sentence) from refused
        return False
    return True


def step_starting(hold: Claim, app: str, name: str, *, now: datetime) -> None:
    """A step is about to begin; this also renews the lease."""
    with changing(now) as change:
        run = _held(change, hold)
        lease = now + timedelta(seconds=get_settings().lease)
        steps = _with(run.steps, app, name, state="running", started_at=now.isoformat())
        change.update(run, steps=steps, lease_until=lease, waiting_for=[])


def step_done(hold: Claim, app: str, name: str, *, milliseconds: int, now: datetime) -> None:
    """A step has been committed and recorded. Told twice, it stands in the audit once."""
    with changing(now) as change:
        run = _held(change, hold)
        backward = _direction(run.steps, app, name) == "backward"
        done = "unapplied" if backward else "applied"
        if any((s["app"], s["name"], s["state"]) == (app, name, done) for s in run.steps):
            return
        steps = _with(run.steps, app, name, state=done, seconds=milliseconds / 1000)
        change.update(run, steps=steps, waiting_for=[])
        event = (StepUnapplied if backward else StepApplied)(
            step=f"{app}.{name}", milliseconds=milliseconds
        )
        change.record(event, actor=SYSTEM, run=run.pk)


def waiting(hold: Claim, blockers: Sequence[str], *, now: datetime) -> None:
    """The statement that runs now waits for somebody's lock, or does so no longer."""
    with changing(now) as change:
        change.update(_held(change, hold), waiting_for=[storable(b[:1000]) for b in blockers][:20])


def retrying(
    hold: Claim, step: str, *, attempt: int, because: str, blockers: Sequence[str], now: datetime
) -> None:
    """A step found no lock, left nothing behind, and is tried again after a pause."""
    with changing(now) as change:
        run = _held(change, hold)
        words = [f"attempt {attempt} of {step} found no lock; trying again", *blockers]
        change.update(run, waiting_for=storable_json(words))
        event = StepRetried(
            step=step, attempt=attempt, because=because[:1000], blockers=list(blockers)
        )
        change.record(event, actor=SYSTEM, run=run.pk)


def succeed(hold: Claim, done: Sequence[str], *, now: datetime) -> Run:
    """Every step is in the database's own record."""
    with changing(now) as change:
        run = _held(change, hold)
        steps = _settled(run.steps, done)
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
        steps = run.steps if done is None else _settled(run.steps, done, failed=step)
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
        steps = _settled(run.steps, done)
        change.move(run, Action.CANCEL, ended_at=now, steps=steps, error=because, waiting_for=[])
        return run


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
        steps = _settled(run.steps, done, running_becomes=unsure)
        change.record(
            Reconciled(state=str(state), applied=list(done), because=because),
            actor=SYSTEM,
            run=run.pk,
        )
        error = "" if state is State.SUCCEEDED else because
        change.move(run, action, ended_at=now, steps=steps, error=error)
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


def _with(steps: list[dict[str, Any]], app: str, name: str, **changes: Any) -> list[dict[str, Any]]:
    return [
        {**step, **changes} if (step["app"], step["name"]) == (app, name) else step
        for step in steps
    ]


def _direction(steps: list[dict[str, Any]], app: str, name: str) -> str:
    return next((s["direction"] for s in steps if (s["app"], s["name"]) == (app, name)), "forward")


def _settled(
    steps: list[dict[str, Any]],
    done: Sequence[str],
    *,
    failed: str = "",
    running_becomes: str = "failed",
) -> list[dict[str, Any]]:
    """The steps as the database shows them; events may have been missed or never sent."""
    settled = []
    for step in steps:
        key = f"{step['app']}.{step['name']}"
        state = step["state"]
        if key in done:
            state = "unapplied" if step["direction"] == "backward" else "applied"
        elif key == failed:
            state = "failed"
        elif state == "running":
            state = running_becomes
        else:
            state = "not_run"
        settled.append({**step, "state": state})
    return settled


def _milliseconds(run: Run, now: datetime) -> int:
    return int((now - run.started_at).total_seconds() * 1000) if run.started_at else 0
