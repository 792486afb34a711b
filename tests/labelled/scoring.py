"""Answers held against the labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.route.findings import Risk
from tests.labelled.case import Case
from tests.labelled.claims import Answer, Question, truth


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Names of cases. ``missed`` are dangers that were not claimed, ``false`` claims of none."""

    hit: tuple[str, ...]
    missed: tuple[str, ...]
    false: tuple[str, ...]
    quiet: tuple[str, ...]

    @property
    def of(self) -> int:
        return len(self.hit) + len(self.missed) + len(self.false) + len(self.quiet)

    @property
    def right(self) -> int:
        return len(self.hit) + len(self.quiet)

    @property
    def share(self) -> float:
        """How many are right, of one."""
        return self.right / self.of if self.of else 0.0


def score(cases: Sequence[Case], answers: Mapping[str, Answer], question: Question) -> Score:
    """The answers by the cases' names; a case without an answer was not asked."""
    found: dict[tuple[bool, bool], list[str]] = {}
    for case in cases:
        true = truth(case.labels)[question]
        if true is not None and case.name in answers:
            claimed = question in answers[case.name].claims
            found.setdefault((true, claimed), []).append(case.name)
    return Score(
        hit=tuple(found.get((True, True), ())),
        missed=tuple(found.get((True, False), ())),
        false=tuple(found.get((False, True), ())),
        quiet=tuple(found.get((False, False), ())),
    )


def levels(cases: Sequence[Case], answers: Mapping[str, Answer]) -> tuple[list[str], list[str]]:
    """Names of cases whose level is another, and of dangerous ones that were called safe."""
    wrong, unsafe = [], []
    for case in cases:
        level = answers[case.name].level if case.name in answers else None
        if level is None:
            continue
        if level is not case.labels.level:
            wrong.append(case.name)
        if level is Risk.SAFE and case.labels.level is Risk.DANGEROUS:
            unsafe.append(case.name)
    return wrong, unsafe


def right_of_all(cases: Sequence[Case], answers: Mapping[str, Answer]) -> float:
    """The share of right answers to blocking and to the running release together."""
    both = [score(cases, answers, one) for one in (Question.BLOCKS, Question.BREAKS)]
    return sum(one.right for one in both) / max(1, sum(one.of for one in both))
