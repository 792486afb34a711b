"""What a person may do to a run, asked of the same rules that operations will ask."""

from __future__ import annotations

from dataclasses import dataclass

from bot.conf import get_settings
from bot.models import Run
from bot.operations import accounts
from bot.route.approval import Verdict, Vote, check_voter
from bot.route.people import Actor
from bot.route.refusals import Refused
from bot.route.states import State
from bot.web.edge import Visit


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """What this person may do to this run now. Operations check all of it again."""

    approve: bool = False
    reject: bool = False
    cancel: bool = False
    see_traceback: bool = False
    why_not_approve: str = ""

    @property
    def key(self) -> str:
        """The same for as long as the same forms are offered."""
        return f"{self.approve}-{self.reject}-{self.cancel}-{self.why_not_approve}"


def allowed(run: Run, visit: Visit) -> Allowed:
    """Ask the same rules that operations will ask."""
    state, account = State(run.state), visit.account
    approver = account.may(accounts.APPROVE)
    own = run.requester == account.id and account.may(accounts.REQUEST)
    may_cancel = state in (State.REQUESTED, State.APPROVED, State.QUEUED) and (own or approver)
    open_for_votes = state is State.REQUESTED and run.expires_at > visit.now
    if not (open_for_votes and approver):
        return Allowed(cancel=may_cancel, see_traceback=approver)
    votes = [
        Vote(person=Actor.from_json(d.actor), verdict=Verdict(d.verdict))
        for d in run.decisions.all()
    ]
    no = {verdict: _why_not(run, visit.actor, votes, verdict) for verdict in Verdict}
    return Allowed(
        approve=not no[Verdict.APPROVE],
        reject=not no[Verdict.REJECT],
        cancel=may_cancel,
        see_traceback=approver,
        why_not_approve=no[Verdict.APPROVE],
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
