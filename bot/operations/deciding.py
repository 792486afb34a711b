"""Approving, rejecting, cancelling; and handing an approved run to the workers."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import partial

from django.db.models import Q

from bot import outbox
from bot.conf import get_settings
from bot.models import Decision, Freeze, Link, Run
from bot.operations import accounts, reading
from bot.operations.changing import Change, changing, denials_recorded
from bot.operations.requesting import check_reason, optional_reason
from bot.route.approval import Verdict, Vote, check_voter, enough, is_same_person
from bot.route.events import Approved, Cancelled, Expired, Queued, Rejected
from bot.route.findings import Finding
from bot.route.overriding import check_override, codes_of, places_to_json
from bot.route.people import SYSTEM, Actor
from bot.route.plan_json import isoformat
from bot.route.refusals import Frozen, NotPermitted, WrongState
from bot.route.states import Action, State, state_phrase
from bot.waking import wake

CARRY_OUT = "carry_out"
"""The task's name; a stored name."""


def approve(
    run_id: int,
    *,
    actor: Actor,
    now: datetime,
    reason: str = "",
    override: bool = False,
    seen: Collection[str] | None = None,
) -> Run:
    """One person's yes. With enough of them the run is approved and, when it may, queued.

    Where a finding forbids the run, each yes needs ``override``, the permission for it and a
    reason: whoever only agrees with somebody else's override has not looked at it. ``seen`` are
    the codes that the person was shown; None where they were not shown any.
    """
    expire(now=now, only=run_id)
    with denials_recorded("run.approve", actor=actor, now=now, run=run_id):
        account = accounts.require(actor, accounts.APPROVE)
        if override:
            account = account.having_answered(accounts.OVERRIDE)
        with changing(now) as change:
            reason = optional_reason(reason)
            run = change.run(run_id)
            votes = _vote(
                change,
                run,
                account,
                actor=actor,
                verdict=Verdict.APPROVE,
                reason=reason,
                override=override,
                seen=seen,
            )
            change.record(
                Approved(
                    fingerprint=run.fingerprint,
                    approvals=sum(vote.verdict is Verdict.APPROVE for vote in votes),
                    approvals_needed=run.approvals_needed,
                    reason=reason,
                    overrides=list(votes[-1].overrides),
                ),
                actor=actor,
                run=run.pk,
            )
            if enough(run.approvals_needed, votes):
                _approved(change, run)
            else:
                outbox.run_changed(run, now=now)
            return run


def _approved(change: Change, run: Run) -> None:
    """It is approved from now on, and queued when it may."""
    now = change.now
    may_start = max(now, run.run_after) if run.run_after else now
    due = get_settings().policy.start_due(may_start)
    change.move(run, Action.APPROVE, decided_at=now, expires_at=due)
    queue_if_free(change, run)


def asks_for_override(run_id: int, *, actor: Actor) -> bool:
    """Whether this person has to be asked, before their approval, if they approve in spite of what
    forbids the run: they may, it does, and they have not decided yet. Everything is checked again
    when they approve."""
    run = reading.find_run(run_id)
    if State(run.state) is not State.REQUESTED or not reading.forbidden_by(run):
        return False
    votes = map(reading.vote_of, run.decisions.all())
    others = (run.requester_as_actor, *(vote.person for vote in votes))
    if any(is_same_person(get_settings().policy, one, actor) for one in others):
        return False
    account = accounts.find_by_id(actor.account) if actor.account else None
    permissions = (accounts.APPROVE, accounts.OVERRIDE)
    return account is not None and all(account.may(one) for one in permissions)


def reject(run_id: int, *, actor: Actor, now: datetime, reason: str) -> Run:
    """One approver's no, which is enough. It needs a reason."""
    expire(now=now, only=run_id)
    with denials_recorded("run.reject", actor=actor, now=now, run=run_id):
        account = accounts.require(actor, accounts.APPROVE)
        with changing(now) as change:
            reason = check_reason(reason)
            run = change.run(run_id)
            _vote(change, run, account, actor=actor, verdict=Verdict.REJECT, reason=reason)
            change.record(Rejected(reason=reason), actor=actor, run=run.pk)
            change.move(run, Action.REJECT, decided_at=now, ended_at=now)
            return run


def cancel(run_id: int, *, actor: Actor, now: datetime, reason: str = "") -> Run:
    """Take back a run that has not begun: its requester, or anybody who may approve."""
    with denials_recorded("run.cancel", actor=actor, now=now, run=run_id):
        account = accounts.require_staff(actor)
        account = account.having_answered(accounts.REQUEST, accounts.APPROVE)
        with changing(now) as change:
            run = change.run(run_id)
            own = run.requester == account.id and account.may(accounts.REQUEST)
            if not own and not account.may(accounts.APPROVE):
                raise NotPermitted(
                    name=account.name, permission=f"migration_bot.{accounts.APPROVE}"
                )
            if State(run.state) not in (State.REQUESTED, State.APPROVED, State.QUEUED):
                now_is = state_phrase(State(run.state))
                raise WrongState(run=run.pk, state=now_is, action="cancelled")
            change.record(Cancelled(reason=optional_reason(reason)), actor=actor, run=run.pk)
            change.move(run, Action.CANCEL, ended_at=now)
            return run


