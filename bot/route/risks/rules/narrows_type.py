"""The running release may write what the new type does not take.

A shorter text, a smaller number or another kind of value: the old code goes on writing the old
values, and rows that are there already may stop the migration.

Instead: a new column of the new type beside the old one; check the data before.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.route.data_checks import About
from bot.route.findings import Evidence, Finding, Risk
from bot.route.rehearsal import Deed as Written
from bot.route.rehearsal import Outcome
from bot.route.risks import types
from bot.route.risks.data import about, all_hold
from bot.route.risks.facts import Case, Deed
from bot.route.risks.tried import tried
from bot.route.risks.words import finding

CODE = "narrows_type"
ABOUT = frozenset({Deed.ALTER_COLUMN})


def look(case: Case) -> Iterator[Finding]:
    before, after = case.facts.before, case.facts.after
    if case.facts.deed is not Deed.ALTER_COLUMN or before is None or after is None or case.is_fresh:
        return
    if not (before.type and after.type) or case.situation.vendor == "sqlite":
        return  # SQLite takes any value of any length in any column.
    if types.fits(before.type, after.type):
        return
    word = tried(case, case.facts.table, Written.INSERT, Written.UPDATE, Written.FILTER)
    lost = types.cut_by_a_cast(before.type, after.type, vendor=case.situation.vendor, cast=False)
    if word.outcome is Outcome.WORKS and not lost:
        return
    fits = all_hold(about(case, About.TYPE)) and word.outcome is not Outcome.FAILS
    today = "every value fits today, but " if fits else ""
    evidence = word.evidence
    if word.outcome is Outcome.WORKS:
        what = f"what a running release writes loses {lost} without an error"
        evidence = Evidence.PREDICTED
    else:
        what = "a running release that writes what no longer fits fails"
    yield finding(
        case,
        CODE,
        Risk.CAUTION if fits else Risk.DANGEROUS,
        f"{case.facts.table}.{after.column} goes from {before.type} to {after.type}: {today}"
        f"{what}.",
        "Add a column of the new type, fill it, and switch the code to it.",
        evidence=Evidence.MEASURED if fits else evidence,
    )
