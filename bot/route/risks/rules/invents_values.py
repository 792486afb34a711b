"""The database makes up a value that nobody chose.

MariaDB and MySQL have a value of their own for every type: 0, an empty text, 0000-00-00. A column
that is added NOT NULL without a default gets it in every row, and so does one that undo makes anew.
(A date is refused where sql_mode has NO_ZERO_DATE; a foreign key finds no such row.)

Instead: a default in the field, or null=True.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bot.route.findings import Evidence, Finding, Risk
from bot.route.plan import Direction
from bot.route.rehearsal import Outcome
from bot.route.risks import types
from bot.route.risks.changes import needs_a_value
from bot.route.risks.facts import Case, Deed, StepCase
from bot.route.risks.matters import Matter
from bot.route.risks.words import finding

CODE = "invents_values"
ABOUT = frozenset({Matter.MYSQL})
_VALUES = {
    "integer": "0",
    "decimal": "0",
    "float": "0",
    "boolean": "0",
    "text": "an empty text",
    "date": "0000-00-00",
    "datetime": "0000-00-00",
    "time": "00:00:00",
}


def look_at_step(step: StepCase) -> Iterator[Finding]:
    """A rehearsal in which undo fails has another finding; one in which it works has seen this."""
    if step.situation.vendor != "mysql":
        return
    undo = step.rehearsed.undo if step.rehearsed is not None else Outcome.UNKNOWN
    evidence = Evidence.MEASURED if undo is Outcome.WORKS else Evidence.PREDICTED
    for case in step.cases:
        yield from _now(case)
        if undo is not Outcome.FAILS:
            yield from (replace(one, evidence=evidence) for one in _undone(case))


def _now(case: Case) -> Iterator[Finding]:
    if case.facts.after is not None and case.facts.after.references:
        return
    for action in case.facts.actions:
        if case.may_have_rows(action.table) and needs_a_value(action) and not action.to:
            yield finding(
                case,
                CODE,
                Risk.CAUTION,
                f"Every row of {action.table} gets {_value(action.rest)} in {action.name}, which "
                "nobody chose: it is NOT NULL without a default.",
                "Give the field a default that means something, or null=True.",
                table=action.table,
            )


def _undone(case: Case) -> Iterator[Finding]:
    facts, before = case.facts, case.facts.before
    if case.step.direction is not Direction.FORWARD or case.is_empty or not facts.statements:
        return
    if facts.deed is not Deed.DROP_COLUMN or before is None or not before.column:
        return
    if not before.fills_rows and not before.references:
        yield finding(
            case,
            CODE,
            Risk.CAUTION,
            f"Undo makes {before.column} of {facts.table} anew with {_value(before.type)} in every "
            "row, which nobody chose: it is NOT NULL and has no default.",
            "AlterField to null=True, or with a default, before it is removed.",
        )


def _value(of_type: str) -> str:
    """What stands there then, by the column's type or its definition."""
    return _VALUES.get(types.read(of_type).family, "an empty value")
