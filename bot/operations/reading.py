"""Reading what there is: runs, plans, workers, as values and as the contract's JSON."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from datetime import datetime
from functools import reduce
from operator import and_
from typing import Any

from django.db.models import Q, QuerySet

from bot.conf import get_settings
from bot.models import (
    AuditEntry,
    AuditHead,
    Decision,
    Freeze,
    Run,
    StoredPlan,
)
from bot.operations.measured import measured_of, measured_plan, standing_of
from bot.route.approval import Verdict, Vote
from bot.route.data_checks import DataCheck, to_ask_again
from bot.route.findings import Finding, Place
from bot.route.overriding import codes_of, forbidding, places_from_json
from bot.route.people import Actor
from bot.route.plan import Plan
from bot.route.plan_json import isoformat
from bot.route.refusals import RunNotFound
from bot.route.standing_json import standing_to_json
from bot.route.states import ACTIVE, State

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


def known_plan(run: Run) -> Plan:
    """A run's plan with all that is known of it at this moment: what decisions are judged by."""
    return measured_plan(run.stored_plan)


def forbidden_by(run: Run) -> tuple[Finding, ...]:
    """The findings that forbid this run, unless somebody approves in spite of them."""
    return forbidding(known_plan(run).all_findings, get_settings().policy.forbidden)


def vote_of(decision: Decision) -> Vote:
    """A decision as the rules see it."""
    return Vote(
        person=Actor.from_json(decision.actor),
        verdict=Verdict(decision.verdict),
        overrides=overrides_of(decision),
        shown=places_from_json(decision.shown),
    )


def overrides_of(decision: Decision) -> tuple[str, ...]:
    return tuple(code for code in decision.overrides.split(",") if code)


def data_checks(run: Run) -> tuple[DataCheck, ...]:
    """What today's data is asked once more when the run begins, its decisions being in."""
    settings = get_settings()
    if not settings.data_checks:
        return ()
    plan = known_plan(run)
    found = plan.all_findings
    allowed = Counter(one.place for one in found if one.code not in settings.forbidden)
    return to_ask_again(plan.checks, (allowed | _overridden(run)).elements())


def _overridden(run: Run) -> Counter[Place]:
    """Where the findings are in spite of which everybody approved who did: those that each of them
    was shown, for a rehearsal may find another one with the same code later."""
    votes = map(vote_of, run.decisions.all())
    shown = [Counter(vote.shown) for vote in votes if vote.verdict is Verdict.APPROVE]
    return reduce(and_, shown) if shown else Counter()


def approvals_because(run: Run) -> str:
    """Why a run needs more than one approval, in words that follow the number; empty for one, and
    when the settings have changed since it was asked for."""
    policy = get_settings().policy
    predicted = run.stored_plan.plan
    measured = measured_of(predicted)
    for plan, added in ((measured, ""), (predicted, ", as was predicted when it was asked for")):
        if policy.approvals_needed(plan.risk, plan.all_findings) == run.approvals_needed:
            because = policy.approvals_because(plan.risk, plan.all_findings)
            return f"{because}{added}" if because else ""
    return ""


def plan_and_rehearsal_as_json(stored: StoredPlan) -> dict[str, Any]:
    """``plan`` with what was measured, and ``rehearsal``; both None before the plan is ready."""
    if stored.state != StoredPlan.READY:
        return {"plan": None, "rehearsal": None}
    standing = standing_of(stored.fingerprint)
    return {
        "plan": measured_plan(stored).to_json() if standing.rehearsal else stored.document,
        "rehearsal": standing_to_json(standing),
    }


def run_in_full_as_json(run: Run) -> dict[str, Any]:
    """``run_as_json`` with the findings as they stand now and how the rehearsal does."""
    plan = measured_plan(run.stored_plan)
    return {
        **run_as_json(run),
        "findings": [asdict(finding) for finding in plan.all_findings],
        "rehearsal": standing_to_json(standing_of(run.fingerprint)),
    }


_OF_A_STEP = ("app", "name", "direction", "state", "seconds", "started_at")


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
        "forbidden_by": _forbidden_codes(run),
        "steps": [{name: step.get(name) for name in _OF_A_STEP} for step in run.steps],
        "reason": run.reason,
        "waiting_for": run.waiting_for,
        "stale_because": run.stale_because,
        "error": run.error,
        "error_step": run.error_step,
        "error_statement": run.error_statement,
        "release": run.release,
        **{name: _time(getattr(run, name)) for name in TIMES},
    }


def _forbidden_codes(run: Run) -> list[str]:
    """While it can be decided; a list of runs reads no plans, and says nothing of it."""
    here = run.state == State.REQUESTED and Run.stored_plan.is_cached(run)
    return list(codes_of(forbidden_by(run))) if here else []


def decision_as_json(decision: Decision) -> dict[str, Any]:
    return {
        "person": {"id": decision.person, "name": decision.person_name},
        "verdict": decision.verdict,
        "reason": decision.reason,
        "overrides": list(overrides_of(decision)),
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


def run_asking_for(plan: Plan) -> Run | None:
    """The run that has not ended and asks for exactly this plan, whoever made the plan."""
    states = [str(state) for state in (State.REQUESTED, State.APPROVED, *ACTIVE)]
    runs = Run.objects.using(get_settings().state_database).defer("traceback")
    twins = runs.filter(fingerprint=plan.fingerprint, database=plan.database)
    return twins.filter(state__in=states).first()


def newest_plan(database: str) -> StoredPlan | None:
    """The newest plan of everything on this database that is ready, if there is one."""
    plans = StoredPlan.objects.using(get_settings().state_database)
    return (
        plans.filter(database=database, target="", state=StoredPlan.READY)
        .order_by("-ready_at")
        .first()
    )


def run_since(database: str, made_at: datetime | None) -> int | None:
    """The newest run on this database that changed it, or may have, since ``made_at``: a plan of
    everything from before it no longer says what is pending."""
    moved = [State.SUCCEEDED, State.FAILED, State.CANCELLED, State.NEEDS_ATTENTION]
    ended = Q(state__in=[str(state) for state in moved], ended_at__gt=made_at)
    found = Run.objects.using(get_settings().state_database).filter(
        ended | Q(state=str(State.INTERRUPTED)), database=database, started_at__isnull=False
    )
    run = found.only("pk").order_by("-id").first()
    return run.pk if run else None


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


def audit_head() -> tuple[int, str]:
    """The newest audit entry's number and hash; 0 and no hash while there is none."""
    head = AuditHead.objects.using(get_settings().state_database).filter(pk=1).first()
    return (head.seq, head.hash) if head is not None and head.seq else (0, "")


def _time(at: datetime | None) -> str | None:
    return isoformat(at) if at else None
