"""Asking for a rehearsal, and keeping what it found. Making it is a worker's job.

A rehearsal belongs to a fingerprint: whoever asks again for the same is shown the one there is.
Never more than one is under way, by the unique ``active_key``; each time a worker takes one its
``attempts`` rise, and whoever tells with an older number is too late.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from bot.conf import get_settings
from bot.models import StoredPlan, StoredRehearsal
from bot.operations import accounts, clocks
from bot.operations.changing import Change, changing, denials_recorded
from bot.operations.rehearsed import let_count, tell
from bot.route.findings import Risk
from bot.route.people import SYSTEM, Actor
from bot.route.plan import Plan, Target
from bot.route.refusals import EmptyPlan, PlanNotFound, PlanNotReady, TooManyRehearsals
from bot.route.rehearsal import Rehearsal
from bot.route.rehearsal_json import rehearsal_to_json
from bot.route.text import storable, storable_json
from bot.waking import wake

REHEARSE = "rehearse"
"""The task's name; a stored name."""

UNDER_WAY = "rehearsal"
"""The active key of the one that is under way; a stored value."""

WAITING_LIMIT = 3
"""Rehearsals that one person may wait for at a time: each costs a worker tens of seconds."""
ATTEMPTS = 2
"""Workers that may die of one rehearsal before it is given up."""
FRESH = timedelta(hours=24)
"""A rehearsal this old is made anew when somebody asks: the fingerprint covers the files and what
is applied, but not a table that somebody changed by hand."""

GONE = (
    "Its worker ended {attempts} times while it was rehearsed, so it is not tried again. "
    "Look into the worker's log (often memory ran out), then ask for it again."
)


def ask_for_rehearsal(plan_id: str | UUID, *, actor: Actor, now: datetime) -> StoredRehearsal:
    """Ask a worker to rehearse a plan that is ready, or find the rehearsal that there is.

    Needs ``request_run``: looking takes none, but a rehearsal costs a worker tens of seconds.
    """
    with denials_recorded("plan.rehearse", actor=actor, now=now):
        accounts.require(actor, accounts.REQUEST)
        with changing(now) as change:
            try:
                stored = StoredPlan.objects.using(change.using).get(pk=plan_id)
            except (StoredPlan.DoesNotExist, ValidationError, ValueError):
                raise PlanNotFound() from None
            return ask_in(change, stored, actor=actor)


def ask_in(change: Change, stored: StoredPlan, *, actor: Actor) -> StoredRehearsal:
    """``ask_for_rehearsal`` inside a transaction that is open already, of somebody who may."""
    if stored.state != StoredPlan.READY:
        raise PlanNotReady()
    plan = stored.plan
    if not plan.steps:
        raise EmptyPlan(target=plan.target, database=plan.database)
    twin = _twin(change, plan.fingerprint, since=change.now - FRESH)
    if twin is not None:
        return twin
    _check_limit(change, actor)
    return _ask(change, stored, actor)


def ask_by_policy(change: Change, stored: StoredPlan, plan: Plan) -> None:
    """Have a plan rehearsed whose run is requested, where the setting ``rehearse`` wants that and
    nobody has yet. ``plan`` is it with what was measured already."""
    wanted = get_settings().rehearse
    if wanted == "never" or (wanted == "not_safe" and plan.risk is Risk.SAFE):
        return
    if _twin(change, plan.fingerprint) is None:
        _ask(change, stored, SYSTEM)


def _twin(
    change: Change, fingerprint: str, *, since: datetime | None = None
) -> StoredRehearsal | None:
    """The rehearsal of the same plan that waits, or that measured something ``since`` then."""
    same = _rows(change.using).filter(fingerprint=fingerprint).order_by("-asked_at")
    waiting = same.filter(state=StoredRehearsal.WAITING).first()
    if waiting is not None:
        return waiting
    ready = same.filter(state=StoredRehearsal.READY)
    return (ready if since is None else ready.filter(ready_at__gt=since)).first()


def _check_limit(change: Change, actor: Actor) -> None:
    waiting = _rows(change.using).filter(state=StoredRehearsal.WAITING)
    theirs = [one for one in waiting.only("actor") if one.actor.get("account") == actor.account]
    if len(theirs) >= WAITING_LIMIT:
        raise TooManyRehearsals(number=len(theirs))


def _ask(change: Change, stored: StoredPlan, actor: Actor) -> StoredRehearsal:
    row = StoredRehearsal(
        stored_plan=stored,
        database=stored.database,
        fingerprint=stored.fingerprint,
        actor=actor.to_json(),
        asked_at=change.now,
    )
    row.save(using=change.using, force_insert=True)
    wake(REHEARSE, row.pk)
    tell(change, row.fingerprint)
    return row


# In a worker's hands


def claim(rehearsal_id: str | UUID, *, now: datetime) -> StoredRehearsal | None:
    """Take a rehearsal that waits; None when it does not, while any is under way anywhere, or while
    this machine's clock is off: it would take another's for dead, or have its own taken.

    One whose workers have died often enough is refused instead.
    """
    if not clocks.is_trusted():
        return None
    with changing(now) as change:
        row = _waiting(change, rehearsal_id)
        if row is None or _is_held(row, now):
            return None
        under_way = _rows(change.using).filter(active_key=UNDER_WAY).exclude(pk=row.pk).first()
        if under_way is not None:
            if _is_held(under_way, now):
                return None
            under_way.active_key = None  # Its worker is dead; the clock wakes it again.
            under_way.save(using=change.using, update_fields=["active_key"])
        if row.attempts >= ATTEMPTS:
            _end_without(change, row, GONE.format(attempts=row.attempts))
            return None
        row.attempts += 1
        row.active_key, row.claimed_until = UNDER_WAY, _lease(now)
        row.save(using=change.using, update_fields=["attempts", "active_key", "claimed_until"])
        tell(change, row.fingerprint)
    return row


