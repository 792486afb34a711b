"""Findings that forbid a run, and who may approve in spite of them. Pure rules over values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import astuple
from hashlib import sha256
from typing import Any

from bot.route.findings import Finding, Place
from bot.route.refusals import FindingForbids, NotPermitted, OwnOverride, ReasonNeeded

NAMED = 3
"""Findings that a refusal quotes; the plan has them all."""


def forbidding(findings: Iterable[Finding], forbidden: Collection[str]) -> tuple[Finding, ...]:
    """The findings that forbid a run with them."""
    return tuple(one for one in findings if one.code in forbidden)


def codes_of(findings: Iterable[Finding]) -> tuple[str, ...]:
    """Their codes, each once, in order."""
    return tuple(sorted({one.code for one in findings}))


def mark_of(findings: Iterable[Finding]) -> str:
    """``=`` and 12 hex digits for these findings, by which it is known again that somebody was
    shown exactly them: a rehearsal may bring another one with the same code. Empty for none."""
    places = sorted(" ".join(map(str, astuple(one.place))) for one in findings)
    return f"={sha256(chr(10).join(places).encode()).hexdigest()[:12]}" if places else ""


def places_to_json(findings: Iterable[Finding]) -> list[Any]:
    """Where these findings are, as a decision keeps it: ``[code, step, operation, table]`` each."""
    return [list(astuple(one.place)) for one in findings]


def places_from_json(kept: Iterable[Sequence[Any]] | None) -> tuple[Place, ...]:
    """What ``places_to_json`` wrote; None where nothing was kept."""
    return tuple(
        Place(code=code, step=step, operation=operation, table=table)
        for code, step, operation, table in kept or ()
    )


def uncovered(found: Sequence[Finding], shown: Iterable[Place]) -> tuple[Finding, ...]:
    """The findings that forbid a run and that an approval does not override: those that its
    approver was not shown. Of one place where there are more by now than they were shown, all: it
    cannot be told which of them is new."""
    there, then = Counter(one.place for one in found), Counter(shown)
    return tuple(one for one in found if there[one.place] > then[one.place])


def uncovered_words(name: str, new: Sequence[Finding], overrides: Collection[str]) -> str:
    """Why the approval of this person, who overrode these codes, does not carry what is ``new``."""
    codes = codes_of(new)
    if set(codes) <= set(overrides):
        told = in_words(new)
        return f"{name} approved it in spite of {', '.join(codes)}, but not in spite of all: {told}"
    return f"{name} approved it before {', '.join(codes)} was known, which forbids it."


def in_words(findings: Sequence[Finding]) -> str:
    """What the findings say, for a sentence."""
    more = f" And {len(findings) - NAMED} more." if len(findings) > NAMED else ""
    return " ".join(one.because for one in findings[:NAMED]) + more


def check_override(
    *,
    run: int,
    found: Sequence[Finding],
    override: bool,
    seen: Collection[str] | None = None,
    own: bool,
    name: str,
    permission: str,
    may_override: Callable[[], bool],
    reason: str,
) -> tuple[str, ...]:
    """The codes that an approval overrides; none where nothing forbids.

    ``found`` are the findings that forbid it. An approver overrides on purpose (``override``), with
    the permission and a reason, or is refused; whoever asked for the run never does (``own``),
    whatever ``self_approval`` says. ``seen`` are the codes that they were shown when they were
    asked, and the ``mark_of`` all of it; what came since, they have not overridden.
    """
    codes = codes_of(found)
    if not codes:
        return ()
    unseen = [one for one in found if seen is not None and one.code not in seen]
    marks = [one for one in seen or () if one.startswith("=")]
    if unseen or not override or (marks and mark_of(found) not in marks):
        told = unseen or found
        raise FindingForbids(run=run, codes=", ".join(codes_of(told)), because=in_words(told))
    if own:
        raise OwnOverride(run=run, codes=", ".join(codes))
    if not may_override():
        raise NotPermitted(name=name, permission=permission)
    if not reason:
        raise ReasonNeeded()
    return codes
