"""A table that the plan makes may have rows by the time of the step, and nobody knows which.

An earlier step of the same plan runs Python or SQL that may have filled it. Nobody uses the table
yet, so nobody waits for it; but rows that do not fit stop the plan, and work over them lasts.

Instead: make the table with all its rules first, and fill it in the last migration of the plan.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.route.data_checks import Answer
from bot.route.data_in_sql import claims_of_sql
from bot.route.findings import Evidence, Finding, Risk
from bot.route.risks.effects import Lock
from bot.route.risks.facts import Case, Deed
from bot.route.risks.matters import Matter
from bot.route.risks.reading import Verb
from bot.route.risks.words import finding

CODE = "meets_own_rows"
ABOUT = frozenset({Matter.FILLED})
_LOSE = (Verb.TRUNCATE, Verb.DELETE, Verb.DROP_TABLE, Verb.DROP_COLUMN)


def look(case: Case) -> Iterator[Finding]:
    """One finding for each such table, and no more than caution: few plans bring many rows."""
    if not case.filled or not case.facts.all_statements:
        return
    unknown: dict[str, list[str]] = {}
    for table, words in (*_demanded(case), *_waited_for(case), *_lost(case)):
        told = unknown.setdefault(table, [])
        if words not in told:
            told.append(words)
    for table, told in unknown.items():
        yield finding(
            case,
            CODE,
            Risk.CAUTION,
            f"The plan makes {table}, and {case.filled[table]}: {', and '.join(told)} is not "
            "known.",
            "Make the table with all its rules first, and fill it last.",
            table=table,
            evidence=Evidence.NOT_CHECKED,
        )


def _demanded(case: Case) -> Iterator[tuple[str, str]]:
    """What its rows have to satisfy, but what is told of already as not checked."""
    told = {one.check.words for one in case.answers if one.answer is Answer.UNKNOWN}
    for claim in (*case.facts.claims, *claims_of_sql(case.facts, case.situation.vendor)):
        if claim.table in case.filled and claim.words not in told:
            yield claim.table, f"whether {claim.words}"


def _waited_for(case: Case) -> Iterator[tuple[str, str]]:
    """Work over it during which others wait for something else: a file, or a lock of before."""
    for effect in case.own_work:
        if case.situation.vendor == "sqlite" and effect.lock >= Lock.SHARE:
            meanwhile = "all other writers of the file wait"
        elif case.held:
            meanwhile = f"{case.held[0].table} stays locked by an earlier operation"
        else:
            continue
        yield effect.table, f"how long {effect.words}, while {meanwhile},"


def _lost(case: Case) -> Iterator[tuple[str, str]]:
    if case.facts.deed not in (Deed.SQL, Deed.DROP_TABLE, Deed.DROP_COLUMN):
        return
    for action in case.facts.actions:
        if action.verb in _LOSE and action.table in case.filled:
            yield action.table, "what is lost with it"