def rehearsal_progress(row: StoredRehearsal, words: str, *, now: datetime) -> bool:
    """Renew the claim and, with ``words``, say how far it is; False when the claim was lost."""
    held = _rows(get_settings().state_database).filter(
        pk=row.pk,
        state=StoredRehearsal.WAITING,
        attempts=row.attempts,
        active_key=UNDER_WAY,
    )
    if not words:
        return bool(held.update(claimed_until=_lease(now)))
    with changing(now) as change:
        words = storable(words)[:200]
        if not held.update(claimed_until=_lease(now), progress=words):
            return False
        tell(change, row.fingerprint)
    return True


def store_rehearsal(row: StoredRehearsal, found: Rehearsal, *, now: datetime) -> bool:
    """Keep what was found and tell it everywhere; False when the claim was lost meanwhile."""
    with changing(now) as change:
        held = _held(change, row)
        if held is None:
            return False
        if found.because or found.fingerprint != held.fingerprint:
            because = found.because or "What was rehearsed is another plan than was asked for."
            _end_without(change, held, because)
            return True
        _fill(held, found, now)
        held.save(using=change.using)
        let_count(change, held, found, actor=SYSTEM)
        _wake_next(change)
    return True


def refuse_rehearsal(row: StoredRehearsal, because: str, *, now: datetime) -> None:
    """Keep why nothing was measured, in a sentence that says what to do."""
    with changing(now) as change:
        held = _held(change, row)
        if held is not None:
            _end_without(change, held, because)


def keep_rehearsal(*, actor: Actor, plan: Plan, found: Rehearsal, now: datetime) -> StoredRehearsal:
    """Keep a rehearsal that was made in a child of this very process, by the command line.

    It asks for no account: whoever has a shell here can read and write the bot's tables anyway.
    """
    with changing(now) as change:
        stored = StoredPlan(
            database=plan.database,
            target="" if plan.target == Target() else str(plan.target),
            purpose=StoredPlan.REHEARSE,
            state=StoredPlan.READY,
            document=storable_json(plan.to_json()),
            fingerprint=plan.fingerprint,
            actor=actor.to_json(),
            asked_at=now,
            ready_at=now,
        )
        stored.save(using=change.using, force_insert=True)
        row = StoredRehearsal(
            stored_plan=stored,
            database=plan.database,
            fingerprint=plan.fingerprint,
            actor=actor.to_json(),
            asked_at=now,
        )
        _fill(row, found, now)
        row.save(using=change.using, force_insert=True)
        let_count(change, row, found, actor=actor)
    return row


def wake_waiting_rehearsals(*, now: datetime, after: float) -> int:
    """Wake a worker again for the oldest rehearsal that waits, unless one is under way."""
    before = now - timedelta(seconds=after)
    rows = _rows(get_settings().state_database)
    if rows.filter(active_key=UNDER_WAY, claimed_until__gt=now).exists():
        return 0
    row = rows.filter(state=StoredRehearsal.WAITING).order_by("asked_at").first()
    if row is None or row.asked_at >= before:
        return 0
    if row.woken_at is not None and row.woken_at > before:
        return 0
    with changing(now) as change:
        _wake_next(change)
    return 1


def _fill(row: StoredRehearsal, found: Rehearsal, now: datetime) -> None:
    row.state, row.ready_at = StoredRehearsal.READY, now
    row.document = storable_json(rehearsal_to_json(found))
    row.progress, row.active_key, row.claimed_until = "", None, None


def _end_without(change: Change, row: StoredRehearsal, because: str) -> None:
    row.state, row.ready_at = StoredRehearsal.REFUSED, change.now
    row.because = storable(" ".join(because.split()))[:2000]
    row.progress, row.active_key, row.claimed_until = "", None, None
    row.save(using=change.using)
    tell(change, row.fingerprint)
    _wake_next(change)


def _wake_next(change: Change) -> None:
    """Only one is under way at a time, so whoever ends one wakes the next."""
    row = _rows(change.using).filter(state=StoredRehearsal.WAITING).order_by("asked_at").first()
    if row is not None:
        row.woken_at = change.now
        row.save(using=change.using, update_fields=["woken_at"])
        wake(REHEARSE, row.pk)


def _waiting(change: Change, rehearsal_id: str | UUID) -> StoredRehearsal | None:
    rows = _rows(change.using).select_related("stored_plan")
    return rows.filter(pk=rehearsal_id, state=StoredRehearsal.WAITING).first()


def _held(change: Change, row: StoredRehearsal) -> StoredRehearsal | None:
    """The row as it is now, if this claim on it still stands."""
    now_there = _waiting(change, row.pk)
    stands = now_there is not None and now_there.active_key == UNDER_WAY
    return now_there if stands and now_there and now_there.attempts == row.attempts else None


def _is_held(row: StoredRehearsal, now: datetime) -> bool:
    return row.claimed_until is not None and row.claimed_until > now


def _lease(now: datetime) -> datetime:
    return now + timedelta(seconds=get_settings().lease)


def _rows(using: str) -> QuerySet[StoredRehearsal]:
    return StoredRehearsal.objects.using(using)
