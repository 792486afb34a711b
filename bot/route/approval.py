"""Who may approve, how many are needed, and until when. Pure rules over values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.route.findings import Risk
from bot.route.people import Actor
from bot.route.refusals import AlreadyDecided, OwnRequest, SameLogin


class Verdict(StrEnum):
    APPROVE = "approve"
    REJECT = "reject"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """One person's decision, as the rules see it."""

    person: Actor
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """``approvals`` says for each risk how many people must approve."""

    approvals: Mapping[Risk, int]
    self_approval: bool
    decide_within: timedelta
    start_within: timedelta

    def approvals_needed(self, risk: Risk) -> int:
        """How many people must approve a plan of this risk; never fewer than one."""
        return max(1, self.approvals[risk])

    def decision_due(self, requested_at: datetime) -> datetime:
        """When a request expires that nobody decided."""
        return requested_at + self.decide_within

    def start_due(self, may_start_at: datetime) -> datetime:
        """When an approval expires that could not start, counted from when it first could."""
        return may_start_at + self.start_within


def check_voter(
    policy: Policy,
    *,
    run: int,
    requester: Actor,
    voter: Actor,
    votes: Iterable[Vote],
    verdict: Verdict,
) -> None:
    """Raise unless ``voter`` may vote now.

    A requester may reject their own request (it takes it back), but never approves it unless the
    policy says so. One person counts once, whichever face they come through.
    """
    own = requester.is_same_person_as(voter)
    if verdict is Verdict.APPROVE and own and not policy.self_approval:
        if requester.account != voter.account and requester.os_user == voter.os_user != "":
            raise SameLogin(run=run, login=voter.os_user)
        raise OwnRequest(run=run)
    for vote in votes:
        if vote.person.is_same_person_as(voter):
            raise AlreadyDecided(run=run, verdict=vote.verdict)


def enough(needed: int, votes: Iterable[Vote]) -> bool:
    """Whether the approvals so far suffice."""
    return sum(vote.verdict is Verdict.APPROVE for vote in votes) >= needed
