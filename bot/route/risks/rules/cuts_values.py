"""A conversion cuts values, and no error says so.

PostgreSQL casts text to varchar(200) by cutting it; digits after the point, the time of day and the
fraction of a float go the same way.

Instead: a new column, filled by code that says what becomes of values that do not fit.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.route.data_checks import CUTS, About
from bot.route.findings import Evidence, Finding, Risk
from bot.route.risks import types
from bot.route.risks.changes import of_old_tables
from bot.route.risks.data import about, all_hold, words
from bot.route.risks.definitions import computes
from bot.route.risks.facts import Case, Deed
from bot.route.risks.reading import Verb
from bot.route.risks.words import finding

CODE = "cuts_values"
ABOUT = frozenset({Deed.ALTER_COLUMN, Deed.SQL})


def look(case: Case) -> Iterator[Finding]:
    yield from _computed(case)
    before, after = case.facts.before, case.facts.after
    if case.facts.deed is not Deed.ALTER_COLUMN or before is None or after is None or case.is_fresh:
        return
    if not (before.type and after.type):
        return
    cast = any(" using " in sql.lower() for sql in case.facts.statements)
    lost = types.cut_by_a_cast(before.type, after.type, vendor=case.situation.vendor, cast=cast)
    asked = [one for one in about(case, About.TYPE) if one.check.code == CUTS]
    if not lost or any(one.is_broken for one in asked):
        return  # What is broken is counted, and a finding of its own.
    if all_hold(asked):
        yield finding(
            case,
            CODE,
            Risk.CAUTION,
            f"{case.facts.table}.{after.column} silently loses {lost} ({before.type} to "
            f"{after.type}). Today {words(asked)}, but what is written until it runs may be.",
            "Deploy code that writes no such values first.",
            evidence=Evidence.MEASURED,
        )
    else:
        yield finding(
            case,
            CODE,
            Risk.DANGEROUS,
            f"{case.facts.table}.{after.column} silently loses {lost} ({before.type} to "
            f"{after.type}).",
            "Look for values that do not fit, and convert them into a new column.",
        )


def _computed(case: Case) -> Iterator[Finding]:
    """USING by hand may make any other value of what was there."""
    if case.facts.deed is not Deed.SQL:
        return
    for action in of_old_tables(case):
        if action.verb is Verb.ALTER_TYPE and computes(action):
            yield finding(
                case,
                CODE,
                Risk.DANGEROUS,
                f"{action.table}.{action.name} gets other values by USING; what they were is gone.",
                "Fill a new column, and keep the old one until nobody misses it.",
                table=action.table,
            )
