"""A finding: one fact about a step's risk, with its because and its instead."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Risk(StrEnum):
    SAFE = "safe"
    CAUTION = "caution"
    DANGEROUS = "dangerous"

    @property
    def rank(self) -> int:
        return _RANKS[self]


_WHOLE = (
    r"All of .* is gone(?! for good \(0 rows)",
    r"Every row of .* is deleted(?! \(0 rows)",
    "Drops the table ",
)
"""How a finding begins that takes a whole table, the gravest first; of one without rows nothing is
lost. Its words say it and no field does: what is stored of a finding is read by other releases
too."""

_RANKS = {level: rank for rank, level in enumerate(Risk)}


class Evidence(StrEnum):
    """Where a claim about risk comes from. Every claim says it."""

    MEASURED = "measured"
    PREDICTED = "predicted"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What is the same of a finding however many rows it counts; the fields as a finding's."""

    code: str
    step: str = ""
    operation: int | None = None
    table: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """``code`` is a stored name and is never renamed; ``because`` and ``instead`` are sentences."""

    code: str
    level: Risk
    because: str
    instead: str = ""
    evidence: Evidence = Evidence.PREDICTED
    step: str = ""
    """``app.name`` of the step, or empty for the whole plan."""
    operation: int | None = None
    """The operation's place among those of its step, in the order in which they run, from 0."""
    table: str = ""

    @property
    def of_whole_table(self) -> int:
        """Its place among those that take a whole table and not a part of it; the least is the
        gravest, and those that do not come last."""
        told = (at for at, words in enumerate(_WHOLE) if re.match(words, self.because))
        return next(told, len(_WHOLE))

    @property
    def place(self) -> Place:
        return Place(code=self.code, step=self.step, operation=self.operation, table=self.table)


def worst(findings: Iterable[Finding]) -> Risk:
    """The worst level among the findings; with none at all nothing is known: caution."""
    levels = [finding.level for finding in findings]
    return max(levels, key=lambda level: level.rank) if levels else Risk.CAUTION
