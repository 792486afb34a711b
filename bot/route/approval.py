"""Who may approve, how many are needed, and until when. Pure rules over values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NoReturn

from bot.route.findings import Finding, Place, Risk
from bot.route.people import Actor, Origin
from bot.route.refusals import (
    AlreadyDecided,
    CommandLineNotTrusted,
    OwnRequest,
    SameLogin,
)


class Verdict(StrEnum):
    APPROVE = "approve"
    REJECT = "reject"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """One person's decision, as the rules see it."""

    person: Actor
    verdict: Verdict
    overrides: tuple[str, ...] = ()
    """Codes of findings that forbid the run and in spite of which they approved."""
    shown: tuple[Place, ...] = ()
    """Where each of these findings is: the approval carries no other one, whatever its code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """``approvals`` says for each risk how many people must approve, ``approvals_by_code`` for
    findings with a code; findings with a code in ``forbidden`` forbid a run."""

    approvals: Mapping[Risk, int]
    approvals_by_code: Mapping[str, int] = field(default_factory=dict)
    self_approval: bool
    trust_command_line: bool = False
    """Whether a decision at a command line counts whatever the run was asked for through, and one
    login name on two hosts is two people."""
    decide_within: timedelta
    start_within: timedelta
    forbidden: frozenset[str] = frozenset()

    def approvals_needed(self, risk: Risk, findings: Iterable[Finding] = ()) -> int:
        """How many people must approve a plan of this risk with these findings; at least one."""
        by_code = [self.approvals_by_code.get(finding.code, 1) for finding in findings]
        return max(1, self.approvals[risk], *by_code)

    def approvals_because(self, risk: Risk, findings: Iterable[Finding] = ()) -> str:
        """Why so many are needed: ``because it is dangerous``, or the codes that ask for more than
        the level does; empty for one."""
        found = list(findings)
        needed = self.approvals_needed(risk, found)
        if needed == 1:
            return ""
        if needed == self.approvals[risk]:
            return f"because it is {risk}"
        asking = {f.code for f in found if self.approvals_by_code.get(f.code, 1) == needed}
        return f"because of {', '.join(sorted(asking))}"

    def decision_due(self, requested_at: datetime) -> datetime:
        """When a request expires that nobody decided."""
        return requested_at + self.decide_within

    def start_due(self, may_start_at: datetime) -> datetime:
        """When an approval expires that could not start, counted from when it first could."""
        return may_start_at + self.start_within


def _never(one: Actor, other: Actor) -> bool:
    return False


def is_same_person(
    policy: Policy, one: Actor, other: Actor, *, tied: Callable[[Actor, Actor], bool] = _never
) -> bool:
    """Whether two actors are one person; ``tied`` as for ``check_voter``."""
    apart = policy.trust_command_line
    return one.is_same_person_as(other, hosts_apart=apart) or tied(one, other)


def check_voter(
    policy: Policy,
    *,
    run: int,
    requester: Actor,
    voter: Actor,
    votes: Iterable[Vote],
    verdict: Verdict,
    tied: Callable[[Actor, Actor], bool] = _never,
) -> None:
    """Raise unless ``voter`` may vote now.

    A requester may reject their own request (it takes it back), but never approves it unless the
    policy says so. One person counts once, whichever face they come through; ``tied`` knows of
    two actors that something else ties to one person, such as a link of Slack.

    A shell can name any account. So a decision at the command line counts only for a run that was
    asked for at a command line too, from another login: otherwise one person could ask on the page
    and approve from the shell.
    """

    def same(one: Actor, other: Actor) -> bool:
        return is_same_person(policy, one, other, tied=tied)

    at_shell = voter.origin is Origin.COMMAND_LINE and not policy.trust_command_line
    if verdict is Verdict.APPROVE and not policy.self_approval and same(requester, voter):
        _refuse_own(policy, run=run, requester=requester, voter=voter)
    if at_shell and requester.origin is not Origin.COMMAND_LINE:
        raise CommandLineNotTrusted(run=run)
    # Their own request they may take back; somebody else's is not theirs to reject.
    others = requester.account != voter.account and not policy.self_approval
    if at_shell and others and requester.is_same_login_as(voter):
        raise SameLogin(run=run, login=voter.os_user)
    for vote in votes:
        if same(vote.person, voter):
            raise AlreadyDecided(run=run, verdict=vote.verdict)


def _refuse_own(policy: Policy, *, run: int, requester: Actor, voter: Actor) -> NoReturn:
    apart = policy.trust_command_line
    if requester.account != voter.account and requester.is_same_login_as(voter, hosts_apart=apart):
        raise SameLogin(run=run, login=voter.os_user)
    raise OwnRequest(run=run)


def enough(needed: int, votes: Iterable[Vote]) -> bool:
    """Whether the approvals so far suffice."""
    return sum(vote.verdict is Verdict.APPROVE for vote in votes) >= needed
