"""Reading what there is: runs, plans, workers, as values and as the contract's JSON."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Min, QuerySet

from bot.conf import get_settings
from bot.models import (
    AuditEntry,
    AuditHead,
    Decision,
    Delivery,
    Freeze,
    Run,
    SlackChannel,
    StoredPlan,
    Worker,
)
from bot.route.plan_json import isoformat
from bot.route.refusals import RunNotFound
from bot.route.states import State

TIMES = (
    "requested_at",
    "expires_at",
    "run_after",
    "decided_at",
    "queued_at",
    "started_at",
    "ended_at",
)


def runs(
    *, state: str = "", database: str = "", app: str = "", requester: str = ""
) -> QuerySet[Run]:
    """Runs, newest first, with their decisions, filtered by what is given."""
    found = Run.objects.using(get_settings().state_database).defer("traceback")
    if state:
        found = found.filter(state=state)
    if database:
        found = found.filter(database=database)
    if app:
        found = found.filter(apps__contains=f",{app},")
    if requester:
        found = found.filter(requester_name=requester)
    return found.prefetch_related("decisions").order_by("-id")


def find_run(run_id: int | str) -> Run:
    """One run with its plan and decisions, or RunNotFound."""
    found = Run.objects.using(get_settings().state_database).select_related("stored_plan")
    try:
        return found.prefetch_related("decisions").get(pk=run_id)
    except (Run.DoesNotExist, ValueError, TypeError, OverflowError):
        raise RunNotFound(run=run_id) from None


def approvals_because(run: Run) -> str:
    """Why a run needs more than one approval, in words that follow the number; empty for one, and
    when the settings have changed since it was asked for."""
    plan = run.stored_plan.plan
    policy = get_settings().policy
    if policy.approvals_needed(plan.risk, plan.all_findings) != run.approvals_needed:
        return ""
    return policy.approvals_because(plan.risk, plan.all_findings)


def run_as_json(run: Run) -> dict[str, Any]:
    """A run as the outside contract has it. No traceback: that is for those who may see it."""
    return {
        "id": run.pk,
        "state": run.state,
        "risk": run.risk,
        "database": run.database,
        "target": run.target or "everything",
        "fingerprint": run.fingerprint,
        "requester": {"id": run.requester, "name": run.requester_name},
        "origin": run.origin,
        "approvals_needed": run.approvals_needed,
        "decisions": [decision_as_json(decision) for decision in run.decisions.all()],
        "steps": run.steps,
        "reason": run.reason,
        "waiting_for": run.waiting_for,
        "stale_because": run.stale_because,
        "error": run.error,
        "error_step": run.error_step,
        "error_statement": run.error_statement,
        "release": run.release,
        **{name: _time(getattr(run, name)) for name in TIMES},
    }


def decision_as_json(decision: Decision) -> dict[str, Any]:
    return {
        "person": {"id": decision.person, "name": decision.person_name},
        "verdict": decision.verdict,
        "reason": decision.reason,
        "at": isoformat(decision.at),
    }


def open_runs() -> QuerySet[Run]:
    """Runs that have not ended, the oldest first."""
    states = [State.REQUESTED, State.APPROVED, State.QUEUED, State.RUNNING, State.INTERRUPTED]
    found = Run.objects.using(get_settings().state_database).defer("traceback")
    return (
        found.filter(state__in=[str(state) for state in states])
        .prefetch_related("decisions")
        .order_by("id")
    )


def freezes(*, now: datetime) -> list[Freeze]:
    """The freezes in force."""
    live = Freeze.objects.using(get_settings().state_database).filter(ended_at__isnull=True)
    return [freeze for freeze in live if freeze.until is None or freeze.until > now]


def entries(*, run: int | None = None, event: str = "") -> QuerySet[AuditEntry]:
    """Audit entries, newest first."""
    found = AuditEntry.objects.using(get_settings().state_database)
    if run is not None:
        found = found.filter(run=run)
    if event:
        found = found.filter(event__startswith=event)
    return found.order_by("-seq")


def newest_plan(database: str) -> StoredPlan | None:
    """The newest plan of everything on this database that is ready, if there is one."""
    plans = StoredPlan.objects.using(get_settings().state_database)
    return (
        plans.filter(database=database, target="", state=StoredPlan.READY)
        .order_by("-ready_at")
        .first()
    )


def newest_refused_plan(database: str, *, since: datetime | None) -> StoredPlan | None:
    """The newest try to plan everything on this database, if it was refused, and after ``since``:
    what an older plan shows may be long out of date."""
    plans = StoredPlan.objects.using(get_settings().state_database).defer("document")
    refused = plans.filter(database=database, target="", state=StoredPlan.REFUSED)
    if since is not None:
        refused = refused.filter(ready_at__gt=since)
    return refused.order_by("-ready_at").first()


def plans_being_made(database: str) -> QuerySet[StoredPlan]:
    """The plans on this database that still wait for a worker, newest first."""
    plans = StoredPlan.objects.using(get_settings().state_database).defer("document")
    return plans.filter(database=database, state=StoredPlan.WAITING).order_by("-asked_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """Deliveries that Slack does not have yet; the oldest one's age in seconds."""

    waiting: int
    oldest_age: float | None


def backlog(*, now: datetime) -> Backlog:
    """How far the posts lag behind."""
    waiting = Delivery.objects.using(get_settings().state_database).filter(state="pending")
    found = waiting.aggregate(count=Count("pk"), oldest=Min("created_at"))
    age = (now - found["oldest"]).total_seconds() if found["oldest"] else None
    return Backlog(waiting=found["count"], oldest_age=age)


def broken_channels() -> list[SlackChannel]:
    """Channels that Slack takes nothing for, each with why in words; none while there is no Slack.

    What waits for them is tried again each minute; a send that succeeds mends the row.
    """
    if not get_settings().slack_enabled:
        return []
    channels = SlackChannel.objects.using(get_settings().state_database)
    return list(channels.exclude(broken_because="").order_by("broken_at", "pk"))


def audit_head() -> tuple[int, str]:
    """The newest audit entry's number and hash; 0 and no hash while there is none."""
    head = AuditHead.objects.using(get_settings().state_database).filter(pk=1).first()
    return (head.seq, head.hash) if head is not None and head.seq else (0, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """How the workers are: how many live, and the newest heartbeat's age in seconds, None when
    there never was one. Below zero it comes from a clock that is ahead of this machine's."""

    workers: int
    newest_age: float | None

    @property
    def alive(self) -> bool:
        return self.workers > 0


def pulse(*, now: datetime) -> Pulse:
    """Look at the heartbeats of all machines."""
    beats = Worker.objects.using(get_settings().state_database).values_list("beat_at", flat=True)
    ages = [(now - beat).total_seconds() for beat in beats]
    lease = get_settings().lease
    # One from the future says nothing of now: its worker may be long dead.
    fresh = [age for age in ages if -lease <= age <= lease]
    newest = min(fresh) if fresh else min(ages, key=abs, default=None)
    return Pulse(workers=len(fresh), newest_age=newest)


def _time(at: datetime | None) -> str | None:
    return isoformat(at) if at else None
