"""The running release may write what the new type does not take.

A shorter text, a smaller number or another kind of value: the old code goes on writing the old
values, and rows that are there already may stop the migration.

Instead: a new column of the new type beside the old one; check the data before.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.route.findings import Finding, Risk
from bot.route.risks import types
from bot.route.risks.facts import Case, Deed
from bot.route.risks.words import finding

CODE = "narrows_type"


def look(case: Case) -> Iterator[Finding]:
    before, after = case.facts.before, case.facts.after
    if case.facts.deed is not Deed.ALTER_COLUMN or before is None or after is None or case.is_fresh:
        return
    if not (before.type and after.type) or case.situation.vendor == "sqlite":
        return  # SQLite takes any value of any length in any column.
    if not types.fits(before.type, after.type):
        yield finding(
            case,
            CODE,
            Risk.DANGEROUS,
            f"{case.facts.table}.{after.column} goes from {before.type} to {after.type}: a running "
            "release that writes what no longer fits fails.",
            "Add a column of the new type, fill it, and switch the code to it.",
        )
