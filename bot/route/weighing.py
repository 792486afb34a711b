"""In which order findings are told, and which of many a short message names."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from bot.route.findings import Evidence, Finding, Risk


def by_weight(findings: Iterable[Finding], forbidden: Collection[str] = ()) -> list[Finding]:
    """What forbids the run first (codes in ``forbidden``), then the worst; what was measured
    before what was only predicted; what takes a whole table before what takes a part of one."""
    order = list(Evidence)
    return sorted(
        findings,
        key=lambda one: (
            one.code not in forbidden,
            -one.level.rank,
            order.index(one.evidence),
            one.of_whole_table,
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One finding that stands for others of its code; ``alike`` counts those."""

    finding: Finding
    alike: int = 0


def kinds(findings: Iterable[Finding], forbidden: Collection[str] = ()) -> list[Kind]:
    """The findings by weight, each code once, so that nothing of another kind is lost behind many
    of one: the one that takes a whole table stands for those that take a column. Each that forbids
    stands for itself: it is what has to be mended."""
    first: dict[tuple[object, ...], Finding] = {}
    alike: dict[tuple[object, ...], int] = {}
    for number, one in enumerate(by_weight(findings, forbidden)):
        key = (number,) if one.code in forbidden else (one.level, one.code)
        if one.of_whole_table < first.setdefault(key, one).of_whole_table:
            first[key] = one
        alike[key] = alike.get(key, -1) + 1
    return [Kind(finding=one, alike=alike[key]) for key, one in first.items()]


def how_many(findings: Sequence[Finding]) -> str:
    """``11 findings, 4 of them dangerous``."""
    number = len(findings)
    words = "1 finding" if number == 1 else f"{number} findings"
    dangerous = sum(one.level is Risk.DANGEROUS for one in findings)
    if dangerous in (0, number):
        return words
    return f"{words}, {dangerous} of them dangerous"
