"""Asking for a plan, and keeping or refusing it. Making it is a worker's job."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from bot import outbox
from bot.conf import get_settings
from bot.models import Run, StoredPlan
from bot.operations import accounts
from bot.operations.changing import (
    Change,
    changing,
    denials_recorded,
    record_denial,
    setup_asked_for,
)
from bot.operations.requesting import check_reason, check_run_after, request_in
from bot.route.people import Actor
from bot.route.plan import Plan, Target
from bot.route.refusals import (
    DatabaseNotRouted,
    PlanNotFound,
    Refused,
    TargetNotUnderstood,
    TooManyPlans,
    UnknownDatabase,
)
from bot.route.text import storable, storable_json
from bot.waking import wake

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


def ask_for_plan(
    *,
    actor: Actor,
    database: str,
    target: str,
    now: datetime,
    request: bool = False,
    reason: str = "",
    run_after: datetime | None = None,
    reply_to: str = "",
) -> StoredPlan:
    """Keep the wish for a plan and wake a worker. With ``request``, the finished plan is requested
    in the same breath, with ``reason``; what can be refused at once is refused at once.

    One row is written, by itself: it moves no run and is not audited, so it takes no part in the
    queue for the audit's head, where Slack's three seconds would pass. Whoever asks is asked about
    again when the plan is requested. Asked the same again while it still waits, it is the same
    plan; and one person has at most ``WAITING_LIMIT`` that wait.
    """
    wish = "run.request" if request else "plan.make"
    with denials_recorded(wish, actor=actor, now=now), setup_asked_for():
        if request:
            accounts.require(actor, accounts.REQUEST)
            reason = check_reason(reason)
            check_run_after(run_after, now=now)
        else:
            accounts.require_staff(actor)
        check_database(database)
        parsed = check_target(target)
        stored = StoredPlan(
            database=database,
            target="" if parsed == Target() else storable(str(parsed))[:300],
            purpose=StoredPlan.REQUEST if request else StoredPlan.LOOK,
            actor=actor.to_json(),
            reason=reason,
            run_after=run_after,
            reply_to=reply_to,
            asked_at=now,
        )
        twin = _waiting_twin(stored)
        if twin is not None:
            return twin
        stored.save(using=get_settings().state_database, force_insert=True)
        wake(MAKE_PLAN, stored.pk)
    return stored


def _waiting_twin(wished: StoredPlan) -> StoredPlan | None:
    """The plan that this person already waits for and that would be the same; or TooManyPlans.

    A plan costs a worker seconds, and looking takes no permission but a staff account.
    """
    waiting = StoredPlan.objects.using(get_settings().state_database).filter(
        state=StoredPlan.WAITING
    )
    theirs = [one for one in waiting if one.actor.get("account") == wished.actor["account"]]
    same = ("actor", "database", "target", "purpose", "reason", "run_after")
    for one in theirs:
        if all(getattr(one, name) == getattr(wished, name) for name in same):
            return one
    if len(theirs) >= WAITING_LIMIT:
        raise TooManyPlans(number=len(theirs))
    return None


def keep_plan(*, actor: Actor, plan: Plan, now: datetime) -> StoredPlan:
    """Keep a plan that was made in this very process, by the command line."""
    with denials_recorded("plan.make", actor=actor, now=now), changing(now) as change:
        accounts.require_staff(actor)
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
    """Keep the finished plan and, if that was the wish, request it in the same transaction.

    A refusal of that request is kept as the plan's answer: it was somebody's wish, so it is told
    to them, and audited.
    """
    with changing(now) as change:
        stored = _waiting(change, plan_id)
        if stored is None:
            return None
        _fill(stored, plan, now)
        stored.save(using=change.using)
        run = _request_too(change, stored) if stored.purpose == StoredPlan.REQUEST else None
        outbox.plan_ready(stored, now=now)
    return run


def _request_too(change: Change, stored: StoredPlan) -> Run | None:
    actor = Actor.from_json(stored.actor)
    try:
        with transaction.atomic(using=change.using):
            return request_in(
                change, stored, actor=actor, reason=stored.reason, run_after=stored.run_after
            )
    except Refused as refused:
        stored.refusal_code, stored.refusal = refused.code, refused.sentence
        stored.save(using=change.using, update_fields=["refusal_code", "refusal"])
        record_denial(change, "run.request", refused, actor=actor)
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
    """Forget plans that nobody asked to run, after ``keep_plans`` days."""
    before = now - timedelta(days=get_settings().keep_plans)
    plans = StoredPlan.objects.using(get_settings().state_database)
    deleted, _ = plans.filter(runs__isnull=True, asked_at__lt=before).delete()
    return deleted
