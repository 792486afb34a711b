"""What still has to be so at the moment a run begins, of the people behind it.

Accounts change between an approval and its run, and a rehearsal may find what nobody was shown.
"""

from __future__ import annotations

from bot.models import Run
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


def lost_approvals(change: Change, run: Run) -> tuple[str, ...]:
    """Why the approvals behind this run do not carry it now; empty when they do. Raises NotNow."""
    lost = []
    forbidden = reading.forbidden_by(run)
    if not _still_may(run.requester_as_actor, accounts.REQUEST):
        lost.append(f"{run.requester_name}, who asked for it, may no longer request a run.")
    valid = 0
    for vote in votes_of(change, run):
        if vote.verdict is not Verdict.APPROVE:
            continue
        if not _still_may(vote.person, accounts.APPROVE):
            lost.append(f"{vote.person.name}, who approved it, may no longer approve.")
        elif vote.overrides and not _still_may(vote.person, accounts.OVERRIDE):
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


def _still_may(person: Actor, permission: str) -> bool:
    """Whether this person may now. That it cannot be read now is no answer: raises NotNow."""
    try:
        accounts.require(person, permission)
    except Refused as refused:
        if refused.kind is Kind.UNAVAILABLE:
            raise NotNow(refused.sentence) from refused
        return False
    return True
