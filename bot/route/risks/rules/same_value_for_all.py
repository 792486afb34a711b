"""One default is given to every row of a column that must be unique.

Django asks for the default once, uuid4() too, and every row that is there gets that one value. The
migration fails as soon as there are two rows.

Instead: add the field with null=True, fill it row by row in a second migration, and set unique in a
third ("Migrations that add unique fields" in Django's documentation).
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.route.data_checks import About
from bot.route.findings import Evidence, Finding, Risk
from bot.route.risks.data import about, all_hold
from bot.route.risks.facts import Case, Deed
from bot.route.risks.words import finding

CODE = "same_value_for_all"
ABOUT = frozenset({Deed.ADD_COLUMN})


def look(case: Case) -> Iterator[Finding]:
    after = case.facts.after
    if case.facts.deed is not Deed.ADD_COLUMN or after is None or case.is_fresh:
        return
    if not case.facts.statements or not after.column or not (after.unique or after.primary_key):
        return
    if after.null or not after.fills_rows or after.db_default:
        return
    size = case.size(case.facts.table)
    if size is not None and size.rows is not None and size.rows < 2 and size.at_most:
        return
    asked = about(case, About.ROWS)
    if any(one.is_broken for one in asked):
        return  # What is broken is counted, and a finding of its own.
    few = all_hold(asked)
    today = " Today it has at most one." if few else ""
    yield finding(
        case,
        CODE,
        Risk.CAUTION if few else Risk.DANGEROUS,
        f"Every row of {case.facts.table} gets the same value of {after.column}, which must be "
        f"unique: it fails with two rows.{today}",
        "null=True first, then fill it row by row, then unique=True.",
        evidence=Evidence.MEASURED if few else Evidence.PREDICTED,
    )
