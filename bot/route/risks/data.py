"""What today's data said about an operation, for the rules: a predicted risk that the data settles
is no longer only predicted. Today's data is not tomorrow's, so nothing becomes safe by it."""

from __future__ import annotations

from collections.abc import Iterator

from bot.route.data_checks import About, Answer, Checked
from bot.route.findings import Evidence, Finding, Risk
from bot.route.risks.facts import Case
from bot.route.risks.words import finding


def counted(case: Case, code: str) -> Iterator[Finding]:
    """What is not as it should be and goes by this code, each as it was counted."""
    for one in case.answers:
        if one.is_broken and one.check.code == code:
            yield finding(
                case,
                code,
                Risk.DANGEROUS,
                one.sentence,
                one.check.instead,
                table=one.check.table,
                evidence=Evidence.MEASURED,
            )


def about(case: Case, *kinds: About) -> list[Checked]:
    """What was asked of this kind."""
    return [one for one in case.answers if one.check.about in kinds]


def all_hold(asked: list[Checked]) -> bool:
    """Whether something was asked, and every answer was a yes."""
    return bool(asked) and all(one.answer is Answer.HOLDS for one in asked)


def words(asked: list[Checked]) -> str:
    """``no value of t.c is longer than 20 characters, and …``"""
    return ", and ".join(one.check.words for one in asked)
