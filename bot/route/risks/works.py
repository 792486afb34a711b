"""Which works of a step grow with a table: what a run records the time of, when it is only one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bot.route.plan import GrowingWork
from bot.route.risks.durations import counted_rows
from bot.route.risks.facts import Case, Deed, StepCase
from bot.route.risks.reading import Verb

UNKNOWN = "unknown"
"""The kind of what nobody can say before: Python, SQL that no rule reads, a WHERE, rows that the
plan itself brought."""


def works_of(walked: Iterable[StepCase]) -> list[tuple[GrowingWork, ...]]:
    """The works of each step, in order."""
    return [tuple(work for case in step.cases for work in _of(case)) for step in walked]


def kinds_of(works: Iterable[tuple[GrowingWork, ...]]) -> set[str]:
    """The kinds of works over tables whose rows are known: those that a time could be said of."""
    return {one.kind for of_step in works for one in of_step if one.rows is not None}


def _of(case: Case) -> Iterator[GrowingWork]:
    if case.own_work or _is_opaque(case):
        yield GrowingWork(kind=UNKNOWN)
    own = [(one.work, one.measure) for one in case.effects if one.grows and not one.over]
    # Of a foreign key both tables tell the same work: what the one waits for goes on in the other.
    others = [(one.work, one.measure) for one in case.effects if one.grows and one.over]
    for work, table in (*own, *dict.fromkeys(one for one in others if one not in own)):
        yield GrowingWork(
            kind=str(work),
            table=case.was.get(table, table),
            rows=counted_rows(case.size(table)),
        )


def _is_opaque(case: Case) -> bool:
    if case.facts.deed in (Deed.PYTHON, Deed.UNKNOWN):
        return True
    return any(
        action.verb is Verb.UNKNOWN or (action.narrowed and case.facts.deed is Deed.SQL)
        for action in case.facts.actions
    )
