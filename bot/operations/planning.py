"""What may be planned, and keeping a plan or refusing it. Making it is a worker's job."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from bot import outbox
from bot.conf import get_settings
from bot.models import Run, StoredPlan, StoredRehearsal
from bot.operations import accounts
from bot.operations.accounts import Account
from bot.operations.changing import (
    Change,
    changing,
    denials_recorded,
    record_denial,
)
from bot.operations.measured import newest_measured
from bot.operations.rehearsing import ask_in
from bot.operations.requesting import request_in
from bot.route.people import Actor
from bot.route.plan import Plan, Target
from bot.route.refusals import (
    DatabaseNotRouted,
    PlanNotFound,
    Refused,
    TargetNotUnderstood,
    UnknownDatabase,
)
from bot.route.text import storable, storable_json

logger = logging.getLogger("migration_bot")

MAKE_PLAN = "make_plan"
"""The task's name; a stored name."""

WAITING_LIMIT = 3
"""Plans that one person may wait for at a time."""
TARGET_LIMIT = 300
"""Characters; two names of at most 255 and 100 characters never come near it."""


def check_database(database: str) -> None:
    """Refuse an alias that does not exist or that this bot may not migrate."""
    from django.conf import settings as django_settings

    allowed = get_settings().target_databases
    if database in allowed:
        return
    known = ", ".join(allowed)
    if database in django_settings.DATABASES:
        raise DatabaseNotRouted(database=database, known=known)
    raise UnknownDatabase(database=database, known=known)


def check_target(text: str) -> Target:
    """The target that a person wrote, or a refusal of what cannot be one."""
    words = text.replace(".", " ", 1).split()
    if len(words) > 2 or len(text) > TARGET_LIMIT or "\0" in text:
        raise TargetNotUnderstood(text=text[:80])
    return Target.parse(text)


def keep_plan(*, actor: Actor, plan: Plan, now: datetime) -> StoredPlan:
    """Keep a plan that was made in this very process, by the command line."""
    with denials_recorded("plan.make", actor=actor, now=now):
        accounts.require_staff(actor)
        with changing(now) as change:
            stored = StoredPlan(
                database=plan.database,
                target="" if plan.target == Target() else str(plan.target),
                actor=actor.to_json(),
                asked_at=now,
            )
            _fill(stored, plan, now)
            stored.save(using=change.using, force_insert=True)
    return stored


def find_plan(plan_id: str | UUID) -> StoredPlan:
    try:
        return StoredPlan.objects.using(get_settings().state_database).get(pk=plan_id)
    except (StoredPlan.DoesNotExist, ValidationError, ValueError):
        raise PlanNotFound() from None


def claim_plan(plan_id: str | UUID, *, now: datetime) -> StoredPlan | None:
    """Take a waiting plan to make it; None when somebody has it or it is done."""
    with changing(now) as change:
        stored = _waiting(change, plan_id)
        if stored is None or (stored.claimed_until is not None and stored.claimed_until > now):
            return None
        stored.claimed_until = now + timedelta(seconds=get_settings().lease)
        stored.save(using=change.using, update_fields=["claimed_until"])
    return stored


def plan_progress(plan_id: str | UUID, words: str, *, now: datetime) -> None:
    """Renew the claim on a plan that is being made and, with ``words``, say how far it is."""
    changes: dict[str, Any] = {"claimed_until": now + timedelta(seconds=get_settings().lease)}
    if words:
        changes["progress"] = words[:200]
    StoredPlan.objects.using(get_settings().state_database).filter(
        pk=plan_id, state=StoredPlan.WAITING
    ).update(**changes)


