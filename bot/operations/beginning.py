"""What still has to be so at the moment a run begins, of the people behind it.

Accounts change between an approval and its run, and a rehearsal may find what nobody was shown.
"""

from __future__ import annotations

from collections.abc import Mapping

from bot.conf import get_settings
from bot.models import Decision, Run
from bot.operations import accounts, reading
from bot.operations.changing import Change
from bot.operations.deciding import votes_of
from bot.route.approval import Verdict
from bot.route.overriding import uncovered, uncovered_words
from bot.route.people import Actor
from bot.route.refusals import Kind, Refused


class NotNow(Exception):
    """The run may not begin at this moment, and may later. ``because`` is a sentence."""

    def __init__(self, because: str) -> None:
        self.because = because
        super().__init__(because)


Asked = Mapping[tuple[Actor, str], bool | Refused]
"""Who was asked about, and for which permission: whether they have it, or why nobody can tell."""


def ask_about_people(run_id: int) -> Asked:
    """Whether those behind this run still may what they did.

    It is asked before the audit's head is locked, for ``lost_approvals``: a table of users that
    somebody holds must not hold up everybody. Nobody decides any more on a run that is queued.
    """
    using = get_settings().state_database
    run = Run.objects.using(using).filter(pk=run_id).first()
    if run is None:
        return {}
    asked = [(run.requester_as_actor, accounts.REQUEST)]
    for vote in map(reading.vote_of, Decision.objects.using(using).filter(run=run)):
        if vote.verdict is Verdict.APPROVE:
            asked.append((vote.person, accounts.APPROVE))
            asked += [(vote.person, accounts.OVERRIDE)] * bool(vote.overrides)
    return {(person, permission): _still_may(person, permission) for person, permission in asked}


def lost_approvals(change: Change, run: Run, asked: Asked) -> tuple[str, ...]:
    """Why the approvals behind this run do not carry it now; empty when they do. Raises NotNow."""
    lost = []
    forbidden = reading.forbidden_by(run)
    if not _answer(asked, run.requester_as_actor, accounts.REQUEST):
        lost.append(f"{run.requester_name}, who asked for it, may no longer request a run.")
    valid = 0
    for vote in votes_of(change, run):
        if vote.verdict is not Verdict.APPROVE:
            continue
        if not _answer(asked, vote.person, accounts.APPROVE):
            lost.append(f"{vote.person.name}, who approved it, may no longer approve.")
        elif vote.overrides and not _answer(asked, vote.person, accounts.OVERRIDE):
            codes = ", ".join(vote.overrides)
            lost.append(
                f"{vote.person.name}, who approved it in spite of {codes}, may no longer do that."
            )
        elif new := uncovered(forbidden, vote.shown):
            lost.append(uncovered_words(vote.person.name, new, vote.overrides))
        else:
            valid += 1
    if not lost and valid < run.approvals_needed:
        return (f"Only {valid} of {run.approvals_needed} approvals are there.",)
    return tuple(lost)


def _answer(asked: Asked, person: Actor, permission: str) -> bool:
    """Whether this person may now. That it cannot be read now is no answer: raises NotNow."""
    answer = asked.get((person, permission))
    if answer is None:
        raise NotNow("Who approved it changed at this very moment.")
    if isinstance(answer, Refused):
        raise NotNow(answer.sentence) from answer
    return answer


def _still_may(person: Actor, permission: str) -> bool | Refused:
    try:
        accounts.require(person, permission)
    except Refused as refused:
        return refused if refused.kind is Kind.UNAVAILABLE else False
    return True
