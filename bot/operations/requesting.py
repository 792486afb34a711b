"""Asking for a run."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from uuid import UUID

from django.core.exceptions import ValidationError

from bot import outbox
from bot.conf import get_settings
from bot.models import Run, StoredPlan
from bot.operations import accounts, reading
from bot.operations.changing import Change, changing, denials_recorded
from bot.operations.measured import measured_plan, newest_measured
from bot.operations.rehearsing import ask_by_policy
from bot.route.events import Requested
from bot.route.people import Actor
from bot.route.plan import Direction, Plan, Step
from bot.route.plan_json import isoformat
from bot.route.refusals import (
    AlreadyRequested,
    EmptyPlan,
    NoWayBack,
    PlanNotFound,
    PlanNotReady,
    ReasonNeeded,
    ReasonTooLong,
    TimeNotUnderstood,
)
from bot.route.states import State, state_phrase
from bot.route.text import storable

REASON_LIMIT = 2000
"""Characters; Slack's modal input takes 3,000, and a reason is a sentence or two."""

FARTHEST = timedelta(days=30)


def check_reason(reason: str) -> str:
    """The reason as it is kept, or a refusal."""
    reason = storable(" ".join(reason.split()))
    if not reason:
        raise ReasonNeeded()
    if len(reason) > REASON_LIMIT:
        raise ReasonTooLong(length=len(reason), limit=REASON_LIMIT)
    return reason


def optional_reason(reason: str) -> str:
    """As ``check_reason``, where none is needed."""
    return check_reason(reason) if reason.strip() else ""


def check_run_after(run_after: datetime | None, *, now: datetime) -> None:
    """Refuse a time that is past (a minute's grace) or more than 30 days off."""
    if run_after is None:
        return
    if run_after < now - timedelta(minutes=1):
        raise TimeNotUnderstood(text=isoformat(run_after), because="it is in the past")
    if run_after > now + FARTHEST:
        raise TimeNotUnderstood(text=isoformat(run_after), because="it is over 30 days away")


def request(
    plan_id: str | UUID,
    *,
    actor: Actor,
    reason: str,
    now: datetime,
    run_after: datetime | None = None,
) -> Run:
    """Ask for a run of a plan that is ready. Needs ``request_run`` and a reason."""
    with denials_recorded("run.request", actor=actor, now=now):
        account = accounts.require(actor, accounts.REQUEST)
        with changing(now) as change:
            try:
                stored = StoredPlan.objects.using(change.using).get(pk=plan_id)
            except (StoredPlan.DoesNotExist, ValidationError, ValueError):
                raise PlanNotFound() from None
            return request_in(
                change, stored, actor=actor, account=account, reason=reason, run_after=run_after
            )


def request_in(
    change: Change,
    stored: StoredPlan,
    *,
    actor: Actor,
    account: accounts.Account,
    reason: str,
    run_after: datetime | None,
) -> Run:
    """``request`` inside a transaction that is open already, of the actor's account, which may."""
    reason = check_reason(reason)
    check_run_after(run_after, now=change.now)
    if stored.state != StoredPlan.READY:
        raise PlanNotReady()
    plan = measured_plan(stored)
    if not plan.steps:
        raise EmptyPlan(target=plan.target, database=plan.database)
    check_way_back(plan)
    _refuse_twin(plan)
    policy = get_settings().policy
    run = Run(
        stored_plan=stored,
        database=plan.database,
        target=stored.target,
        apps=f",{','.join(dict.fromkeys(step.app for step in plan.steps))},",
        fingerprint=plan.fingerprint,
        risk=str(plan.risk),
        reason=reason,
        origin=str(actor.origin),
        requester=account.id,
        requester_name=account.name,
        requester_actor=actor.to_json(),
        approvals_needed=policy.approvals_needed(plan.risk, plan.all_findings),
        release=plan.release,
        requested_at=change.now,
        expires_at=policy.decision_due(change.now),
        run_after=run_after,
        steps=[_progress(step) for step in plan.steps],
    )
    run.save(using=change.using, force_insert=True)
    outbox.run_changed(run, now=change.now)
    if (measured := newest_measured(plan.fingerprint)) is not None:
        outbox.run_rehearsed(run, measured, now=change.now)
    change.record(_requested(run, plan), actor=actor, run=run.pk)
    ask_by_policy(change, stored, plan)
    return run


def check_way_back(plan: Plan) -> None:
    """Refuse a plan that undoes what Django refuses to undo: no run of it could ever succeed."""
    if (refusal := no_way_back(plan)) is not None:
        raise refusal


def no_way_back(plan: Plan) -> NoWayBack | None:
    """Why no run of this plan can be asked for: it undoes what Django refuses to undo.

    A migration with an ``apply`` or ``unapply`` of its own may know a way.
    """
    for step in plan.steps:
        own = any(operation.kind == "Migration" for operation in step.operations)
        if step.direction is Direction.BACKWARD and not step.reversible and not own:
            return NoWayBack(step=step.key, because=step.irreversible_because)
    return None


def _refuse_twin(plan: Plan) -> None:
    """The same plan is asked for once: a double click, or two people with one thought."""
    if (twin := reading.run_asking_for(plan)) is not None:
        state = State(twin.state)
        waits = "waits for approval" if state is State.REQUESTED else state_phrase(state)
        raise AlreadyRequested(run=twin.pk, state=waits)


def _progress(step: Step) -> dict[str, object]:
    """``work`` is what its time will be recorded of (``bot.operations.durations``)."""
    work = step.only_work
    return {
        "app": step.app,
        "name": step.name,
        "direction": str(step.direction),
        "state": "pending",
        "seconds": None,
        "started_at": None,
        **({"work": asdict(work)} if work is not None else {}),
    }


def _requested(run: Run, plan: Plan) -> Requested:
    return Requested(
        database=run.database,
        target=str(plan.target),
        fingerprint=run.fingerprint,
        risk=run.risk,
        reason=run.reason,
        steps=[f"{step.key} {step.direction}" for step in plan.steps],
        approvals_needed=run.approvals_needed,
        run_after=isoformat(run.run_after) if run.run_after else "",
    )