def _vote(
    change: Change,
    run: Run,
    account: accounts.Account,
    *,
    actor: Actor,
    verdict: Verdict,
    reason: str,
    override: bool = False,
    seen: Collection[str] | None = None,
) -> list[Vote]:
    """Keep one decision, and return all of them, that one last."""
    if State(run.state) is not State.REQUESTED:
        word = "approved" if verdict is Verdict.APPROVE else "rejected"
        raise WrongState(run=run.pk, state=state_phrase(State(run.state)), action=word)
    votes = votes_of(change, run)
    check_voter(
        get_settings().policy,
        run=run.pk,
        requester=run.requester_as_actor,
        voter=actor,
        votes=votes,
        verdict=verdict,
        tied=partial(_tied, change),
    )
    found: tuple[Finding, ...] = ()
    if verdict is Verdict.APPROVE:
        found = _overridden(
            change, run, account, actor=actor, reason=reason, override=override, seen=seen
        )
    overrides = codes_of(found)
    Decision.objects.using(change.using).create(
        run=run,
        person=account.id,
        person_name=account.name,
        actor=actor.to_json(),
        verdict=str(verdict),
        reason=reason,
        overrides=",".join(overrides),
        shown=places_to_json(found),
        at=change.now,
    )
    shown = tuple(one.place for one in found)
    return [*votes, Vote(person=actor, verdict=verdict, overrides=overrides, shown=shown)]


def _overridden(
    change: Change,
    run: Run,
    account: accounts.Account,
    *,
    actor: Actor,
    reason: str,
    override: bool,
    seen: Collection[str] | None,
) -> tuple[Finding, ...]:
    """What this approval overrides: all that forbids the run by what is known at this moment."""
    policy, requester = get_settings().policy, run.requester_as_actor
    found = reading.forbidden_by(run)
    check_override(
        run=run.pk,
        found=found,
        override=override,
        seen=seen,
        own=is_same_person(policy, requester, actor, tied=partial(_tied, change)),
        name=account.name,
        permission=f"migration_bot.{accounts.OVERRIDE}",
        may_override=partial(account.may, accounts.OVERRIDE),
        reason=reason,
    )
    return found


def _tied(change: Change, one: Actor, other: Actor) -> bool:
    """Whether the Slack person of one was ever linked to the account of the other.

    Ended links count: whoever is talked into confirming somebody else's link code would else turn
    that person's own click into a second person's approval.
    """
    links = Link.objects.using(change.using)
    return any(
        slack.slack_user
        and account.account
        and links.filter(
            team=slack.team, slack_user=slack.slack_user, account=account.account
        ).exists()
        for slack, account in ((one, other), (other, one))
    )


def votes_of(change: Change, run: Run) -> list[Vote]:
    """The decisions on a run, as the rules see them."""
    decisions = Decision.objects.using(change.using).filter(run=run)
    return [reading.vote_of(decision) for decision in decisions]


def frozen(change: Change, database: str) -> Freeze | None:
    """The freeze that holds this database now, if any."""
    live = Freeze.objects.using(change.using).filter(
        database__in=["", database], ended_at__isnull=True
    )
    return next((f for f in live if f.until is None or f.until > change.now), None)


def frozen_words(change: Change, database: str) -> str:
    """Why nothing may start on this database now, as a sentence; empty when nothing is frozen."""
    freeze = frozen(change, database)
    if freeze is None:
        return ""
    return Frozen(
        database=freeze.database or "Every database",
        owner=freeze.owner_name,
        since=isoformat(freeze.since),
        reason=freeze.reason,
    ).sentence


def queue_if_free(change: Change, run: Run) -> bool:
    """Hand an approved run to the workers if its time has come, nothing is frozen, and no other
    run has its database. What waits here is looked at again by the clock."""
    if run.run_after is not None and run.run_after > change.now:
        return False
    if frozen(change, run.database) is not None:
        return False
    if Run.objects.using(change.using).filter(active_key=run.database).exists():
        return False
    change.move(run, Action.QUEUE, queued_at=change.now, woken_at=change.now)
    change.record(Queued(database=run.database), actor=SYSTEM, run=run.pk)
    wake(CARRY_OUT, run.pk)
    return True


def queue_due(*, now: datetime) -> int:
    """Queue every approved run that may start now, the oldest approval first; how many it were."""
    with changing(now) as change:
        waiting = Run.objects.using(change.using).filter(state=str(State.APPROVED))
        return sum(queue_if_free(change, run) for run in waiting.order_by("decided_at", "id"))


def is_claimed(run: Run, *, now: datetime) -> bool:
    """Whether a worker that lives has this run. A dead one's lease has ended."""
    return bool(run.claimed_by and run.lease_until is not None and run.lease_until > now)


def expire(*, now: datetime, only: int | None = None) -> int:
    """End what nobody decided, or what could not start, in time; how many it were."""
    using = get_settings().state_database
    words = {
        State.REQUESTED: "Nobody decided in time.",
        State.APPROVED: "It could not start in time after its approval.",
        State.QUEUED: "No worker took it in time after its approval.",
    }
    overdue = (
        Run.objects.using(using)
        .filter(state__in=[str(state) for state in words], expires_at__lte=now)
        .filter(Q(claimed_by="") | Q(lease_until__lte=now))
    )
    if only is not None:
        overdue = overdue.filter(pk=only)
    try:
        keys = list(overdue.values_list("pk", flat=True))
    except (ValueError, OverflowError):
        return 0
    if not keys:
        return 0
    ended = 0
    with changing(now) as change:
        for key in keys:
            run = change.run(key)
            state = State(run.state)
            if state in words and run.expires_at <= now and not is_claimed(run, now=now):
                change.record(Expired(because=words[state]), actor=SYSTEM, run=run.pk)
                change.move(run, Action.EXPIRE, ended_at=now)
                ended += 1
    return ended
