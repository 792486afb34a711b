"""Undoing it fails as soon as the table has a row.

Going back makes a NOT NULL column anew and has no value for the rows; or it puts back a rule that
rows written since may break.

Instead: give the field a default, or make it null=True, in the migration before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bot.route.findings import Evidence, Finding, Risk
from bot.route.plan import Direction
from bot.route.rehearsal import Outcome
from bot.route.risks.facts import Case, Deed, StepCase
from bot.route.risks.matters import Matter
from bot.route.risks.tried import with_stop
from bot.route.risks.words import finding

CODE = "undo_fails_with_rows"
ABOUT = frozenset({Deed.ALTER_COLUMN, Deed.DROP_COLUMN, Matter.REHEARSED})


def look_at_step(step: StepCase) -> Iterator[Finding]:
    """What is predicted, unless a rehearsal undid it; and what one found out besides."""
    rehearsed = step.rehearsed
    works = rehearsed is not None and rehearsed.undo is Outcome.WORKS
    seen = rehearsed is not None and bool(rehearsed.undo_error)
    evidence = Evidence.MEASURED if seen else Evidence.PREDICTED
    predicted = [
        one
        for case in step.cases
        if not (works and case.facts.deed is Deed.DROP_COLUMN)  # Others wait for rows to come.
        for one in _predicted(case)
    ]
    yield from (replace(one, evidence=evidence) for one in predicted)
    fails = rehearsed is not None and rehearsed.undo is Outcome.FAILS
    if rehearsed is not None and fails and seen and not predicted and step.step.reversible:
        yield Finding(
            code=CODE,
            level=Risk.CAUTION,
            because=f"Undo: {with_stop(rehearsed.undo_because)}",
            instead="Plan for a way forward instead of back.",
            evidence=Evidence.MEASURED,
            step=step.step.key,
        )


def _predicted(case: Case) -> Iterator[Finding]:
    facts = case.facts
    if case.step.direction is not Direction.FORWARD or not facts.statements or case.is_empty:
        return
    before, after = facts.before, facts.after
    if facts.deed is Deed.DROP_COLUMN and before is not None and before.column:
        # MariaDB and MySQL make up a value, but none that a foreign key finds (invents_values).
        refused = case.situation.vendor != "mysql" or before.references
        if not before.fills_rows and refused:
            yield finding(
                case,
                CODE,
                Risk.CAUTION,
                f"Undo fails once {facts.table} has a row: {before.column} is NOT NULL and has no "
                "default.",
                "AlterField to null=True, or with a default, before it is removed.",
            )
    elif facts.deed is Deed.ALTER_COLUMN and before is not None and after is not None:
        loosened = [
            words
            for words, was, now in (
                ("NOT NULL", not before.null, not after.null),
                ("UNIQUE", before.unique, after.unique),
            )
            if was and not now
        ]
        if loosened and not (loosened == ["NOT NULL"] and before.default != "none"):
            yield finding(
                case,
                CODE,
                Risk.CAUTION,
                f"Undo puts {' and '.join(loosened)} back on {facts.table}.{after.column}, and "
                "fails if rows written since break it.",
            )
