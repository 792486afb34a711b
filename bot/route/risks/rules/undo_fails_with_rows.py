"""Undoing it fails as soon as the table has a row.

Going back makes a NOT NULL column anew and has no value for the rows; or it puts back a rule that
rows written since may break.

Instead: give the field a default, or make it null=True, in the migration before.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.route.findings import Finding, Risk
from bot.route.plan import Direction
from bot.route.risks.facts import Case, Deed
from bot.route.risks.words import finding

CODE = "undo_fails_with_rows"


def look(case: Case) -> Iterator[Finding]:
    facts = case.facts
    if case.step.direction is not Direction.FORWARD or not facts.statements or case.is_fresh:
        return
    before, after = facts.before, facts.after
    if facts.deed is Deed.DROP_COLUMN and before is not None and before.column:
        if not before.fills_rows and not before.null:
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
