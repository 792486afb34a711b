"""From rows to the values that blocks are made of. Thin: it reads, and decides nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.urls import NoReverseMatch, reverse

from bot import audit
from bot.conf import get_settings
from bot.models import AuditEntry, Decision, Link, Run, SlackPerson, StoredPlan
from bot.operations import accounts, reading
from bot.operations.linking import find_link
from bot.operations.measured import measured_plan, standing_of
from bot.operations.requesting import no_way_back
from bot.route.findings import Risk
from bot.route.overriding import codes_of, forbidding, mark_of
from bot.route.people import Actor, Origin
from bot.route.plan_json import parse_time
from bot.route.refusals import Refused
from bot.route.states import State
from bot.slack import blocks
from bot.slack.blocks.values import (
    AuditView,
    DecisionView,
    HelpRow,
    PersonView,
    PlanView,
    RunView,
    StepState,
    WhoView,
)
from bot.slack.parsing import Command

HELD = 3
"""Data checks that hold and that a message names; the staff page has more."""
FRESH_PLAN = timedelta(minutes=10)
"""A plan this old is still worth summing up in a modal; what runs is checked again anyway."""
WORDS = {
    accounts.REQUEST: "request a run",
    accounts.APPROVE: "approve or reject a run",
    accounts.OVERRIDE: "approve in spite of findings that forbid it",
}


# Addresses


def url(name: str, *args: object) -> str:
    """An address on the staff page as people outside reach it; empty without a public URL."""
    base = get_settings().public_url.rstrip("/")
    if not base:
        return ""
    try:
        return base + reverse(f"migration_bot:{name}", args=args)
    except NoReverseMatch:
        return ""


def run_url(run: int) -> str:
    return url("run", run)


def link_url(code: str) -> str:
    """Where a link code is confirmed, signed in."""
    return url("link", code)


# People


def person(actor: Actor) -> PersonView:
    """Somebody as the audit keeps them; a mention only for people of our own workspace."""
    ours = actor.team == get_settings().slack_team_id
    name = actor.name or actor.os_user or ("migration bot" if actor.origin is Origin.SYSTEM else "")
    return PersonView(
        name=name or actor.slack_user or "somebody",
        slack_user=actor.slack_user if ours else "",
        team=actor.team if ours else "",
    )


def who_view(team: str, user: str) -> WhoView:
    """What the bot knows of a Slack person."""
    using = get_settings().state_database
    known = SlackPerson.objects.using(using).filter(pk=f"{team}:{user}").first()
    link = find_link(team, user)
    view = PersonView(name=(known and known.name) or user, slack_user=user, team=team)
    if link is None:
        return WhoView(person=view)
    permissions, problem = _permissions(link)
    return WhoView(
        person=view,
        account=link.account_name,
        linked_at=link.linked_at,
        permissions=permissions,
        problem=problem,
    )


def _permissions(link: Link) -> tuple[tuple[str, ...], str]:
    actor = Actor(origin=Origin.SLACK, account=link.account, name=link.account_name)
    try:
        account = accounts.require_staff(actor)
    except Refused as refused:
        return (), refused.sentence
    return tuple(words for name, words in WORDS.items() if account.may(name)), ""


def help_view(rows: Iterable[Command], *, linked: bool) -> tuple[HelpRow, ...]:
    """Every command; for people who are not linked, what they can use already comes first."""
    ordered = sorted(rows, key=lambda row: 0 if linked else _unlinked_order(row))
    return tuple(HelpRow(usage=row.usage, summary=row.summary) for row in ordered)


def _unlinked_order(row: Command) -> int:
    return 0 if row.name == "link" else 2 - row.unlinked


# Plans


def plan_view(stored: StoredPlan) -> PlanView:
    plan = measured_plan(stored)
    asking = reading.run_asking_for(plan)
    actor = Actor.from_json(stored.actor)
    refusal = no_way_back(plan)
    return PlanView(
        id=str(stored.pk),
        database=plan.database,
        target=str(plan.target),
        fingerprint=plan.fingerprint,
        risk=plan.risk,
        steps=blocks.steps_of(plan),
        made_at=plan.made_at,
        findings=plan.all_findings,
        sql=blocks.sql_of(plan),
        asked_by=person(actor),
        url=url("plan", stored.pk),
        release=plan.release,
        approvals_needed=get_settings().policy.approvals_needed(plan.risk, plan.all_findings),
        notes=plan.notes,
        held=" ".join(plan.held(HELD)),
        forbidden=codes_of(forbidding(plan.all_findings, get_settings().policy.forbidden)),
        requestable=refusal is None and not stored.runs.exists(),
        no_way_back=refusal.sentence if refusal is not None else "",
        asking_run=asking.pk if asking is not None else None,
        rehearsal=standing_of(plan.fingerprint),
    )


def newest_plan(database: str, target: str, *, now: datetime) -> StoredPlan | None:
    """The newest ready plan of this target with something to run, if it is a fresh one."""
    plans = StoredPlan.objects.using(get_settings().state_database)
    target = "" if target == "everything" else target
    found = plans.filter(
        state=StoredPlan.READY, database=database, target=target, ready_at__gt=now - FRESH_PLAN
    )
    stored = found.order_by("-ready_at").first()
    return stored if stored is not None and stored.plan.steps else None


# Runs


def run_view(run_id: int | str, *, now: datetime) -> RunView:
    """One run; raises RunNotFound."""
    run = reading.find_run(run_id)
    plan = reading.known_plan(run)
    ended_by, ended_reason = _taken_back(run)
    forbidden = reading.forbidden_by(run) if run.state == State.REQUESTED else ()
    return RunView(
        id=run.pk,
        state=State(run.state),
        database=run.database,
        target=run.target or "everything",
        risk=Risk(run.risk),
        reason=run.reason,
        requester=person(run.requester_as_actor),
        fingerprint=run.fingerprint,
        requested_at=run.requested_at,
        now=now,
        approvals_needed=run.approvals_needed,
        approvals_because=reading.approvals_because(run) if run.state == State.REQUESTED else "",
        decisions=tuple(_decision(decision) for decision in run.decisions.all()),
        self_approval=get_settings().self_approval,
        expires_at=run.expires_at,
        run_after=run.run_after,
        held_because=_held(run, now=now),
        steps=tuple(_step(step) for step in run.steps),
        findings=plan.all_findings,
        held=" ".join(plan.held(HELD)),
        forbidden=codes_of(forbidden),
        forbidden_mark=mark_of(forbidden),
        waiting_for=tuple(run.waiting_for),
        started_at=run.started_at,
        ended_at=run.ended_at,
        ended_by=ended_by,
        ended_reason=ended_reason,
        error=run.error,
        error_step=run.error_step,
        error_statement=run.error_statement,
        stale_because=tuple(run.stale_because),
        url=run_url(run.pk),
        release=run.release,
        plan_id=str(run.stored_plan_id),
        rehearsal=standing_of(run.fingerprint),
    )


def run_and_plan(run_id: int, *, now: datetime) -> tuple[RunView, PlanView]:
    """One run with the plan that it carries out."""
    return run_view(run_id, now=now), plan_view(reading.find_run(run_id).stored_plan)


def _decision(decision: Decision) -> DecisionView:
    return DecisionView(
        person=person(Actor.from_json(decision.actor)),
        verdict=decision.verdict,
        at=decision.at,
        reason=decision.reason,
        overrides=reading.overrides_of(decision),
    )


def _step(step: dict[str, Any]) -> StepState:
    return StepState(
        app=step["app"],
        name=step["name"],
        direction=step["direction"],
        state=step["state"],
        seconds=step["seconds"],
        started_at=parse_time(step["started_at"]) if step["started_at"] else None,
    )


def _held(run: Run, *, now: datetime) -> str:
    """Why an approved run does not start yet."""
    if State(run.state) is not State.APPROVED:
        return ""
    if run.run_after is not None and run.run_after > now:
        return ""
    for freeze in reading.freezes(now=now):
        if freeze.database in ("", run.database):
            return f"frozen by {freeze.owner_name}: {freeze.reason}"
    other = Run.objects.using(get_settings().state_database).filter(active_key=run.database).first()
    return f"run {other.pk} has the database" if other is not None else ""


def _taken_back(run: Run) -> tuple[PersonView | None, str]:
    """Who cancelled it and why, from the audit."""
    if State(run.state) is not State.CANCELLED:
        return None, ""
    entry = reading.entries(run=run.pk, event="run.cancelled").first()
    if entry is None:
        return None, ""
    actor = Actor.from_json(json.loads(entry.actor))
    return person(actor), str(json.loads(entry.data).get("reason", ""))


# The audit


def audit_view(entry: AuditEntry) -> AuditView:
    """One entry. A row that was tampered with is shown as it stands; verify says what is wrong."""
    try:
        actor = person(Actor.from_json(audit.read(entry.actor)))
        data = audit.read(entry.data)
    except (ValueError, KeyError, TypeError, AttributeError):
        actor, data = PersonView(name="somebody unreadable"), {"unreadable": str(entry.data)[:300]}
    return AuditView(
        seq=entry.seq,
        hash=str(entry.hash),
        event=entry.event,
        at=audit.moment_of(entry) or datetime.fromtimestamp(0, tz=UTC),
        actor=actor,
        run=entry.run,
        data=data,
        url=run_url(entry.run) if entry.run is not None else url("audit"),
    )
