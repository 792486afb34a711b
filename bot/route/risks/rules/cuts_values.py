"""A conversion cuts values, and no error says so.

PostgreSQL casts text to varchar(200) by cutting it; digits after the point, the time of day and the
fraction of a float go the same way.

Instead: a new column, filled by code that says what becomes of values that do not fit.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.route.findings import Finding, Risk
from bot.route.risks import types
from bot.route.risks.facts import Case, Deed
from bot.route.risks.words import finding

CODE = "cuts_values"


def look(case: Case) -> Iterator[Finding]:
    before, after = case.facts.before, case.facts.after
    if case.facts.deed is not Deed.ALTER_COLUMN or before is None or after is None or case.is_fresh:
        return
    if not (before.type and after.type):
        return
    cast = any(" using " in sql.lower() for sql in case.facts.statements)
    lost = types.cut_by_a_cast(before.type, after.type, vendor=case.situation.vendor, cast=cast)
    if lost:
        yield finding(
            case,
            CODE,
            Risk.DANGEROUS,
            f"{case.facts.table}.{after.column} silently loses {lost} ({before.type} to "
            f"{after.type}).",
            "Look for values that do not fit, and convert them into a new column.",
        )
