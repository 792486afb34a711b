"""What a rehearsal measured is let count: for the runs of its plan that somebody has still to
decide, in the audit, and in the messages about it."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import QuerySet

from bot import outbox
from bot.conf import get_settings
from bot.models import Decision, Run, StoredPlan, StoredRehearsal
from bot.operations.changing import Change
from bot.operations.reading import vote_of
from bot.route.approval import Verdict
from bot.route.events import ApprovalLapsed, Rehearsed
from bot.route.findings import Finding
from bot.route.overriding import codes_of, forbidding, uncovered
from bot.route.people import SYSTEM, Actor
from bot.route.rehearsal import Rehearsal
from bot.route.rehearsal_words import parts
from bot.route.states import ENDED, State
from bot.route.text import storable


def let_count(change: Change, row: StoredRehearsal, found: Rehearsal, *, actor: Actor) -> None:
    """Let what was measured count: in the audit, and for whoever has to decide.

    A run that waits for approval gets the measured risk. Its approvals can only become more: it was
    asked for under the stricter of the two views, and somebody may count on it, so that no
    rehearsal (which a requester can ask for) takes away a second pair of eyes.
    """
    plan = row.stored_plan.plan
    measured = plan.rehearsed(found)
    runs = list(_open_runs(change, row.fingerprint))
    event = Rehearsed(
        database=row.database,
        fingerprint=row.fingerprint,
        outcome=storable("; ".join(parts(found)[:2]))[:300],
        risk_before=str(plan.risk),
        risk_after=str(measured.risk),
    )
    change.record(event, actor=actor, run=runs[0].pk if runs else None)
    policy = get_settings().policy
    needed = policy.approvals_needed(measured.risk, measured.all_findings)
    for run in runs:
        if State(run.state) is State.REQUESTED:
            _let_lapse(change, run, forbidding(measured.all_findings, policy.forbidden))
            change.update(
                run,
                risk=str(measured.risk),
                approvals_needed=max(run.approvals_needed, needed),
            )
        outbox.run_rehearsed(run, row, now=change.now)
    tell(change, row.fingerprint, rehearsal=row)


def _let_lapse(change: Change, run: Run, found: Sequence[Finding]) -> None:
    """Take back each approval that does not override what forbids the run by now: whoever gave it
    was not shown that. They may decide anew."""
    approvals = Decision.objects.using(change.using).filter(run=run, verdict=str(Verdict.APPROVE))
    for decision in approvals:
        if new := uncovered(found, vote_of(decision).shown):
            event = ApprovalLapsed(
                person=decision.person,
                person_name=decision.person_name,
                codes=list(codes_of(new)),
            )
            change.record(event, actor=SYSTEM, run=run.pk)
            decision.delete()


def tell(change: Change, fingerprint: str, *, rehearsal: StoredRehearsal | None = None) -> None:
    """Have the messages about this plan say how its rehearsal stands, the requests' too."""
    for run in _open_runs(change, fingerprint).filter(state=str(State.REQUESTED)):
        outbox.run_changed(run, now=change.now)
    plans = StoredPlan.objects.using(change.using).filter(fingerprint=fingerprint)
    for key in plans.filter(state=StoredPlan.READY).values_list("pk", flat=True):
        outbox.plan_rehearsed(key, rehearsal, now=change.now)


def _open_runs(change: Change, fingerprint: str) -> QuerySet[Run]:
    """The runs of exactly this plan that have not ended."""
    ended = [str(state) for state in ENDED]
    runs = Run.objects.using(change.using).filter(fingerprint=fingerprint)
    return runs.exclude(state__in=ended).select_related("stored_plan")
