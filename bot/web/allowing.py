"""What a person may do to a run, asked of the same rules that operations will ask."""

from __future__ import annotations

from dataclasses import dataclass

from bot.conf import get_settings
from bot.models import Run
from bot.operations import accounts, reading
from bot.route.approval import Verdict, Vote, check_voter, is_same_person
from bot.route.overriding import check_override, mark_of
from bot.route.people import Actor
from bot.route.refusals import FindingForbids, Refused
from bot.route.states import State
from bot.web.edge import Visit

NO_OVERRIDE = (
    "Run {run} cannot be approved as it is, and to override what forbids it takes the permission "
    "migration_bot.override_findings, which you do not have."
)
"""What forbids it stands above, so the refusal's own sentence would say it twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """What this person may do to this run now. Operations check all of it again."""

    approve: bool = False
    reject: bool = False
    cancel: bool = False
    see_traceback: bool = False
    why_not_approve: str = ""
    override: tuple[str, ...] = ()
    """Codes of findings that forbid the run and that this person may override by approving it."""
    override_mark: str = ""
    """By which those very findings are known again."""

    @property
    def key(self) -> str:
        """The same for as long as the same forms are offered."""
        shown = f"{self.why_not_approve}-{self.override}-{self.override_mark}"
        return f"{self.approve}-{self.reject}-{self.cancel}-{shown}"


def allowed(run: Run, visit: Visit) -> Allowed:
    """Ask the same rules that operations will ask."""
    state, account = State(run.state), visit.account
    approver = account.may(accounts.APPROVE)
    own = run.requester == account.id and account.may(accounts.REQUEST)
    may_cancel = state in (State.REQUESTED, State.APPROVED, State.QUEUED) and (own or approver)
    open_for_votes = state is State.REQUESTED and run.expires_at > visit.now
    if not (open_for_votes and approver):
        return Allowed(cancel=may_cancel, see_traceback=approver)
    votes = [reading.vote_of(decision) for decision in run.decisions.all()]
    no = {verdict: _why_not(run, visit.actor, votes, verdict) for verdict in Verdict}
    override: tuple[str, ...] = ()
    mark = ""
    if not no[Verdict.APPROVE]:
        try:
            override = _override(run, visit)
            mark = mark_of(reading.forbidden_by(run)) if override else ""
        except FindingForbids:
            no[Verdict.APPROVE] = NO_OVERRIDE.format(run=run.pk)
        except Refused as refused:
            no[Verdict.APPROVE] = refused.sentence
    return Allowed(
        approve=not no[Verdict.APPROVE],
        reject=not no[Verdict.REJECT],
        cancel=may_cancel,
        see_traceback=approver,
        why_not_approve=no[Verdict.APPROVE],
        override=override,
        override_mark=mark,
    )


def _override(run: Run, visit: Visit) -> tuple[str, ...]:
    """The codes that approving this run overrides; raises what forbids this person to."""
    account = visit.account
    found = reading.forbidden_by(run)
    may = bool(found) and account.may(accounts.OVERRIDE)
    return check_override(
        run=run.pk,
        found=found,
        override=may,
        own=is_same_person(get_settings().policy, run.requester_as_actor, visit.actor),
        name=account.name,
        permission=f"migration_bot.{accounts.OVERRIDE}",
        may_override=lambda: may,
        reason="asked for in the form",
    )


def _why_not(run: Run, voter: Actor, votes: list[Vote], verdict: Verdict) -> str:
    try:
        check_voter(
            get_settings().policy,
            run=run.pk,
            requester=run.requester_as_actor,
            voter=voter,
            votes=votes,
            verdict=verdict,
        )
    except Refused as refused:
        return refused.sentence
    return ""