def store_plan(plan_id: str | UUID, plan: Plan, *, now: datetime) -> Run | None:
    """Keep the finished plan and, if that was the wish, request it or have it rehearsed in the
    same transaction.

    A refusal of that is kept as the plan's answer: it was somebody's wish, so it is told to them,
    and audited.
    """
    may = _who_may(plan_id)
    with changing(now) as change:
        stored = _waiting(change, plan_id)
        if stored is None:
            return None
        _fill(stored, plan, now)
        stored.save(using=change.using)
        run = _carry_on(change, stored, plan, may)
        outbox.plan_ready(stored, now=now)
        if (measured := newest_measured(plan.fingerprint)) is not None:
            outbox.plan_rehearsed(stored.pk, measured, now=now)
    return run


def _who_may(plan_id: str | UUID) -> Account | Refused | None:
    """The account of whoever wished for more than a plan, or why they may not have it. It is asked
    before the audit's head is locked; of a plan, the person and the wish never change."""
    plans = StoredPlan.objects.using(get_settings().state_database)
    stored = plans.filter(pk=plan_id).only("actor", "purpose").first()
    if stored is None or stored.purpose == StoredPlan.LOOK:
        return None
    try:
        return accounts.require(Actor.from_json(stored.actor), accounts.REQUEST)
    except Refused as refused:
        return refused


def _carry_on(
    change: Change, stored: StoredPlan, plan: Plan, may: Account | Refused | None
) -> Run | None:
    """What was wished for beside the plan. Nothing to do is no plan that could be rehearsed."""
    actor = Actor.from_json(stored.actor)
    requested = stored.purpose == StoredPlan.REQUEST
    if may is None or not (requested or plan.steps):
        return None
    try:
        if isinstance(may, Refused):
            raise may
        with transaction.atomic(using=change.using):
            if requested:
                return request_in(
                    change,
                    stored,
                    actor=actor,
                    account=may,
                    reason=stored.reason,
                    run_after=stored.run_after,
                )
            ask_in(change, stored, actor=actor)
    except Refused as refused:
        stored.refusal_code, stored.refusal = refused.code, refused.sentence
        stored.save(using=change.using, update_fields=["refusal_code", "refusal"])
        wish = "run.request" if requested else "plan.rehearse"
        record_denial(change, wish, refused, actor=actor)
    return None


def refuse_plan(plan_id: str | UUID, refused: Refused, *, now: datetime) -> None:
    """Keep why the plan could not be made, and tell whoever asked."""
    with changing(now) as change:
        stored = _waiting(change, plan_id)
        if stored is None:
            return
        stored.state, stored.ready_at = StoredPlan.REFUSED, now
        stored.refusal_code, stored.refusal = refused.code, storable(refused.sentence)
        stored.save(using=change.using)
        outbox.plan_ready(stored, now=now)


def _waiting(change: Change, plan_id: str | UUID) -> StoredPlan | None:
    plans = StoredPlan.objects.using(change.using)
    return plans.filter(pk=plan_id, state=StoredPlan.WAITING).first()


def _fill(stored: StoredPlan, plan: Plan, now: datetime) -> None:
    stored.state = StoredPlan.READY
    stored.document = storable_json(plan.to_json())
    stored.fingerprint = plan.fingerprint
    stored.ready_at = now


def prune_plans(*, now: datetime) -> int:
    """Forget plans that nobody asked to run, after ``keep_plans`` days, with their rehearsals.

    One whose rehearsal speaks for a run of the same fingerprint stays: it is what people saw. So
    does one of which Slack has not been told yet: it is rendered only then.
    """
    using = get_settings().state_database
    before = now - timedelta(days=get_settings().keep_plans)
    asked_for = Run.objects.using(using).values("fingerprint")
    speaking = StoredRehearsal.objects.using(using).filter(fingerprint__in=asked_for)
    untold, unmeasured = outbox.not_told_yet()
    measuring = StoredRehearsal.objects.using(using).filter(pk__in=unmeasured)
    plans = StoredPlan.objects.using(using).filter(runs__isnull=True, asked_at__lt=before)
    plans = plans.exclude(pk__in=untold).exclude(pk__in=measuring.values("stored_plan"))
    deleted, _ = plans.exclude(pk__in=speaking.values("stored_plan")).delete()
    return deleted
