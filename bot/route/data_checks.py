"""What the database was asked about today's data before a plan runs, and what it answered.

A check is a question with a yes or no: does the data satisfy what an operation demands, so that the
operation goes through and cuts nothing? Values of rows are never kept: a count, and primary keys
where the settings ask for them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from bot.route.findings import Place

if TYPE_CHECKING:
    from bot.route.findings import Finding

BREAKS, CUTS, UNASKED = "data_breaks_rule", "data_would_be_cut", "data_not_checked"
"""Codes of the findings that answers become; stored names."""
BY_DATA = frozenset(
    {BREAKS, CUTS, UNASKED, "cuts_values", "narrows_type", "same_value_for_all", "tightens"}
)
"""Codes of all findings in which today's data has a say."""


class Answer(StrEnum):
    """What the database said. Only ``HOLDS`` is a yes; ``UNKNOWN`` is never taken for one."""

    HOLDS = "holds"
    BROKEN = "broken"
    UNKNOWN = "not checked"


class About(StrEnum):
    """What a check is about; stored names."""

    NULL = "null"
    UNIQUE = "unique"
    CHECK = "check"
    PARENT = "foreign key"
    TYPE = "type"
    ROWS = "rows"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataCheck:
    """One question. ``code`` is what a no is called: the operation fails (``data_breaks_rule``),
    or goes through and cuts values without a word (``data_would_be_cut``).

    ``step`` is ``app.name`` and ``operation`` the operation's place among those of its step, in the
    order in which they run, from 0; ``table`` has today's name. ``words`` say what should be so
    ("shop_order.total has no NULL"), ``one`` and ``many`` what is not so, to follow a number ("rows
    of shop_order have NULL in total"), ``then`` what happens then. ``sql`` counts rows (or values)
    that are not as they should be, up to ``limit`` of them, and takes no parameters: the literals
    of a rule stand in it as the database writes them. ``sql`` is empty where nothing can be asked;
    ``why_not`` says why.
    """

    code: str
    step: str
    operation: int
    table: str
    words: str
    about: About = About.OTHER
    one: str = ""
    many: str = ""
    then: str = ""
    instead: str = ""
    sql: str = ""
    examples_sql: str = ""
    allowed: int = 0
    """So many rows are no break."""
    limit: int = 0
    why_not: str = ""

    @property
    def place(self) -> Place:
        """Where the finding is that a no becomes."""
        return Place(code=self.code, step=self.step, operation=self.operation, table=self.table)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A check with its answer. ``count`` is exact unless ``at_least``; ``examples`` are primary
    keys as text; ``why_not`` says why nothing is known; ``asked`` is the alias that was asked,
    where that is another than the plan's."""

    check: DataCheck
    answer: Answer
    count: int = 0
    at_least: bool = False
    examples: tuple[str, ...] = ()
    why_not: str = ""
    asked: str = ""

    @property
    def is_broken(self) -> bool:
        return self.answer is Answer.BROKEN

    @property
    def sentence(self) -> str:
        """What came of it, as a sentence."""
        if self.answer is Answer.HOLDS:
            return f"{self.check.words}{self._where}."
        if self.answer is Answer.UNKNOWN:
            return f"Not checked on today's data whether {self.check.words}: {self.why_not}."
        number = f"At least {self.count}" if self.at_least else str(self.count)
        noun = self.check.one if self.count == 1 and not self.at_least else self.check.many
        keys = f" (such as {', '.join(self.examples)})" if self.examples else ""
        return f"{number} {noun}{keys}{self._where}: {self.check.then}."

    @property
    def _where(self) -> str:
        return f" on {self.asked}" if self.asked else ""


SHOWN = 6
"""Checks that hold and are named in a sentence; the rest is counted."""


def held(
    checked: Iterable[Checked], findings: Iterable[Finding] = (), *, shown: int = SHOWN
) -> tuple[str, ...]:
    """What holds today, in one sentence; nothing where nothing did. What one of the ``findings``
    says is broken by now is left out."""
    broken = {one.place for one in findings}
    words = [
        one.sentence.removesuffix(".")
        for one in checked
        if one.answer is Answer.HOLDS and one.check.place not in broken
    ]
    if not words:
        return ()
    more = f"; and {len(words) - shown} more" if len(words) > shown else ""
    return (f"Checked on today's data: {'; '.join(words[:shown])}{more}.",)


def by_operation(checked: Iterable[Checked]) -> dict[tuple[str, int], tuple[Checked, ...]]:
    """The answers by the step and the place of the operation that they are about."""
    found: dict[tuple[str, int], tuple[Checked, ...]] = {}
    for one in checked:
        key = (one.check.step, one.check.operation)
        found[key] = (*found.get(key, ()), one)
    return found


def to_ask_again(checked: Iterable[Checked], accepted: Iterable[Place]) -> tuple[DataCheck, ...]:
    """The checks that a run asks once more before it changes anything.

    Left out are those that could never be asked, and those that were known to be broken, by where
    the findings are that were ``accepted``, each as often as there are: people approved in spite of
    them. (By the findings and not by the answers: a rehearsal asks later than the plan, and its
    word is the newer one.) Of a place where there are more checks than that, those that the plan
    found broken; where that does not tell them apart either, none.
    """
    at: dict[Place, list[Checked]] = {}
    for one in (asked := list(checked)):
        at.setdefault(one.check.place, []).append(one)
    known: set[int] = set()
    for place, count in Counter(accepted).items():
        here = at.get(place, [])
        broken = [one for one in here if one.is_broken]
        if len(here) <= count:
            known.update(map(id, here))
        elif len(broken) <= count:
            known.update(map(id, broken))
    return tuple(one.check for one in asked if one.check.sql and id(one) not in known)


def check_from_json(data: dict[str, Any]) -> DataCheck:
    """The question that ``asdict`` wrote."""
    return DataCheck(**{**data, "about": About(data["about"])})


def checked_from_json(data: dict[str, Any]) -> Checked:
    """The answer that ``asdict`` wrote."""
    return Checked(
        **{
            **data,
            "check": check_from_json(data["check"]),
            "answer": Answer(data["answer"]),
            "examples": tuple(data["examples"]),
        }
    )
