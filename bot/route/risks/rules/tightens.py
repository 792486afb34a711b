"""A new rule refuses what was allowed until now.

Rows that break it stop the migration; code that still breaks it fails from then on.

Instead: look for such rows first, and deploy code that keeps the rule before the rule.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.route.data_checks import About
from bot.route.findings import Evidence, Finding, Risk
from bot.route.risks.data import about, all_hold
from bot.route.risks.facts import Case, Deed
from bot.route.risks.tightening import tightened
from bot.route.risks.words import finding

CODE = "tightens"
ABOUT = frozenset({Deed.ADD_RULE, Deed.ALTER_COLUMN, Deed.SQL, Deed.VALIDATE_RULE})


def look(case: Case) -> Iterator[Finding]:
    # OTHER is what nobody could ask: then not all that is new is known to be kept.
    kinds = (About.NULL, About.UNIQUE, About.CHECK, About.PARENT, About.OTHER)
    keep = all_hold(about(case, *kinds))
    for rule in tightened(case):
        known = keep and rule.of_rows
        rows = "rows that break it stop the migration" if rule.of_rows else ""
        rows = "no row breaks it today" if known else rows
        writes = "writes that break it fail" if rule.of_writes else ""
        look_first = "" if known else "Look for such rows first; "
        yield finding(
            case,
            CODE,
            Risk.CAUTION,
            f"{rule.what} on {rule.table}: {', and '.join(filter(None, (rows, writes)))}.",
            f"{look_first}deploy code that keeps the rule before it.".capitalize(),
            table=rule.table,
            evidence=Evidence.MEASURED if known else Evidence.PREDICTED,
        )
